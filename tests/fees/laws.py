"""What laws are drawn from: any settings that go together, any channel, any case."""

from datetime import timedelta

from hypothesis import strategies as st

from revenued.config import OPTIONS, Settings
from revenued.fees.case import FeeCase
from revenued.model import CLOSING_STATES, NORMAL_STATES, OPENING_STATES, Channel, ChannelFee, ChannelPolicy, Side
from revenued.units import MAX_MONEY_MSAT, Msat, Ppm
from tests.builders import NOW, make_case, make_channel, make_memory, make_settings

STATES = sorted(NORMAL_STATES | CLOSING_STATES | OPENING_STATES)

ppms = st.integers(0, 2**32 - 1).map(Ppm)
fees = st.builds(ChannelFee, st.integers(0, 2**32 - 1).map(Msat), ppms)
instants = st.timedeltas(timedelta(days=-60), timedelta(days=60)).map(lambda span: NOW + span)


def number(key: str) -> st.SearchStrategy[int | float]:
    """Draw any value that a numeric option allows."""
    option = OPTIONS[key]
    assert option.least is not None
    assert option.most is not None
    if option.kind == "int":
        return st.integers(int(option.least), int(option.most))
    return st.floats(option.least, option.most)


@st.composite
def any_settings(draw: st.DrawFn) -> Settings:
    """Draw every option that the fee rules and gates look at, the bounds in order."""
    bounds = draw(st.lists(st.integers(1, 100_000), min_size=2, max_size=2).map(sorted))
    keys = (
        *("static_floor_ppm", "base_fee_msat", "scarcity_threshold", "fee_hysteresis", "min_fee_change_interval"),
        *("gossip_updates_per_day", "gossip_burst", "fresh_channel_hours", "respect_manual_hours", "hill_climb_step"),
    )
    return make_settings(
        min_fee_ppm=bounds[0],
        max_fee_ppm=bounds[1],
        dry_run=draw(st.booleans()),
        enable_scarcity_pricing=draw(st.booleans()),
        **{key: draw(number(key)) for key in keys},
    )


@st.composite
def any_channel(draw: st.DrawFn) -> Channel:
    """Draw a channel in any state, with any balance, price and opener."""
    capacity = draw(st.integers(0, MAX_MONEY_MSAT))
    policy = draw(st.none() | fees.map(lambda fee: ChannelPolicy(fee, None, None, None)))
    return make_channel(
        state=draw(st.sampled_from(STATES) | st.just("CHANNELD_NORMAL")),
        opener=draw(st.sampled_from([None, Side.LOCAL, Side.REMOTE])),
        peer_connected=draw(st.booleans()),
        capacity_msat=Msat(capacity),
        to_us_msat=Msat(draw(st.integers(0, capacity))),
        ours=policy,
        opened_at=draw(st.none() | instants),
    )


@st.composite
def any_case(draw: st.DrawFn) -> FeeCase:
    """Draw one channel at one instant with any memory."""
    memory = make_memory(
        gossip_allowance=draw(st.floats(-5, 10)),
        gossip_allowance_at=draw(instants),
        broadcast=draw(st.none() | fees),
        broadcast_at=draw(st.none() | instants),
        intended=draw(st.none() | fees),
        intended_at=draw(st.none() | instants),
        outside=draw(st.none() | fees),
        outside_seen_at=draw(st.none() | instants),
    )
    return make_case(
        draw(any_channel()),
        draw(any_settings()),
        memory=memory,
        base_ppm=draw(ppms),
        ever_sent_out=draw(st.booleans()),
        paused=draw(st.booleans()),
    )
