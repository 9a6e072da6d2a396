"""Configuration of librbd that is kept with a pool or an image.

It is metadata under another name: option `rbd_cache` is the key `conf_rbd_cache`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rbdcffi._buffers import c_string, string
from rbdcffi._calls import Calling
from rbdcffi._errors import ENOENT, ERANGE
from rbdcffi._ffi import ffi, lib
from rbdcffi.rados.ioctx import Ioctx
from rbdcffi.rbd._base import ImageBase, check_image, gate_of, pool_of
from rbdcffi.rbd._pairs import get_value
from rbdcffi.rbd.errors import failed, invalid


def _key(key: object, what: str) -> Any:
    if not isinstance(key, str):
        raise TypeError(f"{what}: key must be a str, not {type(key).__name__}")
    return c_string(f"conf_{key}", "key", lambda reason: invalid(f"{what}: {reason}"))


def _get(function: Any, gate: Any, key: str, what: str) -> str:
    value = get_value(function, gate, _key(key, what))
    if value is None:
        raise KeyError(f"{what}: it is not overridden")
    if isinstance(value, int):
        raise failed(value, what)
    return value


def _set(function: Any, gate: Any, key: str, value: str, what: str) -> None:
    given = c_string(value, "value", lambda reason: invalid(f"{what}: {reason}"))
    result = function(gate, _key(key, what), given)
    if result < 0:
        raise failed(result, what)


def _remove(function: Any, gate: Any, key: str, what: str) -> None:
    result = function(gate, _key(key, what))
    if result == -ENOENT:
        raise KeyError(f"{what}: it is not overridden")
    if result < 0:
        raise failed(result, what)


def _list(function: Any, cleanup: Any, gate: Any, what: str) -> list[dict[str, Any]]:
    count = ffi.new("int *", 256)
    while True:
        options = ffi.new("rbd_config_option_t[]", count[0])
        result = function(gate, options, count)
        if result != -ERANGE:
            break
    if result < 0:
        raise failed(result, what)
    try:
        return [
            {
                "name": string(options[i].name),
                "value": string(options[i].value),
                "source": int(options[i].source),
            }
            for i in range(count[0])
        ]
    finally:
        cleanup(options, count[0])


class ConfigPoolIterator(Calling):
    """The options that a pool can override, as they were when it was made; can be iterated over
    repeatedly.

    Yields dicts: name, value, source (RBD_CONFIG_SOURCE_*: where the value comes from).

    Implements: rbd_config_pool_list, rbd_config_pool_list_cleanup
    """

    def __init__(self, ioctx: Ioctx) -> None:
        self._options = _list(
            lib.rbd_config_pool_list,
            lib.rbd_config_pool_list_cleanup,
            gate_of(ioctx),
            f"RBD.config_list of pool {pool_of(ioctx)}",
        )

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter([dict(option) for option in self._options])


class ConfigImageIterator(Calling):
    """The options that an image can override, as they were when it was made; can be iterated over
    repeatedly.

    Yields dicts: name, value, source (RBD_CONFIG_SOURCE_*: where the value comes from).

    Implements: rbd_config_image_list, rbd_config_image_list_cleanup
    """

    def __init__(self, image: ImageBase) -> None:
        check_image(image)
        self._options = _list(
            lib.rbd_config_image_list,
            lib.rbd_config_image_list_cleanup,
            image._gate,
            image._calling("config_list"),
        )

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter([dict(option) for option in self._options])


class PoolConfig:
    """The part of RBD that configures pools."""

    def config_list(self, ioctx: Ioctx) -> ConfigPoolIterator:
        """The options that a pool can override, with their values.

        Yields dicts: name, value, source; see ConfigPoolIterator.

        Raises Error. Implements: rbd_config_pool_list
        """
        return ConfigPoolIterator(ioctx)

    def config_get(self, ioctx: Ioctx, key: str) -> str:
        """The value of an option that the pool overrides.

        Raises KeyError (it does not), TypeError. Implements: rbd_pool_metadata_get
        """
        what = f"RBD.config_get({key!r}) of pool {pool_of(ioctx)}"
        return _get(lib.rbd_pool_metadata_get, gate_of(ioctx), key, what)

    def config_set(self, ioctx: Ioctx, key: str, value: str) -> None:
        """Overrides an option for all images of a pool that are opened from now on.

        Raises InvalidArgument (no such option, or not such a value), TypeError.
        Implements: rbd_pool_metadata_set
        """
        what = f"RBD.config_set({key!r}, {value!r}) of pool {pool_of(ioctx)}"
        _set(lib.rbd_pool_metadata_set, gate_of(ioctx), key, value, what)

    def config_remove(self, ioctx: Ioctx, key: str) -> None:
        """Ends overriding an option.

        Raises KeyError (the pool does not override it), TypeError.
        Implements: rbd_pool_metadata_remove
        """
        what = f"RBD.config_remove({key!r}) of pool {pool_of(ioctx)}"
        _remove(lib.rbd_pool_metadata_remove, gate_of(ioctx), key, what)


class ImageConfig(ImageBase):
    """The part of Image that configures it."""

    def config_list(self) -> ConfigImageIterator:
        """The options that an image can override, with their values.

        Yields dicts: name, value, source; see ConfigImageIterator.

        Raises Error. Implements: rbd_config_image_list
        """
        return ConfigImageIterator(self)

    def config_get(self, key: str) -> str:
        """The value of an option that the image overrides.

        Raises KeyError (it does not), TypeError. Implements: rbd_metadata_get
        """
        what = self._calling(f"config_get({key!r})")
        return _get(lib.rbd_metadata_get, self._gate, key, what)

    def config_set(self, key: str, value: str) -> None:
        """Overrides an option for the image, also in this and other processes that have it open.

        Raises InvalidArgument (no such option, or not such a value), ReadOnlyImage, TypeError.
        Implements: rbd_metadata_set
        """
        what = self._calling(f"config_set({key!r}, {value!r})")
        _set(lib.rbd_metadata_set, self._gate, key, value, what)

    def config_remove(self, key: str) -> None:
        """Ends overriding an option.

        Raises KeyError (the image does not override it), ReadOnlyImage, TypeError.
        Implements: rbd_metadata_remove
        """
        what = self._calling(f"config_remove({key!r})")
        _remove(lib.rbd_metadata_remove, self._gate, key, what)
