"""One cycle run by the house: whatever stands in its way is its result, never an exception."""

from typing import Any

import pytest
from structlog.testing import capture_logs

from revenued.daemon.house import PAUSED, House
from revenued.store.settings import write_switch
from tests.builders import make_channel
from tests.daemon.asking import ask
from tests.fakes import FakeNode, HandClock


def test_nothing_is_done_before_the_node_was_met(house: House, node: FakeNode) -> None:
    result = house.run_cycle("fee")
    assert result.outcome == "skipped"
    assert result.reason is not None
    assert result.reason.startswith("node: not reached yet")
    house.ingester.meet_node()
    assert house.run_cycle("fee").outcome == "done"


def test_a_cycle_is_held_to_the_settings_and_the_switch_of_its_start(
    house: House, node: FakeNode, clock: HandClock
) -> None:
    node.add(make_channel(1, ppm=5))
    house.ingester.meet_node()
    assert house.run_cycle("fee").summary["held_by"] == {"dry_run": 1}
    house.board.change({"dry_run": False}, by="test")
    with house.store.write() as connection:
        write_switch(connection, PAUSED, True, by="test", now=clock.now())
    assert house.run_cycle("fee").summary["held_by"] == {"paused": 1}
    assert house.last_look is not None
    assert house.last_look_at == clock.now()


def test_a_database_that_fails_fails_the_cycle(house: House) -> None:
    with house.store.write() as connection:
        connection.exec_driver_sql("DROP TABLE switches")
    with capture_logs() as said:
        result = house.schedule.run_once(lambda: house.run_cycle("fee")).result(10)
    assert result.outcome == "failed"
    assert result.reason == "database: (sqlite3.OperationalError) no such table: switches"
    assert [event["event"] for event in said] == ["cycle_failed"]


@pytest.mark.parametrize(
    ("method", "params"), [("pause", {}), ("config", {"action": "set", "values": {"dry_run": True}})]
)
def test_what_the_operator_says_stops_a_cycle_that_is_telling_prices(
    house: House, node: FakeNode, method: str, params: dict[str, Any]
) -> None:
    """The command comes between two calls to the node."""
    node.add(*(make_channel(number, ppm=5) for number in (1, 2, 3)))
    house.ingester.meet_node()
    house.board.change({"dry_run": False}, by="test")

    def interrupt(called: str) -> None:
        if called == "set_channel_fee" and not node.fees_set:
            ask(house, method, **params)

    node.between_calls = interrupt
    summary = house.run_cycle("fee").summary
    assert (len(node.fees_set), summary["broadcast"], summary["held"]) == (1, 1, 2)
