"""Every forward once, with its hourly and daily sums, in the same transaction as the cursor that says how far we are.

A forward enters the sums once, when its status becomes final, in the hour in which it was resolved (received, where the
node gives no resolution). Sums are kept per scid as the node names it; `channel_scids` says whose scid that is.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, Connection, func, select, type_coerce, update

from revenued.model import FINAL_STATUSES, Forward, ForwardStatus
from revenued.store.engine import execute_many, upsert
from revenued.store.sums import add_to_sums
from revenued.store.tables import channel_scids, forwards, ingest_cursor

_FORWARD_COLUMNS = (*Forward._fields, "asked_scid")
_INSERT = f"INSERT INTO forwards ({', '.join(_FORWARD_COLUMNS)}) VALUES ({', '.join('?' * len(_FORWARD_COLUMNS))})"  # noqa: S608 (constants)
_UPDATE = (
    "UPDATE forwards SET updated_index = ?, out_scid = ?, out_htlc_id = ?, out_msat = ?, fee_msat = ?, status = ?, "
    "failcode = ?, resolved_at = ?, asked_scid = ? WHERE created_index = ?"
)


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far the node's history is in the database."""

    created_index: int
    updated_index: int
    deleted_index: int
    missing_count: int
    """Indexes that the node had deleted before they were read."""
    recovered_count: int
    """Of these, settled ones that were found again among the node's channel moves."""
    recover_since: datetime | None
    """Rows that were deleted after this are still to be looked for."""
    unreadable_count: int
    target_index: int
    """The created index at which the first reading was begun: behind it lies history, after it what is new."""
    hydrated_at: datetime | None
    caught_up_at: datetime | None
    stopped_reason: str | None


@dataclass(frozen=True, slots=True)
class Applied:
    """What one page changed."""

    inserted: int
    updated: int
    settled: int


def read_cursor(connection: Connection) -> Cursor | None:
    """Return how far ingest has come; None before the first page."""
    row = connection.execute(select(*[ingest_cursor.c[name] for name in Cursor.__dataclass_fields__])).one_or_none()
    return None if row is None else Cursor(*row)


def write_cursor(connection: Connection, cursor: Cursor) -> None:
    """Replace the cursor; belongs in the transaction of the rows that it speaks of."""
    values = {name: getattr(cursor, name) for name in Cursor.__dataclass_fields__}
    upsert(connection, ingest_cursor, [{"singleton": 1, **values}])


def apply_forwards(connection: Connection, page: Sequence[Forward]) -> Applied:
    """Write one page: new rows are inserted, offered rows may become final, final rows never change again."""
    rows = {forward.created_index: forward for forward in page}
    if not rows:
        return Applied(0, 0, 0)
    stored, alone = _stored_statuses(connection, rows)
    ours = _asked_channels_of_ours(connection, page)
    fresh = list(rows.values()) if not stored else [row for index, row in rows.items() if index not in stored]
    ended = [
        rows[index]
        for index, status in stored.items()
        if status not in FINAL_STATUSES and rows[index].status in FINAL_STATUSES
    ]
    execute_many(connection, _INSERT, [_row(forward, ours) for forward in fresh])
    execute_many(connection, _UPDATE, [_change(_row(forward, ours)) for forward in ended])
    # Sums are made from the rows as they now stand, never from what was in memory.
    if alone:
        add_to_sums(connection, range(min(rows), max(rows) + 1))
    else:
        add_to_sums(connection, [forward.created_index for forward in (*fresh, *ended)])
    settled = sum(forward.status == ForwardStatus.SETTLED for forward in (*fresh, *ended))
    return Applied(len(fresh), len(ended), settled)


def earned_total_msat(connection: Connection) -> int:
    """Return the sum of all fees ever settled, from the sums that survive pruning."""
    return int(connection.exec_driver_sql("SELECT COALESCE(SUM(earned_msat), 0) FROM forward_days").scalar_one())


def is_same_forward(connection: Connection, forward: Forward) -> bool:
    """The stored row with this created index is this forward, however far it had got; or no such row is stored."""
    columns = (
        forwards.c.in_scid,
        forwards.c.in_htlc_id,
        forwards.c.in_msat,
        type_coerce(forwards.c.received_at, BigInteger),
    )
    row = connection.execute(select(*columns).where(forwards.c.created_index == forward.created_index)).one_or_none()
    return row is None or tuple(row) == (forward.in_scid, forward.in_htlc_id, forward.in_msat, forward.received_at)


def offered_count(connection: Connection) -> int:
    """Return how many forwards are still under way."""
    return int(
        connection.execute(select(func.count()).where(forwards.c.status == ForwardStatus.OFFERED.value)).scalar_one()
    )


def stored_count(connection: Connection, *, after: int, through: int) -> int:
    """Return how many forwards with a created index in (after, through] are stored."""
    within = forwards.c.created_index.between(after + 1, through)
    return int(connection.execute(select(func.count()).where(within)).scalar_one())


def _stored_statuses(connection: Connection, rows: dict[int, Forward]) -> tuple[dict[int, str], bool]:
    """Return created_index → status of those that stand already, and whether it is certain that nothing stands between
    the first and the last of `rows`. Reads a range where the page is one.
    """
    first, last = min(rows), max(rows)
    columns = select(forwards.c.created_index, forwards.c.status)
    if last - first < 2 * len(rows):
        found = dict(connection.execute(columns.where(forwards.c.created_index.between(first, last))).all())
        return {index: status for index, status in found.items() if index in rows}, not found
    indexes, stored = list(rows), dict[int, str]()
    for start in range(0, len(indexes), 500):
        chosen = columns.where(forwards.c.created_index.in_(indexes[start : start + 500]))
        stored.update(dict(connection.execute(chosen).all()))
    return stored, False


def _asked_channels_of_ours(connection: Connection, page: Iterable[Forward]) -> set[int]:
    """Return which of the channels that senders asked for are ours: a local_failed row may name anything."""
    failed = (forward.out_scid for forward in page if forward.status == ForwardStatus.LOCAL_FAILED)
    asked = {scid for scid in failed if scid is not None}
    if not asked:
        return set()
    return asked & set(connection.execute(select(channel_scids.c.scid)).scalars())


def _row(forward: Forward, ours: set[int]) -> tuple[object, ...]:
    """Return the row in the order of _FORWARD_COLUMNS; what is no channel of ours goes into `asked_scid`."""
    if forward.status == ForwardStatus.LOCAL_FAILED and forward.out_scid not in ours:
        return (*forward._replace(out_scid=None), forward.out_scid)
    return (*forward, None)


def _change(row: tuple[object, ...]) -> tuple[object, ...]:
    """Return the parts of a row that a forward gets when it ends, in the order of _UPDATE."""
    created, updated, _, _, _, out_scid, out_htlc_id, out_msat, fee_msat, status, failcode, _, resolved, asked = row
    return updated, out_scid, out_htlc_id, out_msat, fee_msat, status, failcode, resolved, asked, created


GONE = "gone"
"""Status of a forward that was under way when it was last seen, and of which the node has no row any more."""

SET_ASIDE = 1 << 61
"""Rows of a history that the node has lost carry minus (this plus their index); recovered rows stay far above."""


def set_aside(connection: Connection, shared: int) -> int:
    """Give the rows with a created index above `shared` keys that no row of the node can have; return how many."""
    lost = forwards.c.created_index > shared
    # How those ended that were under way is in the lost part of the history.
    connection.execute(
        update(forwards).where(lost, forwards.c.status == ForwardStatus.OFFERED.value).values(status=GONE)
    )
    moved = update(forwards).where(lost)
    # A second loss could reuse an index that was set aside before, so each time begins where the last one ended.
    lowest = connection.execute(select(func.min(forwards.c.created_index))).scalar() or 0
    base = max(SET_ASIDE, -lowest)
    return connection.execute(moved.values(created_index=-(forwards.c.created_index + base))).rowcount
