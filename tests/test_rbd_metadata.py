"""Keys and values of an image."""

from __future__ import annotations

import pytest

from rbdcffi import rados, rbd
from rbdcffi.rbd.metadata import CHUNK


def test_keys_and_values(image: rbd.Image) -> None:
    assert list(image.metadata_list()) == []
    image.metadata_set("owner", "me")
    image.metadata_set("owner", "you")
    image.metadata_set("empty", "")
    image.metadata_set("ü", "größe")
    assert image.metadata_get("owner") == "you"
    assert image.metadata_get("empty") == ""
    assert list(image.metadata_list()) == [("empty", ""), ("owner", "you"), ("ü", "größe")]
    image.metadata_remove("owner")
    with pytest.raises(KeyError, match=rf"metadata_get\('owner'\) of .*{image.name}"):
        image.metadata_get("owner")
    with pytest.raises(KeyError, match="metadata_remove"):
        image.metadata_remove("owner")


def test_other_handles_see_it(ioctx: rados.Ioctx, image: rbd.Image) -> None:
    image.metadata_set("k", "v")
    with rbd.Image(ioctx, image.name, read_only=True) as other:
        assert other.metadata_get("k") == "v"
        with pytest.raises(rbd.ReadOnlyImage, match="metadata_set"):
            other.metadata_set("k", "w")
        with pytest.raises(rbd.ReadOnlyImage, match="metadata_remove"):
            other.metadata_remove("k")


def test_long_values(image: rbd.Image) -> None:
    """Longer than the first buffers, alone and in the list."""
    image.metadata_set("k", "v" * 100_000)
    image.metadata_set("l" * 10_000, "w" * 5000)
    assert image.metadata_get("k") == "v" * 100_000
    assert list(image.metadata_list()) == [("k", "v" * 100_000), ("l" * 10_000, "w" * 5000)]


def test_bytes_that_are_no_utf8_come_back(image: rbd.Image) -> None:
    image.metadata_set(b"\xff", b"\xfe")  # type: ignore[arg-type]
    ((key, value),) = image.metadata_list()
    assert (key.encode("utf-8", "surrogateescape"), value) == (b"\xff", "\udcfe")
    assert image.metadata_get(key) == value


@pytest.mark.parametrize("count", [CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 5])
def test_chunks(image: rbd.Image, count: int) -> None:
    pairs = [(f"key-{number:03}", f"value-{number}") for number in range(count)]
    for key, value in pairs:
        image.metadata_set(key, value)
    found = image.metadata_list()
    assert list(found) == pairs
    assert list(found) == pairs
    found.get_next_chunk()
    assert list(found) == pairs[CHUNK:]
    for _ in range(5):
        found.get_next_chunk()
    assert list(found) == []
    assert list(rbd.MetadataIterator(image)) == pairs


def test_wrong_arguments(image: rbd.Image) -> None:
    for wrong in (None, 5, "a\0b", "\ud800"):
        with pytest.raises(rbd.InvalidArgument, match=r"Image\.metadata_get .*: key"):
            image.metadata_get(wrong)  # type: ignore[arg-type]
        with pytest.raises(rbd.InvalidArgument, match=r"Image\.metadata_remove .*: key"):
            image.metadata_remove(wrong)  # type: ignore[arg-type]
        with pytest.raises(rbd.InvalidArgument, match=r"Image\.metadata_set .*: value"):
            image.metadata_set("k", wrong)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"rbdcffi\.rbd\.Image"):
        rbd.MetadataIterator(None)  # type: ignore[arg-type]
    assert list(image.metadata_list()) == []


def test_closed(image: rbd.Image) -> None:
    for number in range(CHUNK + 1):
        image.metadata_set(str(number), "")
    found = image.metadata_list()
    image.close()
    with pytest.raises(rbd.InvalidArgument, match=r"metadata_list.*image is closed"):
        list(found)
    with pytest.raises(rbd.InvalidArgument, match="image is closed"):
        image.metadata_get("k")
