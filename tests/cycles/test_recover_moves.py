"""What is found among the node's own moves is what is missing, whatever else moved, and whatever happens meanwhile."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from revenued.clock import to_micros
from revenued.cycles import ingest, recover
from revenued.cycles.ingest import ingest_forwards
from revenued.cycles.recover import Recovered, recover_forwards
from revenued.model import MovePage, RoutedMove
from revenued.node.parse_moves import move_page
from revenued.store.channels import record_channels
from revenued.store.engine import Store
from revenued.store.forwards import read_cursor
from revenued.units import MICROS_PER_SECOND, Micros, Msat, scid_to_key
from tests.builders import make_channel
from tests.fakes import NODE_ID, START, FakeNode
from tests.store.builders import forget_forwards, rows_of, sums_from_rows, sums_of

ONE, TWO, THREE = (scid_to_key(f"{number}x1x0") for number in (1, 2, 3))


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest, "PAGE", 3)
    monkeypatch.setattr(recover, "PAGE", 3)


class BookedNode(FakeNode):
    """A node that shows its moves as lightningd does, its own payments among them."""

    def __init__(self) -> None:
        super().__init__()
        self.own: set[int] = set()
        """Indexes of moves that are no forward's."""
        self.spliced: set[int] = set()
        self._splices = 0

    def settle(
        self, in_scid: int, out_scid: int, *, in_msat: int = 1_001, payment: str | None = None, late: int = 0
    ) -> int:
        """Forward 1,000 msat and be paid for it at once; the moves come `late` seconds after."""
        index = self.offer(in_scid, out_scid, in_msat=in_msat, out_msat=1_000)
        self.resolve(index, "settled")
        self.rewrite_last(payment=payment, late=late)
        return index

    def rewrite_last(self, *, payment: str | None, late: int) -> None:
        """Let the moves of the newest forward be of this payment, and come later."""
        for place in (-2, -1):
            move = self.moves[place]
            self.moves[place] = move._replace(
                moved_at=Micros(move.moved_at + late * MICROS_PER_SECOND), payment_hash=payment or move.payment_hash
            )

    def pay_itself(self, out_channel: str, in_channel: str, *, in_msat: int = 1_001, fees_msat: int = 1) -> None:
        """Move liquidity from one channel to another: a debit and a credit, as a forward has them."""
        at = Micros(to_micros(self.clock.now()) // MICROS_PER_SECOND * MICROS_PER_SECOND)
        fees = Msat(fees_msat)
        for channel_id, credit, debit in ((out_channel, 0, in_msat - fees_msat), (in_channel, in_msat, 0)):
            index = len(self.moves) + 1
            self.own.add(index)
            self.moves.append(RoutedMove(index, channel_id, Msat(credit), Msat(debit), fees, at, f"own{index // 2}"))

    def splice(self, number: int) -> None:
        """Give a channel another scid, unless it got one since the test last said so."""
        if number not in self.spliced:
            self.spliced.add(number)
            self._splices += 1
            self.add(replace(self.channel_by_id[f"{number:064x}"], scid=f"{1000 * number + self._splices}x1x0"))

    def forget(self, *indexes: int) -> None:
        for index in indexes:
            self.autoclean(index)

    def earned(self) -> int:
        """Return what it would say that it ever collected."""
        routed = [move for move in self.moves if move.created_index not in self.own]
        return sum(move.fees_msat for move in routed if move.debit_msat > 0)

    def routed_moves(self, *, start: int, limit: int) -> MovePage:
        with self._called("routed_moves"):
            rows = [self._row(move) for move in self.moves[max(0, start - 1) :][:limit]]
            return move_page({"channelmoves": rows}, start=start)

    def _row(self, move: RoutedMove) -> dict[str, Any]:
        return {
            "created_index": move.created_index,
            "account_id": move.channel_id,
            "credit_msat": move.credit_msat,
            "debit_msat": move.debit_msat,
            "timestamp": move.moved_at // MICROS_PER_SECOND,
            "primary_tag": "invoice" if move.created_index in self.own else "routed",
            "payment_hash": move.payment_hash,
            "fees_msat": move.fees_msat,
        }


@pytest.fixture
def node(store: Store) -> BookedNode:
    """A node with three channels whose history, still empty, has been read."""
    return begin(store)


def begin(store: Store) -> BookedNode:
    forget_forwards(store)
    node = BookedNode()
    node.add(make_channel(1), make_channel(2), make_channel(3))
    name_channels(node, store)
    read(node, store)
    return node


def name_channels(node: FakeNode, store: Store) -> None:
    with store.write() as connection:
        record_channels(connection, node.channels().channels, now=node.clock.now())


def read(node: FakeNode, store: Store) -> datetime | None:
    """Read what is new; return since when deleted rows are to be looked for."""
    ingest_forwards(node, store, node_id=NODE_ID, now=node.clock.now, stopping=lambda: False)
    with store.read() as connection:
        cursor = read_cursor(connection)
    assert cursor is not None
    return cursor.recover_since


def come_back(node: FakeNode, store: Store) -> Recovered | None:
    since = read(node, store)
    return None if since is None else recover_forwards(node, store, since=since, stopping=lambda: False)


def settled(store: Store) -> list[tuple[int, int, int, int]]:
    """Return (in, out, in_msat, fee_msat) of what is stored as settled."""
    names = ("in_scid", "out_scid", "in_msat", "fee_msat")
    rows = [row for row in rows_of(store, "forwards") if row["status"] == "settled"]
    return sorted(tuple(row[name] for name in names) for row in rows)


def fees_by_channel(store: Store) -> tuple[dict[int, int], dict[int, int]]:
    """Return what the sums say that each channel earned as the way out, and sourced as the way in."""
    earned, sourced = dict[int, int](), dict[int, int]()
    for row in rows_of(store, "forward_days"):
        earned[row["scid"]] = earned.get(row["scid"], 0) + row["earned_msat"]
        sourced[row["scid"]] = sourced.get(row["scid"], 0) + row["sourced_msat"]
    return ({k: v for k, v in earned.items() if v}, {k: v for k, v in sourced.items() if v})


def test_our_own_payments_are_never_taken_for_forwards(store: Store, node: BookedNode) -> None:
    """A refill is a debit and a credit of one payment with a fee between them, as a forward is."""
    node.clock.move(hours=5)
    node.pay_itself(make_channel(2).channel_id, make_channel(1).channel_id)
    node.forget(node.settle(ONE, TWO, in_msat=1_007))
    node.pay_itself(make_channel(2).channel_id, make_channel(1).channel_id, in_msat=1_007, fees_msat=7)
    assert come_back(node, store) == Recovered(settled=1, gone=0)
    assert settled(store) == [(ONE, TWO, 1_007, 7)]


def test_equal_parts_of_one_payment_are_found_as_often_as_they_were_deleted(store: Store, node: BookedNode) -> None:
    node.settle(ONE, TWO, payment="seen")
    read(node, store)
    node.clock.move(hours=3)
    parts = [node.settle(ONE, TWO, payment="parts") for _ in range(4)]
    node.forget(parts[1], parts[3])
    assert come_back(node, store) == Recovered(settled=2, gone=0)
    assert settled(store) == [(ONE, TWO, 1_001, 1)] * 5
    assert sums_of(store) == sums_from_rows(store)


def test_equal_parts_by_different_channels_are_found_by_what_is_stored(store: Store, node: BookedNode) -> None:
    node.clock.move(hours=3)
    gone = node.settle(ONE, TWO, payment="parts")
    node.settle(THREE, ONE, payment="parts")
    # The halves of the two were written crosswise.
    node.moves[0], node.moves[2] = (
        node.moves[2]._replace(created_index=1),
        node.moves[0]._replace(created_index=3),
    )
    node.forget(gone)
    assert come_back(node, store) == Recovered(settled=1, gone=0)
    assert settled(store) == sorted([(ONE, TWO, 1_001, 1), (THREE, ONE, 1_001, 1)])


@pytest.mark.parametrize("late", [0, 4, 600])
def test_forwards_that_are_stored_are_not_found_again_however_late_their_moves(
    store: Store, node: BookedNode, late: int
) -> None:
    """A peer that went away after it was paid keeps the HTLC, and with it the move, until it is back."""
    node.clock.move(hours=3)
    node.settle(ONE, TWO, late=late)
    node.forget(node.settle(TWO, THREE))
    node.settle(ONE, TWO, late=late)
    assert come_back(node, store) == Recovered(settled=1, gone=0)
    assert settled(store) == sorted([(ONE, TWO, 1_001, 1), (TWO, THREE, 1_001, 1), (ONE, TWO, 1_001, 1)])


@pytest.mark.parametrize("late", [0, 15, 59])
@pytest.mark.parametrize("left_after", [0, 59, 61, 70, 119, 121, 125, 180])
def test_a_forward_from_before_we_left_is_not_found_again_wherever_the_window_begins(
    store: Store, node: BookedNode, left_after: int, late: int
) -> None:
    """Minutes: how late its moves came, and how long before we left it ended."""
    node.settle(ONE, TWO, late=late * 60)
    node.clock.move(minutes=left_after)
    read(node, store)
    node.clock.move(hours=5)
    node.forget(node.settle(TWO, THREE))
    assert come_back(node, store) == Recovered(settled=1, gone=0)


def test_what_settles_while_we_look_is_counted_once(store: Store, node: BookedNode) -> None:
    """Its moves are there already when the moves are read, its row was not there yet when the rows were read."""
    node.clock.move(hours=3)
    under_way = node.offer(ONE, TWO, in_msat=1_005, out_msat=1_000)
    node.forget(node.settle(TWO, THREE))
    since = read(node, store)

    def meanwhile(method: str) -> None:
        if method == "routed_moves" and node.rows[under_way].status == "offered":
            node.resolve(under_way, "settled")
            node.settle(THREE, ONE, in_msat=1_009)

    node.between_calls = meanwhile
    assert since is not None
    assert recover_forwards(node, store, since=since, stopping=lambda: False) == Recovered(settled=1, gone=0)
    read(node, store)
    assert settled(store) == sorted([(ONE, TWO, 1_005, 5), (TWO, THREE, 1_001, 1), (THREE, ONE, 1_009, 9)])
    assert sums_of(store) == sums_from_rows(store)


@pytest.mark.parametrize("nth", range(1, 9))
def test_what_settles_and_is_deleted_while_we_look_is_not_lost(store: Store, node: BookedNode, nth: int) -> None:
    node.clock.move(hours=3)
    under_way = node.offer(ONE, TWO, in_msat=1_005, out_msat=1_000)
    node.forget(node.settle(TWO, THREE))
    since, calls = read(node, store), 0

    def meanwhile(_method: str) -> None:
        nonlocal calls
        calls += 1
        if calls == nth:
            node.resolve(under_way, "settled")
            node.autoclean(under_way)

    node.between_calls = meanwhile
    assert since is not None
    recover_forwards(node, store, since=since, stopping=lambda: False)
    come_back(node, store)
    assert settled(store) == sorted([(ONE, TWO, 1_005, 5), (TWO, THREE, 1_001, 1)])


def test_what_is_still_under_way_is_not_taken_for_one_like_it_that_was_deleted(store: Store, node: BookedNode) -> None:
    node.offer(ONE, TWO, in_msat=1_001, out_msat=1_000)
    read(node, store)
    node.clock.move(hours=1)
    node.forget(node.settle(ONE, TWO))
    assert come_back(node, store) == Recovered(settled=1, gone=0)
    assert {row["created_index"]: row["status"] for row in rows_of(store, "forwards")} == {
        -2: "settled",
        1: "offered",
    }
    node.resolve(1, "settled")
    read(node, store)
    assert settled(store) == [(ONE, TWO, 1_001, 1)] * 2


def test_of_those_that_are_gone_the_one_with_the_same_way_out_is_the_one_that_settled(
    store: Store, node: BookedNode
) -> None:
    failed, paid = (node.offer(ONE, leaving, in_msat=1_001, out_msat=1_000) for leaving in (THREE, TWO))
    read(node, store)
    began = node.clock.now()
    node.clock.move(hours=1)
    node.resolve(failed, "failed")
    node.resolve(paid, "settled")
    node.forget(failed, paid)
    assert come_back(node, store) == Recovered(settled=1, gone=1)
    recovered, gone = rows_of(store, "forwards")
    assert (gone["created_index"], gone["status"]) == (failed, "gone")
    assert (recovered["status"], recovered["received_at"]) == ("settled", began)
    assert recovered["resolved_at"] == node.clock.now()


@pytest.mark.parametrize("spliced", ["before", "while away"])
def test_a_channel_that_was_spliced_is_the_same_channel(store: Store, node: BookedNode, spliced: str) -> None:
    """Its scid is another one, its channel_id, which moves go by, is not."""
    node.settle(ONE, TWO)
    read(node, store)
    if spliced == "while away":
        node.clock.move(hours=2)
        lost = node.settle(ONE, TWO, in_msat=1_003)
    node.add(replace(make_channel(2), scid="22x1x0"))
    if spliced == "before":
        name_channels(node, store)
        node.settle(ONE, scid_to_key("22x1x0"))
        read(node, store)
        node.clock.move(hours=2)
        lost = node.settle(ONE, scid_to_key("22x1x0"), in_msat=1_003)
    node.forget(lost)
    node.local_fail(ONE, None)
    name_channels(node, store)
    assert come_back(node, store) == Recovered(settled=1, gone=0)
    seen = [(ONE, TWO, 1_001, 1)] + ([(ONE, scid_to_key("22x1x0"), 1_001, 1)] if spliced == "before" else [])
    assert settled(store) == sorted([*seen, (ONE, scid_to_key("22x1x0"), 1_003, 3)])
    assert recover_forwards(node, store, since=START, stopping=lambda: False) == Recovered(0, 0)


def test_a_channel_whose_scid_nobody_knows_any_more_is_counted_once(store: Store, node: BookedNode) -> None:
    """Two splices while we were away: the node names neither the scid nor whose it was."""
    node.clock.move(hours=2)
    for scid in ("55x1x0", "66x1x0"):
        node.add(replace(make_channel(2), scid=scid))
        node.settle(ONE, scid_to_key(scid), in_msat=1_003)
        node.settle(scid_to_key(scid), THREE, in_msat=1_002)
    node.forget(node.settle(ONE, THREE))
    name_channels(node, store)
    assert come_back(node, store) == Recovered(settled=1, gone=0)
    assert sum(fee for *_, fee in settled(store)) == node.earned()


def test_a_long_book_is_not_read_from_its_beginning(store: Store, node: BookedNode) -> None:
    for _ in range(400):
        node.settle(ONE, TWO)
        node.clock.move(minutes=1)
    read(node, store)
    node.clock.move(hours=12)
    node.forget(node.settle(ONE, TWO))
    asked = list[tuple[int, int]]()
    answer = node.routed_moves

    def noted(*, start: int, limit: int) -> MovePage:
        asked.append((start, limit))
        return answer(start=start, limit=limit)

    node.routed_moves = noted  # type: ignore[method-assign]
    assert come_back(node, store) == Recovered(1, 0)
    pages = [start for start, limit in asked if limit > 1]
    assert 2 * 270 < min(pages) <= 2 * 281, "two hours before we left, of 400 minutes"
    assert len(asked) - len(pages) <= 2 * len(f"{800:b}")


ways = st.sampled_from([(ONE, TWO), (TWO, ONE), (ONE, THREE), (THREE, TWO)])
happenings = st.tuples(
    st.sampled_from(["pay", "pay", "parts", "begin", "settle", "fail", "refill", "clean", "clean", "splice"]),
    ways,
    st.integers(0, 9),
)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(absences=st.lists(st.lists(happenings, max_size=12), min_size=1, max_size=4))
def test_after_any_absence_every_channel_earned_what_it_earned(
    sqlite_store: Store, absences: list[list[tuple[str, tuple[int, int], int]]]
) -> None:
    """Equal payments, equal parts of one payment, own refills, splices, and whatever is deleted before we look."""
    store, node = sqlite_store, begin(sqlite_store)
    truth: tuple[dict[str, int], dict[str, int]] = ({}, {})
    for happened in absences:
        node.spliced.clear()
        for what, way, choice in happened:
            node.clock.move(minutes=choice * 10, seconds=20)
            happen(node, what, way, choice)
        name_channels(node, store)
        come_back(node, store)
        node.clock.move(seconds=30)
    for move in node.moves:
        if move.created_index not in node.own:
            side = truth[0] if move.debit_msat else truth[1]
            side[move.channel_id] = side.get(move.channel_id, 0) + move.fees_msat
    assert by_channel_id(store) == truth
    assert sums_of(store) == sums_from_rows(store)
    total = sum(row["fee_msat"] for row in rows_of(store, "forwards") if row["status"] == "settled")
    assert total == node.earned()
    known = {row["created_index"] for row in rows_of(store, "forwards") if row["status"] == "offered"}
    assert known == {index for index, row in node.rows.items() if row.status == "offered"}
    for absent in (START, node.clock.now() - timedelta(hours=3)):
        assert recover_forwards(node, store, since=absent, stopping=lambda: False) == Recovered(0, 0)


def happen(node: BookedNode, what: str, way: tuple[int, int], choice: int) -> None:
    scids = {scid_to_key(f"{n}x1x0"): scid_to_key(node.channel_by_id[f"{n:064x}"].scid or "") for n in (1, 2, 3)}
    entry, leaving = (scids[scid] for scid in way)
    under_way = [index for index, row in node.rows.items() if row.status == "offered"]
    ended = [index for index, row in node.rows.items() if row.status != "offered"]
    if what == "pay":
        node.settle(entry, leaving, late=choice % 2 * 3)
    elif what == "parts":
        for other in (entry, *(scid for scid in scids.values() if scid != leaving)):
            node.settle(other, leaving, payment=f"parts{len(node.rows)}{len(node.moves) // 99}{node.clock.now()}")
    elif what == "begin":
        node.offer(entry, leaving, in_msat=1_001 + choice % 2, out_msat=1_000)
    elif what in ("settle", "fail") and under_way:
        node.resolve(under_way[choice % len(under_way)], "settled" if what == "settle" else "failed")
    elif what == "refill":
        node.pay_itself(f"{1 + choice % 3:064x}", f"{1 + (choice + 1) % 3:064x}")
    elif what == "clean":
        node.forget(*ended[choice % 3 :: 2])
    elif what == "splice":
        node.splice(1 + choice % 3)


def by_channel_id(store: Store) -> tuple[dict[str, int], dict[str, int]]:
    keys = {row["channel_key"]: row["channel_id"] for row in rows_of(store, "channels")}
    owners = {row["scid"]: keys[row["channel_key"]] for row in rows_of(store, "channel_scids")}
    found: tuple[dict[str, int], dict[str, int]] = ({}, {})
    for side, by_scid in zip(found, fees_by_channel(store), strict=True):
        for scid, msat in by_scid.items():
            side[owners[scid]] = side.get(owners[scid], 0) + msat
    return found
