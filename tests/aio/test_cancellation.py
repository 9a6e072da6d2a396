"""Cancelling, timing out, closing and ending with operations in flight; a responsive loop."""

from __future__ import annotations

import asyncio
import gc
import os
import random
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator

import anyio
import pytest

from rbdcffi import aio, rbd
from rbdcffi._ffi import lib
from rbdcffi.aio._engine import _engines
from rbdcffi.testing import Cluster

pytestmark = pytest.mark.anyio
MIB = 1 << 20


@pytest.fixture
def stoppable(ceph_cluster_factory) -> Iterator[Cluster]:
    """A cluster whose OSD may be paused."""
    cluster: Cluster = ceph_cluster_factory(conf={"osd heartbeat grace": 3600})
    yield cluster
    cluster.osds[0].resume()


async def _opened(cluster: Cluster, name: str, engine: str) -> tuple[aio.Rados, aio.Image]:
    connection = await aio.Rados(conffile=cluster.conf)
    ioctx = await connection.open_ioctx("rbd")
    await aio.RBD().create(ioctx, name, 64 * MIB)
    return connection, await aio.Image(ioctx, name, engine=engine)


async def _tick(ticks: list[float]) -> None:
    while True:
        await anyio.sleep(0.005)
        ticks.append(time.perf_counter())


async def test_the_loop_stays_responsive(stoppable: Cluster, fresh_name: str, engine: str) -> None:
    connection, image = await _opened(stoppable, fresh_name, engine)
    ticks: list[float] = []

    async def open_and_close() -> None:
        async with aio.Image(image.ioctx, fresh_name, read_only=True):
            pass

    async with connection, anyio.create_task_group() as group:
        await image.write(b"x" * 4 * MIB, 0)
        group.start_soon(_tick, ticks)
        await anyio.sleep(0.05)

        stoppable.osds[0].pause()
        threading.Timer(1.0, stoppable.osds[0].resume).start()
        started = time.perf_counter()
        async with anyio.create_task_group() as stopped:
            stopped.start_soon(image.write, b"y" * 4096, 0)
            stopped.start_soon(image.flush)
            stopped.start_soon(image.create_snap, "s")
            stopped.start_soon(image.diff_iterate, 0, 64 * MIB, None, lambda *extent: None)
            stopped.start_soon(open_and_close)
        waited = time.perf_counter() - started
        assert waited > 0.8
        # a call that blocked the loop would have left no tick
        assert sum(started < tick < started + waited for tick in ticks) > 20

        before = len(ticks)
        async with anyio.create_task_group() as heavy:
            for i in range(64):
                heavy.start_soon(image.read, (i % 16) * 4 * MIB, 4 * MIB)
            heavy.start_soon(image.diff_iterate, 0, 64 * MIB, None, lambda *extent: None)
        group.cancel_scope.cancel()
    assert len(ticks) > before


async def test_a_scope_that_is_cancelled(stoppable: Cluster, fresh_name: str, engine: str) -> None:
    """The completion engine returns at once; a thread is waited for."""
    connection, image = await _opened(stoppable, fresh_name, engine)
    async with connection:
        await image.write(b"before", 0)
        stoppable.osds[0].pause()
        threading.Timer(1.0, stoppable.osds[0].resume).start()
        started = time.perf_counter()
        with anyio.move_on_after(0.2) as scope:
            await image.write(b"after!", 0)
        took = time.perf_counter() - started
        if engine == "completions":
            assert scope.cancelled_caught
            assert took < 0.8
        else:
            assert took > 0.8
        await image.flush()
        # cancelled or not, C was given the buffer and kept it
        assert await image.read(0, 6) == b"after!"


@pytest.mark.parametrize("engine", ["threads"], indirect=True)
async def test_opening_and_connecting_return_on_time(
    stoppable: Cluster, fresh_name: str, engine: str
) -> None:
    connection, image = await _opened(stoppable, fresh_name, engine)
    async with connection:
        await image.close()
        stoppable.osds[0].pause()
        started = time.perf_counter()
        with anyio.move_on_after(0.3) as scope:
            async with aio.Image(image.ioctx, fresh_name):
                pass
        assert scope.cancelled_caught
        assert time.perf_counter() - started < 2
        stoppable.osds[0].resume()
        # the late image was closed: nothing watches the image any more
        with anyio.fail_after(20):
            while True:
                try:
                    await aio.RBD().remove(image.ioctx, fresh_name)
                    break
                except rbd.ImageBusy:
                    await anyio.sleep(0.1)
    started = time.perf_counter()
    with anyio.move_on_after(0.3) as scope:
        async with aio.Rados(conf={"mon_host": "127.0.0.1:9"}, timeout=2):
            pass
    assert scope.cancelled_caught
    assert time.perf_counter() - started < 2


async def test_cancel_storm(aioctx: aio.Ioctx, fresh_name: str, engine: str) -> None:
    """Operations cancelled at random while images are opened and closed: nothing leaks, and data
    is what was acknowledged."""
    chance = random.Random(engine)
    await aio.RBD().create(aioctx, fresh_name, 16 * MIB)
    size = 4096
    blocks = 16 * MIB // size
    # what a block may hold: the last acknowledged write, or a later one that was cancelled
    possible = [{0} for _ in range(blocks)]

    async def one(image: aio.Image, block: int, value: int) -> None:
        possible[block].add(value)
        assert await image.write(bytes([value]) * size, block * size) == size
        possible[block] = {value}
        assert await image.read(block * size, size) == bytes([value]) * size

    async def cancelled(image: aio.Image, block: int, value: int) -> None:
        with anyio.move_on_after(chance.random() * 0.01):
            await one(image, block, value)

    for round_ in range(6):
        async with aio.Image(aioctx, fresh_name, engine=engine) as image:
            blocks_now = chance.sample(range(blocks), 150)
            async with anyio.create_task_group() as group:
                for block in blocks_now:
                    group.start_soon(cancelled, image, block, 1 + (block + round_) % 250)
                await anyio.sleep(chance.random() * 0.02)
                if round_ % 2:
                    group.cancel_scope.cancel()
    async with aio.Image(aioctx, fresh_name) as image:
        content = await image.read(0, 16 * MIB)
        for block, values in enumerate(possible):
            part = content[block * size : (block + 1) * size]
            assert part[0] in values and part == part[:1] * size
        gate = image.sync._gate
        assert lib.rbdcffi_handle_uses(gate) == 0
    assert all(not engine_._pending for engine_ in _engines if not engine_._ended())


async def test_native_cancel_storm(
    anyio_backend: tuple[str, dict[str, object]], aioctx: aio.Ioctx, fresh_name: str, engine: str
) -> None:
    """asyncio's own cancellation goes through every shield; the image is closed under it."""
    if anyio_backend == "trio":
        pytest.skip("native asyncio cancellation")
    chance = random.Random(engine)
    await aio.RBD().create(aioctx, fresh_name, 16 * MIB)
    descriptors = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        image = await aio.Image(aioctx, fresh_name, engine=engine)

        async def work(image: aio.Image = image) -> None:
            while True:
                await image.write(b"w" * 65536, chance.randrange(200) * 65536)
                await image.read(0, MIB)
                await asyncio.wait_for(image.diff_iterate(0, 16 * MIB, None, print_nothing), 0.01)

        def print_nothing(*extent: object) -> None:
            return None

        tasks = [asyncio.ensure_future(work()) for _ in range(40)]
        await asyncio.sleep(0.1)
        for task in tasks:
            task.cancel()
        await image.close()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert image.closed
    gc.collect()
    with anyio.fail_after(10):
        while any(thread.name == "rbdcffi-diff" for thread in threading.enumerate()):
            await asyncio.sleep(0.01)
    assert len(os.listdir("/proc/self/fd")) <= descriptors + 2


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
def test_a_loop_that_ends_before_its_operations(
    ceph_conf: str, image_name: str, anyio_backend: str
) -> None:
    """The buffers stay until C is done; then the engine of the dead loop goes."""

    async def opened() -> tuple[aio.Rados, aio.Image]:
        cluster = await aio.Rados(conffile=ceph_conf)
        ioctx = await cluster.open_ioctx("rbd")
        return cluster, await aio.Image(ioctx, image_name, engine="completions")

    async def leave() -> None:
        cluster, image = await opened()
        kept.append((cluster, image))
        tasks = [asyncio.ensure_future(image.write(b"z" * 65536, 65536 * i)) for i in range(100)]
        await asyncio.sleep(0)
        del tasks

    async def come_after() -> None:
        cluster, image = await opened()
        async with cluster, image:
            assert await image.read(65536, 4) == b"zzzz"

    kept: list[tuple[aio.Rados, aio.Image]] = []
    for _ in range(3):
        asyncio.run(leave())
    for cluster, image in kept:
        image.sync.close()
        cluster.sync.shutdown()
    asyncio.run(come_after())
    assert not any(engine._pending for engine in _engines)


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize("kind", ["asyncio", "trio"])
@pytest.mark.parametrize("ending", ["pass", "raise SystemExit(3)", "os.kill(os.getpid(), 15)"])
def test_exit_with_operations_in_flight(
    ceph_conf: str, fresh_name: str, ending: str, kind: str, anyio_backend: str
) -> None:
    text = textwrap.dedent(
        f"""
        import os, anyio
        from rbdcffi import aio
        async def main():
            cluster = await aio.Rados(conffile={ceph_conf!r})
            ioctx = await cluster.open_ioctx("rbd")
            await aio.RBD().create(ioctx, {fresh_name!r}, 64 << 20)
            image = await aio.Image(ioctx, {fresh_name!r}, engine="completions")
            async def write(i):
                await image.write(bytes(1 << 20), (i % 64) << 20)
            async with anyio.create_task_group() as group:
                for i in range(300):
                    group.start_soon(write, i)
                await anyio.sleep(0.01)
                group.cancel_scope.cancel()
            {ending}
        anyio.run(main, backend={kind!r})
        """
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore::ResourceWarning", "-c", text],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    expect = {"pass": 0, "raise SystemExit(3)": 3}.get(ending, -15)
    assert done.returncode == expect, (done.returncode, done.stderr)


async def test_a_cancelled_step_loses_nothing(stoppable: Cluster, fresh_name: str) -> None:
    connection, image = await _opened(stoppable, fresh_name, "completions")
    async with connection:
        for i in range(8):
            await image.write(bytes([i + 1]) * 4096, i * 4096)
        await image.flush()
        reader = image.read_chunks(0, 8 * 4096, chunk=4096, in_flight=2)
        found = [(await reader.__anext__())[0]]
        stoppable.osds[0].pause()
        for _ in range(3):
            with anyio.move_on_after(0.1):
                found.append((await reader.__anext__())[0])
        stoppable.osds[0].resume()
        found += [chunk[0] async for chunk in reader]
        assert found == list(range(1, 9))

        writer = image.writer(in_flight=1)
        size = await image.size()
        with pytest.raises(rbd.IncompleteWriteError):
            async with writer:
                await writer.write(b"over the end", size - 4)
                with anyio.move_on_after(0):
                    await writer.write(b"next", 0)

        stream = image.diff(0, size, None)
        stoppable.osds[0].pause()
        with anyio.move_on_after(0.2) as scope:
            await stream.__anext__()
        stoppable.osds[0].resume()
        if scope.cancelled_caught:
            with pytest.raises(rbd.OperationCanceled):
                await stream.__anext__()


async def test_hanging_calls_do_not_keep_others_from_opening_and_closing(
    stoppable: Cluster, acluster: aio.Rados, image_name: str, fresh_name: str
) -> None:
    connection, image = await _opened(stoppable, fresh_name, "threads")
    async with connection:
        await image.write(b"x", 0)
        stoppable.osds[0].pause()
        async with anyio.create_task_group() as group:
            for i in range(80):
                group.start_soon(image.ioctx.write_full, f"object-{i}", b"x")
                group.start_soon(image.diff_iterate, 0, 64 * MIB, None, lambda *extent: None)
            await anyio.sleep(0.3)
            with anyio.fail_after(10):
                async with acluster.open_ioctx("rbd") as ioctx:
                    async with aio.Image(ioctx, image_name, engine="completions") as other:
                        await other.write(b"y", 0)
            stoppable.osds[0].resume()


async def test_two_tasks_open_one_object(aioctx: aio.Ioctx, image_name: str) -> None:
    image = aio.Image(aioctx, image_name)
    opened = []

    async def open_() -> None:
        await image
        opened.append(image.sync)

    async with anyio.create_task_group() as group:
        for _ in range(5):
            group.start_soon(open_)
    assert len({id(sync) for sync in opened}) == 1
    await image.close()


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
def test_many_loops_leave_no_descriptors(
    ceph_conf: str, image_name: str, anyio_backend: str
) -> None:
    async def once() -> None:
        async with aio.Rados(conffile=ceph_conf) as cluster, cluster.open_ioctx("rbd") as ioctx:
            async with aio.Image(ioctx, image_name, engine="completions") as image:
                await image.write(b"x", 0)

    asyncio.run(once())
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(10):
        asyncio.run(once())
    gc.collect()
    assert len(os.listdir("/proc/self/fd")) <= before + 2
