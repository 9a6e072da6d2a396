"""Advisory locks on objects."""

from __future__ import annotations

import errno
import time
from collections.abc import Iterator
from typing import Any

import pytest

from rbdcffi import rados


@pytest.fixture(scope="module")
def second(ceph_conf: str, ceph_shared_pool: str) -> Iterator[rados.Ioctx]:
    """The pool, as another client sees it."""
    with rados.Rados(conffile=ceph_conf) as client, client.open_ioctx(ceph_shared_pool) as ioctx:
        yield ioctx


def client(ioctx: rados.Ioctx) -> str:
    return f"client.{ioctx.rados.get_instance_id()}"


def test_exclusive(ioctx: rados.Ioctx, second: rados.Ioctx, fresh_name: str) -> None:
    assert ioctx.lock_exclusive(fresh_name, "lock", "mine", "a description") is None  # type: ignore[func-returns-value]
    found = ioctx.list_lockers(fresh_name, "lock")
    ((holder, cookie, address),) = found.pop("lockers")
    assert found == {"tag": "", "exclusive": True}
    assert (holder, cookie) == (client(ioctx), "mine")
    assert ":" in address
    with pytest.raises(rados.ObjectExists, match=r"lock_exclusive.*'lock'.*object") as again:
        ioctx.lock_exclusive(fresh_name, "lock", "mine")
    assert again.value.errno == errno.EEXIST
    for context, cookie in ((ioctx, "other"), (second, "mine")):
        with pytest.raises(rados.ObjectBusy):
            context.lock_exclusive(fresh_name, "lock", cookie)
        with pytest.raises(rados.ObjectBusy):
            context.lock_shared(fresh_name, "lock", cookie, "tag")
        with pytest.raises(rados.ObjectNotFound, match=r"Ioctx\.unlock"):
            context.unlock(fresh_name, "lock", cookie)
    second.lock_exclusive(fresh_name, "another lock", "mine")
    ioctx.unlock(fresh_name, "lock", "mine")
    assert ioctx.list_lockers(fresh_name, "lock")["lockers"] == []
    second.lock_exclusive(fresh_name, "lock", "mine")


def test_shared(ioctx: rados.Ioctx, second: rados.Ioctx, fresh_name: str) -> None:
    for number in range(60):
        ioctx.lock_shared(fresh_name, "lock", f"cookie {number} {'x' * 20}", "tag\u00fc")
    second.lock_shared(fresh_name, "lock", "", "tag\u00fc")
    found = second.list_lockers(fresh_name, "lock")
    assert found["tag"] == "tag\u00fc" and found["exclusive"] is False
    assert len(found["lockers"]) == 61
    assert {holder for holder, _, _ in found["lockers"]} == {client(ioctx), client(second)}
    assert (client(second), "") in {locker[:2] for locker in found["lockers"]}
    with pytest.raises(rados.ObjectBusy):
        ioctx.lock_shared(fresh_name, "lock", "new", "another tag")
    with pytest.raises(rados.ObjectBusy):
        ioctx.lock_exclusive(fresh_name, "lock", "new")


def test_renewing_and_expiring(ioctx: rados.Ioctx, second: rados.Ioctx, fresh_name: str) -> None:
    with pytest.raises(rados.ObjectNotFound):
        ioctx.lock_exclusive(fresh_name, "l", "c", flags=rados.LIBRADOS_LOCK_FLAG_MUST_RENEW)
    ioctx.lock_exclusive(fresh_name, "l", "c", duration=0.5)
    with pytest.raises(rados.ObjectBusy):
        second.lock_exclusive(fresh_name, "l", "c")
    ioctx.lock_exclusive(fresh_name, "l", "c", "", 1.5, flags=rados.LIBRADOS_LOCK_FLAG_MAY_RENEW)
    time.sleep(0.7)
    with pytest.raises(rados.ObjectBusy):
        second.lock_exclusive(fresh_name, "l", "c")
    time.sleep(1.2)
    second.lock_exclusive(fresh_name, "l", "c")


def test_breaking(ioctx: rados.Ioctx, second: rados.Ioctx, fresh_name: str) -> None:
    ioctx.lock_exclusive(fresh_name, "l", "c")
    with pytest.raises(rados.ObjectNotFound, match=r"Ioctx\.break_lock"):
        second.break_lock(fresh_name, "l", client(second), "c")
    with pytest.raises(rados.InvalidArgumentError):
        second.break_lock(fresh_name, "l", "nobody", "c")
    second.break_lock(fresh_name, "l", client(ioctx), "c")
    second.lock_exclusive(fresh_name, "l", "c")
    with pytest.raises(rados.ObjectNotFound):
        ioctx.unlock(fresh_name, "l", "c")


@pytest.mark.parametrize("duration", ["x", b"1", [], 1j])
def test_durations_of_wrong_types(ioctx: rados.Ioctx, fresh_name: str, duration: Any) -> None:
    with pytest.raises(TypeError, match=r"Ioctx\.lock_exclusive of .*duration must be a number"):
        ioctx.lock_exclusive(fresh_name, "l", "c", duration=duration)


@pytest.mark.parametrize("duration", [-1, float("nan"), float("inf"), 1 << 40])
def test_durations_out_of_range(ioctx: rados.Ioctx, fresh_name: str, duration: Any) -> None:
    with pytest.raises(rados.InvalidArgumentError, match=r"Ioctx\.lock_shared.*duration must be"):
        ioctx.lock_shared(fresh_name, "l", "c", "t", duration=duration)


def test_wrong_arguments(ioctx: rados.Ioctx, fresh_name: str) -> None:
    what = rf"Ioctx\.lock_exclusive of object {fresh_name!r} in pool 'rbd': "
    with pytest.raises(OverflowError, match=what + "flags must be from 0 to 255, not 300"):
        ioctx.lock_exclusive(fresh_name, "l", "c", flags=300)
    for arguments in ((5, "c"), ("l", None), ("l", "c", 5)):
        with pytest.raises(TypeError, match=what + r"\w+ must be a string"):
            ioctx.lock_exclusive(fresh_name, *arguments)  # type: ignore[arg-type]
    with pytest.raises(rados.InvalidArgumentError, match=r"Ioctx\.lock_exclusive"):
        ioctx.lock_exclusive(fresh_name, "", "c")
    with pytest.raises(rados.ObjectNotFound, match=r"Ioctx\.list_lockers.*'none'"):
        ioctx.list_lockers("none", "l")
    with ioctx.dup() as closed:
        pass
    for call in (
        lambda: closed.lock_exclusive("a", "l", "c"),
        lambda: closed.lock_shared("a", "l", "c", "t"),
        lambda: closed.unlock("a", "l", "c"),
        lambda: closed.break_lock("a", "l", "client.1", "c"),
        lambda: closed.list_lockers("a", "l"),
    ):
        with pytest.raises(rados.IoctxStateError, match="closed"):
            call()
