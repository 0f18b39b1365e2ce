"""What can be read off a channel as the node showed it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revenued.model import CLOSING_STATES, NORMAL_STATES, OPENING_STATES, Capabilities
from revenued.units import MAX_MONEY_MSAT, Msat
from tests.builders import fee, make_channel

MAX_RESERVE = 10**9


@pytest.mark.parametrize(
    ("ours", "our_reserve", "their_reserve", "ratio"),
    [
        (0, 0, 0, 0.0),
        (500_000_000, 0, 0, 0.5),
        (1_000_000_000, 0, 0, 1.0),
        (10_000_000, 10_000_000, 10_000_000, 0.0),
        (990_000_000, 10_000_000, 10_000_000, 1.0),
        (500_000_000, 10_000_000, 10_000_000, 0.5),
        (5_000_000, 10_000_000, 10_000_000, 0.0),  # still below its reserve: nothing can be sold
        (999_000_000, 10_000_000, 10_000_000, 1.0),
        (500_000_000, 600_000_000, 400_000_000, 0.0),  # nothing at all can move
    ],
)
def test_the_outbound_ratio_is_our_share_of_what_can_move(
    ours: int, our_reserve: int, their_reserve: int, ratio: float
) -> None:
    channel = make_channel(
        to_us_msat=Msat(ours), our_reserve_msat=Msat(our_reserve), their_reserve_msat=Msat(their_reserve)
    )
    assert channel.outbound_ratio == ratio


@given(
    capacity=st.integers(0, MAX_MONEY_MSAT),
    ours=st.integers(0, MAX_MONEY_MSAT),
    reserves=st.tuples(st.integers(0, MAX_RESERVE), st.integers(0, MAX_RESERVE)),
)
def test_the_outbound_ratio_never_leaves_zero_to_one(capacity: int, ours: int, reserves: tuple[int, int]) -> None:
    channel = make_channel(
        capacity_msat=Msat(capacity),
        to_us_msat=Msat(ours),
        our_reserve_msat=Msat(reserves[0]),
        their_reserve_msat=Msat(reserves[1]),
    )
    assert 0.0 <= channel.outbound_ratio <= 1.0


def test_the_spendable_amount_is_no_part_of_the_ratio() -> None:
    assert make_channel(outbound_ratio=0.5, spendable_msat=Msat(1)).outbound_ratio == 0.5


def test_no_state_has_two_meanings() -> None:
    assert not NORMAL_STATES & CLOSING_STATES
    assert not NORMAL_STATES & OPENING_STATES
    assert not OPENING_STATES & CLOSING_STATES


@pytest.mark.parametrize(
    ("differing", "usable"),
    [
        ({}, True),
        ({"state": "CHANNELD_AWAITING_SPLICE"}, True),
        ({"reestablished": None}, True),
        ({"reestablished": False}, False),
        ({"peer_connected": False}, False),
        ({"state": "CHANNELD_AWAITING_LOCKIN"}, False),
        ({"state": "CHANNELD_SHUTTING_DOWN"}, False),
        ({"state": "SOMETHING_NEW"}, False),
    ],
)
def test_a_channel_is_usable_when_normal_and_its_peer_is_there(differing: dict[str, Any], usable: bool) -> None:
    assert make_channel(**differing).is_usable is usable


def test_a_channel_is_called_by_its_scid_else_its_alias_else_its_id() -> None:
    assert make_channel(7, local_alias="1x2x3").name == "7x1x0"
    assert make_channel(7, scid=None, local_alias="1x2x3").name == "1x2x3"
    assert make_channel(7, scid=None).name == f"{7:064x}"


def test_a_channel_without_an_announced_policy_has_no_fee() -> None:
    assert make_channel(ppm=70).fee == fee(70)
    assert make_channel(ours=None).fee is None


def test_a_node_has_a_command_when_its_help_lists_it_and_a_parameter_when_its_usage_names_it() -> None:
    node = Capabilities({"listforwards": "[status] [index] [start]", "getinfo": ""})
    assert node.has("getinfo")
    assert node.has("listforwards", parameter="index")
    assert not node.has("listforwards", parameter="limit")
    assert not node.has("wait")
