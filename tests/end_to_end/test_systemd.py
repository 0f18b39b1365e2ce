"""What the service manager is told, over the socket that it names."""

import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from revenued.sim.rpc import RpcServer
from tests.end_to_end.daemon import Daemon, until

WATCHDOG_SECONDS = 0.6


class Manager:
    """systemd's end of the socket: all that was received, in order."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.received: list[str] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._socket.setblocking(False)

    def hears(self, message: str) -> bool:
        """Take in what has arrived; return whether a message that begins so was ever received."""
        try:
            while True:
                self.received.append(self._socket.recv(4096).decode())
        except BlockingIOError:
            return any(said.startswith(message) for said in self.received)

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def manager(place: Path) -> Iterator[Manager]:
    made = Manager(place / "notify")
    yield made
    made.close()


def test_systemd_is_told_of_start_life_reload_and_stop(server: RpcServer, daemon: Daemon, manager: Manager) -> None:
    daemon.start(NOTIFY_SOCKET=str(manager.path), WATCHDOG_USEC=str(int(WATCHDOG_SECONDS * 1e6)))
    until(lambda: manager.hears("READY=1"), "READY=1")
    assert not any(said.startswith(("WATCHDOG", "STOPPING", "RELOADING")) for said in manager.received)
    until(lambda: manager.hears("STATUS=dry run; following the node"), "STATUS=")
    manager.received.clear()
    until(lambda: manager.hears("WATCHDOG=1"), "a sign of life", within=10)
    manager.received.clear()
    until(lambda: manager.hears("WATCHDOG=1"), "another one", within=10)

    manager.received.clear()
    daemon.send(signal.SIGHUP)
    until(lambda: manager.hears("READY=1"), "READY=1 after the reload")
    told = [said for said in manager.received if not said.startswith(("WATCHDOG", "STATUS"))]
    assert [said.split("\n")[0] for said in told] == ["RELOADING=1", "READY=1"]
    assert told[0].split("\n")[1].removeprefix("MONOTONIC_USEC=").isdigit()

    server.stop()
    until(lambda: manager.hears("STATUS=dry run; waiting: "), "the status says what is waited for")
    daemon.stop()
    assert manager.hears("STOPPING=1")
