"""I/O operations on the completion engine: started in the constructor, finished by wait().

One that nobody waits for finishes all the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rbdcffi._buffers import INT, new_uncleared, number, steady, vector
from rbdcffi._ffi import ffi, lib, new_bytes
from rbdcffi.aio._engine import InFlight, engine
from rbdcffi.rbd.io import zero_flags_of

if TYPE_CHECKING:
    from rbdcffi.aio.image import Image


class Operation(InFlight):
    """One operation of librbd's asynchronous I/O."""

    __slots__ = ("_call", "_engine", "_image")

    #: what was called: a format and its arguments, for errors are rare
    _call: tuple[Any, ...]

    def _start(self, image: Image, call: Any, submit: Any, *args: Any, keep: Any = None) -> None:
        self._image = sync = image.sync
        self._call = call
        self._engine = running = engine()
        try:
            result = running.start(self, keep, submit, sync._gate, *args)
        except (TypeError, OverflowError) as error:
            raise sync._bad(error, self._what()) from None
        if result < 0:
            raise sync._failed(result, self._what())

    def _what(self) -> str:
        text: str = self._call[0]
        return text.format(*self._call[1:])

    def _check(self) -> None:
        if self.result < 0:
            raise self._image._failed(self.result, self._what())

    async def wait(self) -> Any:
        """The result, for one waiter; raises what the synchronous call raises."""
        await self._engine.wait(self)
        self._check()


class Reading(Operation):
    """Reads; the result is bytes."""

    __slots__ = ("_buffer", "_length")

    def __init__(
        self, image: Image, offset: int, length: int, flags: int = 0, call: str = "read"
    ) -> None:
        if type(offset) is not int or type(flags) is not int:
            offset, flags = number(offset, "offset"), number(flags, "fadvise_flags", *INT)
        own = new_bytes is None or length < 2
        buffer: Any = new_uncleared("char[]", length) if own else new_bytes(length)  # type: ignore[misc]
        self._buffer = buffer
        self._length = length
        self._start(
            image,
            ("{}({!r}, {})", call, offset, length),
            lib.rbdcffi_aio_read,
            offset,
            length,
            buffer,
            flags,
            keep=buffer,
        )

    async def wait(self) -> bytes:
        await self._engine.wait(self)
        self._check()
        result = self.result
        if type(self._buffer) is not bytes:
            return bytes(ffi.buffer(self._buffer, result))
        return self._buffer if result == self._length else self._buffer[:result]


class Writing(Operation):
    """Writes one buffer; the result is its length. `size` is that of the image."""

    __slots__ = ("_length", "_room")

    def __init__(self, image: Image, data: Any, offset: int, flags: int = 0, *, size: int) -> None:
        if type(offset) is not int or type(flags) is not int:
            offset, flags = number(offset, "offset"), number(flags, "fadvise_flags", *INT)
        buffer, self._length = steady(data, "data")
        self._room = size - offset
        self._start(
            image,
            ("write({} bytes, {!r})", self._length, offset),
            lib.rbdcffi_aio_write,
            offset,
            self._length,
            buffer,
            flags,
            keep=(data, buffer),
        )

    async def wait(self) -> int:
        await self._engine.wait(self)
        self._check()
        self._image._check_written(self._what(), self._length, self._room)
        return self._length


class VectorWriting(Writing):
    """Writes several buffers one after the other; the result is their length."""

    __slots__ = ()

    def __init__(self, image: Image, buffers: Any, offset: int, *, size: int) -> None:
        offset = number(offset, "offset")
        iov, count, self._length, keep = vector(buffers, "buffers")
        self._room = size - offset
        call = ("writev({} bytes, {!r})", self._length, offset)
        if not self._length:
            # librbd may abort the process
            self._start(image, call, lib.rbdcffi_aio_write, offset, 0, b"", 0)
            return
        self._start(
            image,
            call,
            lib.rbdcffi_aio_writev,
            iov,
            count,
            offset,
            keep=(iov, keep),
        )


class SameWriting(Writing):
    """Writes a buffer over and over; the result is the length in all."""

    __slots__ = ()

    def __init__(
        self, image: Image, data: Any, offset: int, length: int, flags: int = 0, *, size: int
    ) -> None:
        offset, length = number(offset, "offset"), number(length, "length")
        flags = number(flags, "fadvise_flags", *INT)
        buffer, part = steady(data, "data")
        call = ("writesame({} bytes, {!r}, {!r})", part, offset, length)
        image.sync._check_same(call[0].format(*call[1:]), part, length)
        self._length = length
        self._room = size - offset
        self._start(
            image,
            call,
            lib.rbdcffi_aio_writesame,
            offset,
            length,
            buffer,
            part,
            flags,
            keep=(data, buffer),
        )


class Zeroing(Writing):
    """Makes a range read as zeroes; the result is 0, no byte of data was written."""

    __slots__ = ()

    def __init__(self, image: Image, offset: int, length: int, zero_flags: int = 0) -> None:
        offset, length = number(offset, "offset"), number(length, "length")
        zero_flags = zero_flags_of(zero_flags)
        self._length = self._room = 0
        self._start(
            image,
            ("write_zeroes({!r}, {!r})", offset, length),
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
        offset = number(offset, "offset")
        call = ("discard({!r}, {})", offset, length)
        self._start(image, call, lib.rbdcffi_aio_discard, offset, length)


class Flushing(Operation):
    """Waits for what was written before."""

    __slots__ = ()

    def __init__(self, image: Image) -> None:
        self._start(image, ("flush",), lib.rbdcffi_aio_flush)


class Comparing(Operation):
    """Compares and writes; the result is None, or where the content differs."""

    __slots__ = ("_length", "_mismatch")

    def __init__(self, image: Image, offset: int, compare: Any, data: Any, flags: int = 0) -> None:
        offset, flags = number(offset, "offset"), number(flags, "fadvise_flags", *INT)
        expected, length = steady(compare, "compare")
        buffer, size = steady(data, "data")
        call = ("compare_and_write({!r}, {} bytes)", offset, length)
        image.sync._check_compare(call[0].format(*call[1:]), length, size)
        self._length = length
        self._mismatch = ffi.new("uint64_t *")
        self._start(
            image,
            call,
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
        await self._engine.wait(self)
        return self._image._compared(self.result, self._mismatch[0], self._length, self._what())


class VectorComparing(Comparing):
    """The same of several buffers."""

    __slots__ = ()

    def __init__(self, image: Image, offset: int, compare: Any, data: Any, flags: int = 0) -> None:
        offset, flags = number(offset, "offset"), number(flags, "fadvise_flags", *INT)
        expected, expected_count, length, held = vector(compare, "compare")
        iov, count, size, kept = vector(data, "data")
        call = ("compare_and_writev({!r}, {} bytes)", offset, length)
        image.sync._check_compare(call[0].format(*call[1:]), length, size)
        self._length = length
        self._mismatch = ffi.new("uint64_t *")
        self._start(
            image,
            call,
            lib.rbdcffi_aio_compare_and_writev,
            offset,
            expected,
            expected_count,
            iov,
            count,
            self._mismatch,
            flags,
            keep=(expected, iov, held, kept, self._mismatch),
        )
