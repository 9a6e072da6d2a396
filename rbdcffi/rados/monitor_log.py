"""The log of the cluster, line by line as the monitors write it."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any, Callable, NamedTuple

from rbdcffi._buffers import c_string
from rbdcffi._calls import Calling, named
from rbdcffi._errors import EINVAL
from rbdcffi._ffi import NULL, lib
from rbdcffi._forks import called
from rbdcffi._handle import THREAD_WEIGHT, Handle, NotCopyable, weigh
from rbdcffi._threads import start_thread
from rbdcffi.rados._notices import CAPACITY, Notice, Receiver, serve
from rbdcffi.rados.errors import LogicError, failed, wrong_type

if TYPE_CHECKING:
    from rbdcffi.rados.cluster import Rados

#: The name of the threads that call back.
THREAD = "rbdcffi-log"


class LogLine(NamedTuple):
    """A line of the cluster's log, and what it is made of."""

    line: bytes
    channel: bytes
    #: of who wrote it, as in ``mon.a``
    name: bytes
    #: the same with its address
    who: bytes
    sec: int
    nsec: int
    seq: int
    level: bytes
    msg: bytes


def line_of(notice: Notice) -> LogLine:
    line, channel, name, who, level, msg = notice.data.split(b"\0")[:6]
    return LogLine(line, channel, name, who, *notice.numbers, level, msg)


class LogRegistration:
    """The receiver of a cluster's log as C knows it: a child of the cluster."""

    def __init__(self, cluster: Rados, level: str, old: bool, what: str) -> None:
        self.receiver = Receiver()
        self.label = "the log of the cluster"
        self._handle: Handle = cluster._open_handle
        name = c_string(level, "level", wrong_type)
        result = lib.rbdcffi_notices_log(
            self._handle.gate, self.receiver.raw, name, int(old), CAPACITY
        )
        if result == -EINVAL:
            raise LogicError(f"{what}: there is no level {level!r}")
        if result < 0:
            raise failed(result, what)
        self._handle.adopt(self)

    def close(self, deadline: float | None = None) -> None:
        """Nothing is received any more. librados goes on in vain until another one begins, or
        rados_monitor_log is told to stop."""
        self.receiver.end()
        self._handle.disown(self)

    def entered(self) -> bool:
        return False


def begin_log(cluster: Rados, level: str, old: bool, what: str) -> LogRegistration:
    """A receiver in the place of the one that there was."""
    registration = LogRegistration(cluster, level, old, what)
    before, cluster._log = cluster._log, registration
    if before is not None:
        # librados has forgotten it
        before.close()
    return registration


class MonitorLog(Calling, NotCopyable):
    """Calls `callback(arg, line, channel, name, who, sec, nsec, seq, level, msg)` for each line of
    the cluster's log from a level on: "debug", "info", "sec", "warn" or "error".

    What of that is text is bytes. The callback runs on a thread of its own, never on one of
    librados's; what it raises goes to threading.excepthook. Lines that come while 1024 wait are
    left out. A connection has one of them: a new one takes its place. It ends with close(),
    ``with``, when it is collected, or with the connection.

    Implements: rados_monitor_log2, rados_monitor_log
    """

    # for one whose constructor did not run, or not to its end
    _registration: LogRegistration | None = None

    def __init__(
        self, cluster: Rados, level: str, callback: Callable[..., Any], arg: Any = None
    ) -> None:
        self._begin(cluster, level, callback, arg, False)

    @classmethod
    def _old(cls, cluster: Rados, level: str, callback: Callable[..., Any], arg: Any) -> MonitorLog:
        """With the arguments of Rados.monitor_log."""
        self = cls.__new__(cls)
        self._begin(cluster, level, callback, arg, True)
        return self

    def _begin(
        self, cluster: Rados, level: str, callback: Callable[..., Any], arg: Any, old: bool
    ) -> None:
        if not hasattr(cluster, "monitor_log"):
            raise TypeError(
                named(f"cluster must be an rbdcffi.rados.Rados, not {type(cluster).__name__}")
            )
        if not callable(callback):
            raise LogicError(named("callback must be a callable function or None"))
        self.cluster = cluster
        self.level = level
        self.callback = callback
        self.arg = arg
        self._is_old = old
        registration = begin_log(
            cluster, level, old, cluster._calling("monitor_log" if old else "monitor_log2")
        )
        self._registration = registration
        weigh(THREAD_WEIGHT)
        try:
            start_thread(serve, registration.receiver, _taker(weakref.ref(self)), name=THREAD)
        except BaseException:
            registration.close()
            raise

    @property
    def closed(self) -> bool:
        """Whether there will be no more calls."""
        return self._registration is None or self._registration.receiver.ended

    def close(self) -> None:
        """Ends it; idempotent, from any thread. A call that is running is not waited for."""
        if self._registration is not None:
            self._registration.close()

    def __enter__(self) -> MonitorLog:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def __del__(self) -> None:
        registration = self._registration
        if registration is not None:
            # never waits
            registration.close()


def _taker(log: weakref.ref[MonitorLog]) -> Callable[[Notice], None]:
    def take(notice: Notice) -> None:
        found = log()
        if found is None or notice.kind != lib.RBDCFFI_NOTICE_LOG:
            return
        callback, arg, old = found.callback, found.arg, found._is_old
        del found
        line = line_of(notice)
        if old:
            told = line.line, line.who, line.sec, line.nsec, line.seq, line.level, line.msg
            called(callback, arg, *told)
        else:
            called(callback, arg, *line)

    return take


class Log(Calling):
    """The part of Rados that follows the cluster's log."""

    if TYPE_CHECKING:
        _gate: Any

    #: the receiver that librados knows of
    _log: LogRegistration | None = None
    _follower: MonitorLog | None = None

    @property
    def monitor_callback(self) -> tuple[Any, Any] | None:
        """(callback, arg) of monitor_log, None if there is none."""
        return self._following(True)

    @property
    def monitor_callback2(self) -> tuple[Any, Any] | None:
        """(callback, arg) of monitor_log2, None if there is none."""
        return self._following(False)

    def _following(self, old: bool) -> tuple[Any, Any] | None:
        log = self._follower
        if log is None or log.closed or log._is_old != old:
            return None
        return log.callback, log.arg

    def monitor_log(
        self, level: str, callback: Callable[..., Any] | None = None, arg: object = None
    ) -> None:
        """Calls `callback(arg, line, who, sec, nsec, seq, level, msg)` for each line of the
        cluster's log; without a callback that ends. See MonitorLog.

        Raises LogicError (no such level, no callable), NotConnected, TypeError.
        Implements: rados_monitor_log
        """
        self._follow(MonitorLog._old, "monitor_log", level, callback, arg)

    def monitor_log2(
        self, level: str, callback: Callable[..., Any] | None = None, arg: object = None
    ) -> None:
        """Calls `callback(arg, line, channel, name, who, sec, nsec, seq, level, msg)` for each
        line of the cluster's log; without a callback that ends. See MonitorLog.

        Raises LogicError (no such level, no callable), NotConnected, TypeError.
        Implements: rados_monitor_log2
        """
        self._follow(MonitorLog, "monitor_log2", level, callback, arg)

    def _follow(
        self,
        make: Callable[..., MonitorLog],
        what: str,
        level: str,
        callback: Callable[..., Any] | None,
        arg: object,
    ) -> None:
        if callback is not None:
            self._follower = make(self, level, callback, arg)
            return
        name = c_string(level, "level", wrong_type)
        result = lib.rados_monitor_log2(self._gate, name, NULL, NULL)
        if result < 0:
            raise failed(result, self._calling(what))
        before, self._follower, self._log = self._log, None, None
        if before is not None:
            before.close()
