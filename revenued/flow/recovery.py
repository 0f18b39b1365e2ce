"""Which settled forwards the node's channel moves show that are not among the rows we have."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from revenued.model import RoutedMove
from revenued.units import MICROS_PER_SECOND, Micros

SAME_TIME_MICROS = 5 * MICROS_PER_SECOND
"""A move carries whole seconds and is written a moment after the forward's own end."""


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
    def kind(self) -> tuple[str, str, int, int]:
        """Return what it has in common with forwards that only their time tells apart, such as parts of one payment."""
        return self.in_channel, self.out_channel, self.in_msat, self.out_msat


def paired(moves: Iterable[RoutedMove]) -> list[MovedForward]:
    """Return the forwards that credits and debits of the same payment make; a move without its other half is left out.

    The two halves of one forward carry the same payment_hash and the same fee, and their difference is that fee.
    """
    by_payment: defaultdict[tuple[str, int], tuple[list[RoutedMove], list[RoutedMove]]] = defaultdict(lambda: ([], []))
    for move in moves:
        credits, debits = by_payment[move.payment_hash, move.fees_msat]
        (credits if move.credit_msat > 0 else debits).append(move)
    found = []
    for (_, fee), (credits, debits) in by_payment.items():
        waiting = sorted(credits, key=lambda move: move.created_index)
        for debit in sorted(debits, key=lambda move: move.created_index):
            half = next((credit for credit in waiting if credit.credit_msat == debit.debit_msat + fee), None)
            if half is not None:
                waiting.remove(half)
                found.append(
                    MovedForward(
                        debit.created_index,
                        half.channel_id,
                        debit.channel_id,
                        half.credit_msat,
                        debit.debit_msat,
                        debit.moved_at,
                    )
                )
    return sorted(found, key=lambda forward: forward.index)


def not_stored(
    moved: Iterable[MovedForward], stored: Iterable[tuple[tuple[str, str, int, int], Micros]]
) -> list[MovedForward]:
    """Return the moved forwards that no stored one, given as (kind, resolved_at), accounts for; each does for one."""
    times: defaultdict[tuple[str, str, int, int], list[Micros]] = defaultdict(list)
    for kind, resolved_at in stored:
        times[kind].append(resolved_at)
    lost = []
    for forward in sorted(moved, key=lambda forward: forward.moved_at):
        near = _nearest(times[forward.kind], forward.moved_at)
        if near is None:
            lost.append(forward)
        else:
            times[forward.kind].remove(near)
    return sorted(lost, key=lambda forward: forward.index)


def _nearest(times: Sequence[Micros], moved_at: Micros) -> Micros | None:
    near = [at for at in times if abs(at - moved_at) <= SAME_TIME_MICROS]
    return min(near, key=lambda at: abs(at - moved_at)) if near else None
