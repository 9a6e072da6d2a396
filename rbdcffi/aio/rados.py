"""The cluster and the I/O context."""

from __future__ import annotations

import itertools
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Any

import anyio

from rbdcffi import rados
from rbdcffi.aio._objects import Resource
from rbdcffi.aio._offload import io_limiter, offload, offload_alone, offload_opening
from rbdcffi.aio._rados_methods import IoctxMethods, ObjectMethods, RadosMethods

#: How many objects one step of a listing fetches.
PAGE = 1000


class Rados(RadosMethods, Resource):
    """The asynchronous twin of rbdcffi.rados.Rados, with the same parameters.

    ``async with Rados(...) as cluster`` and ``cluster = await Rados(...)`` connect. Cancelling
    that returns at once.

    Parameters:
        timeout: of connecting, in seconds; 0 leaves it to the cluster's configuration.
        limiter: of the worker threads for this object's calls; the event loop's if None.
    """

    def __init__(
        self,
        *args: Any,
        timeout: float = 0,
        limiter: anyio.CapacityLimiter | None = None,
        **kwargs: Any,
    ) -> None:
        self._arguments = (args, kwargs)
        self._timeout = timeout
        self._limiter = limiter
        self._sync: rados.Rados | None = None

    @property
    def sync(self) -> rados.Rados:
        """The synchronous object behind this one."""
        if self._sync is None:
            args, kwargs = self._arguments
            # reads a configuration file at most
            self._sync = rados.Rados(*args, **kwargs)
        return self._sync

    @property
    def state(self) -> str:
        """'configuring', 'connected' or 'shutdown'."""
        return "configuring" if self._sync is None else self._sync.state

    async def _open(self) -> None:
        if self.state == "configuring":
            await self.connect(self._timeout)

    async def _close(self) -> None:
        await self.shutdown()

    async def connect(self, timeout: float = 0) -> None:
        """Connects to the cluster; cancelling returns at once.

        Parameters:
            timeout: seconds after which to give up with TimedOut; 0 leaves it to the cluster's
                configuration (client_mount_timeout, 300 by default).

        Raises RadosStateError, TimedOut, ObjectNotFound, Error. Implements: rados_connect
        """

        cluster = self.sync
        await offload_opening(
            lambda: cluster.connect(timeout),
            lambda result: cluster.shutdown(),
            cluster._open_handle,
        )

    async def shutdown(self) -> None:
        """Disconnects. Open images and I/O contexts are closed first; idempotent.

        Implements: rados_shutdown
        """
        if self._sync is not None:
            await offload_alone(self._sync.shutdown)

    def open_ioctx(self, ioctx_name: str) -> Ioctx:
        """Opens a pool: ``async with cluster.open_ioctx("rbd") as ioctx`` or
        ``ioctx = await cluster.open_ioctx("rbd")``.

        Raises TypeError, ObjectNotFound, RadosStateError. Implements: rados_ioctx_create
        """
        return Ioctx(self, lambda: self.sync.open_ioctx(ioctx_name))

    def open_ioctx2(self, pool_id: int) -> Ioctx:
        """Opens a pool by its id, as open_ioctx does by its name.

        Raises TypeError, ObjectNotFound, RadosStateError. Implements: rados_ioctx_create2
        """
        return Ioctx(self, lambda: self.sync.open_ioctx2(pool_id))


class Ioctx(IoctxMethods, Resource):
    """The asynchronous twin of rbdcffi.rados.Ioctx; made by Rados.open_ioctx."""

    def __init__(self, cluster: Rados, opener: Callable[[], rados.Ioctx]) -> None:
        self.cluster = cluster
        self._limiter = cluster._limiter
        self._opener = opener
        self._sync: rados.Ioctx | None = None

    @property
    def sync(self) -> rados.Ioctx:
        """The synchronous object behind this one."""
        if self._sync is None:
            raise RuntimeError("the I/O context is not open: await it, or use async with")
        return self._sync

    @property
    def name(self) -> str:
        """The pool's name."""
        return self.sync.name

    @property
    def state(self) -> str:
        """'open' or 'closed'."""
        return "closed" if self._sync is None else self._sync.state

    async def _run(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return await offload(function, *args, limiter=self._limiter or io_limiter(), **kwargs)

    async def _open(self) -> None:
        if self._sync is None:
            self._sync = await offload_opening(
                self._opener, rados.Ioctx.close, self.cluster.sync._open_handle
            )

    async def _close(self) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes the context; idempotent. Implements: rados_ioctx_destroy"""
        if self._sync is not None:
            await offload_alone(self._sync.close)

    def dup(self) -> Ioctx:
        """Another context for the same pool, namespace and locator key.

        Raises IoctxStateError, Error. Implements: rados_ioctx_get_id, rados_ioctx_create2
        """
        return Ioctx(self.cluster, lambda: self.sync.dup())

    def list_objects(self) -> ObjectStream:
        """``async for item in ioctx.list_objects()``: the objects of the selected namespace,
        fetched in pages.

        Raises IoctxStateError, Error.
        Implements: rados_nobjects_list_open, rados_nobjects_list_next2, rados_nobjects_list_close
        """
        return ObjectStream(self)


class ObjectStream(AsyncIterator["Object"]):
    """Yields the objects of a pool; see Ioctx.list_objects."""

    def __init__(self, ioctx: Ioctx) -> None:
        self._ioctx = ioctx
        self._listing: rados.ObjectIterator | None = None
        self._lock = threading.Lock()
        self._page: deque[rados.Object] = deque()

    def __aiter__(self) -> ObjectStream:
        return self

    async def __anext__(self) -> Object:
        if not self._page:
            await self._ioctx._run(self._fetch)
            if not self._page:
                raise StopAsyncIteration
        return Object(self._page.popleft(), self._ioctx._limiter)

    def _fetch(self) -> None:
        """Fills the page; one that was fetched for a cancelled step is there for the next."""
        with self._lock:
            if self._page:
                return
            if self._listing is None:
                self._listing = self._ioctx.sync.list_objects()
            self._page.extend(itertools.islice(self._listing, PAGE))


class Object(ObjectMethods):
    """The asynchronous twin of rbdcffi.rados.Object."""

    def __init__(self, sync: rados.Object, limiter: anyio.CapacityLimiter | None = None) -> None:
        self._sync = sync
        self._limiter = limiter

    async def _run(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return await offload(function, *args, limiter=self._limiter or io_limiter(), **kwargs)

    @property
    def sync(self) -> rados.Object:
        """The synchronous object behind this one."""
        return self._sync

    @property
    def key(self) -> str:
        """The object's name."""
        return self._sync.key

    @property
    def nspace(self) -> str:
        """The object's namespace."""
        return self._sync.nspace

    @property
    def locator_key(self) -> str | None:
        """What the object is placed by instead of its name."""
        return self._sync.locator_key
