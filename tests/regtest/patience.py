"""Waiting for what other processes do, with an end."""

import time
from collections.abc import Callable

LOOK_EVERY_SECONDS = 0.05


def until(claim: Callable[[], object], *, within: float, what: str) -> float:
    """Return after how many seconds `claim` became true; fails with `what` was waited for."""
    began = time.monotonic()
    while not claim():
        waited = time.monotonic() - began
        assert waited < within, f"not within {within:g} s: {what}"
        time.sleep(LOOK_EVERY_SECONDS)
    return time.monotonic() - began
