"""What goes into a column comes out again, the same on every database."""

import json
import math
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Column, Integer, MetaData, Table, insert, select, text
from sqlalchemy.exc import StatementError

from revenued.store.engine import Store
from revenued.store.types import Instant, Json, Key

table = Table(
    "kept", MetaData(), Column("kept_key", Key, primary_key=True), Column("at", Instant), Column("what", Json)
)  # fmt: skip
FAR_EAST = timezone(timedelta(hours=14))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=3), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


@pytest.fixture
def kept(empty_store: Store) -> Store:
    with empty_store.write() as connection:
        table.create(connection)
    return empty_store


def put(store: Store, **values: object) -> int:
    with store.write() as connection:
        key = connection.execute(insert(table).values(**values)).inserted_primary_key
        assert key is not None
        return int(key[0])


@pytest.mark.parametrize(
    "instant",
    [
        datetime(1970, 1, 1, tzinfo=UTC),
        datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
        datetime(2026, 7, 1, 12, 0, 0, 1, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
        None,
    ],
)
def test_an_instant_is_kept_to_the_microsecond(kept: Store, instant: datetime | None) -> None:
    key = put(kept, at=instant)
    with kept.read() as connection:
        assert connection.execute(select(table.c.at).where(table.c.kept_key == key)).scalar_one() == instant


def test_an_instant_comes_back_in_utc_whatever_zone_it_was_given_in(kept: Store) -> None:
    put(kept, at=datetime(2026, 1, 1, 2, tzinfo=FAR_EAST))
    with kept.read() as connection:
        found = connection.execute(select(table.c.at)).scalar_one()
        stored = connection.execute(text("SELECT at FROM kept")).scalar_one()
    assert found == datetime(2025, 12, 31, 12, tzinfo=UTC)
    assert found.tzinfo is UTC
    assert stored == 1_767_182_400_000_000


def test_a_datetime_without_zone_is_refused_and_nothing_is_written(kept: Store) -> None:
    naive = datetime(2026, 1, 1)  # noqa: DTZ001 (what is refused)
    with pytest.raises(StatementError, match="without time zone"):
        put(kept, at=naive)
    with pytest.raises(StatementError, match="without time zone"), kept.read() as connection:
        connection.execute(select(table).where(table.c.at < naive))
    with kept.read() as connection:
        assert connection.execute(select(table)).all() == []


def test_instants_compare_as_instants(kept: Store) -> None:
    put(kept, at=datetime(2026, 1, 1, tzinfo=UTC))
    with kept.read() as connection:
        same = select(table.c.kept_key).where(table.c.at == datetime(2026, 1, 1, 14, tzinfo=FAR_EAST))
        assert connection.execute(same).all() == [(1,)]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=json_values)
def test_json_comes_back_as_it_was(kept: Store, value: object) -> None:
    key = put(kept, what=value)
    with kept.read() as connection:
        assert connection.execute(select(table.c.what).where(table.c.kept_key == key)).scalar_one() == value


def test_equal_values_are_equal_texts(kept: Store) -> None:
    put(kept, what={"b": [1, True], "a": None})
    put(kept, what=json.loads('{"a": null, "b": [1, true]}'))
    with kept.read() as connection:
        assert connection.execute(text("SELECT DISTINCT what FROM kept")).all() == [('{"a":null,"b":[1,true]}',)]


def test_nothing_and_false_are_two_things(kept: Store) -> None:
    put(kept, what=False)
    put(kept, what=None)
    with kept.read() as connection:
        assert connection.execute(text("SELECT what FROM kept ORDER BY kept_key")).all() == [("false",), (None,)]


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_what_json_has_no_word_for_is_refused(kept: Store, number: float) -> None:
    with pytest.raises(StatementError, match="JSON compliant"):
        put(kept, what={"rate": number})


def test_a_key_is_given_by_the_database(kept: Store) -> None:
    assert [put(kept, what=1), put(kept, what=2)] == [1, 2]
    assert isinstance(Key.dialect_impl(kept.engine.dialect), Integer)
