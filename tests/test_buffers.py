"""What may be written from and read into: every kind of buffer, and the ones that are refused."""

from __future__ import annotations

import array
import ctypes
import mmap
from collections.abc import Callable
from typing import Any

import pytest

from rbdcffi import _buffers, rados, rbd

try:
    import numpy
except ImportError:
    numpy = None

SIZE = 8192
DATA = bytes(i * 31 % 251 for i in range(SIZE))


def mapped(data: bytes) -> mmap.mmap:
    area = mmap.mmap(-1, len(data))
    area[:] = data
    return area


def ctypes_array(data: bytes) -> Any:
    return (ctypes.c_ubyte * len(data)).from_buffer_copy(data)


#: Every one holds the bytes it is made from, and can be written to.
WRITABLE: dict[str, Callable[[bytes], Any]] = {
    "bytearray": bytearray,
    "memoryview": lambda data: memoryview(bytearray(data)),
    "slice": lambda data: memoryview(bytearray(b"<<<" + data + b">>>"))[3:-3],
    "two-dimensional": lambda data: memoryview(bytearray(data)).cast("B", (64, len(data) // 64)),
    "array of bytes": lambda data: array.array("B", data),
    "array of integers": lambda data: array.array("I", data),
    "mmap": mapped,
    "ctypes": ctypes_array,
}
if numpy is not None:
    WRITABLE["numpy"] = lambda data: numpy.frombuffer(data, "u4").copy()
    WRITABLE["numpy, two-dimensional"] = lambda data: (
        numpy.frombuffer(data, "u1").copy().reshape(64, -1)
    )

READABLE: dict[str, Callable[[bytes], Any]] = {
    "bytes": bytes,
    "read-only memoryview": memoryview,
    "bytes of a subclass": type("Blob", (bytes,), {}),
    **WRITABLE,
}


def content(buffer: Any) -> bytes:
    return memoryview(buffer).tobytes()


def release(buffer: Any) -> None:
    if isinstance(buffer, mmap.mmap):
        buffer.close()


@pytest.mark.parametrize("kind", READABLE)
def test_write_from(image: rbd.Image, kind: str) -> None:
    source = READABLE[kind](DATA)
    assert image.write(source, 100) == SIZE
    assert content(source) == DATA
    assert image.read(99, SIZE + 2) == b"\0" + DATA + b"\0"
    release(source)


@pytest.mark.parametrize("kind", WRITABLE)
def test_readinto(image: rbd.Image, kind: str) -> None:
    image.write(DATA, 100)
    target = WRITABLE[kind](b"\xff" * SIZE)
    assert image.readinto(100, target) == SIZE
    assert content(target) == DATA
    release(target)


@pytest.mark.parametrize("kind", READABLE)
def test_object_from(ioctx: rados.Ioctx, fresh_name: str, kind: str) -> None:
    source = READABLE[kind](DATA)
    assert ioctx.write_full(fresh_name, source) == 0
    assert ioctx.append(fresh_name, source) == 0
    assert ioctx.write(fresh_name, source, 3 * SIZE) == 0
    assert ioctx.read(fresh_name, 4 * SIZE) == DATA + DATA + bytes(SIZE) + DATA
    assert ioctx.set_xattr(fresh_name, "attribute", source) is True
    assert ioctx.get_xattr(fresh_name, "attribute") == DATA
    release(source)


def test_readinto_leaves_the_rest_alone(image: rbd.Image) -> None:
    image.write(b"abcdef", 0)
    owner = bytearray(b"." * 10)
    assert image.readinto(1, memoryview(owner)[3:7]) == 4
    assert owner == b"...bcde..."


def test_short_readinto_leaves_the_rest_alone(image: rbd.Image) -> None:
    size = image.size()
    image.write(b"end", size - 3)
    owner = bytearray(b"." * 8)
    assert image.readinto(size - 3, owner) == 3
    assert owner == b"end....."


def test_a_buffer_can_be_resized_afterwards(image: rbd.Image) -> None:
    owner = bytearray(b"abc")
    image.write(owner, 0)
    owner.extend(b"d")
    image.readinto(0, owner)
    owner.clear()


@pytest.mark.parametrize("length", [0, 1])
def test_tiny_buffers(image: rbd.Image, ioctx: rados.Ioctx, fresh_name: str, length: int) -> None:
    data = b"z" * length
    for kind in ("bytes", "bytearray", "memoryview", "read-only memoryview"):
        assert image.write(READABLE[kind](data), 5) == length
        assert ioctx.write_full(fresh_name, READABLE[kind](data)) == 0
    target = bytearray(length)
    assert image.readinto(5, target) == length
    assert target == data


@pytest.mark.parametrize("made", [lambda: "text", lambda: "", lambda: type("S", (str,), {})("é")])
def test_text_is_refused(
    image: rbd.Image, ioctx: rados.Ioctx, fresh_name: str, made: Callable[[], str]
) -> None:
    writers: list[Callable[[], object]] = [
        lambda: image.write(made(), 0),  # type: ignore[arg-type]
        lambda: ioctx.write(fresh_name, made()),
        lambda: ioctx.write_full(fresh_name, made()),
        lambda: ioctx.append(fresh_name, made()),
        lambda: ioctx.set_xattr(fresh_name, "attribute", made()),
    ]
    for write in writers:
        with pytest.raises(TypeError, match="encode"):
            write()
    assert image.read(0, 4) == bytes(4)


@pytest.mark.parametrize("value", [None, 5, 1.5, [1, 2], object(), {}])
def test_what_is_no_buffer_is_refused(image: rbd.Image, value: Any) -> None:
    with pytest.raises(TypeError, match=f"bytes-like.*not {type(value).__name__}"):
        image.write(value, 0)
    with pytest.raises(TypeError, match=f"bytes-like.*not {type(value).__name__}"):
        image.readinto(0, value)


def test_holes_are_refused(image: rbd.Image, ioctx: rados.Ioctx, fresh_name: str) -> None:
    image.write(b"abcdef", 0)
    owner = bytearray(6)
    for view in (memoryview(owner)[::2], memoryview(owner)[::-1]):
        with pytest.raises(TypeError, match="C-contiguous"):
            image.readinto(0, view)
        with pytest.raises(TypeError, match="C-contiguous"):
            image.write(view, 0)
        with pytest.raises(TypeError, match="C-contiguous"):
            ioctx.write_full(fresh_name, view)
    assert owner == bytes(6)
    assert image.read(0, 6) == b"abcdef"


@pytest.mark.skipif(numpy is None, reason="numpy is not installed")
def test_numpy_with_holes_is_refused(image: rbd.Image) -> None:
    square = numpy.zeros((8, 8), "u1")
    for view in (square.T[1:], square[:, ::2], numpy.asfortranarray(numpy.zeros((4, 8), "u1"))):
        with pytest.raises(TypeError, match="C-contiguous"):
            image.readinto(0, view)


@pytest.mark.parametrize("kind", ["bytes", "read-only memoryview"])
def test_readinto_needs_a_writable_buffer(image: rbd.Image, kind: str) -> None:
    image.write(b"abcd", 0)
    target = READABLE[kind](b"keep")
    with pytest.raises(TypeError, match="writable"):
        image.readinto(0, target)
    assert content(target) == b"keep"


def test_readinto_a_read_only_mmap(image: rbd.Image) -> None:
    area = mmap.mmap(-1, 4096, access=mmap.ACCESS_READ)
    with pytest.raises(TypeError, match="writable"):
        image.readinto(0, area)
    area.close()


def test_a_released_view_is_refused(image: rbd.Image) -> None:
    view = memoryview(bytearray(4))
    view.release()
    with pytest.raises((TypeError, ValueError)):
        image.write(view, 0)
    with pytest.raises((TypeError, ValueError)):
        image.readinto(0, view)


def test_results_that_grow() -> None:
    asked: list[int] = []

    def attempt(size: int) -> tuple[int, int]:
        asked.append(size)
        return (-34, size) if size < 100 else (size, size)

    assert _buffers.grow(attempt, 16) == 128
    assert asked == [16, 32, 64, 128]


def test_results_that_say_how_large_they_are() -> None:
    asked: list[int] = []

    def attempt(size: int) -> tuple[int, int]:
        asked.append(size)
        return 77, 77

    assert _buffers.grow(attempt, 16) == 77
    assert asked == [16, 77]


def test_results_that_never_fit() -> None:
    with pytest.raises(MemoryError, match="does not fit"):
        _buffers.grow(lambda size: (-34, size), 16)


def test_a_long_configuration_value() -> None:
    value = "x" * 10000
    connection = rados.Rados(conf={"keyring": value})
    assert connection.conf_get("keyring") == value
    connection.shutdown()


def test_many_images(cluster: rados.Rados, ceph_pool: str) -> None:
    """More than fit into the first buffer of RBD.list."""
    with cluster.open_ioctx(ceph_pool) as context:
        names = [f"image-{i:03}" for i in range(70)]
        for name in names:
            rbd.RBD().create(context, name, 4096, features=0)
        assert rbd.RBD().list(context) == names
