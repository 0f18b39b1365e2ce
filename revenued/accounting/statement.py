"""What a window earned and cost, with the omissions that a reader must know."""

from dataclasses import dataclass
from datetime import timedelta

from revenued.units import Msat, Ppm, to_ppm

OMISSIONS = (
    "Refills that other programs paid for (CLBOSS, sling, rebalance-lnd, by hand) are not counted.",
    "On-chain costs of opening, closing, splicing and sweeping are not counted yet, so margin and return are unknown.",
    "After a unilateral close our balance is counted again only once it was swept to the wallet.",
    "Forwards that the node had deleted before revenued first read them are not counted; `status` shows how many.",
)
YEAR = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Statement:
    """Money over one window."""

    window: timedelta
    gross_revenue_msat: Msat
    rebalance_cost_msat: Msat
    onchain_cost_msat: Msat | None
    """None: nobody has counted them."""
    forward_count: int
    volume_msat: Msat
    """What went out through our channels."""

    @property
    def opex_msat(self) -> Msat:
        """Return all known costs."""
        return Msat(self.rebalance_cost_msat + (self.onchain_cost_msat or 0))

    @property
    def net_profit_msat(self) -> Msat:
        """Return what is left of the revenue after all known costs."""
        return Msat(self.gross_revenue_msat - self.opex_msat)

    @property
    def earned_ppm(self) -> Ppm | None:
        """Return revenue over volume; None without volume."""
        return to_ppm(self.gross_revenue_msat, self.volume_msat)

    @property
    def operating_margin_pct(self) -> float | None:
        """Return net profit over revenue, in percent; None without revenue, or while a kind of cost is unknown."""
        if self.gross_revenue_msat <= 0 or self.onchain_cost_msat is None:
            return None
        return 100.0 * self.net_profit_msat / self.gross_revenue_msat

    def annualized_roc_pct(self, capital_msat: Msat) -> float | None:
        """Return net profit a year over `capital_msat`, in percent; None without capital, or with costs unknown."""
        if capital_msat <= 0 or self.onchain_cost_msat is None:
            return None
        return 100.0 * (self.net_profit_msat / capital_msat) * (YEAR / self.window)
