"""What is done to images that are not open."""

from __future__ import annotations

from rbdcffi import rbd
from rbdcffi.aio._rbd_methods import RBDMethods


class RBD(RBDMethods):
    """The asynchronous twin of rbdcffi.rbd.RBD."""

    def __init__(self) -> None:
        self._sync = rbd.RBD()

    @property
    def sync(self) -> rbd.RBD:
        """The synchronous object behind this one."""
        return self._sync
