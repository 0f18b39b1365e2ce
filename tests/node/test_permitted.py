"""Nothing reaches the node's socket that is not on the list, or not in the form that the list allows."""

from typing import Any

import pytest

from revenued.errors import CallNotPermitted
from revenued.node.permitted import PERMITTED, permit_for
from revenued.node.transport import Transport
from tests.node.samples import CHANNEL_ID, PEER_ID
from tests.node.server import ScriptedNode, answer

FORBIDDEN_METHODS = [
    "withdraw", "pay", "xpay", "renepay", "close", "sendpay", "sendonion", "injectpaymentonion", "keysend",
    "fundchannel", "multifundchannel", "stop", "exposesecret", "setconfig", "txsend", "signpsbt", "sendpsbt",
    "spliceout", "recover", "plugin", "createrune", "dev-forget-channel", "invoice", "delforward", "sql",
    "listinvoices", "listsendpays", "listchainmoves", "listhtlcs", "check", "batching", "", "help ", " help", "HELP",
    "help\n", "help\0", "setchannel ", "listforwards-all",
]  # fmt: skip


@pytest.mark.parametrize("method", FORBIDDEN_METHODS)
def test_a_method_that_is_not_on_the_list_never_reaches_the_socket(node: ScriptedNode, method: str) -> None:
    node.script[method] = answer({})
    with pytest.raises(CallNotPermitted):
        Transport(node.path).call(method, {})
    assert node.connection_count == 0


@pytest.mark.parametrize("method", [None, 1, b"help", ["help"], {"help": 1}])
def test_a_method_that_is_no_text_is_refused(method: Any) -> None:
    with pytest.raises(CallNotPermitted):
        permit_for(method, {})


@pytest.mark.parametrize(
    "call",
    [
        lambda rpc: rpc.withdraw("bcrt1qqq", "all"),
        lambda rpc: rpc.pay("lnbcrt1"),
        lambda rpc: rpc.close(PEER_ID),
        lambda rpc: rpc.fundchannel(PEER_ID, "all"),
        lambda rpc: rpc.sendpay([], "00" * 32),
        lambda rpc: rpc.stop(),
        lambda rpc: rpc.exposesecret("x"),
        lambda rpc: rpc.anything_at_all("positional"),
        lambda rpc: rpc.listforwards(),
        lambda rpc: rpc.listforwards(status="settled"),
        lambda rpc: rpc.listnodes(),
        lambda rpc: rpc.setchannel("all", 0, 1),
        lambda rpc: rpc.setchannel(CHANNEL_ID, 0, 1, htlcmax=0),
    ],
)
def test_the_methods_that_pyln_brings_along_cannot_get_around_the_list(node: ScriptedNode, call: Any) -> None:
    with pytest.raises(CallNotPermitted):
        call(Transport(node.path))
    assert node.connection_count == 0


def test_nothing_on_the_list_can_move_money() -> None:
    assert set(PERMITTED) == {
        "help", "getinfo", "listpeerchannels", "listclosedchannels", "listnodes", "listforwards", "listchannelmoves",
        "wait", "feerates", "listfunds", "setchannel",
    }  # fmt: skip


PAGE = {"index": "created", "start": 1, "limit": 1000}
PRICE = {"id": CHANNEL_ID, "feebase": 0, "feeppm": 100}


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("listforwards", {}),
        ("listforwards", {"index": "created"}),
        ("listforwards", {"index": "created", "start": 1}),
        ("listforwards", {"start": 1, "limit": 1}),
        ("listforwards", PAGE | {"index": "deleted"}),
        ("listforwards", PAGE | {"index": ["created"]}),
        ("listforwards", PAGE | {"start": -1}),
        ("listforwards", PAGE | {"start": True}),
        ("listforwards", PAGE | {"start": 1.0}),
        ("listforwards", PAGE | {"start": 2**63}),
        ("listforwards", PAGE | {"limit": 0}),
        ("listforwards", PAGE | {"limit": 10_001}),
        ("listforwards", PAGE | {"limit": "10"}),
        ("listforwards", PAGE | {"in_channel": "103x1x0"}),
        ("listforwards", ["settled"]),
        ("listchannelmoves", {}),
        ("listchannelmoves", {"index": "created"}),
        ("listchannelmoves", {"start": 1, "limit": 1}),
        ("listchannelmoves", PAGE | {"index": "updated"}),
        ("listchannelmoves", PAGE | {"index": ["created"]}),
        ("listchannelmoves", PAGE | {"start": -1}),
        ("listchannelmoves", PAGE | {"limit": 10_001}),
        ("listchannelmoves", PAGE | {"limit": True}),
        ("listchannelmoves", PAGE | {"account": CHANNEL_ID}),
        ("listnodes", {}),
        ("listnodes", {"id": None}),
        ("listnodes", {"id": CHANNEL_ID}),
        ("listnodes", {"id": PEER_ID + "\n"}),
        ("setchannel", {}),
        ("setchannel", PRICE | {"id": "all"}),
        ("setchannel", PRICE | {"id": PEER_ID}),
        ("setchannel", PRICE | {"id": "103x1x0"}),
        ("setchannel", PRICE | {"id": CHANNEL_ID + "\n"}),
        ("setchannel", PRICE | {"id": CHANNEL_ID[:-1]}),
        ("setchannel", PRICE | {"id": CHANNEL_ID.upper()}),
        ("setchannel", PRICE | {"id": 5}),
        ("setchannel", PRICE | {"feeppm": -1}),
        ("setchannel", PRICE | {"feeppm": 100_001}),
        ("setchannel", PRICE | {"feeppm": True}),
        ("setchannel", PRICE | {"feeppm": 1.0}),
        ("setchannel", PRICE | {"feeppm": "1"}),
        ("setchannel", PRICE | {"feebase": -1}),
        ("setchannel", PRICE | {"feebase": 100_001}),
        ("setchannel", PRICE | {"feebase": False}),
        ("setchannel", PRICE | {"htlcmax": 0}),
        ("setchannel", PRICE | {"enforcedelay": 0}),
        ("setchannel", {"id": CHANNEL_ID, "feeppm": 100}),
        ("setchannel", [CHANNEL_ID, 0, 1]),
    ],
)
def test_a_permitted_method_in_a_dangerous_form_never_reaches_the_socket(
    node: ScriptedNode, method: str, params: Any
) -> None:
    with pytest.raises(CallNotPermitted, match=method):
        Transport(node.path).call(method, params)
    assert node.connection_count == 0


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("listforwards", PAGE),
        ("listforwards", {"index": "updated", "start": 0, "limit": 10_000}),
        ("listchannelmoves", PAGE | {"limit": 10_000}),
        ("listnodes", {"id": PEER_ID}),
        ("setchannel", PRICE),
        ("setchannel", PRICE | {"feebase": 100_000, "feeppm": 100_000}),
        ("setchannel", PRICE | {"feeppm": 0}),
    ],
)
def test_a_permitted_method_in_its_form_is_let_through(method: str, params: dict[str, Any]) -> None:
    assert permit_for(method, params) is PERMITTED[method]


def test_every_permitted_method_has_a_time_limit() -> None:
    assert all(0 < permit.timeout_seconds <= 60 for permit in PERMITTED.values())


def test_the_refusal_does_not_repeat_a_long_name_whole() -> None:
    with pytest.raises(CallNotPermitted) as refusal:
        permit_for("x" * 5000, {})
    assert len(str(refusal.value)) < 120
