"""Text that somebody else wrote, made safe to show: peers choose their aliases, plugins their error messages."""


def printable(text: str, *, most: int) -> str:
    """Return `text` without control, formatting and unpaired surrogate characters, cut to `most` characters."""
    # Cut twice: the first keeps a text of a hundred megabytes from being walked to its end.
    return "".join(character for character in text[: 4 * most] if character.isprintable())[:most]
