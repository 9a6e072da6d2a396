"""librbd's callbacks on a machine with too much to do: they are late, and must find what they need.

With tests/slow_callbacks.c in front of it, and freed memory overwritten, Ceph's own binding ends
with a signal in most runs of the same program on Ceph 18 and 20 (docs/differences.md).
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from rbdcffi import rados, rbd

PROGRAM = """
import sys, threading, time
from rbdcffi import rados, rbd

conf, pool, name, how = sys.argv[1:]
end = time.monotonic() + 4

def in_the_foreground(ioctx):
    return rbd.Image(ioctx, name, "s", read_only=True)

def by_number(ioctx):
    return rbd.Image(ioctx, name, snap_id, read_only=True)

def selected(ioctx):
    image = rbd.Image(ioctx, name, read_only=True)
    image.set_snap("s")
    return image

def in_the_background(ioctx):
    opened = []
    rbd.RBD().aio_open_image(
        lambda completion, image: opened.append(image), ioctx, name, "s", True
    ).wait_for_complete_and_cb()
    return opened[0]

def run():
    while time.monotonic() < end:
        image = globals()[how](ioctx)
        if closing == "aio_close":
            image.aio_close(lambda completion: None).wait_for_complete_and_cb()
        else:
            image.close()
        count.append(None)

count = []
closing = "aio_close" if how == "in_the_background" else "close"
with rados.Rados(conffile=conf) as cluster, cluster.open_ioctx(pool) as ioctx:
    with rbd.Image(ioctx, name) as image:
        snap_id = next(iter(image.list_snaps()))["id"]
    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
print(len(count))
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    built = tmp_path_factory.mktemp("slow") / "slow_callbacks.so"
    source = Path(__file__).with_name("slow_callbacks.c")
    subprocess.run(
        ["cc", "-shared", "-fPIC", "-O2", "-o", built, source, "-ldl", "-pthread"], check=True
    )
    return built


@pytest.mark.parametrize("how", ["in_the_foreground", "by_number", "selected", "in_the_background"])
def test_an_image_is_closed_as_soon_as_it_is_open(
    library: Path,
    ioctx: rados.Ioctx,
    ceph_shared_pool: str,
    fresh_name: str,
    ceph_conf: str,
    how: str,
) -> None:
    rbd.RBD().create(ioctx, fresh_name, 1 << 22)
    with rbd.Image(ioctx, fresh_name) as image:
        image.create_snap("s")
    environment = {
        **os.environ,
        "LD_PRELOAD": str(library),
        # freed memory is overwritten, and not kept as it was for the next one of its size
        "MALLOC_PERTURB_": "165",
        "GLIBC_TUNABLES": "glibc.malloc.tcache_count=0",
    }
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, ceph_conf, ceph_shared_pool, fresh_name, how],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert int(done.stdout) > 0


@pytest.mark.parametrize("operation", ["remove", "rollback", "resize"])
def test_a_read_only_image_is_closed_in_a_progress_callback(
    ioctx: rados.Ioctx, fresh_name: str, operation: str
) -> None:
    """Which may run on the thread that librados makes its callbacks on."""
    other = fresh_name + "-other"
    for name in (fresh_name, other):
        rbd.RBD().create(ioctx, name, 64 << 20)
    bystander = rbd.Image(ioctx, other, read_only=True)
    called = []

    def on_progress(done: int, total: int) -> None:
        bystander.close()
        called.append((done, total))

    with rbd.Image(ioctx, fresh_name) as image:
        image.create_snap("s")
        for offset in range(0, 64 << 20, 4 << 20):
            image.write(b"x", offset)
        if operation == "rollback":
            image.rollback_to_snap("s", on_progress=on_progress)
        image.remove_snap("s")
        if operation == "resize":
            image.resize(1 << 20, on_progress=on_progress)
    if operation == "remove":
        rbd.RBD().remove(ioctx, fresh_name, on_progress)
    assert called and bystander.closed


def test_closing_does_not_wait_for_a_progress_callback(ioctx: rados.Ioctx, fresh_name: str) -> None:
    """One that waits for who closes."""
    other = fresh_name + "-other"
    for name in (fresh_name, other):
        rbd.RBD().create(ioctx, name, 64 << 20)
    with rbd.Image(ioctx, fresh_name) as image:
        for offset in range(0, 64 << 20, 4 << 20):
            image.write(b"x", offset)
    bystander = rbd.Image(ioctx, other, read_only=True)
    begun, closed = threading.Event(), threading.Event()

    def close() -> None:
        begun.wait(20)
        bystander.close()
        closed.set()

    def on_progress(done: int, total: int) -> None:
        begun.set()
        closed.wait(20)

    thread = threading.Thread(target=close)
    thread.start()
    rbd.RBD().remove(ioctx, fresh_name, on_progress)
    thread.join(20)
    assert closed.is_set()


@pytest.mark.parametrize(
    "call",
    [
        lambda image: image.read(0, 10),
        lambda image: image.write(b"x", 0),
        lambda image: image.flush(),
        lambda image: image.create_snap("n"),
        lambda image: image.resize(1 << 20),
        lambda image: image.set_snap(None),
        lambda image: image.sparsify(4096),
    ],
    ids="read write flush create_snap resize set_snap sparsify".split(),
)
def test_what_would_wait_for_its_own_thread_is_refused(
    ioctx: rados.Ioctx, fresh_name: str, call: Any
) -> None:
    rbd.RBD().create(ioctx, fresh_name, 64 << 20)
    errors = []

    def on_progress(done: int, total: int) -> None:
        assert image.size() == 64 << 20
        try:
            call(image)
        except rbd.InvalidArgument as error:
            errors.append(str(error))

    with rbd.Image(ioctx, fresh_name) as image:
        image.write(b"x" * (1 << 20), 0)
        image.rebuild_object_map(on_progress=on_progress)
        assert errors and "this is a callback of one of its own running calls" in errors[0]


def test_another_image_may_be_read_and_compared(ioctx: rados.Ioctx, fresh_name: str) -> None:
    found = []

    def on_progress(done: int, total: int) -> None:
        other.diff_iterate(0, 1 << 20, None, lambda *extent: found.append(extent))
        assert other.read(0, 10) == b"x" * 10

    for name in (fresh_name, f"{fresh_name}-other"):
        rbd.RBD().create(ioctx, name, 1 << 20)
        with rbd.Image(ioctx, name) as image:
            image.write(b"x" * (1 << 20), 0)
    with rbd.Image(ioctx, fresh_name) as image, rbd.Image(ioctx, f"{fresh_name}-other") as other:
        image.copy(ioctx, f"{fresh_name}-copy", on_progress=on_progress)
    assert found and set(found) == {(0, 1 << 20, True)}
