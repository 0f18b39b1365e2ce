"""How the network comes to be and goes: processes, a chain, channels, and a history of forwards of every kind."""

import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from pyln.testing.db import SqliteDbProvider
from pyln.testing.utils import BitcoinD, LightningNode, NodeFactory

from tests.regtest.network import Network, Node
from tests.regtest.patience import until

SPENDABLE_AFTER_BLOCKS = 101
ANNOUNCED_AFTER_BLOCKS = 6
CAPACITY_SAT = 2_000_000
HISTORY = 24
"""How many settled forwards there are before any test begins."""


@contextmanager
def founded_network() -> Iterator[Network]:
    """Give a network with a history, and leave no process behind."""
    with ExitStack() as stack:
        folder = tempfile.mkdtemp(prefix="rv", dir="/tmp")  # short: sockets are made in it
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        bitcoind = BitcoinD(bitcoin_dir=folder)
        stack.callback(_end_bitcoind, bitcoind)
        bitcoind.start()
        bitcoind.generate_block(SPENDABLE_AFTER_BLOCKS)
        executor = stack.enter_context(ThreadPoolExecutor(5))
        factory = NodeFactory(
            None, "regtest", bitcoind, executor, folder, SqliteDbProvider(folder), LightningNode, jsonschemas={}
        )
        stack.callback(_end_nodes, factory)
        made = [factory.get_node(start=False, may_reconnect=True) for _ in range(5)]
        list(executor.map(_start, made))
        hub, alice, bob, carol, dave = (Node(node) for node in made)
        network = Network(bitcoind, hub, alice, bob, carol, dave)
        _open_channels(network)
        _make_history(network)
        yield network


def _start(node: Any) -> None:
    # Else everything would also be written to standard output.
    node.daemon.opts |= {"log-file": str(Path(node.daemon.lightning_dir) / "log"), "log-level": "info"}
    node.start(stderr_redir=True)


def _end_nodes(factory: Any) -> None:
    processes = [node.daemon.proc for node in factory.nodes if node.daemon.proc is not None]
    for process in processes:
        process.kill()
    for process in processes:
        process.wait(30)
    for node in factory.nodes:
        node.daemon.cleanup_files()


def _end_bitcoind(bitcoind: Any) -> None:
    for proxy in bitcoind.proxies:
        proxy.stop()
    bitcoind.proxies.clear()
    if bitcoind.proc is not None:
        bitcoind.kill()
    bitcoind.cleanup_files()


def _open_channels(network: Network) -> None:
    hub, alice, bob, carol, dave = network.nodes
    for node in (hub, hub, hub, alice, bob):
        address = node.ask("newaddr", addresstype="bech32")["bech32"]
        network.bitcoind.rpc.sendtoaddress(address, 0.1)
    network.mine(1)
    for neighbour in network.neighbours:
        neighbour.connect(hub)
    wanted = [
        (alice, hub, True),
        (bob, hub, True),
        (hub, carol, True),
        (hub, dave, True),
        (hub, dave, False),
    ]
    funded = [
        opener.ask("fundchannel", id=peer.node_id, amount=CAPACITY_SAT, announce=announced, minconf=0)["txid"]
        for opener, peer, announced in wanted
    ]
    network.mine(ANNOUNCED_AFTER_BLOCKS - 1, transactions=funded)
    network.mine(1)  # by itself: a node that is behind the chain drops what is announced to it too early
    until(lambda: all(_is_usable(row) for row in hub.channels()), within=30, what="five usable channels")
    until(
        lambda: all(_public_halves(node) == 8 for node in network.nodes),
        within=60,
        what="everybody knows both halves of four channels",
    )


def _is_usable(row: dict[str, Any]) -> bool:
    return row["state"] == "CHANNELD_NORMAL" and "remote" in row.get("updates", {})


def _public_halves(node: Node) -> int:
    return sum(row["active"] and row["public"] for row in node.ask("listchannels")["channels"])


def _make_history(network: Network) -> None:
    """Forwards that settled, that failed further on, and that the hub itself refused, each for another reason."""
    hub, alice, bob, carol, dave = network.nodes
    ways = [(alice, carol), (bob, dave), (alice, dave), (carol, alice), (dave, bob), (bob, carol)]
    network.pay(alice, carol, 300_000_000)
    network.pay(bob, dave, 300_000_000)
    under_way = []
    for number in range(HISTORY - 3):
        payer, payee = ways[number % len(ways)]
        under_way.append((payer, network.begin(payer, payee, 1_000_001 + 7_919 * number)))
    for payer, payment_hash in under_way:
        network.finish(payer, payment_hash)
    network.pay(alice, dave, 5_000_000, through=hub.channel_with(dave, private=True)["alias"]["local"])
    network.fail(alice, carol, 1_000_000, invoice=network.unpayable())  # the payee knows no such payment
    network.fail(alice, carol, 2_000_000, fee_msat=0)
    network.fail(alice, carol, 3_000_000, through="700000x1x1")  # no channel of anybody
    network.fail(alice, bob, 1_000_000_000)  # more than the hub has on its side
    dave.stop()
    network.fail(alice, dave, 4_000_000, invoice=network.unpayable())  # nobody at home
    dave.start()
    dave.connect(hub)
    until(lambda: all(_is_reestablished(row) for row in hub.channels()), within=30, what="the channels with Dave again")


def _is_reestablished(row: dict[str, Any]) -> bool:
    return bool(row["peer_connected"] and row.get("reestablished"))
