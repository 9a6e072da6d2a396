"""Notifications and the log as streams, locks for a block, slices; and what only offloads."""

from __future__ import annotations

import errno
import gc
from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest

from rbdcffi import aio, rados

pytestmark = pytest.mark.anyio


@pytest.fixture
async def obj(aioctx: aio.Ioctx, fresh_name: str) -> str:
    """A new object."""
    await aioctx.write_full(fresh_name, b"watched")
    return fresh_name


# -- notifications ----------------------------------------------------------------------------


async def test_notifications(aioctx: aio.Ioctx, ioctx: rados.Ioctx, obj: str) -> None:
    responses: list[Any] = []

    async def tell() -> None:
        for text in (b"one", b"two", b"three", b"end"):
            responses.append(await anyio.to_thread.run_sync(ioctx.notify2, obj, text))

    with anyio.fail_after(30):
        async with aioctx.watch(obj) as notifications, anyio.create_task_group() as tasks:
            tasks.start_soon(tell)
            assert notifications.get_id() > 0 and not notifications.closed
            assert notifications.check().total_seconds() < 30
            async for notification in notifications:
                assert isinstance(notification, aio.Notification)
                assert notification.notifier_id == ioctx.rados.get_instance_id()
                assert notification.watch_id == notifications.get_id()
                assert notification.data.decode() in repr(notification)
                if notification.data == b"two":
                    await notification.acknowledge(b"\0reply")
                    await notification.acknowledge("once only")
                if notification.data == b"three":
                    await notification.acknowledge("text")
                if notification.data == b"end":
                    await notification.acknowledge()
                    break
        assert notifications.closed and notifications.get_id() == 0
        assert [[reply for *_, reply in response.acks] for response in responses] == [
            [b""],
            [b"\0reply"],
            [b"text"],
            [b""],
        ]
        await notifications.aclose()
        assert [item async for item in notifications] == []
        with pytest.raises(RuntimeError, match="closed"):
            notifications.check()


async def test_notifying(aioctx: aio.Ioctx, obj: str) -> None:
    seen: list[bytes] = []

    async def follow(task_status: Any) -> None:
        async with aioctx.watch(obj, timeout=10) as notifications:
            task_status.started()
            async for notification in notifications:
                assert isinstance(notification, aio.Notification)
                seen.append(notification.data)

    with anyio.fail_after(30):
        async with anyio.create_task_group() as tasks:
            await tasks.start(follow)
            assert await aioctx.notify(obj, "a") is True
            response = await aioctx.notify2(obj, "b")
            assert [reply for *_, reply in response.acks] == [b""]
            tasks.cancel_scope.cancel()
        assert seen == [b"a", b"b"]
        assert await aioctx.notify2(obj, "nobody") == ([], [])


async def test_cancelling_a_step_loses_nothing(aioctx: aio.Ioctx, obj: str) -> None:
    with anyio.fail_after(30):
        async with aioctx.watch(obj) as notifications, anyio.create_task_group() as tasks:
            for number in range(5):
                with anyio.move_on_after(0.02):
                    await notifications.__anext__()
                tasks.start_soon(aioctx.notify2, obj, str(number))
                found = await notifications.__anext__()
                assert isinstance(found, aio.Notification)
                assert found.data == str(number).encode()
                await found.acknowledge()


async def test_a_watch_that_is_lost(aioctx: aio.Ioctx, obj: str) -> None:
    with anyio.fail_after(60):
        async with aioctx.watch(obj) as notifications:
            await aioctx.remove_object(obj)
            with pytest.raises(rados.NotConnected, match=f"Ioctx.watch of object '{obj}'"):
                await notifications.__anext__()
            assert [item async for item in notifications] == []
        await aioctx.write_full(obj, b"again")
        async with aioctx.watch(obj, rewatch=True) as notifications:
            first = notifications.get_id()
            await aioctx.remove_object(obj)
            await aioctx.write_full(obj, b"once more")
            found = await notifications.__anext__()
            assert isinstance(found, aio.Interruption)
            assert isinstance(found.error, rados.NotConnected)
            assert notifications.get_id() != first
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(aioctx.notify2, obj, "new")
                found = await notifications.__anext__()
                assert isinstance(found, aio.Notification) and found.data == b"new"
                await found.acknowledge()
            await aioctx.remove_object(obj)
            with pytest.raises(rados.ObjectNotFound):
                await notifications.__anext__()
            assert [item async for item in notifications] == []


async def test_too_many_notifications(aioctx: aio.Ioctx, obj: str) -> None:
    timeouts: list[int] = []

    async def tell(text: str) -> None:
        response = await aioctx.notify2(obj, text, 2000)
        timeouts.append(len(response.timeouts))

    for rewatch in (False, True):
        timeouts.clear()
        with anyio.fail_after(30):
            async with aioctx.watch(obj, capacity=2, rewatch=rewatch) as notifications:
                async with anyio.create_task_group() as tasks:
                    for number in range(6):
                        tasks.start_soon(tell, str(number))
                    while not timeouts:
                        await anyio.sleep(0.05)
                assert timeouts == [1] * 6
                for _ in range(2):
                    assert isinstance(await notifications.__anext__(), aio.Notification)
                if rewatch:
                    found = await notifications.__anext__()
                    assert isinstance(found, aio.Interruption)
                    assert found.error.errno == errno.ENOBUFS  # type: ignore[attr-defined]
                else:
                    with pytest.raises(rados.OSError) as caught:
                        await notifications.__anext__()
                    assert caught.value.errno == errno.ENOBUFS
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(tell, "goes on")
                    found = await notifications.__anext__()
                    assert isinstance(found, aio.Notification) and found.data == b"goes on"
                    await found.acknowledge()
                assert timeouts[-1] == 0


async def test_the_end_of_the_context_ends_the_stream(acluster: aio.Rados, obj: str) -> None:
    with anyio.fail_after(30):
        ioctx = await acluster.open_ioctx("rbd")
        notifications = await ioctx.watch(obj)

        async def close() -> None:
            await anyio.sleep(0.1)
            await ioctx.close()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(close)
            assert [item async for item in notifications] == []
        assert notifications.closed


async def test_a_forgotten_stream(aioctx: aio.Ioctx, obj: str) -> None:
    notifications = await aioctx.watch(obj)
    registration = notifications._registration
    assert registration is not None
    del notifications
    with anyio.fail_after(20):
        while not registration.closed:
            gc.collect()
            await anyio.sleep(0.02)


async def test_wrong_arguments(aioctx: aio.Ioctx, obj: str) -> None:
    with pytest.raises(rados.ObjectNotFound, match=r"Ioctx\.watch of object 'none'"):
        await aioctx.watch("none")
    with pytest.raises(OverflowError, match=r"^Ioctx\.watch of object .*: timeout must be from 0"):
        await aioctx.watch(obj, timeout=-1)
    with pytest.raises(OverflowError, match=r"Ioctx\.watch.*capacity must be from 1"):
        aioctx.watch(obj, capacity=0)
    with pytest.raises(TypeError, match=r"^Ioctx\.watch of pool '[^']*': obj must be a string"):
        await aioctx.watch(5)  # type: ignore[arg-type]
    with pytest.raises(RuntimeError, match="has not begun"):
        await aioctx.watch(obj).__anext__()
    async with aioctx.watch(obj) as notifications, anyio.create_task_group() as tasks:
        tasks.start_soon(aioctx.notify2, obj, "x")
        found = await notifications.__anext__()
        assert isinstance(found, aio.Notification)
        with pytest.raises(TypeError, match=r"^Notification\.acknowledge: .* not int"):
            await found.acknowledge(5)  # type: ignore[arg-type]
        await found.acknowledge()


async def test_watching_in_a_closed_pool(acluster: aio.Rados, ioctx: rados.Ioctx, obj: str) -> None:
    for nspace in ("", "space"):
        context = await acluster.open_ioctx(ioctx.name)
        context.set_namespace(nspace)
        await context.close()
        where = f"'{ioctx.name}/{nspace}'" if nspace else f"'{ioctx.name}'"
        with pytest.raises(rados.IoctxStateError) as caught:
            await context.watch(obj)
        text = f"(Ioctx.watch of object '{obj}' in pool {where}: the pool is closed)"
        assert str(caught.value).endswith(text)


# -- locks ------------------------------------------------------------------------------------


async def test_locks(aioctx: aio.Ioctx, fresh_name: str) -> None:
    async with aioctx.lock_exclusive(fresh_name, "l", "c"):
        assert (await aioctx.list_lockers(fresh_name, "l"))["exclusive"] is True
        with pytest.raises(rados.ObjectBusy):
            await aioctx.lock_exclusive(fresh_name, "l", "other")
        with pytest.raises(rados.ObjectBusy):
            async with aioctx.lock_shared(fresh_name, "l", "other", "tag"):
                raise AssertionError
    assert (await aioctx.list_lockers(fresh_name, "l"))["lockers"] == []
    await aioctx.lock_shared(fresh_name, "l", "c", "tag", duration=5.5)
    async with aioctx.lock_shared(fresh_name, "l", "c2", "tag"):
        found = await aioctx.list_lockers(fresh_name, "l")
        assert (found["tag"], len(found["lockers"])) == ("tag", 2)
    await aioctx.unlock(fresh_name, "l", "c")
    with pytest.raises(ZeroDivisionError):
        async with aioctx.lock_exclusive(fresh_name, "l", "c"):
            raise ZeroDivisionError
    with pytest.raises(rados.ObjectNotFound, match=r"Ioctx\.unlock"):
        async with aioctx.lock_exclusive(fresh_name, "l", "c") as lock:
            assert isinstance(lock, aio.ObjectLock)
            client = (await aioctx.list_lockers(fresh_name, "l"))["lockers"][0][0]
            await aioctx.break_lock(fresh_name, "l", client, "c")
    with pytest.raises(ZeroDivisionError):
        async with aioctx.lock_exclusive(fresh_name, "l", "c"):
            await aioctx.unlock(fresh_name, "l", "c")
            raise ZeroDivisionError


async def test_a_cancelled_lock_is_given_back(aioctx: aio.Ioctx, fresh_name: str) -> None:
    for pause in (0, 0.0005, 0.002, 0.01):
        with anyio.move_on_after(pause):
            async with aioctx.lock_exclusive(fresh_name, "l", "c"):
                await anyio.sleep(10)
        with anyio.fail_after(10):
            while True:
                try:
                    await aioctx.lock_exclusive(fresh_name, "l", "other")
                    break
                except rados.ObjectBusy:
                    await anyio.sleep(0.01)
        await aioctx.unlock(fresh_name, "l", "other")


# -- listing ----------------------------------------------------------------------------------


@pytest.fixture
async def many(acluster: aio.Rados, fresh_name: str) -> AsyncIterator[aio.Ioctx]:
    """A pool with 300 objects."""
    await acluster.create_pool(fresh_name)
    async with acluster.open_ioctx(fresh_name) as ioctx:
        async with anyio.create_task_group() as tasks:
            for number in range(300):
                tasks.start_soon(ioctx.write_full, f"object-{number}", b"")
        yield ioctx
    await acluster.delete_pool(fresh_name)


async def test_slices(many: aio.Ioctx) -> None:
    names: list[str] = []
    parts = many.list_slices(5)

    async def follow(part: aio.ObjectSlice) -> None:
        async for item in part:
            assert isinstance(item, aio.Object)
            names.append(item.key)

    async with anyio.create_task_group() as tasks:
        for part in parts:
            tasks.start_soon(follow, part)
    assert sorted(names) == sorted(f"object-{number}" for number in range(300))
    assert parts[0].start == many.list_begin() and parts[-1].finish == many.list_end()
    page, place = await many.list_page(count=100)
    assert len(page) <= 100 and isinstance(page[0], aio.Object)
    rest: list[str] = []
    for part in many.list_slices(1, place):
        rest += [item.key async for item in part]
    assert sorted(rest + [item.key for item in page]) == sorted(names)


# -- the rest ---------------------------------------------------------------------------------


async def test_snapshots(many: aio.Ioctx) -> None:
    await many.create_snap("s")
    assert [snap.name for snap in await many.list_snaps()] == ["s"]
    snap = await many.lookup_snap("s")
    assert [one.snap_id async for one in many.list_snaps()] == [snap.snap_id]
    await many.write_full("object-1", b"new")
    await many.snap_rollback("object-1", "s")
    assert await many.read("object-1") == b""
    await many.remove_snap("s")
    await many.application_enable("app")
    await many.application_metadata_set("app", "k", "v")
    assert await many.application_metadata_list("app") == [("k", "v")]


async def test_the_log(acluster: aio.Rados, fresh_name: str) -> None:
    command = f'{{"prefix": "log", "logtext": ["{fresh_name}"]}}'
    with anyio.fail_after(30):
        async with acluster.monitor_log() as lines:
            assert (await acluster.mon_command(command, b""))[0] == 0
            async for line in lines:
                if line.msg == fresh_name.encode():
                    break
            assert (line.name, line.channel, line.level) == (b"client.admin", b"cluster", b"[INF]")
            with anyio.move_on_after(0.01):
                while True:
                    await lines.__anext__()
            other = acluster.monitor_log("warn")
            assert [line async for line in lines] == [], "a connection has one"
        assert lines.missed == 0
        with pytest.raises(rados.LogicError, match="no level 'none'"):
            acluster.monitor_log("none")
        await acluster.shutdown()
        assert [line async for line in other] == []


async def test_services(acluster: aio.Rados, fresh_name: str) -> None:
    await acluster.service_daemon_register(fresh_name, "a", {"k": "v"})
    await acluster.service_daemon_update({"k": "w"})
    await acluster.watch_flush()
    assert await acluster.get_min_compatible_osd() >= 14
    assert (await acluster.get_min_compatible_client()).min_compat_client > 0
