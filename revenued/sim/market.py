"""Who pays whom through the node: demand between its peers, drawn apart from anything that the node does."""

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from random import Random
from typing import NamedTuple

from revenued.sim.channel import SimPeer
from revenued.units import MICROS_PER_DAY, MICROS_PER_HOUR, MICROS_PER_SECOND, MSAT_PER_SAT, PPM, Micros

BUSIEST_HOUR = 19
SHORTEST_SECONDS, LONGEST_SECONDS = 0.2, 60.0
STUCK_SHORTEST_SECONDS, STUCK_LONGEST_SECONDS = 3600.0, 8 * 3600.0
LEAST_AMOUNT_SAT = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """How lively the world around the node is."""

    arrivals_per_channel_day: float = 70.0
    """Payments that could come through us; those for whom another way is cheaper never show."""
    median_amount_sat: int = 30_000
    amount_deviation: float = 1.2
    fee_sensitivity: float = 3.0
    """Exponent of the price comparison; at the outside price half of the payers choose us."""
    outside_price_ppm: int = 250
    daily_price_drift: float = 0.12
    daily_swing: float = 0.6
    """How much busier the evening is than the mean, as a share of it."""
    downstream_failure: float = 0.12
    stuck_share: float = 0.003
    unknown_next_per_day: float = 3.0
    mean_uptime_hours: float | None = 72.0
    """None: peers stay."""
    mean_downtime_minutes: float = 40.0
    feerate_spikes: bool = True
    private_channels: int = 1

    @classmethod
    def quiet(cls) -> "Market":
        """Return a market with blocks and feerates only, for those who move the pieces themselves."""
        return cls(
            arrivals_per_channel_day=0.0,
            unknown_next_per_day=0.0,
            mean_uptime_hours=None,
            feerate_spikes=False,
            private_channels=0,
        )


class Arrival(NamedTuple):
    """One payment that could go through the node, with all the chance that decides what becomes of it."""

    at: Micros
    source: int
    sink: int
    amount_msat: int
    """What the sink is to receive from us."""
    choice: float
    fate: float
    seconds: float


class Demand:
    """The stream of arrivals; the same seed gives the same stream, whatever the node charges."""

    def __init__(self, rng: Random, market: Market, peers: Sequence[SimPeer], *, channels: int) -> None:
        self._rng = rng
        self._market = market
        self._per_micro = market.arrivals_per_channel_day * channels / MICROS_PER_DAY
        self._pairs = [(i, j) for i in range(len(peers)) for j in range(len(peers)) if i != j]
        weights = (peers[i].push * peers[j].pull * rng.lognormvariate(0.0, 0.6) for i, j in self._pairs)
        self._cumulative = list(accumulate(weights))

    def next_after(self, at: Micros) -> Arrival | None:
        """Return the first arrival after `at`; None when there will never be one."""
        if self._per_micro <= 0 or not self._pairs:
            return None
        rng, swing = self._rng, self._market.daily_swing
        while True:
            at = Micros(at + 1 + int(rng.expovariate(self._per_micro * (1 + swing))))
            if rng.random() * (1 + swing) < 1 + swing * time_of_day(at):
                return self._arrival(at)

    def _arrival(self, at: Micros) -> Arrival:
        rng, market = self._rng, self._market
        drawn = bisect_right(self._cumulative, rng.random() * self._cumulative[-1])
        source, sink = self._pairs[min(drawn, len(self._pairs) - 1)]
        amount_sat = market.median_amount_sat * rng.lognormvariate(0.0, market.amount_deviation)
        amount_msat = max(LEAST_AMOUNT_SAT * MSAT_PER_SAT, int(amount_sat * MSAT_PER_SAT))
        stuck = rng.random() < market.stuck_share
        span = (STUCK_SHORTEST_SECONDS, STUCK_LONGEST_SECONDS) if stuck else (SHORTEST_SECONDS, LONGEST_SECONDS)
        seconds = math.exp(rng.uniform(math.log(span[0]), math.log(span[1])))
        return Arrival(at, source, sink, amount_msat, rng.random(), rng.random(), seconds)


def time_of_day(at: Micros) -> float:
    """Return how busy the hour is: 1 in the evening, −1 in the morning, UTC."""
    hour = at % MICROS_PER_DAY / MICROS_PER_HOUR
    return math.cos(2 * math.pi * (hour - BUSIEST_HOUR) / 24)


def share_of_payers(fee_msat: int, amount_msat: int, *, outside_price_ppm: float, sensitivity: float) -> float:
    """Return the share of payers who prefer us at this fee: a logit in the logarithm of the price, 1 at no fee."""
    price_ppm = fee_msat * PPM / amount_msat
    return 1.0 / (1.0 + math.pow(price_ppm / outside_price_ppm, sensitivity))


def patience(since_drained: int | None) -> float:
    """Return the share of payers who try a channel that turned somebody away this many microseconds ago."""
    return 1.0 if since_drained is None else 1.0 - 0.9 * math.exp(-since_drained / MICROS_PER_HOUR)


def drifted_price(rng: Random, price_ppm: float, *, home_ppm: float, daily_drift: float) -> float:
    """Return the outside price one hour later: a random walk in its logarithm, drawn home over some weeks."""
    away = math.log(price_ppm / home_ppm)
    return home_ppm * math.exp(away * 0.998 + rng.gauss(0.0, daily_drift / math.sqrt(24)))


def in_micros(seconds: float) -> int:
    """Return a span of time in whole microseconds."""
    return round(seconds * MICROS_PER_SECOND)
