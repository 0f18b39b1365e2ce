"""What is known of peers over time: how often they were there when we looked, and how what they sent ended."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select

from revenued.flow.reputation import Reputation, faded
from revenued.store.engine import upsert
from revenued.store.tables import channel_scids, channels, peer_hours, peers, reputations
from revenued.store.traffic import traffic_by_scid, whole_hour

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
    sent: defaultdict[int, list[int]] = defaultdict(lambda: [0, 0])
    owners = scid_peers(connection)
    for scid, traffic in traffic_by_scid(connection, since, until).items():
        peer = owners.get(scid)
        if peer is not None:
            sent[peer][0] += traffic.in_count
            sent[peer][1] += traffic.in_failed_count
    hours = (until - since) / timedelta(hours=1)
    rows = []
    for peer in set(owners.values()):
        settled, failed = sent[peer]
        after = faded(before.get(peer, Reputation()), hours=hours, settled=settled, failed=failed)
        rows.append({"peer_key": peer, "settled": after.settled, "failed": after.failed, "updated_at": until})
    upsert(connection, reputations, rows)
