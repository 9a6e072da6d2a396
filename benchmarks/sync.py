"""The synchronous core beside Ceph's own modules; run it with scripts/bench."""

from __future__ import annotations

import argparse
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from harness import (
    CORES,
    KIB,
    MIB,
    THREADS,
    Batch,
    Bench,
    Measure,
    describe,
    facts,
    size_name,
    use_cores,
)

import rbdcffi.rados
import rbdcffi.rbd
from rbdcffi.testing import Cluster

POOL = "rbd"
#: Written all over: their reads go to the OSD.
FULL, FULL_SIZE = ("full-1", "full-2"), 64 * MIB
#: Empty but for the first block: reads behind that end in the object map, within the process.
SPARSE, SPARSE_SIZE, SPARSE_FROM = ("sparse-1", "sparse-2"), 1024 * MIB, 8 * MIB
#: A little in each of many small objects.
MANY, MANY_ORDER, MANY_OBJECTS = ("many",), 16, 20480

SIZES = (4 * KIB, 64 * KIB, MIB, 4 * MIB)

#: What the project wants to reach.
CALL, MOVE = 1.5, 1.05


def prepare(ioctx: rbdcffi.rados.Ioctx, needed: set[str]) -> None:
    """Makes the images."""
    rbd = rbdcffi.rbd
    for name in needed.intersection(FULL):
        rbd.RBD().create(ioctx, name, FULL_SIZE)
        with rbd.Image(ioctx, name) as image:
            for offset in range(0, FULL_SIZE, 4 * MIB):
                image.write(os.urandom(4 * MIB), offset)
    for name in needed.intersection(SPARSE):
        rbd.RBD().create(ioctx, name, SPARSE_SIZE)
    for name in needed.intersection(MANY):
        prepare_many(ioctx, name)


def prepare_many(ioctx: rbdcffi.rados.Ioctx, name: str) -> None:
    rbd = rbdcffi.rbd
    # without an object map, which would have to be written for every object
    features = rbd.RBD_FEATURE_LAYERING | rbd.RBD_FEATURE_EXCLUSIVE_LOCK
    size = MANY_OBJECTS << MANY_ORDER
    rbd.RBD().create(ioctx, name, size, order=MANY_ORDER, features=features)
    with rbd.Image(ioctx, name) as image:

        def fill(first: int) -> None:
            for number in range(first, MANY_OBJECTS, 4):
                image.write(b"x" * 512, number << MANY_ORDER)

        threads = [threading.Thread(target=fill, args=(first,)) for first in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        image.update_features(rbd.RBD_FEATURE_OBJECT_MAP | rbd.RBD_FEATURE_FAST_DIFF, True)
        image.rebuild_object_map()


def own_lock(image: Any) -> None:
    """The owner of the lock, and nobody else, has the object map."""
    image.write(b"x" * 512, 0)
    if not image.is_exclusive_lock_owner():
        raise RuntimeError("the image is open elsewhere")


def size(image: Any, count: int) -> None:
    call = image.size
    for _ in range(count):
        call()


def stat(image: Any, count: int) -> None:
    call = image.stat
    for _ in range(count):
        call()


def read_sparse(length: int) -> Batch:
    def batch(image: Any, count: int) -> None:
        read = image.read
        for _ in range(count):
            read(SPARSE_FROM, length)

    return batch


def readinto_sparse(length: int) -> tuple[Batch, Batch]:
    buffer = bytearray(length)

    def ours(image: Any, count: int) -> None:
        readinto = image.readinto
        for _ in range(count):
            readinto(SPARSE_FROM, buffer)

    def theirs(image: Any, count: int) -> None:
        read = image.read
        for _ in range(count):
            buffer[:] = read(SPARSE_FROM, length)

    return ours, theirs


def offsets(length: int, count: int) -> Iterator[int]:
    """All over the image, as long as it takes."""
    step = max(length, FULL_SIZE // 64)
    for number in range(count):
        yield number * step % FULL_SIZE


def read_full(length: int) -> Batch:
    def batch(image: Any, count: int) -> None:
        read = image.read
        for offset in offsets(length, count):
            read(offset, length)

    return batch


def write_full(length: int) -> Batch:
    data = os.urandom(length)

    def batch(image: Any, count: int) -> None:
        write = image.write
        for offset in offsets(length, count):
            write(data, offset)

    return batch


def write_bytearray(length: int) -> tuple[Batch, Batch]:
    data = bytearray(os.urandom(length))

    def ours(image: Any, count: int) -> None:
        write = image.write
        for offset in offsets(length, count):
            write(data, offset)

    def theirs(image: Any, count: int) -> None:
        write = image.write
        for offset in offsets(length, count):
            write(bytes(data), offset)

    return ours, theirs


def diff(objects: int, whole_object: bool) -> Batch:
    def batch(image: Any, count: int) -> None:
        for _ in range(count):
            found: list[int] = []

            def take(offset: int, length: int, exists: bool, found: list[int] = found) -> None:
                found.append(offset)

            image.diff_iterate(0, objects << MANY_ORDER, None, take, True, whole_object)
            if len(found) != objects:
                raise RuntimeError(f"{len(found)} extents instead of {objects}")

    return batch


@contextmanager
def busy_thread() -> Iterator[None]:
    """Another thread that runs Python all the time; then all cores are used."""
    ended = False

    def spin() -> None:
        turns = 0
        while not ended:
            turns += 1

    use_cores(CORES)
    thread = threading.Thread(target=spin)
    thread.start()
    try:
        yield
    finally:
        ended = True
        thread.join()
        use_cores([max(CORES)])


def in_process() -> Iterator[Measure]:
    """What does not leave the process: here the binding's own cost shows."""
    yield Measure("`size()`", SPARSE, size, size, own_lock, target=CALL)
    yield Measure("`stat()`", SPARSE, stat, stat, own_lock)
    for length in (16, *SIZES):
        batch = read_sparse(length)
        name = f"`read`, sparse, {size_name(length)}"
        yield Measure(name, SPARSE, batch, batch, own_lock, target=MOVE)
    for length in SIZES:
        ours, theirs = readinto_sparse(length)
        name = f"`readinto` / `b[:] = read`, sparse, {size_name(length)}"
        yield Measure(name, SPARSE, ours, theirs, own_lock, target=MOVE)


def on_the_osd() -> Iterator[Measure]:
    """One round trip each."""
    for length in SIZES:
        batch = read_full(length)
        name = f"`read`, OSD, {size_name(length)}"
        yield Measure(name, FULL, batch, batch, own_lock, target=MOVE, seconds=0.01)
    for length in SIZES:
        batch = write_full(length)
        name = f"`write`, OSD, {size_name(length)}"
        yield Measure(name, FULL, batch, batch, own_lock, target=MOVE, seconds=0.01)
    for length in (4 * KIB, MIB, 4 * MIB):
        ours, theirs = write_bytearray(length)
        name = f"`write(bytearray)` / `write(bytes(bytearray))`, OSD, {size_name(length)}"
        yield Measure(name, FULL, ours, theirs, own_lock, target=MOVE, seconds=0.01)


def diffs() -> Iterator[Measure]:
    """Many small callbacks."""
    batch = diff(MANY_OBJECTS, True)
    name = f"`diff_iterate`, fast-diff, {MANY_OBJECTS} extents"
    yield Measure(name, MANY, batch, batch, target=MOVE, share=0.5)
    batch = diff(512, False)
    yield Measure("`diff_iterate`, exact, 512 extents", MANY, batch, batch, target=MOVE, share=0.25)
    # long ones: where the interpreter lock goes is a matter of luck, for both sides
    batch = diff(MANY_OBJECTS, True)
    name = f"`diff_iterate`, fast-diff, {MANY_OBJECTS} extents, beside a busy thread"
    yield Measure(name, MANY, batch, batch, None, busy_thread, MOVE, seconds=0.2, share=0.2)
    batch = diff(512, False)
    name = "`diff_iterate`, exact, 512 extents, beside a busy thread"
    yield Measure(name, MANY, batch, batch, None, busy_thread, MOVE, seconds=0.2, share=0.1)


def controls() -> Iterator[Measure]:
    """The standard binding against itself: what is not 1 here is noise of the method."""
    for length in (16, 4 * MIB):
        batch = read_sparse(length)
        name = f"control: `read`, sparse, {size_name(length)}"
        yield Measure(name, SPARSE, batch, batch, own_lock, control=True)
    for length in (64 * KIB, MIB):
        batch = read_full(length)
        name = f"control: `read`, OSD, {size_name(length)}"
        yield Measure(name, FULL, batch, batch, own_lock, seconds=0.01, control=True)


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="scripts/bench", description="rbdcffi beside Ceph's own Python modules."
    )
    parser.add_argument("--quick", action="store_true", help="fewer pairs: a look, not a result")
    parser.add_argument("--json", metavar="FILE", help="write all pairs there")
    parser.add_argument("--only", metavar="TEXT", help="measures whose name contains it")
    options = parser.parse_args()

    measures = [
        measure
        for measure in (*in_process(), *on_the_osd(), *diffs(), *controls())
        if options.only is None or options.only in measure.name
    ]
    if not measures:
        parser.error(f"no measure has {options.only!r} in its name")
    found = facts()
    print(describe(found), end="\n\n", flush=True)
    with Cluster(pools=[POOL], conf=THREADS) as cluster:
        use_cores([max(CORES)])
        # the cache would answer writes before the OSD has them
        bench = Bench(cluster.conf, POOL, 40 if options.quick else 200, rbd_cache="false")
        with rbdcffi.rados.Rados(conffile=cluster.conf) as client, client.open_ioctx(POOL) as ioctx:
            prepare(ioctx, {name for measure in measures for name in measure.images})
        bench.run(measures)
    found["load at the end"] = round(os.getloadavg()[0], 2)
    print(f"\nload at the end: {found['load at the end']}")
    if options.json:
        bench.write(options.json, found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
