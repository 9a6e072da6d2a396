"""The iterators over what is mirrored in a pool."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any, Generic, TypeVar

from rbdcffi._buffers import number, string
from rbdcffi._calls import Calling
from rbdcffi._errors import ERANGE
from rbdcffi._ffi import NULL, ffi, has, lib
from rbdcffi.rados.ioctx import Ioctx
from rbdcffi.rbd._base import gate_of, name_of, pool_of
from rbdcffi.rbd._mirror_status import info_of, status_of
from rbdcffi.rbd.errors import failed

Item = TypeVar("Item")

#: How many images one call asks for.
CHUNK = 1024


class MirrorPeerIterator(Calling):
    """The peers of a pool, as they were when it was made; can be iterated over repeatedly.

    Yields dicts: uuid, direction (RBD_MIRROR_PEER_DIRECTION_*), site_name and cluster_name (the
    same), mirror_uuid ('' until an rbd-mirror has seen the peer), client_name.

    Implements: rbd_mirror_peer_site_list, rbd_mirror_peer_site_list_cleanup, rbd_mirror_peer_list,
    rbd_mirror_peer_list_cleanup
    """

    def __init__(self, ioctx: Ioctx) -> None:
        gate = gate_of(ioctx)
        sites = has("rbd_mirror_peer_site_list")
        count = ffi.new("int *", 10)
        while True:
            if sites:
                peers = ffi.new("rbd_mirror_peer_site_t[]", count[0])
                result = lib.rbd_mirror_peer_site_list(gate, peers, count)
            else:
                peers = ffi.new("rbd_mirror_peer_t[]", count[0])
                result = lib.rbd_mirror_peer_list(gate, peers, count)
            if result != -ERANGE:
                break
        if result < 0:
            raise failed(result, f"RBD.mirror_peer_list of pool {pool_of(ioctx)}")
        try:
            self._peers = [_peer(peers[i], sites) for i in range(count[0])]
        finally:
            if sites:
                lib.rbd_mirror_peer_site_list_cleanup(peers, count[0])
            else:
                lib.rbd_mirror_peer_list_cleanup(peers, count[0])

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter([dict(peer) for peer in self._peers])


def _peer(peer: Any, site: bool) -> dict[str, Any]:
    name = string(peer.site_name if site else peer.cluster_name)
    return {
        "uuid": string(peer.uuid),
        "direction": int(peer.direction if site else lib.RBD_MIRROR_PEER_DIRECTION_RX_TX),
        "site_name": name,
        "cluster_name": name,
        "mirror_uuid": string(peer.mirror_uuid) if site else "",
        "client_name": string(peer.client_name),
    }


class ImageChunks(Generic[Item]):
    """Entries of a pool's images, in the order of the images' ids, fetched as they are needed.

    The first chunk is fetched when it is made. Every iteration begins at the current chunk, and
    fetches those that follow for itself: several may run at once.
    """

    _call = ""

    def __init__(self, ioctx: Ioctx, *, chunk: int = CHUNK) -> None:
        self._gate = gate_of(ioctx)
        self._what = f"RBD.{self._call} of pool {pool_of(ioctx)}"
        self._size = number(chunk, f"{self._what}: chunk", 1, 1 << 20)
        self._current = self._fetch("")

    def get_next_chunk(self) -> None:
        """Fetches the next chunk and makes it the current one, where iterations begin.

        Raises Error.
        """
        self._current = self._after(self._current)

    def __iter__(self) -> Iterator[Item]:
        chunk = self._current
        while chunk:
            for _, entry in chunk:
                yield copy.deepcopy(entry)
            chunk = self._after(chunk)

    def _after(self, chunk: list[tuple[str, Item]]) -> list[tuple[str, Item]]:
        return self._fetch(chunk[-1][0]) if len(chunk) == self._size else []

    def _fetch(self, last: str) -> list[tuple[str, Item]]:
        """(id of the image, entry) of up to `_size` images behind the one with the id `last`."""
        ids = ffi.new("char *[]", self._size)
        count = ffi.new("size_t *", self._size)
        return self._list(name_of(last, self._what), ids, count)

    def _list(self, last: Any, ids: Any, count: Any) -> list[tuple[str, Item]]:
        raise NotImplementedError

    def _done(self, result: int) -> None:
        if result < 0:
            raise failed(result, self._what)


class MirrorImageStatusIterator(Calling, ImageChunks["dict[str, Any]"]):
    """The status of the images of a pool that are mirrored.

    Yields dicts: name, id, info (a dict: global_id, state), the status at this site: state
    (MIRROR_IMAGE_STATUS_STATE_*), description, last_update (a datetime in UTC), up (whether an
    rbd-mirror is at work), and remote_statuses: a list of dicts with the status at each other
    site: mirror_uuid, state, description, last_update, up. Ceph 14 knows of no other sites.

    Parameters:
        chunk: how many images one call to the cluster asks for.

    Raises Error, TypeError. Implements: rbd_mirror_image_global_status_list,
    rbd_mirror_image_global_status_list_cleanup, rbd_mirror_image_status_list,
    rbd_mirror_image_status_list_cleanup
    """

    _call = "mirror_image_status_list"

    def _list(self, last: Any, ids: Any, count: Any) -> list[tuple[str, dict[str, Any]]]:
        if has("rbd_mirror_image_global_status_list"):
            statuses = ffi.new("rbd_mirror_image_global_status_t[]", self._size)
            function = lib.rbd_mirror_image_global_status_list
            cleanup = lib.rbd_mirror_image_global_status_list_cleanup
        else:
            statuses = ffi.new("rbd_mirror_image_status_t[]", self._size)
            function = lib.rbd_mirror_image_status_list
            cleanup = lib.rbd_mirror_image_status_list_cleanup
        self._done(function(self._gate, last, self._size, ids, statuses, count))
        try:
            names = [string(ids[i]) for i in range(count[0])]
            return [
                (name, status_of(statuses[i], name, with_primary=False))
                for i, name in enumerate(names)
            ]
        finally:
            cleanup(ids, statuses, count[0])


class MirrorImageInstanceIdIterator(Calling, ImageChunks["tuple[str, str]"]):
    """Which rbd-mirror replicates which image of a pool.

    Yields (id of the image, instance id of the rbd-mirror).

    Parameters:
        chunk: how many images one call to the cluster asks for.

    Raises Error, TypeError. Implements: rbd_mirror_image_instance_id_list,
    rbd_mirror_image_instance_id_list_cleanup
    """

    _call = "mirror_image_instance_id_list"

    def _list(self, last: Any, ids: Any, count: Any) -> list[tuple[str, tuple[str, str]]]:
        instances = ffi.new("char *[]", self._size)
        self._done(
            lib.rbd_mirror_image_instance_id_list(
                self._gate, last, self._size, ids, instances, count
            )
        )
        try:
            pairs = [(string(ids[i]), string(instances[i])) for i in range(count[0])]
        finally:
            lib.rbd_mirror_image_instance_id_list_cleanup(ids, instances, count[0])
        return [(pair[0], pair) for pair in pairs]


class MirrorImageInfoIterator(Calling, ImageChunks["tuple[str, dict[str, Any]]"]):
    """Which images of a pool are mirrored, and as what.

    Yields (id of the image, dict): mode (RBD_MIRROR_IMAGE_MODE_*), global_id, state
    (RBD_MIRROR_IMAGE_*), primary.

    Parameters:
        mode_filter: only images of this mode, RBD_MIRROR_IMAGE_MODE_*; None: of any.
        chunk: how many images one call to the cluster asks for.

    Raises Error, TypeError, OverflowError. Implements: rbd_mirror_image_info_list,
    rbd_mirror_image_info_list_cleanup
    """

    _call = "mirror_image_info_list"

    def __init__(self, ioctx: Ioctx, mode_filter: int | None = None, *, chunk: int = CHUNK) -> None:
        self._filter = NULL
        if mode_filter is not None:
            what = f"RBD.{self._call} of pool {pool_of(ioctx)}: mode_filter"
            self._filter = ffi.new(
                "rbd_mirror_image_mode_t *", number(mode_filter, what, 0, (1 << 32) - 1)
            )
        super().__init__(ioctx, chunk=chunk)

    def _list(
        self, last: Any, ids: Any, count: Any
    ) -> list[tuple[str, tuple[str, dict[str, Any]]]]:
        modes = ffi.new("rbd_mirror_image_mode_t[]", self._size)
        infos = ffi.new("rbd_mirror_image_info_t[]", self._size)
        self._done(
            lib.rbd_mirror_image_info_list(
                self._gate, self._filter, last, self._size, ids, modes, infos, count
            )
        )
        try:
            pairs = [
                (string(ids[i]), {"mode": int(modes[i]), **info_of(infos[i])})
                for i in range(count[0])
            ]
        finally:
            lib.rbd_mirror_image_info_list_cleanup(ids, infos, count[0])
        return [(pair[0], pair) for pair in pairs]
