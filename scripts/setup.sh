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
TEST_PACKAGES=(ceph-mgr python3-rbd python3-rados)
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
