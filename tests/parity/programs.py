"""Programs written for the standard modules: `rbd` and `rados` are names that they are given."""

from __future__ import annotations

from typing import Any

from .harness import Recorder, scenario

BACKUP = '''
"""A full and an incremental backup of an image into a dict, and the restore of it."""
import hashlib

OBJECT = 4 * 1024**2
SIZE = 5 * OBJECT


def digest(image):
    found = hashlib.sha256()
    for offset in range(0, image.size(), OBJECT):
        found.update(image.read(offset, min(OBJECT, image.size() - offset)))
    return found.hexdigest()


def export(ioctx, name, snap, since):
    """[(offset, data or None for zeroes)] of what changed."""
    chunks = []
    with rbd.Image(ioctx, name, snapshot=snap, read_only=True) as image:
        def changed(offset, length, exists):
            chunks.append((offset, image.read(offset, length) if exists else None, length))
        image.diff_iterate(0, image.size(), since, changed)
        return image.size(), chunks


def restore(ioctx, name, size, chunks):
    with rbd.Image(ioctx, name) as image:
        if image.size() != size:
            image.resize(size)
        for offset, data, length in chunks:
            if data is None:
                image.discard(offset, length)
            else:
                assert image.write(data, offset, rbd_flag) == len(data)
        image.flush()


with rados.Rados(conffile=conf) as cluster:
    rbd_flag = rados.LIBRADOS_OP_FLAG_FADVISE_DONTNEED
    with cluster.open_ioctx(pool) as ioctx:
        tool = rbd.RBD()
        tool.create(ioctx, prefix + "source", SIZE)
        with rbd.Image(ioctx, prefix + "source") as image:
            image.write(b"boot" * 1000, 0)
            image.write(b"data" * 5000, OBJECT + 77)
            image.create_snap("monday")
            image.write(b"DATA" * 100, OBJECT + 99)
            image.write(b"tail", SIZE - 4)
            image.discard(0, OBJECT)
            image.create_snap("tuesday")
            image.write(b"not in any backup", 0)
            result.append([snap["name"] for snap in image.list_snaps()])
        size, full = export(ioctx, prefix + "source", "monday", None)
        _, more = export(ioctx, prefix + "source", "tuesday", "monday")
        result.append([(offset, length, data is None) for offset, data, length in full])
        result.append([(offset, length, data is None) for offset, data, length in more])
        tool.create(ioctx, prefix + "target", 1)
        restore(ioctx, prefix + "target", size, full)
        for snap in ("monday", "tuesday"):
            if snap == "tuesday":
                restore(ioctx, prefix + "target", size, more)
            with rbd.Image(ioctx, prefix + "source", snap) as old:
                with rbd.Image(ioctx, prefix + "target") as new:
                    result.append(digest(old) == digest(new))
                    result.append(digest(new))
        with rbd.Image(ioctx, prefix + "source") as image:
            image.rollback_to_snap("tuesday")
            result.append(digest(image))
            for snap in list(image.list_snaps()):
                image.remove_snap(snap["name"])
        try:
            export(ioctx, prefix + "source", "monday", None)
        except rbd.ImageNotFound as error:
            result.append(("gone", error.errno))
        for name in ("source", "target"):
            tool.remove(ioctx, prefix + name)
        result.append([name for name in tool.list(ioctx) if name.startswith(prefix)])
'''

PROVISIONING = '''
"""Machines from a golden image: clones that are grown, locked, flattened and torn down."""
import errno

cluster = rados.Rados(conffile=conf)
cluster.connect()
try:
    ioctx = cluster.open_ioctx(pool)
    try:
        rbd_inst = rbd.RBD()
        golden = prefix + "golden"
        rbd_inst.create(ioctx, golden, 8 * 1024**2, 22, old_format=False,
                        features=rbd.RBD_FEATURE_LAYERING | rbd.RBD_FEATURE_EXCLUSIVE_LOCK)
        image = rbd.Image(ioctx, golden)
        try:
            data = b"system" * 200
            result.append(image.write(data, 0))
            image.create_snap("v1")
            if not image.is_protected_snap("v1"):
                image.protect_snap("v1")
            result.append(image.is_protected_snap("v1"))
        finally:
            image.close()

        machines = [prefix + "vm%d" % number for number in range(3)]
        for name in machines + machines[:1]:
            try:
                rbd_inst.clone(ioctx, golden, "v1", ioctx, name,
                               features=rbd.RBD_FEATURE_LAYERING)
            except rbd.ImageExists as error:
                result.append(("exists", error.errno == errno.EEXIST))
        for number, name in enumerate(machines):
            with rbd.Image(ioctx, name) as vm:
                vm.resize((16 + number) * 1024**2)
                vm.lock_exclusive("hypervisor-%d" % number)
                vm.write(b"host%d" % number, 4096)
                result.append(vm.parent_info()[1:] + (vm.overlap(), vm.size()))
                result.append((vm.read(0, 6), vm.read(4096, 5)))
                result.append([cookie for _, cookie, _ in vm.list_lockers()["lockers"]])
                try:
                    vm.lock_exclusive("somebody else")
                except rbd.ImageBusy:
                    result.append("busy")
                vm.unlock("hypervisor-%d" % number)

        with rbd.Image(ioctx, golden) as image:
            image.set_snap("v1")
            result.append(sorted(name for _, name in image.list_children()))
            image.set_snap(None)
            try:
                image.unprotect_snap("v1")
            except rbd.ImageBusy as error:
                result.append(str(error).split("(")[0])
        try:
            rbd_inst.remove(ioctx, golden)
        except rbd.ImageHasSnapshots as error:
            result.append(error.errno == errno.ENOTEMPTY)

        with rbd.Image(ioctx, machines[0]) as vm:
            vm.flatten()
            try:
                vm.parent_info()
            except rbd.ImageNotFound:
                result.append("flat")
        rbd_inst.rename(ioctx, machines[0], prefix + "pet")
        for name in machines[1:]:
            rbd_inst.remove(ioctx, name)
        with rbd.Image(ioctx, golden) as image:
            image.unprotect_snap("v1")
            image.remove_snap("v1")
        rbd_inst.remove(ioctx, golden)
        result.append([name for name in rbd_inst.list(ioctx) if name.startswith(prefix)])
        with rbd.Image(ioctx, prefix + "pet", read_only=True) as pet:
            result.append((pet.read(0, 6), pet.stat()["num_objs"]))
            try:
                pet.write(b"x", 0)
            except (rbd.ReadOnlyImage, rbd.IOError) as error:
                result.append(type(error).__name__)
        rbd_inst.remove(ioctx, prefix + "pet")
    finally:
        ioctx.close()
finally:
    cluster.shutdown()
'''

INVENTORY = '''
"""A report of a pool, kept in objects with attributes."""
import json

with rados.Rados(conffile=conf, conf={"client_mount_timeout": "30"}) as cluster:
    command = json.dumps({"prefix": "osd dump", "format": "json"})
    status, out, err = cluster.mon_command(command, b"")
    names = [entry["pool_name"] for entry in json.loads(out)["pools"]]
    result.append((status, pool in names, pool in cluster.list_pools(), err))
    with cluster.open_ioctx(pool) as disks, cluster.open_ioctx(pool) as ioctx:
        ioctx.set_namespace(prefix)
        tool = rbd.RBD()
        for number in range(3):
            tool.create(disks, prefix + "disk%d" % number, (number + 1) * 1024**2)
        report = {}
        for name in sorted(tool.list(disks)):
            if not name.startswith(prefix):
                continue
            with rbd.Image(disks, name, read_only=True) as image:
                used = []
                image.diff_iterate(0, image.size(), None, lambda o, l, e: used.append(l),
                                   whole_object=True)
                report[name] = {"size": image.size(), "used": sum(used),
                                "features": image.features(), "old": image.old_format()}
        ioctx.write_full("report", json.dumps(report, sort_keys=True).encode())
        ioctx.set_xattr("report", "kind", b"inventory")
        ioctx.append("log", b"one line\\n")
        ioctx.append("log", b"another line\\n")
        result.append(json.loads(ioctx.read("report").decode()))
        result.append((ioctx.stat("log")[0], ioctx.read("log", 8, 4)))
        result.append(list(ioctx.get_xattrs("report")))
        mine = list(ioctx.list_objects())
        result.append(sorted(o.key for o in mine))
        for o in mine:
            o.remove()
        try:
            ioctx.stat("report")
        except rados.ObjectNotFound as error:
            result.append(error.errno)
        for name in report:
            tool.remove(disks, name)
        result.append([name for name in tool.list(disks) if name in report])
result.append(cluster.state)
'''

ALL = {"backup": BACKUP, "provisioning": PROVISIONING, "inventory": INVENTORY}


def _run(r: Recorder, name: str) -> None:
    result: list[Any] = []
    names = {
        "rbd": r.rbd,
        "rados": r.rados,
        "conf": r.conf,
        "pool": r.side.pool,
        "prefix": r.name("x-"),
        "result": result,
    }
    exec(compile(ALL[name], f"<{name}>", "exec"), names)
    assert result, "a program must show what it did"
    for value in result:
        r.note("result", value)


@scenario
def program_backup(r: Recorder) -> None:
    _run(r, "backup")


@scenario
def program_provisioning(r: Recorder) -> None:
    _run(r, "provisioning")


@scenario
def program_inventory(r: Recorder) -> None:
    _run(r, "inventory")
