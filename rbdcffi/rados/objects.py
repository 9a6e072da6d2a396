"""Object I/O: read, write, stat, extended attributes, listing."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Callable

from rbdcffi._buffers import (
    INT,
    UINT,
    c_string,
    decode,
    grow,
    new_uncleared,
    number,
    readable,
    room_for,
)
from rbdcffi._calls import Calling, calling, named
from rbdcffi._errors import E2BIG, ENOENT, refusal
from rbdcffi._ffi import NULL, ffi, lib, needs
from rbdcffi.rados._steps import LONGEST
from rbdcffi.rados.constants import (
    LIBRADOS_CHECKSUM_TYPE_CRC32C,
    LIBRADOS_CHECKSUM_TYPE_XXHASH32,
    LIBRADOS_CHECKSUM_TYPE_XXHASH64,
)
from rbdcffi.rados.errors import ObjectStateError, failed, invalid, wrong_type

if TYPE_CHECKING:
    from rbdcffi._handle import Handle
    from rbdcffi.rados.ioctx import Ioctx
    from rbdcffi.rados.slices import Cursor

#: {type of checksum: its size}
CHECKSUM_BYTES = {
    LIBRADOS_CHECKSUM_TYPE_XXHASH32: 4,
    LIBRADOS_CHECKSUM_TYPE_XXHASH64: 8,
    LIBRADOS_CHECKSUM_TYPE_CRC32C: 4,
}


def _name(value: object, what: str) -> Any:
    return c_string(value, what, wrong_type)


class Objects(Calling):
    """The part of Ioctx that works on objects. Sizes and offsets are in bytes."""

    _gate: Any
    _handle: Handle | None

    if TYPE_CHECKING:

        @property
        def _label(self) -> str: ...

        def _check(self, what: str) -> None: ...

    def _calling(self, call: str, arguments: Mapping[str, Any] | None = None) -> str:
        given = arguments or {}
        key = given.get("key", given.get("oid", given.get("object_name", given.get("obj"))))
        # an application's metadata have keys, too
        if isinstance(key, (str, bytes)) and "app_name" not in given:
            return self._what(call, key)
        return f"Ioctx.{call} of pool {self._label!r}"

    def _what(self, call: str, key: object) -> str:
        return f"Ioctx.{call} of object {key!r} in pool {self._label!r}"

    def write(self, key: str, data: Any, offset: int = 0) -> int:
        """Writes to an object, creating it if need be; returns 0.

        Parameters:
            data: any C-contiguous buffer.

        Raises TypeError, Error. Implements: rados_write
        """
        name, offset = _name(key, "key"), number(offset, "offset")
        buffer, size = readable(data, "data")
        # writing nothing behind the end spoils the object on OSDs before Ceph 18
        result = lib.rados_write(self._gate, name, buffer, size, offset if size else 0)
        return self._done(result, "write", key)

    def write_full(self, key: str, data: Any) -> int:
        """Makes `data` the whole content of an object; returns 0.

        Raises TypeError, Error. Implements: rados_write_full
        """
        name = _name(key, "key")
        buffer, size = readable(data, "data")
        result = lib.rados_write_full(self._gate, name, buffer, size)
        return self._done(result, "write_full", key)

    def append(self, key: str, data: Any) -> int:
        """Appends to an object; returns 0. Raises TypeError, Error. Implements: rados_append"""
        name = _name(key, "key")
        buffer, size = readable(data, "data")
        result = lib.rados_append(self._gate, name, buffer, size)
        return self._done(result, "append", key)

    def read(self, key: str, length: int = 8192, offset: int = 0) -> bytes:
        """Reads up to `length` bytes; fewer where the object ends.

        Raises TypeError, OverflowError, ObjectNotFound, OSError with errno EDOM (2 GiB or more),
        Error. Implements: rados_read
        """
        name = _name(key, "key")
        length, offset = number(length, "length", 0, sys.maxsize), number(offset, "offset")
        data = room_for(length)
        result = lib.rados_read(self._gate, name, data, length, offset)
        if result >= 0:
            if type(data) is not bytes:
                return bytes(ffi.buffer(data, result))
            return data if result == length else data[:result]
        raise failed(result, self._what(f"read({offset}~{length})", key))

    def trunc(self, key: str, size: int) -> int:
        """Makes an object `size` bytes long; returns 0. Raises Error. Implements: rados_trunc"""
        size = number(size, "size")
        return self._done(lib.rados_trunc(self._gate, _name(key, "key"), size), "trunc", key)

    def stat(self, key: str) -> tuple[int, time.struct_time]:
        """(size, time of last change in local time) of an object.

        Raises TypeError, ObjectNotFound, Error. Implements: rados_stat
        """
        size = ffi.new("uint64_t *")
        changed = ffi.new("time_t *")
        self._done(lib.rados_stat(self._gate, _name(key, "key"), size, changed), "stat", key)
        return size[0], time.localtime(changed[0])

    @needs("rados_stat2")
    def stat2(self, key: str) -> tuple[int, datetime, int]:
        """(size, time of last change, the same in nanoseconds since 1970) of an object. The time
        is aware, in UTC, in microseconds.

        Raises TypeError, ObjectNotFound, Error. Implements: rados_stat2
        """
        size = ffi.new("uint64_t *")
        changed = ffi.new("struct timespec *")
        self._done(lib.rados_stat2(self._gate, _name(key, "key"), size, changed), "stat2", key)
        return (size[0], *timestamp(changed))

    def checksum(
        self,
        key: str,
        type: int = LIBRADOS_CHECKSUM_TYPE_CRC32C,
        init_value: int = 0,
        *,
        length: int = 0,
        offset: int = 0,
        chunk_size: int = 0,
    ) -> list[int]:
        """The checksums of an object, or of a part of it, computed where it is.

        Parameters:
            type: LIBRADOS_CHECKSUM_TYPE_CRC32C, _XXHASH32 or _XXHASH64.
            init_value: what they begin with, such as 0xFFFFFFFF for the usual CRC-32C.
            length: in bytes; 0: to the end.
            chunk_size: a checksum for each so many bytes, of which `length` must be a multiple
                (and not 0); 0: one of all.

        Raises InvalidArgumentError, TypeError, OverflowError, ObjectNotFound, Error.
        Implements: rados_checksum
        """
        name, kind = _name(key, "key"), number(type, "type", *INT)
        width = CHECKSUM_BYTES.get(kind)
        if width is None:
            raise invalid(f"{self._what('checksum', key)}: there is no type {kind}")
        init = number(init_value, "init_value", most=(1 << 8 * width) - 1).to_bytes(width, "little")
        length, offset = number(length, "length"), number(offset, "offset")
        chunk_size = number(chunk_size, "chunk_size")
        buffer: Any = NULL

        def attempt(size: int) -> tuple[int, int]:
            nonlocal buffer
            buffer = ffi.new("char[]", size)
            result = lib.rados_checksum(
                self._gate, name, kind, init, width, length, offset, chunk_size, buffer, size
            )
            return result, size

        self._done(grow(attempt, 4096), "checksum", key)
        data = ffi.buffer(buffer)
        count = int.from_bytes(data[:4], "little")
        return [
            int.from_bytes(data[start : start + width], "little")
            for start in range(4, 4 + count * width, width)
        ]

    def remove_object(self, key: str) -> bool:
        """Removes an object; returns True.

        Raises TypeError, ObjectNotFound, Error. Implements: rados_remove
        """
        self._done(lib.rados_remove(self._gate, _name(key, "key")), "remove_object", key)
        return True

    def _done(self, result: int, call: str, key: object) -> int:
        if result < 0:
            raise failed(result, self._what(call, key))
        return result

    # -- extended attributes -------------------------------------------------------------------

    def get_xattr(self, key: str, xattr_name: str) -> bytes:
        """The value of an extended attribute.

        Raises TypeError, NoData (no such attribute), ObjectNotFound, Error.
        Implements: rados_getxattr
        """
        name, attribute = _name(key, "key"), _name(xattr_name, "xattr_name")
        buffer: Any = NULL

        def attempt(size: int) -> tuple[int, int]:
            nonlocal buffer
            buffer = new_uncleared("char[]", size)
            return lib.rados_getxattr(self._gate, name, attribute, buffer, size), size

        length = grow(attempt, 4096)
        if length < 0:
            raise failed(length, self._what(f"get_xattr({xattr_name!r})", key))
        return bytes(ffi.buffer(buffer, length))

    def get_xattrs(self, oid: str) -> XattrIterator:
        """Iterates over the (name, value) of the extended attributes of an object.

        Raises TypeError, ObjectNotFound, Error.
        Implements: rados_getxattrs, rados_getxattrs_next, rados_getxattrs_end
        """
        return XattrIterator(self, oid)

    def set_xattr(self, key: str, xattr_name: str, xattr_value: Any) -> bool:
        """Sets an extended attribute; returns True.

        Raises TypeError, OSError with errno E2BIG (2 GiB), Error. Implements: rados_setxattr
        """
        name, attribute = _name(key, "key"), _name(xattr_name, "xattr_name")
        value, size = readable(xattr_value, "xattr_value")
        check_xattr(attribute, size)
        result = lib.rados_setxattr(self._gate, name, attribute, value, size)
        self._done(result, f"set_xattr({xattr_name!r})", key)
        return True

    def rm_xattr(self, key: str, xattr_name: str) -> bool:
        """Removes an extended attribute, if there is one of that name; returns True.

        Raises TypeError, ObjectNotFound, Error.
        Implements: rados_rmxattr
        """
        self._done(
            lib.rados_rmxattr(self._gate, _name(key, "key"), _name(xattr_name, "xattr_name")),
            f"rm_xattr({xattr_name!r})",
            key,
        )
        return True

    # -- listing -------------------------------------------------------------------------------

    def list_objects(self) -> ObjectIterator:
        """Iterates over the objects of the selected namespace; yields Object.

        Raises IoctxStateError, Error.
        Implements: rados_nobjects_list_open, rados_nobjects_list_next2, rados_nobjects_list_close
        """
        return ObjectIterator(self)  # type: ignore[arg-type]


def check_xattr(name: bytes, size: int) -> None:
    """Raises if librados would end the process with an attribute of such a length."""
    whole = len(name) + size
    if whole > LONGEST:
        raise failed(
            -E2BIG, f"{calling()}: name and value have {whole} bytes, and {LONGEST} is the most"
        )


def timestamp(moment: Any) -> tuple[datetime, int]:
    """A ``struct timespec``: aware, in UTC, and in nanoseconds."""
    since = datetime.fromtimestamp(moment.tv_sec, timezone.utc)
    return (
        since + timedelta(microseconds=moment.tv_nsec // 1000),
        moment.tv_sec * 10**9 + moment.tv_nsec,
    )


def _end_attributes(attributes: Any) -> None:
    if attributes[0] != NULL:
        lib.rados_getxattrs_end(attributes[0])


def new_attributes() -> Any:
    """Where C puts its list of attributes, which goes with it."""
    return ffi.gc(ffi.new("rados_xattrs_iter_t *"), _end_attributes)


def attributes_of(attributes: Any) -> list[tuple[str, bytes]]:
    """The (name, value) of the attributes that C has listed."""
    name = ffi.new("const char **")
    value = ffi.new("const char **")
    size = ffi.new("size_t *")
    pairs: list[tuple[str, bytes]] = []
    # it cannot fail: the list is there
    while lib.rados_getxattrs_next(attributes[0], name, value, size) == 0 and name[0] != NULL:
        found = ffi.buffer(value[0], size[0])[:] if size[0] else b""
        pairs.append((decode(ffi.string(name[0])), found))
    return pairs


class XattrIterator(Calling):
    """Yields the (name, value) of an object's extended attributes, as they were at the start."""

    def __init__(self, ioctx: Objects, oid: str) -> None:
        _check_ioctx(ioctx)
        iterator = new_attributes()
        ioctx._done(
            lib.rados_getxattrs(ioctx._gate, _name(oid, "oid"), iterator), "get_xattrs", oid
        )
        self._pairs = iter(attributes_of(iterator))

    @classmethod
    def _of(cls, pairs: list[tuple[str, bytes]]) -> XattrIterator:
        self = cls.__new__(cls)
        self._pairs = iter(pairs)
        return self

    def __iter__(self) -> XattrIterator:
        return self

    def __next__(self) -> tuple[str, bytes]:
        return next(self._pairs)


def _check_ioctx(ioctx: object) -> None:
    if not isinstance(ioctx, Objects):
        raise TypeError(named(f"ioctx must be an rbdcffi.rados.Ioctx, not {type(ioctx).__name__}"))


#: The name of an object, its locator key or '', and its namespace.
Place = tuple[str, str, str]


def _cut(text: bytes, lengths: list[int]) -> list[Place]:
    """The texts of a page, which are behind one another, three of each object."""
    whole: Any = text
    convert: Callable[[Any], str] = decode
    if text.isascii():
        # at once what can be: names are many
        whole, convert = text.decode("ascii"), str
    found, at = [], 0
    each = iter(lengths)
    for name, locator, nspace in zip(each, each, each):
        middle = at + name
        other = middle + locator
        end = other + nspace
        found.append(
            (
                convert(whole[at:middle]),
                convert(whole[middle:other]) if locator else "",
                convert(whole[other:end]) if nspace else "",
            )
        )
        at = end
    return found


class _ListCursor:
    """The C state of a listing; closed with its I/O context at the latest."""

    def __init__(self, ioctx: Ioctx) -> None:
        if ioctx._handle is None:
            raise refusal(
                lib.RBDCFFI_IOCTX, lib.RBDCFFI_NEVER_OPENED, ioctx._calling("list_objects")
            )
        self._handle = ioctx._handle
        self._lock = threading.Lock()
        raw = ffi.new("rados_list_ctx_t *")
        result = lib.rados_nobjects_list_open(ioctx._gate, raw)
        if result < 0:
            raise failed(result, f"Ioctx.list_objects of pool {ioctx._label!r}")
        self._raw: Any = raw[0]
        #: what page() has still to tell
        self._ended = 0
        self._entry = ffi.new("const char *[3]")
        self._sizes = ffi.new("size_t[3]")
        entry, sizes = self._entry, self._sizes
        self._places = (entry, entry + 1, entry + 2, sizes, sizes + 1, sizes + 2)
        self._handle.adopt(self)

    def next(self) -> tuple[str, str, str] | None:
        """(name, locator key, namespace) of the next object, None at the end."""
        entry, sizes = self._entry, self._sizes
        with self._lock:
            if self._raw is None:
                self._handle.check("list_objects")
                return None
            result = lib.rados_nobjects_list_next2(self._raw, *self._places)
            if result == 0:
                locator, nspace = sizes[1], sizes[2]
                return (
                    decode(ffi.unpack(entry[0], sizes[0])),
                    # NULL for none
                    decode(ffi.unpack(entry[1], locator)) if locator and entry[1] != NULL else "",
                    decode(ffi.unpack(entry[2], nspace)) if nspace else "",
                )
        self._over(result)
        return None

    def page(self, most: int) -> list[Place]:
        """What so many calls of next() return, at once; an empty list at the end."""
        page = ffi.new("struct rbdcffi_page *")
        sizes = ffi.new("size_t[]", 3 * most)
        count = ffi.new("size_t *")
        with self._lock:
            if self._raw is None:
                self._handle.check("list_objects")
                return []
            result, self._ended = self._ended, 0
            try:
                if result == 0:
                    result = lib.rbdcffi_list_page(self._raw, page, sizes, most, count)
                text = ffi.unpack(page.text, page.length) if page.length else b""
            finally:
                lib.rbdcffi_page_free(page)
            if count[0]:
                # what ended the listing is told behind its last objects
                self._ended = result
                return _cut(text, ffi.unpack(sizes, 3 * count[0]))
        self._over(result)
        return []

    def _over(self, result: int) -> None:
        self.close()
        if result != -ENOENT:
            raise failed(result, f"list the objects of {self._handle.label}")

    def call(self, function: Callable[[Any], int]) -> int:
        """Calls C with the state of the listing; a negative result if it is over."""
        with self._lock:
            if self._raw is None:
                self._handle.check("list_objects")
                return -ENOENT
            return function(self._raw)

    def close(self) -> None:
        with self._lock:
            raw, self._raw = self._raw, None
            if raw is not None and not self._handle.forked:
                lib.rados_nobjects_list_close(raw)
        self._handle.disown(self)

    def entered(self) -> bool:
        return False


class ObjectIterator(Calling):
    """Yields the objects of a pool (of one namespace); see Ioctx.list_objects."""

    def __init__(self, ioctx: Ioctx) -> None:
        _check_ioctx(ioctx)
        self._ioctx = ioctx
        self._cursor = _ListCursor(ioctx)

    def __iter__(self) -> Iterator[Object]:
        return self

    def __next__(self) -> Object:
        found = self._cursor.next()
        if found is None:
            raise StopIteration
        name, locator, nspace = found
        return Object._found(self._ioctx, name, locator or None, nspace)

    def _page(self, most: int) -> list[Place]:
        """Up to so many at once, none at the end: for those who do not ask for the place where the
        iteration is, which is behind them all."""
        return self._cursor.page(most)

    def get_position(self) -> int:
        """Where the iteration is, as a number that can be stored: seek() goes on from there, also
        another time, in another process. It is exact to a placement group: of the last one, some
        objects come again.

        Raises ObjectNotFound (the iteration is over), Error.
        Implements: rados_nobjects_list_get_pg_hash_position
        """
        # librados itself tells the position up to which it has fetched, ahead of the iteration
        place = self.get_cursor()
        other = _ListCursor(self._ioctx)
        try:
            other.call(lambda listing: lib.rados_nobjects_list_seek_cursor(listing, place._raw))
            return other.call(lib.rados_nobjects_list_get_pg_hash_position)
        finally:
            other.close()

    def get_cursor(self) -> Cursor:
        """Where the iteration is, exactly, for seek() and as the limit of a slice: the place of the
        object that came last, which comes again.

        Raises ObjectNotFound (the iteration is over), Error.
        Implements: rados_nobjects_list_get_cursor
        """
        from rbdcffi.rados.slices import Cursor

        found = ffi.new("rados_object_list_cursor *")
        self._call("get_cursor", lambda listing: lib.rados_nobjects_list_get_cursor(listing, found))
        return Cursor._of(self._ioctx, found[0])

    def seek(self, position: int | Cursor) -> int:
        """Goes on from a position or a cursor, forwards or backwards; not once the iteration is
        over. Returns the position.

        Raises TypeError, OverflowError, ObjectNotFound (the iteration is over), Error.
        Implements: rados_nobjects_list_seek, rados_nobjects_list_seek_cursor
        """
        from rbdcffi.rados.slices import Cursor

        if isinstance(position, Cursor):
            raw = position._place("position", self._ioctx._pool_id())
            return self._call(
                "seek", lambda listing: lib.rados_nobjects_list_seek_cursor(listing, raw)
            )
        place = number(position, "position", *UINT)
        return self._call("seek", lambda listing: lib.rados_nobjects_list_seek(listing, place))

    def _call(self, what: str, function: Callable[[Any], int]) -> int:
        result = self._cursor.call(function)
        if result < 0:
            raise failed(result, f"ObjectIterator.{what} of pool {self._ioctx._label!r}")
        return result

    def __del__(self) -> None:
        cursor = getattr(self, "_cursor", None)
        if cursor is not None:
            cursor.close()


class Object(Calling):
    """An object of a pool, with a position, like a file.

    Parameters:
        key: name of the object.
        locator_key: what it is placed by instead of its name.
        nspace: its namespace.
    """

    # for one whose constructor did not run
    ioctx: Ioctx = None  # type: ignore[assignment]
    key = ""
    locator_key: str | None = None
    nspace = ""
    offset = 0
    state = "not initialized"

    def __init__(
        self, ioctx: Ioctx, key: str, locator_key: str | None = None, nspace: str | None = None
    ) -> None:
        _check_ioctx(ioctx)
        _name(key, "key")
        if locator_key is not None:
            _name(locator_key, "locator_key")
        if nspace is not None:
            _name(nspace, "nspace")
        self.ioctx = ioctx
        self.key = key
        self.locator_key = locator_key
        self.nspace = "" if nspace is None else nspace
        self.offset = 0
        self.state = "exists"

    @classmethod
    def _found(cls, ioctx: Ioctx, key: str, locator_key: str | None, nspace: str) -> Object:
        """One that C has named: there is nothing to check."""
        self = cls.__new__(cls)
        self.ioctx = ioctx
        self.key = key
        self.locator_key = locator_key
        self.nspace = nspace
        self.state = "exists"
        return self

    def _calling(self, call: str, arguments: Mapping[str, Any] | None = None) -> str:
        return f"Object.{call} of {self.key!r}"

    def __repr__(self) -> str:
        return (
            f"rados.Object(ioctx={self.ioctx!r},key={self.key},nspace={self.nspace},"
            f"locator_key={self.locator_key})"
        )

    def require_object_exists(self) -> None:
        """Raises ObjectStateError once the object was removed through this one."""
        if self.state != "exists":
            raise ObjectStateError(named(f"object {self.key!r} is {self.state}"))

    def _placed(self) -> Ioctx:
        """A context of the object's own, so that nobody else's namespace changes."""
        self.require_object_exists()
        ioctx = self.ioctx
        if ioctx.nspace == self.nspace and (ioctx.locator_key or None) == self.locator_key:
            return ioctx
        own = ioctx.dup()
        own.set_namespace(self.nspace)
        own.set_locator_key(self.locator_key)
        self.ioctx = own
        self._own = own
        return own

    def __del__(self) -> None:
        own = getattr(self, "_own", None)
        if own is not None:
            own.close()

    def read(self, length: int = 1024 * 1024) -> bytes:
        """Reads from the position on, and moves it. Implements: rados_read"""
        data = self._placed().read(self.key, length, self.offset)
        self.offset += len(data)
        return data

    def write(self, string_to_write: Any) -> int:
        """Writes at the position, and moves it; returns 0. Implements: rados_write"""
        result = self._placed().write(self.key, string_to_write, self.offset)
        self.offset += memoryview(string_to_write).nbytes
        return result

    def remove(self) -> None:
        """Removes the object. Implements: rados_remove"""
        self._placed().remove_object(self.key)
        self.state = "removed"

    def stat(self) -> tuple[int, time.struct_time]:
        """(size, time of last change). Implements: rados_stat"""
        return self._placed().stat(self.key)

    def seek(self, position: int) -> None:
        """Sets the position."""
        self.require_object_exists()
        self.offset = number(position, "position")

    def get_xattr(self, xattr_name: str) -> bytes:
        """The value of an extended attribute. Implements: rados_getxattr"""
        return self._placed().get_xattr(self.key, xattr_name)

    def get_xattrs(self) -> XattrIterator:
        """Iterates over (name, value). Implements: rados_getxattrs"""
        return self._placed().get_xattrs(self.key)

    def set_xattr(self, xattr_name: str, xattr_value: Any) -> bool:
        """Sets an extended attribute; returns True. Implements: rados_setxattr"""
        return self._placed().set_xattr(self.key, xattr_name, xattr_value)

    def rm_xattr(self, xattr_name: str) -> bool:
        """Removes an extended attribute; returns True. Implements: rados_rmxattr"""
        return self._placed().rm_xattr(self.key, xattr_name)
