"""Requests cut out of a stream of bytes: JSON objects one after the other, with or without anything between them."""

import json
from typing import Any, NoReturn

OPENING, CLOSING, QUOTE, BACKSLASH = b'{}"\\'
SPACES = b" \t\r\n"


class NotARequest(ValueError):
    """The bytes are no JSON object: the connection cannot be understood any further."""


class RequestStream:
    """What has arrived on one connection and is not yet a whole request."""

    def __init__(self) -> None:
        self._pending = bytearray()
        self._scanned = 0
        self._depth = 0
        self._quoted = self._escaped = False

    def feed(self, received: bytes) -> list[dict[str, Any]]:
        """Return the requests that are complete now; raises NotARequest."""
        self._pending += received
        requests = []
        while (end := self._end_of_object()) is not None:
            requests.append(_parsed(bytes(self._pending[:end])))
            del self._pending[:end]
            self._scanned = 0
        return requests

    def _end_of_object(self) -> int | None:
        for position in range(self._scanned, len(self._pending)):
            byte = self._pending[position]
            if self._depth == 0 and byte != OPENING:
                if byte in SPACES:
                    continue
                raise NotARequest(f"not a JSON object: {bytes(self._pending[:80])!r}")
            if self._closes(byte):
                return position + 1
        self._scanned = len(self._pending)
        return None

    def _closes(self, byte: int) -> bool:
        """Follow one byte; true when it ends the object."""
        if self._quoted:
            if self._escaped:
                self._escaped = False
            elif byte == BACKSLASH:
                self._escaped = True
            elif byte == QUOTE:
                self._quoted = False
            return False
        if byte == QUOTE:
            self._quoted = True
        elif byte == OPENING:
            self._depth += 1
        elif byte == CLOSING:
            self._depth -= 1
            return self._depth == 0
        return False


def _parsed(raw: bytes) -> dict[str, Any]:
    try:
        request: dict[str, Any] = json.loads(raw, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise NotARequest(f"Failed to parse RPC JSON response '{raw.decode(errors='replace').strip()}'") from error
    return request


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
