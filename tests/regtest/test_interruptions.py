"""Lightningd that goes, comes back or hangs, and a daemon that is killed: nothing is lost, doubled or set twice."""

from collections.abc import Callable

import pytest

from tests.regtest.conftest import Launch
from tests.regtest.daemon import Daemon, Json, summary_of
from tests.regtest.ledger import expected, fees_settled, stored
from tests.regtest.network import Network, Node
from tests.regtest.patience import until
from tests.regtest.proxy import Proxy
from tests.regtest.test_fees import LEAST_PPM, go_live, prices

SOON_SECONDS = 2.0
RECOVERY_SECONDS = 30.0
NODE_AWAY = 4
"""What `revenuectl` ends with when the node could not be reached."""


def run_fee(daemon: Daemon) -> Json:
    """Run a fee cycle, however it ends."""
    return daemon.ask("run", cycle="fee")


def history(daemon: Daemon, channel_id: str) -> list[str]:
    """Return what kinds of changes a channel had, oldest first."""
    changes = daemon.ctl("fees", "history", channel_id)["changes"]
    return [change["kind"] for change in reversed(changes)]


def are_equal(network: Network, daemon: Daemon) -> None:
    """The database holds what the node holds, and the sums are those of the rows."""
    assert stored(daemon) == expected(network.hub)
    assert daemon.ask("dashboard")["period"]["gross_revenue_msat"] == fees_settled(network.hub)


def reconnect(network: Network) -> None:
    for neighbour in network.neighbours:
        neighbour.connect(network.hub)
    until(
        lambda: all(row["peer_connected"] and row.get("reestablished") for row in network.hub.channels()),
        within=RECOVERY_SECONDS,
        what="all channels of the hub again",
    )


@pytest.mark.parametrize("end", [Node.stop, Node.kill], ids=["stopped", "killed"])
def test_the_daemon_outlives_a_restart_of_lightningd(
    network: Network, daemon: Daemon, end: Callable[[Node], None]
) -> None:
    network.pay(network.alice, network.carol, 1_111_111)
    end(network.hub)
    until(lambda: not daemon.ask("status")["node"]["reachable"], within=10, what="the daemon notices")
    assert daemon.ctl("run", "fee", code=NODE_AWAY)["outcome"] == "skipped"
    assert any("not being read" in warning for warning in daemon.ctl("dashboard")["warnings"])

    network.hub.start()
    until(lambda: daemon.ask("status")["node"]["reachable"], within=RECOVERY_SECONDS, what="the daemon recovers")
    reconnect(network)
    network.pay(network.bob, network.dave, 2_222_222)
    until(lambda: stored(daemon) == expected(network.hub), within=SOON_SECONDS, what="the later payment is stored")
    are_equal(network, daemon)
    status = daemon.ctl("status")
    assert (status["ingest"]["state"], status["ingest"]["missing_count"]) == ("following", 0)
    assert status["node"]["trouble"] is None
    summary_of(daemon.ctl("run", "fee"))


def test_a_node_that_freezes_while_it_is_told_prices_leaves_one_outcome_unknown_and_nothing_is_set_twice(
    network: Network, overheard: Daemon, proxy: Proxy
) -> None:
    go_live(overheard)
    channels = prices(network)
    proxy.before("setchannel", network.hub.freeze)
    try:
        summary = summary_of(run_fee(overheard))
        assert (summary["unknown"], summary["broadcast"], summary["outside"]) == (1, 0, 0)
        assert summary["held_by"] == {"node_away": len(channels) - 1, "outcome_unknown": 1}
        assert run_fee(overheard)["outcome"] == "skipped", "it is not even seen what the channels cost"
    finally:
        network.hub.thaw()
    ((frozen, _),) = proxy.told()
    assert history(overheard, frozen) == ["unknown"]
    until(lambda: prices(network)[frozen] == (0, LEAST_PPM), within=10, what="the node does late what it was asked")

    until(lambda: run_fee(overheard)["outcome"] == "done", within=RECOVERY_SECONDS, what="a fee cycle is done again")
    assert prices(network) == dict.fromkeys(channels, (0, LEAST_PPM))
    assert sorted(name for name, _ in proxy.told()) == sorted(channels), "each channel was told exactly once"
    assert history(overheard, frozen) == ["unknown", "broadcast"]
    assert overheard.ctl("dashboard")["activity"]["outside_changes_24h"] == 0
    assert summary_of(run_fee(overheard))["unchanged"] == len(channels)
    are_equal(network, overheard)


def test_an_answer_that_is_lost_is_not_taken_for_a_change_by_somebody_else(
    network: Network, overheard: Daemon, proxy: Proxy
) -> None:
    go_live(overheard)
    channels = prices(network)
    held = proxy.hold("setchannel", after=2)
    held.drop()
    summary = summary_of(run_fee(overheard))
    assert (summary["broadcast"], summary["unknown"]) == (2, 1)
    lost = proxy.told()[2][0]
    assert any("without an answer" in warning for warning in overheard.ctl("dashboard")["warnings"])

    summary = summary_of(run_fee(overheard))
    assert (summary["broadcast"], summary["unchanged"], summary["outside"]) == (len(channels) - 3, 3, 0)
    assert history(overheard, lost) == ["unknown", "broadcast"]
    assert sorted(name for name, _ in proxy.told()) == sorted(channels)
    assert prices(network) == dict.fromkeys(channels, (0, LEAST_PPM))


@pytest.mark.parametrize("page", [0, 1], ids=["before the first page is stored", "between two pages"])
def test_a_daemon_killed_while_it_reads_history_reads_on_where_it_was(
    network: Network, launch: Launch, proxy: Proxy, page: int
) -> None:
    held = proxy.hold("listforwards", after=page)
    daemon = launch(proxy.path)
    held.wait_for_answer()
    assert daemon.ingest()["state"] == "hydrating"
    daemon.kill()
    assert len(stored(daemon)) == (0 if page == 0 else len(expected(network.hub)))
    network.pay(network.alice, network.dave, 4_444_444)
    daemon.start()
    daemon.follow()
    are_equal(network, daemon)


def test_a_daemon_killed_before_it_heard_the_answer_knows_its_own_price_again(
    network: Network, overheard: Daemon, proxy: Proxy
) -> None:
    go_live(overheard)
    channels = prices(network)
    held = proxy.hold("setchannel", after=1)
    overheard.begin_cycle("fee")
    held.wait_for_answer()
    overheard.kill()
    (_, _), (cut_off, _) = proxy.told()

    overheard.start()
    overheard.follow()
    summary = summary_of(run_fee(overheard))
    assert (summary["broadcast"], summary["unchanged"], summary["outside"]) == (len(channels) - 2, 2, 0)
    assert sorted(name for name, _ in proxy.told()) == sorted(channels), "each channel was told exactly once"
    assert history(overheard, cut_off) == ["broadcast"]
    assert prices(network) == dict.fromkeys(channels, (0, LEAST_PPM))
    are_equal(network, overheard)


def test_a_daemon_killed_right_after_a_fee_cycle_tells_nothing_again(
    network: Network, overheard: Daemon, proxy: Proxy
) -> None:
    go_live(overheard)
    channels = prices(network)
    assert summary_of(run_fee(overheard))["broadcast"] == len(channels)
    overheard.kill()
    overheard.start()
    overheard.follow()
    summary = summary_of(run_fee(overheard))
    assert (summary["unchanged"], summary["outside"]) == (len(channels), 0)
    assert proxy.counts["setchannel"] == len(channels)
    are_equal(network, overheard)
