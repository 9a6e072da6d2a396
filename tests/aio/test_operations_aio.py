"""Operations through the asynchronous I/O context."""

from __future__ import annotations

import errno
from collections.abc import AsyncIterator

import anyio
import pytest

from rbdcffi import _ffi, aio, rados
from rbdcffi.testing import Cluster

pytestmark = pytest.mark.anyio


@pytest.fixture
async def own(aioctx: aio.Ioctx, fresh_name: str) -> aio.Ioctx:
    """A context in a namespace of the test's own, with an object."""
    aioctx.set_namespace(f"space-{fresh_name}")
    await aioctx.write_full("object", b"content")
    return aioctx


async def test_writing_and_reading(own: aio.Ioctx) -> None:
    with rados.WriteOpCtx(own) as op:
        op.append(b"!")
        op.set_xattr("name", b"value")
        own.set_omap(op, ["a", b"b"], [b"1", "2"])
        await own.operate_write_op(op, "object", mtime_ns=10**18)
    with rados.ReadOpCtx() as reading:
        data, stat, attributes = reading.read(), reading.stat(), reading.get_xattrs()
        pairs, result = own.get_omap_vals(reading, "", "", -1)
        keys, _ = own.get_omap_keys(reading, "a", 5)
        some, _ = own.get_omap_vals_by_keys(reading, ["b", "none"], bytes)
        await own.operate_read_op(reading, "object", flag=rados.LIBRADOS_OPERATION_BALANCE_READS)
    assert result == 0
    assert (data.value, attributes.value) == (b"content!", {"name": b"value"})
    assert stat.value == await own.stat("object")
    assert list(pairs) == [("a", b"1"), ("b", b"2")]
    assert list(keys) == [("b", None)]
    assert list(some) == [(b"b", b"2")]


async def test_changing_the_map(own: aio.Ioctx) -> None:
    op = own.create_write_op()
    own.set_omap(op, "a b c d".split(), [b""] * 4)
    await own.operate_write_op(op, "object")
    own.release_write_op(op)
    with rados.WriteOpCtx() as op:
        own.remove_omap_keys(op, ["a"])
        if _ffi.has("rados_write_op_omap_rm_range2"):
            own.remove_omap_range2(op, "c", "d")
        else:
            op.omap_rm_keys(["c"])
        await own.operate_write_op(op, "object")
    reading = own.create_read_op()
    keys, _ = own.get_omap_keys(reading, "", -1)
    await own.operate_read_op(reading, "object")
    own.release_read_op(reading)
    assert [key for key, _ in keys] == ["b", "d"]
    with rados.WriteOpCtx() as op:
        own.clear_omap(op)
        await own.operate_write_op(op, "object")
    reading.create()
    keys, _ = own.get_omap_keys(reading, "", -1)
    await own.operate_read_op(reading, "object")
    assert list(keys) == []


async def test_errors(own: aio.Ioctx) -> None:
    with rados.WriteOpCtx() as op:
        op.omap_cmp("none", b"x")
        with pytest.raises(rados.OSError, match="operate_write_op of object 'object'") as caught:
            await own.operate_write_op(op, "object")
        assert caught.value.errno == errno.ECANCELED
        with pytest.raises(rados.LogicError, match="performed already"):
            await own.operate_write_op(op, "object")
    with rados.ReadOpCtx() as reading:
        data = reading.read()
        with pytest.raises(rados.ObjectNotFound):
            await own.operate_read_op(reading, "none")
    with pytest.raises(rados.ObjectNotFound):
        data.value  # noqa: B018
    with pytest.raises(TypeError, match=r"rbdcffi\.rados\.ReadOp"):
        await own.operate_read_op(op, "object")  # type: ignore[arg-type]


async def test_single_steps(own: aio.Ioctx) -> None:
    assert await own.execute("object", "hello", "say_hello", b"you") == (11, b"Hello, you!")
    assert await own.cmpext("object", b"cOntent") == -4096
    await own.writesame("object", b"ab", 4)
    assert await own.read("object") == b"ababent"


async def test_many_at_once(own: aio.Ioctx) -> None:
    found: list[bytes] = []

    async def one(number: int) -> None:
        with rados.WriteOpCtx() as op:
            op.write_full(b"%d" % number)
            await own.operate_write_op(op, f"object-{number}")
        with rados.ReadOpCtx() as reading:
            data = reading.read()
            await own.operate_read_op(reading, f"object-{number}")
        found.append(data.value)

    async with anyio.create_task_group() as group:
        for number in range(50):
            group.start_soon(one, number)
    assert sorted(found) == sorted(b"%d" % number for number in range(50))


async def test_one_operation_of_two_tasks(own: aio.Ioctx) -> None:
    op = own.create_write_op()
    op.append(b"!")
    outcomes: list[str] = []

    async def perform() -> None:
        try:
            await own.operate_write_op(op, "object")
            outcomes.append("done")
        except rados.LogicError:
            outcomes.append("refused")

    async with anyio.create_task_group() as group:
        for _ in range(5):
            group.start_soon(perform)
    assert sorted(outcomes) == ["done"] + ["refused"] * 4
    assert await own.read("object") == b"content!"


@pytest.fixture
async def hanging(fresh_name: str) -> AsyncIterator[tuple[Cluster, aio.Ioctx]]:
    """A cluster of the test's own, to be paused, and a pool."""
    with Cluster() as cluster:
        async with aio.Rados(conffile=cluster.conf) as connection:
            async with connection.open_ioctx("rbd") as ioctx:
                yield cluster, ioctx


async def test_cancelled_while_the_cluster_hangs(hanging: tuple[Cluster, aio.Ioctx]) -> None:
    """The block releases the operation that is still being performed."""
    cluster, ioctx = hanging
    await ioctx.write_full("object", b"x" * 100000)
    cluster.osds[0].pause()
    results = []
    wake = anyio.Event()

    async def read() -> None:
        with rados.ReadOpCtx() as op:
            results.extend([op.read(100000), op.omap_get_vals(), op.get_xattrs()])
            wake.set()
            await ioctx.operate_read_op(op, "object")

    async with anyio.create_task_group() as group:
        group.start_soon(read)
        await wake.wait()
        await anyio.sleep(0.2)
        group.cancel_scope.cancel()
        cluster.osds[0].resume()
    with anyio.fail_after(20):
        while not results[0].performed:
            await anyio.sleep(0.01)
    assert results[0].value == b"x" * 100000
    assert (list(results[1]), results[2].value) == ([], {})
