"""A house of real parts around a node in memory, and a socket that hears what systemd would be told."""

import os
import random
import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from revenued.daemon.board import SettingsBoard
from revenued.daemon.house import House
from revenued.daemon.ingester import Ingester
from revenued.daemon.schedule import Schedule
from revenued.store.engine import Store
from tests.fakes import FakeNode, HandClock


class Bell:
    """Never rings."""

    def ring(self, *_given: object, **_named: object) -> bool:
        return False

    def close(self) -> None:
        return


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def node(clock: HandClock) -> FakeNode:
    return FakeNode(clock)


@pytest.fixture
def schedule(clock: HandClock) -> Iterator[Schedule]:
    """A schedule that the test fills and starts."""
    made = Schedule(clock, rng=random.Random(1))
    made.add_pulse(lambda: None, seconds=3600)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def house(node: FakeNode, sqlite_store: Store, clock: HandClock) -> Iterator[House]:
    """A house whose schedule runs nothing yet, and whose ingester is not started."""
    board = SettingsBoard(sqlite_store, clock, file={}, environment={})
    ingester = Ingester(
        node, sqlite_store, clock, bell=Bell, on_progress=lambda _cursor: None, on_hydrated=lambda: None
    )
    made = House(node, sqlite_store, clock, board, ingester, Schedule(clock, rng=random.Random(1)), clock.now())
    made.schedule.start()
    yield made
    made.schedule.stop()


@pytest.fixture
def short_directory() -> Iterator[Path]:
    """A directory whose name leaves room for a socket's."""
    made = tempfile.mkdtemp(prefix="rv", dir="/tmp")
    yield Path(made)
    shutil.rmtree(made)


class Manager:
    """The service manager's end of its socket."""

    def __init__(self, address: str) -> None:
        self.environment = {"NOTIFY_SOCKET": address.replace("\0", "@")}
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(address)

    def received(self) -> list[str]:
        """Return what has arrived since the last time."""
        messages = []
        self._socket.setblocking(False)
        try:
            while True:
                messages.append(self._socket.recv(4096).decode())
        except BlockingIOError:
            return messages

    def close(self) -> None:
        self._socket.close()


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, short_directory: Path) -> Iterator[Manager]:
    address = str(short_directory / "notify")
    made = Manager(address if request.param == "path" else "\0" + address)
    yield made
    made.close()


@pytest.fixture(autouse=True)
def _umask() -> Iterator[None]:
    """Commands set the umask of their process, which is ours here."""
    before = os.umask(0o022)
    yield
    os.umask(before)
