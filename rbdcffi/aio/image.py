"""The open image."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import Any

import anyio

from rbdcffi import rbd
from rbdcffi._buffers import writable
from rbdcffi.aio import streams
from rbdcffi.aio._objects import Resource
from rbdcffi.aio._offload import io_limiter, offload, offload_alone, offload_opening
from rbdcffi.aio._operations import (
    Comparing,
    Discarding,
    Flushing,
    Reading,
    VectorWriting,
    Writing,
    Zeroing,
)
from rbdcffi.aio._rbd_methods import ImageMethods
from rbdcffi.aio.diff import ExtentStream, call_each
from rbdcffi.aio.rados import Ioctx
from rbdcffi.rbd.errors import invalid
from rbdcffi.rbd.io import STEP


class Image(ImageMethods, Resource):
    """The asynchronous twin of rbdcffi.rbd.Image, with the same parameters.

    ``async with Image(ioctx, "name") as image`` and ``image = await Image(ioctx, "name")`` open.
    Cancelling that returns at once; what is opened too late is closed again.

    Parameters:
        engine: 'threads' makes I/O calls in worker threads; 'completions' uses librbd's own
            asynchronous I/O, which is faster with many operations at once.
        limiter: of the worker threads for this object's calls; the event loop's if None.
    """

    def __init__(
        self,
        ioctx: Ioctx,
        name: str | bytes | None = None,
        snapshot: str | bytes | int | None = None,
        read_only: bool = False,
        image_id: str | bytes | None = None,
        *,
        engine: str = "threads",
        limiter: anyio.CapacityLimiter | None = None,
    ) -> None:
        if not isinstance(ioctx, Ioctx):
            raise TypeError(f"ioctx must be an rbdcffi.aio.Ioctx, not {type(ioctx).__name__}")
        if engine not in ("threads", "completions"):
            raise invalid(f"Image(): engine must be 'threads' or 'completions', not {engine!r}")
        self.ioctx = ioctx
        self.engine = engine
        self._arguments = (name, snapshot, read_only, image_id)
        self._limiter = limiter or ioctx._limiter
        self._sync: rbd.Image | None = None

    @property
    def sync(self) -> rbd.Image:
        """The synchronous object behind this one."""
        if self._sync is None:
            raise RuntimeError("the image is not open: await it, or use async with")
        return self._sync

    @property
    def name(self) -> str:
        """The image's name."""
        return self.sync.name

    @property
    def closed(self) -> bool:
        """Whether the image is closed."""
        return self._sync is None or self._sync.closed

    async def _open(self) -> None:
        if self._sync is None:
            ioctx = self.ioctx.sync
            self._sync = await offload_opening(
                lambda: rbd.Image(ioctx, *self._arguments), rbd.Image.close, ioctx._cluster
            )

    async def _close(self) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes the image: bars new calls, waits for running ones; idempotent.

        Implements: rbd_close
        """
        if self._sync is not None:
            await offload_alone(self._sync.close)

    async def _io(self, function: Callable[..., Any], *args: Any) -> Any:
        return await offload(function, *args, limiter=self._limiter or io_limiter())

    # -- I/O -----------------------------------------------------------------------------------

    async def read(self, offset: int, length: int, fadvise_flags: int = 0) -> bytes:
        """Reads `length` bytes; fewer where the image ends within the range.

        Raises InvalidArgument (the range begins at or behind the end), IOError, TypeError,
        OverflowError. Implements: rbd_read2, rbd_aio_read2
        """
        if self.engine == "threads" or not isinstance(length, int) or not 0 <= length <= STEP:
            return await self._io(self.sync.read, offset, length, fadvise_flags)  # type: ignore[no-any-return]
        return await Reading(self, offset, length, fadvise_flags).wait()

    async def readinto(self, offset: int, buffer: Any, fadvise_flags: int = 0) -> int:
        """Reads into a writable C-contiguous buffer; returns the number of bytes.

        The data goes through a buffer of the call's own, so that a cancelled call never writes
        into the caller's afterwards.

        Raises as read does. Implements: rbd_read2, rbd_aio_read2
        """
        view = writable(buffer, "buffer")
        data = await self.read(offset, view.nbytes, fadvise_flags)
        view[: len(data)] = data
        return len(data)

    async def readv(self, buffers: Sequence[Any], offset: int) -> int:
        """Reads into several buffers, one after the other; returns the number of bytes.

        Raises as read does. Implements: rbd_read2, rbd_aio_readv
        """
        views = [writable(buffer, "buffers") for buffer in buffers]
        length = sum(view.nbytes for view in views)
        data = memoryview(await self.read(offset, length))
        done = 0
        for view in views:
            part = data[done : done + view.nbytes]
            view[: len(part)] = part
            done += len(part)
        return done

    async def write(self, data: Any, offset: int, fadvise_flags: int = 0) -> int:
        """Writes; returns the number of bytes, which is the length of `data`.

        A buffer other than bytes must not change until the call is over, and after a cancelled
        one until the image is flushed or closed.

        Raises IncompleteWriteError, InvalidArgument, ReadOnlyImage, IOError, TypeError,
        OverflowError. Implements: rbd_write2, rbd_aio_write2
        """
        if self.engine == "threads":
            return await self._io(self.sync.write, data, offset, fadvise_flags)  # type: ignore[no-any-return]
        return await Writing(self, data, offset, fadvise_flags).wait()

    async def writev(self, buffers: Sequence[Any], offset: int) -> int:
        """Writes several buffers, one after the other, in one operation; returns the number of
        bytes.

        Raises as write does. Implements: rbd_write2, rbd_aio_writev
        """
        if self.engine == "threads" or not buffers:
            return await self._io(self.sync.writev, buffers, offset)  # type: ignore[no-any-return]
        return await VectorWriting(self, buffers, offset).wait()

    async def discard(self, offset: int, length: int) -> None:
        """Trims the range; it reads as zeroes afterwards.

        Raises InvalidArgument, ReadOnlyImage, TypeError, OverflowError.
        Implements: rbd_discard, rbd_aio_discard
        """
        if self.engine == "threads" or not isinstance(length, int) or not 0 <= length <= STEP:
            await self._io(self.sync.discard, offset, length)
            return
        await Discarding(self, offset, length).wait()

    async def write_zeroes(self, offset: int, length: int, zero_flags: int = 0) -> None:
        """Makes the range read as zeroes.

        Raises InvalidArgument, ReadOnlyImage, TypeError, OverflowError.
        Implements: rbd_write_zeroes, rbd_aio_write_zeroes
        """
        if self.engine == "threads":
            await self._io(self.sync.write_zeroes, offset, length, zero_flags)
            return
        await Zeroing(self, offset, length, zero_flags).wait()

    async def flush(self) -> None:
        """Waits until everything written before is safe.

        Raises Error. Implements: rbd_flush, rbd_aio_flush
        """
        if self.engine == "threads":
            await self._io(self.sync.flush)
            return
        await Flushing(self).wait()

    async def compare_and_write(
        self, offset: int, compare: Any, data: Any, fadvise_flags: int = 0
    ) -> int | None:
        """Writes `data` if the image holds `compare` at the offset, atomically.

        Returns None if it was written; else nothing was, and the offset of the first byte that
        differs, counted from `offset`.

        Raises InvalidArgument, ReadOnlyImage, TypeError, OverflowError.
        Implements: rbd_compare_and_write, rbd_aio_compare_and_write
        """
        if self.engine == "threads":
            return await self._io(  # type: ignore[no-any-return]
                self.sync.compare_and_write, offset, compare, data, fadvise_flags
            )
        return await Comparing(self, offset, compare, data, fadvise_flags).wait()

    # -- diff ----------------------------------------------------------------------------------

    def diff(
        self,
        offset: int,
        length: int,
        from_snapshot: str | int | None,
        include_parent: bool = True,
        whole_object: bool = False,
    ) -> ExtentStream:
        """``async for extent in image.diff(...)``: the extents that changed; see rbd.Image.diff.

        Yields Extent(offset, length, exists).
        Implements: rbd_diff_iterate2, rbd_diff_iterate3
        """
        return ExtentStream(
            self.sync, (offset, length, from_snapshot, include_parent, whole_object)
        )

    async def diff_iterate(
        self,
        offset: int,
        length: int,
        from_snapshot: str | int | None,
        iterate_cb: Callable[[int, int, bool], Any],
        include_parent: bool = True,
        whole_object: bool = False,
    ) -> None:
        """Calls `iterate_cb(offset, length, exists)`, plain or async, in the event loop, for every
        extent that changed. A slow callback stops the diff after a few thousand extents.

        An exception of the callback ends the diff and is raised here unchanged.

        Raises InvalidArgument, ImageNotFound, IOError, TypeError, OverflowError.
        Implements: rbd_diff_iterate2, rbd_diff_iterate3
        """
        if not callable(iterate_cb):
            raise TypeError(f"iterate_cb must be callable, not {type(iterate_cb).__name__}")
        call = f"diff_iterate({offset!r}, {length!r}, {from_snapshot!r})"
        stream = self.diff(offset, length, from_snapshot, include_parent, whole_object)
        await call_each(stream, iterate_cb, self.sync, call)

    # -- file ------------------------------------------------------------------------------------

    async def open_file(
        self, mode: str = "r", *, buffering: int = 1 << 20
    ) -> anyio.AsyncFile[bytes]:
        """The image as an asynchronous file, with a position; each call runs in a worker thread.

        Parameters:
            mode: 'r' reads, 'w' writes (and does not truncate), 'r+' does both; 'b' may be added.
            buffering: size of the buffer, in bytes.

        Implements: rbd_read2, rbd_write2, rbd_resize2, rbd_flush
        """
        raw = self.sync.open_file(mode)
        kinds: dict[str, Any] = {
            "rb": io.BufferedReader,
            "wb": io.BufferedWriter,
            "rb+": io.BufferedRandom,
        }
        return anyio.wrap_file(kinds[raw.mode](raw, buffering))

    # -- streams -------------------------------------------------------------------------------

    def read_chunks(
        self,
        offset: int = 0,
        length: int | None = None,
        *,
        chunk: int = 4 << 20,
        in_flight: int = 8,
    ) -> streams.ChunkReader:
        """Yields the range in order, in pieces, with a bounded number of reads in flight.

        Parameters:
            length: in bytes; None: to the end.
            chunk: size of a piece, in bytes.
            in_flight: how many reads run at once.

        Implements: rbd_read2, rbd_aio_read2
        """
        return streams.ChunkReader(self, offset, length, chunk, in_flight)

    def writer(self, *, in_flight: int = 8) -> streams.Writer:
        """``async with image.writer() as writer: await writer.write(data, offset)``: writes with
        a bounded number in flight; see Writer.

        Implements: rbd_write2, rbd_aio_write2
        """
        return streams.Writer(self, in_flight)
