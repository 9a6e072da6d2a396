"""What all asynchronous objects have in common: opening, closing, offloading."""

from __future__ import annotations

import sys
import threading
from collections.abc import Generator
from typing import Any, Callable, TypeVar

import anyio

from rbdcffi._calls import Calling, named
from rbdcffi.aio._loops import in_event_loop
from rbdcffi.aio._offload import offload

Result = TypeVar("Result")
Self = TypeVar("Self", bound="Resource")


def check_object(thing: object, what: str, cls: type, module: str) -> None:
    """Raises TypeError unless an argument is an object of `cls`."""
    if not isinstance(thing, cls):
        raise TypeError(
            named(
                f"{what} must be an {module}.{cls.__name__}, "
                f"not {type(thing).__module__}.{type(thing).__name__}"
            )
        )


class Offloading(Calling):
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

    _sync: Any = None

    async def _open(self) -> None:
        """Opens, unless it is open; raises if it was closed."""
        raise NotImplementedError

    async def _close(self) -> None:
        raise NotImplementedError

    def __del__(
        self,
        Thread: Any = threading.Thread,
        ending: Any = sys.is_finalizing,
        loop: Any = in_event_loop,
    ) -> None:
        # collecting an open handle closes it, which may take long: not in an event loop
        box = [self._sync]
        if box[0] is None or ending() or not loop():
            return
        self._sync = None
        Thread(target=box.clear, name="rbdcffi-collect", daemon=True).start()

    _opening: anyio.Lock | None = None

    async def _open_once(self) -> None:
        # two tasks may await the same object: the second finds it open
        async with self._lock():
            await self._open()

    def _lock(self) -> anyio.Lock:
        if self._opening is None:
            # not before an event loop runs
            self._opening = anyio.Lock()
        return self._opening

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
