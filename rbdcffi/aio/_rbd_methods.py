"""The methods of rbdcffi.aio.rbd that only offload.

Generated from the core by scripts/generate-aio; do not edit.
"""

from __future__ import annotations

import builtins
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from rbdcffi import rbd
from rbdcffi._ffi import needs
from rbdcffi._secrets import (
    hidden,
    hidden_specs,
    hidden_values,
)
from rbdcffi.aio._objects import Offloading
from rbdcffi.aio._offload import offload_with_progress
from rbdcffi.aio.rados import Ioctx, Rados, sync_of
from rbdcffi.rbd._mirror_lists import MirrorPeerIterator
from rbdcffi.rbd.constants import (
    RBD_ENCRYPTION_ALGORITHM_AES256,
    RBD_MIRROR_IMAGE_MODE_JOURNAL,
    RBD_MIRROR_PEER_DIRECTION_RX_TX,
)
from rbdcffi.rbd.family import ChildIterator
from rbdcffi.rbd.groups import GroupImageIterator, GroupSnapIterator
from rbdcffi.rbd.locks import LockOwnerIterator
from rbdcffi.rbd.snap_info import SnapIterator
from rbdcffi.rbd.watching import WatcherIterator


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
        *,
        journal_order: int | None = None,
        journal_splay_width: int | None = None,
        journal_pool: str | None = None,
        features_set: int | None = None,
        features_clear: int | None = None,
        mirror_image_mode: int | None = None,
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
            journal_order: log2 of the size of the journal's objects.
            journal_splay_width: number of objects that the journal is spread over at a time.
            journal_pool: name of the pool for the journal, if not that of `ioctx`.
            features_set, features_clear: bits to add to, and to take from, the default features.
            mirror_image_mode: RBD_MIRROR_IMAGE_MODE_*: enables mirroring (Ceph 16).

        Raises ImageExists, TypeError, InvalidArgument, FunctionNotSupported, ArgumentOutOfRange,
        OverflowError. Implements: rbd_create, rbd_create4
        """
        await self._run(
            self.sync.create,
            sync_of(ioctx, "ioctx", Ioctx),
            name,
            size,
            order,
            old_format,
            features,
            stripe_unit,
            stripe_count,
            data_pool,
            journal_order=journal_order,
            journal_splay_width=journal_splay_width,
            journal_pool=journal_pool,
            features_set=features_set,
            features_clear=features_clear,
            mirror_image_mode=mirror_image_mode,
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
        journal_order: int | None = None,
        journal_splay_width: int | None = None,
        journal_pool: str | None = None,
        features_set: int | None = None,
        features_clear: int | None = None,
        mirror_image_mode: int | None = None,
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
            journal_order: log2 of the size of the journal's objects.
            journal_splay_width: number of objects that the journal is spread over at a time.
            journal_pool: name of the pool for the journal, if not that of `c_ioctx`.
            features_set, features_clear: bits to add to, and to take from, the default features.
            mirror_image_mode: RBD_MIRROR_IMAGE_MODE_*: enables mirroring (Ceph 16).

        Raises TypeError, InvalidArgument, ImageNotFound, ImageExists, FunctionNotSupported,
        ArgumentOutOfRange. Implements: rbd_clone3, rbd_clone4
        """
        await self._run(
            self.sync.clone,
            sync_of(p_ioctx, "p_ioctx", Ioctx),
            p_name,
            p_snapshot,
            c_ioctx and sync_of(c_ioctx, "c_ioctx", Ioctx),
            c_name,
            features,
            order,
            stripe_unit,
            stripe_count,
            data_pool,
            clone_format,
            p_snapname=p_snapname,
            journal_order=journal_order,
            journal_splay_width=journal_splay_width,
            journal_pool=journal_pool,
            features_set=features_set,
            features_clear=features_clear,
            mirror_image_mode=mirror_image_mode,
        )

    async def list(self, ioctx: Ioctx) -> builtins.list[str]:
        """The names of the images in a pool (and namespace).

        Raises Error. Implements: rbd_list2
        """
        return await self._run(self.sync.list, sync_of(ioctx, "ioctx", Ioctx))

    async def remove(self, ioctx: Ioctx, name: str, on_progress: Any = None) -> None:
        """Removes an image, object by object; it may take long.

        Parameters:
            on_progress: called with (done, total).

        Raises ImageNotFound, ImageBusy (it is open somewhere), ImageHasSnapshots,
        ImageMemberOfGroup. Implements: rbd_remove_with_progress
        """
        await offload_with_progress(
            self.sync.remove, sync_of(ioctx, "ioctx", Ioctx), name, on_progress=on_progress
        )

    async def rename(self, ioctx: Ioctx, src: str, dest: str) -> None:
        """Renames an image. Raises ImageNotFound, ImageExists. Implements: rbd_rename"""
        await self._run(self.sync.rename, sync_of(ioctx, "ioctx", Ioctx), src, dest)

    async def group_create(self, ioctx: Ioctx, name: str) -> None:
        """Creates a group, without images.

        Raises ObjectExists, InvalidArgument (the name is empty), FunctionNotSupported.
        Implements: rbd_group_create
        """
        await self._run(self.sync.group_create, sync_of(ioctx, "ioctx", Ioctx), name)

    async def group_remove(self, ioctx: Ioctx, name: str) -> None:
        """Removes a group with its snapshots; its images stay. A group that does not exist is no
        error (the reference says ObjectNotFound; this is what librbd does).

        Raises InvalidArgument, FunctionNotSupported. Implements: rbd_group_remove
        """
        await self._run(self.sync.group_remove, sync_of(ioctx, "ioctx", Ioctx), name)

    async def group_list(self, ioctx: Ioctx) -> builtins.list[str]:
        """The names of the groups in a pool (and namespace).

        Raises FunctionNotSupported. Implements: rbd_group_list
        """
        return await self._run(self.sync.group_list, sync_of(ioctx, "ioctx", Ioctx))

    async def group_rename(self, ioctx: Ioctx, src: str, dest: str) -> None:
        """Renames a group.

        Raises ImageNotFound, ImageExists (the reference says ObjectNotFound and ObjectExists; these
        are what the standard binding raises), InvalidArgument, FunctionNotSupported.
        Implements: rbd_group_rename
        """
        await self._run(self.sync.group_rename, sync_of(ioctx, "ioctx", Ioctx), src, dest)

    async def trash_move(self, ioctx: Ioctx, name: str, delay: int = 0) -> None:
        """Moves an image to the trash. Its clones, and those who have it open, keep it.

        Parameters:
            delay: for how many seconds from now trash_remove and trash_purge spare it.

        Raises ImageNotFound, ImageBusy (Ceph 14: somebody has it open), ImageMemberOfGroup,
        TypeError, OverflowError. Implements: rbd_trash_move
        """
        await self._run(self.sync.trash_move, sync_of(ioctx, "ioctx", Ioctx), name, delay)

    async def trash_purge(
        self,
        ioctx: Ioctx,
        expire_ts: datetime | None = None,
        threshold: float = -1,
        *,
        on_progress: Any = None,
    ) -> None:
        """Removes the images from the trash whose time is up. It goes on with the others when one
        cannot be removed (it is open, or has snapshots), and raises that error at the end (Ceph 14
        ends there).

        Parameters:
            expire_ts: images are removed that are spared until before this time (one without a
                time zone is local time); None: now.
            threshold: from 0 to 1; then images are removed, whatever `expire_ts` is, until the
                pool is less full than that. -1: no threshold. The manager must be running.
            on_progress: called with (done, total) images. librbd does not end a purge early,
                whatever it returns; what it raises is raised when the images are removed.

        Raises InvalidArgument, TypeError, ImageBusy, ImageHasSnapshots.
        Implements: rbd_trash_purge_with_progress
        """
        await offload_with_progress(
            self.sync.trash_purge,
            sync_of(ioctx, "ioctx", Ioctx),
            expire_ts,
            threshold,
            on_progress=on_progress,
        )

    async def trash_remove(
        self, ioctx: Ioctx, image_id: str, force: bool = False, on_progress: Any = None
    ) -> None:
        """Removes an image from the trash for good, object by object; it may take long.

        Parameters:
            image_id: the internal id; trash_list tells it.
            force: also before the time until which it is spared.
            on_progress: called with (done, total).

        Raises ImageNotFound, PermissionError (it is spared), ImageBusy (it is open somewhere),
        ImageHasSnapshots. Implements: rbd_trash_remove_with_progress
        """
        await offload_with_progress(
            self.sync.trash_remove,
            sync_of(ioctx, "ioctx", Ioctx),
            image_id,
            force,
            on_progress=on_progress,
        )

    async def trash_get(self, ioctx: Ioctx, image_id: str) -> dict[str, Any]:
        """Facts about an image in the trash.

        Returns a dict: id, name, source ('USER', 'USER_PARENT', 'MIRRORING', 'MIGRATION' or
        'REMOVING': who moved it there), deletion_time, deferment_end_time (datetimes in UTC).

        Raises ImageNotFound. Implements: rbd_trash_get, rbd_trash_get_cleanup
        """
        return await self._run(self.sync.trash_get, sync_of(ioctx, "ioctx", Ioctx), image_id)

    async def trash_restore(self, ioctx: Ioctx, image_id: str, name: str) -> None:
        """Moves an image out of the trash.

        Parameters:
            image_id: the internal id; trash_list tells it.
            name: its name from now on; "" leaves it the one it had.

        Raises ImageNotFound, ImageExists. Implements: rbd_trash_restore
        """
        await self._run(self.sync.trash_restore, sync_of(ioctx, "ioctx", Ioctx), image_id, name)

    async def namespace_create(self, ioctx: Ioctx, name: str) -> None:
        """Makes a namespace; ``ioctx.set_namespace(name)`` selects it.

        Raises ImageExists, InvalidArgument. Implements: rbd_namespace_create
        """
        await self._run(self.sync.namespace_create, sync_of(ioctx, "ioctx", Ioctx), name)

    async def namespace_remove(self, ioctx: Ioctx, name: str) -> None:
        """Removes a namespace that has no images, not even in its trash.

        Raises ImageNotFound, ImageBusy (there are images). Implements: rbd_namespace_remove
        """
        await self._run(self.sync.namespace_remove, sync_of(ioctx, "ioctx", Ioctx), name)

    async def namespace_exists(self, ioctx: Ioctx, name: str) -> bool:
        """Whether there is a namespace of that name.

        Raises InvalidArgument. Implements: rbd_namespace_exists
        """
        return await self._run(self.sync.namespace_exists, sync_of(ioctx, "ioctx", Ioctx), name)

    async def namespace_list(self, ioctx: Ioctx) -> builtins.list[str]:
        """The names of a pool's namespaces. Raises Error. Implements: rbd_namespace_list"""
        return await self._run(self.sync.namespace_list, sync_of(ioctx, "ioctx", Ioctx))

    async def pool_init(self, ioctx: Ioctx, force: bool) -> None:
        """Makes a pool one of RBD's: enables the application, and checks that the pool can have
        snapshots.

        Parameters:
            force: also if the pool belongs to another application.

        Raises PermissionError (it belongs to another application), InvalidArgument (the pool has
        snapshots of its own). Implements: rbd_pool_init
        """
        await self._run(self.sync.pool_init, sync_of(ioctx, "ioctx", Ioctx), force)

    async def pool_stats_get(self, ioctx: Ioctx) -> dict[str, int]:
        """How many images a pool (and namespace) has, and how large they are.

        Returns a dict: image_count, image_provisioned_bytes, image_max_provisioned_bytes (counting
        the largest snapshot of each), image_snap_count, and the same of what is in the trash:
        trash_count, trash_provisioned_bytes, trash_max_provisioned_bytes, trash_snap_count.

        Raises Error. Implements: rbd_pool_stats_create, rbd_pool_stats_option_add_uint64,
        rbd_pool_stats_get, rbd_pool_stats_destroy
        """
        return await self._run(self.sync.pool_stats_get, sync_of(ioctx, "ioctx", Ioctx))

    async def pool_metadata_get(self, ioctx: Ioctx, key: str) -> str:
        """The value of a key of the pool's metadata.

        Raises KeyError (no such key), Error. Implements: rbd_pool_metadata_get
        """
        return await self._run(self.sync.pool_metadata_get, sync_of(ioctx, "ioctx", Ioctx), key)

    async def pool_metadata_set(self, ioctx: Ioctx, key: str, value: str) -> None:
        """Sets a key of the pool's metadata. Keys that begin with conf_ are its configuration.

        Raises InvalidArgument. Implements: rbd_pool_metadata_set
        """
        await self._run(self.sync.pool_metadata_set, sync_of(ioctx, "ioctx", Ioctx), key, value)

    async def pool_metadata_remove(self, ioctx: Ioctx, key: str) -> None:
        """Removes a key of the pool's metadata.

        Raises KeyError (no such key), Error. Implements: rbd_pool_metadata_remove
        """
        await self._run(self.sync.pool_metadata_remove, sync_of(ioctx, "ioctx", Ioctx), key)

    async def config_get(self, ioctx: Ioctx, key: str) -> str:
        """The value of an option that the pool overrides.

        Raises KeyError (it does not), TypeError. Implements: rbd_pool_metadata_get
        """
        return await self._run(self.sync.config_get, sync_of(ioctx, "ioctx", Ioctx), key)

    async def config_set(self, ioctx: Ioctx, key: str, value: str) -> None:
        """Overrides an option for all images of a pool that are opened from now on.

        Raises InvalidArgument (no such option, or not such a value), TypeError.
        Implements: rbd_pool_metadata_set
        """
        await self._run(self.sync.config_set, sync_of(ioctx, "ioctx", Ioctx), key, value)

    async def config_remove(self, ioctx: Ioctx, key: str) -> None:
        """Ends overriding an option.

        Raises KeyError (the pool does not override it), TypeError.
        Implements: rbd_pool_metadata_remove
        """
        await self._run(self.sync.config_remove, sync_of(ioctx, "ioctx", Ioctx), key)

    @needs("rbd_features_to_string")
    def features_to_string(self, features: int) -> str:
        """The names of features, with commas between them.

        Parameters:
            features: bits RBD_FEATURE_*.

        Raises InvalidArgument (a bit that librbd does not know), TypeError, OverflowError.
        Implements: rbd_features_to_string
        """
        return self.sync.features_to_string(features)

    @needs("rbd_features_from_string")
    def features_from_string(self, str_features: str) -> int:
        """The bits of features.

        Parameters:
            str_features: names with commas between them, or a number as text; "" stands for the
                default features.

        Raises InvalidArgument. Implements: rbd_features_from_string
        """
        return self.sync.features_from_string(str_features)

    async def migration_prepare(
        self,
        ioctx: Ioctx,
        image_name: str,
        dest_ioctx: Ioctx,
        dest_image_name: str,
        features: int | None = None,
        order: int | None = None,
        stripe_unit: int | None = None,
        stripe_count: int | None = None,
        data_pool: str | None = None,
        clone_format: int | None = None,
        flatten: bool = False,
    ) -> None:
        """Begins to migrate an image: makes the target, linked to the source, which is hidden.

        Parameters:
            dest_ioctx, dest_image_name: the target; it may have the name of the source.
            features: bits of the target's features; 0: none; None: the source's.
            order: log2 of the size of the target's objects.
            stripe_unit: in bytes; None and 0: not striped.
            stripe_count: number of objects to stripe over; None and 0: not striped.
            data_pool: name of the pool for the data, if not that of `dest_ioctx`.
            clone_format: of the target if it is a clone, 1 or 2; None: the cluster's choice.
            flatten: makes the target of a clone an image without a parent; refused before Ceph 16,
                which would lose the parent's data.

        Raises ImageNotFound, ImageExists, ImageBusy (the source is open), InvalidArgument,
        FunctionNotSupported, ArgumentOutOfRange, TypeError, OverflowError.
        Implements: rbd_migration_prepare
        """
        await self._run(
            self.sync.migration_prepare,
            sync_of(ioctx, "ioctx", Ioctx),
            image_name,
            sync_of(dest_ioctx, "dest_ioctx", Ioctx),
            dest_image_name,
            features,
            order,
            stripe_unit,
            stripe_count,
            data_pool,
            clone_format,
            flatten,
        )

    @needs("rbd_migration_prepare_import")
    async def migration_prepare_import(
        self,
        source_spec: str,
        dest_ioctx: Ioctx,
        dest_image_name: str,
        features: int | None = None,
        order: int | None = None,
        stripe_unit: int | None = None,
        stripe_count: int | None = None,
        data_pool: str | None = None,
    ) -> None:
        """Begins to import an image: makes the target, which reads from the source until it is
        copied. Needs Ceph 16.

        Parameters:
            source_spec: where the data is, as JSON, such as {"type": "raw", "stream": {"type":
                "file", "file_path": "/disk.raw"}}; every client that opens the target needs to
                reach it. See Ceph's "Image Live-Migration" for the other types.
            features: bits of the target's features; 0: none; None: the cluster's default.
            order, stripe_unit, stripe_count, data_pool: as in migration_prepare.

        Raises ImageNotFound (the source), ImageExists, InvalidArgument, FunctionNotSupported (of
        an unknown type), OSError (EBADMSG: no JSON), TypeError, OverflowError.
        Implements: rbd_migration_prepare_import
        """
        source_spec = hidden(source_spec)
        await self._run(
            self.sync.migration_prepare_import,
            source_spec,
            sync_of(dest_ioctx, "dest_ioctx", Ioctx),
            dest_image_name,
            features,
            order,
            stripe_unit,
            stripe_count,
            data_pool,
        )

    async def migration_execute(
        self, ioctx: Ioctx, image_name: str, on_progress: Any = None
    ) -> None:
        """Copies what the target does not have yet; it may take long.

        Parameters:
            image_name: of the target.
            on_progress: called with (done, total).

        Raises ImageNotFound, InvalidArgument (no migration).
        Implements: rbd_migration_execute_with_progress
        """
        await offload_with_progress(
            self.sync.migration_execute,
            sync_of(ioctx, "ioctx", Ioctx),
            image_name,
            on_progress=on_progress,
        )

    async def migration_commit(
        self, ioctx: Ioctx, image_name: str, on_progress: Any = None
    ) -> None:
        """Ends a migration: removes the source.

        Parameters:
            image_name: of the target, which must not be open.
            on_progress: called with (done, total).

        Raises ImageNotFound, InvalidArgument (no migration, or one that is not executed),
        ImageBusy. Implements: rbd_migration_commit_with_progress
        """
        await offload_with_progress(
            self.sync.migration_commit,
            sync_of(ioctx, "ioctx", Ioctx),
            image_name,
            on_progress=on_progress,
        )

    async def migration_abort(self, ioctx: Ioctx, image_name: str, on_progress: Any = None) -> None:
        """Undoes a migration: copies what was written back to the source, removes the target.

        Parameters:
            image_name: of the target, which must not be open.
            on_progress: called with (done, total).

        Raises ImageNotFound, InvalidArgument (no migration), ImageBusy.
        Implements: rbd_migration_abort_with_progress
        """
        await offload_with_progress(
            self.sync.migration_abort,
            sync_of(ioctx, "ioctx", Ioctx),
            image_name,
            on_progress=on_progress,
        )

    async def migration_status(self, ioctx: Ioctx, image_name: str) -> dict[str, Any]:
        """How far a migration is.

        Parameters:
            image_name: of the target or of the source.

        Returns a dict: source_pool_id, source_pool_namespace, source_image_name, source_image_id,
        dest_pool_id, dest_pool_namespace, dest_image_name, dest_image_id, state
        (RBD_IMAGE_MIGRATION_STATE_*), state_description. Of an import, ids are -1 and names ''.

        Raises ImageNotFound, InvalidArgument (no migration).
        Implements: rbd_migration_status, rbd_migration_status_cleanup
        """
        return await self._run(
            self.sync.migration_status, sync_of(ioctx, "ioctx", Ioctx), image_name
        )

    async def mirror_site_name_get(self, rados: Rados) -> str:
        """The name under which this cluster takes part in mirroring; its fsid if it has none.

        Raises Error, TypeError, RadosStateError. Implements: rbd_mirror_site_name_get
        """
        return await self._run(self.sync.mirror_site_name_get, sync_of(rados, "rados", Rados))

    async def mirror_site_name_set(self, rados: Rados, site_name: str) -> None:
        """Names this cluster; '' takes the name away.

        Raises InvalidArgument, Error, TypeError, RadosStateError.
        Implements: rbd_mirror_site_name_set
        """
        await self._run(self.sync.mirror_site_name_set, sync_of(rados, "rados", Rados), site_name)

    async def mirror_mode_get(self, ioctx: Ioctx) -> int:
        """How the pool (and namespace) is mirrored, RBD_MIRROR_MODE_*.

        Raises Error. Implements: rbd_mirror_mode_get
        """
        return await self._run(self.sync.mirror_mode_get, sync_of(ioctx, "ioctx", Ioctx))

    async def mirror_mode_set(self, ioctx: Ioctx, mirror_mode: int) -> None:
        """Sets how the pool (and namespace) is mirrored.

        Parameters:
            mirror_mode: RBD_MIRROR_MODE_DISABLED, _IMAGE (those images it is enabled for), _POOL
                (all images with the journaling feature), or _INIT_ONLY (Ceph 20, pools only).

        Raises InvalidArgument (no such mode), ImageBusy (images are mirrored, peers are left),
        TypeError, OverflowError. Implements: rbd_mirror_mode_set
        """
        await self._run(self.sync.mirror_mode_set, sync_of(ioctx, "ioctx", Ioctx), mirror_mode)

    @needs("rbd_mirror_uuid_get")
    async def mirror_uuid_get(self, ioctx: Ioctx) -> str:
        """The id under which peers know this pool.

        Raises ImageNotFound (mirroring is disabled), Error. Implements: rbd_mirror_uuid_get
        """
        return await self._run(self.sync.mirror_uuid_get, sync_of(ioctx, "ioctx", Ioctx))

    @needs("rbd_mirror_remote_namespace_get")
    async def mirror_remote_namespace_get(self, ioctx: Ioctx) -> str:
        """The namespace of the peers' pools that this namespace is mirrored to; by default the one
        of the same name.

        Raises Error. Implements: rbd_mirror_remote_namespace_get
        """
        return await self._run(
            self.sync.mirror_remote_namespace_get, sync_of(ioctx, "ioctx", Ioctx)
        )

    @needs("rbd_mirror_remote_namespace_set")
    async def mirror_remote_namespace_set(self, ioctx: Ioctx, remote_namespace: str) -> None:
        """Sets the namespace of the peers' pools that this namespace is mirrored to; only before
        mirroring is enabled.

        Raises InvalidArgument (it is enabled), OperationNotSupported (the OSDs are older than Ceph
        20), Error.
        Implements: rbd_mirror_remote_namespace_set
        """
        await self._run(
            self.sync.mirror_remote_namespace_set, sync_of(ioctx, "ioctx", Ioctx), remote_namespace
        )

    async def mirror_peer_bootstrap_create(self, ioctx: Ioctx) -> str:
        """Makes a token that lets another cluster become a peer of this pool: a secret, as it
        holds the key of a client.

        Raises InvalidArgument (mirroring is disabled), Error.
        Implements: rbd_mirror_peer_bootstrap_create
        """
        return await self._run(
            self.sync.mirror_peer_bootstrap_create, sync_of(ioctx, "ioctx", Ioctx)
        )

    async def mirror_peer_bootstrap_import(self, ioctx: Ioctx, direction: int, token: str) -> None:
        """Makes this pool and the one that the token is from peers of each other.

        It connects to the other cluster. Ctrl-C gets through while the main thread waits for it.

        Parameters:
            direction: RBD_MIRROR_PEER_DIRECTION_RX (the other pool is replicated to this one) or
                _RX_TX (either way).

        Raises InvalidArgument (no valid token, it is of this cluster, mirroring is disabled),
        ImageExists, Error, TypeError, OverflowError.
        Implements: rbd_mirror_peer_bootstrap_import
        """
        token = hidden(token)
        await self._run(
            self.sync.mirror_peer_bootstrap_import, sync_of(ioctx, "ioctx", Ioctx), direction, token
        )

    async def mirror_peer_add(
        self,
        ioctx: Ioctx,
        site_name: str,
        client_name: str,
        direction: int = RBD_MIRROR_PEER_DIRECTION_RX_TX,
    ) -> str:
        """Adds a peer; returns its uuid.

        Parameters:
            site_name: of the other cluster.
            client_name: whom to connect to it as, as in ``client.rbd-mirror-peer``.
            direction: RBD_MIRROR_PEER_DIRECTION_RX or _RX_TX; _RX needs Ceph 16.

        Raises ImageExists, InvalidArgument (mirroring is disabled, names or direction will not
        do), TypeError, OverflowError.
        Implements: rbd_mirror_peer_site_add, rbd_mirror_peer_add
        """
        return await self._run(
            self.sync.mirror_peer_add,
            sync_of(ioctx, "ioctx", Ioctx),
            site_name,
            client_name,
            direction,
        )

    async def mirror_peer_remove(self, ioctx: Ioctx, uuid: str) -> None:
        """Removes a peer; nothing if there is none with this uuid.

        Raises Error. Implements: rbd_mirror_peer_site_remove, rbd_mirror_peer_remove
        """
        await self._run(self.sync.mirror_peer_remove, sync_of(ioctx, "ioctx", Ioctx), uuid)

    async def mirror_peer_list(self, ioctx: Ioctx) -> MirrorPeerIterator:
        """The peers of the pool, dicts: uuid, direction, site_name, mirror_uuid, client_name.

        Raises Error. Implements: rbd_mirror_peer_site_list, rbd_mirror_peer_list
        """
        return await self._run(self.sync.mirror_peer_list, sync_of(ioctx, "ioctx", Ioctx))

    async def mirror_peer_set_client(self, ioctx: Ioctx, uuid: str, client_name: str) -> None:
        """Sets whom to connect to a peer as.

        Raises ImageNotFound, Error.
        Implements: rbd_mirror_peer_site_set_client_name, rbd_mirror_peer_set_client
        """
        await self._run(
            self.sync.mirror_peer_set_client, sync_of(ioctx, "ioctx", Ioctx), uuid, client_name
        )

    async def mirror_peer_set_name(self, ioctx: Ioctx, uuid: str, site_name: str) -> None:
        """Sets the name of a peer's site.

        Raises ImageNotFound, Error.
        Implements: rbd_mirror_peer_site_set_name, rbd_mirror_peer_set_cluster
        """
        await self._run(
            self.sync.mirror_peer_set_name, sync_of(ioctx, "ioctx", Ioctx), uuid, site_name
        )

    async def mirror_peer_set_cluster(self, ioctx: Ioctx, uuid: str, cluster_name: str) -> None:
        """The older name of mirror_peer_set_name.

        Raises ImageNotFound, Error.
        Implements: rbd_mirror_peer_site_set_name, rbd_mirror_peer_set_cluster
        """
        await self._run(
            self.sync.mirror_peer_set_cluster, sync_of(ioctx, "ioctx", Ioctx), uuid, cluster_name
        )

    @needs("rbd_mirror_peer_site_set_direction")
    async def mirror_peer_set_direction(self, ioctx: Ioctx, uuid: str, direction: int) -> None:
        """Sets in which direction images are replicated.

        Parameters:
            direction: RBD_MIRROR_PEER_DIRECTION_*.

        Raises ImageNotFound, InvalidArgument, TypeError, OverflowError.
        Implements: rbd_mirror_peer_site_set_direction
        """
        await self._run(
            self.sync.mirror_peer_set_direction, sync_of(ioctx, "ioctx", Ioctx), uuid, direction
        )

    async def mirror_peer_get_attributes(self, ioctx: Ioctx, uuid: str) -> dict[str, str]:
        """How to connect to a peer, as a dict: RBD_MIRROR_PEER_ATTRIBUTE_NAME_MON_HOST, _KEY.

        Raises ImageNotFound (no such peer, or it has no attributes), Error. Implements:
        rbd_mirror_peer_site_get_attributes, rbd_mirror_peer_get_attributes
        """
        return await self._run(
            self.sync.mirror_peer_get_attributes, sync_of(ioctx, "ioctx", Ioctx), uuid
        )

    async def mirror_peer_set_attributes(
        self, ioctx: Ioctx, uuid: str, attributes: Mapping[str, str]
    ) -> None:
        """Replaces all of how to connect to a peer.

        Parameters:
            attributes: RBD_MIRROR_PEER_ATTRIBUTE_NAME_MON_HOST and _KEY, with their values.

        Raises ImageNotFound, InvalidArgument, TypeError.
        Implements: rbd_mirror_peer_site_set_attributes, rbd_mirror_peer_set_attributes
        """
        attributes = hidden_values(attributes)
        await self._run(
            self.sync.mirror_peer_set_attributes, sync_of(ioctx, "ioctx", Ioctx), uuid, attributes
        )

    async def mirror_image_status_summary(self, ioctx: Ioctx) -> builtins.list[tuple[int, int]]:
        """How many images are in which state: [(MIRROR_IMAGE_STATUS_STATE_*, count)].

        Raises Error. Implements: rbd_mirror_image_status_summary
        """
        return await self._run(
            self.sync.mirror_image_status_summary, sync_of(ioctx, "ioctx", Ioctx)
        )


class GroupMethods(Offloading):
    """The methods of rbd.Group that only offload."""

    @property
    def sync(self) -> rbd.Group:
        """The synchronous object behind this one."""
        raise NotImplementedError

    @needs("rbd_group_get_id")
    async def id(self) -> str:
        """The group's internal id. Needs Ceph 20.

        Raises ObjectNotFound. Implements: rbd_group_get_id
        """
        return await self._run(self.sync.id)

    async def add_image(self, image_ioctx: Ioctx, image_name: str) -> None:
        """Makes an image a member. An image can be in one group only; one that is in this group
        already is no error.

        Parameters:
            image_ioctx: where the image is; in any pool, but in the namespace of the same name as
                the group's.

        Raises ObjectNotFound (no such group or image), ObjectExists (it is in another group),
        InvalidArgument (another namespace), FunctionNotSupported. Implements: rbd_group_image_add
        """
        await self._run(self.sync.add_image, sync_of(image_ioctx, "image_ioctx", Ioctx), image_name)

    async def remove_image(
        self, image_ioctx: Ioctx, image_name: str | None = None, *, image_id: str | None = None
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
        await self._run(
            self.sync.remove_image,
            sync_of(image_ioctx, "image_ioctx", Ioctx),
            image_name,
            image_id=image_id,
        )

    async def list_images(self) -> GroupImageIterator:
        """The images of the group; none if there is no such group.

        While one of them is in the trash librbd lists none at all (Ceph 14 and 16 let members in).

        Yields dicts: name, pool (its id), state (RBD_GROUP_IMAGE_STATE_*).

        Raises Error. Implements: rbd_group_image_list
        """
        return await self._run(self.sync.list_images)

    async def create_snap(self, snap_name: str, flags: int = 0) -> None:
        """Makes a snapshot of all images at one moment: their exclusive locks are taken first.

        This and rollback_to_snap take turns within a process. Do them for one group from one
        process only while its images are written: librbd waits for ever where two calls have got
        some of the locks each.

        Parameters:
            flags: RBD_SNAP_CREATE_*; needs Ceph 16.

        Raises ObjectNotFound (no such group), ObjectExists, InvalidArgument, FunctionNotSupported,
        TypeError, OverflowError. Implements: rbd_group_snap_create2, rbd_group_snap_create
        """
        await self._run(self.sync.create_snap, snap_name, flags)

    async def remove_snap(self, snap_name: str) -> None:
        """Removes a snapshot from the group and from all images.

        Raises ObjectNotFound, InvalidArgument, FunctionNotSupported.
        Implements: rbd_group_snap_remove
        """
        await self._run(self.sync.remove_snap, snap_name)

    @needs("rbd_group_snap_get_info")
    async def get_snap_info(self, snap_name: str) -> dict[str, Any]:
        """Facts about a snapshot. Needs Ceph 20.

        Returns a dict: id, name, state (RBD_GROUP_SNAP_STATE_*), namespace_type
        (RBD_GROUP_SNAP_NAMESPACE_TYPE_*), image_snap_name (what the snapshot is called in each
        image), image_snaps (a list of dicts: pool_id, snap_id, image_name).

        Raises ObjectNotFound, InvalidArgument, FunctionNotSupported.
        Implements: rbd_group_snap_get_info, rbd_group_snap_get_info_cleanup
        """
        return await self._run(self.sync.get_snap_info, snap_name)

    async def rename_snap(self, old_snap_name: str, new_snap_name: str) -> None:
        """Renames a snapshot.

        Raises ObjectNotFound, ObjectExists, InvalidArgument, FunctionNotSupported.
        Implements: rbd_group_snap_rename
        """
        await self._run(self.sync.rename_snap, old_snap_name, new_snap_name)

    async def list_snaps(self) -> GroupSnapIterator:
        """The snapshots of the group.

        Yields dicts: name, state (RBD_GROUP_SNAP_STATE_*); from Ceph 20 on also id, namespace_type,
        image_snap_name and image_snaps, as get_snap_info returns them.

        Raises ObjectNotFound (no such group; before Ceph 20 it has no snapshots instead).
        Implements: rbd_group_snap_list2, rbd_group_snap_list
        """
        return await self._run(self.sync.list_snaps)

    async def rollback_to_snap(self, name: str, *, on_progress: Any = None) -> None:
        """Makes all images what they were at a snapshot, object by object, holding their exclusive
        locks.

        Parameters:
            on_progress: called with (done, total). It must not make, list or roll back to
                snapshots of groups (InvalidArgument), and should not use the images.

        Raises ObjectNotFound, InvalidArgument (the members are not those of the snapshot; Ceph 14
        and 16 do not look), IOError. Implements: rbd_group_snap_rollback_with_progress
        """
        await offload_with_progress(self.sync.rollback_to_snap, name, on_progress=on_progress)


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

    async def data_pool_id(self) -> int:
        """The id of the pool that holds the image's data.

        Raises Error. Implements: rbd_get_data_pool_id
        """
        return await self._run(self.sync.data_pool_id)

    async def create_timestamp(self) -> datetime:
        """When the image was created: aware, in UTC.

        Raises Error. Implements: rbd_get_create_timestamp
        """
        return await self._run(self.sync.create_timestamp)

    async def access_timestamp(self) -> datetime:
        """When the image was read last, roughly: aware, in UTC.

        The option rbd_atime_update_interval says how roughly; a client that may not write does not
        count. Raises Error. Implements: rbd_get_access_timestamp
        """
        return await self._run(self.sync.access_timestamp)

    async def modify_timestamp(self) -> datetime:
        """When the image was written to last, roughly: aware, in UTC.

        The option rbd_mtime_update_interval says how roughly.

        Raises Error. Implements: rbd_get_modify_timestamp
        """
        return await self._run(self.sync.modify_timestamp)

    async def group(self) -> dict[str, Any]:
        """The group that the image is in.

        Returns a dict: pool (the id of the group's pool), name; -1 and '' if it is in none.

        Raises Error. Implements: rbd_get_group, rbd_group_info_cleanup
        """
        return await self._run(self.sync.group)

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
        await offload_with_progress(self.sync.resize, size, allow_shrink, on_progress=on_progress)

    async def rebuild_object_map(self, *, on_progress: Any = None) -> None:
        """Rebuilds the object map of the image or of the selected snapshot.

        Parameters:
            on_progress: called with (done, total).

        Raises Error. Implements: rbd_rebuild_object_map
        """
        await offload_with_progress(self.sync.rebuild_object_map, on_progress=on_progress)

    async def invalidate_cache(self) -> None:
        """Drops what is cached of the image. Raises Error. Implements: rbd_invalidate_cache"""
        await self._run(self.sync.invalidate_cache)

    async def create_snap(self, name: str, flags: int = 0, *, on_progress: Any = None) -> None:
        """Makes a snapshot.

        Parameters:
            flags: RBD_SNAP_CREATE_*; needs Ceph 16.
            on_progress: called with (done, total) while users of the image are asked to pause;
                needs Ceph 16.

        Raises ImageExists, InvalidArgument, ReadOnlyImage.
        Implements: rbd_snap_create2, rbd_snap_create
        """
        await offload_with_progress(self.sync.create_snap, name, flags, on_progress=on_progress)

    async def remove_snap(self, name: str, *, on_progress: Any = None) -> None:
        """Removes a snapshot.

        Parameters:
            on_progress: called with (done, total).

        Raises ImageNotFound, ImageBusy (protected), IOError.
        Implements: rbd_snap_remove, rbd_snap_remove2
        """
        await offload_with_progress(self.sync.remove_snap, name, on_progress=on_progress)

    async def remove_snap2(self, name: str, flags: int, *, on_progress: Any = None) -> None:
        """Removes a snapshot.

        Parameters:
            flags: RBD_SNAP_REMOVE_UNPROTECT ends its protection first, RBD_SNAP_REMOVE_FLATTEN
                flattens its clones first, RBD_SNAP_REMOVE_FORCE does both.
            on_progress: called with (done, total).

        Raises ImageNotFound, ImageBusy (protected), IOError, TypeError, OverflowError.
        Implements: rbd_snap_remove2
        """
        await offload_with_progress(self.sync.remove_snap2, name, flags, on_progress=on_progress)

    async def remove_snap_by_id(self, snap_id: int) -> None:
        """Removes a snapshot, whatever kind it is of, by its id.

        Raises ImageNotFound, ImageBusy (protected), IOError, TypeError, OverflowError.
        Implements: rbd_snap_remove_by_id
        """
        await self._run(self.sync.remove_snap_by_id, snap_id)

    async def rename_snap(self, srcname: str, dstname: str) -> None:
        """Renames a snapshot. Raises ImageNotFound, ImageExists. Implements: rbd_snap_rename"""
        await self._run(self.sync.rename_snap, srcname, dstname)

    async def rollback_to_snap(self, name: str, *, on_progress: Any = None) -> None:
        """Makes the image what it was at a snapshot, object by object.

        Parameters:
            on_progress: called with (done, total).

        Raises ImageNotFound, ReadOnlyImage, IOError. Implements: rbd_snap_rollback_with_progress
        """
        await offload_with_progress(self.sync.rollback_to_snap, name, on_progress=on_progress)

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

        It waits for the calls that are running, and keeps others waiting, since librbd cannot do it
        beside them; for 30 s at most.

        Raises ImageNotFound, ImageBusy (the running calls do not end). Implements: rbd_snap_set
        """
        await self._run(self.sync.set_snap, name)

    async def set_snap_by_id(self, snap_id: int | None) -> None:
        """Selects a snapshot, whatever kind it is of, by its id; None and 0 for the present.

        As set_snap() otherwise. Raises ImageNotFound, TypeError, OverflowError.
        Implements: rbd_snap_set_by_id
        """
        await self._run(self.sync.set_snap_by_id, snap_id)

    async def set_snap_limit(self, limit: int) -> int:
        """Limits how many snapshots there can be; create_snap() raises DiskQuotaExceeded then.

        Returns 0, as the standard binding does.

        Raises OSError (ERANGE: there are more already), TypeError, OverflowError.
        Implements: rbd_snap_set_limit
        """
        return await self._run(self.sync.set_snap_limit, limit)

    async def remove_snap_limit(self) -> int:
        """Ends the limit of snapshots.

        Returns 0, as the standard binding does. Raises Error. Implements: rbd_snap_set_limit
        """
        return await self._run(self.sync.remove_snap_limit)

    async def list_snaps(self) -> SnapIterator:
        """The snapshots of the image. Raises Error. Implements: rbd_snap_list"""
        return await self._run(self.sync.list_snaps)

    @needs("rbd_snap_exists")
    async def snap_exists(self, name: str) -> bool:
        """Whether there is a snapshot of this name. Needs Ceph 16.

        Raises InvalidArgument. Implements: rbd_snap_exists
        """
        return await self._run(self.sync.snap_exists, name)

    @needs("rbd_snap_get_id")
    async def snap_get_id(self, snap_name: str) -> int:
        """The id of a snapshot that the user made. Needs Ceph 16.

        Raises ImageNotFound, InvalidArgument. Implements: rbd_snap_get_id
        """
        return await self._run(self.sync.snap_get_id, snap_name)

    @needs("rbd_snap_get_name")
    async def snap_get_name(self, snap_id: int) -> str:
        """The name of a snapshot. Needs Ceph 16.

        Raises ImageNotFound, TypeError, OverflowError. Implements: rbd_snap_get_name
        """
        return await self._run(self.sync.snap_get_name, snap_id)

    async def get_snap_limit(self) -> int:
        """How many snapshots there can be, 2**64-1 for no limit.

        Raises Error. Implements: rbd_snap_get_limit
        """
        return await self._run(self.sync.get_snap_limit)

    async def get_snap_timestamp(self, snap_id: int) -> datetime:
        """When a snapshot was made: aware, in UTC.

        Before Ceph 18 this waits until no other call is running on the image, and keeps new ones
        waiting meanwhile (librbd could crash); for the same reason it is refused in a callback of
        one of the image's calls.

        Raises ImageNotFound, TypeError, OverflowError. Implements: rbd_snap_get_timestamp
        """
        return await self._run(self.sync.get_snap_timestamp, snap_id)

    async def snap_get_namespace_type(self, snap_id: int) -> int:
        """What a snapshot belongs to, RBD_SNAP_NAMESPACE_TYPE_*.

        Raises ImageNotFound, TypeError, OverflowError. Implements: rbd_snap_get_namespace_type
        """
        return await self._run(self.sync.snap_get_namespace_type, snap_id)

    async def snap_get_group_namespace(self, snap_id: int) -> dict[str, Any]:
        """The snapshot of a group that a snapshot belongs to.

        Returns a dict: pool (the id of the group's pool), name (of the group), snap_name (of the
        group's snapshot).

        Raises ImageNotFound, InvalidArgument (it belongs to none), TypeError, OverflowError.
        Implements: rbd_snap_get_group_namespace, rbd_snap_group_namespace_cleanup
        """
        return await self._run(self.sync.snap_get_group_namespace, snap_id)

    async def snap_get_trash_namespace(self, snap_id: int) -> dict[str, Any]:
        """What a snapshot was before it was removed while it had clones.

        Returns a dict: original_name, and from Ceph 20 on original_namespace_type
        (RBD_SNAP_NAMESPACE_TYPE_*).

        Raises ImageNotFound, InvalidArgument (it is not in the trash), TypeError, OverflowError.
        Implements: rbd_snap_get_trash_namespace2, rbd_snap_trash_namespace_cleanup,
        rbd_snap_get_trash_namespace
        """
        return await self._run(self.sync.snap_get_trash_namespace, snap_id)

    @needs("rbd_snap_get_mirror_namespace")
    async def snap_get_mirror_namespace(self, snap_id: int) -> dict[str, Any]:
        """What a snapshot is for mirroring. Needs Ceph 16.

        Returns a dict: state (RBD_SNAP_MIRROR_STATE_*), mirror_peer_uuids (list of str: peers that
        do not have it yet), complete (bool), primary_mirror_uuid, primary_snap_id,
        last_copied_object_number.

        Raises ImageNotFound, InvalidArgument (it is none of mirroring), TypeError, OverflowError.
        Implements: rbd_snap_get_mirror_namespace, rbd_snap_mirror_namespace_cleanup
        """
        return await self._run(self.sync.snap_get_mirror_namespace, snap_id)

    async def get_parent_image_spec(self) -> dict[str, Any]:
        """All about the parent.

        Returns a dict: pool_id (int), pool_name, pool_namespace, image_id, image_name (str), trash
        (bool), snap_id, snap_namespace_type (int, RBD_SNAP_NAMESPACE_TYPE_*), snap_name (str).

        Raises ImageNotFound if there is no parent. Implements: rbd_get_parent
        """
        return await self._run(self.sync.get_parent_image_spec)

    async def parent_info(self) -> tuple[str, str, str]:
        """(pool name, image name, snapshot name) of the parent.

        Raises ImageNotFound if there is no parent. Implements: rbd_get_parent
        """
        return await self._run(self.sync.parent_info)

    async def parent_id(self) -> str:
        """The internal id of the parent image.

        Raises ImageNotFound if there is no parent. Implements: rbd_get_parent
        """
        return await self._run(self.sync.parent_id)

    async def list_children(self) -> list[tuple[str, str]]:
        """(pool name, image name) of the clones of the selected snapshot, of all without one.

        Clones in the trash are left out. Raises Error. Implements: rbd_list_children3
        """
        return await self._run(self.sync.list_children)

    async def list_children2(self) -> ChildIterator:
        """The clones of the selected snapshot, of all without one, also those in the trash.

        Raises Error. Implements: rbd_list_children3
        """
        return await self._run(self.sync.list_children2)

    async def list_descendants(self) -> ChildIterator:
        """The clones as list_children2() tells them, their clones, and so on.

        Raises Error. Implements: rbd_list_descendants
        """
        return await self._run(self.sync.list_descendants)

    async def flatten(self, on_progress: Any = None) -> None:
        """Copies what is shared with the parent into the clone, which then has no parent.

        Parameters:
            on_progress: called with (done, total).

        Raises InvalidArgument (there is no parent), ReadOnlyImage.
        Implements: rbd_flatten_with_progress
        """
        await offload_with_progress(self.sync.flatten, on_progress=on_progress)

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
        sparse_size: int = 0,
        on_progress: Any = None,
        journal_order: int | None = None,
        journal_splay_width: int | None = None,
        journal_pool: str | None = None,
        features_set: int | None = None,
        features_clear: int | None = None,
        mirror_image_mode: int | None = None,
    ) -> None:
        """Copies the image, as it is at the selected snapshot if there is one, without snapshots.

        Of a clone with fast-diff librbd 16 copies only what was written to it, unless it was opened
        with read_only=True: what is its parent's is zero in the copy. deep_copy copies all.

        Parameters:
            features: bits of the copy's features; None and 0: those of the image.
            order: log2 of the size of the copy's objects; None: as the image's.
            stripe_unit: in bytes; None and 0: not striped.
            stripe_count: number of objects to stripe over; None and 0: not striped.
            data_pool: name of the pool for the data, if not that of `dest_ioctx`.
            sparse_size: runs of this many zero bytes are not written into the copy, a power of two;
                0: librbd's default.
            on_progress: called with (done, total).
            journal_order: log2 of the size of the journal's objects.
            journal_splay_width: number of objects that the journal is spread over at a time.
            journal_pool: name of the pool for the journal, if not that of `dest_ioctx`.
            features_set, features_clear: bits to add to, and to take from, the image's features.
            mirror_image_mode: RBD_MIRROR_IMAGE_MODE_*: enables mirroring (Ceph 16).

        Raises TypeError, InvalidArgument, ImageExists, FunctionNotSupported, ArgumentOutOfRange,
        OverflowError. Implements: rbd_copy_with_progress4
        """
        await offload_with_progress(
            self.sync.copy,
            sync_of(dest_ioctx, "dest_ioctx", Ioctx),
            dest_name,
            features,
            order,
            stripe_unit,
            stripe_count,
            data_pool,
            sparse_size=sparse_size,
            on_progress=on_progress,
            journal_order=journal_order,
            journal_splay_width=journal_splay_width,
            journal_pool=journal_pool,
            features_set=features_set,
            features_clear=features_clear,
            mirror_image_mode=mirror_image_mode,
        )

    async def deep_copy(
        self,
        dest_ioctx: Ioctx,
        dest_name: str,
        features: int | None = None,
        order: int | None = None,
        stripe_unit: int | None = None,
        stripe_count: int | None = None,
        data_pool: str | None = None,
        clone_format: int | None = None,
        flatten: bool = False,
        *,
        on_progress: Any = None,
    ) -> None:
        """Copies the image with its snapshots; the copy of a clone is a clone of the same parent.

        Parameters:
            features: bits of the copy's features; 0: none; None: the image's own.
            order: log2 of the size of the copy's objects.
            stripe_unit: in bytes; None and 0: not striped.
            stripe_count: number of objects to stripe over; None and 0: not striped.
            data_pool: name of the pool for the data, if not that of `dest_ioctx`.
            clone_format: of the copy of a clone, 1 or 2; None: the cluster's choice.
            flatten: makes the copy of a clone an image without a parent.
            on_progress: called with (done, total).

        Raises TypeError, InvalidArgument, ImageExists, FunctionNotSupported, ArgumentOutOfRange,
        OverflowError. Implements: rbd_deep_copy_with_progress
        """
        await offload_with_progress(
            self.sync.deep_copy,
            sync_of(dest_ioctx, "dest_ioctx", Ioctx),
            dest_name,
            features,
            order,
            stripe_unit,
            stripe_count,
            data_pool,
            clone_format,
            flatten,
            on_progress=on_progress,
        )

    async def sparsify(self, sparse_size: int, *, on_progress: Any = None) -> None:
        """Gives back the space of what is zero.

        Parameters:
            sparse_size: how many zero bytes in a row are worth it: a power of two, from 4096 to
                the size of an object.
            on_progress: called with (done, total).

        Raises InvalidArgument, ReadOnlyImage, TypeError, OverflowError.
        Implements: rbd_sparsify_with_progress
        """
        await offload_with_progress(self.sync.sparsify, sparse_size, on_progress=on_progress)

    async def metadata_get(self, key: str) -> str:
        """The value of a key. Raises KeyError, InvalidArgument. Implements: rbd_metadata_get"""
        return await self._run(self.sync.metadata_get, key)

    async def metadata_set(self, key: str, value: str) -> None:
        """Sets a key to a value. Keys that begin with "conf_" set options of the image.

        Raises InvalidArgument, ReadOnlyImage. Implements: rbd_metadata_set
        """
        await self._run(self.sync.metadata_set, key, value)

    async def metadata_remove(self, key: str) -> None:
        """Removes a key.

        Raises KeyError, InvalidArgument, ReadOnlyImage. Implements: rbd_metadata_remove
        """
        await self._run(self.sync.metadata_remove, key)

    @needs("rbd_get_migration_source_spec")
    async def migration_source_spec(self) -> dict[str, Any]:
        """Where a target of a migration comes from, as migration_prepare_import() takes it, but
        decoded: a dict with "type" and what belongs to it. Needs Ceph 16.

        Raises InvalidArgument (it is no target of a migration).
        Implements: rbd_get_migration_source_spec
        """
        return await self._run(self.sync.migration_source_spec)

    @needs("rbd_encryption_format")
    async def encryption_format(
        self,
        format: int,
        passphrase: str | bytes | bytearray | memoryview,
        cipher_alg: int = RBD_ENCRYPTION_ALGORITHM_AES256,
    ) -> None:
        """Makes the image an encrypted one, and loads the encryption. What it held is lost.

        The LUKS header takes space: size() is smaller by some MiB from then on. Deriving the key
        takes seconds. Whoever opens the image later has to call encryption_load() before any I/O.
        A clone can be formatted from Ceph 18 on. Needs Ceph 16.

        Parameters:
            format: RBD_ENCRYPTION_FORMAT_LUKS1 or RBD_ENCRYPTION_FORMAT_LUKS2.
            passphrase: str stands for its UTF-8. A bytearray can be wiped by the caller; the copy
                made here is.
            cipher_alg: RBD_ENCRYPTION_ALGORITHM_AES128 or RBD_ENCRYPTION_ALGORITHM_AES256.

        Raises NoSpace (the image is too small), InvalidArgument, ReadOnlyImage,
        OperationNotSupported (the format), TypeError, OverflowError.
        Implements: rbd_encryption_format
        """
        passphrase = hidden(passphrase)
        await self._run(self.sync.encryption_format, format, passphrase, cipher_alg)

    @needs("rbd_encryption_load")
    async def encryption_load(
        self, format: int, passphrase: str | bytes | bytearray | memoryview
    ) -> None:
        """Opens the encryption of an image: I/O is in plain text, size() is that of the plain text.

        Needs Ceph 16.

        Parameters:
            format: RBD_ENCRYPTION_FORMAT_LUKS1 or RBD_ENCRYPTION_FORMAT_LUKS2;
                RBD_ENCRYPTION_FORMAT_LUKS (Ceph 18) for either, and for clones whose parents are
                encrypted with the same passphrase.
            passphrase: as in encryption_format().

        Raises PermissionError (a wrong passphrase), InvalidArgument (not of this format),
        ImageExists (it is loaded already), OperationNotSupported (the format), TypeError,
        OverflowError.
        Implements: rbd_encryption_load
        """
        passphrase = hidden(passphrase)
        await self._run(self.sync.encryption_load, format, passphrase)

    @needs("rbd_encryption_load2")
    async def encryption_load2(
        self, specs: Sequence[tuple[int, str | bytes | bytearray | memoryview]]
    ) -> None:
        """Opens the encryption of a clone and of its parents. Needs Ceph 18.

        Parameters:
            specs: (format, passphrase) of the image, of its parent, and so on, as in
                encryption_load(); the last one is also for all parents above.

        Raises PermissionError (a wrong passphrase), InvalidArgument (not of this format, or too
        many), ImageExists (it is loaded already), OperationNotSupported (a format), TypeError,
        OverflowError.
        Implements: rbd_encryption_load2
        """
        specs = hidden_specs(specs)
        await self._run(self.sync.encryption_load2, specs)

    async def is_exclusive_lock_owner(self) -> bool:
        """Whether this client owns the image's managed exclusive lock.

        Raises Error. Implements: rbd_is_exclusive_lock_owner
        """
        return await self._run(self.sync.is_exclusive_lock_owner)

    async def lock_acquire(self, lock_mode: int) -> None:
        """Takes the managed lock and keeps it: librbd no longer hands it to clients that ask for
        it, until lock_release() or close().

        Parameters:
            lock_mode: RBD_LOCK_MODE_EXCLUSIVE; or RBD_LOCK_MODE_EXCLUSIVE_TRANSIENT (Ceph 20),
                which gives it away to whoever asks. No release supports RBD_LOCK_MODE_SHARED.

        Waits for the owner to let go of it.

        Raises ReadOnlyImage (the owner keeps it), InvalidArgument (the image has no exclusive-lock
        feature), OperationNotSupported (the mode), TypeError, OverflowError.
        Implements: rbd_lock_acquire
        """
        await self._run(self.sync.lock_acquire, lock_mode)

    async def lock_release(self) -> None:
        """Gives back the managed lock; librbd then refuses writes on this handle, with
        ReadOnlyImage, until it is acquired again.

        What was written is flushed first: librbd drops what it cannot write back, and says nothing.

        Raises InvalidArgument; what flush() raises, and then the lock is kept.
        Implements: rbd_lock_release, rbd_flush
        """
        await self._run(self.sync.lock_release)

    async def lock_get_owners(self) -> LockOwnerIterator:
        """The clients that own the managed lock: none or one.

        Returns an iterable of dicts: mode (RBD_LOCK_MODE_*), owner (str, as lock_break takes it).

        Raises InvalidArgument. Implements: rbd_lock_get_owners, rbd_lock_get_owners_cleanup
        """
        return await self._run(self.sync.lock_get_owners)

    async def lock_break(self, lock_mode: int, lock_owner: str) -> None:
        """Takes the managed lock from a client that is gone, or hangs. The cluster may block that
        client's connection.

        Parameters:
            lock_mode: RBD_LOCK_MODE_EXCLUSIVE.
            lock_owner: as named by lock_get_owners().

        Raises InvalidArgument, ImageNotFound, ImageBusy, OperationNotSupported (the mode),
        TypeError, OverflowError. Implements: rbd_lock_break
        """
        await self._run(self.sync.lock_break, lock_mode, lock_owner)

    async def list_lockers(self) -> dict[str, Any] | list[Any]:
        """The clients that hold the advisory lock.

        Returns a dict: tag (str), exclusive (bool), lockers (list of (client, cookie, address));
        without lockers an empty list, as the standard binding does.

        Raises Error. Implements: rbd_list_lockers
        """
        return await self._run(self.sync.list_lockers)

    async def lock_exclusive(self, cookie: str) -> None:
        """Takes the advisory lock for this client alone.

        While it is held, librbd cannot take the exclusive lock of an image that has that feature:
        its writes and flushes wait, also in this process, until unlock().

        Raises ImageBusy (another client or cookie holds it), ImageExists (this client and cookie
        hold it). Implements: rbd_lock_exclusive
        """
        await self._run(self.sync.lock_exclusive, cookie)

    async def lock_shared(self, cookie: str, tag: str) -> None:
        """Takes the advisory lock together with other clients that use the same tag.

        Writes wait as with lock_exclusive().

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

    async def watchers_list(self) -> WatcherIterator:
        """The clients that have the image open, but for those that opened it read_only.

        Returns an iterable of dicts: addr (str), id (int, of the client), cookie (int).

        Raises Error. Implements: rbd_watchers_list, rbd_watchers_list_cleanup
        """
        return await self._run(self.sync.watchers_list)

    async def config_get(self, key: str) -> str:
        """The value of an option that the image overrides.

        Raises KeyError (it does not), TypeError. Implements: rbd_metadata_get
        """
        return await self._run(self.sync.config_get, key)

    async def config_set(self, key: str, value: str) -> None:
        """Overrides an option for the image, also in this and other processes that have it open.

        Raises InvalidArgument (no such option, or not such a value), ReadOnlyImage, TypeError.
        Implements: rbd_metadata_set
        """
        await self._run(self.sync.config_set, key, value)

    async def config_remove(self, key: str) -> None:
        """Ends overriding an option.

        Raises KeyError (the image does not override it), ReadOnlyImage, TypeError.
        Implements: rbd_metadata_remove
        """
        await self._run(self.sync.config_remove, key)

    async def mirror_image_enable(self, mode: int = RBD_MIRROR_IMAGE_MODE_JOURNAL) -> None:
        """Starts to mirror the image, as the primary one.

        Parameters:
            mode: RBD_MIRROR_IMAGE_MODE_JOURNAL (every write is replicated; enables the feature
                journaling) or _SNAPSHOT (mirror snapshots are; needs Ceph 16).

        Raises InvalidArgument (mirroring of the pool is disabled, or is of all images, or the
        image is mirrored in another mode), TypeError, OverflowError.
        Implements: rbd_mirror_image_enable2, rbd_mirror_image_enable
        """
        await self._run(self.sync.mirror_image_enable, mode)

    async def mirror_image_disable(self, force: bool) -> None:
        """Ends the mirroring of the image; the images at other sites are removed.

        Parameters:
            force: also if this one is not primary.

        Raises InvalidArgument, Error. Implements: rbd_mirror_image_disable
        """
        await self._run(self.sync.mirror_image_disable, force)

    async def mirror_image_promote(self, force: bool) -> None:
        """Makes the image primary: it can be written, and is replicated to the other sites.

        Parameters:
            force: also if the other site's was not demoted; both sites' contents have to be
                reconciled then, by mirror_image_resync at one of them.

        Raises ImageBusy (the other site's is primary), ImageNotFound (not mirrored),
        InvalidArgument (primary already), Error. Implements: rbd_mirror_image_promote
        """
        await self._run(self.sync.mirror_image_promote, force)

    async def mirror_image_demote(self) -> None:
        """Makes the image non-primary: it cannot be written any more, and another site's can be
        promoted.

        Close the image, or stop writing, before: librbd still takes the first write of a handle
        that was open then (with mirroring by snapshots; by the journal it refuses reads, too), and
        what it writes is lost with the next promotion.

        Raises InvalidArgument (not primary), Error. Implements: rbd_mirror_image_demote
        """
        await self._run(self.sync.mirror_image_demote)

    async def mirror_image_resync(self) -> None:
        """Asks for a new replica: the rbd-mirror removes the image and copies the primary one.

        Raises InvalidArgument (it is primary), ImageNotFound (not mirrored), Error.
        Implements: rbd_mirror_image_resync
        """
        await self._run(self.sync.mirror_image_resync)

    @needs("rbd_mirror_image_create_snapshot2")
    async def mirror_image_create_snapshot(self, flags: int = 0) -> int:
        """Makes a mirror snapshot: the other sites become as the image is now.

        Parameters:
            flags: RBD_SNAP_CREATE_SKIP_QUIESCE, RBD_SNAP_CREATE_IGNORE_QUIESCE_ERROR.

        Returns the id of the snapshot.

        Raises InvalidArgument (not mirrored in the mode snapshot, not primary, no such flags),
        TypeError, OverflowError. Implements: rbd_mirror_image_create_snapshot2
        """
        return await self._run(self.sync.mirror_image_create_snapshot, flags)

    async def mirror_image_get_info(self) -> dict[str, Any]:
        """Whether the image is mirrored.

        Returns a dict: global_id (the same at all sites, '' if it is not mirrored), state
        (RBD_MIRROR_IMAGE_*), primary.

        Raises Error. Implements: rbd_mirror_image_get_info
        """
        return await self._run(self.sync.mirror_image_get_info)

    @needs("rbd_mirror_image_get_mode")
    async def mirror_image_get_mode(self) -> int:
        """How the image is mirrored, RBD_MIRROR_IMAGE_MODE_*.

        Without meaning if it is not mirrored; InvalidArgument then from Ceph 20 on.

        Raises InvalidArgument, Error. Implements: rbd_mirror_image_get_mode
        """
        return await self._run(self.sync.mirror_image_get_mode)

    async def mirror_image_get_status(self) -> dict[str, Any]:
        """What the rbd-mirror daemons say of the image.

        Returns a dict: name, id, info (that of mirror_image_get_info), the status at this site:
        state (MIRROR_IMAGE_STATUS_STATE_*), description, last_update (a datetime in UTC), up
        (whether an rbd-mirror is at work), and remote_statuses: a list of dicts with the status
        at each other site: mirror_uuid, state, description, last_update, up. Ceph 14 knows of no
        other sites.

        Raises Error. Implements: rbd_mirror_image_get_global_status,
        rbd_mirror_image_global_status_cleanup, rbd_mirror_image_get_status
        """
        return await self._run(self.sync.mirror_image_get_status)

    async def mirror_image_get_instance_id(self) -> str:
        """The instance id of the rbd-mirror that replicates the image to this site.

        Raises ImageNotFound (there is none), InvalidArgument (not mirrored), Error.
        Implements: rbd_mirror_image_get_instance_id
        """
        return await self._run(self.sync.mirror_image_get_instance_id)
