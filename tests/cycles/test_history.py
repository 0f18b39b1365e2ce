"""A node that was restored from an older copy: ingest stops, and goes on only when the operator says so."""

import pytest

from revenued.cycles.history import accept_history
from revenued.cycles.ingest import Ingested, ingest_forwards
from revenued.errors import IngestStopped, SettingError
from revenued.store.engine import Store
from revenued.store.forwards import earned_total_msat, offered_count, read_cursor
from tests.fakes import NODE_ID, FakeNode, HandClock
from tests.store.builders import rows_of, sums_from_rows, sums_of

IN, OUT = 1, 2


@pytest.fixture
def node() -> FakeNode:
    return FakeNode(HandClock())


def run(node: FakeNode, store: Store, *, compare_newest: bool = False) -> Ingested:
    return ingest_forwards(
        node,
        store,
        node_id=NODE_ID,
        now=node.clock.now,
        stopping=lambda: False,
        compare_newest=compare_newest,
    )


def settle(node: FakeNode, count: int, *, fee: int = 1000) -> None:
    """Let forwards settle, a minute apart."""
    for _ in range(count):
        node.clock.move(minutes=1)
        node.resolve(node.offer(IN, OUT, in_msat=1_000_000 + fee, out_msat=1_000_000), "settled")


def restore(node: FakeNode, created: int) -> None:
    """Put the node back to where it was when `created` was its newest forward."""
    node.rows = {index: row for index, row in node.rows.items() if index <= created}
    updated = max((row.updated_index or 0 for row in node.rows.values()), default=0)
    node.counters |= {"created": created, "updated": updated}


def test_what_the_node_lost_stays_in_the_books_and_what_is_new_is_added(store: Store, node: FakeNode) -> None:
    settle(node, 5)
    run(node, store)
    restore(node, 3)
    with pytest.raises(IngestStopped, match="--new-history"):
        run(node, store)
    settle(node, 4, fee=7)
    assert accept_history(node, store) == 2
    run(node, store)
    with store.read() as connection:
        assert earned_total_msat(connection) == 5 * 1000 + 4 * 7
    kept = sorted(row["created_index"] for row in rows_of(store, "forwards"))
    assert kept[2:] == [1, 2, 3, 4, 5, 6, 7]
    assert all(index < -(1 << 60) for index in kept[:2])
    assert sums_of(store) == sums_from_rows(store)


def test_a_restored_node_that_has_gone_on_beyond_where_it_was_is_recognised_by_its_rows(
    store: Store, node: FakeNode
) -> None:
    settle(node, 5)
    run(node, store)
    restore(node, 2)
    node.clock.move(hours=1)
    settle(node, 6, fee=3)
    with pytest.raises(IngestStopped, match="forward 5 of the node is another one"):
        run(node, store, compare_newest=True)
    with pytest.raises(IngestStopped):
        run(node, store)
    assert accept_history(node, store) == 3
    run(node, store, compare_newest=True)
    with store.read() as connection:
        assert earned_total_msat(connection) == 5 * 1000 + 6 * 3


def test_a_forward_that_was_under_way_in_the_lost_history_is_gone(store: Store, node: FakeNode) -> None:
    settle(node, 2)
    node.offer(IN, OUT)
    run(node, store)
    restore(node, 2)
    with pytest.raises(IngestStopped):
        run(node, store)
    accept_history(node, store)
    with store.read() as connection:
        assert offered_count(connection) == 0


def test_an_end_that_the_copy_did_not_know_is_read_again(store: Store, node: FakeNode) -> None:
    """Forward 2 was under way in the copy, too, and ends after it was restored."""
    settle(node, 1)
    second = node.offer(IN, OUT)
    run(node, store)
    offered = node.rows[second]
    settle(node, 3)
    run(node, store)
    restore(node, 2)
    node.rows[second] = offered
    node.resolve(second, "settled")
    with pytest.raises(IngestStopped):
        run(node, store)
    accept_history(node, store)
    run(node, store)
    statuses = {row["created_index"]: row["status"] for row in rows_of(store, "forwards")}
    assert statuses[second] == "settled"


def test_it_can_happen_twice(store: Store, node: FakeNode) -> None:
    settle(node, 4)
    for fee in (11, 13):
        run(node, store)
        restore(node, 1)
        with pytest.raises(IngestStopped):
            run(node, store)
        accept_history(node, store)
        settle(node, 3, fee=fee)
    run(node, store)
    with store.read() as connection:
        assert earned_total_msat(connection) == 4000 + 3 * 11 + 3 * 13
    assert sums_of(store) == sums_from_rows(store)


def test_there_is_nothing_to_accept_while_all_is_well(store: Store, node: FakeNode) -> None:
    settle(node, 1)
    run(node, store)
    with pytest.raises(SettingError, match="nothing to accept"):
        accept_history(node, store)


def test_a_newest_row_that_was_deleted_or_only_ended_meanwhile_is_no_other_history(
    store: Store, node: FakeNode
) -> None:
    settle(node, 2)
    last = node.offer(IN, OUT)
    run(node, store)
    node.resolve(last, "failed")
    run(node, store, compare_newest=True)
    node.autoclean(last)
    run(node, store, compare_newest=True)
    with store.read() as connection:
        cursor = read_cursor(connection)
    assert cursor is not None
    assert cursor.stopped_reason is None


@pytest.mark.parametrize(
    ("before", "kept", "after"), [(1, 0, 0), (2, 1, 5), (7, 3, 2), (9, 0, 12), (12, 11, 1), (12, 5, 0)]
)
def test_the_shared_part_is_found_wherever_the_histories_part(
    store: Store, node: FakeNode, before: int, kept: int, after: int
) -> None:
    settle(node, before)
    run(node, store)
    restore(node, kept)
    node.clock.move(days=1)
    settle(node, after, fee=5)
    with pytest.raises(IngestStopped):
        run(node, store, compare_newest=True)
    assert accept_history(node, store) == before - kept
    run(node, store)
    with store.read() as connection:
        assert earned_total_msat(connection) == before * 1000 + after * 5
