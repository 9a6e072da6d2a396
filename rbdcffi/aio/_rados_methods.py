"""The methods of rbdcffi.aio.rados that only offload.

Generated from the core by scripts/generate-aio; do not edit.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rbdcffi import rados
from rbdcffi._ffi import needs
from rbdcffi._secrets import (
    hidden,
    hidden_input,
    hidden_items,
)
from rbdcffi.aio._objects import Offloading
from rbdcffi.rados.cluster import Version
from rbdcffi.rados.constants import LIBRADOS_CHECKSUM_TYPE_CRC32C, LIBRADOS_OPERATION_NOFLAG
from rbdcffi.rados.objects import XattrIterator
from rbdcffi.rados.omap import KeyType, OmapIterator
from rbdcffi.rados.operations import ReadOp, WriteOp
from rbdcffi.rados.services import MinCompatibleClient
from rbdcffi.rados.slices import Cursor
from rbdcffi.rados.snapshots import Snap
from rbdcffi.rados.watching import NotifyResponse


class RadosMethods(Offloading):
    """The methods of rados.Rados that only offload."""

    @property
    def sync(self) -> rados.Rados:
        """The synchronous object behind this one."""
        raise NotImplementedError

    def require_state(self, *args: str) -> None:
        """Raises RadosStateError unless the state is one of the arguments."""
        self.sync.require_state(*args)

    def version(self) -> Version:
        """The version of librados, which unpacks as (major, minor, extra).

        Implements: rados_version
        """
        return self.sync.version()

    async def conf_read_file(self, path: str | None = None) -> None:
        """Reads a configuration file; None searches the usual places.

        Raises ObjectNotFound, RadosStateError. Implements: rados_conf_read_file
        """
        await self._run(self.sync.conf_read_file, path)

    async def conf_parse_argv(self, args: Sequence[str]) -> list[str]:
        """Takes options of the form ``--name value`` from arguments; returns the others.

        Raises RadosStateError, Error. Implements: rados_conf_parse_argv_remainder
        """
        args = hidden_items(args)
        return await self._run(self.sync.conf_parse_argv, args)

    async def conf_parse_env(self, var: str | None = "CEPH_ARGS") -> None:
        """Takes options from an environment variable.

        Raises RadosStateError, Error. Implements: rados_conf_parse_env
        """
        await self._run(self.sync.conf_parse_env, var)

    async def conf_get(self, option: str) -> str | None:
        """The value of an option, None where there is no such option.

        Raises RadosStateError, TypeError. Implements: rados_conf_get
        """
        return await self._run(self.sync.conf_get, option)

    async def conf_set(self, option: str, val: str) -> None:
        """Sets an option.

        Raises ObjectNotFound (no such option), InvalidArgumentError, RadosStateError, TypeError.
        Implements: rados_conf_set
        """
        val = hidden(val)
        await self._run(self.sync.conf_set, option, val)

    def get_instance_id(self) -> int:
        """The number by which the cluster knows this connection.

        Implements: rados_get_instance_id
        """
        return self.sync.get_instance_id()

    async def get_fsid(self) -> str:
        """The cluster's id, a UUID. Raises Error. Implements: rados_cluster_fsid"""
        return await self._run(self.sync.get_fsid)

    async def get_addrs(self) -> str:
        """The addresses of this client. Raises Error. Implements: rados_getaddrs"""
        return await self._run(self.sync.get_addrs)

    async def get_cluster_stats(self) -> dict[str, int]:
        """Usage of the cluster: kb, kb_used, kb_avail (KiB), num_objects.

        Raises Error. Implements: rados_cluster_stat
        """
        return await self._run(self.sync.get_cluster_stats)

    async def wait_for_latest_osdmap(self) -> int:
        """Waits until this client has the newest map; returns 0.

        Raises Error. Implements: rados_wait_for_latest_osdmap
        """
        return await self._run(self.sync.wait_for_latest_osdmap)

    async def list_pools(self) -> list[str]:
        """The names of all pools. Raises Error. Implements: rados_pool_list"""
        return await self._run(self.sync.list_pools)

    async def get_inconsistent_pgs(self, pool_id: int) -> list[str]:
        """The ids of the pool's inconsistent placement groups.

        Raises Error. Implements: rados_inconsistent_pg_list
        """
        return await self._run(self.sync.get_inconsistent_pgs, pool_id)

    async def pool_lookup(self, pool_name: str) -> int | None:
        """The id of a pool, None where there is none of that name.

        Raises TypeError, Error. Implements: rados_pool_lookup
        """
        return await self._run(self.sync.pool_lookup, pool_name)

    async def pool_exists(self, pool_name: str) -> bool:
        """Whether there is a pool of that name.

        Raises TypeError, Error. Implements: rados_pool_lookup
        """
        return await self._run(self.sync.pool_exists, pool_name)

    async def pool_reverse_lookup(self, pool_id: int) -> str | None:
        """The name of a pool, None where there is none of that id.

        Raises TypeError, Error. Implements: rados_pool_reverse_lookup
        """
        return await self._run(self.sync.pool_reverse_lookup, pool_id)

    async def create_pool(
        self, pool_name: str, crush_rule: int | None = None, auid: int | None = None
    ) -> None:
        """Creates a pool.

        Parameters:
            crush_rule: number of the placement rule, the cluster's default if None.
            auid: ignored by all supported releases.

        Raises TypeError, ObjectExists, Error.
        Implements: rados_pool_create, rados_pool_create_with_crush_rule,
        rados_pool_create_with_auid, rados_pool_create_with_all
        """
        await self._run(self.sync.create_pool, pool_name, crush_rule, auid)

    async def delete_pool(self, pool_name: str) -> None:
        """Deletes a pool and everything in it.

        Raises TypeError, ObjectNotFound, PermissionError, Error. Implements: rados_pool_delete
        """
        await self._run(self.sync.delete_pool, pool_name)

    async def get_pool_base_tier(self, pool_id: int) -> int:
        """The id of the pool that this one is a cache of, or its own.

        Raises Error. Implements: rados_pool_get_base_tier
        """
        return await self._run(self.sync.get_pool_base_tier, pool_id)

    async def mon_command(
        self, cmd: str, inbuf: bytes | str, timeout: int = 0, target: str | int | None = None
    ) -> tuple[int, bytes, str]:
        """Sends a command to the monitors, or to the one named `target`.

        Parameters:
            inbuf: input of the command, bytes or str.
            timeout: ignored, for the signature; see op_timeout of Rados.

        Returns (result, output, message).
        Raises TypeError, RadosStateError.
        Implements: rados_mon_command, rados_mon_command_target
        """
        cmd = hidden(cmd)
        inbuf = hidden_input(inbuf)
        return await self._run(self.sync.mon_command, cmd, inbuf, timeout, target)

    async def osd_command(
        self, osdid: int, cmd: str, inbuf: bytes | str, timeout: int = 0
    ) -> tuple[int, bytes, str]:
        """Sends a command to an OSD.

        Parameters:
            timeout: ignored, for the signature; after op_timeout of Rados the result is -ETIMEDOUT.

        Returns (result, output, message).
        Raises TypeError, RadosStateError. Implements: rados_osd_command
        """
        cmd = hidden(cmd)
        inbuf = hidden_input(inbuf)
        return await self._run(self.sync.osd_command, osdid, cmd, inbuf, timeout)

    async def mgr_command(
        self, cmd: str, inbuf: bytes | str, timeout: int = 0, target: str | None = None
    ) -> tuple[int, bytes, str]:
        """Sends a command to the active manager, or to the one named `target` (Ceph 16).

        Parameters:
            timeout: ignored, for the signature. After op_timeout of Rados the result is ETIMEDOUT,
                as a positive number.

        Returns (result, output, message).
        Raises TypeError, RadosStateError, InvalidArgumentError (no target support).
        Implements: rados_mgr_command, rados_mgr_command_target
        """
        cmd = hidden(cmd)
        inbuf = hidden_input(inbuf)
        return await self._run(self.sync.mgr_command, cmd, inbuf, timeout, target)

    async def pg_command(
        self, pgid: str, cmd: str, inbuf: bytes | str, timeout: int = 0
    ) -> tuple[int, bytes, str]:
        """Sends a command to a placement group.

        Parameters:
            timeout: ignored, for the signature; after op_timeout of Rados the result is -ETIMEDOUT.

        Returns (result, output, message).
        Raises TypeError, RadosStateError. Implements: rados_pg_command
        """
        cmd = hidden(cmd)
        inbuf = hidden_input(inbuf)
        return await self._run(self.sync.pg_command, pgid, cmd, inbuf, timeout)

    async def ping_monitor(self, mon_id: str) -> str:
        """The state of one monitor, as JSON text with the keys ``mon_status`` and, if it is in
        the quorum, ``health``.

        Works before connect() too, with a connection of its own. It asks with a command:
        rados_ping_monitor may crash the process (its messenger uses a connection that librados
        has not stored yet).

        Raises ObjectNotFound (no such monitor), TimedOut (after client_mount_timeout),
        RadosStateError. Implements: rados_mon_command_target, rados_mon_command
        """
        return await self._run(self.sync.ping_monitor, mon_id)

    async def service_daemon_register(
        self, service: str, daemon: str, metadata: Mapping[str, str]
    ) -> None:
        """Makes this client appear in the cluster's status as a daemon of a service, as long as it
        is connected. Before or after connect(), once.

        Parameters:
            service: name of the service, as in ``rgw``.
            daemon: name of this daemon.
            metadata: facts about it.

        Raises ObjectExists (it is registered already), InvalidArgumentError (a name of a daemon of
        Ceph), TypeError. Implements: rados_service_register
        """
        await self._run(self.sync.service_daemon_register, service, daemon, metadata)

    async def service_daemon_update(self, status: Mapping[str, str]) -> None:
        """Sets the state of the daemon that this client was registered as.

        Raises NotConnected, TypeError. Implements: rados_service_update_status
        """
        await self._run(self.sync.service_daemon_update, status)

    async def blocklist_add(self, client_address: str, expire_seconds: int = 0) -> None:
        """Shuts a client out: the cluster refuses what it still sends.

        Parameters:
            client_address: as in ``127.0.0.1:0/1234``, a part of what get_addrs() returns there.
            expire_seconds: for how long; 0 for the cluster's default (an hour).

        Raises InvalidArgumentError, TypeError, OverflowError.
        Implements: rados_blocklist_add, rados_blacklist_add
        """
        await self._run(self.sync.blocklist_add, client_address, expire_seconds)

    async def get_min_compatible_osd(self) -> int:
        """The release that the cluster requires of its OSDs, 16 for Ceph 16.

        Raises Error. Implements: rados_get_min_compatible_osd
        """
        return await self._run(self.sync.get_min_compatible_osd)

    async def get_min_compatible_client(self) -> MinCompatibleClient:
        """The releases that the cluster needs of its clients:
        (min_compat_client, require_min_compat_client).

        Raises Error. Implements: rados_get_min_compatible_client
        """
        return await self._run(self.sync.get_min_compatible_client)

    async def watch_flush(self) -> None:
        """Waits until librados has delivered what it has received of notifications: callbacks that
        are due have been queued for their threads.

        Raises Error. Implements: rados_watch_flush
        """
        await self._run(self.sync.watch_flush)


class IoctxMethods(Offloading):
    """The methods of rados.Ioctx that only offload."""

    @property
    def sync(self) -> rados.Ioctx:
        """The synchronous object behind this one."""
        raise NotImplementedError

    def require_ioctx_open(self) -> None:
        """Raises IoctxStateError if the context is closed."""
        self.sync.require_ioctx_open()

    def set_namespace(self, nspace: str) -> None:
        """Selects a namespace; '' is the default one, LIBRADOS_ALL_NSPACES all (for listing).

        Raises TypeError, IoctxStateError. Implements: rados_ioctx_set_namespace
        """
        self.sync.set_namespace(nspace)

    def get_namespace(self) -> str:
        """The selected namespace."""
        return self.sync.get_namespace()

    def set_locator_key(self, loc_key: str | None) -> None:
        """Selects the key by which objects are placed, instead of their names; None ends that.

        Raises TypeError, IoctxStateError. Implements: rados_ioctx_locator_set_key
        """
        self.sync.set_locator_key(loc_key)

    def get_locator_key(self) -> str:
        """The selected locator key, '' for none."""
        return self.sync.get_locator_key()

    def set_read(self, snap_id: int) -> None:
        """Reads come from this snapshot of the pool; LIBRADOS_SNAP_HEAD for the present.

        Raises TypeError, IoctxStateError. Implements: rados_ioctx_snap_set_read
        """
        self.sync.set_read(snap_id)

    def get_pool_id(self) -> int:
        """The pool's id. Implements: rados_ioctx_get_id"""
        return self.sync.get_pool_id()

    async def get_pool_name(self) -> str:
        """The pool's name. Raises Error. Implements: rados_ioctx_get_pool_name"""
        return await self._run(self.sync.get_pool_name)

    def get_last_version(self) -> int:
        """The version of the object that was last read or written through this context.

        Implements: rados_get_last_version
        """
        return self.sync.get_last_version()

    async def get_stats(self) -> dict[str, int]:
        """Usage of the pool; num_bytes in bytes, num_kb, num_rd_kb and num_wr_kb in KiB.

        Keys: num_bytes, num_kb, num_objects, num_object_clones, num_object_copies,
        num_objects_missing_on_primary, num_objects_unfound, num_objects_degraded, num_rd,
        num_rd_kb, num_wr, num_wr_kb.

        Raises Error. Implements: rados_ioctx_pool_stat
        """
        return await self._run(self.sync.get_stats)

    async def alignment(self) -> int | None:
        """The size in bytes that appends must be multiples of, None where it does not matter.

        Raises Error. Implements: rados_ioctx_pool_requires_alignment2,
        rados_ioctx_pool_required_alignment2
        """
        return await self._run(self.sync.alignment)

    async def trunc(self, key: str, size: int) -> int:
        """Makes an object `size` bytes long; returns 0. Raises Error. Implements: rados_trunc"""
        return await self._run(self.sync.trunc, key, size)

    async def checksum(
        self,
        key: str,
        type: int = LIBRADOS_CHECKSUM_TYPE_CRC32C,
        init_value: int = 0,
        *,
        length: int = 0,
        offset: int = 0,
        chunk_size: int = 0,
    ) -> list[int]:
        """The checksums of an object, or of a part of it, computed where it is.

        Parameters:
            type: LIBRADOS_CHECKSUM_TYPE_CRC32C, _XXHASH32 or _XXHASH64.
            init_value: what they begin with, such as 0xFFFFFFFF for the usual CRC-32C.
            length: in bytes; 0: to the end.
            chunk_size: a checksum for each so many bytes, of which `length` must be a multiple
                (and not 0); 0: one of all.

        Raises InvalidArgumentError, TypeError, OverflowError, ObjectNotFound, Error.
        Implements: rados_checksum
        """
        return await self._run(
            self.sync.checksum,
            key,
            type,
            init_value,
            length=length,
            offset=offset,
            chunk_size=chunk_size,
        )

    async def set_alloc_hint2(
        self, key: str, expected_object_size: int, expected_write_size: int, flags: int = 0
    ) -> None:
        """Says how an object will be used, creating it if need be.

        Parameters:
            expected_object_size, expected_write_size: in bytes; 0: unknown.
            flags: LIBRADOS_ALLOC_HINT_FLAG_*, such as _APPEND_ONLY or _COMPRESSIBLE.

        Raises TypeError, OverflowError, Error. Implements: rados_set_alloc_hint2
        """
        await self._run(
            self.sync.set_alloc_hint2, key, expected_object_size, expected_write_size, flags
        )

    async def cache_pin(self, key: str) -> None:
        """Keeps an object in the cache tier: it is neither flushed nor evicted.

        Raises InvalidArgumentError (the pool has no cache tier), TypeError, ObjectNotFound, Error.
        Implements: rados_cache_pin
        """
        await self._run(self.sync.cache_pin, key)

    async def cache_unpin(self, key: str) -> None:
        """Ends cache_pin.

        Raises InvalidArgumentError (the pool has no cache tier), TypeError, ObjectNotFound, Error.
        Implements: rados_cache_unpin
        """
        await self._run(self.sync.cache_unpin, key)

    async def application_enable(self, app_name: str, force: bool = False) -> None:
        """Says that the pool is used by an application: ``rbd``, ``rgw``, ``cephfs``, or another.

        Parameters:
            force: also if the pool is used by another one already.

        Raises PermissionError (another one uses it), InvalidArgumentError, TypeError.
        Implements: rados_application_enable
        """
        await self._run(self.sync.application_enable, app_name, force)

    async def application_list(self) -> list[str]:
        """The applications that use the pool.

        Raises Error. Implements: rados_application_list
        """
        return await self._run(self.sync.application_list)

    async def application_metadata_get(self, app_name: str, key: str) -> str:
        """The value of a key.

        Raises KeyError (no such key, or application), TypeError, Error.
        Implements: rados_application_metadata_get
        """
        return await self._run(self.sync.application_metadata_get, app_name, key)

    async def application_metadata_set(self, app_name: str, key: str, value: str) -> None:
        """Sets a key to a value.

        Raises ObjectNotFound (no such application), InvalidArgumentError (longer than the
        monitors' mon_pool_... limits, 64 and 128 characters), TypeError.
        Implements: rados_application_metadata_set
        """
        await self._run(self.sync.application_metadata_set, app_name, key, value)

    async def application_metadata_remove(self, app_name: str, key: str) -> None:
        """Removes a key, if there is one of that name.

        Raises ObjectNotFound (no such application), TypeError.
        Implements: rados_application_metadata_remove
        """
        await self._run(self.sync.application_metadata_remove, app_name, key)

    async def application_metadata_list(self, app_name: str) -> list[tuple[str, str]]:
        """The (key, value) of all keys.

        Raises ObjectNotFound (no such application), TypeError, Error.
        Implements: rados_application_metadata_list
        """
        return await self._run(self.sync.application_metadata_list, app_name)

    def set_osdmap_full_try(self) -> None:
        """Writes through this context are sent even if the pool or the cluster is full, instead of
        waiting for room: those that free space succeed, others fail with NoSpace.

        Raises IoctxStateError. Implements: rados_set_pool_full_try, rados_set_osdmap_full_try
        """
        self.sync.set_osdmap_full_try()

    def unset_osdmap_full_try(self) -> None:
        """Ends what set_osdmap_full_try began.

        Raises IoctxStateError. Implements: rados_unset_pool_full_try, rados_unset_osdmap_full_try
        """
        self.sync.unset_osdmap_full_try()

    async def unlock(self, key: str, name: str, cookie: str) -> None:
        """Gives back a lock that this client holds.

        Raises ObjectNotFound (it does not hold that one), TypeError. Implements: rados_unlock
        """
        await self._run(self.sync.unlock, key, name, cookie)

    async def break_lock(self, key: str, name: str, client: str, cookie: str) -> None:
        """Takes a lock from another client, which is not told.

        Parameters:
            client: who holds it, as list_lockers names it: ``client.4123``.

        Raises ObjectNotFound (it does not hold that one), InvalidArgumentError (the client's
        name), TypeError. Implements: rados_break_lock
        """
        await self._run(self.sync.break_lock, key, name, client, cookie)

    async def list_lockers(self, key: str, name: str) -> dict[str, Any]:
        """Who holds a lock.

        Returns a dict: tag (str), exclusive (bool), lockers (list of (client, cookie, address)).

        Raises ObjectNotFound (no such object), TypeError. Implements: rados_list_lockers
        """
        return await self._run(self.sync.list_lockers, key, name)

    def list_begin(self) -> Cursor:
        """The place before the first object.

        Raises IoctxStateError, ObjectNotFound (the pool is gone).
        Implements: rados_object_list_begin, rados_object_list_cursor_free
        """
        return self.sync.list_begin()

    def list_end(self) -> Cursor:
        """The place behind the last object.

        Raises IoctxStateError, ObjectNotFound (the pool is gone).
        Implements: rados_object_list_end, rados_object_list_cursor_free
        """
        return self.sync.list_end()

    async def create_snap(self, snap_name: str) -> None:
        """Makes a snapshot of the pool.

        Raises ObjectExists, InvalidArgumentError (the pool has self-managed snapshots), TypeError.
        Implements: rados_ioctx_snap_create
        """
        await self._run(self.sync.create_snap, snap_name)

    async def remove_snap(self, snap_name: str) -> None:
        """Removes a snapshot of the pool.

        Raises ObjectNotFound, TypeError. Implements: rados_ioctx_snap_remove
        """
        await self._run(self.sync.remove_snap, snap_name)

    async def lookup_snap(self, snap_name: str) -> Snap:
        """A snapshot of the pool; reads come from it after ``set_read(snap.snap_id)``.

        Raises ObjectNotFound, TypeError. Implements: rados_ioctx_snap_lookup
        """
        return await self._run(self.sync.lookup_snap, snap_name)

    async def snap_rollback(self, oid: str, snap_name: str) -> None:
        """Makes an object what it was in a snapshot of the pool.

        Raises ObjectNotFound (no such snapshot), TypeError.
        Implements: rados_ioctx_snap_rollback
        """
        await self._run(self.sync.snap_rollback, oid, snap_name)

    async def create_self_managed_snap(self) -> int:
        """The id of a new self-managed snapshot, to be used by set_self_managed_snap_write.

        Raises InvalidArgumentError (the pool has snapshots of its own).
        Implements: rados_ioctx_selfmanaged_snap_create
        """
        return await self._run(self.sync.create_self_managed_snap)

    async def remove_self_managed_snap(self, snap_id: int) -> None:
        """Removes a self-managed snapshot. The cluster deletes what only it refers to, by and by.

        Raises ObjectNotFound (there never was one of that id), TypeError, OverflowError.
        Implements: rados_ioctx_selfmanaged_snap_remove
        """
        await self._run(self.sync.remove_self_managed_snap, snap_id)

    def set_self_managed_snap_write(self, snaps: Iterable[int | str] | None) -> None:
        """Names the snapshots that exist, for the writes through this context from now on: what
        they overwrite is kept for the snapshots that are newer than it.

        Parameters:
            snaps: the ids (numbers, or text of digits) in any order; none for no snapshots.

        Raises InvalidArgumentError (an id is given twice), ValueError, TypeError, OverflowError.
        Implements: rados_ioctx_selfmanaged_snap_set_write_ctx
        """
        self.sync.set_self_managed_snap_write(snaps)

    async def rollback_self_managed_snap(self, oid: str, snap_id: int) -> None:
        """Makes an object what it was in a self-managed snapshot; one that was not there then is
        removed.

        Raises TypeError, OverflowError, Error.
        Implements: rados_ioctx_selfmanaged_snap_rollback
        """
        await self._run(self.sync.rollback_self_managed_snap, oid, snap_id)

    async def notify(self, obj: str, msg: str | bytes = "", timeout_ms: int = 5000) -> bool:
        """Sends a message to all who watch an object, and waits for them to acknowledge it.

        Parameters:
            timeout_ms: how long the cluster waits for them, in milliseconds; rounded up to whole
                seconds. 0 for its default, 30 seconds.

        Returns True.
        Raises ObjectNotFound, TimedOut (somebody did not in time), TypeError, OverflowError, Error.
        Implements: rados_notify2
        """
        return await self._run(self.sync.notify, obj, msg, timeout_ms)

    async def notify2(
        self, obj: str, msg: str | bytes = "", timeout_ms: int = 5000
    ) -> NotifyResponse:
        """The same as notify, and tells who replied what, and who did not in time; that is no
        error here.

        Returns a NotifyResponse: (acks, timeouts).
        Raises ObjectNotFound, TimedOut (no answer from the cluster), TypeError, OverflowError,
        Error. Implements: rados_notify2
        """
        return await self._run(self.sync.notify2, obj, msg, timeout_ms)

    def create_write_op(self) -> WriteOp:
        """A new WriteOp. Raises IoctxStateError. Implements: rados_create_write_op"""
        return self.sync.create_write_op()

    def create_read_op(self) -> ReadOp:
        """A new ReadOp. Raises IoctxStateError. Implements: rados_create_read_op"""
        return self.sync.create_read_op()

    def release_write_op(self, write_op: WriteOp) -> None:
        """``write_op.release()``. Raises TypeError. Implements: rados_release_write_op"""
        self.sync.release_write_op(write_op)

    def release_read_op(self, read_op: ReadOp) -> None:
        """``read_op.release()``. Raises TypeError. Implements: rados_release_read_op"""
        self.sync.release_read_op(read_op)

    async def operate_write_op(
        self,
        write_op: WriteOp,
        oid: str,
        mtime: int = 0,
        flags: int = LIBRADOS_OPERATION_NOFLAG,
        *,
        mtime_ns: int | None = None,
    ) -> None:
        """Performs an operation on an object, which is created if a step needs that. The operation
        cannot be performed again.

        Parameters:
            mtime: what becomes the time of the last change, in seconds since 1970; 0 for now.
            mtime_ns: the same in nanoseconds.
            flags: bits LIBRADOS_OPERATION_*.

        Raises the error of the step that fails: ObjectNotFound, ObjectExists, ExtendMismatch,
        OSError with errno ECANCELED for a comparison that does not hold; then nothing is changed.
        And TypeError, OverflowError, InvalidArgumentError, LogicError (the operation is used by
        another thread, performed already, or released), IoctxStateError, Error.
        Implements: rados_write_op_operate2
        """
        await self._run(self.sync.operate_write_op, write_op, oid, mtime, flags, mtime_ns=mtime_ns)

    async def operate_read_op(
        self, read_op: ReadOp, oid: str, flag: int = LIBRADOS_OPERATION_NOFLAG
    ) -> None:
        """Performs an operation on an object; then its steps have their values. It cannot be
        performed again.

        Parameters:
            flag: bits LIBRADOS_OPERATION_*.

        Raises the error of the step that fails (unless that has LIBRADOS_OP_FLAG_FAILOK):
        ObjectNotFound, ExtendMismatch, OSError with errno ECANCELED for a comparison that does not
        hold. And TypeError, OverflowError, LogicError (the operation is used by another thread,
        performed already, or released), IoctxStateError, Error.
        Implements: rados_read_op_operate
        """
        await self._run(self.sync.operate_read_op, read_op, oid, flag)

    async def execute(
        self, key: str, cls: str, method: str, data: Any, length: int = 8192
    ) -> tuple[int, bytes]:
        """Runs a method of a class of the OSDs on an object.

        Parameters:
            length: of what it returns, at most; more is an error with errno ERANGE.

        Returns (what the method returns as a number: the length of the output, output).

        Raises TypeError, OverflowError, InvalidArgumentError, ObjectNotFound, OSError with errno
        EOPNOTSUPP (no such class or method), Error. Implements: rados_exec
        """
        return await self._run(self.sync.execute, key, cls, method, data, length)

    async def cmpext(self, key: str, cmp_buf: Any, offset: int = 0) -> int:
        """Compares a part of an object with data.

        Returns 0 if they are equal, else -4095 less the number of the first byte that differs.

        Raises TypeError, OverflowError, ObjectNotFound, Error. Implements: rados_cmpext
        """
        return await self._run(self.sync.cmpext, key, cmp_buf, offset)

    async def writesame(self, key: str, data: Any, write_len: int, offset: int = 0) -> None:
        """Writes the same data again and again, `write_len` bytes in all.

        Parameters:
            write_len: a multiple of the length of `data`.

        Raises TypeError, OverflowError, InvalidArgumentError, Error. Implements: rados_writesame
        """
        await self._run(self.sync.writesame, key, data, write_len, offset)

    def set_omap(
        self, write_op: WriteOp, keys: Iterable[str | bytes], values: Iterable[Any]
    ) -> None:
        """Lets an operation set keys to values; see WriteOp.omap_set.

        Raises TypeError, Error (not as many values as keys), LogicError, IoctxStateError.
        Implements: rados_write_op_omap_set2
        """
        self.sync.set_omap(write_op, keys, values)

    def remove_omap_keys(self, write_op: WriteOp, keys: Iterable[str | bytes]) -> None:
        """Lets an operation remove keys, those that are there.

        Raises TypeError, LogicError, IoctxStateError. Implements: rados_write_op_omap_rm_keys2
        """
        self.sync.remove_omap_keys(write_op, keys)

    @needs("rados_write_op_omap_rm_range2")
    def remove_omap_range2(
        self, write_op: WriteOp, key_begin: str | bytes, key_end: str | bytes
    ) -> None:
        """Lets an operation remove the keys from `key_begin` up to, but without, `key_end`.

        Raises TypeError, LogicError, IoctxStateError. Implements: rados_write_op_omap_rm_range2
        """
        self.sync.remove_omap_range2(write_op, key_begin, key_end)

    def clear_omap(self, write_op: WriteOp) -> None:
        """Lets an operation remove all keys.

        Raises TypeError, LogicError, IoctxStateError. Implements: rados_write_op_omap_clear
        """
        self.sync.clear_omap(write_op)

    def get_omap_vals(
        self,
        read_op: ReadOp,
        start_after: str | bytes | None,
        filter_prefix: str | bytes | None,
        max_return: int,
        omap_key_type: KeyType = bytes.decode,
    ) -> tuple[OmapIterator, int]:
        """Lets an operation read keys and values; see ReadOp.omap_get_vals.

        Returns (the iterator over what will be found, 0).

        Raises TypeError, OverflowError, LogicError, IoctxStateError.
        Implements: rados_read_op_omap_get_vals2
        """
        return self.sync.get_omap_vals(
            read_op, start_after, filter_prefix, max_return, omap_key_type
        )

    def get_omap_keys(
        self,
        read_op: ReadOp,
        start_after: str | bytes | None,
        max_return: int,
        omap_key_type: KeyType = bytes.decode,
    ) -> tuple[OmapIterator, int]:
        """Lets an operation read keys; see ReadOp.omap_get_keys.

        Returns (the iterator over the (key, None) that will be found, 0).

        Raises TypeError, OverflowError, LogicError, IoctxStateError.
        Implements: rados_read_op_omap_get_keys2
        """
        return self.sync.get_omap_keys(read_op, start_after, max_return, omap_key_type)

    def get_omap_vals_by_keys(
        self, read_op: ReadOp, keys: Iterable[str | bytes], omap_key_type: KeyType = bytes.decode
    ) -> tuple[OmapIterator, int]:
        """Lets an operation read these keys and their values; see ReadOp.omap_get_vals_by_keys.

        Returns (the iterator over what will be found, 0).

        Raises TypeError, LogicError, IoctxStateError.
        Implements: rados_read_op_omap_get_vals_by_keys2
        """
        return self.sync.get_omap_vals_by_keys(read_op, keys, omap_key_type)


class ObjectMethods(Offloading):
    """The methods of rados.Object that only offload."""

    @property
    def sync(self) -> rados.Object:
        """The synchronous object behind this one."""
        raise NotImplementedError

    def require_object_exists(self) -> None:
        """Raises ObjectStateError once the object was removed through this one."""
        self.sync.require_object_exists()

    async def read(self, length: int = 1024 * 1024) -> bytes:
        """Reads from the position on, and moves it. Implements: rados_read"""
        return await self._run(self.sync.read, length)

    async def write(self, string_to_write: Any) -> int:
        """Writes at the position, and moves it; returns 0. Implements: rados_write"""
        return await self._run(self.sync.write, string_to_write)

    async def remove(self) -> None:
        """Removes the object. Implements: rados_remove"""
        await self._run(self.sync.remove)

    async def stat(self) -> tuple[int, time.struct_time]:
        """(size, time of last change). Implements: rados_stat"""
        return await self._run(self.sync.stat)

    def seek(self, position: int) -> None:
        """Sets the position."""
        self.sync.seek(position)

    async def get_xattr(self, xattr_name: str) -> bytes:
        """The value of an extended attribute. Implements: rados_getxattr"""
        return await self._run(self.sync.get_xattr, xattr_name)

    async def get_xattrs(self) -> XattrIterator:
        """Iterates over (name, value). Implements: rados_getxattrs"""
        return await self._run(self.sync.get_xattrs)

    async def set_xattr(self, xattr_name: str, xattr_value: Any) -> bool:
        """Sets an extended attribute; returns True. Implements: rados_setxattr"""
        return await self._run(self.sync.set_xattr, xattr_name, xattr_value)

    async def rm_xattr(self, xattr_name: str) -> bool:
        """Removes an extended attribute; returns True. Implements: rados_rmxattr"""
        return await self._run(self.sync.rm_xattr, xattr_name)
