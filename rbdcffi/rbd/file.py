"""An image as a file."""

from __future__ import annotations

import errno
import io
import os
from typing import TYPE_CHECKING, Any

from rbdcffi._buffers import INT, INT64, number, view_of, writable
from rbdcffi._calls import Calling, calling, named
from rbdcffi._errors import refusal
from rbdcffi._ffi import lib
from rbdcffi.rbd._base import ImageBase
from rbdcffi.rbd.errors import NoSpace

if TYPE_CHECKING:
    from rbdcffi.rbd.image import Image

MODES = {"r": (True, False), "w": (False, True), "r+": (True, True)}


class ImageFile(Calling, io.RawIOBase):
    """A raw binary file on an open image; see Image.open_file.

    Unlike the image itself it behaves as files do at the end: reads return less or nothing, and
    writes write what fits, then fail with NoSpace, as on a block device. truncate() resizes.
    """

    # for one whose constructor did not run
    _image: Image = None  # type: ignore[assignment]
    _position = 0
    _reads = _writes = False
    mode = ""

    def __init__(self, image: Image, mode: str = "r") -> None:
        # before anything can fail: the base class's finalizer calls close()
        self._image = image
        self._position = 0
        self._writes = False
        if not isinstance(image, ImageBase):
            raise TypeError(
                named(f"image must be an rbdcffi.rbd.Image, not {type(image).__name__}")
            )
        if not isinstance(mode, str):
            raise TypeError(named(f"mode must be a string, not {type(mode).__name__}"))
        plain = mode.replace("b", "", 1)
        if plain not in MODES:
            raise ValueError(named(f"mode must be 'r', 'w' or 'r+' (and 'b'), not {mode!r}"))
        image.require_not_closed()
        self._reads, self._writes = MODES[plain]
        self.mode = f"{plain[0]}b{plain[1:]}"
        self.name = image.name

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._image!s} mode={self.mode!r}>"

    def readable(self) -> bool:
        """Whether the mode allows to read."""
        self._check()
        return self._reads

    def writable(self) -> bool:
        """Whether the mode allows to write."""
        self._check()
        return self._writes

    def seekable(self) -> bool:
        """True."""
        self._check()
        return True

    def _check(self, need: str = "") -> None:
        if self._image is None:
            raise refusal(lib.RBDCFFI_IMAGE, lib.RBDCFFI_NEVER_OPENED, calling())
        if self.closed:
            raise ValueError("I/O operation on closed file")
        if (need == "read" and not self._reads) or (need == "write" and not self._writes):
            raise io.UnsupportedOperation(f"{need} of {self._image!s} in mode {self.mode!r}")

    def readinto(self, buffer: Any) -> int:
        """Reads at the position, at most as much as the buffer holds; 0 at the end."""
        self._check("read")
        view = writable(buffer, "buffer")
        count = min(view.nbytes, self._image.size() - self._position)
        if count <= 0:
            return 0
        done = self._image.readinto(self._position, view[:count])
        self._position += done
        return done

    def read(self, size: int | None = -1) -> bytes:
        """Reads at the position: `size` bytes, or all that is left; b'' at the end."""
        self._check("read")
        size = -1 if size is None else number(size, "size", *INT64)
        left = max(0, self._image.size() - self._position)
        count = left if size < 0 else min(size, left)
        if count == 0:
            return b""
        data = self._image.read(self._position, count)
        self._position += len(data)
        return data

    def readall(self) -> bytes:
        """Reads all that is left."""
        return self.read(-1)

    def write(self, data: Any) -> int:
        """Writes at the position as much as fits; returns how much. NoSpace at the end."""
        self._check("write")
        view = view_of(data, "data")
        left = self._image.size() - self._position
        if left <= 0 < view.nbytes:
            raise NoSpace(
                f"write to {self._image!s} at {self._position}: the image ends there", errno.ENOSPC
            )
        if view.nbytes > left:
            data = view.cast("B")[:left]
        done = self._image.write(data, self._position)
        self._position += done
        return done

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Moves the position, which may be behind the end; returns it."""
        self._check()
        offset, whence = number(offset, "offset", *INT64), number(whence, "whence", *INT)
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position}
        if whence == os.SEEK_END:
            base[whence] = self._image.size()
        if whence not in base:
            raise ValueError(named(f"whence must be 0, 1 or 2, not {whence!r}"))
        position = base[whence] + offset
        if position < 0:
            raise ValueError(named(f"negative seek position {position}"))
        self._position = position
        return position

    def tell(self) -> int:
        """The position."""
        self._check()
        return self._position

    def truncate(self, size: int | None = None) -> int:
        """Resizes the image, to the position if no size is given; returns the new size."""
        self._check("write")
        size = self._position if size is None else number(size, "size")
        self._image.resize(size)
        return size

    def flush(self) -> None:
        """Waits until what was written is safe."""
        if self._image is None:
            return  # the base class's finalizer calls this
        self._check()
        if self._writes and not self._image.closed:
            self._image.flush()
