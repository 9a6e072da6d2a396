"""Closing in any order, from any thread, with calls running; forks; exits; forgotten objects.

Whatever could take the process down runs in one of its own, with a deadline and an asserted exit.
"""

from __future__ import annotations

import copy
import gc
import os
import pickle
import signal
import subprocess
import sys
import textwrap
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from rbdcffi import _handle, rados, rbd
from rbdcffi._ffi import lib
from rbdcffi._waiting import Call
from rbdcffi.testing import Cluster


@contextmanager
def conversation(text: str) -> Iterator[subprocess.Popen[str]]:
    """Another Python, to talk to by lines; it is killed after a minute, and at the end."""
    with subprocess.Popen(
        [sys.executable, "-c", text],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        deadline = threading.Timer(60, process.kill)
        deadline.start()
        try:
            yield process
        finally:
            deadline.cancel()
            process.kill()


def left_by_ctrl_c(text: str, own: Cluster) -> None:
    """Interrupts a program on a cluster that hangs, and lets it end on one that does not."""
    with conversation(text) as process:
        assert process.stdin is not None and process.stdout is not None
        try:
            assert process.stdout.readline() == "ready\n"
            own.osds[0].pause()
            process.stdin.write("\n")
            process.stdin.flush()
            time.sleep(1)
            asked = time.monotonic()
            process.send_signal(signal.SIGINT)
            assert process.stdout.readline() == "interrupted\n"
            assert process.stdout.readline() == "closed\n"
            assert time.monotonic() - asked < 5
            own.osds[0].resume()
            process.stdin.write("\n")
            process.stdin.flush()
            assert process.stdout.readline() == "shut down\n"
            assert process.wait(20) == 0
        finally:
            own.osds[0].resume()


PRELUDE = """
import gc, os, signal, sys, threading, time
from rbdcffi import rados, rbd
MIB = 1 << 20
cluster = rados.Rados(conffile={conf!r}); cluster.connect()
ioctx = cluster.open_ioctx("rbd")
def fresh(name, size=64 * MIB, written=16):
    rbd.RBD().create(ioctx, name, size, order=16)
    image = rbd.Image(ioctx, name)
    for i in range(written):
        image.write(b"x" * 4096, i * size // written)
    return image
"""


def run(
    conf: str, name: str, code: str, timeout: float = 60, expect: int = 0, prelude: str = PRELUDE
) -> subprocess.CompletedProcess[str]:
    """Runs a program that has `cluster`, `ioctx` and `fresh()`; `NAME` is a name of its own."""
    text = prelude.format(conf=conf) + f"NAME = {name!r}\n" + textwrap.dedent(code)
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-W", "ignore::ResourceWarning", "-c", text],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert done.returncode == expect, (done.returncode, done.stdout, done.stderr)
    return done


# -- order ------------------------------------------------------------------------------------


@pytest.fixture
def connection(ceph_conf: str):
    with rados.Rados(conffile=ceph_conf) as own:
        yield own


@pytest.mark.parametrize("order", ["icr", "cir", "rci", "irc", "cri", "ric"])
def test_close_in_every_order(connection: rados.Rados, image_name: str, order: str) -> None:
    ioctx = connection.open_ioctx("rbd")
    image = rbd.Image(ioctx, image_name)
    image.write(b"kept", 0)
    for letter in order:
        {"i": image.close, "c": ioctx.close, "r": connection.shutdown}[letter]()
    assert image.closed
    assert ioctx.state == "closed"
    assert connection.state == "shutdown"
    for _ in range(2):
        image.close()
        ioctx.close()
        connection.shutdown()


def test_use_after_close(connection: rados.Rados, image_name: str) -> None:
    ioctx = connection.open_ioctx("rbd")
    image = rbd.Image(ioctx, image_name)
    image.close()
    for call in (
        image.size,
        image.stat,
        image.flush,
        lambda: image.read(0, 1),
        lambda: image.readinto(0, bytearray(4)),
        lambda: image.write(b"x", 0),
        lambda: image.diff_iterate(0, 1, None, print),
        lambda: image.diff(0, 1, None),
        lambda: rbd.SnapIterator(image),
        image.require_not_closed,
    ):
        with pytest.raises(rbd.InvalidArgument, match="image is closed"):
            call()
    ioctx.close()
    for call in (
        lambda: ioctx.read("o"),
        lambda: ioctx.set_namespace("n"),
        lambda: rbd.RBD().list(ioctx),
        lambda: rbd.RBD().create(ioctx, "x", 1),
        lambda: rbd.Image(ioctx, image_name),
        ioctx.list_objects,
    ):
        with pytest.raises(rados.IoctxStateError, match="the pool is closed"):
            call()
    connection.shutdown()
    for call in (connection.get_fsid, connection.connect, lambda: connection.open_ioctx("rbd")):
        with pytest.raises(rados.RadosStateError, match="shutdown"):
            call()


def test_an_image_outlives_its_ioctx_but_not_its_cluster(
    connection: rados.Rados, image_name: str
) -> None:
    ioctx = connection.open_ioctx("rbd")
    image = rbd.Image(ioctx, image_name)
    ioctx.close()
    assert image.write(b"still here", 0) == 10
    assert image.read(0, 10) == b"still here"
    connection.shutdown()
    assert image.closed


def test_shutdown_closes_children_youngest_first(
    connection: rados.Rados, image_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ioctx = connection.open_ioctx("rbd")
    image = rbd.Image(ioctx, image_name)
    objects = ioctx.list_objects()
    diff = image.diff(0, image.size(), None)
    connection.shutdown()
    assert image.closed
    with pytest.raises(rados.IoctxStateError):
        next(objects)
    with pytest.raises((rbd.InvalidArgument, StopIteration)):
        next(diff)


def test_closing_inside_of_a_callback_is_refused(connection: rados.Rados, image_name: str) -> None:
    with connection.open_ioctx("rbd") as ioctx, rbd.Image(ioctx, image_name) as image:
        image.write(b"x", 0)
        for close in (image.close, connection.shutdown):
            error = rbd.InvalidArgument if close == image.close else rados.RadosStateError
            with pytest.raises(error, match="callback"):
                image.diff_iterate(0, image.size(), None, lambda *extent, c=close: c())
            # librbd makes these calls on the calling thread and on one of its own
            for call in (
                lambda on_progress, n=f"{image_name}-{close.__name__}": image.copy(
                    ioctx, n, on_progress=on_progress
                ),
                lambda on_progress: image.rebuild_object_map(on_progress=on_progress),
            ):
                with pytest.raises(error, match="callback"):
                    call(lambda *progress, c=close: c())
        assert image.read(0, 1) == b"x"


# -- threads ----------------------------------------------------------------------------------


def test_close_waits_for_calls_and_bars_new_ones(connection: rados.Rados, image_name: str) -> None:
    with connection.open_ioctx("rbd") as ioctx:
        image = rbd.Image(ioctx, image_name)
        image.write(b"x" * 65536, 0)
        inside, proceed = threading.Event(), threading.Event()
        events: list[str] = []

        def callback(*extent: object) -> None:
            inside.set()
            proceed.wait(10)
            events.append("callback left")

        def diff() -> None:
            image.diff_iterate(0, image.size(), None, callback)
            events.append("diff done")

        def close() -> None:
            image.close()
            events.append("closed")

        threads = [threading.Thread(target=diff), threading.Thread(target=close)]
        threads[0].start()
        assert inside.wait(10)
        threads[1].start()
        while not image.closed:
            time.sleep(0.01)
        with pytest.raises(rbd.InvalidArgument, match="closed"):
            image.size()
        assert events == []
        proceed.set()
        for thread in threads:
            thread.join(10)
        assert events[0] == "callback left"
        assert set(events) == {"callback left", "diff done", "closed"}


@pytest.mark.parametrize("what", ["image", "ioctx", "cluster"])
def test_close_under_load_from_threads(ceph_conf: str, fresh_name: str, what: str) -> None:
    done = run(
        ceph_conf,
        fresh_name,
        f"""
        image = fresh(NAME)
        errors, stop = [], threading.Event()
        def work(call):
            try:
                while True:
                    call()
            except (rbd.InvalidArgument, rados.IoctxStateError, rados.RadosStateError) as error:
                errors.append(error)
        calls = [
            lambda: image.read(0, 65536),
            lambda: image.write(b"y" * 65536, 4096),
            lambda: image.diff_iterate(0, image.size(), None, lambda *extent: None),
            lambda: list(image.diff(0, image.size(), None)),
            lambda: rbd.Image(ioctx, NAME, read_only=True).close(),
            lambda: list(ioctx.list_objects()),
            lambda: image.stat(),
            image.flush,
        ]
        if {what!r} == "image":
            calls = [calls[i] for i in (0, 1, 2, 3, 6, 7)]
        if {what!r} == "ioctx":
            calls = [calls[i] for i in (4, 5)] * 3
        threads = [threading.Thread(target=work, args=(call,)) for call in calls]
        for thread in threads: thread.start()
        time.sleep(0.5)
        {{"image": image.close, "ioctx": ioctx.close, "cluster": cluster.shutdown}}[{what!r}]()
        for thread in threads: thread.join(20)
        assert not any(thread.is_alive() for thread in threads)
        assert len(errors) == len(calls), errors
        cluster.shutdown()
        print("done")
        """,
    )
    assert done.stdout == "done\n"


def test_many_threads_close_at_once(connection: rados.Rados, image_name: str) -> None:
    ioctx = connection.open_ioctx("rbd")
    images = [rbd.Image(ioctx, image_name, read_only=True) for _ in range(8)]
    barrier = threading.Barrier(24)

    def close(what: object) -> None:
        barrier.wait()
        what.close()  # type: ignore[attr-defined]

    threads = [
        threading.Thread(target=close, args=(what,)) for what in [*images, *images, *[ioctx] * 8]
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert all(image.closed for image in images)


def test_calls_of_all_threads_are_counted(image: rbd.Image) -> None:
    image.write(b"x", 0)
    started = threading.Barrier(9)
    proceed = threading.Event()

    def callback(*extent: object) -> None:
        started.wait(10)
        proceed.wait(10)

    threads = [
        threading.Thread(target=image.diff_iterate, args=(0, image.size(), None, callback))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    started.wait(10)
    assert lib.rbdcffi_handle_uses(image._gate) >= 8
    proceed.set()
    for thread in threads:
        thread.join(10)
    assert lib.rbdcffi_handle_uses(image._gate) == 0


# -- processes --------------------------------------------------------------------------------


def test_a_forked_child_gets_an_error_and_the_parent_stays_fine(
    ceph_conf: str, fresh_name: str
) -> None:
    done = run(
        ceph_conf,
        fresh_name,
        """
        image = fresh(NAME)
        objects = ioctx.list_objects()
        extents = image.diff(0, image.size(), None)
        answered = threading.Event()
        completion = image.aio_read(0, 1, lambda completion, data: answered.wait(20))
        child = os.fork()
        if child == 0:
            signal.alarm(10)
            told = []
            for call in (lambda: image.read(0, 1), lambda: list(extents), lambda: ioctx.read("x"),
                         cluster.get_fsid, lambda: rbd.Image(ioctx, NAME),
                         lambda: image.diff(0, 1, None), lambda: rbd.RBD().list(ioctx),
                         completion.wait_for_complete_and_cb):
                try:
                    call()
                except (rbd.Error, rados.Error) as error:
                    told.append("forked" in str(error))
            assert told == [True] * 8, told
            image.close(); ioctx.close(); cluster.shutdown()
            del image, objects, extents
            gc.collect()
            with rados.Rados(conffile=os.environ["CEPH_CONF_OF_TEST"]) as own:
                with own.open_ioctx("rbd") as other, rbd.Image(other, NAME, read_only=True) as mine:
                    assert mine.read(0, 1) == b"x"
            sys.exit(7)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
        answered.set()
        completion.wait_for_complete_and_cb()
        assert image.read(0, 1) == b"x"
        image.close()
        print("fine")
        """.replace('os.environ["CEPH_CONF_OF_TEST"]', repr(ceph_conf)),
    )
    assert done.stdout == "fine\n"


@pytest.mark.parametrize(
    ("ending", "expect"),
    [
        ("pass", 0),
        ("sys.exit(3)", 3),
        ("raise RuntimeError('unhandled')", 1),
        ("os.kill(os.getpid(), signal.SIGTERM); time.sleep(10)", -signal.SIGTERM),
        ("os.kill(os.getpid(), signal.SIGINT); time.sleep(10)", -signal.SIGINT),
    ],
)
@pytest.mark.parametrize("daemon", [True, False])
def test_exit_with_calls_running(
    ceph_conf: str, fresh_name: str, ending: str, expect: int, daemon: bool
) -> None:
    run(
        ceph_conf,
        fresh_name,
        f"""
        image = fresh(NAME)
        def work(call):
            try:
                while True:
                    call()
            except (rbd.Error, rados.Error):
                pass
        calls = [lambda: image.read(0, 1 << 20), lambda: image.write(b"z" * 65536, 0),
                 lambda: list(image.diff(0, image.size(), None))]
        for call in calls * 4:
            threading.Thread(target=work, args=(call,), daemon={daemon}).start()
        time.sleep(0.3)
        if not {daemon}:
            # those threads end only when the image is closed
            threading.Timer(0.3, cluster.shutdown).start()
        {ending}
        """,
        expect=expect,
    )


def test_exit_without_closing_anything(ceph_conf: str, fresh_name: str) -> None:
    run(
        ceph_conf,
        fresh_name,
        """
        image = fresh(NAME)
        half_read = iter(image.diff(0, image.size(), None)); next(half_read)
        listing = iter(ioctx.list_objects()); next(listing)
        image.write(b"last words", 0)
        """,
    )
    with rados.Rados(conffile=ceph_conf) as own, own.open_ioctx("rbd") as ioctx:
        with rbd.Image(ioctx, fresh_name) as image:
            assert image.read(0, 10) == b"last words"


# -- forgotten objects ------------------------------------------------------------------------


def test_a_forgotten_image_warns_and_is_closed(connection: rados.Rados, image_name: str) -> None:
    with connection.open_ioctx("rbd") as ioctx:
        image = rbd.Image(ioctx, image_name)
        handle = image._handle
        assert handle is not None
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            del image
            gc.collect()
            gc.collect()
        assert [w.category for w in caught] == [ResourceWarning]
        assert image_name in str(caught[0].message)
        # PyPy leaves the closing to whoever comes next
        rbd.RBD().remove(ioctx, image_name)
        assert handle.closed


def test_forgotten_connections_leave_nothing_behind(ceph_conf: str, image_name: str) -> None:
    def connect_and_forget() -> None:
        own = rados.Rados(conffile=ceph_conf)
        own.connect()
        image = rbd.Image(own.open_ioctx("rbd"), image_name, read_only=True)
        image.myself = image  # type: ignore[attr-defined]

    def threads() -> int:
        return len(os.listdir("/proc/self/task"))

    def settle() -> int:
        for _ in range(5):  # PyPy finalizes one level of owners at a time
            gc.collect()
        rados.Rados().shutdown()  # closes what was forgotten
        return threads()

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        connect_and_forget()
        before = settle()
        for _ in range(3):
            connect_and_forget()
            after = settle()
        deadline = time.monotonic() + 10
        while after > before and time.monotonic() < deadline:
            time.sleep(0.1)  # the threads that waited for the closing are about to end
            after = threads()
        assert after <= before


@pytest.mark.parametrize("when", ["gc.collect()", "pass"], ids=["collected", "exit"])
@pytest.mark.parametrize(
    "use", ["image.size()", "image.read(0, 1)", "image.close()", "extents.close()", "next(extents)"]
)
def test_a_closed_image_in_a_finalizer_of_a_cycle(
    ceph_conf: str, fresh_name: str, use: str, when: str
) -> None:
    """The order of finalizers in a cycle is nobody's choice: ours may have run before."""
    run(
        ceph_conf,
        fresh_name,
        f"""
        class Session:
            def __init__(self, image):
                self.image, self.extents, self.me = image, image.diff(0, 1 << 20, None), self
                list(self.extents)
            def __del__(self):
                image, extents = self.image, self.extents
                try:
                    {use}
                except (rbd.Error, StopIteration):
                    pass
        for i in range(20):
            session = Session(fresh(f"{{NAME}}-{{i}}", MIB, 1))
            session.image.close()
            del session
        {when}
        """,
    )


def test_handles_cannot_be_copied(image: rbd.Image, ioctx: rados.Ioctx) -> None:
    with image.diff(0, 1, None) as extents:
        for thing in (image, ioctx, ioctx.rados, extents):
            for copier in (copy.copy, copy.deepcopy, pickle.dumps):
                with pytest.raises(TypeError, match="cannot be copied or pickled"):
                    copier(thing)
    assert image.size()


def test_selecting_snapshots_beside_writes(image: rbd.Image) -> None:
    """librbd crashes when they meet; the gate keeps them apart."""
    image.create_snap("s")
    deadline = time.monotonic() + 3
    problems: list[BaseException] = []

    def work(call: object) -> None:
        try:
            while time.monotonic() < deadline:
                try:
                    call()  # type: ignore[operator]
                except rbd.ReadOnlyImage:
                    pass
        except BaseException as error:
            problems.append(error)

    def flip() -> None:
        image.set_snap("s")
        image.set_snap(None)

    def write_later() -> None:
        image.aio_write(b"a" * 4096, 8192, lambda completion: None).wait_for_complete_and_cb()

    threads = [
        threading.Thread(target=work, args=(call,))
        for call in (
            flip,
            flip,
            lambda: image.write(b"w" * 4096, 0),
            write_later,
            lambda: image.resize(image.size() ^ (1 << 20)),
            lambda: list(image.diff(0, 1 << 20, None)),
        )
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert not problems
    assert not any(thread.is_alive() for thread in threads)
    with pytest.raises(rbd.InvalidArgument, match="callback"):
        image.write(b"x", 0)
        image.diff_iterate(0, 1 << 20, None, lambda *extent: image.set_snap(None))


# -- hanging clusters -------------------------------------------------------------------------


def test_selecting_a_snapshot_does_not_wait_for_ever(ceph_cluster_factory, fresh_name: str) -> None:
    """Beside a call that hangs; nor does it keep the other calls waiting."""
    own: Cluster = ceph_cluster_factory(conf={"osd heartbeat grace": 3600, "rbd cache": "false"})
    before = lib.rbdcffi_alone_patience(300)
    with rados.Rados(conffile=own.conf) as connection, connection.open_ioctx("rbd") as ioctx:
        rbd.RBD().create(ioctx, fresh_name, 1 << 20)
        with rbd.Image(ioctx, fresh_name) as image:
            image.write(b"x", 0)
            own.osds[0].pause()
            thread = threading.Thread(target=image.write, args=(b"y" * 4096, 0))
            try:
                thread.start()
                time.sleep(0.2)
                with pytest.raises(rbd.ImageBusy, match=r"Image\.set_snap.*do not end"):
                    image.set_snap(None)
                assert image.size() == 1 << 20
            finally:
                lib.rbdcffi_alone_patience(before)
                own.osds[0].resume()
            thread.join(20)
            image.set_snap(None)
            assert image.read(0, 4096) == b"y" * 4096


def test_changes_of_an_image_take_turns(ceph_conf: str, fresh_name: str) -> None:
    """librbd ends the process, or hangs, when some of them run side by side. Nobody starves."""
    text = PRELUDE.format(conf=ceph_conf) + textwrap.dedent(
        f"""
        image = fresh({fresh_name!r})
        image.create_snap("base")
        image.create_snap("guarded")
        start = time.monotonic()
        def goes_on():
            seconds = time.monotonic() - start
            return seconds < 4 or (seconds < 60 and min(done.values()) < 2)
        def run(name, *calls):
            while goes_on():
                for call in calls:
                    call()
                done[name] += 1
        def guard():
            image.protect_snap("guarded")
            image.unprotect_snap("guarded")
        sizes = [64 * MIB, 32 * MIB]
        changes = dict(
            resize=[lambda: image.resize(sizes[0]), lambda: image.resize(sizes[1])],
            resize_too=[lambda: image.resize(sizes[1])],
            rollback=[lambda: image.rollback_to_snap("base")],
            sparsify=[lambda: image.sparsify(4096)],
            rebuild=[image.rebuild_object_map],
            guard=[guard],
            snapshots=[lambda: image.create_snap("s"), lambda: image.remove_snap("s")],
        )
        done = dict.fromkeys(changes, 0)
        threads = [threading.Thread(target=run, args=(n, *c)) for n, c in changes.items()]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        assert min(done.values()) >= 2, done
        image.close(); cluster.shutdown()
        print("survived")
        """
    )
    done = subprocess.run(
        [sys.executable, "-c", text], capture_output=True, text=True, timeout=90, check=False
    )
    assert (done.returncode, done.stdout) == (0, "survived\n"), done.stderr[-2000:]


def test_demotions_take_turns(ceph_conf: str, fresh_name: str) -> None:
    """Two at a time end the process, in librbd; those with callbacks, too."""
    text = PRELUDE.format(conf=ceph_conf) + textwrap.dedent(
        f"""
        image = fresh({fresh_name!r})
        before = rbd.RBD().mirror_mode_get(ioctx)
        rbd.RBD().mirror_mode_set(ioctx, rbd.RBD_MIRROR_MODE_IMAGE)
        image.update_features(rbd.RBD_FEATURE_JOURNALING, True)
        image.mirror_image_enable()
        until = time.monotonic() + 3
        results = set()
        def demote():
            while time.monotonic() < until:
                try:
                    image.mirror_image_demote()
                except rbd.InvalidArgument as error:
                    assert "demote" in str(error), error
                started = [image.aio_mirror_image_demote(lambda completion: None) for _ in range(2)]
                started += [image.aio_mirror_image_promote(True, lambda completion: None)]
                for completion in started:
                    completion.wait_for_complete_and_cb()
                    results.add(completion.get_return_value())
        threads = [threading.Thread(target=demote) for _ in range(2)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        assert 0 in results, results
        image.aio_mirror_image_promote(True, lambda completion: None)
        image.close()  # waits for it
        rbd.RBD().remove(ioctx, {fresh_name!r})
        rbd.RBD().mirror_mode_set(ioctx, before)
        cluster.shutdown()
        print("survived")
        """
    )
    done = subprocess.run(
        [sys.executable, "-c", text], capture_output=True, text=True, timeout=90, check=False
    )
    assert (done.returncode, done.stdout) == (0, "survived\n"), done.stderr[-2000:]


def test_a_turn_is_not_waited_for_for_ever(ceph_cluster_factory, fresh_name: str) -> None:
    own: Cluster = ceph_cluster_factory(conf={"osd heartbeat grace": 3600, "rbd cache": "false"})
    before = lib.rbdcffi_turn_patience(300)
    with rados.Rados(conffile=own.conf) as connection, connection.open_ioctx("rbd") as ioctx:
        rbd.RBD().create(ioctx, fresh_name, 1 << 20)
        with rbd.Image(ioctx, fresh_name) as image:
            own.osds[0].pause()
            thread = threading.Thread(target=image.resize, args=(2 << 20,))
            try:
                thread.start()
                time.sleep(0.2)
                with pytest.raises(rbd.ImageBusy, match=r"Image\.create_snap.*do not end"):
                    image.create_snap("late")
            finally:
                lib.rbdcffi_turn_patience(before)
                own.osds[0].resume()
            thread.join(20)
            image.create_snap("in time")
            assert [snap["name"] for snap in image.list_snaps()] == ["in time"]


def test_a_turn_is_refused_in_a_callback_that_it_would_wait_for(image: rbd.Image) -> None:
    image.write(b"x" * 4096, 0)
    image.create_snap("base")
    errors: list[BaseException] = []

    def progress(done: int, total: int) -> None:
        for call in (lambda: image.create_snap("inner"), lambda: image.resize(1 << 20)):
            began = time.monotonic()
            with pytest.raises(rbd.InvalidArgument, match="this is a callback") as caught:
                call()
            assert time.monotonic() - began < 5
            errors.append(caught.value)

    image.rollback_to_snap("base", on_progress=progress)
    assert errors
    # a call that takes no turn is not in the way
    image.diff_iterate(0, image.size(), None, lambda *extent: image.create_snap("in diff"))
    assert [snap["name"] for snap in image.list_snaps()] == ["base", "in diff"]


def test_a_finalizer_does_not_wait_for_ever(
    ceph_cluster_factory, fresh_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Closing goes on without it, and what was written is kept."""
    monkeypatch.setattr(_handle, "REAP_TIMEOUT", 0.3)
    own: Cluster = ceph_cluster_factory(conf={"osd heartbeat grace": 3600})
    with rados.Rados(conffile=own.conf) as connection, connection.open_ioctx("rbd") as ioctx:
        rbd.RBD().create(ioctx, fresh_name, 1 << 20)
        image = rbd.Image(ioctx, fresh_name)
        own.osds[0].pause()
        try:
            image.aio_write(b"kept" * 1024, 0, lambda completion: None)
            began = time.monotonic()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ResourceWarning)
                del image
                gc.collect()
                _handle.reap()  # PyPy's finalizers leave it to others
            assert time.monotonic() - began < 10
        finally:
            own.osds[0].resume()
        deadline = time.monotonic() + 20
        while connection._open_handle._children.keys() - {ioctx._handle}:
            assert time.monotonic() < deadline
            _handle.reap()
            time.sleep(0.01)
        with rbd.Image(ioctx, fresh_name) as image:
            assert image.read(0, 4096) == b"kept" * 1024


def test_ctrl_c_leaves_an_open_that_hangs(ceph_cluster_factory, fresh_name: str) -> None:
    """Nor does the I/O context wait for the open that was left."""
    own: Cluster = ceph_cluster_factory(conf={"osd heartbeat grace": 3600})
    text = PRELUDE.format(conf=own.conf) + textwrap.dedent(
        f"""
        rbd.RBD().create(ioctx, {fresh_name!r}, MIB)
        print("ready", flush=True)
        sys.stdin.readline()
        try:
            rbd.Image(ioctx, {fresh_name!r})
        except KeyboardInterrupt:
            print("interrupted", flush=True)
        ioctx.close()
        print("closed", flush=True)
        sys.stdin.readline()
        cluster.shutdown()
        print("shut down", flush=True)
        """
    )
    left_by_ctrl_c(text, own)


@pytest.mark.parametrize("what", ["image.close()", "cluster.shutdown()"])
def test_ctrl_c_leaves_a_close_that_hangs(ceph_cluster_factory, fresh_name: str, what: str) -> None:
    """The close goes on in the background; nothing that was written is lost."""
    own: Cluster = ceph_cluster_factory(conf={"osd heartbeat grace": 3600})
    text = PRELUDE.format(conf=own.conf) + textwrap.dedent(
        f"""
        image = fresh({fresh_name!r})
        print("ready", flush=True)
        sys.stdin.readline()
        image.aio_write(b"kept" * 1024, 0, lambda completion: None)
        try:
            {what}
        except KeyboardInterrupt:
            print("interrupted", flush=True)
        try:
            image.size()
        except rbd.InvalidArgument:
            print("closed", flush=True)
        sys.stdin.readline()
        image.close()
        cluster.shutdown()
        print("shut down", flush=True)
        """
    )
    left_by_ctrl_c(text, own)
    with rados.Rados(conffile=own.conf) as connection, connection.open_ioctx("rbd") as ioctx:
        with rbd.Image(ioctx, fresh_name, read_only=True) as image:
            assert image.read(0, 4096) == b"kept" * 1024


def test_an_abandoned_open_leaves_no_watcher(ceph_cluster_factory, fresh_name: str) -> None:
    """The late result of an interrupted open is closed again."""
    own: Cluster = ceph_cluster_factory(conf={"osd heartbeat grace": 3600})
    with rados.Rados(conffile=own.conf) as connection, connection.open_ioctx("rbd") as ioctx:
        rbd.RBD().create(ioctx, fresh_name, 1 << 20)
        own.osds[0].pause()
        threading.Timer(1.0, own.osds[0].resume).start()
        threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
        with pytest.raises(KeyboardInterrupt):
            rbd.Image(ioctx, fresh_name)
        deadline = time.monotonic() + 20
        while True:
            try:
                rbd.RBD().remove(ioctx, fresh_name)
                break
            except rbd.ImageBusy:
                assert time.monotonic() < deadline
                time.sleep(0.2)


def test_exit_does_not_wait_for_a_cluster_that_hangs(ceph_cluster_factory, fresh_name: str) -> None:
    own: Cluster = ceph_cluster_factory(conf={"osd heartbeat grace": 3600})
    text = PRELUDE.format(conf=own.conf) + textwrap.dedent(
        f"""
        import rbdcffi._handle
        rbdcffi._handle.EXIT_TIMEOUT = 1.0
        image = fresh({fresh_name!r})
        print("ready", flush=True)
        sys.stdin.readline()
        threading.Thread(target=image.read, args=(0, 1 << 20), daemon=True).start()
        image.aio_write(b"x" * 4096, 0, lambda completion: None)
        """
    )
    with conversation(text) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == "ready\n"
            own.osds[0].pause()
            _, errors = process.communicate("\n", timeout=30)
        finally:
            own.osds[0].resume()
    assert process.returncode == 0, errors
    assert "leaving it open at exit" in errors


def test_what_is_thrown_away_late_keeps_the_handle(
    cluster: rados.Rados, ioctx: rados.Ioctx
) -> None:
    """A caller leaves when his call is over already: what it returned is discarded beside the close
    of the handle, which does not wait for that."""
    context = cluster.open_ioctx(ioctx.name)
    handle = context._handle
    assert handle is not None
    go, over = threading.Event(), threading.Event()

    def discard(result: str) -> None:
        assert result == "found"
        assert go.wait(20)
        over.set()

    call = Call(lambda: "found", discard, handle)
    call.run()
    call.leave()
    started = time.monotonic()
    context.close()
    assert time.monotonic() - started < 5
    # closed, but not destroyed yet
    assert handle in cluster._open_handle.children()
    go.set()
    assert over.wait(20)
    deadline = time.monotonic() + 20
    while handle in cluster._open_handle.children():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert not handle.given_up
