"""Updates as a stream, hooks around snapshots, and I/O beyond the standard binding's."""

from __future__ import annotations

import asyncio
import errno
import gc
import sys
import threading
from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest

from rbdcffi import aio, rados, rbd
from rbdcffi._ffi import has

pytestmark = pytest.mark.anyio
quiescing = pytest.mark.skipif(not has("rbd_quiesce_watch"), reason="quiesce hooks need Ceph 16")
MIB = 1 << 20


@pytest.fixture
async def watched(aioctx: aio.Ioctx, image_name: str) -> AsyncIterator[aio.Image]:
    async with aio.Image(aioctx, image_name) as image:
        yield image


@pytest.fixture
async def other(ioctx: rados.Ioctx, image_name: str) -> AsyncIterator[rbd.Image]:
    """The image, opened by another client."""
    with rbd.Image(ioctx, image_name) as image:
        yield image


async def snapshot(image: rbd.Image, name: str) -> Any:
    try:
        await anyio.to_thread.run_sync(image.create_snap, name)
    except rbd.Error as error:
        return error
    return None


# -- updates ----------------------------------------------------------------------------------


async def test_updates(watched: aio.Image, other: rbd.Image) -> None:
    with anyio.fail_after(30):
        updates = watched.updates()
        for number in range(3):
            await snapshot(other, f"s{number}")  # while nobody waits
        await updates.__anext__()
        with anyio.move_on_after(0.5):
            while True:
                await updates.__anext__()
        with anyio.move_on_after(0.2) as quiet:
            await updates.__anext__()
        assert quiet.cancelled_caught
        await snapshot(other, "more")  # cancelling did no harm
        await updates.__anext__()
        await updates.aclose()
        await updates.aclose()
        assert [step async for step in updates] == []


async def test_updates_end_with_the_image(watched: aio.Image, other: rbd.Image) -> None:
    seen: list[int] = []

    async def follow() -> None:
        async for _ in watched.updates():
            seen.append(await watched.size())

    with anyio.fail_after(30):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(follow)
            await anyio.sleep(0.1)
            await anyio.to_thread.run_sync(other.resize, 20 * MIB)
            while 20 * MIB not in seen:
                await anyio.sleep(0.01)
            await watched.close()
    with pytest.raises(rbd.InvalidArgument, match="image is closed"):
        watched.updates()


async def test_updates_left_in_the_middle(watched: aio.Image, other: rbd.Image) -> None:
    with anyio.fail_after(30):
        for number in range(3):
            stream = watched.updates()
            registration = stream._registration
            await snapshot(other, str(number))
            async for _ in stream:
                break
            del stream
            gc.collect()
            gc.collect()
            await (await aio.Image(watched.ioctx, watched.name)).close()  # closes PyPy's leftovers
            assert registration.closed


async def test_updates_of_a_read_only_image(watched: aio.Image) -> None:
    async with aio.Image(watched.ioctx, watched.name, read_only=True) as image:
        with pytest.raises(rbd.ReadOnlyImage, match="updates"):
            image.updates()


# -- hooks ------------------------------------------------------------------------------------


@quiescing
@pytest.mark.parametrize("plain", [False, True])
async def test_hooks(watched: aio.Image, other: rbd.Image, plain: bool) -> None:
    log: list[str] = []

    async def freeze() -> None:
        log.append("freeze")
        await anyio.sleep(0.1)
        assert list(other.list_snaps()) == []
        log.append("frozen")

    async def thaw() -> None:
        await anyio.sleep(0)
        log.append("thaw")

    hooks: tuple[Any, Any] = (freeze, thaw)
    if plain:
        hooks = (lambda: log.extend(["freeze", "frozen"]), lambda: log.append("thaw"))
    with anyio.fail_after(30):
        async with watched.quiesce_hooks(*hooks) as active:
            assert not active.closed
            assert await snapshot(other, "s") is None
            while len(log) < 3:
                await anyio.sleep(0.01)
            assert log == ["freeze", "frozen", "thaw"]
        assert active.closed
        await snapshot(other, "after")
        assert len(log) == 3


@quiescing
async def test_a_hook_that_fails(
    watched: aio.Image, other: rbd.Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    reported: list[Any] = []
    monkeypatch.setattr(threading, "excepthook", reported.append)
    log: list[str] = []

    async def fail() -> None:
        raise BlockingIOError(errno.EAGAIN, "not now")

    with anyio.fail_after(30):
        async with watched.quiesce_hooks(fail, lambda: log.append("thaw")):
            error = await snapshot(other, "s")
            assert isinstance(error, rbd.OSError) and error.errno == errno.EAGAIN
            assert [args.exc_type for args in reported] == [BlockingIOError]
    assert log == []
    assert list(other.list_snaps()) == []


@quiescing
async def test_a_hook_whose_task_was_cancelled(
    watched: aio.Image, other: rbd.Image, monkeypatch: pytest.MonkeyPatch, anyio_backend_name: str
) -> None:
    if anyio_backend_name == "trio" or sys.version_info < (3, 11):
        pytest.skip("only asyncio has tasks that raise this into others; Python 3.11 tells")
    reported: list[Any] = []
    monkeypatch.setattr(threading, "excepthook", reported.append)

    async def await_another() -> None:
        task = asyncio.ensure_future(asyncio.sleep(10))
        await asyncio.sleep(0)
        task.cancel()
        await task

    with anyio.fail_after(30):
        async with watched.quiesce_hooks(await_another, lambda: None) as active:
            assert isinstance(await snapshot(other, "s"), rbd.Error)
            assert [args.exc_type for args in reported] == [asyncio.CancelledError]
            assert not active.closed


@quiescing
@pytest.mark.parametrize("how", ["leave", "raise", "cancel", "close"])
async def test_leaving_while_a_hook_runs(watched: aio.Image, other: rbd.Image, how: str) -> None:
    log: list[str] = []
    inside = anyio.Event()
    outcome: list[Any] = []

    async def stuck() -> None:
        inside.set()
        try:
            await anyio.sleep(100)
        except BaseException:
            log.append("cancelled")
            raise

    async def make() -> None:
        outcome.append(await snapshot(other, "s"))

    with anyio.fail_after(40):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(make)
            try:
                with anyio.CancelScope() as scope:
                    async with watched.quiesce_hooks(stuck, lambda: log.append("thaw")):
                        await inside.wait()
                        if how == "raise":
                            raise ZeroDivisionError
                        if how == "cancel":
                            scope.cancel()
                            await anyio.sleep(10)
                        if how == "close":
                            await watched.close()
            except ZeroDivisionError:
                assert how == "raise"
            assert scope.cancelled_caught == (how == "cancel")
    assert log == ["cancelled"]
    assert isinstance(outcome[0], rbd.OperationCanceled)


@quiescing
async def test_leaving_while_frozen(watched: aio.Image, other: rbd.Image) -> None:
    """What was frozen is thawed, although the snapshot still waits for another client."""
    log: list[str] = []
    frozen = anyio.Event()
    proceed = threading.Event()
    outcome: list[Any] = []

    async def thaw() -> None:
        await anyio.sleep(0.1)
        log.append("thaw")

    async def make() -> None:
        outcome.append(await snapshot(other, "s"))

    with anyio.fail_after(30):
        with other.quiesce_watch(lambda: proceed.wait(20) and None, lambda: None):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(make)
                async with watched.quiesce_hooks(frozen.set, thaw):
                    await frozen.wait()
                    await anyio.sleep(0.1)
                assert log == ["thaw"]
                proceed.set()
    assert outcome == [None]


@quiescing
async def test_bad_hooks(watched: aio.Image) -> None:
    with pytest.raises(TypeError, match=r"quiesce_hooks.*on_quiesce must be callable"):
        watched.quiesce_hooks(None, print)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"quiesce_hooks.*on_unquiesce must be callable"):
        watched.quiesce_hooks(print, 5)  # type: ignore[arg-type]
    hooks = watched.quiesce_hooks(print, print)
    assert hooks.closed
    async with hooks:
        pass
    with pytest.raises(RuntimeError, match="in use"):
        async with hooks:
            pass
    await watched.close()
    with pytest.raises(rbd.InvalidArgument, match="image is closed"):
        async with watched.quiesce_hooks(print, print):
            pass


# -- I/O and locks ----------------------------------------------------------------------------


async def test_writesame(aimage: aio.Image) -> None:
    end = await aimage.size()
    assert await aimage.writesame(b"abc", 10, 3000) == 3000
    assert await aimage.read(9, 3002) == b"\0" + b"abc" * 1000 + b"\0"
    with pytest.raises(rbd.IncompleteWriteError, match="only 512 bytes"):
        await aimage.writesame(b"e" * 512, end - 512, 1024)
    for arguments, error in (
        ((b"abc", 0, 10), rbd.InvalidArgument),
        ((b"", 0, 10), rbd.InvalidArgument),
        ((b"abc", end, 3), rbd.InvalidArgument),
        ((b"abc", -1, 3), OverflowError),
        ((b"abc", 0, -3), OverflowError),
        ((b"abc", 0, "3"), TypeError),
        ((b"abc", "0", 3), TypeError),
    ):
        with pytest.raises(error):
            await aimage.writesame(*arguments)  # type: ignore[arg-type]


async def test_vectors_of_nothing(aimage: aio.Image) -> None:
    assert await aimage.writev([], 0) == 0
    assert await aimage.writev([b"", bytearray()], 0) == 0
    assert await aimage.readv([], 0) == 0
    assert await aimage.readv([bytearray()], 0) == 0


async def test_read_iterate(aimage: aio.Image) -> None:
    size = await aimage.size()
    await aimage.write(b"x" * MIB, 5 * MIB)
    found = bytearray(size)

    async def take(offset: int, chunk: bytes | None) -> None:
        await anyio.sleep(0)
        if chunk is not None:
            found[offset : offset + len(chunk)] = chunk

    await aimage.read_iterate(0, size, take)
    assert found == bytes(5 * MIB) + b"x" * MIB + bytes(10 * MIB)
    problem = ZeroDivisionError("mine")

    def fail(offset: int, chunk: bytes | None) -> None:
        raise problem

    with pytest.raises(ZeroDivisionError) as caught:
        await aimage.read_iterate(0, size, fail)
    assert caught.value is problem
    with pytest.raises(TypeError, match="callable"):
        await aimage.read_iterate(0, size, 5)  # type: ignore[arg-type]


@pytest.mark.skipif(not has("rbd_aio_compare_and_writev"), reason="needs Ceph 18")
async def test_compare_and_writev(aimage: aio.Image) -> None:
    await aimage.write(b"abcdef", 0)
    assert await aimage.compare_and_writev(0, [b"abc", b"def"], [b"ABCDEF"]) is None
    assert await aimage.compare_and_writev(0, [b"ABxDEF"], [b"123", b"456"]) == 2
    assert await aimage.read(0, 6) == b"ABCDEF"


@pytest.mark.skipif(not has("rbd_aio_write_with_crc32c"), reason="needs Ceph 20")
async def test_write_with_crc32c(aimage: aio.Image) -> None:
    # of nine digits, from RFC 3720, without the inversion at the end
    assert await aimage.write_with_crc32c(b"123456789", 0, 0xE3069283 ^ 0xFFFFFFFF) == 9
    assert await aimage.read(0, 9) == b"123456789"


async def test_locks_and_watchers(watched: aio.Image) -> None:
    await watched.lock_acquire(rbd.RBD_LOCK_MODE_EXCLUSIVE)
    (owner,) = await watched.lock_get_owners()
    (watcher,) = await watched.watchers_list()
    assert owner["mode"] == rbd.RBD_LOCK_MODE_EXCLUSIVE
    assert owner["owner"] == watcher["addr"]
    await watched.lock_release()
    assert list(await watched.lock_get_owners()) == []
