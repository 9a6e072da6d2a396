"""I/O with callbacks, as the standard binding has it.

See rbdcffi/_completions.py for the thread that makes the callbacks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Callable

from rbdcffi._buffers import (
    INT,
    UINT,
    new_uncleared,
    number,
    steady,
    vector,
    writable_vector,
    writables,
)
from rbdcffi._completions import Started, check_callback, nothing, the_dispatcher
from rbdcffi._errors import EBUSY, EILSEQ
from rbdcffi._ffi import PYPY, ffi, lib, needs, new_bytes
from rbdcffi._handle import stay
from rbdcffi.rbd.errors import LogicError
from rbdcffi.rbd.io import (
    LONGEST,
    OLD_CACHE,
    ImageIO,
    check_crc32c,
    mismatch_of,
    zero_flags_of,
)


class Completion(Started):
    """An operation that was started, and what will be called when it is done."""

    _kind = lib.RBDCFFI_IMAGE
    _logic_error = LogicError

    def wait_for_complete_and_cb(self) -> None:
        """Waits until the operation is done and its callback has returned; raises what the
        callback raised. Not from a callback: those run one after the other, in one thread.

        An exception of a callback that nobody waits for goes to sys.unraisablehook when the
        completion is collected.
        """
        self._wait_for_callback()

    def get_return_value(self) -> int:
        """The result: a count or 0, or a negative errno. 0 as long as is_complete() is false.

        Implements: rbd_aio_get_return_value
        """
        return super().get_return_value()


def _mismatch(place: Any, length: int, gate: Any) -> Callable[[int], tuple[int | None]]:
    def result(value: int) -> tuple[int | None]:
        if OLD_CACHE:
            lib.rbd_invalidate_cache(gate)
        return (mismatch_of(place[0], length) if value == -EILSEQ else None,)

    return result


class CallbackIO(ImageIO):
    """The part of Image that does I/O with callbacks.

    `oncomplete` is called with the Completion first; the methods return it too.
    """

    def _start(
        self,
        what: str,
        oncomplete: Callable[..., Any] | None,
        result: Callable[[int], Any],
        submit: Any,
        *args: Any,
        keep: Any = None,
    ) -> Completion:
        check_callback(oncomplete, self._calling(what))
        completion = Completion(oncomplete, result)
        try:
            started = the_dispatcher().submit(completion, submit, self._gate, *args, keep=keep)
        except (TypeError, OverflowError) as error:
            raise self._bad(error, what) from None
        if started < 0:
            raise self._failed(started, what)
        return completion

    def _start_in_thread(
        self, what: str, oncomplete: Callable[..., Any] | None, function: Callable[[], int]
    ) -> Completion:
        """For calls that must wait for others, which librbd's own asynchronous ones do not."""
        check_callback(oncomplete, self._calling(what))
        gate = self._handle_for(what).gate
        completion = Completion(oncomplete, nothing)
        staying = stay()
        self._done(lib.rbdcffi_stay_begin(staying, gate), what)

        def run() -> int:
            with staying:
                result = function()
            # refused by the gate, which is open: the turn did not come
            return result if result > lib.RBDCFFI_REFUSED else -EBUSY

        the_dispatcher().run(completion, run, "rbdcffi-aio")
        return completion

    def aio_read(
        self,
        offset: int,
        length: int,
        oncomplete: Callable[[Completion, bytes | None], Any],
        fadvise_flags: int = 0,
    ) -> Completion:
        """Starts to read; `oncomplete(completion, data)`, data is None after an error.

        Raises InvalidArgument, IOError, TypeError, OverflowError. Implements: rbd_aio_read2
        """
        offset, length = number(offset, "offset"), number(length, "length")
        fadvise_flags = number(fadvise_flags, "fadvise_flags", *INT)
        what = f"aio_read({offset}, {length})"
        if oncomplete is None:
            raise TypeError(f"{self._calling(what)}: nobody would get the data")
        try:
            own = new_bytes is None or length < 2
            buffer: Any = new_uncleared("char[]", length) if own else new_bytes(length)  # type: ignore[misc]
        except MemoryError:
            raise MemoryError(f"{self._calling(what)}: no memory for {length} bytes") from None
        except (TypeError, OverflowError) as error:
            raise self._bad(error, what) from None

        def result(value: int) -> tuple[Any, ...]:
            if value < 0:
                return (None,)
            if own:
                return (bytes(ffi.buffer(buffer, value)),)
            return (buffer if value == length else buffer[:value],)

        return self._start(
            what,
            oncomplete,
            result,
            lib.rbdcffi_aio_read,
            offset,
            length,
            buffer,
            fadvise_flags,
            keep=buffer,
        )

    def aio_write(
        self,
        data: Any,
        offset: int,
        oncomplete: Callable[[Completion], Any],
        fadvise_flags: int = 0,
    ) -> Completion:
        """Starts to write; `data` is kept, and must not change, until it is written. What does not
        fit before the end of the image is left out, and the return value does not tell.

        Raises InvalidArgument, IOError, TypeError, OverflowError. Implements: rbd_aio_write2
        """
        offset = number(offset, "offset")
        fadvise_flags = number(fadvise_flags, "fadvise_flags", *INT)
        buffer, length = steady(data, "data")
        return self._start(
            f"aio_write({length} bytes, {offset!r})",
            oncomplete,
            nothing,
            lib.rbdcffi_aio_write,
            offset,
            length,
            buffer,
            fadvise_flags,
            keep=(data, buffer),
        )

    def aio_readv(
        self, buffers: Sequence[Any], offset: int, oncomplete: Callable[[Completion], Any]
    ) -> Completion:
        """Starts to read into several writable buffers, one after the other; they must not change
        until it is done. The return value is the number of bytes.

        Raises InvalidArgument, IOError, TypeError, OverflowError. Implements: rbd_aio_readv
        """
        offset = number(offset, "offset")
        if PYPY:
            # PyPy does not lock the buffers: their owners could be resized while C fills them
            views = writables(buffers, "buffers")
            own = [new_uncleared("char[]", view.nbytes) for view in views]
            iov, count, length, keep = writable_vector([ffi.buffer(part) for part in own], "")

            def result(value: int) -> tuple[Any, ...]:
                done = 0
                for view, part in zip(views, own):
                    size = max(0, min(view.nbytes, value - done))
                    view[:size] = ffi.buffer(part, size)
                    done += view.nbytes
                return ()
        else:
            iov, count, length, keep = writable_vector(buffers, "buffers")
            result = nothing
        what = f"aio_readv({length} bytes, {offset!r})"
        if not length:
            # librbd may abort the process
            unused = new_uncleared("char[]", 1)
            return self._start(
                what,
                oncomplete,
                nothing,
                lib.rbdcffi_aio_read,
                offset,
                0,
                unused,
                0,
                keep=unused,
            )
        return self._start(
            what,
            oncomplete,
            result,
            lib.rbdcffi_aio_readv,
            iov,
            count,
            offset,
            keep=(iov, keep),
        )

    def aio_writev(
        self, buffers: Sequence[Any], offset: int, oncomplete: Callable[[Completion], Any]
    ) -> Completion:
        """Starts to write several buffers, one after the other; they are kept, and must not change,
        until they are written.

        Raises InvalidArgument, IOError, TypeError, OverflowError. Implements: rbd_aio_writev
        """
        offset = number(offset, "offset")
        iov, count, length, keep = vector(buffers, "buffers")
        what = f"aio_writev({length} bytes, {offset!r})"
        if not length:
            # librbd may abort the process
            return self._start(
                what, oncomplete, nothing, lib.rbdcffi_aio_write, offset, 0, b"", 0, keep=keep
            )
        return self._start(
            what,
            oncomplete,
            nothing,
            lib.rbdcffi_aio_writev,
            iov,
            count,
            offset,
            keep=(iov, keep),
        )

    def aio_writesame(
        self,
        data: Any,
        offset: int,
        length: int,
        oncomplete: Callable[[Completion], Any],
        fadvise_flags: int = 0,
    ) -> Completion:
        """Starts to write `data` over and over; `length` is a multiple of its length. What does not
        fit before the end of the image is left out, and the return value does not tell.

        Raises InvalidArgument, IOError, TypeError, OverflowError. Implements: rbd_aio_writesame
        """
        offset, length = number(offset, "offset"), number(length, "length", most=LONGEST)
        fadvise_flags = number(fadvise_flags, "fadvise_flags", *INT)
        buffer, size = steady(data, "data")
        what = f"aio_writesame({size} bytes, {offset!r}, {length!r})"
        self._check_same(what, size, length)
        return self._start(
            what,
            oncomplete,
            nothing,
            lib.rbdcffi_aio_writesame,
            offset,
            length,
            buffer,
            size,
            fadvise_flags,
            keep=(data, buffer),
        )

    @needs("rbd_aio_write_with_crc32c")
    def aio_write_with_crc32c(
        self,
        data: Any,
        offset: int,
        crc32c: int,
        oncomplete: Callable[[Completion], Any],
        fadvise_flags: int = 0,
    ) -> Completion:
        """Starts to write data whose checksum is known; see write_with_crc32c and aio_write.

        Raises InvalidArgument, IOError, TypeError, OverflowError.
        Implements: rbd_aio_write_with_crc32c
        """
        offset, crc32c = number(offset, "offset"), number(crc32c, "crc32c", *UINT)
        fadvise_flags = number(fadvise_flags, "fadvise_flags", *INT)
        buffer, length = steady(data, "data")
        what = f"aio_write_with_crc32c({length} bytes, {offset!r}, {crc32c!r})"
        self._end(what)  # open?
        check_crc32c(self._calling(what), buffer, length, crc32c)
        return self._start(
            what,
            oncomplete,
            nothing,
            lib.rbdcffi_aio_write_with_crc32c,
            offset,
            length,
            buffer,
            crc32c,
            fadvise_flags,
            keep=(data, buffer),
        )

    def aio_compare_and_write(
        self,
        offset: int,
        compare: Any,
        data: Any,
        oncomplete: Callable[[Completion, int | None], Any],
        fadvise_flags: int = 0,
    ) -> Completion:
        """Starts to write `data` if the image holds `compare`; `oncomplete(completion, mismatch)`.

        `mismatch` is None if it was written (the return value is 0), or after an error; the offset
        of the first byte that differs, counted from `offset`, if the return value is -EILSEQ.

        Raises InvalidArgument, IOError, TypeError, OverflowError.
        Implements: rbd_aio_compare_and_write
        """
        offset = number(offset, "offset")
        fadvise_flags = number(fadvise_flags, "fadvise_flags", *INT)
        expected, length = steady(compare, "compare")
        buffer, size = steady(data, "data")
        what = f"aio_compare_and_write({offset!r}, {length} bytes)"
        self._check_compare(what, length, size)
        mismatch = ffi.new("uint64_t *")
        return self._start(
            what,
            oncomplete,
            _mismatch(mismatch, length, self._gate),
            lib.rbdcffi_aio_compare_and_write,
            offset,
            length,
            expected,
            buffer,
            mismatch,
            fadvise_flags,
            keep=(compare, data, expected, buffer, mismatch),
        )

    @needs("rbd_aio_compare_and_writev")
    def aio_compare_and_writev(
        self,
        offset: int,
        compare: Sequence[Any],
        data: Sequence[Any],
        oncomplete: Callable[[Completion, int | None], Any],
        fadvise_flags: int = 0,
    ) -> Completion:
        """aio_compare_and_write of several buffers, one after the other.

        Raises InvalidArgument, IOError, TypeError, OverflowError.
        Implements: rbd_aio_compare_and_writev
        """
        offset = number(offset, "offset")
        fadvise_flags = number(fadvise_flags, "fadvise_flags", *INT)
        expected, expected_count, length, held = vector(compare, "compare")
        iov, count, size, kept = vector(data, "data")
        what = f"aio_compare_and_writev({offset!r}, {length} bytes)"
        self._check_compare(what, length, size)
        mismatch = ffi.new("uint64_t *")
        return self._start(
            what,
            oncomplete,
            _mismatch(mismatch, length, self._gate),
            lib.rbdcffi_aio_compare_and_writev,
            offset,
            expected,
            expected_count,
            iov,
            count,
            mismatch,
            fadvise_flags,
            keep=(expected, iov, held, kept, mismatch),
        )

    def aio_discard(
        self, offset: int, length: int, oncomplete: Callable[[Completion], Any]
    ) -> Completion:
        """Starts to trim a range. Raises TypeError, OverflowError. Implements: rbd_aio_discard"""
        offset, length = number(offset, "offset"), number(length, "length")
        return self._start(
            f"aio_discard({offset!r}, {length!r})",
            oncomplete,
            nothing,
            lib.rbdcffi_aio_discard,
            offset,
            length,
        )

    def aio_write_zeroes(
        self,
        offset: int,
        length: int,
        oncomplete: Callable[[Completion], Any],
        zero_flags: int = 0,
    ) -> Completion:
        """Starts to make a range read as zeroes.

        Raises TypeError, OverflowError. Implements: rbd_aio_write_zeroes
        """
        offset, length = number(offset, "offset"), number(length, "length")
        zero_flags = zero_flags_of(zero_flags)
        return self._start(
            f"aio_write_zeroes({offset!r}, {length!r})",
            oncomplete,
            nothing,
            lib.rbdcffi_aio_write_zeroes,
            offset,
            length,
            zero_flags,
            0,
        )

    def aio_flush(self, oncomplete: Callable[[Completion], Any]) -> Completion:
        """Starts to make safe what was written before. Implements: rbd_aio_flush"""
        return self._start("aio_flush", oncomplete, nothing, lib.rbdcffi_aio_flush)

    def aio_close(self, oncomplete: Callable[[Completion], Any]) -> Completion:
        """Starts to close the image: bars new calls, and returns. What is running is waited for
        in the background, I/O that was started included; then the image is closed.

        Unlike close() it may be called inside of a callback of one of the image's own calls.

        Raises InvalidArgument (the image is closed), TypeError.
        """
        check_callback(oncomplete, self._calling("aio_close"))
        handle = self._handle_for("aio_close")
        self._done(lib.rbdcffi_handle_state(handle.gate), "aio_close")
        completion = Completion(oncomplete, nothing)
        the_dispatcher().run(completion, handle.finish, "rbdcffi-close")
        lib.rbdcffi_handle_shut(handle.gate)
        return completion
