"""Forwards that the node deleted before we had read how they ended: found again, or known to be gone."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, select, update

from revenued.clock import from_micros, to_micros
from revenued.flow.recovery import MovedForward
from revenued.model import Forward, ForwardStatus
from revenued.store.forwards import apply_forwards
from revenued.store.tables import channel_scids, channels, forwards
from revenued.units import Micros, Msat

GONE = "gone"
"""Status of a forward that was under way when it was last seen, and is no longer among the node's rows."""

Kind = tuple[str, str, int, int]


def settled_since(connection: Connection, since: datetime) -> list[tuple[Kind, Micros]]:
    """Return (kind, resolved_at) of the settled forwards that were resolved since then, in the way of MovedForward."""
    names = _channel_ids(connection)
    columns = (forwards.c.in_scid, forwards.c.out_scid, forwards.c.in_msat, forwards.c.out_msat, forwards.c.resolved_at)
    # An HTLC can be under way for days before it settles; what was received earlier than that was seen to end.
    rows = connection.execute(
        select(*columns).where(
            forwards.c.status == ForwardStatus.SETTLED.value,
            forwards.c.received_at >= since - timedelta(days=15),
            forwards.c.resolved_at >= since,
        )
    )
    return [
        (
            (names.get(row.in_scid, ""), names.get(row.out_scid, ""), row.in_msat, row.out_msat),
            to_micros(row.resolved_at),
        )
        for row in rows
    ]


def add_recovered(connection: Connection, lost: Sequence[MovedForward]) -> int:
    """Store forwards known from their moves; one that is stored as under way becomes settled. Return how many.

    A recovered row carries minus the index of its outgoing move, so doing it again changes nothing.
    """
    scids = _newest_scids(connection)
    rows = []
    for forward in lost:
        in_scid, out_scid = scids.get(forward.in_channel), scids.get(forward.out_channel)
        if in_scid is None or out_scid is None:
            continue
        offered = _offered_like(connection, forward)
        if offered is not None:
            connection.execute(delete(forwards).where(forwards.c.created_index == offered))
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
                received_at=forward.moved_at,
                resolved_at=forward.moved_at,
            )
        )
    return apply_forwards(connection, rows).inserted


def offered_indexes(connection: Connection) -> list[int]:
    """Return the created indexes of forwards that are under way as far as we know."""
    under_way = select(forwards.c.created_index).where(forwards.c.status == ForwardStatus.OFFERED.value)
    return list(connection.execute(under_way.order_by(forwards.c.created_index)).scalars())


def mark_gone(connection: Connection, indexes: Sequence[int]) -> None:
    """Note that these forwards are no longer among the node's rows; how they ended is unknown, so no sum changes."""
    if indexes:
        under_way = forwards.c.status == ForwardStatus.OFFERED.value
        connection.execute(update(forwards).where(forwards.c.created_index.in_(indexes), under_way).values(status=GONE))


def _offered_like(connection: Connection, forward: MovedForward) -> int | None:
    """Return a forward under way that this one could be the end of: same channels, same amount in, begun before."""
    entries = select(channel_scids.c.scid).join(channels).where(channels.c.channel_id == forward.in_channel)
    candidates = select(forwards.c.created_index).where(
        forwards.c.status == ForwardStatus.OFFERED.value,
        forwards.c.in_msat == forward.in_msat,
        forwards.c.received_at <= from_micros(forward.moved_at + 1_000_000),
        forwards.c.in_scid.in_(entries),
    )
    return connection.execute(candidates.order_by(forwards.c.created_index).limit(1)).scalar_one_or_none()


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
