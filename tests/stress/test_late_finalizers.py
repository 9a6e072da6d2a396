"""Things that are dropped without being closed, by the thousand.

PyPy's finalizers come late, and its collector knows nothing of C memory, but what it is told of
(rbdcffi/_handle.py, `weigh`): what is open must stay bounded all the same.
"""

from __future__ import annotations

import json
import sys
from typing import NamedTuple

import pytest
from programs import Nursery, ended_well

PYPY = sys.implementation.name == "pypy"


class Kind(NamedTuple):
    #: makes one and drops it
    code: str
    #: how many
    count: int
    #: how many warnings each is worth
    warnings: int
    #: of handles, descriptors and threads that may be there at a time on PyPy, besides what was
    #: there before
    most: tuple[int, int, int]


KINDS = {
    "images": Kind("rbd.Image(ioctx, NAME)", 400, 1, (300, 10, 10)),
    "images, read-only": Kind("rbd.Image(ioctx, NAME, read_only=True)", 400, 1, (300, 10, 10)),
    "images of an event loop": Kind("anyio.run(open_there)", 40, 1, (90, 250, 300)),
    # these are small
    "I/O contexts": Kind("cluster.open_ioctx('rbd')", 3000, 1, (3000, 10, 10)),
    "clusters": Kind("rados.Rados(conffile=CONF).connect()", 60, 1, (30, 250, 300)),
    "clusters with all that is in them": Kind(
        "mine, pool = connect(); rbd.Image(pool, NAME).write(b'x', 0)", 40, 3, (90, 250, 300)
    ),
    "iterators, half through": Kind("next(image.diff(0, 4 * MIB, None))", 600, 0, (10, 10, 300)),
    "watches": Kind("image.update_watch(print)", 600, 1, (10, 400, 300)),
    "watches of objects": Kind("ioctx.watch(NAME, print)", 400, 1, (10, 300, 300)),
    "logs": Kind("rados.MonitorLog(cluster, 'info', print)", 600, 0, (10, 400, 100)),
    "completions": Kind(
        "image.aio_read(0, 4096, nothing); ioctx.aio_read(NAME, 10, 0, nothing)",
        1000,
        0,
        (10, 10, 10),
    ),
    "files": Kind("rbd.Image(ioctx, NAME).open_file().read(512)", 400, 1, (300, 10, 10)),
    "listings and operations": Kind(
        "next(ioctx.list_objects()); rados.WriteOp().create().new(0); rados.ReadOp().create();"
        "list(ioctx.get_xattrs(NAME)); image.list_snaps(); image.list_lockers()",
        600,
        0,
        (10, 10, 10),
    ),
}
#: On CPython they are closed at once; threads take a moment to end. An event loop ends with cycles.
AT_ONCE = (10, 150, 150)
#: Of PyPy's last one something may still be referred to.
LEFT = 2 if PYPY else 0

PROGRAM = """
from rbdcffi import _handle
from rbdcffi.rbd import diff
warnings.simplefilter("always", ResourceWarning)
warned = []
warnings.showwarning = lambda message, *args: warned.append(message)
def nothing(*args):
    pass
async def open_there():
    there = aio.Rados(conffile=CONF)
    await there.connect()
    await aio.Image(await there.open_ioctx("rbd"), NAME)
diff.AHEAD = 16
cluster, ioctx = connect()
image = fresh(ioctx, NAME, 4 * MIB, written=64)
ioctx.write_full(NAME, b"x" * 100)
def drop(number):
    CODE
def count():
    handles = len(_handle._roots)
    for root in list(_handle._roots):
        handles += len(root._children)
    return [handles, len(os.listdir("/proc/self/fd")), len(os.listdir("/proc/self/task"))]
def one_more():
    with cluster.open_ioctx("rbd"):
        pass
# what is made once, and stays
drop(0)
for _ in range(3):
    gc.collect()
    one_more()
time.sleep(0.3)
before, peak = count(), [0, 0, 0]
warned.clear()
for number in range(1, COUNT + 1):
    drop(number)
    if number % 5 == 0:
        peak = [max(both) for both in zip(peak, count())]
until = time.monotonic() + 20
while True:
    if PYPY:
        gc.collect()
    # PyPy leaves the closing to whoever comes next; threads need a moment to end
    one_more()
    left = [now - was for now, was in zip(count(), before)]
    if (max(left) <= LEFT and not _handle._orphans) or time.monotonic() > until:
        break
    time.sleep(0.05)
del drop
print(json.dumps({"peak": [most - was for most, was in zip(peak, before)], "left": left,
                  "orphans": len(_handle._orphans), "warned": len(warned)}), flush=True)
"""


@pytest.mark.parametrize("kind", KINDS)
def test_dropped_by_the_thousand(nursery: Nursery, fresh_name: str, kind: str) -> None:
    code, count, warnings, most = KINDS[kind]
    text = "import json\n" + PROGRAM.replace("CODE", code)
    ended = ended_well(
        nursery.run(fresh_name, text, COUNT=count, PYPY=PYPY, LEFT=LEFT, deadline=120), 0
    )
    found = json.loads(ended.out)
    print(kind, found)
    assert max(found["left"]) <= LEFT and not found["orphans"], found
    limits = most if PYPY else AT_ONCE
    assert all(peak <= limit for peak, limit in zip(found["peak"], limits)), (found, limits)
    assert found["warned"] >= count * warnings
