"""Copies of images: flattening clones, copying, giving back what is zero."""

from __future__ import annotations

from typing import Any

from rbdcffi._buffers import number
from rbdcffi._callbacks import Progress
from rbdcffi._ffi import lib
from rbdcffi.rados.ioctx import Ioctx
from rbdcffi.rbd._base import ImageBase, gate_of
from rbdcffi.rbd.options import ImageOptions


class Clones(ImageBase):
    """The part of Image that copies data: within the image, or into a new one."""

    def flatten(self, on_progress: Any = None) -> None:
        """Copies what is shared with the parent into the clone, which then has no parent.

        Parameters:
            on_progress: called with (done, total).

        Raises InvalidArgument (there is no parent), ReadOnlyImage.
        Implements: rbd_flatten_with_progress
        """
        progress = Progress(on_progress, self._handle)
        self._done(progress.call(lib.rbd_flatten_with_progress, self._gate), "flatten")

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
        sparse_size: int = 0,
        on_progress: Any = None,
        journal_order: int | None = None,
        journal_splay_width: int | None = None,
        journal_pool: str | None = None,
        features_set: int | None = None,
        features_clear: int | None = None,
        mirror_image_mode: int | None = None,
    ) -> None:
        """Copies the image, as it is at the selected snapshot if there is one, without snapshots.

        Of a clone with fast-diff librbd 16 copies only what was written to it, unless it was opened
        with read_only=True: what is its parent's is zero in the copy. deep_copy copies all.

        Parameters:
            features: bits of the copy's features; None and 0: those of the image.
            order: log2 of the size of the copy's objects; None: as the image's.
            stripe_unit: in bytes; None and 0: not striped.
            stripe_count: number of objects to stripe over; None and 0: not striped.
            data_pool: name of the pool for the data, if not that of `dest_ioctx`.
            sparse_size: runs of this many zero bytes are not written into the copy, a power of two;
                0: librbd's default.
            on_progress: called with (done, total).
            journal_order: log2 of the size of the journal's objects.
            journal_splay_width: number of objects that the journal is spread over at a time.
            journal_pool: name of the pool for the journal, if not that of `dest_ioctx`.
            features_set, features_clear: bits to add to, and to take from, the image's features.
            mirror_image_mode: RBD_MIRROR_IMAGE_MODE_*: enables mirroring (Ceph 16).

        Raises TypeError, InvalidArgument, ImageExists, FunctionNotSupported, ArgumentOutOfRange,
        OverflowError. Implements: rbd_copy_with_progress4
        """
        what = f"copy to {dest_name!r}"
        sparse_size = number(sparse_size, f"{self._calling(what)}: sparse_size")
        gate = gate_of(dest_ioctx, "dest_ioctx")
        progress = Progress(on_progress, self._handle)
        dest = self._name(dest_name, "copy", "dest_name")
        options = ImageOptions(
            self._calling(what),
            features=features or None,
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
        )
        # the options live as long as the call, which its caller may leave
        result = progress.run(
            lambda function, data: lib.rbd_copy_with_progress4(
                self._gate, gate, dest, options.raw, function, data, sparse_size
            )
        )
        self._done(result, what)

    def deep_copy(
        self,
        dest_ioctx: Ioctx,
        dest_name: str,
        features: int | None = None,
        order: int | None = None,
        stripe_unit: int | None = None,
        stripe_count: int | None = None,
        data_pool: str | None = None,
        clone_format: int | None = None,
        flatten: bool = False,
        *,
        on_progress: Any = None,
    ) -> None:
        """Copies the image with its snapshots; the copy of a clone is a clone of the same parent.

        Parameters:
            features: bits of the copy's features; 0: none; None: the image's own.
            order: log2 of the size of the copy's objects.
            stripe_unit: in bytes; None and 0: not striped.
            stripe_count: number of objects to stripe over; None and 0: not striped.
            data_pool: name of the pool for the data, if not that of `dest_ioctx`.
            clone_format: of the copy of a clone, 1 or 2; None: the cluster's choice.
            flatten: makes the copy of a clone an image without a parent.
            on_progress: called with (done, total).

        Raises TypeError, InvalidArgument, ImageExists, FunctionNotSupported, ArgumentOutOfRange,
        OverflowError. Implements: rbd_deep_copy_with_progress
        """
        what = f"deep_copy to {dest_name!r}"
        gate = gate_of(dest_ioctx, "dest_ioctx")
        progress = Progress(on_progress, self._handle)
        dest = self._name(dest_name, "deep_copy", "dest_name")
        options = ImageOptions(
            self._calling(what),
            features=features,
            order=order,
            stripe_unit=stripe_unit,
            stripe_count=stripe_count,
            data_pool=data_pool,
            clone_format=clone_format,
            flatten=True if flatten else None,
        )
        result = progress.run(
            lambda *run: lib.rbd_deep_copy_with_progress(self._gate, gate, dest, options.raw, *run)
        )
        self._done(result, what)

    def sparsify(self, sparse_size: int, *, on_progress: Any = None) -> None:
        """Gives back the space of what is zero.

        Parameters:
            sparse_size: how many zero bytes in a row are worth it: a power of two, from 4096 to
                the size of an object.
            on_progress: called with (done, total).

        Raises InvalidArgument, ReadOnlyImage, TypeError, OverflowError.
        Implements: rbd_sparsify_with_progress
        """
        what = f"sparsify({sparse_size!r})"
        sparse_size = number(sparse_size, f"{self._calling(what)}: sparse_size")
        progress = Progress(on_progress, self._handle)
        self._done(progress.call(lib.rbd_sparsify_with_progress, self._gate, sparse_size), what)
