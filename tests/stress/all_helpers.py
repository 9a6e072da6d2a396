"""Drives all C helpers (cdefs/*.c) from many threads at once, for a while.

test_sanitizer.py runs it with a compiled module that notices wrong use of memory.

usage: all_helpers.py CONF SECONDS [TASK ...]

The cluster is one of its own: it makes pools there.
"""

from __future__ import annotations

import itertools
import math
import os
import random
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import anyio

from rbdcffi import aio, rados, rbd
from rbdcffi._ffi import ffi, has, lib
from rbdcffi.rbd import diff

MIB = 1 << 20
BLOCK = 4096
OBJECT = 65536
JOURNALING = rbd.RBD_FEATURE_LAYERING | rbd.RBD_FEATURE_EXCLUSIVE_LOCK | rbd.RBD_FEATURE_JOURNALING
#: What a call is told that came too late.
CLOSED = (rbd.InvalidArgument, rbd.OperationCanceled, rados.RadosStateError, rados.IoctxStateError)

#: Tables of extents must be full now and then.
diff.BATCH = diff.AHEAD = 64

CONF = sys.argv[1]
#: Which, if not all.
CHOSEN = sys.argv[3:]
END = time.monotonic() + float(sys.argv[2])

Task = Callable[["Own"], None]
TASKS: list[Task] = []
_names = (f"helpers-{os.getpid()}-{i}" for i in itertools.count())


class Own:
    """What a thread has to itself."""

    def __init__(self, cluster: rados.Rados, pool: str) -> None:
        self.cluster = cluster
        self.pool = pool
        self.chance = random.Random(next(_names))
        #: how often its task was done
        self.rounds = 0

    def ioctx(self, namespace: str = "") -> rados.Ioctx:
        ioctx = self.cluster.open_ioctx(self.pool)
        ioctx.set_namespace(namespace)
        return ioctx

    def image(self, ioctx: rados.Ioctx, size: int = 4 * MIB, **options: Any) -> rbd.Image:
        name = next(_names)
        rbd.RBD().create(ioctx, name, size, **{"order": 16, **options})
        return rbd.Image(ioctx, name)

    def remove(self, image: rbd.Image) -> None:
        image.close()
        for _ in range(200):
            with suppress(rbd.ImageBusy):
                rbd.RBD().remove(image.ioctx, image.name)
                return
            time.sleep(0.02)


def task(function: Task) -> Task:
    TASKS.append(function)
    return function


def nothing(*args: object) -> None:
    """A callback."""


def wait(completions: list[Any]) -> None:
    for completion in completions:
        completion.wait_for_complete_and_cb()


# -- images ---------------------------------------------------------------------------------------


@task
def sizes_and_snapshots(own: Own) -> None:
    """values.c, timestamps.c, and the calls that take turns or must be alone (handle.c)."""
    with own.ioctx() as ioctx:
        image = own.image(ioctx, stripe_unit=BLOCK, stripe_count=2)
        image.write(b"x" * BLOCK, 0)

        def others() -> None:
            for i in range(20):
                image.write(b"y" * BLOCK, i * BLOCK)
                image.read(0, OBJECT)
                image.size(), image.features(), image.op_features(), image.flags()
                image.overlap(), image.stripe_unit(), image.stripe_count()

        def resizing() -> None:
            for i in range(3):
                image.resize((5 + i) * MIB)

        threads = [threading.Thread(target=target) for target in (others, others, resizing)]
        for thread in threads:
            thread.start()
        for i in range(2):
            image.create_snap(f"s{i}")
        for thread in threads:
            thread.join()
        for snap in image.list_snaps():
            image.get_snap_timestamp(snap["id"])
        image.set_snap("s0")
        image.read(0, BLOCK)
        image.set_snap(None)
        image.rollback_to_snap("s0")
        with rbd.Image(ioctx, image.name, "s1", read_only=True) as old:

            def reading() -> None:
                for _ in range(200):
                    old.read(0, BLOCK)

            threads = [threading.Thread(target=reading) for _ in range(3)]
            for thread in threads:
                thread.start()
            for i in range(20):
                old.set_snap(f"s{i % 2}")
            for thread in threads:
                thread.join()
        for i in range(2):
            image.remove_snap(f"s{i}")
        own.remove(image)


@task
def completions(own: Own) -> None:
    """completions.c: every kind, with buffers of every kind."""
    with own.ioctx() as ioctx:
        image = own.image(ioctx)
        # who waits while another callback runs sees to it that its own is called
        name, ended = next(_names), threading.Event()
        slow = ioctx.aio_write_full(name, b"slow", lambda completion: ended.wait(30))
        slow.wait_for_complete()
        quick = ioctx.aio_write_full(name, b"quick", nothing)
        quick.wait_for_complete()
        ended.set()
        wait([slow, quick])
        for i in range(4):
            at = i * OBJECT
            room = [bytearray(100), bytearray(BLOCK), bytearray(1)]
            started = [
                image.aio_write(b"a" * BLOCK, at, nothing),
                image.aio_write(bytearray(1), at, nothing),
                image.aio_writev([b"b", bytearray(700), b"c" * BLOCK], at, nothing),
                image.aio_writesame(b"d" * 512, at, OBJECT, nothing),
                image.aio_read(at, BLOCK, nothing),
                image.aio_read(4 * MIB - 10, BLOCK, nothing),
                image.aio_readv(room, at, nothing),
                image.aio_discard(at, BLOCK, nothing),
                image.aio_discard(at, 1 << 40, nothing),
                image.aio_write_zeroes(at, BLOCK, nothing),
                image.aio_compare_and_write(at, b"d" * 512, b"e" * 512, nothing),
                image.aio_flush(nothing),
            ]
            if has("rbd_aio_compare_and_writev"):
                started.append(
                    image.aio_compare_and_writev(at, [b"e" * 512], [b"f" * 512], nothing)
                )
                with suppress(rbd.Error):
                    image.compare_and_writev(at, [b"e" * 512], [b"f" * 512])
            if has("rbd_aio_write_with_crc32c"):
                data = os.urandom(513)
                crc32c = lib.rbdcffi_crc32c(data, len(data))
                image.write_with_crc32c(data, at, crc32c)
                started.append(image.aio_write_with_crc32c(data, at, crc32c, nothing))
            wait(started)
        image.aio_close(nothing).wait_for_complete_and_cb()
        own.remove(image)


@task
def checksums(own: Own) -> None:
    """checksum.c: all lengths and places."""
    for length in range(40):
        for at in range(9):
            # as large as it must be, so that what is behind it is noticed
            data = ffi.new("unsigned char[]", at + length)
            lib.rbdcffi_crc32c(ffi.cast("char *", data) + at, length)


@task
def open_and_close(own: Own) -> None:
    """Opening, in both ways, and closing under calls of other threads (closing.c, handle.c)."""
    with own.ioctx() as ioctx:
        kept = own.image(ioctx)
        kept.write(b"x" * BLOCK, 0)
        kept.create_snap("s")
        for i in range(4):
            opened: list[rbd.Image] = []
            rbd.RBD().aio_open_image(
                lambda completion, image: opened.append(image),  # noqa: B023
                ioctx,
                kept.name,
                "s" if i % 2 else None,
                bool(i % 2),
            ).wait_for_complete_and_cb()
            image = opened[0] if i < 2 else rbd.Image(ioctx, kept.name, read_only=i == 2)

            def use(image: rbd.Image = image) -> None:
                with suppress(*CLOSED, rbd.ReadOnlyImage):
                    while True:
                        image.read(0, BLOCK)
                        image.aio_read(0, OBJECT, nothing)
                        image.aio_write(b"y" * BLOCK, 0, nothing)

            threads = [threading.Thread(target=use) for _ in range(3)]
            threads += [threading.Thread(target=image.close) for _ in range(2)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            for other in opened:
                other.close()
        with suppress(rbd.ImageNotFound):
            rbd.Image(ioctx, "no such image")
        rbd.RBD().aio_open_image(nothing, ioctx, "no such image").wait_for_complete_and_cb()
        rbd.RBD().aio_open_image(nothing, ioctx, image_id=kept.id()).wait_for_complete_and_cb()
        kept.remove_snap("s")
        own.remove(kept)


@task
def diffs(own: Own) -> None:
    """extents.c: tables that fill, iterators that are read to the end, left, and stopped."""
    with own.ioctx() as ioctx:
        image = own.image(ioctx, 4 * MIB, order=12)
        for at in range(0, 4 * MIB, 2 * BLOCK):
            image.aio_write(b"x" * BLOCK, at, nothing)
        image.flush()
        found = []
        image.diff_iterate(0, 4 * MIB, None, lambda *extent: found.append(extent))
        assert len(found) > 5 * diff.BATCH, len(found)
        assert len(list(image.diff(0, 4 * MIB, None))) == len(found)
        for _ in range(3):
            iterator = image.diff(0, 4 * MIB, None)
            next(iterator)
            del iterator
            with image.diff(0, 4 * MIB, None) as iterator:
                next(iterator)

        def fail(*extent: Any) -> None:
            raise LookupError

        with suppress(LookupError):
            image.diff_iterate(0, 4 * MIB, None, fail)
        # callbacks.c
        image.copy(ioctx, f"{image.name}-copy", on_progress=nothing)
        rbd.RBD().remove(ioctx, f"{image.name}-copy")
        with suppress(*CLOSED):
            iterator = image.diff(0, 4 * MIB, None)
            next(iterator)
            threading.Thread(target=image.close).start()
            list(iterator)
        own.remove(image)


@task
def watches(own: Own) -> None:
    """watching.c: updates, quiesces, watches that end while one waits for their answer."""
    with own.ioctx() as ioctx:
        image = own.image(ioctx)
        hooks = []
        for _ in range(3):
            hooks.append(image.update_watch(nothing))
            if has("rbd_quiesce_watch"):
                hooks.append(image.quiesce_watch(lambda: time.sleep(0.01), nothing))

        def snapshots(image: rbd.Image) -> None:
            for i in range(3):
                with suppress(*CLOSED, rbd.Error):
                    image.create_snap(f"s{i}")
                    image.remove_snap(f"s{i}")
                    image.resize((5 + i) * MIB)

        thread = threading.Thread(target=snapshots, args=(image,))
        thread.start()
        time.sleep(0.02)
        for hook in hooks[:3]:
            hook.close()
        thread.join()
        if has("rbd_quiesce_watch"):
            # it takes the place of one that was closed
            image.quiesce_watch(nothing, nothing).close()
        # what is left ends with the image
        hooks.append(image.update_watch(nothing))
        own.remove(image)


@task
def groups(own: Own) -> None:
    """A snapshot of several images, which a quiesce hook may not ask for."""
    with own.ioctx() as ioctx:
        image, name = own.image(ioctx), next(_names)
        rbd.RBD().group_create(ioctx, name)
        group = rbd.Group(ioctx, name)
        group.add_image(ioctx, image.name)
        group.create_snap("s")
        group.remove_snap("s")
        rbd.RBD().group_remove(ioctx, name)
        own.remove(image)


@task
def mirroring(own: Own) -> None:
    """mirroring.c."""
    with own.ioctx() as ioctx:
        image = own.image(ioctx, features=JOURNALING)
        with suppress(rbd.Error):
            image.mirror_image_get_status()
        image.mirror_image_enable()
        for _ in range(3):
            image.mirror_image_get_info()
            with suppress(rbd.Error):
                image.mirror_image_get_status()
            started = [
                image.aio_mirror_image_get_info(nothing),
                image.aio_mirror_image_get_status(nothing),
            ]
            if has("rbd_aio_mirror_image_get_mode"):
                started.append(image.aio_mirror_image_get_mode(nothing))
            wait(started)
        wait([image.aio_mirror_image_demote(nothing)])
        wait([image.aio_mirror_image_promote(False, nothing)])
        image.mirror_image_disable(True)
        own.remove(image)
        if has("rbd_aio_mirror_image_create_snapshot"):
            image = own.image(ioctx)
            image.mirror_image_enable(rbd.RBD_MIRROR_IMAGE_MODE_SNAPSHOT)
            with suppress(rbd.Error):
                wait([image.aio_mirror_image_create_snapshot(0, nothing)])
            image.mirror_image_disable(True)
            own.remove(image)


# -- objects --------------------------------------------------------------------------------------


@task
def objects(own: Own) -> None:
    """object_io.c: every kind, cancelled at any time, the context closed under them."""
    for closing in (False, True):
        ioctx = own.ioctx()
        name = next(_names)
        ioctx.write_full(name, b"x" * BLOCK)
        ioctx.set_xattr(name, "a", b"b")
        started: list[Any] = []
        for _ in range(5):
            write, read = rados.WriteOp().create(), rados.ReadOp().create()
            write.write(b"y" * 10, 5)
            read.read(100)
            read.stat()
            started += [
                ioctx.aio_read(name, BLOCK, 0, nothing),
                ioctx.aio_read(name, 7, 3, nothing),
                ioctx.aio_write(name, b"y" * 100, 10, nothing),
                ioctx.aio_write_full(name, bytearray(BLOCK), nothing),
                ioctx.aio_append(name, b"z", nothing),
                ioctx.aio_writesame(name, b"ab", 64, 0, nothing),
                ioctx.aio_cmpext(name, b"ab", 0, nothing),
                ioctx.aio_stat(name, nothing),
                ioctx.aio_setxattr(name, "k", b"v" * 100, nothing),
                ioctx.aio_getxattr(name, "a", nothing, length=1),
                ioctx.aio_getxattr(name, "k", nothing, length=100),
                ioctx.aio_getxattrs(name, nothing),
                ioctx.aio_rmxattr(name, "k", nothing),
                ioctx.aio_execute(name, "hello", "say_hello", b"you", oncomplete=nothing),
                ioctx.aio_execute(name, "hello", "say_hello", b"you", 3, oncomplete=nothing),
                ioctx.aio_execute(name, "no", "such", b"", oncomplete=nothing),
                ioctx.operate_aio_write_op(write, name, nothing),
                ioctx.operate_aio_read_op(read, name, nothing),
                ioctx.aio_flush_async(nothing),
            ]
            if has("rados_aio_stat2"):
                started.append(ioctx.aio_stat2(name, nothing))
            for completion in own.chance.sample(started, 10):
                completion.cancel()
        with own.ioctx() as other:
            # refused at once: an I/O context that reads a snapshot cannot write
            other.set_read(1)
            for call in (other.aio_write_full, other.aio_append):
                with suppress(rados.Error):
                    started.append(call(name, b"x", nothing))
        if closing:
            thread = threading.Thread(target=ioctx.close)
            thread.start()
            for completion in started:
                completion.cancel()
            thread.join()
        for completion in started:
            with suppress(rados.Error):
                completion.wait_for_complete()
                completion.wait_for_complete_and_cb()
        with own.ioctx() as again, suppress(rados.ObjectNotFound):
            wait([again.aio_remove(name, nothing)])
        ioctx.close()


@task
def notifications(own: Own) -> None:
    """notices.c: notifications, more than there is room for, the cluster's log."""
    with own.ioctx() as ioctx:
        name = next(_names)
        ioctx.write_full(name, b"")
        kept = [ioctx.watch(name, nothing, nothing) for _ in range(3)]
        log = rados.MonitorLog(own.cluster, "debug", nothing)
        started = [ioctx.aio_notify(name, nothing, b"n" * i) for i in (0, 1, 1000)]
        ioctx.notify2(name, "hello")
        kept.pop().close()
        with suppress(rados.Error):
            ioctx.notify(name, "again", 1000)
        line = '{"prefix": "log", "logtext": ["hello"]}'
        own.cluster.mon_command(line, b"")
        wait(started)
        log.close()
        told = threading.Event()
        # one receiver for a connection
        own.cluster.monitor_log("debug", lambda *args: told.set(), None)
        own.cluster.mon_command(line, b"")
        told.wait(5)
        own.cluster.monitor_log("debug", None, None)
        lost = threading.Event()
        watch = ioctx.watch(name, nothing, lambda *args: lost.set())
        ioctx.remove_object(name)
        assert lost.wait(20), "nobody was told that the object has gone"
        with suppress(rados.Error):
            watch.close()
        del kept


@task
def flood(own: Own) -> None:
    """A receiver that does not take what it is told: its list is full, and more comes."""

    async def run() -> None:
        async with aio.Rados(conffile=CONF) as cluster, cluster.open_ioctx(own.pool) as ioctx:
            name = next(_names)
            await ioctx.write_full(name, b"")
            async with ioctx.watch(name, capacity=2) as watch:
                async with anyio.create_task_group() as group:
                    for _ in range(6):
                        group.start_soon(ioctx.notify2, name, b"n" * 100, 1000)
                found = 0
                with anyio.move_on_after(0.5), suppress(rados.Error):
                    async for _ in watch:
                        found += 1
                assert found, "nothing was received"

    anyio.run(run)


@task
def listings(own: Own) -> None:
    """cursors.c: names, locators and namespaces of many lengths, by the page; iterators left."""
    for namespace in ("", "other"):
        with own.ioctx(namespace) as ioctx:
            for i in range(30):
                ioctx.set_locator_key("l" * i if i % 3 else None)
                ioctx.write_full(f"list-{'n' * i * 10}", b"")
    with own.ioctx(rados.LIBRADOS_ALL_NSPACES) as ioctx:
        assert len(list(ioctx.list_objects())) >= 60
        left = ioctx.list_objects()
        next(left)
        cursor = left.get_cursor()
        left.seek(cursor)
        next(left)
        begin, end = ioctx.list_begin(), ioctx.list_end()
        ioctx.list_page(begin, end, 5)
        parts = [len(list(part)) for part in ioctx.list_slices(3)]
        assert sum(parts) >= 60
    del left, cursor, begin, end


# -- event loops, clusters, processes -------------------------------------------------------------


def facade(own: Own, backend: str, engine: str) -> None:
    """The engine's queue; scopes that are cancelled."""

    async def run() -> None:
        async with (
            aio.Rados(conffile=CONF) as cluster,
            cluster.open_ioctx(own.pool, engine=engine) as ioctx,
        ):
            name = next(_names)
            # with an image open nobody knows how much librbd has in flight
            await ioctx.write_full(f"{name}-first", b"x")
            await aio.RBD().create(ioctx, name, 4 * MIB, 16)
            async with aio.Image(ioctx, name, engine=engine) as image:

                async def use(number: int) -> None:
                    patience = own.chance.expovariate(50) if number else math.inf
                    with anyio.move_on_after(patience):
                        at = number * OBJECT
                        await image.write(b"x" * OBJECT, at)
                        await image.writev([b"y" * 10, b"z" * BLOCK], at)
                        await image.read(at, 3 * BLOCK)
                        await image.discard(at, BLOCK)
                        await image.write_zeroes(at, BLOCK)
                        await image.flush()
                        await ioctx.write_full(f"{name}-{number}", b"o" * BLOCK)
                        await ioctx.read(f"{name}-{number}")
                        await ioctx.stat(f"{name}-{number}")
                        await ioctx.aio_flush()
                        async with aio.Image(ioctx, name, read_only=True, engine=engine) as other:
                            async for _ in other.diff(0, MIB, None):
                                pass
                        async with ioctx.lock_exclusive(f"{name}-{number}", "l", "c", "", 5):
                            await image.size()

                async with anyio.create_task_group() as group:
                    for number in range(40):
                        group.start_soon(use, number)
            assert len([found async for found in ioctx.list_objects()])
            # what was opened too late is closed by itself
            for _ in range(200):
                with suppress(rbd.ImageBusy):
                    await aio.RBD().remove(ioctx, name)
                    return
                await anyio.sleep(0.02)

    anyio.run(run, backend=backend)


@task
def asyncio_completions(own: Own) -> None:
    facade(own, "asyncio", "completions")


@task
def trio_threads(own: Own) -> None:
    facade(own, "trio", "threads")


@task
def clusters(own: Own) -> None:
    """Connections that are shut down under calls; one that connects at the second try."""
    cluster = rados.Rados(conffile=CONF, op_timeout=1)
    works = cluster.conf_get("mon_host")
    assert works is not None
    if not own.rounds:
        with socket.socket() as nobody:
            nobody.bind(("127.0.0.1", 0))
            cluster.conf_set("mon_host", f"127.0.0.1:{nobody.getsockname()[1]}")
            with suppress(rados.TimedOut):
                cluster.connect()
    cluster.conf_set("mon_host", works)
    cluster.connect(30)
    ioctx = cluster.open_ioctx(own.pool)
    name = next(_names)
    rbd.RBD().create(ioctx, name, 4 * MIB, order=16)
    image = rbd.Image(ioctx, name)

    def use() -> None:
        with suppress(*CLOSED):
            while True:
                image.aio_write(b"x" * BLOCK, 0, nothing)
                image.aio_read(0, BLOCK, nothing)
                ioctx.aio_write_full(name, b"x", nothing)
                ioctx.stat(name) if own.chance.random() < 0.1 else image.read(0, 10)

    ioctx.write_full(name, b"")
    threads = [threading.Thread(target=use) for _ in range(3)]
    for thread in threads:
        thread.start()
    time.sleep(0.05)
    cluster.shutdown()
    for thread in threads:
        thread.join()
    with own.ioctx() as ioctx:
        rbd.RBD().remove(ioctx, name)


@task
def forgotten(own: Own) -> None:
    """What nobody closes; finalizers that use it."""
    ioctx = own.ioctx()
    image = own.image(ioctx)
    watch = image.update_watch(nothing)
    extents = image.diff(0, MIB, None)
    image.aio_write(b"x" * BLOCK, 0, nothing)
    image.cycle = [image, watch, extents, ioctx.list_objects()]  # type: ignore[attr-defined]


def status_of(child: int) -> int | None:
    """How it ended; None: not by itself. AddressSanitizer's malloc does not unlock in a child what
    other threads had locked when the process was copied, and then the child waits for ever."""
    until = time.monotonic() + 5
    while time.monotonic() < until:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return status
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


@task
def forks(own: Own) -> None:
    """A child that uses and closes what it has inherited, while the other threads are anywhere."""
    with own.ioctx() as ioctx:
        image = own.image(ioctx)
        watch = image.update_watch(nothing)
        image.aio_write(b"x" * BLOCK, 0, nothing)
        child = os.fork()
        if not child:
            status = 1
            try:
                for call in (
                    lambda: image.read(0, 1),
                    lambda: image.aio_read(0, 1, nothing),
                    lambda: image.diff_iterate(0, MIB, None, nothing),
                    lambda: ioctx.stat("x"),
                    lambda: ioctx.aio_stat("x", nothing),
                    lambda: image.update_watch(nothing),
                    lambda: list(ioctx.list_objects()),
                ):
                    with suppress(rbd.Error, rados.Error):
                        call()
                        raise AssertionError("the child could use it")
                watch.close()
                image.close()
                own.cluster.shutdown()
                status = 0
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(status)
        ended = status_of(child)
        # whether children hang is what test_forks.py asserts, without sanitizers
        assert ended in (0, None), f"the forked child ended with {ended}"
        watch.close()
        own.remove(image)


# -- all of it ------------------------------------------------------------------------------------


def main() -> None:
    failures: list[str] = []
    rounds: dict[str, int] = {}

    def run(function: Task, own: Own) -> None:
        try:
            while not failures:
                function(own)
                own.rounds += 1
                if time.monotonic() > END:
                    break
            rounds[function.__name__] = own.rounds
        except BaseException:
            failures.append(f"{function.__name__}:\n{traceback.format_exc()}")

    with rados.Rados(conffile=CONF) as cluster:
        pool = next(_names)
        cluster.create_pool(pool)
        with cluster.open_ioctx(pool) as ioctx:
            ioctx.application_enable("rbd")
            rbd.RBD().mirror_mode_set(ioctx, rbd.RBD_MIRROR_MODE_IMAGE)
            threads = [
                threading.Thread(target=run, args=(function, Own(cluster, pool)))
                for function in TASKS
                if not CHOSEN or function.__name__ in CHOSEN
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        cluster.delete_pool(pool)
    if failures:
        sys.exit("\n".join(failures))
    print(rounds)


if __name__ == "__main__":
    main()
