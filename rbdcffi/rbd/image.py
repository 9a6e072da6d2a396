"""The open image."""

from __future__ import annotations

from typing import Any

from rbdcffi._buffers import decode
from rbdcffi._ffi import NULL, ffi, lib
from rbdcffi._handle import Handle
from rbdcffi._waiting import interruptible
from rbdcffi.rados.ioctx import Ioctx
from rbdcffi.rbd._base import gate_of, name_of
from rbdcffi.rbd.clones import Clones
from rbdcffi.rbd.completions import CallbackIO
from rbdcffi.rbd.diff import Diff
from rbdcffi.rbd.errors import failed, invalid
from rbdcffi.rbd.file import ImageFile
from rbdcffi.rbd.info import ImageInfo
from rbdcffi.rbd.io import ImageIO
from rbdcffi.rbd.locks import Locks
from rbdcffi.rbd.snapshots import Snapshots


class Image(ImageInfo, ImageIO, CallbackIO, Snapshots, Clones, Locks, Diff):
    """An RBD image: file-like I/O, snapshots, clones, locks, diffs. Closed by close() or ``with``.

    Parameters:
        ioctx: where the image is.
        name: name of the image; or give `image_id`.
        snapshot: name (or id) of a snapshot to select; the image is read-only then.
        read_only: opens without the right to write, and without a watch on the image.
        image_id: the internal id, instead of the name.

    One image may be used by any number of threads. close() waits for calls that are running.

    Ctrl-C gets through while the main thread waits for a hanging cluster here.

    Raises ImageNotFound (no such image or snapshot), InvalidArgument (neither or both of name and
    image_id), TypeError.
    Implements: rbd_open, rbd_open_read_only, rbd_open_by_id, rbd_open_by_id_read_only
    """

    def __init__(
        self,
        ioctx: Ioctx,
        name: str | bytes | None = None,
        snapshot: str | bytes | int | None = None,
        read_only: bool = False,
        image_id: str | bytes | None = None,
        _oncomplete: Any = None,
    ) -> None:
        gate = gate_of(ioctx)
        what = f"Image({name!r}) in pool {ioctx._label!r}"
        if name is None and image_id is None:
            raise invalid("Image(): give a name or an image_id")
        if name is not None and image_id is not None:
            raise invalid("Image(): give a name or an image_id, not both")
        if name is not None:
            target = name_of(name, what)
            function = lib.rbd_open_read_only if read_only else lib.rbd_open
        else:
            target = name_of(image_id, what, "image_id")
            function = lib.rbd_open_by_id_read_only if read_only else lib.rbd_open_by_id
        snap_id = snapshot if isinstance(snapshot, int) else None
        snap = (
            NULL if snapshot is None or snap_id is not None else name_of(snapshot, what, "snapshot")
        )
        label = f"{ioctx._label}/{target.decode('utf-8', 'backslashreplace')}"
        if snapshot is not None:
            label += f"@{snap_id if snap == NULL else snap.decode('utf-8', 'backslashreplace')}"

        def opener() -> Any:
            raw = ffi.new("rbd_image_t *")
            result = function(gate, target, raw, snap)
            if result < 0:
                raise failed(result, f"open image {label!r}")
            return raw[0]

        cluster = ioctx._cluster
        handle = interruptible(
            lambda: cluster.open_child(
                lib.RBDCFFI_IMAGE, f"image {label!r}", opener, lib.rbd_close
            ),
            cluster,
            discard=Handle.close,
        )
        self._handle = handle
        self._gate = handle.gate
        self._label = label
        self.ioctx = ioctx
        self.name: str = decode(target) if name is not None else self.get_name()
        if snap_id is not None:
            result = lib.rbd_snap_set_by_id(self._gate, snap_id)
            if result < 0:
                handle.close()
                raise failed(result, f"open image {label!r}")

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._label} {'closed' if self.closed else 'open'}>"

    def __str__(self) -> str:
        return self._label

    @property
    def closed(self) -> bool:
        """Whether the image is closed."""
        return self._handle is None or self._handle.closed

    def require_not_closed(self) -> None:
        """Raises InvalidArgument if the image is closed."""
        if self._handle is None:
            raise invalid("image is closed")
        self._handle.check("use")

    def close(self) -> None:
        """Closes the image: bars new calls, waits for running ones, writes back what is cached.

        Idempotent, from any thread. Implements: rbd_close
        """
        if self._handle is not None:
            result = self._handle.close()
            if result < 0:
                raise self._failed(result, "close")

    def open_file(self, mode: str = "r") -> ImageFile:
        """The image as a file: unbuffered, binary, with a position. Wrap it in io.BufferedReader
        or io.BufferedRandom for small reads and writes. Closing it flushes; the image stays open.

        Parameters:
            mode: 'r' reads, 'w' writes (and does not truncate), 'r+' does both; 'b' may be added.

        Implements: rbd_read2, rbd_write2, rbd_resize2, rbd_flush
        """
        return ImageFile(self, mode)

    def __enter__(self) -> Image:
        return self

    def __exit__(self, exc_type: object, *exc_info: object) -> None:
        try:
            self.close()
        except Exception:
            # the error of the body is the one to know
            if exc_type is None:
                raise

    def __del__(self, abandon: Any = Handle.abandon) -> None:
        if self._handle is not None:
            abandon(self._handle, "Image")
