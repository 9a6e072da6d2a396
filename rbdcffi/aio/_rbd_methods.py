"""The methods of rbdcffi.aio.rbd that only offload.

Generated from the core by scripts/generate-aio; do not edit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rbdcffi import rbd
from rbdcffi.aio._objects import Offloading, on_loop
from rbdcffi.aio._offload import offload_alone
from rbdcffi.rbd.snapshots import SnapIterator

if TYPE_CHECKING:
    from rbdcffi.aio.rados import Ioctx


class RBDMethods(Offloading):
    """The methods of rbd.RBD that only offload."""

    @property
    def sync(self) -> rbd.RBD:
        """The synchronous object behind this one."""
        raise NotImplementedError

    def version(self) -> tuple[int, int, int]:
        """(major, minor, extra) of the loaded librbd. Implements: rbd_version"""
        return self.sync.version()

    async def create(
        self,
        ioctx: Ioctx,
        name: str,
        size: int,
        order: int | None = None,
        old_format: bool = False,
        features: int | None = None,
        stripe_unit: int | None = None,
        stripe_count: int | None = None,
        data_pool: str | None = None,
    ) -> None:
        """Creates an image.

        Parameters:
            size: in bytes.
            order: log2 of the size of the objects; None: the cluster's default, 22 (4 MiB).
            old_format: leaves the format to the cluster, which since Ceph 11 creates the new one
                nevertheless; then no features, stripes or data pool can be chosen.
            features: bits RBD_FEATURE_*; None: the cluster's default; 0: none.
            stripe_unit: in bytes; None and 0: not striped.
            stripe_count: number of objects to stripe over; None and 0: not striped.
            data_pool: name of the pool for the data, if not that of `ioctx`.

        Raises ImageExists, TypeError, InvalidArgument, FunctionNotSupported, ArgumentOutOfRange,
        OverflowError. Implements: rbd_create, rbd_create4
        """
        await self._run(
            self.sync.create,
            ioctx.sync,
            name,
            size,
            order,
            old_format,
            features,
            stripe_unit,
            stripe_count,
            data_pool,
        )

    async def clone(
        self,
        p_ioctx: Ioctx,
        p_name: str,
        p_snapshot: str | int | None = None,
        c_ioctx: Ioctx | None = None,
        c_name: str | None = None,
        features: int | None = None,
        order: int | None = None,
        stripe_unit: int | None = None,
        stripe_count: int | None = None,
        data_pool: str | None = None,
        clone_format: int | None = None,
        *,
        p_snapname: str | None = None,
    ) -> None:
        """Makes a copy-on-write clone of a snapshot.

        Parameters:
            p_ioctx, p_name: where the parent is.
            p_snapshot: name of the snapshot, or its id (Ceph 20). `p_snapname` is its older name.
            c_ioctx, c_name: the clone to be.
            features: bits RBD_FEATURE_*, including layering; None and 0: the cluster's default.
            order: log2 of the size of the clone's objects; None: as the parent's.
            stripe_unit: in bytes; None and 0: not striped.
            stripe_count: number of objects to stripe over; None and 0: not striped.
            data_pool: name of the pool for the data, if not that of `c_ioctx`.
            clone_format: 1 (the snapshot must be protected) or 2; None: the cluster's choice.

        Raises TypeError, InvalidArgument, ImageNotFound, ImageExists, FunctionNotSupported,
        ArgumentOutOfRange. Implements: rbd_clone3, rbd_clone4
        """
        await self._run(
            self.sync.clone,
            p_ioctx.sync,
            p_name,
            p_snapshot,
            c_ioctx and c_ioctx.sync,
            c_name,
            features,
            order,
            stripe_unit,
            stripe_count,
            data_pool,
            clone_format,
            p_snapname=p_snapname,
        )

    async def list(self, ioctx: Ioctx) -> list[str]:
        """The names of the images in a pool (and namespace).

        Raises Error. Implements: rbd_list2
        """
        return await self._run(self.sync.list, ioctx.sync)

    async def remove(self, ioctx: Ioctx, name: str, on_progress: Any = None) -> None:
        """Removes an image, object by object; it may take long.

        Parameters:
            on_progress: called with (done, total).

        Raises ImageNotFound, ImageBusy (it is open somewhere), ImageHasSnapshots,
        ImageMemberOfGroup. Implements: rbd_remove_with_progress
        """
        await offload_alone(self.sync.remove, ioctx.sync, name, on_loop(on_progress))

    async def rename(self, ioctx: Ioctx, src: str, dest: str) -> None:
        """Renames an image. Raises ImageNotFound, ImageExists. Implements: rbd_rename"""
        await self._run(self.sync.rename, ioctx.sync, src, dest)


class ImageMethods(Offloading):
    """The methods of rbd.Image that only offload."""

    @property
    def sync(self) -> rbd.Image:
        """The synchronous object behind this one."""
        raise NotImplementedError

    def require_not_closed(self) -> None:
        """Raises InvalidArgument if the image is closed."""
        self.sync.require_not_closed()

    async def stat(self) -> dict[str, Any]:
        """Facts about the image.

        Returns a dict: size, obj_size (bytes), num_objs, order (log2 of obj_size),
        block_name_prefix, and two keys without meaning: parent_pool is always 2**64-1 and
        parent_name always b'' (the reference says -1 and '', this is what the standard binding
        returns).

        Raises Error. Implements: rbd_stat
        """
        return await self._run(self.sync.stat)

    async def size(self) -> int:
        """The size in bytes, of the selected snapshot if there is one.

        Raises Error. Implements: rbd_get_size
        """
        return await self._run(self.sync.size)

    async def features(self) -> int:
        """The feature bits, RBD_FEATURE_*. Raises Error. Implements: rbd_get_features"""
        return await self._run(self.sync.features)

    async def op_features(self) -> int:
        """The operation feature bits, RBD_OPERATION_FEATURE_*.

        Raises Error. Implements: rbd_get_op_features
        """
        return await self._run(self.sync.op_features)

    async def update_features(self, features: int, enabled: bool) -> None:
        """Enables or disables features.

        Parameters:
            features: bits of features that can be changed, RBD_FEATURES_MUTABLE.

        Raises InvalidArgument, ReadOnlyImage, TypeError, OverflowError.
        Implements: rbd_update_features
        """
        await self._run(self.sync.update_features, features, enabled)

    async def flags(self) -> int:
        """The flag bits, RBD_FLAG_*. Raises Error. Implements: rbd_get_flags"""
        return await self._run(self.sync.flags)

    async def old_format(self) -> bool:
        """Whether the image uses the format of before Ceph 0.61. Implements: rbd_get_old_format"""
        return await self._run(self.sync.old_format)

    async def overlap(self) -> int:
        """How many bytes at the start are shared with the parent, 0 without a parent.

        The reference has it raise ImageNotFound without a parent; this is what the standard
        binding does. Raises Error. Implements: rbd_get_overlap
        """
        return await self._run(self.sync.overlap)

    async def stripe_unit(self) -> int:
        """The stripe unit in bytes. Raises Error. Implements: rbd_get_stripe_unit"""
        return await self._run(self.sync.stripe_unit)

    async def stripe_count(self) -> int:
        """Over how many objects stripes go. Raises Error. Implements: rbd_get_stripe_count"""
        return await self._run(self.sync.stripe_count)

    async def get_name(self) -> str:
        """The image's name. Raises Error. Implements: rbd_get_name"""
        return await self._run(self.sync.get_name)

    async def id(self) -> str:
        """The image's internal id. Raises Error. Implements: rbd_get_id"""
        return await self._run(self.sync.id)

    async def block_name_prefix(self) -> str:
        """How the names of the image's objects begin.

        Raises Error. Implements: rbd_get_block_name_prefix
        """
        return await self._run(self.sync.block_name_prefix)

    async def resize(
        self, size: int, allow_shrink: bool = True, *, on_progress: Any = None
    ) -> None:
        """Changes the size. Shrinking discards what is behind the new end.

        Parameters:
            size: in bytes.
            allow_shrink: with False, InvalidArgument instead of losing data.
            on_progress: called with (done, total).

        Raises InvalidArgument, ReadOnlyImage, TypeError, OverflowError. Implements: rbd_resize2
        """
        await offload_alone(self.sync.resize, size, allow_shrink, on_progress=on_loop(on_progress))

    async def rebuild_object_map(self, *, on_progress: Any = None) -> None:
        """Rebuilds the object map of the image or of the selected snapshot.

        Parameters:
            on_progress: called with (done, total).

        Raises Error. Implements: rbd_rebuild_object_map
        """
        await offload_alone(self.sync.rebuild_object_map, on_progress=on_loop(on_progress))

    async def invalidate_cache(self) -> None:
        """Drops what is cached of the image. Raises Error. Implements: rbd_invalidate_cache"""
        await self._run(self.sync.invalidate_cache)

    async def list_snaps(self) -> SnapIterator:
        """The snapshots of the image. Raises Error. Implements: rbd_snap_list"""
        return await self._run(self.sync.list_snaps)

    async def create_snap(self, name: str, flags: int = 0, *, on_progress: Any = None) -> None:
        """Makes a snapshot.

        Parameters:
            flags: RBD_SNAP_CREATE_*; needs Ceph 16.
            on_progress: called with (done, total) while users of the image are asked to pause;
                needs Ceph 16.

        Raises ImageExists, InvalidArgument, ReadOnlyImage.
        Implements: rbd_snap_create2, rbd_snap_create
        """
        await offload_alone(self.sync.create_snap, name, flags, on_progress=on_loop(on_progress))

    async def remove_snap(self, name: str, *, on_progress: Any = None) -> None:
        """Removes a snapshot.

        Parameters:
            on_progress: called with (done, total).

        Raises ImageNotFound, ImageBusy (protected), IOError.
        Implements: rbd_snap_remove, rbd_snap_remove2
        """
        await offload_alone(self.sync.remove_snap, name, on_progress=on_loop(on_progress))

    async def rename_snap(self, srcname: str, dstname: str) -> None:
        """Renames a snapshot. Raises ImageNotFound, ImageExists. Implements: rbd_snap_rename"""
        await self._run(self.sync.rename_snap, srcname, dstname)

    async def rollback_to_snap(self, name: str, *, on_progress: Any = None) -> None:
        """Makes the image what it was at a snapshot, object by object.

        Parameters:
            on_progress: called with (done, total).

        Raises ImageNotFound, ReadOnlyImage, IOError. Implements: rbd_snap_rollback_with_progress
        """
        await offload_alone(self.sync.rollback_to_snap, name, on_progress=on_loop(on_progress))

    async def protect_snap(self, name: str) -> None:
        """Protects a snapshot from being removed, as clones need it.

        Raises ImageNotFound, ImageBusy (it is protected). Implements: rbd_snap_protect
        """
        await self._run(self.sync.protect_snap, name)

    async def unprotect_snap(self, name: str) -> None:
        """Ends the protection of a snapshot.

        Raises ImageNotFound, ImageBusy (it has clones), InvalidArgument (it is not protected).
        Implements: rbd_snap_unprotect
        """
        await self._run(self.sync.unprotect_snap, name)

    async def is_protected_snap(self, name: str) -> bool:
        """Whether a snapshot is protected.

        Raises ImageNotFound. Implements: rbd_snap_is_protected
        """
        return await self._run(self.sync.is_protected_snap, name)

    async def set_snap(self, name: str | None) -> None:
        """Selects the snapshot that reads, size() and diffs refer to; None for the present.

        While a snapshot is selected, writes raise ReadOnlyImage. Reads that other threads have in
        flight see the one or the other.

        Raises ImageNotFound. Implements: rbd_snap_set
        """
        await self._run(self.sync.set_snap, name)

    async def parent_info(self) -> tuple[str, str, str]:
        """(pool name, image name, snapshot name) of the parent.

        Raises ImageNotFound if there is no parent. Implements: rbd_get_parent
        """
        return await self._run(self.sync.parent_info)

    async def list_children(self) -> list[tuple[str, str]]:
        """(pool name, image name) of the clones of the selected snapshot, of all without one.

        Clones in the trash are left out. Raises Error. Implements: rbd_list_children3
        """
        return await self._run(self.sync.list_children)

    async def flatten(self, on_progress: Any = None) -> None:
        """Copies what is shared with the parent into the clone, which then has no parent.

        Parameters:
            on_progress: called with (done, total).

        Raises InvalidArgument (there is no parent), ReadOnlyImage.
        Implements: rbd_flatten_with_progress
        """
        await offload_alone(self.sync.flatten, on_loop(on_progress))

    async def copy(
        self,
        dest_ioctx: Ioctx,
        dest_name: str,
        features: int | None = None,
        order: int | None = None,
        stripe_unit: int | None = None,
        stripe_count: int | None = None,
        data_pool: str | None = None,
        *,
        on_progress: Any = None,
    ) -> None:
        """Copies the image, as it is at the selected snapshot if there is one, without snapshots.

        Parameters:
            features: bits of the copy's features; None and 0: the cluster's default.
            order: log2 of the size of the copy's objects.
            stripe_unit: in bytes; None and 0: not striped.
            stripe_count: number of objects to stripe over; None and 0: not striped.
            data_pool: name of the pool for the data, if not that of `dest_ioctx`.
            on_progress: called with (done, total).

        Raises TypeError, InvalidArgument, ImageExists, FunctionNotSupported, ArgumentOutOfRange.
        Implements: rbd_copy_with_progress3
        """
        await offload_alone(
            self.sync.copy,
            dest_ioctx.sync,
            dest_name,
            features,
            order,
            stripe_unit,
            stripe_count,
            data_pool,
            on_progress=on_loop(on_progress),
        )

    async def is_exclusive_lock_owner(self) -> bool:
        """Whether this client owns the image's managed exclusive lock.

        Raises Error. Implements: rbd_is_exclusive_lock_owner
        """
        return await self._run(self.sync.is_exclusive_lock_owner)

    async def list_lockers(self) -> dict[str, Any] | list[Any]:
        """The clients that hold the advisory lock.

        Returns a dict: tag (str), exclusive (bool), lockers (list of (client, cookie, address));
        without lockers an empty list, as the standard binding does.

        Raises Error. Implements: rbd_list_lockers
        """
        return await self._run(self.sync.list_lockers)

    async def lock_exclusive(self, cookie: str) -> None:
        """Takes the advisory lock for this client alone.

        Raises ImageBusy (another client or cookie holds it), ImageExists (this client and cookie
        hold it). Implements: rbd_lock_exclusive
        """
        await self._run(self.sync.lock_exclusive, cookie)

    async def lock_shared(self, cookie: str, tag: str) -> None:
        """Takes the advisory lock together with other clients that use the same tag.

        Raises ImageBusy (it is held exclusively or with another tag), ImageExists (this client
        and cookie hold it). Implements: rbd_lock_shared
        """
        await self._run(self.sync.lock_shared, cookie, tag)

    async def unlock(self, cookie: str) -> None:
        """Gives back a lock that this client holds. Raises ImageNotFound. Implements: rbd_unlock"""
        await self._run(self.sync.unlock, cookie)

    async def break_lock(self, client: str, cookie: str) -> None:
        """Takes a lock from another client, as named by list_lockers(). The cluster may block that
        client's connection.

        Raises ImageNotFound, InvalidArgument. Implements: rbd_break_lock
        """
        await self._run(self.sync.break_lock, client, cookie)
