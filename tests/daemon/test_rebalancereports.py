"""What `rebalance list` answers: every channel with its role, the most to be moved first, and that nothing is paid."""

from typing import Any

import pytest

from revenued.daemon.house import House
from revenued.daemon.rebalancereports import NOTE
from revenued.errors import RevenuedError, SettingError
from revenued.store.channels import channel_keys
from revenued.store.prices import write_memories
from revenued.units import Msat, scid_to_key
from tests.builders import fee, make_channel, make_memory
from tests.daemon.asking import ask
from tests.fakes import FakeNode, HandClock

FULL, LOW, EMPTY, MIDDLE, AWAY = range(1, 6)


@pytest.fixture(autouse=True)
def _lively(house: House, node: FakeNode, clock: HandClock) -> None:
    """Two channels that sell and are nearly empty, a full one, one in the middle, and one whose peer is away."""
    node.add(
        make_channel(FULL, outbound_ratio=0.9),
        make_channel(LOW, outbound_ratio=0.15, ppm=200),
        make_channel(EMPTY, outbound_ratio=0.0, ppm=300),
        make_channel(MIDDLE, outbound_ratio=0.7, ours=None, scid=None, local_alias="16000000x1x1"),
        make_channel(AWAY, outbound_ratio=0.0, peer_connected=False),
    )
    node.alias_by_id = {make_channel(LOW).peer_id: "Alice"}
    for leaving in (LOW, EMPTY):
        for entry, going in ((FULL, leaving), (leaving, FULL)):
            index = node.offer(
                scid_to_key(f"{entry}x1x0"), scid_to_key(f"{going}x1x0"), in_msat=900_000_000, out_msat=900_000_000
            )
            node.resolve(index, "settled")
    house.ingester.run_now()
    clock.move(hours=1)
    assert house.run_cycle("flow").outcome == "done"


def roles(house: House) -> list[tuple[int, str]]:
    """Return (number, role) in the order of the answer."""
    return [(int(row["channel_id"], 16), row["role"]) for row in ask(house, "rebalance-list")["candidates"]]


def row_of(house: House, number: int) -> dict[str, Any]:
    found: dict[str, Any] = next(
        row for row in ask(house, "rebalance-list")["candidates"] if int(row["channel_id"], 16) == number
    )
    return found


def test_what_to_fill_comes_first_then_what_to_drain_the_most_first(house: House) -> None:
    answer = ask(house, "rebalance-list")
    assert (answer["as_of"], answer["notes"]) == ("2026-01-05T13:00:00Z", [NOTE])
    assert roles(house) == [
        (EMPTY, "fill"), (LOW, "fill"), (FULL, "drain"), (MIDDLE, "neither"), (AWAY, "neither"),
    ]  # fmt: skip


def test_a_candidate_is_told_with_its_numbers_and_its_rule(house: House) -> None:
    assert row_of(house, LOW) == {
        "channel_id": make_channel(LOW).channel_id,
        "scid": "2x1x0",
        "alias": "Alice",
        "role": "fill",
        "amount_msat": 350_000_000,
        "outbound_ratio": 0.15,
        "out_ppm": 200,
        "why": "outbound share 0.15 is below low_liquidity_threshold 0.2",
    }
    middle = row_of(house, MIDDLE)
    assert (middle["scid"], middle["alias"], middle["out_ppm"], middle["amount_msat"]) == (
        "16000000x1x1", None, None, 0,
    )  # fmt: skip


def test_what_the_network_was_told_is_what_it_sells_for(house: House) -> None:
    with house.store.write() as connection:
        key = channel_keys(connection)[make_channel(LOW).channel_id]
        write_memories(connection, {key: make_memory(broadcast=fee(777))})
    assert (row_of(house, LOW)["out_ppm"], row_of(house, EMPTY)["out_ppm"]) == (777, 300)


@pytest.mark.parametrize(
    ("options", "number", "role"),
    [
        ({"low_liquidity_threshold": 0.1}, LOW, "neither"),
        ({"low_liquidity_threshold": 0.1}, EMPTY, "fill"),
        ({"high_liquidity_threshold": 0.95}, FULL, "neither"),
        ({"high_liquidity_threshold": 0.65}, MIDDLE, "drain"),
    ],
)
def test_the_options_in_force_change_the_answer_at_once(
    house: House, options: dict[str, float], number: int, role: str
) -> None:
    before = row_of(house, number)["role"]
    house.board.change(options, by="test")
    assert row_of(house, number)["role"] == role
    assert (before == role) == (number == EMPTY)


def test_what_a_channel_sells_in_three_days_bounds_what_it_is_filled_with(house: House, node: FakeNode) -> None:
    before = row_of(house, EMPTY)["amount_msat"]
    assert before == 500_000_000
    node.clock.move(days=6)
    house.board.change({"flow_window_days": 5}, by="test")
    faded = row_of(house, EMPTY)
    assert (faded["role"], faded["amount_msat"]) == ("neither", Msat(0))
    assert "less than 50,000 sat" in faded["why"]


def test_nothing_is_told_to_the_node_or_paid(house: House, node: FakeNode) -> None:
    node.calls.clear()
    ask(house, "rebalance-list")
    assert not node.calls


def test_there_is_no_list_before_the_first_look(house: House) -> None:
    house.last_look = None
    with pytest.raises(RevenuedError, match="were not read yet"):
        ask(house, "rebalance-list")


def test_it_takes_no_parameters(house: House) -> None:
    with pytest.raises(SettingError, match="channel: no such parameter"):
        ask(house, "rebalance-list", channel="1x1x0")
