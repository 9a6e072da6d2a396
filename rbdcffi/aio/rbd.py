"""What is done to pools, and to images that are not open."""

from __future__ import annotations

from typing import Any

from rbdcffi import rbd
from rbdcffi.aio._rbd_methods import RBDMethods
from rbdcffi.aio.listings import Listing
from rbdcffi.aio.mirroring import MirrorLists
from rbdcffi.aio.rados import Ioctx, sync_of


class RBD(MirrorLists, RBDMethods):
    """The asynchronous twin of rbdcffi.rbd.RBD."""

    def __init__(self) -> None:
        self._sync = rbd.RBD()

    @property
    def sync(self) -> rbd.RBD:
        """The synchronous object behind this one."""
        return self._sync

    # -- lists: ``async for x in ...`` and ``await ...`` -----------------------------------------

    def list2(self, ioctx: Ioctx) -> Listing[dict[str, str]]:
        """The images in a pool (and namespace).

        Yields dicts: id, name.

        Raises Error. Implements: rbd_list2
        """
        return Listing(self, self.sync.list2, sync_of(ioctx, "ioctx", Ioctx))

    def trash_list(self, ioctx: Ioctx) -> Listing[dict[str, Any]]:
        """The images in the trash of a pool (and namespace).

        Yields dicts: id, name, source, deletion_time, deferment_end_time; see rbd.TrashIterator.

        Raises Error. Implements: rbd_trash_list
        """
        return Listing(self, self.sync.trash_list, sync_of(ioctx, "ioctx", Ioctx))

    def pool_metadata_list(self, ioctx: Ioctx) -> Listing[tuple[str, str]]:
        """The pool's metadata. Yields (key, value).

        Raises Error. Implements: rbd_pool_metadata_list
        """
        return Listing(self, self.sync.pool_metadata_list, sync_of(ioctx, "ioctx", Ioctx))

    def config_list(self, ioctx: Ioctx) -> Listing[dict[str, Any]]:
        """The options that a pool can override, with their values.

        Yields dicts: name, value, source; see rbd.ConfigPoolIterator.

        Raises Error. Implements: rbd_config_pool_list
        """
        return Listing(self, self.sync.config_list, sync_of(ioctx, "ioctx", Ioctx))
