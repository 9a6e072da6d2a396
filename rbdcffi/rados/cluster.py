"""The cluster handle: configuration, connection, pools, statistics."""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any, Callable, NamedTuple

from rbdcffi._buffers import (
    INT64,
    c_string,
    grow,
    items,
    new_uncleared,
    number,
    string,
    strings,
)
from rbdcffi._calls import calling, named
from rbdcffi._errors import EIO, ENAMETOOLONG, ENOENT, ETIMEDOUT, refusal
from rbdcffi._ffi import NULL, ffi, lib, loaded_rados_version
from rbdcffi._handle import Handle, NotCopyable, reap
from rbdcffi._secrets import hidden, hidden_items
from rbdcffi._waiting import Call, close, interruptible
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
from rbdcffi.rados.monitor_log import Log
from rbdcffi.rados.services import Services

#: The longest time to wait for, in seconds: what librados can count to.
LONGEST = (1 << 31) - 1

#: The options that `op_timeout` sets.
TIMEOUT_OPTIONS = ("rados_osd_op_timeout", "rados_mon_op_timeout", "client_mount_timeout")

#: More than connecting takes.
DESCRIPTORS = 24


def _check_descriptors() -> None:
    """librados ends the process if it finds none left for its event loops."""
    taken: list[int] = []
    try:
        while len(taken) < DESCRIPTORS:
            taken += os.pipe()
    except OSError as error:
        raise failed(-(error.errno or EIO), "Rados.connect") from None
    finally:
        for descriptor in taken:
            os.close(descriptor)


class Version(NamedTuple):
    """Version number of librados."""

    major: int
    minor: int
    extra: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.extra}"


def _name(value: object, what: str) -> Any:
    return c_string(value, what, wrong_type)


def _seconds(value: float | None, what: str) -> float:
    """A time to wait; 0 for none."""
    if value is None:
        return 0.0
    try:
        if isinstance(value, (str, bytes, bytearray)):
            raise TypeError
        seconds = float(value)
    except (TypeError, ValueError):
        raise wrong_type(
            f"{what} must be a number of seconds, not {type(value).__name__}"
        ) from None
    except OverflowError:
        seconds = math.inf
    if not 0 <= seconds <= LONGEST:
        raise invalid(f"{what} must be from 0 to {LONGEST} seconds, not {value!r}")
    return seconds


def _options(values: Mapping[str, str] | None, what: str) -> list[tuple[str, Any]]:
    if values is None:
        return []
    if not hasattr(values, "items"):
        raise wrong_type(f"{what} must be a mapping, not {type(values).__name__}")
    return [(option, hidden(value)) for option, value in values.items()]


class Rados(Commands, Log, Services, NotCopyable):
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
    # for one whose constructor did not run, or not to its end
    rados_id: str | None = None
    state = "not initialized"
    _op_timeout = 0.0

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
        defaults, options = _options(conf_defaults, "conf_defaults"), _options(conf, "conf")
        timeout = None if op_timeout is None else _seconds(op_timeout, "op_timeout")
        if rados_id and name:
            raise Error("Rados(): give rados_id or name, not both")
        if context is not None:
            raise invalid("Rados(): a context of the C library cannot be taken over")
        self.rados_id = rados_id
        self.conf_defaults = conf_defaults
        # there may be a key in them: not for tracebacks that show local variables
        conf = conf_defaults = None
        self.conffile = conffile
        self.parsed_args: list[str] = []
        if rados_id is not None and not isinstance(rados_id, str):
            raise wrong_type(f"rados_id must be a string, not {type(rados_id).__name__}")
        client = name if name is not None else f"client.{rados_id or 'admin'}"
        raw = ffi.new("rados_t *")
        result = lib.rados_create2(
            raw,
            _name(clustername or "ceph", "clustername"),
            _name(client, "name"),
            number(flags, "flags"),
        )
        if result < 0:
            raise Error(f"Rados(): no client named {client!r} can be created: error {result}")
        self._handle = Handle(
            lib.RBDCFFI_CLUSTER, raw[0], f"cluster handle of {client}", lib.rados_shutdown, None
        )
        self._gate = self._handle.gate
        #: the attempt to connect that runs, and whether one has failed; see connect
        self._attempt: Call[int] | None = None
        self._failed_once = False
        self._connecting = threading.Lock()
        self.state = "configuring"
        for option, value in defaults:
            self.conf_set(option, value)
        if conffile in (self.DEFAULT_CONF_FILES, ""):
            self.conf_read_file(None)
        elif conffile not in (self.NO_CONF_FILE, None):
            self.conf_read_file(conffile)  # type: ignore[arg-type]
        for option, value in options:
            self.conf_set(option, value)
        if timeout is not None:
            self._op_timeout = timeout
            for option in TIMEOUT_OPTIONS:
                self.conf_set(option, str(max(1, math.ceil(timeout))))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.rados_id or 'admin'} {self.state}>"

    # -- life ----------------------------------------------------------------------------------

    def require_state(self, *args: str) -> None:
        """Raises RadosStateError unless the state is one of the arguments."""
        if self.state in args and self._handle is not None:
            if self._handle.forked:
                self._handle.check(calling())
            return
        if self._handle is None:
            raise refusal(lib.RBDCFFI_CLUSTER, lib.RBDCFFI_NEVER_OPENED, calling())
        raise RadosStateError(
            named(f"You cannot perform that operation on a Rados object in state {self.state}.")
        )

    @property
    def _open_handle(self) -> Handle:
        if self._handle is None:
            raise refusal(lib.RBDCFFI_CLUSTER, lib.RBDCFFI_NEVER_OPENED, calling())
        return self._handle

    def _leavable(self, call: Callable[[], int]) -> int:
        """The result of a call that waits for the monitors; Ctrl-C leaves it."""
        return interruptible(call, self._open_handle)

    @property
    def _connected(self) -> Any:
        """The gate, once connected; librados must not be asked for more before that."""
        if self.state != "connected":
            self.require_state("connected")
        return self._gate

    def connect(self, timeout: float = 0) -> None:
        """Connects to the cluster. Ctrl-C gets through while it waits.

        It may be called again after it has failed. If an earlier attempt is still going on (one
        that timed out or was interrupted, or that of another thread), it waits for that one; if
        that fails, it makes one of its own, in the time that is left.

        Parameters:
            timeout: seconds after which to give up with TimedOut; 0: `op_timeout`, and without
                one the cluster's configuration (client_mount_timeout, 300 by default).

        Raises RadosStateError, TimedOut, ObjectNotFound (no monitors, no keyring),
        InvalidArgumentError, OSError (too few descriptors are free), TypeError, Error.
        Implements: rados_connect, rados_create_with_context
        """
        self.require_state("configuring")
        seconds = _seconds(timeout, "timeout")
        reap()
        # op_timeout has told librados, whose own of Ceph 14 takes ten seconds at least
        patience = seconds or self._op_timeout
        end = time.monotonic() + patience
        while True:
            left = max(0.0, end - time.monotonic()) if patience else None
            before = None
            try:
                with self._connecting:
                    # another thread may have been quicker
                    self.require_state("configuring")
                    attempt, own = self._attempt, self._attempt is None
                    if attempt is None:
                        before = self._prepare(left if seconds else None)
                        attempt = self._begin()
                result = attempt.wait(left)
            except TimeoutError:
                raise TimedOut(
                    f"Rados.connect: no answer from a monitor within {patience:g} s", ETIMEDOUT
                ) from None
            finally:
                if before is not None:
                    self.conf_set("client_mount_timeout", before)
            with self._connecting:
                if self._attempt is attempt:
                    self._attempt = None
                    self._failed_once = result < 0
                    if result >= 0:
                        self.state = "connected"
            if result >= 0:
                self._open_handle.check("Rados.connect")
                return
            if own:
                raise failed(result, "Rados.connect")

    def _prepare(self, timeout: float | None) -> str | None:
        """Sets the time that an attempt has; returns what is to be set again afterwards."""
        handle = self._open_handle
        if self._failed_once:
            # librados never connects a client again that has failed to; another one, with the
            # same configuration, can take its place
            raw = ffi.new("rados_t *")
            result = lib.rados_create_with_context(raw, lib.rados_cct(self._gate))
            if result < 0:
                raise failed(result, "Rados.connect")
            handle.replace(raw[0], "Rados.connect")
            self._failed_once = False
        if timeout is None:
            return None
        # the library counts in whole seconds; the wait does not
        before = self.conf_get("client_mount_timeout")
        self.conf_set("client_mount_timeout", str(max(1, math.ceil(timeout))))
        return before

    def _begin(self) -> Call[int]:
        _check_descriptors()
        gate = self._gate
        attempt = Call(lambda: lib.rados_connect(gate), lambda result: None, self._open_handle)
        attempt.start()
        # not before it runs: whoever finds it waits for its end
        self._attempt = attempt
        return attempt

    def shutdown(self) -> None:
        """Disconnects. Open images and I/O contexts are closed first; idempotent.

        Waits for calls that other threads have in flight. If Ctrl-C ends the wait of the main
        thread, shutting down goes on in the background. Implements: rados_shutdown
        """
        reap()
        if self._handle is not None:
            close(self._handle)
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
        args = hidden_items(args)
        self.require_state("configuring", "connected")
        args = [] if args is None else items(args, "args")
        if not args:
            return []
        # the first argument is taken for the program's name
        args = texts = [hidden(arg) for arg in ("rbdcffi", *args)]
        given = ffi.new("const char *[]", [text.text("args", wrong_type) for text in texts])
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
        val = secret = hidden(val)
        self.require_state("configuring", "connected")
        with secret:
            name, text = _name(option, "option"), secret.text("val", wrong_type)
            result = lib.rados_conf_set(self._gate, name, text)
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
        gate = self._connected
        result = self._leavable(lambda: lib.rados_cluster_stat(gate, stats))
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
        gate = self._connected
        result = self._leavable(lambda: lib.rados_wait_for_latest_osdmap(gate))
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
        pool_id = number(pool_id, "pool_id", *INT64)
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
        pool_id = number(pool_id, "pool_id", *INT64)
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
        if crush_rule is not None:
            crush_rule = number(crush_rule, "crush_rule", 0, 255)
        if auid is not None:
            auid = number(auid, "auid")
        function: Callable[..., int]
        arguments: tuple[Any, ...] = ()
        if crush_rule is None:
            if auid is None:
                function = lib.rados_pool_create
            else:
                function, arguments = lib.rados_pool_create_with_auid, (auid,)
        elif auid is None:
            function, arguments = lib.rados_pool_create_with_crush_rule, (crush_rule,)
        else:
            function, arguments = lib.rados_pool_create_with_all, (auid, crush_rule)
        result = self._leavable(lambda: function(gate, name, *arguments))
        if result < 0:
            rule = "" if crush_rule is None else f", crush_rule={crush_rule}"
            raise failed(result, f"Rados.create_pool({pool_name!r}{rule})")

    def delete_pool(self, pool_name: str) -> None:
        """Deletes a pool and everything in it.

        Raises TypeError, ObjectNotFound, PermissionError, Error. Implements: rados_pool_delete
        """
        gate, name = self._connected, _name(pool_name, "pool_name")
        result = self._leavable(lambda: lib.rados_pool_delete(gate, name))
        if result < 0:
            raise failed(result, f"Rados.delete_pool({pool_name!r})")

    def get_pool_base_tier(self, pool_id: int) -> int:
        """The id of the pool that this one is a cache of, or its own.

        Raises Error. Implements: rados_pool_get_base_tier
        """
        pool_id = number(pool_id, "pool_id", *INT64)
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
            f"Rados.open_ioctx: pool {ioctx_name!r}",
            ioctx_name,
            lambda raw: lib.rados_ioctx_create(gate, name, raw),
        )

    def open_ioctx2(self, pool_id: int) -> Ioctx:
        """Opens a pool for I/O by its id.

        Raises TypeError, ObjectNotFound (no such pool), RadosStateError.
        Implements: rados_ioctx_create2
        """
        gate = self._connected
        pool_id = number(pool_id, "pool_id", *INT64)
        ioctx = self._open_ioctx(
            f"Rados.open_ioctx2: pool {pool_id}",
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
