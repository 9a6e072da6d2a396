"""Object I/O: read, write, stat, extended attributes, listing."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from rbdcffi._buffers import c_string, decode, grow, new_uncleared, number, readable
from rbdcffi._errors import ENOENT
from rbdcffi._ffi import NULL, ffi, lib, new_bytes
from rbdcffi.rados.errors import ObjectStateError, failed, wrong_type

if TYPE_CHECKING:
    from rbdcffi._handle import Handle
    from rbdcffi.rados.ioctx import Ioctx


def _name(value: object, what: str) -> Any:
    return c_string(value, what, wrong_type)


class Objects:
    """The part of Ioctx that works on objects. Sizes and offsets are in bytes."""

    _gate: Any
    _handle: Handle | None

    if TYPE_CHECKING:

        @property
        def _label(self) -> str: ...

        def _check(self, what: str) -> None: ...

    def _what(self, call: str, key: object) -> str:
        return f"Ioctx.{call} of object {key!r} in pool {self._label!r}"

    def write(self, key: str, data: Any, offset: int = 0) -> int:
        """Writes to an object, creating it if need be; returns 0.

        Parameters:
            data: any C-contiguous buffer.

        Raises TypeError, Error. Implements: rados_write
        """
        buffer, size = readable(data, "data")
        number(offset, f"{self._what('write', key)}: offset")
        return self._done(
            lib.rados_write(self._gate, _name(key, "key"), buffer, size, offset), "write", key
        )

    def write_full(self, key: str, data: Any) -> int:
        """Makes `data` the whole content of an object; returns 0.

        Raises TypeError, Error. Implements: rados_write_full
        """
        buffer, size = readable(data, "data")
        return self._done(
            lib.rados_write_full(self._gate, _name(key, "key"), buffer, size), "write_full", key
        )

    def append(self, key: str, data: Any) -> int:
        """Appends to an object; returns 0. Raises TypeError, Error. Implements: rados_append"""
        buffer, size = readable(data, "data")
        return self._done(
            lib.rados_append(self._gate, _name(key, "key"), buffer, size), "append", key
        )

    def read(self, key: str, length: int = 8192, offset: int = 0) -> bytes:
        """Reads up to `length` bytes; fewer where the object ends.

        Raises TypeError, ObjectNotFound, Error. Implements: rados_read
        """
        name = _name(key, "key")
        number(length, f"{self._what('read', key)}: length")
        number(offset, f"{self._what('read', key)}: offset")
        if new_bytes is None or length < 2:
            buffer = new_uncleared("char[]", length)
            result = lib.rados_read(self._gate, name, buffer, length, offset)
            if result >= 0:
                return bytes(ffi.buffer(buffer, result))
        else:
            data = new_bytes(length)
            result = lib.rados_read(self._gate, name, data, length, offset)
            if result >= 0:
                return data if result == length else data[:result]
        raise failed(result, self._what(f"read({offset}~{length})", key))

    def trunc(self, key: str, size: int) -> int:
        """Makes an object `size` bytes long; returns 0. Raises Error. Implements: rados_trunc"""
        number(size, f"{self._what('trunc', key)}: size")
        return self._done(lib.rados_trunc(self._gate, _name(key, "key"), size), "trunc", key)

    def stat(self, key: str) -> tuple[int, time.struct_time]:
        """(size, time of last change in local time) of an object.

        Raises TypeError, ObjectNotFound, Error. Implements: rados_stat
        """
        size = ffi.new("uint64_t *")
        changed = ffi.new("time_t *")
        self._done(lib.rados_stat(self._gate, _name(key, "key"), size, changed), "stat", key)
        return size[0], time.localtime(changed[0])

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

        Raises TypeError, Error. Implements: rados_setxattr
        """
        value, size = readable(xattr_value, "xattr_value")
        self._done(
            lib.rados_setxattr(
                self._gate, _name(key, "key"), _name(xattr_name, "xattr_name"), value, size
            ),
            f"set_xattr({xattr_name!r})",
            key,
        )
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


class XattrIterator:
    """Yields the (name, value) of an object's extended attributes, as they were at the start."""

    def __init__(self, ioctx: Objects, oid: str) -> None:
        iterator = ffi.new("rados_xattrs_iter_t *")
        ioctx._done(
            lib.rados_getxattrs(ioctx._gate, _name(oid, "oid"), iterator), "get_xattrs", oid
        )
        name = ffi.new("const char **")
        value = ffi.new("const char **")
        size = ffi.new("size_t *")
        pairs: list[tuple[str, bytes]] = []
        try:
            while True:
                ioctx._done(
                    lib.rados_getxattrs_next(iterator[0], name, value, size), "get_xattrs", oid
                )
                if name[0] == NULL:
                    break
                pairs.append(
                    (
                        decode(ffi.string(name[0])),
                        ffi.buffer(value[0], size[0])[:] if size[0] else b"",
                    )
                )
        finally:
            lib.rados_getxattrs_end(iterator[0])
        self._pairs = iter(pairs)

    def __iter__(self) -> XattrIterator:
        return self

    def __next__(self) -> tuple[str, bytes]:
        return next(self._pairs)


class _ListCursor:
    """The C state of a listing; closed with its I/O context at the latest."""

    def __init__(self, ioctx: Ioctx) -> None:
        assert ioctx._handle is not None
        self._handle = ioctx._handle
        self._lock = threading.Lock()
        raw = ffi.new("rados_list_ctx_t *")
        result = lib.rados_nobjects_list_open(ioctx._gate, raw)
        if result < 0:
            raise failed(result, f"Ioctx.list_objects of pool {ioctx._label!r}")
        self._raw: Any = raw[0]
        self._entry = ffi.new("const char *[3]")
        self._sizes = ffi.new("size_t[3]")
        self._handle.adopt(self)

    def next(self) -> list[str] | None:
        """[name, locator key, namespace] of the next object, None at the end."""
        entry, sizes = self._entry, self._sizes
        with self._lock:
            if self._raw is None:
                self._handle.check("list_objects")
                return None
            result = lib.rados_nobjects_list_next2(
                self._raw, entry, entry + 1, entry + 2, sizes, sizes + 1, sizes + 2
            )
            if result == 0:
                return [
                    decode(ffi.buffer(entry[i], sizes[i])[:]) if entry[i] != NULL else ""
                    for i in range(3)
                ]
        self.close()
        if result != -ENOENT:
            raise failed(result, f"list the objects of {self._handle.label}")
        return None

    def close(self) -> None:
        with self._lock:
            raw, self._raw = self._raw, None
            if raw is not None and not self._handle.forked:
                lib.rados_nobjects_list_close(raw)
        self._handle.disown(self)

    def entered(self) -> bool:
        return False


class ObjectIterator:
    """Yields the objects of a pool (of one namespace); see Ioctx.list_objects."""

    def __init__(self, ioctx: Ioctx) -> None:
        self._ioctx = ioctx
        self._cursor = _ListCursor(ioctx)

    def __iter__(self) -> Iterator[Object]:
        return self

    def __next__(self) -> Object:
        found = self._cursor.next()
        if found is None:
            raise StopIteration
        name, locator, nspace = found
        return Object(self._ioctx, name, locator or None, nspace)

    def __del__(self) -> None:
        cursor = getattr(self, "_cursor", None)
        if cursor is not None:
            cursor.close()


class Object:
    """An object of a pool, with a position, like a file.

    Parameters:
        key: name of the object.
        locator_key: what it is placed by instead of its name.
        nspace: its namespace.
    """

    def __init__(
        self, ioctx: Ioctx, key: str, locator_key: str | None = None, nspace: str | None = None
    ) -> None:
        self.ioctx = ioctx
        self.key = key
        self.locator_key = locator_key
        self.nspace = "" if nspace is None else nspace
        self.offset = 0
        self.state = "exists"

    def __repr__(self) -> str:
        return (
            f"rados.Object(ioctx={self.ioctx!r},key={self.key},nspace={self.nspace},"
            f"locator_key={self.locator_key})"
        )

    def require_object_exists(self) -> None:
        """Raises ObjectStateError once the object was removed through this one."""
        if self.state != "exists":
            raise ObjectStateError(f"object {self.key!r} is {self.state}")

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
        self.offset = position

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
