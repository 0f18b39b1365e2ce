"""Money converts exactly or rounds the way that its name says, and short channel ids survive being numbers."""

from fractions import Fraction
from math import ceil, floor

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from revenued.units import (
    MAX_MONEY_MSAT,
    Msat,
    Ppm,
    Sat,
    balance_in_sat,
    cost_in_sat,
    forward_fee,
    key_to_scid,
    scid_to_key,
    to_msat,
    to_ppm,
)

amounts = st.integers(-MAX_MONEY_MSAT, MAX_MONEY_MSAT).map(Msat)
money = st.integers(0, MAX_MONEY_MSAT).map(Msat)


@pytest.mark.parametrize(
    ("msat", "cost", "balance"),
    [(0, 0, 0), (1, 1, 0), (999, 1, 0), (1000, 1, 1), (1001, 2, 1), (-1, 0, -1), (-1000, -1, -1), (-1001, -1, -2)],
)
def test_costs_round_up_and_balances_down(msat: int, cost: int, balance: int) -> None:
    assert cost_in_sat(Msat(msat)) == cost
    assert balance_in_sat(Msat(msat)) == balance


@given(amounts)
def test_rounding_to_satoshi_is_the_exact_quotient_rounded(amount: Msat) -> None:
    assert cost_in_sat(amount) == ceil(Fraction(amount, 1000))
    assert balance_in_sat(amount) == floor(Fraction(amount, 1000))


@given(st.integers(0, MAX_MONEY_MSAT // 1000).map(Sat))
def test_whole_satoshi_come_back_from_msat_whichever_way_they_round(amount: Sat) -> None:
    assert cost_in_sat(to_msat(amount)) == balance_in_sat(to_msat(amount)) == amount


@pytest.mark.parametrize(
    ("amount", "base", "ppm", "expected"),
    [
        (4_999_999, 200, 2000, 10_199),  # the worked example of BOLT 7: 200 + 4999999 × 2000 / 1000000
        (0, 0, 100, 0),
        (9_999, 0, 100, 0),  # 0.9999 msat
        (10_000, 0, 100, 1),
        (19_999, 7, 100, 8),
        (1_000_000_000, 0, 0, 0),
        (MAX_MONEY_MSAT, 0, 1_000_000, MAX_MONEY_MSAT),
    ],
)
def test_a_forward_costs_what_bolt_7_says(amount: int, base: int, ppm: int, expected: int) -> None:
    assert forward_fee(Msat(amount), base_fee=Msat(base), fee_ppm=Ppm(ppm)) == expected


@given(amount=money, base=st.integers(0, 2**32 - 1).map(Msat), ppm=st.integers(0, 2**32 - 1).map(Ppm))
def test_only_the_proportional_part_of_a_fee_is_rounded_and_down(amount: Msat, base: Msat, ppm: Ppm) -> None:
    assert forward_fee(amount, base_fee=base, fee_ppm=ppm) == base + floor(Fraction(amount * ppm, 1_000_000))


@pytest.mark.parametrize(
    ("part", "whole", "expected"),
    [
        (1, 1_000_000, 1),
        (1, 2_000_000, 1),
        (1, 2_000_001, 0),
        (3, 2_000_000, 2),
        (-1, 1_000_000, -1),
        (5, 5, 1_000_000),
    ],
)
def test_a_share_in_ppm_is_rounded_to_the_nearest(part: int, whole: int, expected: int) -> None:
    assert to_ppm(Msat(part), Msat(whole)) == expected


@pytest.mark.parametrize("whole", [0, -1])
def test_a_share_of_nothing_is_unknown(whole: int) -> None:
    assert to_ppm(Msat(7), Msat(whole)) is None


@given(part=money, whole=st.integers(1, MAX_MONEY_MSAT).map(Msat))
def test_a_share_in_ppm_is_never_off_by_more_than_half(part: Msat, whole: Msat) -> None:
    found = to_ppm(part, whole)
    assert found is not None
    assert abs(found - Fraction(part * 1_000_000, whole)) <= Fraction(1, 2)


@given(block=st.integers(0, 2**24 - 1), transaction=st.integers(0, 2**24 - 1), output=st.integers(0, 2**16 - 1))
@example(block=2**23 - 1, transaction=2**24 - 1, output=2**16 - 1)
@example(block=2**23, transaction=0, output=0)
@example(block=2**24 - 1, transaction=2**24 - 1, output=2**16 - 1)
def test_every_scid_comes_back_from_its_key_and_the_key_fits_a_column(
    block: int, transaction: int, output: int
) -> None:
    scid = f"{block}x{transaction}x{output}"
    key = scid_to_key(scid)
    assert -(2**63) <= key < 2**63
    assert key_to_scid(key) == scid


@given(st.integers(-(2**63), 2**63 - 1))
def test_every_key_comes_back_from_its_scid(key: int) -> None:
    assert scid_to_key(key_to_scid(key)) == key


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "1x1",
        "1x1x1x1",
        "x1x1",
        "1x1x",
        "-1x1x1",
        "+1x1x1",
        "1 x1x1",
        "1X1X1",
        "1:1:1",
        "1_0x1x1",
        "٣x1x1",
        "²x1x1",
        "16777216x0x0",
        "0x16777216x0",
        "0x0x65536",
        "9" * 5000 + "x1x1",
    ],
)
def test_what_is_not_a_short_channel_id_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        scid_to_key(text)


@given(st.text(max_size=30) | st.from_regex(r"\A[0-9x]{0,30}\Z"))
def test_any_text_is_a_key_of_its_own_or_refused(text: str) -> None:
    try:
        key = scid_to_key(text)
    except ValueError:
        return
    assert [int(part) for part in key_to_scid(key).split("x")] == [int(part) for part in text.split("x")]
