"""The only importer of the compiled module: ``ffi``, ``lib``, versions, and what is loaded.

``lib`` offers the C functions under their own names. Those that the loaded libraries lack are
absent from it (``hasattr`` is False), and the AttributeError says which release brought them.
"""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any, Callable, TypeVar

PYPY = sys.implementation.name == "pypy"


def _in_main_interpreter() -> bool:
    for name in ("_interpreters", "_xxsubinterpreters"):
        try:
            module = importlib.import_module(name)
        except ImportError:
            continue
        return bool(module.get_current() == module.get_main())
    return True


if not _in_main_interpreter():
    # asked first: once this one has begun to import the compiled module, the main one cannot
    raise ImportError(
        "rbdcffi works in the main interpreter only, not in a sub-interpreter (mod_wsgi: set "
        "WSGIApplicationGroup to %{GLOBAL}); use threads or processes"
    )

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
    "bool *",
    "char *",
    "char **",
    "char *[]",
    "char[37]",
    "char[]",
    "const char **",
    "const char *[3]",
    "const char *[]",
    "int *",
    "int8_t *",
    "int64_t *",
    "int64_t[]",
    "int[3]",
    "int[]",
    "rados_ioctx_t *",
    "rados_list_ctx_t *",
    "rados_object_list_cursor *",
    "rados_object_list_item[]",
    "rados_omap_iter_t *",
    "rados_t *",
    "rados_xattrs_iter_t *",
    "rbd_config_option_t[]",
    "rbd_encryption_luks1_format_options_t *",
    "rbd_encryption_luks2_format_options_t *",
    "rbd_encryption_luks_format_options_t *",
    "rbd_encryption_spec_t[]",
    "rbd_group_image_info_t",
    "rbd_group_image_info_t[]",
    "rbd_group_info_t *",
    "rbd_group_snap_info2_t *",
    "rbd_group_snap_info2_t[]",
    "rbd_group_snap_info_t",
    "rbd_group_snap_info_t[]",
    "rbd_image_info_t *",
    "rbd_image_info_t",
    "rbd_image_migration_status_t *",
    "rbd_image_options_t *",
    "rbd_image_spec_t[]",
    "rbd_image_t *",
    "rbd_image_watcher_t[]",
    "rbd_linked_image_spec_t *",
    "rbd_linked_image_spec_t[]",
    "rbd_lock_mode_t *",
    "rbd_mirror_image_global_status_t *",
    "rbd_mirror_image_global_status_t",
    "rbd_mirror_image_global_status_t[]",
    "rbd_mirror_image_info_t *",
    "rbd_mirror_image_info_t",
    "rbd_mirror_image_info_t[]",
    "rbd_mirror_image_mode_t *",
    "rbd_mirror_image_mode_t[]",
    "rbd_mirror_image_status_state_t[]",
    "rbd_mirror_image_status_t *",
    "rbd_mirror_image_status_t",
    "rbd_mirror_image_status_t[]",
    "rbd_mirror_mode_t *",
    "rbd_mirror_peer_site_t[]",
    "rbd_mirror_peer_t[]",
    "rbd_pool_stats_t *",
    "rbd_snap_group_namespace_t *",
    "rbd_snap_info_t[]",
    "rbd_snap_mirror_namespace_t *",
    "rbd_snap_namespace_type_t *",
    "rbd_snap_spec_t *",
    "rbd_snap_trash_namespace_t *",
    "rbd_trash_image_info_t *",
    "rbd_trash_image_info_t[]",
    "size_t *",
    "size_t[3]",
    "size_t[]",
    "struct iovec[]",
    "struct rados_cluster_stat_t *",
    "struct rados_pool_stat_t *",
    "struct rbdcffi_extents *",
    "struct rbdcffi_handle *",
    "struct rbdcffi_object_io *",
    "struct rbdcffi_notices *",
    "struct rbdcffi_page *",
    "struct rbdcffi_stay *",
    "struct rbdcffi_watch *",
    "struct timespec *",
    "struct timeval *",
    "time_t *",
    "uint64_t *",
    "uint64_t[]",
    "uint8_t *",
    "uint8_t[]",
    "unsigned char *",
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
        self._name = name

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        # not the class that it was written in, which may be a part of the public one
        cls = type(instance) if owner is None else owner
        raise AttributeError(f"{cls.__name__}.{self._name} {_why_absent(self._function)}")


def needs(function: str) -> Callable[[Method], Method]:
    """Makes a method an absent attribute where the loaded libraries lack its C function."""

    def decorate(method: Method) -> Method:
        return method if has(function) else _AbsentMethod(function)  # type: ignore[return-value]

    return decorate


def is_absent(cls: type, name: str) -> bool:
    """Whether an attribute that the class was written with is such a method."""
    found = next((vars(c)[name] for c in cls.__mro__ if name in vars(c)), None)
    return isinstance(found, _AbsentMethod)


if PYPY:
    # bytes move in PyPy's memory: C fills a buffer of its own, and one copy makes the result
    new_bytes: Callable[[int], bytes] | None = None
else:
    _compiled.rbdcffi_add_new_bytes()
    new_bytes = _librbd.new_bytes
