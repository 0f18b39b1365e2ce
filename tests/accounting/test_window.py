"""Windows of reports: what they widen to, and that pruning hours changes nothing that they can ask for."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revenued.accounting.window import report_window

NOW = datetime(2026, 5, 20, 13, 45, tzinfo=UTC)
KEPT = timedelta(days=100)
LONG_AGO = NOW - timedelta(days=200)


def day(instant: datetime) -> datetime:
    return instant.replace(hour=0, minute=0, second=0, microsecond=0)


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        (
            NOW - timedelta(days=1),
            NOW,
            (datetime(2026, 5, 19, 13, tzinfo=UTC), datetime(2026, 5, 20, 14, tzinfo=UTC)),
        ),
        (
            datetime(2026, 5, 1, tzinfo=UTC),
            datetime(2026, 5, 2, tzinfo=UTC),
            (datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 5, 2, tzinfo=UTC)),
        ),
        (LONG_AGO, NOW, (day(LONG_AGO), datetime(2026, 5, 20, 14, tzinfo=UTC))),
        (LONG_AGO, LONG_AGO + timedelta(hours=3), (day(LONG_AGO), day(LONG_AGO) + timedelta(days=1))),
    ],
)
def test_a_window_is_widened_to_whole_hours_and_to_whole_days_where_hours_are_gone(
    since: datetime, until: datetime, expected: tuple[datetime, datetime]
) -> None:
    assert report_window(since, until, now=NOW, hours_kept=KEPT) == expected


@given(ago=st.integers(0, 400 * 24 * 60), length=st.integers(1, 100 * 24 * 60))
def test_nothing_asked_for_is_left_out_and_old_ends_lie_on_days(ago: int, length: int) -> None:
    since = NOW - timedelta(minutes=ago)
    until = since + timedelta(minutes=length)
    start, end = report_window(since, until, now=NOW, hours_kept=KEPT)
    assert start <= since < until <= end
    for edge in (start, end):
        assert edge.minute == edge.second == edge.microsecond == 0
        if edge < day(NOW - KEPT):
            assert edge == day(edge)
    assert report_window(start, end, now=NOW, hours_kept=KEPT) == (start, end)
