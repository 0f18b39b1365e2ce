"""What reading a node's history costs: the real daemon against a synthetic node, beside the bare floor.

The floor is `json.loads` of the same pages plus `sqlite3.executemany` of the same rows, CPU of those two alone. Prints
one JSON object a size. `--stock` also times one plain `LightningRpc.listforwards()` of pyln-client for the same data.
"""

import argparse
import contextlib
import json
import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pyln.client import LightningRpc

from revenued import wire

TICKS = os.sysconf("SC_CLK_TCK")
COLUMNS = (
    "created_index", "updated_index", "in_channel", "in_htlc_id", "in_msat", "out_channel", "out_htlc_id", "out_msat",
    "fee_msat", "status", "failcode", "received_time", "resolved_time",
)  # fmt: skip
PAGE = 2000


def main() -> None:
    """Measure each size and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--forwards", type=int, nargs="+", default=[300_000, 1_000_000, 3_000_000])
    parser.add_argument("--channels", type=int, default=500)
    parser.add_argument("--stock", action="store_true", help="also time pyln-client's own listforwards (slow)")
    asked = parser.parse_args()
    peaks: dict[int, float] = {}
    for forwards in asked.forwards:
        with tempfile.TemporaryDirectory(prefix="rvb") as place, synthetic_node(Path(place), forwards, asked.channels):
            floor = _in_child("floor", Path(place), forwards)
            daemon = hydrate(Path(place), forwards)
            figures: dict[str, Any] = {
                "benchmark": "ingest",
                "forwards": forwards,
                "channels": asked.channels,
                "daemon_cpu_s": round(daemon["cpu_s"], 2),
                "floor_cpu_s": round(floor["cpu_s"], 2),
                "daemon_over_floor": round(daemon["cpu_s"] / floor["cpu_s"], 2),
                "daemon_wall_s": round(daemon["wall_s"], 2),
                "forwards_per_s": round(forwards / daemon["wall_s"]),
                "daemon_peak_mb": round(daemon["peak_mb"], 1),
            }
            peaks[forwards] = daemon["peak_mb"]
            if asked.stock:
                stock = _in_child("stock", Path(place), forwards)
                figures["stock_listforwards_cpu_s"] = round(stock["cpu_s"], 2)
                figures["stock_listforwards_peak_mb"] = round(stock["peak_mb"], 1)
            print(json.dumps(figures), flush=True)
    if len(peaks) > 1:
        small, large = peaks[min(peaks)], peaks[max(peaks)]
        print(json.dumps({"benchmark": "ingest_memory", "largest_over_smallest_peak": round(large / small, 3)}))


@contextlib.contextmanager
def synthetic_node(place: Path, forwards: int, channels: int) -> Iterator["subprocess.Popen[str]"]:
    """Run the synthetic node in a process of its own; its standard input takes `COUNT UNIXTIME` lines."""
    command = [
        sys.executable, "-m", "benchmarks.synthetic_node", "--socket", str(place / "rpc"), "--forwards", str(forwards),
        "--channels", str(channels),
    ]  # fmt: skip
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as node:
        assert node.stdout is not None
        node.stdout.readline()
        yield node
        node.kill()


@contextlib.contextmanager
def daemon_beside(place: Path, *, state: str = "state") -> Iterator["subprocess.Popen[bytes]"]:
    """Run the real daemon beside the node in `place`."""
    command = [
        sys.executable, "-m", "revenued.daemon", "run", "--rpc", str(place / "rpc"), "--state-dir", str(place / state),
        "--control", str(place / "control"),
    ]  # fmt: skip
    with (place / "daemon.log").open("w") as said, subprocess.Popen(command, stdout=said, stderr=said) as daemon:
        yield daemon
        daemon.terminate()


def hydrate(place: Path, forwards: int) -> dict[str, float]:
    """Let a new daemon read all of history; return its CPU, wall time and peak memory."""
    began = time.monotonic()
    with daemon_beside(place) as daemon:
        while not _is_hydrated(place / "state" / "revenued.db", forwards):
            if daemon.poll() is not None or time.monotonic() - began > 900:
                raise RuntimeError((place / "daemon.log").read_text()[-2000:])
            time.sleep(0.1)
        return {"wall_s": time.monotonic() - began, "cpu_s": cpu_seconds(daemon.pid), "peak_mb": peak_mb(daemon.pid)}


def _is_hydrated(database: Path, forwards: int) -> bool:
    with (
        contextlib.suppress(sqlite3.Error),
        contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as db,
    ):
        row = db.execute("SELECT created_index, hydrated_at FROM ingest_cursor").fetchone()
        return row is not None and row[0] >= forwards and row[1] is not None
    return False


def cpu_seconds(pid: int) -> float:
    """Return user and system time of a process so far."""
    after_name = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(after_name[11]) + int(after_name[12])) / TICKS


def peak_mb(pid: int) -> float:
    """Return the largest resident size of a process so far."""
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def _in_child(what: str, place: Path, forwards: int) -> dict[str, float]:
    command = [sys.executable, "-c", f"from benchmarks.ingest import {what}; {what}({str(place)!r}, {forwards})"]
    return dict(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))


def floor(place: str, forwards: int) -> None:
    """Parse the pages and insert the rows, and nothing else; print the CPU of these two."""
    database = sqlite3.connect(Path(place) / "floor.db", isolation_level=None)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute(f"CREATE TABLE forwards ({', '.join(COLUMNS)}, PRIMARY KEY (created_index)) WITHOUT ROWID")
    insert = f"INSERT INTO forwards VALUES ({', '.join('?' * len(COLUMNS))})"
    cpu = 0.0
    for start in range(1, forwards + 1, PAGE):
        params = {"index": "created", "start": start, "limit": PAGE}
        raw = _raw_page(Path(place) / "rpc", params)
        began = time.process_time()
        rows = json.loads(raw)["result"]["forwards"]
        database.execute("BEGIN")
        database.executemany(insert, [tuple([row.get(name) for name in COLUMNS]) for row in rows])
        database.execute("COMMIT")
        cpu += time.process_time() - began
    print(json.dumps({"cpu_s": cpu}))


def _raw_page(path: Path, params: dict[str, Any]) -> bytes:
    deadline = time.monotonic() + 60
    connection = wire.connect(path, deadline=deadline)
    try:
        request = {"jsonrpc": "2.0", "id": 1, "method": "listforwards", "params": params}
        wire.send(connection, wire.encode(request), deadline=deadline)
        return wire.receive(connection, deadline=deadline)
    finally:
        connection.close()


def stock(place: str, _forwards: int) -> None:
    """Ask for everything at once with pyln-client as it is."""
    began = time.process_time()
    LightningRpc(f"{place}/rpc").listforwards()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"cpu_s": time.process_time() - began, "peak_mb": peak}))


if __name__ == "__main__":
    main()
