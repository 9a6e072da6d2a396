"""Object I/O with callbacks, as the standard binding has it.

See rbdcffi/_completions.py for the thread that makes the callbacks.
"""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any, Callable

from rbdcffi._buffers import INT64, c_string, number, room_for, steady, uncleared
from rbdcffi._calls import named
from rbdcffi._completions import (
    Started,
    check_callback,
    nothing,
    on_callback_thread,
    the_dispatcher,
)
from rbdcffi._ffi import NULL, ffi, lib, needs
from rbdcffi._forks import called
from rbdcffi._threads import Flag
from rbdcffi.rados.errors import LogicError, failed, wrong_type
from rbdcffi.rados.objects import Objects, attributes_of, check_xattr, new_attributes, timestamp

#: How often one who waits for an operation looks whether the thread that should tell is stuck in a
#: callback, in seconds.
_LOOK = 0.05

Callback = Callable[..., Any]

#: In the place of an object's name: what is done is not about one of them.
NO_OBJECT: Any = object()


def name_of(value: object, what: str) -> Any:
    return c_string(value, what, wrong_type)


class Completion(Started):
    """An operation that was started, and what will be called when it is done."""

    _kind = lib.RBDCFFI_IOCTX
    _logic_error = LogicError
    # for one whose constructor did not run
    _onsafe: Callback | None = None
    _io: Any = NULL

    def __init__(
        self,
        ioctx: Objects,
        oncomplete: Callback | None = None,
        onsafe: Callback | None = None,
        result: Callable[[int], Any] = nothing,
        settle: Callable[[int], Any] | None = None,
    ) -> None:
        if not isinstance(ioctx, Objects):
            raise TypeError(
                named(f"ioctx must be an rbdcffi.rados.Ioctx, not {type(ioctx).__name__}")
            )
        super().__init__(oncomplete, result)
        if onsafe is not None and not callable(onsafe):
            raise TypeError(named(f"onsafe must be callable, not {type(onsafe).__name__}"))
        #: the I/O context; it stays open as long as nobody closes it
        self.ioctx = ioctx
        self._onsafe = onsafe
        self._settle = settle
        self._io = ffi.new("struct rbdcffi_object_io *")
        self._done = Flag()

    def is_safe(self) -> bool:
        """The same as is_complete()."""
        return self.is_complete()

    def wait_for_complete(self) -> None:
        """Waits until the operation is done, but not for its callback.

        Unlike wait_for_complete_and_cb it may be called in a callback.
        """
        self._check_process("wait_for_complete", self._done)
        dispatcher = the_dispatcher()
        patience = 0.0
        while not self._done.wait(patience):
            dispatcher.help()
            # in a callback nobody else would set the event
            patience = _LOOK / 50 if on_callback_thread() else _LOOK

    def wait_for_safe(self) -> None:
        """The same as wait_for_complete()."""
        self.wait_for_complete()

    def wait_for_complete_and_cb(self) -> int:
        """Waits until the operation is done and its callback has returned; returns 0, or raises
        what the callback raised. Not from a callback: those run one after the other, in one
        thread.

        An exception of a callback that nobody waits for goes to sys.unraisablehook when the
        completion is collected.
        """
        self._wait_for_callback()
        return 0

    def wait_for_safe_and_cb(self) -> int:
        """The same as wait_for_complete_and_cb()."""
        return self.wait_for_complete_and_cb()

    def get_return_value(self) -> int:
        """The result: a count or 0, or a negative errno. 0 as long as is_complete() is false.

        After aio_cmpext of what differs it is -4095 and less: -4095 - offset of the difference.

        Implements: rados_aio_get_return_value
        """
        return super().get_return_value()

    def get_version(self) -> int:
        """The version of the object that was read or written; 0 if the operation is not done.

        Implements: rados_aio_get_version
        """
        return self._io.version if self._done.is_set() else 0

    def cancel(self) -> bool:
        """Takes the operation back: it is done then, and its return value is -ECANCELED.

        What was sent to the cluster may take effect all the same. Returns False if it was too
        late. Raises IoctxStateError. Implements: rados_aio_cancel
        """
        result: int = lib.rbdcffi_object_cancel(self.ioctx._gate, self._io)
        if result <= lib.RBDCFFI_REFUSED:
            raise failed(result, "Completion.cancel")
        return result == 0

    def _arrived(self, value: int) -> None:
        settle, self._settle = self._settle, None
        try:
            if settle is not None:
                settle(value)
        finally:
            # is_complete() looks at the first, those who wait at the second
            self._value = value
            self._done.set()

    def _call(self, value: int) -> None:
        oncomplete, onsafe = self._oncomplete, self._onsafe
        self._onsafe = None
        # also if nobody is called: what it makes may have to be freed
        arguments = self._arguments(value)
        if oncomplete is not None:
            called(oncomplete, self, *arguments)
        if onsafe is not None:
            called(onsafe, self, *arguments)


def _part_of(buffer: Any, length: int) -> Callable[[int], tuple[bytes | None]]:
    """The first bytes of a buffer that C fills, as many as the return value says."""

    def result(value: int) -> tuple[bytes | None]:
        if value < 0:
            return (None,)
        if type(buffer) is not bytes:
            return (bytes(ffi.buffer(buffer, value)),)
        return (buffer if value == length else buffer[:value],)

    return result


class CallbackObjects(Objects):
    """The part of Ioctx that does I/O with callbacks.

    `oncomplete` is called with the Completion first, and then with the results, if there are any,
    which are None after an error. So is `onsafe`, after it: what is complete is safe. The methods
    return the Completion; without a callback, wait for that.
    """

    def _start(
        self,
        call: str,
        key: object,
        submit: Any,
        *args: Any,
        oncomplete: Callback | None = None,
        onsafe: Callback | None = None,
        result: Callable[[int], Any] = nothing,
        settle: Callable[[int], Any] | None = None,
        keep: Any = None,
    ) -> Completion:
        """Starts an operation on an object (on none if `key` is NO_OBJECT).

        `submit` is a function of cdefs/object_io.h, `args` what it takes behind the name of the
        object. `keep` is what C uses until it is done; `result` makes the arguments of the
        callbacks, behind the completion, out of the return value; `settle` is given that before
        anybody sees that the operation is done.
        """
        if oncomplete is not None and not callable(oncomplete):
            check_callback(oncomplete, self._about(call, key))
        if onsafe is not None and not callable(onsafe):
            check_callback(onsafe, self._about(call, key), name="onsafe")
        completion = Completion(self, oncomplete, onsafe, result, settle)
        if key is not NO_OBJECT:
            args = (name_of(key, "object_name"), *args)
        started = the_dispatcher().submit(
            completion, submit, self._gate, completion._io, *args, keep=keep
        )
        if started < 0:
            raise failed(started, self._about(call, key))
        return completion

    def _about(self, call: str, key: object) -> str:
        return self._calling(call) if key is NO_OBJECT else self._what(call, key)

    def aio_read(
        self, object_name: str, length: int, offset: int, oncomplete: Callback | None = None
    ) -> Completion:
        """Starts to read up to `length` bytes; `oncomplete(completion, data)`.

        Raises TypeError, OverflowError, Error. Implements: rados_aio_read
        """
        length, offset = number(length, "length", most=INT64[1]), number(offset, "offset")
        if not length:
            # librados would read all of the object, into no room
            return self._start(
                "aio_read",
                object_name,
                lib.rbdcffi_object_stat,
                *(place := (ffi.new("uint64_t *"), ffi.new("time_t *"))),
                oncomplete=oncomplete,
                result=lambda value: (b"" if value >= 0 else None,),
                keep=place,
            )
        buffer = room_for(length)
        return self._start(
            "aio_read",
            object_name,
            lib.rbdcffi_object_read,
            buffer,
            length,
            offset,
            oncomplete=oncomplete,
            result=_part_of(buffer, length),
            keep=buffer,
        )

    def aio_write(
        self,
        object_name: str,
        to_write: Any,
        offset: int = 0,
        oncomplete: Callback | None = None,
        onsafe: Callback | None = None,
    ) -> Completion:
        """Starts to write to an object, creating it if need be.

        Raises TypeError, OverflowError, Error. Implements: rados_aio_write
        """
        offset = number(offset, "offset")
        buffer, length = steady(to_write, "to_write")
        return self._start(
            "aio_write",
            object_name,
            lib.rbdcffi_object_write,
            buffer,
            length,
            offset,
            oncomplete=oncomplete,
            onsafe=onsafe,
            keep=(to_write, buffer),
        )

    def aio_write_full(
        self,
        object_name: str,
        to_write: Any,
        oncomplete: Callback | None = None,
        onsafe: Callback | None = None,
    ) -> Completion:
        """Starts to make `to_write` the whole content of an object.

        Raises TypeError, Error. Implements: rados_aio_write_full
        """
        buffer, length = steady(to_write, "to_write")
        return self._start(
            "aio_write_full",
            object_name,
            lib.rbdcffi_object_write_full,
            buffer,
            length,
            oncomplete=oncomplete,
            onsafe=onsafe,
            keep=(to_write, buffer),
        )

    def aio_append(
        self,
        object_name: str,
        to_append: Any,
        oncomplete: Callback | None = None,
        onsafe: Callback | None = None,
    ) -> Completion:
        """Starts to append to an object. Raises TypeError, Error. Implements: rados_aio_append"""
        buffer, length = steady(to_append, "to_append")
        return self._start(
            "aio_append",
            object_name,
            lib.rbdcffi_object_append,
            buffer,
            length,
            oncomplete=oncomplete,
            onsafe=onsafe,
            keep=(to_append, buffer),
        )

    def aio_writesame(
        self,
        object_name: str,
        to_write: Any,
        write_len: int,
        offset: int = 0,
        oncomplete: Callback | None = None,
    ) -> Completion:
        """Starts to write `to_write` over and over; `write_len` is a multiple of its length.

        Raises InvalidArgumentError, TypeError, OverflowError, Error.
        Implements: rados_aio_writesame
        """
        write_len, offset = number(write_len, "write_len"), number(offset, "offset")
        buffer, size = steady(to_write, "to_write")
        return self._start(
            "aio_writesame",
            object_name,
            lib.rbdcffi_object_writesame,
            buffer,
            size,
            write_len,
            offset,
            oncomplete=oncomplete,
            keep=(to_write, buffer),
        )

    def aio_cmpext(
        self,
        object_name: str,
        cmp_buf: Any,
        offset: int = 0,
        oncomplete: Callback | None = None,
    ) -> Completion:
        """Starts to compare a part of an object with `cmp_buf`; see Completion.get_return_value.

        Raises TypeError, OverflowError, Error. Implements: rados_aio_cmpext
        """
        offset = number(offset, "offset")
        buffer, length = steady(cmp_buf, "cmp_buf")
        return self._start(
            "aio_cmpext",
            object_name,
            lib.rbdcffi_object_cmpext,
            buffer,
            length,
            offset,
            oncomplete=oncomplete,
            keep=(cmp_buf, buffer),
        )

    def aio_remove(
        self,
        object_name: str,
        oncomplete: Callback | None = None,
        onsafe: Callback | None = None,
    ) -> Completion:
        """Starts to remove an object. Raises TypeError, Error. Implements: rados_aio_remove"""
        return self._start(
            "aio_remove",
            object_name,
            lib.rbdcffi_object_remove,
            oncomplete=oncomplete,
            onsafe=onsafe,
        )

    def aio_stat(self, object_name: str, oncomplete: Callback | None) -> Completion:
        """Starts to ask for size and time of an object; `oncomplete(completion, size, mtime)`,
        `mtime` in local time, as stat() has it.

        Raises TypeError, Error. Implements: rados_aio_stat
        """
        size, changed = ffi.new("uint64_t *"), ffi.new("time_t *")

        def result(value: int) -> tuple[int | None, time.struct_time | None]:
            return (None, None) if value < 0 else (size[0], time.localtime(changed[0]))

        return self._start(
            "aio_stat",
            object_name,
            lib.rbdcffi_object_stat,
            size,
            changed,
            oncomplete=oncomplete,
            result=result,
            keep=(size, changed),
        )

    @needs("rados_aio_stat2")
    def aio_stat2(self, object_name: str, oncomplete: Callback | None) -> Completion:
        """The same; `oncomplete(completion, size, mtime, nanoseconds)`, as stat2() has them.

        Raises TypeError, Error. Implements: rados_aio_stat2
        """
        size, changed = ffi.new("uint64_t *"), ffi.new("struct timespec *")

        def result(value: int) -> tuple[int | None, datetime | None, int | None]:
            return (None, None, None) if value < 0 else (size[0], *timestamp(changed))

        return self._start(
            "aio_stat2",
            object_name,
            lib.rbdcffi_object_stat2,
            size,
            changed,
            oncomplete=oncomplete,
            result=result,
            keep=(size, changed),
        )

    def aio_execute(
        self,
        object_name: str,
        cls: str,
        method: str,
        data: Any,
        length: int = 8192,
        oncomplete: Callback | None = None,
        onsafe: Callback | None = None,
    ) -> Completion:
        """Starts a method of an object class on an object; `oncomplete(completion, output)`.

        Parameters:
            data: input of the method.
            length: of the longest output, in bytes; the return value is -ERANGE if it is longer.

        Raises TypeError, OverflowError, Error.
        Implements: rados_read_op_exec, rados_aio_read_op_operate, rados_create_read_op,
        rados_release_read_op, rados_buffer_free
        """
        length = number(length, "length", most=INT64[1])
        class_name, method_name = name_of(cls, "cls"), name_of(method, "method")
        given, size = steady(data, "data")
        buffer = uncleared(length)
        return self._start(
            "aio_execute",
            object_name,
            lib.rbdcffi_object_exec,
            class_name,
            method_name,
            given,
            size,
            buffer,
            length,
            oncomplete=oncomplete,
            onsafe=onsafe,
            result=_part_of(buffer, length),
            keep=(data, given, buffer),
        )

    def aio_getxattr(
        self,
        object_name: str,
        xattr_name: str,
        oncomplete: Callback | None = None,
        *,
        length: int = 65536,
    ) -> Completion:
        """Starts to read an extended attribute; `oncomplete(completion, value)`.

        Parameters:
            length: of the longest value, in bytes; the return value is -ERANGE if it is longer.

        Raises TypeError, OverflowError, Error. Implements: rados_aio_getxattr
        """
        length = number(length, "length", most=INT64[1])
        attribute = name_of(xattr_name, "xattr_name")
        buffer = uncleared(length)
        return self._start(
            "aio_getxattr",
            object_name,
            lib.rbdcffi_object_getxattr,
            attribute,
            buffer,
            length,
            oncomplete=oncomplete,
            result=_part_of(buffer, length),
            keep=buffer,
        )

    def aio_getxattrs(self, object_name: str, oncomplete: Callback | None = None) -> Completion:
        """Starts to read all extended attributes; `oncomplete(completion, [(name, value), ...])`.

        Raises TypeError, Error.
        Implements: rados_aio_getxattrs, rados_getxattrs_next, rados_getxattrs_end
        """
        attributes = new_attributes()

        def result(value: int) -> tuple[list[tuple[str, bytes]] | None]:
            return (None if value < 0 else attributes_of(attributes),)

        return self._start(
            "aio_getxattrs",
            object_name,
            lib.rbdcffi_object_getxattrs,
            attributes,
            oncomplete=oncomplete,
            result=result,
            keep=attributes,
        )

    def aio_setxattr(
        self,
        object_name: str,
        xattr_name: str,
        xattr_value: Any,
        oncomplete: Callback | None = None,
    ) -> Completion:
        """Starts to set an extended attribute.

        Raises TypeError, OSError with errno E2BIG (2 GiB), Error. Implements: rados_aio_setxattr
        """
        attribute = name_of(xattr_name, "xattr_name")
        buffer, length = steady(xattr_value, "xattr_value")
        check_xattr(attribute, length)
        return self._start(
            "aio_setxattr",
            object_name,
            lib.rbdcffi_object_setxattr,
            attribute,
            buffer,
            length,
            oncomplete=oncomplete,
            keep=(xattr_value, buffer),
        )

    def aio_rmxattr(
        self, object_name: str, xattr_name: str, oncomplete: Callback | None = None
    ) -> Completion:
        """Starts to remove an extended attribute.

        Raises TypeError, Error. Implements: rados_aio_rmxattr
        """
        return self._start(
            "aio_rmxattr",
            object_name,
            lib.rbdcffi_object_rmxattr,
            name_of(xattr_name, "xattr_name"),
            oncomplete=oncomplete,
        )

    def aio_flush(self) -> None:
        """Waits until all that this context has started to write is safe, and told to its
        callbacks (not to those behind the running one, if this is called in one).

        Raises IoctxStateError, Error. Implements: rados_aio_flush_async
        """
        # rados_aio_flush does not wait for callbacks, whatever its header says, nor lets Ctrl-C
        # through; this one's callback comes behind those of what was written
        submit = lib.rbdcffi_object_flush
        flushed = self._start("aio_flush", NO_OBJECT, submit)
        if on_callback_thread():
            flushed.wait_for_complete()
        else:
            flushed.wait_for_complete_and_cb()
        if flushed.get_return_value() < 0:
            raise failed(flushed.get_return_value(), self._calling("aio_flush"))

    def aio_flush_async(self, oncomplete: Callback | None = None) -> Completion:
        """Completes when all that this context has started to write before is safe.

        Raises IoctxStateError, TypeError, Error. Implements: rados_aio_flush_async
        """
        return self._start(
            "aio_flush_async", NO_OBJECT, lib.rbdcffi_object_flush, oncomplete=oncomplete
        )
