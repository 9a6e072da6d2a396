"""The size of an image, for writes that must know it without waiting."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Callable, TypeVar

import anyio

from rbdcffi._ffi import lib
from rbdcffi._threads import start_thread
from rbdcffi.aio._loops import running, soon
from rbdcffi.aio._workers import workers
from rbdcffi.rbd.watching import Registration

if TYPE_CHECKING:
    from rbdcffi.rbd import Image

Result = TypeVar("Result")


async def ask(function: Callable[[], Result]) -> Result:
    """Calls a function in a worker thread for itself. A cancelled scope leaves at once, as it
    leaves the operation that this is for; what hangs takes no thread from other calls."""
    return await workers().call(function, limiter=anyio.CapacityLimiter(1), abandon=True)


class Question:
    """A call in a thread of its own, whose answer any number of tasks wait for."""

    def __init__(self, function: Callable[[], int]) -> None:
        #: what stands for the event loop of those who can wait
        self.loop = running()
        self.answer: int | None = None
        self.error: BaseException | None = None
        self._function = function
        self._tell = soon()
        self._told = anyio.Event()
        start_thread(self._ask, name="rbdcffi-size")

    def _ask(self) -> None:
        try:
            self.answer = self._function()
        except BaseException as error:
            self.error = error
        del self._function
        self._tell(self._told.set)

    async def wait(self) -> int:
        if self.answer is None and self.error is None:
            await self._told.wait()
        if self.error is not None:
            # one for each who waits: a traceback belongs to one
            raise copy.copy(self.error) from None
        assert self.answer is not None
        return self.answer


class KnownSize:
    """The size of an open image, as far as is known.

    librbd's asynchronous writes cut off what is behind the end, and do not tell. Asking librbd for
    the size may have to wait for the cluster, when another client has changed the image: so it is
    asked in a thread, for all who want to know, and again only after a change.
    """

    def __init__(self, image: Image) -> None:
        self._image = image
        self._changes: Registration | None = None
        self._resized = image._resized
        self._size: int | None = None
        #: the latest question; the answers to earlier ones are not kept
        self._asked: Question | None = None

    async def get(self) -> int:
        """The size in bytes."""
        changed = self._resized != self._image._resized
        if self._changes is not None and self._changes.next() == lib.RBDCFFI_EVENT_UPDATED:
            changed = True
        if changed:
            self._resized = self._image._resized
            self._size = self._asked = None
        if self._size is not None:
            return self._size
        asked = self._asked
        if asked is None or asked.loop is not running():
            asked = self._asked = Question(self._ask)
        try:
            size = await asked.wait()
            if self._asked is asked:
                self._size = size
        finally:
            if self._asked is asked and (asked.answer is not None or asked.error is not None):
                self._asked = None
        return size

    def _ask(self) -> int:
        image = self._image
        # an image that was opened read_only is not told of changes; nor can it be written to
        if self._changes is None and not image._read_only:
            self._changes = Registration(image, lib.RBDCFFI_WATCH_UPDATES, "size", polled=False)
        return image.size()
