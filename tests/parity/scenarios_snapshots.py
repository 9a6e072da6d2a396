"""Snapshots: making, listing, selecting, protecting, renaming, rolling back, removing."""

from __future__ import annotations

from .harness import MIB, Recorder, masked, nonempty, scenario, snaps


@scenario
def snapshots(r: Recorder) -> None:
    image = r.new()
    r.do(image, "list_snaps", _show=snaps)
    r.do(image, "create_snap", "s")
    r.do(image, "create_snap", "s")
    r.do(image, "create_snap", name="kw")
    r.do(image, "create_snap", "flags", 0)
    r.do(image, "create_snap", "skip", r.rbd.RBD_SNAP_CREATE_SKIP_QUIESCE)
    r.do(image, "create_snap", "ignore", flags=r.rbd.RBD_SNAP_CREATE_IGNORE_QUIESCE_ERROR)
    r.do(image, "create_snap", "badflags", 2**10)
    r.do(image, "create_snap", "negflags", -1)
    r.do(image, "create_snap", "hugeflags", 2**32)
    r.do(image, "create_snap", "textflags", "x")
    for name in (
        "",
        None,
        5,
        b"bytes",
        "\u00fcn\u00ef-\u65e5\u672c",
        b"latin\xe9",
        "a b",
        "a/b",
        "a@b",
        "x" * 90,
        "x" * 4000,
        [],
    ):
        r.do(image, "create_snap", name)
        r.do(image, "create_snap", name)
        r.do(image, "is_protected_snap", name)
        r.do(image, "protect_snap", name)
        r.do(image, "protect_snap", name)
        r.do(image, "is_protected_snap", name)
        r.do(image, "remove_snap", name)
        r.do(image, "unprotect_snap", name)
        r.do(image, "unprotect_snap", name)
        r.do(image, "set_snap", name)
        r.do(image, "set_snap", None)
        r.do(image, "rename_snap", name, "renamed")
        r.do(image, "rename_snap", "renamed", name)
        r.do(image, "rollback_to_snap", name)
        r.do(image, "remove_snap", name)
        r.do(image, "remove_snap", name)
    r.do(image, "list_snaps", _show=snaps)
    for method in (
        "create_snap",
        "remove_snap",
        "rename_snap",
        "protect_snap",
        "unprotect_snap",
        "is_protected_snap",
        "rollback_to_snap",
        "set_snap",
    ):
        r.do(image, method)
    r.do(image, "remove_snap", "kw")
    r.do(image, "rename_snap", srcname="s", dstname="t")
    r.do(image, "rename_snap", "s", "t")
    r.do(image, "rename_snap", "t", "t")
    r.do(image, "rename_snap", "t", "")
    r.do(image, "rename_snap", "t", None)
    r.do(image, "list_snaps", _show=snaps)


@scenario
def snap_iterator(r: Recorder) -> None:
    image = r.new()
    image.create_snap("s")
    image.resize(MIB)
    image.create_snap("t")
    r.do(r.rbd, "SnapIterator", image, _show=snaps)
    found = r.do(image, "list_snaps")
    image.create_snap("u")
    r.attempt("made before", lambda: snaps(found))
    r.attempt("again", lambda: snaps(found))
    r.attempt("changed by the user", lambda: [snap.clear() for snap in found])
    for snap in image.list_snaps():
        r.note("keys", list(snap))
        r.note("types", [type(value).__name__ for value in snap.values()])
    r.attempt(
        "ids grow",
        lambda: (
            [s["id"] for s in image.list_snaps()] == sorted(s["id"] for s in image.list_snaps())
        ),
    )
    for wrong in (5, None, "x", r.ioctx):
        r.do(r.rbd, "SnapIterator", wrong)
    r.do(r.rbd, "SnapIterator")


@scenario
def selected_snapshot(r: Recorder) -> None:
    image = r.new(size=8 * MIB)
    image.write(b"old", 0)
    image.create_snap("s")
    image.resize(4 * MIB)
    image.write(b"new", 0)
    r.do(image, "read", 0, 3)
    r.do(image, "set_snap", "none")
    r.do(image, "set_snap", "s")
    for _ in range(2):
        r.do(image, "read", 0, 3)
        r.do(image, "size")
        r.do(image, "stat", _show=masked("block_name_prefix"))
        r.do(image, "features")
        r.do(image, "flags")
        r.do(image, "overlap")
        r.do(image, "write", b"x", 0)
        r.do(image, "discard", 0, 1)
        r.do(image, "create_snap", "t")
        r.do(image, "rollback_to_snap", "s")
        r.do(image, "rebuild_object_map")
        r.do(image, "remove_snap", "t")
        r.do(image, "set_snap", None)
    r.do(image, "set_snap", "s")
    r.do(image, "remove_snap", "s")
    r.do(image, "read", 0, 3)
    r.do(image, "size")
    r.do(image, "set_snap", None)
    r.do(image, "size")


@scenario
def rollback(r: Recorder) -> None:
    image = r.new(size=8 * MIB)
    image.write(b"old", 0)
    image.create_snap("s")
    image.write(b"new", 0)
    image.resize(4 * MIB)
    r.do(image, "rollback_to_snap", "none")
    r.do(image, "rollback_to_snap", "s")
    r.do(image, "size")
    r.do(image, "read", 0, 3)
    r.do(image, "rollback_to_snap", "s")
    r.do(image, "protect_snap", "s")
    r.do(image, "rollback_to_snap", "s")
    r.do(image, "remove_snap", "s")
    r.do(image, "rename_snap", "s", "t")
    r.do(image, "is_protected_snap", "t")
    r.do(image, "unprotect_snap", "t")
    r.do(image, "remove_snap", "t")
    r.do(image, "list_snaps", _show=snaps)


@scenario
def snapshots_of_read_write_users(r: Recorder) -> None:
    """Snapshots that another client makes are seen."""
    name = r.create()
    image = r.open(name)
    with r.connect().open_ioctx(r.side.pool) as ioctx, r.rbd.Image(ioctx, name) as other:
        other.create_snap("theirs")
        r.do(image, "list_snaps", _show=snaps)
        r.do(image, "create_snap", "theirs")
        r.do(image, "set_snap", "theirs")
        r.do(other, "remove_snap", "theirs")
        r.do(image, "set_snap", None)
        r.do(image, "list_snaps", _show=snaps)
    r.do(image, "id", _show=nonempty)
