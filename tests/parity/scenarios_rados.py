"""Watches, locks, snapshots, applications, the cluster's log and services."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Callable

from .harness import Recorder, kind, scenario


def wait(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 10
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)


@contextmanager
def own_pool(r: Recorder) -> Iterator[Any]:
    """A new pool, for what would change the one that all scenarios share."""
    name = r.name(f"pool-{r.side.pool}")
    r.cluster.create_pool(name)
    try:
        with r.cluster.open_ioctx(name) as ioctx:
            yield ioctx
    finally:
        r.cluster.delete_pool(name)


@scenario
def watching(r: Recorder) -> None:
    key = r.name()
    r.ioctx.write_full(key, b"")
    calls: list[Any] = []
    replies: list[Any] = [None, b"bytes", "text", "", b""]

    def called(*args: Any) -> Any:
        calls.append(args)
        return replies.pop(0)

    outcomes: list[Any] = []

    def done(completion: Any, *args: Any) -> None:
        outcomes.append(args)

    watch = r.do(r.ioctx, "watch", key, called)
    r.do(watch, "get_id", _show=lambda value: (type(value), value > 0))
    r.do(watch, "check", _show=lambda value: (type(value).__name__, value.total_seconds() < 30))
    r.do(r.ioctx, "notify", key)
    r.note("called with", [(tuple(map(type, call)), call[3]) for call in calls])
    while replies:
        r.do(
            r.ioctx,
            "aio_notify",
            key,
            done,
            "message",
            _show=lambda completion: (
                completion.wait_for_complete_and_cb(),
                completion.is_complete(),
                completion.get_return_value(),
            ),
        )
        value, acks, timeouts = outcomes.pop()
        ((notifier, watch_id, reply),) = acks
        r.note(
            "told",
            (
                value,
                type(acks),
                notifier == r.cluster.get_instance_id(),
                watch_id == watch.get_id(),
                reply,
                timeouts,
            ),
        )
    r.note("called with", [call[1:2] == (r.cluster.get_instance_id(),) for call in calls])
    r.do(watch, "close")
    r.do(watch, "close")
    r.do(watch, "get_id")
    r.do(watch, "check")
    r.do(r.ioctx, "notify", obj=key, msg="nobody", timeout_ms=1000)
    with r.ioctx.watch(key, called, None, 10) as watch:
        r.do(watch, "get_id", _show=kind)
    r.do(watch, "get_id")


@scenario
def watching_what_is_lost(r: Recorder) -> None:
    key = r.name()
    r.ioctx.write_full(key, b"")
    errors: list[Any] = []

    def lost(*args: Any) -> None:
        errors.append(args)

    watch = r.do(r.ioctx, "watch", key, callback=print, error_callback=lost)
    r.ioctx.remove_object(key)
    wait(lambda: errors)
    r.note("errors", [(args[:-1] == (watch.get_id(),), args[-1]) for args in errors])
    r.do(watch, "check")
    r.attempt("close", watch.close)


@scenario
def notifying_in_vain(r: Recorder) -> None:
    key = r.name()
    r.ioctx.write_full(key, b"")
    proceed = threading.Event()
    outcomes: list[Any] = []
    watch = r.ioctx.watch(key, lambda *args: proceed.wait(20) and None)
    r.do(r.ioctx, "notify", key, "x", 1000)
    completion = r.ioctx.aio_notify(key, lambda *args: outcomes.append(args[1:]), "x", 1000)
    completion.wait_for_complete_and_cb()
    r.note("told", outcomes)
    proceed.set()
    watch.close()
    r.do(r.ioctx, "notify", r.name("none"))
    r.do(r.ioctx, "watch", r.name("none"), print)
    completion = r.ioctx.aio_notify(r.name("none"), lambda *args: outcomes.append(args[1:]))
    completion.wait_for_complete_and_cb()
    r.note("told of none", outcomes[1:])
    for wrong in (None, 5, []):
        r.do(r.ioctx, "notify", wrong)
        r.do(r.ioctx, "notify", key, wrong)
        r.do(r.ioctx, "notify", key, "x", wrong if wrong != 5 else "x")
        r.do(r.ioctx, "watch", wrong, print)
    r.do(r.ioctx, "notify", key, b"bytes")
    r.do(r.ioctx, "notify", key, "x", -1)
    r.do(r.ioctx, "notify", key, "x", 1 << 70)
    for timeout in (-1, 1 << 40, "x"):
        r.do(r.ioctx, "watch", key, print, None, timeout)


@scenario
def object_locks(r: Recorder) -> None:
    key, ioctx = r.name(), r.ioctx
    r.do(ioctx, "lock_exclusive", key, "l", "c")
    r.do(ioctx, "lock_exclusive", key, "l", "c")
    r.do(ioctx, "lock_exclusive", key, "l", "c", "desc", 10, 1)
    r.do(ioctx, "lock_exclusive", key, "l", "c2")
    r.do(ioctx, "lock_shared", key, "l", "c", "t")
    r.do(ioctx, "unlock", key, "l", "other")
    r.do(ioctx, "unlock", key=key, name="l", cookie="c")
    r.do(ioctx, "unlock", key, "l", "c")
    r.do(ioctx, "lock_shared", key, "s", "c", "t")
    r.do(ioctx, "lock_shared", key, "s", "c", "t")
    r.do(ioctx, "lock_shared", key=key, name="s", cookie="c2", tag="t", desc="d", duration=5)
    r.do(ioctx, "lock_shared", key, "s", "c3", "t2")
    r.do(ioctx, "lock_exclusive", key, "s", "c3")
    r.do(ioctx, "lock_exclusive", r.name("new"), "l", "c", duration=0)
    r.do(ioctx, "lock_exclusive", r.name("new"), "", "c")
    r.do(ioctx, "lock_exclusive", r.name("new"), "empty", "")
    r.do(ioctx, "lock_exclusive", r.name("new"), "must", "c", flags=2)
    r.do(ioctx, "unlock", r.name("none"), "l", "c")
    for wrong in (None, 5, b"bytes"):
        r.do(ioctx, "lock_exclusive", wrong, "w", "c")
        r.do(ioctx, "lock_exclusive", key, wrong, "c")
        r.do(ioctx, "lock_exclusive", key, "w1", wrong)
        r.do(ioctx, "lock_exclusive", key, "w2", "c", wrong)
        r.do(ioctx, "lock_shared", key, "w3", "c", wrong)
        r.do(ioctx, "unlock", wrong, "l", "c")
    for number, duration in enumerate(("x", -1, 1 << 40)):
        r.do(ioctx, "lock_exclusive", key, f"d{number}", "c", "", duration)
    for flags in (-1, 300, "x"):
        r.do(ioctx, "lock_exclusive", key, "f", "c", flags=flags)


@scenario
def snapshots_of_a_pool(r: Recorder) -> None:
    def shown(value: Any) -> Any:
        return [(type(snap).__name__, snap.name, snap.snap_id) for snap in value]

    with own_pool(r) as ioctx:
        ioctx.write_full("a", b"old")
        r.do(ioctx, "list_snaps", _show=shown)
        r.do(ioctx, "create_snap", "s")
        r.do(ioctx, "create_snap", "s")
        r.do(ioctx, "create_snap", "t")
        r.do(ioctx, "list_snaps", _show=shown)
        snap = r.do(
            ioctx, "lookup_snap", "s", _show=lambda one: (one.name, one.snap_id, one.ioctx is ioctx)
        )
        r.do(
            snap,
            "get_timestamp",
            _show=lambda value: (
                type(value).__name__,
                value.tzinfo,
                abs(value.timestamp() - time.time()) < 60,
            ),
        )
        ioctx.write_full("a", b"new one")
        r.do(ioctx, "set_read", snap.snap_id)
        r.do(ioctx, "read", "a")
        r.do(ioctx, "set_read", r.rados.LIBRADOS_SNAP_HEAD)
        r.do(ioctx, "snap_rollback", "a", "s")
        r.do(ioctx, "read", "a")
        r.do(ioctx, "snap_rollback", "a", "none")
        r.do(ioctx, "snap_rollback", "none", "s")
        r.do(ioctx, "lookup_snap", "none")
        r.do(ioctx, "remove_snap", "none")
        r.do(ioctx, "create_self_managed_snap")
        r.do(ioctx, "remove_snap", "s")
        r.do(snap, "get_timestamp")
        for wrong in (None, 5, []):
            for method in ("create_snap", "remove_snap", "lookup_snap"):
                r.do(ioctx, method, wrong)
            r.do(ioctx, "snap_rollback", wrong, "s")
            r.do(ioctx, "snap_rollback", "a", wrong)


@scenario
def self_managed_snapshots(r: Recorder) -> None:
    with own_pool(r) as ioctx:
        ioctx.write_full("a", b"one")
        first = r.do(ioctx, "create_self_managed_snap")
        r.do(ioctx, "set_self_managed_snap_write", [first])
        ioctx.write_full("a", b"two")
        second = r.do(ioctx, "create_self_managed_snap")
        r.do(ioctx, "set_self_managed_snap_write", [first, str(second)])
        ioctx.write_full("a", b"three")
        for snap in (first, second, r.rados.LIBRADOS_SNAP_HEAD):
            ioctx.set_read(snap)
            r.do(ioctx, "read", "a")
        r.do(ioctx, "rollback_self_managed_snap", "a", first)
        r.do(ioctx, "read", "a")
        r.do(ioctx, "rollback_self_managed_snap", "none", first)
        r.do(ioctx, "rollback_self_managed_snap", "a", 999)
        for snaps in ([], None, (), [0], [2, 2], ["x"], [-1], [1 << 64]):
            r.do(ioctx, "set_self_managed_snap_write", snaps)
        for snap in (first, first, 999, "x", -1, None):
            r.do(ioctx, "remove_self_managed_snap", snap)


@scenario
def applications(r: Recorder) -> None:
    with own_pool(r) as ioctx:
        r.do(ioctx, "application_list")
        r.do(ioctx, "application_enable", "one")
        r.do(ioctx, "application_enable", "one")
        r.do(ioctx, "application_enable", "two")
        r.do(ioctx, "application_enable", app_name="two", force=True)
        r.do(ioctx, "application_enable", "")
        r.do(ioctx, "application_list")
        r.do(ioctx, "application_metadata_list", "one")
        r.do(ioctx, "application_metadata_set", "one", "k", "v")
        r.do(ioctx, "application_metadata_set", "one", "empty", "")
        r.do(ioctx, "application_metadata_set", "none", "k", "v")
        r.do(ioctx, "application_metadata_set", "one", "long", "v" * 1000)
        r.do(ioctx, "application_metadata_get", "one", "k")
        r.do(ioctx, "application_metadata_get", "one", "empty")
        r.do(ioctx, "application_metadata_get", "one", "none")
        r.do(ioctx, "application_metadata_get", "none", "k")
        r.do(ioctx, "application_metadata_list", "one")
        r.do(ioctx, "application_metadata_list", "none")
        r.do(ioctx, "application_metadata_remove", "one", "k")
        r.do(ioctx, "application_metadata_remove", "one", "k")
        r.do(ioctx, "application_metadata_remove", "none", "k")
        for wrong in (None, 5):
            r.do(ioctx, "application_enable", wrong)
            r.do(ioctx, "application_metadata_list", wrong)
            r.do(ioctx, "application_metadata_get", wrong, "k")
            r.do(ioctx, "application_metadata_get", "one", wrong)
            r.do(ioctx, "application_metadata_set", "one", "k", wrong)
        r.do(ioctx, "set_osdmap_full_try")
        r.do(ioctx, "write_full", "a", b"x")
        r.do(ioctx, "unset_osdmap_full_try")


@scenario
def log_of_the_cluster(r: Recorder) -> None:
    cluster = r.connect()
    text = f"parity {r.side.pool}"
    found: list[Any] = []

    def called(*args: Any) -> None:
        if args[-1] == text.encode():
            found.append(args)

    for method in ("monitor_log", "monitor_log2"):
        r.do(cluster, method, "info", called, "arg")
        r.note("set", (cluster.monitor_callback is None, cluster.monitor_callback2 is None))
        r.cluster.mon_command(f'{{"prefix": "log", "logtext": ["{text}"]}}', b"")
        wait(lambda: found)
        args = found.pop(0)
        r.note("called with", tuple(map(type, args)))
        r.note("arguments", tuple(a for a in args if a in ("arg", b"[INF]", b"cluster")))
        r.do(cluster, method, "none", called)
        r.do(cluster, method, "info", 5)
        r.do(cluster, method, 5, called)
        r.do(cluster, method, "info", None)
        r.note("ended", (cluster.monitor_callback, cluster.monitor_callback2))
    early = r.keep(r.rados.Rados(conffile=r.conf))
    r.do(early, "monitor_log", "info", called)
    r.do(r.rados, "MonitorLog", cluster, "info", called, 5, _show=lambda log: (log.level, log.arg))


@scenario
def services_of_clients(r: Recorder) -> None:
    cluster = r.connect()
    r.do(cluster, "service_daemon_register", "parity", r.side.pool, {"a": "b"})
    r.do(cluster, "service_daemon_register", "parity", r.side.pool, {"a": "b"})
    r.do(cluster, "service_daemon_update", {"a": "c"})
    r.do(cluster, "service_daemon_update", {})
    early = r.keep(r.rados.Rados(conffile=r.conf))
    r.do(early, "service_daemon_update", {"a": "c"})
    r.do(early, "blocklist_add", "127.0.0.1:0/1")
    r.do(early, "service_daemon_register", "osd", "x", {})
    for wrong in ({"a": 5}, {5: "a"}, 5):
        r.do(cluster, "service_daemon_update", wrong)
    for wrong in (None, 5):
        r.do(cluster, "service_daemon_register", wrong, "d", {})
        r.do(cluster, "service_daemon_register", "s", wrong, {})
    r.do(cluster, "blocklist_add", "127.0.0.1:0/4711", 1)
    r.do(cluster, "blocklist_add", client_address="127.0.0.1:0/4711", expire_seconds=1)
    r.do(cluster, "blocklist_add", "x")
    r.do(cluster, "blocklist_add", 5)
    for seconds in (-1, 1 << 40, "x"):
        r.do(cluster, "blocklist_add", "127.0.0.1:0/4711", seconds)
