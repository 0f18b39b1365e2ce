"""Moves are put together to forwards, each stored forward accounts for one, and what is left was deleted unread."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revenued.clock import to_micros
from revenued.flow.recovery import LATEST, NEAR_MICROS, Kind, MovedForward, unaccounted
from revenued.model import RoutedMove
from revenued.units import MICROS_PER_SECOND, Micros, Msat
from tests.fakes import START

SECOND = MICROS_PER_SECOND
HOUR = 3600
AT = to_micros(START)
A, B, C, D = "a" * 64, "b" * 64, "c" * 64, "d" * 64


@dataclass(frozen=True, slots=True)
class Sent:
    """One forward as it really was; times in seconds after START."""

    entry: str = A
    leaving: str = C
    in_msat: int = 1_001
    out_msat: int = 1_000
    payment: str = "payment"
    at: float = 0.0
    late: float = 0.0
    """How long after its end its moves were written."""

    @property
    def stored(self) -> tuple[Kind, Micros]:
        return (self.entry, self.leaving, self.in_msat, self.out_msat), Micros(AT + round(self.at * SECOND))


def moves_of(*sent: Sent, order: Sequence[int] | None = None) -> list[RoutedMove]:
    """Return both halves of every forward, written in the order of `order` (of the halves, in before out)."""
    halves = []
    for one in sent:
        fees, at = Msat(one.in_msat - one.out_msat), Micros(AT + int(one.at + one.late) * SECOND)
        halves += [
            (one.entry, Msat(one.in_msat), Msat(0), fees, at, one.payment),
            (one.leaving, Msat(0), Msat(one.out_msat), fees, at, one.payment),
        ]
    places = order or list(range(len(halves)))
    return [RoutedMove(index, *halves[place]) for index, place in enumerate(places, start=1)]


def kinds(found: list[MovedForward]) -> list[Kind]:
    return [forward.kind for forward in found]


def test_two_halves_make_a_forward_with_the_fee_between_them() -> None:
    (found,) = unaccounted(moves_of(Sent(in_msat=1_007, at=3.9)), [])
    assert found == MovedForward(2, A, C, 1_007, 1_000, Micros(AT + 3 * SECOND))
    assert found.fee_msat == 7


def test_the_outgoing_half_may_be_written_first_and_gives_the_forward_its_index() -> None:
    (found,) = unaccounted(moves_of(Sent(), order=[1, 0]), [])
    assert (found.index, found.in_channel, found.out_channel) == (1, A, C)


@pytest.mark.parametrize("missing", [0, 1])
def test_a_half_without_its_other_half_makes_nothing(missing: int) -> None:
    """An HTLC that was settled on chain, or was under way when lightningd restarted, leaves only one."""
    moves = moves_of(Sent())
    del moves[missing]
    assert unaccounted(moves, []) == []


@pytest.mark.parametrize("differing", [{"payment": "another"}, {"in_msat": 1_002}, {"out_msat": 999}])
def test_halves_of_different_payments_or_fees_or_amounts_do_not_go_together(differing: dict[str, object]) -> None:
    entering = moves_of(Sent())[0]
    leaving = moves_of(Sent(**differing))[1]  # type: ignore[arg-type]
    assert unaccounted([entering, leaving], []) == []


def test_a_forward_that_is_stored_is_no_loss() -> None:
    assert unaccounted(moves_of(Sent(at=7.25)), [Sent(at=7.25).stored]) == []


@pytest.mark.parametrize("late", [0, 0.5, 1, 5, 60, 1800, HOUR])
def test_a_move_written_late_still_belongs_to_its_forward(late: float) -> None:
    """The HTLC waits for a peer that was away when the payment settled."""
    sent = Sent(at=10.999, late=late)
    assert unaccounted(moves_of(sent), [sent.stored]) == []


@pytest.mark.parametrize("seconds", [-1, -NEAR_MICROS // SECOND])
def test_a_move_may_seem_older_than_the_end_of_its_forward_by_seconds(seconds: int) -> None:
    assert unaccounted(moves_of(Sent(late=seconds)), [Sent().stored]) == []


@pytest.mark.parametrize("seconds", [-NEAR_MICROS // SECOND - 1, LATEST // timedelta(seconds=1) + 1])
def test_a_forward_of_another_time_accounts_for_nothing(seconds: int) -> None:
    assert kinds(unaccounted(moves_of(Sent(late=seconds)), [Sent().stored])) == [Sent().stored[0]]


@pytest.mark.parametrize(
    "differing", [{"entry": B}, {"leaving": D}, {"in_msat": 1_002, "out_msat": 1_001}, {"in_msat": 1_002}]
)
def test_a_forward_of_other_channels_or_amounts_accounts_for_nothing(differing: dict[str, object]) -> None:
    other = Sent(**differing)  # type: ignore[arg-type]
    assert kinds(unaccounted(moves_of(Sent()), [other.stored])) == [Sent().stored[0]]


@pytest.mark.parametrize("stored", range(4))
def test_of_equal_parts_of_one_payment_each_stored_one_accounts_for_one(stored: int) -> None:
    parts = [Sent(at=0.1 * place) for place in range(3)]
    found = unaccounted(moves_of(*parts), [part.stored for part in parts[:stored]])
    assert len(found) == 3 - stored
    assert len({forward.index for forward in found}) == len(found)


@pytest.mark.parametrize("order", [[0, 2, 1, 3], [0, 2, 3, 1], [2, 0, 1, 3], [3, 1, 0, 2], [1, 3, 2, 0]])
def test_equal_parts_by_different_channels_are_not_taken_for_others_than_those_stored(order: list[int]) -> None:
    """Nothing but the stored rows tells which way in belongs to which way out."""
    first, second = Sent(A, C), Sent(B, D)
    moves = moves_of(first, second, order=order)
    assert unaccounted(moves, [first.stored, second.stored]) == []
    assert kinds(unaccounted(moves, [first.stored])) == [second.stored[0]]
    assert kinds(unaccounted(moves, [second.stored])) == [first.stored[0]]


def test_a_stored_one_accounts_for_the_move_that_is_nearest_after_it() -> None:
    """A payment like it an hour ago, whose moves are missing, hides nothing that is lost now."""
    before, now = Sent(payment="first", at=0), Sent(payment="second", at=1200)
    lost = Sent(payment="third", at=2400)
    assert kinds(unaccounted(moves_of(now), [before.stored, now.stored])) == []
    found = unaccounted(moves_of(before, now, lost), [before.stored, now.stored])
    assert [forward.moved_at for forward in found] == [AT + 2400 * SECOND]


def test_one_stored_forward_never_accounts_for_two() -> None:
    same = [Sent(payment=f"{number}", at=number) for number in range(3)]
    assert len(unaccounted(moves_of(*same), [same[1].stored])) == 2


ways = st.tuples(st.sampled_from([A, B]), st.sampled_from([C, D]))


@st.composite
def payments(draw: st.DrawFn) -> list[tuple[Sent, bool]]:
    """Return forwards, and which are stored: payments a minute apart, each in equal parts that settle together."""
    made = []
    for number in range(draw(st.integers(0, 3))):
        late = draw(st.sampled_from([0.0, 0.5, 4.0]))
        for entry, leaving in draw(st.lists(ways, min_size=1, max_size=4)):
            at = 60 * number + draw(st.floats(0, 0.9))
            made.append((Sent(entry, leaving, payment=f"{number}", at=at, late=late), draw(st.booleans())))
    return made


@given(payments(), st.data())
def test_what_moved_through_each_channel_is_stored_or_found_and_never_both(
    sent: list[tuple[Sent, bool]], data: st.DataObject
) -> None:
    """In whatever order the halves were written."""
    order = data.draw(st.permutations(range(2 * len(sent))))
    kept = [forward.stored for forward, is_stored in sent if is_stored]
    found = unaccounted(moves_of(*(forward for forward, _ in sent), order=order), kept)
    assert moved(*(kind for kind, _ in kept), *kinds(found)) == moved(*(forward.stored[0] for forward, _ in sent))


@given(st.lists(st.tuples(ways, st.floats(0, 20), st.floats(0, 10), st.booleans()), max_size=10))
def test_payments_in_one_part_are_told_apart_by_their_hash_however_close_they_come(
    given_sent: list[tuple[tuple[str, str], float, float, bool]],
) -> None:
    sent = [
        (Sent(*way, payment=f"{number}", at=at, late=late), is_stored)
        for number, (way, at, late, is_stored) in enumerate(given_sent)
    ]
    kept = [forward.stored for forward, is_stored in sent if is_stored]
    found = unaccounted(moves_of(*(forward for forward, _ in sent)), kept)
    assert Counter([*(kind for kind, _ in kept), *kinds(found)]) == Counter(forward.stored[0] for forward, _ in sent)


def moved(*kinds: Kind) -> Counter[tuple[str, int]]:
    """Return how often which amount came in and went out by which channel."""
    return Counter(move for entry, leaving, came, went in kinds for move in ((entry, came), (leaving, -went)))
