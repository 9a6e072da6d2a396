"""The completion engine: asynchronous I/O of librbd and librados, without worker threads.

An operation is submitted from the event loop's thread and finishes on one of the library's, in C.
Its token appears in a queue whose eventfd the event loop watches; one wake-up drains many. Python
is never entered from a thread of the libraries.

Whatever C reads or writes is kept in `_pending` until the token has come back, whether anybody
still waits for it or not. Cancelling therefore returns at once.
"""

from __future__ import annotations

import itertools
import os
import threading
from typing import Any, Callable

from rbdcffi._errors import ECANCELED
from rbdcffi._ffi import ffi, lib
from rbdcffi.aio._loops import PerLoop, in_trio

#: How many finished operations one call into C returns.
BATCH = 512

_tokens = itertools.count(1)

#: Engines whose event loop may have ended before their operations; see _sweep.
_engines: dict[Engine, None] = {}
_sweeping = threading.Lock()


class InFlight:
    """An operation, and what C uses until it is finished."""

    __slots__ = ("finished", "keep", "result", "waiter")

    finished: bool
    keep: Any
    result: int
    waiter: Any


class Engine:
    """The operations of one event loop that are in flight."""

    _loop: Any = None

    def __init__(self) -> None:
        queue = lib.rbdcffi_queue_new()
        if queue == ffi.NULL:
            raise MemoryError("no eventfd for the completion engine")
        self.queue = ffi.gc(queue, lib.rbdcffi_queue_free)
        self._fd = lib.rbdcffi_queue_fd(queue)
        self._found = ffi.new("uint64_t[]", BATCH)
        self._results = ffi.new("int64_t[]", BATCH)
        self._pending: dict[int, InFlight] = {}
        #: how many threads are in start_late, and whether it is too late for them
        self._starting = 0
        self._released = False
        self._lock = threading.Lock()
        self._start()

    # -- what the two kinds of event loop do differently ---------------------------------------

    def _start(self) -> None:
        """Begins to watch the eventfd."""
        raise NotImplementedError

    def _ended(self) -> bool:
        """Whether the event loop is over."""
        raise NotImplementedError

    def start(
        self, operation: InFlight, keep: Any, submit: Callable[..., int], gate: Any, *args: Any
    ) -> int:
        """Submits an operation; negative if C refuses it.

        `keep` is what C uses until the operation is finished, waited for or not.
        """
        operation.finished = False
        operation.keep = keep
        operation.waiter = None
        token = next(_tokens)
        self._pending[token] = operation
        try:
            result = submit(gate, self.queue, token, *args)
        except (TypeError, OverflowError):
            self._pending.pop(token, None)
            raise
        # after Ctrl-C nobody knows whether C has begun, and uses what is kept
        if result < 0:
            del self._pending[token]
        return result

    def start_late(
        self, operation: InFlight, keep: Any, submit: Callable[..., int], gate: Any, *args: Any
    ) -> int:
        """start() in another thread, for what may block; the event loop may be over meanwhile."""
        with self._lock:
            if self._released:
                return -ECANCELED
            self._starting += 1
        try:
            return self.start(operation, keep, submit, gate, *args)
        finally:
            with self._lock:
                self._starting -= 1

    async def wait(self, operation: InFlight) -> None:
        """Until the operation is finished; for one waiter at a time. Cancelling returns at once,
        and the operation can be waited for again."""
        raise NotImplementedError

    def _wake(self, waiter: Any) -> None:
        """The operation that `waiter` waits for is finished."""
        raise NotImplementedError

    # -- what they have in common --------------------------------------------------------------

    def drain(self) -> None:
        """Hands the results of finished operations to whoever waits for them."""
        pending = self._pending
        count = lib.rbdcffi_queue_drain(self.queue, self._found, self._results, BATCH)
        for token, result in zip(ffi.unpack(self._found, count), ffi.unpack(self._results, count)):
            operation = pending.pop(token)
            operation.result = result
            operation.finished = True
            operation.keep = None
            if operation.waiter is not None:
                self._wake(operation.waiter)

    def sweep(self) -> bool:
        """For an engine whose loop has ended: lets go of what C is done with. True if all is."""
        while True:
            count = lib.rbdcffi_queue_drain(self.queue, self._found, self._results, BATCH)
            for token in ffi.unpack(self._found, count):
                self._pending.pop(token, None)
            if not count:
                with self._lock:
                    if self._pending or self._starting:
                        return False
                    self._released = True
                # the RunVar keeps the engine as long as the loop lives, and the engine the loop
                self._loop = None
                ffi.release(self.queue)
                return True


class _AsyncioEngine(Engine):
    def _start(self) -> None:
        import asyncio

        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._fd, self.drain)

    def _ended(self) -> bool:
        return self._loop is None or self._loop.is_closed()

    async def wait(self, operation: InFlight) -> None:
        if not operation.finished:
            # a future of the waiter's own: cancelling it leaves the operation to the next one
            future = operation.waiter = self._loop.create_future()
            await future

    def _wake(self, waiter: Any) -> None:
        if not waiter.done():
            waiter.set_result(None)


class _TrioEngine(Engine):
    def _start(self) -> None:
        import trio

        self._trio = trio
        self._over = False
        trio.lowlevel.spawn_system_task(self._watch, name="rbdcffi completions")

    async def _watch(self) -> None:
        try:
            while True:
                await self._trio.lowlevel.wait_readable(self._fd)
                self.drain()
        finally:
            self._over = True

    def _ended(self) -> bool:
        return self._over

    async def wait(self, operation: InFlight) -> None:
        trio = self._trio
        if operation.finished:
            await trio.lowlevel.checkpoint()
            return

        def abort(raise_cancel: Any) -> Any:
            operation.waiter = None
            return trio.lowlevel.Abort.SUCCEEDED

        operation.waiter = trio.lowlevel.current_task()
        await trio.lowlevel.wait_task_rescheduled(abort)

    def _wake(self, waiter: Any) -> None:
        self._trio.lowlevel.reschedule(waiter)


def _sweep() -> None:
    with _sweeping:
        for engine in list(_engines):
            if engine._ended() and engine.sweep():
                _engines.pop(engine, None)


def _after_fork() -> None:
    # the engines are the parent's, and another thread of it may have held the lock
    global _sweeping
    _sweeping = threading.Lock()
    _engines.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def engine() -> Engine:
    """The running event loop's engine."""
    return _engine.get()


def _make() -> Engine:
    _sweep()
    made: Engine = _TrioEngine() if in_trio() else _AsyncioEngine()
    _engines[made] = None
    return made


_engine = PerLoop("rbdcffi_completion_engine", _make)
