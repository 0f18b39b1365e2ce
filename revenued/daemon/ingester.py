"""The thread that follows the node: reads history once, then sleeps on the doorbell and reads what is new."""

import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from sqlalchemy.exc import SQLAlchemyError

from revenued.clock import Clock
from revenued.cycles.history import accept_history
from revenued.cycles.ingest import Ingested, ingest_forwards
from revenued.cycles.recover import recover_forwards
from revenued.cycles.verify import Verified, verify_forwards
from revenued.errors import DatabaseError, IngestStopped, NodeError, NodeNonsense, NodeNotAsked, NodeRefused
from revenued.log import get as logger
from revenued.model import NodeInfo
from revenued.node.interface import Node
from revenued.store.channels import record_channels, record_closed
from revenued.store.engine import Store
from revenued.store.forwards import Cursor, read_cursor
from revenued.store.schema import claim

RING_SECONDS = 30.0
"""A look at the counters at least this often, should a doorbell ever be lost."""

GATHER_SECONDS = 0.2
"""After the first ring others are given this long to join, so that a burst is one transaction."""

FIRST_RETRY_SECONDS = 0.5
LONGEST_RETRY_SECONDS = 10.0
LIVELY_SECONDS = 300.0


class Bell(Protocol):
    """What wakes the ingester."""

    def ring(self, created: int, updated: int, timeout: float) -> bool:
        """Return True when there is something new."""
        ...

    def close(self) -> None:
        """End a ring from another thread."""
        ...


class Ingester:
    """Keeps the store's forwards equal to the node's, from a thread of its own."""

    def __init__(
        self,
        node: Node,
        store: Store,
        clock: Clock,
        *,
        bell: Callable[[], Bell],
        on_progress: Callable[[Cursor], None],
        on_hydrated: Callable[[], None],
    ) -> None:
        self._node, self._store, self._clock = node, store, clock
        self._make_bell = bell
        self._on_progress = on_progress
        self._on_hydrated = on_hydrated
        self._one_at_a_time = threading.Lock()
        self._stopping = threading.Event()
        self._bell: Bell | None = None
        self._beat = time.monotonic()
        self.node_id: str | None = None
        self.info: NodeInfo | None = None
        """What the node last said of itself."""
        self.answered_at: datetime | None = None
        self.trouble: str | None = None
        """Why forwards are not being read; None while they are."""
        self.unreachable: str | None = None
        """Why the node gives no answer; None while it does, whether or not its forwards can be read."""
        self._not_recovered: str | None = None
        self._thread = threading.Thread(target=self._follow, name="ingest", daemon=True)

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def stop(self) -> None:
        """End within the current page; does not wait."""
        self._stopping.set()
        if self._bell is not None:
            self._bell.close()

    def join(self, timeout: float) -> bool:
        """Wait for the thread; return whether it ended."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    @property
    def is_lively(self) -> bool:
        """The thread has moved not long ago."""
        return time.monotonic() - self._beat < LIVELY_SECONDS

    def _moving_on(self) -> bool:
        """Ask whether to stop, between two pages; having come that far is a sign of life."""
        self._beat = time.monotonic()
        return self._stopping.is_set()

    def meet_node(self) -> NodeInfo:
        """Ask the node who it is, and note at the first time that this database is its; raises DatabaseError."""
        info = self._node.info()
        claim(self._store, node_id=info.node_id, network=info.network, alias=info.alias, now=self._clock.now())
        self.node_id, self.info, self.answered_at = info.node_id, info, self._clock.now()
        if self.unreachable is not None:
            logger().info("node_reached", version=info.version, blockheight=info.blockheight)
        self.unreachable = None
        return info

    def run_now(self, *, compare_newest: bool = False) -> Ingested:
        """Read what is new, in the caller's thread; raises NodeError, IngestStopped, DatabaseError."""
        with self._one_at_a_time:
            if self.node_id is None:
                self.meet_node()
            assert self.node_id is not None, "set by meet_node"
            with self._store.read() as connection:
                cursor = read_cursor(connection)
            if cursor is None:
                self._name_channels()
            was_hydrated = cursor is not None and cursor.hydrated_at is not None
            done = ingest_forwards(
                self._node,
                self._store,
                node_id=self.node_id,
                now=self._clock.now,
                stopping=self._moving_on,
                progress=self._progressed,
                compare_newest=compare_newest,
            )
            if done.caught_up and done.cursor is not None and done.cursor.recover_since is not None:
                self._recover(done.cursor.recover_since)
        self.trouble = None
        self.info, self.answered_at = done.info, self._clock.now()
        if done.caught_up and not was_hydrated:
            logger().info(
                "history_read", forwards=done.inserted, missing=done.cursor.missing_count if done.cursor else 0
            )
            self._on_hydrated()
        return done

    def verify(self, *, repair: bool) -> Verified:
        """Read what is new, then hold all of the node's forwards against ours, in the caller's thread."""
        self.run_now()
        with self._one_at_a_time:
            return verify_forwards(
                self._node,
                self._store,
                repair=repair,
                stopping=self._moving_on,
            )

    def accept_history(self) -> int:
        """Go on with a history that does not continue ours; return how many rows of ours it has replaced."""
        with self._one_at_a_time:
            if self.node_id is None:
                self.meet_node()
            replaced = accept_history(self._node, self._store)
        self.trouble = None
        return replaced

    def _recover(self, since: datetime) -> None:
        """Look for what the node deleted; a node that cannot tell is asked again at the next reading."""
        try:
            # A channel that was opened or spliced while we were away has forwards, and no name here yet.
            self._name_channels()
            recover_forwards(self._node, self._store, since=since, stopping=self._moving_on)
        except (NodeRefused, NodeNonsense) as trouble:
            if str(trouble) != self._not_recovered:
                logger().warning("deleted_forwards_not_looked_for", reason=str(trouble))
            self._not_recovered = str(trouble)
        else:
            self._not_recovered = None

    def _name_channels(self) -> None:
        """Note all channels, also forgotten ones, before their forwards: only what is ours is counted as ours."""
        listed = self._node.channels()
        closed, _ = self._node.closed_channels()
        now = self._clock.now()
        with self._store.write() as connection:
            record_channels(connection, listed.channels, now=now)
            record_closed(connection, closed, now=now)

    def _progressed(self, cursor: Cursor) -> None:
        self._beat = time.monotonic()
        self._on_progress(cursor)

    def _follow(self) -> None:
        try:
            self._follow_until_stopped()
        finally:
            if not self._stopping.is_set():  # said here, because nobody else learns that this thread is gone
                self.trouble = "stopped by a defect; the log has the details"

    def _follow_until_stopped(self) -> None:
        retry = FIRST_RETRY_SECONDS
        while not self._stopping.is_set():
            self._beat = time.monotonic()
            try:
                self.meet_node()
                self._follow_connected()
                continue
            except NodeNotAsked as pause:
                trouble = self.trouble or str(pause)
            except NodeError as error:
                trouble = self.unreachable = str(error)
            except (IngestStopped, DatabaseError) as error:
                trouble = str(error)
            except SQLAlchemyError as error:
                trouble = f"database: {str(error).splitlines()[0]}"
            if self.trouble is None:  # it has worked since the last time
                retry = FIRST_RETRY_SECONDS
            self._complain(trouble)
            if self._stopping.wait(retry):
                break
            retry = min(LONGEST_RETRY_SECONDS, retry * 2)

    def _follow_connected(self) -> None:
        """Read and wait in turn until the node is lost or we stop."""
        bell = self._bell = self._make_bell()
        try:
            self.run_now(compare_newest=True)
            while not self._stopping.is_set():
                self._beat = time.monotonic()
                done = self.run_now()
                if not done.caught_up or done.cursor is None:
                    continue
                created = max(done.created_counter, done.cursor.created_index)
                updated = max(done.updated_counter, done.cursor.updated_index)
                if bell.ring(created, updated, RING_SECONDS):
                    self._stopping.wait(GATHER_SECONDS / self._clock.speed)
        finally:
            bell.close()

    def _complain(self, trouble: str) -> None:
        if trouble != self.trouble and not self._stopping.is_set():
            logger().warning("ingest_waits", reason=trouble)
        self.trouble = trouble
