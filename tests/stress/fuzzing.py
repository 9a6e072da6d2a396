"""Calls everything public with arguments of every kind; run by test_fuzz.py, in its own process.

    python fuzzing.py CONF POOL OTHER_POOL SEED EXAMPLES [PART]

What is called is taken from the modules: each method, property and operator of each public class.
The arguments are good ones or any of VALUES, by chance. After a call that was refused (an
error that no errno came with) the pool must be what it was. Each call is printed before it is made,
so the last line tells where the process died.
"""

from __future__ import annotations

import array
import faulthandler
import inspect
import io
import itertools
import os
import random
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import hypothesis
import hypothesis.strategies as st
from hypothesis import HealthCheck, Phase, Verbosity

sys.path.insert(0, str(Path(__file__).parent.parent))

from wrong_arguments import DOCUMENTED, GOOD, KEYS, Setting, settle

from rbdcffi import rados, rbd

MIB = 1 << 20
#: Seconds that one call may take.
DEADLINE = 60
#: Of the values of an argument: how many are good ones.
GOOD_SHARE = 0.6


class Boom(Exception):
    """What the objects below raise."""


def boom(*args: Any, **options: Any) -> Any:
    raise Boom


class Hostile:
    """An object whose every special method raises."""

    __index__ = __int__ = __float__ = __str__ = __bytes__ = __hash__ = __buffer__ = boom  # type: ignore[assignment]
    __len__ = __iter__ = __next__ = __getitem__ = __fspath__ = __bool__ = __eq__ = boom  # type: ignore[assignment]
    __call__ = __enter__ = __exit__ = __format__ = __contains__ = __lt__ = boom

    def __repr__(self) -> str:
        return "Hostile()"


class Unprintable:
    __repr__ = __str__ = __format__ = boom  # type: ignore[assignment]


class LyingIndex:
    """An integer that is another one each time."""

    def __init__(self) -> None:
        self.values = itertools.cycle([0, 1 << 70, -1, 5])

    def __index__(self) -> int:
        return next(self.values)


class Text(str):
    encode = boom  # type: ignore[assignment]


class Number(int):
    __index__ = __int__ = boom  # type: ignore[assignment]


class Endless:
    """A sequence without an end, whose length is wrong."""

    def __len__(self) -> int:
        return 3

    def __getitem__(self, index: int) -> bytes:
        if index > 100:
            raise Boom
        return b"x"


def released() -> memoryview:
    view = memoryview(b"released")
    view.release()
    return view


def raising() -> Iterator[Any]:
    yield b"one"
    raise Boom


class World(Setting):
    """What the calls are made on, and what they are given."""

    def __init__(self, conf: str, pool: str, other_pool: str) -> None:
        super().__init__(conf, pool)
        self.other_pool = other_pool
        self.foreign = rados.Rados(conffile=conf)
        self.foreign.connect()
        self.foreign_ioctx = self.foreign.open_ioctx(pool)
        self.foreign_cluster_closed = rados.Rados(conffile=conf)
        self.foreign_cluster_closed.shutdown()
        self.other_ioctx = self.cluster.open_ioctx(other_pool)
        self.closed_ioctx = self.cluster.open_ioctx(pool)
        self.closed_ioctx.close()
        self.subject: Any = None
        self.depth = 0
        self.chance = random.Random(0)
        #: what is closed when the call is over
        self.used: list[Any] = []
        self.closed_image: rbd.Image
        self.other_image: rbd.Image | None = None

    def begin(self, seed: int) -> None:
        """New things, for the calls of one example."""
        self.chance = random.Random(seed)
        self.anew()

    def anew(self) -> None:
        self.ioctx.write_full("object", b"content")
        self.ioctx.set_xattr("object", "attribute", b"value")
        self.new_group()
        self.closed_image = rbd.Image(self.ioctx, self.name)
        self.closed_image.close()
        if self.other_image is not None:
            self.other_image.close()
        self.other_image = rbd.Image(self.foreign_ioctx, self.name)

    def end(self) -> None:
        threads = len(os.listdir("/proc/self/task"))
        if threads > 400:
            problems.append(f"there are {threads} threads")
            say(f"FOUND {problems[-1]}")
        say(f"-- {threads} threads")
        self.finish()
        # what all of it was for still works
        self.ioctx.stat("object") if "object" in self.objects() else None
        with rbd.Image(self.ioctx, self.new_image()) as image:
            assert image.read(0, 16) == b"a" * 16
        assert self.other_image is not None
        self.other_image.close()
        self.other_image = None
        with self.foreign.open_ioctx(self.pool) as ioctx:
            ioctx.set_namespace(rados.LIBRADOS_ALL_NSPACES)
            for item in list(ioctx.list_objects()):
                with suppress(rados.ObjectNotFound):  # only its snapshots are there
                    item.remove()

    def objects(self) -> dict[str, Any]:
        """{object: what changes when it is changed}"""
        found = {}
        with self.foreign.open_ioctx(self.pool) as ioctx:
            ioctx.set_namespace(rados.LIBRADOS_ALL_NSPACES)
            names = [(item.nspace, item.locator_key, item.key) for item in ioctx.list_objects()]
            for nspace, locator, key in names:
                ioctx.set_namespace(nspace)
                ioctx.set_locator_key(locator)
                try:
                    size, _ = ioctx.stat(key)
                except rados.ObjectNotFound:
                    continue
                found[f"{nspace}/{locator}/{key}"] = size, ioctx.get_last_version()
            ioctx.set_locator_key(None)
            ioctx.set_namespace("")
            found["applications"] = ioctx.application_list()
            found["snapshots"] = sorted(snap.name for snap in ioctx.list_snaps())
        found["pools"] = sorted(self.foreign.list_pools())
        return found

    def finish(self) -> None:
        for thing in reversed(self.used):
            try:
                settle(thing)
            except (*DOCUMENTED, KeyError, Boom):
                pass  # of its callback
        self.used.clear()

    def use(self, thing: Any) -> Any:
        # what the next calls need stays open, also if a call returned it
        kept = (self.cluster, self.ioctx, self.foreign, self.foreign_ioctx, self.other_ioctx)
        if not any(thing is one for one in kept):
            self.used.append(thing)
        return thing

    def opened(self, **options: Any) -> rbd.Image:
        image: rbd.Image = self.use(rbd.Image(self.ioctx, self.name, **options))
        return image


# -- the values --------------------------------------------------------------------------------


class Recursive:
    """A callback that makes calls on the object it was given to, and swallows what they raise."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.subject = world.subject

    def __repr__(self) -> str:
        return "Recursive()"

    def __call__(self, *args: Any, **options: Any) -> None:
        world = self.world
        if world.depth >= 3:
            return
        world.depth += 1
        try:
            for _ in range(2):
                names = [name for name, kind in members(type(self.subject)) if kind == "method"]
                name = world.chance.choice(names)
                qualified = f"{type(self.subject).__name__}.{name}"
                if qualified in EXCLUDED or qualified in NOT_IN_CALLBACKS:
                    continue
                function = getattr(self.subject, name)
                try:
                    say(f"  in a callback: {qualified}")
                    world.use(function(**good_arguments(world, qualified, function, self)))
                except (*DOCUMENTED, KeyError, StopIteration, TypeError):
                    pass
        finally:
            world.depth -= 1


VALUES: dict[str, Callable[[World], Any]] = {
    **{
        repr(value): lambda world, value=value: value  # type: ignore[misc]
        for value in (
            *(None, True, False, 0, 1, -1, 5, 255, -(1 << 31) - 1, 1 << 31, (1 << 32) - 1, 1 << 32),
            *((1 << 63) - 1, 1 << 63, -(1 << 63) - 1, (1 << 64) - 1, 1 << 64, 1 << 70, -(1 << 70)),
            *(1.5, -0.0, 1e300, float("nan"), float("inf"), float("-inf"), 1j),
            *("", "x", "x\0y", "\0", "\ud800", "\udc80", "a@b", "a/b", "--id=x", "a=b", "a\nb"),
            *(" ", "ä", "\U0001f600", "object", "snap", "%s%n", "../x"),
            *(b"", b"x", b"x\0y", b"\xff", bytearray(b"x"), bytearray(), b"x" * 4096),
            *((), [], {}, set(), [None], [b"x"], ["x"], {"x": "y"}, {"x": None}, {1: 2}, [[]]),
            *(range(3), slice(1), ..., NotImplemented, object, int, rbd.Image, os, len),
        )
    },
    "10**400": lambda world: 10**400,
    "'n' * 100_000": lambda world: "n" * 100_000,
    "'n' * 4096": lambda world: "n" * 4096,
    "memoryview": lambda world: memoryview(b"0123456789abcdef"),
    "writable memoryview": lambda world: memoryview(bytearray(16)),
    "memoryview[::2]": lambda world: memoryview(bytearray(16))[::2],
    "memoryview of 3 dimensions": lambda world: memoryview(bytes(8)).cast("B", (2, 2, 2)),
    "released memoryview": lambda world: released(),
    "array of double": lambda world: array.array("d", [1.0, 2.0]),
    "array of wchar": lambda world: array.array("u", "ab"),
    "BytesIO": lambda world: io.BytesIO(b"x"),
    "Hostile": lambda world: Hostile(),
    "Unprintable": lambda world: Unprintable(),
    "LyingIndex": lambda world: LyingIndex(),
    "Text": lambda world: Text("text"),
    "Number": lambda world: Number(4),
    "Endless": lambda world: Endless(),
    "a raising generator": lambda world: raising(),
    "an own list": lambda world: itself(),
    "a datetime": lambda world: datetime.max.replace(tzinfo=timezone.utc),
    "a naive datetime": lambda world: datetime.min,
    "boom": lambda world: boom,
    "lambda: None": lambda world: lambda: None,
    "lambda *a: 1 << 70": lambda world: lambda *a: 1 << 70,
    "Recursive": lambda world: Recursive(world),
    "the image": lambda world: world.opened(),
    "a read-only image": lambda world: world.opened(read_only=True),
    "a closed image": lambda world: world.closed_image,
    "an image that was never opened": lambda world: rbd.Image.__new__(rbd.Image),
    "an image of another connection": lambda world: world.other_image,
    "the ioctx": lambda world: world.ioctx,
    "an ioctx of another connection": lambda world: world.foreign_ioctx,
    "an ioctx of another pool": lambda world: world.other_ioctx,
    "a closed ioctx": lambda world: world.closed_ioctx,
    "an ioctx that was never opened": lambda world: rados.Ioctx.__new__(rados.Ioctx),
    "the cluster": lambda world: world.cluster,
    "another cluster": lambda world: world.foreign,
    "a cluster that was shut down": lambda world: world.foreign_cluster_closed,
    "a cluster that was never made": lambda world: rados.Rados.__new__(rados.Rados),
    "a WriteOp": lambda world: rados.WriteOp().create(),
    "a ReadOp": lambda world: rados.ReadOp().create(),
    "a released WriteOp": lambda world: released_op(),
    "a WriteOp that was never made": lambda world: rados.WriteOp.__new__(rados.WriteOp),
    "a cursor": lambda world: world.ioctx.list_begin(),
    "the end": lambda world: world.ioctx.list_end(),
    "a cursor of another pool": lambda world: world.other_ioctx.list_end(),
    "a cursor that was never made": lambda world: rados.Cursor.__new__(rados.Cursor),
    "the subject": lambda world: world.subject,
}


def itself() -> list[Any]:
    own: list[Any] = []
    own.append(own)
    return own


def released_op() -> rados.WriteOp:
    op = rados.WriteOp().create()
    op.release()
    return op


# -- what is called ----------------------------------------------------------------------------

PUBLIC = {
    cls: f"{module.__name__.rpartition('.')[2]}.{name}"
    for module in (rados, rbd)
    for name, cls in vars(module).items()
    if inspect.isclass(cls) and not name.startswith("_") and not issubclass(cls, BaseException)
}
#: Made of plain values by Python itself.
PLAIN = {cls for cls in PUBLIC if issubclass(cls, tuple) or cls is rados.OpCtx}

OPERATORS = ["__iter__", "__next__", "__len__", "__enter__", "__repr__", "__hash__", "__bool__"]
OPERATORS += ["__eq__", "__lt__", "__contains__", "__getitem__", "__setitem__", "__delitem__"]
OPERATORS += ["__reduce_ex__", "__exit__", "__dir__"]


def members(cls: type) -> list[tuple[str, str]]:
    found = []
    for name in dir(cls):
        value = inspect.getattr_static(cls, name)
        if name.startswith("_") and name not in OPERATORS:
            continue
        if getattr(object, name, None) is getattr(cls, name, None):
            continue
        if isinstance(value, property):
            found.append((name, "property"))
        elif hasattr(cls, name) and callable(getattr(cls, name)):
            found.append((name, "method"))
    return found


def an_iterator(method: str) -> Callable[[World], Any]:
    return lambda world: getattr(world.opened(), method)()


def pool_list(method: str) -> Callable[[World], Any]:
    return lambda world: getattr(rbd.RBD(), method)(world.ioctx)


#: How to make one of each class.
MAKERS: dict[str, Callable[[World], Any]] = {
    "rados.Rados": lambda world: world.use(rados.Rados(conffile=world.conf)),
    "rados.Ioctx": lambda world: world.use(world.cluster.open_ioctx(world.pool)),
    "rados.Result": lambda world: rados.ReadOp().create().read(0, 4),
    "rados.Completion": lambda world: world.use(world.ioctx.aio_read("object", 4, 0)),
    "rados.MonitorLog": lambda world: world.use(
        rados.MonitorLog(world.cluster, "info", lambda *a: None)
    ),
    "rados.Object": lambda world: rados.Object(world.ioctx, "object"),
    "rados.ObjectIterator": lambda world: world.ioctx.list_objects(),
    "rados.XattrIterator": lambda world: world.ioctx.get_xattrs("object"),
    "rados.OmapIterator": lambda world: rados.ReadOp().create().omap_get_keys("", 5),
    "rados.ReadOp": lambda world: world.use(rados.ReadOp().create()),
    "rados.ReadOpCtx": lambda world: rados.ReadOpCtx(world.ioctx),
    "rados.WriteOp": lambda world: world.use(rados.WriteOp().create()),
    "rados.WriteOpCtx": lambda world: rados.WriteOpCtx(world.ioctx),
    "rados.Cursor": lambda world: world.ioctx.list_begin(),
    "rados.ObjectSlice": lambda world: world.ioctx.list_slices(2)[0],
    "rados.Snap": lambda world: rados.Snap(world.ioctx, "none", 4),
    "rados.SnapIterator": lambda world: world.ioctx.list_snaps(),
    "rados.Watch": lambda world: world.use(world.ioctx.watch("object", lambda *a: None)),
    "rbd.MirrorImageInfoIterator": lambda world: rbd.MirrorImageInfoIterator(world.ioctx),
    "rbd.MirrorImageInstanceIdIterator": pool_list("mirror_image_instance_id_list"),
    "rbd.MirrorImageStatusIterator": pool_list("mirror_image_status_list"),
    "rbd.MirrorPeerIterator": pool_list("mirror_peer_list"),
    "rbd.Completion": lambda world: world.use(world.opened().aio_read(0, 4, lambda *a: None)),
    "rbd.ConfigImageIterator": an_iterator("config_list"),
    "rbd.ConfigPoolIterator": pool_list("config_list"),
    "rbd.ExtentIterator": lambda world: world.use(world.opened().diff(0, MIB, None)),
    "rbd.ChildIterator": an_iterator("list_descendants"),
    "rbd.ImageFile": lambda world: world.use(world.opened().open_file("r+")),
    "rbd.Group": lambda world: rbd.Group(world.ioctx, world.group_name),
    "rbd.GroupImageIterator": lambda world: rbd.Group(world.ioctx, world.group_name).list_images(),
    "rbd.GroupSnapIterator": lambda world: rbd.Group(world.ioctx, world.group_name).list_snaps(),
    "rbd.Image": lambda world: world.opened(),
    "rbd.ImageIterator": pool_list("list2"),
    "rbd.LockOwnerIterator": an_iterator("lock_get_owners"),
    "rbd.MetadataIterator": an_iterator("metadata_list"),
    "rbd.ImageOptions": lambda world: rbd.ImageOptions(features=1, order=20),
    "rbd.PoolMetadataIterator": pool_list("pool_metadata_list"),
    "rbd.RBD": lambda world: rbd.RBD(),
    "rbd.SnapIterator": an_iterator("list_snaps"),
    "rbd.TrashIterator": pool_list("trash_list"),
    "rbd.Watch": lambda world: world.use(world.opened().update_watch(lambda: None)),
    "rbd.WatcherIterator": an_iterator("watchers_list"),
}

#: {method: why it is not called}
EXCLUDED = {
    "Rados.create_pool": "takes seconds; test_wrong_arguments.py calls it",
    "Rados.delete_pool": "takes seconds; test_wrong_arguments.py calls it",
    "Rados.mgr_command": "waits for a manager, and there is none",
    "Rados.get_inconsistent_pgs": "waits for a manager, and there is none",
    "Rados.conf_read_file": "may read any file, such as one that never ends",
    "Image.encryption_format": "deriving a key takes seconds; see test_secrets.py",
    "RBD.migration_prepare_import": "opens what the text names, from anywhere",
    "RBD.mirror_peer_bootstrap_import": "connects to what the token names",
    "Completion()": "without an operation it waits for one",
    "ImageFile.fileno": "raises what io raises",
    **{
        f"ImageFile.{name}": "reads byte by byte, as all raw files do"
        for name in ("readline", "readlines", "__iter__", "__next__")
    },
}

#: {method: why callbacks do not call it}
NOT_IN_CALLBACKS = {
    "Ioctx.aio_flush": "waits for operations whose callback this is, as documented",
    "Rados.watch_flush": "waits for callbacks, and this is one",
}

#: {parameter, or method.parameter: the numbers that it is not given, and why}
LARGE = range(1 << 26, 1 << 64)
NUMBERS: dict[str, tuple[range, str]] = {
    "size": (LARGE, "removing and copying an image takes as long as it is large"),
    "features": (range(2, 1 << 64), "features that nothing else can be called with"),
    "Image.update_features.features": (range(0), ""),
    "timeout_ms": (range(10_000, 1 << 64), "it would wait that long"),
    "max_return": (range(0), ""),
    "order": (range(0, 12), "makes thousands of objects"),
    "stripe_unit": (range(0, 4096), "makes thousands of objects"),
}

#: After these, later calls would wait for ever: librbd takes their lock for one of another client.
LOCKING = {"Image.lock_exclusive", "Image.lock_shared"}

#: Also documented, where a method's docstring names it.
NAMED = (MemoryError, KeyError, IndexError, AttributeError, BufferError, StopIteration)
NAMED += (NotImplementedError, TimeoutError, EOFError, io.UnsupportedOperation, OSError)


def say(text: str) -> None:
    # not print: it must be out when the process dies
    os.write(1, (text + "\n").encode("ascii", "backslashreplace"))


def good(world: World, qualified: str, parameter: str) -> Any:
    value = GOOD.get(f"{qualified}.{parameter}", GOOD.get(parameter, GOOD))
    if value is GOOD:
        return None
    return value(world) if inspect.isfunction(value) else value


CALLBACKS = re.compile(r"callback|on_progress|oncomplete|onsafe|iterate_cb|on_(un)?quiesce")


def good_arguments(
    world: World, qualified: str, function: Any, callback: Any = None
) -> dict[str, Any]:
    given = {}
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
            continue
        if callback is not None and CALLBACKS.search(parameter.name):
            given[parameter.name] = callback
        elif parameter.default is parameter.empty or f"{qualified}.{parameter.name}" in GOOD:
            given[parameter.name] = good(world, qualified, parameter.name)
    return given


def forbidden(qualified: str, parameter: str, value: Any) -> bool:
    for name in (f"{qualified}.{parameter}", parameter):
        if name in NUMBERS:
            # it may be anything that stands for a number
            return isinstance(value, (LyingIndex, Number)) or (
                isinstance(value, int) and value in NUMBERS[name][0]
            )
    return False


def anything(chance: random.Random) -> Any:
    """A number, a text, or bytes."""
    size = chance.randrange(10)
    return chance.choice(
        [
            chance.getrandbits(8 * size + 1) * chance.choice([1, -1]),
            "".join(chr(chance.getrandbits(chance.choice([7, 8, 16]))) for _ in range(size)),
            bytes(chance.getrandbits(8) for _ in range(size)),
            chance.uniform(-1e9, 1e9),
        ]
    )


Case = tuple[str, str, str]


def cases() -> list[Case]:
    found: list[Case] = []
    for cls, label in PUBLIC.items():
        if cls in PLAIN:
            continue
        if label not in MAKERS:
            sys.exit(f"there is no way to make a {label}; add one to MAKERS")
        name = cls.__name__
        if f"{name}()" not in EXCLUDED:
            found.append((label, "", "class"))
        found += [
            (label, member, kind)
            for member, kind in members(cls)
            if f"{name}.{member}" not in EXCLUDED
        ]
    return found


BY_LABEL = {label: cls for cls, label in PUBLIC.items()}
problems: list[str] = []
counts = {"calls": 0, "refused": 0, "errors": 0, "succeeded": 0}


def shown(value: Any) -> str:
    try:
        text = repr(value)
    except Boom:
        text = "Unprintable()"
    return text if len(text) < 200 else text[:200] + "..."


def judge(qualified: str, doc: str, error: BaseException, raw: bool) -> str | None:
    """What is wrong with what a call raised."""
    if isinstance(error, UnicodeError):
        return "is not documented"
    if isinstance(error, (rados.Error, rbd.Error)):
        return None
    if isinstance(error, (TypeError, ValueError, OverflowError)) and not isinstance(error, OSError):
        return None
    if isinstance(error, Boom) or (raw and isinstance(error, AttributeError)):
        return None
    if isinstance(error, KeyError) and qualified in KEYS:
        return None
    if isinstance(error, MemoryError) and "no memory for" in str(error):
        return None
    for cls in type(error).__mro__:
        if cls in NAMED and cls.__name__ in doc:
            return None
    member = qualified.rpartition(".")[2]
    if isinstance(error, StopIteration) and member == "__next__":
        return None
    if isinstance(error, KeyError) and qualified.startswith("ImageOptions."):
        return None
    return "is not documented"


def attempt(world: World, chance: random.Random, case: Case, state: str) -> None:
    label, member, kind = case
    cls = BY_LABEL[label]
    name = cls.__name__
    qualified = f"{name}.{member}" if member else f"{name}()"
    if state == "never opened" and kind != "class":
        try:
            world.subject = subject = cls.__new__(cls)
        except TypeError:
            return
    elif kind == "class":
        world.subject = subject = cls
    else:
        try:
            subject = MAKERS[label](world)
        except (rados.Error, rbd.Error):
            # an earlier call has removed what it is made of
            world.anew()
            subject = MAKERS[label](world)
        world.subject = subject
        if state == "closed":
            for way in ("close", "shutdown", "release"):
                if hasattr(subject, way) and f"{name}.{way}" not in EXCLUDED:
                    getattr(subject, way)()
                    break
        elif name == "Rados" and member not in ("connect", "shutdown"):
            subject.connect()
    positional: list[Any] = []
    keywords: dict[str, Any] = {}
    texts = []
    hazarded = False
    function: Any = None
    doc = ""
    if kind != "property":
        function = subject if kind == "class" else getattr(cls, member)
        try:
            parameters = list(inspect.signature(function).parameters.values())
        except (TypeError, ValueError):
            parameters = []
        if kind == "method":
            parameters = parameters[1:]
        for parameter in parameters:
            wrong = chance.random() > GOOD_SHARE
            needed = parameter.default is parameter.empty or f"{qualified}.{parameter.name}" in GOOD
            if parameter.kind is parameter.VAR_KEYWORD or (not needed and not wrong):
                continue
            hazarded = hazarded or wrong
            if wrong:
                key = chance.choice(sorted(VALUES))
                if chance.random() < 0.15:
                    value = anything(chance)
                    key = shown(value)
                else:
                    value = VALUES[key](world)
                if forbidden(qualified, parameter.name, value):
                    value = good(world, qualified, parameter.name)
                    key = shown(value)
            else:
                value = good(world, qualified, parameter.name)
                key = shown(value)
            if CALLBACKS.search(parameter.name) and chance.random() < 0.5:
                value, key = Recursive(world), "Recursive"
            texts.append(f"{parameter.name}={key}")
            if parameter.kind in (parameter.VAR_POSITIONAL, parameter.POSITIONAL_ONLY):
                positional.append(value)
            else:
                keywords[parameter.name] = value
        doc = inspect.getdoc(function) or ""
    text = f"{state} {qualified}({', '.join(texts)})"
    # with good arguments it is not refused, or asks the cluster first
    before = world.objects() if hazarded or state != "open" else None
    say(text)
    faulthandler.dump_traceback_later(DEADLINE, exit=True)
    counts["calls"] += 1
    refused = False
    result: Any = None
    begun = time.monotonic()
    try:
        if kind == "property":
            result = getattr(subject, member)
        elif kind == "class":
            result = subject(*positional, **keywords)
        else:
            result = getattr(subject, member)(*positional, **keywords)
        if hasattr(result, "__next__") and not isinstance(result, io.IOBase):
            result = list(itertools.islice(result, 5)) and result
        counts["succeeded"] += 1
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        refused = getattr(error, "errno", None) is None and not isinstance(error, Boom)
        counts["refused" if refused else "errors"] += 1
        problem = judge(qualified, doc, error, state == "never opened")
        try:
            str(error), repr(error)
        except Exception:
            problem = "cannot be shown"
        if problem:
            problems.append(f"{text}: {type(error).__name__} {problem}: {shown(error)}")
            say(f"FOUND {problems[-1]}")
            if "-v" in sys.argv:
                import traceback

                traceback.print_exc()
        error.__traceback__ = None
    faulthandler.dump_traceback_later(DEADLINE, exit=True)
    if kind == "class" and result is not None and not inspect.isclass(result):
        world.use(result)
    elif result is not None:
        world.use(result)
    if (
        refused
        and before is not None
        and not any(isinstance(v, Recursive) for v in (*positional, *keywords.values()))
    ):
        after = world.objects()
        if after != before:
            changed = {
                key: (before.get(key), after.get(key))
                for key in {*before, *after}
                if before.get(key) != after.get(key)
            }
            problems.append(f"{text}: was refused, and yet changed {changed}")
            say(f"FOUND {problems[-1]}")
    if qualified in LOCKING:
        world.anew()
    world.finish()
    if time.monotonic() - begun > 1:
        say(f"  took {time.monotonic() - begun:.1f} s")
    faulthandler.cancel_dump_traceback_later()


def run(world: World, some: list[Case], seed: int, examples: int) -> None:
    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.quiet,
    )
    @hypothesis.given(data=st.data())
    def example(data: Any) -> None:
        chance = random.Random(f"{seed} {data.draw(st.integers(0, 1 << 32))}")
        world.begin(chance.getrandbits(32))
        for case in some:
            state = chance.choice(["open", "open", "open", "closed", "never opened"])
            attempt(world, chance, case, state)
        world.end()

    example()


def main(conf: str, pool: str, other_pool: str, seed: str, examples: str, part: str = "") -> int:
    import warnings

    warnings.simplefilter("ignore", ResourceWarning)
    threading.excepthook = lambda args: None  # callbacks that raise
    world = World(conf, pool, other_pool)
    every = [case for case in cases() if part in f"{case[0]}.{case[1]}"]
    random.Random(int(seed)).shuffle(every)
    begun = time.monotonic()
    chunk = 20
    for start in range(0, len(every), chunk):
        some = every[start : start + chunk]
        run(world, some, int(seed) + start, int(examples))
    world.other_ioctx.close()
    world.foreign.shutdown()
    world.ioctx.close()
    world.cluster.shutdown()
    took = time.monotonic() - begun
    told = ", ".join(f"{count} {what}" for what, count in counts.items())
    say(f"{len(every)} methods, {told}, {len(problems)} findings in {took:.0f} s")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(*(argument for argument in sys.argv[1:] if argument != "-v")))
