"""Images, pools and clusters that are forgotten, in cycles through what was lent to C or waits for
it: they are collected when nothing is left to be called, or closed at exit."""

from __future__ import annotations

import textwrap
from functools import partial

import pytest
from programs import Nursery, ended_well, side_by_side

#: {what the cycle goes through: code that makes it; `session` is part of it}
CYCLES = {
    "an attribute": "session.image.session = session",
    "a callback of a diff": """
        session.image.diff_iterate(0, MIB, None, lambda *extent: session.seen(extent))
        session.image.session = session
        """,
    "an error of a callback": """
        def fail(*extent):
            raise session.error
        session.error = LookupError()
        try:
            session.image.diff_iterate(0, MIB, None, fail)
        except LookupError as error:
            session.kept = error  # its traceback has the frames, and they the image
        """,
    "progress": """
        session.image.copy(session.ioctx, NAME + "-copy", on_progress=session.seen)
        session.image.session = session
        """,
    "an iterator that is half through": """
        session.extents = session.image.diff(0, MIB, None)
        next(session.extents)
        session.extents.session = session
        """,
    "an iterator of nothing": """
        session.extents = session.image.diff(0, MIB, None)
        session.image.session = session
        """,
    "completions that are done": """
        session.completions = [session.image.aio_read(0, 1, session.seen) for _ in range(50)]
        for completion in session.completions:
            completion.wait_for_complete_and_cb()
            completion.session = session
        """,
    "completions in flight": """
        session.completions = [session.image.aio_write(b"y" * 65536, 0, session.seen)
                               for _ in range(50)]
        session.objects = [session.ioctx.aio_write(NAME, b"y", 0, session.seen) for _ in range(50)]
        session.image.session = session
        """,
    "an image that is being opened": """
        def opened(completion, image):
            session.images.append(image)
            image.session = session
        session.images = []
        session.openings = [rbd.RBD().aio_open_image(opened, session.ioctx, NAME, read_only=True)
                            for _ in range(5)]
        """,
    "a watch": """
        session.watch = session.image.update_watch(session.seen)
        """,
    "hooks": """
        if hasattr(session.image, "quiesce_watch"):
            session.watch = session.image.quiesce_watch(session.seen, session.seen)
        """,
    "a watch of an object": """
        session.watch = session.ioctx.watch(NAME, session.seen, session.seen)
        """,
    "the log of the cluster": """
        session.log = rados.MonitorLog(session.cluster, "info", session.seen, session)
        """,
    "a listing": """
        session.objects = session.ioctx.list_objects()
        next(session.objects)
        session.objects.session = session
        """,
    "an operation": """
        session.operation = rados.WriteOp().create()
        session.operation.session = session
        session.operation.new(0)
        """,
    "a finalizer that uses it": """
        class Last:
            def __del__(self):
                try:
                    session.image.read(0, 1)
                    session.image.close()
                except (rbd.Error, rados.Error):
                    pass
        session.last = Last()
        """,
}

SESSION = """
class Session:
    def __init__(self):
        self.cluster, self.ioctx = connect()
        self.image = fresh(self.ioctx, NAME, MIB, written=4)
        self.ioctx.write_full(NAME, b"")
    def seen(self, *args):
        self.last_seen = args
def begin():
    session = Session()
    CYCLE
    return weakref.ref(session), session.cluster._open_handle
"""

#: {when it is forgotten: code}
WHEN = {
    "collected": """
        alive, handle = begin()
        until = time.monotonic() + 40
        while alive() is not None or not handle.closed:
            assert time.monotonic() < until, (alive(), handle.closed)
            gc.collect()
            # PyPy leaves the closing to whoever comes next
            rados.Rados().shutdown()
            time.sleep(0.01)
        mine, pool = connect()
        until = time.monotonic() + 40
        while True:
            try:
                # nobody has it open any more
                rbd.RBD().remove(pool, NAME)
                break
            except rbd.ImageBusy:
                assert time.monotonic() < until
                time.sleep(0.05)
        """,
    "at exit": """
        gc.disable()
        begin()
        """,
    "at exit, from a global": """
        session = None
        def begin_globally():
            global session
            session = Session()
            CYCLE
        begin_globally()
        """,
}


@pytest.mark.parametrize("when", WHEN)
def test_cycles(nursery: Nursery, fresh_name: str, when: str) -> None:
    def check(number: int, cycle: str) -> None:
        lines = textwrap.dedent(CYCLES[cycle]).strip().replace("\n", "\n    ")
        text = (SESSION + textwrap.dedent(WHEN[when])).replace("CYCLE", lines)
        ended_well(nursery.run(f"{fresh_name}-{number}", text), 0, "", "^$", within=30)

    side_by_side({cycle: partial(check, number, cycle) for number, cycle in enumerate(CYCLES)})
