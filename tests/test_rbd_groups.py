"""Consistency groups."""

from __future__ import annotations

import errno
import gc
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from conftest import MIB

from rbdcffi import rados, rbd
from rbdcffi._ffi import has, lib
from rbdcffi.rbd import groups
from rbdcffi.testing import Cluster

SIZE = 8 * MIB
R = rbd.RBD()
#: Ceph 20 knows more about snapshots of groups.
NEW = has("rbd_group_snap_list2")
NAMES = ["with space", "dots.and-dashes_", "a/b@c", "é漢字\U0001f600", "n" * 200, b"by\xc3\xa9tes"]
BAD_NAMES: list[Any] = [None, "a\0b", "\0", "\ud800", 5, 1.5, bytearray(b"x"), ("x",)]


@pytest.fixture
def group(ioctx: rados.Ioctx, fresh_name: str) -> rbd.Group:
    """A new group."""
    R.group_create(ioctx, fresh_name)
    return rbd.Group(ioctx, fresh_name)


@pytest.fixture
def members(ioctx: rados.Ioctx, group: rbd.Group) -> list[str]:
    """Two new images in the group."""
    names = [f"{group.name}-{suffix}" for suffix in "ab"]
    for name in names:
        R.create(ioctx, name, SIZE)
        group.add_image(ioctx, name)
    return names


@pytest.fixture(scope="module")
def other_pool(ceph_cluster: Cluster, cluster: rados.Rados) -> Iterator[rados.Ioctx]:
    ceph_cluster.create_pool("groups-other")
    with cluster.open_ioctx("groups-other") as context:
        yield context


@pytest.fixture
def namespaces(ceph_cluster: Cluster, cluster: rados.Rados, fresh_name: str) -> Iterator[Any]:
    """A function that opens a new namespace of a pool."""
    opened: list[rados.Ioctx] = []

    def namespace(pool: str, name: str = fresh_name) -> rados.Ioctx:
        context = cluster.open_ioctx(pool)
        opened.append(context)
        assert lib.rbd_namespace_create(context._gate, name.encode()) == 0
        context.set_namespace(name)
        return context

    yield namespace
    for context in opened:
        context.close()


def snap_names(group: rbd.Group) -> list[str]:
    return sorted(snap["name"] for snap in group.list_snaps())


def image_names(group: rbd.Group) -> list[str]:
    return sorted(image["name"] for image in group.list_images())


def fill(ioctx: rados.Ioctx, names: list[str], data: bytes) -> None:
    for name in names:
        with rbd.Image(ioctx, name) as image:
            image.write(data, 0)


def contents(ioctx: rados.Ioctx, names: list[str], length: int) -> list[bytes]:
    found = []
    for name in names:
        with rbd.Image(ioctx, name, read_only=True) as image:
            found.append(image.read(0, length))
    return found


# -- groups ------------------------------------------------------------------------------------


def test_create_list_rename_remove(ioctx: rados.Ioctx, fresh_name: str) -> None:
    R.group_create(ioctx, fresh_name)
    assert fresh_name in R.group_list(ioctx)
    R.group_rename(ioctx, fresh_name, f"{fresh_name}-x")
    assert f"{fresh_name}-x" in R.group_list(ioctx) and fresh_name not in R.group_list(ioctx)
    R.group_remove(ioctx, f"{fresh_name}-x")
    assert f"{fresh_name}-x" not in R.group_list(ioctx)


def test_no_groups(namespaces: Callable[..., rados.Ioctx]) -> None:
    assert R.group_list(namespaces("rbd")) == []


def test_more_names_than_the_first_buffer_holds(namespaces: Callable[..., rados.Ioctx]) -> None:
    context = namespaces("rbd")
    expected = [f"{number:03}-{'x' * 200}" for number in range(30)]
    for name in expected:
        R.group_create(context, name)
    assert sorted(R.group_list(context)) == expected


def test_errors_of_groups(ioctx: rados.Ioctx, group: rbd.Group) -> None:
    name = group.name
    with pytest.raises(rbd.ObjectExists, match=rf"RBD\.group_create\('{name}'\).*'rbd'") as exists:
        R.group_create(ioctx, name)
    assert exists.value.errno == errno.EEXIST
    with pytest.raises(rbd.InvalidArgument):
        R.group_create(ioctx, "")
    R.group_remove(ioctx, f"{name}-nope")
    # these classes are those of the standard binding
    with pytest.raises(rbd.ImageNotFound, match=rf"RBD\.group_rename\('{name}-nope', 'y'\)"):
        R.group_rename(ioctx, f"{name}-nope", "y")
    for taken in (name, f"{name}-2"):
        if taken != name:
            R.group_create(ioctx, taken)
        with pytest.raises(rbd.ImageExists):
            R.group_rename(ioctx, name, taken)
    with pytest.raises(rbd.InvalidArgument):
        R.group_rename(ioctx, name, "")
    assert name in R.group_list(ioctx)


@pytest.mark.parametrize("bad", BAD_NAMES, ids=repr)
def test_bad_names(ioctx: rados.Ioctx, group: rbd.Group, bad: Any) -> None:
    for call in (
        lambda: R.group_create(ioctx, bad),
        lambda: R.group_remove(ioctx, bad),
        lambda: R.group_rename(ioctx, bad, "x"),
        lambda: R.group_rename(ioctx, group.name, bad),
        lambda: rbd.Group(ioctx, bad),
        lambda: group.add_image(ioctx, bad),
        lambda: group.remove_image(ioctx, bad),
        lambda: group.create_snap(bad),
        lambda: group.remove_snap(bad),
        lambda: group.rename_snap(bad, "x"),
        lambda: group.rename_snap("x", bad),
        lambda: group.rollback_to_snap(bad),
    ):
        with pytest.raises(rbd.InvalidArgument, match=r"name|src|dest") as caught:
            call()
        assert caught.value.errno == errno.EINVAL
        assert "'rbd" in str(caught.value)
    if bad is not None:
        with pytest.raises(rbd.InvalidArgument, match="image_id"):
            group.remove_image(ioctx, image_id=bad)
    assert snap_names(group) == []


@pytest.mark.parametrize("name", NAMES)
def test_names(ioctx: rados.Ioctx, members: list[str], fresh_name: str, name: Any) -> None:
    shown = name if isinstance(name, str) else name.decode()
    R.group_create(ioctx, name)
    assert shown in R.group_list(ioctx)
    with rbd.Group(ioctx, name) as group:
        assert group.name == shown and shown in repr(group)
        group.create_snap(name)
        assert snap_names(group) == [shown]
        group.rename_snap(name, b"x" + name if isinstance(name, bytes) else f"x{name}")
        assert snap_names(group) == [f"x{shown}"]
        group.rollback_to_snap(f"x{shown}")
        group.remove_snap(f"x{shown}")
        assert snap_names(group) == []
    R.group_rename(ioctx, name, f"{fresh_name}-renamed")
    R.group_remove(ioctx, f"{fresh_name}-renamed")


@pytest.mark.parametrize("name", ["", "no-such-group"])
def test_missing_group(ioctx: rados.Ioctx, image_name: str, name: str) -> None:
    group = rbd.Group(ioctx, name)
    assert list(group.list_images()) == []
    if NEW:
        with pytest.raises(rbd.ObjectNotFound, match=r"Group\.list_snaps of 'rbd/"):
            group.list_snaps()
    else:
        assert list(group.list_snaps()) == []
    calls: dict[str, tuple[Any, ...]] = {
        "add_image": (ioctx, image_name),
        "remove_image": (ioctx, image_name),
        "create_snap": ("s",),
        "remove_snap": ("s",),
        "rename_snap": ("s", "t"),
        "rollback_to_snap": ("s",),
    }
    if NEW:
        calls |= {"id": (), "get_snap_info": ("s",)}
    for call, arguments in calls.items():
        with pytest.raises(rbd.ObjectNotFound, match=rf"Group\.{call}.* of 'rbd/{name}'") as caught:
            getattr(group, call)(*arguments)
        assert caught.value.errno == errno.ENOENT


@pytest.mark.skipif(not NEW, reason="needs Ceph 20")
def test_id(ioctx: rados.Ioctx, group: rbd.Group) -> None:
    identifier = group.id()
    assert type(identifier) is str and identifier
    R.group_rename(ioctx, group.name, f"{group.name}-renamed")
    assert rbd.Group(ioctx, f"{group.name}-renamed").id() == identifier


@pytest.mark.skipif(NEW, reason="there before Ceph 20 only")
def test_methods_of_ceph_20_are_absent(group: rbd.Group) -> None:
    for name, function in {
        "id": "rbd_group_get_id",
        "get_snap_info": "rbd_group_snap_get_info",
    }.items():
        assert not hasattr(group, name)
        with pytest.raises(AttributeError, match=rf"Group\.{name} needs {function}.*Ceph 20"):
            getattr(group, name)


# -- the I/O context ---------------------------------------------------------------------------


def test_wrong_contexts(ioctx: rados.Ioctx, group: rbd.Group, image_name: str) -> None:
    for wrong in (None, 5, "rbd", object(), group):
        with pytest.raises(TypeError, match=r"ioctx must be an rbdcffi\.rados\.Ioctx"):
            rbd.Group(wrong, "x")  # type: ignore[arg-type]
        for call in (
            lambda: R.group_create(wrong, "x"),  # type: ignore[arg-type]  # noqa: B023
            lambda: R.group_remove(wrong, "x"),  # type: ignore[arg-type]  # noqa: B023
            lambda: R.group_rename(wrong, "x", "y"),  # type: ignore[arg-type]  # noqa: B023
            lambda: R.group_list(wrong),  # type: ignore[arg-type]  # noqa: B023
            lambda: group.add_image(wrong, image_name),  # type: ignore[arg-type]  # noqa: B023
            lambda: group.remove_image(wrong, image_name),  # type: ignore[arg-type]  # noqa: B023
        ):
            with pytest.raises(TypeError, match="ioctx must be an"):
                call()
    with pytest.raises(TypeError):
        rbd.Group()  # type: ignore[call-arg]
    for iterator in (rbd.GroupImageIterator, rbd.GroupSnapIterator):
        for wrong in (None, 5, ioctx):
            with pytest.raises(TypeError, match="group must be"):
                iterator(wrong)  # type: ignore[arg-type]


def test_closed_context(cluster: rados.Rados, ioctx: rados.Ioctx, members: list[str]) -> None:
    name = members[0].rpartition("-")[0]
    with cluster.open_ioctx("rbd") as context:
        group = rbd.Group(context, name)
        other = rbd.Group(ioctx, name)
        assert image_names(group) == members
    calls: dict[str, tuple[Any, ...]] = {
        "add_image": (ioctx, members[0]),
        "remove_image": (ioctx, members[0]),
        "list_images": (),
        "create_snap": ("s",),
        "remove_snap": ("s",),
        "rename_snap": ("s", "t"),
        "list_snaps": (),
        "rollback_to_snap": ("s",),
    }
    if NEW:
        calls |= {"id": (), "get_snap_info": ("s",)}
    for call, arguments in calls.items():
        with pytest.raises(rados.IoctxStateError, match=rf"Group\.{call}.*the pool is closed"):
            getattr(group, call)(*arguments)
    for name in ("add_image", "remove_image"):
        with pytest.raises(rados.IoctxStateError, match=rf"Group\.{name}.*the pool is closed"):
            getattr(other, name)(context, members[0])
    for function, arguments in {
        R.group_create: ("x",),
        R.group_remove: ("x",),
        R.group_rename: ("x", "y"),
        R.group_list: (),
    }.items():
        with pytest.raises(rados.IoctxStateError, match=r"RBD\.group_"):
            function(context, *arguments)
    assert image_names(other) == members
    # can be made; the standard binding allows that
    with rbd.Group(context, "x") as made, pytest.raises(rados.IoctxStateError):
        made.list_images()


def test_context_is_held(cluster: rados.Rados, members: list[str]) -> None:
    """A context that nobody else refers to lives as long as the group."""
    group = rbd.Group(cluster.open_ioctx("rbd"), members[0].rpartition("-")[0])
    for _ in range(3):
        gc.collect()
    assert image_names(group) == members
    assert list(group.list_snaps()) == []
    group.ioctx.close()


def test_shutdown_of_the_connection(ceph_conf: str, group: rbd.Group) -> None:
    connection = rados.Rados(conffile=ceph_conf)
    connection.connect()
    left = rbd.Group(connection.open_ioctx("rbd"), group.name)
    assert list(left.list_images()) == []
    connection.shutdown()
    with pytest.raises(rados.IoctxStateError):
        left.list_images()


def test_context_of_another_connection(
    ceph_conf: str, ioctx: rados.Ioctx, group: rbd.Group, image_name: str
) -> None:
    with rados.Rados(conffile=ceph_conf) as connection, connection.open_ioctx("rbd") as context:
        group.add_image(context, image_name)
        assert image_names(group) == [image_name]
    assert image_names(group) == [image_name]
    group.remove_image(ioctx, image_name)


def test_namespace_follows_the_context(
    namespaces: Callable[..., rados.Ioctx], fresh_name: str
) -> None:
    context = namespaces("rbd")
    R.group_create(context, "g")
    group = rbd.Group(context, "g")
    group.create_snap("s")
    assert snap_names(group) == ["s"]
    assert repr(group) == f"<Group rbd/{fresh_name}/g>"
    context.set_namespace("")
    with pytest.raises(rbd.ObjectNotFound, match="'rbd/g'"):
        group.create_snap("t")
    context.set_namespace(fresh_name)
    assert snap_names(group) == ["s"]


def test_fork(ceph_conf: str, group: rbd.Group) -> None:
    code = (
        "import os, sys\n"
        "from rbdcffi import rados, rbd\n"
        "with rados.Rados(conffile=sys.argv[1]) as c, c.open_ioctx('rbd') as io:\n"
        "    g = rbd.Group(io, sys.argv[2])\n"
        "    g.create_snap('a')\n"
        "    child = os.fork()\n"
        "    if not child:\n"
        "        for call in (g.list_snaps, lambda: g.create_snap('b'), g.list_images):\n"
        "            try:\n"
        "                call()\n"
        "            except rados.Error as error:\n"
        "                assert 'process' in str(error), error\n"
        "            else:\n"
        "                os._exit(3)\n"
        "        os._exit(0)\n"
        "    assert os.waitpid(child, 0)[1] == 0\n"
        "    g.create_snap('c')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, ceph_conf, group.name],
        timeout=60,
        check=False,
        stderr=subprocess.PIPE,
    )
    assert done.returncode == 0, done.stderr
    assert snap_names(group) == ["a", "c"]


# -- images ------------------------------------------------------------------------------------


def test_images(ioctx: rados.Ioctx, group: rbd.Group, members: list[str]) -> None:
    images = sorted(group.list_images(), key=lambda image: str(image["name"]))
    pool = ioctx.get_pool_id()
    assert images == [
        {"name": name, "pool": pool, "state": rbd.RBD_GROUP_IMAGE_STATE_ATTACHED}
        for name in members
    ]
    assert list(images[0]) == ["name", "pool", "state"]
    group.add_image(ioctx, members[0])  # no error
    group.remove_image(ioctx, members[0])
    group.remove_image(ioctx, members[0])  # no error
    assert image_names(group) == members[1:]
    R.remove(ioctx, members[0])
    with pytest.raises(rbd.ImageMemberOfGroup) as caught:
        R.remove(ioctx, members[1])
    assert caught.value.errno == errno.EMLINK
    R.group_remove(ioctx, group.name)
    R.remove(ioctx, members[1])


def test_image_iterator(ioctx: rados.Ioctx, group: rbd.Group, members: list[str]) -> None:
    """It can be iterated over again, and stays what it was."""
    images = group.list_images()
    assert type(images) is rbd.GroupImageIterator
    group.remove_image(ioctx, members[0])
    for image in images:
        image["name"] = "changed"
    assert sorted(image["name"] for image in images) == members
    assert [image["name"] for image in rbd.GroupImageIterator(group)] == members[1:]


def test_errors_of_images(
    ioctx: rados.Ioctx, group: rbd.Group, members: list[str], fresh_name: str
) -> None:
    for call in ("add_image", "remove_image"):
        for missing in ("nope", ""):
            pattern = rf"Group\.{call}\(.*'{missing}' in pool 'rbd'\) of 'rbd/{group.name}'"
            with pytest.raises(rbd.ObjectNotFound, match=pattern) as caught:
                getattr(group, call)(ioctx, missing)
            assert caught.value.errno == errno.ENOENT
    R.group_create(ioctx, f"{fresh_name}-other")
    other = rbd.Group(ioctx, f"{fresh_name}-other")
    with pytest.raises(rbd.ObjectExists) as exists:
        other.add_image(ioctx, members[0])
    assert exists.value.errno == errno.EEXIST
    assert image_names(other) == []
    with pytest.raises(rbd.InvalidArgument, match="not both"):
        group.remove_image(ioctx, members[0], image_id="x")
    with pytest.raises(rbd.InvalidArgument, match="image_name"):
        group.remove_image(ioctx)
    assert image_names(group) == members


def test_remove_by_id(ioctx: rados.Ioctx, group: rbd.Group, members: list[str]) -> None:
    with rbd.Image(ioctx, members[0]) as image:
        identifier = image.id()
    group.remove_image(ioctx, image_id=identifier)
    assert image_names(group) == members[1:]
    group.remove_image(ioctx, image_id=identifier)
    group.remove_image(ioctx, image_id="no such id")
    assert image_names(group) == members[1:]
    R.remove(ioctx, members[0])


def test_image_in_the_trash(ioctx: rados.Ioctx, group: rbd.Group, members: list[str]) -> None:
    """A member in the trash has no name: it can be removed by its id only."""
    with rbd.Image(ioctx, members[0]) as image:
        identifier = image.id()
    assert lib.rbd_trash_move(ioctx._gate, members[0].encode(), 0) in (0, -errno.EMLINK)
    if members[0] in R.list(ioctx):
        pytest.skip("this release does not let members into the trash")
    assert image_names(group) == []  # librbd lists all or none
    group.create_snap("s")
    group.rollback_to_snap("s")
    with pytest.raises(rbd.ObjectNotFound):
        group.remove_image(ioctx, members[0])
    group.remove_image(ioctx, image_id=identifier)
    assert image_names(group) == members[1:]
    assert lib.rbd_trash_restore(ioctx._gate, identifier.encode(), members[0].encode()) == 0
    with rbd.Image(ioctx, members[0]) as image:
        assert len(list(image.list_snaps())) == 1
    group.add_image(ioctx, members[0])
    assert image_names(group) == members


def test_member_of_another_group(ioctx: rados.Ioctx, members: list[str], fresh_name: str) -> None:
    """What the documentation of remove_image says about librbd."""
    owner = rbd.Group(ioctx, members[0].rpartition("-")[0])
    R.group_create(ioctx, f"{fresh_name}-other")
    other = rbd.Group(ioctx, f"{fresh_name}-other")
    with pytest.raises(rbd.OSError) as caught:
        other.remove_image(ioctx, members[0])
    assert caught.value.errno == errno.EBADF
    (image,) = other.list_images()
    assert (image["name"], image["state"]) == (members[0], rbd.RBD_GROUP_IMAGE_STATE_INCOMPLETE)
    assert image_names(owner) == members
    with pytest.raises(rbd.OSError):
        R.group_remove(ioctx, other.name)
    owner.remove_image(ioctx, members[0])
    other.remove_image(ioctx, members[0])
    assert image_names(other) == []
    R.group_remove(ioctx, other.name)
    owner.add_image(ioctx, members[0])


def test_image_of_another_pool(
    ioctx: rados.Ioctx, other_pool: rados.Ioctx, group: rbd.Group, members: list[str]
) -> None:
    name = f"{group.name}-other"
    R.create(other_pool, name, SIZE)
    group.add_image(other_pool, name)
    pools = {image["name"]: image["pool"] for image in group.list_images()}
    assert pools == {
        **dict.fromkeys(members, ioctx.get_pool_id()),
        name: other_pool.get_pool_id(),
    }
    fill(other_pool, [name], b"old")
    fill(ioctx, members, b"old")
    group.create_snap("s")
    fill(other_pool, [name], b"new")
    fill(ioctx, members, b"new")
    group.rollback_to_snap("s")
    assert contents(other_pool, [name], 3) == [b"old"]
    assert contents(ioctx, members, 3) == [b"old"] * 2
    with pytest.raises(rbd.ObjectNotFound):
        group.remove_image(ioctx, name)
    group.remove_image(other_pool, name)
    assert image_names(group) == members


def test_namespaces(
    ioctx: rados.Ioctx,
    other_pool: rados.Ioctx,
    namespaces: Callable[..., rados.Ioctx],
    image_name: str,
    fresh_name: str,
) -> None:
    """A group and its images are in namespaces of the same name, in any pools."""
    context, same = namespaces("rbd"), namespaces("groups-other")
    different = namespaces("rbd", f"{fresh_name}-2")
    for where in (context, same, different):
        R.create(where, "image", SIZE)
    R.group_create(context, "g")
    assert R.group_list(context) == ["g"] and R.group_list(different) == []
    group = rbd.Group(context, "g")
    group.add_image(context, "image")
    group.add_image(same, "image")
    for where, name in ((ioctx, image_name), (different, "image")):
        for call in (group.add_image, group.remove_image):
            with pytest.raises(rbd.InvalidArgument, match=rf"of 'rbd/{fresh_name}/g'"):
                call(where, name)
    R.group_create(ioctx, fresh_name)
    with pytest.raises(rbd.InvalidArgument):
        rbd.Group(ioctx, fresh_name).add_image(context, "image")
    assert [(image["name"], image["pool"]) for image in group.list_images()] == [
        ("image", context.get_pool_id()),
        ("image", same.get_pool_id()),
    ]
    for where in (context, same):
        fill(where, ["image"], b"old")
    group.create_snap("s")
    for where in (context, same):
        fill(where, ["image"], b"new")
    group.rollback_to_snap("s")
    for where in (context, same):
        assert contents(where, ["image"], 3) == [b"old"]
    group.remove_image(same, "image")
    assert len(list(group.list_images())) == 1


def test_more_than_the_first_table_holds(ioctx: rados.Ioctx, group: rbd.Group) -> None:
    names = [f"{group.name}-{number:03}" for number in range(70)]
    for name in names:
        R.create(ioctx, name, MIB, features=0)
        group.add_image(ioctx, name)
    assert image_names(group) == names
    group.create_snap("s")
    if NEW:
        info = group.get_snap_info("s")
        assert sorted(snap["image_name"] for snap in info["image_snaps"]) == names
    group.remove_snap("s")
    for name in names[2:]:
        group.remove_image(ioctx, name)
    assert image_names(group) == names[:2]


# -- snapshots ---------------------------------------------------------------------------------


def test_snapshots(ioctx: rados.Ioctx, group: rbd.Group, members: list[str]) -> None:
    assert list(group.list_snaps()) == []
    group.create_snap("one")
    (snap,) = group.list_snaps()
    assert (snap["name"], snap["state"]) == ("one", rbd.RBD_GROUP_SNAP_STATE_COMPLETE)
    assert list(snap)[: 2 if not NEW else None] == (
        ["id", "name", "state", "namespace_type", "image_snap_name", "image_snaps"]
        if NEW
        else ["name", "state"]
    )
    for name in members:
        with rbd.Image(ioctx, name) as image:
            (found,) = image.list_snaps()
            assert found["namespace"] == rbd.RBD_SNAP_NAMESPACE_TYPE_GROUP
    group.create_snap("two")
    group.rename_snap("two", "three")
    assert snap_names(group) == ["one", "three"]
    group.remove_snap("one")
    assert snap_names(group) == ["three"]
    for name in members:
        with rbd.Image(ioctx, name) as image:
            assert len(list(image.list_snaps())) == 1
    R.group_remove(ioctx, group.name)
    for name in members:
        with rbd.Image(ioctx, name) as image:
            assert list(image.list_snaps()) == []


@pytest.mark.skipif(not NEW, reason="needs Ceph 20")
def test_snap_info(ioctx: rados.Ioctx, group: rbd.Group, members: list[str]) -> None:
    group.create_snap("s")
    info = group.get_snap_info("s")
    ids = {}
    for name in members:
        with rbd.Image(ioctx, name) as image:
            (snap,) = image.list_snaps()
            ids[name] = snap["id"]
            assert snap["name"] == info["image_snap_name"]
    assert info == {
        "id": info["id"],
        "name": "s",
        "state": rbd.RBD_GROUP_SNAP_STATE_COMPLETE,
        "namespace_type": rbd.RBD_GROUP_SNAP_NAMESPACE_TYPE_USER,
        "image_snap_name": info["image_snap_name"],
        "image_snaps": info["image_snaps"],
    }
    assert type(info["id"]) is str and info["id"] in info["image_snap_name"]
    pool = ioctx.get_pool_id()
    assert sorted(info["image_snaps"], key=lambda snap: str(snap["image_name"])) == [
        {"pool_id": pool, "snap_id": ids[name], "image_name": name} for name in members
    ]
    assert list(group.list_snaps()) == [info]
    snaps = group.list_snaps()
    for snap in snaps:
        snap["image_snaps"][0]["snap_id"] = -1
        snap["image_snaps"].clear()
    assert list(snaps) == [info]
    for missing in ("nope", ""):
        with pytest.raises(rbd.ObjectNotFound, match=rf"get_snap_info\('{missing}'\)"):
            group.get_snap_info(missing)
    for bad in BAD_NAMES:
        with pytest.raises(rbd.InvalidArgument, match="snap_name"):
            group.get_snap_info(bad)


@pytest.mark.skipif(not NEW, reason="needs Ceph 20")
def test_snap_info_without_images(group: rbd.Group) -> None:
    group.create_snap("s")
    info = group.get_snap_info("s")
    assert (info["image_snap_name"], info["image_snaps"]) == ("", [])


def test_snap_iterator(group: rbd.Group) -> None:
    """It can be iterated over again, and stays what it was."""
    group.create_snap("one")
    snaps = group.list_snaps()
    assert type(snaps) is rbd.GroupSnapIterator
    group.create_snap("two")
    for snap in snaps:
        snap["name"] = "changed"
    assert [snap["name"] for snap in snaps] == ["one"]
    assert sorted(snap["name"] for snap in rbd.GroupSnapIterator(group)) == ["one", "two"]


def test_more_snapshots_than_the_first_table_holds(group: rbd.Group) -> None:
    names = [f"{number:03}" for number in range(70)]
    for name in names:
        group.create_snap(name)
    assert snap_names(group) == names


def test_errors_of_snapshots(group: rbd.Group, members: list[str]) -> None:
    group.create_snap("s")
    group.create_snap("t")
    where = rf" of 'rbd/{group.name}'"
    with pytest.raises(rbd.ObjectExists, match=rf"Group\.create_snap\('s'\){where}") as exists:
        group.create_snap("s")
    assert exists.value.errno == errno.EEXIST
    for taken in ("s", "t"):
        with pytest.raises(rbd.ObjectExists, match=rf"rename_snap\('s', '{taken}'\){where}"):
            group.rename_snap("s", taken)
    for call in (lambda: group.create_snap(""), lambda: group.rename_snap("s", "")):
        with pytest.raises(rbd.InvalidArgument):
            call()
    for missing in ("nope", ""):
        for call, arguments in {
            "remove_snap": (missing,),
            "rename_snap": (missing, "x"),
            "rollback_to_snap": (missing,),
        }.items():
            with pytest.raises(rbd.ObjectNotFound, match=rf"Group\.{call}\('{missing}'") as caught:
                getattr(group, call)(*arguments)
            assert caught.value.errno == errno.ENOENT
    assert snap_names(group) == ["s", "t"]


def test_flags(group: rbd.Group, members: list[str]) -> None:
    if not has("rbd_group_snap_create2"):
        with pytest.raises(rbd.InvalidArgument, match="Ceph 16"):
            group.create_snap("s", 1)
        assert snap_names(group) == []
        return
    group.create_snap("one", rbd.RBD_SNAP_CREATE_SKIP_QUIESCE)
    group.create_snap("two", flags=rbd.RBD_SNAP_CREATE_IGNORE_QUIESCE_ERROR)
    group.create_snap("three", flags=0)
    assert snap_names(group) == ["one", "three", "two"]
    with pytest.raises(rbd.InvalidArgument):
        group.create_snap("x", 1 << 20)
    for bad in (-1, 1 << 32):
        with pytest.raises(OverflowError, match=r"Group\.create_snap\('x'\) of 'rbd/"):
            group.create_snap("x", bad)
    for wrong in ("flags", None, 1.5):
        with pytest.raises(TypeError, match=r"Group\.create_snap\('x'\) of 'rbd/"):
            group.create_snap("x", wrong)  # type: ignore[arg-type]
    assert snap_names(group) == ["one", "three", "two"]


def test_removed_member_keeps_its_snapshots(
    ioctx: rados.Ioctx, group: rbd.Group, members: list[str]
) -> None:
    group.create_snap("s")
    group.remove_image(ioctx, members[0])
    assert snap_names(group) == ["s"]
    with rbd.Image(ioctx, members[0]) as image:
        assert len(list(image.list_snaps())) == 1
    with pytest.raises(rbd.ImageHasSnapshots):
        R.remove(ioctx, members[0])
    group.remove_snap("s")
    R.remove(ioctx, members[0])


def test_rollback(ioctx: rados.Ioctx, group: rbd.Group, members: list[str]) -> None:
    fill(ioctx, members, b"old")
    group.create_snap("s")
    fill(ioctx, members, b"new")
    with rbd.Image(ioctx, members[0]) as image:
        image.resize(2 * SIZE)
    seen: list[tuple[int, int]] = []
    group.rollback_to_snap("s", on_progress=lambda *step: seen.append(step))
    assert contents(ioctx, members, 3) == [b"old"] * 2
    with rbd.Image(ioctx, members[0]) as image:
        assert image.size() == SIZE
    assert seen and all(0 <= done <= total for done, total in seen)
    fill(ioctx, members, b"new")
    group.rollback_to_snap("s", on_progress=None)
    assert contents(ioctx, members, 3) == [b"old"] * 2
    with pytest.raises(TypeError, match="on_progress must be callable"):
        group.rollback_to_snap("s", on_progress=5)


def test_rollback_with_other_members(
    ioctx: rados.Ioctx, group: rbd.Group, members: list[str], image_name: str
) -> None:
    fill(ioctx, members, b"old")
    group.create_snap("s")
    fill(ioctx, members, b"new")
    group.remove_image(ioctx, members[0])
    if lib.LIBRBD_VER_MINOR >= 18:
        with pytest.raises(rbd.InvalidArgument, match="rollback_to_snap"):
            group.rollback_to_snap("s")
        assert contents(ioctx, members, 3) == [b"new"] * 2
    group.add_image(ioctx, members[0])
    group.rollback_to_snap("s")
    assert contents(ioctx, members, 3) == [b"old"] * 2


def test_snapshots_of_open_images(ioctx: rados.Ioctx, group: rbd.Group, members: list[str]) -> None:
    """The locks go to and fro; nobody has to close."""
    images = [rbd.Image(ioctx, name) for name in members]
    reader = rbd.Image(ioctx, members[0], read_only=True)
    try:
        for image in images:
            image.write(b"old", 0)
            assert image.is_exclusive_lock_owner()
        group.create_snap("s")
        for image in images:
            assert len(list(image.list_snaps())) == 1
            image.write(b"new", 0)
        group.rollback_to_snap("s")
        assert [image.read(0, 3) for image in images] == [b"old"] * 2
        (snap,) = images[0].list_snaps()
        images[0].write(b"new", 0)
        with rbd.Image(ioctx, members[0], snap["id"]) as then:
            assert then.read(0, 3) == b"old"
        assert reader.size() == SIZE
    finally:
        for image in [*images, reader]:
            image.close()


def test_exception_of_progress(ioctx: rados.Ioctx, group: rbd.Group, members: list[str]) -> None:
    group.create_snap("s")
    error = LookupError("mine")
    calls = []

    def progress(done: int, total: int) -> None:
        calls.append(done)
        raise error

    with pytest.raises(LookupError) as caught:
        group.rollback_to_snap("s", on_progress=progress)
    assert caught.value is error and len(calls) == 1
    group.rollback_to_snap("s")


def test_snapshots_in_a_callback(group: rbd.Group, members: list[str]) -> None:
    """librbd would wait for itself."""
    group.create_snap("s")
    refused: list[Callable[[], Any]] = [
        lambda: group.create_snap("t"),
        lambda: group.rollback_to_snap("s"),
    ]
    if NEW:
        refused += [group.list_snaps, lambda: group.get_snap_info("s")]
    for call in refused:
        with pytest.raises(rbd.InvalidArgument, match="callback of a running rollback"):
            group.rollback_to_snap("s", on_progress=lambda *step: call())  # noqa: B023
    listed: list[list[str]] = []
    group.rollback_to_snap("s", on_progress=lambda *step: listed.append(image_names(group)))
    assert listed and all(names == members for names in listed)
    assert snap_names(group) == ["s"]
    assert groups._callbacks == set()


def test_close_in_a_callback(cluster: rados.Rados, group: rbd.Group, members: list[str]) -> None:
    group.create_snap("s")
    with cluster.open_ioctx("rbd") as context:
        with pytest.raises(rados.Error, match="callback"):
            rbd.Group(context, group.name).rollback_to_snap(
                "s", on_progress=lambda *step: context.close()
            )
        assert context.state == "open"


def test_snapshots_at_once_while_images_are_written(
    ioctx: rados.Ioctx, group: rbd.Group, members: list[str]
) -> None:
    """librbd alone would wait for ever: two calls get some of the locks each."""
    images = [rbd.Image(ioctx, name) for name in members]
    stop = threading.Event()
    errors: list[BaseException] = []

    def write(image: rbd.Image) -> None:
        number = 0
        while not stop.is_set():
            number += 1
            image.write(b"x" * 4096, number % 2000 * 4096)

    def snapshot(who: int) -> None:
        own = rbd.Group(ioctx, group.name)
        try:
            for number in range(4):
                own.create_snap(f"{who}-{number}")
                own.rollback_to_snap(f"{who}-{number}")
        except BaseException as error:
            errors.append(error)

    writers = [threading.Thread(target=write, args=(image,), daemon=True) for image in images]
    others = [threading.Thread(target=snapshot, args=(who,), daemon=True) for who in range(3)]
    for thread in [*writers, *others]:
        thread.start()
    deadline = time.monotonic() + 120
    for thread in others:
        thread.join(deadline - time.monotonic())
        assert not thread.is_alive()
    stop.set()
    for thread in writers:
        thread.join()
    for image in images:
        image.close()
    assert errors == []
    assert len(snap_names(group)) == 12
    assert groups._turns == {}


def test_a_cluster_that_hangs_is_not_in_the_way_of_another(
    ceph_cluster_factory: Callable[..., Cluster], fresh_name: str
) -> None:
    """The same names, as at two sites that mirror each other."""
    clusters = [
        # two, as they differ
        ceph_cluster_factory(conf={"osd heartbeat grace": 3600, "rbd cache": cache})
        for cache in ("true", "false")
    ]
    with ExitStack() as stack:
        groups = []
        for each in clusters:
            connection = stack.enter_context(rados.Rados(conffile=each.conf))
            context = stack.enter_context(connection.open_ioctx("rbd"))
            R.create(context, fresh_name, SIZE)
            R.group_create(context, fresh_name)
            groups.append(rbd.Group(context, fresh_name))
            groups[-1].add_image(context, fresh_name)
        clusters[0].osds[0].pause()
        stuck = threading.Thread(target=groups[0].create_snap, args=("snap",))
        stuck.start()
        try:
            time.sleep(0.3)
            groups[1].create_snap("snap")
            assert stuck.is_alive()
        finally:
            clusters[0].osds[0].resume()
            stuck.join(30)
        assert not stuck.is_alive()


def test_a_turn_is_not_waited_for_for_ever(
    ceph_cluster_factory: Callable[..., Cluster], fresh_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(groups, "PATIENCE", 0.3)
    own = ceph_cluster_factory(conf={"osd heartbeat grace": 3600})
    with rados.Rados(conffile=own.conf) as connection, connection.open_ioctx("rbd") as context:
        R.group_create(context, fresh_name)
        found = rbd.Group(context, fresh_name)
        own.osds[0].pause()
        stuck = threading.Thread(target=found.create_snap, args=("snap",))
        stuck.start()
        try:
            time.sleep(0.3)
            with pytest.raises(rbd.ImageBusy, match=r"Group\.create_snap.*do not end"):
                found.create_snap("other")
        finally:
            own.osds[0].resume()
            stuck.join(30)
        assert not stuck.is_alive()


def test_context_closed_by_another_thread(
    cluster: rados.Rados, group: rbd.Group, members: list[str]
) -> None:
    """close() waits for the calls inside; those after it are refused."""
    for _ in range(5):
        context = cluster.open_ioctx("rbd")
        own = rbd.Group(context, group.name)
        started = threading.Barrier(3)
        outcomes: list[object] = []

        def use(
            own: rbd.Group = own,
            started: threading.Barrier = started,
            outcomes: list[object] = outcomes,
        ) -> None:
            started.wait()
            try:
                while True:
                    assert image_names(own) == members
                    own.list_snaps()
            except Exception as error:
                outcomes.append(error)

        threads = [threading.Thread(target=use) for _ in range(2)]
        for thread in threads:
            thread.start()
        started.wait()
        context.close()
        for thread in threads:
            thread.join(60)
        assert [type(outcome) for outcome in outcomes] == [rados.IoctxStateError] * 2
