"""The documented exceptions of `rbd`. Those that stand for an errno are builtin OSErrors too."""

from __future__ import annotations

import builtins

from rbdcffi._calls import named
from rbdcffi._errors import (
    EBUSY,
    EINVAL,
    RBD_ERRORS,
    RBD_GROUP_ERRORS,
    REASONS,
    REFUSALS,
    CephError,
    ErrorTable,
)
from rbdcffi._ffi import lib


class Error(CephError):
    """The base of all errors of librbd."""

    meaning = "RBD error"


class OSError(Error, builtins.OSError):
    """An error with an errno."""

    meaning = "RBD operation failed"


class PermissionError(OSError, builtins.PermissionError):
    meaning = "RBD permission error"


class ImageNotFound(OSError, builtins.FileNotFoundError):
    meaning = "RBD image not found"


class ObjectNotFound(OSError, builtins.FileNotFoundError):
    meaning = "RBD object not found"


class ImageExists(OSError, builtins.FileExistsError):
    meaning = "RBD image already exists"


class ObjectExists(OSError, builtins.FileExistsError):
    meaning = "RBD object already exists"


class IOError(OSError):
    meaning = "RBD I/O error"


class NoSpace(OSError):
    meaning = "RBD insufficient space available"


class IncompleteWriteError(OSError):
    """Only a part was written: the image ends within the range."""

    meaning = "RBD incomplete write"


class InvalidArgument(OSError):
    """An argument is not possible here, or the image is closed."""

    meaning = "RBD invalid argument"


class LogicError(OSError):
    meaning = "RBD logic error"


class ReadOnlyImage(OSError):
    """The image was opened read-only, or at a snapshot."""

    meaning = "RBD read-only image"


class ImageBusy(OSError):
    """Somebody else uses or has locked the image or snapshot, or a snapshot is protected."""

    meaning = "RBD image is busy"


class ImageHasSnapshots(OSError):
    meaning = "RBD image has snapshots"


class ImageMemberOfGroup(OSError):
    meaning = "RBD image is member of group"


class FunctionNotSupported(OSError):
    meaning = "RBD function not supported"


class ArgumentOutOfRange(OSError):
    meaning = "RBD arguments out of range"


class ConnectionShutdown(OSError, builtins.ConnectionError):
    """The connection is gone; a client that was blocklisted gets this for every call."""

    meaning = "RBD connection was shutdown"


class Timeout(OSError, builtins.TimeoutError):
    meaning = "RBD operation timeout"


class DiskQuotaExceeded(OSError):
    meaning = "RBD disk quota exceeded"


class OperationNotSupported(OSError):
    meaning = "RBD operation not supported"


class OperationCanceled(OSError):
    meaning = "RBD operation canceled"


failed = ErrorTable(RBD_ERRORS, globals(), OSError).error
group_failed = ErrorTable(RBD_GROUP_ERRORS, globals(), OSError).error


def invalid(message: str) -> InvalidArgument:
    """An argument that C is not even asked about."""
    return InvalidArgument(named(message), EINVAL)


def _refused_image(reason: int, what: str) -> Error:
    if reason in (lib.RBDCFFI_BUSY, lib.RBDCFFI_UNWRITTEN):
        return ImageBusy(what, EBUSY)
    return invalid(what.replace(REASONS[lib.RBDCFFI_CLOSED], "image is closed"))


REFUSALS[lib.RBDCFFI_IMAGE] = _refused_image
