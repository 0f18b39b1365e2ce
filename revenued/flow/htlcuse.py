"""How full a channel's HTLC slots and its value limit are, each way, at one instant.

Dust costs next to nothing to hold, so it fills no slot here: otherwise anybody could make a channel look congested.
"""

from dataclasses import dataclass

from revenued.model import Channel

PROTOCOL_SLOTS = 483
"""BOLT 2: most HTLCs that one side may offer. What the peer really allows is not told by the node."""


@dataclass(frozen=True, slots=True)
class HtlcUse:
    """HTLCs in flight in one direction."""

    count: int
    dust_count: int
    value_msat: int
    slots: int
    """Most that may be in flight; the protocol's limit where the node does not say."""
    value_limit_msat: int | None

    @property
    def slot_share(self) -> float:
        """Return how much of the slots is taken by HTLCs that are not dust, 0 to 1."""
        return min(1.0, (self.count - self.dust_count) / self.slots) if self.slots > 0 else 1.0

    @property
    def value_share(self) -> float | None:
        """Return how much of the value limit is in flight; None without a limit."""
        if self.value_limit_msat is None or self.value_limit_msat <= 0:
            return None
        return min(1.0, self.value_msat / self.value_limit_msat)

    @property
    def fullness(self) -> float:
        """Return the tighter of the two, 0 to 1."""
        return max(self.slot_share, self.value_share or 0.0)


def incoming_use(channel: Channel) -> HtlcUse:
    """Return what the peer has offered to us."""
    return _use(channel, incoming=True, slots=channel.max_accepted_htlcs, limit=channel.our_max_in_flight_msat)


def outgoing_use(channel: Channel) -> HtlcUse:
    """Return what we have offered to the peer."""
    return _use(channel, incoming=False, slots=None, limit=channel.their_max_in_flight_msat)


def is_congested(channel: Channel, *, threshold: float) -> bool:
    """Either direction is fuller than `threshold`: a live fact, apart from the flow state."""
    return max(incoming_use(channel).fullness, outgoing_use(channel).fullness) > threshold


def _use(channel: Channel, *, incoming: bool, slots: int | None, limit: int | None) -> HtlcUse:
    htlcs = [htlc for htlc in channel.htlcs if htlc.incoming is incoming]
    return HtlcUse(
        count=len(htlcs),
        dust_count=sum(htlc.trimmed for htlc in htlcs),
        value_msat=sum(htlc.amount_msat for htlc in htlcs),
        slots=slots or PROTOCOL_SLOTS,
        value_limit_msat=limit,
    )
