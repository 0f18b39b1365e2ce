"""Single forwards for a person to look at, newest first, by whatever they ask for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, or_, select, tuple_

from revenued.store.tables import forwards


@dataclass(frozen=True, slots=True)
class ForwardRow:
    """One forward as it is kept."""

    created_index: int
    received_at: datetime
    resolved_at: datetime | None
    status: str
    in_scid: int
    out_scid: int | None
    asked_scid: int | None
    in_msat: int
    out_msat: int | None
    fee_msat: int | None
    failcode: int | None


def list_forwards(
    connection: Connection,
    *,
    since: datetime,
    until: datetime,
    scids: Sequence[int] | None = None,
    status: str | None = None,
    limit: int,
    before: tuple[datetime, int] | None = None,
) -> list[ForwardRow]:
    """Return forwards received in [since, until) that entered or left by one of `scids`, newest first.

    `before` is the (received_at, created_index) of the last row of the page before this one.
    """
    columns = [forwards.c[name] for name in ForwardRow.__dataclass_fields__]
    statement = select(*columns).where(forwards.c.received_at >= since, forwards.c.received_at < until)
    if scids is not None:
        statement = statement.where(or_(forwards.c.in_scid.in_(scids), forwards.c.out_scid.in_(scids)))
    if status is not None:
        statement = statement.where(forwards.c.status == status)
    if before is not None:
        statement = statement.where(tuple_(forwards.c.received_at, forwards.c.created_index) < before)
    newest_first = (forwards.c.received_at.desc(), forwards.c.created_index.desc())
    return [ForwardRow(*row) for row in connection.execute(statement.order_by(*newest_first).limit(limit))]
