"""A copy of a database that is being written to holds whole transactions, and is its owner's alone."""

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from revenued.errors import DatabaseError
from revenued.store.engine import Store
from revenued.store.schema import copy_sqlite
from revenued.store.tables import ignored_peers, peers
from tests.fakes import START


def counted(file: Path) -> tuple[int, int]:
    """Return how many rows a copy holds in each of the two tables that are always written together."""
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        (first,) = connection.execute("SELECT count(*) FROM peers").fetchone()
        (second,) = connection.execute("SELECT count(*) FROM ignored_peers").fetchone()
    return first, second


def test_every_copy_made_while_somebody_writes_is_consistent(sqlite_store: Store, tmp_path: Path) -> None:
    enough, begun = threading.Event(), threading.Event()

    def write_pairs() -> None:
        number = 0
        while not enough.is_set():
            with sqlite_store.write() as connection:
                for _ in range(20):
                    number += 1
                    connection.execute(peers.insert().values(node_id=f"{number:066}", first_seen_at=START))
                for back in range(20):
                    values = {"node_id": f"{number - back:066}", "ignored_at": START, "reason": "x" * 200}
                    connection.execute(ignored_peers.insert().values(**values))
            begun.set()

    writer = threading.Thread(target=write_pairs)
    writer.start()
    try:
        assert begun.wait(timeout=30)
        copies = [tmp_path / f"copy{number}" for number in range(8)]
        for copy in copies:
            copy_sqlite(Path(sqlite_store.location), copy)
    finally:
        enough.set()
        writer.join()
    counts = [counted(copy) for copy in copies]
    assert all(first == second > 0 for first, second in counts)
    assert counts[-1] > counts[0]
    assert {copy.stat().st_mode & 0o777 for copy in copies} == {0o600}


def test_a_copy_leaves_out_what_is_not_kept_yet(sqlite_store: Store, tmp_path: Path) -> None:
    with sqlite_store.write() as connection:
        connection.execute(peers.insert().values(node_id="02", first_seen_at=START))
        copy_sqlite(Path(sqlite_store.location), tmp_path / "copy")
    assert counted(tmp_path / "copy") == (0, 0)


def test_a_file_that_is_there_already_is_never_written_over(sqlite_store: Store, tmp_path: Path) -> None:
    (tmp_path / "copy").write_text("precious")
    with pytest.raises(DatabaseError, match="File exists"):
        copy_sqlite(Path(sqlite_store.location), tmp_path / "copy")
    assert (tmp_path / "copy").read_text() == "precious"


def test_a_source_that_is_not_there_is_said_and_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match=r"copying .*missing\.db to .* failed"):
        copy_sqlite(tmp_path / "missing.db", tmp_path / "copy")
    assert list(tmp_path.iterdir()) == []
