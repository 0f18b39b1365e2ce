"""`run ingest` with verify and repair: what is asked for is done, and told in the form that is documented."""

from typing import Any

import pytest

from revenued.daemon.house import House
from revenued.errors import NodeError, NodeNonsense, NodeUnreachable, SettingError
from revenued.units import Msat
from tests.builders import make_channel
from tests.daemon.asking import ask
from tests.fakes import FakeNode, Fault
from tests.store.builders import rows_of, sums_from_rows, sums_of

ONE, TWO = 1 << 40 | 1 << 16, 2 << 40 | 1 << 16


@pytest.fixture(autouse=True)
def _one_row_is_wrong(house: House, node: FakeNode) -> None:
    node.add(make_channel(1), make_channel(2))
    for _ in range(3):
        node.resolve(node.offer(ONE, TWO), "settled")
    right = node.rows[2]
    node.rows[2] = right._replace(in_msat=Msat(1_002_000), fee_msat=Msat(2_000))
    house.ingester.run_now()
    node.rows[2] = right


def fees(house: House) -> list[int]:
    return [row["fee_msat"] for row in rows_of(house.store, "forwards")]


def test_an_ordinary_run_compares_nothing(house: House, node: FakeNode) -> None:
    node.resolve(node.offer(ONE, TWO), "settled")
    result = ask(house, "run", cycle="ingest")
    assert (result["cycle"], result["outcome"], result["reason"]) == ("ingest", "done", None)
    assert result["summary"] == {"inserted": 1, "updated": 0, "settled": 1, "unreadable": 0, "caught_up": True}


def test_verify_reads_what_is_new_and_names_what_differs(house: House, node: FakeNode) -> None:
    node.resolve(node.offer(ONE, TWO), "settled")
    result = ask(house, "run", cycle="ingest", verify=True)
    assert (result["cycle"], result["outcome"], result["reason"]) == ("ingest", "done", None)
    assert result["took_ms"] >= 0
    assert result["summary"] == {
        "read": 4,
        "different": 1,
        "repaired": 0,
        "deleted_at_node": 0,
        "pruned_here": 0,
        "unreadable": 0,
        "examples": ["forward 2: stored in_msat 1002000 for 1001000, fee_msat 2000 for 1000"],
    }
    assert fees(house) == [1000, 2000, 1000, 1000]


def test_repair_mends_it_and_the_sums(house: House) -> None:
    summary = ask(house, "run", cycle="ingest", verify=True, repair=True)["summary"]
    assert (summary["different"], summary["repaired"]) == (1, 1)
    assert fees(house) == [1000, 1000, 1000]
    assert sums_of(house.store) == sums_from_rows(house.store)
    assert ask(house, "run", cycle="ingest", verify=True)["summary"]["different"] == 0


def test_what_retention_has_deleted_is_no_difference_whatever_it_is_set_to_later(house: House, node: FakeNode) -> None:
    node.clock.move(days=40)
    with house.store.write() as connection:
        connection.exec_driver_sql("DELETE FROM forwards WHERE created_index = 1")
    assert ask(house, "run", cycle="ingest", verify=True)["summary"]["pruned_here"] == 0
    house.board.change({"retention_forwards_days": 30}, by="test")
    assert house.run_cycle("retention").summary["forwards_deleted"] == 2
    house.board.change({"retention_forwards_days": 400}, by="test")
    summary = ask(house, "run", cycle="ingest", verify=True)["summary"]
    assert (summary["pruned_here"], summary["different"]) == (3, 0)


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"cycle": "fee", "verify": True}, "only `run ingest`"),
        ({"cycle": "retention", "repair": True}, "only `run ingest`"),
        ({"cycle": "ingest", "repair": True}, "repair: only together with verify"),
        ({"cycle": "ingest", "verify": "yes"}, "verify: .*boolean"),
        ({"cycle": "ingest", "verify": 1}, "verify: .*boolean"),
        ({"cycle": "ingest", "Verify": True}, "Verify: no such parameter"),
    ],
)
def test_what_makes_no_sense_is_refused_and_nothing_is_done(
    house: House, node: FakeNode, params: dict[str, Any], said: str
) -> None:
    asked = node.calls.total()
    with pytest.raises(SettingError, match=said):
        ask(house, "run", **params)
    assert node.calls.total() == asked


@pytest.mark.parametrize("trouble", [NodeUnreachable("no such socket"), NodeNonsense("what?")])
def test_a_node_that_cannot_be_asked_makes_no_verdict(house: House, node: FakeNode, trouble: NodeError) -> None:
    # The two pages before it find that there is nothing new.
    node.faults = [Fault("forwards", node.calls["forwards"] + 3, "before", trouble)]
    result = ask(house, "run", cycle="ingest", verify=True, repair=True)
    assert (result["outcome"], result["reason"], result["summary"]) == ("skipped", f"node: {trouble}", {})
    assert fees(house) == [1000, 2000, 1000]


def test_a_history_that_is_not_ours_is_not_compared(house: House, node: FakeNode) -> None:
    node.counters["created"] -= 1
    result = ask(house, "run", cycle="ingest", verify=True, repair=True)
    assert result["outcome"] == "failed"
    assert "was already read" in result["reason"]
    assert fees(house) == [1000, 2000, 1000]
