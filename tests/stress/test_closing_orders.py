"""An image is closed, its pool and its cluster are, and the image is removed, in every order, while
threads or tasks use all of it."""

from __future__ import annotations

from functools import partial
from itertools import permutations

import pytest
from programs import Nursery, ended_well, side_by_side

ORDERS = ["".join(order) for order in permutations("icrs")]
#: Each first and each last.
SOME = ["icrs", "crsi", "rsic", "sicr"]

SYNC = """
expected = (rbd.InvalidArgument, rbd.ImageNotFound, rbd.ImageBusy, rados.ObjectNotFound,
            rados.IoctxStateError, rados.RadosStateError)
# librbd's answer while the one who removes has the image's lock
expected += (rbd.ReadOnlyImage,)
other, elsewhere = connect()
def conversation(number, order, at_once):
    cluster, ioctx = connect()
    name = f"{NAME}-{number}"
    image = fresh(ioctx, name, MIB, written=4)
    ended = []
    def work(call, forever):
        try:
            while True:
                try:
                    call()
                except (rbd.ImageNotFound, rados.ObjectNotFound):
                    if not forever and image.closed:
                        raise  # it was removed meanwhile
        except expected as error:
            ended.append(error)
        except BaseException as error:
            ended.append(error)
            raise
    calls = [
        lambda: image.read(0, 65536),
        lambda: image.write(b"y" * 65536, 4096),
        lambda: list(image.diff(0, MIB, None)),
        lambda: image.diff_iterate(0, MIB, None, lambda *extent: None),
        lambda: image.aio_read(0, 4096, lambda completion, data: None).wait_for_complete_and_cb(),
        lambda: image.update_watch(lambda: None).close(),
        lambda: (image.stat(), list(image.list_snaps())),
        lambda: rbd.Image(ioctx, name, read_only=True).close(),
        lambda: (ioctx.write_full(name, b"x"), ioctx.remove_object(name)),
        lambda: ioctx.aio_read(name, 10, 0, lambda *_: None).wait_for_complete_and_cb(),
    ]
    threads = [threading.Thread(target=work, args=(call, number >= 8), daemon=True)
               for number, call in enumerate(calls)]
    removed = []
    def remove():
        # another client would wait for the lock of the one who writes, and be told that it is open
        try:
            rbd.RBD().remove(elsewhere, name)
            removed.append(True)
        except rbd.ImageBusy:
            pass
    ends = {"i": image.close, "c": ioctx.close, "s": cluster.shutdown, "r": remove}
    for thread in threads:
        thread.start()
    if at_once:
        enders = [threading.Thread(target=ends[letter], daemon=True) for letter in order]
        for ender in enders:
            ender.start()
        for ender in enders:
            ender.join(30)
            assert not ender.is_alive(), order
    else:
        for letter in order:
            ends[letter]()
            time.sleep(0.01)
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive(), order
    assert len(ended) == len(calls) and all(isinstance(error, expected) for error in ended), ended
    assert image.closed and ioctx.state == "closed" and cluster.state == "shutdown"
    # who held it is gone
    if not removed:
        rbd.RBD().remove(elsewhere, name)
    assert name not in rbd.RBD().list(elsewhere)
for number, order in enumerate(ORDERS):
    conversation(number, order, number % 2)
elsewhere.close()
other.shutdown()
print("done")
"""

ASYNC = """
expected = (rbd.InvalidArgument, rbd.ImageNotFound, rbd.ImageBusy, rados.ObjectNotFound,
            rados.IoctxStateError, rados.RadosStateError, rbd.OperationCanceled, rbd.ReadOnlyImage)
async def conversation(elsewhere, name, order, at_once):
    cluster = await aio.Rados(conffile=CONF)
    ioctx = await cluster.open_ioctx("rbd", engine=ENGINE)
    await aio.RBD().create(ioctx, name, MIB, order=16)
    image = await aio.Image(ioctx, name, engine=ENGINE)
    await image.write(b"x" * 65536, 0)
    ended, removed = [], []
    async def work(call):
        try:
            while True:
                try:
                    await call()
                except rados.ObjectNotFound:
                    pass
        except expected as error:
            ended.append(error)
    async def diff():
        [extent async for extent in image.diff(0, MIB, None)]
    async def update():
        async with image.updates() as updates:
            async for _ in updates:
                pass
        # it ends with the image
        image.sync.require_not_closed()
    async def change():
        await ioctx.write_full(name, b"x")
        await ioctx.remove_object(name)
    async def open_and_close():
        async with aio.Image(ioctx, name, read_only=True, engine=ENGINE):
            pass
    async def remove():
        try:
            await aio.RBD().remove(elsewhere, name)
            removed.append(True)
        except rbd.ImageBusy:
            pass
    calls = [
        lambda: image.read(0, 65536), lambda: image.write(b"y" * 65536, 4096), image.flush,
        lambda: image.diff_iterate(0, MIB, None, lambda *extent: None), diff, update, change,
        image.stat, open_and_close,
    ]
    ends = {"i": image.close, "c": ioctx.close, "s": cluster.shutdown, "r": remove}
    with anyio.fail_after(50):
        async with anyio.create_task_group() as group:
            for call in calls:
                group.start_soon(work, call)
            await anyio.sleep(0.01)
            if at_once:
                for letter in order:
                    group.start_soon(ends[letter])
            else:
                for letter in order:
                    await ends[letter]()
    assert len(ended) == len(calls), ended
    assert image.closed
    if not removed:
        await aio.RBD().remove(elsewhere, name)
    assert name not in await aio.RBD().list(elsewhere)
async def main():
    async with aio.Rados(conffile=CONF) as other, other.open_ioctx("rbd") as elsewhere:
        for number, order in enumerate(ORDERS):
            await conversation(elsewhere, f"{NAME}-{number}", order, number % 2)
anyio.run(main, backend=BACKEND)
print("done")
"""


def test_every_order_under_load_of_threads(nursery: Nursery, fresh_name: str) -> None:
    def check(first: int) -> None:
        ended = nursery.run(f"{fresh_name}-{first}", SYNC, ORDERS=ORDERS[first::4])
        ended_well(ended, 0, "done\n", "^$")

    side_by_side({f"{ORDERS[first::4]}": partial(check, first) for first in range(4)})


@pytest.mark.parametrize("engine", ["threads", "completions"])
def test_every_order_under_load_of_tasks(nursery: Nursery, fresh_name: str, engine: str) -> None:
    def check(backend: str) -> None:
        ended = nursery.run(
            f"{fresh_name}-{backend}",
            ASYNC,
            ORDERS=[*SOME, *reversed(SOME)],
            ENGINE=engine,
            BACKEND=backend,
        )
        ended_well(ended, 0, "done\n", "^$")

    side_by_side({backend: partial(check, backend) for backend in ("asyncio", "trio")})
