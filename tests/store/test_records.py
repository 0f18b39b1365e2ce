"""Cycles, looks at peers and channels, and snapshots: written down as they happened."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from revenued.model import ChannelList
from revenued.store.books import Paid, Snapshot, newest_snapshot, paid_between, write_snapshot
from revenued.store.cyclelog import begin_cycle, close_interrupted, end_cycle, newest_cycles
from revenued.store.engine import Store
from revenued.store.observations import record_peer_look, record_samples
from revenued.store.tables import entries, move_cursors
from tests.builders import make_channel, make_htlc
from tests.fakes import START
from tests.store.builders import keyed_channels, rows_of

LATER = START + timedelta(minutes=5)


def test_a_cycle_is_written_down_from_its_begin_to_its_end(store: Store) -> None:
    with store.write() as connection:
        first = begin_cycle(connection, "fee", generation=3, now=START)
        second = begin_cycle(connection, "flow", generation=4, now=START)
        end_cycle(connection, first, outcome="skipped", reason="why", summary={"held_by": {"dry_run": 2}}, now=LATER)
    with store.read() as connection:
        cycles = newest_cycles(connection)
    assert (cycles["fee"].outcome, cycles["fee"].reason, cycles["fee"].ended_at) == ("skipped", "why", LATER)
    assert cycles["fee"].summary == {"held_by": {"dry_run": 2}}
    assert (cycles["flow"].cycle_key, cycles["flow"].outcome, cycles["flow"].ended_at) == (second, "running", None)


def test_the_newest_run_of_each_kind_is_shown(store: Store) -> None:
    with store.write() as connection:
        keys = [begin_cycle(connection, kind, generation=1, now=START) for kind in ("fee", "flow", "fee")]
        assert {kind: record.cycle_key for kind, record in newest_cycles(connection).items()} == {
            "fee": keys[2], "flow": keys[1],
        }  # fmt: skip


def test_what_a_crash_cut_off_is_said_to_have_failed_and_nothing_else(store: Store) -> None:
    with store.write() as connection:
        done, cut = (begin_cycle(connection, "fee", generation=1, now=START) for _ in range(2))
        end_cycle(connection, done, outcome="done", reason=None, summary={}, now=LATER)
        assert close_interrupted(connection, now=LATER) == 1
        assert close_interrupted(connection, now=LATER) == 0
    outcomes = {row["cycle_key"]: (row["outcome"], row["reason"]) for row in rows_of(store, "cycles")}
    assert outcomes == {done: ("done", None), cut: ("failed", "the daemon stopped")}


def test_a_sample_holds_balances_prices_and_htlcs_by_direction(store: Store) -> None:
    (key,) = keyed_channels(store, 1)
    htlcs = (make_htlc(5, incoming=True), make_htlc(7), make_htlc(11))
    channels = ChannelList((make_channel(1, ppm=77, outbound_ratio=0.25, htlcs=htlcs),)).channels
    with store.write() as connection:
        record_samples(connection, [(key, channels[0])], now=START)
        record_samples(connection, [(key, replace(channels[0], ours=None, peer_connected=False))], now=LATER)
        record_samples(connection, [], now=LATER)
    first, second = rows_of(store, "channel_samples")
    wanted: dict[str, Any] = {
        "connected": True, "outbound_ratio": 0.25, "fee_ppm": 77, "base_fee_msat": 0,
        "htlcs_in": 1, "htlcs_out": 2, "htlcs_in_msat": 5, "htlcs_out_msat": 18,
    }  # fmt: skip
    assert {name: first[name] for name in wanted} == wanted
    assert (second["connected"], second["fee_ppm"], second["base_fee_msat"]) == (False, None, None)


def test_looks_at_a_peer_are_counted_by_the_hour(store: Store) -> None:
    keyed_channels(store, 1, 2)
    with store.write() as connection:
        for minute, there in ((0, True), (30, False), (59, True), (60, True)):
            record_peer_look(connection, {1: there, 2: False}, now=START + timedelta(minutes=minute))
        record_peer_look(connection, {}, now=START)
    seen = {
        (row["peer_key"], row["hour_at"]): (row["observed_count"], row["connected_count"])
        for row in rows_of(store, "peer_hours")
    }
    hour = timedelta(hours=1)
    assert seen == {(1, START): (3, 2), (1, START + hour): (1, 1), (2, START): (3, 0), (2, START + hour): (1, 0)}


def test_the_newest_snapshot_comes_back_with_what_is_unknown_unknown(store: Store) -> None:
    first = Snapshot(START, None, None, 5, 4, 3, 20_999_999 * 10**11, 2, 1, 7, 8, 9, 10)
    with store.write() as connection:
        assert newest_snapshot(connection) is None
        write_snapshot(connection, replace(first, taken_at=LATER, onchain_confirmed_msat=100))
        write_snapshot(connection, first)
        newest = newest_snapshot(connection)
    assert newest == replace(first, taken_at=LATER, onchain_confirmed_msat=100)
    assert (first.total_msat, newest.total_msat) == (None, None), "the wallet, or a part of it, is unknown"
    whole = replace(newest, onchain_unconfirmed_msat=0, skipped_count=0)
    assert whole.total_msat == 112
    assert replace(whole, skipped_count=1).total_msat is None, "a channel that could not be read is worth something"


def test_what_was_paid_is_summed_by_kind_without_estimates(store: Store) -> None:
    paid = (("rebalance", -5, 0, False), ("rebalance", -7, 1, False), ("open", -11, 0, False), ("close", -13, 0, True))
    with store.write() as connection:
        for number, (kind, amount, hour, estimate) in enumerate(paid):
            connection.execute(
                entries.insert().values(
                    kind=kind, amount_msat=amount, happened_at=START + timedelta(hours=hour), estimate=estimate,
                    evidence="test", reference=str(number),
                )
            )  # fmt: skip
        assert paid_between(connection, START, LATER) == Paid(5, None), "nobody read what was paid on chain"
        connection.execute(move_cursors.insert().values(source="chainmoves", created_index=1, updated_at=START))
        assert paid_between(connection, START, START + timedelta(hours=1)) == Paid(5, 11)
        assert paid_between(connection, START, START + timedelta(hours=2)) == Paid(12, 11)
        assert paid_between(connection, LATER, LATER) == Paid(0, 0)
