"""Operations of several steps: what they change, what they find, and how they are misused."""

from __future__ import annotations

import array
import copy
import errno
import gc
import mmap
import pickle
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rbdcffi import _ffi, rados
from rbdcffi.testing import Cluster

PYPY = sys.implementation.name == "pypy"
NS = 10**9


@pytest.fixture
def own(cluster: rados.Rados, ioctx: rados.Ioctx, fresh_name: str) -> Iterator[rados.Ioctx]:
    """A context of the test's own, in a namespace of its own, with an object."""
    with cluster.open_ioctx(ioctx.name) as context:
        context.set_namespace(f"space-{fresh_name}")
        context.write_full("object", b"content")
        yield context


Step = tuple[Any, ...]


def write(context: rados.Ioctx, *steps: Step, oid: str = "object", **kwargs: Any) -> None:
    """Performs ("method", argument, ...) steps."""
    with rados.WriteOpCtx() as op:
        for name, *args in steps:
            assert getattr(op, name)(*args) is None
        context.operate_write_op(op, oid, **kwargs)


def check(context: rados.Ioctx, *steps: Step, oid: str = "object") -> None:
    """The same of a ReadOp."""
    with rados.ReadOpCtx() as op:
        for name, *args in steps:
            getattr(op, name)(*args)
        context.operate_read_op(op, oid)


# -- writing -----------------------------------------------------------------------------------


def test_content(own: rados.Ioctx) -> None:
    write(own, ("write_full", b"0123456789"), ("write", b"ab", 2), ("append", b"end"))
    assert own.read("object") == b"01ab456789end"
    write(own, ("write", b"X"), ("zero", 1, 3), ("truncate", 6))
    assert own.read("object") == b"X\0\0\x0045"
    write(own, ("truncate", 8), ("writesame", b"xy", 6, 1))
    assert own.read("object") == b"Xxyxyxy\0"


def test_zero_is_offset_and_length(own: rados.Ioctx) -> None:
    own.write_full("object", b"0123456789")
    write(own, ("zero", 7, 2))
    assert own.read("object") == b"0123456\0\x009"
    # beyond the end nothing is there to be overwritten
    write(own, ("zero", 20, 5))
    assert own.stat("object")[0] == 10
    # what is zero up to the end is cut off
    write(own, ("zero", 8, 2))
    assert own.read("object") == b"0123456\0"
    write(own, ("zero", 5, 100))
    assert own.read("object") == b"01234"


def test_writing_nothing_leaves_the_object_readable(own: rados.Ioctx) -> None:
    write(own, ("write_full", b"abc"))
    write(own, ("write", b"", 10))
    assert own.read("object") == b"abc"
    write(own, ("write", b"", 1 << 40), oid="fresh")
    assert own.read("fresh") == b""


def test_zero_of_nothing_does_not_kill_the_osd(own: rados.Ioctx) -> None:
    with rados.WriteOpCtx() as op:
        with pytest.raises(rados.InvalidArgumentError, match=r"WriteOpCtx\.zero: length must be"):
            op.zero(3, 0)
        op.append(b"!")
        own.operate_write_op(op, "object")
    assert own.read("object") == b"content!"


@pytest.mark.parametrize(
    "data",
    [bytearray(b"data"), memoryview(b"data"), array.array("I", b"data")],
    ids=lambda data: type(data).__name__,
)
def test_any_buffer_is_copied(own: rados.Ioctx, data: Any) -> None:
    with rados.WriteOpCtx() as op:
        op.write_full(data)
        op.append(data)
        op.set_xattr("name", data)
        if not isinstance(data, memoryview):
            data[0] = 0
        own.operate_write_op(op, "object")
    assert own.read("object") == b"datadata"
    assert own.get_xattr("object", "name") == b"data"


def test_creating_and_removing(own: rados.Ioctx) -> None:
    write(own, ("new",), oid="fresh")
    assert own.read("fresh") == b""
    write(own, ("new",), ("new", None), ("new", rados.LIBRADOS_CREATE_IDEMPOTENT), oid="fresh")
    with pytest.raises(rados.ObjectExists, match="operate_write_op of object 'fresh'"):
        write(own, ("new", rados.LIBRADOS_CREATE_EXCLUSIVE), ("append", b"x"), oid="fresh")
    assert own.read("fresh") == b""
    write(own, ("remove",), oid="fresh")
    with pytest.raises(rados.ObjectNotFound):
        write(own, ("remove",), oid="fresh")


def test_xattrs(own: rados.Ioctx) -> None:
    write(own, ("set_xattr", "é", b"\0\xff"), ("set_xattr", "b", b""), ("set_xattr", b"c", b"1"))
    assert dict(own.get_xattrs("object")) == {"é": b"\0\xff", "b": b"", "c": b"1"}
    write(own, ("rm_xattr", "b"), ("rm_xattr", "é"))
    assert dict(own.get_xattrs("object")) == {"c": b"1"}


def test_all_or_nothing(own: rados.Ioctx) -> None:
    with pytest.raises(rados.ExtendMismatch):
        write(own, ("append", b"more"), ("set_xattr", "a", b"b"), ("cmpext", b"CONTENT"))
    assert own.read("object") == b"content"
    assert dict(own.get_xattrs("object")) == {}


def test_class_methods(own: rados.Ioctx) -> None:
    write(own, ("execute", "hello", "record_hello", b"you"), oid="greeting")
    assert own.execute("greeting", "hello", "replay", b"") == (11, b"Hello, you!")
    with pytest.raises(rados.ObjectExists):
        write(own, ("execute", "hello", "record_hello", b"you"), oid="greeting")
    with pytest.raises(rados.OSError) as caught:
        write(own, ("execute", "hello", "no_such_method", b""))
    assert caught.value.errno == errno.EOPNOTSUPP


def test_names_of_classes_are_not_cut(own: rados.Ioctx) -> None:
    with rados.WriteOpCtx() as op, rados.ReadOpCtx() as reading:
        for call in (
            lambda: op.execute("c" * 256, "m", b""),
            lambda: op.execute("c", "é" * 128, b""),
            lambda: reading.execute("c", "m" * 256),
            lambda: own.execute("object", "c" * 256, "m", b""),
        ):
            with pytest.raises(rados.InvalidArgumentError, match="at most 255 bytes long, not 256"):
                call()


def test_alloc_hints(own: rados.Ioctx) -> None:
    flags = rados.LIBRADOS_ALLOC_HINT_FLAG_APPEND_ONLY | rados.LIBRADOS_ALLOC_HINT_FLAG_COMPRESSIBLE
    write(own, ("set_alloc_hint", 4 << 20, 4096, flags), ("append", b"x"), oid="hinted")
    write(own, ("set_alloc_hint", 0, 0), oid="hinted")
    assert own.read("hinted") == b"x"


def test_time_of_change(own: rados.Ioctx) -> None:
    def changed() -> float:
        return time.mktime(own.stat("object")[1])

    write(own, ("append", b"x"), mtime=10**9)
    assert changed() == 10**9
    write(own, ("append", b"x"), mtime_ns=2 * 10**18 + 5)
    assert changed() == 2 * 10**9
    # not given is now, not 1970 nor what it was
    before = int(time.time())
    write(own, ("append", b"x"))
    assert before - 2 <= changed() <= time.time() + 2
    with pytest.raises(rados.InvalidArgumentError, match="mtime or mtime_ns"):
        write(own, ("append", b"x"), mtime=1, mtime_ns=1)
    for wrong in ({"mtime": -1}, {"mtime": 1 << 32}, {"mtime_ns": 0}, {"mtime_ns": (1 << 32) * NS}):
        with pytest.raises(OverflowError, match=r"operate_write_op of object 'object'.*mtime"):
            write(own, ("append", b"x"), **wrong)


@pytest.mark.skipif(not _ffi.has("rados_read_op_stat2"), reason="needs Ceph 18")
def test_nanoseconds(own: rados.Ioctx) -> None:
    write(own, ("write_full", b"12345"), mtime_ns=2 * 10**18 + 5)
    with rados.ReadOpCtx() as op:
        found = op.stat2()
        own.operate_read_op(op, "object")
    assert found.value == rados.ObjectStat(5, 2 * 10**18 + 5)


def test_stat2_is_absent_where_librados_lacks_it() -> None:
    assert hasattr(rados.ReadOp, "stat2") == _ffi.has("rados_read_op_stat2")


# -- any steps, against a model -----------------------------------------------------------------


class Model:
    """What an object shall be after the steps."""

    def __init__(self) -> None:
        self.content = bytearray()
        self.attributes: dict[str, bytes] = {}
        self.pairs: dict[bytes, bytes] = {}

    def write(self, data: bytes, offset: int) -> None:
        if data:
            self.content.extend(bytes(max(0, offset - len(self.content))))
            self.content[offset : offset + len(data)] = data

    def append(self, data: bytes) -> None:
        self.content += data

    def write_full(self, data: bytes) -> None:
        self.content[:] = data

    def writesame(self, data: bytes, length: int, offset: int) -> None:
        self.write(data * (length // len(data)), offset)

    def zero(self, offset: int, length: int) -> None:
        if offset + length >= len(self.content):
            del self.content[offset:]
        else:
            self.content[offset : offset + length] = bytes(length)

    def truncate(self, size: int) -> None:
        self.write(b"\0", size)
        del self.content[size:]

    def set_xattr(self, name: str, value: bytes) -> None:
        self.attributes[name] = value

    def rm_xattr(self, name: str) -> None:
        self.attributes.pop(name, None)

    def omap_set(self, pairs: dict[bytes, bytes]) -> None:
        self.pairs.update(pairs)

    def omap_rm_keys(self, keys: list[bytes]) -> None:
        for key in keys:
            self.pairs.pop(key, None)

    def omap_clear(self) -> None:
        self.pairs.clear()


places = st.integers(0, 40)
contents = st.binary(max_size=20)
keys = st.sampled_from([b"a", b"a\0", b"\0", b"\xff\xfe", "é".encode(), b"b"])
names = st.sampled_from(["x", "y", "é"])
steps = st.one_of(
    st.tuples(st.just("write"), contents, places),
    st.tuples(st.just("append"), contents),
    st.tuples(st.just("write_full"), contents),
    st.tuples(st.just("writesame"), st.binary(min_size=2, max_size=2), st.just(6), places),
    st.tuples(st.just("zero"), places, st.integers(1, 20)),
    st.tuples(st.just("truncate"), places),
    st.tuples(st.just("set_xattr"), names, contents),
    st.tuples(st.just("rm_xattr"), names),
    st.tuples(st.just("omap_set"), st.dictionaries(keys, contents, max_size=4)),
    st.tuples(st.just("omap_rm_keys"), st.lists(keys, max_size=3)),
    st.tuples(st.just("omap_clear")),
)


@settings(
    max_examples=30 if PYPY else 60,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(operations=st.lists(st.lists(steps, min_size=1, max_size=6), min_size=1, max_size=5))
def test_any_steps(own: rados.Ioctx, operations: list[list[Step]]) -> None:
    write(own, ("new",), ("truncate", 0), ("omap_clear",), oid="model")
    for name in ("x", "y", "é"):
        write(own, ("rm_xattr", name), oid="model")
    model = Model()
    for operation in operations:
        write(own, *operation, oid="model")
        for method, *args in operation:
            getattr(model, method)(*args)
        with rados.ReadOpCtx() as op:
            data, attributes = op.read(), op.get_xattrs()
            pairs = op.omap_get_vals(omap_key_type=bytes)
            stat = op.stat()
            own.operate_read_op(op, "model")
        assert data.value == model.content
        assert stat.value[0] == len(model.content)
        assert attributes.value == model.attributes
        assert pairs.value == sorted(model.pairs.items())


# -- comparing ---------------------------------------------------------------------------------


@pytest.mark.parametrize("perform", [write, check])
def test_comparisons(own: rados.Ioctx, perform: Callable[..., None]) -> None:
    own.set_xattr("object", "number", b"5")
    write(own, ("omap_set", {"key": b"m", b"\0\xff": b"\0"}))
    perform(own, ("cmpext", b"tent", 3), ("cmpxattr", "number", b"5"), ("omap_cmp", "key", "m"))
    perform(own, ("omap_cmp", b"\0\xff", b"\0"))
    # what is there stands to the left; the others are not known for keys
    for operator, value in (("EQ", "m"), ("GT", "l"), ("LT", "n")):
        perform(own, ("omap_cmp", "key", value, getattr(rados, f"LIBRADOS_CMPXATTR_OP_{operator}")))
    for operator in ("NE", "GTE", "LTE"):
        number = getattr(rados, f"LIBRADOS_CMPXATTR_OP_{operator}")
        with pytest.raises(rados.InvalidArgumentError):
            perform(own, ("omap_cmp", "key", "m", number))
    for wrong in (
        ("omap_cmp", "key", "x"),
        ("omap_cmp", "key", "m", rados.LIBRADOS_CMPXATTR_OP_LT),
        ("omap_cmp", "none", "m"),
        ("cmpxattr", "number", b"6"),
        ("cmpxattr", "none", b"6"),
    ):
        with pytest.raises(rados.OSError, match="object 'object' in pool") as caught:
            perform(own, wrong)
        assert caught.value.errno == errno.ECANCELED == 125


@pytest.mark.parametrize("operator", ["NE", "GT", "GTE", "LT", "LTE"])
def test_operators_of_attributes(own: rados.Ioctx, operator: str) -> None:
    """Unlike with keys, the value that is given stands to the left of the operator."""
    own.set_xattr("object", "number", b"5")
    number = getattr(rados, f"LIBRADOS_CMPXATTR_OP_{operator}")
    compared = {
        "NE": lambda given: given != b"5",
        "GT": lambda given: given > b"5",
        "GTE": lambda given: given >= b"5",
        "LT": lambda given: given < b"5",
        "LTE": lambda given: given <= b"5",
    }[operator]
    for value in (b"4", b"5", b"6"):
        if compared(value):
            check(own, ("cmpxattr", "number", value, number))
        else:
            with pytest.raises(rados.OSError) as caught:
                check(own, ("cmpxattr", "number", value, number))
            assert caught.value.errno == errno.ECANCELED


@pytest.mark.parametrize("perform", [write, check])
@pytest.mark.parametrize("place", [0, 1, 61441, 61450, 61473, 61480, 61500, 99999])
def test_mismatch(own: rados.Ioctx, perform: Callable[..., None], place: int) -> None:
    """Also where the result could be taken for that of a closed pool."""
    own.write_full("object", b"a" * 100000)
    compared = b"a" * place + b"b"
    with pytest.raises(rados.ExtendMismatch, match=f"byte {place} of what") as caught:
        perform(own, ("cmpext", compared))
    assert (caught.value.offset, caught.value.errno) == (place, 4095 + place)
    assert pickle.loads(pickle.dumps(caught.value)).offset == place
    assert own.cmpext("object", compared) == -4095 - place
    assert own.cmpext("object", b"a" * place) == 0


@pytest.mark.parametrize("perform", [write, check])
def test_assertions(own: rados.Ioctx, perform: Callable[..., None]) -> None:
    own.write_full("object", b"1")
    version = own.get_last_version()
    perform(own, ("assert_exists",), ("assert_version", version))
    # a write without a change leaves the version
    for wrong, number in ((version - 1, errno.ERANGE), (version + 100, errno.EOVERFLOW)):
        with pytest.raises(rados.OSError) as caught:
            perform(own, ("assert_version", wrong))
        assert caught.value.errno == number
    with pytest.raises(rados.ObjectNotFound):
        perform(own, ("assert_exists",), oid="none")


# -- reading -----------------------------------------------------------------------------------


def test_reading(own: rados.Ioctx) -> None:
    own.set_xattr("object", "é", b"value")
    own.set_xattr("object", "empty", b"")
    with rados.ReadOpCtx() as op:
        data, part, one, none, past, long = (
            op.read(),
            op.read(3, 2),
            op.read(1),
            op.read(0),
            op.read(5, 100),
            op.read(1 << 20),
        )
        stat, attributes = op.stat(), op.get_xattrs()
        assert not data.performed
        own.operate_read_op(op, "object")
        assert data.performed
    assert data.value == long.value == b"content"
    assert type(data.value) is bytes
    assert (part.value, one.value, none.value, past.value) == (b"nte", b"c", b"", b"")
    assert stat.value == own.stat("object")
    assert type(stat.value[1]) is time.struct_time
    assert attributes.value == {"é": b"value", "empty": b""}
    assert repr(part) == "<Result of ReadOp.read: b'nte'>"


def test_class_methods_that_return(own: rados.Ioctx) -> None:
    with rados.ReadOpCtx() as op:
        plain = op.execute("hello", "say_hello", b"you")
        nobody = op.execute("hello", "say_hello")
        limited = op.execute("hello", "say_hello", b"you", length=11)
        short = op.execute("hello", "say_hello", b"you", length=10)
        own.operate_read_op(op, "object")
    assert plain.value == limited.value == b"Hello, you!"
    assert nobody.value == b"Hello, world!"
    with pytest.raises(rados.OSError, match=r"ReadOp\.execute: .*object 'object'") as caught:
        short.value  # noqa: B018
    assert caught.value.errno == errno.ERANGE
    assert repr(short) == "<Result of ReadOp.execute, failed>"


CRC32C = rados.LIBRADOS_CHECKSUM_TYPE_CRC32C
XXHASH32 = rados.LIBRADOS_CHECKSUM_TYPE_XXHASH32
XXHASH64 = rados.LIBRADOS_CHECKSUM_TYPE_XXHASH64


def checksum(own: rados.Ioctx, *args: Any, **kwargs: Any) -> list[int]:
    with rados.ReadOpCtx() as op:
        found = op.checksum(*args, **kwargs)
        own.operate_read_op(op, "object")
    return found.value


def test_checksums(own: rados.Ioctx) -> None:
    own.write_full("object", b"123456789" + b"a")
    # the check value of the algorithm, which ends with an inversion that Ceph leaves out
    assert checksum(own, CRC32C, 9, init_value=0xFFFFFFFF) == [0xE3069283 ^ 0xFFFFFFFF]
    # published values for "a"
    assert checksum(own, XXHASH32, 1, 9) == [0x550D7456]
    assert checksum(own, XXHASH64, 1, 9) == [0xD24EC4F1A98C6E5B]
    several = checksum(own, XXHASH64, 10, chunk_size=5)
    assert several == [checksum(own, XXHASH64, 5)[0], checksum(own, XXHASH64, 5, 5)[0]]
    assert checksum(own, XXHASH32, 10, chunk_size=1)[9] == 0x550D7456
    # past the end there is nothing to sum
    assert checksum(own, CRC32C, 10, 10) == []
    assert checksum(own, CRC32C, 100) == checksum(own, CRC32C, 10)
    for wrong in ({"length": 0}, {"length": 10, "chunk_size": 3}, {"length": 10, "chunk_size": 0}):
        with pytest.raises(rados.InvalidArgumentError, match=r"ReadOpCtx\.checksum: chunk_size"):
            checksum(own, CRC32C, **wrong)
    with pytest.raises(rados.InvalidArgumentError, match="too many"):
        checksum(own, CRC32C, 1 << 40, chunk_size=1)
    with pytest.raises(rados.InvalidArgumentError, match="checksum_type"):
        checksum(own, 3, 10)
    with pytest.raises(OverflowError, match="init_value"):
        checksum(own, CRC32C, 10, init_value=1 << 32)


def test_steps_that_may_fail(own: rados.Ioctx) -> None:
    """With LIBRADOS_OP_FLAG_FAILOK the operation goes on."""
    with rados.ReadOpCtx() as op:
        op.omap_cmp("none", b"x")
        op.set_flags(rados.LIBRADOS_OP_FLAG_FAILOK)
        data = op.read()
        own.operate_read_op(op, "object", rados.LIBRADOS_OPERATION_BALANCE_READS)
    assert data.value == b"content"


def test_flags(own: rados.Ioctx) -> None:
    with rados.WriteOpCtx() as op:
        op.new(rados.LIBRADOS_CREATE_EXCLUSIVE)
        op.set_flags(rados.LIBRADOS_OP_FLAG_FAILOK)
        op.append(b"!")
        op.set_flags(rados.LIBRADOS_OP_FLAG_FADVISE_DONTNEED)
        own.operate_write_op(op, "object", flags=rados.LIBRADOS_OPERATION_SKIPRWLOCKS)
    assert own.read("object") == b"content!"
    for context in (rados.WriteOpCtx(), rados.ReadOpCtx()):
        with context as empty, pytest.raises(rados.LogicError, match="there is no step yet"):
            empty.set_flags(rados.LIBRADOS_OP_FLAG_FAILOK)


def test_operations_that_fail(own: rados.Ioctx) -> None:
    with rados.ReadOpCtx() as op:
        found = [op.read(), op.stat(), op.get_xattrs(), op.execute("hello", "say_hello")]
        keys = op.omap_get_keys()
        op.assert_version(1 << 40)
        with pytest.raises(rados.OSError) as caught:
            own.operate_read_op(op, "object")
    assert caught.value.errno == errno.EOVERFLOW
    for result in (*found, keys):
        assert result.performed
        # the same one twice: each asker gets an exception of his own
        for _ in range(2):
            with pytest.raises(rados.OSError, match="object 'object'") as again:
                result.value  # noqa: B018
            assert again.value.errno == errno.EOVERFLOW
            assert again.value is not caught.value
    with pytest.raises(rados.OSError):
        next(keys)


def test_what_is_too_long_is_refused(own: rados.Ioctx) -> None:
    big = mmap.mmap(-1, 1 << 31)
    with rados.WriteOpCtx() as op:
        if not PYPY:  # which copies it first
            with pytest.raises(rados.OSError, match=r"WriteOpCtx\.append: to_write of") as caught:
                op.append(big)
            assert caught.value.errno == errno.E2BIG
        with pytest.raises(rados.OSError, match="write_len") as caught:
            op.writesame(b"ab", 1 << 31)
        assert caught.value.errno == errno.E2BIG
        op.writesame(b"ab", 3)
        with pytest.raises(rados.InvalidArgumentError):
            own.operate_write_op(op, "object")
    big.close()
    with rados.ReadOpCtx() as reading:
        for length in (1 << 31, 1 << 32, sys.maxsize - 100):
            with pytest.raises(
                rados.OSError, match=rf"ReadOpCtx\.read: .* {length} bytes"
            ) as caught:
                reading.read(length)
            assert caught.value.errno == errno.E2BIG
    with rados.ReadOpCtx() as reading, pytest.raises(OverflowError, match=r"ReadOpCtx\.read: len"):
        reading.read(1 << 63)


def test_steps_that_are_too_long_together(own: rados.Ioctx) -> None:
    """librados adds up their lengths as an int, and ends the process when that is negative."""
    half = 1 << 30
    with rados.ReadOpCtx() as reading:
        reading.read(half)
        with pytest.raises(rados.OSError, match=r"ReadOpCtx\.read: .*, and 2147483647 is"):
            reading.read(half)
        # what was refused is not there, and what fits is
        found = reading.read(half - 1)
        own.operate_read_op(reading, "object")
    assert found.value == b"content"
    reading = own.create_read_op()
    found = reading.read((1 << 31) - 1)
    own.operate_aio_read_op(reading, "object").wait_for_complete_and_cb()
    assert found.value == b"content"
    with rados.ReadOpCtx() as reading:
        reading.read((1 << 31) - 3)
        for call, *args in (
            (reading.cmpext, b"xyz"),
            (reading.cmpxattr, "a", b"yz"),
            (reading.omap_cmp, "a", b"z"),
            (reading.execute, "hello", "say_hello", b""),
        ):
            with pytest.raises(rados.OSError, match=f"{call.__name__}: the steps") as caught:
                call(*args)
            assert caught.value.errno == errno.E2BIG
        reading.cmpext(b"co")
        own.operate_read_op(reading, "object")


@pytest.mark.skipif(PYPY, reason="it would copy gigabytes")
def test_data_that_are_too_long_together(own: rados.Ioctx) -> None:
    big = mmap.mmap(-1, (1 << 31) - 8)
    with rados.WriteOpCtx() as op:
        op.cmpext(big)
        for call, *args in (
            (op.append, b"123456789"),
            (op.write, b"123456789", 5),
            (op.write_full, b"123456789"),
            (op.writesame, b"123456789", 18),
            (op.cmpext, b"123456789"),
            (op.set_xattr, "name", b"12345"),
            (op.cmpxattr, "name", b"12345"),
            (op.omap_cmp, "k", b""),
            (op.omap_set, {"k": b""}),
            (op.omap_rm_keys, ["k"]),
            (op.execute, "hello", "record_hello", b""),
        ):
            with pytest.raises(rados.OSError, match=f"{call.__name__}: the steps") as caught:
                call(*args)
            assert caught.value.errno == errno.E2BIG
        # what just fits; not for the cluster, which takes less
        op.append(b"1234567")
    big.close()
    big = mmap.mmap(-1, (1 << 31) - 1)
    for set_xattr in (own.set_xattr, own.aio_setxattr):
        with pytest.raises(rados.OSError, match=rf"{set_xattr.__name__} of .* name and value"):
            set_xattr("object", "a", big)
    big.close()


# -- misuse ------------------------------------------------------------------------------------


def test_performed_once(own: rados.Ioctx) -> None:
    op = own.create_write_op()
    op.append(b"!")
    own.operate_write_op(op, "object")
    for call in (lambda: own.operate_write_op(op, "object"), lambda: op.append(b"?")):
        with pytest.raises(rados.LogicError, match="performed already; create"):
            call()
    assert own.read("object") == b"content!"
    assert op.create() is op
    op.append(b"?")
    own.operate_write_op(op, "object")
    assert own.read("object") == b"content!?"
    own.release_write_op(op)


def test_failed_once(own: rados.Ioctx) -> None:
    op = own.create_read_op()
    data = op.read()
    with pytest.raises(rados.ObjectNotFound):
        own.operate_read_op(op, "none")
    with pytest.raises(rados.LogicError, match="performed already"):
        own.operate_read_op(op, "object")
    with pytest.raises(rados.ObjectNotFound):
        data.value  # noqa: B018
    own.release_read_op(op)


def test_released(own: rados.Ioctx) -> None:
    op = own.create_read_op()
    data, keys, attributes = op.read(), op.omap_get_keys(), op.get_xattrs()
    with pytest.raises(rados.LogicError, match=r"ReadOp\.read: the operation is not performed yet"):
        data.value  # noqa: B018
    with pytest.raises(rados.LogicError, match="not performed yet"):
        list(keys)
    assert repr(op) == "<ReadOp of 3 steps, not performed yet>"
    op.release()
    op.release()
    for call in (
        lambda: op.read(),
        lambda: op.set_flags(0),
        lambda: own.operate_read_op(op, "object"),
    ):
        with pytest.raises(rados.LogicError, match="released; create"):
            call()
    for result in (data, keys, attributes):
        with pytest.raises(rados.LogicError, match="released without having been performed"):
            result.value  # noqa: B018


def test_results_stay(own: rados.Ioctx) -> None:
    own.set_xattr("object", "name", b"value")
    write(own, ("omap_set", {"key": b"value"}))
    op = own.create_read_op()
    data, attributes, pairs = op.read(), op.get_xattrs(), op.omap_get_vals()
    said = op.execute("hello", "say_hello", b"you")
    own.operate_read_op(op, "object")
    own.release_read_op(op)
    op.create()
    del op
    gc.collect()
    assert (data.value, said.value) == (b"content", b"Hello, you!")
    assert (attributes.value, list(pairs)) == ({"name": b"value"}, [("key", b"value")])


def test_never_created(own: rados.Ioctx) -> None:
    for op in (rados.WriteOp(), rados.ReadOp(), rados.WriteOpCtx(own), rados.ReadOpCtx(own)):
        with pytest.raises(rados.LogicError, match=r"never created; \w+\.create"):
            op.assert_exists()
        assert repr(op) == f"<{type(op).__name__}, not created>"
        op.release()
    with pytest.raises(rados.LogicError, match=r"Ioctx\.operate_write_op of object 'object'"):
        own.operate_write_op(rados.WriteOp(), "object")


def test_context_managers(own: rados.Ioctx) -> None:
    with rados.WriteOpCtx(own) as op:
        op.append(b"1")
        own.operate_write_op(write_op=op, oid="object", mtime=0, flags=0)
    with rados.ReadOpCtx() as reading:
        data = reading.read()
        own.operate_read_op(read_op=reading, oid="object", flag=0)
    assert data.value == b"content1"
    assert isinstance(op, rados.WriteOp)
    assert isinstance(op, rados.OpCtx)
    # the block's own exception gets through, and the operation can be used for a second block
    with pytest.raises(ZeroDivisionError), op:
        op.append(b"2")
        raise ZeroDivisionError
    with op:
        op.append(b"3")
        own.operate_write_op(op, "object")
    assert own.read("object") == b"content13"


@pytest.mark.parametrize("wrong", [None, 5, "op", object(), rados.ReadOp(), rados.Ioctx], ids=repr)
def test_no_operations(own: rados.Ioctx, wrong: Any) -> None:
    with pytest.raises(TypeError, match=r"Ioctx\.operate_write_op.*must be an rbdcffi.rados.Write"):
        own.operate_write_op(wrong, "object")
    with pytest.raises(TypeError, match=r"release_write_op.*rbdcffi.rados.WriteOp, not"):
        own.release_write_op(wrong)
    if not isinstance(wrong, rados.ReadOp):
        with pytest.raises(TypeError, match=r"operate_read_op.*rbdcffi.rados.ReadOp, not"):
            own.operate_read_op(wrong, "object")


def test_not_copied() -> None:
    with rados.ReadOpCtx() as op:
        for call in (copy.copy, copy.deepcopy, pickle.dumps):
            with pytest.raises(TypeError, match="cannot be copied"):
                call(op)


def test_empty_operations(own: rados.Ioctx) -> None:
    write(own, oid="none")
    with pytest.raises(rados.ObjectNotFound):
        own.stat("none")
    check(own)


def test_closed_and_other_contexts(cluster: rados.Rados, own: rados.Ioctx) -> None:
    """A closed context takes nothing away from the operation; and any other one will do."""
    closed = own.dup()
    op = closed.create_write_op()
    op.append(b"!")
    closed.close()
    for call in (
        lambda: closed.operate_write_op(op, "object"),
        lambda: closed.create_read_op(),
        lambda: closed.set_omap(op, ["k"], [b"v"]),
        lambda: closed.cmpext("object", b""),
        lambda: closed.writesame("object", b"a", 2),
        lambda: closed.execute("object", "hello", "say_hello", b""),
    ):
        with pytest.raises(rados.IoctxStateError, match="the pool is closed"):
            call()
    own.operate_write_op(op, "object")
    closed.release_write_op(op)
    assert own.read("object") == b"content!"


def test_operation_outlives_the_connection(ceph_conf: str) -> None:
    with rados.Rados(conffile=ceph_conf) as other, other.open_ioctx("rbd") as context:
        op = context.create_read_op()
        pairs = op.omap_get_vals()
        data = context.create_read_op()
        data.read()
    op.stat()
    with pytest.raises(rados.IoctxStateError):
        context.operate_read_op(op, "object")
    op.release()
    with pytest.raises(rados.LogicError):
        list(pairs)
    del data
    gc.collect()


def test_forgotten_operations(own: rados.Ioctx) -> None:
    """With what their steps found, in cycles, before and after they were performed."""
    for performed in (False, True):
        for _ in range(50):
            op: Any = own.create_read_op()
            op.results = [op.read(), op.omap_get_vals(), op.get_xattrs(), op]
            op.results.append(op.execute("hello", "say_hello"))
            op.results[1].owner = op
            if performed:
                own.operate_read_op(op, "object")
    del op
    gc.collect()
    gc.collect()


def test_used_by_two_threads(own: rados.Ioctx) -> None:
    """Exactly one performs it; the others are told, whenever they come."""
    for _ in range(20):
        op = own.create_write_op()
        op.append(b".")
        outcomes: list[str] = []
        start = threading.Barrier(4)

        def perform(op: rados.WriteOp = op, start: Any = start, outcomes: Any = outcomes) -> None:
            start.wait()
            try:
                own.operate_write_op(op, "shared")
            except rados.LogicError as error:
                outcomes.append("late" if "being performed" in str(error) else "later")
            else:
                outcomes.append("done")

        threads = [threading.Thread(target=perform) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert outcomes.count("done") == 1
        assert len(outcomes) == 4
    assert own.read("shared") == b"." * 20


def test_steps_of_many_threads(own: rados.Ioctx) -> None:
    op = own.create_write_op()
    threads = [
        threading.Thread(target=lambda: [op.append(b"x") for _ in range(200)]) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    own.operate_write_op(op, "many")
    assert own.stat("many")[0] == 1600


# -- a cluster that does not answer ------------------------------------------------------------


def test_given_up_and_released_while_performed() -> None:
    """The OSD answers when nobody waits any more, and the memory is somebody else's."""
    with Cluster() as own, rados.Rados(conffile=own.conf, op_timeout=1) as connection:
        context = connection.open_ioctx("rbd")
        context.write_full("object", b"x" * 100000)
        write(context, ("omap_set", {str(i): b"v" * 100 for i in range(1000)}))
        own.osds[0].pause()
        results = []
        outcomes: list[object] = []

        def perform(op: rados.ReadOp) -> None:
            try:
                context.operate_read_op(op, "object")
            except rados.TimedOut as error:
                outcomes.append(error.errno)

        operations = [context.create_read_op() for _ in range(4)]
        threads = []
        for op in operations:
            results += [op.read(100000), op.omap_get_vals(), op.get_xattrs(), op.stat()]
            threads.append(threading.Thread(target=perform, args=(op,)))
        for thread in threads:
            thread.start()
        time.sleep(0.3)
        for op in operations:
            op.release()
            with pytest.raises(rados.LogicError, match="released"):
                op.read()
        with pytest.raises(rados.LogicError, match="not performed yet"):
            results[0].value  # noqa: B018
        for thread in threads:
            thread.join()
        assert outcomes == [errno.ETIMEDOUT] * 4
        for result in results:
            with pytest.raises(rados.TimedOut):
                result.value  # noqa: B018
        del results, operations, op, result
        gc.collect()
        own.osds[0].resume()
        assert context.read("object", 10) == b"x" * 10
        with rados.ReadOpCtx() as again:
            pairs = again.omap_get_vals()
            context.operate_read_op(again, "object")
        assert len(pairs) == 1000
        context.close()


# -- single steps ------------------------------------------------------------------------------


def test_execute(own: rados.Ioctx) -> None:
    assert own.execute("object", "hello", "say_hello", b"you") == (11, b"Hello, you!")
    assert own.execute("object", "hello", "say_hello", bytearray(b"me"), 10) == (10, b"Hello, me!")
    assert own.execute("new", "hello", "record_hello", b"you") == (0, b"")
    with pytest.raises(rados.OSError, match=r"execute\('hello', 'say_hello'\) of object") as caught:
        own.execute("object", "hello", "say_hello", b"you", length=10)
    assert caught.value.errno == errno.ERANGE
    with pytest.raises(rados.OSError) as caught:
        own.execute("object", "none", "say_hello", b"you")
    assert caught.value.errno == errno.EOPNOTSUPP
    with pytest.raises(rados.ObjectNotFound):
        own.execute("none", "hello", "replay", b"")


def test_cmpext(own: rados.Ioctx) -> None:
    assert own.cmpext("object", b"content") == 0
    assert own.cmpext("object", memoryview(b"tent"), offset=3) == 0
    assert own.cmpext("object", b"cOntent") == -4096
    # behind the end there are zeroes
    assert own.cmpext("object", b"t\0\0", 6) == 0
    assert own.cmpext("object", b"t\0x", 6) == -4097
    with pytest.raises(rados.ObjectNotFound, match=r"Ioctx\.cmpext of object 'none'"):
        own.cmpext("none", b"x")


def test_writesame(own: rados.Ioctx) -> None:
    assert own.writesame("object", b"ab", 8, 1) is None
    assert own.read("object") == b"cabababab"
    own.writesame("object", bytearray(b"x"), write_len=2)
    assert own.read("object") == b"xxbababab"
    with pytest.raises(rados.InvalidArgumentError, match=r"Ioctx\.writesame of object 'object'"):
        own.writesame("object", b"ab", 7)


WRONG_STEPS: list[tuple[str, Step, type[Exception], str]] = [
    ("WriteOp", ("append", "text"), TypeError, "encode"),
    ("WriteOp", ("write", b"x", -1), OverflowError, "offset"),
    ("WriteOp", ("write", b"x", "1"), TypeError, "offset"),
    ("WriteOp", ("write_full", None), TypeError, "to_write"),
    ("WriteOp", ("writesame", b"x", -1), OverflowError, "write_len"),
    ("WriteOp", ("zero", -1, 1), OverflowError, "offset"),
    ("WriteOp", ("truncate", 1 << 64), OverflowError, "offset"),
    ("WriteOp", ("new", "x"), TypeError, "exclusive"),
    ("WriteOp", ("set_xattr", 5, b""), TypeError, "xattr_name"),
    ("WriteOp", ("set_xattr", "x", "text"), TypeError, "xattr_value"),
    ("WriteOp", ("rm_xattr", "a\0b"), TypeError, "NUL"),
    ("WriteOp", ("execute", 5, "m", b""), TypeError, "cls"),
    ("WriteOp", ("execute", "c", None, b""), TypeError, "method"),
    ("WriteOp", ("set_alloc_hint", 1, -1), OverflowError, "expected_write_size"),
    ("WriteOp", ("assert_version", -1), OverflowError, "version"),
    ("WriteOp", ("cmpext", "text"), TypeError, "cmp_buf"),
    ("WriteOp", ("cmpxattr", "x", b"", 256), OverflowError, "cmp_op"),
    ("ReadOp", ("read", -1), OverflowError, "length"),
    ("ReadOp", ("read", 1, None), TypeError, "offset"),
    ("ReadOp", ("checksum", "x", 1), TypeError, "checksum_type"),
    ("ReadOp", ("cmpext", b"", -1), OverflowError, "offset"),
]


@pytest.mark.parametrize(("kind", "step", "error", "match"), WRONG_STEPS)
def test_wrong_arguments(kind: str, step: Step, error: type[Exception], match: str) -> None:
    op = getattr(rados, kind)().create()
    name, *args = step
    with pytest.raises(error, match=rf"^{kind}\.{name}: .*{match}"):
        getattr(op, name)(*args)
    assert "of 0 steps" in repr(op)


def test_wrong_names(own: rados.Ioctx) -> None:
    op = own.create_write_op()
    for wrong in (None, 5, "a\0b"):
        with pytest.raises(TypeError, match=r"Ioctx\.operate_write_op.*oid"):
            own.operate_write_op(op, wrong)  # type: ignore[arg-type]
    # and it was not performed
    own.operate_write_op(op, b"object")  # type: ignore[arg-type]


# -- with callbacks ----------------------------------------------------------------------------


def test_with_callbacks(own: rados.Ioctx) -> None:
    called: list[Any] = []
    with rados.WriteOpCtx() as op:
        op.write_full(b"by callback")
        op.omap_set({"key": b"value"})
        done = own.operate_aio_write_op(
            op,
            "object",
            lambda completion: called.append(("complete", completion.get_return_value())),
            lambda completion: called.append(("safe", completion.is_safe())),
            mtime_ns=1_600_000_000 * NS,
        )
    # released, but not before it is over
    assert done.wait_for_complete_and_cb() == 0
    assert called == [("complete", 0), ("safe", True)]
    with rados.ReadOpCtx() as reading:
        data, stat = reading.read(), reading.stat()
        values, _ = own.get_omap_vals(reading, "", "", 10)
        done = own.operate_aio_read_op(reading, "object")
        done.wait_for_complete()
        # without a callback, too, and before anybody is told
        assert data.value == b"by callback" and dict(values) == {"key": b"value"}
        assert stat.value[0] == 11
        if _ffi.loaded_version() >= (1, 13):
            assert time.mktime(stat.value[1]) == 1_600_000_000


def test_nothing_with_callbacks(own: rados.Ioctx) -> None:
    """librados never answers an operation without steps."""
    for op, start in (
        (rados.ReadOp(), own.operate_aio_read_op),
        (rados.WriteOp(), own.operate_aio_write_op),
    ):
        called: list[Any] = []
        done = start(op.create(), "nothing", called.append)  # type: ignore[operator]
        done.wait_for_complete_and_cb()
        assert (done.get_return_value(), called) == (0, [done])
    with pytest.raises(rados.ObjectNotFound):
        own.stat("nothing")


def test_comparisons_with_callbacks(own: rados.Ioctx) -> None:
    with rados.ReadOpCtx() as op:
        op.cmpext(b"conTent")
        data = op.read()
        done = own.operate_aio_read_op(op, "object")
        done.wait_for_complete_and_cb()
    assert done.get_return_value() == -4095 - 3
    with pytest.raises(rados.ExtendMismatch) as caught:
        data.value  # noqa: B018
    assert caught.value.offset == 3
    with rados.WriteOpCtx() as op:
        op.assert_exists()
        done = own.operate_aio_write_op(op, "none")
        done.wait_for_complete_and_cb()
    assert done.get_return_value() == -errno.ENOENT


def test_wrong_use_with_callbacks(cluster: rados.Rados, own: rados.Ioctx) -> None:
    with rados.WriteOpCtx() as op:
        op.append(b"!")
        for wrong in (
            lambda: own.operate_aio_write_op(op, "object", 5),  # type: ignore[arg-type]
            lambda: own.operate_aio_write_op(op, 5),  # type: ignore[arg-type]
            lambda: own.operate_aio_write_op(None, "object"),  # type: ignore[arg-type]
            lambda: own.operate_aio_read_op(op, "object"),  # type: ignore[arg-type]
        ):
            with pytest.raises(TypeError, match="operate_aio"):
                wrong()
        closed = cluster.open_ioctx(own.name)
        closed.close()
        with pytest.raises(rados.IoctxStateError):
            closed.operate_aio_write_op(op, "object")
        # nothing of this was the operation's end
        own.operate_aio_write_op(op, "object").wait_for_complete()
        with pytest.raises(rados.LogicError, match="performed"):
            own.operate_aio_write_op(op, "object")
    assert own.read("object") == b"content!"


def test_closing_beside_operations(cluster: rados.Rados, own: rados.Ioctx) -> None:
    other = cluster.open_ioctx(own.name)
    other.set_namespace(own.get_namespace())
    started = []
    for i in range(200):
        op = rados.WriteOp().create()
        op.append(b"%03d" % i)
        started.append(other.operate_aio_write_op(op, "appended"))
        del op
    other.close()
    for one in started:
        one.wait_for_complete_and_cb()
    assert [one.get_return_value() for one in started] == [0] * 200
    assert own.stat("appended")[0] == 600
