"""What the node owns is counted once, to the msat, in the place where it lies."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revenued.accounting.networth import net_worth
from revenued.model import CLOSING_STATES, NORMAL_STATES, OPENING_STATES, OnchainFunds
from revenued.units import MAX_MONEY_MSAT, Msat
from tests.builders import make_channel, make_htlc

FUNDS = OnchainFunds(confirmed_msat=Msat(7_000_001), unconfirmed_msat=Msat(300_002), reserved_msat=Msat(5_000_000))


def holding(number: int, msat: int, **differing: Any) -> Any:
    """Return a channel in which `msat` are ours."""
    return make_channel(number, to_us_msat=Msat(msat), **differing)


def test_everything_is_summed_by_place_to_the_msat() -> None:
    worth = net_worth(
        [
            holding(1, 400_000_003, htlcs=(make_htlc(1_000_007), make_htlc(9_000_000, incoming=True))),
            holding(2, 600_000_000, state="CHANNELD_AWAITING_SPLICE"),
            holding(3, 50_000_000, state="CHANNELD_SHUTTING_DOWN"),
            holding(4, 80_000_000, state="ONCHAIN"),
        ],
        FUNDS,
    )
    assert worth.onchain_confirmed_msat == 7_000_001
    assert worth.onchain_unconfirmed_msat == 300_002
    assert worth.channels_msat == 400_000_003 + 600_000_000 - 1_000_007
    assert worth.htlcs_msat == 1_000_007
    assert worth.closing_msat == 50_000_000
    assert worth.total_msat == 7_000_001 + 300_002 + 400_000_003 + 600_000_000 + 50_000_000
    assert worth.own_capital_msat == 1_000_000_003
    assert worth.capacity_msat == 2_000_000_000
    assert worth.channel_count == 2


@pytest.mark.parametrize("state", sorted(NORMAL_STATES | OPENING_STATES | {"SOMETHING_NEW"}))
def test_a_channel_that_is_not_closing_counts_as_one(state: str) -> None:
    worth = net_worth([holding(1, 5_000_000, state=state)], None)
    assert (worth.channels_msat, worth.closing_msat, worth.channel_count) == (5_000_000, 0, 1)


CLOSING = {
    "CHANNELD_SHUTTING_DOWN": 5_000_000,
    "CLOSINGD_SIGEXCHANGE": 5_000_000,
    "CLOSINGD_COMPLETE": 5_000_000,
    "AWAITING_UNILATERAL": 5_000_000,
    "FUNDING_SPEND_SEEN": 0,  # from here on the wallet counts it
    "ONCHAIN": 0,
    "CLOSED": 0,
}


@pytest.mark.parametrize("state", sorted(CLOSING_STATES))
def test_a_closing_balance_counts_until_the_funding_output_is_spent(state: str) -> None:
    worth = net_worth([holding(1, 5_000_000, state=state)], None)
    assert worth.closing_msat == CLOSING[state]
    assert (worth.channels_msat, worth.capacity_msat, worth.channel_count) == (0, 0, 0)


def test_reserved_outputs_are_still_ours_and_counted_once() -> None:
    assert net_worth([], FUNDS).total_msat == 7_300_003


def test_an_unknown_wallet_is_unknown_and_not_empty() -> None:
    worth = net_worth([holding(1, 5_000_000)], None)
    assert worth.onchain_confirmed_msat is None
    assert worth.onchain_unconfirmed_msat is None
    assert worth.total_msat is None
    assert worth.channels_msat == 5_000_000


def test_an_empty_node_is_worth_nothing() -> None:
    assert net_worth([], OnchainFunds(Msat(0), Msat(0), Msat(0))).total_msat == 0


@given(st.lists(st.tuples(st.integers(0, MAX_MONEY_MSAT), st.sampled_from(sorted(NORMAL_STATES | CLOSING_STATES)))))
def test_no_msat_is_lost_or_counted_twice(holdings: list[tuple[int, str]]) -> None:
    channels = [holding(number, msat, state=state) for number, (msat, state) in enumerate(holdings)]
    spent = sum(msat for msat, state in holdings if state in ("FUNDING_SPEND_SEEN", "ONCHAIN", "CLOSED"))
    assert net_worth(iter(channels), FUNDS).total_msat == sum(msat for msat, _ in holdings) - spent + 7_300_003


@given(st.lists(st.integers(0, 10**9), max_size=5))
def test_an_offered_htlc_moves_money_between_places_and_changes_no_total(amounts: list[int]) -> None:
    quiet = net_worth([holding(1, 10**10)], None)
    busy = net_worth([holding(1, 10**10, htlcs=tuple(make_htlc(amount) for amount in amounts))], None)
    assert busy.total_msat == quiet.total_msat
    assert busy.htlcs_msat == sum(amounts)
