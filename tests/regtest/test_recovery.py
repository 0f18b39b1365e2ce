"""What the node deletes while nobody looks is found again in its channel moves.

This file comes last in the folder: what is deleted here is missing from the node's history for good.
"""

from tests.regtest.daemon import Daemon, summary_of
from tests.regtest.ledger import expected, fees_settled, stored, told
from tests.regtest.network import Network
from tests.regtest.patience import until


def test_forwards_deleted_while_the_daemon_is_down_keep_their_fees(network: Network, daemon: Daemon) -> None:
    hub, alice, bob, carol, dave = network.nodes
    invoice = network.invoice(carol, 2_718_281)
    carol.freeze()
    try:
        payment = network.begin(alice, carol, 2_718_281, invoice=invoice)
        until(lambda: _states(daemon)[-1] == "offered", within=10, what="a forward is stored as under way")
        assert daemon.stop() == 0
    finally:
        carol.thaw()
    network.finish(alice, payment)
    network.pay(bob, dave, 3_141_592)
    lost = told(hub)[-2:]
    assert [row["out_msat"] for row in lost] == [2_718_281, 3_141_592]
    for row in lost:
        hub.ask("delforward", in_channel=row["in_channel"], in_htlc_id=row["in_htlc_id"], status="settled")
    network.pay(alice, dave, 5_000_001)

    for _ in range(2):
        daemon.start()
        daemon.follow()
        until(lambda: daemon.ingest()["recovered_count"] == len(lost), within=10, what="what was deleted is found")
        rows = stored(daemon)
        assert [row for row in rows if row[0] > 0] == expected(hub)
        found = daemon.rows("SELECT in_msat, out_msat, fee_msat, status FROM forwards WHERE created_index < 0")
        assert sorted(found, key=lambda row: int(row["out_msat"])) == [
            {**{name: row[name] for name in ("in_msat", "out_msat", "fee_msat")}, "status": "settled"} for row in lost
        ]
        assert daemon.ask("dashboard")["period"]["gross_revenue_msat"] == fees_settled(hub)
        verified = summary_of(daemon.ctl("run", "ingest", "--verify"))
        assert verified["different"] == 0, verified
        assert daemon.stop() == 0


def _states(daemon: Daemon) -> list[str]:
    return [row["status"] for row in daemon.rows("SELECT status FROM forwards ORDER BY created_index")]
