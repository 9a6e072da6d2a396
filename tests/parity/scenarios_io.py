"""Reading, writing, discarding."""

from __future__ import annotations

import array
from typing import Any

from .harness import MIB, Recorder, scenario

SIZE = 8 * MIB


@scenario
def write(r: Recorder) -> None:
    image = r.new(size=SIZE)
    r.do(image, "write", b"foo" * 200, 0)
    r.do(image, "read", 0, 600)
    r.do(image, "write", b"", 0)
    r.do(image, "write", b"", SIZE)
    r.do(image, "write", b"", 2 * SIZE)
    for offset in (
        SIZE - 3,
        SIZE - 1,
        SIZE,
        SIZE + 1,
        2**62,
        2**63,
        2**64 - 1,
        2**64,
        -1,
        -(2**63),
    ):
        r.do(image, "write", b"xyz", offset)
    for offset in ("0", None, b"0", True, []):
        r.do(image, "write", b"xyz", offset)
    r.do(image, "read", SIZE - 4, 4)
    for data in ("text", None, 5, [1, 2], 5.5, object()):
        r.do(image, "write", data, 0)
    for flags in (0, 4, 8, 16, 32, 64, 2**20, 2**31 - 1, 2**31, 2**32, -1, "a", None):
        r.do(image, "write", b"xyz", 0, flags)
    r.do(image, "write", data=b"kw", offset=1, fadvise_flags=32)
    r.do(image, "write", b"kw", offset=2)
    r.do(image, "write", b"kw")
    r.do(image, "write")
    r.do(image, "write", b"kw", 0, 0, 0)
    r.do(image, "write", b"kw", 0, foo=1)
    r.do(image, "read", 0, 8)
    r.do(image, "write", b"z" * SIZE, 0)
    r.do(image, "write", b"z" * (SIZE + 1), 0)
    r.do(image, "write", bytes(range(256)) * 4096, 4 * MIB - 1000)
    r.do(image, "read", 4 * MIB - 2000, MIB + 4000)


@scenario
def write_buffers(r: Recorder) -> None:
    """What is not bytes."""
    image = r.new()
    for data in (
        bytearray(b"xyz"),
        memoryview(b"xyz"),
        array.array("B", b"xyz"),
        type("B", (bytes,), {})(b"xyz"),
    ):
        r.do(image, "write", data, 0)
        r.do(image, "read", 0, 3)


@scenario
def floats(r: Recorder) -> None:
    """Floats where integers are expected."""
    image = r.new()
    r.do(image, "write", b"xyz", 1.0)
    r.do(image, "read", 0.0, 1)
    r.do(image, "read", 0, 1.5)
    r.do(image, "discard", 0.0, 1)
    r.do(image, "resize", 4.0 * MIB)
    r.do(image, "diff_iterate", 0.0, 1, None, print)
    r.do(image, "update_features", 16.0, False)


@scenario
def read(r: Recorder) -> None:
    image = r.new(size=SIZE)
    image.write(bytes(range(250)) * 40, 0)
    image.write(b"end", SIZE - 3)
    for length in (0, 1, 2, 3, 600, MIB, SIZE - 1, SIZE, SIZE + 1, 2 * SIZE):
        r.do(image, "read", 0, length)
    for offset in (SIZE - 3, SIZE - 1, SIZE, SIZE + 1, 2**62, 2**63, 2**64 - 1, 2**64, -1):
        for length in (0, 1, 10):
            r.do(image, "read", offset, length)
    for length in (-1, -(2**63), 2**63, 2**64 - 1, 2**64, "1", None, b"1", True, []):
        r.do(image, "read", 0, length)
    for offset in ("0", None, True, []):
        r.do(image, "read", offset, 1)
    for flags in (0, 4, 8, 16, 32, 64, 2**20, 2**31 - 1, 2**31, 2**32, -1, "a", None):
        r.do(image, "read", 0, 3, flags)
    r.do(image, "read", offset=5, length=3, fadvise_flags=32)
    r.do(image, "read", 5, length=3)
    r.do(image, "read", 5)
    r.do(image, "read")
    r.do(image, "read", 0, 1, 0, 0)


@scenario
def read_of_empty_image(r: Recorder) -> None:
    image = r.new(size=0)
    r.do(image, "read", 0, 0)
    r.do(image, "read", 0, 1)
    r.do(image, "write", b"", 0)
    r.do(image, "write", b"x", 0)
    r.do(image, "discard", 0, 0)
    r.do(image, "discard", 0, 1)
    r.do(image, "diff_iterate", 0, 0, None, print)
    r.do(image, "size")
    r.do(image, "resize", 5)
    r.do(image, "read", 0, 9)


@scenario
def discard(r: Recorder) -> None:
    image = r.new(size=SIZE)

    def holds() -> None:
        extents: list[Any] = []
        image.diff_iterate(0, SIZE, None, lambda *extent: extents.append(extent))
        r.note("extents", extents)

    image.write(b"x" * SIZE, 0)
    holds()
    for offset, length in (
        (0, 4096),
        (0, 0),
        (SIZE, 0),
        (SIZE, 1),
        (2 * SIZE, 1),
        (2 * SIZE, 0),
        (SIZE - 1, 100),
        (4 * MIB, 4 * MIB),
        (-1, 1),
        (0, -1),
        (2**63, 1),
        (2**64, 1),
        (0, 2**64),
        ("0", 1),
        (0, "1"),
        (None, 1),
        (0, None),
        (True, True),
    ):
        r.do(image, "discard", offset, length)
    holds()
    r.do(image, "discard", offset=4096, length=4096)
    r.do(image, "discard", 0)
    r.do(image, "read", 0, 3 * 4096)
    r.do(image, "discard", 0, SIZE)
    r.do(image, "discard", 0, 2**31 - 1)
    holds()


@scenario
def discard_long(r: Recorder) -> None:
    """Lengths that do not fit into an int of C."""
    image = r.new(size=SIZE)
    image.write(b"x" * SIZE, 0)
    for length in (2**31, 2**32, 2**32 + 4096, 2**63 - 1, 2**63, 2**64 - 1):
        r.do(image, "discard", 0, length)
    r.do(image, "read", 0, SIZE)
    r.do(image, "discard", SIZE, 2**31)
    r.do(image, "discard", 2 * SIZE, 2**31)


@scenario
def flush_and_cache(r: Recorder) -> None:
    image = r.new()
    r.do(image, "flush")
    r.do(image, "write", b"abc", 0)
    r.do(image, "flush")
    r.do(image, "invalidate_cache")
    r.do(image, "read", 0, 3)
    r.do(image, "flush", 1)
    r.do(image, "invalidate_cache", 1)


@scenario
def read_only(r: Recorder) -> None:
    name = r.create()
    with r.rbd.Image(r.ioctx, name) as image:
        image.write(b"abc", 0)
        image.create_snap("s")
        image.create_snap("t")
        image.write(b"def", 0)
    for title, options in (
        ("read only", {"read_only": True}),
        ("at a snapshot", {"snapshot": "s"}),
        ("read only at a snapshot", {"snapshot": "s", "read_only": True}),
    ):
        image = r.open(name, **options)
        with r.part(title):
            r.do(image, "read", 0, 3)
            r.do(image, "write", b"x", 0)
            r.do(image, "write", b"", 0)
            r.do(image, "discard", 0, 1)
            r.do(image, "resize", 5)
            r.do(image, "flush")
            r.do(image, "invalidate_cache")
            r.do(image, "create_snap", "u")
            r.do(image, "remove_snap", "t")
            r.do(image, "rename_snap", "t", "v")
            r.do(image, "protect_snap", "t")
            r.do(image, "unprotect_snap", "t")
            r.do(image, "is_protected_snap", "t")
            r.do(image, "rollback_to_snap", "t")
            r.do(image, "update_features", 16, False)
            r.do(image, "flatten")
            r.do(image, "rebuild_object_map")
            r.do(image, "set_snap", None)
            r.do(image, "write", b"x", 0)
            r.do(image, "list_children")
            r.do(image, "is_exclusive_lock_owner")
            r.do(image, "lock_exclusive", "c")
            r.do(image, "unlock", "c")
            r.do(image, "copy", r.ioctx, r.name(f"copy {title}"))
        image.close()
