"""Our simulated channels and their peers: balances and HTLCs exact to the millisatoshi; nothing here draws chance."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from revenued.model import NORMAL_STATES, ChannelFee, Side
from revenued.units import MSAT_PER_SAT, Micros, Msat, forward_fee

DUST_LIMIT_MSAT = 546 * MSAT_PER_SAT
COMMITMENT_FEERATE_PER_KW = 1000
COMMITMENT_WEIGHT = 1124
HTLC_WEIGHT = 172
ANCHORS_SAT = 660


@dataclass(frozen=True, slots=True)
class SimHtlc:
    """One HTLC in flight."""

    incoming: bool
    htlc_id: int
    amount_msat: int
    expiry_height: int
    payment_hash: str


@dataclass(frozen=True, slots=True)
class StateChange:
    """One step in a channel's life."""

    at: Micros
    old_state: str
    new_state: str
    cause: str
    message: str


@dataclass(slots=True)
class Tally:
    """What one direction of a channel has carried since it was opened."""

    offered: int = 0
    offered_msat: int = 0
    fulfilled: int = 0
    fulfilled_msat: int = 0
    in_flight_msat: int = 0
    next_htlc_id: int = 0


@dataclass(frozen=True, slots=True)
class Rival:
    """Another node's channel into a peer of ours: what payers can use instead, and where the outside price shows."""

    node_id: str
    scid: str
    markup: float
    """This channel's price as a multiple of the peer's outside price."""
    base_fee_msat: int
    capacity_msat: int
    active: bool
    announced_at: Micros


@dataclass(slots=True, eq=False)
class SimPeer:
    """A neighbour of the node, and through it a part of the world that pays and is paid."""

    node_id: str
    alias: str
    fee_towards_us: ChannelFee
    cltv_expiry_delta: int
    home_price_ppm: float
    outside_price_ppm: float
    """What payers pay elsewhere to reach this peer; it drifts around `home_price_ppm`."""
    push: float
    """How much of the world's payments come in through this peer, relative to the others."""
    pull: float
    rivals: tuple[Rival, ...]
    connected_since: Micros
    online: bool = True
    outage: int = 0
    """Counts the planned changes of `online`, so that one that was overtaken by another can tell."""
    channels: list["SimChannel"] = field(default_factory=list)
    held_back: list[Callable[[], None]] = field(default_factory=list)
    """What cannot happen before the peer is back."""


@dataclass(slots=True, eq=False)
class SimChannel:
    """One channel of ours. `to_us_msat` still contains what we have offered and is not settled, as in the node."""

    channel_id: str
    peer: SimPeer
    scid: str
    local_alias: str
    remote_alias: str
    direction: int
    private: bool
    opener: Side
    funding_txid: str
    funding_outnum: int
    capacity_msat: int
    to_us_msat: int
    least_to_us_msat: int
    most_to_us_msat: int
    opened_at: Micros
    fee: ChannelFee
    htlc_minimum_msat: int
    htlc_maximum_msat: int
    state: str = "CHANNELD_NORMAL"
    state_changes: list[StateChange] = field(default_factory=list)
    former_scids: list[str] = field(default_factory=list)
    outgoing: Tally = field(default_factory=Tally)
    incoming: Tally = field(default_factory=Tally)
    htlcs: dict[tuple[bool, int], SimHtlc] = field(default_factory=dict)
    public_fee: ChannelFee = field(init=False)
    """What payers believe that we charge."""
    on_its_way: deque[tuple[Micros, ChannelFee]] = field(default_factory=deque)
    """Announcements that have not reached payers, with the instant when they will."""
    former_fee: ChannelFee = field(init=False)
    former_fee_until: Micros = field(init=False)
    announced_at: Micros = field(init=False)
    drained_at: Micros | None = None
    """When a payer was last turned away for want of balance."""
    closed_height: int | None = None
    """The height of the chain when the close was put on it."""

    def __post_init__(self) -> None:
        self.public_fee = self.former_fee = self.fee
        self.former_fee_until = self.announced_at = self.opened_at

    @property
    def reserve_msat(self) -> int:
        """Return what each side must keep: one percent, not below dust."""
        return max(self.capacity_msat // 100, DUST_LIMIT_MSAT)

    @property
    def is_usable(self) -> bool:
        """The channel can carry an HTLC now."""
        return self.state in NORMAL_STATES and self.peer.online

    @property
    def spendable_msat(self) -> int:
        """Return the most that one HTLC out could carry; as in the node, state and limits do not matter to it."""
        return self._movable(self.to_us_msat, self.outgoing, pays_commitment=self.opener is Side.LOCAL)

    @property
    def receivable_msat(self) -> int:
        """Return the most that one HTLC in could carry."""
        theirs = self.capacity_msat - self.to_us_msat
        return self._movable(theirs, self.incoming, pays_commitment=self.opener is Side.REMOTE)

    def seen_fee(self, now: Micros) -> ChannelFee:
        """Return the fee that payers believe in now."""
        while self.on_its_way and self.on_its_way[0][0] <= now:
            self.public_fee = self.on_its_way.popleft()[1]
        return self.public_fee

    def change_fee(self, fee: ChannelFee, *, now: Micros, seen_at: Micros, former_until: Micros) -> None:
        """Charge `fee` from now on; payers learn it at `seen_at`, the former fee is still taken until `former_until`.

        An identical fee is not announced again, as in the node.
        """
        if fee == self.fee:
            return
        self.former_fee, self.former_fee_until = self.fee, former_until
        self.fee = fee
        self.announced_at = now
        if self.on_its_way:  # gossip of one channel does not overtake itself
            seen_at = max(seen_at, self.on_its_way[-1][0])
        self.on_its_way.append((seen_at, fee))

    def least_fee_msat(self, amount_msat: int, now: Micros) -> int:
        """Return the least fee that is accepted now for sending `amount_msat` out of this channel."""
        fee = fee_of(self.fee, amount_msat)
        return min(fee, fee_of(self.former_fee, amount_msat)) if now < self.former_fee_until else fee

    def add_htlc(self, amount_msat: int, *, incoming: bool, expiry_height: int) -> SimHtlc:
        """Put an HTLC in flight."""
        tally = self.incoming if incoming else self.outgoing
        htlc_id = self.count_htlc(amount_msat, incoming=incoming)
        hash_seed = f"{self.channel_id[:40]}{htlc_id:024x}"
        htlc = SimHtlc(incoming, htlc_id, amount_msat, expiry_height, payment_hash=hash_seed)
        self.htlcs[(incoming, htlc_id)] = htlc
        tally.in_flight_msat += amount_msat
        return htlc

    def count_htlc(self, amount_msat: int, *, incoming: bool) -> int:
        """Count an HTLC that was offered, and return its id."""
        tally = self.incoming if incoming else self.outgoing
        htlc_id = tally.next_htlc_id
        tally.next_htlc_id += 1
        tally.offered += 1
        tally.offered_msat += amount_msat
        return htlc_id

    def remove_htlc(self, htlc_id: int, *, incoming: bool, fulfilled: bool) -> None:
        """Take an HTLC out of flight; only one that was fulfilled moves money."""
        htlc = self.htlcs.pop((incoming, htlc_id))
        tally = self.incoming if incoming else self.outgoing
        tally.in_flight_msat -= htlc.amount_msat
        if fulfilled:
            tally.fulfilled += 1
            tally.fulfilled_msat += htlc.amount_msat
            self.to_us_msat += htlc.amount_msat if incoming else -htlc.amount_msat
            self.least_to_us_msat = min(self.least_to_us_msat, self.to_us_msat)
            self.most_to_us_msat = max(self.most_to_us_msat, self.to_us_msat)

    def enter(self, state: str, *, at: Micros, cause: str, message: str) -> None:
        """Move to another state and remember the step."""
        self.state_changes.append(StateChange(at, self.state, state, cause, message))
        self.state = state

    def _movable(self, side_msat: int, tally: Tally, *, pays_commitment: bool) -> int:
        free = side_msat - self.reserve_msat - tally.in_flight_msat
        if pays_commitment:
            free -= commitment_fee_msat(len(self.htlcs) + 1)
        return max(0, free)


def commitment_fee_msat(htlcs: int) -> int:
    """Return what the opener keeps aside for a commitment transaction at twice the feerate, anchors included."""
    weight = COMMITMENT_WEIGHT + HTLC_WEIGHT * htlcs
    return (2 * COMMITMENT_FEERATE_PER_KW * weight // 1000 + ANCHORS_SAT) * MSAT_PER_SAT


def fee_of(fee: ChannelFee, amount_msat: int) -> int:
    """Return the fee in msat for sending `amount_msat` out at this price."""
    return forward_fee(Msat(amount_msat), base_fee=fee.base_fee_msat, fee_ppm=fee.fee_ppm)
