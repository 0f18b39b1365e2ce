"""Parameters of a simulated RPC call, read and refused with the words of Core Lightning."""

import json
import re
from collections.abc import Mapping
from typing import Any

from revenued.errors import NodeRefused
from revenued.units import MSAT_PER_SAT

INVALID_PARAMS = -32602
U32_MAX = (1 << 32) - 1
U64_MAX = (1 << 64) - 1

Params = Mapping[str, Any]

_UNKNOWN = (
    "unknown parameter: {}, this may be caused by a failure to autodetect key=value-style parameters. "
    "Please try using the -k flag and explicit key=value pairs of parameters."
)


def bind(usage: str, params: object, *, takes_more: bool = False) -> dict[str, Any]:
    """Return parameters by name, null ones left out; `usage` is as in help: `required [optional]`.

    Names that the usage does not know are refused unless the method `takes_more`.
    """
    names = [word.strip("[]") for word in usage.split()]
    if isinstance(params, list):
        if len(params) > len(names):
            raise NodeRefused(f"too many parameters: got {len(params)}, expected {len(names)}", INVALID_PARAMS)
        bound = dict(zip(names, params, strict=False))
    elif isinstance(params, dict):
        bound = params
    else:
        raise NodeRefused("Expected array or object for params", INVALID_PARAMS)
    for name in bound:
        if name not in names and not takes_more:
            raise NodeRefused(_UNKNOWN.format(name), INVALID_PARAMS)
    given = {name: value for name, value in bound.items() if value is not None}
    for word in usage.split():
        if not word.startswith("[") and word not in given:
            raise NodeRefused(f"missing required parameter: {word}", INVALID_PARAMS)
    return given


def refused(name: str, why: str, value: object) -> NodeRefused:
    """Return the refusal of one parameter."""
    return NodeRefused(f"{name}: {why}: invalid token '{json.dumps(value)}'", INVALID_PARAMS)


def integer(params: Params, name: str, *, most: int = U64_MAX) -> int | None:
    """Return an unsigned integer, which may be written as text; None when it was not given."""
    value = params.get(name)
    if value is None:
        return None
    if not re.fullmatch(r"[0-9]{1,20}", _token(value)) or int(value) > most:
        raise refused(name, "should be an integer", value)
    return int(value)


def msat(params: Params, name: str, *, most: int = U64_MAX) -> int | None:
    """Return an amount given as integer, "5", "5msat" or "5sat", in msat; None when it was not given."""
    value = params.get(name)
    if value is None:
        return None
    match = re.fullmatch(r"([0-9]{1,20})(msat|sat)?", _token(value))
    if match is None:
        raise refused(name, "should be a millisatoshi amount", value)
    amount = int(match[1]) * (MSAT_PER_SAT if match[2] == "sat" else 1)
    if amount > most:
        raise refused(name, "exceeds u32 max", value)
    return amount


def text(params: Params, name: str) -> str | None:
    """Return a text; None when it was not given."""
    value = params.get(name)
    if value is not None and not isinstance(value, str):
        raise refused(name, "should be a string", value)
    return value


def node_id(params: Params, name: str) -> str | None:
    """Return a node id; None when it was not given."""
    value = params.get(name)
    if value is not None and not is_node_id(value):
        raise refused(name, "should be a node id", value)
    return value


def scid(params: Params, name: str) -> str | None:
    """Return a short channel id; None when it was not given."""
    value = params.get(name)
    if value is not None and not is_scid(value):
        raise refused(name, "should be a short_channel_id of form NxNxN", value)
    return value


def is_node_id(value: object) -> bool:
    """The value looks like a compressed public key."""
    return isinstance(value, str) and re.fullmatch(r"0[23][0-9a-f]{64}", value) is not None


def is_scid(value: object) -> bool:
    """The value looks like a short channel id."""
    return isinstance(value, str) and re.fullmatch(r"[0-9]{1,8}x[0-9]{1,8}x[0-9]{1,5}", value) is not None


def _token(value: object) -> str:
    # A boolean is an integer to Python, and a float prints like one when it is whole; neither is to the node.
    return str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
