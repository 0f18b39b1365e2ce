"""Reasons not to broadcast a new price now; the first objection holds it back. The order is the tuple GATES."""

from collections.abc import Callable
from datetime import timedelta

from revenued.fees.case import FeeCase, Objection
from revenued.fees.memory import respected_until
from revenued.model import ChannelFee

Gate = Callable[[FeeCase, ChannelFee], Objection | None]


def changed_outside(case: FeeCase, _target: ChannelFee) -> Objection | None:
    """A price that somebody else set is the operator's for a while."""
    outside, until = case.memory.outside, respected_until(case.memory, case.settings)
    if outside is None or until is None or case.now >= until:
        return None
    return Objection(
        "changed_outside",
        f"somebody else set {outside.fee_ppm} ppm + {outside.base_fee_msat} msat; left alone for "
        f"respect_manual_hours {case.settings.respect_manual_hours}",
        until,
    )


def fresh_channel(case: FeeCase, _target: ChannelFee) -> Objection | None:
    """A new channel keeps the price that it was opened with until there is something to judge by."""
    opened = case.channel.opened_at or case.first_seen_at
    until = opened + timedelta(hours=case.settings.fresh_channel_hours)
    if case.now >= until or _breaks_bounds(case):
        return None
    return Objection(
        "fresh_channel", f"open for less than fresh_channel_hours {case.settings.fresh_channel_hours}", until
    )


def peer_offline(case: FeeCase, _target: ChannelFee) -> Objection | None:
    """Nobody can pay through a peer that is away, so telling the network a price is worth nothing."""
    if case.channel.is_usable:
        return None
    return Objection("peer_offline", "the peer is not connected, or the channel is not reestablished yet")


def minimum_interval(case: FeeCase, _target: ChannelFee) -> Objection | None:
    """Payers need time to learn a price, and we need time to see what they do."""
    tried = [at for at in (case.memory.broadcast_at, case.memory.intended_at) if at is not None]
    if not tried or _breaks_bounds(case):
        return None
    changed_at = max(tried)
    until = changed_at + timedelta(seconds=case.settings.min_fee_change_interval)
    if case.now >= until:
        return None
    return Objection(
        "minimum_interval",
        f"last set less than min_fee_change_interval {case.settings.min_fee_change_interval} s ago",
        until,
    )


def gossip_budget(case: FeeCase, _target: ChannelFee) -> Objection | None:
    """Nodes on the network drop updates of channels that change too often."""
    settings = case.settings
    allowance = gossip_allowance(case)
    if allowance >= 1.0 or _breaks_bounds(case):
        return None
    wait = timedelta(days=(1.0 - allowance) / settings.gossip_updates_per_day)
    return Objection("gossip_budget", f"used up its {settings.gossip_updates_per_day:g} updates a day", case.now + wait)


def hysteresis(case: FeeCase, target: ChannelFee) -> Objection | None:
    """A small change is worth less than the message that tells it."""
    live = case.live
    if live is None or live == target or live.base_fee_msat != target.base_fee_msat or _breaks_bounds(case):
        return None
    change = abs(target.fee_ppm - live.fee_ppm)
    if change > case.settings.fee_hysteresis * live.fee_ppm:
        return None
    return Objection(
        "hysteresis",
        f"{live.fee_ppm} → {target.fee_ppm} ppm is not more than fee_hysteresis {case.settings.fee_hysteresis:g}",
    )


def unchanged(case: FeeCase, target: ChannelFee) -> Objection | None:
    """What already holds need not be said again."""
    return Objection("unchanged", "the target is the fee in force") if case.live == target else None


def paused(case: FeeCase, _target: ChannelFee) -> Objection | None:
    """The operator stopped all changes."""
    return Objection("paused", "paused by the operator; `revenuectl resume` goes on") if case.paused else None


def dry_run(case: FeeCase, _target: ChannelFee) -> Objection | None:
    """The last gate: everything was decided, nothing is told."""
    if not case.settings.dry_run:
        return None
    return Objection("dry_run", "dry run; go live with `revenuectl config set dry_run false`")


GATES: tuple[Gate, ...] = (
    unchanged,
    changed_outside,
    fresh_channel,
    peer_offline,
    minimum_interval,
    gossip_budget,
    hysteresis,
    paused,
    dry_run,
)


def objection(case: FeeCase, target: ChannelFee) -> Objection | None:
    """Return the first objection to broadcasting `target` now, or None when it may go out."""
    return next((found for gate in GATES if (found := gate(case, target)) is not None), None)


def gossip_allowance(case: FeeCase) -> float:
    """Return how many updates the channel may send now: a token bucket, refilled by the day, capped by the burst."""
    settings, memory = case.settings, case.memory
    days = max(0.0, (case.now - memory.gossip_allowance_at) / timedelta(days=1))
    return min(float(settings.gossip_burst), memory.gossip_allowance + days * settings.gossip_updates_per_day)


def _breaks_bounds(case: FeeCase) -> bool:
    """The live price lies outside what the operator allows: bringing it back is no routine change."""
    live = case.live
    return live is not None and not case.settings.min_fee_ppm <= live.fee_ppm <= case.settings.max_fee_ppm
