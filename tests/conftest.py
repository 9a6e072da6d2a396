"""Fixtures of all tests: a connection, a pool, images with names of their own."""

from __future__ import annotations

import gc
import itertools
import os
import signal
import sys
from collections.abc import Iterator
from typing import Any

import pytest

import rbdcffi._ffi
from rbdcffi import rados, rbd

MIB = 1 << 20
PYPY = sys.implementation.name == "pypy"

_numbers = itertools.count(1)


def pytest_configure() -> None:
    # a shell's job in the background ignores it, and so would all that the tests start
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_report_header() -> list[str]:
    version = ".".join(map(str, rbdcffi._ffi.loaded_version()))
    built = ".".join(map(str, rbdcffi._ffi.built_version()))
    return [f"librbd {version} loaded, headers of {built} built with"]


#: {minor version of librbd: Ceph release}
RELEASES = {12: 14, 16: 16, 18: 18, 20: 20}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skips what a release of Ceph itself gets wrong: @pytest.mark.not_on_ceph(14, reason=...).
    Leaves out the soak, unless $RBDCFFI_SOAK says how long it may be."""
    if not os.environ.get("RBDCFFI_SOAK"):
        soaks = [item for item in items if item.get_closest_marker("soak")]
        config.hook.pytest_deselected(items=soaks)
        items[:] = [item for item in items if item not in soaks]
    release = RELEASES.get(rbdcffi._ffi.loaded_version()[1])
    for item in items:
        for mark in item.iter_markers("not_on_ceph"):
            if release in mark.args:
                reason = f"Ceph {release}: {mark.kwargs['reason']}"
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(autouse=True, scope="session")
def _finalizers() -> Iterator[None]:
    """PyPy finalizes late: what a test forgets must not warn in another one."""
    yield
    gc.collect()


@pytest.fixture(scope="session")
def cluster(ceph_conf: str) -> Iterator[rados.Rados]:
    """A connection to the cluster of the test run."""
    with rados.Rados(conffile=ceph_conf) as connection:
        yield connection


@pytest.fixture(scope="session")
def ioctx(cluster: rados.Rados, ceph_shared_pool: str) -> Iterator[rados.Ioctx]:
    """The pool that all tests share; use names from `fresh_name`."""
    with cluster.open_ioctx(ceph_shared_pool) as context:
        yield context


@pytest.fixture
def fresh_name() -> str:
    """A name that no other test uses."""
    return f"test-{next(_numbers)}"


@pytest.fixture
def image_name(ioctx: rados.Ioctx, fresh_name: str) -> str:
    """A new image of 16 MiB."""
    rbd.RBD().create(ioctx, fresh_name, 16 * MIB)
    return fresh_name


@pytest.fixture
def image(ioctx: rados.Ioctx, image_name: str) -> Iterator[rbd.Image]:
    """A new open image of 16 MiB."""
    with rbd.Image(ioctx, image_name) as opened:
        yield opened


@pytest.fixture(scope="session")
def nursery(ceph_conf: str, ceph_shared_pool: str) -> Iterator[Any]:
    """Runs programs in processes of their own, on the cluster of the test run; see
    stress/programs.py."""
    from programs import Nursery

    with Nursery(ceph_conf) as made:
        yield made
