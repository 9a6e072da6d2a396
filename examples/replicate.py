"""Keeps a second pool in step with a first one: a trio service that copies what has changed.

Every few seconds each image of the first pool gets a snapshot, what has changed since the last one
is copied to its twin in the second pool, and both are read and compared by checksum. Some images
are worked on at a time. An image that takes too long is left for the next time; the twin then goes
back to the last snapshot both have, so that it is always whole. SIGTERM and Ctrl-C end it the same
way, at any time.

usage: python examples/replicate.py [SOURCE TARGET] [--every SECONDS] [--at-most SECONDS] [--once]

The cluster is that of $CEPH_CONF; without it, a throwaway one with pools and an image to try it on.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import signal
import sys
import time
from contextlib import ExitStack

import trio

from rbdcffi import aio
from rbdcffi.testing import Cluster

MIB = 1 << 20
CHUNK = 4 * MIB
IN_FLIGHT = 4
#: Images that are worked on at a time.
AT_ONCE = 4
#: What the names of our snapshots begin with.
MARK = "replica-"


async def marks(image: aio.Image) -> list[str]:
    """Our snapshots, oldest first."""
    return [s["name"] for s in await image.list_snaps() if s["name"].startswith(MARK)]


async def prepare(source: aio.Ioctx, target: aio.Ioctx, name: str) -> tuple[str, str | None]:
    """Takes a snapshot; makes the twin, or takes it back to the last one both have.

    Returns the new snapshot and the old one, None if there is none yet.
    """
    async with aio.Image(source, name) as image:
        new = f"{MARK}{time.time_ns()}"
        known = await marks(image)
        await image.create_snap(new)
        size = await image.size()
    if name not in await aio.RBD().list(target):
        await aio.RBD().create(target, name, size)
    async with aio.Image(target, name) as twin:
        old = next((mark for mark in reversed(await marks(twin)) if mark in known), None)
        if old is not None:
            await twin.rollback_to_snap(old)
        else:
            await twin.discard(0, await twin.size())
        if await twin.size() != size:
            await twin.resize(size)
    return new, old


async def copy(source: aio.Ioctx, target: aio.Ioctx, name: str, new: str, old: str | None) -> int:
    """Copies what has changed between two snapshots; the number of bytes."""
    async with aio.Image(source, name, snapshot=new, engine="completions") as image:
        async with aio.Image(target, name, engine="completions") as twin:
            async with twin.writer(in_flight=IN_FLIGHT) as writer:
                async for offset, length, exists in image.diff(0, await image.size(), old):
                    if not exists:
                        await writer.write_zeroes(offset, length)
                        continue
                    async for data in image.read_chunks(
                        offset, length, chunk=CHUNK, in_flight=IN_FLIGHT
                    ):
                        await writer.write(data, offset)
                        offset += len(data)
            await twin.create_snap(new)  # from now on the twin has it
    return writer.acknowledged


async def checksum(ioctx: aio.Ioctx, name: str, snapshot: str) -> str:
    digest = hashlib.sha256()
    async with aio.Image(ioctx, name, snapshot=snapshot, engine="completions") as image:
        async for data in image.read_chunks(chunk=CHUNK, in_flight=IN_FLIGHT):
            await trio.to_thread.run_sync(digest.update, data)
    return digest.hexdigest()


async def forget(ioctx: aio.Ioctx, name: str, keep: str) -> None:
    """Removes our snapshots but one."""
    async with aio.Image(ioctx, name) as image:
        for mark in await marks(image):
            if mark != keep:
                await image.remove_snap(mark)


async def replicate(source: aio.Ioctx, target: aio.Ioctx, name: str) -> None:
    new, old = await prepare(source, target, name)
    copied = await copy(source, target, name, new, old)
    sums: list[str] = []

    async def add(ioctx: aio.Ioctx) -> None:
        sums.append(await checksum(ioctx, name, new))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(add, source)
        nursery.start_soon(add, target)
    if sums[0] != sums[1]:
        raise SystemExit(f"{name}: the checksums at {new} differ")
    await forget(source, name, new)
    await forget(target, name, new)
    print(f"{name}: {copied} bytes copied, sha256 {sums[0][:16]}", flush=True)


async def watch(source: aio.Ioctx, target: aio.Ioctx, arguments: argparse.Namespace) -> None:
    places = trio.CapacityLimiter(AT_ONCE)

    async def one(name: str) -> None:
        async with places:
            with trio.move_on_after(arguments.at_most) as scope:
                await replicate(source, target, name)
            if scope.cancelled_caught:
                print(f"{name}: not done in time, left for later", flush=True)

    while True:
        async with trio.open_nursery() as nursery:
            for name in await aio.RBD().list(source):
                nursery.start_soon(one, name)
        if arguments.once:
            return
        await trio.sleep(arguments.every)


async def run(conf: str, arguments: argparse.Namespace) -> None:
    async def stop_by_signal(*, task_status: trio.TaskStatus[None]) -> None:
        with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
            task_status.started()
            async for _ in signals:
                print("stopping", flush=True)
                nursery.cancel_scope.cancel()

    # with op_timeout a cluster that hangs is an error, not a service that hangs
    async with aio.Rados(conffile=conf, op_timeout=60) as cluster:
        async with cluster.open_ioctx(arguments.source) as source:
            async with cluster.open_ioctx(arguments.target) as target:
                async with trio.open_nursery() as nursery:
                    await nursery.start(stop_by_signal)
                    await watch(source, target, arguments)
                    nursery.cancel_scope.cancel()
    print("stopped", flush=True)


async def make_example(conf: str, pool: str) -> None:
    """An image to try it on."""
    async with aio.Rados(conffile=conf) as cluster, cluster.open_ioctx(pool) as ioctx:
        await aio.RBD().create(ioctx, "example", 64 * MIB)
        async with aio.Image(ioctx, "example") as image, image.writer() as writer:
            for place in range(0, 64, 8):
                await writer.write(os.urandom(MIB), place * MIB)


def main() -> None:
    parser = argparse.ArgumentParser(description="Keeps a second pool in step with a first one.")
    parser.add_argument("source", nargs="?", default="source")
    parser.add_argument("target", nargs="?", default="target")
    parser.add_argument("--every", type=float, default=10, help="seconds; default: 10")
    parser.add_argument("--at-most", type=float, default=600, help="seconds for one image")
    parser.add_argument("--once", action="store_true", help="once, and that is all")
    arguments = parser.parse_args()
    with ExitStack() as stack:
        conf = os.environ.get("CEPH_CONF")
        if conf is None:
            print("no CEPH_CONF: starting a throwaway cluster", file=sys.stderr)
            conf = stack.enter_context(Cluster(pools=[arguments.source, arguments.target])).conf
            trio.run(make_example, conf, arguments.source)
        trio.run(run, conf, arguments)


if __name__ == "__main__":
    main()
