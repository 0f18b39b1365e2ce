"""Core Lightning's framing of JSON-RPC 2.0 over a UNIX socket, linear in the size of what is read, with deadlines."""

import json
import socket
import time
from pathlib import Path
from typing import Any

END = b"\n\n"
CHUNK = 1 << 18
FIRST_CHUNK = 1 << 14
"""Most answers are short; room for a long one, taken from the system for each of them, costs more than reading it."""


class WireError(Exception):
    """Base of what goes wrong between the two ends of a socket."""


class NotDelivered(WireError):
    """The other side was not reached: it has seen nothing of the request."""


class NoAnswer(WireError):
    """The request, or part of it, was delivered, and no whole answer came: its outcome is unknown."""


class TooLarge(WireError):
    """The other side sent more than was allowed."""


def connect(path: Path | str, *, deadline: float) -> socket.socket:
    """Return a connected stream socket; raises NotDelivered. `deadline` is in `time.monotonic()` seconds."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.settimeout(_remaining(deadline))
        connection.connect(str(path))
    except OSError as error:  # TimeoutError, ENOENT, ECONNREFUSED, EACCES, EAGAIN with a full backlog, path too long
        connection.close()
        raise NotDelivered(f"{path}: {error.strerror or error}") from error
    return connection


def send(connection: socket.socket, request: bytes, *, deadline: float) -> None:
    """Send all of `request`; raises NoAnswer, because a part that was sent may have been enough."""
    try:
        connection.settimeout(_remaining(deadline))
        connection.sendall(request)
    except OSError as error:
        raise NoAnswer(f"connection broke while sending: {error.strerror or error}") from error


def receive(connection: socket.socket, *, deadline: float, limit: int | None = None) -> bytes:
    """Return the bytes of one answer without its terminator; raises NoAnswer, and TooLarge for more than `limit`.

    Reads each byte once. Only for connections that carry one request at a time.
    """
    buffer = bytearray()
    while True:
        try:
            connection.settimeout(_remaining(deadline))
            chunk = connection.recv(CHUNK if buffer else FIRST_CHUNK)
        except TimeoutError as error:
            raise NoAnswer("no answer in time") from error
        except OSError as error:
            raise NoAnswer(f"connection broke while waiting: {error.strerror or error}") from error
        if not chunk:
            raise NoAnswer("connection was closed before the answer was complete")
        buffer += chunk
        if limit is not None and len(buffer) > limit + len(END):
            raise TooLarge(f"answer is larger than {limit} bytes")
        if buffer.endswith(END):
            return bytes(buffer[: -len(END)])


def exchange(path: Path | str, request: dict[str, Any], *, timeout: float, limit: int | None = None) -> dict[str, Any]:
    """Send one request on a connection of its own and return the answer object.

    Raises NotDelivered, NoAnswer (also for an answer that is no JSON object or carries another id), TooLarge, and
    ValueError when the request cannot be written as JSON (NaN).
    """
    encoded = encode(request)
    deadline = time.monotonic() + timeout
    connection = connect(path, deadline=deadline)
    try:
        send(connection, encoded, deadline=deadline)
        raw = receive(connection, deadline=deadline, limit=limit)
    finally:
        connection.close()
    return decode(raw, expected_id=request["id"])


def encode(message: dict[str, Any]) -> bytes:
    """Return a message as compact JSON with the terminator; raises ValueError on NaN and infinities."""
    return json.dumps(message, separators=(",", ":"), allow_nan=False).encode() + END


def decode(raw: bytes, *, expected_id: object) -> dict[str, Any]:
    """Return the answer in `raw`; raises NoAnswer when it is not one to `expected_id`."""
    try:
        answer = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise NoAnswer("the answer is not JSON") from error
    if not isinstance(answer, dict) or answer.get("id") != expected_id or not ({"result", "error"} & answer.keys()):
        raise NoAnswer("the answer does not belong to the request")
    return answer


def _remaining(deadline: float) -> float:
    remaining = deadline - time.monotonic()
    if remaining <= 0:
        raise TimeoutError("timed out")
    return remaining
