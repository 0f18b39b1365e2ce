"""The simulated node without a socket: the same world, answering the `Node` protocol in the values of the model."""

from collections.abc import Sequence

from revenued.clock import Clock, from_micros
from revenued.errors import NodeRefused
from revenued.model import (
    NORMAL_STATES,
    Capabilities,
    Channel,
    ChannelFee,
    ChannelList,
    ChannelPolicy,
    ClosedChannel,
    Feerates,
    FeeReply,
    Forward,
    ForwardPage,
    Htlc,
    MovePage,
    NodeInfo,
    OnchainFunds,
    Skipped,
)
from revenued.node.cln import UNKNOWN_COMMAND
from revenued.node.interface import Counter, ForwardIndex
from revenued.sim.chain import FLOOR_PER_KW, MUTUAL_CLOSE_WEIGHT, OPENING_WEIGHT
from revenued.sim.channel import DUST_LIMIT_MSAT, SimChannel
from revenued.sim.channel_shapes import MAX_CONCURRENT_HTLCS
from revenued.sim.commands import COMMANDS
from revenued.sim.forwards import ForwardRow
from revenued.sim.params import INVALID_PARAMS
from revenued.sim.shapes import NETWORK, VERSION
from revenued.sim.switch import CLTV_DELTA
from revenued.sim.world import World
from revenued.units import MSAT_PER_SAT, FeeratePerKw, Msat, Sat, scid_to_key


class SimNode:
    """A node in a simulated market; what its methods return and raise stands in `Node`."""

    def __init__(self, world: World, clock: Clock) -> None:
        self._world = world
        self._clock = clock

    def info(self) -> NodeInfo:
        """Say who the node is."""
        world = self._today()
        return NodeInfo(
            node_id=world.node_id,
            alias=world.alias,
            network=NETWORK,
            version=VERSION,
            blockheight=world.chain.height,
            fees_collected_msat=Msat(world.book.fees_collected_msat),
            syncing=world.syncing,
        )

    def capabilities(self) -> Capabilities:
        """Name the methods that the simulated socket serves."""
        return Capabilities({name: f"{name} {command.usage}" for name, command in COMMANDS.items()})

    def channels(self) -> ChannelList:
        """List the channels, closed ones until they are forgotten."""
        return ChannelList(tuple(_channel(channel) for channel in self._today().channels))

    def closed_channels(self) -> tuple[tuple[ClosedChannel, ...], tuple[Skipped, ...]]:
        """List the channels that are forgotten."""
        return tuple(_closed(channel) for channel in self._today().forgotten), ()

    def aliases(self, node_ids: Sequence[str]) -> dict[str, str]:
        """Name those of the nodes that are peers."""
        known = {peer.node_id: peer.alias for peer in self._world.peers}
        return {node_id: known[node_id] for node_id in node_ids if node_id in known}

    def forwards(self, index: ForwardIndex, *, start: int, limit: int) -> ForwardPage:
        """Return one page; rows that never changed are not on the updated index."""
        rows = self._today().book.page(index, start=max(start, 1), limit=limit)
        if not rows:
            return ForwardPage([], None)
        last = rows[-1]
        return ForwardPage(list(map(_forward, rows)), last.created_index if index == "created" else last.updated_index)

    def forward_counter(self, counter: Counter) -> int:
        """Return where a counter stands."""
        return self._today().book.counters[counter]

    def routed_moves(self, *, start: int, limit: int) -> MovePage:
        """Refuse: this market keeps no channel moves."""
        raise NodeRefused(f"Unknown command 'listchannelmoves' (asked for {limit} from {start})", UNKNOWN_COMMAND)

    def feerates(self) -> Feerates:
        """Return the estimates and what opening and closing would cost."""
        chain = self._today().chain
        return Feerates(
            estimates=tuple((blocks, FeeratePerKw(per_kw)) for blocks, per_kw in chain.estimates()),
            floor_per_kw=FeeratePerKw(FLOOR_PER_KW),
            open_cost_sat=Sat(chain.cost_sat(OPENING_WEIGHT, blocks=12)),
            close_cost_sat=Sat(chain.cost_sat(MUTUAL_CLOSE_WEIGHT, blocks=100)),
        )

    def onchain_funds(self) -> OnchainFunds:
        """Return what the wallet holds."""
        outputs = self._today().chain.outputs
        confirmed = sum(output.amount_sat for output in outputs if output.height is not None)
        unconfirmed = sum(output.amount_sat for output in outputs if output.height is None)
        reserved = sum(output.amount_sat for output in outputs if output.reserved)
        return OnchainFunds(*(Msat(amount * MSAT_PER_SAT) for amount in (confirmed, unconfirmed, reserved)))

    def set_channel_fee(self, channel_id: str, fee: ChannelFee) -> FeeReply:
        """Change the price of one channel."""
        world = self._today()
        channel = next((channel for channel in world.channels if channel.channel_id == channel_id), None)
        if channel is None:
            raise NodeRefused("id: Channel id not found", INVALID_PARAMS)
        if channel.state not in NORMAL_STATES:
            raise NodeRefused(f"id: Channel in state {channel.state}", INVALID_PARAMS)
        world.set_fee(channel, fee)
        return FeeReply(channel_id, channel.fee)

    def _today(self) -> World:
        self._world.advance(self._clock.now())
        return self._world


def _channel(channel: SimChannel) -> Channel:
    peer, reserve = channel.peer, Msat(channel.reserve_msat)
    return Channel(
        channel_id=channel.channel_id,
        peer_id=peer.node_id,
        state=channel.state,
        scid=channel.scid,
        local_alias=channel.local_alias,
        private=channel.private,
        opener=channel.opener,
        peer_connected=peer.online,
        reestablished=True if peer.online and channel.state in NORMAL_STATES else None,
        capacity_msat=Msat(channel.capacity_msat),
        to_us_msat=Msat(channel.to_us_msat),
        our_reserve_msat=reserve,
        their_reserve_msat=reserve,
        spendable_msat=Msat(channel.spendable_msat),
        receivable_msat=Msat(channel.receivable_msat),
        ours=_policy(channel.fee, channel.htlc_minimum_msat, channel.htlc_maximum_msat, CLTV_DELTA),
        theirs=_policy(peer.fee_towards_us, 1000, channel.capacity_msat - reserve, peer.cltv_expiry_delta),
        their_max_in_flight_msat=None,
        our_max_in_flight_msat=None,
        max_accepted_htlcs=MAX_CONCURRENT_HTLCS,
        htlcs=tuple(
            Htlc(
                incoming=htlc.incoming,
                htlc_id=htlc.htlc_id,
                amount_msat=Msat(htlc.amount_msat),
                expiry_height=htlc.expiry_height,
                trimmed=htlc.amount_msat < DUST_LIMIT_MSAT,
            )
            for htlc in channel.htlcs.values()
        ),
        opened_at=from_micros(channel.opened_at // 1000 * 1000),  # the node writes milliseconds
        out_fulfilled_msat=Msat(channel.outgoing.fulfilled_msat),
        in_fulfilled_msat=Msat(channel.incoming.fulfilled_msat),
        funding_txid=channel.funding_txid,
        funding_outnum=channel.funding_outnum,
    )


def _policy(fee: ChannelFee, least_msat: int, most_msat: int, cltv_expiry_delta: int) -> ChannelPolicy:
    return ChannelPolicy(fee, Msat(least_msat), Msat(most_msat), cltv_expiry_delta)


def _closed(channel: SimChannel) -> ClosedChannel:
    return ClosedChannel(
        channel_id=channel.channel_id,
        peer_id=channel.peer.node_id,
        scid=channel.scid,
        local_alias=channel.local_alias,
        opener=channel.opener,
        private=channel.private,
        capacity_msat=Msat(channel.capacity_msat),
        close_cause="user",
    )


def _forward(row: ForwardRow) -> Forward:
    fee_msat = row.fee_msat
    return Forward(
        created_index=row.created_index,
        updated_index=row.updated_index or None,
        in_scid=scid_to_key(row.in_scid),
        in_htlc_id=row.in_htlc_id,
        in_msat=Msat(row.in_msat),
        out_scid=None if row.out_scid is None else scid_to_key(row.out_scid),
        out_htlc_id=row.out_htlc_id,
        out_msat=None if row.out_msat is None else Msat(row.out_msat),
        fee_msat=None if fee_msat is None else Msat(fee_msat),
        status=row.status.value,
        failcode=row.failcode,
        received_at=row.received_at,
        resolved_at=row.resolved_at,
    )
