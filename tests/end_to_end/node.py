"""The simulated node as these tests use it: it remembers what it was told, and its book can be compared."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from revenued.clock import Clock, WallClock, to_micros
from revenued.model import ChannelFee, ForwardStatus
from revenued.sim.channel import SimChannel
from revenued.sim.forwards import ForwardRow
from revenued.sim.market import Market
from revenued.sim.rpc import RpcServer
from revenued.sim.world import ENFORCE_DELAY_SECONDS, World
from revenued.units import MICROS_PER_SECOND, Micros, Msat, Ppm, scid_to_key

SAT = 1000
BOOK = (
    "SELECT created_index, updated_index, in_scid, in_htlc_id, in_msat, COALESCE(out_scid, asked_scid), out_htlc_id, "
    "out_msat, fee_msat, status, failcode, received_at, resolved_at FROM forwards ORDER BY created_index"
)
"""The database's forwards in the form of `book_of`."""
EARNED = "SELECT SUM(earned_msat) FROM forward_days"
_FATES = (ForwardStatus.SETTLED,) * 6 + (ForwardStatus.FAILED, ForwardStatus.LOCAL_FAILED, ForwardStatus.OFFERED)


def _nothing(_count: int) -> None:
    return


class WatchedWorld(World):
    """Remembers every price that the node was told over its socket. Prices that a test sets go through `by_hand`."""

    def __init__(self, seed: int, start: datetime, channels: int, *, market: Market) -> None:
        super().__init__(seed, start, channels, market=market)
        self.told: list[tuple[str, ChannelFee]] = []
        self.before_telling: Callable[[int], None] = _nothing
        """Called in the node's own thread with how many prices were told before."""
        self.after_telling: Callable[[int], None] = _nothing
        """Called when the price is in force and the answer is not on its way yet."""

    def set_fee(
        self, channel: SimChannel, fee: ChannelFee, *, enforce_delay_seconds: float = ENFORCE_DELAY_SECONDS
    ) -> None:
        self.before_telling(len(self.told))
        super().set_fee(channel, fee, enforce_delay_seconds=enforce_delay_seconds)
        self.told.append((channel.channel_id, fee))
        self.after_telling(len(self.told))

    def told_times(self, fee: ChannelFee | None = None) -> Counter[str]:
        """Return how often each channel was told a price, this one or any."""
        return Counter(channel_id for channel_id, told in self.told if fee in (None, told))

    def prices(self) -> dict[str, ChannelFee]:
        """Return what each channel charges."""
        return {channel.channel_id: channel.fee for channel in self.channels}


def price(ppm: int, base_msat: int = 0) -> ChannelFee:
    return ChannelFee(Msat(base_msat), Ppm(ppm))


def by_hand(world: World, channel: SimChannel, fee: ChannelFee) -> None:
    """Set a price as the operator does, past the daemon."""
    World.set_fee(world, channel, fee)


def quiet_world(channels: int = 6, *, seed: int = 1) -> WatchedWorld:
    """Return a node as of now with every balance in the middle, to which nothing happens by itself."""
    world = WatchedWorld(seed, datetime.now(UTC) - timedelta(days=1), channels, market=Market.quiet())
    for channel in world.channels:
        channel.to_us_msat = channel.capacity_msat // 2
    world.start_total_msat = world.total_msat()
    return world


def lone_pair(world: World) -> tuple[SimChannel, SimChannel]:
    """Return two channels of peers that have one each."""
    first, second = [channel for channel in world.channels if len(channel.peer.channels) == 1][:2]
    return first, second


def write_history(world: World, rng: Random, count: int) -> None:
    """Add `count` past forwards to the node's book, some of them still under way."""
    begin = to_micros(world.now - timedelta(days=20))
    for place in range(count):
        entry, way_out = rng.sample(world.channels, 2)
        out_msat = rng.randrange(1_000, 50_000_000)
        at, fate = Micros(begin + place * 40 * MICROS_PER_SECOND), rng.choice(_FATES)
        row = ForwardRow(0, entry.scid, place, out_msat + rng.randrange(5_000), ForwardStatus.OFFERED, at)
        row.out_scid = way_out.scid
        if fate is ForwardStatus.LOCAL_FAILED:
            row.status, row.failcode = fate, 0x1007
        else:
            row.out_htlc_id, row.out_msat = place, out_msat
        world.book.add(row)
        if fate in (ForwardStatus.SETTLED, ForwardStatus.FAILED):
            world.book.resolve(row, fate, at=Micros(at + 3 * MICROS_PER_SECOND))


def end_some(world: World, count: int) -> None:
    """Settle the oldest of the forwards that are under way."""
    for row in [row for row in world.book.rows() if row.status is ForwardStatus.OFFERED][:count]:
        world.book.resolve(row, ForwardStatus.SETTLED, at=to_micros(world.now))


def book_of(world: World) -> list[tuple[object, ...]]:
    """Return every forward that the node knows."""
    return [
        (
            row.created_index, row.updated_index or None, scid_to_key(row.in_scid), row.in_htlc_id, row.in_msat,
            None if row.out_scid is None else scid_to_key(row.out_scid), row.out_htlc_id, row.out_msat, row.fee_msat,
            row.status.value, row.failcode, row.received_at, row.resolved_at,
        )
        for row in world.book.rows()
    ]  # fmt: skip


@contextmanager
def serving(world: World, path: Path, *, clock: Clock | None = None) -> Iterator[RpcServer]:
    """Serve a world at `path`."""
    with RpcServer(world, path, clock=clock or WallClock()) as server:
        yield server
