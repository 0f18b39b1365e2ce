"""Forwards that the node deleted before we had read how they ended: found again, or known to be gone."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, select, update

from revenued.clock import to_micros
from revenued.flow.recovery import UNKNOWN, Kind, MovedForward
from revenued.model import Forward, ForwardStatus
from revenued.store.forwards import GONE, apply_forwards
from revenued.store.tables import channel_scids, channels, forwards
from revenued.units import MICROS_PER_SECOND, Micros, Msat

LONGEST_UNDER_WAY = timedelta(days=21)
"""An HTLC ends within 2016 blocks, which are two weeks if blocks are on time."""


def settled_since(connection: Connection, since: datetime) -> list[tuple[Kind, Micros]]:
    """Return (kind, resolved_at) of the settled forwards that were resolved since then."""
    names = _channel_ids(connection)
    columns = (forwards.c.in_scid, forwards.c.out_scid, forwards.c.in_msat, forwards.c.out_msat, forwards.c.resolved_at)
    rows = connection.execute(
        select(*columns).where(
            forwards.c.status == ForwardStatus.SETTLED.value,
            forwards.c.received_at >= since - LONGEST_UNDER_WAY,
            forwards.c.resolved_at >= since,
        )
    )
    return [
        (
            (names.get(row.in_scid, UNKNOWN), names.get(row.out_scid, UNKNOWN), row.in_msat, row.out_msat),
            to_micros(row.resolved_at),
        )
        for row in rows
    ]


def ends_of(connection: Connection, settled: Iterable[Forward]) -> list[tuple[Kind, Micros]]:
    """Return the same of forwards that are not stored yet."""
    names = _channel_ids(connection)
    return [
        (
            (names.get(row.in_scid, UNKNOWN), names.get(row.out_scid or 0, UNKNOWN), row.in_msat, row.out_msat or 0),
            row.resolved_at or row.received_at,
        )
        for row in settled
    ]


def add_recovered(connection: Connection, lost: Sequence[MovedForward], *, gone: Sequence[int]) -> int:
    """Store forwards known from their moves, each in the place of the one among `gone` that it is. Return how many.

    `gone` are those that are stored as under way and that the node no longer lists. A recovered row carries minus the
    index of its outgoing move, so doing it again changes nothing.
    """
    scids = _newest_scids(connection)
    begun = _under_way(connection, gone)
    rows = []
    for forward in lost:
        in_scid, out_scid = scids.get(forward.in_channel), scids.get(forward.out_channel)
        if in_scid is None or out_scid is None:
            continue
        same = next((row for row in begun if _is_begin_of(row, forward)), None)
        if same is not None:
            begun.remove(same)
            connection.execute(delete(forwards).where(forwards.c.created_index == same.created_index))
        rows.append(
            Forward(
                created_index=-forward.index,
                updated_index=None,
                in_scid=in_scid,
                in_htlc_id=None,
                in_msat=Msat(forward.in_msat),
                out_scid=out_scid,
                out_htlc_id=None,
                out_msat=Msat(forward.out_msat),
                fee_msat=Msat(forward.fee_msat),
                status=ForwardStatus.SETTLED.value,
                failcode=None,
                received_at=same.received_at if same is not None else forward.moved_at,
                resolved_at=forward.moved_at,
            )
        )
    return apply_forwards(connection, rows).inserted


def offered_indexes(connection: Connection) -> list[int]:
    """Return the created indexes of forwards that are under way as far as we know."""
    under_way = select(forwards.c.created_index).where(forwards.c.status == ForwardStatus.OFFERED.value)
    return list(connection.execute(under_way.order_by(forwards.c.created_index)).scalars())


def mark_gone(connection: Connection, indexes: Sequence[int]) -> int:
    """Note that these forwards are no longer among the node's rows; how they ended is unknown, so no sum changes.

    Return how many; one that was found again meanwhile is not among them.
    """
    if not indexes:
        return 0
    under_way = forwards.c.status == ForwardStatus.OFFERED.value
    marked = update(forwards).where(forwards.c.created_index.in_(indexes), under_way).values(status=GONE)
    return connection.execute(marked).rowcount


@dataclass(frozen=True, slots=True)
class _Begun:
    """A forward that is stored as under way."""

    created_index: int
    received_at: Micros
    kind: tuple[str | None, str | None, int, int | None]
    """As in MovedForward; None where it is not known."""


def _under_way(connection: Connection, indexes: Sequence[int]) -> list[_Begun]:
    """Return those of these forwards that are still stored as under way."""
    names = _channel_ids(connection)
    columns = ("created_index", "received_at", "in_scid", "out_scid", "in_msat", "out_msat")
    under_way = select(*(forwards.c[name] for name in columns)).where(forwards.c.status == ForwardStatus.OFFERED.value)
    wanted = set(indexes)
    return [
        _Begun(
            row.created_index,
            to_micros(row.received_at),
            (names.get(row.in_scid), names.get(row.out_scid), row.in_msat, row.out_msat),
        )
        for row in connection.execute(under_way.order_by(forwards.c.created_index))
        if row.created_index in wanted
    ]


def _is_begin_of(row: _Begun, forward: MovedForward) -> bool:
    """The row may be what ended as this forward: begun before, and nothing known of it is different."""
    return row.received_at <= forward.moved_at + MICROS_PER_SECOND and all(
        begun is None or begun == ended for begun, ended in zip(row.kind, forward.kind, strict=True)
    )


def _channel_ids(connection: Connection) -> dict[int, str]:
    joined = select(channel_scids.c.scid, channels.c.channel_id).join(channels)
    return dict(connection.execute(joined).all())


def _newest_scids(connection: Connection) -> dict[str, int]:
    """Return channel_id → the scid that its forwards carry now."""
    named = select(channels.c.channel_id, channels.c.scid).where(channels.c.scid.is_not(None))
    found = {channel_id: scid for channel_id, scid in connection.execute(named) if scid is not None}
    aliases = select(channels.c.channel_id, channel_scids.c.scid).join(channels)
    for channel_id, scid in connection.execute(aliases):
        found.setdefault(channel_id, scid)
    return found
