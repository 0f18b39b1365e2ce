"""Slots and value in flight each way; dust, which costs its sender nothing, makes no channel look full."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revenued.flow.htlcuse import PROTOCOL_SLOTS, incoming_use, is_congested, outgoing_use
from revenued.model import Channel, Htlc
from revenued.units import Msat
from tests.builders import make_channel, make_htlc

SAT = 1000


def held(count: int, sat: int = 10_000, *, incoming: bool = True, dust: bool = False) -> tuple[Htlc, ...]:
    return tuple(replace(make_htlc(sat * SAT, incoming=incoming), trimmed=dust) for _ in range(count))


def channel(*htlcs: Htlc, **limits: Any) -> Channel:
    return make_channel(htlcs=htlcs, **limits)


def test_a_quiet_channel_is_empty_both_ways() -> None:
    for use in (incoming_use(channel()), outgoing_use(channel())):
        assert (use.count, use.dust_count, use.value_msat, use.fullness) == (0, 0, 0, 0.0)


def test_each_direction_is_counted_by_itself() -> None:
    busy = channel(*held(3), *held(2, 500, incoming=False))
    assert (incoming_use(busy).count, incoming_use(busy).value_msat) == (3, 30_000 * SAT)
    assert (outgoing_use(busy).count, outgoing_use(busy).value_msat) == (2, 1_000 * SAT)


def test_incoming_slots_are_those_that_we_grant_and_outgoing_ones_the_protocols() -> None:
    """How many the peer grants us is not told by the node."""
    granted = channel(*held(24), *held(24, incoming=False), max_accepted_htlcs=30)
    assert (incoming_use(granted).slots, outgoing_use(granted).slots) == (30, PROTOCOL_SLOTS)
    assert incoming_use(granted).slot_share == pytest.approx(0.8)
    assert outgoing_use(granted).slot_share == pytest.approx(24 / 483)
    assert incoming_use(channel()).slots == PROTOCOL_SLOTS


def test_the_limits_on_value_are_each_directions_own() -> None:
    limited = channel(
        *held(1, 300), *held(1, 700, incoming=False),
        our_max_in_flight_msat=Msat(1_000 * SAT), their_max_in_flight_msat=Msat(2_000 * SAT),
    )  # fmt: skip
    assert incoming_use(limited).value_share == pytest.approx(0.3)
    assert outgoing_use(limited).value_share == pytest.approx(0.35)
    assert incoming_use(channel(*held(1))).value_share is None


def test_the_tighter_of_slots_and_value_counts() -> None:
    assert incoming_use(
        channel(*held(3), max_accepted_htlcs=30, our_max_in_flight_msat=Msat(60_000 * SAT))
    ).fullness == pytest.approx(0.5)
    assert incoming_use(
        channel(*held(27, 1), max_accepted_htlcs=30, our_max_in_flight_msat=Msat(60_000 * SAT))
    ).fullness == pytest.approx(0.9)


def test_dust_fills_no_slot() -> None:
    attacked = channel(*held(30, 0, dust=True), max_accepted_htlcs=30)
    assert (incoming_use(attacked).dust_count, incoming_use(attacked).slot_share) == (30, 0.0)
    assert not is_congested(attacked, threshold=0.0)


def test_dust_counts_for_what_it_is_worth() -> None:
    assert incoming_use(
        channel(*held(100, 1, dust=True), our_max_in_flight_msat=Msat(400 * SAT))
    ).fullness == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("count", "incoming", "congested"),
    [(24, True, False), (25, True, True), (386, False, False), (387, False, True)],
)
def test_a_channel_is_congested_when_either_way_is_fuller_than_the_threshold(
    count: int, incoming: bool, congested: bool
) -> None:
    full = channel(*held(count, incoming=incoming), max_accepted_htlcs=30)
    assert is_congested(full, threshold=0.8) is congested


@given(
    htlcs=st.lists(st.tuples(st.booleans(), st.booleans(), st.integers(0, 10**12)), max_size=600),
    slots=st.none() | st.integers(0, 483),
    limit=st.none() | st.integers(0, 10**12),
)
def test_fullness_is_a_share_whatever_the_node_says(
    htlcs: list[tuple[bool, bool, int]], slots: int | None, limit: int | None
) -> None:
    made = tuple(replace(make_htlc(msat, incoming=incoming), trimmed=dust) for incoming, dust, msat in htlcs)
    bound = None if limit is None else Msat(limit)
    odd = channel(*made, max_accepted_htlcs=slots, our_max_in_flight_msat=bound, their_max_in_flight_msat=bound)
    for use in (incoming_use(odd), outgoing_use(odd)):
        assert 0.0 <= use.slot_share <= use.fullness <= 1.0
    assert incoming_use(odd).count + outgoing_use(odd).count == len(made)
