"""One network for the folder, a daemon for each test; without the nodes' programs all skip, and say so loudly."""

import importlib.util
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.regtest.daemon import Daemon
from tests.regtest.network import Network
from tests.regtest.proxy import Proxy

HERE = Path(__file__).parent
PROGRAMS = ("lightningd", "bitcoind", "bitcoin-cli")

Launch = Callable[[Path], Daemon]


def missing() -> list[str]:
    """Return what these tests need and this machine lacks."""
    lacking = [program for program in PROGRAMS if shutil.which(program) is None]
    if importlib.util.find_spec("pyln.testing") is None:
        lacking.append("pyln-testing")
    return lacking


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this folder."""
    lacking = missing()
    for item in items:
        if HERE not in item.path.parents:
            continue
        item.add_marker(pytest.mark.regtest)
        if lacking:
            item.add_marker(pytest.mark.skip(reason=f"no real node: {', '.join(lacking)} not found"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say that nothing was tried against a real node: a green run would else look like more than it is."""
    lacking = missing()
    if lacking:
        terminalreporter.write_line(
            f"NOT TESTED AGAINST A REAL NODE: tests/regtest was skipped, {', '.join(lacking)} not found",
            yellow=True,
            bold=True,
        )


@pytest.fixture(scope="package")
def network() -> Iterator[Network]:
    """The nodes, their channels and their history, shared by all tests."""
    # Read when pyln-testing is imported: without it every start waits for a plugin that needs Rust.
    os.environ.setdefault("RUST", "0")
    os.environ.setdefault("VALGRIND", "0")
    from tests.regtest.founding import founded_network  # noqa: PLC0415 (needs pyln-testing, and the lines above)

    with founded_network() as founded:
        yield founded


@pytest.fixture
def folder() -> Iterator[Path]:
    """A directory whose name leaves room for a socket's."""
    with tempfile.TemporaryDirectory(prefix="rv", dir="/tmp", ignore_cleanup_errors=True) as made:
        yield Path(made)


@pytest.fixture
def proxy(network: Network, folder: Path) -> Iterator[Proxy]:
    """A man in the middle between a daemon and the hub."""
    with Proxy(folder / "proxy", network.hub.socket) as between:
        yield between


@pytest.fixture
def launch(network: Network, folder: Path) -> Iterator[Launch]:
    """Start daemons beside a hub with the prices of new channels; in the end none has met a defect of its own."""
    network.forget_prices()
    launched: list[Daemon] = []

    def start(rpc: Path) -> Daemon:
        place = folder / f"{len(launched)}"
        place.mkdir()
        daemon = Daemon(rpc, place)
        launched.append(daemon)
        daemon.start()
        return daemon

    yield start
    codes = [daemon.stop() for daemon in launched if daemon.is_running]
    for daemon in launched:
        print(daemon.log())  # noqa: T201 (pytest shows it with a test that failed)
    assert not any(codes), f"stopped with {codes}"
    assert not [event["event"] for daemon in launched for event in daemon.events() if "exception" in event]


@pytest.fixture
def daemon(launch: Launch, network: Network) -> Daemon:
    """A daemon that has read the history of the hub."""
    started = launch(network.hub.socket)
    started.follow()
    return started


@pytest.fixture
def overheard(proxy: Proxy, launch: Launch) -> Daemon:
    """The same, with every word between it and the hub counted by `proxy`."""
    started = launch(proxy.path)
    started.follow()
    return started
