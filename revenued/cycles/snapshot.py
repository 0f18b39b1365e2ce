"""The snapshot cycle: what the node owns by place, and what the last 24 hours brought."""

from datetime import timedelta

from revenued.accounting.networth import net_worth
from revenued.cycles.context import CycleContext, look, ready_node
from revenued.cycles.run import Summary
from revenued.errors import CycleSkipped, NodeNonsense, NodeRefused
from revenued.model import OnchainFunds
from revenued.store.books import Snapshot, paid_between, write_snapshot
from revenued.store.forwards import read_cursor
from revenued.store.traffic import traffic_total

DAY = timedelta(days=1)
FRESH = timedelta(hours=1)
"""How far behind the books may be when a day is put down; a look at the node is never that old while all is well."""


def snapshot_cycle(context: CycleContext, _cycle_key: int) -> Summary:
    """Keep one financial snapshot. Skipped while forwards are not read up to now: half a day's income is no day's."""
    ready_node(context)
    with context.store.read() as connection:
        cursor = read_cursor(connection)
    if cursor is None or cursor.hydrated_at is None or cursor.caught_up_at is None:
        raise CycleSkipped("the node's forwards are still being read for the first time")
    if cursor.stopped_reason is not None:
        raise CycleSkipped(f"forwards are not being read: {cursor.stopped_reason}")
    if cursor.caught_up_at < context.now() - FRESH:
        raise CycleSkipped("the newest forwards are still being read")
    listed = look(context)
    funds: OnchainFunds | None
    try:
        funds = context.node.onchain_funds()
    except (NodeRefused, NodeNonsense):
        funds = None  # unknown, and shown as unknown; the channels are known all the same
    now = context.now()
    worth = net_worth(listed.channels, funds)
    with context.store.write() as connection:
        traffic = traffic_total(connection, now - DAY, now)
        paid = paid_between(connection, now - DAY, now)
        snapshot = Snapshot(
            taken_at=now,
            onchain_confirmed_msat=worth.onchain_confirmed_msat,
            onchain_unconfirmed_msat=worth.onchain_unconfirmed_msat,
            channels_msat=worth.channels_msat,
            closing_msat=worth.closing_msat,
            htlcs_msat=worth.htlcs_msat,
            capacity_msat=worth.capacity_msat,
            channel_count=worth.channel_count,
            skipped_count=len(listed.skipped),
            earned_msat=traffic.earned_msat,
            forward_count=traffic.out_count,
            rebalance_paid_msat=paid.rebalance_msat,
            onchain_paid_msat=paid.onchain_msat,
        )
        write_snapshot(connection, snapshot)
    return {
        "tlv_msat": snapshot.total_msat,
        "channels": snapshot.channel_count,
        "earned_24h_msat": snapshot.earned_msat,
        "onchain_known": funds is not None,
    }
