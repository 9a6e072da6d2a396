# Shared by the scripts: installs what is missing on Debian, makes virtual environments, builds.
# Idempotent; a second run only looks.

set -euo pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}

# packages NAME...: Debian packages, those that are missing.
packages() {
    local name missing=()
    for name in "$@"; do
        dpkg-query -W -f '${db:Status-Status}\n' "$name" 2>/dev/null | grep -qx installed ||
            missing+=("$name")
    done
    [ ${#missing[@]} = 0 ] && return
    echo "installing ${missing[*]}" >&2
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

BUILD_PACKAGES=(gcc libc6-dev librbd-dev librados-dev python3 python3-dev python3-venv)
CEPH_PACKAGES=(ceph-mon ceph-osd ceph-common)
TEST_PACKAGES=(ceph-mgr rbd-mirror python3-rbd python3-rados)
PYPY_PACKAGES=(pypy3 pypy3-dev pypy3-venv)

# environment NAME PYTHON [EXTRA]: .venv/NAME with rbdcffi built in place; prints its python.
environment() {
    local name=$1 python=$2 extra=${3:-} directory=$ROOT/.venv/$1 stamp want
    stamp=$directory/rbdcffi-stamp
    want=$(
        {
            cat "$ROOT"/build_ffi.py "$ROOT"/setup.py "$ROOT"/pyproject.toml "$ROOT"/cdefs/*
            "$python" -VV
            dpkg-query -W librbd-dev
            echo "$ROOT $extra"
        } 2>&1 | sha256sum
    )
    if [ "$(cat "$stamp" 2>/dev/null)" != "$want" ]; then
        echo "building for $name" >&2
        if [ "$("$directory/bin/python" -VV 2>&1)" != "$("$python" -VV 2>&1)" ]; then
            rm -rf "$directory"
            "$python" -m venv "$directory"
        fi
        "$directory/bin/python" -m pip install -q --disable-pip-version-check \
            'setuptools>=64' wheel "cffi>=1.15; platform_python_implementation != 'PyPy'" >&2
        "$directory/bin/python" -m pip install -q --disable-pip-version-check \
            --no-build-isolation -e "$ROOT${extra:+[$extra]}" >&2
        echo "$want" >"$stamp"
    fi
    echo "$directory/bin/python"
}

# newest_python: prints the newest python3.12 or later that there is; fails if there is none.
newest_python() {
    local version
    for version in 15 14 13 12; do
        # a version manager may have a command that only says that it is not active
        if "python3.$version" -c 'import ensurepip, venv' 2>/dev/null; then
            echo "python3.$version"
            return
        fi
    done
    return 1
}

# dependencies NAME PYTHON: .venv/NAME with what the tests need, beside the rbdcffi of the tree: the
# binary that was built for one CPython is for the newer ones, too. Prints its python.
dependencies() {
    local name=$1 python=$2 directory=$ROOT/.venv/$1 stamp want
    stamp=$directory/rbdcffi-stamp
    want=$({ cat "$ROOT/pyproject.toml" && "$python" -VV && echo "$ROOT"; } | sha256sum)
    if [ "$(cat "$stamp" 2>/dev/null)" != "$want" ]; then
        echo "installing for $name" >&2
        rm -rf "$directory"
        "$python" -m venv "$directory"
        "$python" - "$ROOT/pyproject.toml" >"$directory/requirements.txt" <<'PYTHON'
import sys, tomllib

with open(sys.argv[1], "rb") as file:
    project = tomllib.load(file)["project"]
print(*project["dependencies"], *project["optional-dependencies"]["test"], sep="\n")
PYTHON
        "$directory/bin/python" -m pip install -q --disable-pip-version-check \
            -r "$directory/requirements.txt" >&2
        echo "$ROOT" >"$("$directory/bin/python" -c \
            'import sysconfig; print(sysconfig.get_path("purelib"))')/rbdcffi.pth"
        echo "$want" >"$stamp"
    fi
    echo "$directory/bin/python"
}

# again_alone PYTEST...: what hangs is ended. What fails beside other suites, on figures that depend on
# time, is run again by itself, and must pass then; a process that has crashed or hung is a failure.
again_alone() {
    local output result
    output=$(mktemp)
    if timeout --foreground -k 10 3000 "$@" | tee "$output"; then
        rm "$output"
        return
    fi
    result=1
    if grep -qE 'Fatal Python error|exit code (None|-6|-11)|SIGSEGV|SIGABRT' "$output"; then
        echo "a process has crashed or hung: not run again"
    else
        echo "what failed, by itself:"
        timeout --foreground -k 10 900 "$@" --last-failed --last-failed-no-failures none && result=0
    fi
    rm "$output"
    return $result
}
