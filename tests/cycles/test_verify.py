"""Every forward of the node is held against ours: what differs is found and named, and mended only when asked for."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from revenued.clock import from_micros, to_micros
from revenued.cycles import ingest, verify
from revenued.cycles.ingest import ingest_forwards
from revenued.cycles.recover import recover_forwards
from revenued.cycles.verify import Verified, verify_forwards
from revenued.errors import CycleSkipped, NodeNonsense
from revenued.model import Forward, ForwardPage
from revenued.store.channels import record_channels
from revenued.store.engine import Store
from revenued.store.retention import prune
from revenued.units import Msat, scid_to_key
from tests.builders import make_channel
from tests.fakes import NODE_ID, START, FakeNode
from tests.store.builders import forget_forwards, rows_of, sums_from_rows, sums_of

ONE, TWO, THREE = (scid_to_key(f"{number}x1x0") for number in (1, 2, 3))
NOBODYS = scid_to_key("700000x1x1")
MISSING: dict[str, Any] = {}
"""Stands for a row that ingest never brought."""


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest, "PAGE", 3)
    monkeypatch.setattr(verify, "PAGE", 3)


@pytest.fixture
def node(store: Store) -> FakeNode:
    return begin(store)


def begin(store: Store) -> FakeNode:
    """Return a node with three channels that the store knows, and nothing else."""
    forget_forwards(store)
    node = FakeNode()
    node.add(make_channel(1), make_channel(2), make_channel(3))
    with store.write() as connection:
        record_channels(connection, node.channels().channels, now=START)
    return node


def some_history(node: FakeNode) -> None:
    """Forwards of every kind, over some days: settled 1, 2, 7, failed 3, refused 4 and 5, under way 6."""
    node.resolve(node.offer(ONE, TWO), "settled")
    node.resolve(node.offer(TWO, THREE, in_msat=2_007, out_msat=2_000), "settled")
    node.clock.move(hours=5)
    node.resolve(node.offer(ONE, THREE), "failed")
    node.local_fail(ONE, TWO, failcode=0x1007)
    node.local_fail(ONE, NOBODYS)
    node.clock.move(days=2)
    node.offer(ONE, TWO, in_msat=5_005, out_msat=5_000)
    node.resolve(node.offer(ONE, TWO, in_msat=3_003, out_msat=3_000), "settled")


def read(node: FakeNode, store: Store) -> None:
    ingest_forwards(node, store, node_id=NODE_ID, now=node.clock.now, stopping=lambda: False)


def read_wrongly(node: FakeNode, store: Store, **wrong: dict[str, Any]) -> None:
    """Read history as a defect would have: rows, named r1, r2, …, come in with other values, or not at all."""
    right = dict(node.rows)
    for name, values in wrong.items():
        index = int(name[1:])
        node.rows[index] = right[index]._replace(**values)
        if values == MISSING:
            del node.rows[index]
    read(node, store)
    node.rows = right


def check(
    node: FakeNode,
    store: Store,
    *,
    repair: bool = False,
    stop: Callable[[], bool] | None = None,
) -> Verified:
    return verify_forwards(
        node,
        store,
        repair=repair,
        stopping=stop or (lambda: False),
    )


def everything(store: Store) -> tuple[Any, ...]:
    return rows_of(store, "forwards"), sums_of(store)


def found(verified: Verified) -> dict[int, str]:
    return {example.created_index: example.what for example in verified.examples}


DIFFERENCES = [
    ("r1", MISSING, "not stored"),
    ("r3", MISSING, "not stored"),
    ("r5", MISSING, "not stored"),
    ("r6", MISSING, "not stored"),
    ("r1", {"in_msat": Msat(1_002_000)}, "stored in_msat 1002000 for 1001000"),
    ("r2", {"out_msat": Msat(2_001), "fee_msat": Msat(6)}, "stored out_msat 2001 for 2000, fee_msat 6 for 7"),
    ("r2", {"fee_msat": Msat(8)}, "stored fee_msat 8 for 7"),
    ("r1", {"status": "failed"}, "stored status failed for settled"),
    ("r3", {"status": "settled"}, "stored status settled for failed"),
    ("r1", {"status": "offered", "resolved_at": None}, "stored status offered for settled"),
    ("r1", {"in_scid": TWO}, f"stored in_scid {TWO} for {ONE}"),
    ("r1", {"out_scid": THREE}, "stored out_scid"),
    ("r4", {"out_scid": THREE}, "stored out_scid"),
    ("r5", {"out_scid": TWO}, "stored out_scid"),
    ("r5", {"out_scid": None}, "stored out_scid"),
    ("r4", {"status": "failed", "out_msat": None}, "stored status failed for local_failed"),
]


@pytest.mark.parametrize(("row", "wrong", "said"), DIFFERENCES)
def test_what_differs_is_named_and_stays_as_it_is(
    store: Store, node: FakeNode, row: str, wrong: dict[str, Any], said: str
) -> None:
    some_history(node)
    read_wrongly(node, store, **{row: wrong})
    before = everything(store)
    with capture_logs() as logged:
        verified = check(node, store)
    assert (verified.read, verified.different, verified.repaired) == (7, 1, 0)
    ((index, what),) = found(verified).items()
    assert (f"r{index}", what.startswith(said)) == (row, True), what
    assert everything(store) == before
    assert [event["different"] for event in logged if event["event"] == "forwards_differ"] == [1]


@pytest.mark.parametrize(("row", "wrong", "_said"), DIFFERENCES)
def test_what_differs_is_mended_on_request_with_every_sum_that_it_is_in(
    store: Store, node: FakeNode, row: str, wrong: dict[str, Any], _said: str
) -> None:
    some_history(node)
    read(node, store)
    right = everything(store)
    forget_forwards(store)
    read_wrongly(node, store, **{row: wrong})
    assert everything(store) != right
    assert check(node, store, repair=True).repaired == 1
    rows, sums = everything(store)
    assert rows == right[0]
    assert without_zeros(sums) == right[1]
    assert sums_of(store)[0].keys() >= right[1][0].keys()
    assert check(node, store).different == 0


def without_zeros(sums: tuple[dict[Any, Any], ...]) -> tuple[dict[Any, Any], ...]:
    """Leave out sums of which nothing is left: a channel that never was there in truth."""
    return tuple({key: row for key, row in table.items() if any(row.values())} for table in sums)


def test_where_nothing_differs_nothing_is_said_or_done(store: Store, node: FakeNode) -> None:
    some_history(node)
    read(node, store)
    before = everything(store)
    with capture_logs() as logged:
        assert check(node, store, repair=True) == Verified(read=7)
    assert everything(store) == before
    assert logged == []


def test_what_came_or_ended_after_the_last_reading_is_no_difference(store: Store, node: FakeNode) -> None:
    some_history(node)
    read(node, store)
    node.resolve(6, "settled")
    node.resolve(node.offer(ONE, TWO), "settled")
    before = everything(store)
    assert check(node, store, repair=True) == Verified(read=7)
    assert everything(store) == before
    read(node, store)
    assert check(node, store) == Verified(read=8)


def test_what_the_node_deleted_is_counted_and_kept(store: Store, node: FakeNode) -> None:
    some_history(node)
    read(node, store)
    for index in (1, 3, 7):
        node.autoclean(index)
    before = everything(store)
    assert check(node, store, repair=True) == Verified(read=4, deleted_at_node=3)
    assert everything(store) == before


def test_what_was_recovered_or_is_gone_is_no_difference(store: Store, node: FakeNode) -> None:
    some_history(node)
    read(node, store)
    node.clock.move(hours=3)
    lost = node.offer(ONE, TWO)
    node.resolve(lost, "settled")
    node.resolve(6, "failed")
    for index in (lost, 6):
        node.autoclean(index)
    read(node, store)
    recover_forwards(node, store, since=node.clock.now() - timedelta(hours=3), stopping=lambda: False)
    assert [row["status"] for row in rows_of(store, "forwards")].count("gone") == 1
    before = everything(store)
    assert check(node, store, repair=True) == Verified(read=6, deleted_at_node=1)
    assert everything(store) == before


def test_what_was_pruned_here_is_counted_and_does_not_come_back(store: Store, node: FakeNode) -> None:
    """Its sums are still there: it would count twice."""
    some_history(node)
    read(node, store)
    days = {"forwards_days": 2, "hours_days": 90, "samples_days": 90, "cycles_days": 30}
    prune(store, now=node.clock.now(), stopped=lambda: False, **days)
    before = everything(store)
    assert len(before[0]) == 5
    assert check(node, store, repair=True) == Verified(read=7, pruned_here=2)
    assert everything(store) == before
    # Keeping rows for longer from now on does not bring back what is gone.
    prune(store, now=node.clock.now(), stopped=lambda: False, **(days | {"forwards_days": 400, "hours_days": 500}))
    assert check(node, store, repair=True) == Verified(read=7, pruned_here=2)
    assert everything(store) == before


def test_rows_that_cannot_be_read_are_counted(store: Store, node: FakeNode) -> None:
    some_history(node)
    node.unreadable = {2}
    read(node, store)
    assert check(node, store, repair=True) == Verified(read=6, unreadable=1)


def test_a_channel_that_became_ours_later_makes_no_difference(store: Store, node: FakeNode) -> None:
    some_history(node)
    read(node, store)
    with store.write() as connection:
        record_channels(connection, [replace(make_channel(4), scid="700000x1x1")], now=START)
    assert check(node, store) == Verified(read=7)


def test_the_node_is_asked_in_pages_only(store: Store, node: FakeNode, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(10):
        node.resolve(node.offer(ONE, TWO), "settled")
    read(node, store)
    asked = list[tuple[str, int, int]]()
    answer = node.forwards

    def noted(index: Any, *, start: int, limit: int) -> ForwardPage:
        asked.append((index, start, limit))
        return answer(index, start=start, limit=limit)

    monkeypatch.setattr(node, "forwards", noted)
    node.calls.clear()
    assert check(node, store).read == 10
    assert asked == [("created", start, 3) for start in (1, 4, 7, 10)]
    assert set(node.calls) == {"forwards"}


def test_of_many_differences_all_are_counted_and_twenty_named(store: Store, node: FakeNode) -> None:
    for _ in range(25):
        node.resolve(node.offer(ONE, TWO), "settled")
    read_wrongly(node, store, **{f"r{index}": {"in_msat": Msat(1)} for index in range(1, 26)})
    verified = check(node, store, repair=True)
    assert (verified.different, verified.repaired, list(found(verified))) == (25, 25, list(range(1, 21)))
    assert without_zeros(sums_of(store)) == sums_from_rows(store)


def test_rows_wrong_on_both_sides_of_one_that_is_right_are_mended_around_it(store: Store, node: FakeNode) -> None:
    for _ in range(3):
        node.resolve(node.offer(ONE, TWO), "settled")
    read(node, store)
    right = everything(store)
    forget_forwards(store)
    read_wrongly(node, store, r1={"in_scid": THREE}, r3=MISSING)
    assert check(node, store, repair=True).repaired == 2
    assert (rows_of(store, "forwards"), without_zeros(sums_of(store))) == right


def test_it_ends_after_the_page_at_hand_when_it_is_told_to(store: Store, node: FakeNode) -> None:
    some_history(node)
    read(node, store)
    before = node.calls["forwards"]
    assert check(node, store, stop=lambda: node.calls["forwards"] > before).read == 3


def test_there_is_nothing_to_compare_before_history_is_read(store: Store, node: FakeNode) -> None:
    some_history(node)
    with pytest.raises(CycleSkipped, match="being read for the first time"):
        check(node, store)
    ingest_forwards(node, store, node_id=NODE_ID, now=node.clock.now, stopping=lambda: node.calls["forwards"] > 0)
    with pytest.raises(CycleSkipped, match="being read for the first time"):
        check(node, store)
    assert node.calls["forwards"] == 1


def test_a_node_that_answers_the_same_page_for_ever_is_not_asked_for_ever(
    store: Store, node: FakeNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    some_history(node)
    read(node, store)
    page = node.forwards("created", start=1, limit=3)
    monkeypatch.setattr(node, "forwards", lambda *_, **__: page)
    with pytest.raises(NodeNonsense, match="asked for created index from 4, got 3"):
        check(node, store)


wrongs = st.fixed_dictionaries(
    {},
    optional={
        "in_scid": st.sampled_from([ONE, TWO, THREE]),
        "out_scid": st.sampled_from([ONE, TWO, THREE]),
        "in_msat": st.integers(1_000, 9_999).map(Msat),
        "fee_msat": st.integers(0, 99).map(Msat),
        "status": st.sampled_from(["settled", "failed", "offered", "local_failed"]),
        "resolved_at": st.integers(to_micros(START), to_micros(START + timedelta(days=3))),
        "received_at": st.integers(to_micros(START), to_micros(START + timedelta(days=3))),
    },
)
histories = st.lists(
    st.tuples(
        st.sampled_from(["settled", "failed", "offered", "refused"]),
        st.permutations([ONE, TWO, THREE]),
        st.none() | wrongs,
    ),
    max_size=10,
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=histories)
def test_after_a_repair_rows_and_sums_are_those_of_the_node(
    sqlite_store: Store, history: list[tuple[str, list[int], dict[str, Any] | None]]
) -> None:
    """Whatever a defect had made of them, also instants that are never compared by themselves."""
    node = begin(sqlite_store)
    wrong: dict[str, dict[str, Any]] = {}
    for fate, (entry, leaving, _), values in history:
        node.clock.move(hours=7)
        if fate == "refused":
            index = node.local_fail(entry, leaving, failcode=0x1007)
        else:
            index = node.offer(entry, leaving)
            if fate != "offered":
                node.resolve(index, "settled" if fate == "settled" else "failed")
        if values is not None:
            # What was refused here has no amount out, and without one nothing settles.
            wrong[f"r{index}"] = {name: values[name] for name in values if fate != "refused" or name != "status"}
    read_wrongly(node, sqlite_store, **wrong)
    check(node, sqlite_store, repair=True)
    assert check(node, sqlite_store).different == 0
    assert without_zeros(sums_of(sqlite_store)) == sums_from_rows(sqlite_store)
    kept = {row["created_index"]: row for row in rows_of(sqlite_store, "forwards")}
    assert kept.keys() == node.rows.keys()
    for index, row in node.rows.items():
        assert same(kept[index], row)


def same(stored: dict[str, Any], row: Forward) -> bool:
    """Hold a stored row against the node's, but for instants, which do not make a difference by themselves."""
    names = ("in_scid", "in_msat", "out_scid", "out_msat", "fee_msat", "status")
    assert stored["received_at"] == from_micros(row.received_at) or stored["received_at"] >= START
    return all(stored[name] == getattr(row, name) for name in names)
