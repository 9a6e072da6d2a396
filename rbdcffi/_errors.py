"""Errors: the tables from errno to exception, and the one way from a C result to an exception.

Nothing else in the package knows an errno. ``rados.errors`` and ``rbd.errors`` hold the documented
classes; the tables here name them.
"""

from __future__ import annotations

import builtins
import errno as codes
import os
from typing import Any, Callable

from rbdcffi._ffi import lib

E2BIG = codes.E2BIG
EBUSY = codes.EBUSY
ECANCELED = codes.ECANCELED
EILSEQ = codes.EILSEQ
EINVAL = codes.EINVAL
EIO = codes.EIO
ERANGE = codes.ERANGE
EROFS = codes.EROFS
ENAMETOOLONG = codes.ENAMETOOLONG
ENOBUFS = codes.ENOBUFS
ENOENT = codes.ENOENT
EOPNOTSUPP = codes.EOPNOTSUPP
ESHUTDOWN = codes.ESHUTDOWN
ETIMEDOUT = codes.ETIMEDOUT

#: librados encodes the place of a mismatch below this.
MAX_ERRNO = 4095

RADOS_ERRORS = {
    codes.EPERM: "PermissionError",
    codes.ENOENT: "ObjectNotFound",
    codes.EIO: "IOError",
    codes.ENOSPC: "NoSpace",
    codes.EEXIST: "ObjectExists",
    codes.EBUSY: "ObjectBusy",
    codes.ENODATA: "NoData",
    codes.EINTR: "InterruptedOrTimeoutError",
    codes.ETIMEDOUT: "TimedOut",
    codes.EACCES: "PermissionDeniedError",
    codes.EINPROGRESS: "InProgress",
    codes.EISCONN: "IsConnected",
    codes.EINVAL: "InvalidArgumentError",
    codes.ENOTCONN: "NotConnected",
    codes.ESHUTDOWN: "ConnectionShutdown",
}

RBD_ERRORS = {
    codes.EPERM: "PermissionError",
    codes.ENOENT: "ImageNotFound",
    codes.EIO: "IOError",
    codes.ENOSPC: "NoSpace",
    codes.EEXIST: "ImageExists",
    codes.EINVAL: "InvalidArgument",
    codes.EROFS: "ReadOnlyImage",
    codes.EBUSY: "ImageBusy",
    codes.ENOTEMPTY: "ImageHasSnapshots",
    codes.EMLINK: "ImageMemberOfGroup",
    codes.ENOSYS: "FunctionNotSupported",
    codes.EDOM: "ArgumentOutOfRange",
    codes.ESHUTDOWN: "ConnectionShutdown",
    codes.ETIMEDOUT: "Timeout",
    codes.EDQUOT: "DiskQuotaExceeded",
    codes.EOPNOTSUPP: "OperationNotSupported",
    codes.ECANCELED: "OperationCanceled",
}

#: What is missing or there already is no image.
RBD_GROUP_ERRORS = {
    **RBD_ERRORS,
    codes.ENOENT: "ObjectNotFound",
    codes.EEXIST: "ObjectExists",
}


#: librbd takes these, as the answer of a quiesce hook, for success (and makes no snapshot, or an
#: unprotected one), or asks the hook again, without end.
MISTAKEN = frozenset({codes.EEXIST, codes.EOPNOTSUPP, codes.ERESTART})


def answer_of(error: BaseException) -> int:
    """The negative errno that stands for a callback's exception."""
    number = getattr(error, "errno", None)
    if isinstance(number, int) and 0 < number <= MAX_ERRNO and number not in MISTAKEN:
        return -number
    return -EINVAL


def strerror(errno: int) -> str:
    """os.strerror for any number."""
    return os.strerror(errno) if errno < 1 << 31 else f"Unknown error {errno}"


class CephError(Exception):
    """What all errors of librados and librbd have in common.

    ``message`` says what was tried, on what, and why it failed; ``errno`` is None where the error
    comes from this package and no C function was called. Errors survive pickling.
    """

    #: what the class stands for; the first words of the text
    meaning = "error"

    errno: int | None
    message: str

    def __init__(self, message: object = "", errno: int | None = None) -> None:
        if isinstance(self, builtins.OSError):
            if errno is None:
                builtins.OSError.__init__(self, message)
            else:
                builtins.OSError.__init__(self, errno, strerror(errno))
        else:
            super().__init__(message)
            self.errno = errno
        self.message = str(message)

    def __str__(self) -> str:
        text = f"{self.meaning} ({self.message})" if self.message else self.meaning
        return text if self.errno is None else f"[errno {self.errno}] {text}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.message, self.errno), self.__dict__


#: {kind of handle: f(reason code, what was tried) -> exception}, filled in by rados and rbd
REFUSALS: dict[int, Callable[[int, str], CephError]] = {}

REASONS = {
    lib.RBDCFFI_CLOSED: "it is closed",
    lib.RBDCFFI_NEVER_OPENED: "it was never opened",
    lib.RBDCFFI_FORKED: (
        "it belongs to the process that forked this one; connect again in the child, or start "
        "processes with spawn or forkserver"
    ),
    lib.RBDCFFI_WRONG_KIND: "it is a handle of another kind",
    lib.RBDCFFI_ABSENT: "the loaded library lacks the function",
    lib.RBDCFFI_BUSY: "other calls on it do not end, and it cannot be done beside them",
    lib.RBDCFFI_IN_HOOK: (
        "this is a quiesce hook, which the snapshot that is being made waits for; do it after that"
    ),
    lib.RBDCFFI_UNWRITTEN: (
        "a handle of it that was closed has something that still cannot be written back"
    ),
    lib.RBDCFFI_REENTERED: (
        "this is a callback of one of its own running calls; do it after the call"
    ),
}


def refusal(kind: int, reason: int, what: str) -> CephError:
    """The error of a call that its handle's gate did not let in."""
    return REFUSALS[kind](reason, f"{what}: {REASONS[reason]}")


class ErrorTable:
    """One API's way from a negative C result to an exception."""

    def __init__(
        self, by_errno: dict[int, str], classes: dict[str, Any], default: type[CephError]
    ) -> None:
        self._classes: dict[int, type[CephError]] = {
            number: classes[name] for number, name in by_errno.items()
        }
        self._default = default

    def error(self, rc: int, what: str) -> CephError:
        """The exception for a negative result; `what` was tried, on what."""
        if rc <= lib.RBDCFFI_REFUSED:
            kind, reason = divmod(lib.RBDCFFI_REFUSED - rc, 16)
            return refusal(kind, reason, what)
        number = -rc
        return self._classes.get(number, self._default)(f"{what}: {strerror(number)}", number)
