"""Find and end the daemons of a cluster directory; as a program, once their owner is gone.

As a program (``python _watchdog.py OWNER_PID DIRECTORY [--keep]``) it waits until its parent is
no longer the owner, which is how the end of a process shows even after ``kill -9``, then ends the
daemons and removes the directory. It is run by its path, in isolated mode, so that it works
whatever the owner's ``sys.path`` is: this file may import nothing but the standard library.

Daemons are found through /proc, not through pid files: a pid file does not exist yet while a
daemon starts, and may name a stranger after the daemon has died.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time

#: Every cluster directory holds this file; a directory without it is never removed.
MARKER = ".rbdcffi-testing"
CONF = "ceph.conf"

POLL = 0.5  # seconds between two looks at the owner
#: Also the order in which they are ended.
_PROGRAMS = ("rbd-mirror", "ceph-osd", "ceph-mgr", "ceph-mon")


def is_cluster(directory: str) -> bool:
    """Whether `directory` was made by rbdcffi.testing."""
    return os.path.isfile(os.path.join(directory, MARKER))


def find_daemons(directory: str) -> dict[int, str]:
    """The living daemons of this cluster directory, {pid: "osd.0"}, in the order to end them.

    A daemon is one of ceph-mon, ceph-osd, ceph-mgr, rbd-mirror running with
    ``-c DIRECTORY/ceph.conf`` in the same file system root as ours (a container may use the same
    path for something else).
    """
    conf = os.path.join(directory, CONF)
    found: list[tuple[int, str, int]] = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/cmdline", "rb") as file:
                words = os.fsdecode(file.read()).split("\0")
            program = os.path.basename(words[0])
            if program not in _PROGRAMS or _option(words, "-c") != conf:
                continue
            if not os.path.samefile(f"/proc/{entry}/root", "/"):
                continue
        except OSError:  # it has just ended, or is somebody else's
            continue
        if program == "rbd-mirror":  # a client, whose id is all of its name
            name = _option(words, "--id") or ""
        else:
            name = f"{program[len('ceph-') :]}.{_option(words, '-i')}"
        found.append((_PROGRAMS.index(program), name, int(entry)))
    return {pid: name for _, name, pid in sorted(found)}


def kill_daemons(directory: str, timeout: float = 10.0) -> None:
    """SIGKILL the daemons of this cluster directory, paused ones too, and wait for their end.

    Raises TimeoutError if one is still there after `timeout` seconds.
    """
    deadline = time.monotonic() + timeout
    while True:
        daemons = find_daemons(directory)
        if not daemons:
            return
        if time.monotonic() > deadline:
            raise TimeoutError(f"daemons of {directory} survive SIGKILL: {daemons}")
        for pid in daemons:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        time.sleep(0.02)


def remove_directory(directory: str) -> None:
    """Remove a cluster directory. Raises ValueError if it is not one."""
    if not is_cluster(directory):
        raise ValueError(f"{directory} is not a directory of rbdcffi.testing (no {MARKER} in it)")
    # A client may still be writing its log: what reappears is removed in the second round.
    for _ in range(2):
        shutil.rmtree(directory, ignore_errors=True)


def _option(words: list[str], option: str) -> str | None:
    for word, value in zip(words, words[1:]):
        if word == option:
            return value
    return None


def main(owner: int, directory: str, keep: bool) -> None:
    """Wait for the end of the process `owner`, our parent; then end its cluster."""
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    while os.getppid() == owner:
        time.sleep(POLL)
    kill_daemons(directory)
    time.sleep(0.1)  # a daemon may have been between fork and exec in the first round
    kill_daemons(directory)
    if not keep and is_cluster(directory):
        remove_directory(directory)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], "--keep" in sys.argv[3:])
