"""Facts about images, resizing, features, copies."""

from __future__ import annotations

from typing import Any

from .harness import MIB, Recorder, kind, masked, nonempty, scenario
from .scenarios_images import facts


@scenario
def info(r: Recorder) -> None:
    image = r.new(size=10 * MIB)
    r.do(image, "stat", _show=masked("block_name_prefix"))
    for method in (
        "size",
        "features",
        "flags",
        "overlap",
        "parent_info",
        "old_format",
        "stripe_unit",
        "stripe_count",
        "is_exclusive_lock_owner",
        "list_children",
        "list_lockers",
        "flatten",
        "rebuild_object_map",
        "get_name",
    ):
        r.do(image, method)
        r.do(image, method, 1, 2)
    r.do(image, "list_snaps", _show=list)
    r.do(image, "id", _show=nonempty)
    r.do(image, "block_name_prefix", _show=nonempty)
    r.attempt("prefix", lambda: image.stat()["block_name_prefix"] == image.block_name_prefix())
    r.do(image, "write", b"x", 0)
    r.do(image, "is_exclusive_lock_owner")
    striped = r.new("striped", size=10 * MIB, features=3, stripe_unit=65536, stripe_count=4)
    for method in ("features", "stripe_unit", "stripe_count", "flags", "is_exclusive_lock_owner"):
        r.do(striped, method)
    r.do(striped, "rebuild_object_map")


@scenario
def exclusive_lock_owner_of_two(r: Recorder) -> None:
    name = r.create()
    first = r.open(name)
    first.write(b"x", 0)
    with r.connect().open_ioctx(r.side.pool) as ioctx:
        second = r.rbd.Image(ioctx, name)
        try:
            r.do(first, "is_exclusive_lock_owner")
            r.do(second, "is_exclusive_lock_owner")
            r.do(second, "read", 0, 1)
            r.do(second, "is_exclusive_lock_owner")
        finally:
            second.close()


@scenario
def resize(r: Recorder) -> None:
    image = r.new(size=8 * MIB)
    image.write(b"x" * (8 * MIB), 0)
    for size in (8 * MIB, 16 * MIB, 4 * MIB + 5, 5, 0, 1, 8 * MIB):
        r.do(image, "resize", size)
        r.do(image, "size")
        r.do(image, "read", 0, 8 * MIB)
    # near 2**63 the library loses its object map, and dies in the next call
    for size in (-1, 2**64, "5", None, b"5", []):
        r.do(image, "resize", size)
        r.do(image, "size")
    r.do(image, "resize", MIB, False)
    r.do(image, "resize", MIB, allow_shrink=False)
    r.do(image, "resize", 9 * MIB, False)
    r.do(image, "resize", size=10 * MIB, allow_shrink=False)
    r.do(image, "resize", size=10 * MIB, allow_shrink=False)
    r.do(image, "size")
    r.do(image, "resize", MIB, allow_shrink=True)
    r.do(image, "resize")
    r.do(image, "resize", MIB, foo=True)
    image.create_snap("s")
    r.do(image, "resize", 2 * MIB)
    image.set_snap("s")
    r.do(image, "size")
    r.do(image, "resize", MIB)
    r.do(image, "resize", MIB, False)
    r.do(image, "stat", _show=masked("block_name_prefix"))
    image.set_snap(None)
    r.do(image, "size")


@scenario
def update_features(r: Recorder) -> None:
    rbd = r.rbd
    image = r.new(features=61)
    for features, enabled in (
        (rbd.RBD_FEATURE_FAST_DIFF, False),
        (rbd.RBD_FEATURE_FAST_DIFF, False),
        (rbd.RBD_FEATURE_FAST_DIFF, True),
        (rbd.RBD_FEATURE_FAST_DIFF, True),
        (rbd.RBD_FEATURE_EXCLUSIVE_LOCK, False),
        (rbd.RBD_FEATURE_OBJECT_MAP | rbd.RBD_FEATURE_FAST_DIFF, False),
        (rbd.RBD_FEATURE_EXCLUSIVE_LOCK, False),
        (rbd.RBD_FEATURE_OBJECT_MAP, True),
        (rbd.RBD_FEATURE_EXCLUSIVE_LOCK | rbd.RBD_FEATURE_OBJECT_MAP, True),
        (rbd.RBD_FEATURE_LAYERING, False),
        (rbd.RBD_FEATURE_DEEP_FLATTEN, False),
        (rbd.RBD_FEATURE_DEEP_FLATTEN, True),
        (rbd.RBD_FEATURE_STRIPINGV2, True),
        (0, False),
        (0, True),
        (2**40, True),
        (2**63, True),
        (2**64, True),
        (-1, True),
        ("1", True),
        (None, True),
    ):
        r.do(image, "update_features", features, enabled)
        r.do(image, "features")
        r.do(image, "flags")
    r.do(image, "update_features", features=rbd.RBD_FEATURE_FAST_DIFF, enabled=True)
    r.do(image, "update_features", rbd.RBD_FEATURE_FAST_DIFF)
    r.do(image, "update_features", rbd.RBD_FEATURE_FAST_DIFF, 0)
    r.do(image, "update_features", rbd.RBD_FEATURE_FAST_DIFF, "yes")
    r.do(image, "update_features", rbd.RBD_FEATURE_FAST_DIFF, None)
    r.do(image, "rebuild_object_map")
    r.do(image, "flags")


@scenario
def copy(r: Recorder) -> None:
    image = r.new(size=6 * MIB)
    image.write(b"before", 5 * MIB)
    image.create_snap("s")
    image.write(b"after.", 5 * MIB)

    def check(suffix: str) -> None:
        facts(r, r.name(suffix))
        try:
            with r.rbd.Image(r.ioctx, r.name(suffix)) as made:
                r.do(made, "read", 5 * MIB, 6)
                r.do(made, "list_snaps", _show=list)
        except r.rbd.ImageNotFound:
            pass

    r.do(image, "copy", r.ioctx, r.name("plain"))
    check("plain")
    r.do(image, "copy", r.ioctx, r.name("plain"))
    r.do(image, "copy", r.ioctx, r.name())
    for suffix, options in (
        ("features", {"features": 1}),
        ("order", {"order": 20}),
        ("striped", {"features": 3, "order": 20, "stripe_unit": 65536, "stripe_count": 4}),
        ("striped0", {"features": 1, "stripe_unit": 0, "stripe_count": 0}),
        ("none", {"features": None, "order": None, "stripe_unit": None, "stripe_count": None}),
        ("pool", {"data_pool": r.side.pool}),
        ("no-pool", {"data_pool": "no-such-pool"}),
        ("badorder", {"order": 99}),
        ("order0", {"order": 0}),
        ("negative", {"order": -1}),
        ("unknown", {"features": 2**20}),
        ("text", {"features": "x"}),
        ("hugeorder", {"order": 2**64}),
        ("badstripe", {"stripe_unit": 65536}),
        ("foo", {"foo": 1}),
    ):
        r.do(image, "copy", r.ioctx, r.name(suffix), **options)
        check(suffix)
    r.do(image, "copy", r.ioctx, r.name("positional"), 1, 21, 0, 0)
    check("positional")
    r.do(image, "copy", dest_ioctx=r.ioctx, dest_name=r.name("keywords"), features=1)
    check("keywords")
    image.set_snap("s")
    r.do(image, "copy", r.ioctx, r.name("snap"))
    check("snap")
    image.set_snap(None)
    r.do(image, "copy", r.ioctx, "")
    r.do(image, "copy", r.ioctx, None)
    r.do(image, "copy", r.ioctx, r.name("b").encode())
    r.do(image, "copy", r.ioctx)


@scenario
def copy_without_features(r: Recorder) -> None:
    """features=0, the default of the reference."""
    image = r.new()
    r.do(image, "copy", r.ioctx, r.name("zero"), features=0)
    facts(r, r.name("zero"))


@scenario
def context_manager(r: Recorder) -> None:
    name = r.create()
    with r.rbd.Image(r.ioctx, name) as image:
        r.do(image, "size")
        r.note("same", type(image).__name__)
    r.do(image, "size")

    def body(error: Any) -> Any:
        with r.rbd.Image(r.ioctx, name) as opened:
            if error is not None:
                raise error
        return opened.size()

    r.attempt("raises in the body", lambda: body(KeyError("x")))
    r.attempt("after the body", lambda: body(None))
    r.attempt("hashable", lambda: kind(hash(image)))
    r.attempt("equal to itself", lambda: image == image)
