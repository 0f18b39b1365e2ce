"""What the service manager receives, and that nobody minds when there is none."""

import os

import pytest

from revenued.daemon.systemd import Notifier
from tests.daemon.conftest import Manager


def test_each_word_is_one_datagram(manager: Manager) -> None:
    notifier = Notifier(manager.environment)
    notifier.ready()
    notifier.alive()
    notifier.stopping()
    assert manager.received() == ["READY=1", "WATCHDOG=1", "STOPPING=1"]


def test_a_reload_says_since_when(manager: Manager) -> None:
    Notifier(manager.environment).reloading()
    first, second = manager.received()[0].split("\n")
    assert first == "RELOADING=1"
    assert int(second.removeprefix("MONOTONIC_USEC=")) > 0


def test_a_status_is_one_line_and_told_when_it_changes(manager: Manager) -> None:
    notifier = Notifier(manager.environment)
    for text in ("waiting", "waiting", "waiting:\nREADY=1  now", "waiting"):
        notifier.status(text)
    assert manager.received() == ["STATUS=waiting", "STATUS=waiting: READY=1 now", "STATUS=waiting"]


@pytest.mark.parametrize(
    ("environment", "seconds"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "120000000"}, 120.0),
        ({"WATCHDOG_USEC": "120000000", "WATCHDOG_PID": str(os.getpid())}, 120.0),
        ({"WATCHDOG_USEC": "120000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
    ],
)
def test_a_watchdog_is_fed_when_it_is_meant_for_us(environment: dict[str, str], seconds: float | None) -> None:
    assert Notifier(environment).watchdog_seconds == seconds


@pytest.mark.parametrize("environment", [{}, {"NOTIFY_SOCKET": ""}, {"NOTIFY_SOCKET": "/nowhere/notify"}])
def test_without_a_manager_nothing_happens(environment: dict[str, str]) -> None:
    notifier = Notifier(environment)
    notifier.ready()
    notifier.status("alone")
