"""Between Python's values and C's: names, numbers, buffers, and results of unknown size.

What is refused is told with the call that the user made in front; see _calls.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from operator import index
from typing import Any, Callable

from rbdcffi._calls import named
from rbdcffi._errors import ERANGE
from rbdcffi._ffi import NULL, PYPY, ffi, new_bytes

#: Buffers that C fills need not be zeroed first.
new_uncleared = ffi.new_allocator(should_clear_after_alloc=False)


def uncleared(length: int) -> Any:
    """Room for so many bytes of C."""
    try:
        return new_uncleared("char[]", length)
    except (MemoryError, OverflowError):
        raise MemoryError(named(f"no memory for {length} bytes")) from None


def room_for(length: int) -> Any:
    """The same, as a bytes object where that can be: what is read need not be copied then."""
    if new_bytes is None or length < 2:
        return uncleared(length)
    try:
        return new_bytes(length)
    except (MemoryError, OverflowError):
        raise MemoryError(named(f"no memory for {length} bytes")) from None


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
    """An integer argument as C can be given it: an int, or what stands for one (NumPy's integers,
    anything with ``__index__``). TypeError and OverflowError say which argument it is.

    cffi takes anything that can be cut to an integer, such as Decimal; this does not.
    """
    if type(value) is not int:
        try:
            value = int(index(value))  # type: ignore[arg-type]
        except TypeError:
            raise TypeError(
                named(f"{what} must be an integer, not {type(value).__name__}")
            ) from None
    if not least <= value <= most:
        raise OverflowError(named(f"{what} must be from {least} to {most}, not {value}"))
    return value


def integer(value: object) -> int | None:
    """The integer that a value is or stands for, None if it is something else, such as a name."""
    return int(index(value)) if hasattr(type(value), "__index__") else None  # type: ignore[arg-type]


#: The range of an int in C.
INT = -(1 << 31), (1 << 31) - 1
#: The range of an uint32_t in C.
UINT = 0, (1 << 32) - 1
#: The largest uint64_t in C.
UINT64 = (1 << 64) - 1
#: The range of an int64_t in C.
INT64 = -(1 << 63), (1 << 63) - 1


def items(values: Iterable[Any], what: str) -> list[Any]:
    """The elements of an argument that holds several."""
    # text and bytes can be iterated over, and are never meant
    if not isinstance(values, (str, bytes, bytearray, memoryview)):
        try:
            return list(values)
        except TypeError:
            if hasattr(type(values), "__iter__"):
                raise
    raise TypeError(named(f"{what} must be a sequence, not {type(values).__name__}"))


_CHARS = ffi.typeof("char[]")
_POINTER = ffi.typeof("char *")


def pointer_to(view: memoryview) -> Any:
    """What to pass as ``char *`` to C for a view that nobody else has; it keeps the view.

    A cdata of ffi.from_buffer(view) must not live on: before CPython 3.13 the garbage collector, if
    it finds both in one cycle (an exception's traceback is enough), clears the view first, and the
    process dies when the cdata gives it back. The view itself locks the buffer as well.
    """
    exported = ffi.from_buffer(_CHARS, view)
    pointer = ffi.cast(_POINTER, exported)
    ffi.release(exported)
    return ffi.gc(pointer, lambda _: view)


def readable(data: Any, what: str) -> tuple[Any, int]:
    """(what to pass as ``const char *``, length in bytes) of any C-contiguous buffer.

    The first must stay referenced while C uses it.
    """
    if type(data) is bytes:
        return data, len(data)
    if type(data) is bytearray and data and not PYPY:
        return ffi.from_buffer(_CHARS, data), len(data)
    view = view_of(data, what)
    if PYPY or view.nbytes == 0:
        # PyPy does not lock the buffer: its owner could be resized while C reads it
        return view.tobytes(), view.nbytes
    return pointer_to(view), view.nbytes


def readables(buffers: Iterable[Any], what: str) -> list[tuple[Any, int]]:
    """What `readable` returns for each of several buffers."""
    several = enumerate(items(buffers, what))
    return [readable(buffer, f"{what}[{i}]") for i, buffer in several]


def writables(buffers: Iterable[Any], what: str) -> list[memoryview]:
    """What `writable` returns for each of several buffers."""
    several = enumerate(items(buffers, what))
    return [writable(buffer, f"{what}[{i}]") for i, buffer in several]


def steady(data: Any, what: str) -> tuple[Any, int]:
    """readable() for C that goes on using the memory when the call has returned."""
    start, size = readable(data, what)
    # PyPy moves bytes, or lends C a copy for the time of the call
    return (ffi.from_buffer(_CHARS, start) if PYPY and size else start), size


def vector(buffers: Any, what: str) -> tuple[Any, int, int, Any]:
    """Several readable buffers as a ``const struct iovec *``: (it, how many, length in bytes, what
    must stay referenced while C uses it)."""
    pairs = readables(buffers, what)
    starts = [
        ffi.from_buffer(_CHARS, part) if isinstance(part, bytes) else part for part, _ in pairs
    ]
    return *_iovec(starts, [size for _, size in pairs]), (starts, buffers)


def writable_vector(buffers: Any, what: str) -> tuple[Any, int, int, Any]:
    """The same of buffers that C fills. Not on PyPy: see writable."""
    views = writables(buffers, what)
    starts = [pointer_to(view) for view in views]
    return *_iovec(starts, [view.nbytes for view in views]), (starts, buffers)


def _iovec(starts: list[Any], sizes: list[int]) -> tuple[Any, int, int]:
    iov = ffi.new("struct iovec[]", max(1, len(starts)))
    for entry, start, size in zip(iov, starts, sizes):
        entry.iov_base = start
        entry.iov_len = size
    # librbd refuses no buffers at all, but takes an empty one
    return iov, max(1, len(starts)), sum(sizes)


def writable(buffer: Any, what: str) -> memoryview:
    """A flat view of the bytes of a writable C-contiguous buffer."""
    view = view_of(buffer, what, "a writable bytes-like object")
    if view.readonly:
        raise TypeError(named(f"{what} must be writable"))
    return view if view.nbytes == 0 else view.cast("B")


def view_of(data: Any, what: str, wanted: str = "bytes-like") -> memoryview:
    """A view of any C-contiguous buffer."""
    try:
        view = memoryview(data)
        contiguous = view.c_contiguous
    except (TypeError, ValueError, BufferError) as error:
        if isinstance(data, str):
            reason = "not str; encode it, as in data.encode()"
        elif isinstance(error, TypeError):
            reason = f"not {type(data).__name__}"
        else:
            # a buffer that cannot be had just now: a released view, a closed mmap
            raise type(error)(named(f"{what}: {error}")) from None
        raise TypeError(named(f"{what} must be {wanted}, {reason}")) from None
    if not contiguous:
        raise TypeError(named(f"{what} must be C-contiguous"))
    if "O" in view.format and "O" in re.sub(":[^:]*:", "", view.format):
        # bytes from C in place of pointers to objects would end the process
        raise TypeError(
            named(f"{what} must be a buffer of bytes or numbers, not of Python objects")
        )
    return view
