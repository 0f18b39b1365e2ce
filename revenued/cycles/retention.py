"""The retention cycle: what is old goes, what is summed stays."""

import time

from revenued.cycles.context import CycleContext
from revenued.cycles.run import Summary
from revenued.store.retention import prune

LONGEST_SECONDS = 20.0
"""Prices wait while rows are deleted, so it is done in turns."""


def retention_cycle(context: CycleContext, _cycle_key: int) -> Summary:
    """Delete rows older than their retention; return how many of each table, and whether a next turn is needed."""
    settings = context.settings
    deadline = time.monotonic() + LONGEST_SECONDS
    gone = prune(
        context.store,
        now=context.now(),
        forwards_days=settings.retention_forwards_days,
        hours_days=settings.retention_hours_days,
        samples_days=settings.retention_samples_days,
        cycles_days=settings.retention_cycles_days,
        stopped=lambda: context.stopping() or time.monotonic() > deadline,
    )
    return {f"{table}_deleted": count for table, count in gone.items()} | {"unfinished": time.monotonic() > deadline}
