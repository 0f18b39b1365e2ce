"""Limits on the price; the last word wins. Each returns (ppm, why), or None where the price already keeps to it."""

from revenued.fees.case import FeeCase
from revenued.units import Ppm


def static_floor(case: FeeCase, ppm: Ppm) -> tuple[Ppm, str] | None:
    """The floor that holds while no floor is computed from costs."""
    floor = case.settings.static_floor_ppm
    return (Ppm(floor), f"below static_floor_ppm {floor}") if ppm < floor else None


def operator_bounds(case: FeeCase, ppm: Ppm) -> tuple[Ppm, str] | None:
    """What the operator set as least and most; nothing is ever broadcast outside."""
    least, most = case.settings.min_fee_ppm, case.settings.max_fee_ppm
    if ppm < least:
        return Ppm(least), f"below min_fee_ppm {least}"
    if ppm > most:
        return Ppm(most), f"above max_fee_ppm {most}"
    return None
