"""When cycles run, that they take turns, and that one that is stuck is noticed."""

import random
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import pytest

from revenued.cycles.run import CycleResult
from revenued.daemon.schedule import JITTER, CycleTrigger, Schedule
from tests.fakes import HandClock

DONE = CycleResult("fee", "done", None, 0, {})
SOON = timedelta(milliseconds=10)
NOW = datetime(2026, 1, 5, tzinfo=UTC)
T = TypeVar("T")


def until(true: Callable[[], T], *, within: float = 10.0) -> T:
    deadline = time.monotonic() + within
    while not (result := true()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.005)
    return result


class Stuck:
    """A cycle that ends when it is let go."""

    def __init__(self) -> None:
        self.begun, self.let_go = threading.Event(), threading.Event()

    def __call__(self) -> CycleResult:
        self.begun.set()
        assert self.let_go.wait(20)
        return DONE


def test_a_cycle_comes_again_after_its_interval_give_or_take_the_jitter() -> None:
    trigger = CycleTrigger(lambda: 1000, HandClock(), random.Random(2))
    waits = [(trigger.get_next_fire_time(NOW, NOW) - NOW) / timedelta(seconds=1) for _ in range(200)]
    assert min(waits) >= 1000 * (1 - JITTER / 2)
    assert max(waits) <= 1000 * (1 + JITTER / 2)
    assert max(waits) - min(waits) > 1000 * JITTER * 0.8
    assert trigger.get_next_fire_time(None, NOW) > NOW


def test_an_interval_is_time_on_the_daemons_clock() -> None:
    clock = HandClock()
    clock.speed = 600.0
    wait = CycleTrigger(lambda: 1800, clock, random.Random(2)).get_next_fire_time(NOW, NOW) - NOW
    assert timedelta(seconds=2.9) < wait < timedelta(seconds=3.1)


def test_a_cycle_runs_first_when_it_is_told_to_and_then_by_its_interval(schedule: Schedule) -> None:
    runs: list[float] = []

    def run() -> CycleResult:
        runs.append(time.monotonic())
        return DONE

    interval = [1]
    schedule.add_cycle("fee", run, interval=lambda: interval[0], first=SOON)
    until(lambda: len(runs) == 2)
    assert 0.9 < runs[1] - runs[0] < 3


def test_a_changed_interval_counts_from_now(schedule: Schedule, clock: HandClock) -> None:
    interval = [3600]
    schedule.add_cycle("fee", lambda: DONE, interval=lambda: interval[0], first=timedelta(hours=1))
    before = schedule.next_runs()["fee"]
    assert before is not None
    assert abs(before - clock.now() - timedelta(hours=1)) < timedelta(minutes=1)
    schedule.add_cycle("snapshot", lambda: DONE, interval=lambda: 86_400, first=timedelta(hours=3))
    planned = schedule.next_runs()["snapshot"]
    interval[0] = 60
    schedule.follow_settings(["fee"])
    after, untouched = schedule.next_runs()["fee"], schedule.next_runs()["snapshot"]
    assert after is not None
    assert timedelta(seconds=50) < after - clock.now() < timedelta(seconds=70)
    assert untouched is not None
    assert planned is not None
    assert abs(untouched - planned) < timedelta(seconds=5), "tuning one interval does not put off the others"


def test_a_cycle_can_be_woken(schedule: Schedule) -> None:
    ran = threading.Event()

    def run() -> CycleResult:
        ran.set()
        return DONE

    schedule.add_cycle("snapshot", run, interval=lambda: 3600, first=timedelta(hours=1))
    schedule.wake("snapshot")
    assert ran.wait(10)


def test_cycles_take_turns(schedule: Schedule) -> None:
    stuck, ran = Stuck(), threading.Event()

    def run() -> CycleResult:
        ran.set()
        return DONE

    schedule.add_cycle("flow", stuck, interval=lambda: 3600, first=timedelta(0))
    assert stuck.begun.wait(10)
    schedule.add_cycle("fee", run, interval=lambda: 3600, first=timedelta(0))
    asked = schedule.run_once(lambda: DONE)
    assert not ran.wait(0.2)
    assert not asked.done()
    stuck.let_go.set()
    assert ran.wait(10)
    assert asked.result(10) == DONE


def test_a_cycle_that_runs_too_long_is_no_life(monkeypatch: pytest.MonkeyPatch, schedule: Schedule) -> None:
    monkeypatch.setattr("revenued.daemon.schedule.LONGEST_CYCLE_SECONDS", 0.1)
    stuck = Stuck()
    asked = schedule.run_once(stuck)
    assert stuck.begun.wait(10)
    assert not schedule.is_idle
    until(lambda: not schedule.is_lively)
    stuck.let_go.set()
    asked.result(10)
    until(lambda: schedule.is_idle)
    assert schedule.is_lively


def test_a_stop_waits_for_nothing_and_what_waits_for_its_turn_is_left_out(clock: HandClock) -> None:
    schedule, stuck = Schedule(clock, rng=random.Random(1)), Stuck()
    schedule.add_cycle("fee", lambda: DONE, interval=lambda: 3600, first=timedelta(hours=1))
    schedule.start()
    under_way = schedule.run_once(stuck)
    assert stuck.begun.wait(10)
    waits = schedule.run_once(lambda: DONE)
    began = time.monotonic()
    schedule.stop()
    assert time.monotonic() - began < 1
    stuck.let_go.set()
    assert under_way.result(10) == DONE
    for late in (waits, schedule.run_once(lambda: DONE)):
        assert (late.result(10).outcome, late.result(10).reason) == ("skipped", "the daemon is stopping")
    schedule.wake("fee")
    schedule.follow_settings(["fee"])
    until(lambda: schedule.is_idle)


def test_what_goes_wrong_in_a_cycle_is_told_to_who_asked_for_it(schedule: Schedule) -> None:
    def broken() -> CycleResult:
        raise ZeroDivisionError

    assert isinstance(schedule.run_once(broken).exception(10), ZeroDivisionError)
    assert schedule.run_once(lambda: DONE).result(10) == DONE
