"""Mirror of the standard `rbd` module: ``import rbdcffi.rbd as rbd``."""

from rbdcffi.rados.constants import (
    LIBRADOS_OP_FLAG_FADVISE_DONTNEED,
    LIBRADOS_OP_FLAG_FADVISE_NOCACHE,
    LIBRADOS_OP_FLAG_FADVISE_RANDOM,
    LIBRADOS_OP_FLAG_FADVISE_SEQUENTIAL,
    LIBRADOS_OP_FLAG_FADVISE_WILLNEED,
)
from rbdcffi.rbd import constants
from rbdcffi.rbd.completions import Completion
from rbdcffi.rbd.constants import *  # noqa: F403
from rbdcffi.rbd.diff import Extent, ExtentIterator
from rbdcffi.rbd.errors import (
    ArgumentOutOfRange,
    ConnectionShutdown,
    DiskQuotaExceeded,
    Error,
    FunctionNotSupported,
    ImageBusy,
    ImageExists,
    ImageHasSnapshots,
    ImageMemberOfGroup,
    ImageNotFound,
    IncompleteWriteError,
    InvalidArgument,
    IOError,
    LogicError,
    NoSpace,
    ObjectExists,
    ObjectNotFound,
    OperationCanceled,
    OperationNotSupported,
    OSError,
    PermissionError,
    ReadOnlyImage,
    Timeout,
)
from rbdcffi.rbd.file import ImageFile
from rbdcffi.rbd.image import Image
from rbdcffi.rbd.images import RBD
from rbdcffi.rbd.snapshots import SnapIterator

__all__ = [
    "LIBRADOS_OP_FLAG_FADVISE_DONTNEED",
    "LIBRADOS_OP_FLAG_FADVISE_NOCACHE",
    "LIBRADOS_OP_FLAG_FADVISE_RANDOM",
    "LIBRADOS_OP_FLAG_FADVISE_SEQUENTIAL",
    "LIBRADOS_OP_FLAG_FADVISE_WILLNEED",
    "RBD",
    "ArgumentOutOfRange",
    "Completion",
    "ConnectionShutdown",
    "DiskQuotaExceeded",
    "Error",
    "Extent",
    "ExtentIterator",
    "FunctionNotSupported",
    "IOError",
    "Image",
    "ImageBusy",
    "ImageExists",
    "ImageFile",
    "ImageHasSnapshots",
    "ImageMemberOfGroup",
    "ImageNotFound",
    "IncompleteWriteError",
    "InvalidArgument",
    "LogicError",
    "NoSpace",
    "OSError",
    "ObjectExists",
    "ObjectNotFound",
    "OperationCanceled",
    "OperationNotSupported",
    "PermissionError",
    "ReadOnlyImage",
    "SnapIterator",
    "Timeout",
]
__all__ += constants.__all__
