"""Commands to the monitors, the OSDs, the managers and placement groups."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any, Callable

from rbdcffi._buffers import INT, c_string, integer, number, readable
from rbdcffi._calls import Calling
from rbdcffi._errors import ETIMEDOUT
from rbdcffi._ffi import NULL, ffi, lib
from rbdcffi._handle import Handle
from rbdcffi._secrets import Secret, hidden, hidden_input
from rbdcffi._waiting import interruptible
from rbdcffi.rados.errors import TimedOut, failed, invalid, wrong_type

_MON_TIMEOUT = "rados_mon_op_timeout"
#: Seconds that librados waits for a manager after nobody else does.
_MGR_PATIENCE = "86400"
_asking = threading.Lock()

#: a command and its input as C takes them: text, data, length of the data
_Question = tuple[Secret, Any, int]


def _question(cmd: Any, inbuf: bytes | str) -> _Question:
    cmd = hidden(cmd)
    cmd.text("cmd", wrong_type)
    inbuf = given = hidden_input(inbuf)
    if isinstance(given, Secret):
        given.pointer("inbuf", wrong_type)
        return cmd, given, given.size
    return cmd, *readable(inbuf, "inbuf")


class Commands(Calling):
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

        state: str

        def require_state(self, *args: str) -> None: ...

        def conf_get(self, option: str) -> str | None: ...

        def conf_set(self, option: str, val: str) -> None: ...

    def _command(
        self, what: str, cmd: Any, inbuf: bytes | str, send: Callable[..., int]
    ) -> tuple[int, bytes, str]:
        return self._sent(what, _question(cmd, inbuf), send)

    def _sent(
        self, what: str, question: _Question, send: Callable[..., int]
    ) -> tuple[int, bytes, str]:
        command, data, size = question
        commands = ffi.new("const char *[]", [command.text("cmd", wrong_type)])
        start = data.pointer("inbuf", wrong_type) if isinstance(data, Secret) else data
        output = ffi.new("char **")
        output_size = ffi.new("size_t *")
        message = ffi.new("char **")
        message_size = ffi.new("size_t *")

        def ask() -> int:
            # wiped when C is done with it, which may be when the caller has left
            with command:
                result = send(commands, 1, start, size, output, output_size, message, message_size)
            if isinstance(data, Secret):
                data.wipe()
            return result

        def free(result: int) -> None:
            lib.rados_buffer_free(output[0])
            lib.rados_buffer_free(message[0])

        result = interruptible(ask, self._open_handle, discard=free)
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
            free(result)

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
        cmd = hidden(cmd)
        inbuf = hidden_input(inbuf)
        gate = self._connected
        if target is None:
            return self._command(
                "Rados.mon_command", cmd, inbuf, lambda *args: lib.rados_mon_command(gate, *args)
            )
        # the ids of monitors may be numbers
        name = c_string(target if integer(target) is None else str(target), "target", wrong_type)
        return self._command(
            f"Rados.mon_command to mon.{target}",
            cmd,
            inbuf,
            lambda *args: lib.rados_mon_command_target(gate, name, *args),
        )

    def osd_command(
        self, osdid: int, cmd: str, inbuf: bytes | str, timeout: int = 0
    ) -> tuple[int, bytes, str]:
        """Sends a command to an OSD.

        Parameters:
            timeout: ignored, for the signature; after op_timeout of Rados the result is -ETIMEDOUT.

        Returns (result, output, message).
        Raises TypeError, RadosStateError. Implements: rados_osd_command
        """
        cmd = hidden(cmd)
        inbuf = hidden_input(inbuf)
        gate = self._connected
        osdid = number(osdid, "osdid", *INT)
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

        Parameters:
            timeout: ignored, for the signature. After op_timeout of Rados the result is ETIMEDOUT,
                as a positive number.

        Returns (result, output, message).
        Raises TypeError, RadosStateError, InvalidArgumentError (no target support).
        Implements: rados_mgr_command, rados_mgr_command_target
        """
        cmd = hidden(cmd)
        inbuf = hidden_input(inbuf)
        gate = self._connected
        question = _question(cmd, inbuf)
        if target is None:
            return self._patiently(
                lambda: self._sent(
                    "Rados.mgr_command",
                    question,
                    lambda *args: lib.rados_mgr_command(gate, *args),
                )
            )
        if not hasattr(lib, "rados_mgr_command_target"):
            raise invalid("Rados.mgr_command: the loaded librados cannot address one manager")
        name = c_string(target, "target", wrong_type)
        return self._patiently(
            lambda: self._sent(
                f"Rados.mgr_command to mgr.{target}",
                question,
                lambda *args: lib.rados_mgr_command_target(gate, name, *args),
            )
        )

    #: how many calls wait for a manager, and the timeout that is out of force meanwhile
    _asking_mgr = 0
    _mgr_timeout = ""

    def _patiently(self, ask: Callable[[], tuple[int, bytes, str]]) -> tuple[int, bytes, str]:
        """Asks a manager, within the timeout for monitors, which librados uses for managers, too.

        After that time librados leaves, and the answer, when it comes, is written to where its
        caller was: the process ends. So it is left waiting, and left alone.
        """
        with _asking:
            if not self._asking_mgr:
                self._mgr_timeout = self.conf_get(_MON_TIMEOUT) or "0"
                if float(self._mgr_timeout):
                    self.conf_set(_MON_TIMEOUT, _MGR_PATIENCE)
            timeout = float(self._mgr_timeout) or None
            self._asking_mgr += 1
        try:
            return interruptible(ask, self._open_handle, timeout=timeout)
        except TimeoutError:
            return ETIMEDOUT, b"", ""
        finally:
            with _asking:
                self._asking_mgr -= 1
                if timeout and not self._asking_mgr and self.state == "connected":
                    self.conf_set(_MON_TIMEOUT, self._mgr_timeout)

    def pg_command(
        self, pgid: str, cmd: str, inbuf: bytes | str, timeout: int = 0
    ) -> tuple[int, bytes, str]:
        """Sends a command to a placement group.

        Parameters:
            timeout: ignored, for the signature; after op_timeout of Rados the result is -ETIMEDOUT.

        Returns (result, output, message).
        Raises TypeError, RadosStateError. Implements: rados_pg_command
        """
        cmd = hidden(cmd)
        inbuf = hidden_input(inbuf)
        gate = self._connected
        name = c_string(pgid, "pgid", wrong_type)
        return self._command(
            f"Rados.pg_command to {pgid}",
            cmd,
            inbuf,
            lambda *args: lib.rados_pg_command(gate, name, *args),
        )

    def ping_monitor(self, mon_id: str) -> str:
        """The state of one monitor, as JSON text with the keys ``mon_status`` and, if it is in
        the quorum, ``health``.

        Works before connect() too, with a connection of its own. It asks with a command:
        rados_ping_monitor may crash the process (its messenger uses a connection that librados
        has not stored yet).

        Raises ObjectNotFound (no such monitor), TimedOut (after client_mount_timeout),
        RadosStateError. Implements: rados_mon_command_target, rados_mon_command
        """
        self.require_state("configuring", "connected")
        name = c_string(mon_id, "mon_id", wrong_type)
        what = f"Rados.ping_monitor({mon_id!r})"
        timeout = float(self.conf_get("client_mount_timeout") or 0) or None
        handle = self._open_handle
        opened = None
        if self.state != "connected":

            def opener() -> Any:
                raw = ffi.new("rados_t *")
                result = lib.rados_create_with_context(raw, lib.rados_cct(self._gate))
                if result < 0:
                    raise failed(result, what)
                return raw[0]

            handle = opened = handle.open_child(
                lib.RBDCFFI_CLUSTER, "ping of a monitor", opener, lib.rados_shutdown
            )
        gate = handle.gate

        def command(prefix: str, send: Callable[..., int]) -> str:
            text = json.dumps({"prefix": prefix, "format": "json"})
            result, output, message = self._command(what, text, b"", send)
            if result < 0:
                raise failed(result, f"{what}: {message}")
            return output.decode("utf-8", "replace")

        def ask() -> str:
            if opened is not None:
                result = lib.rados_connect(gate)
                if result < 0:
                    raise failed(result, what)
            status = command("mon_status", lambda *a: lib.rados_mon_command_target(gate, name, *a))
            if json.loads(status)["state"] not in ("leader", "peon"):
                return f'{{"mon_status": {status}}}'
            health = command("health", lambda *a: lib.rados_mon_command(gate, *a))
            return f'{{"health": {health}, "mon_status": {status}}}'

        try:
            return interruptible(ask, handle, timeout=timeout)
        except TimeoutError:
            raise TimedOut(f"{what}: no answer within {timeout:g} s", ETIMEDOUT) from None
        finally:
            if opened is not None:
                opened.close()
