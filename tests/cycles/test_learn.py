"""One look of the learner at every channel: what it may learn from, and what it leaves as it was."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from revenued.cycles.context import CycleContext
from revenued.cycles.fee import fee_cycle
from revenued.cycles.feeplan import Gathered
from revenued.cycles.learn import Learned, learn
from revenued.cycles.run import run_job
from revenued.fees.case import FeeMemory
from revenued.fees.learning import LearnerState, Sold
from revenued.model import Channel
from revenued.store.engine import Store
from revenued.store.prices import read_learners
from tests.builders import NOW, fee, make_channel, make_exposure, make_learner, make_memory, make_settings
from tests.fakes import NODE_ID, FakeNode, HandClock

KEY = 1
HOUR = timedelta(hours=1)
THEIRS = make_memory(outside=fee(103), outside_seen_at=NOW - 10 * HOUR)


def learned(
    *,
    channel: Channel | None = None,
    state: LearnerState | None = None,
    memory: FeeMemory | None = None,
    sold: Sold | None = None,
    done: datetime | None = NOW,
    now: datetime = NOW,
    **options: Any,
) -> Learned:
    """Return what is known after a look at one channel."""
    gathered = Gathered(
        channels={KEY: channel or make_channel()},
        first_seen={KEY: NOW - timedelta(days=30)},
        memories={},
        learners={} if state is None else {KEY: state},
        flows={},
        sold={KEY: sold or Sold()},
        done=done,
    )
    return learn(gathered, {KEY: memory or make_memory()}, make_settings(**options), now=now)


def growing() -> LearnerState:
    """Return a learner whose exposure ends two hours ago and is not complete."""
    return make_learner(
        exposure=make_exposure(hours=3, through_at=NOW - 2 * HOUR, forward_count=1, started_at=NOW - 5 * HOUR)
    )


def test_a_look_adds_what_was_sold_and_a_complete_exposure_moves_the_base_price() -> None:
    found = learned(state=growing(), sold=Sold(2, 2000, 20)).states[KEY]
    assert found.exposure is not None
    assert (found.exposure.forward_count, found.exposure.hours) == (3, 5.0)
    complete = make_exposure(hours=5, through_at=NOW - HOUR, started_at=NOW - 6 * HOUR)
    done = learned(state=make_learner(exposure=complete), sold=Sold(2, 2000, 20))
    assert (done.states[KEY].base_ppm, done.states[KEY].exposure) == (110, None)
    ((key, base_ppm, exposure),) = done.closed
    assert (key, base_ppm, exposure.hours, exposure.earned_msat) == (KEY, 100, 6.0, 24_020)


@pytest.mark.parametrize(
    "differing",
    [
        {"dry_run": True},
        {"done": None},
        {"channel": make_channel(ours=None)},
        {"channel": make_channel(state="CHANNELD_SHUTTING_DOWN")},
    ],
    ids=["dry run", "history not read yet", "price unknown", "closing"],
)
def test_nothing_is_learned_from_what_says_nothing(differing: dict[str, Any]) -> None:
    found = learned(state=growing(), sold=Sold(9, 9000, 90), **differing)
    assert (found.states, found.closed) == ({KEY: growing()}, [])


def test_a_complete_exposure_at_a_multiplied_price_is_kept_as_history_and_teaches_nothing() -> None:
    state = make_learner(exposure=make_exposure(300))
    found = learned(channel=make_channel(ppm=300), state=state)
    assert found.states[KEY] == replace(state, exposure=None)
    assert [(base_ppm, exposure.fee_ppm) for _, base_ppm, exposure in found.closed] == [(100, 300)]


def test_the_hours_of_somebody_elses_price_are_not_taken_for_ours_when_ours_comes_back() -> None:
    theirs = learned(channel=make_channel(ppm=103), state=growing(), memory=THEIRS, sold=Sold(9, 9000, 90))
    assert theirs.states[KEY].exposure is None
    begun = learned(state=theirs.states[KEY], sold=Sold(9, 9000, 90)).states[KEY].exposure
    assert begun is not None
    assert begun.forward_count == 0


def test_somebody_elses_price_teaches_once_its_time_of_respect_is_over() -> None:
    """Near the base price the gate never replaces it: it would otherwise have ended learning for good."""
    state = make_learner(exposure=make_exposure(103))
    during = learned(channel=make_channel(ppm=103), state=state, memory=THEIRS)
    assert during.states[KEY] == replace(state, exposure=None)
    later = NOW + 14 * HOUR
    exposure = replace(make_exposure(103), through_at=later)
    after = learned(
        channel=make_channel(ppm=103), state=replace(state, exposure=exposure), memory=THEIRS, done=later, now=later
    )
    assert after.states[KEY].base_ppm == 110


def test_a_channel_whose_price_is_told_later_starts_from_that_price(sqlite_store: Store) -> None:
    node = FakeNode(HandClock())
    context = CycleContext(
        node=node,
        store=sqlite_store,
        settings=make_settings(),
        generation=1,
        node_id=NODE_ID,
        paused=False,
        clock=node.clock,
        stopping=lambda: False,
    )
    for ours in (None, make_channel(ppm=700).ours):
        node.add(make_channel(ours=ours))
        assert run_job("fee", fee_cycle, context).outcome == "done"
        node.clock.move(hours=1)
    with sqlite_store.read() as connection:
        states, _ = read_learners(connection)
    assert [state.base_ppm for state in states.values()] == [700]
