"""rbdcffi.testing, on the real clusters it starts."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import rbdcffi.testing
from rbdcffi.testing import Cluster, ClusterError, ExistingCluster, _config, _watchdog
from rbdcffi.testing import cluster as cluster_module

# Our rbdcffi, for Python processes of their own.
PATH = str(Path(rbdcffi.testing.__file__).parents[2])
ENV = {**os.environ, "PYTHONPATH": PATH}
CLI = [sys.executable, "-m", "rbdcffi.testing"]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with Cluster() as cluster:
        yield cluster


def put(cluster: Cluster, name: str, content: str, timeout: float = 30.0) -> None:
    cluster.run("rados", "-p", "rbd", "put", name, "-", input=content, timeout=timeout)


def get(cluster: Cluster, name: str, timeout: float = 30.0) -> str:
    return cluster.run("rados", "-p", "rbd", "get", name, "-", timeout=timeout)


def assert_gone(directory: str, within: float = 0.0) -> None:
    """The cluster of this directory has left neither daemons nor files."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        if not _watchdog.find_daemons(directory) and not os.path.exists(directory):
            break
        time.sleep(0.05)
    assert _watchdog.find_daemons(directory) == {}
    assert not os.path.exists(directory)


def cli(*arguments: str, env: dict[str, str] = ENV) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*CLI, *arguments], capture_output=True, text=True, env=env, timeout=60)


class TestCluster:
    def test_what_it_is(self, cluster: Cluster) -> None:
        assert cluster.started
        assert cluster.ceph("fsid") == cluster.fsid
        assert cluster.pools() == ["rbd"]
        assert cluster.env()["CEPH_CONF"] == cluster.conf
        assert os.path.dirname(cluster.conf) == cluster.directory
        assert [osd.name for osd in cluster.osds] == ["osd.0"]
        daemons = _watchdog.find_daemons(cluster.directory)
        assert daemons == {cluster.osds[0].pid: "osd.0", cluster.mon.pid: "mon.a"}

    def test_a_client_finds_it(self, cluster: Cluster) -> None:
        create = ["rbd", "create", "--size", "1M", "found"]
        subprocess.run(create, env=cluster.env(), check=True, timeout=30)
        assert cluster.run("rbd", "ls").split() == ["found"]

    def test_json(self, cluster: Cluster) -> None:
        assert cluster.ceph("osd", "dump", json=True)["fsid"] == cluster.fsid

    def test_a_failed_command_says_why(self, cluster: Cluster) -> None:
        with pytest.raises(ClusterError, match=r"(?s)osd pool get nope.*unrecognized pool 'nope'"):
            cluster.ceph("osd", "pool", "get", "nope", "size")

    def test_pools(self, cluster: Cluster) -> None:
        cluster.create_pool("more", pg_num=4, application="rgw")
        assert cluster.pools() == ["rbd", "more"]
        cluster.wait_active("more", timeout=30)
        assert cluster.ceph("osd", "pool", "get", "more", "pg_num") == "pg_num: 4"
        assert '"rgw"' in cluster.ceph("osd", "pool", "application", "get", "more")
        cluster.remove_pool("more")
        cluster.remove_pool("more")
        assert cluster.pools() == ["rbd"]

    def test_a_pool_that_cannot_be(self, cluster: Cluster) -> None:
        with pytest.raises(ClusterError, match="Error E"):
            cluster.create_pool("huge", pg_num=10_000_000)

    def test_wait_healthy(self, cluster: Cluster) -> None:
        cluster.wait_healthy(timeout=30)

    def test_no_mgr(self, cluster: Cluster) -> None:
        with pytest.raises(ClusterError, match="mgr=True"):
            _ = cluster.mgr

    def test_no_rbd_mirror(self, cluster: Cluster) -> None:
        with pytest.raises(ClusterError, match="rbd_mirror=True"):
            _ = cluster.rbd_mirror

    def test_rbd_mirror(self) -> None:
        arguments: dict[str, bool] = {"rbd_mirror": True, "cephx": True}
        with Cluster(**arguments) as cluster, Cluster(**arguments) as other:  # type: ignore[arg-type]
            daemons = _watchdog.find_daemons(cluster.directory)
            # the first to be ended: it is a client of the others
            assert next(iter(daemons.items())) == (cluster.rbd_mirror.pid, "rbd-mirror.x")
            for site in (cluster, other):
                site.run("rbd", "mirror", "pool", "enable", "rbd", "image")
            bootstrap = ("rbd", "mirror", "pool", "peer", "bootstrap")
            token = os.path.join(other.directory, "token")
            Path(token).write_text(other.run(*bootstrap, "create", "rbd"))
            cluster.run(*bootstrap, "import", "rbd", token)
            deadline = time.monotonic() + 30
            while True:
                replayers = cluster.rbd_mirror.admin("rbd mirror status")["pool_replayers"]
                # one that saw the peer before its key was there may stay beside it
                if "running" in [one["state"] for one in replayers]:
                    break
                assert time.monotonic() < deadline, replayers
                time.sleep(0.1)
            cluster.rbd_mirror.restart()
            status = cli("status", cluster.directory)
            assert f"rbd-mirror.x: running, pid {cluster.rbd_mirror.pid}" in status.stdout
            cluster.rbd_mirror.kill()
            assert cli("status", cluster.directory).returncode == 1
        assert_gone(cluster.directory)

    def test_start_and_stop_again(self) -> None:
        cluster = Cluster(pools=())
        with pytest.raises(ClusterError, match="not been started"):
            _ = cluster.conf
        cluster.stop()
        cluster.start()
        first, fsid = cluster.directory, cluster.fsid
        with pytest.raises(ClusterError, match="started already"):
            cluster.start()
        assert cluster.pools() == []
        cluster.stop()
        cluster.stop()
        assert not cluster.started
        assert_gone(first)
        with cluster:
            assert cluster.fsid != fsid
        assert_gone(cluster.directory)

    def test_a_directory_of_ones_own(self, tmp_path: Path) -> None:
        # pytest's own directories have too long a path for Unix sockets on some machines
        directory = f"/tmp/rbdcffi-test-{os.getpid()}"
        try:
            with Cluster(directory=directory, keep=True, pools=()) as cluster:
                assert cluster.directory == directory
            assert _watchdog.find_daemons(directory) == {}
            assert {"ceph.conf", "mon.a.log", "osd.0.log"} <= set(os.listdir(directory))
            with pytest.raises(ClusterError, match="not empty"):
                Cluster(directory=directory).start()
        finally:
            shutil.rmtree(directory)
        for bad in (tmp_path / ("x" * 100), tmp_path / "a b"):
            with pytest.raises(ClusterError, match="path"):
                Cluster(directory=bad).start()

    @pytest.mark.parametrize(
        "arguments", [{"osds": 0}, {"osds": 2, "replicas": 3}, {"objectstore": "paper"}]
    )
    def test_bad_arguments(self, arguments: dict[str, int]) -> None:
        with pytest.raises(ValueError):
            Cluster(**arguments)  # type: ignore[arg-type]

    def test_missing_program(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(shutil, "which", lambda name, path: None)
        with pytest.raises(ClusterError, match=r"ceph-mon is not installed.*ceph-osd"):
            Cluster().start()

    def test_a_daemon_that_does_not_come_up(self) -> None:
        cluster = Cluster(conf={"osd_data": "/proc/nowhere"})
        with pytest.raises(ClusterError, match=r"(?s)mkfs of osd\.0 failed.* end of .*ceph_assert"):
            cluster.start()
        assert_gone(cluster.directory)

    def test_a_daemon_that_is_not_ready_in_time(self, cluster: Cluster) -> None:
        cluster.mon.pause()
        try:
            with pytest.raises(ClusterError, match=r"(?s)mon\.a is not ready after 0.*mon\.a\.log"):
                cluster.mon.wait_ready(timeout=0)
        finally:
            cluster.mon.resume()

    def test_a_port_that_was_taken_meanwhile(self, monkeypatch: pytest.MonkeyPatch) -> None:
        real = _config.free_ports
        with socket.socket() as rival:
            rival.bind(("127.0.0.1", 0))
            rival.listen()
            taken = rival.getsockname()[1]
            answers = [[taken, taken], [taken, *real(1)]]
            monkeypatch.setattr(
                cluster_module, "free_ports", lambda n: answers.pop(0) if answers else real(n)
            )
            with Cluster(pools=()) as cluster:
                assert answers == []
                assert cluster.mon.running

    def test_an_existing_cluster(self, cluster: Cluster, tmp_path: Path) -> None:
        with ExistingCluster(cluster.conf) as existing:
            assert existing.fsid == cluster.fsid
            assert existing.pools() == cluster.pools()
            existing.wait_healthy()
            with pytest.raises(ClusterError, match="not ours"):
                existing.osds[0].kill()
        assert cluster.mon.running
        with pytest.raises(ClusterError, match="there is no"):
            ExistingCluster(tmp_path / "ceph.conf")


class TestDaemon:
    def test_pause_and_resume(self, cluster: Cluster) -> None:
        (osd,) = cluster.osds
        put(cluster, "paused", "content")
        osd.pause()
        assert osd.running
        with pytest.raises(ClusterError, match="did not end within 1 s"):
            get(cluster, "paused", timeout=1)
        osd.resume()
        assert get(cluster, "paused") == "content"

    def test_restart_keeps_a_memstore(self, cluster: Cluster) -> None:
        (osd,) = cluster.osds
        put(cluster, "restarted", "content")
        old = osd.pid
        osd.pause()  # a paused daemon can be restarted, too
        osd.restart()
        assert osd.running and osd.pid != old
        assert get(cluster, "restarted") == "content"

    def test_a_command_without_an_answer(self, cluster: Cluster) -> None:
        (osd,) = cluster.osds
        assert osd.admin("injectfull", type="none") is None
        assert osd.admin("status")["state"] == "active"

    def test_mon_killed_and_restarted(self, cluster: Cluster) -> None:
        cluster.mon.kill()
        assert not cluster.mon.running
        cluster.mon.kill()
        with pytest.raises(ClusterError, match="not running"):
            cluster.mon.pause()
        cluster.mon.restart()
        assert cluster.pools() == ["rbd"]

    def test_bluestore_survives_sigkill(self) -> None:
        with Cluster(objectstore="bluestore") as cluster:
            (osd,) = cluster.osds
            put(cluster, "kept", "content")
            osd.kill()
            assert not osd.running
            with pytest.raises(ClusterError, match="did not end"):
                get(cluster, "kept", timeout=0.5)
            osd.restart()
            assert get(cluster, "kept") == "content"
        assert_gone(cluster.directory)

    def test_one_of_three_osds_may_die(self) -> None:
        with Cluster(osds=3, replicas=2, mgr=True, conf={"osd heartbeat grace": 3}) as cluster:
            assert [osd.name for osd in cluster.osds] == ["osd.0", "osd.1", "osd.2"]
            assert cluster.mgr.running
            assert cluster.ceph("osd", "pool", "get", "rbd", "size") == "size: 2"
            cluster.wait_healthy()
            put(cluster, "copied", "content")
            cluster.osds[1].kill()
            cluster.wait_active()
            assert get(cluster, "copied") == "content"
            put(cluster, "copied", "new content")
            with pytest.raises(ClusterError, match=r"osd\.1 ended"):
                cluster.wait_healthy()
            cluster.osds[1].restart()
            cluster.wait_healthy()
            assert get(cluster, "copied") == "new content"
        assert_gone(cluster.directory)


class TestCephx:
    def test_a_client_with_limited_caps(self) -> None:
        with Cluster(cephx=True) as cluster:
            put(cluster, "secret", "content")
            keyring = cluster.add_client("reader", {"mon": "allow r", "osd": "allow r pool=rbd"})
            assert os.stat(keyring).st_mode & 0o777 == 0o600
            rados = ["rados", "--id", "reader", "-p", "rbd"]
            assert cluster.run(*rados, "get", "secret", "-") == "content"
            with pytest.raises(ClusterError, match="Operation not permitted"):
                cluster.run(*rados, "rm", "secret")
            with pytest.raises(ClusterError):
                cluster.run("rados", "--id", "stranger", "-p", "rbd", "ls")


class TestProcesses:
    def test_a_killed_owner_leaves_nothing(self) -> None:
        script = (
            "import time\n"
            "from rbdcffi.testing import Cluster\n"
            "cluster = Cluster().start()\n"
            "cluster.osds[0].pause()\n"
            "print(cluster.directory, flush=True)\n"
            "time.sleep(60)\n"
        )
        with start_python(script) as owner:
            assert owner.stdout is not None
            directory = owner.stdout.readline().strip()
            assert set(_watchdog.find_daemons(directory).values()) == {"mon.a", "osd.0"}
            owner.kill()
        assert_gone(directory, within=5)

    def test_an_owner_that_forgets_to_stop_leaves_nothing(self) -> None:
        script = (
            "from rbdcffi.testing import Cluster\n"
            "print(Cluster(pools=()).start().directory, flush=True)\n"
        )
        with start_python(script) as owner:
            assert owner.stdout is not None
            directory = owner.stdout.readline().strip()
        assert_gone(directory, within=5)

    def test_a_forked_child_does_not_stop_it(self) -> None:
        script = (
            "import os, sys\n"
            "from rbdcffi.testing import Cluster, ClusterError\n"
            "with Cluster() as cluster:\n"
            "    if os.fork() == 0:\n"
            "        cluster.stop()\n"
            "        try:\n"
            "            cluster.mon.kill()\n"
            "        except ClusterError:\n"
            "            sys.exit(7)\n"
            "        sys.exit(1)\n"
            "    assert os.waitstatus_to_exitcode(os.wait()[1]) == 7\n"
            "    assert cluster.mon.running and cluster.osds[0].running\n"
            "    cluster.wait_healthy(timeout=20)\n"
            "    print(cluster.directory)\n"
        )
        with start_python(script) as owner:
            directory, _ = owner.communicate(timeout=60)
        assert owner.returncode == 0
        assert_gone(directory.strip())

    def test_only_our_daemons_are_found(self, cluster: Cluster) -> None:
        conf = cluster.conf
        with subprocess.Popen(["sleep", "60", "-c", conf]) as stranger:
            try:
                assert stranger.pid not in _watchdog.find_daemons(cluster.directory)
            finally:
                stranger.kill()

    def test_only_our_directories_are_removed(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="not a directory of rbdcffi"):
            _watchdog.remove_directory(str(tmp_path))
        assert tmp_path.exists()


def start_python(script: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, env=ENV
    )


class TestCommandLine:
    def test_start_status_stop(self) -> None:
        started = cli("start", "--osds", "2", "--replicas", "2", "--pool", "one", "--pool", "two")
        assert started.returncode == 0, started.stderr
        assert started.stderr == ""
        word, _, conf = started.stdout.strip().partition("=")
        assert word == "export CEPH_CONF"
        directory = os.path.dirname(conf)
        try:
            assert ExistingCluster(conf).pools() == ["one", "two"]
            env = {**ENV, "CEPH_CONF": conf}
            status = cli("status", env=env)
            assert status.returncode == 0
            assert status.stdout.splitlines()[0] == conf
            assert status.stdout.count("running, pid") == 3
            (osd,) = (p for p, n in _watchdog.find_daemons(directory).items() if n == "osd.1")
            os.kill(osd, signal.SIGKILL)
            status = cli("status", directory)
            assert status.returncode == 1
            assert "osd.1: not running" in status.stdout
        finally:
            stopped = cli("stop", conf)
        assert (stopped.returncode, stopped.stdout, stopped.stderr) == (0, "", "")
        assert_gone(directory)

    def test_stop_of_a_cluster_that_has_an_owner(self) -> None:
        with Cluster(pools=()) as cluster:
            assert cli("stop", cluster.conf).returncode == 0
            assert not cluster.mon.running
            assert_gone(cluster.directory)

    def test_stop_refuses_what_is_not_ours(self, tmp_path: Path) -> None:
        (tmp_path / "ceph.conf").touch()
        done = cli("stop", str(tmp_path / "ceph.conf"))
        assert done.returncode == 1
        assert "is not a cluster started by rbdcffi.testing" in done.stderr
        assert (tmp_path / "ceph.conf").exists()

    def test_stop_wants_to_know_what(self) -> None:
        done = cli("stop", env={k: v for k, v in ENV.items() if k != "CEPH_CONF"})
        assert done.returncode == 1
        assert "CEPH_CONF" in done.stderr

    def test_run_passes_the_exit_code_on(self) -> None:
        done = cli("run", "--option", "osd heartbeat grace=5", "--", "sh", "-c", RUN)
        assert done.returncode == 42, done.stderr
        conf, grace, pools = done.stdout.split()
        assert (grace, pools) == ("5", "rbd")
        assert_gone(os.path.dirname(conf))

    def test_run_of_a_command_that_is_killed(self) -> None:
        assert cli("run", "--", "sh", "-c", "kill -9 $$").returncode == 128 + 9

    @pytest.mark.parametrize("arguments", [["run"], ["stop", "--", "ls"], [], ["start", "--osds"]])
    def test_wrong_use(self, arguments: list[str]) -> None:
        done = cli(*arguments)
        assert done.returncode == 2
        assert "usage" in done.stderr


RUN = "echo $CEPH_CONF; ceph-conf --lookup osd_heartbeat_grace; rados lspools; exit 42"


class TestPlugin:
    TESTS = """
import os
import pytest

def test_conf(ceph_conf, ceph_cluster):
    assert os.environ["CEPH_CONF"] == ceph_conf == ceph_cluster.conf

def test_pools(ceph_cluster, ceph_pool, ceph_shared_pool):
    assert sorted(ceph_cluster.pools()) == sorted([ceph_shared_pool, ceph_pool])

def test_after_pools(ceph_cluster):
    assert ceph_cluster.pools() == ["rbd"]

@pytest.mark.skipif("not config.getoption('--ceph-conf')")
def test_control(ceph_cluster):
    with pytest.raises(RuntimeError, match="not ours"):
        ceph_cluster.mon
"""
    FACTORY = """
def test_factory(ceph_cluster_factory):
    first = ceph_cluster_factory(pools=["x"])
    assert ceph_cluster_factory(pools=["x"]) is first
    first.stop()
    second = ceph_cluster_factory(pools=["x"])
    assert second.pools() == ["x"]
    print(second.directory)
"""

    def pytest(self, directory: Path, tests: str, *options: str) -> str:
        (directory / "test_it.py").write_text(tests)
        plugin = ["-p", "no:rbdcffi", "-p", "rbdcffi.testing.plugin"]
        command = [sys.executable, "-m", "pytest", *plugin, "-rA", "-p", "no:cacheprovider"]
        done = subprocess.run(
            [*command, *options], cwd=directory, env=ENV, capture_output=True, text=True, timeout=60
        )
        return done.stdout + done.stderr

    def test_throwaway_cluster(self, tmp_path: Path) -> None:
        assert "3 passed, 1 skipped" in self.pytest(tmp_path, self.TESTS)

    def test_given_cluster(self, tmp_path: Path, cluster: Cluster) -> None:
        assert "4 passed" in self.pytest(tmp_path, self.TESTS, "--ceph-conf", cluster.conf)
        assert cluster.mon.running

    def test_factory(self, tmp_path: Path) -> None:
        output = self.pytest(tmp_path, self.FACTORY)
        assert "1 passed" in output
        (directory,) = (line for line in output.splitlines() if line.startswith("/"))
        assert_gone(directory)

    def test_a_cluster_that_does_not_start(self, tmp_path: Path) -> None:
        options = "import pytest\n@pytest.fixture(scope='session')\ndef ceph_cluster_options():\n"
        options += "    return {'conf': {'osd data': '/proc/nowhere'}}\n"
        output = self.pytest(tmp_path, options + "def test_it(ceph_conf): pass\n")
        assert "the Ceph cluster for the tests did not start" in output
        assert "ceph_assert" in output
        assert "cluster.py:" not in output
