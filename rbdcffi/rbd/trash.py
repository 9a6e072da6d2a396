"""Images that were moved to the trash."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

from rbdcffi._buffers import number, string
from rbdcffi._callbacks import Progress
from rbdcffi._calls import Calling
from rbdcffi._errors import ERANGE
from rbdcffi._ffi import ffi, lib
from rbdcffi._handle import reap
from rbdcffi.rados.ioctx import Ioctx
from rbdcffi.rbd._base import gate_of, name_of, pool_of
from rbdcffi.rbd.errors import failed, invalid

_SOURCES = {
    lib.RBD_TRASH_IMAGE_SOURCE_USER: "USER",
    lib.RBD_TRASH_IMAGE_SOURCE_MIRRORING: "MIRRORING",
    lib.RBD_TRASH_IMAGE_SOURCE_MIGRATION: "MIGRATION",
    lib.RBD_TRASH_IMAGE_SOURCE_REMOVING: "REMOVING",
    lib.RBD_TRASH_IMAGE_SOURCE_USER_PARENT: "USER_PARENT",
}

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def _entry(info: Any) -> dict[str, Any]:
    return {
        "id": string(info.id),
        "name": string(info.name),
        "source": _SOURCES.get(info.source, "UNKNOWN"),
        "deletion_time": _EPOCH + timedelta(seconds=info.deletion_time),
        "deferment_end_time": _EPOCH + timedelta(seconds=info.deferment_end_time),
    }


class TrashIterator(Calling):
    """The images in the trash, as they were when it was made; can be iterated over repeatedly.

    Yields dicts: id, name, source ('USER', 'USER_PARENT', 'MIRRORING', 'MIGRATION' or 'REMOVING':
    who moved it there), deletion_time, deferment_end_time (datetimes in UTC).

    Implements: rbd_trash_list, rbd_trash_list_cleanup
    """

    def __init__(self, ioctx: Ioctx) -> None:
        gate = gate_of(ioctx)
        count = ffi.new("size_t *", 32)
        while True:
            infos = ffi.new("rbd_trash_image_info_t[]", count[0])
            result = lib.rbd_trash_list(gate, infos, count)
            if result != -ERANGE:
                break
        if result < 0:
            raise failed(result, f"RBD.trash_list of pool {pool_of(ioctx)}")
        try:
            self._entries = [_entry(infos[i]) for i in range(count[0])]
        finally:
            lib.rbd_trash_list_cleanup(infos, count[0])

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter([dict(entry) for entry in self._entries])


class Trash:
    """The part of RBD that moves images to the trash, and out of it."""

    def trash_move(self, ioctx: Ioctx, name: str, delay: int = 0) -> None:
        """Moves an image to the trash. Its clones, and those who have it open, keep it.

        Parameters:
            delay: for how many seconds from now trash_remove and trash_purge spare it.

        Raises ImageNotFound, ImageBusy (Ceph 14: somebody has it open), ImageMemberOfGroup,
        TypeError, OverflowError. Implements: rbd_trash_move
        """
        what = f"RBD.trash_move({name!r}, {delay!r}) in pool {pool_of(ioctx)}"
        gate = gate_of(ioctx)
        delay = number(delay, f"{what}: delay")
        result = lib.rbd_trash_move(gate, name_of(name, what), delay)
        if result < 0:
            raise failed(result, what)

    def trash_purge(
        self,
        ioctx: Ioctx,
        expire_ts: datetime | None = None,
        threshold: float = -1,
        *,
        on_progress: Any = None,
    ) -> None:
        """Removes the images from the trash whose time is up. It goes on with the others when one
        cannot be removed (it is open, or has snapshots), and raises that error at the end (Ceph 14
        ends there).

        Parameters:
            expire_ts: images are removed that are spared until before this time (one without a
                time zone is local time); None: now.
            threshold: from 0 to 1; then images are removed, whatever `expire_ts` is, until the
                pool is less full than that. -1: no threshold. The manager must be running.
            on_progress: called with (done, total) images. librbd does not end a purge early,
                whatever it returns; what it raises is raised when the images are removed.

        Raises InvalidArgument, TypeError, ImageBusy, ImageHasSnapshots.
        Implements: rbd_trash_purge_with_progress
        """
        what = f"RBD.trash_purge({expire_ts!r}, {threshold!r}) in pool {pool_of(ioctx)}"
        gate = gate_of(ioctx)
        if expire_ts is None:
            expire_ts = datetime.now(timezone.utc)
        elif not isinstance(expire_ts, datetime):
            raise TypeError(f"{what}: expire_ts must be a datetime or None")
        reap()
        progress = Progress(on_progress, ioctx._handle)
        try:
            seconds = math.floor(expire_ts.timestamp())
        except (OverflowError, ValueError) as error:
            raise invalid(f"{what}: expire_ts: {error}") from None
        if not isinstance(threshold, (int, float)):
            kind = type(threshold).__name__
            raise TypeError(f"{what}: threshold must be a number, not {kind}")
        if threshold != threshold:
            raise invalid(f"{what}: threshold is not a number")  # it would remove everything
        result = progress.call(lib.rbd_trash_purge_with_progress, gate, seconds, threshold)
        if result < 0:
            raise failed(result, what)

    def trash_remove(
        self, ioctx: Ioctx, image_id: str, force: bool = False, on_progress: Any = None
    ) -> None:
        """Removes an image from the trash for good, object by object; it may take long.

        Parameters:
            image_id: the internal id; trash_list tells it.
            force: also before the time until which it is spared.
            on_progress: called with (done, total).

        Raises ImageNotFound, PermissionError (it is spared), ImageBusy (it is open somewhere),
        ImageHasSnapshots. Implements: rbd_trash_remove_with_progress
        """
        what = f"RBD.trash_remove({image_id!r}) in pool {pool_of(ioctx)}"
        gate = gate_of(ioctx)
        reap()
        progress = Progress(on_progress, ioctx._handle)
        result = progress.call(
            lib.rbd_trash_remove_with_progress,
            gate,
            name_of(image_id, what, "image_id"),
            bool(force),
        )
        if result < 0:
            raise failed(result, what)

    def trash_get(self, ioctx: Ioctx, image_id: str) -> dict[str, Any]:
        """Facts about an image in the trash.

        Returns a dict: id, name, source ('USER', 'USER_PARENT', 'MIRRORING', 'MIGRATION' or
        'REMOVING': who moved it there), deletion_time, deferment_end_time (datetimes in UTC).

        Raises ImageNotFound. Implements: rbd_trash_get, rbd_trash_get_cleanup
        """
        what = f"RBD.trash_get({image_id!r}) in pool {pool_of(ioctx)}"
        gate = gate_of(ioctx)
        info = ffi.new("rbd_trash_image_info_t *")
        result = lib.rbd_trash_get(gate, name_of(image_id, what, "image_id"), info)
        if result < 0:
            raise failed(result, what)
        try:
            return _entry(info)
        finally:
            lib.rbd_trash_get_cleanup(info)

    def trash_list(self, ioctx: Ioctx) -> TrashIterator:
        """The images in the trash of a pool (and namespace).

        Yields dicts: id, name, source, deletion_time, deferment_end_time; see TrashIterator.

        Raises Error. Implements: rbd_trash_list
        """
        return TrashIterator(ioctx)

    def trash_restore(self, ioctx: Ioctx, image_id: str, name: str) -> None:
        """Moves an image out of the trash.

        Parameters:
            image_id: the internal id; trash_list tells it.
            name: its name from now on; "" leaves it the one it had.

        Raises ImageNotFound, ImageExists. Implements: rbd_trash_restore
        """
        what = f"RBD.trash_restore({image_id!r}, {name!r}) in pool {pool_of(ioctx)}"
        gate = gate_of(ioctx)
        result = lib.rbd_trash_restore(
            gate, name_of(image_id, what, "image_id"), name_of(name, what)
        )
        if result < 0:
            raise failed(result, what)
