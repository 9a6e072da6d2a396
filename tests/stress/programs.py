"""Programs that end in some way, each in a process of its own with a deadline.

To start an interpreter and import everything takes longer than most of them run. So a nursery,
which has imported all and done nothing, is copied for each: what the copy does and how its
interpreter ends is what a program of that text would do.

The nursery is this file, run as a script. For each program it makes a minder, which makes the
program, sends the signals, waits, and tells how it ended.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

#: Seconds after which a program is taken for one that hangs. Busy machines are slow.
DEADLINE = 60.0
#: How many programs run at a time: they wait for the cluster more than they compute.
AT_ONCE = 4

#: What a program begins with. CONF and NAME are set, and what else the test gives.
PRELUDE = """
import asyncio, atexit, errno, functools, gc, os, signal, sys, threading, time, warnings, weakref
import anyio
from rbdcffi import aio, rados, rbd
warnings.simplefilter("ignore", ResourceWarning)
# of forks, from Python 3.12 on
warnings.filterwarnings("ignore", ".*multi-threaded", DeprecationWarning)
MIB = 1 << 20
def connect(pool="rbd"):
    cluster = rados.Rados(conffile=CONF)
    cluster.connect()
    return cluster, cluster.open_ioctx(pool)
def fresh(ioctx, name, size=16 * MIB, written=0):
    rbd.RBD().create(ioctx, name, size, order=16)
    image = rbd.Image(ioctx, name)
    for i in range(written):
        image.write(b"x" * 4096, i * (size // written))
    return image
"""

#: What the end of a process must not say: a crash, an exception that nobody could catch, or that
#: something was left open.
TROUBLE = re.compile(
    r"Fatal Python error|Exception ignored|rbdcffi: |FAILED ceph_assert|terminate called"
    r"|Current thread 0x|lost sys.stderr"
)


@dataclass
class Ended:
    """How a program has ended."""

    #: as subprocess has it, negative for a signal; None: it did not end in time
    code: int | None
    out: str
    err: str
    #: seconds
    took: float


class Nursery:
    """Runs programs; in ``with``."""

    def __init__(self, conf: str) -> None:
        self._conf = conf
        self._directory = tempfile.TemporaryDirectory(prefix="rbdcffi-")
        self._path = os.path.join(self._directory.name, "nursery")
        self._process = subprocess.Popen(
            [sys.executable, "-X", "faulthandler", __file__, self._path],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"

    def __enter__(self) -> Nursery:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._process.kill()
        self._process.communicate()
        self._directory.cleanup()

    def run(
        self,
        name: str,
        text: str,
        *,
        signals: Sequence[tuple[float, int]] = (),
        deadline: float = DEADLINE,
        **names: object,
    ) -> Ended:
        """Runs a program.

        Parameters:
            name: a name of its own for images and objects, NAME.
            signals: (after how many seconds, which one).
            names: what else it finds; as JSON has it.
        """
        request = {
            "text": PRELUDE + textwrap.dedent(text),
            "names": {"CONF": self._conf, "NAME": name, **names},
            "signals": signals,
            "deadline": deadline,
        }
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(self._path)
            connection.sendall(json.dumps(request).encode())
            connection.shutdown(socket.SHUT_WR)
            with connection.makefile("rb") as answer:
                return Ended(**json.loads(answer.read()))


def side_by_side(programs: Mapping[str, Callable[[], object]]) -> None:
    """Calls all, some at a time, and fails with all that failed."""

    def call(program: Callable[[], object]) -> str:
        try:
            program()
        except AssertionError as error:
            return str(error)
        return ""

    with ThreadPoolExecutor(AT_ONCE) as pool:
        failures = dict(zip(programs, pool.map(call, programs.values())))
    assert programs
    texts = [f"== {case}:\n{text}" for case, text in failures.items() if text]
    assert not texts, "\n".join([f"{len(texts)} of {len(programs)}", *texts])


def ended_well(
    ended: Ended,
    codes: int | Iterable[int] = 0,
    out: str | None = None,
    err: str = "",
    trouble: re.Pattern[str] | None = TROUBLE,
    within: float | None = None,
) -> Ended:
    """Checks the exit code, what was written to stdout, and that stderr says `err` (a pattern) and
    nothing of `trouble`."""
    wanted = {codes} if isinstance(codes, int) else set(codes)
    problem = (
        f"exit code {ended.code}, not of {sorted(wanted)}"
        if ended.code not in wanted
        else f"stdout is not {out!r}"
        if out is not None and ended.out != out
        else f"stderr does not say {err!r}"
        if not re.search(err, ended.err)
        else "trouble in stderr"
        if trouble is not None and trouble.search(ended.err)
        else f"not within {within} s"
        if within is not None and ended.took > within
        else ""
    )
    if problem:
        raise AssertionError(
            f"{problem} after {ended.took:.1f} s\nstdout: {ended.out[-3000:]}\n"
            f"stderr: {ended.err[-6000:]}"
        )
    return ended


# -- the nursery ----------------------------------------------------------------------------------


def _nurse(path: str) -> dict[str, Any]:
    """Returns in the programs only, with the request."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(64)
        print("ready", flush=True)
        while True:
            readable, _, _ = select.select([listener], [], [], 1.0)
            if readable:
                connection, _ = listener.accept()
                if not os.fork():
                    listener.close()
                    request = _mind(connection)
                    if request is not None:
                        return request
                    os._exit(0)
                connection.close()
            while True:
                try:
                    if not os.waitpid(-1, os.WNOHANG)[0]:
                        break
                except ChildProcessError:
                    break


def _mind(connection: socket.socket) -> dict[str, Any] | None:
    """Starts a program and tells how it ended; in the program, returns the request."""
    with connection.makefile("rb") as stream:
        request: dict[str, Any] = json.loads(stream.read())
    pipes = [os.pipe(), os.pipe()]
    started = time.monotonic()
    program = os.fork()
    if not program:
        connection.close()
        for number, (read, write) in enumerate(pipes, 1):
            os.dup2(write, number)
            os.close(read)
            os.close(write)
        return request
    for _, write in pipes:
        os.close(write)
    events = [(started + after, number) for after, number in request["signals"]]
    # where it hangs, all threads of it
    events += [(started + request["deadline"], signal.SIGABRT)]
    events += [(started + request["deadline"] + 3, signal.SIGKILL)]
    events.sort()
    texts = {read: b"" for read, _ in pipes}
    late = False
    status = None
    while status is None:
        ended, found = os.waitpid(program, os.WNOHANG)
        if ended:
            status = os.WEXITSTATUS(found) if os.WIFEXITED(found) else -os.WTERMSIG(found)
        while events and events[0][0] <= time.monotonic() and status is None:
            number = events.pop(0)[1]
            late = late or number in (signal.SIGABRT, signal.SIGKILL)
            os.kill(program, number)
        wait = min(0.01, max(0.0, events[0][0] - time.monotonic())) if events else 0.01
        # a child of the program may have the pipe, too: its end is not waited for
        for read in select.select(list(texts), [], [], 0 if ended else wait)[0]:
            data = os.read(read, 1 << 20)
            texts[read] += data
            if not data:
                select.select([], [], [], wait)
    took = time.monotonic() - started
    for read in texts:
        while select.select([read], [], [], 0)[0]:
            data = os.read(read, 1 << 20)
            if not data:
                break
            texts[read] += data
    out, err = (text.decode(errors="replace") for text in texts.values())
    answer = {"code": None if late else status, "out": out, "err": err, "took": took}
    connection.sendall(json.dumps(answer).encode())
    return None


if __name__ == "__main__":
    import anyio

    for module in ("rbdcffi.aio", "rbdcffi.rados", "rbdcffi.rbd"):
        importlib.import_module(module)
    # what these import when they are first used
    for backend in ("asyncio", "trio"):
        anyio.run(anyio.sleep, 0, backend=backend)
    if hasattr(gc, "freeze"):
        # what is imported is not searched for cycles at every end, which took most of the time
        gc.collect()
        gc.freeze()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    found = _nurse(sys.argv[1])
    # at the top level and among its names, so that the end is that of a program
    sys.argv[1:] = []
    globals().update(found["names"])
    exec(compile(found["text"], "<program>", "exec"))
