"""Reads every forward of the node again and holds it against the store; repairs on request, never by itself."""

from collections.abc import Callable
from dataclasses import dataclass, field

from revenued.errors import CycleSkipped, NodeNonsense
from revenued.log import get as logger
from revenued.model import Forward, ForwardPage
from revenued.node.interface import Node
from revenued.store.compare import Difference, compare_forwards, pruned_before, replace_forwards
from revenued.store.engine import Store
from revenued.store.forwards import read_cursor

PAGE = 5000
EXAMPLES = 20


@dataclass(slots=True)
class Verified:
    """What was found."""

    read: int = 0
    different: int = 0
    repaired: int = 0
    deleted_at_node: int = 0
    pruned_here: int = 0
    unreadable: int = 0
    examples: list[Difference] = field(default_factory=list)


def verify_forwards(node: Node, store: Store, *, repair: bool, stopping: Callable[[], bool]) -> Verified:
    """Compare every row up to the cursor; with `repair` put the node's row in the place of ours where they differ.

    Raises CycleSkipped before the first ingest, NodeError when the node gives no answer.
    """
    with store.read() as connection:
        cursor = read_cursor(connection)
    if cursor is None or cursor.hydrated_at is None:
        raise CycleSkipped("the node's forwards are still being read for the first time")
    with store.read() as connection:
        kept_from = pruned_before(connection)
    verified = Verified()
    start = 1
    while start <= cursor.created_index and not stopping():
        page = node.forwards("created", start=start, limit=PAGE)
        if page.last_index is not None and page.last_index < start:
            raise NodeNonsense(f"listforwards: asked for created index from {start}, got {page.last_index}")
        last = cursor.created_index if page.last_index is None else min(page.last_index, cursor.created_index)
        rows = [row for row in page.forwards if row.created_index <= cursor.created_index]
        _compare(
            store,
            page,
            rows,
            verified,
            within=range(start, last + 1),
            kept_from=kept_from,
            updated_until=cursor.updated_index,
            repair=repair,
        )
        start = last + 1
    if verified.different:
        logger().warning("forwards_differ", different=verified.different, repaired=verified.repaired)
    return verified


def _compare(
    store: Store,
    page: ForwardPage,
    rows: list[Forward],
    verified: Verified,
    *,
    within: range,
    kept_from: int,
    updated_until: int,
    repair: bool,
) -> None:
    by_index = {row.created_index: row for row in rows}
    with store.read() as connection:
        found = compare_forwards(connection, rows, within=within, pruned_before=kept_from, updated_until=updated_until)
    verified.read += len(rows)
    verified.different += len(found.differences)
    verified.deleted_at_node += found.only_here
    verified.pruned_here += found.pruned
    verified.unreadable += len(page.skipped)
    verified.examples.extend(found.differences[: max(0, EXAMPLES - len(verified.examples))])
    if repair and found.differences:
        with store.write() as connection:
            replace_forwards(connection, [by_index[difference.created_index] for difference in found.differences])
        verified.repaired += len(found.differences)
