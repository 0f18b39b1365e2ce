"""Which socket is spoken to, and how refusals and absences reach the operator and the shell."""

import json
import os
import socket
import time
from pathlib import Path
from typing import Any

import pytest

from revenued.cli.session import default_control
from revenued.control.protocol import MethodError
from revenued.errors import CycleSkipped, NodeUnreachable, SettingError
from tests.cli import samples
from tests.cli.conftest import Daemon, Run

COMMANDS: list[tuple[str, dict[str, Any], tuple[str, ...]]] = [
    ("status", samples.status(), ("status",)),
    ("dashboard", samples.dashboard(), ("dashboard",)),
    ("channels", samples.channels(samples.channel(alias="\u202e\x1b[31mü")), ("channels",)),
    ("fees-explain", samples.explanation(), ("fees", "explain", samples.SCID)),
    ("fees-history", {"changes": [samples.change()]}, ("fees", "history")),
    ("config", samples.OPTIONS, ("config", "list")),
    ("config", samples.option(), ("config", "get", "min_fee_ppm")),
    ("config", {"generation": 1, "changed": [], "notes": []}, ("config", "set", "min_fee_ppm", "1")),
    ("run", samples.ran(), ("run", "fee")),
    ("pause", {"paused": True, "changed": True}, ("pause",)),
    ("resume", {"paused": False, "changed": True}, ("resume",)),
    ("version", {"version": "1", "schema": "2"}, ("version",)),
]


@pytest.mark.parametrize(("method", "result", "arguments"), COMMANDS)
@pytest.mark.parametrize("before", [True, False])
def test_json_is_exactly_the_methods_result(
    daemon: Daemon, run: Run, method: str, result: dict[str, Any], arguments: tuple[str, ...], before: bool
) -> None:
    daemon.answers[method] = result
    given = ("--json", *arguments) if before else (*arguments, "--json")
    ended = run("--control", str(daemon.path), *given)
    assert ended.exit_code == 0
    assert json.loads(ended.stdout) == result
    assert ended.stdout.isascii()
    assert ended.stderr == ""


@pytest.mark.parametrize("arguments", [arguments for *_, arguments in COMMANDS if arguments != ("version",)])
def test_without_a_daemon_every_command_says_which_socket_and_what_to_do(run: Run, arguments: tuple[str, ...]) -> None:
    began = time.monotonic()
    ended = run("--control", "/tmp/no-such-control", *arguments)
    assert time.monotonic() - began < 2
    assert ended.exit_code == 3
    assert ended.stdout == ""
    assert "/tmp/no-such-control" in ended.stderr
    assert "systemctl start revenued" in ended.stderr


def test_a_daemon_that_died_is_told_from_one_that_never_was(run: Run, short_directory: Path) -> None:
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(short_directory / "control"))
    ended = run("--control", str(short_directory / "control"), "status")
    assert ended.exit_code == 3
    assert "nobody listens" in ended.stderr


def test_a_daemon_that_does_not_answer_is_not_waited_for_longer_than_told(run: Run, short_directory: Path) -> None:
    with socket.socket(socket.AF_UNIX) as deaf:
        deaf.bind(str(short_directory / "control"))
        deaf.listen()
        began = time.monotonic()
        ended = run("--control", str(short_directory / "control"), "status", "--timeout", "0.3")
        assert time.monotonic() - began < 2
    assert ended.exit_code == 3
    assert "did not answer" in ended.stderr
    assert "--timeout" in ended.stderr


def test_a_socket_of_others_names_its_group(run: Run, daemon: Daemon) -> None:
    daemon.path.chmod(0)
    daemon.path.parent.chmod(0o711)
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)
    try:
        ended = run("--control", str(daemon.path), "status")
    finally:
        os.seteuid(before)
    assert ended.exit_code == 3
    assert "permission denied" in ended.stderr
    assert f"members of group {daemon.path.group()}" in ended.stderr


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (SettingError("min_fee_ppm: 'x' is not allowed; allowed: 0 to 9"), 1, "min_fee_ppm: 'x' is not allowed"),
        (CycleSkipped("not today"), 1, "not today"),
        (NodeUnreachable("node: connection refused"), 4, "node: connection refused"),
        (MethodError(1, "no channel 1x2x3"), 1, "no channel 1x2x3"),
        (MethodError(-32601, "Unknown command"), 1, "another version"),
        (RuntimeError("secret"), 1, "internal error, see the daemon's log"),
        (MethodError(1, "bad \x1b[31m alias \u202e"), 1, "bad \\x1b[31m alias \\u202e"),
    ],
)
@pytest.mark.parametrize("option", [(), ("--json",)])
def test_a_refusal_is_a_sentence_on_stderr(
    daemon: Daemon, run: Run, error: Exception, code: int, said: str, option: tuple[str, ...]
) -> None:
    daemon.answers["status"] = error
    ended = run("--control", str(daemon.path), "status", *option)
    assert (ended.exit_code, ended.stdout) == (code, "")
    assert said in ended.stderr
    assert "\x1b" not in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "secret" not in ended.stderr


@pytest.mark.parametrize("result", [{}, {"notes": None}, samples.status(node=None), samples.status(cycles=[1])])
def test_an_answer_of_another_version_is_a_sentence(daemon: Daemon, run: Run, result: dict[str, Any]) -> None:
    daemon.answers["status"] = result
    ended = run("--control", str(daemon.path), "status")
    assert (ended.exit_code, ended.stdout) == (1, "")
    assert "another version" in ended.stderr
    assert json.loads(run("--control", str(daemon.path), "status", "--json").stdout) == result


def test_what_is_typed_beats_the_environment_wherever_it_stands(
    daemon: Daemon, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon.answers["pause"] = {"paused": True, "changed": True}
    monkeypatch.setenv("REVENUED_CONTROL", str(daemon.path))
    assert run("pause").exit_code == 0
    monkeypatch.setenv("REVENUED_CONTROL", "/tmp/no-such-control")
    assert run("--control", str(daemon.path), "pause").exit_code == 0
    assert run("pause", "--control", str(daemon.path)).exit_code == 0
    assert run("pause").exit_code == 3


def test_the_socket_is_looked_for_where_daemons_put_it(short_directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = {"HOME": "/home/op"}
    assert default_control({"RUNTIME_DIRECTORY": "/run/rv:/run/other", **home}) == Path("/run/rv/control")
    assert default_control(home) == Path("/home/op/.local/share/revenued/control")
    assert default_control({"XDG_DATA_HOME": "/data", **home}) == Path("/data/revenued/control")
    (short_directory / "system").touch()
    monkeypatch.setattr("revenued.cli.session.SYSTEM_SOCKET", short_directory / "system")
    assert default_control(home) == short_directory / "system"
