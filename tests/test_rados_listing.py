"""Listing the objects of a pool in parts."""

from __future__ import annotations

import copy
import gc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from rbdcffi import rados

NAMES = {f"object-{number}" for number in range(1500)}


@pytest.fixture(scope="module")
def pool(cluster: rados.Rados) -> Iterator[rados.Ioctx]:
    """A pool with many objects, some of them elsewhere."""
    cluster.create_pool("many-objects")
    with cluster.open_ioctx("many-objects") as ioctx:
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(lambda name: ioctx.write_full(name, b""), NAMES))
        with ioctx.dup() as elsewhere:
            elsewhere.set_namespace("n")
            elsewhere.set_locator_key("k")
            elsewhere.write_full("in n", b"there")
        yield ioctx
    cluster.delete_pool("many-objects")


@pytest.mark.parametrize("count", [1, 2, 7, 64])
def test_slices(pool: rados.Ioctx, count: int) -> None:
    slices = pool.list_slices(count)
    assert len(slices) == count
    assert slices[0].start == pool.list_begin() and slices[-1].finish == pool.list_end()
    for one, following in zip(slices, slices[1:]):
        assert one.start < one.finish == following.start
    with ThreadPoolExecutor(count) as threads:
        parts = list(threads.map(lambda part: [found.key for found in part], slices))
    assert sorted(name for part in parts for name in part) == sorted(NAMES)
    # of about the same size
    assert max(map(len, parts)) < 3 * len(NAMES) / count + 30
    # each iteration begins anew
    assert [found.key for found in slices[0]] == parts[0]


def test_pages(pool: rados.Ioctx) -> None:
    found: list[str] = []
    place, end = pool.list_begin(), pool.list_end()
    pages = 0
    while place < end:
        page, following = pool.list_page(place, end, 100)
        assert len(page) <= 100
        assert following > place
        found += [item.key for item in page]
        place = following
        pages += 1
    assert sorted(found) == sorted(NAMES)
    assert pages >= 15
    assert place == end and place.at_end
    assert pool.list_page(place)[0] == []
    assert len(pool.list_page()[0]) > 100


def test_slices_of_a_slice(pool: rados.Ioctx) -> None:
    half = pool.list_slices(2)[1]
    whole = [found.key for found in half]
    parts = pool.list_slices(3, half.start, half.finish)
    assert [found.key for part in parts for found in part] == whole
    assert 0 < len(whole) < len(NAMES)


def test_namespaces(pool: rados.Ioctx) -> None:
    with pool.dup() as other:
        other.set_namespace("n")
        ((found,),) = ([*part] for part in other.list_slices(1))
        assert (found.key, found.nspace, found.locator_key) == ("in n", "n", "k")
        assert found.read() == b"there"
        other.set_namespace(rados.LIBRADOS_ALL_NSPACES)
        assert sum(len(list(part)) for part in other.list_slices(3)) == len(NAMES) + 1


def test_cursors_are_compared(pool: rados.Ioctx) -> None:
    begin, end = pool.list_begin(), pool.list_end()
    middle = pool.list_slices(2)[0].finish
    assert begin < middle < end and end > middle > begin
    assert begin <= begin and begin >= begin and begin == pool.list_begin()
    assert begin != middle and not begin == end
    assert sorted([end, begin, middle])[0] is begin
    assert end.at_end and not begin.at_end and not middle.at_end
    assert begin != 5
    with pytest.raises(TypeError):
        begin < 5  # type: ignore[operator]  # noqa: B015
    with pytest.raises(TypeError):
        hash(begin)
    with pytest.raises(TypeError, match="cannot be copied"):
        copy.copy(begin)


def test_position_of_an_iteration(pool: rados.Ioctx) -> None:
    names = [found.key for found in pool.list_objects()]
    for count in (0, 1, 700, 1400, 1500):
        listing = pool.list_objects()
        first = [next(listing).key for _ in range(count)]
        position, cursor = listing.get_position(), listing.get_cursor()
        rest = [found.key for found in listing]
        assert first + rest == names
        again = pool.list_objects()
        again.seek(cursor)
        assert [found.key for found in again] == first[-1:] + rest
        (part,) = pool.list_slices(1, cursor)
        assert {found.key for found in part} == set(first[-1:] + rest)
        later = pool.list_objects()
        assert later.seek(position) == position
        assert set(rest) <= {found.key for found in later}
        for call in (
            listing.get_position,
            listing.get_cursor,
            lambda: listing.seek(0),  # noqa: B023
        ):
            with pytest.raises(rados.ObjectNotFound, match=r"ObjectIterator\.\w+ of pool 'many"):
                call()
    listing = pool.list_objects()
    for _ in range(1000):
        next(listing)
    listing.seek(0)
    assert [found.key for found in listing] == names


def test_wrong_arguments(pool: rados.Ioctx, ioctx: rados.Ioctx) -> None:
    with pytest.raises(OverflowError, match=r"Ioctx\.list_slices.*count must be from 1"):
        pool.list_slices(0)
    with pytest.raises(TypeError, match=r"Ioctx\.list_slices.*count must be an integer"):
        pool.list_slices(1.5)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"Ioctx\.list_page.*start must be a Cursor, not int"):
        pool.list_page(5)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"Ioctx\.list_slices.*finish must be a Cursor, not str"):
        pool.list_slices(2, finish="x")  # type: ignore[arg-type]
    with pytest.raises(rados.InvalidArgumentError, match=r"start is a place in another pool"):
        pool.list_page(ioctx.list_begin())
    with pytest.raises(TypeError, match=r"ObjectIterator.*position must be an integer"):
        pool.list_objects().seek("x")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="cursors are made by"):
        rados.Cursor()
    bare = rados.Cursor.__new__(rados.Cursor)
    for call in (
        lambda: pool.list_page(bare),
        lambda: bare.at_end,
        lambda: bare == pool.list_begin(),
        lambda: pool.list_begin() < bare,
        lambda: pool.list_objects().seek(bare),
    ):
        with pytest.raises(rados.InvalidArgumentError, match="constructor did not run"):
            call()
    with pytest.raises(rados.InvalidArgumentError, match=r"Ioctx\.list_page of pool 'many"):
        pool.list_page(pool.list_end(), pool.list_begin())


def test_what_is_closed(pool: rados.Ioctx) -> None:
    with pool.dup() as own:
        begin, (part,) = own.list_begin(), own.list_slices(1)
        listing = own.list_objects()
        next(listing)
        running = iter(part)
        next(running)
    for call in (
        own.list_begin,
        own.list_end,
        own.list_page,
        lambda: own.list_slices(2),
        lambda: begin.at_end,
        lambda: begin < begin,
        lambda: list(part),
        lambda: list(running),
        listing.get_position,
        listing.get_cursor,
        lambda: listing.seek(0),
    ):
        with pytest.raises(rados.IoctxStateError, match="closed"):
            call()


def test_cursors_outlive_their_context(pool: rados.Ioctx) -> None:
    with pool.dup() as own:
        cursor = own.list_begin()
    del own
    gc.collect()
    del cursor
    gc.collect()


def test_a_pool_that_is_gone(cluster: rados.Rados) -> None:
    cluster.create_pool("soon-gone")
    with cluster.open_ioctx("soon-gone") as ioctx:
        begin = ioctx.list_begin()
        cluster.delete_pool("soon-gone")
        cluster.wait_for_latest_osdmap()
        with pytest.raises(rados.Error):
            ioctx.list_page(begin)
