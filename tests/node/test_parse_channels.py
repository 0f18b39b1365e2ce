"""Channels are read field by field: what is missing is unknown, and one bad channel costs none of the others."""

import copy
from datetime import UTC, datetime
from typing import Any

import pytest

from revenued.errors import NodeNonsense
from revenued.model import Channel, ChannelFee, ChannelPolicy, ClosedChannel, Htlc, Side, Skipped
from revenued.node.parse_channels import channel_list, closed_channels
from revenued.units import MAX_MONEY_MSAT, Msat, Ppm
from tests.node import samples


def read(**changes: Any) -> Channel:
    found = channel_list(samples.channels(samples.channel(**changes)))
    assert found.skipped == ()
    return found.channels[0]


def skipped(row: Any) -> Skipped:
    found = channel_list(samples.channels(row))
    assert found.channels == ()
    return found.skipped[0]


def policy(fee_ppm: int) -> ChannelPolicy:
    return ChannelPolicy(ChannelFee(Msat(1), Ppm(fee_ppm)), Msat(0), Msat(990_000_000), 6)


def test_a_real_channel_is_read_to_the_msat() -> None:
    assert read() == Channel(
        channel_id=samples.CHANNEL_ID,
        peer_id=samples.PEER_ID,
        state="CHANNELD_NORMAL",
        scid="103x2x0",
        local_alias="7233689x4494313x34906",
        private=False,
        opener=Side.REMOTE,
        peer_connected=True,
        reestablished=True,
        capacity_msat=Msat(1_000_000_000),
        to_us_msat=Msat(50_000_501),
        our_reserve_msat=Msat(11_000_000),
        their_reserve_msat=Msat(10_000_000),
        spendable_msat=Msat(40_000_501),
        receivable_msat=Msat(928_704_499),
        ours=policy(10),
        theirs=policy(25),
        their_max_in_flight_msat=None,
        our_max_in_flight_msat=Msat(600_000_000),
        max_accepted_htlcs=483,
        htlcs=(),
        opened_at=datetime(2026, 11, 23, 16, 13, 43, 459_000, tzinfo=UTC),
        out_fulfilled_msat=Msat(0),
        in_fulfilled_msat=Msat(50_000_501),
        funding_txid=samples.FUNDING_TXID,
        funding_outnum=0,
    )


def without(*names: str) -> dict[str, Any]:
    return {name: value for name, value in samples.channel().items() if name not in names}


@pytest.mark.parametrize(
    ("name", "attribute"),
    [
        ("short_channel_id", "scid"),
        ("alias", "local_alias"),
        ("opener", "opener"),
        ("reestablished", "reestablished"),
        ("spendable_msat", "spendable_msat"),
        ("receivable_msat", "receivable_msat"),
        ("their_max_htlc_value_in_flight_msat", "their_max_in_flight_msat"),
        ("our_max_htlc_value_in_flight_msat", "our_max_in_flight_msat"),
        ("max_accepted_htlcs", "max_accepted_htlcs"),
        ("state_changes", "opened_at"),
        ("out_fulfilled_msat", "out_fulfilled_msat"),
        ("in_fulfilled_msat", "in_fulfilled_msat"),
        ("funding_txid", "funding_txid"),
        ("funding_outnum", "funding_outnum"),
    ],
)
def test_what_the_node_did_not_say_is_unknown(name: str, attribute: str) -> None:
    for row in (without(name), samples.channel(**{name: None})):
        found = channel_list(samples.channels(row))
        assert getattr(found.channels[0], attribute) is None


@pytest.mark.parametrize(
    "name",
    [
        "channel_id", "peer_id", "state", "private", "peer_connected", "total_msat", "to_us_msat", "our_reserve_msat",
        "their_reserve_msat",
    ],
)  # fmt: skip
def test_a_channel_without_what_everything_rests_on_is_skipped(name: str) -> None:
    assert skipped(without(name)).why == f"{name} is missing"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"to_us_msat": -1}, "to_us_msat is negative"),
        ({"to_us_msat": True}, "to_us_msat is not a whole number"),
        ({"to_us_msat": 1.5}, "to_us_msat is not a whole number"),
        ({"to_us_msat": "12"}, "to_us_msat is not a whole number"),
        ({"to_us_msat": "1.5msat"}, "to_us_msat is not a whole number"),
        ({"to_us_msat": "-5msat"}, "to_us_msat is not a whole number"),
        ({"to_us_msat": "٣msat"}, "to_us_msat is not a whole number"),
        ({"to_us_msat": "9" * 5000 + "msat"}, "to_us_msat is not a whole number"),
        ({"to_us_msat": {}}, "to_us_msat is not a whole number"),
        ({"total_msat": MAX_MONEY_MSAT + 1}, f"total_msat is above {MAX_MONEY_MSAT}"),
        ({"total_msat": samples.U64_MAX}, f"total_msat is above {MAX_MONEY_MSAT}"),
        ({"spendable_msat": "x"}, "spendable_msat is not a whole number"),
        ({"channel_id": "all"}, "channel_id is not 64 hexadecimal digits"),
        ({"channel_id": samples.CHANNEL_ID + "\n"}, "channel_id is not 64 hexadecimal digits"),
        ({"peer_id": samples.CHANNEL_ID}, "peer_id is not 66 hexadecimal digits"),
        ({"short_channel_id": "103x2"}, "short_channel_id is not a short channel id"),
        ({"short_channel_id": "99999999x1x1"}, "short_channel_id is not a short channel id"),
        ({"short_channel_id": 5}, "short_channel_id is not a short channel id"),
        ({"alias": {"local": "1x2x3x4"}}, "alias.local is not a short channel id"),
        ({"alias": "name"}, "alias is not an object"),
        ({"peer_connected": 1}, "peer_connected is not true or false"),
        ({"private": "false"}, "private is not true or false"),
        ({"reestablished": 0}, "reestablished is not true or false"),
        ({"state": 7}, "state is not a text"),
        ({"opener": "nobody"}, "opener is neither local nor remote"),
        ({"updates": []}, "updates is not an object"),
        ({"updates": {"local": [1]}}, "updates.local is not an object"),
        ({"updates": {"local": {"fee_base_msat": 1}}}, "updates.local.fee_proportional_millionths is missing"),
        ({"updates": {"remote": samples.policy(fee_base_msat="x")}},
         "updates.remote.fee_base_msat is not a whole number"),
        ({"updates": {"local": samples.policy(fee_proportional_millionths=2**32)}},
         "updates.local.fee_proportional_millionths is above 4294967295"),
        ({"htlcs": {}}, "htlcs is not a list"),
        ({"htlcs": [samples.htlc(), 5]}, "htlcs[1] is not an object"),
        ({"htlcs": [samples.htlc(amount_msat=None)]}, "htlcs[0].amount_msat is missing"),
        ({"htlcs": [samples.htlc(direction="up")]}, "htlcs[0].direction is neither in nor out"),
        ({"htlcs": [samples.htlc(local_trimmed=1)]}, "htlcs[0].local_trimmed is not true or false"),
        ({"max_accepted_htlcs": -483}, "max_accepted_htlcs is negative"),
    ],
)  # fmt: skip
def test_a_wrong_field_skips_its_channel_and_is_named(changes: dict[str, Any], why: str) -> None:
    assert skipped(samples.channel(**changes)) == Skipped(
        "103x2x0" if "channel_id" in changes else samples.CHANNEL_ID, why
    )


def test_one_malformed_channel_costs_none_of_the_others() -> None:
    good = samples.channel(channel_id=samples.OTHER_CHANNEL_ID)
    found = channel_list(samples.channels(samples.channel(total_msat=None), good, None))
    assert [channel.channel_id for channel in found.channels] == [samples.OTHER_CHANNEL_ID]
    assert found.skipped == (
        Skipped(samples.CHANNEL_ID, "total_msat is missing"), Skipped("channel in row 2", "it is not an object"),
    )  # fmt: skip


def test_a_channel_that_is_only_being_opened_is_skipped_under_its_peer() -> None:
    opening = {
        "peer_id": samples.PEER_ID, "peer_connected": True, "state": "OPENINGD", "owner": "lightning_openingd",
        "opener": "local", "status": ["Waiting for their reply to open_channel"], "features": [],
    }  # fmt: skip
    assert skipped(opening) == Skipped(f"a channel with {samples.PEER_ID}", "channel_id is missing")


@pytest.mark.parametrize("answer", [None, [], "channels", {}, {"channels": None}, {"channels": {}}, 5, True])
def test_an_answer_without_channels_is_nonsense_and_never_no_channels(answer: Any) -> None:
    with pytest.raises(NodeNonsense, match="listpeerchannels"):
        channel_list(answer)
    with pytest.raises(NodeNonsense, match="listclosedchannels"):
        closed_channels(answer)


def test_a_node_without_channels_has_none() -> None:
    assert channel_list(samples.channels()).channels == ()


def test_the_largest_number_means_no_limit() -> None:
    unlimited = samples.policy(htlc_maximum_msat=samples.U64_MAX, htlc_minimum_msat=f"{samples.U64_MAX}msat")
    channel = read(our_max_htlc_value_in_flight_msat=samples.U64_MAX, updates={"local": unlimited})
    assert channel.our_max_in_flight_msat is None
    assert channel.ours is not None
    assert (channel.ours.htlc_maximum_msat, channel.ours.htlc_minimum_msat) == (None, None)


def test_a_limit_of_zero_is_a_limit() -> None:
    ours = read(updates={"local": samples.policy(htlc_maximum_msat=0)}).ours
    assert ours is not None
    assert ours.htlc_maximum_msat == 0


def test_amounts_with_their_unit_are_read_too() -> None:
    channel = read(to_us_msat="50000501msat", their_max_htlc_value_in_flight_msat="7msat")
    assert (channel.to_us_msat, channel.their_max_in_flight_msat) == (50_000_501, 7)


def test_without_updates_our_price_is_taken_from_where_old_nodes_put_it() -> None:
    row = without("updates") | {"fee_base_msat": 3, "fee_proportional_millionths": 44, "minimum_htlc_out_msat": 5}
    channel = channel_list(samples.channels(row)).channels[0]
    assert channel.ours == ChannelPolicy(ChannelFee(Msat(3), Ppm(44)), Msat(5), Msat(990_000_000), None)
    assert channel.theirs is None


def test_updates_win_over_the_old_place() -> None:
    ours = read(fee_proportional_millionths=44).ours
    assert ours is not None
    assert ours.fee.fee_ppm == 10


def test_before_a_channel_is_usable_there_is_no_price() -> None:
    row = without("updates", "fee_base_msat", "fee_proportional_millionths", "short_channel_id")
    channel = channel_list(samples.channels(row)).channels[0]
    assert (channel.ours, channel.theirs, channel.scid) == (None, None, None)


def test_a_peer_that_has_announced_nothing_leaves_its_side_unknown() -> None:
    channel = read(updates={"local": samples.policy()})
    assert channel.ours is not None
    assert channel.theirs is None


def test_htlcs_in_flight_are_read() -> None:
    channel = read(htlcs=[samples.htlc(), samples.htlc(direction="out", id=0, amount_msat=1, local_trimmed=True)])
    assert channel.htlcs == (Htlc(True, 7, Msat(50_000_501), 126, False), Htlc(False, 0, Msat(1), 126, True))


def change(timestamp: Any, old_state: str, new_state: str) -> dict[str, Any]:
    return {"timestamp": timestamp, "old_state": old_state, "new_state": new_state, "cause": "user", "message": ""}


def test_a_channel_was_opened_when_it_first_became_normal_and_not_when_it_was_spliced() -> None:
    channel = read(
        state_changes=[
            change("2024-01-01T00:00:00.000Z", "DUALOPEND_OPEN_INIT", "DUALOPEND_AWAITING_LOCKIN"),
            change("2024-01-02T03:04:05.678Z", "DUALOPEND_AWAITING_LOCKIN", "CHANNELD_NORMAL"),
            change("2025-06-01T00:00:00.000Z", "CHANNELD_NORMAL", "CHANNELD_AWAITING_SPLICE"),
            change("2025-06-01T01:00:00.000Z", "CHANNELD_AWAITING_SPLICE", "CHANNELD_NORMAL"),
        ]
    )
    assert channel.opened_at == datetime(2024, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC)


@pytest.mark.parametrize(
    "timestamp", [None, "", "yesterday", 5, "2024-01-02T03:04:05", "9999-12-31T23:59:59-23:00", "2024-13-01T00:00:00Z"]
)
def test_an_unreadable_time_of_opening_is_unknown(timestamp: Any) -> None:
    assert read(state_changes=[change(timestamp, "CHANNELD_AWAITING_LOCKIN", "CHANNELD_NORMAL")]).opened_at is None


def test_a_channel_that_never_became_normal_was_not_opened() -> None:
    assert read(state_changes=[change("2024-01-01T00:00:00Z", "A", "CHANNELD_AWAITING_LOCKIN")]).opened_at is None


def test_an_unheard_of_state_is_kept_in_the_nodes_words() -> None:
    channel = read(state="CHANNELD_\x1bSOMETHING_NEW")
    assert channel.state == "CHANNELD_SOMETHING_NEW"
    assert not channel.is_usable


def test_reading_leaves_the_answer_as_it_was() -> None:
    answer = samples.channels(samples.channel(htlcs=[samples.htlc()]))
    before = copy.deepcopy(answer)
    channel_list(answer)
    assert answer == before


def test_a_forgotten_channel_is_read() -> None:
    assert closed_channels({"closedchannels": [samples.closed_channel()]}) == (
        (
            ClosedChannel(
                channel_id=samples.CHANNEL_ID,
                peer_id=samples.PEER_ID,
                scid="103x2x0",
                local_alias="7233689x4494313x34906",
                opener=Side.LOCAL,
                private=False,
                capacity_msat=Msat(1_000_000_000),
                close_cause="remote",
            ),
        ),
        (),
    )


def test_a_forgotten_channel_may_lack_peer_scid_and_alias() -> None:
    row = samples.closed_channel(peer_id=None, short_channel_id=None, alias=None)
    ((channel,), _) = closed_channels({"closedchannels": [row]})
    assert (channel.peer_id, channel.scid, channel.local_alias) == (None, None, None)


def test_a_malformed_forgotten_channel_is_skipped_by_name() -> None:
    rows = [samples.closed_channel(total_msat=-1), samples.closed_channel(channel_id=samples.OTHER_CHANNEL_ID)]
    found, passed_over = closed_channels({"closedchannels": rows})
    assert [channel.channel_id for channel in found] == [samples.OTHER_CHANNEL_ID]
    assert passed_over == (Skipped(samples.CHANNEL_ID, "total_msat is negative"),)
