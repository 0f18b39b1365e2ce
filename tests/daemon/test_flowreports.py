"""What `forwards`, `flow` and `peers` answer, in the form that is documented."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from revenued.daemon.house import House
from revenued.errors import RevenuedError, SettingError
from revenued.model import Htlc
from revenued.store.forwards import set_aside
from revenued.store.observations import record_peer_look
from revenued.store.prices import write_exposures
from revenued.store.recovered import mark_gone
from revenued.units import Msat, Ppm, scid_to_key
from tests.builders import make_channel, make_exposure, make_htlc
from tests.daemon.asking import ask
from tests.fakes import START, FakeNode, HandClock
from tests.store.builders import make_closed, rows_of

ONE, TWO, THREE, NEW_TWO = (scid_to_key(f"{number}x1x0") for number in (1, 2, 3, 22))
PEERS = [make_channel(number).peer_id for number in (1, 2, 3)]
"""Of three channels; the third is with the same peer as the first."""


@pytest.fixture(autouse=True)
def _lively(house: House, node: FakeNode, clock: HandClock) -> None:
    """A node whose second channel was spliced between its two forwards."""
    node.add(make_channel(1), make_channel(2), make_channel(3, peer_id=PEERS[0]))
    node.alias_by_id = {PEERS[0]: "Alice", PEERS[1]: "Bob"}
    look(house)
    pay(node, ONE, TWO, fee_msat=1)
    node.resolve(node.offer(TWO, THREE), "failed")
    node.local_fail(ONE, scid_to_key("700000x1x1"), failcode=0x400A)
    clock.move(hours=1)
    node.add(make_channel(2, scid="22x1x0"))
    look(house)
    pay(node, ONE, NEW_TWO, fee_msat=2)
    node.offer(THREE, NEW_TWO)
    house.ingester.run_now()


def look(house: House) -> None:
    """Let the flow cycle look at the channels."""
    house.ingester.run_now()
    assert house.run_cycle("flow").outcome == "done"


def pay(node: FakeNode, in_scid: int, out_scid: int, *, fee_msat: int) -> None:
    node.resolve(node.offer(in_scid, out_scid, in_msat=1_000 + fee_msat, out_msat=1_000), "settled")


def listed(house: House, **asked: Any) -> list[int | None]:
    """Return the created indexes of the forwards that are answered."""
    return [row["created_index"] for row in ask(house, "forwards", **asked)["forwards"]]


def refused(house: House, method: str, **asked: Any) -> str:
    with pytest.raises(SettingError) as refusal:
        ask(house, method, **asked)
    return str(refusal.value)


# -- forwards ----------------------------------------------------------------------------------------------------


def test_a_forward_is_told_with_both_sides_and_their_names(house: House) -> None:
    answer = ask(house, "forwards")
    assert answer["since"] == "2025-12-06T13:00:00Z"
    assert (answer["next"], len(answer["forwards"])) == (None, 5)
    assert answer["forwards"][1] == {
        "created_index": 4,
        "recovered": False,
        "received_at": "2026-01-05T13:00:00Z",
        "resolved_at": "2026-01-05T13:00:00Z",
        "status": "settled",
        "in_channel": "1x1x0",
        "in_alias": "Alice",
        "out_channel": "22x1x0",
        "out_alias": "Bob",
        "asked_channel": None,
        "in_msat": 1_002,
        "out_msat": 1_000,
        "fee_msat": 2,
        "failcode": None,
    }


def test_what_the_sender_asked_for_is_told_apart_from_a_channel_of_ours(house: House) -> None:
    (row,) = ask(house, "forwards", status="local_failed")["forwards"]
    assert (row["out_channel"], row["out_alias"], row["asked_channel"]) == (None, None, "700000x1x1")
    assert (row["failcode"], row["out_msat"], row["fee_msat"], row["resolved_at"]) == (0x400A, None, None, None)


def test_a_recovered_forward_says_so_and_has_no_index_of_the_node(
    house: House, node: FakeNode, clock: HandClock
) -> None:
    clock.move(minutes=1)
    pay(node, ONE, NEW_TWO, fee_msat=7)
    node.autoclean(6)
    house.ingester.run_now()
    row = ask(house, "forwards")["forwards"][0]
    assert (row["recovered"], row["created_index"], row["status"], row["fee_msat"]) == (True, None, "settled", 7)


def test_a_forward_of_a_history_that_the_node_lost_was_not_recovered(house: House) -> None:
    with house.store.write() as connection:
        set_aside(connection, 3)
    rows = {row["fee_msat"]: row for row in ask(house, "forwards", status="settled")["forwards"]}
    assert [(rows[fee]["created_index"], rows[fee]["recovered"]) for fee in (1, 2)] == [(1, False), (None, False)]


def test_pages_follow_each_other_without_gap_or_overlap(house: House) -> None:
    first = ask(house, "forwards", limit=2)
    second = ask(house, "forwards", limit=2, before=first["next"])
    third = ask(house, "forwards", limit=2, before=second["next"])
    assert [row["created_index"] for page in (first, second, third) for row in page["forwards"]] == [5, 4, 3, 2, 1]
    assert third["next"] is None
    full = ask(house, "forwards", limit=5)
    assert ask(house, "forwards", limit=5, before=full["next"])["forwards"] == []


def test_new_forwards_do_not_shift_the_pages(house: House, node: FakeNode) -> None:
    first = ask(house, "forwards", limit=2)
    pay(node, ONE, NEW_TWO, fee_msat=1)
    house.ingester.run_now()
    assert listed(house, limit=5, before=first["next"]) == [3, 2, 1]


@pytest.mark.parametrize("name", ["2x1x0", "22x1x0", "2:1:0", make_channel(2).channel_id])
def test_a_channel_is_asked_for_by_any_name_it_ever_had_and_all_its_forwards_come(house: House, name: str) -> None:
    assert listed(house, channel=name) == [5, 4, 2, 1]


@pytest.mark.parametrize("name", [PEERS[0], "Alice", "ALICE", "alice"])
def test_a_peer_is_asked_for_by_id_or_alias_and_all_its_channels_count(house: House, name: str) -> None:
    assert listed(house, peer=name) == [5, 4, 3, 2, 1]
    assert listed(house, peer=name, channel="3x1x0") == [5, 2]
    assert listed(house, peer="Bob", channel="3x1x0") == []


def test_an_alias_that_several_peers_took_is_refused(house: House, node: FakeNode) -> None:
    """Anybody may call himself anything."""
    node.alias_by_id = {PEERS[0]: "Bob", PEERS[1]: "bob"}
    look(house)
    assert "'BOB' fits several peers; give a node id" in refused(house, "forwards", peer="BOB")
    assert listed(house, peer=PEERS[1]) == [5, 4, 2, 1]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"channel": "9x9x9"}, "channel: '9x9x9' is no channel of this node"),
        ({"channel": "ff" * 32}, "is no channel of this node"),
        ({"channel": "Alice"}, "channel: 'Alice' is no channel"),
        ({"peer": "Carol"}, "peer: 'Carol' is no peer of this node"),
        ({"peer": "\x1b[2J"}, r"peer: '\x1b[2J' is no peer"),
        ({"peer": ""}, "peer: "),
        ({"peer": "x" * 81}, "peer: "),
        ({"since": "yesterday"}, "since: 'yesterday' is no date; write 2026-05-01 or 2026-05-01T12:00:00Z"),
        ({"until": "2026-13-01"}, "until: '2026-13-01' is no date"),
        ({"since": "2026-02-30"}, "since: '2026-02-30' is no date"),
        ({"since": "24h"}, "since: '24h' is no date"),
        ({"since": "1767614400"}, "since: '1767614400' is no date"),
        ({"since": "0001-01-01T00:00:00+14:00"}, "since: "),
        ({"until": "9999-12-31T23:59:59-12:00"}, "until: "),
        ({"since": "2026-01-01 " * 5}, "since: "),
        ({"before": "x"}, "before: give what `next`"),
        ({"before": "1:"}, "before: "),
        ({"before": f"{10**40}:1"}, "before: "),
        ({"before": f"1:{10**40}"}, "before: "),
        ({"before": f"1:{-(2**63) - 1}"}, "before: "),
        ({"status": "paid"}, "status: "),
        ({"limit": 0}, "limit: "),
        ({"limit": 5001}, "limit: "),
        ({"limit": "5"}, "limit: "),
        ({"csv": True}, "csv: no such parameter"),
    ],
)
def test_what_cannot_be_understood_is_refused_by_its_name(house: House, asked: dict[str, Any], said: str) -> None:
    assert said in refused(house, "forwards", **asked)


@pytest.mark.parametrize(
    ("since", "until", "found"),
    [
        ("2026-01-05T13:00:00Z", None, [5, 4]),
        ("2026-01-05T12:00:00Z", "2026-01-05T13:00:00Z", [3, 2, 1]),
        ("2026-01-05T14:00:00+01:00", None, [5, 4]),
        ("2026-01-05T13:00:00", None, [5, 4]),
        ("2026-01-05", None, [5, 4, 3, 2, 1]),
        ("2026-01-06", None, []),
        (None, "2026-01-05", []),
        ("2026-01-05T13:00:00.000001Z", None, []),
        ("2026-02-01", "2026-01-01", []),
        ("0001-01-01", "9999-12-31", [5, 4, 3, 2, 1]),
    ],
)
def test_a_window_holds_its_beginning_and_not_its_end_in_utc(
    house: House, since: str | None, until: str | None, found: list[int]
) -> None:
    given = {name: value for name, value in (("since", since), ("until", until)) if value is not None}
    assert listed(house, **given) == found


def test_without_a_window_a_month_is_listed(house: House, clock: HandClock) -> None:
    clock.move(days=29, hours=23)
    assert listed(house) == [5, 4, 3, 2, 1]
    clock.move(hours=1, seconds=1)
    assert listed(house) == []


def test_forwards_whose_end_nobody_knows_can_be_asked_for(house: House) -> None:
    with house.store.write() as connection:
        mark_gone(connection, [5])
    assert listed(house, status="gone") == [5]
    assert listed(house, status="offered") == []


# -- flow --------------------------------------------------------------------------------------------------------


def test_the_flow_of_every_listed_channel_is_told(house: House) -> None:
    answer = ask(house, "flow")
    assert (answer["as_of"], answer["window_days"], answer["exposures"]) == ("2026-01-05T13:00:00Z", 7, [])
    rows = {row["channel_id"]: row for row in answer["channels"]}
    assert set(rows) == {make_channel(number).channel_id for number in (1, 2, 3)}
    spliced = rows[make_channel(2).channel_id]
    assert (spliced["scid"], spliced["alias"], spliced["out_count"], spliced["in_count"]) == ("22x1x0", "Bob", 2, 0)
    assert spliced["state"] == "balanced"
    assert spliced["out_msat_per_day"] > 0
    assert spliced["days_to_fill"] is None
    assert spliced["htlcs_in"] == {
        "count": 0, "dust_count": 0, "slots": 483, "value_msat": 0, "value_limit_msat": None, "fullness": 0.0,
    }  # fmt: skip
    assert rows[make_channel(3).channel_id]["state"] == "dormant"
    assert rows[make_channel(3).channel_id]["confidence"] == 0.0


def test_slots_are_those_of_the_last_look_and_the_option_says_what_is_congested(house: House, node: FakeNode) -> None:
    held: tuple[Htlc, ...] = (make_htlc(1_000, incoming=True),) * 20 + (make_htlc(500),)
    node.add(make_channel(1, htlcs=(*held, replace(held[0], trimmed=True)), max_accepted_htlcs=30))
    look(house)
    row = ask(house, "flow", channel="1x1x0")["channels"][0]
    assert row["htlcs_in"] == {
        "count": 21, "dust_count": 1, "slots": 30, "value_msat": 21_000, "value_limit_msat": None, "fullness": 0.6667,
    }  # fmt: skip
    assert row["htlcs_out"]["count"] == 1
    assert row["congested"] is False
    house.board.change({"htlc_congestion_threshold": 0.6}, by="test")
    assert ask(house, "flow", channel="1x1x0")["channels"][0]["congested"] is True


@pytest.mark.parametrize("name", ["2x1x0", "22x1x0", make_channel(2).channel_id])
def test_one_channel_is_told_with_what_it_sold_at_which_price(house: House, name: str) -> None:
    key = next(row["channel_key"] for row in rows_of(house.store, "channels") if row["scid"] == NEW_TWO)
    with house.store.write() as connection:
        older, newer = (make_exposure(ppm, through_at=START + timedelta(days=ppm)) for ppm in (100, 200))
        write_exposures(connection, [(key, Ppm(100), older), (key, Ppm(100), newer)])
    answer = ask(house, "flow", channel=name)
    assert [row["scid"] for row in answer["channels"]] == ["22x1x0"]
    assert [row["fee_ppm"] for row in answer["exposures"]] == [200, 100]
    assert answer["exposures"][1] == {
        "started_at": "2026-01-04T12:00:00Z",
        "ended_at": "2026-04-15T12:00:00Z",
        "fee_ppm": 100,
        "forward_count": 20,
        "volume_msat": 20_000_000,
        "earned_msat": 24_000,
        "liquid_share": 1.0,
        "online_share": 1.0,
    }


def test_a_channel_that_the_node_lists_no_more_has_no_flow_but_its_forwards(house: House, node: FakeNode) -> None:
    del node.channel_by_id[make_channel(3).channel_id]
    node.forgotten = [make_closed(3)]
    look(house)
    assert "the node does not list '3x1x0' any more" in refused(house, "flow", channel="3x1x0")
    assert listed(house, channel="3x1x0") == [5, 2]
    assert "is no channel of this node" in refused(house, "flow", channel="9x9x9")
    assert len(ask(house, "flow")["channels"]) == 2


def test_there_is_no_flow_before_the_first_look(house: House) -> None:
    house.last_look = None
    with pytest.raises(RevenuedError, match="were not read yet"):
        ask(house, "flow")


# -- peers -------------------------------------------------------------------------------------------------------


def peer(house: House, number: int) -> dict[str, Any]:
    found: dict[str, Any] = next(row for row in ask(house, "peers")["peers"] if row["peer_id"] == PEERS[number])
    return found


def test_a_peer_is_told_with_its_presence_and_its_traffic(house: House) -> None:
    answer = ask(house, "peers")
    assert (answer["as_of"], answer["window_days"], len(answer["peers"])) == ("2026-01-05T13:00:00Z", 7, 2)
    assert peer(house, 1) == {
        "peer_id": PEERS[1],
        "alias": "Bob",
        "channels": 1,
        "connected": True,
        "uptime_24h": 1.0,
        "uptime_7d": 1.0,
        "looks_7d": 2,
        "reputation": 0.5,
        "reputation_evidence": 1.0,
        "in_msat": 0,
        "out_msat": 2_000,
        "earned_msat": 3,
        "sourced_msat": 0,
    }
    alice = peer(house, 0)
    assert (alice["channels"], alice["in_msat"], alice["sourced_msat"], alice["earned_msat"]) == (2, 2_003, 3, 0)
    assert alice["reputation"] == pytest.approx(0.75), "one settled, and what we refused ourselves does not count"


def test_a_peer_that_nobody_looked_at_is_unknown_and_not_away(house: House, clock: HandClock) -> None:
    clock.move(days=2)
    assert (peer(house, 1)["uptime_24h"], peer(house, 1)["uptime_7d"]) == (None, 1.0)
    clock.move(days=6)
    assert (peer(house, 1)["uptime_7d"], peer(house, 1)["looks_7d"]) == (None, 0)


def test_presence_is_the_share_of_looks_that_found_it(house: House, node: FakeNode, clock: HandClock) -> None:
    clock.move(hours=1)
    node.add(make_channel(2, scid="22x1x0", peer_connected=False))
    look(house)
    found = peer(house, 1)
    assert (found["connected"], found["uptime_24h"], found["looks_7d"]) == (False, 0.667, 3)


def test_one_channel_that_is_there_is_enough_for_a_peer_to_be_there(house: House, node: FakeNode) -> None:
    node.add(make_channel(1, peer_connected=False))
    look(house)
    assert peer(house, 0)["connected"] is True


def test_a_peer_without_a_channel_is_neither_there_nor_away(house: House, node: FakeNode) -> None:
    del node.channel_by_id[make_channel(2).channel_id]
    look(house)
    assert (peer(house, 1)["channels"], peer(house, 1)["connected"]) == (0, None)
    assert peer(house, 1)["earned_msat"] == 3, "what it brought stays"


def test_before_the_first_whole_hour_there_is_no_reputation(house: House) -> None:
    with house.store.write() as connection:
        connection.exec_driver_sql("DELETE FROM reputations")
    assert (peer(house, 1)["reputation"], peer(house, 1)["reputation_evidence"]) == (None, None)


def test_traffic_of_peers_is_that_of_a_week(house: House, clock: HandClock) -> None:
    clock.move(days=7)
    assert peer(house, 1)["earned_msat"] == 2, "the first is an hour older than a week"
    clock.move(hours=1)
    assert peer(house, 1)["earned_msat"] == 0


def test_looks_older_than_the_window_do_not_count(house: House, clock: HandClock) -> None:
    keys = {row["node_id"]: row["peer_key"] for row in rows_of(house.store, "peers")}
    old: datetime = START - timedelta(days=6, hours=20)
    with house.store.write() as connection:
        record_peer_look(connection, {keys[PEERS[1]]: False}, now=old)
    assert (peer(house, 1)["uptime_24h"], peer(house, 1)["uptime_7d"]) == (1.0, 0.667)
    clock.move(hours=5)
    assert peer(house, 1)["uptime_7d"] == 1.0


def test_amounts_are_exact_however_large(house: House, node: FakeNode) -> None:
    large = Msat(10**15 + 7)
    node.resolve(node.offer(ONE, NEW_TWO, in_msat=large, out_msat=large - 1), "settled")
    house.ingester.run_now()
    assert ask(house, "forwards")["forwards"][0]["in_msat"] == large
    assert peer(house, 0)["in_msat"] == 2_003 + large
