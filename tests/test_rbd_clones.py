"""Clones, their parents, flattening, and copies."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from typing import Any

import pytest
from conftest import MIB

from rbdcffi import rados, rbd
from rbdcffi._ffi import has

SIZE = 16 * MIB


@pytest.fixture
def parent(image: rbd.Image) -> rbd.Image:
    """An image with data and a protected snapshot of it, named snap."""
    image.write(b"parent", 0)
    image.write(b"parent", 8 * MIB)
    image.create_snap("snap")
    image.protect_snap("snap")
    return image


@pytest.fixture
def clone(ioctx: rados.Ioctx, parent: rbd.Image, fresh_name: str) -> Iterator[rbd.Image]:
    name = f"{fresh_name}-clone"
    rbd.RBD().clone(ioctx, parent.name, "snap", ioctx, name)
    with rbd.Image(ioctx, name) as opened:
        yield opened


def test_clone(ioctx: rados.Ioctx, parent: rbd.Image, clone: rbd.Image) -> None:
    assert clone.size() == SIZE == clone.overlap()
    assert clone.parent_info() == (ioctx.name, parent.name, "snap")
    assert clone.read(0, 6) == b"parent"
    clone.write(b"clone!", 0)
    assert clone.read(0, 6) == b"clone!"
    assert clone.read(8 * MIB, 6) == b"parent"
    assert parent.read(0, 6) == b"parent"


def test_every_way_to_call_it(ioctx: rados.Ioctx, parent: rbd.Image, fresh_name: str) -> None:
    rbd_ = rbd.RBD()
    layering = rbd.RBD_FEATURE_LAYERING
    made = [f"{fresh_name}-{number}" for number in range(6)]
    rbd_.clone(ioctx, parent.name, "snap", ioctx, made[0], layering)
    rbd_.clone(ioctx, parent.name, p_snapname="snap", c_ioctx=ioctx, c_name=made[1])
    rbd_.clone(ioctx, parent.name, p_snapshot="snap", c_ioctx=ioctx, c_name=made[2])
    # the reference's defaults, given
    rbd_.clone(ioctx, parent.name, "snap", ioctx, made[3], 0, None, 0, 0)
    rbd_.clone(ioctx, parent.name, "snap", ioctx, made[4], layering, 20, 65536, 16)
    rbd_.clone(
        p_ioctx=ioctx,
        p_name=parent.name,
        p_snapname="snap",
        c_ioctx=ioctx,
        c_name=made[5],
        features=layering,
        order=21,
        stripe_unit=65536,
        stripe_count=8,
        clone_format=2,
    )
    parent.set_snap("snap")
    assert sorted(parent.list_children()) == [(ioctx.name, name) for name in sorted(made)]
    facts = []
    for name in made:
        with rbd.Image(ioctx, name, read_only=True) as image:
            assert image.read(0, 6) == b"parent"
            facts.append((image.stat()["order"], image.stripe_unit(), image.stripe_count()))
    assert facts[:4] == [(22, 4 * MIB, 1)] * 4
    assert facts[4:] == [(20, 65536, 16), (21, 65536, 8)]
    with rbd.Image(ioctx, made[0], read_only=True) as image:
        assert image.features() & rbd.RBD_FEATURES_SINGLE_CLIENT == 0


@pytest.mark.parametrize("clone_format", [1, 2])
def test_formats(ioctx: rados.Ioctx, image: rbd.Image, clone_format: int) -> None:
    image.write(b"x", 0)
    image.create_snap("snap")
    name = f"{image.name}-clone"
    if clone_format == 1:
        with pytest.raises(rbd.InvalidArgument, match=r"RBD\.clone"):  # not protected
            rbd.RBD().clone(ioctx, image.name, "snap", ioctx, name, clone_format=1)
        image.protect_snap("snap")
    rbd.RBD().clone(ioctx, image.name, "snap", ioctx, name, clone_format=clone_format)
    assert image.list_children() == [(ioctx.name, name)]
    with rbd.Image(ioctx, name) as clone:
        assert clone.read(0, 1) == b"x"
        child = clone.op_features() & rbd.RBD_OPERATION_FEATURE_CLONE_CHILD
        assert bool(child) == (clone_format == 2)


def test_clone_errors(ioctx: rados.Ioctx, parent: rbd.Image, fresh_name: str) -> None:
    make = rbd.RBD().clone
    child = f"{fresh_name}-child"
    missing = f"{fresh_name}-missing"
    with pytest.raises(rbd.ImageNotFound, match=rf"RBD\.clone\('{missing}', 'snap'.*'{child}'"):
        make(ioctx, missing, "snap", ioctx, child)
    with pytest.raises(rbd.ImageNotFound, match="'nope'") as caught:
        make(ioctx, parent.name, "nope", ioctx, child)
    assert caught.value.errno == errno.ENOENT
    with pytest.raises(rbd.ImageExists, match=r"RBD\.clone"):
        make(ioctx, parent.name, "snap", ioctx, parent.name)
    with pytest.raises(rbd.FunctionNotSupported):
        make(ioctx, parent.name, "snap", ioctx, child, features=rbd.RBD_FEATURE_EXCLUSIVE_LOCK)
    with pytest.raises(rbd.ArgumentOutOfRange):
        make(ioctx, parent.name, "snap", ioctx, child, order=5)
    with pytest.raises(TypeError, match="p_snapname"):
        make(ioctx, parent.name, "snap", ioctx, child, p_snapname="snap")
    with pytest.raises(TypeError, match="c_ioctx"):
        make(ioctx, parent.name, "snap")
    with pytest.raises(TypeError, match=r"c_ioctx must be an rbdcffi\.rados\.Ioctx"):
        make(ioctx, parent.name, "snap", "rbd", child)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"p_ioctx must be an rbdcffi\.rados\.Ioctx"):
        make(None, parent.name, "snap", ioctx, child)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="order must be an integer"):
        make(ioctx, parent.name, "snap", ioctx, child, order="22")  # type: ignore[arg-type]
    with pytest.raises(OverflowError, match="stripe_unit"):
        make(ioctx, parent.name, "snap", ioctx, child, stripe_unit=-1)
    for name in (None, 5, "a\0b", "\ud800"):
        with pytest.raises(rbd.InvalidArgument, match="c_name"):
            make(ioctx, parent.name, "snap", ioctx, name)  # type: ignore[arg-type]
    if not has("rbd_clone4"):
        with pytest.raises(rbd.InvalidArgument, match="Ceph 20"):
            make(ioctx, parent.name, 1, ioctx, child)
    assert child not in rbd.RBD().list(ioctx)


def test_no_parent(image: rbd.Image) -> None:
    with pytest.raises(rbd.ImageNotFound, match=r"Image\.parent_info") as caught:
        image.parent_info()
    assert caught.value.errno == errno.ENOENT and image.name in str(caught.value)
    assert image.overlap() == 0
    with pytest.raises(rbd.InvalidArgument, match=r"Image\.flatten") as invalid:
        image.flatten()
    assert invalid.value.errno == errno.EINVAL
    assert image.list_children() == []


def test_overlap_follows_the_size(clone: rbd.Image) -> None:
    clone.resize(2 * SIZE)
    assert clone.overlap() == SIZE
    clone.create_snap("large")
    clone.resize(SIZE // 4)
    assert clone.overlap() == SIZE // 4
    clone.resize(SIZE)
    assert clone.overlap() == SIZE // 4
    assert clone.read(8 * MIB, 6) == bytes(6)  # the parent does not shine through again
    clone.set_snap("large")
    assert clone.overlap() == SIZE


def test_children_of_a_snapshot(ioctx: rados.Ioctx, parent: rbd.Image, clone: rbd.Image) -> None:
    parent.create_snap("other")
    parent.protect_snap("other")
    other = f"{clone.name}-other"
    rbd.RBD().clone(ioctx, parent.name, "other", ioctx, other)
    first, second = (ioctx.name, clone.name), (ioctx.name, other)
    assert sorted(parent.list_children()) == sorted([first, second])
    parent.set_snap("snap")
    assert parent.list_children() == [first]
    parent.set_snap("other")
    assert parent.list_children() == [second]


def test_many_children(ioctx: rados.Ioctx, parent: rbd.Image) -> None:
    """More than the first table holds."""
    made = [f"{parent.name}-{number:02}" for number in range(20)]
    for name in made:
        rbd.RBD().clone(ioctx, parent.name, "snap", ioctx, name, features=1)
    assert sorted(parent.list_children()) == [(ioctx.name, name) for name in made]


def test_unprotect_with_children(parent: rbd.Image, clone: rbd.Image) -> None:
    if clone.op_features() & rbd.RBD_OPERATION_FEATURE_CLONE_CHILD:
        pytest.skip("clones of format 2 do not need the protection")
    with pytest.raises(rbd.ImageBusy, match=r"Image\.unprotect_snap\('snap'\)") as caught:
        parent.unprotect_snap("snap")
    assert caught.value.errno == errno.EBUSY


def test_flatten(parent: rbd.Image, clone: rbd.Image) -> None:
    clone.write(b"clone!", 0)
    seen: list[tuple[int, int]] = []
    clone.flatten(lambda done, total: seen.append((done, total)))
    assert seen and all(0 <= done <= total for done, total in seen)
    with pytest.raises(rbd.ImageNotFound):
        clone.parent_info()
    assert clone.overlap() == 0
    assert parent.list_children() == []
    assert clone.read(0, 6) == b"clone!"
    assert clone.read(8 * MIB, 6) == b"parent"
    parent.unprotect_snap("snap")
    parent.remove_snap("snap")
    assert clone.read(8 * MIB, 6) == b"parent"


@pytest.mark.parametrize("keyword", [False, True])
def test_flatten_without_progress(clone: rbd.Image, keyword: bool) -> None:
    if keyword:
        clone.flatten(on_progress=None)
    else:
        clone.flatten()
    with pytest.raises(rbd.ImageNotFound):
        clone.parent_info()
    with pytest.raises(TypeError, match="on_progress must be callable"):
        clone.flatten(5)


def test_exception_of_flatten_progress(clone: rbd.Image) -> None:
    error = KeyboardInterrupt()

    def progress(done: int, total: int) -> None:
        raise error

    with pytest.raises(KeyboardInterrupt) as caught:
        clone.flatten(progress)
    assert caught.value is error
    clone.write(b"still usable", 0)


# -- copies ------------------------------------------------------------------------------------


def test_copy(ioctx: rados.Ioctx, image: rbd.Image, ceph_pool: str, cluster: rados.Rados) -> None:
    image.write(b"data", 5 * MIB)
    image.create_snap("snap")
    image.write(b"more", 5 * MIB)
    seen: list[tuple[int, int]] = []
    name = f"{image.name}-copy"
    image.copy(ioctx, name, on_progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (SIZE, SIZE)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    with rbd.Image(ioctx, name) as copied:
        assert copied.size() == SIZE and list(copied.list_snaps()) == []
        assert copied.read(0, SIZE) == image.read(0, SIZE)
    image.set_snap("snap")
    with cluster.open_ioctx(ceph_pool) as elsewhere:
        image.copy(elsewhere, name)
        with rbd.Image(elsewhere, name) as copied:
            assert copied.read(5 * MIB, 4) == b"data"
            with pytest.raises(rbd.ImageNotFound):
                copied.parent_info()


def test_copy_of_a_clone(ioctx: rados.Ioctx, clone: rbd.Image) -> None:
    name = f"{clone.name}-copy"
    clone.copy(ioctx, name)
    with rbd.Image(ioctx, name) as copied:
        assert copied.read(8 * MIB, 6) == b"parent"
        assert copied.overlap() == 0


def test_copy_options(ioctx: rados.Ioctx, image: rbd.Image) -> None:
    image.write(b"data", 5 * MIB)
    default = f"{image.name}-default"
    image.copy(ioctx, default, 0, None, 0, 0)  # the reference's defaults, given
    image.copy(ioctx, f"{image.name}-1", 1, 20, 65536, 16)
    image.copy(
        dest_ioctx=ioctx,
        dest_name=f"{image.name}-2",
        features=1,
        order=21,
        stripe_unit=65536,
        stripe_count=8,
        data_pool=ioctx.name,
        on_progress=None,
    )
    with rbd.Image(ioctx, default) as copied:
        assert copied.features() == image.features()
        assert copied.stripe_count() == 1
    for number, order, count in ((1, 20, 16), (2, 21, 8)):
        with rbd.Image(ioctx, f"{image.name}-{number}") as copied:
            assert copied.stat()["order"] == order
            assert (copied.stripe_unit(), copied.stripe_count()) == (65536, count)
            assert copied.features() & rbd.RBD_FEATURE_LAYERING
            assert not copied.features() & rbd.RBD_FEATURE_EXCLUSIVE_LOCK
            assert copied.read(5 * MIB, 4) == b"data"


def test_copy_errors(ioctx: rados.Ioctx, image: rbd.Image) -> None:
    name = f"{image.name}-copy"
    with pytest.raises(rbd.ImageExists, match=rf"Image\.copy to '{image.name}'") as caught:
        image.copy(ioctx, image.name)
    assert caught.value.errno == errno.EEXIST
    with pytest.raises(TypeError, match=r"dest_ioctx must be an rbdcffi\.rados\.Ioctx"):
        image.copy(None, name)  # type: ignore[arg-type]
    with pytest.raises(rbd.ArgumentOutOfRange, match=r"Image\.copy"):
        image.copy(ioctx, name, order=5)
    with pytest.raises(rbd.InvalidArgument, match=r"Image\.copy"):
        image.copy(ioctx, name, stripe_unit=12345, stripe_count=2)
    with pytest.raises(rbd.InvalidArgument, match="dest_name"):
        image.copy(ioctx, "a\0b")
    with pytest.raises(rbd.InvalidArgument, match="data_pool"):
        image.copy(ioctx, name, data_pool=5)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="on_progress must be callable"):
        image.copy(ioctx, name, on_progress=5)
    bad: list[tuple[dict[str, Any], type[Exception]]] = [
        ({"order": "22"}, TypeError),
        ({"order": -1}, OverflowError),
        ({"features": 2**64}, OverflowError),
    ]
    for options, error in bad:
        with pytest.raises(error):
            image.copy(ioctx, name, **options)
    assert name not in rbd.RBD().list(ioctx)


def test_exception_of_copy_progress(ioctx: rados.Ioctx, image: rbd.Image) -> None:
    image.write(b"data", 5 * MIB)
    error = ZeroDivisionError("mine")
    calls: list[int] = []

    def progress(done: int, total: int) -> None:
        calls.append(done)
        raise error

    with pytest.raises(ZeroDivisionError) as caught:
        image.copy(ioctx, f"{image.name}-copy", on_progress=progress)
    assert caught.value is error and len(calls) == 1
    # whether the library stops or goes on is its own business; ours is that nothing is broken
    assert image.read(5 * MIB, 4) == b"data"


def test_closed(ioctx: rados.Ioctx, image: rbd.Image) -> None:
    image.close()
    for call, arguments in {
        "parent_info": (),
        "list_children": (),
        "flatten": (),
        "copy": (ioctx, "x"),
        "overlap": (),
    }.items():
        with pytest.raises(rbd.InvalidArgument, match=f"Image.{call}.*image is closed"):
            getattr(image, call)(*arguments)


def test_closed_context(ioctx: rados.Ioctx, cluster: rados.Rados, parent: rbd.Image) -> None:
    context = cluster.open_ioctx(ioctx.name)
    context.close()
    with pytest.raises(rados.IoctxStateError, match=r"RBD\.clone.*closed"):
        rbd.RBD().clone(ioctx, parent.name, "snap", context, "x")
    with pytest.raises(rados.IoctxStateError, match=r"Image\.copy.*closed"):
        parent.copy(context, "x")
