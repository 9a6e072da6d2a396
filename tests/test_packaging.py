"""The source distribution and the wheel: what is in them, where they work, how a build fails.

Everything is made as a user would make it: the sdist from a clean tree, the wheel from that sdist,
by pip, in an environment that has what pyproject.toml asks for and nothing else.
"""

from __future__ import annotations

import email.message
import email.parser
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import textwrap
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parent.parent
PYPY = sys.implementation.name == "pypy"

# What a build leaves behind in a developer's tree must not help the build under test.
LEFTOVERS = shutil.ignore_patterns(
    ".*", "build", "dist", "*.egg-info", "__pycache__", "*.so", "*.o", "_librbd.c"
)


def run(
    command: Sequence[str | Path],
    cwd: Path,
    env: Mapping[str, str] = os.environ,
    timeout: float = 240,
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=cwd,
        env=dict(env),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout,
        check=False,
    )


def succeed(command: Sequence[str | Path], cwd: Path, env: Mapping[str, str] = os.environ) -> str:
    done = run(command, cwd, env)
    assert done.returncode == 0, done.stdout
    return done.stdout


# -- what is built ----------------------------------------------------------------------------


@pytest.fixture(scope="session")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("sdist")
    shutil.copytree(ROOT, directory / "tree", ignore=LEFTOVERS)
    make = "import sys, setuptools.build_meta as b; b.build_sdist(sys.argv[1])"
    succeed([sys.executable, "-c", make, directory], directory / "tree")
    (made,) = directory.glob("*.tar.gz")
    return made


@pytest.fixture(scope="session")
def unpacked(sdist: Path) -> Path:
    """The tree of the sdist."""
    target = sdist.parent / "unpacked"
    with tarfile.open(sdist) as archive:
        # the only archive that we make ourselves; `filter` is not in every Python 3.9
        archive.extractall(target)
    (tree,) = target.iterdir()
    return tree


@pytest.fixture(scope="session")
def wheel(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("wheel")
    # Cython must not be needed, not even by setuptools on the side: as if it was not installed,
    # wherever the tests run
    (directory / "poison" / "Cython").mkdir(parents=True)
    (directory / "poison" / "Cython" / "__init__.py").write_text("raise ImportError('hidden')\n")
    env = {**os.environ, "PYTHONPATH": str(directory / "poison")}
    build = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "-q",
        "--no-deps",
        "-w",
        str(directory),
        str(sdist),
    ]
    succeed(build, directory, env)
    (made,) = directory.glob("*.whl")
    return made


def names(directory: Path, *patterns: str) -> set[str]:
    """The files below a directory of the repository, as paths from its root."""
    found = (path for pattern in patterns for path in directory.rglob(pattern))
    return {str(path.relative_to(ROOT)) for path in found if "__pycache__" not in path.parts}


def metadata(wheel: Path, name: str) -> email.message.Message:
    with zipfile.ZipFile(wheel) as archive:
        (member,) = (m for m in archive.namelist() if m.endswith(f".dist-info/{name}"))
        return email.parser.Parser().parsestr(archive.read(member).decode())


def test_sdist_has_what_a_build_needs(unpacked: Path) -> None:
    members = {str(path.relative_to(unpacked)) for path in unpacked.rglob("*") if path.is_file()}
    assert names(ROOT / "cdefs", "*.h", "*.c") <= members
    assert names(ROOT / "rbdcffi", "*.py", "*.pyi", "py.typed") <= members
    assert {"build_ffi.py", "setup.py", "pyproject.toml", "README.md", "LICENSE"} <= members
    assert not [m for m in members if m.endswith((".so", ".o")) or m == "rbdcffi/_librbd.c"]


def test_wheel_has_all_modules(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        members = {m for m in archive.namelist() if ".dist-info/" not in m}
    compiled = {m for m in members if m.endswith(".so")}
    assert members - compiled == names(ROOT / "rbdcffi", "*.py", "*.pyi", "py.typed")
    assert len(compiled) == 1
    (module,) = compiled
    assert module.startswith("rbdcffi/_librbd.")
    assert PYPY or module == "rbdcffi/_librbd.abi3.so"


def test_wheel_tag(wheel: Path) -> None:
    platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
    if PYPY:
        python = f"pp{sys.version_info[0]}{sys.version_info[1]}"
        expected = f"{python}-{sysconfig.get_config_var('SOABI').replace('-', '_')}-{platform}"
    else:
        expected = f"cp39-abi3-{platform}"
    assert metadata(wheel, "WHEEL").get_all("Tag") == [expected]
    assert wheel.name.endswith(f"-{expected}.whl")


def test_wheel_metadata(wheel: Path) -> None:
    fields = metadata(wheel, "METADATA")
    assert fields["Requires-Python"] == ">=3.9"
    required = [r for r in fields.get_all("Requires-Dist", []) if "extra ==" not in r]
    assert sorted(r.split(">=")[0].split(";")[0].strip() for r in required) == DEPENDENCIES


#: What is needed at run time (not cffi on PyPy, which has it; the marker says so).
DEPENDENCIES = ["anyio", "cffi"]


# -- where it works ---------------------------------------------------------------------------

# Debian's interpreters may lack what makes environments.
DESCRIBE = """
import ensurepip, json, platform, sys, sysconfig, venv
print(json.dumps([
    platform.python_implementation(), sys.version_info[:2],
    bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
]))
"""


def other_interpreters() -> dict[str, Path]:
    """{version: path} of each CPython >= 3.9 found here, one per minor version, but not ours."""
    directories = [*os.environ.get("PATH", "").split(os.pathsep), "/usr/bin", "/usr/local/bin"]
    root = os.environ.get("PYENV_ROOT")
    if root is None and shutil.which("pyenv"):
        root = run(["pyenv", "root"], ROOT).stdout.strip()
    if root:
        directories += sorted(str(path) for path in Path(root).glob("versions/*/bin"))
    found: dict[str, Path] = {}
    candidates = (p for d in directories if d for p in sorted(Path(d).glob("python3*")))
    for path in candidates:
        suffix = path.name[len("python3") :]
        if suffix and not (suffix.startswith(".") and suffix[1:].isdigit()):
            continue
        try:
            done = run([path, "-I", "-c", DESCRIBE], ROOT, timeout=30)
            kind, version, free_threaded = json.loads(done.stdout)
        except (OSError, ValueError, subprocess.TimeoutExpired):
            continue  # a pyenv shim without a version behind it, say
        # the limited API is for builds with a GIL
        if kind == "CPython" and version >= [3, 9] and not free_threaded:
            found.setdefault(".".join(map(str, version)), path)
    found.pop(".".join(map(str, sys.version_info[:2])), None)
    return found


# A round trip through everything that is compiled: handles, buffers, results made in C, extents
# collected in C, and the exception from a callback.
SMOKE = """
import sys
import rbdcffi, rbdcffi.aio, rbdcffi.testing
from rbdcffi import rados, rbd

conf, pool = sys.argv[1:]
name = "packaging-%d.%d-%s" % (*sys.version_info[:2], sys.implementation.name)
with rados.Rados(conffile=conf) as cluster, cluster.open_ioctx(pool) as ioctx:
    rbd.RBD().create(ioctx, name, 8 << 20)
    with rbd.Image(ioctx, name) as image:
        data = bytes(range(256)) * 16
        image.write(data, 4096)
        assert image.read(0, 12288) == bytes(4096) + data + bytes(4096)
        extents = []
        image.diff_iterate(0, image.size(), None, lambda *extent: extents.append(extent))
        assert extents and all(exists for _, _, exists in extents), extents
        def fail(*extent):
            raise LookupError("mine")
        try:
            image.diff_iterate(0, image.size(), None, fail)
        except LookupError as error:
            assert error.args == ("mine",)
        else:
            raise AssertionError("the callback's exception is lost")
    rbd.RBD().remove(ioctx, name)
print("works:", rbdcffi.__file__)
"""


def check_wheel(python: Path, wheel: Path, directory: Path, conf: str, pool: str) -> None:
    """Installs the wheel and what it depends on in a new environment, and uses it there."""
    succeed([python, "-m", "venv", directory], directory.parent)
    new = directory / "bin" / "python"
    pip: list[str | Path] = [new, "-m", "pip"]
    succeed([*pip, "install", "-q", wheel], directory)
    succeed([*pip, "check"], directory)
    env = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    used = succeed([new, "-W", "error", "-c", SMOKE, conf, pool], directory, env)
    assert f"works: {directory}" in used


def test_wheel_works_here(
    wheel: Path, tmp_path: Path, ceph_conf: str, ceph_shared_pool: str
) -> None:
    check_wheel(Path(sys.executable), wheel, tmp_path / "venv", ceph_conf, ceph_shared_pool)


@pytest.mark.skipif(PYPY, reason="the wheel for every CPython is built on CPython")
def test_wheel_works_on_every_other_cpython(
    wheel: Path, tmp_path: Path, ceph_conf: str, ceph_shared_pool: str
) -> None:
    others = other_interpreters()
    if not others:
        pytest.skip(
            "NO OTHER CPYTHON >= 3.9 on this machine (PATH, /usr/bin, pyenv): "
            "that one wheel works on all of them is NOT TESTED here"
        )
    for minor, python in others.items():
        check_wheel(python, wheel, tmp_path / minor, ceph_conf, ceph_shared_pool)


# -- how a build fails ------------------------------------------------------------------------


COMPILER = os.environ.get("CC", "gcc")


def mirror(real: Path, copy: Path, hidden: Sequence[str]) -> None:
    """Links to the entries of a directory, except for those whose names begin like this."""
    copy.mkdir(parents=True, exist_ok=True)
    for entry in real.iterdir():
        link = copy / entry.name
        if not entry.name.startswith(tuple(hidden)) and not link.exists():
            link.symlink_to(entry)


def compiler_without_headers(directory: Path, hidden: Sequence[str]) -> str:
    """CC for a compiler to which /usr/include and its like lack these files."""
    triplet = succeed([*COMPILER.split(), "-print-multiarch"], ROOT).strip()
    for place in ("usr/include", "usr/local/include"):
        nested = Path("/", place, triplet)
        if triplet and nested.is_dir():
            mirror(nested, directory / place / triplet, hidden)
        if Path("/", place).is_dir():
            mirror(Path("/", place), directory / place, hidden)
    return f"{COMPILER} -isysroot {directory}"


def compiler_without_library(directory: Path, hidden: Sequence[str]) -> str:
    """CC for a compiler whose linker sees these libraries nowhere."""
    search = succeed([*COMPILER.split(), "-print-search-dirs"], ROOT)
    (line,) = (line for line in search.splitlines() if line.startswith("libraries: ="))
    linker = directory / "ld"
    options = ["-nostdlib"]
    for number, real in enumerate(line.partition("=")[2].split(":")):
        if Path(real).is_dir():
            mirror(Path(real), directory / str(number), hidden)
            options.append(f"-L{directory / str(number)}")
    # the compiler names the real directories, and these come first
    linker.write_text(
        "#!/bin/sh\n"
        'for word; do shift; case $word in -L*) ;; *) set -- "$@" "$word" ;; esac; done\n'
        f'exec {shutil.which("ld")} {" ".join(options)} "$@"\n'
    )
    linker.chmod(0o755)
    return f"{COMPILER} -B{directory}/"


def failed_build(sources: Path, tmp_path: Path, compiler: str) -> str:
    """What a user sees at the end of a build that cannot succeed."""
    tree = tmp_path / "tree"
    shutil.copytree(sources, tree)
    make = "import sys, setuptools.build_meta as b; b.build_wheel(sys.argv[1])"
    env = {**os.environ, "CC": compiler}
    done = run([sys.executable, "-c", make, tmp_path], tree, env, timeout=60)
    assert done.returncode != 0, done.stdout
    assert "Traceback" not in done.stdout, done.stdout
    return done.stdout.strip().splitlines()[-1]


@pytest.mark.parametrize("lacking", [compiler_without_headers, compiler_without_library])
def test_probe_passes_where_nothing_is_hidden(
    unpacked: Path, tmp_path: Path, lacking: Callable[[Path, Sequence[str]], str]
) -> None:
    """Else the tests below could fail to find everything."""
    env = {**os.environ, "CC": lacking(tmp_path, ["nothing is called like this"])}
    succeed([sys.executable, "-c", "import build_ffi; build_ffi.probe()"], unpacked, env)


@pytest.mark.parametrize("hidden", ["rbd", "rados"])
def test_missing_headers(unpacked: Path, tmp_path: Path, hidden: str) -> None:
    error = failed_build(unpacked, tmp_path, compiler_without_headers(tmp_path / "cc", [hidden]))
    assert "the headers of librbd and librados are missing" in error
    assert "install librbd-dev and librados-dev (Debian" in error
    assert "librbd-devel and librados-devel (Fedora" in error


@pytest.mark.parametrize("hidden", ["librbd.", "librados."])
def test_missing_library(unpacked: Path, tmp_path: Path, hidden: str) -> None:
    error = failed_build(unpacked, tmp_path, compiler_without_library(tmp_path / "cc", [hidden]))
    assert "librbd.so or librados.so cannot be linked" in error
    assert "install librbd-dev and librados-dev (Debian" in error


def test_missing_compiler(unpacked: Path, tmp_path: Path) -> None:
    error = failed_build(unpacked, tmp_path, str(tmp_path / "no-such-compiler"))
    assert "no working C compiler; install gcc" in error
    assert "librbd-dev" not in error


def test_sdist_needs_no_compiler(unpacked: Path, tmp_path: Path) -> None:
    """Who only repacks or uploads has no Ceph."""
    make = "import sys, setuptools.build_meta as b; b.build_sdist(sys.argv[1])"
    env = {**os.environ, "CC": str(tmp_path / "no-such-compiler")}
    succeed([sys.executable, "-c", make, tmp_path], unpacked, env)
    assert list(tmp_path.glob("*.tar.gz"))


# -- how an import fails ----------------------------------------------------------------------


@pytest.fixture
def installed(wheel: Path, tmp_path: Path) -> Path:
    directory = tmp_path / "installed"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(directory)
    return directory


def failed_import(installed: Path, library_path: str = "") -> str:
    """The message of the ImportError."""
    code = """
        try:
            import rbdcffi.rbd
        except ImportError as error:
            print(error)
        else:
            raise SystemExit("imported")
        """
    env = {**os.environ, "PYTHONPATH": str(installed), "LD_LIBRARY_PATH": library_path}
    return succeed([sys.executable, "-c", textwrap.dedent(code)], installed, env).strip()


@pytest.mark.parametrize("library", ["librbd.so", "librados.so"])
def test_missing_library_at_run_time(installed: Path, library: str) -> None:
    """The compiled module asks for another version of the library, one that is nowhere."""
    (module,) = installed.glob("rbdcffi/_librbd.*.so")
    content = module.read_bytes()
    needed = {"librbd.so": b"librbd.so.1\0", "librados.so": b"librados.so.2\0"}[library]
    assert content.count(needed) == 1
    module.write_bytes(content.replace(needed, needed[:-2] + b"9\0"))
    message = failed_import(installed)
    assert message.startswith("rbdcffi needs the libraries of Ceph")
    assert f"{library}.9: cannot open shared object file" in message
    assert "install librbd1 and librados2" in message


def test_broken_library_at_run_time(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "librbd.so.1").write_bytes(b"not a library")
    message = failed_import(installed, library_path=str(tmp_path))
    assert message.startswith("rbdcffi needs the libraries of Ceph")
    assert f"{tmp_path}/librbd.so.1" in message
