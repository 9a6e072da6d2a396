"""What is done to pools, and to images that are not open."""

from __future__ import annotations

from rbdcffi.rbd.config import PoolConfig
from rbdcffi.rbd.features import Features
from rbdcffi.rbd.groups import Groups
from rbdcffi.rbd.images import Images
from rbdcffi.rbd.migration import Migration
from rbdcffi.rbd.mirroring import Mirroring
from rbdcffi.rbd.namespaces import Namespaces
from rbdcffi.rbd.pools import Pools
from rbdcffi.rbd.trash import Trash


class RBD(Images, Trash, Namespaces, Pools, PoolConfig, Features, Groups, Migration, Mirroring):
    """What is done to pools, and to images that are not open. Has no state."""
