"""One daemon of a test cluster: a mon, an OSD, a mgr or an rbd-mirror."""

from __future__ import annotations

import json
import os
import signal
import socket
import struct
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ._tools import ClusterError, launch, tail
from ._watchdog import CONF


class Daemon:
    """A running (or paused, or dead) process of the cluster.

    Made by ``Cluster``. Only the process that started the cluster may control its daemons: in a
    forked child every method that does so raises ClusterError.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        directory: str,
        ready: Callable[[Daemon], bool],
        timeout: float,
    ) -> None:
        self.name = name  # "mon.a", "osd.0", "mgr.x", "rbd-mirror.x"
        self.log = os.path.join(directory, f"{name}.log")
        self._command = command
        self._conf = os.path.join(directory, CONF)
        self._output = os.path.join(directory, f"{name}.out")
        self._socket = os.path.join(directory, f"{name}.asok")
        self._ready = ready
        self._timeout = timeout
        self._owner = os.getpid()
        self._process: subprocess.Popen[bytes] | None = None

    def __repr__(self) -> str:
        process = self._process
        state = "running" if self.running else "not running"
        return f"<Daemon {self.name} {state}, pid {process.pid if process else None}>"

    @property
    def pid(self) -> int:
        """The process id; of the last process if the daemon is dead."""
        if self._process is None:
            raise ClusterError(f"{self.name} was never started")
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the process exists. A paused one does."""
        return self._process is not None and self._process.poll() is None

    def start(self, wait: bool = True) -> None:
        """Start the daemon and wait until it is ready; nothing if it is running.

        Raises ClusterError with the end of its log if it does not become ready.
        """
        self._check_owner()
        if not self.running:
            # What a killed process left behind would make us ask a socket nobody listens on.
            Path(self._socket).unlink(missing_ok=True)
            # an rbd-mirror reads it again for each connection to its own cluster, and not from -c
            self._process = launch(self._command, self._output, self._conf)
        if wait:
            self.wait_ready()

    def wait_ready(self, timeout: float | None = None) -> None:
        """Wait until the daemon does its work (by default for the cluster's start timeout).

        Ready is: a mon in a quorum, an OSD that the mons have marked up, an active mgr, an
        rbd-mirror that answers. Raises ClusterError with the end of its log if it ends or is not
        ready after `timeout` seconds.
        """
        limit = self._timeout if timeout is None else timeout
        deadline = time.monotonic() + limit
        while not self._is_ready():
            if not self.running:
                assert self._process is not None
                reason = f"ended with status {self._process.returncode}"
            elif time.monotonic() > deadline:
                reason = f"is not ready after {limit:g} s"
            else:
                time.sleep(0.02)
                continue
            raise ClusterError(f"{self.name} {reason}\n{tail(self._output, self.log)}".rstrip())

    def _is_ready(self) -> bool:
        try:
            return self.running and self._ready(self)
        except (OSError, ValueError, KeyError):  # not listening yet, or not able to answer yet
            return False

    def pause(self) -> None:
        """Stop the process with SIGSTOP: it keeps its connections and answers nothing."""
        self._signal(signal.SIGSTOP)
        self._wait_paused()

    def resume(self) -> None:
        """Let a paused process go on, with SIGCONT."""
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """End the process with SIGKILL and wait for its end; nothing if it is dead.

        A bluestore OSD keeps its data; a memstore OSD loses them, and with a single copy of them
        the pools' placement groups are gone for good.
        """
        self._check_owner()
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def terminate(self, timeout: float = 10.0) -> None:
        """End the process in good order (SIGTERM) and wait for its end; nothing if it is dead.

        Resumes it first if it is paused; SIGKILLs it if it has not ended after `timeout` seconds.
        """
        self._check_owner()
        process = self._process
        if process is None:
            return
        process.terminate()
        process.send_signal(signal.SIGCONT)
        try:
            process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()

    def restart(self) -> None:
        """Terminate the daemon unless it is dead, start it again and wait until it is ready."""
        self.terminate()
        self.start()

    def admin(self, command: str, timeout: float = 5.0, **arguments: object) -> Any:
        """Give a command to the daemon's admin socket and return its answer, decoded from JSON;
        None if it has nothing to say.

        Raises OSError (TimeoutError after `timeout` seconds) if the daemon does not answer.
        """
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(timeout)
            connection.connect(self._socket)
            connection.sendall(json.dumps({"prefix": command, **arguments}).encode() + b"\0")
            (length,) = struct.unpack("!I", _receive(connection, 4))
            answer = _receive(connection, length)
        return json.loads(answer) if answer else None

    def _disown(self) -> None:
        """Forget the process: it may outlive us."""
        if self._process is not None and self._process.poll() is None:
            self._process.returncode = 0  # or Popen warns that it is still running
            self._process = None

    def _check_owner(self) -> None:
        if os.getpid() != self._owner:
            raise ClusterError(f"{self.name} belongs to process {self._owner}, not to this fork")

    def _signal(self, number: int) -> None:
        self._check_owner()
        if not self.running:
            raise ClusterError(f"{self.name} is not running")
        os.kill(self.pid, number)

    def _wait_paused(self) -> None:
        # The signal stops thread after thread: one that still runs could answer a client.
        tasks = Path(f"/proc/{self.pid}/task")
        deadline = time.monotonic() + 5.0
        while not all(_task_state(task) in "TtXZ" for task in tasks.iterdir()):
            if time.monotonic() > deadline:
                raise ClusterError(f"{self.name} does not stop on SIGSTOP")
            time.sleep(0.001)


def _task_state(task: Path) -> str:
    try:
        # "pid (name) S ...", where the name may hold blanks and parentheses
        return (task / "stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return "X"


def _receive(connection: socket.socket, length: int) -> bytes:
    data = b""
    while len(data) < length:
        part = connection.recv(length - len(data))
        if not part:
            raise ConnectionResetError("the admin socket was closed in the middle of an answer")
        data += part
    return data
