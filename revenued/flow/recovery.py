"""Which settled forwards the node's channel moves show that are not among the rows we have."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from revenued.model import RoutedMove
from revenued.units import MICROS_PER_SECOND, Micros

NEAR_MICROS = 5 * MICROS_PER_SECOND
"""A move is written a moment after the end of its forward, and carries whole seconds, cut off."""

LATEST = timedelta(hours=1)
"""That moment lasts until the HTLC is gone from the channel: a peer that went away must first come back."""

Kind = tuple[str, str, int, int]
"""In and out by channel_id, in and out in msat: what forwards have in common that only their time tells apart, such as
parts of one payment. A stored forward has UNKNOWN in the place of a channel that nobody can name any more."""

UNKNOWN = ""


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
    for kind, resolved_at in sorted(stored):
        ends[kind].append(resolved_at)
    incoming: defaultdict[tuple[str, int, int], list[RoutedMove]] = defaultdict(list)
    outgoing = []
    for move in sorted(moves, key=lambda move: move.created_index):
        if move.credit_msat > 0:
            incoming[move.payment_hash, move.fees_msat, move.credit_msat].append(move)
        else:
            outgoing.append(move)
    # Payments in one part first: it is never in doubt with which half theirs goes together.
    outgoing.sort(key=lambda debit: len(incoming[_other_half(debit)]))
    # Those whose time fits well first, so that one that was lost takes none of them.
    for latest in (NEAR_MICROS, LATEST // timedelta(microseconds=1)):
        outgoing = [debit for debit in outgoing if not _is_stored(debit, incoming[_other_half(debit)], ends, latest)]
    found = []
    for debit in sorted(outgoing, key=lambda debit: debit.created_index):
        halves = incoming[_other_half(debit)]
        if halves:
            kind = next(_kinds(halves.pop(0), debit))
            found.append(MovedForward(debit.created_index, *kind, debit.moved_at))
    return found


def _other_half(debit: RoutedMove) -> tuple[str, int, int]:
    """Return the payment_hash, fee and amount of the credit that goes with a debit."""
    return debit.payment_hash, debit.fees_msat, debit.debit_msat + debit.fees_msat


def _is_stored(
    debit: RoutedMove, halves: list[RoutedMove], ends: Mapping[Kind, list[Micros]], latest_micros: int
) -> bool:
    """Take out of `halves` and `ends` what makes a stored forward together with this move; False if nothing does."""
    first, last = debit.moved_at - latest_micros, debit.moved_at + NEAR_MICROS
    fitting = [
        (abs(debit.moved_at - end), end, half, kind)
        for half in halves
        for kind in _kinds(half, debit)
        for end in _between(ends.get(kind, []), first, last)
    ]
    if not fitting:
        return False
    _, end, half, kind = min(fitting)
    ends[kind].remove(end)
    halves.remove(half)
    return True


def _kinds(credit: RoutedMove, debit: RoutedMove) -> Iterator[Kind]:
    """Yield every kind that a stored forward which these two make may have."""
    for entry in (credit.channel_id, UNKNOWN):
        for leaving in (debit.channel_id, UNKNOWN):
            yield entry, leaving, credit.credit_msat, debit.debit_msat


def _between(ends: list[Micros], first: int, last: int) -> list[Micros]:
    return ends[bisect_left(ends, first) : bisect_right(ends, last)]
