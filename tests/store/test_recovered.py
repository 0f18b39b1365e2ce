"""A forward known from its moves takes the place of the one that was under way, if it can be the same, and adds up."""

from datetime import timedelta
from typing import Any

import pytest

from revenued.clock import to_micros
from revenued.flow.recovery import MovedForward
from revenued.store.channels import record_channels
from revenued.store.engine import Store
from revenued.store.forwards import apply_forwards
from revenued.store.recovered import add_recovered, ends_of, mark_gone, offered_indexes, settled_since
from revenued.units import Micros, Msat, scid_to_key
from tests.builders import make_channel
from tests.fakes import START
from tests.store.builders import make_forward, rows_of, sums_from_rows, sums_of

ONE, TWO, THREE = (scid_to_key(f"{number}x1x0") for number in (1, 2, 3))
SPLICED = scid_to_key("22x1x0")
LATER = START + timedelta(minutes=5)
MOVED = MovedForward(7, make_channel(1).channel_id, make_channel(2).channel_id, 1_001_000, 1_000_000, to_micros(LATER))


@pytest.fixture(autouse=True)
def _known(store: Store) -> None:
    """Three channels, of which the second was spliced."""
    spliced = make_channel(2, scid="22x1x0")
    with store.write() as connection:
        for listed in ([make_channel(1), make_channel(2), make_channel(3)], [spliced]):
            record_channels(connection, listed, now=START)


def under_way(store: Store, **differing: Any) -> int:
    """Store a forward as under way, by default the beginning of MOVED; return its index."""
    index = 1 + len(rows_of(store, "forwards"))
    given = {"in_scid": ONE, "out_scid": TWO, **differing}
    with store.write() as connection:
        apply_forwards(connection, [make_forward(index, status="offered", **given)])
    return index


def recover(store: Store, *lost: MovedForward, gone: list[int] | None = None) -> int:
    with store.write() as connection:
        return add_recovered(connection, lost, gone=gone or [])


def statuses(store: Store) -> dict[int, str]:
    return {row["created_index"]: row["status"] for row in rows_of(store, "forwards")}


def test_a_recovered_forward_is_settled_adds_up_and_goes_by_the_newest_scid(store: Store) -> None:
    assert recover(store, MOVED) == 1
    (row,) = rows_of(store, "forwards")
    assert (row["created_index"], row["status"], row["in_scid"], row["out_scid"]) == (-7, "settled", ONE, SPLICED)
    assert (row["in_msat"], row["out_msat"], row["fee_msat"]) == (1_001_000, 1_000_000, 1_000)
    assert (row["received_at"], row["resolved_at"], row["updated_index"]) == (LATER, LATER, None)
    assert sums_of(store) == sums_from_rows(store)


def test_recovering_it_again_changes_nothing(store: Store) -> None:
    recover(store, MOVED)
    before = rows_of(store, "forwards"), sums_of(store)
    assert recover(store, MOVED) == 0
    assert (rows_of(store, "forwards"), sums_of(store)) == before


@pytest.mark.parametrize(
    "differing",
    [
        {},
        {"out_scid": SPLICED},
        {"in_scid": scid_to_key("9x9x9")},
        {"out_scid": None},
        {"out_msat": None, "fee_msat": None},
        {"at": START - timedelta(days=13)},
        {"at": LATER + timedelta(seconds=0.9)},
    ],
    ids=[
        "same",
        "spliced meanwhile",
        "nobody knows whose scid",
        "way out unknown",
        "amount unknown",
        "long ago",
        "in the same second",
    ],
)
def test_what_it_may_have_begun_as_makes_room_for_it(store: Store, differing: dict[str, Any]) -> None:
    began = under_way(store, **differing)
    received = rows_of(store, "forwards")[0]["received_at"]
    assert recover(store, MOVED, gone=[began]) == 1
    assert statuses(store) == {-7: "settled"}
    assert rows_of(store, "forwards")[0]["received_at"] == received
    assert sums_of(store) == sums_from_rows(store)


@pytest.mark.parametrize(
    "differing",
    [
        {"in_scid": THREE},
        {"out_scid": THREE},
        {"in_msat": Msat(1_001_001)},
        {"out_msat": Msat(999_999)},
        {"at": LATER + timedelta(seconds=2)},
    ],
    ids=["another way in", "another way out", "another amount", "other amount out", "begun later"],
)
def test_what_it_cannot_have_begun_as_stays(store: Store, differing: dict[str, Any]) -> None:
    began = under_way(store, **differing)
    assert recover(store, MOVED, gone=[began]) == 1
    assert statuses(store) == {-7: "settled", began: "offered"}


def test_what_the_node_still_lists_stays(store: Store) -> None:
    began = under_way(store)
    recover(store, MOVED)
    assert statuses(store) == {-7: "settled", began: "offered"}


def test_each_recovered_forward_makes_use_of_one(store: Store) -> None:
    first, second, third = (under_way(store) for _ in range(3))
    twin = MovedForward(9, *MOVED.kind, MOVED.moved_at)
    assert recover(store, MOVED, twin, gone=[second, third]) == 2
    assert statuses(store) == {-9: "settled", -7: "settled", first: "offered"}


def test_moves_of_channels_that_nobody_knows_make_no_forward(store: Store) -> None:
    stranger = MovedForward(7, "9" * 64, *MOVED.kind[1:], MOVED.moved_at)
    assert recover(store, stranger) == 0
    assert rows_of(store, "forwards") == []


def test_gone_is_only_what_was_under_way_and_sums_up_to_nothing(store: Store) -> None:
    first, second = under_way(store), under_way(store)
    with store.write() as connection:
        apply_forwards(connection, [make_forward(3, in_scid=ONE, out_scid=TWO)])
        assert mark_gone(connection, []) == 0
        assert mark_gone(connection, [first, 3, 77]) == 1
        assert mark_gone(connection, [first]) == 0
        assert offered_indexes(connection) == [second]
    assert statuses(store) == {first: "gone", second: "offered", 3: "settled"}
    assert sums_of(store) == sums_from_rows(store)


def test_what_was_gone_and_is_listed_again_with_its_end_is_summed_once(store: Store) -> None:
    began = under_way(store)
    with store.write() as connection:
        mark_gone(connection, [began])
        apply_forwards(connection, [make_forward(began, in_scid=ONE, out_scid=TWO)])
    assert statuses(store) == {began: "settled"}
    assert sums_of(store) == sums_from_rows(store)


def test_ends_are_told_by_channel_id_also_of_channels_that_were_spliced(store: Store) -> None:
    forwards = [
        make_forward(1, in_scid=ONE, out_scid=TWO, at=START - timedelta(seconds=1)),
        make_forward(2, in_scid=ONE, out_scid=TWO),
        make_forward(3, in_scid=SPLICED, out_scid=THREE, at=START - timedelta(days=20), resolved_at=to_micros(LATER)),
        make_forward(4, in_scid=ONE, out_scid=scid_to_key("9x9x9")),
        make_forward(5, in_scid=ONE, out_scid=TWO, status="failed"),
        make_forward(6, in_scid=ONE, out_scid=TWO, status="offered"),
    ]
    with store.write() as connection:
        apply_forwards(connection, forwards)
        found = settled_since(connection, START)
        coming = ends_of(connection, [forwards[1], forwards[2]])
    one, two, three = (make_channel(number).channel_id for number in (1, 2, 3))
    amounts = (1_001_000, 1_000_000)
    expected: list[tuple[Any, Micros]] = [
        ((one, two, *amounts), to_micros(START)),
        ((two, three, *amounts), to_micros(LATER)),
        ((one, "", *amounts), to_micros(START)),
    ]
    assert sorted(found) == sorted(expected)
    assert coming == expected[:2]
