"""How SQLite carries out what people ask for: by an index, and never by reading every single forward."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection

from revenued.store.compare import compare_forwards
from revenued.store.engine import Store
from revenued.store.forwardlist import list_forwards
from revenued.store.forwards import apply_forwards, earned_total_msat, offered_count, stored_count
from revenued.store.peers import fade_reputations, known_peers, presence, read_reputations, scid_peers
from revenued.store.recovered import offered_indexes, settled_since
from revenued.store.traffic import daily_flow, earned_by_scid, hourly_traffic, traffic_by_scid, traffic_total
from tests.fakes import START
from tests.store.builders import keyed_channels, make_forward, plans_of, statements_of

UNTIL = START + timedelta(days=30)
WINDOW: dict[str, Any] = {"since": START, "until": UNTIL, "limit": 50}
BY_TIME = "SEARCH forwards USING INDEX ix_forwards_received_at"


def plan(store: Store, ask: Callable[[Connection], object]) -> list[str]:
    """Return how each question of `ask` is carried out, in a database that has statistics of a lively year."""
    keyed_channels(store, 1, 2, 3)
    with store.write() as connection:
        apply_forwards(
            connection,
            [
                make_forward(n, at=START + n * timedelta(hours=2), status="offered" if n % 99 == 0 else "settled")
                for n in range(1, 301)
            ],
        )
        connection.exec_driver_sql("ANALYZE")
        with statements_of(connection) as ran:
            ask(connection)
        reads = [(sql, values) for sql, values in ran if sql.lstrip().startswith("SELECT")]
        assert reads
        return plans_of(connection, reads)


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"status": "settled"},
        {"scids": [1, 2]},
        {"scids": list(range(200))},
        {"before": (UNTIL, 99)},
        {"before": (UNTIL, -99), "status": "failed", "scids": [1]},
    ],
    ids=["all", "by status", "by channel", "by a peer with many", "the next page", "the next page of some"],
)
@pytest.mark.parametrize("with_statistics", [True, False])
def test_forwards_are_listed_by_the_index_on_their_time_and_not_sorted(
    sqlite_store: Store, asked: dict[str, Any], with_statistics: bool
) -> None:
    def ask(connection: Connection) -> None:
        if not with_statistics:
            connection.exec_driver_sql("DROP TABLE sqlite_stat1")
        list_forwards(connection, **(WINDOW | asked))

    plans = plan(sqlite_store, ask)
    assert [line.split(" (")[0] for line in plans if "forwards" in line] == [BY_TIME]
    assert not [line for line in plans if "TEMP B-TREE" in line]


def test_forwards_under_way_are_listed_by_an_index(sqlite_store: Store) -> None:
    (line,) = plan(sqlite_store, lambda connection: list_forwards(connection, **WINDOW, status="offered"))[:1]
    assert " USING " in line


@pytest.mark.parametrize(
    "ask",
    [
        lambda c: presence(c, since=START),
        lambda c: fade_reputations(c, until=UNTIL),
        read_reputations,
        known_peers,
        scid_peers,
        lambda c: traffic_by_scid(c, START, UNTIL),
        lambda c: traffic_total(c, START, UNTIL),
        lambda c: earned_by_scid(c, START, UNTIL),
        lambda c: daily_flow(c, START),
        lambda c: hourly_traffic(c, START, UNTIL),
        earned_total_msat,
    ],
    ids=[
        "presence", "fade", "reputations", "peers", "owners", "by scid", "total", "earned", "daily", "hourly", "ever",
    ],
)  # fmt: skip
def test_sums_and_presence_never_touch_single_forwards(
    sqlite_store: Store, ask: Callable[[Connection], object]
) -> None:
    assert not [line for line in plan(sqlite_store, ask) if "forwards" in line.split()]


@pytest.mark.parametrize(
    "ask",
    [
        lambda c: settled_since(c, UNTIL),
        offered_indexes,
        offered_count,
        lambda c: stored_count(c, after=5, through=9),
        lambda c: compare_forwards(c, [make_forward(5)], within=range(5, 9), pruned_before=0, updated_until=9),
    ],
    ids=["settled lately", "under way", "count under way", "between", "compare"],
)
def test_keeping_up_with_the_node_reads_only_the_forwards_that_it_is_about(
    sqlite_store: Store, ask: Callable[[Connection], object]
) -> None:
    lines = [line for line in plan(sqlite_store, ask) if "forwards" in line.split()]
    assert lines
    assert all(line.startswith("SEARCH") or "ix_forwards_offered" in line for line in lines), lines


def test_hours_are_found_by_their_key(sqlite_store: Store) -> None:
    (line,) = plan(sqlite_store, lambda connection: hourly_traffic(connection, START, UNTIL))
    assert line.startswith("SEARCH forward_hours USING PRIMARY KEY (hour_at>")
