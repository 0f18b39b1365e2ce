"""What does not answer is left alone for a while, and nothing else is."""

import threading
from typing import NoReturn

import pytest

from revenued.errors import NodeError, NodeNonsense, NodeOutcomeUnknown, NodeRefused, NodeUnreachable
from revenued.node.breaker import Breaker


class Stopwatch:
    """A monotonic clock that is moved by hand."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


class Subsystem:
    """Something that answers or not, and counts how often it was asked."""

    def __init__(self) -> None:
        self.failure: BaseException | None = None
        self.asked = 0

    def __call__(self) -> str:
        self.asked += 1
        if self.failure is not None:
            raise self.failure
        return "answer"


@pytest.fixture
def watch() -> Stopwatch:
    return Stopwatch()


@pytest.fixture
def breaker(watch: Stopwatch) -> Breaker:
    return Breaker("sling", monotonic=watch)


def fail(breaker: Breaker, subsystem: Subsystem, times: int, failure: NodeError | None = None) -> None:
    subsystem.failure = failure or NodeOutcomeUnknown("no answer in time")
    for _ in range(times):
        with pytest.raises(NodeError):
            breaker.run(subsystem)


def is_open(breaker: Breaker, subsystem: Subsystem) -> bool:
    asked = subsystem.asked
    try:
        breaker.run(subsystem)
    except NodeUnreachable as refusal:
        if "breaker" not in str(refusal):
            raise
    return subsystem.asked == asked


def test_an_answer_is_handed_through(breaker: Breaker) -> None:
    assert breaker.run(lambda: "answer") == "answer"


@pytest.mark.parametrize("silence", [NodeUnreachable("x"), NodeOutcomeUnknown("x")])
def test_three_calls_in_a_row_without_an_answer_open_it(breaker: Breaker, silence: NodeError) -> None:
    subsystem = Subsystem()
    fail(breaker, subsystem, 3, silence)
    with pytest.raises(NodeUnreachable, match="sling was not asked, its breaker is open"):
        breaker.run(subsystem)
    assert subsystem.asked == 3


def test_two_calls_without_an_answer_do_not_open_it(breaker: Breaker) -> None:
    subsystem = Subsystem()
    fail(breaker, subsystem, 2)
    subsystem.failure = None
    assert breaker.run(subsystem) == "answer"


@pytest.mark.parametrize("answer", [NodeRefused("Unknown command", -32601), NodeRefused("no"), NodeNonsense("what")])
def test_a_refusal_is_an_answer_and_a_sign_of_health(breaker: Breaker, answer: NodeError) -> None:
    subsystem = Subsystem()
    fail(breaker, subsystem, 10, answer)
    fail(breaker, subsystem, 2)
    fail(breaker, subsystem, 1, answer)
    fail(breaker, subsystem, 2)
    assert not is_open(breaker, Subsystem())


def test_after_the_backoff_one_call_is_let_through_and_its_answer_closes_it(breaker: Breaker, watch: Stopwatch) -> None:
    subsystem = Subsystem()
    fail(breaker, subsystem, 3)
    subsystem.failure = None
    watch.seconds += 4.9
    assert is_open(breaker, subsystem)
    watch.seconds += 0.2
    assert breaker.run(subsystem) == "answer"
    assert not is_open(breaker, subsystem)


def test_the_backoff_doubles_with_every_failed_trial_up_to_a_minute(breaker: Breaker, watch: Stopwatch) -> None:
    subsystem = Subsystem()
    fail(breaker, subsystem, 3)
    for seconds in (5, 10, 20, 40, 60, 60):
        watch.seconds += seconds - 0.1
        assert is_open(breaker, subsystem)
        watch.seconds += 0.2
        fail(breaker, subsystem, 1)


def test_after_it_closed_the_backoff_starts_small_again(breaker: Breaker, watch: Stopwatch) -> None:
    subsystem = Subsystem()
    fail(breaker, subsystem, 3)
    watch.seconds += 6
    fail(breaker, subsystem, 1)
    watch.seconds += 11
    subsystem.failure = None
    breaker.run(subsystem)
    fail(breaker, subsystem, 3)
    watch.seconds += 5.1
    assert not is_open(breaker, Subsystem())


def test_a_short_longest_backoff_bounds_every_pause(watch: Stopwatch) -> None:
    breaker, subsystem = Breaker("core", longest_backoff_seconds=5.0, monotonic=watch), Subsystem()
    fail(breaker, subsystem, 3)
    for _ in range(20):
        watch.seconds += 5.1
        fail(breaker, subsystem, 1)
    assert subsystem.asked == 23


def test_while_the_trial_is_under_way_nobody_else_is_let_through(breaker: Breaker, watch: Stopwatch) -> None:
    subsystem = Subsystem()
    fail(breaker, subsystem, 3)
    watch.seconds += 5.1
    in_trial, end_trial = threading.Event(), threading.Event()

    def slow() -> str:
        in_trial.set()
        assert end_trial.wait(10)
        return "answer"

    trial = threading.Thread(target=breaker.run, args=(slow,))
    trial.start()
    try:
        assert in_trial.wait(10)
        assert is_open(breaker, subsystem)
    finally:
        end_trial.set()
        trial.join()
    subsystem.failure = None
    assert breaker.run(subsystem) == "answer"


def test_a_trial_that_ends_in_something_else_frees_the_way_for_the_next(breaker: Breaker, watch: Stopwatch) -> None:
    fail(breaker, Subsystem(), 3)
    watch.seconds += 5.1

    def interrupted() -> NoReturn:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        breaker.run(interrupted)
    assert breaker.run(lambda: "answer") == "answer"


def test_a_slow_plugin_does_not_block_core_calls(watch: Stopwatch) -> None:
    plugin, core = Breaker("bookkeeper", monotonic=watch), Breaker("core", monotonic=watch)
    subsystem = Subsystem()
    fail(plugin, subsystem, 3)
    assert is_open(plugin, subsystem)
    assert core.run(lambda: "answer") == "answer"


def test_calls_that_were_under_way_when_it_opened_do_not_lengthen_the_pause(breaker: Breaker, watch: Stopwatch) -> None:
    go = threading.Event()
    under_way = threading.Barrier(9)

    def hang() -> NoReturn:
        under_way.wait(10)
        assert go.wait(10)
        raise NodeOutcomeUnknown("no answer in time")

    def ask() -> None:
        with pytest.raises(NodeOutcomeUnknown):
            breaker.run(hang)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    under_way.wait(10)
    go.set()
    for thread in threads:
        thread.join()
    assert is_open(breaker, Subsystem())
    watch.seconds += 5.1
    assert not is_open(breaker, Subsystem())
