"""Instants are exact in both directions, and a fast clock can be handed to another process as text."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revenued.clock import EPOCH, FastClock, WallClock, from_micros, to_micros

START = datetime(2026, 1, 5, tzinfo=UTC)

instants = st.datetimes(
    timezones=st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes))),
    min_value=datetime(2, 1, 1),  # noqa: DTZ001 - the zone is drawn beside it
    max_value=datetime(9998, 12, 31),  # noqa: DTZ001
)


@pytest.fixture
def real_time(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The system's time, in a place where a test can change it."""
    present = [1000.0]
    monkeypatch.setattr("time.time", lambda: present[0])
    return present


@given(instants)
def test_an_instant_comes_back_from_micros_to_the_microsecond(instant: datetime) -> None:
    back = from_micros(to_micros(instant))
    assert back == instant
    assert back.utcoffset() == timedelta(0)


@given(st.integers(-(2**55), 2**57))
def test_micros_come_back_from_an_instant(micros: int) -> None:
    assert to_micros(from_micros(micros)) == micros


def test_1970_is_zero_and_before_it_is_negative() -> None:
    assert to_micros(EPOCH) == 0
    assert to_micros(EPOCH - timedelta(microseconds=1)) == -1


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(TypeError):
        to_micros(datetime(2026, 1, 1))  # noqa: DTZ001 - that is what is refused


def test_the_wall_clock_tells_utc_at_the_speed_of_time() -> None:
    before = datetime.now(UTC)
    told = WallClock().now()
    assert before <= told <= datetime.now(UTC)
    assert told.utcoffset() == timedelta(0)
    assert WallClock().speed == 1.0


@pytest.mark.parametrize(
    ("real_seconds", "ahead", "speed"),
    [
        (-50, timedelta(0), 100.0),
        (0, timedelta(0), 100.0),
        (3, timedelta(seconds=300), 100.0),
        (10, timedelta(seconds=1000), 2.0),
        (15, timedelta(seconds=1010), 2.0),
    ],
)
def test_a_fast_clock_runs_fast_and_then_as_told(
    real_time: list[float], real_seconds: float, ahead: timedelta, speed: float
) -> None:
    clock = FastClock(zero=1000.0, start=START, fast=100.0, fast_for=10.0, after=2.0)
    real_time[0] = 1000.0 + real_seconds
    assert clock.now() == START + ahead
    assert clock.speed == speed


@given(
    zero=st.floats(0, 4e9),
    start=st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    fast=st.floats(0.001, 1e6),
    fast_for=st.floats(0, 1e6),
    after=st.floats(0.001, 1e6),
)
def test_a_fast_clock_comes_back_from_its_text(
    zero: float, start: datetime, fast: float, fast_for: float, after: float
) -> None:
    clock = FastClock(zero=zero, start=start, fast=fast, fast_for=fast_for, after=after)
    assert FastClock.from_text(clock.to_text()) == clock


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1,2,3,4",
        "1,2,3,4,5,6",
        "a,2,3,4,5",
        "1,2,0,4,5",
        "1,2,-1,4,5",
        "1,2,3,-4,5",
        "1,2,3,4,0",
        "1,2,1e7,4,5",
        "nan,2,3,4,5",
        "inf,2,3,4,5",
        "-inf,2,3,4,5",
        "1,nan,3,4,5",
        "1,inf,3,4,5",
        "1,1e300,3,4,5",
        "1,-1e300,3,4,5",
        "1,2,nan,4,5",
        "1,2,3,nan,5",
        "1,2,3,inf,5",
        "1,2,3,4,nan",
    ],
)
def test_text_that_is_no_clock_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        FastClock.from_text(text)


@given(st.lists(st.floats(), min_size=5, max_size=5))
def test_any_five_numbers_are_a_clock_or_a_value_error(numbers: list[float]) -> None:
    try:
        clock = FastClock.from_text(",".join(map(repr, numbers)))
    except ValueError:
        return
    assert clock.speed > 0
