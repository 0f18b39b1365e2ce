"""What the operator says while a cycle runs, and what a snapshot waits for."""

from dataclasses import replace
from typing import Any

import pytest

from revenued.cycles.context import CycleContext
from revenued.cycles.fee import fee_cycle
from revenued.cycles.ingest import ingest_forwards
from revenued.cycles.run import CycleResult, run_job
from revenued.cycles.snapshot import snapshot_cycle
from revenued.errors import NodeNonsense, NodeRefused
from revenued.store.books import newest_snapshot
from revenued.store.engine import Store
from revenued.store.forwards import read_cursor, write_cursor
from revenued.store.prices import read_decisions, read_memories
from tests.builders import fee, make_channel, make_settings
from tests.fakes import NODE_ID, FakeNode, Fault, HandClock

IN, OUT = 1, 2


@pytest.fixture
def node() -> FakeNode:
    node = FakeNode(HandClock())
    node.add(*(make_channel(number, ppm=10) for number in (1, 2, 3)))
    return node


def context(node: FakeNode, store: Store, **differing: Any) -> CycleContext:
    return CycleContext(
        node=node,
        store=store,
        settings=make_settings(min_fee_ppm=100),
        generation=1,
        node_id=NODE_ID,
        paused=False,
        clock=node.clock,
        stopping=lambda: False,
        **differing,
    )


def read_forwards(node: FakeNode, store: Store) -> None:
    ingest_forwards(node, store, node_id=NODE_ID, now=node.clock.now, stopping=lambda: False)


def snapshot(node: FakeNode, store: Store) -> CycleResult:
    return run_job("snapshot", snapshot_cycle, context(node, store))


def test_a_pause_holds_back_what_a_running_cycle_has_not_told_yet(sqlite_store: Store, node: FakeNode) -> None:
    halted = lambda: "paused by the operator" if node.fees_set else None  # noqa: E731 (one line, used once)
    result = run_job("fee", fee_cycle, context(node, sqlite_store, halted=halted))
    assert len(node.fees_set) == 1
    assert (result.summary["broadcast"], result.summary["held"]) == (1, 2)
    with sqlite_store.read() as connection:
        decisions, memories = read_decisions(connection), read_memories(connection)
    held = [key for key, decision in decisions.items() if decision.outcome == "held"]
    assert all(decisions[key].held_why == "not sent: paused by the operator" for key in held)
    assert all(memories[key].intended is None and memories[key].gossip_allowance == 3.0 for key in held)
    node.clock.move(hours=1)
    run_job("fee", fee_cycle, context(node, sqlite_store))
    assert sorted(set_to.fee_ppm for _, set_to in node.fees_set) == [100, 100, 100]


def test_a_refused_price_that_the_operator_sets_himself_is_his(sqlite_store: Store, node: FakeNode) -> None:
    node.faults.append(Fault("set_channel_fee", 1, "before", NodeRefused("no", -1)))
    assert run_job("fee", fee_cycle, context(node, sqlite_store)).summary["refused"] == 1
    channel = node.channel_by_id[f"{1:064x}"]
    assert channel.ours is not None
    node.add(replace(channel, ours=replace(channel.ours, fee=fee(100))))
    assert run_job("fee", fee_cycle, context(node, sqlite_store)).summary["outside"] == 1


def test_a_snapshot_waits_until_the_forwards_of_its_day_are_read(sqlite_store: Store, node: FakeNode) -> None:
    assert snapshot(node, sqlite_store).outcome == "skipped"
    read_forwards(node, sqlite_store)
    for _ in range(5):
        node.clock.move(hours=1)
        node.resolve(node.offer(IN, OUT), "settled")
    late = snapshot(node, sqlite_store)
    assert (late.outcome, late.reason) == ("skipped", "the newest forwards are still being read")
    read_forwards(node, sqlite_store)
    assert snapshot(node, sqlite_store).outcome == "done"
    with sqlite_store.read() as connection:
        kept = newest_snapshot(connection)
    assert kept is not None
    assert (kept.earned_msat, kept.forward_count) == (4000, 4), "of whole hours; the present one is the next day's"


def test_a_snapshot_is_not_taken_while_ingest_is_stopped(sqlite_store: Store, node: FakeNode) -> None:
    read_forwards(node, sqlite_store)
    with sqlite_store.write() as connection:
        cursor = read_cursor(connection)
        assert cursor is not None
        write_cursor(connection, replace(cursor, stopped_reason="the node went back"))
    assert snapshot(node, sqlite_store).reason == "forwards are not being read: the node went back"


def test_a_wallet_that_cannot_be_read_is_unknown_and_the_rest_is_kept(sqlite_store: Store, node: FakeNode) -> None:
    read_forwards(node, sqlite_store)
    node.faults.append(Fault("onchain_funds", 1, "before", NodeNonsense("a new kind of output")))
    result = snapshot(node, sqlite_store)
    assert (result.outcome, result.summary["onchain_known"], result.summary["tlv_msat"]) == ("done", False, None)
    with sqlite_store.read() as connection:
        kept = newest_snapshot(connection)
    assert kept is not None
    assert kept.channels_msat == sum(channel.to_us_msat for channel in node.channel_by_id.values())


def test_hours_are_complete_up_to_where_the_reading_began_and_not_where_it_ended(
    sqlite_store: Store, node: FakeNode
) -> None:
    began = node.clock.now()
    node.between_calls = lambda _method: node.clock.move(minutes=10)
    read_forwards(node, sqlite_store)
    assert node.clock.now() > began
    with sqlite_store.read() as connection:
        cursor = read_cursor(connection)
    assert cursor is not None
    assert cursor.caught_up_at == began
