"""What the node says of itself, the chain and a fee change is read whole or not at all."""

from typing import Any

import pytest

from revenued.errors import NodeNonsense
from revenued.model import ChannelFee, Feerates, FeeReply, NodeInfo, OnchainFunds
from revenued.node import parse
from revenued.node.interface import Counter
from revenued.units import MAX_MONEY_MSAT, FeeratePerKw, Msat, Ppm, Sat
from tests.node import samples


def test_a_node_introduces_itself() -> None:
    assert parse.node_info(samples.getinfo()) == NodeInfo(
        node_id=samples.NODE_ID,
        alias="SILENTGOPHER-v26.06.6",
        network="regtest",
        version="v26.06.6",
        blockheight=108,
        fees_collected_msat=Msat(501),
        syncing=None,
    )


@pytest.mark.parametrize(
    ("warnings", "syncing"),
    [
        ({"warning_lightningd_sync": "Still loading latest blocks from bitcoind."},
         "Still loading latest blocks from bitcoind."),
        ({"warning_bitcoind_sync": "Bitcoind is not up-to-date with network."},
         "Bitcoind is not up-to-date with network."),
        ({"warning_lightningd_sync": "B", "warning_bitcoind_sync": "A"}, "A; B"),
        ({"warning_bitcoind_sync": ""}, "warning_bitcoind_sync"),
    ],
)  # fmt: skip
def test_a_node_that_is_behind_the_chain_says_so(warnings: dict[str, str], syncing: str) -> None:
    assert parse.node_info(samples.getinfo(**warnings)).syncing == syncing


def test_an_alias_is_made_printable_and_short() -> None:
    assert parse.node_info(samples.getinfo(alias="\x1b[2J" + "a" * 100)).alias == "[2J" + "a" * 61


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"id": None}, "id is missing"),
        ({"id": "033845"}, "id is not 66 hexadecimal digits"),
        ({"network": 5}, "network is not a text"),
        ({"version": None}, "version is missing"),
        ({"blockheight": True}, "blockheight is not a whole number"),
        ({"blockheight": -1}, "blockheight is negative"),
        ({"fees_collected_msat": None}, "fees_collected_msat is missing"),
        ({"warning_bitcoind_sync": 1}, "warning_bitcoind_sync is not a text"),
    ],
)
def test_a_partial_introduction_is_nonsense(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(NodeNonsense, match=f"getinfo: {why}"):
        parse.node_info(samples.getinfo(**changes))


@pytest.mark.parametrize("counter", ["created", "updated", "deleted"])
def test_a_counter_is_read(counter: Counter) -> None:
    assert parse.forward_count({"subsystem": "forwards", counter: 17}, counter) == 17
    assert parse.forward_count({"subsystem": "forwards", counter: 0}, counter) == 0


@pytest.mark.parametrize("answer", [None, {}, {"updated": 5}, {"created": "5"}, {"created": -1}, {"created": 1.0}, []])
def test_a_counter_that_is_not_there_is_nonsense_and_never_zero(answer: Any) -> None:
    with pytest.raises(NodeNonsense, match="wait"):
        parse.forward_count(answer, "created")


def test_feerates_are_the_raw_estimates_by_blocks() -> None:
    answer = samples.feerates()
    answer["perkw"]["estimates"].reverse()
    assert parse.feerates(answer) == Feerates(
        estimates=(
            (2, FeeratePerKw(15_000)), (6, FeeratePerKw(11_000)), (12, FeeratePerKw(7500)), (100, FeeratePerKw(3750)),
        ),
        floor_per_kw=FeeratePerKw(253),
        open_cost_sat=Sat(5265),
        close_cost_sat=Sat(2523),
    )  # fmt: skip


@pytest.mark.parametrize(
    "answer",
    [
        {"perkw": {"estimates": [], "min_acceptable": 253, "max_acceptable": 9999}, "warning_missing_feerates": "…"},
        {"perkw": {}, "onchain_fee_estimates": {}},
        {},
    ],
)
def test_feerates_that_the_node_does_not_know_are_unknown(answer: Any) -> None:
    assert parse.feerates(answer) == Feerates((), None, None, None)


@pytest.mark.parametrize(
    "answer",
    [
        None,
        [],
        {"perkw": []},
        {"perkw": {"estimates": {}}},
        {"perkw": {"estimates": [5]}},
        {"perkw": {"estimates": [{"blockcount": 2}]}},
        {"perkw": {"estimates": [{"blockcount": True, "feerate": 5}]}},
        {"perkw": {"floor": "253"}},
        {"onchain_fee_estimates": {"opening_channel_satoshis": -1}},
        {"onchain_fee_estimates": {"mutual_close_satoshis": 2**62}},
    ],
)
def test_feerates_that_are_wrong_are_nonsense(answer: Any) -> None:
    with pytest.raises(NodeNonsense, match="feerates"):
        parse.feerates(answer)


def test_onchain_funds_are_summed_by_how_sure_they_are() -> None:
    outputs = [
        samples.output(amount_msat=1_000, status="confirmed"),
        samples.output(amount_msat=20_000, status="confirmed", reserved=True),
        samples.output(amount_msat=300_000, status="unconfirmed"),
        samples.output(amount_msat=4_000_000, status="immature"),
        samples.output(amount_msat=50_000_000, status="spent", reserved=True),
    ]
    assert parse.onchain_funds({"outputs": outputs, "channels": []}) == OnchainFunds(
        confirmed_msat=Msat(21_000), unconfirmed_msat=Msat(4_300_000), reserved_msat=Msat(20_000)
    )


def test_an_empty_wallet_holds_nothing() -> None:
    assert parse.onchain_funds({"outputs": [], "channels": []}) == OnchainFunds(Msat(0), Msat(0), Msat(0))


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ({"channels": []}, "outputs is missing"),
        ({"outputs": {}}, "outputs is not a list"),
        ({"outputs": [samples.output(), samples.output(amount_msat=None)]}, r"outputs\[1\].amount_msat is missing"),
        ({"outputs": [samples.output(amount_msat=MAX_MONEY_MSAT + 1)]}, r"outputs\[0\].amount_msat is above"),
        ({"outputs": [samples.output(status="lost")]}, r"outputs\[0\].status is none that is known"),
        ({"outputs": [samples.output(reserved=0)]}, r"outputs\[0\].reserved is not true or false"),
    ],
)
def test_a_sum_with_an_unreadable_part_is_unknown_and_never_smaller(answer: Any, why: str) -> None:
    with pytest.raises(NodeNonsense, match=f"listfunds: {why}"):
        parse.onchain_funds(answer)


def test_the_reply_to_a_fee_change_says_what_is_in_force() -> None:
    assert parse.fee_reply(samples.setchannel(), samples.CHANNEL_ID) == FeeReply(
        samples.CHANNEL_ID, ChannelFee(Msat(0), Ppm(123))
    )


def test_warnings_in_the_reply_to_a_fee_change_are_kept() -> None:
    answer = samples.setchannel(
        warning_htlcmax_too_high="Set maximum_htlc_out_msat\n to maximum possible in channel", warning_other=5
    )
    assert parse.fee_reply(answer, samples.CHANNEL_ID).warnings == (
        "warning_htlcmax_too_high: Set maximum_htlc_out_msat to maximum possible in channel",
        "warning_other",
    )


@pytest.mark.parametrize(
    "answer",
    [
        None,
        {},
        {"channels": []},
        {"channels": [None]},
        samples.setchannel(channel_id=samples.OTHER_CHANNEL_ID),
        samples.setchannel(channel_id=[samples.CHANNEL_ID]),
        {"channels": samples.setchannel()["channels"] * 2},
        {"channels": [*samples.setchannel()["channels"], {"channel_id": samples.OTHER_CHANNEL_ID}]},
        samples.setchannel(fee_base_msat=None),
        samples.setchannel(fee_proportional_millionths="123"),
    ],
)
def test_a_reply_that_does_not_name_exactly_our_channel_is_nonsense(answer: Any) -> None:
    with pytest.raises(NodeNonsense, match="setchannel"):
        parse.fee_reply(answer, samples.CHANNEL_ID)


def test_capabilities_are_the_commands_with_their_usage() -> None:
    capabilities = parse.capabilities(
        {
            "help": [
                {"command": "getinfo "},
                {"command": "getroutes source destination amount_msat layers maxfee_msat [final_cltv] [maxdelay]"},
                {"command": "stop"},
                {"command": None},
                {"category": "x"},
                "y",
            ],
            "format-hint": "simple",
        }
    )
    assert set(capabilities.usage) == {"getinfo", "getroutes", "stop"}
    assert capabilities.has("getroutes", parameter="[maxdelay]")
    assert not capabilities.has("getroutes", parameter="[maxparts]")


@pytest.mark.parametrize("answer", [None, {}, {"help": {}}, []])
def test_help_without_a_list_is_nonsense(answer: Any) -> None:
    with pytest.raises(NodeNonsense, match="help"):
        parse.capabilities(answer)


def test_an_alias_out_of_gossip_is_made_printable_and_short() -> None:
    nodes = {"nodes": [{"nodeid": samples.PEER_ID, "alias": "\u202eACINQ\x00" + "!" * 100}]}
    assert parse.alias_of(nodes, samples.PEER_ID) == "ACINQ" + "!" * 59


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [{"nodeid": samples.PEER_ID}],
        [{"nodeid": samples.PEER_ID, "alias": ""}],
        [{"nodeid": samples.PEER_ID, "alias": "\x00\x01"}],
        [{"nodeid": samples.PEER_ID, "alias": 5}],
        [{"nodeid": samples.OTHER_PEER_ID, "alias": "somebody else"}],
        [None, "x"],
    ],
)
def test_a_peer_that_gossip_does_not_name_has_no_alias(rows: Any) -> None:
    assert parse.alias_of({"nodes": rows}, samples.PEER_ID) is None
