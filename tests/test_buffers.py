"""What may be written from and read into: every kind of buffer, and the ones that are refused."""

from __future__ import annotations

import array
import ctypes
import mmap
import subprocess
import sys
import textwrap
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from conftest import PYPY

from rbdcffi import _buffers, rados, rbd
from rbdcffi._ffi import ffi

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


# -- what is not copied --------------------------------------------------------------------------

LARGE = 8 << 20


@pytest.mark.skipif(PYPY, reason="PyPy does not lock buffers, so what is not bytes is copied")
@pytest.mark.parametrize("kind", READABLE)
def test_writing_does_not_copy(image: rbd.Image, kind: str) -> None:
    import tracemalloc  # PyPy has none

    source = READABLE[kind](bytes(LARGE))
    image.write(b"x", 0)  # what is allocated once
    tracemalloc.start()
    try:
        image.write(source, 0)
        assert tracemalloc.get_traced_memory()[1] < LARGE // 8
    finally:
        tracemalloc.stop()
    release(source)


@pytest.mark.skipif(PYPY, reason="PyPy does not lock buffers, so what is not bytes is copied")
@pytest.mark.parametrize("kind", WRITABLE)
def test_reading_into_does_not_copy(image: rbd.Image, kind: str) -> None:
    import tracemalloc  # PyPy has none

    target = WRITABLE[kind](bytes(LARGE))
    image.readinto(0, bytearray(1))
    tracemalloc.start()
    try:
        assert image.readinto(0, target) == LARGE
        assert tracemalloc.get_traced_memory()[1] < LARGE // 8
    finally:
        tracemalloc.stop()
    release(target)


@pytest.mark.skipif(PYPY, reason="PyPy does not lock buffers, so what is not bytes is copied")
@pytest.mark.parametrize("kind", WRITABLE)
def test_c_gets_the_address_of_the_buffer(kind: str) -> None:
    owner = WRITABLE[kind](DATA)
    own = ffi.cast("char *", ffi.from_buffer(owner))
    pointer, size = _buffers.readable(owner, "data")
    assert (ffi.cast("char *", pointer), size) == (own, SIZE)
    view = _buffers.writable(owner, "buffer")
    assert ffi.cast("char *", ffi.from_buffer(view)) == own
    del own, pointer, view
    release(owner)


class Record(ctypes.BigEndianStructure):
    _pack_ = 1
    _layout_ = "ms"  # what packing means; Python 3.14 wants it said
    _fields_ = (("kind", ctypes.c_uint8), ("O", ctypes.c_uint32))


@pytest.mark.parametrize(
    "made",
    [
        lambda: (Record * 8)(),
        lambda: (ctypes.c_uint32.__ctype_be__ * 10)(),
        lambda: ctypes.create_string_buffer(40),
        lambda: memoryview(bytearray(40)).cast("d"),
        lambda: memoryview(bytearray(40)).cast("B").cast("h", (2, 5, 2)),
    ],
    ids=["structures", "big-endian", "string buffer", "doubles", "three-dimensional"],
)
def test_buffers_of_other_items(image: rbd.Image, made: Callable[[], Any]) -> None:
    image.write(DATA[:40], 0)
    buffer = made()
    assert image.readinto(0, buffer) == 40
    assert content(buffer) == DATA[:40]
    assert image.write(buffer, 100) == 40
    assert image.read(100, 40) == DATA[:40]


needs_numpy = pytest.mark.skipif(numpy is None, reason="numpy is not installed")


@needs_numpy
@pytest.mark.parametrize(
    "dtype", ["u1", "<i8", ">i4", "f2", "f8", "c16", "?", "S5", "U2", "u1,<i4,(2,3)f4"]
)
@pytest.mark.parametrize("shape", [(), (3,), (2, 3, 4)], ids=str)
def test_arrays(image: rbd.Image, dtype: str, shape: tuple[int, ...]) -> None:
    array = numpy.zeros(shape, dtype)
    image.write(DATA, 0)
    assert image.readinto(7, array) == array.nbytes
    assert array.tobytes() == DATA[7 : 7 + array.nbytes]
    assert image.write(array, 100_000) == array.nbytes
    assert image.read(100_000, array.nbytes) == array.tobytes()


@needs_numpy
@pytest.mark.parametrize("shape", [(0,), (4, 0, 3)], ids=str)
def test_arrays_of_nothing(image: rbd.Image, shape: tuple[int, ...]) -> None:
    array = numpy.zeros(shape)
    assert image.readinto(0, array) == 0
    assert image.write(array, 0) == 0
    assert image.write(array.T, 0) == 0


@needs_numpy
def test_parts_of_an_array(image: rbd.Image) -> None:
    image.write(DATA, 0)
    square = numpy.zeros((64, 128), "u1")
    assert image.readinto(0, square[8:16]) == 1024
    assert square[8:16].tobytes() == DATA[:1024]
    assert not square[:8].any() and not square[16:].any()
    assert image.write(square[8:16], 50_000) == 1024
    assert image.read(50_000, 1024) == DATA[:1024]
    for part in (square[:, 1:], square.T, square[::-1], numpy.asfortranarray(square)):
        with pytest.raises(TypeError, match=r"Image\.readinto .*: buffer must be C-contiguous"):
            image.readinto(0, part)
        with pytest.raises(TypeError, match=r"Image\.write .*: data must be C-contiguous"):
            image.write(part, 0)


@needs_numpy
def test_arrays_that_are_refused(image: rbd.Image) -> None:
    locked = numpy.zeros(8, "u1")
    locked.flags.writeable = False
    with pytest.raises(TypeError, match=r"Image\.readinto .*: buffer must be writable"):
        image.readinto(0, locked)
    assert image.write(locked, 0) == 8
    # bytes in place of pointers to objects would end the process
    for dtype in (object, [("a", "u1"), ("b", object)]):
        things = numpy.zeros(4, dtype)
        with pytest.raises(TypeError, match=r"Image\.readinto .*not of Python objects"):
            image.readinto(0, things)
        with pytest.raises(TypeError, match=r"Image\.write .*not of Python objects"):
            image.write(things, 0)
    with pytest.raises(ValueError, match=r"Image\.write of .*: data: "):
        image.write(numpy.zeros(4, "M8[s]"), 0)


def test_what_was_released_names_the_call(image: rbd.Image) -> None:
    view = memoryview(bytearray(4))
    view.release()
    with pytest.raises((TypeError, ValueError), match=r"Image\.write of .*data"):
        image.write(view, 0)
    area = mmap.mmap(-1, 4096)
    area.close()
    with pytest.raises((TypeError, ValueError), match=r"Image\.readinto of .*buffer"):
        image.readinto(0, area)


# -- integers ------------------------------------------------------------------------------------


class Index:
    """An integer that is no int."""

    def __init__(self, value: int) -> None:
        self.value = value

    def __index__(self) -> int:
        return self.value


INTEGERS: dict[str, Callable[[int], Any]] = {
    "index": Index,
    "subclass": type("Int", (int,), {}),
}
if numpy is not None:
    for name in ("int64", "uint64", "int32"):
        INTEGERS[f"numpy.{name}"] = getattr(numpy, name)


@pytest.mark.parametrize("kind", INTEGERS)
def test_integers(image: rbd.Image, ioctx: rados.Ioctx, fresh_name: str, kind: str) -> None:
    n = INTEGERS[kind]
    image.write(DATA, 0)
    assert image.read(n(3), n(40), n(0)) == DATA[3:43]
    assert image.read(n(3), n(1)) == DATA[3:4]
    target = bytearray(40)
    assert image.readinto(n(3), target, n(0)) == 40
    assert image.readv([target, bytearray(2)], n(4)) == 42
    assert target == DATA[4:44]
    assert image.write(b"abc", n(5), n(0)) == 3
    assert image.writev([b"d", bytearray(b"e")], n(8)) == 2
    assert image.read(5, 5) == b"abcde"
    assert image.compare_and_write(n(5), b"abc", b"xyz", n(0)) is None
    image.write_zeroes(n(5), n(2), n(0))
    assert image.read(5, 5) == b"\0\0zde"
    image.discard(n(0), n(65536))
    assert image.read(0, 8) == bytes(8)
    image.resize(n(1 << 20))
    assert image.size() == 1 << 20
    image.write(b"x", 0)
    found: list[tuple[int, int, bool]] = []
    image.diff_iterate(n(0), n(1 << 20), None, lambda *extent: found.append(extent))
    assert found == list(image.diff(n(0), n(1 << 20), None)) != []
    done: list[bytes] = []
    image.aio_write(b"aio", n(0), None).wait_for_complete_and_cb()
    image.aio_read(n(0), n(3), lambda c, data: done.append(data)).wait_for_complete_and_cb()
    assert done == [b"aio"]
    rbd.RBD().create(ioctx, fresh_name + "-n", n(1 << 20), n(20), features=n(1))
    ioctx.write(fresh_name, b"object", n(2))
    assert ioctx.read(fresh_name, n(3), n(2)) == b"obj"
    ioctx.trunc(fresh_name, n(3))
    assert ioctx.rados.pool_reverse_lookup(n(ioctx.get_pool_id())) == ioctx.name


NO_INTEGERS: list[Any] = [1.0, Decimal(1), Fraction(1), "1", b"1", None, 1j, [1]]
if numpy is not None:
    NO_INTEGERS += [numpy.float32(1), numpy.float64(1), numpy.zeros(2, "i8")]


@pytest.mark.parametrize("value", NO_INTEGERS, ids=lambda value: type(value).__name__)
def test_what_is_no_integer_is_refused(
    image: rbd.Image, ioctx: rados.Ioctx, fresh_name: str, value: Any
) -> None:
    calls: dict[str, list[Callable[[], object]]] = {
        "read": [lambda: image.read(value, 1), lambda: image.read(0, value)],
        "readinto": [lambda: image.readinto(value, bytearray(1))],
        "readv": [lambda: image.readv([bytearray(1)], value)],
        "write": [lambda: image.write(b"a", value), lambda: image.write(b"a", 0, value)],
        "writev": [lambda: image.writev([b"a"], value)],
        "discard": [lambda: image.discard(value, 1), lambda: image.discard(0, value)],
        "write_zeroes": [
            lambda: image.write_zeroes(value, 1),
            lambda: image.write_zeroes(0, value),
        ],
        "compare_and_write": [lambda: image.compare_and_write(value, b"\0", b"a")],
        "aio_read": [lambda: image.aio_read(value, 1, print)],
        "aio_write": [lambda: image.aio_write(b"a", value, print)],
        "resize": [lambda: image.resize(value)],
        "diff_iterate": [lambda: image.diff_iterate(value, 1, None, print)],
    }
    for name, several in calls.items():
        for call in several:
            with pytest.raises(TypeError) as caught:
                call()
            assert str(caught.value).startswith(f"Image.{name} of '{image}': ")
            assert f"must be an integer, not {type(value).__name__}" in str(caught.value)
    with pytest.raises(TypeError, match=rf"Ioctx\.read of object '{fresh_name}' .*: offset must"):
        ioctx.read(fresh_name, 1, value)
    assert image.read(0, 1) == b"\0"


def test_errors_in_a_cycle_of_garbage(
    image: rbd.Image, ioctx: rados.Ioctx, ceph_conf: str, ceph_shared_pool: str
) -> None:
    """The frames of a call that failed keep what it lent to C; clearing them must not crash."""
    program = f"""
import gc
from rbdcffi import rados, rbd
with rados.Rados(conffile={ceph_conf!r}) as cluster, \\
        cluster.open_ioctx({ceph_shared_pool!r}) as ioctx, \\
        rbd.Image(ioctx, {image.name!r}, read_only=True) as image:
    def view():
        return memoryview(bytearray(4))
    end = image.size() + 1
    failing = [
        lambda: image.readinto(end, view()),
        lambda: image.readv([view()], end),
        lambda: image.readinto(-1, view()),
        lambda: image.write(view(), 0),
        lambda: image.writev([view(), view()], 0),
        lambda: image.write(view(), -1),
        lambda: image.compare_and_write(0, view(), view()),
        lambda: image.compare_and_write(0, view(), memoryview(bytearray(5))),
        lambda: image.aio_write(view(), -1, None),
        lambda: image.aio_write(view(), 0, 5),
        lambda: ioctx.write("x", view(), -1),
        lambda: ioctx.write("x" * 5000, view()),
        lambda: ioctx.write_full("x" * 5000, view()),
        lambda: ioctx.set_xattr("x" * 5000, "a", view()),
        lambda: cluster.mon_command(5, view()),
    ]
    def fail(call):
        try:
            call()
        except Exception as error:
            error.itself = error
        else:
            raise SystemExit("did not fail")
    for call in failing:
        for _ in range(50):
            fail(call)
        gc.collect()
print("survived")
"""
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", program],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "survived\n"), done.stderr


def test_views_in_garbage_cycles(ceph_conf: str, image_name: str) -> None:
    """An error keeps the frames it went through: the view of the buffer, and what C was given."""
    text = textwrap.dedent(
        f"""
        import anyio, gc
        from rbdcffi import aio, rados, rbd
        SIZE = 16 << 20

        def in_a_cycle(error):
            cycle = [error]
            cycle.append(cycle)

        def views():
            yield memoryview(bytearray(4096))
            yield memoryview(bytearray(4097))[1:]
            yield memoryview(bytearray(4096)).cast("I")

        def fail(call, *args):
            try:
                call(*args)
            except rbd.Error as error:
                in_a_cycle(error)
            else:
                raise AssertionError(call)
            gc.collect()

        def sync(image):
            for view in views():
                fail(image.write, view, SIZE)
                fail(image.write, view, SIZE - 4)
                fail(image.readinto, SIZE, view)
                fail(image.compare_and_write, SIZE, view, view)
                image.aio_write(view, SIZE, None).wait_for_complete_and_cb()

        async def asynchronous():
            async with aio.Rados(conffile={ceph_conf!r}) as cluster:
                async with cluster.open_ioctx("rbd") as ioctx:
                    for engine in "threads", "completions":
                        async with aio.Image(ioctx, {image_name!r}, engine=engine) as image:
                            for view in views():
                                for call in (
                                    lambda: image.write(view, SIZE),
                                    lambda: image.writev([view, view], SIZE),
                                    lambda: image.readinto(SIZE, view),
                                ):
                                    try:
                                        await call()
                                    except rbd.Error as error:
                                        in_a_cycle(error)
                                    else:
                                        raise AssertionError
                                    gc.collect()

        with rados.Rados(conffile={ceph_conf!r}) as cluster, cluster.open_ioctx("rbd") as ioctx:
            with rbd.Image(ioctx, {image_name!r}) as image:
                sync(image)
        anyio.run(asynchronous)
        """
    )
    done = subprocess.run(
        [sys.executable, "-c", text], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
