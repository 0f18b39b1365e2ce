"""Going on with a restored node, whatever it lost and whoever dies: rows are the node's, earnings are what happened."""

from copy import deepcopy
from typing import Literal

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from revenued.cycles import ingest
from revenued.cycles.history import accept_history
from revenued.cycles.ingest import ingest_forwards
from revenued.errors import IngestStopped, NodeUnreachable
from revenued.model import Forward
from revenued.store.engine import Store
from revenued.store.forwards import earned_total_msat
from tests.fakes import NODE_ID, Crash, CrashingStore, FakeNode, Fault, Phase
from tests.store.builders import forget_forwards, rows_of, sums_from_rows, sums_of

Kind = Literal["settled", "failed", "offered"]
Copy = tuple[dict[int, Forward], dict[str, int]]


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest, "PAGE", 3)


def read(node: FakeNode, store: Store) -> None:
    done = ingest_forwards(
        node, store, node_id=NODE_ID, now=node.clock.now, stopping=lambda: False, compare_newest=True
    )
    assert done.caught_up


def go_on(node: FakeNode, kinds: list[Kind]) -> None:
    """Forward some more, each at its own time."""
    for kind in kinds:
        node.clock.move(minutes=1)
        index = node.offer(1, 2)
        if kind != "offered":
            node.resolve(index, kind)


def copy_of(node: FakeNode) -> Copy:
    return deepcopy((node.rows, node.counters))


def restore(node: FakeNode, copied: Copy) -> None:
    node.rows, node.counters = deepcopy(copied)
    node.clock.move(hours=1)


def restored(store: Store, *, before: list[Kind], lost: list[Kind], since: list[Kind]) -> FakeNode:
    """Return a node that lost a part of its history, all of which had been read, and has gone on since."""
    forget_forwards(store)
    node = FakeNode()
    go_on(node, before)
    copied = copy_of(node)
    go_on(node, lost)
    read(node, store)
    restore(node, copied)
    go_on(node, since)
    return node


def earned(store: Store) -> int:
    with store.read() as connection:
        return earned_total_msat(connection)


def shown(store: Store) -> dict[int, str]:
    """Return the rows that carry the node's own index."""
    return {row["created_index"]: row["status"] for row in rows_of(store, "forwards") if row["created_index"] > 0}


@pytest.mark.parametrize("phase", ["before", "after"])
def test_a_death_while_accepting_loses_and_doubles_nothing(store: Store, phase: Phase) -> None:
    node = restored(store, before=["settled"] * 2, lost=["settled"] * 2, since=["settled"])
    with pytest.raises(IngestStopped):
        read(node, store)
    with pytest.raises(Crash):
        accept_history(node, CrashingStore(store, crash_at=1, phase=phase))
    if phase == "before":
        assert accept_history(node, store) == 2
    read(node, store)
    assert (earned(store), shown(store)) == (5000, dict.fromkeys((1, 2, 3), "settled"))
    assert sums_of(store) == sums_from_rows(store)


def test_a_node_that_gives_no_answer_changes_nothing(store: Store) -> None:
    node = restored(store, before=["settled"] * 2, lost=["settled"] * 2, since=["settled"])
    with pytest.raises(IngestStopped):
        read(node, store)
    before = rows_of(store, "forwards"), rows_of(store, "ingest_cursor")
    node.faults = [Fault("forwards", node.calls["forwards"] + 2, "before", NodeUnreachable("away"))]
    with pytest.raises(NodeUnreachable):
        accept_history(node, store)
    assert (rows_of(store, "forwards"), rows_of(store, "ingest_cursor")) == before


kinds: st.SearchStrategy[list[Kind]] = st.lists(st.sampled_from(["settled", "failed", "offered"]), max_size=6)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(before=kinds, lost=kinds, since=kinds, cleaned=st.lists(st.integers(1, 12), max_size=4), twice=st.booleans())
@example(before=["settled"], lost=["settled"], since=["settled"], cleaned=[], twice=True)
def test_whatever_was_lost_rows_are_the_nodes_and_earnings_are_what_happened(
    store: Store, before: list[Kind], lost: list[Kind], since: list[Kind], cleaned: list[int], twice: bool
) -> None:
    node = restored(store, before=before, lost=lost, since=since)
    happened: list[Kind] = before + lost + since
    for _ in range(1 + twice):
        for index in cleaned:
            if index in node.rows and node.rows[index].status != "offered":
                node.autoclean(index)
        accepted = False
        try:
            read(node, store)
        except IngestStopped:
            accept_history(node, store)
            accepted = True
            read(node, store)
        assert sums_of(store) == sums_from_rows(store)
        if accepted:
            assert {index: shown(store)[index] for index in node.rows} == {
                index: row.status for index, row in node.rows.items()
            }
        if accepted and not cleaned:
            assert earned(store) == 1000 * happened.count("settled")
        copied = copy_of(node)
        go_on(node, ["settled", "offered"])
        read(node, store)
        restore(node, copied)
        go_on(node, ["failed"])
        happened = [*happened, "settled", "offered", "failed"]
