"""One request, one answer, over a real socket: whole and in time, or one of three ways in which it was not."""

import json
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revenued.wire import END, NoAnswer, NotDelivered, TooLarge, connect, decode, encode, exchange, receive, send

REQUEST = {"jsonrpc": "2.0", "id": "a", "method": "m", "params": {}}
ANSWER = b'{"jsonrpc":"2.0","id":"a","result":{"x":1}}'

Served = Callable[[bytes], list[bytes]]
Serve = Callable[..., Path]


@pytest.fixture
def path() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="rv", dir="/tmp") as folder:
        yield Path(folder) / "socket"


@pytest.fixture
def serve(path: Path) -> Iterator[Serve]:
    """Start a server for one connection: it waits for a request, writes the given pieces, and waits or hangs up."""
    threads: list[threading.Thread] = []
    over = threading.Event()
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as listener:

        def start(*pieces: bytes, hang_up: bool = True) -> Path:
            listener.bind(str(path))
            listener.listen(1)
            threads.append(threading.Thread(target=answer, args=(pieces, hang_up)))
            threads[0].start()
            return path

        def answer(pieces: tuple[bytes, ...], hang_up: bool) -> None:
            connection, _ = listener.accept()
            with connection:
                while not connection.recv(1 << 16).endswith(END):
                    pass
                with suppress(OSError):  # the caller may have had enough
                    for piece in pieces:
                        connection.sendall(piece)
                if not hang_up:
                    over.wait(10)

        yield start
        over.set()
        for thread in threads:
            thread.join(10)


def soon(seconds: float = 5.0) -> float:
    return time.monotonic() + seconds


def received(sent: bytes, *, limit: int | None = None) -> bytes:
    """Return what `receive` makes of these bytes and the end of the connection."""
    near, far = socket.socketpair()
    with near, far:
        far.sendall(sent)
        far.shutdown(socket.SHUT_WR)
        return receive(near, deadline=soon(), limit=limit)


def test_an_answer_comes_back_as_it_was_sent(serve: Serve) -> None:
    path = serve(ANSWER + END)
    assert exchange(path, REQUEST, timeout=5) == {"jsonrpc": "2.0", "id": "a", "result": {"x": 1}}


def test_an_answer_in_many_pieces_is_put_together(serve: Serve) -> None:
    path = serve(*(ANSWER[at : at + 1] for at in range(len(ANSWER))), b"\n", b"\n")
    assert exchange(path, REQUEST, timeout=5)["result"] == {"x": 1}


def test_a_large_answer_is_read_whole(serve: Serve) -> None:
    text = "x" * 3_000_000
    path = serve(encode({"id": "a", "result": text}))
    assert exchange(path, REQUEST, timeout=10)["result"] == text


def test_an_error_object_is_an_answer_too(serve: Serve) -> None:
    path = serve(encode({"id": "a", "error": {"code": -1, "message": "no"}}))
    assert exchange(path, REQUEST, timeout=5)["error"]["code"] == -1


def test_a_missing_socket_was_not_delivered(path: Path) -> None:
    with pytest.raises(NotDelivered, match="No such file"):
        exchange(path, REQUEST, timeout=5)


def test_a_socket_that_nobody_listens_on_was_not_delivered(path: Path) -> None:
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as dead:
        dead.bind(str(path))
    with pytest.raises(NotDelivered, match="refused"):
        exchange(path, REQUEST, timeout=5)


def test_a_path_too_long_for_the_kernel_was_not_delivered() -> None:
    with pytest.raises(NotDelivered, match="too long"):
        exchange("/tmp/" + "x" * 200, REQUEST, timeout=5)


def test_a_deadline_that_is_over_before_anything_is_sent_was_not_delivered(path: Path) -> None:
    with pytest.raises(NotDelivered, match="timed out"):
        connect(path, deadline=time.monotonic() - 1)


def test_a_request_that_is_no_json_is_not_sent_at_all(path: Path) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        exchange(path, {"id": "a", "params": {"ratio": float("nan")}}, timeout=5)


def test_silence_has_no_answer_and_ends_at_the_deadline(serve: Serve) -> None:
    path = serve(hang_up=False)
    began = time.monotonic()
    with pytest.raises(NoAnswer, match="no answer in time"):
        exchange(path, REQUEST, timeout=0.2)
    assert time.monotonic() - began < 3


def test_half_an_answer_and_then_silence_has_no_answer(serve: Serve) -> None:
    path = serve(ANSWER, hang_up=False)
    with pytest.raises(NoAnswer, match="no answer in time"):
        exchange(path, REQUEST, timeout=0.2)


@pytest.mark.parametrize("sent", [b"", ANSWER, ANSWER + b"\n"])
def test_a_connection_that_ends_before_the_terminator_has_no_answer(sent: bytes) -> None:
    with pytest.raises(NoAnswer, match="closed before the answer was complete"):
        received(sent)


def test_a_request_that_cannot_be_sent_whole_has_no_answer() -> None:
    near, far = socket.socketpair()
    with near:
        far.close()
        with pytest.raises(NoAnswer, match="broke while sending"):
            send(near, b"x" * 1_000_000, deadline=soon())


def test_a_reader_that_stops_reading_does_not_hold_the_sender_beyond_its_deadline() -> None:
    near, far = socket.socketpair()
    with near, far, pytest.raises(NoAnswer, match="timed out"):
        send(near, b"x" * 10_000_000, deadline=soon(0.2))


@pytest.mark.parametrize("surplus", [0, 1, 1000])
def test_an_answer_is_read_up_to_its_limit_and_not_one_byte_beyond(surplus: int) -> None:
    sent = b"x" * (100 + surplus) + END
    if surplus == 0:
        assert received(sent, limit=100) == sent[:-2]
    else:
        with pytest.raises(TooLarge, match="larger than 100 bytes"):
            received(sent, limit=100)


def test_an_answer_without_end_is_given_up_at_the_limit() -> None:
    with pytest.raises(TooLarge):
        received(b"x" * 5000, limit=1000)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"a"',
        b"\xff",
        b"[" * 100_000,
        b'{"id":"a"}',
        b'{"result":1}',
        b'{"id":"b","result":1}',
        b'{"id":null,"error":{}}',
        b'{"id":["a"],"result":1}',
        b'{"id":"a","result":' + b"9" * 5000 + b"}",
    ],
)
def test_what_is_no_answer_to_the_request_is_no_answer(raw: bytes) -> None:
    with pytest.raises(NoAnswer):
        decode(raw, expected_id="a")


@given(st.binary(max_size=60))
def test_any_bytes_are_an_answer_or_no_answer(raw: bytes) -> None:
    with suppress(NoAnswer):
        assert decode(raw, expected_id="a")["id"] == "a"


json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


@given(json_values)
def test_whatever_is_written_is_read_back_and_holds_no_terminator_inside(value: Any) -> None:
    written = encode({"id": "a", "result": value})
    assert written.endswith(END)
    assert written.count(b"\n") == len(END)
    assert decode(received(written), expected_id="a")["result"] == value
    assert json.loads(written) == {"id": "a", "result": value}
