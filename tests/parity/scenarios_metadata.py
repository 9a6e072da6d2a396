"""Metadata of images, and the facts about them that the reference does not list."""

from __future__ import annotations

from typing import Any

from .harness import MIB, Recorder, kind, nonempty, scenario


def aware(value: Any) -> tuple[type, bool, int]:
    """For `_show`: a point in time."""
    return type(value), value.tzinfo is not None, value.microsecond


@scenario
def more_facts(r: Recorder) -> None:
    image = r.new()
    for call in ("create_timestamp", "access_timestamp", "modify_timestamp"):
        r.do(image, call, _show=aware)
    r.do(image, "id", _show=nonempty)
    r.do(image, "block_name_prefix", _show=lambda text: text == f"rbd_data.{image.id()}")
    r.do(image, "data_pool_id", _show=kind)
    r.do(image, "group")
    r.do(image, "migration_source_spec")


@scenario
def metadata(r: Recorder) -> None:
    image = r.new()
    r.do(image, "metadata_list", _show=list)
    for key in ("", "k", None, 5, b"b", "\u00fc", "x" * 3000, "a\nb", "conf_x", b"\xff", []):
        r.do(image, "metadata_get", key)
        r.do(image, "metadata_remove", key)
        for value in ("", "v", None, 5, b"b", "\u00fc"):
            r.do(image, "metadata_set", key, value)
            r.do(image, "metadata_get", key)
        r.do(image, "metadata_remove", key)
        r.do(image, "metadata_remove", key)
    r.do(image, "metadata_set", "long", "v" * 100_000)
    r.do(image, "metadata_get", "long", _show=len)
    r.do(image, "metadata_set", "k", "v")
    r.do(image, "metadata_list", _show=lambda found: [(k, len(v)) for k, v in found])
    r.do(image, "metadata_set", "conf_rbd_cache", "false")
    r.do(image, "metadata_set", "conf_rbd_cache", "perhaps")
    r.do(image, "metadata_get", "conf_rbd_cache")
    r.do(image, "metadata_list", _show=lambda found: [key for key, _ in found])
    for call in ("metadata_get", "metadata_set", "metadata_remove"):
        r.do(image, call)
    r.do(image, "metadata_set", "k")


@scenario
def metadata_iterator(r: Recorder) -> None:
    image = r.new()
    for number in range(100):
        image.metadata_set(f"key-{number:03}", "v")
    r.do(image, "metadata_list", _show=list)
    found = r.do(r.rbd, "MetadataIterator", image, _show=lambda value: len(list(value)))
    r.attempt("again", lambda: len(list(found)))
    found = image.metadata_list()
    r.do(found, "get_next_chunk")
    r.attempt("rest", lambda: [key for key, _ in found])
    for wrong in (None, 5, "x"):
        r.do(r.rbd, "MetadataIterator", wrong)


@scenario
def metadata_of_read_only_image(r: Recorder) -> None:
    r.new().metadata_set("k", "v")
    image = r.open(r.name(), read_only=True)
    r.do(image, "metadata_get", "k")
    r.do(image, "metadata_set", "k", "w")
    r.do(image, "metadata_remove", "k")
    r.do(image, "metadata_list", _show=list)


@scenario
def deep_copies(r: Recorder) -> None:
    image = r.new()
    image.write(b"data", 0)
    image.create_snap("s")
    number = 0
    for options in (
        {},
        {"features": 0},
        {"features": 61, "order": 22, "stripe_unit": 65536, "stripe_count": 4},
        {"features": 1, "stripe_unit": 0, "stripe_count": 0},
        {"order": 20},
        {"order": 5},
        {"order": "x"},
        {"order": -1},
        {"features": 2**64},
        {"features": 1 << 20},
        {"stripe_unit": 12345, "stripe_count": 2},
        {"data_pool": "none"},
        {"data_pool": r.side.pool},
    ):
        number += 1
        name = r.name(f"copy{number}")
        r.do(image, "deep_copy", r.ioctx, name, **options)
        if name in r.RBD.list(r.ioctx):
            with r.rbd.Image(r.ioctx, name) as copied:
                r.do(copied, "list_snaps", _show=lambda found: [s["name"] for s in found])
                for fact in ("features", "size", "stripe_unit", "stripe_count", "op_features"):
                    r.do(copied, fact)
                r.do(copied, "read", 0, 4)
    r.do(image, "deep_copy", r.ioctx, r.name("copy1"))
    for wrong in (None, 5, "", []):
        r.do(image, "deep_copy", r.ioctx, wrong)
    r.do(image, "deep_copy", r.ioctx)


@scenario
def sparsify(r: Recorder) -> None:
    image = r.new()
    image.write(b"x" + bytes(MIB), 0)
    for size in (4096, 65536, 4 * MIB, 0, 5000, 8 * MIB, 2048, -1, 2**64, "x", None):
        r.do(image, "sparsify", size)
    r.do(image, "sparsify")
    r.do(image, "read", 0, 2)
    other = r.open(r.name(), read_only=True)
    r.do(other, "sparsify", 4096)
