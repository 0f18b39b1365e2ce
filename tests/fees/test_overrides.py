"""Channels that cannot be priced are left alone, each with its reason."""

import pytest

from revenued.fees.overrides import left_alone
from revenued.fees.pipeline import decide
from revenued.model import CLOSING_STATES, NORMAL_STATES, OPENING_STATES
from tests.builders import make_case, make_channel


@pytest.mark.parametrize("state", sorted(NORMAL_STATES))
def test_a_channel_in_use_is_not_left_alone(state: str) -> None:
    assert left_alone(make_case(make_channel(state=state))) is None


@pytest.mark.parametrize("state", sorted(CLOSING_STATES))
def test_a_closing_channel_is_left_alone(state: str) -> None:
    assert left_alone(make_case(make_channel(state=state))) == (None, f"the channel is closing ({state})")


@pytest.mark.parametrize("state", [*sorted(OPENING_STATES), "SOMETHING_NEW"])
def test_a_channel_that_carries_nothing_yet_is_left_alone(state: str) -> None:
    assert left_alone(make_case(make_channel(state=state))) == (None, f"the channel is not in use yet ({state})")


def test_a_channel_whose_price_the_node_does_not_tell_is_left_alone() -> None:
    assert left_alone(make_case(make_channel(ours=None))) == (None, "the node does not say what the channel costs now")


def test_a_peer_that_is_away_does_not_keep_its_channel_from_being_priced() -> None:
    assert left_alone(make_case(make_channel(peer_connected=False))) is None


def test_nothing_is_set_on_a_channel_left_alone() -> None:
    decision = decide(make_case(make_channel(state="ONCHAIN")))
    assert decision.target is None
    assert [(step.rule, step.from_ppm, step.to_ppm) for step in decision.steps] == [("left_alone", 100, 100)]
