"""Answers of a real node (v26.06, regtest), to be changed where a test is about something else."""

from typing import Any

CHANNEL_ID = "20127e5d7fea56dec5d72d805a73dc194286a321153cf544a687c49c0c526621"
OTHER_CHANNEL_ID = "fef919ab0ab9d15dd460689b12c5b4c7dec9e17bad05117e67e69338e52baf2f"
PEER_ID = "038194b5f32bdf0aa59812c86c4ef7ad2f294104fa027d1ace9b469bb6f88cf37b"
OTHER_PEER_ID = "03cecbfdc68544cc596223b68ce0710c9e5d2c9cb317ee07822d95079acc703d31"
NODE_ID = "033845802d25b4e074ccfd7cd8b339a41dc75bf9978a034800444b51d42b07799a"
FUNDING_TXID = "2166520c9cc487a644f53c1521a3864219dc735a802dd7c5de56ea7f5d7e1220"
U64_MAX = 18446744073709551615
PAYMENT_HASH = "e504e1d0a1a1a5f1aa6a9d6a8d9f8b7ce3d2ccf1c3ef0f62a1ac2b2cbb8f2b80"


def getinfo(**changes: Any) -> dict[str, Any]:
    return {
        "id": NODE_ID,
        "alias": "SILENTGOPHER-v26.06.6",
        "color": "033845",
        "num_peers": 2,
        "num_pending_channels": 0,
        "num_active_channels": 2,
        "num_inactive_channels": 0,
        "address": [],
        "binding": [{"type": "ipv4", "address": "127.0.0.1", "port": 36133}],
        "version": "v26.06.6",
        "blockheight": 108,
        "network": "regtest",
        "fees_collected_msat": 501,
        "lightning-dir": "/var/lib/lightning/regtest",
        "our_features": {"init": "800898880a8a59a1", "node": "808898880a8a59a1", "channel": ""},
    } | changes


def policy(**changes: Any) -> dict[str, Any]:
    return {
        "htlc_minimum_msat": 0,
        "htlc_maximum_msat": 990000000,
        "cltv_expiry_delta": 6,
        "fee_base_msat": 1,
        "fee_proportional_millionths": 10,
    } | changes


def channel(**changes: Any) -> dict[str, Any]:
    return {
        "peer_id": PEER_ID,
        "peer_connected": True,
        "reestablished": True,
        "channel_type": {"bits": [12, 22], "names": ["static_remotekey/even", "anchors/even"]},
        "updates": {"local": policy(), "remote": policy(fee_proportional_millionths=25)},
        "state": "CHANNELD_NORMAL",
        "scratch_txid": "b445b24ba98f4b5f07dd40e01335ae91ea20ae0633577d25b42febe6bee777d3",
        "last_tx_fee_msat": 4221000,
        "lost_state": False,
        "feerate": {"perkw": 3755, "perkb": 15020},
        "owner": "channeld",
        "short_channel_id": "103x2x0",
        "direction": 0,
        "channel_id": CHANNEL_ID,
        "funding_txid": FUNDING_TXID,
        "funding_outnum": 0,
        "private": False,
        "opener": "remote",
        "alias": {"local": "7233689x4494313x34906", "remote": "291124x9591410x54364"},
        "features": ["option_static_remotekey", "option_anchors"],
        "funding": {"local_funds_msat": 0, "remote_funds_msat": 1000000000, "pushed_msat": 0, "withheld": False},
        "to_us_msat": 50000501,
        "min_to_us_msat": 0,
        "max_to_us_msat": 50000501,
        "total_msat": 1000000000,
        "fee_base_msat": 1,
        "fee_proportional_millionths": 10,
        "dust_limit_msat": 546000,
        "their_max_htlc_value_in_flight_msat": U64_MAX,
        "our_max_htlc_value_in_flight_msat": 600000000,
        "their_reserve_msat": 10000000,
        "our_reserve_msat": 11000000,
        "spendable_msat": 40000501,
        "receivable_msat": 928704499,
        "minimum_htlc_in_msat": 0,
        "minimum_htlc_out_msat": 0,
        "maximum_htlc_out_msat": 990000000,
        "their_to_self_delay": 5,
        "our_to_self_delay": 5,
        "max_accepted_htlcs": 483,
        "state_changes": [
            {
                "timestamp": "2026-11-23T16:13:43.459Z",
                "old_state": "CHANNELD_AWAITING_LOCKIN",
                "new_state": "CHANNELD_NORMAL",
                "cause": "remote",
                "message": "Lockin complete",
            }
        ],
        "status": ["CHANNELD_NORMAL:Channel ready for use."],
        "in_payments_offered": 1,
        "in_offered_msat": 50000501,
        "in_payments_fulfilled": 1,
        "in_fulfilled_msat": 50000501,
        "out_payments_offered": 0,
        "out_offered_msat": 0,
        "out_payments_fulfilled": 0,
        "out_fulfilled_msat": 0,
        "htlcs": [],
    } | changes


def htlc(**changes: Any) -> dict[str, Any]:
    return {
        "direction": "in",
        "id": 7,
        "expiry": 126,
        "amount_msat": 50000501,
        "payment_hash": PAYMENT_HASH,
        "state": "RCVD_ADD_ACK_REVOCATION",
    } | changes


def channels(*rows: Any) -> dict[str, Any]:
    return {"channels": list(rows)}


def closed_channel(**changes: Any) -> dict[str, Any]:
    return {
        "peer_id": PEER_ID,
        "channel_id": CHANNEL_ID,
        "short_channel_id": "103x2x0",
        "alias": {"local": "7233689x4494313x34906"},
        "opener": "local",
        "closer": "remote",
        "private": False,
        "total_local_commitments": 7,
        "total_msat": 1000000000,
        "final_to_us_msat": 50000501,
        "min_to_us_msat": 0,
        "max_to_us_msat": 50000501,
        "close_cause": "remote",
        "leased": False,
        "funding_txid": FUNDING_TXID,
        "funding_outnum": 0,
    } | changes


def settled(**changes: Any) -> dict[str, Any]:
    return {
        "created_index": 1,
        "updated_index": 1,
        "in_channel": "114x1x0",
        "in_htlc_id": 4,
        "out_channel": "112x1x0",
        "out_htlc_id": 5,
        "in_msat": 50001500,
        "out_msat": 50000000,
        "fee_msat": 1500,
        "status": "settled",
        "style": "tlv",
        "received_time": 1795344388.2508297,
        "resolved_time": 1795344388.3524368,
    } | changes


def local_failed(**changes: Any) -> dict[str, Any]:
    return {
        "created_index": 3,
        "in_channel": "114x1x0",
        "in_htlc_id": 6,
        "out_channel": "700000x1x1",
        "in_msat": 60001600,
        "status": "local_failed",
        "failcode": 16394,
        "failreason": "WIRE_UNKNOWN_NEXT_PEER",
        "style": "tlv",
        "received_time": 1795344388.545151,
    } | changes


def forwards(*rows: Any) -> dict[str, Any]:
    return {"forwards": list(rows)}


def channel_move(**changes: Any) -> dict[str, Any]:
    """Return how a forward came in; null in `changes` takes a field away."""
    row = {
        "created_index": 8,
        "account_id": CHANNEL_ID,
        "credit_msat": 50001500,
        "debit_msat": 0,
        "timestamp": 1795344388,
        "primary_tag": "routed",
        "payment_hash": PAYMENT_HASH,
        "fees_msat": 1500,
    } | changes
    return {name: value for name, value in row.items() if value is not None}


def feerates(**changes: Any) -> dict[str, Any]:
    return {
        "perkw": {
            "opening": 7500,
            "mutual_close": 3750,
            "unilateral_close": 11000,
            "penalty": 7500,
            "min_acceptable": 1875,
            "max_acceptable": 150000,
            "floor": 253,
            "estimates": [
                {"blockcount": 2, "feerate": 15000, "smoothed_feerate": 14000},
                {"blockcount": 6, "feerate": 11000, "smoothed_feerate": 10000},
                {"blockcount": 12, "feerate": 7500, "smoothed_feerate": 7000},
                {"blockcount": 100, "feerate": 3750, "smoothed_feerate": 3500},
            ],
        },
        "onchain_fee_estimates": {
            "opening_channel_satoshis": 5265,
            "mutual_close_satoshis": 2523,
            "unilateral_close_satoshis": 4170,
            "htlc_timeout_satoshis": 7293,
            "htlc_success_satoshis": 7733,
        },
    } | changes


def output(**changes: Any) -> dict[str, Any]:
    return {
        "txid": "2faf2be53893e6677e1105ad7be1c9dec7b4c5129b6860d45dd1b90aab19f9fe",
        "output": 1,
        "amount_msat": 995073000,
        "scriptpubkey": "51209afdce18865b63144f97b6047ca638ee419134b84a12f0263dc3578225f1d9f3",
        "status": "confirmed",
        "blockheight": 103,
        "reserved": False,
    } | changes


def setchannel(**changes: Any) -> dict[str, Any]:
    return {
        "channels": [
            {
                "peer_id": PEER_ID,
                "channel_id": CHANNEL_ID,
                "short_channel_id": "103x2x0",
                "fee_base_msat": 0,
                "fee_proportional_millionths": 123,
                "minimum_htlc_out_msat": 0,
                "maximum_htlc_out_msat": 990000000,
                "ignore_fee_limits": False,
            }
            | changes
        ]
    }
