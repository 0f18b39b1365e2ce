"""What the node deleted while we were away is found again: nothing that was earned is missing, nothing is double."""

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from revenued.cycles import ingest, recover
from revenued.cycles.ingest import ingest_forwards
from revenued.cycles.recover import Recovered, recover_forwards
from revenued.errors import NodeUnreachable
from revenued.model import Capabilities
from revenued.store.channels import record_channels
from revenued.store.engine import Store
from revenued.store.forwards import Cursor, earned_total_msat, read_cursor
from tests.builders import make_channel
from tests.fakes import NODE_ID, START, Crash, CrashingStore, FakeNode, Fault
from tests.store.builders import forget_forwards, rows_of, sums_from_rows, sums_of

IN, OUT = (1 << 40 | 1 << 16, 2 << 40 | 1 << 16)


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest, "PAGE", 3)
    monkeypatch.setattr(recover, "PAGE", 3)


def begin(store: Store) -> FakeNode:
    """Return a node with two channels whose history, still empty, has been read."""
    forget_forwards(store)
    node = FakeNode()
    node.add(make_channel(1), make_channel(2))
    with store.write() as connection:
        record_channels(connection, node.channels().channels, now=START)
    read(node, store)
    return node


def read(node: FakeNode, store: Store) -> Cursor:
    ingest_forwards(node, store, node_id=NODE_ID, now=node.clock.now, stopping=lambda: False)
    with store.read() as connection:
        cursor = read_cursor(connection)
    assert cursor is not None
    return cursor


def come_back(node: FakeNode, store: Store, *, stopping: Callable[[], bool] = lambda: False) -> Recovered | None:
    """Read what is new, and look for what was deleted if there is a reason to."""
    since = read(node, store).recover_since
    return None if since is None else recover_forwards(node, store, since=since, stopping=stopping)


def earned(store: Store) -> int:
    with store.read() as connection:
        return earned_total_msat(connection)


def statuses(store: Store) -> dict[int, str]:
    return {row["created_index"]: row["status"] for row in rows_of(store, "forwards")}


def test_what_settled_and_was_deleted_while_we_were_away_is_found_with_its_fee(store: Store) -> None:
    node = begin(store)
    node.clock.move(hours=5)
    lost = node.offer(IN, OUT, in_msat=1007, out_msat=1000)
    node.resolve(lost, "settled")
    node.autoclean(lost)
    kept = node.offer(IN, OUT, in_msat=1002, out_msat=1000)
    node.resolve(kept, "settled")
    assert come_back(node, store) == Recovered(settled=1, gone=0)
    assert earned(store) == 9
    row = rows_of(store, "forwards")[0]
    assert (row["created_index"], row["in_scid"], row["out_scid"]) == (-2, IN, OUT)
    assert (row["in_msat"], row["out_msat"], row["fee_msat"], row["status"]) == (1007, 1000, 7, "settled")
    assert sums_of(store) == sums_from_rows(store)
    cursor = read(node, store)
    assert (cursor.recover_since, cursor.recovered_count, cursor.missing_count) == (None, 1, 1)


def test_looking_again_finds_nothing_new(store: Store) -> None:
    node = begin(store)
    lost = node.offer(IN, OUT)
    node.resolve(lost, "settled")
    node.autoclean(lost)
    node.offer(IN, OUT)
    assert come_back(node, store) == Recovered(1, 0)
    before = rows_of(store, "forwards")
    assert recover_forwards(node, store, since=START, stopping=lambda: False) == Recovered(0, 0)
    assert rows_of(store, "forwards") == before


def test_what_was_under_way_when_we_left_is_settled_or_known_to_be_gone(store: Store) -> None:
    node = begin(store)
    first, second, third = (node.offer(IN, OUT, in_msat=1000 + fee, out_msat=1000) for fee in (1, 2, 3))
    read(node, store)
    node.clock.move(hours=1)
    node.resolve(first, "settled")
    node.resolve(second, "failed")
    node.autoclean(first)
    node.autoclean(second)
    assert come_back(node, store) == Recovered(settled=1, gone=1)
    assert statuses(store) == {-2: "settled", second: "gone", third: "offered"}
    assert earned(store) == 1
    node.resolve(third, "settled")
    read(node, store)
    assert earned(store) == 4


def test_a_node_without_channel_moves_leaves_only_what_is_known_to_be_gone(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = begin(store)
    under_way = node.offer(IN, OUT)
    read(node, store)
    node.resolve(under_way, "settled")
    node.autoclean(under_way)
    monkeypatch.setattr(node, "capabilities", Capabilities)
    assert come_back(node, store) == Recovered(settled=0, gone=1)
    assert statuses(store) == {under_way: "gone"}
    assert node.calls["routed_moves"] == 0


@pytest.mark.parametrize("phase", ["before", "after"])
def test_a_death_while_looking_loses_and_doubles_nothing(store: Store, phase: str) -> None:
    node = begin(store)
    for _ in range(2):
        lost = node.offer(IN, OUT)
        node.resolve(lost, "settled")
        node.autoclean(lost)
    node.offer(IN, OUT)
    since = read(node, store).recover_since
    assert since is not None
    dying = CrashingStore(store, crash_at=1, phase="before" if phase == "before" else "after")
    with pytest.raises(Crash):
        recover_forwards(node, dying, since=since, stopping=lambda: False)
    assert (read(node, store).recover_since is None) == (phase == "after")
    come_back(node, store)
    assert earned(store) == 2000
    assert sums_of(store) == sums_from_rows(store)


def test_what_was_not_finished_is_done_again(store: Store) -> None:
    node = begin(store)
    lost = node.offer(IN, OUT)
    node.resolve(lost, "settled")
    node.autoclean(lost)
    node.offer(IN, OUT)
    assert come_back(node, store, stopping=lambda: True) is None
    node.faults = [Fault("routed_moves", node.calls["routed_moves"] + 1, "before", NodeUnreachable("away"))]
    with pytest.raises(NodeUnreachable):
        come_back(node, store)
    assert come_back(node, store) == Recovered(1, 0)


def test_what_the_node_deleted_before_we_first_came_is_not_looked_for(store: Store) -> None:
    forget_forwards(store)
    node = FakeNode()
    for _ in range(3):
        node.resolve(node.offer(IN, OUT), "settled")
    node.autoclean(1)
    assert read(node, store).recover_since is None


events = st.tuples(
    st.sampled_from(["offer", "settle", "fail", "clean", "clean"]), st.integers(0, 9), st.integers(0, 40)
)


@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(absences=st.lists(st.lists(events, max_size=10), min_size=1, max_size=5))
@example([[("offer", 0, 0), ("settle", 0, 0), ("clean", 0, 40), ("clean", 0, 40)], [("offer", 0, 0)]])
@example([[("offer", 1, 0), ("offer", 1, 0)], [("settle", 1, 1), ("clean", 0, 0), ("settle", 0, 1)]])
def test_after_any_absence_all_that_was_ever_earned_is_in_the_books(
    store: Store, absences: list[list[tuple[str, int, int]]]
) -> None:
    """Equal parts of payments included, of which any may have been seen, under way, or deleted before we came."""
    node, total = begin(store), 0
    for happened in absences:
        for what, choice, minutes in happened:
            node.clock.move(minutes=minutes)
            under_way = [index for index, row in node.rows.items() if row.status == "offered"]
            ended = [index for index, row in node.rows.items() if row.status != "offered"]
            if what == "offer":
                node.offer(IN, OUT, in_msat=1001 + choice % 2, out_msat=1000)
            elif what == "clean" and ended:
                node.autoclean(ended[choice % len(ended)])
            elif what in ("settle", "fail") and under_way:
                index = under_way[choice % len(under_way)]
                node.resolve(index, "settled" if what == "settle" else "failed")
                total += node.rows[index].in_msat - 1000 if what == "settle" else 0
        come_back(node, store)
        node.clock.move(seconds=30)
    assert earned(store) == total
    assert sums_of(store) == sums_from_rows(store)
    offered = {index for index, status in statuses(store).items() if status == "offered"}
    assert offered <= {index for index, row in node.rows.items() if row.status == "offered"}
