"""The files a test cluster starts from: ceph.conf and keyrings; and its ports."""

from __future__ import annotations

import os
import random
import re
import socket
from collections.abc import Mapping
from pathlib import Path

from ._tools import find_program, run
from ._watchdog import CONF

#: What a mgr cannot do without ("always on" in one or all releases of Ceph).
_MGR_MODULES = {
    "balancer",
    "crash",
    "devicehealth",
    "orchestrator",
    "pg_autoscaler",
    "progress",
    "rbd_support",
    "status",
    "telemetry",
    "volumes",
}

#: The client that an rbd-mirror is.
MIRROR = "client.rbd-mirror.x"

#: How soon an rbd-mirror sees what has changed: it looks at its peers and images now and then.
_MIRROR_OPTIONS = {
    "rbd mirror pool replayers refresh interval": 1,
    "rbd mirror image state check interval": 1,
    "rbd mirror leader heartbeat interval": 1,
    "rbd mirror image policy update throttle interval": 0.2,
    "rbd mirror delete retry interval": 0.5,
}

#: Clients and daemons with a key of their own, and what they may do (only used with cephx).
_DAEMON_CAPS = {
    "mon": {"mon": "allow *"},
    "osd": {"mon": "allow profile osd", "mgr": "allow profile osd", "osd": "allow *"},
    "mgr": {"mon": "allow profile mgr", "osd": "allow *", "mds": "allow *"},
    MIRROR: {"mon": "profile rbd-mirror", "mgr": "profile rbd", "osd": "profile rbd"},
    "client": {"mon": "allow *", "osd": "allow *", "mds": "allow *", "mgr": "allow *"},
}


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 nobody listens on right now; somebody may before we do.

    Below the range the kernel takes the ports of outgoing connections from, so that these are
    still free when a mon is restarted.
    """
    ports: list[int] = []
    while len(ports) < count:
        port = random.randrange(10000, 32768)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port not in ports:
            ports.append(port)
    return ports


def mon_address(ports: list[int]) -> str:
    """The address of the mon, in both versions of Ceph's protocol."""
    return f"[v2:127.0.0.1:{ports[0]},v1:127.0.0.1:{ports[1]}]"


def class_directory() -> str | None:
    """The absolute directory of the OSD's object classes; None if it is not found.

    Ceph 20 as packaged by Debian has a relative default.
    """
    prefix = Path(find_program("ceph-osd")).resolve().parent.parent
    for root in (prefix, Path("/usr"), Path("/usr/local")):
        for pattern in ("lib*/rados-classes", "lib*/*/rados-classes"):
            for directory in sorted(root.glob(pattern)):
                if (directory / "libcls_rbd.so").exists():
                    return str(directory)
    return None


def _optional_mgr_modules() -> list[str]:
    try:
        found = os.scandir("/usr/share/ceph/mgr")
    except OSError:
        return []
    with found:
        return sorted(
            entry.name
            for entry in found
            if entry.is_dir() and not entry.name.startswith("_") and entry.name not in _MGR_MODULES
        )


def options(
    directory: str, fsid: str, address: str, objectstore: str, replicas: int, cephx: bool
) -> dict[str, object]:
    """The global options of the cluster; `directory` holds everything it writes."""
    auth = "cephx" if cephx else "none"
    chosen: dict[str, object] = {
        "fsid": fsid,
        "mon host": address,
        "public addr": "127.0.0.1",
        "cluster addr": "127.0.0.1",
        "auth cluster required": auth,
        "auth service required": auth,
        "auth client required": auth,
        "keyring": f"{directory}/$name.keyring",
        "ms bind port max": 9999,  # the default range has room for some sixty OSDs on a machine
        # Everything that a daemon or client writes goes into the directory.
        "run dir": directory,
        "crash dir": f"{directory}/crash",
        "log file": f"{directory}/$name.log",
        "mon cluster log file": f"{directory}/cluster.log",
        "log to stderr": False,
        "err to stderr": False,
        "mon data": f"{directory}/$name",
        "osd data": f"{directory}/$name",
        "mgr data": f"{directory}/$name",
        # One machine, few OSDs, few and small pools.
        "osd crush chooseleaf type": 0,
        "osd pool default size": replicas,
        "osd pool default min size": 1,
        "osd pool default pg num": 8,
        "osd pool default pg autoscale mode": "off",
        "mon allow pool size one": True,
        "mon allow pool delete": True,
        "mon max pg per osd": 10000,
        "mon warn on pool no redundancy": False,
        "mon warn on insecure global id reclaim": False,
        "mon warn on insecure global id reclaim allowed": False,
        "mon data avail warn": 2,
        "mon data avail crit": 1,
        "osd objectstore": objectstore,
        # A small memstore is soon "full", and then every write waits for ever.
        "memstore device bytes": 64 << 30,
        # Three seconds less for the start of a bluestore OSD.
        "bluestore fsck on mkfs": False,
        "bdev aio poll ms": 20,
        "osd mclock skip benchmark": True,
        # Three seconds less for the start of a mgr.
        "mgr disabled modules": " ".join(_optional_mgr_modules()),
        "mgr initial modules": "",
        # Else a memstore does not write its contents down at its end, for the next start.
        "osd fast shutdown": False,
        # Tests may mark an OSD down as often as they like.
        "osd max markdown count": 1000000,
        "osd class load list": "*",
        "osd class default list": "*",
        # The mon answers changes at once; snapshots are made six times faster.
        "paxos propose interval": 0.02,
        "paxos min wait": 0.01,
    }
    if objectstore == "memstore":
        # Threads of an OSD share the list of snapshots that are to be trimmed, and a memstore does
        # not protect it: an OSD of Ceph 16 has died of that, once in hours. So there is one thread.
        chosen["osd op num shards"] = chosen["osd op num threads per shard"] = 1
    classes = class_directory()
    if classes is not None:
        chosen["osd class dir"] = classes
    return chosen


def write_conf(directory: str, chosen: Mapping[str, object], extra: Mapping[str, object]) -> str:
    """Write ceph.conf: the `chosen` options, overridden by the user's `extra`; return its path."""
    merged = {**chosen, **{re.sub(r"[\s_-]+", " ", key): value for key, value in extra.items()}}
    lines = ["[global]", *(f"{key} = {_value(value)}" for key, value in merged.items())]
    for section in ("mon", "osd", "mgr"):  # clients have none: several may have the same name
        lines += [f"[{section}]", f"admin socket = {directory}/$name.asok", "err to stderr = true"]
        if section == "mon":  # its ports are taken: no use in waiting, we shall try others
            lines.append("ms bind retry count = 1")
    lines += [f"[{MIRROR}]", f"admin socket = {directory}/rbd-mirror.x.asok"]
    lines += [f"log file = {directory}/rbd-mirror.x.log", "err to stderr = true"]
    lines += [f"{key} = {value}" for key, value in _MIRROR_OPTIONS.items()]
    path = os.path.join(directory, CONF)
    new = Path(path + ".new")
    new.write_text("\n".join(lines) + "\n")
    new.replace(path)  # a daemon that starts meanwhile reads the old file or the new one
    return path


def _value(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def write_keyrings(directory: str, names: list[str]) -> str:
    """Make a key for each of `names` ("osd.0"), each in DIRECTORY/NAME.keyring.

    Returns the path of one more keyring that holds them all: the mon starts with it.
    """
    everything = ""
    for name in names:
        key = run(["ceph-authtool", "--gen-print-key"]).stdout.strip()
        kind = name if name == MIRROR else name.partition(".")[0]
        caps = "".join(f'\tcaps {k} = "{v}"\n' for k, v in _DAEMON_CAPS[kind].items())
        text = f"[{name}]\n\tkey = {key}\n{caps}"
        everything += text
        write_secret(os.path.join(directory, f"{name}.keyring"), text)
    path = os.path.join(directory, "all.keyring")
    write_secret(path, everything)
    return path


def write_secret(path: str, text: str) -> None:
    """Write a file that only we may read."""
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
