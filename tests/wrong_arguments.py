"""Calls every public method of one class with wrong arguments, one after the other.

Run by test_wrong_arguments.py, in a process of its own: python wrong_arguments.py CLASS CONF POOL.
Says what it is about to do, so that a crash or a hang can be told apart, and prints each finding.
"""

from __future__ import annotations

import inspect
import itertools
import os
import re
import sys
from collections.abc import Callable, Iterator
from typing import Any

from rbdcffi import rados, rbd

MIB = 1 << 20

WRONG = [None, 5, 1.5, object(), b"\xff", "x\0y", "\ud800", -1, 1 << 70, [None], (), True]

DOCUMENTED = (rados.Error, rbd.Error, TypeError, OverflowError, ValueError)

#: They raise KeyError, as dictionaries do.
KEYS = frozenset(
    f"{kind}_{call}"
    for kind in ("Image.config", "Image.metadata", "RBD.config", "RBD.pool_metadata")
    for call in ("get", "remove")
) | {"Ioctx.application_metadata_get"}

#: {parameter: a good value}; {method.parameter: ...} goes first. Functions are given the setting.
GOOD: dict[str, Any] = {
    "args": [],
    "auid": 0,
    "buffer": lambda s: bytearray(16),
    "buffers": lambda s: [bytearray(16)],
    "c_ioctx": lambda s: s.ioctx,
    "c_name": lambda s: s.fresh(),
    "client": "client.4711",
    "clone_format": 2,
    "clustername": "ceph",
    "cmd": '{"prefix": "fsid"}',
    "compare": b"a",
    "conf": {},
    "conf_defaults": {},
    "conffile": lambda s: s.conf,
    "context": None,
    "cookie": "cookie",
    "crush_rule": 0,
    "data": b"a",
    "data_pool": None,
    "dest": lambda s: s.fresh(),
    "dest_ioctx": lambda s: s.ioctx,
    "dest_name": lambda s: s.fresh(),
    "dstname": "renamed",
    "fadvise_flags": 0,
    "features": 1,
    "flags": 0,
    "from_snapshot": None,
    "image_id": None,
    "inbuf": b"",
    "ioctx": lambda s: s.ioctx,
    "ioctx_name": lambda s: s.pool,
    "iterate_cb": lambda s: lambda *extent: None,
    "key": "object",
    "length": 16,
    "loc_key": "key",
    "mode": "r",
    "mon_id": "a",
    "name": lambda s: s.name,
    "nspace": "",
    "offset": 0,
    "oid": "object",
    "old_format": False,
    "on_progress": None,
    "oncomplete": None,
    "op_timeout": None,
    "option": "rbd_cache",
    "order": None,
    "osdid": 0,
    "p_ioctx": lambda s: s.ioctx,
    "p_name": lambda s: s.name,
    "p_snapname": None,
    "p_snapshot": "snap",
    "path": lambda s: s.conf,
    "pgid": "1.0",
    "pool_id": lambda s: s.ioctx.get_pool_id(),
    "pool_name": lambda s: s.pool,
    "rados_id": None,
    "read_only": False,
    "size": MIB,
    "snap_id": rados.LIBRADOS_SNAP_HEAD,
    "snapshot": None,
    "src": lambda s: s.name,
    "srcname": "snap",
    "stripe_count": None,
    "stripe_unit": None,
    "tag": "tag",
    "target": None,
    "timeout": 0,
    "val": "true",
    "var": "CEPH_ARGS",
    "whole_object": False,
    "include_parent": True,
    "xattr_name": "attribute",
    "xattr_value": b"value",
    "zero_flags": 0,
    "attributes": {},
    "callback": lambda s: lambda *args: None,
    "cipher_alg": rbd.RBD_ENCRYPTION_ALGORITHM_AES256,
    "client_name": "client.peer",
    "cluster_name": "other",
    "crc32c": 0,
    "delay": 0,
    "dest_image_name": lambda s: s.fresh(),
    "direction": rbd.RBD_MIRROR_PEER_DIRECTION_RX_TX,
    "expire_ts": None,
    "features_clear": None,
    "features_set": None,
    "flatten": False,
    "force": False,
    "format": rbd.RBD_ENCRYPTION_FORMAT_LUKS2,
    "image_name": lambda s: s.name,
    "image_ioctx": lambda s: s.ioctx,
    "journal_order": None,
    "journal_pool": None,
    "journal_splay_width": None,
    "limit": 100,
    "lock_mode": rbd.RBD_LOCK_MODE_EXCLUSIVE,
    "lock_owner": "owner",
    "mirror_image_mode": None,
    "mirror_mode": rbd.RBD_MIRROR_MODE_DISABLED,
    "mode_filter": None,
    "new_snap_name": "renamed",
    "old_snap_name": "snap",
    "on_quiesce": lambda s: lambda: None,
    "on_unquiesce": lambda s: lambda: None,
    "passphrase": b"secret",
    "rados": lambda s: s.cluster,
    "remote_namespace": "other",
    "site_name": "other",
    "snap_name": "snap",
    "source_spec": "{}",
    "sparse_size": 4096,
    "specs": [],
    "str_features": "layering",
    "threshold": -1,
    "token": "token",
    "uuid": "uuid",
    "value": "true",
    "checksum_type": rados.LIBRADOS_CHECKSUM_TYPE_CRC32C,
    "chunk_size": None,
    "cls": "hello",
    "cmp_buf": b"content",
    "cmp_op": rados.LIBRADOS_CMPXATTR_OP_EQ,
    "exclusive": None,
    "expected_object_size": 0,
    "expected_write_size": 0,
    "filter_prefix": "",
    "flag": 0,
    "init_value": 0,
    "key_begin": "a",
    "key_end": "b",
    "keys": lambda s: ["key"],
    "max_return": 5,
    "method": "say_hello",
    "mtime": 0,
    "mtime_ns": None,
    "omap_key_type": bytes,
    "pairs": lambda s: {"key": b"value"},
    "read_op": lambda s: s.ioctx.create_read_op(),
    "start_after": "",
    "to_write": b"a",
    "values": lambda s: [b"value"],
    "version": 1,
    "write_len": 4,
    "write_op": lambda s: s.ioctx.create_write_op(),
    "Ioctx.operate_write_op.oid": lambda s: s.fresh(),
    "WriteOp.omap_cmp.val": b"value",
    "ReadOp.omap_cmp.val": b"value",
    "allow_shrink": True,
    "enabled": True,
    "object_name": "object",
    "onsafe": None,
    "to_append": b"a",
    "type": rados.LIBRADOS_CHECKSUM_TYPE_CRC32C,
    "app_name": "rbd",
    "client_address": "127.0.0.1:0/4711",
    "count": 4,
    "daemon": "daemon",
    "desc": "",
    "duration": None,
    "error_callback": None,
    "expire_seconds": 60,
    "level": "info",
    "metadata": {},
    "msg": "",
    "obj": "object",
    "service": "service",
    "snaps": [],
    "status": {},
    "timeout_ms": 1000,
    "Ioctx.aio_notify.oncomplete": lambda s: lambda *args: None,
    "Ioctx.checksum.chunk_size": 0,
    "Ioctx.list_page.finish": None,
    "Ioctx.list_page.start": None,
    "Ioctx.list_slices.finish": None,
    "Ioctx.list_slices.start": None,
    "Image.create_snap.name": lambda s: s.fresh(),
    "Image.remove_snap.name": "snap",
    "Image.rollback_to_snap.name": "snap",
    "Image.protect_snap.name": "snap",
    "Image.unprotect_snap.name": "snap",
    "Image.is_protected_snap.name": "snap",
    "Image.set_snap.name": "snap",
    "Image.update_features.features": rbd.RBD_FEATURE_JOURNALING,
    "Image.copy.features": None,
    "Image.config_get.key": "rbd_cache",
    "Image.config_set.key": "rbd_cache",
    "Image.config_remove.key": "rbd_cache",
    "Image.mirror_image_enable.mode": rbd.RBD_MIRROR_IMAGE_MODE_JOURNAL,
    "RBD.config_get.key": "rbd_cache",
    "RBD.config_set.key": "rbd_cache",
    "RBD.config_remove.key": "rbd_cache",
    "RBD.group_create.name": lambda s: s.fresh(),
    "RBD.namespace_create.name": lambda s: s.fresh(),
    "RBD.trash_restore.name": lambda s: s.fresh(),
    "RBD.aio_open_image.oncomplete": lambda s: lambda completion, image: settle(image),
    "Image.aio_read.oncomplete": lambda s: lambda completion, data: None,
    "Image().name": lambda s: s.name,
    "Group().name": lambda s: s.group_name,
    "Group.create_snap.snap_name": lambda s: s.fresh(),
    "Group.rollback_to_snap.name": "snap",
    "RBD.create.name": lambda s: s.fresh(),
    "RBD.remove.name": lambda s: s.fresh(),
    "RBD.clone.features": None,
    "Rados().name": None,
    "Rados.create_pool.pool_name": lambda s: s.fresh(),
    "Rados.delete_pool.pool_name": lambda s: s.fresh(),
    "Ioctx().name": lambda s: s.pool,
    "Ioctx().rados": lambda s: s.cluster,
}

#: {method or method.parameter: (the values that are not tried, why)}; no values: none is tried.
SKIPPED: dict[str, tuple[tuple[Any, ...], str]] = {
    "Rados.get_inconsistent_pgs": ((5, -1, True), "without a manager it waits for one"),
    "Rados.mgr_command": ((b"\xff", "x\0y", (), True), "without a manager it waits for one"),
    "Rados.mgr_command.target": ((None,), "without a manager it waits for one"),
    "Rados.mgr_command.timeout": ((), "it is ignored, and without a manager the call waits"),
    "Ioctx.create_snap": ((b"\xff",), "images of a pool with a snapshot of its own have none"),
    "Image().oncomplete": ((), "it is ignored, for the signature"),
    "Image()._oncomplete": ((), "it is for RBD.aio_open_image"),
    "Image.encryption_format.passphrase": (
        (b"\xff", "x\0y"),
        "it would be one, and the key takes seconds to derive",
    ),
}

#: Other texts that name a call as well: the step of a constructor that fails.
ALSO_NAMED = {"Image()": "open image", "Ioctx()": "Rados.open_ioctx", "Rados()": "Rados.conf_"}


def skipped(qualified: str, parameter: str, value: Any) -> bool:
    for key in (qualified, f"{qualified}.{parameter}"):
        values, _ = SKIPPED.get(key, ((value,), ""))
        if key in SKIPPED and (
            not values or any(type(value) is type(one) and value == one for one in values)
        ):
            return True
    return False


class Setting:
    """A connection, a pool and an image to try things on."""

    def __init__(self, conf: str, pool: str) -> None:
        self.conf, self.pool = conf, pool
        self.numbers = itertools.count(1)
        self.cluster = rados.Rados(conffile=conf)
        self.cluster.connect()
        self.ioctx = self.cluster.open_ioctx(pool)
        self.ioctx.write_full("object", b"content")
        self.ioctx.set_xattr("object", "attribute", b"value")
        self.name = self.group_name = ""
        self.image: rbd.Image | None = None

    def fresh(self) -> str:
        return f"wrong-{os.getpid()}-{next(self.numbers)}"

    def new_image(self) -> str:
        """An image with a snapshot that can be cloned."""
        self.name = self.fresh()
        rbd.RBD().create(self.ioctx, self.name, MIB)
        with rbd.Image(self.ioctx, self.name) as image:
            image.write(b"a" * 16, 0)
            image.create_snap("snap")
        return self.name

    def new_group(self) -> rbd.Group:
        """A group of such an image, with a snapshot."""
        self.group_name = self.fresh()
        rbd.RBD().group_create(self.ioctx, self.group_name)
        group = rbd.Group(self.ioctx, self.group_name)
        group.add_image(self.ioctx, self.new_image())
        group.create_snap("snap")
        return group


def subjects(kind: str, method: str, setting: Setting) -> Iterator[Any]:
    """Objects to call the method on; a used one is dropped after a call that succeeded."""
    while True:
        if kind == "RBD":
            setting.new_image()
            yield rbd.RBD()
        elif kind == "Group":
            yield setting.new_group()
        elif kind == "Image":
            with rbd.Image(setting.ioctx, setting.new_image()) as image:
                yield image
        elif kind == "Ioctx":
            with setting.cluster.open_ioctx(setting.pool) as ioctx:
                yield ioctx
        elif kind in ("WriteOp", "ReadOp"):
            # flags belong to a step
            op = getattr(rados, kind)().create()
            op.assert_exists()
            yield op
            op.release()
        elif method in ("connect", "conf_set", "conf_parse_argv", "conf_parse_env"):
            other = rados.Rados(conffile=setting.conf)
            yield other
            other.shutdown()
        else:
            yield setting.cluster


def good(qualified: str, parameter: str, setting: Setting) -> Any:
    value = GOOD.get(f"{qualified}.{parameter}", GOOD.get(parameter, GOOD))
    if value is GOOD:
        sys.exit(f"{qualified}: no good value for {parameter!r}; add one to GOOD")
    return value(setting) if inspect.isfunction(value) else value


def settle(result: Any) -> None:
    """Ends what a call that succeeded has started."""
    if isinstance(result, (rados.Completion, rbd.Completion)):
        result.wait_for_complete_and_cb()
    elif hasattr(result, "shutdown"):
        result.shutdown()
    elif hasattr(result, "close"):
        result.close()


def judge(qualified: str, error: BaseException) -> str | None:
    """What is wrong with an error."""
    documented = (*DOCUMENTED, KeyError) if qualified in KEYS else DOCUMENTED
    if not isinstance(error, documented) or isinstance(error, UnicodeError):
        return "is not documented"
    text = str(error)
    # a constructor is followed by its arguments, a method by anything but more of a name
    name = re.escape(qualified[:-1]) if qualified.endswith("()") else rf"{qualified}(?!\w)"
    if re.search(rf"(?<!\w){name}", text):
        return None
    if qualified in ALSO_NAMED and ALSO_NAMED[qualified] in text:
        return None
    return "does not name the call"


def attempts(kind: str) -> Iterator[tuple[str, str, str, list[inspect.Parameter]]]:
    """(method, its name in errors, parameter, all parameters)"""
    cls = {
        "Rados": rados.Rados,
        "Ioctx": rados.Ioctx,
        "Image": rbd.Image,
        "RBD": rbd.RBD,
        "Group": rbd.Group,
        "WriteOp": rados.WriteOp,
        "ReadOp": rados.ReadOp,
    }[kind]
    for method, function in inspect.getmembers(cls, inspect.isfunction):
        if method.startswith("_") and method != "__init__":
            continue
        qualified = f"{kind}()" if method == "__init__" else f"{kind}.{method}"
        if method == "__init__" and kind in ("RBD", "WriteOp", "ReadOp"):
            continue
        parameters = list(inspect.signature(function).parameters.values())[1:]
        for parameter in parameters:
            yield method, qualified, parameter.name, parameters


def calls(
    setting: Setting, qualified: str, wrong: str, parameters: list[inspect.Parameter]
) -> Callable[[Any, Any], Any]:
    def call(target: Any, value: Any) -> Any:
        positional: list[Any] = []
        keywords: dict[str, Any] = {}
        for parameter in parameters:
            name = parameter.name
            if name == wrong:
                given = value
            elif parameter.default is inspect.Parameter.empty or f"{qualified}.{name}" in GOOD:
                given = good(qualified, name, setting)
            elif parameter.kind is not parameter.VAR_POSITIONAL:
                continue
            else:
                given = "configuring"
            if parameter.kind is parameter.VAR_POSITIONAL:
                positional.append(given)
            else:
                keywords[name] = given
        return target(*positional, **keywords)

    return call


def main(kind: str, conf: str, pool: str) -> int:
    setting = Setting(conf, pool)
    findings = count = 0
    for method, qualified, wrong, parameters in attempts(kind):
        call = calls(setting, qualified, wrong, parameters)
        made = subjects(kind, method, setting)
        subject = next(made)
        for value in WRONG:
            if skipped(qualified, wrong, value):
                continue
            # read by the parent if this process ends here
            print(f"{qualified} with {wrong}={value!r}", flush=True)
            count += 1
            target = type(subject) if method == "__init__" else getattr(subject, method)
            try:
                settle(call(target, value))
            except BaseException as error:
                problem = judge(qualified, error)
                if problem:
                    findings += 1
                    print(f"FOUND {qualified} with {wrong}={value!r} {problem}: {error!r}")
            else:
                subject = next(made)
        made.close()
    setting.ioctx.close()
    setting.cluster.shutdown()
    print(f"{count} calls, {findings} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
