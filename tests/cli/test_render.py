"""How amounts, ratios, instants and foreign text become text."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from revenued.cli import render
from revenued.cli.escape import cut, plain
from revenued.cli.layout import Column, table

MSAT = st.integers(-(10**18), 10**18)


@pytest.mark.parametrize(
    ("msat", "income", "spent"),
    [
        (None, "unknown", "unknown"),
        (0, "0", "0"),
        (1, "0.001", "0.001"),
        (9_999, "9.999", "9.999"),
        (10_000, "10", "10"),
        (10_001, "10", "11"),
        (1_234_567_999, "1,234,567", "1,234,568"),
        (-1, "-0.001", "-0.001"),
        (-9_999, "-9.999", "-9.999"),
        (-10_001, "-11", "-10"),
    ],
)
def test_income_is_rounded_down_and_cost_up(msat: int | None, income: str, spent: str) -> None:
    assert (render.amount(msat), render.cost(msat)) == (income, spent)


@given(MSAT)
def test_what_is_shown_is_never_more_than_a_sat_off(msat: int) -> None:
    shown = [round(float(text.replace(",", "")) * 1000) for text in (render.amount(msat), render.cost(msat))]
    if abs(msat) < 10_000:
        assert shown == [msat, msat]
    elif abs(msat) < 10**15:
        assert shown[0] <= msat <= shown[1]
        assert shown[1] - shown[0] in (0, 1000)


@given(st.text(alphabet=st.characters()))
def test_foreign_text_is_one_line_that_commands_nothing(text: str) -> None:
    shown = plain(text)
    assert all(character.isprintable() for character in shown)
    assert not {unicodedata.bidirectional(character) for character in shown} & {
        "RLO",
        "LRO",
        "RLE",
        "LRE",
        "RLI",
        "LRI",
    }
    assert plain(shown) == shown or "\\" in shown


@given(st.text(), st.integers(1, 30))
def test_cut_text_never_takes_more_than_its_columns(text: str, cells: int) -> None:
    assert cell_len(cut(plain(text), cells)) <= cells


@pytest.mark.parametrize(
    ("iso", "shown"),
    [
        (None, "unknown"),
        ("2026-05-01T12:00:00Z", "2026-05-01 12:00:00Z"),
        ("2026-05-01T14:00:00.999+02:00", "2026-05-01 12:00:00Z"),
        ("soon\x1b", "soon\\x1b"),
    ],
)
def test_an_instant_is_shown_in_utc_and_marked_so(iso: str | None, shown: str) -> None:
    assert render.instant(iso) == shown


@pytest.mark.parametrize(
    ("iso", "shown"),
    [
        ("2026-05-01T11:59:59.9Z", "now"),
        ("2026-05-01T11:59:00Z", "60 s ago"),
        ("2026-05-01T11:00:00Z", "60 min ago"),
        ("2026-05-01T14:00:00Z", "in 2 h"),
        ("2026-04-01T12:00:00Z", "30 d ago"),
        (None, "unknown"),
    ],
)
def test_a_distance_in_time_is_told_in_whole_units(iso: str | None, shown: str) -> None:
    assert render.distance(iso, "2026-05-01T12:00:00Z") == shown


@pytest.mark.parametrize(
    ("given", "unit", "shown"),
    [
        (True, "", "true"),
        (False, "", "false"),
        (1800, "s", "1800 s"),
        (0.05, "ratio", "5 %"),
        (2.0, "updates", "2 updates"),
        ("hill_climb", "", "hill_climb"),
        (None, "ppm", "unknown"),
    ],
)
def test_an_options_value_is_shown_as_it_is_typed(given: object, unit: str, shown: str) -> None:
    assert render.setting(given, unit) == shown


def test_a_rate_of_nothing_is_unknown() -> None:
    assert render.rate_of(5, 0) == "unknown"
    assert render.rate_of(None, 5) == "unknown"
    assert render.rate_of(1, 1_000_000) == "1"


@given(
    st.lists(st.tuples(st.integers(0, 10**15), st.text(max_size=60), st.text(max_size=60)), min_size=1, max_size=4),
    st.integers(20, 120),
)
def test_a_table_fits_whatever_stands_in_it(rows: list[tuple[int, str, str]], width: int) -> None:
    columns = (Column("id"), Column("sum", "number"), Column("name", "name", rank=1), Column("why", "words", rank=2))
    cells = [("x", f"{number:,}", plain(name), plain(why)) for number, name, why in rows]
    out = Console(width=width, markup=False, emoji=False, highlight=False)
    with out.capture() as drawn:
        out.print(table(columns, cells, width=width))
    lines = drawn.get().splitlines()
    assert max(map(cell_len, lines)) <= width
    is_left_out = "for want of width: sum" in " ".join(drawn.get().split())
    assert is_left_out or all(any(f"{number:,}" in line for line in lines) for number, *_ in rows)
