"""What time it is, as a value that is passed in: the wall clock, or a faster one for the simulated node."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from revenued.units import MICROS_PER_SECOND, Micros

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(2970, 1, 1, tzinfo=UTC).timestamp()
"""Seconds since 1970; a clock said to start later was written wrongly."""


def to_micros(instant: datetime) -> Micros:
    """Return an aware datetime as microseconds since 1970, exactly."""
    return Micros((instant - EPOCH) // timedelta(microseconds=1))


def from_micros(instant: int) -> datetime:
    """Return microseconds since 1970 as an aware datetime in UTC."""
    return EPOCH + timedelta(microseconds=instant)


class Clock(Protocol):
    """Tells the time that decisions are made in, and how much faster than real time it runs."""

    def now(self) -> datetime:
        """Return the present instant, aware, UTC."""
        ...

    @property
    def speed(self) -> float:
        """Return how many seconds pass on this clock in one real second."""
        ...


class WallClock:
    """The system's real-time clock."""

    speed = 1.0

    def now(self) -> datetime:
        """Return the present instant."""
        return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class FastClock:
    """A clock that starts at `start` and runs `fast` times real time for `fast_for` real seconds, then `after` times.

    Two processes given the same four numbers and `zero` (a real time in seconds since 1970) agree on the time.
    """

    zero: float
    start: datetime
    fast: float
    fast_for: float
    after: float = 1.0

    def now(self) -> datetime:
        """Return the present instant of this clock."""
        elapsed = max(0.0, time.time() - self.zero)
        ahead = min(elapsed, self.fast_for) * self.fast + max(0.0, elapsed - self.fast_for) * self.after
        return self.start + timedelta(microseconds=round(ahead * MICROS_PER_SECOND))

    @property
    def speed(self) -> float:
        """Return the present speed."""
        return self.fast if time.time() - self.zero < self.fast_for else self.after

    def to_text(self) -> str:
        """Return the form that `from_text` reads, to hand the same clock to another process."""
        return f"{self.zero!r},{self.start.timestamp()!r},{self.fast!r},{self.fast_for!r},{self.after!r}"

    @classmethod
    def from_text(cls, text: str) -> "FastClock":
        """Read what `to_text` wrote; raises ValueError."""
        zero, start, fast, fast_for, after = (float(part) for part in text.split(","))
        if not (0 <= zero <= LATEST and 0 <= start <= LATEST):
            raise ValueError(f"zero and start must lie between 1970 and 2970: {text!r}")
        if not (0 < fast <= 1e6 and 0 < after <= 1e6 and 0 <= fast_for <= 1e6):
            raise ValueError(f"speeds must lie in (0, 1000000]: {text!r}")
        return cls(zero=zero, start=datetime.fromtimestamp(start, UTC), fast=fast, fast_for=fast_for, after=after)
