"""Between Python's bytes and C's: names, buffers, and results of unknown size."""

from __future__ import annotations

from typing import Any, Callable

from rbdcffi._errors import ERANGE
from rbdcffi._ffi import NULL, PYPY, ffi

#: Buffers that C fills need not be zeroed first.
new_uncleared = ffi.new_allocator(should_clear_after_alloc=False)

#: Where the grow-and-retry loop gives up.
LIMIT = 1 << 30


def c_string(
    value: object, what: str, invalid: Callable[[str], Exception], optional: bool = False
) -> Any:
    """A name for a ``const char *``: str (as UTF-8) or bytes, without NUL; None if optional."""
    if isinstance(value, str):
        try:
            # decode() below makes surrogates out of bytes that are no UTF-8
            value = value.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError as error:
            raise invalid(f"{what} {value!r} cannot be encoded as UTF-8: {error.reason}") from None
    elif value is None and optional:
        return NULL
    if not isinstance(value, bytes):
        raise invalid(f"{what} must be a string, not {type(value).__name__}")
    if b"\0" in value:
        raise invalid(f"{what} {value!r} contains a NUL")
    return value


def decode(value: bytes) -> str:
    """A name from C; undecodable bytes survive a round trip."""
    return value.decode("utf-8", "surrogateescape")


def string(pointer: Any) -> str:
    """A NUL-terminated string from C, '' for NULL."""
    return decode(ffi.string(pointer)) if pointer != NULL else ""


def strings(buffer: Any, length: int) -> list[str]:
    """The NUL-terminated strings that follow one another in `length` bytes of a buffer."""
    return [decode(part) for part in ffi.buffer(buffer, length)[:].split(b"\0")[:-1]]


def grow(attempt: Callable[[int], tuple[int, int]], size: int) -> int:
    """Calls C with growing buffers until the result fits; returns the last C result.

    `attempt(size)` allocates, calls, and returns (result, the size C asks for).
    """
    while True:
        result, needed = attempt(size)
        if result != -ERANGE and needed <= size:
            return result
        if size >= LIMIT:
            raise MemoryError(f"the result does not fit into {LIMIT} bytes")
        size = max(needed, 2 * size)


def number(value: object, what: str, least: int = 0, most: int = (1 << 64) - 1) -> int:
    """An integer argument that C can be given; TypeError and OverflowError say which it is."""
    if not isinstance(value, int):
        raise TypeError(f"{what} must be an integer, not {type(value).__name__}")
    if not least <= value <= most:
        raise OverflowError(f"{what} must be from {least} to {most}, not {value}")
    return value


_CHARS = ffi.typeof("char[]")


def readable(data: Any, what: str) -> tuple[Any, int]:
    """(what to pass as ``const char *``, length in bytes) of any C-contiguous buffer.

    The first must stay referenced while C uses it.
    """
    if type(data) is bytes:
        return data, len(data)
    if type(data) is bytearray and data and not PYPY:
        return ffi.from_buffer(_CHARS, data), len(data)
    if isinstance(data, str):
        raise TypeError(f"{what} must be bytes-like, not str; encode it, as in data.encode()")
    try:
        view = memoryview(data)
    except TypeError:
        raise TypeError(f"{what} must be bytes-like, not {type(data).__name__}") from None
    if not view.c_contiguous:
        raise TypeError(f"{what} must be C-contiguous")
    if PYPY or view.nbytes == 0:
        # PyPy does not lock the buffer: its owner could be resized while C reads it
        return view.tobytes(), view.nbytes
    return ffi.from_buffer(_CHARS, view), view.nbytes


def writable(buffer: Any, what: str) -> memoryview:
    """A flat view of the bytes of a writable C-contiguous buffer."""
    try:
        view = memoryview(buffer)
    except TypeError:
        raise TypeError(
            f"{what} must be a writable bytes-like object, not {type(buffer).__name__}"
        ) from None
    if view.readonly:
        raise TypeError(f"{what} must be writable")
    if not view.c_contiguous:
        raise TypeError(f"{what} must be C-contiguous")
    return view if view.nbytes == 0 else view.cast("B")
