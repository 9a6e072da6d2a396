"""Pools: their initialisation, statistics and metadata."""

from __future__ import annotations

from collections.abc import Iterator

from rbdcffi._calls import Calling
from rbdcffi._errors import ENOENT
from rbdcffi._ffi import ffi, lib
from rbdcffi.rados.ioctx import Ioctx
from rbdcffi.rbd._base import gate_of, name_of, pool_of
from rbdcffi.rbd._pairs import get_value, list_pairs
from rbdcffi.rbd.errors import failed

#: {key of pool_stats_get: option}
_STATS = {
    "image_count": lib.RBD_POOL_STAT_OPTION_IMAGES,
    "image_provisioned_bytes": lib.RBD_POOL_STAT_OPTION_IMAGE_PROVISIONED_BYTES,
    "image_max_provisioned_bytes": lib.RBD_POOL_STAT_OPTION_IMAGE_MAX_PROVISIONED_BYTES,
    "image_snap_count": lib.RBD_POOL_STAT_OPTION_IMAGE_SNAPSHOTS,
    "trash_count": lib.RBD_POOL_STAT_OPTION_TRASH_IMAGES,
    "trash_provisioned_bytes": lib.RBD_POOL_STAT_OPTION_TRASH_PROVISIONED_BYTES,
    "trash_max_provisioned_bytes": lib.RBD_POOL_STAT_OPTION_TRASH_MAX_PROVISIONED_BYTES,
    "trash_snap_count": lib.RBD_POOL_STAT_OPTION_TRASH_SNAPSHOTS,
}

#: Pairs in one chunk of a listing, as the standard binding has it.
CHUNK = 32


class PoolMetadataIterator(Calling):
    """The metadata of a pool, in the order of the keys, fetched in chunks while it is iterated
    over. Each iteration begins with the current chunk, which is the first one until
    get_next_chunk() is called.

    Yields (key, value).

    Implements: rbd_pool_metadata_list
    """

    def __init__(self, ioctx: Ioctx) -> None:
        gate_of(ioctx)
        self._ioctx = ioctx
        self._chunk = self._fetch("")

    def _fetch(self, start: str) -> list[tuple[str, str]]:
        pairs = list_pairs(
            lib.rbd_pool_metadata_list,
            gate_of(self._ioctx),
            start.encode("utf-8", "surrogateescape"),
            CHUNK,
        )
        if isinstance(pairs, int):
            raise failed(pairs, f"RBD.pool_metadata_list of pool {pool_of(self._ioctx)}")
        return pairs

    def _after(self, chunk: list[tuple[str, str]]) -> list[tuple[str, str]]:
        """The next chunk; one that is not full was the last."""
        return self._fetch(chunk[-1][0]) if len(chunk) >= CHUNK else []

    def get_next_chunk(self) -> None:
        """Makes the next chunk the current one. Raises Error. Implements: rbd_pool_metadata_list"""
        self._chunk = self._after(self._chunk)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        chunk = self._chunk
        while chunk:
            yield from chunk
            chunk = self._after(chunk)


class Pools:
    """The part of RBD that is about whole pools."""

    def pool_init(self, ioctx: Ioctx, force: bool) -> None:
        """Makes a pool one of RBD's: enables the application, and checks that the pool can have
        snapshots.

        Parameters:
            force: also if the pool belongs to another application.

        Raises PermissionError (it belongs to another application), InvalidArgument (the pool has
        snapshots of its own). Implements: rbd_pool_init
        """
        result = lib.rbd_pool_init(gate_of(ioctx), bool(force))
        if result < 0:
            raise failed(result, f"RBD.pool_init({force!r}) of pool {pool_of(ioctx)}")

    def pool_stats_get(self, ioctx: Ioctx) -> dict[str, int]:
        """How many images a pool (and namespace) has, and how large they are.

        Returns a dict: image_count, image_provisioned_bytes, image_max_provisioned_bytes (counting
        the largest snapshot of each), image_snap_count, and the same of what is in the trash:
        trash_count, trash_provisioned_bytes, trash_max_provisioned_bytes, trash_snap_count.

        Raises Error. Implements: rbd_pool_stats_create, rbd_pool_stats_option_add_uint64,
        rbd_pool_stats_get, rbd_pool_stats_destroy
        """
        what = f"RBD.pool_stats_get of pool {pool_of(ioctx)}"
        gate = gate_of(ioctx)
        values = ffi.new("uint64_t[]", len(_STATS))
        pointer = ffi.new("rbd_pool_stats_t *")
        lib.rbd_pool_stats_create(pointer)
        stats = pointer[0]
        try:
            for i, option in enumerate(_STATS.values()):
                result = lib.rbd_pool_stats_option_add_uint64(stats, option, values + i)
                if result < 0:
                    raise failed(result, what)
            result = lib.rbd_pool_stats_get(gate, stats)
        finally:
            lib.rbd_pool_stats_destroy(stats)
        if result < 0:
            raise failed(result, what)
        return dict(zip(_STATS, ffi.unpack(values, len(_STATS))))

    def pool_metadata_get(self, ioctx: Ioctx, key: str) -> str:
        """The value of a key of the pool's metadata.

        Raises KeyError (no such key), Error. Implements: rbd_pool_metadata_get
        """
        what = f"RBD.pool_metadata_get({key!r}) of pool {pool_of(ioctx)}"
        value = get_value(lib.rbd_pool_metadata_get, gate_of(ioctx), name_of(key, what, "key"))
        if value is None:
            raise KeyError(f"{what}: no such key")
        if isinstance(value, int):
            raise failed(value, what)
        return value

    def pool_metadata_set(self, ioctx: Ioctx, key: str, value: str) -> None:
        """Sets a key of the pool's metadata. Keys that begin with conf_ are its configuration.

        Raises InvalidArgument. Implements: rbd_pool_metadata_set
        """
        what = f"RBD.pool_metadata_set({key!r}, {value!r}) of pool {pool_of(ioctx)}"
        result = lib.rbd_pool_metadata_set(
            gate_of(ioctx), name_of(key, what, "key"), name_of(value, what, "value")
        )
        if result < 0:
            raise failed(result, what)

    def pool_metadata_remove(self, ioctx: Ioctx, key: str) -> None:
        """Removes a key of the pool's metadata.

        Raises KeyError (no such key), Error. Implements: rbd_pool_metadata_remove
        """
        what = f"RBD.pool_metadata_remove({key!r}) of pool {pool_of(ioctx)}"
        result = lib.rbd_pool_metadata_remove(gate_of(ioctx), name_of(key, what, "key"))
        if result == -ENOENT:
            raise KeyError(f"{what}: no such key")
        if result < 0:
            raise failed(result, what)

    def pool_metadata_list(self, ioctx: Ioctx) -> PoolMetadataIterator:
        """The pool's metadata. Yields (key, value); see PoolMetadataIterator.

        Raises Error. Implements: rbd_pool_metadata_list
        """
        return PoolMetadataIterator(ioctx)
