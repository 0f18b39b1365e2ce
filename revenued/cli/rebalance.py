"""`revenuectl rebalance`: which channels a refill would fill and drain."""

from collections.abc import Iterable
from typing import Any

import click
from rich.console import RenderableType
from rich.text import Text

from revenued.cli import render
from revenued.cli.layout import Cell, Column, table
from revenued.cli.session import Result, Session, answer, ask, session_options

COLUMNS = (
    Column("channel"),
    Column("alias", "name", rank=2),
    Column("would", "code"),
    Column("ours", "number", rank=1),
    Column("sat", "number"),
    Column("sells at ppm", "number", rank=3),
    Column("why", "words"),
)


@click.group("rebalance", short_help="What refills would be for.")
def rebalance() -> None:
    """See which channels have too little or too much on our side. This version pays for no refill."""


@rebalance.command("list", short_help="List channels to fill and to drain.")
@click.option("--all", "everything", is_flag=True, help="Also channels that would be neither.")
@session_options()
@click.pass_obj
def rebalance_list(session: Session, everything: bool) -> None:
    """List the channels that would be filled or drained, with the amount and the rule that says so."""
    answer(session, ask(session, "revenue-rebalance-list"), lambda result: view(result, everything=everything))


def view(result: Result, *, everything: bool) -> Iterable[RenderableType]:
    """Return the table and its notes."""
    for note in result["notes"]:
        yield Text(render.words(note), style="yellow")
    rows = [row for row in result["candidates"] if everything or row["role"] != "neither"]
    if rows:
        yield table(COLUMNS, [_row(row) for row in rows])
    else:
        yield Text("No channel would be filled or drained.")


def _row(row: dict[str, Any]) -> list[Cell]:
    return [
        render.short_id(row["scid"] or row["channel_id"]),
        render.alias(row["alias"]),
        render.words(row["role"]),
        render.share(row["outbound_ratio"]),
        render.amount(row["amount_msat"]),
        render.count(row["out_ppm"]),
        render.words(row["why"]),
    ]
