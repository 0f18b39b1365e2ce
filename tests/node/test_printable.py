"""Text from elsewhere cannot steer a terminal, a log or a database."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revenued.node.printable import printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("ACINQ", "ACINQ"),
        ("⚡ Zürich ⚡", "⚡ Zürich ⚡"),
        ("a\x00b\x1b[2Jc\r\nd\x7f", "ab[2Jcd"),
        ("evil\u202etxt", "eviltxt"),
        ("\ud800lone", "lone"),
        ("", ""),
        ("x" * 100, "x" * 10),
    ],
)
def test_what_cannot_be_printed_is_left_out(text: str, shown: str) -> None:
    assert printable(text, most=10 if len(text) > 20 else 64) == shown


@given(st.text(st.characters(exclude_categories=())))
def test_whatever_comes_out_is_printable_short_and_can_be_stored(text: str) -> None:
    shown = printable(text, most=16)
    assert shown.isprintable()
    assert len(shown) <= 16
    assert shown.encode().decode() == shown
