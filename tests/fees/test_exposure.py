"""Exposures are whole hours at one price; only those at the base price, with something to sell, teach."""

from datetime import datetime, timedelta

import pytest

from revenued.fees.learning import (
    LONGEST_GAP,
    Exposure,
    LearnerState,
    Sold,
    is_complete,
    next_exposure_start,
    observed,
    teaches,
)
from revenued.units import Ppm
from tests.builders import NOW, make_exposure, make_learner, make_settings

HOUR = timedelta(hours=1)
SETTINGS = make_settings()


def look(
    state: LearnerState,
    *,
    now: datetime = NOW,
    done: datetime | None = None,
    ppm: int = 100,
    sold: Sold | None = None,
    liquid: bool = True,
    online: bool = True,
) -> tuple[LearnerState, Exposure | None]:
    return observed(
        state, live_ppm=Ppm(ppm), done=done or now, now=now, sold=sold or Sold(), liquid=liquid, online=online
    )


@pytest.mark.parametrize(
    ("changed_at", "starts_at"),
    [("10:00", "11:00"), ("10:29", "11:00"), ("10:30", "11:00"), ("10:31", "12:00"), ("10:59", "12:00")],
)
def test_an_exposure_starts_at_the_first_whole_hour_half_an_hour_after_the_price(
    changed_at: str, starts_at: str
) -> None:
    changed, starts = (datetime.fromisoformat(f"2026-01-05T{at}Z") for at in (changed_at, starts_at))
    assert next_exposure_start(changed) == starts


def test_the_first_look_at_a_price_begins_an_exposure_that_counts_nothing_yet() -> None:
    state, ended = look(make_learner(), sold=Sold(5, 5000, 5))
    assert ended is None
    assert state.exposure == Exposure(NOW + HOUR, NOW + HOUR, Ppm(100))


def test_looks_before_the_price_is_known_to_payers_count_for_nothing() -> None:
    begun, _ = look(make_learner())
    assert look(begun, now=NOW + HOUR / 2, sold=Sold(5, 5000, 5)) == (begun, None)


def test_an_exposure_grows_by_what_was_sold_until_the_hours_that_are_complete() -> None:
    state, _ = look(make_learner())
    state, _ = look(state, now=NOW + 2 * HOUR, sold=Sold(2, 2000, 20))
    state, ended = look(
        state, now=NOW + 4 * HOUR, done=NOW + 3 * HOUR, sold=Sold(3, 3000, 30), liquid=False, online=False
    )
    assert ended is None
    assert state.exposure == Exposure(
        started_at=NOW + HOUR,
        through_at=NOW + 3 * HOUR,
        fee_ppm=Ppm(100),
        forward_count=5,
        volume_msat=5000,
        earned_msat=50,
        looks=2,
        liquid_looks=1,
        online_looks=1,
    )
    assert (state.exposure.hours, state.exposure.liquid_share, state.exposure.online_share) == (2.0, 0.5, 0.5)


def test_hours_that_are_not_read_yet_take_nothing_away() -> None:
    state = make_learner(exposure=make_exposure())
    grown, _ = look(state, now=NOW + HOUR, done=NOW - 5 * HOUR)
    assert grown.exposure is not None
    assert grown.exposure.through_at == NOW


def test_another_price_ends_the_exposure_at_the_last_complete_hour_and_begins_a_new_one() -> None:
    before = make_exposure()
    state, ended = look(make_learner(exposure=before), ppm=120, sold=Sold(5, 5000, 5))
    assert ended == before
    assert state.exposure == Exposure(NOW + HOUR, NOW + HOUR, Ppm(120))


def test_an_exposure_that_never_began_ends_without_a_trace() -> None:
    begun, _ = look(make_learner())
    state, ended = look(begun, ppm=120)
    assert ended is None
    assert state.exposure is not None
    assert state.exposure.fee_ppm == 120


@pytest.mark.parametrize(("gap", "goes_on"), [(LONGEST_GAP, True), (LONGEST_GAP + HOUR, False)])
def test_an_exposure_goes_on_after_a_short_stop_of_the_daemon_and_not_after_a_long_one(
    gap: timedelta, goes_on: bool
) -> None:
    before = make_exposure()
    state, ended = look(make_learner(exposure=before), now=NOW + gap)
    assert (ended is None) is goes_on
    assert state.exposure is not None
    assert (state.exposure.started_at == before.started_at) is goes_on


@pytest.mark.parametrize(
    ("hours", "forwards", "complete"),
    [(5, 1000, False), (6, 8, True), (6, 7, False), (71, 7, False), (72, 0, True), (0, 0, False)],
)
def test_an_exposure_is_complete_with_enough_forwards_or_enough_time(hours: int, forwards: int, complete: bool) -> None:
    assert is_complete(make_exposure(hours=hours, forward_count=forwards), SETTINGS) is complete


def test_shares_of_no_looks_are_nothing() -> None:
    nothing = Exposure(NOW, NOW, Ppm(1))
    assert (nothing.hours, nothing.liquid_share, nothing.online_share) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("base", "in_force", "lesson"),
    [
        (100, 100, True),
        (100, 105, True),  # what the hysteresis gate leaves
        (100, 106, False),
        (100, 96, True),
        (100, 94, False),
        (1000, 1052, True),  # 5 % of the price in force, as the gate counts, and more than 5 % of the base price
        (1000, 1053, False),
        (100, 300, False),  # a scarcity premium
        (1, 2, False),  # a multiplier, however small the price
        (1, 1, True),
        (5, 10, True),  # the minimum was raised above what was learned: the minimum is where learning goes on
        (5, 20, False),
        (9000, 5000, True),  # the maximum was lowered
        (9000, 9000, False),
    ],
)
def test_only_the_base_price_teaches_give_or_take_what_the_gate_leaves(base: int, in_force: int, lesson: bool) -> None:
    settings = make_settings(min_fee_ppm=1, static_floor_ppm=0) if base == 1 else SETTINGS
    assert teaches(make_exposure(in_force), make_learner(base), settings) is lesson


@pytest.mark.parametrize("looks", ["liquid_looks", "online_looks"])
def test_an_empty_channel_or_an_absent_peer_says_nothing_about_the_price(looks: str) -> None:
    assert teaches(make_exposure(**{looks: 5}), make_learner(), SETTINGS)
    assert not teaches(make_exposure(**{looks: 4}), make_learner(), SETTINGS)
