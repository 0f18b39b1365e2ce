"""`revenuectl config` reads options and changes several at once."""

from collections.abc import Callable

import pytest

from tests.cli import samples
from tests.cli.conftest import Daemon, Run
from tests.cli.test_status import row

Shown = Callable[..., str]


def test_all_options_are_listed_with_value_default_and_origin(shown: Shown) -> None:
    text = shown("config", samples.OPTIONS, "config", "list", columns=160)
    assert row(text, "min_fee_ppm").split()[:7] == ["min_fee_ppm", "25", "ppm", "10", "ppm", "config", "set"]
    assert "No price below this is ever broadcast. Allowed: whole number from 0 to 100000 ppm." in row(
        text, "min_fee_ppm"
    )
    assert row(text, "scarcity_threshold").split()[1:5] == ["30", "%", "30", "%"]
    assert "revenued.toml" in row(text, "dry_run")
    assert "generation 7" in text


def test_the_list_fits_a_narrow_screen(shown: Shown) -> None:
    text = shown("config", samples.OPTIONS, "config", "list", columns=80)
    assert max(map(len, text.splitlines())) <= 80
    assert "not shown for want of width: default" in text
    assert "No price below this is ever broadcast." in " ".join(line[45:] for line in text.splitlines())


def test_one_option_is_shown_with_its_help(daemon: Daemon, shown: Shown) -> None:
    text = shown("config", samples.option() | {"generation": 7}, "config", "get", "min_fee_ppm")
    assert daemon.asked == [("config", {"action": "get", "key": "min_fee_ppm"})]
    assert text.startswith("min_fee_ppm = 25 ppm\n")
    assert "No price below this is ever broadcast." in text
    assert row(text, "default").split() == ["default", "10", "ppm"]


def test_several_options_are_changed_in_one_call(daemon: Daemon, shown: Shown) -> None:
    changed = [{"key": "min_fee_ppm", "old": 10, "new": 25}, {"key": "dry_run", "old": True, "new": False}]
    result = {"generation": 8, "changed": changed, "notes": ["revenued is live now"]}
    text = shown("config", result, "config", "set", "min_fee_ppm", "25", "dry_run", "false")
    assert daemon.asked == [("config", {"action": "set", "values": {"min_fee_ppm": "25", "dry_run": "false"}})]
    assert text == "min_fee_ppm: 10 → 25\ndry_run: true → false\nrevenued is live now\n"


def test_setting_what_is_set_already_is_said(shown: Shown) -> None:
    result = {"generation": 8, "changed": [], "notes": []}
    assert "Nothing was changed" in shown("config", result, "config", "set", "dry_run", "true")


def test_a_negative_value_is_a_value_and_no_option(daemon: Daemon, shown: Shown) -> None:
    shown("config", {"generation": 8, "changed": [], "notes": []}, "config", "set", "min_fee_ppm", "-5")
    assert daemon.asked[0][1]["values"] == {"min_fee_ppm": "-5"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "Missing argument"),
        (("min_fee_ppm",), "'min_fee_ppm' has none"),
        (("a", "1", "b"), "'b' has none"),
        (("a", "1", "a", "2"), "a: given twice"),
    ],
)
def test_pairs_that_are_none_are_a_usage_error(daemon: Daemon, run: Run, arguments: tuple[str, ...], said: str) -> None:
    ended = run("--control", str(daemon.path), "config", "set", *arguments)
    assert ended.exit_code == 2
    assert said in ended.stderr
    assert daemon.asked == []
