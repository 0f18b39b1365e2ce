"""The `revenued` command: run the daemon, check a configuration, look after the database."""

import os
import re
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import click
from sqlalchemy.exc import SQLAlchemyError

from revenued import __version__, log
from revenued.clock import Clock, FastClock, WallClock
from revenued.config import OPTIONS, FileConfig, build_settings, environment_layer, read_file
from revenued.daemon.paths import Paths, find_config, find_paths, prepare_state_dir
from revenued.daemon.process import Start, open_database, serve
from revenued.errors import RevenuedError, StartError
from revenued.store.schema import copy_sqlite, current, head, upgrade

PATH = click.Path(path_type=Path)
config_option = click.option(
    "--config", "config_file", type=PATH, help="revenued.toml; default: the user's, else /etc/revenued/revenued.toml."
)
state_dir_option = click.option("--state-dir", type=PATH, help="Where the database lives.")


class Commands(click.Group):
    """Shows what was refused as one sentence, never as a traceback."""

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; exit 1 with the reason when it is refused."""
        try:
            return super().invoke(ctx)
        except RevenuedError as refusal:
            reason = str(refusal)
        except SQLAlchemyError as trouble:
            reason = f"database: {str(trouble).splitlines()[0]}"
        click.echo(f"revenued: {reason}", err=True)
        sys.exit(1)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="revenued")
def main() -> None:
    """Run a Core Lightning node as a routing business.

    `revenued run` is the daemon; `revenuectl` talks to it.
    """
    os.umask(0o077)  # what is written here says what the node earns and with whom


@main.command()
@config_option
@click.option("--rpc", type=PATH, help="The node's lightning-rpc socket. [default: ~/.lightning/bitcoin/lightning-rpc]")
@state_dir_option
@click.option("--control", type=PATH, help="The control socket that revenuectl talks to.")
@click.option("--fast-clock", hidden=True, help="Clock of the simulated node.")
def run(
    config_file: Path | None, rpc: Path | None, state_dir: Path | None, control: Path | None, fast_clock: str | None
) -> None:
    """Run the daemon in the foreground until it is told to stop."""
    found, config = _read_config(config_file)
    log.configure(level=config.log.level, form=config.log.format)
    paths = find_paths(config, rpc=rpc, state_dir=state_dir, control=control, environment=os.environ)
    serve(Start(paths, config, found, dict(os.environ), _clock(fast_clock)))


@main.command("check-config")
@config_option
def check_config(config_file: Path | None) -> None:
    """Read the configuration and say what would be in force, without starting anything."""
    found, config = _read_config(config_file)
    paths = find_paths(config, rpc=None, state_dir=None, control=None, environment=os.environ)
    settings = build_settings(config.settings, environment_layer(os.environ))
    click.echo(f"configuration file: {found or 'none, defaults only'}")
    for name, path in (
        ("rpc socket", paths.rpc_socket),
        ("state directory", paths.state_dir),
        ("control socket", paths.control_socket),
    ):
        click.echo(f"{name}: {path}")
    click.echo(f"database: {_shown_database(paths)}")
    for key, option in OPTIONS.items():
        value = getattr(settings, key)
        if value != option.default:
            click.echo(f"{key} = {value}  (default {option.default})")
    click.echo("ok; options that were set with `revenuectl config set` count on top of these")


@main.group()
def db() -> None:
    """Look after the database. The daemon upgrades it by itself at start."""


@db.command("current")
@config_option
@state_dir_option
def db_current(config_file: Path | None, state_dir: Path | None) -> None:
    """Show the version of the schema."""
    with closing(open_database(_paths(config_file, state_dir))) as store:
        click.echo(f"{store.location}: schema {current(store) or 'none (empty)'}, this revenued uses {head()}")


@db.command("upgrade")
@config_option
@state_dir_option
def db_upgrade(config_file: Path | None, state_dir: Path | None) -> None:
    """Bring the schema to this program's version, after a copy. Stop the daemon first."""
    _, config = _read_config(config_file)
    paths = _paths(config_file, state_dir)
    prepare_state_dir(paths.state_dir)
    with closing(open_database(paths)) as store:
        backup = upgrade(store, now=datetime.now(UTC), copies=config.store.backups)
        click.echo(f"{store.location}: schema {head()}" + (f"; copy from before: {backup}" if backup else ""))


@db.command("backup")
@config_option
@state_dir_option
@click.argument("target", type=PATH, required=False)
def db_backup(config_file: Path | None, state_dir: Path | None, target: Path | None) -> None:
    """Write a consistent copy of the database, also while the daemon runs. [default: beside it, with the time]"""
    paths = _paths(config_file, state_dir)
    with closing(open_database(paths)) as store:
        if store.kind != "sqlite":
            raise StartError("PostgreSQL is backed up with pg_dump")
        if current(store) is None:
            raise StartError(f"{store.location} is empty; there is nothing to back up")
        wanted = target or Path(f"{store.location}.backup-{datetime.now(UTC):%Y%m%dT%H%M%SZ}")
        copy_sqlite(Path(store.location), wanted)
    click.echo(str(wanted))


def _read_config(given: Path | None) -> tuple[Path | None, FileConfig]:
    found = find_config(given, os.environ)
    return found, read_file(found) if found is not None else FileConfig()


def _paths(config_file: Path | None, state_dir: Path | None) -> Paths:
    _, config = _read_config(config_file)
    paths = find_paths(config, rpc=None, state_dir=state_dir, control=None, environment=os.environ)
    if paths.database_url is None and not paths.state_dir.is_dir():
        raise StartError(f"{paths.state_dir}: no such state directory")
    return paths


def _shown_database(paths: Paths) -> str:
    if paths.database_url is None:
        return str(paths.state_dir / "revenued.db")
    without_query = paths.database_url.split("?", 1)[0]  # a password can stand in the query, too
    return re.sub(r"//([^:/@]*):[^@]*@", r"//\1:***@", without_query)


def _clock(fast_clock: str | None) -> Clock:
    if fast_clock is None:
        return WallClock()
    try:
        return FastClock.from_text(fast_clock)
    except ValueError as error:
        raise StartError(f"--fast-clock: {error}") from error
