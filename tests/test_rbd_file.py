"""An image as a file."""

from __future__ import annotations

import io
import random
import shutil
import tarfile

import pytest

from rbdcffi import rbd

MIB = 1 << 20


def test_positions_and_the_end(image: rbd.Image) -> None:
    image.write(b"tail", image.size() - 4)
    with image.open_file("r+") as file:
        assert file.readable() and file.writable() and file.seekable()
        assert file.seek(-4, io.SEEK_END) == image.size() - 4
        assert file.read() == b"tail"
        assert (file.read(1), file.readinto(bytearray(1))) == (b"", 0)
        with pytest.raises(rbd.NoSpace):
            file.write(b"x")
        assert file.seek(-2, io.SEEK_CUR) == image.size() - 2
        assert file.write(b"abcdef") == 2
        assert file.tell() == image.size()
        assert file.truncate(MIB) == MIB == image.size()
        with pytest.raises(ValueError, match="negative"):
            file.seek(-1)
    assert file.closed and not image.closed
    with pytest.raises(ValueError, match="closed file"):
        file.read()


def test_modes(image: rbd.Image) -> None:
    with image.open_file("rb") as file, pytest.raises(io.UnsupportedOperation):
        file.write(b"x")
    with image.open_file("w") as file, pytest.raises(io.UnsupportedOperation):
        file.read(1)
    with pytest.raises(ValueError, match="mode"):
        image.open_file("a")


def test_buffered_random_against_a_model(image: rbd.Image) -> None:
    chance = random.Random(5)
    model = io.BytesIO(bytes(image.size()))
    with io.BufferedRandom(image.open_file("r+"), 8192) as file:
        for _ in range(500):
            where = chance.randrange(image.size() - 20000)
            assert file.seek(where) == model.seek(where)
            if chance.random() < 0.5:
                data = chance.randbytes(chance.randrange(10000))
                assert file.write(data) == model.write(data)
            else:
                length = chance.randrange(10000)
                assert file.read(length) == model.read(length)
    assert image.read(0, image.size()) == model.getvalue()


def test_tarfile_and_copyfileobj(image: rbd.Image) -> None:
    with image.open_file("r+") as raw, io.BufferedRandom(raw) as file:
        with tarfile.open(fileobj=file, mode="w") as tar:
            entry = tarfile.TarInfo("entry")
            entry.size = 100_000
            tar.addfile(entry, io.BytesIO(b"t" * 100_000))
        file.seek(0)
        with tarfile.open(fileobj=file) as tar:
            member = tar.extractfile("entry")
            assert member is not None and member.read() == b"t" * 100_000
    target = io.BytesIO()
    with image.open_file() as file:
        shutil.copyfileobj(file, target, MIB)
    assert target.getvalue() == image.read(0, image.size())
