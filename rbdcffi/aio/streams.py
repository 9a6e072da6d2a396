"""Many reads or writes at once, bounded."""

from __future__ import annotations

import inspect
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any

import anyio

from rbdcffi._buffers import number
from rbdcffi._calls import Calling
from rbdcffi.aio._loops import running
from rbdcffi.aio._operations import Reading, Writing, Zeroing
from rbdcffi.rbd.errors import invalid

if TYPE_CHECKING:
    from rbdcffi.aio.image import Image


#: What is negative or too small is an InvalidArgument here.
ANY = -(1 << 63), (1 << 63) - 1


class _Stream(Calling):
    """Operations on an image, the oldest first, that several tasks may share."""

    #: what made it
    _method: str

    def __init__(self, image: Image, in_flight: int) -> None:
        self._image = image
        self._in_flight = in_flight
        self._window: deque[Any] = deque()
        #: an operation has one waiter, in the event loop that started it
        self._turn: anyio.Lock | None = None
        self._loop: object = None

    async def _my_turn(self) -> anyio.Lock:
        """Waits until no other task is in the middle of something; to be released."""
        loop, turn = running(), self._turn
        if turn is None or (self._loop is not loop and not self._window):
            turn = self._turn = anyio.Lock()
            self._loop = loop
        elif self._loop is not loop:
            raise invalid(
                f"Image.{self._method} of {self._image.sync._label!r}: what was started in another "
                "event loop cannot be waited for in this one"
            )
        try:
            turn.acquire_nowait()
        except anyio.WouldBlock:
            await turn.acquire()
        return turn


class ChunkReader(_Stream, AsyncIterator[bytes]):
    """Yields a range of an image in order, in pieces; see Image.read_chunks. Tasks that share one
    get a piece each.

    Reads are started as operations, not as tasks, and this is no generator: it may be left in the
    middle, in any task, without being closed, and what it started just finishes.
    """

    _method = "read_chunks"

    def __init__(
        self, image: Image, offset: int, length: int | None, chunk: int, in_flight: int
    ) -> None:
        chunk, in_flight = number(chunk, "chunk", *ANY), number(in_flight, "in_flight", *ANY)
        offset = number(offset, "offset", *ANY)
        length = None if length is None else number(length, "length", *ANY)
        if chunk < 1 or in_flight < 1:
            raise invalid("chunk and in_flight must be positive")
        if offset < 0 or (length is not None and length < 0):
            raise invalid("offset and length must not be negative")
        super().__init__(image, in_flight)
        self._position = offset
        self._end: int | None = None if length is None else offset + length
        self._sized = False
        self._chunk = chunk

    def __aiter__(self) -> ChunkReader:
        return self

    async def __anext__(self) -> bytes:
        turn = await self._my_turn()
        try:
            return await self._next()
        finally:
            turn.release()

    async def _next(self) -> bytes:
        if not self._sized:
            size = await self._image._known_size()
            self._end = size if self._end is None else min(size, self._end)
            self._sized = True
        assert self._end is not None
        while self._position < self._end and len(self._window) < self._in_flight:
            count = min(self._chunk, self._end - self._position)
            self._window.append(Reading(self._image, self._position, count))
            self._position += count
        if not self._window:
            raise StopAsyncIteration
        # only what was waited for to the end leaves the window: a cancelled step loses nothing
        data: bytes = await self._window[0].wait()
        self._window.popleft()
        return data


class Writer(_Stream):
    """Writes with a bounded number in flight; several tasks may share it.

    ``write`` returns when there is room for the next one, not when the data is written. The first
    error is raised by the next call, at the latest at the end of ``async with``, which waits for
    all writes and flushes. If the body of the ``async with`` raises something else, that is what
    comes out, with the writer's error as its context.

    `acknowledged` counts the bytes that are written for certain; `error` is the first error, None
    if there was none.
    """

    _method = "writer"

    def __init__(self, image: Image, in_flight: int) -> None:
        if number(in_flight, "in_flight", *ANY) < 1:
            raise invalid("in_flight must be positive")
        super().__init__(image, in_flight)
        self.error: Exception | None = None
        self.acknowledged = 0

    async def __aenter__(self) -> Writer:
        return self

    async def __aexit__(self, exc_type: Any, exc: Any, traceback: Any) -> None:
        # cancelled or not: `data` belongs to the writes until they are done
        with anyio.CancelScope(shield=True):
            turn = await self._my_turn()
            try:
                while self._window:
                    await self._settle()
            finally:
                turn.release()
        if exc_type is None:
            self._raise()
            await self._image.flush()
        elif self.error is not None and exc is not self.error and exc.__context__ is None:
            # raised while `exc` was on its way, so it has that as its context: no circle
            self.error.__context__ = None
            exc.__context__ = self.error

    def _raise(self) -> None:
        if self.error is not None:
            raise self.error

    async def _settle(self) -> None:
        """Waits for the oldest write."""
        try:
            count = await self._window[0].wait()
        except Exception as error:
            if self.error is None:
                self.error = error
        else:
            self.acknowledged += count
        self._window.popleft()

    async def write(self, data: Any, offset: int) -> None:
        """Starts to write; `data` must not change until the writer is done with it."""
        turn = await self._my_turn()
        try:
            await self._admit()
            size = await self._image._known_size()
            self._window.append(Writing(self._image, data, offset, size=size))
        finally:
            turn.release()

    async def write_zeroes(self, offset: int, length: int) -> None:
        """Starts to make the range read as zeroes."""
        turn = await self._my_turn()
        try:
            await self._admit()
            self._window.append(Zeroing(self._image, offset, length))
        finally:
            turn.release()

    async def _admit(self) -> None:
        """Waits until there is room for one more."""
        self._raise()
        while len(self._window) >= self._in_flight:
            await self._settle()
            self._raise()


async def copy_image(
    source: Image,
    target: Image,
    *,
    chunk: int = 4 << 20,
    in_flight: int = 8,
    on_progress: Callable[[int, int], object] | None = None,
) -> int:
    """Copies the content of one open image into another, which must not be smaller.

    Pieces that are all zeroes are not written as data: the copy is as sparse as the source.

    Parameters:
        chunk: size of a piece, in bytes.
        in_flight: how many reads, and how many writes, run at once.
        on_progress: called with (done, total) in bytes, in the event loop; plain or async.

    Returns the number of bytes written as data.
    """
    size = await source.size()
    if await target.size() < size:
        raise invalid(f"copy_image: {target.name!r} is smaller than {source.name!r}")
    if not isinstance(chunk, int) or chunk < 1:
        raise invalid(f"copy_image: chunk must be a positive integer, not {chunk!r}")
    zeroes = bytes(chunk)
    position = 0
    async with target.writer(in_flight=in_flight) as writer:
        async for data in source.read_chunks(chunk=chunk, in_flight=in_flight):
            if len(data) != min(chunk, size - position):
                raise invalid(f"copy_image: {source.name!r} was resized meanwhile")
            if data == zeroes or (len(data) < chunk and not any(data)):
                await writer.write_zeroes(position, len(data))
            else:
                await writer.write(data, position)
            position += len(data)
            if on_progress is not None:
                told = on_progress(position, size)
                if inspect.isawaitable(told):
                    await told
    return writer.acknowledged
