"""`revenuectl flow`: what the traffic says of each channel."""

from collections.abc import Iterable
from typing import Any

import click
from rich.console import RenderableType
from rich.text import Text

from revenued.cli import render
from revenued.cli.layout import Cell, Column, facts, heading, styled, table
from revenued.cli.session import Result, Session, answer, ask, session_options

EPILOG = """\b
Examples:
  revenuectl flow
  revenuectl flow 800000x1234x0

\b
source    drains: more goes out than comes in
sink      fills: more comes in than goes out
balanced  neither, or too little to matter
dormant   nothing settled in the window"""

COLUMNS = (
    Column("channel"),
    Column("alias", "name"),
    Column("flow"),
    Column("sure", "number", rank=3),
    Column("in/day", "number"),
    Column("out/day", "number"),
    Column("ours", "number"),
    Column("empty in", "number", rank=2),
    Column("full in", "number", rank=1),
    Column("turnover", "number", rank=4),
)
EXPOSURES = (
    Column("from"),
    Column("to"),
    Column("ppm", "number"),
    Column("forwards", "number"),
    Column("sat", "number"),
    Column("earned", "number"),
    Column("liquid", "number", rank=1),
)


@click.command("flow", epilog=EPILOG, short_help="Show what the traffic says of channels.")
@click.argument("channel", metavar="[SCID]", required=False)
@session_options()
@click.pass_obj
def flow(session: Session, channel: str | None) -> None:
    """Show rates, direction and state of every channel; of one channel also its HTLCs, and what it sold at which
    price.
    """
    params: Result = {} if channel is None else {"channel": channel}
    answer(session, ask(session, "revenue-flow", params), one if channel is not None else everything)


def everything(result: Result) -> Iterable[RenderableType]:
    """Return one line a channel."""
    yield table(COLUMNS, [_row(row) for row in result["channels"]])
    yield Text(
        f"\n{len(result['channels'])} channels at {render.instant(result['as_of'])}; "
        f"{result['window_days']} days, newer ones weigh more; amounts in sat",
        style="dim",
    )


def one(result: Result) -> Iterable[RenderableType]:
    """Return all that is known of one channel's traffic."""
    row = result["channels"][0]
    yield Text(f"{render.short_id(row['scid'] or row['channel_id'])} with {render.alias(row['alias'])}", style="bold")
    yield facts(
        [
            ("flow", _state(row)),
            ("sure", render.share(row["confidence"])),
            ("in", f"{render.amount(row['in_msat_per_day'])} sat a day, {row['in_count']:,} forwards in the window"),
            ("out", f"{render.amount(row['out_msat_per_day'])} sat a day, {row['out_count']:,} forwards in the window"),
            ("ours", render.share(row["outbound_ratio"])),
            ("empty in", _days(row["days_to_empty"])),
            ("full in", _days(row["days_to_fill"])),
            ("turnover", f"{render.share(row['turnover_per_day'])} of its size a day"),
            ("HTLCs in", _use(row["htlcs_in"])),
            ("HTLCs out", _use(row["htlcs_out"])),
        ]
    )
    if result["exposures"]:
        yield heading("What it sold at which price")
        yield table(EXPOSURES, [_exposure(exposure) for exposure in result["exposures"]])


def _row(row: dict[str, Any]) -> list[Cell]:
    return [
        render.short_id(row["scid"] or row["channel_id"]),
        render.alias(row["alias"]),
        _state(row),
        render.share(row["confidence"]),
        render.amount(row["in_msat_per_day"]),
        render.amount(row["out_msat_per_day"]),
        render.share(row["outbound_ratio"]),
        _days(row["days_to_empty"]),
        _days(row["days_to_fill"]),
        render.share(row["turnover_per_day"]),
    ]


def _state(row: dict[str, Any]) -> Cell:
    state = render.words(row["state"])
    return styled(f"{state}, congested", "red") if row["congested"] else state


def _days(days: float | None) -> str:
    return render.NOTHING if days is None else f"{days:,.1f} d" if days < 100 else f"{days:,.0f} d"


def _use(use: dict[str, Any]) -> str:
    dust = f" ({use['dust_count']} dust)" if use["dust_count"] else ""
    limit = f" of {render.amount(use['value_limit_msat'])}" if use["value_limit_msat"] is not None else ""
    return f"{use['count']} of {use['slots']} slots{dust}, {render.amount(use['value_msat'])}{limit} sat"


def _exposure(row: dict[str, Any]) -> list[Cell]:
    return [
        render.instant(row["started_at"]),
        render.instant(row["ended_at"]),
        render.count(row["fee_ppm"]),
        render.count(row["forward_count"]),
        render.amount(row["volume_msat"]),
        render.amount(row["earned_msat"]),
        render.share(row["liquid_share"]),
    ]
