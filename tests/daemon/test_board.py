"""The settings in force: changed as a whole or not at all, and never by what this version does not know."""

import pytest
from structlog.testing import capture_logs

from revenued.daemon.board import SettingsBoard
from revenued.errors import SettingError
from revenued.store.engine import Store
from revenued.store.settings import read_overrides, write_overrides
from tests.fakes import START, HandClock


def make_board(store: Store) -> SettingsBoard:
    return SettingsBoard(store, HandClock(), file={"max_fee_ppm": 2000}, environment={"min_fee_ppm": 25})


def test_a_change_is_in_force_at_once_and_after_a_restart(sqlite_store: Store) -> None:
    board = make_board(sqlite_store)
    bound, changed = board.change({"base_fee_msat": "7", "min_fee_ppm": 25}, by="test")
    assert [(change.key, change.old, change.new) for change in changed] == [("base_fee_msat", 0, 7)]
    assert bound is board.bound()
    for after in (board, make_board(sqlite_store)):
        assert after.bound().settings.base_fee_msat == 7
        assert after.bound().generation == 1
        assert after.bound().origins["base_fee_msat"] == "stored"
        assert after.bound().origins["max_fee_ppm"] == "file"
        assert after.bound().origins["dry_run"] == "default"


def test_what_a_cycle_has_bound_stays_as_it_was(sqlite_store: Store) -> None:
    board = make_board(sqlite_store)
    bound = board.bound()
    board.change({"dry_run": False}, by="test")
    assert (bound.settings.dry_run, board.bound().settings.dry_run) == (True, False)


def test_a_change_that_does_not_fit_the_others_changes_nothing(sqlite_store: Store) -> None:
    board = make_board(sqlite_store)
    bound = board.bound()
    for values in ({"base_fee_msat": 5, "min_fee_ppm": 3000}, {"base_fee_msat": 5, "nothing": 1}, {}):
        with pytest.raises(SettingError):
            board.change(values, by="test")
    with pytest.raises(SettingError):
        board.reload({"max_fee_ppm": 20})
    assert board.bound() is bound
    with sqlite_store.read() as connection:
        assert read_overrides(connection) == ({}, 0)


def test_an_option_of_another_version_is_left_where_it_is(sqlite_store: Store) -> None:
    with sqlite_store.write() as connection:
        write_overrides(connection, {"warp_speed": 9, "base_fee_msat": "much"}, {}, by="a newer one", now=START)
    with capture_logs() as said:
        board = make_board(sqlite_store)
    assert {event["option"] for event in said} == {"warp_speed", "base_fee_msat"}
    assert board.bound().settings.base_fee_msat == 0
    board.change({"dry_run": False}, by="test")
    with sqlite_store.read() as connection:
        assert read_overrides(connection)[0] == {"warp_speed": 9, "base_fee_msat": "much", "dry_run": False}
