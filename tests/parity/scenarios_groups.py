"""Consistency groups: their images and snapshots."""

from __future__ import annotations

from typing import Any

from .harness import MIB, Recorder, deadly, masked, scenario

NAMES: tuple[Any, ...] = (
    "",
    None,
    5,
    b"bytes",
    "\u00fcn\u00ef-\u65e5\u672c",
    "a b",
    "a/b",
    "a@b",
    "x" * 90,
    "x" * 4000,
    [],
)


def listed(value: Any) -> list[Any]:
    """For `_show`: the entries, which have no order of their own, without pool ids."""
    entries = [masked("pool", "id", "image_snap_name", "image_snaps")(entry) for entry in value]
    return sorted(entries, key=lambda entry: str(entry["name"]))


def own(r: Recorder) -> Any:
    """For `_show`: the names of the scenario's groups."""
    return lambda names: sorted(name for name in names if name.startswith(r.name("")))


@scenario
def groups(r: Recorder) -> None:
    r.do(r.RBD, "group_list", r.ioctx, _show=own(r))
    r.do(r.RBD, "group_list", r.ioctx, _show=type)
    r.do(r.RBD, "group_create", r.ioctx, r.name())
    r.do(r.RBD, "group_create", r.ioctx, r.name())
    r.do(r.RBD, "group_create", ioctx=r.ioctx, name=r.name("kw"))
    r.do(r.RBD, "group_list", r.ioctx, _show=own(r))
    r.do(r.RBD, "group_rename", r.ioctx, r.name(), r.name("b"))
    r.do(r.RBD, "group_rename", r.ioctx, r.name(), r.name("c"))
    r.do(r.RBD, "group_rename", r.ioctx, r.name("b"), r.name("kw"))
    r.do(r.RBD, "group_rename", r.ioctx, r.name("b"), r.name("b"))
    r.do(r.RBD, "group_rename", r.ioctx, r.name("b"), "")
    r.do(r.RBD, "group_rename", r.ioctx, r.name("b"), None)
    r.do(r.RBD, "group_rename", r.ioctx, None, r.name("b"))
    r.do(r.RBD, "group_rename", ioctx=r.ioctx, src=r.name("b"), dest=r.name("c"))
    r.do(r.RBD, "group_list", r.ioctx, _show=own(r))
    r.do(r.RBD, "group_remove", r.ioctx, r.name("c"))
    r.do(r.RBD, "group_remove", r.ioctx, r.name("c"))
    r.do(r.RBD, "group_remove", ioctx=r.ioctx, name=r.name("kw"))
    r.do(r.RBD, "group_list", r.ioctx, _show=own(r))
    for method in ("group_create", "group_remove", "group_rename"):
        r.do(r.RBD, method)
        r.do(r.RBD, method, r.ioctx)
    for name in NAMES:
        r.do(r.RBD, "group_create", r.ioctx, name)
        r.do(r.RBD, "group_create", r.ioctx, name)
        r.do(r.RBD, "group_rename", r.ioctx, name, r.name("new"))
        r.do(r.RBD, "group_rename", r.ioctx, r.name("new"), name)
        r.do(r.RBD, "group_remove", r.ioctx, name)
        r.do(r.RBD, "group_remove", r.ioctx, name)


@scenario
def group_of(r: Recorder) -> None:
    for name in NAMES:
        r.do(r.rbd, "Group", r.ioctx, name)
    r.do(r.rbd, "Group", ioctx=r.ioctx, name=r.name())
    r.do(r.rbd, "Group")
    r.do(r.rbd, "Group", r.ioctx)
    r.do(r.rbd, "Group", None, r.name())
    r.do(r.rbd, "Group", r.RBD, r.name())
    missing = r.rbd.Group(r.ioctx, r.name("none"))
    image = r.create()
    for method, *arguments in (
        ("add_image", r.ioctx, image),
        ("remove_image", r.ioctx, image),
        ("create_snap", "s"),
        ("remove_snap", "s"),
        ("rename_snap", "s", "t"),
        ("rollback_to_snap", "s"),
    ):
        r.do(missing, method, *arguments)
        r.do(missing, method)
    r.do(missing, "list_images", _show=listed)
    r.attempt("enter", lambda: missing.__enter__() is missing)
    r.attempt("exit", lambda: bool(missing.__exit__(None, None, None)))
    r.do(missing, "list_images", _show=listed)


@scenario
def group_images(r: Recorder) -> None:
    r.RBD.group_create(r.ioctx, r.name("g"))
    r.RBD.group_create(r.ioctx, r.name("h"))
    group, other = (r.rbd.Group(r.ioctx, r.name(name)) for name in "gh")
    image = r.create()
    r.create("b")
    r.do(group, "list_images", _show=listed)
    r.do(group, "add_image", r.ioctx, image)
    r.do(group, "add_image", r.ioctx, image)
    r.do(other, "add_image", r.ioctx, image)
    r.do(group, "add_image", image_ioctx=r.ioctx, image_name=r.name("b"))
    r.do(group, "list_images", _show=listed)
    pool = r.ioctx.get_pool_id()
    r.attempt("pools", lambda: [found["pool"] == pool for found in group.list_images()])
    for found in group.list_images():
        r.note("keys", list(found))
        r.note("types", [type(value).__name__ for value in found.values()])
    r.do(r.RBD, "remove", r.ioctx, image)
    for name in NAMES:
        r.do(group, "add_image", r.ioctx, name)
        r.do(group, "remove_image", r.ioctx, name)
    r.do(group, "remove_image", r.ioctx, r.name("b"))
    r.do(group, "remove_image", r.ioctx, r.name("b"))
    r.do(group, "list_images", _show=listed)
    r.do(r.RBD, "remove", r.ioctx, r.name("b"))
    with r.part("of another group"):
        r.do(other, "remove_image", r.ioctx, image)
        r.do(other, "list_images", _show=listed)
        r.do(r.RBD, "group_remove", r.ioctx, r.name("h"))
    r.do(group, "remove_image", image_ioctx=r.ioctx, image_name=image)
    r.do(r.RBD, "group_remove", r.ioctx, r.name("g"))
    r.do(group, "list_images", _show=listed)


@scenario
def group_snapshots(r: Recorder) -> None:
    r.RBD.group_create(r.ioctx, r.name("g"))
    group = r.rbd.Group(r.ioctx, r.name("g"))
    for suffix in "ab":
        group.add_image(r.ioctx, r.create(suffix))
    image = r.open(r.name("a"))
    r.do(group, "list_snaps", _show=listed)
    image.write(b"old", 0)
    r.do(group, "create_snap", "s")
    r.do(group, "create_snap", "s")
    image.write(b"new", 0)
    r.do(group, "create_snap", snap_name="kw", flags=0)
    r.do(group, "create_snap", "skip", r.rbd.RBD_SNAP_CREATE_SKIP_QUIESCE)
    r.do(group, "create_snap", "ignore", flags=r.rbd.RBD_SNAP_CREATE_IGNORE_QUIESCE_ERROR)
    r.do(group, "create_snap", "x", 2**10)
    r.do(group, "create_snap", "x", -1)
    r.do(group, "create_snap", "x", 2**32)
    r.do(group, "create_snap", "x", "x")
    r.do(group, "create_snap", "x", None)
    r.do(group, "list_snaps", _show=listed)
    for found in group.list_snaps():
        r.note("keys", list(found)[:2])
        r.note("types", [type(value).__name__ for value in found.values()][:2])
    r.attempt("in the image", lambda: [snap["namespace"] for snap in image.list_snaps()])
    r.do(group, "rollback_to_snap", "s")
    r.do(image, "read", 0, 3)
    r.do(group, "rollback_to_snap", "skip")
    r.do(image, "read", 0, 3)
    r.do(group, "rollback_to_snap", name="none")
    r.do(group, "remove_snap", snap_name="none")
    for name in NAMES:
        r.do(group, "create_snap", name)
        r.do(group, "rename_snap", name, "renamed")
        r.do(group, "rename_snap", "renamed", name)
        r.do(group, "rollback_to_snap", name)
        r.do(group, "remove_snap", name)
        r.do(group, "remove_snap", name)
    r.do(group, "rename_snap", "s", "s")
    r.do(group, "rename_snap", "s", "kw")
    r.do(group, "rename_snap", old_snap_name="s", new_snap_name="t")
    r.do(group, "remove_snap", "kw")
    r.do(group, "list_snaps", _show=listed)
    for method in ("create_snap", "remove_snap", "rename_snap", "rollback_to_snap"):
        r.do(group, method)
    group.remove_image(r.ioctx, r.name("a"))
    r.do(group, "list_snaps", _show=listed)
    r.attempt("left in the image", lambda: len(list(image.list_snaps())))
    r.do(group, "remove_snap", "t")
    r.attempt("left in the image", lambda: len(list(image.list_snaps())))
    r.do(r.RBD, "group_remove", r.ioctx, r.name("g"))
    r.attempt("left in the image", lambda: len(list(image.list_snaps())))


@scenario
def group_iterators(r: Recorder) -> None:
    r.RBD.group_create(r.ioctx, r.name("g"))
    group = r.rbd.Group(r.ioctx, r.name("g"))
    group.add_image(r.ioctx, r.create())
    group.create_snap("s")
    for method, class_ in (
        ("list_images", "GroupImageIterator"),
        ("list_snaps", "GroupSnapIterator"),
    ):
        r.do(r.rbd, class_, group, _show=listed)
        found = r.do(group, method)
        r.attempt(f"again: {class_}", lambda: [listed(found), listed(found)])  # noqa: B023
        for wrong in (5, "x", r.ioctx):
            r.do(r.rbd, class_, wrong)
        r.do(r.rbd, class_)


@scenario
def group_of_another_pool(r: Recorder) -> None:
    r.RBD.group_create(r.ioctx, r.name("g"))
    group = r.rbd.Group(r.ioctx, r.name("g"))
    other = r.cluster.open_ioctx("rbd") if r.cluster.pool_exists("rbd") else None
    assert other is not None
    r.keep(other)
    image = f"{r.side.pool}-{r.name()}"
    r.RBD.create(other, image, MIB)
    r.do(group, "add_image", r.ioctx, image)
    r.do(group, "add_image", other, image)
    r.do(group, "list_images", _show=listed)
    r.do(group, "create_snap", "s")
    r.do(group, "rollback_to_snap", "s")
    r.do(group, "remove_image", r.ioctx, image)
    r.do(group, "remove_image", other, image)
    r.do(group, "list_images", _show=listed)


@deadly()
def deadly_group_create_without_ioctx(r: Recorder) -> None:
    r.do(r.RBD, "group_create", None, r.name())


@deadly()
def deadly_group_list_without_ioctx(r: Recorder) -> None:
    r.do(r.RBD, "group_list", None)


@deadly()
def deadly_group_list_of_closed_ioctx(r: Recorder) -> None:
    ioctx = r.cluster.open_ioctx(r.side.pool)
    ioctx.close()
    r.do(r.RBD, "group_list", ioctx)


@deadly()
def deadly_group_of_closed_ioctx(r: Recorder) -> None:
    ioctx = r.cluster.open_ioctx(r.side.pool)
    group = r.rbd.Group(ioctx, r.name())
    ioctx.close()
    r.do(group, "list_images")


@deadly()
def deadly_group_with_image_of_closed_ioctx(r: Recorder) -> None:
    r.RBD.group_create(r.ioctx, r.name())
    ioctx = r.cluster.open_ioctx(r.side.pool)
    ioctx.close()
    r.do(r.rbd.Group(r.ioctx, r.name()), "add_image", ioctx, r.create())


@deadly()
def deadly_group_with_image_without_ioctx(r: Recorder) -> None:
    r.RBD.group_create(r.ioctx, r.name())
    r.do(r.rbd.Group(r.ioctx, r.name()), "add_image", None, r.create())


@deadly()
def deadly_images_of_no_group(r: Recorder) -> None:
    r.do(r.rbd, "GroupImageIterator", None)


@deadly(20)
def snapshots_of_no_group(r: Recorder) -> None:
    r.do(r.rbd.Group(r.ioctx, r.name("none")), "list_snaps", _show=listed)
