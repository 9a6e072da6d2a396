"""Reading and writing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from rbdcffi._buffers import (
    INT,
    UINT,
    UINT64,
    integer,
    new_uncleared,
    number,
    pointer_to,
    readable,
    readables,
    vector,
    writable,
    writables,
)
from rbdcffi._calls import named
from rbdcffi._errors import EILSEQ, MAX_ERRNO
from rbdcffi._ffi import PYPY, ffi, lib, loaded_version, needs, new_bytes
from rbdcffi.rbd._base import ImageBase
from rbdcffi.rbd.errors import IncompleteWriteError, invalid

#: librbd takes lengths up to 2 GiB - 1; longer ones go in steps of this size.
STEP = 1 << 30

#: What read_iterate reads at once, at most.
PIECE = 4 << 20

_CHARS = ffi.typeof("char[]")

#: More than any image can hold: refused before memory is asked for.
LONGEST = 1 << 62


#: Ceph 14 compares and writes behind the back of its cache, which goes on to return the old bytes.
OLD_CACHE = loaded_version() < (1, 13)


def zero_flags_of(value: object) -> int:
    """The flags of write_zeroes. Ceph 14 ends the process, or hangs, for any of them."""
    flags = number(value, "zero_flags", *INT)
    if OLD_CACHE and flags:
        raise invalid(f"zero_flags {flags} need Ceph 16")
    return flags


def check_crc32c(what: str, buffer: Any, length: int, crc32c: int) -> None:
    """Refuses a wrong checksum: librbd 20 never answers a write that has one."""
    found = lib.rbdcffi_crc32c(buffer, length)
    if found != crc32c:
        raise invalid(f"{what}: the checksum of the data is {found}")


def mismatch_of(told: int, length: int) -> int:
    """Where the compared range of this length differs.

    librbd adds where the object begins within the image. That is a multiple of the stripe unit: a
    power of two, and not shorter than the range.
    """
    return told % (1 << (length - 1).bit_length())


class ImageIO(ImageBase):
    """The part of Image that moves data. Offsets and lengths are in bytes."""

    def read(self, offset: int, length: int, fadvise_flags: int = 0) -> bytes:
        """Reads `length` bytes; fewer where the image ends within the range.

        Parameters:
            fadvise_flags: LIBRADOS_OP_FLAG_FADVISE_*.

        Raises InvalidArgument (the range begins at or behind the end), IOError, TypeError,
        OverflowError. Implements: rbd_read2
        """
        if type(offset) is not int or type(length) is not int or type(fadvise_flags) is not int:
            offset, length = number(offset, "offset"), number(length, "length")
            fadvise_flags = number(fadvise_flags, "fadvise_flags", *INT)
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
                target = pointer_to(part)
                result = lib.rbd_read2(self._gate, offset + done, len(part), target, fadvise_flags)
            if result < 0:
                # what was read before the end of the image stays read
                return done if done and done + offset >= self._end("write") else int(result)
            done += result
            if result < len(part):
                break
        return done

    def read_iterate(
        self, offset: int, length: int, callback: Callable[[int, bytes], object]
    ) -> None:
        """Reads a range of any length in pieces, in order, and calls `callback(offset, data)` for
        each of them, on the calling thread; ends where the image ends.

        Parameters:
            offset: start of the range, in bytes; so is what the callback is given.
            length: of the range, in bytes.
            callback: gets bytes, 4 MiB at most at a time. An exception ends the iteration and is
                raised here unchanged; a negative int that is returned ends it with the error of
                that errno.

        Raises InvalidArgument (the range begins at or behind the end), IOError, TypeError,
        OverflowError. Implements: rbd_read2
        """
        what = f"read_iterate({offset!r}, {length!r})"
        if not callable(callback):
            raise TypeError(named(f"callback must be callable, not {type(callback).__name__}"))
        offset, length = number(offset, "offset"), number(length, "length")
        stop = self._end_of(what, offset, length)
        # the image may become smaller meanwhile
        while offset < (end := min(stop, self._end(what))):
            data = self.read(offset, min(end, (offset // PIECE + 1) * PIECE) - offset)
            result = callback(offset, data)
            if result is not None:
                self._check_answer(what, result)
            offset += len(data)

    def _end_of(self, what: str, offset: int, length: int) -> int:
        """Where a range ends, or the image within it."""
        end = self._end(what)
        if offset >= end:
            # librbd says what is wrong with it
            self._done(lib.rbd_read2(self._gate, offset, 1, new_uncleared("char[]", 1), 0), what)
        return min(end, offset + length)

    def _check_answer(self, what: str, answer: object) -> None:
        """Raises what a callback asks for by its result."""
        value = integer(answer)
        if value is None:
            kind = type(answer).__name__
            call = self._calling(what)
            raise TypeError(f"{call}: callback must return an int or None, not {kind}")
        if value < -MAX_ERRNO:
            raise OverflowError(f"{self._calling(what)}: callback returned {value}, no errno")
        self._done(value, what)

    def readinto(self, offset: int, buffer: Any, fadvise_flags: int = 0) -> int:
        """Reads into a writable C-contiguous buffer, as much as it holds; returns the number of
        bytes, which is less where the image ends within the range.

        The buffer belongs to the call until it returns.

        Raises InvalidArgument (the range begins at or behind the end), IOError, TypeError,
        OverflowError. Implements: rbd_read2
        """
        if type(offset) is not int or type(fadvise_flags) is not int:
            offset = number(offset, "offset")
            fadvise_flags = number(fadvise_flags, "fadvise_flags", *INT)
        if type(buffer) is bytearray and buffer and not PYPY:
            return self._fill("readinto", offset, buffer, len(buffer), fadvise_flags)
        view = writable(buffer, "buffer")
        return self._fill("readinto", offset, view, view.nbytes, fadvise_flags)

    def _fill(self, call: str, offset: int, buffer: Any, length: int, fadvise_flags: int) -> int:
        """What readinto does, for a buffer that was looked at; errors name `call`."""
        try:
            if not length:
                result = lib.rbd_read2(self._gate, offset, 0, new_uncleared("char[]", 1), 0)
            elif PYPY or length > STEP:
                result = self._read_steps(offset, buffer, fadvise_flags)
            else:
                own = type(buffer) is bytearray
                target = ffi.from_buffer(_CHARS, buffer) if own else pointer_to(buffer)
                result = lib.rbd_read2(self._gate, offset, length, target, fadvise_flags)
        except (TypeError, OverflowError) as error:
            raise self._bad(error, f"{call}({offset!r}, {length} bytes)") from None
        if result < 0:
            raise self._failed(result, f"{call}({offset}, {length} bytes)")
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
        if type(offset) is not int or type(fadvise_flags) is not int:
            offset = number(offset, "offset")
            fadvise_flags = number(fadvise_flags, "fadvise_flags", *INT)
        if type(data) is bytes:
            return self._put("write", data, len(data), offset, fadvise_flags)
        buffer, length = readable(data, "data")
        return self._put("write", buffer, length, offset, fadvise_flags)

    def _put(self, call: str, buffer: Any, length: int, offset: int, fadvise_flags: int) -> int:
        """What write does, with what `readable` returned; errors name `call`."""
        try:
            if length <= STEP:
                result = lib.rbd_write2(self._gate, offset, length, buffer, fadvise_flags)
            else:
                result = self._write_long(offset, buffer, length, fadvise_flags)
        except (TypeError, OverflowError) as error:
            raise self._bad(error, f"{call}({length} bytes, {offset!r})") from None
        if result == length:
            return length
        if result < 0:
            raise self._failed(result, f"{call}({length} bytes, {offset})")
        raise self._incomplete(f"{call}({length} bytes, {offset})", result)

    def _incomplete(self, what: str, written: int) -> IncompleteWriteError:
        return IncompleteWriteError(
            f"{self._calling(what)}: only {written} bytes were written; the image ends there"
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

    def writesame(self, data: Any, offset: int, length: int, fadvise_flags: int = 0) -> int:
        """Writes `data` over and over; returns the number of bytes, which is `length`.

        Only the data and the length travel to the cluster. Data that is all zeroes is discarded
        instead, if rbd_discard_on_zeroed_write_same is set, as it is by default.

        Parameters:
            data: any C-contiguous buffer.
            length: in bytes, a multiple of the length of `data`.

        Raises IncompleteWriteError (the image ends within the range), InvalidArgument (the range
        begins at or behind the end, `data` is empty or does not fit in evenly), ReadOnlyImage,
        IOError, TypeError, OverflowError. Implements: rbd_writesame
        """
        offset, length = number(offset, "offset"), number(length, "length", most=LONGEST)
        fadvise_flags = number(fadvise_flags, "fadvise_flags", *INT)
        buffer, size = readable(data, "data")
        what = f"writesame({size} bytes, {offset!r}, {length!r})"
        self._check_same(what, size, length)
        # of whole repetitions, or one that is longer, which librbd judges
        step = max(STEP // size, 1) * size
        done = 0
        try:
            while True:
                part = min(step, length - done)
                result = lib.rbd_writesame(
                    self._gate, offset + done, part, buffer, size, fadvise_flags
                )
                if result < 0:
                    if done and done + offset >= self._end("writesame"):
                        break
                    raise self._failed(result, what)
                done += result
                if result < part or done == length:
                    break
        except (TypeError, OverflowError) as error:
            raise self._bad(error, what) from None
        if done == length:
            return length
        raise self._incomplete(what, done)

    def _check_same(self, what: str, size: int, length: int) -> None:
        if not size or length % size:
            raise invalid(f"{self._calling(what)}: the length must be a multiple of that of data")

    @needs("rbd_aio_write_with_crc32c")
    def write_with_crc32c(self, data: Any, offset: int, crc32c: int, fadvise_flags: int = 0) -> int:
        """Writes data with the checksum that it was made with; returns the number of bytes.

        Parameters:
            data: as for write, up to 2 GiB.
            crc32c: CRC-32C of the data, with the initial value 0xFFFFFFFF (and no inversion at the
                end).

        Raises InvalidArgument (it is not that of the data, too), and as write does.
        Implements: rbd_aio_write_with_crc32c
        """
        offset, crc32c = number(offset, "offset"), number(crc32c, "crc32c", *UINT)
        fadvise_flags = number(fadvise_flags, "fadvise_flags", *INT)
        buffer, length = readable(data, "data")
        what = f"write_with_crc32c({length} bytes, {offset!r}, {crc32c!r})"
        room = self._room(offset)
        check_crc32c(self._calling(what), buffer, length, crc32c)
        try:
            result = lib.rbdcffi_write_with_crc32c(
                self._gate, offset, length, buffer, crc32c, fadvise_flags
            )
        except (TypeError, OverflowError) as error:
            raise self._bad(error, what) from None
        self._done(result, what)
        self._check_written(what, length, room)
        return length

    def _room(self, offset: int) -> int:
        """How many bytes the image has from an offset on."""
        return self._end("write") - offset

    def _check_written(self, what: str, length: int, room: int) -> None:
        """librbd's asynchronous calls write what fits and do not tell."""
        if 0 < room < length:
            raise self._incomplete(what, room)

    def discard(self, offset: int, length: int) -> None:
        """Trims the range; it reads as zeroes afterwards. What is behind the end is ignored.

        Less than rbd_discard_granularity_bytes (64 KiB by default) is left as it is; see
        write_zeroes.

        Raises InvalidArgument (the range begins behind the end), ReadOnlyImage, TypeError,
        OverflowError. Implements: rbd_discard
        """
        if type(offset) is not int or type(length) is not int:
            offset, length = number(offset, "offset"), number(length, "length")
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
            zero_flags: RBD_WRITE_ZEROES_FLAG_THICK_PROVISION allocates the zeroes (Ceph 16);
                without it the range may be discarded.

        Raises InvalidArgument (the range begins behind the end), ReadOnlyImage, TypeError,
        OverflowError. Implements: rbd_write_zeroes
        """
        zero_flags = zero_flags_of(zero_flags)
        if type(offset) is not int or type(length) is not int:
            offset, length = number(offset, "offset"), number(length, "length")
        if length <= UINT64 < offset + length:
            length = max(UINT64 - offset, 0)  # librbd adds them in 64 bits
        try:
            result = lib.rbd_write_zeroes(self._gate, offset, length, zero_flags, 0)
        except (TypeError, OverflowError) as error:
            raise self._bad(error, f"write_zeroes({offset!r}, {length!r})") from None
        if result < 0:
            flags = f", {zero_flags}" if zero_flags else ""
            raise self._failed(result, f"write_zeroes({offset}, {length}{flags})")

    def compare_and_write(
        self, offset: int, compare: Any, data: Any, fadvise_flags: int = 0
    ) -> int | None:
        """Writes `data` if the image holds `compare` at the offset, atomically.

        Parameters:
            compare, data: buffers of equal length, at most 512 bytes, which lie in one sector of
                512 bytes; at most half of the image's stripe unit.

        Returns None if it was written; else nothing was, and the offset of the first byte that
        differs, counted from `offset`.

        Raises InvalidArgument, ReadOnlyImage, TypeError, OverflowError.
        Implements: rbd_compare_and_write
        """
        if type(offset) is not int or type(fadvise_flags) is not int:
            offset = number(offset, "offset")
            fadvise_flags = number(fadvise_flags, "fadvise_flags", *INT)
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
        if OLD_CACHE:
            lib.rbd_invalidate_cache(self._gate)
        return self._compared(result, mismatch[0], length, what)

    @needs("rbd_aio_compare_and_writev")
    def compare_and_writev(
        self, offset: int, compare: Sequence[Any], data: Sequence[Any], fadvise_flags: int = 0
    ) -> int | None:
        """compare_and_write of several buffers, one after the other.

        Parameters:
            compare, data: sequences of buffers, of equal length in all.

        Returns and raises as compare_and_write does. Implements: rbd_aio_compare_and_writev
        """
        offset = number(offset, "offset")
        fadvise_flags = number(fadvise_flags, "fadvise_flags", *INT)
        expected, expected_count, length, held = vector(compare, "compare")
        iov, count, size, kept = vector(data, "data")
        what = f"compare_and_writev({offset!r}, {length} bytes)"
        self._check_compare(what, length, size)
        mismatch = ffi.new("uint64_t *")
        try:
            result = lib.rbdcffi_compare_and_writev(
                self._gate, offset, expected, expected_count, iov, count, mismatch, fadvise_flags
            )
        except (TypeError, OverflowError) as error:
            raise self._bad(error, what) from None
        del held, kept
        return self._compared(result, mismatch[0], length, what)

    def _check_compare(self, what: str, length: int, size: int) -> None:
        if size != length:
            raise invalid(f"{self._calling(what)}: data has {size} bytes")
        if not length:
            # librbd would abort the process
            raise invalid(f"{self._calling(what)}: nothing to compare")
        unit = lib.rbdcffi_get_stripe_unit(self._gate)
        # negative on a closed image, as the call itself will say
        if 0 <= unit < 2 * length:
            # it would, too, where the second half differs: it looks for the place of a range of
            # this length that begins there in the object, and expects to find one
            raise invalid(
                f"{self._calling(what)}: more than half of the image's stripe unit, "
                f"{unit} bytes, cannot be compared"
            )

    def _compared(self, result: int, mismatch: int, length: int, what: str) -> int | None:
        if result == -EILSEQ:
            return mismatch_of(mismatch, length)
        if result < 0:
            raise self._failed(result, what)
        return None

    def readv(self, buffers: Sequence[Any], offset: int) -> int:
        """Reads into several buffers, one after the other; returns the number of bytes.

        Raises as readinto does. Implements: rbd_read2
        """
        offset = number(offset, "offset")
        done = 0
        # all are looked at before the first is filled
        for view in writables(buffers, "buffers"):
            if done and view.nbytes and offset + done >= self._end("readv"):
                break  # the image ends between two buffers
            count = self._fill("readv", offset + done, view, view.nbytes, 0)
            done += count
            if count < view.nbytes:
                break
        return done

    def writev(self, buffers: Sequence[Any], offset: int) -> int:
        """Writes several buffers, one after the other; returns the number of bytes.

        Raises as write does. Implements: rbd_write2
        """
        offset = number(offset, "offset")
        # all are looked at before the first is written
        given = readables(buffers, "buffers")
        total, room = sum(length for _, length in given), self._room(offset)
        done = 0
        for buffer, length in given:
            if 0 < room < done + length:
                if room > done:
                    self._put("writev", buffer, room - done, offset + done, 0)
                raise self._incomplete(f"writev({total} bytes, {offset})", room)
            done += self._put("writev", buffer, length, offset + done, 0)
        return done

    def flush(self) -> None:
        """Waits until everything written before is safe. Raises Error. Implements: rbd_flush"""
        result = self._leavable(lib.rbd_flush, self._gate)
        if result < 0:
            raise self._failed(result, "flush")

    def invalidate_cache(self) -> None:
        """Drops what is cached of the image. Raises Error. Implements: rbd_invalidate_cache"""
        self._done(self._leavable(lib.rbd_invalidate_cache, self._gate), "invalidate_cache")
