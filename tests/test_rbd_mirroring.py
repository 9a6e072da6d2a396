"""Mirroring: the settings of pools and images on one cluster, and images that are replicated
between two."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any, Callable, NamedTuple

import pytest
from conftest import MIB

from rbdcffi import rados, rbd
from rbdcffi._ffi import has
from rbdcffi.testing import Cluster

RBD = rbd.RBD()
JOURNALING = rbd.RBD_FEATURE_LAYERING | rbd.RBD_FEATURE_EXCLUSIVE_LOCK | rbd.RBD_FEATURE_JOURNALING
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)

sites_16 = pytest.mark.skipif(
    not has("rbd_mirror_peer_site_add"), reason="mirror snapshots and sites came with Ceph 16"
)


@pytest.fixture(scope="module")
def mirror_pool(ceph_cluster: Cluster, ceph_conf: str) -> Iterator[str]:
    """A pool whose mirroring is for these tests."""
    name = f"mirroring-{os.getpid()}"
    ceph_cluster.create_pool(name)
    yield name
    ceph_cluster.remove_pool(name)


@pytest.fixture
def unmirrored(cluster: rados.Rados, mirror_pool: str) -> Iterator[rados.Ioctx]:
    """A pool whose mirroring is disabled, before and after the test."""
    with cluster.open_ioctx(mirror_pool) as ioctx:
        yield ioctx
    with cluster.open_ioctx(mirror_pool) as ioctx:
        for name in RBD.list(ioctx):
            with rbd.Image(ioctx, name) as image:
                image.mirror_image_disable(True)
            RBD.remove(ioctx, name)
        for peer in RBD.mirror_peer_list(ioctx):
            RBD.mirror_peer_remove(ioctx, peer["uuid"])
        RBD.mirror_mode_set(ioctx, rbd.RBD_MIRROR_MODE_DISABLED)


@pytest.fixture
def pool(unmirrored: rados.Ioctx) -> rados.Ioctx:
    """A pool with mirroring of images enabled."""
    RBD.mirror_mode_set(unmirrored, rbd.RBD_MIRROR_MODE_IMAGE)
    return unmirrored


def make(ioctx: rados.Ioctx, name: str, mode: int = rbd.RBD_MIRROR_IMAGE_MODE_JOURNAL) -> rbd.Image:
    """A new open image that is mirrored; to be closed."""
    RBD.create(ioctx, name, 8 * MIB, features=JOURNALING)
    image = rbd.Image(ioctx, name)
    image.mirror_image_enable(mode)
    return image


# -- one cluster -----------------------------------------------------------------------------------


def test_site_name(cluster: rados.Rados) -> None:
    fsid = cluster.get_fsid()
    RBD.mirror_site_name_set(cluster, "")  # the fuzzer may have found a name
    assert RBD.mirror_site_name_get(cluster) == fsid
    for name in ("here", "hier, überall", "x" * 2000):
        RBD.mirror_site_name_set(cluster, name)
        assert RBD.mirror_site_name_get(cluster) == name
    RBD.mirror_site_name_set(cluster, "")
    assert RBD.mirror_site_name_get(cluster) == fsid
    with pytest.raises(rbd.InvalidArgument, match=r"mirror_site_name_set\(5\).*site_name"):
        RBD.mirror_site_name_set(cluster, 5)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"rbdcffi\.rados\.Rados, not .*Ioctx"):
        with cluster.open_ioctx("rbd") as ioctx:
            RBD.mirror_site_name_get(ioctx)  # type: ignore[arg-type]


def test_site_name_needs_a_connection(ceph_conf: str) -> None:
    connection = rados.Rados(conffile=ceph_conf)
    with pytest.raises(rados.RadosStateError):
        RBD.mirror_site_name_get(connection)
    connection.connect()
    connection.shutdown()
    with pytest.raises(rados.RadosStateError):
        RBD.mirror_site_name_set(connection, "x")


def test_mode(unmirrored: rados.Ioctx) -> None:
    ioctx = unmirrored
    assert RBD.mirror_mode_get(ioctx) == rbd.RBD_MIRROR_MODE_DISABLED
    for mode in (rbd.RBD_MIRROR_MODE_POOL, rbd.RBD_MIRROR_MODE_IMAGE):
        RBD.mirror_mode_set(ioctx, mode)
        assert RBD.mirror_mode_get(ioctx) == mode
    with pytest.raises(rbd.InvalidArgument, match=rf"mirror_mode_set\(99\).*{ioctx.name}"):
        RBD.mirror_mode_set(ioctx, 99)
    bad: Any
    for bad, error in ((-1, OverflowError), (1 << 40, OverflowError), ("1", TypeError)):
        with pytest.raises(error, match="mirror_mode_set"):
            RBD.mirror_mode_set(ioctx, bad)
    RBD.mirror_mode_set(ioctx, rbd.RBD_MIRROR_MODE_DISABLED)
    assert RBD.mirror_mode_get(ioctx) == rbd.RBD_MIRROR_MODE_DISABLED
    ioctx.close()
    with pytest.raises(rados.IoctxStateError):
        RBD.mirror_mode_get(ioctx)
    with pytest.raises(TypeError):
        RBD.mirror_mode_get(None)  # type: ignore[arg-type]


@sites_16
def test_uuid(unmirrored: rados.Ioctx) -> None:
    with pytest.raises(rbd.ImageNotFound, match=f"mirror_uuid_get.*{unmirrored.name}"):
        RBD.mirror_uuid_get(unmirrored)
    RBD.mirror_mode_set(unmirrored, rbd.RBD_MIRROR_MODE_IMAGE)
    assert len(RBD.mirror_uuid_get(unmirrored)) == 36


@pytest.mark.skipif(
    not has("rbd_mirror_remote_namespace_set"), reason="remote namespaces came with Ceph 20"
)
def test_remote_namespace(unmirrored: rados.Ioctx) -> None:
    RBD.mirror_remote_namespace_set(unmirrored, "")
    assert RBD.mirror_remote_namespace_get(unmirrored) == ""
    for name in ("there", "x" * 2000):
        RBD.mirror_remote_namespace_set(unmirrored, name)
        assert RBD.mirror_remote_namespace_get(unmirrored) == name
    RBD.mirror_remote_namespace_set(unmirrored, "")
    RBD.mirror_mode_set(unmirrored, rbd.RBD_MIRROR_MODE_INIT_ONLY)
    assert RBD.mirror_mode_get(unmirrored) == rbd.RBD_MIRROR_MODE_INIT_ONLY
    RBD.mirror_mode_set(unmirrored, rbd.RBD_MIRROR_MODE_IMAGE)
    with pytest.raises(rbd.InvalidArgument, match=r"mirror_remote_namespace_set\('late'\)"):
        RBD.mirror_remote_namespace_set(unmirrored, "late")
    with pytest.raises(rbd.InvalidArgument, match="remote_namespace"):
        RBD.mirror_remote_namespace_set(unmirrored, None)  # type: ignore[arg-type]


@pytest.mark.skipif(has("rbd_mirror_remote_namespace_set"), reason="Ceph 20 has them")
def test_what_is_newer_is_absent() -> None:
    assert not hasattr(RBD, "mirror_remote_namespace_get")
    with pytest.raises(AttributeError, match=r"rbd_mirror_remote_namespace_set.*Ceph 20"):
        _ = RBD.mirror_remote_namespace_set


def test_peers(pool: rados.Ioctx) -> None:
    assert list(RBD.mirror_peer_list(pool)) == []
    uuid = RBD.mirror_peer_add(pool, "there", "client.someone")
    peer = {
        "uuid": uuid,
        "direction": rbd.RBD_MIRROR_PEER_DIRECTION_RX_TX,
        "site_name": "there",
        "cluster_name": "there",
        "mirror_uuid": "",
        "client_name": "client.someone",
    }
    peers = RBD.mirror_peer_list(pool)
    assert list(peers) == list(peers) == [peer]
    with pytest.raises(rbd.ImageExists, match=r"mirror_peer_add\('there', 'client.someone'\)"):
        RBD.mirror_peer_add(pool, "there", "client.someone")
    RBD.mirror_peer_set_name(pool, uuid, "elsewhere")
    RBD.mirror_peer_set_client(pool, uuid, "client.other")
    (peer,) = RBD.mirror_peer_list(pool)
    assert (peer["site_name"], peer["client_name"]) == ("elsewhere", "client.other")
    RBD.mirror_peer_set_cluster(pool, uuid, "nowhere")
    (peer,) = RBD.mirror_peer_list(pool)
    assert (peer["site_name"], peer["cluster_name"]) == ("nowhere", "nowhere")
    RBD.mirror_peer_remove(pool, "not a peer")
    RBD.mirror_peer_remove(pool, uuid)
    assert list(RBD.mirror_peer_list(pool)) == []
    for call in (
        lambda: RBD.mirror_peer_set_name(pool, uuid, "x"),
        lambda: RBD.mirror_peer_set_cluster(pool, uuid, "x"),
        lambda: RBD.mirror_peer_set_client(pool, uuid, "client.x"),
        lambda: RBD.mirror_peer_get_attributes(pool, uuid),
    ):
        with pytest.raises(rbd.ImageNotFound, match=uuid):
            call()
    with pytest.raises(rbd.InvalidArgument, match="client_name must be a string"):
        RBD.mirror_peer_add(pool, "there", None)  # type: ignore[arg-type]
    with pytest.raises(rbd.InvalidArgument, match="NUL"):
        RBD.mirror_peer_add(pool, "the\0re", "client.x")


def test_more_peers_than_fit_at_first(pool: rados.Ioctx) -> None:
    added = {RBD.mirror_peer_add(pool, f"site-{i}", f"client.{i}") for i in range(25)}
    assert len(added) == 25
    found = list(RBD.mirror_peer_list(pool))
    assert {peer["uuid"] for peer in found} == added
    assert {(peer["site_name"], peer["client_name"]) for peer in found} == {
        (f"site-{i}", f"client.{i}") for i in range(25)
    }


@sites_16
def test_direction_of_a_peer(pool: rados.Ioctx) -> None:
    rx, both = rbd.RBD_MIRROR_PEER_DIRECTION_RX, rbd.RBD_MIRROR_PEER_DIRECTION_RX_TX
    uuid = RBD.mirror_peer_add(pool, "there", "client.x", rx)
    assert [peer["direction"] for peer in RBD.mirror_peer_list(pool)] == [rx]
    RBD.mirror_peer_set_direction(pool, uuid, both)
    assert [peer["direction"] for peer in RBD.mirror_peer_list(pool)] == [both]
    with pytest.raises(rbd.InvalidArgument):
        RBD.mirror_peer_add(pool, "sends only", "client.y", rbd.RBD_MIRROR_PEER_DIRECTION_TX)
    with pytest.raises(rbd.ImageNotFound, match=r"mirror_peer_set_direction\('nope', 0\)"):
        RBD.mirror_peer_set_direction(pool, "nope", rx)
    with pytest.raises(TypeError, match="direction"):
        RBD.mirror_peer_set_direction(pool, uuid, "rx")  # type: ignore[arg-type]
    with pytest.raises(OverflowError, match="direction"):
        RBD.mirror_peer_add(pool, "x", "client.x", -1)


def test_attributes_of_a_peer(pool: rados.Ioctx) -> None:
    uuid = RBD.mirror_peer_add(pool, "there", "client.someone")
    long = {
        rbd.RBD_MIRROR_PEER_ATTRIBUTE_NAME_MON_HOST: "192.0.2.1," * 300,
        rbd.RBD_MIRROR_PEER_ATTRIBUTE_NAME_KEY: "secret" * 500,
    }
    for attributes in (
        {rbd.RBD_MIRROR_PEER_ATTRIBUTE_NAME_MON_HOST: "192.0.2.1"},
        {**dict.fromkeys((f"k{i}" for i in range(100)), "v" * 100), "empty": ""},
        long,
        {},
    ):
        RBD.mirror_peer_set_attributes(pool, uuid, attributes)
        assert RBD.mirror_peer_get_attributes(pool, uuid) == attributes
    with pytest.raises(rbd.ImageNotFound):
        RBD.mirror_peer_set_attributes(pool, "nope", {"key": "secret"})
    with pytest.raises(TypeError, match="mapping"):
        RBD.mirror_peer_set_attributes(pool, uuid, None)  # type: ignore[arg-type]
    with pytest.raises(rbd.InvalidArgument, match="value must be a string") as caught:
        RBD.mirror_peer_set_attributes(pool, uuid, {"key": 5, "other": "secret"})  # type: ignore[dict-item]
    assert "secret" not in str(caught.value)


def test_bootstrap_on_one_cluster(pool: rados.Ioctx) -> None:
    token = RBD.mirror_peer_bootstrap_create(pool)
    assert RBD.mirror_peer_bootstrap_create(pool) == token
    rx = rbd.RBD_MIRROR_PEER_DIRECTION_RX
    with pytest.raises(rbd.InvalidArgument, match=pool.name) as caught:
        RBD.mirror_peer_bootstrap_import(pool, rx, token)  # of the same cluster
    assert token not in str(caught.value)
    for garbage in ("", "x", "e30=", token[:-8]):
        with pytest.raises(rbd.InvalidArgument):
            RBD.mirror_peer_bootstrap_import(pool, rx, garbage)
    with pytest.raises(OverflowError, match="direction"):
        RBD.mirror_peer_bootstrap_import(pool, -1, token)
    RBD.mirror_mode_set(pool, rbd.RBD_MIRROR_MODE_DISABLED)
    with pytest.raises(rbd.InvalidArgument):
        RBD.mirror_peer_bootstrap_create(pool)


def test_an_image_that_is_not_mirrored(pool: rados.Ioctx) -> None:
    RBD.create(pool, "image", MIB)
    with rbd.Image(pool, "image") as image:
        not_mirrored = {"global_id": "", "state": rbd.RBD_MIRROR_IMAGE_DISABLED, "primary": False}
        assert image.mirror_image_get_info() == not_mirrored
        assert image.mirror_image_get_status() == {
            "name": "image",
            "id": image.id(),
            "info": not_mirrored,
            "remote_statuses": [],
            "state": rbd.MIRROR_IMAGE_STATUS_STATE_UNKNOWN,
            "description": "status not found",
            "last_update": EPOCH,
            "up": False,
        }
        image.mirror_image_disable(False)
        for call in (
            image.mirror_image_resync,
            image.mirror_image_demote,
            image.mirror_image_get_instance_id,
            lambda: image.mirror_image_promote(False),
            lambda: image.mirror_image_promote(True),
        ):
            with pytest.raises(
                (rbd.ImageNotFound, rbd.InvalidArgument),
                match=r"mirror_image.*', which is not mirrored",
            ):
                call()
        for bad, error in (
            *(("x", TypeError), (-1, OverflowError), (1 << 40, OverflowError)),
            (7, rbd.InvalidArgument),
        ):
            with pytest.raises(error, match=r"mirror_image_enable.*image.*mode"):
                image.mirror_image_enable(bad)  # type: ignore[arg-type]
    with pytest.raises(rbd.InvalidArgument, match="image is closed"):
        image.mirror_image_get_status()
    assert list(RBD.mirror_image_status_list(pool)) == []
    assert RBD.mirror_image_status_summary(pool) == []
    assert list(RBD.mirror_image_instance_id_list(pool)) == []


def test_mirroring_of_an_image_needs_that_of_its_pool(image: rbd.Image) -> None:
    with pytest.raises(
        rbd.InvalidArgument,
        match=r"mirror_image_enable\(0\).*, in a pool whose mirroring is disabled",
    ):
        image.mirror_image_enable()


def test_journal_mode(pool: rados.Ioctx) -> None:
    RBD.create(pool, "image", MIB, features=JOURNALING)
    with rbd.Image(pool, "image") as image:
        image.mirror_image_enable()
        info = image.mirror_image_get_info()
        assert len(info.pop("global_id")) == 36
        assert info == {"state": rbd.RBD_MIRROR_IMAGE_ENABLED, "primary": True}
        if has("rbd_mirror_image_get_mode"):
            assert image.mirror_image_get_mode() == rbd.RBD_MIRROR_IMAGE_MODE_JOURNAL
        image.mirror_image_demote()
        assert image.mirror_image_get_info()["primary"] is False
        with pytest.raises(rbd.PermissionError):
            image.write(b"x", 0)
        with pytest.raises(rbd.InvalidArgument, match=r"mirror_image_disable\(False\)"):
            image.mirror_image_disable(False)
        image.mirror_image_promote(False)
        assert image.mirror_image_get_info()["primary"] is True
        image.write(b"x", 0)
        image.mirror_image_disable(False)
        assert image.mirror_image_get_info()["state"] == rbd.RBD_MIRROR_IMAGE_DISABLED


@sites_16
def test_snapshot_mode(pool: rados.Ioctx) -> None:
    with make(pool, "image", rbd.RBD_MIRROR_IMAGE_MODE_SNAPSHOT) as image:
        with pytest.raises(rbd.InvalidArgument, match=r"mirror_image_create_snapshot\(0\)"):
            image.mirror_image_create_snapshot()  # for nobody
        RBD.mirror_peer_add(pool, "there", "client.x")
        assert image.mirror_image_get_mode() == rbd.RBD_MIRROR_IMAGE_MODE_SNAPSHOT
        first = image.mirror_image_create_snapshot()
        second = image.mirror_image_create_snapshot(rbd.RBD_SNAP_CREATE_SKIP_QUIESCE)
        assert second > first > 0
        snaps = {snap["id"]: snap for snap in image.list_snaps()}
        assert snaps[first]["namespace"] == rbd.RBD_SNAP_NAMESPACE_TYPE_MIRROR
        assert snaps[second]["namespace"] == rbd.RBD_SNAP_NAMESPACE_TYPE_MIRROR
        with pytest.raises(rbd.InvalidArgument, match=r"mirror_image_create_snapshot\(255\)"):
            image.mirror_image_create_snapshot(255)
        with pytest.raises(OverflowError, match="flags"):
            image.mirror_image_create_snapshot(-1)
        with pytest.raises(rbd.InvalidArgument, match=r"mirror_image_enable\(0\)"):
            image.mirror_image_enable(rbd.RBD_MIRROR_IMAGE_MODE_JOURNAL)
        image.mirror_image_demote()
        image.mirror_image_promote(False)
        image.mirror_image_disable(False)


def test_lists_in_chunks(pool: rados.Ioctx) -> None:
    ids = {}
    modes = [rbd.RBD_MIRROR_IMAGE_MODE_JOURNAL] * 7
    if has("rbd_mirror_image_enable2"):
        modes[1::2] = [rbd.RBD_MIRROR_IMAGE_MODE_SNAPSHOT] * 3
    for i, mode in enumerate(modes):
        with make(pool, f"image-{i}", mode) as image:
            ids[image.id()] = (image.name, mode, image.mirror_image_get_info()["global_id"])

    expected = [
        {
            "name": name,
            "id": image_id,
            "info": {"global_id": global_id, "state": rbd.RBD_MIRROR_IMAGE_ENABLED},
            "remote_statuses": [],
            "state": rbd.MIRROR_IMAGE_STATUS_STATE_UNKNOWN,
            "description": "status not found",
            "last_update": EPOCH,
            "up": False,
        }
        for image_id, (name, _, global_id) in sorted(ids.items())
    ]
    assert list(RBD.mirror_image_status_list(pool)) == expected
    for chunk in (1, 2, 3, 7, 8):
        statuses = rbd.MirrorImageStatusIterator(pool, chunk=chunk)
        assert list(statuses) == expected
        assert list(zip(statuses, statuses)) == list(zip(expected, expected))
        statuses.get_next_chunk()
        assert list(statuses) == expected[chunk:]
    statuses.get_next_chunk()
    statuses.get_next_chunk()
    assert list(statuses) == []
    # what is yielded is the caller's to change
    statuses = RBD.mirror_image_status_list(pool)
    next(iter(statuses))["info"].clear()
    assert list(statuses) == expected
    assert RBD.mirror_image_status_summary(pool) == [(rbd.MIRROR_IMAGE_STATUS_STATE_UNKNOWN, 7)]

    if hasattr(RBD, "mirror_image_info_list"):
        infos = [
            (
                image_id,
                {
                    "mode": mode,
                    "global_id": global_id,
                    "state": rbd.RBD_MIRROR_IMAGE_ENABLED,
                    "primary": True,
                },
            )
            for image_id, (_, mode, global_id) in sorted(ids.items())
        ]
        assert list(RBD.mirror_image_info_list(pool)) == infos
        for chunk in (1, 2, 3, 7, 8):
            assert list(rbd.MirrorImageInfoIterator(pool, None, chunk=chunk)) == infos
            for mode in (rbd.RBD_MIRROR_IMAGE_MODE_JOURNAL, rbd.RBD_MIRROR_IMAGE_MODE_SNAPSHOT):
                some = rbd.MirrorImageInfoIterator(pool, mode, chunk=chunk)
                assert list(some) == [pair for pair in infos if pair[1]["mode"] == mode]
        with pytest.raises(TypeError, match="mode_filter"):
            RBD.mirror_image_info_list(pool, "x")  # type: ignore[arg-type]
    for wrong in (0, -1, 1 << 40):
        with pytest.raises(OverflowError, match="chunk"):
            rbd.MirrorImageStatusIterator(pool, chunk=wrong)
    with pytest.raises(TypeError, match="ioctx"):
        rbd.MirrorPeerIterator(None)  # type: ignore[arg-type]


def test_a_list_whose_pool_was_closed(cluster: rados.Rados, pool: rados.Ioctx) -> None:
    for name in ("a", "b"):
        make(pool, name).close()
    with cluster.open_ioctx(pool.name) as other:
        statuses = iter(rbd.MirrorImageStatusIterator(other, chunk=1))
        assert next(statuses)["name"] in ("a", "b")
    with pytest.raises(rados.IoctxStateError):
        next(statuses)


def test_with_callbacks(pool: rados.Ioctx) -> None:
    with make(pool, "image") as image:
        seen: list[Any] = []

        def wait(start: Callable[..., rbd.Completion], *args: Any) -> Any:
            """(result, what the callback was given)"""
            completion = start(*args, lambda completion, *values: seen.append(values))
            completion.wait_for_complete_and_cb()
            return completion.get_return_value(), seen.pop()

        assert wait(image.aio_mirror_image_get_info) == (0, (image.mirror_image_get_info(),))
        assert wait(image.aio_mirror_image_get_status) == (0, (image.mirror_image_get_status(),))
        assert wait(image.aio_mirror_image_demote) == (0, ())
        assert image.mirror_image_get_info()["primary"] is False
        result, values = wait(image.aio_mirror_image_demote)
        assert result < 0 and values == ()
        assert wait(image.aio_mirror_image_promote, False) == (0, ())
        assert image.mirror_image_get_info()["primary"] is True
        result, values = wait(image.aio_mirror_image_promote, False)
        assert result < 0 and values == ()
        if has("rbd_aio_mirror_image_get_mode"):
            journal = rbd.RBD_MIRROR_IMAGE_MODE_JOURNAL
            assert wait(image.aio_mirror_image_get_mode) == (0, (journal,))
            result, values = wait(image.aio_mirror_image_create_snapshot, 0)
            assert result < 0 and values == (None,)
            for bad, error in ((-1, OverflowError), ("0", TypeError)):
                with pytest.raises(error, match="aio_mirror_image_create_snapshot"):
                    image.aio_mirror_image_create_snapshot(bad, print)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match=r"aio_mirror_image_get_info.*callable"):
            image.aio_mirror_image_get_info(5)  # type: ignore[arg-type]
    for name in dir(image):
        if name.startswith("aio_mirror_image_") and hasattr(image, name):
            arguments = (0,) if "promote" in name or "snapshot" in name else ()
            with pytest.raises(rbd.InvalidArgument, match="image is closed"):
                getattr(image, name)(*arguments, print)


@sites_16
def test_mirror_snapshots_with_callbacks(pool: rados.Ioctx) -> None:
    RBD.mirror_peer_add(pool, "there", "client.x")
    with make(pool, "image", rbd.RBD_MIRROR_IMAGE_MODE_SNAPSHOT) as image:
        seen: list[int | None] = []
        for flags in (0, rbd.RBD_SNAP_CREATE_SKIP_QUIESCE):
            image.aio_mirror_image_create_snapshot(
                flags, lambda completion, snap_id: seen.append(snap_id)
            ).wait_for_complete_and_cb()
        assert seen[-1] in [snap["id"] for snap in image.list_snaps()]
        assert None not in seen and sorted(seen) == seen  # type: ignore[type-var]


def test_an_image_that_is_closed_while_it_answers(pool: rados.Ioctx) -> None:
    """C writes its results into memory that lives until it is done."""
    for name in ("image", "nobody-listens"):
        image = make(pool, name)
        infos: list[Any] = []

        def take(completion: rbd.Completion, value: Any, infos: list[Any] = infos) -> None:
            infos.append(value)

        callback: Any = take if name == "image" else None
        completions = []
        for _ in range(150):
            completions.append(image.aio_mirror_image_get_info(callback))
            completions.append(image.aio_mirror_image_get_status(callback))
        image.close()
        for completion in completions:
            completion.wait_for_complete_and_cb()
            assert completion.get_return_value() == 0
        if name == "image":
            assert len(infos) == 300
            assert len({info.get("global_id") or info["info"]["global_id"] for info in infos}) == 1


# -- two clusters ----------------------------------------------------------------------------------


class Site(NamedTuple):
    """One of two clusters that are peers."""

    cluster: Cluster
    rados: rados.Rados
    ioctx: rados.Ioctx


@pytest.fixture(scope="module")
def sites() -> Iterator[tuple[Site, Site]]:
    """Two clusters whose pools are peers of each other, with an rbd-mirror each."""
    with Cluster(rbd_mirror=True) as first, Cluster(rbd_mirror=True) as second:
        clusters = (first, second)
        with rados.Rados(conffile=first.conf) as one, rados.Rados(conffile=second.conf) as other:
            with one.open_ioctx("rbd") as here, other.open_ioctx("rbd") as there:
                for name, connection in (("site-a", one), ("site-b", other)):
                    RBD.mirror_site_name_set(connection, name)
                for ioctx in (here, there):
                    RBD.mirror_mode_set(ioctx, rbd.RBD_MIRROR_MODE_IMAGE)
                RBD.mirror_peer_bootstrap_import(
                    there,
                    rbd.RBD_MIRROR_PEER_DIRECTION_RX_TX,
                    RBD.mirror_peer_bootstrap_create(here),
                )
                yield Site(clusters[0], one, here), Site(clusters[1], other, there)


def until(what: str, condition: Callable[[], Any], seconds: float = 40) -> Any:
    """Waits until a condition holds, and returns what it gave."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            value = condition()
        except (rbd.ImageNotFound, rbd.ImageBusy, rbd.InvalidArgument, rbd.ReadOnlyImage):
            value = None  # the replica is not there yet, or the daemon has it
        if value:
            return value
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.1)


def content_at(site: Site, name: str, length: int) -> bytes:
    with rbd.Image(site.ioctx, name, read_only=True) as image:
        return image.read(0, length)


MODES = [pytest.param(rbd.RBD_MIRROR_IMAGE_MODE_JOURNAL, id="journal")]
MODES.append(pytest.param(rbd.RBD_MIRROR_IMAGE_MODE_SNAPSHOT, id="snapshot", marks=sites_16))


def test_peers_of_each_other(sites: tuple[Site, Site]) -> None:
    for here, there, name in ((sites[0], sites[1], "site-b"), (sites[1], sites[0], "site-a")):
        (peer,) = RBD.mirror_peer_list(here.ioctx)
        assert peer["site_name"] == name
        assert peer["client_name"] == "client.rbd-mirror-peer"
        attributes = RBD.mirror_peer_get_attributes(here.ioctx, peer["uuid"])
        assert set(attributes) == {
            rbd.RBD_MIRROR_PEER_ATTRIBUTE_NAME_MON_HOST,
            rbd.RBD_MIRROR_PEER_ATTRIBUTE_NAME_KEY,
        }
        if has("rbd_mirror_uuid_get"):
            uuid = RBD.mirror_uuid_get(there.ioctx)
            until(
                "the rbd-mirror has met its peer",
                lambda here=here, uuid=uuid: [  # type: ignore[misc]
                    peer for peer in RBD.mirror_peer_list(here.ioctx) if peer["mirror_uuid"] == uuid
                ],
            )


@pytest.mark.parametrize("mode", MODES)
def test_failover_and_resync(sites: tuple[Site, Site], mode: int, fresh_name: str) -> None:
    """An image is replicated, then the other way round, then anew."""
    here, there = sites
    name = fresh_name
    snapshots = mode == rbd.RBD_MIRROR_IMAGE_MODE_SNAPSHOT
    with make(here.ioctx, name, mode) as image:
        image.write(b"first", 0)
        image.flush()
        if snapshots:
            image.mirror_image_create_snapshot()
        until("a replica", lambda: content_at(there, name, 5) == b"first")
        with rbd.Image(there.ioctx, name) as replica:
            theirs = replica.mirror_image_get_info()
            assert theirs == {**image.mirror_image_get_info(), "primary": False}
            if has("rbd_mirror_image_get_mode"):
                assert replica.mirror_image_get_mode() == mode
            with pytest.raises(rbd.ImageBusy, match=r"mirror_image_promote\(False\)"):
                replica.mirror_image_promote(False)
        with pytest.raises(rbd.InvalidArgument, match="mirror_image_resync"):
            image.mirror_image_resync()
        image.mirror_image_demote()

        def promoted() -> bool:
            with rbd.Image(there.ioctx, name) as replica:
                if not replica.mirror_image_get_info()["primary"]:
                    replica.mirror_image_promote(False)
                return replica.mirror_image_get_info()["primary"] is True

        # the other way round
        until("the demotion is known", promoted)
        with rbd.Image(there.ioctx, name) as replica:
            replica.write(b"other", 0)
            replica.flush()
            if snapshots:
                replica.mirror_image_create_snapshot()
        until("a replica here", lambda: content_at(here, name, 5) == b"other")
        before = image.id()
        image.mirror_image_resync()

    # anew
    def copied_anew() -> bool:
        with rbd.Image(here.ioctx, name, read_only=True) as again:
            return again.id() != before and again.read(0, 5) == b"other"

    until("another replica", copied_anew)
    with rbd.Image(there.ioctx, name) as primary:
        primary.mirror_image_disable(False)
    until("the replica is removed", lambda: name not in RBD.list(here.ioctx))
    assert name in RBD.list(there.ioctx)


@sites_16
def test_statuses_of_all_sites(sites: tuple[Site, Site], fresh_name: str) -> None:
    here, there = sites
    name = fresh_name
    with make(here.ioctx, name, rbd.RBD_MIRROR_IMAGE_MODE_SNAPSHOT) as image:
        uuid = RBD.mirror_uuid_get(there.ioctx)

        def known() -> dict[str, Any] | None:
            status = image.mirror_image_get_status()
            remote = status["remote_statuses"]
            done = remote and remote[0]["state"] == rbd.MIRROR_IMAGE_STATUS_STATE_REPLAYING
            return status if done and status["up"] else None

        status = until("both sites say something", known)
        (remote,) = status["remote_statuses"]
        assert remote["mirror_uuid"] == uuid
        assert remote["description"].startswith("replaying")
        assert set(remote) == {"mirror_uuid", "state", "description", "last_update", "up"}
        assert remote["up"] is True
        assert status["state"] == rbd.MIRROR_IMAGE_STATUS_STATE_STOPPED
        assert status["description"] == "local image is primary"
        assert status["info"] == image.mirror_image_get_info()
        now = datetime.now(timezone.utc)
        for update in (status["last_update"], remote["last_update"]):
            assert -5 < (now - update).total_seconds() < 120
        seen: list[Any] = []
        completion = image.aio_mirror_image_get_status(lambda *args: seen.append(args[1]))
        completion.wait_for_complete_and_cb()
        assert seen[0].keys() == status.keys() and len(seen[0]["remote_statuses"]) == 1
        listed = [one for one in RBD.mirror_image_status_list(here.ioctx) if one["name"] == name]
        assert listed[0]["remote_statuses"][0]["mirror_uuid"] == uuid
        instance = image.mirror_image_get_instance_id()
        assert instance.isdigit()
        assert (image.id(), instance) in list(RBD.mirror_image_instance_id_list(here.ioctx))
        summary = dict(RBD.mirror_image_status_summary(here.ioctx))
        assert summary[rbd.MIRROR_IMAGE_STATUS_STATE_REPLAYING] == 1
        assert sum(summary.values()) == len(list(RBD.mirror_image_status_list(here.ioctx)))
        standard = of_standard(here, there, name)
        for _ in range(5):  # a daemon may say something new in between
            if standard == of_ours(here, there, name):
                break
            standard = of_standard(here, there, name)
        if standard is not None:
            for ours, theirs in zip(of_ours(here, there, name), standard):
                assert len(ours) == len(theirs)
                for one, other in zip(ours, theirs):
                    assert one == other
        image.mirror_image_disable(False)


STANDARD = """
import json, sys
sys.path.append("/usr/lib/python3/dist-packages")
import rados, rbd
answer = {}
for conf in sys.argv[2:]:
    with rados.Rados(conffile=conf) as cluster, cluster.open_ioctx("rbd") as ioctx:
        RBD = rbd.RBD()
        with rbd.Image(ioctx, sys.argv[1], read_only=True) as image:
            answer[conf] = [
                image.mirror_image_get_status(),
                list(RBD.mirror_image_status_list(ioctx)),
                list(RBD.mirror_image_info_list(ioctx)),
                list(RBD.mirror_image_instance_id_list(ioctx)),
                list(RBD.mirror_peer_list(ioctx)),
                RBD.mirror_image_status_summary(ioctx),
                RBD.mirror_uuid_get(ioctx),
                RBD.mirror_site_name_get(cluster),
            ]
print(json.dumps(answer, default=lambda time: time.isoformat()[:19]))
"""


def of_standard(here: Site, there: Site, name: str) -> list[Any] | None:
    """What the standard binding says of both sites, where there is one."""
    try:
        done = subprocess.run(
            [
                *("/usr/bin/python3", "-W", "ignore", "-c", STANDARD, name),
                *(here.cluster.conf, there.cluster.conf),
            ],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    except FileNotFoundError:
        return None
    if "ModuleNotFoundError" in done.stderr:
        return None
    assert done.returncode == 0, done.stderr
    theirs = json.loads(done.stdout)
    return [stable(theirs[site.cluster.conf]) for site in (here, there)]


def of_ours(here: Site, there: Site, name: str) -> list[Any]:
    """The same, said by us."""
    answers = []
    for site in (here, there):
        with rbd.Image(site.ioctx, name, read_only=True) as image:
            answer = [
                image.mirror_image_get_status(),
                list(RBD.mirror_image_status_list(site.ioctx)),
                list(RBD.mirror_image_info_list(site.ioctx)),
                list(RBD.mirror_image_instance_id_list(site.ioctx)),
                list(RBD.mirror_peer_list(site.ioctx)),
                RBD.mirror_image_status_summary(site.ioctx),
                RBD.mirror_uuid_get(site.ioctx),
                RBD.mirror_site_name_get(site.rados),
            ]
        answers.append(stable(json.loads(json.dumps(answer, default=str))))
    return answers


def stable(value: Any) -> Any:
    """Without what a daemon may have changed in between."""
    if isinstance(value, dict):
        if "remote_statuses" in value:
            # the standard binding leaves the keys out as long as this site says nothing
            unknown = {"state": 0, "description": "status not found", "up": False}
            value = {**unknown, "last_update": "", **value}
        return {
            key: key
            if key == "last_update"
            else one.split(",")[0]
            if key == "description"
            else stable(one)
            for key, one in value.items()
        }
    return [stable(one) for one in value] if isinstance(value, list) else value


IMPORT = """
import sys
from rbdcffi import rados, rbd
with rados.Rados(conffile=sys.argv[1]) as cluster, cluster.open_ioctx("rbd") as ioctx:
    try:
        rbd.RBD().mirror_peer_bootstrap_import(ioctx, 0, sys.argv[2])
    except KeyboardInterrupt:
        print("left", flush=True)
"""


@sites_16
def test_ctrl_c_leaves_a_peer_that_does_not_answer(sites: tuple[Site, Site]) -> None:
    here, there = sites
    token = RBD.mirror_peer_bootstrap_create(here.ioctx)
    here.cluster.mon.pause()
    try:
        command = [sys.executable, "-c", IMPORT, there.cluster.conf, token]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            try:
                time.sleep(2)
                assert process.poll() is None
                asked = time.monotonic()
                process.send_signal(signal.SIGINT)
                assert process.stdout.readline() == "left\n"
                assert time.monotonic() - asked < 5
                here.cluster.mon.resume()
                assert process.wait(20) == 0
            finally:
                process.kill()
    finally:
        here.cluster.mon.resume()
