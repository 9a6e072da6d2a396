"""Watching objects, and notifying those who watch them."""

from __future__ import annotations

import errno
import gc
import textwrap
import threading
import time
import warnings
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from test_lifetime import run
from test_rbd_watching import Thread, wait

from rbdcffi import rados
from rbdcffi._ffi import lib
from rbdcffi.rados import watching
from rbdcffi.rados.watching import decoded
from rbdcffi.testing import Cluster


@pytest.fixture
def obj(ioctx: rados.Ioctx, fresh_name: str) -> str:
    """A new object."""
    ioctx.write_full(fresh_name, b"watched")
    return fresh_name


@pytest.fixture(scope="module")
def second(ceph_conf: str, ceph_shared_pool: str) -> Iterator[rados.Ioctx]:
    """The pool, as another client sees it."""
    with rados.Rados(conffile=ceph_conf) as client, client.open_ioctx(ceph_shared_pool) as ioctx:
        yield ioctx


@pytest.fixture
def reported(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What reaches threading.excepthook."""
    found: list[Any] = []
    monkeypatch.setattr(threading, "excepthook", found.append)
    return found


def test_watch_and_notify(
    ioctx: rados.Ioctx, second: rados.Ioctx, obj: str, cluster: rados.Rados
) -> None:
    calls: list[Any] = []
    with ioctx.watch(obj, lambda *args: calls.append(args)) as watch:
        assert "open" in repr(watch) and obj in repr(watch)
        assert watch.get_id() > 0 and not watch.closed
        assert isinstance(watch.check(), timedelta) and watch.check() < timedelta(seconds=30)
        assert second.notify(obj, "text") is True
        assert second.notify(obj, b"\0bytes") is True  # type: ignore[arg-type]
        assert ioctx.notify(obj) is True
        theirs = second.rados.get_instance_id()
        assert [call[1:] for call in calls] == [
            (theirs, watch.get_id(), b"text"),
            (theirs, watch.get_id(), b"\0bytes"),
            (cluster.get_instance_id(), watch.get_id(), b""),
        ]
        assert len({call[0] for call in calls}) == 3
    assert watch.closed and "closed" in repr(watch) and watch.get_id() == 0
    with pytest.raises(rados.IoctxStateError, match=r"Watch\.check.*closed"):
        watch.check()
    watch.close()
    assert second.notify2(obj, "nobody") == ([], [])
    assert len(calls) == 3


@pytest.mark.parametrize(
    ("reply", "expected"),
    [(None, b""), (b"\0x", b"\0x"), ("\u00fc", b"\xc3\xbc"), (bytearray(b"b"), b"b"), ("", b"")],
)
def test_replies(ioctx: rados.Ioctx, obj: str, reply: object, expected: bytes) -> None:
    with ioctx.watch(obj, lambda *args: reply) as watch:
        response = ioctx.notify2(obj, "?")
        assert response.acks == [(ioctx.rados.get_instance_id(), watch.get_id(), expected)]
        assert response.timeouts == []


def test_several_watches_and_one_that_is_slow(
    ioctx: rados.Ioctx, second: rados.Ioctx, obj: str
) -> None:
    proceed = threading.Event()
    watches = [ioctx.watch(obj, lambda *args: b"1"), second.watch(obj, lambda *args: b"2")]
    slow = second.watch(obj, lambda *args: proceed.wait(20) and None)
    response = ioctx.notify2(obj, "?", 1000)
    assert sorted(ack[1:] for ack in response.acks) == sorted(
        [(watches[0].get_id(), b"1"), (watches[1].get_id(), b"2")]
    )
    assert response.timeouts == [(second.rados.get_instance_id(), slow.get_id())]
    began = time.monotonic()
    with pytest.raises(rados.TimedOut, match=rf"Ioctx\.notify of object {obj!r}") as caught:
        ioctx.notify(obj, "?", 500)
    # librados would wait for 30 seconds
    assert time.monotonic() - began < 10
    assert caught.value.errno == errno.ETIMEDOUT
    proceed.set()
    for watch in [*watches, slow]:
        watch.close()


def test_an_exception_is_reported_and_nothing_acknowledged(
    ioctx: rados.Ioctx, obj: str, reported: list[Any]
) -> None:
    problem = ZeroDivisionError("mine")

    def failing(*args: object) -> object:
        if reported:
            return 5
        raise problem

    with ioctx.watch(obj, failing) as watch:
        for number in (1, 2):
            response = ioctx.notify2(obj, "?", 500)
            assert response.acks == []
            assert [w for _, w in response.timeouts] == [watch.get_id()]
            assert len(reported) == number
    assert reported[0].exc_value is problem and reported[0].thread.name == "rbdcffi-watch"
    assert reported[1].exc_type is TypeError
    assert "bytes, str or None, not int" in str(reported[1].exc_value)


def test_a_watch_that_is_lost(ioctx: rados.Ioctx, obj: str) -> None:
    errors: list[tuple[int, ...]] = []
    with ioctx.watch(obj, lambda *args: None, lambda *args: errors.append(args)) as watch:
        ioctx.remove_object(obj)
        wait(lambda: errors)
        assert errors == [(watch.get_id(), -errno.ENOTCONN)]
        with pytest.raises(rados.NotConnected, match=r"Watch\.check") as caught:
            watch.check()
        assert caught.value.errno == errno.ENOTCONN
        assert not watch.closed
    ioctx.write_full(obj, b"again")
    with ioctx.watch(obj, lambda *args: b"here"):
        assert [reply for *_, reply in ioctx.notify2(obj).acks] == [b"here"]


def test_a_callback_is_told(ioctx: rados.Ioctx, second: rados.Ioctx, obj: str) -> None:
    told: list[Any] = []

    def done(*args: Any) -> None:
        told.append(args)

    with second.watch(obj, lambda *args: b"reply") as watch:
        completion = ioctx.aio_notify(obj, done, "?")
        assert completion.wait_for_complete_and_cb() == 0
        acks = [(second.rados.get_instance_id(), watch.get_id(), b"reply")]
        assert told.pop() == (completion, 0, acks, [])
        assert completion.is_complete() and completion.is_safe()
        assert completion.get_return_value() == 0
    missing = ioctx.aio_notify("none", done)
    missing.wait_for_complete()
    missing.wait_for_safe_and_cb()
    assert told.pop() == (missing, -errno.ENOENT, None, None)
    assert missing.get_return_value() == -errno.ENOENT
    proceed = threading.Event()
    with second.watch(obj, lambda *args: proceed.wait(20) and None):
        late = ioctx.aio_notify(obj, done, "?", 1000)
        assert not late.is_complete() and late.get_return_value() == 0
        late.wait_for_complete_and_cb()
        assert told.pop() == (late, -errno.ETIMEDOUT, None, None)
        proceed.set()


def test_a_callback_that_raises_or_closes(
    ioctx: rados.Ioctx, obj: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem = ZeroDivisionError("mine")

    def failing(*args: object) -> None:
        raise problem

    for _ in range(2):
        with pytest.raises(ZeroDivisionError) as caught:
            ioctx.aio_notify(obj, failing).wait_for_complete_and_cb()
        assert caught.value is problem
    unheard: list[Any] = []
    monkeypatch.setattr("sys.unraisablehook", unheard.append)
    forgotten = ioctx.aio_notify(obj, lambda *args: 1 // 0)
    wait(forgotten._called.is_set)
    del forgotten

    def collected() -> list[Any]:
        gc.collect()
        return unheard

    wait(collected)
    with ioctx.dup() as own:
        own.aio_notify(obj, lambda *args: own.close()).wait_for_complete_and_cb()
        assert own.state == "closed"
        with pytest.raises(rados.IoctxStateError, match=r"Ioctx\.aio_notify"):
            own.aio_notify(obj, print)
    with pytest.raises(TypeError, match=r"aio_notify of object .*oncomplete must be callable"):
        ioctx.aio_notify(obj, 5)  # type: ignore[arg-type]


def test_more_than_fit(ioctx: rados.Ioctx, second: rados.Ioctx, obj: str) -> None:
    """What waits is bounded; those whose notification was left out know it."""
    registration = watching.Registration(ioctx, "test", obj, None, capacity=3)
    try:
        responses = [
            Thread(lambda n=n: second.notify2(obj, str(n), 3000))  # type: ignore[misc]
            for n in range(8)
        ]
        wait(lambda: any(not t.is_alive() for t in responses))
        taken = []
        while True:
            notice = registration.receiver.take()
            if notice is None:
                break
            taken.append(notice)
        assert [n.kind for n in taken] == [lib.RBDCFFI_NOTICE_NOTIFY] * 3 + [
            lib.RBDCFFI_NOTICE_MISSED
        ]
        assert watching.error_of(taken[-1]) == -errno.ENOBUFS
        assert all(len(t.end().timeouts) == 1 for t in responses)
        # there is room again
        asking = Thread(lambda: second.notify2(obj, "again", 3000))
        wait(lambda: (found := registration.receiver.take()) and taken.append(found) is None)
        registration.acknowledge(taken[-1].numbers[0], b"now")
        assert [reply for *_, reply in asking.end().acks] == [b"now"]
    finally:
        registration.close()


def test_namespaces_and_locators(ioctx: rados.Ioctx, obj: str) -> None:
    """The watch stays where it was made, wherever its context goes."""
    with ioctx.dup() as mine, ioctx.dup() as other:
        mine.set_namespace("n")
        mine.set_locator_key("k")
        mine.write_full(obj, b"")
        with mine.watch(obj, lambda *args: b"in n"):
            mine.set_namespace("elsewhere")
            mine.set_locator_key("")
            assert other.notify2(obj).acks == []
            other.set_namespace("n")
            other.set_locator_key("k")
            assert [reply for *_, reply in other.notify2(obj).acks] == [b"in n"]
            with pytest.raises(rados.ObjectNotFound):
                mine.notify(obj)


def test_wrong_arguments(ioctx: rados.Ioctx, obj: str) -> None:
    what = rf"Ioctx\.watch of object {obj!r} in pool .*"
    with pytest.raises(TypeError, match=what + "callback must be callable, not int"):
        ioctx.watch(obj, 5)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=what + "error_callback must be callable, not int"):
        ioctx.watch(obj, print, 5)  # type: ignore[arg-type]
    with pytest.raises(OverflowError, match=what + "timeout must be from 0"):
        ioctx.watch(obj, print, timeout=-1)
    with pytest.raises(TypeError, match=what + "timeout must be an integer, not str"):
        ioctx.watch(obj, print, timeout="x")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"Ioctx\.watch.*obj must be a string, not int"):
        ioctx.watch(5, print)  # type: ignore[arg-type]
    with pytest.raises(rados.ObjectNotFound, match=r"Ioctx\.watch of object 'none'"):
        ioctx.watch("none", print)
    with pytest.raises(rados.ObjectNotFound, match=r"Ioctx\.notify of object 'none'"):
        ioctx.notify("none")
    with pytest.raises(rados.ObjectNotFound, match=r"Ioctx\.notify2 of object 'none'"):
        ioctx.notify2("none")
    with pytest.raises(TypeError, match=r"Ioctx\.notify.*msg must be bytes-like, not int"):
        ioctx.notify(obj, 5)  # type: ignore[arg-type]
    with pytest.raises(OverflowError, match=r"Ioctx\.notify.*timeout_ms"):
        ioctx.notify(obj, "", -1)
    with ioctx.dup() as closed:
        pass
    for call in (
        lambda: closed.watch(obj, print),
        lambda: closed.notify(obj),
        lambda: closed.notify2(obj),
    ):
        with pytest.raises(rados.IoctxStateError, match="closed"):
            call()


def test_responses_are_decoded() -> None:
    assert decoded(b"") == ([], [])
    ack = (7).to_bytes(8, "little") + (8).to_bytes(8, "little")
    assert decoded(b"\2\0\0\0" + ack + b"\3\0\0\0abc" + ack + b"\0\0\0\0" + b"\1\0\0\0" + ack) == (
        [(7, 8, b"abc"), (7, 8, b"")],
        [(7, 8)],
    )


# -- closing in any order ---------------------------------------------------------------------


@pytest.mark.parametrize("what", ["watch", "ioctx", "cluster"])
def test_closing_in_the_callback(ceph_conf: str, second: rados.Ioctx, obj: str, what: str) -> None:
    done = threading.Event()
    cluster = rados.Rados(conffile=ceph_conf)
    cluster.connect()
    ioctx = cluster.open_ioctx(second.name)

    def close(*args: object) -> None:
        if what == "watch":
            watch.close()
        elif what == "ioctx":
            ioctx.close()
        else:
            cluster.shutdown()
        done.set()

    watch = ioctx.watch(obj, close)
    response = second.notify2(obj, "", 5000)
    assert done.wait(20)
    assert response == ([], []), "the watch was over before it could answer"
    assert watch.closed
    assert ioctx.state == ("open" if what == "watch" else "closed")
    cluster.shutdown()
    watch.close()


def test_closing_does_not_wait_for_the_callback(
    ioctx: rados.Ioctx, second: rados.Ioctx, obj: str
) -> None:
    inside, proceed = threading.Event(), threading.Event()

    def stuck(*args: object) -> None:
        inside.set()
        proceed.wait(30)

    with ioctx.dup() as mine:
        watch = mine.watch(obj, stuck)
        asking = Thread(lambda: second.notify2(obj, "", 20000))
        assert inside.wait(20)
        began = time.monotonic()
        watch.close()
    assert time.monotonic() - began < 5
    # who notifies need not wait for a watch that is over
    assert asking.end() == ([], [])
    proceed.set()


def test_forgotten_watches(ioctx: rados.Ioctx, second: rados.Ioctx, obj: str) -> None:
    watch = ioctx.watch(obj, lambda *args: b"still here")
    registration = watch._registration
    assert registration is not None
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        del watch
        gc.collect()
        gc.collect()
    assert [w.category for w in caught] == [ResourceWarning]
    assert obj in str(caught[0].message)
    ioctx.dup().close()  # PyPy leaves the closing to whoever comes next
    assert registration.closed and registration.context.closed
    assert second.notify2(obj, "", 2000) == ([], [])


def test_no_descriptor_thread_or_hold_is_left(ioctx: rados.Ioctx, obj: str) -> None:
    import os

    def open_files() -> int:
        return len(os.listdir("/proc/self/fd"))

    ioctx.watch(obj, print).close()
    gc.collect()
    before, children = open_files(), len(ioctx._handle.children())  # type: ignore[union-attr]
    for _ in range(30):
        ioctx.watch(obj, print).close()
        with pytest.raises(rados.ObjectNotFound):
            ioctx.watch("none", print)
    wait(lambda: not [t for t in threading.enumerate() if t.name == "rbdcffi-watch"])
    gc.collect()
    gc.collect()
    assert open_files() <= before
    assert len(ioctx._handle.children()) == children  # type: ignore[union-attr]
    assert lib.rbdcffi_handle_uses(ioctx._gate) == 0


def test_watching_and_closing_under_load(ceph_conf: str, fresh_name: str) -> None:
    done = program(
        ceph_conf,
        fresh_name,
        """
        stop = threading.Event()
        problems = []
        def ask():
            with cluster.open_ioctx("rbd") as mine:
                while not stop.is_set():
                    try:
                        mine.notify2(NAME, b"x" * 1000, 500)
                    except rados.Error as error:
                        problems.append(error)
        def watch():
            while not stop.is_set():
                with rados.Rados(conffile=CONF) as own:
                    mine = own.open_ioctx("rbd")
                    watches = [mine.watch(NAME, lambda *args: b"y" * 100) for _ in range(4)]
                    threads = [threading.Thread(target=call)
                               for call in (watches[0].close, mine.close, own.shutdown)]
                    time.sleep(0.02)
                    for thread in threads: thread.start()
                    for thread in threads: thread.join()
                    assert all(watch.closed for watch in watches)
        threading.excepthook = lambda args: problems.append(args.exc_value)
        threads = [threading.Thread(target=f) for f in (watch, watch, ask, ask)]
        for thread in threads: thread.start()
        time.sleep(3)
        stop.set()
        for thread in threads: thread.join()
        assert not problems, problems
        print("done")
        """,
    )
    assert done == "done\n"


@pytest.mark.parametrize("ending", ["pass", "sys.exit(3)", "raise RuntimeError", "del watches"])
@pytest.mark.parametrize("stuck", [False, True])
def test_exit_with_watches(ceph_conf: str, fresh_name: str, ending: str, stuck: bool) -> None:
    program(
        ceph_conf,
        fresh_name,
        f"""
        inside = threading.Event()
        def called(*args):
            inside.set()
            if {stuck}: time.sleep(1000)
        watches = [ioctx.watch(NAME, called) for _ in range(3)]
        def ask():
            with suppress(rados.Error):
                while True: second.notify2(NAME, "", 300)
        threading.Thread(target=ask, daemon=True).start()
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
        watch = ioctx.watch(NAME, lambda *args: b"parent")
        child = os.fork()
        if child == 0:
            signal.alarm(20)
            assert watch.closed
            watch.close()
            for call in (lambda: ioctx.watch(NAME, print), lambda: ioctx.notify(NAME), watch.check):
                try:
                    call()
                except rados.IoctxStateError as error:
                    assert "forked" in str(error), error
                else:
                    raise AssertionError
            del watch
            gc.collect()
            with rados.Rados(conffile=CONF) as own, own.open_ioctx("rbd") as mine:
                with mine.watch(NAME, lambda *args: b"child"):
                    replies = sorted(reply for *_, reply in mine.notify2(NAME).acks)
                    assert replies == [b"child", b"parent"], replies
            sys.exit(7)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
        assert [reply for *_, reply in second.notify2(NAME).acks] == [b"parent"]
        assert not watch.closed
        ioctx.close()
        assert watch.closed
        print("fine")
        """,
    )
    assert done == "fine\n"


SECOND = """
from contextlib import suppress
second = cluster.open_ioctx("rbd")
"""


def program(ceph_conf: str, name: str, code: str, **options: Any) -> str:
    from test_lifetime import PRELUDE

    code = code.replace("conffile=CONF", f"conffile={ceph_conf!r}")
    code = "ioctx.write_full(NAME, b'')\n" + textwrap.dedent(code)
    return run(ceph_conf, name, code, prelude=PRELUDE + SECOND, **options).stdout


# -- a cluster that does not answer -----------------------------------------------------------


def test_a_cluster_that_hangs() -> None:
    """Nothing waits for ever, once there is a limit; and closing never does."""
    with Cluster() as own:
        cluster = rados.Rados(conffile=own.conf, op_timeout=2)
        cluster.connect()
        ioctx = cluster.open_ioctx("rbd")
        ioctx.write_full("a", b"")
        watches = [ioctx.watch("a", lambda *args: None) for _ in range(3)]
        own.osds[0].pause()
        try:
            for call in (
                lambda: ioctx.watch("a", print),
                lambda: ioctx.notify("a", "", 100),
                lambda: ioctx.notify2("a", "", 100),
            ):
                began = time.monotonic()
                with pytest.raises(rados.TimedOut, match=r"Ioctx\.(watch|notify2?) of object 'a'"):
                    call()
                assert time.monotonic() - began < 8
            asked = ioctx.aio_notify("a", lambda *args: None, "", 100)
            asked.wait_for_complete_and_cb()
            assert asked.get_return_value() == -errno.ETIMEDOUT
            began = time.monotonic()
            watches[0].close()
            cluster.shutdown()
            assert time.monotonic() - began < 25
            assert all(watch.closed for watch in watches)
        finally:
            own.osds[0].resume()


def test_the_pool_is_named_once(cluster: rados.Rados, ioctx: rados.Ioctx, fresh_name: str) -> None:
    with cluster.open_ioctx(ioctx.name) as context:
        context.write_full(fresh_name, b"")
        watch = context.watch(fresh_name, lambda *args: None)
        watch.close()
    with pytest.raises(rados.IoctxStateError) as caught:
        watch.check()
    what = f"(Watch.check of object '{fresh_name}' in pool '{ioctx.name}': the pool is closed)"
    assert str(caught.value).endswith(what)
