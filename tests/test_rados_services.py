"""The cluster's log, services, clients that are shut out, the releases that are demanded."""

from __future__ import annotations

import gc
import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from test_lifetime import run
from test_rbd_watching import wait

from rbdcffi import rados


@pytest.fixture
def client(ceph_conf: str) -> Iterator[rados.Rados]:
    """A connection of the test's own."""
    with rados.Rados(conffile=ceph_conf) as connection:
        yield connection


def write(cluster: rados.Rados, text: str) -> None:
    """Adds a line to the cluster's log."""
    command = {"prefix": "log", "logtext": [text]}
    result, _, message = cluster.mon_command(json.dumps(command), b"")
    assert result == 0, message


def test_log(client: rados.Rados, cluster: rados.Rados, fresh_name: str) -> None:
    lines: list[tuple[Any, ...]] = []
    names: set[str] = set()

    def called(*args: Any) -> None:
        names.add(threading.current_thread().name)
        lines.append(args)

    def written(text: str) -> tuple[Any, ...]:
        """The line with this text, once it was received. Monitors may send older ones again to
        one who has begun to follow the log anew."""
        write(cluster, text)
        wait(lambda: any(line[-1] == text.encode() for line in lines))
        return next(line for line in lines if line[-1] == text.encode())

    client.monitor_log("info", called, "arg")
    assert client.monitor_callback == (called, "arg")
    assert client.monitor_callback2 is None
    first, second, third = (f"{fresh_name}-{word}" for word in ("first", "second", "third"))
    arg, line, who, sec, nsec, seq, level, msg = written(first)
    assert (arg, level, msg) == ("arg", b"[INF]", first.encode())
    assert line.endswith(b"client.admin [INF] " + msg)
    assert who.startswith(b"client.")
    assert abs(sec - time.time()) < 60 and 0 <= nsec < 1_000_000_000 and seq >= 0
    client.monitor_log2("info", called)
    assert client.monitor_callback is None
    assert client.monitor_callback2 == (called, None)
    arg, line2, channel, name, who2, *_, level, msg = written(second)
    assert (arg, channel, name, who2, level) == (None, b"cluster", b"client.admin", who, b"[INF]")
    assert line2.endswith(b"client.admin [INF] " + msg)
    client.monitor_log("info")
    assert client.monitor_callback2 is None
    write(cluster, third)
    time.sleep(0.5)
    assert third.encode() not in [line[-1] for line in lines]
    assert names == {"rbdcffi-log"}


def test_log_as_an_object(client: rados.Rados, cluster: rados.Rados, fresh_name: str) -> None:
    texts: list[bytes] = []
    with rados.MonitorLog(client, "info", lambda *args: texts.append(args[-1]), 5) as log:
        assert (log.cluster, log.level, log.arg) == (client, "info", 5)
        assert not log.closed
        write(cluster, fresh_name)
        wait(lambda: fresh_name.encode() in texts)
        other = rados.MonitorLog(client, "info", lambda *args: None, 5)
        assert log.closed, "a connection has one"
    write(cluster, f"{fresh_name} later")
    del other
    gc.collect()
    client.shutdown()
    assert f"{fresh_name} later".encode() not in texts


def test_a_callback_of_the_log_that_raises_or_shuts_down(
    client: rados.Rados, cluster: rados.Rados, monkeypatch: pytest.MonkeyPatch
) -> None:
    reported: list[Any] = []
    monkeypatch.setattr(threading, "excepthook", reported.append)
    done = threading.Event()
    problem = ZeroDivisionError("mine")

    def called(*args: object) -> None:
        if not reported:
            raise problem
        client.shutdown()
        done.set()

    client.monitor_log("info", called)
    write(cluster, "one")
    wait(lambda: reported)
    assert reported[0].exc_value is problem
    write(cluster, "two")
    assert done.wait(20)
    assert client.state == "shutdown"


def test_wrong_arguments_of_the_log(client: rados.Rados, ceph_conf: str) -> None:
    for call in (client.monitor_log, client.monitor_log2):
        with pytest.raises(rados.LogicError, match=rf"Rados\.{call.__name__}.*no level 'none'"):
            call("none", print)
        with pytest.raises(rados.LogicError, match="must be a callable function or None"):
            call("info", 5)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match=rf"Rados\.{call.__name__}.*level must be a string"):
            call(5, print)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match=rf"Rados\.{call.__name__}.*level must be a string"):
            call(5)  # type: ignore[arg-type]
    assert client.monitor_callback is None and client.monitor_callback2 is None
    early = rados.Rados(conffile=ceph_conf)
    with pytest.raises(rados.NotConnected):
        early.monitor_log("info", print)
    with pytest.raises(TypeError, match=r"cluster must be an rbdcffi\.rados\.Rados"):
        rados.MonitorLog(5, "info", print)  # type: ignore[arg-type]
    client.shutdown()
    with pytest.raises(rados.RadosStateError):
        client.monitor_log("info", print)


@pytest.mark.parametrize("ending", ["pass", "del log", "os._exit(0)", "cluster.shutdown()"])
def test_exit_with_a_log(ceph_conf: str, fresh_name: str, ending: str) -> None:
    run(
        ceph_conf,
        fresh_name,
        f"""
        inside = threading.Event()
        def called(*args):
            inside.set()
            time.sleep(1000)
        log = rados.MonitorLog(cluster, "info", called)
        cluster.mon_command('{{"prefix": "log", "logtext": ["x"]}}', b"")
        assert inside.wait(20)
        if os.fork() == 0:
            assert log.closed
            log.close()
            os._exit(0)
        assert os.wait()[1] == 0
        {ending}
        """,
    )


def test_services(client: rados.Rados, ceph_conf: str, fresh_name: str) -> None:
    facts = {"key": "value", "empty": "", "\u00fc": "\u00fc" * 300}
    client.service_daemon_register(fresh_name, "one", facts)
    with pytest.raises(rados.ObjectExists, match=rf"service_daemon_register\('{fresh_name}'"):
        client.service_daemon_register(fresh_name, "one", facts)
    client.service_daemon_update({"state": "fine"})
    client.service_daemon_update({})
    early = rados.Rados(conffile=ceph_conf)
    with pytest.raises(rados.NotConnected, match=r"Rados\.service_daemon_update"):
        early.service_daemon_update({"a": "b"})
    early.service_daemon_register(fresh_name, "two", {})
    early.connect()
    early.service_daemon_update({"a": "b"})
    early.shutdown()
    with pytest.raises(rados.InvalidArgumentError):
        rados.Rados(conffile=ceph_conf).service_daemon_register("osd", "0", {})
    for wrong in (None, 5, "text"):
        with pytest.raises(TypeError, match=r"Rados\.service_daemon_update.*must be a mapping"):
            client.service_daemon_update(wrong)  # type: ignore[arg-type]
    for wrong2 in ({5: "a"}, {"a": 5}, {"": "a"}, {"a": "b\0"}):
        with pytest.raises(TypeError, match=r"Rados\.service_daemon_update.* of status"):
            client.service_daemon_update(wrong2)  # type: ignore[arg-type]


def test_a_client_is_shut_out(cluster: rados.Rados, ceph_conf: str, fresh_name: str) -> None:
    victim = rados.Rados(conffile=ceph_conf)
    victim.connect()
    ioctx = victim.open_ioctx("rbd")
    ioctx.write_full(fresh_name, b"x")
    errors: list[Any] = []
    watch = ioctx.watch(fresh_name, print, lambda *args: errors.append(args))
    address = victim.get_addrs().partition("/")
    # without the type of the protocol in front
    host = address[0].rpartition(":")
    plain = f"{host[0].rpartition(':')[2]}:{host[2]}/{address[2]}"
    cluster.blocklist_add(plain, 60)
    cluster.wait_for_latest_osdmap()

    def refused() -> bool:
        try:
            ioctx.write_full(fresh_name, b"y")
        except rados.ConnectionShutdown:
            return True
        return False

    wait(refused)
    began = time.monotonic()
    watch.close()
    victim.shutdown()
    assert time.monotonic() - began < 25
    with cluster.open_ioctx("rbd") as mine:
        assert mine.read(fresh_name) in (b"x", b"y")


def test_wrong_arguments_of_blocklist_add(cluster: rados.Rados, ceph_conf: str) -> None:
    with pytest.raises(rados.InvalidArgumentError, match=r"Rados\.blocklist_add\('x'\)"):
        cluster.blocklist_add("x")
    with pytest.raises(TypeError, match=r"Rados\.blocklist_add.*client_address must be a string"):
        cluster.blocklist_add(5)  # type: ignore[arg-type]
    with pytest.raises(OverflowError, match=r"Rados\.blocklist_add.*expire_seconds"):
        cluster.blocklist_add("127.0.0.1:0/1", -1)
    with pytest.raises(rados.RadosStateError):
        rados.Rados(conffile=ceph_conf).blocklist_add("127.0.0.1:0/1")


def test_releases(cluster: rados.Rados, ceph_conf: str) -> None:
    dump = json.loads(cluster.mon_command('{"prefix": "osd dump", "format": "json"}', b"")[1])
    numbers = {"nautilus": 14, "octopus": 15, "pacific": 16, "quincy": 17, "reef": 18}
    expected = numbers.get(dump["require_osd_release"], 0)
    assert cluster.get_min_compatible_osd() == expected or expected == 0
    oldest, required = cluster.get_min_compatible_client()
    assert 0 < oldest <= 20 and -1 <= required <= 20
    early = rados.Rados(conffile=ceph_conf)
    for call in (early.get_min_compatible_osd, early.get_min_compatible_client, early.watch_flush):
        with pytest.raises(rados.RadosStateError):
            call()
    cluster.watch_flush()
