"""A page of channel moves: the routed ones with both their sides, all others passed over, none of them in the way."""

from typing import Any

import pytest

from revenued.errors import NodeNonsense
from revenued.model import RoutedMove
from revenued.node.parse_moves import move_page
from revenued.units import MAX_MONEY_MSAT
from tests.node import samples

AT = 1_795_344_388_000_000


def page(*rows: Any, start: int = 1) -> Any:
    return move_page({"channelmoves": list(rows)}, start=start)


def test_a_forward_is_a_credit_and_a_debit_of_one_payment() -> None:
    credit, debit = samples.channel_move(), samples.channel_move(created_index=9, credit_msat=0, debit_msat=50_000_000)
    assert page(credit, debit).routed == [
        RoutedMove(8, samples.CHANNEL_ID, 50_001_500, 0, 1500, AT, samples.PAYMENT_HASH),  # type: ignore[arg-type]
        RoutedMove(9, samples.CHANNEL_ID, 0, 50_000_000, 1500, AT, samples.PAYMENT_HASH),  # type: ignore[arg-type]
    ]


@pytest.mark.parametrize(
    "tag", ["invoice", "pushed", "lease_fee", "channel_proposed", "penalty_adj", "journal_entry", "of tomorrow"]
)
def test_what_is_no_forward_is_passed_over_but_the_page_ends_behind_it(tag: str) -> None:
    """Own payments and refills are tagged invoice; some of these have no payment_hash and other accounts."""
    other = samples.channel_move(created_index=9, primary_tag=tag, account_id="wallet", payment_hash=None)
    found = page(samples.channel_move(), other)
    assert ([move.created_index for move in found.routed], found.last_index, found.skipped) == ([8], 9, ())


def test_a_page_tells_when_its_first_move_was_made_whatever_that_is() -> None:
    first = samples.channel_move(created_index=7, primary_tag="invoice", timestamp=1_700_000_000)
    assert page(first, samples.channel_move()).first_moved_at == 1_700_000_000_000_000


def test_an_empty_page_says_that_there_is_nothing_more() -> None:
    found = page(start=500)
    assert (found.routed, found.first_moved_at, found.last_index) == ([], None, None)


@pytest.mark.parametrize(
    ("differing", "said"),
    [
        ({"account_id": None}, "account_id is missing"),
        ({"credit_msat": -1}, "credit_msat is negative"),
        ({"debit_msat": MAX_MONEY_MSAT + 1}, "debit_msat is above"),
        ({"fees_msat": None}, "fees_msat is missing"),
        ({"payment_hash": 5}, "payment_hash is not a text"),
        ({"timestamp": 253_402_300_800}, "timestamp is above"),
        ({"timestamp": "now"}, "timestamp is not a whole number"),
        ({"primary_tag": None}, "primary_tag is missing"),
    ],
)
def test_a_move_that_cannot_be_read_is_skipped_and_the_page_still_ends_behind_it(
    differing: dict[str, Any], said: str
) -> None:
    found = page(samples.channel_move(created_index=7), samples.channel_move(**differing))
    assert [move.created_index for move in found.routed] == [7]
    assert found.last_index == 8
    assert [(skipped.what, said in skipped.why) for skipped in found.skipped] == [("channel move in row 1", True)]


@pytest.mark.parametrize("row", [None, 5, [], {}, {"created_index": "8"}, {"created_index": -1}])
def test_what_is_no_move_at_all_is_skipped(row: Any) -> None:
    found = page(row, samples.channel_move())
    assert (len(found.routed), len(found.skipped), found.last_index) == (1, 1, 8)


@pytest.mark.parametrize("rows", [[{}], [samples.channel_move(created_index=None)], [samples.channel_move()]])
def test_a_page_that_does_not_lead_on_is_refused(rows: list[Any]) -> None:
    """Asking on from where it ends would bring it again for ever."""
    with pytest.raises(NodeNonsense, match="page from 9"):
        page(*rows, start=9)


@pytest.mark.parametrize("answer", [None, [], {}, {"channelmoves": None}, {"channelmoves": {}}, {"moves": []}])
def test_an_answer_without_moves_is_nonsense(answer: object) -> None:
    with pytest.raises(NodeNonsense, match="listchannelmoves"):
        move_page(answer, start=1)
