"""What is stored is held against the node's rows, and a repair makes rows and sums what the node says."""

from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from revenued.clock import to_micros
from revenued.cycles.ingest import ingest_forwards
from revenued.cycles.verify import Verified, verify_forwards
from revenued.model import Forward
from revenued.store.compare import Compared, compare_forwards, replace_forwards
from revenued.store.engine import Store
from revenued.store.forwards import apply_forwards
from revenued.store.sums import take_from_sums
from revenued.store.tables import forwards
from revenued.units import Msat
from tests.fakes import NODE_ID, START, FakeNode
from tests.store.builders import forget_forwards, make_forward, rows_of, sums_from_rows, sums_of

LONG_AGO = to_micros(START - timedelta(days=400))


def put(store: Store, *page: Forward) -> None:
    with store.write() as connection:
        apply_forwards(connection, page)


def compare(
    store: Store, *page: Forward, last: int = 9, pruned_before: int = LONG_AGO, updated_until: int = 99
) -> Compared:
    with store.read() as connection:
        return compare_forwards(
            connection, page, within=range(1, last + 1), pruned_before=pruned_before, updated_until=updated_until
        )


def without_zeros(store: Store) -> tuple[object, ...]:
    """Return the sums, of which a repair may leave some that are nothing but zeros."""
    return tuple({key: row for key, row in table.items() if any(row.values())} for table in sums_of(store))


def test_rows_as_the_node_shows_them_are_no_difference(store: Store) -> None:
    page = [make_forward(1), make_forward(2, status="failed"), make_forward(3, status="local_failed", out_scid=7)]
    put(store, *page)
    assert compare(store, *page) == Compared((), only_here=0, pruned=0)


def test_every_difference_is_named_with_both_sides(store: Store) -> None:
    put(store, make_forward(1, in_msat=Msat(1_001_001)), make_forward(2, out_scid=5), make_forward(3, status="failed"))
    found = compare(store, *(make_forward(index) for index in (1, 2, 3, 4)))
    assert [(one.created_index, one.what) for one in found.differences] == [
        (1, "stored in_msat 1001001 for 1001000"),
        (2, "stored out_scid 5 for 2"),
        (3, "stored status failed for settled"),
        (4, "not stored"),
    ]


def test_what_only_we_still_have_and_what_only_the_node_still_has_are_no_differences(store: Store) -> None:
    put(store, make_forward(1), make_forward(2))
    found = compare(
        store, make_forward(2), make_forward(3, at=START - timedelta(days=1)), pruned_before=to_micros(START)
    )
    assert found == Compared((), only_here=1, pruned=1)


def test_what_ended_since_we_last_read_is_still_to_come(store: Store) -> None:
    put(store, make_forward(1, status="offered"))
    assert compare(store, make_forward(1, updated_index=8), updated_until=7).differences == ()
    assert len(compare(store, make_forward(1, updated_index=7), updated_until=7).differences) == 1


def test_a_row_that_is_replaced_leaves_nothing_of_itself_in_any_sum(store: Store) -> None:
    put(store, make_forward(1, in_scid=5, out_scid=6, at=START - timedelta(days=3)), make_forward(2))
    with store.write() as connection:
        replace_forwards(connection, [make_forward(1)])
    assert without_zeros(store) == sums_from_rows(store)
    assert sums_of(store)[0][to_micros(START), 2]["out_count"] == 2


ends = st.sampled_from(["settled", "failed", "offered", "local_failed"])
damages = st.tuples(st.integers(0, 99), st.sampled_from(["lose", "entry", "amount"]))


def history(kinds: list[str]) -> FakeNode:
    node = FakeNode()
    for place, kind in enumerate(kinds):
        node.clock.move(minutes=17 * place)
        index = node.local_fail(1, 9) if kind == "local_failed" else node.offer(1, 2 + place % 2)
        if kind == "settled":
            node.resolve(index, "settled")
        elif kind == "failed":
            node.resolve(index, "failed")
    return node


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kinds=st.lists(ends, min_size=1, max_size=8), damaged=st.lists(damages, max_size=4))
def test_after_a_repair_rows_and_sums_are_what_the_node_says(
    store: Store, kinds: list[str], damaged: list[tuple[int, str]]
) -> None:
    """Whatever was lost, or read wrongly once."""
    forget_forwards(store)
    node = history(kinds)
    ingest_forwards(node, store, node_id=NODE_ID, now=node.clock.now, stopping=lambda: False)
    wanted, sums = rows_of(store, "forwards"), sums_of(store)
    hurt = {choice % len(kinds) + 1: what for choice, what in damaged}
    for index, what in hurt.items():
        damage(store, node.rows[index], what)
    assert without_zeros(store) == sums_from_rows(store)
    found = verify(store, node, repair=False)
    assert (found.read, found.different, found.repaired) == (len(kinds), len(hurt), 0)
    assert {example.created_index for example in found.examples} == hurt.keys()
    assert verify(store, node, repair=True).repaired == len(hurt)
    assert rows_of(store, "forwards") == wanted
    assert without_zeros(store) == sums
    assert verify(store, node, repair=False).different == 0


def damage(store: Store, row: Forward, what: str) -> None:
    with store.write() as connection:
        if what == "lose":
            take_from_sums(connection, [row.created_index])
            connection.execute(delete(forwards).where(forwards.c.created_index == row.created_index))
        elif what == "entry":
            replace_forwards(connection, [row._replace(in_scid=4)])
        else:
            dearer = None if row.fee_msat is None else Msat(row.fee_msat + 1)
            replace_forwards(connection, [row._replace(in_msat=Msat(row.in_msat + 1), fee_msat=dearer)])


def verify(store: Store, node: FakeNode, *, repair: bool) -> Verified:
    return verify_forwards(node, store, repair=repair, stopping=lambda: False)
