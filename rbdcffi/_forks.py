"""What becomes of a process that is forked in a callback.

It has one thread, that of the callback, and none of those that the callback's caller goes on with.
What it does in the callback is its own affair; when the callback returns, it can only end.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import Any, Callable, NoReturn


def called(function: Callable[..., Any], *arguments: Any, by_c: bool = False) -> Any:
    """What a function of the user returns; it does not return in a process that it has forked.

    Parameters:
        by_c: whether the thread would have something to go on with: C, and the program behind it.
    """
    process = os.getpid()
    try:
        result = function(*arguments)
    except BaseException as error:
        if os.getpid() != process:
            _end(error)
        raise
    if os.getpid() != process:
        _end(
            RuntimeError("forked in a callback, a process cannot go on after it") if by_c else None
        )
    return result


def _end(error: BaseException | None) -> NoReturn:
    """As a program ends that does not catch this."""
    code = 0
    if isinstance(error, SystemExit):
        if isinstance(error.code, int):
            code = error.code
        elif error.code is not None:
            print(error.code, file=sys.stderr)
            code = 1
    elif error is not None:
        sys.excepthook(type(error), error, error.__traceback__)
        code = 1
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):
            stream.flush()
    os._exit(code & 0xFF)
