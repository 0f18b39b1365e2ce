"""Lines and tables on a terminal or in a pipe: never wider than they may be, and no number is ever cut in two."""

import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

PIPED_WIDTH = 100
GAP = 2
INDENT = 2
NARROWEST = {"name": 14, "words": 30}

Cell = str | Text
Style = Literal["", "bold", "dim", "red", "yellow", "green"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `kind` says what gives when it is too narrow: numbers never, a name is cut, words are wrapped."""

    title: str
    kind: Literal["number", "code", "name", "words"] = "code"
    rank: int = 0
    """When even that is not enough, columns of the highest rank are left out first; the first column always stays."""


def console() -> Console:
    """Return the console on what is standard output now; no markup, so that text cannot style or hide itself."""
    out = Console(markup=False, highlight=False, emoji=False)
    if not out.is_terminal and "COLUMNS" not in os.environ:
        out.width = PIPED_WIDTH
    return out


def styled(text: str, style: Style) -> Text:
    """Return `text` in a style that only a terminal shows."""
    return Text(text, style=style)


def heading(text: str) -> Text:
    """Return the title of a part, with an empty line above it."""
    return Text("\n").append(text, style="bold")


def bullets(lines: Iterable[str], *, style: Style = "") -> Iterable[RenderableType]:
    """Return one item a line, wrapped lines indented under their own item."""
    for line in lines:
        grid = Table.grid(padding=(0, 1, 0, 0))
        grid.add_column(no_wrap=True)
        grid.add_column(overflow="fold")
        grid.add_row(Text("  *"), Text(line, style=style))
        yield grid


def facts(pairs: Sequence[tuple[str, Cell]]) -> Table:
    """Return names and what is said of them, one a line."""
    grid = Table.grid(padding=(0, GAP, 0, 0))
    grid.add_column(no_wrap=True, style="dim")
    grid.add_column(overflow="fold")
    for name, said in pairs:
        grid.add_row(Text(f"{' ' * INDENT}{name}"), _text(said))
    return grid


def table(columns: Sequence[Column], rows: Sequence[Sequence[Cell]], *, width: int | None = None) -> RenderableType:
    """Return a table that fits `width` (the console's, when None), and a line naming the columns left out for it."""
    room = (console().width if width is None else width) - INDENT
    natural = [
        max([cell_len(column.title), *(_cells(row[index]) for row in rows)]) for index, column in enumerate(columns)
    ]
    kept = _kept(columns, natural, room)
    widths = _widths(columns, natural, kept, room)
    drawn = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="bold")
    for index in kept:
        column = columns[index]
        drawn.add_column(
            column.title,
            justify="right" if column.kind == "number" else "left",
            no_wrap=column.kind != "words",
            overflow="fold" if column.kind == "words" else "ellipsis",
            width=widths[index],
        )
    for row in rows:
        drawn.add_row(*(_text(row[index]) for index in kept))
    left_out = [column.title for index, column in enumerate(columns) if index not in kept]
    if not left_out:
        return Padding(drawn, (0, 0, 0, INDENT))
    note = Text(f"not shown for want of width: {', '.join(left_out)}", style="dim")
    return Padding(Group(drawn, note), (0, 0, 0, INDENT))


def _kept(columns: Sequence[Column], natural: Sequence[int], room: int) -> list[int]:
    kept = list(range(len(columns)))
    while len(kept) > 1 and sum(_least(columns[i], natural[i]) + GAP for i in kept) - GAP > room:
        kept.remove(max(kept[1:], key=lambda i: (columns[i].rank, i)))
    return kept


def _widths(columns: Sequence[Column], natural: Sequence[int], kept: Sequence[int], room: int) -> dict[int, int]:
    """Return the width of each kept column; what the least leaves is shared, the least needy first."""
    widths = {i: _least(columns[i], natural[i]) for i in kept}
    left = max(0, room - sum(widths.values()) - GAP * (len(kept) - 1))
    needy = sorted((i for i in kept if widths[i] < natural[i]), key=lambda i: natural[i] - widths[i])
    for position, index in enumerate(needy):
        granted = min(natural[index] - widths[index], left // (len(needy) - position))
        widths[index] += granted
        left -= granted
    return widths


def _least(column: Column, natural: int) -> int:
    return min(natural, NARROWEST.get(column.kind, natural))


def _cells(cell: Cell) -> int:
    return cell_len(cell.plain if isinstance(cell, Text) else cell)


def _text(cell: Cell) -> Text:
    return cell if isinstance(cell, Text) else Text(cell)


def show(parts: Iterable[RenderableType]) -> None:
    """Print the parts one below the other."""
    out = console()
    if out.is_terminal:
        for part in parts:
            out.print(part)
    else:
        with out.capture() as drawn:
            for part in parts:
                out.print(part)
        sys.stdout.writelines(f"{line.rstrip()}\n" for line in drawn.get().splitlines())
    sys.stdout.flush()
