"""Reading what is new ends with a look for what was deleted, by itself, once, and never in the way of reading on."""

from dataclasses import replace
from typing import Any

import pytest
from structlog.testing import capture_logs

from revenued.daemon.house import House
from revenued.daemon.reports import status
from revenued.errors import NodeError, NodeNonsense, NodeRefused, NodeUnreachable
from revenued.model import MovePage
from revenued.units import scid_to_key
from tests.builders import make_channel
from tests.fakes import FakeNode, Fault, HandClock
from tests.store.builders import rows_of

ONE, TWO, THREE = (scid_to_key(f"{number}x1x0") for number in (1, 2, 3))


@pytest.fixture(autouse=True)
def _history_is_read(house: House, node: FakeNode, clock: HandClock) -> None:
    """Of a node with two channels; then nobody looked for five hours."""
    node.add(make_channel(1), make_channel(2))
    settle(node, ONE, TWO)
    house.ingester.run_now()
    clock.move(hours=5)


def settle(node: FakeNode, in_scid: int, out_scid: int, *, fee_msat: int = 1, forget: bool = False) -> None:
    index = node.offer(in_scid, out_scid, in_msat=1_000 + fee_msat, out_msat=1_000)
    node.resolve(index, "settled")
    if forget:
        node.autoclean(index)


def fees(house: House) -> list[int]:
    return sorted(row["fee_msat"] for row in rows_of(house.store, "forwards"))


def counts(house: House) -> tuple[Any, ...]:
    ingest = status(house)["ingest"]
    return ingest["missing_count"], ingest["recovered_count"], ingest["state"]


def test_what_was_deleted_while_the_daemon_was_away_is_in_the_books_and_in_the_status(
    house: House, node: FakeNode
) -> None:
    settle(node, ONE, TWO, fee_msat=7, forget=True)
    settle(node, ONE, TWO, fee_msat=2)
    house.ingester.run_now()
    assert fees(house) == [1, 2, 7]
    assert counts(house) == (1, 1, "following")


def test_it_is_looked_for_once(house: House, node: FakeNode) -> None:
    settle(node, ONE, TWO, forget=True)
    house.ingester.run_now()
    looked = node.calls["routed_moves"]
    assert looked > 0
    settle(node, ONE, TWO)
    house.ingester.run_now()
    assert node.calls["routed_moves"] == looked


def test_nothing_is_looked_for_when_nothing_was_deleted(house: House, node: FakeNode) -> None:
    settle(node, ONE, TWO)
    house.ingester.run_now()
    assert node.calls["routed_moves"] == 0


def test_what_was_deleted_before_the_very_first_reading_is_not_looked_for(house: House, node: FakeNode) -> None:
    """It is only counted: nobody knows how far back the moves go."""
    with house.store.write() as connection:
        for table in ("forwards", "forward_hours", "forward_days", "pair_days", "ingest_cursor"):
            connection.exec_driver_sql(f"DELETE FROM {table}")
    node.autoclean(1)
    settle(node, ONE, TWO)
    house.ingester.run_now()
    assert counts(house) == (1, 0, "following")
    assert node.calls["routed_moves"] == 0


def test_a_channel_that_was_opened_while_the_daemon_was_away_is_known_before_its_moves(
    house: House, node: FakeNode
) -> None:
    node.add(make_channel(3))
    settle(node, ONE, THREE, fee_msat=7)
    settle(node, THREE, TWO, fee_msat=9, forget=True)
    house.ingester.run_now()
    assert fees(house) == [1, 7, 9]


def test_a_channel_that_was_spliced_while_the_daemon_was_away_is_known_before_its_moves(
    house: House, node: FakeNode
) -> None:
    node.add(replace(make_channel(2), scid="22x1x0"))
    settle(node, ONE, scid_to_key("22x1x0"), fee_msat=7)
    settle(node, ONE, scid_to_key("22x1x0"), fee_msat=9, forget=True)
    house.ingester.run_now()
    assert fees(house) == [1, 7, 9]


@pytest.mark.parametrize("trouble", [NodeRefused("broken plugin", -1), NodeNonsense("no list channelmoves")])
def test_a_node_that_cannot_show_its_moves_does_not_keep_us_from_reading(
    house: House, node: FakeNode, monkeypatch: pytest.MonkeyPatch, trouble: NodeError
) -> None:
    settle(node, ONE, TWO, fee_msat=7, forget=True)
    with monkeypatch.context() as broken, capture_logs() as said:

        def refuse(**_: Any) -> MovePage:
            raise trouble

        broken.setattr(node, "routed_moves", refuse)
        for _ in range(3):
            settle(node, ONE, TWO, fee_msat=2)
            assert house.ingester.run_now().caught_up
    assert house.ingester.trouble is None
    assert [event["reason"] for event in said if event["event"] == "deleted_forwards_not_looked_for"] == [str(trouble)]
    assert fees(house) == [1, 2, 2, 2]
    house.ingester.run_now()
    assert fees(house) == [1, 2, 2, 2, 7], "asked again until it can"


def test_a_node_that_is_lost_while_we_look_is_asked_again(house: House, node: FakeNode) -> None:
    settle(node, ONE, TWO, fee_msat=7, forget=True)
    node.faults = [Fault("routed_moves", 1, "before", NodeUnreachable("away"))]
    with pytest.raises(NodeUnreachable):
        house.ingester.run_now()
    assert fees(house) == [1]
    house.ingester.run_now()
    assert fees(house) == [1, 7]
    assert counts(house) == (1, 1, "following")
