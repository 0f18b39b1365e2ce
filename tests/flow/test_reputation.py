"""A reputation is the share that settles, known the better the more was sent, and forgotten as hours pass."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revenued.flow.reputation import DECAY_PER_HOUR, Reputation, faded

counts = st.integers(0, 10_000)
hours = st.floats(0, 2_000)


def test_of_a_peer_that_sent_nothing_something_is_assumed() -> None:
    assert Reputation().mean == pytest.approx(2 / 3)
    assert Reputation().evidence == 0.0


@pytest.mark.parametrize(
    ("settled", "failed", "mean"), [(8, 0, 10 / 11), (0, 7, 0.2), (97, 0, 0.99), (7, 2, 0.75), (0, 1_000_000, 0.0)]
)
def test_the_mean_is_the_share_that_settles_with_what_was_assumed(settled: int, failed: int, mean: float) -> None:
    assert Reputation(settled, failed).mean == pytest.approx(mean, abs=1e-4)
    assert Reputation(settled, failed).evidence == settled + failed


def test_an_hour_takes_two_percent_of_what_was_known_and_nothing_of_what_is_new() -> None:
    assert faded(Reputation(100, 50), hours=1, settled=3, failed=1) == Reputation(101, 50)


def test_without_time_nothing_fades_and_time_never_runs_backwards() -> None:
    assert faded(Reputation(10, 5), hours=0, settled=0, failed=0) == Reputation(10, 5)
    assert faded(Reputation(10, 5), hours=-3, settled=1, failed=0) == Reputation(11, 5)


def test_a_month_of_silence_leaves_nothing_but_what_is_assumed() -> None:
    old = faded(Reputation(0, 100_000), hours=24 * 30, settled=0, failed=0)
    assert old.mean == pytest.approx(Reputation().mean, abs=0.02)


@given(settled=counts, failed=counts, first=hours, second=hours)
def test_fading_twice_is_fading_once_for_both_spans(settled: int, failed: int, first: float, second: float) -> None:
    twice = faded(
        faded(Reputation(settled, failed), hours=first, settled=0, failed=0), hours=second, settled=0, failed=0
    )
    once = faded(Reputation(settled, failed), hours=first + second, settled=0, failed=0)
    assert twice.settled == pytest.approx(once.settled)
    assert twice.failed == pytest.approx(once.failed)


@given(settled=counts, failed=counts, span=hours, more_settled=counts, more_failed=counts)
def test_the_mean_is_a_share_and_moves_towards_what_was_sent(
    settled: int, failed: int, span: float, more_settled: int, more_failed: int
) -> None:
    before = faded(Reputation(settled, failed), hours=span, settled=0, failed=0)
    better = faded(Reputation(settled, failed), hours=span, settled=more_settled, failed=0)
    worse = faded(Reputation(settled, failed), hours=span, settled=0, failed=more_failed)
    assert 0 < worse.mean <= before.mean <= better.mean < 1
    assert before.evidence <= better.evidence


def test_steady_traffic_ends_in_steady_evidence() -> None:
    known = Reputation()
    for _ in range(2_000):
        known = faded(known, hours=1, settled=9, failed=1)
    assert known.evidence == pytest.approx(10 / (1 - DECAY_PER_HOUR), rel=1e-6)
    assert known.mean == pytest.approx(0.9, abs=0.01)
