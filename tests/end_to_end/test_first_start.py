"""A new daemon beside a node: it decides, tells nothing, says how to go live, and then tells each price once."""

import json
import stat

from revenued.sim.rpc import RpcServer
from tests.end_to_end.daemon import Daemon, until
from tests.end_to_end.node import BOOK, EARNED, WatchedWorld, book_of, by_hand, lone_pair, price

GO_LIVE = "revenuectl config set dry_run false"


def test_nothing_is_told_before_it_goes_live_and_each_price_once_after(
    server: RpcServer, world: WatchedWorld, daemon: Daemon
) -> None:
    daemon.start()
    daemon.settle()
    assert daemon.status()["dry_run"] is True
    assert daemon.run_done("fee")["would_broadcast"] == 6
    for command in ("status", "dashboard"):
        assert GO_LIVE in " ".join(daemon.ctl(command).split())
        assert GO_LIVE in json.loads(daemon.ctl("--json", command))["notes"][0]
    assert server.calls["setchannel"] == 0

    away, right = server.do(lone_pair)
    server.do(lambda w: w.set_online(away.peer, False))
    server.do(lambda w: by_hand(w, right, price(10)))
    assert "Live from now on" in daemon.ctl("config", "set", "dry_run", "false")
    assert GO_LIVE not in daemon.ctl("status")
    live = daemon.run_done("fee")
    assert (live["broadcast"], live["held_by"]) == (4, {"peer_offline": 1})
    assert live["unchanged"] == 1
    assert world.told_times() == dict.fromkeys(world.prices().keys() - {away.channel_id, right.channel_id}, 1)

    assert daemon.run_done("fee")["broadcast"] == 0
    server.do(lambda w: w.set_online(away.peer, True))
    assert daemon.run_done("fee")["broadcast"] == 1
    assert world.told_times() == dict.fromkeys(world.prices().keys() - {right.channel_id}, 1)
    assert set(world.prices().values()) == {price(10)}
    assert server.calls["setchannel"] == 5


def test_a_forward_is_in_the_database_two_seconds_after_it_was_made(
    server: RpcServer, world: WatchedWorld, daemon: Daemon
) -> None:
    daemon.start()
    daemon.settle()
    entry, way_out = server.do(lone_pair)
    for count in (1, 2):
        server.do(lambda w: w.forward_now(entry, way_out, 5_000_000))
        until(lambda: len(daemon.rows(BOOK)) == count, f"forward {count} is in the database", within=2)  # noqa: B023
    assert daemon.rows(BOOK) == book_of(world)
    assert daemon.rows(EARNED) == [(world.book.fees_collected_msat,)]


def test_what_it_writes_is_for_its_own_user_and_the_socket_for_its_group(resting: Daemon) -> None:
    written = {path.name: stat.S_IMODE(path.stat().st_mode) for path in resting.state_dir.iterdir()}
    assert written.keys() >= {"revenued.db", "revenued.db-wal", "revenued.db-shm", "lock"}
    assert set(written.values()) == {0o600}
    assert stat.S_IMODE(resting.state_dir.stat().st_mode) == 0o700
    assert stat.S_IMODE(resting.control.stat().st_mode) == 0o660
