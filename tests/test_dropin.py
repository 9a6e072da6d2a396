"""Programs that import the standard modules by their names, run on this package."""

from __future__ import annotations

import os
import py_compile
import re
import subprocess
import sys
import textwrap
import zipapp
from pathlib import Path

import pytest

PROGRAM = '''
"""Written for the standard modules."""
import sys
import rados
import rbd
from rbd import Image, ImageNotFound

def main(pool, name):
    with rados.Rados(conffile="") as cluster, cluster.open_ioctx(pool) as ioctx:
        rbd.RBD().create(ioctx, name, 4 << 20)
        with Image(ioctx, name) as image:
            image.write(b"kept", 0)
            print(image.read(0, 4).decode(), image.size())
        try:
            Image(ioctx, "no-such")
        except ImageNotFound as error:
            print(type(error).__module__)

if __name__ == "__main__":
    import helper
    print(sys.argv[0].endswith("program.py"), helper.rbd is rbd, __file__ == sys.argv[0])
    main(*sys.argv[1:])
    sys.exit(7)
'''


def run(*args: str, cwd: Path, conf: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *args],
        cwd=cwd,
        env={**os.environ, "CEPH_CONF": conf},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def program(tmp_path: Path) -> Path:
    directory = tmp_path / "programs"
    directory.mkdir()
    (directory / "program.py").write_text(PROGRAM)
    (directory / "helper.py").write_text("import rbd\n")
    return directory / "program.py"


@pytest.mark.parametrize("how", ["path", "module"])
def test_a_program_runs_unchanged(
    program: Path, how: str, ceph_conf: str, ceph_shared_pool: str, fresh_name: str
) -> None:
    what = [str(program)] if how == "path" else ["-m", "program"]
    cwd = program.parent.parent if how == "path" else program.parent
    done = run("-m", "rbdcffi.dropin", *what, ceph_shared_pool, fresh_name, cwd=cwd, conf=ceph_conf)
    assert done.stderr == ""
    assert done.stdout.split("\n") == [
        "True True True",
        "kept 4194304",
        "rbdcffi.rbd.errors",
        "",
    ]
    assert done.returncode == 7


LATE = """
import atexit, pickle, threading
import rbd

class Job:
    pass

def again(what):
    print(what, type(pickle.loads(pickle.dumps(Job()))) is Job, rbd.__name__)

done = threading.Event()
threading.Thread(target=lambda: (done.wait(1), again("thread"))).start()
atexit.register(again, "exit")
"""


@pytest.mark.parametrize("how", ["file", "compiled", "module", "package", "directory", "archive"])
def test_the_program_is_there_until_the_process_ends(tmp_path: Path, how: str) -> None:
    """Threads and functions at exit find what it defines, by name, too."""
    source = tmp_path / "late.py"
    source.write_text(LATE)
    for directory in ("package", "directory"):
        (tmp_path / directory).mkdir()
        (tmp_path / directory / "__main__.py").write_text(LATE)
    (tmp_path / "package" / "__init__.py").write_text("")
    py_compile.compile(str(source), str(tmp_path / "compiled.pyc"))
    zipapp.create_archive(tmp_path / "directory", tmp_path / "archive.pyz")
    what = {
        "file": ["late.py"],
        "compiled": ["compiled.pyc"],
        "module": ["-m", "late"],
        "package": ["-m", "package"],
        "directory": ["directory"],
        "archive": ["archive.pyz"],
    }[how]
    done = run("-m", "rbdcffi.dropin", *what, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "thread True rbdcffi.rbd\nexit True rbdcffi.rbd\n"


def test_errors_of_the_program_are_its_own(tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text("import rbd\nraise ValueError('mine')\n")
    done = run("-m", "rbdcffi.dropin", "bad.py", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.endswith("ValueError: mine\n")


@pytest.mark.parametrize(
    ("args", "code", "text"),
    [
        ([], 2, "usage:"),
        (["-m"], 2, "usage:"),
        (["--help"], 0, "usage:"),
        (["no-such.py"], 1, "there is no program 'no-such.py'"),
        (["-m", "no_such"], 1, "No module named no_such"),
    ],
)
def test_wrong_use(tmp_path: Path, args: list[str], code: int, text: str) -> None:
    done = run("-m", "rbdcffi.dropin", *args, cwd=tmp_path)
    assert done.returncode == code
    assert text in done.stdout + done.stderr


def test_install(tmp_path: Path) -> None:
    text = """
        import importlib.util, sys, types
        import rbdcffi.dropin, rbdcffi.rbd, rbdcffi.rados
        rbdcffi.dropin.install()
        rbdcffi.dropin.install()
        import rbd, rados
        assert rbd is rbdcffi.rbd and rados is rbdcffi.rados
        assert importlib.util.find_spec("rbd") is not None
        sys.modules["rados"] = types.ModuleType("rados")
        try:
            rbdcffi.dropin.install()
        except ImportError as error:
            print(error)
    """
    done = run("-c", textwrap.dedent(text), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "'rados' (no file) has been imported already" in done.stdout


SHOW = """
import os, sys
import inspect
namespace = globals()
print(sys.argv, sys.path[0], __name__, namespace.get("__file__"), __package__, __spec__)
print(type(__loader__).__name__, inspect.currentframe().f_code.co_filename)
try:
    import beside
    print(beside.__name__)
except ImportError as error:
    print(error)
"""


@pytest.mark.parametrize(
    "command",
    [
        "{python} programs/show.py a -b",
        "{python} ./programs/show.py",
        "{python} links/show",
        "{python} - a -b <programs/show.py",
        "cat programs/show.py | {python} /dev/stdin a",
        "{python} <(cat programs/show.py) a",
        "{isolated} programs/show.py a",
        "cd programs && {python} show.py",
    ],
)
def test_a_program_finds_what_python_gives_it(tmp_path: Path, command: str) -> None:
    (tmp_path / "programs").mkdir()
    (tmp_path / "programs" / "show.py").write_text(SHOW)
    (tmp_path / "programs" / "beside.py").write_text("")
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "show").symlink_to(tmp_path / "programs" / "show.py")

    def output(dropin: str) -> list[str]:
        done = subprocess.run(
            [
                *("bash", "-c"),
                command.format(
                    python=f"{sys.executable} {dropin}", isolated=f"{sys.executable} -I {dropin}"
                ),
            ],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
        )
        # pipes have a number, and Python itself follows one link only
        text = re.sub(r"/dev/fd/\d+|/proc/(\d+|self)/fd", "/dev/fd", done.stdout)
        return text.replace("/./", "/").splitlines()

    assert output("-m rbdcffi.dropin") == output("")
