"""Old rows go in small batches, each its own short transaction, so that nobody waits for the clean-up."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, Table, and_, delete, or_, select, tuple_, update

from revenued.store.engine import Store
from revenued.store.tables import (
    channel_samples,
    cycles,
    feerate_samples,
    forward_hours,
    forwards,
    ingest_cursor,
    peer_hours,
)

BATCH = 500
PAUSE_SECONDS = 0.02
FEERATE_DAYS = 2  # as much history as the mempool reflex looks at


def prune(
    store: Store,
    *,
    now: datetime,
    forwards_days: int,
    hours_days: int,
    samples_days: int,
    cycles_days: int,
    stopped: Callable[[], bool],
) -> dict[str, int]:
    """Delete what is older than its age; return how many rows of each table went. Ends early once `stopped`."""
    oldest_kept = now - timedelta(days=forwards_days)
    finished = and_(forwards.c.received_at < oldest_kept, forwards.c.status != "offered")
    _note_pruning(store, oldest_kept, finished)
    old: tuple[tuple[Table, ColumnElement[bool]], ...] = (
        (forwards, finished),
        (forward_hours, forward_hours.c.hour_at < _day(now - timedelta(days=hours_days))),
        (channel_samples, channel_samples.c.sampled_at < now - timedelta(days=samples_days)),
        (peer_hours, peer_hours.c.hour_at < now - timedelta(days=samples_days)),
        (cycles, and_(cycles.c.started_at < now - timedelta(days=cycles_days), cycles.c.outcome != "running")),
        (feerate_samples, feerate_samples.c.sampled_at < now - timedelta(days=FEERATE_DAYS)),
    )
    return {table.name: _prune_table(store, table, condition, stopped) for table, condition in old}


def _note_pruning(store: Store, oldest_kept: datetime, old: ColumnElement[bool]) -> None:
    """Note from when on forwards are kept, before any goes: one that is missing and older is in the sums already."""
    with store.write() as connection:
        if connection.execute(select(forwards.c.created_index).where(old).limit(1)).first() is not None:
            later = or_(ingest_cursor.c.pruned_before.is_(None), ingest_cursor.c.pruned_before < oldest_kept)
            connection.execute(update(ingest_cursor).where(later).values(pruned_before=oldest_kept))


def _prune_table(store: Store, table: Table, old: ColumnElement[bool], stopped: Callable[[], bool]) -> int:
    total = 0
    while not stopped():
        with store.write() as connection:
            deleted = _delete_batch(connection, table, old)
        total += deleted
        if deleted < BATCH:
            break
        time.sleep(PAUSE_SECONDS)
    return total


def _delete_batch(connection: Connection, table: Table, old: ColumnElement[bool]) -> int:
    key = list(table.primary_key)
    batch = select(*key).where(old).limit(BATCH)
    chosen = key[0].in_(batch) if len(key) == 1 else tuple_(*key).in_(batch)
    return connection.execute(delete(table).where(chosen)).rowcount


def _day(instant: datetime) -> datetime:
    """Hours go by whole days, so that a day's hours are there all or not at all."""
    return instant.replace(hour=0, minute=0, second=0, microsecond=0)
