"""Single forwards, newest first, page by page, by whatever they are asked for."""

from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from revenued.store.engine import Store
from revenued.store.forwardlist import ForwardRow, list_forwards
from revenued.store.forwards import apply_forwards
from tests.fakes import START
from tests.store.builders import forget_forwards, make_forward, plans_of, statements_of

DAY = timedelta(days=1)
Window: dict[str, Any] = {"since": START - DAY, "until": START + DAY}


def put(store: Store, *page: Any) -> None:
    with store.write() as connection:
        apply_forwards(connection, page)


def listed(store: Store, **asked: Any) -> list[int]:
    with store.read() as connection:
        return [row.created_index for row in list_forwards(connection, **{**Window, "limit": 100, **asked})]


def test_a_row_says_all_that_is_kept_of_it(store: Store) -> None:
    put(store, make_forward(7, status="local_failed", out_scid=9, failcode=0x1007, out_msat=None, fee_msat=None))
    with store.read() as connection:
        (row,) = list_forwards(connection, **Window, limit=1)
    assert row == ForwardRow(7, START, None, "local_failed", 1, None, 9, 1_001_000, None, None, 0x1007)


def test_the_end_of_the_window_is_not_in_it(store: Store) -> None:
    put(store, make_forward(1, at=START), make_forward(2, at=START + DAY))
    assert listed(store, since=START, until=START + DAY) == [1]


def test_forwards_are_found_by_either_side_and_by_status(store: Store) -> None:
    put(
        store,
        make_forward(1, in_scid=5),
        make_forward(2, out_scid=5),
        make_forward(3),
        make_forward(4, status="failed", in_scid=5),
    )
    assert listed(store, scids=[5]) == [4, 2, 1]
    assert listed(store, scids=[]) == []
    assert listed(store, scids=[5, 77], status="settled") == [2, 1]
    assert listed(store, status="failed") == [4]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(minutes=st.lists(st.integers(0, 3), max_size=9), limit=st.integers(1, 4))
def test_pages_put_together_are_the_whole_list(store: Store, minutes: list[int], limit: int) -> None:
    """Also where many were received in the same instant."""
    forget_forwards(store)
    put(store, *(make_forward(n, at=START + timedelta(minutes=at)) for n, at in enumerate(minutes, 1)))
    whole, pages, before = listed(store), list[int](), None
    assert whole == sorted(range(1, len(minutes) + 1), key=lambda n: (minutes[n - 1], n), reverse=True)
    while True:
        with store.read() as connection:
            page = list_forwards(connection, **Window, limit=limit, before=before)
        if not page:
            break
        pages += [row.created_index for row in page]
        before = (page[-1].received_at, page[-1].created_index)
    assert pages == whole


def test_the_newest_are_found_without_reading_all(sqlite_store: Store) -> None:
    with sqlite_store.read() as connection:
        with statements_of(connection) as ran:
            list_forwards(connection, **Window, limit=5, before=(START, 3))
        plans = plans_of(connection, ran)
    assert [line for line in plans if "ix_forwards_received_at" in line] == plans
