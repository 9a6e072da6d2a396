"""Updates of an image as a stream, and hooks around its snapshots."""

from __future__ import annotations

import asyncio
import inspect
import math
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, Callable

import anyio
from anyio.lowlevel import checkpoint

from rbdcffi._callbacks import report
from rbdcffi._errors import ECANCELED, answer_of
from rbdcffi._ffi import lib
from rbdcffi._handle import leave_behind
from rbdcffi.aio._loops import in_trio
from rbdcffi.aio._offload import offload_alone
from rbdcffi.rbd.watching import HOOKS, Registration

if TYPE_CHECKING:
    from rbdcffi.rbd import Image


async def _next(registration: Registration) -> int:
    """The next event. Cancelling loses none."""
    await checkpoint()
    while True:
        event = registration.next()
        if event != lib.RBDCFFI_EVENT_NONE:
            return event
        await anyio.wait_readable(registration.fd)


class Updates(AsyncIterator[None]):
    """A step for every change of aio.Image.updates; also an asynchronous context manager."""

    def __init__(self, image: Image) -> None:
        #: the stream ends with its image
        self._image = image
        self._registration = Registration(image, lib.RBDCFFI_WATCH_UPDATES, "updates")

    def __aiter__(self) -> Updates:
        return self

    async def __anext__(self) -> None:
        if await _next(self._registration) == lib.RBDCFFI_EVENT_ENDED:
            raise StopAsyncIteration

    async def aclose(self) -> None:
        """Ends the stream; idempotent."""
        self._registration.close()

    async def __aenter__(self) -> Updates:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()

    def __del__(self, leave_behind: Any = leave_behind) -> None:
        registration: Registration | None = getattr(self, "_registration", None)
        if registration is not None and not registration.closed:
            leave_behind(registration)


class QuiesceHooks:
    """The hooks of aio.Image.quiesce_hooks, for as long as its ``async with`` lasts."""

    def __init__(
        self, image: Image, on_quiesce: Callable[[], Any], on_unquiesce: Callable[[], Any]
    ) -> None:
        for name, hook in zip(HOOKS, (on_quiesce, on_unquiesce)):
            if not callable(hook):
                raise TypeError(
                    f"Image.quiesce_hooks of {image!s}: {name} must be callable, "
                    f"not {type(hook).__name__}"
                )
        self._image = image
        self._on_quiesce = on_quiesce
        self._on_unquiesce = on_unquiesce
        self._registration: Registration | None = None

    @property
    def closed(self) -> bool:
        """Whether there will be no more calls."""
        return self._registration is None or self._registration.closed

    async def __aenter__(self) -> QuiesceHooks:
        if self._registration is not None:
            raise RuntimeError("these hooks are, or were, in use")
        self._registration = Registration(self._image, lib.RBDCFFI_WATCH_QUIESCE, "quiesce_hooks")
        self._tasks = anyio.create_task_group()
        try:
            await self._tasks.__aenter__()
        except BaseException:
            self._registration.close()
            raise
        self._tasks.start_soon(self._serve, self._registration, name="rbdcffi quiesce hooks")
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        assert self._registration is not None
        with anyio.CancelScope(shield=True):
            await offload_alone(self._registration.close)
        self._tasks.cancel_scope.cancel()
        # without the error of the body, which the group would wrap
        await self._tasks.__aexit__(None, None, None)

    async def _serve(self, registration: Registration) -> None:
        frozen = False
        try:
            while True:
                event = await _next(registration)
                if event == lib.RBDCFFI_EVENT_ENDED:
                    return
                if event == lib.RBDCFFI_EVENT_QUIESCE:
                    frozen = await self._freeze(registration)
                elif frozen:
                    frozen = False
                    await self._thaw()
        finally:
            if frozen:
                await self._thaw()

    async def _freeze(self, registration: Registration) -> bool:
        """Whether it worked."""
        result = -ECANCELED
        try:
            await _call(self._on_quiesce)
            result = 0
        except BaseException as error:
            if _is_mine(error):
                raise
            result = answer_of(error)
            report(error)
        finally:
            # also when it was cancelled: whoever makes the snapshot waits for an answer
            registration.answer(result)
        return result == 0

    async def _thaw(self) -> None:
        with anyio.CancelScope(shield=True):
            try:
                await _call(self._on_unquiesce)
            except BaseException as error:
                if _is_mine(error):
                    raise
                report(error)


def _is_mine(error: BaseException) -> bool:
    """Whether an exception out of a hook is meant for the task that called it: not if the hook
    failed, nor if it awaited another task that was cancelled."""
    if isinstance(error, Exception):
        return False
    if not isinstance(error, anyio.get_cancelled_exc_class()) or in_trio():
        return True
    if anyio.current_effective_deadline() == -math.inf:
        return True
    # Python before 3.11 does not tell who was cancelled
    cancelling = getattr(asyncio.current_task(), "cancelling", None)
    return cancelling is None or cancelling() > 0


async def _call(hook: Callable[[], Any]) -> None:
    result = hook()
    if inspect.isawaitable(result):
        await result
