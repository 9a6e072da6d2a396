"""I/O operations on the completion engine: started in the constructor, finished by wait().

One that nobody waits for finishes all the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rbdcffi._buffers import new_uncleared, readable
from rbdcffi._ffi import ffi, lib, new_bytes
from rbdcffi.aio._engine import engine
from rbdcffi.rbd.errors import IncompleteWriteError

if TYPE_CHECKING:
    from rbdcffi.aio.image import Image


class Operation:
    """One operation of librbd's asynchronous I/O."""

    __slots__ = ("_engine", "_image", "_operation", "_what")

    def _start(self, image: Image, what: str, submit: Any, *args: Any, keep: Any = None) -> None:
        self._image = sync = image.sync
        self._what = what
        self._engine = engine()
        try:
            result, self._operation = self._engine.start(submit, sync._gate, *args, keep=keep)
        except (TypeError, OverflowError) as error:
            raise sync._bad(error, what) from None
        if result < 0:
            raise sync._failed(result, what)

    async def _result(self) -> int:
        result = await self._engine.wait(self._operation)
        if result < 0:
            raise self._image._failed(result, self._what)
        return result

    async def wait(self) -> Any:
        """The result, for one waiter; raises what the synchronous call raises."""
        await self._result()


class Reading(Operation):
    """Reads; the result is bytes."""

    __slots__ = ("_buffer", "_length")

    def __init__(self, image: Image, offset: int, length: int, flags: int = 0) -> None:
        own = new_bytes is None or length < 2
        buffer: Any = new_uncleared("char[]", length) if own else new_bytes(length)  # type: ignore[misc]
        self._buffer = buffer
        self._length = length
        self._start(
            image,
            f"read({offset!r}, {length})",
            lib.rbdcffi_aio_read,
            offset,
            length,
            buffer,
            flags,
            keep=buffer,
        )

    async def wait(self) -> bytes:
        result = await self._result()
        if type(self._buffer) is not bytes:
            return bytes(ffi.buffer(self._buffer, result))
        return self._buffer if result == self._length else self._buffer[:result]


class Writing(Operation):
    """Writes one buffer; the result is its length."""

    __slots__ = ("_length", "_room")

    def __init__(self, image: Image, data: Any, offset: int, flags: int = 0) -> None:
        buffer, self._length = readable(data, "data")
        self._room = _room(image, offset)
        self._start(
            image,
            f"write({self._length} bytes, {offset!r})",
            lib.rbdcffi_aio_write,
            offset,
            self._length,
            buffer,
            flags,
            keep=(data, buffer),
        )

    async def wait(self) -> int:
        await self._result()
        if 0 < self._room < self._length:
            # librbd wrote what fits and does not tell; the synchronous call does
            raise IncompleteWriteError(
                f"Image.{self._what} of {self._image._label!r}: only {self._room} bytes were "
                "written; the image ends there"
            )
        return self._length


def _room(image: Image, offset: object) -> int:
    """How many bytes the image has from an offset on; what is no offset is left to C."""
    return image.sync.size() - offset if isinstance(offset, int) else 0


class VectorWriting(Writing):
    """Writes several buffers one after the other; the result is their length."""

    __slots__ = ()

    def __init__(self, image: Image, buffers: Any, offset: int) -> None:
        pairs = [readable(buffer, "buffers") for buffer in buffers]
        self._length = sum(size for _, size in pairs)
        self._room = _room(image, offset)
        starts = [
            ffi.from_buffer("char[]", part) if isinstance(part, bytes) else part
            for part, _ in pairs
        ]
        iov = ffi.new("struct iovec[]", len(pairs))
        for entry, start, (_, size) in zip(iov, starts, pairs):
            entry.iov_base = start
            entry.iov_len = size
        self._start(
            image,
            f"writev({self._length} bytes, {offset!r})",
            lib.rbdcffi_aio_writev,
            iov,
            len(pairs),
            offset,
            keep=(iov, starts, buffers),
        )


class Zeroing(Writing):
    """Makes a range read as zeroes; the result is 0, no byte of data was written."""

    __slots__ = ()

    def __init__(self, image: Image, offset: int, length: int, zero_flags: int = 0) -> None:
        self._length = self._room = 0
        self._start(
            image,
            f"write_zeroes({offset!r}, {length!r})",
            lib.rbdcffi_aio_write_zeroes,
            offset,
            length,
            zero_flags,
            0,
        )


class Discarding(Operation):
    """Trims a range."""

    __slots__ = ()

    def __init__(self, image: Image, offset: int, length: int) -> None:
        what = f"discard({offset!r}, {length})"
        self._start(image, what, lib.rbdcffi_aio_discard, offset, length)


class Flushing(Operation):
    """Waits for what was written before."""

    __slots__ = ()

    def __init__(self, image: Image) -> None:
        self._start(image, "flush", lib.rbdcffi_aio_flush)


class Comparing(Operation):
    """Compares and writes; the result is None, or where the content differs."""

    __slots__ = ("_mismatch",)

    def __init__(self, image: Image, offset: int, compare: Any, data: Any, flags: int = 0) -> None:
        expected, length = readable(compare, "compare")
        buffer, size = readable(data, "data")
        what = f"compare_and_write({offset!r}, {length} bytes)"
        image.sync._check_compare(what, length, size)
        self._mismatch = ffi.new("uint64_t *")
        self._start(
            image,
            what,
            lib.rbdcffi_aio_compare_and_write,
            offset,
            length,
            expected,
            buffer,
            self._mismatch,
            flags,
            keep=(compare, data, expected, buffer, self._mismatch),
        )

    async def wait(self) -> int | None:
        result = await self._engine.wait(self._operation)
        return self._image._compared(result, self._mismatch[0], self._what)
