"""Channels are known by their channel id for ever, whatever they are called and whether they are listed."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from revenued.model import Side
from revenued.store.channels import (
    channel_keys,
    find_channel,
    known_channels,
    peer_keys,
    record_aliases,
    record_channels,
    record_closed,
    scid_owners,
)
from revenued.store.engine import Store
from revenued.units import Msat, scid_to_key
from tests.builders import make_channel
from tests.fakes import START
from tests.store.builders import make_closed, rows_of

LATER = START + timedelta(hours=3)


def record(store: Store, *listed: Any, at: Any = START) -> dict[str, int]:
    with store.write() as connection:
        return record_channels(connection, listed, now=at)


def close(store: Store, *closed: Any, at: Any = LATER) -> int:
    with store.write() as connection:
        return record_closed(connection, closed, now=at)


def only(store: Store, table: str = "channels") -> dict[str, Any]:
    (row,) = rows_of(store, table)
    return row


def test_a_channel_is_kept_with_its_peer_and_what_it_is_called(store: Store) -> None:
    channel = make_channel(1, local_alias="16000000x1x1", opener=Side.REMOTE, private=True)
    key = record(store, channel)[channel.channel_id]
    peer = only(store, "peers")
    assert (peer["node_id"], peer["first_seen_at"]) == (channel.peer_id, START)
    assert only(store) == {
        "channel_key": key,
        "channel_id": channel.channel_id,
        "peer_key": peer["peer_key"],
        "scid": scid_to_key("1x1x0"),
        "opener": "remote",
        "private": True,
        "capacity_msat": channel.capacity_msat,
        "funding_txid": "ab" * 32,
        "funding_outnum": 1,
        "state": "CHANNELD_NORMAL",
        "opened_at": channel.opened_at,
        "first_seen_at": START,
        "last_seen_at": START,
        "closed_at": None,
        "close_cause": None,
    }
    with store.read() as connection:
        assert scid_owners(connection) == {scid_to_key("1x1x0"): key, scid_to_key("16000000x1x1"): key}
        for name in (channel.channel_id, "1x1x0", "1:1:0", "16000000x1x1"):
            assert find_channel(connection, name) == key


def test_a_channel_keeps_its_key_and_the_day_it_was_first_seen(store: Store) -> None:
    first = record(store, make_channel(1))
    assert record(store, make_channel(2), make_channel(1), at=LATER) == {**first, make_channel(2).channel_id: 2}
    row = rows_of(store, "channels")[0]
    assert (row["first_seen_at"], row["last_seen_at"]) == (START, LATER)


def test_channels_of_one_peer_share_it(store: Store) -> None:
    record(store, make_channel(1), make_channel(2, peer_id=make_channel(1).peer_id))
    assert len(rows_of(store, "peers")) == 1


def test_a_splice_adds_a_name_and_keeps_the_channel_and_its_old_name(store: Store) -> None:
    before = make_channel(1)
    key = record(store, before)[before.channel_id]
    spliced = replace(before, scid="139x1x0", capacity_msat=Msat(2 * before.capacity_msat), funding_txid="cd" * 32)
    assert record(store, spliced, at=START + timedelta(minutes=1)) == {before.channel_id: key}
    row = only(store)
    assert (row["scid"], row["capacity_msat"]) == (scid_to_key("139x1x0"), spliced.capacity_msat)
    assert row["funding_txid"] == "cd" * 32
    with store.read() as connection:
        assert find_channel(connection, "1x1x0") == find_channel(connection, "139x1x0") == key


def test_a_name_that_comes_later_is_added(store: Store) -> None:
    """A channel has an alias, and traffic under it, before it has a short channel id."""
    fresh = make_channel(1, scid=None, local_alias="16000000x1x1", opened_at=None, state="CHANNELD_AWAITING_LOCKIN")
    record(store, fresh)
    record(store, make_channel(1, local_alias="16000000x1x1"), at=START + timedelta(minutes=1))
    row = only(store)
    assert (row["scid"], row["state"]) == (scid_to_key("1x1x0"), "CHANNELD_NORMAL")
    assert row["opened_at"] == make_channel(1).opened_at
    kinds = {row["scid"]: row["kind"] for row in rows_of(store, "channel_scids")}
    assert kinds == {scid_to_key("16000000x1x1"): "alias", scid_to_key("1x1x0"): "scid"}


@pytest.mark.parametrize("minutes", [1, 120])
def test_what_the_node_does_not_say_any_more_is_still_known(store: Store, minutes: int) -> None:
    known = make_channel(1, local_alias="16000000x1x1")
    record(store, known)
    silent: dict[str, Any] = {"scid": None, "local_alias": None, "opener": None, "opened_at": None}
    poorer = replace(known, funding_txid=None, funding_outnum=None, state="AWAITING_UNILATERAL", **silent)
    record(store, poorer, at=START + timedelta(minutes=minutes))
    row = only(store)
    assert row["state"] == "AWAITING_UNILATERAL"
    assert (row["scid"], row["opener"], row["opened_at"]) == (scid_to_key("1x1x0"), "local", known.opened_at)
    assert (row["funding_txid"], row["funding_outnum"]) == (known.funding_txid, 1)
    assert len(rows_of(store, "channel_scids")) == 2


def test_a_channel_that_is_not_listed_is_not_closed(store: Store) -> None:
    """A node that is starting, or an answer cut short, lists less than there is."""
    record(store, make_channel(1), make_channel(2))
    before = rows_of(store, "channels")
    record(store, at=LATER)
    record(store, make_channel(2), at=START)
    assert rows_of(store, "channels") == before


def test_only_the_nodes_own_word_closes_a_channel(store: Store) -> None:
    record(store, make_channel(1), make_channel(2))
    close(store, make_closed(1, close_cause="remote"))
    first, second = rows_of(store, "channels")
    assert (first["closed_at"], first["close_cause"], first["state"]) == (LATER, "remote", "CLOSED")
    assert (second["closed_at"], second["state"]) == (None, "CHANNELD_NORMAL")


def test_a_channel_closes_once_and_newly_closed_ones_are_counted(store: Store) -> None:
    record(store, make_channel(1))
    assert close(store, make_closed(1), make_closed(2)) == 2
    before = rows_of(store, "channels")
    assert close(store, make_closed(1, close_cause="local"), make_closed(2), at=LATER + timedelta(days=1)) == 0
    assert rows_of(store, "channels") == before


def test_a_forgotten_channel_that_we_never_saw_gives_its_old_forwards_a_name(store: Store) -> None:
    close(
        store, make_closed(1, local_alias="16000000x1x1", opener=Side.REMOTE), make_closed(2, peer_id=None, scid=None)
    )
    first, second = rows_of(store, "channels")
    assert (first["opener"], first["closed_at"], second["peer_key"]) == ("remote", LATER, None)
    with store.read() as connection:
        assert find_channel(connection, "1x1x0") == find_channel(connection, "16000000x1x1") == first["channel_key"]
        assert known_channels(connection)[second["channel_key"]].peer_id is None


def test_a_name_belongs_to_the_channel_that_had_it_first(store: Store) -> None:
    record(store, make_channel(1))
    record(store, make_channel(2, scid="1x1x0"), at=LATER)
    with store.read() as connection:
        assert scid_owners(connection) == {scid_to_key("1x1x0"): 1}


def test_an_alias_above_the_signed_range_is_a_name_like_any_other(store: Store) -> None:
    record(store, make_channel(1, scid=None, local_alias="16777215x16777215x65535"))
    with store.read() as connection:
        assert find_channel(connection, "16777215x16777215x65535") == 1


@pytest.mark.parametrize("name", ["", "2x1x0", "99999999x1x1", "not a channel", "ff" * 32, "1x1", "１x１x０"])
def test_what_no_channel_is_called_finds_none(store: Store, name: str) -> None:
    record(store, make_channel(1))
    with store.read() as connection:
        assert find_channel(connection, name) is None


def test_peers_are_shown_by_what_they_call_themselves_now(store: Store) -> None:
    record(store, make_channel(1), make_channel(2))
    peer = make_channel(1).peer_id
    for alias in ("first", "☃ second'; --"):
        with store.write() as connection:
            record_aliases(connection, {peer: alias, "03" + "ff" * 32: "of nobody"})
    with store.read() as connection:
        known = known_channels(connection)
        assert [known[key].alias for key in sorted(known)] == ["☃ second'; --", None]
        assert known[1].peer_id == peer
        assert set(channel_keys(connection)) == {make_channel(n).channel_id for n in (1, 2)}
        assert len(peer_keys(connection)) == 2
