"""What only the operator can mend ends the start: exit code 1, one sentence that names it, no traceback."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.end_to_end.daemon import Daemon


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[settings]\nmin_fee_ppm = 'low'\n", "[settings] min_fee_ppm: 'low' is not allowed; allowed: whole number"),
        ("[node]\nsocket = '/tmp/x'\n", "node.socket: no such option"),
        ("[node\n", "Expected ']'"),
    ],
)
def test_a_bad_configuration(daemon: Daemon, text: str, said: str) -> None:
    daemon.config.write_text(text)
    sentence = daemon.refused()
    assert sentence.startswith(f"{daemon.config}: ")
    assert said in sentence
    assert not daemon.state_dir.exists()


def test_a_bad_option_in_the_environment(daemon: Daemon) -> None:
    sentence = daemon.refused(REVENUED_MIN_FEE_PPM="abc")
    assert "min_fee_ppm: 'abc' is not allowed; allowed: whole number from 0 to 100000 ppm" in sentence


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
    daemon.state_dir.mkdir()
    daemon.offline("db", "upgrade", "--state-dir", str(daemon.state_dir))
    with closing(sqlite3.connect(daemon.database)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    sentence = daemon.refused()
    assert "has schema 9999" in sentence
    assert "newer version" in sentence


def test_a_state_directory_that_may_not_be_written_to(daemon: Daemon) -> None:
    daemon.state_dir.mkdir(mode=0o500)
    assert f"state directory {daemon.state_dir}" in daemon.refused(without_override=True)


def test_a_lock_of_somebody_else(daemon: Daemon) -> None:
    """As `sudo revenued run` leaves it behind."""
    daemon.state_dir.mkdir()
    (daemon.state_dir / "lock").touch(mode=0o000)
    assert f"{daemon.state_dir / 'lock'}: Permission denied" in daemon.refused(without_override=True)


def test_a_database_that_may_not_be_written_to(daemon: Daemon) -> None:
    daemon.state_dir.mkdir()
    daemon.offline("db", "upgrade", "--state-dir", str(daemon.state_dir))
    daemon.database.chmod(0o400)
    assert "readonly database" in daemon.refused(without_override=True)
