"""Pages of `listforwards` become forwards; a million of them pass through at start, so this loop is a hot one."""

from operator import itemgetter
from typing import Any

from revenued.errors import NodeNonsense
from revenued.model import Forward, ForwardPage, ForwardStatus, Skipped
from revenued.node.fields import MAX_INDEX, Unreadable, rows_of, to_amount, to_whole
from revenued.node.interface import ForwardIndex
from revenued.units import MAX_MONEY_MSAT, MICROS_PER_SECOND, Micros, Msat, scid_to_key

_NUMBERS = (
    ("created_index", MAX_INDEX),
    ("updated_index", MAX_INDEX),
    ("in_htlc_id", MAX_INDEX),
    ("out_htlc_id", MAX_INDEX),
    ("failcode", 0xFFFF),
)
_STATUSES = {str(status): str(status) for status in ForwardStatus}
_END_OF_TIME_SECONDS = 253_402_300_800
"""Start of the year 10000, which no datetime holds."""


def forward_page(answer: object, index: ForwardIndex, *, start: int) -> ForwardPage:
    """Return the forwards on a page that was asked for from `start` in the order of `index`; raises NodeNonsense.

    A row that cannot be read is skipped, but the page still ends behind it.
    """
    forwards: list[Forward] = []
    skipped: list[Skipped] = []
    # Kept for one page only: the senders choose some of the scids, so there is no end to them.
    keys: dict[str, int] = {}
    index_field = f"{index}_index"
    rows = rows_of(answer, "forwards", method="listforwards")
    last_index = -1
    for place, row in enumerate(rows):
        try:
            forward = _plain_settled(row, keys) or _forward(row, keys)
        except Unreadable as problem:
            skipped.append(Skipped(_name(row, place), str(problem)))
            at = _readable_index(row, index_field)
        else:
            forwards.append(forward)
            at = forward.created_index if index == "created" else forward.updated_index
        if at is not None and at > last_index:
            last_index = at
    if rows and last_index < start:
        # Asking on from here would bring the same page for ever.
        raise NodeNonsense(f"listforwards: no row of the page from {start} has a usable {index_field}")
    return ForwardPage(forwards, last_index if rows else None, tuple(skipped))


_SETTLED_FIELDS = itemgetter(
    "created_index", "updated_index", "in_channel", "in_htlc_id", "in_msat", "out_channel", "out_htlc_id", "out_msat",
    "fee_msat", "status", "received_time", "resolved_time",
)  # fmt: skip


def _plain_settled(row: Any, keys: dict[str, int]) -> Forward | None:
    """Return a settled forward with all its fields, which nine rows in ten are, at half the cost; None for any other.

    What looks odd in any way is left to `_forward`, which says what is wrong with it.
    """
    try:
        created, updated, entry, in_id, in_msat, way_out, out_id, out_msat, fee, status, received, resolved = (
            _SETTLED_FIELDS(row)
        )
        in_key, out_key = keys[entry], keys[way_out]
    except (KeyError, TypeError):
        return None
    if not (
        status == "settled"
        and type(created) is type(updated) is type(in_id) is type(out_id) is int
        and type(in_msat) is type(out_msat) is type(fee) is int
        and type(received) is type(resolved) is float
        and 0 <= created <= MAX_INDEX
        and 0 <= updated <= MAX_INDEX
        and 0 <= in_id <= MAX_INDEX
        and 0 <= out_id <= MAX_INDEX
        and 0 <= fee <= MAX_MONEY_MSAT
        and 0 <= out_msat <= MAX_MONEY_MSAT
        and 0 <= in_msat <= MAX_MONEY_MSAT
        and 0 <= received < _END_OF_TIME_SECONDS
        and 0 < resolved < _END_OF_TIME_SECONDS
        and "failcode" not in row
    ):
        return None
    return Forward._make(
        (
            created, updated, in_key, in_id, in_msat, out_key, out_id, out_msat, fee, "settled", None,
            round(received * MICROS_PER_SECOND), round(resolved * MICROS_PER_SECOND),
        )
    )  # fmt: skip


def _forward(row: Any, keys: dict[str, int]) -> Forward:
    """Return one row; every check is written so that a good value passes it without a call."""
    if type(row) is not dict:
        raise Unreadable("it is not an object")
    get = row.get
    for name, most in _NUMBERS:
        number = get(name)
        if number is not None and (type(number) is not int or not 0 <= number <= most):
            to_whole(number, name, most=most)
    created_index, status, resolved_time = get("created_index"), get("status"), get("resolved_time")
    if created_index is None:
        raise Unreadable("created_index is missing")
    if type(status) is not str or status not in _STATUSES:
        raise Unreadable("status is none that is known")
    out_channel, out_msat, fee_msat = get("out_channel"), get("out_msat"), get("fee_msat")
    if status == "settled" and (out_channel is None or out_msat is None or fee_msat is None):
        # What it earned is unknown, and an unknown income must not be summed up as none.
        raise Unreadable("out_channel, out_msat or fee_msat of a settled forward is missing")
    return Forward(
        created_index,
        get("updated_index"),
        _key(get("in_channel"), "in_channel", keys),
        get("in_htlc_id"),
        _amount(get("in_msat"), "in_msat"),
        None if out_channel is None else _key(out_channel, "out_channel", keys),
        get("out_htlc_id"),
        None if out_msat is None else _amount(out_msat, "out_msat"),
        None if fee_msat is None else _amount(fee_msat, "fee_msat"),
        _STATUSES[status],
        get("failcode"),
        _instant(get("received_time"), "received_time"),
        None if resolved_time is None or resolved_time == 0 else _instant(resolved_time, "resolved_time"),
    )


def _key(scid: object, name: str, keys: dict[str, int]) -> int:
    if type(scid) is str:
        key = keys.get(scid)
        if key is not None:
            return key
        try:
            key = keys[scid] = scid_to_key(scid)
        except ValueError as error:
            raise Unreadable(f"{name} is not a short channel id") from error
        return key
    raise Unreadable(f"{name} is missing or not a text")


def _amount(value: Any, name: str) -> Msat:
    if type(value) is int and 0 <= value <= MAX_MONEY_MSAT:
        return Msat(value)
    return to_amount(value, name)


def _instant(seconds: Any, name: str) -> Micros:
    if type(seconds) in (float, int) and 0 <= seconds < _END_OF_TIME_SECONDS:
        return Micros(round(seconds * MICROS_PER_SECOND))
    raise Unreadable(f"{name} is missing or no time")


def _readable_index(row: Any, index_field: str) -> int | None:
    at = row.get(index_field) if isinstance(row, dict) else None
    return at if type(at) is int and 0 <= at <= MAX_INDEX else None


def _name(row: Any, place: int) -> str:
    created_index = _readable_index(row, "created_index")
    return f"forward in row {place}" if created_index is None else f"forward {created_index}"
