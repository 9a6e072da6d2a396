"""The threads behind I/O calls: what anyio.to_thread promises, and that no call is forgotten."""

from __future__ import annotations

import asyncio
import gc
import random
import subprocess
import sys
import threading
import time
import weakref
from typing import Any

import anyio
import pytest

from rbdcffi.aio import _workers, io_limiter
from rbdcffi.aio._offload import offload_io

pytestmark = pytest.mark.anyio


def _threads() -> int:
    return sum(thread.name == "rbdcffi-worker" for thread in threading.enumerate())


async def _until(condition: Any) -> None:
    with anyio.fail_after(10):
        while not condition():
            await anyio.sleep(0.01)


async def test_results_and_errors() -> None:
    assert await offload_io(divmod, 7, 2) == (3, 1)
    assert await offload_io(int, "11", base=2) == 3
    with pytest.raises(ZeroDivisionError) as error:
        await offload_io(divmod, 7, 0)
    assert error.value.__context__ is None


async def test_many_calls_of_many_lengths() -> None:
    """Whoever goes to sleep just when a call comes, the call is made."""
    left = list(range(3000))
    seen = set()
    pause = random.Random(1)

    def call(number: int, seconds: float) -> int:
        if seconds:
            time.sleep(seconds)
        return number

    async def work() -> None:
        while left:
            number = left.pop()
            seen.add(await offload_io(call, number, pause.choice((0, 0, 0, 0, 0.0001, 0.002))))
            if pause.random() < 0.1:
                await anyio.sleep(pause.random() / 200)

    with anyio.fail_after(60):
        async with anyio.create_task_group() as group:
            for _ in range(32):
                group.start_soon(work)
    assert seen == set(range(3000))
    assert io_limiter().borrowed_tokens == 0


async def test_calls_that_hang_leave_room_for_others() -> None:
    go_on = threading.Event()
    limiter = anyio.CapacityLimiter(5)
    results = []

    async def hang() -> None:
        results.append(await offload_io(go_on.wait, 30, limiter=limiter))

    async with anyio.create_task_group() as group:
        for _ in range(4):
            group.start_soon(hang)
        await _until(lambda: limiter.borrowed_tokens == 4)
        for number in range(20):
            with anyio.fail_after(10):
                assert await offload_io(abs, -number, limiter=limiter) == number
        go_on.set()
    assert results == [True] * 4


async def test_the_limiter_limits() -> None:
    limiter = anyio.CapacityLimiter(3)
    lock = threading.Lock()
    running = most = 0

    def call() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.005)
        with lock:
            running -= 1

    async with anyio.create_task_group() as group:
        for _ in range(40):
            group.start_soon(offload_io_with, limiter, call)
    assert most == 3
    assert limiter.borrowed_tokens == 0


async def offload_io_with(limiter: anyio.CapacityLimiter, call: Any) -> None:
    await offload_io(call, limiter=limiter)


async def test_a_cancelled_scope_waits_for_the_call() -> None:
    done = []

    def call() -> None:
        time.sleep(0.3)
        done.append(1)

    with anyio.move_on_after(0.05) as scope:
        await offload_io(call)
        assert done
        await anyio.sleep(0)
    assert scope.cancelled_caught
    assert done


async def test_a_cancelled_scope_starts_nothing() -> None:
    made = []
    with anyio.CancelScope() as scope:
        scope.cancel()
        await offload_io(made.append, 1)
    assert not made
    assert io_limiter().borrowed_tokens == 0

    limiter = anyio.CapacityLimiter(1)
    go_on = threading.Event()
    async with anyio.create_task_group() as group:
        group.start_soon(offload_io_with, limiter, go_on.wait)
        await _until(lambda: limiter.borrowed_tokens)
        with anyio.move_on_after(0.05) as scope:
            await offload_io(made.append, 2, limiter=limiter)
        assert scope.cancelled_caught
        go_on.set()
    assert not made
    assert limiter.borrowed_tokens == 0


async def test_a_native_cancellation_leaves_the_call_and_its_token(anyio_backend_name: str) -> None:
    if anyio_backend_name != "asyncio":
        pytest.skip("native asyncio cancellation")
    limiter = anyio.CapacityLimiter(1)
    go_on = threading.Event()
    started = time.perf_counter()
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(offload_io(go_on.wait, 30, limiter=limiter), 0.05)
    assert time.perf_counter() - started < 10
    assert limiter.borrowed_tokens == 1
    go_on.set()
    await _until(lambda: limiter.borrowed_tokens == 0)
    assert await offload_io(abs, -1, limiter=limiter) == 1


async def test_threads_without_work_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_workers, "IDLE", 0.1)
    # those of earlier tests end when they like
    before = set(threading.enumerate())
    for _ in range(3):
        async with anyio.create_task_group() as group:
            for _ in range(8):
                group.start_soon(offload_io, time.sleep, 0.02)

        def more() -> set[threading.Thread]:
            workers = (t for t in threading.enumerate() if t.name == "rbdcffi-worker")
            return {*workers} - before

        assert more()
        await _until(lambda more=more: not more())


async def test_no_more_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    start = threading.Thread.start

    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    with pytest.raises(RuntimeError, match="new thread"):
        await offload_io(abs, -1)
    assert io_limiter().borrowed_tokens == 0

    monkeypatch.setattr(threading.Thread, "start", start)
    assert await offload_io(abs, -1) == 1
    monkeypatch.setattr(threading.Thread, "start", refuse)
    # the one there is does all
    with anyio.fail_after(30):
        async with anyio.create_task_group() as group:
            for _ in range(8):
                group.start_soon(offload_io, time.sleep, 0.02)


async def test_nothing_is_kept() -> None:
    class Thing:
        def fail(self) -> None:
            raise ValueError

    thing = Thing()
    ended = weakref.ref(thing)
    with pytest.raises(ValueError):
        await offload_io(thing.fail)
    del thing

    def collected() -> bool:
        gc.collect()
        return ended() is None

    await _until(collected)


def test_a_loop_that_ends_before_its_calls() -> None:
    """The thread finds nobody to tell, and the loop's memory goes."""
    go_on = threading.Event()
    failed: list[Any] = []
    hook, threading.excepthook = threading.excepthook, failed.append

    async def abandon() -> Any:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(offload_io(go_on.wait, 30), 0.05)
        return weakref.ref(asyncio.get_running_loop())

    try:
        loop = asyncio.run(abandon())
        go_on.set()
        until = time.monotonic() + 10
        while loop() is not None and time.monotonic() < until:
            gc.collect()
            time.sleep(0.01)
    finally:
        threading.excepthook = hook
    assert loop() is None
    assert not failed


def test_threads_end_with_their_loop() -> None:
    async def main() -> None:
        async with anyio.create_task_group() as group:
            for _ in range(3):
                group.start_soon(offload_io, time.sleep, 0.01)

    before = _threads()
    for _ in range(20):
        asyncio.run(main())
    deadline = time.monotonic() + _workers.IDLE / 2
    while _threads() > before:
        gc.collect()
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_threads_without_work_end_before_the_interpreter() -> None:
    program = """
import atexit, threading

def workers_left():
    print(sum(thread.name == "rbdcffi-worker" for thread in threading.enumerate()))

atexit.register(workers_left)  # called last

import time
import anyio
from rbdcffi.aio import _workers

all_at_once = threading.Barrier(20)

async def main():
    async def call():
        await _workers.workers().call(all_at_once.wait, 30, limiter=None)

    async with anyio.create_task_group() as group:
        for _ in range(20):
            group.start_soon(call)
    workers_left()

anyio.run(main)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "20\n0\n", "")
