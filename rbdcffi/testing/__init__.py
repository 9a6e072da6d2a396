"""A real, throwaway Ceph cluster for tests, on one machine, in a few seconds.

    from rbdcffi.testing import Cluster

    with Cluster() as cluster:
        subprocess.run(["rbd", "create", "--size", "1G", "image"], env=cluster.env(), check=True)

This package needs the Ceph daemons and command-line tools (Debian: ceph-mon, ceph-osd,
ceph-common, and ceph-mgr or rbd-mirror where one is asked for) and otherwise only the standard
library.

* ``Cluster`` and its ``Daemon`` objects: start, pause, kill and restart a mon, OSDs, a mgr and an
  rbd-mirror;
* ``python -m rbdcffi.testing``: the same for a shell (``start``, ``stop``, ``run``, ``status``);
* ``rbdcffi.testing.plugin``: fixtures for pytest.
"""

from __future__ import annotations

from ._daemon import Daemon
from ._existing import ExistingCluster
from ._tools import ClusterError
from .cluster import Cluster

__all__ = ["Cluster", "ClusterError", "Daemon", "ExistingCluster"]
