"""Feature bits as text."""

from __future__ import annotations

from typing import Any

from rbdcffi._buffers import grow, number, string
from rbdcffi._ffi import NULL, ffi, lib, needs
from rbdcffi.rbd._base import name_of
from rbdcffi.rbd.errors import failed


class Features:
    """The part of RBD that translates feature bits."""

    @needs("rbd_features_to_string")
    def features_to_string(self, features: int) -> str:
        """The names of features, with commas between them.

        Parameters:
            features: bits RBD_FEATURE_*.

        Raises InvalidArgument (a bit that librbd does not know), TypeError, OverflowError.
        Implements: rbd_features_to_string
        """
        what = f"RBD.features_to_string({features!r})"
        features = number(features, f"{what}: features")
        size = ffi.new("size_t *")
        names: Any = NULL

        def attempt(length: int) -> tuple[int, int]:
            nonlocal names
            names = ffi.new("char[]", length)
            size[0] = length
            return lib.rbd_features_to_string(features, names, size), size[0]

        result = grow(attempt, 256)
        if result < 0:
            raise failed(result, what)
        return string(names)

    @needs("rbd_features_from_string")
    def features_from_string(self, str_features: str) -> int:
        """The bits of features.

        Parameters:
            str_features: names with commas between them, or a number as text; "" stands for the
                default features.

        Raises InvalidArgument. Implements: rbd_features_from_string
        """
        what = f"RBD.features_from_string({str_features!r})"
        features = ffi.new("uint64_t *")
        result = lib.rbd_features_from_string(name_of(str_features, what, "str_features"), features)
        if result < 0:
            raise failed(result, what)
        return int(features[0])
