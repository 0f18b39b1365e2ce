"""`python -m revenued.cli` is the `revenuectl` command."""

from revenued.cli.main import main

main()
