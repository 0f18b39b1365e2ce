"""Results of the daemon's methods as documented, of a small node; builders change only what matters to a case."""

import copy
from typing import Any

Result = dict[str, Any]

NODE_ID = "02" + "ab" * 32
PEER_ID = "03" + "cd" * 32
CHANNEL_ID = "f0" * 32
SCID = "800000x1234x0"
NOW = "2026-05-01T12:00:00Z"
DRY_RUN_NOTE = (
    "Dry run: revenued decides and records, but tells the node nothing. "
    "Go live with: revenuectl config set dry_run false"
)


def changed(sample: Result, changes: Result) -> Result:
    """Return a copy with `changes` made; `outer__inner` reaches into an object."""
    copied = copy.deepcopy(sample)
    for name, value in changes.items():
        *outer, last = name.split("__")
        place = copied
        for step in outer:
            place = place[step]
        assert last in place, f"the documented result has no {name}"
        place[last] = value
    return copied


def status(**changes: Any) -> Result:
    return changed(
        {
            "version": "0.1.0",
            "schema": "0001",
            "dry_run": False,
            "paused": False,
            "generation": 7,
            "started_at": "2026-05-01T09:00:00Z",
            "now": NOW,
            "node": {
                "reachable": True,
                "node_id": NODE_ID,
                "alias": "routing-house",
                "network": "bitcoin",
                "version": "v26.06",
                "blockheight": 900_123,
                "syncing": None,
                "last_answer_at": "2026-05-01T11:59:55Z",
                "trouble": None,
            },
            "ingest": {
                "state": "following",
                "created_index": 120_000,
                "updated_index": 119_000,
                "target_index": 120_000,
                "behind": 0,
                "missing_count": 0,
                "recovered_count": 0,
                "unreadable_count": 0,
                "hydrated_at": "2026-05-01T09:01:00Z",
                "caught_up_at": "2026-05-01T11:59:50Z",
                "reason": None,
            },
            "cycles": [
                cycle("fee", next_run_at="2026-05-01T12:20:00Z"),
                cycle("flow", outcome="skipped", reason="the node is still syncing"),
                cycle("retention", started_at=None, outcome=None, took_ms=None, summary=None),
            ],
            "channels": {"total": 12, "normal": 11, "usable": 10, "skipped": []},
            "database": {"kind": "sqlite", "location": "/var/lib/revenued/revenued.db", "size_bytes": 12_345_678},
            "notes": [],
        },
        changes,
    )


def cycle(kind: str, **changes: Any) -> Result:
    return changed(
        {
            "kind": kind,
            "started_at": "2026-05-01T11:50:00Z",
            "outcome": "done",
            "reason": None,
            "took_ms": 820,
            "next_run_at": None,
            "summary": {"channels": 12},
        },
        changes,
    )


def dashboard(**changes: Any) -> Result:
    return changed(
        {
            "dry_run": False,
            "paused": False,
            "as_of": NOW,
            "notes": [],
            "financial_health": {
                "tlv_sats": 51_000_000,
                "tlv_msat": 51_000_000_000,
                "net_profit_30d_sats": 11_111,
                "net_profit_30d_msat": 11_111_111,
                "operating_margin_pct": 90.0,
                "annualized_roc_pct": 3.45,
            },
            "tlv": {
                "taken_at": "2026-05-01T00:00:00Z",
                "onchain_confirmed_msat": 10_000_000_000,
                "onchain_unconfirmed_msat": None,
                "channels_msat": 40_000_000_000,
                "closing_msat": 1_000_000_000,
                "htlcs_msat": 0,
            },
            "period": {
                "window_days": 30,
                "since": "2026-04-01T12:00:00Z",
                "until": NOW,
                "gross_revenue_sats": 12_345,
                "gross_revenue_msat": 12_345_678,
                "rebalance_cost_sats": 1_000,
                "rebalance_cost_msat": 999_001,
                "onchain_cost_msat": 235_566,
                "opex_sats": 1_235,
                "opex_msat": 1_234_567,
                "net_profit_sats": 11_111,
                "net_profit_msat": 11_111_111,
                "total_forwards": 4_321,
                "volume_msat": 40_000_000_000,
                "earned_ppm": 309,
                "failed_forwards": 1_001,
                "local_failed_forwards": 77,
            },
            "channels": {
                "total": 12,
                "normal": 11,
                "usable": 10,
                "capacity_msat": 90_000_000_000,
                "to_us_msat": 40_000_000_000,
            },
            "best": [
                {
                    "scid": SCID,
                    "channel_id": CHANNEL_ID,
                    "alias": "best-peer",
                    "earned_msat": 5_000_500,
                    "out_msat": 9_000_000_000,
                    "out_count": 800,
                }
            ],
            "activity": {
                "fee_changes_24h": 14,
                "outside_changes_24h": 2,
                "last_fee_cycle": {"started_at": "2026-05-01T11:50:00Z", "outcome": "done", "reason": None},
            },
            "warnings": [],
            "omissions": ["On-chain costs of channels that were opened before revenued are not known."],
        },
        changes,
    )


def channel(**changes: Any) -> Result:
    return changed(
        {
            "channel_id": CHANNEL_ID,
            "scid": SCID,
            "peer_id": PEER_ID,
            "alias": "some-peer",
            "state": "CHANNELD_NORMAL",
            "connected": True,
            "capacity_msat": 5_000_000_000,
            "to_us_msat": 2_100_000_000,
            "outbound_ratio": 0.42,
            "fee_ppm": 250,
            "base_fee_msat": 0,
            "target_ppm": 310,
            "outcome": "held",
            "held_by": "hysteresis",
            "flow_state": "sink",
            "in_msat_per_day": 1_234_567_000,
            "out_msat_per_day": 2_345_678_000,
            "earned_msat": 3_456_789,
            "sourced_msat": 9_876,
            "window_days": 7,
        },
        changes,
    )


def channels(*rows: Result, skipped: list[Result] | None = None) -> Result:
    return {"as_of": NOW, "channels": list(rows or (channel(),)), "skipped": skipped or []}


def explanation(**changes: Any) -> Result:
    return changed(
        {
            "channel_id": CHANNEL_ID,
            "scid": SCID,
            "peer_id": PEER_ID,
            "alias": "some-peer",
            "decided_at": "2026-05-01T11:50:00Z",
            "live_ppm": 250,
            "live_base_fee_msat": 0,
            "target_ppm": 310,
            "target_base_fee_msat": 0,
            "outcome": "held",
            "held_by": "minimum_interval",
            "held_why": "last broadcast 20 min ago, min_fee_change_interval is 1 h",
            "held_until": "2026-05-01T12:30:00Z",
            "steps": [
                {"rule": "learned_base_price", "from_ppm": 250, "to_ppm": 240, "why": "hill climber goes down"},
                {"rule": "scarcity_premium", "from_ppm": 240, "to_ppm": 310, "why": "outbound 0.21 of 0.30, ×1.29"},
                {"rule": "operator_bounds", "from_ppm": 310, "to_ppm": 310, "why": "within 10 to 5000"},
            ],
            "warnings": [],
            "pending": None,
            "last_broadcast": {"ppm": 250, "base_fee_msat": 0, "at": "2026-05-01T11:30:00Z"},
            "outside": None,
            "dry_run": False,
        },
        changes,
    )


def change(**changes: Any) -> Result:
    return changed(
        {
            "changed_at": "2026-05-01T11:30:00.123456Z",
            "channel_id": CHANNEL_ID,
            "scid": SCID,
            "alias": "some-peer",
            "kind": "broadcast",
            "from_ppm": 200,
            "to_ppm": 250,
            "from_base_fee_msat": 0,
            "to_base_fee_msat": 0,
            "why": "hill climber goes up",
        },
        changes,
    )


def option(**changes: Any) -> Result:
    return changed(
        {
            "key": "min_fee_ppm",
            "value": 25,
            "default": 10,
            "origin": "stored",
            "unit": "ppm",
            "allowed": "whole number from 0 to 100000 ppm",
            "help": "No price below this is ever broadcast.",
        },
        changes,
    )


OPTIONS: Result = {
    "generation": 7,
    "options": [
        option(),
        option(
            key="scarcity_threshold",
            value=0.3,
            default=0.3,
            origin="default",
            unit="ratio",
            allowed="number from 0.01 to 0.9",
            help="Outbound share below which the scarcity premium starts; it is ×3 at zero.",
        ),
        option(
            key="dry_run",
            value=True,
            default=True,
            origin="file",
            unit="",
            allowed="true or false",
            help="Decide and record everything, but tell the node nothing. Turn off to go live.",
        ),
    ],
}


def ran(**changes: Any) -> Result:
    return changed(
        {
            "cycle": "fee",
            "outcome": "done",
            "reason": None,
            "took_ms": 1234,
            "summary": {"channels": 12, "broadcast_count": 3},
        },
        changes,
    )


def forward(**changes: Any) -> Result:
    return changed(
        {
            "created_index": 120_000,
            "recovered": False,
            "received_at": "2026-05-01T11:30:00.123456Z",
            "resolved_at": "2026-05-01T11:30:02.500000Z",
            "status": "settled",
            "in_channel": "800001x7x1",
            "in_alias": "payer",
            "out_channel": SCID,
            "out_alias": "some-peer",
            "asked_channel": None,
            "in_msat": 50_012_500,
            "out_msat": 50_000_000,
            "fee_msat": 12_500,
            "failcode": None,
        },
        changes,
    )


def forwards(*rows: Result, more: str | None = None) -> Result:
    return {"since": "2026-04-01T12:00:00Z", "until": NOW, "forwards": list(rows), "next": more}


def refused_forward(**changes: Any) -> Result:
    """Return one that we refused ourselves: no amount out, no end, and a channel of nobody's asked for."""
    nothing = dict.fromkeys(("resolved_at", "out_channel", "out_alias", "out_msat", "fee_msat"))
    refused = {"status": "local_failed", "asked_channel": "700000x1x1", "failcode": 0x400A}
    return forward(**nothing | refused | changes)


def flow(**changes: Any) -> Result:
    return changed(
        {
            "channel_id": CHANNEL_ID,
            "scid": SCID,
            "alias": "some-peer",
            "state": "source",
            "congested": False,
            "confidence": 0.934,
            "in_msat_per_day": 1_234_567_000,
            "out_msat_per_day": 2_345_678_000,
            "in_count": 12,
            "out_count": 3_456,
            "asymmetry": 0.31,
            "turnover_per_day": 0.71605,
            "days_to_empty": 1.89,
            "days_to_fill": None,
            "outbound_ratio": 0.42,
            "htlcs_in": {
                "count": 3,
                "dust_count": 1,
                "slots": 30,
                "value_msat": 1_500_000_000,
                "value_limit_msat": 5_000_000_000,
                "fullness": 0.3,
            },
            "htlcs_out": {
                "count": 0,
                "dust_count": 0,
                "slots": 483,
                "value_msat": 0,
                "value_limit_msat": None,
                "fullness": 0.0,
            },
        },
        changes,
    )


def exposure(**changes: Any) -> Result:
    return changed(
        {
            "started_at": "2026-04-30T12:00:00Z",
            "ended_at": "2026-05-01T11:00:00Z",
            "fee_ppm": 250,
            "forward_count": 42,
            "volume_msat": 123_456_789_000,
            "earned_msat": 30_864_197,
            "liquid_share": 0.96,
            "online_share": 1.0,
        },
        changes,
    )


def flows(*rows: Result, exposures: list[Result] | None = None) -> Result:
    return {"as_of": NOW, "window_days": 7, "channels": list(rows or (flow(),)), "exposures": exposures or []}


def peer(**changes: Any) -> Result:
    return changed(
        {
            "peer_id": PEER_ID,
            "alias": "some-peer",
            "channels": 2,
            "connected": True,
            "uptime_24h": 1.0,
            "uptime_7d": 0.98,
            "looks_7d": 168,
            "reputation": 0.873,
            "reputation_evidence": 412.3,
            "in_msat": 1_234_567_000,
            "out_msat": 2_345_678_000,
            "earned_msat": 3_456_789,
            "sourced_msat": 9_876,
        },
        changes,
    )


def peers(*rows: Result) -> Result:
    return {"as_of": NOW, "window_days": 7, "peers": list(rows)}


def candidate(**changes: Any) -> Result:
    return changed(
        {
            "channel_id": CHANNEL_ID,
            "scid": SCID,
            "alias": "some-peer",
            "role": "fill",
            "amount_msat": 1_200_000_000,
            "outbound_ratio": 0.08,
            "out_ppm": 310,
            "why": "outbound share 0.08 is below low_liquidity_threshold 0.2",
        },
        changes,
    )


def candidates(*rows: Result) -> Result:
    note = "This version pays for no refill; the list shows what one would be for."
    return {"as_of": NOW, "candidates": list(rows), "notes": [note]}
