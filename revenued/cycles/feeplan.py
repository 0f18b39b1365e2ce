"""What a fee cycle reads, and each channel's way from there to a decision and its gate."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from revenued.cycles.context import CycleContext
from revenued.cycles.gather import flow_estimates, sold_since
from revenued.fees.case import FeeCase, FeeDecision, FeeMemory, Objection
from revenued.fees.gate import gossip_allowance, objection
from revenued.fees.learning import LONGEST_GAP, LearnerState, Sold
from revenued.fees.memory import intending, settled, withheld
from revenued.fees.pipeline import decide
from revenued.flow.estimate import FlowEstimate
from revenued.log import get as logger
from revenued.model import Channel
from revenued.store.channels import known_channels, record_channels
from revenued.store.forwards import read_cursor
from revenued.store.prices import read_learners, read_memories
from revenued.store.traffic import whole_hour


@dataclass(frozen=True, slots=True)
class Gathered:
    """All that a fee cycle reads, by channel_key."""

    channels: dict[int, Channel]
    first_seen: dict[int, datetime]
    memories: dict[int, FeeMemory]
    learners: dict[int, LearnerState]
    flows: dict[int, FlowEstimate]
    sold: dict[int, Sold]
    """What left since each channel's exposure was last added to, until `done`."""
    done: datetime | None
    """The whole hours before this are complete in the store; None while history is still being read."""


@dataclass(frozen=True, slots=True)
class PlannedFee:
    """One channel on its way through the cycle."""

    channel_key: int
    before: FeeMemory
    """Its memory as it was before this cycle meant to set anything."""
    memory: FeeMemory
    decision: FeeDecision
    outcome: str
    objection: Objection | None = None


def gather(context: CycleContext, listed: Iterable[Channel], now: datetime) -> Gathered:
    """Note the channels that the node lists and read everything else, in one transaction."""
    with context.store.write() as connection:
        keys = record_channels(connection, (listed := list(listed)), now=now)
        channels = {keys[channel.channel_id]: channel for channel in listed}
        known = known_channels(connection)
        learners, unreadable = read_learners(connection)
        cursor = read_cursor(connection)
        hydrated = cursor is not None and cursor.hydrated_at is not None and cursor.caught_up_at is not None
        done = whole_hour(min(now, cursor.caught_up_at)) if hydrated and cursor and cursor.caught_up_at else None
        through = {key: state.exposure.through_at for key, state in learners.items() if state.exposure is not None}
        waiting = {
            key: at for key, at in through.items() if done and key in channels and done - LONGEST_GAP <= at < done
        }
        gathered = Gathered(
            channels=channels,
            first_seen={key: known[key].first_seen_at for key in channels},
            memories=read_memories(connection),
            learners=learners,
            flows=flow_estimates(connection, channels, window_days=context.settings.flow_window_days, now=now),
            sold=sold_since(connection, waiting, until=done) if done else {},
            done=done,
        )
    for key in unreadable:
        logger().error("learner_state_unreadable", channel=known[key].channel_id)
    return gathered


def plan_fee(
    context: CycleContext,
    gathered: Gathered,
    key: int,
    *,
    memory: FeeMemory,
    learner: LearnerState,
    now: datetime,
) -> PlannedFee:
    """Return what one channel should cost, and whether it may be told."""
    channel, flow = gathered.channels[key], gathered.flows.get(key)
    case = FeeCase(
        channel=channel,
        memory=memory,
        base_ppm=learner.base_ppm,
        first_seen_at=gathered.first_seen[key],
        flow=flow,
        ever_sent_out=bool(channel.out_fulfilled_msat) or (flow is not None and flow.out_count > 0),
        settings=context.settings,
        paused=context.paused,
        now=now,
    )
    decision = decide(case)
    if decision.target is None:
        return PlannedFee(key, memory, settled(memory), decision, "left_alone")
    found = objection(case, decision.target)
    if found is None:
        intended = intending(memory, decision.target, allowance=gossip_allowance(case), now=now)
        return PlannedFee(key, memory, intended, decision, "intended")
    if found.gate == "unchanged":
        return PlannedFee(key, memory, settled(memory), decision, "unchanged")
    outcome = "dry_run" if found.gate == "dry_run" else "held"
    return PlannedFee(key, memory, withheld(memory, decision.target, now=now), decision, outcome, found)
