"""Deep copies, sparse copies, and giving back what is zero."""

from __future__ import annotations

from typing import Any

import pytest
from conftest import MIB

from rbdcffi import rados, rbd

SIZE = 16 * MIB


def used(image: rbd.Image) -> int:
    """Bytes of the image's own objects that exist."""
    extents: list[int] = []

    def count(offset: int, length: int, exists: bool) -> None:
        extents.append(length if exists else 0)

    image.diff_iterate(0, image.size(), None, count, include_parent=False)
    return sum(extents)


def test_deep_copy(ioctx: rados.Ioctx, image: rbd.Image) -> None:
    image.write(b"then", 5 * MIB)
    image.create_snap("snap")
    image.write(b"now!", 5 * MIB)
    seen: list[tuple[int, int]] = []
    name = f"{image.name}-copy"
    image.deep_copy(ioctx, name, on_progress=lambda *step: seen.append(step))
    assert seen and all(0 <= done <= total for done, total in seen)
    with rbd.Image(ioctx, name) as copied:
        assert copied.size() == SIZE and copied.features() == image.features()
        assert [snap["name"] for snap in copied.list_snaps()] == ["snap"]
        assert copied.read(5 * MIB, 4) == b"now!"
        copied.set_snap("snap")
        assert copied.read(5 * MIB, 4) == b"then"


def test_deep_copy_options(ioctx: rados.Ioctx, image: rbd.Image) -> None:
    image.write(b"data", 5 * MIB)
    name = f"{image.name}-copy"
    image.deep_copy(ioctx, name, 0, 22, 65536, 4, ioctx.name)
    with rbd.Image(ioctx, name) as copied:
        assert copied.features() & rbd.RBD_FEATURES_SINGLE_CLIENT == 0
        assert (copied.stripe_unit(), copied.stripe_count()) == (65536, 4)
        assert copied.data_pool_id() == ioctx.get_pool_id()
        assert copied.read(5 * MIB, 4) == b"data"


@pytest.mark.parametrize("clone_format", [1, 2])
def test_deep_copy_of_a_clone(ioctx: rados.Ioctx, image: rbd.Image, clone_format: int) -> None:
    image.write(b"data", 0)
    image.create_snap("snap")
    image.protect_snap("snap")
    names = [f"{image.name}-{part}" for part in ("clone", "linked", "flat")]
    rbd.RBD().clone(ioctx, image.name, "snap", ioctx, names[0], clone_format=clone_format)
    with rbd.Image(ioctx, names[0]) as clone:
        clone.deep_copy(ioctx, names[1], clone_format=clone_format)
        clone.deep_copy(ioctx, names[2], flatten=True)
    with rbd.Image(ioctx, names[1]) as linked:
        assert linked.parent_info() == (ioctx.name, image.name, "snap")
        child = linked.op_features() & rbd.RBD_OPERATION_FEATURE_CLONE_CHILD
        assert bool(child) == (clone_format == 2)
        assert linked.read(0, 4) == b"data" and used(linked) == 0
    with rbd.Image(ioctx, names[2]) as flat:
        assert flat.overlap() == 0 and flat.read(0, 4) == b"data" and used(flat) > 0


def test_deep_copy_errors(ioctx: rados.Ioctx, image: rbd.Image) -> None:
    name = f"{image.name}-copy"
    with pytest.raises(rbd.ImageExists, match=rf"Image\.deep_copy to '{image.name}'"):
        image.deep_copy(ioctx, image.name)
    with pytest.raises(TypeError, match=r"dest_ioctx must be an rbdcffi\.rados\.Ioctx"):
        image.deep_copy(None, name)  # type: ignore[arg-type]
    with pytest.raises(rbd.InvalidArgument, match="dest_name"):
        image.deep_copy(ioctx, None)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="on_progress must be callable"):
        image.deep_copy(ioctx, name, on_progress=5)
    with pytest.raises(rbd.ArgumentOutOfRange, match=r"Image\.deep_copy"):
        image.deep_copy(ioctx, name, order=5)
    bad: list[tuple[dict[str, Any], type[Exception]]] = [
        ({"order": "22"}, TypeError),
        ({"clone_format": -1}, OverflowError),
        ({"features": 2**64}, OverflowError),
    ]
    for options, error in bad:
        with pytest.raises(error, match=r"Image\.deep_copy"):
            image.deep_copy(ioctx, name, **options)
    error_of_mine = ZeroDivisionError("mine")

    def fails(done: int, total: int) -> None:
        raise error_of_mine

    with pytest.raises(ZeroDivisionError) as caught:
        image.deep_copy(ioctx, name, on_progress=fails)
    assert caught.value is error_of_mine
    image.close()
    with pytest.raises(rbd.InvalidArgument, match=r"deep_copy.*image is closed"):
        image.deep_copy(ioctx, f"{name}-2")


def test_sparse_copies(ioctx: rados.Ioctx, image: rbd.Image) -> None:
    image.write(b"x" * 4096 + bytes(MIB) + b"x" * 4096, 0)
    for sparse_size in (0, 4096, 4 * MIB):
        name = f"{image.name}-{sparse_size}"
        image.copy(ioctx, name, sparse_size=sparse_size)
        with rbd.Image(ioctx, name) as copied:
            assert copied.read(0, SIZE) == image.read(0, SIZE)
    for wrong, error in ((-1, OverflowError), (1 << 64, OverflowError), ("4096", TypeError)):
        with pytest.raises(error, match=r"Image\.copy.*sparse_size"):
            image.copy(ioctx, "never", sparse_size=wrong)  # type: ignore[arg-type]


def test_sparsify(image: rbd.Image) -> None:
    image.write(bytes(4 * MIB) + b"x" * 65536 + bytes(65536) + b"x", 0)
    content = image.read(0, SIZE)
    before = used(image)
    seen: list[tuple[int, int]] = []
    image.sparsify(65536, on_progress=lambda *step: seen.append(step))
    assert seen and seen[-1][0] <= seen[-1][1]
    assert used(image) < before
    assert image.read(0, SIZE) == content
    image.sparsify(4096)
    assert image.read(0, SIZE) == content


def test_sparsify_errors(ioctx: rados.Ioctx, image: rbd.Image) -> None:
    for wrong in (0, 5000, 8 * MIB):
        with pytest.raises(rbd.InvalidArgument, match=rf"Image\.sparsify\({wrong}\)"):
            image.sparsify(wrong)
    for bad, error in ((-1, OverflowError), (1 << 64, OverflowError), (None, TypeError)):
        with pytest.raises(error, match=r"Image\.sparsify.*sparse_size"):
            image.sparsify(bad)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="on_progress must be callable"):
        image.sparsify(4096, on_progress=5)
    with rbd.Image(ioctx, image.name, read_only=True) as other:
        with pytest.raises(rbd.ReadOnlyImage):
            other.sparsify(4096)
