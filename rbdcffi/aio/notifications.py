"""Notifications of objects, and lines of the cluster's log, as streams."""

from __future__ import annotations

import sys
import threading
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import anyio
from anyio.lowlevel import checkpoint

from rbdcffi._buffers import UINT, c_string, number
from rbdcffi._calls import Calling
from rbdcffi._errors import ENOENT, ESHUTDOWN
from rbdcffi._ffi import lib
from rbdcffi._handle import leave_behind
from rbdcffi.aio._loops import in_event_loop
from rbdcffi.aio._objects import Resource
from rbdcffi.aio._offload import offload, offload_alone, offload_opening
from rbdcffi.rados._notices import Notice, Receiver
from rbdcffi.rados.errors import Error, failed, wrong_type
from rbdcffi.rados.monitor_log import LogLine, LogRegistration, begin_log, line_of
from rbdcffi.rados.watching import Registration, error_of, reply_of

if TYPE_CHECKING:
    from rbdcffi import rados
    from rbdcffi.aio.rados import Ioctx

#: Seconds between two attempts to watch again what was lost: the first pause, and the longest.
PAUSES = 0.1, 5.0


async def _next(receiver: Receiver) -> Notice | None:
    """The next notice, None after the end. Cancelling loses none."""
    await checkpoint()
    while True:
        notice = receiver.take()
        if notice is not None:
            return notice
        if receiver.ended:
            return None
        await anyio.wait_readable(receiver.fd)


class Notification(Calling):
    """What somebody told those who watch an object: `data`, and the ids notify_id, notifier_id
    (of the client), watch_id."""

    def __init__(self, registration: Registration, notice: Notice) -> None:
        self._registration = registration
        self.notify_id, self.notifier_id, self.watch_id = notice.numbers
        self.data = notice.data
        #: whether it was answered
        self.acknowledged = False

    def __repr__(self) -> str:
        return f"<Notification {self.data!r} by client.{self.notifier_id}>"

    async def acknowledge(self, reply: bytes | str | None = None) -> None:
        """Tells the notifier that it was received, with a reply; only the first time counts.

        Raises TypeError. Implements: rados_notify_ack
        """
        text = reply_of(reply)
        if not self.acknowledged:
            self.acknowledged = True
            # a watch that is over has nobody to tell
            await offload(self._registration.acknowledge, self.notify_id, text)


class Interruption(NamedTuple):
    """Notifications may have been missed: `error` says why. The watch goes on."""

    error: Exception


class Notifications(Resource, AsyncIterator["Notification | Interruption"]):
    """The notifications of aio.Ioctx.watch, from the start of its ``async with`` (or ``await``)
    to the end."""

    def __init__(
        self, ioctx: Ioctx, obj: str, timeout: int | None, rewatch: bool, capacity: int
    ) -> None:
        capacity = number(capacity, "capacity", 1, 1 << 20)
        # here, where an error can name the call
        c_string(obj, "obj", wrong_type)
        if timeout is not None:
            timeout = number(timeout, "timeout", *UINT)
        self._ioctx = ioctx
        self._obj = obj
        self._rewatch = rewatch
        sync = ioctx.sync
        what = self._what = sync._what("watch", obj)
        self._make = lambda: Registration(sync, what, obj, timeout, capacity)
        self._last: Notification | None = None
        #: why the watch was lost, until there is a new one
        self._lost: Exception | None = None
        self._over = False

    _registration: Registration | None = None

    async def _open(self) -> None:
        if self._registration is None:
            self._registration = await self._begin()

    async def _begin(self) -> Registration:
        handle = self._ioctx.sync._handle
        return await offload_opening(self._make, Registration.close, handle)

    async def _close(self) -> None:
        await self.aclose()

    def __aiter__(self) -> Notifications:
        return self

    async def __anext__(self) -> Notification | Interruption:
        if self._registration is None:
            raise RuntimeError("the watch has not begun: await it, or use async with")
        if self._last is not None:
            await self._last.acknowledge()
            self._last = None
        if self._over:
            raise StopAsyncIteration
        error: Exception
        if self._lost is None:
            notice = await _next(self._registration.receiver)
            if notice is None:
                raise StopAsyncIteration
            if notice.kind == lib.RBDCFFI_NOTICE_NOTIFY:
                self._last = Notification(self._registration, notice)
                return self._last
            error = failed(error_of(notice), self._what)
            if notice.kind == lib.RBDCFFI_NOTICE_ERROR:
                if self._rewatch:
                    # here, so that a step that is cancelled meanwhile is taken up by the next
                    self._lost = error
                else:
                    self._over = True
            if not self._rewatch:
                raise error
            if self._lost is None:
                return Interruption(error)
        await self._renew()
        error, self._lost = self._lost, None
        return Interruption(error)

    async def _renew(self) -> None:
        """Watches again; an object that is gone ends the stream."""
        assert self._registration is not None
        pause, longest = PAUSES
        lost = self._registration
        while True:
            try:
                self._registration = await self._begin()
                break
            except Error as error:
                # a closed context, a client that was shut out: it will not get better
                if error.errno in (None, ENOENT, ESHUTDOWN):
                    self._over = True
                    raise
            await anyio.sleep(pause)
            pause = min(2 * pause, longest)
        await offload_alone(lost.close)

    @property
    def closed(self) -> bool:
        """Whether there will be no more notifications."""
        return self._registration is None or self._registration.closed

    def get_id(self) -> int:
        """The number by which notifications name the watch, 0 before it began and once it is
        closed."""
        return 0 if self.closed else self._registration.cookie  # type: ignore[union-attr]

    def check(self) -> timedelta:
        """For how long nothing is known of the watch.

        Raises NotConnected (it was lost), RuntimeError (it has not begun, or is closed).
        Implements: rados_watch_check
        """
        if self._registration is None or self.closed:
            raise RuntimeError(f"{self._what}: it has not begun, or is closed")
        return self._registration.check(self._what)

    async def aclose(self) -> None:
        """Ends the watch; idempotent. What was not acknowledged never will be."""
        if self._registration is not None:
            await offload_alone(self._registration.close)

    def __del__(
        self,
        Thread: Any = threading.Thread,
        ending: Any = sys.is_finalizing,
        loop: Any = in_event_loop,
    ) -> None:
        registration = self._registration
        if registration is None or ending() or registration.closed:
            return
        if loop():
            # the cluster is told, which may take long
            Thread(target=registration.close, name="rbdcffi-collect", daemon=True).start()
        else:
            leave_behind(registration)


class LogStream(Calling, AsyncIterator[LogLine]):
    """The lines of aio.Rados.monitor_log; also an asynchronous context manager."""

    def __init__(self, cluster: rados.Rados, level: str) -> None:
        #: how often lines were left out, because more than 1024 waited
        self.missed = 0
        self._registration = begin_log(cluster, level, False, "Rados.monitor_log")

    # for one whose constructor did not run, or not to its end
    _registration: LogRegistration | None = None

    def __aiter__(self) -> LogStream:
        return self

    async def __anext__(self) -> LogLine:
        if self._registration is None:
            raise StopAsyncIteration
        while True:
            notice = await _next(self._registration.receiver)
            if notice is None:
                raise StopAsyncIteration
            if notice.kind == lib.RBDCFFI_NOTICE_LOG:
                return line_of(notice)
            self.missed += 1

    async def aclose(self) -> None:
        """Ends the stream; idempotent."""
        if self._registration is not None:
            self._registration.close()

    async def __aenter__(self) -> LogStream:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()

    def __del__(self) -> None:
        if self._registration is not None:
            # never waits
            self._registration.close()
