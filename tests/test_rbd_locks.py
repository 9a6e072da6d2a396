"""Advisory locks, and the managed exclusive lock."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from typing import Any

import pytest
from conftest import MIB

from rbdcffi import rados, rbd


@pytest.fixture
def plain(ioctx: rados.Ioctx, fresh_name: str) -> Iterator[rbd.Image]:
    """An image without the managed lock, which would be in the way of advisory ones."""
    rbd.RBD().create(ioctx, fresh_name, MIB, features=rbd.RBD_FEATURE_LAYERING)
    with rbd.Image(ioctx, fresh_name) as image:
        yield image


def lockers(image: rbd.Image) -> dict[str, Any]:
    found = image.list_lockers()
    assert isinstance(found, dict)
    return found


def test_nobody_has_locked(plain: rbd.Image) -> None:
    assert plain.list_lockers() == []


def test_exclusive_lock(plain: rbd.Image, cluster: rados.Rados) -> None:
    plain.lock_exclusive("cookie é")
    found = lockers(plain)
    assert (found["tag"], found["exclusive"]) == ("", True)
    ((client, cookie, address),) = found["lockers"]
    assert client == f"client.{cluster.get_instance_id()}"
    assert cookie == "cookie é"
    assert address in cluster.get_addrs()
    plain.unlock("cookie é")
    assert plain.list_lockers() == []


def test_exclusive_lock_keeps_others_out(plain: rbd.Image) -> None:
    plain.lock_exclusive("mine")
    with pytest.raises(rbd.ImageExists, match=r"Image\.lock_exclusive\('mine'\)") as exists:
        plain.lock_exclusive("mine")
    assert exists.value.errno == errno.EEXIST
    with pytest.raises(rbd.ImageBusy, match=r"Image\.lock_exclusive\('other'\)") as busy:
        plain.lock_exclusive("other")
    assert busy.value.errno == errno.EBUSY and plain.name in str(busy.value)
    with pytest.raises(rbd.ImageBusy, match=r"Image\.lock_shared\('mine', 'tag'\)"):
        plain.lock_shared("mine", "tag")


def test_shared_lock(plain: rbd.Image) -> None:
    cookies = [f"a rather long cookie, number {number}" for number in range(40)]
    for cookie in cookies:  # more than fit into the first buffers
        plain.lock_shared(cookie, "täg")
    found = lockers(plain)
    assert (found["tag"], found["exclusive"]) == ("täg", False)
    assert sorted(cookie for _, cookie, _ in found["lockers"]) == sorted(cookies)
    assert all(type(part) is str and part for locker in found["lockers"] for part in locker)
    with pytest.raises(rbd.ImageExists):
        plain.lock_shared(cookies[0], "täg")
    with pytest.raises(rbd.ImageBusy):
        plain.lock_shared("another", "another tag")
    with pytest.raises(rbd.ImageBusy):
        plain.lock_exclusive("another")
    for cookie in cookies:
        plain.unlock(cookie)
    assert plain.list_lockers() == []


def test_unlock_what_is_not_locked(plain: rbd.Image) -> None:
    with pytest.raises(rbd.ImageNotFound, match=r"Image\.unlock\('nope'\)") as caught:
        plain.unlock("nope")
    assert caught.value.errno == errno.ENOENT
    plain.lock_exclusive("mine")
    with pytest.raises(rbd.ImageNotFound):
        plain.unlock("nope")
    assert lockers(plain)["lockers"][0][1] == "mine"


@pytest.mark.not_on_ceph(14, reason="has no option rbd_blocklist_on_break_lock")
def test_break_lock(plain: rbd.Image, ioctx: rados.Ioctx, ceph_conf: str) -> None:
    """The lock of another client goes; by default the cluster blocks that client too."""
    other = rados.Rados(conffile=ceph_conf, conf={"rbd_blocklist_on_break_lock": "true"})
    # closing a blocked client's image may fail; that is not what this test is about
    with other, MayFailToClose(other, ioctx.name, plain.name) as locked:
        locked.lock_exclusive("theirs")
        ((client, cookie, _),) = lockers(plain)["lockers"]
        with pytest.raises(rbd.ImageNotFound):
            plain.break_lock(client, "not that")
        plain.break_lock(client, cookie)
        assert plain.list_lockers() == []
        plain.lock_exclusive("mine")
        with pytest.raises(rbd.ConnectionShutdown) as caught:
            locked.write(b"x", 0)
        assert caught.value.errno == errno.ESHUTDOWN
        assert isinstance(caught.value, ConnectionError)


def test_break_lock_arguments(plain: rbd.Image) -> None:
    with pytest.raises(rbd.ImageNotFound, match=r"Image\.break_lock\('client\.1', 'x'\)"):
        plain.break_lock("client.1", "x")
    with pytest.raises(rbd.InvalidArgument, match=r"Image\.break_lock\('me', 'x'\)"):
        plain.break_lock("me", "x")


@pytest.mark.parametrize("cookie", [5, None, "a\0b", "\ud800", bytearray(b"x")])
def test_bad_cookies(plain: rbd.Image, cookie: Any) -> None:
    for lock in (
        lambda: plain.lock_exclusive(cookie),
        lambda: plain.lock_shared(cookie, "tag"),
        lambda: plain.unlock(cookie),
        lambda: plain.break_lock("client.1", cookie),
    ):
        with pytest.raises(rbd.InvalidArgument, match="cookie"):
            lock()
    with pytest.raises(rbd.InvalidArgument, match="tag"):
        plain.lock_shared("cookie", cookie)
    assert plain.list_lockers() == []


def test_bytes_cookie(plain: rbd.Image) -> None:
    plain.lock_exclusive("ü".encode())  # type: ignore[arg-type]
    assert lockers(plain)["lockers"][0][1] == "ü"


def test_managed_lock(image: rbd.Image) -> None:
    assert image.is_exclusive_lock_owner() is False
    image.write(b"x", 0)
    assert image.is_exclusive_lock_owner() is True
    with pytest.raises(rbd.ImageBusy):
        image.lock_exclusive("cookie")


def test_managed_lock_moves(ioctx: rados.Ioctx, image: rbd.Image) -> None:
    image.write(b"x", 0)
    with rbd.Image(ioctx, image.name) as other:
        assert not other.is_exclusive_lock_owner()
        other.write(b"y", 0)
        assert other.is_exclusive_lock_owner()
        assert not image.is_exclusive_lock_owner()
        assert image.read(0, 1) == b"y"


@pytest.fixture
def second(ceph_conf: str, ioctx: rados.Ioctx) -> Iterator[rados.Ioctx]:
    """The pool, as another client sees it."""
    with rados.Rados(conffile=ceph_conf) as client, client.open_ioctx(ioctx.name) as context:
        yield context


def test_managed_lock_is_kept(image: rbd.Image, second: rados.Ioctx) -> None:
    owners = image.lock_get_owners()
    assert list(owners) == []
    image.lock_acquire(rbd.RBD_LOCK_MODE_EXCLUSIVE)
    image.lock_acquire(rbd.RBD_LOCK_MODE_EXCLUSIVE)
    assert image.is_exclusive_lock_owner()
    owners = image.lock_get_owners()
    (owner,) = owners
    assert list(owners) == [owner]
    assert owner["mode"] == rbd.RBD_LOCK_MODE_EXCLUSIVE
    (watcher,) = image.watchers_list()
    assert owner["owner"] == watcher["addr"]
    with rbd.Image(second, image.name) as other:
        assert list(other.lock_get_owners()) == [owner]
        with pytest.raises(rbd.ReadOnlyImage, match=r"Image\.lock_acquire\(0\)"):
            other.lock_acquire(rbd.RBD_LOCK_MODE_EXCLUSIVE)
        with pytest.raises(rbd.ReadOnlyImage):
            other.write(b"x", 0)
        with pytest.raises(rbd.InvalidArgument, match=r"Image\.lock_release"):
            other.lock_release()
        image.lock_release()
        assert list(image.lock_get_owners()) == []
        with pytest.raises(rbd.InvalidArgument, match=r"Image\.lock_release"):
            image.lock_release()
        other.lock_acquire(rbd.RBD_LOCK_MODE_EXCLUSIVE)
        assert other.is_exclusive_lock_owner()
        assert other.write(b"x", 0) == 1


def test_managed_lock_is_broken(image: rbd.Image, ioctx: rados.Ioctx, ceph_conf: str) -> None:
    with (
        rados.Rados(conffile=ceph_conf) as client,
        MayFailToClose(client, ioctx.name, image.name) as other,
    ):
        other.lock_acquire(rbd.RBD_LOCK_MODE_EXCLUSIVE)
        (owner,) = image.lock_get_owners()
        with pytest.raises(rbd.ImageBusy, match=r"Image\.lock_break\(0, 'nobody'\)"):
            image.lock_break(rbd.RBD_LOCK_MODE_EXCLUSIVE, "nobody")
        image.lock_break(rbd.RBD_LOCK_MODE_EXCLUSIVE, owner["owner"])
        assert list(image.lock_get_owners()) == []
        image.lock_acquire(rbd.RBD_LOCK_MODE_EXCLUSIVE)
        with pytest.raises(rbd.ConnectionShutdown):
            other.write(b"x", 0)


def test_managed_lock_arguments(image: rbd.Image) -> None:
    with pytest.raises(rbd.OperationNotSupported, match=r"Image\.lock_acquire\(1\)"):
        image.lock_acquire(rbd.RBD_LOCK_MODE_SHARED)
    with pytest.raises(rbd.OperationNotSupported, match=r"Image\.lock_break\(1, 'x'\)"):
        image.lock_break(rbd.RBD_LOCK_MODE_SHARED, "x")
    for mode, error in ((-1, OverflowError), (1 << 40, OverflowError), ("x", TypeError)):
        with pytest.raises(error, match=r"Image\.lock_acquire"):
            image.lock_acquire(mode)  # type: ignore[arg-type]
        with pytest.raises(error, match=r"Image\.lock_break"):
            image.lock_break(mode, "x")  # type: ignore[arg-type]
    for owner in (None, 5, "a\0b"):
        with pytest.raises(rbd.InvalidArgument, match="lock_owner"):
            image.lock_break(0, owner)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"rbdcffi\.rbd\.Image"):
        rbd.LockOwnerIterator(5)  # type: ignore[arg-type]


def test_managed_lock_without_the_feature(plain: rbd.Image) -> None:
    for call in (
        lambda: plain.lock_acquire(rbd.RBD_LOCK_MODE_EXCLUSIVE),
        plain.lock_release,
        plain.lock_get_owners,
        lambda: plain.lock_break(rbd.RBD_LOCK_MODE_EXCLUSIVE, "x"),
    ):
        with pytest.raises(rbd.InvalidArgument):
            call()


def test_without_managed_lock(plain: rbd.Image) -> None:
    plain.write(b"x", 0)
    assert plain.is_exclusive_lock_owner() is False


def test_closed(plain: rbd.Image) -> None:
    plain.close()
    for call, arguments in {
        "is_exclusive_lock_owner": (),
        "list_lockers": (),
        "lock_exclusive": ("x",),
        "lock_shared": ("x", "y"),
        "unlock": ("x",),
        "break_lock": ("x", "y"),
        "lock_acquire": (0,),
        "lock_release": (),
        "lock_get_owners": (),
        "lock_break": (0, "x"),
    }.items():
        with pytest.raises(rbd.InvalidArgument, match=f"Image.{call}.*image is closed"):
            getattr(plain, call)(*arguments)


def test_read_only(ioctx: rados.Ioctx, image_name: str) -> None:
    with rbd.Image(ioctx, image_name, read_only=True) as image:
        assert image.list_lockers() == []
        assert image.is_exclusive_lock_owner() is False


class MayFailToClose:
    """An image of another connection, which may not be able to say goodbye."""

    def __init__(self, connection: rados.Rados, pool: str, name: str) -> None:
        self.where = connection, pool, name

    def __enter__(self) -> rbd.Image:
        connection, pool, name = self.where
        self.context = connection.open_ioctx(pool)
        self.image = rbd.Image(self.context, name)
        return self.image

    def __exit__(self, *exc_info: object) -> None:
        try:
            self.image.close()
        except rbd.Error:
            assert self.image.closed
        self.context.close()
