"""Every public method with every kind of wrong argument: documented errors that name the call.

The table, and what is left out for which reason, is in wrong_arguments.py.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

CHILD = Path(__file__).with_name("wrong_arguments.py")


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["Rados", "Ioctx", "Image", "RBD", "Group", "WriteOp", "ReadOp"])
def test_wrong_arguments(ceph_conf: str, ceph_pool: str, kind: str) -> None:
    command = [sys.executable, "-X", "faulthandler", str(CHILD), kind, ceph_conf, ceph_pool]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    except subprocess.TimeoutExpired as error:
        last = (error.stdout or b"").decode().splitlines()[-1:]
        pytest.fail(f"hangs in {last}")
    lines = done.stdout.splitlines()
    found = "\n".join(line for line in lines if line.startswith("FOUND"))
    assert done.returncode == 0, found or (lines[-1:], done.stderr)
    # the table is not empty
    count, _, word = lines[-1].partition(" ")
    assert word.startswith("calls, 0 findings") and int(count) >= 100
