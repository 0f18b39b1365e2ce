"""What one fee cycle costs: CPU of its own thread, the node's answer time told apart, and every call it makes.

The node is the simulated one, behind its real socket, in another process. Prints one JSON object a scenario:
`cold` (first cycle), `all_admitted` (every channel gets a new price), `quiet` (nothing changes).
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from revenued import log
from revenued.clock import WallClock
from revenued.config import build_settings
from revenued.cycles.context import CycleContext
from revenued.cycles.fee import fee_cycle
from revenued.cycles.run import CycleResult, run_job
from revenued.daemon.process import spare_the_collector
from revenued.node.cln import ClnNode
from revenued.store.engine import Store, open_file
from revenued.store.schema import claim, upgrade
from revenued.units import MICROS_PER_DAY, MICROS_PER_HOUR

FLOW_DAYS = 8


def main() -> None:
    """Run the scenarios and print their figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--channels", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=5, help="of each scenario; the median is printed")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="rvd") as place, (Path(place) / "log").open("w") as said:
        log.configure(level="info", form="json", stream=said)
        store = open_file(Path(place))
        upgrade(store, now=datetime.now(UTC), copies=1)
        with simulated_node(Path(place), asked.channels):
            node = CountedNode(Path(place) / "rpc")
            info = node.info()
            claim(store, node_id=info.node_id, network=info.network, alias=info.alias, now=datetime.now(UTC))
            _print(asked.channels, "cold", [_measure(store, node, info.node_id, min_fee_ppm=1)])
            _fill_traffic(store)
            spare_the_collector()  # as the daemon does
            _measure(store, node, info.node_id, min_fee_ppm=1)
            prices = [100 * (run + 1) for run in range(asked.runs)]
            admitted = [_measure(store, node, info.node_id, min_fee_ppm=price) for price in prices]
            _print(asked.channels, "all_admitted", admitted)
            quiet = [_measure(store, node, info.node_id, min_fee_ppm=prices[-1]) for _ in prices]
            _print(asked.channels, "quiet", quiet)
        store.close()


class CountedNode(ClnNode):
    """The real client, which also counts what it asks."""

    def __init__(self, socket_path: Path) -> None:
        super().__init__(socket_path)
        self.calls: Counter[str] = Counter()

    def _ask(self, method: str, **params: object) -> Any:
        self.calls[method] += 1
        return super()._ask(method, **params)


@contextmanager
def simulated_node(place: Path, channels: int) -> Iterator[None]:
    """Run the simulated node, in which nobody pays, in a process of its own."""
    command = [
        sys.executable, "-m", "revenued.sim.rpc", "--socket", str(place / "rpc"), "--channels", str(channels),
        "--arrivals", "0.001",
    ]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as node:
        assert node.stdout is not None
        node.stdout.readline()
        yield
        node.kill()


def _measure(store: Store, node: CountedNode, node_id: str, *, min_fee_ppm: int) -> dict[str, Any]:
    settings = build_settings(
        {"dry_run": False, "min_fee_ppm": min_fee_ppm, "static_floor_ppm": 0, "max_fee_ppm": 100_000}
    )
    context = CycleContext(
        node=node,
        store=store,
        settings=settings,
        generation=0,
        node_id=node_id,
        paused=False,
        clock=WallClock(),
        stopping=threading.Event().is_set,
    )
    node.calls.clear()
    wall, cpu = time.perf_counter(), time.thread_time()
    result: CycleResult = run_job("fee", fee_cycle, context)
    cpu, wall = time.thread_time() - cpu, time.perf_counter() - wall
    assert result.outcome == "done", result
    return {
        "cpu_s": cpu,
        "wall_s": wall,
        "broadcast": result.summary["broadcast"],
        "calls": dict(node.calls),
    }


def _fill_traffic(store: Store) -> None:
    """Give every channel traffic on each day and in each of the last hours, as a busy node has it."""
    rng = random.Random(1)
    now = int(datetime.now(UTC).timestamp()) * 1_000_000
    names = "in_count, in_msat, out_count, out_msat, earned_msat"
    with store.write() as connection:
        scids = [row[0] for row in connection.exec_driver_sql("SELECT scid FROM channel_scids WHERE kind = 'scid'")]
        for table, period, length, many in (
            ("forward_days", "day_at", MICROS_PER_DAY, FLOW_DAYS),
            ("forward_hours", "hour_at", MICROS_PER_HOUR, 24),
        ):
            rows = [
                (now - now % length - ago * length, scid, *(rng.randrange(1, 10**6) for _ in range(5)))
                for ago in range(many)
                for scid in scids
            ]
            connection.exec_driver_sql(
                f"INSERT INTO {table} ({period}, scid, {names}) VALUES (?, ?, ?, ?, ?, ?, ?)", rows
            )


def _print(channels: int, scenario: str, runs: list[dict[str, Any]]) -> None:
    middle = sorted(runs, key=lambda run: run["cpu_s"])[len(runs) // 2]
    figures = {
        "benchmark": "fee_cycle",
        "scenario": scenario,
        "channels": channels,
        "own_cpu_s": round(middle["cpu_s"], 3),
        "waiting_for_node_and_disk_s": round(middle["wall_s"] - middle["cpu_s"], 3),
        "broadcast": middle["broadcast"],
        "calls": middle["calls"],
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
