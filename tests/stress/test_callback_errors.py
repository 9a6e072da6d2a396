"""Exceptions, KeyboardInterrupt and SystemExit inside of every kind of callback: the one who made
the call gets them, or they are reported; nothing else happens.

Those of diff_iterate are in tests/test_rbd_diff.py.
"""

from __future__ import annotations

import signal
import textwrap
from functools import partial
from itertools import product

import pytest
from programs import Nursery, ended_well, side_by_side

from rbdcffi import rbd

ERRORS = ["LookupError('mine')", "KeyboardInterrupt('mine')", "SystemExit(9)"]

SYNC = """
cluster, ioctx = connect()
error = ERROR
calls = []
def fail(*args):
    calls.append(args)
    raise error
def raised(what, call, *args, **options):
    # a progress may be called, or not, when there is little to do; this is enough of it
    del calls[:]
    try:
        call(*args, **options)
    except BaseException as found:
        assert found is error, (what, found)
    else:
        raise AssertionError(what)
    assert len(calls) == 1, (what, calls)
    error.__traceback__ = None
reports = []
threading.excepthook = lambda args: reports.append(args.exc_value)
def reported(what, call):
    del calls[:], reports[:]
    call()
    until = time.monotonic() + 20
    while error not in reports:
        assert time.monotonic() < until, what
        time.sleep(0.01)
R = rbd.RBD()
image = fresh(ioctx, NAME, 4 * MIB, written=16)
size = image.size()

# -- on the calling thread, or that of a completion
raised("read_iterate", image.read_iterate, 0, size, fail)
for what, start in {
    "aio_write": lambda: image.aio_write(b"x" * 4096, 0, fail),
    "aio_read": lambda: image.aio_read(0, 4096, fail),
    "aio_flush": lambda: image.aio_flush(fail),
    "aio_discard": lambda: image.aio_discard(0, 4096, fail),
    "object aio_write": lambda: ioctx.aio_write(NAME, b"x", 0, fail),
    "object aio_read": lambda: ioctx.aio_read(NAME, 1, 0, fail),
    "object aio_stat": lambda: ioctx.aio_stat(NAME, fail),
    "aio_notify": lambda: ioctx.aio_notify(NAME, fail),
    "aio_open_image": lambda: R.aio_open_image(fail, ioctx, NAME, read_only=True),
    "aio_close": lambda: rbd.Image(ioctx, NAME, read_only=True).aio_close(fail),
}.items():
    raised(what, lambda: start().wait_for_complete_and_cb())

# -- progress, on any thread
image.create_snap("base")
image.protect_snap("base")
R.clone(ioctx, NAME, "base", ioctx, NAME + "-clone")
raised("copy", image.copy, ioctx, NAME + "-copy", on_progress=fail)
raised("deep_copy", image.deep_copy, ioctx, NAME + "-deep", on_progress=fail)
raised("rollback", image.rollback_to_snap, "base", on_progress=fail)
raised("rebuild_object_map", image.rebuild_object_map, on_progress=fail)
raised("sparsify", image.sparsify, 4096, on_progress=fail)
with rbd.Image(ioctx, NAME + "-clone") as clone:
    raised("flatten", clone.flatten, on_progress=fail)
    clone.read(0, 1)
def left(name):
    # it was stopped half-way, or done anyway
    try:
        R.remove(ioctx, name)
    except rbd.ImageNotFound:
        pass
left(NAME + "-clone")
fresh(ioctx, NAME + "-rm", 4 * MIB, written=16).close()
raised("remove", R.remove, ioctx, NAME + "-rm", on_progress=fail)
left(NAME + "-rm")
fresh(ioctx, NAME + "-move", 4 * MIB, written=16).close()
R.migration_prepare(ioctx, NAME + "-move", ioctx, NAME + "-moved")
raised("migration_execute", R.migration_execute, ioctx, NAME + "-moved", on_progress=fail)
try:
    R.migration_execute(ioctx, NAME + "-moved")
except rbd.InvalidArgument:
    pass  # librbd has not stopped
R.migration_commit(ioctx, NAME + "-moved")
if hasattr(rbd.Image, "quiesce_watch"):
    # what it tells first is that it begins
    raised("create_snap", image.create_snap, "s", on_progress=fail)

# -- what nobody waits for
def change():
    image.metadata_set("key", "value")
with image.update_watch(fail):
    reported("update_watch", change)
    reported("update_watch goes on", change)
with ioctx.watch(NAME, fail):
    reported("watch", lambda: ioctx.notify2(NAME, b"", 1000))
    reported("watch goes on", lambda: ioctx.notify2(NAME, b"", 1000))
if hasattr(rbd.Image, "quiesce_watch"):
    def snapshot(name):
        try:
            image.create_snap(name)
        except rbd.Error:
            pass
    with image.quiesce_watch(fail, lambda: None):
        reported("quiesce", lambda: snapshot("quiesced"))
    with image.quiesce_watch(lambda: None, fail):
        reported("unquiesce", lambda: snapshot("unquiesced"))
def log():
    cluster.mon_command('{"prefix": "log", "level": "info", "logtext": ["hello"]}', b"")
cluster.monitor_log("info", fail)
reported("monitor_log", log)
cluster.monitor_log("info")
cluster.monitor_log2("info", fail)
reported("monitor_log2", log)
cluster.monitor_log2("info")

# -- and all goes on
assert image.read(0, 4) is not None
with rbd.Image(ioctx, NAME, read_only=True) as other:
    assert other.size() == size
image.close()
ioctx.close()
cluster.shutdown()
print("done")
"""

ASYNC = """
error = ERROR
calls = []
def fail(*args):
    calls.append(args)
    raise error
async def fail_later(*args):
    await anyio.sleep(0)
    fail()
async def raised(what, call, *args, **options):
    del calls[:]
    try:
        await call(*args, **options)
    except BaseException as found:
        assert found is error, (what, found)
    else:
        raise AssertionError(what)
    assert len(calls) == 1, (what, calls)
    error.__traceback__ = None
reports = []
threading.excepthook = lambda args: reports.append(args.exc_value)
async def main():
    R = aio.RBD()
    async with aio.Rados(conffile=CONF) as cluster, cluster.open_ioctx("rbd") as ioctx:
        await R.create(ioctx, NAME, 4 * MIB, order=16)
        async with aio.Image(ioctx, NAME, engine=ENGINE) as image:
            for i in range(16):
                await image.write(b"x" * 4096, i * 4 * 65536)
            await image.create_snap("base")
            for number, callback in enumerate((fail, fail_later)):
                await raised("diff_iterate", image.diff_iterate, 0, 4 * MIB, None, callback)
                await raised("read_iterate", image.read_iterate, 0, 4 * MIB, callback)
                await raised("rollback", image.rollback_to_snap, "base", on_progress=callback)
                await raised("copy", image.copy, ioctx, f"{NAME}-{number}", on_progress=callback)
                await raised("rebuild", image.rebuild_object_map, on_progress=callback)
                if not hasattr(rbd.Image, "quiesce_watch") or not isinstance(error, Exception):
                    continue
                del reports[:]
                async with image.quiesce_hooks(callback, lambda: None):
                    try:
                        await image.create_snap(f"s{number}")
                    except rbd.Error:
                        pass
                assert reports == [error], reports
            assert await image.read(0, 4) == b"xxxx"
    print("done")
anyio.run(main, backend=BACKEND)
"""


def test_in_every_callback(nursery: Nursery, fresh_name: str) -> None:
    def check(number: int, error: str) -> None:
        ended = nursery.run(f"{fresh_name}-{number}", SYNC.replace("ERROR", error))
        ended_well(ended, 0, "done\n", "^$")

    side_by_side({error: partial(check, number, error) for number, error in enumerate(ERRORS)})


@pytest.mark.parametrize("error", ERRORS)
def test_in_every_callback_of_an_event_loop(nursery: Nursery, fresh_name: str, error: str) -> None:
    def check(backend: str, engine: str) -> None:
        ended = nursery.run(
            f"{fresh_name}-{backend}-{engine}",
            ASYNC.replace("ERROR", error),
            BACKEND=backend,
            ENGINE=engine,
        )
        ended_well(ended, 0, "done\n", "^$")

    side_by_side(
        {
            f"{backend}, {engine}": partial(check, backend, engine)
            for backend, engine in (("asyncio", "threads"), ("trio", "completions"))
        }
    )


HOOKS = """
async def fail():
    raise ERROR
async def main():
    async with aio.Rados(conffile=CONF) as cluster, cluster.open_ioctx("rbd") as ioctx:
        await aio.RBD().create(ioctx, NAME, MIB)
        async with aio.Image(ioctx, NAME) as image:
            async with image.quiesce_hooks(fail, lambda: None):
                try:
                    await image.create_snap("s")
                except rbd.OperationCanceled:
                    print("told", flush=True)
                await anyio.sleep(50)
anyio.run(main, backend=BACKEND)
"""


@pytest.mark.skipif(not hasattr(rbd.Image, "quiesce_watch"), reason="came with Ceph 16")
def test_a_hook_that_ends_the_program(nursery: Nursery, fresh_name: str) -> None:
    """KeyboardInterrupt and SystemExit of a task are the event loop's: it ends. Whoever makes a
    snapshot is answered."""

    def check(backend: str, error: str) -> None:
        name = f"{fresh_name}-{backend}-{error[0]}"
        ended = nursery.run(name, HOOKS.replace("ERROR", error), BACKEND=backend)
        # as it is, or in the exception group of a task group
        ended_well(ended, (1, 9, -signal.SIGINT), within=30)

    cases = product(["asyncio", "trio"], ERRORS[1:])
    side_by_side({f"{case}": partial(check, *case) for case in cases})


#: {where Ctrl-C comes: code}. The callback of a completion runs on another thread: it is the main
#: thread that is interrupted, wherever it is.
CTRL_C = {
    "diff_iterate": "image.diff_iterate(0, MIB, None, interrupt)",
    "read_iterate": "image.read_iterate(0, MIB, interrupt)",
    "progress": "image.copy(ioctx, NAME + '-2', on_progress=interrupt)",
    "progress of remove": """
        fresh(ioctx, NAME + "-2", MIB, written=16).close()
        rbd.RBD().remove(ioctx, NAME + "-2", on_progress=interrupt)
        """,
    "aio_read": """
        image.aio_read(0, 1, interrupt).wait_for_complete_and_cb()
        wait()
        """,
    "aio_open_image": """
        rbd.RBD().aio_open_image(interrupt, ioctx, NAME, read_only=True).wait_for_complete_and_cb()
        wait()
        """,
    "update_watch": """
        with image.update_watch(interrupt):
            image.metadata_set("key", "value")
            wait()
        """,
    "watch": """
        with ioctx.watch(NAME, interrupt):
            ioctx.notify2(NAME, b"", 1000)
            wait()
        """,
}

CTRL_C_THERE = """
cluster, ioctx = connect()
image = fresh(ioctx, NAME, MIB, written=16)
ioctx.write_full(NAME, b"")
sent = []
def interrupt(*args):
    if not sent:
        sent.append(True)
        os.kill(os.getpid(), signal.SIGINT)
def wait():
    # in parts: a signal may come just before one of them
    for _ in range(1000):
        time.sleep(0.05)
try:
    HERE
except KeyboardInterrupt:
    print("interrupted")
assert image.read(0, 4) == b"xxxx"
image.close()
ioctx.close()
cluster.shutdown()
"""


def test_ctrl_c_in_a_callback(nursery: Nursery, fresh_name: str) -> None:
    def check(number: int, where: str) -> None:
        code = textwrap.indent(textwrap.dedent(CTRL_C[where]), "    ")
        text = CTRL_C_THERE.replace("    HERE", code)
        ended = nursery.run(f"{fresh_name}-{number}", text)
        ended_well(ended, 0, "interrupted\n", "^$", within=30)

    side_by_side({where: partial(check, number, where) for number, where in enumerate(CTRL_C)})


def test_exceptions_that_nobody_waits_for(nursery: Nursery, fresh_name: str) -> None:
    """Of callbacks that end the program, or try to: the one thread for all of them goes on, and
    exit waits for the rest."""
    ended = nursery.run(
        fresh_name,
        """
        from rbdcffi import _handle
        cluster, ioctx = connect()
        image = fresh(ioctx, NAME, MIB)
        told = []
        sys.unraisablehook = lambda args: told.append(type(args.exc_value).__name__)
        def fail(error, *args):
            raise error
        for i in range(50):
            for error in (LookupError(), KeyboardInterrupt(), SystemExit(3)):
                image.aio_read(0, 1, functools.partial(fail, error))
                ioctx.aio_write(NAME, b"x", i, functools.partial(fail, error))
        after = []
        image.aio_write(b"last", 0, after.append)
        def look():
            global error  # its traceback has two of them
            assert len(after) == 1
            del error
            gc.collect(); gc.collect()
            print(sorted(set(told)), len(told))
        # what was registered last is called first: this is after that of the package
        atexit.unregister(_handle.close_all)
        atexit.register(look)
        atexit.register(_handle.close_all)
        """,
    )
    ended_well(ended, 0, "['KeyboardInterrupt', 'LookupError', 'SystemExit'] 300\n", "^$")
