"""`revenuectl channels`: one line a channel that stays one line, whatever peers call themselves."""

from collections.abc import Callable
from typing import Any

import pytest
from rich.cells import cell_len

from tests.cli import samples
from tests.cli.test_status import row

Shown = Callable[..., str]

HOSTILE = (
    "\x1b[2J\x1b[31mred",
    "line\nbreak\r\ttab",
    "[bold red]markup[/] [link=http://x]",
    ":skull: ::",
    "\u202eabcdef\u202c reversed \u2066",
    "\u200b\u200dzero\ufeff",
    "日本語の名前がとても長い場合です",
    "⚡️🔥 node 🔥⚡️",
    "z\u0300\u0301\u0302\u0303\u0304a\u0300lgo",
    "\ud800 lone",
    "\x9b31m c1",
    "x" * 5000,
    "",
    " ",
    "\U000e0041 tag",
)


def test_a_channel_is_a_line_with_balance_price_and_income(shown: Shown) -> None:
    line = row(shown("channels", samples.channels(), "channels", columns=200), samples.SCID)
    assert line.split() == [
        *(samples.SCID, "some-peer", "normal", "5,000,000", "42", "%", "250", "310", "hysteresis", "sink"),
        *("1,234,567", "2,345,678", "3,456", "9.876"),
    ]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"connected": False}, "offline"),
        ({"fee_ppm": None}, "unknown"),
        ({"in_msat_per_day": None}, "unknown"),
        ({"alias": None}, "unknown"),
        ({"state": "CHANNELD_AWAITING_LOCKIN"}, "awaiting lockin"),
        ({"state": "ONCHAIN"}, "onchain"),
        ({"scid": None}, "f0f0f0f0f0…f0f0f0"),
        ({"held_by": None}, " held "),
        ({"outcome": None, "held_by": None, "target_ppm": None}, " - "),
    ],
)
def test_what_is_special_about_a_channel_shows(shown: Shown, changes: dict[str, Any], said: str) -> None:
    assert said in shown("channels", samples.channels(samples.channel(**changes)), "channels", columns=200)


@pytest.mark.parametrize("columns", [None, 40, 80, 100, 160])
def test_no_line_is_wider_than_the_screen_and_no_number_is_cut(shown: Shown, columns: int | None) -> None:
    rows = [samples.channel(alias=alias, earned_msat=123_456_789_012_000) for alias in HOSTILE]
    text = shown("channels", samples.channels(*rows), "channels", columns=columns)
    lines = text.splitlines()
    assert max(map(cell_len, lines)) <= (columns or 100)
    assert sum(samples.SCID in line for line in lines) == len(rows)
    assert "earned" in text
    assert ("123,456,789,012" in text) != (
        "not shown for want of width" in text and "earned" in text.split("not shown")[1]
    )


@pytest.mark.parametrize("alias", HOSTILE)
def test_an_alias_can_neither_command_the_terminal_nor_reorder_the_line(shown: Shown, alias: str) -> None:
    text = shown("channels", samples.channels(samples.channel(alias=alias)), "channels")
    assert all(character.isprintable() or character == "\n" for character in text)
    line = row(text, samples.SCID)
    assert " 250 " in line
    assert line.index(samples.SCID) < line.index("250")


def test_markup_in_an_alias_is_shown_and_not_obeyed(shown: Shown) -> None:
    text = shown("channels", samples.channels(samples.channel(alias="[red]x[/red]:bug:")), "channels")
    assert "[red]x[/red]:bug:" in text


def test_what_could_not_be_read_is_listed_below(shown: Shown) -> None:
    text = shown("channels", samples.channels(skipped=[{"what": "c\x1b1", "why": "w\u202ey"}]), "channels")
    assert "c\\x1b1: w\\u202ey" in text


def test_a_node_without_channels(shown: Shown) -> None:
    empty = {"as_of": samples.NOW, "channels": [], "skipped": []}
    assert shown("channels", empty, "channels") == "No channels are known.\n"
