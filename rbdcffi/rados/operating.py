"""The I/O context performs operations, and single steps of that kind."""

from __future__ import annotations

import sys
from typing import Any

from rbdcffi._buffers import INT, number, readable, uncleared
from rbdcffi._completions import check_callback
from rbdcffi._errors import ECANCELED, MAX_ERRNO
from rbdcffi._ffi import NULL, ffi, lib
from rbdcffi.rados._steps import Operation
from rbdcffi.rados.completions import NO_OBJECT, Callback, CallbackObjects, Completion
from rbdcffi.rados.constants import LIBRADOS_OPERATION_NOFLAG
from rbdcffi.rados.errors import ExtendMismatch, failed, invalid
from rbdcffi.rados.omap import Omap, checked
from rbdcffi.rados.operations import AnyOp, ReadOp, WriteOp, class_method, name_of

#: The last second that the cluster can store.
LAST_SECOND = (1 << 32) - 1
SECOND = 10**9  # nanoseconds


class Operations(Omap, CallbackObjects):
    """The part of Ioctx that performs operations, and single steps of that kind."""

    def create_write_op(self) -> WriteOp:
        """A new WriteOp. Raises IoctxStateError. Implements: rados_create_write_op"""
        self._check("create_write_op")
        return WriteOp().create()

    def create_read_op(self) -> ReadOp:
        """A new ReadOp. Raises IoctxStateError. Implements: rados_create_read_op"""
        self._check("create_read_op")
        return ReadOp().create()

    def release_write_op(self, write_op: WriteOp) -> None:
        """``write_op.release()``. Raises TypeError. Implements: rados_release_write_op"""
        checked(write_op, WriteOp, "write_op").release()

    def release_read_op(self, read_op: ReadOp) -> None:
        """``read_op.release()``. Raises TypeError. Implements: rados_release_read_op"""
        checked(read_op, ReadOp, "read_op").release()

    def operate_write_op(
        self,
        write_op: WriteOp,
        oid: str,
        mtime: int = 0,
        flags: int = LIBRADOS_OPERATION_NOFLAG,
        *,
        mtime_ns: int | None = None,
    ) -> None:
        """Performs an operation on an object, which is created if a step needs that. The operation
        cannot be performed again.

        Parameters:
            mtime: what becomes the time of the last change, in seconds since 1970; 0 for now.
            mtime_ns: the same in nanoseconds.
            flags: bits LIBRADOS_OPERATION_*.

        Raises the error of the step that fails: ObjectNotFound, ObjectExists, ExtendMismatch,
        OSError with errno ECANCELED for a comparison that does not hold; then nothing is changed.
        And TypeError, OverflowError, InvalidArgumentError, LogicError (the operation is used by
        another thread, performed already, or released), IoctxStateError, Error.
        Implements: rados_write_op_operate2
        """
        checked(write_op, WriteOp, "write_op")
        name, flags = name_of(oid, "oid"), number(flags, "flags", *INT)
        moment = moment_of(mtime, mtime_ns)
        self._perform(
            "operate_write_op", write_op, oid, lib.rados_write_op_operate2, name, moment, flags
        )

    def operate_read_op(
        self, read_op: ReadOp, oid: str, flag: int = LIBRADOS_OPERATION_NOFLAG
    ) -> None:
        """Performs an operation on an object; then its steps have their values. It cannot be
        performed again.

        Parameters:
            flag: bits LIBRADOS_OPERATION_*.

        Raises the error of the step that fails (unless that has LIBRADOS_OP_FLAG_FAILOK):
        ObjectNotFound, ExtendMismatch, OSError with errno ECANCELED for a comparison that does not
        hold. And TypeError, OverflowError, LogicError (the operation is used by another thread,
        performed already, or released), IoctxStateError, Error.
        Implements: rados_read_op_operate
        """
        checked(read_op, ReadOp, "read_op")
        name, flag = name_of(oid, "oid"), number(flag, "flag", *INT)
        self._perform("operate_read_op", read_op, oid, lib.rados_read_op_operate, name, flag)

    def operate_aio_write_op(
        self,
        write_op: WriteOp,
        oid: str,
        oncomplete: Callback | None = None,
        onsafe: Callback | None = None,
        mtime: int = 0,
        flags: int = LIBRADOS_OPERATION_NOFLAG,
        *,
        mtime_ns: int | None = None,
    ) -> Completion:
        """Starts operate_write_op; `oncomplete(completion)`, then `onsafe(completion)`. Before Ceph
        18 the time of the change is stored in whole seconds; Ceph 14 takes its own.

        Raises TypeError, OverflowError, InvalidArgumentError, LogicError, IoctxStateError.
        Implements: rados_aio_write_op_operate, rados_aio_write_op_operate2
        """
        checked(write_op, WriteOp, "write_op")
        flags, moment = number(flags, "flags", *INT), moment_of(mtime, mtime_ns)
        submit = lib.rbdcffi_object_write_op
        return self._start_op(
            "operate_aio_write_op", write_op, oid, oncomplete, onsafe, submit, moment, flags
        )

    def operate_aio_read_op(
        self,
        read_op: ReadOp,
        oid: str,
        oncomplete: Callback | None = None,
        onsafe: Callback | None = None,
        flag: int = LIBRADOS_OPERATION_NOFLAG,
    ) -> Completion:
        """Starts operate_read_op; `oncomplete(completion)`, then `onsafe(completion)`. The steps
        have their values as soon as the operation is complete.

        Raises TypeError, OverflowError, LogicError, IoctxStateError.
        Implements: rados_aio_read_op_operate
        """
        checked(read_op, ReadOp, "read_op")
        flag, submit = number(flag, "flag", *INT), lib.rbdcffi_object_read_op
        return self._start_op("operate_aio_read_op", read_op, oid, oncomplete, onsafe, submit, flag)

    def _start_op(
        self,
        call: str,
        op: AnyOp,
        oid: str,
        oncomplete: Callback | None,
        onsafe: Callback | None,
        submit: Any,
        *args: Any,
    ) -> Completion:
        # what is refused here can be given again; an operation that was begun cannot
        name_of(oid, "oid")
        for callback, name in ((oncomplete, "oncomplete"), (onsafe, "onsafe")):
            check_callback(callback, self._what(call, oid), name=name)
        self._check(call)
        operation = op._begun()
        raw = operation.begin()
        arguments = (oid, submit, raw, *args)
        if not operation.steps:
            # librados would never answer
            arguments = (NO_OBJECT, lib.rbdcffi_object_flush)
        try:
            return self._start(
                call,
                *arguments,
                oncomplete=oncomplete,
                onsafe=onsafe,
                settle=lambda value: self._finish(operation, value, call, oid),
                keep=args,
            )
        except BaseException:
            self._finish(operation, -ECANCELED, call, oid)
            raise

    def _perform(self, call: str, op: AnyOp, oid: str, function: Any, *args: Any) -> None:
        # an operation that is given to a closed context by mistake can be given to another one
        self._check(call)
        operation = op._begun()
        result = -ECANCELED
        raw = operation.begin()
        try:
            result = function(raw, self._gate, *args)
        finally:
            error = self._finish(operation, result, call, oid)
        if error is not None:
            raise error

    def _finish(self, operation: Operation, result: int, call: str, oid: str) -> Exception | None:
        """Ends an operation that was begun, on any thread, and returns the result's error."""
        error = self._unequal(result, call, oid) if result < 0 else None
        operation.end(self._what(call, oid), error)
        return error

    def _unequal(self, result: int, call: str, key: str) -> Exception:
        """The error of something that may have compared contents."""
        if result > -MAX_ERRNO:
            return failed(result, self._what(call, key))
        refused = lib.RBDCFFI_REFUSED - 64 < result <= lib.RBDCFFI_REFUSED
        if refused and lib.rbdcffi_handle_state(self._gate) < 0:
            # else it is a place so far behind
            return failed(result, self._what(call, key))
        place = -result - MAX_ERRNO
        what = f"{self._what(call, key)}: byte {place} of what was compared differs"
        return ExtendMismatch(what, -result, place)

    # -- single steps --------------------------------------------------------------------------

    def execute(
        self, key: str, cls: str, method: str, data: Any, length: int = 8192
    ) -> tuple[int, bytes]:
        """Runs a method of a class of the OSDs on an object.

        Parameters:
            length: of what it returns, at most; more is an error with errno ERANGE.

        Returns (what the method returns as a number: the length of the output, output).

        Raises TypeError, OverflowError, InvalidArgumentError, ObjectNotFound, OSError with errno
        EOPNOTSUPP (no such class or method), Error. Implements: rados_exec
        """
        name, names = name_of(key, "key"), class_method(cls, method)
        length = number(length, "length", 0, sys.maxsize)
        given, output = readable(data, "data"), uncleared(length)
        result = lib.rados_exec(self._gate, name, *names, *given, output, length)
        if result < 0:
            raise failed(result, self._what(f"execute({cls!r}, {method!r})", key))
        return result, bytes(ffi.buffer(output, min(result, length)))

    def cmpext(self, key: str, cmp_buf: Any, offset: int = 0) -> int:
        """Compares a part of an object with data.

        Returns 0 if they are equal, else -4095 less the number of the first byte that differs.

        Raises TypeError, OverflowError, ObjectNotFound, Error. Implements: rados_cmpext
        """
        name, offset = name_of(key, "key"), number(offset, "offset")
        result = lib.rados_cmpext(self._gate, name, *readable(cmp_buf, "cmp_buf"), offset)
        if result < 0:
            error = self._unequal(result, "cmpext", key)
            if not isinstance(error, ExtendMismatch):
                raise error
        return result

    def writesame(self, key: str, data: Any, write_len: int, offset: int = 0) -> None:
        """Writes the same data again and again, `write_len` bytes in all.

        Parameters:
            write_len: a multiple of the length of `data`.

        Raises TypeError, OverflowError, InvalidArgumentError, Error. Implements: rados_writesame
        """
        name, offset = name_of(key, "key"), number(offset, "offset")
        write_len = number(write_len, "write_len")
        buffer, size = readable(data, "data")
        result = lib.rados_writesame(self._gate, name, buffer, size, write_len, offset)
        self._done(result, "writesame", key)


def moment_of(mtime: int, mtime_ns: int | None) -> Any:
    """A ``struct timespec *``, NULL for now."""
    if mtime_ns is None:
        seconds, rest = number(mtime, "mtime", 0, LAST_SECOND), 0
    else:
        if mtime:
            raise invalid("give mtime or mtime_ns, not both")
        most = (LAST_SECOND + 1) * SECOND - 1
        seconds, rest = divmod(number(mtime_ns, "mtime_ns", 1, most), SECOND)
    if not seconds and not rest:
        # librados would store 1970, or what was there before
        return NULL
    moment = ffi.new("struct timespec *")
    moment.tv_sec, moment.tv_nsec = seconds, rest
    return moment
