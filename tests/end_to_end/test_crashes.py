"""kill -9 at random moments: no forward is lost or counted twice, no price told twice, nothing learned is forgotten."""

import os
import signal
import time
from random import Random

from revenued.cycles.ingest import PAGE
from revenued.sim.rpc import RpcServer
from tests.end_to_end.daemon import Daemon, until
from tests.end_to_end.node import (
    BOOK,
    EARNED,
    WatchedWorld,
    book_of,
    by_hand,
    end_some,
    price,
    serving,
    write_history,
)

PAGES = 6
KILLS = 7
CURSOR = "SELECT created_index FROM ingest_cursor"
LEARNED = (
    "SELECT channel_id, base_ppm FROM learner_states JOIN channels USING (channel_key) WHERE learner = 'hill_climb' "
    "ORDER BY channel_id"
)


def test_killed_again_and_again_while_history_is_read(world: WatchedWorld, daemon: Daemon) -> None:
    rng = Random(11)
    write_history(world, rng, PAGES * PAGE)
    found = []
    with serving(world, daemon.rpc) as server:
        for page in range(PAGES - 1):
            daemon.start()
            until(lambda: _cursor(daemon) >= page * PAGE, f"{page} pages are read")  # noqa: B023
            time.sleep(rng.uniform(0.0, 0.2))
            daemon.kill()
            found.append(_cursor(daemon))
            server.do(lambda w: end_some(w, 50))
            server.do(lambda w: write_history(w, rng, 5))
        assert any(0 < cursor < PAGES * PAGE for cursor in found), "at least one kill came in the middle"
        daemon.start()
        known = server.do(book_of)
        until(lambda: _cursor(daemon) == len(known), "all is read")
        until(lambda: daemon.rows(BOOK) == known, "the database is the node's book")
        assert daemon.rows(EARNED) == [(world.book.fees_collected_msat,)]
        assert daemon.rows("SELECT SUM(earned_msat) FROM forward_hours") == daemon.rows(EARNED)
        assert daemon.rows("SELECT SUM(fee_msat) FROM pair_days") == daemon.rows(EARNED)
        ingest = daemon.status()["ingest"]
        assert (ingest["missing_count"], ingest["unreadable_count"]) == (0, 0)


def test_killed_again_and_again_while_prices_are_told(server: RpcServer, world: WatchedWorld, daemon: Daemon) -> None:
    """Each round raises the least price, so that every channel gets a new one; it is told to each exactly once."""
    rng = Random(5)
    for number, channel in enumerate(server.do(lambda w: w.channels)):
        server.do(lambda w: by_hand(w, channel, price(20 + number)))  # noqa: B023
    daemon.config.write_text("[settings]\ndry_run = false\n")
    daemon.start()
    daemon.settle()
    daemon.run_done("fee")
    learned = daemon.rows(LEARNED)
    assert sorted(base_ppm for _, base_ppm in learned) == [20, 21, 22, 23, 24, 25]

    died_at = []
    for number in range(KILLS):
        least = 100 + 50 * number
        daemon.configure(min_fee_ppm=least)
        _kill_in_a_fee_cycle(daemon, world, rng)
        died_at.append(sum(world.told_times(price(least)).values()))
        daemon.start()
        if len(world.told_times(price(least))) < 6:
            daemon.run_done("fee")
        assert world.told_times(price(least)) == dict.fromkeys(world.prices(), 1)
        assert daemon.run_done("fee")["broadcast"] == 0
        assert set(world.prices().values()) == {price(least)}
    assert any(0 < told < 6 for told in died_at), "at least one kill came in the middle"
    assert daemon.rows(LEARNED) == learned
    changes = daemon.ask("fees-history", limit=1000)["changes"]
    assert {change["kind"] for change in changes} == {"broadcast"}, "nothing of ours was taken for somebody else's"
    assert len(changes) == 6 * KILLS, "each price is in the history once"


def _cursor(daemon: Daemon) -> int:
    rows = daemon.rows(CURSOR)
    return int(rows[0][0]) if rows else 0


def _kill_in_a_fee_cycle(daemon: Daemon, world: WatchedWorld, rng: Random) -> None:
    """Kill after some milliseconds, or when a certain price has reached the node: before it took effect or after."""
    pid, nth = daemon.pid, len(world.told) + rng.randrange(1, 6)

    def at(count: int) -> None:
        if count == nth:
            os.kill(pid, signal.SIGKILL)

    way = rng.choice(("clock", "before", "after"))

    def nowhere(_count: int) -> None:
        return

    world.before_telling = at if way == "before" else nowhere
    world.after_telling = at if way == "after" else nowhere
    with daemon.asked("fee"):
        if way == "clock":
            time.sleep(rng.uniform(0.0, 0.05))
            os.kill(pid, signal.SIGKILL)
        daemon.gone()
    world.before_telling = world.after_telling = nowhere
