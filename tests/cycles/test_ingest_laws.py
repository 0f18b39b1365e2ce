"""Whatever the node does and whenever either side dies: every forward once, final once, and summed once."""

from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from revenued.clock import from_micros
from revenued.cycles import ingest
from revenued.cycles.ingest import ingest_forwards
from revenued.errors import NodeUnreachable
from revenued.model import FINAL_STATUSES, Forward
from revenued.store.channels import record_channels
from revenued.store.engine import Store
from revenued.store.forwards import Cursor, apply_forwards, read_cursor
from tests.builders import make_channel
from tests.fakes import NODE_ID, START, Crash, CrashingStore, FakeNode, Fault, Phase
from tests.store.builders import forget_forwards, rows_of, sums_from_rows, sums_of

OURS = (1 << 40 | 1 << 16, 2 << 40 | 1 << 16)
GARBAGE = 700_000 << 40
channels = st.sampled_from(OURS)
phases: st.SearchStrategy[Phase] = st.sampled_from(["before", "after"])
happenings = st.lists(st.sampled_from(["offer", "settle", "fail", "local_fail", "autoclean"]), max_size=4)


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest, "PAGE", 3)


def cursor_of(store: Store) -> Cursor | None:
    with store.read() as connection:
        return read_cursor(connection)


class World(RuleBasedStateMachine):
    """A node, a daemon that may die, and what the database must then hold."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        forget_forwards(store)
        self.store = store
        self.node = FakeNode()
        self.node.add(make_channel(1), make_channel(2))
        with store.write() as connection:
            record_channels(connection, self.node.channels().channels, now=START)
        self.ever: dict[int, list[Forward]] = {}
        """Every state that each forward was ever in at the node."""
        self.certain: dict[int, bool] = {}
        """Forwards that a finished run must have brought, and whether their end too."""
        self.rows: dict[int, dict[str, Any]] = {}
        self.cursor: Cursor | None = None

    # -- what the node does ----------------------------------------------------------------------------------

    @rule(entry=channels, leaving=channels, fee_msat=st.integers(0, 3))
    def offer(self, entry: int, leaving: int, fee_msat: int) -> None:
        self._note(self.node.offer(entry, leaving, in_msat=1000 + fee_msat, out_msat=1000))

    @precondition(lambda self: self._offered())
    @rule(choice=st.integers(0, 99), status=st.sampled_from(["settled", "failed"]), minutes=st.integers(0, 120))
    def end(self, choice: int, status: Literal["settled", "failed"], minutes: int) -> None:
        self.node.clock.move(minutes=minutes)
        index = self._offered()[choice % len(self._offered())]
        self.node.resolve(index, status)
        self._note(index)

    @rule(asked=st.none() | st.sampled_from([*OURS, GARBAGE]), readable=st.booleans())
    def local_fail(self, asked: int | None, readable: bool) -> None:
        index = self.node.local_fail(OURS[0], asked)
        self._note(index)
        if not readable:
            self.node.unreadable.add(index)

    @precondition(lambda self: self._ended())
    @rule(choice=st.integers(0, 99))
    def autoclean(self, choice: int) -> None:
        self.node.autoclean(self._ended()[choice % len(self._ended())])

    # -- what the daemon does --------------------------------------------------------------------------------

    @rule(meanwhile=happenings)
    def run(self, meanwhile: list[str]) -> None:
        """Read to the end, while the world goes on."""
        self._run(meanwhile)
        self._check()

    @rule(commit=st.integers(1, 6), phase=phases, meanwhile=happenings)
    def run_and_die(self, commit: int, phase: Phase, meanwhile: list[str]) -> None:
        """Die before or after a commit; the next rule starts anew."""
        try:
            self._run(meanwhile, crash_at=commit, phase=phase)
        except Crash:
            self.node.between_calls = lambda _method: None
        self._check()

    @rule(page=st.integers(1, 3), phase=phases)
    def run_and_lose_the_node(self, page: int, phase: Phase) -> None:
        fault = Fault("forwards", self.node.calls["forwards"] + page, phase, NodeUnreachable("away"))
        self.node.faults = [fault]
        try:
            self._run([])
        except NodeUnreachable:
            assert self.node.faults == []
        self.node.faults = []
        self._check()

    @precondition(lambda self: self.ever)
    @rule(choices=st.lists(st.tuples(st.integers(0, 99), st.booleans()), max_size=4))
    def deliver_again(self, choices: list[tuple[int, bool]]) -> None:
        """Rows come once more, also in states that they are no longer in."""
        readable = sorted((self.rows.keys() | self.node.rows.keys()) - self.node.unreadable)
        page = [self.ever[readable[choice % len(readable)]][-newest] for choice, newest in choices if readable]
        with self.store.write() as connection:
            apply_forwards(connection, page)
        self._check()

    def teardown(self) -> None:
        for _ in range(2):
            self._run([])
            self._check()
        for index, row in self.node.rows.items():
            if index not in self.node.unreadable:
                assert self.rows[index]["status"] == row.status

    def _run(self, meanwhile: list[str], *, crash_at: int | None = None, phase: Phase = "before") -> None:
        before = {index: row.status in FINAL_STATUSES for index, row in self.node.rows.items()}
        left = list(meanwhile)

        def go_on(method: str) -> None:
            if left and method in ("forwards", "forward_counter"):
                self._happen(left.pop())

        self.node.between_calls = go_on
        daemon = CrashingStore(self.store, crash_at=crash_at, phase=phase)
        done = ingest_forwards(
            self.node, daemon, node_id=NODE_ID, now=self.node.clock.now, stopping=lambda: False
        )  # fmt: skip
        self.node.between_calls = lambda _method: None
        assert done.caught_up
        alive = before.keys() & self.node.rows.keys() - self.node.unreadable
        self.certain |= {index: before[index] or self.certain.get(index, False) for index in alive}

    def _happen(self, what: str) -> None:
        if what == "offer":
            self.offer(*OURS, 1)
        elif what == "local_fail":
            self._note(self.node.local_fail(OURS[0], GARBAGE))
        elif what == "autoclean" and self._ended():
            self.node.autoclean(self._ended()[-1])
        elif what in ("settle", "fail") and self._offered():
            index = self._offered()[-1]
            self.node.resolve(index, "settled" if what == "settle" else "failed")
            self._note(index)

    def _note(self, index: int) -> None:
        self.ever.setdefault(index, []).append(self.node.rows[index])

    def _offered(self) -> list[int]:
        return [index for index, row in self.node.rows.items() if row.status == "offered"]

    def _ended(self) -> list[int]:
        return [index for index, row in self.node.rows.items() if row.status != "offered"]

    # -- what must hold --------------------------------------------------------------------------------------

    def _check(self) -> None:
        rows = {row["created_index"]: row for row in rows_of(self.store, "forwards")}
        assert rows.keys() <= self.ever.keys(), "nothing is made up"
        for index, row in rows.items():
            assert any(row == as_stored(state) for state in self.ever[index]), "exactly what the node said"
        for index, row in self.rows.items():
            assert rows[index] == row or row["status"] == "offered", "kept, and final once"
        for index, ended in self.certain.items():
            assert index in rows
            assert not ended or rows[index]["status"] in FINAL_STATUSES
        assert sums_of(self.store) == sums_from_rows(self.store)
        self._check_cursor(rows)
        self.rows = rows

    def _check_cursor(self, rows: dict[int, dict[str, Any]]) -> None:
        cursor, before = cursor_of(self.store), self.cursor
        if cursor is None:
            assert before is None
            return
        read = sum(index <= cursor.created_index for index in rows)
        assert cursor.missing_count == cursor.created_index - read - cursor.unreadable_count, "missing is what we lack"
        if before is not None:
            for name in ("created_index", "updated_index", "deleted_index", "missing_count", "unreadable_count"):
                assert getattr(cursor, name) >= getattr(before, name), "never back"
            assert (cursor.target_index, cursor.hydrated_at) in (
                (before.target_index, before.hydrated_at or cursor.hydrated_at),
            )
        self.cursor = cursor


def as_stored(state: Forward) -> dict[str, Any]:
    """Return the row that a state of a forward must make."""
    not_ours = state.status == "local_failed" and state.out_scid not in OURS
    return {
        **state._asdict(),
        "received_at": from_micros(state.received_at),
        "resolved_at": None if state.resolved_at is None else from_micros(state.resolved_at),
        "out_scid": None if not_ours else state.out_scid,
        "asked_scid": state.out_scid if not_ours else None,
    }


def test_every_forward_comes_in_once_whoever_dies_when(store: Store) -> None:

    class WorldOfThisStore(World):
        def __init__(self) -> None:
            super().__init__(store)

    few = store.kind == "postgresql"
    run_state_machine_as_test(
        WorldOfThisStore,
        settings=settings(
            max_examples=12 if few else 30,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
