"""``python -m rbdcffi.testing``: a throwaway Ceph cluster for a shell.

Examples:

    eval "$(python -m rbdcffi.testing start)"    # sets CEPH_CONF
    rbd create --size 1G image
    python -m rbdcffi.testing stop

    python -m rbdcffi.testing run --osds 3 -- pytest tests
"""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

from . import _watchdog
from ._tools import ClusterError
from .cluster import Cluster


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return its exit code."""
    words = sys.argv[1:] if arguments is None else arguments
    command: list[str] = []
    if "--" in words:
        position = words.index("--")
        words, command = words[:position], words[position + 1 :]
    parser = _parser()
    options = parser.parse_args(words)
    if options.action == "run" and not command:
        parser.error("run: what is to be run? Give it after a --")
    if options.action != "run" and command:
        parser.error(f"{options.action} takes no command after a --")
    try:
        if options.action == "start":
            return _start(options)
        if options.action == "run":
            return _run(options, command)
        directory = _directory(options.cluster)
        return _stop(directory) if options.action == "stop" else _status(directory)
    except (ClusterError, OSError, ValueError) as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m rbdcffi.testing",
        description="A real, throwaway Ceph cluster on this machine.",
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    start = actions.add_parser("start", help="start a cluster that runs until `stop`")
    run = actions.add_parser(
        "run",
        help="run a command with a cluster of its own",
        usage=f"{parser.prog} run [options] -- COMMAND [ARGUMENT ...]",
    )
    for action in (start, run):
        _add_cluster_options(action)
    for name, text in (
        ("stop", "stop a cluster and remove its directory"),
        ("status", "show which daemons of a cluster run; fails if one does not"),
    ):
        action = actions.add_parser(name, help=text)
        action.add_argument(
            "cluster",
            nargs="?",
            metavar="CONF",
            help="ceph.conf of the cluster, or its directory (default: $CEPH_CONF)",
        )
    return parser


def _add_cluster_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--osds", type=int, default=1, metavar="N", help="default: 1")
    parser.add_argument("--replicas", type=int, default=1, metavar="N", help="size of the pools")
    parser.add_argument("--objectstore", choices=("memstore", "bluestore"), default="memstore")
    parser.add_argument("--mgr", action="store_true", help="run a mgr, too")
    parser.add_argument("--rbd-mirror", action="store_true", help="run an rbd-mirror, too")
    parser.add_argument("--cephx", action="store_true", help="clients must authenticate")
    parser.add_argument(
        "--pool", action="append", metavar="NAME", help="may be repeated (default: rbd)"
    )
    parser.add_argument(
        "--option",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="one more option for ceph.conf; may be repeated",
    )
    parser.add_argument("--directory", help="where to keep it (default: a new one in $TMPDIR)")


def _cluster(options: argparse.Namespace) -> Cluster:
    conf: dict[str, str | int | float | bool] = {}
    for option in options.option:
        name, equals, value = option.partition("=")
        if not equals:
            raise ValueError(f"--option {option}: NAME=VALUE is needed")
        conf[name.strip()] = value.strip()
    return Cluster(
        osds=options.osds,
        objectstore=options.objectstore,
        replicas=options.replicas,
        mgr=options.mgr,
        rbd_mirror=options.rbd_mirror,
        cephx=options.cephx,
        pools=options.pool or ("rbd",),
        conf=conf,
        directory=options.directory,
    )


def _start(options: argparse.Namespace) -> int:
    with _cluster(options) as cluster:
        print(f"export CEPH_CONF={shlex.quote(cluster.conf)}", flush=True)
        cluster.detach()
    return 0


def _run(options: argparse.Namespace, command: list[str]) -> int:
    with _cluster(options) as cluster:
        # Ctrl-C reaches the command, too: it decides what comes of it. (A handler, unlike SIG_IGN,
        # is not inherited by the command.) SIGTERM reaches us alone.
        signal.signal(signal.SIGINT, lambda number, frame: None)
        try:
            child = subprocess.Popen(command, env=cluster.env())
        except OSError as error:
            print(f"{command[0]}: {error.strerror}", file=sys.stderr)
            return 127
        signal.signal(signal.SIGTERM, lambda number, frame: child.terminate())
        status = child.wait()
    return 128 - status if status < 0 else status  # a signal, as a shell reports it


def _directory(given: str | None) -> str:
    """The directory of the cluster that is meant. Raises ClusterError if it is not one of ours."""
    path = given or os.environ.get("CEPH_CONF")
    if not path:
        raise ClusterError("which cluster? Name its ceph.conf, or set CEPH_CONF")
    directory = os.path.abspath(path)
    if not os.path.isdir(directory):
        directory = os.path.dirname(directory)
    if not _watchdog.is_cluster(directory):
        raise ClusterError(f"{path} is not a cluster started by rbdcffi.testing")
    return directory


def _stop(directory: str) -> int:
    _watchdog.kill_daemons(directory)
    _watchdog.remove_directory(directory)
    return 0


def _status(directory: str) -> int:
    running = {name: pid for pid, name in _watchdog.find_daemons(directory).items()}
    # Each daemon has a directory of its name.
    directories = (path.name for path in Path(directory).iterdir() if path.is_dir())
    kinds = ("mon.", "osd.", "mgr.", "rbd-mirror.")
    names = sorted(name for name in directories if name.startswith(kinds))
    print(os.path.join(directory, _watchdog.CONF))
    for name in names:
        print(f"{name}: {f'running, pid {running[name]}' if name in running else 'not running'}")
    return 0 if running and set(names) <= set(running) else 1


if __name__ == "__main__":
    sys.exit(main())
