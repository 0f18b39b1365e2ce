"""Whatever is decided and whenever it is asked, a channel never sends more updates than its budget."""

from dataclasses import replace
from datetime import datetime, timedelta
from math import floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revenued.config import Settings
from revenued.fees.gate import gossip_allowance, objection
from revenued.fees.memory import confirmed, first_memory, intending, reconciled
from tests.builders import NOW, fee, make_case, make_channel, make_settings

DAY = timedelta(days=1)


def eager(settings: Settings, times: list[datetime], answered: list[bool]) -> list[datetime]:
    """Want another price at each of `times`; return when one was sent. An answer may be lost, or the process die."""
    memory = first_memory(fee(100), burst=settings.gossip_burst, now=NOW)
    live, sent = 100, []
    for now, is_answered in zip(times, answered, strict=True):
        memory, _ = reconciled(memory, fee(live), now=now)
        case = make_case(make_channel(ppm=live), settings, memory=memory, now=now)
        target = fee(300 - live)
        if objection(case, target) is not None:
            continue
        memory = intending(memory, target, allowance=gossip_allowance(case), now=now)
        sent.append(now)
        live = target.fee_ppm
        if is_answered:
            memory = confirmed(memory, target)
    return sent


def most_within(sent: list[datetime], span: timedelta) -> int:
    """Return the largest number of instants in any stretch of `span`."""
    return max((sum(start <= at < start + span for at in sent) for start in sent), default=0)


@given(
    asked=st.lists(st.tuples(st.timedeltas(timedelta(0), timedelta(hours=20)), st.booleans()), max_size=150),
    per_day=st.floats(0.1, 20),
    burst=st.integers(1, 10),
)
def test_no_day_sees_more_than_the_budget_and_what_was_saved_up(
    asked: list[tuple[timedelta, bool]], per_day: float, burst: int
) -> None:
    settings = make_settings(
        gossip_updates_per_day=per_day, gossip_burst=burst, min_fee_change_interval=0, fee_hysteresis=0.0
    )
    times, now = [], NOW
    for gap, _ in asked:
        now += gap
        times.append(now)
    sent = eager(settings, times, [answered for _, answered in asked])
    for days in (1, 3, 10):
        assert most_within(sent, days * DAY) <= floor(burst + days * per_day + 1e-6)


def test_a_channel_that_always_wants_to_change_does_so_twice_a_day_once_its_savings_are_spent() -> None:
    times = [NOW + timedelta(minutes=10 * step) for step in range(10 * 144)]
    sent = eager(make_settings(), times, [True] * len(times))
    assert len([at for at in sent if at < NOW + DAY]) == 4  # three saved up, and one earned by the end of the first day
    for day in range(2, 10):
        assert len([at for at in sent if NOW + day * DAY <= at < NOW + (day + 1) * DAY]) == 2


def test_a_long_silence_saves_up_no_more_than_the_burst() -> None:
    settings = make_settings(min_fee_change_interval=0)
    times = [NOW + 300 * DAY + timedelta(minutes=minute) for minute in range(60)]
    assert len(eager(settings, times, [True] * len(times))) == settings.gossip_burst


@pytest.mark.parametrize("answered", [True, False])
def test_an_update_whose_answer_was_lost_is_paid_for_like_any_other(answered: bool) -> None:
    settings = make_settings(min_fee_change_interval=0)
    times = [NOW + timedelta(minutes=minute) for minute in range(60)]
    assert len(eager(settings, times, [answered] * len(times))) == settings.gossip_burst


def test_an_update_that_was_never_sent_is_not_paid_for() -> None:
    """The memory of before is put back, so the allowance is what it was."""
    before = first_memory(fee(100), burst=3, now=NOW)
    case = make_case(memory=before)
    intended = intending(before, fee(200), allowance=gossip_allowance(case), now=NOW)
    assert gossip_allowance(replace(case, memory=intended)) == 2.0
    assert gossip_allowance(replace(case, memory=before)) == 3.0
