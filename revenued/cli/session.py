"""How every command reaches the daemon, and how its answer or the reason for having none comes back to the operator."""

import grp
import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.console import RenderableType

from revenued.cli.escape import plain
from revenued.cli.layout import show
from revenued.control.client import Absence, ControlClient, DaemonUnreachable
from revenued.control.protocol import NODE_NOT_REACHABLE, UNKNOWN_METHOD, MethodError

DEFAULT_TIMEOUT = 30.0
SYSTEM_SOCKET = Path("/run/revenued/control")

Result = dict[str, Any]
View = Callable[[Result], Iterable[RenderableType]]
Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(slots=True)
class Session:
    """What was given before the command or on it; what is given later counts."""

    control: Path | None = None
    as_json: bool = False
    timeout: float | None = None


class Refused(click.ClickException):
    """The command ends here: the operator is told why on stderr, and the shell by the exit code."""

    exit_code = 1

    def show(self, file: Any = None) -> None:
        """Print the reason; the part of it that came from elsewhere cannot command the terminal."""
        for line in self.message.splitlines():
            click.echo(plain(line), file=file, err=True)


class NoDaemon(Refused):
    """The command ends here: no daemon answered."""

    exit_code = 3


class NoNode(Refused):
    """The command ends here: the daemon could not reach the node."""

    exit_code = 4


def _remember(context: click.Context, parameter: click.Parameter, given: Any) -> None:
    session = context.ensure_object(Session)
    if given is not None and given is not False:
        setattr(session, str(parameter.name), given)


def session_options(*, read_environment: bool = False) -> Callable[[Command], Command]:
    """Add --control, --json and --timeout to a command.

    Only the outermost command reads the environment, so that a variable never beats what was typed.
    """

    def decorate(command: Command) -> Command:
        shared: dict[str, Any] = {"callback": _remember, "expose_value": False}
        command = click.option(
            "--timeout",
            type=click.FloatRange(0.1, 86_400),
            metavar="SECONDS",
            help="How long to wait for an answer. Default: 30, for a cycle that is run 900.",
            **shared,
        )(command)
        command = click.option(
            "--json", "as_json", is_flag=True, help="Print exactly the daemon's answer, as JSON.", **shared
        )(command)
        return click.option(
            "--control",
            type=click.Path(path_type=Path),
            metavar="PATH",
            envvar="REVENUED_CONTROL" if read_environment else None,
            show_envvar=read_environment,
            help="The daemon's control socket.",
            **shared,
        )(command)

    return decorate


def default_control(environment: Mapping[str, str]) -> Path:
    """Return where the daemon's socket most likely is: its own runtime directory, the service's, or the user's."""
    runtime = environment.get("RUNTIME_DIRECTORY", "").split(":")[0]
    if runtime:
        return Path(runtime, "control")
    if _may_exist(SYSTEM_SOCKET):
        return SYSTEM_SOCKET
    shared = environment.get("XDG_DATA_HOME") or Path(environment.get("HOME") or Path.home(), ".local", "share")
    return Path(shared, "revenued", "control")


def _may_exist(path: Path) -> bool:
    try:
        return path.exists()
    except PermissionError:
        return True  # A directory that only the group may enter: saying so helps more than looking elsewhere.


def control_path(session: Session) -> Path:
    """Return the socket to speak to."""
    return default_control(os.environ) if session.control is None else session.control.expanduser()


def ask(session: Session, method: str, params: Result | None = None, *, patience: float = DEFAULT_TIMEOUT) -> Result:
    """Return the result of `method`, waiting `patience` seconds unless told otherwise; raises Refused and its kin."""
    client = ControlClient(control_path(session), session.timeout or patience)
    try:
        return client.call(method, params)
    except DaemonUnreachable as error:
        raise NoDaemon(_advice(error)) from error
    except MethodError as error:
        if error.code == UNKNOWN_METHOD:
            message = f"The daemon does not know {method}, it is another version than revenuectl: restart it."
            raise Refused(message) from error
        raise (NoNode if error.code == NODE_NOT_REACHABLE else Refused)(str(error)) from error


def answer(session: Session, result: Result, view: View) -> None:
    """Print `result` as it is with --json, and as `view` shows it without."""
    if session.as_json:
        click.echo(json.dumps(result, indent=2))
        return
    try:
        parts = list(view(result))
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        message = f"The daemon's answer is not as expected ({error!r}), it may be another version; --json shows it."
        raise Refused(message) from error
    show(parts)


def _advice(error: DaemonUnreachable) -> str:
    """Return what is wrong with the socket, and what the operator can do about it."""
    said = f"The daemon is not reachable at {error.path}: {error.absence}."
    if error.absence is Absence.NOT_PERMITTED:
        group = _guarding_group(error.path)
        return (
            f"{said}\nOnly root and members of group {group} may use it: "
            f"sudo usermod -aG {group} $USER, then log in again."
        )
    if error.absence is Absence.NO_ANSWER:
        return f"{said[:-1]} ({error.detail}).\nGive it longer with --timeout, or see its log: journalctl -u revenued"
    if error.absence is Absence.NO_CONNECTION:
        said = f"{said[:-1]} ({error.detail})."
    return f"{said}\nStart it with `systemctl start revenued` or `revenued run`, or name its socket with --control."


def _guarding_group(path: Path) -> str:
    """Return the group of the socket, or of the directory that hides it from us."""
    for place in (path, *path.parents):
        try:
            return grp.getgrgid(place.stat().st_gid).gr_name
        except PermissionError:
            continue
        except (OSError, KeyError):
            break
    return "revenued"
