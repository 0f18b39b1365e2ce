"""The order of the fee rules, and that each of them is in it: taken out, a target changes."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from revenued.fees import pipeline
from revenued.fees.case import FeeCase
from revenued.fees.pipeline import BOUNDS, OVERRIDES, PRICE, decide
from revenued.model import ChannelPolicy
from revenued.units import Ppm
from tests.builders import fee, make_case, make_channel, make_settings
from tests.fees.laws import any_case, fees


@dataclass(frozen=True, slots=True)
class Shown:
    """A case that shows one rule at work: the target with it, and without it."""

    case: FeeCase
    with_rule: int | None
    without_rule: int


SHOWN = {
    "left_alone": Shown(make_case(make_channel(state="CLOSINGD_COMPLETE"), base_ppm=Ppm(300)), None, 300),
    "learned_base_price": Shown(make_case(make_channel(ppm=100), base_ppm=Ppm(300)), 300, 100),
    "scarcity_premium": Shown(make_case(make_channel(outbound_ratio=0.15), base_ppm=Ppm(300)), 600, 300),
    "static_floor": Shown(make_case(settings=make_settings(static_floor_ppm=50), base_ppm=Ppm(20)), 50, 20),
    "operator_bounds": Shown(make_case(settings=make_settings(max_fee_ppm=200), base_ppm=Ppm(300)), 200, 300),
}
WHERE: dict[str, tuple[Callable[..., Any], ...]] = {"OVERRIDES": OVERRIDES, "PRICE": PRICE, "BOUNDS": BOUNDS}


def target_ppm(case: FeeCase) -> int | None:
    target = decide(case).target
    return None if target is None else target.fee_ppm


def test_the_order_of_all_rules() -> None:
    assert [rule.__name__ for rule in (*OVERRIDES, *PRICE, *BOUNDS)] == [
        "left_alone",
        "learned_base_price",
        "scarcity_premium",
        "static_floor",
        "operator_bounds",
    ]


def test_each_rule_in_the_pipeline_is_shown_at_work() -> None:
    assert list(SHOWN) == [rule.__name__ for rule in (*OVERRIDES, *PRICE, *BOUNDS)]


@pytest.mark.parametrize("rule", SHOWN)
def test_a_rule_makes_the_price_that_it_stands_for(rule: str) -> None:
    decision = decide(SHOWN[rule].case)
    assert target_ppm(SHOWN[rule].case) == SHOWN[rule].with_rule
    assert rule in [step.rule for step in decision.steps]


@pytest.mark.parametrize("rule", SHOWN)
def test_without_the_rule_the_price_is_another(rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, rules in WHERE.items():
        monkeypatch.setattr(pipeline, name, tuple(kept for kept in rules if kept.__name__ != rule))
    assert target_ppm(SHOWN[rule].case) == SHOWN[rule].without_rule


@pytest.mark.parametrize(
    ("name", "case", "in_order", "out_of_order"),
    [
        # A multiplier works on the base price, not on whatever the price was before.
        ("PRICE", make_case(make_channel(outbound_ratio=0.0), base_ppm=Ppm(200)), 600, 200),
        # A floor above the operator's maximum yields the maximum.
        ("BOUNDS", make_case(settings=make_settings(static_floor_ppm=900, max_fee_ppm=500)), 500, 900),
    ],
)
def test_the_order_within_a_group_decides(
    name: str, case: FeeCase, in_order: int, out_of_order: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert target_ppm(case) == in_order
    monkeypatch.setattr(pipeline, name, WHERE[name][::-1])
    assert target_ppm(case) == out_of_order


def test_bounds_come_after_multipliers() -> None:
    case = make_case(make_channel(outbound_ratio=0.0), make_settings(max_fee_ppm=250), base_ppm=Ppm(200))
    assert [(step.rule, step.to_ppm) for step in decide(case).steps] == [
        ("learned_base_price", 200),
        ("scarcity_premium", 600),
        ("operator_bounds", 250),
    ]


def test_the_first_override_with_an_opinion_replaces_the_price_but_not_the_bounds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def silent(_case: FeeCase) -> None:
        return None

    def first(_case: FeeCase) -> tuple[Ppm, str]:
        return Ppm(7000), "because"

    def second(_case: FeeCase) -> tuple[Ppm, str]:
        return Ppm(1), "never asked"

    monkeypatch.setattr(pipeline, "OVERRIDES", (silent, first, second))
    decision = decide(make_case(make_channel(outbound_ratio=0.0)))
    assert [(step.rule, step.from_ppm, step.to_ppm) for step in decision.steps] == [
        ("first", 100, 7000),
        ("operator_bounds", 7000, 5000),
    ]
    assert decision.target == fee(5000)


@given(wanted=st.integers(0, 2**32 - 1), case=any_case())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_operator_bounds_hold_whatever_any_other_rule_wants(
    monkeypatch: pytest.MonkeyPatch, wanted: int, case: FeeCase
) -> None:
    def wild(_case: FeeCase, _ppm: Ppm) -> tuple[Ppm, str]:
        return Ppm(wanted), "any price at all"

    with monkeypatch.context() as patched:
        patched.setattr(pipeline, "PRICE", (*PRICE, wild))
        target = decide(case).target
    assert target is None or case.settings.min_fee_ppm <= target.fee_ppm <= case.settings.max_fee_ppm


@given(any_case())
def test_a_target_lies_within_the_bounds_of_the_operator_with_their_base_fee(case: FeeCase) -> None:
    target = decide(case).target
    if target is not None:
        assert case.settings.min_fee_ppm <= target.fee_ppm <= case.settings.max_fee_ppm
        assert target.base_fee_msat == case.settings.base_fee_msat


@given(any_case())
def test_steps_are_an_unbroken_chain_from_the_live_fee_to_the_target(case: FeeCase) -> None:
    decision = decide(case)
    assert decision.live == case.channel.fee
    assert decision.steps
    assert decision.steps[0].from_ppm == (decision.live.fee_ppm if decision.live else None)
    for before, after in pairwise(decision.steps):
        assert after.from_ppm == before.to_ppm
    assert all(step.why for step in decision.steps)
    if decision.target is not None:
        assert decision.steps[-1].to_ppm == decision.target.fee_ppm


@given(any_case())
def test_the_same_case_gives_the_same_decision(case: FeeCase) -> None:
    assert decide(case) == decide(replace(case, channel=replace(case.channel)))


@given(case=any_case(), live=fees, other=fees)
def test_the_live_fee_has_no_say_in_the_target(case: FeeCase, live: Any, other: Any) -> None:
    """Whatever is in force, ours or not, multiplied or not: a target never starts from it."""
    one, two = (
        replace(case, channel=replace(case.channel, ours=ChannelPolicy(ours, None, None, None)))
        for ours in (live, other)
    )
    assert decide(one).target == decide(two).target


@pytest.mark.parametrize("outbound_ratio", [0.0, 0.05, 0.15, 0.29])
def test_the_scarcity_premium_does_not_compound_over_cycles(outbound_ratio: float) -> None:
    """Multiplying the live fee once took a channel from 100 to 5000 ppm in three cycles."""
    live, seen = 100, []
    for _ in range(50):
        case = make_case(make_channel(ppm=live, outbound_ratio=outbound_ratio), base_ppm=Ppm(100))
        live = target_ppm(case) or 0
        seen.append(live)
    assert set(seen) == {round(100 * (1 + 2 * (1 - outbound_ratio / 0.30)))}


def test_when_balance_returns_the_price_is_the_base_price_again() -> None:
    scarce = make_case(make_channel(ppm=100, outbound_ratio=0.0), base_ppm=Ppm(100))
    assert target_ppm(scarce) == 300
    assert target_ppm(make_case(make_channel(ppm=300, outbound_ratio=0.6), base_ppm=Ppm(100))) == 100


def test_a_floor_above_the_maximum_is_warned_of() -> None:
    assert decide(make_case(settings=make_settings(static_floor_ppm=900, max_fee_ppm=500))).warnings == (
        "static_floor_ppm 900 is above max_fee_ppm 500: the maximum holds",
    )
    assert decide(make_case(settings=make_settings(static_floor_ppm=500, max_fee_ppm=500))).warnings == ()
