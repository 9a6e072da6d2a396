"""Watchers, updates of an image, hooks around snapshots."""

from __future__ import annotations

import errno
import gc
import threading
import time
import warnings
from collections.abc import Iterator
from typing import Any, Callable

import pytest
from conftest import MIB
from test_lifetime import run

from rbdcffi import rados, rbd
from rbdcffi._ffi import has, lib

quiescing = pytest.mark.skipif(not has("rbd_quiesce_watch"), reason="quiesce hooks need Ceph 16")


@pytest.fixture(scope="module")
def second(ceph_conf: str, ceph_shared_pool: str) -> Iterator[rados.Ioctx]:
    """The pool, as another client sees it."""
    with rados.Rados(conffile=ceph_conf) as client, client.open_ioctx(ceph_shared_pool) as ioctx:
        yield ioctx


@pytest.fixture
def other(second: rados.Ioctx, image: rbd.Image) -> Iterator[rbd.Image]:
    """The image, opened by another client."""
    with rbd.Image(second, image.name) as opened:
        yield opened


def wait(condition: Callable[[], object], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not happen"
        time.sleep(0.005)


class Thread(threading.Thread):
    """A call in a thread; `outcome` is what it returned or raised."""

    def __init__(self, call: Callable[[], object]) -> None:
        super().__init__(daemon=True)
        self.call = call
        self.outcome: Any = "running"
        self.start()

    def run(self) -> None:
        try:
            self.outcome = self.call()
        except BaseException as error:
            self.outcome = error

    def end(self) -> Any:
        self.join(30)
        assert not self.is_alive(), "hangs"
        return self.outcome


@pytest.fixture
def reported(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What reaches threading.excepthook."""
    found: list[Any] = []
    monkeypatch.setattr(threading, "excepthook", found.append)
    return found


# -- watchers ---------------------------------------------------------------------------------


def test_watchers(
    image: rbd.Image, cluster: rados.Rados, second: rados.Ioctx, image_name: str
) -> None:
    listed = image.watchers_list()
    (watcher,) = listed
    assert list(listed) == [watcher]
    assert watcher["id"] == cluster.get_instance_id()
    assert watcher["addr"] in cluster.get_addrs()
    assert {key: type(value) for key, value in watcher.items()} == {
        "addr": str,
        "id": int,
        "cookie": int,
    }
    with rbd.Image(second, image_name), rbd.Image(second, image_name, read_only=True):
        assert len(list(image.watchers_list())) == 2
    assert list(image.watchers_list()) == [watcher]
    with pytest.raises(TypeError, match=r"rbdcffi\.rbd\.Image"):
        rbd.WatcherIterator(5)  # type: ignore[arg-type]


def test_more_watchers_than_fit_at_first(
    image: rbd.Image, ioctx: rados.Ioctx, image_name: str
) -> None:
    images = [rbd.Image(ioctx, image_name) for _ in range(25)]
    found = list(image.watchers_list())
    assert len({watcher["cookie"] for watcher in found}) == 26
    for opened in images:
        opened.close()


# -- updates ----------------------------------------------------------------------------------


def test_updates_by_another_client_and_by_this_one(image: rbd.Image, other: rbd.Image) -> None:
    sizes: list[int] = []
    names: set[str] = set()

    def changed() -> None:
        names.add(threading.current_thread().name)
        sizes.append(image.size())

    with image.update_watch(changed) as watch:
        assert "open" in repr(watch)
        other.resize(20 * MIB)
        wait(lambda: 20 * MIB in sizes)
        image.resize(24 * MIB)
        wait(lambda: 24 * MIB in sizes)
        seen = len(sizes)
        other.create_snap("s")
        wait(lambda: len(sizes) > seen)
        time.sleep(0.2)
        seen = len(sizes)
        other.write(b"data", 0)
        other.flush()
        time.sleep(0.3)
        # taking the exclusive lock may count as a change, writing does not
        other.write(b"data", 0)
        other.flush()
    assert watch.closed and "closed" in repr(watch)
    assert names == {"rbdcffi-watch"}
    time.sleep(0.1)
    seen = len(sizes)
    other.resize(28 * MIB)
    time.sleep(0.3)
    assert len(sizes) == seen


def test_a_burst_is_one_call(image: rbd.Image, other: rbd.Image) -> None:
    calls: list[int] = []
    inside, proceed = threading.Event(), threading.Event()

    def slow() -> None:
        calls.append(1)
        inside.set()
        assert proceed.wait(20)

    with image.update_watch(slow):
        other.create_snap("first")
        assert inside.wait(20)
        # librbd itself is not held up by the callback
        for number in range(10):
            other.create_snap(f"s{number}")
        assert len(list(image.list_snaps())) == 11
        assert len(calls) == 1
        proceed.set()
        wait(lambda: len(calls) > 1)
        time.sleep(0.3)
        assert len(calls) == 2


def test_several_watches(image: rbd.Image, other: rbd.Image) -> None:
    calls = [0] * 5

    def counter(index: int) -> Callable[[], None]:
        def count() -> None:
            calls[index] += 1

        return count

    watches = [image.update_watch(counter(index)) for index in range(5)]
    other.resize(20 * MIB)
    wait(lambda: all(calls))
    for watch in watches[::2]:
        watch.close()
        watch.close()
    before = list(calls)
    other.create_snap("s")
    wait(lambda: calls[1] > before[1] and calls[3] > before[3])
    assert calls[::2] == before[::2]
    image.close()
    assert all(watch.closed for watch in watches)
    for watch in watches:
        watch.close()


def test_exceptions_of_callbacks_are_reported(
    image: rbd.Image, other: rbd.Image, reported: list[Any]
) -> None:
    problem = ZeroDivisionError("mine")
    calls: list[int] = []

    def failing() -> None:
        calls.append(1)
        raise problem

    with image.update_watch(failing):
        other.create_snap("a")
        wait(lambda: reported)
        assert reported[0].exc_value is problem
        assert reported[0].thread.name == "rbdcffi-watch"
        before = len(calls)
        other.create_snap("b")
        wait(lambda: len(calls) > before)


@pytest.mark.parametrize("what", ["watch", "image"])
def test_closing_in_the_callback(image: rbd.Image, other: rbd.Image, what: str) -> None:
    done = threading.Event()

    def close() -> None:
        (watch if what == "watch" else image).close()
        done.set()

    watch = image.update_watch(close)
    other.create_snap("s")
    assert done.wait(20)
    assert watch.closed
    assert image.closed == (what == "image")
    watch.close()


def test_closing_does_not_wait_for_the_callback(image: rbd.Image, other: rbd.Image) -> None:
    inside, proceed = threading.Event(), threading.Event()

    def stuck() -> None:
        inside.set()
        proceed.wait(30)

    watch = image.update_watch(stuck)
    other.create_snap("s")
    assert inside.wait(20)
    began = time.monotonic()
    watch.close()
    image.close()
    assert time.monotonic() - began < 10
    proceed.set()


def test_a_snapshot_can_be_selected_while_one_watches(image: rbd.Image) -> None:
    """Selecting a snapshot waits until it is alone with the image."""
    image.create_snap("s")
    called = threading.Event()
    with image.update_watch(called.set):
        image.set_snap("s")
        image.set_snap(None)
        image.create_snap("t")
        assert called.wait(20)


def test_an_image_opened_at_a_snapshot(
    image: rbd.Image, ioctx: rados.Ioctx, other: rbd.Image
) -> None:
    image.create_snap("s")
    called = threading.Event()
    with rbd.Image(ioctx, image.name, snapshot="s") as old, old.update_watch(called.set):
        other.create_snap("t")
        assert called.wait(20)


def test_bad_arguments(image: rbd.Image, ioctx: rados.Ioctx) -> None:
    with pytest.raises(TypeError, match=r"Image\.update_watch.*callback must be callable, not int"):
        image.update_watch(5)  # type: ignore[arg-type]
    with rbd.Image(ioctx, image.name, read_only=True) as reading:
        with pytest.raises(rbd.ReadOnlyImage, match=r"update_watch.*opened read_only") as caught:
            reading.update_watch(print)
        assert caught.value.errno == errno.EROFS
    image.close()
    with pytest.raises(rbd.InvalidArgument, match=r"update_watch.*image is closed"):
        image.update_watch(print)
    with pytest.raises(rbd.InvalidArgument, match=r"watchers_list.*image is closed"):
        image.watchers_list()


def test_forgotten_watches(image: rbd.Image, other: rbd.Image) -> None:
    calls: list[int] = []
    watch = image.update_watch(lambda: calls.append(image.size()))
    registration = watch._registration
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        del watch
        gc.collect()
        gc.collect()
    assert [w.category for w in caught] == [ResourceWarning]
    assert image.name in str(caught[0].message)
    rbd.Image(other.ioctx, image.name).close()  # PyPy leaves the closing to whoever comes next
    assert registration.closed
    other.create_snap("s")
    time.sleep(0.2)
    assert calls == []


def test_an_image_with_a_watch_is_collected(ioctx: rados.Ioctx, image_name: str) -> None:
    image = rbd.Image(ioctx, image_name)
    handle = image._handle
    assert handle is not None
    image.kept = image.update_watch(image.size)  # type: ignore[attr-defined]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        del image
        gc.collect()
        gc.collect()
    assert {w.category for w in caught} == {ResourceWarning}
    rbd.RBD().remove(ioctx, image_name)
    assert handle.closed


# -- hooks around snapshots -------------------------------------------------------------------


class Hooks:
    """Records what is called."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.frozen = False

    def quiesce(self) -> None:
        assert not self.frozen
        self.frozen = True
        self.log.append("quiesce")

    def unquiesce(self) -> None:
        assert self.frozen
        self.frozen = False
        self.log.append("unquiesce")


@quiescing
def test_hooks(image: rbd.Image, other: rbd.Image) -> None:
    hooks = Hooks()
    with image.quiesce_watch(hooks.quiesce, hooks.unquiesce):
        for maker in (other, image):
            maker.create_snap(f"by {'another' if maker is other else 'this'}")
            wait(lambda: len(hooks.log) == 2)
            assert hooks.log == ["quiesce", "unquiesce"]
            hooks.log.clear()
        other.create_snap("unasked", rbd.RBD_SNAP_CREATE_SKIP_QUIESCE)
        other.remove_snap("unasked")
        time.sleep(0.2)
        assert hooks.log == []
    other.create_snap("after")
    time.sleep(0.2)
    assert hooks.log == []


@quiescing
def test_what_a_hook_wrote_is_in_the_snapshot(image: rbd.Image, other: rbd.Image) -> None:
    """The purpose: an application brings its image into order before the snapshot."""
    image.write(b"in the middle", 0)

    def quiesce() -> None:
        image.write(b"in good order", 0)
        image.flush()

    with image.quiesce_watch(quiesce, lambda: image.write(b"goes on ahead", 0) and None):
        other.create_snap("s")
        wait(lambda: image.read(0, 13) == b"goes on ahead")
    with rbd.Image(other.ioctx, image.name, snapshot="s") as old:
        assert old.read(0, 13) == b"in good order"


@quiescing
@pytest.mark.parametrize(
    ("problem", "expected", "number"),
    [
        (OSError(errno.ENOSPC, "full"), rbd.NoSpace, errno.ENOSPC),
        (TimeoutError(errno.ETIMEDOUT, "slow"), rbd.Timeout, errno.ETIMEDOUT),
        (rbd.ImageBusy("busy", errno.EBUSY), rbd.ImageBusy, errno.EBUSY),
        (ZeroDivisionError(), rbd.InvalidArgument, errno.EINVAL),
        (TimeoutError(), rbd.InvalidArgument, errno.EINVAL),
        (SystemExit(3), rbd.InvalidArgument, errno.EINVAL),
        # librbd takes these for success, or asks again without end
        (FileExistsError(errno.EEXIST, "there"), rbd.InvalidArgument, errno.EINVAL),
        (OSError(errno.EOPNOTSUPP, "no"), rbd.InvalidArgument, errno.EINVAL),
        (OSError(errno.ERESTART, "again"), rbd.InvalidArgument, errno.EINVAL),
        (OSError(1 << 40, "strange"), rbd.InvalidArgument, errno.EINVAL),
        (OSError(-5, "strange"), rbd.InvalidArgument, errno.EINVAL),
    ],
)
def test_a_hook_that_fails(
    image: rbd.Image,
    other: rbd.Image,
    reported: list[Any],
    problem: BaseException,
    expected: type[Exception],
    number: int,
) -> None:
    hooks = Hooks()

    def fail() -> None:
        hooks.log.append("failed")
        raise problem

    with image.quiesce_watch(fail, hooks.unquiesce):
        making = Thread(lambda: other.create_snap("s"))
        error = making.end()
        assert type(error) is expected and error.errno == number
        assert [args.exc_value for args in reported] == [problem]
        assert list(other.list_snaps()) == []
        other.create_snap("all the same", rbd.RBD_SNAP_CREATE_IGNORE_QUIESCE_ERROR)
        other.create_snap("unasked", rbd.RBD_SNAP_CREATE_SKIP_QUIESCE)
        assert len(list(other.list_snaps())) == 2
        time.sleep(0.1)
        assert hooks.log == ["failed", "failed"]


@quiescing
def test_an_unquiesce_that_fails(image: rbd.Image, other: rbd.Image, reported: list[Any]) -> None:
    def fail() -> None:
        raise OSError(errno.EIO, "too late to matter")

    with image.quiesce_watch(lambda: None, fail):
        for name in "ab":
            other.create_snap(name)
        wait(lambda: len(reported) == 2)
    assert len(list(other.list_snaps())) == 2


@quiescing
def test_several_hooks_of_several_clients(
    image: rbd.Image, other: rbd.Image, ioctx: rados.Ioctx, reported: list[Any]
) -> None:
    """All are asked at the same time, and the snapshot is made when all have agreed."""
    barrier = threading.Barrier(6)
    log: list[str] = []
    refusing = threading.Event()

    def quiesce() -> None:
        barrier.wait(20)
        log.append("quiesce")
        if refusing.is_set():
            raise OSError(errno.EBUSY, "not now")

    def agree() -> None:
        barrier.wait(20)
        log.append("quiesce")

    def unquiesce() -> None:
        log.append("unquiesce")

    with rbd.Image(ioctx, image.name) as third:
        watches = [opened.quiesce_watch(agree, unquiesce) for opened in (image, other, third)]
        watches += [opened.quiesce_watch(agree, unquiesce) for opened in (image, third)]
        watches.append(other.quiesce_watch(quiesce, unquiesce))
        other.create_snap("s")
        wait(lambda: len(log) == 12)
        assert log == ["quiesce"] * 6 + ["unquiesce"] * 6
        log.clear()
        refusing.set()
        making = Thread(lambda: image.create_snap("t"))
        assert isinstance(making.end(), rbd.ImageBusy)
        wait(lambda: len(log) == 11)
        assert log == ["quiesce"] * 6 + ["unquiesce"] * 5
        for watch in watches:
            watch.close()
        image.create_snap("t")


class Stuck:
    """A hook that does not return until it is told to."""

    def __init__(self, image: rbd.Image) -> None:
        self.inside, self.proceed = threading.Event(), threading.Event()
        self.thawed = threading.Event()
        self.watch = image.quiesce_watch(self.quiesce, self.thawed.set)

    def quiesce(self) -> None:
        self.inside.set()
        assert self.proceed.wait(60)


@quiescing
@pytest.mark.parametrize("what", ["watch", "image"])
def test_closing_while_a_hook_does_not_return(
    image: rbd.Image, other: rbd.Image, what: str
) -> None:
    stuck = Stuck(image)
    making = Thread(lambda: other.create_snap("s"))
    assert stuck.inside.wait(20)
    time.sleep(0.2)
    assert making.outcome == "running"
    closing = Thread((stuck.watch if what == "watch" else image).close)
    assert closing.end() is None
    assert isinstance(making.end(), rbd.OperationCanceled)
    assert not stuck.thawed.is_set()
    # it succeeds after all: nobody waits for it any more, but it must be undone
    stuck.proceed.set()
    assert stuck.thawed.wait(20)
    assert Thread(lambda: other.create_snap("s")).end() is None


@quiescing
def test_a_watch_does_not_wait_for_the_hook_of_another(image: rbd.Image, other: rbd.Image) -> None:
    hooks = Hooks()
    stuck = Stuck(image)
    innocent = image.quiesce_watch(hooks.quiesce, hooks.unquiesce)
    making = Thread(lambda: other.create_snap("s"))
    assert stuck.inside.wait(20)
    wait(lambda: hooks.log)
    assert Thread(innocent.close).end() is None
    assert innocent.closed
    wait(lambda: hooks.log == ["quiesce", "unquiesce"])
    stuck.proceed.set()
    assert making.end() is None
    assert stuck.thawed.wait(20)
    # librbd still has it; it must not be heard of
    other.create_snap("t")
    assert len(hooks.log) == 2


@quiescing
def test_one_after_the_other(image: rbd.Image, other: rbd.Image) -> None:
    """Closed watches leave nothing behind but one that the next takes over."""
    for number in range(20):
        hooks, more = Hooks(), Hooks()
        with image.quiesce_watch(hooks.quiesce, hooks.unquiesce):
            with image.quiesce_watch(more.quiesce, more.unquiesce):
                other.create_snap(f"both {number}")
            other.create_snap(f"one {number}")
            wait(lambda h=hooks, m=more: len(h.log) == 4 and len(m.log) == 2)  # type: ignore[misc]
        other.create_snap(f"none {number}")
        assert hooks.log == ["quiesce", "unquiesce"] * 2
        assert more.log == ["quiesce", "unquiesce"]
        assert image._handle is not None
        assert len(image._handle.children()) <= 2


@quiescing
def test_closing_an_image_whose_hooks_do_not_return(image: rbd.Image, other: rbd.Image) -> None:
    stuck = [Stuck(image) for _ in range(4)]
    making = Thread(lambda: other.create_snap("s"))
    assert all(one.inside.wait(20) for one in stuck)
    assert Thread(image.close).end() is None
    assert isinstance(making.end(), rbd.OperationCanceled)
    for one in stuck:
        assert one.watch.closed
        one.proceed.set()
        assert one.thawed.wait(20)


@quiescing
def test_closing_while_quiesced(image: rbd.Image, other: rbd.Image) -> None:
    """One has agreed and waits for another one: if it is closed then, it must be thawed."""
    hooks = Hooks()
    watch = image.quiesce_watch(hooks.quiesce, hooks.unquiesce)
    stuck = Stuck(other)
    making = Thread(lambda: other.create_snap("s"))
    assert stuck.inside.wait(20)
    wait(lambda: hooks.frozen)
    watch.close()
    wait(lambda: not hooks.frozen)
    stuck.proceed.set()
    assert making.end() is None
    assert hooks.log == ["quiesce", "unquiesce"]
    stuck.watch.close()
    assert Thread(lambda: other.create_snap("t")).end() is None


@quiescing
@pytest.mark.parametrize("what", ["watch", "image", "both"])
def test_closing_in_a_hook(image: rbd.Image, other: rbd.Image, what: str) -> None:
    thawed = threading.Event()

    def quiesce() -> None:
        if what != "image":
            watch.close()
        if what != "watch":
            image.close()

    watch = image.quiesce_watch(quiesce, thawed.set)
    making = Thread(lambda: other.create_snap("s"))
    assert isinstance(making.end(), rbd.OperationCanceled)
    assert thawed.wait(20)
    assert Thread(lambda: other.create_snap("t")).end() is None


@quiescing
def test_what_waits_for_the_snapshot_is_refused_in_a_hook(
    ioctx: rados.Ioctx, image: rbd.Image, other: rbd.Image
) -> None:
    name = image.name
    rbd.RBD().group_create(ioctx, f"group-{name}")
    group = rbd.Group(ioctx, f"group-{name}")
    group.add_image(ioctx, name)
    seen: list[tuple[str, float]] = []

    def hook() -> None:
        for call in (
            lambda: image.create_snap("inner"),
            lambda: image.resize(1 << 20),
            lambda: image.rollback_to_snap("inner"),
        ):
            began = time.monotonic()
            with pytest.raises(rbd.InvalidArgument, match="this is a quiesce hook") as caught:
                call()
            seen.append((str(caught.value), time.monotonic() - began))

    def group_hook() -> None:
        began = time.monotonic()
        with pytest.raises(rbd.InvalidArgument, match="this is a quiesce hook") as caught:
            group.create_snap("inner")
        seen.append((str(caught.value), time.monotonic() - began))

    with image.quiesce_watch(hook, lambda: None):
        image.create_snap("own")
        other.create_snap("another's")
    with image.quiesce_watch(group_hook, lambda: None):
        group.create_snap("outer")
    assert len(seen) == 7
    assert "create_snap('inner')" in seen[0][0] and max(took for _, took in seen) < 5
    assert [snap["name"] for snap in group.list_snaps()] == ["outer"]
    # not in what follows
    thawed: list[object] = []
    with image.quiesce_watch(lambda: None, lambda: thawed.append(image.resize(24 * MIB))):
        other.create_snap("last")
        wait(lambda: thawed)
    assert image.size() == 24 * MIB


@quiescing
def test_bad_hooks(image: rbd.Image, ioctx: rados.Ioctx) -> None:
    with pytest.raises(TypeError, match=r"quiesce_watch.*on_quiesce must be callable"):
        image.quiesce_watch(None, print)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"quiesce_watch.*on_unquiesce must be callable"):
        image.quiesce_watch(print, None)  # type: ignore[arg-type]
    with rbd.Image(ioctx, image.name, read_only=True) as reading:
        with pytest.raises(rbd.ReadOnlyImage, match=r"quiesce_watch.*opened read_only"):
            reading.quiesce_watch(print, print)
    image.close()
    with pytest.raises(rbd.InvalidArgument, match=r"quiesce_watch.*image is closed"):
        image.quiesce_watch(print, print)


@pytest.mark.skipif(has("rbd_quiesce_watch"), reason="it is there")
def test_hooks_are_absent(image: rbd.Image) -> None:
    assert not hasattr(image, "quiesce_watch")


def test_no_descriptor_and_no_hold_is_left(image: rbd.Image) -> None:
    import os

    def open_files() -> int:
        return len(os.listdir("/proc/self/fd"))

    def watch() -> None:
        image.update_watch(lambda: None).close()
        if has("rbd_quiesce_watch"):
            image.quiesce_watch(lambda: None, lambda: None).close()

    watch()  # the last of the closed ones stays
    gc.collect()
    before = open_files()
    for _ in range(50):
        watch()
    wait(lambda: not [t for t in threading.enumerate() if t.name == "rbdcffi-watch"])
    gc.collect()
    gc.collect()
    assert open_files() <= before
    assert lib.rbdcffi_handle_uses(image._gate) == 0


# -- what could take the process down ---------------------------------------------------------

SECOND = """
client = rados.Rados(conffile={conf!r}); client.connect()
second = client.open_ioctx("rbd")
HOOKS = hasattr(rbd.Image, "quiesce_watch")
"""


def program(ceph_conf: str, name: str, code: str, **options: Any) -> str:
    from test_lifetime import PRELUDE

    return run(ceph_conf, name, code, prelude=PRELUDE + SECOND, **options).stdout


def test_watching_and_closing_under_load(ceph_conf: str, fresh_name: str) -> None:
    done = program(
        ceph_conf,
        fresh_name,
        """
        fresh(NAME, 4 * MIB, 0).close()
        stop = threading.Event()
        other = rbd.Image(second, NAME)
        problems = []
        # librbd 16 aborts when an open image gets its first hooks while a snapshot is being made,
        # and now and then never returns when such an image is closed meanwhile
        making = threading.Lock()
        def change():
            number = 0
            while not stop.is_set():
                number += 1
                try:
                    with making:
                        other.create_snap(f"s{number}")
                    other.remove_snap(f"s{number}")
                except (rbd.OperationCanceled, rbd.InvalidArgument):
                    pass  # a hook was given up, or found its image closed
                except rbd.Error as error:
                    problems.append(error)
        def watch():
            while not stop.is_set():
                image = rbd.Image(ioctx, NAME)
                watches = [image.update_watch(image.size) for _ in range(3)]
                if HOOKS:
                    with making:
                        watches += [image.quiesce_watch(image.size, image.size) for _ in range(3)]
                threads = [threading.Thread(target=thing.close)
                           for thing in (watches[0], watches[-1], image)]
                time.sleep(0.02)
                with making:
                    for thread in threads: thread.start()
                    for thread in threads: thread.join()
                assert all(watch.closed for watch in watches)
        threading.excepthook = lambda args: (
            problems.append(args.exc_value)
            if not isinstance(args.exc_value, rbd.InvalidArgument) else None)
        threads = [threading.Thread(target=watch) for _ in range(3)]
        threads.append(threading.Thread(target=change))
        for thread in threads: thread.start()
        time.sleep(4)
        stop.set()
        for thread in threads: thread.join()
        assert not problems, problems
        cluster.shutdown(); client.shutdown()
        print("done")
        """,
    )
    assert done == "done\n"


@pytest.mark.parametrize("ending", ["pass", "sys.exit(3)", "raise RuntimeError", "del image, keep"])
@pytest.mark.parametrize("stuck", [False, True])
def test_exit_with_watches(ceph_conf: str, fresh_name: str, ending: str, stuck: bool) -> None:
    program(
        ceph_conf,
        fresh_name,
        f"""
        image = fresh(NAME, 4 * MIB, 0)
        inside = threading.Event()
        def hook():
            inside.set()
            if {stuck}: time.sleep(1000)
        keep = [image.update_watch(hook)]
        other = rbd.Image(second, NAME)
        if HOOKS:
            keep.append(image.quiesce_watch(hook, lambda: None))
        def change():
            try:
                for number in range(1 if {stuck} else 30):
                    other.create_snap(str(number))
            except rbd.Error:
                pass
        threading.Thread(target=change, daemon=True).start()
        assert inside.wait(20)
        {ending}
        """,
        expect={"sys.exit(3)": 3, "raise RuntimeError": 1}.get(ending, 0),
    )


def test_forks_with_watches(ceph_conf: str, fresh_name: str) -> None:
    done = program(
        ceph_conf,
        fresh_name,
        """
        image = fresh(NAME, 4 * MIB, 0)
        called = threading.Event()
        watches = [image.update_watch(called.set)]
        if HOOKS:
            watches.append(image.quiesce_watch(lambda: None, lambda: None))
        child = os.fork()
        if child == 0:
            signal.alarm(20)
            assert all(watch.closed for watch in watches)
            for watch in watches:
                watch.close()
            try:
                image.update_watch(print)
            except rbd.InvalidArgument as error:
                assert "forked" in str(error), error
            else:
                raise AssertionError
            del watches, watch, image
            gc.collect()
            with rados.Rados(conffile=CONF) as own, own.open_ioctx("rbd") as mine:
                with rbd.Image(mine, NAME) as again:
                    told = threading.Event()
                    with again.update_watch(told.set):
                        again.create_snap("by the child")
                        assert told.wait(10)
            sys.exit(7)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
        assert called.wait(10)
        called.clear()
        image.create_snap("by the parent")
        assert called.wait(10)
        assert not any(watch.closed for watch in watches)
        image.close()
        assert all(watch.closed for watch in watches)
        print("fine")
        """.replace("CONF", repr(ceph_conf)),
    )
    assert done == "fine\n"


@quiescing
def test_a_client_that_dies_while_others_are_quiesced(
    ceph_conf: str, fresh_name: str, ioctx: rados.Ioctx
) -> None:
    """A snapshot that is never made thaws all the same, when librbd notices."""
    rbd.RBD().create(ioctx, fresh_name, 4 * MIB)
    hooks = Hooks()
    with rbd.Image(ioctx, fresh_name) as image:
        stuck = Stuck(image)
        with image.quiesce_watch(hooks.quiesce, hooks.unquiesce):
            dying = Thread(
                lambda: program(
                    ceph_conf,
                    fresh_name,
                    """
                    image = rbd.Image(ioctx, NAME)
                    threading.Timer(1, os._exit, (9,)).start()
                    image.create_snap("never")
                    """,
                    expect=9,
                )
            )
            assert stuck.inside.wait(20)
            assert isinstance(dying.end(), str)
            stuck.proceed.set()
            wait(lambda: stuck.thawed.is_set() and not hooks.frozen, 90)
        assert list(image.list_snaps()) == []
        stuck.watch.close()
