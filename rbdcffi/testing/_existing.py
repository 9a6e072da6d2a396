"""A cluster that is there already."""

from __future__ import annotations

import os

from ._tools import ClusterError
from .cluster import Cluster


class ExistingCluster(Cluster):
    """A cluster that somebody else runs, known by its ceph.conf.

    Commands work as on a ``Cluster``; there are no daemons to control, ``start()`` and ``stop()``
    do nothing.
    """

    def __init__(self, conf: str | os.PathLike[str]) -> None:
        super().__init__()
        path = os.path.abspath(conf)
        if not os.path.isfile(path):
            raise ClusterError(f"there is no {path}")
        self._conf = path

    def __repr__(self) -> str:
        return f"<ExistingCluster {self._conf}>"

    def start(self) -> Cluster:
        """Do nothing: the cluster runs, or does not."""
        return self

    def stop(self) -> None:
        """Do nothing: the cluster is not ours."""

    @property
    def conf(self) -> str:
        """The path of the cluster's ceph.conf."""
        return self._conf

    @property
    def fsid(self) -> str:
        """The cluster's id, asked from the cluster."""
        return self.ceph("fsid")

    def _check_started_once(self) -> None:
        raise ClusterError(
            f"the cluster of {self._conf} is not ours: its daemons cannot be controlled"
        )
