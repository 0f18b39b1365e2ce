"""Upgrades to a schema that does not exist yet: a copy first, all or nothing, and old copies go."""

import os
import shutil
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import inspect, text

from revenued.errors import DatabaseError
from revenued.store import schema
from revenued.store.engine import Store
from revenued.store.schema import claim, copy_sqlite, current, upgrade
from tests.fakes import NODE_ID, START

ADDS_A_TABLE = """
    op.create_table("moods", sa.Column("mood", sa.Text()))
    op.execute("INSERT INTO moods (mood) VALUES ('good')")
    op.execute("UPDATE owner SET alias = 'changed by the migration'")
"""
FAILS_HALF_WAY = f"{ADDS_A_TABLE}\n    op.execute('SELECT mood FROM nowhere')\n"


@pytest.fixture
def migrations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Our migrations in a folder where a test can add one."""
    folder = tmp_path / "migrations"
    shutil.copytree(schema.migrations_dir(), folder, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(schema, "migrations_dir", lambda: folder)
    return folder


def next_revision(migrations: Path, revision: str, after: str, body: str) -> None:
    text_of = (
        f'import sqlalchemy as sa\nfrom alembic import op\n\nrevision = "{revision}"\ndown_revision = "{after}"\n\n'
    )
    (migrations / "versions" / f"{revision}.py").write_text(f"{text_of}\ndef upgrade() -> None:\n{body}")


def alias_in(file: Path) -> tuple[str, str]:
    """Return the schema version and the alias that a copy holds."""
    with closing(sqlite3.connect(file)) as connection:
        (version,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        (alias,) = connection.execute("SELECT alias FROM owner").fetchone()
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    return version, alias


def test_an_upgrade_of_a_file_copies_it_first(sqlite_store: Store, migrations: Path) -> None:
    old = schema.head()
    claim(sqlite_store, node_id=NODE_ID, network="regtest", alias="as it was", now=START)
    next_revision(migrations, "next", old, ADDS_A_TABLE)
    copy = upgrade(sqlite_store, now=START, copies=3)
    assert copy is not None
    assert copy.parent == Path(sqlite_store.location).parent
    assert alias_in(copy) == (old, "as it was")
    assert copy.stat().st_mode & 0o777 == 0o600
    assert alias_in(Path(sqlite_store.location)) == ("next", "changed by the migration")


def test_an_upgrade_takes_the_rows_along_on_every_database(store: Store, migrations: Path) -> None:
    claim(store, node_id=NODE_ID, network="regtest", alias="as it was", now=START)
    next_revision(migrations, "next", schema.head(), ADDS_A_TABLE)
    copy = upgrade(store, now=START, copies=3)
    assert (copy is None) == (store.kind == "postgresql")
    assert current(store) == "next"
    with store.read() as connection:
        assert connection.execute(text("SELECT alias FROM owner")).scalar() == "changed by the migration"
        assert connection.execute(text("SELECT mood FROM moods")).scalars().all() == ["good"]


def test_an_upgrade_that_fails_half_way_leaves_the_database_as_it_was(store: Store, migrations: Path) -> None:
    old = schema.head()
    claim(store, node_id=NODE_ID, network="regtest", alias="as it was", now=START)
    next_revision(migrations, "next", old, FAILS_HALF_WAY)
    with pytest.raises(DatabaseError, match=rf"upgrade from {old} to next failed: .*nowhere"):
        upgrade(store, now=START, copies=3)
    assert current(store) == old
    with store.read() as connection:
        assert "moods" not in inspect(connection).get_table_names()
        assert connection.execute(text("SELECT alias FROM owner")).scalar() == "as it was"


def test_of_several_steps_none_stays_when_the_last_one_fails(store: Store, migrations: Path) -> None:
    old = schema.head()
    next_revision(migrations, "next", old, ADDS_A_TABLE)
    next_revision(migrations, "last", "next", "    op.execute('SELECT mood FROM nowhere')\n")
    with pytest.raises(DatabaseError, match="failed"):
        upgrade(store, now=START, copies=3)
    assert current(store) == old
    with store.read() as connection:
        assert "moods" not in inspect(connection).get_table_names()


def test_only_the_newest_copies_are_kept(sqlite_store: Store, migrations: Path) -> None:
    claim(sqlite_store, node_id=NODE_ID, network="regtest", alias="as it was", now=START)
    folder, before = Path(sqlite_store.location).parent, schema.head()
    kept = folder / "revenued.db.backup-of-the-operator"
    kept.write_text("not one of ours")
    made = []
    for day, revision in enumerate(("second", "third", "fourth", "fifth")):
        next_revision(migrations, revision, before, "    op.execute('SELECT 1')\n")
        copy = upgrade(sqlite_store, now=START + timedelta(days=day), copies=2)
        assert copy is not None
        os.utime(copy, (day, day))
        made.append(copy)
        before = revision
    assert sorted(folder.glob("*.before-*")) == sorted(made[-2:])
    assert kept.exists()


def test_no_copy_means_no_upgrade(sqlite_store: Store, migrations: Path) -> None:
    old = schema.head()
    next_revision(migrations, "next", old, ADDS_A_TABLE)
    in_the_way = Path(f"{sqlite_store.location}.before-next-{START:%Y%m%dT%H%M%SZ}")
    in_the_way.write_text("precious")
    with pytest.raises(DatabaseError, match=r"copying .* failed"):
        upgrade(sqlite_store, now=START, copies=3)
    assert current(sqlite_store) == old
    assert in_the_way.read_text() == "precious"


def test_a_copy_that_fails_leaves_nothing_that_looks_like_one(tmp_path: Path) -> None:
    source, target = tmp_path / "garbage", tmp_path / "copy"
    source.write_bytes(b"not a database at all" * 500)
    with pytest.raises(DatabaseError, match=r"garbage to .*copy failed"):
        copy_sqlite(source, target)
    assert not target.exists()


def test_a_path_with_signs_that_mean_something_in_an_address_is_copied_too(tmp_path: Path) -> None:
    source = tmp_path / "50% of what? #1.db"
    with closing(sqlite3.connect(source)) as connection:
        connection.execute("CREATE TABLE found (here TEXT)")
    copy_sqlite(source, tmp_path / "copy")
    with closing(sqlite3.connect(tmp_path / "copy")) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("found",)]
