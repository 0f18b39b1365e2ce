"""One caller of the simulated node: bytes in, requests out; answers in, bytes out."""

import asyncio
from typing import Any, Protocol

from revenued.sim.framing import NotARequest, RequestStream
from revenued.sim.shapes import Json
from revenued.wire import encode


class Calls(Protocol):
    """What a connection tells of."""

    def connected(self, connection: "Connection") -> None:
        """Take note of a caller."""
        ...

    def disconnected(self, connection: "Connection") -> None:
        """Take note that a caller is gone."""
        ...

    def carry_out(self, connection: "Connection", request: dict[str, Any]) -> None:
        """Answer one request."""
        ...

    def misunderstood(self, connection: "Connection", why: str) -> None:
        """Answer bytes that are no request."""
        ...


class Connection(asyncio.Protocol):
    """One caller's connection."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._stream = RequestStream()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin (called by asyncio)."""
        if isinstance(transport, asyncio.Transport):
            self._transport = transport
        self._calls.connected(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the signature is asyncio's
        """End (called by asyncio)."""
        self._transport = None
        self._calls.disconnected(self)

    def data_received(self, data: bytes) -> None:
        """Carry out the requests that are complete (called by asyncio)."""
        try:
            requests = self._stream.feed(data)
        except NotARequest as error:
            self._calls.misunderstood(self, str(error))
            self.close()
            return
        for request in requests:
            self._calls.carry_out(self, request)

    def hold(self, frozen: bool) -> None:
        """Stop or go on reading."""
        if self._transport is None:
            return
        if frozen:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

    def send(self, message: Json) -> None:
        """Write one answer."""
        self.write(encode(message))

    def write(self, raw: bytes) -> None:
        """Write to a caller who is still there."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(raw)

    def close(self) -> None:
        """Hang up once everything is written."""
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Hang up at once."""
        if self._transport is not None:
            self._transport.abort()
