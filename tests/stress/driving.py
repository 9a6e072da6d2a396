"""Ways to make the same calls: of the synchronous core, and of the facade in some event loop."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import anyio
from anyio.from_thread import start_blocking_portal

from rbdcffi import aio, rados, rbd

Extents = list[tuple[int, int, bool]]


class Driver:
    """Connections, which it shuts down at the end, and calls of what it has made."""

    rbd: Any

    def __init__(self) -> None:
        self._clusters: list[Any] = []
        self._held: list[
            Any
        ] = []  # what is closed with its cluster, and must not be collected before

    def __enter__(self) -> Driver:
        return self

    def __exit__(self, *exc_info: object) -> None:
        for cluster in self._clusters:
            self.do(cluster.shutdown)

    def connect(self, *, timeout: float = 30, **arguments: Any) -> Any:
        """A new connection; the arguments are those of Rados."""
        cluster = self.cluster(**arguments)
        self._clusters.append(cluster)
        self.do(cluster.connect, timeout)
        return cluster

    def cluster(self, **arguments: Any) -> Any:
        raise NotImplementedError

    def pool(self, cluster: Any, name: str) -> Any:
        raise NotImplementedError

    def open(self, ioctx: Any, name: str, **options: Any) -> Any:
        raise NotImplementedError

    def do(self, function: Any, *args: Any, **options: Any) -> Any:
        """Makes the call and waits for it."""
        raise NotImplementedError

    def many(self, image: Any, writes: list[tuple[bytes, int]]) -> None:
        """Writes side by side."""
        raise NotImplementedError

    def extents(self, image: Any, *args: Any, **options: Any) -> Extents:
        """What the iterator of a diff yields."""
        raise NotImplementedError


class Sync(Driver):
    def __init__(self) -> None:
        super().__init__()
        self.rbd = rbd.RBD()

    def cluster(self, **arguments: Any) -> Any:
        return rados.Rados(**arguments)

    def pool(self, cluster: Any, name: str) -> Any:
        self._held.append(cluster.open_ioctx(name))
        return self._held[-1]

    def open(self, ioctx: Any, name: str, **options: Any) -> Any:
        self._held.append(rbd.Image(ioctx, name, **options))
        return self._held[-1]

    def do(self, function: Any, *args: Any, **options: Any) -> Any:
        return function(*args, **options)

    def many(self, image: Any, writes: list[tuple[bytes, int]]) -> None:
        called: list[int] = []
        lock = threading.Lock()

        def done(completion: rbd.Completion) -> None:
            with lock:
                called.append(completion.get_return_value())

        for completion in [image.aio_write(*write, done) for write in writes]:
            completion.wait_for_complete_and_cb()
        assert len(called) == len(writes) and set(called) <= {0}

    def extents(self, image: Any, *args: Any, **options: Any) -> Extents:
        return list(image.diff(*args, **options))


class Async(Driver):
    def __init__(self, backend: str, engine: str) -> None:
        super().__init__()
        self.rbd = aio.RBD()
        self._engine = engine
        self._loop = start_blocking_portal(backend)
        self._portal = self._loop.__enter__()

    def __exit__(self, *exc_info: object) -> None:
        try:
            super().__exit__(*exc_info)
        finally:
            self._loop.__exit__(None, None, None)

    def _awaited(self, thing: Any) -> Any:
        async def wait() -> Any:
            return await thing

        self._held.append(self._portal.call(wait))
        return self._held[-1]

    def cluster(self, **arguments: Any) -> Any:
        return aio.Rados(**arguments)

    def pool(self, cluster: Any, name: str) -> Any:
        return self._awaited(cluster.open_ioctx(name, engine=self._engine))

    def open(self, ioctx: Any, name: str, **options: Any) -> Any:
        return self._awaited(aio.Image(ioctx, name, engine=self._engine, **options))

    def do(self, function: Any, *args: Any, **options: Any) -> Any:
        return self._portal.call(partial(function, *args, **options))

    def many(self, image: Any, writes: list[tuple[bytes, int]]) -> None:
        async def run() -> None:
            async with anyio.create_task_group() as group:
                for data, offset in writes:
                    group.start_soon(image.write, data, offset)

        self._portal.call(run)

    def extents(self, image: Any, *args: Any, **options: Any) -> Extents:
        async def run() -> Extents:
            return [extent async for extent in image.diff(*args, **options)]

        return self._portal.call(run)


DRIVERS: dict[str, Callable[[], Driver]] = {
    "sync": Sync,
    "asyncio-threads": partial(Async, "asyncio", "threads"),
    "asyncio-completions": partial(Async, "asyncio", "completions"),
    "trio-threads": partial(Async, "trio", "threads"),
    "trio-completions": partial(Async, "trio", "completions"),
}
