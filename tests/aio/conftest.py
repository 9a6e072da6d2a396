"""Every asynchronous test runs on each kind of event loop, and I/O on each engine."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest

from rbdcffi import aio, rados

PYPY = sys.implementation.name == "pypy"


def _eager_loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    loop.set_task_factory(asyncio.eager_task_factory)
    return loop


BACKENDS: list[Any] = [pytest.param(("asyncio", {}), id="asyncio"), pytest.param("trio", id="trio")]
if not PYPY:
    BACKENDS.append(pytest.param(("asyncio", {"use_uvloop": True}), id="uvloop"))
if sys.version_info >= (3, 12):
    BACKENDS.append(pytest.param(("asyncio", {"loop_factory": _eager_loop}), id="eager"))


@pytest.fixture(params=BACKENDS)
def anyio_backend(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture(params=["threads", "completions"])
def engine(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
async def acluster(ceph_conf: str) -> AsyncIterator[aio.Rados]:
    async with aio.Rados(conffile=ceph_conf) as cluster:
        yield cluster


@pytest.fixture
async def aioctx(acluster: aio.Rados, ioctx: rados.Ioctx) -> AsyncIterator[aio.Ioctx]:
    async with acluster.open_ioctx(ioctx.name) as context:
        yield context


@pytest.fixture
async def aimage(aioctx: aio.Ioctx, image_name: str, engine: str) -> AsyncIterator[aio.Image]:
    """A new open image of 16 MiB, on each engine."""
    async with aio.Image(aioctx, image_name, engine=engine) as image:
        yield image
