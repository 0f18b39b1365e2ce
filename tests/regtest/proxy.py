"""A man in the middle between the daemon and lightningd, who counts what is asked and can keep an answer back."""

import json
import socket
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

END = b"\n\n"
CHUNK = 1 << 16
PATIENCE_SECONDS = 10.0


class Held:
    """One call whose answer is kept back."""

    def __init__(self, method: str, *, after: int) -> None:
        self.method = method
        self.after = after
        """How many calls of the method still pass before it is this one's turn."""
        self._answered = threading.Event()
        self._released = threading.Event()
        self.is_dropped = False

    def wait_for_answer(self) -> None:
        """Return once the node has answered, so has done what was asked."""
        assert self._answered.wait(PATIENCE_SECONDS), f"the node gave no answer to {self.method}"

    def release(self) -> None:
        """Let the answer pass."""
        self._released.set()

    def drop(self) -> None:
        """Break the connection instead, as a node does that ends before it has answered."""
        self.is_dropped = True
        self._released.set()

    def wait_at_answer(self) -> None:
        """Say that the answer is there, and wait for what becomes of it."""
        self._answered.set()
        self._released.wait()


class Proxy:
    """Listens on `path` and passes everything on to the socket at `upstream`, while the `with` lasts."""

    def __init__(self, path: Path, upstream: Path) -> None:
        self.path = path
        self._upstream = upstream
        self._lock = threading.Lock()
        self._asked: list[dict[str, Any]] = []
        self._held: list[Held] = []
        self._before: dict[str, Callable[[], None]] = {}
        self._is_stopping = False
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(self.path))
        self._listener.listen(64)
        self._start(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with self._lock:
            self._is_stopping = True
            connections, held = list(self._open), list(self._held)
        for one in held:
            one.release()
        for connection in (self._listener, *connections):
            _hang_up(connection)
        for thread in list(self._threads):
            thread.join(PATIENCE_SECONDS)
        self._listener.close()

    @property
    def counts(self) -> Counter[str]:
        """Return how often each method was asked so far."""
        with self._lock:
            return Counter(request["method"] for request in self._asked)

    def told(self) -> list[tuple[str, int]]:
        """Return (channel id, ppm) of every `setchannel` so far."""
        with self._lock:
            params = [request["params"] for request in self._asked if request["method"] == "setchannel"]
        return [(said["id"], said["feeppm"]) for said in params]

    def hold(self, method: str, *, after: int = 0) -> Held:
        """Keep back the answer to the next call of `method`, or to the one that comes `after` so many others."""
        held = Held(method, after=after)
        with self._lock:
            self._held.append(held)
        return held

    def before(self, method: str, act: Callable[[], None]) -> None:
        """Do something once, before the next call of `method` is passed on."""
        with self._lock:
            self._before[method] = act

    def _start(self, target: Callable[..., None], *args: Any) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True, name=f"proxy-{target.__name__}")
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            node = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                node.connect(str(self._upstream))
            except OSError:
                # The daemon sees a node that hangs up: what it asked did not arrive, but it cannot know that.
                client.close()
                node.close()
                continue
            with self._lock:
                if self._is_stopping:
                    client.close()
                    node.close()
                    return
                self._open |= {client, node}
            self._start(self._serve, client, node)

    def _serve(self, client: socket.socket, node: socket.socket) -> None:
        """Pass requests on, whole ones only, until one side hangs up."""
        keeping: list[Held] = []
        answers = threading.Thread(target=_pass_answers, args=(client, node, keeping), daemon=True)
        answers.start()
        buffer = b""
        try:
            while chunk := client.recv(CHUNK):
                *whole, buffer = (buffer + chunk).split(END)
                for request in whole:
                    self._note(json.loads(request), keeping)
                    node.sendall(request + END)
        except OSError:
            pass  # either side is gone, and the other is told by closing
        for one in keeping:
            one.release()
        _hang_up(client)
        _hang_up(node)
        answers.join()
        with self._lock:
            self._open -= {client, node}
        client.close()
        node.close()

    def _note(self, request: dict[str, Any], keeping: list[Held]) -> None:
        method = request["method"]
        with self._lock:
            self._asked.append(request)
            act = self._before.pop(method, None)
            for held in [one for one in self._held if one.method == method]:
                held.after -= 1
                if held.after < 0:
                    self._held.remove(held)
                    keeping.append(held)
        if act is not None:
            act()


def _pass_answers(client: socket.socket, node: socket.socket, keeping: list[Held]) -> None:
    try:
        while chunk := node.recv(CHUNK):
            for held in list(keeping):
                held.wait_at_answer()
                if held.is_dropped:
                    _hang_up(client)
                    return
            client.sendall(chunk)
    except OSError:
        return
    _hang_up(client)


def _hang_up(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
