"""The two bindings to compare."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from string import ascii_lowercase
from typing import Any, NamedTuple

import pytest

from rbdcffi import rados, rbd
from rbdcffi.testing import Cluster

from . import programs, scenarios
from .harness import ALONE, FRAGILE, Side

# imported for their scenarios
assert programs.ALL and scenarios.ALL

TESTS = str(Path(__file__).parents[1])
OURS = str(Path(rbd.__file__).parents[2])
#: Seconds that the standard binding may take for one scenario.
PATIENCE = 120
#: How often a scenario is tried that kills the standard binding: many do on a busy machine.
TRIES = 5


class Worker:
    """A process that runs scenarios: with the standard binding, if not told otherwise."""

    def __init__(self, python: str, *arguments: str) -> None:
        self._log = tempfile.TemporaryFile("w+")
        self._process = subprocess.Popen(
            [python, "-W", "ignore", "-m", "parity.worker", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([TESTS, OURS])},
        )
        try:
            self.about = self._answer("start")
        except BaseException:
            self.close()
            raise

    def run(self, name: str) -> dict[str, Any]:
        assert self._process.stdin is not None
        # if it is dead already, its log says why
        with suppress(BrokenPipeError):
            self._process.stdin.write(f"{name}\n".encode())
            self._process.stdin.flush()
        return self._answer(name)

    def _answer(self, what: str) -> dict[str, Any]:
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], PATIENCE)
        line = self._process.stdout.readline() if ready else b""
        if not line:
            how = f"did not answer within {PATIENCE} s"
            if ready:
                with suppress(subprocess.TimeoutExpired):
                    how = f"ended with {self._process.wait(timeout=5)}"
            self._log.seek(0)
            raise ChildProcessError(f"the process {how} ({what}):\n{self._log.read()[-3000:]}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def died(self) -> bool:
        """Whether the process was ended by a signal."""
        try:
            return self._process.wait(timeout=5) < 0
        except subprocess.TimeoutExpired:
            return False

    def close(self) -> None:
        for stream in (self._process.stdin, self._process.stdout, self._log):
            if stream is not None:
                with suppress(BrokenPipeError):
                    stream.close()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


@pytest.fixture(scope="session")
def python_of_standard() -> str:
    """A Python that has the standard binding: the one of the test run, or the system's."""
    errors = []
    for python in (sys.executable, "/usr/bin/python3"):
        try:
            Worker(python).close()
        except (ChildProcessError, FileNotFoundError) as error:
            last = str(error).strip().splitlines()[-1]
            errors.append(f"{python}: {last}")
        else:
            return python
    pytest.skip(
        "NO PARITY CHECK: the standard binding (python3-rbd, python3-rados) cannot be imported: "
        + "; ".join(errors)
    )


class Records(NamedTuple):
    """What a scenario did with the standard binding, and with ours."""

    standard: dict[str, str]
    ours: dict[str, str]
    called: set[str]
    #: what ended the scenario early: with the standard binding, with ours
    stopped: tuple[str | None, str | None]


class Bindings:
    """Runs scenarios on both bindings, each of them once."""

    def __init__(self, python: str, conf: str, new_pool: Callable[[], str]) -> None:
        self._new_pool = new_pool
        self._arguments = (python, conf, new_pool())
        self._standard: Worker | None = None
        self.ours = Side(rbd, rados, conf, new_pool(), may_stop=True)
        self._records: dict[str, Records] = {}

    def run_apart(self, name: str, ours: bool) -> tuple[dict[str, str], bool]:
        """The records of a scenario in a process of its own, and whether that was killed by it."""
        if ours:
            worker = Worker(sys.executable, self._arguments[1], self.ours.pool, "ours")
        else:
            worker = Worker(*self._arguments)
        try:
            steps: dict[str, str] = worker.run(name)["steps"]
            return steps, False
        except ChildProcessError:
            return {}, worker.died()
        finally:
            worker.close()

    @property
    def standard(self) -> Worker:
        if self._standard is None:
            self._standard = Worker(*self._arguments)
        return self._standard

    def run(self, name: str) -> Records:
        if name not in self._records:
            # at the same time: either waits for the cluster more than it computes
            with ThreadPoolExecutor(1) as executor:
                running = executor.submit(self._run_standard, name, TRIES)
                if name in ALONE:
                    running.exception()
                ours = self.ours.run(name)
                standard = running.result()
            self._records[name] = Records(
                standard["steps"],
                ours["steps"],
                {*standard["called"], *ours["called"]},
                (standard["stopped"], ours["stopped"]),
            )
        return self._records[name]

    def _run_standard(self, name: str, tries: int) -> dict[str, Any]:
        try:
            return self.standard.run(name)
        except ChildProcessError:
            broken, self._standard = self.standard, None
            killed = broken.died()
            broken.close()
            if tries == 1 or not killed:
                raise
        if name not in FRAGILE:
            # what it has left behind is in the way
            self._arguments = (*self._arguments[:2], self._new_pool())
        return self._run_standard(name, tries - 1)

    def close(self) -> None:
        if self._standard is not None:
            self._standard.close()
        self.ours.close()


@pytest.fixture(scope="session")
def bindings(python_of_standard: str, ceph_cluster: Cluster, ceph_conf: str) -> Iterator[Bindings]:
    """Both bindings, connected, with a pool each."""
    pools: list[str] = []

    def new_pool() -> str:
        # names of equal length, as they are parts of results
        pool = f"parity-{ascii_lowercase[len(pools)]}-{os.getpid()}"
        ceph_cluster.create_pool(pool)
        pools.append(pool)
        return pool

    try:
        both = Bindings(python_of_standard, ceph_conf, new_pool)
        try:
            yield both
        finally:
            both.close()
    finally:
        for pool in pools:
            ceph_cluster.remove_pool(pool)
