"""Encryption with LUKS. Deriving a key takes seconds: few images are formatted."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import Any

import pytest
from conftest import MIB

from rbdcffi import rados, rbd
from rbdcffi._ffi import has

pytestmark = pytest.mark.skipif(not has("rbd_encryption_format"), reason="needs Ceph 16")
needs_18 = pytest.mark.skipif(not has("rbd_encryption_load2"), reason="needs Ceph 18")

SIZE = 32 * MIB
LUKS1 = rbd.RBD_ENCRYPTION_FORMAT_LUKS1
LUKS2 = rbd.RBD_ENCRYPTION_FORMAT_LUKS2
LUKS = rbd.RBD_ENCRYPTION_FORMAT_LUKS
AES128 = rbd.RBD_ENCRYPTION_ALGORITHM_AES128
SECRET = b"to be or not to be" * 100


def formatted(ioctx: rados.Ioctx, name: str, *arguments: Any) -> int:
    """An encrypted image with a secret at offset 0; its size."""
    rbd.RBD().create(ioctx, name, SIZE)
    with rbd.Image(ioctx, name) as image:
        image.encryption_format(*arguments)
        image.write(SECRET, 0)
        assert image.read(0, len(SECRET)) == SECRET
        return image.size()


@pytest.mark.parametrize(
    ("format", "passphrase", "same", "more"),
    [
        (LUKS1, "pass phrase ü", "pass phrase ü".encode(), ()),
        (LUKS2, bytearray(b"nul \0 \xff"), memoryview(b"nul \0 \xff"), (AES128,)),
    ],
)
def test_formats(
    ioctx: rados.Ioctx, fresh_name: str, format: int, passphrase: Any, same: Any, more: tuple[int]
) -> None:
    size = formatted(ioctx, fresh_name, format, passphrase, *more)
    assert 0 < size < SIZE
    other = LUKS2 if format == LUKS1 else LUKS1
    with rbd.Image(ioctx, fresh_name) as image:
        assert image.size() == SIZE
        raw = image.read(0, SIZE)
        assert raw.startswith(b"LUKS\xba\xbe\x00" + bytes([format + 1]))
        assert SECRET[:18] not in raw
        with pytest.raises(rbd.PermissionError, match=rf"encryption_load\({format}\)") as caught:
            image.encryption_load(format, "wrong")
        assert caught.value.errno == errno.EPERM and "wrong" not in str(caught.value)
        with pytest.raises(rbd.InvalidArgument, match=rf"encryption_load\({other}\)"):
            image.encryption_load(other, passphrase)
        assert image.size() == SIZE  # nothing was loaded
        image.encryption_load(format, same)
        assert image.size() == size
        assert image.read(0, len(SECRET)) == SECRET
        image.write(b"again", size - 5)
        with pytest.raises(rbd.ImageExists, match="encryption_load"):
            image.encryption_load(format, same)
    if has("rbd_encryption_load2"):
        with rbd.Image(ioctx, fresh_name, read_only=True) as image:
            image.encryption_load(LUKS, same)
            assert image.read(size - 5, 5) == b"again"
        with rbd.Image(ioctx, fresh_name, read_only=True) as image:
            image.encryption_load2([(LUKS, same)])
            assert image.read(size - 5, 5) == b"again"


@needs_18
def test_clones_with_keys_of_their_own(ioctx: rados.Ioctx, fresh_name: str) -> None:
    formatted(ioctx, fresh_name, LUKS2, "parent's")
    with rbd.Image(ioctx, fresh_name) as parent:
        parent.create_snap("snap")
        parent.protect_snap("snap")
    child = f"{fresh_name}-clone"
    rbd.RBD().clone(ioctx, fresh_name, "snap", ioctx, child)
    with rbd.Image(ioctx, child) as image:
        image.encryption_format(LUKS1, "child's")
    with rbd.Image(ioctx, child) as image:
        # the last one is also for the parent, which is of another format
        with pytest.raises(rbd.InvalidArgument, match=r"encryption_load2 with 1 specs"):
            image.encryption_load2([(LUKS1, "child's")])
        image.encryption_load2(((LUKS1, "child's"), [LUKS, b"parent's"]))  # type: ignore[arg-type]
        assert image.read(0, len(SECRET)) == SECRET
        image.write(b"changed", 0)
        assert image.read(0, 10) == b"changed" + SECRET[7:10]
    with rbd.Image(ioctx, child, read_only=True) as image:
        raw = image.read(0, SIZE)
        assert b"changed" not in raw and SECRET[:18] not in raw


@needs_18
def test_wrong_specs(image: rbd.Image) -> None:
    bad: list[tuple[Any, type[Exception], str]] = [
        ([], rbd.InvalidArgument, "with 0 specs"),
        (None, TypeError, "encryption_load2.*specs"),
        (5, TypeError, "encryption_load2.*specs"),
        ([("x", "p")], TypeError, "format"),
        ([(LUKS1, "p", "q")], ValueError, "encryption_load2.*specs"),
        ([(LUKS1, "p"), (LUKS1, None)], rbd.InvalidArgument, r"specs\[1\]\[1\]"),
        ([(9, "p")], rbd.OperationNotSupported, "format 9"),
        ([(LUKS1, "p")], rbd.InvalidArgument, "encryption_load2"),  # it is not encrypted
    ]
    for specs, error, message in bad:
        with pytest.raises(error, match=message):
            image.encryption_load2(specs)


def test_wrong_arguments(image: rbd.Image) -> None:
    calls: list[Callable[..., None]] = [image.encryption_format, image.encryption_load]
    for call in calls:
        name = call.__name__
        for wrong in (None, 5, ["x"]):
            with pytest.raises(rbd.InvalidArgument, match=rf"Image\.{name}.*{image.name}.*string"):
                call(LUKS1, wrong)
        with pytest.raises(rbd.OperationNotSupported, match=rf"Image\.{name}") as caught:
            call(9, "secret")
        assert caught.value.errno == errno.EOPNOTSUPP and "secret" not in str(caught.value)
        for format, error in ((-1, OverflowError), (1 << 32, OverflowError), ("luks", TypeError)):
            with pytest.raises(error, match=rf"Image\.{name}.*format"):
                call(format, "secret")
        with pytest.raises(rbd.InvalidArgument, match="UTF-8"):
            call(LUKS1, "\ud800")
    for cipher, error in ((-1, OverflowError), (None, TypeError)):
        with pytest.raises(error, match="cipher_alg"):
            image.encryption_format(LUKS1, "secret", cipher)  # type: ignore[arg-type]
    with pytest.raises(rbd.InvalidArgument, match=r"encryption_format\(0, cipher_alg=\d\)"):
        image.encryption_format(LUKS1, "secret", 7)
    with pytest.raises(rbd.OperationNotSupported):
        image.encryption_format(LUKS, "secret")
    with pytest.raises(rbd.InvalidArgument, match="encryption_load"):
        image.encryption_load(LUKS1, "secret")  # it is not encrypted
    assert image.size() == 16 * MIB
    image.close()
    for call in calls:
        with pytest.raises(rbd.InvalidArgument, match="image is closed"):
            call(LUKS1, "secret")


def test_too_small_and_read_only(ioctx: rados.Ioctx, fresh_name: str) -> None:
    rbd.RBD().create(ioctx, fresh_name, MIB)
    with rbd.Image(ioctx, fresh_name) as image:
        with pytest.raises(rbd.NoSpace, match=r"encryption_format\(0, cipher_alg=\d\)"):
            image.encryption_format(LUKS1, "secret")
        image.resize(SIZE)
    with rbd.Image(ioctx, fresh_name, read_only=True) as image:
        with pytest.raises(rbd.ReadOnlyImage, match="encryption_format"):
            image.encryption_format(LUKS1, "secret")
