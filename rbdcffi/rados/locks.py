"""Advisory locks on objects."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from rbdcffi._buffers import c_string, number, string, strings
from rbdcffi._errors import ERANGE
from rbdcffi._ffi import NULL, ffi, lib
from rbdcffi.rados.constants import (
    LIBRADOS_LOCK_FLAG_MAY_RENEW,
    LIBRADOS_LOCK_FLAG_MUST_RENEW,
)
from rbdcffi.rados.errors import invalid, wrong_type
from rbdcffi.rados.objects import Objects

#: The range of an uint8_t in C.
UINT8 = 0, 255

#: The flags with which a lock may be one that is held already.
RENEWING = LIBRADOS_LOCK_FLAG_MAY_RENEW | LIBRADOS_LOCK_FLAG_MUST_RENEW


def _text(value: object, what: str) -> Any:
    return c_string(value, what, wrong_type)


def _duration(seconds: float | None) -> Any:
    """As a ``struct timeval *``; NULL for a lock that does not expire."""
    if seconds is None:
        return NULL
    try:
        if isinstance(seconds, (str, bytes, bytearray)):
            raise TypeError
        whole = float(seconds)
    except TypeError:
        raise wrong_type(
            f"duration must be a number of seconds or None, not {type(seconds).__name__}"
        ) from None
    except OverflowError:
        whole = math.inf
    if not (math.isfinite(whole) and 0 <= whole < 1 << 31):
        raise invalid(f"duration must be from 0 to {(1 << 31) - 1} seconds, not {seconds!r}")
    part, full = math.modf(whole)
    return ffi.new("struct timeval *", {"tv_sec": int(full), "tv_usec": int(part * 1_000_000)})


class Locks(Objects):
    """The part of Ioctx that locks objects.

    Nothing is kept from an object by a lock: it binds those who ask for it, under the same name.
    """

    if TYPE_CHECKING:

        def _beside(self) -> Any: ...

    def lock_exclusive(
        self,
        key: str,
        name: str,
        cookie: str,
        desc: str = "",
        duration: float | None = None,
        flags: int = 0,
    ) -> None:
        """Takes a lock that nobody else may hold. An object that is not there is created.

        Parameters:
            name: of the lock; an object may have several.
            cookie: tells apart the locks of one client.
            desc: a text for whoever looks at it.
            duration: seconds after which the lock expires, 0 and None for never.
            flags: LIBRADOS_LOCK_FLAG_MAY_RENEW takes a lock anew that this client and cookie hold
                already, LIBRADOS_LOCK_FLAG_MUST_RENEW does so only then. Both set the duration
                anew.

        Raises ObjectExists (this client and cookie hold it), ObjectBusy (others do),
        InvalidArgumentError, ObjectNotFound (there is nothing to renew), TypeError, OverflowError.
        Implements: rados_lock_exclusive
        """
        result = lib.rados_lock_exclusive(
            self._gate,
            _text(key, "key"),
            _text(name, "name"),
            _text(cookie, "cookie"),
            _text(desc, "desc"),
            _duration(duration),
            number(flags, "flags", *UINT8),
        )
        self._done(result, f"lock_exclusive({name!r}, {cookie!r})", key)

    def lock_shared(
        self,
        key: str,
        name: str,
        cookie: str,
        tag: str,
        desc: str = "",
        duration: float | None = None,
        flags: int = 0,
    ) -> None:
        """Takes a lock together with all who give the same `tag`; see lock_exclusive.

        Raises ObjectExists (this client and cookie hold it), ObjectBusy (it is held exclusively,
        or with another tag), InvalidArgumentError, ObjectNotFound, TypeError, OverflowError.
        Implements: rados_lock_shared
        """
        result = lib.rados_lock_shared(
            self._gate,
            _text(key, "key"),
            _text(name, "name"),
            _text(cookie, "cookie"),
            _text(tag, "tag"),
            _text(desc, "desc"),
            _duration(duration),
            number(flags, "flags", *UINT8),
        )
        self._done(result, f"lock_shared({name!r}, {cookie!r}, {tag!r})", key)

    def unlock(self, key: str, name: str, cookie: str) -> None:
        """Gives back a lock that this client holds.

        Raises ObjectNotFound (it does not hold that one), TypeError. Implements: rados_unlock
        """
        result = lib.rados_unlock(
            self._gate, _text(key, "key"), _text(name, "name"), _text(cookie, "cookie")
        )
        self._done(result, f"unlock({name!r}, {cookie!r})", key)

    def _undo_lock(self, key: str, name: str, cookie: str, flags: int) -> None:
        """Gives back a lock that was taken for somebody who has left, whatever becomes of it. Works
        through a closed context, too, which the caller has to hold."""
        if number(flags, "flags", *UINT8) & RENEWING:
            # it may have been held before, by one who goes on relying on it
            return
        gate = self._beside()
        lib.rados_unlock(gate, _text(key, "key"), _text(name, "name"), _text(cookie, "cookie"))

    def break_lock(self, key: str, name: str, client: str, cookie: str) -> None:
        """Takes a lock from another client, which is not told.

        Parameters:
            client: who holds it, as list_lockers names it: ``client.4123``.

        Raises ObjectNotFound (it does not hold that one), InvalidArgumentError (the client's
        name), TypeError. Implements: rados_break_lock
        """
        result = lib.rados_break_lock(
            self._gate,
            _text(key, "key"),
            _text(name, "name"),
            _text(client, "client"),
            _text(cookie, "cookie"),
        )
        self._done(result, f"break_lock({name!r}, {client!r}, {cookie!r})", key)

    def list_lockers(self, key: str, name: str) -> dict[str, Any]:
        """Who holds a lock.

        Returns a dict: tag (str), exclusive (bool), lockers (list of (client, cookie, address)).

        Raises ObjectNotFound (no such object), TypeError. Implements: rados_list_lockers
        """
        oid, lock = _text(key, "key"), _text(name, "name")
        exclusive = ffi.new("int *")
        sizes = [ffi.new("size_t *", size) for size in (256, 1024, 1024, 1024)]
        while True:
            buffers = [ffi.new("char[]", size[0]) for size in sizes]
            result = lib.rados_list_lockers(
                self._gate,
                oid,
                lock,
                exclusive,
                *(part for pair in zip(buffers, sizes) for part in pair),
            )
            if result != -ERANGE:
                break
        self._done(int(result), f"list_lockers({name!r})", key)
        tag, *lists = buffers
        columns = [strings(buffer, size[0]) for buffer, size in zip(lists, sizes[1:])]
        return {
            "tag": string(tag),
            "exclusive": bool(exclusive[0]),
            "lockers": list(zip(*columns))[:result],
        }
