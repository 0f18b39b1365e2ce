"""What more than one cycle reads together: channels with their keys, and traffic grouped by channel."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import Connection

from revenued.clock import to_micros
from revenued.fees.learning import Sold
from revenued.flow.estimate import FlowDay, FlowEstimate, flow_estimate
from revenued.model import Channel
from revenued.store.channels import scid_owners
from revenued.store.traffic import DAY, daily_flow, hourly_traffic, whole_day
from revenued.units import MICROS_PER_DAY


def flow_estimates(
    connection: Connection, channels: Mapping[int, Channel], *, window_days: int, now: datetime
) -> dict[int, FlowEstimate]:
    """Return channel_key → what the last days' traffic says of each of `channels`."""
    owners = scid_owners(connection)
    today = whole_day(now)
    today_micros = to_micros(today)
    days: defaultdict[int, list[FlowDay]] = defaultdict(list)
    for row in daily_flow(connection, today - timedelta(days=window_days)):
        key = owners.get(row[1])
        if key is not None and key in channels:
            days[key].append(FlowDay((today_micros - row[0]) // MICROS_PER_DAY, *row[2:]))
    today_share = (now - today) / DAY
    return {
        key: flow_estimate(
            days.get(key, ()),
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
