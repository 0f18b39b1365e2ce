"""Pieces of the process: its lock, its signals, its sign of life, and when cycles that are due come first."""

import signal
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from io import StringIO
from pathlib import Path
from queue import SimpleQueue

import pytest
import structlog
from structlog.testing import capture_logs

from revenued.config import FileConfig
from revenued.cycles.run import CycleResult
from revenued.daemon import process
from revenued.daemon.house import House
from revenued.daemon.paths import Paths
from revenued.daemon.process import FIRST_RUNS, Start
from revenued.daemon.progress import HydrationProgress
from revenued.daemon.systemd import Notifier
from revenued.errors import StartError
from revenued.store.cyclelog import begin_cycle, end_cycle
from tests.daemon.conftest import Manager
from tests.daemon.test_schedule import Stuck, until
from tests.fakes import HandClock

BEAT_SECONDS = 0.02


@pytest.fixture
def _old_handlers() -> Iterator[None]:
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


@pytest.fixture
def start(tmp_path: Path, clock: HandClock) -> Start:
    config = tmp_path / "revenued.toml"
    config.touch()
    paths = Paths(tmp_path / "rpc", tmp_path, tmp_path / "control", None)
    return Start(paths, FileConfig(), config, {}, clock)


def plan(house: House, environment: dict[str, str]) -> None:
    """Plan cycles and the sign of life as the process does."""
    notifier = Notifier(environment | {"WATCHDOG_USEC": str(round(3e6 * BEAT_SECONDS))})
    process._schedule(house, notifier, HydrationProgress(notifier, terminal=False))


def fed(manager: Manager) -> Callable[[], bool]:
    return lambda: "WATCHDOG=1" in manager.received()


def starves(manager: Manager) -> bool:
    """Ten beats bring nothing."""
    manager.received()
    time.sleep(10 * BEAT_SECONDS)
    return "WATCHDOG=1" not in manager.received()


def test_a_cycle_that_is_stuck_starves_the_watchdog(
    monkeypatch: pytest.MonkeyPatch, house: House, manager: Manager
) -> None:
    monkeypatch.setattr("revenued.daemon.schedule.LONGEST_CYCLE_SECONDS", 0.1)
    plan(house, manager.environment)
    until(fed(manager))
    stuck = Stuck()
    asked = house.schedule.run_once(stuck)
    assert stuck.begun.wait(10)
    until(lambda: starves(manager))
    stuck.let_go.set()
    assert asked.result(10).outcome == "done"
    until(fed(manager))


def test_an_ingester_that_does_not_move_starves_the_watchdog(
    monkeypatch: pytest.MonkeyPatch, house: House, manager: Manager
) -> None:
    plan(house, manager.environment)
    until(fed(manager))
    monkeypatch.setattr("revenued.daemon.ingester.LIVELY_SECONDS", 0.0)
    until(lambda: starves(manager))


def test_a_cycle_that_is_due_comes_soon_and_any_other_when_it_would_have(house: House, clock: HandClock) -> None:
    ran: dict[str, tuple[str, float]] = {"fee": ("done", 600), "snapshot": ("done", 10 * 86_400), "flow": ("done", 60)}
    with house.store.write() as connection:
        for kind, (outcome, seconds_ago) in ran.items():
            at = clock.now() - timedelta(seconds=seconds_ago)
            key = begin_cycle(connection, kind, generation=0, now=at)
            end_cycle(connection, key, outcome=outcome, reason=None, summary={}, now=at)
    plan(house, {})
    first = {kind: (at - clock.now()).total_seconds() for kind, at in house.schedule.next_runs().items() if at}
    assert first["fee"] == pytest.approx(1800 - 600, abs=5)
    for kind in ("flow", "snapshot", "retention"):
        assert first[kind] == pytest.approx(FIRST_RUNS[kind], abs=5)


def test_a_cycle_that_was_skipped_is_due(house: House, clock: HandClock) -> None:
    with house.store.write() as connection:
        key = begin_cycle(connection, "fee", generation=0, now=clock.now())
        end_cycle(connection, key, outcome="skipped", reason="node", summary={}, now=clock.now())
    plan(house, {})
    at = house.schedule.next_runs()["fee"]
    assert at is not None
    assert (at - clock.now()).total_seconds() == pytest.approx(FIRST_RUNS["fee"], abs=5)


def test_the_status_line_tells_the_mode_and_what_is_waited_for(house: House) -> None:
    assert process._status_line(house) == "dry run; following the node"
    house.board.change({"dry_run": False}, by="test")
    house.ingester.trouble = "getinfo: no such socket"
    assert process._status_line(house) == "live; waiting: getinfo: no such socket"


@pytest.mark.usefixtures("_old_handlers")
def test_a_signal_may_come_in_the_middle_of_a_log_line() -> None:
    """What writes the line holds a lock that a handler must not wait for: it runs on top of its holder."""
    signals = process._signals()

    class Interrupted(StringIO):
        def write(self, text: str) -> int:
            signal.raise_signal(signal.SIGHUP)
            signal.raise_signal(signal.SIGTERM)
            return super().write(text)

    structlog.PrintLogger(Interrupted()).info("half of a line")
    assert [signals.get(timeout=1), signals.get(timeout=1)] == [signal.SIGHUP, signal.SIGTERM]


def test_it_reloads_until_it_is_told_to_stop(start: Start, house: House, manager: Manager) -> None:
    assert start.config_file is not None
    start.config_file.write_text("[settings]\nmax_fee_ppm = 700\n")
    signals: SimpleQueue[int] = SimpleQueue()
    for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGHUP):
        signals.put(number)
    with capture_logs() as said:
        process._obey(signals, start, house, Notifier(manager.environment))
    assert house.board.bound().settings.max_fee_ppm == 700
    assert house.stopping.is_set()
    assert [event["event"] for event in said] == ["option_changed", "stop_requested"]
    reloading, ready = manager.received()
    assert reloading.startswith("RELOADING=1\n")
    assert ready == "READY=1"


def test_a_reload_that_is_refused_is_over_too(start: Start, house: House, manager: Manager) -> None:
    assert start.config_file is not None
    start.config_file.unlink()
    with capture_logs() as said:
        process._reload(start, house, Notifier(manager.environment))
    assert [event["event"] for event in said] == ["reload_refused"]
    assert manager.received()[-1] == "READY=1"


def test_one_state_directory_has_one_daemon(tmp_path: Path) -> None:
    with process._lock(tmp_path), pytest.raises(StartError, match="another revenued is running"):
        process._lock(tmp_path)
    process._lock(tmp_path).close()


def test_a_lock_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    (tmp_path / "lock").mkdir()
    with pytest.raises(StartError, match="lock: Is a directory"):
        process._lock(tmp_path)


def test_an_interval_is_read_anew_each_time(house: House) -> None:
    interval = process._interval(house, "fee")
    assert interval() == 1800
    house.board.change({"fee_interval": 60}, by="test")
    assert interval() == 60


def test_a_result_of_a_cycle_is_handed_through(house: House) -> None:
    result = CycleResult("fee", "done", None, 1, {"channels": 0})
    assert house.schedule.run_once(lambda: result).result(10) is result
