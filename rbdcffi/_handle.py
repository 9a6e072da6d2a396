"""The life of C handles: open, closing, closed; parents and children; what happens at exit.

The gate that lets calls in and counts them is C (cdefs/handle.c): the wrappers around the C
functions enter it on their own, so a closed handle is an error and never a crash. This module
decides when and in which order handles are closed. It knows nothing of async: safety holds for
plain threads.
"""

from __future__ import annotations

import atexit
import collections
import os
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Callable, Protocol

from rbdcffi._errors import refusal
from rbdcffi._ffi import PYPY, ffi, lib

#: How long exit waits for calls that are still running, in seconds.
EXIT_TIMEOUT = 30.0

_SLICE = 100  # milliseconds between two looks at pending signals while waiting


class NotCopyable:
    """Something that stands for a C handle: a copy would close it under the original."""

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise TypeError(f"{self!r} cannot be copied or pickled")


class Child(Protocol):
    """Something that must be closed before the handle it was adopted by."""

    def close(self) -> object: ...

    def entered(self) -> bool: ...


class Handle:
    """One C handle: a cluster, an I/O context or an image.

    `gate` is what C functions are given. Parents know their open children and close them first;
    handles know nothing of the objects that users hold, so that those can be collected.
    """

    __slots__ = (
        "__weakref__",
        "_children",
        "_destroy",
        "_lock",
        "_parent",
        "gate",
        "given_up",
        "kind",
        "label",
    )

    def __init__(
        self, kind: int, raw: Any, label: str, destroy: Callable[[Any], Any], parent: Handle | None
    ) -> None:
        self.kind = kind
        self.label = label
        self.gate = ffi.new("struct rbdcffi_handle *")
        lib.rbdcffi_handle_init(self.gate, kind, raw)
        self._destroy = destroy
        self._lock = threading.RLock()
        self._children: dict[Child, None] = {}
        self._parent = parent
        #: calls that nobody waits for any more; see give_up
        self.given_up = 0
        if parent is None:
            _roots[self] = None
            _closer.start()

    # -- state ---------------------------------------------------------------------------------

    def check(self, what: str) -> None:
        """Raises if calls are refused; for functions that cannot report it."""
        state = lib.rbdcffi_handle_state(self.gate)
        if state < 0:
            raise refusal(self.kind, (lib.RBDCFFI_REFUSED - state) % 16, f"{what} on {self.label}")

    @property
    def closed(self) -> bool:
        return bool(lib.rbdcffi_handle_state(self.gate) < 0)

    @property
    def forked(self) -> bool:
        """Whether the handle belongs to a parent of this process."""
        state = lib.rbdcffi_handle_state(self.gate)
        return bool(state < 0 and (lib.RBDCFFI_REFUSED - state) % 16 == lib.RBDCFFI_FORKED)

    def entered(self) -> bool:
        """Whether this thread is inside a call on the handle or on one of its children."""
        return bool(lib.rbdcffi_handle_entered(self.gate)) or any(
            child.entered() for child in list(self._children)
        )

    @contextmanager
    def held(self, what: str) -> Iterator[None]:
        """Keeps the handle open for several calls."""
        if lib.rbdcffi_handle_hold(self.gate) < 0:
            self.check(what)
        try:
            yield
        finally:
            lib.rbdcffi_handle_drop(self.gate)

    # -- family --------------------------------------------------------------------------------

    def open_child(
        self, kind: int, label: str, opener: Callable[[], Any], destroy: Callable[[Any], Any]
    ) -> Handle:
        """Opens a handle that must not outlive this one. `opener` returns the raw handle."""
        reap()
        with self.held(f"open {label}"):
            child = Handle(kind, opener(), label, destroy, self)
            self.adopt(child)
        return child

    def adopt(self, child: Child) -> None:
        """Makes closing this handle close `child` first."""
        self._children[child] = None
        if self.closed:
            # close() may have looked at its children before this one was there
            child.close()
            self.check("open")

    def disown(self, child: Child) -> None:
        self._children.pop(child, None)

    # -- end -----------------------------------------------------------------------------------

    def close(self, deadline: float | None = None) -> int:
        """Bars the entrance, closes the children, waits for the last call, destroys the handle.

        Idempotent, and safe from any thread; in a forked child it does nothing. Returns the result
        of the C function. With a `deadline` (time.monotonic) it gives up then, with TimeoutError.
        With a call inside that its caller gave up (Ctrl-C, a cancelled task) it does not wait: the
        handle is closed when that call returns.
        """
        if self.forked:
            return 0
        if self.entered():
            raise refusal(self.kind, lib.RBDCFFI_REENTERED, f"close {self.label}")
        lib.rbdcffi_handle_shut(self.gate)
        with self._lock:
            self._close_children(deadline)
            patience = 0 if self.given_up or deadline == 0 else _SLICE
            while not lib.rbdcffi_handle_drained(self.gate, patience):
                if self.given_up:
                    return 0
                if deadline is not None and time.monotonic() > deadline:
                    raise TimeoutError(f"{self.label} is still in use")
            self._close_children(deadline)
            result = self._destroy(self.gate)
            if self._parent is None:
                _roots.pop(self, None)
            else:
                self._parent.disown(self)
        return 0 if result is None or result <= lib.RBDCFFI_REFUSED else int(result)

    def give_up(self) -> None:
        """A call on the handle goes on in the background, and nobody waits for it any more."""
        with _giving_up:
            self.given_up += 1

    def taken_back(self) -> None:
        """A call that was given up has returned: closes the handle if that had to wait for it."""
        with _giving_up:
            self.given_up -= 1
        if self.closed and not self.given_up:
            self.close()

    def _close_children(self, deadline: float | None) -> None:
        while self._children:
            for child in reversed(list(self._children)):
                if isinstance(child, Handle):
                    child.close(deadline)
                else:
                    child.close()
                self._children.pop(child, None)

    def abandon(self, owner: str, warn: bool = True) -> None:
        """The object that owned the handle was collected without having been closed."""
        if self.closed:
            return
        # PyPy calls finalizers late, on any thread; and a finalizer may run inside of a callback,
        # where closing would wait for itself. Then the next open, close or exit closes it.
        _orphans.append(self)
        if not PYPY and not lib.rbdcffi_thread_entered():
            reap()
        if warn:
            warnings.warn(
                f"unclosed {owner} {self.label}", ResourceWarning, stacklevel=3, source=self
            )


#: Not the handle's lock: a close() that waits for a call holds that until the call is given up.
_giving_up = threading.Lock()
#: Open clusters.
_roots: dict[Handle, None] = {}
#: Handles whose owners are gone.
_orphans: collections.deque[Handle] = collections.deque()


def reap() -> None:
    """Closes the handles whose owners were collected.

    Never waits for calls that are still inside of one, such as a connect() that was given up: the
    thread that happens to reap has nothing to do with them. They stay for the next time.
    """
    for _ in range(len(_orphans)):
        try:
            orphan = _orphans.popleft()
        except IndexError:
            return
        try:
            orphan.close(deadline=0)
        except TimeoutError:
            _orphans.append(orphan)
        except Exception as error:
            # nobody is there to be told; the one who happens to reap did nothing wrong
            print(f"rbdcffi: cannot close the abandoned {orphan.label}: {error}", file=sys.stderr)


class _Closer:
    """A thread that is there to close everything at exit, when none can be started any more.

    Closing an image writes back what is cached; on a cluster that hangs it would never end, and
    neither would the process.
    """

    def __init__(self) -> None:
        self._process = 0
        self._go = threading.Event()
        self._done = threading.Event()

    def start(self) -> None:
        if self._process != os.getpid():
            self._process = os.getpid()
            self._go, self._done = threading.Event(), threading.Event()
            threading.Thread(target=self._run, name="rbdcffi-exit", daemon=True).start()

    def _run(self) -> None:
        go, done = self._go, self._done
        go.wait()
        deadline = time.monotonic() + EXIT_TIMEOUT
        for root in list(_roots):
            try:
                root.close(deadline)
            except TimeoutError:
                return  # the one who waits says so
            except Exception as error:
                print(f"rbdcffi: cannot close {root.label} at exit: {error}", file=sys.stderr)
        done.set()

    def close_all(self) -> bool:
        """Whether everything is closed, within EXIT_TIMEOUT."""
        self._go.set()
        return self._done.wait(EXIT_TIMEOUT + 1)


_closer = _Closer()


@atexit.register
def close_all() -> None:
    """At exit: nobody gets in any more, calls in flight finish, everything is closed in order."""
    if not _roots or _closer._process != os.getpid():
        return
    if not _closer.close_all():
        print(
            f"rbdcffi: the cluster does not answer, or calls are still running after "
            f"{EXIT_TIMEOUT:.0f} s; leaving it open at exit",
            file=sys.stderr,
        )
        lib.rbdcffi_forget_operations()
