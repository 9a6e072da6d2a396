"""Parents, children and copies."""

from __future__ import annotations

from typing import Any

from rbdcffi._buffers import string
from rbdcffi._callbacks import Progress
from rbdcffi._errors import ERANGE
from rbdcffi._ffi import ffi, lib
from rbdcffi.rados.ioctx import Ioctx
from rbdcffi.rbd._base import ImageBase, gate_of
from rbdcffi.rbd.options import ImageOptions


class Clones(ImageBase):
    """The part of Image that knows where the image comes from and what was made of it."""

    def parent_info(self) -> tuple[str, str, str]:
        """(pool name, image name, snapshot name) of the parent.

        Raises ImageNotFound if there is no parent. Implements: rbd_get_parent
        """
        image = ffi.new("rbd_linked_image_spec_t *")
        snap = ffi.new("rbd_snap_spec_t *")
        self._done(lib.rbd_get_parent(self._gate, image, snap), "parent_info")
        try:
            return string(image.pool_name), string(image.image_name), string(snap.name)
        finally:
            lib.rbd_linked_image_spec_cleanup(image)
            lib.rbd_snap_spec_cleanup(snap)

    def list_children(self) -> list[tuple[str, str]]:
        """(pool name, image name) of the clones of the selected snapshot, of all without one.

        Clones in the trash are left out. Raises Error. Implements: rbd_list_children3
        """
        count = ffi.new("size_t *", 16)
        while True:
            specs = ffi.new("rbd_linked_image_spec_t[]", count[0])
            result = lib.rbd_list_children3(self._gate, specs, count)
            if result != -ERANGE:
                break
        self._done(result, "list_children")
        try:
            return [
                (string(specs[i].pool_name), string(specs[i].image_name))
                for i in range(count[0])
                if not specs[i].trash
            ]
        finally:
            lib.rbd_linked_image_spec_list_cleanup(specs, count[0])

    def flatten(self, on_progress: Any = None) -> None:
        """Copies what is shared with the parent into the clone, which then has no parent.

        Parameters:
            on_progress: called with (done, total).

        Raises InvalidArgument (there is no parent), ReadOnlyImage.
        Implements: rbd_flatten_with_progress
        """
        progress = Progress(on_progress, self._gate)
        result = lib.rbd_flatten_with_progress(self._gate, progress.function, progress.data)
        progress.raise_error()
        self._done(result, "flatten")

    def copy(
        self,
        dest_ioctx: Ioctx,
        dest_name: str,
        features: int | None = None,
        order: int | None = None,
        stripe_unit: int | None = None,
        stripe_count: int | None = None,
        data_pool: str | None = None,
        *,
        on_progress: Any = None,
    ) -> None:
        """Copies the image, as it is at the selected snapshot if there is one, without snapshots.

        Parameters:
            features: bits of the copy's features; None and 0: the cluster's default.
            order: log2 of the size of the copy's objects.
            stripe_unit: in bytes; None and 0: not striped.
            stripe_count: number of objects to stripe over; None and 0: not striped.
            data_pool: name of the pool for the data, if not that of `dest_ioctx`.
            on_progress: called with (done, total).

        Raises TypeError, InvalidArgument, ImageExists, FunctionNotSupported, ArgumentOutOfRange.
        Implements: rbd_copy_with_progress3
        """
        what = f"copy to {dest_name!r}"
        gate = gate_of(dest_ioctx, "dest_ioctx")
        progress = Progress(on_progress, self._gate)
        with ImageOptions(
            f"Image.{what} of {self._label!r}",
            features=features or None,
            order=order,
            stripe_unit=stripe_unit,
            stripe_count=stripe_count,
            data_pool=data_pool,
        ) as options:
            result = lib.rbd_copy_with_progress3(
                self._gate,
                gate,
                self._name(dest_name, "copy", "dest_name"),
                options,
                progress.function,
                progress.data,
            )
        progress.raise_error()
        self._done(result, what)
