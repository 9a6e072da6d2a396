"""Watchers, and the managed lock."""

from __future__ import annotations

from typing import Any

from .harness import Recorder, scenario


def watchers(value: Any) -> Any:
    """For `_show`: without the numbers and addresses of the clients."""
    return [
        {key: (type(found).__name__, bool(found)) for key, found in sorted(watcher.items())}
        for watcher in value
    ]


def owners(value: Any) -> Any:
    return [(owner["mode"], sorted(owner), ":" in owner["owner"]) for owner in value]


@scenario
def watchers_of_an_image(r: Recorder) -> None:
    image = r.new()
    r.do(image, "watchers_list", _show=watchers)
    other = r.connect()
    ioctx = r.keep(other.open_ioctx(r.side.pool))
    r.keep(r.rbd.Image(ioctx, r.name()))
    r.keep(r.rbd.Image(r.ioctx, r.name(), read_only=True))
    r.do(image, "watchers_list", _show=watchers)
    for _ in range(15):
        r.keep(r.rbd.Image(ioctx, r.name()))
    r.do(image, "watchers_list", _show=watchers)
    r.do(r.rbd, "WatcherIterator", image, _show=watchers)
    r.do(image, "watchers_list", 5)


@scenario
def managed_lock(r: Recorder) -> None:
    name = r.create(features=61)
    image = r.open(name)
    other = r.connect()
    ioctx = r.keep(other.open_ioctx(r.side.pool))
    theirs = r.keep(r.rbd.Image(ioctx, name))
    reading = r.keep(r.rbd.Image(r.ioctx, name, read_only=True))
    exclusive = r.rbd.RBD_LOCK_MODE_EXCLUSIVE
    r.do(image, "lock_get_owners", _show=owners)
    r.do(image, "lock_release")
    for mode in (exclusive, r.rbd.RBD_LOCK_MODE_SHARED, 7, -1, 1 << 40, "x", None):
        r.do(image, "lock_acquire", mode)
        r.do(image, "lock_break", mode, "nobody")
    for owner in ("", None, 5, b"nobody"):
        r.do(image, "lock_break", exclusive, owner)
    r.do(image, "lock_acquire", lock_mode=exclusive)
    for opened in (image, theirs, reading):
        r.do(opened, "lock_get_owners", _show=owners)
        r.do(opened, "is_exclusive_lock_owner")
    r.do(r.rbd, "LockOwnerIterator", image, _show=owners)
    r.do(theirs, "lock_acquire", exclusive)
    r.do(theirs, "lock_release")
    r.do(theirs, "write", b"x", 0)
    r.do(reading, "lock_acquire", exclusive)
    r.do(reading, "lock_break", exclusive, "nobody")
    r.do(image, "lock_release")
    r.do(image, "lock_get_owners", _show=owners)
    r.do(theirs, "write", b"x", 0)
    r.do(theirs, "lock_get_owners", _show=owners)


@scenario
def managed_lock_is_broken(r: Recorder) -> None:
    name = r.create(features=61)
    image = r.open(name)
    other = r.connect()
    ioctx = r.keep(other.open_ioctx(r.side.pool))
    theirs = r.keep(r.rbd.Image(ioctx, name))
    theirs.lock_acquire(0)
    owner = next(iter(image.lock_get_owners()))["owner"]
    r.attempt("by the owner", lambda: theirs.lock_break(0, owner))
    r.attempt("the lock", lambda: image.lock_break(lock_mode=0, lock_owner=owner))
    r.called.add("Image.lock_break")
    r.attempt("again", lambda: image.lock_break(0, owner))
    r.do(image, "lock_get_owners", _show=owners)
    r.do(image, "lock_acquire", 0)
    r.do(theirs, "write", b"x", 0)


@scenario
def managed_lock_without_the_feature(r: Recorder) -> None:
    image = r.open(r.create(features=1))
    r.do(image, "lock_get_owners")
    r.do(image, "lock_acquire", 0)
    r.do(image, "lock_release")
    r.do(image, "lock_break", 0, "nobody")
