"""How the base price moves: exposures (whole hours at one constant live price) are collected, closed, and judged.

The state never sees a multiplier or a dry run: an exposure teaches only if the price in force was the base price
itself, brought inside the operator's bounds, give or take what the hysteresis gate leaves.
"""

import math
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Any

from revenued.clock import from_micros, to_micros
from revenued.config import Settings
from revenued.units import Ppm

GOSSIP_SETTLES = timedelta(minutes=30)
"""A new price is not judged before most payers know it (arXiv 2205.12737: 95 % within 753 s, plus sender caches)."""

LIQUID_RATIO = 0.02
"""Outbound share below which a channel has nothing to sell, so silence says nothing about its price."""

LONGEST_GAP = timedelta(hours=24)
"""Time without a look (the daemon was stopped) after which an exposure starts over."""

LARGEST_STEP = 0.4
VOLATILE = 0.5
"""Relative change of the earning rate that is a new market rather than an answer to our step."""

REVERSALS_UNTIL_SLEEP = 4
SLEEP_EXPOSURES = 4


@dataclass(frozen=True, slots=True)
class Exposure:
    """What a channel did over whole hours at one live price. Sums cover [started_at, through_at)."""

    started_at: datetime
    through_at: datetime
    fee_ppm: Ppm
    forward_count: int = 0
    volume_msat: int = 0
    earned_msat: int = 0
    looks: int = 0
    liquid_looks: int = 0
    online_looks: int = 0

    @property
    def hours(self) -> float:
        """Return the length in hours."""
        return max(0.0, (self.through_at - self.started_at) / timedelta(hours=1))

    @property
    def liquid_share(self) -> float:
        """Return in what share of our looks there was something to sell."""
        return self.liquid_looks / self.looks if self.looks else 0.0

    @property
    def online_share(self) -> float:
        """Return in what share of our looks the peer was there."""
        return self.online_looks / self.looks if self.looks else 0.0


@dataclass(frozen=True, slots=True)
class Sold:
    """What left through a channel in some whole hours."""

    forward_count: int = 0
    volume_msat: int = 0
    earned_msat: int = 0

    def __add__(self, other: "Sold") -> "Sold":
        """Return both together."""
        return Sold(
            self.forward_count + other.forward_count,
            self.volume_msat + other.volume_msat,
            self.earned_msat + other.earned_msat,
        )


@dataclass(frozen=True, slots=True)
class LearnerState:
    """What is remembered of one channel between cycles."""

    base_ppm: Ppm
    direction: int
    """+1: the next step raises the price, −1: it lowers it."""
    step: float
    """Size of the next step as a share of the price."""
    last_rate: float | None = None
    """Earnings in msat an hour at the price before."""
    reversals: int = 0
    returning: bool = False
    """The last step was a turn, so the next one only goes back over ground that is known."""
    asleep_for: int = 0
    """Closed exposures that are still slept through."""
    exposure: Exposure | None = None


def first_state(live_ppm: Ppm, settings: Settings) -> LearnerState:
    """Return the state of a channel seen for the first time: it starts from the price it has."""
    return LearnerState(base_ppm=_within(live_ppm, settings), direction=1, step=settings.hill_climb_step)


def next_exposure_start(now: datetime) -> datetime:
    """Return the first whole hour in which payers can be taken to know a price set now."""
    settled = now + GOSSIP_SETTLES
    hour = settled.replace(minute=0, second=0, microsecond=0)
    return hour if hour == settled else hour + timedelta(hours=1)


def observed(
    state: LearnerState, *, live_ppm: Ppm, done: datetime, now: datetime, sold: Sold, liquid: bool, online: bool
) -> tuple[LearnerState, Exposure | None]:
    """Return the state with one more look taken, and the exposure that ended because the price changed, if any.

    `sold` covers the whole hours from the exposure's `through_at` until `done`.
    """
    exposure = state.exposure
    if exposure is None or exposure.fee_ppm != live_ppm or done - exposure.through_at > LONGEST_GAP:
        start = next_exposure_start(now)
        ended = exposure if exposure is not None and exposure.hours > 0 else None
        return replace(state, exposure=Exposure(start, start, live_ppm)), ended
    if now < exposure.started_at:
        return state, None
    grown = replace(
        exposure,
        through_at=max(done, exposure.through_at),
        forward_count=exposure.forward_count + sold.forward_count,
        volume_msat=exposure.volume_msat + sold.volume_msat,
        earned_msat=exposure.earned_msat + sold.earned_msat,
        looks=exposure.looks + 1,
        liquid_looks=exposure.liquid_looks + liquid,
        online_looks=exposure.online_looks + online,
    )
    return replace(state, exposure=grown), None


def is_complete(exposure: Exposure, settings: Settings) -> bool:
    """The exposure is long enough to be judged: enough forwards, or enough time without them."""
    if exposure.hours < settings.exposure_min_hours:
        return False
    return exposure.forward_count >= settings.exposure_min_forwards or exposure.hours >= settings.exposure_max_hours


def teaches(exposure: Exposure, state: LearnerState, settings: Settings) -> bool:
    """The exposure says something about the base price: it was in force, and there was something to sell."""
    # The same words as in the gate: whatever it holds back for ever must teach, or the price would stand still.
    base = _within(state.base_ppm, settings)
    near = abs(exposure.fee_ppm - base) <= settings.fee_hysteresis * exposure.fee_ppm
    return near and exposure.liquid_share >= 0.5 and exposure.online_share >= 0.5


def climbed(state: LearnerState, exposure: Exposure, settings: Settings) -> tuple[LearnerState, str]:
    """Return the state after judging one exposure, and the reason in words.

    Keeps going while the earning rate rises (doubling the step), turns round when it falls (halving it), lowers a price
    that sold nothing, and rests once it has turned round several times without getting anywhere: it is at the top.
    """
    rate = exposure.earned_msat / exposure.hours
    if settings.fee_learner == "fixed":
        return replace(state, last_rate=rate, exposure=None), "the learner is fixed: the base price stays"
    if state.asleep_for > 0 and state.last_rate is not None and not _is_volatile(rate, state.last_rate):
        rested = replace(state, asleep_for=state.asleep_for - 1, exposure=None)
        return rested, f"resting at the top for {rested.asleep_for} more exposures"
    turned, why = _turned(state, rate, exposure, settings)
    smallest = _smallest_step(settings)
    step = min(LARGEST_STEP, max(smallest, turned.step))
    base = _within(state.base_ppm, settings)
    moved = _moved(base, turned.direction * step, settings)
    if moved == base:
        # At a bound the same price is judged again and again, and as long as it earns as much it would stay there.
        turned = replace(turned, direction=-turned.direction, returning=False)
    why = f"{why}; base price {state.base_ppm} → {moved} ppm"
    asleep = SLEEP_EXPOSURES if turned.reversals >= REVERSALS_UNTIL_SLEEP else 0
    reversals = 0 if asleep else turned.reversals
    return (
        replace(
            turned, base_ppm=moved, step=step, last_rate=rate, reversals=reversals, asleep_for=asleep, exposure=None
        ),
        why,
    )


_STATE_FIELDS = tuple(field.name for field in fields(LearnerState) if field.name not in ("base_ppm", "exposure"))
_EXPOSURE_FIELDS = tuple(field.name for field in fields(Exposure) if not field.name.endswith("_at"))


def to_json(state: LearnerState) -> dict[str, Any]:
    """Return the state, without the base price, as it is stored."""
    exposure = state.exposure
    return {
        **{name: getattr(state, name) for name in _STATE_FIELDS},
        "exposure": None
        if exposure is None
        else {
            **{name: getattr(exposure, name) for name in _EXPOSURE_FIELDS},
            "started_at": to_micros(exposure.started_at),
            "through_at": to_micros(exposure.through_at),
        },
    }


def from_json(base_ppm: int, stored: dict[str, Any]) -> LearnerState:
    """Return what `to_json` wrote; raises TypeError, KeyError or ValueError for what it did not write."""
    read = dict(stored)
    exposure = read.pop("exposure")
    if exposure is not None:
        instants = {name: from_micros(exposure[name]) for name in ("started_at", "through_at")}
        exposure = Exposure(**{**exposure, **instants})
    state = LearnerState(base_ppm=Ppm(base_ppm), exposure=exposure, **read)
    if not (_is_sound(state) and (exposure is None or _is_counted(exposure))):
        raise ValueError("a value in the stored learner state is of the wrong kind")
    return state


def _is_sound(state: LearnerState) -> bool:
    return (
        state.direction in (1, -1)
        and type(state.step) in (int, float)
        and 0 <= state.step < math.inf
        and (state.last_rate is None or (type(state.last_rate) in (int, float) and math.isfinite(state.last_rate)))
        and type(state.returning) is bool
        and all(type(count) is int and count >= 0 for count in (state.reversals, state.asleep_for))
    )


def _is_counted(exposure: Exposure) -> bool:
    return all(type(count) is int and count >= 0 for count in (getattr(exposure, name) for name in _EXPOSURE_FIELDS))


def _turned(state: LearnerState, rate: float, exposure: Exposure, settings: Settings) -> tuple[LearnerState, str]:
    """Return the state with direction and step of the next move."""
    if exposure.forward_count == 0:
        return replace(state, direction=-1, returning=False), f"nothing sold in {exposure.hours:.0f} h: lower"
    if state.last_rate is None:
        return state, f"earned {rate:.0f} msat an hour, nothing to compare with yet"
    told = f"earned {rate:.0f} msat an hour after {state.last_rate:.0f}"
    if _is_volatile(rate, state.last_rate):
        direction = state.direction if rate > state.last_rate else -state.direction
        anew = replace(state, direction=direction, step=settings.hill_climb_step, reversals=0, returning=False)
        return anew, f"{told}: start over"
    if rate >= state.last_rate and state.returning:
        # Better than the step that was turned back from, which is no news.
        return replace(state, returning=False), f"{told}: on past where it turned"
    if rate >= state.last_rate:
        return replace(state, step=state.step * 2, reversals=0), f"{told}: further"
    turns = state.reversals + 1
    turned = replace(state, direction=-state.direction, step=state.step / 2, reversals=turns, returning=True)
    return turned, f"{told}: back"


def _is_volatile(rate: float, before: float) -> bool:
    return before > 0 and abs(rate - before) > VOLATILE * before


def _smallest_step(settings: Settings) -> float:
    """A step that the hysteresis gate would hold back for ever would freeze the price."""
    return min(LARGEST_STEP, settings.fee_hysteresis * 1.25 + 0.01)


def _moved(base_ppm: Ppm, share: float, settings: Settings) -> Ppm:
    step = max(1.0, abs(share) * base_ppm, settings.fee_hysteresis * base_ppm + 1.0)
    return _within(Ppm(round(base_ppm + (step if share > 0 else -step))), settings)


def _within(ppm: Ppm, settings: Settings) -> Ppm:
    return Ppm(min(settings.max_fee_ppm, max(settings.min_fee_ppm, settings.static_floor_ppm, ppm)))
