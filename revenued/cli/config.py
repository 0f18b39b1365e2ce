"""`revenuectl config`: the options that can be changed while the daemon runs."""

from collections.abc import Iterable
from typing import Any

import click
from rich.console import RenderableType
from rich.text import Text

from revenued.cli import render
from revenued.cli.layout import Cell, Column, facts, styled, table
from revenued.cli.session import Result, Session, answer, ask, session_options

SET_EPILOG = """\b
Examples:
  revenuectl config set dry_run false
  revenuectl config set min_fee_ppm 25 max_fee_ppm 2500
  revenuectl config set fee_interval 30m scarcity_threshold 30%"""

GET_EPILOG = """\b
Examples:
  revenuectl config get max_fee_ppm
  revenuectl config get max_fee_ppm --json | jq .value"""

OPTIONS = (
    Column("option"),
    Column("value"),
    Column("default", rank=2),
    Column("set by", rank=1),
    Column("meaning", "words"),
)
ORIGINS = {"default": "default", "file": "revenued.toml", "environment": "environment", "stored": "config set"}


@click.group("config")
def config() -> None:
    """Read and change the options that need no restart.

    Every change is checked as a whole, stored, logged with who made it, and in force from the next cycle on.
    """


@config.command("list")
@session_options()
@click.pass_obj
def list_options(session: Session) -> None:
    """List every option with its value, its default and what is allowed."""
    answer(session, ask(session, "revenue-config", {"action": "list"}), list_view)


@config.command("get", epilog=GET_EPILOG)
@click.argument("key")
@session_options()
@click.pass_obj
def get_option(session: Session, key: str) -> None:
    """Show one option."""
    answer(session, ask(session, "revenue-config", {"action": "get", "key": key}), get_view)


@config.command("set", epilog=SET_EPILOG, context_settings={"ignore_unknown_options": True})
@click.argument("pairs", nargs=-1, required=True, metavar="KEY VALUE [KEY VALUE]...")
@session_options()
@click.pass_obj
def set_options(session: Session, pairs: tuple[str, ...]) -> None:
    """Change one option or several; either all are changed or none."""
    if len(pairs) % 2:
        raise click.UsageError(f"every option needs a value: {pairs[-1]!r} has none")
    keys = pairs[::2]
    twice = sorted({key for key in keys if keys.count(key) > 1})
    if twice:
        raise click.UsageError(f"{', '.join(twice)}: given twice")
    values = dict(zip(keys, pairs[1::2], strict=True))
    answer(session, ask(session, "revenue-config", {"action": "set", "values": values}), set_view)


def list_view(result: Result) -> Iterable[RenderableType]:
    """Return all options; what differs from its default stands out."""
    yield table(OPTIONS, [_row(option) for option in result["options"]])
    yield Text(f"\nsettings generation {render.count(result['generation'])}", style="dim")


def get_view(option: Result) -> Iterable[RenderableType]:
    """Return one option with all that is known of it."""
    unit = option["unit"]
    yield Text(f"{render.words(option['key'])} = {render.setting(option['value'], unit)}", style="bold")
    yield Text(f"  {render.words(option['help'])}")
    yield facts(
        [
            ("default", render.setting(option["default"], unit)),
            ("allowed", render.words(option["allowed"])),
            ("set by", render.words(ORIGINS.get(option["origin"], option["origin"]))),
        ]
    )


def set_view(result: Result) -> Iterable[RenderableType]:
    """Return what was changed from what to what."""
    for change in result["changed"]:
        yield Text(f"{render.words(change['key'])}: {render.setting(change['old'])} → {render.setting(change['new'])}")
    if not result["changed"]:
        yield Text("Nothing was changed: all of it was so already.")
    for note in result["notes"]:
        yield styled(render.words(note), "yellow")


def _row(option: dict[str, Any]) -> list[Cell]:
    value = render.setting(option["value"], option["unit"])
    return [
        render.words(option["key"]),
        value if option["value"] == option["default"] else styled(value, "bold"),
        render.setting(option["default"], option["unit"]),
        render.words(ORIGINS.get(option["origin"], option["origin"])),
        f"{render.words(option['help'])} Allowed: {render.words(option['allowed'])}.",
    ]
