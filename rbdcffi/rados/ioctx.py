"""The I/O context: one pool, one namespace, one locator key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable

from rbdcffi._buffers import INT64, c_string, grow, number, string
from rbdcffi._calls import named
from rbdcffi._errors import refusal
from rbdcffi._ffi import NULL, ffi, lib
from rbdcffi._handle import Handle, NotCopyable
from rbdcffi._waiting import close
from rbdcffi.rados.applications import Applications
from rbdcffi.rados.errors import failed, wrong_type
from rbdcffi.rados.hints import Hints
from rbdcffi.rados.locks import Locks
from rbdcffi.rados.operating import Operations
from rbdcffi.rados.slices import Slices
from rbdcffi.rados.snapshots import Snapshots
from rbdcffi.rados.watching import Watching

if TYPE_CHECKING:
    from rbdcffi.rados.cluster import Rados


class Ioctx(
    Applications,
    Locks,
    Snapshots,
    Slices,
    Watching,
    Operations,
    Hints,
    NotCopyable,
):
    """Access to one pool; made by ``Rados.open_ioctx``. Closed by close() or ``with``.

    Closing it does not close the images that were opened with it; they use the cluster's
    connection and last until their own close() or the cluster's shutdown().
    """

    _handle: Handle | None = None
    _gate: Any = NULL
    #: only for _beside
    _raw: Any = NULL

    def __init__(self, rados: Rados, name: str) -> None:
        if not hasattr(rados, "open_ioctx"):
            raise TypeError(
                named(f"rados must be an rbdcffi.rados.Rados, not {type(rados).__name__}")
            )
        other = rados.open_ioctx(name)
        self.__dict__.update(other.__dict__)
        # one owner only, else the other's finalizer would close it
        other._handle = None

    @classmethod
    def _opened(cls, rados: Rados, cluster: Handle, name: str, opener: Callable[[], Any]) -> Ioctx:
        self = cls.__new__(cls)
        self.rados = rados
        self.name = name
        self.locator_key = ""
        self.nspace = ""
        self._cluster = cluster

        def opened() -> Any:
            self._raw = opener()
            return self._raw

        self._handle = cluster.open_child(
            lib.RBDCFFI_IOCTX, f"pool {name!r}", opened, lib.rados_ioctx_destroy, self
        )
        self._gate = self._handle.gate
        return self

    def _rename(self, name: str) -> None:
        assert self._handle is not None
        self.name = name
        self._handle.label = f"pool {name!r}"

    rados: Rados
    _cluster: Handle
    # for one whose constructor did not run
    name = ""
    locator_key = ""
    nspace = ""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._label} {self.state}>"

    @property
    def _label(self) -> str:
        """pool or pool/namespace, for messages."""
        return f"{self.name}/{self.nspace}" if self.nspace else self.name

    # -- life ----------------------------------------------------------------------------------

    @property
    def state(self) -> str:
        """'open' or 'closed'."""
        return "closed" if self._handle is None or self._handle.closed else "open"

    def require_ioctx_open(self) -> None:
        """Raises IoctxStateError if the context is closed."""
        self._check("require_ioctx_open")

    def _check(self, what: str) -> None:
        """For the C functions that cannot say that they were refused."""
        if self._handle is None:
            raise refusal(lib.RBDCFFI_IOCTX, lib.RBDCFFI_NEVER_OPENED, f"Ioctx.{what}")
        self._handle.check(f"Ioctx.{what}")

    def close(self) -> None:
        """Closes the context; idempotent. Waits for calls that other threads have in flight, and
        for operations that were started.

        If Ctrl-C ends the wait of the main thread, closing goes on in the background.
        Implements: rados_ioctx_destroy
        """
        if self._handle is None:
            return
        if lib.rbdcffi_handle_uses(self._gate) or lib.rbdcffi_thread_is_lent():
            close(self._handle)
        else:
            # nothing to wait for, nor to interrupt
            self._handle.close()

    def __enter__(self) -> Ioctx:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def __del__(self, abandon: Any = Handle.abandon) -> None:
        if self._handle is not None:
            abandon(self._handle, "Ioctx")

    def dup(self) -> Ioctx:
        """Another context for the same pool, namespace and locator key.

        Raises IoctxStateError, Error. Implements: rados_ioctx_get_id, rados_ioctx_create2
        """
        self._check("dup")
        ioctx = self.rados.open_ioctx2(self.get_pool_id())
        ioctx.set_namespace(self.nspace)
        if self.locator_key:
            ioctx.set_locator_key(self.locator_key)
        return ioctx

    def _beside(self) -> Any:
        """Another gate to the context, open even if that is closed; for those who hold it, and so
        keep it from being destroyed."""
        gate = ffi.new("struct rbdcffi_handle *")
        lib.rbdcffi_handle_init(gate, lib.RBDCFFI_IOCTX, self._raw)
        return gate

    def _open_another(self, what: str) -> Handle:
        """A context like this one for something that is closed with it."""
        handle = self._handle
        assert handle is not None
        handle.check(what)
        pool, cluster = self.get_pool_id(), self._cluster.gate

        def opener() -> Any:
            raw = ffi.new("rados_ioctx_t *")
            result = lib.rados_ioctx_create2(cluster, pool, raw)
            if result < 0:
                raise failed(result, what)
            return raw[0]

        other = handle.open_child(lib.RBDCFFI_IOCTX, handle.label, opener, lib.rados_ioctx_destroy)
        lib.rados_ioctx_set_namespace(other.gate, c_string(self.nspace, "nspace", wrong_type))
        if self.locator_key:
            lib.rados_ioctx_locator_set_key(
                other.gate, c_string(self.locator_key, "locator_key", wrong_type)
            )
        return other

    # -- where objects are ---------------------------------------------------------------------

    def set_namespace(self, nspace: str) -> None:
        """Selects a namespace; '' is the default one, LIBRADOS_ALL_NSPACES all (for listing).

        Raises TypeError, IoctxStateError. Implements: rados_ioctx_set_namespace
        """
        self._check("set_namespace")
        nspace = "" if nspace is None else nspace
        lib.rados_ioctx_set_namespace(self._gate, c_string(nspace, "nspace", wrong_type))
        self.nspace = nspace

    def get_namespace(self) -> str:
        """The selected namespace."""
        self._check("get_namespace")
        return self.nspace

    def set_locator_key(self, loc_key: str | None) -> None:
        """Selects the key by which objects are placed, instead of their names; None ends that.

        Raises TypeError, IoctxStateError. Implements: rados_ioctx_locator_set_key
        """
        self._check("set_locator_key")
        lib.rados_ioctx_locator_set_key(
            self._gate, c_string(loc_key or None, "loc_key", wrong_type, optional=True)
        )
        self.locator_key = loc_key or ""

    def get_locator_key(self) -> str:
        """The selected locator key, '' for none."""
        self._check("get_locator_key")
        return self.locator_key

    def set_read(self, snap_id: int) -> None:
        """Reads come from this snapshot of the pool; LIBRADOS_SNAP_HEAD for the present.

        Raises TypeError, IoctxStateError. Implements: rados_ioctx_snap_set_read
        """
        self._check("set_read")
        snap_id = number(snap_id, "snap_id", INT64[0])
        lib.rados_ioctx_snap_set_read(self._gate, snap_id & 0xFFFFFFFFFFFFFFFF)

    # -- facts ---------------------------------------------------------------------------------

    def get_pool_id(self) -> int:
        """The pool's id. Implements: rados_ioctx_get_id"""
        self._check("get_pool_id")
        return int(lib.rados_ioctx_get_id(self._gate))

    def get_pool_name(self) -> str:
        """The pool's name. Raises Error. Implements: rados_ioctx_get_pool_name"""
        buffer: Any = NULL

        def attempt(size: int) -> tuple[int, int]:
            nonlocal buffer
            buffer = ffi.new("char[]", size)
            return lib.rados_ioctx_get_pool_name(self._gate, buffer, size), size

        result = grow(attempt, 128)
        if result < 0:
            raise failed(result, f"Ioctx.get_pool_name of {self._label!r}")
        return string(buffer)

    def get_last_version(self) -> int:
        """The version of the object that was last read or written through this context.

        Implements: rados_get_last_version
        """
        self._check("get_last_version")
        return int(lib.rados_get_last_version(self._gate))

    def get_stats(self) -> dict[str, int]:
        """Usage of the pool; num_bytes in bytes, num_kb, num_rd_kb and num_wr_kb in KiB.

        Keys: num_bytes, num_kb, num_objects, num_object_clones, num_object_copies,
        num_objects_missing_on_primary, num_objects_unfound, num_objects_degraded, num_rd,
        num_rd_kb, num_wr, num_wr_kb.

        Raises Error. Implements: rados_ioctx_pool_stat
        """
        stats = ffi.new("struct rados_pool_stat_t *")
        result = lib.rados_ioctx_pool_stat(self._gate, stats)
        if result < 0:
            raise failed(result, f"Ioctx.get_stats of {self._label!r}")
        return {name: getattr(stats, name) for name in STATS}

    def alignment(self) -> int | None:
        """The size in bytes that appends must be multiples of, None where it does not matter.

        Raises Error. Implements: rados_ioctx_pool_requires_alignment2,
        rados_ioctx_pool_required_alignment2
        """
        required = ffi.new("int *")
        result = lib.rados_ioctx_pool_requires_alignment2(self._gate, required)
        if result < 0:
            raise failed(result, f"Ioctx.alignment of {self._label!r}")
        if not required[0]:
            return None
        alignment = ffi.new("uint64_t *")
        result = lib.rados_ioctx_pool_required_alignment2(self._gate, alignment)
        if result < 0:
            raise failed(result, f"Ioctx.alignment of {self._label!r}")
        return int(alignment[0])


STATS = (
    "num_bytes",
    "num_kb",
    "num_objects",
    "num_object_clones",
    "num_object_copies",
    "num_objects_missing_on_primary",
    "num_objects_unfound",
    "num_objects_degraded",
    "num_rd",
    "num_rd_kb",
    "num_wr",
    "num_wr_kb",
)
