"""Writes docs/options.md and docs/commands.md from the options and the command trees themselves.

`python docs/generate.py` writes; with `--check` nothing is written and the exit code is 1 when a file is stale.
"""

import sys
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any, Literal, cast, get_args, get_origin

import click
from pydantic import BaseModel

from revenued.cli.main import cli as revenuectl
from revenued.config import OPTIONS, FileConfig, Option, build_settings
from revenued.daemon.command_line import main as revenued
from revenued.daemon.commands import methods
from revenued.daemon.house import House
from revenued.errors import SettingError

DOCS = Path(__file__).parent
SHARED = ("control", "as_json", "timeout")
"""Options that nearly every command of revenuectl takes, described once."""

ORDERED = (
    ("min_fee_ppm", "max_fee_ppm"),
    ("exposure_min_hours", "exposure_max_hours"),
    ("retention_forwards_days", "retention_hours_days"),
    ("flow_window_days", "retention_samples_days"),
)
"""Pairs of which the first must not be above the second; `_refused` holds each against the real check."""

GENERATED = "<!-- Written by docs/generate.py; change the declarations in revenued/, then run `make docs`. -->"

OPTIONS_HEAD = """\
# Options

{generated}

There are two kinds. [Live options](#live-options) can be changed while the daemon runs and are in force from the next
cycle on. [What needs a restart](#what-needs-a-restart) stands in `revenued.toml` only.

Where a live option is given in several places, the lower line counts:

1. the default below
2. `[settings]` in `revenued.toml`
3. the environment: `REVENUED_` and the option in capitals, for instance `REVENUED_MAX_FEE_PPM=2500`
4. `revenuectl config set`, which is stored in the database

`revenuectl config get KEY` says which of them won. A value once set with `revenuectl config set` stays above the
file; this version has no command that forgets it, set it to the value you want instead.

`revenuectl config set` also reads `1_000`, `30%` for ratios, `90s`, `30m`, `1h 30m`, `2d`, `1w` for times, and a number
with the option's own unit behind it (`25ppm`). What does not fit is refused with what is allowed, and nothing is
changed. Several options in one command are changed together or not at all.

Some are checked against each other:

{ordered}

## Live options

| Option | Default | Allowed | Meaning |
|---|---|---|---|
{live}

## What needs a restart

`revenued.toml` is the file named with `--config`, else `~/.config/revenued/revenued.toml`, else
`/etc/revenued/revenued.toml`, else there is none and the defaults hold. Unknown keys are refused.
`systemctl reload revenued` (SIGHUP) reads it again: `[settings]` takes effect at once, a change in any other section is
named in the log as waiting for a restart, and a file with an error in it changes nothing.

{sections}

## Environment

| Variable | Read by | Meaning |
|---|---|---|
| `REVENUED_<OPTION>` | `revenued` | A live option, above the file and below `revenuectl config set`. |
| `REVENUED_CONTROL` | both | The control socket, where neither command line nor file name one. |
| `STATE_DIRECTORY`, `RUNTIME_DIRECTORY` | `revenued`, the second also `revenuectl` | Set by systemd for the service. |
| `XDG_CONFIG_HOME`, `XDG_DATA_HOME` | both | Instead of `~/.config` and `~/.local/share`. |
| `NO_COLOR`, `COLUMNS` | `revenuectl` | No colours; the width to write for. |
"""

COMMANDS_HEAD = """\
# Commands

{generated}

`revenued` is the daemon and what belongs to it on its own machine. `revenuectl` asks and steers the running daemon over
its control socket, and does nothing by itself.

Nearly every command of `revenuectl` takes these as well, before or after its name:

{shared}

Exit codes of `revenuectl`:

| Code | Meaning |
|---|---|
| 0 | done |
| 1 | refused; the reason is on stderr |
| 2 | the command line was wrong |
| 3 | the daemon could not be reached |
| 4 | the node could not be reached |

`revenued` ends with 0 when it was told to stop, with 1 and a sentence on stderr when it refuses to start or to do what
was asked, with 2 when the command line was wrong.

{commands}
## The control socket

`revenuectl` speaks JSON-RPC 2.0 over a UNIX socket, in Core Lightning's framing: `pyln.client.LightningRpc` can be
pointed at it, and `lightning-cli -N none -k --rpc-file=SOCKET METHOD`. Parameters are given by name.
`revenuectl --json` prints the result of the method and nothing else. These are the methods:

{methods}
"""


def options_page() -> str:
    """Return docs/options.md."""
    for pair in ORDERED:
        _refused(*pair)
    sections = "\n\n".join(
        _section(name, cast("type[BaseModel]", field.annotation))
        for name, field in FileConfig.model_fields.items()
        if name != "settings"
    )
    return OPTIONS_HEAD.format(
        generated=GENERATED,
        ordered="\n".join(f"- `{lower}` must not be above `{upper}`" for lower, upper in ORDERED),
        live="\n".join(
            f"| `{option.key}` | {_default(option)} | {_cell(option.allowed)} | {_cell(option.help)} |"
            for option in OPTIONS.values()
        ),
        sections=f"{sections}\n\n### [settings]\n\nAny of the live options.",
    )


def commands_page() -> str:
    """Return docs/commands.md."""
    trees = chain(_described(revenued, "revenued"), _described(revenuectl, "revenuectl"))
    names = sorted(methods(cast(House, None)))  # the names need no daemon; only calling a method does
    shared = [option for option in revenuectl.params if option.name in SHARED]
    return COMMANDS_HEAD.format(
        generated=GENERATED,
        shared=_options_table(shared),
        commands="\n".join(trees),
        methods="\n".join(f"- `{name}`" for name in names),
    )


def _refused(lower: str, upper: str) -> None:
    """Hold one pair against the real check: the least fitting pair of values must be refused."""
    most, least = OPTIONS[lower].most, OPTIONS[upper].least
    assert most is not None, lower
    assert least is not None, upper
    try:
        build_settings({lower: int(most), upper: int(least)})
    except SettingError:
        return
    raise AssertionError(f"{lower} above {upper} is not refused: docs/generate.py says that it is")


def _default(option: Option) -> str:
    value = option.default
    if isinstance(value, bool):
        return "true" if value else "false"
    if option.unit == "ratio":
        return f"{value:g}"
    return f"{value:g} {option.unit}".strip() if isinstance(value, float) else f"{value} {option.unit}".strip()


def _section(name: str, model: type[BaseModel]) -> str:
    rows = "\n".join(
        f"| `{key}` | {_file_default(field.default)} | {_file_kind(field)} | {_cell(field.description or '')} |"
        for key, field in model.model_fields.items()
    )
    return f"### [{name}]\n\n| Key | Default | Allowed | Meaning |\n|---|---|---|---|\n{rows}"


def _file_default(default: object) -> str:
    return "see meaning" if default is None else f"`{default}`"


def _file_kind(field: Any) -> str:
    if get_origin(field.annotation) is Literal:
        return "one of " + ", ".join(get_args(field.annotation))
    if field.annotation is int:
        bounds = {type(limit).__name__: limit for limit in field.metadata}
        return f"whole number from {bounds['Ge'].ge} to {bounds['Le'].le}"
    return "text"


def _described(command: click.Command, path: str) -> Iterator[str]:
    """Yield the chapter of a command and of all commands under it."""
    context = click.Context(command, info_name=path)
    level = "##" if " " not in path else "###"
    yield f"{level} {path}\n"
    yield f"```\n{path} {' '.join(command.collect_usage_pieces(context))}\n```\n"
    yield from _help(command)
    if table := _options_table([param for param in command.params if not _is_shared(path, param)]):
        yield f"{table}\n"
    if command.epilog and " " in path:  # the epilog of the program itself repeats what stands above
        yield "```\n" + command.epilog.replace("\b\n", "").strip() + "\n```\n"
    if isinstance(command, click.Group):
        for name in sorted(command.commands):
            yield from _described(command.commands[name], f"{path} {name}")


def _is_shared(path: str, param: click.Parameter) -> bool:
    return path.startswith("revenuectl") and param.name in SHARED


def _help(command: click.Command) -> Iterator[str]:
    for paragraph in (command.help or "").split("\n\n"):
        yield " ".join(paragraph.split()) + "\n"


def _options_table(params: list[click.Parameter]) -> str:
    rows = [row for param in params if (row := _option_row(param))]
    return "| Option | Meaning |\n|---|---|\n" + "\n".join(rows) if rows else ""


def _option_row(param: click.Parameter) -> str:
    if not isinstance(param, click.Option) or param.hidden or "--version" in param.opts:
        return ""
    name = ", ".join(param.opts)
    if isinstance(param.type, click.Choice):
        name += " " + "|".join(str(choice) for choice in param.type.choices)
    elif not param.is_flag:
        name += " " + (param.metavar or param.type.name.split()[0].upper())
    facts = [param.help or ""]
    if param.show_default and isinstance(param.default, str | int):
        facts.append(f"Default: {param.default}.")
    if param.show_envvar and param.envvar:
        facts.append(f"Environment: `{param.envvar}`.")
    return f"| `{_cell(name)}` | {_cell(' '.join(facts))} |"


def _cell(text: str) -> str:
    """Return text that cannot end its cell of a table."""
    return " ".join(text.split()).replace("|", "\\|")


def pages() -> Mapping[Path, str]:
    """Return every generated file with what should stand in it."""
    return {DOCS / "options.md": options_page(), DOCS / "commands.md": commands_page()}


def main() -> int:
    """Write what is stale, or with --check only say so; return the exit code."""
    check = sys.argv[1:] == ["--check"]
    if sys.argv[1:] and not check:
        sys.stderr.write("usage: python docs/generate.py [--check]\n")
        return 2
    stale = [path for path, text in pages().items() if not path.is_file() or path.read_text("utf-8") != text]
    for path in stale:
        if check:
            sys.stderr.write(f"{path.relative_to(DOCS.parent)} is stale; run `make docs`\n")
        else:
            path.write_text(pages()[path], "utf-8")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
