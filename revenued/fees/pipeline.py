"""The order of the fee rules, in one place: overrides (the first opinion wins), price, bounds (the last word wins)."""

from collections.abc import Callable

from revenued.fees.bounds import operator_bounds, static_floor
from revenued.fees.case import FeeCase, FeeDecision, Step
from revenued.fees.overrides import left_alone
from revenued.fees.price import learned_base_price, scarcity_premium
from revenued.model import ChannelFee
from revenued.units import Msat, Ppm

Override = Callable[[FeeCase], tuple[Ppm | None, str] | None]
Rule = Callable[[FeeCase, Ppm], tuple[Ppm, str] | None]

OVERRIDES: tuple[Override, ...] = (left_alone,)
PRICE: tuple[Rule, ...] = (learned_base_price, scarcity_premium)
BOUNDS: tuple[Rule, ...] = (static_floor, operator_bounds)


def decide(case: FeeCase) -> FeeDecision:
    """Return what the channel should cost, with every step; the same case always gives the same decision."""
    live = case.live
    ppm = live.fee_ppm if live is not None else None
    steps: list[Step] = []
    for override in OVERRIDES:
        opinion = override(case)
        if opinion is not None:
            wanted, why = opinion
            steps.append(Step(override.__name__, ppm, ppm if wanted is None else wanted, why))
            if wanted is None or ppm is None:
                return FeeDecision(case.channel.channel_id, live, None, tuple(steps))
            ppm = wanted
            break
    assert ppm is not None, "left_alone has an opinion on every channel without a live fee"
    for rule in BOUNDS if steps else PRICE + BOUNDS:
        outcome = rule(case, ppm)
        if outcome is not None:
            steps.append(Step(rule.__name__, ppm, outcome[0], outcome[1]))
            ppm = outcome[0]
    target = ChannelFee(Msat(case.settings.base_fee_msat), ppm)
    return FeeDecision(case.channel.channel_id, live, target, tuple(steps), _warnings(case))


def _warnings(case: FeeCase) -> tuple[str, ...]:
    floor, most = case.settings.static_floor_ppm, case.settings.max_fee_ppm
    if floor <= most:
        return ()
    return (f"static_floor_ppm {floor} is above max_fee_ppm {most}: the maximum holds",)
