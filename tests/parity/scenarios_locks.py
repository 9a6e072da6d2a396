"""Advisory locks."""

from __future__ import annotations

from typing import Any

from .harness import Recorder, scenario


def lockers(value: Any) -> Any:
    """For `_show`: without the numbers and addresses of the clients."""
    if not isinstance(value, dict):
        return value
    return {
        **value,
        "lockers": [
            (client.split(".")[0], cookie, ":" in address)
            for client, cookie, address in value["lockers"]
        ],
    }


@scenario
def locks(r: Recorder) -> None:
    image = r.new()
    r.do(image, "list_lockers", _show=lockers)
    r.do(image, "unlock", "c")
    r.do(image, "lock_exclusive", "c")
    r.do(image, "lock_exclusive", "c")
    r.do(image, "lock_exclusive", "other")
    r.do(image, "lock_shared", "c", "tag")
    r.do(image, "list_lockers", _show=lockers)
    r.do(image, "unlock", "other")
    r.do(image, "unlock", "c")
    r.do(image, "unlock", "c")
    r.do(image, "list_lockers", _show=lockers)
    r.do(image, "lock_shared", "c1", "tag")
    r.do(image, "lock_shared", cookie="c2", tag="tag")
    r.do(image, "lock_shared", "c2", "tag")
    r.do(image, "lock_shared", "c3", "other tag")
    r.do(image, "lock_exclusive", "c4")
    r.do(image, "list_lockers", _show=lockers)
    r.do(image, "unlock", "c1")
    r.do(image, "unlock", "c2")
    for cookie in ("", None, 5, b"bytes", "\u00fcn\u00ef", "a b"):
        r.do(image, "lock_exclusive", cookie)
        r.do(image, "list_lockers", _show=lockers)
        r.do(image, "unlock", cookie)
    for tag in ("", None, 5, b"bytes", "\u00fcn\u00ef"):
        r.do(image, "lock_shared", "c", tag)
        r.do(image, "list_lockers", _show=lockers)
        r.do(image, "unlock", "c")
    for method in ("lock_exclusive", "lock_shared", "unlock", "break_lock"):
        r.do(image, method)
        r.do(image, method, "c", "t", "u")
    r.do(image, "list_lockers", _show=lockers)


@scenario
def many_lockers(r: Recorder) -> None:
    """More than fit into the first buffer."""
    image = r.new()
    for index in range(60):
        image.lock_shared(f"cookie-{index:03}", "t" * 300)
    r.do(image, "list_lockers", _show=lambda value: repr(sorted(lockers(value)["lockers"])))


@scenario
def locks_of_another_client(r: Recorder) -> None:
    name = r.create()
    image = r.open(name)
    other = r.connect()
    ioctx = r.keep(other.open_ioctx(r.side.pool))
    theirs = r.keep(r.rbd.Image(ioctx, name))
    r.do(theirs, "lock_exclusive", "c")
    r.do(image, "lock_exclusive", "c")
    r.do(image, "lock_shared", "c", "t")
    r.do(image, "unlock", "c")
    r.do(image, "list_lockers", _show=lockers)
    r.do(theirs, "unlock", "c")
    r.do(image, "lock_exclusive", "c")
    r.do(theirs, "list_lockers", _show=lockers)
    r.do(image, "unlock", "c")
    r.do(image, "lock_shared", "c", "t")
    r.do(theirs, "lock_shared", "c", "t")
    r.do(image, "list_lockers", _show=lockers)
    r.do(theirs, "unlock", "c")


@scenario
def break_lock(r: Recorder) -> None:
    image = r.new()
    for client, cookie in (
        ("client.99", "c"),
        ("x", "c"),
        ("", "c"),
        ("client.99", ""),
        ("client.", "c"),
        ("client.-1", "c"),
        (None, "c"),
        ("client.99", None),
        (5, 5),
    ):
        r.do(image, "break_lock", client, cookie)
    # the owner of a broken lock is barred from the cluster: it must be a connection of its own
    other = r.connect()
    ioctx = r.keep(other.open_ioctx(r.side.pool))
    theirs = r.keep(r.rbd.Image(ioctx, r.name()))
    theirs.lock_exclusive("c")
    client = image.list_lockers()["lockers"][0][0]
    r.attempt("wrong cookie", lambda: image.break_lock(client, "other"))
    r.attempt("the lock", lambda: image.break_lock(client=client, cookie="c"))
    r.called.add("Image.break_lock")
    r.attempt("again", lambda: image.break_lock(client, "c"))
    r.do(image, "list_lockers", _show=lockers)
    r.do(image, "lock_exclusive", "mine")
    r.do(theirs, "read", 0, 1)
    r.do(theirs, "lock_exclusive", "c")
    r.do(theirs, "list_lockers")
    r.do(r.rbd, "Image", ioctx, r.name())
    r.do(ioctx, "read", "some object")
