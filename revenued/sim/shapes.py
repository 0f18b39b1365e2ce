"""The world in Core Lightning's JSON, but for its channels: names, order and absence as a real node gives them."""

from typing import Any

from revenued.model import NORMAL_STATES
from revenued.sim.chain import MUTUAL_CLOSE_WEIGHT, OPENING_WEIGHT, UNILATERAL_CLOSE_WEIGHT, WalletOutput
from revenued.sim.forwards import ForwardRow
from revenued.sim.gossip import GossipEdge
from revenued.sim.switch import FEE_INSUFFICIENT, TEMPORARY_CHANNEL_FAILURE, UNKNOWN_NEXT_PEER
from revenued.sim.world import World
from revenued.units import MICROS_PER_SECOND, MSAT_PER_SAT, Micros

Json = dict[str, Any]

VERSION = "v26.06"
NETWORK = "regtest"
FAILURES = {
    TEMPORARY_CHANNEL_FAILURE: "WIRE_TEMPORARY_CHANNEL_FAILURE",
    FEE_INSUFFICIENT: "WIRE_FEE_INSUFFICIENT",
    UNKNOWN_NEXT_PEER: "WIRE_UNKNOWN_NEXT_PEER",
}
NODE_FEATURES = "808898880a8a59a1"


def info(world: World) -> Json:
    """Return `getinfo`."""
    active = sum(channel.state in NORMAL_STATES for channel in world.channels)
    answer: Json = {
        "id": world.node_id,
        "alias": world.alias,
        "color": world.node_id[:6],
        "num_peers": len(world.peers),
        "num_pending_channels": 0,
        "num_active_channels": active,
        "num_inactive_channels": len(world.channels) - active,
        "address": [],
        "binding": [],
        "version": VERSION,
        "blockheight": world.chain.height,
        "network": NETWORK,
        "fees_collected_msat": world.book.fees_collected_msat,
        "lightning-dir": "/nonexistent/simulated",
        "our_features": {"init": NODE_FEATURES, "node": NODE_FEATURES, "channel": "", "invoice": "02000002024100"},
    }
    if world.syncing is not None:
        answer["warning_lightningd_sync"] = world.syncing
    return answer


def forward(row: ForwardRow) -> Json:
    """Return one row of `listforwards`."""
    answer: Json = {"created_index": row.created_index}
    if row.updated_index:
        answer["updated_index"] = row.updated_index
    answer |= {"in_channel": row.in_scid, "in_htlc_id": row.in_htlc_id}
    if row.out_scid is not None:
        answer["out_channel"] = row.out_scid
    if row.out_htlc_id is not None:
        answer["out_htlc_id"] = row.out_htlc_id
    answer["in_msat"] = row.in_msat
    if row.out_msat is not None:
        answer |= {"out_msat": row.out_msat, "fee_msat": row.fee_msat}
    answer["status"] = row.status.value
    if row.failcode is not None:
        answer |= {"failcode": row.failcode, "failreason": FAILURES.get(row.failcode, "WIRE_TEMPORARY_NODE_FAILURE")}
    answer |= {"style": "tlv", "received_time": _seconds(row.received_at)}
    if row.resolved_at is not None:
        answer["resolved_time"] = _seconds(row.resolved_at)
    return answer


def forward_event(row: ForwardRow, *, deleted: bool) -> Json:
    """Return what `wait` tells of the forward that ended the wait."""
    event: Json = {"status": row.status.value, "in_channel": row.in_scid, "in_htlc_id": row.in_htlc_id}
    if not deleted:
        event |= {"in_msat": row.in_msat} | ({} if row.out_scid is None else {"out_channel": row.out_scid})
    return event


def gossip_edge(edge: GossipEdge) -> Json:
    """Return one row of `listchannels`."""
    return {
        "source": edge.source,
        "destination": edge.destination,
        "short_channel_id": edge.scid,
        "direction": edge.direction,
        "public": True,
        "amount_msat": edge.capacity_msat,
        "message_flags": 1,
        "channel_flags": edge.direction,
        "active": edge.active,
        "last_update": edge.announced_at // MICROS_PER_SECOND,
        "base_fee_millisatoshi": edge.fee.base_fee_msat,
        "fee_per_millionth": edge.fee.fee_ppm,
        "delay": edge.cltv_expiry_delta,
        "htlc_minimum_msat": edge.htlc_minimum_msat,
        "htlc_maximum_msat": edge.htlc_maximum_msat,
        "features": "",
    }


def node(node_id: str, alias: str, *, announced_at: Micros) -> Json:
    """Return one row of `listnodes`."""
    return {
        "nodeid": node_id,
        "alias": alias,
        "color": node_id[:6],
        "last_timestamp": announced_at // MICROS_PER_SECOND,
        "features": NODE_FEATURES,
        "addresses": [],
    }


def feerates(world: World, style: str) -> Json:
    """Return `feerates` in the style `perkw` or `perkb`."""
    chain, factor = world.chain, 4 if style == "perkb" else 1
    estimates = {blocks: factor * per_kw for blocks, per_kw in chain.estimates()}
    rates: Json = {
        "opening": estimates[12],
        "mutual_close": estimates[100],
        "unilateral_close": estimates[6],
        "unilateral_anchor_close": estimates[100],
        "penalty": estimates[12],
        "min_acceptable": estimates[100] // 2,
        "max_acceptable": estimates[2] * 10,
        "floor": factor * 253,
        "estimates": [
            {"blockcount": blocks, "feerate": rate, "smoothed_feerate": rate} for blocks, rate in estimates.items()
        ],
    }
    costs = {
        "opening_channel_satoshis": chain.cost_sat(OPENING_WEIGHT, blocks=12),
        "mutual_close_satoshis": chain.cost_sat(MUTUAL_CLOSE_WEIGHT, blocks=100),
        "unilateral_close_satoshis": chain.cost_sat(UNILATERAL_CLOSE_WEIGHT, blocks=6),
    }
    return {style: rates, "onchain_fee_estimates": costs}


def funds(world: World) -> Json:
    """Return `listfunds`."""
    return {
        "outputs": [_output(output) for output in world.chain.outputs],
        "channels": [
            {
                "peer_id": channel.peer.node_id,
                "connected": channel.peer.online,
                "state": channel.state,
                "channel_id": channel.channel_id,
                "short_channel_id": channel.scid,
                "our_amount_msat": channel.to_us_msat,
                "amount_msat": channel.capacity_msat,
                "funding_txid": channel.funding_txid,
                "funding_output": channel.funding_outnum,
            }
            for channel in world.channels
        ],
    }


def _output(output: WalletOutput) -> Json:
    answer: Json = {
        "txid": output.txid,
        "output": output.output,
        "amount_msat": output.amount_sat * MSAT_PER_SAT,
        "scriptpubkey": "5120" + output.txid,
        "status": "unconfirmed" if output.height is None else "confirmed",
        "reserved": output.reserved,
    }
    return answer | ({} if output.height is None else {"blockheight": output.height})


def _seconds(instant: Micros) -> float:
    return instant / MICROS_PER_SECOND
