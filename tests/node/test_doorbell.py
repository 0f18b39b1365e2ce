"""The doorbell rings for news and for nothing else, can always be let go of, and leaves no waits behind."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from revenued.errors import NodeError, NodeNonsense, NodeRefused, NodeUnreachable
from revenued.node import doorbell
from revenued.node.doorbell import AnswerReader, Doorbell
from tests.node.server import (
    Asked,
    Behaviour,
    ScriptedNode,
    answer,
    half_an_answer,
    hang,
    hang_up,
    raw,
    refuse,
    under_another_id,
)

SOON = 10.0


@pytest.fixture
def bell(node: ScriptedNode) -> Iterator[Doorbell]:
    node.script["wait"] = hang()
    ringing = Doorbell(node.path)
    yield ringing
    ringing.close()


class Ringing:
    """A ring that goes on in a thread of its own."""

    def __init__(self, bell: Doorbell, created: int, updated: int, timeout: float = SOON) -> None:
        self.outcome: bool | NodeError | None = None
        self._thread = threading.Thread(target=self._ring, args=(bell, created, updated, timeout))
        self._thread.start()

    def _ring(self, bell: Doorbell, created: int, updated: int, timeout: float) -> None:
        try:
            self.outcome = bell.ring(created, updated, timeout)
        except NodeError as failure:
            self.outcome = failure

    def end(self) -> bool | NodeError | None:
        self._thread.join(2 * SOON)
        assert not self._thread.is_alive()
        return self.outcome


def asked_for(asked: Asked) -> tuple[str, int]:
    return asked.params["indexname"], asked.params["nextvalue"]


def tripped(asked: Asked, value: int) -> None:
    """Let a wait return, as lightningd words it."""
    counter = asked.params["indexname"]
    asked.reply(result={"subsystem": "forwards", counter: value, "forwards": {"status": "settled"}})


def test_it_waits_for_the_next_of_both_counters_on_one_connection(node: ScriptedNode, bell: Doorbell) -> None:
    assert bell.ring(10, 20, 0.05) is False
    waits = node.wait_for(2)
    assert {asked_for(asked) for asked in waits} == {("created", 11), ("updated", 21)}
    assert {asked.params["subsystem"] for asked in waits} == {"forwards"}
    assert len({asked.request["id"] for asked in waits}) == 2
    assert node.connection_count == 1


@pytest.mark.parametrize("first", [0, 1])
def test_it_rings_when_either_counter_moves(node: ScriptedNode, bell: Doorbell, first: int) -> None:
    ringing = Ringing(bell, 10, 20)
    waits = node.wait_for(2)
    tripped(waits[first], 11 if asked_for(waits[first])[0] == "created" else 21)
    assert ringing.end() is True


def test_answers_may_come_out_of_order_and_together(node: ScriptedNode, bell: Doorbell) -> None:
    ringing = Ringing(bell, 10, 20)
    created, updated = node.wait_for(2)
    assert asked_for(created) == ("created", 11)
    created.write(
        b'{"jsonrpc":"2.0","id":"%s","result":{"subsystem":"forwards","updated":25}}\n\n'
        b'{"jsonrpc":"2.0","id":"%s","result":{"subsystem":"forwards","created":12}}\n\n'
        % (updated.request["id"].encode(), created.request["id"].encode())
    )
    assert ringing.end() is True
    assert bell.ring(12, 24, SOON) is True, "it remembers that updates are at 25"
    assert bell.ring(11, 25, SOON) is True, "it remembers that forwards are at 12"
    assert bell.ring(12, 25, 0.05) is False
    assert [asked_for(asked) for asked in node.wait_for(4)[2:]] == [("created", 13), ("updated", 26)]


def test_an_answer_in_pieces_is_put_together(node: ScriptedNode, bell: Doorbell) -> None:
    ringing = Ringing(bell, 10, 20)
    created = node.wait_for(2)[0]
    whole = b'{"jsonrpc":"2.0","id":"%s","result":{"created":11}}\n\n' % created.request["id"].encode()
    for place in range(len(whole)):
        created.write(whole[place : place + 1])
    assert ringing.end() is True


def test_waits_stay_out_over_many_rings_instead_of_being_left_behind(node: ScriptedNode, bell: Doorbell) -> None:
    for _ in range(20):
        assert bell.ring(10, 20, 0.01) is False
    assert len(node.wait_for(2)) == 2


def test_only_the_wait_that_was_answered_is_sent_again(node: ScriptedNode, bell: Doorbell) -> None:
    ringing = Ringing(bell, 10, 20)
    tripped(node.wait_for(2)[0], 11)
    assert ringing.end() is True
    assert bell.ring(11, 20, 0.05) is False
    assert [asked_for(asked) for asked in node.wait_for(3)[2:]] == [("created", 12)]


def test_a_wait_that_is_out_for_less_than_is_asked_is_used_up_first(node: ScriptedNode, bell: Doorbell) -> None:
    assert bell.ring(10, 20, 0.05) is False
    ringing = Ringing(bell, 15, 20)
    created = node.wait_for(2)[0]
    tripped(created, 15)
    again = node.wait_for(3)[2]
    assert asked_for(again) == ("created", 16)
    tripped(again, 16)
    assert ringing.end() is True


def test_a_wait_that_is_out_for_more_than_is_asked_is_joined_by_a_smaller_one(
    node: ScriptedNode, bell: Doorbell
) -> None:
    assert bell.ring(10, 20, 0.05) is False
    ringing = Ringing(bell, 5, 20)
    smaller = node.wait_for(3)[2]
    assert asked_for(smaller) == ("created", 6)
    tripped(smaller, 10)
    assert ringing.end() is True


def test_it_waits_no_longer_than_it_is_told(bell: Doorbell) -> None:
    started = time.monotonic()
    assert bell.ring(10, 20, 0.2) is False
    assert 0.15 < time.monotonic() - started < 5


def test_closing_from_another_thread_ends_a_ring_at_once(node: ScriptedNode, bell: Doorbell) -> None:
    ringing = Ringing(bell, 10, 20, timeout=60)
    node.wait_for(2)
    started = time.monotonic()
    bell.close()
    assert ringing.end() is False
    assert time.monotonic() - started < 5


def test_a_closed_doorbell_does_not_ring_any_more(node: ScriptedNode, bell: Doorbell) -> None:
    bell.close()
    bell.close()
    assert bell.ring(10, 20, SOON) is False
    assert node.connection_count == 0


def test_a_node_that_is_not_there_is_unreachable(socket_path: Path) -> None:
    bell = Doorbell(socket_path)
    with pytest.raises(NodeUnreachable, match="wait"):
        bell.ring(10, 20, SOON)
    bell.close()


def test_a_connection_that_breaks_ends_the_ring_at_once(node: ScriptedNode, bell: Doorbell) -> None:
    ringing = Ringing(bell, 10, 20, timeout=60)
    node.wait_for(2)
    node.hang_up_all()
    assert isinstance(ringing.end(), NodeUnreachable)


def test_after_a_restart_the_next_ring_starts_afresh(node: ScriptedNode, bell: Doorbell) -> None:
    ringing = Ringing(bell, 10, 20)
    tripped(node.wait_for(2)[0], 500)
    assert ringing.end() is True
    node.hang_up_all()
    with pytest.raises(NodeUnreachable):
        bell.ring(500, 20, SOON)
    assert bell.ring(10, 20, 0.05) is False, "what a former connection said of the counters is forgotten"
    assert {asked_for(asked) for asked in node.wait_for(len(node.requests))[-2:]} == {("created", 11), ("updated", 21)}


def test_a_node_that_does_not_know_wait_has_refused(node: ScriptedNode, bell: Doorbell) -> None:
    node.script["wait"] = refuse(-32601, "Unknown command 'wait'")
    with pytest.raises(NodeRefused) as refusal:
        bell.ring(10, 20, SOON)
    assert refusal.value.code == -32601


@pytest.mark.parametrize(
    "behaviour",
    [
        raw(b"garbage\n\n"),
        raw(b"[]\n\n"),
        raw(b'{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"x"}}\n\n'),
        raw(b'{"jsonrpc":"2.0","id":["x"],"result":{}}\n\n'),
        under_another_id({"created": 11}),
        answer({}),
        answer({"created": True, "updated": True}),
        answer({"created": 10, "updated": 20}),
        answer("rang"),
    ],
)
def test_an_answer_that_makes_no_sense_is_nonsense_and_never_a_ring(
    node: ScriptedNode, bell: Doorbell, behaviour: Behaviour
) -> None:
    node.script["wait"] = behaviour
    with pytest.raises(NodeNonsense, match="wait"):
        bell.ring(10, 20, SOON)


@pytest.mark.parametrize("behaviour", [hang_up(), half_an_answer()])
def test_a_node_that_goes_away_in_the_middle_is_unreachable(
    node: ScriptedNode, bell: Doorbell, behaviour: Behaviour
) -> None:
    node.script["wait"] = behaviour
    with pytest.raises(NodeUnreachable, match="wait"):
        bell.ring(10, 20, SOON)


def test_the_reader_cuts_answers_wherever_the_pieces_end() -> None:
    stream = b'{"a":1}\n\n{"b":2}\n\n\n\n{"c"'
    for size in range(1, len(stream) + 1):
        reader = AnswerReader()
        found = [one for place in range(0, len(stream), size) for one in reader.feed(stream[place : place + size])]
        assert found == [b'{"a":1}', b'{"b":2}', b""]


def test_the_reader_searches_no_byte_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    searched = 0

    class CountingBuffer(bytearray):
        def find(self, *what: Any) -> int:
            nonlocal searched
            found = super().find(*what)
            searched += (len(self) if found < 0 else found + 2) - what[1]
            return found

    monkeypatch.setattr(doorbell, "bytearray", CountingBuffer, raising=False)
    reader, pieces = AnswerReader(), 1000
    for _ in range(pieces):
        assert reader.feed(b"x" * 1000) == []
    assert [len(one) for one in reader.feed(b"\n\n")] == [1000 * pieces]
    assert 1000 * pieces <= searched <= 1000 * pieces + 2 * pieces + 2
