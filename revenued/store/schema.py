"""The schema's version: upgrade after a copy, refusal of what this program does not know, and whose database it is."""

import sqlite3
from contextlib import closing
from datetime import datetime
from importlib import resources
from pathlib import Path
from urllib.parse import quote

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, inspect, select
from sqlalchemy.exc import SQLAlchemyError

from revenued.errors import DatabaseError
from revenued.store.engine import Store
from revenued.store.tables import owner


def migrations_dir() -> Path:
    """Return the folder of migrations: inside the package when installed, beside it in a checkout."""
    packaged = Path(str(resources.files("revenued"))) / "migrations"
    return packaged if packaged.is_dir() else packaged.parent.parent / "migrations"


def head() -> str:
    """Return the version of the schema that this program works with."""
    newest = ScriptDirectory(str(migrations_dir())).get_current_head()
    if newest is None:
        raise DatabaseError(f"no migrations in {migrations_dir()}: the installation is incomplete")
    return newest


def current(store: Store) -> str | None:
    """Return the version of the schema in the database, None when it is empty; raises DatabaseError."""
    try:
        with store.read() as connection:
            version = MigrationContext.configure(connection).get_current_revision()
            if version is None and set(inspect(connection).get_table_names()) - {"alembic_version"}:
                raise DatabaseError(
                    f"{store.location} holds tables that revenued did not make; give it a database of its own"
                )
            return version
    except SQLAlchemyError as error:
        raise DatabaseError(f"{store.location}: {_first_line(error)}") from error


def upgrade(store: Store, *, now: datetime, copies: int) -> Path | None:
    """Bring the schema to `head()`, after a copy of a SQLite file that holds data; return the copy made, if any.

    Raises DatabaseError when the schema is newer than this program, or the upgrade failed (nothing was changed then).
    """
    found, wanted = current(store), head()
    if found == wanted:
        return None
    _refuse_unknown(store, found, wanted)
    backup = None
    if found is not None and store.kind == "sqlite":
        backup = Path(f"{store.location}.before-{wanted}-{now:%Y%m%dT%H%M%SZ}")
        copy_sqlite(Path(store.location), backup)
        _forget_old_copies(Path(store.location), copies)
    try:
        with store.write() as connection:
            command.upgrade(_config(connection), "head")
    except (SQLAlchemyError, CommandError) as error:
        raise DatabaseError(
            f"{store.location}: upgrade from {found} to {wanted} failed: {_first_line(error)}"
        ) from error
    return backup


def copy_sqlite(source: Path, target: Path) -> None:
    """Write a consistent copy of a database that may be in use; raises DatabaseError. The copy is the owner's alone."""
    try:
        target.touch(mode=0o600, exist_ok=False)
    except OSError as error:
        raise DatabaseError(f"copying {source} to {target} failed: {error}") from error
    try:
        with (
            closing(sqlite3.connect(f"file:{quote(str(source))}?mode=ro", uri=True)) as reading,
            closing(sqlite3.connect(target)) as writing,
        ):
            reading.backup(writing)
    except sqlite3.Error as error:
        target.unlink()  # what is left of it must not be taken for a copy
        raise DatabaseError(f"copying {source} to {target} failed: {error}") from error


def claim(store: Store, *, node_id: str, network: str, alias: str, now: datetime) -> None:
    """Note at the first run whose database this is; raises DatabaseError when it belongs to another node."""
    with store.write() as connection:
        row = connection.execute(select(owner.c.node_id, owner.c.network)).one_or_none()
        if row is None:
            connection.execute(
                owner.insert().values(singleton=1, node_id=node_id, network=network, alias=alias, first_run_at=now)
            )
        elif (row.node_id, row.network) != (node_id, network):
            raise DatabaseError(
                f"{store.location} belongs to node {row.node_id} on {row.network}, but the socket answers as "
                f"{node_id} on {network}; point revenued at the right socket, or give this node its own state directory"
            )
        else:
            connection.execute(owner.update().values(alias=alias))


def _refuse_unknown(store: Store, found: str | None, wanted: str) -> None:
    if found is None:
        return
    known = {script.revision for script in ScriptDirectory(str(migrations_dir())).walk_revisions()}
    if found not in known:
        raise DatabaseError(
            f"{store.location} has schema {found}, this revenued knows schemas up to {wanted}: it was used by a newer "
            "version. Install that version again, or restore the copy that was made before the upgrade."
        )


def _forget_old_copies(database: Path, copies: int) -> None:
    made = sorted(database.parent.glob(f"{database.name}.before-*"), key=lambda file: file.stat().st_mtime)
    for file in made[:-copies]:
        file.unlink()


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(migrations_dir()).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
