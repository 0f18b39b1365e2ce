"""Peers over time: no look is no absence, and every whole hour of traffic is taken into a reputation once."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from revenued.clock import to_micros
from revenued.flow.reputation import Reputation, faded
from revenued.store.channels import record_aliases, record_channels
from revenued.store.engine import Store
from revenued.store.forwards import apply_forwards
from revenued.store.observations import record_peer_look
from revenued.store.peers import (
    KnownPeer,
    Presence,
    fade_reputations,
    known_peers,
    presence,
    read_reputations,
    scid_peers,
)
from revenued.store.tables import reputations
from revenued.units import scid_to_key
from tests.builders import make_channel
from tests.fakes import START
from tests.store.builders import forget_forwards, make_forward, rows_of

ONE, TWO = scid_to_key("1x1x0"), scid_to_key("2x1x0")
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _known(store: Store) -> None:
    with store.write() as connection:
        record_channels(connection, [make_channel(1), make_channel(2)], now=START)


def peer_keys(store: Store) -> tuple[int, int]:
    first, second, *_ = rows_of(store, "peers")
    return first["peer_key"], second["peer_key"]


def look(store: Store, at: datetime, **there: bool) -> None:
    first, second = peer_keys(store)
    keys = {"first": first, "second": second}
    with store.write() as connection:
        record_peer_look(connection, {keys[name]: seen for name, seen in there.items()}, now=at)


def seen(store: Store, since: datetime) -> dict[int, Presence]:
    with store.read() as connection:
        return presence(connection, since=since)


def forward(store: Store, *ends: tuple[datetime, str], in_scid: int = ONE) -> None:
    """Store forwards that came in by a channel and ended so."""
    index = len(rows_of(store, "forwards"))
    page = [
        make_forward(
            index + place,
            at=at,
            status=status,
            in_scid=in_scid,
            out_scid=TWO if in_scid == ONE else ONE,
            failcode=0x1007,
        )
        for place, (at, status) in enumerate(ends, start=1)
    ]
    with store.write() as connection:
        apply_forwards(connection, page)


def fade(store: Store, until: datetime) -> Reputation:
    """Bring reputations up to date; return that of the first peer."""
    with store.write() as connection:
        fade_reputations(connection, until=until)
        return read_reputations(connection)[peer_keys(store)[0]]


# -- presence ----------------------------------------------------------------------------------------------------


def test_a_peer_that_nobody_looked_at_is_unknown_and_not_away(store: Store) -> None:
    look(store, START, first=True)
    assert seen(store, START) == {peer_keys(store)[0]: Presence(1, 1)}
    assert Presence().share is None
    assert Presence(4, 0).share == 0.0
    assert Presence(4, 3).share == 0.75


def test_looks_of_an_hour_add_up_and_hours_without_a_look_are_left_out(store: Store) -> None:
    for minutes, there in ((0, True), (20, False), (40, True), (60 * 7, True)):
        look(store, START + timedelta(minutes=minutes), first=there, second=False)
    first, second = peer_keys(store)
    assert seen(store, START) == {first: Presence(4, 3), second: Presence(4, 0)}
    assert seen(store, START + 7 * HOUR) == {first: Presence(1, 1), second: Presence(1, 0)}
    assert seen(store, START + 8 * HOUR) == {}


def test_a_window_begins_with_the_whole_hour_that_it_begins_in(store: Store) -> None:
    look(store, START + timedelta(minutes=1), first=True)
    assert seen(store, START + timedelta(minutes=59))[peer_keys(store)[0]].looks == 1


def test_peers_are_known_with_all_their_channels_and_what_they_call_themselves(store: Store) -> None:
    spliced = replace(make_channel(1), scid="11x1x0", local_alias="16000000x1x1")
    with store.write() as connection:
        record_channels(connection, [spliced], now=START + HOUR)
        record_aliases(connection, {spliced.peer_id: "ACINQ"})
        first, second = peer_keys(store)
        assert known_peers(connection) == {
            first: KnownPeer(first, spliced.peer_id, "ACINQ", START),
            second: KnownPeer(second, make_channel(2).peer_id, None, START),
        }
        assert scid_peers(connection) == {
            ONE: first,
            scid_to_key("11x1x0"): first,
            scid_to_key("16000000x1x1"): first,
            TWO: second,
        }


# -- reputations -------------------------------------------------------------------------------------------------


def test_what_a_peer_sent_counts_by_how_it_ended_and_what_we_ourselves_failed_does_not(store: Store) -> None:
    forward(store, (START, "settled"), (START, "settled"), (START, "failed"), *[(START, "local_failed")] * 50)
    assert fade(store, START + HOUR) == Reputation(2.0, 1.0)


def test_what_leaves_by_a_peer_does_not_count_for_it(store: Store) -> None:
    forward(store, (START, "failed"), (START, "settled"), in_scid=TWO)
    assert fade(store, START + HOUR) == Reputation(0.0, 0.0)


def test_only_whole_hours_are_taken_in_and_each_of_them_once(store: Store) -> None:
    forward(store, (START, "settled"), (START + timedelta(minutes=59), "settled"))
    assert fade(store, START + timedelta(minutes=59)) == Reputation(0.0, 0.0)
    assert fade(store, START + HOUR) == Reputation(2.0, 0.0)
    assert fade(store, START + HOUR) == Reputation(2.0, 0.0)
    assert fade(store, START + HOUR + timedelta(minutes=59)) == Reputation(2.0, 0.0)
    assert fade(store, START + 2 * HOUR) == Reputation(2.0 * 0.98, 0.0)


def test_a_clock_that_was_set_back_changes_nothing(store: Store) -> None:
    forward(store, (START, "settled"))
    assert fade(store, START + HOUR) == fade(store, START - 5 * HOUR) == Reputation(1.0, 0.0)


def test_a_forward_counts_in_the_hour_in_which_it_ended(store: Store) -> None:
    with store.write() as connection:
        late = make_forward(1, at=START, in_scid=ONE, out_scid=TWO, resolved_at=to_micros(START + 3 * HOUR))
        apply_forwards(connection, [late])
    assert fade(store, START + 3 * HOUR) == Reputation(0.0, 0.0)
    assert fade(store, START + 4 * HOUR) == Reputation(1.0, 0.0)


def test_the_first_time_a_month_is_looked_back_on_and_what_is_older_is_forgotten(store: Store) -> None:
    forward(store, (START - timedelta(days=31), "failed"), (START - timedelta(days=29), "settled"))
    found = fade(store, START)
    assert found.failed == 0.0
    assert 0 < found.settled < 1e-6


def test_two_channels_of_a_peer_make_one_reputation_also_under_former_scids(store: Store) -> None:
    second = replace(make_channel(3), peer_id=make_channel(1).peer_id)
    with store.write() as connection:
        record_channels(connection, [replace(make_channel(1), scid="11x1x0"), second], now=START)
    for scid in (ONE, scid_to_key("11x1x0"), scid_to_key("3x1x0")):
        forward(store, (START, "settled"), in_scid=scid)
    assert fade(store, START + HOUR) == Reputation(3.0, 0.0)


def test_a_peer_that_came_later_begins_with_nothing(store: Store) -> None:
    forward(store, (START, "settled"))
    fade(store, START + HOUR)
    with store.write() as connection:
        record_channels(connection, [make_channel(3)], now=START)
    assert fade(store, START + 2 * HOUR) == Reputation(0.98, 0.0)
    assert [row["settled"] for row in rows_of(store, "reputations")] == [0.98, 0.0, 0.0]


ends = st.lists(st.tuples(st.integers(0, 47), st.sampled_from(["settled", "failed", "local_failed"])), max_size=12)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ends=ends, looks=st.lists(st.integers(1, 48), max_size=6))
def test_it_does_not_matter_how_often_reputations_are_brought_up_to_date(
    store: Store, ends: list[tuple[int, str]], looks: list[int]
) -> None:
    """A daemon that was away for a day and one that looked every hour think the same of a peer."""
    forget_forwards(store)
    with store.write() as connection:
        connection.execute(delete(reputations))
        fade_reputations(connection, until=START)
    forward(store, *((START + hour * HOUR, status) for hour, status in ends))
    for hours in sorted(looks):
        fade(store, START + hours * HOUR)
    found = fade(store, START + 48 * HOUR)
    expected = Reputation()
    for hour in range(48):
        counted = [status for at, status in ends if at == hour]
        expected = faded(expected, hours=1, settled=counted.count("settled"), failed=counted.count("failed"))
    assert found.settled == pytest.approx(expected.settled)
    assert found.failed == pytest.approx(expected.failed)
