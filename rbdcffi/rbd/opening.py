"""Opening images in the background, told by a callback."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable

from rbdcffi._completions import check_callback, the_dispatcher
from rbdcffi._errors import EIO, ESHUTDOWN
from rbdcffi._ffi import NULL, lib
from rbdcffi._handle import Handle, stay
from rbdcffi.rbd.completions import Completion
from rbdcffi.rbd.errors import Error, failed

if TYPE_CHECKING:
    from rbdcffi.rbd.image import Image


class _Opening(Completion):
    """An image that is being opened. Its handle is there from the start, known to the cluster,
    which waits for it before it closes; the user's image gets it when it is open."""

    def __init__(
        self,
        oncomplete: Callable[[Completion, Image], Any],
        image: Image,
        handle: Handle,
        snap_id: int | None,
    ) -> None:
        super().__init__(oncomplete, lambda value: (image,))
        self._image: Image | None = image
        self._handle = handle
        self._snap_id = snap_id

    def _finished(self, value: int) -> None:
        image, self._image = self._image, None  # it may refer to this object
        assert image is not None
        if value >= 0 and self._snap_id is not None:
            value = lib.rbd_snap_set_by_id(self._handle.gate, self._snap_id)
            if value <= lib.RBDCFFI_REFUSED:
                value = -ESHUTDOWN  # the cluster is being closed
        if value >= 0:
            try:
                image._opened(self._handle)
            except Error as error:
                value = -(error.errno or EIO)
        if value < 0:
            self._handle.close()
        super()._finished(value)


def open_in_background(
    image: Image,
    oncomplete: Callable[[Completion, Image], Any],
    target: bytes,
    snap: Any,
    snap_id: int | None,
    by_id: bool,
    read_only: bool,
) -> Completion:
    """Starts to open; `image` is as good as closed until it is open."""
    what = f"open image {image._label!r}"
    check_callback(oncomplete, what, optional=False)
    cluster = image.ioctx._cluster
    label = f"image {image._label!r}"
    with stay() as staying:
        cluster.hold(staying, what)
        if not read_only:
            cluster.wait_for_ghosts(label, patience=0)
        handle = Handle(lib.RBDCFFI_IMAGE, NULL, label, lib.rbdcffi_close_image, cluster)
        cluster.adopt(handle)
        if read_only:
            started = lib.rbdcffi_close_quietly(handle.gate, image.ioctx._gate)
            if started < 0:
                handle.close()
                raise failed(started, what)
        completion = _Opening(oncomplete, image, handle, snap_id)
        try:
            started = the_dispatcher().submit(
                completion,
                lib.rbdcffi_aio_open,
                handle.gate,
                image.ioctx._gate,
                target,
                snap,
                by_id,
                read_only,
                keep=None,
            )
        except BaseException:
            handle.close()
            raise
    if started < 0:
        handle.close()
        raise failed(started, what)
    return completion
