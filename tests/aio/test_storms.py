"""Cancel storms: a short form of benchmarks/soak.py, on each kind of event loop.

In a process of its own: it could crash or hang, and what it leaves behind can be counted.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rbdcffi._ffi import loaded_version

SOAK = Path(__file__).parents[2] / "benchmarks" / "soak.py"
PYPY = sys.implementation.name == "pypy"
#: $RBDCFFI_SEED repeats what went wrong, as far as threads can be repeated.
SEED = int(os.environ.get("RBDCFFI_SEED", random.randrange(1 << 32)))

BACKENDS = ["asyncio", "trio"]
if not PYPY:
    BACKENDS.append("uvloop")
if sys.version_info >= (3, 12):
    BACKENDS.append("eager")


def storm(ceph_conf: str, *arguments: str) -> dict[str, Any]:
    command = [sys.executable, "-W", "error", "-X", "faulthandler", str(SOAK)]
    done = subprocess.run(
        [*command, "--seed", str(SEED), "--json", *arguments],
        env={**os.environ, "CEPH_CONF": ceph_conf},
        capture_output=True,
        encoding="utf-8",
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, f"seed {SEED}: {done.returncode}\n{done.stderr[-10000:]}"
    # warnings, and exceptions that nobody could catch
    assert done.stderr == f"seed {SEED}\n"
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


@pytest.mark.parametrize("backend", BACKENDS)
def test_cancel_storm(ceph_conf: str, backend: str) -> None:
    # Ceph 14 takes 20 ms for each
    operations = 1000 if PYPY or loaded_version() < (1, 13) else 2400
    figures = storm(
        ceph_conf,
        *("--backend", backend),
        *("--operations", str(operations), "--round", str(operations // 2)),
    )
    assert figures["operations"] == operations
    # some are called in vain, on an image that is closed
    assert figures["cancelled"] > operations / 4
    kinds = {name for name in figures["count"] if " " not in name and ":" not in name}
    assert {"write", "read", "discard", "diff", "write_with_callback", "snapshot"} <= kinds
    ways = {name for name in figures["count"] if name.endswith(": cancelled")}
    assert len(ways) == (3 if backend == "trio" else 5)


def test_rounds_on_every_kind_of_loop_in_turns(ceph_conf: str) -> None:
    """Event loops that come and go in one process, each with a connection of its own."""
    figures = storm(ceph_conf, "--operations", "800", "--round", "100")
    assert len(figures["MiB"]) == 8
