"""What holds of the learner whatever happens: no price freezes, no multiplier teaches, and it finds a top and rests."""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revenued.config import Settings
from revenued.fees.gate import hysteresis, objection
from revenued.fees.learning import LearnerState, Sold, climbed, first_state, is_complete, observed, teaches
from revenued.fees.pipeline import decide
from revenued.units import Ppm
from tests.builders import NOW, fee, make_case, make_channel, make_exposure, make_learner, make_settings
from tests.fees.laws import any_settings, ppms

HOUR = timedelta(hours=1)
WHOLE_RANGE = make_settings(min_fee_ppm=0, max_fee_ppm=100_000, static_floor_ppm=0)
ALL_LOW_AND_MANY_HIGH = range(1, 1000), range(1000, 100_001, 331), range(99_900, 100_001)


def raised_and_lowered(ppm: int, settings: Settings) -> Iterator[int]:
    """Give where the climber goes from a price with its smallest steps, up and down."""
    for direction in (1, -1):
        state = make_learner(ppm, direction=direction, step=0.0)
        yield climbed(state, make_exposure(ppm), settings)[0].base_ppm


@pytest.mark.parametrize("share", [0.0, 0.01, 0.05, 0.1, 0.25, 0.5])
def test_every_price_can_be_left_in_both_directions_through_the_gate(share: float) -> None:
    """A smallest step equal to what the hysteresis gate holds back once froze channels for good."""
    settings = make_settings(
        min_fee_ppm=0, max_fee_ppm=100_000, static_floor_ppm=0, fee_hysteresis=share, min_fee_change_interval=0
    )
    case = make_case(settings=settings)
    for ppm in chain(*ALL_LOW_AND_MANY_HIGH):
        live = replace(case, channel=replace(case.channel, ours=make_channel(ppm=ppm).ours))
        higher, lower = raised_and_lowered(ppm, settings)
        assert lower < ppm, ppm
        assert hysteresis(live, fee(lower)) is None, ppm
        if higher < 100_000:  # the maximum itself need not be reached from just below
            assert higher > ppm, ppm
            assert hysteresis(live, fee(higher)) is None, ppm


@given(ppm=st.integers(1, 70_000), direction=st.sampled_from([1, -1]))
def test_a_judged_exposure_ends_in_a_broadcast_of_another_price(ppm: int, direction: int) -> None:
    """The same, through the whole pipeline and all gates."""
    state, _ = climbed(make_learner(ppm, direction=direction, step=0.0), make_exposure(ppm), WHOLE_RANGE)
    case = make_case(make_channel(ppm=ppm), WHOLE_RANGE, base_ppm=state.base_ppm)
    target = decide(case).target
    assert target is not None
    assert (target.fee_ppm - ppm) * direction > 0
    assert objection(case, target) is None


@given(settings=any_settings(), live=st.integers(0, 100_000), apart=st.floats(-1.0, 1.0))
def test_what_the_gate_holds_back_teaches_so_no_price_stands_still(settings: Settings, live: int, apart: float) -> None:
    """Either the base price may be told, or the price in force counts as the base price."""
    base = round(live * (1 + apart * settings.fee_hysteresis * 2))
    plain = settings.model_copy(update={"enable_scarcity_pricing": False, "base_fee_msat": 0})
    case = make_case(make_channel(ppm=live), plain, base_ppm=Ppm(base))
    target = decide(case).target
    assert target is not None
    told = target != case.live and hysteresis(case, target) is None
    learned_from = settings.model_copy(
        update={"static_floor_ppm": min(settings.static_floor_ppm, settings.max_fee_ppm)}
    )
    assert told or teaches(make_exposure(live), make_learner(base), learned_from)


@given(base=st.integers(10, 1600), outbound_ratio=st.floats(0, 0.27), hysteresis_share=st.floats(0, 0.15))
def test_an_exposure_at_a_multiplied_price_does_not_teach(
    base: int, outbound_ratio: float, hysteresis_share: float
) -> None:
    settings = make_settings(fee_hysteresis=hysteresis_share)
    target = decide(make_case(make_channel(outbound_ratio=outbound_ratio), settings, base_ppm=Ppm(base))).target
    assert target is not None
    assert target.fee_ppm > base
    assert teaches(make_exposure(target.fee_ppm), make_learner(base), settings) is (
        target.fee_ppm - base <= hysteresis_share * target.fee_ppm
    )


def weeks(state: LearnerState, settings: Settings, *, outbound_ratio: float, rate: Callable[[int], float]) -> list[int]:
    """Run three weeks of hourly looks at a channel that sells at `rate` (msat an hour); return its base prices."""
    live = state.base_ppm
    bases: list[int] = []
    for hour in range(21 * 24):
        now = NOW + hour * HOUR
        sold = Sold(3, 1_000_000, round(rate(live))) if state.exposure and state.exposure.through_at < now else Sold()
        state, _ = observed(state, live_ppm=live, done=now, now=now, sold=sold, liquid=True, online=True)
        if state.exposure is not None and is_complete(state.exposure, settings):
            lesson = teaches(state.exposure, state, settings)
            state = climbed(state, state.exposure, settings)[0] if lesson else replace(state, exposure=None)
        channel = make_channel(ppm=live, outbound_ratio=outbound_ratio)
        target = decide(make_case(channel, settings, base_ppm=state.base_ppm)).target
        assert target is not None
        live = target.fee_ppm
        bases.append(state.base_ppm)
    return bases


def test_three_weeks_of_scarcity_leave_no_trace_in_the_base_price() -> None:
    bases = weeks(make_learner(100), make_settings(), outbound_ratio=0.1, rate=lambda ppm: 10.0 * ppm)
    assert set(bases) == {100}


def test_three_weeks_with_balance_move_the_base_price() -> None:
    """The same channel, the same sales, so that it is the scarcity that kept it."""
    bases = weeks(make_learner(100), make_settings(), outbound_ratio=0.6, rate=lambda ppm: 10.0 * ppm)
    assert bases[-1] > 200


@pytest.mark.parametrize(("ours", "new_bounds"), [(12, {"min_fee_ppm": 100}), (3000, {"max_fee_ppm": 1000})])
def test_new_bounds_of_the_operator_do_not_end_learning(ours: int, new_bounds: dict[str, int]) -> None:
    """A base price outside bounds that came later was once never in force again, so nothing ever taught it."""
    bases = weeks(
        make_learner(ours), make_settings(**new_bounds), outbound_ratio=0.6, rate=lambda ppm: ppm * math.exp(-ppm / 400)
    )
    assert 300 < bases[-1] < 600


def judged(state: LearnerState, rate: Callable[[int], float], *, times: int) -> list[LearnerState]:
    """Return the states after each of so many exposures at the base price."""
    found = []
    for _ in range(times):
        exposure = make_exposure(state.base_ppm, hours=24, earned_msat=round(24 * rate(state.base_ppm)))
        state, _ = climbed(state, exposure, make_settings())
        found.append(state)
    return found


@pytest.mark.parametrize("start", [40, 200, 1000])
def test_the_climber_finds_the_top_of_a_smooth_curve_and_rests_there(start: int) -> None:
    """Going back over known ground is no success: it once reset the count of turns, and the climber never rested."""
    path = judged(first_state(Ppm(start), make_settings()), lambda ppm: 1000 * ppm * math.exp(-ppm / 200), times=120)
    rests = [state.base_ppm for state in path if state.asleep_for]
    assert rests
    assert all(150 <= ppm <= 270 for ppm in rests)


def test_the_swings_around_the_top_stay_small() -> None:
    path = judged(make_learner(200), lambda ppm: 1000 * ppm * math.exp(-ppm / 200), times=100)
    assert all(140 <= state.base_ppm <= 290 for state in path)


def test_a_channel_that_never_sells_comes_down_to_the_minimum() -> None:
    state = make_learner(5000)
    for _ in range(60):
        state, _ = climbed(
            state, make_exposure(state.base_ppm, hours=72, earned_msat=0, forward_count=0), make_settings()
        )
    assert state.base_ppm == 10


@given(
    settings=any_settings(),
    live=ppms,
    lessons=st.lists(st.tuples(st.integers(0, 10**12), st.integers(0, 30)), max_size=15),
)
def test_whatever_is_earned_the_base_price_stays_within_the_bounds(
    settings: Settings, live: Ppm, lessons: list[tuple[int, int]]
) -> None:
    state = first_state(live, settings)
    for earned, forwards in lessons:
        exposure = make_exposure(state.base_ppm, earned_msat=earned if forwards else 0, forward_count=forwards)
        state, _ = climbed(state, exposure, settings)
        assert settings.min_fee_ppm <= state.base_ppm <= settings.max_fee_ppm
        assert state.direction in (-1, 1)
        assert 0 < state.step <= 0.4
