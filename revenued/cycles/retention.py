"""The retention cycle: what is old goes, what is summed stays."""

from revenued.cycles.context import CycleContext
from revenued.cycles.run import Summary
from revenued.store.retention import prune


def retention_cycle(context: CycleContext, _cycle_key: int) -> Summary:
    """Delete rows older than their retention; return how many of each table."""
    settings = context.settings
    gone = prune(
        context.store,
        now=context.now(),
        forwards_days=settings.retention_forwards_days,
        hours_days=settings.retention_hours_days,
        samples_days=settings.retention_samples_days,
        cycles_days=settings.retention_cycles_days,
        stopped=context.stopping,
    )
    return {f"{table}_deleted": count for table, count in gone.items()}
