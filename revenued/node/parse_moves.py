"""Pages of `listchannelmoves` become routed moves: the node's own record of forwards, which nothing ever deletes."""

from revenued.errors import NodeNonsense
from revenued.model import MovePage, RoutedMove, Skipped
from revenued.node.fields import Fields, Unreadable, rows_of
from revenued.units import MICROS_PER_SECOND, Micros

_LAST_SECOND = 253_402_300_799
"""End of the year 9999."""


def move_page(answer: object, *, start: int) -> MovePage:
    """Return the routed moves on a page that was asked for from `start`; raises NodeNonsense.

    A move that cannot be read is skipped, but the page still ends behind it.
    """
    routed: list[RoutedMove] = []
    skipped: list[Skipped] = []
    rows = rows_of(answer, "channelmoves", method="listchannelmoves")
    last_index, first_moved_at = -1, None
    for place, row in enumerate(rows):
        try:
            fields = Fields.of(row)
            index = fields.whole("created_index")
            last_index = max(last_index, index)
            moved_at = Micros(fields.whole("timestamp", most=_LAST_SECOND) * MICROS_PER_SECOND)
            first_moved_at = moved_at if first_moved_at is None else first_moved_at
            if fields.text("primary_tag") == "routed":
                routed.append(_routed(fields, index, moved_at))
        except Unreadable as problem:
            skipped.append(Skipped(f"channel move in row {place}", str(problem)))
    if rows and last_index < start:
        raise NodeNonsense(f"listchannelmoves: no row of the page from {start} has a usable created_index")
    return MovePage(routed, first_moved_at, last_index if rows else None, tuple(skipped))


def _routed(fields: Fields, index: int, moved_at: Micros) -> RoutedMove:
    return RoutedMove(
        created_index=index,
        channel_id=fields.text("account_id"),
        credit_msat=fields.money("credit_msat"),
        debit_msat=fields.money("debit_msat"),
        fees_msat=fields.money("fees_msat"),
        moved_at=moved_at,
        payment_hash=fields.text("payment_hash"),
    )
