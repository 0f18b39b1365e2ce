"""What is old goes in small batches; what is summed stays, and so does what is not over yet."""

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import Connection, func, select

from revenued.store import retention
from revenued.store.cyclelog import begin_cycle, end_cycle
from revenued.store.engine import Store
from revenued.store.forwards import apply_forwards, earned_total_msat
from revenued.store.observations import record_peer_look, record_samples
from revenued.store.retention import prune
from revenued.store.tables import feerate_samples, forwards
from revenued.store.traffic import DAY, traffic_by_scid, traffic_total
from revenued.units import Msat
from tests.builders import make_channel
from tests.fakes import START
from tests.store.builders import keyed_channels, make_forward, rows_of, sums_of

AGES: dict[str, Any] = {"forwards_days": 30, "hours_days": 90, "samples_days": 7, "cycles_days": 1}


def go(store: Store, *, stopped: Callable[[], bool] = lambda: False, **differing: int) -> dict[str, int]:
    return prune(store, now=START, stopped=stopped, **(AGES | differing))


def fill(store: Store, days: int, *, a_day: int = 3) -> None:
    """Put in settled and failed forwards for so many days until now."""
    page = [
        make_forward(
            day * a_day + number + 1,
            at=START - (days - day) * DAY + timedelta(hours=5 * number),
            status="failed" if number == 2 else "settled",
            in_msat=Msat(10**9 + day),
            fee_msat=Msat(10**9 + day - 1_000_000),
        )
        for day in range(days)
        for number in range(a_day)
    ]
    with store.write() as connection:
        apply_forwards(connection, page)


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 5)
    monkeypatch.setattr(retention, "PAUSE_SECONDS", 0.0)


def forward_count(connection: Connection) -> int:
    return connection.execute(select(func.count()).select_from(forwards)).scalar_one()


def test_old_forwards_go_and_no_sum_changes(store: Store) -> None:
    fill(store, 60)
    windows = [(START - since * DAY, START - until * DAY) for since, until in ((80, 0), (60, 31), (45, 5), (20, 10))]
    ragged = [(since - timedelta(hours=7), until - timedelta(hours=3)) for since, until in windows]

    def told(connection: Connection) -> Any:
        return (
            earned_total_msat(connection),
            [traffic_by_scid(connection, *window) for window in (*windows, *ragged)],
            [traffic_total(connection, *window) for window in (*windows, *ragged)],
        )

    before = sums_of(store)
    with store.read() as connection:
        said = told(connection)
    gone = go(store)
    assert gone["forwards"] == 30 * 3
    assert min(row["received_at"] for row in rows_of(store, "forwards")) == START - 30 * DAY
    assert sums_of(store) == before
    with store.read() as connection:
        assert told(connection) == said


def test_hours_go_by_whole_days_and_the_days_stay(store: Store) -> None:
    fill(store, 120)
    days, pairs = sums_of(store)[1:]
    with store.read() as connection:
        whole = traffic_total(connection, START.replace(hour=0) - 130 * DAY, START.replace(hour=0))
    assert go(store)["forward_hours"] > 0
    hours = {row["hour_at"] for row in rows_of(store, "forward_hours")}
    assert min(hours) == START - 90 * DAY
    assert sums_of(store)[1:] == (days, pairs)
    with store.read() as connection:
        assert traffic_total(connection, START.replace(hour=0) - 130 * DAY, START.replace(hour=0)) == whole


def test_rows_go_in_batches_and_others_may_write_between_them(store: Store, another: Callable[[], Store]) -> None:
    fill(store, 50)
    other, left = another(), []

    def look() -> bool:
        with other.write() as connection:
            left.append(forward_count(connection))
        return False

    assert go(store, stopped=look)["forwards"] == 60
    steps = [before - after for before, after in pairwise(left)]
    assert left[0] == 150
    assert max(steps) == 5
    assert left[-1] == 90


def test_it_ends_within_a_batch_when_it_is_told_to(store: Store) -> None:
    fill(store, 50)
    asked = iter([False, False])
    assert go(store, stopped=lambda: next(asked, True)) == {
        "forwards": 10, "forward_hours": 0, "channel_samples": 0, "peer_hours": 0, "cycles": 0, "feerate_samples": 0,
    }  # fmt: skip
    with store.read() as connection:
        assert forward_count(connection) == 140


def test_what_is_still_under_way_stays_however_old(store: Store) -> None:
    with store.write() as connection:
        apply_forwards(connection, [make_forward(1, at=START - 400 * DAY, status="offered")])
    assert go(store)["forwards"] == 0
    with store.write() as connection:
        apply_forwards(connection, [make_forward(1, at=START)])
    assert sum(row["earned_msat"] for row in rows_of(store, "forward_days")) == 1000


def test_a_second_clean_up_finds_nothing(store: Store) -> None:
    fill(store, 60)
    go(store)
    assert set(go(store).values()) == {0}


def samples(store: Store, at: datetime) -> None:
    (key,) = keyed_channels(store, 1)
    with store.write() as connection:
        record_samples(connection, [(key, make_channel(1))], now=at)
        record_peer_look(connection, {1: True}, now=at)
        connection.execute(feerate_samples.insert().values(sampled_at=at, feerate_per_kw=253))


def test_samples_go_by_their_own_ages(store: Store) -> None:
    old, new = START - 8 * DAY, START - timedelta(days=1)
    for at in (old, new):
        samples(store, at)
    gone = go(store)
    assert (gone["channel_samples"], gone["peer_hours"], gone["feerate_samples"]) == (1, 1, 1)
    assert [row["sampled_at"] for row in rows_of(store, "channel_samples")] == [new]
    assert [row["sampled_at"] for row in rows_of(store, "feerate_samples")] == [new]


def test_the_record_of_cycles_goes_but_not_of_one_that_runs(store: Store) -> None:
    old = START - 3 * DAY
    with store.write() as connection:
        ended, running = (begin_cycle(connection, "fee", generation=1, now=old) for _ in range(2))
        begin_cycle(connection, "fee", generation=1, now=START)
        end_cycle(connection, ended, outcome="done", reason=None, summary={}, now=old)
    assert go(store)["cycles"] == 1
    assert [row["cycle_key"] for row in rows_of(store, "cycles")] == [running, running + 1]
