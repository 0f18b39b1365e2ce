"""Forwards are read exactly, and no unreadable row holds up the rows behind it."""

from typing import Any

import pytest

from revenued.errors import NodeNonsense
from revenued.model import Forward, Skipped
from revenued.node.interface import ForwardIndex
from revenued.node.parse_forwards import forward_page
from revenued.units import MAX_MONEY_MSAT, Micros, Msat, scid_to_key
from tests.node import samples


def read(row: Any) -> Forward:
    page = forward_page(samples.forwards(row), "created", start=1)
    assert page.skipped == ()
    return page.forwards[0]


def test_a_settled_forward_is_read_to_the_msat_and_the_microsecond() -> None:
    assert read(samples.settled()) == Forward(
        created_index=1,
        updated_index=1,
        in_scid=scid_to_key("114x1x0"),
        in_htlc_id=4,
        in_msat=Msat(50_001_500),
        out_scid=scid_to_key("112x1x0"),
        out_htlc_id=5,
        out_msat=Msat(50_000_000),
        fee_msat=Msat(1500),
        status="settled",
        failcode=None,
        received_at=Micros(1_795_344_388_250_830),
        resolved_at=Micros(1_795_344_388_352_437),
    )


def test_a_locally_failed_forward_lacks_what_never_happened() -> None:
    assert read(samples.local_failed()) == Forward(
        created_index=3,
        updated_index=None,
        in_scid=scid_to_key("114x1x0"),
        in_htlc_id=6,
        in_msat=Msat(60_001_600),
        out_scid=scid_to_key("700000x1x1"),
        out_htlc_id=None,
        out_msat=None,
        fee_msat=None,
        status="local_failed",
        failcode=16394,
        received_at=Micros(1_795_344_388_545_151),
        resolved_at=None,
    )


@pytest.mark.parametrize("status", ["offered", "failed", "local_failed", "settled"])
def test_every_status_of_the_node_is_known(status: str) -> None:
    assert read(samples.settled(status=status)).status == status


def test_an_ancient_forward_keeps_its_time_of_zero_and_lacks_its_htlc() -> None:
    row = samples.settled(received_time=0, resolved_time=0, in_htlc_id=None, out_htlc_id=None)
    forward = read(row)
    assert (forward.received_at, forward.resolved_at, forward.in_htlc_id) == (0, None, None)


def test_times_in_whole_seconds_are_times() -> None:
    assert read(samples.settled(received_time=1795344388)).received_at == 1_795_344_388_000_000


def test_an_alias_out_of_the_upper_half_is_a_channel_too() -> None:
    assert read(samples.settled(in_channel="16777215x16777215x65535")).in_scid == -1


def test_amounts_with_their_unit_are_read_too() -> None:
    forward = read(samples.settled(in_msat="50001500msat", fee_msat="1500msat"))
    assert (forward.in_msat, forward.fee_msat) == (50_001_500, 1500)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"in_msat": None}, "in_msat is missing"),
        ({"in_msat": True}, "in_msat is not a whole number"),
        ({"in_msat": -5}, "in_msat is negative"),
        ({"in_msat": 5.0}, "in_msat is not a whole number"),
        ({"in_msat": MAX_MONEY_MSAT + 1}, f"in_msat is above {MAX_MONEY_MSAT}"),
        ({"out_msat": "5"}, "out_msat is not a whole number"),
        ({"fee_msat": False}, "fee_msat is not a whole number"),
        ({"fee_msat": None}, "out_channel, out_msat or fee_msat of a settled forward is missing"),
        ({"out_channel": None}, "out_channel, out_msat or fee_msat of a settled forward is missing"),
        ({"updated_index": True}, "updated_index is not a whole number"),
        ({"in_htlc_id": 2**63}, f"in_htlc_id is above {2**63 - 1}"),
        ({"out_htlc_id": "5"}, "out_htlc_id is not a whole number"),
        ({"failcode": 65536}, "failcode is above 65535"),
        ({"in_channel": None}, "in_channel is missing or not a text"),
        ({"in_channel": ["114x1x0"]}, "in_channel is missing or not a text"),
        ({"in_channel": "114:1:0"}, "in_channel is not a short channel id"),
        ({"out_channel": 5}, "out_channel is missing or not a text"),
        ({"out_channel": "x" * 5000}, "out_channel is not a short channel id"),
        ({"status": "exploded"}, "status is none that is known"),
        ({"status": None}, "status is none that is known"),
        ({"status": ["settled"]}, "status is none that is known"),
        ({"received_time": None}, "received_time is missing or no time"),
        ({"received_time": "1795344388"}, "received_time is missing or no time"),
        ({"received_time": -1}, "received_time is missing or no time"),
        ({"received_time": True}, "received_time is missing or no time"),
        ({"received_time": float("nan")}, "received_time is missing or no time"),
        ({"received_time": float("inf")}, "received_time is missing or no time"),
        ({"received_time": 1e300}, "received_time is missing or no time"),
        ({"resolved_time": 253_402_300_800}, "resolved_time is missing or no time"),
        ({"resolved_time": "soon"}, "resolved_time is missing or no time"),
        ({"resolved_time": []}, "resolved_time is missing or no time"),
    ],
)
def test_an_unreadable_row_is_skipped_and_the_page_goes_on_behind_it(changes: dict[str, Any], why: str) -> None:
    rows = (samples.settled(created_index=4), samples.settled(created_index=5) | changes)
    page = forward_page(samples.forwards(*rows), "created", start=1)
    assert [forward.created_index for forward in page.forwards] == [4]
    assert page.skipped == (Skipped("forward 5", why),)
    assert page.last_index == 5


def test_a_row_without_a_readable_index_is_skipped_by_its_place() -> None:
    rows = (samples.settled(created_index="7"), samples.settled(created_index=None), "row", samples.settled())
    page = forward_page(samples.forwards(*rows), "created", start=1)
    assert [row.what for row in page.skipped] == ["forward in row 0", "forward in row 1", "forward in row 2"]
    assert len(page.forwards) == 1


def test_a_page_of_nothing_but_unreadable_rows_still_ends_somewhere() -> None:
    page = forward_page(samples.forwards(samples.settled(status="?", created_index=9)), "created", start=8)
    assert (page.forwards, page.last_index) == ([], 9)


@pytest.mark.parametrize(
    "row", [None, 5, {}, [], {"created_index": None}, {"created_index": True}, {"created_index": -1}]
)
def test_rows_without_any_readable_index_are_nonsense(row: Any) -> None:
    with pytest.raises(NodeNonsense, match="created_index"):
        forward_page(samples.forwards(row), "created", start=1)


def test_in_the_order_of_updates_the_page_ends_at_the_highest_update() -> None:
    rows = [
        samples.settled(created_index=created, updated_index=updated) for created, updated in ((9, 3), (2, 5), (4, 4))
    ]
    page = forward_page(samples.forwards(*rows), "updated", start=3)
    assert page.last_index == 5
    assert [forward.created_index for forward in page.forwards] == [9, 2, 4]


def test_in_the_order_of_updates_rows_that_never_were_updated_alone_are_nonsense() -> None:
    with pytest.raises(NodeNonsense, match="updated_index"):
        forward_page(samples.forwards(samples.local_failed()), "updated", start=1)


@pytest.mark.parametrize("index", ["created", "updated"])
def test_a_page_from_before_its_start_is_nonsense_because_asking_on_would_never_end(index: ForwardIndex) -> None:
    with pytest.raises(NodeNonsense, match="from 2"):
        forward_page(samples.forwards(samples.settled()), index, start=2)


def test_an_empty_page_means_there_is_nothing_more() -> None:
    page = forward_page(samples.forwards(), "created", start=1)
    assert (page.forwards, page.last_index, page.skipped) == ([], None, ())


@pytest.mark.parametrize("answer", [None, [], {}, {"forwards": None}, {"forwards": {"0": 1}}, "forwards", 0])
def test_an_answer_without_forwards_is_nonsense_and_never_an_empty_page(answer: Any) -> None:
    with pytest.raises(NodeNonsense, match="listforwards"):
        forward_page(answer, "created", start=1)
