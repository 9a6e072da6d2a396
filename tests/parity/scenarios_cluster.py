"""Rados: construction, configuration, connection, pools, commands."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .harness import Recorder, fragile, kind, nonempty, scenario


@contextmanager
def environment(**values: str | None) -> Iterator[None]:
    """Environment variables for a while."""
    before = {name: os.environ.get(name) for name in values}
    try:
        for name, value in values.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@scenario
def construct(r: Recorder) -> None:
    def state(rados: Any) -> Any:
        return (
            rados.rados_id,
            rados.state,
            rados.conf_get("rbd_cache"),
            rados.conf_get("name"),
            rados.conf_get("cluster"),
            bool(rados.conf_get("mon_host")),
        )

    for options in (
        {},
        {"conffile": ""},
        {"conffile": None},
        {"conffile": r.conf},
        {"conffile": "/nonexistent/ceph.conf"},
        {"rados_id": "x"},
        {"rados_id": ""},
        {"rados_id": "x", "name": "client.y"},
        {"name": "client.z"},
        {"name": "osd.0"},
        {"name": "bad"},
        {"name": ""},
        {"clustername": "q", "conffile": None},
        {"clustername": "", "conffile": None},
        {"conf": {"rbd_cache": "false"}},
        {"conf": {"nope": "1"}},
        {"conf": {}},
        {"conf": {"rbd_cache": "false"}, "conffile": r.conf},
        {"conf_defaults": {"rbd_cache": "false"}, "conffile": ""},
        {"conf_defaults": {"nope": "false"}, "conffile": None},
        {"conf_defaults": {"mon_host": "1.2.3.4"}, "conffile": r.conf},
        {"flags": 0},
        {"flags": 1},
        {"context": None},
        {"foo": 1},
        {"rados_id": 5},
        {"rados_id": b"x"},
        {"name": 5},
        {"clustername": 5},
        {"conffile": 5},
        {"conf": {"rbd_cache": 5}},
        {"flags": "x"},
    ):
        r.do(r.rados, "Rados", _show=state, **options)
    r.do(r.rados, "Rados", "someone", _show=state)
    r.do(r.rados, "Rados", "someone", None, "ceph", None, r.conf, None, 0, None, _show=state)
    r.do(r.rados, "Rados", None, "client.n", None, {"rbd_cache": "false"}, None, _show=state)
    with environment(CEPH_CONF=None):
        r.do(r.rados, "Rados", conffile="", clustername="no-such-cluster", _show=state)
    r.note("constants", [r.rados.Rados.DEFAULT_CONF_FILES, r.rados.Rados.NO_CONF_FILE])
    for conffile in (r.rados.Rados.DEFAULT_CONF_FILES, r.rados.Rados.NO_CONF_FILE):
        r.do(r.rados, "Rados", conffile=conffile, _show=state)
    rados = r.rados.Rados(conffile="", conf={"rbd_cache": "false"}, conf_defaults={"log_file": ""})
    for name in ("conf_defaults", "conffile", "parsed_args", "rados_id", "state"):
        r.attempt(name, lambda name=name: getattr(rados, name))
    rados.shutdown()


@scenario
def before_connect(r: Recorder) -> None:
    rados = r.keep(r.rados.Rados(conffile=r.conf))
    every_method(r, rados)
    r.attempt("state", lambda: rados.state)


@scenario
def after_shutdown(r: Recorder) -> None:
    rados = r.rados.Rados(conffile=r.conf)
    rados.connect()
    r.do(rados, "shutdown")
    every_method(r, rados)
    r.do(rados, "connect")
    r.do(rados, "conf_get", "rbd_cache")
    r.do(rados, "shutdown")
    r.attempt("state", lambda: rados.state)


def every_method(r: Recorder, rados: Any) -> None:
    """Methods that need a connection."""
    for method, arguments in (
        ("get_fsid", ()),
        ("get_instance_id", ()),
        ("list_pools", ()),
        ("pool_exists", ("x",)),
        ("pool_lookup", ("x",)),
        ("pool_reverse_lookup", (1,)),
        ("create_pool", ("x",)),
        ("delete_pool", ("x",)),
        ("get_pool_base_tier", (1,)),
        ("open_ioctx", ("x",)),
        ("open_ioctx2", (1,)),
        ("mon_command", ('{"prefix": "fsid"}', b"")),
        ("osd_command", (0, '{"prefix": "version"}', b"")),
        ("mgr_command", ('{"prefix": "x"}', b"")),
        ("pg_command", ("1.0", '{"prefix": "query"}', b"")),
        ("wait_for_latest_osdmap", ()),
    ):
        r.do(rados, method, *arguments)


@scenario
def connect(r: Recorder) -> None:
    rados = r.do(r.rados, "Rados", conffile=r.conf)
    r.attempt("state", lambda: rados.state)
    r.do(rados, "connect")
    r.attempt("state", lambda: rados.state)
    r.do(rados, "connect")
    r.do(rados, "shutdown")
    r.do(rados, "shutdown")
    r.attempt("state", lambda: rados.state)
    with r.rados.Rados(conffile=r.conf) as entered:
        r.attempt("state", lambda: entered.state)
        r.do(entered, "get_fsid", _show=nonempty)
    r.attempt("state", lambda: entered.state)

    def body() -> None:
        with r.rados.Rados(conffile=r.conf):
            raise KeyError("x")

    r.attempt("raises in the body", body)
    timed = r.rados.Rados(conffile=r.conf)
    r.do(timed, "connect", 10)
    timed.shutdown()
    timed = r.keep(r.rados.Rados(conffile=r.conf))
    r.do(timed, "connect", timeout=5)
    nowhere = r.keep(r.rados.Rados(conffile=None))
    r.do(nowhere, "connect")
    r.attempt("state", lambda: nowhere.state)
    stranger = r.keep(r.rados.Rados(conffile=r.conf, rados_id="stranger"))
    r.do(stranger, "connect")


@scenario
def connect_timeout_of_wrong_type(r: Recorder) -> None:
    r.do(r.keep(r.rados.Rados(conffile=r.conf)), "connect", "x")


@scenario
def configuration(r: Recorder) -> None:
    rados = r.keep(r.rados.Rados(conffile=None))
    for option in ("rbd_cache", "rbd cache", "mon_host", "nope", "", "fsid", None, 5):
        r.do(rados, "conf_get", option)
    for option, value in (
        ("rbd_cache", "false"),
        ("rbd_cache", "1"),
        ("rbd_cache", ""),
        ("rbd_cache", "maybe"),
        ("rbd_cache", 1),
        ("rbd_cache", None),
        ("rbd_cache_size", "5M"),
        ("rbd_cache_size", "-5"),
        ("rbd_cache_size", "x"),
        ("nope", "1"),
        ("", "1"),
        (None, "1"),
        ("log_file", "\u00fcml\u00e4ut"),
        ("log_file", "x" * 5000),
        ("log_file", ""),
    ):
        r.do(rados, "conf_set", option, value)
        r.do(rados, "conf_get", option)
    r.do(rados, "conf_set", option="rbd_cache", val="true")
    r.do(rados, "conf_get", "rbd_cache")
    r.do(rados, "conf_read_file", "/nonexistent")
    r.do(rados, "conf_read_file", r.conf)
    r.do(rados, "conf_read_file", path=r.conf)
    r.do(rados, "conf_get", "mon_host", _show=nonempty)
    r.do(rados, "conf_read_file", 5)
    with environment(CEPH_CONF=r.conf):
        r.do(rados, "conf_read_file")
        r.do(rados, "conf_read_file", None)


@scenario
def arguments_and_environment(r: Recorder) -> None:
    rados = r.keep(r.rados.Rados(conffile=None))
    for arguments in (
        ["--rbd_cache", "false", "rest"],
        ["first", "--rbd-cache=true", "second", "--foo"],
        [],
        ["only"],
        ["--nope", "1"],
        ["--"],
        ["--", "--rbd_cache", "false"],
        ["\u00fcn\u00ef"],
        ("tuple", "--rbd_cache", "false"),
    ):
        r.do(rados, "conf_parse_argv", arguments)
        r.do(rados, "conf_get", "rbd_cache")
    for wrong in (None, 5, [5], [None], "text"):
        r.do(rados, "conf_parse_argv", wrong)
    with environment(CEPH_ARGS="--rbd_cache_size 12345", MY_ARGS="--rbd_cache_size 54321"):
        r.do(rados, "conf_parse_env")
        r.do(rados, "conf_get", "rbd_cache_size")
        r.do(rados, "conf_parse_env", "MY_ARGS")
        r.do(rados, "conf_get", "rbd_cache_size")
        r.do(rados, "conf_parse_env", var="CEPH_ARGS")
        r.do(rados, "conf_get", "rbd_cache_size")
        r.do(rados, "conf_parse_env", "NO_SUCH_VARIABLE")
        r.do(rados, "conf_parse_env", None)
        r.do(rados, "conf_parse_env", "")
        r.do(rados, "conf_parse_env", 5)


@scenario
def facts_of_the_cluster(r: Recorder) -> None:
    r.do(r.cluster, "get_fsid")
    r.do(r.cluster, "get_cluster_stats", _show=lambda v: {k: kind(n) for k, n in sorted(v.items())})
    r.do(r.cluster, "get_instance_id", _show=nonempty)
    r.do(r.cluster, "get_addrs", _show=lambda value: (kind(value), "127.0.0.1" in value))
    r.do(r.cluster, "wait_for_latest_osdmap")
    version = r.do(r.cluster, "version")
    r.attempt("version", lambda: (version.major, version.minor, version.extra))
    r.attempt("version as text", lambda: str(version))
    r.do(r.cluster, "require_state", "connected")
    r.do(r.cluster, "require_state", "shutdown", "configuring")
    r.do(r.cluster, "get_fsid", 1)


@fragile
def pings(r: Recorder) -> None:
    """rados_ping_monitor itself dies now and then on a busy machine."""
    r.do(r.cluster, "ping_monitor", "a", _show=nonempty)
    r.do(r.cluster, "ping_monitor", "zz")
    r.do(r.cluster, "ping_monitor", "", _show=nonempty)
    r.do(r.cluster, "ping_monitor", None)


@scenario
def pools(r: Recorder) -> None:
    pool = r.side.pool
    mine = {"_show": lambda names: sorted(n for n in names if n.startswith(pool))}
    r.do(r.cluster, "list_pools", **mine)
    r.do(r.cluster, "pool_exists", pool)
    r.do(r.cluster, "pool_exists", "none")
    r.do(r.cluster, "pool_exists", "")
    r.do(r.cluster, "pool_lookup", pool, _show=nonempty)
    r.do(r.cluster, "pool_lookup", "none")
    r.do(r.cluster, "pool_lookup", "")
    number = r.cluster.pool_lookup(pool)
    r.attempt("reverse", lambda: r.cluster.pool_reverse_lookup(number))
    for wrong in (12345, -1, 2**63 - 1, 2**63, 2**64, "1", None):
        r.do(r.cluster, "pool_reverse_lookup", wrong)
    for wrong in (None, 5):
        r.do(r.cluster, "pool_exists", wrong)
        r.do(r.cluster, "pool_lookup", wrong)
        r.do(r.cluster, "create_pool", wrong)
        r.do(r.cluster, "delete_pool", wrong)
        r.do(r.cluster, "open_ioctx", wrong)
    new = f"{pool}-n\u00e9w"
    r.do(r.cluster, "create_pool", new)
    r.do(r.cluster, "create_pool", new)
    r.do(r.cluster, "list_pools", **mine)
    r.do(r.cluster, "pool_exists", new)
    r.do(r.cluster, "open_ioctx", new)
    r.do(r.cluster, "delete_pool", new)
    r.do(r.cluster, "delete_pool", new)
    r.do(r.cluster, "open_ioctx", new)
    r.do(r.cluster, "create_pool", "")
    r.do(r.cluster, "delete_pool", "")
    r.do(r.cluster, "create_pool", f"{pool}-rule", 0)
    r.do(r.cluster, "create_pool", f"{pool}-bad", 99)
    r.do(r.cluster, "create_pool", f"{pool}-bad", "x")
    r.do(r.cluster, "create_pool", f"{pool}-bad", -1)
    r.do(r.cluster, "create_pool", f"{pool}-bad", 256)
    r.do(r.cluster, "create_pool", pool_name=f"{pool}-kw", crush_rule=None, auid=None)
    for made in ("rule", "kw"):
        r.do(r.cluster, "delete_pool", f"{pool}-{made}")
    r.attempt("base tier", lambda: r.cluster.get_pool_base_tier(number) == number)
    r.do(r.cluster, "get_pool_base_tier", 12345)
    r.do(r.cluster, "get_pool_base_tier", "x")
    r.do(r.cluster, "list_pools", **mine)


@scenario
def open_pools(r: Recorder) -> None:
    pool = r.side.pool
    number = r.cluster.pool_lookup(pool)
    for wrong in ("none", "", 5, None, "x" * 500):
        r.do(r.cluster, "open_ioctx", wrong)
    for wrong in (12345, -1, 0, 2**63 - 1, 2**63, "1", None):
        r.do(r.cluster, "open_ioctx2", wrong)

    def state(ioctx: Any) -> Any:
        return ioctx.state, ioctx.nspace, ioctx.locator_key, ioctx.get_pool_name()

    r.do(r.cluster, "open_ioctx", pool, _show=state)
    r.attempt("by number", lambda: state(r.keep(r.cluster.open_ioctx2(number))))
    r.called.add("Rados.open_ioctx2")


@scenario
def name_of_pool_opened_by_number(r: Recorder) -> None:
    ioctx = r.keep(r.cluster.open_ioctx2(r.cluster.pool_lookup(r.side.pool)))
    r.attempt("name", lambda: ioctx.name)


@scenario
def commands(r: Recorder) -> None:
    def short(value: Any) -> Any:
        result, output, message = value
        return result, kind(output), bool(output), kind(message), bool(message)

    fsid = json.dumps({"prefix": "fsid"})
    r.do(r.cluster, "mon_command", fsid, b"", _show=short)
    r.do(r.cluster, "mon_command", fsid, b"")
    r.do(r.cluster, "mon_command", fsid, b"", 5, _show=short)
    r.do(r.cluster, "mon_command", fsid, b"", timeout=5, target="a", _show=short)
    r.do(r.cluster, "mon_command", cmd=fsid, inbuf=b"", timeout=0, target=None, _show=short)
    r.do(r.cluster, "mon_command", fsid, b"", target="zz", _show=short)
    r.do(r.cluster, "mon_command", fsid, b"", target=0, _show=short)
    r.do(r.cluster, "mon_command", fsid, b"", target=77, _show=short)
    r.do(r.cluster, "mon_command", '{"prefix": "nope"}', b"", _show=short)
    r.do(r.cluster, "mon_command", "garbage", b"", _show=short)
    r.do(r.cluster, "mon_command", "", b"", _show=short)
    r.do(r.cluster, "mon_command", '{"prefix": "osd pool get", "pool": "none"}', b"", _show=short)
    r.do(r.cluster, "mon_command", '{"prefix": "status", "format": "json"}', b"", _show=short)
    for wrong in (None, 5, b"x", {"prefix": "fsid"}):
        r.do(r.cluster, "mon_command", wrong, b"")
    r.do(r.cluster, "mon_command", fsid)
    r.do(r.cluster, "mon_command", fsid, None)
    r.do(r.cluster, "mon_command", fsid, 5)
    r.do(r.cluster, "osd_command", 0, '{"prefix": "version"}', b"", _show=short)
    r.do(r.cluster, "osd_command", osdid=0, cmd='{"prefix": "version"}', inbuf=b"", _show=short)
    r.do(r.cluster, "osd_command", 0, '{"prefix": "nope"}', b"", _show=short)
    r.do(r.cluster, "osd_command", 5, '{"prefix": "version"}', b"", _show=short)
    r.do(r.cluster, "osd_command", "0", '{"prefix": "version"}', b"")
    r.do(r.cluster, "osd_command", 0, '{"prefix": "version"}')
    pool = r.cluster.pool_lookup(r.side.pool)
    r.ioctx.write("some object", b"x")
    r.attempt(
        "pg_command",
        lambda: short(r.cluster.pg_command(f"{pool}.0", '{"prefix": "query"}', b"")),
    )
    r.called.add("Rados.pg_command")
    r.do(r.cluster, "pg_command", None, '{"prefix": "query"}', b"")
    r.do(r.cluster, "mgr_command", "x")
    r.do(r.cluster, "mgr_command", None, b"")


@scenario
def command_input_as_text(r: Recorder) -> None:
    r.do(r.cluster, "mon_command", '{"prefix": "fsid"}', "", _show=lambda value: value[0])


@scenario
def attributes_of_handles(r: Recorder) -> None:
    r.attempt("of Rados", lambda: setattr(r.cluster, "some_attribute", 1))
    r.attempt("of Ioctx", lambda: setattr(r.ioctx, "some_attribute", 1))
