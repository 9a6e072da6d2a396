"""Object I/O with callbacks."""

from __future__ import annotations

from typing import Any

from .harness import Recorder, deadly, scenario
from .scenarios_callbacks import Caller

WRONG_NUMBERS = (-1, "1", None, 2**64, b"1", [])


def told(completion: Any, *data: Any) -> None:
    """A callback that does nothing."""


class Objects(Caller):
    """A caller of an I/O context, with an object."""

    def __init__(self, r: Recorder) -> None:
        super().__init__(r, r.ioctx)
        self.key = r.name()
        r.ioctx.write_full(self.key, b"content")


@scenario
def object_aio_read(r: Recorder) -> None:
    caller = Objects(r)
    for length in (1, 2, 6, 7, 8, 5000):
        for offset in (0, 1, 6):
            caller.do("aio_read", caller.key, length, offset)
    caller.do("aio_read", r.name("none"), 5, 0)
    caller.do("aio_read", r.name("none"), 5, 0, oncomplete=None)
    for wrong in WRONG_NUMBERS:
        caller.do("aio_read", caller.key, wrong, 0)
        caller.do("aio_read", caller.key, 1, wrong)
    for wrong in (None, 5, []):
        caller.do("aio_read", wrong, 1, 0)
    caller.do("aio_read", object_name=caller.key, length=2, offset=1)
    caller.do("aio_read", "", 1, 0)
    caller.do("aio_read", "x" * 5000, 1, 0)


@scenario
def object_aio_read_of_nothing(r: Recorder) -> None:
    # not with a length of 0: the standard binding then writes into the b"" that all of the process
    # have in common
    caller = Objects(r)
    caller.do("aio_read", caller.key, 3, 7)
    r.ioctx.write_full(caller.key, b"")
    caller.do("aio_read", caller.key, 3, 0)


@scenario
def object_aio_write(r: Recorder) -> None:
    caller = Objects(r)
    io, key = r.ioctx, caller.key
    for method in ("aio_write", "aio_write_full", "aio_append"):
        caller.do(method, key, b"data")
        r.do(io, "read", key)
        caller.do(method, key, b"")
        r.do(io, "read", key)
        for wrong in (None, 5, [], 5.5, "text"):
            caller.do(method, key, wrong)
        for wrong in (None, 5, []):
            caller.do(method, wrong, b"x")
        for name in ("", "x" * 5000, "\u00fcn\u00ef"):
            caller.do(method, name, b"x")
        r.do(io, method)
        r.do(io, method, key, b"x", _show=waited)
    for offset in (0, 3, 20, 2**40):
        caller.call("aio_write", key, b"XY", offset, _callback=told)
    for wrong in WRONG_NUMBERS:
        caller.call("aio_write", key, b"XY", wrong, _callback=told)
    r.do(io, "trunc", key, 30)
    r.do(io, "read", key)
    r.do(io, "aio_flush")


def waited(completion: Any) -> Any:
    return (
        type(completion),
        completion.wait_for_complete(),
        completion.wait_for_safe(),
        completion.wait_for_complete_and_cb(),
        completion.wait_for_safe_and_cb(),
        completion.is_complete(),
        completion.is_safe(),
        completion.get_return_value(),
    )


@scenario
def object_aio_safe(r: Recorder) -> None:
    """Both callbacks, and in which order."""
    io, key = r.ioctx, r.name()
    for method, args in (
        ("aio_write", (key, b"data", 0)),
        ("aio_write_full", (key, b"data")),
        ("aio_append", (key, b"data")),
        ("aio_execute", (key, "hello", "say_hello", b"you", 100)),
        ("aio_execute", (key, "hello", "none", b"you", 100)),
        ("aio_remove", (key,)),
        ("aio_remove", (key,)),
    ):
        seen: list[Any] = []

        def oncomplete(completion: Any, *data: Any, seen: list[Any] = seen) -> None:
            seen.append(("complete", type(completion), completion.is_complete(), *data))

        def onsafe(completion: Any, *data: Any, seen: list[Any] = seen) -> None:
            seen.append(("safe", type(completion), completion.is_safe(), *data))

        r.do(io, method, *args, oncomplete, onsafe, _show=waited)
        r.note(f"{method} called", seen)


@scenario
def object_aio_only_safe(r: Recorder) -> None:
    seen: list[Any] = []
    key = r.name()
    r.do(
        r.ioctx,
        "aio_write",
        key,
        b"data",
        onsafe=lambda completion: seen.append(completion.get_return_value()),
        _show=waited,
    )
    r.note("called", seen)


@scenario
def object_aio_same_and_compare(r: Recorder) -> None:
    caller = Objects(r)
    io, key = r.ioctx, caller.key
    for data, length in ((b"ab", 8), (b"ab", 2), (b"ab", 7), (b"ab", 0), (b"", 0), (b"", 5)):
        caller.call("aio_writesame", key, data, length, 0, _callback=told)
    caller.call("aio_writesame", key, b"xyz", 9, 4, _callback=told)
    r.do(io, "read", key)
    for wrong in WRONG_NUMBERS:
        caller.call("aio_writesame", key, b"ab", wrong, 0, _callback=told)
        caller.call("aio_writesame", key, b"ab", 4, wrong, _callback=told)
        caller.call("aio_cmpext", key, b"ab", wrong, _callback=told)
    for data, offset in ((b"ab", 0), (b"aX", 0), (b"Xb", 0), (b"yz", 5), (b"ab", 2**40), (b"", 0)):
        caller.call("aio_cmpext", key, data, offset, _callback=told)
    caller.call("aio_cmpext", key, b"x" * 100, 0, _callback=told)
    caller.call("aio_cmpext", r.name("none"), b"ab", 0, _callback=told)
    for wrong in (None, 5, "text"):
        caller.call("aio_cmpext", key, wrong, 0, _callback=told)
        caller.call("aio_writesame", key, wrong, 4, 0, _callback=told)


@scenario
def object_aio_stat_and_remove(r: Recorder) -> None:
    caller = Objects(r)
    io, key = r.ioctx, caller.key
    seen: list[Any] = []
    for name in (key, r.name("none")):
        completion = io.aio_stat(
            name,
            lambda completion, size, changed: seen.append(
                (size, type(changed), changed and tuple(changed) == tuple(io.stat(key)[1]))
            ),
        )
        completion.wait_for_complete_and_cb()
    r.note("told", seen)
    for wrong in (None, 5, ""):
        caller.do("aio_stat", wrong)
        caller.do("aio_remove", wrong)
    caller.do("aio_remove", key)
    caller.do("aio_remove", key)
    caller.do("aio_remove")
    caller.do("aio_stat")


@scenario
def object_aio_xattrs(r: Recorder) -> None:
    caller = Objects(r)
    io, key = r.ioctx, caller.key
    for name, value in (("k", b"v"), ("k", b"w"), ("l", b""), ("big", b"x" * 5000)):
        caller.do("aio_setxattr", key, name, value)
    r.do(io, "get_xattrs", key, _show=lambda pairs: sorted(pairs))
    caller.do("aio_rmxattr", key, "k")
    caller.do("aio_rmxattr", key, "k")
    caller.do("aio_rmxattr", r.name("none"), "k")
    r.do(io, "get_xattrs", key, _show=lambda pairs: sorted(pairs))
    for wrong in (None, 5, []):
        caller.do("aio_setxattr", key, wrong, b"v")
        caller.do("aio_setxattr", key, "k", wrong)
        caller.do("aio_setxattr", wrong, "k", b"v")
        caller.do("aio_rmxattr", key, wrong)
        caller.do("aio_rmxattr", wrong, "k")
    caller.do("aio_setxattr", r.name("new"), "k", b"v")


@scenario
def object_aio_execute(r: Recorder) -> None:
    caller = Objects(r)
    key = caller.key
    for cls, method, data in (
        ("hello", "say_hello", b"you"),
        ("hello", "say_hello", b""),
        ("hello", "say_hello", b"x" * 200),
        ("hello", "record_hello", b"me"),
        ("hello", "none", b""),
        ("none", "none", b""),
        ("", "", b""),
        (None, "say_hello", b""),
        ("hello", 5, b""),
        ("hello", "say_hello", "text"),
        ("hello", "say_hello", None),
    ):
        caller.do("aio_execute", key, cls, method, data, 8192)
    for wrong in WRONG_NUMBERS:
        caller.do("aio_execute", key, "hello", "say_hello", b"you", wrong)
    caller.do("aio_execute", r.name("none"), "hello", "say_hello", b"you", 8192)
    r.do(r.ioctx, "aio_execute", key, "hello", "say_hello", b"you", _show=waited)


@deadly()
def deadly_object_io_in_closed_ioctx(r: Recorder) -> None:
    io = r.keep(r.cluster.open_ioctx(r.side.pool))
    io.close()
    r.do(io, "aio_write", "x", b"x")


@scenario
def object_aio_callbacks(r: Recorder) -> None:
    key = r.name()

    def failing(completion: Any, *data: Any) -> None:
        raise ZeroDivisionError("mine")

    r.do(r.ioctx, "aio_write", key, b"x", 0, failing, _show=waited)
    r.do(r.ioctx, "aio_write", key, b"x", 0, 5, _show=waited)
