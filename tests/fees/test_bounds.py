"""The floor lifts what is below it; the operator's bounds hold whatever came before."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revenued.config import Settings
from revenued.fees.bounds import operator_bounds, static_floor
from revenued.units import Ppm
from tests.builders import make_case, make_settings
from tests.fees.laws import any_settings, ppms


@pytest.mark.parametrize(
    ("ppm", "outcome"),
    [(0, (10, "below static_floor_ppm 10")), (9, (10, "below static_floor_ppm 10")), (10, None), (11, None)],
)
def test_the_static_floor_lifts_only_what_is_below_it(ppm: int, outcome: tuple[int, str] | None) -> None:
    assert static_floor(make_case(), Ppm(ppm)) == outcome


@pytest.mark.parametrize(
    ("ppm", "outcome"),
    [
        (0, (20, "below min_fee_ppm 20")),
        (19, (20, "below min_fee_ppm 20")),
        (20, None),
        (900, None),
        (901, (900, "above max_fee_ppm 900")),
        (2**32 - 1, (900, "above max_fee_ppm 900")),
    ],
)
def test_the_operators_bounds_hold_at_both_ends(ppm: int, outcome: tuple[int, str] | None) -> None:
    case = make_case(settings=make_settings(min_fee_ppm=20, max_fee_ppm=900))
    assert operator_bounds(case, Ppm(ppm)) == outcome


def test_a_minimum_of_zero_lets_a_price_of_zero_stand() -> None:
    assert operator_bounds(make_case(settings=make_settings(min_fee_ppm=0)), Ppm(0)) is None


@given(settings=any_settings(), ppm=ppms)
def test_a_rule_speaks_only_where_it_changes_something(settings: Settings, ppm: Ppm) -> None:
    case = make_case(settings=settings)
    for rule in (static_floor, operator_bounds):
        outcome = rule(case, ppm)
        assert outcome is None or outcome[0] != ppm


@given(st.integers(0, 100_000))
def test_equal_bounds_leave_one_price(only: int) -> None:
    case = make_case(settings=make_settings(min_fee_ppm=max(1, only), max_fee_ppm=max(1, only)))
    for ppm in (0, only, 100_001):
        outcome = operator_bounds(case, Ppm(ppm))
        assert (ppm if outcome is None else outcome[0]) == max(1, only)
