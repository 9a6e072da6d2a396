"""Live migration of images, and live import."""

from __future__ import annotations

import json
from typing import Any

from rbdcffi._buffers import grow, string
from rbdcffi._callbacks import Progress
from rbdcffi._ffi import NULL, ffi, has, lib, needs
from rbdcffi._handle import reap
from rbdcffi._secrets import hidden
from rbdcffi.rados.ioctx import Ioctx
from rbdcffi.rbd._base import ImageBase, gate_of, name_of, pool_of
from rbdcffi.rbd.errors import failed, invalid
from rbdcffi.rbd.options import ImageOptions

_STATUS = ffi.typeof("rbd_image_migration_status_t *")
_STATUS_SIZE = ffi.sizeof(_STATUS.item)


class Migration:
    """The part of RBD that moves images while they are in use.

    prepare (the image must not be open) makes the target, which from then on is the image and can
    be opened; execute copies; commit (the target must not be open) removes the source, or abort
    removes the target.
    """

    def migration_prepare(
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
        reap()
        what = (
            f"RBD.migration_prepare({image_name!r}, ..., {dest_image_name!r}) "
            f"in pool {pool_of(ioctx)}"
        )
        gate, dest_gate = gate_of(ioctx), gate_of(dest_ioctx, "dest_ioctx")
        if flatten and not has("rbd_migration_prepare_import"):
            # seen on 14.2.21: after the commit the target reads as zeroes
            raise invalid(f"{what}: flatten would lose the parent's data; it needs Ceph 16")
        source = name_of(image_name, what, "image_name")
        target = name_of(dest_image_name, what, "dest_image_name")
        with ImageOptions(
            what,
            features=features,
            order=order,
            stripe_unit=stripe_unit,
            stripe_count=stripe_count,
            data_pool=data_pool,
            clone_format=clone_format,
            flatten=True if flatten else None,
        ) as options:
            result = lib.rbd_migration_prepare(gate, source, dest_gate, target, options)
        if result < 0:
            raise failed(result, what)

    @needs("rbd_migration_prepare_import")
    def migration_prepare_import(
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
        # it may hold credentials
        source_spec = secret = hidden(source_spec)
        pool = pool_of(dest_ioctx)
        what = f"RBD.migration_prepare_import(..., {dest_image_name!r}) into pool {pool}"
        dest_gate = gate_of(dest_ioctx, "dest_ioctx")
        source = secret.text("source_spec", lambda reason: invalid(f"{what}: {reason}"))
        target = name_of(dest_image_name, what, "dest_image_name")
        with ImageOptions(
            what,
            features=features,
            order=order,
            stripe_unit=stripe_unit,
            stripe_count=stripe_count,
            data_pool=data_pool,
        ) as options:
            with secret:
                result = lib.rbd_migration_prepare_import(source, dest_gate, target, options)
        if result < 0:
            raise failed(result, what)

    def migration_execute(self, ioctx: Ioctx, image_name: str, on_progress: Any = None) -> None:
        """Copies what the target does not have yet; it may take long.

        Parameters:
            image_name: of the target.
            on_progress: called with (done, total).

        Raises ImageNotFound, InvalidArgument (no migration).
        Implements: rbd_migration_execute_with_progress
        """
        function = lib.rbd_migration_execute_with_progress
        self._migrate("migration_execute", function, ioctx, image_name, on_progress)

    def migration_commit(self, ioctx: Ioctx, image_name: str, on_progress: Any = None) -> None:
        """Ends a migration: removes the source.

        Parameters:
            image_name: of the target, which must not be open.
            on_progress: called with (done, total).

        Raises ImageNotFound, InvalidArgument (no migration, or one that is not executed),
        ImageBusy. Implements: rbd_migration_commit_with_progress
        """
        function = lib.rbd_migration_commit_with_progress
        self._migrate("migration_commit", function, ioctx, image_name, on_progress)

    def migration_abort(self, ioctx: Ioctx, image_name: str, on_progress: Any = None) -> None:
        """Undoes a migration: copies what was written back to the source, removes the target.

        Parameters:
            image_name: of the target, which must not be open.
            on_progress: called with (done, total).

        Raises ImageNotFound, InvalidArgument (no migration), ImageBusy.
        Implements: rbd_migration_abort_with_progress
        """
        function = lib.rbd_migration_abort_with_progress
        self._migrate("migration_abort", function, ioctx, image_name, on_progress)

    def _migrate(
        self, call: str, function: Any, ioctx: Ioctx, image_name: str, on_progress: Any
    ) -> None:
        reap()
        what = f"RBD.{call}({image_name!r}) in pool {pool_of(ioctx)}"
        gate = gate_of(ioctx)
        name = name_of(image_name, what, "image_name")
        result = Progress(on_progress, ioctx._handle).call(function, gate, name)
        if result < 0:
            raise failed(result, what)

    def migration_status(self, ioctx: Ioctx, image_name: str) -> dict[str, Any]:
        """How far a migration is.

        Parameters:
            image_name: of the target or of the source.

        Returns a dict: source_pool_id, source_pool_namespace, source_image_name, source_image_id,
        dest_pool_id, dest_pool_namespace, dest_image_name, dest_image_id, state
        (RBD_IMAGE_MIGRATION_STATE_*), state_description. Of an import, ids are -1 and names ''.

        Raises ImageNotFound, InvalidArgument (no migration).
        Implements: rbd_migration_status, rbd_migration_status_cleanup
        """
        what = f"RBD.migration_status({image_name!r}) in pool {pool_of(ioctx)}"
        gate = gate_of(ioctx)
        status = ffi.new(_STATUS)
        result = lib.rbd_migration_status(
            gate, name_of(image_name, what, "image_name"), status, _STATUS_SIZE
        )
        if result < 0:
            raise failed(result, what)
        try:
            return {
                "source_pool_id": status.source_pool_id,
                "source_pool_namespace": string(status.source_pool_namespace),
                "source_image_name": string(status.source_image_name),
                "source_image_id": string(status.source_image_id),
                "dest_pool_id": status.dest_pool_id,
                "dest_pool_namespace": string(status.dest_pool_namespace),
                "dest_image_name": string(status.dest_image_name),
                "dest_image_id": string(status.dest_image_id),
                "state": int(status.state),
                "state_description": string(status.state_description),
            }
        finally:
            lib.rbd_migration_status_cleanup(status)


class MigrationSource(ImageBase):
    """The part of Image that tells where a migrating image comes from."""

    @needs("rbd_get_migration_source_spec")
    def migration_source_spec(self) -> dict[str, Any]:
        """Where a target of a migration comes from, as migration_prepare_import() takes it, but
        decoded: a dict with "type" and what belongs to it. Needs Ceph 16.

        Raises InvalidArgument (it is no target of a migration).
        Implements: rbd_get_migration_source_spec
        """
        size = ffi.new("size_t *")
        buffer: Any = NULL

        def attempt(length: int) -> tuple[int, int]:
            nonlocal buffer
            buffer = ffi.new("char[]", length)
            size[0] = length
            return lib.rbd_get_migration_source_spec(self._gate, buffer, size), size[0]

        self._done(grow(attempt, 4096), "migration_source_spec")
        spec: dict[str, Any] = json.loads(string(buffer))
        return spec
