"""The real node: every question is permitted, passes its breaker, is asked once, and its answer read or refused."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from revenued.errors import NodeOutcomeUnknown, NodeRefused, NodeUnreachable
from revenued.model import (
    Capabilities,
    ChannelFee,
    ChannelList,
    ClosedChannel,
    Feerates,
    FeeReply,
    ForwardPage,
    MovePage,
    NodeInfo,
    OnchainFunds,
    Skipped,
)
from revenued.node import parse, parse_channels, parse_forwards, parse_moves
from revenued.node.breaker import LONGEST_BACKOFF_SECONDS, Breaker
from revenued.node.doorbell import Doorbell
from revenued.node.interface import Counter, ForwardIndex
from revenued.node.permitted import PERMITTED, permit_for
from revenued.node.transport import Transport

LONGEST_CORE_BACKOFF_SECONDS = 5.0
"""A node that was restarted is asked again after at most this long, however long it was away."""
UNKNOWN_COMMAND = -32601


class ClnNode:
    """A Core Lightning node behind its lightning-rpc socket; what its methods return and raise stands in `Node`."""

    def __init__(self, socket_path: Path, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._socket_path = socket_path
        self._transport = Transport(socket_path)
        self._breakers = {
            subsystem: Breaker(
                subsystem,
                longest_backoff_seconds=LONGEST_CORE_BACKOFF_SECONDS
                if subsystem == "core"
                else LONGEST_BACKOFF_SECONDS,
                monotonic=monotonic,
            )
            for subsystem in {permit.subsystem for permit in PERMITTED.values()}
        }
        self._capabilities: Capabilities | None = None

    def info(self) -> NodeInfo:
        """Ask `getinfo`."""
        return parse.node_info(self._ask("getinfo"))

    def capabilities(self) -> Capabilities:
        """Ask `help` when the node was away since the last time, or a command was gone."""
        known = self._capabilities
        if known is None:
            known = self._capabilities = parse.capabilities(self._ask("help"))
        return known

    def channels(self) -> ChannelList:
        """Ask `listpeerchannels`."""
        return parse_channels.channel_list(self._ask("listpeerchannels"))

    def closed_channels(self) -> tuple[tuple[ClosedChannel, ...], tuple[Skipped, ...]]:
        """Ask `listclosedchannels`."""
        return parse_channels.closed_channels(self._ask("listclosedchannels"))

    def aliases(self, node_ids: Sequence[str]) -> dict[str, str]:
        """Ask `listnodes` for one node after the other: without an id it dumps the whole network."""
        aliases: dict[str, str] = {}
        for node_id in node_ids:
            try:
                alias = parse.alias_of(self._ask("listnodes", id=node_id), node_id)
            except NodeRefused:
                continue
            if alias is not None:
                aliases[node_id] = alias
        return aliases

    def forwards(self, index: ForwardIndex, *, start: int, limit: int) -> ForwardPage:
        """Ask `listforwards` for one page."""
        # From 0 on, the order of updates begins with the rows that never were updated, which have no place in it.
        first = max(start, 1)
        answer = self._ask("listforwards", index=index, start=first, limit=limit)
        return parse_forwards.forward_page(answer, index, start=first)

    def forward_counter(self, counter: Counter) -> int:
        """Ask `wait` for a value that has long been reached."""
        return parse.forward_count(self._ask("wait", subsystem="forwards", indexname=counter, nextvalue=0), counter)

    def routed_moves(self, *, start: int, limit: int) -> MovePage:
        """Ask `listchannelmoves` for one page."""
        answer = self._ask("listchannelmoves", index="created", start=start, limit=limit)
        return parse_moves.move_page(answer, start=start)

    def feerates(self) -> Feerates:
        """Ask `feerates`."""
        return parse.feerates(self._ask("feerates", style="perkw"))

    def onchain_funds(self) -> OnchainFunds:
        """Ask `listfunds`."""
        return parse.onchain_funds(self._ask("listfunds"))

    def set_channel_fee(self, channel_id: str, fee: ChannelFee) -> FeeReply:
        """Tell the node by `setchannel`; raises CallNotPermitted for a price that no setting could have asked for."""
        answer = self._ask("setchannel", id=channel_id, feebase=fee.base_fee_msat, feeppm=fee.fee_ppm)
        return parse.fee_reply(answer, channel_id)

    def doorbell(self) -> Doorbell:
        """Return a new doorbell, which connects when it is first rung; whoever asked for it closes it."""
        return Doorbell(self._socket_path)

    def _ask(self, method: str, **params: object) -> Any:
        permit = permit_for(method, params)
        try:
            return self._breakers[permit.subsystem].run(lambda: self._transport.call(method, params))
        except (NodeUnreachable, NodeOutcomeUnknown):
            # It may come back as another version, or with other plugins.
            self._capabilities = None
            raise
        except NodeRefused as refusal:
            if refusal.code == UNKNOWN_COMMAND:
                self._capabilities = None
            raise
