"""Making, finding, renaming and removing images."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Callable

from rbdcffi._buffers import INT, integer, number, string
from rbdcffi._callbacks import Progress
from rbdcffi._calls import Calling
from rbdcffi._completions import check_callback
from rbdcffi._errors import ERANGE
from rbdcffi._ffi import ffi, has, lib, loaded_version
from rbdcffi._handle import reap
from rbdcffi.rados.ioctx import Ioctx
from rbdcffi.rbd._base import gate_of, name_of, pool_of
from rbdcffi.rbd.completions import Completion
from rbdcffi.rbd.errors import failed, invalid
from rbdcffi.rbd.image import Image
from rbdcffi.rbd.options import ImageOptions


class ImageIterator(Calling):
    """The images in a pool, as they were when it was made; can be iterated over repeatedly.

    Yields dicts: id, name.

    Implements: rbd_list2, rbd_image_spec_list_cleanup
    """

    def __init__(self, ioctx: Ioctx) -> None:
        gate = gate_of(ioctx)
        count = ffi.new("size_t *", 64)
        while True:
            specs = ffi.new("rbd_image_spec_t[]", count[0])
            result = lib.rbd_list2(gate, specs, count)
            if result != -ERANGE:
                break
        if result < 0:
            raise failed(result, f"RBD.list of pool {pool_of(ioctx)}")
        try:
            self._images = [
                {"id": string(specs[i].id), "name": string(specs[i].name)} for i in range(count[0])
            ]
        finally:
            lib.rbd_image_spec_list_cleanup(specs, count[0])

    def __iter__(self) -> Iterator[dict[str, str]]:
        return iter([dict(image) for image in self._images])


class Images(Calling):
    """The part of RBD that makes, finds, renames and removes images."""

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
        what = f"RBD.create({name!r}, {size!r}) in pool {pool_of(ioctx)}"
        for option, given in (
            ("data_pool", data_pool),
            ("journal_pool", journal_pool),
            ("mirror_image_mode", mirror_image_mode),
        ):
            if given is not None:
                what += f" with {option} {given!r}"
        gate = gate_of(ioctx)
        image = name_of(name, what)
        size = number(size, f"{what}: size")
        if order is not None:
            # an int in C; which of them are sensible is for librbd to say
            order = number(order, f"{what}: order", *INT)
        if old_format:
            new = (
                *(features or None, stripe_unit or None, stripe_count or None, data_pool or None),
                *(journal_order, journal_splay_width, journal_pool),
                *(features_set, features_clear, mirror_image_mode),
            )
            if any(option is not None for option in new):
                raise invalid(
                    f"{what}: features, stripes, pools, a journal and mirroring need "
                    "old_format=False"
                )
            chosen = ffi.new("int *", order or 0)
            result = lib.rbd_create(gate, image, size, chosen)
        else:
            if order is not None:
                order &= 0xFFFFFFFFFFFFFFFF
            with ImageOptions(
                what,
                format=2,
                features=features,
                order=order,
                stripe_unit=stripe_unit,
                stripe_count=stripe_count,
                data_pool=data_pool,
                journal_order=journal_order,
                journal_splay_width=journal_splay_width,
                journal_pool=journal_pool,
                features_set=features_set,
                features_clear=features_clear,
                mirror_image_mode=mirror_image_mode,
            ) as options:
                result = lib.rbd_create4(gate, image, size, options)
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
        snapshot = p_snapshot if p_snapname is None else p_snapname
        what = f"RBD.clone({p_name!r}, {snapshot!r}, ..., {c_name!r})"
        if p_snapshot is not None and p_snapname is not None:
            raise TypeError(f"{what}: p_snapshot and p_snapname are the same argument")
        if c_ioctx is None:
            raise TypeError(f"{what}: c_ioctx is missing")
        parent_gate, child_gate = gate_of(p_ioctx, "p_ioctx"), gate_of(c_ioctx, "c_ioctx")
        parent, child = name_of(p_name, what, "p_name"), name_of(c_name, what, "c_name")
        snap_id = integer(snapshot)
        by_id = snap_id is not None
        if by_id and not has("rbd_clone4"):
            raise invalid(f"{what}: a snapshot id needs Ceph 20; give the name")
        snap: Any = (
            number(snap_id, f"{what}: p_snapshot")
            if by_id
            else name_of(snapshot, what, "p_snapshot")
        )
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
            journal_order=journal_order,
            journal_splay_width=journal_splay_width,
            journal_pool=journal_pool,
            features_set=features_set,
            features_clear=features_clear,
            mirror_image_mode=mirror_image_mode,
        ) as options:
            function = lib.rbd_clone4 if by_id else lib.rbd_clone3
            result = function(parent_gate, parent, snap, child_gate, child, options)
        if result < 0:
            raise failed(result, what)

    def list(self, ioctx: Ioctx) -> list[str]:
        """The names of the images in a pool (and namespace).

        Raises Error. Implements: rbd_list2
        """
        return [image["name"] for image in ImageIterator(ioctx)]

    def list2(self, ioctx: Ioctx) -> ImageIterator:
        """The images in a pool (and namespace).

        Yields dicts: id, name.

        Raises Error. Implements: rbd_list2
        """
        return ImageIterator(ioctx)

    def remove(self, ioctx: Ioctx, name: str, on_progress: Any = None) -> None:
        """Removes an image, object by object; it may take long.

        Parameters:
            on_progress: called with (done, total).

        Raises ImageNotFound, ImageBusy (it is open somewhere), ImageHasSnapshots,
        ImageMemberOfGroup. Implements: rbd_remove_with_progress
        """
        reap()
        gate = gate_of(ioctx)
        progress = Progress(on_progress, ioctx._handle)
        what = f"RBD.remove({name!r}) in pool {pool_of(ioctx)}"
        result = progress.call(lib.rbd_remove_with_progress, gate, name_of(name, what))
        if result < 0:
            raise failed(result, what)

    def rename(self, ioctx: Ioctx, src: str, dest: str) -> None:
        """Renames an image. Raises ImageNotFound, ImageExists. Implements: rbd_rename"""
        what = f"RBD.rename({src!r}, {dest!r}) in pool {pool_of(ioctx)}"
        gate = gate_of(ioctx)
        result = lib.rbd_rename(gate, name_of(src, what, "src"), name_of(dest, what, "dest"))
        if result < 0:
            raise failed(result, what)

    def aio_open_image(
        self,
        oncomplete: Callable[[Completion, Image], Any],
        ioctx: Ioctx,
        name: str | bytes | None = None,
        snapshot: str | bytes | int | None = None,
        read_only: bool = False,
        image_id: str | bytes | None = None,
    ) -> Completion:
        """Starts to open an image; see Image for the parameters.

        Parameters:
            oncomplete: called with the Completion and the image, once that is open. If it could
                not be opened, get_return_value() is the negative errno, and the image is closed.

        Raises InvalidArgument (neither or both of name and image_id), TypeError, OverflowError.
        Implements: rbd_aio_open, rbd_aio_open_read_only, rbd_aio_open_by_id,
        rbd_aio_open_by_id_read_only
        """
        check_callback(oncomplete, f"RBD.aio_open_image in pool {pool_of(ioctx)}", optional=False)
        image = Image(ioctx, name, snapshot, read_only, image_id, oncomplete)
        completion, image._opening = image._opening, None
        assert completion is not None
        return completion
