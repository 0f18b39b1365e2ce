"""The program `revenuectl`: its commands, and the last place where an error becomes a line instead of a traceback."""

import os
import sys

import click

from revenued.cli.channels import channels
from revenued.cli.completion import PROGRAM, completion
from revenued.cli.config import config
from revenued.cli.daemon import pause, resume, version
from revenued.cli.dashboard import dashboard
from revenued.cli.fees import fees
from revenued.cli.flow import flow
from revenued.cli.forwards import forwards
from revenued.cli.peers import peers
from revenued.cli.rebalance import rebalance
from revenued.cli.run import run
from revenued.cli.session import Refused, session_options
from revenued.cli.status import status

INTERRUPTED = 130
"""What shells expect of a program that was ended with Ctrl-C."""

EPILOG = """\b
Examples:
  revenuectl status
  revenuectl dashboard --window 7d
  revenuectl fees explain 800000x1234x0
  revenuectl config set dry_run false

\b
Exit codes:
  0  done
  1  refused; the reason is on stderr
  2  the command line was wrong
  3  the daemon could not be reached
  4  the node could not be reached

\b
Without --control the socket is $RUNTIME_DIRECTORY/control, else /run/revenued/control
where that exists, else ~/.local/share/revenued/control."""


@click.group(PROGRAM, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@session_options(read_environment=True)
def cli() -> None:
    """Ask and steer revenued, the daemon that runs this node as a routing business.

    Every command that asks the daemon takes --json and then prints exactly its answer.
    """


for _command in (
    status,
    dashboard,
    channels,
    flow,
    peers,
    forwards,
    fees,
    rebalance,
    config,
    run,
    pause,
    resume,
    version,
    completion,
):
    cli.add_command(_command)


def main() -> None:
    """Run revenuectl on the command line's arguments and exit."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # A terminal without UTF-8 shows escapes, not a traceback.
    try:
        code = cli.main(prog_name=PROGRAM, standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except click.Abort:
        code = INTERRUPTED
    except OSError as error:  # Standard output is on a full disk, for one.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python writes what is left when it ends.
        click.echo(f"cannot write: {error.strerror or error}", err=True)
        code = Refused.exit_code
    sys.exit(code)
