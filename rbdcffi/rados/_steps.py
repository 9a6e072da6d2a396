"""Operations of several steps: the C operation's life, and what its steps find.

librados is told where to put the results when a step is added, and fills those places until the
operation has been performed. So they belong to the operation, and are read once, when it is over;
what users hold are copies.
"""

from __future__ import annotations

import copy
import reprlib
import threading
from collections.abc import Mapping
from typing import Any, Callable, Generic, TypeVar

from rbdcffi._calls import Calling, calling, named
from rbdcffi._errors import E2BIG
from rbdcffi._ffi import NULL, ffi
from rbdcffi.rados.errors import LogicError, failed

Value = TypeVar("Value")

BUILDING = "not performed yet"
RUNNING = "being performed"
PERFORMED = "performed"
RELEASED = "released without having been performed"

#: What librados takes at once, in bytes: it adds them up as an int, and ends the process if that is
#: negative.
LONGEST = (1 << 31) - 1
#: What it adds to data for itself, in bytes, at most.
OVERHEAD = 64


class Result(Generic[Value]):
    """What a step of a ReadOp finds.

    ``value`` can be read once the operation has been performed; it stays when the operation is
    released.
    """

    _state = BUILDING
    _error: Exception | None = None
    _value: Value

    # for one whose constructor did not run
    _step = "Result"

    def __init__(self, step: str, code: Any, find: Callable[[], Value], drop: Any = None) -> None:
        self._step = step
        self._code = code
        self._find: Callable[[], Value] | None = find
        self._drop = drop

    @property
    def performed(self) -> bool:
        """Whether there is a value, or an error, to be had."""
        return self._state == PERFORMED

    @property
    def value(self) -> Value:
        """What was found.

        Raises the error of the step, or of the operation if that failed as a whole; LogicError
        as long as it has not been performed.
        """
        if self._state != PERFORMED:
            raise LogicError(f"{self._step}: the operation is {self._state}")
        if self._error is not None:
            # each one who asks gets a traceback of his own
            raise copy.copy(self._error)
        return self._value

    def __repr__(self) -> str:
        if self._state != PERFORMED:
            return f"<{type(self).__name__} of {self._step}, {self._state}>"
        if self._error is not None:
            return f"<{type(self).__name__} of {self._step}, failed>"
        return f"<{type(self).__name__} of {self._step}: {reprlib.repr(self._value)}>"

    def _settle(self, state: str, what: str, error: Exception | None) -> None:
        """The operation is over: takes what C has put down, and gives C's memory back."""
        find, drop = self._find, self._drop
        self._find = self._drop = None
        try:
            if state != PERFORMED or find is None:
                pass
            elif error is not None:
                # a step that came before the one that failed has not found anything to rely on
                self._error = error
            elif self._code[0] < 0:
                self._error = failed(self._code[0], f"{self._step}: {what}")
            else:
                self._value = find()
        except Exception as problem:  # no memory
            self._error = problem
        finally:
            self._state = state
            if drop is not None:
                drop()


class Operation:
    """A rados_write_op_t or rados_read_op_t: its steps are added, it is performed once, released.

    librados protects neither an operation that two threads use nor one that is used again, and
    ends the process when steps are added to one that was released.
    """

    def __init__(self, raw: Any, release: Callable[[Any], None]) -> None:
        if raw == NULL:
            raise MemoryError("librados has no memory for an operation")
        self._raw = raw
        self._release = release
        # a signal handler of the user may run while it is held
        self._lock = threading.RLock()
        self._unwanted = False
        self._results: list[Result[Any]] = []
        self.state = BUILDING
        self.steps = 0
        #: bytes that the steps read, write or compare
        self._bytes = 0

    def add(
        self, function: Any, *args: Any, size: int = 0, result: Result[Any] | None = None
    ) -> None:
        """Adds a step that reads, writes or compares `size` bytes."""
        with self._lock:
            self.check_room(size)
            function(self._raw, *args)
            self.steps += 1
            self._bytes += size
            if result is not None:
                self._results.append(result)

    def check_room(self, size: int) -> None:
        """Raises if a step of `size` bytes cannot be added."""
        with self._lock:
            self._check()
            whole = self._bytes + size
            if whole > LONGEST:
                raise failed(
                    -E2BIG,
                    f"{calling()}: the steps of the operation have {whole} bytes together, and "
                    f"{LONGEST} is the most",
                )

    def flag(self, function: Any, flags: int) -> None:
        """Sets flags of the last step."""
        with self._lock:
            self._check()
            if not self.steps:
                # librados would end the process
                raise LogicError(named("there is no step yet that the flags could belong to"))
            function(self._raw, flags)

    def begin(self) -> Any:
        """The C operation, to be performed now; end() must follow, on any thread."""
        with self._lock:
            self._check()
            self.state = RUNNING
            return self._raw

    def end(self, what: str, error: Exception | None) -> None:
        """It was performed, or failed with this error; `what` was performed, for texts."""
        self._over(PERFORMED, what, error)

    def release(self) -> None:
        """Gives everything back; if it is being performed just now, when that is over."""
        with self._lock:
            if self.state == BUILDING:
                self._over(RELEASED)
            self._unwanted = True

    def _over(self, state: str, what: str = "", error: Exception | None = None) -> None:
        with self._lock:
            raw, self._raw = self._raw, None
            results, self._results = self._results, []
            self.state = state
        # first: until then it knows the places of the results
        if raw is not None:
            self._release(raw)
        for one in results:
            one._settle(state, what, error)

    def _check(self) -> None:
        if self._unwanted:
            raise LogicError(named("the operation was released; create() starts a new one"))
        if self.state == RUNNING:
            raise LogicError(named("the operation is being performed by another call"))
        if self.state == PERFORMED:
            raise LogicError(
                named("the operation was performed already; create() starts a new one")
            )

    def __del__(self) -> None:
        if getattr(self, "_raw", None) is not None:
            self._over(RELEASED)


class Steps(Calling):
    """What WriteOp and ReadOp have in common."""

    # for one whose constructor did not run
    _operation: Operation | None = None

    def _begun(self) -> Operation:
        if self._operation is None:
            raise LogicError(
                named(f"the operation was never created; {type(self).__name__}.create() does that")
            )
        return self._operation

    def _add(self, function: Any, *args: Any, size: int = 0) -> None:
        self._begun().add(function, *args, size=size)

    def _replace(self, operation: Operation | None) -> None:
        before, self._operation = self._operation, operation
        if before is not None:
            before.release()

    def _calling(self, call: str, arguments: Mapping[str, Any] | None = None) -> str:
        return f"{self._shown()}.{call}"

    def __repr__(self) -> str:
        operation = self._operation
        if operation is None:
            return f"<{type(self).__name__}, not created>"
        return f"<{type(self).__name__} of {operation.steps} steps, {operation.state}>"


def new_code() -> Any:
    """Where librados puts the result of one step."""
    return ffi.new("int *")
