"""Python functions that C calls.

A callback never raises into C: its exception is kept, C is told to stop, and whoever made the
call raises the exception again, unchanged, once C has returned.
"""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Any, Callable

from rbdcffi._calls import named
from rbdcffi._errors import ECANCELED
from rbdcffi._ffi import NULL, ffi, lib, pointer
from rbdcffi._forks import called
from rbdcffi._handle import Handle, stay
from rbdcffi._waiting import interruptible


class Callback:
    """A Python function lent to one C call. Keep it referenced until the call has returned."""

    __slots__ = ("error", "function", "gate", "pointer")

    def __init__(self, function: Callable[..., Any], gate: Any) -> None:
        self.function = function
        #: of the handle that the call is on
        self.gate = gate
        self.error: BaseException | None = None
        self.pointer = ffi.new_handle(self)

    def raise_error(self) -> None:
        """Raises what the function raised, if it did."""
        error, self.error = self.error, None
        if error is not None:
            raise error


def _failed(
    exception: type[BaseException] | None,
    value: BaseException | None,
    traceback: TracebackType | None,
) -> int:
    """Also sees what is raised around the function, such as KeyboardInterrupt by a signal."""
    if traceback is not None and value is not None:
        pointer = traceback.tb_frame.f_locals.get("callback")
        if pointer is not None:
            ffi.from_handle(pointer).error = value
    return -ECANCELED


@ffi.def_extern(error=-ECANCELED, onerror=_failed)
def rbdcffi_on_extents(callback: Any) -> int:
    return int(called(ffi.from_handle(callback).function, by_c=True))


@ffi.def_extern(error=-ECANCELED, onerror=_failed)
def rbdcffi_on_progress(done: int, total: int, callback: Any) -> int:
    held: Callback = ffi.from_handle(callback)
    if held.error is not None:
        # the library goes on whatever it is told; do not call a function that has failed
        return -ECANCELED
    with stay() as inside:
        lib.rbdcffi_stay_inside(inside, held.gate)
        result = called(held.function, done, total, by_c=True)
    return 0 if result is None else int(result)


_NO_PROGRESS = pointer("rbdcffi_no_progress")
_ON_PROGRESS = pointer("rbdcffi_progress")


class Progress:
    """``on_progress(done, total)`` for one C call on a handle, or none. The library calls back on
    any thread.

    The function may return None (go on) or an int, which is handed to the library. An exception is
    raised once the operation has ended; whether that ends it early, half done, is the operation's
    choice.
    """

    __slots__ = ("_callback", "_handle")

    def __init__(
        self, on_progress: Callable[[int, int], int | None] | None, handle: Handle | None
    ) -> None:
        if on_progress is not None and not callable(on_progress):
            raise TypeError(
                named(f"on_progress must be callable, not {type(on_progress).__name__}")
            )
        self._handle = handle
        self._callback = (
            None
            if on_progress is None
            else Callback(on_progress, NULL if handle is None else handle.gate)
        )

    def call(self, function: Callable[..., int], *arguments: Any) -> int:
        """The result of a C function that takes the progress callback behind other arguments."""
        return self.run(lambda *progress: function(*arguments, *progress))

    def run(self, call: Callable[[Any, Any], int]) -> int:
        """The result of `call`, which is given the two arguments for C.

        Ctrl-C in the main thread leaves it; it goes on in the background then, and `on_progress`
        is not called any more.
        """
        callback = self._callback
        if callback is None:
            return interruptible(lambda: call(_NO_PROGRESS, NULL), self._handle)
        try:
            result = interruptible(lambda: call(_ON_PROGRESS, callback.pointer), self._handle)
        except BaseException as error:
            callback.error = error
            raise
        callback.raise_error()
        return result


def report(error: BaseException) -> None:
    """For exceptions of functions whose caller is a C library."""
    threading.excepthook(
        threading.ExceptHookArgs(
            (type(error), error, error.__traceback__, threading.current_thread())
        )
    )
