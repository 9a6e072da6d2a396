"""Facts about an open image."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from rbdcffi._buffers import grow, new_uncleared, number, string
from rbdcffi._callbacks import Progress
from rbdcffi._ffi import NULL, ffi, lib
from rbdcffi.rbd._base import ImageBase, moment
from rbdcffi.rbd.errors import invalid

_INFO = ffi.typeof("rbd_image_info_t *")
_INFO_SIZE = ffi.sizeof("rbd_image_info_t")
_GROUP = ffi.typeof("rbd_group_info_t *")
_GROUP_SIZE = ffi.sizeof(_GROUP.item)


class ImageInfo(ImageBase):
    """The part of Image that tells and changes what the image is like."""

    def stat(self) -> dict[str, Any]:
        """Facts about the image.

        Returns a dict: size, obj_size (bytes), num_objs, order (log2 of obj_size),
        block_name_prefix, and two keys without meaning: parent_pool is always 2**64-1 and
        parent_name always b'' (the reference says -1 and '', this is what the standard binding
        returns).

        Raises Error. Implements: rbd_stat
        """
        info = new_uncleared(_INFO)
        result = lib.rbd_stat(self._gate, info, _INFO_SIZE)
        if result < 0:
            raise self._failed(result, "stat")
        return {
            "size": info.size,
            "obj_size": info.obj_size,
            "num_objs": info.num_objs,
            "order": info.order,
            "block_name_prefix": ffi.string(info.block_name_prefix).decode(),
            "parent_pool": 0xFFFFFFFFFFFFFFFF,
            "parent_name": b"",
        }

    def size(self) -> int:
        """The size in bytes, of the selected snapshot if there is one.

        Raises Error. Implements: rbd_get_size
        """
        value = lib.rbdcffi_get_size(self._gate)
        return value if value >= 0 else self._number(value, "size", lib.rbd_get_size)

    def features(self) -> int:
        """The feature bits, RBD_FEATURE_*. Raises Error. Implements: rbd_get_features"""
        value = lib.rbdcffi_get_features(self._gate)
        return value if value >= 0 else self._number(value, "features", lib.rbd_get_features)

    def op_features(self) -> int:
        """The operation feature bits, RBD_OPERATION_FEATURE_*.

        Raises Error. Implements: rbd_get_op_features
        """
        value = lib.rbdcffi_get_op_features(self._gate)
        return value if value >= 0 else self._number(value, "op_features", lib.rbd_get_op_features)

    def update_features(self, features: int, enabled: bool) -> None:
        """Enables or disables features.

        Parameters:
            features: bits of features that can be changed, RBD_FEATURES_MUTABLE.

        Raises InvalidArgument, ReadOnlyImage, TypeError, OverflowError.
        Implements: rbd_update_features
        """
        features = number(features, "features")
        result = self._leavable(lib.rbd_update_features, self._gate, features, bool(enabled))
        self._done(result, f"update_features({features:#x}, {bool(enabled)})")

    def flags(self) -> int:
        """The flag bits, RBD_FLAG_*. Raises Error. Implements: rbd_get_flags"""
        value = lib.rbdcffi_get_flags(self._gate)
        return value if value >= 0 else self._number(value, "flags", lib.rbd_get_flags)

    def old_format(self) -> bool:
        """Whether the image uses the format of before Ceph 0.61. Implements: rbd_get_old_format"""
        old = ffi.new("uint8_t *")
        self._done(lib.rbd_get_old_format(self._gate, old), "old_format")
        return bool(old[0])

    def overlap(self) -> int:
        """How many bytes at the start are shared with the parent, 0 without a parent.

        The reference has it raise ImageNotFound without a parent; this is what the standard
        binding does. Raises Error. Implements: rbd_get_overlap
        """
        value = lib.rbdcffi_get_overlap(self._gate)
        return value if value >= 0 else self._number(value, "overlap", lib.rbd_get_overlap)

    def stripe_unit(self) -> int:
        """The stripe unit in bytes. Raises Error. Implements: rbd_get_stripe_unit"""
        value = lib.rbdcffi_get_stripe_unit(self._gate)
        return value if value >= 0 else self._number(value, "stripe_unit", lib.rbd_get_stripe_unit)

    def stripe_count(self) -> int:
        """Over how many objects stripes go. Raises Error. Implements: rbd_get_stripe_count"""
        value = lib.rbdcffi_get_stripe_count(self._gate)
        return (
            value if value >= 0 else self._number(value, "stripe_count", lib.rbd_get_stripe_count)
        )

    def get_name(self) -> str:
        """The image's name. Raises Error. Implements: rbd_get_name"""
        size = ffi.new("size_t *")
        buffer: Any = NULL

        def attempt(length: int) -> tuple[int, int]:
            nonlocal buffer
            buffer = ffi.new("char[]", length)
            size[0] = length
            return lib.rbd_get_name(self._gate, buffer, size), size[0]

        self._done(grow(attempt, 64), "get_name")
        return string(buffer)

    def id(self) -> str:
        """The image's internal id. Raises Error. Implements: rbd_get_id"""
        return self._text("id", lib.rbd_get_id)

    def block_name_prefix(self) -> str:
        """How the names of the image's objects begin.

        Raises Error. Implements: rbd_get_block_name_prefix
        """
        return self._text("block_name_prefix", lib.rbd_get_block_name_prefix)

    def data_pool_id(self) -> int:
        """The id of the pool that holds the image's data.

        Raises Error. Implements: rbd_get_data_pool_id
        """
        result = int(lib.rbd_get_data_pool_id(self._gate))
        self._done(result, "data_pool_id")
        return result

    def create_timestamp(self) -> datetime:
        """When the image was created: aware, in UTC.

        Raises Error. Implements: rbd_get_create_timestamp
        """
        return self._moment("create_timestamp", lib.rbd_get_create_timestamp)

    def access_timestamp(self) -> datetime:
        """When the image was read last, roughly: aware, in UTC.

        The option rbd_atime_update_interval says how roughly; a client that may not write does not
        count. Raises Error. Implements: rbd_get_access_timestamp
        """
        return self._moment("access_timestamp", lib.rbd_get_access_timestamp)

    def modify_timestamp(self) -> datetime:
        """When the image was written to last, roughly: aware, in UTC.

        The option rbd_mtime_update_interval says how roughly.

        Raises Error. Implements: rbd_get_modify_timestamp
        """
        return self._moment("modify_timestamp", lib.rbd_get_modify_timestamp)

    def _moment(self, call: str, function: Any) -> datetime:
        time = ffi.new("struct timespec *")
        self._done(function(self._gate, time), call)
        return moment(time.tv_sec)

    def group(self) -> dict[str, Any]:
        """The group that the image is in.

        Returns a dict: pool (the id of the group's pool), name; -1 and '' if it is in none.

        Raises Error. Implements: rbd_get_group, rbd_group_info_cleanup
        """
        info = ffi.new(_GROUP)
        self._done(lib.rbd_get_group(self._gate, info, _GROUP_SIZE), "group")
        try:
            return {"pool": info.pool, "name": string(info.name)}
        finally:
            lib.rbd_group_info_cleanup(info, _GROUP_SIZE)

    def _text(self, call: str, function: Any) -> str:
        buffer: Any = NULL

        def attempt(size: int) -> tuple[int, int]:
            nonlocal buffer
            buffer = ffi.new("char[]", size)
            return function(self._gate, buffer, size), size

        self._done(grow(attempt, 64), call)
        return string(buffer)

    def resize(
        self,
        size: int,
        allow_shrink: bool = True,
        *,
        on_progress: Any = None,
    ) -> None:
        """Changes the size. Shrinking discards what is behind the new end.

        Parameters:
            size: in bytes.
            allow_shrink: with False, InvalidArgument instead of losing data.
            on_progress: called with (done, total).

        Raises InvalidArgument, ReadOnlyImage, TypeError, OverflowError. Implements: rbd_resize2
        """
        size = number(size, "size")
        progress = Progress(on_progress, self._handle)
        try:
            result = progress.call(lib.rbd_resize2, self._gate, size, bool(allow_shrink))
        finally:
            self._resized += 1
        if result < 0:
            if not allow_shrink and result > lib.RBDCFFI_REFUSED and size < self.size():
                raise invalid(
                    f"{self._calling(f'resize({size})')}: smaller than the image, and "
                    "allow_shrink is False",
                )
            raise self._failed(result, f"resize({size})")

    def rebuild_object_map(self, *, on_progress: Any = None) -> None:
        """Rebuilds the object map of the image or of the selected snapshot.

        Parameters:
            on_progress: called with (done, total).

        Raises Error. Implements: rbd_rebuild_object_map
        """
        progress = Progress(on_progress, self._handle)
        result = progress.call(lib.rbd_rebuild_object_map, self._gate)
        self._done(result, "rebuild_object_map")
