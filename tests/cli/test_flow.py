"""`revenuectl flow`: every channel a line; of one channel all that its traffic says, and what it sold for."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from rich.cells import cell_len

from tests.cli import samples
from tests.cli.conftest import Daemon
from tests.cli.test_channels import HOSTILE
from tests.cli.test_status import row

Shown = Callable[..., str]


def test_a_channel_is_a_line_with_rates_direction_and_state(shown: Shown) -> None:
    line = row(shown("flow", samples.flows(), "flow", columns=200), samples.SCID)
    assert line.split() == [
        *(samples.SCID, "some-peer", "source", "93", "%", "1,234,567", "2,345,678", "42", "%"),
        *("1.9", "d", "-", "72", "%"),
    ]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"congested": True}, "source, congested"),
        ({"state": "dormant"}, "dormant"),
        ({"days_to_empty": None, "days_to_fill": 99.94}, "99.9 d"),
        ({"days_to_fill": 12_345.6}, "12,346 d"),
        ({"scid": None}, "f0f0f0f0f0…f0f0f0"),
        ({"alias": None}, "unknown"),
    ],
)
def test_what_is_special_about_a_channel_shows(shown: Shown, changes: dict[str, Any], said: str) -> None:
    assert said in shown("flow", samples.flows(samples.flow(**changes)), "flow", columns=200)


def test_below_the_table_stands_what_it_is_about(shown: Shown) -> None:
    text = shown("flow", samples.flows(samples.flow(), samples.flow()), "flow")
    assert text.splitlines()[-1] == (
        "2 channels at 2026-05-01 12:00:00Z; 7 days, newer ones weigh more; amounts in sat"
    )


def test_one_channel_is_shown_with_its_htlcs_both_ways(daemon: Daemon, shown: Shown) -> None:
    text = shown("flow", samples.flows(), "flow", samples.SCID)
    assert daemon.asked == [("flow", {"channel": samples.SCID})]
    assert text.startswith(f"{samples.SCID} with some-peer\n")
    assert "1,234,567 sat a day, 12 forwards in the window" in row(text, "in ")
    assert "2,345,678 sat a day, 3,456 forwards in the window" in row(text, "out")
    assert "1.9 d" in row(text, "empty in")
    assert row(text, "full in").split() == ["full", "in", "-"]
    assert row(text, "HTLCs in").split(maxsplit=2)[2] == "3 of 30 slots (1 dust), 1,500,000 of 5,000,000 sat"
    assert row(text, "HTLCs out").split(maxsplit=2)[2] == "0 of 483 slots, 0 sat"
    assert "What it sold" not in text


def test_what_it_sold_at_which_price_is_a_table(shown: Shown) -> None:
    result = samples.flows(exposures=[samples.exposure(), samples.exposure(fee_ppm=310, earned_msat=0)])
    text = shown("flow", result, "flow", samples.SCID, columns=120)
    first, second = (line.split() for line in text.splitlines() if "2026-04-30" in line)
    assert first == [
        *("2026-04-30", "12:00:00Z", "2026-05-01", "11:00:00Z", "250", "42", "123,456,789", "30,864", "96", "%"),
    ]
    assert second[4:8] == ["310", "42", "123,456,789", "0"]


@pytest.mark.parametrize("columns", [60, 80, 160])
def test_no_line_is_wider_than_the_screen(shown: Shown, columns: int) -> None:
    rows = [samples.flow(alias=alias, in_msat_per_day=999_999_999_000, congested=True) for alias in HOSTILE]
    for text in (
        shown("flow", samples.flows(*rows), "flow", columns=columns),
        shown("flow", samples.flows(rows[0], exposures=[samples.exposure()]), "flow", samples.SCID, columns=columns),
    ):
        assert max(map(cell_len, text.splitlines())) <= columns
        assert ("999,999,999" in text) != ("in/day" in text.partition("not shown for want of width")[2])


@pytest.mark.parametrize("alias", HOSTILE)
@pytest.mark.parametrize("arguments", [("flow",), ("flow", samples.SCID)])
def test_an_alias_cannot_command_the_terminal(shown: Shown, alias: str, arguments: tuple[str, ...]) -> None:
    text = shown("flow", samples.flows(samples.flow(alias=alias)), *arguments)
    assert all(character.isprintable() or character == "\n" for character in text)


def test_json_is_the_daemons_answer_as_it_is(shown: Shown) -> None:
    result = samples.flows(samples.flow(alias=HOSTILE[0]), exposures=[samples.exposure()])
    assert json.loads(shown("flow", result, "flow", "--json")) == result
