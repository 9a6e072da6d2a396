"""What the topics of Image share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rbdcffi._buffers import c_string
from rbdcffi._errors import CephError
from rbdcffi._ffi import NULL, ffi, lib
from rbdcffi._handle import NotCopyable
from rbdcffi.rados.ioctx import Ioctx
from rbdcffi.rbd.errors import failed, invalid

if TYPE_CHECKING:
    from rbdcffi._handle import Handle


def gate_of(ioctx: Ioctx, what: str = "ioctx") -> Any:
    """The gate of an I/O context of this package; a clear error for anything else."""
    if not isinstance(ioctx, Ioctx):
        raise TypeError(
            f"{what} must be an rbdcffi.rados.Ioctx, "
            f"not {type(ioctx).__module__}.{type(ioctx).__name__}"
        )
    return ioctx._gate


def name_of(value: object, call: str, what: str = "name") -> Any:
    """The name of an image or snapshot as C takes it; errors name the call."""
    return c_string(value, what, lambda reason: invalid(f"{call}: {reason}"))


class ImageBase(NotCopyable):
    """The open image: its gate, its label for messages, its errors."""

    _gate: Any = NULL
    _handle: Handle | None = None
    #: pool/namespace/image@snapshot
    _label = ""

    def _failed(self, result: int, call: str) -> CephError:
        return failed(result, f"Image.{call} of {self._label!r}")

    def _done(self, result: int, call: str) -> None:
        if result < 0:
            raise self._failed(result, call)

    def _bad(self, error: Exception, call: str) -> Exception:
        """cffi's complaint about an argument, with the call and the image in front."""
        return type(error)(f"Image.{call} of {self._label!r}: {error}")

    def _number(self, value: int, call: str, function: Any) -> int:
        """The error of a negative value, or the number that is too large to be told from one."""
        if value != lib.RBDCFFI_HUGE:
            raise self._failed(value, call)
        number = ffi.new("uint64_t *")
        self._done(function(self._gate, number), call)
        return int(number[0])

    def _name(self, value: object, call: str, what: str = "name") -> Any:
        """The name of something as C takes it; errors name the call and the image."""
        return c_string(
            value, what, lambda reason: invalid(f"Image.{call} of {self._label!r}: {reason}")
        )
