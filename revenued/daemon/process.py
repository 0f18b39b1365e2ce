"""One daemon from start to stop: built in order, taken down in reverse, clean at any moment."""

import fcntl
import gc
import os
import random
import secrets
import signal
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from types import FrameType
from typing import TextIO

from sqlalchemy.exc import SQLAlchemyError

from revenued import __version__
from revenued.clock import Clock
from revenued.config import FileConfig, environment_layer, read_file
from revenued.control.server import ControlServer
from revenued.cycles.run import CycleResult
from revenued.daemon.board import SettingsBoard
from revenued.daemon.commands import MUTATING, methods, settings_changed
from revenued.daemon.house import CYCLES, House
from revenued.daemon.ingester import Ingester
from revenued.daemon.paths import Paths, prepare_state_dir
from revenued.daemon.progress import HydrationProgress
from revenued.daemon.schedule import Schedule
from revenued.daemon.systemd import Notifier
from revenued.errors import NodeError, RevenuedError, StartError
from revenued.log import get as logger
from revenued.node.cln import ClnNode
from revenued.store.cyclelog import close_interrupted, newest_cycles
from revenued.store.engine import Store, open_file, open_store
from revenued.store.schema import upgrade

STOP_SECONDS = 1.5
PULSE_SECONDS = 5.0
SIGNAL_SECONDS = 0.5
"""A signal that another thread received is noticed after at most this long."""
RETRY_SECONDS = 120.0
FIRST_RUNS = {"flow": 1.0, "fee": 20.0, "snapshot": 5.0, "retention": 300.0}
"""Seconds after start, for cycles that are due."""


@dataclass(frozen=True, slots=True)
class Start:
    """All that the daemon is started with."""

    paths: Paths
    config: FileConfig
    config_file: Path | None
    environment: Mapping[str, str]
    clock: Clock


def serve(start: Start) -> None:
    """Run until SIGTERM or SIGINT; raises StartError when it cannot start."""
    prepare_state_dir(start.paths.state_dir)
    lock = _lock(start.paths.state_dir)
    notifier = Notifier(start.environment)
    store = open_database(start.paths)
    try:
        backup = upgrade(store, now=start.clock.now(), copies=start.config.store.backups)
        if backup is not None:
            logger().info("schema_upgraded", copy=str(backup))
        with store.write() as connection:
            cut = close_interrupted(connection, now=start.clock.now())
        if cut:
            logger().info("cycles_were_cut_off", count=cut)
        spare_the_collector()
        _run(start, store, notifier)
    finally:
        store.close()
        lock.close()


def spare_the_collector() -> None:
    """Keep what is alive at start out of every later garbage collection, and collect less often.

    History arrives as thousands of small objects that reference counting frees; looking through all modules for each
    few hundred of them costs a tenth of the time of reading it.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def open_database(paths: Paths) -> Store:
    """Return the store that the paths name."""
    return open_store(paths.database_url) if paths.database_url else open_file(paths.state_dir)


def _run(start: Start, store: Store, notifier: Notifier) -> None:
    house, progress = _build(start, store, notifier)
    try:
        info = house.ingester.meet_node()
        if start.clock.speed != 1 and info.network == "bitcoin":
            raise StartError("--fast-clock is for the simulated node; this node is on bitcoin's main network")
    except NodeError as trouble:
        # The node may start later than we do; everything waits for it.
        logger().warning("node_not_reached", reason=str(trouble))
    server = ControlServer(
        start.paths.control_socket, methods(house), group=start.config.control.group, mutating=MUTATING
    )
    signals = _signals()
    server.start()
    try:
        _schedule(house, notifier, progress)
        house.schedule.start()
        house.ingester.start()
        logger().info(
            "daemon_started",
            version=__version__,
            rpc_socket=str(start.paths.rpc_socket),
            database=store.location,
            control_socket=str(start.paths.control_socket),
            dry_run=house.board.bound().settings.dry_run,
        )
        notifier.ready()
        _obey(signals, start, house, notifier)
    finally:
        _stop(house, server, notifier, progress)


def _build(start: Start, store: Store, notifier: Notifier) -> tuple[House, HydrationProgress]:
    node = ClnNode(start.paths.rpc_socket)
    board = SettingsBoard(
        store, start.clock, file=start.config.settings, environment=environment_layer(start.environment)
    )
    schedule = Schedule(start.clock, rng=random.Random(secrets.randbits(64)))  # noqa: S311 (jitter, not a secret)
    progress = HydrationProgress(notifier, terminal=sys.stderr.isatty())

    def look_again() -> None:
        for kind in ("flow", "snapshot"):
            schedule.wake(kind)

    ingester = Ingester(
        node,
        store,
        start.clock,
        bell=node.doorbell,
        on_progress=progress.advance,
        on_hydrated=look_again,
    )
    return House(node, store, start.clock, board, ingester, schedule, started_at=start.clock.now()), progress


def _schedule(house: House, notifier: Notifier, progress: HydrationProgress) -> None:
    """Plan every cycle: at once where it is due, else where it would have run had we not been stopped."""
    now = house.clock.now()
    with house.store.read() as connection:
        newest = newest_cycles(connection)
    for kind in CYCLES:
        interval = _interval(house, kind)
        first = timedelta(seconds=FIRST_RUNS[kind])
        if kind in newest and newest[kind].outcome == "done":
            due = newest[kind].started_at + timedelta(seconds=interval()) - now
            # A clock that once was ahead must not put off a cycle for years.
            first = max(first, min(due, timedelta(seconds=interval())))
        if kind == "flow":
            first = timedelta(seconds=FIRST_RUNS[kind])  # it makes what `channels` and `status` show
        house.schedule.add_cycle(kind, partial(_run_and_retry, house, kind), interval=interval, first=first)

    def beat() -> None:
        if house.schedule.is_lively and house.ingester.is_lively:
            notifier.alive()
        if not progress.is_hydrating:
            notifier.status(_status_line(house))

    watchdog = notifier.watchdog_seconds
    house.schedule.add_pulse(beat, seconds=min(PULSE_SECONDS, watchdog / 3 if watchdog else PULSE_SECONDS))


def _run_and_retry(house: House, kind: str) -> CycleResult:
    """Run a cycle at its time; one that the node or the database kept from running does not wait for its next time."""
    result = house.run_cycle(kind)
    if (result.outcome != "done" or result.summary.get("unfinished")) and not house.stopping.is_set():
        house.schedule.retry(kind, seconds=RETRY_SECONDS)
    return result


def _interval(house: House, kind: str) -> Callable[[], int]:
    return lambda: int(getattr(house.board.bound().settings, f"{kind}_interval"))


def _status_line(house: House) -> str:
    trouble = house.ingester.trouble
    mode = "dry run" if house.board.bound().settings.dry_run else "live"
    return f"{mode}; waiting: {trouble}" if trouble else f"{mode}; following the node"


def _signals() -> "SimpleQueue[int]":
    """Return where signals arrive from now on.

    A handler runs in the middle of anything: whatever takes a lock in it can wait for ever for what it interrupted.
    """
    arrived: SimpleQueue[int] = SimpleQueue()

    def note(number: int, _frame: FrameType | None) -> None:
        arrived.put(number)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, note)
    return arrived


def _obey(signals: "SimpleQueue[int]", start: Start, house: House, notifier: Notifier) -> None:
    """Read the file again at every SIGHUP; return when told to stop."""
    while True:
        try:
            number = signal.Signals(signals.get(timeout=SIGNAL_SECONDS))
        except Empty:
            continue
        if number is not signal.SIGHUP:
            house.stopping.set()
            logger().info("stop_requested", signal=number.name)
            return
        _reload(start, house, notifier)


def _reload(start: Start, house: House, notifier: Notifier) -> None:
    """Read the file again: what is live takes effect, what needs a restart is named; a bad file changes nothing."""
    notifier.reloading()
    try:
        config = read_file(start.config_file) if start.config_file is not None else FileConfig()
        changed = house.board.reload(config.settings)
        settings_changed(house, [(change.key, change.old, change.new) for change in changed], by="SIGHUP")
        for section in ("node", "store", "control", "log"):
            if getattr(config, section) != getattr(start.config, section):
                logger().warning("restart_needed", section=section)
    except RevenuedError as refusal:
        logger().error("reload_refused", reason=str(refusal))
    except SQLAlchemyError as trouble:
        logger().error("reload_refused", reason=f"database: {str(trouble).splitlines()[0]}")
    notifier.ready()


def _stop(house: House, server: ControlServer, notifier: Notifier, progress: HydrationProgress) -> None:
    """Take everything down. What does not end in time is abandoned: every write is one transaction, every price that
    was being set stands in the store as intended, so nothing is lost by not waiting.
    """
    deadline = time.monotonic() + STOP_SECONDS
    notifier.stopping()
    house.stopping.set()
    house.ingester.stop()
    house.schedule.stop()
    server.stop(timeout=0.5)
    idle = house.ingester.join(max(0.0, deadline - time.monotonic()))
    progress.end()  # not before: the page that was being read draws it once more
    while not house.schedule.is_idle and time.monotonic() < deadline:
        time.sleep(0.01)
    idle = idle and house.schedule.is_idle
    logger().info("daemon_stopped", waited_for_all=idle)
    if not idle:
        sys.stderr.flush()
        sys.stdout.flush()
        os._exit(0)  # a thread that waits for a node that does not answer would keep the process for its time-out


def _lock(state_dir: Path) -> TextIO:
    """Hold the state directory for as long as the process lives; raises StartError while another daemon does."""
    path = state_dir / "lock"
    try:
        held = path.open("w")
    except OSError as error:  # left behind by root, mostly
        raise StartError(f"{path}: {error.strerror}; it must be a file that this user may write to") from error
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        held.close()
        raise StartError(f"{state_dir}: another revenued is running with this state directory") from error
    return held
