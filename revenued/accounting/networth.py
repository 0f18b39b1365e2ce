"""What the node owns, by the place where it lies (TLV, total liquidity value)."""

from collections.abc import Iterable
from dataclasses import dataclass

from revenued.model import Channel, OnchainFunds
from revenued.units import Msat

SPENT_STATES = frozenset({"FUNDING_SPEND_SEEN", "ONCHAIN", "CLOSED"})
"""The funding output is spent in a block: what is ours of it is the wallet's to count."""


@dataclass(frozen=True, slots=True)
class NetWorth:
    """Our money at one instant. On-chain parts are None when the node did not say."""

    onchain_confirmed_msat: Msat | None
    onchain_unconfirmed_msat: Msat | None
    channels_msat: Msat
    """Our balance in open channels, without what is in offered HTLCs."""
    closing_msat: Msat
    """Our balance in channels that are closing and not yet swept."""
    htlcs_msat: Msat
    """Offered by us and not yet resolved. Core Lightning takes them off `to_us_msat` only once they are settled."""
    capacity_msat: Msat
    channel_count: int

    @property
    def total_msat(self) -> Msat | None:
        """Return the sum of all places; None when the node did not say what is on chain."""
        if self.onchain_confirmed_msat is None or self.onchain_unconfirmed_msat is None:
            return None
        onchain = self.onchain_confirmed_msat + self.onchain_unconfirmed_msat
        return Msat(onchain + self.channels_msat + self.closing_msat + self.htlcs_msat)

    @property
    def own_capital_msat(self) -> Msat:
        """Return what works in channels: the capital that earnings are compared with."""
        return Msat(self.channels_msat + self.htlcs_msat)


def net_worth(channels: Iterable[Channel], funds: OnchainFunds | None) -> NetWorth:
    """Return what is owned. Channels whose closing transaction is seen are counted on chain by the wallet, not here."""
    listed = list(channels)
    open_ = [channel for channel in listed if not channel.is_closing]
    offered = sum(h.amount_msat for channel in open_ for h in channel.htlcs if not h.incoming)
    closing = [channel for channel in listed if channel.is_closing and channel.state not in SPENT_STATES]
    return NetWorth(
        onchain_confirmed_msat=funds.confirmed_msat if funds else None,
        onchain_unconfirmed_msat=funds.unconfirmed_msat if funds else None,
        channels_msat=Msat(sum(channel.to_us_msat for channel in open_) - offered),
        closing_msat=Msat(sum(channel.to_us_msat for channel in closing)),
        htlcs_msat=Msat(offered),
        capacity_msat=Msat(sum(channel.capacity_msat for channel in open_)),
        channel_count=len(open_),
    )
