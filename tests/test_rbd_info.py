"""Facts about an image, its size, and its features."""

from __future__ import annotations

import errno
import time
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from conftest import MIB

from rbdcffi import rados, rbd

SIZE = 16 * MIB
DEFAULT_FEATURES = (
    rbd.RBD_FEATURE_LAYERING
    | rbd.RBD_FEATURE_EXCLUSIVE_LOCK
    | rbd.RBD_FEATURE_OBJECT_MAP
    | rbd.RBD_FEATURE_FAST_DIFF
    | rbd.RBD_FEATURE_DEEP_FLATTEN
)

FACTS = [
    "stat",
    "size",
    "features",
    "op_features",
    "flags",
    "old_format",
    "overlap",
    "stripe_unit",
    "stripe_count",
    "get_name",
    "id",
    "block_name_prefix",
    "data_pool_id",
    "create_timestamp",
    "access_timestamp",
    "modify_timestamp",
    "group",
]


def test_stat(image: rbd.Image) -> None:
    assert image.stat() == {
        "size": SIZE,
        "obj_size": 4 * MIB,
        "num_objs": 4,
        "order": 22,
        "block_name_prefix": image.block_name_prefix(),
        "parent_pool": 2**64 - 1,
        "parent_name": b"",
    }


def test_facts(image: rbd.Image, image_name: str) -> None:
    assert image.size() == SIZE
    assert image.features() == DEFAULT_FEATURES
    assert image.op_features() == 0
    assert image.flags() == 0
    assert image.old_format() is False
    assert image.overlap() == 0
    assert (image.stripe_unit(), image.stripe_count()) == (4 * MIB, 1)
    assert image.get_name() == image_name == image.name
    assert image.id() and image.block_name_prefix() == f"rbd_data.{image.id()}"


def test_types(image: rbd.Image) -> None:
    types = {call: type(getattr(image, call)()) for call in FACTS}
    assert types == {
        **dict.fromkeys(FACTS, int),
        "stat": dict,
        "old_format": bool,
        "get_name": str,
        "id": str,
        "block_name_prefix": str,
        "create_timestamp": datetime,
        "access_timestamp": datetime,
        "modify_timestamp": datetime,
        "group": dict,
    }


def test_the_prefix_is_that_of_the_objects(ioctx: rados.Ioctx, image: rbd.Image) -> None:
    image.write(b"data", 4 * MIB)
    assert ioctx.read(f"{image.block_name_prefix()}.{1:016x}") == b"data"


@pytest.mark.parametrize("name", ["n" * 90, "é" * 40])
def test_long_names(ioctx: rados.Ioctx, name: str) -> None:
    """Longer than the first buffer."""
    rbd.RBD().create(ioctx, name, MIB)
    with rbd.Image(ioctx, name) as image:
        assert image.get_name() == name


def test_rename_of_an_open_image(ioctx: rados.Ioctx, image: rbd.Image) -> None:
    before = image.name
    rbd.RBD().rename(ioctx, before, f"{before}-renamed")
    image.invalidate_cache()
    with rbd.Image(ioctx, f"{before}-renamed") as same:
        assert same.id() == image.id() and same.get_name() == f"{before}-renamed"


# -- resize ------------------------------------------------------------------------------------


def test_resize(image: rbd.Image) -> None:
    image.write(b"data", 8 * MIB - 2)
    image.resize(2 * SIZE)
    assert image.size() == image.stat()["size"] == 2 * SIZE
    assert image.stat()["num_objs"] == 8
    image.write(b"x", 2 * SIZE - 1)
    image.resize(8 * MIB)
    image.resize(SIZE)
    assert image.read(8 * MIB - 2, 4) == b"da\0\0"
    image.resize(0)
    assert image.size() == 0
    with pytest.raises(rbd.InvalidArgument):
        image.read(0, 1)


def test_shrink_must_be_allowed(image: rbd.Image) -> None:
    for call in (
        lambda: image.resize(SIZE - 1, False),
        lambda: image.resize(SIZE - 1, allow_shrink=False),
    ):
        with pytest.raises(rbd.InvalidArgument, match=r"Image\.resize.*allow_shrink") as caught:
            call()
        assert image.name in str(caught.value)
    assert image.size() == SIZE
    image.resize(SIZE, allow_shrink=False)
    image.resize(SIZE + 1, allow_shrink=False)
    assert image.size() == SIZE + 1


@pytest.mark.parametrize(
    "size, error",
    [
        (-1, OverflowError),
        (2**64, OverflowError),
        ("1", TypeError),
        (1.0, TypeError),
        (None, TypeError),
    ],
)
def test_impossible_sizes(image: rbd.Image, size: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match=r"Image\.resize") as caught:
        image.resize(size)
    assert image.name in str(caught.value)
    assert image.size() == SIZE


def test_resize_progress(image: rbd.Image) -> None:
    image.write(b"x" * SIZE, 0)
    seen: list[tuple[int, int]] = []
    image.resize(4 * MIB, on_progress=lambda done, total: seen.append((done, total)))
    assert seen and all(0 <= done <= total for done, total in seen)
    image.resize(SIZE, on_progress=None)
    with pytest.raises(TypeError, match="on_progress must be callable"):
        image.resize(1, on_progress=5)
    error = KeyboardInterrupt()

    def progress(done: int, total: int) -> None:
        raise error

    image.write(b"x" * SIZE, 0)
    with pytest.raises(KeyboardInterrupt) as caught:
        image.resize(4 * MIB, on_progress=progress)
    assert caught.value is error
    image.resize(MIB)
    assert image.size() == MIB


# -- features ----------------------------------------------------------------------------------


def test_update_features(image: rbd.Image) -> None:
    fast_diff = rbd.RBD_FEATURE_FAST_DIFF | rbd.RBD_FEATURE_OBJECT_MAP
    image.update_features(fast_diff, False)
    assert image.features() == DEFAULT_FEATURES & ~fast_diff
    image.write(b"x", 0)
    image.update_features(features=fast_diff, enabled=True)
    assert image.features() == DEFAULT_FEATURES
    assert image.flags() == rbd.RBD_FLAG_OBJECT_MAP_INVALID | rbd.RBD_FLAG_FAST_DIFF_INVALID
    seen: list[tuple[int, int]] = []
    image.rebuild_object_map(on_progress=lambda done, total: seen.append((done, total)))
    assert len(seen) >= 4 and all(0 <= done <= total for done, total in seen)
    assert image.flags() == 0


def test_update_features_errors(image: rbd.Image) -> None:
    with pytest.raises(rbd.InvalidArgument, match=r"Image\.update_features\(0x1, False\)") as bad:
        image.update_features(rbd.RBD_FEATURE_LAYERING, False)
    assert bad.value.errno == errno.EINVAL and image.name in str(bad.value)
    with pytest.raises(rbd.InvalidArgument):  # the object map depends on it
        image.update_features(rbd.RBD_FEATURE_EXCLUSIVE_LOCK, False)
    wrong: list[tuple[Any, type[Exception]]] = [
        (-1, OverflowError),
        (2**64, OverflowError),
        (1.0, TypeError),
    ]
    for features, error in wrong:
        with pytest.raises((error, ValueError)):
            image.update_features(features, True)
    assert image.features() == DEFAULT_FEATURES


@pytest.mark.parametrize("features", ["1", None, 1.5])
def test_update_features_types(image: rbd.Image, features: Any) -> None:
    with pytest.raises(TypeError):
        image.update_features(features, True)


def test_rebuild_object_map(ioctx: rados.Ioctx, image: rbd.Image, fresh_name: str) -> None:
    image.write(b"x", 0)
    image.create_snap("snap")
    image.rebuild_object_map()
    image.set_snap("snap")
    image.rebuild_object_map(on_progress=None)
    image.set_snap(None)
    error = LookupError("mine")

    def progress(done: int, total: int) -> None:
        raise error

    with pytest.raises(LookupError) as caught:
        image.rebuild_object_map(on_progress=progress)
    assert caught.value is error
    image.rebuild_object_map()
    assert image.flags() == 0
    with pytest.raises(TypeError, match="on_progress must be callable"):
        image.rebuild_object_map(on_progress=5)
    rbd.RBD().create(ioctx, f"{fresh_name}-without", MIB, features=1)
    with rbd.Image(ioctx, f"{fresh_name}-without") as without:
        with pytest.raises(rbd.InvalidArgument, match=r"Image\.rebuild_object_map"):
            without.rebuild_object_map()


# -- closed, read-only -------------------------------------------------------------------------


@pytest.mark.parametrize("call", [*FACTS, "rebuild_object_map"])
def test_closed(image: rbd.Image, call: str) -> None:
    image.close()
    with pytest.raises(rbd.InvalidArgument, match=f"Image.{call}.*image is closed") as caught:
        getattr(image, call)()
    assert image.name in str(caught.value)


def test_changes_of_a_closed_image(image: rbd.Image) -> None:
    image.close()
    for call in (
        lambda: image.resize(1),
        lambda: image.resize(1, allow_shrink=False),
        lambda: image.update_features(1, True),
    ):
        with pytest.raises(rbd.InvalidArgument, match="image is closed"):
            call()


def test_read_only(ioctx: rados.Ioctx, image_name: str) -> None:
    with rbd.Image(ioctx, image_name, read_only=True) as image:
        assert image.size() == SIZE and image.stat()["num_objs"] == 4
        for call in (
            lambda: image.resize(1),
            lambda: image.update_features(rbd.RBD_FEATURE_FAST_DIFF, False),
        ):
            with pytest.raises(rbd.ReadOnlyImage) as caught:
                call()
            assert caught.value.errno == errno.EROFS


def test_group(image: rbd.Image) -> None:
    """See test_rbd_snap_info.py for an image that is in one."""
    assert image.group() == {"pool": -1, "name": ""}


def test_data_pool(
    ioctx: rados.Ioctx, image: rbd.Image, cluster: rados.Rados, ceph_pool: str
) -> None:
    assert image.data_pool_id() == ioctx.get_pool_id()
    name = f"{image.name}-data"
    rbd.RBD().create(ioctx, name, SIZE, data_pool=ceph_pool)
    with rbd.Image(ioctx, name) as other:
        assert other.data_pool_id() == cluster.pool_lookup(ceph_pool) != image.data_pool_id()


def test_timestamps(ioctx: rados.Ioctx, image: rbd.Image) -> None:
    now = datetime.now(timezone.utc)
    created = image.create_timestamp()
    for stamp in (created, image.access_timestamp(), image.modify_timestamp()):
        assert abs(stamp - now) < timedelta(seconds=10)
        assert stamp.tzinfo is timezone.utc and stamp.microsecond == 0


def test_timestamps_follow_the_use(ceph_conf: str, image_name: str) -> None:
    options = {"rbd_mtime_update_interval": "1", "rbd_atime_update_interval": "1"}
    with rados.Rados(conffile=ceph_conf, conf=options) as connection:
        with connection.open_ioctx("rbd") as ioctx, rbd.Image(ioctx, image_name) as image:
            created = image.create_timestamp()
            deadline = time.monotonic() + 30
            while image.modify_timestamp() <= created or image.access_timestamp() <= created:
                assert time.monotonic() < deadline
                time.sleep(0.3)
                image.write(b"x", 0)
                image.read(0, 1)
            assert image.create_timestamp() == created
