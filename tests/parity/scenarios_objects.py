"""Object I/O, extended attributes, namespaces, locators, listing."""

from __future__ import annotations

from typing import Any

from .harness import Recorder, kind, nonempty, scenario


@scenario
def objects(r: Recorder) -> None:
    io, key = r.ioctx, r.name()
    r.do(io, "read", r.name("none"))
    r.do(io, "stat", r.name("none"))
    r.do(io, "remove_object", r.name("none"))
    r.do(io, "trunc", r.name("none"), 5)
    r.do(io, "write", key, b"abc")
    r.do(io, "read", key)
    r.do(io, "write", key, b"XY", 1)
    r.do(io, "write", key=key, data=b"Z", offset=5)
    r.do(io, "read", key)
    r.do(io, "append", key, b"def")
    r.do(io, "append", key=key, data=b"")
    r.do(io, "read", key)
    r.do(io, "write_full", key, b"whole")
    r.do(io, "write_full", key=key, data=b"again")
    for length, offset in (
        (3, 0),
        (0, 0),
        (1, 0),
        (2, 4),
        (5, 5),
        (5, 50),
        (1000, 0),
        (8192, 2**40),
    ):
        r.do(io, "read", key, length, offset)
    r.do(io, "read", key=key, length=2, offset=1)
    for wrong in (-1, "1", None, 2**64, 2**63):
        r.do(io, "read", key, wrong)
        r.do(io, "read", key, 1, wrong)
        r.do(io, "write", key, b"x", wrong)
        r.do(io, "trunc", key, wrong)
    r.do(io, "stat", key)
    r.do(io, "stat", key, _show=lambda value: (value[0], len(value)))
    r.do(io, "trunc", key, 2)
    r.do(io, "read", key)
    r.do(io, "trunc", key=key, size=4)
    r.do(io, "read", key)
    r.do(io, "trunc", key, 0)
    r.do(io, "read", key)
    r.do(io, "write", key, b"")
    r.do(io, "write_full", key, b"")
    for wrong in (None, 5, [], 5.5):
        r.do(io, "write", key, wrong)
        r.do(io, "write_full", key, wrong)
        r.do(io, "append", key, wrong)
        r.do(io, "write", wrong, b"x")
        r.do(io, "read", wrong)
        r.do(io, "stat", wrong)
        r.do(io, "remove_object", wrong)
        r.do(io, "trunc", wrong, 0)
    r.do(io, "write", key, "text")
    r.do(io, "write_full", key, "text")
    r.do(io, "append", key, "text")
    for name in ("\u00fcn\u00ef-\u65e5\u672c", "a/b c", "x" * 500, "x" * 5000, ""):
        r.do(io, "write_full", name, b"named")
        r.do(io, "read", name)
        r.do(io, "remove_object", name)
    r.do(io, "remove_object", key)
    r.do(io, "remove_object", key)
    r.do(io, "append", key, b"made by append")
    r.do(io, "read", key)
    r.do(io, "get_last_version", _show=nonempty)
    for method in ("read", "write", "write_full", "append", "stat", "trunc", "remove_object"):
        r.do(io, method)


@scenario
def objects_with_names_as_bytes(r: Recorder) -> None:
    key = r.name().encode()
    r.do(r.ioctx, "write", key, b"abc")
    r.do(r.ioctx, "read", key)
    r.do(r.ioctx, "remove_object", key)
    r.do(r.cluster, "pool_exists", r.side.pool.encode())
    r.do(r.cluster, "pool_lookup", b"none")
    r.do(r.cluster, "create_pool", r.side.pool.encode())
    r.do(r.cluster, "delete_pool", b"none")
    r.do(r.cluster, "open_ioctx", b"none")
    r.do(r.cluster, "conf_get", b"rbd_cache")
    io = r.keep(r.cluster.open_ioctx(r.side.pool))
    r.do(io, "set_namespace", b"n")
    r.do(io, "set_locator_key", b"l")


@scenario
def objects_of_buffers(r: Recorder) -> None:
    key = r.name()
    for data in (bytearray(b"abc"), memoryview(b"abc")):
        r.do(r.ioctx, "write", key, data)
        r.do(r.ioctx, "write_full", key, data)
        r.do(r.ioctx, "append", key, data)
        r.do(r.ioctx, "set_xattr", key, "k", data)


@scenario
def xattrs(r: Recorder) -> None:
    io, key = r.ioctx, r.name()
    r.do(io, "get_xattr", key, "k")
    r.do(io, "get_xattrs", key)
    r.do(io, "rm_xattr", key, "k")
    io.write(key, b"x")
    r.do(io, "get_xattr", key, "k")
    r.do(io, "rm_xattr", key, "k")
    r.do(io, "get_xattrs", key, _show=list)
    r.do(io, "set_xattr", key, "k", b"v")
    r.do(io, "set_xattr", key=key, xattr_name="l", xattr_value=b"\0binary\xff")
    r.do(io, "set_xattr", key, "empty", b"")
    r.do(io, "set_xattr", key, "big", b"x" * 5000)
    r.do(io, "set_xattr", key, "\u00fcn\u00ef", b"v")
    r.do(io, "set_xattr", key, "", b"nameless")
    for name in ("k", "l", "empty", "big", "\u00fcn\u00ef", "none"):
        r.do(io, "get_xattr", key, name)
    # that one is the object's own state
    r.do(io, "get_xattr", key, "", _show=kind)
    r.do(io, "get_xattr", key=key, xattr_name="k")
    r.do(io, "get_xattrs", key, _show=sorted)
    found = io.get_xattrs(key)
    r.attempt("first", lambda: kind(next(found)))
    r.attempt("twice", lambda: iter(found) is found)
    r.do(io, "rm_xattr", key, "k")
    r.do(io, "rm_xattr", key=key, xattr_name="l")
    r.do(io, "rm_xattr", key, "k")
    r.do(io, "get_xattrs", key, _show=sorted)
    for wrong in (None, 5, []):
        r.do(io, "get_xattr", key, wrong)
        r.do(io, "set_xattr", key, wrong, b"x")
        r.do(io, "set_xattr", key, "k", wrong)
        r.do(io, "rm_xattr", key, wrong)
        r.do(io, "get_xattr", wrong, "k")
        r.do(io, "get_xattrs", wrong)
    r.do(io, "set_xattr", key, "k", "text")


@scenario
def namespaces_and_locators(r: Recorder) -> None:
    io = r.keep(r.cluster.open_ioctx(r.side.pool))
    key = r.name()
    r.do(io, "get_namespace")
    r.do(io, "get_locator_key")
    io.write(key, b"default")
    r.do(io, "set_namespace", "n")
    r.do(io, "get_namespace")
    r.attempt("attribute", lambda: io.nspace)
    r.do(io, "read", key)
    io.write(key, b"in n")
    r.do(io, "read", key)
    r.do(io, "set_namespace", "\u00fcn\u00ef")
    r.do(io, "get_namespace")
    r.do(io, "read", key)
    r.do(io, "set_namespace", "")
    r.do(io, "read", key)
    r.do(io, "set_namespace", 5)
    r.do(io, "set_locator_key", "l")
    r.do(io, "get_locator_key")
    r.attempt("attribute", lambda: io.locator_key)
    io.write(key, b"placed by l")
    r.do(io, "read", key)
    r.do(io, "set_locator_key", "m")
    r.do(io, "set_locator_key", "")
    r.do(io, "get_locator_key")
    r.do(io, "set_locator_key", 5)
    r.do(io, "set_namespace", "n")
    r.do(io, "set_locator_key", "l")
    copy = r.do(io, "dup")
    r.attempt("dup", lambda: (copy.name, copy.state, copy.get_namespace(), copy.get_locator_key()))
    r.attempt("dup's pool", lambda: copy.get_pool_id() == io.get_pool_id())
    r.do(copy, "close")
    r.do(io, "get_namespace")


@scenario
def namespace_none(r: Recorder) -> None:
    io = r.keep(r.cluster.open_ioctx(r.side.pool))
    io.set_namespace("n")
    r.do(io, "set_namespace", None)
    r.do(io, "get_namespace")
    io.set_locator_key("l")
    r.do(io, "set_locator_key", None)
    r.do(io, "get_locator_key")


@scenario
def facts_of_the_pool(r: Recorder) -> None:
    r.do(r.ioctx, "get_pool_id", _show=nonempty)
    r.do(r.ioctx, "get_pool_name")
    r.do(r.ioctx, "get_stats", _show=lambda v: {k: kind(n) for k, n in sorted(v.items())})
    r.do(r.ioctx, "alignment")
    r.do(r.ioctx, "require_ioctx_open")
    r.do(r.ioctx, "get_last_version", _show=kind)
    r.attempt("name", lambda: r.ioctx.name)
    r.attempt("state", lambda: r.ioctx.state)


@scenario
def pool_snapshot_to_read(r: Recorder) -> None:
    io = r.keep(r.cluster.open_ioctx(r.side.pool))
    key = r.name()
    io.write(key, b"x")
    r.attempt("head", lambda: io.set_read(r.rados.LIBRADOS_SNAP_HEAD))
    r.called.add("Ioctx.set_read")
    r.do(io, "read", key)
    r.do(io, "set_read", "x")
    r.do(io, "set_read", None)
    r.do(io, "read", key)


@scenario
def listing(r: Recorder) -> None:
    io = r.keep(r.cluster.open_ioctx(r.side.pool))
    io.set_namespace(r.name())
    r.do(io, "list_objects", _show=list)
    for index in range(30):
        io.write(f"object-\u00fc-{index:02}", b"x" * index)
    io.set_locator_key("some key")
    io.write("placed", b"by key")
    io.set_locator_key("")

    def described(found: Any) -> Any:
        return sorted(
            ([o.key, o.nspace, o.locator_key, o.offset, o.state, type(o).__name__] for o in found),
            key=repr,
        )

    r.do(io, "list_objects", _show=described)
    iterator = io.list_objects()
    r.attempt("iterator", lambda: iter(iterator) is iterator)
    r.attempt("first", lambda: kind(next(iterator)))
    r.attempt("rest", lambda: len(list(iterator)))
    r.attempt("end", lambda: next(iterator))
    for found in io.list_objects():
        if found.key == "placed":
            r.attempt("read through a listing", lambda found=found: found.read())
            r.attempt("stat through a listing", lambda found=found: found.stat()[0])
    io.set_namespace(r.rados.LIBRADOS_ALL_NSPACES)
    r.do(
        io,
        "list_objects",
        _show=lambda found: sorted(o.key for o in found if o.nspace == r.name()),
    )


@scenario
def object_class(r: Recorder) -> None:
    io = r.ioctx
    one = r.do(r.rados, "Object", io, r.name())
    for name in ("key", "nspace", "locator_key", "offset", "state"):
        r.attempt(name, lambda name=name: getattr(one, name))
    r.do(one, "read")
    r.do(one, "stat")
    r.do(one, "write", b"0123456789")
    r.attempt("offset", lambda: one.offset)
    r.do(one, "read")
    r.do(one, "seek", 0)
    r.do(one, "read", 4)
    r.attempt("offset", lambda: one.offset)
    r.do(one, "read", length=3)
    r.do(one, "read")
    r.attempt("offset", lambda: one.offset)
    r.do(one, "seek", position=2)
    r.do(one, "write", string_to_write=b"ab")
    r.do(one, "seek", -5)
    r.do(one, "read", 1)
    r.do(one, "seek", "x")
    r.do(one, "seek", 0)
    r.do(one, "read")
    r.do(one, "write", "text")
    r.do(one, "write", None)
    r.do(one, "stat", _show=lambda value: (value[0], kind(value[1])))
    r.do(one, "set_xattr", "k", b"v")
    r.do(one, "get_xattr", "k")
    r.do(one, "get_xattr", "none")
    r.do(one, "get_xattrs", _show=list)
    r.do(one, "rm_xattr", "k")
    r.do(one, "require_object_exists")
    r.do(one, "remove")
    r.attempt("state", lambda: one.state)
    for method, arguments in (
        ("read", ()),
        ("write", (b"x",)),
        ("remove", ()),
        ("stat", ()),
        ("seek", (0,)),
        ("get_xattr", ("k",)),
        ("get_xattrs", ()),
        ("set_xattr", ("k", b"v")),
        ("rm_xattr", ("k",)),
        ("require_object_exists", ()),
    ):
        r.do(one, method, *arguments)
    placed = r.do(r.rados, "Object", io, r.name("p"), "some key", "some namespace")
    r.do(placed, "write", b"placed")
    r.attempt("namespace of the context", lambda: io.get_namespace())
    r.do(placed, "seek", 0)
    r.do(placed, "read")
    r.do(io, "read", r.name("p"))
    named = r.do(r.rados, "Object", ioctx=io, key=r.name("q"), locator_key=None, nspace=None)
    r.attempt("named", lambda: (named.key, named.locator_key, named.nspace))
    r.do(r.rados, "Object", io)
