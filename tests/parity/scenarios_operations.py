"""Operations of several steps, key/value maps, and the single calls of that kind."""

from __future__ import annotations

import time
from typing import Any

from .harness import Recorder, deadly, scenario


def _write(r: Recorder, oid: str, *steps: tuple[Any, ...], **kwargs: Any) -> None:
    """Records the steps ("method", argument, ...) of a WriteOp, and performing it."""
    with r.rados.WriteOpCtx() as op:
        for name, *args in steps:
            r.do(op, name, *args)
        r.do(r.ioctx, "operate_write_op", op, oid, **kwargs)


def _read(r: Recorder, oid: str, *steps: tuple[Any, ...], **kwargs: Any) -> None:
    with r.rados.ReadOpCtx() as op:
        for name, *args in steps:
            r.do(op, name, *args)
        r.do(r.ioctx, "operate_read_op", op, oid, **kwargs)


@scenario
def write_operations(r: Recorder) -> None:
    rados, io, key = r.rados, r.ioctx, r.name()
    _write(r, key, ("write_full", b"0123456789"), ("write", b"ab", 2), ("append", b"end"))
    r.do(io, "read", key)
    _write(r, key, ("write", b"X"), ("truncate", 6))
    r.do(io, "read", key)
    _write(r, key, ("writesame", b"xy", 6, 1), ("writesame", b"z", 0))
    r.do(io, "read", key)
    _write(r, key, ("writesame", b"xy", 5))
    _write(r, key, ("set_xattr", "a", b"1"), ("set_xattr", "b", b""), ("rm_xattr", "none"))
    r.do(io, "get_xattrs", key, _show=list)
    _write(r, key, ("rm_xattr", "a"), ("append", b""))
    r.do(io, "get_xattrs", key, _show=list)
    _write(r, key, ("new", rados.LIBRADOS_CREATE_IDEMPOTENT))
    _write(r, key, ("new", rados.LIBRADOS_CREATE_EXCLUSIVE), ("append", b"more"))
    r.do(io, "read", key)
    _write(r, key, ("execute", "hello", "none", b""))
    _write(r, key, ("execute", "none", "none", b""))
    _write(r, r.name("hello"), ("execute", "hello", "record_hello", b"you"))
    r.do(io, "read", r.name("hello"))
    _write(
        r,
        key,
        ("append", b"x"),
        ("set_flags", rados.LIBRADOS_OP_FLAG_FADVISE_DONTNEED),
        flags=rados.LIBRADOS_OPERATION_SKIPRWLOCKS,
        mtime=10**9,
    )
    r.do(io, "stat", key, _show=lambda value: (value[0], time.mktime(value[1])))
    _write(r, key)
    _write(r, r.name("none"))
    r.do(io, "stat", r.name("none"))
    _write(r, key, ("remove",))
    _write(r, key, ("remove",))
    # None ends the process of the standard binding
    for wrong in (5, [], 5.5, "text"):
        with rados.WriteOpCtx() as op:
            r.do(op, "append", wrong)
            r.do(op, "write_full", wrong)
            r.do(op, "write", wrong, 0)
            r.do(op, "writesame", wrong, 1)
            r.do(op, "cmpext", wrong)
            r.do(op, "set_xattr", "x", wrong)
            r.do(op, "execute", "hello", "none", wrong)
            if wrong != "text":
                r.do(op, "set_xattr", wrong, b"")
                r.do(op, "rm_xattr", wrong)
                r.do(op, "execute", wrong, "none", b"")
                r.do(op, "execute", "hello", wrong, b"")
                r.do(io, "operate_write_op", op, wrong)
    for wrong in (-1, None, "1", 1 << 64):
        with rados.WriteOpCtx() as op:
            r.do(op, "write", b"x", wrong)
            r.do(op, "truncate", wrong)
            r.do(op, "writesame", b"x", wrong)
            r.do(op, "assert_version", wrong)
            r.do(op, "cmpext", b"x", wrong)
    with rados.ReadOpCtx() as reading:
        r.do(io, "operate_write_op", reading, key)
    for method in ("append", "write", "write_full", "writesame", "truncate", "execute", "cmpext"):
        with rados.WriteOpCtx() as op:
            r.do(op, method)
    op = io.create_write_op()
    r.do(op, "append", b"y")
    r.do(io, "operate_write_op", write_op=op, oid=key, mtime=0, flags=0)
    r.do(io, "release_write_op", op)
    r.do(io, "read", key)


@scenario
def operations_at_impossible_times(r: Recorder) -> None:
    key = r.name()
    for mtime in (-1, 1 << 32, (1 << 32) + 5, (1 << 63) - 1):
        _write(r, key, ("append", b"x"), mtime=mtime)
    # and what is possible
    _write(r, key, ("append", b"x"), mtime=(1 << 32) - 1)


@scenario
def writing_nothing(r: Recorder) -> None:
    io = r.ioctx
    # without reading: the cluster may not be able to
    sizes = {"_show": lambda value: value[0]}
    for number, offset in enumerate((0, 3, 10)):
        key = r.name(f"write{number}")
        io.write_full(key, b"abc")
        r.do(io, "write", key, b"", offset)
        r.do(io, "stat", key, **sizes)
        key = r.name(f"step{number}")
        io.write_full(key, b"abc")
        _write(r, key, ("write", b"", offset))
        r.do(io, "stat", key, **sizes)
        key = r.name(f"aio{number}")
        io.write_full(key, b"abc")
        io.aio_write(key, b"", offset).wait_for_complete_and_cb()
        r.do(io, "stat", key, **sizes)
    r.do(io, "write", r.name("new"), b"", 10)
    r.do(io, "stat", r.name("new"), **sizes)


@scenario
def comparing_operations(r: Recorder) -> None:
    rados, io, key = r.rados, r.ioctx, r.name()
    io.write_full(key, b"content")
    for run in (_write, _read):
        with r.part(run.__name__):
            run(r, key, ("cmpext", b"content"))
            run(r, key, ("cmpext", b"tent", 3), ("cmpext", b"", 0))
            run(r, key, ("cmpext", b"coNtent"))
            run(r, r.name("none"), ("cmpext", b"c"))
            run(r, key)
    _write(r, key, ("assert_version", 1 << 40))
    _write(r, key, ("assert_version", 1))
    with rados.WriteOpCtx() as op:
        io.set_omap(op, ("k",), (b"m",))
        io.operate_write_op(op, key)
    _write(r, key, ("omap_cmp", "k", "m"))
    _write(r, key, ("omap_cmp", "k", "x"))
    _write(r, key, ("omap_cmp", "none", "x"))
    _write(r, key, ("omap_cmp", "k", "n", rados.LIBRADOS_CMPXATTR_OP_LT))
    _write(r, key, ("omap_cmp", "k", "n", rados.LIBRADOS_CMPXATTR_OP_GT))
    _write(r, key, ("omap_cmp", "k", "n", 99))
    _write(r, key, ("omap_cmp", "k", "n", 256))
    _write(r, key, ("omap_cmp", "k", None))
    _write(r, key, ("omap_cmp", None, "m"))
    far = b"a" * 70000
    io.write_full(key, far)
    _write(r, key, ("cmpext", far[:-1] + b"b"))
    r.do(io, "cmpext", key, far[:-1] + b"b")


@scenario
def single_calls(r: Recorder) -> None:
    io, key = r.ioctx, r.name()
    io.write_full(key, b"content")
    r.do(io, "cmpext", key, b"content")
    r.do(io, "cmpext", key=key, cmp_buf=b"tent", offset=3)
    r.do(io, "cmpext", key, b"cOntent")
    r.do(io, "cmpext", key, b"")
    r.do(io, "cmpext", r.name("none"), b"x")
    r.do(io, "cmpext", key, b"Content")
    r.do(io, "writesame", key, b"ab", 8, 1)
    r.do(io, "writesame", key=key, data=b"xyz", write_len=3, offset=0)
    r.do(io, "read", key)
    r.do(io, "writesame", key, b"ab", 7)
    r.do(io, "writesame", key, b"ab", 0)
    r.do(io, "writesame", key, b"ab", 1 << 40)
    r.do(io, "execute", key, "hello", "say_hello", b"you")
    r.do(io, "execute", key=key, cls="hello", method="say_hello", data=b"", length=100)
    r.do(io, "execute", key, "hello", "say_hello", b"you", 5)
    r.do(io, "execute", key, "hello", "none", b"you")
    r.do(io, "execute", key, "none", "say_hello", b"you")
    r.do(io, "execute", r.name("none"), "hello", "replay", b"")
    r.do(io, "execute", r.name("new"), "hello", "record_hello", b"x")
    for wrong in (None, 5, [], "text"):
        r.do(io, "cmpext", key, wrong)
        r.do(io, "writesame", key, wrong, 8)
        r.do(io, "writesame", key, b"x", wrong)
        r.do(io, "execute", key, "hello", "say_hello", wrong)
        if wrong != "text":
            r.do(io, "cmpext", wrong, b"")
            r.do(io, "execute", key, wrong, "say_hello", b"")
            r.do(io, "execute", key, "hello", wrong, b"")


@scenario
def omaps(r: Recorder) -> None:
    rados, io, key = r.rados, r.ioctx, r.name()

    def change(method: str, *args: Any) -> None:
        with rados.WriteOpCtx(io) as op:
            r.do(io, method, op, *args)
            r.do(io, "operate_write_op", op, key)

    def look(method: str, *args: Any, oid: str = key) -> None:
        with rados.ReadOpCtx(io) as op:
            found: Any = r.do(io, method, op, *args, _show=lambda value: (type(value[0]), value[1]))
            if found is None:
                return
            r.do(io, "operate_read_op", op, oid, flag=rados.LIBRADOS_OPERATION_BALANCE_READS)
            if oid == key:
                r.attempt(f"{method}{args!r} found", lambda: list(found[0]))
                r.attempt(f"{method}{args!r} again", lambda: list(found[0]))
        return

    change("set_omap", ("a", "b", "c", "\u00fcn\u00ef"), (b"1", b"\0\xff", b"3" * 200, b"4"))
    change("set_omap", ["d"], ["text"])
    change("set_omap", (b"bytes",), (b"5",))
    change("set_omap", (), ())
    change("set_omap", ("x", "y"), (b"1",))
    change("set_omap", ("x",), (b"1", b"2"))
    for wrong in (None, 5, (None,), (5,)):
        change("set_omap", wrong, (b"1",))
        change("set_omap", ("x",), wrong)
        change("remove_omap_keys", wrong)
    look("get_omap_vals", "", "", 100)
    look("get_omap_vals", "", "", -1)
    look("get_omap_vals", "b", "", 2)
    look("get_omap_vals", "", "b", 100)
    look("get_omap_vals", "zz", "", 100)
    look("get_omap_vals", "", "", 0)
    look("get_omap_vals", "", "", 100, oid=r.name("none"))
    look("get_omap_keys", "", 100)
    look("get_omap_keys", "a", 1)
    look("get_omap_keys", "", -1)
    look("get_omap_vals_by_keys", ("a", "none", "d"))
    look("get_omap_vals_by_keys", [])
    look("get_omap_vals_by_keys", [b"a"])
    for wrong in (None, 5):
        look("get_omap_vals", wrong, "", 1)
        look("get_omap_vals", "", wrong, 1)
        look("get_omap_keys", wrong, 1)
        look("get_omap_vals_by_keys", wrong)
    for wrong in (None, "1", 1 << 64):
        look("get_omap_vals", "", "", wrong)
        look("get_omap_keys", "", wrong)
    change("remove_omap_keys", ("a", "none"))
    change("remove_omap_keys", [b"bytes"])
    change("remove_omap_keys", ())
    look("get_omap_keys", "", 100)
    change("remove_omap_range2", "b", "d")
    look("get_omap_keys", "", 100)
    change("clear_omap")
    look("get_omap_keys", "", 100)
    with rados.ReadOpCtx() as reading, rados.WriteOpCtx() as writing:
        r.do(io, "set_omap", reading, ("a",), (b"",))
        r.do(io, "get_omap_keys", writing, "", 1)


@scenario
def omaps_with_empty_values(r: Recorder) -> None:
    io, key = r.ioctx, r.name()
    with r.rados.WriteOpCtx() as op:
        io.set_omap(op, ("a",), (b"",))
        io.operate_write_op(op, key)
    with r.rados.ReadOpCtx() as op:
        found, _ = io.get_omap_vals(op, "", "", 100)
        io.operate_read_op(op, key)
        r.attempt("found", lambda: list(found))


@scenario
def operations_without_a_time(r: Recorder) -> None:
    key, before = r.name(), time.time()
    with r.rados.WriteOpCtx() as op:
        op.append(b"x")
        r.ioctx.operate_write_op(op, key)
    r.do(r.ioctx, "stat", key, _show=lambda value: time.mktime(value[1]) > before - 10)


@scenario
def operations_again(r: Recorder) -> None:
    io, key = r.ioctx, r.name()
    op = io.create_write_op()
    r.do(op, "append", b"1")
    r.do(io, "operate_write_op", op, key)
    r.do(io, "operate_write_op", op, key)
    r.do(op, "append", b"2")
    r.do(io, "operate_write_op", op, key)
    r.do(io, "read", key)


@deadly()
def deadly_step_of_released_operation(r: Recorder) -> None:
    op = r.ioctx.create_write_op()
    op.release()
    r.do(op, "append", b"x")


@deadly()
def deadly_operation_released_twice(r: Recorder) -> None:
    op = r.ioctx.create_write_op()
    op.release()
    r.do(op, "release")


@deadly()
def deadly_step_without_create(r: Recorder) -> None:
    r.do(r.rados.WriteOp(), "append", b"x")


@deadly()
def deadly_flags_without_step(r: Recorder) -> None:
    r.do(r.ioctx.create_write_op(), "set_flags", 1)


@deadly(16)
def deadly_no_operation(r: Recorder) -> None:
    r.do(r.ioctx, "operate_write_op", None, r.name())


@deadly()
def deadly_omap_before_it_is_read(r: Recorder) -> None:
    found, _ = r.ioctx.get_omap_vals(r.ioctx.create_read_op(), "", "", 1)
    r.attempt("found", lambda: list(found))
