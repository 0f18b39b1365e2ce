"""The installed programs: `revenued run` as a process of its own, asked through `revenuectl`, and its database."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from revenued import wire
from revenued.control.client import ControlClient, DaemonUnreachable
from tests.regtest.patience import until

Json = dict[str, Any]
Forward = dict[str, Any]

PROGRAMS = Path(sys.executable).parent
START_SECONDS = 20.0
STOP_SECONDS = 10.0
LONGEST_CYCLE_SECONDS = 90.0


def environment() -> dict[str, str]:
    """Return ours, without what would set options, and with a terminal wide enough for whole tables."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("REVENUED_")}
    return kept | {"COLUMNS": "250"}


class Daemon:
    """One state directory, and the daemon that runs with it, if one does."""

    def __init__(self, rpc: Path, folder: Path) -> None:
        self._rpc = rpc
        self._state = folder / "state"
        self._control = folder / "control"
        self._log = folder / "log"
        self._process: subprocess.Popen[bytes] | None = None
        self._client = ControlClient(self._control, timeout=LONGEST_CYCLE_SECONDS)

    def start(self) -> None:
        """Start it and wait until it answers."""
        assert self._process is None, "it runs already"
        where: list[str | Path] = ["--rpc", self._rpc, "--state-dir", self._state, "--control", self._control]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [PROGRAMS / "revenued", "run", *where],
                env=environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        until(self._answers, within=START_SECONDS, what=f"the daemon answers; it said: {self.log()}")

    def kill(self) -> None:
        """End it as a power cut does."""
        assert self._process is not None, "it does not run"
        self._process.kill()
        self._process.wait(STOP_SECONDS)
        self._process = None

    def stop(self) -> int:
        """Ask it to end and return its exit code."""
        assert self._process is not None, "it does not run"
        self._process.send_signal(signal.SIGTERM)
        code = self._process.wait(STOP_SECONDS)
        self._process = None
        return code

    @property
    def is_running(self) -> bool:
        return self._process is not None

    def ask(self, method: str, **params: object) -> Json:
        """Return the result of revenue-`method`."""
        return self._client.call(f"revenue-{method}", params)

    def ctl(self, *arguments: str, code: int = 0) -> Json:
        """Return what `revenuectl --json` prints, which must end with `code`."""
        answer: Json = json.loads(self.text("--json", *arguments, code=code))
        return answer

    def text(self, *arguments: str, code: int = 0) -> str:
        """Return what `revenuectl` prints for a person."""
        ended = subprocess.run(
            [PROGRAMS / "revenuectl", "--control", self._control, *arguments],
            env=environment(), capture_output=True, text=True, timeout=LONGEST_CYCLE_SECONDS, check=False,
        )  # fmt: skip
        assert ended.returncode == code, f"exit code {ended.returncode}: {ended.stderr or ended.stdout}"
        return ended.stdout

    def begin_cycle(self, kind: str) -> None:
        """Let a cycle begin and do not wait for it."""
        request = wire.encode({"jsonrpc": "2.0", "id": 1, "method": "revenue-run", "params": {"cycle": kind}})
        deadline = time.monotonic() + START_SECONDS
        with closing(wire.connect(self._control, deadline=deadline)) as connection:
            wire.send(connection, request, deadline=deadline)

    def configure(self, **values: object) -> None:
        """Set options as an operator does."""
        self.ctl("config", "set", *(word for key, value in values.items() for word in (key, f"{value}")))

    def follow(self) -> None:
        """Wait until history is read and the channels were looked at."""
        until(lambda: self.ingest()["state"] == "following", within=20, what="history is read")
        until(lambda: self.ask("status")["channels"] is not None, within=20, what="a look at the channels")

    def ingest(self) -> Json:
        """Return how far reading has come."""
        answer: Json = self.ask("status")["ingest"]
        return answer

    def rows(self, query: str, *values: object) -> list[Json]:
        """Return what stands in the database, read from the file."""
        with closing(sqlite3.connect(f"file:{self._state / 'revenued.db'}?mode=ro", uri=True)) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(query, values)]

    def status_of_forward(self, created_index: int) -> str | None:
        found = self.rows("SELECT status FROM forwards WHERE created_index = ?", created_index)
        return found[0]["status"] if found else None

    def events(self) -> list[Json]:
        """Return what it logged."""
        return [json.loads(line) for line in self.log().splitlines() if line.startswith("{")]

    def log(self) -> str:
        return self._log.read_text() if self._log.exists() else ""

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"the daemon ended: {self.log()}"
        try:
            self.ask("version")
        except DaemonUnreachable:
            return False
        return True


def summary_of(result: Mapping[str, Any]) -> Json:
    """Return the summary of a cycle that was done."""
    assert result["outcome"] == "done", result
    return dict(result["summary"])
