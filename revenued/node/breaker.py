"""What has stopped answering is left alone for a while, each part of the node by itself."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from revenued.errors import NodeNonsense, NodeNotAsked, NodeOutcomeUnknown, NodeRefused, NodeUnreachable

FAILURES_THAT_OPEN = 3
FIRST_BACKOFF_SECONDS = 5.0
LONGEST_BACKOFF_SECONDS = 60.0

Answer = TypeVar("Answer")


class Breaker:
    """Lets calls to one subsystem through until three in a row brought no answer; then one at a time, after a back-off.

    Any answer is a sign of health, a refusal or nonsense too. Threads may share one.
    """

    def __init__(
        self,
        subsystem: str,
        *,
        longest_backoff_seconds: float = LONGEST_BACKOFF_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._subsystem = subsystem
        self._longest = longest_backoff_seconds
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._failures = 0
        self._backoff = 0.0
        self._open_until: float | None = None
        self._trial_is_out = False

    def run(self, call: Callable[[], Answer]) -> Answer:
        """Return what `call` returns; raises NodeNotAsked while the breaker is open."""
        is_trial = self._admit()
        try:
            answer = call()
        except (NodeUnreachable, NodeOutcomeUnknown):
            self._note_silence(is_trial=is_trial)
            raise
        except (NodeRefused, NodeNonsense):
            self._note_answer()
            raise
        finally:
            if is_trial:
                self._trial_is_out = False
        self._note_answer()
        return answer

    def _admit(self) -> bool:
        """Return whether the call is the one that tries whether the subsystem is back."""
        with self._lock:
            if self._open_until is None:
                return False
            left = self._open_until - self._monotonic()
            if left > 0 or self._trial_is_out:
                raise NodeNotAsked(
                    f"{self._subsystem} was not asked, its breaker is open after {self._failures} calls without an "
                    f"answer; next try " + (f"in {left:.0f} s" if left > 0 else "is under way")
                )
            self._trial_is_out = True
            return True

    def _note_silence(self, *, is_trial: bool) -> None:
        with self._lock:
            self._failures += 1
            if is_trial and self._open_until is not None:
                self._backoff = min(2 * self._backoff, self._longest)
            elif self._open_until is None and self._failures >= FAILURES_THAT_OPEN:
                self._backoff = min(FIRST_BACKOFF_SECONDS, self._longest)
            else:
                # A call that was under way when the breaker opened tells nothing new.
                return
            self._open_until = self._monotonic() + self._backoff

    def _note_answer(self) -> None:
        with self._lock:
            self._failures = 0
            self._open_until = None
