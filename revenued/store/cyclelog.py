"""The record of every cycle: when it ran, under which settings, and how it ended."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select, update

from revenued.store.tables import cycles


@dataclass(frozen=True, slots=True)
class CycleRecord:
    """One run of one cycle."""

    cycle_key: int
    kind: str
    started_at: datetime
    ended_at: datetime | None
    outcome: str
    reason: str | None
    generation: int
    summary: dict[str, Any] | None


def begin_cycle(connection: Connection, kind: str, *, generation: int, now: datetime) -> int:
    """Note that a cycle started; return its key."""
    values = {"kind": kind, "started_at": now, "outcome": "running", "generation": generation}
    key = connection.execute(cycles.insert().values(**values)).inserted_primary_key
    assert key is not None
    return int(key[0])


def end_cycle(
    connection: Connection, cycle_key: int, *, outcome: str, reason: str | None, summary: dict[str, Any], now: datetime
) -> None:
    """Note how a cycle ended."""
    connection.execute(
        update(cycles)
        .where(cycles.c.cycle_key == cycle_key)
        .values(ended_at=now, outcome=outcome, reason=reason, summary=summary)
    )


def close_interrupted(connection: Connection, *, now: datetime) -> int:
    """Mark cycles that a stop or a crash cut off; return how many there were."""
    cut = update(cycles).where(cycles.c.outcome == "running")
    return connection.execute(cut.values(outcome="failed", reason="the daemon stopped", ended_at=now)).rowcount


def newest_cycles(connection: Connection) -> dict[str, CycleRecord]:
    """Return kind → its newest run."""
    newest = select(func.max(cycles.c.cycle_key)).group_by(cycles.c.kind)
    rows = connection.execute(select(*_COLUMNS).where(cycles.c.cycle_key.in_(newest)))
    return {row.kind: CycleRecord(*row) for row in rows}


_COLUMNS = tuple(cycles.c[name] for name in CycleRecord.__dataclass_fields__)
