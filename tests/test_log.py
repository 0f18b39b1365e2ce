"""Events are JSON for machines, words for people, and never carry what a local variable held."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from revenued import log


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def logging_as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a test sets up for the whole process ends with it."""
    monkeypatch.delenv("JOURNAL_STREAM", raising=False)
    monkeypatch.delenv("NO_COLOR", raising=False)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers.clear()  # so that none of pytest's is closed by `force`
    names = ("apscheduler", "alembic")
    levels = {name: logging.getLogger(name).level for name in names}
    kept = structlog.get_config()
    yield
    structlog.configure(**kept)
    structlog.contextvars.clear_contextvars()
    root.handlers[:] = handlers
    root.setLevel(level)
    for name in names:
        logging.getLogger(name).setLevel(levels[name])


def json_lines(out: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def fail_with_a_secret() -> None:
    """Raise while a local variable holds what nobody may read."""
    password = "hunter2"  # noqa: S105 - the secret that must not be seen
    raise ValueError(f"refused a password of {len(password)} letters")


def say_a_failure() -> None:
    try:
        fail_with_a_secret()
    except ValueError:
        log.get().error("cycle_failed", exc_info=True)


def test_an_event_is_one_line_of_json_with_its_fields_and_a_time_in_utc() -> None:
    out = io.StringIO()
    log.configure(level="info", form="json", stream=out)
    log.get(cycle="fee").info("fee_changed", to_ppm=120, why="two\nlines")
    (event,) = json_lines(out)
    assert event.pop("timestamp").endswith("Z")
    assert event == {"event": "fee_changed", "level": "info", "cycle": "fee", "to_ppm": 120, "why": "two\nlines"}


def test_a_field_that_json_does_not_know_is_written_in_words() -> None:
    out = io.StringIO()
    log.configure(level="info", form="json", stream=out)
    log.get().info("seen", what={1})
    assert json_lines(out)[0]["what"] == "{1}"


def test_what_is_bound_for_a_whole_cycle_is_in_every_event() -> None:
    out = io.StringIO()
    log.configure(level="info", form="json", stream=out)
    structlog.contextvars.bind_contextvars(cycle_id=7)
    log.get().info("one")
    log.get().warning("two")
    assert [event["cycle_id"] for event in json_lines(out)] == [7, 7]


@pytest.mark.parametrize(("level", "said"), [("debug", 4), ("info", 3), ("warning", 2), ("error", 1)])
def test_less_important_events_are_left_out(level: str, said: int) -> None:
    out = io.StringIO()
    log.configure(level=level, form="json", stream=out)
    for name in ("debug", "info", "warning", "error"):
        getattr(log.get(), name)("event")
    assert len(json_lines(out)) == said


def test_under_journald_a_line_starts_with_its_priority_and_leaves_the_time_to_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("JOURNAL_STREAM", "8:12345")
    out = io.StringIO()
    log.configure(level="debug", form="auto", stream=out)
    for name in ("debug", "info", "warning", "error"):
        getattr(log.get(), name)("event")
    say_a_failure()
    lines = out.getvalue().splitlines()
    assert [line[:3] for line in lines] == ["<7>", "<6>", "<4>", "<3>", "<3>"]
    events = [json.loads(line[3:]) for line in lines]
    assert [event["priority"] for event in events] == [7, 6, 4, 3, 3]
    assert not any("timestamp" in event for event in events)


def test_a_terminal_gets_words_in_colour_and_anything_else_json() -> None:
    terminal, file = Terminal(), io.StringIO()
    log.configure(level="info", form="auto", stream=terminal)
    log.get().info("fee_changed", to_ppm=120)
    assert "fee_changed" in terminal.getvalue()
    assert "\x1b[" in terminal.getvalue()
    log.configure(level="info", form="auto", stream=file)
    log.get().info("fee_changed", to_ppm=120)
    assert json_lines(file)[0]["to_ppm"] == 120


def test_words_are_without_colour_where_nobody_wants_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    for out in (Terminal(), io.StringIO()):
        log.configure(level="info", form="human", stream=out)
        log.get().info("fee_changed", to_ppm=120)
        assert "to_ppm=120" in out.getvalue()
        assert "\x1b[" not in out.getvalue()


@pytest.mark.parametrize("form", ["json", "human"])
def test_a_traceback_shows_where_but_not_what_local_variables_held(form: str) -> None:
    out = Terminal()
    log.configure(level="info", form=form, stream=out)
    say_a_failure()
    assert "fail_with_a_secret" in out.getvalue()
    assert "refused a password of 7 letters" in out.getvalue()
    assert "hunter2" not in out.getvalue()


def test_what_libraries_warn_of_is_said_and_their_chatter_is_not() -> None:
    out = io.StringIO()
    log.configure(level="debug", form="json", stream=out)
    logging.getLogger("some.library").warning("careful")
    logging.getLogger("some.library").info("chatter")
    logging.getLogger("apscheduler.executors").warning("a job was missed, which the schedule says itself")
    assert out.getvalue() == "some.library: careful\n"
