"""Passphrases and keys on their way to C.

A Secret takes the place of what the user gave, in the arguments of a call and in what it is passed
on to: so it is not in messages, and not in tracebacks that show local variables. Its memory is C's,
and is wiped when the call is over, or when the last reference goes: also after Ctrl-C, when C goes
on alone.

What the user gave is the user's: a str or bytes stays in Python's memory until it is collected, and
the libraries make copies of their own. SECURITY.md says what that means.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any, Callable

from rbdcffi._ffi import NULL, ffi, lib


def _encoded(text: str) -> bytes:
    return str.encode(text, "utf-8", "surrogateescape")


class Secret:
    """A copy of str (as UTF-8), bytes, bytearray or memoryview; or why there is none.

    Made without raising anything, since a traceback would have the value.
    """

    __slots__ = ("_memory", "_refused")

    def __init__(self, value: object) -> None:
        self._memory: Any = None
        self._refused = ""
        if isinstance(value, str):
            self._take_text(value)
        elif isinstance(value, (bytes, bytearray, memoryview)):
            self._take_bytes(value)
        else:
            self._refused = f"must be a string, not {type(value).__name__}"

    def _take_text(self, value: str) -> None:
        # In small parts, characters unless it is long: Python keeps no copy of the whole, as it
        # would of what value.encode() returns; nor does the exception of what cannot be encoded.
        step = 1 + len(value) // 1024
        starts = range(0, len(value), step)
        size = 0
        try:
            for start in starts:
                size += len(_encoded(value[start : start + step]))
        except UnicodeEncodeError as error:
            self._refused = f"cannot be encoded as UTF-8: {error.reason}"
            return
        text = self._new(size)
        for start in starts:
            part = _encoded(value[start : start + step])
            ffi.memmove(text, part, len(part))
            text += len(part)

    def _take_bytes(self, value: bytes | bytearray | memoryview) -> None:
        try:
            with memoryview(value) as view:
                if view.c_contiguous:
                    ffi.memmove(self._new(view.nbytes), view, view.nbytes)
                else:
                    self._refused = "must be C-contiguous"
        except (BufferError, ValueError) as error:
            self._refused = f"cannot be read: {error}"

    def _new(self, size: int) -> Any:
        memory = lib.rbdcffi_secret_new(size)
        if memory == NULL:
            raise MemoryError(f"no memory for a secret of {size} bytes")
        self._memory = ffi.gc(memory, lib.rbdcffi_secret_free, size)
        return ffi.cast("unsigned char *", memory.text)

    def __repr__(self) -> str:
        return "<secret>"

    @property
    def size(self) -> int:
        """In bytes."""
        return int(self._memory.size)

    def pointer(self, what: str, invalid: Callable[[str], Exception]) -> Any:
        """The ``const char *``, which is good as long as this object; `invalid` makes the error."""
        if self._refused:
            raise invalid(f"{what} {self._refused}")
        return self._memory.text

    def text(self, what: str, invalid: Callable[[str], Exception]) -> Any:
        """The same, for C that reads up to a NUL."""
        pointer = self.pointer(what, invalid)
        if lib.rbdcffi_secret_has_nul(self._memory):
            raise invalid(f"{what} contains a NUL")
        return pointer

    def wipe(self) -> None:
        """The call is over."""
        memory, self._memory = self._memory, None
        if memory is not None:
            ffi.release(memory)

    def __enter__(self) -> Secret:
        return self

    def __exit__(
        self,
        exception: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.wipe()


def hidden(value: object) -> Any:
    """The Secret that an argument is replaced with."""
    return value if isinstance(value, Secret) else Secret(value)


def joined(secrets: Iterable[Secret]) -> Secret:
    """Several, with a NUL behind each. They are wiped."""
    secrets = list(secrets)
    made = Secret(b"")
    text = made._new(sum(secret.size + 1 for secret in secrets))
    at = 0
    for secret in secrets:
        ffi.memmove(text + at, secret._memory.text, secret.size)
        at += secret.size + 1
        secret.wipe()
    return made


def hidden_input(value: Any) -> Any:
    """The Secret of what may be one, or of those in a list or tuple; anything else as it is."""
    if isinstance(value, (list, tuple)):
        return (tuple if isinstance(value, tuple) else list)(map(hidden_input, value))
    return hidden(value) if isinstance(value, (str, bytes, bytearray, memoryview)) else value


def hidden_items(values: Any) -> Any:
    """A list or tuple of secrets. What is none stays as it is."""
    return list(map(hidden, values)) if isinstance(values, (list, tuple)) else values


def hidden_values(values: Any) -> Any:
    """A mapping whose values are secrets. What is no mapping stays as it is."""
    if not isinstance(values, Mapping):
        return values
    return {key: hidden(value) for key, value in values.items()}


class Options(dict[str, str]):
    """Options that are kept for later; their values are not shown."""

    def __repr__(self) -> str:
        return f"<options {', '.join(map(str, self))}>"


def hidden_specs(specs: Any) -> Any:
    """Pairs whose second is a secret. Of a list or tuple of anything else, what may be one is
    hidden, too; what is no list or tuple stays as it is."""
    if not isinstance(specs, (list, tuple)):
        return specs
    return [
        (spec[0], *map(hidden, spec[1:]))
        if isinstance(spec, (list, tuple)) and spec
        else hidden_input(spec)
        for spec in specs
    ]


def plain(value: object) -> object:
    """A number in messages. Who confuses the order of the arguments gives a secret for it."""
    return value if isinstance(value, int) else "..."
