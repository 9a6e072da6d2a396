"""Parents and children of clones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rbdcffi._buffers import string
from rbdcffi._calls import Calling
from rbdcffi._errors import ERANGE
from rbdcffi._ffi import ffi, lib
from rbdcffi.rbd._base import ImageBase, check_image


class ChildIterator(Calling):
    """The clones of an image, as they were when it was made; can be iterated over repeatedly.

    Yields dicts: pool, pool_namespace, image, id (str), trash (bool).

    Parameters:
        descendants: also the clones of the clones, and so on.

    Implements: rbd_list_children3, rbd_list_descendants, rbd_linked_image_spec_list_cleanup
    """

    def __init__(self, image: ImageBase, descendants: bool = False) -> None:
        check_image(image)
        self._children = _children(image, "list_descendants" if descendants else "list_children2")

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter([dict(child) for child in self._children])


def _children(image: ImageBase, call: str) -> list[dict[str, Any]]:
    function = lib.rbd_list_descendants if call == "list_descendants" else lib.rbd_list_children3
    count = ffi.new("size_t *", 16)
    while True:
        specs = ffi.new("rbd_linked_image_spec_t[]", count[0])
        result = function(image._gate, specs, count)
        if result != -ERANGE:
            break
    image._done(result, call)
    try:
        return [
            {
                "pool": string(specs[i].pool_name),
                "pool_namespace": string(specs[i].pool_namespace),
                "image": string(specs[i].image_name),
                "id": string(specs[i].image_id),
                "trash": specs[i].trash,
            }
            for i in range(count[0])
        ]
    finally:
        lib.rbd_linked_image_spec_list_cleanup(specs, count[0])


class Family(ImageBase):
    """The part of Image that knows where the image comes from and what was made of it."""

    def get_parent_image_spec(self) -> dict[str, Any]:
        """All about the parent.

        Returns a dict: pool_id (int), pool_name, pool_namespace, image_id, image_name (str), trash
        (bool), snap_id, snap_namespace_type (int, RBD_SNAP_NAMESPACE_TYPE_*), snap_name (str).

        Raises ImageNotFound if there is no parent. Implements: rbd_get_parent
        """
        return self._parent("get_parent_image_spec")

    def parent_info(self) -> tuple[str, str, str]:
        """(pool name, image name, snapshot name) of the parent.

        Raises ImageNotFound if there is no parent. Implements: rbd_get_parent
        """
        parent = self._parent("parent_info")
        return parent["pool_name"], parent["image_name"], parent["snap_name"]

    def parent_id(self) -> str:
        """The internal id of the parent image.

        Raises ImageNotFound if there is no parent. Implements: rbd_get_parent
        """
        return str(self._parent("parent_id")["image_id"])

    def _parent(self, call: str) -> dict[str, Any]:
        image = ffi.new("rbd_linked_image_spec_t *")
        snap = ffi.new("rbd_snap_spec_t *")
        self._done(lib.rbd_get_parent(self._gate, image, snap), call)
        try:
            return {
                "pool_id": image.pool_id,
                "pool_name": string(image.pool_name),
                "pool_namespace": string(image.pool_namespace),
                "image_id": string(image.image_id),
                "image_name": string(image.image_name),
                "trash": image.trash,
                "snap_id": snap.id,
                "snap_namespace_type": int(snap.namespace_type),
                "snap_name": string(snap.name),
            }
        finally:
            lib.rbd_linked_image_spec_cleanup(image)
            lib.rbd_snap_spec_cleanup(snap)

    def list_children(self) -> list[tuple[str, str]]:
        """(pool name, image name) of the clones of the selected snapshot, of all without one.

        Clones in the trash are left out. Raises Error. Implements: rbd_list_children3
        """
        children = _children(self, "list_children")
        return [(child["pool"], child["image"]) for child in children if not child["trash"]]

    def list_children2(self) -> ChildIterator:
        """The clones of the selected snapshot, of all without one, also those in the trash.

        Raises Error. Implements: rbd_list_children3
        """
        return ChildIterator(self)

    def list_descendants(self) -> ChildIterator:
        """The clones as list_children2() tells them, their clones, and so on.

        Raises Error. Implements: rbd_list_descendants
        """
        return ChildIterator(self, True)
