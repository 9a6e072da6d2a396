"""The methods of the facade with arguments of every kind; run by test_fuzz.py, in its own process.

    python fuzzing_aio.py CONF POOL OTHER_POOL SEED EXAMPLES BACKEND

As fuzzing.py, whose tables it uses, for the classes that hold a handle.
"""

from __future__ import annotations

import faulthandler
import inspect
import random
import sys
import time
from typing import Any

import anyio
import hypothesis
import hypothesis.strategies as st
from fuzzing import (
    CALLBACKS,
    DEADLINE,
    GOOD_SHARE,
    LOCKING,
    VALUES,
    World,
    forbidden,
    good,
    judge,
    say,
    shown,
)
from fuzzing import EXCLUDED as EXCLUDED_SYNC
from hypothesis import HealthCheck, Phase, Verbosity

from rbdcffi import aio, rados, rbd

EXCLUDED = {
    **EXCLUDED_SYNC,
    "Rados.shutdown": "it would end the connection of the other calls",
    "Rados.monitor_log": "yields until it is closed",
    "Rados.monitor_log2": "yields until it is closed",
    "Ioctx.watch": "yields until it is closed",
    "Image.quiesce_hooks": "yields until it is closed",
    "Image.updates": "yields until it is closed",
}


def cases() -> list[tuple[type, str]]:
    found = []
    for cls in (aio.Rados, aio.Ioctx, aio.Image, aio.RBD, aio.Group):
        for name in dir(cls):
            value = inspect.getattr_static(cls, name)
            if name.startswith("_") or not inspect.isfunction(value):
                continue
            if f"{cls.__name__}.{name}" not in EXCLUDED:
                found.append((cls, name))
    return found


class AsyncWorld:
    def __init__(self, world: World, cluster: aio.Rados, ioctx: aio.Ioctx) -> None:
        self.world, self.cluster, self.ioctx = world, cluster, ioctx
        self.problems: list[str] = []
        self.calls = 0

    def twin(self, value: Any) -> Any:
        """What the facade takes in the place of a handle of the core."""
        if value is self.world.ioctx:
            return self.ioctx
        return self.cluster if value is self.world.cluster else value

    async def attempt(self, chance: random.Random, cls: type, name: str) -> None:
        world = self.world
        qualified = f"{cls.__name__}.{name}"
        subject: Any = {aio.Rados: self.cluster, aio.Ioctx: self.ioctx}.get(cls)
        own: Any = None
        if cls is aio.Image:
            subject = own = await aio.Image(self.ioctx, world.name)
        elif cls is aio.Group:
            subject = aio.Group(self.ioctx, world.group_name)
        elif cls is aio.RBD:
            subject = aio.RBD()
        elif name == "close":
            subject = own = await self.cluster.open_ioctx(world.pool)
        world.subject = rbd.RBD()  # for callbacks
        function = getattr(subject, name)
        given: dict[str, Any] = {}
        positional: list[Any] = []
        texts = []
        hazarded = False
        for parameter in inspect.signature(function).parameters.values():
            wrong = chance.random() > GOOD_SHARE
            if parameter.kind is parameter.VAR_KEYWORD or parameter.name in ("limiter", "engine"):
                continue
            hazarded = hazarded or wrong
            if not wrong and parameter.default is not parameter.empty:
                continue
            key = chance.choice(sorted(VALUES))
            value = VALUES[key](world) if wrong else good(world, qualified, parameter.name)
            if wrong and forbidden(qualified, parameter.name, value):
                value = good(world, qualified, parameter.name)
            if CALLBACKS.search(parameter.name) and not wrong:
                value = None if parameter.default is None else lambda *args: None
            value = self.twin(value)
            texts.append(f"{parameter.name}={key if wrong else shown(value)}")
            if parameter.kind in (parameter.VAR_POSITIONAL, parameter.POSITIONAL_ONLY):
                positional.append(value)
            else:
                given[parameter.name] = value
        text = f"aio.{qualified}({', '.join(texts)})"
        say(text)
        self.calls += 1
        faulthandler.dump_traceback_later(DEADLINE, exit=True)
        before = world.objects() if hazarded else None
        refused = False
        try:
            with anyio.fail_after(DEADLINE / 2):
                result = function(*positional, **given)
                if inspect.isawaitable(result):
                    result = await result
                elif hasattr(result, "__aiter__"):
                    result = [item async for item in result]
                if hasattr(result, "close") and result is not subject:
                    closing = result.close()
                    if inspect.isawaitable(closing):
                        await closing
        except Exception as error:
            refused = getattr(error, "errno", None) is None
            problem = judge(qualified, inspect.getdoc(function) or "", error, False)
            if isinstance(error, TimeoutError) and not isinstance(error, (rados.Error, rbd.Error)):
                problem = f"took more than {DEADLINE / 2} s"
            if problem:
                self.problems.append(f"{text}: {type(error).__name__} {problem}: {shown(error)}")
                say(f"FOUND {self.problems[-1]}")
            error.__traceback__ = None
        if refused and before is not None and world.objects() != before:
            self.problems.append(f"{text}: was refused, and yet changed something")
            say(f"FOUND {self.problems[-1]}")
        if own is not None:
            await own.close()
        world.finish()
        if qualified in LOCKING:
            world.anew()
        faulthandler.cancel_dump_traceback_later()


async def run(world: World, seed: str, problems: list[str], calls: list[int]) -> None:
    chance = random.Random(seed)
    every = chance.sample(cases(), 120)
    async with aio.Rados(conffile=world.conf) as cluster:
        async with cluster.open_ioctx(world.pool) as ioctx:
            things = AsyncWorld(world, cluster, ioctx)
            for number, (cls, name) in enumerate(every):
                if number % 20 == 0:
                    world.anew()
                try:
                    await things.attempt(chance, cls, name)
                except (rados.Error, rbd.Error):
                    # an earlier call has removed what this one is made on
                    world.anew()
                    await things.attempt(chance, cls, name)
                # these change the context that the others use
                ioctx.sync.set_namespace("")
                ioctx.sync.set_locator_key(None)
                ioctx.sync.set_read(rados.LIBRADOS_SNAP_HEAD)
    problems += things.problems
    calls.append(things.calls)


def main(conf: str, pool: str, other_pool: str, seed: str, examples: str, backend: str) -> int:
    import warnings

    warnings.simplefilter("ignore")
    world = World(conf, pool, other_pool)
    problems: list[str] = []
    calls: list[int] = []
    begun = time.monotonic()

    @hypothesis.seed(int(seed))
    @hypothesis.settings(
        max_examples=int(examples),
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.quiet,
    )
    @hypothesis.given(data=st.data())
    def example(data: Any) -> None:
        drawn = data.draw(st.integers(0, 1 << 32))
        world.begin(drawn)
        anyio.run(run, world, f"{seed} {backend} {drawn}", problems, calls, backend=backend)
        world.end()

    example()
    world.other_ioctx.close()
    world.foreign.shutdown()
    world.ioctx.close()
    world.cluster.shutdown()
    took = time.monotonic() - begun
    say(f"{sum(calls)} calls, {len(problems)} findings in {took:.0f} s")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
