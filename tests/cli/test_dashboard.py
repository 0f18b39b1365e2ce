"""`revenuectl dashboard` shows the money as it is, and says where it is not known."""

from collections.abc import Callable

import pytest

from tests.cli import samples
from tests.cli.conftest import Daemon, Run
from tests.cli.test_status import row

Shown = Callable[..., str]


def test_earned_paid_and_net_come_first_with_their_rates(shown: Shown) -> None:
    lines = shown("dashboard", samples.dashboard(), "dashboard").splitlines()
    assert lines[0] == "Last 30 days, 2026-04-01 to 2026-05-01"
    assert lines[1].split(maxsplit=1) == ["earned", "12,345 sat, 309 ppm of volume"]
    assert lines[2].split(maxsplit=1) == [
        "paid",
        "1,235 sat, 31 ppm of volume; refills 1,000 sat of it, on chain 236 sat",
    ]
    assert lines[3].split(maxsplit=1) == ["net", "11,111 sat, 278 ppm of volume"]


def test_margins_net_worth_and_traffic_are_shown(shown: Shown) -> None:
    text = shown("dashboard", samples.dashboard(), "dashboard")
    assert "90.0 %" in row(text, "operating margin")
    assert "3.5 % a year" in row(text, "return on capital")
    assert "51,000,000 sat" in row(text, "net worth")
    assert "40,000,000 sat" in row(text, "our side of the channels")
    assert "4,321, volume 40,000,000 sat" in row(text, "forwards")
    assert "1,001 further on, 77 here" in row(text, "failed")
    assert row(text, samples.SCID).split() == [samples.SCID, "best-peer", "5,000", "9,000,000", "800"]
    assert row(text, "fees changed in 24 h").endswith(" 14")
    assert "done, 10 min ago" in row(text, "last fee cycle")


def test_dry_run_is_the_first_line_and_is_said_once(shown: Shown) -> None:
    text = shown("dashboard", samples.dashboard(dry_run=True, notes=[samples.DRY_RUN_NOTE, "other"]), "dashboard")
    assert text.startswith("Dry run:")
    assert text.count("Dry run") == 1
    assert "\nother\n" in text


def test_dry_run_is_said_even_when_the_daemon_sent_no_note(shown: Shown) -> None:
    assert shown("dashboard", samples.dashboard(dry_run=True), "dashboard").startswith("Dry run:")


@pytest.mark.parametrize("notes", [[], ["Paused: since noon."], [samples.DRY_RUN_NOTE, "Paused: since noon."]])
def test_a_pause_is_said_once_and_first(shown: Shown, notes: list[str]) -> None:
    text = shown("dashboard", samples.dashboard(paused=True, notes=notes), "dashboard")
    assert text.startswith("Paused")
    assert text.count("Paused") == 1


@pytest.mark.parametrize(
    ("field", "name"),
    [
        ("period__gross_revenue_msat", "earned"),
        ("period__earned_ppm", "earned"),
        ("period__opex_msat", "paid"),
        ("period__rebalance_cost_msat", "paid"),
        ("period__net_profit_msat", "net"),
        ("financial_health__operating_margin_pct", "operating margin"),
        ("financial_health__annualized_roc_pct", "return on capital"),
        ("financial_health__tlv_msat", "net worth"),
        ("tlv__onchain_confirmed_msat", "on chain"),
        ("period__volume_msat", "forwards"),
        ("channels", "channels"),
    ],
)
def test_what_is_unknown_is_called_unknown_and_never_0(shown: Shown, field: str, name: str) -> None:
    line = row(shown("dashboard", samples.dashboard(**{field: None}), "dashboard"), name)
    assert "unknown" in line
    assert " 0 " not in line
    assert "None" not in line
    assert "unknown sat" not in line


def test_before_the_first_snapshot_net_worth_by_place_is_unknown(shown: Shown) -> None:
    text = shown("dashboard", samples.dashboard(tlv=None, financial_health__tlv_msat=None), "dashboard")
    assert "unknown: no snapshot has been taken yet" in text


def test_a_node_that_has_done_nothing_yet(shown: Shown) -> None:
    period = {name: 0 for name in samples.dashboard()["period"] if name.endswith(("msat", "sats", "forwards"))}
    changes = {f"period__{name}": number for name, number in period.items()}
    text = shown("dashboard", samples.dashboard(**changes, period__earned_ppm=None, best=[]), "dashboard")
    assert "0 sat, unknown of volume" in row(text, "earned")
    assert "Best channels" not in text


def test_a_loss_is_negative_and_rounded_against_us(shown: Shown) -> None:
    text = shown("dashboard", samples.dashboard(period__net_profit_msat=-20_000_001), "dashboard")
    assert "-20,001 sat, -500 ppm" in row(text, "net")


def test_small_sums_keep_their_msat(shown: Shown) -> None:
    changes = {
        "period__gross_revenue_msat": 9_999,
        "period__opex_msat": 1,
        "period__rebalance_cost_msat": 0,
        "period__net_profit_msat": -5,
    }
    text = shown("dashboard", samples.dashboard(**changes), "dashboard")
    assert "9.999 sat" in row(text, "earned")
    assert "0.001 sat" in row(text, "paid")
    assert "refills 0 sat" in row(text, "paid")
    assert "-0.005 sat" in row(text, "net")


def test_warnings_and_omissions_are_printed(shown: Shown) -> None:
    text = shown("dashboard", samples.dashboard(warnings=["1x2x3 paid 50 sat and earned 3 sat"]), "dashboard")
    assert "* 1x2x3 paid 50 sat and earned 3 sat" in text
    assert "* On-chain costs" in text


@pytest.mark.parametrize(("given", "days"), [("30d", 30), ("7", 7), ("4w", 28), ("365D", 365)])
def test_the_window_is_asked_for_in_days(daemon: Daemon, run: Run, given: str, days: int) -> None:
    daemon.answers["dashboard"] = samples.dashboard(period__window_days=days)
    ended = run("--control", str(daemon.path), "dashboard", "--window", given)
    assert daemon.asked == [("dashboard", {"window_days": days})]
    assert f"Last {days} days" in ended.stdout
    assert ("net of 30 days" in ended.stdout) == (days != 30)


@pytest.mark.parametrize("given", ["0", "-3", "soon", "30x", "1.5d", "", "9" * 400])
def test_a_window_that_is_none_is_a_usage_error(daemon: Daemon, run: Run, given: str) -> None:
    ended = run("--control", str(daemon.path), "dashboard", f"--window={given}")
    assert ended.exit_code == 2
    assert "such as 30d" in ended.stderr
    assert daemon.asked == []
