"""Channels in Core Lightning's JSON: every field, its name, order and absence as a real node gives them."""

from revenued.clock import from_micros
from revenued.model import NORMAL_STATES, Side
from revenued.sim.channel import (
    COMMITMENT_FEERATE_PER_KW,
    DUST_LIMIT_MSAT,
    SimChannel,
    SimHtlc,
    StateChange,
    Tally,
    commitment_fee_msat,
)
from revenued.sim.params import U64_MAX
from revenued.sim.shapes import Json
from revenued.sim.switch import CLTV_DELTA
from revenued.units import MICROS_PER_SECOND

MAX_CONCURRENT_HTLCS = 30
FEATURES = ["option_static_remotekey", "option_anchors"]


def peer_channel(channel: SimChannel) -> Json:
    """Return one row of `listpeerchannels`."""
    answer: Json = {"peer_id": channel.peer.node_id, "peer_connected": channel.peer.online}
    if channel.peer.online and channel.state in NORMAL_STATES:
        answer["reestablished"] = True
    answer |= {"channel_type": {"bits": [12, 22], "names": ["static_remotekey/even", "anchors/even"]}}
    answer |= {"updates": _updates(channel), "state": channel.state}
    answer |= {"last_tx_fee_msat": commitment_fee_msat(len(channel.htlcs)), "lost_state": False}
    answer |= {"feerate": {"perkw": COMMITMENT_FEERATE_PER_KW, "perkb": 4 * COMMITMENT_FEERATE_PER_KW}}
    if channel.peer.online or channel.state == "ONCHAIN":
        answer["owner"] = "channeld" if channel.state in NORMAL_STATES else "onchaind"
    answer |= _identity(channel)
    if channel.state not in NORMAL_STATES:
        answer["closer"] = "local"
    answer |= {"alias": {"local": channel.local_alias, "remote": channel.remote_alias}, "features": FEATURES}
    answer |= _money(channel)
    answer |= {
        "their_to_self_delay": 144,
        "our_to_self_delay": 144,
        "max_accepted_htlcs": MAX_CONCURRENT_HTLCS,
        "last_stable_connection": channel.peer.connected_since // MICROS_PER_SECOND,
        "state_changes": [_state_change(change) for change in channel.state_changes],
        "status": [_status(channel)],
    }
    answer |= _tally("in", channel.incoming) | _tally("out", channel.outgoing)
    return answer | {"htlcs": [_htlc(htlc) for htlc in channel.htlcs.values()]}


def closed_channel(channel: SimChannel) -> Json:
    """Return one row of `listclosedchannels`."""
    return {
        "peer_id": channel.peer.node_id,
        "channel_id": channel.channel_id,
        "short_channel_id": channel.scid,
        "alias": {"local": channel.local_alias, "remote": channel.remote_alias},
        "opener": channel.opener.value,
        "closer": "local",
        "private": channel.private,
        "total_local_commitments": 2 * channel.incoming.offered,
        "total_remote_commitments": 2 * channel.outgoing.offered,
        "total_htlcs_sent": channel.outgoing.offered,
        "funding_txid": channel.funding_txid,
        "funding_outnum": channel.funding_outnum,
        "leased": False,
        "funding_withheld": False,
        "total_msat": channel.capacity_msat,
        "final_to_us_msat": channel.to_us_msat,
        "min_to_us_msat": channel.least_to_us_msat,
        "max_to_us_msat": channel.most_to_us_msat,
        "close_cause": "user",
    }


def policy_reply(channel: SimChannel, warnings: Json) -> Json:
    """Return one row of `setchannel`'s answer."""
    return {
        "peer_id": channel.peer.node_id,
        "channel_id": channel.channel_id,
        "short_channel_id": channel.scid,
        "fee_base_msat": channel.fee.base_fee_msat,
        "fee_proportional_millionths": channel.fee.fee_ppm,
        "minimum_htlc_out_msat": channel.htlc_minimum_msat,
        "maximum_htlc_out_msat": channel.htlc_maximum_msat,
        "ignore_fee_limits": False,
    } | warnings


def _updates(channel: SimChannel) -> Json:
    peer = channel.peer
    return {
        "local": {
            "htlc_minimum_msat": channel.htlc_minimum_msat,
            "htlc_maximum_msat": channel.htlc_maximum_msat,
            "cltv_expiry_delta": CLTV_DELTA,
            "fee_base_msat": channel.fee.base_fee_msat,
            "fee_proportional_millionths": channel.fee.fee_ppm,
        },
        "remote": {
            "htlc_minimum_msat": 1000,
            "htlc_maximum_msat": channel.capacity_msat - channel.reserve_msat,
            "cltv_expiry_delta": peer.cltv_expiry_delta,
            "fee_base_msat": peer.fee_towards_us.base_fee_msat,
            "fee_proportional_millionths": peer.fee_towards_us.fee_ppm,
        },
    }


def _identity(channel: SimChannel) -> Json:
    return {
        "short_channel_id": channel.scid,
        "direction": channel.direction,
        "channel_id": channel.channel_id,
        "funding_txid": channel.funding_txid,
        "funding_outnum": channel.funding_outnum,
        "private": channel.private,
        "opener": channel.opener.value,
    }


def _money(channel: SimChannel) -> Json:
    funded = channel.capacity_msat, 0
    ours, theirs = funded if channel.opener is Side.LOCAL else reversed(funded)
    return {
        "funding": {"local_funds_msat": ours, "remote_funds_msat": theirs, "pushed_msat": 0, "withheld": False},
        "to_us_msat": channel.to_us_msat,
        "min_to_us_msat": channel.least_to_us_msat,
        "max_to_us_msat": channel.most_to_us_msat,
        "total_msat": channel.capacity_msat,
        "fee_base_msat": channel.fee.base_fee_msat,
        "fee_proportional_millionths": channel.fee.fee_ppm,
        "dust_limit_msat": DUST_LIMIT_MSAT,
        "their_max_htlc_value_in_flight_msat": U64_MAX,
        "our_max_htlc_value_in_flight_msat": U64_MAX,
        "their_reserve_msat": channel.reserve_msat,
        "our_reserve_msat": channel.reserve_msat,
        "spendable_msat": channel.spendable_msat,
        "receivable_msat": channel.receivable_msat,
        "minimum_htlc_in_msat": 0,
        "minimum_htlc_out_msat": channel.htlc_minimum_msat,
        "maximum_htlc_out_msat": channel.htlc_maximum_msat,
    }


def _status(channel: SimChannel) -> str:
    if channel.state == "ONCHAIN":
        return "ONCHAIN:Tracking mutual close transaction"
    return f"{channel.state}:" + ("Channel ready for use." if channel.peer.online else "Will attempt reconnect")


def _state_change(change: StateChange) -> Json:
    return {
        "timestamp": from_micros(change.at).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "old_state": change.old_state,
        "new_state": change.new_state,
        "cause": change.cause,
        "message": change.message,
    }


def _tally(side: str, tally: Tally) -> Json:
    return {
        f"{side}_payments_offered": tally.offered,
        f"{side}_offered_msat": tally.offered_msat,
        f"{side}_payments_fulfilled": tally.fulfilled,
        f"{side}_fulfilled_msat": tally.fulfilled_msat,
    }


def _htlc(htlc: SimHtlc) -> Json:
    answer: Json = {
        "direction": "in" if htlc.incoming else "out",
        "id": htlc.htlc_id,
        "amount_msat": htlc.amount_msat,
        "expiry": htlc.expiry_height,
        "payment_hash": htlc.payment_hash,
        "state": "RCVD_ADD_ACK_REVOCATION" if htlc.incoming else "SENT_ADD_ACK_REVOCATION",
    }
    return answer | ({"local_trimmed": True} if htlc.amount_msat < DUST_LIMIT_MSAT else {})
