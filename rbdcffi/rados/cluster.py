"""The cluster handle: configuration, connection, pools, statistics."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from rbdcffi._buffers import c_string, grow, new_uncleared, string, strings
from rbdcffi._errors import ENAMETOOLONG, ENOENT, ETIMEDOUT
from rbdcffi._ffi import NULL, ffi, lib, loaded_rados_version
from rbdcffi._handle import Handle, NotCopyable, reap
from rbdcffi._waiting import interruptible
from rbdcffi.rados.commands import Commands
from rbdcffi.rados.errors import (
    Error,
    RadosStateError,
    TimedOut,
    failed,
    invalid,
    wrong_type,
)
from rbdcffi.rados.ioctx import Ioctx

#: The options that `op_timeout` sets.
TIMEOUT_OPTIONS = ("rados_osd_op_timeout", "rados_mon_op_timeout", "client_mount_timeout")


class Version(NamedTuple):
    """Version number of librados."""

    major: int
    minor: int
    extra: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.extra}"


def _name(value: object, what: str) -> Any:
    return c_string(value, what, wrong_type)


class Rados(Commands, NotCopyable):
    """A cluster, as one client sees it: configured, connected, shut down.

    Parameters:
        rados_id: name of the client without its type, as in ``admin`` for ``client.admin``.
        name: full name of the client, as in ``client.admin``; not together with `rados_id`.
        clustername: name of the cluster, ``ceph`` if not given.
        conf_defaults: options that replace the built-in defaults. As with the standard binding
            they are set before the configuration file is read, and outweigh it.
        conffile: path of a configuration file; '' searches the usual places ($CEPH_CONF first);
            None reads none.
        conf: options that are set after the configuration file was read.
        flags: for rados_create2, 0.
        context: not supported; for the signature.
        op_timeout: seconds after which operations on an unreachable cluster fail with TimedOut
            instead of waiting forever; sets rados_osd_op_timeout, rados_mon_op_timeout and
            client_mount_timeout.

    As a context manager it connects on entry and shuts down at the end.

    Raises Error, ObjectNotFound (no such configuration file or option), TypeError.
    Implements: rados_create2
    """

    DEFAULT_CONF_FILES = -2
    NO_CONF_FILE = -1

    _handle: Handle | None = None
    _gate: Any = NULL

    def __init__(
        self,
        rados_id: str | None = None,
        name: str | None = None,
        clustername: str | None = None,
        conf_defaults: Mapping[str, str] | None = None,
        conffile: str | int | None = NO_CONF_FILE,
        conf: Mapping[str, str] | None = None,
        flags: int = 0,
        context: object = None,
        *,
        op_timeout: float | None = None,
    ) -> None:
        if rados_id and name:
            raise Error("Rados(): give rados_id or name, not both")
        if context is not None:
            raise invalid("Rados(): a context of the C library cannot be taken over")
        self.rados_id = rados_id
        self.conf_defaults = conf_defaults
        self.conffile = conffile
        self.parsed_args: list[str] = []
        self.state = "configuring"
        if rados_id is not None and not isinstance(rados_id, str):
            raise TypeError(f"rados_id must be a string, not {type(rados_id).__name__}")
        client = name if name is not None else f"client.{rados_id or 'admin'}"
        raw = ffi.new("rados_t *")
        result = lib.rados_create2(
            raw, _name(clustername or "ceph", "clustername"), _name(client, "name"), flags
        )
        if result < 0:
            raise Error(f"Rados(): no client named {client!r} can be created: error {result}")
        self._handle = Handle(
            lib.RBDCFFI_CLUSTER, raw[0], f"cluster handle of {client}", lib.rados_shutdown, None
        )
        self._gate = self._handle.gate
        for option, value in (conf_defaults or {}).items():
            self.conf_set(option, value)
        if conffile in (self.DEFAULT_CONF_FILES, ""):
            self.conf_read_file(None)
        elif conffile not in (self.NO_CONF_FILE, None):
            self.conf_read_file(conffile)  # type: ignore[arg-type]
        for option, value in (conf or {}).items():
            self.conf_set(option, value)
        if op_timeout is not None:
            for option in TIMEOUT_OPTIONS:
                self.conf_set(option, str(max(1, math.ceil(op_timeout))))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.rados_id or 'admin'} {self.state}>"

    # -- life ----------------------------------------------------------------------------------

    def require_state(self, *args: str) -> None:
        """Raises RadosStateError unless the state is one of the arguments."""
        if self.state in args:
            if self._handle is not None and self._handle.forked:
                self._handle.check("use")
            return
        raise RadosStateError(
            f"You cannot perform that operation on a Rados object in state {self.state}."
        )

    @property
    def _open_handle(self) -> Handle:
        assert self._handle is not None
        return self._handle

    @property
    def _connected(self) -> Any:
        """The gate, once connected; librados must not be asked for more before that."""
        if self.state != "connected":
            self.require_state("connected")
        return self._gate

    def connect(self, timeout: float = 0) -> None:
        """Connects to the cluster. Ctrl-C gets through while it waits.

        Parameters:
            timeout: seconds after which to give up with TimedOut; 0 leaves it to the cluster's
                configuration (client_mount_timeout, 300 by default).

        Raises RadosStateError, TimedOut, ObjectNotFound (no monitors, no keyring), Error.
        Implements: rados_connect
        """
        self.require_state("configuring")
        before = None
        if timeout:
            before = self.conf_get("client_mount_timeout")
            self.conf_set("client_mount_timeout", str(max(1, math.ceil(timeout))))
        gate = self._gate
        try:
            # the library counts in whole seconds; the wait does not
            result = interruptible(
                lambda: lib.rados_connect(gate), self._open_handle, timeout=timeout or None
            )
        except TimeoutError:
            raise TimedOut(
                f"Rados.connect: no answer from a monitor within {timeout:g} s",
                ETIMEDOUT,
            ) from None
        finally:
            if before is not None:
                self.conf_set("client_mount_timeout", before)
        if result < 0:
            raise failed(result, "Rados.connect")
        self.state = "connected"

    def shutdown(self) -> None:
        """Disconnects. Open images and I/O contexts are closed first; idempotent.

        Waits for calls that other threads have in flight. Implements: rados_shutdown
        """
        reap()
        if self._handle is not None:
            self._handle.close()
        self.state = "shutdown"

    def __enter__(self) -> Rados:
        self.connect()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.shutdown()

    def __del__(self, abandon: Any = Handle.abandon) -> None:
        handle = self._handle
        if handle is None:
            return
        abandon(handle, "Rados", self.state == "connected")

    # -- configuration -------------------------------------------------------------------------

    def version(self) -> Version:
        """The version of librados, which unpacks as (major, minor, extra).

        Implements: rados_version
        """
        return Version(*loaded_rados_version())

    def conf_read_file(self, path: str | None = None) -> None:
        """Reads a configuration file; None searches the usual places.

        Raises ObjectNotFound, RadosStateError. Implements: rados_conf_read_file
        """
        self.require_state("configuring", "connected")
        result = lib.rados_conf_read_file(self._gate, NULL if path is None else _name(path, "path"))
        if result < 0:
            tried = "" if path is not None else " ($CEPH_CONF, then /etc/ceph and others)"
            raise failed(result, f"Rados.conf_read_file({path!r}){tried}")

    def conf_parse_argv(self, args: Sequence[str]) -> list[str]:
        """Takes options of the form ``--name value`` from arguments; returns the others.

        Raises RadosStateError, Error. Implements: rados_conf_parse_argv_remainder
        """
        self.require_state("configuring", "connected")
        if not args:
            return []
        # the first argument is taken for the program's name
        texts = [ffi.new("char[]", _name(arg, "argument")) for arg in ("rbdcffi", *args)]
        given = ffi.new("const char *[]", texts)
        rest = ffi.new("const char *[]", len(texts))
        result = lib.rados_conf_parse_argv_remainder(self._gate, len(texts), given, rest)
        if result < 0:
            raise failed(result, "Rados.conf_parse_argv")
        # the first entry of `rest` is NULL where the program's name was
        return [string(rest[i]) for i in range(1, len(texts)) if rest[i] != NULL]

    def conf_parse_env(self, var: str | None = "CEPH_ARGS") -> None:
        """Takes options from an environment variable.

        Raises RadosStateError, Error. Implements: rados_conf_parse_env
        """
        self.require_state("configuring", "connected")
        if not var:
            return
        result = lib.rados_conf_parse_env(self._gate, _name(var, "var"))
        if result < 0:
            raise failed(result, f"Rados.conf_parse_env({var!r})")

    def conf_get(self, option: str) -> str | None:
        """The value of an option, None where there is no such option.

        Raises RadosStateError, TypeError. Implements: rados_conf_get
        """
        self.require_state("configuring", "connected")
        name = _name(option, "option")
        buffer: Any = NULL

        def attempt(size: int) -> tuple[int, int]:
            nonlocal buffer
            buffer = new_uncleared("char[]", size)
            result = lib.rados_conf_get(self._gate, name, buffer, size)
            # a value that does not fit is ENAMETOOLONG here
            return (0, 2 * size) if result == -ENAMETOOLONG else (result, size)

        result = grow(attempt, 128)
        if result == -ENOENT:
            return None
        if result < 0:
            raise failed(result, f"Rados.conf_get({option!r})")
        return string(buffer)

    def conf_set(self, option: str, val: str) -> None:
        """Sets an option.

        Raises ObjectNotFound (no such option), InvalidArgumentError, RadosStateError, TypeError.
        Implements: rados_conf_set
        """
        self.require_state("configuring", "connected")
        result = lib.rados_conf_set(self._gate, _name(option, "option"), _name(val, "val"))
        if result < 0:
            raise failed(result, f"Rados.conf_set({option!r}, ...)")

    # -- facts ---------------------------------------------------------------------------------

    def get_instance_id(self) -> int:
        """The number by which the cluster knows this connection.

        Implements: rados_get_instance_id
        """
        return int(lib.rados_get_instance_id(self._connected))

    def get_fsid(self) -> str:
        """The cluster's id, a UUID. Raises Error. Implements: rados_cluster_fsid"""
        buffer = ffi.new("char[37]")
        result = lib.rados_cluster_fsid(self._connected, buffer, 37)
        if result < 0:
            raise failed(result, "Rados.get_fsid")
        return string(buffer)

    def get_addrs(self) -> str:
        """The addresses of this client. Raises Error. Implements: rados_getaddrs"""
        pointer = ffi.new("char **")
        result = lib.rados_getaddrs(self._connected, pointer)
        if result < 0:
            raise failed(result, "Rados.get_addrs")
        try:
            return string(pointer[0])
        finally:
            lib.rados_buffer_free(pointer[0])

    def get_cluster_stats(self) -> dict[str, int]:
        """Usage of the cluster: kb, kb_used, kb_avail (KiB), num_objects.

        Raises Error. Implements: rados_cluster_stat
        """
        stats = ffi.new("struct rados_cluster_stat_t *")
        result = lib.rados_cluster_stat(self._connected, stats)
        if result < 0:
            raise failed(result, "Rados.get_cluster_stats")
        return {
            "kb": stats.kb,
            "kb_used": stats.kb_used,
            "kb_avail": stats.kb_avail,
            "num_objects": stats.num_objects,
        }

    def wait_for_latest_osdmap(self) -> int:
        """Waits until this client has the newest map; returns 0.

        Raises Error. Implements: rados_wait_for_latest_osdmap
        """
        result = lib.rados_wait_for_latest_osdmap(self._connected)
        if result < 0:
            raise failed(result, "Rados.wait_for_latest_osdmap")
        return int(result)

    # -- pools ---------------------------------------------------------------------------------

    def list_pools(self) -> list[str]:
        """The names of all pools. Raises Error. Implements: rados_pool_list"""
        return self._strings("list_pools", lib.rados_pool_list)

    def get_inconsistent_pgs(self, pool_id: int) -> list[str]:
        """The ids of the pool's inconsistent placement groups.

        Raises Error. Implements: rados_inconsistent_pg_list
        """
        return self._strings(
            f"get_inconsistent_pgs({pool_id})",
            lambda gate, buffer, size: lib.rados_inconsistent_pg_list(gate, pool_id, buffer, size),
        )

    def _strings(self, what: str, function: Any) -> list[str]:
        gate = self._connected
        buffer: Any = NULL

        def attempt(size: int) -> tuple[int, int]:
            nonlocal buffer
            buffer = ffi.new("char[]", size)
            result = function(gate, buffer, size)
            return result, result

        length = grow(attempt, 512)
        if length < 0:
            raise failed(length, f"Rados.{what}")
        # an empty name ends the list
        return [name for name in strings(buffer, length) if name]

    def pool_lookup(self, pool_name: str) -> int | None:
        """The id of a pool, None where there is none of that name.

        Raises TypeError, Error. Implements: rados_pool_lookup
        """
        result = lib.rados_pool_lookup(self._connected, _name(pool_name, "pool_name"))
        if result == -ENOENT:
            return None
        if result < 0:
            raise failed(result, f"Rados.pool_lookup({pool_name!r})")
        return int(result)

    def pool_exists(self, pool_name: str) -> bool:
        """Whether there is a pool of that name.

        Raises TypeError, Error. Implements: rados_pool_lookup
        """
        return self.pool_lookup(pool_name) is not None

    def pool_reverse_lookup(self, pool_id: int) -> str | None:
        """The name of a pool, None where there is none of that id.

        Raises TypeError, Error. Implements: rados_pool_reverse_lookup
        """
        gate = self._connected
        buffer: Any = NULL

        def attempt(size: int) -> tuple[int, int]:
            nonlocal buffer
            buffer = ffi.new("char[]", size)
            return lib.rados_pool_reverse_lookup(gate, pool_id, buffer, size), size

        result = grow(attempt, 512)
        if result == -ENOENT:
            return None
        if result < 0:
            raise failed(result, f"Rados.pool_reverse_lookup({pool_id})")
        return string(buffer)

    def create_pool(
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
        gate = self._connected
        name = _name(pool_name, "pool_name")
        if crush_rule is None:
            if auid is None:
                result = lib.rados_pool_create(gate, name)
            else:
                result = lib.rados_pool_create_with_auid(gate, name, auid)
        elif auid is None:
            result = lib.rados_pool_create_with_crush_rule(gate, name, crush_rule)
        else:
            result = lib.rados_pool_create_with_all(gate, name, auid, crush_rule)
        if result < 0:
            raise failed(result, f"Rados.create_pool({pool_name!r})")

    def delete_pool(self, pool_name: str) -> None:
        """Deletes a pool and everything in it.

        Raises TypeError, ObjectNotFound, PermissionError, Error. Implements: rados_pool_delete
        """
        result = lib.rados_pool_delete(self._connected, _name(pool_name, "pool_name"))
        if result < 0:
            raise failed(result, f"Rados.delete_pool({pool_name!r})")

    def get_pool_base_tier(self, pool_id: int) -> int:
        """The id of the pool that this one is a cache of, or its own.

        Raises Error. Implements: rados_pool_get_base_tier
        """
        base = ffi.new("int64_t *")
        result = lib.rados_pool_get_base_tier(self._connected, pool_id, base)
        if result < 0:
            raise failed(result, f"Rados.get_pool_base_tier({pool_id})")
        return int(base[0])

    def open_ioctx(self, ioctx_name: str) -> Ioctx:
        """Opens a pool for I/O.

        Raises TypeError, ObjectNotFound (no such pool), RadosStateError.
        Implements: rados_ioctx_create
        """
        gate = self._connected
        name = _name(ioctx_name, "ioctx_name")
        return self._open_ioctx(
            f"open pool {ioctx_name!r}",
            ioctx_name,
            lambda raw: lib.rados_ioctx_create(gate, name, raw),
        )

    def open_ioctx2(self, pool_id: int) -> Ioctx:
        """Opens a pool for I/O by its id.

        Raises TypeError, ObjectNotFound (no such pool), RadosStateError.
        Implements: rados_ioctx_create2
        """
        gate = self._connected
        ioctx = self._open_ioctx(
            f"open pool {pool_id}",
            str(pool_id),
            lambda raw: lib.rados_ioctx_create2(gate, pool_id, raw),
        )
        ioctx._rename(ioctx.get_pool_name())
        return ioctx

    def _open_ioctx(self, what: str, name: str, create: Any) -> Ioctx:
        def opener() -> Any:
            raw = ffi.new("rados_ioctx_t *")
            result = create(raw)
            if result < 0:
                raise failed(result, what)
            return raw[0]

        return Ioctx._opened(self, self._open_handle, name, opener)
