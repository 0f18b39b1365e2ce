"""A hub with four neighbours, as the tests see it: who they are, and payments from one to another through the hub."""

import itertools
import os
import secrets
import signal
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pyln.client import LightningRpc, RpcError

from tests.regtest.patience import until

Json = dict[str, Any]

FINAL_DELAY = 9
HOP_DELAY = 6
SENDPAY_SECONDS = 20
UNCHARGED = {"feebase": 1, "feeppm": 10}
"""What a new channel of these nodes costs."""


class Node:
    """One lightningd, which can be stopped, started and frozen."""

    def __init__(self, node: Any) -> None:
        self._node = node
        self.socket = Path(str(node.rpc.socket_path))
        self.node_id = str(node.info["id"])
        self.port = int(node.port)
        # pyln-testing's own connection puts a `check` before every call.
        self._rpc = LightningRpc(str(self.socket))

    def ask(self, method: str, **params: object) -> Json:
        answer: Json = self._rpc.call(method, params)
        return answer

    def channels(self) -> list[Json]:
        rows: list[Json] = self.ask("listpeerchannels")["channels"]
        return rows

    def channel_with(self, peer: "Node", *, private: bool = False) -> Json:
        """Return the oldest usable channel with `peer`."""
        found = [
            row
            for row in self.channels()
            if row["peer_id"] == peer.node_id and row["private"] == private and row["state"] == "CHANNELD_NORMAL"
        ]
        return min(found, key=lambda row: [int(part) for part in row["short_channel_id"].split("x")])

    def connect(self, peer: "Node") -> None:
        self.ask("connect", id=peer.node_id, host="127.0.0.1", port=peer.port)

    def stop(self) -> None:
        self._node.stop(timeout=30)

    def kill(self) -> None:
        """End it as a power cut does."""
        self._node.daemon.kill()

    def start(self) -> None:
        self._node.start(stderr_redir=True)

    def freeze(self) -> None:
        """Stop the process without its noticing: its socket takes connections and requests, and answers none."""
        os.kill(self._node.daemon.proc.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self._node.daemon.proc.pid, signal.SIGCONT)


@dataclass
class Network:
    """The hub and its neighbours. Alice and Bob paid for their channels with the hub, the hub for those of the others.

    With Dave the hub has a second channel, which is private.
    """

    bitcoind: Any
    hub: Node
    alice: Node
    bob: Node
    carol: Node
    dave: Node
    _labels: "itertools.count[int]" = field(default_factory=itertools.count)

    @property
    def nodes(self) -> tuple[Node, ...]:
        return (self.hub, *self.neighbours)

    @property
    def neighbours(self) -> tuple[Node, ...]:
        return (self.alice, self.bob, self.carol, self.dave)

    def mine(self, blocks: int, *, transactions: list[str] | None = None) -> None:
        """Mine blocks, the first with `transactions`, and wait until every node has seen them."""
        self.bitcoind.generate_block(blocks, wait_for_mempool=transactions or 0)
        height = self.bitcoind.rpc.getblockcount()
        until(
            lambda: all(node.ask("getinfo")["blockheight"] == height for node in self.nodes),
            within=90,
            what=f"every node at height {height}",
        )

    def pay(self, payer: Node, payee: Node, amount_msat: int, *, through: str | None = None) -> None:
        """Pay through the hub, at the price of the hub's channel, and wait for the end."""
        self.finish(payer, self.begin(payer, payee, amount_msat, through=through))

    def fail(
        self,
        payer: Node,
        payee: Node,
        amount_msat: int,
        *,
        through: str | None = None,
        fee_msat: int | None = None,
        invoice: Json | None = None,
    ) -> None:
        """Try to pay what cannot arrive, and wait for the end."""
        sent = self.begin(payer, payee, amount_msat, through=through, fee_msat=fee_msat, invoice=invoice)
        try:
            self.finish(payer, sent)
        except RpcError:
            return
        raise AssertionError("a payment arrived that cannot")

    def begin(
        self,
        payer: Node,
        payee: Node,
        amount_msat: int,
        *,
        through: str | None = None,
        fee_msat: int | None = None,
        invoice: Json | None = None,
    ) -> str:
        """Send a payment on its way and return its hash."""
        way_out = self._way_out(payee, through)
        policy = way_out["updates"]["local"]
        if fee_msat is None:
            proportional = amount_msat * int(policy["fee_proportional_millionths"]) // 1_000_000
            fee_msat = int(policy["fee_base_msat"]) + proportional
        wanted = self.invoice(payee, amount_msat) if invoice is None else invoice
        route = [
            {
                "id": self.hub.node_id,
                "channel": payer.channel_with(self.hub)["short_channel_id"],
                "amount_msat": amount_msat + fee_msat,
                "delay": FINAL_DELAY + HOP_DELAY,
            },
            {
                "id": payee.node_id,
                "channel": through or way_out["short_channel_id"],
                "amount_msat": amount_msat,
                "delay": FINAL_DELAY,
            },
        ]
        payer.ask("sendpay", route=route, **wanted)
        return str(wanted["payment_hash"])

    def finish(self, payer: Node, payment_hash: str) -> None:
        """Wait for the end of a payment; raises RpcError when it failed."""
        payer.ask("waitsendpay", payment_hash=payment_hash, timeout=SENDPAY_SECONDS)

    def invoice(self, payee: Node, amount_msat: int) -> Json:
        """Return what a payer must know."""
        label = f"{next(self._labels)}"
        made = payee.ask("invoice", amount_msat=amount_msat, label=label, description=label)
        return {name: made[name] for name in ("payment_hash", "payment_secret")}

    @staticmethod
    def unpayable() -> Json:
        """Return the same for a payment that nobody waits for."""
        return {"payment_hash": secrets.token_hex(32), "payment_secret": secrets.token_hex(32)}

    def forget_prices(self) -> None:
        """Give every channel of the hub the price of a new one."""
        for row in self.hub.channels():
            if row["state"] == "CHANNELD_NORMAL":
                self.hub.ask("setchannel", id=row["channel_id"], enforcedelay=0, **UNCHARGED)

    def _way_out(self, payee: Node, through: str | None) -> Json:
        """Return the hub's channel that a payment asks for; for one that nobody has, one of the right price."""
        for row in self.hub.channels():
            if through in (row["alias"]["local"], row.get("short_channel_id")):
                return row
        return self.hub.channel_with(payee)
