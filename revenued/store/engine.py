"""One way in: `read()` and `write()` give a connection for one short transaction, on SQLite and PostgreSQL alike."""

import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, Table, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlalchemy.types import TypeEngine

from revenued.errors import DatabaseError
from revenued.store.types import Instant, Json, to_instant, to_json

DATABASE_FILE = "revenued.db"
WRITER_LOCK = 7_236_450_121  # any number that nobody else uses in revenued's PostgreSQL database
_POOL: dict[str, Any] = {"pool_size": 2, "max_overflow": 30}
"""Two connections stay, for the cycles and for ingest; each has a cache, so those for reports are closed after use."""

_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    # A broadcast and a payment are recorded before they are made, so a commit must be on the disk when it returns.
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA busy_timeout=10000",
    "PRAGMA journal_size_limit=67108864",
    "PRAGMA cache_size=-8000",
)


class Store:
    """The database of one node. Safe to use from several threads; writers of this process take turns."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._writing = threading.Lock()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a connection whose reads all see one state of the database."""
        options: dict[str, Any] = {"revenued_writes": False}
        if self.kind == "postgresql":  # where otherwise each statement sees a state of its own
            options["isolation_level"] = "REPEATABLE READ"
        with self.engine.connect().execution_options(**options) as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Give a connection that holds the write lock from its first statement; all is kept, or nothing."""
        with (
            self._writing,
            self.engine.connect().execution_options(revenued_writes=True) as connection,
            connection.begin(),
        ):
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": WRITER_LOCK})
            yield connection

    def close(self) -> None:
        """Close every idle connection; those in use close when they are given back."""
        self.engine.dispose()

    @property
    def location(self) -> str:
        """Return where the data lives, without a password."""
        url = self.engine.url
        # A password can stand in the query, too.
        return str(url.database) if self.kind == "sqlite" else url.set(query={}).render_as_string(hide_password=True)

    @property
    def kind(self) -> str:
        """Return "sqlite" or "postgresql"."""
        return str(self.engine.dialect.name)

    def size_bytes(self) -> int | None:
        """Return how much room the data takes, None where it cannot be told."""
        if self.kind == "sqlite":
            files = [Path(f"{self.engine.url.database}{suffix}") for suffix in ("", "-wal")]
            return sum(file.stat().st_size for file in files if file.exists())
        with self.read() as connection:
            return int(connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one())


def open_store(url: str) -> Store:
    """Return the store at a SQLAlchemy URL, without looking at its contents; raises DatabaseError for a bad URL."""
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite":
            if parsed.database in (None, "", ":memory:"):
                raise DatabaseError("database_url: a database in memory would forget everything; name a file")
            return Store(_sqlite_engine(str(parsed.database)))
        if parsed.get_backend_name() == "postgresql":
            return Store(create_engine(parsed.set(drivername="postgresql+psycopg"), pool_pre_ping=True, **_POOL))
    except (ArgumentError, NoSuchModuleError) as error:
        raise DatabaseError(f"database_url: {error}") from error
    except ModuleNotFoundError as error:
        raise DatabaseError("database_url: PostgreSQL needs `pip install revenued[postgres]`") from error
    raise DatabaseError(f"database_url: {parsed.get_backend_name()} is not supported; use sqlite or postgresql")


def open_file(state_dir: Path) -> Store:
    """Return the store in `state_dir`, which must exist."""
    return Store(_sqlite_engine(str(state_dir / DATABASE_FILE)))


def _sqlite_engine(path: str) -> Engine:
    url = URL.create("sqlite", database=path)
    engine = create_engine(url, connect_args={"isolation_level": None, "timeout": 10}, **_POOL)

    @event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _record: object) -> None:
        for pragma in _PRAGMAS:
            connection.execute(pragma)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("revenued_writes", True)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def upsert(
    connection: Connection,
    table: Table,
    rows: Sequence[Mapping[str, Any]],
    *,
    keep: Sequence[str] = (),
    fill: Sequence[str] = (),
) -> None:
    """Insert rows, or where their primary key stands already, replace all columns given.

    Columns in `keep` are never replaced, those in `fill` not by null: what was once known stays known. All rows name
    the same columns.
    """
    if not rows:
        return
    names = tuple(rows[0])
    keys = [column.name for column in table.primary_key]
    changes = []
    for name in names:
        if name in fill:
            changes.append(f"{name} = COALESCE(excluded.{name}, {table.name}.{name})")
        elif name not in keep and name not in keys:
            changes.append(f"{name} = excluded.{name}")
    action = f"UPDATE SET {', '.join(changes)}" if changes else "NOTHING"
    sql = (
        f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))}) "  # noqa: S608 (our tables)
        f"ON CONFLICT ({', '.join(keys)}) DO {action}"
    )
    stored = [(name, _storing(table.c[name].type)) for name in names]
    execute_many(
        connection, sql, [tuple(row[name] if to is None else to(row[name]) for name, to in stored) for row in rows]
    )


def _storing(kind: TypeEngine[Any]) -> Callable[[Any], Any] | None:
    """Return what turns a value into what the driver takes; None where it takes it as it is."""
    if isinstance(kind, Instant):
        return to_instant
    if isinstance(kind, Json):
        return to_json
    return None


def execute_many(connection: Connection, sql: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """Run a statement written with `?` for each row, as fast as the driver can."""
    if rows:
        connection.exec_driver_sql(sql if connection.dialect.name == "sqlite" else sql.replace("?", "%s"), list(rows))
