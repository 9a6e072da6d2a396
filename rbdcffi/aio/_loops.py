"""What belongs to the running event loop, found at once.

anyio's RunVar asks for the library, then for its loop: 4 to 9 us, a third of what the completion
engine adds to a read. The loop is the same as last time nearly always, and to compare is enough.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import weakref
from contextlib import suppress
from typing import Any, Callable, Generic, TypeVar

from anyio.lowlevel import RunVar

Value = TypeVar("Value")


def in_trio() -> bool:
    """Whether a task of trio runs; asyncio may host trio's loop."""
    # another thread may be importing trio just now
    current = getattr(getattr(sys.modules.get("trio"), "lowlevel", None), "current_task", None)
    if current is None:
        return False
    try:
        current()
    except RuntimeError:
        return False
    return True


def in_event_loop() -> bool:
    """Whether this thread runs an event loop right now."""
    return in_trio() or asyncio._get_running_loop() is not None


def soon() -> Callable[[Callable[[], object]], None]:
    """How other threads have the running event loop call something, without waiting for it."""
    call: Any = (
        sys.modules["trio"].lowlevel.current_trio_token().run_sync_soon
        if in_trio()
        else asyncio.get_running_loop().call_soon_threadsafe
    )

    def tell(function: Callable[[], object]) -> None:
        # a loop that is over needs no news
        with suppress(RuntimeError):
            call(function)

    return tell


def running() -> object:
    """Something that stands for the event loop that runs in this thread."""
    if in_trio():
        return sys.modules["trio"].lowlevel.current_trio_token()
    # like get_running_loop, without an error; what libraries of events are given to find it
    return asyncio._get_running_loop()


class PerLoop(Generic[Value]):
    """A value for each event loop, made when the loop first asks for it."""

    def __init__(self, name: str, make: Callable[[], Value]) -> None:
        self._values: RunVar[Value] = RunVar(name)
        self._make = make
        #: (weak reference to what stood for the loop, its value) of each thread's last
        self._last = threading.local()

    def get(self) -> Value:
        """The running event loop's value."""
        current: Any = running()
        last = getattr(self._last, "found", None)
        if last is not None and current is not None and last[0]() is current:
            return last[1]  # type: ignore[no-any-return]
        try:
            value = self._values.get()
        except LookupError:
            value = self._make()
            self._values.set(value)
        self._last.found = (weakref.ref(current), value)
        return value
