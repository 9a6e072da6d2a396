"""What the standard binding does when things go wrong, and what rbdcffi does: side by side.

    scripts/bench reliability [--only TEXT] [--write]

Each case is one program, written for the standard modules. It runs twice, each time in a process
of its own on a cluster of its own that is hurt at the same step: with Ceph's modules, and by
``python -m rbdcffi.dropin``. What each call says, and after how long, and how the process ends,
becomes a row; ``--write`` puts the table into docs/reliability.md.
"""

from __future__ import annotations

import argparse
import re
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rbdcffi.testing import Cluster

ROOT = Path(__file__).parent.parent
#: Seconds without a word after which a program is taken for one that hangs.
SILENCE = 45.0
#: What is told of a program that has ended.
END = "end of the program"
#: How many programs run at a time: they wait more than they compute.
AT_ONCE = 4

PRELUDE = """
import faulthandler, gc, os, signal, sys, threading, time
import rados, rbd
CONF, NAME = sys.argv[1:]
MIB = 1 << 20
QUICK = {"rados_osd_op_timeout": "2", "rados_mon_op_timeout": "2"}
LAYERING = rbd.RBD_FEATURE_LAYERING
faulthandler.enable()
def connect(pool="rbd", **conf):
    cluster = rados.Rados(conffile=CONF, conf=conf)
    cluster.connect()
    return cluster, cluster.open_ioctx(pool)
def create(ioctx, size=16 * MIB, **options):
    rbd.RBD().create(ioctx, NAME, size, old_format=False, **options)
    return rbd.Image(ioctx, NAME)
def tell(what, function, *args, **options):
    print("CALL", what, flush=True)
    started = time.monotonic()
    result = None
    try:
        result = function(*args, **options)
        outcome = "succeeds"
    except BaseException as error:
        number = getattr(error, "errno", None)
        outcome = "`%s`" % type(error).__name__ + (" (%d)" % number if number else "")
    took = time.monotonic() - started
    print("SAID", outcome + (", after %.0f s" % took if took >= 0.8 else ""), flush=True)
    return result
def note(what, outcome):
    print("CALL", what, flush=True)
    print("SAID", outcome, flush=True)
def hurt():
    print("HURT", flush=True)
    sys.stdin.readline()
def ctrl_c(seconds=1.5):
    timer = threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGINT))
    timer.daemon = True
    timer.start()
"""


@dataclass
class Case:
    """A program, and what happens to its cluster whenever it says ``hurt()``."""

    name: str
    text: str
    hurts: Sequence[Callable[[Cluster], object]] = ()
    #: of the cluster
    options: dict[str, Any] = field(default_factory=dict)
    #: what the client "limited" may do
    user: dict[str, str] | None = None
    #: how often it runs, on one cluster: how it ends is partly luck
    times: int = 1
    #: how its end is told; "": not
    end: str = END


PATIENT = {"conf": {"osd heartbeat grace": 3600}}
THREE = {
    "osds": 3,
    "replicas": 2,
    "objectstore": "bluestore",
    "conf": {"mon osd min down reporters": 1},
}


def pause(own: Cluster) -> None:
    own.osds[0].pause()


def resume(own: Cluster) -> None:
    own.osds[0].resume()


def later(seconds: float, *hurts: Callable[[Cluster], object]) -> Callable[[Cluster], None]:
    """Goes on at once, and does them one after the other meanwhile."""

    def start(own: Cluster) -> None:
        def run() -> None:
            for each in hurts:
                time.sleep(seconds)
                each(own)

        threading.Thread(target=run, daemon=True).start()

    return start


def kill(own: Cluster) -> None:
    own.osds[0].kill()


def restart(own: Cluster) -> None:
    own.osds[0].start()


def fill(own: Cluster) -> None:
    own.osds[0].admin("injectfull", type="full")
    deadline = time.monotonic() + 30
    while not all(
        "full" in pool["flags_names"].split(",")
        for pool in own.ceph("osd", "dump", json=True)["pools"]
    ):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def block_clients(own: Cluster) -> None:
    """All that watch the image, or have it open."""
    for watcher in own_watchers(own):
        own.ceph("osd", "blocklist", "add", watcher)
    time.sleep(1)


def own_watchers(own: Cluster) -> list[str]:
    told = own.run("rbd", "status", "image", "--format", "json")
    return re.findall(r'"address":"([^"]+)"', told)


def remove_objects(own: Cluster) -> None:
    for name in own.run("rados", "-p", "rbd", "ls").split():
        if name.startswith(("rbd_data", "rbd_header", "rbd_id.image", "rbd_object_map")):
            own.run("rados", "-p", "rbd", "rm", name)
    time.sleep(2)


CASES = [
    # -- faults of the cluster --
    *(
        Case(
            "OSD stands still, no timeout; Ctrl-C after 1.5 s",
            f"""
            cluster, ioctx = connect(rbd_cache="false")
            image = create(ioctx)
            image.write(b"x" * 4096, 0)
            hurt()
            ctrl_c()
            tell({what!r}, lambda: {call})
            os._exit(0)
            """,
            [pause],
            PATIENT,
            end="",
        )
        for what, call in {
            "`rbd.Image()`": "rbd.Image(ioctx, NAME)",
            "`diff_iterate`": "image.diff_iterate(0, 16 * MIB, None, print)",
            "`resize`": "image.resize(MIB)",
            "`read`": "image.read(0, 4096)",
            "`close`": "image.close()",
        }.items()
    ),
    Case(
        "OSD stands still, `rados_osd_op_timeout` 2 s",
        """
        cluster, ioctx = connect(rbd_cache="false", **QUICK)
        image = create(ioctx)
        image.write(b"x" * 4096, 0)
        hurt()
        tell("`read`", image.read, 0, 4096)
        tell("`write`", image.write, b"y" * 4096, 0)
        tell("`rbd.Image()`", rbd.Image, ioctx, NAME)
        tell("`RBD.list`", rbd.RBD().list, ioctx)
        tell("`write_full` of an object", ioctx.write_full, "o", b"x")
        tell("`diff_iterate`", image.diff_iterate, 0, 16 * MIB, None, lambda *extent: None)
        hurt()
        tell("`read` when it goes on", image.read, 0, 4096)
        tell("`close`", image.close)
        """,
        [pause, resume],
        PATIENT,
    ),
    Case(
        "OSD stands still for 3 s, no timeout",
        """
        cluster, ioctx = connect()
        image = create(ioctx)
        hurt()
        tell("`write` and `flush`", lambda: (image.write(b"y" * 4096, 0), image.flush()))
        """,
        [lambda own: (pause(own), later(3, resume)(own))],
        PATIENT,
    ),
    Case(
        "OSD stands still, at exit",
        """
        cluster, ioctx = connect()
        image = create(ioctx)
        hurt()
        """,
        [pause],
        PATIENT,
    ),
    Case(
        "one of three OSDs killed (-9) and restarted, two copies",
        """
        cluster, ioctx = connect()
        image = create(ioctx)
        image.write(b"y" * 4096, 0)
        hurt()
        def write():
            end = time.monotonic() + 8
            while time.monotonic() < end:
                for i in range(16):
                    image.write(b"y" * 4096, i * MIB)
                image.flush()
        tell("`write` and `flush`, over and over", write)
        note("what was flushed", "is there" if all(
            image.read(i * MIB, 4096) == b"y" * 4096 for i in range(16)) else "is lost")
        """,
        [later(2, kill, restart)],
        THREE,
    ),
    Case(
        "the only OSD killed (-9) and restarted",
        """
        cluster, ioctx = connect()
        image = create(ioctx)
        for i in range(16):
            image.write(b"y" * 4096, i * MIB)
        image.flush()
        hurt()
        tell("`write` and `flush` meanwhile", lambda: (image.write(b"z", 8), image.flush()))
        note("what was flushed", "is there" if all(
            image.read(i * MIB + 16, 4000) == b"y" * 4000 for i in range(16)) else "is lost")
        """,
        [lambda own: (kill(own), later(3, restart)(own))],
        {"objectstore": "bluestore"},
    ),
    Case(
        "monitor killed",
        """
        cluster, ioctx = connect(**QUICK)
        image = create(ioctx)
        hurt()
        tell("`write` and `flush`", lambda: (image.write(b"y" * 4096, 0), image.flush()))
        tell("`create_pool`", cluster.create_pool, "new")
        other = rados.Rados(conffile=CONF)
        tell("`connect(timeout=2)`", other.connect, timeout=2)
        hurt()
        tell("`list_pools` when it is back", cluster.list_pools)
        """,
        [lambda own: own.mon.kill(), lambda own: own.mon.start()],
    ),
    Case(
        "dead monitor address",
        """
        import socket
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        conf = {"mon_host": "127.0.0.1:%d" % listener.getsockname()[1]}
        conf["auth_client_required"] = "none"
        tell("`connect(timeout=2)`", rados.Rados(conf=conf).connect, timeout=2)
        ctrl_c()
        tell("`connect()`, Ctrl-C after 1.5 s", rados.Rados(conf=conf).connect)
        """,
    ),
    Case(
        "pool full",
        """
        cluster, ioctx = connect(**QUICK)
        image = create(ioctx, features=LAYERING)
        image.write(b"kept", 0)
        image.flush()
        hurt()
        tell("`read`", image.read, 0, 4)
        tell("`write` and `flush`", lambda: (image.write(b"lost", 0), image.flush()))
        tell("`remove_object`", ioctx.remove_object, "rbd_directory")
        """,
        [fill],
        end="",
    ),
    Case(
        "pool full, and a write that is still in the cache",
        """
        cluster, ioctx = connect(rbd_cache_writethrough_until_flush="false",
                                 rbd_cache_policy="writeback", **QUICK)
        image = create(ioctx, features=LAYERING)
        image.write(b"kept", 0)
        image.flush()
        hurt()
        image.write(b"lost", 0)
        tell("`close` (the write is lost)", image.close)
        """,
        [fill],
        end="",
    ),
    Case(
        "pool deleted under an open image",
        """
        cluster, ioctx = connect(pool="gone")
        image = create(ioctx, 8 * MIB)
        image.write(b"x" * 4096, 0)
        image.flush()
        hurt()
        cluster.wait_for_latest_osdmap()
        tell("`read`", image.read, 0, 4096)
        tell("`resize`", image.resize, MIB)
        tell("`rbd.Image()`", rbd.Image, ioctx, NAME)
        tell("`close`", image.close)
        """,
        [lambda own: own.remove_pool("gone")],
        {"pools": ("rbd", "gone")},
    ),
    Case(
        "image deleted under an open handle",
        """
        cluster, ioctx = connect(rbd_cache="false")
        image = create(ioctx, 8 * MIB, features=LAYERING)
        image.write(b"x" * 4096, 0)
        hurt()
        tell("`read`", image.read, 0, 4096)
        tell("`resize`", image.resize, MIB)
        tell("`close`", image.close)
        """,
        [remove_objects],
    ),
    Case(
        "the same, while it has the exclusive lock; Ctrl-C after 1.5 s",
        """
        cluster, ioctx = connect()
        image = create(ioctx, 8 * MIB)
        image.write(b"x" * 4096, 0)
        image.flush()
        hurt()
        def write():
            while True:
                image.write(b"y", 0)
                image.flush()
        threading.Thread(target=write, daemon=True).start()
        time.sleep(5)
        ctrl_c()
        tell("`close`", image.close)
        os._exit(0)
        """,
        [remove_objects],
    ),
    Case(
        "exclusive lock taken by another client that writes",
        """
        cluster, ioctx = connect()
        image = create(ioctx, 8 * MIB)
        image.write(b"x" * 4096, 0)
        other, ioctx2 = connect()
        thief = rbd.Image(ioctx2, NAME)
        tell("`write` of the other, then of this one", lambda: (
            thief.write(b"y" * 4096, MIB), thief.flush(), image.write(b"z", 0), image.flush()))
        thief.close()
        image.close()
        """,
    ),
    Case(
        "client blocklisted",
        """
        cluster, ioctx = connect()
        image = create(ioctx, 8 * MIB)
        image.write(b"kept", 0)
        image.flush()
        hurt()
        cluster.wait_for_latest_osdmap()
        tell("`read`", image.read, 0, 4096)
        tell("`write`", image.write, b"y" * 4096, 0)
        tell("`RBD.list`", rbd.RBD().list, ioctx)
        tell("`close`", image.close)
        """,
        [block_clients],
    ),
    Case(
        "client blocklisted, and a write that is still in the cache",
        """
        cluster, ioctx = connect(rbd_cache_writethrough_until_flush="false",
                                 rbd_cache_policy="writeback", rbd_cache_max_dirty_age="3600")
        image = create(ioctx, 8 * MIB, features=LAYERING)
        image.write(b"kept", 0)
        image.flush()
        image.write(b"lost", 0)
        hurt()
        cluster.wait_for_latest_osdmap()
        tell("`close` (the write is lost)", image.close)
        """,
        [block_clients],
    ),
    Case(
        "too few capabilities",
        """
        cluster = rados.Rados(conffile=CONF, rados_id="limited")
        cluster.connect()
        ioctx = cluster.open_ioctx("rbd")
        tell("`create_pool`", cluster.create_pool, "new")
        tell("`RBD.create`", rbd.RBD().create, ioctx, "new", MIB)
        tell("`rbd.Image()`", rbd.Image, ioctx, "data")
        image = tell("`rbd.Image(read_only=True)`", rbd.Image, ioctx, "data", read_only=True)
        tell("`write` to that", image.write, b"x", 0)
        image.close()
        """,
        options={"cephx": True},
        user={"mon": "profile rbd", "osd": "profile rbd-read-only pool=rbd"},
    ),
    Case(
        "no key, wrong key",
        """
        conf = {"key": "AQBSdFhcAAAAABAA7nQWBYrfbkC0jSLJHPGRgw=="}
        tell("`connect` with a wrong key", rados.Rados(conffile=CONF, conf=conf).connect)
        conf = {"keyring": "/no/such/file"}
        tell("`connect` without one", rados.Rados(conffile=CONF, conf=conf).connect)
        """,
        options={"cephx": True},
    ),
    # -- ends --
    Case(
        "image closed during `diff_iterate` in another thread",
        """
        cluster, ioctx = connect()
        image = create(ioctx, 64 * MIB, order=16)
        for i in range(256):
            image.write(b"x" * 4096, i * (MIB // 4))
        def diff():
            while True:
                image.diff_iterate(0, 64 * MIB, None, lambda *extent: None)
        thread = threading.Thread(target=lambda: tell("`diff_iterate`", diff), daemon=True)
        thread.start()
        time.sleep(0.3)
        image.close()
        thread.join(5)
        """,
        times=10,
    ),
    Case(
        "cluster shut down with I/O in flight, then used",
        """
        cluster, ioctx = connect()
        image = create(ioctx, 64 * MIB)
        for i in range(300):
            image.aio_write(b"x" * 4096, i * 4096, lambda completion: None)
        cluster.shutdown()
        tell("`size`", image.size)
        tell("`read`", image.read, 0, 4096)
        """,
    ),
    *(
        Case(
            f"exit with 300 writes in flight: {how}",
            f"""
            cluster, ioctx = connect()
            image = create(ioctx, 64 * MIB)
            for i in range(300):
                image.aio_write(b"x" * 4096, i * 4096, lambda completion: None)
            {text}
            """,
            times=10,
        )
        for how, text in {
            "normally": "",
            "by `sys.exit(3)`": "sys.exit(3)",
            "SIGINT": "os.kill(os.getpid(), signal.SIGINT); time.sleep(5)",
        }.items()
    ),
    Case(
        "exit of `asyncio` with reads in worker threads (`asyncio.to_thread`)",
        """
        import asyncio
        cluster, ioctx = connect()
        image = create(ioctx, 64 * MIB)
        async def main():
            tasks = [
                asyncio.ensure_future(asyncio.to_thread(image.read, 0, 4096)) for _ in range(300)
            ]
            await asyncio.sleep(0.01)
            sys.exit(3)
        asyncio.run(main())
        """,
        times=10,
    ),
    Case(
        "exit with a daemon thread in `read`, image open",
        """
        cluster, ioctx = connect()
        image = create(ioctx, 64 * MIB)
        def work():
            while True:
                image.read(0, 4096)
        for _ in range(4):
            threading.Thread(target=work, daemon=True).start()
        time.sleep(0.3)
        """,
        times=10,
    ),
    Case(
        "SIGINT at any moment",
        """
        import random
        ctrl_c(random.uniform(0.05, 0.6))
        while True:
            NAME += "x"
            cluster, ioctx = connect()
            image = create(ioctx)
            for i in range(8):
                image.write(b"x" * 4096, i * MIB)
            image.create_snap("s")
            image.diff_iterate(0, 16 * MIB, None, lambda *extent: None)
            image.rollback_to_snap("s")
            image.remove_snap("s")
            image.close()
            ioctx.close()
            cluster.shutdown()
        """,
        times=20,
    ),
    Case(
        "image in a cycle with its own callback, collected",
        """
        cluster, ioctx = connect()
        image = create(ioctx)
        class Holder: pass
        holder = Holder()
        holder.image, holder.own = image, holder
        image.read(0, 1)
        name = rbd.Image(ioctx, NAME, read_only=True)
        del image, holder
        gc.collect()
        time.sleep(1)
        note("its watch on the image", "is gone" if len(list(name.watchers_list())) == 0
             else "is left")
        name.close()
        """,
    ),
    Case(
        "fork: the child uses what it has inherited",
        """
        cluster, ioctx = connect()
        image = create(ioctx)
        image.write(b"x", 0)
        def child(name, call):
            pid = os.fork()
            if pid == 0:
                signal.alarm(8)
                try:
                    call()
                    os._exit(0)
                except (rbd.Error, rados.Error) as error:
                    os._exit(1)
            status = os.waitpid(pid, 0)[1]
            note(name + " in the child", "hangs" if os.WIFSIGNALED(status) and
                 os.WTERMSIG(status) == signal.SIGALRM else
                 "crashes (%d)" % -os.WTERMSIG(status) if os.WIFSIGNALED(status) else
                 "an error says so" if os.WEXITSTATUS(status) else "succeeds")
        child("`read`", lambda: image.read(0, 4096))
        child("`write`", lambda: image.write(b"y", 0))
        child("`close`", image.close)
        child("`shutdown`", cluster.shutdown)
        """,
    ),
    Case(
        "fork in a callback; the child connects anew",
        """
        cluster, ioctx = connect()
        image = create(ioctx)
        image.write(b"x", 0)
        def callback(*extent):
            pid = os.fork()
            if pid == 0:
                signal.alarm(20)
                other, pool = connect()
                again = rbd.Image(pool, NAME, read_only=True)
                again.read(0, 4096)
                again.close()
                other.shutdown()
                sys.exit(3)
            status = os.waitpid(pid, 0)[1]
            note("the child", "hangs" if os.WIFSIGNALED(status) and
                 os.WTERMSIG(status) == signal.SIGALRM else
                 "crashes (%d)" % -os.WTERMSIG(status) if os.WIFSIGNALED(status) else
                 "exit code %d" % os.WEXITSTATUS(status))
        image.diff_iterate(0, 16 * MIB, None, callback)
        """,
    ),
    Case(
        "`multiprocessing` (spawn) is given an image",
        """
        import pickle
        cluster, ioctx = connect()
        image = create(ioctx)
        tell("`pickle.dumps`", pickle.dumps, image)
        """,
    ),
    Case(
        "SystemExit in `on_progress`",
        """
        cluster, ioctx = connect()
        image = create(ioctx, 64 * MIB)
        for i in range(16):
            image.write(b"x" * 4096, i * 4 * MIB)
        tell("`RBD.remove`", lambda: (image.close(), rbd.RBD().remove(
            ioctx, NAME, on_progress=lambda *progress: sys.exit(3))))
        """,
    ),
    Case(
        "KeyboardInterrupt in the callback of `diff_iterate`",
        """
        cluster, ioctx = connect()
        image = create(ioctx, 64 * MIB)
        image.write(b"x" * 4096, 0)
        def callback(*extent):
            raise KeyboardInterrupt
        tell("`diff_iterate`", image.diff_iterate, 0, 64 * MIB, None, callback)
        """,
    ),
    Case(
        "SystemExit in a callback of `aio_read`",
        """
        cluster, ioctx = connect()
        ioctx.write_full("o", b"x")
        def callback(*args):
            sys.exit(3)
        completion = ioctx.aio_read("o", 1, 0, callback)
        tell("`wait_for_complete_and_cb`", completion.wait_for_complete_and_cb)
        """,
    ),
    # -- bad input --
    *(
        Case(
            "bad input",
            f"""
            cluster, ioctx = connect()
            image = create(ioctx)
            def closed(thing, call):
                thing.close()
                return call()
            tell({what!r}, lambda: {call})
            """,
            end="",
        )
        for what, call in {
            "`read(-1, 1)`": "image.read(-1, 1)",
            "`read(0, 2**62)` of 16 MiB": "image.read(0, 1 << 62)",
            "`write(memoryview)`": 'image.write(memoryview(b"x" * 4096), 0)',
            "`write(str)`": 'image.write("x", 0)',
            "`rbd.Image('im\\0age')`": 'rbd.Image(ioctx, "im" + chr(0) + "age")',
            "`rbd.Image` (lone surrogate)": "rbd.Image(ioctx, chr(0xd800))",
            "`rbd.Image(None, ...)`": "rbd.Image(None, NAME)",
            "`size` of one that was never opened": "rbd.Image.__new__(rbd.Image).size()",
            "`size` of a closed image": "closed(image, image.size)",
            "`rbd.Image` of a closed pool": "closed(ioctx, lambda: rbd.Image(ioctx, NAME))",
            "`connect` twice": "cluster.connect()",
        }.items()
    ),
]


@dataclass
class Row:
    case: str
    call: str
    standard: str = ""
    ours: str = ""


def run(case: Case, command: Sequence[str]) -> list[tuple[str, str]]:
    """[(call, what it said)]; of several times, all that was said."""
    with Cluster(**case.options) as own:
        if case.user is not None:
            own.run("rbd", "create", "--size", "1M", "data")
            own.add_client("limited", case.user)
        said: dict[str, list[str]] = {}
        for name in ["image", *(f"image-{i}-" for i in range(1, case.times))]:
            for call, outcome in run_once(case, [*command, own.conf, name], own):
                said.setdefault(call, []).append(outcome)
    return [(call, counted(outcomes)) for call, outcomes in said.items()]


def counted(outcomes: Sequence[str]) -> str:
    if len(set(outcomes)) == 1:
        return outcomes[0]
    counts = sorted(Counter(outcomes).items(), key=lambda item: -item[1])
    return ", ".join(f"{count} times {outcome}" for outcome, count in counts)


def run_once(case: Case, command: Sequence[str], own: Cluster) -> list[tuple[str, str]]:
    said: list[tuple[str, str]] = []
    process = subprocess.Popen(
        command,
        **{"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE},
        text=True,
    )
    assert process.stdin is not None and process.stdout is not None and process.stderr is not None
    errors: list[str] = []
    reader = threading.Thread(target=lambda: errors.append(process.stderr.read()))  # type: ignore[union-attr]
    reader.start()
    hanging = threading.Event()

    def too_long() -> None:
        hanging.set()
        process.kill()

    call = ""
    hurts = iter(case.hurts)
    timer = threading.Timer(SILENCE, too_long)
    timer.start()
    for line in process.stdout:
        timer.cancel()
        word, _, rest = line.rstrip().partition(" ")
        if word == "CALL":
            call = rest
        elif word == "SAID":
            said.append((call, rest))
            call = ""
        elif word == "HURT":
            next(hurts)(own)
            process.stdin.write("\n")
            process.stdin.flush()
        timer = threading.Timer(SILENCE, too_long)
        timer.start()
    code = process.wait()
    timer.cancel()
    for osd in own.osds:
        osd.resume()
    reader.join()
    if hanging.is_set():
        said.append((call or case.end or END, "**hangs**"))
    elif call or (code < 0 and code != -signal.SIGINT):
        said.append((call or case.end or END, f"**the process dies ({code})**"))
    elif case.end:
        told = "closed unflushed" in errors[0] or "leaving it open" in errors[0]
        said.append((case.end, f"exit code {code}" + (", with a message" if told else "")))
    if "-v" in sys.argv:
        print(case.name, command[0], code, errors[0][-1500:], file=sys.stderr)
    return said


def side_by_side(case: Case, directory: str) -> list[Row]:
    program = Path(directory) / f"{abs(hash(case.name + case.text))}.py"
    program.write_text(PRELUDE + textwrap.dedent(case.text))
    ours = [sys.executable, "-m", "rbdcffi.dropin", str(program)]
    rows: dict[str, Row] = {}
    for side, command in (("standard", ["/usr/bin/python3", str(program)]), ("ours", ours)):
        for call, outcome in run(case, command):
            setattr(rows.setdefault(call, Row(case.name, call)), side, outcome)
    return list(rows.values())


def table(rows: Sequence[Row]) -> str:
    lines = ["| case | call | standard | rbdcffi |", "|---|---|---|---|"]
    before = ""
    for row in rows:
        name = "" if row.case == before else row.case
        lines.append(f"| {name} | {row.call} | {row.standard} | {row.ours} |")
        before = row.case
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", default="", metavar="TEXT", help="cases with this in the name")
    parser.add_argument("--write", action="store_true", help="into docs/reliability.md")
    parser.add_argument("-v", "--verbose", action="store_true", help="what they say on stderr")
    arguments = parser.parse_args()
    chosen = [case for case in CASES if arguments.only in case.name]
    with tempfile.TemporaryDirectory() as directory, ThreadPoolExecutor(AT_ONCE) as pool:
        rows = []
        for found in pool.map(lambda case: side_by_side(case, directory), chosen):
            print("\n".join(table(found).split("\n")[2:]), flush=True)
            rows += found
    if arguments.write:
        page = ROOT / "docs" / "reliability.md"
        begin, end = "<!-- benchmarks/reliability.py -->\n", "<!-- end -->"
        head, _, rest = page.read_text().partition(begin)
        page.write_text(f"{head}{begin}{table(rows)}\n{end}{rest.partition(end)[2]}")


if __name__ == "__main__":
    main()
