"""Parents, children, and what snapshots belong to."""

from __future__ import annotations

from typing import Any

from .harness import Recorder, kind, masked, nonempty, scenario, snaps
from .scenarios_clones import parent, rbd_tool, trash
from .scenarios_metadata import aware


def children(found: Any) -> list[dict[str, Any]]:
    """For `_show`: without ids, in the order of the names."""
    return sorted((masked("id")(child) for child in found), key=lambda child: str(child["image"]))


@scenario
def no_family(r: Recorder) -> None:
    image = r.new()
    for call in ("get_parent_image_spec", "parent_id", "parent_info"):
        r.do(image, call)
    r.do(image, "list_children2", _show=list)
    r.do(image, "list_descendants", _show=list)
    r.do(r.rbd, "ChildIterator", image, _show=list)


@scenario
def generations(r: Recorder) -> None:
    image = parent(r)
    for suffix in ("one", "two", "trashed"):
        r.RBD.clone(r.ioctx, r.name("parent"), "s", r.ioctx, r.name(suffix))
    one = r.open(r.name("one"))
    one.create_snap("x")
    one.protect_snap("x")
    r.RBD.clone(r.ioctx, r.name("one"), "x", r.ioctx, r.name("grandchild"))
    trash(r, r.name("trashed"))
    r.do(image, "list_children2", _show=children)
    r.do(image, "list_descendants", _show=children)
    r.do(r.rbd, "ChildIterator", image, True, _show=children)
    r.do(r.rbd, "ChildIterator", image, descendants=False, _show=children)
    found = image.list_children2()
    r.attempt("twice", lambda: [children(found) == children(found)])
    r.do(one, "parent_id", _show=lambda value: value == image.id())
    r.do(one, "get_parent_image_spec", _show=masked("pool_id", "image_id", "snap_id"))
    image.set_snap("s")
    r.do(image, "list_children2", _show=children)
    with r.rbd.Image(r.ioctx, r.name("grandchild")) as grandchild:
        r.do(grandchild, "parent_info")
        r.do(grandchild, "list_descendants", _show=list)
    for wrong in (None, 5, "x"):
        r.do(r.rbd, "ChildIterator", wrong)


@scenario
def snapshot_facts(r: Recorder) -> None:
    image = r.new()
    image.create_snap("s")
    image.create_snap("\u00fc" * 200)
    first, second = (snap["id"] for snap in image.list_snaps())
    for name in ("s", "\u00fc" * 200, b"s", "", "none", None, 5, []):
        r.do(image, "snap_exists", name)
        r.do(image, "snap_get_id", name, _show=lambda value: value in (first, second))
    for call in (
        "snap_get_name",
        "snap_get_namespace_type",
        "snap_get_group_namespace",
        "snap_get_trash_namespace",
        "snap_get_mirror_namespace",
    ):
        with r.part(call):
            method = getattr(image, call)
            r.called.add(f"Image.{call}")
            r.attempt("first", lambda method=method: method(first))
            r.attempt("second", lambda method=method: method(second))
        for wrong in (0, 1 << 40, -1, 2**64 - 3, 2**64, "s", None, []):
            r.do(image, call, wrong)
        r.do(image, call)
    r.attempt("timestamp", lambda: aware(image.get_snap_timestamp(first)))
    for wrong in (-1, 2**64, "s", None):
        r.do(image, "get_snap_timestamp", wrong)


@scenario
def select_by_id(r: Recorder) -> None:
    image = r.new()
    image.write(b"old", 0)
    image.create_snap("s")
    image.write(b"new", 0)
    (snap,) = image.list_snaps()
    r.attempt("select", lambda: image.set_snap_by_id(snap["id"]))
    r.do(image, "read", 0, 3)
    r.do(image, "write", b"x", 0)
    for back in (None, 0):
        r.do(image, "set_snap_by_id", back)
        r.do(image, "read", 0, 3)
    for wrong in (1 << 40, -1, 2**64 - 3, 2**64, "s", []):
        r.do(image, "set_snap_by_id", wrong)
    r.do(image, "set_snap_by_id")
    r.attempt("remove", lambda: image.remove_snap_by_id(snap["id"]))
    r.do(image, "list_snaps", _show=snaps)
    for wrong in (0, 1 << 40, -1, 2**64 - 3, 2**64, "s", None, []):
        r.do(image, "remove_snap_by_id", wrong)
    r.do(image, "remove_snap_by_id")


@scenario
def removing_with_flags(r: Recorder) -> None:
    image = r.new()
    for flags in (0, 1, 2, 3, 7, 8, -1, 2**32, "x", None):
        image.create_snap(f"s{flags}")
        r.do(image, "remove_snap2", f"s{flags}", flags)
        r.do(image, "snap_exists", f"s{flags}")
    for flags in (0, r.rbd.RBD_SNAP_REMOVE_UNPROTECT, r.rbd.RBD_SNAP_REMOVE_FORCE):
        image.create_snap(f"protected{flags}")
        image.protect_snap(f"protected{flags}")
        r.do(image, "remove_snap2", f"protected{flags}", flags)
    for wrong in ("none", "", None, 5):
        r.do(image, "remove_snap2", wrong, 0)
    r.do(image, "remove_snap2", "s0")


@scenario
def snapshot_limit(r: Recorder) -> None:
    image = r.new()
    r.do(image, "get_snap_limit")
    image.create_snap("a")
    for limit in (2, 1, 0, -1, 2**64, "x", None, 2**64 - 2, 2**64 - 1, 3):
        r.do(image, "set_snap_limit", limit)
        r.do(image, "get_snap_limit")
    for name in "bcd":
        r.do(image, "create_snap", name)
    r.do(image, "remove_snap_limit")
    r.do(image, "remove_snap_limit")
    r.do(image, "get_snap_limit")
    r.do(image, "create_snap", "d")


@scenario
def group_snapshot_namespaces(r: Recorder) -> None:
    image = r.new()
    group = f"{r.side.pool}/{r.name('group')}"
    rbd_tool(r, "group", "create", group)
    rbd_tool(r, "group", "image", "add", group, f"{r.side.pool}/{r.name()}")
    rbd_tool(r, "group", "snap", "create", f"{group}@snap")
    r.do(image, "group", _show=masked("pool"))
    (snap,) = image.list_snaps()
    r.note("keys", list(snap))
    r.note("namespace", snap["namespace"])
    r.note("group", masked("pool")(snap["group"]))
    r.attempt("asked", lambda: masked("pool")(image.snap_get_group_namespace(snap["id"])))
    r.attempt("type", lambda: image.snap_get_namespace_type(snap["id"]))
    r.attempt("name", lambda: image.snap_get_name(snap["id"]) == snap["name"])
    r.attempt("id of name", lambda: image.snap_get_id(snap["name"]))
    r.attempt("exists", lambda: image.snap_exists(snap["name"]))
    r.attempt("by name", lambda: image.set_snap(snap["name"]))
    r.attempt("by id", lambda: image.set_snap_by_id(snap["id"]))
    r.attempt("back", lambda: image.set_snap_by_id(None))
    r.attempt("timestamp", lambda: kind(image.get_snap_timestamp(snap["id"])))


@scenario
def trashed_snapshots(r: Recorder) -> None:
    image = r.new("parent")
    image.create_snap("s")
    made_from = f"{r.side.pool}/{r.name('parent')}@s"
    rbd_tool(r, "clone", "--rbd-default-clone-format=2", made_from, f"{r.side.pool}/{r.name('c')}")
    r.do(image, "remove_snap", "s")
    (snap,) = image.list_snaps()
    r.note("snapshot", masked("id", "name")(snap))
    r.attempt("asked", lambda: image.snap_get_trash_namespace(snap["id"]))
    r.attempt("by id", lambda: image.remove_snap_by_id(snap["id"]))
    with r.rbd.Image(r.ioctx, r.name("c")) as child:
        r.do(child, "parent_id", _show=nonempty)
        r.do(
            child,
            "get_parent_image_spec",
            _show=masked("pool_id", "image_id", "snap_id", "snap_name"),
        )
