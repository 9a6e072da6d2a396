"""I/O with callbacks, as the standard binding has it."""

from __future__ import annotations

import errno
import gc
import subprocess
import sys
import textwrap
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from rbdcffi import rados, rbd

RBD = rbd.RBD()


def test_every_operation(image: rbd.Image) -> None:
    seen: list[object] = []

    def done(completion: rbd.Completion, *data: object) -> None:
        seen.append((completion.get_return_value(), *data))

    def wait(completion: rbd.Completion) -> int:
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
    assert wait(image.aio_read(image.size(), 1, done)) < 0
    assert seen[-1][1] is None  # type: ignore[index]


def test_callbacks_and_their_errors(image: rbd.Image) -> None:
    problem = ZeroDivisionError("mine")

    def failing(completion: rbd.Completion) -> None:
        raise problem

    completion = image.aio_flush(failing)
    for _ in range(2):
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


def test_an_error_nobody_waits_for_is_told(
    image: rbd.Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda args: told.append(args.exc_value))

    def failing(completion: rbd.Completion) -> None:
        raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError):
        image.aio_flush(failing).wait_for_complete_and_cb()
    image.aio_flush(failing)
    image.aio_flush(None).wait_for_complete_and_cb()
    deadline = time.monotonic() + 10
    while not told and time.monotonic() < deadline:
        # the traceback holds the frame of the callback, and that one the completion
        gc.collect()
    gc.collect()
    assert list(map(repr, told)) == ["ZeroDivisionError('mine')"]


def test_an_error_nobody_waits_for_is_told_at_exit(ceph_conf: str, image_name: str) -> None:
    text = textwrap.dedent(
        f"""
        import time
        from rbdcffi import rados, rbd
        called = []
        def failing(completion):
            called.append(1)
            raise ZeroDivisionError("mine")
        with rados.Rados(conffile={ceph_conf!r}) as cluster, cluster.open_ioctx("rbd") as ioctx:
            with rbd.Image(ioctx, {image_name!r}) as image:
                image.aio_flush(failing)
        while not called:
            time.sleep(0.01)
        time.sleep(0.1)
        """
    )
    done = subprocess.run(
        [sys.executable, "-c", text], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0
    if sys.implementation.name != "pypy":  # which runs no finalizers at exit
        assert done.stderr.count("ZeroDivisionError: mine") == 1


def test_what_it_says_before_it_is_done(ceph_cluster_factory: Any, fresh_name: str) -> None:
    cluster = ceph_cluster_factory(conf={"osd heartbeat grace": 3600})
    # the cache of Ceph 14 would answer without the OSD
    connection = rados.Rados(conffile=cluster.conf, conf={"rbd_cache": "false"})
    with connection, connection.open_ioctx("rbd") as ioctx:
        rbd.RBD().create(ioctx, fresh_name, 1 << 20)
        with rbd.Image(ioctx, fresh_name) as image:
            image.write(b"x", 0)
            cluster.osds[0].pause()
            try:
                completion = image.aio_read(0, 1, lambda completion, data: None)
                assert not completion.is_complete()
                assert completion.get_return_value() == 0
            finally:
                cluster.osds[0].resume()
            completion.wait_for_complete_and_cb()
            assert completion.is_complete()
            assert completion.get_return_value() == 1


def test_refused_at_once(image: rbd.Image) -> None:
    with pytest.raises(TypeError, match=r"Image\.aio_flush.*callable"):
        image.aio_flush(5)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"Image\.aio_read.*get the data"):
        image.aio_read(0, 1, None)  # type: ignore[arg-type]
    with pytest.raises(OverflowError, match=r"Image\.aio_read"):
        image.aio_read(0, -5, lambda *args: None)
    with pytest.raises(OverflowError, match=r"Image\.aio_discard"):
        image.aio_discard(-1, 5, lambda *args: None)
    image.close()
    with pytest.raises(rbd.InvalidArgument, match="image is closed"):
        image.aio_flush(lambda *args: None)


def test_what_c_used_goes_when_it_is_done(image: rbd.Image) -> None:
    class Data(bytearray):
        pass

    data = Data(b"x" * 4096)
    gone = weakref.ref(data)
    completion = image.aio_write(data, 0, lambda completion: None)
    completion.wait_for_complete_and_cb()
    del data
    deadline = time.monotonic() + 10
    while gone() is not None and time.monotonic() < deadline:
        gc.collect()
    assert gone() is None


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


class Opened:
    """What the callbacks of aio_open_image were given."""

    def __init__(self) -> None:
        self.calls: list[tuple[int | None, rbd.Image]] = []

    def __call__(self, completion: rbd.Completion, image: rbd.Image) -> None:
        self.calls.append((completion.get_return_value(), image))

    def one(self, completion: rbd.Completion) -> tuple[int | None, rbd.Image]:
        completion.wait_for_complete_and_cb()
        assert completion.is_complete()
        return self.calls.pop()


def test_open_and_close(ioctx: rados.Ioctx, image: rbd.Image) -> None:
    image.write(b"then", 0)
    image.create_snap("s")
    snap_id = next(iter(image.list_snaps()))["id"]
    image.write(b"now!", 0)
    image.flush()
    opened = Opened()
    for content, arguments in (
        (b"now!", {"name": image.name}),
        (b"now!", {"name": image.name.encode()}),
        (b"now!", {"image_id": image.id()}),
        (b"now!", {"name": image.name, "read_only": True}),
        (b"now!", {"image_id": image.id(), "read_only": True}),
        (b"then", {"name": image.name, "snapshot": "s"}),
        (b"then", {"image_id": image.id(), "snapshot": "s", "read_only": True}),
        (b"then", {"name": image.name, "snapshot": snap_id}),
    ):
        result, other = opened.one(RBD.aio_open_image(opened, ioctx, **arguments))
        assert result == 0
        assert (other.name, other.read(0, 4), other.closed) == (image.name, content, False)
        assert other.ioctx is ioctx
        if content == b"then" or "read_only" in arguments:
            with pytest.raises(rbd.ReadOnlyImage):
                other.write(b"x", 0)
        told: list[int | None] = []
        closing = other.aio_close(
            lambda completion, to=told: to.append(completion.get_return_value())
        )
        with pytest.raises(rbd.InvalidArgument, match="image is closed"):
            other.read(0, 4)
        closing.wait_for_complete_and_cb()
        assert (told, other.closed, closing.is_complete()) == ([0], True, True)
        with pytest.raises(rbd.InvalidArgument, match=r"Image\.aio_close.*image is closed"):
            other.aio_close(lambda completion: None)
        other.close()


def test_open_what_is_not_there(ioctx: rados.Ioctx, image_name: str) -> None:
    opened = Opened()
    for arguments in (
        ("no-such-image",),
        (image_name, "no-such-snap"),
        (image_name, 12345),
        (None, None, False, "no-such-id"),
        ("no-such-image", None, True),
    ):
        result, image = opened.one(RBD.aio_open_image(opened, ioctx, *arguments))
        assert result == -errno.ENOENT
        assert image.closed
        with pytest.raises(rbd.InvalidArgument, match="it was never opened"):
            image.size()
        image.close()
        del image
    RBD.remove(ioctx, image_name)  # nothing has it open


def test_open_is_refused_at_once(cluster: rados.Rados, ioctx: rados.Ioctx) -> None:
    opened = Opened()
    for wrong in (None, 5):
        with pytest.raises(TypeError, match=r"RBD\.aio_open_image.*callable"):
            RBD.aio_open_image(wrong, ioctx, "a")  # type: ignore[arg-type]
    with pytest.raises(rbd.InvalidArgument, match="give a name"):
        RBD.aio_open_image(opened, ioctx)
    with pytest.raises(rbd.InvalidArgument, match="not both"):
        RBD.aio_open_image(opened, ioctx, "a", image_id="b")
    with pytest.raises(OverflowError, match="snapshot"):
        RBD.aio_open_image(opened, ioctx, "a", -1)
    with pytest.raises(TypeError, match="Ioctx"):
        RBD.aio_open_image(opened, None, "a")  # type: ignore[arg-type]
    with cluster.open_ioctx("rbd") as other:
        pass
    with pytest.raises(rados.IoctxStateError):
        RBD.aio_open_image(opened, other, "a")
    assert opened.calls == []


def test_open_from_a_callback(ioctx: rados.Ioctx, image_name: str) -> None:
    """The callback may use the image, open another one, and close."""
    done = threading.Event()
    seen: list[object] = []

    def closed(completion: rbd.Completion) -> None:
        seen.append("closed")
        done.set()

    def second(completion: rbd.Completion, image: rbd.Image) -> None:
        seen.append(image.read(0, 3))
        image.aio_close(closed)

    def first(completion: rbd.Completion, image: rbd.Image) -> None:
        image.write(b"one", 0)
        image.close()
        RBD.aio_open_image(second, ioctx, image_name)

    RBD.aio_open_image(first, ioctx, image_name)
    assert done.wait(60)
    assert seen == [b"one", "closed"]


def test_closing_is_quicker_than_its_caller(
    ioctx: rados.Ioctx, image_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thread that closes is done before the caller has done anything more."""

    def run_at_once(target: Callable[[], object], *, name: str) -> None:
        thread = threading.Thread(target=target, name=name)
        thread.start()
        thread.join()

    image = rbd.Image(ioctx, image_name)
    with monkeypatch.context() as patched:
        patched.setattr("rbdcffi._completions.start_thread", run_at_once)
        completion = image.aio_close(lambda completion: None)
    completion.wait_for_complete_and_cb()
    with rbd.Image(ioctx, image_name) as other:
        assert len(list(other.watchers_list())) == 1


def test_many_are_opened_and_closed_at_once(ioctx: rados.Ioctx, image_name: str) -> None:
    opened = Opened()
    for completion in [RBD.aio_open_image(opened, ioctx, image_name) for _ in range(40)]:
        completion.wait_for_complete_and_cb()
    images = [image for result, image in opened.calls if result == 0]
    assert len(images) == 40
    written = [
        image.aio_write(bytes([i]) * 4096, i * 4096, lambda completion: None)
        for i, image in enumerate(images)
    ]
    closing = [image.aio_close(lambda completion: None) for image in images]
    assert {completion.get_return_value() for completion in closing} <= {0, None}
    for completion in closing:
        completion.wait_for_complete_and_cb()
        assert completion.get_return_value() == 0
    assert all(completion.is_complete() for completion in written)
    with rbd.Image(ioctx, image_name) as image:
        assert image.read(0, 40 * 4096) == b"".join(bytes([i]) * 4096 for i in range(40))
    RBD.remove(ioctx, image_name)


def test_close_inside_of_a_call(image: rbd.Image) -> None:
    """From the callback of a running call, which close() refuses."""
    image.write(b"x" * 4096, 0)
    closing: list[rbd.Completion] = []

    def extent(offset: int, length: int, exists: bool) -> None:
        with pytest.raises(rbd.InvalidArgument):
            image.close()
        if not closing:
            closing.append(image.aio_close(lambda completion: None))

    image.diff_iterate(0, image.size(), None, extent)
    closing[0].wait_for_complete_and_cb()
    assert image.closed


def test_unclosed_is_reported(ioctx: rados.Ioctx, image_name: str) -> None:
    opened = Opened()
    RBD.aio_open_image(opened, ioctx, image_name).wait_for_complete_and_cb()
    with pytest.warns(ResourceWarning, match=image_name):
        opened.calls.clear()
        gc.collect()
    RBD.remove(ioctx, image_name)


def test_the_cluster_is_closed_while_images_are_opened(ceph_conf: str, image_name: str) -> None:
    """shutdown() waits for them, and closes them, whenever it comes."""
    for wait in (0, 0.001, 0.01):
        opened = Opened()
        cluster = rados.Rados(conffile=ceph_conf)
        cluster.connect()
        ioctx = cluster.open_ioctx("rbd")
        completions = [RBD.aio_open_image(opened, ioctx, image_name) for _ in range(5)]
        ioctx.close()
        time.sleep(wait)
        cluster.shutdown()
        for completion in completions:
            completion.wait_for_complete_and_cb()
        assert len(opened.calls) == 5
        for _, image in opened.calls:
            assert image.closed
            with pytest.raises(rbd.InvalidArgument, match=r"image is closed|it was never opened"):
                image.size()


def test_shutdown_in_the_callback_of_an_opening(ceph_conf: str, image_name: str) -> None:
    opened = Opened()
    cluster = rados.Rados(conffile=ceph_conf)
    cluster.connect()
    ioctx = cluster.open_ioctx("rbd")

    started = threading.Event()

    def end(completion: rbd.Completion, image: rbd.Image) -> None:
        assert started.wait(60)
        opened(completion, image)
        cluster.shutdown()

    first = RBD.aio_open_image(end, ioctx, image_name)
    more = [RBD.aio_open_image(opened, ioctx, image_name) for _ in range(3)]
    started.set()
    for completion in (first, *more):
        completion.wait_for_complete_and_cb()
    assert cluster.state == "shutdown"
    assert all(image.closed for _, image in opened.calls)


EXIT = """
import sys
from rbdcffi import rados, rbd
cluster = rados.Rados(conffile=sys.argv[1])
cluster.connect()
ioctx = cluster.open_ioctx("rbd")
images = []
for _ in range(10):
    rbd.RBD().aio_open_image(lambda completion, image: images.append(image), ioctx, sys.argv[2])
if sys.argv[3] == "close":
    while len(images) < 10:
        pass
    for image in images:
        image.aio_write(b"x" * 4096, 0, lambda completion: None)
        image.aio_close(lambda completion: None)
print("end")
"""


@pytest.mark.parametrize("what", ["open", "close"])
def test_exit_in_the_middle(ceph_conf: str, image_name: str, what: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", EXIT, ceph_conf, image_name, what],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stdout) == (0, "end\n")
