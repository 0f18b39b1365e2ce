"""The installed program as a shell sees it: help, completion, pipes, signals and full disks."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from revenued.cli.main import cli
from tests.cli import samples
from tests.cli.conftest import Daemon

PROGRAM = [sys.executable, "-c", "from revenued.cli.main import main; main()"]


def start(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROGRAM, *arguments], env=os.environ | environment, capture_output=True, text=True, timeout=30, check=False
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ("--help",),
        ("-h",),
        *((name, "--help") for name in ("status", "dashboard", "channels", "run", "pause", "resume", "version")),
        ("fees", "explain", "--help"),
        ("fees", "history", "--help"),
        ("config", "set", "--help"),
        ("completion", "--help"),
    ],
)
def test_help_is_there_and_is_written_out(arguments: tuple[str, ...]) -> None:
    ended = CliRunner().invoke(cli, arguments)
    assert ended.exit_code == 0
    assert "Usage:" in ended.stdout
    assert "..." not in ended.stdout.replace("]...", "").replace("[ARGS]...", "")


def test_help_starts_without_what_only_the_daemon_needs() -> None:
    code = "import sys, revenued.cli.main; print(*sorted(m.split('.')[0] for m in sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"sqlalchemy", "pydantic", "pyln", "alembic", "apscheduler", "structlog"} & set(loaded)
    best = min(_seconds_of_help() for _ in range(3))
    assert best < 1.0, "half a second on an idle machine; this one may be shared"


def _seconds_of_help() -> float:
    began = time.monotonic()
    assert start("--help").returncode == 0
    return time.monotonic() - began


@pytest.mark.parametrize(
    ("shell", "said"), [("bash", "complete"), ("zsh", "#compdef revenuectl"), ("fish", "complete")]
)
def test_completion_prints_a_script_for_the_shell(shell: str, said: str) -> None:
    ended = start("completion", shell)
    assert ended.returncode == 0
    assert said in ended.stdout
    assert "_REVENUECTL_COMPLETE" in ended.stdout


def test_the_shell_is_told_what_can_come_next() -> None:
    ended = start(_REVENUECTL_COMPLETE="bash_complete", COMP_WORDS="revenuectl fees ", COMP_CWORD="2")
    assert {line.split(",")[-1] for line in ended.stdout.split()} == {"explain", "history"}


def test_wrong_command_lines_end_with_2() -> None:
    assert start("nosuch").returncode == 2
    assert start("status", "--nosuch").returncode == 2
    assert start("status", "--timeout", "soon").returncode == 2


def test_no_daemon_ends_with_3_within_2_seconds() -> None:
    began = time.monotonic()
    ended = start("--control", "/tmp/no-such-control", "status")
    assert time.monotonic() - began < 2
    assert (ended.returncode, ended.stdout) == (3, "")


def test_piped_output_has_no_colours(daemon: Daemon) -> None:
    daemon.answers["status"] = samples.status(dry_run=True, notes=[samples.DRY_RUN_NOTE], node__reachable=False)
    ended = start("--control", str(daemon.path), "status")
    assert "\x1b" not in ended.stdout
    assert all(line == line.rstrip() for line in ended.stdout.splitlines())


@pytest.mark.parametrize(("no_color", "coloured"), [("", True), ("1", False)])
def test_a_terminal_has_colours_unless_told_otherwise(daemon: Daemon, no_color: str, coloured: bool) -> None:
    daemon.answers["status"] = samples.status(notes=["look here"])
    master, terminal = os.openpty()
    environment = os.environ | {"TERM": "xterm-256color", "COLUMNS": "100"}
    if no_color:
        environment["NO_COLOR"] = no_color
    subprocess.run([*PROGRAM, "--control", str(daemon.path), "status"], env=environment, stdout=terminal, check=True)
    os.close(terminal)
    printed = os.read(master, 1 << 16).decode()
    os.close(master)
    assert "look here" in printed
    assert ("\x1b[33m" in printed) == coloured


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_terminal_without_unicode_gets_escapes_and_no_traceback(daemon: Daemon, encoding: str) -> None:
    daemon.answers["channels"] = samples.channels(samples.channel(alias="日本", scid=None))
    ended = start("--control", str(daemon.path), "channels", PYTHONIOENCODING=encoding)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "\\u65e5\\u672c" in ended.stdout


@pytest.mark.parametrize("option", [(), ("--json",)])
def test_a_reader_that_leaves_early_is_no_traceback(daemon: Daemon, option: tuple[str, ...]) -> None:
    daemon.answers["channels"] = samples.channels(*(samples.channel() for _ in range(5000)))
    reader, writer = os.pipe()
    with subprocess.Popen(
        [*PROGRAM, "--control", str(daemon.path), "channels", *option], stdout=writer, stderr=subprocess.PIPE, text=True
    ) as program:
        os.close(writer)
        os.read(reader, 10)
        os.close(reader)
        _, complaint = program.communicate(timeout=30)
    assert complaint == ""


@pytest.mark.parametrize("arguments", [("status",), ("status", "--json"), ("version",)])
def test_a_full_disk_is_a_sentence(daemon: Daemon, arguments: tuple[str, ...]) -> None:
    daemon.answers |= {"status": samples.status(), "version": {"version": "1", "schema": "1"}}
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [*PROGRAM, "--control", str(daemon.path), *arguments],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=30,
            check=False,
        )
    assert ended.returncode == 1
    assert ended.stderr == "cannot write: No space left on device\n"


def test_ctrl_c_ends_it_without_a_traceback(short_directory: Path) -> None:
    with socket.socket(socket.AF_UNIX) as deaf:
        deaf.bind(str(short_directory / "control"))
        deaf.listen()
        with subprocess.Popen(
            [*PROGRAM, "--control", str(short_directory / "control"), "status"], stderr=subprocess.PIPE, text=True
        ) as program:
            connection, _ = deaf.accept()
            connection.recv(1 << 10)
            program.send_signal(signal.SIGINT)
            _, complaint = program.communicate(timeout=10)
            connection.close()
    assert program.returncode == 130
    assert "Traceback" not in complaint
