"""Who watches an image, being told of its changes, and pausing while a snapshot is made."""

from __future__ import annotations

import select
import weakref
from collections.abc import Iterator
from typing import Any, Callable

from rbdcffi._buffers import string
from rbdcffi._callbacks import report
from rbdcffi._calls import Calling
from rbdcffi._errors import ERANGE, EROFS, answer_of
from rbdcffi._ffi import NULL, ffi, lib, needs
from rbdcffi._forks import called
from rbdcffi._handle import THREAD_WEIGHT, NotCopyable, leave_behind, reap, stay, weigh
from rbdcffi._threads import start_thread
from rbdcffi.rbd._base import ImageBase, check_image
from rbdcffi.rbd.errors import ReadOnlyImage

#: The name of the threads that call back.
THREAD = "rbdcffi-watch"


class WatcherIterator(Calling):
    """The clients that watch an image, as they were when it was made; can be iterated over
    repeatedly.

    Yields dicts: addr (str), id (int, of the client), cookie (int, of the watch).

    Implements: rbd_watchers_list, rbd_watchers_list_cleanup
    """

    def __init__(self, image: ImageBase) -> None:
        check_image(image)
        self._watchers: list[dict[str, Any]] = []
        count = ffi.new("size_t *", 10)
        while True:
            watchers = ffi.new("rbd_image_watcher_t[]", count[0])
            result = lib.rbd_watchers_list(image._gate, watchers, count)
            if result != -ERANGE:
                break
        image._done(result, "watchers_list")
        try:
            self._watchers = [
                {"addr": string(found.addr), "id": found.id, "cookie": found.cookie}
                for found in watchers[0 : count[0]]
            ]
        finally:
            lib.rbd_watchers_list_cleanup(watchers, count[0])

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter([dict(watcher) for watcher in self._watchers])


class Registration:
    """A watch as C knows it: a child of its image, which ends it before it closes.

    Knows nothing of those who are called, so that they (and the image) can be collected.
    """

    def __init__(self, image: ImageBase, kind: int, what: str, polled: bool = True) -> None:
        #: whether somebody waits for events, and is to see the end as one
        self._polled = polled
        self.watch = ffi.new("struct rbdcffi_watch *", {"fd": -1})
        self.label = f"watch of image {image._label!r}"
        self._handle = image._handle_for(what)
        if image._read_only:
            # librbd would accept it, and never call
            raise ReadOnlyImage(
                f"{image._calling(what)}: an image that was opened read_only is not told "
                "of anything",
                EROFS,
            )
        with stay() as staying:
            image._done(lib.rbdcffi_stay_enter(staying, image._gate), what)
            image._done(lib.rbdcffi_watch_start(image._gate, self.watch, kind), what)
            self._handle.adopt(self)
        for child in self._handle.children():
            if isinstance(child, Registration) and child.closed:
                child.close()  # librbd may have let go of it now

    @property
    def gate(self) -> Any:
        """That of the image."""
        return self._handle.gate

    @property
    def fd(self) -> int:
        """Readable when there is an event, and for good after the end."""
        return int(self.watch.fd)

    @property
    def closed(self) -> bool:
        return bool(lib.rbdcffi_watch_ended(self.watch))

    def next(self) -> int:
        """The next event, RBDCFFI_EVENT_NONE if there is none."""
        return int(lib.rbdcffi_watch_next(self.watch))

    def answer(self, result: int) -> None:
        """Tells librbd that a quiesce is done, or failed with a negative errno."""
        lib.rbdcffi_watch_answer(self.watch, result)

    def close(self, deadline: float | None = None) -> None:
        """Ends the watch; idempotent. librbd may have it, deaf, until the image is closed."""
        if lib.rbdcffi_watch_end(self.watch) == 0:
            self._handle.disown(self)
            if not self._polled:
                # PyPy's finalizer comes late
                lib.rbdcffi_watch_free(self.watch)

    def entered(self) -> bool:
        # the callbacks run on threads of our own: closing in one is fine
        return False

    def __del__(self, end: Any = lib.rbdcffi_watch_end, free: Any = lib.rbdcffi_watch_free) -> None:
        watch = getattr(self, "watch", None)  # Ctrl-C may have come before
        if watch is not None:
            end(watch)
            free(watch)


class Watch(NotCopyable):
    """A watch of an image; ends with close(), ``with``, or the image.

    Its functions run on a thread of the watch's own, one at a time, never on one of librbd's: they
    may do anything, even close the watch or the image; but what an on_quiesce calls on the image
    must not wait for the snapshot that waits for it: to resize it or to change its snapshots is
    refused there. What they raise goes to threading.excepthook, and the watch goes on.
    """

    # for one whose constructor did not run, or not to its end
    _registration: Registration | None = None
    _image: ImageBase | None = None

    def __init__(self, image: ImageBase, kind: int, what: str, *functions: Any) -> None:
        for name, function in zip(("callback",) if len(functions) == 1 else HOOKS, functions):
            if not callable(function):
                raise TypeError(
                    f"{image._calling(what)}: {name} must be callable, "
                    f"not {type(function).__name__}"
                )
        #: a watch ends with its image
        self._image = image
        self._functions = functions
        reap()
        registration = Registration(image, kind, what)
        self._registration = registration
        weigh(THREAD_WEIGHT)
        try:
            start_thread(_serve, registration, weakref.ref(self), name=THREAD)
        except BaseException:
            registration.close()
            raise

    def __repr__(self) -> str:
        state = "closed" if self.closed else "open"
        label = "no image" if self._image is None else self._image._label
        return f"<{type(self).__name__} of {label} {state}>"

    @property
    def closed(self) -> bool:
        """Whether the watch has ended."""
        return self._registration is None or self._registration.closed

    def close(self) -> None:
        """Ends the watch; idempotent, from any thread. A call that is running is not waited for.

        A snapshot that waits for on_quiesce to return fails with OperationCanceled. If on_quiesce
        has returned and on_unquiesce was not called yet, it is called now.

        Implements: rbd_update_unwatch, rbd_quiesce_unwatch
        """
        if self._registration is not None:
            self._registration.close()

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def __del__(self, leave_behind: Any = leave_behind) -> None:
        registration = self._registration
        if registration is not None and not registration.closed:
            leave_behind(registration, f"unclosed {registration.label}", self)


HOOKS = ("on_quiesce", "on_unquiesce")


def _serve(registration: Registration, watch: weakref.ref[Watch]) -> None:
    """The thread of a watch. It must not keep the watch from being collected while it waits."""
    poll = select.poll()
    poll.register(registration.fd, select.POLLIN)
    thaw: Callable[[], object] | None = None
    while True:
        poll.poll()
        event = registration.next()
        if event == lib.RBDCFFI_EVENT_NONE:
            continue
        if event == lib.RBDCFFI_EVENT_UNQUIESCE or event == lib.RBDCFFI_EVENT_ENDED:
            call, thaw = thaw, None
            if call is not None:
                _call(call)
        if event == lib.RBDCFFI_EVENT_ENDED:
            return
        found = watch()
        if found is None:
            # it was collected just now: it has nothing against a snapshot
            registration.answer(0)
            continue
        functions = found._functions
        del found
        if event == lib.RBDCFFI_EVENT_UPDATED:
            _call(functions[0])
        elif event == lib.RBDCFFI_EVENT_QUIESCE:
            # what would wait for the snapshot is refused meanwhile
            lib.rbdcffi_thread_in_hook(registration.gate)
            result = _call(functions[0])
            lib.rbdcffi_thread_in_hook(NULL)
            if result == 0:
                thaw = functions[1]
            registration.answer(result)
        del functions


def _call(function: Callable[[], object]) -> int:
    """0, or the errno of an exception, which is reported."""
    try:
        called(function)
    except BaseException as error:
        report(error)
        return answer_of(error)
    return 0


class Watching(ImageBase):
    """The part of Image that watches."""

    def watchers_list(self) -> WatcherIterator:
        """The clients that have the image open, but for those that opened it read_only.

        Returns an iterable of dicts: addr (str), id (int, of the client), cookie (int).

        Raises Error. Implements: rbd_watchers_list, rbd_watchers_list_cleanup
        """
        return WatcherIterator(self)

    def update_watch(self, callback: Callable[[], object]) -> Watch:
        """Calls `callback()` whenever the image has changed: its size, its snapshots, its features,
        its metadata, by any client, this one included. Not when data was written.

        What changed is not told. Changes that come while the callback runs are one more call,
        however many they are.

        Returns a Watch: keep it, and close it or use it in ``with``. See there about threads.

        Raises ReadOnlyImage (the image was opened read_only), InvalidArgument, TypeError.
        Implements: rbd_update_watch, rbd_update_unwatch
        """
        return Watch(self, lib.RBDCFFI_WATCH_UPDATES, "update_watch", callback)

    @needs("rbd_quiesce_watch")
    def quiesce_watch(
        self, on_quiesce: Callable[[], object], on_unquiesce: Callable[[], object]
    ) -> Watch:
        """Calls `on_quiesce()` before any client makes a snapshot of the image, and
        `on_unquiesce()` after it: what is in between is the time to hold still.

        The snapshot waits for on_quiesce to return. If it raises, the snapshot fails with the
        errno of the exception (InvalidArgument if it has none, or one that librbd takes for
        something else: EEXIST, EOPNOTSUPP and ERESTART), and on_unquiesce is not called. Whoever
        makes the snapshot can do without all this: RBD_SNAP_CREATE_SKIP_QUIESCE does not ask,
        RBD_SNAP_CREATE_IGNORE_QUIESCE_ERROR does not mind. Every on_quiesce that has returned is
        followed by one on_unquiesce.

        Whoever owns the image's exclusive lock, which is the client that wrote last, may write and
        flush in on_quiesce. Another one must not: it would wait for the lock, and its owner, who
        makes the snapshot, for the hook. And begin when the image has just been opened: librbd 16
        aborts the process if an open image is given its first hooks while some client is in the
        middle of making a snapshot; closing the image at such a moment may, rarely, never return.

        Returns a Watch: keep it, and close it or use it in ``with``. See there about threads.

        Raises ReadOnlyImage (the image was opened read_only), InvalidArgument, TypeError.
        Implements: rbd_quiesce_watch, rbd_quiesce_complete, rbd_quiesce_unwatch
        """
        return Watch(self, lib.RBDCFFI_WATCH_QUIESCE, "quiesce_watch", on_quiesce, on_unquiesce)
