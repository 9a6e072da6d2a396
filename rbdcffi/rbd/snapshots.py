"""Making, removing, protecting, selecting snapshots of an open image."""

from __future__ import annotations

from typing import Any

from rbdcffi._buffers import UINT, number
from rbdcffi._callbacks import Progress
from rbdcffi._ffi import NULL, ffi, has, lib
from rbdcffi.rbd._base import ImageBase
from rbdcffi.rbd.errors import invalid

#: What stands for "no snapshot" among ids, and for "no limit" of them.
NO_SNAP = (1 << 64) - 2
NO_LIMIT = (1 << 64) - 1


class Snapshots(ImageBase):
    """The part of Image that makes, removes and selects snapshots."""

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
        flags = number(flags, "flags", 0, (1 << 32) - 1)
        if not has("rbd_snap_create2"):
            if flags:
                raise invalid(f"Image.create_snap({name!r}): flags need Ceph 16")
            result = self._leavable(lib.rbd_snap_create, self._gate, snap)
            self._done(result, f"create_snap({name!r})")
            return
        progress = Progress(on_progress, self._handle)
        result = progress.call(lib.rbd_snap_create2, self._gate, snap, flags)
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
            result = self._leavable(lib.rbd_snap_remove, self._gate, snap)
        else:
            progress = Progress(on_progress, self._handle)
            result = progress.call(lib.rbd_snap_remove2, self._gate, snap, 0)
        self._done(result, f"remove_snap({name!r})")

    def remove_snap2(self, name: str, flags: int, *, on_progress: Any = None) -> None:
        """Removes a snapshot.

        Parameters:
            flags: RBD_SNAP_REMOVE_UNPROTECT ends its protection first, RBD_SNAP_REMOVE_FLATTEN
                flattens its clones first, RBD_SNAP_REMOVE_FORCE does both.
            on_progress: called with (done, total).

        Raises ImageNotFound, ImageBusy (protected), IOError, TypeError, OverflowError.
        Implements: rbd_snap_remove2
        """
        what = f"remove_snap2({name!r}, {flags!r})"
        snap = self._name(name, "remove_snap2")
        flags = number(flags, f"{self._calling(what)}: flags", *UINT)
        progress = Progress(on_progress, self._handle)
        self._done(progress.call(lib.rbd_snap_remove2, self._gate, snap, flags), what)

    def remove_snap_by_id(self, snap_id: int) -> None:
        """Removes a snapshot, whatever kind it is of, by its id.

        Raises ImageNotFound, ImageBusy (protected), IOError, TypeError, OverflowError.
        Implements: rbd_snap_remove_by_id
        """
        what = f"remove_snap_by_id({snap_id!r})"
        snap_id = number(snap_id, f"{self._calling(what)}: snap_id")
        self._done(self._leavable(lib.rbd_snap_remove_by_id, self._gate, snap_id), what)

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
        progress = Progress(on_progress, self._handle)
        snap = self._name(name, "rollback_to_snap")
        try:
            result = progress.call(lib.rbd_snap_rollback_with_progress, self._gate, snap)
        finally:
            self._resized += 1
        self._done(result, f"rollback_to_snap({name!r})")

    def protect_snap(self, name: str) -> None:
        """Protects a snapshot from being removed, as clones need it.

        Raises ImageNotFound, ImageBusy (it is protected). Implements: rbd_snap_protect
        """
        self._done(
            self._leavable(lib.rbd_snap_protect, self._gate, self._name(name, "protect_snap")),
            f"protect_snap({name!r})",
        )

    def unprotect_snap(self, name: str) -> None:
        """Ends the protection of a snapshot.

        Raises ImageNotFound, ImageBusy (it has clones), InvalidArgument (it is not protected).
        Implements: rbd_snap_unprotect
        """
        self._done(
            self._leavable(lib.rbd_snap_unprotect, self._gate, self._name(name, "unprotect_snap")),
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

        It waits for the calls that are running, and keeps others waiting, since librbd cannot do it
        beside them; for 30 s at most.

        Raises ImageNotFound, ImageBusy (the running calls do not end). Implements: rbd_snap_set
        """
        snap = NULL if name is None else self._name(name, "set_snap")
        result = lib.rbd_snap_set(self._gate, snap)
        self._resized += 1
        self._done(result, f"set_snap({name!r})")

    def set_snap_by_id(self, snap_id: int | None) -> None:
        """Selects a snapshot, whatever kind it is of, by its id; None and 0 for the present.

        As set_snap() otherwise. Raises ImageNotFound, TypeError, OverflowError.
        Implements: rbd_snap_set_by_id
        """
        what = f"set_snap_by_id({snap_id!r})"
        if snap_id is not None:
            snap_id = number(snap_id, f"{self._calling(what)}: snap_id")
        result = lib.rbd_snap_set_by_id(self._gate, snap_id or NO_SNAP)
        self._resized += 1
        self._done(result, what)

    def set_snap_limit(self, limit: int) -> int:
        """Limits how many snapshots there can be; create_snap() raises DiskQuotaExceeded then.

        Returns 0, as the standard binding does.

        Raises OSError (ERANGE: there are more already), TypeError, OverflowError.
        Implements: rbd_snap_set_limit
        """
        what = f"set_snap_limit({limit!r})"
        limit = number(limit, f"{self._calling(what)}: limit")
        return self._limit(limit, what)

    def remove_snap_limit(self) -> int:
        """Ends the limit of snapshots.

        Returns 0, as the standard binding does. Raises Error. Implements: rbd_snap_set_limit
        """
        return self._limit(NO_LIMIT, "remove_snap_limit")

    def _limit(self, limit: int, what: str) -> int:
        result = int(lib.rbd_snap_set_limit(self._gate, limit))
        self._done(result, what)
        return result
