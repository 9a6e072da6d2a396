"""The programs of reliability.py, and what happens to their clusters.

A program is written for the standard modules. It says with ``tell`` or ``note`` what a call did,
and with ``hurt()`` that its cluster may be hurt now.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from rbdcffi.testing import Cluster

#: What is told of a program that has ended.
END = "end of the program"

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
    #: what comes before the text
    prelude: str = ""
    #: of the program's environment
    environment: dict[str, str] = field(default_factory=dict)


#: What of it was allocated and not freed, Python's own objects included.
COUNTED = {"PYTHONMALLOC": "malloc"}

#: For programs that say whether calls leave something behind.
MEMORY = """
import ctypes, re
libc = ctypes.CDLL(None)
libc.open_memstream.restype = ctypes.c_void_p
def in_use():
    gc.collect()
    text, size = ctypes.c_char_p(), ctypes.c_size_t()
    stream = ctypes.c_void_p(libc.open_memstream(ctypes.byref(text), ctypes.byref(size)))
    libc.malloc_info(0, stream)
    libc.fclose(stream)
    totals = text.value.rpartition(b"</heap>")[2]
    libc.free(text)
    sizes = {kind: int(n) for kind, n in re.findall(rb'type="(\\w+)"[^>]* size="(\\d+)"', totals)}
    return sizes[b"current"] + sizes[b"mmap"] - sizes.get(b"fast", 0) - sizes[b"rest"]
def there_are():
    time.sleep(1)
    return in_use(), len(os.listdir("/proc/self/task")), len(os.listdir("/proc/self/fd"))
def memory(what, function, count, allowed):
    # the first half fills caches
    for _ in range(count):
        function()
    before = there_are()
    for _ in range(count):
        function()
    grown = [b - a for a, b in zip(before, there_are())]
    said = []
    if grown[0] / count > allowed:
        said.append("%.1f KiB" % (grown[0] / count / 1024))
    said += ["%.1f %ss" % (n / count, w) for n, w in zip(grown[1:], ("thread", "descriptor"))
             if n / count > 0.1]
    note(what, "each leaves " + ", ".join(said) if said else "leaves nothing")
"""

#: For programs that say whether a secret stays where it should not. Nothing of this process holds
#: the text that is looked for: another process is told how it looks, and searches this one.
SECRETS = """
import ctypes, random, subprocess, traceback
SEARCH = '''
import re, sys
pid, *masked = sys.argv[1:]
needle = bytes(int(byte) ^ 0x55 for byte in masked)
count = 0
with open("/proc/" + pid + "/maps") as maps, open("/proc/" + pid + "/mem", "rb", 0) as mem:
    for line in maps:
        match = re.match(r"(\\w+)-(\\w+) rw", line)
        if match:
            start, end = (int(part, 16) for part in match.groups())
            try:
                mem.seek(start)
                while start < end:
                    part = mem.read(min(end - start, 1 << 26))
                    count += part.count(needle)
                    start += len(part) or end
            except OSError:
                pass
print(count)
'''
class Key:
    def __init__(self, base64=False):
        self.masked = [random.choice(b"ABCDEFGHJKLMNPQRSTUVWXYZ") ^ 0x55 for _ in range(24)]
    def text(self):
        made = bytearray(byte ^ 0x55 for byte in self.masked)
        text = made.decode("latin-1")
        made[:] = bytes(len(made))
        return text
    def wipe(self, text):
        head = sys.getsizeof(text) - len(text) - 1
        ctypes.memset(id(text) + head, 95, len(text))
    def copies(self):
        gc.collect()
        words = [sys.executable, "-c", SEARCH, str(os.getpid()), *map(str, self.masked)]
        return int(subprocess.run(words, stdout=subprocess.PIPE, check=True).stdout)
def kept_secret(what, call):
    key = Key()
    text = key.text()
    told = ""
    try:
        call(text)
    except Exception as error:
        told = repr(error) + str(error) + repr(vars(error)) + "".join(
            repr(value) for frame, _ in traceback.walk_tb(error.__traceback__)
            if frame.f_globals is not globals() for value in frame.f_locals.values())
        outcome = "refused"
        del error
    else:
        outcome = "accepted"
    told = text in told
    key.wipe(text)
    del text
    copies = key.copies()
    note(what, outcome + ", " + ("**told**, " if told else "not told, ") + (
        "**%d copies** stay in memory" % copies if copies else "no copy stays in memory"))
"""


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
    *(
        Case(
            f"every public method of `{name}`, by itself, with 150 wrong arguments of all kinds",
            f"""
            import random
            cluster, ioctx = connect()
            number = int((NAME.split("-") + ["0"])[1])
            image = create(ioctx)
            thing = {thing}
            names = [name for name in sorted(dir(type(thing))) if not name.startswith("_")]
            # what this librbd does not have is no attribute
            method = getattr(thing, names[number], None) if number < len(names) else None
            if callable(method):
                random.seed(number)
                values = [None, -1, 1 << 64, -(1 << 63), 1.5, "", "x" + chr(0), chr(0xd800), b"",
                          [], [None], {{}}, object(), print, thing]
                picked = [(value,) for value in values] + [
                    tuple(random.choices(values, k=k)) for k in (2, 3, 4) for _ in range(45)]
                for each in picked:
                    try:
                        method(*each)
                    except Exception:
                        pass
            os._exit(0)
            """,
            times=count,
        )
        for name, thing, count in (("rbd.Image", "image", 130), ("rados.Ioctx", "ioctx", 80))
    ),
    # -- what stays --
    *(
        Case(
            "memory, threads and descriptors after many calls",
            f"""
            cluster, ioctx = connect()
            image = create(ioctx)
            image.write(b"x" * MIB, 0)
            image.create_snap("s")
            ioctx.write_full("o", b"x")
            ioctx.set_xattr("o", "a", b"x")
            def attempt(call, *arguments):
                try:
                    call(*arguments)
                except (rbd.Error, rados.Error):
                    pass
            def attached():
                again = rbd.Image(ioctx, NAME)
                again.read(0, 4096)
                again.close()
            def dropped():
                rbd.Image(ioctx, NAME, read_only=True).read(0, 4096)
            def connected():
                other, pool = connect()
                pool.close()
                other.shutdown()
            memory({what!r}, lambda: {call}, {count}, {allowed})
            """,
            end="",
            prelude=MEMORY,
            environment=COUNTED,
        )
        for what, call, count, allowed in (
            ("`read`", "image.read(0, 4096)", 5000, 100),
            (
                "`write` and `discard`",
                "(image.write(b'x' * 4096, 0), image.discard(0, 4096))",
                3000,
                100,
            ),
            (
                "`aio_read`, waited for",
                "image.aio_read(0, 4096, lambda *said: None).wait_for_complete_and_cb()",
                3000,
                100,
            ),
            (
                "`aio_write`, not waited for",
                "image.aio_write(b'x', 0, lambda *said: None)",
                3000,
                100,
            ),
            ("`diff_iterate`", "image.diff_iterate(0, MIB, None, lambda *extent: None)", 1000, 100),
            ("`list_snaps`, left half through", "next(iter(image.list_snaps()))", 1000, 100),
            ("`get_xattrs`, left half through", "next(iter(ioctx.get_xattrs('o')))", 2000, 100),
            ("`list_objects`, left half through", "next(iter(ioctx.list_objects()))", 500, 1000),
            ("`rbd.Image()` of what is not there", "attempt(rbd.Image, ioctx, 'none')", 1000, 1000),
            ("`rbd.Image()` and `close`", "attached()", 200, 10000),
            ("`rbd.Image()`, dropped", "dropped()", 200, 10000),
            ("`connect` and `shutdown`", "connected()", 30, 50000),
            ("`connect`, dropped", "connect()", 15, 50000),
        )
    ),
    Case(
        "secrets",
        """
        cluster, ioctx = connect()
        image = create(ioctx, 64 * MIB, features=LAYERING)
        luks, aes = rbd.RBD_ENCRYPTION_FORMAT_LUKS1, rbd.RBD_ENCRYPTION_ALGORITHM_AES256
        kept_secret("passphrase, `encryption_load` of an unknown format",
                    lambda secret: image.encryption_load(99, secret))
        kept_secret("passphrase, `encryption_load` of an image without encryption",
                    lambda secret: image.encryption_load(luks, secret))
        kept_secret("passphrase, `encryption_format`",
                    lambda secret: image.encryption_format(luks, secret, aes))
        kept_secret("key, `conf_set` after `shutdown`",
                    lambda secret: (image.close(), ioctx.close(), cluster.shutdown(),
                                    cluster.conf_set("key", secret)))
        """,
        end="",
        prelude=SECRETS,
    ),
    Case(
        "500 random operations beside a model in memory",
        """
        import random
        chance = random.Random(NAME)
        cluster, ioctx = connect(rbd_discard_granularity_bytes="4096")
        image = create(ioctx, order=18)
        model, snaps, kids = bytearray(16 * MIB), {}, 0
        def place():
            start = chance.randrange(len(model))
            return start, chance.randrange(1, min(len(model) - start, MIB) + 1)
        wrong = []
        for step in range(500):
            what = chance.choice(("write", "write", "write", "aio", "discard", "resize", "snap",
                                  "rollback", "remove", "read", "read", "open", "clone"))
            start, length = place()
            if what in ("write", "aio"):
                data = bytes([chance.randrange(256)]) * length
                if what == "write":
                    image.write(data, start)
                else:
                    image.aio_write(data, start, lambda done: None).wait_for_complete_and_cb()
                model[start:start + length] = data
            elif what == "discard":
                # parts of what librbd discards at a time are left as they are
                start, length = start // 4096 * 4096, (length + 4095) // 4096 * 4096
                length = min(length, len(model) // 4096 * 4096 - start)
                if length > 0:
                    image.discard(start, length)
                    model[start:start + length] = bytes(length)
            elif what == "resize":
                size = chance.randrange(MIB, 16 * MIB)
                image.resize(size)
                model[size:] = b""
                model.extend(bytes(size - len(model)))
            elif what == "snap" and len(snaps) < 5:
                name = "s%d" % step
                image.create_snap(name)
                snaps[name] = bytes(model)
            elif what == "rollback" and snaps:
                name = chance.choice(sorted(snaps))
                image.rollback_to_snap(name)
                model = bytearray(snaps[name])
            elif what == "remove" and snaps:
                name = chance.choice(sorted(snaps))
                image.remove_snap(name)
                del snaps[name]
            elif what == "read" and image.read(start, length) != model[start:start + length]:
                wrong.append((step, "read"))
            elif what == "open":
                image.close()
                image = rbd.Image(ioctx, NAME)
            elif what == "clone" and snaps and kids < 10:
                kids += 1
                name = chance.choice(sorted(snaps))
                image.protect_snap(name)
                rbd.RBD().clone(ioctx, NAME, name, ioctx, NAME + "c", features=LAYERING)
                with rbd.Image(ioctx, NAME + "c") as kid:
                    kid.flatten()
                    if kid.read(0, kid.size()) != snaps[name]:
                        wrong.append((step, "clone"))
                rbd.RBD().remove(ioctx, NAME + "c")
                image.unprotect_snap(name)
        if image.size() != len(model) or image.read(0, len(model)) != model:
            wrong.append((step, "image"))
        for name, data in snaps.items():
            image.set_snap(name)
            if image.read(0, image.size()) != data:
                wrong.append((step, name))
        note("image, snapshots and clones", "%d differ from it" % len(wrong) if wrong
             else "all as in the model")
        """,
        times=10,
    ),
]
