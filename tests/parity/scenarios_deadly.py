"""Calls that kill the process of the standard binding; ours raises an error.

Each is a scenario of its own, in processes of its own.
"""

from __future__ import annotations

from .harness import MIB, Recorder, deadly


@deadly()
def deadly_create_without_ioctx(r: Recorder) -> None:
    r.do(r.RBD, "create", None, r.name(), MIB)


@deadly()
def deadly_list_without_ioctx(r: Recorder) -> None:
    r.do(r.RBD, "list", None)


@deadly()
def deadly_list_of_closed_ioctx(r: Recorder) -> None:
    ioctx = r.cluster.open_ioctx(r.side.pool)
    ioctx.close()
    r.do(r.RBD, "list", ioctx)


@deadly()
def deadly_open_without_ioctx(r: Recorder) -> None:
    r.do(r.rbd, "Image", None, r.name())


@deadly()
def deadly_open_in_closed_ioctx(r: Recorder) -> None:
    ioctx = r.cluster.open_ioctx(r.side.pool)
    ioctx.close()
    r.do(r.rbd, "Image", ioctx, r.name())


@deadly()
def deadly_open_of_number(r: Recorder) -> None:
    r.do(r.rbd, "Image", r.ioctx, 5)


@deadly()
def deadly_open_of_surrogate(r: Recorder) -> None:
    r.do(r.rbd, "Image", r.ioctx, "\ud800")


@deadly()
def deadly_copy_without_ioctx(r: Recorder) -> None:
    r.do(r.new(), "copy", None, r.name("copy"))


@deadly()
def deadly_clone_of_nameless_snapshot(r: Recorder) -> None:
    """librbd itself aborts."""
    r.new("parent").create_snap("s")
    r.do(r.RBD, "clone", r.ioctx, r.name("parent"), "", r.ioctx, r.name("clone"))


@deadly()
def deadly_statistics_before_connect(r: Recorder) -> None:
    r.do(r.keep(r.rados.Rados(conffile=r.conf)), "get_cluster_stats")


@deadly(16, 18, 20)
def deadly_name_of_closed_pool(r: Recorder) -> None:
    ioctx = r.cluster.open_ioctx(r.side.pool)
    ioctx.close()
    r.do(ioctx, "get_pool_name")


@deadly(16)
def deadly_pg_command(r: Recorder) -> None:
    r.do(r.cluster, "pg_command", "garbage", '{"prefix": "query"}', b"", _show=lambda v: v[0])


@deadly()
def deadly_open_without_arguments(r: Recorder) -> None:
    r.do(r.rbd, "Image")


@deadly()
def deadly_open_with_unknown_argument(r: Recorder) -> None:
    r.do(r.rbd, "Image", r.ioctx, r.create(), foo=1)


@deadly()
def deadly_addresses_before_connect(r: Recorder) -> None:
    r.do(r.keep(r.rados.Rados(conffile=r.conf)), "get_addrs")


@deadly(16, 18, 20)
def deadly_alignment_of_closed_pool(r: Recorder) -> None:
    ioctx = r.cluster.open_ioctx(r.side.pool)
    ioctx.close()
    r.do(ioctx, "alignment")


@deadly()
def deadly_deep_copy_without_ioctx(r: Recorder) -> None:
    r.do(r.new(), "deep_copy", None, r.name("copy"))


@deadly()
def deadly_migration_status_without_ioctx(r: Recorder) -> None:
    r.do(r.RBD, "migration_status", None, r.name())


@deadly(14, 16)
def deadly_timestamp_of_unknown_snapshot(r: Recorder) -> None:
    """librbd itself aborts."""
    r.do(r.new(), "get_snap_timestamp", 4711)
