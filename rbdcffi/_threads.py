"""Threads and events for those whom a signal handler may interrupt.

Those of the threading module are Python code: an exception that a signal handler raises in it
leaves locks locked, or becomes another one ("release unlocked lock").
"""

from __future__ import annotations

import _thread
import threading
from typing import Any, Callable


def start_thread(target: Callable[..., object], *args: Any, name: str) -> None:
    """Starts a daemon thread. Raises RuntimeError if there can be no more.

    If a signal handler raises meanwhile, the thread runs `target` or never begins.
    """
    thread = threading.Thread(target=target, args=args, name=name, daemon=True)
    if threading.get_ident() != threading.main_thread().ident:
        thread.start()  # signals are for the main thread
        return
    begun = Flag()
    _thread.start_new_thread(_begin, (thread, begun, target, args))
    # many that begin and do not get to run would be in the way; no thread runs at the very end
    begun.wait(5)


def _begin(
    thread: threading.Thread, begun: Flag, target: Callable[..., object], args: tuple[Any, ...]
) -> None:
    # this thread is never interrupted; but threading does not know it
    try:
        thread.start()
    except RuntimeError:
        # no more threads: there is one already
        begun.set()
        target(*args)
    else:
        begun.set()


class Flag:
    """Says once that something has happened, to any number of threads: threading.Event, but each
    waiter has a lock of its own, so that set() always returns."""

    __slots__ = ("_set", "_waiters")

    def __init__(self) -> None:
        self._set = False
        #: locked; those of waiters who have left do no harm
        self._waiters: list[threading.Lock] = []

    def is_set(self) -> bool:
        """Whether it has happened."""
        return self._set

    def set(self) -> None:
        """It has happened: wakes those who wait."""
        # in this order, and the other one in wait(): either sees what the other does
        self._set = True
        while self._waiters:
            try:
                waiter = self._waiters.pop()
            except IndexError:
                return
            waiter.release()

    def wait(self, timeout: float | None = None) -> bool:
        """Waits for it, at most `timeout` seconds. Returns whether it has happened."""
        if self._set:
            return True
        waiter = threading.Lock()
        waiter.acquire()
        self._waiters.append(waiter)
        return self._set or waiter.acquire(timeout=-1 if timeout is None else timeout) or self._set
