"""The asynchronous facade: the same names as the core, on asyncio and trio (through anyio).

    async with aio.Rados(conffile="") as cluster, cluster.open_ioctx("rbd") as ioctx:
        async with aio.Image(ioctx, "disk") as image:
            data = await image.read(0, 4096)

Nothing that can block runs on the event loop.
"""

from rbdcffi.aio._offload import control_limiter, io_limiter
from rbdcffi.aio.diff import ExtentStream
from rbdcffi.aio.groups import Group
from rbdcffi.aio.image import Image
from rbdcffi.aio.listings import Listing
from rbdcffi.aio.notifications import Interruption, LogStream, Notification, Notifications
from rbdcffi.aio.object_locks import ObjectLock
from rbdcffi.aio.rados import Ioctx, Object, ObjectSlice, Rados
from rbdcffi.aio.rbd import RBD
from rbdcffi.aio.streams import Writer, copy_image
from rbdcffi.aio.watching import QuiesceHooks, Updates

__all__ = [
    "RBD",
    "ExtentStream",
    "Group",
    "Image",
    "Interruption",
    "Ioctx",
    "Listing",
    "LogStream",
    "Notification",
    "Notifications",
    "Object",
    "ObjectLock",
    "ObjectSlice",
    "QuiesceHooks",
    "Rados",
    "Updates",
    "Writer",
    "control_limiter",
    "copy_image",
    "io_limiter",
]
