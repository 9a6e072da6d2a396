"""Sub-interpreters, which are refused, and the package imported anew: nothing crashes, and what is
open stays usable or says why not."""

from __future__ import annotations

import importlib
import subprocess
import sys
import textwrap
from functools import partial

import pytest
from programs import Nursery, ended_well, side_by_side

from rbdcffi import rados, rbd

PYPY = sys.implementation.name == "pypy"


def _has(name: str) -> bool:
    try:
        importlib.import_module(name)
    except ImportError:
        return False
    return True


#: The modules for sub-interpreters that some Pythons have: code with ENTER and `run(text)`.
INTERPRETERS = {
    "_xxsubinterpreters": """
        import _xxsubinterpreters as interpreters
        made = [interpreters.create(isolated=True), interpreters.create(isolated=False)]
        run, destroy = interpreters.run_string, interpreters.destroy
        """,
    "_interpreters": """
        import _interpreters as interpreters
        made = [interpreters.create(), interpreters.create("legacy")]
        destroy = interpreters.destroy
        def run(interpreter, text):
            failure = interpreters.exec(interpreter, text)
            assert failure is None, failure
        """,
    "concurrent.interpreters": """
        from concurrent import interpreters
        made = [interpreters.create() for _ in range(2)]
        def run(interpreter, text):
            interpreter.exec(text)
        def destroy(interpreter):
            interpreter.close()
        """,
}

SUB = '''
import os, sys
FIRST, CONF = sys.argv[1] == "first", sys.argv[2]
if FIRST:
    from rbdcffi import rados
MADE
told, tell = os.pipe()
# what each of the ways in says, twice
text = f"""
import os
for module in ("rbdcffi", "rbdcffi.rados", "rbdcffi.rbd", "rbdcffi.aio", "rbdcffi.rbd"):
    try:
        __import__(module)
    except ImportError as error:
        os.write({tell}, (str(error) + chr(10)).encode())
"""
for interpreter in made:
    run(interpreter, text)
    destroy(interpreter)
os.close(tell)
with open(told) as stream:
    lines = stream.read().splitlines()
from rbdcffi import rados, rbd
with rados.Rados(conffile=CONF) as cluster:
    assert cluster.get_fsid()
for line in sorted(set(lines)):
    print(line)
print(len(lines))
'''


@pytest.mark.skipif(not any(map(_has, INTERPRETERS)), reason="Python has no sub-interpreters")
@pytest.mark.parametrize("module", [name for name in INTERPRETERS if _has(name)] or [""])
@pytest.mark.parametrize("when", ["first", "later"])
def test_sub_interpreters_are_refused(ceph_conf: str, module: str, when: str) -> None:
    """Before and after the main one has imported it, which can go on."""
    text = SUB.replace("MADE", textwrap.dedent(INTERPRETERS[module]))
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-X", "faulthandler", "-c", text, when, ceph_conf],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    *lines, count = done.stdout.splitlines()
    # those that import the compiled module
    assert int(count) == 8
    assert len(lines) == 1
    assert "rbdcffi works in the main interpreter only" in lines[0]


AGAIN = """
import importlib
def conversation(number):
    from rbdcffi import rados, rbd
    cluster = rados.Rados(conffile=CONF)
    cluster.connect()
    ioctx = cluster.open_ioctx("rbd")
    name = f"{NAME}-{number}"
    rbd.RBD().create(ioctx, name, MIB, order=16)
    image = rbd.Image(ioctx, name)
    image.write(b"x" * 4096, 0)
    ioctx.write_full(name, b"x")
    return rados, rbd, cluster, ioctx, image, name
def use(rados, rbd, cluster, ioctx, image, name):
    seen = []
    see = lambda *args: seen.append(args)
    image.diff_iterate(0, MIB, None, see)
    assert seen and list(image.diff(0, MIB, None))
    image.aio_read(0, 1, see).wait_for_complete_and_cb()
    ioctx.aio_read(name, 1, 0, see).wait_for_complete_and_cb()
    assert len(seen) == 3
    try:
        image.diff_iterate(0, MIB, None, lambda *extent: 1 // 0)
    except ZeroDivisionError:
        pass
    else:
        raise AssertionError
    try:
        image.remove_snap("there is none")
    except rbd.ImageNotFound:
        pass
    with image.update_watch(see):
        image.metadata_set("key", "value")
    with ioctx.watch(name, lambda *args: b"reply"):
        ioctx.notify(name)
    progress = []
    image.sparsify(4096, on_progress=lambda *args: progress.append(args))
    assert progress
    with rbd.Image(ioctx, name, read_only=True) as another:
        assert another.size() == MIB
def again():
    ours = [name for name in sys.modules if name.partition(".")[0] == "rbdcffi"]
    if HOW == "reloaded":
        for name in sorted(ours, key=lambda name: (not name.rpartition(".")[2][0] == "_", name)):
            # what others are made of comes first; cffi has put its lib among the modules
            if not name.endswith("_librbd.lib"):
                importlib.reload(sys.modules[name])
    for name in ours:
        if HOW == "forgotten" or (HOW == "forgotten but for C" and not name.endswith("_librbd")):
            del sys.modules[name]
kept = [conversation(0)]
use(*kept[0])
for number in range(1, 4):
    again()
    try:
        kept.append(conversation(number))
    except TypeError as error:
        # modules that are reloaded one by one do not know each other's classes
        assert HOW == "reloaded" and "must be an rbdcffi" in str(error), error
    for one in kept:
        try:
            use(*one)
        except TypeError as error:
            # old handles, and new callbacks or classes
            assert HOW == "reloaded" or PYPY and "different ffi" in str(error), error
            told = str(error)
    gc.collect()
assert HOW == "reloaded" or len(kept) == 4
for one in kept:
    one[4].aio_write(b"last" * 1024, 65536, lambda completion: None)
if END == "closed":
    for rados, rbd, cluster, ioctx, image, name in kept:
        image.close(); ioctx.close(); cluster.shutdown()
if END == "collected":
    del kept, one
    gc.collect()
print(f"end {number}")
"""


@pytest.mark.parametrize("how", ["reloaded", "forgotten", "forgotten but for C"])
def test_imported_anew(nursery: Nursery, ioctx: rados.Ioctx, fresh_name: str, how: str) -> None:
    def check(end: str) -> None:
        name = f"{fresh_name}-{end}"
        ended = nursery.run(name, AGAIN, HOW=how, END=end, PYPY=PYPY)
        ended_well(ended, 0, "end 3\n", "^$")
        with rbd.Image(ioctx, f"{name}-0", read_only=True) as image:
            assert image.read(65536, 4096) == b"last" * 1024

    side_by_side({end: partial(check, end) for end in ("closed", "collected", "left")})
