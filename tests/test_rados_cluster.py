"""The cluster handle: making, configuring and connecting it, and what it asks the cluster."""

from __future__ import annotations

import errno
import gc
import json
import os
import socket
import subprocess
import sys
import textwrap
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from conftest import MIB

from rbdcffi import rados, rbd
from rbdcffi.testing import Cluster

NO_AUTH = {
    "auth_client_required": "none",
    "auth_cluster_required": "none",
    "auth_service_required": "none",
}


@pytest.fixture
def loose() -> Iterator[rados.Rados]:
    """A handle that is not connected and knows no cluster."""
    handle = rados.Rados()
    yield handle
    handle.shutdown()


@pytest.fixture(params=["closed", "silent"])
def dead_monitor(request: pytest.FixtureRequest) -> Iterator[str]:
    """An address where nobody listens, or where somebody listens and never answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        if request.param == "silent":
            listener.listen(16)
        yield f"127.0.0.1:{listener.getsockname()[1]}"


# -- making it ---------------------------------------------------------------------------------


def fsid(**arguments: Any) -> str | None:
    handle = rados.Rados(**arguments)
    try:
        return handle.conf_get("fsid")
    finally:
        handle.shutdown()


def test_configuration_files(ceph_conf: str, cluster: rados.Rados) -> None:
    known = cluster.get_fsid()
    assert str(uuid.UUID(known)) == known
    # $CEPH_CONF names the file where none is given
    for conffile in (ceph_conf, "", rados.Rados.DEFAULT_CONF_FILES):
        assert fsid(conffile=conffile) == known
    for arguments in ({}, {"conffile": None}, {"conffile": rados.Rados.NO_CONF_FILE}):
        assert fsid(**arguments) != known


def test_order_of_options(ceph_conf: str) -> None:
    """What is set by hand wins over the file, `conf` over `conf_defaults`."""
    name = "osd_pool_default_size"  # the file has it as 1
    for arguments, expected in (
        ({"conffile": ceph_conf}, "1"),
        ({"conf_defaults": {name: "3"}}, "3"),
        ({"conffile": ceph_conf, "conf": {name: "2"}}, "2"),
        ({"conf_defaults": {name: "3"}, "conffile": ceph_conf, "conf": {name: "2"}}, "2"),
    ):
        handle = rados.Rados(**arguments)
        assert handle.conf_get(name) == expected
        handle.shutdown()


def test_names_of_clients() -> None:
    for arguments, expected in (
        ({}, "admin"),
        ({"rados_id": "x"}, "x"),
        ({"name": "client.y"}, "y"),
        ({"rados_id": "x", "clustername": "other"}, "x"),
    ):
        handle = rados.Rados(**arguments)
        # the name is part of what the log file is called by default
        handle.conf_set("log_file", "$name")
        assert handle.conf_get("log_file") == f"client.{expected}"
        assert handle.state == "configuring" and "configuring" in repr(handle)
        handle.shutdown()


@pytest.mark.parametrize(
    "arguments, error",
    [
        ({"rados_id": "x", "name": "client.x"}, rados.Error),
        ({"name": "nonsense"}, rados.Error),
        ({"context": object()}, rados.InvalidArgumentError),
        ({"conffile": "/no/such/file"}, rados.ObjectNotFound),
        ({"conf": {"no_such_option": "1"}}, rados.ObjectNotFound),
        ({"conf": {"log_file": 5}}, TypeError),
        ({"conf_defaults": {"rados_osd_op_timeout": "soon"}}, rados.InvalidArgumentError),
        ({"conffile": 5}, TypeError),
        ({"conffile": "a\0b"}, TypeError),
        ({"rados_id": "a\0b"}, TypeError),
        ({"name": 5}, Exception),
        ({"op_timeout": "1"}, TypeError),
    ],
    ids=repr,
)
def test_impossible(arguments: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        rados.Rados(**arguments)
    gc.collect()


def test_op_timeout_sets_the_options() -> None:
    handle = rados.Rados(op_timeout=2.1)
    for option in ("rados_osd_op_timeout", "rados_mon_op_timeout", "client_mount_timeout"):
        assert float(handle.conf_get(option) or 0) == 3
    handle.shutdown()


# -- states ------------------------------------------------------------------------------------

NEEDS_CONNECTION: dict[str, tuple[Any, ...]] = {
    "get_fsid": (),
    "get_addrs": (),
    "get_instance_id": (),
    "get_cluster_stats": (),
    "wait_for_latest_osdmap": (),
    "list_pools": (),
    "pool_lookup": ("rbd",),
    "pool_exists": ("rbd",),
    "pool_reverse_lookup": (1,),
    "create_pool": ("x",),
    "delete_pool": ("x",),
    "get_pool_base_tier": (1,),
    "get_inconsistent_pgs": (1,),
    "open_ioctx": ("rbd",),
    "open_ioctx2": (1,),
    "mon_command": ("{}", b""),
    "osd_command": (0, "{}", b""),
    "mgr_command": ("{}", b""),
    "pg_command": ("1.0", "{}", b""),
}

NEEDS_HANDLE: dict[str, tuple[Any, ...]] = {
    "conf_get": ("fsid",),
    "conf_set": ("log_file", ""),
    "conf_read_file": (None,),
    "conf_parse_env": (),
    "conf_parse_argv": (["x"],),
    "ping_monitor": ("a",),
    "connect": (),
}


@pytest.mark.parametrize("call", NEEDS_CONNECTION)
def test_not_connected(loose: rados.Rados, call: str) -> None:
    with pytest.raises(rados.RadosStateError, match="configuring"):
        getattr(loose, call)(*NEEDS_CONNECTION[call])


@pytest.mark.parametrize("call", [*NEEDS_CONNECTION, *NEEDS_HANDLE])
def test_shut_down(loose: rados.Rados, call: str) -> None:
    loose.shutdown()
    loose.shutdown()
    assert loose.state == "shutdown"
    with pytest.raises(rados.RadosStateError, match="shutdown"):
        getattr(loose, call)(*{**NEEDS_CONNECTION, **NEEDS_HANDLE}[call])


def test_life(ceph_conf: str) -> None:
    handle = rados.Rados(conffile=ceph_conf)
    handle.connect()
    assert handle.state == "connected" and "connected" in repr(handle)
    handle.require_state("configuring", "connected")
    with pytest.raises(rados.RadosStateError, match="connected"):
        handle.connect()
    with pytest.raises(rados.RadosStateError):
        handle.require_state("configuring")
    context = handle.open_ioctx("rbd")
    handle.shutdown()
    assert context.state == "closed"
    with pytest.raises(rados.IoctxStateError):
        context.read("x")
    context.close()


def test_unclosed_warns(ceph_conf: str) -> None:
    with pytest.warns(ResourceWarning, match="unclosed Rados"):
        handle = rados.Rados(conffile=ceph_conf)
        handle.connect()
        del handle
        gc.collect()
    rados.Rados().shutdown()  # closes what was left, too


# -- connecting --------------------------------------------------------------------------------


@pytest.mark.parametrize("timeout", [0.4, 1])
def test_connect_timeout(dead_monitor: str, timeout: float) -> None:
    handle = rados.Rados(conf={"mon_host": dead_monitor, **NO_AUTH})
    mount_timeout = handle.conf_get("client_mount_timeout")
    start = time.monotonic()
    with pytest.raises(rados.TimedOut, match=r"Rados\.connect") as caught:
        handle.connect(timeout=timeout)
    assert timeout - 0.1 <= time.monotonic() - start < timeout + 1
    assert caught.value.errno == errno.ETIMEDOUT and isinstance(caught.value, TimeoutError)
    assert handle.state == "configuring"
    assert handle.conf_get("client_mount_timeout") == mount_timeout
    handle.shutdown()
    assert time.monotonic() - start < timeout + 3


def test_connect_timeout_in_a_thread(dead_monitor: str) -> None:
    errors: list[BaseException] = []

    def work() -> None:
        handle = rados.Rados(conf={"mon_host": dead_monitor, **NO_AUTH})
        try:
            handle.connect(timeout=0.5)
        except BaseException as error:
            errors.append(error)
        handle.shutdown()

    start = time.monotonic()
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert time.monotonic() - start < 3
    assert [type(error) for error in errors] == [rados.TimedOut]


def test_connect_within_op_timeout(dead_monitor: str) -> None:
    handle = rados.Rados(conf={"mon_host": dead_monitor, **NO_AUTH}, op_timeout=1)
    start = time.monotonic()
    with pytest.raises(rados.TimedOut):
        handle.connect()
    assert 0.5 <= time.monotonic() - start < 3
    handle.shutdown()


def test_connect_timeout_that_is_not_needed(ceph_conf: str) -> None:
    handle = rados.Rados(conffile=ceph_conf)
    handle.connect(timeout=30)
    assert handle.list_pools()
    handle.shutdown()


INTERRUPTED = """
    import os, signal, sys, threading, time
    from rbdcffi import rados
    handle = rados.Rados(conf={
        "mon_host": sys.argv[1], "client_mount_timeout": sys.argv[2],
        "auth_client_required": "none", "auth_cluster_required": "none",
        "auth_service_required": "none"})
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
    start = time.monotonic()
    try:
        handle.connect()
    except KeyboardInterrupt:
        print(time.monotonic() - start, flush=True)
"""


def test_ctrl_c_while_connecting(dead_monitor: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(INTERRUPTED), dead_monitor, "2"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 1.3


def test_exit_after_ctrl_c_while_connecting() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(16)
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        subprocess.run(
            [sys.executable, "-c", textwrap.dedent(INTERRUPTED), address, "300"],
            stdout=subprocess.DEVNULL,
            timeout=5,
            check=True,
        )


def test_paused_osd(ceph_cluster_factory: Callable[..., Cluster]) -> None:
    """With op_timeout nothing waits for ever, and all is well again when the OSD is."""
    own = ceph_cluster_factory(conf={"osd heartbeat grace": 60})
    # the cache of Ceph 14 would answer reads without the OSD
    with rados.Rados(conffile=own.conf, conf={"rbd_cache": "false"}, op_timeout=1) as connection:
        with connection.open_ioctx("rbd") as context:
            rbd.RBD().create(context, "image", MIB)
            context.write_full("object", b"data")
            group = f"{context.get_pool_id()}.0"
            with rbd.Image(context, "image") as image:
                image.write(b"data", 0)
                (osd,) = own.osds
                osd.pause()
                try:
                    start = time.monotonic()
                    with pytest.raises(rados.TimedOut, match="object 'object'") as from_rados:
                        context.read("object")
                    with pytest.raises(rbd.Timeout, match=r"Image\.read") as from_rbd:
                        image.read(0, 4)
                    # what is given as their timeout is ignored
                    result = connection.osd_command(0, '{"prefix": "version"}', b"", 60)[0]
                    assert result == -errno.ETIMEDOUT
                    query = f'{{"prefix": "query", "pgid": "{group}"}}'
                    result = connection.pg_command(group, query, b"", timeout=60)[0]
                    assert result == -errno.ETIMEDOUT
                    assert time.monotonic() - start < 12
                finally:
                    osd.resume()
                assert from_rados.value.errno == from_rbd.value.errno == errno.ETIMEDOUT
                assert context.read("object") == b"data"
                assert image.read(0, 4) == b"data"


# -- configuration -----------------------------------------------------------------------------


@pytest.mark.not_on_ceph(14, reason="prints numbers as 7.000000")
def test_conf(loose: rados.Rados) -> None:
    assert loose.conf_set("rados_osd_op_timeout", "7") is None
    assert loose.conf_get("rados_osd_op_timeout") == "7"
    assert loose.conf_get("no_such_option") is None
    with pytest.raises(rados.ObjectNotFound, match=r"Rados\.conf_set\('no_such_option'") as missing:
        loose.conf_set("no_such_option", "1")
    assert missing.value.errno == errno.ENOENT
    with pytest.raises(rados.InvalidArgumentError, match=r"conf_set\('rados_osd_op") as invalid:
        loose.conf_set("rados_osd_op_timeout", "soon")
    assert invalid.value.errno == errno.EINVAL
    for bad in (5, None, b"\0", "a\0b", "\ud800"):
        with pytest.raises(TypeError, match="option"):
            loose.conf_get(bad)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="option"):
            loose.conf_set(bad, "1")  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="val"):
            loose.conf_set("log_file", bad)  # type: ignore[arg-type]


@pytest.mark.not_on_ceph(14, reason="prints numbers as 7.000000")
def test_conf_parse_argv(loose: rados.Rados) -> None:
    rest = loose.conf_parse_argv(["a", "--rados-osd-op-timeout", "9", "b", "--unknown=1"])
    assert rest == ["a", "b", "--unknown=1"]
    assert loose.conf_get("rados_osd_op_timeout") == "9"
    assert loose.conf_parse_argv([]) == []
    with pytest.raises(rados.Error, match=r"Rados\.conf_parse_argv"):
        loose.conf_parse_argv(["--rados-osd-op-timeout", "soon"])
    with pytest.raises(TypeError, match="args must be a string, not int"):
        loose.conf_parse_argv(["x", 5])  # type: ignore[list-item]


@pytest.mark.not_on_ceph(14, reason="prints numbers as 7.000000")
def test_conf_parse_env() -> None:
    """In a process of its own: librados reads the environment once."""
    text = """
from rbdcffi import rados
cluster = rados.Rados()
cluster.conf_parse_env("RBDCFFI_TEST")
print(cluster.conf_get("rados_osd_op_timeout"))
cluster.conf_parse_env()
cluster.conf_parse_env(None)
"""
    done = subprocess.run(
        [sys.executable, "-c", text],
        env={**os.environ, "RBDCFFI_TEST": "--rados-osd-op-timeout 11"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout == "11\n"


def test_conf_read_file(loose: rados.Rados, ceph_conf: str, cluster: rados.Rados) -> None:
    with pytest.raises(rados.ObjectNotFound, match=r"Rados\.conf_read_file\('/no/such'\)"):
        loose.conf_read_file("/no/such")
    loose.conf_read_file(ceph_conf)
    assert loose.conf_get("fsid") == cluster.get_fsid()


def test_version(loose: rados.Rados) -> None:
    version = loose.version()
    major, minor, extra = version
    assert (version.major, version.minor, version.extra) == (major, minor, extra) == version
    assert major >= 3 and str(version) == f"{major}.{minor}.{extra}"


# -- facts and pools ---------------------------------------------------------------------------


def test_facts(cluster: rados.Rados) -> None:
    assert cluster.get_instance_id() > 0
    assert "127.0.0.1" in cluster.get_addrs()
    assert set(cluster.get_cluster_stats()) == {"kb", "kb_used", "kb_avail", "num_objects"}
    assert cluster.wait_for_latest_osdmap() == 0


def test_pools(cluster: rados.Rados, fresh_name: str) -> None:
    name = f"{fresh_name}-ü"
    assert cluster.pool_exists(name) is False and cluster.pool_lookup(name) is None
    assert cluster.create_pool(name) is None
    try:
        assert cluster.pool_exists(name) is True
        assert {"rbd", name} <= set(cluster.list_pools())
        number = cluster.pool_lookup(name)
        assert number is not None and cluster.pool_reverse_lookup(number) == name
        assert cluster.get_pool_base_tier(number) == number
        with pytest.raises(rados.ObjectExists, match=r"Rados\.create_pool") as exists:
            cluster.create_pool(name)
        assert exists.value.errno == errno.EEXIST and name in str(exists.value)
        with cluster.open_ioctx2(number) as context:
            assert context.name == context.get_pool_name() == name
            context.write_full("object", b"data")
        with cluster.open_ioctx(name) as context:
            assert context.get_pool_id() == number and context.read("object") == b"data"
    finally:
        cluster.delete_pool(name)
    assert cluster.pool_lookup(name) is None
    with pytest.raises(rados.ObjectNotFound, match=r"Rados\.delete_pool"):
        cluster.delete_pool(name)
    with pytest.raises(rados.ObjectNotFound, match=rf"Rados\.open_ioctx.*'{name}'") as missing:
        cluster.open_ioctx(name)
    assert missing.value.errno == errno.ENOENT


def test_pool_errors(cluster: rados.Rados, fresh_name: str) -> None:
    assert cluster.pool_reverse_lookup(999_999) is None
    for call in (
        lambda: cluster.open_ioctx2(999_999),
        lambda: cluster.open_ioctx2(-1),
        lambda: cluster.get_pool_base_tier(999_999),
        lambda: cluster.create_pool(fresh_name, crush_rule=99),
    ):
        with pytest.raises(rados.ObjectNotFound):
            call()
    with pytest.raises(rados.InvalidArgumentError):
        cluster.create_pool("")
    for bad in (5, None, "a\0b", "\ud800"):
        for one in ("pool_lookup", "pool_exists", "create_pool", "delete_pool"):
            with pytest.raises(TypeError, match="pool_name"):
                getattr(cluster, one)(bad)
        with pytest.raises(TypeError, match="ioctx_name"):
            cluster.open_ioctx(bad)  # type: ignore[arg-type]
    for one in ("pool_reverse_lookup", "open_ioctx2", "get_pool_base_tier"):
        with pytest.raises(TypeError):
            getattr(cluster, one)("1")


# -- commands ----------------------------------------------------------------------------------


def command(prefix: str, **arguments: Any) -> str:
    return json.dumps({"prefix": prefix, "format": "json", **arguments})


def test_mon_command(cluster: rados.Rados) -> None:
    result, output, message = cluster.mon_command(command("fsid"), b"")
    assert result == 0 and type(output) is bytes and type(message) is str
    assert json.loads(output) == {"fsid": cluster.get_fsid()}
    result, output, message = cluster.mon_command(command("no such command"), b"")
    assert result == -errno.EINVAL and output == b"" and message
    result, _, message = cluster.mon_command("this is no JSON", "")
    assert result == -errno.EINVAL and "JSON" in message
    assert cluster.mon_command(command("fsid"), b"", 0, "no-such-monitor")[0] == -errno.ENOENT
    for bad in (5, None, "a\0b"):
        with pytest.raises(TypeError, match="cmd"):
            cluster.mon_command(bad, b"")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="inbuf"):
        cluster.mon_command("{}", 5)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [b"binary \xc3\xbc", "text \xfc", bytearray(b"array")])
def test_input_of_a_command(cluster: rados.Rados, fresh_name: str, value: Any) -> None:
    result, _, message = cluster.mon_command(command("config-key set", key=fresh_name), value)
    assert result == 0, message
    result, output, _ = cluster.mon_command(command("config-key get", key=fresh_name), b"")
    assert output == (value.encode() if isinstance(value, str) else bytes(value))


def test_osd_command(cluster: rados.Rados) -> None:
    result, output, _ = cluster.osd_command(0, command("version"), b"")
    assert result == 0 and "version" in json.loads(output)
    assert cluster.osd_command(999, command("version"), b"")[0] == -errno.ENOENT
    with pytest.raises(TypeError, match="osdid must be an integer"):
        cluster.osd_command("0", command("version"), b"")  # type: ignore[arg-type]


def test_pg_command(cluster: rados.Rados, ioctx: rados.Ioctx) -> None:
    group = f"{ioctx.get_pool_id()}.0"
    result, output, message = cluster.pg_command(group, command("query", pgid=group), b"")
    assert result == 0, message
    assert "active" in json.loads(output)["state"]
    assert cluster.pg_command("nonsense", command("query"), b"")[0] == -errno.EINVAL


def test_ping_monitor(ceph_conf: str) -> None:
    with rados.Rados(conffile=ceph_conf) as handle:
        for _ in range(3):
            answer = json.loads(handle.ping_monitor("a"))
            assert answer["mon_status"]["name"] == "a"
            assert answer["health"]["status"].startswith("HEALTH_")
        with pytest.raises(rados.ObjectNotFound, match=r"Rados\.ping_monitor\('zz'\)") as caught:
            handle.ping_monitor("zz")
        assert caught.value.errno == errno.ENOENT


def test_ping_monitor_before_connecting(ceph_conf: str) -> None:
    """librados itself may crash in any ping, and does when it connects after one."""
    code = """
import sys
from rbdcffi import rados
handle = rados.Rados(conffile=sys.argv[1])
for _ in range(5):
    handle.ping_monitor("a")
handle.connect()
handle.ping_monitor("a")
handle.shutdown()
"""
    done = subprocess.run(
        [sys.executable, "-c", code, ceph_conf], capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr


def test_ping_of_a_monitor_that_hangs(ceph_cluster_factory: Callable[..., Cluster]) -> None:
    own = ceph_cluster_factory()
    with rados.Rados(conffile=own.conf, conf={"client_mount_timeout": "2"}) as handle:
        own.mon.pause()
        try:
            started = time.monotonic()
            with pytest.raises(rados.TimedOut, match=r"Rados\.ping_monitor\('a'\)"):
                handle.ping_monitor("a")
            assert time.monotonic() - started < 10
        finally:
            own.mon.resume()
        assert "mon_status" in handle.ping_monitor("a")


def test_what_needs_a_manager(ceph_cluster_factory: Callable[..., Cluster]) -> None:
    own = ceph_cluster_factory(mgr=True)
    with rados.Rados(conffile=own.conf) as handle:
        result, output, message = handle.mgr_command(json.dumps({"prefix": "pg stat"}), b"")
        assert result == 0, message
        assert b"pgs" in output
        assert handle.mgr_command(json.dumps({"prefix": "no such"}), b"")[0] == -errno.EINVAL
        assert handle.get_inconsistent_pgs(handle.pool_lookup("rbd") or 0) == []


def test_a_manager_that_answers_too_late(ceph_cluster_factory: Callable[..., Cluster]) -> None:
    """In a process of its own: librados writes such an answer to where its caller was."""
    own = ceph_cluster_factory(mgr=True)
    assert own.mgr is not None
    program = """
import json, os, pathlib, signal, sys, threading, time
from rbdcffi import rados

conf, pid = sys.argv[1], int(sys.argv[2])
command = json.dumps({"prefix": "pg stat"})
handle = rados.Rados(conffile=conf, op_timeout=2)
handle.connect()
while handle.mgr_command(command, b"")[0] != 0:
    pass  # it has just started
timeout = handle.conf_get("rados_mon_op_timeout")
os.kill(pid, signal.SIGSTOP)
# one thread after the other stops
while {pathlib.Path(f"/proc/{pid}/task/{task}/stat").read_text().rpartition(")")[2].split()[0]
       for task in os.listdir(f"/proc/{pid}/task")} != {"T"}:
    time.sleep(0.001)
results = []
threads = [
    threading.Thread(target=lambda: results.append(handle.mgr_command(command, b"")))
    for _ in range(3)
]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(results)
os.kill(pid, signal.SIGCONT)
while handle.mgr_command(command, b"")[0] != 0:
    pass
assert handle.conf_get("rados_mon_op_timeout") == timeout
time.sleep(1)
handle.shutdown()
print("done")
"""
    done = subprocess.run(
        [sys.executable, "-c", program, own.conf, str(own.mgr.pid)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    late = (errno.ETIMEDOUT, b"", "")
    assert (done.returncode, done.stdout) == (0, f"{[late] * 3}\ndone\n"), done.stderr


# -- connecting again --------------------------------------------------------------------------


def test_connect_again_to_a_dead_monitor(dead_monitor: str) -> None:
    """Each attempt has the time that it was given, whatever became of those before."""
    handle = rados.Rados(conf={"mon_host": dead_monitor, "auth_client_required": "none"})
    for timeout in (0.3, 0.2, 1.5, 0.1, 1):
        start = time.monotonic()
        with pytest.raises(rados.TimedOut, match=r"Rados\.connect") as caught:
            handle.connect(timeout)
        assert caught.value.errno == errno.ETIMEDOUT
        assert timeout * 0.9 <= time.monotonic() - start < timeout + 5
        assert handle.state == "configuring"
        assert handle.conf_get("mon_host") == dead_monitor
        assert float(handle.conf_get("client_mount_timeout") or 0) == 300
    handle.shutdown()


def test_connect_again_after_the_library_gave_up(dead_monitor: str, ceph_conf: str) -> None:
    """librados never connects a client again that failed to; this handle can."""
    handle = rados.Rados(conffile=ceph_conf, op_timeout=1)
    works = handle.conf_get("mon_host")
    assert works
    handle.conf_set("mon_host", dead_monitor)
    for _ in range(2):
        with pytest.raises(rados.TimedOut):
            handle.connect()
    handle.conf_set("mon_host", works)
    handle.connect(30)
    assert handle.state == "connected"
    assert handle.list_pools()
    assert handle.conf_get("rados_osd_op_timeout") in ("1", "1.000000", "1000")
    with pytest.raises(rados.RadosStateError):
        handle.connect()
    handle.shutdown()


def test_connect_again_waits_for_the_attempt_before() -> None:
    """A monitor stands still for a while: the attempt that timed out succeeds in the end."""
    with Cluster() as own, rados.Rados(conffile=own.conf) as first:
        own.mon.pause()
        handle = rados.Rados(conffile=own.conf)
        # the library's own patience is a whole second longer than the wait
        with pytest.raises(rados.TimedOut):
            handle.connect(0.2)
        with pytest.raises(rados.TimedOut):
            handle.connect(0.2)
        waker = threading.Timer(1, own.mon.resume)
        waker.start()
        handle.connect(60)
        waker.join()
        assert handle.state == "connected"
        assert handle.get_fsid() == first.get_fsid()
        handle.shutdown()


def test_two_threads_connect(ceph_conf: str) -> None:
    handle = rados.Rados(conffile=ceph_conf)
    errors: list[Exception] = []

    def connect() -> None:
        try:
            handle.connect()
        except rados.RadosStateError:
            pass  # the other one was done before
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=connect) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not errors and handle.state == "connected"
    assert handle.list_pools()
    handle.shutdown()


def test_shut_down_after_a_connect_that_timed_out(dead_monitor: str) -> None:
    handle = rados.Rados(conf={"mon_host": dead_monitor, "auth_client_required": "none"})
    with pytest.raises(rados.TimedOut):
        handle.connect(0.1)
    start = time.monotonic()
    handle.shutdown()
    assert time.monotonic() - start < 5
    with pytest.raises(rados.RadosStateError, match=r"Rados\.connect"):
        handle.connect(0.1)


def test_connecting_takes_descriptors(ceph_conf: str) -> None:
    """librados ends the process where there are none."""
    program = """
import os, resource, sys
from rbdcffi import rados
handle = rados.Rados(conffile=sys.argv[1])
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))
taken = []
try:
    while True:
        taken.append(os.dup(0))
except OSError:
    pass
for left in range(30):
    try:
        handle.connect()
        break
    except rados.OSError as error:
        assert "Rados.connect: Too many open files" in str(error), error
    os.close(taken.pop())
print(left > 10, handle.get_fsid() != "")
handle.shutdown()
"""
    done = subprocess.run(
        [sys.executable, "-c", program, ceph_conf], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout) == (0, "True True\n"), done.stderr
