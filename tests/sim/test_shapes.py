"""What the socket answers has the fields, types and absences that a real lightningd v26.06 was seen to answer with."""

from pathlib import Path
from typing import Any

import pytest

from revenued.model import ForwardStatus
from revenued.sim.channel import SimChannel
from revenued.sim.rpc import RpcServer
from revenued.sim.switch import UNKNOWN_NEXT_PEER
from revenued.sim.world import World
from tests.sim.builders import SAT, HandClock, ask, fee, half_full, lone_pair

CHANNEL_FIELDS = {
    "peer_id", "peer_connected", "reestablished", "channel_type", "updates", "state", "last_tx_fee_msat", "lost_state",
    "feerate", "owner", "short_channel_id", "direction", "channel_id", "funding_txid", "funding_outnum", "private",
    "opener", "alias", "features", "funding", "to_us_msat", "min_to_us_msat", "max_to_us_msat", "total_msat",
    "fee_base_msat", "fee_proportional_millionths", "dust_limit_msat", "their_max_htlc_value_in_flight_msat",
    "our_max_htlc_value_in_flight_msat", "their_reserve_msat", "our_reserve_msat", "spendable_msat", "receivable_msat",
    "minimum_htlc_in_msat", "minimum_htlc_out_msat", "maximum_htlc_out_msat", "their_to_self_delay",
    "our_to_self_delay", "max_accepted_htlcs", "state_changes", "status", "in_payments_offered", "in_offered_msat",
    "in_payments_fulfilled", "in_fulfilled_msat", "out_payments_offered", "out_offered_msat", "out_payments_fulfilled",
    "out_fulfilled_msat", "last_stable_connection", "htlcs",
}  # fmt: skip
POLICY_FIELDS = {
    "htlc_minimum_msat", "htlc_maximum_msat", "cltv_expiry_delta", "fee_base_msat", "fee_proportional_millionths",
}  # fmt: skip


@pytest.fixture
def pair(server: RpcServer) -> tuple[SimChannel, SimChannel]:
    return server.do(lambda world: lone_pair(half_full(world)))


def rows(path: Path, method: str, key: str, **params: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ask(path, method, params)[key]
    return found


def test_a_channel_has_every_field_of_a_normal_one(server: RpcServer, socket_path: Path) -> None:
    channels = rows(socket_path, "listpeerchannels", "channels")
    assert len(channels) == 4
    for channel in channels:
        assert set(channel) == CHANNEL_FIELDS
        assert set(channel["updates"]["local"]) == set(channel["updates"]["remote"]) == POLICY_FIELDS
        assert channel["their_max_htlc_value_in_flight_msat"] == 2**64 - 1
        assert channel["state_changes"][0]["timestamp"].endswith("Z")
        assert channel["state_changes"][0]["new_state"] == channel["state"] == "CHANNELD_NORMAL"


def test_an_offline_channel_does_not_say_that_it_is_reestablished(server: RpcServer, socket_path: Path) -> None:
    server.do(lambda world: world.set_online(world.peers[1], online=False))
    (channel,) = rows(socket_path, "listpeerchannels", "channels", id=server.do(lambda world: world.peers[1].node_id))
    assert channel["peer_connected"] is False
    assert set(channel) == CHANNEL_FIELDS - {"reestablished", "owner"}
    assert channel["spendable_msat"] > 0


def test_htlcs_in_flight_are_listed_on_both_sides(
    server: RpcServer, socket_path: Path, pair: tuple[SimChannel, SimChannel]
) -> None:
    server.do(lambda world: world.forward_now(*pair, 90_000 * SAT, ForwardStatus.OFFERED))
    by_scid = {channel["short_channel_id"]: channel for channel in rows(socket_path, "listpeerchannels", "channels")}
    (incoming,), (outgoing,) = by_scid[pair[0].scid]["htlcs"], by_scid[pair[1].scid]["htlcs"]
    assert (incoming["direction"], incoming["state"]) == ("in", "RCVD_ADD_ACK_REVOCATION")
    assert (outgoing["direction"], outgoing["state"]) == ("out", "SENT_ADD_ACK_REVOCATION")
    assert set(outgoing) == {"direction", "id", "amount_msat", "expiry", "payment_hash", "state"}
    assert outgoing["amount_msat"] == 90_000 * SAT
    assert incoming["expiry"] > outgoing["expiry"]


def test_listpeerchannels_takes_one_selector(server: RpcServer, socket_path: Path) -> None:
    first = server.do(lambda world: world.channels[0])
    both = rows(socket_path, "listpeerchannels", "channels", id=first.peer.node_id)
    assert len(both) == 2
    assert len(rows(socket_path, "listpeerchannels", "channels", channel_id=first.channel_id)) == 1
    assert len(rows(socket_path, "listpeerchannels", "channels", short_channel_id=first.scid)) == 1
    assert rows(socket_path, "listpeerchannels", "channels", short_channel_id="9x9x9") == []
    refusal = ask(socket_path, "listpeerchannels", {"id": first.peer.node_id, "channel_id": first.channel_id})
    assert refusal["error"]["code"] == -32602


def test_a_settled_forward_looks_like_the_node_s(
    server: RpcServer, socket_path: Path, pair: tuple[SimChannel, SimChannel]
) -> None:
    def forward(world: World) -> None:
        world.set_fee(pair[1], fee(30))
        world.forward_now(*pair, 50_000_000)

    server.do(forward)
    (row,) = rows(socket_path, "listforwards", "forwards")
    received = row.pop("received_time")
    assert row.pop("resolved_time") == received == 1767571200.0
    assert row == {
        "created_index": 1,
        "updated_index": 1,
        "in_channel": pair[0].scid,
        "in_htlc_id": pair[0].incoming.next_htlc_id - 1,
        "out_channel": pair[1].scid,
        "out_htlc_id": pair[1].outgoing.next_htlc_id - 1,
        "in_msat": 50_001_500,
        "out_msat": 50_000_000,
        "fee_msat": 1500,
        "status": "settled",
        "style": "tlv",
    }


def test_a_forward_to_an_unknown_peer_has_no_outgoing_side(server: RpcServer, socket_path: Path) -> None:
    def stray(world: World) -> str:
        world.switch.refuse(
            world.channels[0], "700000x1x1", in_msat=60_001_600, failcode=UNKNOWN_NEXT_PEER, now=world.now_micros
        )
        return world.channels[0].scid

    scid = server.do(stray)
    (row,) = rows(socket_path, "listforwards", "forwards")
    assert row.pop("in_htlc_id") >= 0
    assert row == {
        "created_index": 1,
        "in_channel": scid,
        "out_channel": "700000x1x1",
        "in_msat": 60_001_600,
        "status": "local_failed",
        "failcode": 16394,
        "failreason": "WIRE_UNKNOWN_NEXT_PEER",
        "style": "tlv",
        "received_time": 1767571200.0,
    }


def test_getinfo_counts_channels_and_fees_and_warns_while_behind(
    server: RpcServer, socket_path: Path, pair: tuple[SimChannel, SimChannel]
) -> None:
    row = server.do(lambda world: world.forward_now(*pair, 90_000 * SAT))
    info = ask(socket_path, "getinfo")
    assert {"id", "alias", "color", "version", "blockheight", "network", "address", "lightning-dir"} <= set(info)
    assert (info["num_active_channels"], info["num_inactive_channels"]) == (4, 0)
    assert info["fees_collected_msat"] == row.fee_msat
    assert "warning_lightningd_sync" not in info
    server.do(lambda world: setattr(world, "syncing", "Still loading latest blocks from bitcoind."))
    assert ask(socket_path, "getinfo")["warning_lightningd_sync"].startswith("Still loading")


def test_a_close_moves_the_channel_from_one_list_to_the_other_and_the_money_to_the_wallet(
    server: RpcServer, socket_path: Path, clock: HandClock, pair: tuple[SimChannel, SimChannel]
) -> None:
    before = ask(socket_path, "listfunds")
    server.do(lambda world: world.close(pair[0]))
    clock.move(hours=3)
    by_id = {row["channel_id"]: row for row in rows(socket_path, "listpeerchannels", "channels")}
    closing = by_id[pair[0].channel_id]
    assert (closing["state"], closing["closer"], closing["owner"]) == ("ONCHAIN", "local", "onchaind")
    assert [change["new_state"] for change in closing["state_changes"]][-2:] == ["FUNDING_SPEND_SEEN", "ONCHAIN"]
    assert "reestablished" not in closing
    assert rows(socket_path, "listclosedchannels", "closedchannels") == []
    outputs = ask(socket_path, "listfunds")["outputs"]
    assert len(outputs) == len(before["outputs"]) + 1
    assert 0 <= closing["to_us_msat"] - outputs[-1]["amount_msat"] < 20_000 * SAT
    clock.move(days=2)
    assert len(rows(socket_path, "listpeerchannels", "channels")) == 3
    (gone,) = rows(socket_path, "listclosedchannels", "closedchannels")
    assert (gone["channel_id"], gone["final_to_us_msat"]) == (pair[0].channel_id, closing["to_us_msat"])
    assert gone["close_cause"] == "user"


def test_funds_name_confirmed_unconfirmed_and_reserved_outputs(server: RpcServer, socket_path: Path) -> None:
    server.do(lambda world: world.splice(world.channels[1], 100_000))
    outputs = ask(socket_path, "listfunds")["outputs"]
    assert {output["status"] for output in outputs} == {"confirmed", "unconfirmed"}
    assert {output["reserved"] for output in outputs} == {True, False}
    assert all(("blockheight" in output) == (output["status"] == "confirmed") for output in outputs)
    assert len(ask(socket_path, "listfunds")["channels"]) == 4


def test_feerates_come_in_two_styles_and_no_other(server: RpcServer, socket_path: Path) -> None:
    per_kw, per_kb = (ask(socket_path, "feerates", {"style": style}) for style in ("perkw", "perkb"))
    assert [row["blockcount"] for row in per_kw["perkw"]["estimates"]] == [2, 6, 12, 100]
    assert set(per_kw["perkw"]["estimates"][0]) == {"blockcount", "feerate", "smoothed_feerate"}
    assert per_kb["perkb"]["opening"] == 4 * per_kw["perkw"]["opening"]
    assert (per_kw["perkw"]["floor"], per_kb["perkb"]["floor"]) == (253, 1012)
    assert per_kw["onchain_fee_estimates"]["opening_channel_satoshis"] > 0
    assert ask(socket_path, "feerates", {"style": "x"})["error"] == {
        "code": -32602,
        "message": "'style' should be 'perkw' or 'perkb', not '\"x\"'",
    }


def test_the_market_price_into_a_peer_shows_in_gossip(server: RpcServer, socket_path: Path) -> None:
    peer = server.do(lambda world: world.peers[1])
    into = rows(socket_path, "listchannels", "channels", destination=peer.node_id)
    others = sorted(row["fee_per_millionth"] for row in into if row["source"] != ask(socket_path, "getinfo")["id"])
    assert len(into) == len(others) + 1
    assert 0.5 < others[len(others) // 2] / peer.outside_price_ppm < 2
    assert all((row["direction"] == 0) == (row["source"] < row["destination"]) for row in into)


def test_gossip_knows_both_directions_of_a_public_channel_and_none_of_a_private_one(
    server: RpcServer, socket_path: Path
) -> None:
    public, private = server.do(lone_pair)
    private.private = True
    assert len(rows(socket_path, "listchannels", "channels", short_channel_id=public.scid)) == 2
    assert rows(socket_path, "listchannels", "channels", short_channel_id=private.scid) == []
    refusal = ask(socket_path, "listchannels", {"source": public.peer.node_id, "short_channel_id": public.scid})
    assert refusal["error"]["message"].startswith("Can only specify one of")


def test_nodes_have_aliases(server: RpcServer, socket_path: Path) -> None:
    peer = server.do(lambda world: world.peers[0])
    (node,) = rows(socket_path, "listnodes", "nodes", id=peer.node_id)
    assert (node["nodeid"], node["alias"]) == (peer.node_id, peer.alias)
    assert rows(socket_path, "listnodes", "nodes", id="02" + "11" * 32) == []
    assert ask(socket_path, "listnodes", {"id": "zz"})["error"] == {
        "code": -32602,
        "message": "id: should be a node id: invalid token '\"zz\"'",
    }


def test_help_lists_usages_and_refuses_what_it_does_not_know(server: RpcServer, socket_path: Path) -> None:
    usages = [row["command"] for row in rows(socket_path, "help", "help")]
    assert "setchannel id [feebase] [feeppm] [htlcmin] [htlcmax] [enforcedelay] [ignorefeelimits]" in usages
    assert ask(socket_path, "help", {"command": "wait"}) == {
        "help": [{"command": "wait subsystem indexname nextvalue"}],
        "format-hint": "simple",
    }
    assert ask(socket_path, "help", {"command": "nosuch"})["error"]["code"] == -32601
    assert ask(socket_path, "nosuch") == {"error": {"code": -32601, "message": "Unknown command 'nosuch'"}}


def test_configs_are_listed_one_by_one(server: RpcServer, socket_path: Path) -> None:
    assert ask(socket_path, "listconfigs", {"config": "cltv-final"}) == {
        "configs": {"cltv-final": {"value_int": 18, "source": "default"}}
    }
    assert ask(socket_path, "listconfigs", {"config": "autoclean-succeededforwards-age"}) == {"configs": {}}
    assert ask(socket_path, "listconfigs", {"config": "nope"})["error"] == {
        "code": -32602,
        "message": "config: Unknown config option: invalid token '\"nope\"'",
    }


def test_a_filter_leaves_only_what_it_names(server: RpcServer, socket_path: Path) -> None:
    answer = ask(
        socket_path, "listpeerchannels", filter={"channels": [{"updates": {"local": {"fee_base_msat": True}}}]}
    )
    assert answer == {"channels": [{"updates": {"local": {"fee_base_msat": 1}}}] * 4}
