"""Ctrl-C while the main thread is in a long call: it leaves, and the call goes on without it."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from typing import Any

import pytest
from test_lifetime import PRELUDE, conversation

from rbdcffi import _waiting, rados, rbd
from rbdcffi.testing import Cluster, Daemon

#: What waits for a cluster that hangs, and the later ones for their turn behind the first.
CALLS = """
image.resize(size * 2)
image.resize(size, on_progress=lambda done, total: None)
image.create_snap("other")
image.remove_snap("s")
image.protect_snap("s")
image.rollback_to_snap("s")
image.sparsify(4096)
image.rebuild_object_map(on_progress=lambda done, total: None)
image.diff_iterate(0, size, None, print)
image.flush()
image.copy(ioctx, "copy")
image.deep_copy(ioctx, "deep_copy")
image.update_features(rbd.RBD_FEATURE_FAST_DIFF, False)
rbd.RBD().remove(ioctx, "removed")
rbd.RBD().trash_purge(ioctx)
rbd.Group(ioctx, "g").rollback_to_snap("none")
""".strip().splitlines()


def interrupt(
    own: Cluster,
    daemon: Daemon,
    calls: list[str],
    *,
    before: str,
    first: str = "",
    last: str = "",
    after: str = "",
) -> None:
    """A program makes the calls while the daemon stands still, and each is left by Ctrl-C. It ends
    with the cluster's shutdown, as if nothing had happened.

    Parameters:
        before, after: what it does before the daemon stands still, and when that goes on.
        first, last: what it does in between, before the calls and after them.
    """
    program = f"""
print("ready", flush=True)
sys.stdin.readline()
{first}
for call in {calls!r}:
    print("calling", flush=True)
    try:
        # (of a text, CPython would take the KeyboardInterrupt for one that nobody catches)
        eval(compile(call, "call", "eval"))
    except KeyboardInterrupt:
        print(call, flush=True)
    except Exception as error:
        print(call, "raised", error, flush=True)
{last}
print("done", flush=True)
sys.stdin.readline()
{after}
cluster.shutdown()
print("shut down", flush=True)
"""
    with conversation(PRELUDE.format(conf=own.conf) + before + program) as process:
        assert process.stdin is not None and process.stdout is not None
        lines = iter(process.stdout.readline, "")
        try:
            assert next(lines) == "ready\n"
            daemon.pause()
            print(file=process.stdin, flush=True)
            for call in calls:
                assert next(lines) == "calling\n"
                time.sleep(0.3)
                asked = time.monotonic()
                process.send_signal(signal.SIGINT)
                assert next(lines) == f"{call}\n"
                assert time.monotonic() - asked < 10
            assert next(lines) == "done\n"
            daemon.resume()
            print(file=process.stdin, flush=True)
            assert next(lines) == "shut down\n"
            _, errors = process.communicate(timeout=20)
            assert (process.returncode, errors) == (0, "")
        finally:
            daemon.resume()


def test_long_calls(ceph_cluster_factory: Any, fresh_name: str) -> None:
    own: Cluster = ceph_cluster_factory(conf={"osd heartbeat grace": 3600})
    before = f"""
rbd.RBD().group_create(ioctx, "g")
fresh("removed").close()
image = fresh({fresh_name!r})
size = image.size()
image.create_snap("s")
"""
    writing = 'image.aio_write(b"kept" * 1024, 0, lambda completion: None)'
    interrupt(own, own.osds[0], CALLS, before=before, first=writing, last="image.close()")
    with rados.Rados(conffile=own.conf) as connection, connection.open_ioctx("rbd") as ioctx:
        with rbd.Image(ioctx, fresh_name, read_only=True) as image:
            # rolled back or not: what was asked for went on
            assert image.read(0, 4096) in (b"kept" * 1024, b"x" * 4096)


#: What waits for the monitors.
QUESTIONS = """
cluster.mon_command('{"prefix": "status"}', b"")
cluster.mon_command('{"prefix": "status"}', b"", target="a")
cluster.get_cluster_stats()
cluster.wait_for_latest_osdmap()
cluster.create_pool("new")
cluster.create_pool("new", 0)
cluster.delete_pool("none")
""".strip().splitlines()


def test_calls_that_wait_for_the_monitors(ceph_cluster_factory: Any) -> None:
    own: Cluster = ceph_cluster_factory()
    # what was asked for is done
    after = """
while "none" in cluster.list_pools() or "new" not in cluster.list_pools():
    cluster.wait_for_latest_osdmap()
assert cluster.mon_command('{"prefix": "status"}', b"")[0] == 0
"""
    interrupt(own, own.mon, QUESTIONS, before='cluster.create_pool("none")', after=after)


def test_no_progress_is_told_to_one_who_has_left(ioctx: rados.Ioctx, fresh_name: str) -> None:
    rbd.RBD().create(ioctx, fresh_name, 64 << 20, order=16)
    main = threading.main_thread()
    told: list[int] = []
    left = threading.Event()

    def on_progress(done: int, total: int) -> None:
        assert not left.is_set()
        told.append(done)
        if len(told) == 3:
            assert main.ident is not None
            signal.pthread_kill(main.ident, signal.SIGINT)
            time.sleep(0.5)

    with rbd.Image(ioctx, fresh_name) as image:
        for offset in range(0, 64 << 20, 1 << 20):
            image.write(b"x", offset)
        with pytest.raises(KeyboardInterrupt):
            image.copy(ioctx, fresh_name + "-copy", on_progress=on_progress)
        left.set()
    assert len(told) == 3


def test_one_thread_makes_many_calls(ioctx: rados.Ioctx, image_name: str) -> None:
    def helpers() -> list[threading.Thread]:
        return [thread for thread in threading.enumerate() if thread.name == "rbdcffi-wait"]

    for _ in range(5):
        with rbd.Image(ioctx, image_name):
            pass
    # those that other tests left behind may be at work still
    assert len(_waiting._helpers._idle) <= 1
    with rbd.Image(ioctx, image_name) as image:
        before = set(helpers())
        for _ in range(20):
            image.flush()
    assert len(set(helpers()) - before) <= 1


def test_a_thread_without_calls_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_waiting, "IDLE", 0.05)
    helpers = _waiting._Helpers()
    seen: list[threading.Thread] = []
    for _ in range(3):
        helpers.run(lambda: seen.append(threading.current_thread()))
        while not seen or not helpers._idle:
            time.sleep(0.001)
        seen.pop().join(10)
        assert not helpers._idle


def test_a_signal_at_any_point_of_opening_leaves_nothing_open(
    ceph_conf: str, ceph_shared_pool: str, image_name: str
) -> None:
    """A program opens while an alarm raises: a little later every time."""
    text = f"""
import gc, signal, time, warnings
from rbdcffi import rados, rbd

class Alarm(BaseException): pass

def ring(*args):
    raise Alarm

signal.signal(signal.SIGALRM, ring)
warnings.simplefilter("ignore")
rung = 0
with rados.Rados(conffile={ceph_conf!r}) as cluster:
    with cluster.open_ioctx({ceph_shared_pool!r}) as ioctx:
        for step in range(200):
            image = None
            try:
                signal.setitimer(signal.ITIMER_REAL, 1e-5 * (step + 1))
                image = rbd.Image(ioctx, {image_name!r})
                signal.setitimer(signal.ITIMER_REAL, 0)
            except Alarm:
                rung += 1
            if image is not None:
                image.close()
        signal.setitimer(signal.ITIMER_REAL, 0)
        del image
        deadline = time.monotonic() + 20
        while True:
            gc.collect()
            try:
                rbd.RBD().remove(ioctx, {image_name!r})
                break
            except rbd.ImageBusy:
                # it is being opened still, or closed
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.01)
print(rung > 100, cluster._handle.has_images())
"""
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, timeout=100)
    assert (done.returncode, done.stdout) == (0, "True False\n"), done.stderr


def test_no_progress_is_told_once_exit_has_left(ceph_cluster_factory: Any, fresh_name: str) -> None:
    """The interpreter ends threads that ask for it then; within C++ that ends the process."""
    own: Cluster = ceph_cluster_factory(conf={"osd heartbeat grace": 3600})
    # what is registered first is called last: exit has left the call then
    text = f"""
import atexit
@atexit.register
def late():
    print("late", flush=True)
    sys.stdin.readline()
    time.sleep(2)
    print("end", flush=True)
{PRELUDE.format(conf=own.conf)}
from rbdcffi import _handle
_handle.EXIT_TIMEOUT = 0.5
image = fresh({fresh_name!r})
print("ready", flush=True)
sys.stdin.readline()
def told(done, total):
    print("told", flush=True)
threading.Thread(target=image.resize, args=(0,), kwargs=dict(on_progress=told), daemon=True).start()
time.sleep(0.5)
"""
    with conversation(text) as process:
        assert process.stdin is not None and process.stdout is not None
        lines = iter(process.stdout.readline, "")
        try:
            assert next(lines) == "ready\n"
            own.osds[0].pause()
            print(file=process.stdin, flush=True)
            while next(lines) != "late\n":
                pass
            own.osds[0].resume()
            out, errors = process.communicate("\n", timeout=20)
            assert (process.returncode, out) == (0, "end\n"), errors
            assert "leaving it open at exit" in errors
        finally:
            own.osds[0].resume()
