"""Creating, finding, opening, renaming and removing images."""

from __future__ import annotations

import errno
import gc
import threading
from typing import Any

import pytest
from conftest import MIB

from rbdcffi import rados, rbd

NAMES = ["dots.in.it", "..x", "with space", "a/b", "a@b", "é漢字-\U0001f600", "-dash", "n" * 90]
BAD_NAMES: list[Any] = ["a\0b", "a\0", b"a\0b", "\ud800", "a\ud800", 5, 1.5, None, bytearray(b"x")]


def test_version() -> None:
    version = rbd.RBD().version()
    assert type(version) is tuple and len(version) == 3
    assert all(type(part) is int for part in version)
    assert version >= (1, 12, 0)


@pytest.mark.parametrize("name", NAMES)
def test_names(ioctx: rados.Ioctx, fresh_name: str, name: str) -> None:
    inst = rbd.RBD()
    full = f"{fresh_name} {name}"
    inst.create(ioctx, full, MIB)
    assert full in inst.list(ioctx)
    for given in (full, full.encode()):
        with rbd.Image(ioctx, given) as image:  # type: ignore[arg-type]
            assert image.name == image.get_name() == full
            assert str(image) == f"{ioctx.name}/{full}" and full in repr(image)
            found = image.id()
    with rbd.Image(ioctx, image_id=found) as image:
        assert image.name == full
    inst.rename(ioctx, full, f"{full}!")
    inst.remove(ioctx, f"{full}!")
    assert full not in inst.list(ioctx) and f"{full}!" not in inst.list(ioctx)


def test_bytes_names(ioctx: rados.Ioctx, fresh_name: str) -> None:
    inst: Any = rbd.RBD()
    inst.create(ioctx, f"{fresh_name}é".encode(), MIB)
    assert f"{fresh_name}é" in inst.list(ioctx)
    inst.rename(ioctx, f"{fresh_name}é".encode(), f"{fresh_name}ü".encode())
    inst.remove(ioctx, f"{fresh_name}ü".encode())


def test_names_that_are_not_utf8(ioctx: rados.Ioctx, fresh_name: str) -> None:
    """Only other programs make them; they can be opened by their bytes, and as listed."""
    raw = fresh_name.encode() + b"\xff"
    inst: Any = rbd.RBD()
    inst.create(ioctx, raw, MIB)
    (listed,) = (name for name in inst.list(ioctx) if name.startswith(f"{fresh_name}\udcff"))
    assert listed.encode("utf-8", "surrogateescape") == raw
    with rbd.Image(ioctx, raw) as image:
        assert image.size() == MIB
        assert str(image).isprintable()
        assert image.name == listed
    with rbd.Image(ioctx, listed) as image:
        assert image.get_name() == listed
    inst.remove(ioctx, raw)


@pytest.mark.parametrize("name", BAD_NAMES, ids=repr)
def test_bad_names(ioctx: rados.Ioctx, image_name: str, name: Any) -> None:
    inst = rbd.RBD()
    for call in (
        lambda: inst.create(ioctx, name, MIB),
        lambda: inst.remove(ioctx, name),
        lambda: inst.rename(ioctx, name, "x"),
        lambda: inst.rename(ioctx, image_name, name),
        lambda: rbd.Image(ioctx, name),
    ):
        with pytest.raises(rbd.InvalidArgument, match=r"name|src|dest") as caught:
            call()
        if isinstance(name, str):
            assert caught.value.errno == errno.EINVAL
            assert ("NUL" if "\0" in name else "UTF-8") in str(caught.value)
    assert image_name in inst.list(ioctx)


def test_empty_and_too_long_names(ioctx: rados.Ioctx) -> None:
    with pytest.raises(rbd.InvalidArgument, match=r"RBD\.create\(''"):
        rbd.RBD().create(ioctx, "", MIB)
    with pytest.raises(rbd.OSError, match=r"RBD\.create") as caught:
        rbd.RBD().create(ioctx, "x" * 5000, MIB)
    assert caught.value.errno == errno.ENAMETOOLONG


WRONG_CONTEXTS: list[Any] = [None, "rbd", 5, object(), rbd.RBD()]


@pytest.mark.parametrize("context", WRONG_CONTEXTS, ids=lambda one: type(one).__name__)
def test_wrong_contexts(context: Any) -> None:
    inst = rbd.RBD()
    for call in (
        lambda: inst.create(context, "x", MIB),
        lambda: inst.list(context),
        lambda: inst.remove(context, "x"),
        lambda: inst.rename(context, "x", "y"),
        lambda: rbd.Image(context, "x"),
    ):
        with pytest.raises(TypeError, match=r"ioctx must be an rbdcffi\.rados\.Ioctx, not"):
            call()


def test_the_cluster_is_no_context(cluster: rados.Rados) -> None:
    with pytest.raises(TypeError, match=r"not rbdcffi\.rados"):
        rbd.RBD().list(cluster)  # type: ignore[arg-type]


def test_closed_context(cluster: rados.Rados, ioctx: rados.Ioctx) -> None:
    context = cluster.open_ioctx(ioctx.name)
    context.close()
    inst = rbd.RBD()
    for call in (
        lambda: inst.create(context, "x", MIB),
        lambda: inst.list(context),
        lambda: inst.remove(context, "x"),
        lambda: inst.rename(context, "x", "y"),
        lambda: rbd.Image(context, "x"),
    ):
        with pytest.raises(rados.IoctxStateError, match="closed"):
            call()


# -- create ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options, expected",
    [
        ({}, (22, 4 * MIB, 1)),
        ({"order": 20}, (20, MIB, 1)),
        ({"order": None, "stripe_unit": None, "stripe_count": None}, (22, 4 * MIB, 1)),
        ({"stripe_unit": 0, "stripe_count": 0}, (22, 4 * MIB, 1)),
        ({"order": 20, "stripe_unit": 65536, "stripe_count": 4}, (20, 65536, 4)),
        ({"old_format": True}, (22, 4 * MIB, 1)),
        ({"old_format": True, "features": 0, "order": 21}, (21, 2 * MIB, 1)),
    ],
)
def test_create(
    ioctx: rados.Ioctx, fresh_name: str, options: dict[str, Any], expected: tuple[int, int, int]
) -> None:
    assert rbd.RBD().create(ioctx, fresh_name, 10 * MIB, **options) is None
    with rbd.Image(ioctx, fresh_name) as image:
        order = image.stat()["order"]
        assert (order, image.stripe_unit(), image.stripe_count()) == expected
        assert image.size() == 10 * MIB


def test_create_positionally(ioctx: rados.Ioctx, fresh_name: str) -> None:
    rbd.RBD().create(ioctx, fresh_name, MIB, 20, False, 1, 65536, 4, ioctx.name)
    with rbd.Image(ioctx, fresh_name) as image:
        assert image.features() & rbd.RBD_FEATURE_LAYERING
        assert image.features() & rbd.RBD_FEATURE_STRIPINGV2


@pytest.mark.parametrize("features", [0, rbd.RBD_FEATURE_LAYERING, rbd.RBD_FEATURE_EXCLUSIVE_LOCK])
def test_create_with_features(ioctx: rados.Ioctx, fresh_name: str, features: int) -> None:
    rbd.RBD().create(ioctx, fresh_name, MIB, features=features)
    with rbd.Image(ioctx, fresh_name) as image:
        assert image.features() == features


def test_sizes(ioctx: rados.Ioctx, fresh_name: str) -> None:
    for size in (0, 1, 2**50):
        rbd.RBD().create(ioctx, f"{fresh_name}-{size}", size, features=1)
        with rbd.Image(ioctx, f"{fresh_name}-{size}") as image:
            assert image.size() == size


@pytest.mark.parametrize(
    "arguments, error, reason",
    [
        ({"size": -1}, OverflowError, "RBD.create"),
        ({"size": 2**64}, OverflowError, "RBD.create"),
        ({"size": "1"}, TypeError, "RBD.create"),
        ({"size": None}, TypeError, "RBD.create"),
        ({"size": 2**63}, rbd.InvalidArgument, "Invalid argument"),
        ({"order": 5}, rbd.ArgumentOutOfRange, "RBD.create"),
        ({"order": 30}, rbd.ArgumentOutOfRange, "RBD.create"),
        ({"order": "22"}, TypeError, "order must be an integer"),
        ({"order": -1}, rbd.ArgumentOutOfRange, "RBD.create"),
        ({"order": 1 << 31}, OverflowError, "order"),
        ({"features": 1 << 60}, rbd.FunctionNotSupported, "RBD.create"),
        ({"features": -1}, OverflowError, "features"),
        ({"stripe_unit": 65537, "stripe_count": 4}, rbd.InvalidArgument, "RBD.create"),
        ({"stripe_unit": 65536}, rbd.InvalidArgument, "RBD.create"),
        ({"stripe_count": 1.5}, TypeError, "stripe_count must be an integer"),
        ({"data_pool": "no-such-pool"}, rbd.ImageNotFound, "RBD.create"),
        ({"data_pool": 5}, rbd.InvalidArgument, "data_pool"),
        ({"old_format": True, "features": 1}, rbd.InvalidArgument, "old_format"),
        ({"old_format": True, "stripe_unit": 65536}, rbd.InvalidArgument, "old_format"),
        ({"old_format": True, "data_pool": "rbd"}, rbd.InvalidArgument, "old_format"),
    ],
    ids=repr,
)
def test_create_errors(
    ioctx: rados.Ioctx,
    fresh_name: str,
    arguments: dict[str, Any],
    error: type[Exception],
    reason: str,
) -> None:
    with pytest.raises(error) as caught:
        rbd.RBD().create(ioctx, fresh_name, **{"size": MIB, **arguments})
    assert reason in str(caught.value)
    assert fresh_name not in rbd.RBD().list(ioctx)


def test_create_twice(ioctx: rados.Ioctx, image_name: str) -> None:
    with pytest.raises(rbd.ImageExists, match=rf"RBD\.create\('{image_name}', 5\)") as caught:
        rbd.RBD().create(ioctx, image_name, 5)
    assert caught.value.errno == errno.EEXIST and f"'{ioctx.name}'" in str(caught.value)


# -- open --------------------------------------------------------------------------------------


def test_open_errors(ioctx: rados.Ioctx, fresh_name: str) -> None:
    for arguments in ({}, {"name": "a", "image_id": "b"}):
        with pytest.raises(rbd.InvalidArgument, match="name or an image_id"):
            rbd.Image(ioctx, **arguments)
    for arguments in ({"name": fresh_name}, {"image_id": "0123456789ab"}):
        for read_only in (False, True):
            with pytest.raises(rbd.ImageNotFound, match="open image 'rbd/") as caught:
                rbd.Image(ioctx, read_only=read_only, **arguments)
            assert caught.value.errno == errno.ENOENT
    for bad in (5, "a\0b", "\ud800"):
        with pytest.raises(rbd.InvalidArgument, match="image_id"):
            rbd.Image(ioctx, image_id=bad)  # type: ignore[arg-type]


def test_life(ioctx: rados.Ioctx, image_name: str) -> None:
    image = rbd.Image(ioctx, image_name)
    assert not image.closed and "open" in repr(image) and image.ioctx is ioctx
    image.require_not_closed()
    with image as same:
        assert same is image
    assert image.closed and "closed" in repr(image)
    image.close()
    with pytest.raises(rbd.InvalidArgument, match="image is closed"):
        image.require_not_closed()
    with pytest.raises(rbd.InvalidArgument, match="image is closed"):
        image.flush()


def test_body_errors_get_through(ioctx: rados.Ioctx, image_name: str) -> None:
    with pytest.raises(LookupError, match="mine"), rbd.Image(ioctx, image_name) as image:
        raise LookupError("mine")
    assert image.closed


def test_unclosed_warns(ioctx: rados.Ioctx, image_name: str) -> None:
    with pytest.warns(ResourceWarning, match=f"unclosed Image .*{image_name}"):
        image = rbd.Image(ioctx, image_name)
        del image
        gc.collect()
    rbd.Image(ioctx, image_name).close()  # whatever was left is closed by the next open
    rbd.RBD().remove(ioctx, image_name)  # else it would be busy


def test_an_image_outlives_its_context(cluster: rados.Rados, image_name: str) -> None:
    with cluster.open_ioctx("rbd") as context:
        image = rbd.Image(context, image_name)
    image.write(b"data", 0)
    assert image.read(0, 4) == b"data"
    image.close()


def test_a_namespace_is_in_the_label(
    cluster: rados.Rados, ceph_cluster: Any, ceph_pool: str, fresh_name: str
) -> None:
    ceph_cluster.run("rbd", "namespace", "create", f"{ceph_pool}/space")
    with cluster.open_ioctx(ceph_pool) as context:
        context.set_namespace("space")
        rbd.RBD().create(context, fresh_name, MIB)
        assert rbd.RBD().list(context) == [fresh_name]
        with rbd.Image(context, fresh_name) as image:
            assert str(image) == f"{ceph_pool}/space/{fresh_name}"
        context.set_namespace("")
        assert rbd.RBD().list(context) == []


def test_opened_by_many_threads(ioctx: rados.Ioctx, image_name: str) -> None:
    sizes: list[int] = []

    def work() -> None:
        for _ in range(3):
            with rbd.Image(ioctx, image_name, read_only=True) as image:
                sizes.append(image.size())

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sizes == [16 * MIB] * 18


# -- rename, remove ----------------------------------------------------------------------------


def test_rename(ioctx: rados.Ioctx, image_name: str) -> None:
    inst = rbd.RBD()
    new = f"{image_name}-new"
    assert inst.rename(ioctx, image_name, new) is None
    assert new in inst.list(ioctx) and image_name not in inst.list(ioctx)
    with pytest.raises(rbd.ImageNotFound, match=r"RBD\.rename.*in pool 'rbd'") as missing:
        inst.rename(ioctx, image_name, "x")
    assert missing.value.errno == errno.ENOENT
    inst.create(ioctx, image_name, MIB)
    with pytest.raises(rbd.ImageExists, match=rf"RBD\.rename\('{image_name}', '{new}'\)"):
        inst.rename(ioctx, image_name, new)


def test_remove(ioctx: rados.Ioctx, image_name: str) -> None:
    inst = rbd.RBD()
    seen: list[tuple[int, int]] = []
    with rbd.Image(ioctx, image_name) as image:
        image.write(b"x" * 16 * MIB, 0)
        with pytest.raises(rbd.ImageBusy, match=rf"RBD\.remove\('{image_name}'\)") as busy:
            inst.remove(ioctx, image_name)
        assert busy.value.errno == errno.EBUSY and "'rbd'" in str(busy.value)
        image.create_snap("snap")
    with pytest.raises(rbd.ImageHasSnapshots) as snaps:
        inst.remove(ioctx, image_name, None)
    assert snaps.value.errno == errno.ENOTEMPTY
    with rbd.Image(ioctx, image_name) as image:
        image.remove_snap("snap")
    with pytest.raises(TypeError, match="on_progress must be callable"):
        inst.remove(ioctx, image_name, 5)
    inst.remove(ioctx, image_name, on_progress=lambda done, total: seen.append((done, total)))
    assert seen and all(0 <= done <= total for done, total in seen)
    with pytest.raises(rbd.ImageNotFound, match=r"RBD\.remove") as missing:
        inst.remove(ioctx, image_name)
    assert missing.value.errno == errno.ENOENT


def test_exception_of_remove_progress(ioctx: rados.Ioctx, image_name: str) -> None:
    with rbd.Image(ioctx, image_name) as image:
        image.write(b"x" * 16 * MIB, 0)
    error = KeyboardInterrupt()

    def progress(done: int, total: int) -> None:
        raise error

    with pytest.raises(KeyboardInterrupt) as caught:
        rbd.RBD().remove(ioctx, image_name, progress)
    assert caught.value is error
    if image_name in rbd.RBD().list(ioctx):  # it may have been stopped, or not
        rbd.RBD().remove(ioctx, image_name)
    assert image_name not in rbd.RBD().list(ioctx)
