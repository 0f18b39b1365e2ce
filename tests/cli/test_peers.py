"""`revenuectl peers`: one line a peer, those who bring most first; what nobody saw is unknown, not away."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from rich.cells import cell_len

from tests.cli import samples
from tests.cli.test_channels import HOSTILE

Shown = Callable[..., str]
SHORT = "03cdcdcdcd…cdcdcd"


def lines_of(text: str) -> list[str]:
    return [line for line in text.splitlines() if SHORT in line]


def test_a_peer_is_a_line_with_presence_reputation_and_traffic(shown: Shown) -> None:
    (line,) = lines_of(shown("peers", samples.peers(samples.peer()), "peers", columns=200))
    assert line.split() == [
        *(SHORT, "some-peer", "2", "yes", "100", "%", "98", "%", "87", "%", "1,234,567", "2,345,678", "3,456", "9.876"),
    ]


@pytest.mark.parametrize(
    ("changes", "place", "said"),
    [
        ({"connected": False}, 3, "no"),
        ({"connected": None, "channels": 0}, 3, "unknown"),
        ({"uptime_24h": None}, 4, "unknown"),
        ({"uptime_24h": 0.0}, 4, "0"),
        ({"uptime_7d": None}, 6, "unknown"),
        ({"reputation": None, "reputation_evidence": None}, 8, "unknown"),
        ({"alias": None}, 1, "unknown"),
    ],
)
def test_what_is_not_known_is_called_unknown_and_never_zero(
    shown: Shown, changes: dict[str, Any], place: int, said: str
) -> None:
    (line,) = lines_of(shown("peers", samples.peers(samples.peer(**changes)), "peers", columns=200))
    assert line.split()[place] == said


def test_those_who_bring_most_come_first_as_way_out_and_as_way_in(shown: Shown) -> None:
    rows = [
        samples.peer(alias="little", earned_msat=1_000, sourced_msat=1_000),
        samples.peer(alias="payer", earned_msat=0, sourced_msat=9_000_000),
        samples.peer(alias="shop", earned_msat=5_000_000, sourced_msat=0),
    ]
    assert [line.split()[1] for line in lines_of(shown("peers", samples.peers(*rows), "peers", columns=160))] == [
        "payer", "shop", "little",
    ]  # fmt: skip


def test_a_node_without_peers(shown: Shown) -> None:
    assert shown("peers", samples.peers(), "peers") == "No peers are known.\n"


@pytest.mark.parametrize("columns", [60, 80, 160])
def test_no_line_is_wider_than_the_screen_and_no_number_is_cut(shown: Shown, columns: int) -> None:
    rows = [samples.peer(alias=alias, earned_msat=999_999_999_000) for alias in HOSTILE]
    text = shown("peers", samples.peers(*rows), "peers", columns=columns)
    assert max(map(cell_len, text.splitlines())) <= columns
    assert len(lines_of(text)) == len(rows)
    assert (text.count("999,999,999") == len(rows)) != ("earned" in text.partition("not shown for want of width")[2])
    assert columns < 80 or "earned" not in text.partition("not shown for want of width")[2]


@pytest.mark.parametrize("alias", HOSTILE)
def test_an_alias_can_neither_command_the_terminal_nor_reorder_the_line(shown: Shown, alias: str) -> None:
    text = shown("peers", samples.peers(samples.peer(alias=alias)), "peers")
    assert all(character.isprintable() or character == "\n" for character in text)
    (line,) = lines_of(text)
    assert line.index(SHORT) < line.index(" 100 %")


def test_json_is_the_daemons_answer_as_it_is(shown: Shown) -> None:
    result = samples.peers(samples.peer(alias=HOSTILE[0]), samples.peer(connected=None))
    assert json.loads(shown("peers", result, "peers", "--json")) == result
