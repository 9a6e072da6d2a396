"""The asynchronous examples run as they are documented."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from rbdcffi import rados, rbd


@pytest.mark.parametrize("backend", [[], ["--trio"]], ids=["asyncio", "trio"])
def test_parallel_copy(
    ioctx: rados.Ioctx, ceph_conf: str, image: rbd.Image, backend: list[str]
) -> None:
    image.write(b"copied" * 1000, 5 << 20)
    target = f"{image.name}-copy"
    script = Path(__file__).parent.parent.parent / "examples" / "parallel_copy.py"
    done = subprocess.run(
        [sys.executable, str(script), "rbd", image.name, target, *backend],
        env={**os.environ, "CEPH_CONF": ceph_conf},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    with rbd.Image(ioctx, target, read_only=True) as copy:
        assert copy.read(0, copy.size()) == image.read(0, image.size())
