"""What callers see when the cluster has a fault, and within which time; and that data is there.

docs/reliability.md is the table of these tests. Each way to make calls is tested: the synchronous
core, threads and completions in an event loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import random
import re
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from driving import DRIVERS, Driver

from rbdcffi import _handle, aio, rados, rbd
from rbdcffi._ffi import loaded_version
from rbdcffi.testing import Cluster, ClusterError

KIB, MIB = 1 << 10, 1 << 20
BLOCK = 4 * KIB

#: Librbd's own layers add up their waits: an operation may wait for the lock, the object map and
#: the data, one after the other.
OP_TIMEOUT = 2

#: What a call may take, in seconds, with a timeout or where it should fail at once, on a machine
#: that has other things to do. docs/reliability.md says what it takes on one that has not.
LIMIT = 45

COMPLETIONS = "trio-completions"

OLD = loaded_version() < (1, 13)  # Ceph 14

LAYERING = rbd.RBD_FEATURE_LAYERING
DEFAULT = (
    LAYERING
    | rbd.RBD_FEATURE_EXCLUSIVE_LOCK
    | rbd.RBD_FEATURE_OBJECT_MAP
    | rbd.RBD_FEATURE_FAST_DIFF
    | rbd.RBD_FEATURE_DEEP_FLATTEN
)


@pytest.fixture(params=["sync", "asyncio-threads", COMPLETIONS])
def driver(request: pytest.FixtureRequest) -> Iterator[Driver]:
    with DRIVERS[request.param]() as made:
        yield made


#: A paused OSD is not marked down.
PATIENT = {"osd heartbeat grace": 3600}


@pytest.fixture
def own(ceph_cluster_factory: Callable[..., Cluster]) -> Iterator[Cluster]:
    """A cluster to be hurt."""
    cluster = ceph_cluster_factory(conf=PATIENT)
    try:
        yield cluster
    finally:
        cluster.osds[0].resume()


def sees(
    driver: Driver,
    expected: tuple[type[BaseException], int],
    words: str,
    function: Any,
    *args: Any,
    **options: Any,
) -> None:
    """The call fails with this class and errno, names what it was about, and does so in time.

    With ``pytest -s`` it says how long that took.
    """
    kind, number = expected
    started = time.monotonic()
    with pytest.raises(kind) as caught:
        if function == driver.open:
            function(*args, **options)
        else:
            driver.do(function, *args, **options)
    took = time.monotonic() - started
    assert type(caught.value) is kind
    assert caught.value.errno == number
    assert re.search(words, str(caught.value)), str(caught.value)
    assert took < LIMIT, f"{function} took {took:.1f} s"
    print(f"{took:5.2f} s: {kind.__module__}.{kind.__name__} {caught.value}")


def until(condition: Callable[[], Any], what: str, limit: float = LIMIT) -> None:
    deadline = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def insisting(driver: Driver, image: Any, *writes: tuple[bytes, int]) -> None:
    """With a short op_timeout a call may time out on a cluster that is well, but slow; what a flush
    has failed with is forgotten then, so the writes are repeated, too."""
    deadline = time.monotonic() + LIMIT
    while True:
        try:
            for write in writes:
                driver.do(image.write, *write)
            driver.do(image.flush)
            return
        except rbd.Timeout:
            assert time.monotonic() < deadline


def create(own: Cluster, name: str, size: int, **options: Any) -> None:
    with rados.Rados(conffile=own.conf) as connection, connection.open_ioctx("rbd") as ioctx:
        rbd.RBD().create(ioctx, name, size, **options)


def side_by_side(*calls: Callable[[], None]) -> None:
    """Each of them waits for a timeout: together they take less."""
    with ThreadPoolExecutor(len(calls)) as pool:
        for future in [pool.submit(call) for call in calls]:
            future.result()


def block(number: int) -> bytes:
    return random.Random(number).getrandbits(8 * BLOCK).to_bytes(BLOCK, "little")


class Writer:
    """Writes numbered blocks, flushes now and then, and knows what was acknowledged and flushed."""

    def __init__(self, driver: Driver, image: Any, blocks: int) -> None:
        self._driver, self._image, self._blocks = driver, image, blocks
        self._chance = random.Random(blocks)
        self.flushed: dict[int, int] = {}  # place -> number
        self.tried: dict[int, set[int]] = {}  # what else may be there: place -> numbers
        self.error: BaseException | None = None
        self._started = time.monotonic()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        number = 1
        try:
            while not self._stop.is_set():
                batch = {}
                self._started = time.monotonic()
                for place in self._chance.sample(range(self._blocks), 8):
                    self.tried.setdefault(place, set()).add(number)
                    self._driver.do(self._image.write, block(number), place * BLOCK)
                    batch[place] = number
                    number += 1
                self._driver.do(self._image.flush)
                self.flushed.update(batch)
                for place in batch:
                    self.tried[place] = set()
        except BaseException as error:
            self.error = error

    def written(self, more: int = 20, timeout: float = 2 * LIMIT) -> None:
        """Waits until it gets on."""
        deadline = time.monotonic() + timeout
        wanted = len(self.flushed) + more
        while len(self.flushed) < min(wanted, self._blocks) and self.error is None:
            assert time.monotonic() < deadline, "the writer does not get on"
            time.sleep(0.01)

    def waits(self, seconds: float) -> bool:
        """Whether it is in the middle of something since so long."""
        return self.error is None and time.monotonic() - self._started > seconds

    def stop(self, timeout: float = 2 * LIMIT) -> None:
        self._stop.set()
        self._thread.join(timeout)
        assert not self._thread.is_alive(), "the writer hangs"

    def check(self, own: Cluster, name: str) -> None:
        """As a new client sees it: what was flushed, or what was written over it later."""
        assert len(self.flushed) > 20
        with rados.Rados(conffile=own.conf) as connection, connection.open_ioctx("rbd") as ioctx:
            with rbd.Image(ioctx, name, read_only=True) as image:
                for place, number in self.flushed.items():
                    got = image.read(place * BLOCK, BLOCK)
                    assert got in [block(n) for n in (number, *self.tried[place])], place


# -- an OSD that stands still ------------------------------------------------------------------


def osd_stopped() -> None:
    side_by_side(
        partial(_osd_stopped, "sync", "true"),
        partial(_osd_stopped, "asyncio-threads", "false"),
        partial(_osd_stopped, COMPLETIONS, "false"),
    )


def _osd_stopped(kind: str, cache: str) -> None:
    """With op_timeout every call ends; nothing that was flushed is lost; it all works again."""
    with Cluster(conf=PATIENT) as own, DRIVERS[kind]() as driver:
        name = "image"
        connection = driver.connect(
            conffile=own.conf, conf={"rbd_cache": cache}, op_timeout=OP_TIMEOUT
        )
        ioctx = driver.pool(connection, "rbd")
        create(own, name, 64 * MIB, features=DEFAULT)
        image = driver.open(ioctx, name)
        insisting(driver, image, (b"kept" * 1024, 0), (b"old!" * 1024, 4 * MIB))
        about = re.escape(f"rbd/{name}")
        check = partial(sees, driver, (rbd.Timeout, errno.ETIMEDOUT))
        own.osds[0].pause()
        try:
            new = (b"new!" * 1024, 4 * MIB)
            if cache == "true":
                driver.do(image.write, *new)  # into the cache
                changes = [partial(check, rf"Image\.flush.*{about}", image.flush)]
            else:
                words = rf"Image\.write\(4096 bytes, 4194304\).*{about}"
                changes = [
                    partial(check, words, image.write, *new),
                    partial(check, rf"Image\.read\(0, 4096\).*{about}", image.read, 0, 4096),
                ]
            side_by_side(
                *changes,
                partial(
                    check,
                    *(rf"Image\.diff.*{about}", image.diff_iterate),
                    *(0, 64 * MIB, None, lambda *extent: None),
                ),
                partial(check, rf"open image.*{about}", driver.open, ioctx, name),
                partial(check, r"RBD\.list.*pool 'rbd'", driver.rbd.list, ioctx),
                partial(
                    *(check, r"RBD\.create\('other'.*pool 'rbd'"),
                    *(driver.rbd.create, ioctx, "other", MIB),
                ),
                partial(
                    *(sees, driver, (rados.TimedOut, errno.ETIMEDOUT), r"object 'o'.*pool 'rbd'"),
                    *(ioctx.write_full, "o", b"x"),
                ),
            )
            check(rf"Image\.resize.*{about}", image.resize, 32 * MIB)
        finally:
            own.osds[0].resume()
        insisting(driver, image, (b"next" * 1024, 8 * MIB))
        driver.do(image.close)
        with rados.Rados(conffile=own.conf) as other, other.open_ioctx("rbd") as pool:
            with rbd.Image(pool, name, read_only=True) as again:
                assert again.read(0, 4096) == b"kept" * 1024
                assert again.read(8 * MIB, 4096) == b"next" * 1024
                # a write that has failed may have been done, or be done later
                assert again.read(4 * MIB, 4096) in (b"old!" * 1024, b"new!" * 1024)


def test_osd_stopped_and_continued(own: Cluster, driver: Driver, fresh_name: str) -> None:
    """Without op_timeout calls wait as long as it takes, and then succeed."""
    ioctx = driver.pool(driver.connect(conffile=own.conf), "rbd")
    driver.do(driver.rbd.create, ioctx, fresh_name, 2 * MIB)
    image = driver.open(ioctx, fresh_name)
    writer = Writer(driver, image, 512)
    for _ in range(2):
        writer.written()
        own.osds[0].pause()
        until(partial(writer.waits, 0.7), "the writer does not wait")
        own.osds[0].resume()
    writer.written()
    writer.stop()
    assert writer.error is None
    driver.do(image.close)
    writer.check(own, fresh_name)


# -- an OSD that dies --------------------------------------------------------------------------


#: All OSDs are on one host, and the monitor would not believe it when it says that one is dead.
ONE_WITNESS = {"mon osd min down reporters": 1}


def start_all(own: Cluster) -> None:
    for osd in own.osds:
        osd.start()


def osd_killed_of_three() -> None:
    """Two copies on three OSDs: writers go on by themselves, and nothing is lost."""
    conf = {"osds": 3, "replicas": 2, "objectstore": "bluestore", "conf": ONE_WITNESS}
    with Cluster(**conf) as own, contextlib.ExitStack() as stack:
        writers = []
        for kind in ("sync", "asyncio-threads", COMPLETIONS):
            driver = stack.enter_context(DRIVERS[kind]())
            ioctx = driver.pool(driver.connect(conffile=own.conf), "rbd")
            name = kind
            driver.do(driver.rbd.create, ioctx, name, 2 * MIB)
            image = driver.open(ioctx, name)
            writers.append((Writer(driver, image, 512), driver, image, name))
        stack.callback(start_all, own)  # whatever happens: closing waits for the cluster
        # the same one twice: another may have the only new copy of something until all is recovered
        for osd in [own.osds[0]] * 2:
            for writer, *_ in writers:
                writer.written()
            osd.kill()
            for writer, *_ in writers:
                writer.written()  # by what is left
            osd.start()
            own.wait_healthy()
        for writer, driver, image, name in writers:
            writer.written()
            writer.stop()
            assert writer.error is None
            driver.do(image.close)
            writer.check(own, name)


def osd_killed_alone() -> None:
    """One copy: with op_timeout writers see Timeout, others wait; what was flushed is there."""
    with Cluster(objectstore="bluestore") as own, contextlib.ExitStack() as stack:
        writers = []
        for timeout in (None, OP_TIMEOUT):
            for kind in ("sync", "asyncio-threads", COMPLETIONS):
                driver = stack.enter_context(DRIVERS[kind]())
                connection = driver.connect(conffile=own.conf, op_timeout=timeout)
                ioctx = driver.pool(connection, "rbd")
                name = f"{kind}-{timeout}"
                create(own, name, MIB)
                image = driver.open(ioctx, name)
                writers.append((Writer(driver, image, 256), driver, image, name, timeout))
        for writer, *_ in writers:
            writer.written()
        stack.callback(start_all, own)
        own.osds[0].kill()
        for writer, *_, timeout in writers:
            if timeout is None:
                until(partial(writer.waits, 2 * OP_TIMEOUT), "it does not wait for the OSD")
            else:
                until(lambda w=writer: w.error is not None, "no timeout")
        own.osds[0].start()
        own.wait_healthy()

        def end(writer: Writer, driver: Driver, image: Any, name: str, timeout: Any) -> None:
            if timeout is None:
                writer.written()
            writer.stop()
            if timeout is None:
                assert writer.error is None
            else:
                assert type(writer.error) is rbd.Timeout
                assert writer.error.errno == errno.ETIMEDOUT
                assert f"rbd/{name}" in str(writer.error)
                # the handle is as good as before, once the cluster is as quick as before
                insisting(driver, image, (block(0), 0))
                writer.flushed[0] = 0
            started = time.monotonic()
            driver.do(image.close)
            assert time.monotonic() - started < LIMIT  # librbd renews its watch first
            writer.check(own, name)

        side_by_side(*[partial(end, *each) for each in writers])


# -- the monitor -------------------------------------------------------------------------------


def test_monitor_killed(own: Cluster, driver: Driver, fresh_name: str) -> None:
    """I/O goes on without it; what needs it ends with op_timeout; it may come back."""
    connection = driver.connect(conffile=own.conf, op_timeout=OP_TIMEOUT)
    ioctx = driver.pool(driver.connect(conffile=own.conf), "rbd")
    driver.do(driver.rbd.create, ioctx, fresh_name, 2 * MIB)
    image = driver.open(ioctx, fresh_name)
    writer = Writer(driver, image, 512)
    writer.written()
    own.mon.kill()
    try:
        writer.written(200)
        timed_out = (rados.TimedOut, errno.ETIMEDOUT)
        another = driver.cluster(conffile=own.conf)
        side_by_side(
            partial(sees, driver, timed_out, r"Rados\.connect", another.connect, 1),
            partial(
                *(sees, driver, timed_out, rf"Rados\.create_pool\('{fresh_name}"),
                *(connection.create_pool, fresh_name),
            ),
        )
        driver.do(another.shutdown)
    finally:
        own.mon.start()
    writer.written()
    writer.stop()
    assert writer.error is None
    driver.do(image.create_snap, "after")  # once librados has found the monitor again
    driver.do(image.close)
    driver.connect(conffile=own.conf)
    writer.check(own, fresh_name)


def test_dead_monitor_address(driver: Driver) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        conf = {"mon_host": address, "auth_client_required": "none"}
        timed_out = (rados.TimedOut, errno.ETIMEDOUT)
        patient = driver.cluster(conf=conf, op_timeout=1)
        hasty = driver.cluster(conf=conf)
        sees(driver, timed_out, r"Rados\.connect", patient.connect)
        sees(driver, timed_out, r"Rados\.connect", hasty.connect, 0.5)
        for cluster in (patient, hasty):
            driver.do(cluster.shutdown)


# -- no room -----------------------------------------------------------------------------------


def pool_full() -> None:
    """Writes wait for room, or for op_timeout; reads and removals go on."""
    with Cluster() as own, contextlib.ExitStack() as stack:
        drivers = {
            name: stack.enter_context(DRIVERS[name]())
            for name in ("sync", "asyncio-threads", COMPLETIONS)
        }
        stack.callback(fill, own, False)  # closing waits for room, too
        tests = [NoRoom(driver, own, name) for name, driver in drivers.items()]
        fill(own, True)
        side_by_side(*[test.full for test in tests])
        fill(own, False)
        for test in tests:
            test.free(own)


class NoRoom:
    def __init__(self, driver: Driver, own: Cluster, name: str) -> None:
        self._driver, self._name = driver, name
        do = driver.do
        connection = driver.connect(conffile=own.conf)
        waiting = self._waiting = driver.pool(connection, "rbd")
        self._trying = driver.pool(connection, "rbd")
        limited = driver.pool(driver.connect(conffile=own.conf, op_timeout=OP_TIMEOUT), "rbd")
        for ioctx, image in ((waiting, name), (limited, name + "-limited")):
            do(driver.rbd.create, ioctx, image, 8 * MIB, features=LAYERING)
        do(waiting.write_full, name, b"x")
        self._image = driver.open(waiting, name)
        self._limited = driver.open(limited, name + "-limited")
        do(self._image.write, b"before", 0)
        do(self._image.flush)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._write, daemon=True)

    def _write(self) -> None:
        self._driver.do(self._image.write, b"later!", 0)
        self._driver.do(self._image.flush)
        self._ended.set()

    def full(self) -> None:
        do = self._driver.do
        assert do(self._image.read, 0, 6) == b"before"
        self._thread.start()
        started = time.monotonic()
        with pytest.raises(rbd.Timeout, match=f"rbd/{self._name}-limited") as caught:
            do(self._limited.write, b"never?", 0)
            do(self._limited.flush)
        assert caught.value.errno == errno.ETIMEDOUT
        assert time.monotonic() - started < LIMIT
        # a removal waits as well, unless told to try
        do(self._trying.set_osdmap_full_try)
        do(self._trying.remove_object, self._name)
        assert not self._ended.is_set()

    def free(self, own: Cluster) -> None:
        assert self._ended.wait(LIMIT)
        self._driver.do(self._image.close)
        self._driver.do(self._limited.close)
        with rados.Rados(conffile=own.conf) as connection, connection.open_ioctx("rbd") as ioctx:
            with rbd.Image(ioctx, self._name, read_only=True) as again:
                assert again.read(0, 6) == b"later!"


def fill(own: Cluster, full: bool) -> None:
    """Makes the OSD say that it is full, or that it is not; waits until the monitor knows."""
    own.osds[0].admin("injectfull", type="full" if full else "none")
    until(
        lambda: any("full" in pool["flags_names"].split(",") for pool in pools(own)) == full,
        "the monitor does not know",
    )


def pools(own: Cluster) -> Any:
    return own.ceph("osd", "dump", json=True)["pools"]


# -- what is gone ------------------------------------------------------------------------------


def test_pool_deleted(own: Cluster, driver: Driver, fresh_name: str) -> None:
    """Under an open image: every call that asks the cluster fails at once, closing works."""
    own.create_pool(fresh_name)
    connection = driver.connect(conffile=own.conf)
    ioctx = driver.pool(connection, fresh_name)
    driver.do(driver.rbd.create, ioctx, "image", 8 * MIB)
    image = driver.open(ioctx, "image")
    driver.do(image.write, b"x" * 4096, 0)
    driver.do(image.flush)
    own.remove_pool(fresh_name)
    driver.do(connection.wait_for_latest_osdmap)
    about = f"{fresh_name}/image"
    gone = (rbd.ImageNotFound, errno.ENOENT)
    # librbd's own answer to some calls, sometimes
    denied = (rbd.PermissionError, errno.EPERM)
    for words, call in (
        (r"Image\.read\(0, 4096\)", partial(image.read, 0, 4096)),
        (r"Image\.create_snap\('s'\)", partial(image.create_snap, "s")),
        (r"Image\.resize\(1048576\)", partial(image.resize, MIB)),
    ):
        if OLD and call.func == image.read:
            continue  # from the cache
        started = time.monotonic()
        with pytest.raises(rbd.OSError, match=rf"{words}.*{about}") as caught:
            driver.do(call)
        assert (type(caught.value), caught.value.errno) in (gone, denied)
        assert time.monotonic() - started < LIMIT
    started = time.monotonic()
    with contextlib.suppress(rbd.PermissionError):  # librbd may take the write for done
        driver.do(image.write, b"y" * 4096, 0)
        driver.do(image.flush)
    assert time.monotonic() - started < LIMIT
    sees(driver, gone, rf"open image '{about}'", driver.open, ioctx, "image")
    sees(
        *(driver, gone, rf"RBD\.create\('new'.*pool '{fresh_name}'"),
        *(driver.rbd.create, ioctx, "new", MIB),
    )
    sees(
        *(driver, (rados.ObjectNotFound, errno.ENOENT), rf"'o' in pool '{fresh_name}'"),
        *(ioctx.write_full, "o", b"x"),
    )
    started = time.monotonic()
    driver.do(image.close)
    driver.do(ioctx.close)
    assert time.monotonic() - started < LIMIT


def remove_by_force(own: Cluster, name: str, image_id: str) -> None:
    """All objects of an image, without asking its users."""
    with rados.Rados(conffile=own.conf) as connection, connection.open_ioctx("rbd") as ioctx:
        found = [entry.key for entry in ioctx.list_objects()]
        for key in found:
            if image_id in key or key == f"rbd_id.{name}":
                ioctx.remove_object(key)


def test_image_deleted(own: Cluster, driver: Driver, fresh_name: str) -> None:
    """Under an open handle, of an image without an exclusive lock."""
    ioctx = driver.pool(driver.connect(conffile=own.conf, conf={"rbd_cache": "false"}), "rbd")
    driver.do(driver.rbd.create, ioctx, fresh_name, 8 * MIB, features=LAYERING)
    image = driver.open(ioctx, fresh_name)
    driver.do(image.write, b"x" * 4096, 0)
    remove_by_force(own, fresh_name, driver.do(image.id))
    about = f"rbd/{fresh_name}"
    gone = (rbd.ImageNotFound, errno.ENOENT)
    words = rf"Image\.read\(0, 4\).*{about}"
    deadline = time.monotonic() + LIMIT
    with pytest.raises(rbd.ImageNotFound, match=words) as caught:  # once librbd has noticed
        while time.monotonic() < deadline:
            assert driver.do(image.read, 0, 4) == bytes(4)
    assert caught.value.errno == errno.ENOENT
    sees(driver, gone, rf"Image\.create_snap\('s'\).*{about}", image.create_snap, "s")
    sees(driver, gone, rf"Image\.resize.*{about}", image.resize, MIB)
    sees(driver, gone, rf"open image '{about}'", driver.open, ioctx, fresh_name)
    started = time.monotonic()
    driver.do(image.close)
    assert time.monotonic() - started < LIMIT


def image_deleted_under_its_lock() -> None:
    """librbd waits for a lock that nobody can have, with op_timeout, too. Reads go on, and neither
    Ctrl-C nor the end of the process waits for it."""
    with Cluster() as own:
        _image_deleted_under_its_lock(own)


def _image_deleted_under_its_lock(own: Cluster) -> None:
    text = f"""
        import os, signal, threading, time
        import rbdcffi._handle
        from rbdcffi import rados, rbd
        rbdcffi._handle.EXIT_TIMEOUT = 1.0
        cluster = rados.Rados(conffile={own.conf!r}, op_timeout=1)
        cluster.connect()
        ioctx = cluster.open_ioctx("rbd")
        rbd.RBD().create(ioctx, "image", 8 << 20, features={DEFAULT})
        image = rbd.Image(ioctx, "image")
        image.write(b"x" * 4096, 0)
        image.flush()
        print(image.id(), flush=True)
        input()
        done = time.monotonic()
        def write():
            global done
            while True:
                image.write(b"y", 0)
                image.flush()
                done = time.monotonic()
        thread = threading.Thread(target=write, daemon=True)
        thread.start()
        while thread.is_alive() and time.monotonic() - done < 4:
            thread.join(0.1)  # until librbd has noticed, and longer than op_timeout
        print("hangs" if thread.is_alive() else "ended", flush=True)
        threading.Timer(2, os.kill, (os.getpid(), signal.SIGINT)).start()
        try:
            image.close()
        except KeyboardInterrupt:
            print("interrupted", flush=True)
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(text)],
        **{"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE},
        text=True,
    )
    deadline = threading.Timer(100, process.kill)
    deadline.start()
    try:
        assert process.stdin is not None and process.stdout is not None
        remove_by_force(own, "image", process.stdout.readline().strip())
        output, errors = process.communicate("\n")
    finally:
        deadline.cancel()
        process.kill()
    assert output.split() == ["hangs", "interrupted"], errors[-2000:]
    assert process.returncode == 0, errors[-2000:]
    assert "leaving it open at exit" in errors


# -- other clients -----------------------------------------------------------------------------


def test_lock_asked_for(own: Cluster, driver: Driver, fresh_name: str) -> None:
    """By a client that writes: librbd hands the lock over, to and fro, and nothing is lost."""
    first = driver.pool(driver.connect(conffile=own.conf), "rbd")
    driver.do(driver.rbd.create, first, fresh_name, 2 * MIB, features=DEFAULT)
    image = driver.open(first, fresh_name)
    writer = Writer(driver, image, 256)  # the first half of the image
    with rados.Rados(conffile=own.conf) as connection, connection.open_ioctx("rbd") as ioctx:
        with rbd.Image(ioctx, fresh_name) as thief:
            for i in range(5):
                writer.written(4)
                thief.write(block(i), MIB + i * BLOCK)
                thief.flush()
            writer.stop()
            assert writer.error is None
    driver.do(image.close)
    writer.check(own, fresh_name)
    with rados.Rados(conffile=own.conf) as connection, connection.open_ioctx("rbd") as ioctx:
        with rbd.Image(ioctx, fresh_name, read_only=True) as again:
            for i in range(5):
                assert again.read(MIB + i * BLOCK, BLOCK) == block(i)


@pytest.mark.not_on_ceph(14, reason="writes of a client that had the lock never return")
@pytest.mark.parametrize("how", ["lock_break", "blocklist"])
def test_blocklisted(own: Cluster, driver: Driver, fresh_name: str, how: str) -> None:
    """Its connection is dead, and says so at once; what was flushed is there; a new one works."""
    connection = driver.connect(conffile=own.conf)
    ioctx = driver.pool(connection, "rbd")
    driver.do(driver.rbd.create, ioctx, fresh_name, 2 * MIB, features=DEFAULT)
    image = driver.open(ioctx, fresh_name)
    driver.do(image.write, b"kept" * 1024, 0)
    driver.do(image.flush)
    with rados.Rados(conffile=own.conf) as other, other.open_ioctx("rbd") as pool:
        with rbd.Image(pool, fresh_name) as thief:
            (owner,) = thief.lock_get_owners()
            if how == "lock_break":
                thief.lock_break(owner["mode"], owner["owner"])
                thief.lock_acquire(rbd.RBD_LOCK_MODE_EXCLUSIVE)
                thief.write(b"mine" * 1024, 4096)
                thief.flush()
            else:
                block_client(own, owner["owner"])
    driver.do(connection.wait_for_latest_osdmap)
    about = f"rbd/{fresh_name}"
    dead = (rbd.ConnectionShutdown, errno.ESHUTDOWN)
    sees(driver, dead, rf"Image\.read\(0, 4096\).*{about}", image.read, 0, 4096)
    sees(driver, dead, rf"Image\.write.*{about}", image.write, b"lost" * 1024, 0)
    sees(driver, dead, rf"Image\.create_snap.*{about}", image.create_snap, "s")
    sees(driver, dead, rf"open image '{about}'", driver.open, ioctx, fresh_name)
    sees(driver, dead, r"RBD\.list of pool 'rbd'", driver.rbd.list, ioctx)
    sees(
        *(driver, (rados.ConnectionShutdown, errno.ESHUTDOWN), r"object 'o' in pool 'rbd'"),
        *(ioctx.write_full, "o", b"x"),
    )
    started = time.monotonic()
    driver.do(image.close)
    driver.do(connection.shutdown)
    assert time.monotonic() - started < LIMIT
    again = driver.pool(driver.connect(conffile=own.conf), "rbd")
    image = driver.open(again, fresh_name)
    assert driver.do(image.read, 0, 4096) == b"kept" * 1024
    if how == "lock_break":
        assert driver.do(image.read, 4096, 4096) == b"mine" * 1024
    driver.do(image.write, b"more" * 1024, 0)
    driver.do(image.flush)
    driver.do(image.close)


#: What is written stays in the cache until it is flushed.
KEPT_BACK = {
    "rbd_cache": "true",
    "rbd_cache_writethrough_until_flush": "false",
    "rbd_cache_max_dirty_age": "3600",
    **({} if OLD else {"rbd_cache_policy": "writeback"}),
}


def lose(own: Cluster, driver: Driver, name: str) -> tuple[Any, Any]:
    """A connection and an image, with a write in its cache that it can never write back."""
    connection = driver.connect(conffile=own.conf, conf=KEPT_BACK)
    ioctx = driver.pool(connection, "rbd")
    driver.do(driver.rbd.create, ioctx, name, 2 * MIB, features=LAYERING)
    image = driver.open(ioctx, name)
    driver.do(image.write, b"kept", 0)
    driver.do(image.flush)
    driver.do(image.write, b"lost", 0)
    block_client(own, address_of(connection))
    driver.do(connection.wait_for_latest_osdmap)
    return connection, image


def address_of(connection: Any) -> str:
    addresses: str = getattr(connection, "sync", connection).get_addrs()
    return addresses


def test_close_tells_what_is_lost(own: Cluster, driver: Driver, fresh_name: str) -> None:
    """Where rbd_close, and the standard binding, succeed. Once; and it is closed in any case."""
    connection, image = lose(own, driver, fresh_name)
    dead = (rbd.ConnectionShutdown, errno.ESHUTDOWN)
    sees(driver, dead, rf"Image\.close of 'rbd/{fresh_name}'", image.close)
    assert image.closed
    driver.do(image.close)
    driver.do(connection.shutdown)
    with rados.Rados(conffile=own.conf) as other, other.open_ioctx("rbd") as pool:
        with rbd.Image(pool, fresh_name, read_only=True) as again:
            assert again.read(0, 4) == b"kept"


def test_shutdown_tells_what_is_lost(
    own: Cluster, driver: Driver, fresh_name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    connection, image = lose(own, driver, fresh_name)
    driver.do(connection.shutdown)
    assert image.closed
    told = capfd.readouterr().err
    assert f"image 'rbd/{fresh_name}' was closed unflushed" in told
    driver.do(image.close)


def test_close_after_a_flush_asks_nobody(own: Cluster, driver: Driver, fresh_name: str) -> None:
    """What could not be written was never acknowledged, and what was is flushed."""
    connection, image = lose(own, driver, fresh_name)
    dead = (rbd.ConnectionShutdown, errno.ESHUTDOWN)
    sees(driver, dead, rf"Image\.flush of 'rbd/{fresh_name}'", image.flush)
    sees(driver, dead, rf"Image\.close of 'rbd/{fresh_name}'", image.close)  # it is lost now
    driver.do(connection.shutdown)


def test_close_while_another_client_has_the_lock(
    own: Cluster, driver: Driver, fresh_name: str
) -> None:
    """It does not take the lock away; what was written was flushed when the lock was given up."""
    ioctx = driver.pool(driver.connect(conffile=own.conf, conf=KEPT_BACK), "rbd")
    create(own, fresh_name, 2 * MIB, features=DEFAULT)
    image = driver.open(ioctx, fresh_name)
    driver.do(image.write, b"mine", 0)
    with rados.Rados(conffile=own.conf) as other, other.open_ioctx("rbd") as pool:
        with rbd.Image(pool, fresh_name) as thief:
            thief.lock_acquire(rbd.RBD_LOCK_MODE_EXCLUSIVE)
            driver.do(image.close)
            assert thief.is_exclusive_lock_owner()
            assert thief.read(0, 4) == b"mine"


def block_client(own: Cluster, address: str) -> None:
    try:
        own.ceph("osd", "blocklist", "add", address)
    except ClusterError:  # its name before Ceph 16
        own.ceph("osd", "blacklist", "add", address)


def closed_while_nothing_can_be_written() -> None:
    """The error comes once; librbd tries again behind it, and lets the image go when it has
    succeeded, or leaves it at exit: to close an image whose cache tries ends the process."""
    with Cluster(conf=PATIENT) as own, contextlib.ExitStack() as stack:
        closed = []
        for kind in ("sync", "asyncio-threads", COMPLETIONS):
            driver = stack.enter_context(DRIVERS[kind]())
            connection = driver.connect(conffile=own.conf, conf=KEPT_BACK, op_timeout=OP_TIMEOUT)
            ioctx = driver.pool(connection, "rbd")
            create(own, kind, 2 * MIB, features=LAYERING)
            image = driver.open(ioctx, kind)
            insisting(driver, image, (b"kept", 0))
            driver.do(image.write, b"late", 0)
            closed.append((driver, kind, image, connection))
        left = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(LEAVES_UNFLUSHED), own.conf, repr(KEPT_BACK)],
            **{"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE},
            text=True,
        )
        stack.callback(left.kill)
        assert left.stdout is not None and left.stdout.readline() == "ready\n", left.communicate()
        own.osds[0].pause()
        stack.callback(own.osds[0].resume)

        def close(driver: Driver, name: str, image: Any, connection: Any) -> None:
            timed_out = (rbd.Timeout, errno.ETIMEDOUT)
            sees(driver, timed_out, rf"Image\.close of 'rbd/{name}'", image.close)
            assert image.closed
            started = time.monotonic()
            driver.do(image.close)
            driver.do(connection.shutdown)
            assert time.monotonic() - started < LIMIT

        def leave() -> None:
            _, errors = left.communicate("\n", timeout=2 * LIMIT)
            assert left.returncode == 0, errors[-2000:]
            assert "image 'rbd/left' was closed unflushed" in errors, errors[-2000:]

        side_by_side(*[partial(close, *each) for each in closed], leave)
        own.osds[0].resume()
        with rados.Rados(conffile=own.conf) as other, other.open_ioctx("rbd") as pool:
            for _, name, *_ in closed:
                with rbd.Image(pool, name, read_only=True) as again:
                    until(
                        lambda image=again: not list(image.watchers_list()),
                        "it is not closed",
                        2 * LIMIT,
                    )
                    assert again.read(0, 4) == b"late"


def test_what_is_written_late_is_not_written_last(own: Cluster, fresh_name: str) -> None:
    """An image that was closed in vain is written back before another handle of it is open."""
    with rados.Rados(conffile=own.conf, conf=KEPT_BACK, op_timeout=1) as cluster:
        with cluster.open_ioctx("rbd") as ioctx:
            rbd.RBD().create(ioctx, fresh_name, 2 * MIB, features=LAYERING)
            image = rbd.Image(ioctx, fresh_name)
            image.write(b"old!", 0)
            own.osds[0].pause()
            with pytest.raises(rbd.Timeout):
                image.close()
            with pytest.raises(rbd.Error) as caught:
                rbd.Image(ioctx, fresh_name)  # it cannot be written yet
            assert caught.value.errno in (errno.EBUSY, errno.ETIMEDOUT)
            own.osds[0].resume()
            with rbd.Image(ioctx, fresh_name) as again:
                again.write(b"new!", 0)
                again.flush()
            until(lambda: not _handle._ghosts, "it is still open")
            time.sleep(1)
            with rbd.Image(ioctx, fresh_name, read_only=True) as again:
                assert again.read(0, 4) == b"new!"


def test_lock_release_loses_nothing(own: Cluster, fresh_name: str) -> None:
    """librbd would give up the lock, and drop what it cannot write."""
    connection = rados.Rados(conffile=own.conf, conf=KEPT_BACK, op_timeout=1)
    with connection as cluster, cluster.open_ioctx("rbd") as ioctx:
        rbd.RBD().create(ioctx, fresh_name, 2 * MIB, features=DEFAULT)
        image = rbd.Image(ioctx, fresh_name)
        image.write(b"old!", 0)
        image.flush()
        image.write(b"new!", 0)
        fill(own, True)
        try:
            with pytest.raises(rbd.Timeout, match=rf"lock_release.*rbd/{fresh_name}"):
                image.lock_release()
            assert image.is_exclusive_lock_owner()
        finally:
            fill(own, False)
        image.lock_release()
        image.close()
        with rbd.Image(ioctx, fresh_name, read_only=True) as again:
            assert again.read(0, 4) == b"new!"


def test_a_close_that_is_left_tells_what_is_lost(
    own: Cluster, fresh_name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    async def run() -> None:
        connection = aio.Rados(conffile=own.conf, conf=KEPT_BACK, op_timeout=1)
        async with connection as cluster, cluster.open_ioctx("rbd") as ioctx:
            image = await aio.Image(ioctx, fresh_name)
            await image.write(b"late", 0)
            own.osds[0].pause()
            try:
                with pytest.raises(asyncio.TimeoutError):
                    await asyncio.wait_for(image.close(), 0.2)
                told = ""
                deadline = time.monotonic() + LIMIT
                while f"image 'rbd/{fresh_name}' was closed unflushed" not in told:
                    assert time.monotonic() < deadline, told
                    await asyncio.sleep(0.1)
                    told += capfd.readouterr().err
            finally:
                own.osds[0].resume()

    create(own, fresh_name, 2 * MIB, features=LAYERING)
    asyncio.run(run())


LEAVES_UNFLUSHED = """
    import sys
    from rbdcffi import rados, rbd
    cluster = rados.Rados(conffile=sys.argv[1], conf=eval(sys.argv[2]), op_timeout=2)
    cluster.connect()
    ioctx = cluster.open_ioctx("rbd")
    rbd.RBD().create(ioctx, "left", 2 << 20, features=rbd.RBD_FEATURE_LAYERING)
    image = rbd.Image(ioctx, "left")
    image.write(b"kept", 0)
    image.flush()
    image.write(b"lost", 0)
    print("ready", flush=True)
    input()
"""


# -- permissions -------------------------------------------------------------------------------


@pytest.fixture
def guarded(ceph_cluster_factory: Callable[..., Cluster]) -> Cluster:
    """A cluster that asks for keys, with an image "data"."""
    cluster: Cluster = ceph_cluster_factory(cephx=True, pools=("rbd", "elsewhere"))
    with rados.Rados(conffile=cluster.conf) as connection, connection.open_ioctx("rbd") as ioctx:
        if "data" not in rbd.RBD().list(ioctx):
            rbd.RBD().create(ioctx, "data", MIB)
            with rbd.Image(ioctx, "data") as image:
                image.write(b"secret", 0)
    return cluster


def test_too_few_capabilities(guarded: Cluster, driver: Driver) -> None:
    caps = {
        "elsewhere": {"mon": "profile rbd", "osd": "profile rbd pool=elsewhere"},
        "reader": {"mon": "profile rbd", "osd": "profile rbd-read-only pool=rbd"},
        "writer": {"mon": "profile rbd", "osd": "profile rbd pool=rbd"},
    }
    denied, denied_by_rados = (rbd.PermissionError, errno.EPERM), (rados.PermissionError, 1)
    for client, allowed in caps.items():
        guarded.add_client(client, allowed)
        connection = driver.connect(conffile=guarded.conf, rados_id=client)
        ioctx = driver.pool(connection, "rbd")
        if not OLD:  # its monitor may let it pass
            sees(driver, denied_by_rados, r"create_pool\('p'\)", connection.create_pool, "p")
        if client == "writer":
            image = driver.open(ioctx, "data")
            driver.do(image.write, b"public", 4096)
            driver.do(image.close)
            continue
        sees(driver, denied, r"open image 'rbd/data'", driver.open, ioctx, "data")
        sees(
            *(driver, denied, r"RBD\.create\('new'.*pool 'rbd'"),
            *(driver.rbd.create, ioctx, "new", MIB),
        )
        sees(
            *(driver, denied_by_rados, r"object 'o' in pool 'rbd'"),
            *(ioctx.write_full, "o", b"x"),
        )
        if client == "reader":
            image = driver.open(ioctx, "data", read_only=True)
            assert driver.do(image.read, 0, 6) == b"secret"
            readonly = (rbd.ReadOnlyImage, errno.EROFS)
            sees(driver, readonly, r"Image\.write.*rbd/data", image.write, b"x", 0)
            driver.do(image.close)
        else:
            sees(driver, denied, r"RBD\.list of pool 'rbd'", driver.rbd.list, ioctx)
            sees(
                *(driver, denied, r"open image 'rbd/data'", driver.open, ioctx, "data"),
                read_only=True,
            )


def test_no_capabilities_for_osds(guarded: Cluster, driver: Driver) -> None:
    """Since Ceph 18 clients without any wait for ever for a ticket, unless they have op_timeout."""
    guarded.add_client("none", {"mon": "allow r"})
    connection = driver.connect(conffile=guarded.conf, rados_id="none", op_timeout=OP_TIMEOUT)
    ioctx = driver.pool(connection, "rbd")
    for words, call in (
        (r"open image 'rbd/data'", partial(driver.open, ioctx, "data")),
        (r"RBD\.list of pool 'rbd'", partial(driver.do, driver.rbd.list, ioctx)),
        (r"object 'o' in pool 'rbd'", partial(driver.do, ioctx.write_full, "o", b"x")),
    ):
        started = time.monotonic()
        with pytest.raises((PermissionError, TimeoutError), match=words) as caught:
            call()
        assert caught.value.errno in (errno.EPERM, errno.ETIMEDOUT)
        assert time.monotonic() - started < LIMIT


def test_wrong_key(guarded: Cluster, driver: Driver) -> None:
    other = "AQBSdFhcAAAAABAA7nQWBYrfbkC0jSLJHPGRgw=="
    not_found = (rados.ObjectNotFound, errno.ENOENT)
    refused = (rados.PermissionDeniedError, errno.EACCES)
    for expected, arguments in (
        (refused, {"conf": {"key": other}}),
        (refused, {"conf": {"keyring": "", "key": other}, "op_timeout": 20}),
        (not_found, {"conf": {"keyring": "/no/such/file"}}),
        (not_found, {"rados_id": "nobody"}),
    ):
        cluster = driver.cluster(conffile=guarded.conf, **arguments)
        started = time.monotonic()
        sees(driver, expected, r"Rados\.connect", cluster.connect)
        driver.do(cluster.shutdown)
        assert time.monotonic() - started < LIMIT


# -- what mostly waits -------------------------------------------------------------------------

BESIDE = (
    osd_stopped,
    osd_killed_of_three,
    osd_killed_alone,
    pool_full,
    image_deleted_under_its_lock,
    closed_while_nothing_can_be_written,
)


@pytest.fixture(scope="module", autouse=True)
def beside(request: pytest.FixtureRequest) -> Iterator[dict[str, Future[None]]]:
    """These run beside all other tests here, each on a cluster of its own."""
    chosen = {item.name for item in request.session.items}
    with ThreadPoolExecutor(len(BESIDE)) as pool:
        yield {f.__name__: pool.submit(f) for f in BESIDE if f"test_{f.__name__}" in chosen}


def test_osd_stopped(beside: dict[str, Future[None]]) -> None:
    beside["osd_stopped"].result()


def test_osd_killed_of_three(beside: dict[str, Future[None]]) -> None:
    beside["osd_killed_of_three"].result()


def test_osd_killed_alone(beside: dict[str, Future[None]]) -> None:
    beside["osd_killed_alone"].result()


def test_pool_full(beside: dict[str, Future[None]]) -> None:
    beside["pool_full"].result()


def test_image_deleted_under_its_lock(beside: dict[str, Future[None]]) -> None:
    beside["image_deleted_under_its_lock"].result()


def test_closed_while_nothing_can_be_written(beside: dict[str, Future[None]]) -> None:
    beside["closed_while_nothing_can_be_written"].result()
