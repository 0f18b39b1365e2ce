"""Which channels would be filled, which drained, and which rule says no; amounts are what brings them to target."""

from dataclasses import dataclass
from enum import StrEnum

from revenued.config import Settings
from revenued.flow.estimate import FlowEstimate, FlowState
from revenued.model import Channel
from revenued.units import Msat, Ppm

OVERFLOWING = 0.95
"""Outbound share above which even a channel that drains by itself has some to spare."""

STAGNANT_FROM, STAGNANT_TO = 0.4, 0.6
STAGNANT_TURNOVER_PER_DAY = 0.0015
DAYS_OF_VOLUME = 3
SMALLEST_REFILL_MSAT = Msat(50_000_000)
TARGET_SHARES = {FlowState.SOURCE: 0.85, FlowState.SINK: 0.15}
"""Share of the capacity that a channel should hold for what it does; half for all others."""


class Role(StrEnum):
    """What a channel would be in a refill."""

    FILL = "fill"
    DRAIN = "drain"
    NEITHER = "neither"


@dataclass(frozen=True, slots=True)
class Candidate:
    """One channel as a refill would see it."""

    channel_id: str
    role: Role
    amount_msat: Msat
    """What would be moved in or out to reach its target; 0 for neither."""
    out_ppm: Ppm | None
    """What it sells for: no refill is worth more than this."""
    why: str


def candidate(channel: Channel, flow: FlowEstimate, settings: Settings, *, out_ppm: Ppm | None) -> Candidate:
    """Return the channel's role, with the numbers that decided it."""
    role, why = _role(channel, flow, settings)
    amount = Msat(0)
    if role is Role.FILL:
        amount = _refill(channel, flow)
    elif role is Role.DRAIN:
        amount = Msat(max(0, channel.to_us_msat - _target(channel, flow)))
    if role is not Role.NEITHER and amount < SMALLEST_REFILL_MSAT:
        role, why, amount = Role.NEITHER, f"{why}, but less than 50,000 sat would be moved", Msat(0)
    return Candidate(channel.channel_id, role, amount, out_ppm, why)


def _role(channel: Channel, flow: FlowEstimate, settings: Settings) -> tuple[Role, str]:
    ratio = channel.outbound_ratio
    if not channel.is_usable:
        return Role.NEITHER, "not usable: closing, opening, or the peer is away"
    if ratio < settings.low_liquidity_threshold:
        return _low(ratio, flow, settings.low_liquidity_threshold)
    if ratio > settings.high_liquidity_threshold:
        return _high(ratio, flow, settings.high_liquidity_threshold)
    if STAGNANT_FROM <= ratio <= STAGNANT_TO and flow.turnover_per_day < STAGNANT_TURNOVER_PER_DAY:
        return Role.DRAIN, f"turns over {flow.turnover_per_day:.2%} of its capacity a day: its balance works nowhere"
    return Role.NEITHER, f"outbound share {ratio:.2f} is neither low nor high"


def _low(ratio: float, flow: FlowEstimate, threshold: float) -> tuple[Role, str]:
    if flow.state is FlowState.SINK:
        return Role.NEITHER, f"outbound share {ratio:.2f} is low, but traffic fills it by itself"
    return Role.FILL, f"outbound share {ratio:.2f} is below low_liquidity_threshold {threshold:g}"


def _high(ratio: float, flow: FlowEstimate, threshold: float) -> tuple[Role, str]:
    if flow.state is FlowState.SOURCE and ratio < OVERFLOWING:
        return Role.NEITHER, f"outbound share {ratio:.2f} is high, but traffic drains it by itself"
    return Role.DRAIN, f"outbound share {ratio:.2f} is above high_liquidity_threshold {threshold:g}"


def _target(channel: Channel, flow: FlowEstimate) -> Msat:
    return Msat(round(channel.capacity_msat * TARGET_SHARES.get(flow.state, 0.5)))


def _refill(channel: Channel, flow: FlowEstimate) -> Msat:
    """Volume-weighted: what sells in three days, but no more than brings the channel to its target."""
    need = max(0, _target(channel, flow) - channel.to_us_msat)
    return Msat(min(need, round(DAYS_OF_VOLUME * flow.out_msat_per_day)))
