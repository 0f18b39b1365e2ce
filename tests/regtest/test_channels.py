"""Whatever a real channel looks like on its way from funding to the chain, it can be read and is shown."""

import pytest

from tests.regtest.daemon import Daemon, summary_of
from tests.regtest.network import Network
from tests.regtest.patience import until

FORGOTTEN_AFTER_BLOCKS = 100


def test_every_channel_of_the_node_is_stored_and_shown(network: Network, daemon: Daemon) -> None:
    wanted = {row["channel_id"]: row for row in network.hub.channels()}
    assert {row["channel_id"] for row in daemon.rows("SELECT channel_id FROM channels")} == set(wanted)
    shown = daemon.ctl("channels")
    assert shown["skipped"] == []
    assert {row["channel_id"] for row in shown["channels"]} == set(wanted)
    for row in shown["channels"]:
        real = wanted[row["channel_id"]]
        assert row["scid"] == real["short_channel_id"]
        assert row["peer_id"] == real["peer_id"]
        assert row["capacity_msat"] == real["total_msat"]
        assert (row["fee_ppm"], row["base_fee_msat"]) == (10, 1)
        assert row["connected"] is True
    table = daemon.text("channels")
    assert all(row["short_channel_id"] in table for row in wanted.values())


def test_every_answer_of_the_real_node_can_be_read(network: Network, daemon: Daemon) -> None:
    for cycle in ("flow", "fee", "snapshot", "ingest", "retention"):
        summary_of(daemon.ctl("run", cycle))
    status = daemon.ctl("status")
    assert status["channels"]["skipped"] == []
    assert status["channels"]["total"] == status["channels"]["usable"] == len(network.hub.channels())
    assert status["ingest"]["unreadable_count"] == 0
    assert {row["kind"]: row["outcome"] for row in status["cycles"]} == dict.fromkeys(
        ("flow", "fee", "snapshot", "retention"), "done"
    )
    info = network.hub.ask("getinfo")
    told = status["node"]
    assert told["reachable"]
    assert told["trouble"] is None
    assert told["syncing"] is None
    assert (told["node_id"], told["alias"], told["version"], told["network"], told["blockheight"]) == tuple(
        info[name] for name in ("id", "alias", "version", "network", "blockheight")
    )
    aliases = {row["alias"] for row in daemon.ctl("channels")["channels"]}
    assert aliases == {peer.ask("getinfo")["alias"] for peer in network.neighbours}


def test_what_the_node_owns_is_summed_up_to_the_millisatoshi(network: Network, daemon: Daemon) -> None:
    until(lambda: daemon.ask("dashboard")["tlv"], within=15, what="the first snapshot, soon after start")
    summary_of(daemon.ctl("run", "snapshot"))
    tlv = daemon.ctl("dashboard")["tlv"]
    funds = network.hub.ask("listfunds")
    assert tlv["channels_msat"] == sum(row["to_us_msat"] for row in network.hub.channels())
    assert tlv["onchain_confirmed_msat"] == sum(
        output["amount_msat"] for output in funds["outputs"] if output["status"] == "confirmed"
    )


@pytest.mark.timeout(180)  # a closed channel is listed as such after a hundred blocks, which five nodes must see
def test_a_channel_is_followed_from_its_funding_to_its_end(network: Network, daemon: Daemon) -> None:
    hub, bob = network.hub, network.bob
    opened = hub.ask("fundchannel", id=bob.node_id, amount=1_000_000, announce=True)
    name = opened["channel_id"]
    summary_of(daemon.ctl("run", "flow"))
    shown = _shown(daemon, name)
    assert shown["state"] == "CHANNELD_AWAITING_LOCKIN"
    assert summary_of(daemon.ctl("run", "fee"))["left_alone"] == 1
    assert _explained(daemon, name)["outcome"] == "left_alone"

    network.mine(6, transactions=[opened["txid"]])
    until(lambda: _state(network, name) == "CHANNELD_NORMAL", within=30, what="the channel can be used")
    summary_of(daemon.ctl("run", "flow"))
    assert _shown(daemon, name)["state"] == "CHANNELD_NORMAL"
    assert _shown(daemon, name)["scid"] is not None
    assert summary_of(daemon.ctl("run", "fee"))["left_alone"] == 0

    closed = hub.ask("close", id=name)
    network.mine(1, transactions=closed["txids"])
    until(lambda: _state(network, name) == "ONCHAIN", within=30, what="the channel is on the chain")
    summary_of(daemon.ctl("run", "flow"))
    assert _shown(daemon, name)["state"] == "ONCHAIN"
    assert summary_of(daemon.ctl("run", "fee"))["left_alone"] == 1
    assert daemon.rows("SELECT closed_at FROM channels WHERE channel_id = ?", name) == [{"closed_at": None}]

    network.mine(FORGOTTEN_AFTER_BLOCKS)
    until(lambda: _state(network, name) is None, within=60, what="the node forgets the channel")
    assert summary_of(daemon.ctl("run", "flow"))["newly_closed"] == 1
    assert name not in {row["channel_id"] for row in daemon.ctl("channels")["channels"]}
    stored = daemon.rows("SELECT closed_at, close_cause FROM channels WHERE channel_id = ?", name)[0]
    assert stored["closed_at"] is not None
    assert stored["close_cause"] == "user"


def _shown(daemon: Daemon, channel_id: str) -> dict[str, object]:
    rows = daemon.ctl("channels")["channels"]
    return next(dict(row) for row in rows if row["channel_id"] == channel_id)


def _explained(daemon: Daemon, channel_id: str) -> dict[str, object]:
    return daemon.ctl("fees", "explain", channel_id)


def _state(network: Network, channel_id: str) -> str | None:
    return next((str(row["state"]) for row in network.hub.channels() if row["channel_id"] == channel_id), None)
