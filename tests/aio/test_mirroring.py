"""Mirroring through the asynchronous twins."""

from __future__ import annotations

import os
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import anyio
import pytest

from rbdcffi import aio, rados, rbd
from rbdcffi._ffi import has
from rbdcffi.aio import listings
from rbdcffi.testing import Cluster

pytestmark = pytest.mark.anyio
MIB = 1 << 20
JOURNALING = rbd.RBD_FEATURE_LAYERING | rbd.RBD_FEATURE_EXCLUSIVE_LOCK | rbd.RBD_FEATURE_JOURNALING


@pytest.fixture(scope="module")
def mirror_pool(ceph_cluster: Cluster, ceph_conf: str) -> Iterator[str]:
    name = f"aio-mirroring-{os.getpid()}"
    ceph_cluster.create_pool(name)
    yield name
    ceph_cluster.remove_pool(name)


@pytest.fixture
async def pool(acluster: aio.Rados, mirror_pool: str) -> AsyncIterator[aio.Ioctx]:
    """A pool with mirroring of images enabled."""
    async with acluster.open_ioctx(mirror_pool) as ioctx:
        core = rbd.RBD()
        core.mirror_mode_set(ioctx.sync, rbd.RBD_MIRROR_MODE_IMAGE)
        yield ioctx
        for name in core.list(ioctx.sync):
            with rbd.Image(ioctx.sync, name) as image:
                image.mirror_image_disable(True)
            core.remove(ioctx.sync, name)


async def test_pool(acluster: aio.Rados, pool: aio.Ioctx) -> None:
    mirror = aio.RBD()
    await mirror.mirror_site_name_set(acluster, "from a loop")
    assert await mirror.mirror_site_name_get(acluster) == "from a loop"
    await mirror.mirror_site_name_set(acluster, "")
    with pytest.raises(TypeError, match="Rados"):
        await mirror.mirror_site_name_get(pool)  # type: ignore[arg-type]
    assert await mirror.mirror_mode_get(pool) == rbd.RBD_MIRROR_MODE_IMAGE
    uuid = await mirror.mirror_peer_add(pool, "there", "client.x")
    await mirror.mirror_peer_set_attributes(pool, uuid, {"key": "k"})
    assert await mirror.mirror_peer_get_attributes(pool, uuid) == {"key": "k"}
    assert [peer["uuid"] for peer in await mirror.mirror_peer_list(pool)] == [uuid]
    await mirror.mirror_peer_remove(pool, uuid)
    assert await mirror.mirror_image_status_summary(pool) == []
    assert hasattr(mirror, "mirror_uuid_get") == has("rbd_mirror_uuid_get")
    assert hasattr(mirror, "mirror_remote_namespace_get") == has("rbd_mirror_remote_namespace_get")


async def test_images_and_lists(pool: aio.Ioctx, monkeypatch: pytest.MonkeyPatch) -> None:
    mirror = aio.RBD()
    names = [f"image-{i}" for i in range(5)]
    for name in names:
        await mirror.create(pool, name, MIB, features=JOURNALING)
        async with aio.Image(pool, name) as image:
            await image.mirror_image_enable()
            assert (await image.mirror_image_get_info())["primary"] is True
            assert (await image.mirror_image_get_status())["name"] == name
    async with aio.Image(pool, names[0]) as image:
        await image.mirror_image_demote()
        await image.mirror_image_promote(False)
        with pytest.raises(rbd.InvalidArgument):
            await image.mirror_image_resync()
    here = threading.get_ident()
    threads: list[int] = []
    fetch = rbd.MirrorImageStatusIterator._fetch

    def spy(self: Any, last: str) -> Any:
        threads.append(threading.get_ident())
        return fetch(self, last)

    monkeypatch.setattr(rbd.MirrorImageStatusIterator, "_fetch", spy)
    for page in (1, 2, 100):
        monkeypatch.setattr(listings, "PAGE", page)
        assert sorted([one["name"] async for one in mirror.mirror_image_status_list(pool)]) == names
        assert [one async for one in mirror.mirror_image_instance_id_list(pool)] == []
        if hasattr(mirror, "mirror_image_info_list"):
            infos = [one async for one in mirror.mirror_image_info_list(pool)]
            assert len(infos) == 5 and {info["state"] for _, info in infos} == {1}
            snapshots = mirror.mirror_image_info_list(pool, rbd.RBD_MIRROR_IMAGE_MODE_SNAPSHOT)
            assert [one async for one in snapshots] == []
    assert threads and here not in threads


async def test_a_step_that_is_cancelled_loses_nothing(
    pool: aio.Ioctx, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror = aio.RBD()
    for i in range(3):
        await mirror.create(pool, f"image-{i}", MIB, features=JOURNALING)
        async with aio.Image(pool, f"image-{i}") as image:
            await image.mirror_image_enable()
    statuses: Any = mirror.mirror_image_status_list(pool).__aiter__()
    fetch = statuses._fetch
    fetched = threading.Event()

    def told() -> None:
        fetch()
        fetched.set()

    monkeypatch.setattr(statuses, "_fetch", told)
    with anyio.CancelScope() as scope:
        scope.cancel()
        await statuses.__anext__()
    assert scope.cancelled_caught
    # whether the worker had begun or not: every image comes once
    names = [status["name"] async for status in statuses]
    assert fetched.is_set()
    assert sorted(names) == ["image-0", "image-1", "image-2"]


async def test_errors(acluster: aio.Rados, pool: aio.Ioctx) -> None:
    mirror = aio.RBD()
    async with acluster.open_ioctx(pool.name) as other:
        statuses = mirror.mirror_image_status_list(other).__aiter__()
    with pytest.raises(rados.IoctxStateError):
        await statuses.__anext__()
    if hasattr(mirror, "mirror_image_info_list"):
        with pytest.raises(TypeError, match="mode_filter"):
            await mirror.mirror_image_info_list(pool, "x")  # type: ignore[arg-type]
