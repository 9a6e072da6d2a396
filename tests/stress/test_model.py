"""Random operations on real images, and the same on a model in memory: both must stay equal.

Hypothesis chooses the operations: all kinds of writes and reads, sizes, snapshots, rollbacks,
clones, flattening, copies, closing and opening again. The contents of all images and snapshots are
compared by checksum at random points and at the end of each run. The same runs go through the
synchronous core and through the facade, on asyncio and trio, with both engines.

In the suite this takes about 15 s. More of it::

    export RBDCFFI_MODEL_EXAMPLES=200 RBDCFFI_MODEL_STEPS=80
    scripts/test cpython tests/stress/test_model.py

When a test fails its seed is printed: ``--hypothesis-seed=SEED``, with the same examples and
steps, repeats all that it did. The steps of the run that failed are printed, too, and a text to
repeat only those, with the test's name behind -k::

    export RBDCFFI_MODEL_REPLAY=TEXT  # of @reproduce_failure('...', b'TEXT')

With RBDCFFI_MODEL_SHRINK set a failure is also made as short as possible, which takes minutes.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import random
from dataclasses import dataclass, field
from typing import Any

import hypothesis
import hypothesis.strategies as st
import pytest
from driving import DRIVERS, Driver
from hypothesis import HealthCheck, Phase
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from rbdcffi import rbd
from rbdcffi.rbd.io import OLD_CACHE

KIB = 1 << 10
LARGEST = 1536 * KIB  # of an image
LONGEST = 192 * KIB  # of an operation
SECTOR = 512
DISKS = 3  # at a time, at most
SNAPS = ("a", "b", "c")

EXAMPLES = int(os.environ.get("RBDCFFI_MODEL_EXAMPLES", "0"))
STEPS = int(os.environ.get("RBDCFFI_MODEL_STEPS", "40"))
SHRINK = "RBDCFFI_MODEL_SHRINK" in os.environ

#: What one connection differs in from the other. Where partial discards are skipped, what they
#: leave is librbd's choice.
CACHED = {"rbd_cache": "true", "rbd_cache_writethrough_until_flush": "false"}
PLAIN = {"rbd_cache": "false", "rbd_skip_partial_discard": "false"}

DEEP_FLATTEN = rbd.RBD_FEATURE_LAYERING | rbd.RBD_FEATURE_DEEP_FLATTEN
LOCKED = DEEP_FLATTEN | rbd.RBD_FEATURE_EXCLUSIVE_LOCK
FAST_DIFF = LOCKED | rbd.RBD_FEATURE_OBJECT_MAP | rbd.RBD_FEATURE_FAST_DIFF

_names = itertools.count(1)


# -- the model ---------------------------------------------------------------------------------


@dataclass(eq=False)
class Snap:
    content: bytes
    protected: bool = False


@dataclass(eq=False)
class Disk:
    """What an image must be like, and the image."""

    name: str
    cached: bool
    order: int
    image: Any
    content: bytearray
    snaps: dict[str, Snap] = field(default_factory=dict)
    parent: tuple[Disk, str] | None = None
    #: whether the parent is certainly needed still
    whole: bool = True


def first_difference(got: bytes, wanted: bytes) -> str:
    if len(got) != len(wanted):
        return f"{len(got)} bytes instead of {len(wanted)}"
    start = next(i for i, (a, b) in enumerate(zip(got, wanted)) if a != b)
    count = sum(a != b for a, b in zip(got, wanted))
    return f"{count} bytes differ, the first at {start}: {got[start]} instead of {wanted[start]}"


def assert_same(got: bytes, wanted: bytes | bytearray, what: str) -> None:
    if hashlib.sha256(got).digest() != hashlib.sha256(wanted).digest():
        raise AssertionError(f"{what}: {first_difference(bytes(got), bytes(wanted))}")


which = st.integers(0, DISKS - 1)
offsets = st.integers(0, LARGEST - 1) | st.integers(0, LARGEST // 4096 - 1).map(lambda n: n * 4096)
lengths = st.integers(1, LONGEST) | st.sampled_from([1, SECTOR, 4096, 64 * KIB, 128 * KIB])
seeds = st.integers(0, 2**32 - 1)
sizes = st.integers(1, LARGEST) | st.sampled_from([64 * KIB, 512 * KIB, LARGEST])
names = st.sampled_from(SNAPS)


class Machine(RuleBasedStateMachine):
    """The operations. Each rule chooses one of the images."""

    driver: Driver
    #: one whose connection has a cache, and one whose connection has none
    ioctxs: dict[bool, Any]

    def __init__(self) -> None:
        super().__init__()
        self.disks: list[Disk] = []

    # -- helpers

    def do(self, function: Any, *args: Any, **options: Any) -> Any:
        return self.driver.do(function, *args, **options)

    def disk(self, number: int) -> Disk:
        return self.disks[number % len(self.disks)]

    def range(self, disk: Disk, offset: int, length: int) -> tuple[int, int]:
        """The nearest range within the image, which is not empty."""
        offset %= len(disk.content)
        return offset, min(length, len(disk.content) - offset)

    def data(self, seed: int, length: int) -> bytes:
        return random.Random(seed).getrandbits(8 * length).to_bytes(length, "little")

    def check(self, disk: Disk) -> None:
        assert self.do(disk.image.size) == len(disk.content)
        if disk.content:
            got = self.do(disk.image.read, 0, len(disk.content))
            assert_same(got, disk.content, disk.name)

    def check_snap(self, disk: Disk, name: str, image: Any) -> None:
        wanted = disk.snaps[name].content
        self.do(image.set_snap, name)
        assert self.do(image.size) == len(wanted)
        if wanted:
            assert_same(
                self.do(image.read, 0, len(wanted)), wanted, f"{disk.name}@{name} of {disk.name}"
            )

    def check_all(self, disk: Disk, name: str | None = None) -> None:
        """All contents, as another handle sees them."""
        name = name or disk.name
        image = self.driver.open(self.ioctxs[disk.cached], name, read_only=True)
        try:
            self.check(Disk(name, disk.cached, disk.order, image, disk.content))
            for snap in disk.snaps:
                self.check_snap(disk, snap, image)
        finally:
            self.do(image.close)

    def remove(self, disk: Disk) -> None:
        for name, snap in disk.snaps.items():
            if snap.protected:
                self.do(disk.image.unprotect_snap, name)
            self.do(disk.image.remove_snap, name)
        self.do(disk.image.close)
        self.do(self.driver.rbd.remove, self.ioctxs[disk.cached], disk.name)

    def children(self, disk: Disk, name: str) -> list[Disk]:
        return [other for other in self.disks if other.parent == (disk, name)]

    # -- the beginning and the end

    @initialize(
        cached=st.booleans(),
        order=st.integers(13, 18),
        features=st.sampled_from([DEEP_FLATTEN, LOCKED, FAST_DIFF]),
        striped=st.booleans(),
        size=sizes,
    )
    def create(self, cached: bool, order: int, features: int, striped: bool, size: int) -> None:
        name = f"model-{next(_names)}"
        stripes = {"stripe_unit": 1 << (order - 1), "stripe_count": 3} if striped else {}
        if striped:
            features |= rbd.RBD_FEATURE_STRIPINGV2
        ioctx = self.ioctxs[cached]
        self.do(
            self.driver.rbd.create, ioctx, name, size, order, False, features=features, **stripes
        )
        image = self.driver.open(self.ioctxs[cached], name)
        self.disks.append(Disk(name, cached, order, image, bytearray(size)))

    def teardown(self) -> None:
        try:
            for disk in self.disks:
                self.check(disk)
                self.do(disk.image.flush)
                self.check_all(disk)
        finally:
            for disk in reversed(self.disks):
                self.remove(disk)

    @invariant()
    def the_sizes_are_equal(self) -> None:
        for disk in self.disks:
            assert self.do(disk.image.size) == len(disk.content)

    # -- writing

    @rule(number=which, offset=offsets, length=lengths, seed=seeds, kind=st.integers(0, 3))
    def write(self, number: int, offset: int, length: int, seed: int, kind: int) -> None:
        disk = self.disk(number)
        if not disk.content:
            return
        offset, length = self.range(disk, offset, length)
        data = self.data(seed, length)
        if kind == 0:
            assert self.do(disk.image.write, bytearray(data), offset) == length
        elif kind == 1:
            parts = [data[: length // 3], data[length // 3 :]]
            assert self.do(disk.image.writev, parts, offset) == length
        else:
            assert self.do(disk.image.write, data, offset) == length
        disk.content[offset : offset + length] = data

    @rule(number=which, length=lengths, over=st.integers(1, 4096), seed=seeds)
    def write_over_the_end(self, number: int, length: int, over: int, seed: int) -> None:
        disk = self.disk(number)
        if not disk.content:
            return
        length = min(length, len(disk.content))
        offset = len(disk.content) - length
        data = self.data(seed, length + over)
        with pytest.raises(rbd.IncompleteWriteError, match=f"only {length} bytes"):
            self.do(disk.image.write, data, offset)
        disk.content[offset:] = data[:length]

    @rule(number=which, seed=seeds, count=st.integers(2, 24))
    def write_many(self, number: int, seed: int, count: int) -> None:
        """Side by side; they do not overlap."""
        disk = self.disk(number)
        if not disk.content:
            return
        chance = random.Random(seed)
        cuts = sorted({chance.randrange(len(disk.content)) for _ in range(2 * count)})
        writes = [
            (self.data(seed + start, min(end - start, 32 * KIB)), start)
            for start, end in zip(cuts[::2], cuts[1::2])
        ]
        self.driver.many(disk.image, writes)
        for data, start in writes:
            disk.content[start : start + len(data)] = data

    @rule(number=which, offset=offsets, length=lengths)
    def write_zeroes(self, number: int, offset: int, length: int) -> None:
        disk = self.disk(number)
        if not disk.content:
            return
        offset, length = self.range(disk, offset, length)
        self.do(disk.image.write_zeroes, offset, length)
        disk.content[offset : offset + length] = bytes(length)

    @rule(number=which, offset=offsets, length=lengths)
    def discard(self, number: int, offset: int, length: int) -> None:
        disk = self.disk(number)
        if not disk.content:
            return
        offset, length = self.range(disk, offset, length)
        self.do(disk.image.discard, offset, length)
        before = bytes(disk.content[offset : offset + length])
        if not disk.cached:
            after = bytes(length)
        else:
            # parts that are smaller than the granularity are left as they are
            after = self.do(disk.image.read, offset, length)
            assert len(after) == length
            assert all(a in (0, b) for a, b in zip(after, before))
        disk.content[offset : offset + length] = after

    @rule(
        number=which,
        offset=offsets,
        unit=st.sampled_from([1, 512, 513, 4096]),
        repeats=st.integers(1, 100),
        seed=seeds,
        zeroes=st.booleans(),
    )
    def writesame(
        self, number: int, offset: int, unit: int, repeats: int, seed: int, zeroes: bool
    ) -> None:
        disk = self.disk(number)
        if not disk.content:
            return
        offset, length = self.range(disk, offset, unit * repeats)
        length -= length % unit
        if not length:
            return
        data = bytes(unit) if zeroes else self.data(seed, unit)
        assert self.do(disk.image.writesame, data, offset, length) == length
        disk.content[offset : offset + length] = data * (length // unit)

    # Ceph 14 compares behind the back of its cache: other I/O may hang then
    @precondition(lambda self: not OLD_CACHE)
    @rule(
        number=which,
        offset=offsets,
        length=st.integers(1, SECTOR),
        seed=seeds,
        wrong=st.none() | st.integers(0, SECTOR - 1),
    )
    def compare_and_write(
        self, number: int, offset: int, length: int, seed: int, wrong: int | None
    ) -> None:
        disk = self.disk(number)
        if not disk.content:
            return
        offset, length = self.range(disk, offset, length)
        length = min(length, SECTOR - offset % SECTOR)
        expected = bytearray(disk.content[offset : offset + length])
        data = self.data(seed, length)
        if wrong is not None:
            wrong %= length
            expected[wrong] ^= 0xFF
        result = self.do(disk.image.compare_and_write, offset, bytes(expected), data)
        assert result == wrong
        if wrong is None:
            disk.content[offset : offset + length] = data

    @rule(number=which)
    def flush(self, number: int) -> None:
        self.do(self.disk(number).image.flush)

    # -- reading

    @rule(number=which, offset=offsets, length=lengths, kind=st.integers(0, 3))
    def read(self, number: int, offset: int, length: int, kind: int) -> None:
        disk = self.disk(number)
        if not disk.content:
            return
        offset %= len(disk.content)
        wanted = bytes(disk.content[offset : offset + length])  # ends where the image ends
        if kind == 0:
            got = self.do(disk.image.read, offset, length)
        elif kind == 1:
            buffer = bytearray(length)
            got = bytes(buffer[: self.do(disk.image.readinto, offset, buffer)])
        elif kind == 2:
            parts = [bytearray(length // 2), bytearray(length - length // 2)]
            count = self.do(disk.image.readv, parts, offset)
            got = b"".join(parts)[:count]
        else:
            pieces: list[tuple[int, bytes]] = []
            self.do(disk.image.read_iterate, offset, length, lambda *piece: pieces.append(piece))
            got = b"".join(data for _, data in pieces)
            ends = [start + len(data) for start, data in pieces]
            assert [start for start, _ in pieces] == [offset, *ends[:-1]]
        assert_same(got, wanted, f"{disk.name} from {offset}")

    @rule(number=which)
    def verify(self, number: int) -> None:
        self.check(self.disk(number))

    @rule(number=which)
    def verify_by_another_handle(self, number: int) -> None:
        disk = self.disk(number)
        self.do(disk.image.flush)
        self.check_all(disk)

    @rule(
        number=which,
        since=st.none() | names,
        until=st.none() | names,
        whole_object=st.booleans(),
        by_callback=st.booleans(),
    )
    def diff(
        self,
        number: int,
        since: str | None,
        until: str | None,
        whole_object: bool,
        by_callback: bool,
    ) -> None:
        """All that differs is in the extents, and what does not exist is zero."""
        disk = self.disk(number)
        if OLD_CACHE:  # the quick diff of Ceph 14 may miss objects
            whole_object = False
        order = list(disk.snaps)
        since = since if since in order else None
        until = until if until in order else None
        if since and until and order.index(since) >= order.index(until):
            return
        image = disk.image
        now = bytes(disk.content) if until is None else disk.snaps[until].content
        before = b"" if since is None else disk.snaps[since].content
        if until is not None:
            self.do(image.set_snap, until)
        else:
            self.do(image.flush)
        found: list[tuple[int, int, bool]] = []
        arguments = (0, len(now), since)
        if not now:
            pass
        elif by_callback:
            self.do(
                image.diff_iterate,
                *arguments,
                lambda *extent: found.append(extent),
                whole_object=whole_object,
            )
        else:
            found = self.driver.extents(image, *arguments, whole_object=whole_object)
        if until is not None:
            self.do(image.set_snap, None)

        rest = bytearray(before[: len(now)].ljust(len(now), b"\0"))
        for start, length, exists in found:
            assert 0 <= start < start + length <= len(now), (start, length, len(now))
            part = now[start : start + length]
            assert exists or not any(part), (start, length, part.strip(b"\0")[:16])
            rest[start : start + length] = part
        assert_same(bytes(rest), now, f"{disk.name} by {since} and its diff to {until}")

    # -- the image

    @rule(number=which, size=sizes)
    def resize(self, number: int, size: int) -> None:
        disk = self.disk(number)
        if size < len(disk.content):
            with pytest.raises(rbd.InvalidArgument):
                self.do(disk.image.resize, size, False)
            disk.whole = False
        self.do(disk.image.resize, size)
        disk.content = disk.content[:size].ljust(size, b"\0")

    @rule(number=which)
    def sparsify(self, number: int) -> None:
        disk = self.disk(number)
        self.do(disk.image.sparsify, min(4096, 1 << disk.order))

    @rule(number=which)
    def reopen(self, number: int) -> None:
        """What was written is there, flushed or not."""
        disk = self.disk(number)
        self.do(disk.image.close)
        disk.image = self.driver.open(self.ioctxs[disk.cached], disk.name)
        self.check(disk)

    @rule(number=which, deep=st.booleans(), order=st.none() | st.integers(13, 18))
    def copy(self, number: int, deep: bool, order: int | None) -> None:
        disk = self.disk(number)
        name = f"model-{next(_names)}"
        ioctx = self.ioctxs[disk.cached]
        if OLD_CACHE:  # Ceph 14 copies what its cache has written back
            self.do(disk.image.flush)
        copied = Disk(name, disk.cached, disk.order, None, disk.content)
        if deep:
            self.do(disk.image.deep_copy, ioctx, name)
            copied.snaps = {n: Snap(s.content) for n, s in disk.snaps.items()}
        else:
            # without a stripe unit it is the image's, which may be larger than the new objects
            stripes = {} if order is None else {"stripe_unit": 1 << order, "stripe_count": 1}
            source = disk.image
            if disk.parent is not None:
                # librbd 16 loses what is the parent's, unless it was opened read-only
                self.do(source.flush)
                source = self.driver.open(ioctx, disk.name, read_only=True)
            self.do(source.copy, ioctx, name, order=order, **stripes)
            if source is not disk.image:
                self.do(source.close)
        self.check_all(copied)
        copied.image = self.driver.open(self.ioctxs[disk.cached], name)
        for snap, state in copied.snaps.items():
            state.protected = self.do(copied.image.is_protected_snap, snap)
        self.remove(copied)

    # -- snapshots

    @rule(number=which, name=names)
    def create_snap(self, number: int, name: str) -> None:
        disk = self.disk(number)
        if name in disk.snaps:
            with pytest.raises(rbd.ImageExists):
                self.do(disk.image.create_snap, name)
        else:
            self.do(disk.image.create_snap, name)
            disk.snaps[name] = Snap(bytes(disk.content))

    @rule(number=which, name=names)
    def remove_snap(self, number: int, name: str) -> None:
        disk = self.disk(number)
        snap = disk.snaps.get(name)
        if snap is None:
            with pytest.raises(rbd.ImageNotFound):
                self.do(disk.image.remove_snap, name)
        elif snap.protected:
            with pytest.raises(rbd.ImageBusy):
                self.do(disk.image.remove_snap, name)
        else:
            self.do(disk.image.remove_snap, name)
            del disk.snaps[name]

    @rule(number=which, name=names)
    def rollback(self, number: int, name: str) -> None:
        disk = self.disk(number)
        if name in disk.snaps:
            self.do(disk.image.rollback_to_snap, name)
            disk.content = bytearray(disk.snaps[name].content)
            disk.whole = False

    @rule(number=which, name=names)
    def read_snap(self, number: int, name: str) -> None:
        """On the handle that writes."""
        disk = self.disk(number)
        if name in disk.snaps:
            try:
                self.check_snap(disk, name, disk.image)
                if disk.snaps[name].content:
                    with pytest.raises(rbd.ReadOnlyImage):
                        self.do(disk.image.write, b"x", 0)
            finally:
                self.do(disk.image.set_snap, None)

    @rule(number=which, name=names)
    def unprotect_snap(self, number: int, name: str) -> None:
        disk = self.disk(number)
        snap = disk.snaps.get(name)
        if snap is None or not snap.protected:
            return
        children = self.children(disk, name)
        if not children:
            self.do(disk.image.unprotect_snap, name)
            snap.protected = False
        elif any(child.whole for child in children):
            with pytest.raises(rbd.ImageBusy):
                self.do(disk.image.unprotect_snap, name)
        assert self.do(disk.image.is_protected_snap, name) == snap.protected

    # -- clones

    @precondition(lambda self: len(self.disks) < DISKS)
    @rule(number=which, name=names, features=st.sampled_from([DEEP_FLATTEN, LOCKED, FAST_DIFF]))
    def clone(self, number: int, name: str, features: int) -> None:
        disk = self.disk(number)
        snap = disk.snaps.get(name)
        if snap is None or not snap.content:
            return
        if not snap.protected:
            self.do(disk.image.protect_snap, name)
            snap.protected = True
        child = f"model-{next(_names)}"
        ioctx = self.ioctxs[disk.cached]
        self.do(
            self.driver.rbd.clone,
            *(ioctx, disk.name, name, ioctx, child),
            features=features,
            clone_format=1,
        )
        image = self.driver.open(self.ioctxs[disk.cached], child)
        order = disk.order
        content = bytearray(snap.content)
        self.disks.append(Disk(child, disk.cached, order, image, content, parent=(disk, name)))
        self.check(self.disks[-1])

    @rule(number=which)
    def flatten(self, number: int) -> None:
        disk = self.disk(number)
        if disk.parent is None:
            with pytest.raises(rbd.InvalidArgument):
                self.do(disk.image.flatten)
        else:
            try:
                self.do(disk.image.flatten)
            except rbd.InvalidArgument:
                assert not disk.whole  # it was shrunk to nothing of the parent's
            disk.parent = None
        self.check(disk)

    @precondition(lambda self: len(self.disks) > 1)
    @rule(number=which)
    def remove_disk(self, number: int) -> None:
        disk = self.disk(number)
        if not any(self.children(disk, name) for name in disk.snaps):
            self.check(disk)
            self.disks.remove(disk)
            self.remove(disk)


#: how many examples the suite has for each
USUAL = {
    "sync": 6,
    "asyncio-threads": 3,
    "asyncio-completions": 4,
    "trio-threads": 3,
    "trio-completions": 4,
}


@pytest.mark.parametrize("name", USUAL)
def test_random_operations(
    name: str, request: pytest.FixtureRequest, ceph_conf: str, ceph_shared_pool: str
) -> None:
    with DRIVERS[name]() as driver:
        ioctxs = {
            cached: driver.pool(driver.connect(conffile=ceph_conf, conf=conf), ceph_shared_pool)
            for cached, conf in ((True, CACHED), (False, PLAIN))
        }
        machine = type("Model", (Machine,), {"driver": driver, "ioctxs": ioctxs})
        run(machine, EXAMPLES or USUAL[name], request)


def run(machine: type[Machine], examples: int, request: pytest.FixtureRequest) -> None:
    phases = [Phase.generate]
    if blob := os.environ.get("RBDCFFI_MODEL_REPLAY"):
        hypothesis.reproduce_failure(hypothesis.__version__, blob)(machine)
        phases = [Phase.reuse]
    elif request.config.getoption("--hypothesis-seed", None) is None:
        seed = random.SystemRandom().randrange(1 << 32)
        hypothesis.seed(seed)(machine)
        print(f"repeat all of this with --hypothesis-seed={seed}")
    if SHRINK:
        phases.append(Phase.shrink)
    run_state_machine_as_test(
        machine,
        settings=hypothesis.settings(
            max_examples=examples,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            phases=phases,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
