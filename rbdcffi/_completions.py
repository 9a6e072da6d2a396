"""Operations with callbacks: what those on images and on objects have in common.

Callbacks run on a Python thread of this package, one after the other, never on one of the
libraries': a callback may do anything but wait for another one; closing what the operation is on
is fine.
"""

from __future__ import annotations

import collections
import os
import select
import threading
from typing import Any, Callable

from rbdcffi._calls import Calling, named
from rbdcffi._errors import EIO, refusal
from rbdcffi._ffi import ffi, lib
from rbdcffi._forks import called
from rbdcffi._threads import Flag, start_thread

BATCH = 256

#: The name of the thread that makes the callbacks.
THREAD = "rbdcffi-callbacks"


def nothing(value: int) -> tuple[Any, ...]:
    """The arguments of a callback that is given the completion only."""
    return ()


def check_callback(
    oncomplete: object, what: str, optional: bool = True, name: str = "oncomplete"
) -> None:
    """Callbacks are checked before anything is started."""
    if not (callable(oncomplete) or (optional and oncomplete is None)):
        raise TypeError(f"{what}: {name} must be callable, not {type(oncomplete).__name__}")


class Started(Calling):
    """An operation that was started, and what will be called when it is done."""

    # for one whose constructor did not run, or not to its end
    _value: int | None = None
    _error: BaseException | None = None

    #: of the module: the kind of the handles that it works on, and the class of logic errors
    _kind: int
    _logic_error: type[Exception]

    def __init__(self, oncomplete: Callable[..., Any] | None, result: Callable[[int], Any]) -> None:
        for name, value in (("oncomplete", oncomplete), ("result", result)):
            if not callable(value) and not (name == "oncomplete" and value is None):
                raise TypeError(named(f"{name} must be callable, not {type(value).__name__}"))
        self._oncomplete = oncomplete
        #: makes the arguments for the callback out of the return value
        self._arguments = result
        self._called = Flag()
        self._process = os.getpid()
        #: whether somebody was told of the error
        self._told = False

    def is_complete(self) -> bool:
        """Whether the operation is done."""
        return self._value is not None

    def get_return_value(self) -> int:
        """The result: a count or 0, or a negative errno. 0 as long as is_complete() is false."""
        return self._value or 0

    def _wait_for_callback(self) -> None:
        if on_callback_thread() and not self._called.is_set():
            raise self._logic_error(
                "wait_for_complete_and_cb: a callback cannot wait for one that runs after it"
            )
        self._check_process("wait_for_complete_and_cb", self._called)
        self._called.wait()
        if self._error is not None:
            self._told = True
            raise self._error

    def _check_process(self, what: str, event: Flag) -> None:
        """The thread that would set the event may be the parent's."""
        if self._process != os.getpid() and not event.is_set():
            raise refusal(self._kind, lib.RBDCFFI_FORKED, f"Completion.{what}")

    def _arrived(self, value: int) -> None:
        """C is done: called at once, on any thread."""

    def _finished(self, value: int) -> None:
        """Called in the order of arrival, on the thread that makes the callbacks."""
        self._value = value
        try:
            self._call(value)
        except BaseException as error:
            self._error = error
        finally:
            # what C used may go now
            self._arguments = nothing
            self._oncomplete = None
            self._called.set()

    def _call(self, value: int) -> None:
        if self._oncomplete is not None:
            called(self._oncomplete, self, *self._arguments(value))

    def __del__(self) -> None:
        if self._error is not None and not self._told:
            # nobody can catch it here: Python hands it to sys.unraisablehook
            raise self._error


class Dispatcher:
    """The thread that takes finished operations out of the C queue and calls back."""

    def __init__(self) -> None:
        self._process = os.getpid()
        queue = lib.rbdcffi_queue_new()
        if queue == ffi.NULL:
            number: int = ffi.errno  # type: ignore[attr-defined]
            raise OSError(number, named(f"no eventfd for completions: {os.strerror(number)}"))
        self.queue = ffi.gc(queue, lib.rbdcffi_queue_free)
        self._lock = threading.Lock()
        self._next = 1
        self._pending: dict[int, tuple[Started, Any]] = {}
        #: what C is done with, and its results: their callbacks are still to be made
        self._ready: collections.deque[tuple[Started, int]] = collections.deque()
        # of the same thread again: what is let go of may have finalizers, and they may wait
        self._taking = threading.RLock()
        self._tokens = ffi.new("uint64_t[]", BATCH)
        self._results = ffi.new("int64_t[]", BATCH)
        start_thread(self._run, name=THREAD)

    def _run(self) -> None:
        poll = select.poll()
        poll.register(lib.rbdcffi_queue_fd(self.queue), select.POLLIN)
        while True:
            poll.poll()
            self._take()
            while self._ready:
                completion, result = self._ready.popleft()
                completion._finished(result)
                del completion

    def _take(self) -> None:
        with self._taking:
            count = lib.rbdcffi_queue_drain(self.queue, self._tokens, self._results, BATCH)
            tokens, results = ffi.unpack(self._tokens, count), ffi.unpack(self._results, count)
            for token, result in zip(tokens, results):
                completion = self._pending.pop(token)[0]
                self._ready.append((completion, result))
                completion._arrived(result)

    def help(self) -> None:
        """For those who wait for an operation, not for its callback: the thread may be in a
        callback that takes long, or waits for them, or this may be that callback."""
        self._take()
        if self._ready:
            # the thread may have looked before, and sleep now
            lib.rbdcffi_queue_wake(self.queue)

    def submit(self, completion: Started, submit: Any, gate: Any, *args: Any, keep: Any) -> int:
        """Starts an operation; negative if C refuses it. `keep` is what C uses until it is done."""
        with self._lock:
            token = self._next
            self._next += 1
        self._pending[token] = (completion, keep)
        try:
            result: int = submit(gate, self.queue, token, *args)
        except (TypeError, OverflowError):
            self._pending.pop(token, None)
            raise
        # after Ctrl-C nobody knows whether C has begun, and uses what is kept
        if result < 0:
            del self._pending[token]
        return result

    def run(self, completion: Started, function: Callable[[], int], name: str) -> None:
        """Calls a function that blocks, in a thread of its own; what it returns is the result."""
        with self._lock:
            token = self._next
            self._next += 1
        self._pending[token] = (completion, None)

        def call() -> None:
            result = -EIO
            try:
                result = function()
            finally:
                lib.rbdcffi_queue_push(self.queue, token, result)

        try:
            start_thread(call, name=name)
        except RuntimeError:
            # no more threads; after Ctrl-C there may be one
            self._pending.pop(token, None)
            raise


_dispatcher: Dispatcher | None = None
_dispatcher_lock = threading.Lock()


def the_dispatcher() -> Dispatcher:
    """The process's dispatcher."""
    global _dispatcher
    with _dispatcher_lock:
        if _dispatcher is None or _dispatcher._process != os.getpid():
            _dispatcher = Dispatcher()
        return _dispatcher


def on_callback_thread() -> bool:
    """Whether this is a callback."""
    return threading.current_thread().name == THREAD


def _after_fork() -> None:
    # another thread may have held them when the process was copied
    global _dispatcher_lock
    _dispatcher_lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
