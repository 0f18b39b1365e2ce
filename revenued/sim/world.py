"""The simulated market moving through time: the same seed and the same interventions give the same history."""

import heapq
from collections.abc import Callable
from datetime import datetime
from functools import partial
from random import Random

from revenued.clock import from_micros, to_micros
from revenued.model import ChannelFee, ForwardStatus
from revenued.sim import lifecycle
from revenued.sim.chain import FEERATE_STEP_SECONDS
from revenued.sim.channel import SimChannel, SimPeer, fee_of
from revenued.sim.forwards import ForwardRow
from revenued.sim.founding import found, fresh_hash, fresh_scid
from revenued.sim.market import Arrival, Demand, Market, drifted_price, in_micros, patience, share_of_payers
from revenued.sim.switch import TEMPORARY_CHANNEL_FAILURE, UNKNOWN_NEXT_PEER, Switch
from revenued.units import MICROS_PER_HOUR, MSAT_PER_SAT, Micros

ENFORCE_DELAY_SECONDS = 600
GOSSIP_SECONDS = (600.0, 1200.0)
"""How long payers act on the fee of before."""
SECONDS_PER_BLOCK = 600.0
SECONDS_PER_DAY = 86_400.0
LARGE_MSAT = 2_000_000 * MSAT_PER_SAT
"""An amount that meets half of the failures which size brings."""
FAILURE_OF_SIZE = 0.25


class World:
    """A node in its market. Time moves only in `advance`; everything else happens at `now`."""

    def __init__(self, seed: int, start: datetime, channels: int = 12, *, market: Market | None = None) -> None:
        if channels < 2:
            raise ValueError("a market needs two channels: payments come in through one and leave by another")
        self.market = market or Market()
        self.start_micros = self.now_micros = to_micros(start)
        founding = found(seed, self.now_micros, channels=channels, market=self.market)
        self.node_id, self.alias = founding.node_id, founding.alias
        self.peers = founding.peers
        self.channels: list[SimChannel] = list(founding.channels)
        """What the node lists; a closed channel stays here until it is forgotten."""
        self.forgotten: list[SimChannel] = []
        self.chain = founding.chain
        self.switch = Switch(self.chain)
        self.book = self.switch.book
        self.syncing: str | None = None
        """The node's warning while it is behind the chain; set it to see what a caller makes of it."""
        self.start_total_msat = self.total_msat()
        self._chance = {name: Random(f"{seed}/{name}") for name in ("gossip", "chain", "prices", "noise")}
        self._uptime = {peer.node_id: Random(f"{seed}/uptime/{peer.node_id}") for peer in self.peers}
        self._demand = Demand(Random(f"{seed}/demand"), self.market, self.peers, channels=channels)
        self._events: list[tuple[Micros, int, Callable[[], None]]] = []
        self._sequence = 0
        self._begin()

    @property
    def now(self) -> datetime:
        """Return the present instant."""
        return from_micros(self.now_micros)

    def advance(self, until: datetime) -> None:
        """Let everything happen that happens up to `until`, included; an earlier instant changes nothing."""
        end = to_micros(until)
        while self._events and self._events[0][0] <= end:
            at, _, happen = heapq.heappop(self._events)
            self.now_micros = max(self.now_micros, at)
            happen()
        self.now_micros = max(self.now_micros, end)

    def total_msat(self) -> int:
        """Return all that the node owns in channels and on chain; what it has in flight is still its own."""
        return sum(map(lifecycle.owned_msat, self.channels)) + self.chain.wallet_msat()

    def find(self, name: str) -> SimChannel | None:
        """Return the listed channel with this channel id, scid (present or former) or local alias."""
        for channel in self.channels:
            if name in (channel.channel_id, channel.scid, channel.local_alias, *channel.former_scids):
                return channel
        return None

    def set_fee(
        self, channel: SimChannel, fee: ChannelFee, *, enforce_delay_seconds: float = ENFORCE_DELAY_SECONDS
    ) -> None:
        """Change what a channel charges, whoever asked for it; payers hear of it ten to twenty minutes later."""
        channel.change_fee(
            fee,
            now=self.now_micros,
            seen_at=self._in(self._chance["gossip"].uniform(*GOSSIP_SECONDS)),
            former_until=self._in(enforce_delay_seconds),
        )

    def forward_now(
        self,
        in_channel: SimChannel,
        out_channel: SimChannel,
        out_msat: int,
        outcome: ForwardStatus = ForwardStatus.SETTLED,
        *,
        failcode: int = TEMPORARY_CHANNEL_FAILURE,
    ) -> ForwardRow:
        """Forward `out_msat` at the present fee, at once; raises ValueError when the balances forbid it.

        With the outcome `offered` it stays in flight until `finish`; `failcode` goes with `local_failed`.
        """
        now, in_msat = self.now_micros, out_msat + fee_of(out_channel.fee, out_msat)
        if outcome is ForwardStatus.LOCAL_FAILED:
            return self.switch.refuse(in_channel, out_channel.scid, in_msat=in_msat, failcode=failcode, now=now)
        if not in_channel.is_usable or in_msat > in_channel.receivable_msat:
            raise ValueError(f"{in_channel.scid} cannot bring in {in_msat} msat")
        if not out_channel.is_usable or out_msat > out_channel.spendable_msat:
            raise ValueError(f"{out_channel.scid} cannot send out {out_msat} msat")
        row = self.switch.offer(in_channel, out_channel, in_msat=in_msat, out_msat=out_msat, now=now)
        if outcome is not ForwardStatus.OFFERED:
            self.finish(row, settled=outcome is ForwardStatus.SETTLED)
        return row

    def finish(self, row: ForwardRow, *, settled: bool) -> None:
        """Resolve a forward that is in flight, now; raises KeyError when it is not."""
        self.switch.finish(row, settled=settled, now=self.now_micros)

    def delete_forwards(self, *, before: datetime, statuses: frozenset[ForwardStatus]) -> int:
        """Forget forwards in these final states that ended before an instant, as autoclean does; return how many."""
        limit, condemned = to_micros(before), statuses - {ForwardStatus.OFFERED}
        return self.book.delete(lambda row: row.status in condemned and (row.resolved_at or row.received_at) < limit)

    def set_online(self, peer: SimPeer, online: bool) -> None:
        """Connect or disconnect a peer, now; one that was disconnected here stays away until it is connected here."""
        peer.outage += 1
        self._connect(peer, online)
        if online:
            self._plan_outage(peer)

    def splice(self, channel: SimChannel, add_sat: int = 0) -> None:
        """Add wallet funds to a channel, now: the scid changes; channel id, alias and htlcmax stay."""
        rng = self._chance["chain"]
        scid = fresh_scid(rng, self.chain.height)
        lifecycle.splice(channel, self.chain, txid=fresh_hash(rng), scid=scid, add_sat=add_sat, now=self.now_micros)

    def close(self, channel: SimChannel) -> None:
        """Close a channel: its HTLCs fail now, the next block puts it on chain, 100 more and it is forgotten."""
        for flight in list(self.switch.in_flight.values()):
            if channel in (flight.in_channel, flight.out_channel):
                self.finish(flight.row, settled=False)
        lifecycle.begin_close(channel, self.now_micros)

    def _begin(self) -> None:
        self._feerates_move()
        self._prices_move()
        self._plan_block()
        self._plan_noise()
        self._plan_arrival()
        for peer in self.peers:
            self._plan_outage(peer)

    def _in(self, seconds: float) -> Micros:
        return Micros(self.now_micros + in_micros(seconds))

    def _at(self, at: Micros, happen: Callable[[], None]) -> None:
        self._sequence += 1
        heapq.heappush(self._events, (at, self._sequence, happen))

    def _feerates_move(self) -> None:
        self.chain.step_feerates(self._chance["chain"], spikes=self.market.feerate_spikes)
        self._at(self._in(FEERATE_STEP_SECONDS), self._feerates_move)

    def _prices_move(self) -> None:
        for peer in self.peers:
            peer.outside_price_ppm = drifted_price(
                self._chance["prices"],
                peer.outside_price_ppm,
                home_ppm=peer.home_price_ppm,
                daily_drift=self.market.daily_price_drift,
            )
        self._at(Micros(self.now_micros + MICROS_PER_HOUR), self._prices_move)

    def _plan_block(self) -> None:
        self._at(self._in(self._chance["chain"].expovariate(1 / SECONDS_PER_BLOCK)), self._block)

    def _block(self) -> None:
        for channel in self.channels:
            if channel.state == "CLOSINGD_COMPLETE":
                txid = fresh_hash(self._chance["chain"])
                lifecycle.confirm_close(channel, self.chain, txid=txid, now=self.now_micros)
        self.chain.find_block()
        for channel in [channel for channel in self.channels if lifecycle.is_forgotten(channel, self.chain)]:
            self.channels.remove(channel)
            channel.peer.channels.remove(channel)
            self.forgotten.append(channel)
        self._plan_block()

    def _plan_outage(self, peer: SimPeer) -> None:
        if self.market.mean_uptime_hours is None:
            return
        rng = self._uptime[peer.node_id]
        mean = self.market.mean_uptime_hours * 3600 if peer.online else self.market.mean_downtime_minutes * 60
        self._at(self._in(rng.expovariate(1 / mean)), partial(self._outage, peer, peer.outage))

    def _outage(self, peer: SimPeer, planned: int) -> None:
        if planned == peer.outage:  # otherwise somebody has connected or disconnected it since
            self._connect(peer, not peer.online)
            self._plan_outage(peer)

    def _connect(self, peer: SimPeer, online: bool) -> None:
        if online and not peer.online:
            peer.connected_since = self.now_micros
            for happen in peer.held_back:
                self._at(self.now_micros, happen)
            peer.held_back.clear()
        peer.online = online

    def _plan_noise(self) -> None:
        if self.market.unknown_next_per_day > 0:
            mean = SECONDS_PER_DAY / self.market.unknown_next_per_day
            self._at(self._in(self._chance["noise"].expovariate(1 / mean)), self._noise)

    def _noise(self) -> None:
        rng = self._chance["noise"]
        if not self.channels:
            self._plan_noise()
            return
        in_channel = rng.choice(self.channels)
        scid, in_msat = fresh_scid(rng, rng.randrange(100_000, 4_000_000)), rng.randrange(1_000_000, 100_000_000)
        if in_channel.is_usable and in_msat <= in_channel.receivable_msat:
            self.switch.refuse(in_channel, scid, in_msat=in_msat, failcode=UNKNOWN_NEXT_PEER, now=self.now_micros)
        self._plan_noise()

    def _plan_arrival(self) -> None:
        arrival = self._demand.next_after(self.now_micros)
        if arrival is not None:
            self._at(arrival.at, partial(self._arrive, arrival))

    def _arrive(self, arrival: Arrival) -> None:
        self._plan_arrival()
        now, out_msat = self.now_micros, arrival.amount_msat
        ways_in = [channel for channel in self.peers[arrival.source].channels if channel.is_usable]
        ways_out = [
            channel
            for channel in self.peers[arrival.sink].channels
            if channel.is_usable and channel.htlc_minimum_msat <= out_msat <= channel.htlc_maximum_msat
        ]
        if not ways_in or not ways_out:
            return
        in_channel = max(ways_in, key=lambda channel: channel.receivable_msat)
        asked = min(ways_out, key=lambda channel: fee_of(channel.seen_fee(now), out_msat))
        fee_msat = fee_of(asked.seen_fee(now), out_msat)
        if out_msat + fee_msat > in_channel.receivable_msat or not self._prefers_us(arrival, asked, fee_msat):
            return
        row = self.switch.forward(in_channel, asked, in_msat=out_msat + fee_msat, out_msat=out_msat, now=now)
        if row.status is ForwardStatus.OFFERED:
            failure = self.market.downstream_failure + FAILURE_OF_SIZE * out_msat / (out_msat + LARGE_MSAT)
            settles = arrival.fate >= failure
            self._at(self._in(arrival.seconds), partial(self._resolve, row, settles))

    def _prefers_us(self, arrival: Arrival, asked: SimChannel, fee_msat: int) -> bool:
        share = share_of_payers(
            fee_msat,
            arrival.amount_msat,
            outside_price_ppm=asked.peer.outside_price_ppm,
            sensitivity=self.market.fee_sensitivity,
        )
        since_drained = None if asked.drained_at is None else self.now_micros - asked.drained_at
        return arrival.choice < share * patience(since_drained)

    def _resolve(self, row: ForwardRow, settles: bool) -> None:
        flight = self.switch.in_flight.get(row.created_index)
        if flight is None:  # resolved by hand, or with the close of one of its channels
            return
        for peer in (flight.out_channel.peer, flight.in_channel.peer):
            if not peer.online:
                peer.held_back.append(partial(self._resolve, row, settles))
                return
        self.finish(row, settled=settles)
