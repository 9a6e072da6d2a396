"""The asynchronous facade: the same names as the core, on asyncio and trio (through anyio).

    async with aio.Rados(conffile="") as cluster, cluster.open_ioctx("rbd") as ioctx:
        async with aio.Image(ioctx, "disk") as image:
            data = await image.read(0, 4096)

Nothing that can block runs on the event loop.
"""

from rbdcffi.aio._offload import control_limiter, io_limiter
from rbdcffi.aio.diff import ExtentStream
from rbdcffi.aio.image import Image
from rbdcffi.aio.rados import Ioctx, Object, Rados
from rbdcffi.aio.rbd import RBD
from rbdcffi.aio.streams import Writer, copy_image

__all__ = [
    "RBD",
    "ExtentStream",
    "Image",
    "Ioctx",
    "Object",
    "Rados",
    "Writer",
    "control_limiter",
    "copy_image",
    "io_limiter",
]
