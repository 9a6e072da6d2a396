"""What librados tells on its own threads, as it comes out of C; see cdefs/notices.c."""

from __future__ import annotations

import select
from typing import Any, Callable, NamedTuple

from rbdcffi._callbacks import report
from rbdcffi._ffi import NULL, ffi, lib

#: How many notices wait in C for whoever is too slow, if nothing else is said.
CAPACITY = 1024


class Notice(NamedTuple):
    """One of RBDCFFI_NOTICE_*; see struct rbdcffi_notice."""

    kind: int
    error: int
    numbers: tuple[int, int, int]
    data: bytes


class Receiver:
    """Where C puts notices. Knows nothing of those who take them, so that they can be collected."""

    def __init__(self) -> None:
        self.raw = ffi.new("struct rbdcffi_notices *", {"fd": -1})

    @property
    def fd(self) -> int:
        """Readable when there is a notice, and for good after the end."""
        return int(self.raw.fd)

    @property
    def ended(self) -> bool:
        return bool(lib.rbdcffi_notices_ended(self.raw))

    def take(self) -> Notice | None:
        """The next notice, None if there is none."""
        notice = lib.rbdcffi_notices_next(self.raw)
        if notice == NULL:
            return None
        try:
            numbers = notice.numbers
            return Notice(
                notice.kind,
                notice.error,
                (numbers[0], numbers[1], numbers[2]),
                bytes(ffi.buffer(notice.data, notice.length)),
            )
        finally:
            lib.rbdcffi_notice_free(notice)

    def end(self) -> None:
        """There will be no more notices; idempotent, never waits."""
        lib.rbdcffi_notices_end(self.raw)

    def __del__(self, free: Any = lib.rbdcffi_notices_free) -> None:
        raw = getattr(self, "raw", None)  # Ctrl-C may have come before
        if raw is not None:
            free(raw)


def serve(receiver: Receiver, take: Callable[[Notice], object]) -> None:
    """Gives each notice to a function, until the end; the work of a thread. What the function
    raises is reported. It must not keep its owner from being collected."""
    poll = select.poll()
    poll.register(receiver.fd, select.POLLIN)
    while True:
        poll.poll()
        notice = receiver.take()
        if notice is None:
            if receiver.ended:
                return
            continue
        try:
            take(notice)
        except BaseException as error:
            report(error)
