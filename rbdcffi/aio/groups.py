"""Consistency groups."""

from __future__ import annotations

import anyio

from rbdcffi import rbd
from rbdcffi.aio._objects import check_object
from rbdcffi.aio._rbd_methods import GroupMethods
from rbdcffi.aio.rados import Ioctx


class Group(GroupMethods):
    """The asynchronous twin of rbdcffi.rbd.Group, with the same parameters.

    It opens nothing: ``group = Group(ioctx, "name")`` is all, of an open context; ``async with``
    is for symmetry.

    Parameters:
        limiter: of the worker threads for this object's calls; the event loop's if None.
    """

    def __init__(
        self,
        ioctx: Ioctx,
        name: str | bytes,
        *,
        limiter: anyio.CapacityLimiter | None = None,
    ) -> None:
        check_object(ioctx, "ioctx", Ioctx, "rbdcffi.aio")
        self.ioctx = ioctx
        self._limiter = limiter or ioctx._limiter
        self._sync = rbd.Group(ioctx.sync, name)

    @property
    def sync(self) -> rbd.Group:
        """The synchronous object behind this one."""
        return self._sync

    @property
    def name(self) -> str:
        """The group's name."""
        return self._sync.name

    async def __aenter__(self) -> Group:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        pass
