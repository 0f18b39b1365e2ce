"""Values in which a test states only what matters to it: channels, settings, fee cases, exposures, days of traffic."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from revenued.config import OptionValue, Settings, build_settings
from revenued.fees.case import FeeCase, FeeMemory
from revenued.fees.learning import Exposure, LearnerState
from revenued.flow.estimate import FlowDay
from revenued.model import Channel, ChannelFee, ChannelPolicy, Htlc, Side
from revenued.units import Msat, Ppm
from tests.fakes import START

NOW = START
CAPACITY = Msat(1_000_000_000)


def fee(ppm: int, base_msat: int = 0) -> ChannelFee:
    return ChannelFee(Msat(base_msat), Ppm(ppm))


def make_settings(**options: OptionValue) -> Settings:
    """Return the defaults with `options` over them, live: a dry run is asked for by name."""
    return build_settings({"dry_run": False}, options)


def make_channel(number: int = 1, *, ppm: int = 100, outbound_ratio: float = 0.5, **differing: Any) -> Channel:
    """Return a channel in use, of its own peer, old, without reserves; `number` makes its names."""
    channel = Channel(
        channel_id=f"{number:064x}",
        peer_id=f"03{number:064x}",
        state="CHANNELD_NORMAL",
        scid=f"{number}x1x0",
        local_alias=None,
        private=False,
        opener=Side.LOCAL,
        peer_connected=True,
        reestablished=True,
        capacity_msat=CAPACITY,
        to_us_msat=Msat(round(CAPACITY * outbound_ratio)),
        our_reserve_msat=Msat(0),
        their_reserve_msat=Msat(0),
        spendable_msat=None,
        receivable_msat=None,
        ours=ChannelPolicy(fee(ppm), None, None, None),
        theirs=None,
        their_max_in_flight_msat=None,
        our_max_in_flight_msat=None,
        max_accepted_htlcs=None,
        htlcs=(),
        opened_at=datetime(2025, 1, 1, tzinfo=UTC),
        out_fulfilled_msat=Msat(1),
        in_fulfilled_msat=Msat(1),
        funding_txid="ab" * 32,
        funding_outnum=number,
    )
    return replace(channel, **differing)


def make_htlc(amount_msat: int, *, incoming: bool = False) -> Htlc:
    return Htlc(incoming=incoming, htlc_id=0, amount_msat=Msat(amount_msat), expiry_height=None, trimmed=False)


def make_memory(**differing: Any) -> FeeMemory:
    """Return the memory of a channel whose 100 ppm are ours, told long ago, with updates saved up."""
    long_ago = NOW - timedelta(days=30)
    memory = FeeMemory(
        gossip_allowance=3.0,
        gossip_allowance_at=NOW,
        broadcast=fee(100),
        broadcast_at=long_ago,
        intended=fee(100),
        intended_at=long_ago,
    )
    return replace(memory, **differing)


def make_case(channel: Channel | None = None, settings: Settings | None = None, **differing: Any) -> FeeCase:
    """Return a case in which no rule has anything to say: balanced, at its base price, free to change."""
    channel = channel or make_channel()
    case = FeeCase(
        channel=channel,
        memory=make_memory(broadcast=channel.fee, intended=channel.fee),
        base_ppm=channel.fee.fee_ppm if channel.fee else Ppm(100),
        first_seen_at=NOW - timedelta(days=30),
        flow=None,
        ever_sent_out=True,
        settings=settings or make_settings(),
        paused=False,
        now=NOW,
    )
    return replace(case, **differing)


def make_learner(base_ppm: int = 100, **differing: Any) -> LearnerState:
    """Return a learner that raises next, by 10 %, and has nothing to compare with."""
    return replace(LearnerState(base_ppm=Ppm(base_ppm), direction=1, step=0.1), **differing)


def make_exposure(fee_ppm: int = 100, *, hours: int = 24, earned_msat: int = 24_000, **differing: Any) -> Exposure:
    """Return an exposure that ends now, with forwards, liquidity and a peer that was there."""
    exposure = Exposure(
        started_at=NOW - timedelta(hours=hours),
        through_at=NOW,
        fee_ppm=Ppm(fee_ppm),
        forward_count=20,
        volume_msat=20_000_000,
        earned_msat=earned_msat,
        looks=10,
        liquid_looks=10,
        online_looks=10,
    )
    return replace(exposure, **differing)


def make_day(days_ago: int, *, in_msat: int = 0, out_msat: int = 0, **differing: Any) -> FlowDay:
    """Return a day with one forward in each direction in which something moved."""
    day = FlowDay(
        days_ago=days_ago,
        in_count=int(in_msat > 0),
        in_msat=in_msat,
        out_count=int(out_msat > 0),
        out_msat=out_msat,
        earned_msat=0,
        sourced_msat=0,
    )
    return day._replace(**differing)
