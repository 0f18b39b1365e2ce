"""The node is away, comes back, hangs, syncs, or is another one: it is waited for, and nobody has to do anything."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

import pytest

from revenued.sim.rpc import RpcServer
from tests.end_to_end.conftest import checked, short_directory
from tests.end_to_end.daemon import Daemon, Json, until
from tests.end_to_end.node import (
    BOOK,
    WatchedWorld,
    book_of,
    lone_pair,
    price,
    quiet_world,
    serving,
    write_history,
)

LIVE = "[settings]\ndry_run = false\n"


@dataclass
class Hanging:
    """A daemon whose fee cycle waits for a node that hangs while it is told its third price."""

    server: RpcServer
    world: WatchedWorld
    daemon: Daemon
    thaw: threading.Event
    results: list[Json]
    """Of the fee cycle, once the daemon has given up."""


@pytest.fixture(scope="module", autouse=True)
def hanging() -> Iterator[Hanging]:
    """Begun before the first test here and looked at by the last: the time-out of a price is half a minute."""
    world, thaw = quiet_world(), threading.Event()
    with (
        short_directory() as place,
        serving(world, place / "lightning-rpc") as server,
        checked(Daemon(place)) as daemon,
    ):
        daemon.config.write_text(LIVE)
        daemon.start()
        daemon.settle()
        world.before_telling = lambda count: None if count != 2 else _wait(thaw)
        with daemon.asked("fee") as results:
            try:
                until(lambda: len(world.told) == 2, "two prices are told")
                yield Hanging(server, world, daemon, thaw, results)
            finally:
                thaw.set()


def test_it_starts_without_a_node_and_works_by_itself_once_there_is_one(world: WatchedWorld, daemon: Daemon) -> None:
    assert "not reachable" in daemon.ctl("status", code=3)
    daemon.start()
    until(daemon.trouble, "it has missed the node")
    said = daemon.ctl("status")
    assert "not reachable" in said
    assert "No such file or directory" in said
    assert "never" in said
    for command in (("run", "fee"), ("run", "ingest"), ("run", "snapshot")):
        assert "node: " in daemon.ctl(*command, code=4)
    assert "status" in daemon.ctl("channels", code=1)
    assert "Forwards are not being read" in daemon.ctl("dashboard")

    write_history(world, Random(1), 100)
    with serving(world, daemon.rpc) as server:
        daemon.follow()
        assert daemon.rows(BOOK) == book_of(world)
        assert daemon.status()["node"]["reachable"] is True
        daemon.ctl("run", "fee")

        server.stop()
        until(daemon.trouble, "it has missed the node again")
        server.start()
        server.do(lambda w: w.forward_now(*lone_pair(w), 1_000_000))
        until(lambda: daemon.rows(BOOK) == server.do(book_of), "it follows again")
        until(lambda: daemon.trouble() is None, "nothing is missed any more")
        daemon.stop()
    assert len(daemon.said("ingest_waits")) <= 3, "an absence is told once, however long it is"
    assert "not reachable" in daemon.ctl("status", code=3)


def test_a_price_that_takes_effect_after_the_daemon_was_killed_is_known_as_ours(
    server: RpcServer, world: WatchedWorld, daemon: Daemon
) -> None:
    daemon.config.write_text(LIVE + "min_fee_change_interval = 0\n")
    daemon.start()
    daemon.settle()
    hangs, thaw = threading.Event(), threading.Event()
    world.before_telling = lambda count: None if count != 2 else _wait(thaw, tell=hangs)
    try:
        with daemon.asked("fee"):
            assert hangs.wait(20)
            daemon.kill()
    finally:
        thaw.set()
    daemon.start()
    summary = daemon.run_done("fee")
    assert (summary["broadcast"], summary["unchanged"], summary["outside"]) == (3, 3, 0)
    _check_told_once(world, daemon, kinds=["broadcast"] * 6)


def test_a_node_that_is_behind_the_chain_is_left_alone(server: RpcServer, world: WatchedWorld, daemon: Daemon) -> None:
    daemon.config.write_text(LIVE)
    daemon.start()
    daemon.settle()
    world.syncing = "Bitcoind is not up-to-date with network."
    for cycle in ("fee", "flow", "snapshot"):
        result = daemon.run(cycle)
        assert (result["outcome"], "Bitcoind is not up-to-date" in result["reason"]) == ("skipped", True)
    assert "Bitcoind is not up-to-date" in daemon.ctl("run", "fee", code=4)
    assert "Bitcoind is not up-to-date" in daemon.ctl("dashboard")
    assert server.calls["setchannel"] == 0
    world.syncing = None
    assert daemon.run_done("fee")["broadcast"] == 6


def test_another_node_at_the_socket_gets_nothing_and_gives_nothing(
    server: RpcServer, world: WatchedWorld, daemon: Daemon
) -> None:
    daemon.config.write_text(LIVE)
    daemon.start()
    daemon.settle()
    before = daemon.rows("SELECT channel_id FROM channels ORDER BY 1"), daemon.rows(BOOK)
    another = quiet_world(seed=2)
    write_history(another, Random(2), 50)
    server.stop()
    with serving(another, daemon.rpc) as stranger:
        until(lambda: another.node_id in (daemon.trouble() or ""), "it has noticed")
        assert another.node_id in daemon.ctl("run", "fee", code=4)
        assert daemon.run("flow")["outcome"] == "skipped"
        assert another.node_id in daemon.ctl("run", "ingest", code=1)
        assert stranger.calls["setchannel"] == 0
        assert (daemon.rows("SELECT channel_id FROM channels ORDER BY 1"), daemon.rows(BOOK)) == before
    server.start()
    server.do(lambda w: w.forward_now(*lone_pair(w), 1_000_000))
    until(lambda: daemon.rows(BOOK) == server.do(book_of), "its own node is back")
    assert daemon.run_done("fee")["broadcast"] == 6

    daemon.stop()
    server.stop()
    with serving(another, daemon.rpc):
        sentence = daemon.refused()
    assert another.node_id in sentence
    assert f"belongs to node {world.node_id}" in sentence
    assert not daemon.control.exists()


def test_a_price_without_an_answer_is_unknown_and_known_as_ours_when_it_appears(hanging: Hanging) -> None:
    """The node hangs in the middle of a fee cycle until the daemon gives up, and goes on later."""
    world, daemon = hanging.world, hanging.daemon
    assert daemon.configure(max_fee_ppm=4000)["changed"], "all that needs no node goes on"
    assert "dry run" not in daemon.ctl("status")
    summary = until(lambda: hanging.results, "the daemon gives up", within=60)[0]["summary"]
    assert (summary["broadcast"], summary["unknown"], summary["held_by"]["node_away"]) == (2, 1, 3)
    assert "set without an answer" in daemon.ctl("dashboard")

    hanging.thaw.set()
    until(lambda: hanging.server.do(lambda _: len(world.told)) >= 3, "the node carries out what has piled up")
    until(lambda: daemon.trouble() is None, "it is asked again")
    summary = daemon.run_done("fee")
    assert (summary["broadcast"], summary["unchanged"], summary["outside"]) == (3, 3, 0)
    _check_told_once(world, daemon, kinds=["broadcast"] * 6 + ["unknown"])


def _wait(thaw: threading.Event, *, tell: threading.Event | None = None) -> None:
    if tell is not None:
        tell.set()
    assert thaw.wait(60)


def _check_told_once(world: WatchedWorld, daemon: Daemon, *, kinds: list[str]) -> None:
    """Every channel has its price, was told it once, and nothing of it was taken for somebody else's."""
    assert world.told_times() == dict.fromkeys(world.prices(), 1)
    assert set(world.prices().values()) == {price(10)}
    assert daemon.run_done("fee")["unchanged"] == 6
    changes = json.loads(daemon.ctl("--json", "fees", "history"))["changes"]
    assert sorted(change["kind"] for change in changes) == kinds
