"""Keys and values of pools and images: the C functions for either look the same."""

from __future__ import annotations

from typing import Any

from rbdcffi._buffers import new_uncleared, string, strings
from rbdcffi._errors import ENOENT, ERANGE
from rbdcffi._ffi import ffi


def get_value(function: Any, gate: Any, key: Any) -> int | str | None:
    """The value of a key, None if there is no such key, or a negative result."""
    size = ffi.new("size_t *", 1024)
    while True:
        value = new_uncleared("char[]", size[0])
        result: int = function(gate, key, value, size)
        if result == -ENOENT:
            return None
        if result != -ERANGE:
            return result if result < 0 else string(value)


def list_pairs(function: Any, gate: Any, start: bytes, most: int) -> int | list[tuple[str, str]]:
    """The pairs whose keys follow `start`, at most so many, or a negative result."""
    key_size, value_size = ffi.new("size_t *", 4096), ffi.new("size_t *", 4096)
    while True:
        keys = new_uncleared("char[]", key_size[0])
        values = new_uncleared("char[]", value_size[0])
        result: int = function(gate, start, most, keys, key_size, values, value_size)
        if result != -ERANGE:
            break
    if result < 0:
        return result
    return list(zip(strings(keys, key_size[0]), strings(values, value_size[0])))
