"""What `channels`, `fees explain` and `fees history` answer."""

from dataclasses import asdict
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection

from revenued.cycles.gather import flow_estimates
from revenued.daemon.house import House
from revenued.daemon.reports import instant
from revenued.errors import RevenuedError, SettingError
from revenued.flow.estimate import FlowEstimate
from revenued.model import Channel, ChannelFee
from revenued.store.channels import KnownChannel, channel_keys, find_channel, known_channels, scid_owners
from revenued.store.prices import StoredChange, StoredDecision, read_changes, read_decisions, read_memories
from revenued.store.traffic import Traffic, traffic_by_scid, whole_hour
from revenued.units import key_to_scid

JsonObject = dict[str, Any]


def channels(house: House) -> JsonObject:
    """Answer revenue-channels: the channels as a cycle last saw them."""
    listed, settings, now = house.last_look, house.board.bound().settings, house.clock.now()
    if listed is None:
        raise RevenuedError("the node's channels were not read yet; `revenuectl status` says why")
    window = settings.flow_window_days
    with house.store.read() as connection:
        keys = channel_keys(connection)
        seen = {keys[channel.channel_id]: channel for channel in listed.channels if channel.channel_id in keys}
        flows = flow_estimates(connection, seen, window_days=window, now=now)
        decisions = read_decisions(connection)
        known = known_channels(connection)
        sums = _by_channel(connection, house, window)
    return {
        "as_of": instant(house.last_look_at),
        "channels": [
            _channel(channel, known[key], flows[key], decisions.get(key), sums.get(key, Traffic()), window)
            for key, channel in seen.items()
        ],
        "skipped": [{"what": skipped.what, "why": skipped.why} for skipped in listed.skipped],
    }


def explain(house: House, name: str) -> JsonObject:
    """Answer revenue-fees-explain: the newest decision with every step, and what we remember of the price."""
    with house.store.read() as connection:
        key, known = find(connection, name)
        decision = read_decisions(connection, key).get(key)
        memory = read_memories(connection).get(key)
    if decision is None:
        raise RevenuedError(f"channel {name}: nothing was decided yet; `revenuectl run fee` decides now")
    broadcast = memory.broadcast if memory else None
    base_target = house.board.bound().settings.base_fee_msat
    return {
        **_named(known),
        "decided_at": instant(decision.decided_at),
        "live_ppm": decision.live_ppm,
        "live_base_fee_msat": _live_base(house, known.channel_id),
        "target_ppm": decision.target_ppm,
        "target_base_fee_msat": base_target if decision.target_ppm is not None else None,
        "outcome": decision.outcome,
        "held_by": decision.held_by,
        "held_why": decision.held_why,
        "held_until": instant(decision.held_until),
        "steps": [asdict(step) for step in decision.steps],
        "warnings": list(decision.warnings),
        "pending": {"ppm": memory.pending_ppm, "since": instant(memory.pending_since)}
        if memory and memory.pending_ppm is not None
        else None,
        "last_broadcast": {**_fee(broadcast), "at": instant(memory.broadcast_at)} if memory and broadcast else None,
        "outside": {**_fee(memory.outside), "seen_at": instant(memory.outside_seen_at)}
        if memory and memory.outside
        else None,
        "dry_run": house.board.bound().settings.dry_run,
    }


def history(house: House, *, channel: str | None, limit: int) -> JsonObject:
    """Answer revenue-fees-history, newest first."""
    with house.store.read() as connection:
        key = find(connection, channel)[0] if channel is not None else None
        changes = read_changes(connection, channel_key=key, limit=limit)
        known = known_channels(connection)
    return {"changes": [_change(change, known[change.channel_key]) for change in changes]}


def find(connection: Connection, name: str) -> tuple[int, KnownChannel]:
    """Return a channel by its channel id, scid or alias scid, present or former; raises SettingError."""
    key = find_channel(connection, name)
    if key is None:
        raise SettingError(f"channel: {name!r} is no channel of this node; give a short channel id or a channel id")
    return key, known_channels(connection)[key]


def _by_channel(connection: Connection, house: House, window_days: int) -> dict[int, Traffic]:
    now = house.clock.now()
    owners = scid_owners(connection)
    sums: dict[int, Traffic] = {}
    since = whole_hour(now) - timedelta(days=window_days)
    for scid, traffic in traffic_by_scid(connection, since, now + timedelta(hours=1)).items():
        key = owners.get(scid)
        if key is not None:
            sums[key] = sums.get(key, Traffic()) + traffic
    return sums


def _channel(
    channel: Channel,
    known: KnownChannel,
    flow: FlowEstimate,
    decision: StoredDecision | None,
    sums: Traffic,
    window_days: int,
) -> JsonObject:
    return {
        "channel_id": channel.channel_id,
        "scid": channel.scid or channel.local_alias,
        "peer_id": channel.peer_id,
        "alias": known.alias,
        "state": channel.state,
        "connected": channel.peer_connected,
        "capacity_msat": channel.capacity_msat,
        "to_us_msat": channel.to_us_msat,
        "outbound_ratio": round(channel.outbound_ratio, 4),
        "fee_ppm": channel.fee.fee_ppm if channel.fee else None,
        "base_fee_msat": channel.fee.base_fee_msat if channel.fee else None,
        "target_ppm": decision.target_ppm if decision else None,
        "outcome": decision.outcome if decision else None,
        "held_by": decision.held_by if decision else None,
        "flow_state": flow.state.value,
        "in_msat_per_day": round(flow.in_msat_per_day),
        "out_msat_per_day": round(flow.out_msat_per_day),
        "earned_msat": sums.earned_msat,
        "sourced_msat": sums.sourced_msat,
        "window_days": window_days,
    }


def _change(change: StoredChange, known: KnownChannel) -> JsonObject:
    return {
        "changed_at": instant(change.changed_at),
        "channel_id": known.channel_id,
        "scid": key_to_scid(known.scid) if known.scid is not None else None,
        "alias": known.alias,
        "kind": change.kind,
        "from_ppm": change.from_ppm,
        "to_ppm": change.to_ppm,
        "from_base_fee_msat": change.from_base_msat,
        "to_base_fee_msat": change.to_base_msat,
        "why": change.why,
    }


def _named(known: KnownChannel) -> JsonObject:
    return {
        "channel_id": known.channel_id,
        "scid": key_to_scid(known.scid) if known.scid is not None else None,
        "peer_id": known.peer_id,
        "alias": known.alias,
    }


def _fee(fee: ChannelFee | None) -> JsonObject:
    return {"ppm": fee.fee_ppm if fee else None, "base_fee_msat": fee.base_fee_msat if fee else None}


def _live_base(house: House, channel_id: str) -> int | None:
    listed = house.last_look.channels if house.last_look is not None else ()
    found = next((channel for channel in listed if channel.channel_id == channel_id), None)
    return found.fee.base_fee_msat if found is not None and found.fee is not None else None
