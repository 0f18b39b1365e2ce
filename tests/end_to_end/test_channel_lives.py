"""A channel is spliced and closed: what it earned, learned and was told stays with it."""

from datetime import timedelta

from revenued.sim.rpc import RpcServer
from tests.end_to_end.daemon import Daemon, until
from tests.end_to_end.node import BOOK, WatchedWorld, book_of, by_hand, lone_pair, price

LEARNED = (
    "SELECT channel_id, base_ppm FROM learner_states JOIN channels USING (channel_key) WHERE learner = 'hill_climb' "
    "ORDER BY channel_id"
)


def test_a_splice_and_a_close_leave_the_channel_its_history(
    server: RpcServer, world: WatchedWorld, daemon: Daemon
) -> None:
    entry, channel = server.do(lone_pair)
    server.do(lambda w: by_hand(w, channel, price(40, 1)))
    daemon.config.write_text("[settings]\ndry_run = false\nmin_fee_change_interval = 0\n")
    daemon.start()
    daemon.settle()
    daemon.run_done("flow")  # peers have their names from now on
    daemon.run_done("fee")
    learned = daemon.rows(LEARNED)
    assert (channel.channel_id, 40) in learned
    server.do(lambda w: w.forward_now(entry, channel, 50_000_000))

    former = channel.scid
    server.do(lambda w: w.splice(channel, 100_000))
    assert channel.scid != former
    server.do(lambda w: w.forward_now(entry, channel, 30_000_000))
    until(lambda: daemon.rows(BOOK) == server.do(book_of), "both forwards are read")
    assert daemon.run_done("fee")["unchanged"] == 6
    shown = next(row for row in daemon.ask("channels")["channels"] if row["channel_id"] == channel.channel_id)
    assert (shown["scid"], shown["earned_msat"]) == (channel.scid, 2000 + 1200)
    assert len(daemon.ask("channels")["channels"]) == 6
    assert daemon.rows(LEARNED) == learned
    for name in (former, channel.scid, channel.channel_id):
        (change,) = daemon.ask("fees-history", channel=name)["changes"]
        assert (change["scid"], change["to_ppm"]) == (channel.scid, 40)
        assert daemon.ask("fees-explain", channel=name)["channel_id"] == channel.channel_id
    (best,) = daemon.ask("dashboard")["best"]
    assert (best["scid"], best["earned_msat"], best["out_count"]) == (channel.scid, 3200, 2)

    server.do(lambda w: w.close(channel))
    assert daemon.run_done("fee")["left_alone"] == 1
    assert "closing" in daemon.ask("fees-explain", channel=former)["steps"][0]["why"]
    server.do(lambda w: w.advance(w.now + timedelta(days=2)))  # the close is forgotten by the node
    assert channel in world.forgotten
    daemon.run_done("flow")
    assert daemon.run_done("fee")["channels"] == 5
    assert daemon.rows(LEARNED) == learned
    assert daemon.ask("dashboard")["best"] == [best]
    assert daemon.ask("fees-history", channel=former)["changes"] == [change]
    assert daemon.rows(f"SELECT state FROM channels WHERE channel_id = '{channel.channel_id}'") == [("CLOSED",)]
