"""The schema: made by the migrations alone, and never touched where it is not ours or not known."""

from collections.abc import Callable
from itertools import chain
from pathlib import Path

import pytest
import sqlalchemy
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect, text
from sqlalchemy.exc import IntegrityError

from revenued.errors import DatabaseError
from revenued.store.engine import Store, open_file
from revenued.store.schema import claim, current, head, upgrade
from revenued.store.tables import metadata, owner, policies
from tests.fakes import NODE_ID, START
from tests.store.builders import keyed_channels, rows_of

OTHER_ID = "03" + "22" * 32


def test_a_fresh_upgrade_makes_exactly_the_tables_that_the_program_uses(empty_store: Store) -> None:
    assert current(empty_store) is None
    assert upgrade(empty_store, now=START, copies=3) is None
    assert current(empty_store) == head()
    with empty_store.read() as connection:
        tables = set(inspect(connection).get_table_names())
        compared = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True, "target_metadata": metadata}
        )
        differences = compare_metadata(compared, metadata)
    assert tables == {*metadata.tables, "alembic_version"}
    assert differences == []


def test_the_comparison_would_notice_a_column_that_no_migration_makes(store: Store) -> None:
    wanted = sqlalchemy.MetaData(naming_convention=metadata.naming_convention)
    for table in metadata.sorted_tables:
        table.to_metadata(wanted)
    wanted.tables["owner"].append_column(sqlalchemy.Column("colour", sqlalchemy.Text))
    with store.read() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), wanted)
    assert [(kind, table, column.name) for kind, _, table, column in differences] == [("add_column", "owner", "colour")]


def test_what_no_comparison_shows_is_in_the_schema_too(store: Store) -> None:
    """Checks, partial indexes, and tables that are their own index, none of which alembic looks at."""
    wanted = {
        str(constraint.name)
        for table in metadata.tables.values()
        for constraint in chain(table.constraints, *(column.constraints for column in table.columns))
        if isinstance(constraint, sqlalchemy.CheckConstraint)
    }
    with store.read() as connection:
        inspected = inspect(connection)
        checks = {check["name"] for table in metadata.tables for check in inspected.get_check_constraints(table)}
        made: dict[str, str]
        if store.kind == "sqlite":
            made = dict(connection.execute(text("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")).all())
            for table in ("forward_hours", "forward_days", "pair_days"):
                assert "WITHOUT ROWID" in made[table]
        else:
            made = dict(connection.execute(text("SELECT indexname, indexdef FROM pg_indexes")).all())
    assert checks == wanted
    assert "status" in made["ix_forwards_offered"].split("WHERE")[1]


def test_the_checks_of_the_schema_hold(store: Store) -> None:
    (channel_key,) = keyed_channels(store, 1)
    nobodys = {"strategy": "static", "rebalance": "enabled", "settings": {}, "changed_at": START}
    with pytest.raises(IntegrityError), store.write() as connection:
        connection.execute(policies.insert().values(**nobodys))
    with pytest.raises(IntegrityError), store.write() as connection:
        connection.execute(policies.insert().values(**nobodys, channel_key=channel_key, peer_key=1))
    with pytest.raises(IntegrityError), store.write() as connection:
        connection.execute(owner.insert().values(singleton=2, node_id="02", network="regtest", first_run_at=START))


def test_a_row_of_a_channel_that_is_not_there_is_refused(store: Store) -> None:
    with pytest.raises(IntegrityError), store.write() as connection:
        connection.execute(
            text("INSERT INTO channel_scids (scid, channel_key, kind, first_seen_at) VALUES (1, 4711, 'scid', 0)")
        )


def test_an_upgrade_of_what_is_up_to_date_changes_nothing(sqlite_store: Store) -> None:
    before = Path(sqlite_store.location).parent.iterdir()
    assert upgrade(sqlite_store, now=START, copies=3) is None
    assert {file.name for file in before} == {file.name for file in Path(sqlite_store.location).parent.iterdir()}


def test_a_newer_schema_is_refused_with_a_sentence_and_left_as_it_is(store: Store) -> None:
    with store.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseError, match=r"has schema 9999, this revenued knows schemas up to .*newer version"):
        upgrade(store, now=START, copies=3)
    assert current(store) == "9999"


def test_a_database_of_somebody_else_is_refused_and_left_as_it_is(empty_store: Store) -> None:
    with empty_store.write() as connection:
        connection.execute(text("CREATE TABLE recipes (name TEXT)"))
    for refused in (lambda: current(empty_store), lambda: upgrade(empty_store, now=START, copies=3)):
        with pytest.raises(DatabaseError, match="holds tables that revenued did not make"):
            refused()
    with empty_store.read() as connection:
        assert inspect(connection).get_table_names() == ["recipes"]


def test_a_file_that_is_no_database_is_refused_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "revenued.db").write_bytes(b"not a database at all" * 500)
    store = open_file(tmp_path)
    with pytest.raises(DatabaseError, match=r"revenued\.db: .*not a database"):
        upgrade(store, now=START, copies=3)
    store.close()


def test_the_first_node_makes_the_database_its_own(store: Store) -> None:
    claim(store, node_id=NODE_ID, network="bitcoin", alias="old name", now=START)
    claim(store, node_id=NODE_ID, network="bitcoin", alias="new name", now=START.replace(year=2027))
    (row,) = rows_of(store, "owner")
    assert (row["node_id"], row["alias"], row["first_run_at"]) == (NODE_ID, "new name", START)


@pytest.mark.parametrize(("node_id", "network"), [(OTHER_ID, "bitcoin"), (NODE_ID, "regtest")])
def test_another_nodes_database_is_refused_and_stays_the_others(store: Store, node_id: str, network: str) -> None:
    claim(store, node_id=NODE_ID, network="bitcoin", alias="first", now=START)
    before = rows_of(store, "owner")
    with pytest.raises(
        DatabaseError, match=f"belongs to node {NODE_ID} on bitcoin.* answers as {node_id} on {network}"
    ):
        claim(store, node_id=node_id, network=network, alias="second", now=START)
    assert rows_of(store, "owner") == before


def test_two_programs_that_start_together_make_one_schema(empty_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second finds the work done although it looked before the first began."""
    look: Callable[[Store], str | None] = current
    monkeypatch.setattr("revenued.store.schema.current", lambda _store: None)
    upgrade(empty_store, now=START, copies=3)
    upgrade(empty_store, now=START, copies=3)
    assert look(empty_store) == head()
