"""`revenuectl status` says what an operator looks for first."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.cli import samples

Shown = Callable[..., str]


def row(text: str, name: str) -> str:
    """Return the line that begins with `name`."""
    return next(line for line in text.splitlines() if line.strip().startswith(name))


def test_a_healthy_daemon_fits_one_screen(shown: Shown) -> None:
    text = shown("status", samples.status(), "status")
    assert "running, revenued 0.1.0" in row(text, "daemon")
    assert "started 3 h ago" in row(text, "daemon")
    assert "routing-house" in row(text, "node")
    assert "block 900,123" in row(text, "node")
    assert "following, 0 behind" in row(text, "ingest")
    assert "12, 11 normal, 10 usable" in row(text, "channels")
    assert "12.3 MB" in row(text, "database")
    assert len(text.splitlines()) <= 15


def test_dry_run_is_the_first_line(shown: Shown) -> None:
    text = shown("status", samples.status(dry_run=True, notes=[samples.DRY_RUN_NOTE]), "status")
    assert text.startswith("Dry run:")
    assert "running, dry run" in row(text, "daemon")


def test_cycles_show_outcome_reason_and_next_run(shown: Shown) -> None:
    text = shown("status", samples.status(), "status")
    assert row(text, "fee").split() == ["fee", "10", "min", "ago", "done", "820", "ms", "in", "20", "min", "-"]
    assert "skipped" in row(text, "flow")
    assert "the node is still syncing" in row(text, "flow")
    assert "not yet" in row(text, "retention")


@pytest.mark.parametrize(
    ("changes", "name", "said"),
    [
        ({"paused": True}, "daemon", "paused"),
        (
            {"node__reachable": False, "node__trouble": "connection refused"},
            "node",
            "not reachable: connection refused",
        ),
        ({"node__reachable": False, "node__last_answer_at": None}, "node", "last answer: never"),
        ({"node__syncing": "still loading blocks"}, "node", "still loading blocks"),
        ({"node__blockheight": None, "node__version": None}, "node", "unknown, block unknown"),
        ({"ingest__state": "stopped", "ingest__reason": "another history"}, "ingest", "stopped"),
        ({"ingest__reason": "another history"}, "ingest", "another history"),
        ({"ingest__behind": 1_234}, "ingest", "1,234 behind"),
        ({"ingest__behind": None}, "ingest", "distance to the node unknown"),
        ({"ingest__missing_count": 3, "ingest__unreadable_count": 2}, "ingest", "3 missing, 2 unreadable"),
        ({"ingest__missing_count": 3, "ingest__recovered_count": 2}, "ingest", "3 missing, 2 recovered"),
        ({"ingest__recovered_count": None}, "ingest", "unknown recovered"),
        ({"channels": None}, "channels", "unknown, the node has not been looked at yet"),
        ({"database__size_bytes": None}, "database", "unknown"),
    ],
)
def test_what_is_not_as_it_should_be_is_said(shown: Shown, changes: dict[str, Any], name: str, said: str) -> None:
    assert said in row(shown("status", samples.status(**changes), "status", columns=160), name)


def test_channels_that_could_not_be_read_are_named(shown: Shown) -> None:
    skipped = [{"what": "channel 1x2x3", "why": "no balance"}]
    text = shown("status", samples.status(channels__skipped=skipped), "status")
    assert "1 could not be read" in row(text, "channels")
    assert "channel 1x2x3: no balance" in text


def test_a_node_that_never_answered_has_no_name_yet(shown: Shown) -> None:
    node = dict.fromkeys(samples.status()["node"]) | {"reachable": False}
    text = shown("status", samples.status(node=node, cycles=[], channels=None), "status")
    assert "not reachable" in row(text, "node")
