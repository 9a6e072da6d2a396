"""The cluster and the I/O context."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from typing import Any

import anyio

from rbdcffi import rados
from rbdcffi._calls import Calling, calling, named
from rbdcffi._errors import refusal
from rbdcffi._ffi import lib
from rbdcffi._secrets import Options
from rbdcffi.aio._object_operations import ObjectIO
from rbdcffi.aio._objects import Resource, check_object
from rbdcffi.aio._offload import offload, offload_alone, offload_io, offload_opening
from rbdcffi.aio._rados_methods import IoctxMethods, ObjectMethods, RadosMethods
from rbdcffi.aio.listings import Items, Listing
from rbdcffi.aio.notifications import LogStream, Notifications
from rbdcffi.aio.object_locks import ObjectLock
from rbdcffi.rados._notices import CAPACITY
from rbdcffi.rados.errors import invalid
from rbdcffi.rados.objects import Place
from rbdcffi.rados.slices import PAGE, Cursor
from rbdcffi.rados.snapshots import Snap


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
        rados_id: str | None = None,
        name: str | None = None,
        clustername: str | None = None,
        conf_defaults: Mapping[str, str] | None = None,
        conffile: str | int | None = rados.Rados.NO_CONF_FILE,
        conf: Mapping[str, str] | None = None,
        flags: int = 0,
        context: object = None,
        *,
        op_timeout: float | None = None,
        timeout: float = 0,
        limiter: anyio.CapacityLimiter | None = None,
    ) -> None:
        # there may be a key in them
        if isinstance(conf, Mapping):
            conf = Options(conf)
        if isinstance(conf_defaults, Mapping):
            conf_defaults = Options(conf_defaults)
        self._make = lambda: rados.Rados(
            rados_id,
            name,
            clustername,
            conf_defaults,
            conffile,
            conf,
            flags,
            context,
            op_timeout=op_timeout,
        )
        self._timeout = timeout
        self._limiter = limiter

    # for one whose constructor did not run
    _make: Callable[[], rados.Rados] | None = None
    _timeout: float = 0
    _sync: rados.Rados | None = None

    def _maker(self) -> rados.Rados:
        if self._make is None:
            raise refusal(lib.RBDCFFI_CLUSTER, lib.RBDCFFI_NEVER_OPENED, calling() or "Rados")
        return self._make()

    @property
    def sync(self) -> rados.Rados:
        """The synchronous object behind this one. Before connecting, the first use reads the
        configuration file."""
        if self._sync is None:
            self._sync = self._maker()
        return self._sync

    @property
    def state(self) -> str:
        """'configuring', 'connected' or 'shutdown'."""
        return "configuring" if self._sync is None else self._sync.state

    async def _open(self) -> None:
        if self.state == "configuring":
            await self.connect(self._timeout)
        else:
            self.sync.require_state("connected")

    async def _close(self) -> None:
        await self.shutdown()

    async def connect(self, timeout: float = 0) -> None:
        """Connects to the cluster; cancelling returns at once.

        Parameters:
            timeout: seconds after which to give up with TimedOut; 0 leaves it to the cluster's
                configuration (client_mount_timeout, 300 by default).

        Raises RadosStateError, TimedOut, ObjectNotFound, Error. Implements: rados_connect
        """
        if self._sync is None:
            made = await offload(self._maker, limiter=self._limiter)
            # unless another task was quicker
            self._sync = self._sync or made
        cluster = self._sync
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

    def open_ioctx(self, ioctx_name: str, *, engine: str = "threads") -> Ioctx:
        """Opens a pool: ``async with cluster.open_ioctx("rbd") as ioctx`` or
        ``ioctx = await cluster.open_ioctx("rbd")``.

        Parameters:
            engine: 'threads' makes calls on objects in worker threads; 'completions' uses
                librados's own asynchronous I/O, which is faster with many operations at once.

        Raises TypeError, InvalidArgumentError, ObjectNotFound, RadosStateError.
        Implements: rados_ioctx_create
        """
        return Ioctx(self, lambda: self.sync.open_ioctx(ioctx_name), engine=engine)

    def open_ioctx2(self, pool_id: int, *, engine: str = "threads") -> Ioctx:
        """Opens a pool by its id, as open_ioctx does by its name.

        Raises TypeError, InvalidArgumentError, ObjectNotFound, RadosStateError.
        Implements: rados_ioctx_create2
        """
        return Ioctx(self, lambda: self.sync.open_ioctx2(pool_id), engine=engine)

    def monitor_log(self, level: str = "info") -> LogStream:
        """``async for line in cluster.monitor_log()``: the lines of the cluster's log from a level
        on ("debug", "info", "sec", "warn", "error") as LogLine, whose texts are bytes.

        A connection has one such stream: a new one ends the one before.

        Raises LogicError (no such level), NotConnected, TypeError.
        Implements: rados_monitor_log2
        """
        return LogStream(self.sync, level)


class Ioctx(ObjectIO, IoctxMethods, Resource):
    """The asynchronous twin of rbdcffi.rados.Ioctx; made by Rados.open_ioctx."""

    def __init__(
        self, cluster: Rados, opener: Callable[[], rados.Ioctx], *, engine: str = "threads"
    ) -> None:
        check_object(cluster, "cluster", Rados, "rbdcffi.aio")
        if not callable(opener):
            raise TypeError(named(f"opener must be callable, not {type(opener).__name__}"))
        if engine not in ("threads", "completions"):
            raise invalid(f"engine must be 'threads' or 'completions', not {engine!r}")
        self.cluster = cluster
        self.engine = engine
        self._limiter = cluster._limiter
        self._opener = opener

    # for one whose constructor did not run
    _sync: rados.Ioctx | None = None

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
        return await offload_io(function, *args, limiter=self._limiter, **kwargs)

    async def _open(self) -> None:
        if self._sync is not None:
            self._sync.require_ioctx_open()
        else:
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
        return Ioctx(self.cluster, lambda: self.sync.dup(), engine=self.engine)

    def list_objects(self) -> ObjectStream:
        """``async for item in ioctx.list_objects()``: the objects of the selected namespace,
        fetched in pages.

        Raises IoctxStateError, Error.
        Implements: rados_nobjects_list_open, rados_nobjects_list_next2, rados_nobjects_list_close
        """
        return ObjectStream(self)

    async def list_page(
        self, start: Cursor | None = None, finish: Cursor | None = None, count: int = PAGE
    ) -> tuple[list[Object], Cursor]:
        """The objects of the selected namespace from `start` on, before `finish`, at most `count`.

        Returns (objects, the place to go on from). The list may be shorter, even empty, before the
        end is reached: go on until the place is not less than `finish`.

        Raises TypeError, OverflowError, Error.
        Implements: rados_object_list, rados_object_list_free
        """
        found, place = await self._run(self.sync.list_page, start, finish, count)
        return [Object(one, self._limiter) for one in found], place

    def list_slices(
        self, count: int, start: Cursor | None = None, finish: Cursor | None = None
    ) -> list[ObjectSlice]:
        """Divides the objects of the selected namespace into `count` parts of about the same size,
        to be listed by as many tasks: ``async for item in part`` for each of them.

        Raises TypeError, OverflowError, Error. Implements: rados_object_list_slice
        """
        return [ObjectSlice(self, part) for part in self.sync.list_slices(count, start, finish)]

    def list_snaps(self) -> Listing[Snap]:
        """The snapshots of the pool: ``async for snap in ioctx.list_snaps()``, or ``await`` for
        a list.

        Raises Error.
        Implements: rados_ioctx_snap_list, rados_ioctx_snap_get_name
        """
        return Listing(self, self.sync.list_snaps)

    def watch(
        self,
        obj: str,
        *,
        timeout: int | None = None,
        rewatch: bool = False,
        capacity: int = CAPACITY,
    ) -> Notifications:
        """``async with ioctx.watch(obj) as notifications`` and ``async for notification in
        notifications``: what others tell with notify.

        A notifier waits until the notification is acknowledged: by ``await
        notification.acknowledge(reply)``, or without a reply by the next step of the iteration.

        If notifications may have been missed, because the connection was lost (NotConnected) or
        more than `capacity` were waiting (ENOBUFS), the iteration raises that. With `rewatch` it
        watches again instead, for as long as it takes, and yields an Interruption, whose `error`
        it is; an object that is gone ends it with ObjectNotFound.

        Parameters:
            timeout: seconds after which the cluster forgets a client that has vanished; its
                osd_client_watch_timeout (30) if None.
            capacity: how many notifications may wait for the consumer. What does not fit is not
                acknowledged, so its notifier runs into its timeout.

        Raises ObjectNotFound, TimedOut (after rados_osd_op_timeout), TypeError, OverflowError.
        Implements: rados_watch3, rados_unwatch2
        """
        return Notifications(self, obj, timeout, rewatch, capacity)

    def lock_exclusive(
        self,
        key: str,
        name: str,
        cookie: str,
        desc: str = "",
        duration: float | None = None,
        flags: int = 0,
    ) -> ObjectLock:
        """Takes a lock that nobody else may hold: ``await ioctx.lock_exclusive(...)``, or
        ``async with ioctx.lock_exclusive(...)``, which unlocks at the end (and raises
        ObjectNotFound if the lock had expired, or was broken, by then).

        Cancelling leaves at once, and a lock that is taken after that is given back. But not if
        `flags` has LIBRADOS_LOCK_FLAG_MAY_RENEW or MUST_RENEW: the lock may be one that was held
        before, and stays. It is not known then whether it was renewed, or (MAY_RENEW) taken;
        list_lockers tells.

        The parameters and errors are those of rados.Ioctx.lock_exclusive.
        Implements: rados_lock_exclusive, rados_unlock
        """
        ioctx = self.sync
        return ObjectLock(
            self,
            lambda: ioctx.lock_exclusive(key, name, cookie, desc, duration, flags),
            lambda: ioctx.unlock(key, name, cookie),
            lambda: ioctx._undo_lock(key, name, cookie, flags),
        )

    def lock_shared(
        self,
        key: str,
        name: str,
        cookie: str,
        tag: str,
        desc: str = "",
        duration: float | None = None,
        flags: int = 0,
    ) -> ObjectLock:
        """Takes a lock together with all who give the same `tag`; see lock_exclusive.

        Implements: rados_lock_shared, rados_unlock
        """
        ioctx = self.sync
        return ObjectLock(
            self,
            lambda: ioctx.lock_shared(key, name, cookie, tag, desc, duration, flags),
            lambda: ioctx.unlock(key, name, cookie),
            lambda: ioctx._undo_lock(key, name, cookie, flags),
        )


class ObjectSlice(Calling):
    """A part of the objects of a pool; see Ioctx.list_slices. ``async for item in part`` fetches
    it in pages; each iteration begins anew."""

    def __init__(self, ioctx: Ioctx, sync: rados.ObjectSlice) -> None:
        check_object(sync, "sync", rados.ObjectSlice, "rbdcffi.rados")
        self._ioctx = ioctx
        self._sync = sync

    @property
    def start(self) -> Cursor:
        """The place where it begins."""
        return self._sync.start

    @property
    def finish(self) -> Cursor:
        """The place before which it ends."""
        return self._sync.finish

    def __aiter__(self) -> AsyncIterator[Object]:
        return ObjectStream(self._ioctx, lambda: self._sync)


def sync_of(thing: Any, what: str, cls: type[Rados | Ioctx]) -> Any:
    """The synchronous object behind an argument that must be an object of `cls`."""
    check_object(thing, what, cls, "rbdcffi.aio")
    return thing.sync


class ObjectStream(Items["Object"], Calling):
    """Yields the objects of a pool; see Ioctx.list_objects."""

    def __init__(
        self, ioctx: Ioctx, objects: Callable[[], Iterable[rados.Object]] | None = None
    ) -> None:
        check_object(ioctx, "ioctx", Ioctx, "rbdcffi.aio")
        super().__init__(ioctx, objects or ioctx.sync.list_objects)
        self._limiter = ioctx._limiter

    def __aiter__(self) -> ObjectStream:
        return self

    def _take(self, items: Iterator[rados.Object], most: int) -> list[Object]:
        limiter = self._limiter
        if isinstance(items, rados.ObjectIterator):
            ioctx = items._ioctx
            return [Object._found(ioctx, place, limiter) for place in items._page(most)]
        return [Object(one, limiter) for one in itertools.islice(items, most)]


class Object(ObjectMethods):
    """The asynchronous twin of rbdcffi.rados.Object."""

    _sync: rados.Object | None = None

    def __init__(self, sync: rados.Object, limiter: anyio.CapacityLimiter | None = None) -> None:
        check_object(sync, "sync", rados.Object, "rbdcffi.rados")
        self._sync = sync
        self._ioctx = sync.ioctx
        self._place = (sync.key, sync.locator_key or "", sync.nspace)
        self._limiter = limiter

    @classmethod
    def _found(
        cls, ioctx: rados.Ioctx, place: Place, limiter: anyio.CapacityLimiter | None
    ) -> Object:
        """One that was listed: there is nothing to check, and most of them are only named."""
        self = cls.__new__(cls)
        self._ioctx = ioctx
        self._place = place
        self._limiter = limiter
        return self

    async def _run(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return await offload_io(function, *args, limiter=self._limiter, **kwargs)

    @property
    def sync(self) -> rados.Object:
        """The synchronous object behind this one."""
        if self._sync is None:
            key, locator_key, nspace = self._place
            self._sync = rados.Object._found(self._ioctx, key, locator_key or None, nspace)
        return self._sync

    @property
    def key(self) -> str:
        """The object's name."""
        return self._place[0]

    @property
    def nspace(self) -> str:
        """The object's namespace."""
        return self._place[2]

    @property
    def locator_key(self) -> str | None:
        """What the object is placed by instead of its name."""
        return self._place[1] or None
