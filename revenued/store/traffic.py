"""Sums of forwards over any window of whole hours, from the hourly and daily sums: never from the rows themselves."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Connection, Table, func, select, type_coerce

from revenued.store.tables import forward_days, forward_hours

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Traffic:
    """What went through one scid, or all of them. `in_…` as the channel where it entered, `out_…` as the exit."""

    in_count: int = 0
    in_msat: int = 0
    sourced_msat: int = 0
    """Fees of forwards that entered here; earned elsewhere, so never added to `earned_msat`."""
    out_count: int = 0
    out_msat: int = 0
    earned_msat: int = 0
    in_failed_count: int = 0
    out_failed_count: int = 0
    in_local_failed_count: int = 0
    out_local_failed_count: int = 0
    out_liquidity_failed_count: int = 0
    out_liquidity_failed_msat: int = 0

    def __add__(self, other: "Traffic") -> "Traffic":
        """Return both together."""
        return Traffic(*(getattr(self, name) + getattr(other, name) for name in _NAMES))


_NAMES = tuple(column.name for column in fields(Traffic))


@dataclass(frozen=True, slots=True)
class PeriodTraffic:
    """One hour or day of one scid."""

    starts_at: datetime
    scid: int
    traffic: Traffic


def whole_hour(instant: datetime) -> datetime:
    """Return the start of the UTC hour that `instant` lies in."""
    return instant.replace(minute=0, second=0, microsecond=0)


def whole_day(instant: datetime) -> datetime:
    """Return the start of the UTC day that `instant` lies in."""
    return instant.replace(hour=0, minute=0, second=0, microsecond=0)


def traffic_by_scid(connection: Connection, since: datetime, until: datetime) -> dict[int, Traffic]:
    """Return scid → traffic over [since, until), both cut down to whole hours."""
    found: dict[int, Traffic] = {}
    for table, period, start, end in _pieces(since, until):
        rows = connection.execute(
            select(table.c.scid, *_sums(table)).where(period >= start, period < end).group_by(table.c.scid)
        )
        for row in rows:
            traffic = _traffic(tuple(row), 1)
            found[row.scid] = found[row.scid] + traffic if row.scid in found else traffic
    return found


def traffic_total(connection: Connection, since: datetime, until: datetime) -> Traffic:
    """Return the traffic of all scids over [since, until), both cut down to whole hours."""
    total = Traffic()
    for table, period, start, end in _pieces(since, until):
        row = connection.execute(select(*_sums(table)).where(period >= start, period < end)).one()
        total += _traffic(tuple(row), 0)
    return total


def earned_by_scid(connection: Connection, since: datetime, until: datetime) -> dict[int, tuple[int, int, int]]:
    """Return scid → (earned_msat, out_msat, out_count) over [since, until), both cut down to whole hours; only of those
    that earned something.
    """
    found: dict[int, tuple[int, int, int]] = {}
    for table, period, start, end in _pieces(since, until):
        sums = (func.sum(table.c.earned_msat), func.sum(table.c.out_msat), func.sum(table.c.out_count))
        chosen = (period >= start, period < end, table.c.out_count > 0)
        for scid, *more in connection.execute(select(table.c.scid, *sums).where(*chosen).group_by(table.c.scid)):
            before = found.get(scid, (0, 0, 0))
            found[scid] = (before[0] + int(more[0]), before[1] + int(more[1]), before[2] + int(more[2]))
    return found


def daily_flow(connection: Connection, since: datetime) -> list[tuple[int, ...]]:
    """Return (day in microseconds, scid, in_count, in_msat, out_count, out_msat, earned_msat, sourced_msat) of each day
    from the one that `since` lies in, until now; bare rows, because a flow estimate reads thousands of them.
    """
    days = forward_days.c
    sums = (days.in_count, days.in_msat, days.out_count, days.out_msat, days.earned_msat, days.sourced_msat)
    statement = select(type_coerce(days.day_at, BigInteger), days.scid, *sums).where(days.day_at >= whole_day(since))
    return [tuple(row) for row in connection.execute(statement)]


def hourly_traffic(connection: Connection, since: datetime, until: datetime) -> list[PeriodTraffic]:
    """Return the hours of [since, until), both cut down to whole hours."""
    return _periods(connection, forward_hours, "hour_at", whole_hour(since), whole_hour(until))


def _periods(connection: Connection, table: Table, period: str, start: datetime, end: datetime) -> list[PeriodTraffic]:
    statement = select(table.c[period], table.c.scid, *(table.c[name] for name in _NAMES)).where(
        table.c[period] >= start
    )
    if end is not None:
        statement = statement.where(table.c[period] < end)
    return [PeriodTraffic(row[0], row[1], Traffic(*row[2:])) for row in connection.execute(statement)]


def _pieces(since: datetime, until: datetime) -> Iterator[tuple[Table, ColumnElement[datetime], datetime, datetime]]:
    """Cut the window into whole days, read from the days, and what is left at its ends, read from the hours."""
    start, end = whole_hour(since), whole_hour(until)
    first_day = whole_day(start) if start == whole_day(start) else whole_day(start) + DAY
    last_day = whole_day(end)
    if first_day >= last_day:
        yield forward_hours, forward_hours.c.hour_at, start, end
        return
    if start < first_day:
        yield forward_hours, forward_hours.c.hour_at, start, first_day
    yield forward_days, forward_days.c.day_at, first_day, last_day
    if last_day < end:
        yield forward_hours, forward_hours.c.hour_at, last_day, end


def _sums(table: Table) -> list[ColumnElement[int]]:
    return [func.coalesce(func.sum(table.c[name]), 0).label(name) for name in _NAMES]


def _traffic(row: tuple[Any, ...], first: int) -> Traffic:
    return Traffic(*(int(value) for value in row[first:]))  # PostgreSQL sums bigint as numeric
