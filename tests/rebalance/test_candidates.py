"""Every role by the rule that gives it, with the amount that brings the channel to its target."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revenued.flow.estimate import FlowEstimate, FlowState
from revenued.model import Channel
from revenued.rebalance.candidates import SMALLEST_REFILL_MSAT, Candidate, Role, candidate
from revenued.units import Msat, Ppm
from tests.builders import CAPACITY, make_channel, make_settings

SAT = 1000
LIVELY = 500_000_000
"""Half of the capacity a day, so that three days' volume is no bound."""


def flow(state: FlowState = FlowState.BALANCED, *, out: float = LIVELY, turnover: float = 0.1) -> FlowEstimate:
    return FlowEstimate(
        state=state,
        confidence=1.0,
        in_msat_per_day=0.0,
        out_msat_per_day=out,
        asymmetry=0.0,
        turnover_per_day=turnover,
        days_to_empty=None,
        days_to_fill=None,
        in_count=1,
        out_count=1,
        earned_msat=0,
        sourced_msat=0,
    )


def judged(ratio: float, traffic: FlowEstimate | None = None, *, options: Any = None, **differing: Any) -> Candidate:
    channel = make_channel(outbound_ratio=ratio, **differing)
    return candidate(channel, traffic or flow(), make_settings(**(options or {})), out_ppm=Ppm(150))


SOURCE, SINK, BALANCED, DORMANT = (
    FlowState.SOURCE, FlowState.SINK, FlowState.BALANCED, FlowState.DORMANT,
)  # fmt: skip


@pytest.mark.parametrize(
    ("ratio", "traffic", "role", "sat", "why"),
    [
        # Low: filled to what the channel does, unless traffic fills it by itself.
        (0.1, flow(BALANCED), Role.FILL, 400_000, "outbound share 0.10 is below low_liquidity_threshold 0.2"),
        (0.1, flow(SOURCE), Role.FILL, 750_000, "below low_liquidity_threshold"),
        (0.1, flow(SINK), Role.NEITHER, 0, "outbound share 0.10 is low, but traffic fills it by itself"),
        (0.0, flow(BALANCED), Role.FILL, 500_000, "outbound share 0.00 is below"),
        (0.19, flow(BALANCED), Role.FILL, 310_000, "below"),
        (0.2, flow(BALANCED), Role.NEITHER, 0, "outbound share 0.20 is neither low nor high"),
        # No more than three days of what it sends out.
        (0.1, flow(BALANCED, out=100_000 * SAT), Role.FILL, 300_000, "below"),
        (0.1, flow(BALANCED, out=16_667 * SAT), Role.FILL, 50_001, "below"),
        (0.1, flow(BALANCED, out=16_666 * SAT), Role.NEITHER, 0, "but less than 50,000 sat would be moved"),
        (0.1, flow(DORMANT, out=0, turnover=0), Role.NEITHER, 0, "but less than 50,000 sat would be moved"),
        # High: drained, but one that drains by itself only when it overflows.
        (0.9, flow(BALANCED), Role.DRAIN, 400_000, "outbound share 0.90 is above high_liquidity_threshold 0.8"),
        (0.9, flow(SINK), Role.DRAIN, 750_000, "above high_liquidity_threshold"),
        (0.9, flow(DORMANT, out=0, turnover=0), Role.DRAIN, 400_000, "above high_liquidity_threshold"),
        (0.9, flow(SOURCE), Role.NEITHER, 0, "outbound share 0.90 is high, but traffic drains it by itself"),
        (0.94, flow(SOURCE), Role.NEITHER, 0, "drains it by itself"),
        (0.95, flow(SOURCE), Role.DRAIN, 100_000, "above high_liquidity_threshold"),
        (1.0, flow(SOURCE), Role.DRAIN, 150_000, "above high_liquidity_threshold"),
        (0.8, flow(BALANCED), Role.NEITHER, 0, "outbound share 0.80 is neither low nor high"),
        (0.81, flow(BALANCED), Role.DRAIN, 310_000, "above"),
        # Stagnant: in the middle, and its balance works nowhere.
        (0.58, flow(DORMANT, turnover=0), Role.DRAIN, 80_000, "turns over 0.00% of its capacity a day"),
        (0.6, flow(BALANCED, turnover=0.00149), Role.DRAIN, 100_000, "turns over 0.15% of its capacity a day"),
        (0.58, flow(BALANCED, turnover=0.0015), Role.NEITHER, 0, "neither low nor high"),
        (0.5, flow(DORMANT, turnover=0), Role.NEITHER, 0, "but less than 50,000 sat would be moved"),
        (0.4, flow(DORMANT, turnover=0), Role.NEITHER, 0, "but less than 50,000 sat would be moved"),
        (0.61, flow(DORMANT, turnover=0), Role.NEITHER, 0, "neither low nor high"),
        (0.39, flow(DORMANT, turnover=0), Role.NEITHER, 0, "neither low nor high"),
    ],
)  # fmt: skip
def test_a_channel_gets_its_role_from_its_balance_and_its_traffic(
    ratio: float, traffic: FlowEstimate, role: Role, sat: int, why: str
) -> None:
    found = judged(ratio, traffic)
    assert (found.role, found.amount_msat) == (role, sat * SAT)
    assert why in found.why


@pytest.mark.parametrize(
    "differing",
    [
        {"peer_connected": False},
        {"reestablished": False},
        {"state": "CHANNELD_SHUTTING_DOWN"},
        {"state": "ONCHAIN"},
        {"state": "CHANNELD_AWAITING_LOCKIN"},
    ],
)
@pytest.mark.parametrize("ratio", [0.0, 1.0])
def test_a_channel_that_cannot_be_used_is_neither(ratio: float, differing: dict[str, Any]) -> None:
    found = judged(ratio, **differing)
    assert (found.role, found.amount_msat) == (Role.NEITHER, 0)
    assert "not usable" in found.why


def test_a_channel_in_the_middle_of_a_splice_can_be_used() -> None:
    assert judged(0.0, state="CHANNELD_AWAITING_SPLICE").role is Role.FILL


@pytest.mark.parametrize(
    ("ratio", "options", "role"),
    [
        (0.25, {}, Role.NEITHER),
        (0.25, {"low_liquidity_threshold": 0.3}, Role.FILL),
        (0.1, {"low_liquidity_threshold": 0.05}, Role.NEITHER),
        (0.75, {}, Role.NEITHER),
        (0.75, {"high_liquidity_threshold": 0.7}, Role.DRAIN),
        (0.9, {"high_liquidity_threshold": 0.95}, Role.NEITHER),
    ],
)
def test_the_options_say_what_is_low_and_what_is_high(ratio: float, options: dict[str, float], role: Role) -> None:
    found = judged(ratio, options=options)
    assert found.role is role
    for key, value in options.items():
        assert role is Role.NEITHER or f"{key} {value:g}" in found.why


def test_reserves_count_for_neither_side() -> None:
    """Of what can move a fifth is ours, though it is more of the whole."""
    reserved = judged(0.25, our_reserve_msat=Msat(100_000_000), their_reserve_msat=Msat(100_000_000))
    assert reserved.role is Role.FILL
    assert "outbound share 0.19" in reserved.why


def test_what_it_sells_for_is_handed_through() -> None:
    assert judged(0.1).out_ppm == 150
    assert candidate(make_channel(), flow(), make_settings(), out_ppm=None).out_ppm is None


ratios = st.floats(0, 1)
traffic = st.builds(flow, st.sampled_from(FlowState), out=st.floats(0, 10 * CAPACITY), turnover=st.floats(0, 20))


@given(ratios, traffic)
def test_an_amount_is_large_enough_to_matter_and_brings_the_channel_no_further_than_its_target(
    ratio: float, given_traffic: FlowEstimate
) -> None:
    found = judged(ratio, given_traffic)
    channel: Channel = make_channel(outbound_ratio=ratio)
    if found.role is Role.NEITHER:
        assert found.amount_msat == 0
        return
    assert found.amount_msat >= SMALLEST_REFILL_MSAT
    after = channel.to_us_msat + found.amount_msat * (1 if found.role is Role.FILL else -1)
    assert 0 <= after <= CAPACITY
    target = {SOURCE: 0.85, SINK: 0.15}.get(given_traffic.state, 0.5) * CAPACITY
    assert after <= target + 1 if found.role is Role.FILL else after >= target - 1
    if found.role is Role.FILL:
        assert found.amount_msat <= 3 * given_traffic.out_msat_per_day + 1
