"""`revenuectl forwards`: single forwards, on the screen or as CSV."""

import csv
import re
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import click
from rich.console import RenderableType
from rich.text import Text

from revenued.cli import render
from revenued.cli.escape import plain
from revenued.cli.layout import Cell, Column, table
from revenued.cli.session import Refused, Result, Session, answer, ask, session_options

EPILOG = """\b
Examples:
  revenuectl forwards --since 24h
  revenuectl forwards --channel 800000x1234x0 --status settled --limit 200
  revenuectl forwards --peer ACINQ --since 2026-01-01 --until 2026-02-01 --csv > january.csv

\b
Times are UTC: 2026-01-31, 2026-01-31T18:00:00Z, or back from now: 90m, 24h, 7d, 4w."""

CSV_COLUMNS = (
    "created_index", "received_at", "resolved_at", "status", "in_channel", "in_alias", "in_msat", "out_channel",
    "out_alias", "out_msat", "fee_msat", "failcode", "asked_channel", "recovered",
)  # fmt: skip
COLUMNS = (
    Column("received"),
    Column("status"),
    Column("in"),
    Column("from", "name", rank=3),
    Column("out"),
    Column("to", "name", rank=2),
    Column("sat", "number"),
    Column("fee", "number"),
    Column("rate", "number", rank=1),
)
CSV_PAGE = 5000
_BACK = re.compile(r"(\d{1,6})([mhdw])")
_SPANS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


@click.command("forwards", epilog=EPILOG, short_help="List single forwards; --csv exports them.")
@click.option("--channel", metavar="SCID", help="Only what entered or left by this channel.")
@click.option("--peer", metavar="PEER", help="Only what entered or left by this peer: a node id or an alias.")
@click.option("--since", metavar="TIME", help="From this time on.  [default: 30 days ago]")
@click.option("--until", metavar="TIME", help="Before this time.  [default: now]")
@click.option(
    "--status", type=click.Choice(["offered", "settled", "failed", "local_failed", "gone"]), help="Only those."
)
@click.option("--limit", type=click.IntRange(1), help="How many of the newest.  [default: 50; all with --csv]")
@click.option("--csv", "as_csv", is_flag=True, help="Write CSV with all columns, amounts in msat.")
@session_options()
@click.pass_obj
def forwards(
    session: Session,
    channel: str | None,
    peer: str | None,
    since: str | None,
    until: str | None,
    status: str | None,
    limit: int | None,
    as_csv: bool,
) -> None:
    """List forwards, newest first. --csv has every column; the same is in the table `forwards` of the database."""
    given = {"channel": channel, "peer": peer, "since": moment(since), "until": moment(until), "status": status}
    params: Result = {name: value for name, value in given.items() if value is not None}
    if as_csv:
        _write_csv(_pages(session, params, limit))
        return
    answer(session, ask(session, "revenue-forwards", {**params, "limit": min(limit or 50, CSV_PAGE)}), view)


def moment(text: str | None) -> str | None:
    """Return a time that was given back from now as a date; any other is left to the daemon to read."""
    back = _BACK.fullmatch(text) if text is not None else None
    if back is None:
        return text
    try:
        return (datetime.now(UTC) - timedelta(**{_SPANS[back[2]]: int(back[1])})).isoformat()
    except OverflowError as error:
        raise Refused(f"{text} is longer ago than time goes back") from error


def view(result: Result) -> Iterable[RenderableType]:
    """Return the table, and whether there is more."""
    rows = result["forwards"]
    if not rows:
        yield Text(f"No forwards between {render.instant(result['since'])} and {render.instant(result['until'])}.")
        return
    yield table(COLUMNS, [_row(row) for row in rows])
    if result["next"] is not None:
        yield Text("\nThere are more; raise --limit, or take --csv for all.", style="dim")


def _row(row: dict[str, Any]) -> list[Cell]:
    moved = row["out_msat"] if row["out_msat"] is not None else row["in_msat"]
    return [
        render.instant(row["received_at"]),
        render.words(row["status"]),
        render.words(row["in_channel"]),
        render.alias(row["in_alias"]),
        render.words(row["out_channel"] or render.NOTHING),
        render.alias(row["out_alias"]) if row["out_channel"] else render.NOTHING,
        render.amount(moved),
        render.amount(row["fee_msat"]) if row["status"] == "settled" else render.NOTHING,
        render.rate_of(row["fee_msat"], moved) if row["status"] == "settled" else render.NOTHING,
    ]


def _pages(session: Session, params: Result, limit: int | None) -> Iterator[list[dict[str, Any]]]:
    left, before = limit, None
    while left is None or left > 0:
        size = CSV_PAGE if left is None else min(CSV_PAGE, left)
        asked = {**params, "limit": size, **({"before": before} if before is not None else {})}
        result = ask(session, "revenue-forwards", asked)
        yield result["forwards"]
        before = result["next"]
        if before is None:
            return
        left = left - len(result["forwards"]) if left is not None else None


def _write_csv(pages: Iterable[list[dict[str, Any]]]) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    for place, rows in enumerate(pages):
        if place == 0:  # not before the daemon has answered, so that a refusal leaves no file that looks like a result
            writer.writerow(CSV_COLUMNS)
        writer.writerows([[_plain(row[name]) for name in CSV_COLUMNS] for row in rows])


def _plain(value: object) -> object:
    """Return a cell that a spreadsheet takes for what it is: an alias that begins like a formula is kept text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        text = plain(value)
        return f"'{text}" if text[:1] in ("=", "+", "-", "@") else text
    return value
