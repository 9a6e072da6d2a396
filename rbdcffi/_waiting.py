"""Long calls that Ctrl-C can leave.

Python runs signal handlers between bytecodes of the main thread; a main thread that sits in C
does not see Ctrl-C until C returns, which on a hanging cluster is never. So the main thread lets
another one make the call and waits where it can be interrupted.
"""

from __future__ import annotations

import atexit
import os
import sys
import threading
from contextlib import suppress
from typing import Callable, Generic, TypeVar

from rbdcffi._ffi import lib
from rbdcffi._handle import Handle
from rbdcffi._threads import Flag, start_thread

Result = TypeVar("Result")

#: Seconds that a thread waits for the next call.
IDLE = 10.0


class _Slot:
    """Where a thread that waits is given its next call."""

    def __init__(self) -> None:
        self.filled = Flag()
        self.function: Callable[[], None] | None = None
        self._open = [True]

    def close(self) -> bool:
        """Whether nobody has closed it before: `function` is what it is now, for good."""
        try:
            return self._open.pop()
        except IndexError:
            return False


class _Helpers:
    """Threads that make calls for others. One that is done waits for the next call a while: to
    start a thread takes as long as many a call.

    There is no lock, because PyPy may run a signal handler, which may raise, between the end of a
    ``with`` and the release.
    """

    def __init__(self) -> None:
        #: of those that wait
        self._idle: list[_Slot] = []

    def run(self, function: Callable[[], None]) -> None:
        """Starts `function` in another thread. Raises RuntimeError if there can be no more.

        If a signal handler raises meanwhile, `function` may run or not.
        """
        while self._idle:
            try:
                slot = self._idle.pop()
            except IndexError:
                break
            slot.function = function
            if slot.close():
                slot.filled.set()
                return
        slot = _Slot()
        slot.function = function
        start_thread(self._serve, slot, name="rbdcffi-wait")

    def _serve(self, slot: _Slot) -> None:
        # the thread keeps its first slot
        function, slot.function = slot.function, None
        while function is not None:
            function()
            function = None  # it may hold an image
            if self._idle or sys.is_finalizing():
                return
            slot = _Slot()
            self._idle.append(slot)
            if not slot.filled.wait(IDLE):
                # whoever has taken the slot may have been interrupted before closing it
                if slot.close():
                    with suppress(ValueError):
                        self._idle.remove(slot)
                    return
            function, slot.function = slot.function, None

    def end(self) -> None:
        """Those that wait end now."""
        while self._idle:
            try:
                self._idle.pop().filled.set()
            except IndexError:
                return


_helpers = _Helpers()
atexit.register(lambda: _helpers.end())


def _after_fork() -> None:
    # its threads are the parent's
    global _helpers
    _helpers = _Helpers()


os.register_at_fork(after_in_child=_after_fork)


class Call(Generic[Result]):
    """A call on a handle whose caller may leave before it is done.

    What it returns too late is given to `discard`.
    """

    def __init__(
        self,
        function: Callable[[], Result],
        discard: Callable[[Result], object],
        handle: Handle | None,
    ) -> None:
        self._function = function
        self._discard = discard
        self._handle = handle
        self._lock = threading.Lock()
        self._running = False
        self._left = False
        self.done = Flag()
        self.result: Result
        self.error: BaseException | None = None

    def start(self) -> None:
        """Makes the call in another thread."""
        try:
            _helpers.run(self.run)
        except RuntimeError:
            # the interpreter is on its way out, and starts none any more
            self.run()

    def wait(self, timeout: float | None = None) -> Result:
        """The result. If the wait ends early, by an exception or after `timeout` seconds
        (TimeoutError), the call goes on, and closing its handle does not wait for it."""
        try:
            if not self.done.wait(timeout):
                raise TimeoutError
        except BaseException:
            self.leave()
            raise
        if self.error is not None:
            raise self.error
        return self.result

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
                self._throw_away()
            elif self._handle is not None:
                self._handle.taken_back()

    def leave(self) -> None:
        """Nobody waits any more: the call cleans up after itself."""
        with self._lock:
            if self._left:
                return
            self._left = True
            finished = self.done.is_set()
            if self._running and self._handle is not None:
                if not finished or self.error is None:
                    self._handle.give_up()
        if finished and self.error is None:
            # may take long, and whoever leaves does not want to wait
            try:
                _helpers.run(self._throw_away)
            except RuntimeError:
                self._throw_away()

    def _throw_away(self) -> None:
        try:
            self._discard(self.result)
        finally:
            if self._handle is not None:
                self._handle.taken_back()


def can_be_left() -> bool:
    """Whether the caller's thread is interrupted by signals, and another one can call for it."""
    return not (
        threading.current_thread() is not threading.main_thread()
        # in a callback: what C allows there depends on the thread
        or lib.rbdcffi_thread_entered()
        # a finalizer at the very end: other threads do not run any more
        or sys.is_finalizing()
    )


def interruptible(
    function: Callable[[], Result],
    handle: Handle | None,
    discard: Callable[[Result], object] = lambda result: None,
    timeout: float | None = None,
) -> Result:
    """Calls `function`; in the main thread so that a signal handler's exception gets through.

    If the wait ends early, by an exception or after `timeout` seconds (TimeoutError), the call
    goes on in the background, and closing `handle` does not wait for it.
    """
    if timeout is None and not can_be_left():
        return function()
    call = Call(function, discard, handle)
    try:
        call.start()
        return call.wait(timeout)
    except BaseException:
        # a signal may come at any point, not only while this waits
        call.leave()
        raise


#: Seconds that closing waits in a callback on a thread of the library.
LENT_PATIENCE = 0.3


def close(handle: Handle) -> int:
    """``handle.close()`` that Ctrl-C can leave: closing an image writes back what is cached, which
    on a hanging cluster takes for ever. It goes on in the background then. So it does in a callback
    on a thread of the library, if it needs that very thread.
    """
    if not handle.bar():
        return 0
    patience = LENT_PATIENCE if lib.rbdcffi_thread_is_lent() else None
    try:
        return interruptible(handle.finish, None, handle.tell, patience)
    except TimeoutError:
        return 0
