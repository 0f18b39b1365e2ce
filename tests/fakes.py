"""A node whose history a test writes, a clock moved by hand, and a store that dies where a test wants it to."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Literal

from sqlalchemy import Connection

from revenued.clock import to_micros
from revenued.errors import NodeRefused
from revenued.model import (
    Capabilities,
    Channel,
    ChannelFee,
    ChannelList,
    ClosedChannel,
    Feerates,
    FeeReply,
    Forward,
    ForwardPage,
    MovePage,
    NodeInfo,
    OnchainFunds,
    RoutedMove,
    Skipped,
)
from revenued.node.interface import Counter as CounterName
from revenued.node.interface import ForwardIndex
from revenued.store.engine import Store
from revenued.units import MICROS_PER_SECOND, Micros, Msat, scid_to_key

START = datetime(2026, 1, 5, 12, tzinfo=UTC)
NODE_ID = "02" + "11" * 32

Phase = Literal["before", "after"]


class Crash(BaseException):
    """The process is gone. No BaseException of ours: nothing in the program may answer it."""


class HandClock:
    """Stands still until it is moved."""

    speed = 1.0

    def __init__(self, instant: datetime = START) -> None:
        self.instant = instant

    def now(self) -> datetime:
        return self.instant

    def move(self, **span: float) -> None:
        """Move on by a timedelta given in its own words."""
        self.instant += timedelta(**span)


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong at the `nth` call (from 1) of a method, before the node carries it out or after."""

    method: str
    nth: int
    phase: Phase
    trouble: BaseException


class FakeNode:
    """A node in memory. Rows are given and changed by the test; both indexes count as Core Lightning counts them."""

    def __init__(self, clock: HandClock | None = None, *, node_id: str = NODE_ID) -> None:
        self.clock = clock or HandClock()
        self.node_id = node_id
        self.syncing: str | None = None
        self.channel_by_id: dict[str, Channel] = {}
        self._owners: dict[int, str] = {}
        """Channel ids by every scid that they ever had."""
        self.forgotten: list[ClosedChannel] = []
        self.alias_by_id: dict[str, str] = {}
        self.rows: dict[int, Forward] = {}
        self.unreadable: set[int] = set()
        self.moves: list[RoutedMove] = []
        """Both sides of every settled forward between channels that it has; never deleted."""
        self.counters = {"created": 0, "updated": 0, "deleted": 0}
        self.fees_set: list[tuple[str, ChannelFee]] = []
        """Every fee that took effect, in order: what the network was told."""
        self.fees_asked: list[tuple[str, ChannelFee]] = []
        """Every fee that was asked for, also those that never arrived."""
        self.calls: Counter[str] = Counter()
        self.faults: list[Fault] = []
        self.between_calls: Callable[[str], None] = lambda _method: None
        """Called before each call is answered: what happens in the world meanwhile."""

    # -- what a test does to it ------------------------------------------------------------------------------

    def add(self, *channels: Channel) -> None:
        """Open channels, or change those with the same channel id."""
        self.channel_by_id |= {channel.channel_id: channel for channel in channels}
        self._owners |= {scid_to_key(channel.scid): channel.channel_id for channel in channels if channel.scid}

    def offer(
        self,
        in_scid: int,
        out_scid: int,
        *,
        in_msat: int = 1_001_000,
        out_msat: int = 1_000_000,
        at: datetime | None = None,
    ) -> int:
        """Begin to forward something; return its created index."""
        return self._create(
            Forward(
                created_index=self.counters["created"] + 1,
                updated_index=None,
                in_scid=in_scid,
                in_htlc_id=self.counters["created"],
                in_msat=Msat(in_msat),
                out_scid=out_scid,
                out_htlc_id=self.counters["created"],
                out_msat=Msat(out_msat),
                fee_msat=Msat(in_msat - out_msat),
                status="offered",
                failcode=None,
                received_at=to_micros(at or self.clock.now()),
                resolved_at=None,
            )
        )

    def local_fail(
        self, in_scid: int, asked_scid: int | None, *, in_msat: int = 1_001_000, failcode: int = 0x100A
    ) -> int:
        """Refuse something at once, as Core Lightning does: never updated, no resolution, whatever scid was asked."""
        return self._create(
            Forward(
                created_index=self.counters["created"] + 1,
                updated_index=None,
                in_scid=in_scid,
                in_htlc_id=self.counters["created"],
                in_msat=Msat(in_msat),
                out_scid=asked_scid,
                out_htlc_id=None,
                out_msat=None,
                fee_msat=None,
                status="local_failed",
                failcode=failcode,
                received_at=to_micros(self.clock.now()),
                resolved_at=None,
            )
        )

    def resolve(self, index: int, status: Literal["settled", "failed"], *, at: datetime | None = None) -> None:
        """End what was offered."""
        row = self.rows[index]
        assert row.status == "offered", "only what is offered ends"
        self.counters["updated"] += 1
        self.rows[index] = row._replace(
            status=status, updated_index=self.counters["updated"], resolved_at=to_micros(at or self.clock.now())
        )
        if status == "settled":
            self._move(self.rows[index])

    def autoclean(self, index: int) -> None:
        """Forget a forward that has ended, as the autoclean plugin does."""
        assert self.rows[index].status != "offered", "autoclean leaves alone what is under way"
        del self.rows[index]
        self.counters["deleted"] += 1

    def _create(self, row: Forward) -> int:
        self.counters["created"] += 1
        self.rows[row.created_index] = row
        return row.created_index

    def _move(self, row: Forward) -> None:
        entry, leaving = self._owners.get(row.in_scid), self._owners.get(row.out_scid or 0)
        if entry is None or leaving is None or row.out_msat is None or row.resolved_at is None:
            return
        at = Micros(row.resolved_at // MICROS_PER_SECOND * MICROS_PER_SECOND)
        fees, paid = Msat(row.in_msat - row.out_msat), f"{row.created_index:064x}"
        for channel_id, credit, debit in ((entry, row.in_msat, Msat(0)), (leaving, Msat(0), row.out_msat)):
            self.moves.append(RoutedMove(len(self.moves) + 1, channel_id, credit, debit, fees, at, paid))

    # -- what the program asks of it -------------------------------------------------------------------------

    def info(self) -> NodeInfo:
        with self._called("info"):
            return NodeInfo(self.node_id, "fake", "regtest", "v26.06", 800_000, Msat(0), self.syncing)

    def capabilities(self) -> Capabilities:
        with self._called("capabilities"):
            return Capabilities({"listchannelmoves": "listchannelmoves [index] [start] [limit]"})

    def channels(self) -> ChannelList:
        with self._called("channels"):
            return ChannelList(tuple(self.channel_by_id.values()))

    def closed_channels(self) -> tuple[tuple[ClosedChannel, ...], tuple[Skipped, ...]]:
        with self._called("closed_channels"):
            return tuple(self.forgotten), ()

    def aliases(self, node_ids: Sequence[str]) -> dict[str, str]:
        with self._called("aliases"):
            return {node_id: self.alias_by_id[node_id] for node_id in node_ids if node_id in self.alias_by_id}

    def forwards(self, index: ForwardIndex, *, start: int, limit: int) -> ForwardPage:
        with self._called("forwards"):
            keyed = sorted(
                (at, row)
                for row in self.rows.values()
                if (at := row.created_index if index == "created" else row.updated_index or 0) >= max(1, start)
            )[:limit]
            readable = [row for _, row in keyed if row.created_index not in self.unreadable]
            skipped = [Skipped(f"forward {row.created_index}", "made so") for _, row in keyed if row not in readable]
            return ForwardPage(readable, keyed[-1][0] if keyed else None, tuple(skipped))

    def forward_counter(self, counter: CounterName) -> int:
        with self._called("forward_counter"):
            return self.counters[counter]

    def routed_moves(self, *, start: int, limit: int) -> MovePage:
        with self._called("routed_moves"):
            page = self.moves[max(0, start - 1) : max(0, start - 1) + limit]
            return MovePage(page, page[0].moved_at if page else None, page[-1].created_index if page else None)

    def feerates(self) -> Feerates:
        with self._called("feerates"):
            return Feerates((), None, None, None)

    def onchain_funds(self) -> OnchainFunds:
        with self._called("onchain_funds"):
            return OnchainFunds(Msat(0), Msat(0), Msat(0))

    def set_channel_fee(self, channel_id: str, fee: ChannelFee) -> FeeReply:
        self.fees_asked.append((channel_id, fee))
        with self._called("set_channel_fee"):
            self.carry_out(channel_id, fee)
            return FeeReply(channel_id, fee)

    def carry_out(self, channel_id: str, fee: ChannelFee) -> None:
        """Put a price in force."""
        channel = self.channel_by_id.get(channel_id)
        if channel is None or channel.ours is None:
            raise NodeRefused(f"no such channel: {channel_id}", -32602)
        self.add(replace(channel, ours=replace(channel.ours, fee=fee)))
        self.fees_set.append((channel_id, fee))

    @contextmanager
    def _called(self, method: str) -> Iterator[None]:
        self.between_calls(method)
        self.calls[method] += 1
        self._fail(method, "before")
        yield
        self._fail(method, "after")

    def _fail(self, method: str, phase: Phase) -> None:
        for fault in self.faults:
            if (fault.method, fault.nth, fault.phase) == (method, self.calls[method], phase):
                self.faults.remove(fault)
                raise fault.trouble


class CrashingStore(Store):
    """The same database, in a process that dies at its `crash_at`-th commit, just before it or just after.

    With a `trouble` of its own it does not die: that commit fails.
    """

    def __init__(
        self,
        store: Store,
        *,
        crash_at: int | None = None,
        phase: Phase = "before",
        trouble: BaseException | None = None,
    ) -> None:
        super().__init__(store.engine)
        self.commits = 0
        self._crash_at, self._phase = crash_at, phase
        self._trouble = trouble or Crash()

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """As `Store.write`, until the end."""
        with super().write() as connection:
            yield connection
            self.commits += 1
            if self.commits == self._crash_at and self._phase == "before":
                raise self._trouble
        if self.commits == self._crash_at:
            raise self._trouble
