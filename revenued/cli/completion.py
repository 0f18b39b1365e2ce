"""`revenuectl completion`: the script with which a shell completes revenuectl's commands."""

import click
from click.shell_completion import get_completion_class

PROGRAM = "revenuectl"
VARIABLE = "_REVENUECTL_COMPLETE"

EPILOG = """\b
Examples:
  revenuectl completion bash > ~/.local/share/bash-completion/completions/revenuectl
  revenuectl completion zsh > ~/.zfunc/_revenuectl
  revenuectl completion fish > ~/.config/fish/completions/revenuectl.fish"""


@click.command("completion", epilog=EPILOG)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the completion script of a shell."""
    writer = get_completion_class(shell)
    if writer is None:
        raise click.UsageError(f"{shell}: this click cannot complete for it")
    click.echo(writer(context.find_root().command, {}, PROGRAM, VARIABLE).source())
