"""The extents that changed since a snapshot, or that exist at all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Callable, NamedTuple

from rbdcffi._buffers import integer, new_uncleared, number
from rbdcffi._callbacks import Callback
from rbdcffi._calls import Calling, named
from rbdcffi._errors import ECANCELED
from rbdcffi._ffi import NULL, ffi, has, lib, pointer
from rbdcffi._handle import THREAD_WEIGHT, Handle, NotCopyable, stay, weigh
from rbdcffi._threads import start_thread
from rbdcffi._waiting import Call, can_be_left
from rbdcffi.rbd._base import ImageBase, check_image
from rbdcffi.rbd.errors import OSError, invalid
from rbdcffi.rbd.io import LONGEST

#: How many extents cross from C to Python at once.
BATCH = 4096
#: How many extents the iterator's producer may be ahead of its consumer.
AHEAD = 2048

_ADD = pointer("rbdcffi_extents_add")
_WAIT = 20  # milliseconds a consumer waits for a full table before it takes what is there


class Extent(NamedTuple):
    """A range of an image: `exists` if it holds data, else it reads as zeroes."""

    offset: int
    length: int
    exists: bool


class Diff(ImageBase):
    """The part of Image that compares."""

    def diff_iterate(
        self,
        offset: int,
        length: int,
        from_snapshot: str | int | None,
        iterate_cb: Callable[[int, int, bool], object],
        include_parent: bool = True,
        whole_object: bool = False,
    ) -> None:
        """Calls `iterate_cb(offset, length, exists)` for every extent that changed.

        The end is the selected snapshot (set_snap), or the present. Extents are handed over in
        batches, on the calling thread. An exception of `iterate_cb` ends the diff and is raised
        here unchanged; a negative int that it returns ends it with the error of that errno.

        Parameters:
            offset: start of the range, in bytes.
            length: of the range, in bytes.
            from_snapshot: name of the first snapshot, or its id (Ceph 18), or None for the
                beginning of time: then all extents that hold data.
            include_parent: whether data of the parent counts.
            whole_object: whether extents are rounded to objects, which is quick with fast-diff.

        Raises InvalidArgument (`from_snapshot` is newer than the selected one, or the range begins
        behind the end), ImageNotFound (no such snapshot), IOError, TypeError, OverflowError.
        Implements: rbd_diff_iterate2, rbd_diff_iterate3
        """
        if not callable(iterate_cb):
            raise TypeError(named(f"iterate_cb must be callable, not {type(iterate_cb).__name__}"))

        what = f"diff_iterate({offset!r}, {length!r}, {from_snapshot!r})"
        offset, length, snap = _arguments(self, what, offset, length, from_snapshot)

        def tell(found: Iterable[tuple[int, int, bool]]) -> int:
            for start, size, exists in found:
                result = iterate_cb(start, size, exists)
                if result is not None and result < 0:  # type: ignore[operator]
                    return errno_of(result, self._calling(what))
            return 0

        def diff(extents: _Extents) -> int:
            return _diff(self, offset, length, snap, include_parent, whole_object, extents)

        handle = self._handle_for(what)
        leavable = can_be_left()
        with stay() as staying:
            self._done(lib.rbdcffi_stay_enter(staying, handle.gate), what)
            result = _leavably(diff, tell, handle) if leavable else _directly(diff, tell, handle)
        self._done(result, what)

    def diff(
        self,
        offset: int,
        length: int,
        from_snapshot: str | int | None,
        include_parent: bool = True,
        whole_object: bool = False,
    ) -> ExtentIterator:
        """Iterates over the extents that changed; see diff_iterate for the parameters and errors.

        The diff runs in a thread of its own and is at most a few thousand extents ahead. It ends
        with the loop if that ends early, with the iterator (close(), ``with``, collection), and
        when the image is closed.

        Yields Extent(offset, length, exists).
        Implements: rbd_diff_iterate2, rbd_diff_iterate3
        """
        return ExtentIterator(self, offset, length, from_snapshot, include_parent, whole_object)


def errno_of(returned: Any, what: str) -> int:
    """What a callback returned to end the diff, if it can be an errno."""
    if returned < -(1 << 31):
        raise OverflowError(f"{what}: iterate_cb returned {returned}")
    if returned <= lib.RBDCFFI_REFUSED:
        raise OSError(f"{what}: iterate_cb returned {returned}", -returned)
    return int(returned)


_Diffing = Callable[["_Extents"], int]
_Telling = Callable[[Iterable[tuple[int, int, bool]]], int]


def _directly(diff: _Diffing, tell: _Telling, handle: Handle) -> int:
    """The diff runs here, and C calls Python whenever its table is full."""

    def hand_over() -> int:
        table = extents.table
        count = table.count
        table.count = 0
        return tell(_unpack(table, count))

    callback = Callback(hand_over, handle.gate)
    extents = _Extents(BATCH, callback.pointer)
    result = diff(extents)
    callback.raise_error()
    return hand_over() if result >= 0 else result


def _leavably(diff: _Diffing, tell: _Telling, handle: Handle) -> int:
    """The diff runs in another thread, and what it finds is told here, so that Ctrl-C gets through
    where nothing is found for long."""
    extents, taken = _Extents(BATCH), _Extents(BATCH)

    def run() -> int:
        try:
            return diff(extents)
        finally:
            lib.rbdcffi_extents_finish(extents.table)

    call = Call(run, lambda result: None, handle)
    try:
        call.start()
        while True:
            finished = lib.rbdcffi_extents_finished(extents.table)
            count = lib.rbdcffi_extents_take(
                extents.table, taken.table.offsets, taken.table.lengths, taken.table.exists, _WAIT
            )
            try:
                result = tell(_unpack(taken.table, count))
                if handle.forked:
                    # by the callback; the diff goes on in the parent
                    return int(lib.rbdcffi_handle_state(handle.gate))
            except Exception:
                lib.rbdcffi_extents_stop(extents.table)
                call.wait()
                raise
            if result < 0:
                lib.rbdcffi_extents_stop(extents.table)
                call.wait()
                return result
            if finished:
                return call.wait()
    except BaseException:
        lib.rbdcffi_extents_stop(extents.table)
        call.leave()
        raise


class _Extents:
    """The C table, and the arrays it points to."""

    __slots__ = ("_arrays", "table")

    def __init__(self, capacity: int, callback: Any = NULL) -> None:
        self._arrays = arrays = (
            new_uncleared("uint64_t[]", capacity),
            new_uncleared("uint64_t[]", capacity),
            new_uncleared("uint8_t[]", capacity),
        )
        self.table = ffi.new("struct rbdcffi_extents *")
        lib.rbdcffi_extents_init(self.table, capacity, *arrays, callback)


def _unpack(extents: Any, count: int) -> Iterator[tuple[int, int, bool]]:
    return zip(
        ffi.unpack(extents.offsets, count),
        ffi.unpack(extents.lengths, count),
        map(bool, ffi.unpack(extents.exists, count)),
    )


def _arguments(
    image: ImageBase, call: str, offset: int, length: int, from_snapshot: object
) -> tuple[int, int, Any]:
    """What the C call is given; checked before a thread is started."""
    offset, length = number(offset, "offset"), number(length, "length")
    snap_id = integer(from_snapshot)
    if snap_id is None:
        return (
            offset,
            length,
            NULL if from_snapshot is None else image._name(from_snapshot, call, "from_snapshot"),
        )
    if not has("rbd_diff_iterate3"):
        raise invalid(f"{image._calling(call)}: a snapshot id needs Ceph 18; give the name")
    return offset, length, number(snap_id, "from_snapshot")


def _diff(
    image: ImageBase,
    offset: int,
    length: int,
    snap: Any,
    include_parent: bool,
    whole_object: bool,
    extents: _Extents,
) -> int:
    """One diff into `extents`, of what `_arguments` returned; the C result."""
    length = min(length, max(LONGEST - offset, 1))  # librbd adds them in 64 bits
    # releases differ in what they do with an empty range, up to a crash; it has no extents
    if length == 0:
        end = lib.rbdcffi_get_size(image._gate)
        if offset <= end or end == lib.RBDCFFI_HUGE:
            return 0
    if isinstance(snap, int):
        flags = (lib.RBD_DIFF_ITERATE_FLAG_INCLUDE_PARENT if include_parent else 0) | (
            lib.RBD_DIFF_ITERATE_FLAG_WHOLE_OBJECT if whole_object else 0
        )
        return int(
            lib.rbd_diff_iterate3(image._gate, snap, offset, length, flags, _ADD, extents.table)
        )
    return int(
        lib.rbd_diff_iterate2(
            image._gate,
            snap,
            offset,
            length,
            bool(include_parent),
            bool(whole_object),
            _ADD,
            extents.table,
        )
    )


class _Producer:
    """The thread of a diff; known to the image, which stops it before it closes."""

    def __init__(
        self, image: ImageBase, extents: _Extents, diff: Callable[[ImageBase], int]
    ) -> None:
        assert image._handle is not None
        self._handle: Handle = image._handle
        self._extents = extents
        # not the user's image: it must stay collectable while the diff runs
        self._image = ImageBase()
        self._image._gate = image._gate
        self._image._label = image._label
        self._diff = diff
        self.result = 0
        self.error: BaseException | None = None

    def start(self) -> None:
        self._handle.adopt(self)
        weigh(THREAD_WEIGHT)
        try:
            start_thread(self._run, name="rbdcffi-diff")
        except BaseException:
            self._handle.disown(self)
            raise

    def _run(self) -> None:
        try:
            self.result = self._diff(self._image)
        except BaseException as error:
            self.error = error
        finally:
            lib.rbdcffi_extents_finish(self._extents.table)
            self._handle.disown(self)

    def stop(self) -> None:
        """Ends the diff at its next extent, without waiting for it."""
        lib.rbdcffi_extents_stop(self._extents.table)

    def close(self) -> None:
        """Called by the image's close(): the thread ends, the gate waits for it."""
        self.stop()

    def entered(self) -> bool:
        return False


class ExtentIterator(Calling, NotCopyable, Iterator[Extent]):
    """Yields the extents of Image.diff; also a context manager."""

    _closed = True

    def __init__(
        self,
        image: ImageBase,
        offset: int,
        length: int,
        from_snapshot: str | int | None,
        include_parent: bool,
        whole_object: bool,
    ) -> None:
        check_image(image)
        self._what = f"diff({offset!r}, {length!r}, {from_snapshot!r})"
        offset, length, snap = _arguments(image, self._what, offset, length, from_snapshot)
        image._handle_for("diff").check(f"Image.{self._what}")
        self._image = image
        self._extents = _Extents(AHEAD)
        self._offsets = ffi.new("uint64_t[]", AHEAD)
        self._lengths = ffi.new("uint64_t[]", AHEAD)
        self._exists = ffi.new("uint8_t[]", AHEAD)
        self._batch: Iterator[Extent] = iter(())
        extents = self._extents
        self._producer = _Producer(
            image,
            extents,
            lambda running: _diff(
                running, offset, length, snap, include_parent, whole_object, extents
            ),
        )
        self._producer.start()
        self._closed = False

    def __iter__(self) -> ExtentIterator:
        return self

    def __next__(self) -> Extent:
        for extent in self._batch:
            return extent
        batch = self.take()
        if not batch:
            raise StopIteration
        self._batch = iter(batch)
        return next(self._batch)

    def take(self) -> list[Extent]:
        """The next extents, in one call: some thousand at most, none at the end."""
        while not self._closed:
            if self._image._handle is not None and self._image._handle.forked:
                self._closed = True  # the thread of the diff is not in this process
                self._image._handle.check(self._what)
            finished = lib.rbdcffi_extents_finished(self._extents.table)
            count = lib.rbdcffi_extents_take(
                self._extents.table, self._offsets, self._lengths, self._exists, _WAIT
            )
            if count:
                return list(
                    map(
                        Extent,
                        ffi.unpack(self._offsets, count),
                        ffi.unpack(self._lengths, count),
                        map(bool, ffi.unpack(self._exists, count)),
                    )
                )
            if finished:
                self._finish()
        return []

    def _finish(self) -> None:
        self._closed = True
        producer = self._producer
        if producer.error is not None:
            raise producer.error
        if producer.result == -ECANCELED and self._image._handle is not None:
            self._image._handle.check(self._what)
        if producer.result < 0:
            raise self._image._failed(producer.result, self._what)

    def close(self) -> None:
        """Ends the diff; idempotent."""
        if not self._closed:
            self._closed = True
            self._producer.stop()

    def __enter__(self) -> ExtentIterator:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()
