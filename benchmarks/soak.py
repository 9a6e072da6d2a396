"""Operations of every kind by the thousand, cancelled at random: nothing leaks, no data is wrong.

Each round is an event loop with a connection of its own. Images are opened, used by many tasks on
either engine, and closed, often under way; more than half of the calls are cancelled: by scopes
and timeouts, and with asyncio also by task.cancel() and wait_for(), which no shield stops. Besides,
threads make synchronous calls and start I/O with callbacks, on the same images.

Every 4 KiB block holds the number of the operation that wrote it. After each session a block must
hold what was acknowledged last, or all of a write that was cancelled since. After each round there
must be no thread, descriptor, handle, operation or buffer that was not there after the first one,
which warms up. The memory of the process is shown, for the reader to judge: all of it, and what of
it was allocated and not freed, which with PYTHONMALLOC=malloc is all that there is.

usage: soak.py [--operations N] [--round N] [--backend NAME] [--seed N] [--leak BYTES] [--json]

It runs on the cluster of $CEPH_CONF, in a pool of its own, or else on a throwaway one.
"""

from __future__ import annotations

import argparse
import asyncio
import ctypes
import gc
import itertools
import json
import os
import random
import re
import struct
import sys
import threading
import time
import uuid
import weakref
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any, ClassVar

import anyio
from anyio import to_thread

from rbdcffi import _handle, _waiting, aio, rados, rbd
from rbdcffi._completions import the_dispatcher
from rbdcffi._ffi import loaded_version
from rbdcffi.aio import _engine
from rbdcffi.testing import Cluster

BLOCK = 4096
BLOCKS = 1024
ORDER = 17  # small objects, so that many writes touch several
OBJECTS = 16
#: What the places of a write can be, in blocks.
MOST = 16
#: Ways to write that have written a part, perhaps, when the image is closed under them.
IN_PARTS = ("in parts", "streaming")
#: Tasks that use an open image.
WORKERS = 16
#: Calls until an image is closed.
SESSION = 300
#: Discards of a block discard all of it.
OPTIONS = {"rbd_discard_granularity_bytes": str(BLOCK)}
if loaded_version() < (1, 13):
    # with it, reads beside compare_and_write may wait for good: see docs/differences.md
    OPTIONS["rbd_cache"] = "false"
#: Seconds until what was left behind must be gone.
PATIENCE = 30

Call = Callable[[], Awaitable[Any]]


# -- what is written -----------------------------------------------------------------------------


class Data(bytearray):
    """A buffer that can be counted."""

    alive: ClassVar[weakref.WeakSet[Data]] = weakref.WeakSet()

    # by identity: equal buffers are two
    __hash__ = object.__hash__
    __eq__ = object.__eq__


_stamps = itertools.count(1)


def pattern(stamp: int, blocks: int = 1) -> bytes:
    return struct.pack("<Q", stamp) * (blocks * BLOCK // 8)


def stamps_in(content: bytes) -> list[int]:
    """The number in each block; all of the block must have it."""
    stamps = []
    for start in range(0, len(content), BLOCK):
        block = content[start : start + BLOCK]
        (stamp,) = struct.unpack_from("<Q", block)
        assert block == pattern(stamp), f"a block is torn: {runs_in(block)}"
        stamps.append(stamp)
    return stamps


def runs_in(block: bytes) -> str:
    """Which numbers a block holds, and how often each in a row."""
    numbers = struct.unpack(f"<{len(block) // 8}Q", block)
    return ", ".join(
        f"{sum(8 for _ in group)} bytes of {number}" for number, group in itertools.groupby(numbers)
    )


class Places:
    """What numbered places (the blocks of an image, objects) hold, as far as one can know."""

    def __init__(self, count: int) -> None:
        self.count = count
        #: acknowledged last
        self.settled = [0] * count
        #: of calls that were cancelled since
        self.maybe: list[set[int]] = [set() for _ in range(count)]
        self.ever: list[set[int]] = [{0} for _ in range(count)]
        self._busy: set[int] = set()
        #: for those who have to find out what went wrong
        self._history: list[deque[str]] = [deque(maxlen=20) for _ in range(count)]

    def _note(self, places: range, event: str) -> None:
        for place in places:
            self._history[place].append(event)

    def choose(self, chance: random.Random, most: int = 1) -> range:
        """Places next to one another that no task is changing."""
        while True:
            count = chance.randint(1, most)
            first = chance.randrange(self.count - count + 1)
            if self._busy.isdisjoint(range(first, first + count)):
                return range(first, first + count)

    @contextmanager
    def changing(self, places: range, stamp: int, how: str) -> Iterator[Callable[[], None]]:
        """Around a call that puts `stamp` there; yields what to call once it is acknowledged."""
        self._busy.update(places)
        self._note(places, f"{how} {stamp}")
        for place in places:
            self.ever[place].add(stamp)
        done = False

        def acknowledged() -> None:
            nonlocal done
            done = True
            self._note(places, f"{stamp} acknowledged")
            for place in places:
                self.settled[place] = stamp

        try:
            yield acknowledged
        except BaseException as error:
            if not done and (not refused(error) or how in IN_PARTS):
                for place in places:
                    self.maybe[place].add(stamp)
            self._note(places, f"{stamp} ended by {type(error).__name__}")
            raise
        finally:
            self._busy.difference_update(places)

    def check_read(self, places: range, stamps: list[int]) -> None:
        """What was read while others may be writing."""
        for place, stamp in zip(places, stamps):
            assert stamp in self.ever[place], f"place {place} holds {stamp}, never written there"

    def check_own(self, places: range, stamps: list[int]) -> None:
        """What the task that is changing the places read after it was acknowledged."""
        for place, stamp in zip(places, stamps):
            allowed = {self.settled[place], *self.maybe[place]}
            assert stamp in allowed, (
                f"place {place} holds {stamp}, not one of {allowed}: "
                + "; ".join(self._history[place])
            )

    def check_at_rest(self, stamps: list[int]) -> None:
        """What is there when all calls have ended. Then it is certain."""
        assert len(stamps) == self.count
        self.check_own(range(self.count), stamps)
        self._note(range(self.count), "at rest")
        self.settled = stamps
        self.maybe = [set() for _ in stamps]
        self.ever = [{0, stamp} for stamp in stamps]


def refused(error: BaseException) -> bool:
    """Whether the call came too late: the image was closed, and nothing was done."""
    return isinstance(error, rbd.InvalidArgument) and "image is closed" in str(error)


class Disk:
    """An image, objects that go with it, and what they hold."""

    def __init__(self, name: str, engine: str, conf: str) -> None:
        self.conf = conf
        self.name = name
        self.engine = engine
        self.blocks = Places(BLOCKS)
        self.objects = Places(OBJECTS)


async def in_thread(call: Callable[[], None]) -> None:
    await to_thread.run_sync(call)


# -- what is called ------------------------------------------------------------------------------


class Calls:
    """Calls on an open image. Each may be cancelled at any time."""

    def __init__(self, disk: Disk, image: aio.Image, chance: random.Random) -> None:
        self.disk = disk
        self.image = image
        self.chance = chance

    def _data(self, stamp: int, blocks: int) -> Any:
        data = Data(pattern(stamp, blocks))
        Data.alive.add(data)
        return self.chance.choice((bytes, memoryview, lambda data: data))(data)

    async def _put(self, put: Callable[[Any, int], Awaitable[object]], how: str = "write") -> None:
        """Writes with `put(data, offset)`, and reads again."""
        blocks = self.disk.blocks
        places, stamp = blocks.choose(self.chance, MOST), next(_stamps)
        with blocks.changing(places, stamp, how) as acknowledged:
            await put(self._data(stamp, len(places)), places[0] * BLOCK)
            acknowledged()
            content = await self.image.read(places[0] * BLOCK, len(places) * BLOCK)
            blocks.check_own(places, stamps_in(content))

    async def _clear(self, clear: Callable[[int, int], Awaitable[object]]) -> None:
        blocks = self.disk.blocks
        places = blocks.choose(self.chance, MOST)
        with blocks.changing(places, 0, clear.__name__) as acknowledged:
            await clear(places[0] * BLOCK, len(places) * BLOCK)
            acknowledged()
            content = await self.image.read(places[0] * BLOCK, len(places) * BLOCK)
            blocks.check_own(places, stamps_in(content))

    def _some(self, most: int = 64) -> range:
        count = self.chance.randint(1, most)
        first = self.chance.randrange(BLOCKS - count + 1)
        return range(first, first + count)

    async def write(self) -> None:
        await self._put(self.image.write)

    async def write_in_parts(self) -> None:
        async def put(data: Any, offset: int) -> None:
            half = len(data) // BLOCK // 2 * BLOCK  # threads write the parts one by one
            assert await self.image.writev([data[:half], data[half:]], offset) == len(data)

        await self._put(put, "in parts")

    async def write_streaming(self) -> None:
        async def put(data: Any, offset: int) -> None:
            async with self.image.writer(in_flight=4) as writer:
                for start in range(0, len(data), BLOCK):
                    await writer.write(data[start : start + BLOCK], offset + start)

        await self._put(put, "streaming")

    async def write_if_unchanged(self) -> None:
        blocks = self.disk.blocks
        place = blocks.choose(self.chance)
        before = blocks.settled[place[0]]
        # librbd compares 512 bytes at most; writing the same again leaves the block whole
        same = pattern(before)[:512]
        with blocks.changing(place, before, "compare"):
            differs = await self.image.compare_and_write(place[0] * BLOCK, same, same)
            assert differs is None or blocks.maybe[place[0]], "not what was acknowledged"

    async def write_zeroes(self) -> None:
        await self._clear(self.image.write_zeroes)

    async def discard(self) -> None:
        await self._clear(self.image.discard)

    async def write_in_thread(self) -> None:
        await self._put(lambda *args: to_thread.run_sync(self.image.sync.write, *args), "in thread")

    async def write_with_callback(self) -> None:
        def put(data: Any, offset: int) -> None:
            called = []
            completion = self.image.sync.aio_write(data, offset, called.append)
            completion.wait_for_complete_and_cb()
            assert completion.get_return_value() == 0 and called == [completion]

        await self._put(lambda *args: to_thread.run_sync(put, *args), "callback")

    async def read(self) -> None:
        places = self._some()
        content = await self.image.read(places[0] * BLOCK, len(places) * BLOCK)
        self.disk.blocks.check_read(places, stamps_in(content))

    async def readinto(self) -> None:
        places = self._some()
        buffer = Data(len(places) * BLOCK)
        Data.alive.add(buffer)
        assert await self.image.readinto(places[0] * BLOCK, buffer) == len(buffer)
        self.disk.blocks.check_read(places, stamps_in(bytes(buffer)))

    async def read_streaming(self) -> None:
        start = self.chance.randrange(BLOCKS // 2)
        place = start
        async for chunk in self.image.read_chunks(start * BLOCK, chunk=8 * BLOCK, in_flight=4):
            stamps = stamps_in(chunk)
            self.disk.blocks.check_read(range(place, place + len(stamps)), stamps)
            place += len(stamps)
            if place > start + 100:
                break

    async def read_with_callback(self) -> None:
        places = self._some()
        found: list[bytes] = []

        def read() -> None:
            self.image.sync.aio_read(
                places[0] * BLOCK, len(places) * BLOCK, lambda completion, data: found.append(data)
            ).wait_for_complete_and_cb()

        await to_thread.run_sync(read)
        self.disk.blocks.check_read(places, stamps_in(found[0]))

    async def read_elsewhere(self) -> None:
        places = self._some()
        async with aio.Image(
            self.image.ioctx, self.disk.name, read_only=True, engine=self.disk.engine
        ) as image:
            content = await image.read(places[0] * BLOCK, len(places) * BLOCK)
        self.disk.blocks.check_read(places, stamps_in(content))

    async def flush(self) -> None:
        await self.image.flush()

    async def look(self) -> None:
        assert await self.image.size() == BLOCKS * BLOCK
        await self.image.stat()
        await self.image.list_snaps()

    async def diff(self) -> None:
        end, most = 0, self.chance.choice((1, 10, BLOCKS))
        async for extent in self.image.diff(0, BLOCKS * BLOCK, None):
            assert extent.offset >= end
            end, most = extent.offset + extent.length, most - 1
            if not most:
                break

    async def diff_iterate(self) -> None:
        async def extent(offset: int, length: int, exists: bool) -> None:
            await anyio.sleep(0)

        await self.image.diff_iterate(0, BLOCKS * BLOCK, None, extent)

    async def snapshot(self) -> None:
        name = f"snap-{next(_stamps)}"
        await self.image.create_snap(name)
        await self.image.remove_snap(name)

    async def write_object(self) -> None:
        objects, ioctx = self.disk.objects, self.image.ioctx
        places, stamp = objects.choose(self.chance), next(_stamps)
        key = f"{self.disk.name}-{places[0]}"
        with objects.changing(places, stamp, "write_full") as acknowledged:
            await ioctx.write_full(key, pattern(stamp))
            acknowledged()
            objects.check_own(places, stamps_in(await ioctx.read(key)))

    async def callbacks_of_objects(self) -> None:
        """The core's asynchronous calls on an object, some of them taken back."""
        key, taken_back = f"{self.disk.name}-any", self.chance.random() < 0.3

        def call() -> None:
            ioctx = self.image.ioctx.sync
            started = [
                ioctx.aio_write_full(key, pattern(1)),
                ioctx.aio_append(key, b"more"),
                ioctx.aio_setxattr(key, "name", b"value"),
                ioctx.aio_read(key, BLOCK, 0, lambda completion, data: None),
                ioctx.aio_getxattrs(key, lambda completion, found: None),
                ioctx.aio_execute(key, "hello", "say_hello", b""),
            ]
            if taken_back:
                started[0].cancel()
                started[-1].cancel()
            for completion in started:
                completion.wait_for_complete_and_cb()

        await in_thread(call)

    async def steps(self) -> None:
        """Operations of several steps, and what those have found."""
        key = f"{self.disk.name}-steps"

        def call() -> None:
            ioctx = self.image.ioctx.sync
            with rados.WriteOpCtx() as write:
                write.write_full(pattern(1))
                write.set_xattr("name", b"value")
                ioctx.set_omap(write, ("a", "b"), (b"1", bytes(1000)))
                ioctx.operate_write_op(write, key)
            with rados.ReadOpCtx() as read:
                data, stat, attributes = read.read(BLOCK), read.stat(), read.get_xattrs()
                pairs, _ = ioctx.get_omap_vals(read, "", "", 10)
                ioctx.operate_read_op(read, key)
            assert data.value == pattern(1) and stat.value[0] == BLOCK
            assert attributes.value == {"name": b"value"} and len(list(pairs)) == 2

        await in_thread(call)

    async def list_objects(self) -> None:
        most = self.chance.choice((1, 1000))
        async for _ in self.image.ioctx.list_objects():
            most -= 1
            if not most:
                break

    async def watch(self) -> None:
        """Watches that are there for a moment, of the image and of an object."""
        key = f"{self.disk.name}-watched"
        await self.image.ioctx.write_full(key, b"")

        def call() -> None:
            told = threading.Event()
            with self.image.sync.update_watch(lambda: None):
                with self.image.ioctx.sync.watch(key, lambda *args: told.set()):
                    self.image.ioctx.sync.notify(key, "hello")
                    assert told.wait(PATIENCE)

        await in_thread(call)

    async def open_in_thread(self) -> None:
        def call() -> None:
            with rbd.Image(self.image.ioctx.sync, self.disk.name, read_only=True) as image:
                image.read(0, BLOCK)

        await in_thread(call)

    async def connect(self) -> None:
        """A connection of its own."""

        def call() -> None:
            with rados.Rados(conffile=self.disk.conf) as cluster:
                with cluster.open_ioctx(self.image.ioctx.name) as ioctx:
                    with rbd.Image(ioctx, self.disk.name, read_only=True) as image:
                        image.read(0, BLOCK)

        await in_thread(call)

    async def mistake(self) -> None:
        with suppress(rbd.ImageNotFound):
            await aio.Image(self.image.ioctx, "no such image")
            raise AssertionError("opened an image that is not there")


#: How often each is called.
WEIGHTS = {
    Calls.write: 20,
    Calls.write_in_parts: 6,
    Calls.write_streaming: 4,
    Calls.write_if_unchanged: 4,
    Calls.write_zeroes: 4,
    Calls.discard: 4,
    Calls.write_in_thread: 4,
    Calls.write_with_callback: 4,
    Calls.read: 20,
    Calls.readinto: 6,
    Calls.read_streaming: 4,
    Calls.read_with_callback: 4,
    Calls.read_elsewhere: 1,
    Calls.flush: 4,
    Calls.look: 4,
    Calls.diff: 2,
    Calls.diff_iterate: 1,
    Calls.snapshot: 0.5,
    Calls.write_object: 6,
    Calls.callbacks_of_objects: 4,
    Calls.steps: 4,
    Calls.list_objects: 1,
    Calls.watch: 0.5,
    Calls.open_in_thread: 1,
    Calls.connect: 0.3,
    Calls.mistake: 1,
}

SCOPED = ("not", "move_on_after", "fail_after", "scope")
NATIVE = (*SCOPED, "wait_for", "task.cancel")


async def cancelled_at_random(
    call: Call, chance: random.Random, group: Any, ways: tuple[str, ...], count: Counter[str]
) -> None:
    """Makes a call, and cancels it after some milliseconds in one of the ways there are."""
    way = chance.choice(ways)
    delay = chance.choice((0, chance.expovariate(1000), chance.expovariate(200)))
    cancelled = False
    if way == "not":
        await call()
    elif way == "move_on_after":
        with anyio.move_on_after(delay) as scope:
            await call()
        cancelled = scope.cancelled_caught
    elif way == "fail_after":
        try:
            with anyio.fail_after(delay):
                await call()
        except TimeoutError:
            cancelled = True
    elif way == "scope":

        async def cancel(scope: anyio.CancelScope) -> None:
            await anyio.sleep(delay)
            scope.cancel()

        with anyio.CancelScope() as scope:
            group.start_soon(cancel, scope)
            await call()
        cancelled = scope.cancelled_caught
    elif way == "wait_for":
        try:
            await asyncio.wait_for(call(), delay)
        except asyncio.TimeoutError:
            cancelled = True
    else:
        task = asyncio.ensure_future(call())
        try:
            await asyncio.sleep(delay)
        finally:
            task.cancel()
            with anyio.CancelScope(shield=True):
                await asyncio.wait([task])
        cancelled = task.cancelled()
        if not cancelled:
            task.result()
    count[f"{way}{': cancelled' if cancelled else ''}"] += 1


# -- rounds --------------------------------------------------------------------------------------


class Round:
    """One event loop and one connection."""

    #: what each call allocates and never frees, to see whether it would be noticed
    leak = 0

    def __init__(
        self, conf: str, pool: str, operations: int, seed: object, ways: tuple[str, ...]
    ) -> None:
        self.conf = conf
        self.pool = pool
        self.left = operations
        self.ways = ways
        #: calls by their name, and by how they ended
        self.count: Counter[str] = Counter()
        self.chance = random.Random(seed)

    async def run(self) -> None:
        async with aio.Rados(conffile=self.conf, conf=OPTIONS) as cluster:
            async with cluster.open_ioctx(self.pool) as ioctx:
                disks = [
                    Disk(f"disk-{i}", engine, self.conf)
                    for i, engine in enumerate(("threads", "completions", "threads", "completions"))
                ]
                async with anyio.create_task_group() as group:
                    for disk in disks:
                        group.start_soon(self._use, disk, ioctx)
                for disk in disks:
                    await self._remove(disk, ioctx)
                with anyio.fail_after(PATIENCE):
                    # what was opened too late closes itself; the I/O context remains
                    while len(cluster.sync._open_handle._children) > 1:
                        await anyio.sleep(0.01)
                    while _engine.engine()._pending:
                        await anyio.sleep(0.01)

    async def _remove(self, disk: Disk, ioctx: aio.Ioctx) -> None:
        with anyio.fail_after(PATIENCE):
            while True:
                try:
                    await aio.RBD().remove(ioctx, disk.name)
                    break
                except rbd.ImageBusy:
                    await anyio.sleep(0.05)  # one that was opened too late
        for key in (*range(OBJECTS), "any", "steps", "watched"):
            with suppress(rados.ObjectNotFound):
                await ioctx.remove_object(f"{disk.name}-{key}")

    async def _use(self, disk: Disk, ioctx: aio.Ioctx) -> None:
        chance = random.Random(self.chance.random())
        await aio.RBD().create(ioctx, disk.name, BLOCKS * BLOCK, ORDER)
        while self.left > 0:
            await self._session(disk, ioctx, chance)
            async with aio.Image(ioctx, disk.name) as image:
                for snap in await image.list_snaps():
                    await image.remove_snap(snap["name"])
                disk.blocks.check_at_rest(stamps_in(await image.read(0, BLOCKS * BLOCK)))
            for place in range(OBJECTS):
                # these calls were not waited for: there is nothing to close that would
                disk.objects.check_own(
                    range(place, place + 1), await self._object(ioctx, f"{disk.name}-{place}")
                )

    async def _object(self, ioctx: aio.Ioctx, key: str) -> list[int]:
        try:
            return stamps_in(await ioctx.read(key))
        except rados.ObjectNotFound:
            return [0]

    async def _session(self, disk: Disk, ioctx: aio.Ioctx, chance: random.Random) -> None:
        image = aio.Image(ioctx, disk.name, engine=disk.engine)

        async def open_() -> None:
            await image

        async with anyio.create_task_group() as group:
            await cancelled_at_random(open_, chance, group, self.ways, self.count)
        if image.closed:
            return
        calls = min(SESSION, self.left)
        self.left -= calls
        end = chance.choice(("done", "closed", "cancelled"))
        try:
            async with anyio.create_task_group() as group:
                todo = iter(range(calls))
                for _ in range(WORKERS):
                    group.start_soon(self._work, disk, image, chance, todo, group)
                if end != "done":
                    # what is left is refused, or cancelled: do most of it before
                    while next(todo, None) is not None and chance.random() < 0.99:
                        await anyio.sleep(0.002)
                if end == "closed":
                    await image.close()
                elif end == "cancelled":
                    group.cancel_scope.cancel()
        finally:
            # closing is cancelled, too; at the end it has to be done
            with anyio.CancelScope(shield=True):
                async with anyio.create_task_group() as group:
                    await cancelled_at_random(image.close, chance, group, self.ways, self.count)
                await image.close()
        self.count[f"session {end}"] += 1

    async def _work(
        self,
        disk: Disk,
        image: aio.Image,
        chance: random.Random,
        todo: Iterator[int],
        group: Any,
    ) -> None:
        calls = Calls(disk, image, chance)
        names, weights = list(WEIGHTS), list(WEIGHTS.values())
        for _ in todo:
            function = chance.choices(names, weights)[0]
            self.count[function.__name__] += 1
            if self.leak:
                ctypes.CDLL(None).malloc(self.leak)
            try:
                await cancelled_at_random(
                    lambda function=function: function(calls),  # type: ignore[misc]
                    chance,
                    group,
                    self.ways,
                    self.count,
                )
            except (rbd.InvalidArgument, rbd.OperationCanceled):
                if not image.closed:
                    raise
                self.count["too late"] += 1


def _eager_loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    loop.set_task_factory(asyncio.eager_task_factory)
    return loop


#: {name: (arguments of anyio.run, ways to cancel)}
BACKENDS: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "asyncio": ({"backend": "asyncio"}, NATIVE),
    "trio": ({"backend": "trio"}, SCOPED),
}
if sys.implementation.name == "cpython":
    BACKENDS["uvloop"] = (
        {"backend": "asyncio", "backend_options": {"use_uvloop": True}},
        NATIVE,
    )
if sys.version_info >= (3, 12):
    BACKENDS["eager"] = (
        {"backend": "asyncio", "backend_options": {"loop_factory": _eager_loop}},
        NATIVE,
    )


# -- what is left --------------------------------------------------------------------------------


def held() -> dict[str, int]:
    """What a round may not leave behind."""
    for _ in range(3):
        gc.collect()
    _engine._sweep()
    # threads that wait for the next call
    _waiting._helpers.end()
    # trio keeps threads that are idle for some seconds
    idle = sum(thread.name.startswith("Trio thread") for thread in threading.enumerate())
    return {
        "descriptors": len(os.listdir("/proc/self/fd")) - 1,
        "threads of Python": threading.active_count() - idle,
        "threads": len(os.listdir("/proc/self/task")) - idle,
        "buffers": len(Data.alive),
        "engines": len(_engine._engines),
        "handles": len(_handle._roots) + len(_handle._orphans),
    }


def descriptors() -> list[str]:
    """What the open descriptors are, for those who have to find out what went wrong."""
    found = []
    for number in os.listdir("/proc/self/fd"):
        with suppress(FileNotFoundError):
            found.append(f"{number}: {os.readlink(f'/proc/self/fd/{number}')}")
    return sorted(found)


def settled() -> dict[str, int]:
    """What is held for good after the rounds that warm up."""
    # the thread that calls back, and what it needs, stay; a round may have been cancelled before
    # it was the first one to use them
    the_dispatcher()
    deadline = time.monotonic() + PATIENCE
    while True:
        now = held()
        # this one, the one that calls back, and the one that closes everything at exit
        if now["threads of Python"] <= 3 or time.monotonic() > deadline:
            return now
        time.sleep(0.05)


def leaked(before: dict[str, int]) -> dict[str, int]:
    """What is there more than before, once what is ending has ended."""
    deadline = time.monotonic() + PATIENCE
    while True:
        now = held()
        more = {name: now[name] - before[name] for name in now if now[name] > before[name]}
        if not more or time.monotonic() > deadline:
            return more
        time.sleep(0.05)


def resident() -> float:
    """The memory of the process, in MiB."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE") / (1 << 20)


def in_use() -> float | None:
    """What was allocated and not freed, in MiB."""
    libc = ctypes.CDLL(None)
    if not hasattr(libc, "malloc_info"):
        return None
    text, size = ctypes.c_char_p(), ctypes.c_size_t()
    libc.open_memstream.restype = ctypes.c_void_p
    stream = ctypes.c_void_p(libc.open_memstream(ctypes.byref(text), ctypes.byref(size)))
    libc.malloc_info(0, stream)
    libc.fclose(stream)
    found = text.value or b""
    libc.free(text)
    # behind those of each arena are those of all of them
    totals = found.rpartition(b"</heap>")[2]
    sizes = {kind: int(n) for kind, n in re.findall(rb'type="(\w+)"[^>]* size="(\d+)"', totals)}
    # newer ones have no "fast" bins
    used = sizes[b"current"] + sizes[b"mmap"] - sizes.get(b"fast", 0) - sizes[b"rest"]
    if sys.implementation.name == "pypy":
        # for its objects there is more room than they need, and that changes
        stats = gc.get_stats()._s  # type: ignore[attr-defined]
        used += stats.total_gc_memory - stats.total_allocated_memory
    return used / (1 << 20)


def soak(conf: str, pool: str, operations: int, size: int, backends: list[str], seed: int) -> Any:
    """Rounds, each on the next event loop, until there were so many operations."""
    count: Counter[str] = Counter()
    memory: list[float] = []
    used: list[float | None] = []
    before: dict[str, int] | None = None
    done = 0
    started = time.monotonic()
    for number in itertools.count():
        if done >= operations:
            break
        # the first rounds, one of each kind, warm up
        warm_up = number < len(backends)
        options, ways = BACKENDS[backends[number % len(backends)]]
        now = min(size, 300) if warm_up else min(size, operations - done)
        one = Round(conf, pool, now, f"{seed} {number}", ways)
        anyio.run(one.run, **options)
        if warm_up:
            before = settled() if number == len(backends) - 1 else None
            continue
        assert before is not None
        more = leaked(before)
        assert not more, f"left behind by round {number}: {more}; open: {descriptors()}"
        done += now
        count += one.count
        memory.append(resident())
        used.append(in_use())
        if sys.stderr.isatty():
            print(f"{done}/{operations}, {memory[-1]:.0f} MiB", end="\r", file=sys.stderr)
    return {
        "python": f"{sys.implementation.name} {sys.version.split()[0]}",
        "seed": seed,
        "backends": backends,
        "operations": done,
        "seconds": round(time.monotonic() - started, 1),
        "cancelled": sum(number for name, number in count.items() if name.endswith(": cancelled")),
        "held": before,
        "MiB": [round(size, 1) for size in memory],
        "MiB in use": [None if size is None else round(size, 2) for size in used],
        "count": dict(sorted(count.items())),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Many operations, cancelled at random.")
    parser.add_argument("--operations", type=int, default=100_000)
    parser.add_argument("--round", type=int, default=4000, help="operations of a connection")
    parser.add_argument("--backend", choices=sorted(BACKENDS), help="default: all in turns")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--leak", type=int, default=0, help="bytes that each call loses")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    Round.leak = arguments.leak
    backends = [arguments.backend] if arguments.backend else sorted(BACKENDS)
    pool = f"soak-{uuid.uuid4().hex[:8]}"
    print(f"seed {arguments.seed}", file=sys.stderr)
    with ExitStack() as stack:
        conf = os.environ.get("CEPH_CONF")
        if conf is None:
            conf = stack.enter_context(Cluster()).conf
        with rados.Rados(conffile=conf) as cluster:
            cluster.create_pool(pool)
            with cluster.open_ioctx(pool) as ioctx:
                ioctx.application_enable("rbd") if hasattr(ioctx, "application_enable") else None
        try:
            figures = soak(
                conf, pool, arguments.operations, arguments.round, backends, arguments.seed
            )
        finally:
            with rados.Rados(conffile=conf) as cluster:
                cluster.delete_pool(pool)
    if arguments.json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        if name == "count":
            for kind, number in value.items():
                print(f"  {number:7} {kind}")
        else:
            print(f"{name}: {value}")


if __name__ == "__main__":
    main()
