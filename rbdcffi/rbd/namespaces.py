"""Namespaces: parts of a pool that have images of their own."""

from __future__ import annotations

from typing import Any

from rbdcffi._buffers import grow, strings
from rbdcffi._ffi import NULL, ffi, lib
from rbdcffi.rados.ioctx import Ioctx
from rbdcffi.rbd._base import gate_of, name_of, pool_of
from rbdcffi.rbd.errors import failed


class Namespaces:
    """The part of RBD that makes, finds and removes namespaces.

    All are about the namespaces of a pool, whichever is selected in the I/O context.
    """

    def namespace_create(self, ioctx: Ioctx, name: str) -> None:
        """Makes a namespace; ``ioctx.set_namespace(name)`` selects it.

        Raises ImageExists, InvalidArgument. Implements: rbd_namespace_create
        """
        what = f"RBD.namespace_create({name!r}) in pool {pool_of(ioctx)}"
        result = lib.rbd_namespace_create(gate_of(ioctx), name_of(name, what))
        if result < 0:
            raise failed(result, what)

    def namespace_remove(self, ioctx: Ioctx, name: str) -> None:
        """Removes a namespace that has no images, not even in its trash.

        Raises ImageNotFound, ImageBusy (there are images). Implements: rbd_namespace_remove
        """
        what = f"RBD.namespace_remove({name!r}) in pool {pool_of(ioctx)}"
        result = lib.rbd_namespace_remove(gate_of(ioctx), name_of(name, what))
        if result < 0:
            raise failed(result, what)

    def namespace_exists(self, ioctx: Ioctx, name: str) -> bool:
        """Whether there is a namespace of that name.

        Raises InvalidArgument. Implements: rbd_namespace_exists
        """
        what = f"RBD.namespace_exists({name!r}) in pool {pool_of(ioctx)}"
        exists = ffi.new("bool *")
        result = lib.rbd_namespace_exists(gate_of(ioctx), name_of(name, what), exists)
        if result < 0:
            raise failed(result, what)
        return bool(exists[0])

    def namespace_list(self, ioctx: Ioctx) -> list[str]:
        """The names of a pool's namespaces. Raises Error. Implements: rbd_namespace_list"""
        gate = gate_of(ioctx)
        size = ffi.new("size_t *")
        names: Any = NULL

        def attempt(length: int) -> tuple[int, int]:
            nonlocal names
            names = ffi.new("char[]", length)
            size[0] = length
            return lib.rbd_namespace_list(gate, names, size), size[0]

        result = grow(attempt, 1024)
        if result < 0:
            raise failed(result, f"RBD.namespace_list of pool {pool_of(ioctx)}")
        return strings(names, size[0])
