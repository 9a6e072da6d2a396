"""The key/value maps of objects: keys of any bytes, listings in parts, ranges."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from rbdcffi import _ffi, rados

needs_ranges = pytest.mark.skipif(
    not _ffi.has("rados_write_op_omap_rm_range2"), reason="needs Ceph 16"
)


@pytest.fixture
def own(cluster: rados.Rados, ioctx: rados.Ioctx, fresh_name: str) -> Iterator[rados.Ioctx]:
    """A context of the test's own, in a namespace of its own."""
    with cluster.open_ioctx(ioctx.name) as context:
        context.set_namespace(f"space-{fresh_name}")
        yield context


def fill(own: rados.Ioctx, pairs: Any, oid: str = "object") -> None:
    with rados.WriteOpCtx() as op:
        op.omap_set(pairs)
        own.operate_write_op(op, oid)


def listed(own: rados.Ioctx, *args: Any, oid: str = "object", **kwargs: Any) -> Any:
    with rados.ReadOpCtx() as op:
        found = op.omap_get_vals(*args, **kwargs)
        own.operate_read_op(op, oid)
    return found


# -- as programs for the standard binding have it ----------------------------------------------


def test_through_the_context(own: rados.Ioctx) -> None:
    with rados.WriteOpCtx(own) as op:
        assert own.set_omap(op, ("a", "b", b"c", "d"), (b"1", "text", bytearray(b"3"), b"")) is None
        own.operate_write_op(op, "object")
    with rados.ReadOpCtx(own) as reading:
        pairs, result = own.get_omap_vals(reading, "", "", -1)
        assert result == 0
        keys, result = own.get_omap_keys(reading, "a", 2)
        assert result == 0
        some, result = own.get_omap_vals_by_keys(reading, ["d", b"b", "none"])
        assert result == 0
        own.operate_read_op(reading, "object", flag=rados.LIBRADOS_OPERATION_BALANCE_READS)
    assert isinstance(pairs, rados.OmapIterator)
    assert list(pairs) == [("a", b"1"), ("b", b"text"), ("c", b"3"), ("d", b"")]
    assert list(pairs) == []
    assert list(keys) == [("b", None), ("c", None)]
    assert list(some) == [("b", b"text"), ("d", b"")]
    with rados.WriteOpCtx() as op:
        assert own.remove_omap_keys(op, ("a", b"d", "none")) is None
        own.operate_write_op(op, "object")
    assert listed(own).value == [("b", b"text"), ("c", b"3")]
    with rados.WriteOpCtx() as op:
        assert own.clear_omap(op) is None
        own.operate_write_op(op, "object")
    assert listed(own).value == []


@needs_ranges
def test_range_through_the_context(own: rados.Ioctx) -> None:
    fill(own, dict.fromkeys("abcde", b""))
    with rados.WriteOpCtx() as op:
        assert own.remove_omap_range2(op, "b", b"d") is None
        own.operate_write_op(op, "object")
    assert [key for key, _ in listed(own)] == ["a", "d", "e"]


def test_different_numbers(own: rados.Ioctx) -> None:
    with rados.WriteOpCtx() as op:
        with pytest.raises(rados.Error, match=r"Ioctx\.set_omap of pool .*2 keys, but 1 values"):
            own.set_omap(op, ("a", "b"), (b"1",))
        assert "of 0 steps" in repr(op)


# -- keys and values ---------------------------------------------------------------------------

KEYS = [b"", b"\0", b"a", b"a\0", b"a\0b", b"a\xff", "é".encode(), b"z" * 1000]


def test_keys_of_any_bytes(own: rados.Ioctx) -> None:
    # listings begin behind '', so that one is not listed
    keys = [key for key in KEYS if key]
    fill(own, {key: key * 2 for key in keys})
    found = listed(own, omap_key_type=bytes)
    assert found.value == sorted((key, key * 2) for key in keys)
    # those that are no UTF-8 survive the way to str and back
    names = [key for key, _ in listed(own)]
    assert names == [key.decode("utf-8", "surrogateescape") for key in sorted(keys)]
    with rados.ReadOpCtx() as op:
        some = op.omap_get_vals_by_keys(names[::2], omap_key_type=bytes)
        own.operate_read_op(op, "object")
    assert [key for key, _ in some] == sorted(keys)[::2]
    with rados.WriteOpCtx() as writing:
        writing.omap_cmp(b"a\0b", b"a\0ba\0b")
        writing.omap_rm_keys([b"a\0b", names[-1], bytearray(b"\0")])
        own.operate_write_op(writing, "object")
    left = [key for key, _ in listed(own, omap_key_type=bytes)]
    assert left == sorted(set(keys) - {b"a\0b", sorted(keys)[-1], b"\0"})


def test_types_of_keys(own: rados.Ioctx) -> None:
    fill(own, {"1": b"one", "2": b"two"})
    assert listed(own, omap_key_type=int).value == [(1, b"one"), (2, b"two")]
    assert list(listed(own, omap_key_type=bytearray)) == [
        (bytearray(b"1"), b"one"),
        (bytearray(b"2"), b"two"),
    ]
    fill(own, {"x": b""})
    found = listed(own, omap_key_type=int)
    assert next(found) == (1, b"one")
    assert next(found) == (2, b"two")
    with pytest.raises(ValueError, match="invalid literal"):
        next(found)
    with rados.ReadOpCtx() as op, pytest.raises(TypeError, match="omap_key_type must be callable"):
        op.omap_get_keys(omap_key_type=5)  # type: ignore[arg-type]


def test_values(own: rados.Ioctx) -> None:
    value = bytearray(b"before")
    with rados.WriteOpCtx() as op:
        op.omap_set([("a", value), ("b", memoryview(b"view")), ("c", "é"), ("d", b"\0" * 100000)])
        value[:] = b"behind"
        own.operate_write_op(op, "object")
    assert listed(own).value == [
        ("a", b"before"),
        ("b", b"view"),
        ("c", "é".encode()),
        ("d", b"\0" * 100000),
    ]
    assert all(type(value) is bytes for _, value in listed(own))


def test_setting_again_and_nothing(own: rados.Ioctx) -> None:
    fill(own, {"a": b"1", "b": b"2"})
    fill(own, iter([("a", b"3")]))
    fill(own, {})
    with rados.WriteOpCtx() as op:
        op.omap_rm_keys([])
        own.operate_write_op(op, "object")
    assert dict(listed(own)) == {"a": b"3", "b": b"2"}
    with rados.ReadOpCtx() as reading:
        none = reading.omap_get_vals_by_keys([])
        own.operate_read_op(reading, "object")
    assert list(none) == []


def test_order_of_steps(own: rados.Ioctx) -> None:
    fill(own, {"old": b""})
    with rados.WriteOpCtx() as op:
        op.omap_clear()
        op.omap_set({"a": b"1", "b": b"2"})
        op.omap_rm_keys(["a"])
        own.operate_write_op(op, "object")
    assert listed(own).value == [("b", b"2")]


def test_without_a_map(own: rados.Ioctx) -> None:
    own.write_full("object", b"data")
    assert listed(own).value == []
    with pytest.raises(rados.ObjectNotFound, match="operate_read_op of object 'none'"):
        listed(own, oid="none")


# -- listings ----------------------------------------------------------------------------------


def test_in_parts(own: rados.Ioctx) -> None:
    names = [f"key-{i:04}" for i in range(2500)]
    fill(own, dict.fromkeys(names, b"v"))
    found: list[str] = []
    after, more, rounds = "", True, 0
    while more:
        part = listed(own, after, max_return=700)
        found += [key for key, _ in part]
        after, more, rounds = found[-1], part.more, rounds + 1
    assert found == names
    assert rounds == 4
    # the cluster has a limit, too, which is higher before Ceph 16
    most = listed(own)
    assert 0 < len(most) <= 2500
    assert most.more == (len(most) < 2500)


def test_shown_in_short(own: rados.Ioctx) -> None:
    fill(own, {f"key-{i}": b"v" * 1000 for i in range(500)})
    found = listed(own)
    assert len(repr(found)) < 500
    assert "b'key-0'" in repr(found)


def test_from_and_prefix(own: rados.Ioctx) -> None:
    fill(own, dict.fromkeys(["a1", "a2", "b1", "b2", "c"], b""))
    for args, expected in {
        ("a2",): ["b1", "b2", "c"],
        ("", "b"): ["b1", "b2"],
        ("b1", "b"): ["b2"],
        ("b2", None): ["c"],
        (None, "c"): ["c"],
        ("", "none"): [],
        (b"b1", b"b", 5): ["b2"],
        ("", "", 2): ["a1", "a2"],
        ("", "", 0): [],
    }.items():
        found = listed(own, *args)
        assert [key for key, _ in found] == expected
        assert len(found) == len(expected)
        assert found.more == (args[2:] in ((2,), (0,)))
    with rados.ReadOpCtx() as op:
        keys = op.omap_get_keys("a2", 2)
        rest = op.omap_get_keys("b2")
        own.operate_read_op(op, "object")
    assert (keys.value, keys.more) == ([("b1", None), ("b2", None)], True)
    assert (rest.value, rest.more) == ([("c", None)], False)


@needs_ranges
def test_ranges(own: rados.Ioctx) -> None:
    fill(own, {bytes([i]): b"" for i in range(1, 20)})

    def left(begin: Any, end: Any) -> list[int]:
        with rados.WriteOpCtx() as op:
            op.omap_rm_range(begin, end)
            own.operate_write_op(op, "object")
        return [key[0] for key, _ in listed(own, omap_key_type=bytes)]

    assert left(b"\x05", b"\x08") == [1, 2, 3, 4, *range(8, 20)]
    assert left(b"\x08", b"\x08") == [1, 2, 3, 4, *range(8, 20)]
    # an OSD does not survive this everywhere
    assert left(b"\x0f", b"\x0a") == [1, 2, 3, 4, *range(8, 20)]
    assert left(b"", b"\x0f") == [*range(15, 20)]
    assert left("\x10", "\x7f") == [15]


def test_ranges_are_absent_where_librados_lacks_them() -> None:
    there = _ffi.has("rados_write_op_omap_rm_range2")
    assert hasattr(rados.Ioctx, "remove_omap_range2") == there
    assert hasattr(rados.WriteOp, "omap_rm_range") == there


# -- wrong arguments ---------------------------------------------------------------------------


def test_wrong_keys_and_values(own: rados.Ioctx) -> None:
    writing, reading = own.create_write_op(), own.create_read_op()
    calls: dict[str, Any] = {
        r"Ioctx\.set_omap.*keys must be a sequence": lambda: own.set_omap(
            writing, "ab", [b"", b""]
        ),
        r"Ioctx\.set_omap.*keys\[1\] must be a str": lambda: own.set_omap(
            writing,
            ["a", 5],  # type: ignore[list-item]
            [b"", b""],
        ),
        r"Ioctx\.set_omap.*values\[0\] must be bytes-like": lambda: own.set_omap(
            writing, ["a"], [5]
        ),
        r"Ioctx\.set_omap.*write_op must be": lambda: own.set_omap(reading, ["a"], [b""]),  # type: ignore[arg-type]
        r"Ioctx\.remove_omap_keys.*keys must": lambda: own.remove_omap_keys(writing, "ab"),
        r"Ioctx\.clear_omap.*write_op must be": lambda: own.clear_omap(None),  # type: ignore[arg-type]
        r"Ioctx\.get_omap_vals.*start_after.*NUL": lambda: own.get_omap_vals(reading, "a\0", "", 1),
        r"Ioctx\.get_omap_vals.*filter_prefix": lambda: own.get_omap_vals(reading, "", 5, 1),  # type: ignore[arg-type]
        r"Ioctx\.get_omap_keys.*max_return": lambda: own.get_omap_keys(reading, "", "1"),  # type: ignore[arg-type]
        r"get_omap_vals_by_keys.*read_op": lambda: own.get_omap_vals_by_keys(writing, []),  # type: ignore[arg-type]
        r"WriteOp\.omap_set: pairs\[0\]": lambda: writing.omap_set(["ab"]),  # type: ignore[list-item]
        r"WriteOp\.omap_set: pairs must be a seq": lambda: writing.omap_set("ab"),  # type: ignore[arg-type]
        r"WriteOp\.omap_set: keys\[0\] '.*' cannot be encoded": lambda: writing.omap_set(
            {"\ud800": b""}
        ),
        r"WriteOp\.omap_cmp: key must be": lambda: writing.omap_cmp(5, b""),  # type: ignore[arg-type]
        r"ReadOp\.omap_cmp: val must be": lambda: reading.omap_cmp("k", 5),
    }
    for match, call in calls.items():
        with pytest.raises(TypeError, match=match):
            call()
    with pytest.raises(OverflowError, match="max_return"):
        own.get_omap_keys(reading, "", 1 << 63)
    assert "of 0 steps" in repr(writing)
    assert "of 0 steps" in repr(reading)
