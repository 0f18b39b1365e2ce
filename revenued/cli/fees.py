"""`revenuectl fees`: why a channel costs what it costs, and what it used to cost."""

from collections.abc import Iterable
from typing import Any

import click
from rich.console import RenderableType
from rich.text import Text

from revenued.cli import render
from revenued.cli.layout import Cell, Column, bullets, facts, heading, styled, table
from revenued.cli.session import Result, Session, answer, ask, session_options

EXPLAIN_EPILOG = """\b
Examples:
  revenuectl fees explain 800000x1234x0
  revenuectl fees explain 800000x1234x0 --json | jq .steps"""

HISTORY_EPILOG = """\b
Examples:
  revenuectl fees history
  revenuectl fees history 800000x1234x0 --limit 200"""

STEPS = (Column("rule"), Column("from", "number"), Column("to", "number"), Column("why", "words"))
CHANGES = (
    Column("when"),
    Column("channel"),
    Column("alias", "name", rank=2),
    Column("what"),
    Column("from", "number"),
    Column("to", "number"),
    Column("why", "words", rank=1),
)
OUTCOMES = {
    "broadcast": "the node was told",
    "held": "held back",
    "unchanged": "nothing to change",
    "left_alone": "left alone",
    "refused": "the node refused it",
    "unknown": "unknown: the node did not answer, the change may have been made",
    "dry_run": "the node would have been told, but this is a dry run",
}


@click.group("fees")
def fees() -> None:
    """Explain prices and show how they changed."""


@fees.command("explain", epilog=EXPLAIN_EPILOG)
@click.argument("channel", metavar="SCID")
@session_options()
@click.pass_obj
def explain(session: Session, channel: str) -> None:
    """Show, step by step, how the price of a channel came about.

    SCID is the short channel id, such as 800000x1234x0; the channel's alias or its channel id will do as well.
    """
    answer(session, ask(session, "revenue-fees-explain", {"channel": channel}), explain_view)


@fees.command("history", epilog=HISTORY_EPILOG)
@click.argument("channel", metavar="[SCID]", required=False)
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="How many of the latest changes.")
@session_options()
@click.pass_obj
def history(session: Session, channel: str | None, limit: int) -> None:
    """List what prices were changed, by us and by others, of one channel or of all."""
    params: Result = {"limit": limit} if channel is None else {"channel": channel, "limit": limit}
    answer(session, ask(session, "revenue-fees-history", params), history_view)


def explain_view(result: Result) -> Iterable[RenderableType]:
    """Return the price as it is, as it is wanted, each step between, and what holds it back."""
    if result["dry_run"]:
        yield styled("Dry run: the node is told nothing of this.", "yellow")
    name = render.short_id(result["scid"] or result["channel_id"])
    yield Text(f"{name} with {render.alias(result['alias'])} ({render.short_id(result['peer_id'])})", style="bold")
    yield facts(_summary(result))
    yield heading("How the target came about (ppm)")
    if result["steps"]:
        yield table(STEPS, [_step(step) for step in result["steps"]])
    else:
        yield Text("  no rule had a say")
    if result["warnings"]:
        yield heading("Warnings")
        yield from bullets((render.words(line) for line in result["warnings"]), style="yellow")


def _summary(result: Result) -> list[tuple[str, Cell]]:
    decided = result["decided_at"]
    rows: list[tuple[str, Cell]] = [
        ("live", render.price(result["live_ppm"], result["live_base_fee_msat"])),
        ("target", _target(result)),
        ("outcome", render.words(OUTCOMES.get(result["outcome"], result["outcome"]))),
    ]
    if result["held_by"]:
        until = f", until {render.instant(result['held_until'])}" if result["held_until"] else ""
        why = f": {render.words(result['held_why'])}" if result["held_why"] else ""
        rows.append(("held by", styled(f"{render.words(result['held_by'])}{why}{until}", "yellow")))
    if result["pending"] is not None:
        waiting = result["pending"]
        rows.append(("waiting", f"{render.price(waiting['ppm'], 0)} since {render.instant(waiting['since'])}"))
    rows.append(("decided", render.instant(decided) if decided else "not yet"))
    rows.append(("last told", _last_told(result["last_broadcast"])))
    outside = result["outside"]
    if outside is not None:
        paid = render.price(outside["ppm"], outside["base_fee_msat"])
        rows.append(("set by others", styled(f"{paid}, seen {render.instant(outside['seen_at'])}", "yellow")))
    return rows


def _target(result: Result) -> str:
    if result["target_ppm"] is None and result["outcome"] == "left_alone":
        return "none, the channel is left alone"
    return render.price(result["target_ppm"], result["target_base_fee_msat"])


def _last_told(broadcast: dict[str, Any] | None) -> str:
    if broadcast is None:
        return "never by revenued"
    if broadcast["at"] is None:  # the price that the channel had when it was first seen
        return f"never by revenued; found at {render.price(broadcast['ppm'], broadcast['base_fee_msat'])}"
    return f"{render.price(broadcast['ppm'], broadcast['base_fee_msat'])}, {render.instant(broadcast['at'])}"


def _step(step: dict[str, Any]) -> list[Cell]:
    moved = step["from_ppm"] != step["to_ppm"]
    to = render.count(step["to_ppm"])
    return [
        render.words(step["rule"]),
        render.count(step["from_ppm"]),
        styled(to, "bold") if moved else to,
        render.words_if_any(step["why"]),
    ]


def history_view(result: Result) -> Iterable[RenderableType]:
    """Return the changes as the daemon ordered them."""
    if not result["changes"]:
        yield Text("No price was changed yet.")
        return
    yield table(CHANGES, [_change(change) for change in result["changes"]])


def _change(change: dict[str, Any]) -> list[Cell]:
    return [
        render.instant(change["changed_at"]),
        render.short_id(change["scid"] or change["channel_id"]),
        render.alias(change["alias"]),
        render.words(change["kind"]),
        _rate_with_base(change["from_ppm"], change["from_base_fee_msat"]),
        _rate_with_base(change["to_ppm"], change["to_base_fee_msat"]),
        render.words_if_any(change["why"]),
    ]


def _rate_with_base(ppm: int | None, base_msat: int | None) -> str:
    return render.price(ppm, base_msat) if base_msat else render.count(ppm)
