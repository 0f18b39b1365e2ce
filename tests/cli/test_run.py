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


VERIFIED = {
    "read": 120_000, "different": 2, "repaired": 0, "deleted_at_node": 17, "pruned_here": 0, "unreadable": 0,
    "examples": ["forward 7: not stored", "forward 9: stored fee_msat 1 for 2"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("options", "params"),
    [
        (["--verify"], {"verify": True}),
        (["--verify", "--repair"], {"verify": True, "repair": True}),
        (["--repair", "--verify"], {"verify": True, "repair": True}),
        (["--new-history"], {"new_history": True}),
    ],
)
def test_ingest_takes_options(daemon: Daemon, shown: Shown, options: list[str], params: dict[str, bool]) -> None:
    shown("run", samples.ran(cycle="ingest", summary={}), "run", "ingest", *options)
    assert daemon.asked == [("run", {"cycle": "ingest", **params})]


def test_what_differs_is_counted_and_named_line_by_line(shown: Shown) -> None:
    text = shown("run", samples.ran(cycle="ingest", summary=VERIFIED), "run", "ingest", "--verify")
    assert [" ".join(line.split()) for line in text.splitlines()] == [
        "ingest cycle: done in 1.2 s",
        "read 120000",
        "different 2",
        "repaired 0",
        "deleted at node 17",
        "pruned here 0",
        "unreadable 0",
        "examples forward 7: not stored",
        "forward 9: stored fee_msat 1 for 2",
    ]
    without = VERIFIED | {"different": 0, "examples": []}
    assert "examples         -\n" in shown(
        "run", samples.ran(cycle="ingest", summary=without), "run", "ingest", "--verify"
    )


def test_what_a_node_made_of_its_rows_cannot_command_the_terminal(shown: Shown) -> None:
    hostile = VERIFIED | {"examples": ["forward 7: \x1b[2J\u202e"]}
    text = shown("run", samples.ran(cycle="ingest", summary=hostile), "run", "ingest", "--verify")
    assert "forward 7: \\x1b[2J\\u202e" in text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("fee", "--verify"), "are for `run ingest`"),
        (("retention", "--verify", "--repair"), "are for `run ingest`"),
        (("snapshot", "--repair"), "are for `run ingest`"),
        (("ingest", "--repair"), "--repair goes with --verify"),
        (("ingest", "--verify=yes"), "does not take a value"),
    ],
)
def test_options_that_do_not_go_together_are_a_usage_error(
    daemon: Daemon, run: Run, arguments: tuple[str, ...], said: str
) -> None:
    ended = run("--control", str(daemon.path), "run", *arguments)
    assert (ended.exit_code, ended.stdout, daemon.asked) == (2, "", [])
    assert said in ended.stderr


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
