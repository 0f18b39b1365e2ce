"""Rules that make the price; each starts from what the one before left and returns (ppm, why), None for no change."""

from revenued.fees.case import FeeCase
from revenued.model import Side
from revenued.units import Ppm

EMPTY_CHANNEL_FACTOR = 3.0
"""What an empty channel costs, as a multiple of its base price."""


def learned_base_price(case: FeeCase, _ppm: Ppm) -> tuple[Ppm, str]:
    """The price that the learner holds to be best, whatever the channel's present state."""
    return case.base_ppm, f"base price of {case.base_ppm} ppm learned by {case.settings.fee_learner}"


def scarcity_premium(case: FeeCase, ppm: Ppm) -> tuple[Ppm, str] | None:
    """Local balance that runs out is sold dearer: ×1 at the threshold, rising linearly to ×3 when empty."""
    settings, ratio = case.settings, case.channel.outbound_ratio
    threshold = settings.scarcity_threshold
    if not settings.enable_scarcity_pricing or ratio >= threshold:
        return None
    if case.channel.opener is Side.REMOTE and not case.ever_sent_out:
        return ppm, "no scarcity premium: opened by the peer and never yet had anything to sell"
    factor = 1.0 + (EMPTY_CHANNEL_FACTOR - 1.0) * (1.0 - ratio / threshold)
    return Ppm(round(ppm * factor)), f"outbound share {ratio:.3f} is below {threshold:g}: ×{factor:.2f}"
