"""Advisory locks on objects, held for as long as a block lasts."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any, Callable

import anyio

from rbdcffi._ffi import lib
from rbdcffi.aio._offload import offload, offload_opening
from rbdcffi.rados.errors import Error

if TYPE_CHECKING:
    from rbdcffi.aio.rados import Ioctx


class ObjectLock:
    """A lock of aio.Ioctx.lock_exclusive or lock_shared: ``await`` takes it, ``async with`` takes
    it and gives it back at the end.

    Cancelling leaves at once; a lock that is taken too late is given back, also if the I/O context
    was closed meanwhile. One that may have been held before, because `flags` let it be renewed, is
    not: it may then be held, and last as long as the cancelled call says.
    """

    def __init__(
        self,
        ioctx: Ioctx,
        take: Callable[[], None],
        give: Callable[[], None],
        undo: Callable[[], None],
    ) -> None:
        self._ioctx = ioctx
        self._take = take
        self._give = give
        self._undo = undo

    async def _lock(self) -> None:
        gate = self._ioctx.sync._gate

        def take() -> None:
            # so that it is there for what undoes this, whoever closes it meanwhile
            held = lib.rbdcffi_handle_hold(gate) >= 0
            try:
                self._take()
            except BaseException:
                if held:
                    lib.rbdcffi_handle_drop(gate)
                raise

        def undo(result: object) -> None:
            # nobody waits for this any more
            try:
                self._undo()
            finally:
                lib.rbdcffi_handle_drop(gate)

        await offload_opening(take, undo, self._ioctx.sync._handle)
        lib.rbdcffi_handle_drop(gate)

    def __await__(self) -> Generator[Any, Any, None]:
        return self._lock().__await__()

    async def __aenter__(self) -> ObjectLock:
        await self._lock()
        return self

    async def __aexit__(self, exc_type: object, *exc_info: object) -> None:
        try:
            with anyio.CancelScope(shield=True):
                await offload(self._give, limiter=self._ioctx._limiter)
        except Error:
            # the error of the body is the one to know
            if exc_type is None:
                raise
