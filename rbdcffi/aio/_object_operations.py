"""Calls on objects, on either engine."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from rbdcffi import rados
from rbdcffi._buffers import LIMIT, c_string, new_uncleared, number, steady
from rbdcffi._errors import ECANCELED, ERANGE
from rbdcffi._ffi import ffi, lib, needs, new_bytes
from rbdcffi.aio._engine import Engine, InFlight, engine
from rbdcffi.aio._objects import Offloading
from rbdcffi.aio._workers import workers
from rbdcffi.rados.completions import NO_OBJECT
from rbdcffi.rados.errors import failed, wrong_type
from rbdcffi.rados.objects import (
    XattrIterator,
    attributes_of,
    check_xattr,
    new_attributes,
    timestamp,
)

if TYPE_CHECKING:
    from rbdcffi.aio.rados import Rados

_IO = ffi.typeof("struct rbdcffi_object_io *")

#: What librados lets a client have in flight, unless it is configured otherwise.
OPERATIONS, BYTES = 1024, 100 << 20


class Room:
    """How much of a connection may be in flight before librados could make the next one wait.

    It blocks whoever starts an operation when objecter_inflight_ops or objecter_inflight_op_bytes
    are reached, for as long as the cluster takes. The event loop must not be the one: half of that
    is for operations that it starts itself, the others are started in worker threads.
    """

    def __init__(self, cluster: rados.Rados) -> None:
        self.operations = _half(cluster, "objecter_inflight_ops", OPERATIONS)
        self.bytes = _half(cluster, "objecter_inflight_op_bytes", BYTES)
        self._handle = cluster._handle

    def fits(self, running: Engine, length: int) -> bool:
        """Whether an operation with so many bytes can be started at once."""
        handle = self._handle
        # what librbd has in flight cannot be known
        return (handle is None or not handle.has_images()) and bool(
            lib.rbdcffi_queue_has_room(running.queue, self.operations, self.bytes - length)
        )


class ObjectOperation(InFlight):
    __slots__ = ("given_up",)

    def __init__(self) -> None:
        self.given_up = False


def _start_late(
    running: Engine,
    operation: ObjectOperation,
    keep: Any,
    submit: Callable[..., int],
    gate: Any,
    io: Any,
    *args: Any,
) -> int:
    """Starts an operation in another thread; its caller may have left."""
    if operation.given_up:
        return -ECANCELED
    result = running.start_late(operation, keep, submit, gate, io, *args)
    if operation.given_up:
        # the caller found nothing to take back
        lib.rbdcffi_object_cancel(gate, io)
    return result


def _half(cluster: rados.Rados, option: str, default: int) -> int:
    try:
        value = cluster.conf_get(option)
    except rados.RadosStateError:
        # it was shut down: the operation says so of its context
        return default
    try:
        limit = int(value or "")
    except ValueError:
        limit = default
    # 0 is no limit
    return limit // 2 if limit > 0 else (1 << 62)


def _name(value: object, what: str) -> Any:
    return c_string(value, what, wrong_type)


class ObjectIO(Offloading):
    """The part of Ioctx that has two engines."""

    cluster: Rados
    # for one whose constructor did not run
    engine = "threads"
    _room: Room | None = None
    _sync: rados.Ioctx | None = None

    if TYPE_CHECKING:

        @property
        def sync(self) -> rados.Ioctx: ...

    def _calling(self, call: str, arguments: Mapping[str, Any] | None = None) -> str:
        if self._sync is None:
            return super()._calling(call)
        return self._sync._calling(call, arguments)

    async def _operate(
        self,
        call: str,
        key: object,
        length: int,
        submit: Callable[..., int],
        *args: Any,
        keep: Any = None,
    ) -> int:
        """An operation on an object, or on none if `key` is NO_OBJECT; returns its result, which
        may be negative. `args` and `keep` are those of rados.CallbackObjects._start; `length` is
        how much data it moves.

        Cancelling takes it back, and returns at once.
        """
        sync = self.sync
        gate = sync._gate
        io = ffi.new(_IO)
        if key is not NO_OBJECT:
            args = (_name(key, "key"), *args)
        running, operation = engine(), ObjectOperation()
        room = self._room
        if room is None:
            room = self._room = Room(self.cluster.sync)
        try:
            if room.fits(running, length):
                result = running.start(operation, (io, keep), submit, gate, io, *args)
            else:
                result = await workers().call(
                    _start_late,
                    running,
                    operation,
                    (io, keep),
                    submit,
                    gate,
                    io,
                    *args,
                    limiter=self._limiter,
                    abandon=True,
                )
            if result < 0:
                return result
            await running.wait(operation)
        except BaseException:
            # nobody waits for what a cluster that hangs may never answer: closing, above all
            operation.given_up = True
            lib.rbdcffi_object_cancel(gate, io)
            raise
        return operation.result

    def _result(self, result: int, call: str, key: object) -> int:
        if result < 0:
            raise failed(result, self.sync._about(call, key))
        return result

    async def read(self, key: str, length: int = 8192, offset: int = 0) -> bytes:
        """Reads up to `length` bytes; fewer where the object ends.

        Raises TypeError, OverflowError, ObjectNotFound, Error.
        Implements: rados_read, rados_aio_read
        """
        if self.engine == "threads" or not isinstance(length, int) or not 0 < length <= LIMIT:
            return await self._run(self.sync.read, key, length, offset)
        offset = number(offset, "offset")
        own = new_bytes is None or length < 2
        buffer: Any = new_uncleared("char[]", length) if own else new_bytes(length)  # type: ignore[misc]
        result = await self._operate(
            "read", key, length, lib.rbdcffi_object_read, buffer, length, offset, keep=buffer
        )
        if result < 0:
            self._result(result, f"read({offset}~{length})", key)
        if own:
            return bytes(ffi.buffer(buffer, result))
        return buffer if result == length else buffer[:result]  # type: ignore[no-any-return]

    async def write(self, key: str, data: Any, offset: int = 0) -> int:
        """Writes to an object, creating it if need be; returns 0.

        Parameters:
            data: any C-contiguous buffer, which must not change until the call is over.

        Raises TypeError, OverflowError, Error. Implements: rados_write, rados_aio_write
        """
        if self.engine == "threads":
            return await self._run(self.sync.write, key, data, offset)
        offset = number(offset, "offset")
        buffer, length = steady(data, "data")
        result = await self._operate(
            "write",
            key,
            length,
            lib.rbdcffi_object_write,
            buffer,
            length,
            offset,
            keep=(data, buffer),
        )
        return self._result(result, "write", key)

    async def write_full(self, key: str, data: Any) -> int:
        """Makes `data` the whole content of an object; returns 0.

        Raises TypeError, Error. Implements: rados_write_full, rados_aio_write_full
        """
        if self.engine == "threads":
            return await self._run(self.sync.write_full, key, data)
        buffer, length = steady(data, "data")
        result = await self._operate(
            "write_full",
            key,
            length,
            lib.rbdcffi_object_write_full,
            buffer,
            length,
            keep=(data, buffer),
        )
        return self._result(result, "write_full", key)

    async def append(self, key: str, data: Any) -> int:
        """Appends to an object; returns 0.

        Raises TypeError, Error. Implements: rados_append, rados_aio_append
        """
        if self.engine == "threads":
            return await self._run(self.sync.append, key, data)
        buffer, length = steady(data, "data")
        result = await self._operate(
            "append", key, length, lib.rbdcffi_object_append, buffer, length, keep=(data, buffer)
        )
        return self._result(result, "append", key)

    async def stat(self, key: str) -> tuple[int, time.struct_time]:
        """(size, time of last change in local time) of an object.

        Raises TypeError, ObjectNotFound, Error. Implements: rados_stat, rados_aio_stat
        """
        if self.engine == "threads":
            return await self._run(self.sync.stat, key)
        size, changed = places = ffi.new("uint64_t *"), ffi.new("time_t *")
        result = await self._operate(
            "stat", key, 0, lib.rbdcffi_object_stat, size, changed, keep=places
        )
        self._result(result, "stat", key)
        return size[0], time.localtime(changed[0])

    @needs("rados_stat2")
    async def stat2(self, key: str) -> tuple[int, datetime, int]:
        """(size, time of last change, the same in nanoseconds since 1970) of an object. The time
        is aware, in UTC, in microseconds.

        Raises TypeError, ObjectNotFound, Error. Implements: rados_stat2, rados_aio_stat2
        """
        if self.engine == "threads":
            return await self._run(self.sync.stat2, key)
        size, changed = places = ffi.new("uint64_t *"), ffi.new("struct timespec *")
        result = await self._operate(
            "stat2", key, 0, lib.rbdcffi_object_stat2, size, changed, keep=places
        )
        self._result(result, "stat2", key)
        return (size[0], *timestamp(changed))

    async def remove_object(self, key: str) -> bool:
        """Removes an object; returns True.

        Raises TypeError, ObjectNotFound, Error. Implements: rados_remove, rados_aio_remove
        """
        if self.engine == "threads":
            return await self._run(self.sync.remove_object, key)
        result = await self._operate("remove_object", key, 0, lib.rbdcffi_object_remove)
        self._result(result, "remove_object", key)
        return True

    async def get_xattr(self, key: str, xattr_name: str) -> bytes:
        """The value of an extended attribute.

        Raises TypeError, NoData (no such attribute), ObjectNotFound, Error.
        Implements: rados_getxattr, rados_aio_getxattr
        """
        if self.engine == "threads":
            return await self._run(self.sync.get_xattr, key, xattr_name)
        attribute = _name(xattr_name, "xattr_name")
        size = 4096
        while True:
            buffer = new_uncleared("char[]", size)
            result = await self._operate(
                "get_xattr",
                key,
                0,
                lib.rbdcffi_object_getxattr,
                attribute,
                buffer,
                size,
                keep=buffer,
            )
            if result != -ERANGE or size >= LIMIT:
                break
            size *= 8
        if result < 0:
            self._result(result, f"get_xattr({xattr_name!r})", key)
        return bytes(ffi.buffer(buffer, result))

    async def get_xattrs(self, oid: str) -> XattrIterator:
        """Iterates over the (name, value) of the extended attributes of an object.

        Raises TypeError, ObjectNotFound, Error.
        Implements: rados_getxattrs, rados_aio_getxattrs
        """
        if self.engine == "threads":
            return await self._run(self.sync.get_xattrs, oid)
        attributes = new_attributes()
        result = await self._operate(
            "get_xattrs", oid, 0, lib.rbdcffi_object_getxattrs, attributes, keep=attributes
        )
        self._result(result, "get_xattrs", oid)
        return XattrIterator._of(attributes_of(attributes))

    async def set_xattr(self, key: str, xattr_name: str, xattr_value: Any) -> bool:
        """Sets an extended attribute; returns True.

        Raises TypeError, Error. Implements: rados_setxattr, rados_aio_setxattr
        """
        if self.engine == "threads":
            return await self._run(self.sync.set_xattr, key, xattr_name, xattr_value)
        attribute = _name(xattr_name, "xattr_name")
        buffer, length = steady(xattr_value, "xattr_value")
        check_xattr(attribute, length)
        result = await self._operate(
            "set_xattr",
            key,
            length,
            lib.rbdcffi_object_setxattr,
            attribute,
            buffer,
            length,
            keep=(xattr_value, buffer),
        )
        if result < 0:
            self._result(result, f"set_xattr({xattr_name!r})", key)
        return True

    async def rm_xattr(self, key: str, xattr_name: str) -> bool:
        """Removes an extended attribute, if there is one of that name; returns True.

        Raises TypeError, ObjectNotFound, Error. Implements: rados_rmxattr, rados_aio_rmxattr
        """
        if self.engine == "threads":
            return await self._run(self.sync.rm_xattr, key, xattr_name)
        attribute = _name(xattr_name, "xattr_name")
        result = await self._operate("rm_xattr", key, 0, lib.rbdcffi_object_rmxattr, attribute)
        if result < 0:
            self._result(result, f"rm_xattr({xattr_name!r})", key)
        return True

    async def aio_flush(self) -> None:
        """Waits until all that was written, or begun to be, through this context is safe; also what
        was cancelled with the engine 'threads'.

        Raises IoctxStateError, Error. Implements: rados_aio_flush_async
        """
        if self.engine == "threads":
            await self._run(self.sync.aio_flush)
            return
        result = await self._operate("aio_flush", NO_OBJECT, 0, lib.rbdcffi_object_flush)
        self._result(result, "aio_flush", NO_OBJECT)
