"""Where blocking calls leave the event loop: worker threads, and how many of them."""

from __future__ import annotations

import functools
from typing import Any, Callable, TypeVar

import anyio
from anyio import to_thread
from anyio.lowlevel import RunVar

from rbdcffi._handle import Handle
from rbdcffi._waiting import Call

Result = TypeVar("Result")

#: Worker threads for image and object I/O, per event loop; as deep as a queue gets on threads.
IO_THREADS = 64
#: Worker threads for everything else. Its own number, so that opening, closing and listing do not
#: wait behind I/O that hangs.
CONTROL_THREADS = 16

_io: RunVar[anyio.CapacityLimiter] = RunVar("rbdcffi_io_limiter")
_control: RunVar[anyio.CapacityLimiter] = RunVar("rbdcffi_control_limiter")


def _limiter(var: RunVar[anyio.CapacityLimiter], threads: int) -> anyio.CapacityLimiter:
    # made inside of the loop it belongs to: a limiter binds to the first one it meets
    try:
        return var.get()
    except LookupError:
        limiter = anyio.CapacityLimiter(threads)
        var.set(limiter)
        return limiter


def io_limiter() -> anyio.CapacityLimiter:
    """The running event loop's limiter of threads for I/O; its total_tokens may be changed."""
    return _limiter(_io, IO_THREADS)


def control_limiter() -> anyio.CapacityLimiter:
    """The running event loop's limiter of threads for everything but I/O."""
    return _limiter(_control, CONTROL_THREADS)


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
    return await to_thread.run_sync(
        function, *args, abandon_on_cancel=False, limiter=limiter or control_limiter()
    )


async def offload_alone(function: Callable[..., Result], *args: Any, **kwargs: Any) -> Result:
    """The same in a thread for itself: for closing, which must not wait behind calls that hang, and
    for calls whose callbacks may need a thread."""
    return await offload(function, *args, limiter=anyio.CapacityLimiter(1), **kwargs)


async def offload_opening(
    function: Callable[[], Result], discard: Callable[[Result], object], handle: Handle
) -> Result:
    """Calls a function that opens something. Cancelling leaves at once, closing `handle` does not
    wait for it, and what is opened too late is given to `discard`, in the worker thread."""
    call = Call(function, discard, handle)
    try:
        # a thread for itself: openings that hang, given up or not, must not keep others from theirs
        await to_thread.run_sync(call.run, abandon_on_cancel=True, limiter=anyio.CapacityLimiter(1))
    except BaseException:
        call.leave()
        raise
    if call.error is not None:
        raise call.error
    return call.result
