"""One quiet node, one daemon, one short directory for their sockets."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from revenued.sim.rpc import RpcServer
from tests.end_to_end.daemon import Daemon
from tests.end_to_end.node import WatchedWorld, quiet_world, serving


@pytest.fixture
def place() -> Iterator[Path]:
    with short_directory() as made:
        yield made


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
    with checked(Daemon(place)) as made:
        yield made


@pytest.fixture(scope="session")
def resting() -> Iterator[Daemon]:
    """A daemon in dry run that follows a quiet node, for tests that leave everything as it was."""
    with short_directory() as place, serving(quiet_world(), place / "lightning-rpc"), checked(Daemon(place)) as made:
        made.start()
        made.follow()
        yield made


@contextmanager
def short_directory() -> Iterator[Path]:
    """Give a directory whose name leaves room for a socket's."""
    made = Path(tempfile.mkdtemp(prefix="rv", dir="/tmp"))
    try:
        yield made
    finally:
        shutil.rmtree(made)


@contextmanager
def checked(daemon: Daemon) -> Iterator[Daemon]:
    """Stop a daemon at the end, and look for defects in its log."""
    try:
        yield daemon
    finally:
        daemon.clear_away()
    daemon.check_log()
