"""What the network tells about channels: our own public ones and those of our peers' other neighbours."""

from collections.abc import Iterator
from dataclasses import dataclass

from revenued.model import NORMAL_STATES, ChannelFee
from revenued.sim.channel import Rival, SimChannel, SimPeer
from revenued.sim.switch import CLTV_DELTA
from revenued.sim.world import World
from revenued.units import Micros, Msat, Ppm


@dataclass(frozen=True, slots=True)
class GossipEdge:
    """One direction of one channel, as announced by its source."""

    source: str
    destination: str
    scid: str
    capacity_msat: int
    active: bool
    announced_at: Micros
    fee: ChannelFee
    cltv_expiry_delta: int
    htlc_minimum_msat: int
    htlc_maximum_msat: int

    @property
    def direction(self) -> int:
        """Return 0 when the source's node id is the lower one, else 1 (BOLT 7)."""
        return int(self.source > self.destination)


def edges(world: World) -> Iterator[GossipEdge]:
    """Yield everything that gossip tells; of a rival's channel only the direction into our peer."""
    for channel in world.channels:
        if not channel.private and channel.state in NORMAL_STATES:
            yield _ours(world.node_id, channel)
            yield _theirs(world.node_id, channel)
    for peer in world.peers:
        for rival in peer.rivals:
            yield _rival(peer, rival)


def _ours(node_id: str, channel: SimChannel) -> GossipEdge:
    return GossipEdge(
        source=node_id,
        destination=channel.peer.node_id,
        scid=channel.scid,
        capacity_msat=channel.capacity_msat,
        active=channel.peer.online,
        announced_at=channel.announced_at,
        fee=channel.fee,
        cltv_expiry_delta=CLTV_DELTA,
        htlc_minimum_msat=channel.htlc_minimum_msat,
        htlc_maximum_msat=channel.htlc_maximum_msat,
    )


def _theirs(node_id: str, channel: SimChannel) -> GossipEdge:
    return GossipEdge(
        source=channel.peer.node_id,
        destination=node_id,
        scid=channel.scid,
        capacity_msat=channel.capacity_msat,
        active=channel.peer.online,
        announced_at=channel.opened_at,
        fee=channel.peer.fee_towards_us,
        cltv_expiry_delta=channel.peer.cltv_expiry_delta,
        htlc_minimum_msat=1000,
        htlc_maximum_msat=channel.capacity_msat - channel.reserve_msat,
    )


def _rival(peer: SimPeer, rival: Rival) -> GossipEdge:
    return GossipEdge(
        source=rival.node_id,
        destination=peer.node_id,
        scid=rival.scid,
        capacity_msat=rival.capacity_msat,
        active=rival.active,
        announced_at=rival.announced_at,
        fee=ChannelFee(Msat(rival.base_fee_msat), Ppm(round(peer.outside_price_ppm * rival.markup))),
        cltv_expiry_delta=40,
        htlc_minimum_msat=1000,
        htlc_maximum_msat=rival.capacity_msat * 99 // 100,
    )
