"""Pairs: the same work by rbdcffi and by Ceph's own Python modules, in turns, on one cluster.

A shared machine drifts by more than the two differ. So nothing is compared across time: a pair is
two short batches right after one another, one of each side, and what counts is the ratio within
the pair. Every other pair goes the other way round, for whoever comes second finds warmer caches.

Both sides live in one process, use one librbd, and have an image of their own open, because on a
shared one they would fight for the exclusive lock. A measure goes in rounds; each connects and
opens anew, the sides in turns the first one, and swaps the images: of two connections one may be
served by a better placed thread of the OSD. Garbage collection is off meanwhile.

All threads of the process share one core: librbd hands each call to a thread of its own, and
whether that one wakes up on this core or on another (15 or 70 us) is the scheduler's luck, which
sticks to one side for seconds.

The CPU time of the process is compared, too: other processes do not get into that. What it leaves
out is waiting, as for the OSD.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import rbdcffi.rados
import rbdcffi.rbd

#: An OSD with as many threads as Ceph gives it with an SSD; rbdcffi.testing has one.
THREADS = {"osd op num shards": 8, "osd op num threads per shard": 2}

#: Where Debian has Ceph's own modules.
STANDARD = "/usr/lib/python3/dist-packages"

KIB, MIB = 1 << 10, 1 << 20


class Side(NamedTuple):
    """One of the two bindings."""

    rados: Any
    rbd: Any


def standard_modules() -> tuple[Any, Any]:
    """Ceph's own `rados` and `rbd`; nothing else is taken from where they are."""
    sys.path.insert(0, STANDARD)
    try:
        return importlib.import_module("rados"), importlib.import_module("rbd")
    except ImportError as error:
        raise SystemExit(
            f"no Ceph modules for {sys.implementation.name} {platform.python_version()} in "
            f"{STANDARD} ({error}); install python3-rados and python3-rbd, run their Python"
        ) from None
    finally:
        sys.path.remove(STANDARD)


#: Does the work `count` times on an open image.
Batch = Callable[[Any, int], object]


@dataclass
class Measure:
    """One thing to compare.

    Parameters:
        images: two of them alike; or one, which both sides then open read-only.
        ours, theirs: the same work, `count` times.
        warm: untimed work after each opening, as to own the lock.
        beside: what runs at the same time, as a context.
        target: the ratio to reach, if there is one.
        seconds: how long a batch takes, about; one piece of work may take longer.
        share: of the run's number of pairs.
        control: the standard modules against themselves.
    """

    name: str
    images: Sequence[str]
    ours: Batch
    theirs: Batch
    warm: Callable[[Any], object] | None = None
    beside: Callable[[], AbstractContextManager[object]] = nullcontext
    target: float | None = None
    seconds: float = 0.005
    share: float = 1.0
    control: bool = False


@dataclass
class Result:
    name: str
    target: float | None
    #: pieces of work in a batch
    count: int = 0
    #: seconds for one piece of work, (ours, theirs)
    pairs: list[tuple[float, float]] = field(default_factory=list)
    #: the same pairs, CPU time of all threads of the process
    cpu: list[tuple[float, float]] = field(default_factory=list)

    def row(self) -> str:
        ours, theirs = (statistics.median(times) for times in zip(*self.pairs))
        target = "" if self.target is None else f"{self.target:.2f}"
        return (
            f"| {self.name} | {_time(ours)} | {_time(theirs)} | {_ratio(self.pairs)} "
            f"| {_ratio(self.cpu)} | {target} | {len(self.pairs)} |"
        )


def _ratio(pairs: Iterable[tuple[float, float]]) -> str:
    """The median of ours/theirs, and the quartiles."""
    ratios = [ours / theirs for ours, theirs in pairs]
    low, middle, high = statistics.quantiles(ratios, n=4, method="inclusive")
    return f"**{middle:.2f}** ({low:.2f} to {high:.2f})"


HEAD = """\
| measure | rbdcffi | standard | ratio (quartiles) | ratio of CPU time | target | pairs |
| --- | ---: | ---: | ---: | ---: | ---: | ---: |"""

ROUNDS = 8


class Bench:
    """Runs measures and keeps what came out."""

    def __init__(self, conf: str, pool: str, pairs: int, **options: str) -> None:
        self.conf = conf
        self.pool = pool
        self.options = options
        self.pairs = pairs
        self.ours = Side(rbdcffi.rados, rbdcffi.rbd)
        self.theirs = Side(*standard_modules())
        self.results: list[Result] = []

    def run(self, measures: Iterable[Measure]) -> None:
        print(HEAD, flush=True)
        for measure in measures:
            print(self.measure(measure).row(), flush=True)

    def measure(self, measure: Measure) -> Result:
        result = Result(measure.name, measure.target)
        pairs = max(1, round(self.pairs * measure.share / ROUNDS))
        gc.collect()
        gc.disable()
        try:
            for number in range(ROUNDS):
                self._round(measure, number % 2, pairs, result)
        finally:
            gc.enable()
        self.results.append(result)
        return result

    def _open(self, side: Side, name: str, read_only: bool, stack: ExitStack) -> Any:
        cluster = stack.enter_context(side.rados.Rados(conffile=self.conf, conf=self.options))
        ioctx = stack.enter_context(cluster.open_ioctx(self.pool))
        return stack.enter_context(side.rbd.Image(ioctx, name, read_only=read_only))

    def _round(self, measure: Measure, swapped: int, pairs: int, result: Result) -> None:
        sides = (self.theirs if measure.control else self.ours, self.theirs)
        read_only = len(measure.images) == 1
        names = [measure.images[0], measure.images[-1]]
        images: list[Any] = [None, None]
        with ExitStack() as stack:
            for which in (1, 0) if swapped else (0, 1):
                name = names[which ^ swapped]
                images[which] = self._open(sides[which], name, read_only, stack)
            if measure.warm is not None:
                for image in images:
                    measure.warm(image)
            work = list(zip((measure.ours, measure.theirs), images))
            stack.enter_context(measure.beside())
            if not result.count:
                result.count = _count(work, measure.seconds)
            for batch, image in work:
                _timed(batch, image, result.count)
            for number in range(pairs):
                times = [(0.0, 0.0)] * 2
                for which in (0, 1) if number % 2 else (1, 0):
                    batch, image = work[which]
                    times[which] = _timed(batch, image, result.count)
                (ours, ours_cpu), (theirs, theirs_cpu) = times
                result.pairs.append((ours, theirs))
                result.cpu.append((ours_cpu, theirs_cpu))

    def write(self, path: str, facts: dict[str, Any]) -> None:
        """All that was measured, as JSON."""
        measures = [asdict(result) for result in self.results]
        Path(path).write_text(json.dumps({"facts": facts, "measures": measures}, indent=1) + "\n")


#: PyPy cannot ask.
CORES = (
    os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set(range(os.cpu_count() or 1))
)


def use_cores(cores: Iterable[int]) -> None:
    """Moves all threads of this process; those to come inherit it from the one that makes them."""
    chosen = set(cores)
    for task in os.listdir("/proc/self/task"):
        with suppress(ProcessLookupError):  # it has ended meanwhile
            os.sched_setaffinity(int(task), chosen)


def _timed(batch: Batch, image: Any, count: int) -> tuple[float, float]:
    """Seconds for one piece of work, and of CPU time."""
    begun, begun_cpu = time.perf_counter(), time.process_time()
    batch(image, count)
    ended_cpu, ended = time.process_time(), time.perf_counter()
    return (ended - begun) / count, (ended_cpu - begun_cpu) / count


def _count(work: Sequence[tuple[Batch, Any]], seconds: float) -> int:
    """How much work takes so long, of the slower side."""
    count = 1
    while True:
        one = max(_timed(batch, image, count)[0] for batch, image in work)
        if one * count >= seconds / 2:
            return max(1, round(seconds / one))
        count = min(4 * count, max(count + 1, round(seconds / one)))


def facts() -> dict[str, Any]:
    """What the numbers depend on."""
    return {
        "date": time.strftime("%Y-%m-%d"),
        "cpu": _cpu(),
        "cores": len(CORES),
        "kernel": platform.release(),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "librbd": ".".join(map(str, rbdcffi.rbd.RBD().version())),
        "rbdcffi": rbdcffi.__version__,
        "load at the start": round(os.getloadavg()[0], 2),
    }


def describe(facts: dict[str, Any]) -> str:
    return "; ".join(f"{name}: {value}" for name, value in facts.items()) + "."


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _time(seconds: float) -> str:
    for unit, name in ((1.0, "s"), (1e-3, "ms"), (1e-6, "us")):
        if seconds >= unit:
            return f"{seconds / unit:.3g} {name}"
    return f"{seconds / 1e-9:.0f} ns"


def size_name(size: int) -> str:
    if size >= MIB:
        return f"{size // MIB} MiB"
    return f"{size // KIB} KiB" if size >= KIB else f"{size} B"
