"""Parents, children and descendants."""

from __future__ import annotations

from typing import Any

import pytest
from conftest import MIB

from rbdcffi import rados, rbd
from rbdcffi.testing import Cluster


def clone(ioctx: rados.Ioctx, image: rbd.Image, name: str, snapshot: str = "snap") -> str:
    """A clone of format 2, through a snapshot that is made if needed; returns its id."""
    if snapshot not in [snap["name"] for snap in image.list_snaps()]:
        image.create_snap(snapshot)
    rbd.RBD().clone(ioctx, image.name, snapshot, ioctx, name, clone_format=2)
    with rbd.Image(ioctx, name, read_only=True) as opened:
        return opened.id()


def child_of(ioctx: rados.Ioctx, name: str, image_id: str, **more: Any) -> dict[str, Any]:
    child = {"pool": ioctx.name, "pool_namespace": "", "image": name, "id": image_id}
    return {**child, "trash": False, **more}


def test_no_family(image: rbd.Image) -> None:
    for call in ("get_parent_image_spec", "parent_info", "parent_id"):
        with pytest.raises(rbd.ImageNotFound, match=rf"Image\.{call} of .*{image.name}"):
            getattr(image, call)()
    assert list(image.list_children2()) == list(image.list_descendants()) == []


def test_parent(ioctx: rados.Ioctx, image: rbd.Image) -> None:
    name = f"{image.name}-clone"
    clone(ioctx, image, name)
    (snap,) = image.list_snaps()
    expected = {
        "pool_id": ioctx.get_pool_id(),
        "pool_name": ioctx.name,
        "pool_namespace": "",
        "image_id": image.id(),
        "image_name": image.name,
        "trash": False,
        "snap_id": snap["id"],
        "snap_namespace_type": rbd.RBD_SNAP_NAMESPACE_TYPE_USER,
        "snap_name": "snap",
    }
    with rbd.Image(ioctx, name) as child:
        assert child.get_parent_image_spec() == expected
        assert child.parent_info() == (ioctx.name, image.name, "snap")
        assert child.parent_id() == image.id()
    image.remove_snap("snap")
    with rbd.Image(ioctx, name) as child:
        spec = child.get_parent_image_spec()
        assert spec["snap_namespace_type"] == rbd.RBD_SNAP_NAMESPACE_TYPE_TRASH
        assert (spec["snap_id"], spec["image_id"]) == (snap["id"], image.id())
        child.flatten()
        with pytest.raises(rbd.ImageNotFound):
            child.get_parent_image_spec()


def test_parent_in_a_namespace(
    ioctx: rados.Ioctx, cluster: rados.Rados, ceph_cluster: Cluster, fresh_name: str
) -> None:
    ceph_cluster.run("rbd", "namespace", "create", f"{ioctx.name}/{fresh_name}")
    with cluster.open_ioctx(ioctx.name) as inside:
        inside.set_namespace(fresh_name)
        rbd.RBD().create(inside, "parent", MIB)
        with rbd.Image(inside, "parent") as parent:
            parent.create_snap("snap")
        made = f"{fresh_name}-child"
        rbd.RBD().clone(inside, "parent", "snap", ioctx, made, clone_format=2)
        with rbd.Image(ioctx, made) as child:
            spec = child.get_parent_image_spec()
            assert (spec["pool_namespace"], spec["image_name"]) == (fresh_name, "parent")


def test_generations(ioctx: rados.Ioctx, image: rbd.Image) -> None:
    one, two, three = (f"{image.name}-{number}" for number in (1, 2, 3))
    children = [child_of(ioctx, one, clone(ioctx, image, one))]
    children.append(child_of(ioctx, two, clone(ioctx, image, two, "other")))
    with rbd.Image(ioctx, one) as first:
        grandchild = child_of(ioctx, three, clone(ioctx, first, three))

    def by_name(found: Any) -> list[dict[str, Any]]:
        return sorted(found, key=lambda child: child["image"])

    assert by_name(image.list_children2()) == children
    assert by_name(image.list_descendants()) == [*children, grandchild]
    assert by_name(rbd.ChildIterator(image, descendants=True)) == [*children, grandchild]
    found = rbd.ChildIterator(image)
    assert by_name(found) == by_name(found) == children
    next(iter(found)).clear()
    assert by_name(found) == children
    image.set_snap("other")
    assert list(image.list_children2()) == list(image.list_descendants()) == children[1:]
    assert image.list_children() == [(ioctx.name, two)]


def test_children_in_the_trash(ioctx: rados.Ioctx, image: rbd.Image, ceph_cluster: Cluster) -> None:
    name = f"{image.name}-clone"
    child = child_of(ioctx, name, clone(ioctx, image, name), trash=True)
    ceph_cluster.run("rbd", "trash", "mv", f"{ioctx.name}/{name}")
    assert list(image.list_children2()) == list(image.list_descendants()) == [child]
    assert image.list_children() == []


def test_many_children(ioctx: rados.Ioctx, image: rbd.Image) -> None:
    """More than the first table holds."""
    names = [f"{image.name}-{number:02}" for number in range(18)]
    for name in names:
        clone(ioctx, image, name)
    assert sorted(child["image"] for child in image.list_children2()) == names
    assert sorted(child["image"] for child in image.list_descendants()) == names


def test_wrong_object() -> None:
    with pytest.raises(TypeError, match=r"rbdcffi\.rbd\.Image"):
        rbd.ChildIterator(None)  # type: ignore[arg-type]
