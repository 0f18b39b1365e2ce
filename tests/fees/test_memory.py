"""What the live fee says of our last broadcasts, in every order of intents, crashes, lost answers and other hands."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revenued.fees.case import FeeMemory
from revenued.fees.memory import (
    confirmed,
    first_memory,
    intending,
    reconciled,
    refused,
    respected_until,
    settled,
    withheld,
)
from revenued.model import ChannelFee
from revenued.units import Ppm
from tests.builders import NOW, fee, make_memory, make_settings
from tests.fees.laws import fees, instants

EARLIER = NOW - timedelta(hours=2)
BEFORE = NOW - timedelta(hours=1)
OURS, NEXT, THEIRS, OTHER = fee(100), fee(200), fee(333), fee(444)


def remembering(
    broadcast: ChannelFee | None = OURS, intended: ChannelFee | None = OURS, outside: ChannelFee | None = None
) -> FeeMemory:
    """Return a memory in which the broadcast is older than the intent, and the outside change older than now."""
    return make_memory(
        broadcast=broadcast,
        broadcast_at=EARLIER,
        intended=intended,
        intended_at=BEFORE,
        outside=outside,
        outside_seen_at=BEFORE if outside else None,
    )


@pytest.mark.parametrize(
    ("memory", "live", "broadcast", "outside", "happened"),
    [
        # Nothing happened.
        (remembering(), OURS, OURS, None, None),
        (remembering(intended=None), OURS, OURS, None, None),
        # We died between the intent and the call, or the node never got it: the old price is still ours.
        (remembering(intended=NEXT), OURS, OURS, None, None),
        # We died between the call and its answer, or the answer was lost: the new price is ours.
        (remembering(intended=NEXT), NEXT, NEXT, None, "broadcast"),
        # The same, when somebody else's price stood in between.
        (remembering(intended=NEXT, outside=THEIRS), NEXT, NEXT, None, "broadcast"),
        # We died between the intent and the call that would have replaced somebody else's price.
        (remembering(intended=NEXT, outside=THEIRS), THEIRS, OURS, THEIRS, None),
        # The node set something else than we asked for, and said so.
        (remembering(broadcast=OTHER, intended=NEXT), OTHER, OTHER, None, None),
        # Somebody else set a price, with our intent known to be done, open, or never there.
        (remembering(), THEIRS, OURS, THEIRS, "outside"),
        (remembering(intended=NEXT), THEIRS, OURS, THEIRS, "outside"),
        (remembering(intended=None), THEIRS, OURS, THEIRS, "outside"),
        # Their price still stands, changed again, or was taken back.
        (remembering(outside=THEIRS), THEIRS, OURS, THEIRS, None),
        (remembering(outside=THEIRS), OTHER, OURS, OTHER, "outside"),
        (remembering(outside=THEIRS), OURS, OURS, None, None),
        # A fee is both numbers.
        (remembering(), fee(100, base_msat=1), OURS, fee(100, base_msat=1), "outside"),
        # The node does not say: nothing is concluded.
        (remembering(), None, OURS, None, None),
        (remembering(intended=NEXT), None, OURS, None, None),
        (remembering(outside=THEIRS), None, OURS, THEIRS, None),
        # A channel that was first seen without a price.
        (remembering(broadcast=None, intended=None), OURS, OURS, None, None),
        (remembering(broadcast=None, intended=None), None, None, None, None),
    ],
)
def test_the_live_fee_is_ours_or_ours_but_late_or_somebody_elses(
    memory: FeeMemory,
    live: ChannelFee | None,
    broadcast: ChannelFee | None,
    outside: ChannelFee | None,
    happened: str | None,
) -> None:
    after, told = reconciled(memory, live, now=NOW)
    assert told == happened
    assert (after.broadcast, after.outside, after.intended) == (broadcast, outside, memory.intended)
    assert after.broadcast_at == (BEFORE if happened == "broadcast" else EARLIER)
    seen = None if outside is None else NOW if happened == "outside" else BEFORE
    assert after.outside_seen_at == seen


optional_fees = st.sampled_from([None, OURS, NEXT, THEIRS, OTHER]) | fees


@given(broadcast=optional_fees, intended=optional_fees, outside=optional_fees, live=optional_fees)
def test_looking_twice_tells_nothing_new(
    broadcast: ChannelFee | None, intended: ChannelFee | None, outside: ChannelFee | None, live: ChannelFee | None
) -> None:
    known_outside = outside if broadcast is not None and outside != broadcast else None
    once, _ = reconciled(remembering(broadcast, intended, known_outside), live, now=NOW)
    twice, told = reconciled(once, live, now=NOW + timedelta(minutes=30))
    assert told is None
    assert twice == once


def test_the_price_that_a_channel_has_when_first_seen_is_what_the_network_was_told() -> None:
    memory = first_memory(OURS, burst=3, now=NOW)
    assert (memory.broadcast, memory.broadcast_at, memory.intended) == (OURS, None, None)
    assert (memory.gossip_allowance, memory.gossip_allowance_at) == (3.0, NOW)
    assert reconciled(memory, OURS, now=NOW) == (memory, None)


def test_a_change_goes_from_intent_to_broadcast() -> None:
    intended = intending(first_memory(OURS, burst=3, now=EARLIER), NEXT, allowance=2.5, now=NOW)
    assert (intended.broadcast, intended.intended, intended.intended_at) == (OURS, NEXT, NOW)
    assert (intended.gossip_allowance, intended.gossip_allowance_at) == (1.5, NOW)
    done = confirmed(intended, NEXT)
    assert (done.broadcast, done.broadcast_at) == (NEXT, NOW)
    assert reconciled(done, NEXT, now=NOW) == (done, None)


def test_a_confirmed_change_ends_somebody_elses_price() -> None:
    taken_over = confirmed(intending(remembering(outside=THEIRS), NEXT, allowance=1.0, now=NOW), NEXT)
    assert (taken_over.broadcast, taken_over.outside, taken_over.outside_seen_at) == (NEXT, None, None)


def test_what_the_node_says_is_in_force_is_the_broadcast_whatever_was_asked() -> None:
    done = confirmed(intending(remembering(), NEXT, allowance=1.0, now=NOW), OTHER)
    assert (done.broadcast, done.intended) == (OTHER, NEXT)
    assert reconciled(done, OTHER, now=NOW) == (done, None)


def test_a_late_answer_is_told_once_and_then_is_old_news() -> None:
    lost = intending(remembering(), NEXT, allowance=1.0, now=BEFORE)
    still, told = reconciled(lost, OURS, now=NOW)
    assert (still, told) == (lost, None)
    ours, told = reconciled(still, NEXT, now=NOW)
    assert told == "broadcast"
    assert reconciled(ours, NEXT, now=NOW) == (ours, None)
    assert reconciled(ours, OURS, now=NOW)[1] == "outside"


def test_a_held_target_is_pending_since_it_was_first_wanted() -> None:
    once = withheld(remembering(), NEXT, now=EARLIER)
    again = withheld(once, NEXT, now=NOW)
    assert (again.pending_ppm, again.pending_since) == (200, EARLIER)
    other = withheld(again, THEIRS, now=NOW)
    assert (other.pending_ppm, other.pending_since) == (333, NOW)


def test_nothing_is_pending_once_a_change_is_under_way_or_not_wanted_any_more() -> None:
    held = withheld(remembering(), NEXT, now=NOW)
    assert settled(held) == remembering()
    under_way = intending(held, NEXT, allowance=1.0, now=NOW)
    assert (under_way.pending_ppm, under_way.pending_since) == (None, None)


def test_somebody_elses_price_is_theirs_for_the_time_of_respect() -> None:
    settings = make_settings(respect_manual_hours=24)
    assert respected_until(remembering(outside=THEIRS), settings) == BEFORE + timedelta(hours=24)
    assert respected_until(remembering(), settings) is None


@given(memory=st.builds(make_memory, broadcast=optional_fees, outside=optional_fees, outside_seen_at=instants))
def test_holding_a_change_back_forgets_nothing_about_the_price(memory: FeeMemory) -> None:
    assert settled(withheld(memory, fee(7), now=NOW)) == settled(memory)
    assert withheld(memory, fee(7), now=NOW).pending_ppm == Ppm(7)


def test_a_change_that_was_never_carried_out_is_not_taken_for_ours_when_somebody_sets_it_much_later() -> None:
    lost = intending(first_memory(OURS, burst=3, now=NOW), NEXT, allowance=3.0, now=NOW)
    still, told = reconciled(lost, OURS, now=NOW + timedelta(hours=7))
    assert (still.intended, told) == (None, None)
    assert still.intended_at == NOW, "when it was tried counts for the interval"
    theirs, told = reconciled(still, NEXT, now=NOW + timedelta(days=89))
    assert told == "outside"
    assert theirs.outside == NEXT


def test_a_refused_change_leaves_no_intent() -> None:
    asked = intending(first_memory(OURS, burst=3, now=NOW), NEXT, allowance=3.0, now=NOW)
    memory = refused(asked)
    assert (memory.intended, memory.intended_at, memory.broadcast) == (None, NOW, OURS)
    assert reconciled(memory, NEXT, now=NOW)[1] == "outside"
