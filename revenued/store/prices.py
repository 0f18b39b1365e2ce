"""What we remember of every channel's price: what was broadcast, intended, seen from outside, learned and decided."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from revenued.errors import RevenuedError
from revenued.fees.case import FeeDecision, FeeMemory, Objection, Step
from revenued.fees.learning import Exposure, LearnerState, from_json, to_json
from revenued.model import ChannelFee
from revenued.store.engine import upsert
from revenued.store.tables import exposures, fee_changes, fee_decisions, fee_states, learner_states
from revenued.units import Msat, Ppm

LEARNER = "hill_climb"


@dataclass(frozen=True, slots=True)
class FeeChange:
    """One row of the price history."""

    channel_key: int
    kind: str  # broadcast | outside | refused | unknown
    before: ChannelFee | None
    after: ChannelFee | None
    why: str
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredDecision:
    """The newest decision of a channel as it is kept."""

    decided_at: datetime
    live_ppm: int | None
    target_ppm: int | None
    outcome: str
    held_by: str | None
    held_why: str | None
    held_until: datetime | None
    steps: tuple[Step, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StoredChange:
    """One row of the price history as it is shown."""

    changed_at: datetime
    channel_key: int
    kind: str
    from_ppm: int | None
    to_ppm: int | None
    from_base_msat: int | None
    to_base_msat: int | None
    why: str


def read_memories(connection: Connection) -> dict[int, FeeMemory]:
    """Return channel_key → what is remembered of its price."""
    return {row.channel_key: _memory(row) for row in connection.execute(select(fee_states))}


def write_memories(connection: Connection, memories: Mapping[int, FeeMemory]) -> None:
    """Replace what is remembered of these channels."""
    upsert(connection, fee_states, [{"channel_key": key, **_memory_columns(kept)} for key, kept in memories.items()])


def read_learners(connection: Connection) -> tuple[dict[int, LearnerState], list[int]]:
    """Return channel_key → learner state, and the channels whose stored state this version cannot read.

    Those start over from the base price that they had learned.
    """
    states, unreadable = {}, []
    for row in connection.execute(select(learner_states).where(learner_states.c.learner == LEARNER)):
        try:
            states[row.channel_key] = from_json(row.base_ppm, row.state)
        except (TypeError, KeyError, ValueError, OverflowError):
            unreadable.append(row.channel_key)
            states[row.channel_key] = LearnerState(base_ppm=Ppm(row.base_ppm), direction=1, step=0.1)
    return states, unreadable


def write_learners(connection: Connection, states: Mapping[int, LearnerState], *, now: datetime) -> None:
    """Replace the learner states of these channels."""
    rows = [
        {"channel_key": key, "learner": LEARNER, "base_ppm": state.base_ppm, "state": to_json(state), "updated_at": now}
        for key, state in states.items()
    ]
    upsert(connection, learner_states, rows)


def write_exposures(connection: Connection, closed: Iterable[tuple[int, Ppm, Exposure]]) -> None:
    """Append closed exposures as (channel_key, base price then, exposure)."""
    rows = [
        {
            "channel_key": key,
            "started_at": exposure.started_at,
            "ended_at": exposure.through_at,
            "fee_ppm": exposure.fee_ppm,
            "base_ppm": base_ppm,
            "forward_count": exposure.forward_count,
            "volume_msat": exposure.volume_msat,
            "earned_msat": exposure.earned_msat,
            "liquid_share": exposure.liquid_share,
            "online_share": exposure.online_share,
        }
        for key, base_ppm, exposure in closed
    ]
    if rows:
        connection.execute(exposures.insert(), rows)


@dataclass(frozen=True, slots=True)
class Exposed:
    """One closed exposure as it is kept."""

    started_at: datetime
    ended_at: datetime
    fee_ppm: int
    forward_count: int
    volume_msat: int
    earned_msat: int
    liquid_share: float
    online_share: float


def read_exposures(connection: Connection, channel_key: int, *, limit: int) -> list[Exposed]:
    """Return the newest closed exposures of a channel, newest first: what it sold at which price."""
    columns = [exposures.c[name] for name in Exposed.__dataclass_fields__]
    statement = select(*columns).where(exposures.c.channel_key == channel_key)
    return [Exposed(*row) for row in connection.execute(statement.order_by(exposures.c.ended_at.desc()).limit(limit))]


def write_decisions(
    connection: Connection,
    decided: Iterable[tuple[int, FeeDecision, str, Objection | None]],
    *,
    cycle_key: int,
    now: datetime,
) -> None:
    """Replace the newest decision of each channel, given as (channel_key, decision, outcome, objection)."""
    rows = [
        {
            "channel_key": key,
            "cycle_key": cycle_key,
            "decided_at": now,
            "live_ppm": decision.live.fee_ppm if decision.live else None,
            "target_ppm": decision.target.fee_ppm if decision.target else None,
            "outcome": outcome,
            "held_by": objection.gate if objection else None,
            "held_why": objection.why if objection else None,
            "held_until": objection.until if objection else None,
            "steps": _steps(decision.steps),
            "warnings": list(decision.warnings),
        }
        for key, decision, outcome, objection in decided
    ]
    upsert(connection, fee_decisions, rows)


def write_changes(connection: Connection, changed: Iterable[FeeChange], *, cycle_key: int, now: datetime) -> None:
    """Append to the price history."""
    rows = [
        {
            "channel_key": change.channel_key,
            "cycle_key": cycle_key,
            "changed_at": now,
            "kind": change.kind,
            "from_ppm": change.before.fee_ppm if change.before else None,
            "to_ppm": change.after.fee_ppm if change.after else None,
            "from_base_msat": change.before.base_fee_msat if change.before else None,
            "to_base_msat": change.after.base_fee_msat if change.after else None,
            "why": change.why,
            "steps": _steps(change.steps),
        }
        for change in changed
    ]
    if rows:
        connection.execute(fee_changes.insert(), rows)


def read_decisions(connection: Connection, channel_key: int | None = None) -> dict[int, StoredDecision]:
    """Return channel_key → its newest decision, of one channel or all."""
    statement = select(fee_decisions)
    if channel_key is not None:
        statement = statement.where(fee_decisions.c.channel_key == channel_key)
    return {row.channel_key: _decision(row) for row in connection.execute(statement)}


def read_changes(connection: Connection, *, channel_key: int | None, limit: int) -> list[StoredChange]:
    """Return the newest price changes, newest first."""
    columns = [fee_changes.c[name] for name in StoredChange.__dataclass_fields__]
    statement = select(*columns).order_by(fee_changes.c.changed_at.desc(), fee_changes.c.change_key.desc()).limit(limit)
    if channel_key is not None:
        statement = statement.where(fee_changes.c.channel_key == channel_key)
    return [StoredChange(*row) for row in connection.execute(statement)]


def count_changes(connection: Connection, since: datetime) -> dict[str, int]:
    """Return kind → how many price changes since then."""
    counted = (
        select(fee_changes.c.kind, func.count()).where(fee_changes.c.changed_at >= since).group_by(fee_changes.c.kind)
    )
    return {kind: int(count) for kind, count in connection.execute(counted)}


def _steps(steps: Iterable[Step]) -> list[dict[str, Any]]:
    return [{"rule": step.rule, "from_ppm": step.from_ppm, "to_ppm": step.to_ppm, "why": step.why} for step in steps]


def _memory(row: Any) -> FeeMemory:
    return FeeMemory(
        gossip_allowance=row.gossip_allowance,
        gossip_allowance_at=row.gossip_allowance_at,
        broadcast=_fee(row.broadcast_base_msat, row.broadcast_ppm),
        broadcast_at=row.broadcast_at,
        intended=_fee(row.intended_base_msat, row.intended_ppm),
        intended_at=row.intended_at,
        outside=_fee(row.outside_base_msat, row.outside_ppm),
        outside_seen_at=row.outside_seen_at,
        pending_ppm=row.pending_ppm,
        pending_since=row.pending_since,
    )


def _memory_columns(kept: FeeMemory) -> dict[str, Any]:
    columns: dict[str, Any] = {
        "broadcast_at": kept.broadcast_at,
        "intended_at": kept.intended_at,
        "outside_seen_at": kept.outside_seen_at,
        "pending_ppm": kept.pending_ppm,
        "pending_since": kept.pending_since,
        "gossip_allowance": kept.gossip_allowance,
        "gossip_allowance_at": kept.gossip_allowance_at,
    }
    for name, fee in (("broadcast", kept.broadcast), ("intended", kept.intended), ("outside", kept.outside)):
        columns[f"{name}_ppm"] = fee.fee_ppm if fee else None
        columns[f"{name}_base_msat"] = fee.base_fee_msat if fee else None
    return columns


def _fee(base_fee_msat: int | None, fee_ppm: int | None) -> ChannelFee | None:
    if base_fee_msat is None or fee_ppm is None:
        return None
    return ChannelFee(Msat(base_fee_msat), Ppm(fee_ppm))


def _decision(row: Any) -> StoredDecision:
    if not isinstance(row.steps, list):
        raise RevenuedError(f"the stored decision of channel {row.channel_key} cannot be read")
    return StoredDecision(
        decided_at=row.decided_at,
        live_ppm=row.live_ppm,
        target_ppm=row.target_ppm,
        outcome=row.outcome,
        held_by=row.held_by,
        held_why=row.held_why,
        held_until=row.held_until,
        steps=tuple(Step(**step) for step in row.steps),
        warnings=tuple(row.warnings),
    )
