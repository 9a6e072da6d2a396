"""The soak, in the length that $RBDCFFI_SOAK says: threads, descriptors, handles, operations and
memory stay as many as they were, while connections, images, watches and calls come and go.

    RBDCFFI_SOAK=100000 scripts/test cpython tests/stress/test_soak.py -s
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from statistics import mean
from typing import Any

import pytest

SOAK = Path(__file__).parents[2] / "benchmarks" / "soak.py"
SEED = int(os.environ.get("RBDCFFI_SEED", random.randrange(1 << 32)))
PYPY = sys.implementation.name == "pypy"
#: PyPy has to compile first, which takes longer than the calls do.
OPERATIONS = int(os.environ.get("RBDCFFI_SOAK") or 0) // (2 if PYPY else 1)
#: Bytes that an operation may leave behind, on the average. One that leaves a page behind for each
#: buffer, or a kibibyte for each call, must not pass.
ALLOWED = 400
#: PyPy gives memory back now and then, some MiB at a time: there the bound is strict in long runs.
SLACK = (8 << 20) if PYPY else 0

pytestmark = [pytest.mark.soak, pytest.mark.slow]


def soak(conf: str, operations: int, rounds: int, *arguments: str) -> dict[str, Any]:
    done = subprocess.run(
        [
            *(sys.executable, "-W", "error", "-X", "faulthandler", str(SOAK), "--json"),
            *("--operations", str(operations), "--round", str(-(-operations // rounds))),
            *("--seed", str(SEED), *arguments),
        ],
        # all of Python's memory is malloc's, which can tell how much is in use
        env={**os.environ, "CEPH_CONF": conf, "PYTHONMALLOC": "malloc"},
        capture_output=True,
        encoding="utf-8",
        timeout=120 + operations / 20,
        check=False,
    )
    # it checks by itself what is left after each round, and what was written
    assert done.returncode == 0, f"seed {SEED}: {done.returncode}\n{done.stderr[-10000:]}"
    assert done.stderr == f"seed {SEED}\n"
    figures: dict[str, Any] = json.loads(done.stdout)
    print({name: value for name, value in figures.items() if name != "count"})
    return figures


def growth(figures: dict[str, Any]) -> float:
    """How many bytes each operation has left behind: what was in use after the second half of the
    rounds, and after the first."""
    used = figures["MiB in use"]
    if None in used:
        pytest.skip("this C library does not tell how much memory is in use")
    half = len(used) // 2
    more = (mean(used[-half:]) - mean(used[:half])) * (1 << 20)
    return (more - SLACK) / (figures["operations"] * (len(used) - half) / len(used))


def test_soak(ceph_conf: str) -> None:
    figures = soak(ceph_conf, OPERATIONS, 12)
    assert figures["operations"] == OPERATIONS
    assert figures["cancelled"] > OPERATIONS / 4
    assert growth(figures) < ALLOWED, figures["MiB in use"]


@pytest.mark.skipif(PYPY, reason="would have to be a long run: see SLACK")
def test_a_leak_is_noticed(ceph_conf: str) -> None:
    """Otherwise the other test could not fail."""
    figures = soak(ceph_conf, min(OPERATIONS, 1500), 6, "--leak", "1024")
    assert growth(figures) > 2 * ALLOWED, figures["MiB in use"]
