"""The services among the examples: many clients, clients that leave, SIGTERM at work."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from rbdcffi import rados, rbd
from rbdcffi.testing import Cluster

EXAMPLES = Path(__file__).parents[2] / "examples"
MIB = 1 << 20


@contextmanager
def running(script: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-W", "error", str(EXAMPLES / script), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def ended(process: subprocess.Popen[str], number: signal.Signals | None = None) -> str:
    """What it printed; it ended well and in time."""
    if number is not None:
        process.send_signal(number)
    out, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (0, ""), out
    assert out.endswith("stopped\n")
    return out


# -- export_service.py ---------------------------------------------------------------------------


@pytest.fixture
def filled(image: rbd.Image) -> rbd.Image:
    image.resize(64 * MIB)
    for place in range(0, 64, 3):
        image.write(os.urandom(MIB), place * MIB)
    image.create_snap("s")
    return image


@contextmanager
def serving(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    with running("export_service.py", *arguments) as process:
        assert process.stdout is not None
        found = re.search(r"http://\S+:\d+", process.stdout.readline())
        assert found
        yield process, found.group()


def get(url: str, method: str = "GET") -> bytes:
    with urllib.request.urlopen(urllib.request.Request(url, method=method), timeout=60) as answer:
        body: bytes = answer.read()
        return body


def begin(base: str, path: str) -> socket.socket:
    """Asks, reads the beginning of the answer, and no more."""
    host, port = base.removeprefix("http://").split(":")
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    client.settimeout(60)
    client.connect((host, int(port)))
    client.sendall(f"GET {path} HTTP/1.0\r\n\r\n".encode())
    assert client.recv(1000, socket.MSG_WAITALL).startswith(b"HTTP/1.0 200")
    return client


def rest(client: socket.socket) -> int:
    """How many bytes still come."""
    count = 0
    with client:
        while data := client.recv(MIB):
            count += len(data)
    return count


def resident(process: subprocess.Popen[str]) -> int:
    pages = Path(f"/proc/{process.pid}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGESIZE")


def descriptors(process: subprocess.Popen[str]) -> int:
    return len(os.listdir(f"/proc/{process.pid}/fd"))


def apply(stream: bytes, content: bytearray) -> None:
    """What a client does with a diff."""
    position = 0
    while True:
        end = stream.index(b"\n", position)
        line, position = stream[position:end], end + 1
        if line == b"end":
            assert position == len(stream)
            return
        offset, length, exists = map(int, line.split())
        content[offset : offset + length] = (
            stream[position : position + length] if exists else bytes(length)
        )
        position += length if exists else 0


def test_export(ceph_conf: str, filled: rbd.Image) -> None:
    then = filled.read(0, 64 * MIB)
    filled.write(os.urandom(MIB), 5 * MIB + 1000)
    filled.discard(8 * MIB, 4 * MIB)
    with serving() as (process, base):
        at = f"{base}/images/{filled.name}"
        assert filled.name in get(f"{base}/images").decode().splitlines()
        get(f"{at}/snapshots/t", "POST")
        assert [snap["name"] for snap in filled.list_snaps()] == ["s", "t"]
        now = filled.read(0, 64 * MIB)
        with ThreadPoolExecutor(24) as pool:
            wholes = [pool.submit(get, f"{at}?at={snap}") for snap in "stst"]
            diffs = [pool.submit(get, f"{at}/diff?to=s") for _ in range(4)]
            changes = [pool.submit(get, f"{at}/diff?from=s&to=t") for _ in range(16)]
        assert [whole.result() for whole in wholes] == [then, now, then, now]
        for diff, change in zip(diffs, changes):
            content = bytearray(64 * MIB)
            apply(diff.result(), content)
            assert content == then
            apply(change.result(), content)
            assert content == now
        assert len({change.result() for change in changes}) == 1
        for path, status in (
            ("images/none", 404),
            (f"images/{filled.name}?at=none", 404),
            (f"images/{filled.name}/diff?from=none", 404),
            ("elsewhere", 404),
        ):
            with pytest.raises(urllib.error.HTTPError) as caught:
                get(f"{base}/{path}")
            assert caught.value.code == status
            caught.value.close()
        with pytest.raises(urllib.error.HTTPError) as caught:
            get(f"{at}/snapshots/t", "POST")
        assert caught.value.code == 400
        caught.value.close()
        ended(process, signal.SIGTERM)


def test_export_to_clients_that_stop_and_leave(ceph_conf: str, filled: rbd.Image) -> None:
    with serving() as (process, base):
        path = f"/images/{filled.name}"
        get(f"{base}{path}/diff?from=s")
        before = descriptors(process), resident(process)
        clients = [begin(base, path) for _ in range(4)]
        clients += [begin(base, f"{path}/diff") for _ in range(4)]
        time.sleep(1)
        # 8 streams of up to 64 MiB, each stopped after a few pieces of 1 MiB
        assert resident(process) - before[1] < 160 * MIB
        for client in clients:
            client.close()
        deadline = time.monotonic() + 20
        # librados may have one more connection; 8 clients would be 8
        while descriptors(process) > before[0] + 2 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert descriptors(process) <= before[0] + 2
        assert len(get(f"{base}{path}")) == 64 * MIB
        ended(process, signal.SIGTERM)


def test_export_stops_when_its_clients_are_served(ceph_conf: str, filled: rbd.Image) -> None:
    with serving("--grace", "50") as (process, base):
        client = begin(base, f"/images/{filled.name}")
        process.send_signal(signal.SIGTERM)
        assert process.stdout is not None
        assert "1 clients have 50 s" in process.stdout.readline()
        with pytest.raises(OSError):
            get(f"{base}/images")
        assert rest(client) > 63 * MIB
        assert "cut off 0" in ended(process)


def test_export_stops_on_time(ceph_conf: str, filled: rbd.Image) -> None:
    with serving("--grace", "0.3") as (process, base):
        client = begin(base, f"/images/{filled.name}")
        started = time.monotonic()
        assert "cut off 1" in ended(process, signal.SIGTERM)
        assert time.monotonic() - started < 20
        try:
            assert rest(client) < 63 * MIB
        except ConnectionResetError:
            pass


# -- replicate.py --------------------------------------------------------------------------------


@pytest.fixture
def pools(ceph_cluster: Cluster, ceph_pool: str) -> Iterator[tuple[str, str]]:
    twin = f"{ceph_pool}-twin"
    ceph_cluster.create_pool(twin)
    yield ceph_pool, twin
    ceph_cluster.remove_pool(twin)


def replicate(pools: tuple[str, str], *arguments: str) -> str:
    with running("replicate.py", *pools, "--once", *arguments) as process:
        return ended(process)


def test_replicate(cluster: rados.Rados, pools: tuple[str, str]) -> None:
    names = [f"image-{i}" for i in range(6)]
    with cluster.open_ioctx(pools[0]) as ioctx, cluster.open_ioctx(pools[1]) as twins:

        def compare() -> None:
            for name in names:
                with rbd.Image(ioctx, name) as image, rbd.Image(twins, name) as twin:
                    size = image.size()
                    assert twin.size() == size
                    assert twin.read(0, size) == image.read(0, size)
                    # one snapshot each, the same
                    (mark,) = [snap["name"] for snap in image.list_snaps()]
                    assert [snap["name"] for snap in twin.list_snaps()] == [mark]

        for name in names:
            rbd.RBD().create(ioctx, name, 16 * MIB)
            with rbd.Image(ioctx, name) as image:
                image.write(os.urandom(3 * MIB), 4 * MIB)
        assert replicate(pools).count(": 3145728 bytes copied, sha256") == len(names)
        compare()

        with rbd.Image(ioctx, names[0]) as image:
            image.write(b"x" * 4096, 5 * MIB)
            image.discard(0, 4 * MIB)
        with rbd.Image(ioctx, names[1]) as image:
            image.resize(20 * MIB)
            image.write(b"y" * 4096, 16 * MIB)
        out = replicate(pools)
        assert re.search(r"^image-1: 4096 bytes copied", out, re.MULTILINE)
        assert out.count(": 0 bytes copied") == len(names) - 2
        compare()


@pytest.mark.parametrize("how", ["SIGTERM", "SIGINT", "too long"])
def test_replicate_is_ended_at_work(cluster: rados.Rados, pools: tuple[str, str], how: str) -> None:
    with cluster.open_ioctx(pools[0]) as ioctx, cluster.open_ioctx(pools[1]) as twins:
        rbd.RBD().create(ioctx, "image", 64 * MIB)
        with rbd.Image(ioctx, "image") as image:
            image.write(os.urandom(64 * MIB), 0)
            if how == "too long":
                assert "left for later" in replicate(pools, "--at-most", "0.05")
            else:
                with running("replicate.py", *pools) as process:
                    deadline = time.monotonic() + 30
                    while "image" not in rbd.RBD().list(twins) and time.monotonic() < deadline:
                        time.sleep(0.002)
                    assert "bytes copied" not in ended(process, getattr(signal, how))
            # what was copied then is gone now, and what is written now will be there
            image.discard(0, 60 * MIB)
            image.write(b"new", 10 * MIB)
            assert "bytes copied" in replicate(pools)
            with rbd.Image(twins, "image") as twin:
                assert twin.read(0, 64 * MIB) == image.read(0, 64 * MIB)
