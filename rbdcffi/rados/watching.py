"""Watching objects, and notifying those who watch them."""

from __future__ import annotations

import struct
import threading
import weakref
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Callable, NamedTuple

from rbdcffi._buffers import UINT, c_string, number, readable
from rbdcffi._calls import Calling, named
from rbdcffi._completions import check_callback, the_dispatcher
from rbdcffi._errors import ENOBUFS, ETIMEDOUT, refusal
from rbdcffi._ffi import NULL, ffi, lib
from rbdcffi._forks import called
from rbdcffi._handle import THREAD_WEIGHT, Handle, NotCopyable, leave_behind, weigh
from rbdcffi._threads import start_thread
from rbdcffi._waiting import Call, interruptible
from rbdcffi.rados._notices import CAPACITY, Notice, Receiver, serve
from rbdcffi.rados.completions import Completion
from rbdcffi.rados.errors import RadosStateError, TimedOut, failed, wrong_type
from rbdcffi.rados.objects import Objects, _check_ioctx

if TYPE_CHECKING:
    from rbdcffi.rados.ioctx import Ioctx

#: The name of the threads that call back.
THREAD = "rbdcffi-watch"

#: How long the end of a watch waits for the cluster, in seconds. It goes on without waiting.
PATIENCE = 10.0
#: The same once the cluster has kept somebody waiting for too long, and for finalizers.
IMPATIENCE = 1.0

#: In milliseconds: what the cluster can count to, in seconds.
LONGEST = ((1 << 32) - 1) * 1000


class NotifyResponse(NamedTuple):
    """What became of a notification.

    `acks` has a (notifier_id, watch_id, reply) for each watch that acknowledged it: its client
    (see Rados.get_instance_id), its id (see Watch.get_id), and its reply in bytes, b'' for none.
    `timeouts` has a (notifier_id, watch_id) for each one that did not in time.
    """

    acks: list[tuple[int, int, bytes]]
    timeouts: list[tuple[int, int]]


class Registration:
    """A watch as C knows it: the only child of a context of its own, which ends it first.

    That context is a child of the one that the user has, whose namespace may change meanwhile.
    """

    def __init__(
        self, ioctx: Watching, what: str, obj: str, timeout: int | None, capacity: int = CAPACITY
    ) -> None:
        self.receiver = Receiver()
        self.oid = c_string(obj, "obj", wrong_type)
        self.label = f"watch of object {obj!r} of pool {ioctx._label!r}"
        self._closing = threading.Lock()
        seconds = 0 if timeout is None else number(timeout, "timeout", *UINT)
        if ioctx._handle is None:
            raise refusal(lib.RBDCFFI_IOCTX, lib.RBDCFFI_NEVER_OPENED, what)
        context = self.context = ioctx._open_another(what)
        try:
            raw = self.receiver.raw

            def begin() -> int:
                return lib.rbdcffi_notices_watch(context.gate, raw, self.oid, seconds, capacity)

            def undo(result: int) -> None:
                if result == 0:
                    lib.rbdcffi_notices_unwatch(raw)

            # librados itself waits for ever, whatever rados_osd_op_timeout says
            limit = ioctx._op_timeout()
            try:
                result = interruptible(begin, context, undo, limit)
            except TimeoutError:
                raise TimedOut(f"{what}: no answer within {limit:g} s", ETIMEDOUT) from None
            if result < 0:
                raise failed(result, what)
            context.adopt(self)
        except BaseException:
            self.receiver.end()
            context.close()
            raise

    @property
    def closed(self) -> bool:
        return self.receiver.ended

    @property
    def cookie(self) -> int:
        return int(self.receiver.raw.cookie)

    def check(self, what: str) -> timedelta:
        result = lib.rados_watch_check(self.context.gate, self.cookie)
        if result < 0:
            raise failed(result, what)
        return timedelta(milliseconds=result)

    def acknowledge(self, notify_id: int, reply: bytes) -> int:
        """Answers a notification; a negative result if the watch is over."""
        return int(
            lib.rados_notify_ack(
                self.context.gate, self.oid, notify_id, self.cookie, reply, len(reply)
            )
        )

    def close(self, deadline: float | None = None) -> None:
        """Ends the watch; idempotent. Nothing is received from now on, and the cluster is told.

        If it does not answer, librados goes on trying, and the context stays open until then.
        """
        self.receiver.end()
        # a finalizer may run in the middle of this, in this very thread
        if not self._closing.acquire(blocking=deadline is None):
            return
        try:
            self._leave(deadline is not None)
        finally:
            self._closing.release()
        self.context.disown(self)
        if not self.context.closed:
            self.context.close()

    def _leave(self, hurried: bool) -> None:
        hurried = hurried or any(handle.given_up for handle in self.context._line())
        call = Call(lambda: lib.rbdcffi_notices_unwatch(self.receiver.raw), _ignore, self.context)
        call.start()
        # its result does not matter: the watch may have been lost long ago
        with suppress(TimeoutError):
            call.wait(IMPATIENCE if hurried else PATIENCE)

    def entered(self) -> bool:
        # the callbacks run on threads of our own: closing in one is fine
        return False


def _ignore(result: int) -> None:
    pass


class Watch(Calling, NotCopyable):
    """A watch of an object; ends with close(), ``with``, or its I/O context.

    Its functions run on a thread of the watch's own, one at a time, never on one of librados's:
    they may do anything, even close the watch or shut the cluster down.
    """

    # for one whose constructor did not run, or not to its end
    _registration: Registration | None = None
    _what = "an object"

    def __init__(
        self,
        ioctx: Ioctx,
        obj: str,
        callback: Callable[[int, int, int, bytes], Any],
        error_callback: Callable[[int, int], Any] | None = None,
        timeout: int | None = None,
    ) -> None:
        _check_ioctx(ioctx)
        for name, function in (("callback", callback), ("error_callback", error_callback)):
            if not callable(function) and not (name == "error_callback" and function is None):
                raise TypeError(named(f"{name} must be callable, not {type(function).__name__}"))
        registration = Registration(ioctx, ioctx._what("watch", obj), obj, timeout)
        #: a watch ends with its context
        self.ioctx = ioctx
        self._callback = callback
        self._error_callback = error_callback
        self._what = f"object {obj!r} in pool {ioctx._label!r}"
        self._registration = registration
        weigh(THREAD_WEIGHT)
        try:
            start_thread(
                serve, registration.receiver, _taker(registration, weakref.ref(self)), name=THREAD
            )
        except BaseException:
            registration.close()
            raise

    def _calling(self, call: str, arguments: Mapping[str, Any] | None = None) -> str:
        return f"Watch.{call} of {self._what}"

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._what} {'closed' if self.closed else 'open'}>"

    @property
    def closed(self) -> bool:
        """Whether the watch was ended; a lost one is not, see check()."""
        return self._registration is None or self._registration.closed

    def get_id(self) -> int:
        """The number by which notifications name the watch, 0 once it is closed."""
        return 0 if self._registration is None or self.closed else self._registration.cookie

    def check(self) -> timedelta:
        """For how long nothing is known of the watch: it was there that long ago.

        Raises NotConnected (it was lost, notifications may have been missed; close it and watch
        again), IoctxStateError (it is closed), Error.
        Implements: rados_watch_check
        """
        what = self._calling("check")
        if self._registration is None:
            raise refusal(lib.RBDCFFI_IOCTX, lib.RBDCFFI_NEVER_OPENED, what)
        if self.closed:
            self._registration.context.check(what)
            raise refusal(lib.RBDCFFI_IOCTX, lib.RBDCFFI_CLOSED, what)
        return self._registration.check(what)

    def close(self) -> None:
        """Ends the watch; idempotent, from any thread. A call that is running is not waited for.

        Waits for the cluster to know, 10 seconds at most. Implements: rados_unwatch2
        """
        if self._registration is not None:
            self._registration.close()

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def __del__(self, leave_behind: Any = leave_behind) -> None:
        registration = self._registration
        if registration is not None and not registration.closed:
            leave_behind(registration, f"unclosed {registration.label}", self)


def _taker(registration: Registration, watch: weakref.ref[Watch]) -> Callable[[Notice], None]:
    """What the thread of a watch does with a notice."""

    def take(notice: Notice) -> None:
        found = watch()
        if found is None:
            return  # it was collected just now
        callback, failing = found._callback, found._error_callback
        del found
        if notice.kind == lib.RBDCFFI_NOTICE_NOTIFY:
            notify_id, notifier_id, watch_id = notice.numbers
            reply = reply_of(called(callback, notify_id, notifier_id, watch_id, notice.data))
            registration.acknowledge(notify_id, reply)
        elif failing is not None:
            called(failing, registration.cookie, error_of(notice))

    return take


def error_of(notice: Notice) -> int:
    """The negative errno of a notice that is no notification."""
    return -ENOBUFS if notice.kind == lib.RBDCFFI_NOTICE_MISSED else notice.error


def encoded(text: str, what: str) -> bytes:
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        raise wrong_type(f"{what} cannot be encoded as UTF-8: {error.reason}") from None


def reply_of(value: object) -> bytes:
    """What a callback returned, as the reply to a notification."""
    if value is None:
        return b""
    if isinstance(value, str):
        return encoded(value, "the reply")
    try:
        return bytes(memoryview(value))  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(
            named(
                "the reply to a notification must be bytes, str or None, "
                f"not {type(value).__name__}"
            )
        ) from None


_PAIR = struct.Struct("<QQ")
_COUNT = struct.Struct("<I")


def decoded(buffer: bytes) -> NotifyResponse:
    """A response in the layout that the header of librados describes.

    rados_decode_notify_response would do the same, but for Ceph 14, which lacks it.
    """
    acks, timeouts = [], []
    place = 0

    def unpack(layout: struct.Struct) -> Any:
        nonlocal place
        values = layout.unpack_from(buffer, place)
        place += layout.size
        return values

    if buffer:
        for _ in range(unpack(_COUNT)[0]):
            notifier_id, watch_id = unpack(_PAIR)
            (size,) = unpack(_COUNT)
            acks.append((notifier_id, watch_id, buffer[place : place + size]))
            place += size
        for _ in range(unpack(_COUNT)[0]):
            timeouts.append(unpack(_PAIR))
    return NotifyResponse(acks, timeouts)


class Watching(Objects):
    """The part of Ioctx that watches objects and notifies."""

    def watch(
        self,
        obj: str,
        callback: Callable[[int, int, int, bytes], Any],
        error_callback: Callable[[int, int], Any] | None = None,
        timeout: int | None = None,
    ) -> Watch:
        """Calls `callback(notify_id, notifier_id, watch_id, data)` for every notification of an
        object, until the Watch that is returned is closed.

        The notification is acknowledged when the callback has returned; bytes or str that it
        returns are the reply to the notifier. If it raises, the exception goes to
        threading.excepthook, nothing is acknowledged, and the notifier runs into its timeout.

        Parameters:
            error_callback: `error_callback(watch_id, error)` is called with a negative errno when
                notifications may have been missed: the connection was lost or the object is gone
                (ENOTCONN), the watch is over then and can only be closed; or more than 1024 were
                waiting (ENOBUFS).
            timeout: seconds after which the cluster forgets a client that has vanished; its
                osd_client_watch_timeout (30) if None.

        Raises ObjectNotFound, TimedOut (after rados_osd_op_timeout), TypeError, OverflowError.
        Implements: rados_watch3
        """
        return Watch(self, obj, callback, error_callback, timeout)  # type: ignore[arg-type]

    def notify(self, obj: str, msg: str | bytes = "", timeout_ms: int = 5000) -> bool:
        """Sends a message to all who watch an object, and waits for them to acknowledge it.

        Parameters:
            timeout_ms: how long the cluster waits for them, in milliseconds; rounded up to whole
                seconds. 0 for its default, 30 seconds.

        Returns True.
        Raises ObjectNotFound, TimedOut (somebody did not in time), TypeError, OverflowError, Error.
        Implements: rados_notify2
        """
        result, _ = self._notify("notify", obj, msg, timeout_ms)
        self._done(result, "notify", obj)
        return True

    def notify2(self, obj: str, msg: str | bytes = "", timeout_ms: int = 5000) -> NotifyResponse:
        """The same as notify, and tells who replied what, and who did not in time; that is no
        error here.

        Returns a NotifyResponse: (acks, timeouts).
        Raises ObjectNotFound, TimedOut (no answer from the cluster), TypeError, OverflowError,
        Error. Implements: rados_notify2
        """
        result, response = self._notify("notify2", obj, msg, timeout_ms)
        if result != -ETIMEDOUT or response is None:
            self._done(result, "notify2", obj)
        return NotifyResponse([], []) if response is None else response

    def aio_notify(
        self,
        obj: str,
        oncomplete: Callable[..., Any],
        msg: str | bytes = "",
        timeout_ms: int = 5000,
    ) -> Completion:
        """Starts to notify, and calls `oncomplete(completion, result, acks, timeouts)`: 0 and the
        lists of a NotifyResponse; or a negative errno and None, None. The cluster's answer that
        somebody did not acknowledge in time is such an error, ETIMEDOUT.

        The callback runs as those of other operations do. Returns the Completion.

        Raises TypeError, OverflowError, IoctxStateError. Implements: rados_notify2
        """
        what = self._what("aio_notify", obj)
        check_callback(oncomplete, what, optional=False)
        handle = self._handle
        if handle is None:
            raise refusal(lib.RBDCFFI_IOCTX, lib.RBDCFFI_NEVER_OPENED, what)
        handle.check(what)
        notify = self._notifier(obj, msg, timeout_ms)
        limit = self._op_timeout()
        if limit is not None:
            limit += timeout_ms / 1000
        response: NotifyResponse | None = None

        def run() -> int:
            nonlocal response
            try:
                value, response = interruptible(notify, handle, timeout=limit)
            except TimeoutError:
                return -ETIMEDOUT
            return value

        def told(value: int) -> tuple[Any, ...]:
            if value < 0 or response is None:
                return value, None, None
            return value, list(response.acks), list(response.timeouts)

        completion = Completion(self, oncomplete, result=told)
        the_dispatcher().run(completion, run, "rbdcffi-notify")
        return completion

    def _notify(
        self, call: str, obj: str, msg: str | bytes, timeout_ms: int
    ) -> tuple[int, NotifyResponse | None]:
        handle = self._handle
        if handle is None:
            raise refusal(lib.RBDCFFI_IOCTX, lib.RBDCFFI_NEVER_OPENED, self._what(call, obj))
        handle.check(self._what(call, obj))
        notify = self._notifier(obj, msg, timeout_ms)
        limit = self._op_timeout()
        try:
            return interruptible(
                notify, handle, timeout=None if limit is None else limit + timeout_ms / 1000
            )
        except TimeoutError:
            raise TimedOut(
                f"{self._what(call, obj)}: the cluster does not answer", ETIMEDOUT
            ) from None

    def _notifier(
        self, obj: str, msg: str | bytes, timeout_ms: int
    ) -> Callable[[], tuple[int, NotifyResponse | None]]:
        """Checks the arguments; what it returns notifies, and returns the C result and the
        response, if there is one."""
        oid = c_string(obj, "obj", wrong_type)
        if isinstance(msg, str):
            msg = encoded(msg, "msg")
        data, size = readable(msg, "msg")
        number(size, "the length of msg", 0, (1 << 31) - 1)
        # the cluster counts in whole seconds, and takes 0 for its default of 30
        milliseconds = -(-number(timeout_ms, "timeout_ms", 0, LONGEST) // 1000) * 1000
        gate = self._gate

        def notify() -> tuple[int, NotifyResponse | None]:
            reply, length = ffi.new("char **"), ffi.new("size_t *")
            result = lib.rados_notify2(gate, oid, data, size, milliseconds, reply, length)
            if reply[0] == NULL:
                return result, None
            try:
                return result, decoded(bytes(ffi.buffer(reply[0], length[0])))
            finally:
                lib.rados_buffer_free(reply[0])

        return notify

    def _op_timeout(self) -> float | None:
        """rados_osd_op_timeout, which librados does not use for watches and notifications."""
        try:
            option = self.rados.conf_get("rados_osd_op_timeout")  # type: ignore[attr-defined]
        except RadosStateError:
            # it was shut down just now: the call is told that its context is closed
            return None
        return float(option or 0) or None

    def _open_another(self, what: str) -> Handle:
        raise NotImplementedError
