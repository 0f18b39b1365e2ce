"""When cycles run: APScheduler with one thread for everything that writes, and intervals that follow the settings."""

import random
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from concurrent.futures import ThreadPoolExecutor as Pool
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from apscheduler.executors.pool import BasePoolExecutor, ThreadPoolExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger

from revenued.clock import Clock
from revenued.cycles.run import CycleResult

CYCLES = "cycles"
PULSE = "pulse"
JITTER = 0.05
"""Share of the interval by which runs are spread, so that not every node acts on the full hour."""

LONGEST_CYCLE_SECONDS = 900.0
"""A cycle that runs longer is stuck, and the watchdog should end it."""

TOO_LATE = CycleResult("", "skipped", "the daemon is stopping", 0, {}, recorded=False)


class OneThread(BasePoolExecutor):  # type: ignore[misc]  # APScheduler is not typed
    """Runs jobs in a pool that others use too."""

    def __init__(self, pool: Pool) -> None:
        super().__init__(pool)


class CycleTrigger(BaseTrigger):  # type: ignore[misc]  # APScheduler is not typed
    """Fires `interval()` seconds of the daemon's clock after the last time, give or take the jitter."""

    def __init__(self, interval: Callable[[], int], clock: Clock, rng: random.Random) -> None:
        self._interval, self._clock, self._rng = interval, clock, rng

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime:
        """Return the next real time to fire."""
        spread = 1.0 + JITTER * (self._rng.random() - 0.5)
        wait = timedelta(seconds=max(0.005, self._interval() * spread / self._clock.speed))
        return (previous or now) + wait


class Schedule:
    """Wakes the cycles and tells whether they make progress."""

    def __init__(self, clock: Clock, *, rng: random.Random) -> None:
        self._clock, self._rng = clock, rng
        self._cycles = Pool(1, thread_name_prefix=CYCLES)
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={CYCLES: OneThread(self._cycles), PULSE: ThreadPoolExecutor(1)},
            job_defaults={"coalesce": True, "misfire_grace_time": None, "max_instances": 1},
        )
        self._intervals: dict[str, Callable[[], int]] = {}
        self._running_since: float | None = None
        self._stopped = False

    def add_cycle(
        self, kind: str, run: Callable[[], CycleResult], *, interval: Callable[[], int], first: timedelta
    ) -> None:
        """Run a cycle every `interval()` seconds, for the first time after `first` on the daemon's clock."""
        self._intervals[kind] = interval
        self._scheduler.add_job(
            self._watched(run),
            CycleTrigger(interval, self._clock, self._rng),
            id=kind,
            executor=CYCLES,
            next_run_time=datetime.now(UTC) + first / self._clock.speed,
        )

    def add_pulse(self, beat: Callable[[], None], *, seconds: float) -> None:
        """Call `beat` every `seconds` of real time, from a thread that no cycle can block."""
        self._scheduler.add_job(beat, "interval", seconds=seconds, id=PULSE, executor=PULSE)

    def start(self) -> None:
        """Begin."""
        self._scheduler.start()

    def stop(self) -> None:
        """Start no more cycles, nor those that wait for their turn; does not wait for the one that runs."""
        self._stopped = True
        self._scheduler.shutdown(wait=False)

    def follow_settings(self, kinds: Iterable[str]) -> None:
        """Let the changed intervals of these cycles count from now, not only after the run that is already planned.

        Other cycles keep their plan: tuning one interval every hour must not put off the daily snapshot for ever.
        """
        for kind in kinds:
            trigger = CycleTrigger(self._intervals[kind], self._clock, self._rng)
            with suppress(JobLookupError):  # stopped meanwhile
                self._scheduler.reschedule_job(kind, trigger=trigger)

    def retry(self, kind: str, *, seconds: float) -> None:
        """Run a cycle again after `seconds` on the daemon's clock, if it is not planned for earlier."""
        soon = datetime.now(UTC) + timedelta(seconds=seconds / self._clock.speed)
        job = self._scheduler.get_job(kind)
        if job is not None and job.next_run_time is not None and job.next_run_time > soon:
            with suppress(JobLookupError):  # stopped meanwhile
                self._scheduler.modify_job(kind, next_run_time=soon)

    def wake(self, kind: str) -> None:
        """Run a cycle as soon as the thread is free."""
        with suppress(JobLookupError):  # stopped meanwhile
            self._scheduler.modify_job(kind, next_run_time=datetime.now(UTC))

    def run_once(self, run: Callable[[], CycleResult]) -> "Future[CycleResult]":
        """Run something on the cycles' thread, after what is running; the future has its result."""
        try:
            return self._cycles.submit(self._watched(run))
        except RuntimeError:  # the pool is shut down
            too_late: Future[CycleResult] = Future()
            too_late.set_result(TOO_LATE)
            return too_late

    def next_runs(self) -> Mapping[str, datetime | None]:
        """Return kind → when it runs next, on the daemon's clock."""
        real, shown = datetime.now(UTC), self._clock.now()
        runs: dict[str, datetime | None] = {}
        for kind in self._intervals:
            job = self._scheduler.get_job(kind)
            next_run = job.next_run_time if job is not None else None
            runs[kind] = shown + (next_run - real) * self._clock.speed if next_run is not None else None
        return runs

    @property
    def is_lively(self) -> bool:
        """No cycle has been running for too long."""
        since = self._running_since
        return since is None or time.monotonic() - since < LONGEST_CYCLE_SECONDS

    @property
    def is_idle(self) -> bool:
        """No cycle is running."""
        return self._running_since is None

    def _watched(self, run: Callable[[], CycleResult]) -> Callable[[], CycleResult]:
        def watched() -> CycleResult:
            if self._stopped:
                return TOO_LATE
            self._running_since = time.monotonic()
            try:
                return run()
            finally:
                self._running_since = None

        return watched
