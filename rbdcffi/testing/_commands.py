"""What one can do to a cluster with Ceph's command-line tools alone."""

from __future__ import annotations

import json as json_module
import re
import shlex
import time
from collections.abc import Iterable, Sequence
from typing import Any, Literal, overload

from ._tools import ClusterError, complaint, environment, run


class Commands:
    """The commands of a cluster that is known by its ceph.conf."""

    @property
    def conf(self) -> str:
        """The path of the cluster's ceph.conf."""
        raise NotImplementedError

    def env(self) -> dict[str, str]:
        """A copy of os.environ whose CEPH_CONF leads every Ceph client to this cluster."""
        return environment(self.conf)

    def run(self, *command: str, timeout: float = 60.0, input: str | None = None) -> str:
        """Run one of Ceph's tools (``cluster.run("rbd", "ls")``) and return what it prints.

        Raises ClusterError with its error output if it fails or takes more than `timeout` seconds.
        """
        return run(command, conf=self.conf, timeout=timeout, input=input).stdout

    @overload
    def ceph(self, *args: str, json: Literal[False] = False, timeout: float = 60.0) -> str: ...

    @overload
    def ceph(self, *args: str, json: Literal[True], timeout: float = 60.0) -> Any: ...

    def ceph(self, *args: str, json: bool = False, timeout: float = 60.0) -> Any:
        """Run the ceph command and return what it prints, without the final newline.

        With ``json=True`` the output is asked for in JSON and returned decoded. A call takes about
        0.3 s, most of it the start of the command. Raises ClusterError as ``run`` does.
        """
        if not json:
            return self.run("ceph", *args, timeout=timeout).rstrip("\n")
        return json_module.loads(self.run("ceph", "--format=json", *args, timeout=timeout))

    def create_pool(self, name: str, pg_num: int = 8, application: str = "rbd") -> None:
        """Create a replicated pool, of the cluster's default size, for this application."""
        self._ceph_batch(_pool_commands(name, pg_num, application))

    def remove_pool(self, name: str) -> None:
        """Remove a pool and all it holds; nothing if there is no such pool."""
        self.ceph("osd", "pool", "rm", name, name, "--yes-i-really-really-mean-it")

    def pools(self) -> list[str]:
        """The names of all pools."""
        return self.run("rados", "lspools").splitlines()

    def wait_active(self, *pools: str, timeout: float = 60.0) -> None:
        """Wait until every placement group of these pools (default: of all pools) serves I/O.

        Raises ClusterError if one does not within `timeout` seconds.
        """
        deadline = time.monotonic() + timeout
        for pool in pools or self.pools():
            # A listing visits every placement group, and waits for each. It needs no mgr.
            self.run("rados", "-p", pool, "ls", timeout=max(deadline - time.monotonic(), 0.1))

    def wait_healthy(self, timeout: float = 60.0) -> None:
        """Wait until all OSDs are up and every placement group serves I/O.

        If there is a mgr, also until every placement group is active+clean: without one, nobody
        can tell. Raises ClusterError if that takes more than `timeout` seconds.
        """
        deadline = time.monotonic() + timeout
        while True:
            status = self.ceph("status", json=True, timeout=timeout)
            missing = _unhealthy(status)
            if not missing:
                break
            if time.monotonic() > deadline:
                raise ClusterError(f"the cluster is not healthy after {timeout:g} s: {missing}")
            time.sleep(0.2)
        self.wait_active(timeout=max(deadline - time.monotonic(), 0.1))

    def _ceph_batch(self, commands: Iterable[Sequence[str]]) -> str:
        """Run many ceph commands in one process: the start of it is what takes the time."""
        lines = "".join(shlex.join(command) + "\n" for command in commands)
        done = run(["ceph"], conf=self.conf, input=lines)
        # In this mode an error does not show in the exit code.
        if re.search(r"^(Error|Invalid command|no valid command)", done.stderr, re.MULTILINE):
            raise ClusterError(f"`ceph` failed: {complaint(done)}\nin one of:\n{lines}")
        return done.stdout


def _pool_commands(name: str, pg_num: int, application: str) -> list[list[str]]:
    return [
        ["osd", "pool", "create", name, str(pg_num)],
        ["osd", "pool", "application", "enable", name, application],
    ]


def _unhealthy(status: Any) -> str:
    """What is missing to health in `ceph status`; "" if nothing is."""
    osds = status["osdmap"]
    osds = osds.get("osdmap", osds)  # Ceph 14 has it one level down
    if osds["num_up_osds"] < osds["num_osds"]:
        return f"{osds['num_up_osds']} of {osds['num_osds']} OSDs are up"
    if status["mgrmap"].get("available"):
        groups = status["pgmap"]
        clean = sum(
            state["count"]
            for state in groups["pgs_by_state"]
            if {"active", "clean"} <= set(state["state_name"].split("+"))
        )
        if clean < groups["num_pgs"]:
            return f"{clean} of {groups['num_pgs']} placement groups are active+clean"
    return ""
