"""docs/api-status.md: complete, up to date, and true."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
HEADERS = Path("/usr/include")

Edit = Callable[[str], str]

pytestmark = pytest.mark.skipif(
    not (ROOT / "rbdcffi").is_dir(), reason="the sources of the package are not here"
)


def run(root: Path, *arguments: str, include: Path = HEADERS) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, str(root / "scripts/api-status"), *arguments, "--include", str(include)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of what the tool reads."""
    ignore = shutil.ignore_patterns("*.so", "*.pyd", "__pycache__")
    for name in ("cdefs", "docs", "rbdcffi", "scripts", "tests"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=ignore)
    shutil.copy(ROOT / "build_ffi.py", tmp_path)
    return tmp_path


def edit(root: Path, file: str, change: Edit) -> None:
    path = root / file
    before = path.read_text(encoding="utf-8")
    after = change(before)
    assert after != before, "there is nothing to change"
    path.write_text(after, encoding="utf-8")


def test_check_passes() -> None:
    assert run(ROOT, "--check") == (0, "")


def test_it_needs_no_headers(tmp_path: Path) -> None:
    code, output = run(ROOT, "--check", include=tmp_path)
    assert code == 0
    assert re.fullmatch(r".*there is no rbd/librbd.h to compare with\n", output)


def test_writing_makes_it_current(copy: Path) -> None:
    document = copy / "docs/api-status.md"
    written = document.read_text()
    document.write_text(written.replace("since", "before"))
    assert run(copy, "--check") == (
        1,
        "docs/api-status.md is out of date; run scripts/api-status\n",
    )
    document.unlink()
    assert run(copy, "--check")[0] == 1
    assert run(copy) == (0, "")
    assert document.read_text() == written
    assert run(copy, "--check") == (0, "")


def test_rows() -> None:
    """Columns mean what they say."""
    rows = {}
    for line in (ROOT / "docs/api-status.md").read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if cells[0].startswith("`"):
            rows[cells[0].strip("`")] = cells[1:]
    assert len(rows) > 500
    assert rows["rbd_get_size"] == ["14", "`rbd.Image.size`", "await", "yes", ""]
    assert rows["rbd_group_get_id"] == ["20", "`rbd.Group.id`", "await", "yes", ""]
    # a class of the core, a mixin's method, one without I/O, one with callbacks
    assert rows["rbd_open"][1] == "`rbd.Image`"
    assert rows["rbd_version"][2] == "direct"
    assert rows["rbd_aio_readv"][1:3] == ["`rbd.Image.aio_readv`", "await"]
    assert rows["rbd_flatten"][1:] == ["", "", "", "superseded by rbd_flatten_with_progress"]


def group_id(text: str) -> str:
    """Takes Group.id out of the source of a module."""
    return re.sub(
        r'    @needs\("rbd_group_get_id"\)\n.*?(?=\n    # -- images)', "", text, flags=re.S
    )


PROBLEMS: dict[str, tuple[str, Edit, str]] = {
    "a method is missing": (
        "rbdcffi/rbd/groups.py",
        group_id,
        "rbd_group_get_id (cdefs/rbd_groups.h) has neither a method nor a reason",
    ),
    "a function of a new release": (
        "cdefs/rbd_groups.h",
        lambda text: text + "int rbd_group_new(rados_ioctx_t p);  // since 20\n",
        "rbd_group_new (cdefs/rbd_groups.h) has neither a method nor a reason",
    ),
    "a docstring with a wrong name": (
        "rbdcffi/rbd/groups.py",
        lambda text: text.replace("Implements: rbd_group_create", "Implements: rbd_group_made"),
        "rbd/groups.py: Groups.group_create implements rbd_group_made, which cdefs/ does not",
    ),
    "a docstring that is not true": (
        "rbdcffi/rbd/locks.py",
        lambda text: text.replace("Implements: rbd_unlock", "Implements: rbd_trash_move"),
        "says it implements rbd_trash_move, but nothing there uses it",
    ),
    "a reason that is not needed": (
        "docs/api-reasons.tsv",
        lambda text: text + "rbd_unlock\tnobody unlocks\n",
        "rbd_unlock has a method now: rbd.Image.unlock",
    ),
    "a reason for nothing": (
        "docs/api-reasons.tsv",
        lambda text: text + "rbd_explode\tdangerous\n",
        "cdefs/ does not declare rbd_explode",
    ),
    "a reason without words": (
        "docs/api-reasons.tsv",
        lambda text: text + "rbd_unlock\n",
        "not a name, a tab and a reason: 'rbd_unlock'",
    ),
    "a reason given twice": (
        "docs/api-reasons.tsv",
        lambda text: text + "rbd_write\tagain\n",
        "rbd_write is there twice",
    ),
    "an open topic that is done": (
        "docs/api-reasons.tsv",
        lambda text: text + "topic:rbd_diff\tnot yet\n",
        "nothing of rbd_diff is missing; remove the line",
    ),
}


@pytest.mark.parametrize("name", PROBLEMS)
def test_problems_are_found(copy: Path, name: str) -> None:
    file, change, expected = PROBLEMS[name]
    # whatever topics are open at the time
    reasons = copy / "docs/api-reasons.tsv"
    reasons.write_text(reasons.read_text().replace("topic:rbd_groups\tnot yet\n", ""))
    edit(copy, file, change)
    code, output = run(copy, "--check")
    assert code == 1
    assert expected in output


def test_open_topics_are_not_yet(copy: Path) -> None:
    """What an open topic lacks is no error; once the line is gone, it is."""
    name = "rbd_one_more"
    line = f"int {name}(rados_ioctx_t p);  // since 99\n"
    edit(copy, "cdefs/rbd_diff.h", lambda text: text + line)
    edit(copy, "docs/api-reasons.tsv", lambda text: text + "topic:rbd_diff\tnot yet\n")
    assert run(copy) == (0, "")
    assert f"| `{name}` | 99 | | | | not yet |" in (copy / "docs/api-status.md").read_text()
    edit(
        copy,
        "docs/api-reasons.tsv",
        lambda text: text.replace("topic:rbd_diff\tnot yet", f"{name}\tonly for this test"),
    )
    assert run(copy) == (0, "")
    edit(copy, "docs/api-reasons.tsv", lambda text: text.replace(name, f"# {name}"))
    code, output = run(copy, "--check")
    assert code == 1
    assert f"{name} (cdefs/rbd_diff.h) has neither a method nor a reason" in output


@pytest.mark.skipif(not (HEADERS / "rbd/librbd.h").exists(), reason="the headers are not installed")
def test_headers_are_compared(copy: Path, tmp_path: Path) -> None:
    include = tmp_path / "include"
    for name in ("rbd/librbd.h", "rados/librados.h"):
        (include / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(HEADERS / name, include / name)
    assert run(copy, "--check", include=include) == (0, "")
    edit(
        include,
        "rbd/librbd.h",
        lambda text: text.replace(
            "CEPH_RBD_API int rbd_list(",
            "CEPH_RBD_API int rbd_novelty(rados_ioctx_t io);\nCEPH_RBD_API int rbd_list(",
        ),
    )
    code, output = run(copy, "--check", include=include)
    assert (code, output) == (1, "the installed header declares rbd_novelty, cdefs/ does not\n")
    edit(
        include,
        "rbd/librbd.h",
        lambda text: text.replace("rbd_novelty", "rbd_group_get_id").replace(" rbd_close(", " x("),
    )
    code, output = run(copy, "--check", include=include)
    assert code == 1
    assert "rbd_close: since 14 in cdefs/, but not in the header of" in output
