"""Python functions that C calls.

A callback never raises into C: its exception is kept, C is told to stop, and whoever made the
call raises the exception again, unchanged, once C has returned.
"""

from __future__ import annotations

from types import TracebackType
from typing import Any, Callable

from rbdcffi._errors import ECANCELED
from rbdcffi._ffi import NULL, ffi, lib, pointer


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
    return int(ffi.from_handle(callback).function())


@ffi.def_extern(error=-ECANCELED, onerror=_failed)
def rbdcffi_on_progress(done: int, total: int, callback: Any) -> int:
    held: Callback = ffi.from_handle(callback)
    if held.error is not None:
        # the library goes on whatever it is told; do not call a function that has failed
        return -ECANCELED
    lib.rbdcffi_thread_enters(held.gate)
    try:
        result = held.function(done, total)
    finally:
        lib.rbdcffi_thread_leaves(held.gate)
    return 0 if result is None else int(result)


_NO_PROGRESS = pointer("rbdcffi_no_progress")
_ON_PROGRESS = pointer("rbdcffi_on_progress")


class Progress:
    """``on_progress(done, total)`` for one C call, or none: ``.function`` and ``.data`` for C.

    `gate` is that of the handle the call is on. The library calls back on any thread.

    The function may return None (go on) or an int, which is handed to the library. An exception is
    raised once the operation has ended; whether that ends it early, half done, is the operation's
    choice.
    """

    __slots__ = ("_callback", "data", "function")

    def __init__(self, on_progress: Callable[[int, int], int | None] | None, gate: Any) -> None:
        if on_progress is None:
            self._callback = None
            self.function = _NO_PROGRESS
            self.data = NULL
            return
        if not callable(on_progress):
            raise TypeError(f"on_progress must be callable, not {type(on_progress).__name__}")
        self._callback = Callback(on_progress, gate)
        self.function = _ON_PROGRESS
        self.data = self._callback.pointer

    def raise_error(self) -> None:
        if self._callback is not None:
            self._callback.raise_error()
