"""What every cycle is given: the node, the store, one frozen set of settings, and the time."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from revenued.clock import Clock
from revenued.config import Settings
from revenued.errors import CycleSkipped
from revenued.model import ChannelList, NodeInfo
from revenued.node.interface import Node
from revenued.store.engine import Store


@dataclass(frozen=True, slots=True)
class CycleContext:
    """One cycle's world. Settings and generation are bound once and hold until its end."""

    node: Node
    store: Store
    settings: Settings
    generation: int
    node_id: str
    """The node that this database belongs to."""
    paused: bool
    clock: Clock
    stopping: Callable[[], bool]
    halted: Callable[[], str | None] = lambda: None
    """Asked before every change at the node: why there must be none any more, although the cycle began with leave."""
    seen: Callable[[ChannelList], None] = lambda _listed: None
    """Told of every look at the channels, so that a person can be shown the newest without asking the node again."""

    def now(self) -> datetime:
        """Return the present instant."""
        return self.clock.now()


def ready_node(context: CycleContext) -> NodeInfo:
    """Return the node's info if it may be acted on; raises CycleSkipped while it is behind the chain, or another."""
    info = context.node.info()
    if info.node_id != context.node_id:
        raise CycleSkipped(f"node: the socket answers as {info.node_id}, the database belongs to {context.node_id}")
    if info.syncing is not None:
        raise CycleSkipped(f"node: not in sync yet ({info.syncing})")
    return info


def look(context: CycleContext) -> ChannelList:
    """Return the node's channels, as far as they can be read."""
    listed = context.node.channels()
    context.seen(listed)
    return listed
