"""Reading, writing and discarding."""

from __future__ import annotations

import errno
import itertools
import mmap
import random
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from conftest import MIB, PYPY
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

import rbdcffi.rbd.io
from rbdcffi import rados, rbd

SIZE = 16 * MIB

FADVISE = [
    rbd.LIBRADOS_OP_FLAG_FADVISE_RANDOM,
    rbd.LIBRADOS_OP_FLAG_FADVISE_SEQUENTIAL,
    rbd.LIBRADOS_OP_FLAG_FADVISE_WILLNEED,
    rbd.LIBRADOS_OP_FLAG_FADVISE_DONTNEED,
    rbd.LIBRADOS_OP_FLAG_FADVISE_NOCACHE,
]

#: offsets that no image has, and what they are answered with
BAD_OFFSETS = [
    (-1, OverflowError),
    (-(2**70), OverflowError),
    (2**64, OverflowError),
    (2**63, rbd.InvalidArgument),
    (2**64 - 1, rbd.InvalidArgument),
    (SIZE, rbd.InvalidArgument),
    (SIZE + 1, rbd.InvalidArgument),
    ("0", TypeError),
    (1.0, TypeError),
    (None, TypeError),
]


@pytest.fixture
def small_steps(monkeypatch: pytest.MonkeyPatch) -> int:
    """What C takes at once, made so small that the splitting of longer ranges shows."""
    monkeypatch.setattr(rbdcffi.rbd.io, "STEP", 1000)
    return 1000


def pattern(length: int, seed: int = 0) -> bytes:
    return random.Random(seed).getrandbits(8 * length).to_bytes(length, "little")


# -- results -----------------------------------------------------------------------------------


def test_new_image_reads_as_zeroes(image: rbd.Image) -> None:
    assert image.read(0, SIZE) == bytes(SIZE)


@pytest.mark.parametrize("length", [0, 1, 2, 3, 4096, 4 * MIB, 4 * MIB + 1])
@pytest.mark.parametrize("offset", [0, 1, 4 * MIB - 1])
def test_what_was_written_is_read(image: rbd.Image, offset: int, length: int) -> None:
    data = pattern(length)
    assert image.write(data, offset) == length
    found = image.read(offset, length)
    assert type(found) is bytes and found == data
    target = bytearray(length)
    assert image.readinto(offset, target) == length
    assert target == data


@pytest.mark.parametrize("length", [0, 1, 2, 100])
def test_results_are_independent_objects(image: rbd.Image, length: int) -> None:
    """`read` fills the object that it returns; bytes that others have must not change."""
    image.write(b"a" * 100, 0)
    first = image.read(0, length)
    copies = [bytes([value]) for value in range(256)]
    image.write(b"b" * 100, 0)
    second = image.read(0, length)
    assert first == b"a" * length
    assert second == b"b" * length
    assert hash(first) == hash(b"a" * length)
    assert {first: 1}[b"a" * length] == 1
    assert copies == [bytes([value]) for value in range(256)]


def test_results_own_no_more_than_they_hold(image: rbd.Image) -> None:
    if PYPY:
        pytest.skip("PyPy has no sizes of objects")
    assert sys.getsizeof(image.read(SIZE - 10, 1000)) == sys.getsizeof(bytes(10))
    assert sys.getsizeof(image.read(0, 1000)) == sys.getsizeof(bytes(1000))
    assert sys.getrefcount(image.read(0, 1000)) == sys.getrefcount(bytes(1000))


@pytest.mark.parametrize("flags", [*FADVISE, FADVISE[0] | FADVISE[4]])
def test_fadvise_flags(image: rbd.Image, flags: int) -> None:
    assert image.write(b"data", 0, flags) == 4
    assert image.write(b"data", 0, fadvise_flags=flags) == 4
    assert image.read(0, 4, flags) == b"data"
    assert image.read(0, 4, fadvise_flags=flags) == b"data"
    target = bytearray(4)
    assert image.readinto(0, target, flags) == 4
    assert target == b"data"


def test_flush_and_invalidate_cache(image: rbd.Image) -> None:
    image.write(b"data", 0)
    image.flush()
    image.invalidate_cache()
    assert image.read(0, 4) == b"data"


def test_another_client_sees_it(ioctx: rados.Ioctx, image: rbd.Image, ceph_conf: str) -> None:
    image.write(b"data", 4 * MIB - 2)
    with rados.Rados(conffile=ceph_conf) as other, other.open_ioctx(ioctx.name) as context:
        with rbd.Image(context, image.name, read_only=True) as same:
            assert same.read(4 * MIB - 2, 4) == b"data"


# -- the end -----------------------------------------------------------------------------------


def test_across_the_end(image: rbd.Image) -> None:
    image.write(b"end", SIZE - 3)
    assert image.read(SIZE - 3, 100) == b"end"
    assert image.read(SIZE - 1, 2) == b"d"
    assert image.read(SIZE - 1, 1) == b"d"
    target = bytearray(b"." * 5)
    assert image.readinto(SIZE - 2, target) == 2
    assert target == b"nd..."


def test_write_across_the_end(image: rbd.Image) -> None:
    with pytest.raises(rbd.IncompleteWriteError) as caught:
        image.write(b"abcde", SIZE - 2)
    text = str(caught.value)
    assert "Image.write(5 bytes" in text and image.name in text and "only 2 bytes" in text
    assert image.read(SIZE - 3, 3) == b"\0ab"


def test_lengths_of_nothing(image: rbd.Image) -> None:
    for offset in (0, SIZE - 1, SIZE):
        assert image.read(offset, 0) == b""
        assert image.readinto(offset, bytearray()) == 0
        assert image.write(b"", offset) == 0
        assert image.discard(offset, 0) is None


@pytest.mark.parametrize("offset, error", BAD_OFFSETS)
@pytest.mark.parametrize("call", ["read", "readinto", "write", "discard"])
def test_bad_offsets(image: rbd.Image, call: str, offset: Any, error: type[Exception]) -> None:
    calls: dict[str, Any] = {
        "read": lambda: image.read(offset, 10),
        "readinto": lambda: image.readinto(offset, bytearray(10)),
        "write": lambda: image.write(b"x" * 10, offset),
        "discard": lambda: image.discard(offset, 10),
    }
    with pytest.raises(error) as caught:
        calls[call]()
    assert f"Image.{call}" in str(caught.value)
    assert image.name in str(caught.value)
    if isinstance(caught.value, rbd.InvalidArgument):
        assert caught.value.errno == errno.EINVAL
        assert "Invalid argument" in str(caught.value)


@pytest.mark.parametrize(
    "length, error", [(2**64, OverflowError), ("1", TypeError), (1.0, TypeError), (None, TypeError)]
)
@pytest.mark.parametrize("call", ["read", "discard"])
def test_bad_lengths(image: rbd.Image, call: str, length: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match=f"Image.{call}"):
        getattr(image, call)(0, length)


@pytest.mark.parametrize("call", ["read", "discard"])
def test_negative_lengths(image: rbd.Image, call: str) -> None:
    with pytest.raises(OverflowError, match=f"Image.{call}"):
        getattr(image, call)(0, -1)


def test_huge_lengths_take_what_is_there(image: rbd.Image) -> None:
    """Memory is asked for by the image's size, not by the length."""
    image.write(b"first", 0)
    image.write(b"last", SIZE - 4)
    data = image.read(0, 2**60)
    assert len(data) == SIZE and data.startswith(b"first") and data.endswith(b"last")
    assert image.read(SIZE - 4, 3 << 30) == b"last"
    with pytest.raises(OverflowError, match="too large"):
        image.read(0, 2**63)
    with pytest.raises(rbd.InvalidArgument) as caught:
        image.read(SIZE, 3 << 30)
    assert caught.value.errno == errno.EINVAL
    image.discard(0, 2**63)
    assert image.read(0, SIZE) == bytes(SIZE)
    with pytest.raises(rbd.InvalidArgument):
        image.discard(SIZE + 1, 3 << 30)


# -- more than C takes at once -----------------------------------------------------------------


@pytest.mark.parametrize("length", [999, 1000, 1001, 2000, 2001, 12345])
def test_long_transfers(image: rbd.Image, small_steps: int, length: int) -> None:
    data = pattern(length)
    for part, source in enumerate((data, bytearray(data), memoryview(data))):
        start = part * MIB + 777
        assert image.write(source, start) == length
        assert image.read(start - 1, length + 2) == b"\0" + data + b"\0"
        target = bytearray(length)
        assert image.readinto(start, target) == length
        assert target == data


def test_long_transfers_across_the_end(image: rbd.Image, small_steps: int) -> None:
    data = pattern(5000)
    for start in (SIZE - 2500, SIZE - 3000):
        left = SIZE - start
        with pytest.raises(rbd.IncompleteWriteError, match=f"only {left} bytes"):
            image.write(data, start)
        assert image.read(start, 9999) == data[:left]
        target = bytearray(b"." * 5000)
        assert image.readinto(start, target) == left
        assert target == data[:left] + b"." * (5000 - left)


def test_long_transfers_behind_the_end(image: rbd.Image, small_steps: int) -> None:
    for offset in (SIZE, SIZE + 5, 2**63):
        with pytest.raises(rbd.InvalidArgument, match=r"Image\.read"):
            image.read(offset, 5000)
        with pytest.raises(rbd.InvalidArgument, match=r"Image\.readinto"):
            image.readinto(offset, bytearray(5000))
        with pytest.raises(rbd.InvalidArgument, match=r"Image\.write"):
            image.write(bytes(5000), offset)
        with pytest.raises(rbd.InvalidArgument, match=r"Image\.discard"):
            image.discard(offset, 5000)


def test_discard_of_more_than_two_gib(ioctx: rados.Ioctx, fresh_name: str) -> None:
    size = 5 << 30
    rbd.RBD().create(ioctx, fresh_name, size)
    places = (0, (1 << 30) - 2, (2 << 30) - 2, size - 4)
    with rbd.Image(ioctx, fresh_name) as image:
        for place in places:
            image.write(b"data", place)
        image.discard(4 * MIB, size)
        assert [image.read(place, 4) for place in places] == [b"data", *[bytes(4)] * 3]
        for place in places:
            image.write(b"data", place)
        image.discard(0, 3 << 30)
        assert [image.read(place, 4) for place in places] == [*[bytes(4)] * 3, b"data"]
    rbd.RBD().remove(ioctx, fresh_name)


@pytest.mark.slow
@pytest.mark.skipif(PYPY, reason="PyPy copies: twice 2 GiB of memory")
def test_readinto_of_more_than_two_gib(ioctx: rados.Ioctx, fresh_name: str) -> None:
    length = (2 << 30) + (100 << 20)
    rbd.RBD().create(ioctx, fresh_name, length + 10)
    places = (0, (1 << 30) - 2, (2 << 30) - 2, length - 4)
    with rbd.Image(ioctx, fresh_name) as image, mmap.mmap(-1, length) as area:
        for place in places:
            image.write(b"data", place)
        assert image.readinto(0, area) == length
        assert [area[place : place + 4] for place in places] == [b"data"] * 4
        assert area[4 : 1 << 20] == bytes((1 << 20) - 4)
    rbd.RBD().remove(ioctx, fresh_name)


# -- discard -----------------------------------------------------------------------------------


def test_discard(image: rbd.Image) -> None:
    image.write(b"x" * SIZE, 0)
    image.discard(4 * MIB, 8 * MIB)
    assert image.read(0, SIZE) == b"x" * 4 * MIB + bytes(8 * MIB) + b"x" * 4 * MIB
    image.discard(SIZE - MIB, 10 * MIB)
    assert image.read(SIZE - MIB, MIB) == bytes(MIB)
    image.discard(0, SIZE)
    assert image.read(0, SIZE) == bytes(SIZE)


# -- closed and read-only ----------------------------------------------------------------------


CLOSED_CALLS: dict[str, tuple[Any, ...]] = {
    "read": (0, 1),
    "readinto": (0, bytearray(1)),
    "write": (b"x", 0),
    "discard": (0, 1),
    "flush": (),
    "invalidate_cache": (),
}


@pytest.mark.parametrize("call", CLOSED_CALLS)
def test_closed(image: rbd.Image, call: str) -> None:
    image.close()
    with pytest.raises(rbd.InvalidArgument, match=f"Image.{call}.*image is closed") as caught:
        getattr(image, call)(*CLOSED_CALLS[call])
    assert image.name in str(caught.value)


def test_closed_with_nothing_to_do(image: rbd.Image) -> None:
    image.close()
    for call in (
        lambda: image.read(0, 0),
        lambda: image.readinto(0, bytearray()),
        lambda: image.write(b"", 0),
        lambda: image.discard(0, 0),
        lambda: image.read(0, 3 << 30),
        lambda: image.discard(0, 3 << 30),
    ):
        with pytest.raises(rbd.InvalidArgument, match="image is closed"):
            call()


def test_closed_names_the_call_of_a_long_discard(image: rbd.Image) -> None:
    image.close()
    with pytest.raises(rbd.InvalidArgument, match=r"Image\.discard"):
        image.discard(0, 3 << 30)


def test_read_only(ioctx: rados.Ioctx, image_name: str) -> None:
    with rbd.Image(ioctx, image_name, read_only=True) as image:
        assert image.read(0, 2) == b"\0\0"
        image.flush()
        for call, run in (
            ("write", lambda: image.write(b"x", 0)),
            ("discard", lambda: image.discard(0, 1)),
            ("discard", lambda: image.discard(0, 3 << 30)),
        ):
            with pytest.raises(rbd.ReadOnlyImage, match=f"Image.{call}") as caught:
                run()
            assert caught.value.errno == errno.EROFS
        assert image.read(0, 2) == b"\0\0"


# -- threads -----------------------------------------------------------------------------------


def test_sixteen_threads(image: rbd.Image) -> None:
    """Each works on a part of its own; none may see another's data."""
    part = SIZE // 16

    def work(number: int) -> None:
        numbers = random.Random(number)
        model = bytearray(part)
        for _ in range(12):
            start = numbers.randrange(part)
            length = numbers.randrange(1, min(100_000, part - start) + 1)
            data = bytes([numbers.randrange(1, 256)]) * length
            assert image.write(data, number * part + start) == length
            model[start : start + length] = data
            if numbers.random() < 0.3:
                target = bytearray(part)
                assert image.readinto(number * part, target) == part
                assert target == model
            else:
                assert image.read(number * part + start, length) == data
        assert image.read(number * part, part) == model

    with ThreadPoolExecutor(16) as pool:
        for future in [pool.submit(work, number) for number in range(16)]:
            future.result()


def test_reading_while_the_snapshot_changes(image: rbd.Image) -> None:
    """Every read is either the old or the new content."""
    length = 4096
    image.write(b"o" * length, 0)
    image.create_snap("old")
    image.write(b"n" * length, 0)
    old, new = b"o" * length, b"n" * length
    stop = threading.Event()
    seen: list[set[bytes]] = []

    def read() -> None:
        found: set[bytes] = set()
        target = bytearray(length)
        while not stop.is_set():
            found.add(image.read(0, length))
            assert image.readinto(0, target) == length
            found.add(bytes(target))
        seen.append(found)

    with ThreadPoolExecutor(4) as pool:
        futures = [pool.submit(read) for _ in range(4)]
        try:
            for name in ["old", None] * 150:
                image.set_snap(name)
        finally:
            stop.set()
        for future in futures:
            future.result()
    assert set().union(*seen) == {old, new}
    assert image.read(0, length) == new


# -- any order of operations -------------------------------------------------------------------

UNIT = 65536  # smaller parts of a discard are left alone by librbd
LIMIT = 6 * UNIT

offsets = st.integers(0, LIMIT)
lengths = st.one_of(st.integers(0, 200), st.integers(0, 3 * UNIT))
operations = st.lists(
    st.one_of(
        st.tuples(st.just("write"), offsets, lengths, st.integers(1, 255)),
        st.tuples(st.just("discard"), st.integers(0, 5), st.integers(0, 4)),
        st.tuples(st.just("read"), offsets, lengths),
        st.tuples(st.just("resize"), st.integers(1, LIMIT)),
        st.tuples(st.just("snapshot"), st.sampled_from("ab")),
        st.tuples(st.just("rollback"), st.sampled_from("ab")),
        st.tuples(st.just("look"), st.sampled_from("ab")),
    ),
    max_size=20,
)


class Model:
    """An image next to the bytes it should hold."""

    def __init__(self, image: rbd.Image) -> None:
        self.image = image
        self.data = bytearray(image.size())
        self.snaps: dict[str, bytes] = {}

    def run(self, operation: tuple[Any, ...]) -> None:
        name, *arguments = operation
        getattr(self, name)(*arguments)

    def check(self) -> None:
        assert self.image.size() == len(self.data)
        assert self.image.read(0, len(self.data)) == self.data

    def write(self, offset: int, length: int, value: int) -> None:
        data = bytes([value]) * length
        end = len(self.data)
        if length == 0:
            assert self.image.write(data, offset) == 0
        elif offset >= end:
            with pytest.raises(rbd.InvalidArgument):
                self.image.write(data, offset)
        elif offset + length > end:
            with pytest.raises(rbd.IncompleteWriteError, match=f"only {end - offset} bytes"):
                self.image.write(data, offset)
            self.data[offset:] = data[: end - offset]
        else:
            assert self.image.write(data, offset) == length
            self.data[offset : offset + length] = data

    def read(self, offset: int, length: int) -> None:
        if length and offset >= len(self.data):
            with pytest.raises(rbd.InvalidArgument):
                self.image.read(offset, length)
            return
        expected = self.data[offset : offset + length]
        assert self.image.read(offset, length) == expected
        target = bytearray(length)
        assert self.image.readinto(offset, target) == len(expected)
        assert target[: len(expected)] == expected

    def discard(self, unit: int, count: int) -> None:
        offset, length = unit * UNIT, count * UNIT
        end = len(self.data)
        if length and offset >= end:
            with pytest.raises(rbd.InvalidArgument):
                self.image.discard(offset, length)
            return
        # the last part is whole for librbd only if the image ends with a unit
        last = min(offset + length, end // UNIT * UNIT)
        if offset + length > last:
            length = max(0, last - offset)
        self.image.discard(offset, length)
        self.data[offset : offset + length] = bytes(length)

    def resize(self, size: int) -> None:
        self.image.resize(size)
        self.data = self.data[:size] + bytes(max(0, size - len(self.data)))

    def snapshot(self, name: str) -> None:
        if name in self.snaps:
            with pytest.raises(rbd.ImageExists):
                self.image.create_snap(name)
        else:
            self.image.create_snap(name)
            self.snaps[name] = bytes(self.data)

    def rollback(self, name: str) -> None:
        if name in self.snaps:
            self.image.rollback_to_snap(name)
            self.data = bytearray(self.snaps[name])
        else:
            with pytest.raises(rbd.ImageNotFound):
                self.image.rollback_to_snap(name)

    def look(self, name: str) -> None:
        """The snapshot still is what it was, whatever happened to the image since."""
        if name not in self.snaps:
            with pytest.raises(rbd.ImageNotFound):
                self.image.set_snap(name)
            return
        self.image.set_snap(name)
        try:
            assert self.image.size() == len(self.snaps[name])
            assert self.image.read(0, len(self.snaps[name])) == self.snaps[name]
            with pytest.raises(rbd.ReadOnlyImage):
                self.image.write(b"x", 0)
        finally:
            self.image.set_snap(None)


@pytest.fixture
def names(fresh_name: str) -> Iterator[str]:
    return (f"{fresh_name}-{number}" for number in itertools.count())


@settings(
    max_examples=20 if PYPY else 30,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(steps=operations)
def test_any_order_of_operations(
    ioctx: rados.Ioctx, names: Iterator[str], steps: list[tuple[Any, ...]]
) -> None:
    name = next(names)
    note(f"image {name}")
    rbd.RBD().create(ioctx, name, 4 * UNIT, order=17)
    with rbd.Image(ioctx, name) as image:
        model = Model(image)
        for step in steps:
            model.run(step)
            model.check()
        for snap in model.snaps:
            image.remove_snap(snap)
    rbd.RBD().remove(ioctx, name)


@pytest.mark.parametrize("striped", [False, True])
def test_where_the_comparison_fails(ioctx: rados.Ioctx, fresh_name: str, striped: bool) -> None:
    """Counted from the offset; librbd adds where the object begins in the image."""
    stripes = {"stripe_unit": 1024, "stripe_count": 3} if striped else {}
    features = rbd.RBD_FEATURE_LAYERING | (rbd.RBD_FEATURE_STRIPINGV2 if striped else 0)
    rbd.RBD().create(ioctx, fresh_name, MIB, 16, False, features, **stripes)
    with rbd.Image(ioctx, fresh_name) as image:
        for offset in (0, 512, 4096, 64 << 10, 99328, 312832, MIB - 512):
            for length in (1, 7, 512):
                image.write(b"x" * length, offset)
                for place in {0, length // 2, length - 1}:
                    other = bytearray(b"x" * length)
                    other[place] = 0
                    assert image.compare_and_write(offset, other, b"y" * length) == place
                    told: list[object] = []
                    image.aio_compare_and_write(
                        *(offset, bytes(other), b"y" * length),
                        lambda _, at, told=told: told.append(at),
                    ).wait_for_complete_and_cb()
                    assert told == [place]
                assert image.read(offset, length) == b"x" * length


def test_comparing_more_than_half_of_a_stripe_unit(ioctx: rados.Ioctx, fresh_name: str) -> None:
    """librbd would end the process where the second half differs."""
    features = rbd.RBD_FEATURE_LAYERING | rbd.RBD_FEATURE_STRIPINGV2
    rbd.RBD().create(ioctx, fresh_name, MIB, 16, False, features, stripe_unit=512, stripe_count=3)
    with rbd.Image(ioctx, fresh_name) as image:
        for _ in range(2):
            with pytest.raises(rbd.InvalidArgument, match=r"compare_and_write.*stripe unit, 512"):
                image.compare_and_write(0, bytes(257), b"x" * 257)
        other = bytes(255) + b"y"
        assert image.compare_and_write(256, other, b"x" * 256) == 255
        assert image.compare_and_write(256, bytes(256), b"x" * 256) is None
        assert image.read(256, 256) == b"x" * 256


def test_compare_and_write(image: rbd.Image) -> None:
    image.write(b"abcd" * 128, 0)
    assert image.compare_and_write(0, b"abcd" * 128, b"efgh" * 128) is None
    assert image.read(0, 4) == b"efgh"
    assert image.compare_and_write(0, b"efgx" * 128, b"ijkl" * 128) == 3
    assert image.read(0, 4) == b"efgh"
    for compare, data in ((b"", b""), (b"a", b"ab")):
        with pytest.raises(rbd.InvalidArgument, match="compare_and_write"):
            image.compare_and_write(0, compare, data)


def test_write_zeroes_and_vectors(image: rbd.Image) -> None:
    image.write(b"x" * 8192, 0)
    image.write_zeroes(100, 200)
    assert image.read(0, 400) == b"x" * 100 + bytes(200) + b"x" * 100
    assert image.writev([b"one", bytearray(b"two")], 10) == 6
    first, rest = bytearray(3), bytearray(5)
    assert image.readv([first, rest], 10) == 8
    assert (bytes(first), bytes(rest)) == (b"one", b"twoxx")
    with pytest.raises(OverflowError, match=r"Image\.write_zeroes"):
        image.write_zeroes(-1, 1)
