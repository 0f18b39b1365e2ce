"""`wait` rings like the node's doorbell: at once when the index is reached, else when it is, and never twice."""

import json
import socket
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from revenued.model import ForwardStatus
from revenued.sim.rpc import RpcServer
from revenued.sim.world import World
from tests.sim.builders import SAT, ask, half_full, lone_pair


@pytest.fixture
def line(server: RpcServer, socket_path: Path) -> Iterator["Line"]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(10)
        connection.connect(str(socket_path))
        yield Line(connection)


class Line:
    """One connection with several calls under way."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._received = b""

    def send(self, request_id: object, method: str, params: Any) -> None:
        request = {"jsonrpc": "2.0", "id": request_id, "method": method, "params": params}
        self._connection.sendall(json.dumps(request).encode())

    def answer(self) -> dict[str, Any]:
        """Return the next answer, whichever call it belongs to."""
        while b"\n\n" not in self._received:
            self._received += self._connection.recv(65536)
        first, self._received = self._received.split(b"\n\n", 1)
        message: dict[str, Any] = json.loads(first)
        return message


def forwards(indexname: str, nextvalue: int) -> dict[str, Any]:
    return {"subsystem": "forwards", "indexname": indexname, "nextvalue": nextvalue}


def settle_one(world: World) -> None:
    world.forward_now(*lone_pair(half_full(world)), 1_000 * SAT)


@pytest.mark.parametrize("index", ["created", "updated", "deleted"])
def test_zero_reads_the_counter(server: RpcServer, socket_path: Path, index: str) -> None:
    assert ask(socket_path, "wait", forwards(index, 0)) == {"subsystem": "forwards", index: 0}


def test_a_value_that_is_reached_is_answered_at_once_with_the_present_one_and_no_details(
    server: RpcServer, socket_path: Path
) -> None:
    for _ in range(2):
        server.do(settle_one)
    assert ask(socket_path, "wait", forwards("updated", 1)) == {"subsystem": "forwards", "updated": 2}


def test_a_wait_does_not_hold_up_other_calls_and_ends_with_what_it_waited_for(server: RpcServer, line: Line) -> None:
    line.send("later", "wait", forwards("created", 1))
    line.send(["any", {"id": 1}], "getinfo", {})
    line.send(7, "getinfo", {})
    assert line.answer()["error"]["message"] == "Expected string/primitive for id"
    assert line.answer()["id"] == 7
    server.do(settle_one)
    answer = line.answer()
    there, back = server.do(lone_pair)
    assert answer["id"] == "later"
    assert answer["result"] == {
        "subsystem": "forwards",
        "created": 1,
        "forwards": {
            "status": "offered",
            "in_channel": there.scid,
            "in_htlc_id": there.incoming.next_htlc_id - 1,
            "in_msat": 1_000_000 + 11,
            "out_channel": back.scid,
        },
    }


def test_only_the_change_that_reaches_the_value_ends_the_wait(server: RpcServer, line: Line) -> None:
    line.send(1, "wait", forwards("updated", 2))
    server.do(settle_one)
    line.send(2, "getinfo", {})
    assert line.answer()["id"] == 2
    server.do(settle_one)
    result = line.answer()["result"]
    assert (result["updated"], result["forwards"]["status"]) == (2, "settled")


def test_deletions_ring_too(server: RpcServer, line: Line) -> None:
    server.do(settle_one)
    line.send(1, "wait", forwards("deleted", 1))
    line.send(2, "getinfo", {})
    assert line.answer()["id"] == 2
    done = frozenset({ForwardStatus.SETTLED})
    server.do(lambda world: world.delete_forwards(before=world.now + timedelta(hours=1), statuses=done))
    result = line.answer()["result"]
    assert (result["deleted"], set(result["forwards"])) == (1, {"status", "in_channel", "in_htlc_id"})


def test_two_waits_on_two_indexes_both_ring(server: RpcServer, line: Line) -> None:
    line.send("c", "wait", forwards("created", 1))
    line.send("u", "wait", forwards("updated", 1))
    line.send("i", "getinfo", {})
    assert line.answer()["id"] == "i"
    server.do(settle_one)
    assert {line.answer()["id"] for _ in range(2)} == {"c", "u"}


def test_subsystems_in_which_nothing_happens_have_counters_too(server: RpcServer, socket_path: Path) -> None:
    params = {"subsystem": "sendpays", "indexname": "created", "nextvalue": 0}
    assert ask(socket_path, "wait", params) == {"subsystem": "sendpays", "created": 0}


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"subsystem": "forwards"}, "missing required parameter: indexname"),
        ({**forwards("created", 0), "subsystem": "bad"}, "subsystem: unknown subsystem: invalid token '\"bad\"'"),
        (forwards("bad", 0), "indexname: unknown index: invalid token '\"bad\"'"),
        (["forwards", "created", 0, 1], "too many parameters: got 4, expected 3"),
    ],
)
def test_what_the_node_refuses_is_refused_in_its_words(
    server: RpcServer, socket_path: Path, params: Any, message: str
) -> None:
    assert ask(socket_path, "wait", params) == {"error": {"code": -32602, "message": message}}
