"""The hub's forwards as the node tells them and as they must stand in the database."""

from typing import Any

from revenued.units import MICROS_PER_SECOND, key_to_scid
from tests.regtest.daemon import Daemon
from tests.regtest.network import Node

Row = tuple[Any, ...]

QUERY = """
    SELECT created_index, updated_index, status, in_scid, in_htlc_id, in_msat, out_scid, asked_scid, out_htlc_id,
           out_msat, fee_msat, failcode, received_at, resolved_at
    FROM forwards
"""


def told(hub: Node) -> list[dict[str, Any]]:
    """Return every forward of the node, in the order in which they were made."""
    rows: list[dict[str, Any]] = hub.ask("listforwards")["forwards"]
    return sorted(rows, key=lambda row: int(row["created_index"]))


def expected(hub: Node) -> list[Row]:
    """Return what the database must hold."""
    ours = {scid for row in hub.channels() for scid in (row.get("short_channel_id"), row["alias"]["local"])}
    rows = []
    for row in told(hub):
        out = row.get("out_channel")
        # Of a forward that the hub refused the node says what the sender asked for, which may be anything.
        elsewhere = row["status"] == "local_failed" and out not in ours
        rows.append(
            (
                row["created_index"],
                row.get("updated_index"),
                row["status"],
                row["in_channel"],
                row.get("in_htlc_id"),
                row["in_msat"],
                None if elsewhere else out,
                out if elsewhere else None,
                row.get("out_htlc_id"),
                row.get("out_msat"),
                row.get("fee_msat"),
                row.get("failcode"),
                _micros(row["received_time"]),
                _micros(row.get("resolved_time")),
            )
        )
    return rows


def stored(daemon: Daemon) -> list[Row]:
    """Return what the database holds, with scids as the node writes them."""
    rows = []
    for row in daemon.rows(f"{QUERY} ORDER BY created_index"):
        for name in ("in_scid", "out_scid", "asked_scid"):
            row[name] = None if row[name] is None else key_to_scid(row[name])
        rows.append(tuple(row.values()))
    return rows


def fees_settled(hub: Node) -> int:
    """Return what the node says that it ever earned, in msat."""
    return int(hub.ask("getinfo")["fees_collected_msat"])


def _micros(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * MICROS_PER_SECOND)
