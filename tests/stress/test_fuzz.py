"""Everything public, called with anything: documented errors, no crash, no hang, and a call that is
refused has changed nothing. What is called, with what, and what is left out for which reason is in
fuzzing.py and fuzzing_aio.py.

More of it, and what a finding said again::

    RBDCFFI_FUZZ_SEED=0 RBDCFFI_FUZZ_EXAMPLES=20 scripts/test cpython tests/stress/test_fuzz.py
    RBDCFFI_FUZZ_SEED=1234 scripts/test cpython tests/stress/test_fuzz.py
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

import rbdcffi.rbd
from rbdcffi import rados

HERE = Path(__file__).parent
#: How often each method is called.
EXAMPLES = os.environ.get("RBDCFFI_FUZZ_EXAMPLES", "1")
#: The same each time, so that a change is not refused for what it has not done; 0: another one.
SEED = int(os.environ.get("RBDCFFI_FUZZ_SEED", 1)) or random.randrange(1 << 30)

RECURSION = """
import sys
from rbdcffi import rados, rbd
conf, pool, name = sys.argv[1:]
MIB = 1 << 20
sys.setrecursionlimit(5000)
with rados.Rados(conffile=conf) as cluster, cluster.open_ioctx(pool) as ioctx:
    rbd.RBD().create(ioctx, name, 4 * MIB, order=20)
    with rbd.Image(ioctx, name) as image:
        image.write(b"x" * MIB, 0)

        # a diff in a diff in a diff, deeper than the table of the gate
        deepest = 0
        def dive(*extent):
            global deepest
            deepest += 1
            if deepest < DEPTH:
                image.diff_iterate(0, MIB, None, dive)
            for close in (image.close, cluster.shutdown):
                try:
                    close()
                except (rbd.InvalidArgument, rbd.Error, rados.Error) as error:
                    assert "callback" in str(error), error
                else:
                    raise AssertionError("closed inside of its own call")
        image.diff_iterate(0, MIB, None, dive)
        assert deepest == DEPTH, deepest

        # without an end
        def endless(*extent):
            image.diff_iterate(0, MIB, None, endless)
        sys.setrecursionlimit(400)
        try:
            image.diff_iterate(0, MIB, None, endless)
        except RecursionError:
            pass
        else:
            raise AssertionError("it ended")
        sys.setrecursionlimit(5000)

        # calls in callbacks of every kind
        def everything(*arguments):
            for call in (
                image.size, image.flush, image.stat, lambda: image.read(0, 4096),
                lambda: image.write(b"y", 5), lambda: image.resize(5 * MIB),
                lambda: image.create_snap("s"), lambda: image.remove_snap("s"),
                lambda: image.set_snap(None), lambda: image.flatten(),
                lambda: list(image.list_snaps()),
                lambda: image.diff_iterate(0, MIB, None, lambda *extent: None),
                lambda: image.copy(ioctx, name), lambda: image.sparsify(4096),
                lambda: image.metadata_set("a", "b"), image.invalidate_cache,
                lambda: image.aio_read(0, 5, None), lambda: image.rename_snap("s", "t"),
                lambda: rbd.RBD().remove(ioctx, name), lambda: ioctx.write_full("o", b"x"),
            ):
                try:
                    call()
                except (rbd.Error, rados.Error, TypeError):
                    pass
            told.append(1)
        def everything_and_the_end(*arguments):
            everything()
            try:
                image.close()
            except rbd.InvalidArgument as error:
                assert "callback" in str(error), error
            else:
                raise AssertionError("closed inside of its own call")
        told = []
        refused = []
        def opens(*arguments):
            for call in (
                lambda: rbd.RBD().remove(ioctx, name + "-other"),
                lambda: rbd.RBD().create(ioctx, name + "-new", MIB),
                lambda: rbd.Image(ioctx, name + "-other"),
                lambda: rbd.RBD().rename(ioctx, name + "-other", name + "-new"),
                lambda: rbd.RBD().trash_move(ioctx, name + "-other"),
            ):
                try:
                    call()
                except (rbd.Error, rados.Error) as error:
                    assert "this is a callback" in str(error), error
                    refused.append(1)
            assert name in rbd.RBD().list(ioctx)
            with rados.Rados(conffile=conf) as another, another.open_ioctx(pool) as elsewhere:
                rbd.Image(elsewhere, name + "-other", read_only=True).close()
        rbd.RBD().create(ioctx, name + "-other", MIB)
        # librbd makes these calls on a thread of its own
        image.sparsify(4096, on_progress=opens)
        assert refused and len(refused) % 5 == 0, refused
        image.diff_iterate(0, 4 * MIB, None, everything)
        image.read_iterate(0, MIB, everything)
        image.sparsify(4096, on_progress=everything)
        image.resize(2 * MIB, on_progress=everything_and_the_end)
        image.copy(ioctx, name + "-copy", on_progress=everything_and_the_end)
        image.create_snap("kept", on_progress=everything)
        image.rollback_to_snap("kept", on_progress=everything_and_the_end)
        image.remove_snap("kept", on_progress=everything_and_the_end)
        def completed(completion, *result):
            everything()
        for completion in [
            image.aio_read(0, 4096, completed), image.aio_write(b"z", 0, completed),
            image.aio_flush(completed), image.aio_discard(0, 4096, completed),
        ]:
            completion.wait_for_complete_and_cb()
        assert len(told) > 8, told
        image.flush()
print("done")
"""


def run(*arguments: str, timeout: float = 900) -> str:
    command = [sys.executable, "-X", "faulthandler", *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)
    except subprocess.TimeoutExpired as error:
        last = (error.stdout or b"").decode(errors="replace").splitlines()[-3:]
        pytest.fail(f"hangs in {last}; RBDCFFI_FUZZ_SEED={SEED} RBDCFFI_FUZZ_EXAMPLES={EXAMPLES}")
    lines = done.stdout.splitlines()
    found = "\n".join(line for line in lines if line.startswith("FOUND"))
    if done.returncode != 0:
        pytest.fail(
            f"exit code {done.returncode}, RBDCFFI_FUZZ_SEED={SEED} "
            f"RBDCFFI_FUZZ_EXAMPLES={EXAMPLES}\n"
            + (found or "\n".join([*lines[-3:], done.stderr[-6000:]]))
        )
    return lines[-1]


@pytest.fixture
def other_pool(ceph_cluster: object, cluster: rados.Rados, fresh_name: str) -> str:
    name = f"{fresh_name}-other"
    cluster.create_pool(name)
    with cluster.open_ioctx(name) as ioctx:
        rbdcffi.rbd.RBD().pool_init(ioctx, True)
    return name


@pytest.mark.not_on_ceph(14, reason="lacks some of what is made to be called")
@pytest.mark.slow
def test_everything_with_anything(ceph_conf: str, ceph_pool: str, other_pool: str) -> None:
    text = run(str(HERE / "fuzzing.py"), ceph_conf, ceph_pool, other_pool, str(SEED), EXAMPLES)
    print(text)
    methods, calls, refused, errors, succeeded, found = (
        int(part.split()[0]) for part in text.partition(" in ")[0].split(", ")
    )
    assert found == 0 and methods > 500 and calls >= methods
    # all three happen: what is asserted of each is not asserted of nothing
    assert min(refused, errors, succeeded) > 20, text


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_the_facade_with_anything(
    ceph_conf: str, ceph_pool: str, other_pool: str, backend: str
) -> None:
    text = run(
        *(str(HERE / "fuzzing_aio.py"), ceph_conf, ceph_pool, other_pool, str(SEED), EXAMPLES),
        backend,
    )
    print(text)
    calls, found = (int(part.split()[0]) for part in text.partition(" in ")[0].split(", "))
    assert found == 0 and calls >= 120


@pytest.mark.not_on_ceph(14, reason="copying holds a lock that every call on the image wants")
def test_recursion(ceph_conf: str, ceph_shared_pool: str, fresh_name: str) -> None:
    program = f"DEPTH = 100\n{RECURSION}"
    assert run("-c", program, ceph_conf, ceph_shared_pool, fresh_name, timeout=120) == "done"
