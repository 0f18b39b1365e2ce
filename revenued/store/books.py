"""Financial snapshots and the entries of what was paid."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from revenued.store.tables import entries, move_cursors, snapshots


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What was owned at one instant, and what the 24 hours before it brought. None: the node did not say."""

    taken_at: datetime
    onchain_confirmed_msat: int | None
    onchain_unconfirmed_msat: int | None
    channels_msat: int
    closing_msat: int
    htlcs_msat: int
    capacity_msat: int
    channel_count: int
    skipped_count: int
    earned_msat: int
    forward_count: int
    rebalance_paid_msat: int
    onchain_paid_msat: int | None

    @property
    def total_msat(self) -> int | None:
        """Return the sum of all places; None when one of them, or a single channel, is unknown."""
        if self.onchain_confirmed_msat is None or self.onchain_unconfirmed_msat is None or self.skipped_count:
            return None
        onchain = self.onchain_confirmed_msat + self.onchain_unconfirmed_msat
        return onchain + self.channels_msat + self.closing_msat + self.htlcs_msat


@dataclass(frozen=True, slots=True)
class Paid:
    """Costs of a window by kind, estimates left out."""

    rebalance_msat: int
    onchain_msat: int | None
    """None while nothing reads them from the node."""


def write_snapshot(connection: Connection, snapshot: Snapshot) -> None:
    """Keep one snapshot."""
    row = {name: getattr(snapshot, name) for name in Snapshot.__dataclass_fields__}
    connection.execute(snapshots.insert().values(**row))


def newest_snapshot(connection: Connection) -> Snapshot | None:
    """Return the newest snapshot, None before the first."""
    columns = [snapshots.c[name] for name in Snapshot.__dataclass_fields__]
    row = connection.execute(select(*columns).order_by(snapshots.c.taken_at.desc()).limit(1)).one_or_none()
    return None if row is None else Snapshot(*row)


def paid_between(connection: Connection, since: datetime, until: datetime) -> Paid:
    """Return what was paid in [since, until), as positive amounts."""
    rows = connection.execute(
        select(entries.c.kind, func.sum(entries.c.amount_msat))
        .where(entries.c.happened_at >= since, entries.c.happened_at < until, entries.c.estimate.is_(False))
        .group_by(entries.c.kind)
    )
    by_kind = {kind: -int(amount) for kind, amount in rows}
    rebalance = by_kind.pop("rebalance", 0)
    is_read = connection.execute(select(move_cursors.c.source).where(move_cursors.c.source == "chainmoves")).first()
    return Paid(rebalance, sum(by_kind.values()) if is_read is not None else None)
