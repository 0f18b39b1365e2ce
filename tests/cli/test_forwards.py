"""`revenuectl forwards`: one line a forward on the screen; as CSV every column, and nothing a spreadsheet would run."""

import csv
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from rich.cells import cell_len

from revenued.cli.forwards import CSV_COLUMNS, moment
from revenued.cli.session import Refused
from revenued.control.protocol import MethodError
from tests.cli import samples
from tests.cli.conftest import Daemon, Run
from tests.cli.test_channels import HOSTILE

Shown = Callable[..., str]


def line_with(text: str, word: str) -> str:
    return next(line for line in text.splitlines() if word in line)


# -- on the screen -----------------------------------------------------------------------------------------------


def test_a_forward_is_a_line_with_both_channels_the_amount_and_what_it_brought(shown: Shown) -> None:
    text = shown("forwards", samples.forwards(samples.forward()), "forwards", columns=160)
    assert line_with(text, samples.SCID).split() == [
        *("2026-05-01", "11:30:00Z", "settled", "800001x7x1", "payer", samples.SCID, "some-peer"),
        *("50,000", "12", "250"),
    ]
    assert text.split()[:7] == ["received", "status", "in", "from", "out", "to", "sat"]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (samples.forward(status="offered", resolved_at=None), "offered"),
        (samples.forward(status="failed"), "failed"),
        (samples.refused_forward(), "local_failed"),
        (samples.forward(status="gone", resolved_at=None), "gone"),
    ],
)
def test_what_did_not_settle_brought_nothing(shown: Shown, row: dict[str, Any], said: str) -> None:
    line = line_with(shown("forwards", samples.forwards(row), "forwards", columns=160), "800001x7x1")
    assert said in line
    assert line.split()[-2:] == ["-", "-"]


def test_what_was_refused_here_shows_what_came_in_and_no_way_out(shown: Shown) -> None:
    line = line_with(
        shown("forwards", samples.forwards(samples.refused_forward()), "forwards", columns=160), "local_failed"
    )
    assert line.split()[2:] == ["local_failed", "800001x7x1", "payer", "-", "-", "50,012", "-", "-"]


def test_a_fee_below_ten_sat_is_shown_to_the_msat(shown: Shown) -> None:
    row = samples.forward(fee_msat=1_001, in_msat=50_001_001)
    assert " 1.001 " in line_with(shown("forwards", samples.forwards(row), "forwards", columns=160), samples.SCID)


def test_that_there_are_more_is_said_and_that_there_are_none(shown: Shown) -> None:
    more = shown("forwards", samples.forwards(samples.forward(), more="1:2"), "forwards")
    assert "There are more; raise --limit, or take --csv for all." in more
    assert "There are more" not in shown("forwards", samples.forwards(samples.forward()), "forwards")
    none = shown("forwards", samples.forwards(), "forwards")
    assert none == "No forwards between 2026-04-01 12:00:00Z and 2026-05-01 12:00:00Z.\n"


@pytest.mark.parametrize("columns", [60, 80, 100, 160])
def test_no_line_is_wider_than_the_screen_and_no_number_is_cut(shown: Shown, columns: int) -> None:
    rows = [
        samples.forward(
            in_alias=alias, out_alias=alias, in_msat=21 * 10**14 + 10**9, out_msat=21 * 10**14, fee_msat=10**9
        )
        for alias in HOSTILE
    ]
    text = shown("forwards", samples.forwards(*rows, samples.refused_forward()), "forwards", columns=columns)
    assert max(map(cell_len, text.splitlines())) <= columns
    assert text.count("2,100,000,000,000 ") == len(rows) or "not shown for want of width" in text
    assert text.count("2026-05-01 11:30:00Z") == len(rows) + 1


@pytest.mark.parametrize("alias", HOSTILE)
def test_an_alias_can_neither_command_the_terminal_nor_reorder_the_line(shown: Shown, alias: str) -> None:
    text = shown(
        "forwards", samples.forwards(samples.forward(in_alias=alias, out_alias=alias)), "forwards", columns=200
    )
    assert all(character.isprintable() or character == "\n" for character in text)
    line = line_with(text, samples.SCID)
    assert line.index("800001x7x1") < line.index(samples.SCID) < line.rindex("50,000")


def test_json_is_the_daemons_answer_as_it_is(shown: Shown) -> None:
    result = samples.forwards(samples.forward(in_alias=HOSTILE[0]), samples.refused_forward(), more="5:6")
    assert json.loads(shown("forwards", result, "forwards", "--json")) == result


# -- what is asked for -------------------------------------------------------------------------------------------


def test_what_is_given_is_asked_for_and_nothing_else(daemon: Daemon, shown: Shown) -> None:
    shown("forwards", samples.forwards(), "forwards")
    shown(
        "forwards", samples.forwards(),
        "forwards", "--channel", samples.SCID, "--peer", "ACINQ", "--since", "2026-01-01", "--until", "2026-02-01",
        "--status", "gone", "--limit", "7",
    )  # fmt: skip
    assert [params for _, params in daemon.asked] == [
        {"limit": 50},
        {
            "channel": samples.SCID, "peer": "ACINQ", "since": "2026-01-01", "until": "2026-02-01", "status": "gone",
            "limit": 7,
        },
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("90m", timedelta(minutes=90)),
        ("24h", timedelta(hours=24)),
        ("7d", timedelta(days=7)),
        ("4w", timedelta(weeks=4)),
        ("0h", timedelta()),
    ],
)
def test_a_time_may_be_given_back_from_now(daemon: Daemon, shown: Shown, text: str, span: timedelta) -> None:
    before = datetime.now(UTC)
    shown("forwards", samples.forwards(), "forwards", "--since", text, "--until", text)
    ((_, params),) = daemon.asked
    for name in ("since", "until"):
        asked = datetime.fromisoformat(params[name])
        assert timedelta() <= asked + span - before < timedelta(seconds=30)
        assert asked.tzinfo is not None
        assert len(params[name]) <= 40, "what the daemon takes"


@pytest.mark.parametrize("text", [None, "2026-01-31", "24", "h", "24 h", "24H", "-24h", "1.5h", "24hours", "1y", ""])
def test_any_other_time_is_left_to_the_daemon(text: str | None) -> None:
    assert moment(text) == text


def test_a_time_before_time_began_is_refused(run: Run, daemon: Daemon) -> None:
    with pytest.raises(Refused, match="longer ago than time goes back"):
        moment("999999w")
    ended = run("--control", str(daemon.path), "forwards", "--since", "999999w")
    assert (ended.exit_code, daemon.asked) == (1, [])


@pytest.mark.parametrize(
    "arguments", [("--status", "paid"), ("--limit", "0"), ("--limit", "many"), ("--page", "2"), (samples.SCID,)]
)
def test_what_makes_no_sense_is_a_usage_error(daemon: Daemon, run: Run, arguments: tuple[str, ...]) -> None:
    ended = run("--control", str(daemon.path), "forwards", *arguments)
    assert (ended.exit_code, ended.stdout, daemon.asked) == (2, "", [])


# -- as CSV ------------------------------------------------------------------------------------------------------

COLUMNS = (
    "created_index,received_at,resolved_at,status,in_channel,in_alias,in_msat,out_channel,out_alias,out_msat,fee_msat,"
    "failcode,asked_channel,recovered"
)


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_the_columns_are_what_other_programs_rely_on() -> None:
    assert ",".join(CSV_COLUMNS) == COLUMNS
    assert set(CSV_COLUMNS) == set(samples.forward())


def test_csv_has_every_column_with_amounts_in_msat_and_nothing_where_nothing_is_known(shown: Shown) -> None:
    recovered = samples.forward(created_index=None, recovered=True, in_alias=None)
    text = shown(
        "forwards", samples.forwards(samples.forward(), samples.refused_forward(), recovered), "forwards", "--csv"
    )
    assert text.splitlines() == [
        COLUMNS,
        "120000,2026-05-01T11:30:00.123456Z,2026-05-01T11:30:02.500000Z,settled,800001x7x1,payer,50012500,"
        "800000x1234x0,some-peer,50000000,12500,,,no",
        "120000,2026-05-01T11:30:00.123456Z,,local_failed,800001x7x1,payer,50012500,,,,,16394,700000x1x1,no",
        ",2026-05-01T11:30:00.123456Z,2026-05-01T11:30:02.500000Z,settled,800001x7x1,,50012500,800000x1234x0,some-peer,"
        "50000000,12500,,,yes",
    ]


def test_csv_without_forwards_is_its_head(shown: Shown) -> None:
    assert shown("forwards", samples.forwards(), "forwards", "--csv") == f"{COLUMNS}\n"


@pytest.mark.parametrize(
    ("alias", "cell"),
    [
        ("=1+1", "'=1+1"),
        ('=HYPERLINK("http://x","y")', '\'=HYPERLINK("http://x","y")'),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "\\x09=1"),
        ("\r=1", "\\x0d=1"),
        ("\n=1", "\\x0a=1"),
        ('"quoted", with comma', '"quoted", with comma'),
        ("plain =1", "plain =1"),
        ("'=1", "'=1"),
        ("\x1b[2Jred", "\\x1b[2Jred"),
        ("\ud800 lone", "\\ud800 lone"),
        ("日本語", "日本語"),
        ("", ""),
    ],
)
def test_an_alias_is_text_whatever_a_spreadsheet_would_make_of_it(shown: Shown, alias: str, cell: str) -> None:
    text = shown("forwards", samples.forwards(samples.forward(in_alias=alias, out_alias=alias)), "forwards", "--csv")
    ((row),) = rows_of(text)
    assert (row["in_alias"], row["out_alias"], row["fee_msat"]) == (cell, cell, "12500")
    assert len(text.splitlines()) == 2


def paged(daemon: Daemon, total: int) -> None:
    """Let the daemon answer `total` forwards page by page."""

    def answer(params: dict[str, Any]) -> dict[str, Any]:
        first = int(params.get("before", "0"))
        count = min(params["limit"], total - first)
        rows = [samples.forward(created_index=first + place) for place in range(count)]
        return samples.forwards(*rows, more=f"{first + count}" if count == params["limit"] else None)

    daemon.answers["forwards"] = answer


@pytest.mark.parametrize(
    ("total", "limit", "asked"),
    [
        (7, None, [3, 3, 3]),
        (6, None, [3, 3, 3]),
        (2, None, [3]),
        (7, 5, [3, 2]),
        (7, 3, [3]),
        (7, 6, [3, 3]),
        (2, 100, [3]),
        (0, None, [3]),
    ],
)
def test_csv_brings_all_pages_or_as_many_as_are_wanted(
    daemon: Daemon, run: Run, monkeypatch: pytest.MonkeyPatch, total: int, limit: int | None, asked: list[int]
) -> None:
    monkeypatch.setattr("revenued.cli.forwards.CSV_PAGE", 3)
    paged(daemon, total)
    wanted = [] if limit is None else ["--limit", f"{limit}"]
    ended = run("--control", str(daemon.path), "forwards", "--csv", "--since", "2026-01-01", *wanted)
    assert ended.exit_code == 0
    assert [row["created_index"] for row in rows_of(ended.stdout)] == [
        f"{index}" for index in range(min(total, limit or total))
    ]
    assert [params["limit"] for _, params in daemon.asked] == asked
    assert {params["since"] for _, params in daemon.asked} == {"2026-01-01"}


def test_a_refusal_of_the_daemon_is_said_and_writes_no_head(daemon: Daemon, run: Run) -> None:
    daemon.answers["forwards"] = MethodError(-32602, "peer: 'x' fits several peers; give a node id")
    for more in ([], ["--csv"]):
        ended = run("--control", str(daemon.path), "forwards", "--peer", "x", *more)
        assert (ended.exit_code, ended.stdout) == (1, "")
        assert "fits several peers" in ended.stderr
