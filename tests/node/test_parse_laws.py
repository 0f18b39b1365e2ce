"""Whatever JSON the node sends, reading it ends in values that can be stored, or in NodeNonsense."""

import contextlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revenued.clock import from_micros
from revenued.errors import NodeNonsense
from revenued.node import parse
from revenued.node.parse_channels import channel_list, closed_channels
from revenued.node.parse_forwards import forward_page
from revenued.units import MAX_MONEY_MSAT
from tests.node import samples

Reader = Callable[[Any], object]

READERS: dict[str, tuple[Reader, Any]] = {
    "getinfo": (parse.node_info, samples.getinfo()),
    "wait": (lambda answer: parse.forward_count(answer, "created"), {"subsystem": "forwards", "created": 5}),
    "feerates": (parse.feerates, samples.feerates()),
    "listfunds": (parse.onchain_funds, {"outputs": [samples.output()]}),
    "setchannel": (lambda answer: parse.fee_reply(answer, samples.CHANNEL_ID), samples.setchannel(warning_x="y")),
    "help": (parse.capabilities, {"help": [{"command": "getinfo "}]}),
    "listnodes": (
        lambda answer: parse.alias_of(answer, samples.PEER_ID), {"nodes": [{"nodeid": samples.PEER_ID, "alias": "x"}]},
    ),
    "listpeerchannels": (channel_list, samples.channels(samples.channel(htlcs=[samples.htlc()]))),
    "listclosedchannels": (closed_channels, {"closedchannels": [samples.closed_channel()]}),
    "listforwards created": (
        lambda answer: forward_page(answer, "created", start=1),
        samples.forwards(samples.settled(), samples.local_failed()),
    ),
    "listforwards updated": (
        lambda answer: forward_page(answer, "updated", start=1), samples.forwards(samples.settled()),
    ),
}  # fmt: skip

anything = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.integers(min_value=2**63 - 2, max_value=2**64 + 2),
        st.floats(),
        st.text(st.characters(exclude_categories=())),
        st.sampled_from(["5msat", "103x2x0", samples.CHANNEL_ID, samples.PEER_ID, "2026-11-23T16:13:43.459Z", "in"]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.one_of(
                st.text(max_size=8), st.sampled_from(["channels", "forwards", "outputs", "help", "nodes", "perkw"])
            ),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=20,
)


def places_in(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of every value in an answer, the whole included."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for key, item in inner for found in places_in(item, (*path, key)))]


def replaced(value: Any, path: tuple[Any, ...], other: Any) -> Any:
    if not path:
        return other
    copied = value.copy()
    copied[path[0]] = replaced(value[path[0]], path[1:], other)
    return copied


@pytest.mark.parametrize("method", READERS)
def test_the_sample_itself_is_readable(method: str) -> None:
    read, sample = READERS[method]
    read(sample)


@pytest.mark.parametrize("method", READERS)
@given(answer=anything)
def test_any_json_is_read_or_is_nonsense(method: str, answer: Any) -> None:
    with contextlib.suppress(NodeNonsense):
        READERS[method][0](answer)


@pytest.mark.parametrize("method", READERS)
@given(choice=st.data())
def test_a_real_answer_with_anything_at_any_place_is_read_or_is_nonsense(method: str, choice: st.DataObject) -> None:
    read, sample = READERS[method]
    path = choice.draw(st.sampled_from(places_in(sample)))
    with contextlib.suppress(NodeNonsense):
        read(replaced(sample, path, choice.draw(anything)))


@given(choice=st.data())
def test_every_forward_that_is_read_fits_its_columns(choice: st.DataObject) -> None:
    sample = samples.forwards(samples.settled(), samples.local_failed())
    path = choice.draw(st.sampled_from(places_in(sample)))
    with contextlib.suppress(NodeNonsense):
        for forward in forward_page(replaced(sample, path, choice.draw(anything)), "created", start=1).forwards:
            for number in forward:
                assert isinstance(number, str) or number is None or (type(number) is int and -(2**63) <= number < 2**63)
            assert 0 <= forward.in_msat <= MAX_MONEY_MSAT
            from_micros(forward.received_at)
            from_micros(forward.resolved_at or 0)
