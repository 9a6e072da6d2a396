"""The end of the interpreter, in every way, with hundreds of operations in flight; and Ctrl-C at
any point of a program."""

from __future__ import annotations

import re
import signal
import sys
import textwrap
from functools import partial

import pytest
from programs import TROUBLE, Nursery, ended_well, side_by_side

from rbdcffi import rados, rbd

PYPY = sys.implementation.name == "pypy"
BLOCK = 4096
MANY = 300

# -- what is in flight ----------------------------------------------------------------------------

#: Each ends with LEAVE, the way to end.
SYNC = {
    "image callbacks": """
        cluster, ioctx = connect()
        image = fresh(ioctx, NAME)
        told = []
        for i in range(MANY):
            image.aio_write(b"y" * BLOCK, i * BLOCK, told.append)
            image.aio_read(0, BLOCK, lambda completion, data: told.append(data))
        LEAVE
        """,
    "object callbacks": """
        cluster, ioctx = connect()
        fresh(ioctx, NAME).close()
        told = []
        for i in range(MANY):
            ioctx.aio_write(NAME, b"y" * BLOCK, i * BLOCK, told.append)
            ioctx.aio_read(NAME, BLOCK, 0, lambda completion, data: told.append(data))
        LEAVE
        """,
    "images that open and close": """
        cluster, ioctx = connect()
        fresh(ioctx, NAME).close()
        def opened(completion, image):
            try:
                image.aio_read(0, BLOCK, lambda completion, data: None)
                image.aio_close(lambda completion: None)
            except rbd.InvalidArgument:
                pass  # exit has closed it
        for i in range(60):
            rbd.RBD().aio_open_image(opened, ioctx, NAME, read_only=i % 2 == 0)
        LEAVE
        """,
    "threads": """
        cluster, ioctx = connect()
        image = fresh(ioctx, NAME, written=16)
        def work(call):
            try:
                while True:
                    call()
            except (rbd.Error, rados.Error):
                pass
        started = threading.Barrier(33)
        def begin(call):
            started.wait(20)
            work(call)
        for call in 4 * [
            lambda: image.write(b"y" * BLOCK, 0), lambda: image.read(0, MIB), image.flush,
            lambda: list(image.diff(0, 16 * MIB, None)), lambda: ioctx.write(NAME, b"y" * BLOCK),
            lambda: image.diff_iterate(0, 16 * MIB, None, lambda *extent: None),
            lambda: list(ioctx.list_objects()), lambda: rbd.RBD().list(ioctx),
        ]:
            threading.Thread(target=begin, args=(call,), daemon=True).start()
        started.wait(20)
        LEAVE
        """,
}

ASYNC = """
async def main():
    cluster = await aio.Rados(conffile=CONF)
    ioctx = await cluster.open_ioctx("rbd", engine=ENGINE)
    await aio.RBD().create(ioctx, NAME, 16 * MIB)
    image = await aio.Image(ioctx, NAME, engine=ENGINE)
    await image.write(b"y", 0)
    async with anyio.create_task_group() as group:
        for i in range(MANY // 2):
            group.start_soon(image.write, b"y" * BLOCK, i * BLOCK)
            group.start_soon(ioctx.write, NAME, b"y" * BLOCK, i * BLOCK)
        group.start_soon(image.diff_iterate, 0, 16 * MIB, None, lambda *extent: None)
        group.start_soon(image.create_snap, "s")
        await anyio.sleep(0)
        LEAVE
try:
    anyio.run(main, backend=BACKEND)
except BaseExceptionGroup as group:
    # the task group wraps what left it
    raise group.exceptions[0]
"""
if sys.version_info < (3, 11):
    ASYNC = "from exceptiongroup import BaseExceptionGroup\n" + ASYNC

#: For what comes by a signal; in an event loop, that has to see it.
WAIT = "time.sleep(50)"
WAIT_ASYNC = "await anyio.sleep(50)"

#: {way to end: (code, exit code, what stderr says)}
ENDINGS = {
    "normal": ("pass", 0, "^$"),
    "sys.exit": ("sys.exit(3)", 3, "^$"),
    "exception": ("raise LookupError('unhandled')", 1, "LookupError: unhandled"),
    "SIGTERM": (f"os.kill(os.getpid(), signal.SIGTERM); {WAIT}", -signal.SIGTERM, "^$"),
    "SIGTERM that is handled": (
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(5)); "
        f"os.kill(os.getpid(), signal.SIGTERM); {WAIT}",
        5,
        "^$",
    ),
    "SIGINT": (
        f"os.kill(os.getpid(), signal.SIGINT); {WAIT}",
        -signal.SIGINT,
        "KeyboardInterrupt",
    ),
    "os._exit": ("os._exit(4)", 4, "^$"),
}

#: Where exit waits for what was started.
ORDERLY = {"normal", "sys.exit", "exception", "SIGTERM that is handled"}
if not PYPY:
    # PyPy ends at once, without what is registered with atexit
    ORDERLY.add("SIGINT")

#: asyncio before Python 3.11 cancels the main task for Ctrl-C of anyio.run, and tells of that.
CANCELLED = (1, "CancelledError|KeyboardInterrupt")


def ends(
    nursery: Nursery, ioctx: rados.Ioctx, name: str, load: str, text: str, ending: str, **names: str
) -> None:
    code, expect, err = ENDINGS[ending]
    if ending == "SIGINT" and names.get("BACKEND") == "asyncio" and sys.version_info < (3, 11):
        expect, err = CANCELLED
    if text == ASYNC:
        code = code.replace(WAIT, WAIT_ASYNC)
    text = textwrap.dedent(text).replace("LEAVE", code)
    ended_well(nursery.run(name, text, MANY=MANY, BLOCK=BLOCK, **names), expect, "", err)
    if ending in ORDERLY and load == "image callbacks":
        with rbd.Image(ioctx, name, read_only=True) as image:
            assert image.read(0, MANY * BLOCK) == b"y" * MANY * BLOCK
    if ending in ORDERLY and load == "object callbacks":
        assert ioctx.read(name, MANY * BLOCK) == b"y" * MANY * BLOCK


@pytest.mark.parametrize("load", SYNC)
def test_exit_with_hundreds_in_flight(
    nursery: Nursery, ioctx: rados.Ioctx, fresh_name: str, load: str
) -> None:
    side_by_side(
        {
            ending: partial(
                ends, nursery, ioctx, f"{fresh_name}-{number}", load, SYNC[load], ending
            )
            for number, ending in enumerate(ENDINGS)
        }
    )


@pytest.mark.parametrize("engine", ["threads", "completions"])
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_exit_of_an_event_loop_with_hundreds_in_flight(
    nursery: Nursery, ioctx: rados.Ioctx, fresh_name: str, backend: str, engine: str
) -> None:
    names = {"BACKEND": backend, "ENGINE": engine}
    side_by_side(
        {
            ending: partial(
                ends, nursery, ioctx, f"{fresh_name}-{number}", "loop", ASYNC, ending, **names
            )
            for number, ending in enumerate(ENDINGS)
        }
    )


# -- Ctrl-C that comes twice ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ending", "expect"), [("pass", 0), ("raise KeyboardInterrupt", -signal.SIGINT)]
)
def test_ctrl_c_ends_the_wait_of_exit(
    nursery: Nursery, fresh_name: str, ending: str, expect: int
) -> None:
    """Exit waits for calls that are running; who does not want to need not."""
    ended = nursery.run(
        fresh_name,
        f"""
        from rbdcffi import _handle
        cluster, ioctx = connect()
        # closed after the other one; its finalizer finds it open
        kept = fresh(ioctx, NAME + "-2")
        image = fresh(ioctx, NAME, written=1)
        inside = threading.Event()
        def callback(*extent):
            inside.set()
            time.sleep(1000)
        threading.Thread(target=image.diff_iterate, args=(0, 16 * MIB, None, callback),
                         daemon=True).start()
        assert inside.wait(20)
        def interrupt():
            # exit bars the entrance, then it waits
            while not image.closed:
                time.sleep(0.01)
            os.kill(os.getpid(), signal.SIGINT)
        threading.Thread(target=interrupt, daemon=True).start()
        {ending}
        """,
    )
    trouble = re.compile("Fatal|rbdcffi: ")
    ended_well(ended, expect, "", "KeyboardInterrupt", trouble, within=20)


# -- at any point ---------------------------------------------------------------------------------

PROGRAMS = {
    "sync": """
        cluster, ioctx = connect()
        image = fresh(ioctx, NAME)
        image.write(b"x" * 65536, 0)
        for i in range(50):
            image.aio_write(b"y" * BLOCK, i * 65536, lambda completion: None)
            ioctx.aio_write(NAME, b"z" * BLOCK, i * BLOCK, lambda completion: None)
        image.read(0, 65536)
        list(image.diff(0, 16 * MIB, None))
        image.diff_iterate(0, 16 * MIB, None, lambda *extent: None)
        with image.update_watch(lambda: None):
            image.create_snap("s", on_progress=lambda done, total: None)
        image.close()
        ioctx.close()
        cluster.shutdown()
        """,
    "async": """
        async def main():
            async with aio.Rados(conffile=CONF) as cluster, cluster.open_ioctx("rbd") as ioctx:
                await aio.RBD().create(ioctx, NAME, 16 * MIB)
                async with aio.Image(ioctx, NAME, engine=ENGINE) as image:
                    async with anyio.create_task_group() as group:
                        for i in range(50):
                            group.start_soon(image.write, b"y" * BLOCK, i * 65536)
                    await image.read(0, 65536)
                    [extent async for extent in image.diff(0, 16 * MIB, None)]
                    await image.create_snap("s")
        anyio.run(main, backend=BACKEND)
        """,
}
AT_ALL = [
    pytest.param("sync", {}, id="sync"),
    pytest.param("async", {"BACKEND": "asyncio", "ENGINE": "completions"}, id="asyncio"),
    pytest.param("async", {"BACKEND": "trio", "ENGINE": "threads"}, id="trio"),
]
MOMENTS = 10


@pytest.mark.parametrize(("program", "names"), AT_ALL)
@pytest.mark.parametrize("sent", ["SIGINT", "SIGTERM"])
def test_a_signal_at_any_moment(
    nursery: Nursery, fresh_name: str, program: str, names: dict[str, str], sent: str
) -> None:
    """Whatever the program is in the middle of: it is through already, or ends by the signal."""
    number = signal.Signals[sent]
    whole = nursery.run(fresh_name, PROGRAMS[program], BLOCK=BLOCK, **names)
    ended_well(whole, 0, "", "^$")

    codes = {0, -number}
    if program == "async" and sent == "SIGINT":
        # a task group wraps what leaves it
        codes.add(CANCELLED[0])
    # Python's own modules may be in a finalizer or at their very end when it comes
    trouble = TROUBLE.pattern.replace("Exception ignored|", "").replace("|lost sys.stderr", "")

    def check(moment: int) -> None:
        ended = nursery.run(
            f"{fresh_name}-{moment}",
            PROGRAMS[program],
            signals=[(whole.took * 1.2 * moment / MOMENTS, number)],
            BLOCK=BLOCK,
            **names,
        )
        said = CANCELLED[1] if ended.code == CANCELLED[0] else ""
        ended_well(ended, codes, "", said, re.compile(trouble), within=whole.took + 20)

    side_by_side({f"{moment}": partial(check, moment) for moment in range(MOMENTS)})


#: Raises KeyboardInterrupt before the AT-th step of the package, if it has that many: a line, or an
#: opcode before which CPython looks whether a signal has come.
STEPS = """
import dis
@functools.lru_cache(None)
def places(code):
    found, before = set(), "RESUME"
    for instruction in dis.get_instructions(code):
        if before.startswith(("CALL", "RESUME", "JUMP_BACKWARD")):
            found.add(instruction.offset)
        before = instruction.opname
    return found
def watch_steps():
    main, opcodes = threading.get_ident(), GRAIN == "opcode"
    seen = set()
    def step(frame, event, arg):
        if event == GRAIN and (not opcodes or frame.f_lasti in places(frame.f_code)):
            seen.add((frame.f_code, frame.f_lasti if opcodes else frame.f_lineno))
            if len(seen) == AT:
                sys.settrace(None)
                interrupted.append(f"{frame.f_code.co_filename}:{frame.f_lineno}")
                raise KeyboardInterrupt
        return step
    def enter(frame, event, arg):
        code = frame.f_code
        if threading.get_ident() == main and "/rbdcffi/" in code.co_filename:
            # what is raised in a finalizer is lost, and so is Ctrl-C
            caller = frame
            while caller is not None and caller.f_code.co_name not in ("__del__", "_destroy"):
                caller = caller.f_back
            if caller is None:
                frame.f_trace_opcodes = opcodes
                return step
    sys.settrace(enter)
    return seen
def program(name):
    global cluster, ioctx, image
    cluster = rados.Rados(conffile=CONF)
    cluster.connect()
    ioctx = cluster.open_ioctx("rbd")
    rbd.RBD().create(ioctx, name, MIB, order=16)
    image = rbd.Image(ioctx, name)
    image.write(b"x" * 4096, 0)
    image.aio_write(b"y" * 4096, 65536, lambda completion: None)
    image.read(0, 65536)
    list(image.diff(0, MIB, None))
    image.diff_iterate(0, MIB, None, lambda *extent: None)
    image.copy(ioctx, name + "-2", on_progress=lambda done, total: None)
    with image.update_watch(lambda: None):
        image.create_snap("s")
    image.close()
    ioctx.close()
    cluster.shutdown()
for AT in STEPS:
    interrupted = []
    cluster = ioctx = image = None
    seen = watch_steps()
    try:
        program(f"{NAME}-{AT}")
    except KeyboardInterrupt:
        if not CAUGHT:
            raise
    finally:
        sys.settrace(None)
    for thing in (image, ioctx):
        if thing is not None:
            thing.close()
    if cluster is not None:
        cluster.shutdown()
print(len(seen))
"""


def test_ctrl_c_before_any_step(nursery: Nursery, fresh_name: str) -> None:
    """KeyboardInterrupt comes between two bytecodes, and there are many places to forget something
    at: a call that is counted for ever, or a thread that exit waits for."""
    grain = "line" if PYPY else "opcode"
    whole = nursery.run(fresh_name, STEPS, STEPS=[0], GRAIN=grain, CAUGHT=True)
    steps = int(ended_well(whole, 0).out)
    assert steps > 50

    def caught(first: int) -> None:
        """Programs that go on, and can close all."""
        ended = nursery.run(
            f"{fresh_name}-{first}",
            STEPS,
            STEPS=list(range(first, steps, 12)),
            GRAIN=grain,
            CAUGHT=True,
        )
        ended_well(ended, 0, err="^$")

    def uncaught(at: int) -> None:
        ended = nursery.run(f"{fresh_name}-{at}", STEPS, STEPS=[at], GRAIN=grain, CAUGHT=False)
        ended_well(ended, -signal.SIGINT, "", "KeyboardInterrupt", within=whole.took + 20)

    side_by_side(
        {
            **{f"caught at {first} + 12 n": partial(caught, first) for first in range(1, 13, 3)},
            **{f"at {at}": partial(uncaught, at) for at in range(1, steps, steps // 12)},
        }
    )


def test_what_is_collected_at_the_very_end(nursery: Nursery, fresh_name: str) -> None:
    """When the names of the package's modules are gone, as CPython without a GIL does it."""
    ended = nursery.run(
        fresh_name,
        """
        import builtins
        cluster, ioctx = connect()
        image = fresh(ioctx, NAME)
        ioctx.write_full(NAME, b"x")
        builtins.kept = [
            cluster, ioctx, image, image.update_watch(lambda: None), ioctx.watch(NAME, print),
            rados.WriteOp().create(), rados.ReadOp().create(), ioctx.list_objects(),
            rados.Object(ioctx, NAME), image.diff(0, MIB, None), image.open_file(),
            rbd.ImageOptions(order=20), image.aio_read(0, 1, lambda *result: None),
            ioctx.aio_read(NAME, 1, 0), cluster.monitor_log("info", print, 0),
            # the modules as well, so that their names are taken away first
            *sys.modules.values(),
        ]
        print("done")
        """,
    )
    ended_well(ended, 0, "done\n")
