"""What a type checker knows of the API."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

SNIPPET = """
from typing import Any
from rbdcffi import rados, rbd

with rados.Rados(conffile="") as cluster:
    reveal_type(cluster)  # Rados
    reveal_type(cluster.version())  # Version
    reveal_type(cluster.conf_get("x"))  # str | None
    reveal_type(cluster.list_pools())  # list[str]
    reveal_type(cluster.pool_lookup("x"))  # int | None
    reveal_type(cluster.mon_command("{}", b""))  # tuple[int, bytes, str]
    with cluster.open_ioctx("rbd") as ioctx:
        reveal_type(ioctx)  # Ioctx
        reveal_type(ioctx.read("key"))  # bytes
        reveal_type(next(ioctx.list_objects()))  # Object
        reveal_type([pair for pair in ioctx.get_xattrs("key")])  # list[tuple[str, bytes]]
        inst = rbd.RBD()
        inst.create(ioctx, "name", 1 << 30, features=1)
        reveal_type(inst.version())  # tuple[int, int, int]
        reveal_type(inst.list(ioctx))  # list[str]
        with rbd.Image(ioctx, "name", read_only=True) as image:
            reveal_type(image)  # Image
            reveal_type(image.read(0, 10))  # bytes
            reveal_type(image.readinto(0, bytearray(10)))  # int
            reveal_type(image.write(memoryview(b""), 0))  # int
            reveal_type(image.size())  # int
            reveal_type(image.closed)  # bool
            reveal_type(image.parent_info())  # tuple[str, str, str]
            reveal_type(image.list_children())  # list[tuple[str, str]]
            reveal_type([snap for snap in image.list_snaps()])  # list[dict[str, Any]]
            reveal_type(image.is_protected_snap("x"))  # bool
            for extent in image.diff(0, 10, None):
                reveal_type(extent)  # Extent
                reveal_type(extent.offset)  # int
                reveal_type(extent.exists)  # bool
            image.diff_iterate(0, 10, None, lambda at, size, there: reveal_type(there))  # bool
            image.set_snap(None)
            image.write(b"x", "0")  # error: arg-type
            image.read(0)  # error: call-arg
            image.nonsense()  # error: attr-defined
        inst.create(None, "name", 5)  # error: arg-type

try:
    pass
except rbd.ImageNotFound as error:
    reveal_type(error.errno)  # int | None
    reveal_type(error.message)  # str
    lost: FileNotFoundError = error
"""

CONSTANTS = """
from rbdcffi import rados, rbd

reveal_type(rbd.RBD_FEATURE_LAYERING)  # int
reveal_type(rbd.RBD_SNAP_NAMESPACE_TYPE_USER)  # int
reveal_type(rbd.LIBRADOS_OP_FLAG_FADVISE_RANDOM)  # int
reveal_type(rados.LIBRADOS_ALL_NSPACES)  # str
"""


def plain(text: str) -> str:
    """A type as one writes it, without modules and the older spellings."""
    text = re.sub(r"\b(?:[\w]+\.)+(?=\w)", "", text).replace("*", "").rstrip("?")
    text = re.sub(r"Union\[(.*), None\]", r"\1 | None", text)
    return re.sub(r"^tuple\[(.*), fallback=(\w+)\]$", r"\2", text)


@pytest.mark.parametrize(
    "text", [pytest.param(SNIPPET, id="calls"), pytest.param(CONSTANTS, id="constants")]
)
def test_types(pytestconfig: pytest.Config, tmp_path: Path, text: str) -> None:
    pytest.importorskip("mypy", reason="mypy is not installed")
    snippet = tmp_path / "snippet.py"
    snippet.write_text(text)
    (tmp_path / "none.ini").write_text("[mypy]\n")
    root = Path(__file__).parents[1]
    cache = pytestconfig.cache.mkdir("mypy") if pytestconfig.cache else tmp_path / "cache"
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "mypy",
            "--strict",
            "--no-error-summary",
            "--no-pretty",
            f"--config-file={tmp_path / 'none.ini'}",
            f"--cache-dir={cache}",
            str(snippet),
        ],
        cwd=root,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert not done.stderr, done.stderr
    found: dict[int, str] = {}
    for line in done.stdout.splitlines():
        match = re.match(r".*snippet\.py:(\d+): (note|error): (.*)", line)
        assert match, line  # an error in the package itself, maybe
        number, kind, said = int(match[1]), match[2], match[3]
        if kind == "error":
            code = re.search(r"\[([\w-]+)\]$", said)
            found[number] = f"error: {code[1] if code else said}"
        elif revealed := re.match(r'Revealed type is "(.*)"', said):
            found[number] = plain(revealed[1])
    expected = {
        number: line.rpartition("  # ")[2]
        for number, line in enumerate(text.splitlines(), 1)
        if "  # " in line
    }
    assert found == expected
