"""The methods of rbdcffi.aio.rados that only offload.

Generated from the core by scripts/generate-aio; do not edit.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from rbdcffi import rados
from rbdcffi.aio._objects import Offloading
from rbdcffi.rados.cluster import Version
from rbdcffi.rados.objects import XattrIterator


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
        return await self._run(self.sync.mon_command, cmd, inbuf, timeout, target)

    async def osd_command(
        self, osdid: int, cmd: str, inbuf: bytes | str, timeout: int = 0
    ) -> tuple[int, bytes, str]:
        """Sends a command to an OSD. Returns (result, output, message).

        Raises TypeError, RadosStateError. Implements: rados_osd_command
        """
        return await self._run(self.sync.osd_command, osdid, cmd, inbuf, timeout)

    async def mgr_command(
        self, cmd: str, inbuf: bytes | str, timeout: int = 0, target: str | None = None
    ) -> tuple[int, bytes, str]:
        """Sends a command to the active manager, or to the one named `target` (Ceph 16).

        Returns (result, output, message).
        Raises TypeError, RadosStateError, InvalidArgumentError (no target support).
        Implements: rados_mgr_command, rados_mgr_command_target
        """
        return await self._run(self.sync.mgr_command, cmd, inbuf, timeout, target)

    async def pg_command(
        self, pgid: str, cmd: str, inbuf: bytes | str, timeout: int = 0
    ) -> tuple[int, bytes, str]:
        """Sends a command to a placement group. Returns (result, output, message).

        Raises TypeError, RadosStateError. Implements: rados_pg_command
        """
        return await self._run(self.sync.pg_command, pgid, cmd, inbuf, timeout)

    async def ping_monitor(self, mon_id: str) -> str:
        """The state of one monitor, as JSON text; works before connect().

        librados is not sound here (14 may crash, 20 finds no monitor): where there is a connection,
        ``mon_command('{"prefix": "mon metadata"}', ...)`` and the like are the better question.

        Raises ObjectNotFound (no such monitor), RadosStateError. Implements: rados_ping_monitor
        """
        return await self._run(self.sync.ping_monitor, mon_id)


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
        """The selected namespace. Implements: rados_ioctx_get_namespace"""
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

    async def write(self, key: str, data: Any, offset: int = 0) -> int:
        """Writes to an object, creating it if need be; returns 0.

        Parameters:
            data: any C-contiguous buffer.

        Raises TypeError, Error. Implements: rados_write
        """
        return await self._run(self.sync.write, key, data, offset)

    async def write_full(self, key: str, data: Any) -> int:
        """Makes `data` the whole content of an object; returns 0.

        Raises TypeError, Error. Implements: rados_write_full
        """
        return await self._run(self.sync.write_full, key, data)

    async def append(self, key: str, data: Any) -> int:
        """Appends to an object; returns 0. Raises TypeError, Error. Implements: rados_append"""
        return await self._run(self.sync.append, key, data)

    async def read(self, key: str, length: int = 8192, offset: int = 0) -> bytes:
        """Reads up to `length` bytes; fewer where the object ends.

        Raises TypeError, ObjectNotFound, Error. Implements: rados_read
        """
        return await self._run(self.sync.read, key, length, offset)

    async def trunc(self, key: str, size: int) -> int:
        """Makes an object `size` bytes long; returns 0. Raises Error. Implements: rados_trunc"""
        return await self._run(self.sync.trunc, key, size)

    async def stat(self, key: str) -> tuple[int, time.struct_time]:
        """(size, time of last change in local time) of an object.

        Raises TypeError, ObjectNotFound, Error. Implements: rados_stat
        """
        return await self._run(self.sync.stat, key)

    async def remove_object(self, key: str) -> bool:
        """Removes an object; returns True.

        Raises TypeError, ObjectNotFound, Error. Implements: rados_remove
        """
        return await self._run(self.sync.remove_object, key)

    async def get_xattr(self, key: str, xattr_name: str) -> bytes:
        """The value of an extended attribute.

        Raises TypeError, NoData (no such attribute), ObjectNotFound, Error.
        Implements: rados_getxattr
        """
        return await self._run(self.sync.get_xattr, key, xattr_name)

    async def get_xattrs(self, oid: str) -> XattrIterator:
        """Iterates over the (name, value) of the extended attributes of an object.

        Raises TypeError, ObjectNotFound, Error.
        Implements: rados_getxattrs, rados_getxattrs_next, rados_getxattrs_end
        """
        return await self._run(self.sync.get_xattrs, oid)

    async def set_xattr(self, key: str, xattr_name: str, xattr_value: Any) -> bool:
        """Sets an extended attribute; returns True.

        Raises TypeError, Error. Implements: rados_setxattr
        """
        return await self._run(self.sync.set_xattr, key, xattr_name, xattr_value)

    async def rm_xattr(self, key: str, xattr_name: str) -> bool:
        """Removes an extended attribute, if there is one of that name; returns True.

        Raises TypeError, ObjectNotFound, Error.
        Implements: rados_rmxattr
        """
        return await self._run(self.sync.rm_xattr, key, xattr_name)


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
