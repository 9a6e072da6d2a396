"""Reading and writing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rbdcffi._buffers import new_uncleared, readable, writable
from rbdcffi._errors import EILSEQ
from rbdcffi._ffi import PYPY, ffi, lib, new_bytes
from rbdcffi.rbd._base import ImageBase
from rbdcffi.rbd.errors import IncompleteWriteError, invalid

#: librbd takes lengths up to 2 GiB - 1; longer ones go in steps of this size.
STEP = 1 << 30

_CHARS = ffi.typeof("char[]")

#: More than any image can hold: refused before memory is asked for.
LONGEST = 1 << 62


class ImageIO(ImageBase):
    """The part of Image that moves data. Offsets and lengths are in bytes."""

    def read(self, offset: int, length: int, fadvise_flags: int = 0) -> bytes:
        """Reads `length` bytes; fewer where the image ends within the range.

        Parameters:
            fadvise_flags: LIBRADOS_OP_FLAG_FADVISE_*.

        Raises InvalidArgument (the range begins at or behind the end), IOError, TypeError,
        OverflowError. Implements: rbd_read2
        """
        try:
            if new_bytes is not None and 2 <= length <= STEP:
                # fills the very object that is returned; cffi passes the address of its bytes
                data = new_bytes(length)
                result = lib.rbd_read2(self._gate, offset, length, data, fadvise_flags)
                if result == length:
                    return data
                if result >= 0:
                    return data[:result]
            elif length < 0:
                raise OverflowError(f"length {length} is negative")
            elif length <= STEP:
                buffer = new_uncleared("char[]", length)
                result = lib.rbd_read2(self._gate, offset, length, buffer, fadvise_flags)
                if result >= 0:
                    return bytes(ffi.buffer(buffer, result))
            else:
                return self._read_long(offset, length, fadvise_flags)
        except (TypeError, OverflowError) as error:
            raise self._bad(error, f"read({offset!r}, {length!r})") from None
        raise self._failed(result, f"read({offset}, {length})")

    def _read_long(self, offset: int, length: int, fadvise_flags: int) -> bytes:
        """More than C takes at once; the memory is what the image has, not what was asked for."""
        if length > LONGEST:
            raise OverflowError(f"length {length} is too large")
        available = max(0, min(length, self._end("read") - offset))
        data = bytearray(available)
        result = self._read_steps(offset, data, fadvise_flags) if available else 0
        if not available:
            # lets C say what is wrong with the offset
            result = lib.rbd_read2(self._gate, offset, 1, new_uncleared("char[]", 1), fadvise_flags)
        if result < 0:
            raise self._failed(result, f"read({offset}, {length})")
        return bytes(memoryview(data)[:result])

    def _end(self, call: str) -> int:
        value = lib.rbdcffi_get_size(self._gate)
        return value if value >= 0 else self._number(value, call, lib.rbd_get_size)

    def _read_steps(self, offset: int, buffer: Any, fadvise_flags: int) -> int:
        """Reads into a buffer of any length; the number of bytes, or a negative result."""
        view = memoryview(buffer)
        done = 0
        while done < len(view):
            part = view[done : done + STEP]
            if PYPY:
                # PyPy does not lock the buffer: its owner could be resized while C fills it
                own = new_uncleared("char[]", len(part))
                result = lib.rbd_read2(self._gate, offset + done, len(part), own, fadvise_flags)
                if result > 0:
                    part[:result] = ffi.buffer(own, result)
            else:
                target = ffi.from_buffer(_CHARS, part)
                result = lib.rbd_read2(self._gate, offset + done, len(part), target, fadvise_flags)
            if result < 0:
                # what was read before the end of the image stays read
                return done if done and done + offset >= self._end("write") else int(result)
            done += result
            if result < len(part):
                break
        return done

    def readinto(self, offset: int, buffer: Any, fadvise_flags: int = 0) -> int:
        """Reads into a writable C-contiguous buffer, as much as it holds; returns the number of
        bytes, which is less where the image ends within the range.

        The buffer belongs to the call until it returns.

        Raises InvalidArgument (the range begins at or behind the end), IOError, TypeError,
        OverflowError. Implements: rbd_read2
        """
        try:
            if type(buffer) is bytearray and 0 < len(buffer) <= STEP and not PYPY:
                length = len(buffer)
                target = ffi.from_buffer(_CHARS, buffer)
                result = lib.rbd_read2(self._gate, offset, length, target, fadvise_flags)
            else:
                view = writable(buffer, "buffer")
                length = view.nbytes
                if not length:
                    result = lib.rbd_read2(self._gate, offset, 0, new_uncleared("char[]", 1), 0)
                elif PYPY or length > STEP:
                    result = self._read_steps(offset, view, fadvise_flags)
                else:
                    target = ffi.from_buffer(_CHARS, view)
                    result = lib.rbd_read2(self._gate, offset, length, target, fadvise_flags)
        except (TypeError, OverflowError) as error:
            raise self._bad(error, f"readinto({offset!r}, ...)") from None
        if result < 0:
            raise self._failed(result, f"readinto({offset}, {length} bytes)")
        return int(result)

    def write(self, data: Any, offset: int, fadvise_flags: int = 0) -> int:
        """Writes; returns the number of bytes, which is the length of `data`.

        Parameters:
            data: any C-contiguous buffer (bytes, bytearray, memoryview, mmap, array, numpy); it is
                not copied (on PyPy: bytes are not).
            fadvise_flags: LIBRADOS_OP_FLAG_FADVISE_*.

        Raises IncompleteWriteError (the image ends within the range), InvalidArgument (the range
        begins at or behind the end), ReadOnlyImage, IOError, TypeError, OverflowError.
        Implements: rbd_write2
        """
        if type(data) is bytes:
            buffer: Any = data
            length = len(data)
        else:
            buffer, length = readable(data, "data")
        try:
            if length <= STEP:
                result = lib.rbd_write2(self._gate, offset, length, buffer, fadvise_flags)
            else:
                result = self._write_long(offset, buffer, length, fadvise_flags)
        except (TypeError, OverflowError) as error:
            raise self._bad(error, f"write({length} bytes, {offset!r})") from None
        if result == length:
            return length
        if result < 0:
            raise self._failed(result, f"write({length} bytes, {offset})")
        raise IncompleteWriteError(
            f"Image.write({length} bytes, {offset}) of {self._label!r}: only {result} bytes were "
            "written; the image ends there"
        )

    def _write_long(self, offset: int, buffer: Any, length: int, fadvise_flags: int) -> int:
        start = ffi.from_buffer(_CHARS, buffer) if isinstance(buffer, bytes) else buffer
        done = 0
        while done < length:
            step = min(STEP, length - done)
            result = lib.rbd_write2(self._gate, offset + done, step, start + done, fadvise_flags)
            if result < 0:
                return done if done and done + offset >= self._end("write") else int(result)
            done += result
            if result < step:
                break
        return done

    def discard(self, offset: int, length: int) -> None:
        """Trims the range; it reads as zeroes afterwards. What is behind the end is ignored.

        Less than rbd_discard_granularity_bytes (64 KiB by default) is left as it is; see
        write_zeroes.

        Raises InvalidArgument (the range begins behind the end), ReadOnlyImage, TypeError,
        OverflowError. Implements: rbd_discard
        """
        try:
            if 0 <= length <= STEP:
                result = lib.rbd_discard(self._gate, offset, length)
            else:
                result = self._discard_long(offset, length)
        except (TypeError, OverflowError) as error:
            raise self._bad(error, f"discard({offset!r}, {length!r})") from None
        if result < 0:
            raise self._failed(result, f"discard({offset}, {length})")

    def _discard_long(self, offset: int, length: int) -> int:
        if length < 0 or length >= 1 << 64:
            raise OverflowError(f"length {length} is out of range")
        end = min(offset + length, self._end("discard"))
        if offset >= end:
            return int(lib.rbd_discard(self._gate, offset, 1))
        while offset < end:
            result = lib.rbd_discard(self._gate, offset, min(STEP, end - offset))
            if result < 0:
                return int(result)
            offset += STEP
        return 0

    def write_zeroes(self, offset: int, length: int, zero_flags: int = 0) -> None:
        """Makes the range read as zeroes.

        Parameters:
            zero_flags: RBD_WRITE_ZEROES_FLAG_THICK_PROVISION allocates the zeroes; without it the
                range may be discarded.

        Raises InvalidArgument (the range begins behind the end), ReadOnlyImage, TypeError,
        OverflowError. Implements: rbd_write_zeroes
        """
        try:
            result = lib.rbd_write_zeroes(self._gate, offset, length, zero_flags, 0)
        except (TypeError, OverflowError) as error:
            raise self._bad(error, f"write_zeroes({offset!r}, {length!r})") from None
        if result < 0:
            raise self._failed(result, f"write_zeroes({offset}, {length})")

    def compare_and_write(
        self, offset: int, compare: Any, data: Any, fadvise_flags: int = 0
    ) -> int | None:
        """Writes `data` if the image holds `compare` at the offset, atomically.

        Parameters:
            compare, data: buffers of equal length, within one object (one stripe unit).

        Returns None if it was written; else nothing was, and the offset of the first byte that
        differs, counted from `offset`.

        Raises InvalidArgument, ReadOnlyImage, TypeError, OverflowError.
        Implements: rbd_compare_and_write
        """
        expected, length = readable(compare, "compare")
        buffer, size = readable(data, "data")
        what = f"compare_and_write({offset!r}, {length} bytes)"
        self._check_compare(what, length, size)
        mismatch = ffi.new("uint64_t *")
        try:
            result = lib.rbd_compare_and_write(
                self._gate, offset, length, expected, buffer, mismatch, fadvise_flags
            )
        except (TypeError, OverflowError) as error:
            raise self._bad(error, what) from None
        return self._compared(result, mismatch[0], what)

    def _check_compare(self, what: str, length: int, size: int) -> None:
        if size != length:
            raise invalid(f"Image.{what} of {self._label!r}: data has {size} bytes")
        if not length:
            # librbd would abort the process
            raise invalid(f"Image.{what} of {self._label!r}: nothing to compare")

    def _compared(self, result: int, mismatch: int, what: str) -> int | None:
        if result == -EILSEQ:
            return mismatch
        if result < 0:
            raise self._failed(result, what)
        return None

    def readv(self, buffers: Sequence[Any], offset: int) -> int:
        """Reads into several buffers, one after the other; returns the number of bytes.

        Raises as readinto does. Implements: rbd_read2
        """
        done = 0
        for buffer in buffers:
            length = memoryview(buffer).nbytes
            count = self.readinto(offset + done, buffer)
            done += count
            if count < length:
                break
        return done

    def writev(self, buffers: Sequence[Any], offset: int) -> int:
        """Writes several buffers, one after the other; returns the number of bytes.

        Raises as write does. Implements: rbd_write2
        """
        done = 0
        for buffer in buffers:
            done += self.write(buffer, offset + done)
        return done

    def flush(self) -> None:
        """Waits until everything written before is safe. Raises Error. Implements: rbd_flush"""
        result = lib.rbd_flush(self._gate)
        if result < 0:
            raise self._failed(result, "flush")

    def invalidate_cache(self) -> None:
        """Drops what is cached of the image. Raises Error. Implements: rbd_invalidate_cache"""
        self._done(lib.rbd_invalidate_cache(self._gate), "invalidate_cache")
