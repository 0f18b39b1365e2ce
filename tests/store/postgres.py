"""A throw-away PostgreSQL server, where its binaries are installed: a UNIX socket, no fsync, gone after the tests."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import text

from revenued.store.engine import Store, open_store
from revenued.store.tables import metadata

Shape = list[tuple[object, ...]]
STARTS_WITHIN_SECONDS = 30.0
_SETTINGS = (
    "listen_addresses=",
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "shared_buffers=32MB",
    "max_connections=40",
    "autovacuum=off",
)


def binaries() -> Path | None:
    """Return the folder of the newest server that is installed, None where there is none."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    found = str(installed[-1]) if installed else shutil.which("initdb")
    return None if found is None else Path(found).resolve().parent


def cannot_run() -> str | None:
    """Return why no server can be started here, None when one can."""
    if binaries() is None:
        return "PostgreSQL is not installed: no initdb in /usr/lib/postgresql/*/bin or on PATH"
    if os.geteuid() == 0 and _unprivileged() is None:
        return "PostgreSQL refuses to run as root, and there is no user postgres or nobody to run it as"
    return None


class PostgresServer:
    """A running server that hands out databases: empty ones, or one that is made ready once and emptied after use."""

    def __init__(self, socket_dir: Path) -> None:
        self._socket_dir = socket_dir
        self._made = 0
        self._ready: tuple[Store, Shape] | None = None

    def url(self, database: str) -> str:
        """Return the SQLAlchemy URL of a database."""
        return f"postgresql+psycopg://postgres@/{database}?host={self._socket_dir}"

    def administer(self, statement: str) -> None:
        """Run a statement that belongs in no transaction."""
        where = f"host={self._socket_dir} user=postgres dbname=postgres"
        with psycopg.connect(where, autocommit=True) as connection:
            connection.execute(statement.encode())

    @contextmanager
    def empty_database(self) -> Iterator[str]:
        """Give the URL of a new database, which goes afterwards."""
        self._made += 1
        name = f"revenued_{self._made}"
        self.administer(f"CREATE DATABASE {name} TEMPLATE template0")
        try:
            yield self.url(name)
        finally:
            self.administer(f"DROP DATABASE {name} WITH (FORCE)")

    @contextmanager
    def ready_store(self, prepare: Callable[[Store], object]) -> Iterator[Store]:
        """Give a store that `prepare` has made ready and in which there is nothing yet.

        A database of its own for every test would take longer than the test.
        """
        if self._ready is None:
            self._made += 1
            self.administer(f"CREATE DATABASE revenued_{self._made} TEMPLATE template0")
            made = open_store(self.url(f"revenued_{self._made}"))
            prepare(made)
            self._ready = made, _shape(made)
        store, shape = self._ready
        try:
            yield store
        finally:
            if _shape(store) == shape:
                _empty(store)
            else:
                self.close()

    def close(self) -> None:
        """Let go of the database that was made ready."""
        if self._ready is not None:
            self._ready[0].close()
        self._ready = None


def _shape(store: Store) -> Shape:
    """Return the version and every column there is."""
    columns = "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
    with store.read() as connection:
        found = connection.execute(text(f"{columns} UNION ALL SELECT 'version', version_num FROM alembic_version"))
        return sorted(tuple(row) for row in found)


def _empty(store: Store) -> None:
    with store.write() as connection:
        sequences = connection.execute(text("SELECT sequencename FROM pg_sequences")).scalars().all()
        statements = [f"DELETE FROM {table.name}" for table in reversed(metadata.sorted_tables)]
        statements += [f"ALTER SEQUENCE {sequence} RESTART" for sequence in sequences]
        connection.exec_driver_sql("; ".join(statements))


@contextmanager
def running_server() -> Iterator[PostgresServer]:
    """Give a server of our own; call only where `cannot_run` has nothing to say."""
    found = binaries()
    assert found is not None, "asked before"
    folder = Path(tempfile.mkdtemp(prefix="rvpg", dir="/tmp"))
    user: dict[str, Any] = {}
    if os.geteuid() == 0:
        someone = _unprivileged()
        assert someone is not None, "asked before"
        os.chown(folder, someone.pw_uid, someone.pw_gid)
        user = {"user": someone.pw_uid, "group": someone.pw_gid, "extra_groups": []}
    try:
        made = [str(found / "initdb"), "-D", "data", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C"]
        subprocess.run([*made, "--no-sync"], check=True, capture_output=True, cwd=folder, **user)
        options = [part for setting in (*_SETTINGS, f"unix_socket_directories={folder}") for part in ("-c", setting)]
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(
                [str(found / "postgres"), "-D", "data", *options], stdout=log, stderr=log, cwd=folder, **user
            )
        try:
            _wait_until_it_answers(server, folder)
            given = PostgresServer(folder)
            yield given
            given.close()
        finally:
            server.send_signal(signal.SIGINT)  # what PostgreSQL calls a fast shutdown
            server.wait(timeout=30)
    finally:
        shutil.rmtree(folder)


def _wait_until_it_answers(server: subprocess.Popen[bytes], folder: Path) -> None:
    deadline = time.monotonic() + STARTS_WITHIN_SECONDS
    while True:
        try:
            psycopg.connect(f"host={folder} user=postgres dbname=postgres").close()
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise AssertionError("PostgreSQL did not start:\n" + (folder / "log").read_text()) from None
            time.sleep(0.05)
        else:
            return


def _unprivileged() -> pwd.struct_passwd | None:
    """Return the user that a server may run as when we are root."""
    known = {user.pw_name: user for user in pwd.getpwall()}
    return known.get("postgres") or known.get("nobody")
