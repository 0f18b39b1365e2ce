"""What callers get from a running server, one request after the other and all at once."""

import json
import os
import pwd
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import structlog
from pyln.client import LightningRpc, RpcError
from structlog.testing import capture_logs

from revenued.control.client import ControlClient
from revenued.control.protocol import MethodError
from revenued.control.server import ControlServer, Limits
from tests.control.conftest import Blocking, Raw

Serve = Callable[..., ControlServer]


def ask(path: Path, method: str, **params: Any) -> dict[str, Any]:
    return ControlClient(path, 5).call(method, params)


def request(method: str, request_id: object = 1, **params: Any) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": request_id, "method": method, "params": params}).encode()


def test_the_method_learns_who_calls(serve: Serve, path: Path) -> None:
    serve()
    uid = os.getuid()
    assert ask(path, "echo", key="ü") == {
        "params": {"key": "ü"},
        "pid": os.getpid(),
        "uid": uid,
        "gid": os.getgid(),
        "user": pwd.getpwuid(uid).pw_name,
    }


def test_stock_pyln_client_can_call_it(serve: Serve, path: Path) -> None:
    serve()
    rpc = LightningRpc(str(path))
    assert rpc.call("revenue-version") == {"version": "1.2.3", "schema": "0001"}
    assert rpc.call("echo", {"a": [1, 2]})["params"] == {"a": [1, 2]}
    with pytest.raises(RpcError) as raised:
        rpc.call("nosuch")
    assert raised.value.error == {"code": -32601, "message": "Unknown command 'nosuch'"}


def test_an_answer_ends_like_the_nodes_and_carries_the_id_as_it_came(serve: Serve, path: Path) -> None:
    serve()
    with Raw(path) as raw:
        for request_id in ("x", 7, -1.5, ""):
            raw.send(request("revenue-version", request_id))
            received = raw.answer()
            assert received.endswith(b"}\n\n")
            assert received.count(b"\n") == 2
            assert json.loads(received)["id"] == request_id


def test_requests_that_arrive_together_are_answered_in_order(serve: Serve, path: Path) -> None:
    serve()
    with Raw(path) as raw:
        raw.send(request("echo", 1) + b"\n\n" + request("nosuch", 2) + request("echo", 3))
        received = b""
        while received.count(b"\n\n") < 3:
            received += raw.answer()
    assert [json.loads(part)["id"] for part in received.split(b"\n\n")[:3]] == [1, 2, 3]


@pytest.mark.parametrize(
    ("method", "code", "message"),
    [
        ("nosuch", -32601, "Unknown command 'nosuch'"),
        ("own-code", 205, "no route"),
        ("bad-setting", -32602, "min_fee_ppm: 'x' is not allowed"),
        ("node-away", 4, "node: connection refused"),
        ("node-silent", 4, "node: no answer in 30 s"),
        ("refuse", 1, "not today"),
        ("defect", -32603, "internal error, see the daemon's log"),
        ("nan", -32603, "internal error, see the daemon's log"),
        ("unwritable", -32603, "internal error, see the daemon's log"),
    ],
)
def test_what_a_method_raised_is_told_as_a_code(serve: Serve, path: Path, method: str, code: int, message: str) -> None:
    serve(log=structlog.testing.CapturingLogger())
    with Raw(path) as raw:
        raw.send(request(method))
        assert json.loads(raw.answer())["error"] == {"code": code, "message": message}
        raw.send(request("echo", 2))
        assert json.loads(raw.answer())["id"] == 2


def test_a_defect_is_logged_with_its_traceback(path: Path, serve: Serve) -> None:
    with capture_logs() as logs:
        serve()
        with pytest.raises(MethodError, match="internal error"):
            ask(path, "defect")
    (failed,) = [line for line in logs if line["event"] == "control_method_failed"]
    assert failed["log_level"] == "error"
    assert failed["method"] == "defect"
    assert failed["exc_info"]


def test_changes_are_logged_with_their_caller_at_info_and_reads_at_debug(serve: Serve, path: Path) -> None:
    with capture_logs() as logs:
        serve(mutating=frozenset({"set"}))
        ask(path, "set", dry_run="false")
        ask(path, "echo")
    change, read = [line for line in logs if line["event"] == "control_method_called"]
    assert change["log_level"] == "info"
    assert (change["method"], change["uid"], change["pid"]) == ("set", os.getuid(), os.getpid())
    assert json.loads(change["params"]) == {"dry_run": "false"}
    assert (read["log_level"], read["method"], read["user"]) == ("debug", "echo", pwd.getpwuid(os.getuid()).pw_name)


def test_many_callers_at_once_each_get_their_own_answer(serve: Serve, path: Path) -> None:
    serve()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda number: ask(path, "echo", number=number), range(200)))
    assert [answer["params"]["number"] for answer in answers] == list(range(200))


def test_a_method_that_takes_long_keeps_nobody_else_waiting(serve: Serve, path: Path, blocking: Blocking) -> None:
    serve()
    with Raw(path) as busy:
        busy.send(request("block"))
        assert blocking.entered.wait(5)
        assert ask(path, "revenue-version")["version"] == "1.2.3"
        blocking.released.set()
        assert json.loads(busy.answer())["result"] == {}


def test_one_connection_too_many_is_refused_and_there_is_room_again_later(serve: Serve, path: Path) -> None:
    serve(limits=Limits(connections=3))
    held = [Raw(path) for _ in range(3)]
    for number, raw in enumerate(held):
        raw.send(request("echo", number))
        raw.answer()
    with pytest.raises(MethodError, match="too many connections") as raised:
        ask(path, "revenue-version")
    assert raised.value.code == 1
    with Raw(path) as silent:
        assert json.loads(silent.answer())["id"] is None
        assert silent.is_closed()
    for raw in held:
        raw.socket.close()
    deadline = time.monotonic() + 5
    while True:
        try:
            assert ask(path, "revenue-version")["version"] == "1.2.3"
            break
        except MethodError:
            assert time.monotonic() < deadline


def test_stop_does_not_wait_for_clients_or_methods(serve: Serve, path: Path, blocking: Blocking) -> None:
    server = serve()
    with Raw(path) as busy, Raw(path) as idle, Raw(path) as midway:
        idle.send(request("echo"))
        idle.answer()
        midway.send(b'{"jsonrpc"')
        busy.send(request("block"))
        assert blocking.entered.wait(5)
        began = time.monotonic()
        server.stop()
        assert time.monotonic() - began < 1.0
        assert not path.exists()
        assert idle.is_closed()
        assert busy.is_closed()
        midway.answer()
        assert midway.is_closed()
    server.stop()


def test_stop_before_start_and_threads_after_stop_leave_nothing(path: Path, serve: Serve) -> None:
    ControlServer(path, {}).stop()
    before = threading.active_count()
    server = serve()
    ask(path, "echo")
    server.stop()
    assert threading.active_count() == before
