"""Metadata, families, snapshot facts, copies, migration and encryption, asynchronously."""

from __future__ import annotations

import json
from datetime import timezone
from pathlib import Path

import pytest
from conftest import MIB

from rbdcffi import aio, rbd
from rbdcffi._ffi import has

pytestmark = pytest.mark.anyio


async def test_metadata(aimage: aio.Image) -> None:
    pairs = [(f"key-{number:03}", "v") for number in range(40)]
    for key, value in pairs:
        await aimage.metadata_set(key, value)
    assert await aimage.metadata_list() == pairs
    assert await aimage.metadata_get("key-001") == "v"
    await aimage.metadata_remove("key-001")
    with pytest.raises(KeyError):
        await aimage.metadata_get("key-001")


async def test_facts_and_snapshots(aimage: aio.Image, aioctx: aio.Ioctx) -> None:
    assert (await aimage.create_timestamp()).tzinfo is timezone.utc
    assert await aimage.group() == {"pool": -1, "name": ""}
    await aimage.create_snap("snap")
    (snap,) = await aimage.list_snaps()
    assert (await aimage.get_snap_timestamp(snap["id"])).tzinfo is timezone.utc
    name = f"{aimage.name}-clone"
    await aio.RBD().clone(aioctx, aimage.name, "snap", aioctx, name, clone_format=2)
    assert [child["image"] for child in await aimage.list_children2()] == [name]
    async with aio.Image(aioctx, name) as child:
        assert await child.parent_id() == await aimage.id()
        assert (await child.get_parent_image_spec())["snap_id"] == snap["id"]
    await aimage.set_snap_by_id(snap["id"])
    with pytest.raises(rbd.ReadOnlyImage):
        await aimage.write(b"x", 0)
    await aimage.set_snap_by_id(None)
    await aimage.remove_snap_by_id(snap["id"])


async def test_copies(aimage: aio.Image, aioctx: aio.Ioctx) -> None:
    await aimage.write(b"data" + bytes(MIB), 0)
    await aimage.create_snap("snap")
    seen: list[tuple[int, int]] = []
    await aimage.sparsify(65536, on_progress=lambda *step: seen.append(step))
    name = f"{aimage.name}-deep"
    await aimage.deep_copy(aioctx, name, on_progress=lambda *step: seen.append(step))
    assert seen
    async with aio.Image(aioctx, name) as copied:
        assert await copied.read(0, 4) == b"data"
        assert [snap["name"] for snap in await copied.list_snaps()] == ["snap"]


async def test_migration(aioctx: aio.Ioctx, fresh_name: str, tmp_path: Path) -> None:
    operations = aio.RBD()
    await operations.create(aioctx, fresh_name, 16 * MIB)
    await operations.migration_prepare(aioctx, fresh_name, aioctx, fresh_name)
    assert (await operations.migration_status(aioctx, fresh_name))["dest_image_name"] == fresh_name
    seen: list[tuple[int, int]] = []
    await operations.migration_execute(aioctx, fresh_name, lambda *step: seen.append(step))
    await operations.migration_commit(aioctx, fresh_name)
    assert seen
    if has("rbd_migration_prepare_import"):
        disk = tmp_path / "disk.raw"
        disk.write_bytes(b"raw" + bytes(MIB))
        spec = {"type": "raw", "stream": {"type": "file", "file_path": str(disk)}}
        name = f"{fresh_name}-imported"
        await operations.migration_prepare_import(json.dumps(spec), aioctx, name)
        async with aio.Image(aioctx, name) as image:
            assert await image.migration_source_spec() == spec
            assert await image.read(0, 3) == b"raw"
        await operations.migration_abort(aioctx, name)


@pytest.mark.skipif(not has("rbd_encryption_format"), reason="needs Ceph 16")
async def test_errors_of_encryption(aimage: aio.Image) -> None:
    with pytest.raises(rbd.InvalidArgument, match="encryption_load"):
        await aimage.encryption_load(rbd.RBD_ENCRYPTION_FORMAT_LUKS1, "secret")
    with pytest.raises(rbd.OperationNotSupported):
        await aimage.encryption_format(9, "secret")
