"""`revenuectl channels`: one line a channel, what it costs and what it brings."""

from collections.abc import Iterable
from typing import Any

import click
from rich.console import RenderableType
from rich.text import Text

from revenued.cli import render
from revenued.cli.layout import Cell, Column, bullets, heading, styled, table
from revenued.cli.session import Result, Session, answer, ask, session_options

EPILOG = """\b
Examples:
  revenuectl channels
  revenuectl channels --json | jq -r '.channels[] | select(.connected | not) | .peer_id'"""

COLUMNS = (
    Column("channel"),
    Column("alias", "name"),
    Column("state"),
    Column("size (sat)", "number", rank=5),
    Column("ours", "number"),
    Column("ppm", "number"),
    Column("target", "number", rank=2),
    Column("decision", rank=3),
    Column("flow", rank=6),
    Column("in/day", "number", rank=7),
    Column("out/day", "number", rank=4),
    Column("earned", "number"),
    Column("sourced", "number", rank=8),
)


@click.command("channels", epilog=EPILOG, short_help="List channels: balance, price, traffic, income.")
@session_options()
@click.pass_obj
def channels(session: Session) -> None:
    """List the channels: balance, price, what is wanted, traffic, income.

    Amounts are in sat. `ours` is our share of what can move. `earned` is what the channel brought as the way
    out, `sourced` what our other channels earned with what came in through it; the two are never added up.
    """
    answer(session, ask(session, "revenue-channels"), view)


def view(result: Result) -> Iterable[RenderableType]:
    """Return the table of channels and what could not be read."""
    rows = result["channels"]
    if rows:
        yield table(COLUMNS, [_row(row) for row in rows])
        windows = sorted({row["window_days"] for row in rows})
        yield Text(
            f"\n{len(rows)} channels at {render.instant(result['as_of'])}; "
            f"traffic and income of {', '.join(map(str, windows))} days, in sat",
            style="dim",
        )
    else:
        yield Text("No channels are known.")
    if result["skipped"]:
        yield heading("Could not be read")
        yield from bullets(f"{render.words(row['what'])}: {render.words(row['why'])}" for row in result["skipped"])


def _row(row: dict[str, Any]) -> list[Cell]:
    return [
        render.short_id(row["scid"] or row["channel_id"]),
        render.alias(row["alias"]),
        _state(row),
        render.amount(row["capacity_msat"]),
        render.share(row["outbound_ratio"]),
        render.count(row["fee_ppm"]),
        render.NOTHING if row["outcome"] in (None, "left_alone") else render.count(row["target_ppm"]),
        render.words_if_any(row["held_by"] or row["outcome"]),
        render.words_if_any(row["flow_state"]),
        render.amount(row["in_msat_per_day"]),
        render.amount(row["out_msat_per_day"]),
        render.amount(row["earned_msat"]),
        render.amount(row["sourced_msat"]),
    ]


def _state(row: dict[str, Any]) -> Cell:
    state = str(row["state"])
    is_normal = state in ("CHANNELD_NORMAL", "CHANNELD_AWAITING_SPLICE")
    if is_normal and not row["connected"]:
        return styled("offline", "yellow")
    return "normal" if is_normal else render.words(state.lower().removeprefix("channeld_").replace("_", " "))
