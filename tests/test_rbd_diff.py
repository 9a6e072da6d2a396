"""diff_iterate and the iterator: what they report, how they end, what they need."""

from __future__ import annotations

import errno
import gc
import random
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from conftest import MIB, PYPY

from rbdcffi import rados, rbd
from rbdcffi._ffi import lib
from rbdcffi.rbd.diff import AHEAD

SIZE = 16 * MIB
OBJECT = 4 * MIB

#: more than a table and a batch hold, so that a consumer that waits stops the producer
MANY = 5000

Extents = list[tuple[int, int, bool]]


def diff(image: rbd.Image, *arguments: Any, **options: Any) -> Extents:
    """The extents of diff_iterate, which must be those of the iterator, both ways."""
    found: Extents = []

    def callback(*extent: Any) -> None:
        found.append(extent)

    image.diff_iterate(*arguments[:3], callback, *arguments[3:], **options)
    assert list(image.diff(*arguments, **options)) == found
    taken: Extents = []
    with image.diff(*arguments, **options) as extents:
        while batch := extents.take():
            taken += batch
    assert taken == found
    for offset, length, exists in found:
        assert type(offset) is int and type(length) is int and type(exists) is bool
        assert length > 0
    return found


def covered(extents: Extents) -> set[int]:
    """The 4 KiB blocks that the extents touch."""
    return {
        block
        for offset, length, _ in extents
        for block in range(offset // 4096, (offset + length - 1) // 4096 + 1)
    }


def diff_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "rbdcffi-diff"]


def no_thread_remains(seconds: float = 5.0) -> bool:
    deadline = time.monotonic() + seconds
    while diff_threads():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)
    return True


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    assert no_thread_remains()
    yield
    gc.collect()  # what a failed test's traceback holds is not ours to judge
    assert no_thread_remains()


@pytest.fixture(scope="module")
def many_name(ioctx: rados.Ioctx) -> str:
    """An image of twice MANY objects of 4 KiB; every other one holds data."""
    name = "test-diff-many"
    rbd.RBD().create(ioctx, name, 2 * MANY * 4096, order=12)
    with rbd.Image(ioctx, name) as image, ThreadPoolExecutor(8) as pool:
        for written in pool.map(lambda i: image.write(b"x", i * 8192), range(MANY)):
            assert written == 1
    return name


@pytest.fixture
def many(ioctx: rados.Ioctx, many_name: str) -> Iterator[rbd.Image]:
    with rbd.Image(ioctx, many_name) as image:
        yield image


MANY_EXTENTS = [(i * 8192, 4096, True) for i in range(MANY)]


# -- what is reported --------------------------------------------------------------------------


def test_nothing_was_written(image: rbd.Image) -> None:
    assert diff(image, 0, SIZE, None) == []


def test_extents_are_named_tuples(image: rbd.Image) -> None:
    image.write(b"x" * 100, 0)
    (extent,) = image.diff(0, SIZE, None)
    assert type(extent) is rbd.Extent
    assert (extent.offset, extent.length, extent.exists) == extent == (0, 100, True)


def test_range(image: rbd.Image) -> None:
    for start in range(0, SIZE, OBJECT):
        image.write(b"x" * 8192, start)
    assert [extent[0] for extent in diff(image, 0, SIZE, None)] == list(range(0, SIZE, OBJECT))
    assert diff(image, OBJECT, OBJECT, None) == [(OBJECT, 8192, True)]
    assert diff(image, OBJECT + 100, 200, None) == [(OBJECT + 100, 200, True)]
    assert diff(image, OBJECT + 8192, 4096, None) == []
    assert diff(image, 3 * OBJECT, 2**62, None) == [(3 * OBJECT, 8192, True)]
    assert len(diff(image, 0, 2**64 - 1, None)) == 4


@pytest.mark.parametrize("offset", [0, 1, SIZE - 1, SIZE])
def test_empty_range(image: rbd.Image, offset: int) -> None:
    image.write(b"x" * SIZE, 0)
    assert diff(image, offset, 0, None) == []
    image.create_snap("snap")
    assert diff(image, offset, 0, "snap") == []


def test_whole_object(image: rbd.Image) -> None:
    image.write(b"x", OBJECT + 5)
    assert diff(image, 0, SIZE, None, whole_object=True) == [(OBJECT, OBJECT, True)]
    image.create_snap("snap")
    image.write(b"x", 3 * OBJECT)
    assert diff(image, 0, SIZE, "snap", whole_object=True) == [(3 * OBJECT, OBJECT, True)]
    assert diff(image, 0, SIZE, "snap", True, True) == [(3 * OBJECT, OBJECT, True)]


def test_from_a_snapshot(image: rbd.Image) -> None:
    image.write(b"x" * SIZE, 0)
    image.create_snap("one")
    image.write(b"y" * 4096, 8192)
    image.write(b"y" * 4096, OBJECT + 4096)
    image.discard(2 * OBJECT, OBJECT)
    image.create_snap("two")
    image.write(b"z" * 4096, 3 * OBJECT)
    one_to_two = [
        (8192, 4096, True),
        (OBJECT + 4096, 4096, True),
        (2 * OBJECT, OBJECT, False),
    ]
    last = (3 * OBJECT, 4096, True)
    assert diff(image, 0, SIZE, "one") == [*one_to_two, last]
    assert diff(image, 0, SIZE, "two") == [last]
    image.set_snap("two")
    assert diff(image, 0, SIZE, "one") == one_to_two
    image.set_snap("one")
    assert covered(diff(image, 0, SIZE, None)) == set(range(SIZE // 4096))


def test_bytes_name_of_a_snapshot(image: rbd.Image) -> None:
    image.create_snap("é")
    image.write(b"x" * 10, 0)
    assert diff(image, 0, SIZE, "é".encode()) == [(0, 10, True)] == diff(image, 0, SIZE, "é")


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    "striped",
    [
        False,
        pytest.param(
            True,
            marks=pytest.mark.not_on_ceph(
                14, reason="its whole_object diffs of striped images miss changes"
            ),
        ),
    ],
)
def test_model(ioctx: rados.Ioctx, fresh_name: str, seed: int, striped: bool) -> None:
    """What is reported is enough to make the later content of the earlier one."""
    size = 4 * MIB
    striping = {"stripe_unit": 16384, "stripe_count": 3} if striped else {}
    rbd.RBD().create(ioctx, fresh_name, size, order=16, **striping)
    numbers = random.Random(seed)
    with rbd.Image(ioctx, fresh_name) as image:
        contents: list[bytes] = [image.read(0, size)]
        for step in range(3):
            for _ in range(6):
                offset = numbers.randrange(0, size, 512)
                length = min(numbers.choice([512, 4096, 65536, 200_000]), size - offset)
                if numbers.random() < 0.3:
                    image.discard(offset, length)
                else:
                    image.write(numbers.getrandbits(8 * length).to_bytes(length, "big"), offset)
            contents.append(image.read(0, size))
            image.create_snap(f"step-{step + 1}")
        pairs = [(a, b) for b in range(1, 4) for a in range(b)]
        for first, last in pairs:
            image.set_snap(f"step-{last}")
            since = f"step-{first}" if first else None
            for whole_object in (False, True):
                found = diff(image, 0, size, since, whole_object=whole_object)
                rebuilt = bytearray(contents[first])
                for offset, length, exists in found:
                    assert 0 <= offset and offset + length <= size
                    rebuilt[offset : offset + length] = (
                        contents[last][offset : offset + length] if exists else bytes(length)
                    )
                assert rebuilt == contents[last], (first, last, whole_object)
                ranges = sorted((offset, offset + length) for offset, length, _ in found)
                assert all(end <= start for (_, end), (start, _) in zip(ranges, ranges[1:]))
        image.set_snap(None)
        assert diff(image, 0, size, "step-3") == []


def test_parent(ioctx: rados.Ioctx, image: rbd.Image, fresh_name: str) -> None:
    image.write(b"p" * 4096, 0)
    image.write(b"p" * 4096, OBJECT)
    image.create_snap("snap")
    image.protect_snap("snap")
    rbd.RBD().clone(ioctx, image.name, "snap", ioctx, f"{fresh_name}-clone")
    with rbd.Image(ioctx, f"{fresh_name}-clone") as clone:
        clone.write(b"c" * 4096, 2 * OBJECT)
        own = [(2 * OBJECT, 4096, True)]
        assert diff(clone, 0, SIZE, None, include_parent=False) == own
        assert diff(clone, 0, SIZE, None, False) == own
        both = [(0, 4096, True), (OBJECT, 4096, True), *own]
        assert diff(clone, 0, SIZE, None) == both
        assert diff(clone, 0, SIZE, None, include_parent=True) == both
        assert diff(clone, OBJECT, OBJECT, None) == both[1:2]


@pytest.mark.parametrize("whole_object", [False, True])
def test_thousands_of_extents(many: rbd.Image, whole_object: bool) -> None:
    length = 4096 if whole_object else 1
    expected = [(i * 8192, length, True) for i in range(MANY)]
    if whole_object:
        assert diff(many, 0, many.size(), None, whole_object=True) == expected
    else:
        assert list(many.diff(0, many.size(), None)) == expected


def test_take_mixed_with_next(many: rbd.Image) -> None:
    extents = many.diff(0, many.size(), None, whole_object=True)
    found: Extents = [next(extents) for _ in range(3)]
    found += [next(extents)]
    rest = list(extents)
    assert found + rest == MANY_EXTENTS
    assert extents.take() == []


# -- the callback ------------------------------------------------------------------------------


class Boom(Exception):
    pass


@pytest.mark.parametrize("error", [Boom("x"), KeyboardInterrupt(), SystemExit(3), StopIteration()])
@pytest.mark.parametrize("which", [0, 1, 255, 256, 700, MANY - 1])
def test_exception_of_the_callback(many: rbd.Image, error: BaseException, which: int) -> None:
    calls = 0

    def callback(offset: int, length: int, exists: bool) -> None:
        nonlocal calls
        calls += 1
        if calls == which + 1:
            raise error

    with pytest.raises(type(error)) as caught:
        many.diff_iterate(0, many.size(), None, callback, whole_object=True)
    assert caught.value is error
    assert calls == which + 1
    assert many.read(0, 1) == b"x"


@pytest.mark.parametrize(
    "number, error",
    [
        (errno.ECANCELED, rbd.OperationCanceled),
        (errno.EPERM, rbd.PermissionError),
        (errno.EIO, rbd.IOError),
        (errno.EINTR, rbd.OSError),
    ],
)
@pytest.mark.parametrize("which", [0, 300])
def test_negative_result_of_the_callback(
    many: rbd.Image, which: int, number: int, error: type[Exception]
) -> None:
    calls = 0

    def callback(offset: int, length: int, exists: bool) -> int:
        nonlocal calls
        calls += 1
        return -number if calls > which else 0

    with pytest.raises(error, match=r"Image\.diff_iterate\(0, .* of 'rbd/") as caught:
        many.diff_iterate(0, many.size(), None, callback, whole_object=True)
    assert caught.value.errno == number  # type: ignore[attr-defined]
    assert calls == which + 1


@pytest.mark.parametrize("result", [-65536, -70000, -(2**40)])
def test_result_that_is_no_errno(image: rbd.Image, result: int) -> None:
    image.write(b"x", 0)
    error = rbd.OSError if result >= -(2**31) else OverflowError
    with pytest.raises(error, match=r"Image\.diff_iterate"):
        image.diff_iterate(0, SIZE, None, lambda *extent: result)


@pytest.mark.parametrize("result", [None, 0, 1, True, 2**40])
def test_other_results_of_the_callback(image: rbd.Image, result: Any) -> None:
    for start in range(0, SIZE, OBJECT):
        image.write(b"x", start)
    calls: list[int] = []
    image.diff_iterate(0, SIZE, None, lambda *extent: (calls.append(1), result)[1])
    assert len(calls) == 4


def test_the_callback_runs_on_the_calling_thread(many: rbd.Image) -> None:
    threads: set[int] = set()
    many.diff_iterate(
        0, many.size(), None, lambda *extent: threads.add(threading.get_ident()), True, True
    )
    assert threads == {threading.get_ident()}


def test_the_callback_uses_the_image(many: rbd.Image) -> None:
    """As backups do: read what was found."""
    found: list[bytes] = []

    def callback(offset: int, length: int, exists: bool) -> None:
        if offset % (8192 * 100) == 0:
            found.append(many.read(offset, length))
            assert many.size() == 2 * MANY * 4096

    many.diff_iterate(0, many.size(), None, callback, whole_object=True)
    assert found == [b"x" + bytes(4095)] * (MANY // 100)


def test_the_callback_cannot_close_the_image(many: rbd.Image) -> None:
    errors: list[Exception] = []

    def callback(offset: int, length: int, exists: bool) -> None:
        try:
            many.close()
        except rbd.Error as error:
            errors.append(error)

    many.diff_iterate(0, 8192 * 600, None, callback, whole_object=True)
    assert len(errors) == 600 and "callback" in str(errors[0])
    assert not many.closed


def test_a_callback_that_is_none(image: rbd.Image) -> None:
    with pytest.raises(TypeError, match="callable"):
        image.diff_iterate(0, SIZE, None, None)  # type: ignore[arg-type]


# -- errors ------------------------------------------------------------------------------------


def test_missing_snapshot(image: rbd.Image) -> None:
    with pytest.raises(rbd.ImageNotFound, match=r"Image\.diff_iterate.*'nope'") as caught:
        image.diff_iterate(0, SIZE, "nope", print)
    assert caught.value.errno == errno.ENOENT and image.name in str(caught.value)
    extents = image.diff(0, SIZE, "nope")
    with pytest.raises(rbd.ImageNotFound, match=r"Image\.diff\(.*'nope'") as caught:
        next(extents)
    assert caught.value.errno == errno.ENOENT and image.name in str(caught.value)
    assert list(extents) == []


def test_snapshot_after_the_selected_one(image: rbd.Image) -> None:
    image.create_snap("one")
    image.create_snap("two")
    image.set_snap("one")
    with pytest.raises(rbd.InvalidArgument) as caught:
        image.diff_iterate(0, SIZE, "two", print)
    assert caught.value.errno == errno.EINVAL
    with pytest.raises(rbd.InvalidArgument):
        list(image.diff(0, SIZE, "two"))


def test_range_behind_the_end(image: rbd.Image) -> None:
    for arguments in ((SIZE, 1), (SIZE + 5, 10), (2**63, 1)):
        with pytest.raises(rbd.InvalidArgument):
            image.diff_iterate(*arguments, None, print)
        with pytest.raises(rbd.InvalidArgument):
            next(image.diff(*arguments, None))


@pytest.mark.parametrize(
    "offset, length, error",
    [
        (-1, 1, OverflowError),
        (0, -1, OverflowError),
        (2**64, 1, OverflowError),
        (0, 2**64, OverflowError),
        ("0", 1, TypeError),
        (0, "1", TypeError),
        (0, None, TypeError),
        (0.0, 1, TypeError),
    ],
)
def test_impossible_range(
    image: rbd.Image, offset: Any, length: Any, error: type[Exception]
) -> None:
    with pytest.raises(error, match=r"Image\.diff_iterate.*(offset|length)"):
        image.diff_iterate(offset, length, None, print)
    with pytest.raises(error, match=r"(offset|length)"):
        image.diff(offset, length, None)


@pytest.mark.parametrize("snap", ["a\0b", "\ud800", 5.5, bytearray(b"x")])
def test_impossible_snapshot(image: rbd.Image, snap: Any) -> None:
    with pytest.raises(rbd.InvalidArgument, match="from_snapshot"):
        image.diff_iterate(0, SIZE, snap, print)
    with pytest.raises(rbd.InvalidArgument, match="from_snapshot"):
        image.diff(0, SIZE, snap)


def test_closed_image(image: rbd.Image) -> None:
    image.close()
    with pytest.raises(rbd.InvalidArgument, match="image is closed"):
        image.diff_iterate(0, SIZE, None, print)
    with pytest.raises(rbd.InvalidArgument, match="image is closed"):
        image.diff(0, SIZE, None)
    with pytest.raises(rbd.InvalidArgument, match="image is closed"):
        image.diff_iterate(0, 0, None, print)


# -- the life of an iterator -------------------------------------------------------------------


def begin(image: rbd.Image) -> Any:
    return image.diff(0, image.size(), None, whole_object=True)


def test_a_slow_consumer_stops_the_producer(many: rbd.Image) -> None:
    with begin(many) as extents:
        first = next(extents)
        deadline = time.monotonic() + 5
        while extents._extents.table.count < AHEAD and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.2)  # time enough for all of them, were there no limit
        assert extents._extents.table.count == AHEAD
        assert not lib.rbdcffi_extents_finished(extents._extents.table)
        (producer,) = diff_threads()
        assert producer.is_alive()
        assert [first, *extents] == MANY_EXTENTS
    assert no_thread_remains()


def test_end_of_iteration(many: rbd.Image) -> None:
    extents = begin(many)
    assert iter(extents) is extents
    assert sum(1 for _ in extents) == MANY
    assert no_thread_remains()
    with pytest.raises(StopIteration):
        next(extents)
    assert extents.take() == []
    extents.close()


def test_break(many: rbd.Image) -> None:
    for extent in begin(many):
        assert extent == MANY_EXTENTS[0]
        break
    if PYPY:
        gc.collect()
    assert no_thread_remains()
    closes_promptly(many)


def test_close(many: rbd.Image) -> None:
    extents = begin(many)
    next(extents)
    extents.close()
    extents.close()
    assert no_thread_remains()
    assert extents.take() == []
    closes_promptly(many)


def test_close_at_once(many: rbd.Image) -> None:
    for _ in range(20):
        begin(many).close()
    assert no_thread_remains()
    closes_promptly(many)


def test_with_and_an_exception(many: rbd.Image) -> None:
    with pytest.raises(Boom), begin(many) as extents:
        next(extents)
        raise Boom
    assert no_thread_remains()


def test_collection(many: rbd.Image) -> None:
    extents = begin(many)
    next(extents)
    del extents
    gc.collect()
    assert no_thread_remains()


def closes_promptly(image: rbd.Image) -> None:
    start = time.monotonic()
    image.close()
    assert time.monotonic() - start < 5
    assert no_thread_remains(0.5)


def test_image_closed_while_the_producer_waits(many: rbd.Image) -> None:
    extents = begin(many)
    found = [next(extents)]
    closes_promptly(many)
    with pytest.raises(rbd.InvalidArgument, match="image is closed") as caught:
        while True:
            found.append(next(extents))
    assert "diff" in str(caught.value)
    # what had been handed over before is not lost, and is right
    assert found == MANY_EXTENTS[: len(found)] and len(found) < MANY
    assert list(extents) == []


def test_image_closed_by_another_thread(many: rbd.Image) -> None:
    extents = begin(many)
    next(extents)
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(many.close)
        with pytest.raises(rbd.InvalidArgument, match="image is closed"):
            for _ in extents:
                time.sleep(0.0001)
        future.result(timeout=10)


def test_many_iterators_at_once(many: rbd.Image) -> None:
    iterators = [begin(many) for _ in range(5)]
    assert len(diff_threads()) == 5
    for extents in zip(*iterators):
        assert len(set(extents)) == 1
    assert no_thread_remains()


def test_one_iterator_in_many_threads(many: rbd.Image) -> None:
    """Each extent goes to one of them, by way of take()."""
    extents = begin(many)
    lock = threading.Lock()

    def work(_: int) -> Extents:
        found: Extents = []
        while True:
            with lock:
                batch = extents.take()
            if not batch:
                return found
            found += batch

    with ThreadPoolExecutor(4) as pool:
        found = [extent for part in pool.map(work, range(4)) for extent in part]
    assert sorted(found) == MANY_EXTENTS


def test_cluster_shut_down_while_the_producer_waits(
    ceph_conf: str, ioctx: rados.Ioctx, many_name: str
) -> None:
    connection = rados.Rados(conffile=ceph_conf)
    connection.connect()
    image = rbd.Image(connection.open_ioctx(ioctx.name), many_name)
    extents = begin(image)
    next(extents)
    start = time.monotonic()
    connection.shutdown()
    assert time.monotonic() - start < 10
    assert image.closed and no_thread_remains(0.5)
    with pytest.raises(rbd.InvalidArgument, match="image is closed"):
        list(extents)


def test_reading_while_iterating(many: rbd.Image) -> None:
    checked = 0
    for extent in begin(many):
        if extent.offset % (8192 * 250) == 0:
            assert many.read(extent.offset, 2) == b"x\0"
            checked += 1
    assert checked == MANY // 250
