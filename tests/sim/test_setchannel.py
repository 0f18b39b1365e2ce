"""`setchannel` hits the channels it names, in the node's way, and payers react."""

from pathlib import Path
from typing import Any

import pytest

from revenued.sim.rpc import RpcServer
from revenued.sim.world import World
from tests.sim.builders import START, HandClock, ask, half_full


def fees(server: RpcServer) -> list[tuple[int, int]]:
    return server.do(lambda world: [(channel.fee.base_fee_msat, channel.fee.fee_ppm) for channel in world.channels])


def test_a_channel_id_changes_exactly_one_channel_also_of_a_peer_with_two(server: RpcServer, socket_path: Path) -> None:
    channel = server.do(lambda world: world.peers[0].channels[0])
    before = fees(server)
    answer = ask(socket_path, "setchannel", {"id": channel.channel_id, "feebase": 0, "feeppm": 123})
    assert answer == {
        "channels": [
            {
                "peer_id": channel.peer.node_id,
                "channel_id": channel.channel_id,
                "short_channel_id": channel.scid,
                "fee_base_msat": 0,
                "fee_proportional_millionths": 123,
                "minimum_htlc_out_msat": 0,
                "maximum_htlc_out_msat": channel.htlc_maximum_msat,
                "ignore_fee_limits": False,
            }
        ]
    }
    assert fees(server) == [(0, 123), *before[1:]]


def test_scid_former_scid_and_alias_name_one_channel_the_peer_and_all_name_several(
    server: RpcServer, socket_path: Path
) -> None:
    channel = server.do(lambda world: world.channels[0])
    former = channel.scid
    server.do(lambda world: world.splice(channel))
    for name in (channel.scid, former, channel.local_alias):
        (row,) = ask(socket_path, "setchannel", {"id": name, "feeppm": 7})["channels"]
        assert row["channel_id"] == channel.channel_id
    assert len(ask(socket_path, "setchannel", {"id": channel.peer.node_id, "feeppm": 8})["channels"]) == 2
    assert len(ask(socket_path, "setchannel", {"id": "all", "feeppm": 9})["channels"]) == 4
    assert fees(server) == [(1, 9)] * 4


def test_what_is_not_given_stays_as_it_is(server: RpcServer, socket_path: Path) -> None:
    channel = server.do(lambda world: world.channels[1])
    ask(socket_path, "setchannel", [channel.channel_id, "1sat", "77"])
    (row,) = ask(socket_path, "setchannel", {"id": channel.channel_id})["channels"]
    assert (row["fee_base_msat"], row["fee_proportional_millionths"]) == (1000, 77)


def test_htlcmax_is_clamped_with_a_warning(server: RpcServer, socket_path: Path) -> None:
    channel = server.do(lambda world: world.channels[1])
    (row,) = ask(socket_path, "setchannel", {"id": channel.scid, "htlcmax": 10**15})["channels"]
    assert row["warning_htlcmax_too_high"] == "Set maximum_htlc_out_msat to maximum possible in channel"
    assert row["maximum_htlc_out_msat"] == channel.capacity_msat - channel.reserve_msat
    (row,) = ask(socket_path, "setchannel", {"id": channel.scid, "htlcmin": 5, "htlcmax": 1000})["channels"]
    assert (row["minimum_htlc_out_msat"], row["maximum_htlc_out_msat"]) == (5, 1000)


@pytest.mark.parametrize(
    ("params", "code", "message"),
    [
        ({"id": "SCID", "feeppm": -1}, -32602, "feeppm: should be an integer: invalid token '-1'"),
        ({"id": "SCID", "feeppm": 1.5}, -32602, "feeppm: should be an integer: invalid token '1.5'"),
        ({"id": "SCID", "feeppm": 2**32}, -32602, "feeppm: should be an integer: invalid token '4294967296'"),
        ({"id": "SCID", "feebase": 2**32}, -32602, "feebase: exceeds u32 max: invalid token '4294967296'"),
        ({"id": "SCID", "enforcedelay": -1}, -32602, "enforcedelay: should be an integer: invalid token '-1'"),
        ({"id": "SCID", "htlcmin": 5, "htlcmax": 2}, -1, "htlcmax cannot be less than htlcmin"),
        ({"id": "9x9x9"}, -32602, "id: Short channel id not found: invalid token '\"9x9x9\"'"),
        ({"id": "zz"}, -32602, "id: should be a channel ID or short channel ID: invalid token '\"zz\"'"),
        ({"feeppm": 5}, -32602, "missing required parameter: id"),
    ],
)
def test_what_the_node_refuses_is_refused_in_its_words_and_changes_nothing(
    server: RpcServer, socket_path: Path, params: dict[str, Any], code: int, message: str
) -> None:
    before = fees(server)
    if params.get("id") == "SCID":
        params = {**params, "id": server.do(lambda world: world.channels[1].scid)}
    assert ask(socket_path, "setchannel", params) == {"error": {"code": code, "message": message}}
    assert fees(server) == before


def test_a_closing_channel_and_a_peer_without_another_are_refused(
    server: RpcServer, socket_path: Path, clock: HandClock
) -> None:
    channel = server.do(lambda world: world.channels[1])
    server.do(lambda world: world.close(channel))
    clock.move(hours=3)
    refusal = ask(socket_path, "setchannel", {"id": channel.scid, "feeppm": 4})["error"]
    assert refusal["message"] == f"id: Channel in state ONCHAIN: invalid token '\"{channel.scid}\"'"
    assert ask(socket_path, "setchannel", {"id": channel.peer.node_id, "feeppm": 4})["error"] == {
        "code": -1,
        "message": "Could not find any active channels of peer with that id",
    }


def test_check_judges_without_changing_anything(server: RpcServer, socket_path: Path) -> None:
    before = fees(server)
    scid = server.do(lambda world: world.channels[1].scid)
    judged = {"command_to_check": "setchannel", "id": scid}
    assert ask(socket_path, "check", {**judged, "feeppm": 4}) == {"command_to_check": "setchannel"}
    assert ask(socket_path, "check", {**judged, "feeppm": -4})["error"]["code"] == -32602
    assert ask(socket_path, "check", {"command_to_check": "nosuch"})["error"]["code"] == -32601
    assert fees(server) == before


def test_payers_react_to_what_setchannel_set(clock: HandClock, socket_path: Path) -> None:
    """A prohibitive fee ends the traffic out of exactly one channel, once the news is around."""
    world = half_full(World(1, START))
    channel = world.channels[1]
    with RpcServer(world, socket_path, clock=clock):
        ask(socket_path, "setchannel", {"id": channel.channel_id, "feebase": 0, "feeppm": 60_000, "enforcedelay": 0})
        clock.move(minutes=20)
        heard = ask(socket_path, "wait", {"subsystem": "forwards", "indexname": "created", "nextvalue": 0})["created"]
        clock.move(days=2)
        page = ask(socket_path, "listforwards", {"index": "created", "start": heard + 1})["forwards"]
    out = {row["out_channel"] for row in page if "out_msat" in row}
    assert channel.scid not in out
    assert len(out) > 5
