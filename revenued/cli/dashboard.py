"""`revenuectl dashboard`: what was earned, what it cost, and what is owned."""

import re
from collections.abc import Iterable
from typing import Any

import click
from rich.console import RenderableType
from rich.text import Text

from revenued.cli import render
from revenued.cli.layout import Cell, Column, bullets, facts, heading, styled, table
from revenued.cli.session import Result, Session, answer, ask, session_options

EPILOG = """\b
Examples:
  revenuectl dashboard
  revenuectl dashboard --window 7d
  revenuectl dashboard --json | jq .financial_health"""

DRY_RUN = (
    "Dry run: revenued decides and records, but tells the node nothing. "
    "Go live with: revenuectl config set dry_run false"
)
PAUSED = "Paused: no price is changed. Go on with: revenuectl resume"
PLACES = (
    ("channels_msat", "our side of the channels"),
    ("onchain_confirmed_msat", "on chain"),
    ("onchain_unconfirmed_msat", "on chain, unconfirmed"),
    ("closing_msat", "in closing channels"),
    ("htlcs_msat", "in flight"),
)
BEST = (
    Column("channel"),
    Column("alias", "name", rank=1),
    Column("earned (sat)", "number"),
    Column("sent out (sat)", "number"),
    Column("forwards", "number"),
)


class Window(click.ParamType[int]):
    """A number of days, written 30, 30d or 4w."""

    name = "days"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the days; what is no window is a usage error."""
        found = re.fullmatch(r"(\d{1,5})\s*([dw]?)", str(value).strip().lower())
        days = int(found[1]) * (7 if found[2] == "w" else 1) if found else 0
        if days < 1:
            self.fail(f"{value!r} is no window; write days or weeks, such as 30d or 4w", param, ctx)
        return days


@click.command("dashboard", epilog=EPILOG, short_help="What was earned, paid and owned.")
@click.option(
    "--window", type=Window(), default="30d", show_default=True, metavar="DAYS", help="How far back to sum up."
)
@session_options()
@click.pass_obj
def dashboard(session: Session, window: int) -> None:
    """Show what the node earned, what that cost, and what it owns.

    Amounts are in sat. What is not known is called unknown, and so is every sum that would need it; `net of known
    costs` says what it leaves out.
    """
    answer(session, ask(session, "revenue-dashboard", {"window_days": window}), view)


def view(result: Result) -> Iterable[RenderableType]:
    """Return the dashboard, the money first."""
    notices = list(_notices(result))
    yield from notices
    period, health = result["period"], result["financial_health"]
    title = f"Last {period['window_days']} days, {render.day(period['since'])} to {render.day(period['until'])}"
    yield heading(title) if notices else styled(title, "bold")
    yield facts(_money(period, health))
    yield from _net_worth(result["tlv"])
    yield heading("Traffic")
    yield facts(_traffic(period, result["channels"]))
    if result["best"]:
        yield heading("Best channels")
        yield table(BEST, [_best(row) for row in result["best"]])
    if result["warnings"]:
        yield heading("Warnings")
        yield from bullets((render.words(line) for line in result["warnings"]), style="yellow")
    yield heading("Activity")
    yield facts(_activity(result["activity"], result["as_of"]))
    if result["omissions"]:
        yield heading("Known omissions")
        yield from bullets(render.words(line) for line in result["omissions"])


def _notices(result: Result) -> Iterable[RenderableType]:
    """Yield what changes the meaning of all below it, in the daemon's words where it has some."""
    notes = [render.words(note) for note in result["notes"]]
    for is_so, own_words in ((result["dry_run"], DRY_RUN), (result["paused"], PAUSED)):
        if is_so:
            said = next((note for note in notes if note.split()[:1] == own_words.split()[:1]), own_words)
            yield styled(said, "yellow")
            notes = [note for note in notes if note != said]
    for note in notes:
        yield styled(note, "yellow")


def _money(period: dict[str, Any], health: dict[str, Any]) -> list[tuple[str, Cell]]:
    volume, net = period["volume_msat"], period["net_profit_msat"]
    earned = _sum(render.amount(period["gross_revenue_msat"]), render.count(period["earned_ppm"]))
    paid = _sum(render.cost(period["opex_msat"]), render.rate_of(period["opex_msat"], volume))
    refills = render.with_unit(render.cost(period["rebalance_cost_msat"]), "sat")
    chain = render.with_unit(render.cost(period["onchain_cost_msat"]), "sat")
    left = _sum(render.amount(net), render.rate_of(net, volume))
    rows: list[tuple[str, Cell]] = [
        ("earned", earned),
        ("paid", f"{paid}; refills {refills} of it, on chain {chain}"),
        (
            "net" if period["onchain_cost_msat"] is not None else "net of known costs",
            styled(left, "bold" if net is None or net >= 0 else "red"),
        ),
    ]
    if period["window_days"] != 30:
        rows.append(("net of 30 days", render.with_unit(render.amount(health["net_profit_30d_msat"]), "sat")))
    rows.append(("operating margin", render.percentage(health["operating_margin_pct"])))
    rows.append(("return on capital", render.with_unit(render.percentage(health["annualized_roc_pct"]), "a year")))
    rows.append(("net worth", render.with_unit(render.amount(health["tlv_msat"]), "sat")))
    return rows


def _sum(sat: str, ppm: str) -> str:
    return f"{render.with_unit(sat, 'sat')}, {render.with_unit(ppm, 'ppm')} of volume"


def _net_worth(places: dict[str, Any] | None) -> Iterable[RenderableType]:
    if places is None:
        yield heading("Net worth by place")
        yield Text(f"  {render.UNKNOWN}: no snapshot has been taken yet (revenuectl run snapshot takes one)")
        return
    yield heading(f"Net worth by place, {render.instant(places['taken_at'])}")
    yield facts([(name, render.with_unit(render.amount(places[key]), "sat")) for key, name in PLACES])


def _traffic(period: dict[str, Any], channels: dict[str, Any] | None) -> list[tuple[str, Cell]]:
    known = f"{render.UNKNOWN}, the node has not been looked at yet"
    if channels is not None:
        known = (
            f"{render.count(channels['total'])}, {render.count(channels['normal'])} normal, "
            f"{render.count(channels['usable'])} usable; {render.amount(channels['to_us_msat'])} of "
            f"{render.amount(channels['capacity_msat'])} sat are ours"
        )
    volume = render.with_unit(render.amount(period["volume_msat"]), "sat")
    further, here = render.count(period["failed_forwards"]), render.count(period["local_failed_forwards"])
    return [
        ("forwards", f"{render.count(period['total_forwards'])}, volume {volume}"),
        ("failed", f"{further} further on, {here} here"),
        ("channels", known),
    ]


def _best(row: dict[str, Any]) -> list[Cell]:
    return [
        render.short_id(row["scid"] or row["channel_id"]),
        render.alias(row["alias"]),
        render.amount(row["earned_msat"]),
        render.amount(row["out_msat"]),
        render.count(row["out_count"]),
    ]


def _activity(activity: dict[str, Any], as_of: str) -> list[tuple[str, Cell]]:
    last = activity["last_fee_cycle"]
    said = "none yet"
    if last is not None:
        reason = f" ({render.words(last['reason'])})" if last["reason"] else ""
        said = f"{render.words(last['outcome'])}{reason}, {render.distance(last['started_at'], as_of)}"
    return [
        ("fees changed in 24 h", render.count(activity["fee_changes_24h"])),
        ("changed by others", render.count(activity["outside_changes_24h"])),
        ("last fee cycle", said),
    ]
