"""Long calls that Ctrl-C can leave.

Python runs signal handlers between bytecodes of the main thread; a main thread that sits in C
does not see Ctrl-C until C returns, which on a hanging cluster is never. So the main thread lets
another one make the call and waits where it can be interrupted.
"""

from __future__ import annotations

import threading
from typing import Callable, Generic, TypeVar

Result = TypeVar("Result")


class Call(Generic[Result]):
    """A call whose caller may leave before it is done."""

    def __init__(self, function: Callable[[], Result], discard: Callable[[Result], object]) -> None:
        self._function = function
        self._discard = discard
        self._lock = threading.Lock()
        self._left = False
        self.done = threading.Event()
        self.result: Result
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            self.result = self._function()
        except BaseException as error:
            self.error = error
        with self._lock:
            self.done.set()
            unwanted = self._left and self.error is None
        if unwanted:
            self._discard(self.result)

    def leave(self) -> None:
        """Nobody waits any more: the call cleans up after itself."""
        with self._lock:
            self._left = True
            unwanted = self.done.is_set() and self.error is None
        if unwanted:
            self._discard(self.result)


def interruptible(
    function: Callable[[], Result],
    discard: Callable[[Result], object] = lambda result: None,
    timeout: float | None = None,
) -> Result:
    """Calls `function`; in the main thread so that a signal handler's exception gets through.

    If the wait ends early, by an exception or after `timeout` seconds (TimeoutError), the call
    goes on in the background and its late result is given to `discard`.
    """
    if threading.current_thread() is not threading.main_thread() and timeout is None:
        return function()
    call = Call(function, discard)
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
