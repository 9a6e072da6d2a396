"""Options of a new image (rbd_image_options_t)."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import Any

from rbdcffi._buffers import c_string, decode, new_uncleared, number
from rbdcffi._errors import E2BIG, ENOENT
from rbdcffi._ffi import ffi, lib
from rbdcffi._handle import NotCopyable
from rbdcffi.rbd.errors import LogicError, failed, invalid

#: {name: option}, in the order of the options
NAMES: dict[str, int] = {
    "format": lib.RBD_IMAGE_OPTION_FORMAT,
    "features": lib.RBD_IMAGE_OPTION_FEATURES,
    "order": lib.RBD_IMAGE_OPTION_ORDER,
    "stripe_unit": lib.RBD_IMAGE_OPTION_STRIPE_UNIT,
    "stripe_count": lib.RBD_IMAGE_OPTION_STRIPE_COUNT,
    "journal_order": lib.RBD_IMAGE_OPTION_JOURNAL_ORDER,
    "journal_splay_width": lib.RBD_IMAGE_OPTION_JOURNAL_SPLAY_WIDTH,
    "journal_pool": lib.RBD_IMAGE_OPTION_JOURNAL_POOL,
    "features_set": lib.RBD_IMAGE_OPTION_FEATURES_SET,
    "features_clear": lib.RBD_IMAGE_OPTION_FEATURES_CLEAR,
    "data_pool": lib.RBD_IMAGE_OPTION_DATA_POOL,
    "flatten": lib.RBD_IMAGE_OPTION_FLATTEN,
    "clone_format": lib.RBD_IMAGE_OPTION_CLONE_FORMAT,
    "mirror_image_mode": lib.RBD_IMAGE_OPTION_MIRROR_IMAGE_MODE,
}

MIRROR_MODES = (lib.RBD_MIRROR_IMAGE_MODE_JOURNAL, lib.RBD_MIRROR_IMAGE_MODE_SNAPSHOT)
_STRINGS = frozenset({"journal_pool", "data_pool"})


class ImageOptions(NotCopyable, MutableMapping[str, Any]):
    """What a new image shall be like: {name of an option: value}.

    The names are those of the arguments of RBD.create, RBD.clone and Image.copy, so that

        options = ImageOptions(order=20, data_pool="fast", journal_pool="journals")
        RBD().create(ioctx, "disk", size, **options)

    works. None, as a value, leaves an option to the cluster's defaults: it is not set then. The
    options are librbd's own object; `raw` is for C functions.

    Parameters:
        what: how the texts of errors begin.
        format: 1 or 2.
        features: bits RBD_FEATURE_*.
        order: log2 of the size of the objects.
        stripe_unit: in bytes.
        stripe_count: number of objects to stripe over.
        journal_order: log2 of the size of the journal's objects.
        journal_splay_width: number of objects that the journal is spread over at a time.
        journal_pool: name of the pool for the journal.
        features_set, features_clear: bits to add to, and to take from, the default features.
        data_pool: name of the pool for the data.
        flatten: whether a copy has no parent, although the original has (deep_copy).
        clone_format: 1 or 2.
        mirror_image_mode: RBD_MIRROR_IMAGE_MODE_*: how the image is mirrored if its features or
            pool ask for that.

    Raises KeyError (no such option), TypeError, OverflowError, InvalidArgument.
    Implements: rbd_image_options_create, rbd_image_options_destroy,
    rbd_image_options_set_uint64, rbd_image_options_set_string, rbd_image_options_get_uint64,
    rbd_image_options_get_string, rbd_image_options_is_set, rbd_image_options_unset,
    rbd_image_options_clear, rbd_image_options_is_empty
    """

    # for one whose constructor did not run
    _options: Any = None
    _what = "ImageOptions"

    def __init__(
        self,
        what: str = "ImageOptions",
        /,
        *,
        format: int | None = None,
        features: int | None = None,
        order: int | None = None,
        stripe_unit: int | None = None,
        stripe_count: int | None = None,
        journal_order: int | None = None,
        journal_splay_width: int | None = None,
        journal_pool: str | None = None,
        features_set: int | None = None,
        features_clear: int | None = None,
        data_pool: str | None = None,
        flatten: bool | None = None,
        clone_format: int | None = None,
        mirror_image_mode: int | None = None,
    ) -> None:
        given: dict[str, Any] = {
            "format": format,
            "features": features,
            "order": order,
            "stripe_unit": stripe_unit,
            "stripe_count": stripe_count,
            "journal_order": journal_order,
            "journal_splay_width": journal_splay_width,
            "journal_pool": journal_pool,
            "features_set": features_set,
            "features_clear": features_clear,
            "data_pool": data_pool,
            "flatten": flatten,
            "clone_format": clone_format,
            "mirror_image_mode": mirror_image_mode,
        }
        self._what = what
        pointer = ffi.new("rbd_image_options_t *")
        lib.rbd_image_options_create(pointer)
        self._options = pointer[0]
        for name, value in given.items():
            if value is not None:
                self[name] = value

    @property
    def raw(self) -> Any:
        """What C functions are given; valid as long as this object."""
        if self._options is None:
            raise LogicError(f"{self._what}: the options are gone")
        return self._options

    def __setitem__(self, name: str, value: Any) -> None:
        option = self._option(name)
        what = f"{self._what}: {name}"
        if value is None:
            self._unset(name)
        elif name in _STRINGS:
            text = c_string(value, name, lambda reason: invalid(f"{self._what}: {reason}"))
            self._check(lib.rbd_image_options_set_string(self.raw, option, text), what)
        else:
            value = bool(value) if name == "flatten" else number(value, what)
            if name == "mirror_image_mode" and value not in MIRROR_MODES:
                # librbd would fail half way, or succeed and not know the image any more
                raise invalid(f"{what} must be one of RBD_MIRROR_IMAGE_MODE_*, not {value!r}")
            self._check(lib.rbd_image_options_set_uint64(self.raw, option, value), what)

    def __getitem__(self, name: str) -> Any:
        option = self._option(name)
        what = f"{self._what}: {name}"
        if name not in self:
            raise KeyError(name)
        if name not in _STRINGS:
            value = ffi.new("uint64_t *")
            self._check(lib.rbd_image_options_get_uint64(self.raw, option, value), what)
            return bool(value[0]) if name == "flatten" else int(value[0])
        size = 64
        while True:
            buffer = new_uncleared("char[]", size)
            result = lib.rbd_image_options_get_string(self.raw, option, buffer, size)
            if result != -E2BIG:
                break
            size *= 2
        self._check(result, what)
        return decode(ffi.string(buffer))

    def __delitem__(self, name: str) -> None:
        if name not in self:
            raise KeyError(name)
        self._unset(name)

    def __contains__(self, name: object) -> bool:
        if name not in NAMES:
            return False
        answer = ffi.new("bool *")
        result = lib.rbd_image_options_is_set(self.raw, NAMES[name], answer)
        # an option that the loaded librbd does not know cannot be set
        return result >= 0 and bool(answer[0])

    def __iter__(self) -> Iterator[str]:
        return iter([name for name in NAMES if name in self])

    def __len__(self) -> int:
        return sum(name in self for name in NAMES)

    def __bool__(self) -> bool:
        return not lib.rbd_image_options_is_empty(self.raw)

    def clear(self) -> None:
        """Unsets all options. Implements: rbd_image_options_clear"""
        lib.rbd_image_options_clear(self.raw)

    def __repr__(self) -> str:
        if self._options is None:
            return "<ImageOptions, gone>"
        return f"ImageOptions({', '.join(f'{name}={value!r}' for name, value in self.items())})"

    def _option(self, name: str) -> int:
        try:
            return NAMES[name]
        except (KeyError, TypeError):
            raise KeyError(
                f"there is no image option {name!r}; there are {', '.join(NAMES)}"
            ) from None

    def _unset(self, name: str) -> None:
        result = lib.rbd_image_options_unset(self.raw, NAMES[name])
        if result != -ENOENT:
            self._check(result, f"{self._what}: {name}")

    def _check(self, result: int, what: str) -> None:
        if result < 0:
            raise failed(result, what)

    # -- for the duration of one call ----------------------------------------------------------

    def __enter__(self) -> Any:
        return self.raw

    def __exit__(self, *exc_info: object) -> None:
        self._destroy()

    def _destroy(self) -> None:
        options, self._options = self._options, None
        if options is not None:
            lib.rbd_image_options_destroy(options)

    def __del__(self) -> None:
        self._destroy()
