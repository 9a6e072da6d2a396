"""The trash: moving images there, listing, restoring, removing and purging."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from rbdcffi import rados, rbd
from rbdcffi.testing import Cluster

MIB = 1 << 20
RBD = rbd.RBD()


@pytest.fixture
def pool(cluster: rados.Rados, ceph_pool: str) -> Iterator[rados.Ioctx]:
    """A pool whose trash is this test's own."""
    with cluster.open_ioctx(ceph_pool) as context:
        yield context


def throw_away(pool: rados.Ioctx, name: str, delay: int = 0, size: int = MIB) -> str:
    """Makes an image in the trash; returns its id."""
    RBD.create(pool, name, size)
    with rbd.Image(pool, name) as image:
        image_id = image.id()
    RBD.trash_move(pool, name, delay)
    return image_id


def names(pool: rados.Ioctx) -> list[str]:
    return sorted(entry["name"] for entry in RBD.trash_list(pool))


def test_there_and_back(pool: rados.Ioctx) -> None:
    assert list(RBD.trash_list(pool)) == []
    before = datetime.now(timezone.utc).replace(microsecond=0)
    image_id = throw_away(pool, "a")
    after = datetime.now(timezone.utc)
    assert RBD.list(pool) == []
    with pytest.raises(rbd.ImageNotFound, match=r"trash_move\('a', 0\)"):
        RBD.trash_move(pool, "a")
    entry = RBD.trash_get(pool, image_id)
    assert list(entry) == ["id", "name", "source", "deletion_time", "deferment_end_time"]
    assert (entry["id"], entry["name"], entry["source"]) == (image_id, "a", "USER")
    assert before <= entry["deletion_time"] <= after
    assert entry["deletion_time"].utcoffset() == timedelta(0)
    assert entry["deferment_end_time"] == entry["deletion_time"]
    listed = RBD.trash_list(pool)
    assert list(listed) == [entry]
    next(iter(listed))["name"] = "changed"
    assert list(listed) == [entry]
    RBD.trash_restore(pool, image_id, "b")
    assert (RBD.list(pool), names(pool)) == (["b"], [])
    with pytest.raises(rbd.ImageNotFound):
        RBD.trash_get(pool, image_id)


def test_restore_under_the_old_name(pool: rados.Ioctx) -> None:
    image_id = throw_away(pool, "a")
    RBD.create(pool, "a", MIB)
    for name in ("a", ""):
        with pytest.raises(rbd.ImageExists):
            RBD.trash_restore(pool, image_id, name)
    RBD.remove(pool, "a")
    RBD.trash_restore(pool, image_id, "")
    assert RBD.list(pool) == ["a"]
    with pytest.raises(rbd.ImageNotFound, match="no-such-id"):
        RBD.trash_restore(pool, "no-such-id", "x")


def test_spared(pool: rados.Ioctx) -> None:
    image_id = throw_away(pool, "a", delay=3600)
    entry = RBD.trash_get(pool, image_id)
    assert entry["deferment_end_time"] - entry["deletion_time"] == timedelta(hours=1)
    with pytest.raises(rbd.PermissionError, match=r"trash_remove\("):
        RBD.trash_remove(pool, image_id)
    RBD.trash_purge(pool)
    assert names(pool) == ["a"]
    RBD.trash_remove(pool, image_id, force=True)
    assert names(pool) == []


def test_remove_with_progress(pool: rados.Ioctx) -> None:
    image_id = throw_away(pool, "a", size=64 * MIB)
    seen: list[tuple[int, int]] = []
    RBD.trash_remove(pool, image_id, False, lambda *step: seen.append(step))
    assert seen
    assert all(0 <= done <= total for done, total in seen)
    with pytest.raises(rbd.ImageNotFound):
        RBD.trash_remove(pool, image_id)


@pytest.mark.parametrize("ending", [KeyError("mine"), -5])
def test_remove_ended_by_its_progress_function(pool: rados.Ioctx, ending: Any) -> None:
    RBD.create(pool, "a", 128 << 12, order=12, features=rbd.RBD_FEATURE_LAYERING)
    with rbd.Image(pool, "a") as image:
        image.write(b"x" * (128 << 12), 0)
        image_id = image.id()
    RBD.trash_move(pool, "a")
    calls = 0

    def third(done: int, total: int) -> int:
        nonlocal calls
        calls += 1
        if calls < 3:
            return 0
        if isinstance(ending, int):
            return ending
        raise ending

    with pytest.raises((KeyError, rbd.IOError)) as caught:
        RBD.trash_remove(pool, image_id, on_progress=third)
    assert caught.value is ending or getattr(caught.value, "errno", None) == 5
    assert calls < 128
    assert names(pool) == ["a"]
    RBD.trash_remove(pool, image_id)


@pytest.mark.not_on_ceph(14, reason="an image that somebody writes to cannot be moved, ImageBusy")
def test_open_images_stay(pool: rados.Ioctx) -> None:
    RBD.create(pool, "open", MIB)
    with rbd.Image(pool, "open") as image:
        image.write(b"still here", 0)
        in_use = image.id()
        RBD.trash_move(pool, "open")
        assert image.read(0, 10) == b"still here"
        with pytest.raises(rbd.ImageBusy):
            RBD.trash_remove(pool, in_use)
        with pytest.raises(rbd.ImageBusy, match="trash_purge"):
            RBD.trash_purge(pool)
        assert names(pool) == ["open"]
    RBD.trash_purge(pool)
    assert names(pool) == []


def test_images_with_snapshots_stay(pool: rados.Ioctx) -> None:
    RBD.create(pool, "snaps", MIB)
    with rbd.Image(pool, "snaps") as image:
        image.create_snap("s")
        image_id = image.id()
    RBD.trash_move(pool, "snaps")
    with pytest.raises(rbd.ImageHasSnapshots):
        RBD.trash_remove(pool, image_id)
    with pytest.raises(rbd.ImageHasSnapshots, match="trash_purge"):
        RBD.trash_purge(pool)
    assert names(pool) == ["snaps"]
    with rbd.Image(pool, image_id=image_id) as image:
        image.remove_snap("s")
    RBD.trash_purge(pool)
    assert names(pool) == []


@pytest.mark.not_on_ceph(14, reason="a purge ends at the first image that cannot be removed")
def test_purge_goes_on_with_the_others(pool: rados.Ioctx) -> None:
    for i in range(4):
        name = f"snaps-{i}" if i % 2 else f"plain-{i}"
        RBD.create(pool, name, MIB)
        if i % 2:
            with rbd.Image(pool, name) as image:
                image.create_snap("s")
        RBD.trash_move(pool, name)
    with pytest.raises(rbd.ImageHasSnapshots):
        RBD.trash_purge(pool)
    assert names(pool) == ["snaps-1", "snaps-3"]


def test_purge_until(pool: rados.Ioctx) -> None:
    for i in range(3):
        throw_away(pool, f"hour-{i}", delay=3600 * i)
    RBD.trash_purge(pool)
    assert names(pool) == ["hour-1", "hour-2"]
    now = datetime.now(timezone.utc)
    RBD.trash_purge(pool, now - timedelta(hours=5))
    assert names(pool) == ["hour-1", "hour-2"]
    elsewhere = now.astimezone(timezone(timedelta(hours=7)))
    RBD.trash_purge(pool, elsewhere + timedelta(hours=1, minutes=30))
    assert names(pool) == ["hour-2"]
    RBD.trash_purge(pool, datetime.now() + timedelta(hours=1, minutes=30))
    assert names(pool) == ["hour-2"]
    RBD.trash_purge(pool, expire_ts=datetime.now() + timedelta(hours=2, minutes=30))
    assert names(pool) == []


def test_purge_with_progress(pool: rados.Ioctx) -> None:
    for i in range(5):
        throw_away(pool, f"a-{i}")
    seen: list[tuple[int, int]] = []
    RBD.trash_purge(pool, on_progress=lambda *step: seen.append(step))
    assert [total for _, total in seen] == [5] * len(seen)
    assert len(seen) == 5
    for i in range(5):
        throw_away(pool, f"a-{i}")
    calls: list[int] = []

    def raises(done: int, total: int) -> None:
        calls.append(done)
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        RBD.trash_purge(pool, on_progress=raises)
    assert len(calls) == 1
    RBD.trash_purge(pool)
    assert names(pool) == []


def test_bad_arguments(pool: rados.Ioctx) -> None:
    throw_away(pool, "a", delay=1000)
    nan = float("nan")
    for call, error, text in (
        (lambda: RBD.trash_move(pool, "x", -1), OverflowError, "delay"),
        (lambda: RBD.trash_move(pool, "x", "1"), TypeError, "delay"),  # type: ignore[arg-type]
        (lambda: RBD.trash_move(pool, None), rbd.InvalidArgument, "name"),  # type: ignore[arg-type]
        (lambda: RBD.trash_get(pool, 5), rbd.InvalidArgument, "image_id"),  # type: ignore[arg-type]
        (lambda: RBD.trash_purge(pool, 5), TypeError, "datetime"),  # type: ignore[arg-type]
        (lambda: RBD.trash_purge(pool, datetime.min), rbd.InvalidArgument, "expire_ts"),
        (lambda: RBD.trash_purge(pool, None, nan), rbd.InvalidArgument, "not a number"),
        (lambda: RBD.trash_purge(pool, None, 1.5), rbd.InvalidArgument, "1.5"),
        (lambda: RBD.trash_purge(pool, None, "1"), TypeError, "trash_purge"),  # type: ignore[arg-type]
        (lambda: RBD.trash_purge(pool, on_progress=5), TypeError, "callable"),
        (lambda: RBD.trash_list(None), TypeError, "Ioctx"),  # type: ignore[arg-type]
    ):
        with pytest.raises(error, match=text):
            call()
    assert names(pool) == ["a"]
    pool.close()
    for call in (
        lambda: RBD.trash_list(pool),
        lambda: RBD.trash_purge(pool),
        lambda: RBD.trash_get(pool, "x"),
    ):
        with pytest.raises(rados.IoctxStateError):
            call()


def test_more_than_the_first_guess(pool: rados.Ioctx) -> None:
    for i in range(40):
        throw_away(pool, f"image-{i}")
    assert names(pool) == sorted(f"image-{i}" for i in range(40))


def test_namespaces_have_trash_of_their_own(pool: rados.Ioctx) -> None:
    RBD.namespace_create(pool, "n")
    throw_away(pool, "outside")
    pool.set_namespace("n")
    throw_away(pool, "inside")
    assert names(pool) == ["inside"]
    RBD.trash_purge(pool)
    pool.set_namespace("")
    assert names(pool) == ["outside"]


def test_purge_by_threshold(ceph_cluster_factory: Callable[..., Cluster]) -> None:
    """How full a pool is, the manager knows."""
    own = ceph_cluster_factory(mgr=True)
    with rados.Rados(conffile=own.conf) as cluster:
        own.create_pool("full")
        with cluster.open_ioctx("full") as pool:
            for i in range(4):
                RBD.create(pool, f"a-{i}", 8 * MIB)
                with rbd.Image(pool, f"a-{i}") as image:
                    image.write(b"x" * (8 * MIB), 0)
                RBD.trash_move(pool, f"a-{i}", 3600)
            deadline = time.monotonic() + 60
            while pool.get_stats()["num_bytes"] < 32 * MIB and time.monotonic() < deadline:
                time.sleep(0.2)
            RBD.trash_purge(pool, threshold=0.5)
            assert len(names(pool)) == 4
            RBD.trash_purge(pool, threshold=0)
            assert names(pool) == []
