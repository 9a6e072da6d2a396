"""Making, finding, renaming and removing images."""

from __future__ import annotations

from typing import Any

from rbdcffi._buffers import number, string
from rbdcffi._callbacks import Progress
from rbdcffi._errors import ERANGE
from rbdcffi._ffi import ffi, has, lib, loaded_version
from rbdcffi._handle import reap
from rbdcffi.rados.ioctx import Ioctx
from rbdcffi.rbd._base import gate_of, name_of
from rbdcffi.rbd.errors import failed, invalid
from rbdcffi.rbd.options import ImageOptions


class RBD:
    """What is done to images that are not open."""

    def version(self) -> tuple[int, int, int]:
        """(major, minor, extra) of the loaded librbd. Implements: rbd_version"""
        return loaded_version()

    def create(
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
        what = f"RBD.create({name!r}, {size!r}) in pool {_label(ioctx)}"
        gate = gate_of(ioctx)
        image = name_of(name, what)
        if old_format:
            if features or stripe_unit or stripe_count or data_pool:
                raise invalid(f"{what}: features, stripes and a data pool need old_format=False")
            chosen = ffi.new("int *", order or 0)
            result = _with_integers(what, lambda: lib.rbd_create(gate, image, size, chosen))
        else:
            if order is not None:
                # an int in C; which of them are sensible is for librbd to say
                number(order, f"{what}: order", -(1 << 31), (1 << 31) - 1)
                order &= 0xFFFFFFFFFFFFFFFF
            with ImageOptions(
                what,
                format=2,
                features=features,
                order=order,
                stripe_unit=stripe_unit,
                stripe_count=stripe_count,
                data_pool=data_pool,
            ) as options:
                result = _with_integers(what, lambda: lib.rbd_create4(gate, image, size, options))
        if result < 0:
            raise failed(result, what)

    def clone(
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
        snapshot = p_snapshot if p_snapname is None else p_snapname
        what = f"RBD.clone({p_name!r}, {snapshot!r}, ..., {c_name!r})"
        if p_snapshot is not None and p_snapname is not None:
            raise TypeError(f"{what}: p_snapshot and p_snapname are the same argument")
        if c_ioctx is None:
            raise TypeError(f"{what}: c_ioctx is missing")
        parent_gate, child_gate = gate_of(p_ioctx, "p_ioctx"), gate_of(c_ioctx, "c_ioctx")
        parent, child = name_of(p_name, what, "p_name"), name_of(c_name, what, "c_name")
        by_id = isinstance(snapshot, int)
        if by_id and not has("rbd_clone4"):
            raise invalid(f"{what}: a snapshot id needs Ceph 20; give the name")
        snap: Any = snapshot if by_id else name_of(snapshot, what, "p_snapshot")
        if snap == b"":
            raise invalid(f"{what}: p_snapshot is empty")  # librbd would abort the process
        with ImageOptions(
            what,
            features=features or None,
            order=order,
            stripe_unit=stripe_unit,
            stripe_count=stripe_count,
            data_pool=data_pool,
            clone_format=clone_format,
        ) as options:
            function = lib.rbd_clone4 if by_id else lib.rbd_clone3
            result = _with_integers(
                what, lambda: function(parent_gate, parent, snap, child_gate, child, options)
            )
        if result < 0:
            raise failed(result, what)

    def list(self, ioctx: Ioctx) -> list[str]:
        """The names of the images in a pool (and namespace).

        Raises Error. Implements: rbd_list2
        """
        gate = gate_of(ioctx)
        count = ffi.new("size_t *", 64)
        while True:
            specs = ffi.new("rbd_image_spec_t[]", count[0])
            result = lib.rbd_list2(gate, specs, count)
            if result != -ERANGE:
                break
        if result < 0:
            raise failed(result, f"RBD.list of pool {_label(ioctx)}")
        try:
            return [string(specs[i].name) for i in range(count[0])]
        finally:
            lib.rbd_image_spec_list_cleanup(specs, count[0])

    def remove(self, ioctx: Ioctx, name: str, on_progress: Any = None) -> None:
        """Removes an image, object by object; it may take long.

        Parameters:
            on_progress: called with (done, total).

        Raises ImageNotFound, ImageBusy (it is open somewhere), ImageHasSnapshots,
        ImageMemberOfGroup. Implements: rbd_remove_with_progress
        """
        reap()
        gate = gate_of(ioctx)
        progress = Progress(on_progress, gate)
        what = f"RBD.remove({name!r}) in pool {_label(ioctx)}"
        result = lib.rbd_remove_with_progress(
            gate, name_of(name, what), progress.function, progress.data
        )
        progress.raise_error()
        if result < 0:
            raise failed(result, what)

    def rename(self, ioctx: Ioctx, src: str, dest: str) -> None:
        """Renames an image. Raises ImageNotFound, ImageExists. Implements: rbd_rename"""
        what = f"RBD.rename({src!r}, {dest!r}) in pool {_label(ioctx)}"
        gate = gate_of(ioctx)
        result = lib.rbd_rename(gate, name_of(src, what, "src"), name_of(dest, what, "dest"))
        if result < 0:
            raise failed(result, what)


def _label(ioctx: object) -> str:
    return repr(ioctx._label) if isinstance(ioctx, Ioctx) else repr(ioctx)


def _with_integers(what: str, call: Any) -> int:
    """Makes a C call; cffi's complaint about an integer gets the call in front."""
    try:
        return int(call())
    except (TypeError, OverflowError) as error:
        raise type(error)(f"{what}: {error}") from None
