"""What `status` and `dashboard` answer, from the store and from what the daemon knows of itself."""

from datetime import datetime, timedelta
from typing import Any

from revenued import __version__
from revenued.accounting.statement import OMISSIONS, Statement
from revenued.accounting.window import report_window
from revenued.cycles.run import CycleResult
from revenued.daemon.house import CYCLES, PAUSED, House
from revenued.log import get as logger
from revenued.store.books import Snapshot, newest_snapshot, paid_between
from revenued.store.channels import KnownChannel, known_channels, scid_owners
from revenued.store.cyclelog import CycleRecord, newest_cycles
from revenued.store.forwards import Cursor, read_cursor
from revenued.store.prices import count_changes
from revenued.store.schema import head
from revenued.store.settings import read_switch
from revenued.store.traffic import Traffic, earned_by_scid, traffic_total
from revenued.units import Msat, balance_in_sat, cost_in_sat, key_to_scid

JsonObject = dict[str, Any]
DRY_RUN_NOTE = (
    "Dry run: revenued decides and records, but tells the node nothing. "
    "Go live with: revenuectl config set dry_run false"
)
PAUSED_NOTE = "Paused: no price is changed. Go on with: revenuectl resume"
MONTH = timedelta(days=30)
BEST = 5

__all__ = ["dashboard", "instant", "logger", "notes", "status"]


def instant(at: datetime | None) -> str | None:
    """Return an instant as ISO 8601 with Z."""
    return None if at is None else at.isoformat(timespec="seconds").replace("+00:00", "Z")


def notes(house: House, *, paused: bool) -> list[str]:
    """Return what an operator must know before reading on."""
    said = [DRY_RUN_NOTE] if house.board.bound().settings.dry_run else []
    return [*said, PAUSED_NOTE] if paused else said


def status(house: House) -> JsonObject:
    """Answer revenue-status."""
    bound = house.board.bound()
    with house.store.read() as connection:
        cursor = read_cursor(connection)
        cycles = newest_cycles(connection)
        paused = read_switch(connection, PAUSED)
    info, trouble = house.ingester.info, house.ingester.trouble
    next_runs = house.schedule.next_runs()
    return {
        "version": __version__,
        "schema": head(),
        "dry_run": bound.settings.dry_run,
        "paused": paused,
        "generation": bound.generation,
        "started_at": instant(house.started_at),
        "now": instant(house.clock.now()),
        "node": {
            "reachable": info is not None and house.ingester.unreachable is None,
            "node_id": info.node_id if info else house.ingester.node_id,
            "alias": info.alias if info else None,
            "network": info.network if info else None,
            "version": info.version if info else None,
            "blockheight": info.blockheight if info else None,
            "syncing": info.syncing if info else None,
            "last_answer_at": instant(house.ingester.answered_at),
            "trouble": house.ingester.unreachable,
        },
        "ingest": _ingest(cursor, trouble),
        "cycles": [
            _cycle(kind, cycles.get(kind), house.last_results.get(kind), next_runs.get(kind)) for kind in CYCLES
        ],
        "channels": _channel_counts(house),
        "database": {
            "kind": house.store.kind,
            "location": house.store.location,
            "size_bytes": house.store.size_bytes(),
        },
        "notes": notes(house, paused=paused),
    }


def dashboard(house: House, window_days: int) -> JsonObject:
    """Answer revenue-dashboard. The window ends now and begins on a whole hour."""
    now = house.clock.now()
    hours_kept = timedelta(days=house.board.bound().settings.retention_hours_days)
    since, until = report_window(now - timedelta(days=window_days), now, now=now, hours_kept=hours_kept)
    month, _ = report_window(now - MONTH, now, now=now, hours_kept=hours_kept)
    with house.store.read() as connection:
        total = traffic_total(connection, since, until)
        earned = earned_by_scid(connection, since, until)
        paid = paid_between(connection, since, until)
        of_month = total if window_days == MONTH.days else traffic_total(connection, month, until)
        month_paid = paid_between(connection, month, until)
        snapshot = newest_snapshot(connection)
        cursor = read_cursor(connection)
        cycles = newest_cycles(connection)
        changes = count_changes(connection, now - timedelta(days=1))
        known, owners = known_channels(connection), scid_owners(connection)
        paused = read_switch(connection, PAUSED)
    statement = _statement(total, paid.rebalance_msat, paid.onchain_msat, timedelta(days=window_days))
    monthly = _statement(of_month, month_paid.rebalance_msat, month_paid.onchain_msat, MONTH)
    fee_cycle = cycles.get("fee")
    return {
        "dry_run": house.board.bound().settings.dry_run,
        "paused": paused,
        "as_of": instant(now),
        "notes": notes(house, paused=paused),
        "financial_health": _health(statement, monthly, snapshot),
        "tlv": _tlv(snapshot),
        "period": _period(statement, total, window_days, since, now),
        "channels": _channel_counts(house),
        "best": _best(earned, known, owners),
        "activity": {
            "fee_changes_24h": changes.get("broadcast", 0),
            "outside_changes_24h": changes.get("outside", 0),
            "last_fee_cycle": {
                "started_at": instant(fee_cycle.started_at),
                "outcome": fee_cycle.outcome,
                "reason": fee_cycle.reason,
            }
            if fee_cycle
            else None,
        },
        "warnings": _warnings(house, cursor, cycles, changes),
        "omissions": list(OMISSIONS),
    }


def _statement(total: Traffic, rebalance: int, onchain: int | None, window: timedelta) -> Statement:
    return Statement(
        window=window,
        gross_revenue_msat=Msat(total.earned_msat),
        rebalance_cost_msat=Msat(rebalance),
        onchain_cost_msat=Msat(onchain) if onchain is not None else None,
        forward_count=total.out_count,
        volume_msat=Msat(total.out_msat),
    )


def _health(statement: Statement, monthly: Statement, snapshot: Snapshot | None) -> JsonObject:
    total = snapshot.total_msat if snapshot is not None else None
    capital = Msat(snapshot.channels_msat + snapshot.htlcs_msat) if snapshot else Msat(0)
    return {
        "tlv_sats": balance_in_sat(Msat(total)) if total is not None else None,
        "tlv_msat": total,
        "net_profit_30d_sats": balance_in_sat(monthly.net_profit_msat),
        "net_profit_30d_msat": monthly.net_profit_msat,
        "operating_margin_pct": statement.operating_margin_pct,
        "annualized_roc_pct": monthly.annualized_roc_pct(capital),
    }


def _tlv(snapshot: Snapshot | None) -> JsonObject | None:
    if snapshot is None:
        return None
    places = ("onchain_confirmed_msat", "onchain_unconfirmed_msat", "channels_msat", "closing_msat", "htlcs_msat")
    return {"taken_at": instant(snapshot.taken_at), **{place: getattr(snapshot, place) for place in places}}


def _period(statement: Statement, total: Traffic, window_days: int, since: datetime, now: datetime) -> JsonObject:
    return {
        "window_days": window_days,
        "since": instant(since),
        "until": instant(now),
        "gross_revenue_sats": balance_in_sat(statement.gross_revenue_msat),
        "gross_revenue_msat": statement.gross_revenue_msat,
        "rebalance_cost_sats": cost_in_sat(statement.rebalance_cost_msat),
        "rebalance_cost_msat": statement.rebalance_cost_msat,
        "onchain_cost_msat": statement.onchain_cost_msat,
        "opex_sats": cost_in_sat(statement.opex_msat),
        "opex_msat": statement.opex_msat,
        "net_profit_sats": balance_in_sat(statement.net_profit_msat),
        "net_profit_msat": statement.net_profit_msat,
        "total_forwards": statement.forward_count,
        "volume_msat": statement.volume_msat,
        "earned_ppm": statement.earned_ppm,
        "failed_forwards": total.in_failed_count,
        "local_failed_forwards": total.in_local_failed_count,
    }


def _best(
    earned: dict[int, tuple[int, int, int]], known: dict[int, KnownChannel], owners: dict[int, int]
) -> list[JsonObject]:
    """Return the channels that earned most; scids of channels that nobody knows any more stand for themselves."""
    grouped: dict[tuple[int | None, int], list[int]] = {}
    for scid, sums in earned.items():
        key = owners.get(scid)
        channel = known[key] if key is not None else None
        name = (key, channel.scid if channel is not None and channel.scid is not None else scid)
        of_channel = grouped.setdefault(name, [0, 0, 0])
        for place, amount in enumerate(sums):
            of_channel[place] += amount
    best = sorted(grouped.items(), key=lambda item: item[1][0], reverse=True)[:BEST]
    return [
        {
            "scid": key_to_scid(scid),
            "channel_id": known[key].channel_id if key is not None else None,
            "alias": known[key].alias if key is not None else None,
            "earned_msat": earned_msat,
            "out_msat": out_msat,
            "out_count": out_count,
        }
        for (key, scid), (earned_msat, out_msat, out_count) in best
        if earned_msat > 0
    ]


def _warnings(
    house: House, cursor: Cursor | None, cycles: dict[str, CycleRecord], changes: dict[str, int]
) -> list[str]:
    said = []
    if house.ingester.trouble:
        said.append(f"Forwards are not being read: {house.ingester.trouble}")
    elif cursor is None or cursor.hydrated_at is None:
        said.append("The node's history is still being read: sums are too low until it is done.")
    said += [
        f"The last {kind} cycle {record.outcome}: {record.reason}"
        for kind, record in sorted(cycles.items())
        if record.outcome in ("failed", "skipped") and record.reason
    ]
    if changes.get("outside"):
        said.append(f"{changes['outside']} prices were changed by somebody else in 24 h; `fees history` shows them.")
    if changes.get("unknown"):
        said.append(
            f"{changes['unknown']} prices were set without an answer of the node; the next cycle looks at them."
        )
    return said


def _ingest(cursor: Cursor | None, trouble: str | None) -> JsonObject:
    if cursor is None:
        state, reason = "waiting", trouble
    elif cursor.stopped_reason is not None:
        state, reason = "stopped", cursor.stopped_reason
    else:
        state, reason = ("following" if cursor.hydrated_at else "hydrating"), trouble
    behind = max(0, cursor.target_index - cursor.created_index) if cursor and not cursor.hydrated_at else None
    return {
        "state": state,
        "created_index": cursor.created_index if cursor else None,
        "updated_index": cursor.updated_index if cursor else None,
        "target_index": cursor.target_index if cursor else None,
        "behind": 0 if cursor and cursor.hydrated_at else behind,
        "missing_count": cursor.missing_count if cursor else None,
        "recovered_count": cursor.recovered_count if cursor else None,
        "unreadable_count": cursor.unreadable_count if cursor else None,
        "hydrated_at": instant(cursor.hydrated_at) if cursor else None,
        "caught_up_at": instant(cursor.caught_up_at) if cursor else None,
        "reason": reason,
    }


def _cycle(kind: str, record: CycleRecord | None, newest: CycleResult | None, next_run: datetime | None) -> JsonObject:
    if newest is not None and not newest.recorded:
        return {
            "kind": kind,
            "started_at": instant(record.started_at) if record else None,
            "outcome": newest.outcome,
            "reason": newest.reason,
            "took_ms": newest.took_ms,
            "next_run_at": instant(next_run),
            "summary": dict(newest.summary),
        }
    took = (record.ended_at - record.started_at) if record and record.ended_at else None
    return {
        "kind": kind,
        "started_at": instant(record.started_at) if record else None,
        "outcome": record.outcome if record else None,
        "reason": record.reason if record else None,
        "took_ms": round(took / timedelta(milliseconds=1)) if took is not None else None,
        "next_run_at": instant(next_run),
        "summary": record.summary if record else None,
    }


def _channel_counts(house: House) -> JsonObject | None:
    listed = house.last_look
    if listed is None:
        return None
    normal = [channel for channel in listed.channels if channel.is_normal]
    return {
        "total": len(listed.channels),
        "normal": len(normal),
        "usable": sum(channel.is_usable for channel in normal),
        "capacity_msat": sum(channel.capacity_msat for channel in normal),
        "to_us_msat": sum(channel.to_us_msat for channel in normal),
        "skipped": [{"what": skipped.what, "why": skipped.why} for skipped in listed.skipped],
    }
