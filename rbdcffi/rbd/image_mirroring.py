"""Mirroring of an open image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable

from rbdcffi._buffers import grow, number, string
from rbdcffi._errors import EINVAL, ENOENT
from rbdcffi._ffi import NULL, ffi, has, lib, needs, pointer
from rbdcffi.rbd._mirror_status import info_of, status_of
from rbdcffi.rbd.completions import CallbackIO, Completion
from rbdcffi.rbd.constants import RBD_MIRROR_IMAGE_MODE_JOURNAL
from rbdcffi.rbd.errors import failed, invalid
from rbdcffi.rbd.info import ImageInfo
from rbdcffi.rbd.options import MIRROR_MODES

if TYPE_CHECKING:
    from rbdcffi.rados.ioctx import Ioctx

_UINT32 = (1 << 32) - 1


def _info() -> Any:
    """What C fills with strings that are freed with it."""
    return ffi.gc(ffi.new("rbd_mirror_image_info_t *"), pointer("rbdcffi_mirror_info_cleanup"))


def _status() -> Any:
    if has("rbd_mirror_image_get_global_status"):
        return ffi.gc(
            ffi.new("rbd_mirror_image_global_status_t *"),
            pointer("rbdcffi_mirror_global_status_cleanup"),
        )
    return ffi.gc(ffi.new("rbd_mirror_image_status_t *"), pointer("rbdcffi_mirror_status_cleanup"))


class ImageMirroring(ImageInfo, CallbackIO):
    """The part of Image that mirrors it to other clusters; rbd-mirror daemons do the work.

    The pool must be in the mode RBD_MIRROR_MODE_IMAGE or _POOL; see RBD.mirror_mode_set.
    """

    if TYPE_CHECKING:
        ioctx: Ioctx

    def _mirrored(self, result: int, call: str) -> None:
        """Raises the error of a call. The errno is the same for much that may be wrong."""
        if result < 0:
            because = self._why_not() if result in (-EINVAL, -ENOENT) else ""
            raise failed(result, self._calling(call) + because)

    def _why_not(self) -> str:
        """What is so with the image's mirroring, for the text of an error."""
        # the I/O context may show another namespace by now
        if self._label.rpartition("/")[0] == self.ioctx._label:
            mode = ffi.new("rbd_mirror_mode_t *")
            if lib.rbd_mirror_mode_get(self.ioctx._gate, mode) == 0:
                if mode[0] == lib.RBD_MIRROR_MODE_DISABLED:
                    return ", in a pool whose mirroring is disabled"
        info, size = _info(), ffi.sizeof("rbd_mirror_image_info_t")
        if lib.rbd_mirror_image_get_info(self._gate, info, size) != 0:
            return ""
        if info.state == lib.RBD_MIRROR_IMAGE_DISABLED:
            return ", which is not mirrored"
        return ", which is primary" if info.primary else ", which is not primary"

    def mirror_image_enable(self, mode: int = RBD_MIRROR_IMAGE_MODE_JOURNAL) -> None:
        """Starts to mirror the image, as the primary one.

        Parameters:
            mode: RBD_MIRROR_IMAGE_MODE_JOURNAL (every write is replicated; enables the feature
                journaling) or _SNAPSHOT (mirror snapshots are; needs Ceph 16).

        Raises InvalidArgument (mirroring of the pool is disabled, or is of all images, or the
        image is mirrored in another mode), TypeError, OverflowError.
        Implements: rbd_mirror_image_enable2, rbd_mirror_image_enable
        """
        what = f"mirror_image_enable({mode!r})"
        mode = number(mode, f"{self._calling(what)}: mode", 0, _UINT32)
        if mode not in MIRROR_MODES:
            # librbd may take it, and not know the image any more
            raise invalid(f"{self._calling(what)}: mode must be one of RBD_MIRROR_IMAGE_MODE_*")
        if has("rbd_mirror_image_enable2"):
            result = self._leavable(lib.rbd_mirror_image_enable2, self._gate, mode)
        elif mode != RBD_MIRROR_IMAGE_MODE_JOURNAL:
            raise invalid(f"{self._calling(what)}: the mode needs Ceph 16")
        else:
            result = self._leavable(lib.rbd_mirror_image_enable, self._gate)
        self._mirrored(result, what)

    def mirror_image_disable(self, force: bool) -> None:
        """Ends the mirroring of the image; the images at other sites are removed.

        Parameters:
            force: also if this one is not primary.

        Raises InvalidArgument, Error. Implements: rbd_mirror_image_disable
        """
        self._mirrored(
            self._leavable(lib.rbd_mirror_image_disable, self._gate, bool(force)),
            f"mirror_image_disable({bool(force)})",
        )

    def mirror_image_promote(self, force: bool) -> None:
        """Makes the image primary: it can be written, and is replicated to the other sites.

        Parameters:
            force: also if the other site's was not demoted; both sites' contents have to be
                reconciled then, by mirror_image_resync at one of them.

        Raises ImageBusy (the other site's is primary), ImageNotFound (not mirrored),
        InvalidArgument (primary already), Error. Implements: rbd_mirror_image_promote
        """
        self._mirrored(
            self._leavable(lib.rbd_mirror_image_promote, self._gate, bool(force)),
            f"mirror_image_promote({bool(force)})",
        )

    def mirror_image_demote(self) -> None:
        """Makes the image non-primary: it cannot be written any more, and another site's can be
        promoted.

        Close the image, or stop writing, before: librbd still takes the first write of a handle
        that was open then (with mirroring by snapshots; by the journal it refuses reads, too), and
        what it writes is lost with the next promotion.

        Raises InvalidArgument (not primary), Error. Implements: rbd_mirror_image_demote
        """
        result = self._leavable(lib.rbd_mirror_image_demote, self._gate)
        self._mirrored(result, "mirror_image_demote")

    def mirror_image_resync(self) -> None:
        """Asks for a new replica: the rbd-mirror removes the image and copies the primary one.

        Raises InvalidArgument (it is primary), ImageNotFound (not mirrored), Error.
        Implements: rbd_mirror_image_resync
        """
        self._mirrored(lib.rbd_mirror_image_resync(self._gate), "mirror_image_resync")

    @needs("rbd_mirror_image_create_snapshot2")
    def mirror_image_create_snapshot(self, flags: int = 0) -> int:
        """Makes a mirror snapshot: the other sites become as the image is now.

        Parameters:
            flags: RBD_SNAP_CREATE_SKIP_QUIESCE, RBD_SNAP_CREATE_IGNORE_QUIESCE_ERROR.

        Returns the id of the snapshot.

        Raises InvalidArgument (not mirrored in the mode snapshot, not primary, no such flags),
        TypeError, OverflowError. Implements: rbd_mirror_image_create_snapshot2
        """
        what = f"mirror_image_create_snapshot({flags!r})"
        flags = number(flags, f"{self._calling(what)}: flags", 0, _UINT32)
        snap_id = ffi.new("uint64_t *")
        function = lib.rbd_mirror_image_create_snapshot2
        self._mirrored(self._leavable(function, self._gate, flags, snap_id), what)
        return int(snap_id[0])

    def mirror_image_get_info(self) -> dict[str, Any]:
        """Whether the image is mirrored.

        Returns a dict: global_id (the same at all sites, '' if it is not mirrored), state
        (RBD_MIRROR_IMAGE_*), primary.

        Raises Error. Implements: rbd_mirror_image_get_info
        """
        info = _info()
        self._done(
            lib.rbd_mirror_image_get_info(self._gate, info, ffi.sizeof("rbd_mirror_image_info_t")),
            "mirror_image_get_info",
        )
        try:
            return info_of(info)
        finally:
            ffi.release(info)

    @needs("rbd_mirror_image_get_mode")
    def mirror_image_get_mode(self) -> int:
        """How the image is mirrored, RBD_MIRROR_IMAGE_MODE_*.

        Without meaning if it is not mirrored; InvalidArgument then from Ceph 20 on.

        Raises InvalidArgument, Error. Implements: rbd_mirror_image_get_mode
        """
        mode = ffi.new("rbd_mirror_image_mode_t *")
        self._mirrored(lib.rbd_mirror_image_get_mode(self._gate, mode), "mirror_image_get_mode")
        return int(mode[0])

    def mirror_image_get_status(self) -> dict[str, Any]:
        """What the rbd-mirror daemons say of the image.

        Returns a dict: name, id, info (that of mirror_image_get_info), the status at this site:
        state (MIRROR_IMAGE_STATUS_STATE_*), description, last_update (a datetime in UTC), up
        (whether an rbd-mirror is at work), and remote_statuses: a list of dicts with the status
        at each other site: mirror_uuid, state, description, last_update, up. Ceph 14 knows of no
        other sites.

        Raises Error. Implements: rbd_mirror_image_get_global_status,
        rbd_mirror_image_global_status_cleanup, rbd_mirror_image_get_status
        """
        image_id = self.id()
        status = _status()
        if has("rbd_mirror_image_get_global_status"):
            result = lib.rbd_mirror_image_get_global_status(
                self._gate, status, ffi.sizeof("rbd_mirror_image_global_status_t")
            )
        else:
            result = lib.rbd_mirror_image_get_status(
                self._gate, status, ffi.sizeof("rbd_mirror_image_status_t")
            )
        self._done(result, "mirror_image_get_status")
        try:
            return status_of(status, image_id, with_primary=True)
        finally:
            ffi.release(status)

    def mirror_image_get_instance_id(self) -> str:
        """The instance id of the rbd-mirror that replicates the image to this site.

        Raises ImageNotFound (there is none), InvalidArgument (not mirrored), Error.
        Implements: rbd_mirror_image_get_instance_id
        """
        size = ffi.new("size_t *")
        buffer: Any = NULL

        def attempt(length: int) -> tuple[int, int]:
            nonlocal buffer
            buffer = ffi.new("char[]", length)
            size[0] = length
            return lib.rbd_mirror_image_get_instance_id(self._gate, buffer, size), size[0]

        self._mirrored(grow(attempt, 64), "mirror_image_get_instance_id")
        return string(buffer)

    # -- with callbacks ------------------------------------------------------------------------

    def aio_mirror_image_promote(
        self, force: bool, oncomplete: Callable[[Completion], Any]
    ) -> Completion:
        """Starts mirror_image_promote, in a thread.

        Raises InvalidArgument (the image is closed), TypeError.
        """
        return self._start_in_thread(
            f"aio_mirror_image_promote({bool(force)})",
            oncomplete,
            lambda: int(lib.rbd_mirror_image_promote(self._gate, bool(force))),
        )

    def aio_mirror_image_demote(self, oncomplete: Callable[[Completion], Any]) -> Completion:
        """Starts mirror_image_demote, in a thread.

        Raises InvalidArgument (the image is closed), TypeError.
        """
        return self._start_in_thread(
            "aio_mirror_image_demote",
            oncomplete,
            lambda: int(lib.rbd_mirror_image_demote(self._gate)),
        )

    @needs("rbd_aio_mirror_image_create_snapshot")
    def aio_mirror_image_create_snapshot(
        self, flags: int, oncomplete: Callable[[Completion, int | None], Any]
    ) -> Completion:
        """Starts mirror_image_create_snapshot; `oncomplete(completion, snap_id)`, snap_id is None
        after an error.

        Raises InvalidArgument, TypeError, OverflowError.
        Implements: rbd_aio_mirror_image_create_snapshot
        """
        what = f"aio_mirror_image_create_snapshot({flags!r})"
        flags = number(flags, f"{self._calling(what)}: flags", 0, _UINT32)
        snap_id = ffi.new("uint64_t *")
        return self._start(
            what,
            oncomplete,
            lambda value: (int(snap_id[0]) if value >= 0 else None,),
            lib.rbdcffi_aio_mirror_image_create_snapshot,
            flags,
            snap_id,
            keep=snap_id,
        )

    def aio_mirror_image_get_info(
        self, oncomplete: Callable[[Completion, dict[str, Any] | None], Any]
    ) -> Completion:
        """Starts mirror_image_get_info; `oncomplete(completion, info)`, info is None after an
        error.

        Raises TypeError. Implements: rbd_aio_mirror_image_get_info
        """
        info = _info()
        return self._start(
            "aio_mirror_image_get_info",
            oncomplete,
            lambda value: (info_of(info) if value >= 0 else None,),
            lib.rbdcffi_aio_mirror_image_get_info,
            info,
            keep=info,
        )

    @needs("rbd_aio_mirror_image_get_mode")
    def aio_mirror_image_get_mode(
        self, oncomplete: Callable[[Completion, int | None], Any]
    ) -> Completion:
        """Starts mirror_image_get_mode; `oncomplete(completion, mode)`, mode is None after an
        error.

        Raises TypeError. Implements: rbd_aio_mirror_image_get_mode
        """
        mode = ffi.new("rbd_mirror_image_mode_t *")
        return self._start(
            "aio_mirror_image_get_mode",
            oncomplete,
            lambda value: (int(mode[0]) if value >= 0 else None,),
            lib.rbdcffi_aio_mirror_image_get_mode,
            mode,
            keep=mode,
        )

    def aio_mirror_image_get_status(
        self, oncomplete: Callable[[Completion, dict[str, Any] | None], Any]
    ) -> Completion:
        """Starts mirror_image_get_status; `oncomplete(completion, status)`, status is None after
        an error.

        Raises Error, TypeError.
        Implements: rbd_aio_mirror_image_get_global_status, rbd_aio_mirror_image_get_status
        """
        image_id = self.id()
        status = _status()
        submit = (
            lib.rbdcffi_aio_mirror_image_get_global_status
            if has("rbd_aio_mirror_image_get_global_status")
            else lib.rbdcffi_aio_mirror_image_get_status
        )
        return self._start(
            "aio_mirror_image_get_status",
            oncomplete,
            lambda value: (status_of(status, image_id, True) if value >= 0 else None,),
            submit,
            status,
            keep=status,
        )
