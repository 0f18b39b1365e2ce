"""`revenuectl peers`: who they are, how often they are there, what passes through them."""

from collections.abc import Iterable
from typing import Any

import click
from rich.console import RenderableType
from rich.text import Text

from revenued.cli import render
from revenued.cli.layout import Cell, Column, styled, table
from revenued.cli.session import Result, Session, answer, ask, session_options

COLUMNS = (
    Column("peer"),
    Column("alias", "name"),
    Column("channels", "number", rank=3),
    Column("there"),
    Column("24 h", "number"),
    Column("7 d", "number"),
    Column("settles", "number"),
    Column("in", "number", rank=2),
    Column("out", "number", rank=1),
    Column("earned", "number"),
    Column("sourced", "number", rank=4),
)


@click.command("peers", short_help="List peers: presence, reputation, traffic.")
@session_options()
@click.pass_obj
def peers(session: Session) -> None:
    """List peers. `24 h` and `7 d` say in what share of our looks the peer was connected; without a look it is unknown.
    `settles` is how much of what the peer sends us is expected to settle. Traffic is of 7 days, in sat.
    """
    answer(session, ask(session, "revenue-peers"), view)


def view(result: Result) -> Iterable[RenderableType]:
    """Return one line a peer, those who bring most first."""
    rows = sorted(result["peers"], key=lambda row: row["earned_msat"] + row["sourced_msat"], reverse=True)
    if not rows:
        yield Text("No peers are known.")
        return
    yield table(COLUMNS, [_row(row) for row in rows])


def _row(row: dict[str, Any]) -> list[Cell]:
    there: Cell = render.UNKNOWN if row["connected"] is None else "yes" if row["connected"] else styled("no", "yellow")
    return [
        render.short_id(row["peer_id"]),
        render.alias(row["alias"]),
        render.count(row["channels"]),
        there,
        _share(row["uptime_24h"]),
        _share(row["uptime_7d"]),
        _share(row["reputation"]),
        render.amount(row["in_msat"]),
        render.amount(row["out_msat"]),
        render.amount(row["earned_msat"]),
        render.amount(row["sourced_msat"]),
    ]


def _share(share: float | None) -> str:
    return render.UNKNOWN if share is None else render.share(share)
