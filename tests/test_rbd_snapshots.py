"""Snapshots."""

from __future__ import annotations

import errno
import threading
from typing import Any

import pytest
from conftest import MIB

from rbdcffi import rados, rbd
from rbdcffi._ffi import has

SIZE = 16 * MIB

NAMES = ["snap", "with space", "dots.and-dashes_", "a/b@c", "é漢字\U0001f600", "n" * 200]
BAD_NAMES: list[Any] = ["a\0b", "\0", "\ud800", 5, 1.5, bytearray(b"x"), ("x",)]


def names(image: rbd.Image) -> list[str]:
    return [snap["name"] for snap in image.list_snaps()]


def test_none(image: rbd.Image) -> None:
    assert list(image.list_snaps()) == []


def test_list(image: rbd.Image) -> None:
    image.create_snap("one")
    image.resize(SIZE // 2)
    image.create_snap("two")
    one, two = image.list_snaps()
    assert one == {
        "id": one["id"],
        "size": SIZE,
        "name": "one",
        "namespace": rbd.RBD_SNAP_NAMESPACE_TYPE_USER,
    }
    assert (two["name"], two["size"]) == ("two", SIZE // 2)
    assert type(one["id"]) is int and one["id"] < two["id"]


def test_iterator(image: rbd.Image) -> None:
    """It can be iterated over again, and stays what it was."""
    image.create_snap("one")
    snaps = image.list_snaps()
    assert type(snaps) is rbd.SnapIterator
    image.create_snap("two")
    first = next(iter(snaps))
    first["name"] = "changed"
    assert [snap["name"] for snap in snaps] == ["one"]
    assert [snap["name"] for snap in rbd.SnapIterator(image)] == ["one", "two"]
    image.close()
    assert [snap["name"] for snap in snaps] == ["one"]
    with pytest.raises(TypeError, match="image must be"):
        rbd.SnapIterator("image")  # type: ignore[arg-type]


def test_more_than_the_first_table_holds(image: rbd.Image) -> None:
    expected = [f"snap-{number}" for number in range(25)]
    for name in expected:
        image.create_snap(name)
    assert names(image) == expected


def test_list_while_snapshots_come_and_go(image: rbd.Image) -> None:
    image.create_snap("stays")
    ended = threading.Event()

    def come_and_go() -> None:
        try:
            for _ in range(15):
                image.create_snap("comes and goes")
                image.remove_snap("comes and goes")
        finally:
            ended.set()

    thread = threading.Thread(target=come_and_go)
    thread.start()
    try:
        while not ended.is_set():
            assert names(image) in (["stays"], ["stays", "comes and goes"])
    finally:
        thread.join()


@pytest.mark.parametrize("name", NAMES)
def test_names(image: rbd.Image, ioctx: rados.Ioctx, name: str) -> None:
    image.write(b"old", 0)
    image.create_snap(name)
    image.write(b"new", 0)
    assert names(image) == [name]
    assert image.is_protected_snap(name) is False
    image.set_snap(name)
    assert image.read(0, 3) == b"old"
    image.set_snap(None)
    for given in (name, name.encode()):
        with rbd.Image(ioctx, image.name, snapshot=given) as opened:
            assert opened.read(0, 3) == b"old"
            assert name in str(opened)
    image.rename_snap(name, "x" + name)
    assert names(image) == ["x" + name]
    image.rollback_to_snap("x" + name)
    assert image.read(0, 3) == b"old"
    image.remove_snap("x" + name)
    assert names(image) == []


def test_bytes_names(image: rbd.Image) -> None:
    name: Any = "é".encode()
    image.create_snap(name)
    assert names(image) == ["é"]
    image.protect_snap(name)
    assert image.is_protected_snap("é") is True
    image.unprotect_snap(name)
    image.rename_snap(name, b"other")  # type: ignore[arg-type]
    image.set_snap(b"other")  # type: ignore[arg-type]
    image.set_snap(None)
    image.remove_snap(b"other")  # type: ignore[arg-type]
    assert names(image) == []


@pytest.mark.parametrize("name", BAD_NAMES, ids=repr)
def test_bad_names(image: rbd.Image, name: Any) -> None:
    image.create_snap("snap")
    for call in (
        image.create_snap,
        image.remove_snap,
        image.rollback_to_snap,
        image.protect_snap,
        image.unprotect_snap,
        image.is_protected_snap,
        image.set_snap,
        lambda name: image.rename_snap("snap", name),
        lambda name: image.rename_snap(name, "snap"),
    ):
        with pytest.raises(rbd.InvalidArgument, match="name") as caught:
            call(name)
        assert caught.value.errno == errno.EINVAL
    assert names(image) == ["snap"]


@pytest.mark.parametrize(
    "call",
    [
        "remove_snap",
        "rollback_to_snap",
        "protect_snap",
        "unprotect_snap",
        "is_protected_snap",
        "set_snap",
    ],
)
def test_missing(image: rbd.Image, call: str) -> None:
    with pytest.raises(rbd.ImageNotFound, match=rf"Image\.{call}\('nope'\)") as caught:
        getattr(image, call)("nope")
    text = str(caught.value)
    assert f"'rbd/{image.name}'" in text and "No such file or directory" in text
    assert caught.value.errno == errno.ENOENT


def test_create_twice(image: rbd.Image) -> None:
    image.create_snap("snap")
    with pytest.raises(rbd.ImageExists, match=r"Image\.create_snap\('snap'\)") as caught:
        image.create_snap("snap")
    assert caught.value.errno == errno.EEXIST


def test_rename(image: rbd.Image) -> None:
    image.create_snap("one")
    image.create_snap("two")
    (before, _) = image.list_snaps()
    with pytest.raises(rbd.ImageExists, match=r"Image\.rename_snap\('one', 'two'\)"):
        image.rename_snap("one", "two")
    with pytest.raises(rbd.ImageNotFound, match=r"Image\.rename_snap\('nope', 'three'\)"):
        image.rename_snap("nope", "three")
    image.rename_snap("one", "three")
    assert sorted(names(image)) == ["three", "two"]
    assert {snap["name"]: snap["id"] for snap in image.list_snaps()}["three"] == before["id"]


def test_protection(image: rbd.Image) -> None:
    image.create_snap("snap")
    assert image.is_protected_snap("snap") is False
    with pytest.raises(rbd.InvalidArgument, match=r"Image\.unprotect_snap\('snap'\)") as invalid:
        image.unprotect_snap("snap")
    assert invalid.value.errno == errno.EINVAL
    image.protect_snap("snap")
    assert image.is_protected_snap("snap") is True
    with pytest.raises(rbd.ImageBusy, match=r"Image\.protect_snap\('snap'\)") as busy:
        image.protect_snap("snap")
    assert busy.value.errno == errno.EBUSY
    with pytest.raises(rbd.ImageBusy, match=r"Image\.remove_snap\('snap'\)"):
        image.remove_snap("snap")
    image.unprotect_snap("snap")
    image.remove_snap("snap")
    assert names(image) == []


def test_set_snap(image: rbd.Image) -> None:
    image.write(b"one", 0)
    image.create_snap("one")
    image.resize(2 * SIZE)
    image.write(b"two", 0)
    image.set_snap("one")
    assert image.size() == SIZE == image.stat()["size"]
    assert image.read(0, 3) == b"one"
    with pytest.raises(rbd.InvalidArgument):
        image.read(SIZE, 1)
    for call in (
        lambda: image.write(b"x", 0),
        lambda: image.discard(0, SIZE),
        lambda: image.resize(SIZE),
        lambda: image.rollback_to_snap("one"),
    ):
        with pytest.raises(rbd.ReadOnlyImage) as caught:
            call()
        assert caught.value.errno == errno.EROFS
    image.set_snap(None)
    assert image.size() == 2 * SIZE
    assert image.read(0, 3) == b"two"
    assert image.write(b"x", 0) == 1


def test_open_at_a_snapshot(image: rbd.Image, ioctx: rados.Ioctx) -> None:
    image.write(b"old", 0)
    image.create_snap("snap")
    image.write(b"new", 0)
    (snap,) = image.list_snaps()
    for given in ("snap", b"snap", snap["id"]):
        with rbd.Image(ioctx, image.name, given) as opened:
            assert opened.read(0, 3) == b"old"
            with pytest.raises(rbd.ReadOnlyImage):
                opened.write(b"x", 0)
            opened.set_snap(None)
            assert opened.read(0, 3) == b"new"
    for given in ("nope", b"nope", snap["id"] + 1000):
        with pytest.raises(rbd.ImageNotFound, match=r"open image .*@") as caught:
            rbd.Image(ioctx, image.name, given)
        assert caught.value.errno == errno.ENOENT
    with pytest.raises(rbd.InvalidArgument, match="snapshot"):
        rbd.Image(ioctx, image.name, 1.5)  # type: ignore[arg-type]


def test_rollback(image: rbd.Image) -> None:
    image.write(b"x" * SIZE, 0)
    image.create_snap("snap")
    image.write(b"y" * 5 * MIB, 2 * MIB)
    image.discard(8 * MIB, 4 * MIB)
    image.resize(12 * MIB)
    image.rollback_to_snap("snap")
    assert image.size() == SIZE
    assert image.read(0, SIZE) == b"x" * SIZE


def test_create_flags(image: rbd.Image) -> None:
    if not has("rbd_snap_create2"):
        with pytest.raises(rbd.InvalidArgument, match="Ceph 16"):
            image.create_snap("snap", 1)
        return
    image.create_snap("one", rbd.RBD_SNAP_CREATE_SKIP_QUIESCE)
    image.create_snap("two", flags=0)
    assert names(image) == ["one", "two"]
    with pytest.raises(rbd.InvalidArgument):
        image.create_snap("three", 1 << 20)
    with pytest.raises(TypeError):
        image.create_snap("three", "flags")  # type: ignore[arg-type]


def test_progress(image: rbd.Image) -> None:
    seen: dict[str, list[tuple[int, int]]] = {}

    def progress(call: str) -> Any:
        seen[call] = []
        return lambda done, total: seen[call].append((done, total))

    image.write(b"x", 0)
    image.create_snap("snap", on_progress=progress("create"))
    image.rollback_to_snap("snap", on_progress=progress("rollback"))
    image.remove_snap("snap", on_progress=progress("remove"))
    assert names(image) == []
    assert len(seen["rollback"]) >= 4
    if has("rbd_snap_create2"):
        assert seen["create"]
    for steps in seen.values():
        assert all(0 <= done <= total for done, total in steps)
        assert [done for done, _ in steps] == sorted(done for done, _ in steps)


@pytest.mark.not_on_ceph(14, reason="creating a snapshot has no progress")
def test_progress_may_be_none(image: rbd.Image) -> None:
    image.create_snap("snap", on_progress=None)
    image.rollback_to_snap("snap", on_progress=None)
    image.remove_snap("snap", on_progress=None)
    for call in (image.create_snap, image.rollback_to_snap, image.remove_snap):
        with pytest.raises(TypeError, match="on_progress must be callable"):
            call("snap", on_progress=5)


def test_exception_of_rollback_progress(image: rbd.Image) -> None:
    """It ends the rollback between two objects; the image is usable, and can be rolled back."""
    image.write(b"x" * SIZE, 0)
    image.create_snap("snap")
    image.write(b"y" * SIZE, 0)
    error = KeyboardInterrupt()
    calls: list[int] = []

    def progress(done: int, total: int) -> None:
        calls.append(done)
        raise error

    with pytest.raises(KeyboardInterrupt) as caught:
        image.rollback_to_snap("snap", on_progress=progress)
    assert caught.value is error and len(calls) == 1
    for start in range(0, SIZE, 4 * MIB):
        assert image.read(start, 4 * MIB) in (b"x" * 4 * MIB, b"y" * 4 * MIB)
    image.rollback_to_snap("snap")
    assert image.read(0, SIZE) == b"x" * SIZE


@pytest.mark.skipif(not has("rbd_snap_create2"), reason="needs Ceph 16")
def test_exception_of_create_progress(image: rbd.Image) -> None:
    error = LookupError("mine")

    def progress(done: int, total: int) -> None:
        raise error

    with pytest.raises(LookupError) as caught:
        image.create_snap("snap", on_progress=progress)
    assert caught.value is error
    assert names(image) == ["snap"]


def test_closed(image: rbd.Image) -> None:
    image.close()
    for call, arguments in {
        "list_snaps": (),
        "create_snap": ("x",),
        "remove_snap": ("x",),
        "rename_snap": ("x", "y"),
        "rollback_to_snap": ("x",),
        "protect_snap": ("x",),
        "unprotect_snap": ("x",),
        "is_protected_snap": ("x",),
        "set_snap": (None,),
    }.items():
        with pytest.raises(rbd.InvalidArgument, match=f"Image.{call}.*image is closed"):
            getattr(image, call)(*arguments)


def test_read_only(ioctx: rados.Ioctx, image: rbd.Image) -> None:
    image.create_snap("snap")
    with rbd.Image(ioctx, image.name, read_only=True) as opened:
        assert names(opened) == ["snap"]
        for call in ("create_snap", "remove_snap", "rollback_to_snap", "protect_snap"):
            with pytest.raises(rbd.ReadOnlyImage, match=f"Image.{call}"):
                getattr(opened, call)("snap")
