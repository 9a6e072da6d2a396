"""Runs scenarios on one of the two bindings, and writes down what their calls do.

This module and the scenarios are also imported by the process that runs the standard binding (see
worker.py): they need nothing but the standard library.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Callable

MIB = 1 << 20

#: What a call does whose method is not there, as in standard bindings of older releases.
ABSENT = "-- no such method"

Scenario = Callable[["Recorder"], None]

#: {name: function} of all scenarios
SCENARIOS: dict[str, Scenario] = {}
#: Those whose only call kills the process of the standard binding: {name: in these releases}.
DEADLY: dict[str, tuple[int, ...]] = {}
#: Those that kill it now and then: see `fragile`.
FRAGILE: set[str] = set()
#: Those that the two bindings do not run at the same time: see `alone`.
ALONE: set[str] = set()


def scenario(function: Scenario) -> Scenario:
    """Registers a scenario under the name of its function."""
    name = function.__name__
    assert name not in SCENARIOS, f"two scenarios are called {name}"
    SCENARIOS[name] = function
    return function


def deadly(*releases: int) -> Callable[[Scenario], Scenario]:
    """Registers a scenario of one call that the standard binding does not survive: that of some
    releases of Ceph, or that of any.
    """

    def register(function: Scenario) -> Scenario:
        DEADLY[function.__name__] = releases or (14, 16, 18, 20)
        return scenario(function)

    return register


def fragile(function: Scenario) -> Scenario:
    """Registers a scenario that the standard binding does not survive each time.

    It changes nothing in the cluster, so that it can be tried again.
    """
    FRAGILE.add(function.__name__)
    return scenario(function)


def alone(function: Scenario) -> Scenario:
    """Registers a scenario that changes what the whole cluster has once."""
    ALONE.add(function.__name__)
    return scenario(function)


class Side:
    """One binding, connected to the cluster, with a pool of its own."""

    def __init__(
        self,
        rbd: Any,
        rados: Any,
        conf: str,
        pool: str,
        trace: Callable[[str], object] = lambda label: None,
        may_stop: bool = False,
    ) -> None:
        self.rbd = rbd
        self.rados = rados
        self.conf = conf
        self.pool = pool
        #: called with the label of each call, before it is made
        self.trace = trace
        #: a scenario may use what the binding of an older release does not have
        self.may_stop = may_stop
        self.cluster = rados.Rados(conffile=conf)
        self.cluster.connect()
        self.ioctx = self.cluster.open_ioctx(pool)

    def run(self, name: str) -> dict[str, Any]:
        """What the calls of a scenario did, which methods they were, and what ended it early."""
        recorder = Recorder(self, name)
        stopped = None
        try:
            SCENARIOS[name](recorder)
        except Exception as error:
            if not self.may_stop:
                raise
            stopped = f"{type(error).__name__}: {error}"
        finally:
            recorder.close()
        return {"steps": recorder.steps, "called": sorted(recorder.called), "stopped": stopped}

    def close(self) -> None:
        self.ioctx.close()
        self.cluster.shutdown()


class Recorder:
    """What a scenario is given: the binding, names of its own, and a way to record calls."""

    def __init__(self, side: Side, name: str) -> None:
        self.side = side
        self.rbd = side.rbd
        self.rados = side.rados
        self.conf = side.conf
        self.cluster = side.cluster
        self.ioctx = side.ioctx
        self.RBD = side.rbd.RBD()
        self.scenario = name
        #: {call as text: outcome as text}, in the order of the calls
        self.steps: dict[str, str] = {}
        #: names of the methods that were called, as in "Image.read"
        self.called: set[str] = set()
        self._prefix = ""
        self._closeable: list[Any] = []

    # -- recording -----------------------------------------------------------------------------

    def do(
        self,
        target: Any,
        method: str,
        /,
        *args: Any,
        _show: Callable[[Any], Any] | None = None,
        **kwargs: Any,
    ) -> Any:
        """Calls a method, or a function of a module, and records what it did.

        `_show` makes a stable value of a result that is not the same for each call, or has to be
        looked into. Returns the result, None after an exception; images, contexts and connections
        are closed at the end of the scenario.
        """
        parts = [self._argument(arg) for arg in args]
        parts += [f"{key}={self._argument(value)}" for key, value in kwargs.items()]
        label = f"{method}({', '.join(parts)})"
        if not hasattr(target, method):
            return self.note(label, ABSENT)
        self.called.add(f"{type(target).__name__}.{method}")
        result: Any = None

        def call() -> Any:
            nonlocal result
            result = getattr(target, method)(*args, **kwargs)
            if type(result).__name__ in ("Image", "Ioctx", "Rados") and result is not target:
                self._closeable.append(result)
            return result if _show is None else _show(result)

        self.attempt(label, call)
        return result

    def attempt(self, label: str, function: Callable[[], Any]) -> None:
        """Records what a function returns or raises, under a label."""
        self.side.trace(f"{self._prefix}{label}")
        try:
            outcome = f"-> {self._value(function())}"
        except Exception as error:
            outcome = f"!! {self._error(error)}"
        self.note(label, outcome)

    def note(self, label: str, outcome: Any) -> None:
        """Records something under a label; a label that is there already gets a number."""
        label = unique = self._stable(f"{self._prefix}{label}")
        number = 1
        while unique in self.steps:
            number += 1
            unique = f"{label} #{number}"
        self.steps[unique] = outcome if isinstance(outcome, str) else self._value(outcome)

    @contextmanager
    def part(self, title: str) -> Iterator[None]:
        """Puts a title before the labels of some steps."""
        before = self._prefix
        self._prefix = f"{before}{title}: "
        try:
            yield
        finally:
            self._prefix = before

    # -- things to work on ---------------------------------------------------------------------

    def name(self, suffix: str = "a") -> str:
        """A name that only this scenario uses, the same with either binding."""
        return f"{self.scenario}-{suffix}"

    def create(self, suffix: str = "a", size: int = 8 * MIB, **options: Any) -> str:
        """Creates an image, unrecorded; returns its name."""
        name = self.name(suffix)
        self.RBD.create(self.ioctx, name, size, **options)
        return name

    def open(self, name: str, **options: Any) -> Any:
        """Opens an image, unrecorded; it is closed at the end of the scenario."""
        return self.keep(self.rbd.Image(self.ioctx, name, **options))

    def new(self, suffix: str = "a", size: int = 8 * MIB, **options: Any) -> Any:
        """Creates and opens an image."""
        return self.open(self.create(suffix, size, **options))

    def connect(self) -> Any:
        """Another connection to the cluster."""
        cluster = self.keep(self.rados.Rados(conffile=self.conf))
        cluster.connect()
        return cluster

    def keep(self, closeable: Any) -> Any:
        """Closes something at the end of the scenario."""
        self._closeable.append(closeable)
        return closeable

    def close(self) -> None:
        """Closes what the scenario opened, the last one first."""
        while self._closeable:
            one = self._closeable.pop()
            if hasattr(one, "shutdown"):
                one.shutdown()
            else:
                one.close()

    # -- as text -------------------------------------------------------------------------------

    def _stable(self, text: str) -> str:
        text = text.replace(self.side.pool, "<pool>").replace(self.conf, "<conf>")
        return text.replace(f"{self.scenario}-", "")

    def _argument(self, value: Any) -> str:
        if callable(value):
            return str(getattr(value, "__name__", type(value).__name__))
        if isinstance(value, (bytes, str)) and len(value) > 50:
            return f"{value[:4]!r}*{len(value)}"
        if type(value).__module__ != "builtins" or type(value) in (memoryview, object):
            return type(value).__name__
        return repr(value)

    def _value(self, value: Any) -> str:
        kind = type(value)
        if kind in (list, tuple):
            items = [self._value(item) for item in value]
            return f"[{', '.join(items)}]" if kind is list else f"({', '.join(items)})"
        if kind is dict:
            return "{" + ", ".join(f"{k!r}: {self._value(v)}" for k, v in value.items()) + "}"
        if kind is bytes and len(value) > 64:
            return f"bytes*{len(value)} {hashlib.sha256(value).hexdigest()[:16]}"
        if kind is str:
            return repr(self._stable(value))
        if kind in (int, bool, float, bytes, type(None)):
            return repr(value)
        if isinstance(value, type):
            return f"<class {value.__name__}>"
        if isinstance(value, time.struct_time):
            return "<struct_time>"
        return f"<{kind.__name__}>"

    def _error(self, error: Exception) -> str:
        for module, title in ((self.rbd, "rbd."), (self.rados, "rados.")):
            if isinstance(error, module.Error):
                return f"{title}{type(error).__name__} errno {getattr(error, 'errno', None)}"
        return type(error).__name__


def kind(value: Any) -> type:
    """For `_show`: the type is all that is the same."""
    return type(value)


def nonempty(value: Any) -> tuple[type, bool]:
    """For `_show`: the type, and whether there is something."""
    return type(value), bool(value)


def masked(*keys: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """For `_show`: a dict whose values for `keys` are not the same for each call."""

    def show(value: dict[str, Any]) -> dict[str, Any]:
        return {key: type(item) if key in keys else item for key, item in value.items()}

    return show


def snaps(value: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """For `_show`: snapshots without their ids."""
    return [masked("id")(snap) for snap in value]
