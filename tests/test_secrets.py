"""Passphrases and keys: not in messages, not in tracebacks, not left in memory. And names: nothing
but names."""

from __future__ import annotations

import ast
import base64
import errno
import gc
import json
import logging
import re
import struct
import subprocess
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from conftest import MIB, PYPY

import rbdcffi
from rbdcffi import aio, rados, rbd
from rbdcffi._ffi import ffi, has, lib, loaded_version
from rbdcffi._secrets import Secret

SECRET = "Sesame5ecret"
PACKAGE = Path(rbdcffi.__file__).parent

needs_encryption = pytest.mark.skipif(not has("rbd_encryption_format"), reason="needs Ceph 16")


# -- what is told of a secret ------------------------------------------------------------------


def chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        yield from chain(error.__cause__)
        error = error.__context__


def told(error: BaseException) -> str:
    """All that an error says, with the local variables of the package's functions."""
    texts = []
    for one in chain(error):
        texts += [str(one), repr(one), repr(one.args), repr(getattr(one, "__notes__", ""))]
        texts.append(repr({name: str(value) for name, value in vars(one).items()}))
        if isinstance(one, UnicodeError):
            texts.append(repr(getattr(one, "object", "")))
        for frame, _ in traceback.walk_tb(one.__traceback__):
            name = frame.f_globals.get("__name__", "")
            if name == "rbdcffi" or name.startswith("rbdcffi."):
                texts += [f"{name}: {key} = {value!r}" for key, value in frame.f_locals.items()]
    return "\n".join(texts)


#: As Ceph makes them: type, time, length, and the key.
KEY = base64.b64encode(struct.pack("<HIIH12s", 1, 0, 0, 12, SECRET.encode())).decode()
TOKEN = json.dumps({"fsid": "x", "client_id": "c", "key": KEY, "mon_host": "127.0.0.1:1"})

#: {what: f(setting)}; each is refused, by us or by Ceph
CALLS: dict[str, Callable[[Any], Any]] = {
    "conf": lambda s: s.rados(conf={"no_such_option": SECRET}),
    "conf with a NUL": lambda s: s.rados(conf={"key": SECRET + "\0"}),
    "conf with a surrogate": lambda s: s.rados(conf={"key": SECRET + "\ud800"}),
    "conf of a list": lambda s: s.rados(conf={"key": [SECRET]}),
    "conf_defaults": lambda s: s.rados(conf_defaults={"no_such_option": SECRET}),
    "conf beside a file": lambda s: s.rados(conffile="/no/such/file", conf={"key": SECRET}),
    "a wrong key": lambda s: s.connected(conf={"key": KEY, "auth_client_required": "cephx"}),
    "conf_set": lambda s: s.cluster.conf_set("no_such_option", SECRET),
    "conf_set with a NUL": lambda s: s.cluster.conf_set("key", SECRET + "\0"),
    "conf_set after the end": lambda s: s.over.conf_set("key", SECRET),
    "conf_parse_argv": lambda s: s.cluster.conf_parse_argv([f"--key={SECRET}\0"]),
    "mon_command": lambda s: s.cluster.mon_command(
        json.dumps({"prefix": "config-key set", "val": SECRET}) + "\0", b""
    ),
    "mon_command after the end": lambda s: s.over.mon_command(SECRET, b""),
    "mon_command with input": lambda s: s.cluster.mon_command('{"prefix": "x"}', SECRET + "\ud800"),
    "osd_command": lambda s: s.cluster.osd_command(0, SECRET + "\0", b""),
    "pg_command": lambda s: s.cluster.pg_command("1.0", SECRET + "\ud800", b""),
    "mgr_command": lambda s: s.cluster.mgr_command(SECRET + "\0", b""),
    "a token": lambda s: s.rbd.mirror_peer_bootstrap_import(
        s.ioctx, 0, base64.b64encode(TOKEN.encode()).decode()
    ),
    "no token": lambda s: s.rbd.mirror_peer_bootstrap_import(s.ioctx, 0, SECRET),
    "a token with a NUL": lambda s: s.rbd.mirror_peer_bootstrap_import(s.ioctx, 0, SECRET + "\0"),
    "a token in the wrong place": lambda s: s.rbd.mirror_peer_bootstrap_import(s.ioctx, SECRET, 0),
    "attributes": lambda s: s.rbd.mirror_peer_set_attributes(s.ioctx, "uuid", {"key": SECRET}),
    "attributes with a NUL": lambda s: s.rbd.mirror_peer_set_attributes(
        s.ioctx, "uuid", {"key": SECRET + "\0"}
    ),
    "attributes of bytes": lambda s: s.rbd.mirror_peer_set_attributes(
        s.ioctx, "uuid", {"key": SECRET.encode(), "mon_host": 5}
    ),
}
if loaded_version() >= (1, 19):
    # librbd of Ceph 20 tries for minutes to connect to what it names
    del CALLS["a token"]
if has("rbd_migration_prepare_import"):
    CALLS["a source"] = lambda s: s.rbd.migration_prepare_import(
        json.dumps({"type": "raw", "stream": {"type": "s3", "secret_key": SECRET}}), s.ioctx, "new"
    )
    CALLS["a source with a NUL"] = lambda s: s.rbd.migration_prepare_import(
        SECRET + "\0", s.ioctx, "new"
    )
if has("rbd_encryption_format"):
    LUKS1, LUKS2 = rbd.RBD_ENCRYPTION_FORMAT_LUKS1, rbd.RBD_ENCRYPTION_FORMAT_LUKS2
    CALLS.update(
        {
            "load": lambda s: s.image.encryption_load(LUKS1, SECRET),
            "load of bytes": lambda s: s.image.encryption_load(LUKS2, SECRET.encode()),
            "load with a surrogate": lambda s: s.image.encryption_load(LUKS2, SECRET + "\ud800"),
            "load of a list": lambda s: s.image.encryption_load(LUKS2, [SECRET]),
            "load of a view": lambda s: s.image.encryption_load(
                LUKS2, memoryview(SECRET.encode() * 2)[::2]
            ),
            "load in an unknown format": lambda s: s.image.encryption_load(99, SECRET),
            "load in no format": lambda s: s.image.encryption_load(None, SECRET),
            "load in the wrong order": lambda s: s.image.encryption_load(SECRET, LUKS2),
            "load of a closed image": lambda s: s.closed.encryption_load(LUKS2, SECRET),
            "format": lambda s: s.image.encryption_format(LUKS1, SECRET),
            "format with a surrogate": lambda s: s.image.encryption_format(
                LUKS1, SECRET + "\ud800"
            ),
            "format with no cipher": lambda s: s.image.encryption_format(LUKS1, SECRET, None),
            "format in the wrong order": lambda s: s.image.encryption_format(SECRET, LUKS1),
            "format of a closed image": lambda s: s.closed.encryption_format(LUKS1, SECRET),
        }
    )
if has("rbd_encryption_load2"):
    CALLS.update(
        {
            "load2": lambda s: s.image.encryption_load2([(LUKS1, SECRET)]),
            "load2 of threes": lambda s: s.image.encryption_load2(
                [(LUKS1, SECRET), (LUKS1, SECRET, SECRET)]
            ),
            "load2 of an iterator": lambda s: s.image.encryption_load2(
                iter([(LUKS1, SECRET), (LUKS1, SECRET + "\ud800")])
            ),
            "load2 in an unknown format": lambda s: s.image.encryption_load2([(99, SECRET)]),
        }
    )


class Things:
    """What the calls are made on: the core's, or the facade's."""

    def __init__(self, conf: str, facade: bool) -> None:
        self.conf, self.module = conf, aio if facade else rados
        self.cluster: Any
        self.over: Any
        self.ioctx: Any
        self.image: Any
        self.closed: Any
        self.rbd: Any = aio.RBD() if facade else rbd.RBD()

    def rados(self, **options: Any) -> Any:
        made = self.module.Rados(**{"conffile": self.conf, **options})
        if self.module is aio:
            made.sync  # noqa: B018  it is made when it is used first
        else:
            made.shutdown()

    def connected(self, **options: Any) -> Any:
        made = self.module.Rados(conffile=self.conf, **options)
        return made.connect(5)


@pytest.fixture
def records() -> Iterator[list[str]]:
    """What is logged and warned of."""
    texts: list[str] = []

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            texts.append(record.getMessage())

    handler = Handler(0)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(0)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield texts
        texts += [str(warning.message) for warning in caught]
    root.removeHandler(handler)
    root.setLevel(level)


def judge(what: str, error: BaseException) -> list[str]:
    # what is no secret by its place is shown in tracebacks, but not in messages
    misplaced = what.endswith(("wrong order", "wrong place"))
    text = "\n".join(map(repr, chain(error))) if misplaced else told(error)
    assert not isinstance(error, AttributeError), (what, error)
    return [f"{what}: {line}" for line in text.splitlines() if SECRET in line or KEY in line]


def test_what_is_told(
    ceph_conf: str, ceph_shared_pool: str, image_name: str, records: list[str], capfd: Any
) -> None:
    things = Things(ceph_conf, facade=False)
    found = []
    things.over = rados.Rados(conffile=ceph_conf)
    things.over.shutdown()
    with rados.Rados(conffile=ceph_conf) as things.cluster:
        with things.cluster.open_ioctx(ceph_shared_pool) as things.ioctx:
            things.closed = rbd.Image(things.ioctx, image_name)
            things.closed.close()
            with rbd.Image(things.ioctx, image_name, read_only=True) as things.image:
                for what, call in CALLS.items():
                    try:
                        call(things)
                    except (rados.Error, rbd.Error, TypeError, ValueError) as error:
                        found += judge(what, error)
                    else:
                        found.append(f"{what}: succeeded")
    assert not found, "\n".join(found)
    gc.collect()
    assert SECRET not in "\n".join(records)
    assert SECRET not in "".join(capfd.readouterr())


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_what_the_facade_tells(
    ceph_conf: str, ceph_shared_pool: str, image_name: str, backend: str, records: list[str]
) -> None:
    found = []

    async def main() -> None:
        things = Things(ceph_conf, facade=True)
        async with aio.Rados(conffile=ceph_conf) as things.over:
            pass
        async with aio.Rados(conffile=ceph_conf) as things.cluster:
            async with things.cluster.open_ioctx(ceph_shared_pool) as things.ioctx:
                async with aio.Image(things.ioctx, image_name) as things.closed:
                    pass
                async with aio.Image(things.ioctx, image_name, read_only=True) as things.image:
                    for what, call in CALLS.items():
                        try:
                            result = call(things)
                            if hasattr(result, "__await__"):
                                await result
                        except (rados.Error, rbd.Error, TypeError, ValueError) as error:
                            found.extend(judge(what, error))
                        else:
                            found.append(f"{what}: succeeded")

    anyio.run(main, backend=backend)
    assert not found, "\n".join(found)
    assert SECRET not in "\n".join(records)


def test_the_traceback_of_a_program(ceph_conf: str) -> None:
    """As a tool that reports errors with local variables shows it."""
    try:
        rados.Rados(conffile=ceph_conf, conf={"no_such_option": SECRET})
    except rados.Error as error:
        shown = "".join(
            traceback.TracebackException.from_exception(error, capture_locals=True).format()
        )
    assert SECRET not in shown and "<secret>" in shown


def test_the_key_is_not_in_the_repr(ceph_conf: str) -> None:
    made = rados.Rados(conffile=ceph_conf, conf={"key": SECRET}, conf_defaults={"keyring": SECRET})
    assert made.conf_get("key") == SECRET
    for one in (
        made,
        made._handle,
        made._gate,
        aio.Rados(conffile=ceph_conf, conf={"key": SECRET}),
    ):
        assert SECRET not in repr(one) + str(one)
    made.shutdown()


# -- what is left of a secret in memory --------------------------------------------------------


def memory(address: int, length: int) -> bytes:
    with open("/proc/self/mem", "rb", buffering=0) as file:
        file.seek(address)
        return file.read(length)


@pytest.mark.parametrize("how", ["wiped", "left"])
@pytest.mark.parametrize("kind", [str, bytes, bytearray, memoryview])
def test_the_memory_of_a_secret_is_wiped(how: str, kind: type) -> None:
    text = (
        "Ä secret. " * 20000
    )  # larger than what malloc gives back to the kernel at once? no: less
    given: Any = text if kind is str else kind(text.encode())
    secret = Secret(given)
    pointer = secret.pointer("it", ValueError)
    address = int(ffi.cast("uintptr_t", pointer))
    size = secret.size
    assert ffi.buffer(pointer, size)[:] == text.encode()
    assert text.encode()[1000:1100] in memory(address, size)
    if how == "wiped":
        secret.wipe()
    else:
        # as after Ctrl-C
        del secret, pointer
        gc.collect()
        gc.collect()
    try:
        left = memory(address, size)
    except OSError as error:
        assert error.errno == errno.EIO  # the memory is not the process's any more
        return
    assert b"secret" not in left


def test_what_a_secret_can_be() -> None:
    def text(value: Any) -> Any:
        secret = Secret(value)
        return ffi.string(secret.text("it", ValueError))

    assert text("") == b"" and text("äöü") == "äöü".encode() and text("\udcff") == b"\xff"
    assert text(bytearray(b"x" * 5000)) == b"x" * 5000
    assert text("\U0001f600") == "\U0001f600".encode()
    for bad, why in (
        (None, "must be a string, not NoneType"),
        (5, "must be a string, not int"),
        ("x\0", "contains a NUL"),
        (b"\0", "contains a NUL"),
        ("x\ud800", "cannot be encoded"),
        (memoryview(b"abcd")[::2], "must be C-contiguous"),
    ):
        with pytest.raises(ValueError, match=f"it {why}"):
            Secret(bad).text("it", ValueError)
    secret = Secret(b"a\0b")
    assert ffi.buffer(secret.pointer("it", ValueError), secret.size)[:] == b"a\0b"
    assert repr(Secret("x")) == "<secret>"
    assert lib.rbdcffi_secret_new((1 << 64) - 1) == ffi.NULL


#: Makes a passphrase, without a copy anywhere, uses it, wipes it, and lets the parent look.
CHILD = """
import ctypes, gc, sys
from rbdcffi import rados, rbd

conf, pool, name, case, kind = sys.argv[1:]
LUKS1 = getattr(rbd, "RBD_ENCRYPTION_FORMAT_LUKS1", 0)
cluster = rados.Rados(conffile=conf)
cluster.connect()
ioctx = cluster.open_ioctx(pool)
image = rbd.Image(ioctx, name, read_only=True)
closed = rbd.Image(ioctx, name, read_only=True)
closed.close()

def use(secret):
    try:
        if case == "format of a closed image":
            closed.encryption_format(LUKS1, secret)
        elif case == "load in an unknown format":
            image.encryption_load(99, secret)
        elif case == "load with no number":
            image.encryption_load(None, secret)
        elif case == "key after the end":
            other.conf_set("key", secret)
        elif case == "token for a closed context":
            rbd.RBD().mirror_peer_bootstrap_import(gone, 0, secret)
        elif case == "control":
            kept.append(bytes(secret) if kind == "bytearray" else secret[:5] + secret[5:])
    except (rados.Error, rbd.Error, TypeError):
        return
    assert case == "control", "it succeeded"

kept = []
other = rados.Rados(conffile=conf)
other.shutdown()
gone = cluster.open_ioctx(pool)
gone.close()
made = bytearray(40)
with open("/dev/urandom", "rb", buffering=0) as file:
    file.readinto(made)
for i, byte in enumerate(made):
    made[i] = ord("a") + byte % 26
masked = [byte ^ 0x55 for byte in made]
if kind == "str":
    text = made.decode("latin-1")
    use(text)
    ctypes.memset(id(text) + sys.getsizeof(text) - len(text) - 1, ord("_"), len(text))
else:
    use(made)
for i in range(len(made)):
    made[i] = 0
print(*masked, flush=True)
sys.stdin.readline()
"""


def copies(pid: int, needle: bytes) -> int:
    """How often it is in the memory of a process."""
    count = 0
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", buffering=0) as mem:
        for line in maps:
            match = re.match(r"(\w+)-(\w+) rw", line)
            if match is None:
                continue
            start, end = (int(part, 16) for part in match.groups())
            try:
                mem.seek(start)
                left = end - start
                tail = b""
                while left > 0:
                    part = mem.read(min(left, 16 * MIB))
                    if not part:
                        break
                    count += (tail + part).count(needle)
                    tail = part[-len(needle) + 1 :]
                    left -= len(part)
            except OSError:
                continue
    return count


@pytest.mark.skipif(PYPY, reason="PyPy moves what the test makes, and leaves copies behind")
@pytest.mark.parametrize("kind", ["bytearray", "str"])
@needs_encryption
def test_no_copy_stays_in_memory(
    ceph_conf: str, ceph_shared_pool: str, image_name: str, kind: str
) -> None:
    cases = ["format of a closed image", "load in an unknown format", "load with no number"]
    cases += ["key after the end", "token for a closed context", "control"]
    found = {}
    for case in cases:
        arguments = [ceph_conf, ceph_shared_pool, image_name, case, kind]
        with subprocess.Popen(
            [sys.executable, "-c", CHILD, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as child:
            assert child.stdin is not None and child.stdout is not None
            masked = child.stdout.readline().split()
            assert len(masked) == 40
            found[case] = copies(child.pid, bytes(int(byte) ^ 0x55 for byte in masked))
            child.stdin.write("\n")
        assert child.returncode == 0
    # the test sees copies where there are some
    assert found.pop("control") > 0
    assert set(found.values()) == {0}, found


# -- names ---------------------------------------------------------------------------------------

STRANGE = [
    "a@b",
    "a/b",
    "a=b",
    "--id=x",
    "-p",
    "a\nb",
    " ",
    ".",
    "..",
    "a b",
    "$(id)",
    "`id`",
    "%s",
]
STRANGE += ["'", '"', "a;b", "ä\U0001f600", "{}", "*", "a\tb", "rbd_directory", "$pid"]


def test_names_of_images_are_names(ioctx: rados.Ioctx, fresh_name: str) -> None:
    """They are what they are, or refused."""
    before = set(rbd.RBD().list(ioctx))
    taken = []
    for number, strange in enumerate(STRANGE):
        name = f"{strange}{fresh_name}" if number % 2 else f"{fresh_name}{strange}"
        try:
            rbd.RBD().create(ioctx, name, MIB)
        except rbd.InvalidArgument:
            continue
        taken.append(name)
        with rbd.Image(ioctx, name) as image:
            assert image.get_name() == name
            image.write(name.encode(), 0)
    assert set(rbd.RBD().list(ioctx)) - before == set(taken)
    assert len(taken) > 10
    for name in taken:
        with rbd.Image(ioctx, name) as image:
            assert image.read(0, len(name.encode())) == name.encode()
        new = f"{name}@x/y=z--"
        try:
            rbd.RBD().rename(ioctx, name, new)
        except rbd.InvalidArgument:
            new = name
        rbd.RBD().remove(ioctx, new)
    assert set(rbd.RBD().list(ioctx)) == before


def test_names_of_snapshots_and_keys_are_names(ioctx: rados.Ioctx, image: rbd.Image) -> None:
    taken = []
    for strange in STRANGE:
        image.metadata_set(strange, strange)
        try:
            image.create_snap(strange)
        except rbd.InvalidArgument:
            continue
        taken.append(strange)
    assert [snap["name"] for snap in image.list_snaps()] == taken
    assert dict(image.metadata_list()) == {strange: strange for strange in STRANGE}
    for strange in taken:
        with rbd.Image(ioctx, image.get_name(), strange) as other:
            assert other.size() == image.size()
        image.remove_snap(strange)


def test_names_of_objects_are_names(ioctx: rados.Ioctx, fresh_name: str) -> None:
    with ioctx.dup() as own:
        own.set_namespace(fresh_name)
        for strange in STRANGE:
            own.write_full(strange, strange.encode())
            own.set_xattr(strange, "a=b@c", strange.encode())
        assert sorted(item.key for item in own.list_objects()) == sorted(STRANGE)
        for strange in STRANGE:
            assert own.read(strange) == own.get_xattr(strange, "a=b@c") == strange.encode()


def test_values_of_options_are_values(ceph_conf: str) -> None:
    """None of them sets another option; Ceph itself replaces $pid and the like."""
    cluster = rados.Rados(conffile=ceph_conf)
    before = cluster.conf_get("mon_host"), cluster.conf_get("keyring")
    for strange in [s for s in STRANGE if "$" not in s]:
        value = f"{strange}\nmon_host = elsewhere --mon-host=elsewhere"
        cluster.conf_set("crush_location", value)
        assert cluster.conf_get("crush_location") == value
        with pytest.raises(rados.ObjectNotFound):
            cluster.conf_set(f"crush_location={value}", "x")
    assert cluster.conf_parse_argv(["--", "--mon-host=elsewhere"])
    assert (cluster.conf_get("mon_host"), cluster.conf_get("keyring")) == before
    cluster.shutdown()


# -- the text of the package ---------------------------------------------------------------------

#: {(module, function): why it may}
ALLOWED = {("dropin.py", "exec"): "it is there to run the user's program"}

RISKY = {"exec", "eval", "system", "popen", "getoutput", "getstatusoutput"}
RISKY_MODULES = {"pickle", "marshal", "shelve", "dill", "yaml", "commands", "pty", "imp"}


def sources() -> Iterator[Path]:
    yield from PACKAGE.rglob("*.py")
    tree = Path(__file__).parents[1]  # PACKAGE may be installed elsewhere
    yield from (tree / name for name in ("build_ffi.py", "setup.py"))
    for script in (tree / "scripts").iterdir():
        with open(script, "rb") as file:
            if b"python" in file.readline():
                yield script


def test_no_shell_and_no_foreign_data_is_run() -> None:
    found, seen = [], 0
    for path in sources():
        seen += 1
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [alias.name.partition(".")[0] for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [(node.module or "").partition(".")[0]]
            if RISKY_MODULES & set(names):
                found.append(f"{path.name}: imports {names}")
            if not isinstance(node, ast.Call):
                continue
            called = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if called in RISKY and (path.name, called) not in ALLOWED:
                found.append(f"{path.name}, line {node.lineno}: {called}()")
            for keyword in node.keywords:
                if keyword.arg == "shell":
                    found.append(f"{path.name}, line {node.lineno}: shell=")
    assert seen > 60
    assert not found, found
