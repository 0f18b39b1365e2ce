"""`revenuectl pause`, `resume` and `version`: the daemon as a whole."""

from collections.abc import Iterable

import click
from rich.console import RenderableType
from rich.text import Text

from revenued import __version__
from revenued.cli import render
from revenued.cli.session import NoDaemon, Result, Session, answer, ask, session_options


@click.command("pause")
@session_options()
@click.pass_obj
def pause(session: Session) -> None:
    """Change no fees until `resume`. Traffic is still recorded and decisions are still explained."""
    answer(session, ask(session, "revenue-pause"), pause_view)


@click.command("resume")
@session_options()
@click.pass_obj
def resume(session: Session) -> None:
    """Change fees again after `pause`."""
    answer(session, ask(session, "revenue-resume"), pause_view)


@click.command("version", short_help="Versions of revenuectl and of the daemon.")
@session_options()
@click.pass_obj
def version(session: Session) -> None:
    """Show the versions of revenuectl and of the daemon, which may be older until it is restarted."""
    if session.as_json:
        answer(session, ask(session, "revenue-version"), version_view)
        return
    click.echo(f"revenuectl {__version__}")
    try:
        result = ask(session, "revenue-version", patience=2.0)
    except NoDaemon as failure:
        click.echo(f"daemon     not reachable ({render.words(failure.message.splitlines()[0])})")
        return
    answer(session, result, version_view)


def pause_view(result: Result) -> Iterable[RenderableType]:
    """Return whether it is paused now, and whether that is news."""
    already = "" if result["changed"] else " (as before)"
    if result["paused"]:
        yield Text(f"Paused{already}: no fee is changed until: revenuectl resume")
    else:
        yield Text(f"Running{already}.")


def version_view(result: Result) -> Iterable[RenderableType]:
    """Return the daemon's own version."""
    yield Text(f"daemon     {render.words(result['version'])}, schema {render.words(result['schema'])}")
