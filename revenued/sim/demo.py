"""`make demo`: a simulated node, the real daemon beside it, some weeks in under a minute, and what came of it."""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from revenued.clock import FastClock
from revenued.control.client import ControlClient
from revenued.control.protocol import MethodError
from revenued.errors import RevenuedError

HISTORY_DAYS = 14
SPEED_AFTERWARDS = 60.0
PATIENCE_SECONDS = 30.0
LEARNABLE_OPTIONS = {"dry_run": False, "min_fee_ppm": 1}


def main() -> None:
    """Run the demonstration; exits 1 with a reason when a part of it does not start."""
    asked = _arguments()
    console = Console()
    place = Path(tempfile.mkdtemp(prefix="revenued-demo-"))
    now = datetime.now(UTC)
    clock = FastClock(
        zero=time.time() + 2.0,
        start=now,
        fast=asked.days * 86_400 / asked.seconds,
        fast_for=asked.seconds,
        after=SPEED_AFTERWARDS,
    )
    console.print(
        f"A simulated node with {asked.channels} channels and {HISTORY_DAYS} days of history, and the real revenued "
        f"beside it.\n{asked.days} days will pass in {asked.seconds:g} seconds. Everything lies in {place}"
    )
    try:
        with _simulated_node(place, clock, asked), _daemon(place, clock):
            _live_through(console, clock, asked, ControlClient(place / "control", timeout=10))
            _show(console, place)
            if asked.keep:
                _keep(console, place)
    except RevenuedError as trouble:
        console.print(f"the demo did not get to its end: {trouble}", style="red")
        console.print(_last_words(place))
        sys.exit(1)
    finally:
        if not asked.keep:
            shutil.rmtree(place, ignore_errors=True)


def _arguments() -> Any:
    parser = argparse.ArgumentParser(prog="python -m revenued.sim.demo", description=__doc__)
    parser.add_argument("--days", type=int, default=21, help="days to live through")
    parser.add_argument("--seconds", type=float, default=40.0, help="real time that they take")
    parser.add_argument("--channels", type=int, default=12)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--keep", action="store_true", help="go on running, to be looked at with revenuectl")
    return parser.parse_args()


@contextmanager
def _simulated_node(place: Path, clock: FastClock, asked: Any) -> Iterator[None]:
    command = [
        sys.executable, "-m", "revenued.sim.rpc", "--socket", str(place / "lightning-rpc"), "--seed", str(asked.seed),
        "--clock", clock.to_text(), "--channels", str(asked.channels), "--history-days", str(HISTORY_DAYS),
    ]  # fmt: skip
    with _process(command, place / "node.log"):
        _wait_for(place / "lightning-rpc", "the simulated node")
        yield


@contextmanager
def _daemon(place: Path, clock: FastClock) -> Iterator[None]:
    command = [
        sys.executable, "-m", "revenued.daemon", "run", "--rpc", str(place / "lightning-rpc"), "--state-dir",
        str(place / "state"), "--control", str(place / "control"), "--fast-clock", clock.to_text(),
    ]  # fmt: skip
    with _process(command, place / "revenued.log"):
        _wait_for(place / "control", "revenued")
        yield


@contextmanager
def _process(command: list[str], log: Path) -> Iterator[None]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("REVENUED_")}
    with log.open("w") as written:
        running = subprocess.Popen(command, stdout=written, stderr=written, env=environment)  # noqa: S603 (our own programs)
        try:
            yield
        finally:
            running.terminate()
            try:
                running.wait(timeout=5)
            except subprocess.TimeoutExpired:
                running.kill()
                running.wait()


def _wait_for(socket: Path, what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not socket.exists():
        if time.monotonic() > deadline:
            raise RevenuedError(f"{what} did not come up within {PATIENCE_SECONDS:g} s")
        time.sleep(0.05)


def _live_through(console: Console, clock: FastClock, asked: Any, daemon: ControlClient) -> None:
    daemon.call("revenue-config", {"action": "set", "values": LEARNABLE_OPTIONS})
    end = clock.start + timedelta(days=asked.days)
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[earned]}"))
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("the first day", total=asked.days * 86_400, earned="")
        while (now := clock.now()) < end:
            passed = max(timedelta(), now - clock.start)
            try:
                period = daemon.call("revenue-dashboard", {"window_days": asked.days})["period"]
                earned = f"{period['total_forwards']:,} forwards, {period['gross_revenue_sats']:,} sat earned"
            except MethodError as refusal:
                earned = str(refusal)
            progress.update(
                task,
                completed=passed.total_seconds(),
                description=f"day {passed.days + 1} of {asked.days}",
                earned=earned,
            )
            time.sleep(0.5)
        progress.update(task, completed=asked.days * 86_400)


def _show(console: Console, place: Path) -> None:
    control = ControlClient(place / "control", timeout=10)
    changed = control.call("revenue-fees-history", {"limit": 1000})["changes"]
    counted: dict[str, int] = {}
    for change in changed:
        if change["kind"] == "broadcast" and change["scid"] is not None:
            counted[change["scid"]] = counted.get(change["scid"], 0) + 1
    commands = [["dashboard"]]
    if counted:
        commands.append(["fees", "explain", max(counted, key=lambda scid: counted[scid])])
    for command in commands:
        console.print(f"\n[bold]$ revenuectl {' '.join(command)}[/bold]")
        sys.stdout.flush()
        _revenuectl(place, command)


def _revenuectl(place: Path, command: list[str]) -> None:
    started = [sys.executable, "-m", "revenued.cli", "--control", str(place / "control"), *command]
    if subprocess.run(started, check=False).returncode != 0:  # noqa: S603 (our own program)
        raise RevenuedError(f"revenuectl {' '.join(command)} failed")


def _keep(console: Console, place: Path) -> None:
    console.print(
        f"\nStill running, {SPEED_AFTERWARDS:g} times as fast as real time. In another terminal:\n"
        f"  export REVENUED_CONTROL={place / 'control'}\n"
        f"  {Path(sys.executable).parent / 'revenuectl'} status\n"
        "Ctrl-C ends it."
    )
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        console.print("stopped")
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _last_words(place: Path) -> str:
    logs = (place / "revenued.log", place / "node.log")
    return "\n".join(f"{log.name}: {log.read_text()[-1500:]}" for log in logs if log.exists())


if __name__ == "__main__":
    main()
