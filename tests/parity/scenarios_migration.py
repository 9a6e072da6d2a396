"""Live migration and import, and the arguments of encryption."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from .harness import MIB, Recorder, masked, scenario

STATUS = masked(
    "source_pool_id",
    "source_image_id",
    "dest_pool_id",
    "dest_image_id",
)
CALLS = ("migration_execute", "migration_commit", "migration_abort", "migration_status")


def source(r: Recorder) -> str:
    name = r.create("source")
    with r.rbd.Image(r.ioctx, name) as image:
        image.write(b"data", 5 * MIB)
        image.create_snap("s")
    return name


@scenario
def migration(r: Recorder) -> None:
    name, target = source(r), r.name("target")
    r.do(r.RBD, "migration_prepare", r.ioctx, name, r.ioctx, target)
    r.do(r.RBD, "migration_status", r.ioctx, target, _show=STATUS)
    r.do(r.RBD, "migration_status", r.ioctx, name, _show=STATUS)
    r.do(r.RBD, "migration_prepare", r.ioctx, name, r.ioctx, target)
    with r.rbd.Image(r.ioctx, target) as image:
        r.do(image, "read", 5 * MIB, 4)
        r.do(image, "features")
        r.do(image, "migration_source_spec", _show=masked("pool_id", "image_id"))
        r.do(image, "parent_info")
        r.do(r.RBD, "migration_commit", r.ioctx, target)
    seen: list[tuple[int, int]] = []

    def progress(done: int, total: int) -> int:
        seen.append((done, total))
        return 0

    r.do(r.RBD, "migration_commit", r.ioctx, target)
    r.do(r.RBD, "migration_execute", r.ioctx, target, on_progress=progress)
    r.note("progress", seen)
    r.do(r.RBD, "migration_status", r.ioctx, target, _show=STATUS)
    r.do(r.RBD, "migration_commit", r.ioctx, target, progress)
    r.do(r.RBD, "migration_status", r.ioctx, target)
    with r.rbd.Image(r.ioctx, target) as image:
        r.do(image, "read", 5 * MIB, 4)
        r.do(image, "migration_source_spec")
        r.do(image, "list_snaps", _show=lambda found: [s["name"] for s in found])


@scenario
def migration_with_options(r: Recorder) -> None:
    name = source(r)
    for options in (
        (0,),
        (61, 23),
        (61, 22, 65536, 4),
        (1, 22, None, None, r.side.pool),
        (None, 20),
        (61, 5),
        ("x",),
        (-1,),
        (61, 22, 12345, 2),
        (61, 22, None, None, "none"),
    ):
        label = f"prepare {options}"
        arguments = (r.ioctx, name, r.ioctx, name, *options)
        r.attempt(label, lambda arguments=arguments: r.RBD.migration_prepare(*arguments))
        with r.rbd.Image(r.ioctx, name) as image:
            for fact in ("features", "stripe_unit", "stripe_count"):
                r.do(image, fact)
        r.do(r.RBD, "migration_abort", r.ioctx, name)
    with r.rbd.Image(r.ioctx, name) as image:
        r.do(image, "read", 5 * MIB, 4)


@scenario
def no_migration(r: Recorder) -> None:
    name = source(r)
    for call in CALLS:
        for wrong in (name, "none", "", None, 5, []):
            r.do(r.RBD, call, r.ioctx, wrong)
        r.do(r.RBD, call, r.ioctx)
    r.do(r.RBD, "migration_prepare", r.ioctx, "none", r.ioctx, r.name("target"))
    for wrong in ("", None, 5):
        r.do(r.RBD, "migration_prepare", r.ioctx, wrong, r.ioctx, r.name("target"))
        r.do(r.RBD, "migration_prepare", r.ioctx, name, r.ioctx, wrong)
    r.do(r.RBD, "migration_prepare", r.ioctx, name, r.ioctx)
    with r.rbd.Image(r.ioctx, name):
        r.do(r.RBD, "migration_prepare", r.ioctx, name, r.ioctx, r.name("target"))
    # its source is in the trash; the standard binding could not list that any more
    r.do(r.RBD, "migration_abort", r.ioctx, r.name("target"))
    r.do(r.RBD, "migration_abort", r.ioctx, name)


@scenario
def migration_import(r: Recorder) -> None:
    with tempfile.TemporaryDirectory() as directory:
        disk = Path(directory, "disk.raw")
        disk.write_bytes(b"raw!" + bytes(5 * MIB))

        def prepare(label: str, spec: Any, suffix: str) -> None:
            r.called.add("RBD.migration_prepare_import")
            r.attempt(label, lambda: r.RBD.migration_prepare_import(spec, r.ioctx, r.name(suffix)))

        good = {"type": "raw", "stream": {"type": "file", "file_path": str(disk)}}
        missing = {"type": "raw", "stream": {"type": "file", "file_path": f"{disk}.not"}}
        for spec in ("", "x", "{}", '{"type":"foo"}', '{"type":"raw"}', None, 5):
            prepare(f"prepare {spec!r}", spec, "never")
        prepare("missing", json.dumps(missing), "never")
        prepare("good", json.dumps(good), "target")
        prepare("again", json.dumps(good), "target")
        prepare("bytes", json.dumps(good).encode(), "aborted")
        target = r.name("target")
        r.do(r.RBD, "migration_status", r.ioctx, target, _show=STATUS)
        with r.rbd.Image(r.ioctx, target) as image:
            r.do(image, "read", 0, 4)
            r.do(image, "size")
            r.attempt("spec", lambda: image.migration_source_spec() == good)
        r.do(r.RBD, "migration_execute", r.ioctx, target)
        r.do(r.RBD, "migration_commit", r.ioctx, target)
        r.do(r.RBD, "migration_abort", r.ioctx, r.name("aborted"))
        with r.rbd.Image(r.ioctx, target) as image:
            r.do(image, "read", 0, 4)


@scenario
def encryption_arguments(r: Recorder) -> None:
    image = r.new(size=32 * MIB)
    luks1, luks2 = r.rbd.RBD_ENCRYPTION_FORMAT_LUKS1, r.rbd.RBD_ENCRYPTION_FORMAT_LUKS2
    for call in ("encryption_format", "encryption_load"):
        for wrong in (None, 5, []):
            r.do(image, call, luks1, wrong)
            r.do(image, call, "x", wrong)
        for kind in (2, 9, -1, 2**32, "x", None):
            r.do(image, call, kind, "p")
            r.do(image, call, kind, b"p")
        r.do(image, call, luks1)
        r.do(image, call)
    for cipher in (7, -1, 2**32, "x", None):
        r.do(image, "encryption_format", luks1, "p", cipher)
        r.do(image, "encryption_format", luks2, "p", cipher_alg=cipher)
        r.do(image, "encryption_format", 9, "p", cipher)
    for kind in (luks1, luks2):
        r.do(image, "encryption_load", kind, "p")
    r.do(image, "size")
    small = r.new("small", MIB)
    r.do(small, "encryption_format", luks2, "p")
