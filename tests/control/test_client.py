"""What a caller learns when the daemon is away, deaf, or not what it should be."""

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from revenued.control.client import Absence, ControlClient, DaemonUnreachable
from revenued.control.protocol import MethodError
from revenued.control.server import ControlServer

Serve = Callable[..., ControlServer]


@contextmanager
def answering(path: Path, answer: bytes) -> Iterator[None]:
    """Listen at `path` and give every caller the same bytes."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(1 << 16)
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield
        thread.join()


@contextmanager
def nobody() -> Iterator[None]:
    """Lay down root's rights, for which no permission counts."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(before)


def absence(path: Path, timeout: float = 2) -> Absence:
    with pytest.raises(DaemonUnreachable) as raised:
        ControlClient(path, timeout).call("revenue-version")
    assert raised.value.path == path
    return raised.value.absence


def test_a_result_is_returned_as_it_is(serve: Serve, path: Path) -> None:
    serve()
    assert ControlClient(path, 5).call("echo", {"a": [None, 1.5, "ä"]})["params"] == {"a": [None, 1.5, "ä"]}


def test_a_refusal_is_raised_with_its_code(serve: Serve, path: Path) -> None:
    serve()
    with pytest.raises(MethodError, match="no route") as raised:
        ControlClient(path, 5).call("own-code")
    assert raised.value.code == 205


def test_a_socket_that_is_not_there(path: Path) -> None:
    assert absence(path) is Absence.NO_SOCKET


def test_a_socket_that_nobody_listens_on(short_directory: Path) -> None:
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(short_directory / "s"))
    assert absence(short_directory / "s") is Absence.NOBODY_LISTENS


def test_a_socket_of_others(serve: Serve, path: Path) -> None:
    serve()
    path.chmod(0)
    with nobody():
        assert absence(path) is Absence.NOT_PERMITTED


def test_a_path_that_no_socket_can_have() -> None:
    assert absence(Path("/tmp/" + "x" * 200)) is Absence.NO_CONNECTION


def test_a_daemon_that_accepts_and_is_silent(short_directory: Path) -> None:
    with socket.socket(socket.AF_UNIX) as deaf:
        deaf.bind(str(short_directory / "s"))
        deaf.listen()
        began = time.monotonic()
        assert absence(short_directory / "s", 0.3) is Absence.NO_ANSWER
        assert time.monotonic() - began < 2


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"half",
        b"not json\n\n",
        b"[]\n\n",
        b'{"jsonrpc":"2.0","id":"somebody else","result":{}}\n\n',
        b'{"jsonrpc":"2.0","id":null,"error":{"code":1,"message":"m"}}\n\n',
    ],
)
def test_an_answer_that_is_none(short_directory: Path, answer: bytes) -> None:
    with answering(short_directory / "s", answer):
        assert absence(short_directory / "s") is Absence.NO_ANSWER


@pytest.mark.parametrize("result", ["null", "[]", "5"])
def test_a_result_that_is_no_object(short_directory: Path, result: str) -> None:
    own_id = f"revenuectl:revenue-version#{os.getpid()}"
    answer = f'{{"jsonrpc":"2.0","id":"{own_id}","result":{result}}}\n\n'.encode()
    with answering(short_directory / "s", answer):
        assert absence(short_directory / "s") is Absence.NO_ANSWER


@pytest.mark.parametrize("error", ['"text"', '{"message":"m"}', "7"])
def test_an_error_without_a_code_is_still_an_error(short_directory: Path, error: str) -> None:
    own_id = f"revenuectl:revenue-version#{os.getpid()}"
    answer = f'{{"jsonrpc":"2.0","id":"{own_id}","error":{error}}}\n\n'.encode()
    with answering(short_directory / "s", answer), pytest.raises(MethodError) as raised:
        ControlClient(short_directory / "s", 2).call("revenue-version")
    assert raised.value.code == -32603
