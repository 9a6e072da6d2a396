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

from rbdcffi import aio, rados, rbd
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


@pytest.mark.parametrize("engine", ["completions"], indirect=True)
@pytest.mark.parametrize("what", ["write", "writev", "read_chunks", "read_iterate"])
async def test_cancelling_what_asks_for_the_size(
    stoppable: Cluster, fresh_name: str, engine: str, what: str
) -> None:
    """The header has changed: librbd has to ask the cluster before it can tell the size."""
    connection, image = await _opened(stoppable, fresh_name, engine)

    async def chunks() -> None:
        async for _ in image.read_chunks(0, 4096):
            pass

    async with connection:
        await image.write(b"before", 0)
        await image.create_snap("s")
        stoppable.osds[0].pause()
        threading.Timer(2.0, stoppable.osds[0].resume).start()
        started = time.perf_counter()
        with anyio.move_on_after(0.2) as scope:
            if what == "write":
                await image.write(b"after!", 0)
            elif what == "writev":
                await image.writev([b"after!"], 0)
            elif what == "read_chunks":
                await chunks()
            else:
                await image.read_iterate(0, 4096, lambda offset, data: None)
        assert scope.cancelled_caught
        assert time.perf_counter() - started < 1.5
        await image.write(b"later!", 0)
        assert await image.read(0, 6) == b"later!"


@pytest.mark.parametrize("engine", ["completions"], indirect=True)
async def test_one_question_for_the_size_is_enough_for_all(
    stoppable: Cluster, fresh_name: str, engine: str
) -> None:
    """Whoever asked first may be cancelled; the others are told."""
    connection, image = await _opened(stoppable, fresh_name, engine)
    async with connection:
        # the first of all, then one after a change
        for number in range(2):
            stoppable.osds[0].pause()
            before = threading.active_count()
            async with anyio.create_task_group() as group:
                first = anyio.CancelScope()

                async def cancelled(scope: anyio.CancelScope = first) -> None:
                    with scope:
                        await image.write(b"never?", 0)

                group.start_soon(cancelled)
                await anyio.sleep(0.05)
                for place in range(1, 200):
                    group.start_soon(image.write, bytes([place]), 8 * place)
                await anyio.sleep(0.2)
                first.cancel()
                await anyio.sleep(0.05)
                asking = threading.active_count() - before
                stoppable.osds[0].resume()
            assert first.cancelled_caught
            assert asking <= 1
            content = await image.read(0, 8 * 200)
            assert content[8::8] == bytes(range(1, 200))
            if number == 0:
                await image.create_snap("changed")
        image.sync.close()
        failed = []

        async def late() -> None:
            with pytest.raises(rbd.InvalidArgument, match="image is closed") as caught:
                await image.write(b"late", 0)
            failed.append(caught.value)

        async with anyio.create_task_group() as group:
            for _ in range(20):
                group.start_soon(late)
        assert len(set(map(id, failed))) == 20


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
    stoppable: Cluster, fresh_name: str, anyio_backend: str
) -> None:
    """The buffers stay until C is done; then the engine of the dead loop goes."""
    with rados.Rados(conffile=stoppable.conf) as connection, connection.open_ioctx("rbd") as ioctx:
        rbd.RBD().create(ioctx, fresh_name, 16 * MIB)

    async def opened() -> tuple[aio.Rados, aio.Image]:
        # without the cache, which would finish writes before the OSD does
        cluster = await aio.Rados(conffile=stoppable.conf, conf={"rbd_cache": "false"})
        ioctx = await cluster.open_ioctx("rbd")
        return cluster, await aio.Image(ioctx, fresh_name, engine="completions")

    async def leave() -> None:
        cluster, image = await opened()
        kept.append((cluster, image))
        await image.write(b"a", 0)  # has the exclusive lock now
        stoppable.osds[0].pause()
        tasks = [asyncio.ensure_future(image.write(b"z" * 65536, 65536 * i)) for i in range(100)]
        await asyncio.sleep(0)
        del tasks

    async def come_after() -> None:
        cluster, image = await opened()
        async with cluster, image:
            assert await image.read(65536, 4) == b"zzzz"

    kept: list[tuple[aio.Rados, aio.Image]] = []
    for _ in range(3):
        try:
            asyncio.run(leave())
            left = [len(engine._pending) for engine in _engines]
            assert max(left) == 100
        finally:
            stoppable.osds[0].resume()
        cluster, image = kept[-1]
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


async def test_a_write_after_a_change_does_not_hold_the_loop(
    stoppable: Cluster, fresh_name: str
) -> None:
    """Another client has changed the image, and the cluster hangs before this one has seen how."""
    connection, image = await _opened(stoppable, fresh_name, "completions")
    async with connection, image:
        await image.write(b"a" * 4096, 0)
        async with aio.Rados(conffile=stoppable.conf) as other, other.open_ioctx("rbd") as ioctx:
            async with aio.Image(ioctx, fresh_name) as theirs:
                await theirs.resize(32 * MIB)
        stoppable.osds[0].pause()
        longest = 0.0
        written = []

        async def write() -> None:
            written.append(await image.write(b"b" * 4096, 4096))

        async with anyio.create_task_group() as group:
            group.start_soon(write)
            for _ in range(50):
                before = time.monotonic()
                await anyio.sleep(0.01)
                longest = max(longest, time.monotonic() - before)
            stoppable.osds[0].resume()
        assert written == [4096]
        assert longest < 0.4


async def _no_lockers(cluster: Cluster, key: str) -> None:
    """Until nobody holds the lock any more."""
    async with aio.Rados(conffile=cluster.conf) as other, other.open_ioctx("rbd") as ioctx:
        with anyio.fail_after(20):
            while (await ioctx.list_lockers(key, "l"))["lockers"]:
                await anyio.sleep(0.05)


@pytest.mark.parametrize("left", ["nothing", "ioctx", "cluster"])
async def test_a_lock_that_is_taken_when_all_is_closed(
    stoppable: Cluster, fresh_name: str, left: str
) -> None:
    cluster = await aio.Rados(conffile=stoppable.conf)
    ioctx = await cluster.open_ioctx("rbd")
    handle = ioctx.sync._handle
    await ioctx.write_full(fresh_name, b"")
    # the connection to the OSD is there, so that the lock is on its way
    stoppable.osds[0].pause()
    started = time.perf_counter()
    try:
        with anyio.move_on_after(0.3) as scope:
            async with ioctx.lock_exclusive(fresh_name, "l", "c"):
                pass
        assert scope.cancelled_caught
        if left != "nothing":
            await ioctx.close()
        if left == "cluster":
            await cluster.shutdown()
        assert time.perf_counter() - started < 5
    finally:
        stoppable.osds[0].resume()
    await _no_lockers(stoppable, fresh_name)
    assert handle is not None
    with anyio.fail_after(20):
        while handle.given_up:
            await anyio.sleep(0.01)
    await ioctx.close()
    await cluster.shutdown()
    # what was put off is over, too
    assert not cluster.sync._open_handle.children()


@pytest.mark.parametrize("shared", [False, True])
async def test_a_cancelled_renewal_leaves_the_lock(
    stoppable: Cluster, fresh_name: str, shared: bool
) -> None:
    async with aio.Rados(conffile=stoppable.conf) as cluster, cluster.open_ioctx("rbd") as ioctx:
        tag = ("tag",) if shared else ()
        take = ioctx.lock_shared if shared else ioctx.lock_exclusive
        async with take(fresh_name, "l", "c", *tag, duration=60):
            for flags in (
                rados.LIBRADOS_LOCK_FLAG_MAY_RENEW,
                rados.LIBRADOS_LOCK_FLAG_MUST_RENEW,
            ):
                stoppable.osds[0].pause()
                try:
                    with anyio.move_on_after(0.3) as scope:
                        await take(fresh_name, "l", "c", *tag, duration=60, flags=flags)
                    assert scope.cancelled_caught
                finally:
                    stoppable.osds[0].resume()
                handle = ioctx.sync._handle
                assert handle is not None
                with anyio.fail_after(20):
                    while handle.given_up:
                        await anyio.sleep(0.01)
                assert len((await ioctx.list_lockers(fresh_name, "l"))["lockers"]) == 1
        await _no_lockers(stoppable, fresh_name)
