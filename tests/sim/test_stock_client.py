"""Core Lightning's own client, as it is, can talk to the simulated node."""

import threading
from pathlib import Path
from typing import Any

import pytest
from pyln.client import LightningRpc, RpcError

from revenued.sim.rpc import RpcServer
from tests.sim.builders import SAT, half_full, lone_pair


@pytest.fixture
def rpc(server: RpcServer, socket_path: Path) -> Any:
    return LightningRpc(str(socket_path))


def test_reading(rpc: Any, server: RpcServer) -> None:
    server.do(lambda world: world.forward_now(*lone_pair(half_full(world)), 1_000 * SAT))
    assert rpc.getinfo()["num_active_channels"] == 4
    assert len(rpc.listpeerchannels()["channels"]) == 4
    assert [row["status"] for row in rpc.listforwards()["forwards"]] == ["settled"]
    assert len(rpc.feerates("perkw")["perkw"]["estimates"]) == 4
    assert len(rpc.listfunds()["outputs"]) == 3
    assert rpc.listnodes(rpc.getinfo()["id"])["nodes"][0]["alias"] == "simulated node"
    assert rpc.call("listclosedchannels") == {"closedchannels": []}


def test_setting_a_fee(rpc: Any, server: RpcServer) -> None:
    channel = server.do(lambda world: world.channels[0])
    rpc.setchannel(channel.channel_id, feebase=0, feeppm=321)
    assert channel.fee.fee_ppm == 321
    with pytest.raises(RpcError) as refusal:
        rpc.setchannel(channel.channel_id, feeppm=-1)
    assert refusal.value.error["code"] == -32602


def test_waiting(rpc: Any, server: RpcServer) -> None:
    params = {"subsystem": "forwards", "indexname": "created", "nextvalue": 1}
    answers: list[Any] = []
    waiting = threading.Thread(target=lambda: answers.append(rpc.call("wait", params)))
    waiting.start()
    while not server.calls["wait"]:
        rpc.getinfo()
    server.do(lambda world: world.forward_now(*lone_pair(half_full(world)), 1_000 * SAT))
    waiting.join(10)
    assert answers[0]["created"] == 1
