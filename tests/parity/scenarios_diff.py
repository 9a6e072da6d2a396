"""diff_iterate in all its forms."""

from __future__ import annotations

from typing import Any, Callable

from .harness import MIB, Recorder, scenario

SIZE = 16 * MIB


def collector(extents: list[Any]) -> Callable[..., None]:
    """A callback that keeps the extents."""

    def callback(*extent: Any) -> None:
        extents.append(extent)

    return callback


def show(r: Recorder, image: Any, *args: Any, **kwargs: Any) -> None:
    """Records the extents of a diff; `args` without the callback, which comes fourth."""
    extents: list[Any] = []
    r.do(image, "diff_iterate", *args[:3], collector(extents), *args[3:], **kwargs)
    r.note("extents", extents)


@scenario
def diff(r: Recorder) -> None:
    image = r.new(size=SIZE)
    show(r, image, 0, SIZE, None)
    image.write(b"a" * 5000, 0)
    image.write(b"b" * MIB, 5 * MIB)
    image.create_snap("s")
    image.write(b"c" * 100, 100)
    image.write(b"d", SIZE - 1)
    image.discard(4 * MIB, 4 * MIB)
    image.create_snap("t")
    image.write(b"e" * 10, 9 * MIB)
    for snap in (None, "s", "t", b"s"):
        for include_parent in (True, False):
            for whole_object in (False, True):
                show(r, image, 0, SIZE, snap, include_parent, whole_object)
    for offset, length in (
        (0, 0),
        (0, 1),
        (50, 100),
        (4000, 6 * MIB),
        (5 * MIB + 1, 10),
        (4 * MIB, 4 * MIB),
        (SIZE - 1, 1),
        (SIZE - 1, 2),
        (SIZE, 0),
        (SIZE, 1),
        (SIZE + 1, 0),
        (2 * SIZE, 10),
        (0, 2 * SIZE),
        (0, 2**63),
        (0, 2**64 - 1),
        (0, 2**64),
        (-1, 10),
        (0, -1),
        (2**63, 1),
        (2**64, 1),
        ("0", 1),
        (0, "1"),
        (None, 1),
        (0, None),
        (True, True),
    ):
        show(r, image, offset, length, None)
        show(r, image, offset, length, "s")
    for snap in ("none", "", 5.5, [], b"none", "\u00fc"):
        show(r, image, 0, SIZE, snap)
    with r.part("at t"):
        image.set_snap("t")
        for snap in (None, "s", "t"):
            show(r, image, 0, SIZE, snap)
            show(r, image, 0, SIZE, snap, True, True)
    with r.part("at s"):
        image.set_snap("s")
        for snap in (None, "s", "t"):
            show(r, image, 0, SIZE, snap)
            show(r, image, 0, SIZE, snap, whole_object=True)
    image.set_snap(None)
    show(r, image, 0, SIZE, "s", include_parent=False, whole_object=True)
    show(r, image, 0, SIZE, "s", 1, 0)
    show(r, image, 0, SIZE, "s", foo=1)
    image.rollback_to_snap("s")
    show(r, image, 0, SIZE, "s")
    show(r, image, 0, SIZE, "t")
    image.resize(4 * MIB)
    show(r, image, 0, 4 * MIB, "s")


@scenario
def diff_arguments(r: Recorder) -> None:
    image = r.new(size=SIZE)
    image.write(b"x" * 10, 0)
    extents: list[Any] = []
    r.do(
        image,
        "diff_iterate",
        offset=0,
        length=SIZE,
        from_snapshot=None,
        iterate_cb=lambda offset, length, exists: extents.append((offset, length, exists)),
        include_parent=True,
        whole_object=False,
    )
    r.note("extents", extents)
    r.do(image, "diff_iterate")
    r.do(image, "diff_iterate", 0, SIZE)
    r.do(image, "diff_iterate", 0, SIZE, None)
    for wrong in (None, 5, "x"):
        r.do(image, "diff_iterate", 0, SIZE, None, wrong)
    r.do(image, "diff_iterate", 0, SIZE, None, print, True, False, 0)


@scenario
def diff_truth(r: Recorder) -> None:
    """Flags that are not bool."""
    image = r.new(size=SIZE)
    image.write(b"x", 0)
    for value in (0, 1, 2, -1, "yes", "", None, [], 0.5):
        r.do(image, "diff_iterate", 0, SIZE, None, lambda *extent: None, value, value)


@scenario
def diff_callback_not_called(r: Recorder) -> None:
    """Something that is not callable, where there is nothing to call it for."""
    image = r.new(size=SIZE)
    r.do(image, "diff_iterate", 0, SIZE, None, 5)
    r.do(image, "diff_iterate", 0, SIZE, "none", 5)
    r.do(image, "diff_iterate", 0, 0, None, 5)


@scenario
def diff_snapshot_id(r: Recorder) -> None:
    """Integers where the name of a snapshot is expected."""
    image = r.new()
    for snap in (0, 3, 2**40, -1):
        r.do(image, "diff_iterate", 0, MIB, snap, print)


@scenario
def diff_callback(r: Recorder) -> None:
    """What the callback returns and raises, and how often it is called then."""
    image = r.new(size=SIZE)
    for index in range(4):
        image.write(b"x", index * 4 * MIB)

    def run(title: str, function: Callable[[], Any]) -> None:
        calls: list[Any] = []

        def hand(offset: int, length: int, exists: bool) -> Any:
            calls.append(offset)
            return function()

        with r.part(title):
            r.do(image, "diff_iterate", 0, SIZE, None, hand)
            r.note("calls", len(calls))

    for value in (None, 0, 1, 2**31 - 1, -1, -2, -5, -22, -125, -4095, True, False):
        run(f"returns {value!r}", lambda value=value: value)
    for value in ("x", [], 2**31, 2**40, -(2**31), -(2**40), -5000):
        run(f"returns {value!r}", lambda value=value: value)

    def throw(error: Exception) -> Any:
        raise error

    for error in (
        ZeroDivisionError("x"),
        StopIteration("x"),
        r.rbd.ImageNotFound("x", 2),
        r.rbd.InvalidArgument("x"),
        ValueError("x"),
    ):
        run(f"raises {type(error).__name__}", lambda error=error: throw(error))
    thrown = RuntimeError("the very object")

    def same() -> Any:
        try:
            image.diff_iterate(0, SIZE, None, lambda *extent: throw(thrown))
        except RuntimeError as error:
            return error is thrown
        return None

    r.attempt("the same exception", same)
    run("uses the image", lambda: (image.read(0, 1), None)[1])
    run("closes nothing", lambda: None)
    r.do(image, "diff_iterate", 0, SIZE, None, lambda: None)
    r.do(image, "read", 0, 1)


@scenario
def diff_callback_wrong_return(r: Recorder) -> None:
    image = r.new(size=SIZE)
    image.write(b"x", 0)
    r.do(image, "diff_iterate", 0, SIZE, None, lambda *extent: 1.5)
    r.do(image, "diff_iterate", 0, SIZE, None, lambda *extent: -5.5)


@scenario
def diff_of_clone(r: Recorder) -> None:
    parent = r.new("parent", size=SIZE)
    parent.write(b"p" * 10, 0)
    parent.write(b"p" * 10, 8 * MIB)
    parent.create_snap("s")
    parent.protect_snap("s")
    for title, options in (("plain", {"features": 1}), ("fast", {"features": 61})):
        name = r.name(title)
        r.RBD.clone(r.ioctx, r.name("parent"), "s", r.ioctx, name, **options)
        child = r.open(name)
        with r.part(title):
            for written in (False, True):
                if written:
                    child.write(b"c" * 10, 4 * MIB)
                    child.write(b"c", 5)
                    child.create_snap("x")
                    child.discard(0, 4 * MIB)
                for include_parent in (True, False):
                    for whole_object in (True, False):
                        show(r, child, 0, SIZE, None, include_parent, whole_object)
            show(r, child, 0, SIZE, "x")
            show(r, child, 0, SIZE, "x", False, True)


@scenario
def diff_of_many_extents(r: Recorder) -> None:
    """More extents than cross at once."""
    image = r.new(size=2 * MIB, features=1, order=12)
    for index in range(300):
        image.write(b"x" * 100, index * 5000)
    image.create_snap("s")
    for index in range(0, 300, 2):
        image.write(b"y" * 100, index * 5000 + 50)
    for snap in (None, "s"):
        extents: list[Any] = []
        image.diff_iterate(0, 2 * MIB, snap, collector(extents))
        r.note(f"from {snap}", [len(extents), repr(extents)])
    stopped: list[int] = []

    def stop(offset: int, length: int, exists: bool) -> int:
        stopped.append(offset)
        return -5 if len(stopped) == 280 else 0

    # how many more calls there are after the 280th depends on librbd's timing, not on the binding
    r.do(image, "diff_iterate", 0, 2 * MIB, None, stop)
