"""The open image."""

from __future__ import annotations

from typing import Any

from rbdcffi._buffers import decode, integer, number
from rbdcffi._calls import calling
from rbdcffi._ffi import NULL, ffi, lib
from rbdcffi._handle import Handle, stay
from rbdcffi._waiting import close, interruptible
from rbdcffi.rados.ioctx import Ioctx
from rbdcffi.rbd._base import gate_of, name_of
from rbdcffi.rbd.clones import Clones
from rbdcffi.rbd.completions import CallbackIO, Completion
from rbdcffi.rbd.config import ImageConfig
from rbdcffi.rbd.diff import Diff
from rbdcffi.rbd.encryption import Encryption
from rbdcffi.rbd.errors import failed, invalid
from rbdcffi.rbd.family import Family
from rbdcffi.rbd.file import ImageFile
from rbdcffi.rbd.image_mirroring import ImageMirroring
from rbdcffi.rbd.info import ImageInfo
from rbdcffi.rbd.io import ImageIO
from rbdcffi.rbd.locks import Locks
from rbdcffi.rbd.metadata import Metadata
from rbdcffi.rbd.migration import MigrationSource
from rbdcffi.rbd.opening import open_in_background
from rbdcffi.rbd.snap_info import SnapInfo
from rbdcffi.rbd.snapshots import Snapshots
from rbdcffi.rbd.watching import Watching


class Image(
    ImageMirroring,
    ImageInfo,
    CallbackIO,
    ImageIO,
    Snapshots,
    SnapInfo,
    Family,
    Clones,
    Metadata,
    MigrationSource,
    Encryption,
    Locks,
    Watching,
    Diff,
    ImageConfig,
):
    """An RBD image: file-like I/O, snapshots, clones, locks, diffs. Closed by close() or ``with``.

    Parameters:
        ioctx: where the image is.
        name: name of the image; or give `image_id`.
        snapshot: name (or id) of a snapshot to select; the image is read-only then.
        read_only: opens without the right to write, and without a watch on the image.
        image_id: the internal id, instead of the name.

    One image may be used by any number of threads. close() waits for calls that are running. What
    librbd cannot do side by side takes turns: resize, rollback_to_snap, making, removing and
    protecting snapshots, those for mirroring, sparsify, rebuild_object_map. They raise ImageBusy
    when the others take more than 300 s, and InvalidArgument in a callback of one of the others.

    Ctrl-C gets through while the main thread waits for a hanging cluster here, and in the calls
    that may take long (not in reads and writes: see op_timeout of Rados). Such a call goes on
    without its caller, and the image is closed when it has returned.

    Raises ImageNotFound (no such image or snapshot), InvalidArgument (neither or both of name and
    image_id), TypeError.
    Implements: rbd_open, rbd_open_read_only, rbd_open_by_id, rbd_open_by_id_read_only
    """

    #: of an image that RBD.aio_open_image makes
    _opening: Completion | None = None

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
        snap_id = integer(snapshot)
        if snap_id is not None:
            snap_id = number(snap_id, f"{what}: snapshot")
        snap = (
            NULL if snapshot is None or snap_id is not None else name_of(snapshot, what, "snapshot")
        )
        label = f"{ioctx._label}/{target.decode('utf-8', 'backslashreplace')}"
        if snapshot is not None:
            label += f"@{snap_id if snap == NULL else snap.decode('utf-8', 'backslashreplace')}"

        by = "" if image_id is None else ", by its id"

        self.ioctx = ioctx
        self._label = label
        self._read_only = bool(read_only)
        self.name = "" if name is None else decode(target)
        if _oncomplete is not None:
            self._opening = open_in_background(
                self, _oncomplete, target, snap, snap_id, name is None, bool(read_only)
            )
            return

        def opener() -> Any:
            raw = ffi.new("rbd_image_t *")
            result = function(gate, target, raw, snap)
            if result < 0:
                raise failed(result, f"open image {label!r}{by}")
            return raw[0]

        cluster, pool = ioctx._cluster, ioctx._handle
        assert pool is not None

        def opened() -> Handle:
            # the I/O context is asked twice
            with stay() as staying:
                pool.hold(staying, f"open image {label!r}")
                if not read_only:
                    cluster.wait_for_ghosts(f"image {label!r}")
                handle = cluster.open_child(
                    lib.RBDCFFI_IMAGE, f"image {label!r}", opener, lib.rbdcffi_close_image, self
                )
                if read_only:
                    lib.rbdcffi_close_quietly(handle.gate, gate)
                return handle

        handle = interruptible(opened, ioctx._handle, discard=Handle.close)
        self._opened(handle)
        if snap_id is not None:
            result = lib.rbd_snap_set_by_id(self._gate, snap_id)
            if result < 0:
                handle.close()
                raise failed(result, f"open image {label!r}")

    def _opened(self, handle: Handle) -> None:
        self._handle = handle
        self._gate = handle.gate
        if not self.name:
            self.name = self.get_name()

    def __repr__(self) -> str:
        state = "closed" if self.closed else "open"
        if self._handle is None:
            state = "never opened"
        return f"<{type(self).__name__} {self._label or '?'} {state}>"

    def __str__(self) -> str:
        return self._label

    @property
    def closed(self) -> bool:
        """Whether the image is closed."""
        return self._handle is None or self._handle.closed

    def require_not_closed(self) -> None:
        """Raises InvalidArgument if the image is closed."""
        self._handle_for("require_not_closed").check(calling())

    def close(self) -> None:
        """Closes the image: bars new calls, waits for running ones, writes back what is cached.

        Idempotent, from any thread. If Ctrl-C ends the wait of the main thread, closing goes on in
        the background.

        Raises what flush() raises (Timeout, ConnectionShutdown, ...) if something that was written
        and not flushed could not be written back; the image is closed nevertheless, and that is
        raised once. If librbd keeps what it could not write (its write-back cache does, with
        `op_timeout` on a cluster that does not answer), it tries again in the background, and has
        the image open until it succeeds or the process ends. Implements: rbd_close, rbd_flush
        """
        if self._handle is not None:
            result = close(self._handle)
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
