"""Which windows a report can speak of: whole hours while hours are kept, whole days before."""

from datetime import datetime, timedelta

HOUR = timedelta(hours=1)


def report_window(
    since: datetime, until: datetime, *, now: datetime, hours_kept: timedelta
) -> tuple[datetime, datetime]:
    """Return [since, until) widened to what the kept sums can tell exactly, whether or not old rows were pruned yet.

    Both ends lie on whole hours; an end that is older than `hours_kept` lies on a whole day. `since` moves back and
    `until` forward, so that nothing that was asked for is left out.
    """
    oldest_hour = _day(now - hours_kept)
    start, end = _hour(since), _hour(until)
    if end < until:
        end += HOUR
    if start < oldest_hour:
        start = _day(start)
    if end < oldest_hour and end != _day(end):
        end = _day(end) + timedelta(days=1)
    return start, end


def _hour(instant: datetime) -> datetime:
    return instant.replace(minute=0, second=0, microsecond=0)


def _day(instant: datetime) -> datetime:
    return instant.replace(hour=0, minute=0, second=0, microsecond=0)
