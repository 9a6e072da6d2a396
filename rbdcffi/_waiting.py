"""Long calls that Ctrl-C can leave.

Python runs signal handlers between bytecodes of the main thread; a main thread that sits in C
does not see Ctrl-C until C returns, which on a hanging cluster is never. So the main thread lets
another one make the call and waits where it can be interrupted.
"""

from __future__ import annotations

import threading
from typing import Callable, Generic, TypeVar

from rbdcffi._handle import Handle

Result = TypeVar("Result")


class Call(Generic[Result]):
    """A call on a handle whose caller may leave before it is done.

    What it returns too late is given to `discard`.
    """

    def __init__(
        self,
        function: Callable[[], Result],
        discard: Callable[[Result], object],
        handle: Handle,
    ) -> None:
        self._function = function
        self._discard = discard
        self._handle = handle
        self._lock = threading.Lock()
        self._running = False
        self._left = False
        self.done = threading.Event()
        self.result: Result
        self.error: BaseException | None = None

    def run(self) -> None:
        """Makes the call, unless its caller has left already."""
        with self._lock:
            if self._left:
                return
            self._running = True
        try:
            self.result = self._function()
        except BaseException as error:
            self.error = error
        with self._lock:
            self.done.set()
            left = self._left
        if left:
            if self.error is None:
                self._discard(self.result)
            self._handle.taken_back()

    def leave(self) -> None:
        """Nobody waits any more: the call cleans up after itself."""
        with self._lock:
            self._left = True
            finished = self.done.is_set()
            if self._running and not finished:
                self._handle.give_up()
        if finished and self.error is None:
            self._discard(self.result)


def interruptible(
    function: Callable[[], Result],
    handle: Handle,
    discard: Callable[[Result], object] = lambda result: None,
    timeout: float | None = None,
) -> Result:
    """Calls `function`; in the main thread so that a signal handler's exception gets through.

    If the wait ends early, by an exception or after `timeout` seconds (TimeoutError), the call
    goes on in the background, and closing `handle` does not wait for it.
    """
    if threading.current_thread() is not threading.main_thread() and timeout is None:
        return function()
    call = Call(function, discard, handle)
    threading.Thread(target=call.run, name="rbdcffi-wait", daemon=True).start()
    try:
        if not call.done.wait(timeout):
            raise TimeoutError
    except BaseException:
        call.leave()
        raise
    if call.error is not None:
        raise call.error
    return call.result
