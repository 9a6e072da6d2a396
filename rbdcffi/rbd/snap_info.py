"""Facts about snapshots of an open image."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from rbdcffi._buffers import grow, number, string
from rbdcffi._calls import Calling
from rbdcffi._errors import ENOENT, ERANGE
from rbdcffi._ffi import NULL, ffi, has, lib, needs
from rbdcffi.rbd._base import ImageBase, check_image, moment

_GROUP = ffi.typeof("rbd_snap_group_namespace_t *")
_TRASH = ffi.typeof("rbd_snap_trash_namespace_t *")
_MIRROR = ffi.typeof("rbd_snap_mirror_namespace_t *")


class SnapIterator(Calling):
    """The snapshots of an image, as they were when it was made; can be iterated over repeatedly.

    Yields dicts: id, size (bytes), name, namespace (RBD_SNAP_NAMESPACE_TYPE_*), and for snapshots
    that the user did not make, one of these dicts:

    - group: as snap_get_group_namespace() returns it,
    - trash: as snap_get_trash_namespace() returns it,
    - mirror: as snap_get_mirror_namespace() returns it.

    Implements: rbd_snap_list, rbd_snap_list_end, rbd_snap_get_namespace_type
    """

    def __init__(self, image: ImageBase) -> None:
        check_image(image)
        count = ffi.new("int *", 10)
        while True:
            infos = ffi.new("rbd_snap_info_t[]", count[0])
            result = lib.rbd_snap_list(image._gate, infos, count)
            if result != -ERANGE:
                break
        if result < 0:
            raise image._failed(result, "list_snaps")
        try:
            snaps = [_snapshot(image, infos[i]) for i in range(result)]
        finally:
            if result > 0:
                lib.rbd_snap_list_end(infos)
        self._snaps = [snap for snap in snaps if snap is not None]

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter([dict(snap) for snap in self._snaps])


def _snapshot(image: ImageBase, info: Any) -> dict[str, Any] | None:
    """What SnapIterator yields; None if the snapshot was removed since it was listed."""
    snap_id = info.id
    kind = ffi.new("rbd_snap_namespace_type_t *")
    result = lib.rbd_snap_get_namespace_type(image._gate, snap_id, kind)
    details = _DETAILS.get(int(kind[0])) if result >= 0 else None
    more = {}
    if details is not None:
        name, get = details
        result, more[name] = get(image, snap_id)
    if result == -ENOENT:
        return None
    image._done(result, "list_snaps")
    return {
        "id": snap_id,
        "size": info.size,
        "name": string(info.name),
        "namespace": int(kind[0]),
        **more,
    }


#: (the C result, what C told if it is not negative)
Answer = tuple[int, dict[str, Any]]


def _group(image: ImageBase, snap_id: int) -> Answer:
    info = ffi.new(_GROUP)
    size = ffi.sizeof(info[0])
    result = lib.rbd_snap_get_group_namespace(image._gate, snap_id, info, size)
    if result < 0:
        return result, {}
    try:
        return result, {
            "pool": info.group_pool,
            "name": string(info.group_name),
            "snap_name": string(info.group_snap_name),
        }
    finally:
        lib.rbd_snap_group_namespace_cleanup(info, size)


def _trash(image: ImageBase, snap_id: int) -> Answer:
    if has("rbd_snap_get_trash_namespace2"):
        info = ffi.new(_TRASH)
        size = ffi.sizeof(info[0])
        result = lib.rbd_snap_get_trash_namespace2(image._gate, snap_id, info, size)
        if result < 0:
            return result, {}
        try:
            return result, {
                "original_namespace_type": int(info.original_namespace_type),
                "original_name": string(info.original_name),
            }
        finally:
            lib.rbd_snap_trash_namespace_cleanup(info, size)
    name: Any = NULL

    def attempt(length: int) -> tuple[int, int]:
        nonlocal name
        name = ffi.new("char[]", length)
        return lib.rbd_snap_get_trash_namespace(image._gate, snap_id, name, length), length

    result = grow(attempt, 256)
    return result, {"original_name": string(name)}


def _mirror(image: ImageBase, snap_id: int) -> Answer:
    info = ffi.new(_MIRROR)
    size = ffi.sizeof(info[0])
    result = lib.rbd_snap_get_mirror_namespace(image._gate, snap_id, info, size)
    if result < 0:
        return result, {}
    try:
        peers, uuids = info.mirror_peer_uuids, []
        for _ in range(info.mirror_peer_uuids_count):
            uuid = ffi.string(peers)
            uuids.append(uuid.decode())
            peers += len(uuid) + 1
        return result, {
            "state": int(info.state),
            "mirror_peer_uuids": uuids,
            "complete": info.complete,
            "primary_mirror_uuid": string(info.primary_mirror_uuid),
            "primary_snap_id": info.primary_snap_id,
            "last_copied_object_number": info.last_copied_object_number,
        }
    finally:
        lib.rbd_snap_mirror_namespace_cleanup(info, size)


#: {type of namespace: (key in what SnapIterator yields, how to ask)}
_DETAILS: dict[int, tuple[str, Callable[[ImageBase, int], Answer]]] = {
    lib.RBD_SNAP_NAMESPACE_TYPE_GROUP: ("group", _group),
    lib.RBD_SNAP_NAMESPACE_TYPE_TRASH: ("trash", _trash),
}
if has("rbd_snap_get_mirror_namespace"):
    _DETAILS[lib.RBD_SNAP_NAMESPACE_TYPE_MIRROR] = ("mirror", _mirror)


class SnapInfo(ImageBase):
    """The part of Image that tells facts about snapshots."""

    def list_snaps(self) -> SnapIterator:
        """The snapshots of the image. Raises Error. Implements: rbd_snap_list"""
        return SnapIterator(self)

    @needs("rbd_snap_exists")
    def snap_exists(self, name: str) -> bool:
        """Whether there is a snapshot of this name. Needs Ceph 16.

        Raises InvalidArgument. Implements: rbd_snap_exists
        """
        exists = ffi.new("bool *")
        self._done(
            lib.rbd_snap_exists(self._gate, self._name(name, "snap_exists"), exists),
            f"snap_exists({name!r})",
        )
        return bool(exists[0])

    @needs("rbd_snap_get_id")
    def snap_get_id(self, snap_name: str) -> int:
        """The id of a snapshot that the user made. Needs Ceph 16.

        Raises ImageNotFound, InvalidArgument. Implements: rbd_snap_get_id
        """
        snap_id = ffi.new("uint64_t *")
        name = self._name(snap_name, "snap_get_id", "snap_name")
        self._done(lib.rbd_snap_get_id(self._gate, name, snap_id), f"snap_get_id({snap_name!r})")
        return int(snap_id[0])

    @needs("rbd_snap_get_name")
    def snap_get_name(self, snap_id: int) -> str:
        """The name of a snapshot. Needs Ceph 16.

        Raises ImageNotFound, TypeError, OverflowError. Implements: rbd_snap_get_name
        """
        what = self._snap_call("snap_get_name", snap_id)
        size = ffi.new("size_t *")
        name: Any = NULL

        def attempt(length: int) -> tuple[int, int]:
            nonlocal name
            name = ffi.new("char[]", length)
            size[0] = length
            return lib.rbd_snap_get_name(self._gate, snap_id, name, size), size[0]

        self._done(grow(attempt, 256), what)
        return string(name)

    def get_snap_limit(self) -> int:
        """How many snapshots there can be, 2**64-1 for no limit.

        Raises Error. Implements: rbd_snap_get_limit
        """
        limit = ffi.new("uint64_t *")
        self._done(lib.rbd_snap_get_limit(self._gate, limit), "get_snap_limit")
        return int(limit[0])

    def get_snap_timestamp(self, snap_id: int) -> datetime:
        """When a snapshot was made: aware, in UTC.

        Before Ceph 18 this waits until no other call is running on the image, and keeps new ones
        waiting meanwhile (librbd could crash); for the same reason it is refused in a callback of
        one of the image's calls.

        Raises ImageNotFound, TypeError, OverflowError. Implements: rbd_snap_get_timestamp
        """
        what = self._snap_call("get_snap_timestamp", snap_id)
        time = ffi.new("struct timespec *")
        # the one that came with the release that made it safe
        if has("rbd_encryption_load2"):
            result = lib.rbd_snap_get_timestamp(self._gate, snap_id, time)
        else:
            result = lib.rbdcffi_snap_get_timestamp(self._gate, snap_id, time)
        self._done(result, what)
        return moment(time.tv_sec)

    def snap_get_namespace_type(self, snap_id: int) -> int:
        """What a snapshot belongs to, RBD_SNAP_NAMESPACE_TYPE_*.

        Raises ImageNotFound, TypeError, OverflowError. Implements: rbd_snap_get_namespace_type
        """
        what = self._snap_call("snap_get_namespace_type", snap_id)
        kind = ffi.new("rbd_snap_namespace_type_t *")
        self._done(lib.rbd_snap_get_namespace_type(self._gate, snap_id, kind), what)
        return int(kind[0])

    def snap_get_group_namespace(self, snap_id: int) -> dict[str, Any]:
        """The snapshot of a group that a snapshot belongs to.

        Returns a dict: pool (the id of the group's pool), name (of the group), snap_name (of the
        group's snapshot).

        Raises ImageNotFound, InvalidArgument (it belongs to none), TypeError, OverflowError.
        Implements: rbd_snap_get_group_namespace, rbd_snap_group_namespace_cleanup
        """
        return self._details(_group, self._snap_call("snap_get_group_namespace", snap_id), snap_id)

    def snap_get_trash_namespace(self, snap_id: int) -> dict[str, Any]:
        """What a snapshot was before it was removed while it had clones.

        Returns a dict: original_name, and from Ceph 20 on original_namespace_type
        (RBD_SNAP_NAMESPACE_TYPE_*).

        Raises ImageNotFound, InvalidArgument (it is not in the trash), TypeError, OverflowError.
        Implements: rbd_snap_get_trash_namespace2, rbd_snap_trash_namespace_cleanup,
        rbd_snap_get_trash_namespace
        """
        return self._details(_trash, self._snap_call("snap_get_trash_namespace", snap_id), snap_id)

    @needs("rbd_snap_get_mirror_namespace")
    def snap_get_mirror_namespace(self, snap_id: int) -> dict[str, Any]:
        """What a snapshot is for mirroring. Needs Ceph 16.

        Returns a dict: state (RBD_SNAP_MIRROR_STATE_*), mirror_peer_uuids (list of str: peers that
        do not have it yet), complete (bool), primary_mirror_uuid, primary_snap_id,
        last_copied_object_number.

        Raises ImageNotFound, InvalidArgument (it is none of mirroring), TypeError, OverflowError.
        Implements: rbd_snap_get_mirror_namespace, rbd_snap_mirror_namespace_cleanup
        """
        what = self._snap_call("snap_get_mirror_namespace", snap_id)
        return self._details(_mirror, what, snap_id)

    def _details(
        self, get: Callable[[ImageBase, int], Answer], what: str, snap_id: int
    ) -> dict[str, Any]:
        result, details = get(self, snap_id)
        self._done(result, what)
        return details

    def _snap_call(self, call: str, snap_id: int) -> str:
        """The call for messages; raises if `snap_id` is nothing that C can be given."""
        what = f"{call}({snap_id!r})"
        snap_id = number(snap_id, f"{self._calling(what)}: snap_id")
        return what
