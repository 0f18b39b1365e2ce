"""`revenuectl status`: is it running, does it see the node, is it up to date, what ran last."""

from collections.abc import Iterable
from typing import Any

import click
from rich.console import RenderableType

from revenued.cli import render
from revenued.cli.layout import Cell, Column, Style, bullets, facts, heading, styled, table
from revenued.cli.session import Result, Session, answer, ask, session_options

EPILOG = """\b
Examples:
  revenuectl status
  revenuectl status --json | jq .ingest.behind
  watch -n 10 revenuectl status"""

CYCLES = (
    Column("cycle"),
    Column("last run"),
    Column("outcome"),
    Column("took", "number", rank=2),
    Column("next"),
    Column("reason", "words", rank=1),
)
OUTCOME_STYLES: dict[str, Style] = {"done": "green", "failed": "red", "skipped": "yellow"}


@click.command("status", epilog=EPILOG, short_help="Is it running, and is it up to date?")
@session_options()
@click.pass_obj
def status(session: Session) -> None:
    """Show whether the daemon works: its node, its ingest, its cycles.

    A node that cannot be reached is shown here, and is no error of this command.
    """
    answer(session, ask(session, "revenue-status"), view)


def view(result: Result) -> Iterable[RenderableType]:
    """Return the status, what the operator has to know first on top."""
    for note in result["notes"]:
        yield styled(render.words(note), "yellow")
    now = result["now"]
    yield facts(
        [
            ("daemon", _daemon(result)),
            ("node", _node(result["node"], now)),
            ("ingest", _ingest(result["ingest"], now)),
            ("channels", _channels(result["channels"])),
            ("database", _database(result["database"])),
        ]
    )
    if result["cycles"]:
        yield heading("Cycles")
        yield table(CYCLES, [_cycle(cycle, now) for cycle in result["cycles"]])
    skipped = (result["channels"] or {}).get("skipped", [])
    if skipped:
        yield heading("Could not be read")
        yield from bullets(f"{render.words(row['what'])}: {render.words(row['why'])}" for row in skipped)


def outcome(given: str | None) -> Cell:
    """Return how a cycle ended; None means that it has not run yet."""
    if given is None:
        return render.NOTHING
    return styled(render.words(given), OUTCOME_STYLES.get(given, ""))


def _daemon(result: Result) -> str:
    state = "paused" if result["paused"] else "running"
    mode = ", dry run" if result["dry_run"] else ""
    since = render.distance(result["started_at"], result["now"])
    return (
        f"{state}{mode}, revenued {render.words(result['version'])}, schema {render.words(result['schema'])}, "
        f"started {since}, settings generation {render.count(result['generation'])}"
    )


def _node(node: dict[str, Any], now: str) -> Cell:
    heard = render.distance(node["last_answer_at"], now) if node["last_answer_at"] else "never"
    if not node["reachable"]:
        why = f": {render.words(node['trouble'])}" if node["trouble"] else ""
        return styled(f"not reachable{why} (last answer: {heard})", "red")
    said = (
        f"{render.alias(node['alias'])} {render.short_id(node['node_id'])}, {render.words(node['network'])}, "
        f"{render.words(node['version'])}, block {render.count(node['blockheight'])}, answered {heard}"
    )
    troubles = [f"; {render.words(node[key])}" for key in ("syncing", "trouble") if node[key]]
    return styled(said + "".join(troubles), "yellow" if troubles else "")


def _ingest(ingest: dict[str, Any], now: str) -> Cell:
    said = [render.words(ingest["state"])]
    if ingest["state"] != "waiting":
        said.append("distance to the node unknown" if ingest["behind"] is None else f"{ingest['behind']:,} behind")
    if ingest["caught_up_at"]:
        said.append(f"caught up {render.distance(ingest['caught_up_at'], now)}")
    for what in ("missing", "recovered", "unreadable"):
        key = f"{what}_count"
        if ingest[key] is None or ingest[key] > 0:
            said.append(f"{render.count(ingest[key])} {what}")
    if ingest["reason"]:
        said.append(render.words(ingest["reason"]))
    return styled(", ".join(said), "red" if ingest["state"] == "stopped" else "")


def _channels(channels: dict[str, Any] | None) -> str:
    if channels is None:
        return f"{render.UNKNOWN}, the node has not been looked at yet"
    total, normal, usable = (render.count(channels[key]) for key in ("total", "normal", "usable"))
    said = f"{total}, {normal} normal, {usable} usable"
    skipped = channels.get("skipped")
    return f"{said}, {len(skipped)} could not be read" if skipped else said


def _database(database: dict[str, Any]) -> str:
    return (
        f"{render.words(database['kind'])} {render.words(database['location'])}, {render.size(database['size_bytes'])}"
    )


def _cycle(cycle: dict[str, Any], now: str) -> list[Cell]:
    return [
        render.words(cycle["kind"]),
        render.distance(cycle["started_at"], now) if cycle["started_at"] else "not yet",
        outcome(cycle["outcome"]),
        render.took(cycle["took_ms"]) if cycle["took_ms"] is not None else render.NOTHING,
        render.distance(cycle["next_run_at"], now) if cycle["next_run_at"] else render.NOTHING,
        render.words_if_any(cycle["reason"]),
    ]
