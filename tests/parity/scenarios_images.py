"""Making, listing, renaming, removing and opening images."""

from __future__ import annotations

from typing import Any

from .harness import MIB, Recorder, masked, scenario


def facts(r: Recorder, name: Any) -> None:
    """Records what an image has become."""
    with r.part(f"facts of {name!r}"):
        try:
            image = r.rbd.Image(r.ioctx, name)
        except r.rbd.ImageNotFound:
            r.note("exists", False)
            return
        try:
            for method in ("size", "features", "old_format", "stripe_unit", "stripe_count"):
                r.do(image, method)
            r.do(image, "stat", _show=masked("block_name_prefix"))
        finally:
            image.close()


@scenario
def create_size(r: Recorder) -> None:
    for suffix, size in enumerate(
        (0, 1, 5, 10 * MIB, 2**40, 2**63, 2**64 - 1, 2**64, -1, "5", None, True, b"5", [])
    ):
        name = r.name(str(suffix))
        r.do(r.RBD, "create", r.ioctx, name, size)
        facts(r, name)


@scenario
def create_float(r: Recorder) -> None:
    r.do(r.RBD, "create", r.ioctx, r.name(), 1.5)
    r.do(r.RBD, "create", r.ioctx, r.name("b"), MIB, 22.0)


@scenario
def create_order(r: Recorder) -> None:
    for suffix, order in enumerate(
        (None, 0, 1, 11, 12, 16, 22, 25, 26, 64, 99, -1, -(2**31), 2**31, 2**40, 2**64, "22", b"")
    ):
        name = r.name(str(suffix))
        r.do(r.RBD, "create", r.ioctx, name, 5 * MIB, order=order)
        facts(r, name)


@scenario
def create_features(r: Recorder) -> None:
    combinations = (0, None, 1, 3, 4, 5, 8, 13, 16, 29, 61, 128, 2**20, 2**63, 2**64, -1, "1")
    for suffix, features in enumerate(combinations):
        name = r.name(str(suffix))
        r.do(r.RBD, "create", r.ioctx, name, MIB, old_format=False, features=features)
        facts(r, name)
    for suffix, features in enumerate((0, None, 1)):
        name = r.name(f"old{suffix}")
        r.do(r.RBD, "create", r.ioctx, name, MIB, old_format=True, features=features)
        facts(r, name)


@scenario
def create_striping(r: Recorder) -> None:
    for suffix, (unit, count) in enumerate(
        (
            (65536, 4),
            (0, 0),
            (None, None),
            (65536, 0),
            (0, 4),
            (65536, 1),
            (4 * MIB, 1),
            (8 * MIB, 2),
            (3, 2),
            (-1, 2),
            (65536, 2**64),
            ("65536", 4),
        )
    ):
        for features in (None, 3):
            name = r.name(f"{suffix}-{features}")
            r.do(
                r.RBD,
                "create",
                r.ioctx,
                name,
                5 * MIB,
                features=features,
                stripe_unit=unit,
                stripe_count=count,
            )
            facts(r, name)
    r.do(r.RBD, "create", r.ioctx, r.name("o"), MIB, None, True, None, 65536, 4)


@scenario
def create_data_pool(r: Recorder) -> None:
    pool = r.side.pool
    for suffix, data_pool in enumerate((pool, pool.encode(), "", "no-such-pool", 5)):
        name = r.name(str(suffix))
        r.do(r.RBD, "create", r.ioctx, name, MIB, data_pool=data_pool)
        facts(r, name)


@scenario
def create_names(r: Recorder) -> None:
    prefix = r.name()
    for name in (
        "",
        None,
        5,
        5.5,
        [],
        bytearray(b"x"),
        f"{prefix}-plain",
        f"{prefix}-bytes".encode(),
        f"{prefix}-\u00fcn\u00ef-\u65e5\u672c-\U0001f600",
        f"{prefix}-latin\xe9".encode("latin-1"),
        f"{prefix} space",
        f"{prefix}/slash",
        f"{prefix}@at",
        f"{prefix}\nline",
        f"-{prefix}",
        prefix + "x" * 80,
        prefix + "x" * 5000,
    ):
        r.do(r.RBD, "create", r.ioctx, name, MIB)
        r.do(r.RBD, "create", r.ioctx, name, MIB)
        # of other types the standard binding dies, see scenarios_deadly.py
        known = name is None or isinstance(name, (bytes, str))
        opened = r.do(r.rbd, "Image", r.ioctx, name) if known else None
        if opened is not None:
            r.do(opened, "get_name")
            opened.close()
        r.do(r.RBD, "rename", r.ioctx, name, r.name("renamed"))
        r.do(r.RBD, "rename", r.ioctx, r.name("renamed"), name)
        r.do(r.RBD, "remove", r.ioctx, name)


@scenario
def create_names_list(r: Recorder) -> None:
    """Names as str and as bytes are the same names."""
    prefix = r.name()
    names = [f"{prefix}-\u00e9\u65e5", f"{prefix}-b"]
    r.do(r.RBD, "create", r.ioctx, names[0].encode(), MIB)
    r.do(r.RBD, "create", r.ioctx, names[0], MIB)
    r.do(r.RBD, "create", r.ioctx, names[1], MIB)
    r.do(r.RBD, "list", r.ioctx, _show=lambda value: sorted(n for n in value if prefix in n))


@scenario
def names_with_nul(r: Recorder) -> None:
    name = r.name("x\0y")
    r.do(r.RBD, "create", r.ioctx, name, MIB)
    image = r.new("plain")
    r.do(r.rbd, "Image", r.ioctx, r.name("plain\0x"))
    r.do(image, "create_snap", "s\0t")
    r.do(r.RBD, "rename", r.ioctx, r.name("nothing\0x"), r.name("more"))


@scenario
def names_not_utf8(r: Recorder) -> None:
    r.do(r.RBD, "create", r.ioctx, "\ud800", MIB)
    r.do(r.RBD, "remove", r.ioctx, "\ud800")


@scenario
def create_arguments(r: Recorder) -> None:
    r.do(r.RBD, "create")
    r.do(r.RBD, "create", r.ioctx)
    r.do(r.RBD, "create", r.ioctx, r.name())
    r.do(r.RBD, "create", r.ioctx, r.name(), MIB, foo=1)
    r.do(r.RBD, "list")
    r.do(r.RBD, "remove", r.ioctx)
    r.do(r.RBD, "rename", r.ioctx, r.name())
    r.do(r.RBD, "clone", r.ioctx, r.name())


@scenario
def list_remove_rename(r: Recorder) -> None:
    mine = {"_show": lambda value: sorted(n for n in value if n.startswith(r.scenario))}
    r.do(r.RBD, "list", r.ioctx, **mine)
    names = [r.create(suffix) for suffix in "abc"]
    r.do(r.RBD, "list", r.ioctx, **mine)
    r.do(r.RBD, "remove", r.ioctx, r.name("z"))
    r.do(r.RBD, "remove", r.ioctx, None)
    r.do(r.RBD, "remove", r.ioctx, "")
    r.do(r.RBD, "rename", r.ioctx, r.name("z"), r.name("y"))
    r.do(r.RBD, "rename", r.ioctx, names[0], names[1])
    r.do(r.RBD, "rename", r.ioctx, names[0], names[0])
    r.do(r.RBD, "rename", r.ioctx, names[0], "")
    r.do(r.RBD, "rename", r.ioctx, "", names[0])
    r.do(r.RBD, "rename", r.ioctx, names[0], None)
    r.do(r.RBD, "rename", r.ioctx, None, names[0])
    r.do(r.RBD, "rename", ioctx=r.ioctx, src=names[0], dest=r.name("d"))
    r.do(r.RBD, "list", r.ioctx, **mine)
    image = r.open(r.name("d"))
    r.do(r.RBD, "rename", r.ioctx, r.name("d"), r.name("e"))
    r.do(image, "get_name")
    r.do(image, "read", 0, 1)
    image.close()
    with_snap = r.open(names[1])
    with_snap.create_snap("s")
    r.do(r.RBD, "remove", r.ioctx, names[1])
    with_snap.close()
    r.do(r.RBD, "remove", r.ioctx, names[1])
    r.do(r.RBD, "remove", ioctx=r.ioctx, name=names[2])
    seen: list[tuple[int, int]] = []

    def progress(done: int, total: int) -> int:
        seen.append((done, total))
        return 0

    r.do(r.RBD, "remove", r.ioctx, r.name("e"), progress)
    r.note("progress", [bool(seen), seen[-1:] and seen[-1][0] <= seen[-1][1]])
    r.do(r.RBD, "list", r.ioctx, **mine)


@scenario
def remove_open_image(r: Recorder) -> None:
    """An image that another client has open and writes to."""
    name = r.create()
    other = r.connect()
    with other.open_ioctx(r.side.pool) as ioctx:
        image = r.rbd.Image(ioctx, name)
        image.write(b"x", 0)
        r.do(r.RBD, "remove", r.ioctx, name)
        image.close()
    r.do(r.RBD, "remove", r.ioctx, name)


@scenario
def remove_progress_none(r: Recorder) -> None:
    """Progress functions that return None or raise."""
    seen: list[int] = []

    def returns_none(done: int, total: int) -> None:
        seen.append(done)

    def raises(done: int, total: int) -> int:
        raise KeyError("progress")

    r.do(r.RBD, "remove", r.ioctx, r.create("none"), returns_none)
    r.note("seen", bool(seen))
    r.do(r.RBD, "remove", r.ioctx, r.create("raises"), raises)
    r.do(r.rbd, "Image", r.ioctx, r.name("raises"))


@scenario
def progress_not_callable(r: Recorder) -> None:
    r.do(r.RBD, "remove", r.ioctx, r.name("none"), on_progress=5)
    r.do(r.new(), "flatten", on_progress=5)


@scenario
def open_image(r: Recorder) -> None:
    name = r.create()
    image = r.open(name)
    image.create_snap("s")
    image_id = image.id()
    r.do(r.rbd, "Image", r.ioctx, r.name("z"))
    r.do(r.rbd, "Image", r.ioctx, name, "none")
    r.do(r.rbd, "Image", r.ioctx, name, "")
    r.do(r.rbd, "Image", r.ioctx, name, snapshot="s")
    r.do(r.rbd, "Image", r.ioctx, name, b"s")
    r.do(r.rbd, "Image", r.ioctx, name, None, True)
    r.do(r.rbd, "Image", r.ioctx, name.encode(), read_only=True)
    r.do(r.rbd, "Image", r.ioctx, name, read_only=None)
    r.do(r.rbd, "Image", r.ioctx, name=name, snapshot="s", read_only=True)
    r.do(r.rbd, "Image", ioctx=r.ioctx, name=name)
    r.do(r.rbd, "Image", r.ioctx)
    r.do(r.rbd, "Image", r.ioctx, "")
    r.do(r.rbd, "Image", r.ioctx, name, image_id="x")
    r.do(r.rbd, "Image", r.ioctx, image_id="nope")
    with r.part("by id"):
        r.attempt("open", lambda: r.keep(r.rbd.Image(r.ioctx, image_id=image_id)).get_name())
        r.attempt(
            "at a snapshot",
            lambda: r.keep(r.rbd.Image(r.ioctx, snapshot="s", image_id=image_id)).size(),
        )
        r.attempt(
            "read only",
            lambda: r.keep(r.rbd.Image(r.ioctx, None, None, True, image_id)).write(b"x", 0),
        )


@scenario
def version(r: Recorder) -> None:
    r.do(r.RBD, "version")
    r.do(r.RBD, "version", 1)
    r.do(r.rbd, "RBD")
    r.do(r.rbd, "RBD", 1)
