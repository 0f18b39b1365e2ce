"""`revenuectl run`, `pause`, `resume` and `version`: what is said, and what the shell is told."""

from collections.abc import Callable

import pytest

from revenued import __version__
from tests.cli import samples
from tests.cli.conftest import Daemon, Run

Shown = Callable[..., str]


@pytest.mark.parametrize("cycle", ["fee", "flow", "snapshot", "ingest", "retention"])
def test_each_cycle_can_be_run(daemon: Daemon, shown: Shown, cycle: str) -> None:
    text = shown("run", samples.ran(cycle=cycle), "run", cycle)
    assert daemon.asked == [("run", {"cycle": cycle})]
    assert text.startswith(f"{cycle} cycle: done in 1.2 s\n")
    assert "broadcast count  3" in text


def test_a_summary_is_shown_in_sat_and_in_words(shown: Shown) -> None:
    summary = {
        "tlv_msat": 31_503_994_073,
        "fee_msat": None,
        "held_by": {"pause": 2, "hysteresis": 1},
        "onchain_known": True,
    }
    lines = shown("run", samples.ran(summary=summary), "run", "fee").splitlines()[1:]
    assert [" ".join(line.split()) for line in lines] == [
        "tlv 31,503,994 sat",
        "fee unknown",
        "held by pause 2, hysteresis 1",
        "onchain known true",
    ]


@pytest.mark.parametrize(
    ("outcome", "reason", "code"),
    [
        ("done", None, 0),
        ("done", "node was slow", 0),
        ("skipped", "another fee cycle is running", 0),
        ("skipped", "node not reachable: connection refused", 4),
        ("skipped", "Node is still syncing", 4),
        ("failed", "the database is locked", 1),
        ("failed", None, 1),
        ("failed", "node did not answer", 4),
    ],
)
@pytest.mark.parametrize("as_json", [False, True])
def test_the_shell_learns_what_came_of_it(
    daemon: Daemon, run: Run, outcome: str, reason: str | None, code: int, as_json: bool
) -> None:
    daemon.answers["run"] = samples.ran(outcome=outcome, reason=reason, summary={})
    ended = run("--control", str(daemon.path), "run", "fee", *(["--json"] if as_json else []))
    assert ended.exit_code == code
    assert outcome in ended.stdout
    assert (reason or "") in ended.stdout


def test_a_cycle_that_does_not_exist_is_a_usage_error(daemon: Daemon, run: Run) -> None:
    ended = run("--control", str(daemon.path), "run", "everything")
    assert ended.exit_code == 2
    assert "snapshot" in ended.stderr


def test_pause_and_resume_say_what_is_so_now(shown: Shown) -> None:
    assert shown("pause", {"paused": True, "changed": True}, "pause").startswith("Paused: no fee is changed")
    assert shown("pause", {"paused": True, "changed": False}, "pause").startswith("Paused (as before)")
    assert shown("resume", {"paused": False, "changed": True}, "resume") == "Running.\n"


def test_version_shows_both_programs(shown: Shown) -> None:
    text = shown("version", {"version": "9.9.9", "schema": "0042"}, "version")
    assert text == f"revenuectl {__version__}\ndaemon     9.9.9, schema 0042\n"


def test_version_works_without_a_daemon(run: Run) -> None:
    ended = run("version")
    assert ended.exit_code == 0
    assert ended.stdout.startswith(f"revenuectl {__version__}\n")
    assert "not reachable" in ended.stdout


def test_version_as_json_is_the_daemons_and_needs_it(run: Run) -> None:
    ended = run("version", "--json")
    assert (ended.exit_code, ended.stdout) == (3, "")
