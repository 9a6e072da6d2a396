"""What is told the cluster of an object that is not its content."""

from __future__ import annotations

from rbdcffi._buffers import UINT, c_string, number
from rbdcffi._ffi import lib
from rbdcffi.rados.errors import wrong_type
from rbdcffi.rados.objects import Objects


class Hints(Objects):
    """The part of Ioctx that gives hints."""

    def set_alloc_hint2(
        self, key: str, expected_object_size: int, expected_write_size: int, flags: int = 0
    ) -> None:
        """Says how an object will be used, creating it if need be.

        Parameters:
            expected_object_size, expected_write_size: in bytes; 0: unknown.
            flags: LIBRADOS_ALLOC_HINT_FLAG_*, such as _APPEND_ONLY or _COMPRESSIBLE.

        Raises TypeError, OverflowError, Error. Implements: rados_set_alloc_hint2
        """
        result = lib.rados_set_alloc_hint2(
            self._gate,
            c_string(key, "key", wrong_type),
            number(expected_object_size, "expected_object_size"),
            number(expected_write_size, "expected_write_size"),
            number(flags, "flags", *UINT),
        )
        self._done(result, "set_alloc_hint2", key)

    def cache_pin(self, key: str) -> None:
        """Keeps an object in the cache tier: it is neither flushed nor evicted.

        Raises InvalidArgumentError (the pool has no cache tier), TypeError, ObjectNotFound, Error.
        Implements: rados_cache_pin
        """
        result = lib.rados_cache_pin(self._gate, c_string(key, "key", wrong_type))
        self._done(result, "cache_pin", key)

    def cache_unpin(self, key: str) -> None:
        """Ends cache_pin.

        Raises InvalidArgumentError (the pool has no cache tier), TypeError, ObjectNotFound, Error.
        Implements: rados_cache_unpin
        """
        result = lib.rados_cache_unpin(self._gate, c_string(key, "key", wrong_type))
        self._done(result, "cache_unpin", key)
