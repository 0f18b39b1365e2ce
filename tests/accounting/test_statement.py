"""A window's statement: sums to the msat, ratios where there is something to divide by, omissions in words."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revenued.accounting.statement import OMISSIONS, Statement
from revenued.units import MAX_MONEY_MSAT, Msat

NOTHING = Statement(
    window=timedelta(days=30),
    gross_revenue_msat=Msat(0),
    rebalance_cost_msat=Msat(0),
    onchain_cost_msat=Msat(0),
    forward_count=0,
    volume_msat=Msat(0),
)


def test_profit_is_what_is_left_of_revenue_after_all_costs_to_the_msat() -> None:
    statement = replace(
        NOTHING,
        gross_revenue_msat=Msat(1_000_001),
        rebalance_cost_msat=Msat(300_003),
        onchain_cost_msat=Msat(200_005),
    )
    assert statement.opex_msat == 500_008
    assert statement.net_profit_msat == 499_993
    assert statement.operating_margin_pct == pytest.approx(49.99925)


def test_costs_above_revenue_are_a_loss() -> None:
    statement = replace(NOTHING, gross_revenue_msat=Msat(1000), rebalance_cost_msat=Msat(1500))
    assert statement.net_profit_msat == -500
    assert statement.operating_margin_pct == -50.0
    assert (statement.annualized_roc_pct(Msat(1_000_000)) or 0) < 0


def test_a_loss_without_revenue_has_no_margin_rather_than_an_infinite_one() -> None:
    assert replace(NOTHING, rebalance_cost_msat=Msat(1)).operating_margin_pct is None


def test_what_there_is_nothing_to_compare_with_is_unknown() -> None:
    assert NOTHING.earned_ppm is None
    assert NOTHING.operating_margin_pct is None
    assert NOTHING.annualized_roc_pct(Msat(0)) is None


def test_earned_ppm_is_revenue_over_volume() -> None:
    assert replace(NOTHING, gross_revenue_msat=Msat(250_000), volume_msat=Msat(10**9)).earned_ppm == 250


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        (timedelta(days=365), 1.0),
        (timedelta(days=36.5), 10.0),
        (timedelta(days=730), 0.5),
        (timedelta(hours=24), 365.0),
    ],
)
def test_return_on_capital_is_put_on_a_year(window: timedelta, expected: float) -> None:
    statement = replace(NOTHING, window=window, gross_revenue_msat=Msat(10_000_000))
    assert statement.annualized_roc_pct(Msat(1_000_000_000)) == pytest.approx(expected)


money = st.integers(0, MAX_MONEY_MSAT).map(Msat)


@given(revenue=money, refills=money, onchain=money)
def test_revenue_is_costs_and_profit_with_nothing_left_over(revenue: Msat, refills: Msat, onchain: Msat) -> None:
    statement = replace(NOTHING, gross_revenue_msat=revenue, rebalance_cost_msat=refills, onchain_cost_msat=onchain)
    assert statement.net_profit_msat + refills + onchain == revenue
    assert (statement.operating_margin_pct is None) == (revenue == 0)


def test_what_is_left_out_is_said_in_whole_sentences() -> None:
    assert OMISSIONS
    assert all(omission.endswith(".") for omission in OMISSIONS)


def test_while_a_kind_of_cost_is_not_counted_margin_and_return_are_unknown_and_the_rest_is_what_is_known() -> None:
    statement = replace(NOTHING, gross_revenue_msat=Msat(5000), rebalance_cost_msat=Msat(1000), onchain_cost_msat=None)
    assert (statement.opex_msat, statement.net_profit_msat) == (1000, 4000)
    assert statement.operating_margin_pct is None
    assert statement.annualized_roc_pct(Msat(1_000_000)) is None
