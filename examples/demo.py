"""Backup and restore of a block image with snapshots and diffs: rbdcffi's main job, on one page.

It makes an image, takes a snapshot, goes on writing, and asks Ceph what changed. From those diffs
it builds a second image, and compares both byte for byte. On the way a clone of the first snapshot
becomes an image of its own. Everything that it makes, it removes again.

The calls are those of Ceph's own Python modules, except for what these lack: diff() as an iterator,
readinto() and write() with a buffer of one's own, op_timeout.

usage: demo.py [--conf FILE] [--id NAME] [--pool NAME] [--size MIB]
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import sys
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import NoReturn

from rbdcffi import rados, rbd

KIB, MIB = 1 << 10, 1 << 20
#: Objects of 1 MiB; the cluster's default is 4 MiB.
ORDER = 20
#: How much is read, compared or copied at once.
CHUNK = 4 * MIB
#: discard() leaves alone what does not fill a block of this size. This is the least that Ceph
#: allows; by default it is 64 KiB.
BLOCK = 4 * KIB
DISCARD_EXACTLY = {"rbd_discard_granularity_bytes": str(BLOCK)}

# What is done to the image, as (start, end) in 256ths of its size.
MONDAY_WRITES = ((0, 40), (52, 60), (72, 122), (150, 180), (200, 202))
TUESDAY_WRITES = ((10, 14), (24, 25), (60, 72), (84, 92), (176, 188), (228, 234))
TUESDAY_DISCARDS = ((32, 38), (108, 120), (200, 202))


# -- the job -------------------------------------------------------------------------------------


def demo(ioctx: rados.Ioctx, size: int, screen: Screen, cleanup: ExitStack) -> list[str]:
    """Does it all in the pool of `ioctx`; returns what has been proved."""
    mark = uuid.uuid4().hex[:6]  # other people may use the pool, too
    original, clone, restored = (f"{name}-{mark}" for name in ("original", "clone", "restored"))
    noise = random.Random(1)
    unit = size // 256

    screen.section(1, f"Create {original}, {human(size)}, and write to it")
    cleanup.callback(remove, ioctx, original, screen)
    rbd.RBD().create(ioctx, original, size, order=ORDER)
    with rbd.Image(ioctx, original) as image:
        write(image, MONDAY_WRITES, unit, noise, screen)

        screen.section(2, "Snapshot 'monday', protected, so that clones can rely on it")
        image.create_snap("monday")
        image.protect_snap("monday")

        screen.section(3, "Write again, discard something, snapshot 'tuesday'")
        write(image, TUESDAY_WRITES, unit, noise, screen)
        for start, end in TUESDAY_DISCARDS:
            image.discard(start * unit, (end - start) * unit)
        screen.line(f"discarded {human(total(TUESDAY_DISCARDS) * unit)}")
        image.create_snap("tuesday")

    screen.section(4, "Diff: what Ceph says is there, and what has changed")
    with rbd.Image(ioctx, original, snapshot="monday", read_only=True) as monday:
        full = list(monday.diff(0, size, None))
    with rbd.Image(ioctx, original, snapshot="tuesday", read_only=True) as tuesday:
        changes = list(tuesday.diff(0, size, "monday"))
    screen.map(size, full, changes)
    written = sum(extent.length for extent in changes if extent.exists)
    dropped = sum(extent.length for extent in changes if not extent.exists)
    data = sum(extent.length for extent in full)
    screen.line(f"until monday:      {human(data)} of data in {len(full)} extents")
    screen.line(f"monday to tuesday: {human(written)} written, {human(dropped)} discarded")

    screen.section(5, f"Clone monday as {clone}, write to it, and cut it loose (flatten)")
    cleanup.callback(remove, ioctx, clone, screen)
    rbd.RBD().clone(ioctx, original, "monday", ioctx, clone)
    with rbd.Image(ioctx, clone) as image:
        screen.line("its parent is {}/{}@{}".format(*image.parent_info()))
        note = b"only in the clone"
        image.write(note, size - len(note))
        with screen.bar("flatten") as bar:
            image.flatten(on_progress=bar)
        with rbd.Image(ioctx, original, snapshot="monday", read_only=True) as monday:
            same_until = compare(image, monday, size, screen, "compare clone, monday")
            expect(same_until == size - len(note), "the clone differs from monday elsewhere")
        expect(image.overlap() == 0, "the clone still has a parent")

    screen.section(6, f"Restore: build {restored} from the diffs alone")
    cleanup.callback(remove, ioctx, restored, screen)
    rbd.RBD().create(ioctx, restored, size, order=ORDER)
    with rbd.Image(ioctx, restored) as copy:
        with rbd.Image(ioctx, original, snapshot="monday", read_only=True) as monday:
            apply(monday, copy, full, screen, "apply the full diff")
            differs = compare(copy, monday, size, screen, "compare with monday")
            expect(differs is None, f"the copy differs from monday at byte {differs}")
        with rbd.Image(ioctx, original, snapshot="tuesday", read_only=True) as tuesday:
            # this comparison must fail: else it could not tell, and the next one means nothing
            before = compare(copy, tuesday, size, screen, "compare with tuesday")
            expect(before is not None, "the copy equals tuesday without tuesday's changes")
            screen.line(f"differs from byte {before} on, as it must: changes are missing")
            apply(tuesday, copy, changes, screen, "apply the increment")
            differs = compare(copy, tuesday, size, screen, "compare with tuesday")
            expect(differs is None, f"the copy differs from tuesday at byte {differs}")

    return [
        f"two diffs rebuilt an image of {human(size)}, byte for byte",
        f"the second one moved {human(written)}, not the {human(size)} of a full copy",
        "the clone kept monday's content, and its own, without its parent",
    ]


def write(
    image: rbd.Image,
    ranges: Iterable[tuple[int, int]],
    unit: int,
    noise: random.Random,
    screen: Screen,
) -> None:
    """Fills the ranges with data that does not repeat."""
    ranges = list(ranges)
    with screen.bar("write", total(ranges) * unit) as bar:
        for start, end in ranges:
            for offset, length in chunks(start * unit, (end - start) * unit):
                image.write(noise.getrandbits(8 * length).to_bytes(length, "little"), offset)
                bar.advance(length)
        image.flush()


def apply(
    source: rbd.Image,
    target: rbd.Image,
    extents: Iterable[rbd.Extent],
    screen: Screen,
    label: str,
) -> None:
    """Does to `target` what a diff says was done to `source`: this is an incremental backup."""
    extents = list(extents)
    buffer = memoryview(bytearray(CHUNK))  # one for all reads
    with screen.bar(label, sum(extent.length for extent in extents)) as bar:
        for extent in extents:
            for offset, length in chunks(extent.offset, extent.length):
                if extent.exists or offset % BLOCK or length % BLOCK:
                    source.readinto(offset, buffer[:length])
                    target.write(buffer[:length], offset)
                else:
                    target.discard(offset, length)
                bar.advance(length)
        target.flush()


def compare(one: rbd.Image, other: rbd.Image, size: int, screen: Screen, label: str) -> int | None:
    """Reads both images; the first byte where they differ, None if they are equal."""
    expect(one.size() == other.size() == size, "the images differ in size")
    with screen.bar(label, size) as bar:
        for offset, length in chunks(0, size):
            mine, theirs = one.read(offset, length), other.read(offset, length)
            if mine != theirs:
                return offset + first_difference(mine, theirs)
            bar.advance(length)
    return None


def first_difference(mine: bytes, theirs: bytes) -> int:
    """Where two unequal byte strings of one length begin to differ."""
    low, high = 0, len(mine)
    while high - low > 1:
        middle = (low + high) // 2
        if mine[low:middle] == theirs[low:middle]:
            low = middle
        else:
            high = middle
    return low


def chunks(offset: int, length: int) -> Iterator[tuple[int, int]]:
    end = offset + length
    while offset < end:
        step = min(CHUNK, end - offset)
        yield offset, step
        offset += step


def total(ranges: Iterable[tuple[int, int]]) -> int:
    return sum(end - start for start, end in ranges)


class DemoError(Exception):
    """What the demo tells its user instead of a traceback."""


def expect(condition: bool, otherwise: str) -> None:
    """An assert that python -O keeps."""
    if not condition:
        raise DemoError(f"NOT PROVED: {otherwise}")


# -- tidying up ----------------------------------------------------------------------------------


def remove(ioctx: rados.Ioctx, name: str, screen: Screen) -> None:
    """Removes an image with its snapshots; it may not have come into being."""
    if name not in rbd.RBD().list(ioctx):
        return
    with rbd.Image(ioctx, name) as image:
        for snap in image.list_snaps():
            if image.is_protected_snap(snap["name"]):
                image.unprotect_snap(snap["name"])
            image.remove_snap(snap["name"])
    for attempt in range(50):
        try:
            with screen.bar(f"remove {name}") as bar:
                rbd.RBD().remove(ioctx, name, on_progress=bar)
            return
        except rbd.ImageBusy:
            # Ctrl-C may have left an open() behind that is closed in the background
            if attempt == 49:
                raise
            time.sleep(0.1)


def make_pool(cluster: rados.Rados, screen: Screen, cleanup: ExitStack) -> str:
    """A pool of our own, removed in the end."""
    pool = f"rbdcffi-demo-{uuid.uuid4().hex[:6]}"
    cleanup.callback(remove_pool, cluster, pool, screen)
    try:
        cluster.create_pool(pool)
    except rados.Error as error:
        cleanup.pop_all()  # there is nothing to remove
        raise DemoError(
            f"The cluster refuses to create a pool ({reason(error)}).\n"
            "Give the name of one that the demo may use: --pool NAME"
        ) from None
    # without it `ceph status` warns of a pool without an application
    command = {"prefix": "osd pool application enable", "pool": pool, "app": "rbd"}
    result, _, message = cluster.mon_command(json.dumps(command), b"")
    if result < 0:
        screen.line(f"(the pool has no application: {message})")
    screen.line(f"pool {pool} created; it goes in the end")
    return pool


def remove_pool(cluster: rados.Rados, pool: str, screen: Screen) -> None:
    if not cluster.pool_exists(pool):
        return
    try:
        cluster.delete_pool(pool)
    except rados.Error as error:
        screen.left.append(
            f"The cluster refuses to remove the pool {pool} ({reason(error)}).\n"
            "To remove it by hand, allow that (mon_allow_pool_delete), then:\n"
            f"  ceph osd pool rm {pool} {pool} --yes-i-really-really-mean-it"
        )
        return
    screen.line(f"pool {pool} removed")


# -- what the user sees --------------------------------------------------------------------------


class Screen:
    """Output: bars, colour and blocks on a terminal that has them, plain lines elsewhere."""

    def __init__(self) -> None:
        self.terminal = sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
        self.colour = self.terminal and "NO_COLOR" not in os.environ
        try:
            "█▒░".encode(sys.stdout.encoding or "ascii")
            self.blocks = True
        except UnicodeEncodeError:
            self.blocks = False
        #: what could not be removed
        self.left: list[str] = []
        self.width = min(80, shutil.get_terminal_size((80, 24)).columns)

    def paint(self, text: str, code: str) -> str:
        return f"\033[{code}m{text}\033[0m" if self.colour and text else text

    def section(self, number: int, title: str) -> None:
        print(f"\n{self.paint(f'{number}. {title}', '1')}", flush=True)

    def line(self, text: str) -> None:
        print(f"  {text}", flush=True)

    def bar(self, label: str, size: int | None = None) -> Bar:
        return Bar(self, label, size)

    def map(self, size: int, full: Iterable[rbd.Extent], changes: Iterable[rbd.Extent]) -> None:
        """A picture of the image, one cell for so many bytes."""
        row = 64 if self.width >= 76 else 32
        cell = max(KIB, -(-size // (4 * 64)))
        count = -(-size // cell)
        look = {
            "none": (".", ".", "2"),
            "data": ("#", "█", "34"),
            "gone": ("-", "░", "31"),
            "new": ("+", "▒", "32"),
        }
        kinds = ["none"] * count
        changes = list(changes)
        # what is painted later wins: a cell with any change shows it
        layers = (
            ("data", full),
            ("gone", (extent for extent in changes if not extent.exists)),
            ("new", (extent for extent in changes if extent.exists)),
        )
        for kind, extents in layers:
            for extent in extents:
                first, last = extent.offset // cell, (extent.offset + extent.length - 1) // cell
                kinds[first : last + 1] = [kind] * (last + 1 - first)

        def drawn(kind: str, times: int = 1) -> str:
            plain, block, code = look[kind]
            return self.paint((block if self.blocks else plain) * times, code)

        for start in range(0, count, row):
            cells = kinds[start : start + row]
            print(f"  {human(start * cell):>9} ", end="")
            print("".join(drawn(kind) for kind in cells))
        meanings = ("none", "never written"), ("data", "as on monday"), ("new", "written since")
        legend = [
            f"{drawn(kind)} {text}" for kind, text in (*meanings, ("gone", "discarded since"))
        ]
        half = 2 if self.width < 76 else 4
        for start in range(0, 4, half):
            print(" " * 12 + "  ".join(legend[start : start + half]))
        print(f"{' ' * 12}(a cell is {human(cell)})", flush=True)


class Bar:
    """Progress of one long step; can be given to rbdcffi as on_progress.

    On a terminal it is redrawn ten times a second. What stays, there and in a pipe, is one line
    with the time it took.
    """

    def __init__(self, screen: Screen, label: str, size: int | None) -> None:
        self._screen = screen
        self._label = label
        self._size = size
        self._done = 0
        self._begun = time.monotonic()
        self._drawn = 0.0

    def __enter__(self) -> Bar:
        self._draw(0, self._size or 1)
        return self

    def __call__(self, done: int, total: int) -> None:
        if self._screen.terminal and time.monotonic() - self._drawn > 0.1:
            self._draw(done, total)

    def advance(self, amount: int) -> None:
        self._done += amount
        self(self._done, self._size or 1)

    def _draw(self, done: int, total: int) -> None:
        if not self._screen.terminal:
            return
        self._drawn = time.monotonic()
        room = max(4, self._screen.width - 35)
        filled = room * min(done, total) // max(1, total)
        on, off = ("█", "░") if self._screen.blocks else ("#", "-")
        picture = self._screen.paint(on * filled, "36") + self._screen.paint(
            off * (room - filled), "2"
        )
        percent = 100 * min(done, total) // max(1, total)
        print(f"\r  {self._label:<24.24} {picture} {percent:3}%", end="", flush=True)

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        seconds = time.monotonic() - self._begun
        text = f"  {self._label:<24} "
        if kind is not None:
            text += "not finished"
        elif self._done:
            rate = f"{self._done / MIB / max(seconds, 1e-6):.0f} MiB/s"
            text += f"{human(self._done):>9} {seconds:7.2f} s {rate:>12}"
        else:
            text += f"{'':>9} {seconds:7.2f} s"
        # \033[K: the rest of the bar that stood here
        print(f"\r\033[K{text}" if self._screen.terminal else text, flush=True)


def human(size: int) -> str:
    """12345678 as 11.8 MiB."""
    for unit, name in ((MIB, "MiB"), (KIB, "KiB")):
        if size >= unit or (name == "MiB" and size == 0):
            return f"{size / unit:.1f}".replace(".0", "") + f" {name}"
    return f"{size} bytes"


def reason(error: BaseException) -> str:
    return getattr(error, "strerror", None) or str(error)


# -- from the command line -----------------------------------------------------------------------


@contextmanager
def tidying_up(screen: Screen) -> Iterator[ExitStack]:
    """A stack whose callbacks run in the end, whatever the end is."""
    with ExitStack() as cleanup:
        try:
            yield cleanup
        finally:
            # Ctrl-C does not end the tidying up: it is short, and what it leaves would stay
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)
            screen.section(7, "Remove everything that was created")
            cleanup.close()


def stop(number: int, frame: object) -> NoReturn:
    raise SystemExit(128 + number)


def run(options: argparse.Namespace, screen: Screen) -> None:
    size = options.size * MIB
    proved: list[str] = []
    begun = time.monotonic()
    conf = options.conf or os.environ.get("CEPH_CONF", "")
    try:
        connection = rados.Rados(
            rados_id=options.id, conffile=conf, conf=DISCARD_EXACTLY, op_timeout=30
        )
    except rados.ObjectNotFound:
        raise DemoError(
            f"There is no {conf or 'ceph.conf in the usual places'}.\n"
            "Which cluster is meant? Set CEPH_CONF, or give --conf FILE."
        ) from None
    with connection as cluster, tidying_up(screen) as cleanup:
        library = ".".join(map(str, rbd.RBD().version()))
        python = f"{sys.implementation.name} {sys.version.split()[0]}"
        screen.line(f"connected to cluster {cluster.get_fsid()}")
        screen.line(f"librbd {library}, {python}")
        pool = options.pool or make_pool(cluster, screen, cleanup)
        ioctx = cleanup.enter_context(cluster.open_ioctx(pool))
        proved = demo(ioctx, size, screen, cleanup)
    print(f"\n{screen.paint('Proved', '1;32')} in {time.monotonic() - begun:.1f} s:")
    for fact in proved:
        screen.line(f"- {fact}")
    if not screen.left:
        screen.line("- nothing that was created is left on the cluster")


def main() -> int:
    parser = argparse.ArgumentParser(description="Backup and restore with rbdcffi.")
    parser.add_argument(
        "--conf", metavar="FILE", help="ceph.conf (default: $CEPH_CONF and the usual places)"
    )
    parser.add_argument("--id", metavar="NAME", help="connect as client.NAME (default: admin)")
    parser.add_argument("--pool", metavar="NAME", help="use this pool (default: create one)")
    parser.add_argument("--size", type=int, default=256, metavar="MIB", help="of the image (256)")
    options = parser.parse_args()
    if options.size < 1:
        parser.error("--size: at least 1")
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    screen = Screen()
    status = 0
    try:
        run(options, screen)
    except KeyboardInterrupt:
        print("\nInterrupted.", file=sys.stderr)
        status = 130
    except (DemoError, rados.Error, rbd.Error) as error:
        print(f"\n{error}", file=sys.stderr)
        status = 1
    for text in screen.left:
        print(f"\n{text}", file=sys.stderr)
    return status or (1 if screen.left else 0)


if __name__ == "__main__":
    sys.exit(main())
