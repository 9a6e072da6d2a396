"""Whole pools: namespaces, initialisation, statistics, metadata; listing with ids."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rbdcffi import rados, rbd
from rbdcffi.testing import Cluster

MIB = 1 << 20
RBD = rbd.RBD()


@pytest.fixture
def pool(cluster: rados.Rados, ceph_pool: str) -> Iterator[rados.Ioctx]:
    """A pool of this test's own."""
    with cluster.open_ioctx(ceph_pool) as context:
        yield context


def test_namespaces(pool: rados.Ioctx) -> None:
    assert RBD.namespace_list(pool) == []
    assert RBD.namespace_create(pool, "one") is None  # type: ignore[func-returns-value]
    RBD.namespace_create(pool, b"t\xc3\xbcr")  # type: ignore[arg-type]
    with pytest.raises(rbd.ImageExists, match=r"namespace_create\('one'\)"):
        RBD.namespace_create(pool, "one")
    assert RBD.namespace_list(pool) == ["one", "t\u00fcr"]
    assert RBD.namespace_exists(pool, "t\u00fcr") is True
    assert RBD.namespace_exists(pool, "two") is False
    pool.set_namespace("one")
    RBD.create(pool, "a", MIB)
    assert RBD.list(pool) == ["a"]
    assert RBD.namespace_list(pool) == ["one", "t\u00fcr"]
    pool.set_namespace("")
    assert RBD.list(pool) == []
    with pytest.raises(rbd.ImageBusy):
        RBD.namespace_remove(pool, "one")
    pool.set_namespace("one")
    RBD.remove(pool, "a")
    pool.set_namespace("")
    RBD.namespace_remove(pool, "one")
    with pytest.raises(rbd.ImageNotFound):
        RBD.namespace_remove(pool, "one")
    assert RBD.namespace_list(pool) == ["t\u00fcr"]


def test_namespaces_beyond_the_first_buffer(pool: rados.Ioctx) -> None:
    names = [f"{i:02}-" + "x" * 60 for i in range(30)]
    for name in names:
        RBD.namespace_create(pool, name)
    assert RBD.namespace_list(pool) == names


def test_bad_namespaces(pool: rados.Ioctx) -> None:
    for call in (RBD.namespace_create, RBD.namespace_remove, RBD.namespace_exists):
        for name in ("", None, 5, "a\0b"):
            with pytest.raises(rbd.InvalidArgument, match=call.__name__):
                call(pool, name)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="Ioctx"):
            call(None, "a")  # type: ignore[arg-type]
    pool.close()
    with pytest.raises(rados.IoctxStateError):
        RBD.namespace_list(pool)


def test_init(cluster: rados.Rados, ceph_cluster: Cluster, pool: rados.Ioctx) -> None:
    RBD.pool_init(pool, False)
    RBD.pool_init(pool, force=True)
    fresh = f"{pool.name}-fresh"
    cluster.create_pool(fresh)
    try:
        with cluster.open_ioctx(fresh) as other:
            RBD.pool_init(other, False)
            RBD.create(other, "a", MIB)
            assert RBD.list(other) == ["a"]
        ceph_cluster.ceph(
            *("osd", "pool", "application", "disable", fresh, "rbd", "--yes-i-really-mean-it")
        )
        ceph_cluster.ceph("osd", "pool", "application", "enable", fresh, "cephfs")
        cluster.wait_for_latest_osdmap()
        with cluster.open_ioctx(fresh) as other:
            with pytest.raises(rbd.PermissionError, match="pool_init"):
                RBD.pool_init(other, False)
            RBD.pool_init(other, True)
    finally:
        cluster.delete_pool(fresh)


def test_statistics(pool: rados.Ioctx) -> None:
    nothing = RBD.pool_stats_get(pool)
    assert list(nothing) == [
        "image_count",
        "image_provisioned_bytes",
        "image_max_provisioned_bytes",
        "image_snap_count",
        "trash_count",
        "trash_provisioned_bytes",
        "trash_max_provisioned_bytes",
        "trash_snap_count",
    ]
    assert set(nothing.values()) == {0}
    for name, size in (("a", 8 * MIB), ("b", 4 * MIB), ("c", 2 * MIB)):
        RBD.create(pool, name, size)
    with rbd.Image(pool, "a") as image:
        image.create_snap("s")
        image.create_snap("t")
        image.resize(MIB)
    with rbd.Image(pool, "c") as image:
        image.create_snap("s")
        image.resize(MIB)
    RBD.trash_move(pool, "c")
    assert list(RBD.pool_stats_get(pool).values()) == [
        *(2, 5 * MIB, 12 * MIB, 2),
        *(1, MIB, 2 * MIB, 1),
    ]
    pool.close()
    with pytest.raises(rados.IoctxStateError):
        RBD.pool_stats_get(pool)


def test_metadata(pool: rados.Ioctx) -> None:
    assert list(RBD.pool_metadata_list(pool)) == []
    long = "\u20ac" * 30000
    pairs = {"a": "1", "empty": "", "long": long, "t\u00fcr": "\u20ac"}
    for key, value in pairs.items():
        RBD.pool_metadata_set(pool, key, value)
    assert dict(RBD.pool_metadata_list(pool)) == pairs
    for key, value in pairs.items():
        assert RBD.pool_metadata_get(pool, key) == value
    RBD.pool_metadata_set(pool, "a", "2")
    assert RBD.pool_metadata_get(pool, "a") == "2"
    RBD.pool_metadata_remove(pool, "a")
    for call in (RBD.pool_metadata_get, RBD.pool_metadata_remove):
        with pytest.raises(KeyError, match=r"pool_metadata_\w+\('a'\).*no such key"):
            call(pool, "a")
    assert sorted(dict(RBD.pool_metadata_list(pool))) == ["empty", "long", "t\u00fcr"]
    RBD.pool_metadata_set(pool, b"l\xe9", b"\xff")  # type: ignore[arg-type]
    assert ("l\udce9", "\udcff") in list(RBD.pool_metadata_list(pool))
    assert RBD.pool_metadata_get(pool, "l\udce9") == "\udcff"


@pytest.mark.parametrize("count", [31, 32, 33, 64, 100])
def test_metadata_in_chunks(pool: rados.Ioctx, count: int) -> None:
    pairs = [(f"key-{i:03}", "" if i % 3 else f"value-{i}") for i in range(count)]
    for key, value in pairs:
        RBD.pool_metadata_set(pool, key, value)
    listed = rbd.PoolMetadataIterator(pool)
    assert list(listed) == pairs
    assert list(listed) == pairs
    first, second = iter(listed), iter(listed)
    assert [next(first), next(second), next(first)] == [pairs[0], pairs[0], pairs[1]]
    listed.get_next_chunk()
    assert list(listed) == pairs[32:]
    for _ in range(5):
        listed.get_next_chunk()
    assert list(listed) == []


def test_bad_metadata(pool: rados.Ioctx) -> None:
    for key, value in ((None, "x"), (5, "x"), ("x", None), ("x", 5), ("x\0y", "x"), ("x", "y\0")):
        with pytest.raises(rbd.InvalidArgument, match="pool_metadata_set"):
            RBD.pool_metadata_set(pool, key, value)  # type: ignore[arg-type]
    for call in (RBD.pool_metadata_get, RBD.pool_metadata_remove):
        with pytest.raises(rbd.InvalidArgument, match="key must be a string"):
            call(pool, None)  # type: ignore[arg-type]
    listed = RBD.pool_metadata_list(pool)
    with pytest.raises(TypeError, match="Ioctx"):
        rbd.PoolMetadataIterator(None)  # type: ignore[arg-type]
    pool.close()
    with pytest.raises(rados.IoctxStateError):
        RBD.pool_metadata_get(pool, "x")
    with pytest.raises(rados.IoctxStateError):
        RBD.pool_metadata_list(pool)
    assert list(listed) == []


def test_list_with_ids(pool: rados.Ioctx) -> None:
    assert list(RBD.list2(pool)) == []
    expected = {}
    for i in range(70):
        RBD.create(pool, f"a-{i}", MIB)
        with rbd.Image(pool, f"a-{i}") as image:
            expected[f"a-{i}"] = image.id()
    listed = RBD.list2(pool)
    assert isinstance(listed, rbd.ImageIterator)
    for _ in range(2):
        assert {image["name"]: image["id"] for image in listed} == expected
    assert {tuple(image) for image in listed} == {("id", "name")}
    assert sorted(RBD.list(pool)) == sorted(expected)
    with pytest.raises(TypeError, match="Ioctx"):
        RBD.list2(None)  # type: ignore[arg-type]
