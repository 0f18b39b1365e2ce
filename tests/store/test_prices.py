"""What is remembered of prices comes back as it was, also what another version wrote."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from revenued.clock import from_micros
from revenued.fees.case import FeeDecision, FeeMemory, Objection, Step
from revenued.fees.learning import Exposure, LearnerState, from_json
from revenued.model import ChannelFee
from revenued.store.engine import Store
from revenued.store.prices import (
    FeeChange,
    StoredChange,
    count_changes,
    read_changes,
    read_decisions,
    read_learners,
    read_memories,
    write_changes,
    write_decisions,
    write_exposures,
    write_learners,
    write_memories,
)
from revenued.store.tables import learner_states
from revenued.units import Msat, Ppm
from tests.builders import fee, make_exposure, make_learner
from tests.fakes import START
from tests.store.builders import keyed_channels, rows_of

on_the_database = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
instants = st.integers(0, 4 * 10**15).map(from_micros)
fees = st.builds(ChannelFee, st.integers(0, 2**32 - 1).map(Msat), st.integers(0, 2**32 - 1).map(Ppm))
shares = st.floats(-1e9, 1e9, allow_nan=False)
memories = st.builds(
    FeeMemory,
    gossip_allowance=shares,
    gossip_allowance_at=instants,
    broadcast=st.none() | fees,
    broadcast_at=st.none() | instants,
    intended=st.none() | fees,
    intended_at=st.none() | instants,
    outside=st.none() | fees,
    outside_seen_at=st.none() | instants,
    pending_ppm=st.none() | st.integers(0, 2**32).map(Ppm),
    pending_since=st.none() | instants,
)
counts = st.integers(0, 2**53)
exposures = st.builds(
    Exposure,
    started_at=instants,
    through_at=instants,
    fee_ppm=counts.map(Ppm),
    forward_count=counts,
    volume_msat=counts,
    earned_msat=counts,
    looks=counts,
    liquid_looks=counts,
    online_looks=counts,
)
learners = st.builds(
    LearnerState,
    base_ppm=st.integers(0, 2**32).map(Ppm),
    direction=st.sampled_from([-1, 1]),
    step=st.floats(0, 1),
    last_rate=st.none() | shares,
    reversals=counts,
    asleep_for=counts,
    exposure=st.none() | exposures,
)
leaves = st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.text(max_size=3) | shares
names = st.sampled_from(["exposure", "direction", "step", "started_at", "through_at"])
json_values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=4),
    max_leaves=8,
)


@on_the_database
@given(first=memories, second=memories, other=memories)
def test_memories_come_back_and_are_replaced_whole(
    store: Store, first: FeeMemory, second: FeeMemory, other: FeeMemory
) -> None:
    one, two = keyed_channels(store, 1, 2)
    with store.write() as connection:
        write_memories(connection, {one: first, two: other})
        write_memories(connection, {one: second})
        write_memories(connection, {})
        assert read_memories(connection) == {one: second, two: other}


@on_the_database
@given(first=learners, second=learners)
def test_learners_come_back_and_are_replaced_whole(store: Store, first: LearnerState, second: LearnerState) -> None:
    (key,) = keyed_channels(store, 1)
    with store.write() as connection:
        for state in (first, second):
            write_learners(connection, {key: state}, now=START)
            assert read_learners(connection) == ({key: state}, [])


def is_readable(stored: Any) -> bool:
    """Chance has written what we could have written."""
    try:
        from_json(777, stored)
    except (TypeError, KeyError, ValueError, OverflowError, AttributeError):
        return False
    return True


@on_the_database
@given(unreadable=json_values)
@example(unreadable={"direction": None, "step": None, "exposure": None})
@example(unreadable={"direction": 1, "step": "x", "exposure": None})
@example(unreadable={"direction": 1, "step": 0.1, "exposure": {"started_at": 10**30, "through_at": 0}})
@example(unreadable={"direction": 1, "step": 0.1, "exposure": "soon"})
def test_a_learner_that_another_version_wrote_starts_over_from_its_price(store: Store, unreadable: Any) -> None:
    """Whatever it wrote, the price that it had learned is not lost, nor are those of other channels."""
    assume(not is_readable(unreadable))
    one, two = keyed_channels(store, 1, 2)
    good = make_learner(321, reversals=2)
    with store.write() as connection:
        connection.execute(delete(learner_states))
        write_learners(connection, {two: good}, now=START)
        values = {"channel_key": one, "learner": "hill_climb", "base_ppm": 777, "updated_at": START}
        connection.execute(learner_states.insert().values(**values, state=unreadable or 0))
        states, said = read_learners(connection)
    assert said == [one]
    assert states[one].base_ppm == 777
    assert states[one].exposure is None
    assert states[two] == good


def test_a_state_of_another_learner_is_left_alone(store: Store) -> None:
    (key,) = keyed_channels(store, 1)
    values = {"channel_key": key, "learner": "other", "base_ppm": 5, "updated_at": START, "state": {}}
    with store.write() as connection:
        connection.execute(learner_states.insert().values(**values))
        write_learners(connection, {key: make_learner(10)}, now=START)
        assert read_learners(connection) == ({key: make_learner(10)}, [])
    assert len(rows_of(store, "learner_states")) == 2


def test_exposures_are_appended_with_the_base_price_of_their_time(store: Store) -> None:
    (key,) = keyed_channels(store, 1)
    exposure = make_exposure(120, looks=4, liquid_looks=3, online_looks=2)
    with store.write() as connection:
        write_exposures(connection, [(key, Ppm(110), exposure)])
        write_exposures(connection, [(key, Ppm(120), exposure)])
        write_exposures(connection, [])
    first, second = rows_of(store, "exposures")
    assert (first["base_ppm"], second["base_ppm"]) == (110, 120)
    assert (first["started_at"], first["ended_at"]) == (exposure.started_at, exposure.through_at)
    assert (first["liquid_share"], first["online_share"]) == (0.75, 0.5)
    assert (first["fee_ppm"], first["earned_msat"]) == (120, exposure.earned_msat)


STEPS = (Step("learned_base_price", Ppm(100), Ppm(120), "learned"), Step("left_alone", None, None, "≥ “so”"))


def test_the_newest_decision_of_each_channel_is_kept_with_all_its_steps(store: Store) -> None:
    one, two = keyed_channels(store, 1, 2)
    decision = FeeDecision("id", fee(100), fee(120), STEPS, ("a warning",))
    held = Objection("minimum_interval", "too soon", START + timedelta(hours=1))
    with store.write() as connection:
        write_decisions(connection, [(one, decision, "intended", None)], cycle_key=1, now=START)
        write_decisions(
            connection,
            [(one, decision, "held", held), (two, FeeDecision("id", None, None, ()), "left_alone", None)],
            cycle_key=2,
            now=START + timedelta(hours=2),
        )
        found = read_decisions(connection)
        assert read_decisions(connection, one) == {one: found[one]}
    kept = found[one]
    assert (kept.live_ppm, kept.target_ppm, kept.outcome, kept.steps) == (100, 120, "held", STEPS)
    assert (kept.held_by, kept.held_why, kept.held_until) == (held.gate, held.why, held.until)
    assert (kept.warnings, kept.decided_at) == (("a warning",), START + timedelta(hours=2))
    assert (found[two].live_ppm, found[two].target_ppm, found[two].held_by) == (None, None, None)


def change(store: Store, at: datetime, *changes: FeeChange) -> None:
    with store.write() as connection:
        write_changes(connection, changes, cycle_key=1, now=at)


@pytest.fixture
def history(store: Store) -> Store:
    one, two = keyed_channels(store, 1, 2)
    change(
        store,
        START,
        FeeChange(one, "broadcast", None, fee(10, 1), "first", STEPS),
        FeeChange(two, "refused", fee(1), None, "no"),
    )
    change(store, START + timedelta(hours=1), FeeChange(one, "outside", fee(10, 1), fee(20, 2), "second"))
    change(store, START + timedelta(hours=2))
    return store


def test_changes_are_told_newest_first_and_in_the_order_they_were_written(history: Store) -> None:
    with history.read() as connection:
        told = read_changes(connection, channel_key=None, limit=10)
        assert [(row.channel_key, row.kind, row.why) for row in told] == [
            (1, "outside", "second"), (2, "refused", "no"), (1, "broadcast", "first"),
        ]  # fmt: skip
        assert read_changes(connection, channel_key=1, limit=10) == [told[0], told[2]]
        assert read_changes(connection, channel_key=None, limit=1) == [told[0]]
    assert told[0] == StoredChange(START + timedelta(hours=1), 1, "outside", 10, 20, 1, 2, "second")
    assert told[2] == StoredChange(START, 1, "broadcast", None, 10, None, 1, "first")
    assert [step["why"] for step in rows_of(history, "fee_changes")[0]["steps"]] == ["learned", "≥ “so”"]


def test_changes_are_counted_by_kind_from_an_instant_on(history: Store) -> None:
    with history.read() as connection:
        assert count_changes(connection, START) == {"broadcast": 1, "refused": 1, "outside": 1}
        assert count_changes(connection, START + timedelta(seconds=1)) == {"outside": 1}
        assert count_changes(connection, START + timedelta(days=1)) == {}
