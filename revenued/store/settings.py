"""Overrides of options, switches, and the record of who changed what: written once, read back, never pruned."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, func, select

from revenued.config import OptionValue
from revenued.store.engine import upsert
from revenued.store.tables import audit, config_generation, config_overrides, switches


def read_overrides(connection: Connection) -> tuple[dict[str, OptionValue], int]:
    """Return the stored overrides and the generation that they make."""
    generation = connection.execute(select(config_generation.c.generation)).scalar()
    rows = connection.execute(select(config_overrides.c.option, config_overrides.c.value))
    return {row.option: row.value for row in rows}, generation or 0


def write_overrides(
    connection: Connection,
    changes: Mapping[str, OptionValue | None],
    before: Mapping[str, OptionValue],
    *,
    by: str,
    now: datetime,
) -> int:
    """Store changes (None takes an override away) and their audit rows; return the new generation."""
    _, generation = read_overrides(connection)
    generation += 1
    upsert(connection, config_generation, [{"singleton": 1, "generation": generation}])
    kept = [
        {"option": key, "value": value, "generation": generation} for key, value in changes.items() if value is not None
    ]
    upsert(connection, config_overrides, kept)
    dropped = [key for key, value in changes.items() if value is None]
    connection.execute(delete(config_overrides).where(config_overrides.c.option.in_(dropped)))
    for key, value in changes.items():
        record_change(
            connection,
            subject="config",
            what=key,
            old=before.get(key),
            new=value,
            by=by,
            now=now,
            generation=generation,
        )
    return generation


def read_switch(connection: Connection, name: str) -> bool:
    """Return whether a switch is on; one that was never set is off."""
    return connection.execute(select(switches.c.value).where(switches.c.name == name)).scalar() is True


def write_switch(connection: Connection, name: str, value: bool, *, by: str, now: datetime) -> bool:
    """Set a switch; return whether that changed it."""
    before = read_switch(connection, name)
    if before == value:
        return False
    upsert(connection, switches, [{"name": name, "value": value, "changed_at": now, "changed_by": by}])
    _, generation = read_overrides(connection)
    record_change(connection, subject="switch", what=name, old=before, new=value, by=by, now=now, generation=generation)
    return True


def record_change(
    connection: Connection, *, subject: str, what: str, old: Any, new: Any, by: str, now: datetime, generation: int
) -> None:
    """Append one row to the audit."""
    connection.execute(
        audit.insert().values(
            changed_at=now,
            changed_by=by,
            subject=subject,
            what=what,
            old_value=old,
            new_value=new,
            generation=generation,
        )
    )


def audit_count(connection: Connection) -> int:
    """Return how many changes were ever recorded."""
    return int(connection.execute(select(func.count()).select_from(audit)).scalar_one())
