"""The open image."""

from __future__ import annotations

import inspect
import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import anyio

from rbdcffi import rbd
from rbdcffi._buffers import INT, items, number, writable, writables
from rbdcffi._calls import named
from rbdcffi._errors import EIO
from rbdcffi._ffi import needs
from rbdcffi.aio import streams
from rbdcffi.aio._objects import Resource, check_object
from rbdcffi.aio._offload import offload_alone, offload_io, offload_opening
from rbdcffi.aio._operations import (
    Comparing,
    Discarding,
    Flushing,
    Reading,
    SameWriting,
    VectorComparing,
    VectorWriting,
    Writing,
    Zeroing,
)
from rbdcffi.aio._rbd_methods import ImageMethods
from rbdcffi.aio._sizes import KnownSize, ask
from rbdcffi.aio.diff import ExtentStream, call_each
from rbdcffi.aio.listings import Listing
from rbdcffi.aio.rados import Ioctx
from rbdcffi.aio.watching import QuiesceHooks, Updates
from rbdcffi.rbd.errors import invalid
from rbdcffi.rbd.io import OLD_CACHE, PIECE, STEP


class _Closing:
    """Closing an image in a worker thread. What it raises is told on stderr when nobody waits any
    more: something that was written is lost, maybe."""

    def __init__(self, image: rbd.Image) -> None:
        self._image = image
        self._error: rbd.Error | None = None
        self._left = False

    def run(self) -> None:
        try:
            self._image.close()
        except rbd.Error as error:
            self._error = error
            if self._left:
                self._tell()
            raise

    def leave(self) -> None:
        self._left = True
        if self._error is not None:
            self._tell()

    def _tell(self) -> None:
        # both may come here at once, and then it is told twice
        handle, error = self._image._handle, self._error
        if handle is not None and error is not None:
            handle.tell(-(error.errno or EIO))


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
        check_object(ioctx, "ioctx", Ioctx, "rbdcffi.aio")
        if engine not in ("threads", "completions"):
            raise invalid(f"Image(): engine must be 'threads' or 'completions', not {engine!r}")
        self.ioctx = ioctx
        self.engine = engine
        self._arguments = (name, snapshot, read_only, image_id)
        self._limiter = limiter or ioctx._limiter

    # for one whose constructor did not run
    _sync: rbd.Image | None = None
    _known: KnownSize | None = None
    engine = "threads"

    def _calling(self, call: str, arguments: Mapping[str, Any] | None = None) -> str:
        return f"Image.{call}" if self._sync is None else self._sync._calling(call)

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
        if self._sync is not None:
            self._sync.require_not_closed()
        else:
            ioctx = self.ioctx.sync
            self._sync = await offload_opening(
                lambda: rbd.Image(ioctx, *self._arguments), rbd.Image.close, ioctx._handle
            )

    async def _close(self) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes the image: bars new calls, waits for running ones, writes back what is cached;
        idempotent.

        Raises what flush() raises, once, if that could not be written back; see rbd.Image.close.
        Implements: rbd_close, rbd_flush
        """
        if self._sync is not None:
            closing = _Closing(self._sync)
            try:
                await offload_alone(closing.run)
            except Exception:
                raise
            except BaseException:
                # a native cancellation of asyncio does not wait
                closing.leave()
                raise

    async def _known_size(self) -> int:
        """What writes with completions need to know."""
        if self._known is None:
            self._known = KnownSize(self.sync)
        return await self._known.get()

    async def _io(self, function: Callable[..., Any], *args: Any) -> Any:
        return await offload_io(function, *args, limiter=self._limiter)

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
        data = await self._read("readinto", offset, view.nbytes, fadvise_flags)
        view[: len(data)] = data
        return len(data)

    async def _read(self, call: str, offset: int, length: int, fadvise_flags: int) -> memoryview:
        """What read() does, with errors that name another call."""
        offset = number(offset, "offset")
        fadvise_flags = number(fadvise_flags, "fadvise_flags", *INT)
        if self.engine == "threads" or length > STEP:
            data = memoryview(bytearray(length))
            count = await self._io(self.sync._fill, call, offset, data, length, fadvise_flags)
            return data[:count]
        return memoryview(await Reading(self, offset, length, fadvise_flags, call).wait())

    async def readv(self, buffers: Sequence[Any], offset: int) -> int:
        """Reads into several buffers, one after the other; returns the number of bytes.

        Raises as read does. Implements: rbd_read2, rbd_aio_readv
        """
        views = writables(buffers, "buffers")
        length = sum(view.nbytes for view in views)
        data = await self._read("readv", offset, length, 0)
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
        size = await self._known_size()
        return await Writing(self, data, offset, fadvise_flags, size=size).wait()

    async def writev(self, buffers: Sequence[Any], offset: int) -> int:
        """Writes several buffers, one after the other; with completions it is one operation, with
        threads one for each buffer. Returns the number of bytes.

        Raises as write does. Implements: rbd_write2, rbd_aio_writev
        """
        buffers = items(buffers, "buffers")
        if self.engine == "threads" or not buffers:
            return await self._io(self.sync.writev, buffers, offset)  # type: ignore[no-any-return]
        size = await self._known_size()
        return await VectorWriting(self, buffers, offset, size=size).wait()

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

    async def read_iterate(
        self, offset: int, length: int, callback: Callable[[int, bytes], Any]
    ) -> None:
        """Reads a range in pieces, in order, and calls `callback(offset, data)`, plain or async, in
        the event loop, for each; see rbd.Image.read_iterate, and read_chunks for a stream.

        Raises InvalidArgument, IOError, TypeError, OverflowError.
        Implements: rbd_read2, rbd_aio_read2
        """
        what = f"read_iterate({offset!r}, {length!r})"
        if not callable(callback):
            raise TypeError(named(f"callback must be callable, not {type(callback).__name__}"))
        offset, length = number(offset, "offset"), number(length, "length")
        stop = await ask(lambda: self.sync._end_of(what, offset, length))
        # the image may become smaller meanwhile
        while offset < (end := min(stop, await self._known_size())):
            data = await self.read(offset, min(end, (offset // PIECE + 1) * PIECE) - offset)
            result = callback(offset, data)
            if inspect.isawaitable(result):
                result = await result
            if result is not None:
                self.sync._check_answer(what, result)
            offset += len(data)

    async def writesame(self, data: Any, offset: int, length: int, fadvise_flags: int = 0) -> int:
        """Writes `data` over and over; returns the number of bytes, which is `length`.

        Parameters:
            length: in bytes, a multiple of the length of `data`.

        Raises IncompleteWriteError, InvalidArgument, ReadOnlyImage, IOError, TypeError,
        OverflowError. Implements: rbd_writesame, rbd_aio_writesame
        """
        if self.engine == "threads" or not isinstance(length, int) or not 0 <= length <= STEP:
            return await self._io(self.sync.writesame, data, offset, length, fadvise_flags)  # type: ignore[no-any-return]
        size = await self._known_size()
        return await SameWriting(self, data, offset, length, fadvise_flags, size=size).wait()

    @needs("rbd_aio_write_with_crc32c")
    async def write_with_crc32c(
        self, data: Any, offset: int, crc32c: int, fadvise_flags: int = 0
    ) -> int:
        """Writes data whose checksum is known; see rbd.Image.write_with_crc32c, and write.

        Raises as write does. Implements: rbd_aio_write_with_crc32c
        """
        # with either engine: the checksum of all the data is computed
        return await self._io(  # type: ignore[no-any-return]
            self.sync.write_with_crc32c, data, offset, crc32c, fadvise_flags
        )

    @needs("rbd_aio_compare_and_writev")
    async def compare_and_writev(
        self, offset: int, compare: Sequence[Any], data: Sequence[Any], fadvise_flags: int = 0
    ) -> int | None:
        """compare_and_write of several buffers, one after the other.

        Returns and raises as compare_and_write does. Implements: rbd_aio_compare_and_writev
        """
        if self.engine == "threads":
            return await self._io(  # type: ignore[no-any-return]
                self.sync.compare_and_writev, offset, compare, data, fadvise_flags
            )
        return await VectorComparing(self, offset, compare, data, fadvise_flags).wait()

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
        if self.engine == "threads" or OLD_CACHE:
            return await self._io(  # type: ignore[no-any-return]
                self.sync.compare_and_write, offset, compare, data, fadvise_flags
            )
        return await Comparing(self, offset, compare, data, fadvise_flags).wait()

    # -- watching ------------------------------------------------------------------------------

    def updates(self) -> Updates:
        """``async for _ in image.updates()``: a step whenever the image has changed: its size, its
        snapshots, its features, its metadata, by any client, this one included.

        What changed is not told. Changes that nobody has waited for yet are one step. It begins
        with this call, and ends with the image, aclose(), ``async with``, or collection.

        Raises ReadOnlyImage (the image was opened read_only), InvalidArgument.
        Implements: rbd_update_watch, rbd_update_unwatch
        """
        return Updates(self.sync)

    @needs("rbd_quiesce_watch")
    def quiesce_hooks(
        self, on_quiesce: Callable[[], Any], on_unquiesce: Callable[[], Any]
    ) -> QuiesceHooks:
        """``async with image.quiesce_hooks(freeze, thaw)``: awaits `freeze()` before any client
        makes a snapshot of the image, and `thaw()` after it; see rbd.Image.quiesce_watch.

        Both are functions, plain or async, and run in the event loop. What they raise goes to
        threading.excepthook. Leaving the block cancels a freeze that is running, and a snapshot
        that waits for it fails with OperationCanceled; one that has ended is thawed.

        Raises ReadOnlyImage (the image was opened read_only), InvalidArgument, TypeError.
        Implements: rbd_quiesce_watch, rbd_quiesce_complete, rbd_quiesce_unwatch
        """
        return QuiesceHooks(self.sync, on_quiesce, on_unquiesce)

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
            raise TypeError(named(f"iterate_cb must be callable, not {type(iterate_cb).__name__}"))
        call = f"diff_iterate({offset!r}, {length!r}, {from_snapshot!r})"
        stream = self.diff(offset, length, from_snapshot, include_parent, whole_object)
        await call_each(stream, iterate_cb, self.sync, call)

    # -- configuration and metadata ------------------------------------------------------------

    def config_list(self) -> Listing[dict[str, Any]]:
        """The options that an image can override, with their values: ``async for option in ...``
        or ``options = await ...``.

        Yields dicts: name, value, source; see rbd.ConfigImageIterator.

        Raises Error. Implements: rbd_config_image_list
        """
        return Listing(self, self.sync.config_list)

    def metadata_list(self) -> Listing[tuple[str, str]]:
        """All keys and values of the image, in the order of the keys: ``async for key, value in
        ...`` or ``pairs = await ...``.

        Raises Error. Implements: rbd_metadata_list
        """
        return Listing(self, self.sync.metadata_list)

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
