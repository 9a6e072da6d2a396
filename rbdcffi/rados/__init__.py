"""Mirror of the standard `rados` module: ``import rbdcffi.rados as rados``."""

from rbdcffi.rados import constants
from rbdcffi.rados.cluster import Rados, Version
from rbdcffi.rados.constants import *  # noqa: F403
from rbdcffi.rados.errors import (
    ConnectionShutdown,
    Error,
    ExtendMismatch,
    InProgress,
    InterruptedOrTimeoutError,
    InvalidArgumentError,
    IoctxStateError,
    IOError,
    IsConnected,
    LogicError,
    NoData,
    NoSpace,
    NotConnected,
    ObjectBusy,
    ObjectExists,
    ObjectNotFound,
    ObjectStateError,
    OSError,
    PermissionDeniedError,
    PermissionError,
    RadosStateError,
    TimedOut,
)
from rbdcffi.rados.ioctx import Ioctx
from rbdcffi.rados.objects import Object, ObjectIterator, XattrIterator

MAX_ERRNO = 4095

__all__ = [
    "MAX_ERRNO",
    "ConnectionShutdown",
    "Error",
    "ExtendMismatch",
    "IOError",
    "InProgress",
    "InterruptedOrTimeoutError",
    "InvalidArgumentError",
    "Ioctx",
    "IoctxStateError",
    "IsConnected",
    "LogicError",
    "NoData",
    "NoSpace",
    "NotConnected",
    "OSError",
    "Object",
    "ObjectBusy",
    "ObjectExists",
    "ObjectIterator",
    "ObjectNotFound",
    "ObjectStateError",
    "PermissionDeniedError",
    "PermissionError",
    "Rados",
    "RadosStateError",
    "TimedOut",
    "Version",
    "XattrIterator",
]
__all__ += constants.__all__
