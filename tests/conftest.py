"""The store on every database that it is made for, always built by the migrations."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import hypothesis
import pytest

from revenued.store.engine import Store, open_file, open_store
from revenued.store.schema import upgrade
from tests.fakes import START
from tests.store.postgres import PostgresServer, cannot_run, running_server

Maker = Callable[[], Store]

# A law that takes long on a busy machine is still a law; what hangs is ended by pytest-timeout.
hypothesis.settings.register_profile("patient", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("patient")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A PostgreSQL server of our own; what needs it is skipped, with the reason, where none can run."""
    reason = cannot_run()
    if reason is not None:
        pytest.skip(reason)
    with running_server() as server:
        yield server


@pytest.fixture
def stores() -> Iterator[ExitStack]:
    """What closes every store that a test opened."""
    with ExitStack() as opened:
        yield opened


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_store(request: pytest.FixtureRequest, tmp_path: Path, stores: ExitStack) -> Store:
    """A store without a single table."""
    if request.param == "sqlite":
        return _closing(stores, open_file(tmp_path))
    server: PostgresServer = request.getfixturevalue("postgres_server")
    return _closing(stores, open_store(stores.enter_context(server.empty_database())))


@pytest.fixture(scope="session")
def upgraded_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file as `upgrade` makes it."""
    store = open_file(tmp_path_factory.mktemp("upgraded"))
    upgrade(store, now=START, copies=3)
    store.close()
    return Path(store.location)


@pytest.fixture
def sqlite_store(tmp_path: Path, upgraded_file: Path, stores: ExitStack) -> Store:
    """A store on SQLite as `upgrade` makes it, for what is only true there."""
    shutil.copyfile(upgraded_file, tmp_path / upgraded_file.name)
    return _closing(stores, open_file(tmp_path))


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, stores: ExitStack) -> Store:
    """A store as `upgrade` makes it, on each database."""
    if request.param == "sqlite":
        made: Store = request.getfixturevalue("sqlite_store")
        return made
    server: PostgresServer = request.getfixturevalue("postgres_server")
    return stores.enter_context(server.ready_store(lambda made: upgrade(made, now=START, copies=3)))


@pytest.fixture
def another(store: Store, stores: ExitStack) -> Maker:
    """Opens the database of `store` once more, as another process would."""
    return lambda: _closing(stores, open_store(store.engine.url.render_as_string(hide_password=False)))


def _closing(stores: ExitStack, store: Store) -> Store:
    stores.callback(store.close)
    return store
