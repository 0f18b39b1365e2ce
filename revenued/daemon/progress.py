"""How far the first reading of history is: a bar on a terminal, `STATUS=` under systemd, an event now and then."""

import time

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from revenued.daemon.systemd import Notifier
from revenued.log import get as logger
from revenued.store.forwards import Cursor

EVERY_SECONDS = 5.0


class HydrationProgress:
    """Shows the first reading of history; silent once it is done."""

    def __init__(self, notifier: Notifier, *, terminal: bool) -> None:
        self._notifier = notifier
        self._terminal = terminal
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._said_at = 0.0
        self.is_hydrating = False

    def advance(self, cursor: Cursor) -> None:
        """Take in how far reading has come."""
        self.is_hydrating = cursor.hydrated_at is None
        if not self.is_hydrating or cursor.target_index == 0:
            self.end()
            return
        if self._terminal:
            self._draw(cursor)
        if time.monotonic() - self._said_at >= EVERY_SECONDS:
            self._said_at = time.monotonic()
            share = min(1.0, cursor.created_index / cursor.target_index)
            self._notifier.status(f"reading history: {share:.0%} of {cursor.target_index} forwards")
            if not self._terminal:
                logger().info("reading_history", created_index=cursor.created_index, of=cursor.target_index)

    def end(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def _draw(self, cursor: Cursor) -> None:
        if self._bar is None:
            self._bar = Progress(
                TextColumn("reading history"),
                BarColumn(),
                TextColumn("{task.completed:,.0f} of {task.total:,.0f} forwards"),
                TimeRemainingColumn(),
                console=Console(stderr=True),
            )
            self._task = self._bar.add_task("history", total=cursor.target_index)
            self._bar.start()
        assert self._task is not None, "made together with the bar"
        self._bar.update(self._task, completed=min(cursor.created_index, cursor.target_index))
