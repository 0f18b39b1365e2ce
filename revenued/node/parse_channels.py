"""What the node says of its channels becomes values; a channel that cannot be read is skipped by name."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

from revenued.model import Channel, ChannelFee, ChannelList, ChannelPolicy, ClosedChannel, Htlc, Side, Skipped
from revenued.node.fields import Fields, Unreadable, rows_of
from revenued.units import Ppm

Row = TypeVar("Row")


def channel_list(answer: object) -> ChannelList:
    """Return the channels in an answer to `listpeerchannels`; raises NodeNonsense."""
    channels, skipped = _each(rows_of(answer, "channels", method="listpeerchannels"), _channel)
    return ChannelList(channels, skipped)


def closed_channels(answer: object) -> tuple[tuple[ClosedChannel, ...], tuple[Skipped, ...]]:
    """Return the channels in an answer to `listclosedchannels`; raises NodeNonsense."""
    return _each(rows_of(answer, "closedchannels", method="listclosedchannels"), _closed_channel)


def _each(rows: list[Any], read: Callable[[Fields], Row]) -> tuple[tuple[Row, ...], tuple[Skipped, ...]]:
    found: list[Row] = []
    skipped: list[Skipped] = []
    for place, row in enumerate(rows):
        try:
            found.append(read(Fields.of(row)))
        except Unreadable as problem:
            skipped.append(Skipped(_name(row, place), str(problem)))
    return tuple(found), tuple(skipped)


def _name(row: object, place: int) -> str:
    """Return the best readable name of a row: a channel that is unknown must not be taken for one that is gone."""
    fields = Fields(row if isinstance(row, dict) else {})
    for read, name, form in (
        (fields.channel_id, "channel_id", "{}"),
        (fields.scid, "short_channel_id", "{}"),
        (fields.node_id, "peer_id", "a channel with {}"),
    ):
        try:
            return form.format(read(name))
        except Unreadable:
            continue
    return f"channel in row {place}"


def _channel(fields: Fields) -> Channel:
    optional = fields.optional
    return Channel(
        channel_id=fields.channel_id("channel_id"),
        peer_id=fields.node_id("peer_id"),
        state=fields.text("state", most=40),
        scid=optional(fields.scid, "short_channel_id"),
        local_alias=_local_alias(fields),
        private=fields.flag("private"),
        opener=_opener(fields),
        peer_connected=fields.flag("peer_connected"),
        reestablished=optional(fields.flag, "reestablished"),
        capacity_msat=fields.money("total_msat"),
        to_us_msat=fields.money("to_us_msat"),
        our_reserve_msat=fields.money("our_reserve_msat"),
        their_reserve_msat=fields.money("their_reserve_msat"),
        spendable_msat=optional(fields.money, "spendable_msat"),
        receivable_msat=optional(fields.money, "receivable_msat"),
        ours=_announced(fields, "local") or _announced_before_v24_02(fields),
        theirs=_announced(fields, "remote"),
        their_max_in_flight_msat=fields.limit("their_max_htlc_value_in_flight_msat"),
        our_max_in_flight_msat=fields.limit("our_max_htlc_value_in_flight_msat"),
        max_accepted_htlcs=optional(fields.u32, "max_accepted_htlcs"),
        htlcs=tuple(_htlc(htlc) for htlc in fields.sections("htlcs")),
        opened_at=_opened_at(fields),
        out_fulfilled_msat=optional(fields.money, "out_fulfilled_msat"),
        in_fulfilled_msat=optional(fields.money, "in_fulfilled_msat"),
        funding_txid=optional(fields.txid, "funding_txid"),
        funding_outnum=optional(fields.u32, "funding_outnum"),
    )


def _closed_channel(fields: Fields) -> ClosedChannel:
    return ClosedChannel(
        channel_id=fields.channel_id("channel_id"),
        peer_id=fields.optional(fields.node_id, "peer_id"),
        scid=fields.optional(fields.scid, "short_channel_id"),
        local_alias=_local_alias(fields),
        opener=_opener(fields),
        private=fields.flag("private"),
        capacity_msat=fields.money("total_msat"),
        close_cause=fields.text("close_cause"),
    )


def _local_alias(fields: Fields) -> str | None:
    alias = fields.section("alias")
    return alias.optional(alias.scid, "local")


def _opener(fields: Fields) -> Side | None:
    opener = fields.optional(fields.text, "opener")
    try:
        return None if opener is None else Side(opener)
    except ValueError as error:
        raise Unreadable("opener is neither local nor remote") from error


def _announced(fields: Fields, side: str) -> ChannelPolicy | None:
    """Return what `updates` has for a side: nothing before the channel is usable, or the peer has said something."""
    update = fields.section("updates").section(side)
    if not update.row:
        return None
    return ChannelPolicy(
        fee=_fee(update),
        htlc_minimum_msat=update.limit("htlc_minimum_msat"),
        htlc_maximum_msat=update.limit("htlc_maximum_msat"),
        cltv_expiry_delta=update.optional(update.u32, "cltv_expiry_delta"),
    )


def _announced_before_v24_02(fields: Fields) -> ChannelPolicy | None:
    if fields.row.get("fee_base_msat") is None or fields.row.get("fee_proportional_millionths") is None:
        return None
    return ChannelPolicy(
        fee=_fee(fields),
        htlc_minimum_msat=fields.limit("minimum_htlc_out_msat"),
        htlc_maximum_msat=fields.limit("maximum_htlc_out_msat"),
        cltv_expiry_delta=None,
    )


def _fee(fields: Fields) -> ChannelFee:
    return ChannelFee(
        base_fee_msat=fields.money("fee_base_msat"), fee_ppm=Ppm(fields.u32("fee_proportional_millionths"))
    )


def _htlc(fields: Fields) -> Htlc:
    direction = fields.text("direction")
    if direction not in ("in", "out"):
        raise Unreadable(f"{fields.path}direction is neither in nor out")
    return Htlc(
        incoming=direction == "in",
        htlc_id=fields.whole("id"),
        amount_msat=fields.money("amount_msat"),
        expiry_height=fields.optional(fields.u32, "expiry"),
        trimmed=fields.optional(fields.flag, "local_trimmed") or False,
    )


def _opened_at(fields: Fields) -> datetime | None:
    """Return when the channel first became usable: not when it did again, after a splice."""
    for change in fields.sections("state_changes"):
        if change.row.get("new_state") == "CHANNELD_NORMAL":
            try:
                instant = datetime.fromisoformat(change.text("timestamp"))
                # Without a zone it could be any of a day's hours.
                return instant.astimezone(UTC) if instant.tzinfo else None
            except (ValueError, OverflowError):
                return None
    return None
