"""The exceptions: hierarchy, text, pickling, and what a missing C function looks like."""

from __future__ import annotations

import builtins
import copy
import errno
import os
import pickle
from typing import Any

import pytest

from rbdcffi import _errors, _ffi, rados, rbd
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

    class Thing:
        @_ffi.needs(name)
        def newer(self) -> int:
            raise AssertionError("never called")

        @_ffi.needs("rbd_open")
        def old(self) -> int:
            return 5

    assert not hasattr(Thing(), "newer") and not hasattr(Thing, "newer")
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
