"""Use after close, order of closing, and every form of call."""

from __future__ import annotations

from typing import Any

from .harness import MIB, Recorder, masked, scenario, snaps
from .scenarios_images import facts

#: Every documented method of Image with arguments that are right.
CALLS: dict[str, tuple[Any, ...]] = {
    "break_lock": ("client.9", "c"),
    "create_snap": ("s",),
    "discard": (0, 1),
    "features": (),
    "flags": (),
    "flatten": (),
    "flush": (),
    "invalidate_cache": (),
    "is_exclusive_lock_owner": (),
    "is_protected_snap": ("s",),
    "list_children": (),
    "list_lockers": (),
    "list_snaps": (),
    "lock_exclusive": ("c",),
    "lock_shared": ("c", "t"),
    "old_format": (),
    "overlap": (),
    "parent_info": (),
    "protect_snap": ("s",),
    "read": (0, 1),
    "rebuild_object_map": (),
    "remove_snap": ("s",),
    "rename_snap": ("s", "t"),
    "resize": (MIB,),
    "rollback_to_snap": ("s",),
    "set_snap": (None,),
    "size": (),
    "stat": (),
    "stripe_count": (),
    "stripe_unit": (),
    "unlock": ("c",),
    "unprotect_snap": ("s",),
    "update_features": (16, False),
    "write": (b"x", 0),
}


@scenario
def closed_image(r: Recorder) -> None:
    image = r.new()
    r.do(image, "close")
    r.do(image, "close")
    for method, arguments in CALLS.items():
        r.do(image, method, *arguments)
    r.do(image, "copy", r.ioctx, r.name("copy"))
    r.do(image, "diff_iterate", 0, 1, None, print)
    r.do(image, "get_name")
    r.do(image, "id")
    r.do(r.rbd, "SnapIterator", image)
    with r.part("wrong arguments"):
        r.do(image, "read", "x", None)
        r.do(image, "write", None, None)
        r.do(image, "resize", -1)
        r.do(image, "create_snap", None)
        r.do(image, "diff_iterate", -1, 1, 5, None)
    r.attempt("with", lambda: image.__enter__() is image)
    r.attempt("end of with", lambda: bool(image.__exit__(None, None, None)))
    r.do(r.RBD, "remove", r.ioctx, r.name())


@scenario
def closed_ioctx(r: Recorder) -> None:
    """Images go on after their I/O context was closed."""
    ioctx = r.cluster.open_ioctx(r.side.pool)
    image = r.keep(r.rbd.Image(ioctx, r.create()))
    r.do(ioctx, "close")
    r.do(ioctx, "close")
    r.do(image, "write", b"abc", 0)
    r.do(image, "read", 0, 3)
    r.do(image, "create_snap", "s")
    r.do(image, "list_snaps", _show=snaps)
    r.do(image, "diff_iterate", 0, MIB, None, lambda *extent: None)
    r.do(image, "stat", _show=masked("block_name_prefix"))
    r.do(image, "flush")
    r.do(image, "remove_snap", "s")
    r.do(image, "resize", 4 * MIB)
    r.do(image, "close")
    for method, arguments in (
        ("read", ("x",)),
        ("write", ("x", b"y")),
        ("write_full", ("x", b"y")),
        ("append", ("x", b"y")),
        ("stat", ("x",)),
        ("trunc", ("x", 1)),
        ("remove_object", ("x",)),
        ("list_objects", ()),
        ("get_xattr", ("x", "y")),
        ("get_xattrs", ("x",)),
        ("set_xattr", ("x", "y", b"z")),
        ("rm_xattr", ("x", "y")),
        ("get_stats", ()),
        ("set_namespace", ("n",)),
        ("get_namespace", ()),
        ("set_locator_key", ("l",)),
        ("get_locator_key", ()),
        ("get_last_version", ()),
        ("get_pool_id", ()),
        ("set_read", (5,)),
        ("dup", ()),
        ("require_ioctx_open", ()),
    ):
        r.do(ioctx, method, *arguments)
    r.attempt("with", lambda: ioctx.__enter__() is ioctx)
    r.attempt("state", lambda: ioctx.state)


@scenario
def ioctx_as_context_manager(r: Recorder) -> None:
    with r.cluster.open_ioctx(r.side.pool) as ioctx:
        r.attempt("state", lambda: ioctx.state)
        r.attempt("name", lambda: ioctx.name)
    r.attempt("state", lambda: ioctx.state)
    r.do(ioctx, "read", "x")

    def body() -> None:
        with r.cluster.open_ioctx(r.side.pool):
            raise KeyError("x")

    r.attempt("raises in the body", body)


@scenario
def call_forms_of_the_reference(r: Recorder) -> None:
    """The calls as the reference writes them, positional and by keyword."""
    size = 8 * MIB
    r.do(r.RBD, "create", r.ioctx, r.name("1"), size, None, False, 0, 0, 0)
    facts(r, r.name("1"))
    r.do(r.RBD, "create", r.ioctx, r.name("2"), size, 22, False, 1, 0, 0)
    facts(r, r.name("2"))
    r.do(r.RBD, "create", r.ioctx, r.name("3"), size, order=None, old_format=True, features=0)
    facts(r, r.name("3"))
    r.do(
        r.RBD,
        "create",
        ioctx=r.ioctx,
        name=r.name("4"),
        size=size,
        order=21,
        old_format=False,
        features=3,
        stripe_unit=65536,
        stripe_count=2,
    )
    facts(r, r.name("4"))
    r.do(r.RBD, "remove", r.ioctx, r.name("1"))
    r.do(r.RBD, "remove", ioctx=r.ioctx, name=r.name("3"))
    image = r.do(r.rbd, "Image", r.ioctx, r.name("2"), None, False)
    r.do(image, "write", b"data", 0, 0)
    r.do(image, "create_snap", "s")
    r.do(image, "protect_snap", "s")
    r.do(r.RBD, "clone", r.ioctx, r.name("2"), "s", r.ioctx, r.name("5"), 1, None, 0, 0)
    facts(r, r.name("5"))
    r.do(image, "copy", r.ioctx, r.name("6"), 1, None, 0, 0)
    facts(r, r.name("6"))
    r.do(image, "resize", size=2 * size)
    r.do(image, "flatten")
    r.do(image, "lock_shared", "c", "t")
    r.do(image, "unlock", "c")
    r.do(image, "close")


@scenario
def call_forms_of_today(r: Recorder) -> None:
    """The calls as the standard module of Ceph 16 has them."""
    size = 8 * MIB
    pool = r.side.pool
    r.do(r.RBD, "create", r.ioctx, r.name("1"), size, None, False, None, None, None, None)
    facts(r, r.name("1"))
    r.do(r.RBD, "create", r.ioctx, r.name("2"), size, data_pool=pool)
    facts(r, r.name("2"))
    image = r.do(r.rbd, "Image", r.ioctx, r.name("1"), None, False, None, None)
    r.do(image, "create_snap", "s", 0)
    r.do(image, "create_snap", name="t", flags=0)
    r.do(image, "protect_snap", "s")
    r.do(
        r.RBD,
        "clone",
        r.ioctx,
        r.name("1"),
        "s",
        r.ioctx,
        r.name("3"),
        None,
        None,
        None,
        None,
        None,
    )
    r.do(
        r.RBD,
        "clone",
        p_ioctx=r.ioctx,
        p_name=r.name("1"),
        p_snapname="s",
        c_ioctx=r.ioctx,
        c_name=r.name("4"),
        features=None,
        data_pool=pool,
    )
    facts(r, r.name("4"))
    r.do(image, "copy", r.ioctx, r.name("5"), None, None, None, None, None)
    r.do(image, "copy", r.ioctx, r.name("6"), data_pool=pool)
    facts(r, r.name("6"))
    r.do(image, "resize", size, True)
    r.do(image, "resize", size=size, allow_shrink=False)
    with r.rbd.Image(r.ioctx, r.name("3")) as child:
        r.do(child, "flatten", None)
    with r.rbd.Image(r.ioctx, r.name("4")) as child:
        r.do(child, "flatten", on_progress=lambda done, total: 0)
    r.do(r.RBD, "remove", r.ioctx, r.name("2"), None)
    r.do(r.RBD, "remove", r.ioctx, r.name("3"), on_progress=lambda done, total: 0)


@scenario
def keywords_of_single_arguments(r: Recorder) -> None:
    """Methods of one argument, by keyword."""
    image = r.new()
    image.create_snap("s")
    r.do(image, "set_snap", name="s")
    image.set_snap(None)
    r.do(image, "is_protected_snap", name="s")
    r.do(image, "protect_snap", name="s")
    r.do(image, "unprotect_snap", name="s")
    r.do(image, "rollback_to_snap", name="s")
    r.do(image, "remove_snap", name="s")
    locked = r.new("locked")
    r.do(locked, "lock_exclusive", cookie="c")
    locked.list_lockers() or locked.lock_exclusive("c")
    r.do(locked, "unlock", cookie="c")
    pool = r.side.pool
    r.do(r.RBD, "list", ioctx=r.ioctx, _show=type)
    r.do(r.cluster, "conf_get", option="rbd_cache")
    r.do(r.cluster, "pool_exists", pool_name=pool)
    r.do(r.cluster, "pool_lookup", pool_name="none")
    r.do(r.cluster, "delete_pool", pool_name="none")
    r.do(r.cluster, "open_ioctx", ioctx_name="none")
    r.do(r.cluster, "open_ioctx2", pool_id=12345)
    r.do(r.cluster, "pool_reverse_lookup", pool_id=12345)
    io = r.keep(r.cluster.open_ioctx(pool))
    io.write(r.name(), b"x")
    r.do(io, "get_xattrs", oid=r.name(), _show=list)
    r.do(io, "stat", key=r.name(), _show=type)
    r.do(io, "remove_object", key=r.name())
    r.do(io, "set_namespace", nspace="n")
    r.do(io, "set_locator_key", loc_key="l")
    r.do(io, "set_read", snap_id=2**64 - 2)
