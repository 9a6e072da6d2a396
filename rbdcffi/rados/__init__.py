"""Mirror of the standard `rados` module: ``import rbdcffi.rados as rados``."""

from rbdcffi.rados import constants
from rbdcffi.rados._steps import Result
from rbdcffi.rados.cluster import Rados, Version
from rbdcffi.rados.completions import Completion
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
from rbdcffi.rados.monitor_log import LogLine, MonitorLog
from rbdcffi.rados.objects import Object, ObjectIterator, XattrIterator
from rbdcffi.rados.omap import OMAP_KEY_TYPE, OmapIterator
from rbdcffi.rados.operations import (
    ObjectStat,
    OpCtx,
    ReadOp,
    ReadOpCtx,
    WriteOp,
    WriteOpCtx,
)
from rbdcffi.rados.services import MinCompatibleClient
from rbdcffi.rados.slices import Cursor, ObjectSlice
from rbdcffi.rados.snapshots import Snap, SnapIterator
from rbdcffi.rados.watching import NotifyResponse, Watch

MAX_ERRNO = 4095

__all__ = [
    "MAX_ERRNO",
    "OMAP_KEY_TYPE",
    "Completion",
    "ConnectionShutdown",
    "Cursor",
    "Error",
    "ExtendMismatch",
    "IOError",
    "InProgress",
    "InterruptedOrTimeoutError",
    "InvalidArgumentError",
    "Ioctx",
    "IoctxStateError",
    "IsConnected",
    "LogLine",
    "LogicError",
    "MinCompatibleClient",
    "MonitorLog",
    "NoData",
    "NoSpace",
    "NotConnected",
    "NotifyResponse",
    "OSError",
    "Object",
    "ObjectBusy",
    "ObjectExists",
    "ObjectIterator",
    "ObjectNotFound",
    "ObjectSlice",
    "ObjectStat",
    "ObjectStateError",
    "OmapIterator",
    "OpCtx",
    "PermissionDeniedError",
    "PermissionError",
    "Rados",
    "RadosStateError",
    "ReadOp",
    "ReadOpCtx",
    "Result",
    "Snap",
    "SnapIterator",
    "TimedOut",
    "Version",
    "Watch",
    "WriteOp",
    "WriteOpCtx",
    "XattrIterator",
]
__all__ += constants.__all__
