"""All that the node remembers when the daemon comes is in its books, to the millisatoshi."""

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from revenued.clock import FastClock
from revenued.sim.market import Market
from revenued.wire import exchange
from tests.end_to_end.daemon import Daemon, until
from tests.end_to_end.node import BOOK, EARNED, WatchedWorld, book_of, serving


def test_every_forward_of_a_lively_fortnight_is_in_the_books(daemon: Daemon, place: Path) -> None:
    noon = datetime(2026, 1, 5, 12, 20, tzinfo=UTC)  # the market of this day is always the same
    daemon.clock = FastClock(zero=time.time(), start=noon, fast=1.0, fast_for=0.0)
    world = WatchedWorld(5, noon - timedelta(days=14), 8, market=Market())
    with serving(world, daemon.rpc, clock=daemon.clock) as server:
        daemon.start()
        daemon.follow()
        until(lambda: daemon.rows(BOOK) == server.do(book_of), "the database is the node's book")
        assert {row[9] for row in daemon.rows(BOOK)} >= {"settled", "failed", "local_failed"}
        assert daemon.status()["ingest"]["missing_count"] == 0

        answer = exchange(daemon.rpc, {"jsonrpc": "2.0", "id": 1, "method": "getinfo", "params": {}}, timeout=5)
        earned = answer["result"]["fees_collected_msat"]
        assert earned > 0
        assert daemon.rows(EARNED) == [(earned,)]
        period = json.loads(daemon.ctl("--json", "dashboard", "--window", "15d"))["period"]
        assert period["gross_revenue_msat"] == earned
        assert period["total_forwards"] == server.do(lambda w: sum(row[9] == "settled" for row in book_of(w)))
        daemon.stop()
