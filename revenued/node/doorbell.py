"""Waiting for news of forwards on a connection of its own, so that nothing is polled and no wait is left behind."""

import itertools
import json
import os
import selectors
import socket
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from revenued import wire
from revenued.errors import NodeError, NodeNonsense, NodeUnreachable
from revenued.node.interface import Counter
from revenued.node.parse import forward_count
from revenued.node.permitted import permit_for
from revenued.node.transport import result_of

SEND_TIMEOUT_SECONDS = 10.0


class AnswerReader:
    """Cuts what arrives on a connection into answers; no byte is searched twice, however small the pieces."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._searched = 0

    def feed(self, chunk: bytes) -> list[bytes]:
        """Return the answers that `chunk` completes, without their terminators."""
        self._buffer += chunk
        answers = []
        while (end := self._buffer.find(wire.END, self._searched)) >= 0:
            answers.append(bytes(self._buffer[:end]))
            del self._buffer[: end + len(wire.END)]
            self._searched = 0
        self._searched = max(0, len(self._buffer) - len(wire.END) + 1)
        return answers


@dataclass(frozen=True, slots=True)
class _Wait:
    counter: Counter
    nextvalue: int


class Doorbell:
    """Blocks until the node has new forwards, or news of old ones.

    lightningd keeps a `wait` that nobody listens to any more until it trips, so waits stay out from one ring to the
    next. One thread rings, any thread may close.
    """

    def __init__(self, socket_path: Path) -> None:
        self._socket_path = socket_path
        self._numbers = itertools.count(1)
        self._in_use = threading.Lock()
        self._closes_once = threading.Lock()
        self._closed = False
        self._wake_receiver, self._wake_sender = socket.socketpair()
        self._connection: socket.socket | None = None
        self._reader = AnswerReader()
        self._out: dict[str, _Wait] = {}
        self._reached: dict[Counter, int] = {}

    def ring(self, created: int, updated: int, timeout: float) -> bool:
        """Return True once one of the node's counters is above the one given, False after `timeout` seconds or `close`.

        Give what `Node.forward_counter` said, not the last row that was seen: the rows up to the counter may have been
        deleted, and it would ring without end. Raises NodeUnreachable when the connection breaks, NodeRefused when the
        node does not know `wait`, and NodeNonsense; the next ring then starts on a new connection.
        """
        with self._in_use:
            if self._closed:
                return False
            try:
                return self._ring({"created": created + 1, "updated": updated + 1}, time.monotonic() + timeout)
            except NodeError:
                self._hang_up()
                raise

    def close(self) -> None:
        """End a ring that is under way at once, and close the connection; safe to call again."""
        if not self._closes_once.acquire(blocking=False):
            return
        self._closed = True
        # A thread that waits for a socket does not notice when another one closes it.
        self._wake_sender.send(b"\0")
        with self._in_use:
            self._hang_up()
            self._wake_receiver.close()
            self._wake_sender.close()

    def _ring(self, wanted: dict[Counter, int], deadline: float) -> bool:
        connection = self._connection or self._connect()
        while not any(self._reached.get(counter, -1) >= nextvalue for counter, nextvalue in wanted.items()):
            for counter, nextvalue in wanted.items():
                if not any(wait.counter == counter and wait.nextvalue <= nextvalue for wait in self._out.values()):
                    self._send(connection, _Wait(counter, nextvalue))
            if not self._listen(connection, deadline):
                return False
        return True

    def _connect(self) -> socket.socket:
        try:
            self._connection = wire.connect(self._socket_path, deadline=time.monotonic() + SEND_TIMEOUT_SECONDS)
        except wire.NotDelivered as error:
            raise NodeUnreachable(f"wait: {error}") from error
        return self._connection

    def _send(self, connection: socket.socket, wait: _Wait) -> None:
        params = {"subsystem": "forwards", "indexname": wait.counter, "nextvalue": wait.nextvalue}
        permit_for("wait", params)
        request_id = f"revenued-{os.getpid()}:wait#{next(self._numbers)}"
        request = {"jsonrpc": "2.0", "id": request_id, "method": "wait", "params": params}
        try:
            wire.send(connection, wire.encode(request), deadline=time.monotonic() + SEND_TIMEOUT_SECONDS)
        except wire.NoAnswer as error:
            # A wait changes nothing, so it does not matter whether it arrived.
            raise NodeUnreachable(f"wait: {error}") from error
        self._out[request_id] = wait

    def _listen(self, connection: socket.socket, deadline: float) -> bool:
        """Take in what arrives next; return False when it was the deadline or `close` instead."""
        with selectors.DefaultSelector() as selector:
            selector.register(connection, selectors.EVENT_READ)
            selector.register(self._wake_receiver, selectors.EVENT_READ)
            ready = [key.fileobj for key, _ in selector.select(max(0.0, deadline - time.monotonic()))]
        if connection not in ready or self._closed:
            return False
        try:
            chunk = connection.recv(wire.CHUNK)
        except OSError as error:
            raise NodeUnreachable(f"wait: the connection broke: {error.strerror or error}") from error
        if not chunk:
            raise NodeUnreachable("wait: the node closed the connection")
        for raw in self._reader.feed(chunk):
            self._take(raw)
        return True

    def _take(self, raw: bytes) -> None:
        try:
            answer = json.loads(raw)
        except (ValueError, RecursionError) as error:
            raise NodeNonsense("wait: the answer is not JSON") from error
        request_id = answer.get("id") if isinstance(answer, dict) else None
        wait = self._out.pop(request_id, None) if isinstance(request_id, str) else None
        if wait is None:
            raise NodeNonsense("wait: an answer belongs to no request")
        reached = forward_count(result_of(answer, method="wait"), wait.counter)
        if reached < wait.nextvalue:
            # Asking again would be answered like this again, as fast as both sides can.
            raise NodeNonsense(f"wait: answered before {wait.counter} had reached {wait.nextvalue}")
        self._reached[wait.counter] = max(reached, self._reached.get(wait.counter, reached))

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None
        self._reader = AnswerReader()
        self._out.clear()
        # After a restart from a backup the counters may have gone back.
        self._reached.clear()
