"""Operations: several steps on one object that the cluster performs at once, or not at all."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from rbdcffi._buffers import INT, UINT, c_string, number, readable, room_for, uncleared
from rbdcffi._calls import calling, named
from rbdcffi._errors import E2BIG
from rbdcffi._ffi import NULL, ffi, lib, needs
from rbdcffi._handle import NotCopyable
from rbdcffi.rados._steps import LONGEST, OVERHEAD, Operation, Result, Steps, new_code
from rbdcffi.rados.constants import LIBRADOS_CMPXATTR_OP_EQ, LIBRADOS_OPERATION_NOFLAG
from rbdcffi.rados.errors import failed, invalid, wrong_type
from rbdcffi.rados.objects import CHECKSUM_BYTES, attributes_of
from rbdcffi.rados.omap import OmapReads, OmapWrites, omap_key, omap_value

Value = TypeVar("Value")
Self = TypeVar("Self", bound="OpCtx")

#: The range of an uint8_t in C.
BYTE = 0, 255
SECOND = 10**9  # nanoseconds


class ObjectStat(NamedTuple):
    """Size of an object in bytes, and nanoseconds from 1970 to its last change."""

    size: int
    mtime_ns: int


def payload(data: Any, what: str) -> tuple[Any, int]:
    """(what to pass as ``const char *``, length in bytes) of data for a step."""
    given, size = readable(data, what)
    if size > LONGEST:
        # as the calls without an operation do
        raise failed(-E2BIG, f"{calling()}: {what} of {size} bytes")
    return given, size


def name_of(value: object, what: str) -> Any:
    return c_string(value, what, wrong_type)


def class_method(cls: str, method: str) -> tuple[Any, Any]:
    """The names of a class of the OSDs and of its method."""
    names = name_of(cls, "cls"), name_of(method, "method")
    for name, what in zip(names, ("cls", "method")):
        given = len(name if isinstance(name, bytes) else name.encode())
        if given > BYTE[1]:
            # librados would cut the length, and the cluster takes the rest for data
            raise invalid(f"{what} must be at most {BYTE[1]} bytes long, not {given}")
    return names


class AnyOp(Steps, NotCopyable):
    """The steps that operations of both kinds have."""

    _writes: bool

    def __init__(self, ioctx: object = None) -> None:
        # some programs give the context; operations do not belong to one before they are performed
        pass

    def _pick(self, write: Any, read: Any) -> Any:
        return write if self._writes else read

    def release(self) -> None:
        """Gives the operation's memory back; idempotent. What its steps have found stays.

        Implements: rados_release_write_op, rados_release_read_op
        """
        if self._operation is not None:
            self._operation.release()

    def set_flags(self, flags: int = LIBRADOS_OPERATION_NOFLAG) -> None:
        """Sets flags of the step that was added last: bits LIBRADOS_OP_FLAG_*.

        Raises TypeError, OverflowError, LogicError (there is no step yet).
        Implements: rados_write_op_set_flags, rados_read_op_set_flags
        """
        flags = number(flags, "flags", *INT)
        self._begun().flag(
            self._pick(lib.rados_write_op_set_flags, lib.rados_read_op_set_flags), flags
        )

    def assert_exists(self) -> None:
        """Without the object the operation fails, with ObjectNotFound.

        Raises LogicError. Implements: rados_write_op_assert_exists, rados_read_op_assert_exists
        """
        self._add(self._pick(lib.rados_write_op_assert_exists, lib.rados_read_op_assert_exists))

    def assert_version(self, version: int) -> None:
        """If the object has another version (see Ioctx.get_last_version) the operation fails: with
        errno ERANGE if that is newer, EOVERFLOW if it is older.

        Raises TypeError, OverflowError, LogicError.
        Implements: rados_write_op_assert_version, rados_read_op_assert_version
        """
        version = number(version, "version")
        self._add(
            self._pick(lib.rados_write_op_assert_version, lib.rados_read_op_assert_version), version
        )

    def cmpext(self, cmp_buf: Any, offset: int = 0) -> None:
        """If the object has other content there the operation fails, with ExtendMismatch, whose
        `offset` is the first byte of `cmp_buf` that differs.

        Raises TypeError, OverflowError, LogicError.
        Implements: rados_write_op_cmpext, rados_read_op_cmpext
        """
        offset = number(offset, "offset")
        data, size = payload(cmp_buf, "cmp_buf")
        self._add(
            self._pick(lib.rados_write_op_cmpext, lib.rados_read_op_cmpext),
            data,
            size,
            offset,
            NULL,
            size=size,
        )

    def cmpxattr(
        self, xattr_name: str, xattr_value: Any, cmp_op: int = LIBRADOS_CMPXATTR_OP_EQ
    ) -> None:
        """If the comparison of an extended attribute with a value does not hold the operation
        fails, with errno ECANCELED.

        Parameters:
            cmp_op: LIBRADOS_CMPXATTR_OP_*; with OP_LT the value that is given must be less than the
                attribute (with omap_cmp it is the other way round).

        Raises TypeError, OverflowError, LogicError.
        Implements: rados_write_op_cmpxattr, rados_read_op_cmpxattr
        """
        name, cmp_op = name_of(xattr_name, "xattr_name"), number(cmp_op, "cmp_op", *BYTE)
        value, size = payload(xattr_value, "xattr_value")
        self._add(
            self._pick(lib.rados_write_op_cmpxattr, lib.rados_read_op_cmpxattr),
            name,
            cmp_op,
            value,
            size,
            size=len(name) + size,
        )

    def omap_cmp(self, key: str | bytes, val: Any, cmp_op: int = LIBRADOS_CMPXATTR_OP_EQ) -> None:
        """If the comparison of a key's value with another one does not hold the operation fails,
        with errno ECANCELED.

        Parameters:
            key, val: str (as UTF-8) or bytes. A key that is not there has the empty value.
            cmp_op: LIBRADOS_CMPXATTR_OP_EQ, OP_LT or OP_GT; with OP_LT the key's value must be less
                than the one that is given.

        Raises TypeError, OverflowError, LogicError.
        Implements: rados_write_op_omap_cmp2, rados_read_op_omap_cmp2
        """
        name, (value, size) = omap_key(key, "key"), omap_value(val, "val")
        cmp_op = number(cmp_op, "cmp_op", *BYTE)
        self._add(
            self._pick(lib.rados_write_op_omap_cmp2, lib.rados_read_op_omap_cmp2),
            name,
            cmp_op,
            value,
            len(name),
            size,
            NULL,
            size=len(name) + size + OVERHEAD,
        )


class WriteOp(AnyOp, OmapWrites):
    """Changes of one object, which are made together or not at all, in the order in which they
    were added; see Ioctx.operate_write_op. Data may be any C-contiguous buffer, and is copied.

    It is begun by create(), which WriteOpCtx and Ioctx.create_write_op call.
    """

    _writes = True

    def create(self) -> WriteOp:
        """Begins a new operation (one begun before is released); returns this object.

        Implements: rados_create_write_op
        """
        self._replace(Operation(lib.rados_create_write_op(), lib.rados_release_write_op))
        return self

    def new(self, exclusive: int | None = None) -> None:
        """Creates the object; with LIBRADOS_CREATE_EXCLUSIVE the operation fails with ObjectExists
        if there is one.

        Raises TypeError, OverflowError, LogicError. Implements: rados_write_op_create
        """
        exclusive = 0 if exclusive is None else number(exclusive, "exclusive", *INT)
        self._add(lib.rados_write_op_create, exclusive, NULL)

    def remove(self) -> None:
        """Removes the object. Raises LogicError. Implements: rados_write_op_remove"""
        self._add(lib.rados_write_op_remove)

    def set_xattr(self, xattr_name: str, xattr_value: Any) -> None:
        """Sets an extended attribute.

        Raises TypeError, LogicError. Implements: rados_write_op_setxattr
        """
        name = name_of(xattr_name, "xattr_name")
        value, size = payload(xattr_value, "xattr_value")
        self._add(lib.rados_write_op_setxattr, name, value, size, size=len(name) + size)

    def rm_xattr(self, xattr_name: str) -> None:
        """Removes an extended attribute.

        Raises TypeError, LogicError. Implements: rados_write_op_rmxattr
        """
        self._add(lib.rados_write_op_rmxattr, name_of(xattr_name, "xattr_name"))

    def append(self, to_write: Any) -> None:
        """Appends to the object.

        Raises TypeError, LogicError. Implements: rados_write_op_append
        """
        data, size = payload(to_write, "to_write")
        self._add(lib.rados_write_op_append, data, size, size=size)

    def write_full(self, to_write: Any) -> None:
        """Makes `to_write` the whole content.

        Raises TypeError, LogicError. Implements: rados_write_op_write_full
        """
        data, size = payload(to_write, "to_write")
        self._add(lib.rados_write_op_write_full, data, size, size=size)

    def write(self, to_write: Any, offset: int = 0) -> None:
        """Writes to the object. Writing nothing does not make it longer.

        Raises TypeError, OverflowError, LogicError. Implements: rados_write_op_write
        """
        offset = number(offset, "offset")
        data, size = payload(to_write, "to_write")
        # nothing that is written behind the end makes an object of Ceph 14 or 16 unreadable
        self._add(lib.rados_write_op_write, data, size, offset if size else 0, size=size)

    def writesame(self, to_write: Any, write_len: int, offset: int = 0) -> None:
        """Writes the same data again and again, `write_len` bytes in all.

        Parameters:
            write_len: a multiple of the length of `to_write`.

        Raises TypeError, OverflowError, LogicError. Implements: rados_write_op_writesame
        """
        write_len, offset = number(write_len, "write_len"), number(offset, "offset")
        data, size = payload(to_write, "to_write")
        if write_len > LONGEST:
            # the OSD would spend minutes on it before it refuses
            raise failed(-E2BIG, f"{calling()}: write_len {write_len}")
        self._add(lib.rados_write_op_writesame, data, size, write_len, offset, size=size)

    def zero(self, offset: int, length: int) -> None:
        """Overwrites a part of the object with zeroes. If that reaches the object's end, or goes
        beyond, the cluster cuts the object off instead.

        Parameters:
            length: in bytes, at least 1.

        Raises TypeError, OverflowError, InvalidArgumentError, LogicError.
        Implements: rados_write_op_zero
        """
        offset, length = number(offset, "offset"), number(length, "length")
        if length == 0:
            # OSDs abort, and again when they are back and librados repeats it
            raise invalid("length must be at least 1")
        self._add(lib.rados_write_op_zero, offset, length)

    def truncate(self, offset: int) -> None:
        """Makes the object `offset` bytes long.

        Raises TypeError, OverflowError, LogicError. Implements: rados_write_op_truncate
        """
        self._add(lib.rados_write_op_truncate, number(offset, "offset"))

    def execute(self, cls: str, method: str, data: Any) -> None:
        """Runs a method of a class of the OSDs on the object; what it returns is lost.

        Raises TypeError, InvalidArgumentError, LogicError. Implements: rados_write_op_exec
        """
        names = class_method(cls, method)
        given, size = payload(data, "data")
        whole = size + len(names[0]) + len(names[1])
        self._add(lib.rados_write_op_exec, *names, given, size, NULL, size=whole)

    def set_alloc_hint(
        self, expected_object_size: int, expected_write_size: int, flags: int = 0
    ) -> None:
        """Tells the cluster how the object will be used.

        Parameters:
            expected_object_size, expected_write_size: in bytes, 0 for unknown.
            flags: bits LIBRADOS_ALLOC_HINT_FLAG_*.

        Raises TypeError, OverflowError, LogicError. Implements: rados_write_op_set_alloc_hint2
        """
        whole = number(expected_object_size, "expected_object_size")
        part = number(expected_write_size, "expected_write_size")
        flags = number(flags, "flags", *UINT)
        self._add(lib.rados_write_op_set_alloc_hint2, whole, part, flags)


class ReadOp(AnyOp, OmapReads):
    """Reads of one object, all of the same moment; see Ioctx.operate_read_op.

    What a step finds is the ``value`` of what the method that adds the step returns:

        with rados.ReadOpCtx() as op:
            stat, data = op.stat(), op.read(4096)
            ioctx.operate_read_op(op, "object")
        print(stat.value, data.value)

    It is begun by create(), which ReadOpCtx and Ioctx.create_read_op call.
    """

    _writes = False

    def create(self) -> ReadOp:
        """Begins a new operation (one begun before is released); returns this object.

        Implements: rados_create_read_op
        """
        self._replace(Operation(lib.rados_create_read_op(), lib.rados_release_read_op))
        return self

    def _find(
        self,
        step: str,
        find: Callable[[], Value],
        function: Any,
        *args: Any,
        size: int = 0,
        drop: Callable[[], None] | None = None,
    ) -> Result[Value]:
        code = new_code()
        result = Result(f"ReadOp.{step}", code, find, drop)
        self._begun().add(function, *args, code, size=size, result=result)
        return result

    def read(self, length: int = 8192, offset: int = 0) -> Result[bytes]:
        """Reads up to `length` bytes; fewer where the object ends. All the reads and the data of
        one operation may have 2 GiB less one byte together.

        Raises TypeError, OverflowError, OSError with errno E2BIG, LogicError.
        Implements: rados_read_op_read
        """
        length, offset = number(length, "length", 0, sys.maxsize), number(offset, "offset")
        # to librados no length means all of the object
        room = length or 1
        self._begun().check_room(room)
        buffer, data = _space(room)
        size = ffi.new("size_t *")

        def find() -> bytes:
            if data is not None:
                return data if size[0] == length else data[: size[0]]
            return bytes(ffi.buffer(buffer, min(size[0], length)))

        return self._find(
            "read", find, lib.rados_read_op_read, offset, room, buffer, size, size=room
        )

    def stat(self) -> Result[tuple[int, time.struct_time]]:
        """Finds (size in bytes, time of last change in local time), as Ioctx.stat does.

        Raises LogicError. Implements: rados_read_op_stat
        """
        size, changed = ffi.new("uint64_t *"), ffi.new("time_t *")
        return self._find(
            "stat",
            lambda: (int(size[0]), time.localtime(changed[0])),
            lib.rados_read_op_stat,
            size,
            changed,
        )

    @needs("rados_read_op_stat2")
    def stat2(self) -> Result[ObjectStat]:
        """Finds the size in bytes, and the time of last change in nanoseconds.

        Raises LogicError. Implements: rados_read_op_stat2
        """
        size, changed = ffi.new("uint64_t *"), ffi.new("struct timespec *")
        return self._find(
            "stat2",
            lambda: ObjectStat(int(size[0]), changed.tv_sec * SECOND + changed.tv_nsec),
            lib.rados_read_op_stat2,
            size,
            changed,
        )

    def get_xattrs(self) -> Result[dict[str, bytes]]:
        """Finds all extended attributes: {name: value}.

        Raises LogicError.
        Implements: rados_read_op_getxattrs, rados_getxattrs_next, rados_getxattrs_end
        """
        iterator = ffi.new("rados_xattrs_iter_t *")

        def drop() -> None:
            if iterator[0] != NULL:
                lib.rados_getxattrs_end(iterator[0])

        def find() -> dict[str, bytes]:
            return dict(attributes_of(iterator))

        return self._find("get_xattrs", find, lib.rados_read_op_getxattrs, iterator, drop=drop)

    def execute(
        self, cls: str, method: str, data: Any = b"", *, length: int | None = None
    ) -> Result[bytes]:
        """Runs a method of a class of the OSDs on the object, and finds what it returns.

        Parameters:
            length: that it returns not more than so many bytes, else the step fails with errno
                ERANGE; None for no limit.

        Raises TypeError, OverflowError, InvalidArgumentError, LogicError.
        Implements: rados_read_op_exec, rados_read_op_exec_user_buf, rados_buffer_free
        """
        given = *class_method(cls, method), *payload(data, "data")
        whole = len(given[0]) + len(given[1]) + given[3]
        size = ffi.new("size_t *")
        if length is not None:
            length = number(length, "length", 0, sys.maxsize)
            buffer = uncleared(length)
            return self._find(
                "execute",
                lambda: bytes(ffi.buffer(buffer, size[0])),
                lib.rados_read_op_exec_user_buf,
                *given,
                buffer,
                length,
                size,
                size=whole,
            )
        output = ffi.new("char **")

        def drop() -> None:
            if output[0] != NULL:
                lib.rados_buffer_free(output[0])

        return self._find(
            "execute",
            lambda: bytes(ffi.buffer(output[0], size[0])) if size[0] else b"",
            lib.rados_read_op_exec,
            *given,
            output,
            size,
            size=whole,
            drop=drop,
        )

    def checksum(
        self,
        checksum_type: int,
        length: int,
        offset: int = 0,
        *,
        chunk_size: int | None = None,
        init_value: int = 0,
    ) -> Result[list[int]]:
        """Finds the checksums of a part of the object, one of each chunk.

        Parameters:
            checksum_type: LIBRADOS_CHECKSUM_TYPE_*.
            chunk_size: in bytes, a divisor of `length`; None for one checksum of all.
            init_value: what the checksums begin with, such as 0xFFFFFFFF for CRC32C.

        Raises TypeError, OverflowError, InvalidArgumentError, LogicError.
        Implements: rados_read_op_checksum
        """
        checksum_type = number(checksum_type, "checksum_type", *INT)
        length, offset = number(length, "length"), number(offset, "offset")
        if checksum_type not in CHECKSUM_BYTES:
            raise invalid(f"checksum_type must be LIBRADOS_CHECKSUM_TYPE_*, not {checksum_type}")
        width = CHECKSUM_BYTES[checksum_type]
        initial = number(init_value, "init_value", 0, (1 << 8 * width) - 1)
        chunk = length if chunk_size is None else number(chunk_size, "chunk_size")
        if length == 0 or chunk == 0 or length % chunk:
            raise invalid(f"chunk_size {chunk} must divide length {length}, and neither can be 0")
        # in front there is how many follow; of nothing there is nothing, not even that
        size = 4 + length // chunk * width
        if size > LONGEST:
            raise invalid(f"{length // chunk} checksums are too many")
        sums = _zeroes(size)

        def find() -> list[int]:
            found = bytes(ffi.buffer(sums, size))
            # at the object's end the last chunk is shorter, or there are less of them
            count = int.from_bytes(found[:4], "little")
            ends = range(4 + width, 5 + count * width, width)
            return [int.from_bytes(found[end - width : end], "little") for end in ends]

        return self._find(
            "checksum",
            find,
            lib.rados_read_op_checksum,
            checksum_type,
            initial.to_bytes(width, "little"),
            width,
            offset,
            length,
            0 if chunk_size is None else chunk,
            sums,
            size,
        )


def _space(length: int) -> tuple[Any, bytes | None]:
    """(where C puts `length` bytes, the bytes object that this is, if it is one)."""
    room = room_for(length)
    return (ffi.from_buffer("char[]", room), room) if isinstance(room, bytes) else (room, None)


def _zeroes(length: int) -> Any:
    try:
        return ffi.new("char[]", length)
    except (MemoryError, OverflowError):
        raise MemoryError(named(f"no memory for {length} bytes")) from None


class OpCtx:
    """Makes an operation a context manager: created at the start, released at the end."""

    create: Callable[[], Any]
    release: Callable[[], None]

    def __enter__(self: Self) -> Self:
        self.create()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.release()


class WriteOpCtx(WriteOp, OpCtx):
    """``with WriteOpCtx() as op``: a WriteOp for the block."""


class ReadOpCtx(ReadOp, OpCtx):
    """``with ReadOpCtx() as op``: a ReadOp for the block."""
