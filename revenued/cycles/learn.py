"""One look of the learner at every channel: exposures grow, end, and when complete move the base price."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from revenued.config import Settings
from revenued.cycles.feeplan import Gathered
from revenued.fees.case import FeeMemory
from revenued.fees.learning import (
    LIQUID_RATIO,
    Exposure,
    LearnerState,
    Sold,
    climbed,
    first_state,
    is_complete,
    observed,
    teaches,
)
from revenued.fees.memory import respected_until
from revenued.log import get as logger
from revenued.units import Ppm


@dataclass(frozen=True, slots=True)
class Learned:
    """The states after this cycle, and the exposures that ended in it as (channel_key, base price then, exposure)."""

    states: dict[int, LearnerState]
    closed: list[tuple[int, Ppm, Exposure]]


def learn(gathered: Gathered, memories: Mapping[int, FeeMemory], settings: Settings, *, now: datetime) -> Learned:
    """Return what is known after this cycle's look.

    Nothing is learned in dry run, nor while history is still being read, nor from a price that is somebody else's. What
    they set is nobody's any more once its time of respect is over: if it then stands near the base price, it teaches.
    """
    learned = Learned({}, [])
    for key, channel in gathered.channels.items():
        live = channel.fee
        state = gathered.learners.get(key)
        if state is None:
            if live is None:
                learned.states[key] = first_state(Ppm(settings.min_fee_ppm), settings)
                continue
            state = first_state(live.fee_ppm, settings)
        learned.states[key] = state
        theirs_until = respected_until(memories[key], settings)
        if theirs_until is not None and now < theirs_until:
            # Should the price come back before our next look, these hours are not taken for hours at our price.
            learned.states[key] = replace(state, exposure=None)
            continue
        if settings.dry_run or live is None or gathered.done is None or not channel.is_normal:
            continue
        looked, ended = observed(
            state,
            live_ppm=live.fee_ppm,
            done=gathered.done,
            now=now,
            sold=gathered.sold.get(key, Sold()),
            liquid=channel.outbound_ratio >= LIQUID_RATIO,
            online=channel.is_usable,
        )
        if ended is not None:
            learned.closed.append((key, state.base_ppm, ended))
        learned.states[key] = _judged(key, looked, settings, learned)
    return learned


def _judged(key: int, state: LearnerState, settings: Settings, learned: Learned) -> LearnerState:
    exposure = state.exposure
    if exposure is None or not is_complete(exposure, settings):
        return state
    learned.closed.append((key, state.base_ppm, exposure))
    if not teaches(exposure, state, settings):
        return replace(state, exposure=None)
    after, why = climbed(state, exposure, settings)
    logger().info("base_price_judged", channel_key=key, base_ppm=after.base_ppm, before_ppm=state.base_ppm, why=why)
    return after
