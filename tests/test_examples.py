"""The examples run, and say what they did."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rbdcffi import rados, rbd

DEMO = Path(__file__).parent.parent / "examples" / "demo.py"


def run_demo(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(DEMO), *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        encoding="utf-8",
        timeout=120,
    )


@pytest.fixture(autouse=True)
def _nothing_stays(cluster: rados.Rados, ioctx: rados.Ioctx) -> Any:
    # this client's map may be older than what others have done
    cluster.wait_for_latest_osdmap()
    pools, images = sorted(cluster.list_pools()), sorted(rbd.RBD().list(ioctx))
    yield
    cluster.wait_for_latest_osdmap()
    assert sorted(cluster.list_pools()) == pools
    assert sorted(rbd.RBD().list(ioctx)) == images


# 1 MiB: a single object, so that every extent lies within it
@pytest.mark.parametrize("size", [1, 64])
def test_demo(ceph_conf: str, size: int) -> None:
    done = run_demo("--size", str(size), CEPH_CONF=ceph_conf, PYTHONIOENCODING="utf-8")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(r"^Proved in [0-9.]+ s:$", done.stdout, re.MULTILINE)
    assert f"two diffs rebuilt an image of {size} MiB, byte for byte" in done.stdout
    assert "as it must: changes are missing" in done.stdout
    assert re.search(r"^  pool rbdcffi-demo-\w+ removed$", done.stdout, re.MULTILINE)
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_demo_draws_what_changed(ceph_conf: str) -> None:
    # 128 MiB: every discard is of whole objects; a hole within one is still data to a diff
    done = run_demo("--size", "128", CEPH_CONF=ceph_conf, PYTHONIOENCODING="utf-8")
    rows = [line.split(" MiB ")[1] for line in done.stdout.splitlines() if "█▒▒" in line]
    assert rows[0] == "█" * 10 + "▒" * 4 + "█" * 10 + "▒" + "█" * 7 + "░" * 6 + "██" + (
        "." * 12 + "█" * 8 + "▒" * 4
    )


def test_demo_in_a_pipe_is_plain(ceph_conf: str) -> None:
    done = run_demo("--size", "128", CEPH_CONF=ceph_conf, PYTHONIOENCODING="ascii")
    assert done.returncode == 0
    assert done.stdout.isascii()
    assert "\r" not in done.stdout and "\033" not in done.stdout
    assert "##########++++##########+#######------##" in done.stdout


def test_demo_in_a_given_pool(ceph_conf: str, ceph_shared_pool: str) -> None:
    done = run_demo("--size", "16", "--conf", ceph_conf, "--pool", ceph_shared_pool)
    assert done.returncode == 0, done.stderr
    assert "rbdcffi-demo" not in done.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("section", [1, 5])
def test_demo_tidies_up_when_interrupted(
    ceph_conf: str, number: signal.Signals, section: int
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-u", str(DEMO), "--size", "64"],
        env={**os.environ, "CEPH_CONF": ceph_conf},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )
    assert process.stdout is not None
    try:
        for line in process.stdout:
            if line.startswith(f"{section}. "):
                break
        process.send_signal(number)
        rest, _ = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    # 130, or 143: as a shell names the signal
    assert process.returncode == 128 + number, rest
    assert "Proved" not in rest
    assert re.search(r"^  pool rbdcffi-demo-\w+ removed$", rest, re.MULTILINE)


def test_demo_says_that_pools_are_refused(
    ceph_cluster_factory: Callable[..., Any],
) -> None:
    cluster = ceph_cluster_factory(cephx=True)
    cluster.add_client("demo", {"mon": "profile rbd", "osd": "profile rbd pool=rbd"})
    done = run_demo("--id", "demo", CEPH_CONF=cluster.conf)
    assert done.returncode == 1
    assert "refuses to create a pool" in done.stderr
    assert "--pool NAME" in done.stderr
    assert "Traceback" not in done.stderr
    given = run_demo("--id", "demo", "--pool", "rbd", "--size", "1", CEPH_CONF=cluster.conf)
    assert given.returncode == 0, given.stderr


def test_demo_says_that_its_pool_stays(ceph_cluster_factory: Callable[..., Any]) -> None:
    cluster = ceph_cluster_factory(conf={"mon allow pool delete": False})
    done = run_demo("--size", "1", CEPH_CONF=cluster.conf)
    assert done.returncode == 1
    assert "Proved" in done.stdout
    assert "nothing that was created is left" not in done.stdout
    (pool,) = (name for name in cluster.pools() if name.startswith("rbdcffi-demo-"))
    assert f"ceph osd pool rm {pool} {pool} " in done.stderr
    with rados.Rados(conffile=cluster.conf) as connection, connection.open_ioctx(pool) as ioctx:
        assert rbd.RBD().list(ioctx) == []


def test_demo_without_a_cluster(tmp_path: Path) -> None:
    started = time.monotonic()
    done = run_demo("--conf", str(tmp_path / "missing.conf"))
    assert done.returncode == 1
    assert "missing.conf" in done.stderr
    assert "Traceback" not in done.stderr
    assert time.monotonic() - started < 30
