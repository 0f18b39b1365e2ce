"""`revenuectl rebalance list`: what would be filled and drained, by which rule, and that nothing is paid."""

import json
from collections.abc import Callable

import pytest
from rich.cells import cell_len

from tests.cli import samples
from tests.cli.conftest import Daemon, Run
from tests.cli.test_channels import HOSTILE
from tests.cli.test_status import row

Shown = Callable[..., str]
NEITHER = samples.candidate(
    role="neither", amount_msat=0, scid="800000x2x0", why="outbound share 0.50 is neither low nor high"
)


def listed(shown: Shown, *rows: dict[str, object], more: tuple[str, ...] = (), columns: int = 160) -> str:
    return shown("rebalance-list", samples.candidates(*rows), "rebalance", "list", *more, columns=columns)


def test_that_nothing_is_paid_stands_first(shown: Shown) -> None:
    assert listed(shown, samples.candidate()).startswith("This version pays for no refill;")


def test_a_candidate_is_a_line_with_its_amount_and_its_rule(shown: Shown) -> None:
    line = row(listed(shown, samples.candidate()), samples.SCID)
    assert line.split(maxsplit=7) == [
        samples.SCID, "some-peer", "fill", "8", "%", "1,200,000", "310",
        "outbound share 0.08 is below low_liquidity_threshold 0.2",
    ]  # fmt: skip


def test_channels_that_are_neither_are_shown_only_on_request(shown: Shown) -> None:
    assert "800000x2x0" not in listed(shown, samples.candidate(), NEITHER)
    text = listed(shown, samples.candidate(), NEITHER, more=("--all",))
    assert "neither low nor high" in row(text, "800000x2x0")
    assert text.index(samples.SCID) < text.index("800000x2x0"), "in the daemon's order"


@pytest.mark.parametrize("rows", [(), (NEITHER,)])
def test_nothing_to_do_is_a_sentence(shown: Shown, rows: tuple[dict[str, object], ...]) -> None:
    assert listed(shown, *rows).splitlines()[-1] == "No channel would be filled or drained."


def test_a_price_that_nobody_knows_is_unknown(shown: Shown) -> None:
    assert " unknown " in row(listed(shown, samples.candidate(out_ppm=None)), samples.SCID)


@pytest.mark.parametrize("columns", [80, 100, 160])
def test_no_line_is_wider_than_the_screen_and_reasons_are_wrapped_whole(shown: Shown, columns: int) -> None:
    why = " ".join(f"word{number}" for number in range(30))
    rows = [samples.candidate(alias=alias, why=why) for alias in HOSTILE]
    text = listed(shown, *rows, columns=columns)
    assert max(map(cell_len, text.splitlines())) <= columns
    assert text.split().count("word29") == len(rows)
    assert text.count("1,200,000") == len(rows)


@pytest.mark.parametrize("alias", HOSTILE)
def test_an_alias_cannot_command_the_terminal(shown: Shown, alias: str) -> None:
    text = listed(shown, samples.candidate(alias=alias))
    assert all(character.isprintable() or character == "\n" for character in text)
    assert " fill " in row(text, samples.SCID)


def test_json_is_the_daemons_answer_as_it_is_also_of_those_that_are_neither(shown: Shown) -> None:
    result = samples.candidates(samples.candidate(alias=HOSTILE[0]), NEITHER)
    assert json.loads(shown("rebalance-list", result, "rebalance", "list", "--json")) == result


def test_it_is_asked_without_parameters_and_takes_no_channel(daemon: Daemon, run: Run, shown: Shown) -> None:
    listed(shown, samples.candidate())
    assert daemon.asked == [("rebalance-list", {})]
    assert run("--control", str(daemon.path), "rebalance", "list", samples.SCID).exit_code == 2
    assert run("--control", str(daemon.path), "rebalance", "now").exit_code == 2
