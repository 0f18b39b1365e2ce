"""JSON-RPC 2.0 in Core Lightning's framing: what a request is and what an answer is, without sockets or methods."""

import json
import math
import re
from dataclasses import dataclass
from typing import Any

from revenued.errors import RevenuedError

NOT_JSON = -32700
BAD_REQUEST = -32600
UNKNOWN_METHOD = -32601
BAD_PARAMETER = -32602
INTERNAL_ERROR = -32603
REFUSED = 1
NODE_NOT_REACHABLE = 4

MAX_REQUEST_BYTES = 1 << 20
MAX_DEPTH = 32
"""Far more than any method needs, and far less than the JSON parser's recursion bears."""

RequestId = str | int | float

_BLANKS = re.compile(rb"[ \t\r\n]*")
_STRUCTURE = re.compile(rb'["{}\[\]]')
_STRING_END = re.compile(rb'["\\]')


class MethodError(RevenuedError):
    """What was asked is not done: the caller is told code and message, nothing else stops."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class BadRequest(MethodError):
    """One request is refused before any method sees it; the connection goes on."""

    def __init__(self, message: str, request_id: RequestId | None, code: int = BAD_REQUEST) -> None:
        super().__init__(code, message)
        self.request_id = request_id


class BrokenStream(MethodError):
    """Where the next request begins can no longer be told: the caller is told why, and the connection ends."""


@dataclass(frozen=True, slots=True)
class Request:
    """One well-formed request."""

    id: RequestId
    method: str
    params: dict[str, Any]


class RequestReader:
    """Cuts a stream of bytes into JSON texts, with or without terminators between them.

    Every byte is looked at once, however small the chunks are that it arrives in.
    """

    def __init__(self, limit: int = MAX_REQUEST_BYTES) -> None:
        self._limit = limit
        self._buffer = bytearray()
        self._scanned = 0
        self._depth = 0
        self._in_string = False

    @property
    def is_midway(self) -> bool:
        """Part of a request has arrived; only right after `next_request` returned None."""
        return bool(self._buffer)

    def feed(self, chunk: bytes) -> None:
        """Take the bytes that arrived; call only after `next_request` returned None, so that the buffer is bounded."""
        self._buffer += chunk

    def next_request(self) -> bytes | None:
        """Return the next whole JSON text, or None when more bytes are needed; raises BrokenStream."""
        if self._scanned == 0:
            self._begin()
        while found := (_STRING_END if self._in_string else _STRUCTURE).search(self._buffer, self._scanned):
            self._scanned = found.end()
            self._step(found.group())
            if self._depth == 0 and not self._in_string:
                return self._taken()
        self._scanned = max(self._scanned, len(self._buffer))
        if len(self._buffer) > self._limit:
            raise BrokenStream(BAD_REQUEST, f"a request may have {self._limit} bytes at most")
        return None

    def _begin(self) -> None:
        blanks = _BLANKS.match(self._buffer)
        if blanks is not None:
            del self._buffer[: blanks.end()]
        if self._buffer and self._buffer[0] not in b"{[":
            raise BrokenStream(NOT_JSON, "not JSON: a request begins with {")

    def _step(self, sign: bytes) -> None:
        if sign == b"\\":
            self._scanned += 1  # Whatever is escaped ends no string; it may not have arrived yet.
        elif sign == b'"':
            self._in_string = not self._in_string
        else:
            self._depth += 1 if sign in b"{[" else -1
        if self._depth > MAX_DEPTH:
            raise BrokenStream(BAD_REQUEST, f"a request may be nested {MAX_DEPTH} deep at most")

    def _taken(self) -> bytes:
        if self._scanned > self._limit:
            raise BrokenStream(BAD_REQUEST, f"a request may have {self._limit} bytes at most")
        raw = bytes(self._buffer[: self._scanned])
        del self._buffer[: self._scanned]
        self._scanned = 0
        return raw


def parse_request(raw: bytes) -> Request:
    """Return the request in one JSON text; raises BadRequest, and BrokenStream when it is not JSON."""
    try:
        message = json.loads(raw.decode(), parse_constant=_finite, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise BrokenStream(NOT_JSON, f"not JSON: {error}") from error
    if not isinstance(message, dict):
        raise BadRequest("a request is one JSON object; batches are not supported", None)
    request_id = message.get("id")
    if isinstance(request_id, bool) or not isinstance(request_id, RequestId):
        raise BadRequest("id: give a string or a number", None)
    if message.get("jsonrpc") != "2.0":
        raise BadRequest('jsonrpc: only "2.0" is spoken here', request_id)
    method = message.get("method")
    if not isinstance(method, str):
        raise BadRequest("method: give the name of a method", request_id)
    params = message.get("params", {})
    if params == [] and isinstance(params, list):
        params = {}
    if not isinstance(params, dict):
        raise BadRequest("params: give an object with the names of the parameters", request_id, BAD_PARAMETER)
    return Request(request_id, method, params)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:20]} is no number that can be used")
    return number


def result_answer(request_id: RequestId, result: dict[str, Any]) -> dict[str, Any]:
    """Return the answer object of a method that was done."""
    return {"jsonrpc": "2.0", "id": request_id, "result": result}


def error_answer(request_id: RequestId | None, code: int, message: str) -> dict[str, Any]:
    """Return the answer object of a request that was not done; `request_id` None when it could not be read."""
    return {"jsonrpc": "2.0", "id": request_id, "error": {"code": code, "message": message}}
