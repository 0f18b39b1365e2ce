"""Looks for forwards that the node deleted while we were away, among its channel moves, which it never deletes."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from revenued.clock import to_micros
from revenued.flow.recovery import LATEST, unaccounted
from revenued.log import get as logger
from revenued.model import Forward, ForwardStatus, RoutedMove
from revenued.node.interface import Node
from revenued.store.engine import Store
from revenued.store.forwards import read_cursor, write_cursor
from revenued.store.recovered import add_recovered, ends_of, mark_gone, offered_indexes, settled_since

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
    with store.read() as connection:
        under_way = offered_indexes(connection)
    # Before the moves are read: what settles and is deleted only now would else be gone without a trace.
    gone = [index for index in under_way if not stopping() and not is_listed(node, index)]
    moves = _moves_since(node, start - LATEST, stopping)
    with store.read() as connection:
        cursor = read_cursor(connection)
    assert cursor is not None, "there is nothing to recover before the first ingest"
    # After the moves were read: what has settled meanwhile is no loss, the next ingest brings it.
    coming = list(_settled_after(node, cursor.updated_index, stopping))
    if stopping():
        return None
    with store.read() as connection:
        known = [*settled_since(connection, start - LATEST), *ends_of(connection, coming)]
    lost = [forward for forward in unaccounted(moves, known) if forward.moved_at >= to_micros(start)]
    with store.write() as connection:
        settled = add_recovered(connection, lost, gone=gone)
        found = Recovered(settled, gone=mark_gone(connection, gone))
        cursor = read_cursor(connection) or cursor
        write_cursor(connection, replace(cursor, recover_since=None, recovered_count=cursor.recovered_count + settled))
    say = logger().warning if settled or found.gone else logger().debug
    say("deleted_forwards_looked_for", recovered=settled, gone=found.gone, since=since.isoformat())
    return found


def _settled_after(node: Node, updated_index: int, stopping: Callable[[], bool]) -> Iterator[Forward]:
    while not stopping():
        page = node.forwards("updated", start=updated_index + 1, limit=PAGE)
        yield from (row for row in page.forwards if row.status == ForwardStatus.SETTLED)
        if page.last_index is None or page.last_index <= updated_index:
            break
        updated_index = page.last_index


def _moves_since(node: Node, instant: datetime, stopping: Callable[[], bool]) -> list[RoutedMove]:
    moves: list[RoutedMove] = []
    if not node.capabilities().has("listchannelmoves"):
        return moves
    index = _first_move_after(node, instant)
    while not stopping():
        page = node.routed_moves(start=index, limit=PAGE)
        moves.extend(page.routed)
        if page.last_index is None:
            break
        index = page.last_index + 1
    return moves


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


def is_listed(node: Node, created_index: int) -> bool:
    """The node still has a row with this created index."""
    page = node.forwards("created", start=created_index, limit=1)
    return page.last_index == created_index
