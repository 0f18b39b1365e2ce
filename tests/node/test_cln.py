"""The real node answers as `Node` promises, whatever state it is in."""

from pathlib import Path
from typing import Any

import pytest

from revenued.errors import CallNotPermitted, NodeNonsense, NodeOutcomeUnknown, NodeRefused, NodeUnreachable
from revenued.model import ChannelFee
from revenued.node.cln import ClnNode
from revenued.node.interface import Counter, Node
from revenued.units import Msat, Ppm
from tests.node import samples
from tests.node.server import ScriptedNode, answer, answer_from, hang_up, refuse

PRICE = ChannelFee(Msat(0), Ppm(123))


@pytest.fixture
def cln_node(node: ScriptedNode) -> ClnNode:
    return ClnNode(node.path)


def test_it_is_a_node(cln_node: ClnNode) -> None:
    node: Node = cln_node
    assert node is cln_node


def test_info(node: ScriptedNode, cln_node: ClnNode) -> None:
    node.script["getinfo"] = answer(samples.getinfo())
    assert cln_node.info().node_id == samples.NODE_ID


def test_channels(node: ScriptedNode, cln_node: ClnNode) -> None:
    node.script["listpeerchannels"] = answer(samples.channels(samples.channel(), {}))
    found = cln_node.channels()
    assert [channel.channel_id for channel in found.channels] == [samples.CHANNEL_ID]
    assert len(found.skipped) == 1


def test_closed_channels(node: ScriptedNode, cln_node: ClnNode) -> None:
    node.script["listclosedchannels"] = answer({"closedchannels": [samples.closed_channel()]})
    found, _ = cln_node.closed_channels()
    assert found[0].close_cause == "remote"


def test_onchain_funds(node: ScriptedNode, cln_node: ClnNode) -> None:
    node.script["listfunds"] = answer({"outputs": [samples.output()], "channels": []})
    assert cln_node.onchain_funds().confirmed_msat == 995_073_000


def test_feerates_are_asked_for_per_kw(node: ScriptedNode, cln_node: ClnNode) -> None:
    node.script["feerates"] = answer_from(lambda params: samples.feerates() if params == {"style": "perkw"} else {})
    assert cln_node.feerates().floor_per_kw == 253


def test_forwards_are_asked_for_by_the_page(node: ScriptedNode, cln_node: ClnNode) -> None:
    node.script["listforwards"] = answer(samples.forwards(samples.settled(created_index=7)))
    page = cln_node.forwards("created", start=7, limit=500)
    assert page.last_index == 7
    assert node.requests[0]["params"] == {"index": "created", "start": 7, "limit": 500}


def test_from_the_beginning_means_from_one_because_rows_without_an_update_come_at_zero(
    node: ScriptedNode, cln_node: ClnNode
) -> None:
    node.script["listforwards"] = answer(samples.forwards())
    assert cln_node.forwards("updated", start=0, limit=10).last_index is None
    assert node.requests[0]["params"]["start"] == 1


def test_a_page_without_a_bound_cannot_be_asked_for(node: ScriptedNode, cln_node: ClnNode) -> None:
    with pytest.raises(CallNotPermitted):
        cln_node.forwards("created", start=1, limit=1_000_000)
    assert node.connection_count == 0


def test_moves_are_asked_for_by_the_page(node: ScriptedNode, cln_node: ClnNode) -> None:
    own = samples.channel_move(created_index=9, primary_tag="invoice")
    node.script["listchannelmoves"] = answer({"channelmoves": [samples.channel_move(), own]})
    page = cln_node.routed_moves(start=8, limit=500)
    assert ([move.created_index for move in page.routed], page.last_index) == ([8], 9)
    assert node.requests[0]["params"] == {"index": "created", "start": 8, "limit": 500}


def test_a_node_without_moves_refuses_to_show_them(cln_node: ClnNode) -> None:
    with pytest.raises(NodeRefused):
        cln_node.routed_moves(start=1, limit=1)


def test_all_moves_at_once_cannot_be_asked_for(node: ScriptedNode, cln_node: ClnNode) -> None:
    with pytest.raises(CallNotPermitted):
        cln_node.routed_moves(start=1, limit=1_000_000)
    assert node.connection_count == 0


@pytest.mark.parametrize("counter", ["created", "updated", "deleted"])
def test_a_counter_is_read_without_waiting(node: ScriptedNode, cln_node: ClnNode, counter: Counter) -> None:
    node.script["wait"] = answer_from(lambda params: {"subsystem": "forwards", params["indexname"]: 12})
    assert cln_node.forward_counter(counter) == 12
    assert node.requests[0]["params"] == {"subsystem": "forwards", "indexname": counter, "nextvalue": 0}


def test_aliases_are_asked_for_one_by_one_and_refused_ids_left_out(node: ScriptedNode, cln_node: ClnNode) -> None:
    known, nameless, refused = samples.PEER_ID, samples.OTHER_PEER_ID, samples.NODE_ID

    def listnodes(asked: Any) -> None:
        given = asked.params["id"]
        if given == refused:
            refuse(-32602, "id: should be a node id")(asked)
        else:
            asked.reply(result={"nodes": [{"nodeid": given, "alias": "ACINQ"}] if given == known else []})

    node.script["listnodes"] = listnodes
    assert cln_node.aliases([refused, nameless, known]) == {known: "ACINQ"}
    assert cln_node.aliases([]) == {}


def test_aliases_stop_when_the_node_goes_away(node: ScriptedNode, cln_node: ClnNode) -> None:
    node.script["listnodes"] = hang_up()
    with pytest.raises(NodeOutcomeUnknown):
        cln_node.aliases([samples.PEER_ID, samples.OTHER_PEER_ID])
    assert len(node.requests) == 1


def test_a_price_is_set_for_exactly_one_channel(node: ScriptedNode, cln_node: ClnNode) -> None:
    node.script["setchannel"] = answer(samples.setchannel())
    assert cln_node.set_channel_fee(samples.CHANNEL_ID, PRICE).fee == PRICE
    assert node.requests[0]["params"] == {"id": samples.CHANNEL_ID, "feebase": 0, "feeppm": 123}


@pytest.mark.parametrize("channel_id", ["all", samples.PEER_ID, "103x2x0", ""])
def test_a_price_cannot_be_set_for_more_than_one_channel(
    node: ScriptedNode, cln_node: ClnNode, channel_id: str
) -> None:
    with pytest.raises(CallNotPermitted):
        cln_node.set_channel_fee(channel_id, PRICE)
    assert node.connection_count == 0


def test_a_price_that_was_set_elsewhere_is_nonsense(node: ScriptedNode, cln_node: ClnNode) -> None:
    node.script["setchannel"] = answer(samples.setchannel(channel_id=samples.OTHER_CHANNEL_ID))
    with pytest.raises(NodeNonsense):
        cln_node.set_channel_fee(samples.CHANNEL_ID, PRICE)


def test_a_price_without_an_answer_is_of_unknown_outcome_and_not_sent_again(
    node: ScriptedNode, cln_node: ClnNode
) -> None:
    node.script["setchannel"] = hang_up()
    with pytest.raises(NodeOutcomeUnknown):
        cln_node.set_channel_fee(samples.CHANNEL_ID, PRICE)
    assert node.methods() == ["setchannel"]


def knows(*commands: str) -> Any:
    return answer({"help": [{"command": f"{command} "} for command in commands]})


def test_capabilities_are_asked_for_once(node: ScriptedNode, cln_node: ClnNode) -> None:
    node.script["help"] = knows("getinfo")
    assert cln_node.capabilities() == cln_node.capabilities()
    assert node.methods() == ["help"]


def test_after_the_node_was_away_its_capabilities_are_asked_for_again(socket_path: Path) -> None:
    cln_node = ClnNode(socket_path)
    with ScriptedNode(socket_path, {"help": knows("getinfo")}):
        assert not cln_node.capabilities().has("sling-job")
    with pytest.raises(NodeUnreachable):
        cln_node.info()
    with ScriptedNode(socket_path, {"help": knows("getinfo", "sling-job")}):
        assert cln_node.capabilities().has("sling-job")


@pytest.mark.parametrize("behaviour", [hang_up(), refuse(-32601, "Unknown command")])
def test_after_a_lost_call_or_a_vanished_command_capabilities_are_asked_for_again(
    node: ScriptedNode, cln_node: ClnNode, behaviour: Any
) -> None:
    node.script |= {"help": knows("getinfo"), "feerates": behaviour}
    cln_node.capabilities()
    with pytest.raises((NodeOutcomeUnknown, NodeRefused)):
        cln_node.feerates()
    cln_node.capabilities()
    assert node.methods() == ["help", "feerates", "help"]


def test_an_ordinary_refusal_changes_nothing_about_capabilities(node: ScriptedNode, cln_node: ClnNode) -> None:
    node.script |= {"help": knows("getinfo"), "feerates": refuse(-1, "not now")}
    cln_node.capabilities()
    with pytest.raises(NodeRefused):
        cln_node.feerates()
    cln_node.capabilities()
    assert node.methods() == ["help", "feerates"]


class Stopwatch:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_a_node_that_was_away_long_is_back_within_seconds(socket_path: Path) -> None:
    watch = Stopwatch()
    cln_node = ClnNode(socket_path, monotonic=watch)
    reasons: list[str] = []
    for _ in range(50):
        with pytest.raises(NodeUnreachable) as failure:
            cln_node.info()
        reasons.append(str(failure.value))
        watch.seconds += 1
    assert sum("breaker" in reason for reason in reasons) > 30, "most calls never touched the socket"
    with ScriptedNode(socket_path, {"getinfo": answer(samples.getinfo())}):
        watch.seconds += 5.1
        assert cln_node.info().node_id == samples.NODE_ID


def test_a_doorbell_rings_on_the_same_socket(node: ScriptedNode, cln_node: ClnNode) -> None:
    node.script["wait"] = answer_from(lambda params: {params["indexname"]: params["nextvalue"]})
    bell = cln_node.doorbell()
    assert bell.ring(3, 4, 10) is True
    bell.close()
