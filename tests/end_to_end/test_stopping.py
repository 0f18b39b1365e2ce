"""The daemon is gone within two seconds of being told, whatever it is doing, and leaves no socket behind."""

import signal
from random import Random

from revenued.sim.rpc import RpcServer
from tests.end_to_end.daemon import STOP_SECONDS, Daemon, until
from tests.end_to_end.node import BOOK, WatchedWorld, serving, write_history

HISTORY = 30_000


def test_while_it_waits_for_news(server: RpcServer, daemon: Daemon) -> None:
    daemon.start()
    daemon.follow()
    until(lambda: server.calls["wait"] >= 5, "it waits for both counters")
    assert daemon.stop() < STOP_SECONDS
    assert not daemon.control.exists()
    assert daemon.said("daemon_stopped")[0]["waited_for_all"] is True


def test_while_it_reads_history(world: WatchedWorld, daemon: Daemon) -> None:
    write_history(world, Random(3), HISTORY)
    with serving(world, daemon.rpc):
        daemon.start()
        until(lambda: daemon.rows("SELECT 1 FROM ingest_cursor WHERE created_index > 0"), "a page is read")
        assert daemon.stop() < STOP_SECONDS
        assert not daemon.control.exists()
        assert 0 < len(daemon.rows(BOOK)) < HISTORY, "it was in the middle"


def test_while_a_fee_cycle_hangs_in_a_frozen_node(server: RpcServer, daemon: Daemon) -> None:
    daemon.start()
    daemon.settle()
    for cycle in ("flow", "snapshot"):  # their thread is the fee cycle's
        until(lambda: daemon.cycle(cycle)["outcome"] == "done", f"the {cycle} cycle is over")  # noqa: B023
    server.freeze()
    with daemon.asked("fee"):
        until(lambda: daemon.cycle("fee")["outcome"] == "running", "the fee cycle hangs")
        assert daemon.stop() < STOP_SECONDS
    assert not daemon.control.exists()

    server.thaw()
    daemon.start()
    assert (daemon.cycle("fee")["outcome"], daemon.cycle("fee")["reason"]) == ("failed", "the daemon stopped")
    daemon.run_done("fee")
    assert daemon.stop(signal.SIGINT) < STOP_SECONDS
