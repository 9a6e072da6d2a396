"""The constants have the values of the headers, and none that users need is missing."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from rbdcffi import rbd

#: Of the headers, but for nobody who uses this module.
LEFT_OUT = re.compile(
    r"CEPH_\w+"  # the headers' own
    r"|LIBRBD_\w+"  # of the build, not of the loaded library; see RBD.version
    r"|EVENT_TYPE_\w+"  # of calls that this package makes itself
    r"|RBD_DIFF_ITERATE_FLAG_\w+"  # arguments of diff_iterate here
)
#: Unions of features, which grow with the release.
UNIONS = re.compile(r"RBD_FEATURES_\w+|RBD_OPERATION_FEATURES_ALL")

PROGRAM = """
#include <stdint.h>
#include <stdio.h>
#include <rados/librados.h>
#include <rbd/librbd.h>
#define SHOW(name, value) printf("%%s\\"%%s\\": ", first ? "" : ",", name), first = 0, \\
    _Generic((value), char *: show_text, const char *: show_text, default: show_number)(value)
static void show_text(const char *text) { printf("\\"%%s\\"", text); }
static void show_number(long long number) { printf("%%lld", number); }
int main(void)
{
    int first = 1;
    printf("{");
%s
    printf("}");
}
"""


@pytest.fixture(scope="module")
def header(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """{name: value} of all constants of the installed librbd.h and features.h."""
    directory = Path("/usr/include/rbd")
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None or not (directory / "librbd.h").exists():
        pytest.skip("no compiler, or no headers")
    text = "".join((directory / file).read_text() for file in ("librbd.h", "features.h"))
    text = re.sub(r"/\*.*?\*/|//[^\n]*", "", text, flags=re.S)
    names = set(re.findall(r"^#define[ \t]+(\w+)[ \t]+\S", text, re.M))
    for body in re.findall(r"\benum\s*\w*\s*\{(.*?)\}", text, re.S):
        names |= set(re.findall(r"(?:^|,)\s*(\w+)", body))
    names = {name for name in names if not LEFT_OUT.fullmatch(name)}
    source = tmp_path_factory.mktemp("constants") / "show.c"
    lines = (f'    SHOW("{name}", {name});' for name in sorted(names))
    source.write_text(PROGRAM % "\n".join(lines))
    program = source.with_suffix("")
    subprocess.run([compiler, "-w", "-o", program, source], check=True)
    found: dict[str, object] = json.loads(subprocess.check_output([program]))
    assert len(found) > 100
    return found


def test_none_is_missing(header: dict[str, object]) -> None:
    assert {name for name in header if not hasattr(rbd, name)} == set()
    assert {name for name in header if name not in rbd.__all__} == set()


def test_values(header: dict[str, object]) -> None:
    different = {
        name: (value, getattr(rbd, name))
        for name, value in header.items()
        if not UNIONS.fullmatch(name) and getattr(rbd, name) != value
    }
    assert not different, "(header, ours)"


def test_unions_hold_those_of_the_header(header: dict[str, object]) -> None:
    for name, value in header.items():
        if UNIONS.fullmatch(name):
            assert isinstance(value, int)
            assert getattr(rbd, name) & value == value, name


def test_unions_of_today() -> None:
    """As of Ceph 20, whatever the headers were."""
    assert {name: getattr(rbd, name) for name in dir(rbd) if UNIONS.fullmatch(name)} == {
        "RBD_FEATURES_ALL": 4095,
        "RBD_FEATURES_DEFAULT": 61,
        "RBD_FEATURES_DISABLE_ONLY": 32,
        "RBD_FEATURES_IMPLICIT_ENABLE": 3986,
        "RBD_FEATURES_INCOMPATIBLE": 2179,
        "RBD_FEATURES_INTERNAL": 768,
        "RBD_FEATURES_MUTABLE": 3164,
        "RBD_FEATURES_MUTABLE_INTERNAL": 3072,
        "RBD_FEATURES_RW_INCOMPATIBLE": 4095,
        "RBD_FEATURES_SINGLE_CLIENT": 2140,
        "RBD_OPERATION_FEATURES_ALL": 15,
    }
