"""Forks with open handles and I/O in flight, and the ways of multiprocessing: the child is told
clearly, ends cleanly, and the parent goes on."""

from __future__ import annotations

import itertools
import multiprocessing
import subprocess
import sys
import textwrap
from functools import partial
from pathlib import Path

import pytest
from programs import Nursery, ended_well, side_by_side

#: The parent is busy: other threads are in every part of the package when the process is copied.
BUSY = """
cluster, ioctx = connect()
image = fresh(ioctx, NAME, 4 * MIB, written=16)
ioctx.write_full(NAME, b"x" * 4096)
stop = threading.Event()
problems, rounds = [], {}
def work(kind, call):
    rounds[kind] = 0
    try:
        while not stop.is_set():
            call()
            rounds[kind] += 1
    except BaseException as error:
        problems.append(error)
def many():
    pending = [image.aio_write(b"y" * 4096, i * 4096, lambda completion: None) for i in range(50)]
    pending += [ioctx.aio_read(NAME, 10, 0, lambda completion, data: None) for i in range(50)]
    for completion in pending:
        completion.wait_for_complete_and_cb()
async def tasks():
    async with aio.Rados(conffile=CONF) as own, own.open_ioctx("rbd") as pool:
        async with aio.Image(pool, NAME, read_only=True, engine="completions") as opened:
            async with anyio.create_task_group() as group:
                for i in range(50):
                    group.start_soon(opened.read, i * 4096, 4096)
                group.start_soon(opened.stat)
calls = {
    "diff": lambda: list(image.diff(0, 4 * MIB, None)),
    "diff_iterate": lambda: image.diff_iterate(0, 4 * MIB, None, lambda *extent: None),
    "many": many,
    "open": lambda: rbd.Image(ioctx, NAME, read_only=True).close(),
    "open2": lambda: ioctx.dup().close(),
    "watch": lambda: image.update_watch(lambda: None).close(),
    "notify": lambda: ioctx.notify(NAME),
    "tasks": lambda: anyio.run(tasks, backend=BACKEND),
}
threads = [threading.Thread(target=work, args=call, daemon=True) for call in calls.items()]
for thread in threads:
    thread.start()
while len(rounds) < len(calls) or not min(rounds.values()):
    assert not problems, problems
    time.sleep(0.01)
def end():
    before = dict(rounds)
    # the parent goes on
    while not all(rounds[kind] > before[kind] for kind in calls):
        assert not problems, problems
        time.sleep(0.01)
    stop.set()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()
    assert not problems, problems
    image.close()
    cluster.shutdown()
    print("parent", flush=True)
"""

#: {what the child does with what it has got: (code, exit code)}
CHILDREN = {
    "nothing": ("pass", 0),
    "exits": ("sys.exit(3)", 3),
    "raises": ("raise KeyError('child')", 1),
    "leaves": ("os._exit(4)", 4),
    "is killed": ("os.kill(os.getpid(), signal.SIGTERM); time.sleep(50)", -15),
    "collects": ("del image, ioctx, cluster; gc.collect(); gc.collect()", 0),
    "closes": (
        """
        for _ in range(2):
            image.close(); ioctx.close(); cluster.shutdown()
        """,
        0,
    ),
    "uses": (
        """
        told = []
        for call in (
            image.size, lambda: image.write(b"no", 0), lambda: image.resize(MIB), image.flush,
            lambda: image.aio_read(0, 1, print), lambda: list(image.diff(0, 1, None)),
            lambda: image.diff_iterate(0, 1, None, print), lambda: image.update_watch(print),
            lambda: image.create_snap("no"), lambda: rbd.Image(ioctx, NAME),
            lambda: rbd.RBD().aio_open_image(print, ioctx, NAME), lambda: rbd.RBD().list(ioctx),
            lambda: rbd.RBD().remove(ioctx, NAME), lambda: ioctx.write_full(NAME, b"no"),
            lambda: ioctx.aio_write(NAME, b"no"), lambda: list(ioctx.list_objects()),
            lambda: ioctx.watch(NAME, print), lambda: ioctx.notify(NAME), ioctx.dup,
            ioctx.aio_flush, lambda: ioctx.get_stats(), cluster.get_fsid,
            lambda: cluster.open_ioctx("rbd"), cluster.get_cluster_stats, cluster.list_pools,
            lambda: cluster.monitor_log("info", print),
        ):
            try:
                call()
            except (rbd.Error, rados.Error) as error:
                told.append("forked" in str(error))
            else:
                told.append(call)
        assert told == [True] * 26, told
        """,
        0,
    ),
    "has its own": (
        """
        mine, pool = connect()
        own = rbd.Image(pool, NAME, read_only=True)
        assert own.read(0, 4096) in (b"x" * 4096, b"y" * 4096)
        assert list(own.diff(0, 4 * MIB, None))
        own.aio_read(0, 1, lambda completion, data: None).wait_for_complete_and_cb()
        pool.aio_read(NAME, 1, 0, lambda completion, data: None).wait_for_complete_and_cb()
        with pool.watch(NAME, lambda *args: None):
            pass
        rbd.RBD().group_create(pool, f"{NAME}-{os.getpid()}")
        """,
        0,
    ),
    "has an event loop": (
        """
        for engine in ("threads", "completions"):
            async def main():
                async with aio.Rados(conffile=CONF) as own, own.open_ioctx("rbd") as pool:
                    async with aio.Image(pool, NAME, read_only=True, engine=engine) as opened:
                        assert len(await opened.read(0, 4096)) == 4096
            anyio.run(main, backend=BACKEND)
        """,
        0,
    ),
}

FORK = """
for _ in range(TIMES):
    child = os.fork()
    if not child:
        signal.alarm(40)
        exec(CHILD)
        sys.exit()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == EXPECT
end()
"""


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_forks_of_a_busy_process(nursery: Nursery, fresh_name: str, backend: str) -> None:
    def check(what: str) -> None:
        code, expect = CHILDREN[what]
        ended = nursery.run(
            f"{fresh_name}-{what.replace(' ', '-')}",
            BUSY + FORK,
            BACKEND=backend,
            CHILD=textwrap.dedent(code),
            EXPECT=expect,
            TIMES=2,
        )
        err = "KeyError: 'child'" if what == "raises" else "^$"
        ended_well(ended, 0, "parent\n", err)

    # half of them on each kind of loop
    chosen = [what for number, what in enumerate(CHILDREN) if number % 2 == (backend == "trio")]
    side_by_side({what: partial(check, what) for what in chosen})


#: {where the process is copied: code, with FORK for that}
PLACES = {
    "a callback of a diff": "image.diff_iterate(0, MIB, None, lambda *extent: fork())",
    "a callback of progress": """
        image.copy(ioctx, NAME + "-2", on_progress=lambda done, total: fork())
        """,
    "a callback of I/O": """
        image.aio_read(0, 1, lambda completion, data: fork()).wait_for_complete_and_cb()
        """,
    "the callback of a watch": """
        done = threading.Event()
        def updated():
            fork()
            done.set()
        with image.update_watch(updated):
            image.create_snap("s")
            assert done.wait(30)
        """,
    "a callback that is told of a notification": """
        with ioctx.watch(NAME, lambda *args: fork()):
            ioctx.notify(NAME)
        """,
    "an event loop": """
        async def main():
            async with aio.Rados(conffile=CONF) as own, own.open_ioctx("rbd") as pool:
                async with aio.Image(pool, NAME, read_only=True, engine="completions") as there:
                    async with anyio.create_task_group() as group:
                        for i in range(50):
                            group.start_soon(there.read, 4096 * i, 4096)
                        await anyio.sleep(0)
                        fork()
        anyio.run(main)
        """,
    "a close": """
        def close():
            image.close()
        def stop(*extent):
            inside.set()
            go.wait(30)
        inside, go = threading.Event(), threading.Event()
        reader = threading.Thread(target=image.diff_iterate, args=(0, MIB, None, stop))
        reader.start()
        assert inside.wait(30)
        closer = threading.Thread(target=close)
        closer.start()
        while not image.closed:
            time.sleep(0.01)
        fork()
        go.set()
        reader.join(); closer.join()
        image = rbd.Image(ioctx, NAME)
        """,
}

FORK_THERE = """
import traceback
cluster, ioctx = connect()
image = fresh(ioctx, NAME, MIB, written=1)
ioctx.write_full(NAME, b"")
forks = []
def in_the_child():
    signal.alarm(40)
    try:
        image.size()
    except rbd.InvalidArgument as error:
        # what it is in is the parent's, too
        assert "forked" in str(error), error
    image.close(); ioctx.close(); cluster.shutdown()
    mine, pool = connect()
    with rbd.Image(pool, NAME, read_only=True) as own:
        assert own.read(0, 4096) == b"x" * 4096
        own.diff_iterate(0, MIB, None, lambda *extent: None)
    mine.shutdown()
    gc.collect()
    os._exit(7)
def fork():
    if forks:
        return
    forks.append(True)
    child = os.fork()
    if not child:
        try:
            in_the_child()
        except BaseException:
            # not into librbd, which would go on
            traceback.print_exc()
        os._exit(8)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
PLACE
assert forks
assert image.read(0, 4096) == b"x" * 4096
image.close()
cluster.shutdown()
print("parent")
"""


def test_forks_in_the_middle_of_something(nursery: Nursery, fresh_name: str) -> None:
    def check(number: int, place: str) -> None:
        text = FORK_THERE.replace("PLACE", textwrap.dedent(place))
        ended_well(nursery.run(f"{fresh_name}-{number}", text), 0, "parent\n", "^$")

    side_by_side(
        {where: partial(check, number, PLACES[where]) for number, where in enumerate(PLACES)}
    )


#: Locks that another thread may hold when the process is copied.
LOCKS = """
from rbdcffi import _completions, _handle
from rbdcffi.aio import _engine
from rbdcffi.rbd import groups
cluster, ioctx = connect()
image = fresh(ioctx, NAME, MIB, written=1)
rbd.RBD().group_create(ioctx, NAME)
async def main():
    async with aio.Rados(conffile=CONF) as own, own.open_ioctx("rbd") as pool:
        async with aio.Image(pool, NAME, read_only=True, engine="completions") as there:
            await there.read(0, 10)
anyio.run(main)
image.aio_read(0, 1, lambda completion, data: None).wait_for_complete_and_cb()
held, go = threading.Event(), threading.Event()
def hold():
    with _handle._giving_up, _completions._dispatcher_lock, \\
            _engine._sweeping, groups._turns_lock, image._handle._lock:
        held.set()
        go.wait(50)
threading.Thread(target=hold, daemon=True).start()
assert held.wait(20)
child = os.fork()
if not child:
    signal.alarm(30)
    del image
    gc.collect()
    mine, pool = connect()
    own = rbd.Image(pool, NAME, read_only=True)
    own.aio_read(0, 1, lambda completion, data: None).wait_for_complete_and_cb()
    group = rbd.Group(pool, NAME)
    group.add_image(pool, NAME)
    group.create_snap("s")
    own.close()
    mine._open_handle.give_up()
    mine._open_handle.taken_back()
    anyio.run(main)
    mine.shutdown()
    sys.exit(7)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
go.set()
print("parent")
"""


def test_locks_that_are_held_at_a_fork(nursery: Nursery, fresh_name: str) -> None:
    ended_well(nursery.run(fresh_name, LOCKS), 0, "parent\n", "^$")


# -- multiprocessing ------------------------------------------------------------------------------

#: A program in a file: its children import it, or are copies of it.
WORKERS = '''
import multiprocessing, sys
from rbdcffi import rados, rbd
CONF, NAME, WAY = sys.argv[1:]
MIB = 1 << 20

def begin(conf, name):
    global cluster, image
    cluster = rados.Rados(conffile=conf)
    cluster.connect()
    image = rbd.Image(cluster.open_ioctx("rbd"), name, read_only=True)

def read(place):
    # a connection of each worker's own, which nobody closes
    return image.read(place * 65536, 4), len(list(image.diff(0, MIB, None)))

def inherited():
    """What the parent has opened, in a child that was forked."""
    for call in (mine.size, lambda: mine.write(b"no", 0), pool.get_stats, connection.get_fsid):
        try:
            call()
        except (rbd.Error, rados.Error) as error:
            assert "forked" in str(error), error
        else:
            sys.exit(1)
    mine.close()
    sys.exit(7)

def given(thing):
    sys.exit(1)

if __name__ == "__main__":
    way = multiprocessing.get_context(WAY)
    with rados.Rados(conffile=CONF) as connection, connection.open_ioctx("rbd") as pool:
        rbd.RBD().create(pool, NAME, MIB, order=16)
        with rbd.Image(pool, NAME) as mine:
            for i in range(16):
                mine.write(b"%04d" % i, i * 65536)
            mine.flush()
            writes = [mine.aio_write(b"y" * 4096, 65536 * i + 4096, lambda completion: None)
                      for i in range(16)]
            workers = way.Pool(3, begin, (CONF, NAME))
            found = workers.map(read, range(16))
            workers.close()
            workers.join()
            assert found == [(b"%04d" % i, 16) for i in range(16)], found
            if WAY == "fork":
                child = way.Process(target=inherited)
                child.start()
                child.join(30)
                assert child.exitcode == 7, child.exitcode
            else:
                for thing in (mine, pool, connection):
                    try:
                        way.Process(target=given, args=(thing,)).start()
                    except TypeError as error:
                        assert "cannot be copied or pickled" in str(error), error
                    else:
                        sys.exit("it could be pickled")
            for write in writes:
                write.wait_for_complete_and_cb()
            assert mine.read(4096, 4096) == b"y" * 4096
    print("parent")
'''


#: Newer Pythons warn of forks beside threads; that is what is tested.
FLAGS = ("-W", "ignore", "-X", "faulthandler")


@pytest.mark.parametrize("way", multiprocessing.get_all_start_methods())
def test_multiprocessing(ceph_conf: str, fresh_name: str, tmp_path: Path, way: str) -> None:
    program = tmp_path / "workers.py"
    program.write_text(WORKERS)
    done = subprocess.run(
        [sys.executable, *FLAGS, str(program), ceph_conf, fresh_name, way],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "parent\n"), done.stderr[-5000:]
    # that of a child that could not be given its handle says so
    assert way != "fork" or not done.stderr


#: What a child does at the end of the callback that it was forked in: (exit code, what it prints).
CHILD_ENDS = {
    "return": (0, ""),
    "sys.exit()": (0, ""),
    "sys.exit(3)": (3, ""),
    "sys.exit('why')": (1, "why\n"),
    "raise ValueError('wrong')": (1, "ValueError: wrong\n"),
}

#: (callbacks, whether they are made by C, which the child cannot go back to)
CALLERS = {
    "image.aio_read(0, 10, fork).wait_for_complete_and_cb()": False,
    "ioctx.aio_read(NAME, 10, 0, fork).wait_for_complete_and_cb()": False,
    """
with image.update_watch(fork):
    image.resize(MIB + 4096)
    inside.wait(30)
""": False,
    """
with ioctx.watch(NAME, fork):
    ioctx.notify(NAME)
    inside.wait(30)
""": False,
    "image.copy(ioctx, NAME + '-copy', on_progress=fork)": True,
    "image.rebuild_object_map(on_progress=fork)": True,
}

IN_A_CALLBACK = """
cluster, ioctx = connect()
image = fresh(ioctx, NAME, MIB, written=1)
ioctx.write_full(NAME, b"")
inside = threading.Event()
child = None
def fork(*arguments):
    global child
    if child is None:
        child = os.fork()
        if not child:
            END
        inside.set()
CALL
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == CODE
image.close(); cluster.shutdown()
print("parent")
"""


def test_a_child_that_leaves_the_callback_it_was_forked_in(
    nursery: Nursery, fresh_name: str
) -> None:
    def check(number: int, caller: str, end: str) -> None:
        code, told = CHILD_ENDS[end]
        if end == "return" and CALLERS[caller]:
            code, told = 1, "RuntimeError: forked in a callback, a process cannot go on after it\n"
        text = IN_A_CALLBACK.replace("END", end).replace("CALL", caller)
        ended = nursery.run(f"{fresh_name}-{number}", text.replace("CODE", str(code)))
        ended_well(ended, 0, "parent\n", rf"(?s)^(Traceback.*)?{told}$")

    cases = list(itertools.product(CALLERS, CHILD_ENDS))
    side_by_side(
        {
            f"{end} in {caller}": partial(check, number, caller, end)
            for number, (caller, end) in enumerate(cases)
        }
    )


def test_a_child_that_leaves_a_diff(nursery: Nursery, fresh_name: str) -> None:
    """The main thread's diff runs in another thread, so that the child can go on."""
    text = """
cluster, ioctx = connect()
image = fresh(ioctx, NAME, MIB, written=1)
children = []
def fork(*extent):
    children.append(os.fork())
try:
    image.diff_iterate(0, MIB, None, fork)
except rbd.InvalidArgument as error:
    assert "forked" in str(error) and not children[0], error
    sys.exit(9)
assert os.waitstatus_to_exitcode(os.waitpid(children[0], 0)[1]) == 9
image.close(); cluster.shutdown()
print("parent")
"""
    ended_well(nursery.run(fresh_name, text), 0, "parent\n", "^$")
