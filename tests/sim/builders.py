"""What the tests of the simulated node share: a clock moved by hand, a caller, and ways to fill and move a world."""

from dataclasses import astuple
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from revenued.model import ChannelFee
from revenued.sim.channel import SimChannel
from revenued.sim.forwards import ForwardRow
from revenued.sim.world import World
from revenued.units import Msat, Ppm
from revenued.wire import exchange

START = datetime(2026, 1, 5, tzinfo=UTC)
SAT = 1000


class HandClock:
    """Stands still until it is moved."""

    speed = 1.0

    def __init__(self) -> None:
        self.instant = START

    def now(self) -> datetime:
        return self.instant

    def move(self, **span: float) -> None:
        """Move on by a timedelta given in its own words."""
        self.instant += timedelta(**span)


def fee(ppm: int, base_msat: int = 0) -> ChannelFee:
    return ChannelFee(Msat(base_msat), Ppm(ppm))


def advance(world: World, **span: float) -> None:
    """Move a world on by a timedelta given in its own words."""
    world.advance(world.now + timedelta(**span))


def half_full(world: World) -> World:
    """Return the world with every balance in the middle, so that forwards fit in both directions."""
    for channel in world.channels:
        channel.to_us_msat = channel.capacity_msat // 2
    world.start_total_msat = world.total_msat()
    return world


def lone_pair(world: World) -> tuple[SimChannel, SimChannel]:
    """Return two channels of peers that have one each."""
    first, second = [channel for channel in world.channels if len(channel.peer.channels) == 1][:2]
    return first, second


def facts(rows: list[ForwardRow]) -> list[tuple[object, ...]]:
    """Return rows in a form that compares."""
    return [astuple(row) for row in rows]


def ask(path: Path, method: str, params: Any = None, **more: Any) -> Any:
    """Return the result of a call, or its error object under the key "error"."""
    request = {"jsonrpc": "2.0", "id": "t", "method": method, "params": params or {}, **more}
    answer = exchange(path, request, timeout=10)
    return answer["result"] if "result" in answer else {"error": answer["error"]}
