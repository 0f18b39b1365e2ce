"""Days of traffic become rates, a state and a confidence that plausible traffic can reach and that time wears off."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revenued.flow.estimate import FlowDay, FlowEstimate, FlowState, flow_estimate
from revenued.units import MAX_MONEY_MSAT
from tests.builders import make_day

SAT = 1000
CAPACITY = 5_000_000 * SAT
WEEK = range(1, 8)


def estimate(
    *days: FlowDay, capacity_msat: int = CAPACITY, to_us_msat: int | None = None, window: int = 7, today: float = 0.5
) -> FlowEstimate:
    return flow_estimate(
        days,
        capacity_msat=capacity_msat,
        to_us_msat=capacity_msat // 2 if to_us_msat is None else to_us_msat,
        window_days=window,
        today_share=today,
    )


def every_day(*, in_sat: int = 0, out_sat: int = 0) -> list[FlowDay]:
    return [make_day(day, in_msat=in_sat * SAT, out_msat=out_sat * SAT) for day in WEEK]


@pytest.mark.parametrize(
    ("days", "state"),
    [
        ([], FlowState.DORMANT),
        ([make_day(8, out_msat=CAPACITY)], FlowState.DORMANT),  # all of it before the window
        ([make_day(day) for day in WEEK], FlowState.DORMANT),  # nothing settled
        (every_day(out_sat=250_000), FlowState.SOURCE),  # 5 % of the capacity a day, one way
        (every_day(in_sat=250_000), FlowState.SINK),
        (every_day(in_sat=100_000, out_sat=400_000), FlowState.SOURCE),
        (every_day(in_sat=400_000, out_sat=100_000), FlowState.SINK),
        (every_day(in_sat=2_000_000, out_sat=2_500_000), FlowState.BALANCED),  # much traffic, both ways
        (every_day(in_sat=200_000, out_sat=200_000), FlowState.BALANCED),
        (every_day(out_sat=5_000), FlowState.BALANCED),  # one way, but it would take years
        ([make_day(0, out_msat=1_000_000 * SAT)], FlowState.SOURCE),  # this morning
        ([make_day(3, in_msat=2_000_000 * SAT)], FlowState.SINK),  # one large payment in the week
        ([make_day(1, out_msat=1 * SAT)], FlowState.BALANCED),
    ],
)
def test_every_state_is_reached_by_plausible_traffic(days: list[FlowDay], state: FlowState) -> None:
    assert estimate(*days).state is state


@pytest.mark.parametrize("days_ago", range(8))
def test_a_channel_drained_in_one_day_of_the_window_is_a_source_and_filled_a_sink(days_ago: int) -> None:
    assert estimate(make_day(days_ago, out_msat=CAPACITY)).state is FlowState.SOURCE
    assert estimate(make_day(days_ago, in_msat=CAPACITY)).state is FlowState.SINK


def test_half_the_capacity_a_day_is_not_needed_to_have_a_direction() -> None:
    """A threshold of half the capacity net a day was never reached by any real channel."""
    found = estimate(*every_day(out_sat=150_000))
    assert found.out_msat_per_day / CAPACITY < 0.05
    assert found.state is FlowState.SOURCE


def test_a_steady_rate_is_found_whatever_the_decay_and_however_much_of_today_has_passed() -> None:
    for today in (0.0, 0.25, 1.0):
        steady = [*every_day(in_sat=30_000, out_sat=90_000), make_day(0)]
        whole = [*steady[:-1], make_day(0, in_msat=round(30_000 * SAT * today), out_msat=round(90_000 * SAT * today))]
        found = estimate(*whole, today=today)
        assert found.in_msat_per_day == pytest.approx(30_000 * SAT)
        assert found.out_msat_per_day == pytest.approx(90_000 * SAT)
        assert found.asymmetry == pytest.approx(0.5)
        assert found.turnover_per_day == pytest.approx(120_000 * SAT / CAPACITY)


def test_each_day_weighs_four_fifths_of_the_day_after_it() -> None:
    rates = [estimate(make_day(day, out_msat=1_000_000)).out_msat_per_day for day in range(8)]
    for newer, older in pairwise(rates):
        assert older / newer == pytest.approx(0.8)


def test_days_outside_the_window_count_for_nothing() -> None:
    inside = every_day(out_sat=100_000)
    beyond = [make_day(8, in_msat=CAPACITY), make_day(30, in_msat=CAPACITY), make_day(-1, in_msat=CAPACITY)]
    assert estimate(*inside, *beyond) == estimate(*inside)


def test_a_shorter_window_looks_at_fewer_days() -> None:
    assert estimate(make_day(3, out_msat=CAPACITY), window=2).state is FlowState.DORMANT
    assert estimate(make_day(2, out_msat=CAPACITY), window=2).state is FlowState.SOURCE


def test_two_scids_of_one_channel_on_the_same_day_are_added() -> None:
    """A splice changes the scid in the middle of a day."""
    halves = [make_day(1, out_msat=400_000), make_day(1, out_msat=600_000)]
    assert estimate(*halves).out_msat_per_day == estimate(make_day(1, out_msat=1_000_000)).out_msat_per_day


def test_counts_and_money_of_the_window_are_exact_sums() -> None:
    found = estimate(
        make_day(0, in_msat=1, out_msat=1, earned_msat=3, sourced_msat=5),
        make_day(7, in_msat=1, out_count=4, earned_msat=MAX_MONEY_MSAT, sourced_msat=7),
    )
    assert (found.in_count, found.out_count) == (2, 5)
    assert (found.earned_msat, found.sourced_msat) == (MAX_MONEY_MSAT + 3, 12)


def test_days_to_empty_and_to_fill_follow_the_drift() -> None:
    draining = estimate(*every_day(in_sat=50_000, out_sat=150_000), to_us_msat=1_000_000 * SAT, today=0.0)
    assert draining.days_to_empty == pytest.approx(10)
    assert draining.days_to_fill is None
    filling = estimate(*every_day(in_sat=150_000, out_sat=50_000), to_us_msat=4_000_000 * SAT, today=0.0)
    assert filling.days_to_fill == pytest.approx(10)
    assert filling.days_to_empty is None


def test_without_drift_a_channel_is_never_empty_nor_full() -> None:
    for days in ([], every_day(in_sat=10, out_sat=10)):
        found = estimate(*days)
        assert (found.days_to_empty, found.days_to_fill, found.asymmetry) == (None, None, 0.0)


def test_an_empty_channel_that_still_drains_is_empty_now() -> None:
    assert estimate(*every_day(out_sat=100_000), to_us_msat=0).days_to_empty == 0.0


def test_confidence_grows_with_every_forward_and_stays_below_certainty() -> None:
    levels = [estimate(make_day(1, out_msat=1, out_count=count)).confidence for count in (0, 1, 5, 20, 100)]
    assert levels[0] == 0.0
    assert levels == sorted(set(levels))
    assert levels[-1] < 1.0


def test_ten_forwards_today_are_63_percent_confidence_and_older_ones_less() -> None:
    assert estimate(make_day(0, in_count=4, out_count=6)).confidence == pytest.approx(1 - math.exp(-1))
    assert estimate(make_day(5, in_count=4, out_count=6)).confidence < 0.3


def test_a_channel_of_unknown_size_has_no_turnover_and_no_direction() -> None:
    found = estimate(*every_day(out_sat=100_000), capacity_msat=0)
    assert (found.turnover_per_day, found.state) == (0.0, FlowState.BALANCED)


flow_days = st.lists(
    st.builds(
        FlowDay,
        days_ago=st.integers(-2, 40),
        in_count=st.integers(0, 10**6),
        in_msat=st.integers(0, MAX_MONEY_MSAT),
        out_count=st.integers(0, 10**6),
        out_msat=st.integers(0, MAX_MONEY_MSAT),
        earned_msat=st.integers(0, MAX_MONEY_MSAT),
        sourced_msat=st.integers(0, MAX_MONEY_MSAT),
    ),
    max_size=12,
)


@given(
    days=flow_days,
    capacity=st.integers(0, MAX_MONEY_MSAT),
    share=st.floats(0, 1),
    window=st.integers(1, 90),
    today=st.floats(0, 1),
)
def test_whatever_the_traffic_the_estimate_stays_in_its_ranges(
    days: list[FlowDay], capacity: int, share: float, window: int, today: float
) -> None:
    found = estimate(*days, capacity_msat=capacity, to_us_msat=int(capacity * share), window=window, today=today)
    assert -1.0 <= found.asymmetry <= 1.0
    assert 0.0 <= found.confidence <= 1.0
    assert found.in_msat_per_day >= 0
    assert found.out_msat_per_day >= 0
    assert found.turnover_per_day >= 0
    assert found.days_to_empty is None or found.days_to_empty >= 0
    assert found.days_to_fill is None or found.days_to_fill >= 0
    assert (found.state is FlowState.DORMANT) == (found.in_count + found.out_count == 0)
    assert found.state is not FlowState.SOURCE or found.asymmetry > 0
    assert found.state is not FlowState.SINK or found.asymmetry < 0


@given(days=flow_days)
def test_in_and_out_are_mirror_images(days: list[FlowDay]) -> None:
    turned = [day._replace(in_msat=day.out_msat, out_msat=day.in_msat) for day in days]
    turned = [day._replace(in_count=day.out_count, out_count=day.in_count) for day in turned]
    one, other = estimate(*days), estimate(*turned)
    assert one.asymmetry == pytest.approx(-other.asymmetry)
    assert one.days_to_empty == pytest.approx(other.days_to_fill)
    mirrored = {FlowState.SOURCE: FlowState.SINK, FlowState.SINK: FlowState.SOURCE}
    assert other.state is mirrored.get(one.state, one.state)
