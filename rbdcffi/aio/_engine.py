"""The completion engine: librbd's own asynchronous I/O, without worker threads.

An operation is submitted from the event loop's thread and finishes on one of librbd's, in C. Its
token appears in a queue whose eventfd the event loop watches; one wake-up drains many. Python is
never entered from a thread of librbd.

Whatever C reads or writes is kept in `_pending` until the token has come back, whether anybody
still waits for it or not. Cancelling therefore returns at once.
"""

from __future__ import annotations

import itertools
import sys
from typing import Any, Callable

from anyio.lowlevel import RunVar

from rbdcffi._ffi import ffi, lib

#: How many finished operations one call into C returns.
BATCH = 512

_tokens = itertools.count(1)
_engine: RunVar[Engine] = RunVar("rbdcffi_completion_engine")

#: Engines whose event loop may have ended before their operations; see _sweep.
_engines: dict[Engine, None] = {}


class Operation:
    """One operation in flight, and what C uses until it is finished."""

    __slots__ = ("finished", "keep", "result", "waiter")

    def __init__(self, keep: Any) -> None:
        self.keep = keep
        self.finished = False
        self.result = 0
        self.waiter: Any = None


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
        self._pending: dict[int, Operation] = {}
        self._start()

    # -- what the two kinds of event loop do differently ---------------------------------------

    def _start(self) -> None:
        """Begins to watch the eventfd."""
        raise NotImplementedError

    def _ended(self) -> bool:
        """Whether the event loop is over."""
        raise NotImplementedError

    def start(
        self, submit: Callable[..., int], gate: Any, *args: Any, keep: Any
    ) -> tuple[int, Any]:
        """Submits an operation: (negative result, None) if C refuses it, else (0, operation).

        `keep` is what C uses until the operation is finished, waited for or not.
        """
        token = next(_tokens)
        operation = Operation(keep)
        self._pending[token] = operation
        result = submit(gate, self.queue, token, *args)
        if result < 0:
            del self._pending[token]
            return result, None
        return 0, operation

    async def wait(self, operation: Operation) -> int:
        """The result of an operation, for one waiter at a time. Cancelling returns at once, and the
        operation can be waited for again."""
        raise NotImplementedError

    async def call(self, submit: Callable[..., int], gate: Any, *args: Any, keep: Any) -> int:
        """Submits an operation and waits for its result."""
        result, operation = self.start(submit, gate, *args, keep=keep)
        return result if operation is None else await self.wait(operation)

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
                if self._pending:
                    return False
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

    async def wait(self, operation: Operation) -> int:
        if not operation.finished:
            # a future of the waiter's own: cancelling it leaves the operation to the next one
            future = operation.waiter = self._loop.create_future()
            await future
        return operation.result

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

    async def wait(self, operation: Operation) -> int:
        trio = self._trio
        if operation.finished:
            await trio.lowlevel.checkpoint()
            return operation.result

        def abort(raise_cancel: Any) -> Any:
            operation.waiter = None
            return trio.lowlevel.Abort.SUCCEEDED

        operation.waiter = trio.lowlevel.current_task()
        await trio.lowlevel.wait_task_rescheduled(abort)
        return operation.result

    def _wake(self, waiter: Any) -> None:
        self._trio.lowlevel.reschedule(waiter)


def _sweep() -> None:
    for engine in list(_engines):
        if engine._ended() and engine.sweep():
            _engines.pop(engine, None)


def _in_trio() -> bool:
    # another thread may be importing trio just now
    lowlevel: Any = getattr(sys.modules.get("trio"), "lowlevel", None)
    if not hasattr(lowlevel, "current_trio_token"):
        return False
    try:
        lowlevel.current_trio_token()
    except RuntimeError:
        return False
    return True


def engine() -> Engine:
    """The running event loop's engine."""
    try:
        return _engine.get()
    except LookupError:
        pass
    _sweep()
    made: Engine = _TrioEngine() if _in_trio() else _AsyncioEngine()
    _engine.set(made)
    _engines[made] = None
    return made
