"""What only the operator can mend ends the start: exit code 1, one sentence that names it, no traceback."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from revenued.store.engine import open_file
from revenued.store.schema import upgrade
from tests.end_to_end.daemon import Daemon


def test_a_bad_configuration(daemon: Daemon) -> None:
    daemon.config.write_text("[settings]\nmin_fee_ppm = 'low'\n")
    sentence = daemon.refused()
    assert sentence.startswith(f"{daemon.config}: [settings] min_fee_ppm: 'low' is not allowed; allowed: whole number")
    assert not daemon.state_dir.exists()


def test_a_second_daemon_with_the_same_state_directory(resting: Daemon, place: Path) -> None:
    second = Daemon(place)
    second.state_dir = resting.state_dir
    assert "another revenued is running with this state directory" in second.refused()
    assert resting.ask("version")


def test_a_second_daemon_at_the_same_control_socket(resting: Daemon, place: Path) -> None:
    second = Daemon(place)
    second.control = resting.control
    assert "another daemon is running and listens on it" in second.refused()
    assert resting.ask("version")


def test_a_database_of_a_newer_version(daemon: Daemon) -> None:
    make_database(daemon)
    with closing(sqlite3.connect(daemon.database)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    sentence = daemon.refused()
    assert "has schema 9999" in sentence
    assert "newer version" in sentence


def test_a_state_directory_that_may_not_be_written_to(daemon: Daemon) -> None:
    daemon.state_dir.mkdir(mode=0o500)
    assert f"state directory {daemon.state_dir}" in daemon.refused(without_override=True)


def test_a_database_that_may_not_be_written_to(daemon: Daemon) -> None:
    make_database(daemon)
    daemon.database.chmod(0o400)
    assert "readonly database" in daemon.refused(without_override=True)


def make_database(daemon: Daemon) -> None:
    daemon.state_dir.mkdir()
    store = open_file(daemon.state_dir)
    upgrade(store, now=datetime.now(UTC), copies=1)
    store.close()
