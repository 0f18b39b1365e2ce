"""How a simulated market begins: peers, channels, rivals and wallet, all drawn from the seed."""

import hashlib
from dataclasses import dataclass
from random import Random

from revenued.model import ChannelFee, Side
from revenued.sim.chain import Chain, WalletOutput
from revenued.sim.channel import Rival, SimChannel, SimPeer, StateChange
from revenued.sim.market import Market
from revenued.units import MICROS_PER_DAY, MSAT_PER_SAT, Micros, Msat, Ppm

START_HEIGHT = 874_000
BLOCKS_PER_DAY = 144
LEAST_CAPACITY_SAT, MOST_CAPACITY_SAT = 1_000_000, 20_000_000
MEDIAN_CAPACITY_SAT = 5_000_000
FIRST_FEE = ChannelFee(base_fee_msat=Msat(1), fee_ppm=Ppm(10))
"""What Core Lightning charges when nobody has said anything."""
NAMES = (
    "Kestrel", "Old Harbour", "bit by bit", "LOOP LANE", "Ümlaut & Söhne", "zap.example", "Corner Shop", "Moss",
    "satoshi's attic", "Pier 9", "☂ rainy day fund", "NodeyMcNodeface", "Café Orange", "quiet-river", "Gatehouse",
    "⚡ tollbooth", "Hedgehog", "Blue Door", "the long way round", "Lantern",
)  # fmt: skip
LEANS = (0.7, -0.7, 0.1, 0.4, -0.5, -0.1)
"""Sources push more than they pull, sinks the other way round; taken in turn."""
QUIET_PEER = 5
QUIET_SHARE = 0.01


@dataclass(frozen=True, slots=True)
class Founding:
    """What a world starts with."""

    node_id: str
    alias: str
    peers: tuple[SimPeer, ...]
    channels: tuple[SimChannel, ...]
    chain: Chain


def found(seed: int, start: Micros, *, channels: int, market: Market) -> Founding:
    """Return a node with this many channels; from three on, the first peer has two of them."""
    rng = Random(f"{seed}/founding")
    node_id = _node_id(f"{seed}/us")
    peers = tuple(
        _peer(rng, f"{seed}/{n}", n, start, market) for n in range(channels - 1 if channels > 2 else channels)
    )
    owners = (*peers, peers[0]) if channels > 2 else peers
    first_private = channels - min(market.private_channels, channels // 4)
    made = tuple(
        _channel(rng, node_id, peer, n, start, private=first_private <= n + 1 < channels)
        for n, peer in enumerate(owners)
    )
    return Founding(node_id, "simulated node", peers, made, _chain(rng))


def fresh_scid(rng: Random, height: int) -> str:
    """Return a short channel id in the block at `height`."""
    return f"{height}x{rng.randrange(1, 3000)}x{rng.randrange(2)}"


def fresh_hash(rng: Random) -> str:
    """Return 32 bytes in hex, as for a transaction or a channel."""
    return rng.randbytes(32).hex()


def _node_id(text: str) -> str:
    digest = hashlib.sha256(text.encode()).hexdigest()
    return ("02" if int(digest[-1], 16) % 2 else "03") + digest


def _peer(rng: Random, name: str, number: int, start: Micros, market: Market) -> SimPeer:
    lean = LEANS[number % len(LEANS)]
    size = rng.lognormvariate(0.0, 0.5) * (QUIET_SHARE if number % 12 == QUIET_PEER else 1.0)
    price_ppm = market.outside_price_ppm * rng.lognormvariate(0.0, 0.7)
    return SimPeer(
        node_id=_node_id(name),
        alias=NAMES[number % len(NAMES)] + (f" {number // len(NAMES) + 1}" if number >= len(NAMES) else ""),
        fee_towards_us=ChannelFee(Msat(rng.choice((0, 0, 1000))), Ppm(rng.choice((1, 50, 150, 300, 600)))),
        cltv_expiry_delta=rng.choice((34, 40, 80, 144)),
        home_price_ppm=price_ppm,
        outside_price_ppm=price_ppm,
        push=size * (1 + lean),
        pull=size * (1 - lean),
        rivals=tuple(_rival(rng, f"{name}/rival {n}", start) for n in range(rng.randrange(6, 16))),
        connected_since=start,
    )


def _rival(rng: Random, name: str, start: Micros) -> Rival:
    outlier = rng.random() < 0.08
    return Rival(
        node_id=_node_id(name),
        scid=fresh_scid(rng, START_HEIGHT - rng.randrange(1000, 80_000)),
        markup=rng.choice((0.0, 20.0)) if outlier else rng.lognormvariate(0.0, 0.4),
        base_fee_msat=rng.choice((0, 0, 0, 1000)),
        capacity_msat=int(rng.lognormvariate(15.4, 0.9)) * MSAT_PER_SAT,
        active=rng.random() > 0.1,
        announced_at=Micros(start - rng.randrange(13 * MICROS_PER_DAY)),
    )


def _channel(rng: Random, node_id: str, peer: SimPeer, number: int, start: Micros, *, private: bool) -> SimChannel:
    drawn_sat = int(MEDIAN_CAPACITY_SAT * rng.lognormvariate(0.0, 0.8))
    capacity_msat = min(MOST_CAPACITY_SAT, max(LEAST_CAPACITY_SAT, drawn_sat)) * MSAT_PER_SAT
    opener = Side.LOCAL if rng.random() < 0.6 else Side.REMOTE
    to_us_msat = int(capacity_msat * rng.uniform(0.1, 0.9))
    age_days = rng.randrange(5, 400)
    opened_at = Micros(start - age_days * MICROS_PER_DAY - rng.randrange(MICROS_PER_DAY))
    channel = SimChannel(
        channel_id=fresh_hash(rng),
        peer=peer,
        scid=fresh_scid(rng, START_HEIGHT - age_days * BLOCKS_PER_DAY - number),
        local_alias=_alias(rng),
        remote_alias=_alias(rng),
        direction=int(node_id > peer.node_id),
        private=private,
        opener=opener,
        funding_txid=fresh_hash(rng),
        funding_outnum=rng.randrange(2),
        capacity_msat=capacity_msat,
        to_us_msat=to_us_msat,
        least_to_us_msat=0 if opener is Side.REMOTE else to_us_msat // 2,
        most_to_us_msat=capacity_msat if opener is Side.LOCAL else to_us_msat + (capacity_msat - to_us_msat) // 2,
        opened_at=opened_at,
        fee=FIRST_FEE,
        htlc_minimum_msat=0,
        htlc_maximum_msat=capacity_msat - capacity_msat // 100,
    )
    channel.state_changes.append(
        StateChange(opened_at, "CHANNELD_AWAITING_LOCKIN", "CHANNELD_NORMAL", _cause(opener), "Lockin complete")
    )
    _earlier_traffic(rng, channel)
    peer.channels.append(channel)
    return channel


def _earlier_traffic(rng: Random, channel: SimChannel) -> None:
    """Give the channel the traffic that must have brought its balance about."""
    moved = int(channel.capacity_msat * rng.uniform(0.0, 2.0))
    if channel.opener is Side.LOCAL:
        sent, received = moved + channel.capacity_msat - channel.to_us_msat, moved
    else:
        sent, received = moved, moved + channel.to_us_msat
    for tally, amount in ((channel.outgoing, sent), (channel.incoming, received)):
        payments = 1 + amount // (100_000 * MSAT_PER_SAT)
        tally.offered = tally.fulfilled = tally.next_htlc_id = payments
        tally.offered_msat = tally.fulfilled_msat = amount


def _cause(opener: Side) -> str:
    return "user" if opener is Side.LOCAL else "remote"


def _alias(rng: Random) -> str:
    return f"{rng.randrange(1, 1 << 24)}x{rng.randrange(1 << 24)}x{rng.randrange(1 << 16)}"


def _chain(rng: Random) -> Chain:
    amounts = (3_000_000, 1_250_000, 40_000)
    outputs = [
        WalletOutput(fresh_hash(rng), n, amount, START_HEIGHT - rng.randrange(10, 5000), reserved=amount < 100_000)
        for n, amount in enumerate(amounts)
    ]
    return Chain(height=START_HEIGHT, outputs=outputs)
