"""I/O with callbacks."""

from __future__ import annotations

import array
import gc
import sys
import time
from typing import Any, Callable

from .harness import MIB, Recorder, scenario

SIZE = 8 * MIB
FLAGS = (0, 4, 32, 64, 2**20, 2**31 - 1, 2**31, 2**32, -1, "a", None)
OFFSETS = (SIZE - 2, SIZE - 1, SIZE, SIZE + 1, 2 * SIZE, 2**62, 2**63, 2**64 - 1, 2**64, -1)


class Caller:
    """Starts operations, waits for each, and notes what its callback was given."""

    def __init__(self, r: Recorder, image: Any) -> None:
        self._r = r
        self._image = image

    def do(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """Puts a callback behind the arguments."""
        return self.call(method, *args, _callback=_told, **kwargs)

    def call(
        self,
        method: str,
        *args: Any,
        _callback: Callable[..., Any],
        _after: Any = (),
        **kwargs: Any,
    ) -> Any:
        seen: list[Any] = []

        def oncomplete(completion: Any, *data: Any) -> Any:
            seen.append((type(completion), completion.get_return_value(), *data))
            return _callback(completion, *data)

        def show(completion: Any) -> Any:
            done = completion.wait_for_complete_and_cb()
            value = completion.get_return_value()
            return (type(completion), done, completion.is_complete(), value)

        completion = self._r.do(
            self._image, method, *args, oncomplete, *_after, _show=show, **kwargs
        )
        self._r.note("called with", seen)
        return completion


def _told(completion: Any, *data: Any) -> None:
    return None


def _caller(r: Recorder) -> Caller:
    image = r.new(size=SIZE)
    image.write(bytes(range(250)) * 40, 0)
    image.write(b"end", SIZE - 3)
    return Caller(r, image)


@scenario
def callbacks_read(r: Recorder) -> None:
    caller = _caller(r)
    for length in (0, 1, 2, 3, 600, MIB, SIZE - 1, SIZE, SIZE + 1, 2 * SIZE):
        caller.do("aio_read", 0, length)
    for offset in OFFSETS:
        for length in (0, 1, 10):
            caller.do("aio_read", offset, length)
    for length in (-1, -(2**63), 2**63, 2**64 - 1, 2**64, "1", None, b"1", True, []):
        caller.do("aio_read", 0, length)
    for offset in ("0", None, True, []):
        caller.do("aio_read", offset, 1)
    for flags in FLAGS:
        caller.call("aio_read", 0, 3, _callback=_told, _after=(flags,))
    caller.do("aio_read", 5)
    caller.do("aio_read")
    caller.do("aio_read", 0, 1, foo=1)
    caller.do("aio_read", 0, 1, fadvise_flags=32)


@scenario
def callbacks_write(r: Recorder) -> None:
    caller = _caller(r)
    image = caller._image
    for offset in OFFSETS:
        for data in (b"", b"x", b"wxyz"):
            caller.do("aio_write", data, offset)
    r.do(image, "read", SIZE - 4, 4)
    for offset in ("0", None, b"0", True, []):
        caller.do("aio_write", b"xyz", offset)
    for data in ("text", None, 5, [1, 2], 5.5, object()):
        caller.do("aio_write", data, 0)
    for flags in FLAGS:
        caller.call("aio_write", b"xyz", 0, _callback=_told, _after=(flags,))
    caller.do("aio_write", b"kw")
    caller.do("aio_write")
    caller.do("aio_write", b"kw", 1, fadvise_flags=32)
    caller.do("aio_write", b"z" * (SIZE + 1), 0)
    caller.do("aio_write", bytes(range(256)) * 4096, 4 * MIB - 1000)
    r.do(image, "read", 0, SIZE)


@scenario
def callbacks_write_buffers(r: Recorder) -> None:
    """What is not bytes."""
    caller = _caller(r)
    for data in (
        bytearray(b"xyz"),
        memoryview(b"xyz"),
        array.array("B", b"xyz"),
        type("B", (bytes,), {})(b"xyz"),
    ):
        caller.do("aio_write", data, 0)
        r.do(caller._image, "read", 0, 3)
        caller._image.write(b"abc", 0)


@scenario
def callbacks_discard(r: Recorder) -> None:
    for method in ("aio_discard", "aio_write_zeroes"):
        caller = _caller(r)
        image = caller._image
        for offset, length in (
            (0, 0),
            (0, 1),
            (0, 4096),
            (4 * MIB, MIB),
            (SIZE, 0),
            (SIZE, 1),
            (SIZE - 1, 100),
            (SIZE + 1, 0),
            (2 * SIZE, 1),
            (-1, 1),
            (0, -1),
            (2**63, 1),
            (2**64, 1),
            (0, 2**64),
            ("0", 1),
            (0, "1"),
            (None, 1),
            (0, None),
            (True, True),
        ):
            caller.do(method, offset, length)
        r.do(image, "read", 0, SIZE)
        for length in (2**31 - 1, 2**31, 2**32, 2**63, 2**64 - 1):
            image.write(b"full", 0)
            caller.do(method, 0, length)
            r.do(image, "read", 0, 4)
        caller.do(method, 0)
        caller.do(method)
        image.close()
        r.RBD.remove(r.ioctx, r.name())


@scenario
def callbacks_zero_flags(r: Recorder) -> None:
    caller = _caller(r)
    for flags in (0, 1, 2, 3, 2**31 - 1, 2**31, -1, "a", None):
        caller.call("aio_write_zeroes", 0, 4096, _callback=_told, _after=(flags,))
    caller.do("aio_write_zeroes", 0, 4096, zero_flags=1)


@scenario
def callbacks_flush(r: Recorder) -> None:
    caller = _caller(r)
    caller.do("aio_flush")
    caller.call("aio_flush", _callback=_told, _after=(1,))
    r.do(caller._image, "aio_flush")


@scenario
def complete_in_its_callback(r: Recorder) -> None:
    seen: list[Any] = []
    completion = r.new().aio_flush(lambda completion: seen.append(completion.is_complete()))
    completion.wait_for_complete_and_cb()
    r.note("complete", seen)


@scenario
def callbacks_that_raise(r: Recorder) -> None:
    caller = _caller(r)
    for error in (KeyError, r.rbd.ImageNotFound, AssertionError, StopIteration):

        def raises(*args: Any, error: Any = error) -> None:
            raise error("mine")

        caller.call("aio_read", 0, 1, _callback=raises)
        caller.call("aio_write", b"x", 0, _callback=raises)
        completion = caller.call("aio_flush", _callback=raises)
        # also to those who ask later, and again
        r.do(completion, "wait_for_complete_and_cb")
        r.do(completion, "wait_for_complete_and_cb")
        r.do(completion, "is_complete")
        r.do(completion, "get_return_value")
    for result in (5, -5, "text", object()):
        caller.call("aio_flush", _callback=lambda completion, result=result: result)
    caller.call("aio_flush", _callback=lambda: None)
    caller.call("aio_read", 0, 1, _callback=lambda completion: None)


@scenario
def callbacks_that_exit(r: Recorder) -> None:
    """Exceptions that are none of Exception's."""
    image = r.new()
    for error in (SystemExit, KeyboardInterrupt, GeneratorExit):

        def raises(completion: Any, error: Any = error) -> None:
            raise error("mine")

        completion = image.aio_flush(raises)
        try:
            completion.wait_for_complete_and_cb()
            r.note(f"{error.__name__}", "not raised")
        except BaseException as caught:
            r.note(f"{error.__name__}", type(caught))


@scenario
def callbacks_that_raise_unheard(r: Recorder) -> None:
    """Nobody waits for the completion, and it is collected."""
    image = r.new()
    told: list[type] = []
    before = sys.unraisablehook
    sys.unraisablehook = lambda args: told.append(type(args.exc_value))
    try:

        def raises(completion: Any) -> None:
            raise KeyError("mine")

        image.aio_flush(raises)
        image.aio_flush(_told).wait_for_complete_and_cb()
        time.sleep(0.1)
        for _ in range(3):
            gc.collect()
    finally:
        sys.unraisablehook = before
    r.note("told", told)


@scenario
def callbacks_not_callable(r: Recorder) -> None:
    image = r.new()
    for wrong in (5, "text", object()):
        for method, args in (
            ("aio_read", (0, 1)),
            ("aio_write", (b"x", 0)),
            ("aio_discard", (0, 1)),
            ("aio_write_zeroes", (0, 1)),
            ("aio_flush", ()),
        ):
            r.do(image, method, *args, wrong, _show=lambda c: c.wait_for_complete_and_cb())


@scenario
def callbacks_none(r: Recorder) -> None:
    """Without anybody to call."""
    image = r.new()
    image.write(b"abc", 0)
    for method, args in (
        ("aio_read", (0, 3)),
        ("aio_write", (b"x", 0)),
        ("aio_discard", (0, 1)),
        ("aio_write_zeroes", (0, 1)),
        ("aio_flush", ()),
    ):
        r.do(image, method, *args, None, _show=lambda c: c.wait_for_complete_and_cb())
    r.do(image, "read", 0, 3)


@scenario
def callbacks_read_only(r: Recorder) -> None:
    name = r.create()
    with r.rbd.Image(r.ioctx, name) as image:
        image.write(b"abc", 0)
        image.create_snap("s")
        image.write(b"def", 0)
    for title, options in (("read only", {"read_only": True}), ("snapshot", {"snapshot": "s"})):
        caller = Caller(r, r.open(name, **options))
        with r.part(title):
            caller.do("aio_read", 0, 3)
            caller.do("aio_write", b"x", 0)
            caller.do("aio_write", b"", 0)
            caller.do("aio_discard", 0, 1)
            caller.do("aio_write_zeroes", 0, 1)
            caller.do("aio_flush")


@scenario
def callbacks_of_closed_image(r: Recorder) -> None:
    image = r.new()
    late = image.aio_write(b"x" * MIB, 0, _told)
    image.close()
    r.do(late, "wait_for_complete_and_cb")
    r.do(late, "is_complete")
    r.do(late, "get_return_value")
    for method, args in (
        ("aio_read", (0, 1)),
        ("aio_write", (b"x", 0)),
        ("aio_discard", (0, 1)),
        ("aio_write_zeroes", (0, 1)),
        ("aio_flush", ()),
    ):
        r.do(image, method, *args, _told)


@scenario
def callbacks_keywords(r: Recorder) -> None:
    image = r.new()

    def show(completion: Any) -> Any:
        completion.wait_for_complete_and_cb()
        return completion.get_return_value()

    flags = {"fadvise_flags": 4}
    r.do(image, "aio_write", data=b"x", offset=1, oncomplete=_told, **flags, _show=show)
    r.do(image, "aio_read", offset=0, length=2, oncomplete=_told, **flags, _show=show)
    r.do(image, "aio_write_zeroes", offset=0, length=1, oncomplete=_told, zero_flags=0, _show=show)
    r.do(image, "aio_discard", offset=0, length=1, oncomplete=_told, _show=show)
    r.do(image, "aio_flush", oncomplete=_told, _show=show)


@scenario
def callbacks_many_at_once(r: Recorder) -> None:
    image = r.new(size=SIZE)
    called: list[int] = []
    completions = [
        image.aio_write(bytes([i]) * 65536, i * 65536, lambda completion, i=i: called.append(i))
        for i in range(128)
    ]
    for completion in completions:
        completion.wait_for_complete_and_cb()
    r.note("called", sorted(called) == list(range(128)))
    r.note("values", {completion.get_return_value() for completion in completions} == {0})
    r.do(image, "read", 0, SIZE)
    inside: list[Any] = []

    def nested(completion: Any, data: Any) -> None:
        inside.append(image.aio_flush(lambda completion: inside.append("flushed")))

    image.aio_read(0, 1, nested).wait_for_complete_and_cb()
    inside[0].wait_for_complete_and_cb()
    r.note("nested", inside[1:])
