"""Peers over time: how often they were there, and how what they sent ended."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete

from revenued.flow.reputation import DECAY_PER_HOUR
from revenued.store.engine import Store
from revenued.store.forwards import apply_forwards
from revenued.store.observations import record_peer_look
from revenued.store.peers import (
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
from tests.store.builders import keyed_channels, make_forward

FIRST, SECOND = scid_to_key("1x1x0"), scid_to_key("2x1x0")
HOUR = timedelta(hours=1)


def put(store: Store, *ended: tuple[int, str, Any]) -> None:
    """Put in forwards given as (entry, how it ended, when)."""
    with store.write() as connection:
        page = [
            make_forward(index, at=at, status=status, in_scid=entry, out_scid=99)
            for index, (entry, status, at) in enumerate(ended, 1)
        ]
        apply_forwards(connection, page)


def fade(store: Store, until: Any) -> dict[int, tuple[float, float]]:
    with store.write() as connection:
        fade_reputations(connection, until=until)
        return {peer: (known.settled, known.failed) for peer, known in read_reputations(connection).items()}


def test_every_peer_is_known_with_its_channels(store: Store) -> None:
    keyed_channels(store, 1, 2)
    with store.read() as connection:
        known = known_peers(connection)
        owners = scid_peers(connection)
    assert {peer.node_id for peer in known.values()} == {make_channel(1).peer_id, make_channel(2).peer_id}
    assert known[owners[FIRST]].node_id == make_channel(1).peer_id
    assert known[owners[SECOND]].first_seen_at == START


def test_presence_is_the_share_of_our_looks_and_unknown_without_any(store: Store) -> None:
    keyed_channels(store, 1, 2)
    with store.write() as connection:
        for hours_ago, there in ((30, False), (20, True), (1, True), (0, False)):
            record_peer_look(connection, {1: there}, now=START - hours_ago * HOUR)
        found = presence(connection, since=START - 24 * HOUR)
    assert found == {1: Presence(looks=3, there=2)}
    assert found[1].share == pytest.approx(2 / 3)
    assert Presence().share is None


def test_what_a_peer_sent_is_counted_once_and_fades_by_the_hour(store: Store) -> None:
    keyed_channels(store, 1, 2)
    at = START - HOUR
    put(store, (FIRST, "settled", at), (FIRST, "settled", at), (FIRST, "failed", at), (SECOND, "failed", at))
    assert fade(store, START) == {1: (2.0, 1.0), 2: (0.0, 1.0)}
    assert fade(store, START + 59 * timedelta(minutes=1)) == {1: (2.0, 1.0), 2: (0.0, 1.0)}
    later = fade(store, START + 10 * HOUR)
    assert later[1] == pytest.approx((2 * DECAY_PER_HOUR**10, DECAY_PER_HOUR**10))
    assert fade(store, START) == later


def test_a_long_absence_weighs_as_if_we_had_looked_every_hour(store: Store) -> None:
    keyed_channels(store, 1, 2)
    put(store, *((FIRST, "settled", START + hour * HOUR) for hour in (1, 3, 4, 20)), (SECOND, "failed", START))
    at_once = fade(store, START + 30 * HOUR)
    with store.write() as connection:
        connection.execute(delete(reputations))
    for hour in range(31):
        by_the_hour = fade(store, START + hour * HOUR)
    assert by_the_hour[1] == pytest.approx(at_once[1])
    assert by_the_hour[2] == pytest.approx(at_once[2])


def test_what_failed_on_our_own_side_does_not_blame_the_peer(store: Store) -> None:
    keyed_channels(store, 1)
    put(store, (FIRST, "local_failed", START - HOUR), (FIRST, "offered", START - HOUR))
    assert fade(store, START) == {1: (0.0, 0.0)}


def test_traffic_of_the_hour_that_is_not_over_waits_for_its_end(store: Store) -> None:
    keyed_channels(store, 1)
    put(store, (FIRST, "settled", START + timedelta(minutes=5)))
    assert fade(store, START + timedelta(minutes=30)) == {1: (0.0, 0.0)}
    assert fade(store, START + HOUR) == {1: (1.0, 0.0)}


def test_a_peer_that_comes_later_begins_with_what_it_sent_since(store: Store) -> None:
    keyed_channels(store, 1)
    fade(store, START)
    keyed_channels(store, 2)
    put(store, (SECOND, "settled", START + timedelta(minutes=10)))
    assert fade(store, START + HOUR) == {1: (0.0, 0.0), 2: (1.0, 0.0)}


def test_traffic_of_channels_that_nobody_knows_is_nobodys(store: Store) -> None:
    keyed_channels(store, 1)
    put(store, (777, "settled", START - HOUR))
    assert fade(store, START) == {1: (0.0, 0.0)}
