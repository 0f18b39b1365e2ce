"""The real commands against a real control server whose methods answer what the test wants."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import structlog
from click.testing import CliRunner
from click.testing import Result as Ended

from revenued.cli.main import cli
from revenued.control.server import Caller, ControlServer

Answer = dict[str, Any] | Exception | Callable[[dict[str, Any]], dict[str, Any]]
"""What a method answers, or what makes it of the parameters."""


@dataclass
class Daemon:
    """Answers each method with what was put down for it, and remembers what it was asked."""

    path: Path
    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def method(self, name: str) -> Callable[[dict[str, Any], Caller], dict[str, Any]]:
        def answer(params: dict[str, Any], _caller: Caller) -> dict[str, Any]:
            self.asked.append((name, params))
            answered = self.answers[name]
            if isinstance(answered, Exception):
                raise answered
            return answered(params) if callable(answered) else answered

        return answer


METHODS = (
    "version",
    "status",
    "dashboard",
    "channels",
    "forwards",
    "flow",
    "peers",
    "rebalance-list",
    "fees-explain",
    "fees-history",
    "config",
    "run",
    "pause",
    "resume",
)


@pytest.fixture
def short_directory() -> Iterator[Path]:
    """A directory whose name leaves room for a socket's."""
    made = tempfile.mkdtemp(prefix="rv", dir="/tmp")
    yield Path(made)
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture
def daemon(short_directory: Path) -> Iterator[Daemon]:
    """A running daemon that answers methods named without `revenue-`."""
    made = Daemon(short_directory / "control")
    methods = {f"revenue-{name}": made.method(name) for name in METHODS}
    server = ControlServer(made.path, methods, log=structlog.testing.CapturingLogger())
    server.start()
    yield made
    server.stop()


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, short_directory: Path) -> None:
    """Nothing of the machine's own set-up leaks in."""
    for name in ("REVENUED_CONTROL", "RUNTIME_DIRECTORY", "XDG_DATA_HOME", "COLUMNS", "FORCE_COLOR", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(short_directory))
    monkeypatch.setattr("revenued.cli.session.SYSTEM_SOCKET", short_directory / "nowhere")


Run = Callable[..., Ended]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run `revenuectl` with these arguments, on a pipe of `columns`."""

    def call(*arguments: str, columns: int | None = None) -> Ended:
        if columns is not None:
            monkeypatch.setenv("COLUMNS", str(columns))
        ended = CliRunner().invoke(cli, arguments, prog_name="revenuectl")
        assert ended.exception is None or isinstance(ended.exception, SystemExit), ended.exception
        return ended

    return call


@pytest.fixture
def shown(daemon: Daemon, run: Run) -> Callable[..., str]:
    """Let `method` answer `result`, run the command, and return what it printed."""

    def call(method: str, result: Answer, *arguments: str, columns: int | None = None) -> str:
        daemon.answers[method] = result
        ended = run("--control", str(daemon.path), *arguments, columns=columns)
        assert ended.exit_code == 0, ended.stderr
        assert ended.stderr == ""
        return ended.stdout

    return call
