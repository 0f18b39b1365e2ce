"""Callers that are broken, slow, greedy or gone: they get a word where possible, and nobody else notices."""

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from revenued.control.client import ControlClient
from revenued.control.protocol import MAX_REQUEST_BYTES
from revenued.control.server import ControlServer, Limits
from tests.control.conftest import Raw

Serve = Callable[..., ControlServer]
IMPATIENT = Limits(idle=0.3, half_request=0.3, answer=0.3)


@pytest.fixture
def still_answers(path: Path) -> Iterator[None]:
    """Whatever the test did, the next caller is served."""
    yield
    assert ControlClient(path, 5).call("revenue-version")["version"] == "1.2.3"


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", -32700),
        (b"\x00\x01\x02", -32700),
        (b"{broken}", -32700),
        (b'{"jsonrpc":"2.0","id":1,"method":"\xff"}', -32700),
        (b"[" * 100_000, -32600),
        (b'{"a":' * 100_000, -32600),
    ],
)
def test_garbage_is_told_so_and_ends_its_connection(
    serve: Serve, path: Path, still_answers: None, sent: bytes, code: int
) -> None:
    serve()
    with Raw(path) as raw:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            raw.send(sent)
        answer = json.loads(raw.answer())
        assert (answer["id"], answer["error"]["code"]) == (None, code)
        assert raw.is_closed()


def test_a_bad_request_does_not_end_its_connection(serve: Serve, path: Path, still_answers: None) -> None:
    serve()
    with Raw(path) as raw:
        raw.send(b'{"jsonrpc":"2.0","id":1}')
        assert json.loads(raw.answer())["error"]["code"] == -32600
        raw.send(b'{"jsonrpc":"2.0","id":2,"method":"revenue-version"}')
        assert json.loads(raw.answer())["result"]["version"] == "1.2.3"


def test_a_huge_request_is_refused_before_all_of_it_is_read(serve: Serve, path: Path, still_answers: None) -> None:
    serve()
    with Raw(path) as raw:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            raw.send(b'{"jsonrpc":"2.0","id":1,"method":"echo","params":{"text":"')
            for _ in range(64):
                raw.send(b"x" * (1 << 20))
        answer = json.loads(raw.answer())
    assert answer["error"]["code"] == -32600
    assert str(MAX_REQUEST_BYTES) in answer["error"]["message"]


def test_a_request_of_almost_the_limit_is_served(serve: Serve, path: Path, still_answers: None) -> None:
    serve()
    text = "x" * (MAX_REQUEST_BYTES - 200)
    assert ControlClient(path, 5).call("echo", {"text": text})["params"]["text"] == text


@pytest.mark.parametrize("pieces", [1, 10_000])
def test_half_a_request_is_not_waited_for_however_slowly_it_grows(
    serve: Serve, path: Path, still_answers: None, pieces: int
) -> None:
    serve(limits=IMPATIENT)
    with Raw(path) as raw:
        began = time.monotonic()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            raw.send(b'{"jsonrpc":"')
            for _ in range(pieces - 1):
                raw.send(b"x")
                time.sleep(0.01)
        answer = json.loads(raw.answer())
        assert 0.2 < time.monotonic() - began < 3
    assert answer["error"]["code"] == -32600
    assert "not complete after 0.3 s" in answer["error"]["message"]


def test_half_a_request_that_ends_is_told_so(serve: Serve, path: Path, still_answers: None) -> None:
    serve()
    with Raw(path) as raw:
        raw.send(b'{"jsonrpc":"2.0"')
        raw.socket.shutdown(1)
        assert json.loads(raw.answer())["error"]["code"] == -32700


@pytest.mark.parametrize("blanks", [b"", b"\n"])
def test_an_idle_connection_is_closed_without_a_word(
    serve: Serve, path: Path, still_answers: None, blanks: bytes
) -> None:
    serve(limits=IMPATIENT)
    with Raw(path) as raw:
        began = time.monotonic()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for _ in range(40):
                raw.send(blanks)
                time.sleep(0.02 if blanks else 0)
        assert raw.is_closed()
        assert time.monotonic() - began < 3


def test_a_caller_that_does_not_take_its_answer_is_dropped(serve: Serve, path: Path, still_answers: None) -> None:
    serve(limits=Limits(connections=1, answer=0.3))
    with Raw(path) as raw:
        raw.send(b'{"jsonrpc":"2.0","id":1,"method":"large","params":{"bytes":50000000}}')
        time.sleep(1)
        received = b"-"
        while chunk := raw.socket.recv(1 << 20):
            received = chunk
        assert not received.endswith(b"\n\n")


def test_a_caller_that_leaves_while_it_is_answered_disturbs_nobody(
    serve: Serve, path: Path, still_answers: None
) -> None:
    serve()
    for _ in range(20):
        with Raw(path) as raw:
            raw.send(b'{"jsonrpc":"2.0","id":1,"method":"large","params":{"bytes":5000000}}')
            raw.socket.recv(10)


def test_callers_that_come_and_go_without_a_word_disturb_nobody(serve: Serve, path: Path, still_answers: None) -> None:
    serve(limits=Limits(turned_away=0.01))
    for _ in range(100):
        Raw(path).socket.close()
    time.sleep(0.2)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.binary(max_size=80)
        | st.sampled_from(
            [b'{"jsonrpc":"2.0","id":1,"method":"echo","params":', b"{", b"}", b"[", b'"', b"\\", b"\n\n"]
        ),
        min_size=1,
        max_size=12,
    )
)
def test_any_bytes_leave_the_server_answering(short_directory: Path, sent: list[bytes]) -> None:
    server = ControlServer(short_directory / "s", {"echo": lambda params, _caller: params})
    server.start()
    try:
        with Raw(short_directory / "s") as raw, contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for chunk in sent:
                raw.send(chunk)
            raw.socket.shutdown(1)
            while chunk := raw.answer():
                assert all("id" in json.loads(line) for line in chunk.split(b"\n\n") if line)
        assert ControlClient(short_directory / "s", 5).call("echo", {"a": 1}) == {"a": 1}
    finally:
        server.stop()
