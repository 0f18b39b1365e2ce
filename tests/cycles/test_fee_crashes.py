"""Whenever daemon or node die while a price is set: it is set once and known as ours, and nothing learned is lost."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import OperationalError

from revenued.config import OptionValue
from revenued.cycles.context import CycleContext
from revenued.cycles.fee import fee_cycle
from revenued.cycles.ingest import ingest_forwards
from revenued.cycles.run import CycleResult, run_job
from revenued.errors import NodeError, NodeNonsense, NodeOutcomeUnknown, NodeRefused, NodeUnreachable
from revenued.fees.learning import LearnerState
from revenued.model import ChannelFee
from revenued.store.channels import channel_keys, record_channels
from revenued.store.cyclelog import close_interrupted
from revenued.store.engine import Store
from revenued.store.prices import read_decisions, read_learners, read_memories, write_learners
from revenued.units import Msat
from tests.builders import CAPACITY, fee, make_channel, make_exposure, make_learner, make_settings
from tests.fakes import NODE_ID, START, Crash, CrashingStore, FakeNode, Fault, Phase
from tests.store.builders import rows_of

NUMBERS = (1, 2, 3)
LIVE = 100
TARGETS = {0.5: 100, 0.2: 167, 0.1: 233, 0.05: 267}
"""Price by outbound share: 100 ppm and the scarcity premium, each more than the hysteresis apart from the others."""

DISK_FULL = OperationalError("COMMIT", {}, Exception("database or disk is full"))


class Daemon:
    """Runs fee cycles against one node and one database, and is started anew after each crash."""

    def __init__(self, store: Store, node: FakeNode, **options: OptionValue) -> None:
        self.store, self.node = store, node
        self.settings = make_settings(**options)

    def cycle(self, **crash: Any) -> CycleResult | None:
        """Run one cycle; None when the daemon died in it."""
        context = CycleContext(
            node=self.node,
            store=CrashingStore(self.store, **crash),
            settings=self.settings,
            generation=1,
            node_id=NODE_ID,
            paused=False,
            clock=self.node.clock,
            stopping=lambda: False,
        )
        try:
            return run_job("fee", fee_cycle, context)
        except Crash:
            with self.store.write() as connection:
                close_interrupted(connection, now=self.node.clock.now())
            return None


def ratio(node: FakeNode, number: int, share: float) -> None:
    channel = node.channel_by_id[f"{number:064x}"]
    node.add(replace(channel, to_us_msat=Msat(round(CAPACITY * share))))


def told(node: FakeNode, number: int) -> list[ChannelFee]:
    """Return what the network was told of a channel."""
    return [set_to for channel_id, set_to in node.fees_set if channel_id == f"{number:064x}"]


def history(store: Store, number: int, kind: str) -> list[tuple[int | None, int | None]]:
    """Return (from, to) of the changes of one kind, oldest first."""
    with store.read() as connection:
        key = channel_keys(connection).get(f"{number:064x}")
    rows = [row for row in rows_of(store, "fee_changes") if (row["channel_key"], row["kind"]) == (key, kind)]
    return [(row["from_ppm"], row["to_ppm"]) for row in rows]


# -- one price, and one thing that goes wrong at every point of the cycle -----------------------------------------


@dataclass(frozen=True)
class Mishap:
    """What goes wrong in the first cycle."""

    fault: Fault | None = None
    commit: int | None = None
    phase: Phase = "before"
    trouble: BaseException | None = None
    arrives_late: bool = False


def mishaps() -> Iterator[Any]:
    """Give every point of a cycle at which either side can fail."""
    phases: tuple[Phase, Phase] = ("before", "after")
    for phase in phases:
        for commit in range(1, 6):
            yield pytest.param(Mishap(commit=commit, phase=phase), id=f"dies {phase} commit {commit}")
        for method, nth in (("info", 1), ("channels", 1), *(("set_channel_fee", nth) for nth in NUMBERS)):
            yield pytest.param(Mishap(Fault(method, nth, phase, Crash())), id=f"dies {phase} {method} {nth}")
    for commit in range(1, 6):
        yield pytest.param(Mishap(commit=commit, trouble=DISK_FULL), id=f"commit {commit} fails")
    answers: tuple[tuple[NodeError, Phase], ...] = (
        (NodeUnreachable("away"), "before"),
        (NodeRefused("busy", -1), "before"),
        (NodeOutcomeUnknown("timed out"), "before"),
        (NodeOutcomeUnknown("timed out"), "after"),
        (NodeNonsense("what?"), "after"),
    )
    for nth in NUMBERS:
        for trouble, phase in answers:
            name = f"{type(trouble).__name__} {phase} price {nth}"
            yield pytest.param(Mishap(Fault("set_channel_fee", nth, phase, trouble)), id=name)
        late = Mishap(Fault("set_channel_fee", nth, "before", NodeOutcomeUnknown("timed out")), arrives_late=True)
        yield pytest.param(late, id=f"price {nth} arrives after the time-out")


def learned_so_far(store: Store, node: FakeNode) -> LearnerState:
    """Give the first channel a learner that is about to judge a good exposure."""
    hours: dict[str, Any] = {"started_at": START - timedelta(hours=11), "through_at": START - timedelta(hours=1)}
    state = make_learner(LIVE, last_rate=1900.0, exposure=make_exposure(LIVE, earned_msat=22_000, **hours))
    with store.write() as connection:
        keys = record_channels(connection, node.channels().channels, now=START)
        write_learners(connection, {keys[f"{1:064x}"]: state}, now=START)
    return state


@pytest.mark.parametrize("mishap", [pytest.param(Mishap(), id="nothing"), *mishaps()])
def test_a_price_is_set_once_and_known_as_ours_whatever_goes_wrong(sqlite_store: Store, mishap: Mishap) -> None:
    store, node = sqlite_store, FakeNode()
    node.add(*(make_channel(number, ppm=LIVE, outbound_ratio=0.1) for number in NUMBERS))
    ingest_forwards(node, store, node_id=NODE_ID, now=node.clock.now, stopping=lambda: False)
    before = learned_so_far(store, node)
    daemon = Daemon(store, node)
    node.calls.clear()
    node.faults = [mishap.fault] if mishap.fault else []
    daemon.cycle(crash_at=mishap.commit, phase=mishap.phase, trouble=mishap.trouble)
    assert node.faults == [], "it did go wrong"
    if mishap.arrives_late:
        node.carry_out(*node.fees_asked[-1])
    for _ in range(3):
        node.clock.move(hours=2)
        assert daemon.cycle() is not None

    with store.read() as connection:
        keys = channel_keys(connection)
        learners, unreadable = read_learners(connection)
        memories, decisions = read_memories(connection), read_decisions(connection)
    first = keys[f"{1:064x}"]
    judged = learners[first].base_ppm
    assert (judged > before.base_ppm, unreadable) == (True, [])
    assert learners[first].last_rate == 2000.0, "22 sat in eleven hours"
    assert [(row["channel_key"], row["base_ppm"]) for row in rows_of(store, "exposures")] == [(first, LIVE)]
    for number in NUMBERS:
        target = fee(TARGETS[0.1] if number != 1 else round(judged * (1 + 2 * (1 - 0.1 / 0.3))))
        assert node.channel_by_id[f"{number:064x}"].fee == target
        assert told(node, number) == [target], "once, and nothing else"
        assert history(store, number, "broadcast") == [(LIVE, target.fee_ppm)]
        assert history(store, number, "outside") == []
        memory = memories[keys[f"{number:064x}"]]
        assert (memory.broadcast, memory.outside) == (target, None)
        assert decisions[keys[f"{number:064x}"]].outcome == "unchanged"
    asked = Counter(channel_id for channel_id, _ in node.fees_asked)
    assert max(asked.values()) <= 2
    with store.write() as connection:
        close_interrupted(connection, now=node.clock.now())
    assert {row["outcome"] for row in rows_of(store, "cycles")} <= {"done", "failed", "skipped"}


@pytest.mark.parametrize(
    ("trouble", "said_a_minute_later", "allowances"),
    [
        (NodeUnreachable("away"), ["broadcast", "broadcast"], (2.0, 2.0)),
        (NodeOutcomeUnknown("timed out"), ["held", "broadcast"], (2.0, 2.0)),
    ],
)
def test_what_was_not_sent_costs_nothing_and_what_may_have_been_sent_waits_its_time(
    sqlite_store: Store, trouble: NodeError, said_a_minute_later: list[str], allowances: tuple[float, float]
) -> None:
    """The second channel is not tried after the first got no answer, so it is never anything but not sent."""
    node = FakeNode()
    node.add(*(make_channel(number, ppm=LIVE, outbound_ratio=0.1) for number in (1, 2)))
    daemon = Daemon(sqlite_store, node)
    node.faults = [Fault("set_channel_fee", 1, "before", trouble)]
    daemon.cycle()
    node.clock.move(minutes=1)
    daemon.cycle()
    assert len(node.fees_asked) == 1 + said_a_minute_later.count("broadcast")
    with sqlite_store.read() as connection:
        decisions, memories = read_decisions(connection), read_memories(connection)
    assert [decisions[key].outcome for key in sorted(decisions)] == said_a_minute_later
    assert [memories[key].gossip_allowance for key in sorted(memories)] == pytest.approx(list(allowances))


# -- many cycles, many prices, many mishaps -----------------------------------------------------------------------

troubles = st.sampled_from(
    [NodeUnreachable("away"), NodeOutcomeUnknown("timed out"), NodeNonsense("what?"), NodeRefused("busy", -1), Crash()]
)
faults = st.builds(
    Fault,
    method=st.sampled_from(["set_channel_fee", "set_channel_fee", "channels", "info"]),
    nth=st.integers(1, 3),
    phase=st.sampled_from(["before", "after"]),
    trouble=troubles,
).filter(lambda fault: fault.phase == "before" or not isinstance(fault.trouble, (NodeUnreachable, NodeRefused)))
crashes = st.none() | st.tuples(st.integers(1, 5), st.sampled_from(["before", "after"]))
shares = st.tuples(*[st.sampled_from(sorted(TARGETS))] * len(NUMBERS))
steps = st.tuples(shares, st.none() | faults, crashes, st.booleans())


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(plan=st.lists(steps, min_size=1, max_size=6))
def test_through_any_series_of_mishaps_no_price_is_told_twice_or_forgotten_or_taken_for_somebody_elses(
    store: Store, plan: list[tuple[tuple[float, ...], Fault | None, tuple[int, Phase] | None, bool]]
) -> None:
    forget_prices(store)
    node = FakeNode()
    node.add(*(make_channel(number, ppm=LIVE) for number in NUMBERS))
    daemon = Daemon(store, node)
    for wanted, fault, crash, arrives_late in plan:
        node.clock.move(hours=13)
        for number, share in zip(NUMBERS, wanted, strict=True):
            ratio(node, number, share)
        node.calls.clear()
        asked, done = len(node.fees_asked), len(node.fees_set)
        node.faults = [fault] if fault else []
        daemon.cycle(**({"crash_at": crash[0], "phase": crash[1]} if crash else {}))
        went_wrong, node.faults = node.faults != [fault], []
        lost = fault and went_wrong and fault.phase == "before" and isinstance(fault.trouble, NodeOutcomeUnknown)
        if arrives_late and lost and len(node.fees_asked) - asked > len(node.fees_set) - done:
            node.carry_out(*node.fees_asked[-1])
        for number in NUMBERS:
            check_history(store, node, number, finished=False)
    for _ in range(2):
        node.clock.move(hours=13)
        assert daemon.cycle() is not None
    for number, share in zip(NUMBERS, plan[-1][0], strict=True):
        assert node.channel_by_id[f"{number:064x}"].fee == fee(TARGETS[share])
        check_history(store, node, number, finished=True)


def check_history(store: Store, node: FakeNode, number: int, *, finished: bool) -> None:
    prices = [LIVE, *(set_to.fee_ppm for set_to in told(node, number))]
    assert all(before != after for before, after in pairwise(prices)), "nothing is said twice"
    recorded = history(store, number, "broadcast")
    happened = list(pairwise(prices))
    assert recorded == happened or (not finished and recorded == happened[:-1]), "every broadcast is in the history"
    assert history(store, number, "outside") == []


def forget_prices(store: Store) -> None:
    """Empty what a fee cycle writes, so that the next example starts afresh."""
    with store.write() as connection:
        for table in ("fee_changes", "fee_decisions", "fee_states", "learner_states", "exposures", "cycles"):
            connection.exec_driver_sql(f"DELETE FROM {table}")
