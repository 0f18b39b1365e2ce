"""Everything that one fee decision may look at, and what comes out of it: frozen values, no behaviour."""

from dataclasses import dataclass
from datetime import datetime

from revenued.config import Settings
from revenued.flow.estimate import FlowEstimate
from revenued.model import Channel, ChannelFee
from revenued.units import Ppm


@dataclass(frozen=True, slots=True)
class FeeMemory:
    """What we remember of a channel's price, apart from what the node shows now."""

    gossip_allowance: float
    """Broadcasts that this channel may make at `gossip_allowance_at`."""
    gossip_allowance_at: datetime
    broadcast: ChannelFee | None = None
    """What the node confirmed that it told the network for us."""
    broadcast_at: datetime | None = None
    intended: ChannelFee | None = None
    """What we were last about to set. A live fee that equals it is ours, however late it appears."""
    intended_at: datetime | None = None
    outside: ChannelFee | None = None
    """The live fee that somebody else set, while it stands."""
    outside_seen_at: datetime | None = None
    pending_ppm: Ppm | None = None
    """The target that a gate is holding back."""
    pending_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class FeeCase:
    """One channel at one instant, as the fee rules see it."""

    channel: Channel
    memory: FeeMemory
    base_ppm: Ppm
    """The learned base price."""
    first_seen_at: datetime
    flow: FlowEstimate | None
    ever_sent_out: bool
    """A forward has left through this channel at least once."""
    settings: Settings
    paused: bool
    now: datetime

    @property
    def live(self) -> ChannelFee | None:
        """Return the fee in force according to the node; None when the node does not say."""
        return self.channel.fee


@dataclass(frozen=True, slots=True)
class Step:
    """One link in the chain from the live fee to the target: which rule moved it from where to where, and why."""

    rule: str
    from_ppm: Ppm | None
    to_ppm: Ppm | None
    why: str


@dataclass(frozen=True, slots=True)
class Objection:
    """A gate's reason to hold a change back, and until when, where that is known."""

    gate: str
    why: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class FeeDecision:
    """What a channel should cost and how that came about."""

    channel_id: str
    live: ChannelFee | None
    target: ChannelFee | None
    """None: left alone."""
    steps: tuple[Step, ...]
    warnings: tuple[str, ...] = ()
