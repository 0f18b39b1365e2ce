"""Amounts, fee rates and short channel ids as integers with names; every conversion and its rounding stands here."""

from functools import lru_cache
from typing import NewType

Msat = NewType("Msat", int)
Sat = NewType("Sat", int)
Ppm = NewType("Ppm", int)
FeeratePerKw = NewType("FeeratePerKw", int)
Micros = NewType("Micros", int)
"""An instant: microseconds since 1970-01-01 UTC."""

MSAT_PER_SAT = 1000
PPM = 1_000_000
MICROS_PER_SECOND = 1_000_000
MICROS_PER_HOUR = 3600 * MICROS_PER_SECOND
MICROS_PER_DAY = 24 * MICROS_PER_HOUR
MAX_MONEY_MSAT = 21_000_000 * 100_000_000 * MSAT_PER_SAT
"""Every amount above this is a placeholder for "no limit" (Core Lightning answers 2^64-1) and never money."""


def to_msat(amount: Sat) -> Msat:
    """Return the same amount in millisatoshi, exactly."""
    return Msat(amount * MSAT_PER_SAT)


def cost_in_sat(amount: Msat) -> Sat:
    """Return a cost in whole satoshi, rounded up, so that what was spent is never understated."""
    return Sat(-(-amount // MSAT_PER_SAT))


def balance_in_sat(amount: Msat) -> Sat:
    """Return a balance or an income in whole satoshi, rounded down, so that what is owned is never overstated."""
    return Sat(amount // MSAT_PER_SAT)


def forward_fee(amount: Msat, *, base_fee: Msat, fee_ppm: Ppm) -> Msat:
    """Return the fee for forwarding `amount` out of a channel, rounded down as in BOLT 7."""
    return Msat(base_fee + amount * fee_ppm // PPM)


def to_ppm(part: Msat, whole: Msat) -> Ppm | None:
    """Return part/whole in parts per million, rounded to the nearest; None when there is no whole to compare with."""
    if whole <= 0:
        return None
    return Ppm((2 * part * PPM + whole) // (2 * whole))


LONGEST_SCID = len("16777215x16777215x65535")


@lru_cache(maxsize=16_384)
def scid_to_key(scid: str) -> int:
    """Return a short channel id ("700000x1x1") as a signed 64-bit integer.

    Aliases use the whole unsigned range, which no SQL integer holds, so the upper half is mapped to negative numbers.
    Raises ValueError when the text is not a short channel id.
    """
    parts = scid.split("x") if len(scid) <= LONGEST_SCID else ()
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() for part in parts):
        raise ValueError(f"not a short channel id: {scid!r}")
    block, transaction, output = map(int, parts)
    if block >= 1 << 24 or transaction >= 1 << 24 or output >= 1 << 16:
        raise ValueError(f"short channel id out of range: {scid!r}")
    unsigned = block << 40 | transaction << 16 | output
    return unsigned - (1 << 64) if unsigned >= 1 << 63 else unsigned


def key_to_scid(key: int) -> str:
    """Return the short channel id that `scid_to_key` made `key` from."""
    unsigned = key & ((1 << 64) - 1)
    return f"{unsigned >> 40}x{(unsigned >> 16) & 0xFFFFFF}x{unsigned & 0xFFFF}"
