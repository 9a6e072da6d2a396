"""The asynchronous twins: opening and closing, every I/O call, diffs, callbacks, parity."""

from __future__ import annotations

import array
import gc
import inspect
import itertools
import sys
import threading
from collections.abc import Callable
from typing import Any

import anyio
import pytest

from rbdcffi import _handle, aio, rados, rbd

pytestmark = pytest.mark.anyio
MIB = 1 << 20
PYPY = sys.implementation.name == "pypy"


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
    assert seen
    assert seen == sorted(seen)
    last = seen[-1]
    seen.clear()
    await aimage.rebuild_object_map(on_progress=awaited)
    # reports may be left out, the last one is not
    assert seen[-1] == last
    problem = RuntimeError("mine")

    def failing(done: int, total: int) -> None:
        raise problem

    with pytest.raises(RuntimeError) as caught:
        await aimage.copy(aioctx, f"{aimage.name}-copy", on_progress=failing)
    assert caught.value is problem


async def test_progress_may_use_the_connection(aimage: aio.Image, aioctx: aio.Ioctx) -> None:
    """librbd's threads, which the connection needs, do not wait for the callback."""
    read = []

    async def reading(done: int, total: int) -> None:
        read.append(await aimage.read(0, 4096))

    with anyio.fail_after(30):
        await aimage.copy(aioctx, f"{aimage.name}-copy", on_progress=reading)
    assert read


async def test_what_was_closed_cannot_be_opened_again(
    ceph_conf: str, ioctx: rados.Ioctx, image_name: str
) -> None:
    cluster = await aio.Rados(conffile=ceph_conf)
    context = await cluster.open_ioctx(ioctx.name)
    image = await aio.Image(context, image_name)
    assert await image is image
    await image.close()
    with pytest.raises(rbd.InvalidArgument, match="image is closed"):
        await image
    with pytest.raises(rbd.InvalidArgument, match="image is closed"):
        async with image:
            pass
    await context.close()
    with pytest.raises(rados.IoctxStateError):
        await context
    await cluster.shutdown()
    with pytest.raises(rados.RadosStateError):
        await cluster


@pytest.mark.filterwarnings("ignore::ResourceWarning")
async def test_collecting_an_open_image_does_not_close_it_on_the_loop(
    aioctx: aio.Ioctx, image_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = threading.get_ident()
    closed_by: list[int] = []
    image = await aio.Image(aioctx, image_name)
    handle = image.sync._handle
    assert handle is not None
    destroy = handle._destroy

    def watched(gate: Any) -> Any:
        closed_by.append(threading.get_ident())
        return destroy(gate)

    handle._destroy = watched
    del image
    with anyio.fail_after(20):
        while not closed_by:
            gc.collect()
            _handle.reap()  # PyPy only queues what it finalizes
            await anyio.sleep(0.01)
    assert PYPY or closed_by != [here]


async def test_an_error_of_the_writer_is_not_lost_behind_one_of_the_body(aimage: aio.Image) -> None:
    with pytest.raises(KeyError) as caught:
        async with aimage.writer() as writer:
            await writer.write(b"x" * 4096, 16 * MIB - 1024)
            raise KeyError("mine")
    assert isinstance(caught.value.__context__, rbd.IncompleteWriteError)
    assert writer.error is caught.value.__context__


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


async def test_tasks_share_a_reader_and_a_writer(aimage: aio.Image) -> None:
    pieces = [bytes([number]) * 4096 for number in range(64)]
    async with aimage.writer(in_flight=3) as writer:

        async def write(first: int) -> None:
            for number in range(first, 64, 8):
                await writer.write(pieces[number], 4096 * number)

        with anyio.fail_after(30):
            async with anyio.create_task_group() as group:
                for first in range(8):
                    group.start_soon(write, first)
    assert writer.acknowledged == 64 * 4096
    found: list[bytes] = []
    reader = aimage.read_chunks(0, 64 * 4096, chunk=4096, in_flight=3)

    async def read(patience: float = 30) -> None:
        with anyio.move_on_after(patience):
            async for piece in reader:
                found.append(piece)

    with anyio.fail_after(30):
        async with anyio.create_task_group() as group:
            for number in range(8):
                # some leave while they wait for their turn, or in it
                group.start_soon(read, 30 if number % 2 else 0.001 * number)
    assert found == pieces


def test_streams_stay_in_their_event_loop(ceph_conf: str, image_name: str, ioctx: Any) -> None:
    """What was started in another loop is not waited for: that could take for ever."""
    kept: list[Any] = []

    async def begin() -> None:
        cluster = await aio.Rados(conffile=ceph_conf)
        image = await aio.Image(await cluster.open_ioctx(ioctx.name), image_name)
        writer, reader = image.writer(in_flight=1), image.read_chunks(chunk=4096, in_flight=1)
        await writer.write(b"x", 0)
        with anyio.CancelScope() as scope:
            scope.cancel()
            await reader.__anext__()
        kept.extend([cluster, image, writer, reader])

    async def go_on() -> None:
        cluster, image, writer, reader = kept
        other = r"of '.*': what was started in another event loop cannot be waited for"
        with anyio.fail_after(30):
            with pytest.raises(rbd.InvalidArgument, match=rf"Image\.writer {other}"):
                await writer.write(b"y", 0)
            with pytest.raises(rbd.InvalidArgument, match=rf"Image\.writer {other}"):
                await writer.__aexit__(None, None, None)
            if reader._window:
                with pytest.raises(rbd.InvalidArgument, match=rf"Image\.read_chunks {other}"):
                    await reader.__anext__()
            # new ones work; not where the other write may still be under way
            async with image.writer() as fresh:
                await fresh.write(b"z", 4096)
            assert await image.read(4096, 1) == b"z"
            await cluster.shutdown()

    for first, second in itertools.product(("asyncio", "trio"), repeat=2):
        kept.clear()
        anyio.run(begin, backend=first)
        anyio.run(go_on, backend=second)


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
    callbacks = {n for n in (*dir(rbd.Image), *dir(rados.Ioctx)) if n.startswith("aio_")}
    callbacks |= {"aio_open_image"}
    callbacks |= {"operate_aio_read_op", "operate_aio_write_op"}
    callbacks |= {"monitor_log2"}  # monitor_log is a stream in the facade
    callbacks |= {"update_watch", "quiesce_watch"}  # updates and quiesce_hooks in the facade
    for core, twin in (
        (rados.Rados, aio.Rados),
        (rados.Ioctx, aio.Ioctx),
        (rados.Object, aio.Object),
        (rbd.RBD, aio.RBD),
        (rbd.Image, aio.Image),
        (rbd.Group, aio.Group),
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
                "get_namespace",
            }, (core, name)


async def test_errors_name_the_call(aimage: aio.Image) -> None:
    """On both engines, the call that was made, the image and the reason."""
    label = f"'{aimage.sync}'"
    bad: Any = 5
    calls: dict[str, list[Callable[[], Any]]] = {
        "read": [lambda: aimage.read("0", 1), lambda: aimage.read(0, 1.5)],  # type: ignore[arg-type]
        "readinto": [
            lambda: aimage.readinto(0, bad),
            lambda: aimage.readinto(0, b"x"),
            lambda: aimage.readinto("0", bytearray(1)),  # type: ignore[arg-type]
        ],
        "readv": [
            lambda: aimage.readv(bad, 0),
            lambda: aimage.readv([bytearray(1), bad], 0),
            lambda: aimage.readv([bytearray(1)], 1.5),  # type: ignore[arg-type]
        ],
        "write": [lambda: aimage.write(bad, 0), lambda: aimage.write(b"a", None)],  # type: ignore[arg-type]
        "writev": [lambda: aimage.writev(bad, 0), lambda: aimage.writev([b"a", "b"], 0)],
        "discard": [lambda: aimage.discard("0", 1)],  # type: ignore[arg-type]
        "write_zeroes": [lambda: aimage.write_zeroes(0, None)],  # type: ignore[arg-type]
        "compare_and_write": [lambda: aimage.compare_and_write(0, bad, b"a")],
        "diff_iterate": [lambda: aimage.diff_iterate(0, 1, None, bad)],
        "resize": [lambda: aimage.resize("x")],  # type: ignore[arg-type]
        "open_file": [lambda: aimage.open_file(bad)],
    }
    for name, several in calls.items():
        for call in several:
            with pytest.raises(TypeError, match=rf"^Image\.{name} of {label}: ") as caught:
                await call()
            assert str(caught.value).count("Image.") == 1
    end = await aimage.size()
    with pytest.raises(rbd.InvalidArgument, match=rf"Image\.readinto\(.* of {label}"):
        await aimage.readinto(end + 1, bytearray(1))
    with pytest.raises(rbd.InvalidArgument, match=rf"Image\.readv\(.* of {label}"):
        await aimage.readv([bytearray(1)], end + 1)
    with pytest.raises(rbd.InvalidArgument, match=rf"Image\.writev\(.* of {label}"):
        await aimage.writev([b"a"], end + 1)
    with pytest.raises(rbd.IncompleteWriteError, match=rf"Image\.writev\(.* of {label}"):
        await aimage.writev([b"ab"], end - 1)
    assert await aimage.read(0, 1) == b"\0"


async def test_integers_of_other_kinds(aimage: aio.Image) -> None:
    class Index:
        def __init__(self, value: int) -> None:
            self.value = value

        def __index__(self) -> int:
            return self.value

    n: Any = Index
    assert await aimage.write(b"abcdef", n(1)) == 6
    assert await aimage.writev([b"gh", b"i"], n(7)) == 3
    assert await aimage.read(n(1), n(9)) == b"abcdefghi"
    target = bytearray(4)
    assert await aimage.readinto(n(2), target) == 4 and target == b"bcde"
    assert await aimage.readv([target], n(3)) == 4 and target == b"cdef"
    assert await aimage.compare_and_write(n(1), b"a", b"A") is None
    await aimage.write_zeroes(n(2), n(1))
    assert await aimage.read(0, 4) == b"\0A\0c"
    await aimage.discard(n(0), n(65536))


async def test_wrong_objects(aioctx: aio.Ioctx, acluster: aio.Rados, image_name: str) -> None:
    bad: Any = 5
    with pytest.raises(TypeError, match=r"^Image\(\): ioctx must be an rbdcffi\.aio\.Ioctx, not"):
        aio.Image(bad, "x")
    with pytest.raises(TypeError, match=r"^Ioctx\(\): cluster must be an rbdcffi\.aio\.Rados"):
        aio.Ioctx(bad, bad)
    with pytest.raises(TypeError, match=r"^Ioctx\(\): opener must be callable"):
        aio.Ioctx(acluster, bad)
    with pytest.raises(TypeError, match=r"^Object\(\): sync must be an rbdcffi\.rados\.Object"):
        aio.Object(bad)
    with pytest.raises(TypeError, match=r"^RBD\.list: ioctx must be an rbdcffi\.aio\.Ioctx"):
        await aio.RBD().list(bad)
    with pytest.raises(TypeError, match=r"^RBD\.create: ioctx must be an rbdcffi\.aio\.Ioctx"):
        await aio.RBD().create(aioctx.sync, "x", 1)  # type: ignore[arg-type]
    async with aio.Image(aioctx, image_name) as image:
        with pytest.raises(TypeError, match=r"^Image\.copy of .*: dest_ioctx must be"):
            await image.copy(bad, "x")
        for chunk in ("x", 1.5, None):
            with pytest.raises(TypeError, match=r"Image\.read_chunks of .*: chunk must be an int"):
                image.read_chunks(chunk=chunk)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match=r"Image\.writer of .*: in_flight must be an int"):
            image.writer(in_flight=bad and "x")
    with pytest.raises(RuntimeError, match="not open"):
        await aio.Image.__new__(aio.Image).size()
    with pytest.raises(RuntimeError, match="not open"):
        await aio.Ioctx.__new__(aio.Ioctx).read("x")
    with pytest.raises(rados.RadosStateError, match="never opened"):
        await aio.Rados.__new__(aio.Rados).connect()
    with pytest.raises(rados.RadosStateError, match="never opened"):
        await aio.Rados.__new__(aio.Rados).get_fsid()
    for cls in (aio.Rados, aio.Ioctx, aio.Image):
        repr(cls.__new__(cls))


@pytest.mark.not_on_ceph(14, reason="seen: a client that failed to connect finds no monitor later")
async def test_connect_again(ceph_conf: str) -> None:
    cluster = aio.Rados(conffile=ceph_conf)
    works = await cluster.conf_get("mon_host")
    assert works
    await cluster.conf_set("mon_host", "127.0.0.1:1")
    for _ in range(2):
        with pytest.raises(rados.TimedOut, match=r"Rados\.connect"):
            await cluster.connect(0.2)
    with pytest.raises(TypeError, match=r"Rados\.connect: timeout must be a number"):
        await cluster.connect("x")  # type: ignore[arg-type]
    await cluster.conf_set("mon_host", works)
    await cluster.connect(30)
    assert cluster.state == "connected"
    await cluster.shutdown()


async def test_writes_know_the_size_after_a_change(
    aimage: aio.Image, aioctx: aio.Ioctx, ceph_conf: str
) -> None:
    """Changes by this object, another one and another client; nothing is cut off silently."""
    block = b"x" * 4096

    async def cut_off(size: int) -> None:
        assert await aimage.write(block, size - 4096) == 4096
        with pytest.raises(rbd.IncompleteWriteError):
            await aimage.write(block, size - 1024)
        async with aimage.writer() as writer:
            await writer.write(block, size - 4096)
        with pytest.raises(rbd.IncompleteWriteError):
            async with aimage.writer() as writer:
                await writer.write(block, size - 1024)

    await cut_off(16 * MIB)
    await aimage.resize(8 * MIB)
    await cut_off(8 * MIB)
    await aimage.create_snap("small")
    await aimage.resize(12 * MIB)
    await cut_off(12 * MIB)
    await aimage.rollback_to_snap("small")
    await cut_off(8 * MIB)
    async with aio.Rados(conffile=ceph_conf) as other, other.open_ioctx(aioctx.name) as ioctx:
        async with aio.Image(ioctx, aimage.name) as theirs:
            for size in (6 * MIB, 10 * MIB, 2 * MIB):
                await theirs.resize(size)
                with anyio.fail_after(20):
                    # the news takes a moment
                    while await aimage.size() != size:
                        await anyio.sleep(0.01)
                await anyio.sleep(0.1)
                await cut_off(size)
