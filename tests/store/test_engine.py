"""One way in: what a transaction sees, who waits for whom, and what is kept when it ends badly."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import Connection, func, select, text

from revenued.errors import DatabaseError
from revenued.store.engine import Store, execute_many, open_file, open_store, upsert
from revenued.store.tables import forward_hours, peers, reputations
from tests.fakes import START
from tests.store.builders import rows_of

Maker = Callable[[], Store]


def add_peer(connection: Connection, node_id: str) -> None:
    connection.execute(peers.insert().values(node_id=node_id, first_seen_at=START))


def peer_count(connection: Connection) -> int:
    return connection.execute(select(func.count()).select_from(peers)).scalar_one()


def add_one(connection: Connection) -> None:
    """Read, think, write: what is lost when two do it at once."""
    settled = connection.execute(select(reputations.c.settled)).scalar_one()
    connection.execute(reputations.update().values(settled=settled + 1))


def add_reputation(store: Store) -> None:
    with store.write() as connection:
        add_peer(connection, "02")
        peer_key = connection.execute(select(peers.c.peer_key)).scalar_one()
        connection.execute(reputations.insert().values(peer_key=peer_key, settled=0, failed=0, updated_at=START))


def test_what_was_written_is_kept(store: Store, another: Maker) -> None:
    with store.write() as connection:
        add_peer(connection, "02")
    with another().read() as connection:
        assert peer_count(connection) == 1


@pytest.mark.parametrize("end", [ValueError, KeyboardInterrupt, SystemExit])
def test_what_ends_badly_is_not_kept_and_holds_nobody_up(store: Store, end: type[BaseException]) -> None:
    with suppress(end), store.write() as connection:
        add_peer(connection, "02")
        raise end
    with store.write() as connection:
        assert peer_count(connection) == 0
        add_peer(connection, "03")
    assert len(rows_of(store, "peers")) == 1


def test_all_reads_of_one_transaction_see_one_state(store: Store, another: Maker) -> None:
    """A report that reads twice must not count what came in between."""
    other = another()
    with store.read() as connection:
        assert peer_count(connection) == 0
        with other.write() as writing:
            add_peer(writing, "02")
        assert peer_count(connection) == 0
    with store.read() as connection:
        assert peer_count(connection) == 1


def test_a_reader_neither_waits_for_a_writer_nor_sees_what_is_not_kept_yet(store: Store, another: Maker) -> None:
    other = another()
    with store.write() as writing:
        add_peer(writing, "02")
        with other.read() as connection:
            assert peer_count(connection) == 0


@pytest.mark.parametrize("processes", [1, 2])
def test_writers_take_turns_so_that_no_update_is_lost(store: Store, another: Maker, processes: int) -> None:
    """Two threads of one process wait for its lock, two processes for the database's."""
    add_reputation(store)
    second = store if processes == 1 else another()

    def count_up(of: Store) -> None:
        for _ in range(25):
            with of.write() as connection:
                add_one(connection)

    with ThreadPoolExecutor(2) as both:
        for done in [both.submit(count_up, store), both.submit(count_up, second)]:
            done.result(timeout=60)
    assert rows_of(store, "reputations")[0]["settled"] == 50


def test_a_writer_that_only_reads_first_still_holds_the_lock(store: Store, another: Maker) -> None:
    """The lock is taken by `write()` itself: what was read inside cannot change until it ends."""
    add_reputation(store)
    other, read, order = another(), threading.Event(), []

    def wait_and_add() -> None:
        read.wait(timeout=30)
        with other.write() as connection:
            order.append("second")
            add_one(connection)

    with ThreadPoolExecutor(1) as beside:
        waiting = beside.submit(wait_and_add)
        with store.write() as connection:
            connection.execute(select(reputations.c.settled)).scalar_one()
            read.set()
            with pytest.raises(TimeoutError):
                waiting.result(timeout=0.3)
            order.append("first")
            add_one(connection)
        waiting.result(timeout=30)
    assert order == ["first", "second"]
    assert rows_of(store, "reputations")[0]["settled"] == 2


def test_the_file_is_set_up_for_money_and_for_readers_beside_the_writer(sqlite_store: Store) -> None:
    with sqlite_store.read() as connection:
        found = {
            name: connection.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 10_000}


def test_upsert_replaces_what_is_given_and_keeps_what_it_is_told_to(store: Store) -> None:
    with store.write() as connection:
        upsert(connection, peers, [{"peer_key": 1, "node_id": "02", "alias": "first", "first_seen_at": START}])
        upsert(
            connection,
            peers,
            [{"peer_key": 1, "node_id": "03", "alias": None, "first_seen_at": START.replace(year=2027)}],
            keep=("first_seen_at",),
            fill=("alias",),
        )
        upsert(connection, peers, [])
    assert rows_of(store, "peers") == [{"peer_key": 1, "node_id": "03", "alias": "first", "first_seen_at": START}]


def test_upsert_of_nothing_but_keys_leaves_the_row_that_is_there(store: Store) -> None:
    with store.write() as connection:
        upsert(connection, forward_hours, [{"hour_at": START, "scid": 1, "in_count": 7}])
        upsert(connection, forward_hours, [{"hour_at": START, "scid": scid} for scid in (1, 2)])
    assert [row["in_count"] for row in rows_of(store, "forward_hours")] == [7, 0]


def test_many_rows_go_in_at_once_in_each_databases_own_way_of_writing_values(store: Store) -> None:
    with store.write() as connection:
        statement = "INSERT INTO peers (node_id, first_seen_at) VALUES (?, ?)"
        execute_many(connection, statement, [(f"{number:066}", number) for number in range(300)])
        execute_many(connection, statement, [])
        assert peer_count(connection) == 300


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mysql://localhost/revenued", "mysql is not supported; use sqlite or postgresql"),
        ("not a url", "database_url"),
        ("sqlite://", "in memory"),
        ("sqlite:///:memory:", "in memory"),
        ("nosuchbase://x", "database_url"),
    ],
)
def test_an_address_that_cannot_hold_the_data_is_refused(url: str, said: str) -> None:
    with pytest.raises(DatabaseError, match=said):
        open_store(url)


def test_a_password_is_not_shown() -> None:
    store = open_store("postgresql://revenued:secret@localhost/books")
    assert store.location == "postgresql+psycopg://revenued:***@localhost/books"
    store.close()


def test_a_directory_with_signs_that_mean_something_in_an_address_is_a_directory(tmp_path: Path) -> None:
    folder = tmp_path / "50% #1? state"
    folder.mkdir()
    store = open_file(folder)
    with store.write() as connection:
        connection.execute(text("CREATE TABLE here (place TEXT)"))
    assert store.location == str(folder / "revenued.db")
    assert (folder / "revenued.db").exists()
    store.close()


def test_the_size_counts_what_lies_beside_the_file_too(store: Store) -> None:
    size = store.size_bytes()
    assert size is not None
    assert size > 100_000
