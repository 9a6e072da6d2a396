"""The documented exceptions of `rados`. Those that stand for an errno are builtin OSErrors too."""

from __future__ import annotations

import builtins

from rbdcffi._calls import named
from rbdcffi._errors import EINVAL, RADOS_ERRORS, REASONS, REFUSALS, CephError, ErrorTable
from rbdcffi._ffi import lib


class Error(CephError):
    """The base of all errors of librados."""

    meaning = "RADOS error"


class OSError(Error, builtins.OSError):
    """An error with an errno."""

    meaning = "RADOS operation failed"


class InvalidArgumentError(Error):
    meaning = "RADOS invalid argument"


class ExtendMismatch(Error):
    """The object's content is not what was expected; `offset` is the first byte that differs."""

    meaning = "RADOS comparison failed"

    def __init__(self, message: object = "", errno: int | None = None, offset: int = 0) -> None:
        super().__init__(message, errno)
        self.offset = offset


class InterruptedOrTimeoutError(OSError):
    meaning = "RADOS interrupted or timed out"


class PermissionError(OSError, builtins.PermissionError):
    meaning = "RADOS operation not permitted"


class PermissionDeniedError(OSError, builtins.PermissionError):
    meaning = "RADOS permission denied"


class ObjectNotFound(OSError, builtins.FileNotFoundError):
    meaning = "RADOS object not found"


class NoData(OSError):
    meaning = "RADOS no data"


class ObjectExists(OSError, builtins.FileExistsError):
    meaning = "RADOS object exists"


class ObjectBusy(OSError):
    meaning = "RADOS object is busy"


class IOError(OSError):
    meaning = "RADOS I/O error"


class NoSpace(OSError):
    meaning = "RADOS no space left"


class NotConnected(OSError):
    meaning = "RADOS not connected"


class RadosStateError(Error):
    """The cluster handle is not in the state that the call needs."""

    meaning = "RADOS cluster handle in the wrong state"


class IoctxStateError(Error):
    """The I/O context is closed."""

    meaning = "RADOS I/O context in the wrong state"


class ObjectStateError(Error):
    """The object was removed."""

    meaning = "RADOS object in the wrong state"


class LogicError(Error):
    meaning = "RADOS logic error"


class TimedOut(OSError, builtins.TimeoutError):
    meaning = "RADOS timed out"


class InProgress(Error):
    meaning = "RADOS operation in progress"


class IsConnected(Error):
    meaning = "RADOS already connected"


class ConnectionShutdown(OSError, builtins.ConnectionError):
    """The connection is gone; a client that was blocklisted gets this for every call."""

    meaning = "RADOS connection was shut down"


_table = ErrorTable(RADOS_ERRORS, globals(), OSError)
failed = _table.error


def invalid(message: str) -> InvalidArgumentError:
    """An argument that C is not even asked about."""
    return InvalidArgumentError(named(message), EINVAL)


def wrong_type(message: str) -> TypeError:  # what the standard module raises for names
    return TypeError(named(message))


def _refused_cluster(reason: int, what: str) -> Error:
    if reason == lib.RBDCFFI_CLOSED:
        what = what.replace(REASONS[reason], "the cluster handle is shut down")
    return RadosStateError(what)


def _refused_ioctx(reason: int, what: str) -> Error:
    if reason == lib.RBDCFFI_CLOSED:
        what = what.replace(REASONS[reason], "the pool is closed")
    return IoctxStateError(what)


REFUSALS[0] = lambda reason, what: LogicError(what)
REFUSALS[lib.RBDCFFI_CLUSTER] = _refused_cluster
REFUSALS[lib.RBDCFFI_IOCTX] = _refused_ioctx
