"""Run Ceph's programs, and say what went wrong when they fail."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

_PACKAGES = {
    "ceph-mon": "ceph-mon",
    "ceph-osd": "ceph-osd",
    "ceph-mgr": "ceph-mgr",
    "monmaptool": "ceph-base",
    "rbd-mirror": "rbd-mirror",
}

# A line of Ceph's log with the level of an error: "DATE TIME THREAD -1 what is wrong".
_ERROR = re.compile(r"^\d{4}-\d\d-\d\d[ T]\S+ +[0-9a-f]+ -1 |FAILED ceph_assert|terminate called")


class ClusterError(RuntimeError):
    """The test cluster could not do what was asked; the message says why."""


def find_program(name: str) -> str:
    """The path of a program of Ceph. Raises ClusterError naming the package that has it."""
    path = os.environ.get("PATH", os.defpath)
    found = shutil.which(name, path=f"{path}:/usr/local/sbin:/usr/sbin:/sbin")
    if found is None:
        package = _PACKAGES.get(name, "ceph-common")
        raise ClusterError(
            f"{name} is not installed. A test cluster needs the Debian packages ceph-mon, ceph-osd"
            f" and ceph-common (and ceph-mgr or rbd-mirror if there is to be one); {name} is in"
            f" {package}"
        )
    return found


def environment(conf: str | None = None) -> dict[str, str]:
    """A copy of os.environ for Ceph's programs: only `conf` decides which cluster they mean."""
    env = {key: value for key, value in os.environ.items() if not key.startswith("CEPH_")}
    if conf is not None:
        env["CEPH_CONF"] = conf
    return env


def _tool_environment(conf: str | None) -> dict[str, str]:
    # The ceph command is a script of the system's Python: our Python's settings must not reach it.
    env = environment(conf)
    return {key: value for key, value in env.items() if not key.startswith("PYTHON")}


def launch(command: Sequence[str], output: str, conf: str | None = None) -> subprocess.Popen[bytes]:
    """Start a long-running program in a session of its own, its output appended to a file.

    CEPH_CONF is `conf` for it.
    """
    with open(output, "ab") as file:
        return subprocess.Popen(
            [find_program(command[0]), *command[1:]],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            env=_tool_environment(conf),
            cwd="/",  # some builds of Ceph look for their plugins relative to it
            start_new_session=True,  # Ctrl-C in the terminal is for the tests, not for the cluster
        )


def run(
    command: Sequence[str],
    *,
    conf: str | None = None,
    timeout: float = 60.0,
    input: str | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a program of Ceph to its end, with CEPH_CONF set to `conf`.

    Raises ClusterError with the program's error output if it fails, and if it takes longer than
    `timeout` seconds (it is killed then).
    """
    shown = " ".join(command)
    try:
        done = subprocess.run(
            [find_program(command[0]), *command[1:]],
            input="" if input is None else input,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            env=_tool_environment(conf),
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ClusterError(f"`{shown}` did not end within {timeout:g} s") from None
    if done.returncode:
        raise ClusterError(f"`{shown}` failed ({done.returncode}): {complaint(done)}")
    return done


def complaint(done: subprocess.CompletedProcess[str]) -> str:
    """What a program that failed had to say."""
    return done.stderr.strip() or done.stdout.strip() or "it printed nothing"


def tail(*paths: str) -> str:
    """The errors in these logs and their last lines, for a message; "" if there are none.

    After a crash the last lines are a dump that says little: the errors are what counts then.
    """
    parts = []
    for path in paths:
        try:
            text = Path(path).read_text(errors="replace")
        except OSError:
            continue
        lines = [line for line in text.splitlines() if line.strip()]
        errors = [line for line in lines[:-10] if _ERROR.search(line)][-15:]
        if lines:
            parts.append("\n".join([f"--- errors and end of {path}:", *errors, *lines[-10:]]))
    return "\n".join(parts)
