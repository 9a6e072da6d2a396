"""The asynchronous facade beside what one would build on Ceph's own modules, and beside fio.

Everything that is compared takes turns on one cluster, within one process: a turn is a short batch
of each contender, and what counts are ratios within the turn. Each contender has an event loop of
its own, in a thread that sleeps while others have their turn. rbdcffi's contenders share one image
and connection, those of the standard modules another; each round opens both anew and swaps the
images. fio is a process of its own and takes a turn in every round.

Run it with `scripts/bench aio`. On PyPy, for which there are no standard modules, it measures
rbdcffi alone.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from anyio.from_thread import BlockingPortal, start_blocking_portal
from harness import KIB, MIB, THREADS, describe, facts, size_name, standard_modules
from loops import Clock, Times, at_once, bridged

import rbdcffi.rados
import rbdcffi.rbd
from rbdcffi import aio
from rbdcffi.testing import Cluster

PYPY = sys.implementation.name == "pypy"

POOL = "rbd"
#: Written all over: their reads go to the OSD.
FULL, FULL_SIZE = ("full-1", "full-2"), 64 * MIB
#: Empty but for the first block: reads behind that end in the object map, within the process.
SPARSE, SPARSE_SIZE, SPARSE_FROM = ("sparse-1", "sparse-2"), 1024 * MIB, 8 * MIB
#: The cache would answer writes before the OSD has them.
OPTIONS = {"rbd_cache": "false"}

README = Path(__file__).with_name("README.md")


@dataclass(frozen=True)
class Work:
    """What is done: operations of one kind, `depth` at a time."""

    kind: str
    length: int
    depth: int
    sparse: bool = False

    @property
    def name(self) -> str:
        where = "sparse" if self.sparse else "OSD"
        return f"{self.kind}, {where}, {size_name(self.length)}, depth {self.depth}"

    def offsets(self, count: int, seed: int) -> list[int]:
        """As many of them, at random."""
        first, end = (SPARSE_FROM, SPARSE_SIZE) if self.sparse else (0, FULL_SIZE)
        choose = random.Random(seed).randrange
        return [choose(first, end, self.length) for _ in range(count)]


#: One operation at an offset.
Operation = Callable[[int], Awaitable[object]]


# -- the contenders ------------------------------------------------------------------------------


class Contender:
    """Somebody who can do the work; `run` gives the seconds of one operation."""

    name = ""
    ours = True

    def can(self, work: Work) -> bool:
        return True

    def run(self, image: Any, work: Work, offsets: list[int]) -> Times:
        raise NotImplementedError


class Sync(Contender):
    """The synchronous core, which has a depth of 1."""

    name = "core"

    def can(self, work: Work) -> bool:
        return work.depth == 1

    def run(self, image: Any, work: Work, offsets: list[int]) -> Times:
        image = image.sync
        data = os.urandom(work.length)
        clock = Clock()
        if work.kind == "read":
            for offset in offsets:
                image.read(offset, work.length)
        else:
            for offset in offsets:
                image.write(data, offset)
        return clock.per(len(offsets))


class Looping(Contender):
    """A contender in an event loop."""

    def __init__(self, portal: BlockingPortal, loop: str) -> None:
        self.portal = portal
        self.name = f"{self.name}, {loop}"

    def run(self, image: Any, work: Work, offsets: list[int]) -> Times:
        return self.portal.call(self._run, image, work, offsets)

    async def _run(self, image: Any, work: Work, offsets: list[int]) -> Times:
        operation = self.operation(image, work)
        # threads start, caches fill
        await at_once(operation, offsets[: work.depth], work.depth)
        clock = Clock()
        await at_once(operation, offsets, work.depth)
        return clock.per(len(offsets))

    def operation(self, image: Any, work: Work) -> Operation:
        raise NotImplementedError


class Facade(Looping):
    """rbdcffi.aio."""

    engine = ""

    def operation(self, image: Any, work: Work) -> Operation:
        image.engine = self.engine
        length = work.length
        if work.kind == "read":
            return lambda offset: image.read(offset, length)
        data = os.urandom(length)
        return lambda offset: image.write(data, offset)


class Threads(Facade):
    name = engine = "threads"

    async def _run(self, image: Any, work: Work, offsets: list[int]) -> Times:
        aio.io_limiter().total_tokens = work.depth
        return await super()._run(image, work, offsets)


class Completions(Facade):
    name = engine = "completions"


class ToThread(Looping):
    """The standard module's blocking calls, each in a thread of asyncio's."""

    name = "standard, to_thread"
    ours = False

    async def _run(self, image: Any, work: Work, offsets: list[int]) -> Times:
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(work.depth) as executor:
            loop.set_default_executor(executor)
            return await super()._run(image, work, offsets)

    def operation(self, image: Any, work: Work) -> Operation:
        length = work.length
        if work.kind == "read":
            return lambda offset: asyncio.to_thread(image.read, offset, length)
        data = os.urandom(length)
        return lambda offset: asyncio.to_thread(image.write, data, offset)


class Bridged(Looping):
    """The standard module's asynchronous calls, whose callbacks set futures."""

    name = "standard, aio"
    ours = False

    def operation(self, image: Any, work: Work) -> Operation:
        loop = asyncio.get_running_loop()
        length, data = work.length, os.urandom(work.length)
        if work.kind == "read":
            return lambda offset: bridged(loop, image.aio_read, offset, length)
        return lambda offset: bridged(loop, image.aio_write, data, offset)


class Fio(Contender):
    """fio's rbd engine: what C alone does. Its CPU time is that of its process, less the start."""

    name = "fio"

    def __init__(self, conf: str, seconds: float) -> None:
        self._environment = {
            **os.environ,
            "CEPH_CONF": conf,
            "CEPH_ARGS": " ".join(f"--{name}={value}" for name, value in OPTIONS.items()),
        }
        self._seconds = seconds
        self._start: float | None = None

    def can(self, work: Work) -> bool:
        return not work.sparse

    def run(self, image: Any, work: Work, offsets: list[int]) -> Times:
        if self._start is None:
            self._start = self._fio(work, "--number_ios=1")[1]
        job, cpu = self._fio(work, "--time_based", f"--runtime={round(1000 * self._seconds)}ms")
        done = job[work.kind]
        return done["runtime"] / 1000 / done["total_ios"], (cpu - self._start) / done["total_ios"]

    def _fio(self, work: Work, *options: str) -> tuple[dict[str, Any], float]:
        # the image that nobody else has open
        command = [
            "fio", "--name=job", "--ioengine=rbd", "--clientname=admin", f"--pool={POOL}",
            "--rbdname=full-3", f"--rw=rand{work.kind}", f"--bs={work.length}", "--norandommap",
            f"--iodepth={work.depth}", "--output-format=json", "--thread", *options,
        ]  # fmt: skip
        with subprocess.Popen(
            command, env=self._environment, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            output = process.stdout.read()
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise RuntimeError(f"fio failed: {output}")
        job = json.loads(output[output.index("{") :])["jobs"][0]
        return job, used.ru_utime + used.ru_stime


# -- measuring -----------------------------------------------------------------------------------


@dataclass
class Result:
    work: Work
    #: operations in a batch
    count: int = 0
    #: for each contender: (seconds, CPU seconds) of one operation, in each turn
    times: dict[str, list[Times]] = field(default_factory=dict)

    def ratios(self, one: str, other: str, which: int = 0) -> list[float]:
        """How many times quicker `one` is than `other` (1: with less CPU time), in each turn."""
        pairs = zip(self.times[one], self.times[other])
        return [theirs[which] / ours[which] for ours, theirs in pairs]


class Bench:
    """Runs the contenders in turns and keeps what came out."""

    def __init__(self, conf: str, stack: ExitStack, options: argparse.Namespace) -> None:
        self.conf = conf
        self.rounds = 2 if options.quick else 6
        self.turns = 2 if options.quick else 5
        #: of a batch, about, within the process and with the OSD
        self.seconds = {True: 0.02, False: 0.03} if options.quick else {True: 0.05, False: 0.08}
        self.results: list[Result] = []

        def portal(backend: str, **backend_options: Any) -> BlockingPortal:
            return stack.enter_context(start_blocking_portal(backend, backend_options))

        self.asyncio = portal("asyncio")
        self.contenders: list[Contender] = [
            Sync(),
            Threads(self.asyncio, "asyncio"),
            Completions(self.asyncio, "asyncio"),
            Completions(portal("trio"), "trio"),
        ]
        if not PYPY:
            self._standard = standard_modules()
            self.contenders += [
                Completions(portal("asyncio", use_uvloop=True), "uvloop"),
                ToThread(portal("asyncio"), "asyncio"),
                Bridged(portal("asyncio"), "asyncio"),
            ]
        self.fio = Fio(conf, 0.4 if options.quick else 1) if shutil.which("fio") else None

    def run(self, works: Iterable[Work]) -> None:
        for work in works:
            result = Result(work)
            contenders = [contender for contender in self.contenders if contender.can(work)]
            gc.collect()
            if not PYPY:  # there, nothing at all would be freed
                gc.disable()
            try:
                for number in range(self.rounds):
                    self._round(result, contenders, number)
            finally:
                gc.enable()
            self.results.append(result)
            print(as_text(result), flush=True)

    def _round(self, result: Result, contenders: list[Contender], number: int) -> None:
        work = result.work
        names = SPARSE if work.sparse else FULL
        with ExitStack() as stack:
            ours = self._open_ours(names[number % 2], stack)
            theirs = None if PYPY else self._open_theirs(names[1 - number % 2], stack)
            images = {True: ours, False: theirs}
            if not result.count:
                result.count = self._count(work, contenders, images)
            for turn in range(self.turns):
                seed = number * self.turns + turn
                offsets = work.offsets(result.count, seed)
                # all are neighbours of one another, before and after
                order = contenders[seed % len(contenders) :] + contenders[: seed % len(contenders)]
                for contender in order[:: 1 if number % 2 else -1]:
                    times = contender.run(images[contender.ours], work, offsets)
                    result.times.setdefault(contender.name, []).append(times)
        if self.fio is not None and self.fio.can(work) and number % 2:
            result.times.setdefault(self.fio.name, []).append(self.fio.run(None, work, []))

    def _open_ours(self, name: str, stack: ExitStack) -> Any:
        async def opened() -> tuple[aio.Rados, aio.Image]:
            cluster = await aio.Rados(conffile=self.conf, conf=OPTIONS)
            image = await aio.Image(await cluster.open_ioctx(POOL), name)
            own_lock(image.sync)
            return cluster, image

        cluster, image = self.asyncio.call(opened)
        stack.callback(lambda: self.asyncio.call(cluster.shutdown))
        return image

    def _open_theirs(self, name: str, stack: ExitStack) -> Any:
        rados, rbd = self._standard
        cluster = stack.enter_context(rados.Rados(conffile=self.conf, conf=OPTIONS))
        ioctx = stack.enter_context(cluster.open_ioctx(POOL))
        image = stack.enter_context(rbd.Image(ioctx, name))
        own_lock(image)
        return image

    def _count(self, work: Work, contenders: list[Contender], images: dict[bool, Any]) -> int:
        """How many operations take a contender so long, about; the slower ones take longer."""
        count, seconds = 4 * work.depth, self.seconds[work.sparse]
        while True:
            offsets = work.offsets(count, count)
            times = [c.run(images[c.ours], work, offsets)[0] * count for c in contenders]
            middle = statistics.median(times)
            if middle >= seconds / 2:
                return max(4 * work.depth, round(count * seconds / middle))
            count = min(8 * count, 1 + round(count * seconds / middle))


def own_lock(image: Any) -> None:
    """The owner of the lock, and nobody else, has the object map."""
    image.write(b"x" * 512, 0)
    if not image.is_exclusive_lock_owner():
        raise RuntimeError("the image is open elsewhere")


def prepare(ioctx: rbdcffi.rados.Ioctx) -> None:
    """Makes the images; the last is fio's."""
    rbd = rbdcffi.rbd
    for name in (*FULL, "full-3"):
        rbd.RBD().create(ioctx, name, FULL_SIZE)
        with rbd.Image(ioctx, name) as image:
            for offset in range(0, FULL_SIZE, 4 * MIB):
                image.write(os.urandom(4 * MIB), offset)
    for name in SPARSE:
        rbd.RBD().create(ioctx, name, SPARSE_SIZE)


def works() -> Iterator[Work]:
    depths = [(4 * KIB, 1), (4 * KIB, 16), (4 * KIB, 64), (4 * KIB, 256), (MIB, 16)]
    for kind, sparse in (("read", True), ("read", False), ("write", False)):
        for length, depth in depths:
            yield Work(kind, length, depth, sparse)


# -- what came out ---------------------------------------------------------------------------------

COLUMNS = [
    "core",
    "threads, asyncio",
    "completions, asyncio",
    "completions, uvloop",
    "completions, trio",
    "standard, to_thread, asyncio",
    "standard, aio, asyncio",
    "fio",
]

#: (what, one, other, whether by CPU time, target on sparse reads, target on the OSD)
RATIOS = [
    ("completions / threads", COLUMNS[2], COLUMNS[1], 0, 2.0, None),
    ("completions / standard aio", COLUMNS[2], COLUMNS[6], 0, 1.3, 1.0),
    ("CPU: standard aio / completions", COLUMNS[2], COLUMNS[6], 1, None, 1.0),
    ("threads / standard to_thread", COLUMNS[1], COLUMNS[5], 0, 1.0, 1.0),
    ("CPU: standard to_thread / threads", COLUMNS[1], COLUMNS[5], 1, None, None),
]


def as_text(result: Result) -> str:
    lines = [f"{result.work.name} ({result.count} operations a batch)"]
    for name in COLUMNS:
        if name in result.times:
            speed, cpu = middle(result, name)
            lines.append(f"    {name:30} {speed:>9,.0f} /s {cpu * 1e6:8.1f} us CPU")
    for what, one, other, which, *_ in RATIOS:
        if one in result.times and other in result.times:
            ratio = spread(result.ratios(one, other, which))
            lines.append(f"    {what:33} {ratio.replace('*', '')}")
    return "\n".join(lines)


def middle(result: Result, name: str) -> tuple[float, float]:
    """Operations per second and CPU seconds of one."""
    seconds, cpu = zip(*result.times[name])
    return 1 / statistics.median(seconds), statistics.median(cpu)


def spread(ratios: list[float]) -> str:
    low, median, high = statistics.quantiles(ratios, n=4, method="inclusive")
    return f"**{median:.2f}** ({low:.2f} to {high:.2f})"


def tables(results: list[Result]) -> str:
    """In Markdown."""
    columns = [name for name in COLUMNS if any(name in result.times for result in results)]
    lines = [
        "Operations per second, and microseconds of CPU time for one of them:",
        "",
        "| work | " + " | ".join(columns) + " |",
        "| --- |" + " ---: |" * len(columns),
    ]
    for result in results:
        cells = []
        for name in columns:
            if name in result.times:
                speed, cpu = middle(result, name)
                cells.append(f"{speed:,.0f}; {cpu * 1e6:.1f}")
            else:
                cells.append("")
        lines.append(f"| {result.work.name} | " + " | ".join(cells) + " |")
    ratios = [ratio for ratio in RATIOS if ratio[1] in columns and ratio[2] in columns]
    lines += [
        "",
        "Ratios of the contenders on asyncio (quartiles); more than 1 is good for the one that is "
        "named first, or whose CPU time is in the denominator:",
        "",
        "| work | " + " | ".join(what for what, *_ in ratios) + " | turns |",
        "| --- |" + " ---: |" * (len(ratios) + 1),
    ]
    for result in results:
        cells = []
        for _, one, other, which, sparse_target, osd_target in ratios:
            values = result.ratios(one, other, which)
            target = sparse_target if result.work.sparse else osd_target
            missed = (
                target is not None
                and result.work.depth >= 16
                and statistics.median(values) < target
            )
            cells.append(spread(values) + (f", below {target}" if missed else ""))
        turns = len(result.times[columns[1]])
        lines.append(f"| {result.work.name} | " + " | ".join(cells) + f" | {turns} |")
    return "\n".join(lines)


def write_readme(name: str, text: str) -> None:
    """Replaces what stands between two marks in README.md."""
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    pattern = re.compile(f"(?<={re.escape(begin)}\n).*?(?={re.escape(end)})", re.DOTALL)
    old = README.read_text()
    new, count = pattern.subn(lambda match: f"\n{text}\n\n", old)
    if count != 1:
        raise SystemExit(f"{README.name} lacks the lines {begin} and {end}")
    README.write_text(new)


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="scripts/bench aio", description="rbdcffi.aio beside Ceph's own Python modules."
    )
    parser.add_argument("--quick", action="store_true", help="fewer turns: a look, not a result")
    parser.add_argument("--json", metavar="FILE", help="write all that was measured there")
    parser.add_argument("--only", metavar="TEXT", help="work whose name contains it")
    parser.add_argument("--readme", action="store_true", help="put the tables into README.md")
    options = parser.parse_args()

    chosen = [work for work in works() if options.only is None or options.only in work.name]
    if not chosen:
        parser.error(f"nothing has {options.only!r} in its name")
    begun = time.monotonic()
    found = facts()
    print(describe(found), end="\n\n", flush=True)
    with Cluster(pools=[POOL], conf=THREADS) as cluster, ExitStack() as stack:
        with rbdcffi.rados.Rados(conffile=cluster.conf) as client, client.open_ioctx(POOL) as ioctx:
            prepare(ioctx)
        bench = Bench(cluster.conf, stack, options)
        bench.run(chosen)
    found["load at the end"] = round(os.getloadavg()[0], 2)
    found["took"] = f"{time.monotonic() - begun:.0f} s"
    text = f"{describe(found)}\n\n{tables(bench.results)}"
    print("\n" + text)
    if options.json:
        measures = [asdict(result) for result in bench.results]
        Path(options.json).write_text(json.dumps({"facts": found, "measures": measures}) + "\n")
    if options.readme:
        write_readme("aio on PyPy" if PYPY else "aio on CPython", text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
