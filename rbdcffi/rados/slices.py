"""Listing the objects of a pool in parts: by several threads, from any place, page by page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from rbdcffi._buffers import decode, number
from rbdcffi._calls import Calling, named
from rbdcffi._ffi import NULL, ffi, lib
from rbdcffi._handle import NotCopyable
from rbdcffi.rados.errors import failed, invalid
from rbdcffi.rados.objects import Object, Objects

if TYPE_CHECKING:
    from rbdcffi.rados.ioctx import Ioctx

#: How many objects one question to the cluster returns, if nothing else is said.
PAGE = 512


class Cursor(Calling, NotCopyable):
    """A place in the order in which the objects of a pool are listed; see Ioctx.list_begin,
    list_end and list_page. Cursors of one pool can be compared.
    """

    # for one whose constructor did not run
    _raw: Any = NULL
    _ioctx: Ioctx = None  # type: ignore[assignment]
    _pool = -1

    def __init__(self) -> None:
        raise TypeError("cursors are made by Ioctx.list_begin and the like")

    @classmethod
    def _of(cls, ioctx: Any, raw: Any) -> Cursor:
        """Takes over what C returned."""
        if raw == NULL:
            raise failed(-2, ioctx._calling("list_begin"))
        self = cls.__new__(cls)
        self._ioctx = ioctx
        self._pool = ioctx._pool_id()
        self._raw = ffi.gc(raw, lib.rbdcffi_cursor_free)
        return self

    @property
    def at_end(self) -> bool:
        """Whether no object comes after it.

        Raises IoctxStateError. Implements: rados_object_list_is_end
        """
        place = self._place("the cursor")
        self._ioctx._check("list_page")
        return bool(lib.rados_object_list_is_end(self._ioctx._gate, place))

    def _place(self, what: str, pool: int | None = None) -> Any:
        """The cursor for C, which takes what is no place in that pool badly."""
        if self._raw == NULL:
            raise invalid(f"{what} is no place: its constructor did not run")
        if pool is not None and self._pool != pool:
            raise invalid(f"{what} is a place in another pool, with id {self._pool}")
        return self._raw

    def _compare(self, other: Cursor) -> int:
        """Implements: rados_object_list_cursor_cmp"""
        places = self._place("the cursor"), other._place("the other cursor")
        self._ioctx._check("list_page")
        return int(lib.rados_object_list_cursor_cmp(self._ioctx._gate, *places))

    def __eq__(self, other: object) -> bool:
        return self._compare(other) == 0 if isinstance(other, Cursor) else NotImplemented

    def __lt__(self, other: Cursor) -> bool:
        return self._compare(other) < 0 if isinstance(other, Cursor) else NotImplemented

    def __le__(self, other: Cursor) -> bool:
        return self._compare(other) <= 0 if isinstance(other, Cursor) else NotImplemented

    def __gt__(self, other: Cursor) -> bool:
        return self._compare(other) > 0 if isinstance(other, Cursor) else NotImplemented

    def __ge__(self, other: Cursor) -> bool:
        return self._compare(other) >= 0 if isinstance(other, Cursor) else NotImplemented

    # equal cursors are no same place in memory, and C has nothing to make a hash of
    __hash__ = None  # type: ignore[assignment]


class ObjectSlice(Calling):
    """The objects from `start` on, before `finish`; see Ioctx.list_slices. Each iteration begins
    anew, and several may run at once."""

    def __init__(self, ioctx: Ioctx, start: Cursor, finish: Cursor) -> None:
        self._ioctx = ioctx
        self.start = start
        self.finish = finish

    def __iter__(self) -> Iterator[Object]:
        place = self.start
        while True:
            found, place = self._ioctx.list_page(place, self.finish)
            yield from found
            # the last page may be empty, and any other one, too
            if place >= self.finish:
                return


class Slices(Objects):
    """The part of Ioctx that lists objects in parts."""

    def list_begin(self) -> Cursor:
        """The place before the first object.

        Raises IoctxStateError, ObjectNotFound (the pool is gone).
        Implements: rados_object_list_begin, rados_object_list_cursor_free
        """
        self._check("list_begin")
        return Cursor._of(self, lib.rados_object_list_begin(self._gate))

    def list_end(self) -> Cursor:
        """The place behind the last object.

        Raises IoctxStateError, ObjectNotFound (the pool is gone).
        Implements: rados_object_list_end, rados_object_list_cursor_free
        """
        self._check("list_end")
        return Cursor._of(self, lib.rados_object_list_end(self._gate))

    def list_page(
        self, start: Cursor | None = None, finish: Cursor | None = None, count: int = PAGE
    ) -> tuple[list[Object], Cursor]:
        """The objects of the selected namespace from `start` on, before `finish`, at most `count`.

        Returns (objects, the place to go on from). The list may be shorter, even empty, before the
        end is reached: go on until the place is not less than `finish`.

        Parameters:
            start: the beginning if None.
            finish: the end if None.

        Raises TypeError, OverflowError, Error.
        Implements: rados_object_list, rados_object_list_free
        """
        self._check("list_page")
        start, finish = self._limits(start, finish)
        count = number(count, "count", 1, 1 << 20)
        items = ffi.new("rados_object_list_item[]", count)
        # librados aborts the process unless there is a cursor, which it assigns to
        place = self.list_begin()
        following = ffi.new("rados_object_list_cursor *", place._raw)
        result = lib.rados_object_list(
            self._gate, start._raw, finish._raw, count, NULL, 0, items, following
        )
        if result < 0:
            raise failed(result, self._calling("list_page"))
        try:
            return [self._listed(items[i]) for i in range(result)], place
        finally:
            lib.rados_object_list_free(count, items)

    def _listed(self, item: Any) -> Object:
        name, locator, nspace = (
            decode(ffi.buffer(text, size)[:]) if text != NULL else ""
            for text, size in (
                (item.oid, item.oid_length),
                (item.locator, item.locator_length),
                (item.nspace, item.nspace_length),
            )
        )
        return Object(self, name, locator or None, nspace)  # type: ignore[arg-type]

    def list_slices(
        self, count: int, start: Cursor | None = None, finish: Cursor | None = None
    ) -> list[ObjectSlice]:
        """Divides the objects of the selected namespace into `count` parts of about the same size,
        to be listed by as many threads or tasks.

        Returns a list of ObjectSlice, each of which yields Object; together they yield every
        object once.

        Raises TypeError, OverflowError, Error.
        Implements: rados_object_list_slice
        """
        self._check("list_slices")
        count = number(count, "count", 1, 1 << 20)
        start, finish = self._limits(start, finish)
        return [self._slice(start, finish, n, count) for n in range(count)]

    def _slice(self, start: Cursor, finish: Cursor, n: int, count: int) -> ObjectSlice:
        limits = []
        # librados assigns to cursors that are there
        for _ in range(2):
            limits.append(Cursor._of(self, lib.rados_object_list_begin(self._gate)))
        places = [ffi.new("rados_object_list_cursor *", limit._raw) for limit in limits]
        lib.rados_object_list_slice(self._gate, start._raw, finish._raw, n, count, *places)
        return ObjectSlice(self, *limits)  # type: ignore[arg-type]

    def _pool_id(self) -> int:
        self._check("list_page")
        return int(lib.rados_ioctx_get_id(self._gate))

    def _limits(self, start: Cursor | None, finish: Cursor | None) -> tuple[Cursor, Cursor]:
        for what, cursor in (("start", start), ("finish", finish)):
            if cursor is not None and not isinstance(cursor, Cursor):
                raise TypeError(named(f"{what} must be a Cursor, not {type(cursor).__name__}"))
            if cursor is not None:
                cursor._place(what, self._pool_id())
        return (
            self.list_begin() if start is None else start,
            self.list_end() if finish is None else finish,
        )
