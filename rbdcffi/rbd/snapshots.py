"""Snapshots of an open image."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rbdcffi._buffers import string
from rbdcffi._callbacks import Progress
from rbdcffi._errors import ERANGE
from rbdcffi._ffi import NULL, ffi, has, lib
from rbdcffi.rbd._base import ImageBase
from rbdcffi.rbd.errors import invalid


class SnapIterator:
    """The snapshots of an image, as they were when it was made; can be iterated over repeatedly.

    Yields dicts: id, size (bytes), name, namespace (RBD_SNAP_NAMESPACE_TYPE_*).

    Implements: rbd_snap_list, rbd_snap_list_end, rbd_snap_get_namespace_type
    """

    def __init__(self, image: ImageBase) -> None:
        if not isinstance(image, ImageBase):
            raise TypeError(f"image must be an rbdcffi.rbd.Image, not {type(image).__name__}")
        self._snaps: list[dict[str, Any]] = []
        count = ffi.new("int *", 10)
        while True:
            infos = ffi.new("rbd_snap_info_t[]", count[0])
            result = lib.rbd_snap_list(image._gate, infos, count)
            if result != -ERANGE:
                break
        if result < 0:
            raise image._failed(result, "list_snaps")
        try:
            for i in range(result):
                info = infos[i]
                self._snaps.append(
                    {
                        "id": info.id,
                        "size": info.size,
                        "name": string(info.name),
                        "namespace": _namespace_type(image, info.id),
                    }
                )
        finally:
            if result > 0:
                lib.rbd_snap_list_end(infos)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter([dict(snap) for snap in self._snaps])


def _namespace_type(image: ImageBase, snap_id: int) -> int:
    kind = ffi.new("rbd_snap_namespace_type_t *")
    image._done(
        lib.rbd_snap_get_namespace_type(image._gate, snap_id, kind),
        f"snap_get_namespace_type({snap_id})",
    )
    return int(kind[0])


class Snapshots(ImageBase):
    """The part of Image that makes, removes and selects snapshots."""

    def list_snaps(self) -> SnapIterator:
        """The snapshots of the image. Raises Error. Implements: rbd_snap_list"""
        return SnapIterator(self)

    def create_snap(self, name: str, flags: int = 0, *, on_progress: Any = None) -> None:
        """Makes a snapshot.

        Parameters:
            flags: RBD_SNAP_CREATE_*; needs Ceph 16.
            on_progress: called with (done, total) while users of the image are asked to pause;
                needs Ceph 16.

        Raises ImageExists, InvalidArgument, ReadOnlyImage.
        Implements: rbd_snap_create2, rbd_snap_create
        """
        snap = self._name(name, "create_snap")
        if not has("rbd_snap_create2"):
            if flags:
                raise invalid(f"Image.create_snap({name!r}): flags need Ceph 16")
            self._done(lib.rbd_snap_create(self._gate, snap), f"create_snap({name!r})")
            return
        progress = Progress(on_progress, self._gate)
        try:
            result = lib.rbd_snap_create2(self._gate, snap, flags, progress.function, progress.data)
        except (TypeError, OverflowError) as error:
            raise self._bad(error, f"create_snap({name!r})") from None
        progress.raise_error()
        self._done(result, f"create_snap({name!r})")

    def remove_snap(self, name: str, *, on_progress: Any = None) -> None:
        """Removes a snapshot.

        Parameters:
            on_progress: called with (done, total).

        Raises ImageNotFound, ImageBusy (protected), IOError.
        Implements: rbd_snap_remove, rbd_snap_remove2
        """
        snap = self._name(name, "remove_snap")
        if on_progress is None:
            self._done(lib.rbd_snap_remove(self._gate, snap), f"remove_snap({name!r})")
            return
        progress = Progress(on_progress, self._gate)
        result = lib.rbd_snap_remove2(self._gate, snap, 0, progress.function, progress.data)
        progress.raise_error()
        self._done(result, f"remove_snap({name!r})")

    def rename_snap(self, srcname: str, dstname: str) -> None:
        """Renames a snapshot. Raises ImageNotFound, ImageExists. Implements: rbd_snap_rename"""
        self._done(
            lib.rbd_snap_rename(
                self._gate, self._name(srcname, "rename_snap"), self._name(dstname, "rename_snap")
            ),
            f"rename_snap({srcname!r}, {dstname!r})",
        )

    def rollback_to_snap(self, name: str, *, on_progress: Any = None) -> None:
        """Makes the image what it was at a snapshot, object by object.

        Parameters:
            on_progress: called with (done, total).

        Raises ImageNotFound, ReadOnlyImage, IOError. Implements: rbd_snap_rollback_with_progress
        """
        progress = Progress(on_progress, self._gate)
        result = lib.rbd_snap_rollback_with_progress(
            self._gate, self._name(name, "rollback_to_snap"), progress.function, progress.data
        )
        progress.raise_error()
        self._done(result, f"rollback_to_snap({name!r})")

    def protect_snap(self, name: str) -> None:
        """Protects a snapshot from being removed, as clones need it.

        Raises ImageNotFound, ImageBusy (it is protected). Implements: rbd_snap_protect
        """
        self._done(
            lib.rbd_snap_protect(self._gate, self._name(name, "protect_snap")),
            f"protect_snap({name!r})",
        )

    def unprotect_snap(self, name: str) -> None:
        """Ends the protection of a snapshot.

        Raises ImageNotFound, ImageBusy (it has clones), InvalidArgument (it is not protected).
        Implements: rbd_snap_unprotect
        """
        self._done(
            lib.rbd_snap_unprotect(self._gate, self._name(name, "unprotect_snap")),
            f"unprotect_snap({name!r})",
        )

    def is_protected_snap(self, name: str) -> bool:
        """Whether a snapshot is protected.

        Raises ImageNotFound. Implements: rbd_snap_is_protected
        """
        protected = ffi.new("int *")
        self._done(
            lib.rbd_snap_is_protected(self._gate, self._name(name, "is_protected_snap"), protected),
            f"is_protected_snap({name!r})",
        )
        return bool(protected[0])

    def set_snap(self, name: str | None) -> None:
        """Selects the snapshot that reads, size() and diffs refer to; None for the present.

        While a snapshot is selected, writes raise ReadOnlyImage. Reads that other threads have in
        flight see the one or the other.

        Raises ImageNotFound. Implements: rbd_snap_set
        """
        snap = NULL if name is None else self._name(name, "set_snap")
        self._done(lib.rbd_snap_set(self._gate, snap), f"set_snap({name!r})")
