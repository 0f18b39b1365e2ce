"""Servers on real sockets with a few methods that do what a daemon's methods may do, good and bad."""

import contextlib
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from revenued.control.protocol import MethodError
from revenued.control.server import Caller, ControlServer, Limits, Method
from revenued.errors import CycleSkipped, NodeOutcomeUnknown, NodeUnreachable, SettingError

Serve = Callable[..., ControlServer]


@dataclass
class Blocking:
    """A method that does not return before it is let go."""

    entered: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)

    def __call__(self, _params: dict[str, Any], _caller: Caller) -> dict[str, Any]:
        self.entered.set()
        self.released.wait(30)
        return {}


def raising(error: Exception) -> Method:
    """Return a method that raises `error`."""

    def method(params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        raise error

    return method


def echo(params: dict[str, Any], caller: Caller) -> dict[str, Any]:
    """Give back what was given, and who gave it."""
    return {"params": params, "pid": caller.pid, "uid": caller.uid, "gid": caller.gid, "user": caller.user}


METHODS: dict[str, Method] = {
    "echo": echo,
    "revenue-version": lambda _params, _caller: {"version": "1.2.3", "schema": "0001"},
    "set": echo,
    "large": lambda params, _caller: {"text": "x" * int(params["bytes"])},
    "nan": lambda _params, _caller: {"ratio": float("nan")},
    "unwritable": lambda _params, _caller: {"what": object()},
    "defect": raising(ZeroDivisionError("secret detail")),
    "refuse": raising(CycleSkipped("not today")),
    "own-code": raising(MethodError(205, "no route")),
    "bad-setting": raising(SettingError("min_fee_ppm: 'x' is not allowed")),
    "node-away": raising(NodeUnreachable("node: connection refused")),
    "node-silent": raising(NodeOutcomeUnknown("node: no answer in 30 s")),
}


@pytest.fixture
def short_directory() -> Iterator[Path]:
    """A directory whose name leaves room for a socket's."""
    made = tempfile.mkdtemp(prefix="rv", dir="/tmp")
    yield Path(made)
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture
def path(short_directory: Path) -> Path:
    return short_directory / "run" / "control"


@pytest.fixture
def blocking() -> Iterator[Blocking]:
    method = Blocking()
    yield method
    method.released.set()


@pytest.fixture
def serve(path: Path, blocking: Blocking) -> Iterator[Serve]:
    """Start servers at `path`, and stop them when the test is over."""
    with contextlib.ExitStack() as stack:

        def start(*, limits: Limits | None = None, **options: Any) -> ControlServer:
            server = ControlServer(path, {**METHODS, "block": blocking}, limits=limits, **options)
            server.start()
            stack.callback(server.stop)
            return server

        yield start
        blocking.released.set()
    deadline = time.monotonic() + 5
    while any(thread.name.startswith("control-") for thread in threading.enumerate()):
        assert time.monotonic() < deadline, "a connection's thread outlived its server"
        time.sleep(0.01)


class Raw:
    """A connection on which a test writes what it likes."""

    def __init__(self, path: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.connect(str(path))  # Waits for room in the backlog; with a time-out it would fail at once.
        self.socket.settimeout(5)

    def __enter__(self) -> "Raw":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, sent: bytes) -> None:
        self.socket.sendall(sent)

    def answer(self) -> bytes:
        """Return the next answer, or b"" when the connection ended without one."""
        received = b""
        while not received.endswith(b"\n\n"):
            chunk = self.socket.recv(1 << 16)
            if not chunk:
                return received
            received += chunk
        return received

    def is_closed(self) -> bool:
        try:
            return self.socket.recv(1) == b""
        except ConnectionResetError:
            return True
