"""What the live fee says about our last broadcasts: still ours, ours but late, or somebody else's."""

from dataclasses import replace
from datetime import datetime, timedelta

from revenued.config import Settings
from revenued.fees.case import FeeMemory
from revenued.model import ChannelFee

LATEST_EFFECT = timedelta(hours=6)
"""How long after it was sent a change may still be carried out by a node that was frozen all the time."""


def first_memory(live: ChannelFee | None, *, burst: int, now: datetime) -> FeeMemory:
    """Return the memory of a channel seen for the first time: the price it has is what the network was told."""
    return FeeMemory(gossip_allowance=float(burst), gossip_allowance_at=now, broadcast=live)


def reconciled(memory: FeeMemory, live: ChannelFee | None, *, now: datetime) -> tuple[FeeMemory, str | None]:
    """Return the memory brought in line with the live fee, and what happened: "broadcast", "outside" or None.

    A fee that equals our last intent is ours even if the answer to `setchannel` was lost, in a time-out or in a crash
    of either side. A channel whose fee the node does not tell keeps its memory.
    """
    if live is None:
        return memory, None
    if memory.broadcast is None:
        return replace(memory, broadcast=live), None
    if live == memory.broadcast:
        # What was never carried out in all that time will not be; the same price seen later is somebody's own.
        lost = memory.intended_at is not None and now - memory.intended_at > LATEST_EFFECT
        intended = None if lost else memory.intended
        return replace(memory, intended=intended, outside=None, outside_seen_at=None), None
    if live == memory.intended:
        ours = replace(memory, broadcast=live, broadcast_at=memory.intended_at, outside=None, outside_seen_at=None)
        return ours, "broadcast"
    if live == memory.outside:
        return memory, None
    return replace(memory, outside=live, outside_seen_at=now), "outside"


def respected_until(memory: FeeMemory, settings: Settings) -> datetime | None:
    """Return the end of the time for which a price that somebody else set is theirs; None when nobody else set one."""
    if memory.outside is None or memory.outside_seen_at is None:
        return None
    return memory.outside_seen_at + timedelta(hours=settings.respect_manual_hours)


def refused(memory: FeeMemory) -> FeeMemory:
    """Return the memory after the node refused the intended fee: it was not set, and it was tried just now."""
    return replace(memory, intended=None)


def intending(memory: FeeMemory, target: ChannelFee, *, allowance: float, now: datetime) -> FeeMemory:
    """Return the memory of a channel whose fee is about to be set; one update of its allowance is spent already."""
    return replace(
        memory,
        intended=target,
        intended_at=now,
        gossip_allowance=allowance - 1.0,
        gossip_allowance_at=now,
        pending_ppm=None,
        pending_since=None,
    )


def confirmed(memory: FeeMemory, set_to: ChannelFee) -> FeeMemory:
    """Return the memory after the node said what is in force now."""
    return replace(memory, broadcast=set_to, broadcast_at=memory.intended_at, outside=None, outside_seen_at=None)


def withheld(memory: FeeMemory, target: ChannelFee, *, now: datetime) -> FeeMemory:
    """Return the memory of a channel whose change a gate held back."""
    since = memory.pending_since if memory.pending_ppm == target.fee_ppm else now
    return replace(memory, pending_ppm=target.fee_ppm, pending_since=since)


def settled(memory: FeeMemory) -> FeeMemory:
    """Return the memory of a channel that has what it should have."""
    return replace(memory, pending_ppm=None, pending_since=None)
