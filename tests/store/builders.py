"""Forwards and rows in which a test states only what matters to it."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, event, select

from revenued.clock import to_micros
from revenued.model import ClosedChannel, Forward, Side
from revenued.store.channels import record_channels
from revenued.store.engine import Store
from revenued.store.tables import forward_days, forward_hours, forwards, ingest_cursor, metadata, pair_days
from revenued.store.traffic import Traffic
from revenued.units import MICROS_PER_DAY, MICROS_PER_HOUR, Msat
from tests.builders import CAPACITY, make_channel
from tests.fakes import START


def make_closed(number: int = 1, **differing: Any) -> ClosedChannel:
    """Return what the node says of `make_channel(number)` once it has forgotten it."""
    closed = ClosedChannel(
        channel_id=f"{number:064x}",
        peer_id=f"03{number:064x}",
        scid=f"{number}x1x0",
        local_alias=None,
        opener=Side.LOCAL,
        private=False,
        capacity_msat=CAPACITY,
        close_cause="user",
    )
    return replace(closed, **differing)


def make_forward(index: int = 1, *, at: datetime = START, status: str = "settled", **differing: Any) -> Forward:
    """Return a forward received at `at` that ended, where its status says so, in the same instant."""
    final = status in ("settled", "failed")
    forward = Forward(
        created_index=index,
        updated_index=index if final else None,
        in_scid=1,
        in_htlc_id=index,
        in_msat=Msat(1_001_000),
        out_scid=2,
        out_htlc_id=index,
        out_msat=Msat(1_000_000),
        fee_msat=Msat(1000),
        status=status,
        failcode=None,
        received_at=to_micros(at),
        resolved_at=to_micros(at) if final else None,
    )
    return forward._replace(**differing)


def keyed_channels(store: Store, *numbers: int) -> list[int]:
    """Note `make_channel` of these numbers; return their keys."""
    channels = [make_channel(number) for number in numbers]
    with store.write() as connection:
        keys = record_channels(connection, channels, now=START)
    return [keys[channel.channel_id] for channel in channels]


def forget_forwards(store: Store) -> None:
    """Empty every table of forwards, so that the next example starts afresh."""
    with store.write() as connection:
        for table in (forwards, forward_hours, forward_days, pair_days, ingest_cursor):
            connection.execute(delete(table))


def rows_of(store: Store, table: str, *, order_by: str | None = None) -> list[dict[str, Any]]:
    """Return all rows of a table, by its primary key unless said otherwise."""
    found = metadata.tables[table]
    order = [found.c[order_by]] if order_by else list(found.primary_key)
    with store.read() as connection:
        return [dict(row) for row in connection.execute(select(found).order_by(*order)).mappings()]


def sums_of(store: Store) -> tuple[dict[Any, Any], dict[Any, Any], dict[Any, Any]]:
    """Return the stored sums as they stand, by (hour, scid), (day, scid) and (day, in, out)."""
    hours = {(to_micros(row.pop("hour_at")), row.pop("scid")): row for row in rows_of(store, "forward_hours")}
    days = {(to_micros(row.pop("day_at")), row.pop("scid")): row for row in rows_of(store, "forward_days")}
    pairs = {
        (to_micros(row.pop("day_at")), row.pop("in_scid"), row.pop("out_scid")): row
        for row in rows_of(store, "pair_days")
    }
    return hours, days, pairs


def sums_from_rows(store: Store) -> tuple[dict[Any, Any], dict[Any, Any], dict[Any, Any]]:
    """Return what `sums_of` must return, added up one row at a time from the forwards themselves."""
    hours: defaultdict[Any, Counter[str]] = defaultdict(Counter)
    days: defaultdict[Any, Counter[str]] = defaultdict(Counter)
    pairs: defaultdict[Any, Counter[str]] = defaultdict(Counter)
    for row in rows_of(store, "forwards"):
        if row["status"] in ("offered", "gone"):
            continue
        at = to_micros(row["resolved_at"] or row["received_at"])
        day = at // MICROS_PER_DAY * MICROS_PER_DAY
        for scid, added in _added_by(row):
            hours[at // MICROS_PER_HOUR * MICROS_PER_HOUR, scid].update(added)
            days[day, scid].update(added)
        if row["out_scid"] is not None and (added := _added_to_pair(row)):
            pairs[day, row["in_scid"], row["out_scid"]].update(added)
    names = Traffic.__dataclass_fields__
    pair_names = ("settled_count", "in_msat", "out_msat", "fee_msat", "failed_count")
    return (
        {key: {name: sums[name] for name in names} for key, sums in hours.items()},
        {key: {name: sums[name] for name in names} for key, sums in days.items()},
        {key: {name: sums[name] for name in pair_names} for key, sums in pairs.items()},
    )


def _added_by(row: dict[str, Any]) -> Iterator[tuple[int, dict[str, int]]]:
    """Return what one row adds to its entry and to its exit."""
    liquidity = row["failcode"] == 0x1007
    incoming, outgoing = {
        "settled": (
            {"in_count": 1, "in_msat": row["in_msat"], "sourced_msat": row["fee_msat"]},
            {"out_count": 1, "out_msat": row["in_msat"] - (row["fee_msat"] or 0), "earned_msat": row["fee_msat"]},
        ),
        "failed": ({"in_failed_count": 1}, {"out_failed_count": 1}),
        "local_failed": (
            {"in_local_failed_count": 1},
            {
                "out_local_failed_count": 1,
                "out_liquidity_failed_count": int(liquidity),
                "out_liquidity_failed_msat": row["in_msat"] if liquidity else 0,
            },
        ),
    }[row["status"]]
    yield row["in_scid"], incoming
    if row["out_scid"] is not None:
        yield row["out_scid"], outgoing


def _added_to_pair(row: dict[str, Any]) -> dict[str, int]:
    if row["status"] == "failed":
        return {"failed_count": 1}
    if row["status"] != "settled":
        return {}
    sent = row["in_msat"] - row["fee_msat"]
    return {"settled_count": 1, "in_msat": row["in_msat"], "out_msat": sent, "fee_msat": row["fee_msat"]}


@contextmanager
def statements_of(connection: Connection) -> Iterator[list[tuple[str, Any]]]:
    """Give the list of every statement that `connection` runs meanwhile, with its values."""
    ran: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, values: Any, _context: Any, _many: bool) -> None:
        ran.append((statement, values))

    event.listen(connection, "before_cursor_execute", note)
    try:
        yield ran
    finally:
        event.remove(connection, "before_cursor_execute", note)


def plans_of(connection: Connection, ran: Iterable[tuple[str, Any]]) -> list[str]:
    """Return every line of how SQLite carries these statements out."""
    return [
        str(line[3])
        for statement, values in list(ran)
        for line in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
    ]
