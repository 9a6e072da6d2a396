"""Commands to the monitors, the OSDs, the managers and placement groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable

from rbdcffi._buffers import c_string, readable
from rbdcffi._ffi import NULL, ffi, lib
from rbdcffi._handle import Handle
from rbdcffi.rados.errors import failed, invalid, wrong_type


class Commands:
    """The part of Rados that sends commands.

    A command is JSON text such as ``{"prefix": "status", "format": "json"}``. The methods return
    (result, output, message): a failed command is a negative result, not an exception.
    """

    if TYPE_CHECKING:
        _gate: Any

        @property
        def _connected(self) -> Any: ...

        @property
        def _open_handle(self) -> Handle: ...

        def require_state(self, *args: str) -> None: ...

    def _command(
        self, what: str, cmd: str, inbuf: bytes | str, send: Callable[..., int]
    ) -> tuple[int, bytes, str]:
        text = ffi.new("char[]", c_string(cmd, "cmd", wrong_type))
        commands = ffi.new("const char *[]", [text])
        data, size = readable(inbuf.encode() if isinstance(inbuf, str) else inbuf, "inbuf")
        output = ffi.new("char **")
        output_size = ffi.new("size_t *")
        message = ffi.new("char **")
        message_size = ffi.new("size_t *")
        result = send(commands, 1, data, size, output, output_size, message, message_size)
        if result <= lib.RBDCFFI_REFUSED:
            raise failed(result, what)
        try:
            return (
                int(result),
                ffi.buffer(output[0], output_size[0])[:] if output[0] != NULL else b"",
                ffi.buffer(message[0], message_size[0])[:].decode("utf-8", "replace")
                if message[0] != NULL
                else "",
            )
        finally:
            lib.rados_buffer_free(output[0])
            lib.rados_buffer_free(message[0])

    def mon_command(
        self, cmd: str, inbuf: bytes | str, timeout: int = 0, target: str | int | None = None
    ) -> tuple[int, bytes, str]:
        """Sends a command to the monitors, or to the one named `target`.

        Parameters:
            inbuf: input of the command, bytes or str.
            timeout: ignored, for the signature; see op_timeout of Rados.

        Returns (result, output, message).
        Raises TypeError, RadosStateError.
        Implements: rados_mon_command, rados_mon_command_target
        """
        gate = self._connected
        if target is None:
            return self._command(
                "Rados.mon_command", cmd, inbuf, lambda *args: lib.rados_mon_command(gate, *args)
            )
        name = c_string(str(target), "target", wrong_type)
        return self._command(
            f"Rados.mon_command to mon.{target}",
            cmd,
            inbuf,
            lambda *args: lib.rados_mon_command_target(gate, name, *args),
        )

    def osd_command(
        self, osdid: int, cmd: str, inbuf: bytes | str, timeout: int = 0
    ) -> tuple[int, bytes, str]:
        """Sends a command to an OSD. Returns (result, output, message).

        Raises TypeError, RadosStateError. Implements: rados_osd_command
        """
        gate = self._connected
        if not isinstance(osdid, int):
            raise TypeError(f"osdid must be an integer, not {type(osdid).__name__}")
        return self._command(
            f"Rados.osd_command to osd.{osdid}",
            cmd,
            inbuf,
            lambda *args: lib.rados_osd_command(gate, osdid, *args),
        )

    def mgr_command(
        self, cmd: str, inbuf: bytes | str, timeout: int = 0, target: str | None = None
    ) -> tuple[int, bytes, str]:
        """Sends a command to the active manager, or to the one named `target` (Ceph 16).

        Returns (result, output, message).
        Raises TypeError, RadosStateError, InvalidArgumentError (no target support).
        Implements: rados_mgr_command, rados_mgr_command_target
        """
        gate = self._connected
        if target is None:
            return self._command(
                "Rados.mgr_command", cmd, inbuf, lambda *args: lib.rados_mgr_command(gate, *args)
            )
        if not hasattr(lib, "rados_mgr_command_target"):
            raise invalid("Rados.mgr_command: the loaded librados cannot address one manager")
        name = c_string(target, "target", wrong_type)
        return self._command(
            f"Rados.mgr_command to mgr.{target}",
            cmd,
            inbuf,
            lambda *args: lib.rados_mgr_command_target(gate, name, *args),
        )

    def pg_command(
        self, pgid: str, cmd: str, inbuf: bytes | str, timeout: int = 0
    ) -> tuple[int, bytes, str]:
        """Sends a command to a placement group. Returns (result, output, message).

        Raises TypeError, RadosStateError. Implements: rados_pg_command
        """
        gate = self._connected
        name = c_string(pgid, "pgid", wrong_type)
        return self._command(
            f"Rados.pg_command to {pgid}",
            cmd,
            inbuf,
            lambda *args: lib.rados_pg_command(gate, name, *args),
        )

    def ping_monitor(self, mon_id: str) -> str:
        """The state of one monitor, as JSON text; works before connect().

        librados is not sound here (14 may crash, 20 finds no monitor): where there is a connection,
        ``mon_command('{"prefix": "mon metadata"}', ...)`` and the like are the better question.

        Raises ObjectNotFound (no such monitor), RadosStateError. Implements: rados_ping_monitor
        """
        self.require_state("configuring", "connected")
        name = c_string(mon_id, "mon_id", wrong_type)
        output = ffi.new("char **")
        size = ffi.new("size_t *")

        def opener() -> Any:
            raw = ffi.new("rados_t *")
            result = lib.rados_create_with_context(raw, lib.rados_cct(self._gate))
            if result < 0:
                raise failed(result, f"Rados.ping_monitor({mon_id!r})")
            return raw[0]

        # A ping adds the monitors to its handle's list; when connecting, or pinging again, adds
        # them once more, librados aborts. So each ping has a handle of its own.
        handle = self._open_handle.open_child(
            lib.RBDCFFI_CLUSTER, "ping of a monitor", opener, lib.rados_shutdown
        )
        try:
            result = lib.rados_ping_monitor(handle.gate, name, output, size)
        finally:
            handle.close()
        if result < 0:
            raise failed(result, f"Rados.ping_monitor({mon_id!r})")
        try:
            return ffi.buffer(output[0], size[0])[:].decode() if output[0] != NULL else ""
        finally:
            lib.rados_buffer_free(output[0])
