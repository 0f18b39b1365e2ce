"""What is known of peers over time: how often they were there when we looked, and how what they sent ended."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select

from revenued.flow.reputation import Reputation, faded
from revenued.store.engine import upsert
from revenued.store.tables import channel_scids, channels, forward_hours, peer_hours, peers, reputations
from revenued.store.traffic import HOUR, whole_hour

LONGEST_MEMORY = timedelta(days=30)
"""Older traffic has faded to nothing (0.98^720)."""


@dataclass(frozen=True, slots=True)
class KnownPeer:
    """A peer as the database names it."""

    peer_key: int
    node_id: str
    alias: str | None
    first_seen_at: datetime


@dataclass(frozen=True, slots=True)
class Presence:
    """Looks at a peer in a window. No look is not "away": without looks the share is unknown."""

    looks: int = 0
    there: int = 0

    @property
    def share(self) -> float | None:
        """Return in what share of the looks the peer was there; None without any."""
        return self.there / self.looks if self.looks else None


def known_peers(connection: Connection) -> dict[int, KnownPeer]:
    """Return peer_key → peer of every peer ever seen."""
    columns = (peers.c.peer_key, peers.c.node_id, peers.c.alias, peers.c.first_seen_at)
    return {row.peer_key: KnownPeer(*row) for row in connection.execute(select(*columns))}


def scid_peers(connection: Connection) -> dict[int, int]:
    """Return scid or alias → peer_key of every channel ever seen."""
    joined = select(channel_scids.c.scid, channels.c.peer_key).join(channels).where(channels.c.peer_key.is_not(None))
    return {scid: peer for scid, peer in connection.execute(joined) if peer is not None}


def presence(connection: Connection, *, since: datetime) -> dict[int, Presence]:
    """Return peer_key → looks from the hour that `since` lies in until now."""
    looks, there = func.sum(peer_hours.c.observed_count), func.sum(peer_hours.c.connected_count)
    rows = connection.execute(
        select(peer_hours.c.peer_key, looks, there)
        .where(peer_hours.c.hour_at >= whole_hour(since))
        .group_by(peer_hours.c.peer_key)
    )
    return {peer: Presence(int(seen), int(found)) for peer, seen, found in rows}


def read_reputations(connection: Connection) -> dict[int, Reputation]:
    """Return peer_key → reputation."""
    columns = (reputations.c.peer_key, reputations.c.settled, reputations.c.failed)
    return {peer: Reputation(settled, failed) for peer, settled, failed in connection.execute(select(*columns))}


def fade_reputations(connection: Connection, *, until: datetime) -> None:
    """Take into every peer's reputation the whole hours since it was last brought up to date, until `until`."""
    until = whole_hour(until)
    before = read_reputations(connection)
    updated = dict(connection.execute(select(reputations.c.peer_key, reputations.c.updated_at)).all())
    oldest = until - LONGEST_MEMORY
    since = max(oldest, min(updated.values(), default=oldest))
    if since >= until:
        return
    owners = scid_peers(connection)
    # Hour by hour: what came in during a long absence must weigh as if we had looked every hour.
    sent: dict[tuple[datetime, int], tuple[int, int]] = {}
    for hour, scid, settled, failed in _sent(connection, since, until):
        if (peer := owners.get(scid)) is not None:
            known = sent.get((hour, peer), (0, 0))
            sent[hour, peer] = known[0] + settled, known[1] + failed
    after = dict.fromkeys(set(owners.values()), Reputation()) | before
    through = dict.fromkeys(after, since)
    for (hour, peer), (settled, failed) in sent.items():
        hours = (hour + HOUR - through[peer]) / HOUR
        after[peer], through[peer] = faded(after[peer], hours=hours, settled=settled, failed=failed), hour + HOUR
    rows = []
    for peer, reputation in after.items():
        now = faded(reputation, hours=(until - through[peer]) / HOUR, settled=0, failed=0)
        rows.append({"peer_key": peer, "settled": now.settled, "failed": now.failed, "updated_at": until})
    upsert(connection, reputations, rows)


def _sent(connection: Connection, since: datetime, until: datetime) -> Iterator[tuple[datetime, int, int, int]]:
    """Yield (hour, scid, settled, failed) of what was sent to us in [since, until), oldest first."""
    sums = forward_hours.c
    chosen = (sums.hour_at >= since, sums.hour_at < until, sums.in_count + sums.in_failed_count > 0)
    columns = (sums.hour_at, sums.scid, sums.in_count, sums.in_failed_count)
    for row in connection.execute(select(*columns).where(*chosen).order_by(sums.hour_at)):
        yield row.hour_at, row.scid, row.in_count, row.in_failed_count
