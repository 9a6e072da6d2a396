"""Metadata of an image: keys and values of the user's choice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rbdcffi._buffers import grow, string, strings
from rbdcffi._calls import Calling
from rbdcffi._errors import ENOENT, ERANGE
from rbdcffi._ffi import NULL, ffi, lib
from rbdcffi.rbd._base import ImageBase, check_image

#: Pairs asked for at a time.
CHUNK = 32


class MetadataIterator(Calling):
    """The metadata of an image, read in chunks while it is iterated over; can be repeated.

    Yields (key, value), in the order of the keys.

    Implements: rbd_metadata_list
    """

    def __init__(self, image: ImageBase) -> None:
        check_image(image)
        self._image = image
        self._chunk = self._read("")

    def __iter__(self) -> Iterator[tuple[str, str]]:
        chunk = self._chunk
        while chunk:
            yield from chunk
            if len(chunk) < CHUNK:
                break
            chunk = self._read(chunk[-1][0])

    def get_next_chunk(self) -> None:
        """Skips the first chunk of what iterating would yield. Implements: rbd_metadata_list"""
        if self._chunk:
            self._chunk = self._read(self._chunk[-1][0])

    def _read(self, start: str) -> list[tuple[str, str]]:
        """The pairs that come after a key."""
        image = self._image
        sizes = [ffi.new("size_t *", 4096) for _ in range(2)]
        after = start.encode("utf-8", "surrogateescape")
        while True:
            keys, values = (ffi.new("char[]", size[0]) for size in sizes)
            result = lib.rbd_metadata_list(
                image._gate, after, CHUNK, keys, sizes[0], values, sizes[1]
            )
            if result != -ERANGE:
                break
        image._done(result, "metadata_list")
        return list(zip(strings(keys, sizes[0][0]), strings(values, sizes[1][0])))


class Metadata(ImageBase):
    """The part of Image that keeps the user's keys and values."""

    def metadata_get(self, key: str) -> str:
        """The value of a key. Raises KeyError, InvalidArgument. Implements: rbd_metadata_get"""
        name = self._name(key, "metadata_get", "key")
        size = ffi.new("size_t *")
        value: Any = NULL

        def attempt(length: int) -> tuple[int, int]:
            nonlocal value
            value = ffi.new("char[]", length)
            size[0] = length
            return lib.rbd_metadata_get(self._gate, name, value, size), size[0]

        self._found(grow(attempt, 4096), f"metadata_get({key!r})")
        return string(value)

    def metadata_set(self, key: str, value: str) -> None:
        """Sets a key to a value. Keys that begin with "conf_" set options of the image.

        Raises InvalidArgument, ReadOnlyImage. Implements: rbd_metadata_set
        """
        self._done(
            lib.rbd_metadata_set(
                self._gate,
                self._name(key, "metadata_set", "key"),
                self._name(value, "metadata_set", "value"),
            ),
            f"metadata_set({key!r})",
        )

    def metadata_remove(self, key: str) -> None:
        """Removes a key.

        Raises KeyError, InvalidArgument, ReadOnlyImage. Implements: rbd_metadata_remove
        """
        self._found(
            lib.rbd_metadata_remove(self._gate, self._name(key, "metadata_remove", "key")),
            f"metadata_remove({key!r})",
        )

    def metadata_list(self) -> MetadataIterator:
        """All keys and values. Raises Error. Implements: rbd_metadata_list"""
        return MetadataIterator(self)

    def _found(self, result: int, call: str) -> None:
        if result == -ENOENT:
            raise KeyError(f"{self._calling(call)}: no such key")
        self._done(result, call)
