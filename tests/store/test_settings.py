"""Overrides, switches and the record of who changed what."""

from datetime import timedelta
from typing import Any

from revenued.store.engine import Store
from revenued.store.settings import (
    audit_count,
    read_overrides,
    read_switch,
    record_change,
    write_overrides,
    write_switch,
)
from tests.fakes import START
from tests.store.builders import rows_of


def override(
    store: Store, changes: dict[str, Any], before: dict[str, Any] | None = None, *, by: str = "a person"
) -> int:
    with store.write() as connection:
        return write_overrides(connection, changes, before or {}, by=by, now=START)


def test_a_fresh_database_has_no_overrides_and_generation_zero(store: Store) -> None:
    with store.read() as connection:
        assert read_overrides(connection) == ({}, 0)
        assert audit_count(connection) == 0


def test_values_of_every_kind_come_back_as_they_were(store: Store) -> None:
    given: dict[str, Any] = {"a": True, "b": 0, "c": 0.05, "d": "hill_climb", "e": False, "f": 2**53, "g": ""}
    assert override(store, given) == 1
    with store.read() as connection:
        stored, generation = read_overrides(connection)
    assert (stored, generation) == (given, 1)
    assert {key: type(value) for key, value in stored.items()} == {key: type(value) for key, value in given.items()}


def test_each_write_is_a_generation_of_its_own_however_many_options_it_has(store: Store) -> None:
    assert [override(store, {"a": 1, "b": 2}), override(store, {"a": 3}), override(store, {"b": None})] == [1, 2, 3]
    with store.read() as connection:
        assert read_overrides(connection) == ({"a": 3}, 3)
    assert [(row["option"], row["generation"]) for row in rows_of(store, "config_overrides")] == [("a", 2)]


def test_taking_away_what_is_not_there_is_a_change_like_any_other(store: Store) -> None:
    assert override(store, {"a": None}) == 1
    with store.read() as connection:
        assert read_overrides(connection) == ({}, 1)


def test_every_option_changed_is_in_the_audit_with_who_and_what_was_before(store: Store) -> None:
    override(store, {"a": 1}, by="uid 1000")
    override(store, {"a": None, "b": False}, {"a": 1}, by="uid 0")
    rows = [
        (row["what"], row["old_value"], row["new_value"], row["changed_by"], row["generation"])
        for row in rows_of(store, "audit")
    ]
    assert rows == [("a", None, 1, "uid 1000", 1), ("a", 1, None, "uid 0", 2), ("b", None, False, "uid 0", 2)]
    assert {row["subject"] for row in rows_of(store, "audit")} == {"config"}
    with store.read() as connection:
        assert audit_count(connection) == 3


def test_a_switch_says_whether_it_was_moved_and_is_written_down_only_then(store: Store) -> None:
    with store.write() as connection:
        assert not read_switch(connection, "paused")
        moved = [
            write_switch(connection, "paused", value, by="a person", now=START + timedelta(hours=hour))
            for hour, value in enumerate((False, True, True, False, True))
        ]
        assert read_switch(connection, "paused")
        assert not read_switch(connection, "other")
    assert moved == [False, True, False, True, True]
    assert [(row["old_value"], row["new_value"]) for row in rows_of(store, "audit")] == [
        (False, True), (True, False), (False, True),
    ]  # fmt: skip
    assert rows_of(store, "switches")[0]["changed_at"] == START + timedelta(hours=4)


def test_the_audit_takes_anything_that_json_can_say(store: Store) -> None:
    with store.write() as connection:
        record_change(
            connection, subject="policy", what="peer 02", old=None, new={"strategy": "static", "ppm": [1, 2.5]},
            by="“me”", now=START, generation=7,
        )  # fmt: skip
    (row,) = rows_of(store, "audit")
    assert (row["new_value"], row["changed_by"]) == ({"strategy": "static", "ppm": [1, 2.5]}, "“me”")
