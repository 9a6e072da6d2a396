"""A throwaway Ceph cluster of one mon, some OSDs and perhaps a mgr and an rbd-mirror."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType

from . import _watchdog
from ._commands import Commands, _pool_commands
from ._config import (
    MIRROR,
    free_ports,
    mon_address,
    options,
    write_conf,
    write_keyrings,
    write_secret,
)
from ._daemon import Daemon
from ._tools import ClusterError, find_program, launch, run, tail

_MON_ATTEMPTS = 5  # each on other ports
_SOCKET_PATH = 107  # the longest path of a Unix socket


class Cluster(Commands):
    """A real Ceph cluster that lives as long as the ``with`` block (or until ``stop()``).

    * `osds`: how many OSDs; `objectstore`: "memstore" (in memory) or "bluestore" (in a sparse
      file; survives ``kill()`` and ``restart()`` of an OSD); `replicas`: the size of pools.
    * `mgr`: whether to run a mgr too: for statistics, ``rbd task`` and the like. It loads none of
      its optional modules, unless ``conf={"mgr disabled modules": ""}``.
    * `rbd_mirror`: whether to run an rbd-mirror too, which replicates what the pools' peers (see
      ``rbd mirror``) have to this cluster. It looks for changes every second.
    * `cephx`: whether clients must authenticate; see ``add_client``. The key of client.admin is
      found through ceph.conf.
    * `pools`: the pools to create, for the application rbd.
    * `conf`: more options for [global] of ceph.conf (``{"osd heartbeat grace": 5}``); they win over
      ours.
    * `directory`: where everything is kept: not there yet, or empty. By default a new directory
      under $TMPDIR. It is removed by ``stop()`` unless `keep` is true.
    * `timeout`: how many seconds each daemon may take to become ready.

    Should this process die without ``stop()``, even from ``kill -9``, a watchdog ends the daemons
    and removes the directory within about a second. A forked child cannot stop the cluster.
    """

    def __init__(
        self,
        *,
        osds: int = 1,
        objectstore: str = "memstore",
        replicas: int = 1,
        mgr: bool = False,
        rbd_mirror: bool = False,
        cephx: bool = False,
        pools: Sequence[str] = ("rbd",),
        conf: Mapping[str, str | int | float | bool] | None = None,
        directory: str | os.PathLike[str] | None = None,
        keep: bool = False,
        timeout: float = 60.0,
    ) -> None:
        if objectstore not in ("memstore", "bluestore"):
            raise ValueError(f"objectstore must be memstore or bluestore, not {objectstore!r}")
        if not 1 <= replicas <= osds:
            raise ValueError(f"replicas must be from 1 to the number of OSDs ({osds})")
        self._osd_count = osds
        self._objectstore = objectstore
        self._replicas = replicas
        self._with_mgr = mgr
        self._with_mirror = rbd_mirror
        self._cephx = cephx
        self._pools = tuple(pools)
        self._extra = dict(conf or {})
        self._wanted_directory = directory
        self._keep = keep
        self._timeout = timeout
        self._owner: int | None = None  # the process that started the cluster, while it is started
        self._watchdog: subprocess.Popen[bytes] | None = None
        self._directory = ""
        self._fsid = ""
        self._mon: Daemon | None = None
        self._stores: list[subprocess.Popen[bytes]] = []  # each the mkfs of one OSD
        self._osds: list[Daemon] = []
        self._mgr: Daemon | None = None
        self._mirror: Daemon | None = None

    def __repr__(self) -> str:
        state = "stopped" if self._owner is None else self._directory
        return f"<{type(self).__name__} {state}>"

    def __enter__(self) -> Cluster:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def started(self) -> bool:
        """Whether the cluster has been started and not yet stopped (its daemons may be dead)."""
        return self._owner is not None

    @property
    def directory(self) -> str:
        """The directory that holds all of the cluster, logs (``osd.0.log``) included."""
        self._check_started_once()
        return self._directory

    @property
    def conf(self) -> str:
        """The path of the cluster's ceph.conf."""
        return os.path.join(self.directory, _watchdog.CONF)

    @property
    def fsid(self) -> str:
        """The cluster's id."""
        self._check_started_once()
        return self._fsid

    @property
    def mon(self) -> Daemon:
        """The mon."""
        self._check_started_once()
        assert self._mon is not None
        return self._mon

    @property
    def osds(self) -> list[Daemon]:
        """The OSDs, by number."""
        self._check_started_once()
        return list(self._osds)

    @property
    def mgr(self) -> Daemon:
        """The mgr. Raises ClusterError if the cluster has none."""
        self._check_started_once()
        if self._mgr is None:
            raise ClusterError("this cluster has no mgr: ask for it with Cluster(mgr=True)")
        return self._mgr

    @property
    def rbd_mirror(self) -> Daemon:
        """The rbd-mirror. Raises ClusterError if the cluster has none."""
        self._check_started_once()
        if self._mirror is None:
            raise ClusterError("this cluster has no rbd-mirror: ask for Cluster(rbd_mirror=True)")
        return self._mirror

    def start(self) -> Cluster:
        """Start the cluster and wait until its pools serve I/O; return it.

        Raises ClusterError if a program is not installed, and with the end of its log if a daemon
        does not come up; nothing is left behind then (except the directory, with ``keep=True``).
        """
        if self._owner is not None:
            raise ClusterError(f"{self!r} is started already")
        self._mon, self._stores, self._osds, self._mgr, self._mirror = None, [], [], None, None
        optional = ["ceph-mgr"] * self._with_mgr + ["rbd-mirror"] * self._with_mirror
        for program in ("ceph-mon", "ceph-osd", "ceph", *optional):
            find_program(program)
        self._directory = _make_directory(self._wanted_directory)
        self._owner = os.getpid()
        try:
            self._watchdog = _start_watchdog(self._directory, self._keep)
            self._build()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """End the daemons and remove the directory; nothing if the cluster is not started.

        Does nothing in a forked child: the cluster belongs to the process that started it.
        """
        if self._owner != os.getpid():
            return
        if self._keep:  # the daemons are given the time to write down their logs and their data
            for daemon in self._daemons():
                daemon.terminate(timeout=5.0)
        _watchdog.kill_daemons(self._directory)  # a mkfs, too
        for daemon in self._daemons():
            daemon.kill()
        for store in self._stores:
            store.wait()
        if not self._keep and _watchdog.is_cluster(self._directory):  # else somebody was faster
            _watchdog.remove_directory(self._directory)
        self._end_watchdog()
        self._owner = None

    def detach(self) -> None:
        """Let the cluster outlive this process: ``python -m rbdcffi.testing stop`` ends it.

        This object is as good as stopped afterwards.
        """
        if self._owner != os.getpid():
            raise ClusterError("only the process that has started the cluster can detach it")
        for daemon in self._daemons():
            daemon._disown()
        self._end_watchdog()
        self._owner = None

    def add_client(self, name: str, caps: Mapping[str, str]) -> str:
        """Create a client ("client.NAME" or just "NAME") and return the path of its keyring.

        `caps` are its permissions, as in ``{"mon": "profile rbd", "osd": "profile rbd pool=rbd"}``.
        They mean something only with ``cephx=True``. The keyring is where ceph.conf has clients
        look for it: connecting under that name is enough.
        """
        entity = name if name.startswith("client.") else f"client.{name}"
        words = [word for item in caps.items() for word in item]
        path = os.path.join(self.directory, f"{entity}.keyring")
        write_secret(path, self.ceph("auth", "get-or-create", entity, *words) + "\n")
        return path

    def wait_healthy(self, timeout: float = 60.0) -> None:
        """As ``Commands.wait_healthy``; fails at once if an OSD is dead."""
        for osd in self._osds:
            osd.wait_ready(timeout)
        super().wait_healthy(timeout)

    def _build(self) -> None:
        self._fsid = str(uuid.uuid4())
        uuids = [str(uuid.uuid4()) for _ in range(self._osd_count)]
        self._write_conf(free_ports(2))  # for the OSDs' mkfs, which does not look at the ports
        keyring = None
        if self._cephx:
            osds = [f"osd.{number}" for number in range(self._osd_count)]
            keyring = write_keyrings(
                self._directory, ["mon.", "client.admin", "mgr.x", MIRROR, *osds]
            )
        for number, osd_uuid in enumerate(uuids):
            self._stores.append(self._format_osd(number, osd_uuid))
        self._start_mon(keyring)
        if self._with_mgr:
            Path(self._directory, "mgr.x").mkdir()
            self._mgr = self._daemon("mgr.x", self._mgr_ready)
            self._mgr.start(wait=False)  # it takes seconds to load its modules
        commands = [["osd", "new", osd_uuid] for osd_uuid in uuids]
        for pool in self._pools:
            commands += _pool_commands(pool, 8, "rbd")
        self._ceph_batch(commands)
        for number, store in enumerate(self._stores):
            self._start_osd(number, store)
        for osd in self._osds:
            osd.wait_ready()
        self.wait_active(*self._pools, timeout=self._timeout)
        if self._with_mirror:
            Path(self._directory, "rbd-mirror.x").mkdir()
            client = MIRROR.partition(".")[2]
            command = ["rbd-mirror", "-c", self.conf, "--id", client, "-f"]
            self._mirror = Daemon(
                "rbd-mirror.x", command, self._directory, _mirror_ready, self._timeout
            )
            self._mirror.start()
        if self._mgr is not None:
            self._mgr.wait_ready()

    def _write_conf(self, ports: list[int]) -> str:
        """Write ceph.conf with the mon on these ports; return the mon's address."""
        address = mon_address(ports)
        chosen = options(
            self._directory, self._fsid, address, self._objectstore, self._replicas, self._cephx
        )
        write_conf(self._directory, chosen, self._extra)
        return address

    def _start_mon(self, keyring: str | None) -> None:
        for attempt in range(_MON_ATTEMPTS):
            if attempt:
                shutil.rmtree(os.path.join(self._directory, "mon.a"))
            address = self._write_conf(free_ports(2))
            self._format_mon(address, keyring)
            self._mon = self._daemon("mon.a", _mon_ready)
            try:
                self._mon.start()
                return
            except ClusterError as error:
                # Somebody else took a port since we looked.
                if "Address already in use" not in str(error) or attempt + 1 == _MON_ATTEMPTS:
                    raise

    def _format_mon(self, address: str, keyring: str | None) -> None:
        monmap = os.path.join(self._directory, "monmap")
        Path(self._directory, "mon.a").mkdir()
        create = ["monmaptool", "--create", "--clobber", "--fsid", self._fsid]
        run([*create, "--addv", "a", address, monmap])
        mkfs = [*self._command("mon.a"), "--mkfs", "--monmap", monmap]
        if keyring is not None:
            mkfs += ["--keyring", keyring]
        try:
            run(mkfs, timeout=self._timeout)
        except ClusterError as error:
            log = tail(os.path.join(self._directory, "mon.a.log"))
            raise ClusterError(f"{error}\n{log}".rstrip()) from None

    def _format_osd(self, number: int, osd_uuid: str) -> subprocess.Popen[bytes]:
        """Start to make the store of an OSD, which needs no mon."""
        name = f"osd.{number}"
        Path(self._directory, name).mkdir()
        mkfs = [*self._command(name), "--mkfs", "--no-mon-config", "--osd-uuid", osd_uuid]
        return launch(mkfs, os.path.join(self._directory, f"{name}.out"))

    def _start_osd(self, number: int, store: subprocess.Popen[bytes]) -> None:
        """Start an OSD once its store is made; do not wait until it is ready."""
        osd = self._daemon(f"osd.{number}", _osd_ready)
        try:
            status: int | None = store.wait(self._timeout)
        except subprocess.TimeoutExpired:
            status = None
        if status != 0:
            why = "did not end in time" if status is None else f"failed ({status})"
            output = os.path.join(self._directory, f"{osd.name}.out")
            raise ClusterError(f"mkfs of {osd.name} {why}\n{tail(output, osd.log)}".rstrip())
        self._osds.append(osd)
        osd.start(wait=False)

    def _daemon(self, name: str, ready: Callable[[Daemon], bool]) -> Daemon:
        command = [*self._command(name), "-f"]
        return Daemon(name, command, self._directory, ready, self._timeout)

    def _command(self, name: str) -> list[str]:
        kind, _, identifier = name.partition(".")
        conf = os.path.join(self._directory, _watchdog.CONF)
        return [f"ceph-{kind}", "-c", conf, "-i", identifier]

    def _mgr_ready(self, mgr: Daemon) -> bool:
        mgr.admin("version", timeout=1.0)  # fails sooner, and takes less, than the ceph command
        return bool(self.ceph("mgr", "dump", json=True)["available"])

    def _daemons(self) -> list[Daemon]:
        """The daemons there are, in the order to end them."""
        every = (self._mirror, *self._osds, self._mgr, self._mon)
        return [daemon for daemon in every if daemon is not None]

    def _end_watchdog(self) -> None:
        if self._watchdog is not None:
            self._watchdog.kill()
            self._watchdog.wait()
            self._watchdog = None

    def _check_started_once(self) -> None:
        if not self._directory:
            raise ClusterError("the cluster has not been started")


def _mon_ready(mon: Daemon) -> bool:
    return mon.admin("mon_status", timeout=1.0)["state"] in ("leader", "peon")


def _osd_ready(osd: Daemon) -> bool:
    return bool(osd.admin("status", timeout=1.0)["state"] == "active")


def _mirror_ready(mirror: Daemon) -> bool:
    return bool(mirror.admin("rbd mirror status", timeout=1.0))


def _make_directory(wanted: str | os.PathLike[str] | None) -> str:
    """Make the (marked) directory of a cluster. Raises ClusterError if it will not do."""
    longest = _SOCKET_PATH - len("/osd.999.asok")
    if wanted is None:
        path = tempfile.mkdtemp(prefix="rbdcffi-")
        if _problem(path, longest):  # a long $TMPDIR
            os.rmdir(path)
            path = tempfile.mkdtemp(prefix="rbdcffi-", dir="/tmp")
    else:
        path = os.path.abspath(wanted)
        problem = _problem(path, longest)
        if problem:
            raise ClusterError(f"a cluster cannot be kept in {path}: {problem}")
        os.makedirs(path, mode=0o700, exist_ok=True)
        if os.listdir(path):
            raise ClusterError(f"a cluster cannot be kept in {path}: it is not empty")
    Path(path, _watchdog.MARKER).write_text("A cluster of rbdcffi.testing: it may be removed.\n")
    return path


def _problem(path: str, longest: int) -> str:
    if len(os.fsencode(path)) > longest:
        return f"the path is longer than {longest} bytes, too long for Unix sockets in it"
    if not re.fullmatch(r"[\w/.+@:-]+", path, re.ASCII):
        return "its path has characters that mean something in ceph.conf"
    return ""


def _start_watchdog(directory: str, keep: bool) -> subprocess.Popen[bytes]:
    python = sys.executable or find_program("python3")
    command = [python, "-I", "-S", _watchdog.__file__, str(os.getpid()), directory]
    return subprocess.Popen(
        command + ["--keep"] * keep,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        start_new_session=True,
    )
