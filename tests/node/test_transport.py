"""A call ends in an answer or in one of three outcomes, in time, and says no more than it should."""

import json
import socket
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from revenued.errors import NodeError, NodeNonsense, NodeOutcomeUnknown, NodeRefused, NodeUnreachable
from revenued.node.transport import Transport
from tests.node import samples
from tests.node.server import (
    Behaviour,
    ScriptedNode,
    answer,
    answer_from,
    error,
    half_an_answer,
    hang,
    hang_up,
    late,
    raw,
    refuse,
    under_another_id,
)


def test_the_result_comes_back_as_the_node_wrote_it(node: ScriptedNode) -> None:
    node.script["getinfo"] = answer(samples.getinfo())
    assert Transport(node.path).call("getinfo") == samples.getinfo()


def test_a_request_is_whole_json_rpc_with_params_and_without_what_is_none(node: ScriptedNode) -> None:
    node.script["feerates"] = answer({})
    Transport(node.path).call("feerates", {"style": "perkw", "other": None}, filter={"perkw": True})
    (request,) = node.requests
    assert request.pop("id").endswith(":feerates#1")
    assert request == {
        "jsonrpc": "2.0", "method": "feerates", "params": {"style": "perkw"}, "filter": {"perkw": True},
    }  # fmt: skip


def test_methods_that_pyln_brings_along_go_the_same_way(node: ScriptedNode) -> None:
    node.script["feerates"] = answer_from(lambda params: params)
    assert Transport(node.path).feerates("perkw") == {"style": "perkw"}


def test_a_command_prefix_stands_before_the_id(node: ScriptedNode) -> None:
    node.script["getinfo"] = answer({})
    Transport(node.path).call("getinfo", cmdprefix="cli:top")
    assert node.requests[0]["id"].startswith("cli:top/revenued-")


def test_a_filter_that_pyln_keeps_on_the_object_does_not_leak_into_calls(node: ScriptedNode) -> None:
    node.script["getinfo"] = answer({})
    rpc = Transport(node.path)
    with rpc.reply_filter({"id": True}):
        rpc.call("getinfo")
    assert "filter" not in node.requests[0]


def test_a_socket_that_is_not_there_is_unreachable(socket_path: Path) -> None:
    with pytest.raises(NodeUnreachable, match="getinfo"):
        Transport(socket_path).call("getinfo")


def test_a_socket_file_that_a_dead_node_left_behind_is_unreachable(socket_path: Path) -> None:
    with ScriptedNode(socket_path):
        pass
    assert socket_path.exists()
    with pytest.raises(NodeUnreachable, match="getinfo"):
        Transport(socket_path).call("getinfo")


def test_a_node_that_takes_no_more_connections_is_unreachable(socket_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(socket_path))
        listener.listen(0)
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as first:
            first.connect(str(socket_path))
            with pytest.raises(NodeUnreachable, match="getinfo"):
                Transport(socket_path).call("getinfo", timeout=0.5)


@pytest.mark.parametrize(
    "behaviour",
    [
        hang(),
        hang_up(),
        half_an_answer(),
        under_another_id({}),
        raw(b'{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"x"}}\n\n'),
        raw(b"garbage\n\n"),
        raw(b"[]\n\n"),
        raw(b'"text"\n\n'),
        raw(b"\xff\xfe\n\n"),
        raw(b"\n\n"),
        raw(b"[" * 100_000 + b"\n\n"),
        raw(b"9" * 5000 + b"\n\n"),
        late(30, answer({})),
    ],
)
def test_after_delivery_everything_but_an_answer_is_an_unknown_outcome(
    node: ScriptedNode, behaviour: Behaviour
) -> None:
    node.script["setchannel"] = behaviour
    params = {"id": samples.CHANNEL_ID, "feebase": 0, "feeppm": 100}
    with pytest.raises(NodeOutcomeUnknown, match="setchannel"):
        Transport(node.path).call("setchannel", params, timeout=0.3)
    assert node.methods() == ["setchannel"], "it is asked once and never again"


def test_a_hanging_node_is_given_up_when_the_time_is_over(node: ScriptedNode) -> None:
    node.script["getinfo"] = hang()
    started = time.monotonic()
    with pytest.raises(NodeOutcomeUnknown):
        Transport(node.path).call("getinfo", timeout=0.3)
    assert 0.25 < time.monotonic() - started < 5


def test_a_node_that_trickles_does_not_stretch_the_time(node: ScriptedNode) -> None:
    def trickle(asked: Any) -> None:
        while not asked.stopping.wait(0.05):
            asked.write(b" ")

    node.script["getinfo"] = trickle
    started = time.monotonic()
    with pytest.raises(NodeOutcomeUnknown):
        Transport(node.path).call("getinfo", timeout=0.4)
    assert time.monotonic() - started < 5


def test_a_refusal_carries_code_message_and_data(node: ScriptedNode) -> None:
    node.script["getinfo"] = refuse(-32602, "id: Channel id not found", data={"more": 1})
    with pytest.raises(NodeRefused) as refusal:
        Transport(node.path).call("getinfo")
    assert str(refusal.value) == "getinfo: id: Channel id not found (code -32602)"
    assert (refusal.value.code, refusal.value.data) == (-32602, {"more": 1})


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("Connection to RPC server lost.", "getinfo: Connection to RPC server lost."),
        ({"message": "no code"}, "getinfo: no code"),
        ({"code": 7}, "getinfo: refused without a message (code 7)"),
        ({"code": "7", "message": "x"}, "getinfo: x"),
        ({"code": True, "message": ["x"]}, "getinfo: refused without a message"),
        ({}, "getinfo: refused without a message"),
    ],
)
def test_an_error_without_its_usual_parts_is_still_a_refusal(node: ScriptedNode, given: Any, message: str) -> None:
    node.script["getinfo"] = error(given)
    with pytest.raises(NodeRefused) as refusal:
        Transport(node.path).call("getinfo")
    assert str(refusal.value) == message


@pytest.mark.parametrize("given", [None, 5, True, ["x"], 1.5])
def test_an_error_of_another_shape_is_nonsense(node: ScriptedNode, given: Any) -> None:
    node.script["getinfo"] = error(given)
    with pytest.raises(NodeNonsense, match="getinfo"):
        Transport(node.path).call("getinfo")


def test_hostile_text_in_an_error_is_cut_and_made_printable(node: ScriptedNode) -> None:
    node.script["getinfo"] = refuse(1, "\x1b[31mred\r\n\u202e\ud800" + "x" * 10_000)
    with pytest.raises(NodeRefused) as refusal:
        Transport(node.path).call("getinfo")
    said = str(refusal.value)
    assert said.isprintable()
    assert said.startswith("getinfo: [31mredxxx")
    assert len(said) == len("getinfo: ") + 300 + len(" (code 1)")


def test_neither_parameters_nor_answers_stand_in_messages(node: ScriptedNode) -> None:
    node.script["getinfo"] = raw(b'{"payment_preimage":"topsecret"}\n\n')
    with pytest.raises(NodeError) as failure:
        Transport(node.path).call("getinfo", {"secret": "topsecret"})
    assert "topsecret" not in str(failure.value)


def test_an_answer_of_many_megabytes_arrives_whole(node: ScriptedNode) -> None:
    big = {"forwards": [samples.settled(created_index=i) for i in range(40_000)]}
    encoded = json.dumps(big)
    node.script["listforwards"] = lambda asked: asked.write(
        b'{"jsonrpc":"2.0","id":"%s","result":%s}\n\n' % (asked.request["id"].encode(), encoded.encode())
    )
    got = Transport(node.path).call("listforwards", {"index": "created", "start": 1, "limit": 10_000}, timeout=60)
    assert len(json.dumps(got)) == len(encoded)


def test_many_threads_share_one_transport_and_each_gets_its_own_answer(node: ScriptedNode) -> None:
    node.script["feerates"] = answer_from(lambda params: params)
    rpc = Transport(node.path)
    mixed_up: list[Any] = []

    def ask(number: int) -> None:
        for turn in range(20):
            asked = {"style": f"{number}-{turn}"}
            if rpc.call("feerates", asked) != asked:
                mixed_up.append(asked)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert mixed_up == []
    assert len({request["id"] for request in node.requests}) == 160
