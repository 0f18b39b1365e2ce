"""Whose socket file it is, who may use it, and what is left of it."""

import fcntl
import grp
import os
import socket
import stat
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from revenued.control.client import ControlClient
from revenued.control.server import ControlServer
from revenued.errors import StartError

Serve = Callable[..., ControlServer]


@pytest.fixture(params=[0o000, 0o022, 0o077, 0o777])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def serving_as(path: Path, number: int) -> ControlServer:
    return ControlServer(path, {"me": lambda _params, _caller: {"me": number}})


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_socket_is_for_owner_and_group_whatever_the_umask(serve: Serve, path: Path, umask: int) -> None:
    serve()
    assert mode(path) == 0o660
    assert mode(path.parent) == 0o750


def test_the_mode_of_a_directory_that_was_there_is_left_alone(serve: Serve, path: Path) -> None:
    path.parent.mkdir()
    path.parent.chmod(0o711)
    serve()
    assert mode(path.parent) == 0o711


def test_the_socket_and_the_directory_made_for_it_belong_to_the_group(serve: Serve, path: Path) -> None:
    candidates = [group.gr_name for group in grp.getgrall() if os.geteuid() == 0 or group.gr_gid in os.getgroups()]
    group = candidates[-1]
    serve(group=group)
    assert path.group() == group
    assert path.parent.group() == group


def test_a_group_that_does_not_exist_is_named(serve: Serve, path: Path) -> None:
    with pytest.raises(StartError, match="no group 'nosuchgroup'"):
        serve(group="nosuchgroup")
    assert not path.exists()


def test_a_socket_that_nobody_listens_on_is_replaced(serve: Serve, path: Path) -> None:
    path.parent.mkdir()
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(path))
    serve()
    assert ControlClient(path, 5).call("revenue-version")["version"] == "1.2.3"


def test_a_living_daemons_socket_is_not_taken(serve: Serve, path: Path) -> None:
    serve()
    with pytest.raises(StartError, match="another daemon is running"):
        serve()
    assert ControlClient(path, 5).call("revenue-version")["version"] == "1.2.3"


def test_a_living_daemon_that_is_too_busy_to_answer_keeps_its_socket(serve: Serve, path: Path) -> None:
    path.parent.mkdir()
    with socket.socket(socket.AF_UNIX) as busy, socket.socket(socket.AF_UNIX) as first:
        busy.bind(str(path))
        busy.listen(0)
        first.connect(str(path))
        with pytest.raises(StartError, match="another daemon is running"):
            serve()


@pytest.mark.parametrize("kind", ["file", "directory", "link"])
def test_what_is_not_a_socket_is_not_removed(serve: Serve, path: Path, kind: str) -> None:
    path.parent.mkdir()
    if kind == "file":
        path.write_text("precious")
    elif kind == "directory":
        path.mkdir()
    else:
        path.symlink_to("/nowhere")
    with pytest.raises(StartError, match="not a socket"):
        serve()
    assert path.is_symlink() or path.exists()


def test_a_path_that_is_too_long_is_a_sentence(short_directory: Path) -> None:
    server = ControlServer(short_directory / ("x" * 120), {})
    with pytest.raises(StartError, match="too long"):
        server.start()


def test_a_directory_that_cannot_be_made_is_a_sentence(short_directory: Path) -> None:
    (short_directory / "file").write_text("")
    server = ControlServer(short_directory / "file" / "below" / "control", {})
    with pytest.raises(StartError, match=r"control socket .*Not a directory"):
        server.start()


def test_two_that_start_together_do_not_take_each_other_for_stale(short_directory: Path) -> None:
    for attempt in range(10):
        path = short_directory / f"s{attempt}"
        servers = [serving_as(path, number) for number in range(2)]
        started: list[int] = []

        def start(number: int, servers: list[ControlServer] = servers, started: list[int] = started) -> None:
            try:
                servers[number].start()
            except StartError:
                return
            started.append(number)

        threads = [threading.Thread(target=start, args=(number,)) for number in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(started) == 1
        assert ControlClient(path, 5).call("me") == {"me": started[0]}
        servers[started[0]].stop()


def test_a_lock_that_another_holds_is_a_sentence(serve: Serve, path: Path) -> None:
    path.parent.mkdir()
    held = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(StartError, match="holds the lock"):
            serve()
    finally:
        os.close(held)


def test_the_socket_is_removed_at_stop_and_can_be_opened_again(serve: Serve, path: Path) -> None:
    serve().stop()
    assert not path.exists()
    serve()
    assert ControlClient(path, 5).call("revenue-version")["version"] == "1.2.3"


def test_stop_leaves_a_successors_socket_alone(serve: Serve, path: Path) -> None:
    first = serve()
    path.unlink()
    serve()
    first.stop()
    assert ControlClient(path, 5).call("revenue-version")["version"] == "1.2.3"
