"""What the benchmarks of the asynchronous facade have in common."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeVar

Place = TypeVar("Place")

#: Seconds, and CPU seconds.
Times = tuple[float, float]


class Clock:
    """Seconds, and CPU seconds of all threads of the process."""

    def __init__(self) -> None:
        self._begun = time.perf_counter(), time.process_time()

    def per(self, count: int) -> Times:
        ended_cpu, ended = time.process_time(), time.perf_counter()
        return (ended - self._begun[0]) / count, (ended_cpu - self._begun[1]) / count


def in_trio() -> bool:
    if "trio" not in sys.modules:
        return False
    import trio

    try:
        trio.lowlevel.current_task()
    except RuntimeError:
        return False
    return True


async def at_once(
    operation: Callable[[Place], Awaitable[object]], places: Iterable[Place], depth: int
) -> None:
    """An operation at each place, `depth` of them at a time."""
    left = iter(places)

    async def work() -> None:
        for place in left:
            await operation(place)

    if in_trio():
        import trio

        async with trio.open_nursery() as nursery:
            for _ in range(depth):
                nursery.start_soon(work)
    else:
        await asyncio.gather(*(work() for _ in range(depth)))


def bridged(
    loop: asyncio.AbstractEventLoop, start: Callable[..., object], *args: Any
) -> asyncio.Future[Any]:
    """What a program has to write around asynchronous calls of the standard modules, which take
    the callback last: it sets a future."""
    future = loop.create_future()

    def done(completion: Any, value: Any = None) -> None:
        loop.call_soon_threadsafe(_finish, future, completion.get_return_value(), value)

    start(*args, done)
    return future


def _finish(future: asyncio.Future[Any], result: int, value: Any) -> None:
    if future.cancelled():
        return
    if result < 0:
        future.set_exception(OSError(-result, os.strerror(-result)))
    else:
        future.set_result(value)
