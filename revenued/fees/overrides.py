"""Opinions that replace the computed price: the first one stands. Each returns (ppm, why), or None for no opinion.

A ppm of None means that the channel is left alone and nothing is set.
"""

from revenued.fees.case import FeeCase
from revenued.units import Ppm


def left_alone(case: FeeCase) -> tuple[Ppm | None, str] | None:
    """Channels that cannot carry a payment, or whose present price the node does not tell."""
    channel = case.channel
    if channel.is_closing:
        return None, f"the channel is closing ({channel.state})"
    if not channel.is_normal:
        return None, f"the channel is not in use yet ({channel.state})"
    if case.live is None:
        return None, "the node does not say what the channel costs now"
    return None
