"""Forwards come in once and for all, in pages, and stop where the node's history is not the one we know."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from structlog.testing import capture_logs

from revenued.cycles import ingest
from revenued.cycles.ingest import Ingested, ingest_forwards
from revenued.errors import IngestStopped, NodeError, NodeNonsense, NodeOutcomeUnknown, NodeUnreachable
from revenued.model import ForwardPage
from revenued.store.engine import Store
from revenued.store.forwards import Cursor, read_cursor
from tests.fakes import NODE_ID, START, FakeNode, Fault, HandClock
from tests.store.builders import forget_forwards, make_forward, rows_of, sums_from_rows, sums_of

IN, OUT = 1, 2


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest, "PAGE", 3)


@pytest.fixture
def node() -> FakeNode:
    return FakeNode()


def run(node: FakeNode, store: Store, *, stopping: Callable[[], bool] = lambda: False, **other: Any) -> Ingested:
    return ingest_forwards(node, store, node_id=NODE_ID, now=node.clock.now, stopping=stopping, **other)


def cursor_of(store: Store) -> Cursor:
    with store.read() as connection:
        cursor = read_cursor(connection)
    assert cursor is not None
    return cursor


def settle_some(node: FakeNode, count: int) -> None:
    for _ in range(count):
        node.resolve(node.offer(IN, OUT), "settled")


def statuses(store: Store) -> dict[int, str]:
    return {row["created_index"]: row["status"] for row in rows_of(store, "forwards")}


def test_all_of_history_is_read_in_pages(store: Store, node: FakeNode) -> None:
    settle_some(node, 8)
    done = run(node, store)
    assert (done.inserted, done.updated, done.settled, done.pages, done.caught_up) == (8, 0, 8, 3, True)
    assert statuses(store) == dict.fromkeys(range(1, 9), "settled")
    assert sums_of(store) == sums_from_rows(store)
    cursor = cursor_of(store)
    assert (cursor.created_index, cursor.updated_index, cursor.target_index) == (8, 8, 8)
    assert (cursor.hydrated_at, cursor.caught_up_at) == (START, START)
    assert done.cursor == cursor


def test_a_second_run_reads_only_what_is_new(store: Store, node: FakeNode) -> None:
    settle_some(node, 4)
    run(node, store)
    under_way = node.offer(IN, OUT)
    run(node, store)
    node.resolve(under_way, "settled")
    node.local_fail(IN, None)
    before = node.calls["forwards"]
    done = run(node, store)
    assert (done.inserted, done.updated, done.settled) == (1, 1, 1)
    assert node.calls["forwards"] - before == 2
    assert statuses(store) == dict.fromkeys(range(1, 6), "settled") | {6: "local_failed"}
    assert sums_of(store) == sums_from_rows(store)


def test_a_node_that_never_forwarded_anything_is_caught_up_with(store: Store, node: FakeNode) -> None:
    done = run(node, store)
    assert (done.inserted, done.pages, done.caught_up) == (0, 0, True)
    assert cursor_of(store).hydrated_at == START
    settle_some(node, 1)
    assert run(node, store).inserted == 1


def test_history_is_read_to_its_end_only_once(store: Store, node: FakeNode) -> None:
    settle_some(node, 1)
    run(node, store)
    node.clock.move(hours=1)
    settle_some(node, 1)
    run(node, store)
    cursor = cursor_of(store)
    assert (cursor.hydrated_at, cursor.target_index) == (START, 1)
    assert cursor.caught_up_at == node.clock.now()


def test_what_changes_while_history_is_read_is_not_lost(store: Store, node: FakeNode) -> None:
    """The row was read as offered, and settles before the last page is."""
    under_way = node.offer(IN, OUT)
    settle_some(node, 7)
    node.between_calls = lambda method: (
        node.resolve(under_way, "settled")
        if method == "forwards" and node.calls["forwards"] == 2 and node.rows[under_way].status == "offered"
        else None
    )
    done = run(node, store)
    assert (done.inserted, done.updated) == (8, 1)
    assert set(statuses(store).values()) == {"settled"}
    assert sums_of(store) == sums_from_rows(store)


def test_what_the_node_deleted_before_we_came_is_counted_as_missing(store: Store, node: FakeNode) -> None:
    settle_some(node, 9)
    for index in (2, 3, 4, 5, 9):
        node.autoclean(index)
    run(node, store)
    assert list(statuses(store)) == [1, 6, 7, 8]
    cursor = cursor_of(store)
    assert (cursor.created_index, cursor.missing_count, cursor.deleted_index) == (9, 5, 5), "the newest one too"
    settle_some(node, 1)
    run(node, store)
    assert (list(statuses(store)), cursor_of(store).missing_count) == ([1, 6, 7, 8, 10], 5)


def test_a_node_that_has_deleted_all_of_its_history_is_caught_up_with(store: Store, node: FakeNode) -> None:
    settle_some(node, 4)
    for index in range(1, 5):
        node.autoclean(index)
    assert run(node, store).caught_up
    cursor = cursor_of(store)
    assert (cursor.created_index, cursor.missing_count, cursor.recover_since) == (4, 4, None)


def test_what_the_node_deletes_afterwards_stays_ours(store: Store, node: FakeNode) -> None:
    settle_some(node, 5)
    run(node, store)
    before = rows_of(store, "forwards")
    for index in range(1, 6):
        node.autoclean(index)
    run(node, store)
    assert rows_of(store, "forwards") == before
    assert (cursor_of(store).missing_count, cursor_of(store).deleted_index) == (0, 5)


def test_what_came_by_the_updated_index_alone_is_not_missing_when_it_is_deleted(store: Store, node: FakeNode) -> None:
    """It began and ended after the created pages were read, and was gone before they were read again."""
    settle_some(node, 1)

    def meanwhile(method: str) -> None:
        if method == "forwards" and node.calls["forwards"] == 1:
            settle_some(node, 1)

    node.between_calls = meanwhile
    run(node, store)
    node.between_calls = lambda _method: None
    assert list(statuses(store)) == [1, 2]
    node.autoclean(2)
    settle_some(node, 1)
    run(node, store)
    assert list(statuses(store)) == [1, 2, 3]
    assert cursor_of(store).missing_count == 0


def test_rows_that_cannot_be_read_are_said_counted_and_left_out(store: Store, node: FakeNode) -> None:
    settle_some(node, 3)
    node.local_fail(IN, None)
    node.unreadable = {2, 4}
    with capture_logs() as logged:
        done = run(node, store)
    assert done.caught_up
    assert list(statuses(store)) == [1, 3]
    assert [event["what"] for event in logged if event["event"] == "forward_unreadable"] == ["forward 2", "forward 4"]
    assert (cursor_of(store).unreadable_count, done.unreadable, cursor_of(store).missing_count) == (2, 2, 0)


def test_a_page_of_nothing_but_unreadable_rows_does_not_end_the_reading(store: Store, node: FakeNode) -> None:
    settle_some(node, 7)
    node.unreadable = {1, 2, 3}
    run(node, store)
    assert list(statuses(store)) == [4, 5, 6, 7]


@pytest.mark.parametrize("trouble", [NodeUnreachable("away"), NodeOutcomeUnknown("silent"), NodeNonsense("what?")])
def test_trouble_in_the_middle_keeps_the_pages_before_it(store: Store, node: FakeNode, trouble: NodeError) -> None:
    settle_some(node, 8)
    node.faults = [Fault("forwards", 3, "before", trouble)]
    with pytest.raises(type(trouble)):
        run(node, store)
    assert list(statuses(store)) == [1, 2, 3, 4, 5, 6]
    assert sums_of(store) == sums_from_rows(store)
    cursor = cursor_of(store)
    assert (cursor.created_index, cursor.hydrated_at, cursor.caught_up_at) == (6, None, None)
    assert run(node, store).inserted == 2
    assert sums_of(store) == sums_from_rows(store)


@pytest.mark.parametrize("method", ["info", "forward_counter"])
def test_trouble_before_the_first_page_changes_nothing(store: Store, node: FakeNode, method: str) -> None:
    settle_some(node, 2)
    node.faults = [Fault(method, 1, "before", NodeUnreachable("away"))]
    with pytest.raises(NodeUnreachable):
        run(node, store)
    assert (rows_of(store, "ingest_cursor"), statuses(store)) == ([], {})


def test_it_ends_after_the_page_at_hand_when_it_is_told_to(store: Store, node: FakeNode) -> None:
    settle_some(node, 8)
    done = run(node, store, stopping=lambda: node.calls["forwards"] >= 2)
    assert (done.inserted, done.pages, done.caught_up) == (6, 2, False)
    assert cursor_of(store).caught_up_at is None
    assert run(node, store).caught_up


def test_progress_is_told_page_by_page_and_at_the_end(store: Store, node: FakeNode) -> None:
    settle_some(node, 5)
    told: list[Cursor] = []
    run(node, store, progress=told.append)
    assert [(cursor.created_index, cursor.hydrated_at is None) for cursor in told] == [(3, True), (5, True), (5, False)]


def test_the_counters_told_are_those_from_before_the_reading(store: Store, node: FakeNode) -> None:
    """To wait from a later one would be to sleep through what came meanwhile."""
    settle_some(node, 2)
    node.between_calls = lambda method: settle_some(node, 1) if method == "forwards" else None
    done = run(node, store)
    assert (done.created_counter, done.updated_counter) == (2, 2)


@pytest.mark.parametrize("lost", ["created", "updated"])
def test_a_node_restored_from_an_older_copy_stops_ingest_and_changes_no_forward(
    store: Store, node: FakeNode, lost: str
) -> None:
    settle_some(node, 5)
    run(node, store)
    before, was = rows_of(store, "forwards"), cursor_of(store)
    sums = sums_of(store)
    node.counters[lost] -= 1
    node.rows = {1: make_forward(1, in_scid=77), 2: make_forward(2, in_scid=77)}
    with pytest.raises(IngestStopped, match=f"forwards {lost} index is 4, but 5 was already read.*restored"):
        run(node, store)
    assert (rows_of(store, "forwards"), sums_of(store)) == (before, sums)
    stopped = cursor_of(store)
    assert stopped.stopped_reason is not None
    assert replace(stopped, stopped_reason=None) == was


def test_a_stop_stays_when_the_node_has_gone_on_beyond_where_we_were(store: Store, node: FakeNode) -> None:
    """Its counters look right again, but what lies behind them is another history."""
    settle_some(node, 5)
    run(node, store)
    before = rows_of(store, "forwards")
    node.counters |= {"created": 3, "updated": 3}
    for index in (4, 5):
        del node.rows[index]
    with pytest.raises(IngestStopped):
        run(node, store)
    settle_some(node, 4)
    with pytest.raises(IngestStopped, match="5 was already read"):
        run(node, store)
    assert rows_of(store, "forwards") == before


def test_another_node_is_refused_before_anything_is_read_or_written(store: Store, node: FakeNode) -> None:
    settle_some(node, 2)
    node.node_id = "03" + "99" * 32
    with pytest.raises(IngestStopped, match=f"answers as node {node.node_id}, the database belongs to {NODE_ID}"):
        run(node, store)
    assert (rows_of(store, "ingest_cursor"), statuses(store)) == ([], {})
    assert node.calls["forwards"] == 0


@pytest.mark.parametrize("index", ["created", "updated"])
def test_a_node_that_answers_the_same_page_for_ever_is_not_asked_for_ever(
    store: Store, node: FakeNode, index: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle_some(node, 3)
    run(node, store)
    settle_some(node, 1)
    right = node.forwards

    def stuck(by: Any, *, start: int, limit: int) -> ForwardPage:
        page = right(by, start=start, limit=limit)
        return replace(page, last_index=start - 1) if by == index else page

    monkeypatch.setattr(node, "forwards", stuck)
    with pytest.raises(NodeNonsense, match=f"asked for {index} index from 4, got 3"):
        run(node, store)
    assert (cursor_of(store).created_index, cursor_of(store).updated_index) == (3 if index == "created" else 4, 3)


def test_equal_parts_of_one_payment_are_two_forwards(store: Store, node: FakeNode) -> None:
    """Same channels, same amounts, same instant: only the node's index tells them apart."""
    settle_some(node, 2)
    run(node, store)
    first, second = rows_of(store, "forwards")
    differing = {name for name in first if first[name] != second[name]}
    assert differing <= {"created_index", "updated_index", "in_htlc_id", "out_htlc_id"}
    assert sums_of(store)[0] == sums_from_rows(store)[0]


def test_a_fresh_start_reads_the_same_again(store: Store, node: FakeNode) -> None:
    clock = HandClock()
    node.clock = clock
    settle_some(node, 4)
    node.local_fail(IN, 1 << 40)
    run(node, store)
    before = rows_of(store, "forwards"), sums_of(store)
    forget_forwards(store)
    run(node, store)
    assert (rows_of(store, "forwards"), sums_of(store)) == before
