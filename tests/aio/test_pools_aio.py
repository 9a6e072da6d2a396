"""The asynchronous twins of what is done to pools."""

from __future__ import annotations

from datetime import timedelta

import anyio
import pytest

from rbdcffi import aio, rados, rbd
from rbdcffi._ffi import has

pytestmark = pytest.mark.anyio
MIB = 1 << 20
RBD = aio.RBD()


async def test_trash(aioctx: aio.Ioctx, fresh_name: str) -> None:
    await RBD.create(aioctx, fresh_name, 16 * MIB)
    async with aio.Image(aioctx, fresh_name) as image:
        image_id = await image.id()
    await RBD.trash_move(aioctx, fresh_name, 3600)
    entry = await RBD.trash_get(aioctx, image_id)
    assert entry["deferment_end_time"] - entry["deletion_time"] == timedelta(hours=1)
    assert entry in await RBD.trash_list(aioctx)
    assert entry in [found async for found in RBD.trash_list(aioctx)]
    with pytest.raises(rbd.PermissionError):
        await RBD.trash_remove(aioctx, image_id)
    await RBD.trash_restore(aioctx, image_id, fresh_name)
    await RBD.trash_move(aioctx, fresh_name)
    steps: list[tuple[int, int]] = []

    async def progress(done: int, total: int) -> None:
        await anyio.sleep(0)
        steps.append((done, total))

    await RBD.trash_remove(aioctx, image_id, on_progress=progress)
    assert steps
    with pytest.raises(rbd.ImageNotFound):
        await RBD.trash_get(aioctx, image_id)


async def test_purge(aioctx: aio.Ioctx, fresh_name: str) -> None:
    await RBD.namespace_create(aioctx, fresh_name)
    async with aioctx.dup() as own:
        own.set_namespace(fresh_name)
        for i in range(3):
            await RBD.create(own, f"a-{i}", MIB)
            await RBD.trash_move(own, f"a-{i}")
        steps: list[tuple[int, int]] = []
        await RBD.trash_purge(own, on_progress=lambda *step: steps.append(step))
        # the loop may be too slow for the others
        assert steps == sorted(steps) and steps[-1] == (3, 3)
        assert await RBD.trash_list(own) == []
        assert await RBD.list2(own) == []
    assert await RBD.namespace_exists(aioctx, fresh_name)
    assert fresh_name in await RBD.namespace_list(aioctx)
    await RBD.namespace_remove(aioctx, fresh_name)
    assert not await RBD.namespace_exists(aioctx, fresh_name)


async def test_lists(aioctx: aio.Ioctx, fresh_name: str) -> None:
    await RBD.create(aioctx, fresh_name, MIB, journal_order=20)
    listing = RBD.list2(aioctx)
    whole = await listing
    assert fresh_name in [image["name"] for image in whole]
    assert [image async for image in listing] == whole
    assert await RBD.pool_init(aioctx, False) is None  # type: ignore[func-returns-value]
    assert (await RBD.pool_stats_get(aioctx))["image_count"] == len(whole)


async def test_metadata(aioctx: aio.Ioctx, fresh_name: str) -> None:
    pairs = [(f"{fresh_name}-{i:04}", f"value-{i}") for i in range(100)]
    async with anyio.create_task_group() as group:
        for key, value in pairs:
            group.start_soon(RBD.pool_metadata_set, aioctx, key, value)
    assert await RBD.pool_metadata_get(aioctx, pairs[7][0]) == "value-7"
    listed = [
        pair async for pair in RBD.pool_metadata_list(aioctx) if pair[0].startswith(fresh_name)
    ]
    assert listed == pairs
    stream = RBD.pool_metadata_list(aioctx).__aiter__()
    with anyio.CancelScope() as scope:
        scope.cancel()
        await stream.__anext__()
    assert scope.cancelled_caught
    assert [pair async for pair in stream] == await RBD.pool_metadata_list(aioctx)
    for key, _ in pairs:
        await RBD.pool_metadata_remove(aioctx, key)
    with pytest.raises(KeyError):
        await RBD.pool_metadata_remove(aioctx, pairs[0][0])


async def test_config(aioctx: aio.Ioctx, image_name: str) -> None:
    async with aio.Image(aioctx, image_name) as image:
        await image.config_set("rbd_cache_size", "12345678")
        assert await image.config_get("rbd_cache_size") == "12345678"
        sources = {option["name"]: option["source"] async for option in image.config_list()}
        assert sources["rbd_cache_size"] == rbd.RBD_CONFIG_SOURCE_IMAGE
        assert {option["name"] for option in await image.config_list()} == set(sources)
        await image.config_remove("rbd_cache_size")
        with pytest.raises(KeyError):
            await image.config_get("rbd_cache_size")
    with pytest.raises(rbd.InvalidArgument, match="image is closed"):
        await image.config_list()
    with pytest.raises(rbd.InvalidArgument, match="no_such"):
        await RBD.config_set(aioctx, "no_such", "x")
    with pytest.raises(KeyError):
        await RBD.config_get(aioctx, "rbd_op_threads")
    assert len(await RBD.config_list(aioctx)) > 50


async def test_direct() -> None:
    if not has("rbd_features_to_string"):
        pytest.skip("Ceph 16")
    assert RBD.features_to_string(1) == "layering"
    assert RBD.features_from_string("layering") == 1


async def test_closed(acluster: aio.Rados) -> None:
    async with acluster.open_ioctx("rbd") as ioctx:
        listing = RBD.trash_list(ioctx)
    with pytest.raises(rados.IoctxStateError):
        await listing
    with pytest.raises(rados.IoctxStateError):
        async for _ in listing:
            pass
