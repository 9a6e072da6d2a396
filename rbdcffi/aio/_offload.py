"""Where blocking calls leave the event loop: worker threads, and how many of them."""

from __future__ import annotations

import functools
import inspect
import threading
from typing import Any, Callable, TypeVar

import anyio

from rbdcffi._handle import Handle
from rbdcffi._waiting import Call
from rbdcffi.aio._loops import PerLoop, soon
from rbdcffi.aio._workers import workers

Result = TypeVar("Result")

#: Worker threads for everything but I/O, per event loop. Its own number, so that opening, closing
#: and listing do not wait behind I/O that hangs.
CONTROL_THREADS = 16

_control = PerLoop("rbdcffi_control_limiter", lambda: anyio.CapacityLimiter(CONTROL_THREADS))


def io_limiter() -> anyio.CapacityLimiter:
    """The running event loop's limiter of threads for I/O; its total_tokens may be changed."""
    return workers().limiter


def control_limiter() -> anyio.CapacityLimiter:
    """The running event loop's limiter of threads for everything but I/O."""
    return _control.get()


async def offload(
    function: Callable[..., Result],
    *args: Any,
    limiter: anyio.CapacityLimiter | None = None,
    **kwargs: Any,
) -> Result:
    """Calls a blocking function in a worker thread.

    A cancelled scope waits for it to return (a native asyncio cancellation does not, the function
    then goes on alone; the handle it uses stays open until it is done).
    """
    if kwargs:
        function = functools.partial(function, **kwargs)
    return await workers().call(function, *args, limiter=limiter or control_limiter())


async def offload_io(
    function: Callable[..., Result],
    *args: Any,
    limiter: anyio.CapacityLimiter | None = None,
    **kwargs: Any,
) -> Result:
    """The same for I/O, which has a limiter of its own."""
    if kwargs:
        function = functools.partial(function, **kwargs)
    return await workers().call(function, *args, limiter=limiter)


async def offload_alone(function: Callable[..., Result], *args: Any, **kwargs: Any) -> Result:
    """The same in a thread for itself: for closing, which must not wait behind calls that hang, and
    for calls whose callbacks may need a thread."""
    return await offload(function, *args, limiter=anyio.CapacityLimiter(1), **kwargs)


class _Reports:
    """Progress on its way from a thread of librbd, which must not wait, to the event loop.

    The callback is given the latest report; those that it was too slow for are left out.
    """

    def __init__(self, callback: Callable[[int, int], Any]) -> None:
        self.error: BaseException | None = None
        self._callback = callback
        self._soon = soon()
        self._lock = threading.Lock()
        self._latest: tuple[int, int] | None = None
        self._over = False
        self._news = anyio.Event()

    def tell(self, done: int, total: int) -> None:
        """Takes a report, on any thread."""
        if self.error is not None:
            # the core ends the operation, if it can be ended, and raises this
            raise self.error
        with self._lock:
            told, self._latest = self._latest is not None, (done, total)
        if not told:
            self._soon(self._wake)

    def _wake(self) -> None:
        self._news.set()

    def finish(self) -> None:
        """No more reports will come."""
        self._over = True
        self._news.set()

    async def deliver(self) -> None:
        """Calls the callback until finish() and the last report."""
        while True:
            await self._news.wait()
            with self._lock:
                latest, self._latest = self._latest, None
                if not self._over:
                    self._news = anyio.Event()
            if latest is not None:
                try:
                    result = self._callback(*latest)
                    if inspect.isawaitable(result):
                        await result
                except anyio.get_cancelled_exc_class():
                    raise
                except BaseException as error:
                    self.error = error
                    return
            elif self._over:
                return


async def offload_with_progress(
    function: Callable[..., Result], *args: Any, on_progress: Any, **kwargs: Any
) -> Result:
    """offload_alone of a function that takes `on_progress`, which is called in the event loop."""
    if not callable(on_progress):
        return await offload_alone(function, *args, on_progress=on_progress, **kwargs)
    reports = _Reports(on_progress)
    failure: BaseException | None = None
    # outside of the group, so that errors are not wrapped into one of a group
    async with anyio.create_task_group() as group:
        group.start_soon(reports.deliver)
        try:
            result = await offload_alone(function, *args, on_progress=reports.tell, **kwargs)
        except BaseException as error:
            # Ctrl-C and SystemExit of the callback come back this way, too
            if not isinstance(error, Exception) and error is not reports.error:
                raise
            failure = error
        reports.finish()
    try:
        if reports.error is not None:
            raise reports.error
        if failure is not None:
            raise failure
        return result
    finally:
        del failure, reports


async def offload_opening(
    function: Callable[[], Result], discard: Callable[[Result], object], handle: Handle | None
) -> Result:
    """Calls a function that opens something. Cancelling leaves at once, closing `handle` does not
    wait for it, and what is opened too late is given to `discard`, in the worker thread."""
    call = Call(function, discard, handle)
    try:
        # a thread for itself: openings that hang, given up or not, must not keep others from theirs
        await workers().call(call.run, limiter=anyio.CapacityLimiter(1), abandon=True)
    except BaseException:
        call.leave()
        raise
    if call.error is not None:
        raise call.error
    return call.result
