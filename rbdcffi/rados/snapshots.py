"""Snapshots: those that a pool keeps, and those that its clients manage themselves."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from rbdcffi._buffers import c_string, grow, items, number, string
from rbdcffi._calls import Calling, named
from rbdcffi._errors import ENOENT
from rbdcffi._ffi import NULL, ffi, lib
from rbdcffi.rados.errors import failed, wrong_type
from rbdcffi.rados.objects import Objects, _check_ioctx

if TYPE_CHECKING:
    from rbdcffi.rados.ioctx import Ioctx


def _text(value: object, what: str) -> Any:
    return c_string(value, what, wrong_type)


class Snap(Calling):
    """A snapshot of a pool: ioctx, name, snap_id."""

    # for one whose constructor did not run
    ioctx: Ioctx = None  # type: ignore[assignment]
    name = ""
    snap_id = 0

    def __init__(self, ioctx: Ioctx, name: str, snap_id: int) -> None:
        _check_ioctx(ioctx)
        self.ioctx = ioctx
        self.name = name
        self.snap_id = number(snap_id, "snap_id")

    def __repr__(self) -> str:
        return f"rados.Snap(ioctx={self.ioctx!r},name={self.name},snap_id={self.snap_id})"

    def get_timestamp(self) -> datetime:
        """When it was made, in local time, to the second.

        Raises ObjectNotFound (it was removed), Error. Implements: rados_ioctx_snap_get_stamp
        """
        _check_ioctx(self.ioctx)
        stamp = ffi.new("time_t *")
        result = lib.rados_ioctx_snap_get_stamp(self.ioctx._gate, self.snap_id, stamp)
        if result < 0:
            raise failed(
                result, f"Snap.get_timestamp of {self.name!r} of pool {self.ioctx._label!r}"
            )
        return datetime.fromtimestamp(stamp[0])


class SnapIterator(Calling):
    """Yields the snapshots of a pool, a Snap each, as they were when it was made.

    Implements: rados_ioctx_snap_list, rados_ioctx_snap_get_name
    """

    def __init__(self, ioctx: Ioctx) -> None:
        _check_ioctx(ioctx)
        self.ioctx = ioctx
        found: Any = NULL

        def attempt(size: int) -> tuple[int, int]:
            nonlocal found
            found = ffi.new("uint64_t[]", size)
            return lib.rados_ioctx_snap_list(ioctx._gate, found, size), size

        count = grow(attempt, 16)
        if count < 0:
            raise failed(count, ioctx._calling("list_snaps"))
        self._ids = iter(ffi.unpack(found, count) if count else [])

    def __iter__(self) -> SnapIterator:
        return self

    def __next__(self) -> Snap:
        while True:
            snap_id = next(self._ids)
            name = _name_of(self.ioctx, snap_id)
            # one that was removed meanwhile is left out
            if name is not None:
                return Snap(self.ioctx, name, snap_id)


def _name_of(ioctx: Ioctx, snap_id: int) -> str | None:
    buffer: Any = NULL

    def attempt(size: int) -> tuple[int, int]:
        nonlocal buffer
        buffer = ffi.new("char[]", size)
        return lib.rados_ioctx_snap_get_name(ioctx._gate, snap_id, buffer, size), size

    result = grow(attempt, 128)
    if result == -ENOENT:
        return None
    if result < 0:
        raise failed(result, ioctx._calling(f"list_snaps: the name of snapshot {snap_id}"))
    return string(buffer)


class Snapshots(Objects):
    """The part of Ioctx that works on snapshots.

    A pool has snapshots of its own or self-managed ones (RBD's are of that kind), never both: the
    first one decides.
    """

    def create_snap(self, snap_name: str) -> None:
        """Makes a snapshot of the pool.

        Raises ObjectExists, InvalidArgumentError (the pool has self-managed snapshots), TypeError.
        Implements: rados_ioctx_snap_create
        """
        result = lib.rados_ioctx_snap_create(self._gate, _text(snap_name, "snap_name"))
        self._snapped(result, f"create_snap({snap_name!r})")

    def remove_snap(self, snap_name: str) -> None:
        """Removes a snapshot of the pool.

        Raises ObjectNotFound, TypeError. Implements: rados_ioctx_snap_remove
        """
        result = lib.rados_ioctx_snap_remove(self._gate, _text(snap_name, "snap_name"))
        self._snapped(result, f"remove_snap({snap_name!r})")

    def lookup_snap(self, snap_name: str) -> Snap:
        """A snapshot of the pool; reads come from it after ``set_read(snap.snap_id)``.

        Raises ObjectNotFound, TypeError. Implements: rados_ioctx_snap_lookup
        """
        snap_id = ffi.new("uint64_t *")
        result = lib.rados_ioctx_snap_lookup(self._gate, _text(snap_name, "snap_name"), snap_id)
        self._snapped(result, f"lookup_snap({snap_name!r})")
        return Snap(self, snap_name, snap_id[0])  # type: ignore[arg-type]

    def list_snaps(self) -> SnapIterator:
        """Iterates over the snapshots of the pool; yields Snap.

        Raises Error.
        Implements: rados_ioctx_snap_list, rados_ioctx_snap_get_name
        """
        return SnapIterator(self)  # type: ignore[arg-type]

    def snap_rollback(self, oid: str, snap_name: str) -> None:
        """Makes an object what it was in a snapshot of the pool.

        Raises ObjectNotFound (no such snapshot), TypeError.
        Implements: rados_ioctx_snap_rollback
        """
        result = lib.rados_ioctx_snap_rollback(
            self._gate, _text(oid, "oid"), _text(snap_name, "snap_name")
        )
        self._done(result, f"snap_rollback({snap_name!r})", oid)

    # -- self-managed --------------------------------------------------------------------------

    def create_self_managed_snap(self) -> int:
        """The id of a new self-managed snapshot, to be used by set_self_managed_snap_write.

        Raises InvalidArgumentError (the pool has snapshots of its own).
        Implements: rados_ioctx_selfmanaged_snap_create
        """
        snap_id = ffi.new("uint64_t *")
        result = lib.rados_ioctx_selfmanaged_snap_create(self._gate, snap_id)
        self._snapped(result, "create_self_managed_snap")
        return int(snap_id[0])

    def remove_self_managed_snap(self, snap_id: int) -> None:
        """Removes a self-managed snapshot. The cluster deletes what only it refers to, by and by.

        Raises ObjectNotFound (there never was one of that id), TypeError, OverflowError.
        Implements: rados_ioctx_selfmanaged_snap_remove
        """
        snap_id = number(snap_id, "snap_id")
        result = lib.rados_ioctx_selfmanaged_snap_remove(self._gate, snap_id)
        self._snapped(result, f"remove_self_managed_snap({snap_id})")

    def set_self_managed_snap_write(self, snaps: Iterable[int | str] | None) -> None:
        """Names the snapshots that exist, for the writes through this context from now on: what
        they overwrite is kept for the snapshots that are newer than it.

        Parameters:
            snaps: the ids (numbers, or text of digits) in any order; none for no snapshots.

        Raises InvalidArgumentError (an id is given twice), ValueError, TypeError, OverflowError.
        Implements: rados_ioctx_selfmanaged_snap_set_write_ctx
        """
        ids = sorted(map(_snap_id, items(snaps or (), "snaps")), reverse=True)
        array = ffi.new("uint64_t[]", ids or 1)
        result = lib.rados_ioctx_selfmanaged_snap_set_write_ctx(
            self._gate, ids[0] if ids else 0, array, len(ids)
        )
        self._snapped(result, f"set_self_managed_snap_write({ids})")

    def rollback_self_managed_snap(self, oid: str, snap_id: int) -> None:
        """Makes an object what it was in a self-managed snapshot; one that was not there then is
        removed.

        Raises TypeError, OverflowError, Error.
        Implements: rados_ioctx_selfmanaged_snap_rollback
        """
        name, snap_id = _text(oid, "oid"), number(snap_id, "snap_id")
        result = lib.rados_ioctx_selfmanaged_snap_rollback(self._gate, name, snap_id)
        self._done(result, f"rollback_self_managed_snap({snap_id})", oid)

    def _snapped(self, result: int, what: str) -> None:
        if result < 0:
            raise failed(result, self._calling(what))


def _snap_id(value: int | str) -> int:
    if isinstance(value, str):
        try:
            value = int(value)
        except ValueError:
            raise ValueError(named(f"snaps must be ids of snapshots, not {value!r}")) from None
    return number(value, "snaps")
