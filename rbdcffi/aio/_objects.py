"""What all asynchronous objects have in common: opening, closing, offloading."""

from __future__ import annotations

import inspect
from collections.abc import Generator
from typing import Any, Callable, TypeVar

import anyio
from anyio import from_thread
from anyio.lowlevel import current_token

from rbdcffi.aio._offload import offload

Result = TypeVar("Result")
Self = TypeVar("Self", bound="Resource")


def on_loop(callback: Callable[..., Any] | None) -> Callable[..., Any] | None:
    """A callback of the user, plain or async, as one that any thread may call: it runs in the
    event loop that was running here."""
    if callback is None or not callable(callback):
        return callback
    token = current_token()

    async def call(*args: Any) -> Any:
        result = callback(*args)
        return await result if inspect.isawaitable(result) else result

    return lambda *args: from_thread.run(call, *args, token=token)


class Offloading:
    """An object whose methods call those of a synchronous one in worker threads."""

    _limiter: anyio.CapacityLimiter | None = None

    @property
    def sync(self) -> Any:
        """The synchronous object behind this one."""
        raise NotImplementedError

    async def _run(self, function: Callable[..., Result], *args: Any, **kwargs: Any) -> Result:
        return await offload(function, *args, limiter=self._limiter, **kwargs)


class Resource(Offloading):
    """Something that is opened: ``async with thing as t`` and ``t = await thing`` both do."""

    async def _open(self) -> None:
        raise NotImplementedError

    async def _close(self) -> None:
        raise NotImplementedError

    _opening: anyio.Lock | None = None

    async def _open_once(self) -> None:
        if self._opening is None:
            self._opening = anyio.Lock()
        # two tasks may await the same object: the second finds it open
        async with self._opening:
            await self._open()

    def __await__(self: Self) -> Generator[Any, Any, Self]:
        async def opened() -> Self:
            await self._open_once()
            return self

        return opened().__await__()

    async def __aenter__(self: Self) -> Self:
        await self._open_once()
        return self

    async def __aexit__(self, exc_type: object, *exc_info: object) -> None:
        try:
            with anyio.CancelScope(shield=True):
                await self._close()
        except Exception:
            # the error of the body is the one to know
            if exc_type is None:
                raise
