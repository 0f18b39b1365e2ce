"""What `rebalance list` answers: who would be filled and drained. Nothing here pays."""

from typing import Any

from revenued.cycles.gather import flow_estimates
from revenued.daemon.house import House
from revenued.daemon.reports import instant
from revenued.errors import RevenuedError
from revenued.rebalance.candidates import candidate
from revenued.store.channels import channel_keys, known_channels
from revenued.store.prices import read_memories

JsonObject = dict[str, Any]
NOTE = "This version pays for no refill; the list shows what one would be for."


def rebalance_list(house: House) -> JsonObject:
    """Answer revenue-rebalance-list, the most to be moved first."""
    listed, settings = house.last_look, house.board.bound().settings
    if listed is None:
        raise RevenuedError("the node's channels were not read yet; `revenuectl status` says why")
    with house.store.read() as connection:
        keys = channel_keys(connection)
        seen = {keys[channel.channel_id]: channel for channel in listed.channels if channel.channel_id in keys}
        flows = flow_estimates(connection, seen, window_days=settings.flow_window_days, now=house.clock.now())
        known, memories = known_channels(connection), read_memories(connection)
    rows = []
    for key, channel in seen.items():
        memory = memories.get(key)
        told = memory.broadcast if memory is not None and memory.broadcast is not None else channel.fee
        found = candidate(channel, flows[key], settings, out_ppm=told.fee_ppm if told is not None else None)
        rows.append(
            {
                "channel_id": channel.channel_id,
                "scid": channel.scid or channel.local_alias,
                "alias": known[key].alias,
                "role": found.role.value,
                "amount_msat": found.amount_msat,
                "outbound_ratio": round(channel.outbound_ratio, 4),
                "out_ppm": found.out_ppm,
                "why": found.why,
            }
        )
    order = {"fill": 0, "drain": 1, "neither": 2}
    rows.sort(key=lambda row: (order[str(row["role"])], -int(str(row["amount_msat"]))))
    return {"as_of": instant(house.last_look_at), "candidates": rows, "notes": [NOTE]}
