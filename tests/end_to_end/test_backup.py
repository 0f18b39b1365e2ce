"""The database is copied while the daemon writes to it."""

import sqlite3
import stat
from contextlib import closing
from pathlib import Path

from tests.end_to_end.daemon import Daemon


def test_a_running_daemons_database_can_be_copied(resting: Daemon, place: Path) -> None:
    resting.run_done("fee")
    copy = place / "copy.db"
    said = resting.offline(
        "db", "backup", "--config", str(resting.config), "--state-dir", str(resting.state_dir), str(copy)
    )
    assert said == f"{copy}\n"
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("SELECT COUNT(*) FROM fee_decisions").fetchall() == [(6,)]
