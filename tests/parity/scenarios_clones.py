"""Clones, their parents and children."""

from __future__ import annotations

from typing import Any

from .harness import MIB, Recorder, masked, scenario
from .scenarios_images import facts


def parent(r: Recorder, protect: bool = True) -> Any:
    """An open image with a snapshot "s"."""
    image = r.new("parent", size=8 * MIB)
    image.write(b"parent", 0)
    image.create_snap("s")
    if protect:
        image.protect_snap("s")
    return image


@scenario
def clone(r: Recorder) -> None:
    image = parent(r, protect=False)
    name = r.name("parent")
    layering = r.rbd.RBD_FEATURE_LAYERING
    r.do(r.RBD, "clone", r.ioctx, name, "s", r.ioctx, r.name("unprotected"))
    image.protect_snap("s")
    for suffix, options in (
        ("plain", {}),
        ("layering", {"features": layering}),
        ("none", {"features": None, "order": None, "stripe_unit": None, "stripe_count": None}),
        ("order", {"features": layering, "order": 20}),
        ("order0", {"features": layering, "order": 0}),
        ("order99", {"features": layering, "order": 99}),
        ("negative", {"features": layering, "order": -1}),
        ("hugeorder", {"features": layering, "order": 2**64}),
        ("text", {"features": layering, "order": "22"}),
        ("nolayering", {"features": 4}),
        ("unknown", {"features": 2**20}),
        ("textfeatures", {"features": "1"}),
        ("striped", {"features": 3, "stripe_unit": 65536, "stripe_count": 4}),
        ("stripe0", {"features": layering, "stripe_unit": 0, "stripe_count": 0}),
        ("badstripe", {"features": layering, "stripe_unit": 65536}),
        ("pool", {"data_pool": r.side.pool}),
        ("nopool", {"data_pool": "no-such-pool"}),
        ("foo", {"foo": 1}),
    ):
        made = r.name(suffix)
        r.do(r.RBD, "clone", r.ioctx, name, "s", r.ioctx, made, **options)
        facts(r, made)
    r.do(r.RBD, "clone", r.ioctx, name, "s", r.ioctx, r.name("pos"), layering, None, 0, 0)
    facts(r, r.name("pos"))
    r.do(r.RBD, "clone", r.ioctx, name, p_snapname="s", c_ioctx=r.ioctx, c_name=r.name("kw"))
    r.do(
        r.RBD,
        "clone",
        p_ioctx=r.ioctx,
        p_name=name,
        p_snapname="s",
        c_ioctx=r.ioctx,
        c_name=r.name("kws"),
        features=layering,
        order=21,
    )
    facts(r, r.name("kws"))
    r.do(r.RBD, "clone", r.ioctx, name, "s", r.ioctx, r.name("plain"))
    r.do(r.RBD, "clone", r.ioctx, name, "s", r.ioctx, name)
    r.do(r.RBD, "clone", r.ioctx, name, "none", r.ioctx, r.name("x"))
    r.do(r.RBD, "clone", r.ioctx, r.name("none-such"), "s", r.ioctx, r.name("x"))
    r.do(r.RBD, "clone", r.ioctx, "", "s", r.ioctx, r.name("x"))
    r.do(r.RBD, "clone", r.ioctx, name, "s", r.ioctx, "")
    r.do(r.RBD, "clone", r.ioctx, name, None, r.ioctx, r.name("x"))
    r.do(r.RBD, "clone", r.ioctx, None, "s", r.ioctx, r.name("x"))
    r.do(r.RBD, "clone", r.ioctx, name, "s", r.ioctx, None)
    r.do(r.RBD, "clone", r.ioctx, name.encode(), b"s", r.ioctx, r.name("bytes").encode())
    r.do(r.RBD, "list", r.ioctx, _show=lambda names: sorted(n for n in names if r.scenario in n))


@scenario
def clone_without_features(r: Recorder) -> None:
    """features=0, the default of the reference."""
    parent(r)
    r.do(r.RBD, "clone", r.ioctx, r.name("parent"), "s", r.ioctx, r.name("zero"), features=0)
    r.do(r.RBD, "clone", r.ioctx, r.name("parent"), "s", r.ioctx, r.name("zeros"), 0, None, 0, 0)
    r.attempt("made", lambda: r.open(r.name("zero")).features())


@scenario
def clone_of_image_without_layering(r: Recorder) -> None:
    image = r.new("parent", features=4)
    image.create_snap("s")
    r.do(image, "protect_snap", "s")
    r.do(r.RBD, "clone", r.ioctx, r.name("parent"), "s", r.ioctx, r.name("c"), features=1)


@scenario
def family(r: Recorder) -> None:
    image = parent(r)
    r.do(image, "list_children")
    for suffix in ("one", "two", "t\u00fcr"):
        r.RBD.clone(r.ioctx, r.name("parent"), "s", r.ioctx, r.name(suffix))
    r.do(image, "list_children", _show=sorted)
    r.do(image, "set_snap", "s")
    r.do(image, "list_children", _show=sorted)
    r.do(image, "set_snap", None)
    r.do(image, "unprotect_snap", "s")
    child = r.open(r.name("one"))
    r.do(child, "parent_info")
    r.do(child, "overlap")
    r.do(child, "stat", _show=masked("block_name_prefix"))
    r.do(child, "read", 0, 10)
    r.do(child, "write", b"CHILD", 1)
    r.do(child, "read", 0, 10)
    r.do(child, "create_snap", "c")
    r.do(child, "resize", 4 * MIB)
    r.do(child, "overlap")
    r.do(child, "set_snap", "c")
    r.do(child, "overlap")
    r.do(child, "parent_info")
    r.do(child, "set_snap", None)
    r.do(child, "resize", 16 * MIB)
    r.do(child, "overlap")
    r.do(child, "resize", 0)
    r.do(child, "overlap")
    r.do(child, "parent_info")
    r.do(child, "resize", 8 * MIB)
    seen: list[tuple[int, int]] = []

    def progress(done: int, total: int) -> int:
        seen.append((done, total))
        return 0

    two = r.open(r.name("two"))
    r.do(two, "flatten", progress)
    r.note("progress", seen)
    r.do(two, "flatten")
    r.do(two, "parent_info")
    r.do(two, "overlap")
    r.do(two, "read", 0, 10)
    r.do(image, "list_children", _show=sorted)
    three = r.open(r.name("t\u00fcr"))
    r.do(three, "flatten", on_progress=None)
    r.do(child, "flatten")
    r.do(child, "remove_snap", "c")
    r.do(image, "list_children", _show=sorted)
    r.do(image, "unprotect_snap", "s")
    r.do(image, "remove_snap", "s")


@scenario
def children_of_several_snapshots(r: Recorder) -> None:
    image = parent(r)
    image.create_snap("t")
    image.protect_snap("t")
    r.RBD.clone(r.ioctx, r.name("parent"), "s", r.ioctx, r.name("of-s"))
    r.RBD.clone(r.ioctx, r.name("parent"), "t", r.ioctx, r.name("of-t"))
    r.do(image, "list_children", _show=sorted)
    for snap in ("s", "t"):
        r.do(image, "set_snap", snap)
        r.do(image, "list_children")
    image.set_snap(None)
    with r.rbd.Image(r.ioctx, r.name("of-s")) as child:
        child.create_snap("x")
        child.protect_snap("x")
    r.RBD.clone(r.ioctx, r.name("of-s"), "x", r.ioctx, r.name("grandchild"))
    r.do(image, "list_children", _show=sorted)
    with r.rbd.Image(r.ioctx, r.name("grandchild")) as grandchild:
        r.do(grandchild, "parent_info")
        r.do(grandchild, "read", 0, 6)
    r.do(r.RBD, "remove", r.ioctx, r.name("of-s"))
    r.do(r.RBD, "remove", r.ioctx, r.name("parent"))
    r.do(r.RBD, "remove", r.ioctx, r.name("grandchild"))


@scenario
def clone_renamed_parent(r: Recorder) -> None:
    image = parent(r)
    r.RBD.clone(r.ioctx, r.name("parent"), "s", r.ioctx, r.name("c"))
    child = r.open(r.name("c"))
    r.do(r.RBD, "rename", r.ioctx, r.name("parent"), r.name("moved"))
    r.do(image, "rename_snap", "s", "t")
    r.do(child, "parent_info")
    with r.rbd.Image(r.ioctx, r.name("c")) as again:
        r.do(again, "parent_info")


@scenario
def clone_in_trash(r: Recorder) -> None:
    """A clone that is moved to the trash (`rbd trash mv`) is not among the children."""
    image = parent(r)
    for suffix in ("kept", "trashed"):
        r.RBD.clone(r.ioctx, r.name("parent"), "s", r.ioctx, r.name(suffix))
    trash(r, r.name("trashed"))
    r.do(image, "list_children", _show=sorted)
    image.set_snap("s")
    r.do(image, "list_children", _show=sorted)
    image.set_snap(None)
    r.do(r.rbd, "Image", r.ioctx, r.name("trashed"))
    r.do(r.RBD, "list", r.ioctx, _show=lambda names: sorted(n for n in names if r.scenario in n))
    r.do(image, "unprotect_snap", "s")
    trash(r, r.name("kept"))
    r.do(image, "list_children", _show=sorted)


@scenario
def parent_in_trash(r: Recorder) -> None:
    """A parent in the trash, which clones of format 2 can have."""
    image = r.new("parent")
    image.create_snap("s")
    image.close()
    made_from = f"{r.side.pool}/{r.name('parent')}@s"
    rbd_tool(r, "clone", "--rbd-default-clone-format=2", made_from, f"{r.side.pool}/{r.name('c')}")
    with r.rbd.Image(r.ioctx, r.name("c")) as child:
        r.do(child, "parent_info")
    with r.rbd.Image(r.ioctx, r.name("parent")) as image:
        r.do(image, "remove_snap", "s")
        r.do(image, "list_snaps", _show=lambda found: [s["namespace"] for s in found])
        r.do(image, "list_children")
    with r.rbd.Image(r.ioctx, r.name("c")) as child:
        r.do(child, "parent_info", _show=lambda value: (value[0], value[1], type(value[2])))
    trash(r, r.name("parent"))
    with r.rbd.Image(r.ioctx, r.name("c")) as child:
        r.do(child, "parent_info", _show=lambda value: (value[0], value[1], type(value[2])))
        r.do(child, "overlap")


def trash(r: Recorder, name: str) -> None:
    rbd_tool(r, "trash", "mv", f"{r.side.pool}/{name}")


def rbd_tool(r: Recorder, *arguments: str) -> None:
    """The command line tool of Ceph."""
    import subprocess

    subprocess.run(
        ["rbd", "-c", r.conf, *arguments],
        check=True,
        capture_output=True,
        timeout=30,
    )
