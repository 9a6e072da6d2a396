"""Live migration and live import."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import MIB

from rbdcffi import rados, rbd
from rbdcffi._ffi import has

RBD = rbd.RBD()
STATE = {
    "prepared": rbd.RBD_IMAGE_MIGRATION_STATE_PREPARED,
    "executed": rbd.RBD_IMAGE_MIGRATION_STATE_EXECUTED,
}

needs_16 = pytest.mark.skipif(not has("rbd_migration_prepare_import"), reason="needs Ceph 16")


@pytest.fixture
def source(ioctx: rados.Ioctx, image_name: str) -> str:
    """The name of an image with data and a snapshot, that is not open."""
    with rbd.Image(ioctx, image_name) as image:
        image.write(b"then", 5 * MIB)
        image.create_snap("snap")
        image.write(b"now!", 5 * MIB)
    return image_name


def state(ioctx: rados.Ioctx, name: str) -> int:
    found = RBD.migration_status(ioctx, name)["state"]
    assert isinstance(found, int)
    return found


def test_migration(ioctx: rados.Ioctx, source: str, ceph_pool: str, cluster: rados.Rados) -> None:
    target = f"{source}-target"
    with rbd.Image(ioctx, source) as image:
        source_id = image.id()
    with cluster.open_ioctx(ceph_pool) as elsewhere:
        RBD.migration_prepare(ioctx, source, elsewhere, target)
        status = RBD.migration_status(elsewhere, target)
        with rbd.Image(elsewhere, target) as image:
            assert image.features() & rbd.RBD_FEATURE_MIGRATING
            assert image.read(5 * MIB, 4) == b"now!"
            image.write(b"new!", 0)
            if has("rbd_get_migration_source_spec"):
                assert image.migration_source_spec() == {
                    "type": "native",
                    "pool_id": ioctx.get_pool_id(),
                    "pool_namespace": "",
                    "image_id": source_id,
                    "image_name": source,
                }
            assert status == {
                "source_pool_id": ioctx.get_pool_id(),
                "source_pool_namespace": "",
                "source_image_name": source,
                "source_image_id": source_id,
                "dest_pool_id": elsewhere.get_pool_id(),
                "dest_pool_namespace": "",
                "dest_image_name": target,
                "dest_image_id": image.id(),
                "state": STATE["prepared"],
                "state_description": "",
            }
        assert source not in RBD.list(ioctx)
        with pytest.raises(rbd.InvalidArgument, match="migration_commit"):
            RBD.migration_commit(elsewhere, target)  # not executed yet
        seen: list[tuple[int, int]] = []
        RBD.migration_execute(elsewhere, target, lambda *step: seen.append(step))
        assert seen and all(0 <= done <= total for done, total in seen)
        assert state(elsewhere, target) == STATE["executed"]
        RBD.migration_commit(elsewhere, target, on_progress=lambda *step: seen.append(step))
        with rbd.Image(elsewhere, target) as image:
            assert image.read(5 * MIB, 4) == b"now!" and image.read(0, 4) == b"new!"
            assert not image.features() & rbd.RBD_FEATURE_MIGRATING
            if has("rbd_get_migration_source_spec"):
                with pytest.raises(rbd.InvalidArgument, match="migration_source_spec"):
                    image.migration_source_spec()
            image.set_snap("snap")
            assert image.read(5 * MIB, 4) == b"then"
        with pytest.raises(rbd.InvalidArgument, match=r"RBD\.migration_status"):
            RBD.migration_status(elsewhere, target)


def test_options_and_abort(ioctx: rados.Ioctx, source: str) -> None:
    """Into another layout, under the same name, and back."""
    features = rbd.RBD_FEATURE_LAYERING
    RBD.migration_prepare(ioctx, source, ioctx, source, features, 20, 65536, 16, ioctx.name)
    with rbd.Image(ioctx, source) as image:
        assert image.stat()["order"] == 20
        assert (image.stripe_unit(), image.stripe_count()) == (65536, 16)
        assert image.features() & rbd.RBD_FEATURES_SINGLE_CLIENT == 0
        assert image.read(5 * MIB, 4) == b"now!"
    seen: list[tuple[int, int]] = []
    RBD.migration_abort(ioctx, source, lambda *step: seen.append(step))
    with rbd.Image(ioctx, source) as image:
        assert image.stat()["order"] == 22
        assert image.read(5 * MIB, 4) == b"now!"


@pytest.mark.parametrize("flatten", [False, True])
def test_a_clone(ioctx: rados.Ioctx, source: str, flatten: bool) -> None:
    name = f"{source}-clone"
    RBD.clone(ioctx, source, "snap", ioctx, name, clone_format=2)
    if flatten and not has("rbd_migration_prepare_import"):
        with pytest.raises(rbd.InvalidArgument, match="Ceph 16"):
            RBD.migration_prepare(ioctx, name, ioctx, name, flatten=True)
        return
    RBD.migration_prepare(ioctx, name, ioctx, name, clone_format=2, flatten=flatten)
    RBD.migration_execute(ioctx, name)
    RBD.migration_commit(ioctx, name)
    with rbd.Image(ioctx, name) as image:
        assert image.read(5 * MIB, 4) == b"then"
        assert bool(image.overlap()) == (not flatten)


def test_busy(ioctx: rados.Ioctx, source: str) -> None:
    with rbd.Image(ioctx, source):
        with pytest.raises(rbd.ImageBusy, match=rf"RBD\.migration_prepare\('{source}'"):
            RBD.migration_prepare(ioctx, source, ioctx, "never")
    assert "never" not in RBD.list(ioctx)


def test_wrong_arguments(ioctx: rados.Ioctx, source: str) -> None:
    for call in ("migration_execute", "migration_commit", "migration_abort", "migration_status"):
        method = getattr(RBD, call)
        with pytest.raises(rbd.ImageNotFound, match=rf"RBD\.{call}\('nope'\) in pool"):
            method(ioctx, "nope")
        with pytest.raises(rbd.InvalidArgument, match=rf"RBD\.{call}\('{source}'\)"):
            method(ioctx, source)
        with pytest.raises(rbd.InvalidArgument, match=rf"RBD\.{call}.*image_name"):
            method(ioctx, None)
        with pytest.raises(TypeError, match=r"rbdcffi\.rados\.Ioctx"):
            method(None, source)
        if call != "migration_status":
            with pytest.raises(TypeError, match="on_progress must be callable"):
                method(ioctx, source, 5)
    prepare = RBD.migration_prepare
    with pytest.raises(rbd.ImageNotFound, match=r"RBD\.migration_prepare\('nope'"):
        prepare(ioctx, "nope", ioctx, "never")
    with pytest.raises(TypeError, match="dest_ioctx"):
        prepare(ioctx, source, None, "never")  # type: ignore[arg-type]
    with pytest.raises(rbd.InvalidArgument, match="dest_image_name"):
        prepare(ioctx, source, ioctx, None)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"RBD\.migration_prepare.*order"):
        prepare(ioctx, source, ioctx, "never", order="22")  # type: ignore[arg-type]
    assert "never" not in RBD.list(ioctx)


# -- import ------------------------------------------------------------------------------------


def of_file(path: Path) -> dict[str, Any]:
    return {"type": "raw", "stream": {"type": "file", "file_path": str(path)}}


@needs_16
def test_import_of_a_file(ioctx: rados.Ioctx, fresh_name: str, tmp_path: Path) -> None:
    disk = tmp_path / "disk.raw"
    disk.write_bytes(b"begin" + bytes(5 * MIB) + b"end" + bytes(1020))
    spec = of_file(disk)
    RBD.migration_prepare_import(json.dumps(spec), ioctx, fresh_name)
    status = RBD.migration_status(ioctx, fresh_name)
    assert (status["source_pool_id"], status["source_image_name"]) == (-1, "")
    assert (status["dest_image_name"], status["state"]) == (fresh_name, STATE["prepared"])
    with rbd.Image(ioctx, fresh_name) as image:
        assert image.migration_source_spec() == spec
        assert image.size() == disk.stat().st_size
        assert image.read(0, 5) == b"begin"  # not copied yet
        image.write(b"BEGIN", 0)
    RBD.migration_execute(ioctx, fresh_name)
    RBD.migration_commit(ioctx, fresh_name)
    disk.unlink()
    with rbd.Image(ioctx, fresh_name) as image:
        assert image.read(0, image.size()) == b"BEGIN" + bytes(5 * MIB) + b"end" + bytes(1020)


@needs_16
def test_import_of_an_image(ioctx: rados.Ioctx, source: str) -> None:
    spec = {
        "type": "native",
        "pool_name": ioctx.name,
        "image_name": source,
        "snap_name": "snap",
    }
    target = f"{source}-imported"
    RBD.migration_prepare_import(json.dumps(spec), ioctx, target, 1, 20, data_pool=ioctx.name)
    with rbd.Image(ioctx, target) as image:
        assert image.stat()["order"] == 20
        assert image.read(5 * MIB, 4) == b"then"
    RBD.migration_abort(ioctx, target)
    assert target not in RBD.list(ioctx) and source in RBD.list(ioctx)


@needs_16
def test_import_errors(ioctx: rados.Ioctx, image_name: str, tmp_path: Path) -> None:
    prepare = RBD.migration_prepare_import
    bad: list[tuple[Any, type[Exception]]] = [
        ("", rbd.InvalidArgument),
        ("no JSON", rbd.OSError),
        ("{}", rbd.InvalidArgument),
        ('{"type": "foo"}', rbd.FunctionNotSupported),
        (json.dumps(of_file(tmp_path / "missing")), rbd.ImageNotFound),
        (None, rbd.InvalidArgument),
        ({"type": "raw"}, rbd.InvalidArgument),
    ]
    for spec, error in bad:
        with pytest.raises(error, match=r"RBD\.migration_prepare_import\("):
            prepare(spec, ioctx, "never")
    disk = tmp_path / "disk.raw"
    disk.write_bytes(bytes(MIB))
    with pytest.raises(rbd.ImageExists, match=image_name):
        prepare(json.dumps(of_file(disk)), ioctx, image_name)
    assert "never" not in RBD.list(ioctx)
