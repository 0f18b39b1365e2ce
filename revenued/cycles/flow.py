"""The flow cycle: who is there, what they are called, what balances are, and what the traffic says of each channel."""

from collections import Counter

from revenued.cycles.context import CycleContext, look, ready_node
from revenued.cycles.gather import flow_estimates
from revenued.cycles.run import Summary
from revenued.flow.htlcuse import is_congested
from revenued.store.channels import peer_keys, record_aliases, record_channels, record_closed
from revenued.store.forwards import read_cursor
from revenued.store.observations import record_peer_look, record_samples
from revenued.store.peers import fade_reputations


def flow_cycle(context: CycleContext, _cycle_key: int) -> Summary:
    """Note channels, closed channels, aliases, balances and presence; return the counts by flow state."""
    ready_node(context)
    listed = look(context)
    closed, unreadable = context.node.closed_channels()
    peers = sorted({channel.peer_id for channel in listed.channels})
    aliases = context.node.aliases(peers)
    now = context.now()
    with context.store.write() as connection:
        keys = record_channels(connection, listed.channels, now=now)
        newly_closed = record_closed(connection, closed, now=now)
        record_aliases(connection, aliases)
        channels = {keys[channel.channel_id]: channel for channel in listed.channels}
        record_samples(connection, channels.items(), now=now)
        known = peer_keys(connection)
        connected: dict[int, bool] = {}
        for channel in listed.channels:
            key = known[channel.peer_id]
            connected[key] = connected.get(key, False) or channel.peer_connected
        record_peer_look(connection, connected, now=now)
        cursor = read_cursor(connection)
        if cursor is not None and cursor.hydrated_at is not None and cursor.caught_up_at is not None:
            fade_reputations(connection, until=min(now, cursor.caught_up_at))
        flows = flow_estimates(connection, channels, window_days=context.settings.flow_window_days, now=now)
    congested = sum(
        is_congested(channel, threshold=context.settings.htlc_congestion_threshold) for channel in channels.values()
    )
    states = Counter(flow.state.value for flow in flows.values())
    return {
        "channels": len(channels),
        "unreadable": len(listed.skipped) + len(unreadable),
        "peers": len(peers),
        "connected": sum(connected.values()),
        "newly_closed": newly_closed,
        **{state: states.get(state, 0) for state in ("source", "sink", "balanced", "dormant")},
        "congested": congested,
    }
