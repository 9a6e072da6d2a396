"""Ids, names, times, limits and namespaces of snapshots."""

from __future__ import annotations

import errno
import threading
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from rbdcffi import rados, rbd
from rbdcffi._ffi import has
from rbdcffi.testing import Cluster

needs_16 = pytest.mark.skipif(not has("rbd_snap_get_id"), reason="needs Ceph 16")

BY_ID = [
    "snap_get_namespace_type",
    "snap_get_group_namespace",
    "snap_get_trash_namespace",
    "get_snap_timestamp",
    "remove_snap_by_id",
    "set_snap_by_id",
] + (["snap_get_name", "snap_get_mirror_namespace"] if has("rbd_snap_get_name") else [])


def only(image: rbd.Image) -> dict[str, Any]:
    (snap,) = image.list_snaps()
    return snap


@needs_16
def test_names_and_ids(image: rbd.Image) -> None:
    image.create_snap("snap")
    long = "ü" * 300
    image.create_snap(long)
    first, second = image.list_snaps()
    assert image.snap_exists("snap") and image.snap_exists(long)
    assert not image.snap_exists("nope") and not image.snap_exists("")
    assert image.snap_get_id("snap") == first["id"]
    assert image.snap_get_name(first["id"]) == "snap"
    assert image.snap_get_name(second["id"]) == long == second["name"]
    with pytest.raises(rbd.ImageNotFound, match=r"snap_get_id\('nope'\)") as caught:
        image.snap_get_id("nope")
    assert caught.value.errno == errno.ENOENT
    for wrong in (None, 5, "a\0b"):
        with pytest.raises(rbd.InvalidArgument, match="snap_exists"):
            image.snap_exists(wrong)  # type: ignore[arg-type]
        with pytest.raises(rbd.InvalidArgument, match="snap_name"):
            image.snap_get_id(wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("call", BY_ID)
def test_unknown_ids(image: rbd.Image, call: str) -> None:
    """librbd of before Ceph 18 ends the process for some of these."""
    image.create_snap("snap")
    known = only(image)["id"]
    method = getattr(image, call)
    for unknown in (known + 1000, 1 << 63, (1 << 64) - 3):
        with pytest.raises(rbd.ImageNotFound, match=rf"Image\.{call}\({unknown}\)") as caught:
            method(unknown)
        assert caught.value.errno == errno.ENOENT
    with pytest.raises(TypeError, match=rf"Image\.{call}.*{image.name}.*snap_id"):
        method("snap")
    for impossible in (-1, 1 << 64):
        with pytest.raises(OverflowError, match=rf"Image\.{call}.*snap_id"):
            method(impossible)
    image.close()
    with pytest.raises(rbd.InvalidArgument, match="image is closed"):
        method(known)


def test_timestamp(image: rbd.Image) -> None:
    before = datetime.now(timezone.utc) - timedelta(seconds=1)
    image.create_snap("snap")
    stamp = image.get_snap_timestamp(only(image)["id"])
    assert before < stamp < datetime.now(timezone.utc) + timedelta(seconds=1)
    assert stamp.tzinfo is timezone.utc and stamp.microsecond == 0


def test_timestamps_while_snapshots_come_and_go(image: rbd.Image) -> None:
    """The table of snapshots changes under librbd's feet, which it does not guard itself."""
    image.create_snap("kept")
    kept = only(image)["id"]
    expected = image.get_snap_timestamp(kept)
    stop = threading.Event()
    errors: list[BaseException] = []

    def ask() -> None:
        try:
            while not stop.is_set():
                assert image.get_snap_timestamp(kept) == expected
                for snap in image.list_snaps():
                    try:
                        image.get_snap_timestamp(snap["id"])
                    except rbd.ImageNotFound:
                        pass
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for number in range(15):
            image.create_snap(f"s{number}")
            image.remove_snap(f"s{number}")
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert not errors


def test_limit(image: rbd.Image) -> None:
    assert image.get_snap_limit() == 2**64 - 1
    assert image.set_snap_limit(2) == 0
    assert image.get_snap_limit() == 2
    image.create_snap("a")
    image.create_snap("b")
    with pytest.raises(rbd.DiskQuotaExceeded, match="create_snap"):
        image.create_snap("c")
    with pytest.raises(rbd.OSError, match=r"set_snap_limit\(1\)") as caught:
        image.set_snap_limit(1)
    assert caught.value.errno == errno.ERANGE
    for wrong, error in ((-1, OverflowError), (1 << 64, OverflowError), (None, TypeError)):
        with pytest.raises(error, match=rf"set_snap_limit.*{image.name}.*limit"):
            image.set_snap_limit(wrong)  # type: ignore[arg-type]
    assert image.remove_snap_limit() == 0
    assert image.get_snap_limit() == 2**64 - 1
    image.create_snap("c")


def test_set_by_id(image: rbd.Image) -> None:
    image.write(b"then", 0)
    image.create_snap("snap")
    image.write(b"now!", 0)
    snap_id = only(image)["id"]
    for present in (None, 0):
        image.set_snap_by_id(snap_id)
        assert image.read(0, 4) == b"then"
        with pytest.raises(rbd.ReadOnlyImage):
            image.write(b"x", 0)
        image.set_snap_by_id(present)
        assert image.read(0, 4) == b"now!"
        image.write(b"now!", 0)


def test_remove_by_id(image: rbd.Image) -> None:
    image.create_snap("snap")
    snap_id = only(image)["id"]
    image.protect_snap("snap")
    with pytest.raises(rbd.ImageBusy, match=rf"remove_snap_by_id\({snap_id}\)"):
        image.remove_snap_by_id(snap_id)
    image.unprotect_snap("snap")
    image.remove_snap_by_id(snap_id)
    assert list(image.list_snaps()) == []


def test_remove_with_flags(ioctx: rados.Ioctx, image: rbd.Image) -> None:
    image.create_snap("plain")
    image.remove_snap2("plain", 0)
    image.write(b"data", 0)
    image.create_snap("snap")
    image.protect_snap("snap")
    with pytest.raises(rbd.ImageBusy, match=r"remove_snap2\('snap', 0\)"):
        image.remove_snap2("snap", 0)
    child = f"{image.name}-clone"
    rbd.RBD().clone(ioctx, image.name, "snap", ioctx, child, clone_format=1)
    with pytest.raises(rbd.ImageBusy):
        image.remove_snap2("snap", rbd.RBD_SNAP_REMOVE_UNPROTECT)
    seen: list[tuple[int, int]] = []
    image.remove_snap2(
        "snap", rbd.RBD_SNAP_REMOVE_FORCE, on_progress=lambda *step: seen.append(step)
    )
    assert seen and list(image.list_snaps()) == []
    with rbd.Image(ioctx, child) as flat:
        assert flat.overlap() == 0 and flat.read(0, 4) == b"data"
    with pytest.raises(rbd.ImageNotFound):
        image.remove_snap2("snap", 0)
    for wrong, error in ((-1, OverflowError), (1 << 32, OverflowError), ("x", TypeError)):
        with pytest.raises(error, match=r"remove_snap2.*flags"):
            image.remove_snap2("snap", wrong)  # type: ignore[arg-type]


def test_user_namespace(image: rbd.Image) -> None:
    image.create_snap("snap")
    snap = only(image)
    assert list(snap) == ["id", "size", "name", "namespace"]
    assert image.snap_get_namespace_type(snap["id"]) == rbd.RBD_SNAP_NAMESPACE_TYPE_USER
    for call in BY_ID:
        if call.endswith("_namespace"):
            with pytest.raises(rbd.InvalidArgument, match=call):
                getattr(image, call)(snap["id"])


def test_group_namespace(ioctx: rados.Ioctx, image: rbd.Image, ceph_cluster: Cluster) -> None:
    group = f"{image.name}-group"
    ceph_cluster.run("rbd", "group", "create", f"{ioctx.name}/{group}")
    ceph_cluster.run(
        "rbd", "group", "image", "add", f"{ioctx.name}/{group}", f"{ioctx.name}/{image.name}"
    )
    ceph_cluster.run("rbd", "group", "snap", "create", f"{ioctx.name}/{group}@snap")
    snap = only(image)
    expected = {"pool": ioctx.get_pool_id(), "name": group, "snap_name": "snap"}
    assert snap["namespace"] == rbd.RBD_SNAP_NAMESPACE_TYPE_GROUP
    assert snap["group"] == image.snap_get_group_namespace(snap["id"]) == expected
    assert image.group() == {"pool": ioctx.get_pool_id(), "name": group}
    if has("rbd_snap_exists"):
        assert image.snap_get_name(snap["id"]) == snap["name"]


def test_trash_namespace(ioctx: rados.Ioctx, image: rbd.Image) -> None:
    name = "was " * 100  # more than the first buffer holds
    image.create_snap(name)
    child = f"{image.name}-clone"
    rbd.RBD().clone(ioctx, image.name, name, ioctx, child, clone_format=2)
    image.remove_snap(name)
    snap = only(image)
    expected: dict[str, Any] = {"original_name": name}
    if has("rbd_snap_get_trash_namespace2"):
        expected["original_namespace_type"] = rbd.RBD_SNAP_NAMESPACE_TYPE_USER
    assert snap["namespace"] == rbd.RBD_SNAP_NAMESPACE_TYPE_TRASH
    assert snap["trash"] == image.snap_get_trash_namespace(snap["id"]) == expected


@needs_16
def test_mirror_namespace(ceph_cluster: Cluster, cluster: rados.Rados, ceph_pool: str) -> None:
    with cluster.open_ioctx(ceph_pool) as ioctx:
        rbd.RBD().create(ioctx, "image", 1 << 20)
        ceph_cluster.run("rbd", "mirror", "pool", "enable", ceph_pool, "image")
        peer = ceph_cluster.run(
            "rbd", "mirror", "pool", "peer", "add", ceph_pool, "client.x@elsewhere"
        )
        ceph_cluster.run("rbd", "mirror", "image", "enable", f"{ceph_pool}/image", "snapshot")
        with rbd.Image(ioctx, "image") as image:
            snap = only(image)
            assert snap["namespace"] == rbd.RBD_SNAP_NAMESPACE_TYPE_MIRROR
            assert snap["mirror"] == image.snap_get_mirror_namespace(snap["id"])
            assert snap["mirror"] == {
                "state": rbd.RBD_SNAP_MIRROR_STATE_PRIMARY,
                "mirror_peer_uuids": [peer.strip()],
                "complete": True,
                "primary_mirror_uuid": "",
                "primary_snap_id": 2**64 - 2,
                "last_copied_object_number": 0,
            }
        ceph_cluster.run("rbd", "mirror", "image", "disable", f"{ceph_pool}/image", "--force")
