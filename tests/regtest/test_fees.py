"""Prices on the real node: nothing in dry run, the network told once when live, and the operator's hand respected."""

import pytest

from tests.regtest.daemon import Daemon, summary_of
from tests.regtest.network import UNCHARGED, Network
from tests.regtest.patience import until
from tests.regtest.proxy import Proxy

GOSSIP_SECONDS = 30.0
LEAST_PPM = 150


def go_live(daemon: Daemon) -> None:
    """Let the daemon tell prices, all of which are too low, and want the same for each channel."""
    daemon.configure(
        dry_run=False,
        min_fee_ppm=LEAST_PPM,
        enable_scarcity_pricing=False,
        # A set interval counts from now, so that no cycle of the daemon's own comes between those of the test.
        fee_interval=86_400,
    )


@pytest.fixture
def live(overheard: Daemon) -> Daemon:
    """A daemon that may tell the hub prices."""
    go_live(overheard)
    return overheard


def prices(network: Network) -> dict[str, tuple[int, int]]:
    """Return channel id → base fee and ppm, as the hub has them."""
    return {
        row["channel_id"]: (
            row["updates"]["local"]["fee_base_msat"],
            row["updates"]["local"]["fee_proportional_millionths"],
        )
        for row in network.hub.channels()
    }


def announced(network: Network) -> set[int]:
    """Return the ppm that Alice knows of the hub's public channels."""
    rows = network.alice.ask("listchannels", source=network.hub.node_id)["channels"]
    return {row["fee_per_millionth"] for row in rows if row["public"]}


def test_in_a_dry_run_everything_is_decided_and_nothing_is_told(
    network: Network, overheard: Daemon, proxy: Proxy
) -> None:
    overheard.configure(min_fee_ppm=LEAST_PPM)
    before = prices(network)
    summary = summary_of(overheard.ctl("run", "fee"))
    assert (summary["would_broadcast"], summary["broadcast"]) == (len(before), 0)
    assert proxy.counts["setchannel"] == 0
    assert prices(network) == before
    assert {row["outcome"] for row in overheard.ctl("channels")["channels"]} == {"dry_run"}
    assert overheard.ctl("fees", "history")["changes"] == []
    dashboard = overheard.ctl("dashboard")
    assert dashboard["dry_run"] is True
    assert "Dry run" in dashboard["notes"][0]
    assert "dry_run false" in overheard.text("dashboard")


def test_live_prices_reach_the_node_and_the_network(network: Network, live: Daemon) -> None:
    channels = prices(network)
    summary = summary_of(live.ctl("run", "fee"))
    assert (summary["broadcast"], summary["would_broadcast"], summary["unknown"]) == (len(channels), 0, 0)
    assert prices(network) == dict.fromkeys(channels, (0, LEAST_PPM))
    until(lambda: announced(network) == {LEAST_PPM}, within=GOSSIP_SECONDS, what="the neighbours know the prices")
    changes = live.ctl("fees", "history")["changes"]
    assert {change["channel_id"] for change in changes} == set(channels)
    assert {(change["kind"], change["from_ppm"], change["to_ppm"]) for change in changes} == {
        ("broadcast", UNCHARGED["feeppm"], LEAST_PPM)
    }
    assert live.ctl("dashboard")["activity"]["fee_changes_24h"] == len(channels)


def test_payers_are_charged_the_new_price(network: Network, live: Daemon) -> None:
    summary_of(live.ctl("run", "fee"))
    network.pay(network.alice, network.carol, 10_000_000)
    until(
        lambda: (
            live.rows("SELECT fee_msat FROM forwards ORDER BY created_index DESC LIMIT 1")[0]
            == {"fee_msat": 10_000_000 * LEAST_PPM // 1_000_000}
        ),
        within=2,
        what="the forward is stored with the new fee",
    )


def test_a_second_cycle_asks_for_nothing(network: Network, live: Daemon, proxy: Proxy) -> None:
    summary_of(live.ctl("run", "fee"))
    first = proxy.counts["setchannel"]
    assert first == len(prices(network))
    assert len(set(proxy.told())) == first, "each channel once"
    summary = summary_of(live.ctl("run", "fee"))
    assert (summary["unchanged"], summary["broadcast"], summary["outside"]) == (first, 0, 0)
    assert proxy.counts["setchannel"] == first


def test_a_price_set_by_hand_is_left_alone_and_reported_until_its_time_is_over(
    network: Network, live: Daemon, proxy: Proxy
) -> None:
    summary_of(live.ctl("run", "fee"))
    told = proxy.counts["setchannel"]
    by_hand = network.hub.channel_with(network.carol)
    name = by_hand["channel_id"]
    network.hub.ask("setchannel", id=name, feebase=5, feeppm=77)  # below what the daemon allows itself

    summary = summary_of(live.ctl("run", "fee"))
    assert (summary["outside"], summary["held"], summary["broadcast"]) == (1, 1, 0)
    assert summary["held_by"] == {"changed_outside": 1}
    summary = summary_of(live.ctl("run", "fee"))
    assert (summary["outside"], summary["held_by"]) == (0, {"changed_outside": 1}), "news only once"
    assert proxy.counts["setchannel"] == told
    assert prices(network)[name] == (5, 77)

    explained = live.ctl("fees", "explain", by_hand["short_channel_id"])
    assert explained["held_by"] == "changed_outside"
    assert explained["held_until"] is not None
    assert (explained["outside"]["ppm"], explained["outside"]["base_fee_msat"]) == (77, 5)
    outside = [change for change in live.ctl("fees", "history")["changes"] if change["kind"] == "outside"]
    assert [(change["channel_id"], change["from_ppm"], change["to_ppm"]) for change in outside] == [
        (name, LEAST_PPM, 77)
    ]
    dashboard = live.ctl("dashboard")
    assert dashboard["activity"]["outside_changes_24h"] == 1
    assert any("changed by somebody else" in warning for warning in dashboard["warnings"])

    live.configure(respect_manual_hours=0)
    assert summary_of(live.ctl("run", "fee"))["broadcast"] == 1
    assert prices(network)[name] == (0, LEAST_PPM)
    assert proxy.told()[told:] == [(name, LEAST_PPM)]


def test_nothing_is_told_while_paused(network: Network, live: Daemon, proxy: Proxy) -> None:
    before = prices(network)
    live.ctl("pause")
    assert summary_of(live.ctl("run", "fee"))["held_by"] == {"paused": len(before)}
    assert (proxy.counts["setchannel"], prices(network)) == (0, before)
    live.ctl("resume")
    assert summary_of(live.ctl("run", "fee"))["broadcast"] == len(before)
