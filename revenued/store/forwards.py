"""Every forward once, with its hourly and daily sums, in the same transaction as the cursor that says how far we are.

A forward enters the sums once, when its status becomes final, in the hour in which it was resolved (received, where the
node gives no resolution). Sums are kept per scid as the node names it; `channel_scids` says whose scid that is.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from revenued.model import FINAL_STATUSES, Forward, ForwardStatus
from revenued.store.engine import execute_many, upsert
from revenued.store.tables import channel_scids, forwards, ingest_cursor
from revenued.units import MICROS_PER_DAY, MICROS_PER_HOUR

TEMPORARY_CHANNEL_FAILURE = 0x1007
"""BOLT 4: what we answer when a channel of ours could not carry the amount."""

SUMS = (
    "in_count", "in_msat", "sourced_msat",
    "out_count", "out_msat", "earned_msat",
    "in_failed_count", "out_failed_count",
    "in_local_failed_count", "out_local_failed_count", "out_liquidity_failed_count", "out_liquidity_failed_msat",
)  # fmt: skip
_PAIR_SUMS = ("settled_count", "in_msat", "out_msat", "fee_msat", "failed_count")
_FORWARD_COLUMNS = (
    "created_index", "updated_index", "in_scid", "in_htlc_id", "in_msat", "out_scid", "asked_scid", "out_htlc_id",
    "out_msat", "fee_msat", "status", "failcode", "received_at", "resolved_at",
)  # fmt: skip
_INSERT = f"INSERT INTO forwards ({', '.join(_FORWARD_COLUMNS)}) VALUES ({', '.join('?' * len(_FORWARD_COLUMNS))})"  # noqa: S608 (constants)
_UPDATE = (
    "UPDATE forwards SET updated_index = ?, out_scid = ?, asked_scid = ?, out_htlc_id = ?, out_msat = ?, fee_msat = ?, "
    "status = ?, failcode = ?, resolved_at = ? WHERE created_index = ?"
)


def _adding(table: str, keys: Sequence[str], sums: Sequence[str]) -> str:
    names = (*keys, *sums)
    added = ", ".join(f"{name} = {table}.{name} + excluded.{name}" for name in sums)
    return (
        f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))}) "  # noqa: S608 (constants)
        f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {added}"
    )


_ADD_HOUR = _adding("forward_hours", ("hour_at", "scid"), SUMS)
_ADD_DAY = _adding("forward_days", ("day_at", "scid"), SUMS)
_ADD_PAIR = _adding("pair_days", ("day_at", "in_scid", "out_scid"), _PAIR_SUMS)


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far the node's history is in the database."""

    created_index: int
    updated_index: int
    deleted_index: int
    missing_count: int
    """Indexes that the node had deleted before they were read."""
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
    stored = _stored_statuses(connection, [forward.created_index for forward in page])
    ours = _asked_channels_of_ours(connection, page)
    inserts: list[tuple[Any, ...]] = []
    updates: list[tuple[Any, ...]] = []
    finished: list[tuple[Forward, int | None]] = []
    for forward in {forward.created_index: forward for forward in page}.values():
        before = stored.get(forward.created_index)
        if before in FINAL_STATUSES:
            continue
        out_scid, asked_scid = _split_out(forward, ours)
        if before is None:
            inserts.append(_row(forward, out_scid, asked_scid))
        elif forward.status in FINAL_STATUSES:
            updates.append(_change(forward, out_scid, asked_scid))
        if forward.status in FINAL_STATUSES:
            finished.append((forward, out_scid))
    execute_many(connection, _INSERT, inserts)
    execute_many(connection, _UPDATE, updates)
    _add_to_sums(connection, finished)
    settled = sum(forward.status == ForwardStatus.SETTLED for forward, _ in finished)
    return Applied(len(inserts), len(updates), settled)


def fee_of(forward: Forward) -> int:
    """Return the fee of a settled forward; the difference of its two sides where the node does not name it."""
    if forward.fee_msat is not None:
        return forward.fee_msat
    return forward.in_msat - forward.out_msat if forward.out_msat is not None else 0


def earned_total_msat(connection: Connection) -> int:
    """Return the sum of all fees ever settled, from the sums that survive pruning."""
    return int(connection.exec_driver_sql("SELECT COALESCE(SUM(earned_msat), 0) FROM forward_days").scalar_one())


def offered_count(connection: Connection) -> int:
    """Return how many forwards are still under way."""
    return int(
        connection.execute(select(func.count()).where(forwards.c.status == ForwardStatus.OFFERED.value)).scalar_one()
    )


def _stored_statuses(connection: Connection, indexes: Sequence[int]) -> dict[int, str]:
    """Return created_index → status of those that stand already. Reads a range where the page is one."""
    found: dict[int, str] = {}
    if not indexes:
        return found
    columns = select(forwards.c.created_index, forwards.c.status)
    first, last = min(indexes), max(indexes)
    if last - first < 2 * len(indexes):
        rows = connection.execute(columns.where(forwards.c.created_index.between(first, last)))
        return {row.created_index: row.status for row in rows}
    for start in range(0, len(indexes), 500):
        rows = connection.execute(columns.where(forwards.c.created_index.in_(indexes[start : start + 500])))
        found.update({row.created_index: row.status for row in rows})
    return found


def _asked_channels_of_ours(connection: Connection, page: Iterable[Forward]) -> set[int]:
    """Return which of the channels that senders asked for are ours: a local_failed row may name anything."""
    failed = (forward.out_scid for forward in page if forward.status == ForwardStatus.LOCAL_FAILED)
    asked = {scid for scid in failed if scid is not None}
    if not asked:
        return set()
    return asked & set(connection.execute(select(channel_scids.c.scid)).scalars())


def _split_out(forward: Forward, ours: set[int]) -> tuple[int | None, int | None]:
    """Return (channel of ours, what was asked for instead)."""
    if forward.status == ForwardStatus.LOCAL_FAILED and forward.out_scid not in ours:
        return None, forward.out_scid
    return forward.out_scid, None


def _row(forward: Forward, out_scid: int | None, asked_scid: int | None) -> tuple[Any, ...]:
    settled = forward.status == ForwardStatus.SETTLED
    return (
        forward.created_index, forward.updated_index, forward.in_scid, forward.in_htlc_id, forward.in_msat,
        out_scid, asked_scid, forward.out_htlc_id, forward.out_msat, fee_of(forward) if settled else forward.fee_msat,
        forward.status, forward.failcode, forward.received_at, forward.resolved_at,
    )  # fmt: skip


def _change(forward: Forward, out_scid: int | None, asked_scid: int | None) -> tuple[Any, ...]:
    settled = forward.status == ForwardStatus.SETTLED
    return (
        forward.updated_index, out_scid, asked_scid, forward.out_htlc_id, forward.out_msat,
        fee_of(forward) if settled else forward.fee_msat, forward.status, forward.failcode, forward.resolved_at,
        forward.created_index,
    )  # fmt: skip


def _add_to_sums(connection: Connection, finished: Iterable[tuple[Forward, int | None]]) -> None:
    hours: defaultdict[tuple[int, int], list[int]] = defaultdict(lambda: [0] * len(SUMS))
    pairs: defaultdict[tuple[int, int, int], list[int]] = defaultdict(lambda: [0] * len(_PAIR_SUMS))
    for forward, out_scid in finished:
        at = forward.received_at if forward.resolved_at is None else forward.resolved_at
        hour = at - at % MICROS_PER_HOUR
        day = at - at % MICROS_PER_DAY
        incoming = hours[hour, forward.in_scid]
        outgoing = hours[hour, out_scid] if out_scid is not None else None
        if forward.status == ForwardStatus.SETTLED:
            _add_settled(
                forward, incoming, outgoing, pairs[day, forward.in_scid, out_scid] if out_scid is not None else None
            )
        elif forward.status == ForwardStatus.FAILED:
            incoming[6] += 1
            if outgoing is not None and out_scid is not None:
                outgoing[7] += 1
                pairs[day, forward.in_scid, out_scid][4] += 1
        else:
            incoming[8] += 1
            if outgoing is not None:
                _add_local_failed(forward, outgoing)
    days: defaultdict[tuple[int, int], list[int]] = defaultdict(lambda: [0] * len(SUMS))
    for (hour, scid), sums in hours.items():
        of_day = days[hour - hour % MICROS_PER_DAY, scid]
        for place, amount in enumerate(sums):
            of_day[place] += amount
    # Sorted, so that rows are appended where the trees grow.
    execute_many(connection, _ADD_HOUR, [(*key, *hours[key]) for key in sorted(hours)])
    execute_many(connection, _ADD_DAY, [(*key, *days[key]) for key in sorted(days)])
    execute_many(connection, _ADD_PAIR, [(*key, *pairs[key]) for key in sorted(pairs)])


def _add_settled(forward: Forward, incoming: list[int], outgoing: list[int] | None, pair: list[int] | None) -> None:
    fee = fee_of(forward)
    incoming[0] += 1
    incoming[1] += forward.in_msat
    incoming[2] += fee
    if outgoing is not None:
        outgoing[3] += 1
        outgoing[4] += forward.in_msat - fee
        outgoing[5] += fee
    if pair is not None:
        pair[0] += 1
        pair[1] += forward.in_msat
        pair[2] += forward.in_msat - fee
        pair[3] += fee


def _add_local_failed(forward: Forward, outgoing: list[int]) -> None:
    outgoing[9] += 1
    if forward.failcode == TEMPORARY_CHANNEL_FAILURE:
        outgoing[10] += 1
        outgoing[11] += forward.in_msat
