"""Advisory locks, and whether this client owns the exclusive lock."""

from __future__ import annotations

from typing import Any

from rbdcffi._buffers import string, strings
from rbdcffi._errors import ERANGE
from rbdcffi._ffi import ffi, lib
from rbdcffi.rbd._base import ImageBase


class Locks(ImageBase):
    """The part of Image that locks."""

    def is_exclusive_lock_owner(self) -> bool:
        """Whether this client owns the image's managed exclusive lock.

        Raises Error. Implements: rbd_is_exclusive_lock_owner
        """
        owner = ffi.new("int *")
        self._done(lib.rbd_is_exclusive_lock_owner(self._gate, owner), "is_exclusive_lock_owner")
        return bool(owner[0])

    def list_lockers(self) -> dict[str, Any] | list[Any]:
        """The clients that hold the advisory lock.

        Returns a dict: tag (str), exclusive (bool), lockers (list of (client, cookie, address));
        without lockers an empty list, as the standard binding does.

        Raises Error. Implements: rbd_list_lockers
        """
        exclusive = ffi.new("int *")
        sizes = [ffi.new("size_t *", 512) for _ in range(4)]
        while True:
            asked = [size[0] for size in sizes]
            tag, clients, cookies, addrs = (ffi.new("char[]", size) for size in asked)
            result = lib.rbd_list_lockers(
                self._gate,
                exclusive,
                tag,
                sizes[0],
                clients,
                sizes[1],
                cookies,
                sizes[2],
                addrs,
                sizes[3],
            )
            if result != -ERANGE:
                break
        if result < 0:
            raise self._failed(result, "list_lockers")
        if result == 0:
            return []
        lists = (strings(clients, asked[1]), strings(cookies, asked[2]), strings(addrs, asked[3]))
        return {
            "tag": string(tag),
            "exclusive": exclusive[0] == 1,
            "lockers": list(zip(*(values[:result] for values in lists))),
        }

    def lock_exclusive(self, cookie: str) -> None:
        """Takes the advisory lock for this client alone.

        Raises ImageBusy (another client or cookie holds it), ImageExists (this client and cookie
        hold it). Implements: rbd_lock_exclusive
        """
        self._done(
            lib.rbd_lock_exclusive(self._gate, self._name(cookie, "lock_exclusive", "cookie")),
            f"lock_exclusive({cookie!r})",
        )

    def lock_shared(self, cookie: str, tag: str) -> None:
        """Takes the advisory lock together with other clients that use the same tag.

        Raises ImageBusy (it is held exclusively or with another tag), ImageExists (this client
        and cookie hold it). Implements: rbd_lock_shared
        """
        self._done(
            lib.rbd_lock_shared(
                self._gate,
                self._name(cookie, "lock_shared", "cookie"),
                self._name(tag, "lock_shared", "tag"),
            ),
            f"lock_shared({cookie!r}, {tag!r})",
        )

    def unlock(self, cookie: str) -> None:
        """Gives back a lock that this client holds. Raises ImageNotFound. Implements: rbd_unlock"""
        self._done(
            lib.rbd_unlock(self._gate, self._name(cookie, "unlock", "cookie")),
            f"unlock({cookie!r})",
        )

    def break_lock(self, client: str, cookie: str) -> None:
        """Takes a lock from another client, as named by list_lockers(). The cluster may block that
        client's connection.

        Raises ImageNotFound, InvalidArgument. Implements: rbd_break_lock
        """
        self._done(
            lib.rbd_break_lock(
                self._gate,
                self._name(client, "break_lock", "client"),
                self._name(cookie, "break_lock", "cookie"),
            ),
            f"break_lock({client!r}, {cookie!r})",
        )
