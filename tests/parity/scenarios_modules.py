"""What the modules hold: constants, exceptions, attributes."""

from __future__ import annotations

from typing import Any

from .harness import Recorder, kind, scenario

RBD_EXCEPTIONS = (
    "ArgumentOutOfRange",
    "ConnectionShutdown",
    "DiskQuotaExceeded",
    "Error",
    "FunctionNotSupported",
    "IOError",
    "ImageBusy",
    "ImageExists",
    "ImageHasSnapshots",
    "ImageNotFound",
    "IncompleteWriteError",
    "InvalidArgument",
    "LogicError",
    "NoSpace",
    "OSError",
    "ObjectExists",
    "ObjectNotFound",
    "OperationCanceled",
    "OperationNotSupported",
    "PermissionError",
    "ReadOnlyImage",
    "Timeout",
)
RADOS_EXCEPTIONS = (
    "ConnectionShutdown",
    "Error",
    "ExtendMismatch",
    "IOError",
    "InProgress",
    "InterruptedOrTimeoutError",
    "InvalidArgumentError",
    "IoctxStateError",
    "IsConnected",
    "LogicError",
    "NoData",
    "NoSpace",
    "NotConnected",
    "OSError",
    "ObjectBusy",
    "ObjectExists",
    "ObjectNotFound",
    "ObjectStateError",
    "PermissionDeniedError",
    "PermissionError",
    "RadosStateError",
    "TimedOut",
)


def own_bases(module: Any, name: str) -> list[str]:
    """The classes of the module that an exception is one of."""
    return [c.__name__ for c in getattr(module, name).__mro__ if issubclass(c, module.Error)]


@scenario
def exceptions(r: Recorder) -> None:
    for title, module, names in (
        ("rbd", r.rbd, RBD_EXCEPTIONS),
        ("rados", r.rados, RADOS_EXCEPTIONS),
    ):
        for name in names:
            with r.part(f"{title}.{name}"):
                r.attempt("bases", lambda m=module, n=name: own_bases(m, n))
                r.attempt(
                    "an Exception", lambda m=module, n=name: issubclass(getattr(m, n), Exception)
                )
                r.attempt("of a message", lambda m=module, n=name: kind(getattr(m, n)("message")))


@scenario
def errors_in_hand(r: Recorder) -> None:
    """What a program sees of an error that it has caught."""
    for title, call in (
        ("rbd", lambda: r.rbd.Image(r.ioctx, r.name("none"))),
        ("rados", lambda: r.ioctx.read("none")),
    ):
        try:
            call()
        except (r.rbd.Error, r.rados.Error) as error:
            with r.part(title):
                r.note("errno", error.errno)
                r.note("type of errno", type(error.errno).__name__)
                r.note("text begins", str(error).split("(")[0])
                r.note("an rbd.Error", isinstance(error, r.rbd.Error))
                r.note("an rados.Error", isinstance(error, r.rados.Error))


@scenario
def errors_are_os_errors(r: Recorder) -> None:
    import pickle

    def caught(function: Any) -> Exception:
        try:
            function()
        except Exception as error:
            return error
        raise AssertionError("no exception")

    error = caught(lambda: r.rbd.Image(r.ioctx, r.name("none")))
    r.note("OSError", isinstance(error, OSError))
    r.note("FileNotFoundError", isinstance(error, FileNotFoundError))
    r.note("strerror", bool(getattr(error, "strerror", None)))
    r.note("repr of bytes", "b'" in str(error))
    r.attempt("pickle", lambda: str(pickle.loads(pickle.dumps(error))) == str(error))
    error = caught(lambda: r.ioctx.read("none"))
    r.note("rados OSError", isinstance(error, OSError))
    r.attempt("rados pickle", lambda: str(pickle.loads(pickle.dumps(error))) == str(error))


@scenario
def image_attributes(r: Recorder) -> None:
    """What introspection sees."""
    import inspect

    image = r.new()
    r.attempt("name", lambda: image.name)
    r.attempt("documented", lambda: bool(type(image).read.__doc__))
    r.attempt("signature", lambda: str(inspect.signature(type(image).read)).count("*"))
    r.attempt("repr", lambda: "b'" in repr(image))


@scenario
def constants_of_both(r: Recorder) -> None:
    """Those that the documentation names; test_modules.py compares all."""
    for name in (
        "RBD_FEATURE_LAYERING",
        "RBD_FEATURE_STRIPINGV2",
        "RBD_FEATURE_EXCLUSIVE_LOCK",
        "RBD_FEATURE_OBJECT_MAP",
        "RBD_FEATURE_FAST_DIFF",
        "RBD_FEATURE_DEEP_FLATTEN",
        "RBD_FEATURE_JOURNALING",
        "RBD_FEATURE_DATA_POOL",
        "RBD_FLAG_OBJECT_MAP_INVALID",
        "RBD_FLAG_FAST_DIFF_INVALID",
    ):
        r.attempt(name, lambda name=name: getattr(r.rbd, name))
    for name in ("RANDOM", "SEQUENTIAL", "WILLNEED", "DONTNEED", "NOCACHE"):
        r.attempt(name, lambda name=name: getattr(r.rados, f"LIBRADOS_OP_FLAG_FADVISE_{name}"))


@scenario
def constants(r: Recorder) -> None:
    """Every constant that this binding has; test_modules.py compares the common ones."""
    for title, module in (("rbd", r.rbd), ("rados", r.rados)):
        for name in dir(module):
            if name.isupper() and name != "RBD":
                r.attempt(f"{title}.{name}", lambda m=module, n=name: getattr(m, n))
