"""I/O contexts and objects: I/O, attributes, namespaces, locators, listing."""

from __future__ import annotations

import errno
import gc
import time
from collections.abc import Iterator
from typing import Any

import pytest

from rbdcffi import rados

BAD_NAMES: list[Any] = [5, None, 1.5, bytearray(b"x"), "a\0b", "\ud800"]


@pytest.fixture
def own(cluster: rados.Rados, ioctx: rados.Ioctx, fresh_name: str) -> Iterator[rados.Ioctx]:
    """A context of the test's own, in a namespace of its own."""
    with cluster.open_ioctx(ioctx.name) as context:
        context.set_namespace(f"space-{fresh_name}")
        yield context


def listed(context: rados.Ioctx) -> list[str]:
    return sorted(found.key for found in context.list_objects())


# -- I/O ---------------------------------------------------------------------------------------


def test_write_and_read(own: rados.Ioctx) -> None:
    assert own.write("object", b"hello") == 0
    assert own.write("object", b"XY", 2) == 0
    assert own.write("object", b"!", offset=7) == 0
    assert own.read("object") == b"heXYo\0\0!"
    assert own.read("object", 3) == b"heX"
    assert own.read("object", 1, 4) == b"o"
    assert own.read("object", length=100, offset=6) == b"\0!"
    assert own.read("object", 10, 100) == b""
    assert type(own.read("object", 2)) is bytes
    assert own.write_full("object", b"new") == 0
    assert own.append("object", b"er") == 0
    assert own.read("object") == b"newer"
    assert own.trunc("object", 2) == 0
    assert own.read("object") == b"ne"
    assert own.trunc("object", 4) == 0
    assert own.read("object") == b"ne\0\0"
    assert own.remove_object("object") is True
    with pytest.raises(rados.ObjectNotFound):
        own.read("object")


def test_default_length(own: rados.Ioctx) -> None:
    own.write_full("object", b"x" * 10000)
    assert own.read("object") == b"x" * 8192
    assert own.read("object", 10000) == b"x" * 10000


def test_stat(own: rados.Ioctx) -> None:
    before = int(time.time())
    own.write_full("object", b"12345")
    size, changed = own.stat("object")
    assert size == 5
    assert type(changed) is time.struct_time
    assert before - 2 <= time.mktime(changed) <= time.time() + 2


@pytest.mark.parametrize("name", ["dots.and spaces", "a/b", "é漢字\U0001f600", "n" * 300])
def test_names(own: rados.Ioctx, name: str) -> None:
    own.write_full(name, b"data")
    assert own.read(name) == b"data"
    assert listed(own) == [name]
    own.set_xattr(name, "é", b"value")
    assert dict(own.get_xattrs(name)) == {"é": b"value"}


@pytest.mark.parametrize("name", BAD_NAMES, ids=repr)
def test_bad_names(own: rados.Ioctx, name: Any) -> None:
    own.write_full("object", b"")
    for call in (
        lambda: own.write(name, b""),
        lambda: own.write_full(name, b""),
        lambda: own.append(name, b""),
        lambda: own.read(name),
        lambda: own.trunc(name, 1),
        lambda: own.stat(name),
        lambda: own.remove_object(name),
        lambda: own.get_xattr(name, "x"),
        lambda: own.get_xattrs(name),
        lambda: own.set_xattr(name, "x", b""),
        lambda: own.rm_xattr(name, "x"),
        lambda: own.get_xattr("object", name),
        lambda: own.set_xattr("object", name, b""),
        lambda: own.rm_xattr("object", name),
    ):
        with pytest.raises(TypeError, match=r"key|oid|xattr_name"):
            call()
    assert listed(own) == ["object"]


def test_missing_object(own: rados.Ioctx) -> None:
    for call, run in {
        "read(0~8192)": lambda: own.read("nope"),
        "stat": lambda: own.stat("nope"),
        "remove_object": lambda: own.remove_object("nope"),
        "get_xattr('x')": lambda: own.get_xattr("nope", "x"),
        "get_xattrs": lambda: own.get_xattrs("nope"),
    }.items():
        with pytest.raises(rados.ObjectNotFound) as caught:
            run()
        text = str(caught.value)
        assert f"Ioctx.{call} of object 'nope' in pool 'rbd/{own.nspace}'" in text
        assert "No such file or directory" in text
        assert caught.value.errno == errno.ENOENT
        assert isinstance(caught.value, FileNotFoundError)


def test_impossible_numbers(own: rados.Ioctx) -> None:
    own.write_full("object", b"data")
    for call in (
        lambda: own.write("object", b"x", -1),
        lambda: own.read("object", 5, -1),
        lambda: own.trunc("object", -1),
        lambda: own.read("object", 5, 2**64),
    ):
        with pytest.raises(OverflowError):
            call()
    with pytest.raises((OverflowError, ValueError)):
        own.read("object", -1)
    for call in (
        lambda: own.write("object", b"x", "0"),  # type: ignore[arg-type]
        lambda: own.read("object", "5"),  # type: ignore[arg-type]
        lambda: own.trunc("object", 1.5),  # type: ignore[arg-type]
    ):
        with pytest.raises(TypeError):
            call()
    with pytest.raises(rados.OSError, match="File too large") as caught:
        own.write("object", b"x", 2**40)
    assert caught.value.errno == errno.EFBIG
    with pytest.raises(rados.InvalidArgumentError):
        own.write_full("", b"x")
    assert own.read("object") == b"data"


# -- attributes --------------------------------------------------------------------------------


def test_xattrs(own: rados.Ioctx) -> None:
    own.write_full("object", b"")
    assert list(own.get_xattrs("object")) == []
    values = {"a": b"1", "empty": b"", "binary": bytes(range(256)), "large": b"x" * 10000}
    for name, value in values.items():
        assert own.set_xattr("object", name, value) is True
    assert {name: own.get_xattr("object", name) for name in values} == values
    found = own.get_xattrs("object")
    assert type(found) is rados.XattrIterator and iter(found) is found
    assert own.rm_xattr("object", "a") is True
    assert dict(found) == values  # as they were at the start
    del values["a"]
    assert dict(own.get_xattrs("object")) == values
    with pytest.raises(rados.NoData, match=r"Ioctx\.get_xattr\('a'\) of object 'object'") as caught:
        own.get_xattr("object", "a")
    assert caught.value.errno == errno.ENODATA


# -- namespaces and locators -------------------------------------------------------------------


def test_namespaces(cluster: rados.Rados, ceph_pool: str) -> None:
    with cluster.open_ioctx(ceph_pool) as context:
        assert context.get_namespace() == context.nspace == ""
        for space in ("", "one", "zwei-ü"):
            context.set_namespace(space)
            assert context.get_namespace() == context.nspace == space
            context.write_full("object", space.encode())
            context.write_full(f"only-{space}", b"")
        context.set_namespace("one")
        assert context.read("object") == b"one"
        assert listed(context) == ["object", "only-one"]
        context.set_namespace(rados.LIBRADOS_ALL_NSPACES)
        found = list(context.list_objects())
        assert sorted((one.nspace, one.key) for one in found) == [
            ("", "object"),
            ("", "only-"),
            ("one", "object"),
            ("one", "only-one"),
            ("zwei-ü", "object"),
            ("zwei-ü", "only-zwei-ü"),
        ]
        # each knows where it is, whatever the context selects
        assert {one.nspace: one.read() for one in found if one.key == "object"} == {
            "": b"",
            "one": b"one",
            "zwei-ü": "zwei-ü".encode(),
        }
        context.set_namespace(None)  # type: ignore[arg-type]
        assert context.get_namespace() == ""


def test_locator(own: rados.Ioctx) -> None:
    assert own.get_locator_key() == ""
    own.set_locator_key("there")
    assert own.get_locator_key() == own.locator_key == "there"
    own.write_full("object", b"data")
    own.set_locator_key(None)
    assert own.get_locator_key() == ""
    own.write_full("plain", b"")
    found = {one.key: one for one in own.list_objects()}
    assert found["object"].locator_key == "there" and found["plain"].locator_key is None
    assert found["object"].read() == b"data"
    own.set_locator_key("there")
    assert own.read("object") == b"data"


def test_dup(own: rados.Ioctx) -> None:
    own.set_locator_key("there")
    with own.dup() as other:
        assert other is not own
        assert (other.name, other.nspace, other.locator_key) == (own.name, own.nspace, "there")
        other.write_full("object", b"data")
        other.set_namespace("elsewhere")
        other.set_locator_key(None)
    assert own.read("object") == b"data"
    assert own.nspace.startswith("space-")


@pytest.mark.parametrize("value", [5, "a\0b", "\ud800", 1.5])
def test_bad_places(own: rados.Ioctx, value: Any) -> None:
    before = own.nspace
    with pytest.raises(TypeError, match="nspace"):
        own.set_namespace(value)
    with pytest.raises(TypeError, match="loc_key"):
        own.set_locator_key(value)
    with pytest.raises(TypeError, match="snap_id"):
        own.set_read(str(value))  # type: ignore[arg-type]
    assert (own.nspace, own.locator_key) == (before, "")


# -- facts -------------------------------------------------------------------------------------


def test_facts(cluster: rados.Rados, own: rados.Ioctx) -> None:
    assert own.get_pool_name() == own.name == "rbd"
    assert own.get_pool_id() == cluster.pool_lookup("rbd")
    assert own.alignment() is None
    own.write_full("object", b"data")
    first = own.get_last_version()
    own.write_full("object", b"more")
    assert own.get_last_version() > first > 0
    own.set_read(rados.LIBRADOS_SNAP_HEAD)
    assert own.read("object") == b"more"
    stats = own.get_stats()
    assert {"num_bytes", "num_kb", "num_objects", "num_rd", "num_wr_kb"} <= set(stats)
    assert all(type(value) is int for value in stats.values())


# -- listing -----------------------------------------------------------------------------------


def test_listing(own: rados.Ioctx) -> None:
    assert listed(own) == []
    expected = [f"object-{number:03}" for number in range(150)]
    for name in expected:
        own.write_full(name, b"")
    assert listed(own) == expected
    objects = own.list_objects()
    assert type(objects) is rados.ObjectIterator and iter(objects) is objects
    one = next(objects)
    assert type(one) is rados.Object and one.ioctx is own and one.nspace == own.nspace
    assert len(list(objects)) == 149
    with pytest.raises(StopIteration):
        next(objects)


def test_context_closed_while_listing(own: rados.Ioctx) -> None:
    for number in range(5):
        own.write_full(f"object-{number}", b"")
    context = own.dup()
    objects = context.list_objects()
    next(objects)
    context.close()
    for _ in range(2):
        with pytest.raises(rados.IoctxStateError, match="closed"):
            next(objects)
    with pytest.raises(rados.IoctxStateError, match=r"Ioctx\.list_objects"):
        context.list_objects()


def test_listing_that_is_given_up(own: rados.Ioctx) -> None:
    own.write_full("object", b"")
    for _ in range(20):
        next(own.list_objects())
    gc.collect()
    assert listed(own) == ["object"]


# -- Object ------------------------------------------------------------------------------------


def test_object(own: rados.Ioctx) -> None:
    thing = rados.Object(own, "object", nspace=own.nspace)
    assert thing.write(b"hello ") == 0
    assert thing.write(memoryview(b"world")) == 0
    assert thing.offset == 11
    thing.seek(3)
    assert thing.read(4) == b"lo w"
    assert thing.read() == b"orld"
    assert thing.read() == b""
    assert thing.stat()[0] == 11
    assert thing.set_xattr("a", b"1") is True
    assert thing.get_xattr("a") == b"1"
    assert list(thing.get_xattrs()) == [("a", b"1")]
    assert thing.rm_xattr("a") is True
    assert "object" in repr(thing)
    thing.remove()
    for call in (
        lambda: thing.read(),
        lambda: thing.write(b""),
        lambda: thing.stat(),
        lambda: thing.seek(0),
        lambda: thing.remove(),
        lambda: thing.get_xattrs(),
        thing.require_object_exists,
    ):
        with pytest.raises(rados.ObjectStateError, match="'object' is removed"):
            call()
    assert listed(own) == []


def test_object_of_the_default_namespace(own: rados.Ioctx, fresh_name: str) -> None:
    before = own.nspace
    thing = rados.Object(own, fresh_name)
    thing.write(b"data")
    assert own.nspace == before and listed(own) == []
    thing.seek(0)
    assert thing.read() == b"data"
    thing.remove()


# -- closed ------------------------------------------------------------------------------------


def test_closed(own: rados.Ioctx) -> None:
    context = own.dup()
    assert context.state == "open" and "open" in repr(context)
    context.require_ioctx_open()
    context.close()
    context.close()
    assert context.state == "closed" and "closed" in repr(context)
    for call, arguments in {
        "require_ioctx_open": (),
        "read": ("x",),
        "write": ("x", b""),
        "write_full": ("x", b""),
        "append": ("x", b""),
        "trunc": ("x", 0),
        "stat": ("x",),
        "remove_object": ("x",),
        "get_xattr": ("x", "y"),
        "set_xattr": ("x", "y", b""),
        "rm_xattr": ("x", "y"),
        "get_xattrs": ("x",),
        "list_objects": (),
        "dup": (),
        "set_namespace": ("x",),
        "get_namespace": (),
        "set_locator_key": ("x",),
        "get_locator_key": (),
        "set_read": (1,),
        "get_pool_id": (),
        "get_pool_name": (),
        "get_last_version": (),
        "get_stats": (),
        "alignment": (),
    }.items():
        with pytest.raises(rados.IoctxStateError, match="closed"):
            getattr(context, call)(*arguments)


def test_constructor(cluster: rados.Rados) -> None:
    with rados.Ioctx(cluster, "rbd") as context:
        assert context.name == "rbd" and context.rados is cluster
        context.get_pool_id()
    assert context.state == "closed"


def test_unclosed_warns(cluster: rados.Rados) -> None:
    with pytest.warns(ResourceWarning, match="unclosed Ioctx .*rbd"):
        context = cluster.open_ioctx("rbd")
        del context
        gc.collect()
    cluster.open_ioctx("rbd").close()


def test_writing_nothing_behind_the_end(ioctx: rados.Ioctx, fresh_name: str) -> None:
    """OSDs before Ceph 18 spoil the object's checksum then, and reads hang."""
    ioctx.write_full(fresh_name, b"content")
    ioctx.write(fresh_name, b"", 4096)
    ioctx.aio_write(fresh_name, b"", 8192).wait_for_complete_and_cb()
    assert ioctx.read(fresh_name) == b"content"
    ioctx.write(f"{fresh_name}-new", b"", 5)
    assert ioctx.read(f"{fresh_name}-new") == b""


def test_lengths_that_cannot_be(ioctx: rados.Ioctx, fresh_name: str) -> None:
    ioctx.write_full(fresh_name, b"abc")
    what = rf"of object '{fresh_name}' in pool '{ioctx.name}'"
    for length in (1 << 63, 1 << 64):
        with pytest.raises(OverflowError, match=rf"^Ioctx\.read {what}: length must be"):
            ioctx.read(fresh_name, length)
        with pytest.raises(OverflowError, match=rf"^Ioctx\.aio_read {what}: length must be"):
            ioctx.aio_read(fresh_name, length, 0, lambda *args: None)
    whole = 1 << 62
    for call, *args in (
        (ioctx.read, whole),
        (ioctx.aio_read, whole, 0),
        (ioctx.aio_execute, "hello", "say_hello", b"", whole),
        (ioctx.execute, "hello", "say_hello", b"", whole),
    ):
        name = call.__name__
        with pytest.raises(MemoryError, match=rf"^Ioctx\.{name} .*{what}: no memory for {whole}"):
            call(fresh_name, *args)  # type: ignore[operator]
    with pytest.raises(MemoryError, match=rf"^Ioctx\.aio_getxattr {what}: no memory for {whole}"):
        ioctx.aio_getxattr(fresh_name, "x", length=whole)
    for length in (1 << 31, 1 << 40):
        with pytest.raises((rados.OSError, MemoryError), match=what):
            ioctx.read(fresh_name, length)
    assert ioctx.read(fresh_name, (1 << 31) - 1) == b"abc"
