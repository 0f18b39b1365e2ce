"""Every RPC method that the node may be asked, and in which form; nothing that pays, withdraws or closes can be on it.

The node's socket has no permissions of its own: whoever can open it can empty the wallet. This list is the only bound.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Literal

from revenued.errors import CallNotPermitted

Subsystem = Literal["core", "askrene", "bookkeeper", "clboss", "sling"]
"""Who answers a method inside the node. Plugins answer in processes of their own and fail on their own."""

MAX_PAGE_ROWS = 10_000
"""A longer page keeps lightningd, which has one thread, from its HTLCs for a noticeable time."""
MAX_FEE_PPM = 100_000
MAX_BASE_FEE_MSAT = 100_000

_CHANNEL_ID = re.compile("[0-9a-f]{64}")
_NODE_ID = re.compile("0[23][0-9a-f]{64}")


class Kind(Enum):
    """How long a call may take, and whether it changes something."""

    QUICK_READ = "quick read"
    LONG_READ = "long read"
    WAIT = "wait"
    FEE_CHANGE = "fee change"


TIMEOUT_SECONDS: Mapping[Kind, float] = MappingProxyType(
    {
        # Two seconds are usual while somebody else makes the node dump a big table.
        Kind.QUICK_READ: 15.0,
        Kind.LONG_READ: 60.0,
        # For reading a counter, which answers at once; whoever lets a wait block brings a connection and a time-out.
        Kind.WAIT: 15.0,
        # Giving up early does not undo a change, it only leaves its outcome unknown.
        Kind.FEE_CHANGE: 30.0,
    }
)

Guard = Callable[[Mapping[str, object]], str | None]
"""Returns what is wrong with the parameters of a call, or None."""


@dataclass(frozen=True, slots=True)
class Permit:
    """That one method may be called, and on which terms."""

    kind: Kind
    subsystem: Subsystem
    guard: Guard | None = None

    @property
    def timeout_seconds(self) -> float:
        """Return how long the answer is waited for."""
        return TIMEOUT_SECONDS[self.kind]


def _whole_between(given: object, least: int, most: int) -> bool:
    return type(given) is int and least <= given <= most


def _one_page(params: Mapping[str, object]) -> str | None:
    # Without an index the whole table is dumped, and beside in_channel or out_channel the limit is silently ignored.
    if set(params) != {"index", "start", "limit"}:
        return "takes exactly index, start and limit"
    if params["index"] not in ("created", "updated"):
        return "index must be created or updated"
    if not _whole_between(params["start"], 0, 2**63 - 1):
        return "start must be a whole number, 0 or more"
    if not _whole_between(params["limit"], 1, MAX_PAGE_ROWS):
        return f"limit must be a whole number from 1 to {MAX_PAGE_ROWS}"
    return None


def _one_page_of_moves(params: Mapping[str, object]) -> str | None:
    return _one_page(params) if params.get("index") == "created" else "index must be created"


def _one_node(params: Mapping[str, object]) -> str | None:
    # Without an id the whole network graph is dumped.
    given = params.get("id")
    if set(params) != {"id"} or not isinstance(given, str) or not _NODE_ID.fullmatch(given):
        return "takes exactly id, a node id"
    return None


def _price_of_one_channel(params: Mapping[str, object]) -> str | None:
    # "all" and a peer's id reprice several channels; htlcmin and htlcmax can silently brick one.
    if set(params) != {"id", "feebase", "feeppm"}:
        return "takes exactly id, feebase and feeppm"
    given = params["id"]
    if not isinstance(given, str) or not _CHANNEL_ID.fullmatch(given):
        return "id must be a channel_id of 64 hexadecimal digits"
    if not _whole_between(params["feebase"], 0, MAX_BASE_FEE_MSAT):
        return f"feebase must be a whole number from 0 to {MAX_BASE_FEE_MSAT} msat"
    if not _whole_between(params["feeppm"], 0, MAX_FEE_PPM):
        return f"feeppm must be a whole number from 0 to {MAX_FEE_PPM} ppm"
    return None


PERMITTED: Mapping[str, Permit] = MappingProxyType(
    {
        "help": Permit(Kind.QUICK_READ, "core"),
        "getinfo": Permit(Kind.QUICK_READ, "core"),
        "listpeerchannels": Permit(Kind.LONG_READ, "core"),
        "listclosedchannels": Permit(Kind.LONG_READ, "core"),
        "listnodes": Permit(Kind.QUICK_READ, "core", _one_node),
        "listchannelmoves": Permit(Kind.LONG_READ, "core", _one_page_of_moves),
        "listforwards": Permit(Kind.LONG_READ, "core", _one_page),
        "listfunds": Permit(Kind.LONG_READ, "core"),
        "feerates": Permit(Kind.QUICK_READ, "core"),
        "wait": Permit(Kind.WAIT, "core"),
        "setchannel": Permit(Kind.FEE_CHANGE, "core", _price_of_one_channel),
    }
)


def permit_for(method: object, params: object) -> Permit:
    """Return the permit for a call; raises CallNotPermitted when the method or the form of its parameters has none."""
    permit = PERMITTED.get(method) if isinstance(method, str) else None
    if permit is None:
        raise CallNotPermitted(f"{str(method)[:40]!r} is not on the list of permitted methods")
    if not isinstance(params, Mapping):
        raise CallNotPermitted(f"{method}: parameters are given by name")
    objection = permit.guard(params) if permit.guard else None
    if objection is not None:
        raise CallNotPermitted(f"{method}: {objection}")
    return permit
