"""How the ingester waits for a node: short at first, longer and longer, short again once it has worked."""

import threading
from collections.abc import Callable

import pytest
from structlog.testing import capture_logs

from revenued.daemon.ingester import Ingester
from revenued.errors import NodeError, NodeNotAsked, NodeUnreachable
from revenued.store.engine import Store
from tests.fakes import FakeNode, Fault, HandClock

AWAY = NodeUnreachable("getinfo: no such socket")
NOT_ASKED = NodeNotAsked("core was not asked; next try in 4 s")


class Waits(threading.Event):
    """Notes how long is waited, does not wait, and is set after so many times."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.seconds: list[float | None] = []
        self._most = most

    def wait(self, timeout: float | None = None) -> bool:
        self.seconds.append(timeout)
        if len(self.seconds) == self._most:
            self.set()
        return self.is_set()


class BrokenBell:
    """Tells of a lost connection as soon as it is rung."""

    def ring(self, *_given: object, **_named: object) -> bool:
        raise NodeUnreachable("wait: the node closed the connection")

    def close(self) -> None:
        return


Waited = Callable[[int], tuple[list[float | None], Ingester]]


@pytest.fixture
def waited(monkeypatch: pytest.MonkeyPatch, node: FakeNode, sqlite_store: Store, clock: HandClock) -> Waited:
    """Let an ingester follow until it has waited so many times; return for how long each time, and the ingester."""

    def follow(most: int) -> tuple[list[float | None], Ingester]:
        waits = Waits(most)
        ingester = Ingester(
            node, sqlite_store, clock, bell=BrokenBell, on_progress=lambda _cursor: None, on_hydrated=lambda: None
        )
        monkeypatch.setattr(ingester, "_stopping", waits)
        ingester.start()
        assert ingester.join(20)
        return waits.seconds, ingester

    return follow


def away(node: FakeNode, *troubles: NodeError) -> None:
    """Let the first calls of `info` go wrong."""
    node.faults = [Fault("info", nth, "before", trouble) for nth, trouble in enumerate(troubles, start=1)]


def test_it_waits_longer_and_longer_for_a_node_that_is_away(node: FakeNode, waited: Waited) -> None:
    away(node, *[AWAY] * 10)
    seconds, ingester = waited(7)
    assert seconds == [0.5, 1, 2, 4, 8, 10, 10]
    assert ingester.trouble == "getinfo: no such socket"


def test_after_each_time_that_it_worked_it_is_quick_again(waited: Waited) -> None:
    seconds, _ = waited(5)
    assert seconds == [0.5] * 5


def test_an_absence_is_told_once_with_its_reason(node: FakeNode, waited: Waited) -> None:
    away(node, AWAY, AWAY, NOT_ASKED, NOT_ASKED, AWAY, NOT_ASKED)
    with capture_logs() as said:
        _, ingester = waited(6)
    assert [event["reason"] for event in said if event["event"] == "ingest_waits"] == ["getinfo: no such socket"]
    assert ingester.trouble == "getinfo: no such socket"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_defect_that_ends_it_can_be_seen(node: FakeNode, waited: Waited) -> None:
    node.faults = [Fault("info", 1, "before", ZeroDivisionError())]
    seconds, ingester = waited(1)
    assert seconds == []
    assert ingester.trouble == "stopped by a defect; the log has the details"
