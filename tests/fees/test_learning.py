"""A judged exposure moves the base price, says why, and the state that it leaves can be kept as JSON."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revenued.fees.learning import (
    Exposure,
    LearnerState,
    climbed,
    first_state,
    from_json,
    to_json,
)
from revenued.units import MAX_MONEY_MSAT, Ppm
from tests.builders import NOW, make_exposure, make_learner, make_settings

HOUR = timedelta(hours=1)
SETTINGS = make_settings()


@pytest.mark.parametrize(("live", "base"), [(500, 500), (0, 10), (9999, 5000)])
def test_a_channel_starts_from_the_price_that_it_has_brought_inside_the_bounds(live: int, base: int) -> None:
    state = first_state(Ppm(live), SETTINGS)
    assert (state.base_ppm, state.direction, state.step, state.exposure) == (base, 1, 0.1, None)


def after(state: LearnerState, exposure: Exposure | None = None) -> LearnerState:
    return climbed(state, exposure or make_exposure(), SETTINGS)[0]


RATE = 1000.0  # what make_exposure earns an hour

CLIMBS: dict[str, tuple[LearnerState, dict[str, Any]]] = {
    "nothing to compare with": (make_learner(), {"base_ppm": 110, "direction": 1, "step": 0.1, "last_rate": RATE}),
    "earned more: further, by twice the step": (
        make_learner(last_rate=900.0), {"base_ppm": 120, "direction": 1, "step": 0.2, "reversals": 0},
    ),
    "earned as much: further": (make_learner(last_rate=RATE), {"base_ppm": 120, "direction": 1}),
    "earned more on the way down: further down": (
        make_learner(last_rate=900.0, direction=-1), {"base_ppm": 80, "direction": -1, "step": 0.2},
    ),
    "earned less: back, by half the step": (
        make_learner(last_rate=1100.0, step=0.2),
        {"base_ppm": 90, "direction": -1, "step": 0.1, "reversals": 1, "returning": True},
    ),
    "back where it came from: on, as slowly": (
        make_learner(last_rate=900.0, returning=True, reversals=1),
        {"base_ppm": 110, "step": 0.1, "reversals": 1, "returning": False},
    ),
    "and only what comes after is a success": (
        make_learner(last_rate=900.0, returning=False, reversals=1), {"step": 0.2, "reversals": 0},
    ),
    "a new market above: on in the same direction, from the first step": (
        make_learner(last_rate=600.0, step=0.4, reversals=2),
        {"base_ppm": 110, "direction": 1, "step": 0.1, "reversals": 0},
    ),
    "a new market below: back, from the first step": (
        make_learner(last_rate=2100.0, step=0.4), {"base_ppm": 90, "direction": -1, "step": 0.1, "reversals": 0},
    ),
    "steps have a largest": (make_learner(last_rate=900.0, step=0.3), {"base_ppm": 140, "step": 0.4}),
    "and a smallest": (make_learner(last_rate=1100.0, step=0.08), {"base_ppm": 93, "step": 0.0725}),
    "the fourth turn without getting anywhere: rest": (
        make_learner(last_rate=1100.0, reversals=3), {"base_ppm": 93, "asleep_for": 4, "reversals": 0},
    ),
    "resting": (make_learner(last_rate=1100.0, asleep_for=4), {"base_ppm": 100, "asleep_for": 3, "last_rate": 1100.0}),
    "woken by a new market": (make_learner(last_rate=2100.0, asleep_for=4), {"base_ppm": 90, "asleep_for": 0}),
    "no step leads beyond the maximum": (make_learner(4900), {"base_ppm": 5000}),
    "nor below the minimum": (make_learner(10, direction=-1), {"base_ppm": 10}),
    "what ran into a bound turns round": (make_learner(5000, last_rate=RATE), {"base_ppm": 5000, "direction": -1}),
    "and then comes back from it": (make_learner(5000, last_rate=RATE, direction=-1), {"base_ppm": 4000}),
    "what was learned below a raised minimum goes on from the minimum": (make_learner(2), {"base_ppm": 12}),
    "what was learned above a lowered maximum goes on from the maximum": (
        make_learner(9000, direction=-1), {"base_ppm": 4500},
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", CLIMBS)
def test_the_climber_moves(what: str) -> None:
    state, expected = CLIMBS[what]
    moved = after(state)
    assert {name: getattr(moved, name) for name in expected} == pytest.approx(expected)
    assert moved.exposure is None


def test_a_price_that_sold_nothing_is_lowered_whatever_was_planned() -> None:
    silence = make_exposure(hours=72, earned_msat=0, forward_count=0)
    for state in (make_learner(), make_learner(last_rate=500.0), make_learner(last_rate=0.0, returning=True)):
        moved = after(state, silence)
        assert (moved.base_ppm, moved.direction, moved.last_rate) == (90, -1, 0.0)


def test_a_price_that_sells_nothing_at_the_minimum_stays_there() -> None:
    state = make_learner(10, direction=-1)
    for _ in range(5):
        state = after(state, make_exposure(hours=72, earned_msat=0, forward_count=0))
        assert state.base_ppm == 10


def test_even_rest_ends_when_nothing_is_sold_any_more() -> None:
    silence = make_exposure(hours=72, earned_msat=0, forward_count=0)
    assert after(make_learner(last_rate=500.0, asleep_for=4), silence).base_ppm == 90


def test_the_earning_rate_is_what_was_booked_over_the_hours() -> None:
    assert after(make_learner(), make_exposure(hours=8, earned_msat=12_345)).last_rate == 12_345 / 8


def test_a_fixed_learner_keeps_its_price_and_takes_note() -> None:
    state, why = climbed(make_learner(), make_exposure(), make_settings(fee_learner="fixed"))
    assert (state.base_ppm, state.last_rate, state.exposure) == (100, RATE, None)
    assert why == "the learner is fixed: the base price stays"


def test_a_move_says_what_it_followed_from() -> None:
    _, why = climbed(make_learner(last_rate=900.0), make_exposure(), SETTINGS)
    assert why == "earned 1000 msat an hour after 900: further; base price 100 → 120 ppm"
    _, why = climbed(make_learner(), make_exposure(hours=72, earned_msat=0, forward_count=0), SETTINGS)
    assert why == "nothing sold in 72 h: lower; base price 100 → 90 ppm"


whole_hours = st.integers(-10_000, 10_000).map(lambda hours: NOW + hours * HOUR)
counts = st.integers(0, 10**9)
exposures = st.builds(
    Exposure,
    started_at=whole_hours,
    through_at=st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1), timezones=st.just(NOW.tzinfo)),  # type: ignore[arg-type]  # noqa: DTZ001 - the zone is beside it
    fee_ppm=st.integers(0, 100_000).map(Ppm),
    forward_count=counts,
    volume_msat=st.integers(0, MAX_MONEY_MSAT),
    earned_msat=st.integers(0, MAX_MONEY_MSAT),
    looks=counts,
    liquid_looks=counts,
    online_looks=counts,
)
states = st.builds(
    LearnerState,
    base_ppm=st.integers(0, 100_000).map(Ppm),
    direction=st.sampled_from([-1, 1]),
    step=st.floats(0.01, 0.5),
    last_rate=st.none() | st.floats(0, 1e15),
    reversals=st.integers(0, 4),
    returning=st.booleans(),
    asleep_for=st.integers(0, 4),
    exposure=st.none() | exposures,
)


@given(states)
def test_a_state_comes_back_from_json_to_the_last_digit(state: LearnerState) -> None:
    assert from_json(state.base_ppm, json.loads(json.dumps(to_json(state), allow_nan=False))) == state


def test_a_state_from_before_turns_were_told_apart_can_still_be_read() -> None:
    stored = to_json(make_learner(exposure=make_exposure()))
    del stored["returning"]
    assert from_json(100, stored) == make_learner(exposure=make_exposure())


def without(name: str) -> Callable[[dict[str, Any]], Any]:
    return lambda stored: {key: value for key, value in stored.items() if key != name}


@pytest.mark.parametrize(
    "changed",
    [
        without("exposure"),
        without("direction"),
        without("step"),
        lambda stored: {**stored, "momentum": 0.5},
        lambda stored: {**stored, "exposure": {"started_at": 0}},
        lambda stored: {**stored, "exposure": {**stored["exposure"], "weather": "fine"}},
        lambda stored: {**stored, "exposure": {**stored["exposure"], "started_at": None}},
        lambda _: None,
    ],
)
def test_what_another_version_wrote_is_not_taken_for_a_state(changed: Callable[[dict[str, Any]], Any]) -> None:
    with pytest.raises((TypeError, KeyError)):
        from_json(100, changed(to_json(make_learner(exposure=make_exposure()))))


def test_the_base_price_is_kept_beside_the_state_and_not_in_it() -> None:
    assert "base_ppm" not in to_json(make_learner())
    assert from_json(70, to_json(make_learner(100))) == replace(make_learner(100), base_ppm=Ppm(70))
