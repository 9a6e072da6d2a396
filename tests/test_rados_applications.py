"""What a pool is used for, and writing to a full one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rbdcffi import rados


@pytest.fixture
def pool(cluster: rados.Rados, fresh_name: str) -> Iterator[rados.Ioctx]:
    """A new pool."""
    cluster.create_pool(fresh_name)
    with cluster.open_ioctx(fresh_name) as ioctx:
        yield ioctx
    cluster.delete_pool(fresh_name)


def test_applications(pool: rados.Ioctx) -> None:
    assert pool.application_list() == []
    pool.application_enable("one")
    pool.application_enable("one")
    assert pool.application_list() == ["one"]
    with pytest.raises(rados.PermissionError, match=r"Ioctx\.application_enable\('two'\) of pool"):
        pool.application_enable("two")
    # a pool has four at most
    names = [f"application {number} {'x' * 100}" for number in range(3)]
    for name in names:
        pool.application_enable(name, True)
    assert pool.application_list() == [*names, "one"]


def test_metadata(pool: rados.Ioctx) -> None:
    pool.application_enable("app")
    assert pool.application_metadata_list("app") == []
    pool.application_metadata_set("app", "key", "value")
    pool.application_metadata_set("app", "empty", "")
    assert pool.application_metadata_get("app", "key") == "value"
    assert pool.application_metadata_get("app", "empty") == ""
    assert pool.application_metadata_list("app") == [("empty", ""), ("key", "value")]
    pool.application_metadata_remove("app", "key")
    pool.application_metadata_remove("app", "key")
    expected = {"empty": ""}
    for number in range(20):
        expected[f"key {number:02}"] = "v" * 120
        pool.application_metadata_set("app", f"key {number:02}", "v" * 120)
    assert dict(pool.application_metadata_list("app")) == expected


def test_metadata_that_is_not_there(pool: rados.Ioctx) -> None:
    pool.application_enable("app")
    for app, key in (("app", "none"), ("none", "none")):
        with pytest.raises(KeyError, match=rf"application_metadata_get\('{app}', 'none'\) of pool"):
            pool.application_metadata_get(app, key)
    for call in (
        lambda: pool.application_metadata_set("none", "k", "v"),
        lambda: pool.application_metadata_remove("none", "k"),
        lambda: pool.application_metadata_list("none"),
    ):
        with pytest.raises(
            rados.ObjectNotFound, match=r"application_metadata_\w+\('none'.*of pool"
        ):
            call()
    with pytest.raises(rados.InvalidArgumentError):
        pool.application_metadata_set("app", "k", "v" * 1000)


def test_full_try(pool: rados.Ioctx) -> None:
    pool.set_osdmap_full_try()
    pool.write_full("a", b"x")
    pool.unset_osdmap_full_try()
    assert pool.read("a") == b"x"


def test_wrong_arguments(pool: rados.Ioctx) -> None:
    what = rf"Ioctx\.application_\w+ of pool '{pool.name}': "
    with pytest.raises(TypeError, match=what + "app_name must be a string, not int"):
        pool.application_enable(5)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=what + "key must be a string, not int"):
        pool.application_metadata_get("app", 5)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=what + "value must be a string, not int"):
        pool.application_metadata_set("app", "k", 5)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=what + "key b'a.*x00' contains a NUL"):
        pool.application_metadata_remove("app", "a\0")
    with pytest.raises(rados.InvalidArgumentError):
        pool.application_enable("")
    with pool.dup() as closed:
        pass
    for call in (
        closed.application_list,
        lambda: closed.application_enable("a"),
        lambda: closed.application_metadata_get("a", "k"),
        lambda: closed.application_metadata_list("a"),
        closed.set_osdmap_full_try,
        closed.unset_osdmap_full_try,
    ):
        with pytest.raises(rados.IoctxStateError, match="closed"):
            call()
