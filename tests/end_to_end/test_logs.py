"""Logs: JSON lines where nobody reads along, with priorities where the journal listens, words on a terminal."""

import json
import os
import re
import subprocess
from random import Random

from tests.end_to_end.daemon import Daemon, until
from tests.end_to_end.node import WatchedWorld, serving, write_history

HIDE_CURSOR, SHOW_CURSOR = b"\x1b[?25l", b"\x1b[?25h"
PRIORITIES = {"debug": 7, "info": 6, "warning": 4, "error": 3}


def test_for_the_journal_every_line_begins_with_its_priority(daemon: Daemon) -> None:
    """Without a node there is something to warn of."""
    with subprocess.Popen(
        daemon.command(), stderr=subprocess.PIPE, env=daemon.environment(JOURNAL_STREAM="8:1"), text=True
    ) as running:
        until(daemon.control.exists, "it serves")
        running.terminate()
        _, said = running.communicate(timeout=20)
    levels = set()
    for line in said.splitlines():
        found = re.fullmatch(r"<(\d)>(\{.*\})", line)
        assert found, line
        event = json.loads(found[2])
        assert int(found[1]) == PRIORITIES[event["level"]]
        levels.add(event["level"])
    assert levels == {"info", "warning"}


def test_on_a_terminal_it_speaks_in_words_and_shows_how_far_history_is_read(
    world: WatchedWorld, daemon: Daemon
) -> None:
    """It is stopped while the bar is drawn, and leaves the terminal as it was."""
    write_history(world, Random(4), 30_000)
    ours, its = os.openpty()
    with (
        serving(world, daemon.rpc),
        os.fdopen(ours, "rb", buffering=0) as screen,
        subprocess.Popen(daemon.command(), stderr=its, env=daemon.environment(TERM="xterm")) as running,
    ):
        os.close(its)
        shown = b""
        while b" of 30,000 forwards" not in shown:
            shown += screen.read(4096)
        running.terminate()
        while b"daemon_stopped" not in shown:
            shown += screen.read(4096)
        assert running.wait(20) == 0
    assert b'"event"' not in shown
    assert b"Traceback" not in shown
    assert shown.count(HIDE_CURSOR) == shown.count(SHOW_CURSOR) > 0
