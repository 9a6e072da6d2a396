"""Snapshots of pools, and self-managed ones."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from rbdcffi import rados


@pytest.fixture(scope="module")
def own_snaps(cluster: rados.Rados) -> Iterator[rados.Ioctx]:
    """A pool with snapshots of its own."""
    cluster.create_pool("own-snaps")
    with cluster.open_ioctx("own-snaps") as ioctx:
        yield ioctx
    cluster.delete_pool("own-snaps")


@pytest.fixture(scope="module")
def self_managed(cluster: rados.Rados) -> Iterator[rados.Ioctx]:
    """A pool with self-managed snapshots."""
    cluster.create_pool("self-managed")
    with cluster.open_ioctx("self-managed") as ioctx:
        yield ioctx
    cluster.delete_pool("self-managed")


def test_snapshots_of_a_pool(own_snaps: rados.Ioctx) -> None:
    ioctx = own_snaps
    ioctx.write_full("a", b"old")
    assert list(ioctx.list_snaps()) == []
    ioctx.create_snap("first")
    with pytest.raises(rados.ObjectExists, match=r"Ioctx\.create_snap\('first'\) of pool"):
        ioctx.create_snap("first")
    ioctx.write_full("a", b"new")
    ioctx.write_full("b", b"")
    ioctx.create_snap("sec\u00f6nd")
    snaps = {snap.name: snap for snap in ioctx.list_snaps()}
    assert set(snaps) == {"first", "sec\u00f6nd"}
    first = ioctx.lookup_snap("first")
    assert (first.name, first.snap_id, first.ioctx) == ("first", snaps["first"].snap_id, ioctx)
    assert "name=first" in repr(first)
    assert abs(first.get_timestamp() - datetime.now()) < timedelta(minutes=1)
    ioctx.set_read(first.snap_id)
    try:
        assert ioctx.read("a") == b"old"
        with pytest.raises(rados.ObjectNotFound):
            ioctx.read("b")
    finally:
        ioctx.set_read(rados.LIBRADOS_SNAP_HEAD)
    assert ioctx.read("a") == b"new"
    ioctx.snap_rollback("a", "first")
    assert ioctx.read("a") == b"old"
    ioctx.snap_rollback("b", "first")
    with pytest.raises(rados.ObjectNotFound):
        ioctx.stat("b")
    listing = ioctx.list_snaps()
    ioctx.remove_snap("first")
    # what was removed meanwhile is left out
    assert [snap.name for snap in listing] == ["sec\u00f6nd"]
    ioctx.remove_snap("sec\u00f6nd")
    with pytest.raises(rados.ObjectNotFound, match=r"Snap\.get_timestamp of 'first'"):
        first.get_timestamp()
    for call in (ioctx.remove_snap, ioctx.lookup_snap):
        with pytest.raises(rados.ObjectNotFound, match=r"\('first'\) of pool 'own-snaps'"):
            call("first")
    with pytest.raises(rados.ObjectNotFound, match=r"Ioctx\.snap_rollback.* of object 'a'"):
        ioctx.snap_rollback("a", "first")
    with pytest.raises(rados.InvalidArgumentError, match=r"create_self_managed_snap of pool"):
        ioctx.create_self_managed_snap()


def test_many_snapshots(own_snaps: rados.Ioctx) -> None:
    names = {f"snapshot {number} {'x' * 150}" for number in range(40)}
    for name in names:
        own_snaps.create_snap(name)
    assert {snap.name for snap in own_snaps.list_snaps()} == names
    for name in names:
        own_snaps.remove_snap(name)


def test_self_managed_snapshots(self_managed: rados.Ioctx) -> None:
    ioctx = self_managed
    ioctx.write_full("a", b"one")
    first = ioctx.create_self_managed_snap()
    ioctx.set_self_managed_snap_write([first])
    ioctx.write_full("a", b"two")
    second = ioctx.create_self_managed_snap()
    assert second > first
    ioctx.set_self_managed_snap_write([str(first), second])
    ioctx.write_full("a", b"three")
    for snap_id, expected in ((first, b"one"), (second, b"two")):
        ioctx.set_read(snap_id)
        assert ioctx.read("a") == expected
    ioctx.set_read(rados.LIBRADOS_SNAP_HEAD)
    assert ioctx.read("a") == b"three"
    ioctx.rollback_self_managed_snap("a", first)
    assert ioctx.read("a") == b"one"
    ioctx.remove_self_managed_snap(first)
    ioctx.set_self_managed_snap_write([])
    ioctx.set_self_managed_snap_write(None)
    with pytest.raises(rados.ObjectNotFound, match=r"remove_self_managed_snap\(12345\) of pool"):
        ioctx.remove_self_managed_snap(12345)


@pytest.mark.not_on_ceph(14, reason="librados says that it worked")
def test_no_snapshot_of_a_pool_with_self_managed_ones(self_managed: rados.Ioctx) -> None:
    self_managed.create_self_managed_snap()
    with pytest.raises(rados.InvalidArgumentError, match=r"Ioctx\.create_snap"):
        self_managed.create_snap("a")


def test_wrong_arguments(self_managed: rados.Ioctx, own_snaps: rados.Ioctx) -> None:
    ioctx = self_managed
    what = r"Ioctx\.set_self_managed_snap_write of pool 'self-managed'"
    with pytest.raises(rados.InvalidArgumentError, match=r"set_self_managed_snap_write\(\[2, 2\]"):
        ioctx.set_self_managed_snap_write([2, 2])
    with pytest.raises(ValueError, match=what + ".*ids of snapshots, not 'x'"):
        ioctx.set_self_managed_snap_write(["x"])
    with pytest.raises(TypeError, match=what):
        ioctx.set_self_managed_snap_write([1.5])  # type: ignore[list-item]
    with pytest.raises(TypeError, match=what):
        ioctx.set_self_managed_snap_write("12")
    with pytest.raises(OverflowError, match=what):
        ioctx.set_self_managed_snap_write([-1])
    with pytest.raises(OverflowError, match=r"Ioctx\.remove_self_managed_snap.*snap_id"):
        ioctx.remove_self_managed_snap(-1)
    with pytest.raises(
        TypeError, match=r"Ioctx\.rollback_self_managed_snap of object 'a'.*snap_id"
    ):
        ioctx.rollback_self_managed_snap("a", "x")  # type: ignore[arg-type]
    for call in (own_snaps.create_snap, own_snaps.remove_snap, own_snaps.lookup_snap):
        with pytest.raises(TypeError, match=rf"Ioctx\.{call.__name__}.*snap_name must be a string"):
            call(5)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"ioctx must be an rbdcffi\.rados\.Ioctx"):
        rados.SnapIterator(5)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"ioctx must be an rbdcffi\.rados\.Ioctx"):
        rados.Snap(5, "a", 1)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"ioctx must be an rbdcffi\.rados\.Ioctx"):
        rados.Snap.__new__(rados.Snap).get_timestamp()
    with ioctx.dup() as closed:
        pass
    for call in (
        lambda: closed.create_snap("a"),
        lambda: closed.list_snaps(),
        lambda: closed.lookup_snap("a"),
        lambda: closed.snap_rollback("o", "a"),
        lambda: closed.create_self_managed_snap(),
        lambda: closed.set_self_managed_snap_write([1]),
        lambda: closed.rollback_self_managed_snap("o", 1),
        lambda: rados.Snap(closed, "a", 1).get_timestamp(),
    ):
        with pytest.raises(rados.IoctxStateError, match="closed"):
            call()  # type: ignore[call-arg]
