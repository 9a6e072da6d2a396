"""Copies one image into another, with a bounded number of operations in flight.

usage: python examples/parallel_copy.py POOL SOURCE TARGET [--in-flight N] [--trio]

The cluster is that of $CEPH_CONF. The target is created with the size of the source.
"""

from __future__ import annotations

import argparse
import sys

import anyio

from rbdcffi import aio


async def copy(pool: str, source: str, target: str, in_flight: int) -> None:
    async with aio.Rados(conffile="") as cluster, cluster.open_ioctx(pool) as ioctx:
        async with aio.Image(ioctx, source, read_only=True) as original:
            await aio.RBD().create(ioctx, target, await original.size())
            async with aio.Image(ioctx, target) as duplicate:
                written = await aio.copy_image(
                    original,
                    duplicate,
                    in_flight=in_flight,
                    on_progress=lambda done, total: print(
                        f"{done * 100 // max(total, 1)} %", end="\r", file=sys.stderr
                    ),
                )
    print(f"{source} -> {target}: {written} bytes of data")


def main() -> None:
    parser = argparse.ArgumentParser(description="Copy an image, many pieces at a time.")
    parser.add_argument("pool")
    parser.add_argument("source")
    parser.add_argument("target")
    parser.add_argument("--in-flight", type=int, default=16)
    parser.add_argument("--trio", action="store_true")
    arguments = parser.parse_args()
    anyio.run(
        copy,
        arguments.pool,
        arguments.source,
        arguments.target,
        arguments.in_flight,
        backend="trio" if arguments.trio else "asyncio",
    )


if __name__ == "__main__":
    main()
