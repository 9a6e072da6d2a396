"""Calls on objects, on each kind of event loop and each engine."""

from __future__ import annotations

import asyncio
import errno
import gc
import mmap
import random
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import anyio
import pytest

from rbdcffi import aio, rados
from rbdcffi._ffi import has, lib
from rbdcffi.aio._engine import _engines
from rbdcffi.testing import Cluster

pytestmark = pytest.mark.anyio
MIB = 1 << 20
PYPY = sys.implementation.name == "pypy"


@pytest.fixture
async def objects(acluster: aio.Rados, ioctx: rados.Ioctx, engine: str) -> AsyncIterator[aio.Ioctx]:
    """A pool on each engine."""
    async with acluster.open_ioctx(ioctx.name, engine=engine) as context:
        assert context.engine == engine
        yield context


@pytest.fixture
def stoppable(ceph_cluster_factory: Any) -> Iterator[Cluster]:
    """A cluster whose OSD may be paused."""
    cluster: Cluster = ceph_cluster_factory(conf={"osd heartbeat grace": 3600})
    yield cluster
    cluster.osds[0].resume()


async def idle(ioctx: aio.Ioctx) -> None:
    """Until nothing is in flight; C lets go of the context a moment after it has told."""
    with anyio.fail_after(20):
        while lib.rbdcffi_handle_uses(ioctx.sync._gate):
            await anyio.sleep(0.01)


async def test_every_call(objects: aio.Ioctx, fresh_name: str) -> None:
    io, key = objects, fresh_name
    assert await io.write(key, b"hello") == 0
    assert await io.write(key, bytearray(b"J")) == 0
    assert await io.append(key, memoryview(b" world")) == 0
    assert await io.read(key) == b"Jello world"
    assert await io.read(key, 3, 2) == b"llo"
    assert await io.read(key, 1) == b"J"
    # as in the standard binding: librados reads all of it, into no room
    with pytest.raises(rados.OSError, match=r"read\(0~0\)"):
        await io.read(key, 0)
    assert await io.read(key, 5, 1000) == b""
    assert await io.write_full(key, b"whole") == 0
    assert await io.stat(key) == io.sync.stat(key)
    assert (await io.stat(key))[0] == 5
    if has("rados_stat2"):
        assert await io.stat2(key) == io.sync.stat2(key)
    assert await io.set_xattr(key, "k", b"v") is True
    assert await io.set_xattr(key, "big", b"x" * 50000) is True
    assert await io.set_xattr(key, "empty", b"") is True
    assert await io.get_xattr(key, "k") == b"v"
    assert await io.get_xattr(key, "empty") == b""
    assert await io.get_xattr(key, "big") == b"x" * 50000
    pairs = await io.get_xattrs(key)
    assert isinstance(pairs, rados.XattrIterator)
    assert dict(pairs) == {"k": b"v", "big": b"x" * 50000, "empty": b""}
    assert await io.rm_xattr(key, "k") is True
    with pytest.raises(rados.NoData, match=rf"get_xattr\('k'\).*{key}"):
        await io.get_xattr(key, "k")
    await io.aio_flush()
    assert await io.trunc(key, 2) == 0
    assert await io.read(key) == b"wh"
    assert await io.checksum(key) == io.sync.checksum(key)
    await io.set_alloc_hint2(key, 4096, 4096)
    assert await io.remove_object(key) is True
    for call in (io.read, io.stat, io.remove_object, io.get_xattrs):
        with pytest.raises(rados.ObjectNotFound, match=rf"Ioctx\.\w+.* of object '{key}'"):
            await call(key)


async def test_wrong_arguments(objects: aio.Ioctx, fresh_name: str) -> None:
    io, key = objects, fresh_name
    for call, args in (
        (io.read, (key, "x")),
        (io.read, (key, 5, "x")),
        (io.read, (5,)),
        (io.write, (key, "text")),
        (io.write, (key, b"", None)),
        (io.write_full, (None, b"")),
        (io.append, (key, 5)),
        (io.stat, (5,)),
        (io.set_xattr, (key, 5, b"")),
        (io.set_xattr, (key, "k", "v")),
        (io.rm_xattr, (key, None)),
    ):
        with pytest.raises(TypeError, match=rf"Ioctx\.{call.__name__} of "):
            await call(*args)
    for call, args in ((io.read, (key, -1)), (io.read, (key, 5, -1)), (io.write, (key, b"", -1))):
        with pytest.raises(OverflowError, match=rf"Ioctx\.{call.__name__} of object '{key}'"):
            await call(*args)
    with pytest.raises(rados.InvalidArgumentError, match="engine must be"):
        io.cluster.open_ioctx("rbd", engine="x")
    assert io.dup().engine == io.engine
    await io.close()
    with pytest.raises(rados.IoctxStateError, match="pool is closed"):
        await io.read(key)
    with pytest.raises(rados.IoctxStateError, match=r"aio_flush of pool.*closed"):
        await io.aio_flush()


async def test_many_at_once(objects: aio.Ioctx, fresh_name: str) -> None:
    """More than librados lets be in flight: it makes worker threads wait, not the event loop."""
    count = 3000
    running = True
    longest = 0.0

    async def watch() -> None:
        nonlocal longest
        while running:
            started = time.perf_counter()
            await anyio.sleep(0.01)
            longest = max(longest, time.perf_counter() - started)

    async def one(i: int) -> None:
        key = f"{fresh_name}-{i % 500}"
        await objects.write(key, i.to_bytes(4, "little"), 4 * (i // 500))

    async with anyio.create_task_group() as group:
        group.start_soon(watch)
        async with anyio.create_task_group() as work:
            for i in range(count):
                work.start_soon(one, i)
        running = False
    assert longest < 3
    for i in range(500):
        content = await objects.read(f"{fresh_name}-{i}")
        assert content == b"".join((i + 500 * j).to_bytes(4, "little") for j in range(count // 500))
    await idle(objects)


async def test_the_loop_never_waits_for_room(stoppable: Cluster, fresh_name: str) -> None:
    """On a cluster that hangs, more is started than librados takes; images are open beside."""
    async with aio.Rados(conffile=stoppable.conf) as cluster:
        async with cluster.open_ioctx("rbd", engine="completions") as io:
            await io.write_full(fresh_name, b"x" * MIB)
            stoppable.osds[0].pause()
            with anyio.move_on_after(1) as scope:
                async with anyio.create_task_group() as group:
                    for _ in range(1500):
                        group.start_soon(io.stat, fresh_name)
                    for _ in range(200):
                        group.start_soon(io.read, fresh_name, MIB)
            assert scope.cancelled_caught
            # cancelled operations are taken back: closing does not wait for the cluster
            await idle(io)
            with anyio.fail_after(20):
                await io.close()
            stoppable.osds[0].resume()
        async with cluster.open_ioctx("rbd", engine="completions") as io:
            await aio.RBD().create(io, fresh_name, MIB)
            async with aio.Image(io, fresh_name):
                # started in a worker thread
                assert len(await io.read(fresh_name, MIB)) == MIB
            assert await io.read(fresh_name, 3) == b"xxx"


async def test_a_call_that_is_cancelled(stoppable: Cluster, fresh_name: str) -> None:
    async with aio.Rados(conffile=stoppable.conf) as cluster:
        async with cluster.open_ioctx("rbd", engine="completions") as io:
            await io.write_full(fresh_name, b"before")
            stoppable.osds[0].pause()
            started = time.perf_counter()
            with anyio.move_on_after(0.1) as scope:
                await io.write_full(fresh_name, bytearray(b"after!"))
            assert scope.cancelled_caught
            with anyio.move_on_after(0.1) as scope:
                await io.read(fresh_name)
            assert scope.cancelled_caught
            with anyio.fail_after(10):
                await io.aio_flush()  # nothing to wait for: both were taken back
            assert time.perf_counter() - started < 5
            stoppable.osds[0].resume()
            assert await io.read(fresh_name) in (b"before", b"after!")


async def test_cancel_storm(objects: aio.Ioctx, fresh_name: str) -> None:
    """Cancelled at random: an object holds the last acknowledged write, or a cancelled one."""
    chance = random.Random(objects.engine)
    #: what may be read: the last acknowledged write, and those after it that were cancelled
    possible: list[set[int]] = [{0} for _ in range(40)]
    for number in range(40):
        await objects.write_full(f"{fresh_name}-{number}", bytes(4096))
    cancelled = 0

    async def work(number: int) -> None:
        nonlocal cancelled
        key = f"{fresh_name}-{number}"
        for value in range(1, 25):
            possible[number].add(value)
            with anyio.move_on_after(chance.random() * 0.006) as scope:
                await objects.write_full(key, bytes([value]) * 4096)
                possible[number] = {value}
                data = await objects.read(key, 4096)
                assert data == bytes([value]) * 4096
                await objects.set_xattr(key, "k", bytes([value]))
            cancelled += scope.cancelled_caught

    async with anyio.create_task_group() as group:
        for number in range(40):
            group.start_soon(work, number)
    await objects.aio_flush()
    assert cancelled > 100
    for number in range(40):
        data = await objects.read(f"{fresh_name}-{number}", 4096)
        assert data[0] in possible[number] and data == data[:1] * 4096
    await idle(objects)


async def test_native_cancel(anyio_backend: Any, objects: aio.Ioctx, fresh_name: str) -> None:
    """asyncio's own cancellation goes through every shield; the context is closed under it."""
    if anyio_backend == "trio":
        pytest.skip("native asyncio cancellation")
    chance = random.Random(5)

    async def work(number: int) -> None:
        io = objects
        key = f"{fresh_name}-{number % 7}"
        while True:
            await io.write(key, b"w" * 65536, chance.randrange(10) * 65536)
            await io.read(key, MIB)
            await asyncio.wait_for(io.set_xattr(key, "k", b"v" * 1000), 0.001)

    for _ in range(3):
        tasks = [asyncio.ensure_future(work(number)) for number in range(100)]
        await asyncio.sleep(0.1)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    await objects.close()
    gc.collect()


async def test_closed_with_hundreds_in_flight(objects: aio.Ioctx, fresh_name: str) -> None:
    done: list[object] = []

    async def one(number: int) -> None:
        try:
            done.append(await objects.write_full(f"{fresh_name}-{number}", b"x" * 4096))
        except rados.IoctxStateError:
            done.append(None)

    async with anyio.create_task_group() as group:
        for number in range(400):
            group.start_soon(one, number)
        await anyio.sleep(0.005)
        await objects.close()
    assert len(done) == 400
    await idle(objects)
    assert all(not e._pending for e in _engines if not e._ended())


async def test_two_loops_one_connection(objects: aio.Ioctx, fresh_name: str) -> None:
    """Another loop, in another thread, that ends with operations in flight."""
    await objects.write_full(fresh_name, b"x" * MIB)
    errors: list[BaseException] = []

    async def leave() -> None:
        tasks = [asyncio.ensure_future(objects.read(fresh_name, MIB)) for _ in range(150)]
        await asyncio.sleep(0)
        await asyncio.wait(tasks, timeout=0.01)

    def other() -> None:
        try:
            asyncio.run(leave())
        except BaseException as error:
            errors.append(error)

    if objects.engine == "threads":
        # anyio's limiter of the connection's loop is none of another one's
        pytest.skip("the completion engine")
    threads = [threading.Thread(target=other) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(20):
        assert len(await objects.read(fresh_name, MIB)) == MIB
    for thread in threads:
        await anyio.to_thread.run_sync(thread.join)
    assert errors == []
    await idle(objects)


@pytest.mark.parametrize("how", ["exit", "os._exit", "error", "hang"])
def test_a_process_that_ends_in_between(
    ceph_conf: str, stoppable: Cluster, fresh_name: str, how: str
) -> None:
    conf = stoppable.conf if how == "hang" else ceph_conf
    text = textwrap.dedent(
        f"""
        import asyncio, os, sys
        import rbdcffi._handle
        from rbdcffi import aio
        rbdcffi._handle.EXIT_TIMEOUT = 1.0
        async def main():
            cluster = await aio.Rados(conffile={conf!r})
            io = await cluster.open_ioctx("rbd", engine="completions")
            await io.write_full({fresh_name!r}, b"x")
            if {how!r} == "hang":
                os.kill({stoppable.osds[0].pid}, 19)
            tasks = [asyncio.ensure_future(io.read({fresh_name!r}, 1 << 20)) for _ in range(200)]
            tasks += [
                asyncio.ensure_future(io.write_full({fresh_name!r}, b"y" * 4096))
                for _ in range(200)
            ]
            await asyncio.sleep(0)
            print("started", flush=True)
            if {how!r} == "os._exit":
                os._exit(0)
            if {how!r} == "error":
                raise SystemExit(0)
            if {how!r} == "hang":
                # the loop ends, and takes its tasks along
                asyncio.get_running_loop().stop()
                await asyncio.sleep(5)
        if {how!r} == "hang":
            loop = asyncio.new_event_loop()
            loop.create_task(main())
            loop.run_forever()
        else:
            asyncio.run(main())
        """
    )
    started = time.monotonic()
    try:
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", text],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    finally:
        stoppable.osds[0].resume()
    assert done.returncode == 0, done.stderr
    assert done.stdout == "started\n"
    assert time.monotonic() - started < 30


@pytest.mark.parametrize("asked", [False, True])
async def test_the_first_call_after_the_end(
    ceph_conf: str, ioctx: rados.Ioctx, fresh_name: str, engine: str, asked: bool
) -> None:
    """It is the context that is closed, whatever was asked of the cluster first."""
    cluster = await aio.Rados(conffile=ceph_conf)
    context = await cluster.open_ioctx(ioctx.name, engine=engine)
    if asked:
        await context.write_full(fresh_name, b"x")
    await cluster.shutdown()
    what = rf"\(Ioctx\.%s.* of object '{fresh_name}' in pool '{ioctx.name}': the pool is closed\)$"
    for call, *args in (
        (context.read,),
        (context.write, b"x"),
        (context.stat,),
        (context.set_xattr, "a", b"x"),
    ):
        with pytest.raises(rados.IoctxStateError, match=what % call.__name__):
            await call(fresh_name, *args)  # type: ignore[operator]


async def test_attributes_that_are_too_long(objects: aio.Ioctx, fresh_name: str) -> None:
    if PYPY:
        pytest.skip("it would copy gigabytes")
    big = mmap.mmap(-1, (1 << 31) - 1)
    with pytest.raises(rados.OSError, match=r"Ioctx\.set_xattr of .*name and value") as caught:
        await objects.set_xattr(fresh_name, "a", big)
    assert caught.value.errno == errno.E2BIG
