"""Runs one cycle so that whatever happens in it ends there, is recorded, and is said in words."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from revenued import log
from revenued.cycles.context import CycleContext
from revenued.errors import CycleSkipped, NodeError, RevenuedError
from revenued.store.cyclelog import begin_cycle, end_cycle

Summary = dict[str, Any]
CycleFunction = Callable[[CycleContext, int], Summary]


@dataclass(frozen=True, slots=True)
class CycleResult:
    """How one cycle ended."""

    kind: str
    outcome: str  # done | skipped | failed
    reason: str | None
    took_ms: int
    summary: Mapping[str, Any]
    recorded: bool = True
    """The store has taken it down."""


def run_job(kind: str, cycle: CycleFunction, context: CycleContext, *, said: str | None = None) -> CycleResult:
    """Run `cycle`, record how it went, and return that; never raises.

    `said` is the reason that the cycle before gave: the same again is worth a line only to whoever looks for it.
    """
    started = time.monotonic()
    events = log.get(cycle=kind, generation=context.generation)
    key: int | None = None
    summary: Summary = {}
    outcome, reason = "done", None
    try:
        with context.store.write() as connection:
            key = begin_cycle(connection, kind, generation=context.generation, now=context.now())
        summary = cycle(context, key)
    except CycleSkipped as skipped:
        outcome, reason = "skipped", str(skipped)
    except NodeError as trouble:
        outcome, reason = "skipped", f"node: {trouble}"
    except SQLAlchemyError as trouble:
        outcome, reason = "failed", f"database: {_first_line(trouble)}"
        events.error("cycle_failed", reason=reason)
    except RevenuedError as trouble:
        outcome, reason = "failed", str(trouble)
        events.error("cycle_failed", reason=reason)
    except Exception as defect:  # noqa: BLE001 (the one place where a defect ends, so that the next cycle runs)
        outcome, reason = "failed", f"defect: {type(defect).__name__}; the log has the details"
        events.error("cycle_failed", exc_info=True)
    took_ms = round((time.monotonic() - started) * 1000)
    recorded = key is not None and _record_end(context, key, outcome, reason, summary)
    tell = events.debug if outcome == "skipped" and reason == said else events.info
    tell("cycle_ended", outcome=outcome, reason=reason, took_ms=took_ms, **summary)
    return CycleResult(kind, outcome, reason, took_ms, summary, recorded)


def _record_end(context: CycleContext, key: int, outcome: str, reason: str | None, summary: Summary) -> bool:
    try:
        with context.store.write() as connection:
            end_cycle(connection, key, outcome=outcome, reason=reason, summary=summary, now=context.now())
    except SQLAlchemyError as trouble:
        log.get().error("cycle_not_recorded", cycle_key=key, reason=_first_line(trouble))
        return False
    return True


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
