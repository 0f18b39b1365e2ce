"""The socket as it is on a good day and on a bad one: framing, faults, silence, disappearance."""

import json
import socket
import threading
from pathlib import Path

import pytest

from revenued.sim.rpc import RpcServer
from revenued.sim.world import World
from revenued.wire import NoAnswer, NotDelivered, exchange
from tests.sim.builders import HandClock, ask

GETINFO = {"jsonrpc": "2.0", "id": 1, "method": "getinfo", "params": {}}


def raw(path: Path, sent: bytes) -> bytes:
    """Return everything that is answered to `sent` until the other side hangs up or has answered once."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(10)
        connection.connect(str(path))
        connection.sendall(sent)
        received = b""
        while not received.endswith(b"\n\n"):
            chunk = connection.recv(65536)
            if not chunk:
                break
            received += chunk
        return received


@pytest.mark.parametrize("request_id", ["a/b:c#1", 0, 17, 1.5, 'ü"{'])
def test_ids_come_back_as_they_were(server: RpcServer, socket_path: Path, request_id: object) -> None:
    answer = raw(socket_path, json.dumps({**GETINFO, "id": request_id}).encode())
    assert json.loads(answer)["id"] == request_id


def test_answers_are_compact_json_with_two_newlines(server: RpcServer, socket_path: Path) -> None:
    answer = raw(socket_path, json.dumps(GETINFO).encode())
    assert answer.startswith(b'{"jsonrpc":"2.0","id":1,"result":{"id":"0')
    assert answer.count(b"\n") == 2


@pytest.mark.parametrize(
    ("request_text", "complaint"),
    [
        ('{"id":1,"method":"getinfo","params":{}}', 'JSON-RPC message does not contain "jsonrpc" field'),
        ('{"jsonrpc":"2.0","method":"getinfo","params":{}}', "No id"),
        ('{"jsonrpc":"2.0","id":1,"params":{}}', "No method"),
        ('{"jsonrpc":"2.0","id":1,"method":"getinfo"}', "No params"),
        ('{"jsonrpc":"2.0","id":{},"method":"getinfo","params":{}}', "Expected string/primitive for id"),
        ('{"jsonrpc":"2.0","id":1,"method":"getinfo","params":{"a":NaN}}', "Failed to parse RPC JSON response"),
    ],
)
def test_what_is_no_call_is_answered_as_the_node_does(
    server: RpcServer, socket_path: Path, request_text: str, complaint: str
) -> None:
    error = json.loads(raw(socket_path, request_text.encode()))["error"]
    assert error["code"] == -32600
    assert error["message"].startswith(complaint)


def test_calls_are_counted_by_method_refused_ones_too(server: RpcServer, socket_path: Path) -> None:
    ask(socket_path, "getinfo")
    ask(socket_path, "getinfo", {"junk": 1})
    ask(socket_path, "nosuch")
    assert server.calls == {"getinfo": 2, "nosuch": 1}


def test_a_planned_refusal_answers_once_and_carries_nothing_out(server: RpcServer, socket_path: Path) -> None:
    server.faults.refuse("setchannel", -1, "no")
    before = server.do(lambda world: world.channels[0].fee)
    call = {"id": server.do(lambda world: world.channels[0].channel_id), "feeppm": 99}
    assert ask(socket_path, "setchannel", call) == {"error": {"code": -1, "message": "no"}}
    assert server.do(lambda world: world.channels[0].fee) == before
    assert "channels" in ask(socket_path, "setchannel", call)


def test_a_garbled_answer_is_written_as_planned(server: RpcServer, socket_path: Path) -> None:
    server.faults.garble("getinfo", b'{"jsonrpc":"2.0","id":1,"resu')
    assert raw(socket_path, json.dumps(GETINFO).encode()) == b'{"jsonrpc":"2.0","id":1,"resu'
    assert ask(socket_path, "getinfo")["num_active_channels"] == 4


def test_a_hang_up_comes_after_the_deed(server: RpcServer, socket_path: Path) -> None:
    server.faults.hang_up("setchannel")
    channel_id = server.do(lambda world: world.channels[0].channel_id)
    with pytest.raises(NoAnswer):
        ask(socket_path, "setchannel", {"id": channel_id, "feeppm": 99})
    assert server.do(lambda world: world.channels[0].fee.fee_ppm) == 99


def test_faults_can_be_called_off(server: RpcServer, socket_path: Path) -> None:
    server.faults.refuse("getinfo", -1, "no", times=5)
    server.faults.clear()
    assert "id" in ask(socket_path, "getinfo")


def test_a_frozen_node_accepts_and_says_nothing_then_does_what_was_asked_although_nobody_listens(
    server: RpcServer, socket_path: Path
) -> None:
    channel_id = server.do(lambda world: world.channels[0].channel_id)
    server.freeze()
    request = {**GETINFO, "method": "setchannel", "params": {"id": channel_id, "feeppm": 99}}
    with pytest.raises(NoAnswer):
        exchange(socket_path, request, timeout=0.2)
    assert server.do(lambda world: world.channels[0].fee.fee_ppm) == 10
    server.thaw()
    assert "id" in ask(socket_path, "getinfo")
    assert server.do(lambda world: world.channels[0].fee.fee_ppm) == 99


def test_dropped_connections_lose_their_waits_and_new_ones_are_welcome(server: RpcServer, socket_path: Path) -> None:
    wait = {**GETINFO, "method": "wait", "params": ["forwards", "created", 1]}
    outcome: list[bytes] = []
    waiting = threading.Thread(target=lambda: outcome.append(raw(socket_path, json.dumps(wait).encode())))
    waiting.start()
    while not server.calls["wait"]:
        ask(socket_path, "getinfo")
    server.drop_connections()
    waiting.join(10)
    assert outcome == [b""]
    assert "id" in ask(socket_path, "getinfo")


def test_a_node_that_stopped_is_not_reached_and_comes_back_with_its_memory(
    world: World, clock: HandClock, socket_path: Path
) -> None:
    with RpcServer(world, socket_path, clock=clock) as server:
        ask(socket_path, "setchannel", {"id": world.channels[0].channel_id, "feeppm": 99})
        server.stop()
        with pytest.raises(NotDelivered):
            ask(socket_path, "getinfo")
        server.start()
        (row,) = ask(socket_path, "setchannel", {"id": world.channels[0].channel_id})["channels"]
    assert row["fee_proportional_millionths"] == 99


def test_an_answer_of_megabytes_arrives_whole(clock: HandClock, socket_path: Path) -> None:
    world = World(1, clock.now())
    clock.move(days=14)
    with RpcServer(world, socket_path, clock=clock):
        rows = ask(socket_path, "listforwards")["forwards"]
    assert len(rows) == rows[-1]["created_index"] > 3000


def test_a_socket_path_that_cannot_be_used_is_an_error_at_the_start(world: World, clock: HandClock) -> None:
    with pytest.raises(OSError, match="No such file"):
        RpcServer(world, "/tmp/no/such/folder/rpc", clock=clock).start()


def test_a_server_that_does_not_run_has_no_thread_to_act_in(world: World, clock: HandClock, socket_path: Path) -> None:
    with pytest.raises(RuntimeError, match="not running"):
        RpcServer(world, socket_path, clock=clock).freeze()
