"""Any window of whole hours is the sum of its rows, read from sums alone."""

from collections import Counter, defaultdict
from datetime import datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from revenued.clock import to_micros
from revenued.cycles.gather import flow_estimates, sold_since
from revenued.store.engine import Store
from revenued.store.forwards import apply_forwards, earned_total_msat, offered_count
from revenued.store.traffic import (
    Traffic,
    daily_flow,
    hourly_traffic,
    traffic_by_scid,
    traffic_total,
    whole_day,
    whole_hour,
)
from revenued.units import Msat
from tests.builders import make_channel
from tests.fakes import START
from tests.store.builders import forget_forwards, make_forward, plans_of, rows_of, statements_of

MIDNIGHT = START.replace(hour=0)
HOUR = timedelta(hours=1)
on_the_database = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
hours = st.integers(-30, 110)
ends = st.tuples(
    st.integers(0, 96 * 3600 - 1), st.sampled_from([1, 2, 3]), st.sampled_from([1, 2, 3]), st.integers(0, 10**9),
    st.sampled_from(["settled", "failed", "local_failed", "offered"]),
)  # fmt: skip


def fill(store: Store, ended: list[tuple[int, int, int, int, str]]) -> None:
    """Put in forwards given as (second of the four days, entry, exit, fee, status)."""
    forget_forwards(store)
    page = [
        make_forward(
            index, at=MIDNIGHT + timedelta(seconds=second), status=status,
            in_scid=entry, out_scid=leaving, in_msat=Msat(10**9 + fee), out_msat=Msat(10**9), fee_msat=Msat(fee),
        )
        for index, (second, entry, leaving, fee, status) in enumerate(ended, 1)
    ]  # fmt: skip
    with store.write() as connection:
        apply_forwards(connection, page)


def summed(store: Store, since: datetime, until: datetime) -> dict[int, Traffic]:
    """Return the traffic of a window from the rows, one by one."""
    found: defaultdict[int, Counter[str]] = defaultdict(Counter)
    for row in rows_of(store, "forwards"):
        if row["status"] == "offered" or not since <= (row["resolved_at"] or row["received_at"]) < until:
            continue
        entry, leaving = found[row["in_scid"]], found[row["out_scid"]] if row["out_scid"] is not None else Counter()
        if row["status"] == "settled":
            entry.update(in_count=1, in_msat=row["in_msat"], sourced_msat=row["fee_msat"])
            leaving.update(out_count=1, out_msat=row["out_msat"], earned_msat=row["fee_msat"])
        elif row["status"] == "failed":
            entry.update(in_failed_count=1)
            leaving.update(out_failed_count=1)
        else:
            entry.update(in_local_failed_count=1)
    return {scid: Traffic(**sums) for scid, sums in found.items()}


@on_the_database
@given(ended=st.lists(ends, max_size=15), window=st.lists(hours, min_size=2, max_size=2).map(sorted))
def test_every_window_of_whole_hours_is_the_sum_of_its_rows(
    store: Store, ended: list[tuple[int, int, int, int, str]], window: list[int]
) -> None:
    fill(store, ended)
    since, until = (MIDNIGHT + at * HOUR for at in window)
    wanted = summed(store, since, until)
    with store.read() as connection:
        assert traffic_by_scid(connection, since, until) == wanted
        assert traffic_total(connection, since, until) == sum(wanted.values(), Traffic())
        by_hour: defaultdict[int, Traffic] = defaultdict(Traffic)
        for period in hourly_traffic(connection, since, until):
            by_hour[period.scid] += period.traffic
    assert by_hour == wanted


@on_the_database
@given(
    ended=st.lists(ends, max_size=10),
    cuts=st.lists(hours, min_size=3, max_size=3).map(sorted),
    minutes=st.tuples(*[st.integers(0, 3599)] * 3),
)
def test_windows_that_meet_add_up_and_are_cut_down_to_whole_hours(
    store: Store, ended: list[tuple[int, int, int, int, str]], cuts: list[int], minutes: tuple[int, int, int]
) -> None:
    fill(store, ended)
    first, middle, last = (MIDNIGHT + cut * HOUR for cut in cuts)
    ragged = [at + timedelta(seconds=more) for at, more in zip((first, middle, last), minutes, strict=True)]
    with store.read() as connection:
        whole = traffic_total(connection, first, last)
        assert traffic_total(connection, first, middle) + traffic_total(connection, middle, last) == whole
        assert traffic_total(connection, ragged[0], ragged[2]) == whole


@on_the_database
@given(ended=st.lists(ends, max_size=15), day=st.integers(-1, 4))
def test_the_days_of_the_flow_are_the_sums_of_their_rows(
    store: Store, ended: list[tuple[int, int, int, int, str]], day: int
) -> None:
    fill(store, ended)
    since = MIDNIGHT + timedelta(days=day, hours=7)
    with store.read() as connection:
        found = {(row[0], row[1]): row[2:] for row in daily_flow(connection, since)}
    wanted = {}
    for past in range(max(0, day), 4):
        start = MIDNIGHT + timedelta(days=past)
        for scid, of in summed(store, start, start + timedelta(days=1)).items():
            amounts = (of.in_count, of.in_msat, of.out_count, of.out_msat, of.earned_msat, of.sourced_msat)
            wanted[to_micros(start), scid] = amounts
    assert found == wanted


def test_an_empty_window_is_empty(store: Store) -> None:
    fill(store, [(0, 1, 2, 5, "settled")])
    with store.read() as connection:
        assert traffic_by_scid(connection, START, START) == {}
        assert traffic_total(connection, START + HOUR, START) == Traffic()


def test_whole_hours_and_days_are_those_of_utc() -> None:
    at = START.replace(hour=13, minute=59, second=59, microsecond=999_999)
    assert (whole_hour(at), whole_day(at)) == (START.replace(hour=13), MIDNIGHT)


def read_every_window(connection: Connection) -> None:
    """Ask everything that a report or a cycle asks about a window."""
    since, until = START - timedelta(days=40, hours=5), START + timedelta(hours=3)
    traffic_by_scid(connection, since, until)
    traffic_total(connection, since, until)
    daily_flow(connection, since)
    hourly_traffic(connection, since, until)
    earned_total_msat(connection)
    flow_estimates(connection, {1: make_channel(1)}, window_days=7, now=START)
    sold_since(connection, {1: since}, until=until)


def test_no_window_ever_reads_the_forwards_themselves(sqlite_store: Store) -> None:
    """There are millions of them, and old ones are gone."""
    with sqlite_store.read() as connection:
        with statements_of(connection) as ran:
            read_every_window(connection)
        plans = plans_of(connection, ran)
    assert len(ran) >= 11
    assert [line for line in plans if " forwards" in line] == []


def test_windows_are_found_by_their_time_and_not_by_reading_every_sum(sqlite_store: Store) -> None:
    with sqlite_store.read() as connection:
        with statements_of(connection) as ran:
            traffic_by_scid(connection, START - timedelta(days=40, hours=5), START)
            hourly_traffic(connection, START, START + HOUR)
            daily_flow(connection, START)
        plans = [line for line in plans_of(connection, ran) if "forward_" in line]
    assert len(plans) >= 5
    assert [line for line in plans if not line.startswith("SEARCH")] == []


def test_what_is_under_way_is_counted_from_its_own_small_index(sqlite_store: Store) -> None:
    with sqlite_store.read() as connection:
        with statements_of(connection) as ran:
            offered_count(connection)
        plans = plans_of(connection, ran)
    assert ["ix_forwards_offered" in line for line in plans] == [True]
