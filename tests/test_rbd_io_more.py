"""I/O that the standard binding does not offer: repeated data, pieces, vectors, checksums."""

from __future__ import annotations

import errno
import gc
import hashlib
import random
import threading
from typing import Any

import pytest
from conftest import MIB

from rbdcffi import rados, rbd
from rbdcffi._ffi import has, lib

GIB = 1 << 30


def noise(length: int, seed: int = 0) -> bytes:
    return random.Random(seed).getrandbits(8 * length).to_bytes(length, "little") if length else b""


# -- writesame --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "offset", "length"),
    [
        (512, 0, 512),
        (512, 4096, 65536),
        (4096, 4 * MIB - 4096, 8192),
        (1, 17, 100),
        (3, 1, 3000),
        (100, 12345, 1000),
        (65536, 0, 16 * MIB),
    ],
)
def test_writesame(image: rbd.Image, size: int, offset: int, length: int) -> None:
    image.write(b"x" * image.size(), 0)
    data = noise(size, seed=size)
    assert image.writesame(bytearray(data), offset, length) == length
    content = image.read(0, image.size())
    assert content[offset : offset + length] == data * (length // size)
    assert content[:offset] == b"x" * offset
    assert content[offset + length :] == b"x" * (len(content) - offset - length)


def test_writesame_of_zeroes_and_of_nothing(image: rbd.Image) -> None:
    image.write(b"x" * 65536, 0)
    assert image.writesame(bytes(512), 0, 8192) == 8192
    assert image.read(0, 8193) == bytes(8192) + b"x"
    assert image.writesame(b"y" * 512, 0, 0) == 0
    assert image.read(0, 1) == b"\0"


def test_writesame_across_the_end(image: rbd.Image) -> None:
    end = image.size()
    with pytest.raises(rbd.IncompleteWriteError, match=r"writesame.*only 512 bytes"):
        image.writesame(b"e" * 512, end - 512, 4096)
    assert image.read(end - 512, 512) == b"e" * 512
    for offset in (end, end + 512):
        with pytest.raises(rbd.InvalidArgument, match=r"Image\.writesame"):
            image.writesame(b"e" * 512, offset, 512)


def test_writesame_of_more_than_two_gib(ioctx: rados.Ioctx, fresh_name: str) -> None:
    """Of zeroes, which take no room."""
    rbd.RBD().create(ioctx, fresh_name, 5 * GIB)
    with rbd.Image(ioctx, fresh_name) as image:
        image.write(b"x" * 10, 0)
        image.write(b"x" * 10, 3 * GIB)
        image.write(b"x" * 10, 5 * GIB - 10)
        assert image.writesame(bytes(3 * 1024), 0, 3 * GIB) == 3 * GIB
        assert image.read(0, 10) == bytes(10)
        assert image.read(3 * GIB, 10) == b"x" * 10
        with pytest.raises(rbd.IncompleteWriteError, match=str(2 * GIB)):
            image.writesame(bytes(4096), 3 * GIB, 9 * GIB)
        assert image.read(5 * GIB - 10, 10) == bytes(10)


@pytest.mark.parametrize(
    ("data", "offset", "length", "error"),
    [
        (b"", 0, 512, rbd.InvalidArgument),
        (b"", 0, 0, rbd.InvalidArgument),
        (b"abc", 0, 10, rbd.InvalidArgument),
        (b"abc", 0, 2, rbd.InvalidArgument),
        (b"abc", 0, -3, OverflowError),
        (b"abc", 0, 3 << 70, OverflowError),
        (b"abc", -1, 3, OverflowError),
        (b"abc", 1 << 64, 3, OverflowError),
        (b"abc", "x", 3, TypeError),
        (b"abc", 0, 3.0, TypeError),
        (b"abc", None, 3, TypeError),
        ("abc", 0, 3, TypeError),
        (None, 0, 3, TypeError),
    ],
)
def test_writesame_arguments(
    image: rbd.Image, data: Any, offset: Any, length: Any, error: type[Exception]
) -> None:
    image.write(b"zzz", 0)
    with pytest.raises(error):
        image.writesame(data, offset, length)
    with pytest.raises(error):
        image.aio_writesame(data, offset, length, lambda completion: None)
    assert image.read(0, 3) == b"zzz"


# -- read_iterate -----------------------------------------------------------------------------


def test_read_iterate(image: rbd.Image) -> None:
    data = noise(10 * MIB)
    image.write(data, 3 * MIB)
    found = bytearray(image.size())
    ends: list[tuple[int, int]] = []
    threads = set()

    def take(offset: int, chunk: bytes) -> None:
        threads.add(threading.current_thread())
        assert type(chunk) is bytes
        found[offset : offset + len(chunk)] = chunk
        ends.append((offset, offset + len(chunk)))

    image.read_iterate(0, image.size(), take)
    assert found == bytes(3 * MIB) + data + bytes(3 * MIB)
    assert ends == sorted(ends) and len(ends) >= 3
    assert threads == {threading.current_thread()}


@pytest.mark.parametrize(
    ("offset", "length"),
    [(1, 10), (4 * MIB - 3, 7), (5 * MIB + 1, 6 * MIB), (15 * MIB, 9 * MIB), (7, (1 << 64) - 1)],
)
def test_read_iterate_over_a_part(image: rbd.Image, offset: int, length: int) -> None:
    data = noise(image.size())
    image.write(data, 0)
    position = offset
    digest = hashlib.sha256()

    def take(start: int, chunk: bytes) -> None:
        nonlocal position
        assert start == position
        position += len(chunk)
        digest.update(chunk)

    image.read_iterate(offset, length, take)
    assert position == min(offset + length, len(data))
    assert digest.digest() == hashlib.sha256(data[offset : offset + length]).digest()


def test_read_iterate_ends_early(image: rbd.Image) -> None:
    calls: list[int] = []
    problem = ZeroDivisionError("mine")

    def fail(offset: int, chunk: object) -> None:
        calls.append(offset)
        raise problem

    with pytest.raises(ZeroDivisionError) as caught:
        image.read_iterate(0, image.size(), fail)
    assert caught.value is problem and calls == [0]

    def stop(offset: int, chunk: object) -> int:
        calls.append(offset)
        return -errno.EBUSY if len(calls) == 3 else 5

    with pytest.raises(rbd.ImageBusy, match=r"Image\.read_iterate\(0, \d+\)"):
        image.read_iterate(0, image.size(), stop)
    assert len(calls) == 3
    with pytest.raises(TypeError, match=r"Image\.read_iterate\(0, 10\).*not str"):
        image.read_iterate(0, 10, lambda offset, chunk: "not a number")
    with pytest.raises(TypeError, match="positional"):
        image.read_iterate(0, 10, lambda: None)  # type: ignore[arg-type, misc]
    for strange in (-4096, -(1 << 31), -(1 << 80)):
        with pytest.raises(OverflowError, match="no errno"):
            image.read_iterate(0, 10, lambda offset, chunk, value=strange: value)  # type: ignore[misc]


def test_read_iterate_of_nothing(image: rbd.Image) -> None:
    calls: list[int] = []
    image.read_iterate(0, 0, lambda offset, chunk: calls.append(offset))
    assert calls == []
    for offset in (image.size(), image.size() + 1, 1 << 63, (1 << 64) - 1):
        with pytest.raises(rbd.InvalidArgument, match=r"Image\.read_iterate"):
            image.read_iterate(offset, 1, print)
    assert calls == []


def test_read_iterate_arguments(image: rbd.Image) -> None:
    for arguments, error in (
        ((-1, 1, print), OverflowError),
        ((0, -1, print), OverflowError),
        ((1 << 64, 1, print), OverflowError),
        (("0", 1, print), TypeError),
        ((0, None, print), TypeError),
        ((0, 1, None), TypeError),
    ):
        with pytest.raises(error, match=r"Image\.read_iterate"):
            image.read_iterate(*arguments)  # type: ignore[arg-type]
    with pytest.raises(rbd.InvalidArgument, match="closed"):
        image.read_iterate(0, 8 * MIB, lambda offset, chunk: image.close())


def test_read_iterate_beside_changes(image: rbd.Image) -> None:
    """librbd's own iteration stops for ever when anyone changes the image's header."""
    steps = iter(range(8))

    def change(offset: int, chunk: bytes) -> None:
        number = next(steps)
        image.create_snap(f"s{number}")
        image.resize(image.size() - (1 << 20))
        assert image.size() == (15 - number) * MIB

    image.write(b"x", 0)
    image.read_iterate(0, image.size(), change)
    assert 2 <= next(steps) <= 4


RANGES = [(1, (1 << 64) - 1), (4096, (1 << 64) - 4096), (8 << 20, (1 << 64) - (8 << 20))]


@pytest.mark.parametrize(("offset", "length"), RANGES)
def test_ranges_whose_end_does_not_fit(image: rbd.Image, offset: int, length: int) -> None:
    """librbd adds offset and length in 64 bits, and works for ever on what comes out of it."""
    data = noise(image.size())
    for clear in (
        lambda: image.write_zeroes(offset, length),
        lambda: image.discard(offset, length),
        lambda: end(image.aio_discard(offset, length, lambda completion: None)),
        lambda: end(image.aio_write_zeroes(offset, length, lambda completion: None)),
    ):
        image.write(data, 0)
        clear()
        assert image.read(0, offset) == data[:offset]
        start = -(-offset // (64 << 10)) * (64 << 10)  # discard leaves less than that
        assert image.read(start, image.size() - start) == bytes(image.size() - start)
    image.write(data, 0)
    for whole_object in (False, True):
        extents = list(image.diff(offset, length, None, whole_object=whole_object))
        assert extents[-1].offset + extents[-1].length == image.size()


@pytest.mark.parametrize("lengths", [(4, 4), (3, 4), (4, 0, 4), (2, 2, 9)])
def test_vectors_that_meet_the_end(image: rbd.Image, lengths: tuple[int, ...]) -> None:
    image.write(b"abcd", image.size() - 4)
    buffers = [bytearray(length) for length in lengths]
    assert image.readv(buffers, image.size() - 4) == 4
    assert b"".join(buffers)[:4] == b"abcd"
    written = [b"wxyz"[: length or 0] * (length > 0) for length in lengths]
    total = sum(map(len, written))
    with pytest.raises(
        rbd.IncompleteWriteError, match=rf"writev\({total} bytes, \d+\).*only 4 bytes"
    ):
        image.writev(written, image.size() - 4)
    assert image.read(image.size() - 4, 4) == b"".join(written)[:4]


# -- callbacks --------------------------------------------------------------------------------


def end(completion: rbd.Completion) -> int:
    completion.wait_for_complete_and_cb()
    value = completion.get_return_value()
    assert value is not None
    return value


def test_vectors_with_callbacks(image: rbd.Image) -> None:
    called: list[object] = []
    parts = [b"one", bytearray(b"two"), memoryview(b"three"), b""]
    assert end(image.aio_writev(parts, 100, called.append)) == 0
    assert image.read(99, 13) == b"\0onetwothree\0"
    buffers: list[Any] = [bytearray(4), memoryview(bytearray(2)), bytearray(10)]
    seen: list[bytes] = []
    reading = image.aio_readv(
        buffers, 99, lambda completion: seen.append(b"".join(map(bytes, buffers)))
    )
    assert end(reading) == 16
    assert seen == [b"\0onetwothree" + bytes(4)]
    across = bytearray(100)
    assert end(image.aio_readv([across], image.size() - 10, called.append)) == 10
    assert end(image.aio_writev([], 0, called.append)) == 0
    assert end(image.aio_readv([], 0, called.append)) == 0
    assert len(called) == 4
    for bad in ([b"read-only"], [5], 5, b"abc", "abc", ["abc"]):
        with pytest.raises(TypeError):
            image.aio_readv(bad, 0, called.append)  # type: ignore[arg-type]
    for bad in ([5], 5, b"abc", "abc", ["abc"]):
        with pytest.raises(TypeError):
            image.aio_writev(bad, 0, called.append)  # type: ignore[arg-type]
    for offset in (-1, 1 << 64):
        with pytest.raises(OverflowError, match=r"Image\.aio_writev"):
            image.aio_writev([b"x"], offset, called.append)


def test_writesame_with_callbacks(image: rbd.Image) -> None:
    called: list[object] = []
    assert end(image.aio_writesame(b"abc", 10, 9, called.append)) == 0
    assert image.read(9, 11) == b"\0abcabcabc\0"
    assert end(image.aio_writesame(b"abc", image.size(), 9, called.append)) == -errno.EINVAL
    assert len(called) == 2


def test_compare_and_write_with_callbacks(image: rbd.Image) -> None:
    seen: list[int | None] = []

    def done(completion: rbd.Completion, mismatch: int | None) -> None:
        seen.append(mismatch)

    image.write(b"abcdef", 512)
    assert end(image.aio_compare_and_write(512, b"abcdef", b"ABCDEF", done)) == 0
    assert image.read(512, 6) == b"ABCDEF"
    assert end(image.aio_compare_and_write(512, b"ABCxEF", b"123456", done)) == -errno.EILSEQ
    assert image.read(512, 6) == b"ABCDEF"
    assert end(image.aio_compare_and_write(image.size(), b"a", b"b", done)) == -errno.EINVAL
    assert seen == [None, 3, None]
    with pytest.raises(rbd.InvalidArgument, match=r"aio_compare_and_write.*2 bytes"):
        image.aio_compare_and_write(0, b"a", b"bb", done)
    with pytest.raises(rbd.InvalidArgument, match="nothing to compare"):
        image.aio_compare_and_write(0, b"", b"", done)


@pytest.mark.skipif(not has("rbd_aio_compare_and_writev"), reason="needs Ceph 18")
def test_compare_and_write_of_vectors(image: rbd.Image) -> None:
    image.write(b"abcdef", 512)
    assert image.compare_and_writev(512, [b"abc", bytearray(b"def")], [b"A", b"BCDEF"]) is None
    assert image.read(512, 6) == b"ABCDEF"
    assert image.compare_and_writev(512, [b"ABCxEF"], [b"123", b"456"]) == 3
    seen: list[int | None] = []
    completion = image.aio_compare_and_writev(
        512, [b"AB", b"cDEF"], [b"123456"], lambda completion, mismatch: seen.append(mismatch)
    )
    assert end(completion) == -errno.EILSEQ and seen == [2]
    assert image.read(512, 6) == b"ABCDEF"
    for compare, data in (([b"a"], [b"b", b"c"]), ([], []), ([b""], [b""])):
        with pytest.raises(rbd.InvalidArgument, match="compare_and_writev"):
            image.compare_and_writev(0, compare, data)
    for bad in (5, b"abc", [5]):
        with pytest.raises(TypeError):
            image.compare_and_writev(0, bad, [b"a"])  # type: ignore[arg-type]
    with pytest.raises(rbd.InvalidArgument):
        image.compare_and_writev(image.size(), [b"a"], [b"b"])


def crc32c(data: bytes) -> int:
    """CRC-32C from 0xFFFFFFFF, not inverted at the end, as librbd wants it."""
    value = 0xFFFFFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = (value >> 1) ^ (0x82F63B78 if value & 1 else 0)
    return value


def test_checksums() -> None:
    assert (
        lib.rbdcffi_crc32c(b"123456789", 9) == 0xE3069283 ^ 0xFFFFFFFF
    )  # the check of the standard
    for length in (*range(40), 1000, 4097):
        data = noise(length + 3)
        for start in range(3):
            assert lib.rbdcffi_crc32c(data[start : start + length], length) == crc32c(
                data[start : start + length]
            )


@pytest.mark.skipif(not has("rbd_aio_write_with_crc32c"), reason="needs Ceph 20")
def test_write_with_crc32c(image: rbd.Image) -> None:
    data = noise(8192)
    assert image.write_with_crc32c(data, 4096, crc32c(data)) == 8192
    assert image.read(4096, 8192) == data
    called: list[object] = []
    assert end(image.aio_write_with_crc32c(data, 0, crc32c(data), called.append)) == 0
    assert image.read(0, 8192) == data and len(called) == 1
    with pytest.raises(rbd.IncompleteWriteError):
        image.write_with_crc32c(data, image.size() - 100, crc32c(data))
    with pytest.raises(rbd.InvalidArgument, match=r"Image\.write_with_crc32c"):
        image.write_with_crc32c(data, image.size(), crc32c(data))
    for bad in (-1, 1 << 32):
        with pytest.raises(OverflowError, match=r"Image\.write_with_crc32c"):
            image.write_with_crc32c(data, 0, bad)
    wrong = crc32c(data) ^ 1
    with pytest.raises(
        rbd.InvalidArgument, match=r"Image\.write_with_crc32c.*checksum of the data"
    ):
        image.write_with_crc32c(data, 0, wrong)
    with pytest.raises(rbd.InvalidArgument, match=r"aio_write_with_crc32c.*checksum of the data"):
        image.aio_write_with_crc32c(data, 0, wrong, called.append)


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("compare_and_writev", "rbd_aio_compare_and_writev"),
        ("aio_compare_and_writev", "rbd_aio_compare_and_writev"),
        ("write_with_crc32c", "rbd_aio_write_with_crc32c"),
        ("aio_write_with_crc32c", "rbd_aio_write_with_crc32c"),
    ],
)
def test_what_is_newer_is_absent(image: rbd.Image, name: str, function: str) -> None:
    assert hasattr(image, name) == has(function)
    if not has(function):
        with pytest.raises(AttributeError, match=rf"^Image\.{name} needs {function}.*Ceph"):
            getattr(image, name)


def test_read_only_and_closed(ioctx: rados.Ioctx, image_name: str) -> None:
    def ignore(*arguments: object) -> None:
        pass

    with rbd.Image(ioctx, image_name, read_only=True) as image:
        with pytest.raises(rbd.ReadOnlyImage, match=r"Image\.writesame"):
            image.writesame(b"abc", 0, 9)
        for started in (
            image.aio_writev([b"abc"], 0, ignore),
            image.aio_writesame(b"abc", 0, 9, ignore),
            image.aio_compare_and_write(0, b"a", b"b", ignore),
        ):
            assert end(started) == -errno.EROFS
        assert end(image.aio_readv([bytearray(5)], 0, ignore)) == 5
        image.read_iterate(0, 10, ignore)
    for call in (
        lambda: image.writesame(b"abc", 0, 9),
        lambda: image.writesame(b"abc", 0, 0),
        lambda: image.read_iterate(0, 1, ignore),
        lambda: image.aio_readv([bytearray(5)], 0, ignore),
        lambda: image.aio_writev([b"abc"], 0, ignore),
        lambda: image.aio_writesame(b"abc", 0, 9, ignore),
        lambda: image.aio_compare_and_write(0, b"a", b"b", ignore),
    ):
        with pytest.raises(rbd.InvalidArgument, match="image is closed"):
            call()


# -- what the standard binding gets wrong -----------------------------------------------------


def test_write_zeroes_of_more_than_two_gib(ioctx: rados.Ioctx, fresh_name: str) -> None:
    """It works there, too, but a result of more than 31 bits is taken for an error."""
    rbd.RBD().create(ioctx, fresh_name, 5 * GIB)
    with rbd.Image(ioctx, fresh_name) as image:
        for length in (2 * GIB, 2 * GIB + 4096, 4 * GIB, 5 * GIB):
            image.write(b"x" * 4096, length - 4096)
            image.write_zeroes(0, length)
            assert image.read(length - 4096, 4096) == bytes(4096)


def test_what_is_being_written_is_kept(image: rbd.Image) -> None:
    """The caller may drop the buffers at once."""
    count, size = 64, 65536
    started = []
    for index in range(count):
        started.append(image.aio_write(noise(size, index), index * size, lambda *_: None))
        buffers = [bytearray(noise(size // 2, 1000 + index + part)) for part in range(2)]
        started.append(image.aio_writev(buffers, (count + index) * size, lambda *_: None))
        del buffers
        gc.collect(0)
    trash = [bytearray(b"\xff" * size) for _ in range(count)]
    for completion in started:
        assert end(completion) == 0
    del trash
    for index in range(count):
        assert image.read(index * size, size) == noise(size, index)
        both = noise(size // 2, 1000 + index) + noise(size // 2, 1001 + index)
        assert image.read((count + index) * size, size) == both


def test_an_exception_of_a_progress_function_is_raised(
    image: rbd.Image, ioctx: rados.Ioctx
) -> None:
    problem = ZeroDivisionError("mine")
    image.write(b"x", 0)
    image.create_snap("s")

    def fail(done: int, total: int) -> None:
        raise problem

    for call in (
        lambda: image.copy(ioctx, f"{image.name}-copy", on_progress=fail),
        lambda: image.rollback_to_snap("s", on_progress=fail),
        lambda: image.resize(MIB, on_progress=fail),
        lambda: rbd.RBD().remove(ioctx, f"{image.name}-victim", on_progress=fail),
    ):
        if not rbd.RBD().list(ioctx).count(f"{image.name}-victim"):
            rbd.RBD().create(ioctx, f"{image.name}-victim", 64 * MIB)
        with pytest.raises(ZeroDivisionError) as caught:
            call()
        assert caught.value is problem


def test_methods_keep_their_signatures_and_docstrings() -> None:
    import inspect

    for owner in (rbd.RBD, rbd.Image, rbd.Completion, rbd.Watch):
        for name, method in inspect.getmembers(owner, inspect.isfunction):
            if name.startswith("_"):
                continue
            assert method.__name__ == name, (owner, name)
            assert method.__doc__, (owner, name)
            kinds = {parameter.kind for parameter in inspect.signature(method).parameters.values()}
            assert inspect.Parameter.VAR_POSITIONAL not in kinds, (owner, name)
            assert inspect.Parameter.VAR_KEYWORD not in kinds, (owner, name)
