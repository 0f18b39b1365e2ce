"""`revenuectl fees` shows each step of a price, and what held it back."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.cli import samples
from tests.cli.conftest import Daemon, Run
from tests.cli.test_status import row

Shown = Callable[..., str]


def test_each_step_is_a_line_in_the_order_of_the_rules(shown: Shown) -> None:
    text = shown("fees-explain", samples.explanation(), "fees", "explain", samples.SCID)
    steps = [line.split(maxsplit=3) for line in text.splitlines() if "learned" in line or "premium" in line]
    assert steps == [
        ["learned_base_price", "250", "240", "hill climber goes down"],
        ["scarcity_premium", "240", "310", "outbound 0.21 of 0.30, ×1.29"],
    ]
    assert text.index("scarcity_premium") < text.index("operator_bounds")


def test_the_gate_that_held_says_why_and_until_when(shown: Shown) -> None:
    text = " ".join(shown("fees-explain", samples.explanation(), "fees", "explain", samples.SCID).split())
    assert "live 250 ppm" in text
    assert "target 310 ppm" in text
    assert (
        "held by minimum_interval: last broadcast 20 min ago, min_fee_change_interval is 1 h, "
        "until 2026-05-01 12:30:00Z" in text
    )
    assert "last told 250 ppm, 2026-05-01 11:30:00Z" in text


@pytest.mark.parametrize(
    ("changes", "name", "said"),
    [
        ({"outcome": "broadcast", "held_by": None}, "outcome", "the node was told"),
        ({"outcome": "dry_run", "held_by": None}, "outcome", "this is a dry run"),
        ({"outcome": "unknown", "held_by": None}, "outcome", "may have been made"),
        ({"outcome": "something new"}, "outcome", "something new"),
        ({"live_base_fee_msat": 1000}, "live", "250 ppm + 1,000 msat"),
        ({"live_ppm": None}, "live", "unknown"),
        ({"live_base_fee_msat": None}, "live", "unknown base fee"),
        ({"target_ppm": None}, "target", "unknown"),
        ({"target_ppm": None, "outcome": "left_alone"}, "target", "none, the channel is left alone"),
        ({"last_broadcast": None}, "last told", "never by revenued"),
        (
            {"last_broadcast": {"ppm": 250, "base_fee_msat": 1, "at": None}},
            "last told",
            "never by revenued; found at 250 ppm + 1 msat",
        ),
        ({"decided_at": None}, "decided", "not yet"),
        ({"pending": {"ppm": 310, "since": samples.NOW}}, "waiting", "310 ppm since 2026-05-01 12:00:00Z"),
        (
            {"outside": {"ppm": 5, "base_fee_msat": 0, "seen_at": samples.NOW}},
            "set by others",
            "5 ppm, seen 2026-05-01 12:00:00Z",
        ),
    ],
)
def test_what_is_special_about_a_price_shows(shown: Shown, changes: dict[str, Any], name: str, said: str) -> None:
    text = shown("fees-explain", samples.explanation(**changes), "fees", "explain", samples.SCID)
    assert said in row(text, name)


def test_dry_run_warnings_and_a_price_without_steps(shown: Shown) -> None:
    result = samples.explanation(dry_run=True, warnings=["floor above maximum"], steps=[])
    text = shown("fees-explain", result, "fees", "explain", samples.SCID)
    assert text.startswith("Dry run")
    assert "* floor above maximum" in text
    assert "no rule had a say" in text


def test_a_long_reason_is_wrapped_and_loses_nothing(shown: Shown) -> None:
    why = " ".join(f"word{number}" for number in range(60))
    steps = [{"rule": "economic_floor", "from_ppm": 1, "to_ppm": 100_000, "why": why}]
    text = shown("fees-explain", samples.explanation(steps=steps), "fees", "explain", samples.SCID, columns=80)
    assert max(map(len, text.splitlines())) <= 80
    assert all(f"word{number}" in text.split() for number in range(60))
    assert "100,000" in text


def test_changes_are_listed_with_who_made_them(shown: Shown) -> None:
    outside = samples.change(kind="outside", from_ppm=None, to_ppm=5, to_base_fee_msat=1000, why=None)
    text = shown("fees-history", {"changes": [samples.change(), outside]}, "fees", "history", columns=160)
    first, second = (line for line in text.splitlines() if samples.SCID in line)
    assert first.split()[:7] == ["2026-05-01", "11:30:00Z", samples.SCID, "some-peer", "broadcast", "200", "250"]
    assert "hill climber goes up" in first
    assert "outside" in second
    assert "unknown  5 ppm + 1,000 msat" in second


def test_an_empty_history_is_a_sentence(shown: Shown) -> None:
    assert shown("fees-history", {"changes": []}, "fees", "history") == "No price was changed yet.\n"


def test_history_asks_for_one_channel_or_all(daemon: Daemon, run: Run) -> None:
    daemon.answers["fees-history"] = {"changes": []}
    run("--control", str(daemon.path), "fees", "history")
    run("--control", str(daemon.path), "fees", "history", samples.SCID, "--limit", "5")
    assert [params for _, params in daemon.asked] == [{"limit": 50}, {"channel": samples.SCID, "limit": 5}]
