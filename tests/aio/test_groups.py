"""Consistency groups, asynchronously."""

from __future__ import annotations

import anyio
import pytest

from rbdcffi import aio, rados, rbd
from rbdcffi._ffi import has

pytestmark = pytest.mark.anyio
MIB = 1 << 20


@pytest.fixture
async def group(aioctx: aio.Ioctx, fresh_name: str) -> aio.Group:
    """A new group of two new images."""
    await aio.RBD().group_create(aioctx, fresh_name)
    group = aio.Group(aioctx, fresh_name)
    for suffix in "ab":
        await aio.RBD().create(aioctx, f"{fresh_name}-{suffix}", 8 * MIB)
        await group.add_image(aioctx, f"{fresh_name}-{suffix}")
    return group


async def test_groups(aioctx: aio.Ioctx, fresh_name: str) -> None:
    instance = aio.RBD()
    await instance.group_create(aioctx, fresh_name)
    with pytest.raises(rbd.ObjectExists):
        await instance.group_create(aioctx, fresh_name)
    await instance.group_rename(aioctx, fresh_name, f"{fresh_name}-x")
    names = await instance.group_list(aioctx)
    assert f"{fresh_name}-x" in names and fresh_name not in names
    await instance.group_remove(aioctx, f"{fresh_name}-x")
    assert f"{fresh_name}-x" not in await instance.group_list(aioctx)


async def test_group(aioctx: aio.Ioctx, group: aio.Group) -> None:
    names = [f"{group.name}-a", f"{group.name}-b"]
    assert sorted(image["name"] for image in await group.list_images()) == names
    async with aio.Image(aioctx, names[0]) as image, aio.Group(aioctx, group.name) as same:
        await image.write(b"old", 0)
        await same.create_snap("s")
        await image.write(b"new", 0)
        seen: list[tuple[int, int]] = []

        async def progress(done: int, total: int) -> None:
            await anyio.sleep(0)
            seen.append((done, total))

        await same.rollback_to_snap("s", on_progress=progress)
        assert seen and await image.read(0, 3) == b"old"
        identifier = await image.id()
    await group.create_snap("t", 0)
    await group.rename_snap("t", "u")
    assert sorted(snap["name"] for snap in await group.list_snaps()) == ["s", "u"]
    if has("rbd_group_snap_get_info"):
        info = await group.get_snap_info("s")
        assert info in list(await group.list_snaps())
        assert await group.id() in info["image_snap_name"]
    else:
        # absent, as in the core
        assert not hasattr(group, "get_snap_info") and not hasattr(group, "id")
    await group.remove_snap("s")
    await group.remove_image(aioctx, image_id=identifier)
    await group.remove_image(aioctx, names[1])
    assert list(await group.list_images()) == []
    assert [snap["name"] for snap in await group.list_snaps()] == ["u"]


async def test_wrong_arguments(acluster: aio.Rados, aioctx: aio.Ioctx, group: aio.Group) -> None:
    with pytest.raises(TypeError, match=r"aio\.Ioctx"):
        aio.Group(aioctx.sync, "x")  # type: ignore[arg-type]
    with pytest.raises(rbd.InvalidArgument, match="name"):
        aio.Group(aioctx, None)  # type: ignore[arg-type]
    with pytest.raises(RuntimeError, match="not open"):
        aio.Group(acluster.open_ioctx("rbd"), "x")
    with pytest.raises(rbd.ObjectNotFound):
        await aio.Group(aioctx, "no-such-group").create_snap("s")
    with pytest.raises(rbd.ObjectNotFound):
        await group.rollback_to_snap("no-such-snapshot")
    async with acluster.open_ioctx("rbd") as context:
        closed = aio.Group(context, group.name)
    with pytest.raises(rados.IoctxStateError):
        await closed.list_images()


async def test_snapshots_at_once(aioctx: aio.Ioctx, group: aio.Group) -> None:
    """They take turns; cancelling leaves no turn taken."""
    async with aio.Image(aioctx, f"{group.name}-a") as image:
        stop = False

        async def write() -> None:
            number = 0
            while not stop:
                number += 1
                await image.write(b"x" * 4096, number % 1000 * 4096)

        with anyio.fail_after(60):
            async with anyio.create_task_group() as writing:
                writing.start_soon(write)
                async with anyio.create_task_group() as tasks:
                    for number in range(6):
                        tasks.start_soon(group.create_snap, f"snap-{number}")
                with anyio.move_on_after(0.01):
                    await group.create_snap("cancelled")
                await group.create_snap("after")
                stop = True
    names = {snap["name"] for snap in await group.list_snaps()}
    assert names >= {"after", *(f"snap-{number}" for number in range(6))}
