"""Worlds that stand still until a test moves them, and a server for them on a short socket path."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from revenued.sim.market import Market
from revenued.sim.rpc import RpcServer
from revenued.sim.world import World
from tests.sim.builders import START, HandClock


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def world() -> World:
    """A world of four channels, the first and the last with one peer, in which nobody pays unless the test says so."""
    return World(1, START, 4, market=Market.quiet())


@pytest.fixture
def socket_path() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="rv", dir="/tmp") as folder:
        yield Path(folder) / "lightning-rpc"


@pytest.fixture
def server(world: World, clock: HandClock, socket_path: Path) -> Iterator[RpcServer]:
    with RpcServer(world, socket_path, clock=clock) as serving:
        yield serving
