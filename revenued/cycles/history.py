"""Goes on with a node whose history does not continue ours: what it has replaced is kept, under keys of its own."""

from dataclasses import replace

from revenued.errors import SettingError
from revenued.log import get as logger
from revenued.node.interface import Node
from revenued.store.engine import Store
from revenued.store.forwards import is_same_forward, read_cursor, set_aside, write_cursor


def accept_history(node: Node, store: Store) -> int:
    """Find the newest forward that both histories share, set aside ours behind it, and read on from there.

    What is set aside did happen and stays in every sum. Raises SettingError when nothing was wrong, NodeError. Return
    how many rows were set aside.
    """
    with store.read() as connection:
        cursor = read_cursor(connection)
    if cursor is None or cursor.stopped_reason is None:
        raise SettingError("new-history: the node's history continues ours; there is nothing to accept")
    shared = _newest_shared(node, store, min(cursor.created_index, node.forward_counter("created")))
    deleted = node.forward_counter("deleted")
    with store.write() as connection:
        count = set_aside(connection, shared)
        # What had changed before the copy was made is read again by the updated index; doing so changes nothing twice.
        resumed = replace(cursor, created_index=shared, updated_index=0, deleted_index=deleted, stopped_reason=None)
        write_cursor(connection, resumed)
    logger().warning("history_accepted", shared_until=shared, set_aside=count)
    return count


def _newest_shared(node: Node, store: Store, newest: int) -> int:
    """Return the largest index up to which both histories are the same; 0 when they share nothing.

    Histories part once and never meet again, so halving finds the place.
    """
    low, high = 0, newest
    while low < high:
        middle = (low + high + 1) // 2
        if _agree(node, store, middle, high):
            low = middle
        else:
            high = middle - 1
    return low


def _agree(node: Node, store: Store, index: int, newest: int) -> bool:
    """The first forward from `index` on that both can still show is the same; none to be shown counts as agreeing."""
    page = node.forwards("created", start=index, limit=50)
    with store.read() as connection:
        for forward in page.forwards:
            if forward.created_index > newest:
                return True
            return is_same_forward(connection, forward)
    return True
