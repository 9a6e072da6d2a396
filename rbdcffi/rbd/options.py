"""Options of a new image (rbd_image_options_t)."""

from __future__ import annotations

from typing import Any

from rbdcffi._buffers import c_string, number
from rbdcffi._ffi import ffi, lib
from rbdcffi.rbd.errors import failed, invalid


class ImageOptions:
    """What a new image shall be like; None leaves an option to the cluster's defaults.

    A context manager: ``with ImageOptions(...) as options`` is what C functions are given.

    Implements: rbd_image_options_create, rbd_image_options_destroy,
    rbd_image_options_set_uint64, rbd_image_options_set_string
    """

    def __init__(
        self,
        what: str,
        *,
        format: int | None = None,
        features: int | None = None,
        order: int | None = None,
        stripe_unit: int | None = None,
        stripe_count: int | None = None,
        data_pool: str | None = None,
        clone_format: int | None = None,
        flatten: bool | None = None,
    ) -> None:
        self._what = what
        numbers = {
            "features": features,
            "order": order,
            "stripe_unit": stripe_unit,
            "stripe_count": stripe_count,
            "clone_format": clone_format,
        }
        for name, value in numbers.items():
            if value is not None:
                number(value, f"{what}: {name}")
        self._numbers = {
            lib.RBD_IMAGE_OPTION_FORMAT: format,
            lib.RBD_IMAGE_OPTION_FEATURES: features,
            lib.RBD_IMAGE_OPTION_ORDER: order,
            lib.RBD_IMAGE_OPTION_STRIPE_UNIT: stripe_unit,
            lib.RBD_IMAGE_OPTION_STRIPE_COUNT: stripe_count,
            lib.RBD_IMAGE_OPTION_CLONE_FORMAT: clone_format,
            lib.RBD_IMAGE_OPTION_FLATTEN: None if flatten is None else int(flatten),
        }
        self._data_pool = data_pool
        self._options: Any = None

    def __enter__(self) -> Any:
        pointer = ffi.new("rbd_image_options_t *")
        lib.rbd_image_options_create(pointer)
        self._options = pointer[0]
        try:
            for option, value in self._numbers.items():
                if value is not None:
                    self._check(lib.rbd_image_options_set_uint64(self._options, option, value))
            if self._data_pool is not None:
                name = c_string(
                    self._data_pool,
                    "data_pool",
                    lambda reason: invalid(f"{self._what}: {reason}"),
                )
                self._check(
                    lib.rbd_image_options_set_string(
                        self._options, lib.RBD_IMAGE_OPTION_DATA_POOL, name
                    )
                )
        except BaseException:
            self.__exit__()
            raise
        return self._options

    def __exit__(self, *exc_info: object) -> None:
        options, self._options = self._options, None
        if options is not None:
            lib.rbd_image_options_destroy(options)

    def _check(self, result: int) -> None:
        if result < 0:
            raise failed(result, f"{self._what}: options")
