"""`revenuectl run`: one cycle now instead of at its time."""

from collections.abc import Iterable

import click
from rich.console import RenderableType
from rich.text import Text

from revenued.cli import render
from revenued.cli.layout import facts
from revenued.cli.session import NoNode, Refused, Result, Session, answer, ask, session_options
from revenued.cli.status import outcome

CYCLES = ("fee", "flow", "snapshot", "ingest", "retention")
PATIENCE = 900.0
"""Seconds: a first ingest of a node with years of forwards takes minutes."""

EPILOG = """\b
Examples:
  revenuectl run fee
  revenuectl run snapshot --timeout 60
  revenuectl run ingest --verify

\b
Exit code: 0 done, or skipped for a reason of our own; 1 failed; 4 not done because of the node."""


@click.command("run", epilog=EPILOG, short_help="Run one cycle now.")
@click.argument("cycle", type=click.Choice(CYCLES))
@click.option("--verify", is_flag=True, help="ingest only: hold all of the node's forwards against ours.")
@click.option("--repair", is_flag=True, help="With --verify: replace what differs by what the node says.")
@click.option("--new-history", is_flag=True, help="ingest only: go on after the node was restored from an older copy.")
@session_options()
@click.pass_context
def run(context: click.Context, cycle: str, verify: bool, repair: bool, new_history: bool) -> None:
    """Run one cycle now, wait for it, and say what came of it."""
    if (verify or repair or new_history) and cycle != "ingest":
        raise click.UsageError("--verify, --repair and --new-history are for `run ingest`.")
    if repair and not verify:
        raise click.UsageError("--repair goes with --verify.")
    session: Session = context.obj
    wanted = {"verify": verify, "repair": repair, "new_history": new_history}
    given = {name: True for name, is_wanted in wanted.items() if is_wanted}
    result = ask(session, "revenue-run", {"cycle": cycle, **given}, patience=PATIENCE)
    answer(session, result, view)
    context.exit(exit_code(result))


def exit_code(result: Result) -> int:
    """Return what the shell is told: a reason that starts with the node is the node's."""
    if result.get("outcome") == "done":
        return 0
    if str(result.get("reason") or "").lower().startswith("node"):
        return NoNode.exit_code
    return 0 if result.get("outcome") == "skipped" else Refused.exit_code


def view(result: Result) -> Iterable[RenderableType]:
    """Return how the cycle ended, why, and its own summary."""
    ended = outcome(result["outcome"])
    line = Text(f"{render.words(result['cycle'])} cycle: ")
    line.append_text(ended if isinstance(ended, Text) else Text(ended))
    line.append(f" in {render.took(result['took_ms'])}")
    if result["reason"]:
        line.append(f": {render.words(result['reason'])}")
    yield line
    if result["summary"]:
        yield facts([_counted(name, said) for name, said in result["summary"].items()])


def _counted(name: str, said: object) -> tuple[str, str]:
    """Return one entry of a cycle's summary; the unit at the end of its name moves behind the number."""
    words = render.words(name)
    if words.endswith("_msat") and (said is None or isinstance(said, int)):
        return words.removesuffix("_msat").replace("_", " "), render.with_unit(render.amount(said), "sat")
    if isinstance(said, list):
        return words.replace("_", " "), "\n".join(render.words(part) for part in said) or render.NOTHING
    if isinstance(said, dict):
        parts = [f"{render.words(part)} {render.setting(number)}" for part, number in said.items()]
        return words.replace("_", " "), ", ".join(parts) or render.NOTHING
    return words.replace("_", " "), render.setting(said)
