"""Looks for forwards that the node deleted while we were away, among its channel moves, which it never deletes."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from revenued.clock import to_micros
from revenued.flow.recovery import not_stored, paired
from revenued.log import get as logger
from revenued.model import RoutedMove
from revenued.node.interface import Node
from revenued.store.engine import Store
from revenued.store.forwards import read_cursor, write_cursor
from revenued.store.recovered import add_recovered, mark_gone, offered_indexes, settled_since

PAGE = 5000
OVERLAP = timedelta(hours=1)
"""Moves are in the order in which they were written, which is not quite the order of their times."""


@dataclass(frozen=True, slots=True)
class Recovered:
    """What was found."""

    settled: int
    """Forwards that were found again, with their fees."""
    gone: int
    """Forwards that were under way, and of which the node has no trace left."""


def recover_forwards(node: Node, store: Store, *, since: datetime, stopping: Callable[[], bool]) -> Recovered | None:
    """Find what the node deleted since then and note it; None when stopped before the end, so it is done again.

    A node that keeps no channel moves (before v25.09) leaves only the second half: knowing what is gone.
    """
    start = since - OVERLAP
    moves: list[RoutedMove] = []
    if node.capabilities().has("listchannelmoves"):
        index = _first_move_after(node, start)
        while not stopping():
            page = node.routed_moves(start=index, limit=PAGE)
            moves.extend(page.routed)
            if page.last_index is None:
                break
            index = page.last_index + 1
    with store.read() as connection:
        stored = settled_since(connection, start - timedelta(minutes=1))
        under_way = offered_indexes(connection)
    lost = [forward for forward in not_stored(paired(moves), stored) if forward.moved_at >= to_micros(start)]
    gone = [index for index in under_way if not stopping() and not _is_listed(node, index)]
    if stopping():
        return None
    with store.write() as connection:
        settled = add_recovered(connection, lost)
        mark_gone(connection, gone)
        cursor = read_cursor(connection)
        assert cursor is not None, "there is nothing to recover before the first ingest"
        write_cursor(connection, replace(cursor, recover_since=None, recovered_count=cursor.recovered_count + settled))
    logger().warning("deleted_forwards_looked_for", recovered=settled, gone=len(gone), since=since.isoformat())
    return Recovered(settled, len(gone))


def _first_move_after(node: Node, instant: datetime) -> int:
    """Return an index from which on all moves after `instant` stand: doubling steps, then halving them."""
    wanted = to_micros(instant)

    def is_before(index: int) -> bool:
        at = node.routed_moves(start=index, limit=1).first_moved_at
        return at is not None and at < wanted

    low, step = 1, 1
    while is_before(low + step):
        low, step = low + step, step * 2
    while step > 1:
        step //= 2
        if is_before(low + step):
            low += step
    return low


def _is_listed(node: Node, created_index: int) -> bool:
    page = node.forwards("created", start=created_index, limit=1)
    return page.last_index == created_index
