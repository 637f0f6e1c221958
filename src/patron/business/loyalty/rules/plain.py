"""temporary"""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_DOWN, Decimal

from patron.business.loyalty.rules.lots import CENT, ZERO

WHOLE = Decimal(1)
RATE = Decimal("0.0001")
MOST_POINTS = Decimal("999999999999")


@dataclass(frozen=True, slots=True)
class EarningTerms:
    """A version of the base rule: `points_per_unit` for each whole `unit_amount` paid."""

    rule_id: int
    points_per_unit: Decimal
    unit_amount: Decimal
    expiry_months: int | None


@dataclass(frozen=True, slots=True)
class Award:
    """What a purchase earns, and the arithmetic: `units` whole unit amounts are in `net_amount`."""

    terms: EarningTerms
    net_amount: Decimal
    units: int
    points: Decimal

    @property
    def explanation(self) -> dict[str, object]:
        """The numbers behind the award, as the ledger keeps them (amounts as text, exact)."""
        return {
            "rule": self.terms.rule_id,
            "net": str(self.net_amount.quantize(CENT)),
            "unit": str(self.terms.unit_amount.quantize(CENT)),
            "rate": str(self.terms.points_per_unit.quantize(RATE)),
            "units": self.units,
        }


def decide_earning(terms: EarningTerms, net_amount: Decimal) -> Award:
    """points = ⌊⌊net amount ÷ unit amount⌋ × points per unit⌋; nothing for an amount of zero or less.

    The two roundings are always downwards: no part of a unit earns, and points are whole.
    """
    if net_amount <= 0:
        return Award(terms=terms, net_amount=net_amount, units=0, points=ZERO)
    units = int(net_amount // terms.unit_amount)
    points = (units * terms.points_per_unit).quantize(WHOLE, rounding=ROUND_DOWN)
    return Award(terms=terms, net_amount=net_amount, units=units, points=min(points, MOST_POINTS).quantize(CENT))


def expiry_date(earned_on: date, months: int | None) -> date | None:
    """The last day on which points earned on `earned_on` can be used: the end of the month `months` months later.

    None for points that never expire.
    """
    if months is None:
        return None
    year, month = divmod(earned_on.year * 12 + earned_on.month - 1 + months, 12)
    return date(year, month + 1, monthrange(year, month + 1)[1])


def points_to_take_back(
    terms: EarningTerms, *, kept_points: Decimal, kept_net: Decimal, expired_points: Decimal
) -> Decimal:
    """How many of `kept_points` go once only `kept_net` of the purchase stands, by the rule of the original.

    What the original would have earned for `kept_net` stays. Points of the original that expired unused have left the
    member already and are not taken a second time. Negative: so many are given back (a return was itself undone).
    """
    target = decide_earning(terms, kept_net).points
    if target >= kept_points:
        return kept_points - target
    return max(ZERO, min(kept_points - target, kept_points - expired_points))
