"""Changed extents as a stream."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from anyio import CapacityLimiter

from rbdcffi._calls import Calling
from rbdcffi.aio._workers import workers
from rbdcffi.rbd.diff import errno_of
from rbdcffi.rbd.errors import OperationCanceled

if TYPE_CHECKING:
    from rbdcffi.rbd import Extent, Image


class ExtentStream(Calling, AsyncIterator["Extent"]):
    """Yields the extents of aio.Image.diff; also an asynchronous context manager.

    The diff runs ahead by a few thousand extents and then waits for the consumer. It ends when the
    loop is left in any way and the stream is closed or collected.
    """

    def __init__(self, image: Image, arguments: tuple[Any, ...]) -> None:
        self._image = image
        # a diff occupies a thread for as long as it runs: not one of those that others wait for
        self._limiter = CapacityLimiter(1)
        self._arguments = arguments
        self._iterator: Any = None
        self._cancelled = False
        self._batch: list[Extent] = []
        self._next = 0

    def __aiter__(self) -> ExtentStream:
        return self

    async def __anext__(self) -> Extent:
        if self._next == len(self._batch):
            self._batch = await self.take()
            self._next = 0
            if not self._batch:
                raise StopAsyncIteration
        self._next += 1
        return self._batch[self._next - 1]

    async def take(self) -> list[Extent]:
        """The next extents, some thousand at most; none at the end."""
        if self._cancelled:
            raise OperationCanceled(
                f"diff of {self._image!s}: an earlier step was cancelled, and extents are lost"
            )
        if self._iterator is None:
            self._iterator = self._image.diff(*self._arguments)
        try:
            # a thread that was left behind ends with the diff, which close() stops
            return await workers().call(self._iterator.take, limiter=self._limiter, abandon=True)
        except Exception:
            self._iterator.close()
            raise
        except BaseException:
            # what the thread was about to return is lost; an end would look like no more changes
            self._cancelled = True
            self._iterator.close()
            raise

    async def aclose(self) -> None:
        """Ends the diff; idempotent."""
        if self._iterator is not None:
            self._iterator.close()

    async def __aenter__(self) -> ExtentStream:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()


async def call_each(stream: ExtentStream, callback: Any, image: Image, call: str) -> None:
    """What diff_iterate does: every extent to a plain or async callback, in the event loop."""
    async with stream:
        async for extent in stream:
            result = callback(*extent)
            if inspect.isawaitable(result):
                result = await result
            if result is not None and result < 0:
                raise image._failed(errno_of(result, image._calling(call)), call)
