"""Text that others wrote, such as aliases, made safe for a terminal: one line, left to right, no commands."""

import unicodedata

from rich.cells import cell_len, set_cell_size

_SPACES = frozenset({"Zs"})
_MARKS = frozenset({"Mn", "Me"})
_ESCAPED = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Controls, bidirectional overrides and other formatting, surrogates, private and unassigned characters, line ends."""


def plain(given: object) -> str:
    """Return `given` as one printable line; whatever could move the cursor, recolour or reorder is shown as an escape.

    One combining mark is left on each character; piles of them, which spill over other lines, are escaped.
    """
    shown = []
    after_mark = True  # A mark at the very start would join what stands before the text.
    for character in str(given):
        category = unicodedata.category(character)
        is_mark = category in _MARKS
        if category in _SPACES:
            shown.append(" ")
        elif category in _ESCAPED or (is_mark and after_mark):
            shown.append(_escape(character))
        else:
            shown.append(character)
        after_mark = is_mark
    return "".join(shown)


def cut(text: str, cells: int) -> str:
    """Return `text` in at most `cells` columns of a terminal, with … where something was cut off."""
    if cell_len(text) <= cells:
        return text
    return set_cell_size(text, cells - 1).rstrip() + "…"


def _escape(character: str) -> str:
    code = ord(character)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
