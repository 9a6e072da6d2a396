"""Options of new images, and features as text."""

from __future__ import annotations

import copy
import gc
import json
import subprocess
from typing import Any

import pytest

from rbdcffi import rados, rbd
from rbdcffi._ffi import has
from rbdcffi.testing import Cluster

MIB = 1 << 20
RBD = rbd.RBD()
JOURNALING = rbd.RBD_FEATURE_JOURNALING
JOURNAL = {"journal_order": 20, "journal_splay_width": 3}


@pytest.fixture
def tool(ceph_conf: str, ioctx: rados.Ioctx) -> Any:
    """What Ceph's own tool says about an image."""

    def ask(*arguments: str, image: str) -> dict[str, Any]:
        command = ["rbd", "-c", ceph_conf, *arguments, "--format", "json"]
        done = subprocess.run(
            [*command, "--pool", ioctx.name, "--image", image],
            check=True,
            stdout=subprocess.PIPE,
            timeout=60,
        )
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    return ask


def features(ioctx: rados.Ioctx, name: str) -> int:
    with rbd.Image(ioctx, name) as image:
        return image.features()


def test_journals(ioctx: rados.Ioctx, fresh_name: str, ceph_pool: str, tool: Any) -> None:
    def check(name: str) -> None:
        journal = tool("journal", "info", image=name)
        assert (journal["order"], journal["splay_width"]) == (20, 3)
        assert journal["object_pool"] == ceph_pool

    options = rbd.ImageOptions(features_set=JOURNALING, journal_pool=ceph_pool, **JOURNAL)
    RBD.create(ioctx, fresh_name, MIB, **options)
    assert features(ioctx, fresh_name) == rbd.RBD_FEATURES_DEFAULT | JOURNALING
    check(fresh_name)
    with rbd.Image(ioctx, fresh_name) as image:
        image.copy(ioctx, f"{fresh_name}-copy", **options)
        image.create_snap("s")
        image.protect_snap("s")
    check(f"{fresh_name}-copy")
    RBD.clone(ioctx, fresh_name, "s", ioctx, f"{fresh_name}-clone", **options)
    check(f"{fresh_name}-clone")
    for suffix in ("-clone", "-copy"):
        RBD.remove(ioctx, f"{fresh_name}{suffix}")
    with rbd.Image(ioctx, fresh_name) as image:
        image.unprotect_snap("s")
        image.remove_snap("s")
    RBD.remove(ioctx, fresh_name)


def test_features_added_and_taken(ioctx: rados.Ioctx, fresh_name: str) -> None:
    taken = rbd.RBD_FEATURE_DEEP_FLATTEN
    RBD.create(ioctx, fresh_name, MIB, features_set=JOURNALING, features_clear=taken)
    assert features(ioctx, fresh_name) == rbd.RBD_FEATURES_DEFAULT & ~taken | JOURNALING
    RBD.create(ioctx, f"{fresh_name}-default", MIB)
    with rbd.Image(ioctx, f"{fresh_name}-default") as image:
        image.copy(ioctx, f"{fresh_name}-copy", features_set=JOURNALING, features_clear=taken)
    assert features(ioctx, f"{fresh_name}-copy") == features(ioctx, fresh_name)


def test_wrong_options(ioctx: rados.Ioctx, fresh_name: str) -> None:
    for options, error, text in (
        ({"features": 61 | JOURNALING, "journal_pool": "no-such-pool"}, rbd.ImageNotFound, ""),
        ({"features": 61 | JOURNALING, "journal_order": 99}, rbd.ArgumentOutOfRange, ""),
        ({"features": 61 | JOURNALING, "journal_splay_width": 0}, rbd.InvalidArgument, ""),
        ({"journal_order": -1}, OverflowError, "journal_order"),
        ({"journal_order": "20"}, TypeError, "journal_order"),
        ({"journal_pool": 5}, rbd.InvalidArgument, "journal_pool"),
        ({"features_set": 1 << 64}, OverflowError, "features_set"),
        ({"features_clear": 1.5}, TypeError, "features_clear"),
        ({"mirror_image_mode": 7}, rbd.InvalidArgument, "mirror_image_mode"),
        ({"old_format": True, "journal_order": 20}, rbd.InvalidArgument, "old_format"),
        ({"old_format": True, "features_set": 0}, rbd.InvalidArgument, "old_format"),
    ):
        with pytest.raises(error, match=rf"RBD\.create\('{fresh_name}'.*{text}"):
            RBD.create(ioctx, fresh_name, MIB, **options)  # type: ignore[arg-type]
    assert fresh_name not in RBD.list(ioctx)


@pytest.mark.skipif(not has("rbd_mirror_image_get_mode"), reason="Ceph 16")
def test_mirroring(
    cluster: rados.Rados, ceph_cluster: Cluster, ceph_pool: str, ceph_conf: str
) -> None:
    subprocess.run(
        ["rbd", "-c", ceph_conf, "mirror", "pool", "enable", ceph_pool, "image"], check=True
    )

    def mode(name: str) -> str | None:
        done = subprocess.run(
            ["rbd", "-c", ceph_conf, "info", f"{ceph_pool}/{name}", "--format", "json"],
            check=True,
            stdout=subprocess.PIPE,
        )
        found: str | None = json.loads(done.stdout).get("mirroring", {}).get("mode")
        return found

    snapshot = {"mirror_image_mode": rbd.RBD_MIRROR_IMAGE_MODE_SNAPSHOT}
    with cluster.open_ioctx(ceph_pool) as pool:
        RBD.create(pool, "plain", MIB)
        assert mode("plain") is None
        RBD.create(pool, "snapshots", MIB, **snapshot)
        assert mode("snapshots") == "snapshot"
        journal = rbd.RBD_MIRROR_IMAGE_MODE_JOURNAL
        RBD.create(pool, "journal", MIB, features_set=JOURNALING, mirror_image_mode=journal)
        assert mode("journal") == "journal"
        with rbd.Image(pool, "snapshots") as image:
            image.copy(pool, "copy", **snapshot)
            image.create_snap("s")
            image.protect_snap("s")
        assert mode("copy") == "snapshot"
        RBD.clone(pool, "snapshots", "s", pool, "clone", **snapshot)
        assert mode("clone") == "snapshot"


def test_a_mapping(ioctx: rados.Ioctx, fresh_name: str) -> None:
    options = rbd.ImageOptions(order=20, data_pool="rbd", flatten=True, features=None)
    assert dict(options) == {"order": 20, "data_pool": "rbd", "flatten": True}
    assert repr(options) == "ImageOptions(order=20, data_pool='rbd', flatten=True)"
    assert (len(options), bool(options)) == (3, True)
    assert "features" not in options
    assert "no-such-option" not in options
    assert options.get("features", 5) == 5
    assert options.pop("flatten") is True
    options.update(stripe_unit=4096, stripe_count=2)
    options["data_pool"] = "p" * 1000
    assert options["data_pool"] == "p" * 1000
    options["data_pool"] = None
    assert dict(options) == {"order": 20, "stripe_unit": 4096, "stripe_count": 2}
    options["features"] = (1 << 64) - 1
    assert options["features"] == (1 << 64) - 1
    del options["features"]
    RBD.create(ioctx, fresh_name, MIB, **options)
    with rbd.Image(ioctx, fresh_name) as image:
        assert (image.stat()["order"], image.stripe_unit(), image.stripe_count()) == (20, 4096, 2)
    options.clear()
    assert (dict(options), len(options), bool(options)) == ({}, 0, False)


def test_every_option_can_be_set_and_read() -> None:
    values: dict[str, Any] = {
        "format": 2,
        "features": 61,
        "order": 22,
        "stripe_unit": 4096,
        "stripe_count": 4,
        "journal_order": 24,
        "journal_splay_width": 4,
        "journal_pool": "t\u00fcr",
        "features_set": 64,
        "features_clear": 16,
        "data_pool": "data",
        "flatten": False,
        "clone_format": 2,
    }
    if has("rbd_mirror_image_get_mode"):
        values["mirror_image_mode"] = rbd.RBD_MIRROR_IMAGE_MODE_SNAPSHOT
    options = rbd.ImageOptions(**values)
    assert dict(options) == values
    assert list(options) == list(values)
    for name in values:
        del options[name]
        assert name not in options
    assert not options


def test_a_mapping_refuses() -> None:
    options = rbd.ImageOptions()
    for name in ("no-such-option", 5, None, []):
        with pytest.raises(KeyError):
            options[name]  # type: ignore[index]
        with pytest.raises(KeyError):
            options[name] = 1  # type: ignore[index]
    for name in ("order", "data_pool"):
        with pytest.raises(KeyError, match=name):
            options[name]
        with pytest.raises(KeyError, match=name):
            del options[name]
    for name, value, error in (
        ("order", "x", TypeError),
        ("order", -1, OverflowError),
        ("data_pool", 5, rbd.InvalidArgument),
        ("data_pool", "a\0b", rbd.InvalidArgument),
        ("mirror_image_mode", 9, rbd.InvalidArgument),
    ):
        with pytest.raises(error, match=name):
            options[name] = value
    with pytest.raises(TypeError, match="no_such_option"):
        rbd.ImageOptions(no_such_option=1)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="copied"):
        copy.copy(options)
    with options:
        pass
    with pytest.raises(rbd.LogicError):
        options["order"] = 5
    assert repr(options) == "<ImageOptions, gone>"
    del options
    gc.collect()


@pytest.mark.skipif(not has("rbd_features_to_string"), reason="Ceph 16")
def test_features_as_text() -> None:
    names = RBD.features_to_string(rbd.RBD_FEATURES_DEFAULT)
    assert names == "deep-flatten,exclusive-lock,fast-diff,layering,object-map"
    assert RBD.features_to_string(0) == ""
    everything = RBD.features_to_string(rbd.RBD_FEATURES_ALL)
    assert RBD.features_from_string(everything) == rbd.RBD_FEATURES_ALL
    for name, value in vars(rbd).items():
        if name.startswith("RBD_FEATURE_NAME_"):
            bit = getattr(rbd, name.replace("_NAME", ""))
            assert RBD.features_to_string(bit) == value
            assert RBD.features_from_string(value) == bit
    assert RBD.features_from_string("5") == 5
    assert RBD.features_from_string("") == rbd.RBD_FEATURES_DEFAULT
    with pytest.raises(rbd.InvalidArgument, match="features_to_string"):
        RBD.features_to_string(1 << 40)
    with pytest.raises(rbd.InvalidArgument, match="no-such-feature"):
        RBD.features_from_string("layering,no-such-feature")
    with pytest.raises(rbd.InvalidArgument, match="str_features must be a string"):
        RBD.features_from_string(None)  # type: ignore[arg-type]
    with pytest.raises(OverflowError, match="features_to_string"):
        RBD.features_to_string(-1)
    with pytest.raises(TypeError, match="features_to_string"):
        RBD.features_to_string("x")  # type: ignore[arg-type]
