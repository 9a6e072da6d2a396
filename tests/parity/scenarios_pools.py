"""Namespaces, pools, configuration, lists with ids, features as text, opening with callbacks."""

from __future__ import annotations

from typing import Any

from .harness import MIB, Recorder, kind, masked, scenario


@scenario
def namespaces(r: Recorder) -> None:
    RBD, ioctx = r.RBD, r.ioctx

    def found() -> list[str]:
        return [name for name in RBD.namespace_list(ioctx) if name.startswith(r.scenario)]

    r.do(RBD, "namespace_list", ioctx, _show=kind)
    r.do(RBD, "namespace_create", ioctx, r.name())
    r.do(RBD, "namespace_create", ioctx, r.name())
    r.do(RBD, "namespace_create", ioctx, r.name("bytes").encode())
    r.do(RBD, "namespace_create", ioctx, r.name("t\u00fcr"))
    r.do(RBD, "namespace_create", ioctx=ioctx, name=r.name("keywords"))
    r.attempt("found", found)
    for method in ("namespace_create", "namespace_exists", "namespace_remove"):
        for wrong in ("", None, 5, []):
            r.do(RBD, method, ioctx, wrong)
    r.do(RBD, "namespace_exists", ioctx, r.name())
    r.do(RBD, "namespace_exists", ioctx, r.name("none"))
    inside = r.keep(r.cluster.open_ioctx(r.side.pool))
    inside.set_namespace(r.name())
    RBD.create(inside, "image", MIB)
    r.do(RBD, "list", inside)
    r.do(RBD, "namespace_create", inside, r.name("within"))
    r.do(RBD, "namespace_exists", inside, r.name())
    r.attempt("within", found)
    r.do(RBD, "namespace_remove", ioctx, r.name())
    RBD.trash_move(inside, "image")
    r.do(RBD, "namespace_remove", ioctx, r.name())
    RBD.trash_purge(inside)
    r.do(RBD, "namespace_remove", ioctx, r.name())
    r.do(RBD, "namespace_remove", ioctx, r.name())
    for suffix in ("bytes", "t\u00fcr", "keywords", "within"):
        RBD.namespace_remove(ioctx, r.name(suffix))


@scenario
def pool_init(r: Recorder) -> None:
    for force in (False, True, None, "x", 1):
        r.do(r.RBD, "pool_init", r.ioctx, force)
    r.do(r.RBD, "pool_init", r.ioctx)
    r.do(r.RBD, "pool_init", ioctx=r.ioctx, force=False)


@scenario
def pool_stats(r: Recorder) -> None:
    r.RBD.namespace_create(r.ioctx, r.name("n"))
    ioctx = r.keep(r.cluster.open_ioctx(r.side.pool))
    ioctx.set_namespace(r.name("n"))
    r.do(r.RBD, "pool_stats_get", ioctx)
    for name in "abc":
        r.RBD.create(ioctx, name, 4 * MIB)
        with r.rbd.Image(ioctx, name) as image:
            image.create_snap("s")
            image.resize(2 * MIB)
    r.RBD.trash_move(ioctx, "c")
    r.do(r.RBD, "pool_stats_get", ioctx)


@scenario
def pool_metadata(r: Recorder) -> None:
    RBD, ioctx = r.RBD, r.ioctx

    def found() -> list[tuple[str, str]]:
        return [pair for pair in RBD.pool_metadata_list(ioctx) if pair[0].startswith(r.scenario)]

    r.do(RBD, "pool_metadata_list", ioctx)
    r.do(RBD, "pool_metadata_get", ioctx, r.name())
    r.do(RBD, "pool_metadata_set", ioctx, r.name(), "value")
    r.do(RBD, "pool_metadata_set", ioctx, r.name("long"), "x" * 9000)
    r.do(RBD, "pool_metadata_set", ioctx, r.name("t\u00fcr"), "\u20ac")
    r.do(RBD, "pool_metadata_set", ioctx, r.name("bytes").encode(), b"bytes")
    for key in ("a", "long", "t\u00fcr", "bytes"):
        r.do(RBD, "pool_metadata_get", ioctx, r.name(key), _show=lambda value: value[:50])
    r.do(RBD, "pool_metadata_get", ioctx, r.name().encode())
    r.attempt("found", lambda: [(key, value[:50]) for key, value in found()])
    r.do(RBD, "pool_metadata_set", ioctx, r.name("long"), "")
    r.do(RBD, "pool_metadata_get", ioctx, r.name("long"))
    for wrong in (None, 5, []):
        r.do(RBD, "pool_metadata_set", ioctx, wrong, "x")
        r.do(RBD, "pool_metadata_set", ioctx, r.name(), wrong)
        r.do(RBD, "pool_metadata_get", ioctx, wrong)
        r.do(RBD, "pool_metadata_remove", ioctx, wrong)
    for key in ("a", "a", "long", "t\u00fcr", "bytes"):
        r.do(RBD, "pool_metadata_remove", ioctx, r.name(key))
    r.attempt("found at the end", found)


@scenario
def pool_metadata_in_chunks(r: Recorder) -> None:
    keys = [r.name(f"{i:03}") for i in range(70)]
    for key in keys:
        r.RBD.pool_metadata_set(r.ioctx, key, "value")
    for chunks in range(4):
        listing = r.rbd.PoolMetadataIterator(r.ioctx)
        for _ in range(chunks):
            r.do(listing, "get_next_chunk")
        r.attempt(
            f"after {chunks} chunks", lambda found=listing: [pair for pair in found if pair[1]]
        )
    for key in keys:
        r.RBD.pool_metadata_remove(r.ioctx, key)


@scenario
def pool_metadata_twice(r: Recorder) -> None:
    """A listing that is iterated over again."""
    keys = [r.name(f"{i:03}") for i in range(70)]
    for key in keys:
        r.RBD.pool_metadata_set(r.ioctx, key, "value")
    listing = r.RBD.pool_metadata_list(r.ioctx)
    r.attempt("once", lambda: len([pair for pair in listing if pair[0] in keys]))
    r.attempt("twice", lambda: len([pair for pair in listing if pair[0] in keys]))
    for key in keys:
        r.RBD.pool_metadata_remove(r.ioctx, key)


@scenario
def pool_metadata_of_nothing(r: Recorder) -> None:
    """A value that is empty."""
    for key, value in (("a", ""), ("b", "of b")):
        r.RBD.pool_metadata_set(r.ioctx, r.name(key), value)
    r.attempt(
        "listed",
        lambda: dict(r.RBD.pool_metadata_list(r.ioctx)).get(r.name("a")),
    )
    for key in ("a", "b"):
        r.RBD.pool_metadata_remove(r.ioctx, r.name(key))


def overridden(options: Any) -> list[dict[str, Any]]:
    return [option for option in options if option["source"] != 0]


@scenario
def pool_config(r: Recorder) -> None:
    RBD, ioctx = r.RBD, r.ioctx
    r.do(RBD, "config_list", ioctx)
    r.do(RBD, "config_list", ioctx, _show=list)
    r.do(RBD, "config_get", ioctx, "rbd_cache_max_dirty")
    r.do(RBD, "config_set", ioctx, "rbd_cache_max_dirty", "1000000")
    r.do(RBD, "config_get", ioctx, "rbd_cache_max_dirty")
    r.do(RBD, "config_list", ioctx, _show=overridden)
    for key, value in (
        ("rbd_no_such_option", "1"),
        ("conf_rbd_cache", "false"),
        ("rbd_cache_size", "x"),
        ("rbd_cache_size", ""),
        ("rbd_cache_size", b"1000"),
        ("rbd_cache_size", None),
        ("rbd_cache_size", 5),
        (b"rbd_cache_size", "5"),
        (None, "5"),
        (5, "5"),
    ):
        r.do(RBD, "config_set", ioctx, key, value)
    for key in ("rbd_no_such_option", "rbd_cache", "", b"rbd_cache", None, 5):
        r.do(RBD, "config_get", ioctx, key)
        r.do(RBD, "config_remove", ioctx, key)
    r.do(RBD, "config_remove", ioctx, "rbd_cache_size")
    r.do(RBD, "config_remove", ioctx, "rbd_cache_max_dirty")
    r.do(RBD, "config_remove", ioctx, "rbd_cache_max_dirty")
    listing = r.do(r.rbd, "ConfigPoolIterator", ioctx)
    r.attempt("twice", lambda: list(listing) == list(listing))
    r.do(RBD, "config_list", ioctx, _show=overridden)


@scenario
def image_config(r: Recorder) -> None:
    image = r.new()
    r.do(image, "config_list")
    r.do(image, "config_list", _show=list)
    r.do(image, "config_get", "rbd_cache_size")
    r.do(image, "config_set", "rbd_cache_size", "1000000")
    r.do(image, "config_get", "rbd_cache_size")
    r.do(image, "config_list", _show=overridden)
    for key, value in (
        ("rbd_no_such_option", "1"),
        ("rbd_cache_max_dirty", "x"),
        ("rbd_cache_max_dirty", b"1000"),
        ("rbd_cache_max_dirty", None),
        ("rbd_cache_max_dirty", 5),
        (b"rbd_cache_max_dirty", "5"),
        (None, "5"),
        (5, "5"),
    ):
        r.do(image, "config_set", key, value)
    for key in ("rbd_no_such_option", "rbd_cache", "", b"rbd_cache", None, 5):
        r.do(image, "config_get", key)
        r.do(image, "config_remove", key)
    other = r.open(r.name(), read_only=True)
    r.do(other, "config_get", "rbd_cache_size")
    r.do(other, "config_set", "rbd_cache_size", "5")
    r.do(other, "config_remove", "rbd_cache_size")
    r.do(image, "config_remove", "rbd_cache_size")
    r.do(image, "config_remove", "rbd_cache_size")
    listing = r.do(r.rbd, "ConfigImageIterator", image)
    r.attempt("twice", lambda: list(listing) == list(listing))
    image.close()
    r.do(image, "config_list")
    r.do(image, "config_get", "rbd_cache")
    r.do(image, "config_set", "rbd_cache", "true")
    r.do(image, "config_remove", "rbd_cache")
    r.do(r.rbd, "ConfigImageIterator", image)


@scenario
def config_of_no_image(r: Recorder) -> None:
    r.do(r.rbd, "ConfigImageIterator", None)


@scenario
def list_with_ids(r: Recorder) -> None:
    for suffix in "abc":
        r.create(suffix)
    listing = r.do(r.RBD, "list2", r.ioctx)
    own = [image for image in listing if r.scenario in image["name"]]
    r.attempt("listed", lambda: sorted((masked("id")(i) for i in own), key=lambda i: i["name"]))
    r.attempt("twice", lambda: list(listing) == list(listing))
    for image in sorted(own, key=lambda i: i["name"]):
        with r.rbd.Image(r.ioctx, image_id=image["id"]) as opened:
            r.attempt("name", opened.get_name)
    r.do(r.rbd, "ImageIterator", r.ioctx)


@scenario
def features_as_text(r: Recorder) -> None:
    for features in (0, 1, 61, 125, 4095, 1 << 40, -1, 1 << 64, "x", None, 2**63):
        r.do(r.RBD, "features_to_string", features)
    for text in (
        *("layering", "layering,exclusive-lock", "layering, exclusive-lock", "striping", "61"),
        *("", ",", "layering,", "none-such", "layering,none-such", b"layering", None, 5, "-1"),
    ):
        r.do(r.RBD, "features_from_string", text)


@scenario
def opened_with_a_callback(r: Recorder) -> None:
    image = r.new()
    image.write(b"then", 0)
    image.create_snap("s")
    image.write(b"now!", 0)
    image_id = image.id()
    seen: list[Any] = []

    def done(completion: Any, *arguments: Any) -> None:
        seen.append((completion.get_return_value(), arguments))

    def try_to_open(label: str, *arguments: Any, **keywords: Any) -> None:
        def call() -> Any:
            completion = r.RBD.aio_open_image(done, r.ioctx, *arguments, **keywords)
            completion.wait_for_complete_and_cb()
            result, (other,) = seen.pop()
            told = [result, completion.is_complete(), type(other).__name__]
            if result < 0:
                return told
            told.append(other.read(0, 4))
            closing = other.aio_close(done)
            closing.wait_for_complete_and_cb()
            return [*told, seen.pop(), closing.is_complete(), closing.get_return_value()]

        with r.part(label):
            r.attempt("open", call)

    try_to_open("name", r.name())
    try_to_open("bytes", r.name().encode())
    try_to_open("keyword", name=r.name())
    try_to_open("snapshot", r.name(), "s")
    try_to_open("read-only", r.name(), None, True)
    try_to_open("read-only snapshot", r.name(), "s", read_only=True)
    try_to_open("id", image_id=image_id)
    try_to_open("read-only id", image_id=image_id, read_only=True)
    try_to_open("none", r.name("none"))
    try_to_open("no snapshot", r.name(), "none")
    try_to_open("no id", image_id="none")
    try_to_open("nothing")
    try_to_open("both", r.name(), image_id=image_id)
    closing = image.aio_close(done)
    r.do(image, "size")
    closing.wait_for_complete_and_cb()
    r.do(image, "aio_close", done)
    r.do(image, "close")


@scenario
def opened_without_a_callback(r: Recorder) -> None:
    r.do(r.RBD, "aio_open_image", None, r.ioctx, r.create())
