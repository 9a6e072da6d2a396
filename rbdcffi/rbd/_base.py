"""What the topics of Image share."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any, Callable

from rbdcffi._buffers import c_string
from rbdcffi._calls import Calling, calling, named
from rbdcffi._errors import CephError, refusal
from rbdcffi._ffi import NULL, ffi, lib
from rbdcffi._handle import Handle, NotCopyable
from rbdcffi._waiting import interruptible
from rbdcffi.rados.ioctx import Ioctx
from rbdcffi.rbd.errors import failed, invalid


def gate_of(ioctx: Ioctx, what: str = "ioctx") -> Any:
    """The gate of an I/O context of this package; a clear error for anything else."""
    if not isinstance(ioctx, Ioctx):
        raise TypeError(
            named(
                f"{what} must be an rbdcffi.rados.Ioctx, "
                f"not {type(ioctx).__module__}.{type(ioctx).__name__}"
            )
        )
    if ioctx._handle is None:
        raise refusal(lib.RBDCFFI_IOCTX, lib.RBDCFFI_NEVER_OPENED, f"{calling()}: {what}")
    return ioctx._gate


def check_image(image: object) -> None:
    """Raises TypeError unless an argument is an image of this package."""
    if not isinstance(image, ImageBase):
        raise TypeError(named(f"image must be an rbdcffi.rbd.Image, not {type(image).__name__}"))


def name_of(value: object, call: str, what: str = "name") -> Any:
    """The name of an image or snapshot as C takes it; errors name the call."""
    return c_string(value, what, lambda reason: invalid(f"{call}: {reason}"))


def pool_of(ioctx: object) -> str:
    """An I/O context's pool (and namespace) in messages."""
    return repr(ioctx._label) if isinstance(ioctx, Ioctx) else repr(ioctx)


def moment(seconds: int) -> datetime:
    """A point in time as the standard binding returns it: aware, in UTC, whole seconds."""
    return datetime.fromtimestamp(seconds, timezone.utc)


class ImageBase(Calling, NotCopyable):
    """The open image: its gate, its label for messages, its errors."""

    _gate: Any = NULL
    _handle: Handle | None = None
    #: pool/namespace/image@snapshot
    _label = ""
    #: whether it was opened without the right to write, and without a watch
    _read_only = False
    #: counts the calls on this object that may have changed what size() returns
    _resized = 0

    def _calling(self, call: str, arguments: Mapping[str, Any] | None = None) -> str:
        # without a label it was never opened
        return f"Image.{call} of {self._label!r}" if self._label else f"Image.{call}"

    def _handle_for(self, call: str) -> Handle:
        if self._handle is None:
            raise refusal(lib.RBDCFFI_IMAGE, lib.RBDCFFI_NEVER_OPENED, self._calling(call))
        return self._handle

    def _leavable(self, function: Callable[..., int], *arguments: Any) -> int:
        """Calls a C function that may take long; Ctrl-C in the main thread leaves it."""
        return interruptible(lambda: function(*arguments), self._handle)

    def _failed(self, result: int, call: str) -> CephError:
        return failed(result, self._calling(call))

    def _done(self, result: int, call: str) -> None:
        if result < 0:
            raise self._failed(result, call)

    def _bad(self, error: Exception, call: str) -> Exception:
        """cffi's complaint about an argument, with the call and the image in front."""
        text = str(error)
        return error if text.startswith("Image.") else type(error)(f"{self._calling(call)}: {text}")

    def _number(self, value: int, call: str, function: Any) -> int:
        """The error of a negative value, or the number that is too large to be told from one."""
        if value != lib.RBDCFFI_HUGE:
            raise self._failed(value, call)
        number = ffi.new("uint64_t *")
        self._done(function(self._gate, number), call)
        return int(number[0])

    def _name(self, value: object, call: str, what: str = "name") -> Any:
        """The name of something as C takes it; errors name the call and the image."""
        return c_string(value, what, lambda reason: invalid(f"{self._calling(call)}: {reason}"))
