"""Fixtures for pytest: a real Ceph cluster for the tests that ask for one.

Nothing is started for a test run that does not use a fixture. Each test run (each worker of
pytest-xdist, too) has clusters of its own, except with ``--ceph-conf``.

To have another cluster than the default one, override ``ceph_cluster_options`` in conftest.py:

    @pytest.fixture(scope="session")
    def ceph_cluster_options():
        return {"osds": 3, "replicas": 2}

The keys are the keyword arguments of ``rbdcffi.testing.Cluster``.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ._existing import ExistingCluster
from ._tools import ClusterError
from .cluster import Cluster


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --ceph-conf."""
    parser.getgroup("ceph").addoption(
        "--ceph-conf",
        metavar="PATH",
        help="run the tests on the cluster of this ceph.conf, not on a throwaway one"
        " (they create and remove pools and images there)",
    )


@pytest.fixture(scope="session")
def ceph_cluster_options() -> dict[str, Any]:
    """The keyword arguments of the session's cluster; override this fixture to set them."""
    return {}


@pytest.fixture(scope="session")
def ceph_cluster(
    request: pytest.FixtureRequest, ceph_cluster_options: dict[str, Any]
) -> Iterator[Cluster]:
    """The Ceph cluster of this test run.

    With ``--ceph-conf`` it is that cluster: then its daemons cannot be controlled.
    """
    conf: str | None = request.config.getoption("--ceph-conf")
    cluster = _start(ceph_cluster_options) if conf is None else _existing(conf)
    try:
        yield cluster
    finally:
        cluster.stop()


@pytest.fixture(scope="session")
def ceph_conf(ceph_cluster: Cluster) -> Iterator[str]:
    """The path of ceph_cluster's ceph.conf; $CEPH_CONF until the end of the test run."""
    before = os.environ.get("CEPH_CONF")
    os.environ["CEPH_CONF"] = ceph_cluster.conf
    try:
        yield ceph_cluster.conf
    finally:
        if before is None:
            os.environ.pop("CEPH_CONF", None)
        else:
            os.environ["CEPH_CONF"] = before


@pytest.fixture(scope="session")
def ceph_shared_pool(ceph_cluster: Cluster, ceph_conf: str) -> str:
    """The name of a pool that all tests share, "rbd": mind what other tests left in it."""
    if "rbd" not in ceph_cluster.pools():
        ceph_cluster.create_pool("rbd")
    return "rbd"


@pytest.fixture
def ceph_pool(ceph_cluster: Cluster, ceph_conf: str) -> Iterator[str]:
    """The name of a pool of this test's own. It takes about 0.7 s to make and remove it."""
    name = f"rbdcffi-{uuid.uuid4().hex[:12]}"
    ceph_cluster.create_pool(name)
    try:
        yield name
    finally:
        ceph_cluster.remove_pool(name)


@pytest.fixture(scope="session")
def ceph_cluster_factory() -> Iterator[Callable[..., Cluster]]:
    """A function that starts more clusters: ``ceph_cluster_factory(osds=3, replicas=2)``.

    The arguments are those of ``rbdcffi.testing.Cluster``. Equal arguments give the same cluster,
    unless it has been stopped meanwhile. All are stopped at the end of the test run.
    """
    clusters: dict[str, Cluster] = {}

    def factory(**arguments: Any) -> Cluster:
        key = repr(sorted(arguments.items()))
        cluster = clusters.get(key)
        if cluster is None or not cluster.started:
            cluster = clusters[key] = _start(arguments)
        return cluster

    try:
        yield factory
    finally:
        for cluster in clusters.values():
            cluster.stop()


def _start(arguments: dict[str, Any]) -> Cluster:
    try:
        return Cluster(**arguments).start()
    except ClusterError as error:
        # The message says it all (the end of a log, perhaps): our traceback would bury it.
        pytest.fail(f"the Ceph cluster for the tests did not start: {error}", pytrace=False)


def _existing(conf: str) -> Cluster:
    try:
        return ExistingCluster(conf)
    except ClusterError as error:
        pytest.fail(f"--ceph-conf: {error}", pytrace=False)
