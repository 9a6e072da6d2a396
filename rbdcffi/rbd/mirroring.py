"""Mirroring of pools: the site, modes, peers, and what is mirrored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rbdcffi._buffers import grow, number, string, strings
from rbdcffi._errors import ERANGE
from rbdcffi._ffi import NULL, ffi, has, lib, needs
from rbdcffi._secrets import hidden, hidden_values, joined, plain
from rbdcffi._waiting import interruptible
from rbdcffi.rados.cluster import Rados
from rbdcffi.rados.ioctx import Ioctx
from rbdcffi.rbd._base import gate_of, name_of, pool_of
from rbdcffi.rbd._mirror_lists import (
    MirrorImageInfoIterator,
    MirrorImageInstanceIdIterator,
    MirrorImageStatusIterator,
    MirrorPeerIterator,
)
from rbdcffi.rbd.constants import (
    RBD_MIRROR_PEER_DIRECTION_RX,
    RBD_MIRROR_PEER_DIRECTION_RX_TX,
    RBD_MIRROR_PEER_DIRECTION_TX,
)
from rbdcffi.rbd.errors import failed, invalid

#: What an enum of C can hold.
_ENUM = (1 << 32) - 1
_DIRECTIONS = (
    RBD_MIRROR_PEER_DIRECTION_RX,
    RBD_MIRROR_PEER_DIRECTION_TX,
    RBD_MIRROR_PEER_DIRECTION_RX_TX,
)


def _done(result: int, what: str) -> None:
    if result < 0:
        raise failed(result, what)


def _text(what: str, function: Any, gate: Any) -> str:
    """A string that C writes into a buffer whose size it tells if it is too small."""
    size = ffi.new("size_t *")
    buffer: Any = NULL

    def attempt(length: int) -> tuple[int, int]:
        nonlocal buffer
        buffer = ffi.new("char[]", length)
        size[0] = length
        return function(gate, buffer, size), size[0]

    _done(grow(attempt, 512), what)
    return string(buffer)


def _cluster(rados: Rados, what: str) -> Any:
    """The gate of a connected cluster."""
    if not isinstance(rados, Rados):
        raise TypeError(
            f"{what}: rados must be an rbdcffi.rados.Rados, "
            f"not {type(rados).__module__}.{type(rados).__name__}"
        )
    return rados._connected


class Mirroring:
    """The part of RBD that mirrors pools to other clusters; rbd-mirror daemons do the work."""

    # -- the site and the pool -----------------------------------------------------------------

    def mirror_site_name_get(self, rados: Rados) -> str:
        """The name under which this cluster takes part in mirroring; its fsid if it has none.

        Raises Error, TypeError, RadosStateError. Implements: rbd_mirror_site_name_get
        """
        what = "RBD.mirror_site_name_get"
        return _text(what, lib.rbd_mirror_site_name_get, _cluster(rados, what))

    def mirror_site_name_set(self, rados: Rados, site_name: str) -> None:
        """Names this cluster; '' takes the name away.

        Raises InvalidArgument, Error, TypeError, RadosStateError.
        Implements: rbd_mirror_site_name_set
        """
        what = f"RBD.mirror_site_name_set({site_name!r})"
        gate = _cluster(rados, what)
        _done(lib.rbd_mirror_site_name_set(gate, name_of(site_name, what, "site_name")), what)

    def mirror_mode_get(self, ioctx: Ioctx) -> int:
        """How the pool (and namespace) is mirrored, RBD_MIRROR_MODE_*.

        Raises Error. Implements: rbd_mirror_mode_get
        """
        mode = ffi.new("rbd_mirror_mode_t *")
        _done(
            lib.rbd_mirror_mode_get(gate_of(ioctx), mode),
            f"RBD.mirror_mode_get of pool {pool_of(ioctx)}",
        )
        return int(mode[0])

    def mirror_mode_set(self, ioctx: Ioctx, mirror_mode: int) -> None:
        """Sets how the pool (and namespace) is mirrored.

        Parameters:
            mirror_mode: RBD_MIRROR_MODE_DISABLED, _IMAGE (those images it is enabled for), _POOL
                (all images with the journaling feature), or _INIT_ONLY (Ceph 20, pools only).

        Raises InvalidArgument (no such mode), ImageBusy (images are mirrored, peers are left),
        TypeError, OverflowError. Implements: rbd_mirror_mode_set
        """
        what = f"RBD.mirror_mode_set({mirror_mode!r}) of pool {pool_of(ioctx)}"
        gate = gate_of(ioctx)
        _done(
            lib.rbd_mirror_mode_set(gate, number(mirror_mode, f"{what}: mirror_mode", 0, _ENUM)),
            what,
        )

    @needs("rbd_mirror_uuid_get")
    def mirror_uuid_get(self, ioctx: Ioctx) -> str:
        """The id under which peers know this pool.

        Raises ImageNotFound (mirroring is disabled), Error. Implements: rbd_mirror_uuid_get
        """
        what = f"RBD.mirror_uuid_get of pool {pool_of(ioctx)}"
        return _text(what, lib.rbd_mirror_uuid_get, gate_of(ioctx))

    @needs("rbd_mirror_remote_namespace_get")
    def mirror_remote_namespace_get(self, ioctx: Ioctx) -> str:
        """The namespace of the peers' pools that this namespace is mirrored to; by default the one
        of the same name.

        Raises Error. Implements: rbd_mirror_remote_namespace_get
        """
        what = f"RBD.mirror_remote_namespace_get of pool {pool_of(ioctx)}"
        return _text(what, lib.rbd_mirror_remote_namespace_get, gate_of(ioctx))

    @needs("rbd_mirror_remote_namespace_set")
    def mirror_remote_namespace_set(self, ioctx: Ioctx, remote_namespace: str) -> None:
        """Sets the namespace of the peers' pools that this namespace is mirrored to; only before
        mirroring is enabled.

        Raises InvalidArgument (it is enabled), OperationNotSupported (the OSDs are older than Ceph
        20), Error.
        Implements: rbd_mirror_remote_namespace_set
        """
        what = f"RBD.mirror_remote_namespace_set({remote_namespace!r}) of pool {pool_of(ioctx)}"
        gate = gate_of(ioctx)
        name = name_of(remote_namespace, what, "remote_namespace")
        _done(lib.rbd_mirror_remote_namespace_set(gate, name), what)

    # -- peers ---------------------------------------------------------------------------------

    def mirror_peer_bootstrap_create(self, ioctx: Ioctx) -> str:
        """Makes a token that lets another cluster become a peer of this pool: a secret, as it
        holds the key of a client.

        Raises InvalidArgument (mirroring is disabled), Error.
        Implements: rbd_mirror_peer_bootstrap_create
        """
        what = f"RBD.mirror_peer_bootstrap_create of pool {pool_of(ioctx)}"
        return _text(what, lib.rbd_mirror_peer_bootstrap_create, gate_of(ioctx))

    def mirror_peer_bootstrap_import(self, ioctx: Ioctx, direction: int, token: str) -> None:
        """Makes this pool and the one that the token is from peers of each other.

        It connects to the other cluster. Ctrl-C gets through while the main thread waits for it.

        Parameters:
            direction: RBD_MIRROR_PEER_DIRECTION_RX (the other pool is replicated to this one) or
                _RX_TX (either way).

        Raises InvalidArgument (no valid token, it is of this cluster, mirroring is disabled),
        ImageExists, Error, TypeError, OverflowError.
        Implements: rbd_mirror_peer_bootstrap_import
        """
        token = secret = hidden(token)
        what = f"RBD.mirror_peer_bootstrap_import({plain(direction)}, ...) to pool {pool_of(ioctx)}"
        gate = gate_of(ioctx)
        direction = number(direction, f"{what}: direction", 0, _ENUM)

        def call() -> int:
            # Ctrl-C may have left it alone
            with secret:
                text = secret.text("token", invalid)
                return lib.rbd_mirror_peer_bootstrap_import(gate, direction, text)

        secret.text("token", lambda reason: invalid(f"{what}: {reason}"))
        _done(interruptible(call, ioctx._handle), what)

    def mirror_peer_add(
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
        what = f"RBD.mirror_peer_add({site_name!r}, {client_name!r}) to pool {pool_of(ioctx)}"
        gate = gate_of(ioctx)
        site = name_of(site_name, what, "site_name")
        client = name_of(client_name, what, "client_name")
        direction = number(direction, f"{what}: direction", 0, _ENUM)
        uuid = ffi.new("char[]", 512)
        if has("rbd_mirror_peer_site_add"):
            result = lib.rbd_mirror_peer_site_add(gate, uuid, len(uuid), direction, site, client)
        elif direction != RBD_MIRROR_PEER_DIRECTION_RX_TX:
            raise invalid(f"{what}: the direction {direction} needs Ceph 16")
        else:
            result = lib.rbd_mirror_peer_add(gate, uuid, len(uuid), site, client)
        _done(result, what)
        return string(uuid)

    def mirror_peer_remove(self, ioctx: Ioctx, uuid: str) -> None:
        """Removes a peer; nothing if there is none with this uuid.

        Raises Error. Implements: rbd_mirror_peer_site_remove, rbd_mirror_peer_remove
        """
        what = f"RBD.mirror_peer_remove({uuid!r}) of pool {pool_of(ioctx)}"
        function = (
            lib.rbd_mirror_peer_site_remove
            if has("rbd_mirror_peer_site_remove")
            else lib.rbd_mirror_peer_remove
        )
        _done(function(gate_of(ioctx), name_of(uuid, what, "uuid")), what)

    def mirror_peer_list(self, ioctx: Ioctx) -> MirrorPeerIterator:
        """The peers of the pool, dicts: uuid, direction, site_name, mirror_uuid, client_name.

        Raises Error. Implements: rbd_mirror_peer_site_list, rbd_mirror_peer_list
        """
        return MirrorPeerIterator(ioctx)

    def mirror_peer_set_client(self, ioctx: Ioctx, uuid: str, client_name: str) -> None:
        """Sets whom to connect to a peer as.

        Raises ImageNotFound, Error.
        Implements: rbd_mirror_peer_site_set_client_name, rbd_mirror_peer_set_client
        """
        what = f"RBD.mirror_peer_set_client({uuid!r}, {client_name!r}) of pool {pool_of(ioctx)}"
        function = (
            lib.rbd_mirror_peer_site_set_client_name
            if has("rbd_mirror_peer_site_set_client_name")
            else lib.rbd_mirror_peer_set_client
        )
        gate = gate_of(ioctx)
        peer = name_of(uuid, what, "uuid")
        _done(function(gate, peer, name_of(client_name, what, "client_name")), what)

    def mirror_peer_set_name(self, ioctx: Ioctx, uuid: str, site_name: str) -> None:
        """Sets the name of a peer's site.

        Raises ImageNotFound, Error.
        Implements: rbd_mirror_peer_site_set_name, rbd_mirror_peer_set_cluster
        """
        self._set_site_name(ioctx, uuid, site_name, "mirror_peer_set_name", "site_name")

    def mirror_peer_set_cluster(self, ioctx: Ioctx, uuid: str, cluster_name: str) -> None:
        """The older name of mirror_peer_set_name.

        Raises ImageNotFound, Error.
        Implements: rbd_mirror_peer_site_set_name, rbd_mirror_peer_set_cluster
        """
        self._set_site_name(ioctx, uuid, cluster_name, "mirror_peer_set_cluster", "cluster_name")

    def _set_site_name(self, ioctx: Ioctx, uuid: str, name: str, call: str, parameter: str) -> None:
        what = f"RBD.{call}({uuid!r}, {name!r}) of pool {pool_of(ioctx)}"
        function = (
            lib.rbd_mirror_peer_site_set_name
            if has("rbd_mirror_peer_site_set_name")
            else lib.rbd_mirror_peer_set_cluster
        )
        gate = gate_of(ioctx)
        peer = name_of(uuid, what, "uuid")
        _done(function(gate, peer, name_of(name, what, parameter)), what)

    @needs("rbd_mirror_peer_site_set_direction")
    def mirror_peer_set_direction(self, ioctx: Ioctx, uuid: str, direction: int) -> None:
        """Sets in which direction images are replicated.

        Parameters:
            direction: RBD_MIRROR_PEER_DIRECTION_*.

        Raises ImageNotFound, InvalidArgument, TypeError, OverflowError.
        Implements: rbd_mirror_peer_site_set_direction
        """
        what = f"RBD.mirror_peer_set_direction({uuid!r}, {direction!r}) of pool {pool_of(ioctx)}"
        gate = gate_of(ioctx)
        peer = name_of(uuid, what, "uuid")
        direction = number(direction, f"{what}: direction", 0, _ENUM)
        if direction not in _DIRECTIONS:
            raise invalid(f"{what}: direction must be RBD_MIRROR_PEER_DIRECTION_*")
        _done(lib.rbd_mirror_peer_site_set_direction(gate, peer, direction), what)

    def mirror_peer_get_attributes(self, ioctx: Ioctx, uuid: str) -> dict[str, str]:
        """How to connect to a peer, as a dict: RBD_MIRROR_PEER_ATTRIBUTE_NAME_MON_HOST, _KEY.

        Raises ImageNotFound (no such peer, or it has no attributes), Error. Implements:
        rbd_mirror_peer_site_get_attributes, rbd_mirror_peer_get_attributes
        """
        what = f"RBD.mirror_peer_get_attributes({uuid!r}) of pool {pool_of(ioctx)}"
        function = (
            lib.rbd_mirror_peer_site_get_attributes
            if has("rbd_mirror_peer_site_get_attributes")
            else lib.rbd_mirror_peer_get_attributes
        )
        gate = gate_of(ioctx)
        peer = name_of(uuid, what, "uuid")
        sizes = [ffi.new("size_t *", 512) for _ in range(2)]
        count = ffi.new("size_t *")
        while True:
            asked = [size[0] for size in sizes]
            keys, values = (ffi.new("char[]", size) for size in asked)
            result = function(gate, peer, keys, sizes[0], values, sizes[1], count)
            if result != -ERANGE:
                break
        _done(result, what)
        parts = [strings(keys, asked[0]), strings(values, asked[1])]
        return dict(zip(*(part[: count[0]] for part in parts)))

    def mirror_peer_set_attributes(
        self, ioctx: Ioctx, uuid: str, attributes: Mapping[str, str]
    ) -> None:
        """Replaces all of how to connect to a peer.

        Parameters:
            attributes: RBD_MIRROR_PEER_ATTRIBUTE_NAME_MON_HOST and _KEY, with their values.

        Raises ImageNotFound, InvalidArgument, TypeError.
        Implements: rbd_mirror_peer_site_set_attributes, rbd_mirror_peer_set_attributes
        """
        attributes = values = hidden_values(attributes)
        what = f"RBD.mirror_peer_set_attributes({uuid!r}, ...) of pool {pool_of(ioctx)}"
        function = (
            lib.rbd_mirror_peer_site_set_attributes
            if has("rbd_mirror_peer_site_set_attributes")
            else lib.rbd_mirror_peer_set_attributes
        )
        gate = gate_of(ioctx)
        peer = name_of(uuid, what, "uuid")
        if not isinstance(attributes, Mapping):
            raise TypeError(
                f"{what}: attributes must be a mapping, not {type(attributes).__name__}"
            )
        keys = b"".join(name_of(key, what, "key") + b"\0" for key in attributes)
        secrets = list(values.values())
        for secret in secrets:
            secret.text("value", lambda reason: invalid(f"{what}: {reason}"))
        with joined(secrets) as together:
            text = together.pointer("value", invalid)
            _done(function(gate, peer, keys, text, len(attributes)), what)

    # -- images --------------------------------------------------------------------------------

    def mirror_image_status_list(self, ioctx: Ioctx) -> MirrorImageStatusIterator:
        """The status of the images that are mirrored, dicts; see MirrorImageStatusIterator.

        Raises Error. Implements: rbd_mirror_image_global_status_list, rbd_mirror_image_status_list
        """
        return MirrorImageStatusIterator(ioctx)

    def mirror_image_status_summary(self, ioctx: Ioctx) -> list[tuple[int, int]]:
        """How many images are in which state: [(MIRROR_IMAGE_STATUS_STATE_*, count)].

        Raises Error. Implements: rbd_mirror_image_status_summary
        """
        gate = gate_of(ioctx)
        count = ffi.new("size_t *", 32)
        while True:
            states = ffi.new("rbd_mirror_image_status_state_t[]", count[0])
            counts = ffi.new("int[]", count[0])
            result = lib.rbd_mirror_image_status_summary(gate, states, counts, count)
            if result != -ERANGE:
                break
        _done(result, f"RBD.mirror_image_status_summary of pool {pool_of(ioctx)}")
        return [(int(states[i]), int(counts[i])) for i in range(count[0])]

    def mirror_image_instance_id_list(self, ioctx: Ioctx) -> MirrorImageInstanceIdIterator:
        """Which rbd-mirror replicates which image: (id of the image, instance id).

        Raises Error. Implements: rbd_mirror_image_instance_id_list
        """
        return MirrorImageInstanceIdIterator(ioctx)

    @needs("rbd_mirror_image_info_list")
    def mirror_image_info_list(
        self, ioctx: Ioctx, mode_filter: int | None = None
    ) -> MirrorImageInfoIterator:
        """Which images are mirrored: (id of the image, dict: mode, global_id, state, primary).

        Parameters:
            mode_filter: only images of this mode, RBD_MIRROR_IMAGE_MODE_*; None: of any.

        Raises Error, TypeError, OverflowError. Implements: rbd_mirror_image_info_list
        """
        return MirrorImageInfoIterator(ioctx, mode_filter)
