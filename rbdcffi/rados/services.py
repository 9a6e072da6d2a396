"""Being listed as a service of the cluster, shutting clients out, and what releases it demands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from rbdcffi._buffers import UINT, c_string, number
from rbdcffi._calls import Calling, named
from rbdcffi._ffi import ffi, has, lib
from rbdcffi.rados.errors import failed, wrong_type


class MinCompatibleClient(NamedTuple):
    """Numbers of releases, 16 for Ceph 16: the oldest one whose clients can use everything that
    the cluster uses, and the oldest one that it lets in; -1 or 0 where that is not set."""

    min_compat_client: int
    require_min_compat_client: int


def _text(value: object, what: str) -> Any:
    return c_string(value, what, wrong_type)


def _pairs(values: Mapping[str, str], what: str) -> bytes:
    """Keys and values as librados takes them: each ends with a NUL, and the whole with one more."""
    if not hasattr(values, "items"):
        raise TypeError(named(f"{what} must be a mapping, not {type(values).__name__}"))
    parts = []
    for key, value in values.items():
        parts += [_text(key, f"a key of {what}"), _text(value, f"a value of {what}")]
        if not parts[-2]:
            # it would end the list
            raise TypeError(named(f"a key of {what} must not be empty"))
    return b"".join(part + b"\0" for part in parts) + b"\0"


class Services(Calling):
    """The part of Rados about clients and services."""

    if TYPE_CHECKING:
        _gate: Any

        @property
        def _connected(self) -> Any: ...

    def service_daemon_register(
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
        result = lib.rados_service_register(
            self._gate,
            _text(service, "service"),
            _text(daemon, "daemon"),
            _pairs(metadata, "metadata"),
        )
        if result < 0:
            raise failed(result, f"Rados.service_daemon_register({service!r}, {daemon!r})")

    def service_daemon_update(self, status: Mapping[str, str]) -> None:
        """Sets the state of the daemon that this client was registered as.

        Raises NotConnected, TypeError. Implements: rados_service_update_status
        """
        result = lib.rados_service_update_status(self._gate, _pairs(status, "status"))
        if result < 0:
            raise failed(result, "Rados.service_daemon_update")

    def blocklist_add(self, client_address: str, expire_seconds: int = 0) -> None:
        """Shuts a client out: the cluster refuses what it still sends.

        Parameters:
            client_address: as in ``127.0.0.1:0/1234``, a part of what get_addrs() returns there.
            expire_seconds: for how long; 0 for the cluster's default (an hour).

        Raises InvalidArgumentError, TypeError, OverflowError.
        Implements: rados_blocklist_add, rados_blacklist_add
        """
        gate = self._connected
        address = _text(client_address, "client_address")
        seconds = number(expire_seconds, "expire_seconds", *UINT)
        if has("rados_blocklist_add"):
            result = lib.rados_blocklist_add(gate, address, seconds)
        else:
            result = lib.rados_blacklist_add(gate, address, seconds)
        if result < 0:
            raise failed(result, f"Rados.blocklist_add({client_address!r})")

    def get_min_compatible_osd(self) -> int:
        """The release that the cluster requires of its OSDs, 16 for Ceph 16.

        Raises Error. Implements: rados_get_min_compatible_osd
        """
        release = ffi.new("int8_t *")
        result = lib.rados_get_min_compatible_osd(self._connected, release)
        if result < 0:
            raise failed(result, "Rados.get_min_compatible_osd")
        return int(release[0])

    def get_min_compatible_client(self) -> MinCompatibleClient:
        """The releases that the cluster needs of its clients:
        (min_compat_client, require_min_compat_client).

        Raises Error. Implements: rados_get_min_compatible_client
        """
        oldest, required = ffi.new("int8_t *"), ffi.new("int8_t *")
        result = lib.rados_get_min_compatible_client(self._connected, oldest, required)
        if result < 0:
            raise failed(result, "Rados.get_min_compatible_client")
        return MinCompatibleClient(oldest[0], required[0])

    def watch_flush(self) -> None:
        """Waits until librados has delivered what it has received of notifications: callbacks that
        are due have been queued for their threads.

        Raises Error. Implements: rados_watch_flush
        """
        result = lib.rados_watch_flush(self._connected)
        if result < 0:
            raise failed(result, "Rados.watch_flush")
