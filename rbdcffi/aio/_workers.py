"""Worker threads for blocking calls, which come in numbers.

anyio.to_thread wakes a thread and the event loop for every call, and the loop goes round three
times; with 64 calls of 20 us at once, threads mostly wait for each other. Here a thread that is
awake takes call after call, wakes another one only if calls are left, and tells the loop of many
finished calls at once.

What anyio.to_thread promises holds: one token of the limiter for each call, a cancelled scope
waits for the call, a native asyncio cancellation does not. The token comes back when the call has
returned, waited for or not. The threads are daemons: those that a hanging cluster keeps do not keep
the process. The others end before the interpreter does.
"""

from __future__ import annotations

import atexit
import os
import threading
import time
import weakref
from collections import deque
from typing import Any, Callable, TypeVar

import anyio
from anyio.lowlevel import checkpoint_if_cancelled

from rbdcffi.aio._loops import PerLoop, in_trio

Result = TypeVar("Result")

#: Worker threads for image and object I/O, per event loop; as deep as a queue gets on threads.
IO_THREADS = 64
#: Seconds after which a thread without work ends.
IDLE = 10.0
#: Seconds between two looks of such a thread at whether its loop is over: PyPy collects that late.
LOOK = 0.25
#: Seconds that exit waits for those without work.
LEAVING = 1.0


class Job:
    """A call for a worker thread."""

    __slots__ = ("args", "error", "function", "limiter", "result", "waiter")

    def __init__(
        self, function: Callable[..., Any], args: Any, limiter: anyio.CapacityLimiter
    ) -> None:
        self.function: Any = function
        self.args = args
        self.limiter = limiter
        self.result: Any = None
        self.error: BaseException | None = None
        self.waiter: Any = None

    def run(self) -> None:
        try:
            self.result = self.function(*self.args)
        except BaseException as error:
            self.error = error
        self.function = self.args = None


class Workers:
    """The worker threads of one event loop."""

    #: what a limiter without tokens raises
    _full: tuple[type[Exception], ...] = (anyio.WouldBlock,)

    def __init__(self) -> None:
        # made inside of the loop it belongs to: a limiter binds to the first one it meets
        self.limiter = anyio.CapacityLimiter(IO_THREADS)
        self._process = os.getpid()
        self._jobs: deque[Job] = deque()
        #: finished, and the loop does not know yet
        self._done: deque[Job] = deque()
        self._told = False
        #: admitted by a limiter and not yet taken out of `_done`; changed by the loop's thread only
        self._open = 0
        # guards what follows
        self._lock = threading.Lock()
        self._threads: set[threading.Thread] = set()
        #: no thread sleeps any more: it ends
        self._ending = False
        #: one lock for each thread that sleeps; the last is the warmest
        self._idle: list[threading.Lock] = []
        #: a thread is on its way to look for jobs
        self._waking = False

    # -- what the two kinds of event loop do differently ---------------------------------------

    def _tell(self) -> None:
        """Makes the loop call `_drain`; from any thread."""
        raise NotImplementedError

    async def _wait(self, job: Job, abandon: bool) -> None:
        """Waits for a job; a cancelled scope ends that only with `abandon`."""
        raise NotImplementedError

    def _wake(self, waiter: Any) -> None:
        """The job that `waiter` waits for is done."""
        raise NotImplementedError

    def _loop_is_over(self) -> bool:
        """Whether it is known to have ended."""
        raise NotImplementedError

    # -- the loop's side -----------------------------------------------------------------------

    async def call(
        self,
        function: Callable[..., Result],
        *args: Any,
        limiter: anyio.CapacityLimiter | None,
        abandon: bool = False,
    ) -> Result:
        """Calls a function in a worker thread.

        Parameters:
            limiter: the loop's, for I/O, if None.
            abandon: a cancelled scope leaves at once, and the call goes on alone.
        """
        await checkpoint_if_cancelled()
        limiter = limiter or self.limiter
        job = Job(function, args, limiter)
        try:
            limiter.acquire_on_behalf_of_nowait(job)
        except self._full:
            await limiter.acquire_on_behalf_of(job)
        self._submit(job)
        await self._wait(job, abandon)
        if job.error is not None:
            error, job.error = job.error, None
            try:
                raise error
            finally:
                # the traceback has this frame
                del error
        return job.result  # type: ignore[no-any-return]

    def _submit(self, job: Job) -> None:
        self._open += 1
        self._jobs.append(job)
        try:
            self._wake_one()
        except RuntimeError:
            # no more threads: those there are take it, if there are any
            if not self._threads:
                self._jobs.remove(job)
                self._finished(job)
                raise

    def _drain(self) -> None:
        self._told = False
        done = self._done
        while done:
            job = done.popleft()
            self._finished(job)
            if job.waiter is not None:
                self._wake(job.waiter)

    def _finished(self, job: Job) -> None:
        self._open -= 1
        job.limiter.release_on_behalf_of(job)

    # -- the threads' side ---------------------------------------------------------------------

    def _wake_one(self) -> None:
        """Sees to it that a thread looks for jobs."""
        with self._lock:
            if self._waking:
                return
            if self._idle:
                self._waking = True
                self._idle.pop().release()
                return
            if len(self._threads) >= self._open:
                # one of them is between two jobs, and looks for more before it sleeps
                return
            self._waking = True
            thread = threading.Thread(
                target=_work, args=(weakref.ref(self),), name="rbdcffi-worker", daemon=True
            )
            self._threads.add(thread)
        try:
            thread.start()
        except BaseException:
            with self._lock:
                self._waking = False
                self._threads.discard(thread)
            raise

    def _serve(self, awake: threading.Lock) -> bool:
        """Makes calls until there are none. Whether the thread sleeps now, until `awake` is
        released, or ends."""
        jobs, done = self._jobs, self._done
        with self._lock:
            self._waking = False
        while True:
            try:
                job = jobs.popleft()
            except IndexError:
                with self._lock:
                    if jobs:
                        continue
                    if self._ending:
                        self._threads.discard(threading.current_thread())
                        return False
                    self._idle.append(awake)
                    return True
            if jobs and not self._waking:
                try:
                    self._wake_one()
                except RuntimeError:
                    pass  # no more threads: this one comes back for the rest
            job.run()
            done.append(job)
            del job
            if not self._told:
                self._told = True
                try:
                    self._tell()
                except RuntimeError:
                    pass  # the loop has ended, nobody waits

    def _overslept(self, awake: threading.Lock) -> bool:
        """Whether a thread that has slept for long may end: nobody has just called it."""
        with self._lock:
            if awake not in self._idle:
                return False
            self._idle.remove(awake)
            self._threads.discard(threading.current_thread())
            return True

    def __del__(self) -> None:
        # the loop is gone, and those who sleep have nothing to wait for
        for awake in self._idle:
            awake.release()

    def end(self) -> list[threading.Thread]:
        """Those without work end now, the others when they are done. Returns all of them."""
        if self._process != os.getpid():
            return []  # they stayed in the parent, as may have done who held the lock
        with self._lock:
            self._ending = True
            idle, self._idle = self._idle, []
            threads = list(self._threads)
        for awake in idle:
            awake.release()
        return threads


def _work(owner: weakref.ref[Workers]) -> None:
    """What a thread does. It keeps the workers, and what they know of the loop, only while it has
    something to do: they go with the loop."""
    awake = threading.Lock()
    awake.acquire()
    while True:
        workers = owner()
        if workers is None or not workers._serve(awake):
            return
        end = time.monotonic() + IDLE
        del workers
        while not awake.acquire(timeout=LOOK):
            workers = owner()
            if workers is None:
                return
            if (time.monotonic() > end or workers._loop_is_over()) and workers._overslept(awake):
                return
            del workers


class _AsyncioWorkers(Workers):
    def __init__(self) -> None:
        import asyncio

        super().__init__()
        # the RunVar keeps what is kept here as long as the loop lives
        self._loop = weakref.ref(asyncio.get_running_loop())

    def _tell(self) -> None:
        loop = self._loop()
        if loop is not None:
            loop.call_soon_threadsafe(self._drain)

    def _loop_is_over(self) -> bool:
        loop = self._loop()
        return loop is None or loop.is_closed()

    async def _wait(self, job: Job, abandon: bool) -> None:
        loop = self._loop()
        assert loop is not None
        future = job.waiter = loop.create_future()
        try:
            if abandon:
                await future
            else:
                with anyio.CancelScope(shield=True):
                    await future
        finally:
            # a native cancellation leaves the job, which must not keep the loop
            job.waiter = None

    def _wake(self, waiter: Any) -> None:
        if not waiter.done():
            waiter.set_result(None)


class _TrioWorkers(Workers):
    def __init__(self) -> None:
        import trio

        super().__init__()
        self._trio = trio
        # not every anyio translates it
        self._full = (anyio.WouldBlock, trio.WouldBlock)
        self._token = weakref.ref(trio.lowlevel.current_trio_token())

    def _tell(self) -> None:
        token = self._token()
        if token is not None:
            token.run_sync_soon(self._drain)

    def _loop_is_over(self) -> bool:
        return self._token() is None

    async def _wait(self, job: Job, abandon: bool) -> None:
        lowlevel = self._trio.lowlevel

        def abort(raise_cancel: Any) -> Any:
            if not abandon:
                return lowlevel.Abort.FAILED
            job.waiter = None
            return lowlevel.Abort.SUCCEEDED

        job.waiter = lowlevel.current_task()
        await lowlevel.wait_task_rescheduled(abort)

    def _wake(self, waiter: Any) -> None:
        self._trio.lowlevel.reschedule(waiter)


#: of all event loops
_every: weakref.WeakSet[Workers] = weakref.WeakSet()


def _make() -> Workers:
    made = _TrioWorkers() if in_trio() else _AsyncioWorkers()
    _every.add(made)
    return made


@atexit.register
def _leave() -> None:
    """At exit: a thread that waits for work would be stopped by the interpreter's end wherever it
    is just then."""
    threads = [thread for workers in list(_every) for thread in workers.end()]
    deadline = time.monotonic() + LEAVING
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))


_workers = PerLoop("rbdcffi_workers", _make)


def workers() -> Workers:
    """The running event loop's worker threads."""
    return _workers.get()
