"""The only importer of the compiled module: ``ffi``, ``lib``, versions, and what is loaded.

``lib`` offers the C functions under their own names. Those that the loaded libraries lack are
absent from it (``hasattr`` is False), and the AttributeError says which release brought them.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Callable, TypeVar

PYPY = sys.implementation.name == "pypy"

try:
    from rbdcffi import _librbd
except ImportError as error:
    if "librbd.so" in str(error) or "librados.so" in str(error):
        raise ImportError(
            f"rbdcffi needs the libraries of Ceph ({error}); install librbd1 and librados2 "
            "(Debian, Ubuntu, Fedora, RHEL, openSUSE)"
        ) from error
    raise

ffi = _librbd.ffi
_compiled = _librbd.lib

Method = TypeVar("Method", bound=Callable[..., Any])

NULL = ffi.NULL


#: Every type that the package names in a string. PyPy's parser of type strings is not safe in
#: threads; what has been parsed once is only looked up.
TYPES = (
    "char **",
    "char[37]",
    "char[]",
    "const char **",
    "const char *[3]",
    "const char *[]",
    "int *",
    "int64_t *",
    "int64_t[]",
    "int[3]",
    "rados_ioctx_t *",
    "rados_list_ctx_t *",
    "rados_t *",
    "rados_xattrs_iter_t *",
    "rbd_image_info_t",
    "rbd_image_info_t *",
    "rbd_image_options_t *",
    "rbd_image_spec_t[]",
    "rbd_image_t *",
    "rbd_linked_image_spec_t *",
    "rbd_linked_image_spec_t[]",
    "rbd_snap_info_t[]",
    "rbd_snap_namespace_type_t *",
    "rbd_snap_spec_t *",
    "size_t *",
    "size_t[3]",
    "struct iovec[]",
    "struct rados_cluster_stat_t *",
    "struct rados_pool_stat_t *",
    "struct rbdcffi_extents *",
    "struct rbdcffi_handle *",
    "time_t *",
    "uint64_t *",
    "uint64_t[]",
    "uint8_t *",
    "uint8_t[]",
)
for _type in TYPES:
    ffi.typeof(_type)


def _newer_functions() -> dict[str, tuple[str, bool]]:
    """{function: (the Ceph release that brought it, whether it is loaded)}."""
    symbols = _compiled.rbdcffi_symbols()
    return {
        ffi.string(symbols[i].name).decode(): (
            ffi.string(symbols[i].since).decode(),
            bool(symbols[i].present),
        )
        for i in range(_compiled.rbdcffi_symbol_count())
    }


NEWER = _newer_functions()


def built_version() -> tuple[int, int, int]:
    """The librbd whose headers this build used."""
    return (
        _compiled.LIBRBD_VER_MAJOR,
        _compiled.LIBRBD_VER_MINOR,
        _compiled.LIBRBD_VER_EXTRA,
    )


def loaded_version() -> tuple[int, int, int]:
    """The librbd that is loaded. Implements: rbd_version"""
    parts = ffi.new("int[3]")
    _compiled.rbd_version(parts, parts + 1, parts + 2)
    return parts[0], parts[1], parts[2]


def loaded_rados_version() -> tuple[int, int, int]:
    """The librados that is loaded. Implements: rados_version"""
    parts = ffi.new("int[3]")
    _compiled.rados_version(parts, parts + 1, parts + 2)
    return parts[0], parts[1], parts[2]


def has(function: str) -> bool:
    """Whether the loaded libraries have the C function."""
    return NEWER.get(function, ("", True))[1]


def _why_absent(function: str) -> str:
    loaded = ".".join(map(str, loaded_version()))
    built = ".".join(map(str, built_version()))
    return (
        f"needs {function}, which came with Ceph {NEWER[function][0]}; the loaded librbd is "
        f"{loaded} (built with the headers of {built})"
    )


class _Library:
    """What of the compiled ``lib`` is there; names are looked up once and kept."""

    def __getattr__(self, name: str) -> Any:
        if not has(name):
            raise AttributeError(f"{name} is missing: {_why_absent(name)}")
        value = getattr(_compiled, name)
        setattr(self, name, value)
        return value


if TYPE_CHECKING:
    lib: _librbd.Lib
else:
    lib = _Library()


def pointer(function: str) -> Any:
    """A C function as a pointer that C can be given (PyPy tells the two apart)."""
    return ffi.addressof(_compiled, function)


class _AbsentMethod:
    """Stands in a class for a method whose C function is not loaded: no such attribute."""

    def __init__(self, function: str) -> None:
        self._function = function
        self._name = function

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = f"{owner.__name__}.{name}"

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        raise AttributeError(f"{self._name} {_why_absent(self._function)}")


def needs(function: str) -> Callable[[Method], Method]:
    """Makes a method an absent attribute where the loaded libraries lack its C function."""

    def decorate(method: Method) -> Method:
        return method if has(function) else _AbsentMethod(function)  # type: ignore[return-value]

    return decorate


if PYPY:
    # bytes move in PyPy's memory: C fills a buffer of its own, and one copy makes the result
    new_bytes: Callable[[int], bytes] | None = None
else:
    _compiled.rbdcffi_add_new_bytes()
    new_bytes = _librbd.new_bytes
