"""What the documents say is held against the program: pages, links, commands, lists."""

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from revenued.accounting.statement import OMISSIONS
from revenued.cli.main import cli as revenuectl
from revenued.config import OPTIONS, read_option
from revenued.daemon.command_line import main as revenued
from revenued.fees.gate import GATES
from revenued.fees.pipeline import BOUNDS, OVERRIDES, PRICE
from revenued.node.permitted import PERMITTED

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
PROGRAMS: dict[str, click.Group] = {"revenuectl": revenuectl, "revenued": revenued}

_FENCE = re.compile(r"^ *```\w*\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
_SPAN = re.compile(r"`([^`]+)`")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_COMMAND_LINE = re.compile(r"^(?:\$ )?(?:sudo (?:-u \w+ )?)?(?:\S*/)?(revenuectl|revenued) (\S.*)$")


def text_of(page: Path) -> str:
    return page.read_text("utf-8")


def section(page: Path, title: str) -> str:
    """Return what stands under a heading, up to the next one of its level."""
    level, text = title.split(maxsplit=1)[0], text_of(page)
    return re.split(rf"^{level} ", text.split(f"\n{title}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]


def command_lines(page: Path) -> Iterator[tuple[str, str]]:
    """Yield (program, arguments) of every command line in code on a page."""
    text = text_of(page)
    pieces = [line.strip() for block in _FENCE.findall(text) for line in block.splitlines()]
    pieces += [" ".join(span.split()) for span in _SPAN.findall(_FENCE.sub("", text))]
    for piece in pieces:
        found = _COMMAND_LINE.match(piece)
        if found is not None:
            yield found[1], re.split(r"\s[|>#]|;|&&", found[2])[0].strip()


def anchors(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", _FENCE.sub("", text_of(page)), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def complaint(program: str, arguments: str) -> str | None:
    """Return what click says against a command line; a command named without its arguments is fine."""
    words = shlex.split(arguments)
    command: click.Command = PROGRAMS[program]
    path = program
    while isinstance(command, click.Group) and words:
        name = words[0]
        if name.isupper() or name.startswith("-"):
            return None  # `revenuectl COMMAND --help`, `revenued --version`
        if name not in command.commands:
            return f"{path} has no command {name!r}"
        command, path, words = command.commands[name], f"{path} {name}", words[1:]
    if isinstance(command, click.Group) or "--help" in words:
        return None
    try:
        command.make_context(path, words)
    except click.MissingParameter:
        return None
    except click.UsageError as error:
        return error.format_message()
    return None


def test_the_generated_pages_are_up_to_date() -> None:
    ran = subprocess.run(
        [sys.executable, ROOT / "docs" / "generate.py", "--check"], capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stderr) == (0, "")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_inside_the_repository_leads_somewhere(page: Path) -> None:
    dead = []
    for link in _LINK.findall(_FENCE.sub("", text_of(page))):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            dead.append(link)
    assert dead == []


@pytest.mark.parametrize("page", [page for page in PAGES if page.name != "commands.md"], ids=lambda page: page.name)
def test_every_command_line_that_is_shown_would_be_understood(page: Path) -> None:
    refused = {
        f"{program} {arguments}": said
        for program, arguments in command_lines(page)
        if (said := complaint(program, arguments)) is not None
    }
    assert refused == {}


def test_command_lines_are_found_and_wrong_ones_are_noticed() -> None:
    assert len(list(command_lines(ROOT / "README.md"))) > 20
    assert complaint("revenuectl", "config set dry_run false") is None
    assert complaint("revenuectl", "fees explain") is None
    assert complaint("revenuectl", "fees explian SCID") == "revenuectl fees has no command 'explian'"
    assert complaint("revenuectl", "run feee") is not None
    assert complaint("revenued", "run --rcp PATH") is not None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_options_that_are_set_in_an_example_exist_and_take_the_value(page: Path) -> None:
    for program, arguments in command_lines(page):
        words = shlex.split(arguments)
        if program == "revenuectl" and words[:2] == ["config", "set"] and words[2:3] != ["[OPTIONS]"]:
            for key, value in zip(words[2::2], words[3::2], strict=True):
                read_option(key, value)


def test_the_readme_names_every_command() -> None:
    named = {span.split()[-1] for span in _SPAN.findall(section(ROOT / "README.md", "## Commands"))}

    def leaves(command: click.Command) -> Iterator[str]:
        for name, below in command.commands.items() if isinstance(command, click.Group) else ():
            yield from leaves(below) if isinstance(below, click.Group) else (name,)

    assert {name for program in PROGRAMS.values() for name in leaves(program)} <= named


def test_the_readme_lists_exactly_the_permitted_methods_of_the_node() -> None:
    rows = re.findall(r"^\| (`.+?) \|", section(ROOT / "README.md", "## What it can do to your node"), re.MULTILINE)
    assert {method for row in rows for method in _SPAN.findall(row)} == set(PERMITTED)


def test_the_omissions_are_printed_word_by_word() -> None:
    told = " ".join(text_of(ROOT / "docs" / "numbers.md").split())
    assert [omission for omission in OMISSIONS if omission not in told] == []


def test_the_rules_and_gates_stand_in_the_order_in_which_they_are_asked() -> None:
    page = ROOT / "docs" / "fees.md"
    first_cells = re.compile(r"^\| `(\w+)` \|", re.MULTILINE)
    rules = first_cells.findall(section(page, "## The rules, in order"))
    assert rules == [rule.__name__ for rule in (*OVERRIDES, *PRICE, *BOUNDS)]
    assert first_cells.findall(section(page, "## Gates")) == [gate.__name__ for gate in GATES]


def test_the_options_beside_rules_and_gates_exist() -> None:
    page = ROOT / "docs" / "fees.md"
    rows = section(page, "## The rules, in order") + section(page, "## Gates")
    named = [span for cell in re.findall(r"\| ([^|]*) \|$", rows, re.MULTILINE) for span in _SPAN.findall(cell)]
    assert len(named) > 10
    assert [name for name in named if name not in OPTIONS and not name.startswith("revenuectl ")] == []
