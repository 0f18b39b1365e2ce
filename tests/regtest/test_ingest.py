"""The forwards of the real node, all of them, once, soon, and to the millisatoshi."""

from collections import Counter

from revenued.units import key_to_scid
from tests.regtest.conftest import Launch
from tests.regtest.daemon import Daemon
from tests.regtest.ledger import expected, fees_settled, stored, told
from tests.regtest.network import Network
from tests.regtest.patience import until

SOON_SECONDS = 2.0


def test_the_whole_history_of_the_node_is_in_the_database_row_by_row(network: Network, daemon: Daemon) -> None:
    wanted = expected(network.hub)
    assert Counter(row[2] for row in wanted) >= Counter(settled=24, failed=1, local_failed=4)
    assert stored(daemon) == wanted
    ingest = daemon.ctl("status")["ingest"]
    assert ingest["state"] == "following"
    assert ingest["created_index"] == len(wanted)
    assert (ingest["behind"], ingest["missing_count"], ingest["unreadable_count"]) == (0, 0, 0)


def test_forwards_that_the_node_refused_say_why_and_invent_no_channel(network: Network, daemon: Daemon) -> None:
    refused = daemon.rows("SELECT failcode, asked_scid, out_scid FROM forwards WHERE status = 'local_failed'")
    unknown_next_peer, fee_insufficient, temporary_channel_failure = 0x400A, 0x100C, 0x1007
    assert {row["failcode"] for row in refused} == {unknown_next_peer, fee_insufficient, temporary_channel_failure}
    nowhere = [row for row in refused if row["failcode"] == unknown_next_peer]
    assert [(key_to_scid(row["asked_scid"]), row["out_scid"]) for row in nowhere] == [("700000x1x1", None)]
    summed = {key_to_scid(row["scid"]) for row in daemon.rows("SELECT DISTINCT scid FROM forward_days")}
    assert summed <= {row["short_channel_id"] for row in network.hub.channels()}


def test_a_payment_made_later_is_in_the_database_within_two_seconds(network: Network, daemon: Daemon) -> None:
    network.pay(network.bob, network.carol, 12_345_678)
    newest = told(network.hub)[-1]
    assert newest["out_msat"] == 12_345_678
    index = newest["created_index"]
    until(lambda: daemon.status_of_forward(index) == "settled", within=SOON_SECONDS, what="the payment is stored")
    assert stored(daemon) == expected(network.hub)


def test_a_forward_that_was_under_way_while_history_was_read_is_settled_when_it_ends(
    network: Network, launch: Launch
) -> None:
    invoice = network.invoice(network.carol, 2_222_222)
    network.carol.freeze()
    try:
        payment = network.begin(network.alice, network.carol, 2_222_222, invoice=invoice)
        until(lambda: told(network.hub)[-1]["status"] == "offered", within=10, what="the forward is under way")
        daemon = launch(network.hub.socket)
        daemon.follow()
        index = told(network.hub)[-1]["created_index"]
        assert daemon.status_of_forward(index) == "offered"
    finally:
        network.carol.thaw()
    network.finish(network.alice, payment)
    until(lambda: daemon.status_of_forward(index) == "settled", within=SOON_SECONDS, what="the end is stored")
    assert stored(daemon) == expected(network.hub)


def test_what_was_earned_is_what_the_node_says_to_the_millisatoshi(network: Network, daemon: Daemon) -> None:
    earned = fees_settled(network.hub)
    assert earned > 0
    assert daemon.rows("SELECT SUM(fee_msat) AS sum FROM forwards WHERE status = 'settled'") == [{"sum": earned}]
    period = daemon.ctl("dashboard")["period"]
    assert period["gross_revenue_msat"] == earned
    ends = Counter(row["status"] for row in told(network.hub))
    assert (period["total_forwards"], period["failed_forwards"], period["local_failed_forwards"]) == (
        ends["settled"],
        ends["failed"],
        ends["local_failed"],
    )
    assert period["volume_msat"] == sum(row["out_msat"] for row in told(network.hub) if row["status"] == "settled")


def test_a_payment_by_the_alias_of_a_private_channel_counts_for_that_channel(network: Network, daemon: Daemon) -> None:
    hub, dave = network.hub, network.dave
    private = hub.channel_with(dave, private=True)
    # At the price of the public channel with the same peer the node would be free to take that one.
    hub.ask("setchannel", id=private["channel_id"], feeppm=500, enforcedelay=0)
    before = _earned(daemon, private["channel_id"])
    network.pay(network.alice, dave, 3_333_333, through=private["alias"]["local"])
    until(lambda: stored(daemon) == expected(hub), within=SOON_SECONDS, what="the payment is stored")
    fee_msat = 1 + 3_333_333 * 500 // 1_000_000
    assert _earned(daemon, private["channel_id"]) == before + fee_msat


def _earned(daemon: Daemon, channel_id: str) -> int:
    row = next(row for row in daemon.ask("channels")["channels"] if row["channel_id"] == channel_id)
    return int(row["earned_msat"])
