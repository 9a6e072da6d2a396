"""Mirroring, as far as one cluster shows it."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from .harness import MIB, Recorder, alone, masked, nonempty, scenario

#: layering, exclusive-lock, journaling
JOURNALING = 1 + 4 + 64


def entries(*keys: str) -> Any:
    """For `_show`: dicts without what is not the same for each call."""
    return lambda value: [masked(*keys)(one) for one in value]


def status(value: dict[str, Any]) -> dict[str, Any]:
    """For `_show`: the status of an image."""
    shown = masked("id", "last_update")(value)
    shown["info"] = masked("global_id")(value["info"])
    return shown


def named(index: int) -> Any:
    """For `_show`: pairs of an id and something."""
    return lambda value: [
        masked("global_id")(pair[index]) if isinstance(pair[index], dict) else type(pair[index])
        for pair in value
    ]


def enabled(r: Recorder, mode: int = 1) -> None:
    r.RBD.mirror_mode_set(r.ioctx, mode)


def disabled(r: Recorder) -> None:
    """Leaves the pool as it was."""
    for peer in r.RBD.mirror_peer_list(r.ioctx):
        r.RBD.mirror_peer_remove(r.ioctx, peer["uuid"])
    if hasattr(r.RBD, "mirror_image_info_list"):
        mirrored = [{"image_id": image_id} for image_id, _ in r.RBD.mirror_image_info_list(r.ioctx)]
    else:
        mirrored = [{"name": name} for name in r.RBD.list(r.ioctx) if name.startswith("mirror_")]
    for image_of in mirrored:
        with suppress(r.rbd.ImageNotFound), r.rbd.Image(r.ioctx, **image_of) as image:
            image.mirror_image_disable(True)
    r.RBD.mirror_mode_set(r.ioctx, 0)


@alone
def mirror_site_name(r: Recorder) -> None:
    r.do(r.RBD, "mirror_site_name_get", r.cluster, _show=len)
    for name in ("here", " blanks ", "\u00fcn\u00ef", b"bytes", "x" * 2000, None, 5, ""):
        r.do(r.RBD, "mirror_site_name_set", r.cluster, name)
        r.do(r.RBD, "mirror_site_name_get", r.cluster, _show=lambda value: value[:10])
        r.RBD.mirror_site_name_set(r.cluster, "here")
    r.RBD.mirror_site_name_set(r.cluster, "")


@scenario
def mirror_mode(r: Recorder) -> None:
    r.do(r.RBD, "mirror_mode_get", r.ioctx)
    r.do(r.RBD, "mirror_uuid_get", r.ioctx)
    for mode in (1, 2, 1, 3, 99, -1, 1 << 40, "1", None, True, 1.0, 0):
        r.do(r.RBD, "mirror_mode_set", r.ioctx, mode)
        r.do(r.RBD, "mirror_mode_get", r.ioctx)
    r.do(r.RBD, "mirror_mode_set", r.ioctx, mirror_mode=1)
    r.do(r.RBD, "mirror_uuid_get", r.ioctx, _show=len)
    disabled(r)


@scenario
def mirror_peers(r: Recorder) -> None:
    listed = entries("uuid")
    r.do(r.RBD, "mirror_peer_list", r.ioctx, _show=listed)
    r.do(r.RBD, "mirror_peer_add", r.ioctx, "there", "client.x")
    enabled(r)
    uuid = r.do(r.RBD, "mirror_peer_add", r.ioctx, "there", "client.x", _show=len)
    r.do(r.RBD, "mirror_peer_add", r.ioctx, "there", "client.x")
    r.do(r.RBD, "mirror_peer_add", r.ioctx, "there", "client.y", _show=len)
    for direction in (0, 1, 2, 9, -1, "x"):
        site = f"site {direction}"
        r.do(r.RBD, "mirror_peer_add", r.ioctx, site, "client.x", direction, _show=len)
    for site, client in (("", ""), ("", "client.z"), ("z", ""), (None, "client.z"), ("z", 5)):
        r.do(r.RBD, "mirror_peer_add", r.ioctx, site, client, _show=len)
    by_name = sorted
    r.do(
        r.RBD,
        "mirror_peer_list",
        r.ioctx,
        _show=lambda value: by_name(str(one) for one in listed(value)),
    )
    for method in ("mirror_peer_set_name", "mirror_peer_set_cluster", "mirror_peer_set_client"):
        for value in ("client.new", "", None, 5, b"bytes", "\u00fcn\u00ef"):
            r.attempt(f"{method} {value!r}", lambda m=method, v=value: peer_set(r, m, uuid, v))  # type: ignore[misc]
            peers = [one for one in r.RBD.mirror_peer_list(r.ioctx) if one["uuid"] == uuid]
            r.note("peer", masked("uuid")(peers[0]))
        r.do(r.RBD, method, r.ioctx, "nope", "client.x")
        r.do(r.RBD, method, r.ioctx, None, "client.x")
        r.called.add(f"RBD.{method}")
    r.do(r.RBD, "mirror_peer_remove", r.ioctx, "nope")
    r.do(r.RBD, "mirror_peer_remove", r.ioctx, None)
    disabled(r)
    r.do(r.RBD, "mirror_peer_list", r.ioctx, _show=listed)


def peer_set(r: Recorder, method: str, uuid: str, value: Any) -> Any:
    return getattr(r.RBD, method)(r.ioctx, uuid, value)


@scenario
def mirror_peer_attributes(r: Recorder) -> None:
    enabled(r)
    uuid = r.RBD.mirror_peer_add(r.ioctx, "there", "client.x")
    r.do(r.RBD, "mirror_peer_get_attributes", r.ioctx, "nope")
    r.do(r.RBD, "mirror_peer_set_attributes", r.ioctx, "nope", {"key": "k"})

    def get() -> Any:
        return r.RBD.mirror_peer_get_attributes(r.ioctx, uuid)

    r.attempt("none", get)
    for attributes in (
        {"mon_host": "192.0.2.1", "key": "k"},
        {},
        {"mon_host": ""},
        {"key": "x" * 3000},
        {"\u00fcn\u00ef": "\u00fcn\u00ef", "other": "a b"},
        {"key": 5},
        {5: "key"},
        {"key": None},
        {b"key": b"value"},
    ):

        def put(attributes: Any = attributes) -> Any:
            return r.RBD.mirror_peer_set_attributes(r.ioctx, uuid, attributes)

        r.attempt("set", put)
        r.attempt("get", get)
    disabled(r)


@scenario
def mirror_bootstrap(r: Recorder) -> None:
    r.do(r.RBD, "mirror_peer_bootstrap_create", r.ioctx)
    r.do(r.RBD, "mirror_peer_bootstrap_import", r.ioctx, 0, "token")
    enabled(r)
    token = r.do(r.RBD, "mirror_peer_bootstrap_create", r.ioctx, _show=nonempty)
    for direction in (0, 1, 2, 9):
        r.attempt(
            f"own token {direction}",
            lambda d=direction: r.RBD.mirror_peer_bootstrap_import(r.ioctx, d, token),  # type: ignore[misc]
        )
    for garbage in ("", "x", "e30=", None, 5):
        r.do(r.RBD, "mirror_peer_bootstrap_import", r.ioctx, 2, garbage)
    for direction in (-1, "x", None):
        r.do(r.RBD, "mirror_peer_bootstrap_import", r.ioctx, direction, "token")
    disabled(r)


@scenario
def mirror_image_unmirrored(r: Recorder) -> None:
    image = r.new()
    r.do(image, "mirror_image_enable")
    enabled(r)
    r.do(image, "mirror_image_get_info")
    r.do(image, "mirror_image_get_mode")
    r.do(image, "mirror_image_get_status", _show=status)
    r.do(image, "mirror_image_get_instance_id")
    r.do(image, "mirror_image_disable", False)
    r.do(image, "mirror_image_promote", False)
    r.do(image, "mirror_image_promote", True)
    r.do(image, "mirror_image_demote")
    r.do(image, "mirror_image_resync")
    r.do(image, "mirror_image_create_snapshot")
    for mode in ("x", None, -1, 9, 1 << 40):
        r.do(image, "mirror_image_enable", mode)
    for flags in ("x", None, -1, 255, 1 << 40):
        r.do(image, "mirror_image_create_snapshot", flags)
    r.do(r.RBD, "mirror_image_status_list", r.ioctx, _show=list)
    r.do(r.RBD, "mirror_image_info_list", r.ioctx, _show=list)
    r.do(r.RBD, "mirror_image_instance_id_list", r.ioctx, _show=list)
    r.do(r.RBD, "mirror_image_status_summary", r.ioctx)
    disabled(r)


def image_of_mode(r: Recorder, mode: int) -> None:
    image = r.new(features=JOURNALING)
    enabled(r)
    r.RBD.mirror_peer_add(r.ioctx, "there", "client.x")
    r.do(image, "mirror_image_enable", mode)
    r.do(image, "mirror_image_enable", mode)
    r.do(image, "mirror_image_enable", 1 - mode)
    r.do(image, "mirror_image_get_info", _show=masked("global_id"))
    r.do(image, "mirror_image_get_mode")
    r.do(image, "mirror_image_get_status", _show=status)
    r.do(image, "mirror_image_get_instance_id")
    for flags in (0, 1, 2, 255):
        r.do(image, "mirror_image_create_snapshot", flags, _show=type)
    r.do(image, "mirror_image_resync")
    r.do(image, "mirror_image_promote", False)
    r.do(r.RBD, "mirror_image_status_list", r.ioctx, _show=lambda value: [status(s) for s in value])
    for mode_filter in (None, 0, 1, 9, -1, "x"):
        r.do(r.RBD, "mirror_image_info_list", r.ioctx, mode_filter, _show=named(1))
    r.do(r.RBD, "mirror_image_info_list", r.ioctx, _show=named(0))
    r.do(r.RBD, "mirror_image_status_summary", r.ioctx)
    r.attempt("next chunk", lambda: r.RBD.mirror_image_status_list(r.ioctx).get_next_chunk())

    def starts(method: str, *args: Any, _show: Any = None) -> None:
        seen: list[Any] = []

        def done(completion: Any, *values: Any) -> None:
            seen.append([_show(v) if _show and v is not None else v for v in values])

        def run() -> Any:
            completion = getattr(image, method)(*args, done)
            completion.wait_for_complete_and_cb()
            return completion.get_return_value(), seen

        r.called.add(f"Image.{method}")
        r.attempt(f"{method} {args!r}", run)

    starts("aio_mirror_image_get_info", _show=masked("global_id"))
    starts("aio_mirror_image_get_mode")
    starts("aio_mirror_image_create_snapshot", 0, _show=type)
    starts("aio_mirror_image_create_snapshot", 255)
    starts("aio_mirror_image_create_snapshot", -1)
    starts("aio_mirror_image_create_snapshot", "x")
    r.do(image, "mirror_image_demote")
    r.do(image, "mirror_image_demote")
    r.do(image, "mirror_image_get_info", _show=masked("global_id"))
    r.do(image, "write", b"x", 0)
    r.do(image, "mirror_image_create_snapshot", _show=type)
    r.do(image, "mirror_image_disable", False)
    r.do(image, "mirror_image_promote", "yes")
    r.do(image, "write", b"x", 0)
    r.do(image, "mirror_image_disable", 0)
    r.do(image, "mirror_image_get_info")
    image.close()
    for method in ("get_info", "get_mode", "get_status", "get_instance_id", "demote", "resync"):
        r.do(image, f"mirror_image_{method}")
    disabled(r)


@scenario
def mirror_image_journal(r: Recorder) -> None:
    image_of_mode(r, 0)


@scenario
def mirror_image_snapshot(r: Recorder) -> None:
    image_of_mode(r, 1)


@scenario
def mirror_lists(r: Recorder) -> None:
    enabled(r)
    for suffix in ("a", "b", "c"):
        r.new(suffix, MIB, features=JOURNALING).mirror_image_enable(0)
    r.do(
        r.RBD,
        "mirror_image_status_list",
        r.ioctx,
        _show=lambda value: sorted(one["name"] for one in value),
    )
    infos = r.RBD.mirror_image_info_list(r.ioctx)
    r.note("twice", (len(list(infos)), len(list(infos))))
    statuses = r.RBD.mirror_image_status_list(r.ioctx)
    r.note("statuses twice", (len(list(statuses)), len(list(statuses))))
    statuses.get_next_chunk()
    r.note("statuses after the last chunk", len(list(statuses)))
    disabled(r)
