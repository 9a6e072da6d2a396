"""I/O with callbacks, as the standard binding has it."""

from __future__ import annotations

import threading

import pytest

from rbdcffi import rbd


def test_every_operation(image: rbd.Image) -> None:
    seen: list[object] = []

    def done(completion: rbd.Completion, *data: object) -> None:
        seen.append((completion.get_return_value(), *data))

    def wait(completion: rbd.Completion) -> int | None:
        completion.wait_for_complete_and_cb()
        assert completion.is_complete()
        return completion.get_return_value()

    assert wait(image.aio_write(bytearray(b"hello"), 10, done)) == 0
    assert wait(image.aio_read(10, 5, done)) == 5
    assert wait(image.aio_write_zeroes(11, 2, done)) == 0
    assert wait(image.aio_flush(done)) == 0
    assert wait(image.aio_read(image.size() - 2, 100, done)) == 2
    assert wait(image.aio_discard(0, 65536, done)) == 0
    assert wait(image.aio_read(10, 0, done)) == 0
    assert seen == [(0,), (5, b"hello"), (0,), (0,), (2, bytes(2)), (0,), (0, b"")]
    assert wait(image.aio_read(image.size(), 1, done)) < 0  # type: ignore[operator]
    assert seen[-1][1] is None  # type: ignore[index]


def test_callbacks_and_their_errors(image: rbd.Image) -> None:
    problem = ZeroDivisionError("mine")

    def failing(completion: rbd.Completion) -> None:
        raise problem

    completion = image.aio_flush(failing)
    with pytest.raises(ZeroDivisionError) as caught:
        completion.wait_for_complete_and_cb()
    assert caught.value is problem

    names: list[str] = []
    image.aio_flush(
        lambda completion: names.append(threading.current_thread().name)
    ).wait_for_complete_and_cb()
    assert names == ["rbdcffi-callbacks"]

    # a callback that waits for itself would wait for ever
    waiting = image.aio_flush(lambda completion: completion.wait_for_complete_and_cb())
    with pytest.raises(rbd.LogicError, match="callback cannot wait"):
        waiting.wait_for_complete_and_cb()
    closing = image.aio_flush(lambda completion: image.close())
    closing.wait_for_complete_and_cb()
    assert image.closed


def test_refused_at_once(image: rbd.Image) -> None:
    with pytest.raises(TypeError, match=r"Image\.aio_flush.*callable"):
        image.aio_flush(5)  # type: ignore[arg-type]
    with pytest.raises(OverflowError, match=r"Image\.aio_read"):
        image.aio_read(0, -5, lambda *args: None)
    with pytest.raises(OverflowError, match=r"Image\.aio_discard"):
        image.aio_discard(-1, 5, lambda *args: None)
    image.close()
    with pytest.raises(rbd.InvalidArgument, match="image is closed"):
        image.aio_flush(lambda *args: None)


def test_hundreds_in_flight_when_the_image_is_closed(image: rbd.Image) -> None:
    count = 500
    called = []
    completions = [
        image.aio_write(b"x" * 65536, 65536 * (i % 200), lambda completion: called.append(1))
        for i in range(count)
    ]
    image.close()
    for completion in completions:
        completion.wait_for_complete_and_cb()
        assert completion.get_return_value() == 0
    assert len(called) == count
