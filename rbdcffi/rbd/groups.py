"""Consistency groups: images whose snapshots are taken at one moment."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Callable

from rbdcffi._buffers import UINT, decode, grow, number, string, strings
from rbdcffi._callbacks import Progress
from rbdcffi._calls import Calling, calling, named
from rbdcffi._errors import EBUSY, ERANGE, REASONS, CephError, refusal
from rbdcffi._ffi import NULL, ffi, has, lib, needs
from rbdcffi.rados.ioctx import Ioctx
from rbdcffi.rbd._base import gate_of, name_of, pool_of
from rbdcffi.rbd.errors import ImageBusy, failed, group_failed, invalid

_IMAGES = ffi.typeof("rbd_group_image_info_t[]")
_IMAGE_SIZE = ffi.sizeof("rbd_group_image_info_t")
_SNAPS = ffi.typeof("rbd_group_snap_info_t[]")
_SNAP_SIZE = ffi.sizeof("rbd_group_snap_info_t")
_SNAPS2 = ffi.typeof("rbd_group_snap_info2_t[]")


class Groups:
    """The part of RBD that makes, finds, renames and removes groups."""

    def group_create(self, ioctx: Ioctx, name: str) -> None:
        """Creates a group, without images.

        Raises ObjectExists, InvalidArgument (the name is empty), FunctionNotSupported.
        Implements: rbd_group_create
        """
        what = f"RBD.group_create({name!r}) in pool {pool_of(ioctx)}"
        result = lib.rbd_group_create(gate_of(ioctx), name_of(name, what))
        if result < 0:
            raise group_failed(result, what)

    def group_remove(self, ioctx: Ioctx, name: str) -> None:
        """Removes a group with its snapshots; its images stay. A group that does not exist is no
        error (the reference says ObjectNotFound; this is what librbd does).

        Raises InvalidArgument, FunctionNotSupported. Implements: rbd_group_remove
        """
        what = f"RBD.group_remove({name!r}) in pool {pool_of(ioctx)}"
        result = lib.rbd_group_remove(gate_of(ioctx), name_of(name, what))
        if result < 0:
            raise group_failed(result, what)

    def group_list(self, ioctx: Ioctx) -> list[str]:
        """The names of the groups in a pool (and namespace).

        Raises FunctionNotSupported. Implements: rbd_group_list
        """
        gate = gate_of(ioctx)
        size = ffi.new("size_t *")
        buffer: Any = NULL

        def attempt(length: int) -> tuple[int, int]:
            nonlocal buffer
            buffer = ffi.new("char[]", length)
            size[0] = length
            return lib.rbd_group_list(gate, buffer, size), size[0]

        result = grow(attempt, 1024)
        if result < 0:
            raise group_failed(result, f"RBD.group_list of pool {pool_of(ioctx)}")
        return strings(buffer, result)

    def group_rename(self, ioctx: Ioctx, src: str, dest: str) -> None:
        """Renames a group.

        Raises ImageNotFound, ImageExists (the reference says ObjectNotFound and ObjectExists; these
        are what the standard binding raises), InvalidArgument, FunctionNotSupported.
        Implements: rbd_group_rename
        """
        what = f"RBD.group_rename({src!r}, {dest!r}) in pool {pool_of(ioctx)}"
        gate = gate_of(ioctx)
        result = lib.rbd_group_rename(gate, name_of(src, what, "src"), name_of(dest, what, "dest"))
        if result < 0:
            raise failed(result, what)


class Group(Calling):
    """A consistency group. It holds nothing open: ``with`` is for symmetry, there is no close().

    Parameters:
        ioctx: where the group is. It stays in use: calls after its close() raise IoctxStateError,
            and set_namespace() on it moves this object to the group of that name there.
        name: name of the group, which need not exist yet.

    Raises TypeError, InvalidArgument.
    """

    # for one whose constructor did not run, or not to its end
    ioctx: Ioctx = None  # type: ignore[assignment]
    name = ""

    def __init__(self, ioctx: Ioctx, name: str | bytes) -> None:
        gate_of(ioctx)
        self._c_name = name_of(name, f"Group({name!r}) in pool {pool_of(ioctx)}")
        # referenced for as long as this exists: the calls below pass its gate
        self.ioctx = ioctx
        self.name = decode(self._c_name)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._label}>"

    def __enter__(self) -> Group:
        return self

    def __exit__(self, *exc_info: object) -> None:
        pass

    @property
    def _label(self) -> str:
        """pool/namespace/group, for messages."""
        return "" if self.ioctx is None else f"{self.ioctx._label}/{self.name}"

    @property
    def _gate(self) -> Any:
        if self.ioctx is None:
            raise refusal(lib.RBDCFFI_IOCTX, lib.RBDCFFI_NEVER_OPENED, calling())
        return self.ioctx._gate

    def _calling(self, call: str, arguments: Mapping[str, Any] | None = None) -> str:
        return f"Group.{call} of {self._label!r}" if self._label else f"Group.{call}"

    def _failed(self, result: int, call: str) -> CephError:
        return group_failed(result, self._calling(call))

    def _done(self, result: int, call: str) -> None:
        if result < 0:
            raise self._failed(result, call)

    def _name(self, value: object, call: str, what: str = "snap_name") -> Any:
        return name_of(value, self._calling(call), what)

    @needs("rbd_group_get_id")
    def id(self) -> str:
        """The group's internal id. Needs Ceph 20.

        Raises ObjectNotFound. Implements: rbd_group_get_id
        """
        size = ffi.new("size_t *")
        buffer: Any = NULL

        def attempt(length: int) -> tuple[int, int]:
            nonlocal buffer
            buffer = ffi.new("char[]", length)
            size[0] = length
            return lib.rbd_group_get_id(self._gate, self._c_name, buffer, size), size[0]

        self._done(grow(attempt, 64), "id")
        return string(buffer)

    # -- images --------------------------------------------------------------------------------

    def add_image(self, image_ioctx: Ioctx, image_name: str) -> None:
        """Makes an image a member. An image can be in one group only; one that is in this group
        already is no error.

        Parameters:
            image_ioctx: where the image is; in any pool, but in the namespace of the same name as
                the group's.

        Raises ObjectNotFound (no such group or image), ObjectExists (it is in another group),
        InvalidArgument (another namespace), FunctionNotSupported. Implements: rbd_group_image_add
        """
        image_gate = gate_of(image_ioctx, "image_ioctx")
        self._done(
            lib.rbd_group_image_add(
                self._gate,
                self._c_name,
                image_gate,
                self._name(image_name, "add_image", "image_name"),
            ),
            f"add_image({image_name!r} in pool {pool_of(image_ioctx)})",
        )

    def remove_image(
        self,
        image_ioctx: Ioctx,
        image_name: str | None = None,
        *,
        image_id: str | None = None,
    ) -> None:
        """Ends the membership of an image; the image stays, and so do its snapshots of the group.
        An image that is no member is no error.

        Be sure that the image is not in another group: librbd says so (OSError, EBADF), but lists
        it here from then on, as RBD_GROUP_IMAGE_STATE_INCOMPLETE, and the group can be removed only
        after the image has left the other group and been removed here once more.

        Parameters:
            image_ioctx: where the image is.
            image_id: its internal id, instead of the name; for images in the trash.

        Raises ObjectNotFound (no such group or image), InvalidArgument (another namespace than the
        group's), FunctionNotSupported.
        Implements: rbd_group_image_remove, rbd_group_image_remove_by_id
        """
        image_gate = gate_of(image_ioctx, "image_ioctx")
        if image_id is None:
            function, target, what = lib.rbd_group_image_remove, image_name, "image_name"
        elif image_name is None:
            function, target, what = lib.rbd_group_image_remove_by_id, image_id, "image_id"
        else:
            raise invalid(
                f"Group.remove_image of {self._label!r}: give a name or an image_id, not both"
            )
        self._done(
            function(
                self._gate,
                self._c_name,
                image_gate,
                self._name(target, "remove_image", what),
            ),
            f"remove_image({what}={target!r} in pool {pool_of(image_ioctx)})",
        )

    def list_images(self) -> GroupImageIterator:
        """The images of the group; none if there is no such group.

        While one of them is in the trash librbd lists none at all (Ceph 14 and 16 let members in).

        Yields dicts: name, pool (its id), state (RBD_GROUP_IMAGE_STATE_*).

        Raises Error. Implements: rbd_group_image_list
        """
        return GroupImageIterator(self)

    # -- snapshots -----------------------------------------------------------------------------

    def create_snap(self, snap_name: str, flags: int = 0) -> None:
        """Makes a snapshot of all images at one moment: their exclusive locks are taken first.

        This and rollback_to_snap take turns within a process. Do them for one group from one
        process only while its images are written: librbd waits for ever where two calls have got
        some of the locks each.

        Parameters:
            flags: RBD_SNAP_CREATE_*; needs Ceph 16.

        Raises ObjectNotFound (no such group), ObjectExists, InvalidArgument, FunctionNotSupported,
        TypeError, OverflowError. Implements: rbd_group_snap_create2, rbd_group_snap_create
        """
        what = f"create_snap({snap_name!r})"
        snap = self._name(snap_name, "create_snap")
        gate = self._gate
        flags = number(flags, f"{self._calling(what)}: flags", *UINT)
        if flags and not has("rbd_group_snap_create2"):
            raise invalid(f"{self._calling(what)}: flags need Ceph 16")
        if flags:
            what = f"create_snap({snap_name!r}, {flags})"
        with _turn(self, what):
            if not has("rbd_group_snap_create2"):
                result = lib.rbd_group_snap_create(gate, self._c_name, snap)
            else:
                result = lib.rbd_group_snap_create2(gate, self._c_name, snap, flags)
        self._done(result, what)

    def remove_snap(self, snap_name: str) -> None:
        """Removes a snapshot from the group and from all images.

        Raises ObjectNotFound, InvalidArgument, FunctionNotSupported.
        Implements: rbd_group_snap_remove
        """
        self._done(
            lib.rbd_group_snap_remove(
                self._gate, self._c_name, self._name(snap_name, "remove_snap")
            ),
            f"remove_snap({snap_name!r})",
        )

    @needs("rbd_group_snap_get_info")
    def get_snap_info(self, snap_name: str) -> dict[str, Any]:
        """Facts about a snapshot. Needs Ceph 20.

        Returns a dict: id, name, state (RBD_GROUP_SNAP_STATE_*), namespace_type
        (RBD_GROUP_SNAP_NAMESPACE_TYPE_*), image_snap_name (what the snapshot is called in each
        image), image_snaps (a list of dicts: pool_id, snap_id, image_name).

        Raises ObjectNotFound, InvalidArgument, FunctionNotSupported.
        Implements: rbd_group_snap_get_info, rbd_group_snap_get_info_cleanup
        """
        _not_in_callback(self, f"get_snap_info({snap_name!r})")
        info = ffi.new("rbd_group_snap_info2_t *")
        self._done(
            lib.rbd_group_snap_get_info(
                self._gate, self._c_name, self._name(snap_name, "get_snap_info"), info
            ),
            f"get_snap_info({snap_name!r})",
        )
        try:
            return _snap_info(info)
        finally:
            lib.rbd_group_snap_get_info_cleanup(info)

    def rename_snap(self, old_snap_name: str, new_snap_name: str) -> None:
        """Renames a snapshot.

        Raises ObjectNotFound, ObjectExists, InvalidArgument, FunctionNotSupported.
        Implements: rbd_group_snap_rename
        """
        self._done(
            lib.rbd_group_snap_rename(
                self._gate,
                self._c_name,
                self._name(old_snap_name, "rename_snap", "old_snap_name"),
                self._name(new_snap_name, "rename_snap", "new_snap_name"),
            ),
            f"rename_snap({old_snap_name!r}, {new_snap_name!r})",
        )

    def list_snaps(self) -> GroupSnapIterator:
        """The snapshots of the group.

        Yields dicts: name, state (RBD_GROUP_SNAP_STATE_*); from Ceph 20 on also id, namespace_type,
        image_snap_name and image_snaps, as get_snap_info returns them.

        Raises ObjectNotFound (no such group; before Ceph 20 it has no snapshots instead).
        Implements: rbd_group_snap_list2, rbd_group_snap_list
        """
        return GroupSnapIterator(self)

    def rollback_to_snap(self, name: str, *, on_progress: Any = None) -> None:
        """Makes all images what they were at a snapshot, object by object, holding their exclusive
        locks.

        Parameters:
            on_progress: called with (done, total). It must not make, list or roll back to
                snapshots of groups (InvalidArgument), and should not use the images.

        Raises ObjectNotFound, InvalidArgument (the members are not those of the snapshot; Ceph 14
        and 16 do not look), IOError. Implements: rbd_group_snap_rollback_with_progress
        """
        what = f"rollback_to_snap({name!r})"
        snap = self._name(name, "rollback_to_snap", "name")
        gate = self._gate

        def rollback(*progress: Any) -> int:
            # it keeps the turn if its caller leaves
            with _turn(self, what):
                return lib.rbd_group_snap_rollback_with_progress(
                    gate, self._c_name, snap, *progress
                )

        progress = Progress(_during_rollback(on_progress), self.ioctx._handle)
        self._done(progress.run(rollback), what)


class _Turn:
    """Whose turn it is to take the exclusive locks of a group's images.

    librbd asks for all of them at once. Two calls for one group, while images are written, get some
    each and wait for the others' for ever. At least within a process they can take turns.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.users = 0


#: Seconds that a call waits for its turn.
PATIENCE = 300.0

#: {(process, cluster, pool, namespace, group): turn}. Not per connection, since the locks are not,
#: either.
_turns: dict[tuple[object, ...], _Turn] = {}
_turns_lock = threading.Lock()


def _after_fork() -> None:
    # another thread may have held it when the process was copied
    global _turns_lock
    _turns_lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


#: Threads that are in a callback of a rollback.
_callbacks: set[int] = set()


def _during_rollback(function: Any) -> Any:
    """An on_progress whose thread is known."""
    if not callable(function):
        return function

    def call(done: int, total: int) -> Any:
        thread = threading.get_ident()
        _callbacks.add(thread)
        try:
            return function(done, total)
        finally:
            _callbacks.discard(thread)

    return call


def _not_in_callback(group: Group, call: str) -> None:
    """For calls that would wait for the rollback that is waiting for them, or, on Ceph 20, for the
    thread of librbd that they are made on."""
    if threading.get_ident() in _callbacks:
        raise invalid(
            f"Group.{call} of {group._label!r}: this is a callback of a running rollback; do it "
            "after that"
        )


@contextmanager
def _turn(group: Group, call: str) -> Iterator[None]:
    """Waits for the turn of a call on a group."""
    _not_in_callback(group, call)
    what = f"Group.{call} of {group._label!r}"
    ioctx = group.ioctx
    # a forked child would wait for what its parent's threads hold
    key = (
        os.getpid(),
        ioctx.rados.get_fsid(),
        lib.rados_ioctx_get_id(group._gate),
        ioctx.nspace,
        group._c_name,
    )
    with _turns_lock:
        turn = _turns.setdefault(key, _Turn())
        turn.users += 1
    in_hook = bool(lib.rbdcffi_thread_is_in_hook())
    try:
        if not turn.lock.acquire(timeout=0 if in_hook else PATIENCE):
            if in_hook:
                raise invalid(f"{what}: {REASONS[lib.RBDCFFI_IN_HOOK]}")
            raise ImageBusy(f"{what}: others do not end within {PATIENCE:.0f} s", EBUSY)
        try:
            yield
        finally:
            turn.lock.release()
    finally:
        with _turns_lock:
            turn.users -= 1
            if not turn.users:
                del _turns[key]


def _table(kind: Any, call: Callable[[Any, Any], int]) -> tuple[Any, int, int]:
    """(entries, how many, result) of a C function that fills a table of unknown length."""
    count = ffi.new("size_t *", 64)
    while True:
        length = count[0]
        entries = ffi.new(kind, length)
        result = call(entries, count)
        # one that wants less than it was given has another idea of an entry's size
        if result != -ERANGE or count[0] <= length:
            return entries, count[0], result


def _snap_info(info: Any) -> dict[str, Any]:
    return {
        "id": string(info.id),
        "name": string(info.name),
        "state": info.state,
        "namespace_type": info.namespace_type,
        "image_snap_name": string(info.image_snap_name),
        "image_snaps": [
            {
                "pool_id": info.image_snaps[i].pool_id,
                "snap_id": info.image_snaps[i].snap_id,
                "image_name": string(info.image_snaps[i].image_name),
            }
            for i in range(info.image_snaps_count)
        ],
    }


class GroupImageIterator(Calling):
    """The images of a group, as they were when it was made; can be iterated over repeatedly.

    Yields dicts: name, pool (its id), state (RBD_GROUP_IMAGE_STATE_*).

    Implements: rbd_group_image_list, rbd_group_image_list_cleanup
    """

    def __init__(self, group: Group) -> None:
        gate, name = _of(group)
        images, count, result = _table(
            _IMAGES,
            lambda images, count: lib.rbd_group_image_list(gate, name, images, _IMAGE_SIZE, count),
        )
        if result < 0:
            raise group._failed(result, "list_images")
        try:
            self._images = [
                {
                    "name": string(images[i].name),
                    "pool": images[i].pool,
                    "state": images[i].state,
                }
                for i in range(count)
            ]
        finally:
            lib.rbd_group_image_list_cleanup(images, _IMAGE_SIZE, count)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter([dict(image) for image in self._images])


class GroupSnapIterator(Calling):
    """The snapshots of a group, as they were when it was made; can be iterated over repeatedly.

    Yields dicts: name, state (RBD_GROUP_SNAP_STATE_*); from Ceph 20 on also id, namespace_type,
    image_snap_name and image_snaps, as Group.get_snap_info returns them.

    Implements: rbd_group_snap_list2, rbd_group_snap_list2_cleanup, rbd_group_snap_list,
    rbd_group_snap_list_cleanup
    """

    def __init__(self, group: Group) -> None:
        gate, name = _of(group)
        self._snaps: list[dict[str, Any]]
        if has("rbd_group_snap_list2"):
            _not_in_callback(group, "list_snaps")
            snaps, count, result = _table(
                _SNAPS2,
                lambda snaps, count: lib.rbd_group_snap_list2(gate, name, snaps, count),
            )
        else:
            snaps, count, result = _table(
                _SNAPS,
                lambda snaps, count: lib.rbd_group_snap_list(gate, name, snaps, _SNAP_SIZE, count),
            )
        if result < 0:
            raise group._failed(result, "list_snaps")
        if has("rbd_group_snap_list2"):
            try:
                self._snaps = [_snap_info(snaps[i]) for i in range(count)]
            finally:
                lib.rbd_group_snap_list2_cleanup(snaps, count)
        else:
            try:
                # librbd 14 repeats those of a group that has more than 64
                states = {string(snaps[i].name): snaps[i].state for i in range(count)}
                self._snaps = [{"name": name, "state": state} for name, state in states.items()]
            finally:
                lib.rbd_group_snap_list_cleanup(snaps, _SNAP_SIZE, count)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(
            [
                # what is inside belongs to the user, too
                {
                    key: [dict(item) for item in value] if isinstance(value, list) else value
                    for key, value in snap.items()
                }
                for snap in self._snaps
            ]
        )


def _of(group: Group) -> tuple[Any, Any]:
    """The gate and the name that calls on a group are given."""
    if not isinstance(group, Group):
        raise TypeError(named(f"group must be an rbdcffi.rbd.Group, not {type(group).__name__}"))
    return group._gate, group._c_name
