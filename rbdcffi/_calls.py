"""Which call of the user is being made: for the texts of errors.

The stack knows that already. So no method can forget to say its name, the helpers that check
arguments need not be told it, and calls that go well pay nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from types import FrameType
from typing import Any

from rbdcffi._ffi import is_absent


class Calling:
    """An object whose public methods are calls of the user."""

    def _calling(self, call: str, arguments: Mapping[str, Any] | None = None) -> str:
        """The call in errors, as in "Image.write of 'rbd/disk'"."""
        return f"{self._shown()}.{call}"

    def _shown(self) -> str:
        """The documented class that the object is one of, whatever a subclass is called."""
        cls = next((c for c in type(self).__mro__ if _ours(c.__module__)), type(self))
        return cls.__name__

    def __dir__(self) -> list[str]:
        return [name for name in super().__dir__() if not is_absent(type(self), name)]


def _ours(module: object) -> bool:
    return isinstance(module, str) and module.startswith("rbdcffi.")


def calling() -> str:
    """The call that entered the package, '' where none did.

    That is the outermost one: a user who called Image.writev is not told of Image.write. What a
    callback of the user calls has entered on its own.
    """
    found: tuple[Calling, str, Mapping[str, Any]] | None = None
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and _ours(frame.f_globals.get("__name__")):
        name = frame.f_code.co_name
        if name == "__init__" or not name.startswith(("_", "<")):
            owner = frame.f_locals.get("self")
            if isinstance(owner, Calling) and hasattr(type(owner), name):
                found = owner, name, frame.f_locals
        frame = frame.f_back
    if found is None:
        return ""
    owner, name, arguments = found
    if name == "__init__":
        return f"{owner._shown()}()"
    return owner._calling(name, arguments)


def named(reason: str) -> str:
    """A reason why an argument was refused, with the call in front if it does not say it yet."""
    call = calling()
    # "Image.copy" may be followed by its arguments and " of ..."
    if not call or reason.startswith(call.partition(" ")[0].partition("(")[0]):
        return reason
    return f"{call}: {reason}"
