"""Tells the node the admitted prices, one call each, and keeps the three outcomes apart."""

from collections.abc import Iterable
from dataclasses import replace

from revenued.cycles.context import CycleContext
from revenued.cycles.feeplan import PlannedFee
from revenued.errors import NodeError, NodeRefused, NodeUnreachable
from revenued.fees.case import Objection
from revenued.fees.memory import confirmed, refused
from revenued.log import get as logger
from revenued.model import FeeReply
from revenued.store.prices import FeeChange


def tell(context: CycleContext, admitted: Iterable[PlannedFee]) -> tuple[dict[int, PlannedFee], list[FeeChange]]:
    """Set each price and return how each ended, with the rows of the price history.

    Stops when the operator says so meanwhile, and at the first call that gets no answer: a node that does not answer is
    not asked again in this cycle. What was not sent gets its intent and its gossip allowance back; what may have been
    carried out keeps them.
    """
    told: dict[int, PlannedFee] = {}
    changes: list[FeeChange] = []
    silent: str | None = None
    for plan in admitted:
        key = plan.channel_key
        if silent is None:
            silent = "the daemon was asked to stop" if context.stopping() else context.halted()
        if silent is not None:
            told[key] = _not_sent(plan, silent)
            continue
        target = plan.decision.target
        assert target is not None, "only targets are admitted"
        try:
            reply = context.node.set_channel_fee(plan.decision.channel_id, target)
        except NodeRefused as refusal:
            told[key] = replace(
                plan, outcome="refused", memory=refused(plan.memory), objection=Objection("refused", str(refusal))
            )
            changes.append(_change(plan, "refused", str(refusal)))
            logger().error("fee_refused", channel_id=plan.decision.channel_id, fee_ppm=target.fee_ppm, why=str(refusal))
        except NodeUnreachable as trouble:
            silent = str(trouble)
            told[key] = _not_sent(plan, silent)
        except NodeError as trouble:  # no answer, or none that can be understood: it may have been carried out
            silent = str(trouble)
            told[key] = replace(plan, outcome="unknown", objection=Objection("outcome_unknown", silent))
            changes.append(_change(plan, "unknown", silent))
            logger().error(
                "fee_outcome_unknown", channel_id=plan.decision.channel_id, fee_ppm=target.fee_ppm, why=silent
            )
        else:
            told[key], change = _broadcast(plan, reply)
            changes.append(change)
    return told, changes


def _broadcast(plan: PlannedFee, reply: FeeReply) -> tuple[PlannedFee, FeeChange]:
    """The reply is the verification: what it says is in force is what the network was told."""
    why = "; ".join(step.why for step in plan.decision.steps)
    if reply.fee != plan.decision.target:
        why = f"the node set something else than was asked for; {why}"
        logger().error("fee_not_as_asked", channel_id=reply.channel_id, fee_ppm=reply.fee.fee_ppm)
    for warning in reply.warnings:
        logger().warning("fee_set_with_warning", channel_id=reply.channel_id, why=warning)
    logger().info(
        "fee_changed",
        channel_id=reply.channel_id,
        from_ppm=plan.decision.live.fee_ppm if plan.decision.live else None,
        to_ppm=reply.fee.fee_ppm,
        base_fee_msat=reply.fee.base_fee_msat,
    )
    change = FeeChange(plan.channel_key, "broadcast", plan.decision.live, reply.fee, why, plan.decision.steps)
    return replace(plan, outcome="broadcast", memory=confirmed(plan.memory, reply.fee)), change


def _not_sent(plan: PlannedFee, why: str) -> PlannedFee:
    return replace(plan, outcome="held", memory=plan.before, objection=Objection("node_away", f"not sent: {why}"))


def _change(plan: PlannedFee, kind: str, why: str) -> FeeChange:
    return FeeChange(plan.channel_key, kind, plan.decision.live, plan.decision.target, why, plan.decision.steps)
