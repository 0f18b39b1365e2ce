"""What a daemon with years behind it costs: reports, following, and doing nothing, with millions of forwards stored.

Fills a database by the daemon's own statements, starts the real daemon on it beside the synthetic node, and prints one
JSON object a figure.
"""

import argparse
import json
import sqlite3
import statistics
import subprocess
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.ingest import cpu_seconds, daemon_beside, peak_mb, synthetic_node
from revenued.control.client import ControlClient

REPEATS = 7


def main() -> None:
    """Hydrate, then measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--forwards", type=int, default=5_000_000)
    parser.add_argument("--channels", type=int, default=2000)
    parser.add_argument("--idle-seconds", type=float, default=60.0)
    parser.add_argument("--follow-seconds", type=float, default=30.0)
    parser.add_argument("--per-second", type=int, default=50)
    asked = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="rvb") as place,
        synthetic_node(Path(place), asked.forwards, asked.channels) as node,
        daemon_beside(Path(place)) as daemon,
    ):
        control = ControlClient(Path(place) / "control", timeout=60)
        began = time.monotonic()
        _until_hydrated(control)
        _say(
            "hydration", forwards=asked.forwards, wall_s=round(time.monotonic() - began, 1), peak_mb=peak_mb(daemon.pid)
        )
        control.call("revenue-run", {"cycle": "flow"})
        for method, params in (
            ("revenue-dashboard", {}),
            ("revenue-dashboard", {"window_days": 365}),
            ("revenue-flow", {}),
            ("revenue-channels", {}),
            ("revenue-peers", {}),
            ("revenue-status", {}),
        ):
            _say("report", method=method, params=params, median_ms=_median_ms(control, method, params))
        _say("flow_cycle", channels=asked.channels, took_ms=control.call("revenue-run", {"cycle": "flow"})["took_ms"])
        _idle(daemon, asked.idle_seconds)
        _follow(node, daemon, Path(place), asked)


def _until_hydrated(control: ControlClient) -> None:
    deadline = time.monotonic() + 1800
    while time.monotonic() < deadline:
        time.sleep(1.0)
        try:
            if control.call("revenue-status", {})["ingest"]["hydrated_at"] is not None:
                return
        except Exception as error:  # noqa: BLE001 (whatever it is, the daemon is not there yet)
            print(json.dumps({"waiting": str(error)[:80]}))
    raise SystemExit("not hydrated in time")


def _median_ms(control: ControlClient, method: str, params: dict[str, Any]) -> float:
    times = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        control.call(method, params)
        times.append(1000 * (time.perf_counter() - began))
    return round(statistics.median(times), 1)


def _idle(daemon: "subprocess.Popen[bytes]", seconds: float) -> None:
    before = cpu_seconds(daemon.pid)
    time.sleep(seconds)
    resident = next(
        line for line in Path(f"/proc/{daemon.pid}/status").read_text().splitlines() if line.startswith("VmRSS")
    )
    share = (cpu_seconds(daemon.pid) - before) / seconds
    _say("idle", core_share=round(share, 4), resident_mb=round(int(resident.split()[1]) / 1024, 1))


def _follow(node: "subprocess.Popen[str]", daemon: "subprocess.Popen[bytes]", place: Path, asked: Any) -> None:
    """Let forwards settle at a steady rate; measure the daemon's CPU and how late each row is there."""
    assert node.stdin is not None
    database = sqlite3.connect(f"file:{place / 'state' / 'revenued.db'}?mode=ro", uri=True)
    before, began = cpu_seconds(daemon.pid), time.monotonic()
    sent, late = asked.forwards, []
    while time.monotonic() - began < asked.follow_seconds:
        at = time.monotonic()
        node.stdin.write(f"{asked.per_second // 5} {datetime.now(UTC).timestamp()}\n")
        node.stdin.flush()
        sent += asked.per_second // 5
        while database.execute("SELECT created_index FROM ingest_cursor").fetchone()[0] < sent:
            if time.monotonic() - at > 10:
                raise SystemExit("a forward did not arrive within 10 s")
            time.sleep(0.01)
        late.append(time.monotonic() - at)
        time.sleep(max(0.0, 0.2 - (time.monotonic() - at)))
    elapsed = time.monotonic() - began
    _say(
        "follow",
        per_second=round((sent - asked.forwards) / elapsed, 1),
        core_share=round((cpu_seconds(daemon.pid) - before) / elapsed, 3),
        visible_after_s={"median": round(statistics.median(late), 3), "worst": round(max(late), 3)},
    )


def _say(what: str, **figures: Any) -> None:
    print(json.dumps({"benchmark": "standing", "figure": what, **figures}), flush=True)


if __name__ == "__main__":
    main()
