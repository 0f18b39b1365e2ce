"""What the cycles need of a node: the real one and the simulated one both answer this."""

from collections.abc import Sequence
from typing import Literal, Protocol

from revenued.model import (
    Capabilities,
    ChannelFee,
    ChannelList,
    ClosedChannel,
    Feerates,
    FeeReply,
    ForwardPage,
    MovePage,
    NodeInfo,
    OnchainFunds,
    Skipped,
)

ForwardIndex = Literal["created", "updated"]
Counter = Literal["created", "updated", "deleted"]


class Node(Protocol):
    """A Core Lightning node.

    Every method may raise NodeUnreachable (nothing was delivered), NodeOutcomeUnknown (delivered, no answer),
    NodeRefused (answered with an error) or NodeNonsense (the answer cannot be understood as a whole; single rows that
    cannot be understood are returned as `skipped` instead).
    """

    def info(self) -> NodeInfo:
        """Return what the node says of itself."""
        ...

    def capabilities(self) -> Capabilities:
        """Return what the node can be asked; probed again after each time it was away."""
        ...

    def channels(self) -> ChannelList:
        """Return every channel the node still lists, in one call."""
        ...

    def closed_channels(self) -> tuple[tuple[ClosedChannel, ...], tuple[Skipped, ...]]:
        """Return the channels that the node has forgotten, and rows that could not be read."""
        ...

    def aliases(self, node_ids: Sequence[str]) -> dict[str, str]:
        """Return node id → alias for these nodes, as far as gossip knows them. Aliases are hostile text."""
        ...

    def forwards(self, index: ForwardIndex, *, start: int, limit: int) -> ForwardPage:
        """Return up to `limit` forwards whose `index` is at least `start`, in index order."""
        ...

    def forward_counter(self, counter: Counter) -> int:
        """Return the node's present forwards index of this kind, without waiting."""
        ...

    def routed_moves(self, *, start: int, limit: int) -> MovePage:
        """Return up to `limit` channel moves from `start` on, in index order; NodeRefused where the node keeps none."""
        ...

    def feerates(self) -> Feerates:
        """Return what block space costs now."""
        ...

    def onchain_funds(self) -> OnchainFunds:
        """Return what the wallet holds on chain."""
        ...

    def set_channel_fee(self, channel_id: str, fee: ChannelFee) -> FeeReply:
        """Set the price of exactly this channel and return what the node says is now in force."""
        ...
