"""What a pool is used for, metadata of that, and writing to a full pool."""

from __future__ import annotations

from typing import Any

from rbdcffi._buffers import c_string, grow, string, strings
from rbdcffi._errors import ENOENT, ERANGE
from rbdcffi._ffi import NULL, ffi, has, lib
from rbdcffi.rados.errors import failed, wrong_type
from rbdcffi.rados.objects import Objects


def _text(value: object, what: str) -> Any:
    return c_string(value, what, wrong_type)


class Applications(Objects):
    """The part of Ioctx that works on the pool's applications."""

    def application_enable(self, app_name: str, force: bool = False) -> None:
        """Says that the pool is used by an application: ``rbd``, ``rgw``, ``cephfs``, or another.

        Parameters:
            force: also if the pool is used by another one already.

        Raises PermissionError (another one uses it), InvalidArgumentError, TypeError.
        Implements: rados_application_enable
        """
        result = lib.rados_application_enable(self._gate, _text(app_name, "app_name"), bool(force))
        self._applied(result, f"application_enable({app_name!r})")

    def application_list(self) -> list[str]:
        """The applications that use the pool.

        Raises Error. Implements: rados_application_list
        """
        buffer: Any = NULL
        length = ffi.new("size_t *")

        def attempt(size: int) -> tuple[int, int]:
            nonlocal buffer
            buffer = ffi.new("char[]", size)
            length[0] = size
            return lib.rados_application_list(self._gate, buffer, length), length[0]

        self._applied(grow(attempt, 512), "application_list")
        return strings(buffer, length[0])

    def application_metadata_get(self, app_name: str, key: str) -> str:
        """The value of a key.

        Raises KeyError (no such key, or application), TypeError, Error.
        Implements: rados_application_metadata_get
        """
        app, name = _text(app_name, "app_name"), _text(key, "key")
        buffer: Any = NULL
        length = ffi.new("size_t *")

        def attempt(size: int) -> tuple[int, int]:
            nonlocal buffer
            buffer = ffi.new("char[]", size)
            length[0] = size
            return (
                lib.rados_application_metadata_get(self._gate, app, name, buffer, length),
                length[0],
            )

        what = f"application_metadata_get({app_name!r}, {key!r})"
        result = grow(attempt, 512)
        if result == -ENOENT:
            raise KeyError(f"{self._calling(what)}: no such key, or application")
        self._applied(result, what)
        return string(buffer)

    def application_metadata_set(self, app_name: str, key: str, value: str) -> None:
        """Sets a key to a value.

        Raises ObjectNotFound (no such application), InvalidArgumentError (longer than the
        monitors' mon_pool_... limits, 64 and 128 characters), TypeError.
        Implements: rados_application_metadata_set
        """
        result = lib.rados_application_metadata_set(
            self._gate, _text(app_name, "app_name"), _text(key, "key"), _text(value, "value")
        )
        self._applied(result, f"application_metadata_set({app_name!r}, {key!r})")

    def application_metadata_remove(self, app_name: str, key: str) -> None:
        """Removes a key, if there is one of that name.

        Raises ObjectNotFound (no such application), TypeError.
        Implements: rados_application_metadata_remove
        """
        result = lib.rados_application_metadata_remove(
            self._gate, _text(app_name, "app_name"), _text(key, "key")
        )
        self._applied(result, f"application_metadata_remove({app_name!r}, {key!r})")

    def application_metadata_list(self, app_name: str) -> list[tuple[str, str]]:
        """The (key, value) of all keys.

        Raises ObjectNotFound (no such application), TypeError, Error.
        Implements: rados_application_metadata_list
        """
        app = _text(app_name, "app_name")
        sizes = [ffi.new("size_t *", 512), ffi.new("size_t *", 512)]
        while True:
            given = [size[0] for size in sizes]
            keys, values = (ffi.new("char[]", size) for size in given)
            result = lib.rados_application_metadata_list(
                self._gate, app, keys, sizes[0], values, sizes[1]
            )
            if result != -ERANGE:
                break
            for size, before in zip(sizes, given):
                size[0] = max(size[0], before)
        self._applied(result, f"application_metadata_list({app_name!r})")
        return list(zip(strings(keys, sizes[0][0]), strings(values, sizes[1][0])))

    def _applied(self, result: int, what: str) -> None:
        if result < 0:
            raise failed(result, self._calling(what))

    # -- full pools ----------------------------------------------------------------------------

    def set_osdmap_full_try(self) -> None:
        """Writes through this context are sent even if the pool or the cluster is full, instead of
        waiting for room: those that free space succeed, others fail with NoSpace.

        Raises IoctxStateError. Implements: rados_set_pool_full_try, rados_set_osdmap_full_try
        """
        self._check("set_osdmap_full_try")
        if has("rados_set_pool_full_try"):
            lib.rados_set_pool_full_try(self._gate)
        else:
            lib.rados_set_osdmap_full_try(self._gate)

    def unset_osdmap_full_try(self) -> None:
        """Ends what set_osdmap_full_try began.

        Raises IoctxStateError. Implements: rados_unset_pool_full_try, rados_unset_osdmap_full_try
        """
        self._check("unset_osdmap_full_try")
        if has("rados_unset_pool_full_try"):
            lib.rados_unset_pool_full_try(self._gate)
        else:
            lib.rados_unset_osdmap_full_try(self._gate)
