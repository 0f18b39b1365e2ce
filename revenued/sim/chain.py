"""The chain as the simulated node sees it: blocks, what block space costs, and the wallet's outputs."""

import math
from dataclasses import dataclass, field, replace
from random import Random

from revenued.units import MSAT_PER_SAT

FLOOR_PER_KW = 253
TARGETS = ((2, 1.35), (6, 1.0), (12, 0.8), (100, 0.45))
"""(blocks to wait, price relative to six blocks)."""
FEERATE_STEP_SECONDS = 600
USUAL_PER_KW = 1250
PULL_BACK = 0.01
STEP_DEVIATION = 0.05
SPIKES_PER_STEP = 1 / 600
SPIKE_DECAY = 0.5 ** (FEERATE_STEP_SECONDS / 3600)
OPENING_WEIGHT = 702
MUTUAL_CLOSE_WEIGHT = 673
UNILATERAL_CLOSE_WEIGHT = 1112


@dataclass(frozen=True, slots=True)
class WalletOutput:
    """One output that the wallet owns; `height` is None until it is in a block."""

    txid: str
    output: int
    amount_sat: int
    height: int | None
    reserved: bool = False


@dataclass(slots=True)
class Chain:
    """Block height, feerates and wallet."""

    height: int
    outputs: list[WalletOutput] = field(default_factory=list)
    paid_msat: int = 0
    """What closing and splicing has cost us since the start."""
    _level: float = 0.0
    _spike: float = 0.0

    def step_feerates(self, rng: Random, *, spikes: bool) -> None:
        """Let the price of block space drift for one step, and now and then jump."""
        gust, chance, size = rng.gauss(0.0, STEP_DEVIATION), rng.random(), rng.uniform(4.0, 8.0)
        self._level += gust - PULL_BACK * self._level
        self._spike *= SPIKE_DECAY
        if spikes and chance < SPIKES_PER_STEP:
            self.spike(size)

    def spike(self, times: float) -> None:
        """Make block space `times` as expensive at once; the excess halves every hour."""
        self._spike = max(self._spike, math.log(times))

    def estimates(self) -> tuple[tuple[int, int], ...]:
        """Return (blocks to wait, feerate per kw), by blocks."""
        six_blocks = USUAL_PER_KW * math.exp(self._level + self._spike)
        return tuple((blocks, max(FLOOR_PER_KW, round(six_blocks * share))) for blocks, share in TARGETS)

    def cost_sat(self, weight: int, *, blocks: int) -> int:
        """Return what a transaction of this weight costs now, rounded up, when it may take `blocks` blocks."""
        return -(-dict(self.estimates())[blocks] * weight // 1000)

    def wallet_msat(self) -> int:
        """Return all that the wallet owns, reserved and unconfirmed outputs included."""
        return sum(output.amount_sat for output in self.outputs) * MSAT_PER_SAT

    def receive(self, txid: str, output: int, amount_sat: int) -> None:
        """Add an unconfirmed output; nothing comes of an amount of 0."""
        if amount_sat > 0:
            self.outputs.append(WalletOutput(txid, output, amount_sat, height=None))

    def spend(self, txid: str, amount_sat: int) -> None:
        """Spend from the largest free output, the change unconfirmed; raises ValueError when it is too small."""
        largest = max((output for output in self.outputs if not output.reserved), key=lambda output: output.amount_sat)
        if largest.amount_sat < amount_sat:
            raise ValueError(f"no output is worth {amount_sat} sat")
        self.outputs.remove(largest)
        self.receive(txid, 1, largest.amount_sat - amount_sat)

    def find_block(self) -> None:
        """Add a block that confirms everything."""
        self.height += 1
        self.outputs = [output if output.height else replace(output, height=self.height) for output in self.outputs]
