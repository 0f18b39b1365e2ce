"""Which settled forwards the node's channel moves show that are not among the rows we have."""

from bisect import bisect_right, insort
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from revenued.model import RoutedMove
from revenued.units import MICROS_PER_SECOND, Micros

EARLIEST_MICROS = 5 * MICROS_PER_SECOND
"""A move carries whole seconds, cut off, so it may seem older than the end of its forward; and clocks are set back."""

LATEST = timedelta(hours=1)
"""A move is written when its HTLC is gone from the channel, which waits for a peer that went away to come back."""
_LATEST_MICROS = LATEST // timedelta(microseconds=1)

Kind = tuple[str, str, int, int]
"""In and out by channel_id, in and out in msat: what forwards have in common that only their time tells apart, such as
parts of one payment."""


@dataclass(frozen=True, slots=True)
class MovedForward:
    """A settled forward as two moves show it; channels by channel_id."""

    index: int
    """Of the outgoing move."""
    in_channel: str
    out_channel: str
    in_msat: int
    out_msat: int
    moved_at: Micros

    @property
    def fee_msat(self) -> int:
        """Return what was earned."""
        return self.in_msat - self.out_msat

    @property
    def kind(self) -> Kind:
        """Return what it has in common with forwards like it."""
        return self.in_channel, self.out_channel, self.in_msat, self.out_msat


def unaccounted(moves: Iterable[RoutedMove], stored: Iterable[tuple[Kind, Micros]]) -> list[MovedForward]:
    """Return the forwards that moves show and that no stored one, given as (kind, resolved_at), accounts for.

    The two halves of a forward carry the same payment_hash and the same fee, and their difference is that fee. Parts of
    one payment can be alike in all of this, so the halves that make a stored forward are put together first. Each
    stored forward accounts for one; a move without its other half is left out.
    """
    ends: defaultdict[Kind, list[Micros]] = defaultdict(list)
    for kind, resolved_at in stored:
        insort(ends[kind], resolved_at)
    incoming: defaultdict[tuple[str, int, int], list[RoutedMove]] = defaultdict(list)
    debits = []
    for move in sorted(moves, key=lambda move: move.created_index):
        if move.credit_msat > 0:
            incoming[move.payment_hash, move.fees_msat, move.credit_msat].append(move)
        else:
            debits.append(move)
    left = []
    for debit in sorted(debits, key=lambda move: move.moved_at):
        halves = incoming[_other_half(debit)]
        known = [(end, half) for half in halves if (end := _end_before(ends[_kind(half, debit)], debit)) is not None]
        if known:
            end, half = max(known, key=lambda pair: pair[0])
            ends[_kind(half, debit)].remove(end)
            halves.remove(half)
        else:
            left.append(debit)
    found = []
    for debit in sorted(left, key=lambda move: move.created_index):
        halves = incoming[_other_half(debit)]
        if halves:
            found.append(MovedForward(debit.created_index, *_kind(halves.pop(0), debit), debit.moved_at))
    return found


def _other_half(debit: RoutedMove) -> tuple[str, int, int]:
    """Return the payment_hash, fee and amount of the credit that goes with a debit."""
    return debit.payment_hash, debit.fees_msat, debit.debit_msat + debit.fees_msat


def _kind(credit: RoutedMove, debit: RoutedMove) -> Kind:
    return credit.channel_id, debit.channel_id, credit.credit_msat, debit.debit_msat


def _end_before(ends: list[Micros], debit: RoutedMove) -> Micros | None:
    """Return the newest of the sorted `ends` that this move can belong to."""
    place = bisect_right(ends, debit.moved_at + EARLIEST_MICROS)
    if place == 0 or ends[place - 1] < debit.moved_at - _LATEST_MICROS:
        return None
    return ends[place - 1]
