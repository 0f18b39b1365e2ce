"""How far the first reading of history is said to be, and to whom."""

from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from revenued.daemon.progress import HydrationProgress
from revenued.daemon.systemd import Notifier
from revenued.store.forwards import Cursor
from tests.daemon.conftest import Manager
from tests.fakes import START

BEGUN = Cursor(
    created_index=250,
    updated_index=0,
    deleted_index=0,
    missing_count=0,
    unreadable_count=0,
    recovered_count=0,
    recover_since=None,
    target_index=1000,
    hydrated_at=None,
    caught_up_at=None,
    stopped_reason=None,
)
READ = replace(BEGUN, created_index=1000, hydrated_at=START)


def test_the_manager_and_the_log_hear_of_it_now_and_then(monkeypatch: pytest.MonkeyPatch, manager: Manager) -> None:
    progress = HydrationProgress(Notifier(manager.environment), terminal=False)
    with capture_logs() as said:
        progress.advance(BEGUN)
        progress.advance(replace(BEGUN, created_index=300))
        monkeypatch.setattr("revenued.daemon.progress.EVERY_SECONDS", 0.0)
        progress.advance(replace(BEGUN, created_index=500))
    assert manager.received() == [
        "STATUS=reading history: 25% of 1000 forwards",
        "STATUS=reading history: 50% of 1000 forwards",
    ]
    assert [(event["event"], event["created_index"], event["of"]) for event in said] == [
        ("reading_history", 250, 1000),
        ("reading_history", 500, 1000),
    ]


def test_it_is_silent_once_history_is_read_or_where_there_is_none(manager: Manager) -> None:
    progress = HydrationProgress(Notifier(manager.environment), terminal=False)
    states = []
    for cursor in (replace(BEGUN, target_index=0), READ):
        progress.advance(cursor)
        states.append(progress.is_hydrating)
    assert states == [True, False]
    assert manager.received() == []


def test_a_terminal_has_a_bar_until_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    progress = HydrationProgress(Notifier({}), terminal=True)
    with capture_logs() as said:
        progress.advance(BEGUN)
        progress.advance(replace(BEGUN, created_index=1200))
        progress.advance(READ)
        progress.end()
    shown = capsys.readouterr().err
    assert "reading history" in shown
    assert "1,000 of 1,000 forwards" in shown
    assert said == []
