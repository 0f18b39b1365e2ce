"""`python -m revenued.daemon` is the `revenued` command."""

from revenued.daemon.command_line import main

main(prog_name="revenued")
