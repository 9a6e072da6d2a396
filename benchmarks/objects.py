"""Many small objects: written, read, listed and removed through the asynchronous facade, beside
what one would build on Ceph's own `rados` module.

All contenders take turns on one cluster, within one process: a turn is the same objects for each of
them, in a namespace of its own, and what counts are ratios within the turn. Every turn begins with
another contender. Each has a connection and an event loop of its own. Garbage collection is off
meanwhile.

Run it with `scripts/bench objects`.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import statistics
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from anyio.from_thread import BlockingPortal, start_blocking_portal
from harness import KIB, THREADS, describe, facts, standard_modules
from loops import Clock, Times, at_once, bridged

import rbdcffi.rados
from rbdcffi import aio
from rbdcffi.testing import Cluster

POOL = "rbd"
PHASES = ("write", "read", "list", "remove")


class Contender:
    """Somebody who does a phase with all keys; `run` gives the seconds of one object."""

    name = ""

    def run(self, phase: str, keys: list[str], data: bytes, depth: int) -> Times:
        raise NotImplementedError


class Facade(Contender):
    """rbdcffi.aio on one of its engines."""

    def __init__(self, conf: str, portal: BlockingPortal, stack: ExitStack, engine: str) -> None:
        self.name = f"rbdcffi.aio, {engine}"
        self._portal = portal
        cluster = stack.enter_context(portal.wrap_async_context_manager(aio.Rados(conffile=conf)))
        self._ioctx = stack.enter_context(
            portal.wrap_async_context_manager(cluster.open_ioctx(POOL, engine=engine))
        )
        self._ioctx.set_namespace(self.name)

    def run(self, phase: str, keys: list[str], data: bytes, depth: int) -> Times:
        return self._portal.call(self._run, phase, keys, data, depth)

    async def _run(self, phase: str, keys: list[str], data: bytes, depth: int) -> Times:
        io = self._ioctx
        aio.io_limiter().total_tokens = depth
        clock = Clock()
        if phase == "write":
            await at_once(lambda key: io.write_full(key, data), keys, depth)
        elif phase == "read":
            await at_once(lambda key: io.read(key, len(data)), keys, depth)
        elif phase == "remove":
            await at_once(io.remove_object, keys, depth)
        else:
            assert sum([1 async for _ in io.list_objects()]) == len(keys)
        return clock.per(len(keys))


class Standard(Contender):
    """What has the interface of the standard module, in its own namespace."""

    def __init__(self, module: Any, conf: str, stack: ExitStack) -> None:
        cluster = stack.enter_context(module.Rados(conffile=conf))
        self._ioctx = stack.enter_context(cluster.open_ioctx(POOL))
        self._ioctx.set_namespace(self.name)

    def arguments(self, phase: str, data: bytes) -> tuple[Callable[..., None], tuple[Any, ...]]:
        """A method, and what it takes between the key and the callback."""
        return {
            "write": (self._ioctx.aio_write_full, (data,)),
            "read": (self._ioctx.aio_read, (len(data), 0)),
            "remove": (self._ioctx.aio_remove, ()),
            "list": (self._ioctx.list_objects, ()),
        }[phase]


class Bridged(Standard):
    """Its asynchronous calls, whose callbacks set futures of asyncio."""

    name = "standard, aio and asyncio"

    def __init__(self, module: Any, conf: str, stack: ExitStack, portal: BlockingPortal) -> None:
        super().__init__(module, conf, stack)
        self._portal = portal

    def run(self, phase: str, keys: list[str], data: bytes, depth: int) -> Times:
        return self._portal.call(self._run, phase, keys, data, depth)

    async def _run(self, phase: str, keys: list[str], data: bytes, depth: int) -> Times:
        loop = asyncio.get_running_loop()
        method, arguments = self.arguments(phase, data)

        def operation(key: str) -> asyncio.Future[Any]:
            return bridged(loop, method, key, *arguments)

        clock = Clock()
        if phase == "list":
            found = await asyncio.to_thread(list, self._ioctx.list_objects())
            assert len(found) == len(keys)
        else:
            await at_once(operation, keys, depth)
        return clock.per(len(keys))


class Callbacks(Standard):
    """The same without an event loop: a semaphore bounds what is in flight."""

    def __init__(self, name: str, module: Any, conf: str, stack: ExitStack) -> None:
        self.name = name
        super().__init__(module, conf, stack)

    def run(self, phase: str, keys: list[str], data: bytes, depth: int) -> Times:
        room = threading.Semaphore(depth)
        failed: list[int] = []

        def done(completion: Any, value: Any = None) -> None:
            if completion.get_return_value() < 0:
                failed.append(completion.get_return_value())
            room.release()

        method, arguments = self.arguments(phase, data)
        clock = Clock()
        if phase == "list":
            assert len(list(self._ioctx.list_objects())) == len(keys)
        else:
            for key in keys:
                room.acquire()
                method(key, *arguments, done)
            for _ in range(depth):
                room.acquire()
        times = clock.per(len(keys))
        assert not failed, failed
        return times


#: (what, one, other): how many times faster the one is
RATIOS = (
    ("completions / standard", "rbdcffi.aio, completions", "standard, aio and asyncio"),
    ("threads / standard", "rbdcffi.aio, threads", "standard, aio and asyncio"),
    ("callbacks / standard", "rbdcffi, callbacks", "standard, callbacks"),
)


def tables(results: dict[str, dict[str, list[Times]]]) -> str:
    """In Markdown."""
    names = list(next(iter(results.values())))
    lines = [
        "Objects per second, and microseconds of CPU time for one:",
        "",
        "| phase | " + " | ".join(names) + " |",
        "| --- |" + " ---: |" * len(names),
    ]
    for phase, times in results.items():
        cells = []
        for name in names:
            seconds, cpu = zip(*times[name])
            cells.append(
                f"{1 / statistics.median(seconds):,.0f}; {statistics.median(cpu) * 1e6:.1f}"
            )
        lines.append(f"| {phase} | " + " | ".join(cells) + " |")
    lines += [
        "",
        "How many times faster, within a turn (quartiles):",
        "",
        "| phase | " + " | ".join(what for what, *_ in RATIOS) + " | turns |",
        "| --- |" + " ---: |" * (len(RATIOS) + 1),
    ]
    for phase, times in results.items():
        cells = []
        for _, one, other in RATIOS:
            ratios = [b[0] / a[0] for a, b in zip(times[one], times[other])]
            low, median, high = statistics.quantiles(ratios, n=4, method="inclusive")
            cells.append(f"**{median:.2f}** ({low:.2f} to {high:.2f})")
        lines.append(f"| {phase} | " + " | ".join(cells) + f" | {len(ratios)} |")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="scripts/bench objects", description="Many small objects, beside Ceph's own rados."
    )
    parser.add_argument("--quick", action="store_true", help="a tenth: a look, not a result")
    parser.add_argument("--json", metavar="FILE", help="write all that was measured there")
    parser.add_argument("--objects", type=int, default=10_000, help="of each contender, in all")
    parser.add_argument("--turns", type=int, default=10, help="that they are spread over")
    parser.add_argument("--size", type=int, default=4 * KIB, help="of an object, in bytes")
    parser.add_argument("--depth", type=int, default=64, help="how many at a time")
    options = parser.parse_args()
    count = max(options.depth, options.objects // options.turns // (10 if options.quick else 1))

    standard, _ = standard_modules()
    found = facts()
    print(describe(found), flush=True)
    print(
        f"{options.turns} turns of {count} objects of {options.size} B, {options.depth} at a time"
    )
    data = os.urandom(options.size)
    results: dict[str, dict[str, list[Times]]] = {phase: {} for phase in PHASES}
    # an object's whole life, in each turn
    whole = "write, list, remove"
    with Cluster(pools=[POOL], conf=THREADS) as cluster, ExitStack() as stack:
        conf = cluster.conf

        def portal() -> BlockingPortal:
            return stack.enter_context(start_blocking_portal())

        contenders: list[Contender] = [
            Facade(conf, portal(), stack, "completions"),
            Facade(conf, portal(), stack, "threads"),
            Bridged(standard, conf, stack, portal()),
            Callbacks("rbdcffi, callbacks", rbdcffi.rados, conf, stack),
            Callbacks("standard, callbacks", standard, conf, stack),
        ]
        for phase in PHASES:
            results[phase] = {contender.name: [] for contender in contenders}
        gc.disable()
        for turn in range(-1, options.turns):
            keys = [f"object-{turn}-{number}" for number in range(count)]
            first = turn % len(contenders)
            for phase in PHASES:
                for contender in (*contenders[first:], *contenders[:first]):
                    times = contender.run(phase, keys, data, options.depth)
                    # in the first one threads start and caches fill
                    if turn >= 0:
                        results[phase][contender.name].append(times)
            gc.collect()
        gc.enable()
    results[whole] = {
        contender.name: [
            (sum(seconds for seconds, _ in phases), sum(cpu for _, cpu in phases))
            for phases in zip(*(results[phase][contender.name] for phase in whole.split(", ")))
        ]
        for contender in contenders
    }
    found["load at the end"] = round(os.getloadavg()[0], 2)
    print("\n" + tables(results))
    if options.json:
        text = json.dumps({"facts": found, "results": results}) + "\n"
        Path(options.json).write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
