"""The fee cycle: snapshot → flow estimate → learn → decide → gate → intend → tell → record.

What is about to be set is in the store before the node is told, so a crash or a lost answer at any point is recognised
at the next cycle by the fee that the node then shows.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime

from revenued.cycles.context import CycleContext, look, ready_node
from revenued.cycles.feeplan import Gathered, PlannedFee, gather, plan_fee
from revenued.cycles.learn import learn
from revenued.cycles.run import Summary
from revenued.cycles.tell import tell
from revenued.fees.case import FeeDecision, FeeMemory, Objection
from revenued.fees.memory import first_memory, reconciled
from revenued.log import get as logger
from revenued.store.prices import (
    FeeChange,
    write_changes,
    write_decisions,
    write_exposures,
    write_learners,
    write_memories,
)

OUTCOMES = ("broadcast", "held", "unchanged", "left_alone", "refused", "unknown")


def fee_cycle(context: CycleContext, cycle_key: int) -> Summary:
    """Decide every channel's price and tell the node what may be told; return the counts."""
    ready_node(context)
    listed = look(context)
    now = context.now()
    gathered = gather(context, listed.channels, now)
    memories, changes = _reconciled(gathered, burst=context.settings.gossip_burst, now=now)
    outside = sum(change.kind == "outside" for change in changes)
    learned = learn(gathered, memories, context.settings, now=now)
    plans = {
        key: plan_fee(context, gathered, key, memory=memories[key], learner=learned.states[key], now=now)
        for key in gathered.channels
    }
    with context.store.write() as connection:
        changed = {key: plan.memory for key, plan in plans.items() if plan.memory != gathered.memories.get(key)}
        write_memories(connection, changed)
        if not context.settings.dry_run:
            # What a dry run sees is the answer to somebody else's prices.
            # A channel whose price is not known yet will start from that price.
            moved = {
                key: state
                for key, state in learned.states.items()
                if state != gathered.learners.get(key) and gathered.channels[key].fee is not None
            }
            write_learners(connection, moved, now=now)
            write_exposures(connection, learned.closed)
        write_changes(connection, changes, cycle_key=cycle_key, now=now)
        write_decisions(connection, _rows(plans), cycle_key=cycle_key, now=now)
    told, changes = tell(context, [plan for plan in plans.values() if plan.outcome == "intended"])
    if told:
        ended = context.now()
        with context.store.write() as connection:
            write_memories(connection, {key: plan.memory for key, plan in told.items()})
            write_decisions(connection, _rows(told), cycle_key=cycle_key, now=ended)
            write_changes(connection, changes, cycle_key=cycle_key, now=ended)
    return _summary(plans | told, unreadable=len(listed.skipped), outside=outside)


def _reconciled(gathered: Gathered, *, burst: int, now: datetime) -> tuple[dict[int, FeeMemory], list[FeeChange]]:
    """Bring every memory in line with the live fee; return them, and what that told us."""
    memories, changes = {}, []
    for key, channel in gathered.channels.items():
        before = gathered.memories.get(key)
        if before is None:
            memories[key] = first_memory(channel.fee, burst=burst, now=now)
            continue
        memories[key], happened = reconciled(before, channel.fee, now=now)
        if happened == "broadcast":
            why = "took effect although its answer was lost"
            changes.append(FeeChange(key, "broadcast", before.broadcast, channel.fee, why))
        elif happened == "outside":
            changes.append(FeeChange(key, "outside", before.broadcast, channel.fee, "set by somebody else"))
            logger().warning("fee_changed_outside", channel=channel.name, fee_ppm=channel.fee and channel.fee.fee_ppm)
    return memories, changes


def _rows(plans: Mapping[int, PlannedFee]) -> list[tuple[int, FeeDecision, str, Objection | None]]:
    return [(key, plan.decision, plan.outcome, plan.objection) for key, plan in plans.items()]


def _summary(plans: Mapping[int, PlannedFee], *, unreadable: int, outside: int) -> Summary:
    outcomes = Counter(plan.outcome for plan in plans.values())
    held = Counter(plan.objection.gate for plan in plans.values() if plan.objection is not None)
    return {
        "channels": len(plans),
        "unreadable": unreadable,
        **{name: outcomes.get(name, 0) for name in OUTCOMES},
        "would_broadcast": outcomes.get("dry_run", 0),
        "outside": outside,
        "held_by": dict(sorted(held.items())),
    }
