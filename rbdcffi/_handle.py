"""The life of C handles: open, closing, closed; parents and children; what happens at exit.

The gate that lets calls in and counts them is C (cdefs/handle.c): the wrappers around the C
functions enter it on their own, so a closed handle is an error and never a crash. This module
decides when and in which order handles are closed. It knows nothing of async: safety holds for
plain threads.
"""

from __future__ import annotations

import atexit
import collections
import importlib
import os
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from typing import Any, Callable, Protocol

from rbdcffi._calls import calling
from rbdcffi._errors import refusal
from rbdcffi._ffi import PYPY, ffi, lib
from rbdcffi._threads import Flag, start_thread

#: How long exit waits for calls that are still running, in seconds.
EXIT_TIMEOUT = 30.0
#: Seconds that a finalizer, or who comes next, waits for what nobody closed.
REAP_TIMEOUT = 10.0
#: Seconds between two tries to close an image that cannot be written back, when a try ends at once.
LONGEST_PAUSE = 1.0
#: Seconds that an opening waits for that image to be written back and closed.
GHOST_PATIENCE = 10.0

#: Tells PyPy's collector of so many bytes: it knows only of Python's objects, which are small, and
#: would not look for a thousand images that nobody has any more.
weigh: Callable[[int], object] = (
    importlib.import_module("__pypy__").add_memory_pressure if PYPY else lambda size: None
)
#: Of threads it counts that they are there, more than what memory they have; a cluster has ten.
THREAD_WEIGHT = 1 << 20
_WEIGHTS = {
    lib.RBDCFFI_CLUSTER: 12 << 20,
    lib.RBDCFFI_IOCTX: 2 << 10,
    lib.RBDCFFI_IMAGE: 512 << 10,
}

_PATIENCE = 1000  # milliseconds that exit waits for callbacks that run when it is to leave
_SLICE = 100  # milliseconds between two looks at pending signals while waiting


class NotCopyable:
    """Something that stands for a C handle: a copy would close it under the original."""

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise TypeError(f"{self!r} cannot be copied or pickled")


class Child(Protocol):
    """Something that must be closed before the handle it was adopted by."""

    def close(self) -> object: ...

    def entered(self) -> bool: ...


def stay() -> Any:
    """For ``with``: what keeps a handle open for several calls, once a function has begun it.

    cffi ends it, without a bytecode that Ctrl-C could come before.
    """
    return ffi.gc(ffi.new("struct rbdcffi_stay *"), lib.rbdcffi_stay_end)


class Owner(Protocol):
    """An object of the user that has a handle, and closes it when it is collected."""

    _handle: Handle | None


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
        if parent is not None:
            lib.rbdcffi_handle_joins(self.gate, parent.gate)
        weigh(_WEIGHTS[kind])
        self._destroy = destroy
        self._lock = threading.RLock()
        self._children: dict[Child, None] = {}
        self._parent = parent
        #: calls that nobody waits for any more; see give_up
        self.given_up = 0
        if parent is None:
            # first, since Ctrl-C may come between: exit waits for who closes the roots
            _closer.start()
            _roots[self] = None

    # -- state ---------------------------------------------------------------------------------

    def check(self, what: str) -> None:
        """Raises if calls are refused; for functions that cannot report it."""
        state = lib.rbdcffi_handle_state(self.gate)
        if state < 0:
            if self._name().rstrip("'") not in what:
                # it may say that already, with a namespace behind the pool
                what = f"{what} on {self.label}"
            raise refusal(self.kind, (lib.RBDCFFI_REFUSED - state) % 16, what)

    def _name(self) -> str:
        """As the calls of the user name it: "'rbd/disk'" of "image 'rbd/disk'"."""
        return self.label.partition(" ")[2]

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

    def hold(self, staying: Any, what: str) -> None:
        """Keeps the handle open for several calls, until `staying`, a stay(), ends."""
        if lib.rbdcffi_stay_begin(staying, self.gate) < 0:
            self.check(what)

    def replace(self, raw: Any, what: str) -> None:
        """Puts another C handle in the place of this one, which is destroyed."""
        other = ffi.new("struct rbdcffi_handle *")
        lib.rbdcffi_handle_init(other, self.kind, raw)
        try:
            if lib.rbdcffi_handle_swap(self.gate, other) < 0:
                self.check(what)
        finally:
            lib.rbdcffi_handle_shut(other)
            self._destroy(other)

    # -- family --------------------------------------------------------------------------------

    def open_child(
        self,
        kind: int,
        label: str,
        opener: Callable[[], Any],
        destroy: Callable[[Any], Any],
        owner: Owner | None = None,
    ) -> Handle:
        """Opens a handle that must not outlive this one. `opener` returns the raw handle.

        `owner` has the handle from the start: a signal handler may raise before it could take what
        is returned here, and then its finalizer closes the handle.
        """
        reap()
        with stay() as staying:
            self.hold(staying, f"open {label}")
            child = Handle(kind, opener(), label, destroy, self)
            if owner is not None:
                owner._handle = child
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

    def children(self) -> list[Child]:
        """Those that are open."""
        return list(self._children)

    def has_images(self) -> bool:
        """Whether some of them are images."""
        children = self._children
        return bool(children) and any(
            isinstance(child, Handle) and child.kind == lib.RBDCFFI_IMAGE
            for child in list(children)
        )

    # -- end -----------------------------------------------------------------------------------

    def close(self, deadline: float | None = None) -> None:
        """Bars the entrance, closes the children, waits for the last call, destroys the handle.

        Idempotent, and safe from any thread; in a forked child it does nothing. With a
        `deadline` (time.monotonic) it gives up then, with TimeoutError. With a call inside that its
        caller gave up (Ctrl-C, a cancelled task) it does not wait: the handle is closed when that
        call returns.
        """
        if self.bar():
            self.tell(self.finish(deadline))

    def tell(self, result: int) -> None:
        """What finish() has returned, where there is nobody to raise it to."""
        if result < 0:
            reason = os.strerror(-result)
            print(f"rbdcffi: {self.label} was closed unflushed: {reason}", file=sys.stderr)

    def bar(self) -> bool:
        """The first part of close(), which never waits. Whether there is a second one."""
        if self.forked:
            return False
        if self.entered():
            call = calling()
            what = call if self._name() in call else f"close {self.label}"
            raise refusal(self.kind, lib.RBDCFFI_REENTERED, what)
        lib.rbdcffi_handle_shut(self.gate)
        return True

    def finish(self, deadline: float | None = None) -> int:
        """The second part of close(), on any thread. Returns the result of the C function."""
        # whoever has this done on another thread may not have come to barring it
        lib.rbdcffi_handle_shut(self.gate)
        # another thread may be closing it, on a cluster that hangs
        patience = -1 if deadline is None else max(0.0, deadline - time.monotonic())
        if not self._lock.acquire(timeout=patience):
            raise TimeoutError(f"{self.label} is still being closed")
        try:
            return self._finish(deadline)
        finally:
            self._lock.release()

    def _finish(self, deadline: float | None) -> int:
        self._close_children(deadline)
        patience = 0 if self.given_up or deadline == 0 else _SLICE
        while not lib.rbdcffi_handle_drained(self.gate, patience):
            if self.given_up:
                return 0
            if deadline is not None and time.monotonic() > deadline:
                raise TimeoutError(f"{self.label} is still in use")
        if self.given_up:
            # nobody is in here, but in a child that could not be closed for the same reason
            return 0
        self._close_children(deadline)
        result = int(self._destroy(self.gate) or 0)
        if lib.RBDCFFI_REFUSED < result < 0 and not lib.rbdcffi_handle_destroyed(self.gate):
            # of an image: what was written cannot be written back now
            self.give_up()
            self._insist()
            return result
        if self._parent is None:
            _roots.pop(self, None)
        else:
            self._parent.disown(self)
        return 0 if result <= lib.RBDCFFI_REFUSED else result

    def _insist(self) -> None:
        """Destroys the handle in the background, as soon as C lets go of it.

        A try that has waited for the cluster is followed by the next at once: what is written so
        late is then the first that a cluster does that comes back, and not the last.
        """

        def run() -> None:
            pause = 0.1
            while not lib.rbdcffi_handle_destroyed(self.gate):
                begun = time.monotonic()
                self._destroy(self.gate)
                if time.monotonic() - begun < pause:
                    time.sleep(pause)
                    pause = min(2 * pause, LONGEST_PAUSE)
            _ghosts.pop(self, None)
            self.taken_back()

        _ghosts[self] = self._fsid()
        try:
            start_thread(run, name="rbdcffi-close")
        except RuntimeError:
            pass  # the interpreter is on its way out, and leaves it open

    def _fsid(self) -> bytes:
        fsid = ffi.new("char[]", 37)
        lib.rbdcffi_family_fsid(self.gate, fsid, 37)
        return bytes(ffi.string(fsid))

    def wait_for_ghosts(self, label: str, patience: float = GHOST_PATIENCE) -> None:
        """Waits until an image of that name which was closed is written back, so that this is not
        done after something newer is written. For who is about to open it, with a handle of the
        same cluster."""
        if not _ghosts:
            return
        deadline = time.monotonic() + patience
        fsid = self._fsid()
        while any(ghost.label == label and of == fsid for ghost, of in list(_ghosts.items())):
            if time.monotonic() > deadline:
                raise refusal(lib.RBDCFFI_IMAGE, lib.RBDCFFI_UNWRITTEN, f"open {label}")
            time.sleep(0.01)

    def give_up(self) -> None:
        """A call on the handle goes on in the background, and nobody waits for it any more."""
        with _giving_up:
            for handle in self._line():
                handle.given_up += 1

    def taken_back(self) -> None:
        """A call that was given up has returned: closes the handle if that had to wait for it."""
        for handle in self._line():
            with _giving_up:
                handle.given_up -= 1
            if handle.closed and not handle.given_up:
                handle.close()

    def _line(self) -> Iterator[Handle]:
        """The handle and its parents: a call on it is inside of them, too."""
        handle: Handle | None = self
        while handle is not None:
            yield handle
            handle = handle._parent

    def _close_children(self, deadline: float | None) -> None:
        while self._children:
            for child in reversed(list(self._children)):
                if isinstance(child, Handle):
                    child.close(deadline)
                else:
                    child.close()
                self._children.pop(child, None)

    def abandon(self, owner: str, warn: bool = True, state: Any = lib.rbdcffi_handle_state) -> None:
        """The object that owned the handle was collected without having been closed."""
        # at the very end, when exit has closed what it could, the names of this module are gone
        # (without a GIL, CPython keeps what modules hold until then)
        if state(self.gate) < 0 or _orphans is None:
            return
        _orphan(self)
        if warn:
            warnings.warn(
                f"unclosed {owner} {self.label}", ResourceWarning, stacklevel=3, source=self
            )


#: Images that are closed, but not yet written back, and the cluster's fsid.
_ghosts: dict[Handle, bytes] = {}
#: Not the handle's lock: a close() that waits for a call holds that until the call is given up.
_giving_up = threading.Lock()
#: Open clusters; importlib.reload keeps them, for the exit to close.
_roots: dict[Handle, None] = globals().get("_roots", {})
#: Whether exit has left some of them open.
_left_open = False


class _Orphan(Protocol):
    label: str

    def close(self, deadline: float | None = None) -> object: ...


#: What has lost its owner: handles, watches.
_orphans: collections.deque[_Orphan] = collections.deque()


def _orphan(orphan: _Orphan) -> None:
    # PyPy calls finalizers late, on any thread; and a finalizer may run inside of a callback,
    # where closing would wait for itself. Then the next open, close or exit closes it.
    _orphans.append(orphan)
    if not PYPY and not lib.rbdcffi_thread_entered():
        reap()


def leave_behind(orphan: _Orphan, warning: str | None = None, source: object = None) -> None:
    """The object that owned a child of a handle was collected without having been closed."""
    _orphan(orphan)
    if warning is not None:
        warnings.warn(warning, ResourceWarning, stacklevel=3, source=source)


def reap() -> None:
    """Closes what has lost its owner, and waits for that, but not for ever: the thread that happens
    to reap has nothing to do with it, and may be in a finalizer. What takes longer goes on alone.
    """
    if not _orphans or _left_open:
        return
    if sys.is_finalizing():
        # no other thread runs any more; starting one would wait for it for ever before Python 3.12
        _reap()
        return
    done = Flag()
    try:
        start_thread(_reap, done, name="rbdcffi-reap")
    except RuntimeError:
        # no more threads, or the interpreter is ending
        _reap()
    else:
        done.wait(REAP_TIMEOUT)


def _reap(done: Flag | None = None) -> None:
    """Never waits for calls that are still inside of an orphan, such as a connect() that was given
    up: it stays for the next time."""
    for _ in range(len(_orphans)):
        try:
            orphan = _orphans.popleft()
        except IndexError:
            break
        try:
            orphan.close(deadline=0)
        except TimeoutError:
            _orphans.append(orphan)
        except Exception as error:
            # nobody is there to be told; the one who happens to reap did nothing wrong
            print(f"rbdcffi: cannot close the abandoned {orphan.label}: {error}", file=sys.stderr)
    if done is not None:
        done.set()


class _Closer:
    """A thread that is there to close everything at exit, when none can be started any more.

    Closing an image writes back what is cached; on a cluster that hangs it would never end, and
    neither would the process.
    """

    def __init__(self) -> None:
        self._process = 0
        self._go = Flag()
        self._done = Flag()

    def start(self) -> None:
        if self._process != os.getpid():
            go, done = Flag(), Flag()
            start_thread(self._run, go, done, name="rbdcffi-exit")
            # Ctrl-C may come before: the next one starts another thread then
            self._go, self._done = go, done
            self._process = os.getpid()

    def _run(self, go: Flag, done: Flag) -> None:
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


_closer: _Closer = globals().get("_closer") or _Closer()


def _after_fork() -> None:
    # another thread may have held it when the process was copied
    global _giving_up
    _giving_up = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


@atexit.register
def close_all() -> None:
    """At exit: nobody gets in any more, calls in flight finish, everything is closed in order."""
    if not _roots or _closer._process != os.getpid():
        return
    global _left_open
    answered = False
    try:
        answered = _closer.close_all()
        if not answered:
            print(
                f"rbdcffi: the cluster does not answer, or calls are still running after "
                f"{EXIT_TIMEOUT:.0f} s; leaving it open at exit",
                file=sys.stderr,
            )
    finally:
        # also when Ctrl-C ended the wait
        if not answered or _roots:
            # calls are still running, some of them of nobody who waits
            _left_open = True
            lib.rbdcffi_end_callbacks(_PATIENCE)
            lib.rbdcffi_forget_operations()
