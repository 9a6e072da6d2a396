"""Object I/O with callbacks, as the standard binding has it; checksums, times, hints."""

from __future__ import annotations

import array
import errno
import gc
import os
import subprocess
import sys
import textwrap
import threading
import time
import weakref
import zlib
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from rbdcffi import rados, rbd
from rbdcffi._ffi import has, lib
from rbdcffi.testing import Cluster

MIB = 1 << 20
PYPY = sys.implementation.name == "pypy"


@pytest.fixture
def stoppable(ceph_cluster_factory: Any) -> Iterator[Cluster]:
    """A cluster whose OSD may be paused."""
    cluster: Cluster = ceph_cluster_factory(conf={"osd heartbeat grace": 3600})
    yield cluster
    cluster.osds[0].resume()


def run(text: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
    """A program of its own, which could crash or hang."""
    return subprocess.run(
        [sys.executable, "-X", "faulthandler", "-W", "ignore", "-c", textwrap.dedent(text)],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


class Seen:
    """A callback that notes what it was given, and where it ran."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.threads: set[str] = set()

    def __call__(self, completion: rados.Completion, *results: Any) -> None:
        assert completion.is_complete() and completion.is_safe()
        self.threads.add(threading.current_thread().name)
        self.calls.append((completion.get_return_value(), *results))


def done(completion: rados.Completion) -> int:
    assert completion.wait_for_complete_and_cb() == 0
    assert completion.wait_for_safe_and_cb() == 0
    completion.wait_for_complete()
    completion.wait_for_safe()
    assert completion.is_complete() and completion.is_safe()
    return completion.get_return_value()


def idle(ioctx: rados.Ioctx) -> None:
    """Until nothing is in flight; C lets go of the context a moment after it has told."""
    deadline = time.monotonic() + 20
    while lib.rbdcffi_handle_uses(ioctx._gate):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_every_operation(ioctx: rados.Ioctx, fresh_name: str) -> None:
    io, key, seen, safe = ioctx, fresh_name, Seen(), Seen()
    assert done(io.aio_write(key, b"hello", 0, seen, safe)) == 0
    assert done(io.aio_write(key, b"J", onsafe=safe)) == 0
    assert done(io.aio_append(key, b" world", seen, safe)) == 0
    assert safe.calls == [(0,)] * 3
    assert done(io.aio_read(key, 100, 0, seen)) == 11
    assert done(io.aio_read(key, 3, 2, seen)) == 3
    assert done(io.aio_read(key, 1, 0, seen)) == 1
    assert done(io.aio_read(key, 5, 1000, seen)) == 0
    assert done(io.aio_read(key, 0, 0, seen)) == 0
    assert seen.calls[2:] == [(11, b"Jello world"), (3, b"llo"), (1, b"J"), (0, b""), (0, b"")]
    assert done(io.aio_write_full(key, b"whole", seen, safe)) == 0
    assert done(io.aio_writesame(key, b"ab", 6, 1, seen)) == 0
    assert io.read(key) == b"wababab"
    assert done(io.aio_cmpext(key, b"wab", 0, seen)) == 0
    assert done(io.aio_cmpext(key, b"waX", 0, seen)) == -rados.MAX_ERRNO - 2
    assert done(io.aio_setxattr(key, "k", b"v", seen)) == 0
    assert done(io.aio_setxattr(key, "\u00fc", b"\0w", seen)) == 0
    seen.calls.clear()
    assert done(io.aio_getxattr(key, "k", seen)) == 1
    assert done(io.aio_getxattrs(key, seen)) == 0
    assert seen.calls.pop(0) == (1, b"v")
    (pairs,) = seen.calls.pop(0)[1:]
    assert sorted(pairs) == [("k", b"v"), ("\u00fc", b"\0w")]
    assert done(io.aio_rmxattr(key, "k", seen)) == 0
    assert done(io.aio_getxattr(key, "k", seen)) == -errno.ENODATA
    assert seen.calls[-1] == (-errno.ENODATA, None)
    seen.calls.clear()
    assert done(io.aio_stat(key, seen)) == 0
    assert seen.calls == [(0, *io.stat(key))]
    assert done(io.aio_execute(key, "hello", "say_hello", b"you", 100, seen, safe)) == 11
    assert safe.calls[-1] == seen.calls[-1] == (11, b"Hello, you!")
    assert done(io.aio_flush_async(seen)) == 0
    assert seen.calls[-1] == (0,)
    assert done(io.aio_remove(key, seen, safe)) == 0
    assert done(io.aio_remove(key, seen, safe)) == -errno.ENOENT
    assert seen.threads == safe.threads == {"rbdcffi-callbacks"}


def test_what_is_not_there(ioctx: rados.Ioctx, fresh_name: str) -> None:
    seen = Seen()
    for call, args, count in (
        (ioctx.aio_read, (5, 0), 1),
        (ioctx.aio_read, (0, 0), 1),
        (ioctx.aio_stat, (), 2),
        (ioctx.aio_getxattr, ("k",), 1),
        (ioctx.aio_getxattrs, (), 1),
        (ioctx.aio_cmpext, (b"x", 0), 0),
    ):
        assert done(call(fresh_name, *args, seen)) == -errno.ENOENT, call
        assert seen.calls[-1] == (-errno.ENOENT, *[None] * count)
    assert done(ioctx.aio_execute(fresh_name, "none", "x", b"", 10, seen)) == -errno.EOPNOTSUPP
    assert seen.calls[-1] == (-errno.EOPNOTSUPP, None)


def test_output_that_is_too_long(ioctx: rados.Ioctx, fresh_name: str) -> None:
    """librados would write behind the end of the buffer."""
    seen = Seen()
    ioctx.write_full(fresh_name, b"")
    ioctx.set_xattr(fresh_name, "k", b"v" * 10000)
    for length in (0, 1, 10):
        execute = ioctx.aio_execute(fresh_name, "hello", "say_hello", b"you", length, seen)
        assert done(execute) == -errno.ERANGE
        assert seen.calls[-1] == (-errno.ERANGE, None)
        getxattr = ioctx.aio_getxattr(fresh_name, "k", seen, length=length)
        assert done(getxattr) == -errno.ERANGE
    assert done(ioctx.aio_execute(fresh_name, "hello", "say_hello", b"you", 11, seen)) == 11
    assert done(ioctx.aio_getxattr(fresh_name, "k", seen, length=10000)) == 10000
    assert seen.calls[-1][1] == b"v" * 10000


def test_buffers_live_until_they_are_written(stoppable: Cluster, fresh_name: str) -> None:
    with rados.Rados(conffile=stoppable.conf) as cluster, cluster.open_ioctx("rbd") as io:
        io.write_full(fresh_name, b"")
        stoppable.osds[0].pause()
        completions = []
        for i in range(50):
            data = array.array("I", range(i * 1000, i * 1000 + 1000))
            completions.append(io.aio_write(fresh_name, data, i * 4000))
            completions.append(io.aio_write(f"{fresh_name}-{i}", bytearray(f"{i}".encode()) * 999))
            del data
        gc.collect()
        assert not any(completion.is_complete() for completion in completions)
        assert completions[0].get_return_value() == completions[0].get_version() == 0
        assert not completions[0].is_safe()
        stoppable.osds[0].resume()
        assert [done(completion) for completion in completions] == [0] * 100
        assert all(completion.get_version() > 0 for completion in completions)
        assert io.read(fresh_name, 200000) == array.array("I", range(50000)).tobytes()
        for i in range(50):
            assert io.read(f"{fresh_name}-{i}") == f"{i}".encode() * 999


def test_cancel(stoppable: Cluster, fresh_name: str) -> None:
    seen = Seen()
    with rados.Rados(conffile=stoppable.conf) as cluster:
        with cluster.open_ioctx("rbd") as io:
            io.write_full(fresh_name, b"there")
            stoppable.osds[0].pause()
            reads = [io.aio_read(fresh_name, 10, 0, seen) for _ in range(100)]
            write = io.aio_write_full(fresh_name, b"new", seen)
            assert all(completion.cancel() for completion in (*reads, write))
            assert [done(completion) for completion in reads] == [-errno.ECANCELED] * 100
            assert done(write) == -errno.ECANCELED
            assert seen.calls == [(-errno.ECANCELED, None)] * 100 + [(-errno.ECANCELED,)]
            assert not write.cancel()
            io.aio_flush()  # there is nothing left to wait for
        stoppable.osds[0].resume()
        with cluster.open_ioctx("rbd") as io:
            assert io.read(fresh_name) in (b"there", b"new")
            completion = io.aio_read(fresh_name, 10, 0, seen)
            done(completion)
            assert not completion.cancel()
    assert not completion.cancel()


def test_cancel_beside_the_end(ioctx: rados.Ioctx, fresh_name: str) -> None:
    """Operations that end while they are cancelled, on several threads."""
    ioctx.write_full(fresh_name, b"x" * 4096)
    results: list[int] = []

    def work() -> None:
        for i in range(300):
            completion = ioctx.aio_read(fresh_name, 4096, 0)
            if i % 3:
                time.sleep(0.0002 * (i % 5))
            completion.cancel()
            completion.wait_for_complete()
            results.append(completion.get_return_value())

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 1200
    assert set(results) <= {4096, -errno.ECANCELED}
    idle(ioctx)


def test_callbacks_and_their_errors(
    ioctx: rados.Ioctx, fresh_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem = ZeroDivisionError("mine")

    def failing(completion: rados.Completion) -> None:
        raise problem

    safe = Seen()
    completion = ioctx.aio_write(fresh_name, b"x", 0, failing, safe)
    for wait in (completion.wait_for_complete_and_cb, completion.wait_for_safe_and_cb):
        with pytest.raises(ZeroDivisionError) as caught:
            wait()
        assert caught.value is problem
    assert safe.calls == []
    completion.wait_for_complete()
    assert completion.get_return_value() == 0

    told: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda args: told.append(args.exc_value))

    def unseen(completion: rados.Completion) -> None:
        raise ZeroDivisionError("unseen")

    ioctx.aio_write(fresh_name, b"x", 0, None, unseen).wait_for_complete()
    deadline = time.monotonic() + 10
    while not told and time.monotonic() < deadline:
        gc.collect()
    assert list(map(repr, told)) == ["ZeroDivisionError('unseen')"]


def test_what_a_callback_may_do(cluster: rados.Rados, ioctx: rados.Ioctx, fresh_name: str) -> None:
    with cluster.open_ioctx(ioctx.name) as io:
        seen: list[Any] = []

        def busy(completion: rados.Completion) -> None:
            # plain calls, more operations, waiting for them, flushing
            io.write_full(fresh_name, b"1")
            more = io.aio_append(fresh_name, b"2")
            more.wait_for_complete()
            assert more.is_complete()
            io.aio_flush()
            again = io.aio_read(fresh_name, 10, 0, lambda c, data: seen.append(data))
            again.wait_for_safe()
            seen.append(again.get_return_value())
            with pytest.raises(rados.LogicError, match="callback cannot wait"):
                again.wait_for_complete_and_cb()
            seen.append(again)

        done(io.aio_write(fresh_name, b"0", 0, busy))
        assert seen[0] == 2
        done(seen[1])
        assert seen[2:] == [b"12"]

        def closing(completion: rados.Completion) -> None:
            io.close()

        done(io.aio_read(fresh_name, 1, 0, lambda completion, data: closing(completion)))
        assert io.state == "closed"
        with pytest.raises(rados.IoctxStateError, match=r"Ioctx\.aio_write of object.*closed"):
            io.aio_write(fresh_name, b"x")
        with pytest.raises(rados.IoctxStateError, match=r"Ioctx\.aio_flush of pool.*closed"):
            io.aio_flush()
        with pytest.raises(rados.IoctxStateError, match=r"Ioctx\.aio_flush_async of pool.*closed"):
            io.aio_flush_async()


def test_waiting_while_a_callback_waits(ioctx: rados.Ioctx, fresh_name: str) -> None:
    """The thread that makes the callbacks is stuck in one that waits for this thread."""
    go = threading.Event()
    stuck = ioctx.aio_write(fresh_name, b"x", 0, lambda completion: go.wait(30))
    others = [ioctx.aio_write(fresh_name, b"y", i) for i in range(10)]
    for other in others:
        other.wait_for_complete()
        assert other.get_return_value() == 0
    assert stuck.is_complete()
    go.set()
    for completion in (stuck, *others):
        done(completion)


def test_flush_waits_for_callbacks(ioctx: rados.Ioctx, fresh_name: str) -> None:
    seen: list[int] = []

    def slow(completion: rados.Completion) -> None:
        time.sleep(0.002)
        seen.append(completion.get_return_value())

    for i in range(100):
        ioctx.aio_write(f"{fresh_name}-{i % 7}", b"x" * 4096, i, slow)
    ioctx.aio_flush()
    assert seen == [0] * 100


def test_the_order_of_callbacks_of_one_object(ioctx: rados.Ioctx, fresh_name: str) -> None:
    order: list[int] = []
    last = None
    for i in range(500):
        last = ioctx.aio_append(
            fresh_name, bytes([i % 256]), lambda completion, i=i: order.append(i)
        )
    assert last is not None
    done(last)
    assert order == list(range(500))
    assert ioctx.read(fresh_name) == bytes(i % 256 for i in range(500))


def test_images_and_objects_share_a_thread(
    ioctx: rados.Ioctx, image: rbd.Image, fresh_name: str
) -> None:
    seen = Seen()
    names: set[str] = set()
    for i in range(50):
        ioctx.aio_write(fresh_name, b"x", i, seen)
        image.aio_write(b"x", i, lambda completion: names.add(threading.current_thread().name))
    image.aio_flush(lambda completion: None).wait_for_complete_and_cb()
    ioctx.aio_flush()
    assert names == seen.threads == {"rbdcffi-callbacks"}
    assert len(seen.calls) == 50


def test_refused_at_once(ioctx: rados.Ioctx, fresh_name: str) -> None:
    key = fresh_name
    for call, args in (
        (ioctx.aio_write, (key, b"", 0, 5)),
        (ioctx.aio_write, (key, b"", 0, None, 5)),
        (ioctx.aio_write, (key, "text")),
        (ioctx.aio_write, (5, b"")),
        (ioctx.aio_read, (key, 1, 0, "x")),
        (ioctx.aio_read, (None, 1, 0)),
        (ioctx.aio_stat, (key, 5)),
        (ioctx.aio_execute, (key, 5, "method", b"")),
        (ioctx.aio_execute, (key, "cls", "method", "text")),
        (ioctx.aio_setxattr, (key, None, b"")),
        (ioctx.aio_getxattr, (key, 5)),
        (ioctx.aio_flush_async, (5,)),
    ):
        with pytest.raises(TypeError, match=rf"Ioctx\.{call.__name__} of "):
            call(*args)  # type: ignore[operator]
    for call, args in (
        (ioctx.aio_read, (key, -1, 0)),
        (ioctx.aio_read, (key, 1, -1)),
        (ioctx.aio_write, (key, b"", 1 << 64)),
        (ioctx.aio_execute, (key, "cls", "method", b"", -1)),
    ):
        with pytest.raises(OverflowError, match=rf"Ioctx\.{call.__name__} of object '{key}'"):
            call(*args)  # type: ignore[operator]
    for length in (0, 1, 3):
        with pytest.raises(rados.InvalidArgumentError, match=r"Ioctx\.aio_writesame of object"):
            ioctx.aio_writesame(key, b"ab" if length else b"", length or 5)
    with pytest.raises(TypeError, match="ioctx must be"):
        rados.Completion(None)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="onsafe must be callable"):
        rados.Completion(ioctx, None, 5)  # type: ignore[arg-type]
    idle(ioctx)


def test_nothing_is_kept(cluster: rados.Rados, ioctx: rados.Ioctx, fresh_name: str) -> None:
    class Owner(bytearray):
        pass

    data = Owner(b"x" * 100)
    gone = weakref.ref(data)
    completion = ioctx.aio_write(fresh_name, data, 0, lambda completion: None)
    done(completion)
    completions = weakref.ref(completion)
    del data, completion
    # the thread lets go of it a moment later
    deadline = time.monotonic() + 10
    while (gone() or completions()) and time.monotonic() < deadline:
        gc.collect()
    assert gone() is None and completions() is None


def test_a_context_that_is_forgotten(
    cluster: rados.Rados, ioctx: rados.Ioctx, fresh_name: str
) -> None:
    """The operations go on; the context goes when they are done."""
    seen = Seen()
    with pytest.warns(ResourceWarning, match="unclosed Ioctx"):
        io = cluster.open_ioctx(ioctx.name)
        for i in range(100):
            io.aio_write(fresh_name, b"x", i, seen)
        del io
        deadline = time.monotonic() + 10
        while len(seen.calls) < 100 and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.05)
        for _ in range(3):
            gc.collect()
        # on PyPy the next opening closes it
        cluster.open_ioctx(ioctx.name).close()
    assert seen.calls == [(0,)] * 100
    assert ioctx.read(fresh_name) == b"x" * 100


@pytest.mark.parametrize("end", ["", "io.close()", "cluster.shutdown()", "del io, cluster"])
def test_ends_with_operations_in_flight(ceph_conf: str, fresh_name: str, end: str) -> None:
    ended = run(
        f"""
        import gc
        from rbdcffi import rados
        cluster = rados.Rados(conffile={ceph_conf!r})
        cluster.connect()
        io = cluster.open_ioctx("rbd")
        for i in range(300):
            io.aio_write(f"{fresh_name}-{{i % 10}}", b"x" * 65536, 0, lambda completion: None)
            io.aio_read(f"{fresh_name}-{{i % 10}}", 65536, 0, lambda completion, data: None)
        {end}
        gc.collect()
        print("end")
        """
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "end\n", "")


def test_exit_on_a_cluster_that_hangs(stoppable: Cluster, fresh_name: str) -> None:
    try:
        ended = run(
            f"""
            import os, signal, time
            import rbdcffi._handle
            from rbdcffi import rados
            rbdcffi._handle.EXIT_TIMEOUT = 1.0
            cluster = rados.Rados(conffile={stoppable.conf!r})
            cluster.connect()
            io = cluster.open_ioctx("rbd")
            io.write_full({fresh_name!r}, b"x")
            os.kill({stoppable.osds[0].pid}, signal.SIGSTOP)
            for i in range(300):
                io.aio_read({fresh_name!r}, 65536, 0, lambda completion, data: print("called"))
            # closing can be left, too
            def interrupt(*args):
                raise KeyboardInterrupt
            signal.signal(signal.SIGALRM, interrupt)
            signal.alarm(1)
            try:
                io.close()
            except KeyboardInterrupt:
                print("left")
            print("end")
            """
        )
    finally:
        stoppable.osds[0].resume()
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == "left\nend\n"
    assert "leaving it open at exit" in ended.stderr


def test_an_operation_that_times_out(stoppable: Cluster, fresh_name: str) -> None:
    with rados.Rados(conffile=stoppable.conf, op_timeout=1) as cluster:
        with cluster.open_ioctx("rbd") as io:
            io.write_full(fresh_name, b"x")
            stoppable.osds[0].pause()
            seen = Seen()
            completion = io.aio_read(fresh_name, 10, 0, seen)
            started = time.monotonic()
            assert done(completion) == -errno.ETIMEDOUT
            assert time.monotonic() - started < 20
            assert seen.calls == [(-errno.ETIMEDOUT, None)]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_in_a_forked_child(ceph_conf: str, fresh_name: str) -> None:
    ended = run(
        f"""
        import os, threading
        from rbdcffi import rados
        cluster = rados.Rados(conffile={ceph_conf!r})
        cluster.connect()
        io = cluster.open_ioctx("rbd")
        go = threading.Event()
        first = io.aio_write({fresh_name!r}, b"x", 0, lambda completion: go.wait(20))
        completion = io.aio_write({fresh_name!r}, b"x")
        child = os.fork()
        if not child:
            for call in (
                completion.wait_for_complete_and_cb,
                first.wait_for_complete_and_cb,
                completion.cancel,
                lambda: io.aio_write({fresh_name!r}, b"y"),
                io.aio_flush,
            ):
                try:
                    call()
                except rados.IoctxStateError as error:
                    assert "forked" in str(error)
                else:
                    os._exit(1)
            # a connection of its own has a thread of its own
            own = rados.Rados(conffile={ceph_conf!r})
            own.connect()
            with own.open_ioctx("rbd") as other:
                done = other.aio_write({fresh_name!r}, b"z")
                done.wait_for_complete_and_cb()
            own.shutdown()
            os._exit(0)
        status = os.waitpid(child, 0)[1]
        go.set()
        completion.wait_for_complete_and_cb()
        print(status)
        io.close()
        cluster.shutdown()
        """
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "0\n", "")


# -- plain calls ----------------------------------------------------------------------------------


def test_checksum(ioctx: rados.Ioctx, fresh_name: str) -> None:
    content = bytes(range(256)) * 64
    ioctx.write_full(fresh_name, content)
    # the usual CRC-32C of "123456789", and the XXH32 and XXH64 of it
    ioctx.write_full(f"{fresh_name}-known", b"123456789")
    known = f"{fresh_name}-known"
    (crc,) = ioctx.checksum(known, init_value=0xFFFFFFFF)
    assert crc ^ 0xFFFFFFFF == 0xE3069283
    assert ioctx.checksum(known, rados.LIBRADOS_CHECKSUM_TYPE_XXHASH32) == [0x937BAD67]
    assert ioctx.checksum(known, rados.LIBRADOS_CHECKSUM_TYPE_XXHASH64) == [0x8CB841DB40E6AE83]
    parts = ioctx.checksum(fresh_name, length=len(content), chunk_size=4)
    assert len(parts) == len(content) // 4 == 4096  # more than fits at once
    assert parts[:64] * 64 == parts
    assert ioctx.checksum(fresh_name, length=256, offset=256) == ioctx.checksum(
        fresh_name, length=256, offset=512
    )
    assert ioctx.checksum(fresh_name, length=512, chunk_size=256) == 2 * ioctx.checksum(
        fresh_name, length=256
    )
    assert zlib.crc32(content) not in ioctx.checksum(fresh_name)
    with pytest.raises(rados.InvalidArgumentError, match=r"Ioctx\.checksum.*type 9"):
        ioctx.checksum(fresh_name, 9)
    for length in (0, 255):
        with pytest.raises(rados.InvalidArgumentError, match=r"Ioctx\.checksum of object"):
            ioctx.checksum(fresh_name, length=length, chunk_size=4)
    with pytest.raises(OverflowError, match="init_value"):
        ioctx.checksum(fresh_name, init_value=1 << 32)
    with pytest.raises(rados.ObjectNotFound):
        ioctx.checksum("none")


def test_hints(ioctx: rados.Ioctx, fresh_name: str) -> None:
    flags = rados.LIBRADOS_ALLOC_HINT_FLAG_APPEND_ONLY | rados.LIBRADOS_ALLOC_HINT_FLAG_LONGLIVED
    ioctx.set_alloc_hint2(fresh_name, 4 * MIB, 65536, flags)
    assert ioctx.stat(fresh_name)[0] == 0
    with pytest.raises(OverflowError, match=r"Ioctx\.set_alloc_hint2 of object.*flags"):
        ioctx.set_alloc_hint2(fresh_name, 0, 0, 1 << 32)
    # there is no cache tier
    for call in (ioctx.cache_pin, ioctx.cache_unpin):
        with pytest.raises(rados.InvalidArgumentError, match=rf"Ioctx\.{call.__name__} of object"):
            call(fresh_name)


@pytest.mark.skipif(not has("rados_stat2"), reason="Ceph 18")
def test_times_in_nanoseconds(ioctx: rados.Ioctx, fresh_name: str) -> None:
    ioctx.write_full(fresh_name, b"abc")
    size, moment, nanoseconds = ioctx.stat2(fresh_name)
    assert size == 3
    assert moment.tzinfo is timezone.utc
    assert abs(datetime.now(timezone.utc) - moment) < timedelta(minutes=1)
    assert datetime.fromtimestamp(nanoseconds // 10**9, timezone.utc) <= moment
    assert int(moment.timestamp()) == nanoseconds // 10**9
    assert moment.microsecond == nanoseconds // 1000 % 10**6
    seen = Seen()
    assert done(ioctx.aio_stat2(fresh_name, seen)) == 0
    assert seen.calls == [(0, size, moment, nanoseconds)]


@pytest.mark.skipif(has("rados_stat2"), reason="Ceph 18")
def test_times_in_nanoseconds_are_absent(ioctx: rados.Ioctx) -> None:
    for name in ("stat2", "aio_stat2"):
        assert not hasattr(ioctx, name)
        with pytest.raises(AttributeError, match=r"needs rados_\w*stat2, which came with Ceph 18"):
            getattr(ioctx, name)
