"""A lightning-rpc socket that answers as it is told, well or badly."""

import json
import socket
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

END = b"\n\n"
PATIENCE_SECONDS = 10.0


class Asked:
    """One request that came in, and the connection that an answer to it goes to."""

    def __init__(self, request: dict[str, Any], connection: socket.socket, stopping: threading.Event) -> None:
        self.request = request
        self.connection = connection
        self.stopping = stopping

    @property
    def params(self) -> dict[str, Any]:
        params: dict[str, Any] = self.request["params"]
        return params

    def write(self, raw: bytes) -> None:
        self.connection.sendall(raw)

    def reply(self, **members: Any) -> None:
        self.write(json.dumps({"jsonrpc": "2.0", "id": self.request["id"], **members}).encode() + END)

    def hang_up(self) -> None:
        self.connection.shutdown(socket.SHUT_RDWR)


Behaviour = Callable[[Asked], None]


def answer(result: Any) -> Behaviour:
    return lambda asked: asked.reply(result=result)


def answer_from(result_for: Callable[[dict[str, Any]], Any]) -> Behaviour:
    """Answer with what is made of the parameters."""
    return lambda asked: asked.reply(result=result_for(asked.params))


def refuse(code: int, message: str, **more: Any) -> Behaviour:
    return error({"code": code, "message": message, **more})


def error(value: Any) -> Behaviour:
    return lambda asked: asked.reply(error=value)


def raw(text: bytes) -> Behaviour:
    return lambda asked: asked.write(text)


def hang() -> Behaviour:
    return lambda _: None


def hang_up() -> Behaviour:
    return Asked.hang_up


def half_an_answer() -> Behaviour:
    def behave(asked: Asked) -> None:
        asked.write(b'{"jsonrpc":"2.0","id":')
        asked.hang_up()

    return behave


def under_another_id(result: Any) -> Behaviour:
    return lambda asked: asked.write(json.dumps({"jsonrpc": "2.0", "id": "another", "result": result}).encode() + END)


def late(seconds: float, behave: Behaviour) -> Behaviour:
    def wait_and_behave(asked: Asked) -> None:
        if not asked.stopping.wait(seconds):
            behave(asked)

    return wait_and_behave


class ScriptedNode:
    """Serves a UNIX socket in threads: `script` maps methods to behaviours and may be changed at any time.

    A method that is not in the script is answered as lightningd answers an unknown command.
    """

    def __init__(self, path: Path, script: Mapping[str, Behaviour] | None = None) -> None:
        self.path = path
        self.script: dict[str, Behaviour] = dict(script or {})
        self.asked: list[Asked] = []
        self.connection_count = 0
        self._arrived = threading.Condition()
        self._stopping = threading.Event()
        self._connections: list[socket.socket] = []
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.path.unlink(missing_ok=True)
        self._listener.bind(str(self.path))
        self._listener.listen(128)
        self._start(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def requests(self) -> list[dict[str, Any]]:
        """Return what was asked so far."""
        with self._arrived:
            return [asked.request for asked in self.asked]

    def methods(self) -> list[str]:
        return [request["method"] for request in self.requests]

    def wait_for(self, count: int) -> list[Asked]:
        """Return everything that was asked, once it is at least `count` requests."""
        with self._arrived:
            assert self._arrived.wait_for(lambda: len(self.asked) >= count, PATIENCE_SECONDS), self.asked
            return list(self.asked)

    def hang_up_all(self) -> None:
        """Break every connection, as a node that is killed does."""
        for connection in list(self._connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    def stop(self) -> None:
        if self._stopping.is_set():
            return
        self._stopping.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self.hang_up_all()
        for thread in list(self._threads):
            thread.join(PATIENCE_SECONDS)
        self._listener.close()

    def _start(self, target: Callable[..., None], *args: Any) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._connections.append(connection)
            self.connection_count += 1
            self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        buffer = b""
        with connection:
            while not self._stopping.is_set():
                try:
                    chunk = connection.recv(1 << 16)
                    if not chunk:
                        return
                    *whole, buffer = (buffer + chunk).split(END)
                    for request in whole:
                        self._take(json.loads(request), connection)
                except OSError:
                    return

    def _take(self, request: dict[str, Any], connection: socket.socket) -> None:
        asked = Asked(request, connection, self._stopping)
        with self._arrived:
            self.asked.append(asked)
            self._arrived.notify_all()
        self.script.get(request["method"], refuse(-32601, f"Unknown command '{request['method']}'"))(asked)
