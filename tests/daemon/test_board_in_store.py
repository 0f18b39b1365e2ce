"""The settings in force on each database: changed all at once or not at all, and only to what is stored there."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from structlog.testing import capture_logs

from revenued.config import OPTIONS, OptionValue
from revenued.daemon.board import Changed, SettingsBoard
from revenued.errors import SettingError
from revenued.store.engine import Store
from revenued.store.settings import write_overrides
from tests.fakes import START, HandClock
from tests.store.builders import rows_of

Maker = Callable[[], Store]


def make_board(
    store: Store, *, file: dict[str, OptionValue] | None = None, environment: dict[str, OptionValue] | None = None
) -> SettingsBoard:
    return SettingsBoard(store, HandClock(), file=file or {}, environment=environment or {})


def override(store: Store, **stored: Any) -> None:
    """Store overrides unchecked, as another version may have done."""
    with store.write() as connection:
        write_overrides(connection, stored, {}, by="another version", now=START)


def kept(store: Store) -> dict[str, Any]:
    return {row["option"]: row["value"] for row in rows_of(store, "config_overrides")}


def test_without_anything_given_the_defaults_are_in_force(store: Store) -> None:
    bound = make_board(store).bound()
    assert {key: getattr(bound.settings, key) for key in OPTIONS} == {key: OPTIONS[key].default for key in OPTIONS}
    assert (bound.generation, set(bound.origins.values())) == (0, {"default"})


def test_the_later_layer_wins_and_each_option_says_where_it_is_from(store: Store) -> None:
    override(store, min_fee_ppm=30)
    layers: dict[str, Any] = {
        "file": {"min_fee_ppm": 10, "max_fee_ppm": 100, "base_fee_msat": 1},
        "environment": {"min_fee_ppm": 20, "max_fee_ppm": 200},
    }
    bound = make_board(store, **layers).bound()
    assert (bound.settings.min_fee_ppm, bound.settings.max_fee_ppm, bound.settings.base_fee_msat) == (30, 200, 1)
    assert [bound.origins[key] for key in ("min_fee_ppm", "max_fee_ppm", "base_fee_msat", "dry_run")] == [
        "stored", "environment", "file", "default",
    ]  # fmt: skip


def test_a_change_is_in_force_stored_and_written_down(store: Store) -> None:
    board = make_board(store)
    before = board.bound()
    bound, changed = board.change({"min_fee_ppm": "1_000 ppm", "dry_run": "off"}, by="uid 1000")
    assert changed == [Changed("min_fee_ppm", 10, 1000), Changed("dry_run", True, False)]
    assert (bound.settings.min_fee_ppm, bound.settings.dry_run, bound.generation) == (1000, False, 1)
    assert board.bound() is bound
    assert (before.settings.min_fee_ppm, before.generation) == (10, 0), "what a cycle holds does not change under it"
    assert kept(store) == {"min_fee_ppm": 1000, "dry_run": False}
    assert [(row["what"], row["changed_by"], row["changed_at"]) for row in rows_of(store, "audit")] == [
        ("min_fee_ppm", "uid 1000", START), ("dry_run", "uid 1000", START),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"min_fee_ppm": 50, "no_such_option": 1}, "no_such_option.*no such option"),
        ({"min_fee_ppm": 50, "max_fee_ppm": 10**9}, "max_fee_ppm: 1000000000 is not allowed; allowed: whole"),
        ({"min_fee_ppm": 50, "dry_run": "maybe"}, "dry_run: 'maybe' is not allowed; allowed: true or false"),
        ({"min_fee_ppm": 50, "fee_hysteresis": float("nan")}, "fee_hysteresis: nan is not allowed"),
        ({"min_fee_ppm": 50, "max_fee_ppm": None}, "max_fee_ppm: None is not allowed"),
        ({"dry_run": False, "min_fee_ppm": 6000}, "min_fee_ppm .6000. must not be above max_fee_ppm .5000."),
        ({}, "at least one option"),
    ],
)  # fmt: skip
def test_what_is_refused_changes_nothing_at_all(store: Store, values: dict[str, object], said: str) -> None:
    board = make_board(store)
    board.change({"base_fee_msat": 7}, by="before")
    bound = board.bound()
    with pytest.raises(SettingError, match=said):
        board.change(values, by="a person")
    assert board.bound() is bound
    assert kept(store) == {"base_fee_msat": 7}
    assert len(rows_of(store, "audit")) == 1
    assert make_board(store).bound().generation == 1


def test_options_that_only_go_together_are_changed_together(store: Store) -> None:
    bound, _ = make_board(store).change({"min_fee_ppm": 6000, "max_fee_ppm": 7000}, by="a person")
    assert (bound.settings.min_fee_ppm, bound.settings.max_fee_ppm) == (6000, 7000)


def test_a_change_that_fails_in_the_database_is_not_in_force(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    board = make_board(store)
    bound = board.bound()

    def fails(*_: object, **__: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr("revenued.store.settings.record_change", fails)
    with pytest.raises(OSError, match="no space left"):
        board.change({"min_fee_ppm": 50}, by="a person")
    assert board.bound() is bound
    assert (kept(store), rows_of(store, "config_generation")) == ({}, [])


def test_changes_survive_a_restart(store: Store, another: Maker) -> None:
    make_board(store).change({"min_fee_ppm": 50}, by="a person")
    bound = make_board(another()).bound()
    assert (bound.settings.min_fee_ppm, bound.generation, bound.origins["min_fee_ppm"]) == (50, 1, "stored")


def test_the_generation_never_goes_back_and_never_stands_for_two_states(store: Store) -> None:
    board = make_board(store)
    generations = [board.change({"min_fee_ppm": value}, by="a person")[0].generation for value in (20, 20, 10, 20)]
    assert generations == [1, 2, 3, 4]
    assert make_board(store).bound().generation == 4


def test_setting_what_holds_already_changes_nothing_that_is_in_force(store: Store) -> None:
    _, changed = make_board(store).change({"min_fee_ppm": 10}, by="a person")
    assert changed == []
    assert kept(store) == {"min_fee_ppm": 10}


@pytest.mark.parametrize(
    "stored",
    [{"gone_since_then": 5}, {"min_fee_ppm": "cheap"}, {"min_fee_ppm": -1}, {"dry_run": [1]}, {"fee_hysteresis": {}}],
)
def test_a_stored_option_that_cannot_be_read_is_said_and_left_out(store: Store, stored: dict[str, Any]) -> None:
    override(store, max_fee_ppm=900, **stored)
    with capture_logs() as logged:
        board = make_board(store)
    assert board.bound().settings.max_fee_ppm == 900
    (said,) = [event for event in logged if event["event"] == "stored_option_ignored"]
    assert said["option"] in stored
    assert said["log_level"] == "error"
    assert set(stored) <= set(kept(store)), "the version that knows it may come back"


def test_an_unreadable_option_can_be_set_anew(store: Store) -> None:
    override(store, min_fee_ppm="cheap")
    board = make_board(store)
    bound, _ = board.change({"min_fee_ppm": 33}, by="a person")
    assert bound.settings.min_fee_ppm == 33
    assert kept(store) == {"min_fee_ppm": 33}


def test_another_file_is_put_in_force_under_what_is_stored(store: Store) -> None:
    board = make_board(store, file={"base_fee_msat": 1, "min_fee_ppm": 11})
    board.change({"min_fee_ppm": 22}, by="a person")
    changed = board.reload({"base_fee_msat": 2, "min_fee_ppm": 12})
    assert changed == [Changed("base_fee_msat", 1, 2)]
    assert (board.bound().settings.base_fee_msat, board.bound().settings.min_fee_ppm) == (2, 22)
    assert board.reload({}) == [Changed("base_fee_msat", 2, 0)]


def test_a_file_that_does_not_go_with_what_is_stored_is_refused_and_the_old_one_holds(store: Store) -> None:
    board = make_board(store, file={"max_fee_ppm": 500})
    board.change({"min_fee_ppm": 400}, by="a person")
    bound = board.bound()
    with pytest.raises(SettingError, match=r"min_fee_ppm .400. must not be above max_fee_ppm .300."):
        board.reload({"max_fee_ppm": 300})
    assert board.bound() is bound
    assert board.change({"base_fee_msat": 1}, by="a person")[0].settings.max_fee_ppm == 500


@pytest.mark.parametrize("processes", [1, 2])
def test_two_who_change_settings_at_once_both_get_their_way(store: Store, another: Maker, processes: int) -> None:
    first = make_board(store)
    second = first if processes == 1 else make_board(another())

    def turn(board: SettingsBoard, key: str) -> list[int]:
        return [board.change({key: value}, by=key)[0].generation for value in range(1, 16)]

    with ThreadPoolExecutor(2) as both:
        turns = [both.submit(turn, first, "base_fee_msat"), both.submit(turn, second, "min_fee_ppm")]
        generations = [done.result(timeout=60) for done in turns]
    assert all(seen == sorted(set(seen)) for seen in generations)
    bound = make_board(store).bound()
    assert (bound.settings.base_fee_msat, bound.settings.min_fee_ppm, bound.generation) == (15, 15, 30)
    assert [row["generation"] for row in rows_of(store, "audit")] == list(range(1, 31))


def test_two_changes_that_do_not_go_together_never_both_stand(store: Store, another: Maker) -> None:
    """Each is checked against what the other one stored, not against what was seen before."""
    first, second = make_board(store), make_board(another())
    first.change({"min_fee_ppm": 4000}, by="first")
    with pytest.raises(SettingError, match="must not be above"):
        second.change({"max_fee_ppm": 3000}, by="second")
    assert second.change({"base_fee_msat": 1}, by="second")[0].settings.min_fee_ppm == 4000
