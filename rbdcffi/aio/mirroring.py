"""What is mirrored in a pool, fetched in worker threads as it is needed."""

from __future__ import annotations

from typing import Any

from rbdcffi._ffi import needs
from rbdcffi.aio._objects import Offloading
from rbdcffi.aio.listings import Listing
from rbdcffi.aio.rados import Ioctx, sync_of


class MirrorLists(Offloading):
    """The part of RBD that lists what is mirrored."""

    def mirror_image_status_list(self, ioctx: Ioctx) -> Listing[dict[str, Any]]:
        """``async for status in rbd.mirror_image_status_list(ioctx)``: the status of the images
        that are mirrored, dicts; see rbd.MirrorImageStatusIterator.

        Raises Error. Implements: rbd_mirror_image_global_status_list, rbd_mirror_image_status_list
        """
        pool = sync_of(ioctx, "ioctx", Ioctx)
        return Listing(self, self.sync.mirror_image_status_list, pool)

    def mirror_image_instance_id_list(self, ioctx: Ioctx) -> Listing[tuple[str, str]]:
        """``async for image_id, instance_id in rbd.mirror_image_instance_id_list(ioctx)``: which
        rbd-mirror replicates which image.

        Raises Error. Implements: rbd_mirror_image_instance_id_list
        """
        pool = sync_of(ioctx, "ioctx", Ioctx)
        return Listing(self, self.sync.mirror_image_instance_id_list, pool)

    @needs("rbd_mirror_image_info_list")
    def mirror_image_info_list(
        self, ioctx: Ioctx, mode_filter: int | None = None
    ) -> Listing[tuple[str, dict[str, Any]]]:
        """``async for image_id, info in rbd.mirror_image_info_list(ioctx)``: which images are
        mirrored, dicts: mode, global_id, state, primary.

        Parameters:
            mode_filter: only images of this mode, RBD_MIRROR_IMAGE_MODE_*; None: of any.

        Raises Error, TypeError, OverflowError. Implements: rbd_mirror_image_info_list
        """
        pool = sync_of(ioctx, "ioctx", Ioctx)
        return Listing(self, self.sync.mirror_image_info_list, pool, mode_filter)
