"""What we saw of channels and peers at each flow cycle."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, text

from revenued.clock import to_micros
from revenued.model import Channel
from revenued.store.engine import upsert
from revenued.store.tables import channel_samples
from revenued.store.traffic import whole_hour


def record_samples(connection: Connection, seen: Iterable[tuple[int, Channel]], *, now: datetime) -> None:
    """Note balances, HTLCs and prices of channels, given as (channel_key, channel)."""
    rows = [
        {
            "channel_key": key,
            "sampled_at": now,
            "connected": channel.is_usable,
            "to_us_msat": channel.to_us_msat,
            "capacity_msat": channel.capacity_msat,
            "outbound_ratio": channel.outbound_ratio,
            "fee_ppm": channel.ours.fee.fee_ppm if channel.ours else None,
            "base_fee_msat": channel.ours.fee.base_fee_msat if channel.ours else None,
            "htlcs_in": sum(htlc.incoming for htlc in channel.htlcs),
            "htlcs_out": sum(not htlc.incoming for htlc in channel.htlcs),
            "htlcs_in_msat": sum(htlc.amount_msat for htlc in channel.htlcs if htlc.incoming),
            "htlcs_out_msat": sum(htlc.amount_msat for htlc in channel.htlcs if not htlc.incoming),
        }
        for key, channel in seen
    ]
    upsert(connection, channel_samples, rows)


def record_peer_look(connection: Connection, connected: dict[int, bool], *, now: datetime) -> None:
    """Count one look at each peer, given as peer_key → was connected."""
    statement = text(
        "INSERT INTO peer_hours (peer_key, hour_at, observed_count, connected_count) VALUES (:peer, :hour, 1, :there) "
        "ON CONFLICT (peer_key, hour_at) DO UPDATE SET observed_count = peer_hours.observed_count + 1, "
        "connected_count = peer_hours.connected_count + excluded.connected_count"
    )
    hour = to_micros(whole_hour(now))
    rows = [{"peer": key, "hour": hour, "there": int(there)} for key, there in connected.items()]
    if rows:
        connection.execute(statement, rows)
