"""The node as it was at one instant, and the forwards it remembers: frozen values, no behaviour beyond reading them."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from revenued.units import FeeratePerKw, Micros, Msat, Ppm, Sat

NORMAL_STATES = frozenset({"CHANNELD_NORMAL", "CHANNELD_AWAITING_SPLICE"})
"""The only states in which a channel carries HTLCs."""

OPENING_STATES = frozenset(
    {
        "OPENINGD",
        "CHANNELD_AWAITING_LOCKIN",
        "DUALOPEND_OPEN_INIT",
        "DUALOPEND_OPEN_COMMIT_READY",
        "DUALOPEND_OPEN_COMMITTED",
        "DUALOPEND_AWAITING_LOCKIN",
    }
)
CLOSING_STATES = frozenset(
    {
        "CHANNELD_SHUTTING_DOWN",
        "CLOSINGD_SIGEXCHANGE",
        "CLOSINGD_COMPLETE",
        "AWAITING_UNILATERAL",
        "FUNDING_SPEND_SEEN",
        "ONCHAIN",
        "CLOSED",
    }
)


class Side(StrEnum):
    """Who opened a channel."""

    LOCAL = "local"
    REMOTE = "remote"


@dataclass(frozen=True, slots=True)
class NodeInfo:
    """What the node says of itself."""

    node_id: str
    alias: str
    network: str
    version: str
    blockheight: int
    fees_collected_msat: Msat
    syncing: str | None
    """The node's own warning while it or its bitcoind is behind the chain; None when in sync."""


@dataclass(frozen=True, slots=True)
class ChannelFee:
    """The two numbers that a channel's price is made of."""

    base_fee_msat: Msat
    fee_ppm: Ppm


@dataclass(frozen=True, slots=True)
class ChannelPolicy:
    """What one side announces for its direction of a channel."""

    fee: ChannelFee
    htlc_minimum_msat: Msat | None
    htlc_maximum_msat: Msat | None
    cltv_expiry_delta: int | None


@dataclass(frozen=True, slots=True)
class Htlc:
    """One HTLC in flight in a channel."""

    incoming: bool
    htlc_id: int
    amount_msat: Msat
    expiry_height: int | None
    trimmed: bool
    """Too small to be enforced on chain (dust)."""


@dataclass(frozen=True, slots=True)
class Channel:
    """One channel as `listpeerchannels` showed it; None wherever the node did not say."""

    channel_id: str
    peer_id: str
    state: str
    scid: str | None
    local_alias: str | None
    private: bool
    opener: Side | None
    peer_connected: bool
    reestablished: bool | None
    capacity_msat: Msat
    to_us_msat: Msat
    our_reserve_msat: Msat
    their_reserve_msat: Msat
    spendable_msat: Msat | None
    receivable_msat: Msat | None
    ours: ChannelPolicy | None
    theirs: ChannelPolicy | None
    their_max_in_flight_msat: Msat | None
    our_max_in_flight_msat: Msat | None
    max_accepted_htlcs: int | None
    htlcs: tuple[Htlc, ...]
    opened_at: datetime | None
    out_fulfilled_msat: Msat | None
    in_fulfilled_msat: Msat | None
    funding_txid: str | None
    funding_outnum: int | None

    @property
    def is_normal(self) -> bool:
        """The channel is in a state that carries HTLCs."""
        return self.state in NORMAL_STATES

    @property
    def is_closing(self) -> bool:
        """The channel is on its way out, or gone."""
        return self.state in CLOSING_STATES

    @property
    def is_usable(self) -> bool:
        """The channel is normal and its peer is there and has agreed on where they left off."""
        return self.is_normal and self.peer_connected and self.reestablished is not False

    @property
    def name(self) -> str:
        """Return what a person knows the channel by: the scid, else the alias, else the channel id."""
        return self.scid or self.local_alias or self.channel_id

    @property
    def fee(self) -> ChannelFee | None:
        """Return the fee in force on our side; None when the node does not say."""
        return self.ours.fee if self.ours is not None else None

    @property
    def outbound_ratio(self) -> float:
        """Return our share of what can move, 0 to 1, reserves left out; from balances, never from spendable."""
        movable = self.capacity_msat - self.our_reserve_msat - self.their_reserve_msat
        if movable <= 0:
            return 0.0
        return min(1.0, max(0.0, (self.to_us_msat - self.our_reserve_msat) / movable))


@dataclass(frozen=True, slots=True)
class Skipped:
    """Something in an answer that could not be understood, and why; it counts as unknown."""

    what: str
    why: str


@dataclass(frozen=True, slots=True)
class ChannelList:
    """The node's channels at one instant, and those that could not be read."""

    channels: tuple[Channel, ...]
    skipped: tuple[Skipped, ...] = ()


@dataclass(frozen=True, slots=True)
class ClosedChannel:
    """A channel that the node has forgotten, from `listclosedchannels`."""

    channel_id: str
    peer_id: str | None
    scid: str | None
    local_alias: str | None
    opener: Side | None
    private: bool
    capacity_msat: Msat
    close_cause: str


class ForwardStatus(StrEnum):
    """How far a forward got, in the node's words."""

    OFFERED = "offered"
    SETTLED = "settled"
    FAILED = "failed"
    LOCAL_FAILED = "local_failed"


FINAL_STATUSES = frozenset({ForwardStatus.SETTLED, ForwardStatus.FAILED, ForwardStatus.LOCAL_FAILED})


class Forward(NamedTuple):
    """One row of `listforwards`. A tuple and not a dataclass because millions pass through at start."""

    created_index: int
    updated_index: int | None
    in_scid: int
    """As `units.scid_to_key` writes it, like `out_scid`."""
    in_htlc_id: int | None
    in_msat: Msat
    out_scid: int | None
    """For local_failed whatever the sender wrote: not necessarily a channel of ours."""
    out_htlc_id: int | None
    out_msat: Msat | None
    fee_msat: Msat | None
    status: str
    failcode: int | None
    received_at: Micros
    resolved_at: Micros | None


@dataclass(frozen=True, slots=True)
class ForwardPage:
    """One page of forwards in index order. `last_index` is the highest index on the page, unreadable rows included;
    None means that the page was empty and there is nothing more.
    """

    forwards: list[Forward]
    last_index: int | None
    skipped: tuple[Skipped, ...] = ()


class RoutedMove(NamedTuple):
    """One side of a settled forward, from `listchannelmoves`: a credit where it entered or a debit where it left."""

    created_index: int
    channel_id: str
    credit_msat: Msat
    debit_msat: Msat
    fees_msat: Msat
    moved_at: Micros
    """Whole seconds; the node knows no better."""
    payment_hash: str


@dataclass(frozen=True, slots=True)
class MovePage:
    """One page of channel moves in index order, of which only the routed ones are kept; as `ForwardPage` otherwise."""

    routed: list[RoutedMove]
    first_moved_at: Micros | None
    last_index: int | None
    skipped: tuple[Skipped, ...] = ()


@dataclass(frozen=True, slots=True)
class Feerates:
    """What block space costs now, from `feerates`."""

    estimates: tuple[tuple[int, FeeratePerKw], ...]
    """(blocks to wait, raw estimate), by blocks, rising."""
    floor_per_kw: FeeratePerKw | None
    open_cost_sat: Sat | None
    close_cost_sat: Sat | None


@dataclass(frozen=True, slots=True)
class OnchainFunds:
    """What the wallet holds. Outputs that are reserved still belong to us and are included."""

    confirmed_msat: Msat
    unconfirmed_msat: Msat
    reserved_msat: Msat
    """Part of the two above that something else has already claimed."""


@dataclass(frozen=True, slots=True)
class FeeReply:
    """What `setchannel` says is now in force for one channel."""

    channel_id: str
    fee: ChannelFee
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What this node can be asked, from its `help`: command names with their usage."""

    usage: dict[str, str] = field(default_factory=dict)

    def has(self, command: str, *, parameter: str | None = None) -> bool:
        """The node knows `command`, and if named, `parameter` stands in its usage."""
        usage = self.usage.get(command)
        return usage is not None and (parameter is None or parameter in usage)
