"""Ceph's block images (RBD) and object store (RADOS) for Python.

- ``rbdcffi.rados``, ``rbdcffi.rbd``: drop-in mirrors of the standard modules
- ``rbdcffi.testing``: a real throwaway cluster
"""

__version__ = "0.1.0"
