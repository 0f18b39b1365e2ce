"""All that a running daemon is made of, for the commands that look at it or change it."""

import threading
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.exc import SQLAlchemyError

from revenued.clock import Clock
from revenued.cycles.context import CycleContext
from revenued.cycles.fee import fee_cycle
from revenued.cycles.flow import flow_cycle
from revenued.cycles.retention import retention_cycle
from revenued.cycles.run import CycleFunction, CycleResult, run_job
from revenued.cycles.snapshot import snapshot_cycle
from revenued.daemon.board import SettingsBoard
from revenued.daemon.ingester import Ingester
from revenued.daemon.schedule import Schedule
from revenued.errors import CycleSkipped
from revenued.log import get as logger
from revenued.model import ChannelList
from revenued.node.interface import Node
from revenued.store.engine import Store
from revenued.store.settings import read_switch

CYCLES: dict[str, CycleFunction] = {
    "flow": flow_cycle,
    "fee": fee_cycle,
    "snapshot": snapshot_cycle,
    "retention": retention_cycle,
}
PAUSED = "paused"


@dataclass(slots=True)
class House:
    """The parts of one daemon."""

    node: Node
    store: Store
    clock: Clock
    board: SettingsBoard
    ingester: Ingester
    schedule: Schedule
    started_at: datetime
    stopping: threading.Event = field(default_factory=threading.Event)
    paused: bool = False
    """The operator has paused since we started. Set by the command alone: a cycle that read the switch a moment earlier
    must not take it back.
    """
    last_look: ChannelList | None = None
    """The channels as a cycle last saw them."""
    last_look_at: datetime | None = None
    last_results: dict[str, CycleResult] = field(default_factory=dict)
    """How each cycle ended last, also where the database could not take it down."""

    def run_cycle(self, kind: str) -> CycleResult:
        """Run one cycle now, in this thread, under the settings in force."""
        bound = self.board.bound()
        try:
            with self.store.read() as connection:
                paused = read_switch(connection, PAUSED)
        except SQLAlchemyError as trouble:
            reason = f"database: {str(trouble).splitlines()[0]}"
            logger().error("cycle_failed", cycle=kind, reason=reason)
            self.last_results[kind] = CycleResult(kind, "failed", reason, 0, {}, recorded=False)
            return self.last_results[kind]
        context = CycleContext(
            node=self.node,
            store=self.store,
            settings=bound.settings,
            generation=bound.generation,
            node_id=self.ingester.node_id or "",
            paused=paused,
            clock=self.clock,
            stopping=self.stopping.is_set,
            halted=self._halted,
            seen=self._remember,
        )
        before = self.last_results.get(kind)
        self.last_results[kind] = run_job(
            kind, self._after_meeting(CYCLES[kind]), context, said=before.reason if before is not None else None
        )
        return self.last_results[kind]

    def _halted(self) -> str | None:
        if self.stopping.is_set():
            return "the daemon was asked to stop"
        if self.paused:
            return "paused by the operator"
        return "dry run was turned on" if self.board.bound().settings.dry_run else None

    def _remember(self, listed: ChannelList) -> None:
        said = self.last_look.skipped if self.last_look is not None else ()
        for skipped in listed.skipped:
            if skipped not in said:
                logger().warning("channel_unreadable", what=skipped.what, why=skipped.why)
        self.last_look, self.last_look_at = listed, self.clock.now()

    def _after_meeting(self, cycle: CycleFunction) -> CycleFunction:
        """A database that belongs to no node yet takes nothing in before the node was met."""

        def checked(context: CycleContext, key: int) -> dict[str, object]:
            if not context.node_id:
                raise CycleSkipped(f"node: not reached yet ({self.ingester.trouble or 'still connecting'})")
            return cycle(context, key)

        return checked
