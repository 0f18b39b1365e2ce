"""The record of forwards: pages by both indexes, whatever was deleted in between."""

from functools import partial

from hypothesis import given
from hypothesis import strategies as st

from revenued.model import ForwardStatus
from revenued.node.interface import Counter
from revenued.sim.forwards import ForwardBook, ForwardRow
from revenued.units import Micros


def added(book: ForwardBook, *, status: ForwardStatus = ForwardStatus.OFFERED) -> ForwardRow:
    row = ForwardRow(0, "1x1x1", len(book), 1_100, status, Micros(7), out_scid="2x2x2", out_msat=1_000)
    return book.add(row)


def created(rows: list[ForwardRow]) -> list[int]:
    return [row.created_index for row in rows]


def is_number(number: int, row: ForwardRow) -> bool:
    return row.created_index == number


def three_of_which_the_last_two_settled() -> ForwardBook:
    book = ForwardBook()
    rows = [added(book) for _ in range(3)]
    book.resolve(rows[2], ForwardStatus.SETTLED, at=Micros(8))
    book.resolve(rows[1], ForwardStatus.SETTLED, at=Micros(9))
    return book


def test_by_the_created_index_rows_come_from_start_on() -> None:
    book = three_of_which_the_last_two_settled()
    assert created(book.page("created", start=2)) == [2, 3]
    assert created(book.page("created", start=1, limit=2)) == [1, 2]
    assert created(book.page("created", start=4)) == []


def test_by_the_updated_index_rows_come_in_the_order_of_their_changes() -> None:
    book = three_of_which_the_last_two_settled()
    assert created(book.page("updated", start=1)) == [3, 2]
    assert created(book.page("updated", start=2)) == [2]


def test_a_row_that_never_changed_is_on_the_updated_index_only_from_zero() -> None:
    book = three_of_which_the_last_two_settled()
    assert created(book.page("updated", start=0)) == [1, 3, 2]


def test_the_limit_counts_rows_of_the_asked_status_only() -> None:
    book = three_of_which_the_last_two_settled()
    assert created(book.page("created", limit=1, status=ForwardStatus.SETTLED)) == [2]


def test_deleted_rows_leave_gaps_and_their_fees_stay_collected() -> None:
    book = three_of_which_the_last_two_settled()
    assert book.delete(lambda row: row.created_index == 2) == 1
    assert created(book.page("created")) == [1, 3]
    assert created(book.page("updated", start=1)) == [3]
    assert created([added(book)]) == [4]
    assert book.fees_collected_msat == 200


def test_listeners_hear_every_change_with_its_index() -> None:
    heard: list[tuple[Counter, int, str]] = []
    book = ForwardBook()
    book.listeners.append(lambda counter, index, row: heard.append((counter, index, row.status.value)))
    row = added(book)
    book.resolve(row, ForwardStatus.FAILED, at=Micros(8))
    book.delete(lambda _: True)
    assert heard == [("created", 1, "offered"), ("updated", 1, "failed"), ("deleted", 1, "failed")]


@given(
    deeds=st.lists(st.tuples(st.sampled_from(["add", "settle", "delete"]), st.integers(0, 20)), max_size=60),
    limit=st.integers(1, 4),
)
def test_reading_page_by_page_gives_every_row_once(deeds: list[tuple[str, int]], limit: int) -> None:
    book = ForwardBook()
    for deed, number in deeds:
        open_rows = [row for row in book.rows() if row.status is ForwardStatus.OFFERED]
        if deed == "add":
            added(book)
        elif deed == "settle" and open_rows:
            book.resolve(open_rows[number % len(open_rows)], ForwardStatus.SETTLED, at=Micros(9))
        elif deed == "delete":
            book.delete(partial(is_number, number))
    by_creation, start = [], 1
    while page := book.page("created", start=start, limit=limit):
        by_creation += page
        start = page[-1].created_index + 1
    by_change, start = [], 1
    while page := book.page("updated", start=start, limit=limit):
        by_change += page
        start = page[-1].updated_index + 1
    assert by_creation == book.rows()
    assert created(by_change) == created(
        sorted((r for r in book.rows() if r.updated_index), key=lambda r: r.updated_index)
    )
