"""Configuration kept with pools and images."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from rbdcffi import rados, rbd

RBD = rbd.RBD()


@pytest.fixture
def pool(cluster: rados.Rados, ceph_pool: str) -> Iterator[rados.Ioctx]:
    """A pool of this test's own."""
    with cluster.open_ioctx(ceph_pool) as context:
        yield context


@pytest.fixture
def own(pool: rados.Ioctx) -> Iterator[rbd.Image]:
    """An image in it."""
    RBD.create(pool, "a", 1 << 20)
    with rbd.Image(pool, "a") as opened:
        yield opened


def overridden(options: Any) -> list[dict[str, Any]]:
    return [option for option in options if option["source"] != rbd.RBD_CONFIG_SOURCE_CONFIG]


def test_of_a_pool(pool: rados.Ioctx) -> None:
    options = RBD.config_list(pool)
    assert isinstance(options, rbd.ConfigPoolIterator)
    listed = {option["name"]: option for option in options}
    assert len(listed) == len(list(options)) > 50
    assert listed["rbd_cache"] == {
        "name": "rbd_cache",
        "value": "true",
        "source": rbd.RBD_CONFIG_SOURCE_CONFIG,
    }
    assert overridden(options) == []
    with pytest.raises(KeyError, match=r"config_\w+\('rbd_cache'\).*it is not overridden"):
        RBD.config_get(pool, "rbd_cache")
    RBD.config_set(pool, "rbd_cache", "false")
    assert RBD.config_get(pool, "rbd_cache") == "false"
    assert RBD.pool_metadata_get(pool, "conf_rbd_cache") == "false"
    expected = {"name": "rbd_cache", "value": "false", "source": rbd.RBD_CONFIG_SOURCE_POOL}
    assert overridden(RBD.config_list(pool)) == [expected]
    RBD.config_remove(pool, "rbd_cache")
    with pytest.raises(KeyError, match=r"config_\w+\('rbd_cache'\).*it is not overridden"):
        RBD.config_remove(pool, "rbd_cache")
    assert overridden(RBD.config_list(pool)) == []


def test_of_an_image(pool: rados.Ioctx, own: rbd.Image) -> None:
    options = own.config_list()
    assert isinstance(options, rbd.ConfigImageIterator)
    assert len(list(options)) == len(list(options)) > 30
    assert overridden(options) == []
    with pytest.raises(KeyError, match=r"config_\w+\('rbd_cache'\).*it is not overridden"):
        own.config_get("rbd_cache")
    RBD.config_set(pool, "rbd_cache", "false")
    own.config_set("rbd_cache_size", "12345678")
    assert own.config_get("rbd_cache_size") == "12345678"
    own.close()
    with rbd.Image(pool, "a") as again:
        found = {option["name"]: option for option in overridden(again.config_list())}
        assert found["rbd_cache"]["source"] == rbd.RBD_CONFIG_SOURCE_POOL
        assert found["rbd_cache_size"] == {
            "name": "rbd_cache_size",
            "value": "12345678",
            "source": rbd.RBD_CONFIG_SOURCE_IMAGE,
        }
        again.config_remove("rbd_cache_size")
        with pytest.raises(KeyError, match=r"config_\w+\('rbd_cache_size'\).*it is not overridden"):
            again.config_remove("rbd_cache_size")


def test_wrong_options_and_values(pool: rados.Ioctx, own: rbd.Image) -> None:
    for where, call in (("RBD", lambda *a: RBD.config_set(pool, *a)), ("Image", own.config_set)):
        for key, value in (
            ("rbd_no_such_option", "1"),
            ("rbd_cache_size", "x"),
            ("rbd_cache", None),
            ("rbd_cache", 5),
            ("rbd_\0cache", "true"),
            ("rbd_cache", "true\0"),
        ):
            with pytest.raises(rbd.InvalidArgument, match=rf"{where}\.config_set"):
                call(key, value)
        for wrong in (None, 5, b"rbd_cache"):
            with pytest.raises(TypeError, match="key must be a str"):
                call(wrong, "true")
    for wrong in (None, 5, b"rbd_cache"):
        for single in (
            own.config_get,
            own.config_remove,
            lambda key: RBD.config_get(pool, key),
            lambda key: RBD.config_remove(pool, key),
        ):
            with pytest.raises(TypeError, match="key must be a str"):
                single(wrong)  # type: ignore[arg-type,operator]
    assert overridden(RBD.config_list(pool)) == []
    assert overridden(own.config_list()) == []


def test_read_only_and_closed(pool: rados.Ioctx, own: rbd.Image) -> None:
    own.config_set("rbd_cache", "false")
    with rbd.Image(pool, "a", read_only=True) as image:
        assert image.config_get("rbd_cache") == "false"
        with pytest.raises(rbd.ReadOnlyImage, match=r"Image\.config_set"):
            image.config_set("rbd_cache", "true")
        with pytest.raises(rbd.ReadOnlyImage):
            image.config_remove("rbd_cache")
    for call in (
        image.config_list,
        lambda: image.config_get("rbd_cache"),
        lambda: rbd.ConfigImageIterator(image),
    ):
        with pytest.raises(rbd.InvalidArgument, match="image is closed"):
            call()
    with pytest.raises(TypeError, match="Image"):
        rbd.ConfigImageIterator(None)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="Ioctx"):
        RBD.config_list(None)  # type: ignore[arg-type]
