"""Results that are lists, fetched in worker threads."""

from __future__ import annotations

import itertools
import threading
from collections import deque
from collections.abc import AsyncIterator, Generator, Iterable, Iterator
from typing import Any, Callable, Generic, TypeVar

from rbdcffi.aio._objects import Offloading

Item = TypeVar("Item")

#: How many items one step fetches; those that C lists at once come at once.
PAGE = 1024


class Listing(Generic[Item]):
    """What a method lists: ``async for item in listing`` fetches it piece by piece, and
    ``items = await listing`` is a list of all. Each begins anew.
    """

    def __init__(self, owner: Offloading, function: Callable[..., Iterable[Item]], *args: Any):
        self._owner = owner
        self._function = function
        self._args = args

    def __await__(self) -> Generator[Any, Any, list[Item]]:
        return self._owner._run(lambda: list(self._function(*self._args))).__await__()

    def __aiter__(self) -> AsyncIterator[Item]:
        return Items(self._owner, self._function, *self._args)


class Items(AsyncIterator[Item]):
    """Fetches page by page; a cancelled step loses nothing."""

    def __init__(
        self, owner: Offloading, function: Callable[..., Iterable[Any]], *args: Any
    ) -> None:
        self._owner = owner
        self._function = function
        self._args = args
        self._items: Iterator[Any] | None = None
        self._lock = threading.Lock()
        self._page: deque[Item] = deque()

    async def __anext__(self) -> Item:
        if not self._page:
            await self._owner._run(self._fetch)
            if not self._page:
                raise StopAsyncIteration
        return self._page.popleft()

    def _fetch(self) -> None:
        """Fills the page; one that was fetched for a cancelled step is there for the next."""
        with self._lock:
            if self._page:
                return
            if self._items is None:
                self._items = iter(self._function(*self._args))
            self._page.extend(self._take(self._items, PAGE))

    def _take(self, items: Iterator[Any], most: int) -> Iterable[Item]:
        """The next page; in a worker thread."""
        return itertools.islice(items, most)
