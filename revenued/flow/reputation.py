"""How often what a peer sends us settles: a Beta mean with fading memory. It weighs demand, never the books."""

from dataclasses import dataclass

DECAY_PER_HOUR = 0.98
PRIOR_SETTLED, PRIOR_FAILED = 2.0, 1.0
"""What is assumed of a peer before it sent anything, as if it had: the floor under the evidence."""


@dataclass(frozen=True, slots=True)
class Reputation:
    """Faded counts of forwards that a peer sent us, by how they ended behind us.

    Forwards that failed on our own side are not in it: they do not blame the peer.
    """

    settled: float = 0.0
    failed: float = 0.0

    @property
    def mean(self) -> float:
        """Return the expected share that settles, 0 to 1."""
        settled, failed = self.settled + PRIOR_SETTLED, self.failed + PRIOR_FAILED
        return settled / (settled + failed)

    @property
    def evidence(self) -> float:
        """Return how many forwards the mean rests on, faded."""
        return self.settled + self.failed


def faded(before: Reputation, *, hours: float, settled: int, failed: int) -> Reputation:
    """Return the reputation `hours` later, with what was sent meanwhile."""
    kept = DECAY_PER_HOUR ** max(0.0, hours)
    return Reputation(before.settled * kept + settled, before.failed * kept + failed)
