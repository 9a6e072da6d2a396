"""The exceptions: hierarchy, text, pickling, and what a missing C function looks like."""

from __future__ import annotations

import builtins
import copy
import errno
import gc
import inspect
import math
import os
import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from rbdcffi import _errors, _ffi, rados, rbd
from rbdcffi._calls import Calling
from rbdcffi.rados.errors import failed as rados_failed
from rbdcffi.rbd.errors import failed as rbd_failed

BUILTIN_BASES: list[tuple[type[Exception], type[Exception]]] = [
    (rbd.OSError, builtins.OSError),
    (rbd.PermissionError, builtins.PermissionError),
    (rbd.ImageNotFound, builtins.FileNotFoundError),
    (rbd.ObjectNotFound, builtins.FileNotFoundError),
    (rbd.ImageExists, builtins.FileExistsError),
    (rbd.ObjectExists, builtins.FileExistsError),
    (rbd.IOError, builtins.OSError),
    (rbd.NoSpace, builtins.OSError),
    (rbd.InvalidArgument, builtins.OSError),
    (rbd.ReadOnlyImage, builtins.OSError),
    (rbd.ImageBusy, builtins.OSError),
    (rbd.Timeout, builtins.TimeoutError),
    (rbd.ConnectionShutdown, builtins.ConnectionError),
    (rados.OSError, builtins.OSError),
    (rados.PermissionError, builtins.PermissionError),
    (rados.PermissionDeniedError, builtins.PermissionError),
    (rados.ObjectNotFound, builtins.FileNotFoundError),
    (rados.ObjectExists, builtins.FileExistsError),
    (rados.TimedOut, builtins.TimeoutError),
    (rados.ConnectionShutdown, builtins.ConnectionError),
]


def exception_classes(module: Any) -> list[type[Exception]]:
    found = (getattr(module, name) for name in module.__all__)
    return [one for one in found if isinstance(one, type) and issubclass(one, Exception)]


ALL_CLASSES = exception_classes(rbd) + exception_classes(rados)


def test_the_documented_classes_are_there() -> None:
    names = {one.__name__ for one in exception_classes(rbd)}
    assert names >= {
        "Error",
        "OSError",
        "PermissionError",
        "ImageNotFound",
        "ImageExists",
        "IOError",
        "NoSpace",
        "IncompleteWriteError",
        "InvalidArgument",
        "LogicError",
        "ReadOnlyImage",
        "ImageBusy",
        "ImageHasSnapshots",
        "FunctionNotSupported",
        "ArgumentOutOfRange",
        "ConnectionShutdown",
        "Timeout",
    }


@pytest.mark.parametrize("module", [rbd, rados], ids=["rbd", "rados"])
def test_all_have_one_base(module: Any) -> None:
    for one in exception_classes(module):
        assert issubclass(one, module.Error)
        assert issubclass(one, Exception)
    assert not issubclass(rbd.Error, rados.Error)
    assert not issubclass(rados.Error, rbd.Error)


@pytest.mark.parametrize(
    "error, base", BUILTIN_BASES, ids=lambda one: f"{one.__module__}.{one.__name__}"
)
def test_builtin_bases(error: type[Exception], base: type[Exception]) -> None:
    assert issubclass(error, base)
    with pytest.raises(base):
        raise error("text", errno.EIO)


@pytest.mark.parametrize("number", [None, errno.EIO])
@pytest.mark.parametrize("error", ALL_CLASSES, ids=lambda one: f"{one.__module__}.{one.__name__}")
def test_text_pickle_and_copy(error: type[Any], number: int | None) -> None:
    made = error("reading 'pool/image'", number)
    assert made.message == "reading 'pool/image'"
    assert made.errno == number
    assert "reading 'pool/image'" in str(made)
    assert error.__name__ in repr(made) and "reading 'pool/image'" in repr(made)
    if number is not None:
        assert f"[errno {number}]" in str(made)
        if isinstance(made, builtins.OSError):
            assert made.strerror == os.strerror(number)
    made.note = "kept"
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        again = pickle.loads(pickle.dumps(made, protocol))
        assert type(again) is error
        assert (str(again), repr(again)) == (str(made), repr(made))
        assert (again.message, again.errno, again.args) == (made.message, number, made.args)
        assert again.note == "kept"
    assert str(copy.copy(made)) == str(made)


@pytest.mark.parametrize("error", ALL_CLASSES, ids=lambda one: f"{one.__module__}.{one.__name__}")
def test_without_arguments(error: type[Any]) -> None:
    made = error()
    assert made.message == "" and made.errno is None
    assert str(made) == error.meaning


def test_pickled_extend_mismatch_keeps_the_offset() -> None:
    again = pickle.loads(pickle.dumps(rados.ExtendMismatch("compared", 4095, offset=7)))
    assert again.offset == 7 and again.message == "compared"


@pytest.mark.parametrize("number, name", sorted(_errors.RBD_ERRORS.items()))
def test_rbd_errno_table(number: int, name: str) -> None:
    error = rbd_failed(-number, "Image.x of 'pool/image'")
    assert type(error) is getattr(rbd, name)
    assert error.errno == number
    assert str(error).endswith(f"(Image.x of 'pool/image': {os.strerror(number)})")


@pytest.mark.parametrize("number, name", sorted(_errors.RADOS_ERRORS.items()))
def test_rados_errno_table(number: int, name: str) -> None:
    error = rados_failed(-number, "Ioctx.x")
    assert type(error) is getattr(rados, name)
    assert error.errno == number


def test_an_errno_without_a_class() -> None:
    error = rbd_failed(-errno.EXDEV, "Image.x")
    assert type(error) is rbd.OSError and error.errno == errno.EXDEV
    assert type(rados_failed(-errno.EXDEV, "Ioctx.x")) is rados.OSError


def test_a_real_error_has_everything(ioctx: rados.Ioctx, fresh_name: str) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        rbd.Image(ioctx, fresh_name)
    error = caught.value
    assert isinstance(error, rbd.ImageNotFound)
    assert error.errno == errno.ENOENT and error.strerror == os.strerror(errno.ENOENT)
    assert error.message == f"open image '{ioctx.name}/{fresh_name}': No such file or directory"
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def absent_functions() -> list[str]:
    return [name for name in _ffi.NEWER if not _ffi.has(name)]


def test_newer_functions_know_their_release() -> None:
    assert _ffi.NEWER
    for name, (since, present) in _ffi.NEWER.items():
        assert name.startswith(("rbd_", "rados_"))
        assert since and since[0].isdigit(), name
        assert _ffi.has(name) is present
        assert hasattr(_ffi.lib, name) is present


def test_functions_of_the_oldest_release_are_there() -> None:
    for name in ("rbd_open", "rbd_read2", "rados_create2", "rados_read"):
        assert name not in _ffi.NEWER
        assert _ffi.has(name) and hasattr(_ffi.lib, name)


def test_absent_function() -> None:
    names = absent_functions()
    if not names:
        pytest.skip("the loaded libraries have every function")
    name = names[0]
    assert not hasattr(_ffi.lib, name)
    with pytest.raises(AttributeError) as caught:
        getattr(_ffi.lib, name)
    check_absence_message(str(caught.value), name)


def check_absence_message(text: str, name: str) -> None:
    assert name in text
    assert _ffi.NEWER[name][0] in text
    assert ".".join(map(str, _ffi.loaded_version())) in text


def test_method_of_an_absent_function() -> None:
    names = absent_functions()
    if not names:
        pytest.skip("the loaded libraries have every function")
    name = names[-1]

    class Thing(Calling):
        @_ffi.needs(name)
        def newer(self) -> int:
            raise AssertionError("never called")

        @_ffi.needs("rbd_open")
        def old(self) -> int:
            return 5

    assert not hasattr(Thing(), "newer") and not hasattr(Thing, "newer")
    assert "newer" not in dir(Thing()) and "old" in dir(Thing())
    assert Thing().old() == 5
    with pytest.raises(AttributeError) as caught:
        Thing().newer()
    assert "Thing.newer" in str(caught.value)
    check_absence_message(str(caught.value), name)


def test_needs_changes_nothing_when_the_function_is_there() -> None:
    def method(self: object) -> None: ...

    present = next((name for name in _ffi.NEWER if _ffi.has(name)), "rbd_open")
    assert _ffi.needs(present)(method) is method


def test_a_snapshot_id_needs_a_newer_library(image: rbd.Image) -> None:
    if _ffi.has("rbd_diff_iterate3"):
        pytest.skip("the loaded librbd takes snapshot ids")
    with pytest.raises(rbd.InvalidArgument, match="needs Ceph 18") as caught:
        image.diff_iterate(0, 1, 5, print)
    assert caught.value.errno == errno.EINVAL


# -- the call, the object and the reason --------------------------------------------------------


def message(
    error: type[BaseException], call: Callable[..., object], *args: Any, **keywords: Any
) -> str:
    with pytest.raises(error) as caught:
        call(*args, **keywords)
    return str(caught.value)


def test_errors_name_the_call_of_an_image(image: rbd.Image) -> None:
    label = f"'{image}'"
    bad: Any = 5
    calls: dict[str, Callable[[], object]] = {
        "write": lambda: image.write(bad, 0),
        "aio_write": lambda: image.aio_write(bad, 0, print),
        "compare_and_write": lambda: image.compare_and_write(0, bad, b""),
    }
    for name, call in calls.items():
        what = "compare" if name == "compare_and_write" else "data"
        expected = f"Image.{name} of {label}: {what} must be bytes-like, not int"
        assert message(TypeError, call) == expected
    assert message(TypeError, lambda: image.compare_and_write(0, b"", "x")) == (
        f"Image.compare_and_write of {label}: data must be bytes-like, not str; "
        "encode it, as in data.encode()"
    )
    assert message(TypeError, lambda: image.readinto(0, bad)) == (
        f"Image.readinto of {label}: buffer must be a writable bytes-like object, not int"
    )
    assert message(TypeError, lambda: image.readinto(0, b"x")) == (
        f"Image.readinto of {label}: buffer must be writable"
    )
    for name in ("readv", "writev"):
        for value in (5, None, b"bytes", "text", object()):
            assert message(TypeError, getattr(image, name), value, 0) == (
                f"Image.{name} of {label}: buffers must be a sequence, not {type(value).__name__}"
            )
    assert f"Image.writev of {label}: buffers[1] must be bytes-like, not int" == message(
        TypeError, lambda: image.writev([b"a", bad], 0)
    )
    assert image.read(0, 1) == b"\0", "nothing is written if a part cannot be"
    assert f"Image.readv of {label}: buffers[1] must be writable" == message(
        TypeError, lambda: image.readv([bytearray(1), b"b"], 0)
    )


def test_errors_name_the_vector_call(image: rbd.Image) -> None:
    end = image.size()
    assert "Image.writev(1 bytes" in message(rbd.InvalidArgument, lambda: image.writev([b"a"], end))
    assert "Image.writev(2 bytes" in message(
        rbd.IncompleteWriteError, lambda: image.writev([b"ab"], end - 1)
    )
    assert "Image.readv(1 bytes" in message(
        rbd.InvalidArgument, lambda: image.readv([bytearray(1)], end + 1)
    ).replace(f"readv({end + 1}, ", "readv(")


def test_errors_name_the_object(ioctx: rados.Ioctx) -> None:
    bad: Any = 5
    pool = ioctx.name
    for name in ("write", "write_full", "append"):
        assert message(TypeError, getattr(ioctx, name), "thing", bad) == (
            f"Ioctx.{name} of object 'thing' in pool {pool!r}: data must be bytes-like, not int"
        )
        assert message(TypeError, getattr(ioctx, name), bad, b"") == (
            f"Ioctx.{name} of pool {pool!r}: key must be a string, not int"
        )
    assert message(TypeError, lambda: ioctx.set_xattr("thing", bad, b"")) == (
        f"Ioctx.set_xattr of object 'thing' in pool {pool!r}: xattr_name must be a string, not int"
    )
    one = rados.Object(ioctx, "thing")
    assert message(TypeError, lambda: one.write("text")).startswith(
        "Object.write of 'thing': data must be bytes-like, not str"
    )


def test_a_call_within_a_callback_names_itself(image: rbd.Image) -> None:
    """Not the call that the callback belongs to; and what a callback raises stays as it is."""
    image.write(b"x", 0)
    bad: Any = 5

    def callback(offset: int, length: int, exists: bool) -> None:
        image.write(bad, 0)

    text = message(TypeError, lambda: image.diff_iterate(0, image.size(), None, callback))
    assert text == f"Image.write of '{image}': data must be bytes-like, not int"

    error = TypeError("mine")

    def failing(offset: int, length: int, exists: bool) -> None:
        raise error

    with pytest.raises(TypeError) as caught:
        image.diff_iterate(0, image.size(), None, failing)
    assert caught.value is error and str(error) == "mine"


def test_a_subclass_is_called_by_the_documented_name(ioctx: rados.Ioctx, image_name: str) -> None:
    class Disk(rbd.Image):
        def save(self, data: Any) -> int:
            return self.write(data, 0)

    with Disk(ioctx, image_name) as disk:
        assert message(TypeError, lambda: disk.save(5)).startswith("Image.write of ")


def test_text_that_cannot_be_encoded(cluster: rados.Rados) -> None:
    fsid = '{"prefix": "fsid"}'
    assert message(TypeError, lambda: cluster.mon_command(fsid, "\ud800")).startswith(
        "Rados.mon_command: inbuf cannot be encoded"
    )
    # a command may have a secret in it, and is not shown
    assert message(TypeError, lambda: cluster.osd_command(0, "\ud800", b"")) == (
        "Rados.osd_command: cmd cannot be encoded as UTF-8: surrogates not allowed"
    )
    # what decode() made of bytes that are no UTF-8 is those bytes again
    assert cluster.mon_command(fsid, "\udcff")[0] == 0


def test_wrong_types_of_options() -> None:
    bad: Any = 5
    with rados_handle() as handle:
        assert message(TypeError, lambda: handle.conf_set("rbd_cache", bad)) == (
            "Rados.conf_set: val must be a string, not int"
        )
        assert message(TypeError, lambda: handle.conf_get(bad)) == (
            "Rados.conf_get: option must be a string, not int"
        )
        for value in (bad, "--rbd_cache=false"):
            assert "Rados.conf_parse_argv: args must be a sequence" in message(
                TypeError, handle.conf_parse_argv, value
            )
    for keyword in ("conf", "conf_defaults"):
        assert f"Rados(): {keyword} must be a mapping, not int" == message(
            TypeError, rados.Rados, **{keyword: bad}
        )
    assert "Rados(): op_timeout must be a number of seconds, not str" == message(
        TypeError,
        lambda: rados.Rados(op_timeout="5"),  # type: ignore[arg-type]
    )


@contextmanager
def rados_handle() -> Iterator[rados.Rados]:
    handle = rados.Rados()
    yield handle
    handle.shutdown()


@pytest.mark.parametrize("timeout", [math.nan, math.inf, -math.inf, -1, -0.5, 1 << 70, 1e300])
def test_impossible_timeouts(timeout: float) -> None:
    with rados_handle() as handle:
        text = message(rados.InvalidArgumentError, lambda: handle.connect(timeout))
        assert "Rados.connect: timeout must be from 0 to" in text
        assert handle.state == "configuring"
    with pytest.raises(rados.InvalidArgumentError, match=r"Rados\(\): op_timeout"):
        rados.Rados(op_timeout=timeout)


@pytest.mark.parametrize("timeout", ["5", b"5", object(), [], 1j])
def test_timeouts_that_are_no_numbers(timeout: Any) -> None:
    with rados_handle() as handle, pytest.raises(TypeError, match=r"Rados\.connect: timeout must"):
        handle.connect(timeout)


# -- objects whose constructor did not run ------------------------------------------------------


def least_arguments(method: Any, ioctx: rados.Ioctx) -> tuple[Any, ...]:
    parameters = inspect.signature(method).parameters.values()
    needed = [p for p in parameters if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD]
    values: dict[str, Any] = {
        "data": b"a",
        "compare": b"a",
        "specs": [(0, "a")],
        "xattr_value": b"a",
        "buffer": bytearray(1),
        "buffers": [bytearray(1)],
        "iterate_cb": print,
        "oncomplete": print,
        "callback": print,
        "on_quiesce": print,
        "on_unquiesce": print,
        "args": ["--x"],
        "inbuf": b"",
        "to_write": b"a",
        "to_append": b"a",
        "cmp_buf": b"a",
        "metadata": {},
        "read_op": rados.ReadOp().create(),
        "write_op": rados.WriteOp().create(),
        "status": {},
        "snaps": [],
        "snap_id": 1,
        "dest_ioctx": ioctx,
        "image_ioctx": ioctx,
    }
    numbers = {"offset", "length", "size", "pool_id", "osdid", "features", "position", "flags"}
    numbers |= {"sparse_size", "limit", "lock_mode", "crc32c", "format", "write_len", "count"}
    numbers |= {"expected_object_size", "expected_write_size"}
    if method.__name__.endswith("compare_and_writev"):
        values.update(compare=[b"a"], data=[b"a"])
    return tuple(values.get(p.name, 1 if p.name in numbers else "a") for p in needed)


class Careless:
    """For subclasses that do not call super().__init__."""

    def __init__(self) -> None:
        self.own = 5


#: What may be called nevertheless: it has nothing to do with a handle, or ends it.
HARMLESS = {"close", "shutdown", "version", "seek", "release_read_op", "release_write_op"}


@pytest.mark.parametrize("careless", [False, True], ids=["new", "careless"])
@pytest.mark.parametrize(
    "cls, error",
    [
        (rados.Rados, rados.RadosStateError),
        (rados.Ioctx, rados.IoctxStateError),
        (rbd.Image, rbd.InvalidArgument),
        (rbd.Group, rados.IoctxStateError),
        (rados.Object, rados.ObjectStateError),
    ],
    ids=lambda one: one.__name__,
)
def test_never_opened(ioctx: rados.Ioctx, cls: Any, error: type[Exception], careless: bool) -> None:
    made = type(f"Careless{cls.__name__}", (Careless, cls), {})() if careless else cls.__new__(cls)
    assert type(made).__name__ in repr(made) or cls.__name__ in repr(made)
    str(made)
    tried = 0
    for name, method in inspect.getmembers(cls, inspect.isfunction):
        if name.startswith("_") or name in HARMLESS:
            continue
        arguments = least_arguments(getattr(made, name), ioctx)
        with pytest.raises(error, match=r"never opened|not initialized") as caught:
            settle(method(made, *arguments))
        assert f"{cls.__name__}.{name}" in str(caught.value)
        tried += 1
    assert tried > 5
    for name in HARMLESS & set(dir(made)) - {"seek"}:
        method = getattr(made, name)
        method(*least_arguments(method, ioctx))


def settle(result: Any) -> None:
    list(result)


def test_what_was_never_opened_is_no_argument(ioctx: rados.Ioctx, image: rbd.Image) -> None:
    nothing = rados.Ioctx.__new__(rados.Ioctx)
    for call in (
        lambda: rbd.RBD().list(nothing),
        lambda: rbd.RBD().create(nothing, "x", 1),
        lambda: rbd.Image(nothing, "x"),
        lambda: image.copy(nothing, "x"),
        lambda: rados.ObjectIterator(nothing),
        lambda: rados.XattrIterator(nothing, "x"),
    ):
        with pytest.raises((rados.IoctxStateError, rbd.InvalidArgument), match="never opened"):
            call()
    with pytest.raises(rbd.InvalidArgument, match="never opened"):
        rbd.SnapIterator(rbd.Image.__new__(rbd.Image))
    with pytest.raises(rados.RadosStateError, match="never opened"):
        rados.Ioctx(rados.Rados.__new__(rados.Rados), "rbd")


@pytest.mark.parametrize(
    "make, text",
    [
        (lambda io: rbd.SnapIterator(5), r"SnapIterator\(\): image must be an rbdcffi.rbd.Image"),
        (lambda io: rados.XattrIterator(5, "x"), r"XattrIterator\(\): ioctx must be"),
        (lambda io: rados.XattrIterator(io, 5), r"XattrIterator\(\): oid must be a string"),
        (lambda io: rados.ObjectIterator(5), r"ObjectIterator\(\): ioctx must be"),
        (lambda io: rados.Object(5, "x"), r"Object\(\): ioctx must be"),
        (lambda io: rados.Object(io, 5), r"Object\(\): key must be a string"),
        (lambda io: rados.Object(io, "x", 5), r"Object\(\): locator_key must be a string"),
        (lambda io: rados.Ioctx(5, "x"), r"Ioctx\(\): rados must be"),
        (lambda io: rbd.Completion(5, print), r"Completion\(\): oncomplete must be callable"),
        (lambda io: rbd.Completion(print, 5), r"Completion\(\): result must be callable"),
        (lambda io: rbd.ImageFile(5), r"ImageFile\(\): image must be"),
        (lambda io: rbd.ExtentIterator(5, 0, 1, None, True, True), r"ExtentIterator\(\): image"),
        (lambda io: rbd.Image(5, "x"), r"Image\(\): ioctx must be an rbdcffi.rados.Ioctx"),
    ],
)
def test_wrong_objects(ioctx: rados.Ioctx, make: Callable[[Any], object], text: str) -> None:
    with pytest.raises(TypeError, match=text):
        make(ioctx)
    gc.collect()


def test_wrong_modes(image: rbd.Image) -> None:
    assert message(TypeError, lambda: image.open_file(None)) == (  # type: ignore[arg-type]
        f"Image.open_file of '{image}': mode must be a string, not NoneType"
    )
    assert "Image.open_file of" in message(ValueError, lambda: image.open_file("x"))
