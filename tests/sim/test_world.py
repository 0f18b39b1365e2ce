"""The market: it can be replayed, every millisatoshi has a place, and payers, peers and the node act as they should."""

from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from revenued.model import ForwardStatus
from revenued.sim.market import Market
from revenued.sim.switch import FEE_INSUFFICIENT, TEMPORARY_CHANNEL_FAILURE, UNKNOWN_NEXT_PEER
from revenued.sim.world import World
from revenued.units import MICROS_PER_SECOND
from tests.sim.builders import SAT, START, advance, facts, fee, half_full, lone_pair


def lived(days: float, *, seed: int = 1, market: Market | None = None) -> World:
    world = World(seed, START, market=market)
    world.advance(START + timedelta(days=days))
    return world


@pytest.fixture(scope="module")
def week() -> World:
    """A week of the default market at the default fees."""
    return lived(7)


def test_the_same_seed_gives_the_same_rows() -> None:
    one, same, other = lived(2), lived(2), lived(2, seed=2)
    assert facts(one.book.rows()) == facts(same.book.rows())
    assert one.chain.estimates() == same.chain.estimates()
    assert facts(one.book.rows()) != facts(other.book.rows())


def test_how_often_the_world_is_moved_changes_nothing() -> None:
    stepwise = World(1, START)
    while stepwise.now < START + timedelta(days=2):
        advance(stepwise, minutes=17)
    leap = World(1, START)
    leap.advance(stepwise.now)
    assert facts(stepwise.book.rows()) == facts(leap.book.rows())


def test_time_does_not_go_back(week: World) -> None:
    before = week.now, len(week.book)
    week.advance(START)
    assert (week.now, len(week.book)) == before


def test_what_payers_want_does_not_depend_on_what_we_charge() -> None:
    """With room for all, every payer we keep at a high fee is one we have at a low fee too."""
    cheap, dear = World(1, START), World(1, START)
    for world, ppm in ((cheap, 1), (dear, 400)):
        for channel in world.channels:
            channel.fee = channel.public_fee = fee(ppm)
            channel.capacity_msat *= 1000
        half_full(world)
        advance(world, days=1)
    kept = {(row.received_at, row.out_msat) for row in dear.book.rows() if row.out_msat}
    assert kept
    assert kept <= {(row.received_at, row.out_msat) for row in cheap.book.rows() if row.out_msat}
    assert len(dear.book) < len(cheap.book)


def test_indexes_are_dense_and_htlc_ids_unique(week: World) -> None:
    rows = week.book.rows()
    assert [row.created_index for row in rows] == list(range(1, len(rows) + 1))
    updated = sorted(row.updated_index for row in rows if row.updated_index)
    assert updated == list(range(1, week.book.counters["updated"] + 1))
    assert len({(row.in_scid, row.in_htlc_id) for row in rows}) == len(rows)


def test_a_row_says_what_its_status_allows(week: World) -> None:
    for row in week.book.rows():
        refused = row.status is ForwardStatus.LOCAL_FAILED
        assert (row.out_msat is None) == (row.out_htlc_id is None) == refused
        assert (row.failcode is not None) == refused
        assert (row.resolved_at is not None) == (row.updated_index > 0)
        assert row.resolved_at is None or row.resolved_at > row.received_at


def test_every_kind_of_end_occurs(week: World) -> None:
    statuses = Counter(row.status for row in week.book.rows())
    assert statuses[ForwardStatus.SETTLED] > statuses[ForwardStatus.FAILED] > 0
    codes = Counter(row.failcode for row in week.book.rows())
    assert codes[TEMPORARY_CHANNEL_FAILURE] > 0
    assert codes[UNKNOWN_NEXT_PEER] > 0


def test_the_sender_of_an_unknown_next_peer_wrote_a_scid_that_is_not_ours(week: World) -> None:
    ours = {channel.scid for channel in week.channels}
    strays = [row.out_scid for row in week.book.rows() if row.failcode == UNKNOWN_NEXT_PEER]
    assert strays
    assert not ours & set(strays)


def test_most_forwards_take_a_minute_at_most_and_a_few_are_stuck_for_hours() -> None:
    world = lived(7, market=Market(stuck_share=0.01))
    took = [(row.resolved_at - row.received_at) / MICROS_PER_SECOND for row in world.book.rows() if row.resolved_at]
    assert min(took) >= 0.2
    assert sum(seconds <= 60 for seconds in took) > 0.9 * len(took)
    assert max(took) > 3600


def test_channels_drain_and_fill(week: World) -> None:
    shares = [channel.to_us_msat / channel.capacity_msat for channel in week.channels]
    assert min(shares) < 0.1
    assert max(shares) > 0.9


def test_evenings_are_busier_than_mornings(week: World) -> None:
    hours = Counter(row.received_at // (3600 * MICROS_PER_SECOND) % 24 for row in week.book.rows())
    assert sum(hours[hour] for hour in range(16, 23)) > 2 * sum(hours[hour] for hour in range(4, 11))


def test_fees_collected_are_the_fees_of_the_settled_forwards(week: World) -> None:
    fees = [row.fee_msat or 0 for row in week.book.rows() if row.status is ForwardStatus.SETTLED]
    assert week.book.fees_collected_msat == sum(fees) > 0


def assert_every_msat_has_a_place(world: World) -> None:
    assert world.total_msat() == world.start_total_msat + world.book.fees_collected_msat - world.chain.paid_msat
    for channel in world.channels:
        assert 0 <= channel.to_us_msat <= channel.capacity_msat
        for incoming, tally in ((True, channel.incoming), (False, channel.outgoing)):
            in_flight = [htlc.amount_msat for htlc in channel.htlcs.values() if htlc.incoming is incoming]
            assert tally.in_flight_msat == sum(in_flight)
    coming = sum(channel.incoming.in_flight_msat for channel in world.channels)
    going = sum(channel.outgoing.in_flight_msat for channel in world.channels)
    assert coming - going == sum(flight.row.fee_msat or 0 for flight in world.switch.in_flight.values())


def intervene(world: World, deed: str, number: int) -> None:
    if not world.channels:  # all were closed and forgotten
        return
    channel = world.channels[number % len(world.channels)]
    match deed:
        case "fee":
            world.set_fee(channel, fee(number * 7 % 900, number % 3 * 1000))
        case "away":
            world.set_online(channel.peer, online=False)
        case "back":
            world.set_online(channel.peer, online=True)
        case "splice" if channel.state == "CHANNELD_NORMAL":
            world.splice(channel, number * 1000)
        case "close" if channel.state == "CHANNELD_NORMAL":
            world.close(channel)
        case "clean":
            world.delete_forwards(before=world.now, statuses=frozenset(ForwardStatus))


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10**9),
    channels=st.integers(2, 7),
    deeds=st.lists(
        st.tuples(
            st.sampled_from(["fee", "away", "back", "splice", "close", "clean"]),
            st.integers(0, 99),
            st.integers(0, 900),
        ),
        max_size=8,
    ),
)
@example(seed=0, channels=2, deeds=[("close", 0, 0), ("close", 1, 58)])
@example(seed=0, channels=2, deeds=[("close", 0, 0), ("fee", 0, 452), ("close", 0, 900), ("fee", 0, 834)])
def test_every_msat_has_a_place_whatever_happens(seed: int, channels: int, deeds: list[tuple[str, int, int]]) -> None:
    world = World(seed, START, channels, market=Market(stuck_share=0.05, mean_uptime_hours=6.0))
    for deed, number, minutes in deeds:
        advance(world, minutes=minutes)
        intervene(world, deed, number)
        assert_every_msat_has_a_place(world)
    advance(world, days=1)
    assert_every_msat_has_a_place(world)


def test_payers_act_on_the_former_fee_for_ten_to_twenty_minutes(world: World) -> None:
    channel = world.channels[1]
    former = channel.fee
    world.set_fee(channel, fee(500))
    assert channel.fee == fee(500)
    advance(world, minutes=10)
    assert channel.seen_fee(world.now_micros) == former
    advance(world, minutes=10)
    assert channel.seen_fee(world.now_micros) == fee(500)


def test_an_identical_fee_is_not_announced_again(world: World) -> None:
    channel = world.channels[1]
    world.set_fee(channel, channel.fee)
    assert channel.announced_at == channel.opened_at
    assert not channel.on_its_way


def test_the_former_fee_is_taken_until_the_delay_is_over_and_then_is_insufficient(world: World) -> None:
    in_channel, out_channel = lone_pair(half_full(world))
    world.set_fee(in_channel, fee(1))
    world.set_fee(out_channel, fee(500), enforce_delay_seconds=60)

    def pay_ten_ppm() -> tuple[ForwardStatus, int | None]:
        out_msat = 100_000 * SAT
        row = world.switch.forward(
            in_channel, out_channel, in_msat=out_msat + out_msat // 100_000 + 1, out_msat=out_msat, now=world.now_micros
        )
        return row.status, row.failcode

    assert pay_ten_ppm() == (ForwardStatus.OFFERED, None)
    advance(world, seconds=61)
    assert pay_ten_ppm() == (ForwardStatus.LOCAL_FAILED, FEE_INSUFFICIENT)


def test_a_rise_sends_payers_elsewhere_and_a_cut_brings_them_back() -> None:
    def settled(ppm: int) -> int:
        world = World(3, START)
        for channel in world.channels:
            world.set_fee(channel, fee(ppm))
        world.advance(START + timedelta(days=2))
        return sum(row.status is ForwardStatus.SETTLED for row in world.book.rows())

    assert settled(2000) < settled(200) < settled(0)


def test_of_two_channels_to_one_peer_payers_take_the_cheaper_one() -> None:
    world = World(1, START, market=Market(stuck_share=0.0))
    twins = world.peers[0].channels
    assert len(twins) == 2
    twins[0].fee = twins[0].public_fee = fee(900)
    advance(world, days=3)
    out = Counter(row.out_scid for row in world.book.rows() if row.out_msat)
    assert out[twins[0].scid] == 0
    assert out[twins[1].scid] > 0


def test_at_equal_fees_the_node_sends_by_the_sibling_with_most_room(world: World) -> None:
    half_full(world)
    twins = world.peers[0].channels
    narrow, wide = sorted(twins, key=lambda channel: channel.spendable_msat)
    in_channel = world.channels[1]
    row = world.switch.forward(in_channel, narrow, in_msat=110 * SAT, out_msat=100 * SAT, now=world.now_micros)
    assert row.out_scid == wide.scid


def test_a_channel_whose_peer_is_away_forwards_nothing_until_it_is_back() -> None:
    world = World(1, START, 4)
    peer = world.peers[1]
    scid = peer.channels[0].scid
    world.set_online(peer, online=False)
    advance(world, days=1)
    assert len(world.book) > 0
    assert not [row for row in world.book.rows() if scid in (row.in_scid, row.out_scid)]
    world.set_online(peer, online=True)
    advance(world, days=1)
    assert [row for row in world.book.rows() if scid in (row.in_scid, row.out_scid)]


def test_what_is_in_flight_over_a_peer_that_left_is_resolved_when_it_is_back() -> None:
    world = World(5, START, market=Market(stuck_share=1.0, mean_uptime_hours=None))
    advance(world, hours=2)
    flight = next(iter(world.switch.in_flight.values()))
    world.set_online(flight.out_channel.peer, online=False)
    advance(world, hours=12)
    assert flight.row.status is ForwardStatus.OFFERED
    returned_at = world.now_micros
    world.set_online(flight.out_channel.peer, online=True)
    advance(world, seconds=1)
    assert flight.row.resolved_at == returned_at


def test_peers_come_and_go_by_themselves() -> None:
    world = World(1, START, market=Market(arrivals_per_channel_day=0.0, mean_uptime_hours=5.0))
    seen: set[bool] = set()
    for _ in range(200):
        advance(world, minutes=30)
        seen |= {peer.online for peer in world.peers}
    assert seen == {True, False}
    assert any(peer.connected_since > world.start_micros for peer in world.peers)


def test_feerates_drift_and_now_and_then_spike() -> None:
    world = World(1, START, market=Market(arrivals_per_channel_day=0.0))
    seen = []
    for _ in range(24 * 21):
        advance(world, hours=1)
        seen.append(dict(world.chain.estimates())[6])
    usual = sorted(seen)[len(seen) // 2]
    assert max(seen) > 3 * usual
    assert min(seen) >= 253


def test_the_outside_price_drifts_but_stays_near_home() -> None:
    world = World(1, START, market=Market(arrivals_per_channel_day=0.0))
    advance(world, days=21)
    moved = [peer.outside_price_ppm / peer.home_price_ppm for peer in world.peers]
    assert all(0.2 < ratio < 5 for ratio in moved)
    assert any(abs(ratio - 1) > 0.05 for ratio in moved)


def test_forwards_of_the_tests_own_making_move_exactly_their_amounts(world: World) -> None:
    in_channel, out_channel = lone_pair(half_full(world))
    world.set_fee(out_channel, fee(100, 1))
    before = in_channel.to_us_msat, out_channel.to_us_msat
    row = world.forward_now(in_channel, out_channel, 50_000 * SAT)
    assert row.fee_msat == 5_001
    assert in_channel.to_us_msat - before[0] == 50_005_001
    assert before[1] - out_channel.to_us_msat == 50_000 * SAT


def test_a_forward_can_be_left_in_flight_and_finished_later(world: World) -> None:
    in_channel, out_channel = lone_pair(half_full(world))
    balance, spendable = out_channel.to_us_msat, out_channel.spendable_msat
    row = world.forward_now(in_channel, out_channel, 1_000 * SAT, ForwardStatus.OFFERED)
    assert out_channel.to_us_msat == balance
    assert out_channel.spendable_msat <= spendable - 1_000 * SAT
    world.finish(row, settled=False)
    assert (row.status, out_channel.to_us_msat, out_channel.htlcs) == (ForwardStatus.FAILED, balance, {})


def test_a_forward_that_the_balances_forbid_is_an_error_of_the_test(world: World) -> None:
    in_channel, out_channel = lone_pair(half_full(world))
    with pytest.raises(ValueError, match="cannot"):
        world.forward_now(in_channel, out_channel, 100_000_000 * SAT)
    assert len(world.book) == 0


def test_a_splice_changes_the_scid_and_nothing_else_that_names_the_channel(world: World) -> None:
    channel = world.channels[1]
    former = channel.scid
    world.splice(channel, 500_000)
    assert channel.scid != former
    assert world.find(former) is world.find(channel.scid) is world.find(channel.channel_id) is channel
    assert_every_msat_has_a_place(world)


def test_a_splice_that_the_wallet_cannot_pay_changes_nothing(world: World) -> None:
    scid = world.channels[1].scid
    with pytest.raises(ValueError, match="sat"):
        world.splice(world.channels[1], 10**9)
    assert world.channels[1].scid == scid


def test_a_closed_channel_goes_on_chain_with_the_next_block_and_is_forgotten_100_later(world: World) -> None:
    in_channel, out_channel = lone_pair(half_full(world))
    stuck = world.forward_now(in_channel, out_channel, 1_000 * SAT, ForwardStatus.OFFERED)
    world.close(out_channel)
    assert stuck.status is ForwardStatus.FAILED
    assert out_channel.state == "CLOSINGD_COMPLETE"
    advance(world, hours=3)
    assert out_channel.state == "ONCHAIN"
    assert out_channel in world.channels
    assert_every_msat_has_a_place(world)
    advance(world, days=2)
    assert out_channel not in world.channels
    assert world.forgotten == [out_channel]
    assert_every_msat_has_a_place(world)


def test_autoclean_forgets_only_what_ended_before_in_the_given_states(world: World) -> None:
    in_channel, out_channel = lone_pair(half_full(world))
    for outcome in ForwardStatus:
        world.forward_now(in_channel, out_channel, 1_000 * SAT, outcome)
    advance(world, hours=1)
    young = world.forward_now(in_channel, out_channel, 1_000 * SAT)
    doomed = frozenset(ForwardStatus) - {ForwardStatus.FAILED}
    assert world.delete_forwards(before=world.now, statuses=doomed) == 2
    left = [row.status for row in world.book.rows()]
    assert left == [ForwardStatus.OFFERED, ForwardStatus.FAILED, ForwardStatus.SETTLED]
    assert young in world.book.rows()
    assert world.book.counters == {"created": 5, "updated": 3, "deleted": 2}


def test_a_market_needs_two_channels() -> None:
    with pytest.raises(ValueError, match="two channels"):
        World(1, START, 1)
