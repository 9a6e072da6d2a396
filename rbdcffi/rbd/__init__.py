"""Mirror of the standard `rbd` module: ``import rbdcffi.rbd as rbd``."""

from rbdcffi.rados.constants import (
    LIBRADOS_OP_FLAG_FADVISE_DONTNEED,
    LIBRADOS_OP_FLAG_FADVISE_NOCACHE,
    LIBRADOS_OP_FLAG_FADVISE_RANDOM,
    LIBRADOS_OP_FLAG_FADVISE_SEQUENTIAL,
    LIBRADOS_OP_FLAG_FADVISE_WILLNEED,
)
from rbdcffi.rbd import constants
from rbdcffi.rbd._mirror_lists import (
    MirrorImageInfoIterator,
    MirrorImageInstanceIdIterator,
    MirrorImageStatusIterator,
    MirrorPeerIterator,
)
from rbdcffi.rbd.completions import Completion
from rbdcffi.rbd.config import ConfigImageIterator, ConfigPoolIterator
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
from rbdcffi.rbd.family import ChildIterator
from rbdcffi.rbd.file import ImageFile
from rbdcffi.rbd.groups import Group, GroupImageIterator, GroupSnapIterator
from rbdcffi.rbd.image import Image
from rbdcffi.rbd.images import ImageIterator
from rbdcffi.rbd.locks import LockOwnerIterator
from rbdcffi.rbd.metadata import MetadataIterator
from rbdcffi.rbd.options import ImageOptions
from rbdcffi.rbd.pools import PoolMetadataIterator
from rbdcffi.rbd.rbd import RBD
from rbdcffi.rbd.snap_info import SnapIterator
from rbdcffi.rbd.trash import TrashIterator
from rbdcffi.rbd.watching import Watch, WatcherIterator

__all__ = [
    "LIBRADOS_OP_FLAG_FADVISE_DONTNEED",
    "LIBRADOS_OP_FLAG_FADVISE_NOCACHE",
    "LIBRADOS_OP_FLAG_FADVISE_RANDOM",
    "LIBRADOS_OP_FLAG_FADVISE_SEQUENTIAL",
    "LIBRADOS_OP_FLAG_FADVISE_WILLNEED",
    "RBD",
    "ArgumentOutOfRange",
    "ChildIterator",
    "Completion",
    "ConfigImageIterator",
    "ConfigPoolIterator",
    "ConnectionShutdown",
    "DiskQuotaExceeded",
    "Error",
    "Extent",
    "ExtentIterator",
    "FunctionNotSupported",
    "Group",
    "GroupImageIterator",
    "GroupSnapIterator",
    "IOError",
    "Image",
    "ImageBusy",
    "ImageExists",
    "ImageFile",
    "ImageHasSnapshots",
    "ImageIterator",
    "ImageMemberOfGroup",
    "ImageNotFound",
    "ImageOptions",
    "IncompleteWriteError",
    "InvalidArgument",
    "LockOwnerIterator",
    "LogicError",
    "MetadataIterator",
    "MirrorImageInfoIterator",
    "MirrorImageInstanceIdIterator",
    "MirrorImageStatusIterator",
    "MirrorPeerIterator",
    "NoSpace",
    "OSError",
    "ObjectExists",
    "ObjectNotFound",
    "OperationCanceled",
    "OperationNotSupported",
    "PermissionError",
    "PoolMetadataIterator",
    "ReadOnlyImage",
    "SnapIterator",
    "Timeout",
    "TrashIterator",
    "Watch",
    "WatcherIterator",
]
__all__ += constants.__all__
