"""Each gate can hold a change alone, says why and until when, and all stand in one order."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given

from revenued.fees import gate
from revenued.fees.case import FeeCase
from revenued.fees.gate import GATES, gossip_allowance, hysteresis, objection
from revenued.model import ChannelFee
from tests.builders import NOW, fee, make_case, make_channel, make_memory, make_settings
from tests.fees.laws import any_case, fees

TARGET = fee(200)
HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Held:
    """A change that exactly one gate holds back."""

    case: FeeCase
    why: str
    until: datetime | None = None
    target: ChannelFee = TARGET


HELD = {
    "unchanged": Held(make_case(), "the target is the fee in force", target=fee(100)),
    "changed_outside": Held(
        make_case(
            make_channel(ppm=150),
            memory=make_memory(outside=fee(150), outside_seen_at=NOW - 10 * HOUR),
        ),
        "somebody else set 150 ppm + 0 msat; left alone for respect_manual_hours 24",
        NOW + 14 * HOUR,
    ),
    "fresh_channel": Held(
        make_case(make_channel(opened_at=NOW - HOUR)), "open for less than fresh_channel_hours 6", NOW + 5 * HOUR
    ),
    "peer_offline": Held(
        make_case(make_channel(peer_connected=False)),
        "the peer is not connected, or the channel is not reestablished yet",
    ),
    "minimum_interval": Held(
        make_case(memory=make_memory(broadcast_at=NOW - HOUR / 4)),
        "last set less than min_fee_change_interval 3600 s ago",
        NOW + 3 * HOUR / 4,
    ),
    "gossip_budget": Held(
        make_case(memory=make_memory(gossip_allowance=0.25)), "used up its 2 updates a day", NOW + 9 * HOUR
    ),
    "hysteresis": Held(make_case(), "100 → 105 ppm is not more than fee_hysteresis 0.05", target=fee(105)),
    "paused": Held(make_case(paused=True), "paused by the operator; `revenuectl resume` goes on"),
    "dry_run": Held(
        make_case(settings=make_settings(dry_run=True)), "dry run; go live with `revenuectl config set dry_run false`"
    ),
}


def held_by(case: FeeCase, target: ChannelFee = TARGET) -> str | None:
    found = objection(case, target)
    return None if found is None else found.gate


def test_the_order_of_all_gates() -> None:
    assert [gate.__name__ for gate in GATES] == [
        "unchanged",
        "changed_outside",
        "fresh_channel",
        "peer_offline",
        "minimum_interval",
        "gossip_budget",
        "hysteresis",
        "paused",
        "dry_run",
    ]


def test_each_gate_is_shown_to_hold_a_change() -> None:
    assert list(HELD) == [gate.__name__ for gate in GATES]


def test_a_change_to_which_nothing_objects_goes_out() -> None:
    assert objection(make_case(), TARGET) is None


@pytest.mark.parametrize("name", HELD)
def test_a_gate_holds_a_change_and_says_why_and_until_when(name: str) -> None:
    held = HELD[name]
    found = objection(held.case, held.target)
    assert found is not None
    assert (found.gate, found.why, found.until) == (name, held.why, held.until)


@pytest.mark.parametrize("name", HELD)
def test_the_gate_holds_it_alone(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "GATES", tuple(kept for kept in GATES if kept.__name__ != name))
    assert objection(HELD[name].case, HELD[name].target) is None


def test_the_first_objection_is_the_one_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """A change that every gate objects to but `unchanged`, which no other can join."""
    case = make_case(
        make_channel(ppm=100, opened_at=NOW - HOUR, peer_connected=False),
        make_settings(dry_run=True),
        memory=make_memory(
            outside=fee(100), outside_seen_at=NOW, gossip_allowance=0.0, broadcast=fee(90), broadcast_at=NOW
        ),
        paused=True,
    )
    for at, expected in enumerate(GATES[1:], 1):
        monkeypatch.setattr(gate, "GATES", GATES[at:])
        assert held_by(case, fee(101)) == expected.__name__


def test_a_fee_that_is_in_force_needs_no_other_word() -> None:
    """Whoever set it, and however new the channel is."""
    case = make_case(
        make_channel(opened_at=NOW), memory=make_memory(outside=fee(100), outside_seen_at=NOW), paused=True
    )
    assert held_by(case, fee(100)) == "unchanged"


@pytest.mark.parametrize(
    "case",
    [
        make_case(
            make_channel(ppm=150),
            make_settings(respect_manual_hours=0),
            memory=make_memory(outside=fee(150), outside_seen_at=NOW),
        ),
        make_case(make_channel(opened_at=NOW), make_settings(fresh_channel_hours=0)),
        make_case(settings=make_settings(min_fee_change_interval=0), memory=make_memory(broadcast_at=NOW)),
        make_case(memory=make_memory(broadcast_at=None, intended_at=None)),
        make_case(memory=make_memory(gossip_allowance=1.0)),
    ],
)
def test_a_gate_whose_time_is_set_to_nothing_holds_nothing(case: FeeCase) -> None:
    assert objection(case, TARGET) is None


@pytest.mark.parametrize("name", [name for name, held in HELD.items() if held.until is not None])
def test_the_end_that_a_gate_names_is_its_end(name: str) -> None:
    held = HELD[name]
    assert held.until is not None
    assert held_by(replace(held.case, now=held.until)) is None
    assert held_by(replace(held.case, now=held.until - timedelta(seconds=1))) == name


def test_a_channel_whose_opening_nobody_saw_is_fresh_from_when_we_first_saw_it() -> None:
    case = make_case(make_channel(opened_at=None), first_seen_at=NOW - HOUR)
    assert held_by(case) == "fresh_channel"
    assert held_by(replace(case, first_seen_at=NOW - 7 * HOUR)) is None


def test_a_try_whose_answer_was_lost_counts_for_the_minimum_interval() -> None:
    assert held_by(make_case(memory=make_memory(intended_at=NOW - HOUR / 2))) == "minimum_interval"


@pytest.mark.parametrize(
    ("live", "target", "held"),
    [
        (100, 105, True),
        (100, 106, False),
        (100, 95, True),
        (100, 94, False),
        (10, 11, False),
        (20, 21, True),
        (20, 22, False),
        (0, 1, False),
        (1, 0, False),
        (100_000, 105_000, True),
        (100_000, 105_001, False),
    ],
)
def test_a_change_must_be_more_than_five_percent_of_the_price_in_force(live: int, target: int, held: bool) -> None:
    case = make_case(make_channel(ppm=live), make_settings(min_fee_ppm=0, max_fee_ppm=100_000))
    assert (hysteresis(case, fee(target)) is not None) is held


def test_another_base_fee_is_never_a_small_change() -> None:
    assert held_by(make_case(), fee(100, base_msat=1)) is None


@pytest.mark.parametrize("live", [50, 900])
@pytest.mark.parametrize("name", ["fresh_channel", "minimum_interval", "gossip_budget", "hysteresis"])
def test_bringing_a_price_back_inside_the_bounds_is_no_routine_change(name: str, live: int) -> None:
    settings = make_settings(min_fee_ppm=51, max_fee_ppm=899)
    channel = replace(HELD[name].case.channel, ours=make_channel(ppm=live).ours)
    assert held_by(replace(HELD[name].case, channel=channel, settings=settings), fee(min(max(live, 51), 899))) is None


@pytest.mark.parametrize("name", ["changed_outside", "peer_offline", "paused", "dry_run"])
def test_even_a_price_outside_the_bounds_waits_for_people_and_peers(name: str) -> None:
    settings = make_settings(min_fee_ppm=500, dry_run=name == "dry_run")
    assert held_by(replace(HELD[name].case, settings=settings), fee(500)) == name


@pytest.mark.parametrize(
    ("allowance", "ago", "now_allowed"),
    [
        (0.0, timedelta(0), 0.0),
        (0.0, timedelta(hours=6), 0.5),
        (0.0, timedelta(hours=12), 1.0),
        (1.5, timedelta(hours=12), 2.5),
        (0.0, timedelta(days=30), 3.0),  # capped by the burst
        (7.0, timedelta(0), 3.0),  # the burst was lowered since
        (1.0, timedelta(hours=-5), 1.0),  # the clock went back: nothing is taken away, nothing given
    ],
)
def test_the_allowance_fills_by_the_day_up_to_the_burst(allowance: float, ago: timedelta, now_allowed: float) -> None:
    memory = make_memory(gossip_allowance=allowance, gossip_allowance_at=NOW - ago)
    assert gossip_allowance(make_case(memory=memory)) == pytest.approx(now_allowed)


@given(case=any_case(), target=fees)
def test_any_case_is_admitted_or_held_by_a_gate_that_names_itself(case: FeeCase, target: Any) -> None:
    found = objection(case, target)
    if found is None:
        assert case.live != target
        assert not case.paused
        assert not case.settings.dry_run
        assert case.channel.is_usable
    else:
        assert found.gate in HELD
        assert found.why
        assert found.until is None or found.until > case.now
