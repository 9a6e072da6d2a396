"""The asynchronous twins: opening and closing, every I/O call, diffs, callbacks, parity."""

from __future__ import annotations

import array
import inspect
import threading

import anyio
import pytest

from rbdcffi import aio, rados, rbd

pytestmark = pytest.mark.anyio
MIB = 1 << 20


async def test_open_by_context_and_by_await(ceph_conf: str, image_name: str, engine: str) -> None:
    async with aio.Rados(conffile=ceph_conf) as cluster, cluster.open_ioctx("rbd") as ioctx:
        async with aio.Image(ioctx, image_name, engine=engine) as image:
            assert await image.write(b"hello", 0) == 5
        assert image.closed
    assert (ioctx.state, cluster.state) == ("closed", "shutdown")

    cluster = await aio.Rados(conffile=ceph_conf)
    ioctx = await cluster.open_ioctx("rbd")
    image = await aio.Image(ioctx, image_name, engine=engine)
    assert await image.read(0, 5) == b"hello"
    await image.close()
    await image.close()
    await ioctx.close()
    await cluster.shutdown()
    await cluster.shutdown()
    with pytest.raises(rbd.InvalidArgument, match="image is closed"):
        await image.read(0, 1)


async def test_opening_what_is_not_there(aioctx: aio.Ioctx, acluster: aio.Rados) -> None:
    with pytest.raises(rbd.ImageNotFound):
        await aio.Image(aioctx, "no-such-image")
    with pytest.raises(rados.ObjectNotFound):
        async with acluster.open_ioctx("no-such-pool"):
            pass
    with pytest.raises(rbd.InvalidArgument, match="engine"):
        aio.Image(aioctx, "x", engine="steam")
    with pytest.raises(TypeError, match=r"aio\.Ioctx"):
        aio.Image(aioctx.sync, "x")  # type: ignore[arg-type]
    with pytest.raises(RuntimeError, match="not open"):
        await aio.Image(aioctx, "x").size()


async def test_io(aimage: aio.Image) -> None:
    assert await aimage.write(bytearray(b"abc") * 1000, 4096) == 3000
    assert await aimage.read(4096, 6) == b"abcabc"
    assert await aimage.read(0, 0) == b""
    assert await aimage.read(4096, 1) == b"a"
    assert len(await aimage.read(16 * MIB - 10, 100)) == 10
    target = array.array("I", bytes(4096))
    assert await aimage.readinto(4096, target) == 4096
    assert target.tobytes()[:3000] == b"abc" * 1000
    first, second = bytearray(3), bytearray(4)
    assert await aimage.readv([first, second], 4096) == 7
    assert (first, second) == (b"abc", b"abca")
    assert await aimage.writev([b"one", bytearray(b"two"), memoryview(b"three")], 100) == 11
    assert await aimage.read(100, 11) == b"onetwothree"
    await aimage.discard(0, 65536)  # less than that librbd leaves alone
    assert await aimage.read(4096, 6) == bytes(6)
    await aimage.write(b"x" * 8192, 0)
    await aimage.write_zeroes(0, 4096)
    assert await aimage.read(4090, 12) == bytes(6) + b"x" * 6
    await aimage.flush()
    assert await aimage.compare_and_write(0, bytes(512), b"n" * 512) is None
    assert await aimage.compare_and_write(0, b"n" * 100 + bytes(412), b"m" * 512) == 100
    assert await aimage.read(0, 3) == b"nnn"


async def test_errors_are_those_of_the_core(aimage: aio.Image) -> None:
    size = await aimage.size()
    for wrong in (
        lambda image: image.read(size, 1),
        lambda image: image.read(-1, 1),
        lambda image: image.read(0, -1),
        lambda image: image.read(1 << 64, 1),
        lambda image: image.read(0, None),
        lambda image: image.read("0", 1),
        lambda image: image.readinto(0, b"read-only"),
        lambda image: image.write("text", 0),
        lambda image: image.write(b"x", size),
        lambda image: image.write(b"xyz", size - 1),
        lambda image: image.write(b"x", -1),
        lambda image: image.write(b"x", None),
        lambda image: image.writev([b"xyz", b"xyz"], size - 1),
        lambda image: image.discard(size + 1, 1),
        lambda image: image.discard(-1, 1),
        lambda image: image.write_zeroes(size + 1, 1),
        lambda image: image.compare_and_write(0, b"a", b"bc"),
    ):
        with pytest.raises(Exception) as ours:
            await wrong(aimage)
        with pytest.raises(Exception) as core:
            wrong(aimage.sync)
        assert type(ours.value) is type(core.value), (ours.value, core.value)
        assert getattr(ours.value, "errno", None) == getattr(core.value, "errno", None)
        if isinstance(core.value, rbd.Error):
            assert aimage.name in str(ours.value)


async def test_snapshot_is_read_only(aimage: aio.Image) -> None:
    await aimage.write(b"then", 0)
    await aimage.create_snap("s")
    await aimage.write(b"now!", 0)
    await aimage.set_snap("s")
    assert await aimage.read(0, 4) == b"then"
    with pytest.raises(rbd.ReadOnlyImage):
        await aimage.write(b"x", 0)
    await aimage.set_snap(None)
    assert await aimage.read(0, 4) == b"now!"
    assert [snap["name"] for snap in await aimage.list_snaps()] == ["s"]


async def test_many_operations_at_once(aimage: aio.Image) -> None:
    async def one(i: int) -> None:
        await aimage.write(bytes([i % 251]) * 4096, i * 4096)
        assert await aimage.read(i * 4096, 4096) == bytes([i % 251]) * 4096

    async with anyio.create_task_group() as group:
        for i in range(512):
            group.start_soon(one, i)


async def test_diff(aimage: aio.Image) -> None:
    for i in range(0, 16, 3):
        await aimage.write(b"d" * 4096, i * MIB)
    await aimage.create_snap("s")
    await aimage.write(b"e" * 4096, 5 * MIB)
    size = await aimage.size()
    expected = list(aimage.sync.diff(0, size, None))
    assert [extent async for extent in aimage.diff(0, size, None)] == expected
    assert [extent async for extent in aimage.diff(0, size, "s")] == [(5 * MIB, 4096, True)]
    plain: list[tuple[int, int, bool]] = []
    await aimage.diff_iterate(0, size, None, lambda *extent: plain.append(extent))
    awaited: list[tuple[int, int, bool]] = []

    async def callback(*extent: object) -> None:
        await anyio.sleep(0)
        awaited.append(extent)  # type: ignore[arg-type]

    await aimage.diff_iterate(0, size, None, callback)
    assert plain == awaited == expected
    problem = ZeroDivisionError("mine")

    async def failing(*extent: object) -> None:
        raise problem

    with pytest.raises(ZeroDivisionError) as caught:
        await aimage.diff_iterate(0, size, None, failing)
    assert caught.value is problem
    with pytest.raises(rbd.ImageNotFound):
        await aimage.diff_iterate(0, size, "no such snapshot", callback)
    with pytest.raises(rbd.ImageNotFound):
        [extent async for extent in aimage.diff(0, size, "no such snapshot")]


def _diff_threads() -> int:
    return sum(thread.name == "rbdcffi-diff" for thread in threading.enumerate())


@pytest.mark.parametrize("engine", ["threads"], indirect=True)
async def test_a_diff_that_is_left_early_leaves_nothing(
    aioctx: aio.Ioctx, fresh_name: str, engine: str
) -> None:
    count = 6000
    await aio.RBD().create(aioctx, fresh_name, count * 65536, 16)
    async with aio.Image(aioctx, fresh_name, engine="completions") as image:
        async with image.writer(in_flight=64) as writer:
            for i in range(count):
                await writer.write(b"x" * 512, i * 65536)
        size = await image.size()
        async with image.diff(0, size, None) as stream:
            async for extent in stream:
                assert extent.length == 512
                break
        with anyio.move_on_after(0.2) as scope:
            async with image.diff(0, size, None) as stream:
                async for _ in stream:
                    await anyio.sleep(0.05)
        assert scope.cancelled_caught
        with anyio.fail_after(10):
            while _diff_threads():
                await anyio.sleep(0.01)
        slow = image.diff(0, size, None)
        await slow.__anext__()
        await anyio.sleep(0.3)
        # the producer waits, a bounded number of extents ahead of its consumer
        assert _diff_threads() == 1
        rest = [extent async for extent in slow]
        assert len(rest) == count - 1
        left_open = image.diff(0, size, None)
        await left_open.__anext__()
    with pytest.raises(rbd.InvalidArgument):
        while True:
            await left_open.__anext__()


async def test_progress_runs_in_the_event_loop(aimage: aio.Image, aioctx: aio.Ioctx) -> None:
    here = threading.get_ident()
    seen: list[tuple[int, int]] = []

    def plain(done: int, total: int) -> None:
        assert threading.get_ident() == here
        seen.append((done, total))

    async def awaited(done: int, total: int) -> None:
        await anyio.sleep(0)
        plain(done, total)

    await aimage.rebuild_object_map(on_progress=plain)
    count = len(seen)
    assert count
    await aimage.rebuild_object_map(on_progress=awaited)
    assert len(seen) == 2 * count
    problem = RuntimeError("mine")

    def failing(done: int, total: int) -> None:
        raise problem

    with pytest.raises(RuntimeError) as caught:
        await aimage.copy(aioctx, f"{aimage.name}-copy", on_progress=failing)
    assert caught.value is problem


async def test_chunks_writer_and_copy(aimage: aio.Image, aioctx: aio.Ioctx) -> None:
    content = bytes(range(256)) * 4096
    await aimage.write(content, 3 * MIB + 77)
    whole = await aimage.read(0, 16 * MIB)
    pieces = [piece async for piece in aimage.read_chunks(chunk=300_000, in_flight=5)]
    assert b"".join(pieces) == whole
    assert {len(piece) for piece in pieces[:-1]} == {300_000}
    part = [piece async for piece in aimage.read_chunks(100, 1000, chunk=300)]
    assert b"".join(part) == whole[100:1100]
    async for _ in aimage.read_chunks(chunk=4096, in_flight=64):
        break

    name = f"{aimage.name}-copy"
    await aio.RBD().create(aioctx, name, 16 * MIB)
    progress: list[tuple[int, int]] = []
    async with aio.Image(aioctx, name) as copy:
        await copy.write(b"left over", 12 * MIB)
        written = await aio.copy_image(
            aimage, copy, chunk=MIB, on_progress=lambda *step: progress.append(step)
        )
        assert written == 2 * MIB
        assert await copy.read(0, 16 * MIB) == whole
    assert progress[-1] == (16 * MIB, 16 * MIB)
    await aio.RBD().create(aioctx, f"{name}-small", MIB)
    async with aio.Image(aioctx, f"{name}-small") as small:
        with pytest.raises(rbd.InvalidArgument, match="smaller"):
            await aio.copy_image(aimage, small)


async def test_a_writer_reports_the_first_error(aimage: aio.Image) -> None:
    size = await aimage.size()
    writer = aimage.writer(in_flight=4)
    with pytest.raises(rbd.InvalidArgument):
        async with writer:
            await writer.write(b"good", 0)
            await writer.write(b"bad", size)
            for i in range(100):
                await writer.write(b"more", 4096 * i)
    assert writer.acknowledged >= 4
    assert await aimage.read(0, 4) in (b"good", b"more")
    with pytest.raises(ZeroDivisionError):
        async with aimage.writer() as writer:
            await writer.write(b"kept", 4)
            raise ZeroDivisionError
    assert await aimage.read(4, 4) == b"kept"


async def test_file(aimage: aio.Image) -> None:
    async with await aimage.open_file("r+") as file:
        assert await file.write(b"line one\nline two\n") == 18
        await file.seek(0)
        assert await file.readline() == b"line one\n"
        assert await file.read(4) == b"line"
        assert await file.tell() == 13
        await file.flush()
    assert await aimage.read(0, 18) == b"line one\nline two\n"
    assert not aimage.closed


async def test_objects(acluster: aio.Rados, fresh_name: str) -> None:
    assert "rbd" in await acluster.list_pools()
    assert len(await acluster.get_fsid()) == 36
    assert (await acluster.mon_command('{"prefix": "fsid"}', b""))[0] == 0
    async with acluster.open_ioctx("rbd") as ioctx:
        ioctx.set_namespace(fresh_name)
        async with anyio.create_task_group() as group:
            for i in range(1500):
                group.start_soon(ioctx.write_full, f"object-{i}", b"%d" % i)
        names = {item.key async for item in ioctx.list_objects()}
        assert names == {f"object-{i}" for i in range(1500)}
        assert await ioctx.read("object-7") == b"7"
        async with ioctx.dup() as other:
            assert await other.read("object-8") == b"8"
        async for item in ioctx.list_objects():
            await item.remove()
        assert [item async for item in ioctx.list_objects()] == []


def test_there_is_no_fourth_kind_of_method() -> None:
    """Every public method of the core has a twin, coroutine, direct or by hand."""
    callbacks = {"aio_read", "aio_write", "aio_discard", "aio_write_zeroes", "aio_flush"}
    for core, twin in (
        (rados.Rados, aio.Rados),
        (rados.Ioctx, aio.Ioctx),
        (rados.Object, aio.Object),
        (rbd.RBD, aio.RBD),
        (rbd.Image, aio.Image),
    ):
        public = {
            name
            for name, value in inspect.getmembers(core)
            if not name.startswith("_") and inspect.isfunction(value)
        }
        missing = {name for name in public if not hasattr(twin, name)}
        assert missing - callbacks == set(), core
        for name in public - missing:
            assert inspect.getdoc(getattr(twin, name)), (twin, name)
            assert "Implements:" in (inspect.getdoc(getattr(core, name)) or "") or name in {
                "require_state",
                "require_ioctx_open",
                "require_not_closed",
                "require_object_exists",
                "seek",
                "get_locator_key",
            }, (core, name)
