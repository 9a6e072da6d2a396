"""I/O with callbacks, as the standard binding has it.

Callbacks run on a Python thread of this package, one after the other, never on one of librbd's:
a callback may do anything but wait for another one; closing the image is fine.
"""

from __future__ import annotations

import os
import select
import threading
from typing import Any, Callable

from rbdcffi._buffers import new_uncleared, number, readable
from rbdcffi._ffi import ffi, lib, new_bytes
from rbdcffi.rbd._base import ImageBase
from rbdcffi.rbd.errors import LogicError

BATCH = 256

#: The name of the thread that makes the callbacks.
THREAD = "rbdcffi-callbacks"


class Completion:
    """An operation that was started, and what will be called when it is done."""

    def __init__(self, oncomplete: Callable[..., Any] | None, result: Callable[[int], Any]) -> None:
        self._oncomplete = oncomplete
        #: makes the arguments for the callback out of the return value
        self._arguments = result
        self._value: int | None = None
        self._called = threading.Event()
        self._error: BaseException | None = None

    def is_complete(self) -> bool:
        """Whether the operation is done. Implements: rbd_aio_is_complete"""
        return self._value is not None

    def wait_for_complete_and_cb(self) -> None:
        """Waits until the operation is done and its callback has returned; raises what the
        callback raised. Not from a callback: those run one after the other, in one thread.

        Implements: rbd_aio_wait_for_complete
        """
        if threading.current_thread().name == THREAD and not self._called.is_set():
            raise LogicError(
                "wait_for_complete_and_cb: a callback cannot wait for one that runs after it"
            )
        self._called.wait()
        error, self._error = self._error, None
        if error is not None:
            raise error

    def get_return_value(self) -> int | None:
        """The result: a count or 0, or a negative errno; None before the operation is done.

        Implements: rbd_aio_get_return_value
        """
        return self._value

    def _finished(self, value: int) -> None:
        self._value = value
        try:
            if self._oncomplete is not None:
                self._oncomplete(self, *self._arguments(value))
        except BaseException as error:
            self._error = error
        finally:
            # what C used may go now
            self._arguments = _nothing
            self._called.set()


class _Dispatcher:
    """The thread that takes finished operations out of the C queue and calls back."""

    def __init__(self) -> None:
        self._process = os.getpid()
        queue = lib.rbdcffi_queue_new()
        if queue == ffi.NULL:
            raise MemoryError("no eventfd for completions")
        self.queue = ffi.gc(queue, lib.rbdcffi_queue_free)
        self._lock = threading.Lock()
        self._next = 1
        self._pending: dict[int, tuple[Completion, Any]] = {}
        threading.Thread(target=self._run, name=THREAD, daemon=True).start()

    def _run(self) -> None:
        tokens = ffi.new("uint64_t[]", BATCH)
        results = ffi.new("int64_t[]", BATCH)
        poll = select.poll()
        poll.register(lib.rbdcffi_queue_fd(self.queue), select.POLLIN)
        while True:
            poll.poll()
            count = lib.rbdcffi_queue_drain(self.queue, tokens, results, BATCH)
            for token, result in zip(ffi.unpack(tokens, count), ffi.unpack(results, count)):
                completion, _ = self._pending.pop(token)
                completion._finished(result)
                del completion

    def submit(self, completion: Completion, submit: Any, gate: Any, *args: Any, keep: Any) -> int:
        with self._lock:
            token = self._next
            self._next += 1
        self._pending[token] = (completion, keep)
        try:
            result: int = submit(gate, self.queue, token, *args)
        except BaseException:
            del self._pending[token]
            raise
        if result < 0:
            del self._pending[token]
        return result


_dispatcher: _Dispatcher | None = None
_dispatcher_lock = threading.Lock()


def _the_dispatcher() -> _Dispatcher:
    global _dispatcher
    with _dispatcher_lock:
        if _dispatcher is None or _dispatcher._process != os.getpid():
            _dispatcher = _Dispatcher()
        return _dispatcher


def _nothing(value: int) -> tuple[Any, ...]:
    return ()


class CallbackIO(ImageBase):
    """The part of Image that does I/O with callbacks.

    `oncomplete` is called with the Completion first; the methods return it too.
    """

    def _start(
        self,
        what: str,
        oncomplete: Callable[..., Any] | None,
        result: Callable[[int], Any],
        submit: Any,
        *args: Any,
        keep: Any = None,
    ) -> Completion:
        if oncomplete is not None and not callable(oncomplete):
            raise TypeError(
                f"Image.{what} of {self._label!r}: oncomplete must be callable, "
                f"not {type(oncomplete).__name__}"
            )
        completion = Completion(oncomplete, result)
        try:
            started = _the_dispatcher().submit(completion, submit, self._gate, *args, keep=keep)
        except (TypeError, OverflowError) as error:
            raise self._bad(error, what) from None
        if started < 0:
            raise self._failed(started, what)
        return completion

    def aio_read(
        self,
        offset: int,
        length: int,
        oncomplete: Callable[[Completion, bytes | None], Any],
        fadvise_flags: int = 0,
    ) -> Completion:
        """Starts to read; `oncomplete(completion, data)`, data is None after an error.

        Raises InvalidArgument, IOError, TypeError, OverflowError. Implements: rbd_aio_read2
        """
        what = f"aio_read({offset!r}, {length!r})"
        number(length, f"Image.{what} of {self._label!r}: length")
        try:
            own = new_bytes is None or length < 2
            buffer: Any = new_uncleared("char[]", length) if own else new_bytes(length)  # type: ignore[misc]
        except (TypeError, OverflowError) as error:
            raise self._bad(error, what) from None

        def result(value: int) -> tuple[Any, ...]:
            if value < 0:
                return (None,)
            if own:
                return (bytes(ffi.buffer(buffer, value)),)
            return (buffer if value == length else buffer[:value],)

        return self._start(
            what,
            oncomplete,
            result,
            lib.rbdcffi_aio_read,
            offset,
            length,
            buffer,
            fadvise_flags,
            keep=buffer,
        )

    def aio_write(
        self,
        data: Any,
        offset: int,
        oncomplete: Callable[[Completion], Any],
        fadvise_flags: int = 0,
    ) -> Completion:
        """Starts to write; `data` is kept, and must not change, until it is written.

        Raises InvalidArgument, IOError, TypeError, OverflowError. Implements: rbd_aio_write2
        """
        buffer, length = readable(data, "data")
        return self._start(
            f"aio_write({length} bytes, {offset!r})",
            oncomplete,
            _nothing,
            lib.rbdcffi_aio_write,
            offset,
            length,
            buffer,
            fadvise_flags,
            keep=(data, buffer),
        )

    def aio_discard(
        self, offset: int, length: int, oncomplete: Callable[[Completion], Any]
    ) -> Completion:
        """Starts to trim a range. Raises TypeError, OverflowError. Implements: rbd_aio_discard"""
        return self._start(
            f"aio_discard({offset!r}, {length!r})",
            oncomplete,
            _nothing,
            lib.rbdcffi_aio_discard,
            offset,
            length,
        )

    def aio_write_zeroes(
        self,
        offset: int,
        length: int,
        oncomplete: Callable[[Completion], Any],
        zero_flags: int = 0,
    ) -> Completion:
        """Starts to make a range read as zeroes.

        Raises TypeError, OverflowError. Implements: rbd_aio_write_zeroes
        """
        return self._start(
            f"aio_write_zeroes({offset!r}, {length!r})",
            oncomplete,
            _nothing,
            lib.rbdcffi_aio_write_zeroes,
            offset,
            length,
            zero_flags,
            0,
        )

    def aio_flush(self, oncomplete: Callable[[Completion], Any]) -> Completion:
        """Starts to make safe what was written before. Implements: rbd_aio_flush"""
        return self._start("aio_flush", oncomplete, _nothing, lib.rbdcffi_aio_flush)
