"""From days of traffic to what a channel does: how fast, in which direction, how surely."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

DECAY_PER_DAY = 0.8
"""Weight of a day against the day after it."""

DRIFT_OF_TRAFFIC = 0.33
"""Net flow over gross flow above which a channel has a direction (twice as much one way as the other)."""

DRIFT_OF_CAPACITY = 0.02
"""Share of its capacity that a channel must move net per day to have a direction; less takes months to matter."""

FORWARDS_FOR_CONFIDENCE = 10.0
"""Weighted forwards after which confidence is 63 %."""


class FlowState(StrEnum):
    """What a channel does over the window."""

    SOURCE = "source"  # drains: more goes out than comes in
    SINK = "sink"  # fills
    BALANCED = "balanced"
    DORMANT = "dormant"  # nothing settled in the window


class FlowDay(NamedTuple):
    """Settled traffic of one scid on one day; `days_ago` 0 is the present, unfinished day."""

    days_ago: int
    in_count: int
    in_msat: int
    out_count: int
    out_msat: int
    earned_msat: int
    sourced_msat: int


@dataclass(frozen=True, slots=True)
class FlowEstimate:
    """What the traffic of the window says, newer days weighing more. Rates are msat a day."""

    state: FlowState
    confidence: float
    in_msat_per_day: float
    out_msat_per_day: float
    asymmetry: float
    """(out − in)/(out + in), −1 to 1; 0 without traffic."""
    turnover_per_day: float
    """(out + in)/capacity a day."""
    days_to_empty: float | None
    days_to_fill: float | None
    in_count: int
    out_count: int
    earned_msat: int
    sourced_msat: int


def flow_estimate(
    days: Sequence[FlowDay], *, capacity_msat: int, to_us_msat: int, window_days: int, today_share: float
) -> FlowEstimate:
    """Return the estimate over the present day and the `window_days` before it; `today_share` of today has passed."""
    inside = [day for day in days if 0 <= day.days_ago <= window_days]
    exposure = today_share + sum(DECAY_PER_DAY**k for k in range(1, window_days + 1))
    into = out = weighted_count = 0.0
    for day in inside:
        weight = DECAY_PER_DAY**day.days_ago
        into += weight * day.in_msat
        out += weight * day.out_msat
        weighted_count += weight * (day.in_count + day.out_count)
    into, out = into / exposure, out / exposure
    asymmetry = (out - into) / (out + into) if out + into > 0 else 0.0
    drift = out - into
    return FlowEstimate(
        state=_state(
            inside, asymmetry=asymmetry, drift_of_capacity=drift / capacity_msat if capacity_msat > 0 else 0.0
        ),
        confidence=1.0 - math.exp(-weighted_count / FORWARDS_FOR_CONFIDENCE),
        in_msat_per_day=into,
        out_msat_per_day=out,
        asymmetry=asymmetry,
        turnover_per_day=(into + out) / capacity_msat if capacity_msat > 0 else 0.0,
        days_to_empty=to_us_msat / drift if drift > 0 else None,
        days_to_fill=(capacity_msat - to_us_msat) / -drift if drift < 0 else None,
        in_count=sum(day.in_count for day in inside),
        out_count=sum(day.out_count for day in inside),
        earned_msat=sum(day.earned_msat for day in inside),
        sourced_msat=sum(day.sourced_msat for day in inside),
    )


def _state(days: Sequence[FlowDay], *, asymmetry: float, drift_of_capacity: float) -> FlowState:
    if not any(day.in_count + day.out_count for day in days):
        return FlowState.DORMANT
    if abs(asymmetry) < DRIFT_OF_TRAFFIC or abs(drift_of_capacity) < DRIFT_OF_CAPACITY:
        return FlowState.BALANCED
    return FlowState.SOURCE if asymmetry > 0 else FlowState.SINK
