"""The trash."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from .harness import MIB, Recorder, masked, scenario

#: What of an entry is not the same for each call.
shown = masked("id")


def listed(r: Recorder) -> Any:
    """The entries of the scenario."""
    return [shown(e) for e in r.RBD.trash_list(r.ioctx) if e["name"].startswith(r.scenario)]


def throw_away(r: Recorder, suffix: str = "a", delay: int = 0) -> str:
    name = r.create(suffix, size=MIB)
    with r.rbd.Image(r.ioctx, name) as image:
        image_id: str = image.id()
    r.RBD.trash_move(r.ioctx, name, delay)
    return image_id


@scenario
def trash_move(r: Recorder) -> None:
    name = r.create()
    r.do(r.RBD, "trash_move", r.ioctx, name)
    r.attempt("listed", lambda: listed(r))
    r.do(r.RBD, "trash_move", r.ioctx, name)
    for wrong in ("", None, 5, r.name("none"), r.name("none").encode()):
        r.do(r.RBD, "trash_move", r.ioctx, wrong)
    for suffix, delay in (("b", 100), ("c", 0), ("d", -1), ("e", "1"), ("f", None), ("g", 2**64)):
        r.do(r.RBD, "trash_move", r.ioctx, r.create(suffix), delay)
    r.do(r.RBD, "trash_move", r.ioctx, r.create("h"), delay=5)
    r.do(r.RBD, "trash_move", ioctx=r.ioctx, name=r.create("i"), delay=5)
    r.do(r.RBD, "trash_move", r.ioctx, r.create("j").encode())
    r.attempt("listed again", lambda: sorted(e["name"] for e in listed(r)))
    r.attempt(
        "delays",
        lambda: sorted(
            (e["deferment_end_time"] - e["deletion_time"]).total_seconds() for e in listed(r)
        ),
    )
    opened = r.new("open")
    r.do(r.RBD, "trash_move", r.ioctx, r.name("open"))
    r.do(opened, "write", b"x", 0)


@scenario
def trash_get(r: Recorder) -> None:
    image_id = throw_away(r)
    r.attempt("get", lambda: shown(r.RBD.trash_get(r.ioctx, image_id)))
    r.attempt("get, by bytes", lambda: shown(r.RBD.trash_get(r.ioctx, image_id.encode())))
    for wrong in ("", "none", None, 5):
        r.do(r.RBD, "trash_get", r.ioctx, wrong)
    listing = r.do(r.RBD, "trash_list", r.ioctx)
    r.attempt("twice", lambda: len(list(listing)) == len(list(listing)) > 0)
    r.attempt("no iterator itself", lambda: next(listing))
    r.do(r.rbd, "TrashIterator", r.ioctx)
    r.attempt("type of id", lambda: type(next(iter(listing))["id"]))


@scenario
def trash_restore(r: Recorder) -> None:
    image_id = throw_away(r)
    restore = r.RBD.trash_restore
    for name in (None, 5):
        r.attempt(f"to {name}", lambda name=name: restore(r.ioctx, image_id, name))
    r.attempt("back", lambda: restore(r.ioctx, image_id, r.name("b")))
    r.attempt("once more", lambda: restore(r.ioctx, image_id, r.name("b")))
    r.attempt("to another", lambda: restore(r.ioctx, image_id, r.name("c")))
    for wrong in ("", "none", None, 5):
        r.do(r.RBD, "trash_restore", r.ioctx, wrong, "x")
    r.RBD.trash_move(r.ioctx, r.name("b"))
    r.create("b")
    r.attempt("to one that is there", lambda: restore(r.ioctx, image_id, r.name("b")))
    r.attempt("to its own, taken", lambda: restore(r.ioctx, image_id, ""))
    r.RBD.remove(r.ioctx, r.name("b"))
    r.attempt("to its own", lambda: restore(r.ioctx, image_id, ""))
    r.do(r.RBD, "list", r.ioctx, _show=lambda names: sorted(n for n in names if r.scenario in n))


@scenario
def trash_remove(r: Recorder) -> None:
    remove = r.RBD.trash_remove
    spared = throw_away(r, "spared", 3600)
    r.attempt("spared", lambda: remove(r.ioctx, spared))
    r.attempt("spared, not forced", lambda: remove(r.ioctx, spared, False))
    r.attempt("spared, forced", lambda: remove(r.ioctx, spared, True))
    r.attempt("again", lambda: remove(r.ioctx, spared, force=True))
    for wrong in ("", "none", None, 5):
        r.do(r.RBD, "trash_remove", r.ioctx, wrong)
    seen: list[tuple[int, int]] = []

    def progress(done: int, total: int) -> int:
        seen.append((done, total))
        return 0

    other = throw_away(r, "other")
    r.attempt("with progress", lambda: remove(r.ioctx, other, False, progress))
    r.note("progress", seen)
    name = r.create("snaps")
    with r.rbd.Image(r.ioctx, name) as image:
        image.create_snap("s")
        snaps = image.id()
    opened = r.new("open")
    in_use = opened.id()
    for suffix in ("snaps", "open"):
        r.RBD.trash_move(r.ioctx, r.name(suffix))
    r.attempt("with snapshots", lambda: remove(r.ioctx, snaps))
    r.attempt("open", lambda: remove(r.ioctx, in_use))
    r.attempt("listed", lambda: sorted(e["name"] for e in listed(r)))


@scenario
def trash_remove_ended_early(r: Recorder) -> None:
    name = r.name("a")
    r.RBD.create(r.ioctx, name, 64 << 12, order=12, features=1)
    with r.rbd.Image(r.ioctx, name) as image:
        image.write(b"x" * (64 << 12), 0)
        image_id = image.id()
    r.RBD.trash_move(r.ioctx, name)
    seen: list[int] = []

    def progress(done: int, total: int) -> int:
        seen.append(done)
        return -5 if len(seen) == 3 else 0

    r.attempt("-5", lambda: r.RBD.trash_remove(r.ioctx, image_id, on_progress=progress))
    r.note("calls", len(seen))
    r.attempt("listed", lambda: listed(r))
    r.attempt("then", lambda: r.RBD.trash_remove(r.ioctx, image_id))


@scenario
def trash_purge(r: Recorder) -> None:
    """In a namespace, for the other scenarios' sake."""
    r.RBD.namespace_create(r.ioctx, r.name("n"))
    ioctx = r.keep(r.cluster.open_ioctx(r.side.pool))
    ioctx.set_namespace(r.name("n"))

    def fill() -> None:
        for hours in range(3):
            name = r.name(f"hour-{hours}")
            r.RBD.create(ioctx, name, MIB)
            r.RBD.trash_move(ioctx, name, 3600 * hours)

    def left(label: str) -> None:
        r.attempt(label, lambda: sorted(e["name"] for e in r.RBD.trash_list(ioctx)))

    fill()
    r.do(r.RBD, "trash_purge", ioctx)
    left("without time")
    r.attempt("long ago", lambda: r.RBD.trash_purge(ioctx, datetime.now() - timedelta(days=1)))
    left("long ago: left")
    soon = datetime.now() + timedelta(minutes=90)
    r.attempt("soon", lambda: r.RBD.trash_purge(ioctx, expire_ts=soon))
    left("soon: left")
    r.do(r.RBD, "trash_purge", ioctx, None, 0.5)
    r.do(r.RBD, "trash_purge", ioctx, threshold=1)
    left("threshold: left")
    for threshold in (1.5, -0.5, -5, "x", None, 1e300):
        r.do(r.RBD, "trash_purge", ioctx, None, threshold)
    left("bad threshold: left")
    name = r.name("snaps")
    r.RBD.create(ioctx, name, MIB)
    with r.rbd.Image(ioctx, name) as image:
        image.create_snap("s")
    r.RBD.trash_move(ioctx, name)
    r.do(r.RBD, "trash_purge", ioctx)
    left("snapshots: left")


@scenario
def trash_purge_of_no_time(r: Recorder) -> None:
    for wrong in (5, "x"):
        r.do(r.RBD, "trash_purge", r.ioctx, wrong)


@scenario
def trash_purge_of_no_number(r: Recorder) -> None:
    r.do(r.RBD, "trash_purge", r.ioctx, None, float("nan"))


@scenario
def trash_times(r: Recorder) -> None:
    image_id = throw_away(r)
    entry = r.RBD.trash_get(r.ioctx, image_id)
    for key in ("deletion_time", "deferment_end_time"):
        r.note(key, str(entry[key].tzinfo))
    first = entry["deletion_time"].replace(tzinfo=None)
    r.note(
        "in UTC",
        abs(datetime.now(timezone.utc).replace(tzinfo=None) - first) < timedelta(minutes=1),
    )
