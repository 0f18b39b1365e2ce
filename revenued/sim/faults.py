"""What can be made to go wrong between the simulated node and its callers; planned by tests, used up one by one."""

from collections import deque
from dataclasses import dataclass, field

from revenued.errors import NodeRefused


@dataclass(frozen=True, slots=True)
class Fault:
    """How one call is answered instead."""

    refusal: NodeRefused | None = None
    """Answer with this error; the call is not carried out."""
    raw: bytes | None = None
    """Write exactly these bytes and close; the call is not carried out."""


CARRY_OUT_AND_HANG_UP = Fault()
"""The call is carried out and the connection closed without a word."""


@dataclass(slots=True)
class Faults:
    """The faults that are planned, by method."""

    _planned: dict[str, deque[Fault]] = field(default_factory=dict)

    def refuse(self, method: str, code: int, message: str, *, times: int = 1) -> None:
        """Answer the next calls of a method with an error."""
        self._plan(method, Fault(refusal=NodeRefused(message, code)), times)

    def garble(self, method: str, raw: bytes, *, times: int = 1) -> None:
        """Answer the next calls of a method with these bytes, then close the connection."""
        self._plan(method, Fault(raw=raw), times)

    def hang_up(self, method: str, *, times: int = 1) -> None:
        """Carry out the next calls of a method, then close the connection without an answer."""
        self._plan(method, CARRY_OUT_AND_HANG_UP, times)

    def clear(self) -> None:
        """Forget all planned faults."""
        self._planned.clear()

    def next_for(self, method: str) -> Fault | None:
        """Return and use up the next fault of a method."""
        planned = self._planned.get(method)
        return planned.popleft() if planned else None

    def _plan(self, method: str, fault: Fault, times: int) -> None:
        self._planned.setdefault(method, deque()).extend([fault] * times)
