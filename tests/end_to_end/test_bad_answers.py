"""Answers that are partly or wholly nonsense: what can be understood counts, the rest is said, nothing is guessed."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from revenued.model import ChannelFee
from revenued.sim.commands import COMMANDS, Command
from revenued.sim.params import Params
from revenued.sim.rpc import RpcServer
from revenued.sim.shapes import Json
from revenued.sim.world import World
from tests.end_to_end.conftest import checked, short_directory
from tests.end_to_end.daemon import Daemon
from tests.end_to_end.node import WatchedWorld, price, quiet_world, serving

Spoil = Callable[[Json], Json]


@dataclass
class Live:
    """A daemon that sets prices, and its node; one for all tests here."""

    server: RpcServer
    world: WatchedWorld
    daemon: Daemon
    least_ppm: int = 100

    def want_another_price(self) -> ChannelFee:
        """Let every channel need the price that is returned."""
        self.server.faults.clear()
        self.least_ppm += 100
        self.daemon.configure(min_fee_ppm=self.least_ppm)
        return price(self.least_ppm)


@pytest.fixture(scope="module")
def live() -> Iterator[Live]:
    world = quiet_world()
    with (
        short_directory() as place,
        serving(world, place / "lightning-rpc") as server,
        checked(Daemon(place)) as daemon,
    ):
        daemon.config.write_text("[settings]\ndry_run = false\nmin_fee_change_interval = 0\n")
        daemon.start()
        daemon.settle()
        daemon.run_done("fee")
        yield Live(server, world, daemon)


def spoil(monkeypatch: pytest.MonkeyPatch, method: str, change: Spoil) -> None:
    """Let the node carry out a method as ever and then answer something else."""
    real = COMMANDS[method]

    def answer(world: World, params: Params) -> Json:
        given = real.answer(world, params)
        assert isinstance(given, dict)
        return change(given)

    monkeypatch.setitem(COMMANDS, method, Command(real.usage, answer))


def test_a_channel_that_cannot_be_read_is_named_and_the_others_are_priced(
    monkeypatch: pytest.MonkeyPatch, live: Live
) -> None:
    def one_without_money(answer: Json) -> Json:
        answer["channels"][1]["to_us_msat"] = "a lot"
        return answer

    wanted = live.want_another_price()
    spoil(monkeypatch, "listpeerchannels", one_without_money)
    bad = live.server.do(lambda w: w.channels[1]).channel_id
    summary = live.daemon.run_done("fee")
    assert (summary["broadcast"], summary["unreadable"]) == (5, 1)
    assert live.world.told_times(wanted) == dict.fromkeys(live.world.prices().keys() - {bad}, 1)
    skipped = live.daemon.status()["channels"]["skipped"]
    assert [row["what"] for row in skipped] == [bad]
    assert "to_us_msat" in skipped[0]["why"]
    shown = live.daemon.ctl("status")
    assert "Could not be read" in shown
    assert bad in shown
    monkeypatch.undo()
    assert live.daemon.run_done("fee")["broadcast"] == 1
    assert live.world.told_times(wanted) == dict.fromkeys(live.world.prices(), 1)


@pytest.mark.parametrize(
    "raw", [b"{]\n\n", b'{"jsonrpc":"2.0","id":"', b'{"jsonrpc":"2.0","id":1,"result":{}}\n\n', b""]
)
def test_a_cycle_whose_answer_is_garbage_is_skipped_and_the_next_one_works(live: Live, raw: bytes) -> None:
    wanted = live.want_another_price()
    live.server.faults.garble("listpeerchannels", raw)
    result = live.daemon.run("fee")
    assert (result["outcome"], "node: listpeerchannels" in result["reason"]) == ("skipped", True)
    assert not live.world.told_times(wanted)
    assert live.daemon.run_done("fee")["broadcast"] == 6
    assert live.world.told_times(wanted) == dict.fromkeys(live.world.prices(), 1)


def test_an_answer_of_another_form_changes_nothing(monkeypatch: pytest.MonkeyPatch, live: Live) -> None:
    wanted = live.want_another_price()
    spoil(monkeypatch, "listpeerchannels", lambda _: {"channels": {"all": "gone"}})
    assert live.daemon.run("fee")["outcome"] == "skipped"
    spoil(monkeypatch, "getinfo", lambda _: {"id": 5})
    assert "getinfo" in live.daemon.ctl("run", "fee", code=4)
    assert not live.world.told_times(wanted)
    monkeypatch.undo()
    assert live.daemon.run_done("fee")["broadcast"] == 6


@pytest.mark.parametrize("way", ["hangs up", "answers nonsense", "is not heard"])
def test_a_price_whose_answer_is_lost_is_told_once(monkeypatch: pytest.MonkeyPatch, live: Live, way: str) -> None:
    """Whether it took effect or not: it is unknown first, and looked at before anything is told again."""
    wanted = live.want_another_price()
    before = len(live.daemon.ask("fees-history", limit=1000)["changes"])
    if way == "hangs up":
        live.server.faults.hang_up("setchannel")
    elif way == "answers nonsense":
        spoil(monkeypatch, "setchannel", lambda _: {"channels": [{"fee_base_msat": "?"}]})
    else:
        live.server.faults.garble("setchannel", b"{]\n\n")
    summary = live.daemon.run_done("fee")
    assert (summary["unknown"], summary["broadcast"], summary["held_by"]["node_away"]) == (1, 0, 5)
    assert live.world.told_times(wanted).total() == (0 if way == "is not heard" else 1)

    monkeypatch.undo()
    summary = live.daemon.run_done("fee")
    assert (summary["broadcast"], summary["outside"]) == (6 if way == "is not heard" else 5, 0)
    assert live.world.told_times(wanted) == dict.fromkeys(live.world.prices(), 1)
    assert live.daemon.run_done("fee")["unchanged"] == 6
    changes = live.daemon.ask("fees-history", limit=1000)["changes"]
    kinds = [change["kind"] for change in changes[: len(changes) - before]]
    assert sorted(kinds) == ["broadcast"] * 6 + ["unknown"]
