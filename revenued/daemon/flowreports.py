"""What `forwards`, `flow` and `peers` answer."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from revenued.clock import from_micros, to_micros
from revenued.cycles.gather import flow_estimates
from revenued.daemon.feereports import find
from revenued.daemon.house import House
from revenued.daemon.reports import instant
from revenued.errors import RevenuedError, SettingError
from revenued.flow.estimate import FlowEstimate
from revenued.flow.htlcuse import HtlcUse, incoming_use, is_congested, outgoing_use
from revenued.flow.reputation import Reputation
from revenued.model import Channel
from revenued.store.channels import KnownChannel, channel_keys, known_channels, scid_owners
from revenued.store.forwardlist import ForwardRow, list_forwards
from revenued.store.forwards import SET_ASIDE
from revenued.store.peers import KnownPeer, Presence, known_peers, presence, read_reputations, scid_peers
from revenued.store.prices import Exposed, read_exposures
from revenued.store.traffic import Traffic, traffic_by_scid, whole_hour
from revenued.units import key_to_scid

JsonObject = dict[str, Any]
WEEK = timedelta(days=7)


def forwards(
    house: House,
    *,
    channel: str | None,
    peer: str | None,
    since: str | None,
    until: str | None,
    status: str | None,
    limit: int,
    before: str | None,
) -> JsonObject:
    """Answer revenue-forwards, newest first; `next` asks for the page behind this one."""
    now = house.clock.now()
    start = read_instant("since", since) if since else now - timedelta(days=30)
    end = read_instant("until", until) if until else now + timedelta(hours=1)
    with house.store.read() as connection:
        scids = _wanted_scids(connection, channel, peer)
        rows = list_forwards(
            connection, since=start, until=end, scids=scids, status=status, limit=limit, before=_read_place(before)
        )
        known, owners = known_channels(connection), scid_owners(connection)
    return {
        "since": instant(start),
        "until": instant(end),
        "forwards": [_forward(row, known, owners) for row in rows],
        "next": f"{to_micros(rows[-1].received_at)}:{rows[-1].created_index}" if len(rows) == limit else None,
    }


def flow(house: House, name: str | None) -> JsonObject:
    """Answer revenue-flow: what the traffic says of one channel or all, and how full their HTLC slots are."""
    listed, settings = house.last_look, house.board.bound().settings
    if listed is None:
        raise RevenuedError("the node's channels were not read yet; `revenuectl status` says why")
    with house.store.read() as connection:
        wanted = find(connection, name)[0] if name is not None else None
        keys = channel_keys(connection)
        seen = {keys[channel.channel_id]: channel for channel in listed.channels if channel.channel_id in keys}
        if wanted is not None:
            seen = {key: channel for key, channel in seen.items() if key == wanted}
            if not seen:
                raise SettingError(f"channel: the node does not list {name!r} any more")
        flows = flow_estimates(connection, seen, window_days=settings.flow_window_days, now=house.clock.now())
        known = known_channels(connection)
        exposed = read_exposures(connection, wanted, limit=20) if wanted is not None else []
    threshold = settings.htlc_congestion_threshold
    return {
        "as_of": instant(house.last_look_at),
        "window_days": settings.flow_window_days,
        "channels": [_flow(channel, known[key], flows[key], threshold) for key, channel in seen.items()],
        "exposures": [_exposure(row) for row in exposed],
    }


def peers_report(house: House) -> JsonObject:
    """Answer revenue-peers: who they are, how often they were there, and what passes through them."""
    now = house.clock.now()
    with house.store.read() as connection:
        known, owners = known_peers(connection), scid_peers(connection)
        day, week = presence(connection, since=now - timedelta(days=1)), presence(connection, since=now - WEEK)
        reputations = read_reputations(connection)
        sums: dict[int, Traffic] = {}
        for scid, traffic in traffic_by_scid(connection, whole_hour(now) - WEEK, now + timedelta(hours=1)).items():
            if scid in owners:
                sums[owners[scid]] = sums.get(owners[scid], Traffic()) + traffic
    listed = house.last_look.channels if house.last_look is not None else ()
    return {
        "as_of": instant(house.last_look_at),
        "window_days": WEEK.days,
        "peers": [
            _peer(peer, [c for c in listed if c.peer_id == peer.node_id], day, week, reputations, sums)
            for peer in known.values()
        ],
    }


def read_instant(field: str, text: str) -> datetime:
    """Return the instant in `text`, ISO 8601, UTC unless it says otherwise; raises SettingError."""
    try:
        read = datetime.fromisoformat(text)
        return read.astimezone(UTC) if read.tzinfo is not None else read.replace(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise SettingError(f"{field}: {text!r:.60} is no date; write 2026-05-01 or 2026-05-01T12:00:00Z") from error


def _read_place(before: str | None) -> tuple[datetime, int] | None:
    if before is None:
        return None
    at, _, index = before.partition(":")
    try:
        place = from_micros(int(at)), int(index)
        if not -(2**63) <= place[1] < 2**63:
            raise ValueError("no index")
    except (ValueError, OverflowError) as error:
        raise SettingError("before: give what `next` of the page before this one said") from error
    return place


def _wanted_scids(connection: Connection, channel: str | None, peer: str | None) -> Sequence[int] | None:
    if channel is None and peer is None:
        return None
    scids: set[int] | None = None
    if channel is not None:
        key = find(connection, channel)[0]
        scids = {scid for scid, owner in scid_owners(connection).items() if owner == key}
    if peer is not None:
        peer_key = find_peer(connection, peer)
        theirs = {scid for scid, owner in scid_peers(connection).items() if owner == peer_key}
        scids = theirs if scids is None else scids & theirs
    return sorted(scids or ())


def find_peer(connection: Connection, name: str) -> int:
    """Return the peer_key of a node id or an alias that only one peer has; raises SettingError."""
    known = known_peers(connection)
    same = [key for key, peer in known.items() if peer.node_id == name]
    if not same:
        same = [
            key for key, peer in known.items() if peer.alias is not None and peer.alias.casefold() == name.casefold()
        ]
    if len(same) == 1:
        return same[0]
    what = "fits several peers" if len(same) > 1 else "is no peer of this node"
    raise SettingError(f"peer: {name!r:.80} {what}; give a node id, or an alias that only one peer has")


def _forward(row: ForwardRow, known: dict[int, KnownChannel], owners: dict[int, int]) -> JsonObject:
    def alias(scid: int | None) -> str | None:
        key = owners.get(scid) if scid is not None else None
        return known[key].alias if key is not None else None

    return {
        "created_index": row.created_index if row.created_index > 0 else None,
        "recovered": -SET_ASIDE < row.created_index < 0,
        "received_at": row.received_at.isoformat().replace("+00:00", "Z"),
        "resolved_at": row.resolved_at.isoformat().replace("+00:00", "Z") if row.resolved_at is not None else None,
        "status": row.status,
        "in_channel": key_to_scid(row.in_scid),
        "in_alias": alias(row.in_scid),
        "out_channel": key_to_scid(row.out_scid) if row.out_scid is not None else None,
        "out_alias": alias(row.out_scid),
        "asked_channel": key_to_scid(row.asked_scid) if row.asked_scid is not None else None,
        "in_msat": row.in_msat,
        "out_msat": row.out_msat,
        "fee_msat": row.fee_msat,
        "failcode": row.failcode,
    }


def _flow(channel: Channel, known: KnownChannel, found: FlowEstimate, threshold: float) -> JsonObject:
    return {
        "channel_id": channel.channel_id,
        "scid": channel.scid or channel.local_alias,
        "alias": known.alias,
        "state": found.state.value,
        "congested": is_congested(channel, threshold=threshold),
        "confidence": round(found.confidence, 3),
        "in_msat_per_day": round(found.in_msat_per_day),
        "out_msat_per_day": round(found.out_msat_per_day),
        "in_count": found.in_count,
        "out_count": found.out_count,
        "asymmetry": round(found.asymmetry, 3),
        "turnover_per_day": round(found.turnover_per_day, 5),
        "days_to_empty": _rounded(found.days_to_empty),
        "days_to_fill": _rounded(found.days_to_fill),
        "outbound_ratio": round(channel.outbound_ratio, 4),
        "htlcs_in": _use(incoming_use(channel)),
        "htlcs_out": _use(outgoing_use(channel)),
    }


def _use(use: HtlcUse) -> JsonObject:
    return {
        "count": use.count,
        "dust_count": use.dust_count,
        "slots": use.slots,
        "value_msat": use.value_msat,
        "value_limit_msat": use.value_limit_msat,
        "fullness": round(use.fullness, 4),
    }


def _exposure(row: Exposed) -> JsonObject:
    return {
        "started_at": instant(row.started_at),
        "ended_at": instant(row.ended_at),
        "fee_ppm": row.fee_ppm,
        "forward_count": row.forward_count,
        "volume_msat": row.volume_msat,
        "earned_msat": row.earned_msat,
        "liquid_share": round(row.liquid_share, 3),
        "online_share": round(row.online_share, 3),
    }


def _peer(
    peer: KnownPeer,
    channels: Sequence[Channel],
    day: dict[int, Presence],
    week: dict[int, Presence],
    reputations: dict[int, Reputation],
    sums: dict[int, Traffic],
) -> JsonObject:
    traffic = sums.get(peer.peer_key, Traffic())
    reputation = reputations.get(peer.peer_key)
    return {
        "peer_id": peer.node_id,
        "alias": peer.alias,
        "channels": len(channels),
        "connected": any(channel.peer_connected for channel in channels) if channels else None,
        "uptime_24h": _rounded(day.get(peer.peer_key, Presence()).share),
        "uptime_7d": _rounded(week.get(peer.peer_key, Presence()).share),
        "looks_7d": week.get(peer.peer_key, Presence()).looks,
        "reputation": round(reputation.mean, 3) if reputation is not None else None,
        "reputation_evidence": round(reputation.evidence, 1) if reputation is not None else None,
        "in_msat": traffic.in_msat,
        "out_msat": traffic.out_msat,
        "earned_msat": traffic.earned_msat,
        "sourced_msat": traffic.sourced_msat,
    }


def _rounded(number: float | None) -> float | None:
    return round(number, 3) if number is not None else None
