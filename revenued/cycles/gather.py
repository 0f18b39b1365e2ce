"""What more than one cycle reads together: channels with their keys, and traffic grouped by channel."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import Connection

from revenued.fees.learning import Sold
from revenued.flow.estimate import FlowDay, FlowEstimate, flow_estimate
from revenued.model import Channel
from revenued.store.channels import scid_owners
from revenued.store.traffic import DAY, daily_traffic, hourly_traffic, whole_day


def flow_estimates(
    connection: Connection, channels: Mapping[int, Channel], *, window_days: int, now: datetime
) -> dict[int, FlowEstimate]:
    """Return channel_key → what the last days' traffic says of each of `channels`."""
    owners = scid_owners(connection)
    today = whole_day(now)
    by_channel: defaultdict[int, defaultdict[int, list[int]]] = defaultdict(lambda: defaultdict(lambda: [0] * 6))
    for period in daily_traffic(connection, today - timedelta(days=window_days)):
        key = owners.get(period.scid)
        if key is None or key not in channels:
            continue
        traffic = period.traffic
        sums = by_channel[key][(today - period.starts_at) // DAY]
        for place, amount in enumerate(
            (
                traffic.in_count,
                traffic.in_msat,
                traffic.out_count,
                traffic.out_msat,
                traffic.earned_msat,
                traffic.sourced_msat,
            )
        ):
            sums[place] += amount
    today_share = (now - today) / DAY
    return {
        key: flow_estimate(
            [FlowDay(days_ago, *sums) for days_ago, sums in by_channel[key].items()] if key in by_channel else (),
            capacity_msat=channel.capacity_msat,
            to_us_msat=channel.to_us_msat,
            window_days=window_days,
            today_share=today_share,
        )
        for key, channel in channels.items()
    }


def sold_since(connection: Connection, since: Mapping[int, datetime], *, until: datetime) -> dict[int, Sold]:
    """Return channel_key → what left in the whole hours from its own `since` until `until`."""
    if not since:
        return {}
    owners = scid_owners(connection)
    sold: defaultdict[int, Sold] = defaultdict(Sold)
    for period in hourly_traffic(connection, min(since.values()), until):
        key = owners.get(period.scid)
        if key is not None and key in since and period.starts_at >= since[key]:
            traffic = period.traffic
            sold[key] += Sold(traffic.out_count, traffic.out_msat, traffic.earned_msat)
    return dict(sold)
