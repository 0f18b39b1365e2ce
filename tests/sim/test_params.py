"""Parameters are bound by name or place and refused in the node's words."""

import pytest

from revenued.errors import NodeRefused
from revenued.sim.params import U32_MAX, bind, integer, msat

USAGE = "id [feebase] [feeppm]"


def test_parameters_come_by_name_or_by_place_and_null_is_none() -> None:
    assert bind(USAGE, {"id": "x", "feeppm": 5}) == {"id": "x", "feeppm": 5}
    assert bind(USAGE, ["x", None, 5]) == {"id": "x", "feeppm": 5}


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({}, "missing required parameter: id"),
        ({"id": None}, "missing required parameter: id"),
        (["x", 1, 2, 3], "too many parameters: got 4, expected 3"),
        ({"id": "x", "junk": 1}, "unknown parameter: junk, this may be caused by"),
        ("x", "Expected array or object for params"),
    ],
)
def test_what_does_not_fit_the_usage_is_refused(params: object, words: str) -> None:
    with pytest.raises(NodeRefused, match=words) as refusal:
        bind(USAGE, params)
    assert refusal.value.code == -32602


@pytest.mark.parametrize(("given", "amount"), [(7, 7), ("7", 7), ("7msat", 7), ("7sat", 7000), (None, None)])
def test_amounts_are_read_in_the_node_s_notations(given: object, amount: int | None) -> None:
    assert msat({"feebase": given}, "feebase") == amount


@pytest.mark.parametrize("given", [-1, 1.5, True, "x", "0.5sat", [], {}, "", "٣"])
def test_what_is_no_amount_is_refused(given: object) -> None:
    with pytest.raises(NodeRefused, match="feebase: should be a millisatoshi amount: invalid token"):
        msat({"feebase": given}, "feebase")


@pytest.mark.parametrize("given", [-1, 1.0, False, U32_MAX + 1, "1e3", None])
def test_integers_have_their_range(given: object) -> None:
    if given is None:
        assert integer({"feeppm": given}, "feeppm", most=U32_MAX) is None
        return
    with pytest.raises(NodeRefused, match="feeppm: should be an integer: invalid token"):
        integer({"feeppm": given}, "feeppm", most=U32_MAX)
