"""Which channels there are and were, under which scids, and whose they are."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, select, update

from revenued.model import Channel, ClosedChannel
from revenued.store.engine import upsert
from revenued.store.tables import channel_scids, channels, peers
from revenued.units import scid_to_key

CONFIRMED_EVERY = timedelta(hours=1)
"""How old `last_seen_at` may get while nothing else changes."""


@dataclass(frozen=True, slots=True)
class KnownChannel:
    """A channel as the database names it."""

    channel_key: int
    channel_id: str
    peer_id: str | None
    alias: str | None
    scid: int | None
    first_seen_at: datetime
    closed_at: datetime | None


def record_channels(connection: Connection, listed: Iterable[Channel], *, now: datetime) -> dict[str, int]:
    """Note every listed channel with its peer and its scids; return channel_id → channel_key of all known channels.

    Channels that are not listed are left as they are: not listed is not closed.
    """
    seen = list(listed)
    peer_keys = _record_peers(connection, {channel.peer_id for channel in seen}, now=now)
    stored = {row.channel_id: row for row in connection.execute(select(*_COMPARED))}
    fresh = [channel for channel in seen if channel.channel_id not in stored]
    if fresh:
        connection.execute(
            channels.insert(),
            [
                {"channel_id": channel.channel_id, "first_seen_at": now, **_columns(channel, peer_keys, now)}
                for channel in fresh
            ],
        )
        known = channel_keys(connection)
    else:
        known = {channel_id: row.channel_key for channel_id, row in stored.items()}
    rows = [
        {
            "channel_key": known[channel.channel_id],
            "channel_id": channel.channel_id,
            "first_seen_at": now,
            **_columns(channel, peer_keys, now),
        }
        for channel in seen
        if channel.channel_id in stored and _is_news(channel, stored[channel.channel_id], now)
    ]
    upsert(
        connection,
        channels,
        rows,
        keep=("channel_id", "first_seen_at"),
        fill=("scid", "opener", "funding_txid", "funding_outnum", "opened_at"),
    )
    _record_scids(
        connection,
        (
            (known[c.channel_id], kind, text)
            for c in seen
            for kind, text in (("scid", c.scid), ("alias", c.local_alias))
        ),
        now=now,
    )
    return known


def record_closed(connection: Connection, closed: Iterable[ClosedChannel], *, now: datetime) -> int:
    """Note channels that the node has forgotten, so that their old forwards have a name; return how many are news."""
    listed = list(closed)
    known = channel_keys(connection)
    peer_keys = _record_peers(connection, {c.peer_id for c in listed if c.peer_id}, now=now)
    fresh = [channel for channel in listed if channel.channel_id not in known]
    if fresh:
        connection.execute(
            channels.insert(),
            [
                {
                    "channel_id": channel.channel_id,
                    "peer_key": peer_keys.get(channel.peer_id or ""),
                    "scid": scid_to_key(channel.scid) if channel.scid else None,
                    "opener": channel.opener,
                    "private": channel.private,
                    "capacity_msat": channel.capacity_msat,
                    "state": "CLOSED",
                    "first_seen_at": now,
                    "last_seen_at": now,
                    "closed_at": now,
                    "close_cause": channel.close_cause,
                }
                for channel in fresh
            ],
        )
        known = channel_keys(connection)
    open_until_now = set(
        connection.execute(select(channels.c.channel_id).where(channels.c.closed_at.is_(None))).scalars()
    )
    ended = [channel for channel in listed if channel.channel_id in open_until_now]
    for channel in ended:
        connection.execute(
            update(channels)
            .where(channels.c.channel_id == channel.channel_id)
            .values(closed_at=now, state="CLOSED", close_cause=channel.close_cause)
        )
    _record_scids(
        connection,
        (
            (known[c.channel_id], kind, text)
            for c in listed
            for kind, text in (("scid", c.scid), ("alias", c.local_alias))
        ),
        now=now,
    )
    return len(fresh) + len(ended)


def record_aliases(connection: Connection, aliases: Mapping[str, str]) -> None:
    """Note what peers call themselves."""
    for node_id, alias in aliases.items():
        connection.execute(
            update(peers).where(peers.c.node_id == node_id, peers.c.alias.is_distinct_from(alias)).values(alias=alias)
        )


def channel_keys(connection: Connection) -> dict[str, int]:
    """Return channel_id → channel_key of every channel ever seen."""
    return {
        row.channel_id: row.channel_key
        for row in connection.execute(select(channels.c.channel_id, channels.c.channel_key))
    }


def peer_keys(connection: Connection) -> dict[str, int]:
    """Return node id → peer_key of every peer ever seen."""
    return {row.node_id: row.peer_key for row in connection.execute(select(peers.c.node_id, peers.c.peer_key))}


def scid_owners(connection: Connection) -> dict[int, int]:
    """Return scid or alias → channel_key of everything that a channel of ours was ever called."""
    return {
        row.scid: row.channel_key
        for row in connection.execute(select(channel_scids.c.scid, channel_scids.c.channel_key))
    }


def known_channels(connection: Connection) -> dict[int, KnownChannel]:
    """Return channel_key → channel of every channel ever seen."""
    columns = (
        channels.c.channel_key, channels.c.channel_id, peers.c.node_id.label("peer_id"), peers.c.alias, channels.c.scid,
        channels.c.first_seen_at, channels.c.closed_at,
    )  # fmt: skip
    rows = connection.execute(select(*columns).outerjoin_from(channels, peers))
    return {row.channel_key: KnownChannel(*row) for row in rows}


def find_channel(connection: Connection, name: str) -> int | None:
    """Return the channel_key of the channel with this channel id, scid (present or former) or alias scid."""
    if len(name) == 64:
        return connection.execute(select(channels.c.channel_key).where(channels.c.channel_id == name)).scalar()
    try:
        scid = scid_to_key(name.replace(":", "x"))
    except ValueError:
        return None
    return connection.execute(select(channel_scids.c.channel_key).where(channel_scids.c.scid == scid)).scalar()


_COMPARED = tuple(
    channels.c[name]
    for name in ("channel_id", "channel_key", "scid", "capacity_msat", "state", "private", "opened_at", "last_seen_at")
)


def _is_news(channel: Channel, stored: Row[Any], now: datetime) -> bool:
    """The stored row says something else, or was last confirmed a while ago."""
    return (
        (channel.scid is not None and scid_to_key(channel.scid) != stored.scid)
        or (channel.opened_at is not None and channel.opened_at != stored.opened_at)
        or (channel.state, channel.capacity_msat, channel.private)
        != (stored.state, stored.capacity_msat, stored.private)
        or now - stored.last_seen_at >= CONFIRMED_EVERY
    )


def _columns(channel: Channel, peer_keys: Mapping[str, int], now: datetime) -> dict[str, object]:
    return {
        "peer_key": peer_keys[channel.peer_id],
        "scid": scid_to_key(channel.scid) if channel.scid else None,
        "opener": channel.opener,
        "private": channel.private,
        "capacity_msat": channel.capacity_msat,
        "funding_txid": channel.funding_txid,
        "funding_outnum": channel.funding_outnum,
        "state": channel.state,
        "opened_at": channel.opened_at,
        "last_seen_at": now,
    }


def _record_peers(connection: Connection, node_ids: set[str], *, now: datetime) -> dict[str, int]:
    known = peer_keys(connection)
    fresh = sorted(node_ids - known.keys())
    if not fresh:
        return known
    connection.execute(peers.insert(), [{"node_id": node_id, "first_seen_at": now} for node_id in fresh])
    return peer_keys(connection)


def _record_scids(connection: Connection, named: Iterable[tuple[int, str, str | None]], *, now: datetime) -> None:
    known = set(connection.execute(select(channel_scids.c.scid)).scalars())
    rows = {}
    for channel_key, kind, name in named:
        if name is not None and (scid := scid_to_key(name)) not in known:
            rows[scid] = {"scid": scid, "channel_key": channel_key, "kind": kind, "first_seen_at": now}
    upsert(connection, channel_scids, list(rows.values()))
