"""The base price is what was learned; balance that runs out is sold dearer, up to three times."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revenued.fees.price import learned_base_price, scarcity_premium
from revenued.model import Side
from revenued.units import Msat, Ppm
from tests.builders import make_case, make_channel, make_settings

BASE = Ppm(100)


def scarce_price(outbound_ratio: float, *, ppm: int = 100, **options: float) -> int | None:
    """Return what the premium makes of a price; None where it has nothing to say."""
    outcome = scarcity_premium(
        make_case(make_channel(outbound_ratio=outbound_ratio), make_settings(**options)), Ppm(ppm)
    )
    return None if outcome is None else outcome[0]


@pytest.mark.parametrize("before", [0, 1, 100, 5000])
def test_the_base_price_replaces_whatever_was_there(before: int) -> None:
    ppm, why = learned_base_price(make_case(base_ppm=Ppm(70)), Ppm(before))
    assert ppm == 70
    assert why == "base price of 70 ppm learned by hill_climb"


@pytest.mark.parametrize(
    ("outbound_ratio", "ppm"),
    [
        (0.0, 300),
        (0.075, 250),
        (0.15, 200),
        (0.225, 150),
        (0.299, 101),
        (0.30, None),
        (0.31, None),
        (0.5, None),
        (1.0, None),
    ],
)
def test_the_premium_rises_from_once_at_the_threshold_to_three_times_when_empty(
    outbound_ratio: float, ppm: int | None
) -> None:
    assert scarce_price(outbound_ratio) == ppm


@pytest.mark.parametrize(("threshold", "ratio", "ppm"), [(0.5, 0.25, 200), (0.9, 0.45, 200), (0.1, 0.1, None)])
def test_the_threshold_is_the_operators(threshold: float, ratio: float, ppm: int | None) -> None:
    assert scarce_price(ratio, scarcity_threshold=threshold) == ppm


def test_the_premium_works_on_the_price_that_it_is_given() -> None:
    assert scarce_price(0.0, ppm=7) == 21
    assert scarce_price(0.0, ppm=0) == 0


def test_the_premium_can_be_turned_off() -> None:
    assert scarce_price(0.0, enable_scarcity_pricing=False) is None


def test_our_reserve_is_not_for_sale() -> None:
    channel = make_channel(to_us_msat=Msat(10_000_000), our_reserve_msat=Msat(10_000_000))
    assert scarcity_premium(make_case(channel), BASE) == (300, "outbound share 0.000 is below 0.3: ×3.00")


@pytest.mark.parametrize(
    ("opener", "ever_sent_out", "ppm"),
    [
        (Side.REMOTE, False, 100),  # empty by birth, not by demand
        (Side.REMOTE, True, 300),
        (Side.LOCAL, False, 300),
        (None, False, 300),
    ],
)
def test_a_channel_that_the_peer_opened_is_not_dear_before_it_ever_sold_anything(
    opener: Side | None, ever_sent_out: bool, ppm: int
) -> None:
    case = make_case(make_channel(outbound_ratio=0.0, opener=opener), ever_sent_out=ever_sent_out)
    outcome = scarcity_premium(case, BASE)
    assert outcome is not None
    assert outcome[0] == ppm


@given(
    ratios=st.tuples(st.floats(0, 1), st.floats(0, 1)).map(sorted),
    ppm=st.integers(0, 100_000),
    threshold=st.floats(0.01, 0.9),
)
def test_less_balance_is_never_cheaper_and_never_beyond_three_times(
    ratios: list[float], ppm: int, threshold: float
) -> None:
    dear, cheap = (scarce_price(ratio, ppm=ppm, scarcity_threshold=threshold) for ratio in ratios)
    dear, cheap = (ppm if price is None else price for price in (dear, cheap))
    assert ppm <= cheap <= dear <= 3 * ppm
