"""One quiet node, one daemon, one short directory for their sockets."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from revenued.sim.rpc import RpcServer
from tests.end_to_end.daemon import Daemon
from tests.end_to_end.node import WatchedWorld, quiet_world, serving


@pytest.fixture
def place() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="rv", dir="/tmp"))
    yield made
    shutil.rmtree(made)


@pytest.fixture
def world() -> WatchedWorld:
    return quiet_world()


@pytest.fixture
def server(world: WatchedWorld, place: Path) -> Iterator[RpcServer]:
    """The node of `world`, at the place where `daemon` looks for it."""
    with serving(world, place / "lightning-rpc") as running:
        yield running


@pytest.fixture
def daemon(place: Path) -> Iterator[Daemon]:
    """A daemon that the test starts; whatever happens to it, its log tells of no defect."""
    made = Daemon(place)
    yield made
    made.clear_away()
    made.check_log()
