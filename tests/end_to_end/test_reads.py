"""What the daemon asks of a node in its whole life: whatever can be long only page by page, and nothing it may not."""

from random import Random
from typing import Any

import pytest

from revenued.model import ForwardStatus
from revenued.node.permitted import PERMITTED
from revenued.sim.commands import COMMANDS, Command
from revenued.sim.connection import Connection
from revenued.sim.dispatch import Dispatch
from revenued.sim.forwards import ForwardRow
from revenued.sim.params import Params
from revenued.sim.rpc import RpcServer
from revenued.sim.shapes import Json
from revenued.sim.world import World
from revenued.units import MICROS_PER_SECOND
from tests.end_to_end.daemon import Daemon, until
from tests.end_to_end.node import BOOK, EARNED, WatchedWorld, book_of, end_some, write_history

Asked = list[tuple[str, dict[str, Any]]]
MORE_THAN_A_PAGE = 5_100


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    """Every request that reaches the node, in order."""
    requests: Asked = []
    carry_out = Dispatch.carry_out

    def noted(self: Dispatch, connection: Connection, request: dict[str, Any]) -> None:
        requests.append((request["method"], request["params"]))
        carry_out(self, connection, request)

    monkeypatch.setattr(Dispatch, "carry_out", noted)
    return requests


@pytest.fixture
def moves(monkeypatch: pytest.MonkeyPatch, world: WatchedWorld) -> list[Json]:
    """The channel moves that this node keeps of what settles from now on, and shows as a real one does."""
    kept: list[Json] = []
    ids = {channel.scid: channel.channel_id for channel in world.channels}

    def settled(counter: str, _value: int, row: ForwardRow) -> None:
        if counter == "updated" and row.status is ForwardStatus.SETTLED and row.resolved_at is not None:
            for scid, credit, debit in ((row.in_scid, row.in_msat, 0), (row.out_scid, 0, row.out_msat)):
                kept.append(
                    {
                        "created_index": len(kept) + 1,
                        "account_id": ids[scid or ""],
                        "credit_msat": credit,
                        "debit_msat": debit,
                        "timestamp": row.resolved_at // MICROS_PER_SECOND,
                        "primary_tag": "routed",
                        "payment_hash": f"{row.created_index:064x}",
                        "fees_msat": row.fee_msat,
                    }
                )

    def listchannelmoves(_world: World, params: Params) -> Json:
        start, limit = int(str(params["start"])), int(str(params["limit"]))
        return {"channelmoves": kept[start - 1 : start - 1 + limit]}

    world.book.listeners.append(settled)
    monkeypatch.setitem(COMMANDS, "listchannelmoves", Command("[index] [start] [limit]", listchannelmoves))
    return kept


def test_from_the_first_start_to_the_last_stop_every_long_list_is_read_in_pages(
    asked: Asked, moves: list[Json], server: RpcServer, world: WatchedWorld, daemon: Daemon
) -> None:
    server.do(lambda w: write_history(w, Random(1), MORE_THAN_A_PAGE))
    daemon.start()
    daemon.follow()
    until(lambda: daemon.rows(BOOK) == server.do(book_of), "history is read")
    pages = [params for method, params in asked if method == "listforwards" and params["index"] == "created"]
    assert len({params["start"] for params in pages}) > 1, "it took more than one page"

    server.do(lambda w: end_some(w, 20))
    until(lambda: daemon.rows(BOOK) == server.do(book_of), "what is new is read")
    for cycle in ("fee", "flow", "snapshot", "retention", "ingest"):
        daemon.run_done(cycle)
    assert "different        0" in daemon.ctl("run", "ingest", "--verify", "--repair")
    for command in ("status", "dashboard", "channels", "forwards", "flow", "peers"):
        daemon.ctl(command)
    daemon.ctl("rebalance", "list")

    server.stop()
    server.start()
    until(lambda: daemon.status()["node"]["reachable"], "the node is back")
    daemon.kill()
    away(server)
    daemon.start()
    daemon.follow()
    until(lambda: daemon.status()["ingest"]["recovered_count"] == 10, "what was deleted is found")
    assert daemon.rows(EARNED) == [(server.do(lambda w: w.book.fees_collected_msat),)]
    daemon.stop()
    check(asked)


def away(server: RpcServer) -> None:
    """Let ten forwards settle that nobody will see, and others that stay."""

    def act(world: World) -> None:
        before = {row.created_index for row in world.book.rows() if row.status is ForwardStatus.OFFERED}
        end_some(world, 10)
        world.book.delete(lambda row: row.created_index in before and row.status is ForwardStatus.SETTLED)
        end_some(world, 5)

    server.do(act)


def check(asked: Asked) -> None:
    """Hold every request against the rules that keep a busy node from being kept busy by us."""
    methods = {method for method, _ in asked}
    assert methods <= PERMITTED.keys()
    assert {"listforwards", "listchannelmoves", "listnodes", "wait"} <= methods, "what is checked did happen"
    for method, params in asked:
        assert isinstance(params, dict), method
        if method in ("listforwards", "listchannelmoves"):
            assert params.keys() == {"index", "start", "limit"}, (method, params)
            assert params["index"] in (("created", "updated") if method == "listforwards" else ("created",))
            assert params["start"] >= 1
            assert 1 <= params["limit"] <= 10_000
        elif method == "listnodes":
            assert params.keys() == {"id"}
        elif method in ("listpeerchannels", "listclosedchannels", "listfunds", "getinfo", "help"):
            assert params == {}
