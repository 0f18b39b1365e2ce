"""What the operator does beside the daemon: pausing it, and setting prices by hand."""

import json

from revenued.sim.rpc import RpcServer
from tests.end_to_end.daemon import Daemon
from tests.end_to_end.node import WatchedWorld, by_hand, price


def test_a_pause_holds_every_price_also_over_a_restart_until_it_is_lifted(
    server: RpcServer, world: WatchedWorld, daemon: Daemon
) -> None:
    daemon.config.write_text("[settings]\ndry_run = false\n")
    daemon.start()
    daemon.settle()
    assert "Paused" in daemon.ctl("pause")
    assert daemon.run_done("fee")["held_by"] == {"paused": 6}
    daemon.stop()
    daemon.start()
    assert daemon.run_done("fee")["held_by"] == {"paused": 6}
    assert "revenuectl resume" in daemon.ctl("status")
    scid = server.do(lambda w: w.channels[0]).scid
    explained = daemon.ask("fees-explain", channel=scid)
    assert (explained["outcome"], explained["held_by"], explained["target_ppm"]) == ("held", "paused", 10)
    assert server.calls["setchannel"] == 0

    assert "Running" in daemon.ctl("resume")
    assert daemon.ask("resume")["changed"] is False
    assert daemon.run_done("fee")["broadcast"] == 6
    assert world.told_times() == dict.fromkeys(world.prices(), 1)


def test_a_price_that_somebody_else_sets_is_left_alone_and_shown(
    server: RpcServer, world: WatchedWorld, daemon: Daemon
) -> None:
    daemon.config.write_text("[settings]\ndry_run = false\nmin_fee_change_interval = 0\n")
    daemon.start()
    daemon.settle()
    daemon.run_done("fee")
    channel = server.do(lambda w: w.channels[3])
    server.do(lambda w: by_hand(w, channel, price(777, 5)))
    for _ in range(2):
        summary = daemon.run_done("fee")
        assert (summary["broadcast"], summary["held_by"]) == (0, {"changed_outside": 1})
    assert world.prices()[channel.channel_id] == price(777, 5)
    assert world.told_times() == dict.fromkeys(world.prices(), 1)

    explained = daemon.ask("fees-explain", channel=channel.scid)
    assert explained["held_by"] == "changed_outside"
    assert (explained["outside"]["ppm"], explained["outside"]["base_fee_msat"]) == (777, 5)
    assert (explained["last_broadcast"]["ppm"], explained["last_broadcast"]["base_fee_msat"]) == (10, 0)
    newest = json.loads(daemon.ctl("--json", "fees", "history", channel.scid))["changes"][0]
    assert (newest["kind"], newest["from_ppm"], newest["to_ppm"]) == ("outside", 10, 777)
    assert "1 prices were changed by somebody else" in daemon.ctl("dashboard")
    assert daemon.ask("dashboard")["activity"]["outside_changes_24h"] == 1

    server.do(lambda w: by_hand(w, channel, price(10)))
    assert daemon.run_done("fee")["unchanged"] == 6
    assert daemon.ask("fees-explain", channel=channel.scid)["outside"] is None
