"""`revenued` commands that need no daemon: the configuration and the database looked at, copied and upgraded."""

import sqlite3
import stat
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from revenued.store.schema import head
from tests.end_to_end.daemon import Daemon


def test_a_running_daemons_database_can_be_copied(resting: Daemon, place: Path) -> None:
    resting.run_done("fee")
    copy = place / "copy.db"
    where = ("--config", str(resting.config), "--state-dir", str(resting.state_dir))
    assert resting.offline("db", "backup", *where, str(copy)) == f"{copy}\n"
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("SELECT COUNT(*) FROM fee_decisions").fetchall() == [(6,)]
    again = [*resting.command()[:3], "db", "backup", *where, str(copy)]
    assert "File exists" in resting.refused(*again)
    assert f"schema {head()}, this revenued uses {head()}" in resting.offline("db", "current", *where)


def test_a_new_database_is_made_for_its_owner_alone(daemon: Daemon) -> None:
    daemon.state_dir.mkdir(mode=0o755)
    where = ("--config", str(daemon.config), "--state-dir", str(daemon.state_dir))
    assert "none (empty)" in daemon.offline("db", "current", *where)
    assert daemon.offline("db", "upgrade", *where) == f"{daemon.database}: schema {head()}\n"
    assert {stat.S_IMODE(path.stat().st_mode) for path in daemon.state_dir.iterdir()} == {0o600}


def test_a_configuration_can_be_checked_without_starting_anything(daemon: Daemon) -> None:
    daemon.config.write_text('[settings]\nmax_fee_ppm = 900\n[store]\ndatabase_url = "postgresql://u:secret@h/d"\n')
    shown = daemon.offline("check-config", "--config", str(daemon.config))
    assert f"configuration file: {daemon.config}\n" in shown
    assert "max_fee_ppm = 900  (default 5000)" in shown
    assert "secret" not in shown
    assert not daemon.state_dir.exists()


@pytest.mark.parametrize("command", [["--help"], ["run", "--help"], ["db", "--help"], ["--version"]])
def test_every_command_tells_what_it_does(daemon: Daemon, command: list[str]) -> None:
    assert "revenued" in subprocess.run(
        [*daemon.command()[:3], *command], capture_output=True, text=True, check=True, env=daemon.environment()
    ).stdout  # fmt: skip
