"""The real daemon as a process of its own: started, asked, stopped and killed; its log tells why a test failed."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest

from revenued.clock import FastClock
from revenued.control.client import ControlClient, DaemonUnreachable
from revenued.control.protocol import MethodError

Json = dict[str, Any]
T = TypeVar("T")

PATIENCE_SECONDS = 30.0
"""For what takes a second or two on an idle machine."""
STOP_SECONDS = 2.0
"""What the daemon promises."""
_INHERITED = (
    "PATH",
    "LANG",
    "LC_ALL",
    "VIRTUAL_ENV",
    "PYTHONPATH",
    "PYTHONDONTWRITEBYTECODE",
    "COVERAGE_PROCESS_START",
)


def until(true: Callable[[], T], what: str, *, within: float = PATIENCE_SECONDS) -> T:
    """Return the first result of `true` that counts as true; fail when there is none in time."""
    deadline = time.monotonic() + within
    while not (result := true()):
        assert time.monotonic() < deadline, f"not within {within:g} s: {what}"
        time.sleep(0.02)
    return result


class Daemon:
    """One place in the file system, and the daemon that lives there from time to time."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.rpc = place / "lightning-rpc"
        self.state_dir = place / "state"
        self.database = self.state_dir / "revenued.db"
        self.control = place / "control"
        self.config = place / "revenued.toml"
        self.clock: FastClock | None = None
        """Set it before the start; the system's clock if it is None."""
        self._log = place / "revenued.log"
        self._log.touch()
        self.config.touch()
        self._process: subprocess.Popen[bytes] | None = None
        self._client = ControlClient(self.control, timeout=PATIENCE_SECONDS)

    # -- the process -----------------------------------------------------------------------------------------

    def start(self, **environment: str) -> None:
        """Start it and wait until it answers."""
        assert self._process is None, "it is running already"
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.environment(**environment)
            )
        until(self._answers, "the daemon answers")

    def command(self) -> list[str]:
        """Return the command line that starts it."""
        command = [sys.executable, "-m", "revenued.daemon", "run", "--config", str(self.config)]
        command += ["--rpc", str(self.rpc), "--state-dir", str(self.state_dir), "--control", str(self.control)]
        return command if self.clock is None else [*command, "--fast-clock", self.clock.to_text()]

    def environment(self, **more: str) -> dict[str, str]:
        """Return an environment in which nothing of this machine's own set-up counts."""
        kept = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        return kept | {"HOME": str(self.place), "COLUMNS": "200"} | more

    @property
    def pid(self) -> int:
        assert self._process is not None, "it is not running"
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def send(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> float:
        """Ask it to end; return how long that took. It must end by itself, with exit code 0."""
        assert self._process is not None, "it is not running"
        began = time.monotonic()
        self._process.send_signal(number)
        code = self._process.wait(PATIENCE_SECONDS)
        took = time.monotonic() - began
        self._process = None
        assert code == 0, f"exit code {code}"
        return took

    def kill(self) -> None:
        """End it as a power cut does."""
        assert self._process is not None, "it is not running"
        self._process.kill()
        self.gone()

    def gone(self) -> None:
        """Wait until the process that somebody killed is gone."""
        assert self._process is not None, "it is not running"
        self._process.wait(PATIENCE_SECONDS)
        self._process = None

    def refused(self, *command: str, without_override: bool = False, **environment: str) -> str:
        """Start it in vain: exit code 1 and one sentence, which is returned.

        `without_override` takes from root what lets it write where nobody may.
        """
        started = list(command) or self.command()
        if without_override and os.geteuid() == 0:
            if shutil.which("setpriv") is None:
                pytest.skip("root may write everywhere, and there is no setpriv to take that away")
            started = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", *started]
        ended = subprocess.run(
            started, capture_output=True, text=True, timeout=PATIENCE_SECONDS, env=self.environment(**environment),
            check=False,
        )  # fmt: skip
        assert ended.returncode == 1, f"exit code {ended.returncode}: {ended.stderr}"
        *events, sentence = ended.stderr.splitlines()
        assert all(json.loads(event)["level"] in ("info", "warning") for event in events), ended.stderr
        assert sentence.startswith("revenued: "), ended.stderr
        return sentence.removeprefix("revenued: ")

    # -- what it says ----------------------------------------------------------------------------------------

    def ask(self, method: str, **params: object) -> Json:
        """Return the result of revenue-`method`."""
        return self._client.call(f"revenue-{method}", params)

    def status(self) -> Json:
        return self.ask("status")

    def trouble(self) -> str | None:
        """Return why forwards are not being read; None while they are."""
        reason: str | None = self.status()["ingest"]["reason"]
        return reason

    def run(self, cycle: str) -> Json:
        """Run one cycle and return how it went; it may wait for a node that does not answer."""
        return ControlClient(self.control, timeout=2 * PATIENCE_SECONDS).call("revenue-run", {"cycle": cycle})

    def run_done(self, cycle: str) -> Json:
        """Run one cycle, which must succeed, and return its summary."""
        result = self.run(cycle)
        assert result["outcome"] == "done", result
        summary: Json = result["summary"]
        return summary

    def refusal(self, method: str, **params: object) -> str:
        """Return why revenue-`method` is refused."""
        try:
            answered = self.ask(method, **params)
        except MethodError as refusal:
            return str(refusal)
        raise AssertionError(f"not refused: {answered}")

    def configure(self, **values: object) -> Json:
        """Set live options."""
        return self.ask("config", action="set", values=values)

    def option(self, key: str) -> Json:
        return self.ask("config", action="get", key=key)

    @contextmanager
    def asked(self, cycle: str) -> Iterator[list[Json]]:
        """Ask for a cycle and go on at once; its result, if there ever is one, is in the list at the end."""
        results: list[Json] = []

        def ask() -> None:
            try:
                results.append(self.run(cycle))
            except (DaemonUnreachable, MethodError):
                return  # the daemon was ended under it

        asking = threading.Thread(target=ask)
        asking.start()
        try:
            yield results
        finally:
            asking.join(2 * PATIENCE_SECONDS)

    def cycle(self, kind: str) -> Json:
        """Return what the status says of one kind of cycle."""
        found: Json = next(cycle for cycle in self.status()["cycles"] if cycle["kind"] == kind)
        return found

    def ctl(self, *arguments: str, code: int = 0) -> str:
        """Return what the real revenuectl prints, all of it; it must end with `code`."""
        ended = subprocess.run(
            [sys.executable, "-m", "revenued.cli", "--control", str(self.control), *arguments],
            capture_output=True, text=True, timeout=PATIENCE_SECONDS, env=self.environment(), check=False,
        )  # fmt: skip
        assert ended.returncode == code, f"exit code {ended.returncode}: {ended.stdout}{ended.stderr}"
        assert "Traceback" not in ended.stderr, ended.stderr
        return ended.stdout + ended.stderr

    def offline(self, *arguments: str) -> str:
        """Return what a `revenued` command that needs no daemon prints."""
        ended = subprocess.run(
            [sys.executable, "-m", "revenued.daemon", *arguments],
            capture_output=True, text=True, timeout=PATIENCE_SECONDS, env=self.environment(), check=False,
        )  # fmt: skip
        assert (ended.returncode, ended.stderr) == (0, "")
        return ended.stdout

    def follow(self) -> None:
        """Wait until it has read all that the node had when it came."""
        until(lambda: self.status()["ingest"]["state"] == "following", "history is read")

    def settle(self) -> None:
        """Wait until history is read; from then on no fee cycle comes by itself, only when it is asked for."""
        self.follow()
        self.configure(fee_interval=86_400)

    # -- what it wrote ---------------------------------------------------------------------------------------

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Return what stands in the database, read from the file; nothing before there is one."""
        try:
            with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)) as connection:
                return connection.execute(query).fetchall()
        except sqlite3.OperationalError:  # not made yet
            return []

    @property
    def log(self) -> str:
        return self._log.read_text()

    def said(self, event: str) -> list[Json]:
        """Return the events of this name in the log."""
        found = [json.loads(line) for line in self.log.splitlines()]
        return [line for line in found if line["event"] == event]

    def check_log(self) -> None:
        """Every line is an event, and none tells of a defect."""
        for line in self.log.splitlines():
            event = json.loads(line)
            assert event.keys() >= {"event", "level", "timestamp"}, line
            assert "exception" not in event, line
            assert "Traceback" not in line, line

    def clear_away(self) -> None:
        """End it if it still runs, and show its log, which is seen where the test failed."""
        try:
            if self.is_running:
                self.stop()
        except (AssertionError, subprocess.TimeoutExpired):
            if self._process is not None:
                self.kill()
            raise
        finally:
            sys.stdout.write(self.log)

    def _answers(self) -> bool:
        assert self.is_running, f"it ended at its start: {self.log[-2000:]}"
        try:
            self.ask("version")
        except DaemonUnreachable:
            return False
        return True
