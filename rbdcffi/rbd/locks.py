"""Advisory locks, and the managed lock that librbd takes for a client that writes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rbdcffi._buffers import string, strings
from rbdcffi._calls import Calling
from rbdcffi._errors import ENOENT, ERANGE
from rbdcffi._ffi import ffi, lib
from rbdcffi.rbd._base import ImageBase, check_image


class LockOwnerIterator(Calling):
    """The clients that own an image's managed lock, as they were when it was made; can be iterated
    over repeatedly.

    Yields dicts: mode (RBD_LOCK_MODE_*), owner (str).

    Implements: rbd_lock_get_owners, rbd_lock_get_owners_cleanup
    """

    def __init__(self, image: ImageBase) -> None:
        check_image(image)
        self._owners: list[dict[str, Any]] = []
        mode = ffi.new("rbd_lock_mode_t *")
        count = ffi.new("size_t *", 8)
        while True:
            owners = ffi.new("char *[]", count[0])
            result = lib.rbd_lock_get_owners(image._gate, mode, owners, count)
            if result != -ERANGE:
                break
        if result == -ENOENT:
            return  # nobody
        image._done(result, "lock_get_owners")
        try:
            self._owners = [
                {"mode": int(mode[0]), "owner": string(owner)} for owner in owners[0 : count[0]]
            ]
        finally:
            lib.rbd_lock_get_owners_cleanup(owners, count[0])

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter([dict(owner) for owner in self._owners])


class Locks(ImageBase):
    """The part of Image that locks."""

    def is_exclusive_lock_owner(self) -> bool:
        """Whether this client owns the image's managed exclusive lock.

        Raises Error. Implements: rbd_is_exclusive_lock_owner
        """
        owner = ffi.new("int *")
        self._done(lib.rbd_is_exclusive_lock_owner(self._gate, owner), "is_exclusive_lock_owner")
        return bool(owner[0])

    def lock_acquire(self, lock_mode: int) -> None:
        """Takes the managed lock and keeps it: librbd no longer hands it to clients that ask for
        it, until lock_release() or close().

        Parameters:
            lock_mode: RBD_LOCK_MODE_EXCLUSIVE; or RBD_LOCK_MODE_EXCLUSIVE_TRANSIENT (Ceph 20),
                which gives it away to whoever asks. No release supports RBD_LOCK_MODE_SHARED.

        Waits for the owner to let go of it.

        Raises ReadOnlyImage (the owner keeps it), InvalidArgument (the image has no exclusive-lock
        feature), OperationNotSupported (the mode), TypeError, OverflowError.
        Implements: rbd_lock_acquire
        """
        try:
            result = self._leavable(lib.rbd_lock_acquire, self._gate, lock_mode)
        except (TypeError, OverflowError) as error:
            raise self._bad(error, f"lock_acquire({lock_mode!r})") from None
        self._done(result, f"lock_acquire({lock_mode!r})")

    def lock_release(self) -> None:
        """Gives back the managed lock; librbd then refuses writes on this handle, with
        ReadOnlyImage, until it is acquired again.

        What was written is flushed first: librbd drops what it cannot write back, and says nothing.

        Raises InvalidArgument; what flush() raises, and then the lock is kept.
        Implements: rbd_lock_release, rbd_flush
        """
        if lib.rbdcffi_unflushed(self._gate) and self.is_exclusive_lock_owner():
            self._done(self._leavable(lib.rbd_flush, self._gate), "lock_release")
        self._done(self._leavable(lib.rbd_lock_release, self._gate), "lock_release")

    def lock_get_owners(self) -> LockOwnerIterator:
        """The clients that own the managed lock: none or one.

        Returns an iterable of dicts: mode (RBD_LOCK_MODE_*), owner (str, as lock_break takes it).

        Raises InvalidArgument. Implements: rbd_lock_get_owners, rbd_lock_get_owners_cleanup
        """
        return LockOwnerIterator(self)

    def lock_break(self, lock_mode: int, lock_owner: str) -> None:
        """Takes the managed lock from a client that is gone, or hangs. The cluster may block that
        client's connection.

        Parameters:
            lock_mode: RBD_LOCK_MODE_EXCLUSIVE.
            lock_owner: as named by lock_get_owners().

        Raises InvalidArgument, ImageNotFound, ImageBusy, OperationNotSupported (the mode),
        TypeError, OverflowError. Implements: rbd_lock_break
        """
        owner = self._name(lock_owner, "lock_break", "lock_owner")
        what = f"lock_break({lock_mode!r}, {lock_owner!r})"
        try:
            result = self._leavable(lib.rbd_lock_break, self._gate, lock_mode, owner)
        except (TypeError, OverflowError) as error:
            raise self._bad(error, what) from None
        self._done(result, what)

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

        While it is held, librbd cannot take the exclusive lock of an image that has that feature:
        its writes and flushes wait, also in this process, until unlock().

        Raises ImageBusy (another client or cookie holds it), ImageExists (this client and cookie
        hold it). Implements: rbd_lock_exclusive
        """
        self._done(
            lib.rbd_lock_exclusive(self._gate, self._name(cookie, "lock_exclusive", "cookie")),
            f"lock_exclusive({cookie!r})",
        )

    def lock_shared(self, cookie: str, tag: str) -> None:
        """Takes the advisory lock together with other clients that use the same tag.

        Writes wait as with lock_exclusive().

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
