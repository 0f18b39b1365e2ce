"""The RPC methods of the simulated node: one row each in `COMMANDS`, with its usage and what answers it."""

import json
from collections.abc import Callable
from dataclasses import dataclass

from revenued.errors import NodeRefused
from revenued.model import ForwardStatus
from revenued.node.interface import Counter, ForwardIndex
from revenued.sim import channel_shapes, setchannel, shapes
from revenued.sim.forwards import ForwardRow
from revenued.sim.gossip import edges
from revenued.sim.params import INVALID_PARAMS, U32_MAX, Params, bind, integer, node_id, refused, scid, text
from revenued.sim.shapes import Json
from revenued.sim.world import World

UNKNOWN_COMMAND = -32601
COUNTERS: dict[str, Counter] = {"created": "created", "updated": "updated", "deleted": "deleted"}
OTHER_SUBSYSTEMS = frozenset({"invoices", "sendpays", "htlcs", "chainmoves", "channelmoves", "networkevents"})
"""Known to the node, but nothing ever happens in them here."""

CONFIGS: dict[str, Json] = {
    "cltv-final": {"value_int": 18, "source": "default"},
    "cltv-delta": {"value_int": 34, "source": "default"},
    "fee-base": {"value_int": 1, "source": "default"},
    "fee-per-satoshi": {"value_int": 10, "source": "default"},
    "max-concurrent-htlcs": {"value_int": channel_shapes.MAX_CONCURRENT_HTLCS, "source": "default"},
    "max-dust-htlc-exposure-msat": {"value_msat": 50_000_000, "source": "default"},
    "htlc-maximum-msat": {"value_msat": (1 << 64) - 1, "source": "default"},
    "commit-time": {"value_int": 10, "source": "default"},
    "rpc-file-mode": {"value_str": "0600", "source": "default"},
    "network": {"value_str": shapes.NETWORK, "source": "cmdline"},
    "autoclean-cycle": {"value_int": 3600, "source": "default", "plugin": "autoclean", "dynamic": True},
    "autoclean-succeededforwards-age": {},
    "autoclean-failedforwards-age": {},
}
"""An option that exists and is not set is known but has no row."""


@dataclass(frozen=True, slots=True)
class Command:
    """One method. `usage` is what `help` prints after the name; a wait that must wait is its own answer."""

    usage: str
    answer: Callable[[World, Params], "Json | WaitRequest"]
    takes_more: bool = False
    """Parameters that the usage does not name are for the method itself to judge."""


@dataclass(frozen=True, slots=True)
class WaitRequest:
    """A `wait` that was understood."""

    subsystem: str
    counter: Counter
    next_value: int

    def reached(self, world: World) -> Json | None:
        """Return the answer if there is nothing to wait for: no details, and the counter as it is now."""
        value = world.book.counters[self.counter] if self.subsystem == "forwards" else 0
        return {"subsystem": self.subsystem, self.counter: value} if value >= self.next_value else None

    def ended_by(self, counter: Counter, value: int, row: ForwardRow) -> Json | None:
        """Return the answer if this change of a forward is what was waited for."""
        if self.subsystem != "forwards" or counter != self.counter or value < self.next_value:
            return None
        event = shapes.forward_event(row, deleted=counter == "deleted")
        return {"subsystem": self.subsystem, counter: value, self.subsystem: event}


def answer(world: World, method: str, params: object) -> Json | WaitRequest:
    """Return the result of a call, or what it waits for; raises NodeRefused."""
    command = COMMANDS.get(method)
    if command is None:
        raise NodeRefused(f"Unknown command '{method}'", UNKNOWN_COMMAND)
    return command.answer(world, bind(command.usage, params, takes_more=command.takes_more))


def _help(_: World, params: Params) -> Json:
    wanted = text(params, "command")
    if wanted is not None and wanted not in COMMANDS:
        raise NodeRefused(f"Unknown command {wanted}", UNKNOWN_COMMAND)
    names = sorted(COMMANDS) if wanted is None else [wanted]
    return {"help": [{"command": f"{name} {COMMANDS[name].usage}"} for name in names], "format-hint": "simple"}


def _check(world: World, params: Params) -> Json:
    method = text(params, "command_to_check") or ""
    rest = {name: value for name, value in params.items() if name != "command_to_check"}
    if method not in COMMANDS:
        raise NodeRefused(f"Unknown command '{method}'", UNKNOWN_COMMAND)
    bound = bind(COMMANDS[method].usage, rest)
    if method == "setchannel":
        setchannel.channel_request(world, bound)
    return {"command_to_check": method}


def _getinfo(world: World, _: Params) -> Json:
    return shapes.info(world)


def _listpeerchannels(world: World, params: Params) -> Json:
    wanted = node_id(params, "id"), scid(params, "short_channel_id"), text(params, "channel_id")
    if sum(value is not None for value in wanted) > 1:
        raise NodeRefused("Must not specify more than one of short_channel_id, channel_id or id", INVALID_PARAMS)
    rows = [
        channel_shapes.peer_channel(channel)
        for channel in world.channels
        if wanted[0] in (None, channel.peer.node_id)
        and wanted[1] in (None, channel.scid, channel.local_alias, *channel.former_scids)
        and wanted[2] in (None, channel.channel_id)
    ]
    return {"channels": rows}


def _listclosedchannels(world: World, params: Params) -> Json:
    wanted = node_id(params, "id")
    rows = [channel for channel in world.forgotten if wanted in (None, channel.peer.node_id)]
    return {"closedchannels": [channel_shapes.closed_channel(channel) for channel in rows]}


def _listnodes(world: World, params: Params) -> Json:
    wanted = node_id(params, "id")
    known = [(world.node_id, world.alias), *((peer.node_id, peer.alias) for peer in world.peers)]
    rows = [shapes.node(key, alias, announced_at=world.start_micros) for key, alias in known if wanted in (None, key)]
    return {"nodes": rows}


def _listchannels(world: World, params: Params) -> Json:
    if len(params) > 1:
        raise NodeRefused("Can only specify one of `short_channel_id`, `source` or `destination`", INVALID_PARAMS)
    by_scid, source, destination = (
        scid(params, "short_channel_id"),
        node_id(params, "source"),
        node_id(params, "destination"),
    )
    rows = [
        shapes.gossip_edge(edge)
        for edge in edges(world)
        if by_scid in (None, edge.scid) and source in (None, edge.source) and destination in (None, edge.destination)
    ]
    return {"channels": rows}


def _listforwards(world: World, params: Params) -> Json:
    start, limit = integer(params, "start"), integer(params, "limit", most=U32_MAX)
    status, index = _status(params), _index(params)
    for name in ("start", "limit"):
        if name in params and index is None:
            raise NodeRefused(f"Can only specify {{{name}}} with {{index}}", INVALID_PARAMS)
    in_channel, out_channel = scid(params, "in_channel"), scid(params, "out_channel")
    if in_channel is None and out_channel is None:
        rows = world.book.page(index or "created", start=start or 0, limit=limit, status=status)
    else:
        if start is not None:
            raise NodeRefused("Cannot use start with in_channel or out_channel", INVALID_PARAMS)
        rows = [  # the node ignores the limit here
            row
            for row in world.book.page(index or "created", status=status)
            if in_channel in (None, row.in_scid) and out_channel in (None, row.out_scid)
        ]
    return {"forwards": [shapes.forward(row) for row in rows]}


def _status(params: Params) -> ForwardStatus | None:
    status = text(params, "status")
    if status is None:
        return None
    if status not in set(ForwardStatus):
        raise refused("status", "Unrecognized status", status)
    return ForwardStatus(status)


def _index(params: Params) -> ForwardIndex | None:
    match text(params, "index"):
        case None:
            return None
        case "created":
            return "created"
        case "updated":
            return "updated"
        case other:
            raise refused("index", "unknown index", other)


def _wait(world: World, params: Params) -> Json | WaitRequest:
    subsystem, index = text(params, "subsystem") or "", text(params, "indexname") or ""
    if subsystem != "forwards" and subsystem not in OTHER_SUBSYSTEMS:
        raise refused("subsystem", "unknown subsystem", subsystem)
    if index not in COUNTERS:
        raise refused("indexname", "unknown index", index)
    request = WaitRequest(subsystem, COUNTERS[index], integer(params, "nextvalue") or 0)
    return request.reached(world) or request


def _feerates(world: World, params: Params) -> Json:
    style = text(params, "style") or ""
    if style not in ("perkb", "perkw"):
        raise NodeRefused(f"'style' should be 'perkw' or 'perkb', not '{json.dumps(style)}'", INVALID_PARAMS)
    return shapes.feerates(world, style)


def _listfunds(world: World, _: Params) -> Json:
    return shapes.funds(world)


def _listconfigs(_: World, params: Params) -> Json:
    wanted = text(params, "config")
    if wanted is not None and wanted not in CONFIGS:
        raise refused("config", "Unknown config option", wanted)
    return {"configs": {name: row for name, row in CONFIGS.items() if row and wanted in (None, name)}}


COMMANDS: dict[str, Command] = {
    "check": Command("command_to_check", _check, takes_more=True),
    "feerates": Command("style", _feerates),
    "getinfo": Command("", _getinfo),
    "help": Command("[command]", _help),
    "listchannels": Command("[short_channel_id] [source] [destination]", _listchannels),
    "listclosedchannels": Command("[id]", _listclosedchannels),
    "listconfigs": Command("[config]", _listconfigs),
    "listforwards": Command("[status] [in_channel] [out_channel] [index] [start] [limit]", _listforwards),
    "listfunds": Command("[spent]", _listfunds),
    "listnodes": Command("[id]", _listnodes),
    "listpeerchannels": Command("[id] [short_channel_id] [channel_id]", _listpeerchannels),
    "setchannel": Command(setchannel.USAGE, setchannel.set_channel),
    "wait": Command("subsystem indexname nextvalue", _wait),
}
