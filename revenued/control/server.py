"""Serves the control socket: bounded connections, bounded waits, and a stop that waits for nobody."""

import pwd
import socket
import struct
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import structlog
from structlog.typing import FilteringBoundLogger

from revenued import wire
from revenued.control.dispatch import Caller, Dispatcher, Method
from revenued.control.listener import open_listener
from revenued.control.protocol import (
    BAD_REQUEST,
    NOT_JSON,
    REFUSED,
    BadRequest,
    BrokenStream,
    RequestReader,
    error_answer,
    parse_request,
)

__all__ = ["Caller", "ControlServer", "Limits", "Method"]

BACKLOG = 64
CHUNK = 1 << 16
_CREDENTIALS = struct.Struct("iII")


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of the server one caller can take up; waits in seconds."""

    connections: int = 16
    idle: float = 60.0
    half_request: float = 10.0
    """From the first byte of a request to its last."""
    answer: float = 10.0
    """For the caller to take an answer."""
    turned_away: float = 0.2
    """For the request of a caller that finds no room, so that its refusal can carry the request's id."""


class ControlServer:
    """Answers `methods` on a UNIX socket at `path`, one thread a connection.

    Calls of `mutating` methods are logged at info with their caller, all others at debug.
    """

    def __init__(
        self,
        path: Path | str,
        methods: Mapping[str, Method],
        *,
        group: str | None = None,
        mutating: frozenset[str] = frozenset(),
        log: FilteringBoundLogger | None = None,
        limits: Limits | None = None,
    ) -> None:
        self._path = Path(path)
        self._group = group
        self._log: FilteringBoundLogger = structlog.get_logger() if log is None else log
        self._limits = limits or Limits()
        self._dispatcher = Dispatcher(methods, mutating, self._log)
        self._lock = threading.Lock()
        self._open: dict[socket.socket, threading.Thread] = {}
        self._stopping = threading.Event()
        self._listener: socket.socket | None = None
        self._identity: tuple[int, int] | None = None
        self._accepting: threading.Thread | None = None

    def start(self) -> None:
        """Listen and serve in the background; raises StartError. A server is started once."""
        listener = open_listener(self._path, group=self._group, backlog=BACKLOG)
        self._identity = _identity(self._path)
        self._listener = listener
        self._accepting = threading.Thread(target=self._accept, args=(listener,), name="control-accept", daemon=True)
        self._accepting.start()

    def stop(self, timeout: float = 0.8) -> None:
        """Remove the socket and end every connection, within `timeout`; methods that still run are abandoned."""
        deadline = time.monotonic() + timeout
        self._stopping.set()
        if self._listener is None or self._accepting is None:
            return
        if _identity(self._path) == self._identity:  # Another daemon may have its own socket there by now.
            self._path.unlink(missing_ok=True)
        _hang_up(self._listener)
        with self._lock:
            connections = dict(self._open)
        for connection in connections:
            _hang_up(connection)
        for thread in (self._accepting, *connections.values()):
            if thread.ident is not None:  # One that was admitted just now may not have begun.
                thread.join(max(0.0, deadline - time.monotonic()))
        self._listener.close()

    def _accept(self, listener: socket.socket) -> None:
        while not self._stopping.is_set():
            try:
                connection, _ = listener.accept()
            except OSError as error:
                if not self._stopping.is_set():
                    self._log.warning("control_accept_failed", reason=str(error))
                    self._stopping.wait(0.2)  # Out of file descriptors, mostly: asking again at once would spin.
                continue
            self._admit(connection)

    def _admit(self, connection: socket.socket) -> None:
        thread = threading.Thread(target=self._serve, args=(connection,), name="control-connection", daemon=True)
        with self._lock:
            has_room = len(self._open) < self._limits.connections and not self._stopping.is_set()
            if has_room:
                self._open[connection] = thread
        if not has_room:
            self._turn_away(connection)
            return
        try:
            thread.start()
        except RuntimeError as error:  # The system has no thread left for us.
            self._log.warning("control_connection_refused", reason=str(error))
            connection.close()
            with self._lock:
                del self._open[connection]

    def _turn_away(self, connection: socket.socket) -> None:
        """Refuse a connection in the accepting thread; it may take a moment, there is no room for others anyway."""
        message = f"too many connections, {self._limits.connections} are open already; try again"
        with connection:
            if self._stopping.is_set():
                return
            self._log.warning("control_connection_refused", reason=message)
            try:
                request_id = _first_request_id(connection, self._limits.turned_away)
                connection.sendall(wire.encode(error_answer(request_id, REFUSED, message)))
            except OSError as error:
                self._log.debug("control_connection_lost", reason=str(error))

    def _serve(self, connection: socket.socket) -> None:
        try:
            self._converse(connection, _caller(connection))
        except OSError as error:  # The caller went away, or did not take its answer in time.
            self._log.debug("control_connection_lost", reason=str(error))
        finally:
            connection.close()
            with self._lock:
                del self._open[connection]

    def _converse(self, connection: socket.socket, caller: Caller) -> None:
        reader = RequestReader()
        try:
            while (raw := self._next_request(connection, reader)) is not None:
                self._send(connection, self._dispatcher.answer(raw, caller))
        except BrokenStream as error:
            self._send(connection, wire.encode(error_answer(None, error.code, str(error))))

    def _next_request(self, connection: socket.socket, reader: RequestReader) -> bytes | None:
        """Return the next request, or None when the caller has no more; raises BrokenStream, OSError."""
        deadline = time.monotonic() + self._limits.idle
        is_late_answerable = False
        while (raw := reader.next_request()) is None:
            if reader.is_midway and not is_late_answerable:
                is_late_answerable = True
                deadline = time.monotonic() + self._limits.half_request
            try:
                chunk = _receive(connection, deadline)
            except TimeoutError:
                if not is_late_answerable:
                    return None
                late = f"the request was not complete after {self._limits.half_request:g} s"
                raise BrokenStream(BAD_REQUEST, late) from None
            if not chunk:
                if is_late_answerable:
                    raise BrokenStream(NOT_JSON, "not JSON: the request ends in the middle")
                return None
            reader.feed(chunk)
        return raw

    def _send(self, connection: socket.socket, answer: bytes) -> None:
        connection.settimeout(self._limits.answer)
        connection.sendall(answer)


def _receive(connection: socket.socket, deadline: float) -> bytes:
    remaining = deadline - time.monotonic()
    if remaining <= 0:
        raise TimeoutError
    connection.settimeout(remaining)
    return connection.recv(CHUNK)


def _first_request_id(connection: socket.socket, wait: float) -> str | int | float | None:
    reader = RequestReader()
    try:
        reader.feed(_receive(connection, time.monotonic() + wait))
        raw = reader.next_request()
        return None if raw is None else parse_request(raw).id
    except BadRequest as error:
        return error.request_id
    except (TimeoutError, BrokenStream):
        return None


def _caller(connection: socket.socket) -> Caller:
    packed = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    pid, uid, gid = _CREDENTIALS.unpack(packed)
    try:
        user = pwd.getpwuid(uid).pw_name
    except KeyError:
        user = str(uid)
    return Caller(pid, uid, gid, user)


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.lstat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _hang_up(connection: socket.socket) -> None:
    """Wake whoever waits on the socket. Closing is left to its own thread, or its number could be another file's."""
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
