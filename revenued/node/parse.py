"""What the node says of itself, of the chain and of fee changes becomes values; a partial answer is refused.

This module, `parse_channels` and `parse_forwards` are the only readers of the node's JSON.
"""

from collections.abc import Callable
from typing import TypeVar

from revenued.errors import NodeNonsense
from revenued.model import Capabilities, ChannelFee, Feerates, FeeReply, NodeInfo, OnchainFunds
from revenued.node.fields import Fields, Unreadable, rows_of
from revenued.node.interface import Counter
from revenued.node.printable import printable
from revenued.units import MAX_MONEY_MSAT, MSAT_PER_SAT, FeeratePerKw, Msat, Ppm, Sat

Value = TypeVar("Value")


def node_info(answer: object) -> NodeInfo:
    """Return what an answer to `getinfo` says; raises NodeNonsense."""
    return _whole_answer(_node_info, answer, method="getinfo")


def forward_count(answer: object, counter: Counter) -> int:
    """Return where a counter stands, from an answer to `wait` for forwards; raises NodeNonsense."""
    return _whole_answer(lambda fields: fields.whole(counter), answer, method="wait")


def feerates(answer: object) -> Feerates:
    """Return an answer to `feerates` in the style perkw; what is missing in it is unknown. Raises NodeNonsense."""
    return _whole_answer(_feerates, answer, method="feerates")


def onchain_funds(answer: object) -> OnchainFunds:
    """Return the sums of an answer to `listfunds`; raises NodeNonsense, also when a single output is unreadable."""
    return _whole_answer(_onchain_funds, answer, method="listfunds")


def fee_reply(answer: object, channel_id: str) -> FeeReply:
    """Return what an answer to `setchannel` says is in force; raises NodeNonsense unless it names only `channel_id`."""
    rows = rows_of(answer, "channels", method="setchannel")
    if len(rows) != 1 or not isinstance(rows[0], dict) or rows[0].get("channel_id") != channel_id:
        raise NodeNonsense(f"setchannel: the answer to a change of {channel_id} does not name exactly this channel")
    return _whole_answer(_fee_reply, rows[0], method="setchannel")


def capabilities(answer: object) -> Capabilities:
    """Return the commands in an answer to `help`; one that cannot be read is one that the node lacks."""
    usage: dict[str, str] = {}
    for row in rows_of(answer, "help", method="help"):
        try:
            line = Fields.of(row).text("command", most=1000)
        except Unreadable:
            continue
        usage[line.split(" ", 1)[0]] = line
    return Capabilities(usage)


def alias_of(answer: object, node_id: str) -> str | None:
    """Return the alias in an answer to `listnodes` for one node; None when gossip knows none. Raises NodeNonsense."""
    for row in rows_of(answer, "nodes", method="listnodes"):
        if isinstance(row, dict) and row.get("nodeid") == node_id:
            fields = Fields(row)
            try:
                return fields.optional(fields.text, "alias") or None
            except Unreadable:
                return None
    return None


def _whole_answer(read: Callable[[Fields], Value], answer: object, *, method: str) -> Value:
    try:
        return read(Fields.of(answer))
    except Unreadable as problem:
        raise NodeNonsense(f"{method}: {problem}") from problem


def _node_info(fields: Fields) -> NodeInfo:
    warnings = [
        fields.text(name, most=300) or name
        for name in ("warning_bitcoind_sync", "warning_lightningd_sync")
        if fields.row.get(name) is not None
    ]
    return NodeInfo(
        node_id=fields.node_id("id"),
        alias=fields.optional(fields.text, "alias") or "",
        network=fields.text("network", most=16),
        version=fields.text("version"),
        blockheight=fields.u32("blockheight"),
        fees_collected_msat=fields.money("fees_collected_msat"),
        syncing="; ".join(warnings) or None,
    )


def _feerates(fields: Fields) -> Feerates:
    per_kw = fields.section("perkw")
    costs = fields.section("onchain_fee_estimates")
    estimates = {row.u32("blockcount"): FeeratePerKw(row.u32("feerate")) for row in per_kw.sections("estimates")}
    floor = per_kw.optional(per_kw.u32, "floor")
    return Feerates(
        estimates=tuple(sorted(estimates.items())),
        floor_per_kw=None if floor is None else FeeratePerKw(floor),
        open_cost_sat=_cost(costs, "opening_channel_satoshis"),
        close_cost_sat=_cost(costs, "mutual_close_satoshis"),
    )


def _cost(costs: Fields, name: str) -> Sat | None:
    if costs.row.get(name) is None:
        return None
    return Sat(costs.whole(name, most=MAX_MONEY_MSAT // MSAT_PER_SAT))


def _onchain_funds(fields: Fields) -> OnchainFunds:
    confirmed = unconfirmed = reserved = 0
    if fields.row.get("outputs") is None:
        raise Unreadable("outputs is missing")
    for output in fields.sections("outputs"):
        amount, status = output.money("amount_msat"), output.text("status")
        if status == "spent":
            continue
        if status == "confirmed":
            confirmed += amount
        elif status in ("unconfirmed", "immature"):
            unconfirmed += amount
        else:
            raise Unreadable(f"{output.path}status is none that is known")
        if output.flag("reserved"):
            reserved += amount
    return OnchainFunds(Msat(confirmed), Msat(unconfirmed), Msat(reserved))


def _fee_reply(fields: Fields) -> FeeReply:
    return FeeReply(
        channel_id=fields.channel_id("channel_id"),
        fee=ChannelFee(fields.money("fee_base_msat"), Ppm(fields.u32("fee_proportional_millionths"))),
        warnings=tuple(
            printable(f"{name}: {said}" if isinstance(said, str) else name, most=300)
            for name, said in fields.row.items()
            if name.startswith("warning_")
        ),
    )
