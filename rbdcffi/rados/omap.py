"""The key/value map of an object: steps that read and change it, and what they find."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar, Union

from rbdcffi._buffers import INT64, c_string, decode, items, number, readable
from rbdcffi._calls import Calling, named
from rbdcffi._ffi import NULL, ffi, lib, needs
from rbdcffi.rados._steps import OVERHEAD, Result, Steps, new_code
from rbdcffi.rados.errors import Error, failed, wrong_type

if TYPE_CHECKING:
    from rbdcffi.rados.operations import ReadOp, WriteOp

Kind = TypeVar("Kind")

#: What keys may be.
OMAP_KEY_TYPE = Union[str, bytes]

#: What makes the keys that users see of those that librados has.
KeyType = Callable[[bytes], Any]

#: As many as the cluster gives at once (osd_max_omap_entries_per_request).
ALL = -1


def omap_key(value: object, what: str) -> bytes:
    """A key: str or bytes, with any bytes in it."""
    if isinstance(value, str):
        try:
            return value.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError as error:
            raise wrong_type(
                f"{what} {value!r} cannot be encoded as UTF-8: {error.reason}"
            ) from None
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    raise wrong_type(f"{what} must be a string or bytes, not {type(value).__name__}")


def _keys(values: Iterable[Any], what: str) -> list[bytes]:
    return [omap_key(value, f"{what}[{i}]") for i, value in enumerate(items(values, what))]


def omap_value(value: Any, what: str) -> tuple[Any, int]:
    """A value: any buffer, or text, which is meant as UTF-8."""
    return readable(omap_key(value, what) if isinstance(value, str) else value, what)


def _vector(parts: list[tuple[Any, int]]) -> tuple[Any, Any, Any]:
    """(``const char *const *``, ``const size_t *``, what must stay referenced)."""
    starts = [ffi.from_buffer("char[]", p) if isinstance(p, bytes) else p for p, _ in parts]
    pointers = ffi.new("const char *[]", starts)
    return pointers, ffi.new("size_t[]", [size for _, size in parts]), starts


def _bytes_of(parts: list[tuple[Any, int]]) -> int:
    """At most what they come to in an operation."""
    return sum(size + OVERHEAD for _, size in parts)


class OmapIterator(Result["list[tuple[Any, bytes | None]]"]):
    """Yields the (key, value) that a step of a ReadOp finds, sorted by key; value is None if only
    keys were asked for. To be used when the operation has been performed; it stays then.

    Implements: rados_omap_get_next2, rados_omap_iter_size, rados_omap_get_end
    """

    _pairs: Iterator[tuple[bytes, bytes | None]] | None = None
    _more: Any = None

    def __init__(self, step: str, key_type: KeyType, with_values: bool) -> None:
        if not callable(key_type):
            raise wrong_type(f"omap_key_type must be callable, not {type(key_type).__name__}")
        self._raw = ffi.new("rados_omap_iter_t *")
        self._more = ffi.new("unsigned char *")
        # bytes that are no UTF-8 survive a round trip
        self._key_type = decode if key_type is bytes.decode else key_type
        self._with_values = with_values
        super().__init__(step, new_code(), self._read, self._end)

    def __iter__(self) -> OmapIterator:
        return self

    def __next__(self) -> tuple[Any, bytes | None]:
        if self._pairs is None:
            self._pairs = iter(self._all())
        key, value = next(self._pairs)
        return self._key_type(key), value

    def __len__(self) -> int:
        return len(self._all())

    @property
    def more(self) -> bool:
        """Whether there are more keys than were asked for, or than the cluster gives at once."""
        self._all()
        return bool(self._more[0])

    @property
    def value(self) -> list[tuple[Any, bytes | None]]:
        """All of them, at once."""
        return [(self._key_type(key), value) for key, value in self._all()]

    def _all(self) -> list[tuple[bytes, bytes | None]]:
        return super().value

    def _read(self) -> list[tuple[Any, bytes | None]]:
        raw = self._raw[0]
        key, value = ffi.new("char **"), ffi.new("char **")
        key_size, value_size = ffi.new("size_t *"), ffi.new("size_t *")
        found: list[tuple[Any, bytes | None]] = []
        for _ in range(lib.rados_omap_iter_size(raw)):
            result = lib.rados_omap_get_next2(raw, key, value, key_size, value_size)
            if result < 0:
                raise failed(result, self._step)
            name = bytes(ffi.buffer(key[0], key_size[0])) if key_size[0] else b""
            data: bytes | None = None
            if self._with_values:
                data = bytes(ffi.buffer(value[0], value_size[0])) if value_size[0] else b""
            found.append((name, data))
        return found

    def _end(self) -> None:
        raw, self._raw[0] = self._raw[0], NULL
        if raw != NULL:
            lib.rados_omap_get_end(raw)


class OmapWrites(Steps):
    """The part of WriteOp that changes the key/value map. Keys are str (as UTF-8) or bytes."""

    def omap_set(self, pairs: Mapping[Any, Any] | Iterable[tuple[Any, Any]]) -> None:
        """Sets keys to values.

        Parameters:
            pairs: {key: value}, or (key, value) pairs; values are buffers, or str (as UTF-8).

        Raises TypeError, LogicError. Implements: rados_write_op_omap_set2
        """
        if isinstance(pairs, Mapping):
            pairs = pairs.items()
        both = items(pairs, "pairs")
        for i, pair in enumerate(both):
            if not isinstance(pair, (tuple, list)) or len(pair) != 2:
                raise wrong_type(f"pairs[{i}] must be a key and a value, not {pair!r}")
        self._set([key for key, _ in both], [value for _, value in both])

    def _set(self, keys: list[Any], values: list[Any]) -> None:
        names = [(key, len(key)) for key in _keys(keys, "keys")]
        data = [omap_value(value, f"values[{i}]") for i, value in enumerate(values)]
        (k, k_sizes, k_keep), (v, v_sizes, v_keep) = _vector(names), _vector(data)
        whole = _bytes_of(names) + _bytes_of(data)
        self._add(lib.rados_write_op_omap_set2, k, v, k_sizes, v_sizes, len(names), size=whole)
        del k_keep, v_keep

    def omap_rm_keys(self, keys: Iterable[Any]) -> None:
        """Removes keys, those that are there.

        Raises TypeError, LogicError. Implements: rados_write_op_omap_rm_keys2
        """
        names = [(key, len(key)) for key in _keys(keys, "keys")]
        pointers, sizes, keep = _vector(names)
        whole = _bytes_of(names)
        self._add(lib.rados_write_op_omap_rm_keys2, pointers, sizes, len(keep), size=whole)

    @needs("rados_write_op_omap_rm_range2")
    def omap_rm_range(self, key_begin: str | bytes, key_end: str | bytes) -> None:
        """Removes the keys from `key_begin` up to, but without, `key_end`.

        Raises TypeError, LogicError. Implements: rados_write_op_omap_rm_range2
        """
        begin, end = omap_key(key_begin, "key_begin"), omap_key(key_end, "key_end")
        # an OSD on memstore corrupts its memory if they are in the wrong order
        begin = min(begin, end)
        whole = len(begin) + len(end) + OVERHEAD
        self._add(lib.rados_write_op_omap_rm_range2, begin, len(begin), end, len(end), size=whole)

    def omap_clear(self) -> None:
        """Removes all keys. Raises LogicError. Implements: rados_write_op_omap_clear"""
        self._add(lib.rados_write_op_omap_clear)


class OmapReads(Steps):
    """The part of ReadOp that reads the key/value map."""

    def omap_get_vals(
        self,
        start_after: str | bytes | None = "",
        filter_prefix: str | bytes | None = "",
        max_return: int = ALL,
        omap_key_type: KeyType = bytes.decode,
    ) -> OmapIterator:
        """Reads keys and values, sorted by key.

        Parameters:
            start_after: begin behind this key.
            filter_prefix: only keys that begin with this.
            max_return: not more than so many; negative for as many as the cluster gives at once
                (``more`` of the result tells whether that was all).
            omap_key_type: makes keys of bytes; by default str.

        Neither of the strings can contain a NUL. Raises TypeError, OverflowError, LogicError.
        Implements: rados_read_op_omap_get_vals2
        """
        after, prefix = _text(start_after, "start_after"), _text(filter_prefix, "filter_prefix")
        most = number(max_return, "max_return", *INT64) & 0xFFFFFFFFFFFFFFFF
        found = OmapIterator("ReadOp.omap_get_vals", omap_key_type, True)
        return self._list(found, lib.rados_read_op_omap_get_vals2, after, prefix, most)

    def omap_get_keys(
        self,
        start_after: str | bytes | None = "",
        max_return: int = ALL,
        omap_key_type: KeyType = bytes.decode,
    ) -> OmapIterator:
        """Reads keys, sorted; the parameters are those of omap_get_vals.

        Raises TypeError, OverflowError, LogicError. Implements: rados_read_op_omap_get_keys2
        """
        after = _text(start_after, "start_after")
        most = number(max_return, "max_return", *INT64) & 0xFFFFFFFFFFFFFFFF
        found = OmapIterator("ReadOp.omap_get_keys", omap_key_type, False)
        return self._list(found, lib.rados_read_op_omap_get_keys2, after, most)

    def _list(self, found: OmapIterator, function: Any, *args: Any) -> OmapIterator:
        places = found._raw, found._more, found._code
        self._begun().add(function, *args, *places, result=found)
        return found

    def omap_get_vals_by_keys(
        self, keys: Iterable[str | bytes], omap_key_type: KeyType = bytes.decode
    ) -> OmapIterator:
        """Reads these keys and their values, sorted; keys that are not there are left out.

        Raises TypeError, LogicError. Implements: rados_read_op_omap_get_vals_by_keys2
        """
        pointers, sizes, keep = _vector([(key, len(key)) for key in _keys(keys, "keys")])
        found = OmapIterator("ReadOp.omap_get_vals_by_keys", omap_key_type, True)
        function = lib.rados_read_op_omap_get_vals_by_keys2
        places = found._raw, found._code
        self._begun().add(function, pointers, len(keep), sizes, *places, result=found)
        return found


def _text(value: object, what: str) -> Any:
    # None stands for nothing, as with the standard binding
    return c_string("" if value is None else value, what, wrong_type)


class Omap(Calling):
    """The part of Ioctx that adds steps for the key/value map to operations."""

    if TYPE_CHECKING:

        def _check(self, what: str) -> None: ...

    def _write_op(self, write_op: WriteOp, what: str) -> OmapWrites:
        self._check(what)
        return checked(write_op, OmapWrites, "write_op")

    def _read_op(self, read_op: ReadOp, what: str) -> OmapReads:
        self._check(what)
        return checked(read_op, OmapReads, "read_op")

    def set_omap(
        self, write_op: WriteOp, keys: Iterable[str | bytes], values: Iterable[Any]
    ) -> None:
        """Lets an operation set keys to values; see WriteOp.omap_set.

        Raises TypeError, Error (not as many values as keys), LogicError, IoctxStateError.
        Implements: rados_write_op_omap_set2
        """
        operation = self._write_op(write_op, "set_omap")
        names, data = items(keys, "keys"), items(values, "values")
        if len(names) != len(data):
            raise Error(named(f"{len(names)} keys, but {len(data)} values"))
        operation._set(names, data)

    def remove_omap_keys(self, write_op: WriteOp, keys: Iterable[str | bytes]) -> None:
        """Lets an operation remove keys, those that are there.

        Raises TypeError, LogicError, IoctxStateError. Implements: rados_write_op_omap_rm_keys2
        """
        self._write_op(write_op, "remove_omap_keys").omap_rm_keys(keys)

    @needs("rados_write_op_omap_rm_range2")
    def remove_omap_range2(
        self, write_op: WriteOp, key_begin: str | bytes, key_end: str | bytes
    ) -> None:
        """Lets an operation remove the keys from `key_begin` up to, but without, `key_end`.

        Raises TypeError, LogicError, IoctxStateError. Implements: rados_write_op_omap_rm_range2
        """
        self._write_op(write_op, "remove_omap_range2").omap_rm_range(key_begin, key_end)

    def clear_omap(self, write_op: WriteOp) -> None:
        """Lets an operation remove all keys.

        Raises TypeError, LogicError, IoctxStateError. Implements: rados_write_op_omap_clear
        """
        self._write_op(write_op, "clear_omap").omap_clear()

    def get_omap_vals(
        self,
        read_op: ReadOp,
        start_after: str | bytes | None,
        filter_prefix: str | bytes | None,
        max_return: int,
        omap_key_type: KeyType = bytes.decode,
    ) -> tuple[OmapIterator, int]:
        """Lets an operation read keys and values; see ReadOp.omap_get_vals.

        Returns (the iterator over what will be found, 0).

        Raises TypeError, OverflowError, LogicError, IoctxStateError.
        Implements: rados_read_op_omap_get_vals2
        """
        operation = self._read_op(read_op, "get_omap_vals")
        return operation.omap_get_vals(start_after, filter_prefix, max_return, omap_key_type), 0

    def get_omap_keys(
        self,
        read_op: ReadOp,
        start_after: str | bytes | None,
        max_return: int,
        omap_key_type: KeyType = bytes.decode,
    ) -> tuple[OmapIterator, int]:
        """Lets an operation read keys; see ReadOp.omap_get_keys.

        Returns (the iterator over the (key, None) that will be found, 0).

        Raises TypeError, OverflowError, LogicError, IoctxStateError.
        Implements: rados_read_op_omap_get_keys2
        """
        operation = self._read_op(read_op, "get_omap_keys")
        return operation.omap_get_keys(start_after, max_return, omap_key_type), 0

    def get_omap_vals_by_keys(
        self,
        read_op: ReadOp,
        keys: Iterable[str | bytes],
        omap_key_type: KeyType = bytes.decode,
    ) -> tuple[OmapIterator, int]:
        """Lets an operation read these keys and their values; see ReadOp.omap_get_vals_by_keys.

        Returns (the iterator over what will be found, 0).

        Raises TypeError, LogicError, IoctxStateError.
        Implements: rados_read_op_omap_get_vals_by_keys2
        """
        operation = self._read_op(read_op, "get_omap_vals_by_keys")
        return operation.omap_get_vals_by_keys(keys, omap_key_type), 0


def checked(operation: object, kind: type[Kind], what: str) -> Kind:
    """Raises TypeError unless an argument is an operation of the kind that is wanted."""
    if not isinstance(operation, kind):
        wanted = "WriteOp" if issubclass(kind, OmapWrites) else "ReadOp"
        raise wrong_type(
            f"{what} must be an rbdcffi.rados.{wanted}, "
            f"not {type(operation).__module__}.{type(operation).__name__}"
        )
    return operation
