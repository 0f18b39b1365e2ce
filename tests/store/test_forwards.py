"""Forwards go in once, become final once, and what they add to the sums is what their rows say, to the msat."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from revenued.clock import from_micros, to_micros
from revenued.model import FINAL_STATUSES, Forward, ForwardStatus
from revenued.store.engine import Store
from revenued.store.forwards import (
    Applied,
    Cursor,
    apply_forwards,
    earned_total_msat,
    offered_count,
    read_cursor,
    write_cursor,
)
from revenued.units import MAX_MONEY_MSAT, Micros, Msat
from tests.fakes import START
from tests.store.builders import forget_forwards, keyed_channels, make_forward, rows_of, sums_from_rows, sums_of

OURS = (1 << 40 | 1 << 16, 2 << 40 | 1 << 16)
"""The scids of `make_channel(1)` and `make_channel(2)`."""
GARBAGE = 700_000 << 40
TEMPORARY_CHANNEL_FAILURE = 0x1007
"""BOLT 4: a channel of ours could not carry the amount."""

on_the_database = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
micros = st.integers(to_micros(START), to_micros(START + timedelta(days=3))).map(Micros)


@st.composite
def forwards(draw: st.DrawFn, index: int) -> Forward:
    """Any forward that the node may show under this index."""
    status = draw(st.sampled_from(list(ForwardStatus)))
    out_msat = draw(st.integers(0, 10**15))
    fee_msat = draw(st.integers(0, 10**12))
    sent = status in (ForwardStatus.SETTLED, ForwardStatus.FAILED, ForwardStatus.OFFERED)
    return Forward(
        created_index=index,
        updated_index=index if status in (ForwardStatus.SETTLED, ForwardStatus.FAILED) else None,
        in_scid=draw(st.sampled_from(OURS)),
        in_htlc_id=draw(st.none() | st.just(index)),
        in_msat=Msat(out_msat + fee_msat),
        out_scid=draw(st.sampled_from(OURS) if sent else st.none() | st.sampled_from([*OURS, GARBAGE])),
        out_htlc_id=index if sent else None,
        out_msat=Msat(out_msat) if sent else None,
        fee_msat=Msat(fee_msat) if sent else None,
        status=status.value,
        failcode=draw(st.none() | st.sampled_from([TEMPORARY_CHANNEL_FAILURE, 0x100C, 0x400A])),
        received_at=draw(micros),
        resolved_at=draw(micros) if status in (ForwardStatus.SETTLED, ForwardStatus.FAILED) else None,
    )


def many(most: int = 12) -> st.SearchStrategy[list[Forward]]:
    """Return histories of forwards with rising indexes."""
    return st.integers(0, most).flatmap(lambda count: st.tuples(*(forwards(n + 1) for n in range(count)))).map(list)


def apply(store: Store, *page: Forward) -> Applied:
    with store.write() as connection:
        return apply_forwards(connection, page)


def stored(store: Store, index: int = 1) -> dict[str, Any]:
    (row,) = [row for row in rows_of(store, "forwards") if row["created_index"] == index]
    return row


def everything(store: Store) -> tuple[Any, ...]:
    return rows_of(store, "forwards"), *sums_of(store)


def test_a_forward_is_kept_with_all_that_the_node_says_of_it(store: Store) -> None:
    forward = make_forward(7, status="failed", failcode=4, in_scid=-5, out_scid=-6, resolved_at=to_micros(START) + 1)
    assert apply(store, forward) == Applied(inserted=1, updated=0, settled=0)
    row = stored(store, 7)
    assert row == {
        **forward._asdict(),
        "received_at": from_micros(forward.received_at),
        "resolved_at": from_micros(forward.received_at + 1),
        "asked_scid": None,
    }


def test_the_largest_amounts_are_kept_and_summed_exactly(store: Store) -> None:
    amounts: dict[str, Any] = {
        "in_msat": Msat(MAX_MONEY_MSAT),
        "out_msat": Msat(MAX_MONEY_MSAT - 1),
        "fee_msat": Msat(1),
    }
    apply(store, make_forward(1, **amounts), make_forward(2, **amounts))
    hours, _, pairs = sums_of(store)
    assert hours[to_micros(START), 2]["out_msat"] == 2 * (MAX_MONEY_MSAT - 1)
    assert pairs[to_micros(START.replace(hour=0)), 1, 2]["in_msat"] == 2 * MAX_MONEY_MSAT


@on_the_database
@given(history=many(), cuts=st.lists(st.integers(0, 12), max_size=3))
def test_rows_are_exact_and_every_sum_is_the_sum_of_the_rows(
    store: Store, history: list[Forward], cuts: list[int]
) -> None:
    """However the history is cut into pages."""
    forget_forwards(store)
    keyed_channels(store, 1, 2)
    edges = sorted({0, *(min(cut, len(history)) for cut in cuts), len(history)})
    for start, end in pairwise(edges):
        apply(store, *history[start:end])
    kept = {row["created_index"]: row for row in rows_of(store, "forwards")}
    assert list(kept) == [forward.created_index for forward in history]
    for forward in history:
        row = kept[forward.created_index]
        refused = forward.status == "local_failed" and forward.out_scid == GARBAGE
        assert (row["out_scid"], row["asked_scid"]) == ((None, GARBAGE) if refused else (forward.out_scid, None))
        for name in ("in_scid", "in_msat", "out_msat", "fee_msat", "status", "failcode", "in_htlc_id", "updated_index"):
            assert row[name] == getattr(forward, name)
    assert sums_of(store) == sums_from_rows(store)


@on_the_database
@given(history=many(6), again=st.lists(st.integers(0, 5), max_size=4))
def test_what_is_delivered_again_changes_nothing(store: Store, history: list[Forward], again: list[int]) -> None:
    forget_forwards(store)
    keyed_channels(store, 1, 2)
    apply(store, *history)
    before = everything(store)
    applied = apply(store, *(history[place] for place in again if place < len(history)))
    assert applied == Applied(0, 0, 0)
    assert everything(store) == before


def test_a_page_that_names_a_row_twice_counts_it_once(store: Store) -> None:
    assert apply(store, make_forward(1), make_forward(1)) == Applied(1, 0, 1)
    assert sums_of(store)[0][to_micros(START), 2]["out_count"] == 1


@pytest.mark.parametrize("last", [4, 5000])
def test_rows_that_lie_between_those_of_a_page_are_not_summed_again(store: Store, last: int) -> None:
    """A page by the updated index skips whatever did not change."""
    apply(store, make_forward(2), make_forward(3))
    assert apply(store, make_forward(1), make_forward(last)) == Applied(2, 0, 2)
    assert sums_of(store) == sums_from_rows(store)


def test_a_page_larger_than_one_statement_holds_is_summed_whole(store: Store) -> None:
    apply(store, *(make_forward(index, status="offered") for index in range(1, 1001, 2)))
    assert apply(store, *(make_forward(index) for index in range(1, 1001))) == Applied(500, 500, 1000)
    assert sums_of(store) == sums_from_rows(store)


@pytest.mark.parametrize("status", ["settled", "failed", "local_failed"])
def test_what_is_under_way_becomes_final_once_and_is_summed_then(store: Store, status: str) -> None:
    assert apply(store, make_forward(1, status="offered")) == Applied(1, 0, 0)
    assert sums_of(store) == ({}, {}, {})
    ended = make_forward(1, at=START + timedelta(hours=2), status=status, received_at=to_micros(START), updated_index=9)
    assert apply(store, ended) == Applied(0, 1, int(status == "settled"))
    row = stored(store)
    assert (row["status"], row["updated_index"], row["received_at"]) == (status, 9, START)
    hour = START if status == "local_failed" else START + timedelta(hours=2)
    assert {key[0] for key in sums_of(store)[0]} == {to_micros(hour)}
    assert sums_of(store) == sums_from_rows(store)


@on_the_database
@given(first=forwards(1).filter(lambda forward: forward.status in FINAL_STATUSES), later=forwards(1))
def test_what_is_final_never_changes_whatever_comes_later(store: Store, first: Forward, later: Forward) -> None:
    forget_forwards(store)
    apply(store, first)
    before = everything(store)
    assert apply(store, later) == Applied(0, 0, 0)
    assert everything(store) == before


def test_what_is_under_way_and_delivered_again_stays_as_it_was(store: Store) -> None:
    apply(store, make_forward(1, status="offered"))
    before = everything(store)
    assert apply(store, make_forward(1, status="offered", out_scid=99)) == Applied(0, 0, 0)
    assert everything(store) == before


def test_a_made_up_channel_makes_neither_channel_nor_sums_but_is_remembered(store: Store) -> None:
    """A sender may ask for any scid, as often as he likes: nothing of ours may grow from it."""
    keyed_channels(store, 1)
    channels, scids = rows_of(store, "channels"), rows_of(store, "channel_scids")
    made_up = [
        make_forward(n, status="local_failed", in_scid=OURS[0], out_scid=GARBAGE + n, failcode=0x400A)
        for n in range(1, 51)
    ]
    apply(store, *made_up)
    assert [row["asked_scid"] for row in rows_of(store, "forwards")] == [GARBAGE + n for n in range(1, 51)]
    assert {row["out_scid"] for row in rows_of(store, "forwards")} == {None}
    assert (rows_of(store, "channels"), rows_of(store, "channel_scids")) == (channels, scids)
    hours, days, pairs = sums_of(store)
    assert {key[1] for key in hours} == {key[1] for key in days} == {OURS[0]}
    assert pairs == {}
    assert hours[to_micros(START), OURS[0]]["in_local_failed_count"] == 50


def test_a_channel_of_ours_that_could_not_carry_it_is_counted_with_the_amount(store: Store) -> None:
    keyed_channels(store, 1, 2)
    for index, failcode in enumerate((TEMPORARY_CHANNEL_FAILURE, 0x100C), 1):
        apply(store, make_forward(index, status="local_failed", in_scid=OURS[0], out_scid=OURS[1], failcode=failcode))
    sums = sums_of(store)[0][to_micros(START), OURS[1]]
    assert sums["out_local_failed_count"] == 2
    assert (sums["out_liquidity_failed_count"], sums["out_liquidity_failed_msat"]) == (1, 1_001_000)


def test_a_settled_forward_earns_at_its_exit_and_is_sourced_at_its_entry(store: Store) -> None:
    apply(store, make_forward(1, in_msat=Msat(5007), out_msat=Msat(5000), fee_msat=Msat(7)))
    hours, _, pairs = sums_of(store)
    entry, leaving = hours[to_micros(START), 1], hours[to_micros(START), 2]
    assert (entry["in_count"], entry["in_msat"], entry["sourced_msat"], entry["earned_msat"]) == (1, 5007, 7, 0)
    assert (leaving["out_count"], leaving["out_msat"], leaving["earned_msat"], leaving["sourced_msat"]) == (
        1,
        5000,
        7,
        0,
    )
    assert pairs[to_micros(START.replace(hour=0)), 1, 2] == {
        "settled_count": 1, "in_msat": 5007, "out_msat": 5000, "fee_msat": 7, "failed_count": 0,
    }  # fmt: skip


def test_a_channel_that_is_entry_and_exit_of_one_forward_counts_both(store: Store) -> None:
    apply(store, make_forward(1, in_scid=5, out_scid=5))
    sums = sums_of(store)[0][to_micros(START), 5]
    assert (sums["in_count"], sums["out_count"], sums["sourced_msat"], sums["earned_msat"]) == (1, 1, 1000, 1000)


def test_a_forward_counts_in_the_hour_in_which_it_ended(store: Store) -> None:
    last = START.replace(minute=59, second=59, microsecond=999_999)
    for index, ended in enumerate((last, last + timedelta(microseconds=1)), 1):
        apply(store, make_forward(index, resolved_at=to_micros(ended)))
    hours = sums_of(store)[0]
    assert [hours[to_micros(START + timedelta(hours=n)), 2]["out_count"] for n in (0, 1)] == [1, 1]


def test_the_total_ever_earned_is_that_of_all_settled_forwards(store: Store) -> None:
    with store.read() as connection:
        assert earned_total_msat(connection) == 0
    apply(store, make_forward(1), make_forward(2, status="failed"), make_forward(3, status="offered"), make_forward(4))
    with store.read() as connection:
        assert (earned_total_msat(connection), offered_count(connection)) == (2000, 1)


def test_the_cursor_is_one_and_comes_back_as_it_was_written(store: Store) -> None:
    first = Cursor(
        created_index=5,
        updated_index=4,
        deleted_index=3,
        missing_count=2,
        recovered_count=1,
        recover_since=None,
        unreadable_count=1,
        target_index=9,
        hydrated_at=None,
        caught_up_at=None,
        stopped_reason="because",
    )
    second = replace(first, created_index=2**62, hydrated_at=START, caught_up_at=START, stopped_reason=None)
    with store.read() as connection:
        assert read_cursor(connection) is None
    for cursor in (first, second):
        with store.write() as connection:
            write_cursor(connection, cursor)
        with store.read() as connection:
            assert read_cursor(connection) == cursor
    assert len(rows_of(store, "ingest_cursor")) == 1
